"""A naive model of the radix cache: a dictionary from whole prefixes to what is known of them, searched end to end.

Written from the design: no tree, no totals, no queue, no slots. What takes one line here and care there (locks,
recency, colours, memory) is counted anew from the dictionary every time.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from radixchat.radix import CacheConfig, NoRoom, State

Tokens = tuple[int, ...]


class Prefix(NamedTuple):
    """A sequence from its first token on, within a namespace."""

    namespace: str
    tokens: Tokens

    def cut(self, end: int) -> Prefix:
        return Prefix(self.namespace, self.tokens[:end])

    def covers(self, other: Prefix) -> bool:
        """Whether the other begins with this."""
        return self.namespace == other.namespace and other.tokens[: len(self.tokens)] == self.tokens


@dataclass
class Piece:
    """One node; the prefix it ends is its key in the dictionary."""

    id: int
    start: int  # tokens above it
    rank: int
    last: int
    created: int
    new_in: int
    hits: int = 0
    priority: int = 0
    uncached: Tokens = ()


@dataclass
class Claim:
    """One open lease."""

    namespace: str
    tick: int
    priority: int
    found: int  # tokens matched when it began
    holds: int | None  # id of the node whose path it locks
    depth: int  # positions that are in the tree
    size: int  # positions that have slots
    scratch: int | None  # the position computed into the scratch slot
    prompt: Tokens  # what it began with
    text: Tokens  # what was computed, reused tokens included
    tip: int | None = None  # the last node it made


class Grave(NamedTuple):
    """An evicted node."""

    node: int
    parent: int
    tokens: Tokens
    why: str


class Took(NamedTuple):
    """What went: (node id, tokens)."""

    node: int
    tokens: int


@dataclass
class Outcome:
    """What an operation is expected to report."""

    matched: int = 0
    computed: int = 0
    evicted: list[Took] = field(default_factory=list)
    splits: list[int] = field(default_factory=list)
    remapped: range = range(0)  # positions that are given the tree's slots
    fits: bool = True
    split_at: tuple[int, int] | None = None
    inside: tuple[int, int] | None = None


class Oracle:
    """The model; its methods are those of `RadixCache`, with claims for leases."""

    def __init__(self, config: CacheConfig) -> None:
        self.config = config
        self.page = config.page_size
        self.capacity = config.capacity
        self.step = 0
        self.tick = 0
        self.ids = 0
        self.pieces: dict[Prefix, Piece] = {}
        self.roots: dict[str, int] = {"": 0}
        self.claims: list[Claim] = []
        self.pins: list[int] = []
        self.graves: list[Grave] = []
        self.walked: dict[Prefix, int] = {}  # of each page, named by the prefix it ends: the step of its last use

    # -- looking ---------------------------------------------------------------------------------------------------

    def prefix_of(self, node: int) -> Prefix:
        return next(prefix for prefix, piece in self.pieces.items() if piece.id == node)

    def path(self, prefix: Prefix) -> Iterator[tuple[Prefix, Piece]]:
        """The nodes that end on a prefix, first to last."""
        on_it = [(key, piece) for key, piece in self.pieces.items() if key.covers(prefix)]
        yield from sorted(on_it, key=lambda found: found[1].start)

    def at(self, prefix: Prefix) -> tuple[Prefix, Piece] | None:
        """The node that holds the last token of a prefix."""
        end = len(prefix.tokens)
        for key, piece in self.pieces.items():
            if piece.start < end and prefix.covers(key):
                return key, piece
        return None

    def matched(self, prefix: Prefix) -> int:
        """Tokens of a prefix that are in the cache, in whole pages."""
        best = 0
        for key in self.pieces:
            if key.namespace == prefix.namespace:
                best = max(best, self.pages(common(key.tokens, prefix.tokens)))
        return best

    def locks(self, prefix: Prefix) -> int:
        held = [claim.holds for claim in self.claims if claim.holds is not None] + self.pins
        return sum(prefix.covers(self.prefix_of(node)) for node in held)

    def children(self, prefix: Prefix) -> list[Prefix]:
        end = len(prefix.tokens)
        return [key for key, piece in self.pieces.items() if prefix.covers(key) and piece.start == end]

    def parent_id(self, prefix: Prefix) -> int:
        start = self.pieces[prefix].start
        return self.pieces[prefix.cut(start)].id if start else self.roots[prefix.namespace]

    def pages_after(self, prefix: Prefix, start: int) -> list[Prefix]:
        """Every page of a prefix after its first tokens, as the prefix that it ends."""
        return [prefix.cut(end) for end in range(start + self.page, len(prefix.tokens) + 1, self.page)]

    def pages(self, tokens: int) -> int:
        return tokens // self.page * self.page

    def rounded_up(self, tokens: int) -> int:
        return -(-tokens // self.page) * self.page

    def tokens_of(self, prefix: Prefix) -> Tokens:
        return prefix.tokens[self.pieces[prefix].start :]

    # -- counting --------------------------------------------------------------------------------------------------

    @property
    def resident(self) -> int:
        return sum(len(self.tokens_of(prefix)) for prefix in self.pieces)

    @property
    def protected(self) -> int:
        return sum(len(self.tokens_of(prefix)) for prefix in self.pieces if self.locks(prefix))

    @property
    def evictable(self) -> int:
        return self.resident - self.protected

    @property
    def in_flight(self) -> int:
        return sum(self.flying(claim) for claim in self.claims)

    @property
    def free(self) -> int:
        return self.capacity - self.resident - self.in_flight

    def flying(self, claim: Claim) -> int:
        """Slots of a lease that are not the tree's: whole pages, from its depth on, but for the scratch slot."""
        scratch = claim.scratch is not None and claim.depth <= claim.scratch
        return self.rounded_up(claim.size) - claim.depth - scratch

    def state(self, prefix: Prefix) -> State:
        piece = self.pieces[prefix]
        if piece.new_in == self.step:
            return State.NEW
        return State.REUSED if self.walked_tokens(prefix) else State.RESIDENT

    def walked_tokens(self, prefix: Prefix) -> int:
        """How many tokens of a node were used in this step."""
        used = [self.walked.get(page) == self.step for page in self.pages_after(prefix, self.pieces[prefix].start)]
        return sum(used) * self.page

    # -- eviction --------------------------------------------------------------------------------------------------

    def victim(self, spared: int | None = None) -> Prefix | None:
        """The leaf that goes first."""
        leaves = [key for key in self.pieces if not self.children(key) and not self.locks(key)]
        leaves = [key for key in leaves if self.pieces[key].id != spared]
        return min(leaves, key=self.order, default=None)

    def order(self, prefix: Prefix) -> tuple[int, ...]:
        piece = self.pieces[prefix]
        first = {
            "lru": (piece.last,),
            "lfu": (piece.hits, piece.last),
            "fifo": (piece.created,),
            "mru": (-piece.last,),
            "filo": (-piece.created,),
            "slru": (int(piece.hits >= 2), piece.last),
            "priority": (piece.priority, piece.last),
        }[self.config.policy]
        return (*first, -len(prefix.tokens), piece.id) if self.config.tie == "deepest" else (*first, piece.id)

    def make_room(self, tokens: int, why: str, spared: int | None = None) -> list[Took]:
        sizes = self.evictable
        if spared is not None:
            saved = [key for key, piece in self.path(self.prefix_of(spared)) if not self.locks(key)]
            sizes -= sum(len(self.tokens_of(key)) for key in saved)
        if tokens > self.free + sizes:
            raise NoRoom(tokens, self.free + sizes)
        return self.take(tokens - self.free, why, spared)

    def take(self, tokens: int, why: str, spared: int | None = None) -> list[Took]:
        """Evicts leaf after leaf until so many tokens are free, or nothing is left to take."""
        took: list[Took] = []
        while tokens > 0 and (key := self.victim(spared)) is not None:
            size = len(self.tokens_of(key))
            if self.config.unit == "page":
                size = min(size, self.rounded_up(tokens))
            took.append(self.drop(key, why, size))
            tokens -= size
        return took

    def drop(self, prefix: Prefix, why: str, tokens: int | None = None) -> Took:
        piece, size = self.pieces[prefix], len(self.tokens_of(prefix))
        tokens = size if tokens is None else tokens
        whole = tokens == size
        parent = self.parent_id(prefix) if whole else piece.id
        self.graves.append(Grave(piece.id, parent, prefix.tokens[len(prefix.tokens) - tokens :], why))
        del self.pieces[prefix]
        rest = prefix.cut(len(prefix.tokens) - tokens)
        if not whole:
            self.pieces[rest] = replace(piece, uncached=())
        for page in self.pages_after(prefix, len(rest.tokens)):
            self.walked.pop(page, None)
        return Took(piece.id, tokens)

    # -- recency and colours ---------------------------------------------------------------------------------------

    def use(self, prefix: Prefix, after: int, tick: int, priority: int) -> None:
        """A request walks the tokens of a prefix from position `after` on; a node is walked from its start."""
        if len(prefix.tokens) == after:
            return
        first = self.at(prefix.cut(after + self.page))
        assert first is not None
        for page in self.pages_after(prefix, first[1].start):
            self.walked[page] = self.step
        for key, piece in self.path(prefix):
            if len(key.tokens) > after:
                self.stamp(piece, tick, priority)
        last = self.at(prefix)
        if last is not None and self.config.split_recency == "both":
            self.stamp(last[1], tick, priority)

    def stamp(self, piece: Piece, tick: int, priority: int) -> None:
        piece.priority = max(piece.priority, priority)
        if tick > piece.last:
            piece.last = tick
            piece.hits += 1

    def settle(self, prefix: Prefix, tick: int, priority: int) -> None:
        """What a request has used whole is never older than it, whoever cut it meanwhile."""
        for key, piece in self.path(prefix):
            if piece.last < tick:
                self.use(key, piece.start, tick, priority)

    def cut(self, prefix: Prefix, end: int) -> Piece:
        """Splits a node; the head is new, the tail keeps id and locks. Returns the head."""
        tail = self.pieces[prefix]
        self.ids += 1
        head = replace(tail, id=self.ids, uncached=())
        self.pieces[prefix.cut(end)] = head
        tail.start, tail.rank = end, tail.id
        return head

    # -- the protocol ----------------------------------------------------------------------------------------------

    def new_step(self) -> None:
        self.step += 1
        self.graves = []

    def begin(self, prompt: Tokens, namespace: str = "", priority: int = 0) -> tuple[Claim, Outcome]:
        if namespace not in self.roots:
            self.ids += 1
            self.roots[namespace] = self.ids
        self.tick += 1
        size = len(prompt)
        found = self.matched(Prefix(namespace, prompt))
        used = Prefix(namespace, prompt[:found])
        self.use(used, 0, self.tick, priority)
        node = self.at(used)
        computed = min(found, self.pages(size - 1))
        scratch = size - 1 if found == size and self.page == 1 else None
        claim = Claim(
            namespace=namespace,
            tick=self.tick,
            priority=priority,
            found=found,
            holds=node[1].id if node is not None else None,
            depth=computed,
            size=computed if scratch is None else size,
            scratch=scratch,
            prompt=prompt,
            text=prompt[:computed],
        )
        self.claims.append(claim)
        return claim, Outcome(matched=found, computed=computed)

    def extend(self, claim: Claim, n: int) -> Outcome:
        spare = self.rounded_up(claim.size) - claim.size
        outcome = self.make_room_for(claim, self.rounded_up(n - spare)) if n > spare else Outcome()
        claim.size += n
        return outcome

    def make_room_for(self, claim: Claim, tokens: int) -> Outcome:
        """Evicts; what a lease locks and does not use, past the end of what it has found or made, can go as well.

        It is as recent as the lease and goes last; under the "prefix" rule it is older, and takes its turn.
        """
        if tokens <= self.free:
            return Outcome()
        used = self.used(claim)
        end = len(used.tokens)
        own = [key for key in self.pieces if self.locks(key) == 1 and self.held_by(claim, key)]
        unused = sum(len(key.tokens) - max(end, self.pieces[key].start) for key in own if len(key.tokens) > end)
        if tokens > self.free + self.evictable + unused:
            raise NoRoom(tokens, self.free + self.evictable + unused)
        node = self.at(used)
        takes_its_turn = self.config.split_recency == "prefix" and node is not None and node[0] in own
        outcome = Outcome()
        if not takes_its_turn or node is None or len(node[0].tokens) == end:
            if tokens > self.free + self.evictable:
                claim.holds = node[1].id if node is not None else None
            outcome.evicted = self.take(min(tokens - self.free, self.evictable), self.config.policy)
        if node is not None and tokens > self.free:
            outcome.splits.append(node[1].id)
            outcome.split_at = (node[1].id, end - node[1].start)
            claim.holds = self.cut(node[0], end).id
            self.settle(used, claim.tick, claim.priority)
            outcome.evicted += self.take(tokens - self.free, self.config.policy)
        return outcome

    def used(self, claim: Claim) -> Prefix:
        """What a lease has found or made."""
        tokens = claim.prompt[: claim.found] if claim.found > claim.depth else claim.text[: claim.depth]
        return Prefix(claim.namespace, tokens)

    def held_by(self, claim: Claim, prefix: Prefix) -> bool:
        return claim.holds is not None and prefix.covers(self.prefix_of(claim.holds))

    def commit(self, claim: Claim, tokens: Tokens) -> Outcome:
        claim.text += tokens
        end = self.pages(len(claim.text))
        text = Prefix(claim.namespace, claim.text[:end])
        if end == claim.depth:
            return Outcome(computed=len(claim.text))
        before = claim.depth
        self.settle(text.cut(before), claim.tick, claim.priority)
        found = self.matched(text)
        self.use(text.cut(found), before, claim.tick, claim.priority)
        outcome = Outcome(computed=len(claim.text), remapped=range(before, found))
        claim.depth = end
        node = self.at(text.cut(found))
        if found < end:
            if node is not None and len(node[0].tokens) > found:
                outcome.splits.append(node[1].id)
                outcome.split_at = (node[1].id, found - node[1].start)
                self.cut(node[0], found)
                self.settle(text.cut(found), claim.tick, claim.priority)
                node = self.at(text.cut(found))
            self.hang(claim, node[1] if node is not None else None, text, found)
        node = self.at(text)
        assert node is not None
        claim.holds = node[1].id
        return outcome

    def hang(self, claim: Claim, above: Piece | None, text: Prefix, start: int) -> None:
        """Adds tokens below a node: to the node itself, if it is this lease's own leaf."""
        key = text.cut(start)
        if above is not None and above.id == claim.tip and not self.children(key):
            self.lengthen(key, text)
            return
        self.ids += 1
        claim.tip = self.ids
        self.pieces[text] = Piece(self.ids, start, self.ids, claim.tick, claim.tick, self.step, 0, claim.priority)
        if above is not None and alike(self.tokens_of(text), above.uncached):
            above.uncached = ()

    def lengthen(self, key: Prefix, longer: Prefix) -> None:
        piece = self.pieces.pop(key)
        piece.uncached = ()
        self.pieces[longer] = piece
        if all(self.walked.get(page) == self.step for page in self.pages_after(key, piece.start)):
            for page in self.pages_after(longer, len(key.tokens)):  # a node used whole stays so while it grows
                self.walked[page] = self.step

    def fork(self, claim: Claim) -> Claim:
        node = self.at(Prefix(claim.namespace, claim.text[: claim.depth]))
        other = replace(
            claim,
            holds=node[1].id if node is not None else None,
            found=claim.depth,
            size=claim.depth,
            scratch=None,
            prompt=(),
            text=claim.text[: claim.depth],
            tip=None,
        )
        self.claims.append(other)
        return other

    def finish(self, claim: Claim, keep: bool = True, uncached: Tokens = ()) -> None:
        text = self.used(claim)
        used = len(text.tokens)
        if keep:
            node = self.at(text)
            if self.config.split_recency == "prefix" and node is not None and len(node[0].tokens) > used:
                self.cut(node[0], used)
                node = self.at(text)
            self.settle(text, claim.tick, claim.priority)
            tail = claim.text[claim.depth :] + uncached
            if tail and node is not None and len(node[0].tokens) == used == claim.depth:
                below = [self.tokens_of(child) for child in self.children(node[0])]
                if not any(alike(tokens, tail) for tokens in below):
                    node[1].uncached = tail
        self.claims = [other for other in self.claims if other is not claim]
        if not keep and claim.tip is not None:
            key = self.prefix_of(claim.tip)
            if not self.children(key) and not self.locks(key):
                self.drop(key, "discarded")

    def evict(self, tokens: int) -> list[Took]:
        return self.take(tokens, "asked")

    def resize(self, capacity: int) -> None:
        capacity = self.pages(capacity)
        self.make_room(self.capacity - capacity, "shrunk")
        self.capacity = capacity

    def set_policy(self, policy: str) -> None:
        self.config = replace(self.config, policy=policy)

    def reset(self) -> None:
        self.pieces, self.walked, self.pins, self.graves = {}, {}, [], []

    # -- the tree's verbs ------------------------------------------------------------------------------------------

    def match(self, key: Tokens, namespace: str = "") -> int:
        claim, outcome = self.begin(key, namespace)
        self.finish(claim)
        return outcome.matched

    def insert(self, key: Tokens, namespace: str = "", priority: int = 0) -> int:
        claim, outcome = self.begin(key, namespace, priority)
        try:
            self.extend(claim, len(key) - claim.size)
        except NoRoom:
            self.finish(claim, keep=False)
            raise
        self.commit(claim, key[len(claim.text) :])
        self.finish(claim)
        return outcome.matched

    def grow(self, node: int, tokens: Tokens) -> None:
        self.make_room(len(tokens), self.config.policy, spared=node)
        key = self.prefix_of(node)
        self.lengthen(key, Prefix(key.namespace, key.tokens + tokens))

    def can_grow(self, node: int, tokens: Tokens) -> bool:
        key = self.prefix_of(node)
        return not self.children(key) and self.locks(key) <= 1 and len(tokens) % self.page == 0

    def split(self, node: int, at: int) -> int:
        key = self.prefix_of(node)
        return self.cut(key, self.pieces[key].start + at).id

    def evict_node(self, node: int) -> Took:
        return self.drop(self.prefix_of(node), "asked")

    def can_go(self, node: int) -> bool:
        key = self.prefix_of(node)
        return not self.children(key) and not self.locks(key)

    # -- previews --------------------------------------------------------------------------------------------------

    def trial(self, prompt: Tokens, namespace: str = "") -> Outcome:
        """What a request would do: a copy of this model does it."""
        copied = copy.deepcopy(self)
        claim, outcome = copied.begin(prompt, namespace)
        end = copied.at(Prefix(namespace, prompt[: outcome.matched]))
        if outcome.matched == self.pages(len(prompt)) and end is not None and len(end[0].tokens) > outcome.matched:
            outcome.inside = (end[1].id, outcome.matched - end[1].start)
        elif end is not None and len(end[0].tokens) > outcome.matched:
            outcome.split_at = (end[1].id, outcome.matched - end[1].start)
        try:
            extended = copied.extend(claim, len(prompt) - claim.size)
        except NoRoom:
            outcome.fits = False
            return outcome
        outcome.evicted = extended.evicted
        done = copied.commit(claim, prompt[outcome.computed :])
        if extended.split_at is not None:  # its end had to go, so the reply decides nothing any more
            outcome.split_at, outcome.inside = extended.split_at, None
        assert (done.split_at or extended.split_at) == outcome.split_at
        return outcome


def common(left: Tokens, right: Tokens) -> int:
    """How many first tokens are equal."""
    for count, (ours, theirs) in enumerate(zip(left, right, strict=False)):
        if ours != theirs:
            return count
    return min(len(left), len(right))


def alike(left: Tokens, right: Tokens) -> bool:
    """Whether one is the beginning of the other, and neither is empty."""
    shared = min(len(left), len(right))
    return shared > 0 and left[:shared] == right[:shared]
