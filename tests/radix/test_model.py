"""Random requests, several at once, on tiny caches: after every operation the cache must be what the oracle says.

Alphabets are small, so that prefixes collide, and capacities tiny, so that room runs out. Besides the oracle, each
operation is held to what needs none: integrity, a pool whose slots never hold a wrong prefix (`rig`), slots that stay
where they are, and events that replay to the same snapshot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from radixchat.radix import (
    CacheConfig,
    Gone,
    LastSequence,
    NoCache,
    NodeView,
    NoRoom,
    Peek,
    RadixCache,
    Snapshot,
    Tombstone,
    Update,
    as_array,
)
from radixchat.radix.keys import count
from radixchat.radix.policies import POLICIES
from radixchat.radix.states import LiveState, fresh, thawed

from .oracle import Claim, Oracle, Prefix, Took
from .rig import Content, Request, Rig, Tokens, pages_of

MAX_RUNNING = 4

Recipe = tuple[int, int, list[int]]
Plain = tuple[object, ...]

lengths = st.one_of(st.just(99), st.integers(0, 16))
recipes = st.tuples(st.integers(0, 15), lengths, st.lists(st.integers(0, 4), max_size=4))
"""A prompt: an earlier sequence (which one) or its beginning (how much of it), and some blocks more."""
replies = st.lists(st.integers(1, 3), min_size=1, max_size=5).map(tuple)
namespaces = st.sampled_from(["", "", "", "blue"])
choices = st.integers(0, 15)


class CacheMachine(RuleBasedStateMachine):
    """Drives a cache and, if there is one, its oracle."""

    def __init__(self, cache: RadixCache, oracle: Oracle | None = None) -> None:
        super().__init__()
        self.cache = cache
        self.oracle = oracle
        self.rig = Rig(cache)
        self.claims: dict[int, Claim] = {}  # by the id of the request
        self.history: list[Tokens] = [(1, 2, 1, 1, 2, 2, 1, 2, 3)]
        self.pages: dict[Content, Tokens] = {}
        self.replicas: list[LiveState] = [fresh(cache.config)]
        self.kept: list[tuple[Snapshot, Plain]] = []
        self.new_step()

    # -- requests --------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.rig.running) < MAX_RUNNING)
    @rule(recipe=recipes, namespace=namespaces, priority=st.integers(0, 2))
    def begin(self, recipe: Recipe, namespace: str, priority: int) -> None:
        self.start(self.prompt(recipe), namespace, priority)

    @precondition(lambda self: self.rig.running)
    @rule(which=choices, n=st.integers(0, 6))
    def extend(self, which: int, n: int) -> None:
        self.make_room(self.running(which), n)

    @precondition(lambda self: self.rig.running)
    @rule(which=choices, n=st.integers(0, 6), reply=replies)
    def compute(self, which: int, n: int, reply: Tokens) -> None:
        """Computes some of what has slots: the prompt first, then a reply."""
        request = self.running(which)
        upcoming = request.prompt[len(request.tokens) :] + reply
        self.commit(request, upcoming[: min(n, request.room)])

    @precondition(lambda self: self.rig.running)
    @rule(which=choices, reply=replies)
    def decode(self, which: int, reply: Tokens) -> None:
        """Finishes the prompt, if that is still to do, and replies token by token."""
        request = self.running(which)
        if self.prefill(request):
            self.reply(request, reply)

    @precondition(lambda self: 0 < len(self.rig.running) < MAX_RUNNING)
    @rule(which=choices)
    def fork(self, which: int) -> None:
        self.split_off(self.running(which))

    @precondition(lambda self: self.rig.running)
    @rule(which=choices, keep=st.booleans(), uncached=st.lists(st.integers(1, 2), max_size=2).map(tuple))
    def finish(self, which: int, keep: bool, uncached: Tokens) -> None:
        self.end(self.running(which), keep, uncached)

    @precondition(lambda self: self.rig.running)
    @rule(which=choices)
    def retract(self, which: int) -> None:
        """A request gives its room to others and begins again with all it has."""
        request = self.running(which)
        self.end(request, keep=True, uncached=())
        self.start(request.tokens or (1,), request.lease.namespace, 0)

    @precondition(lambda self: len(self.rig.running) < MAX_RUNNING)
    @rule(recipe=recipes, namespace=namespaces, reply=replies)
    def whole_request(self, recipe: Recipe, namespace: str, reply: Tokens) -> None:
        request = self.start(self.prompt(recipe), namespace, 0)
        if self.prefill(request) and self.reply(request, reply):
            self.end(request, keep=True, uncached=(1,))
        else:
            self.end(request, keep=False, uncached=())

    @precondition(lambda self: 0 < len(self.rig.running) < MAX_RUNNING)
    @rule(which=choices, one=replies, two=replies)
    def samples(self, which: int, one: Tokens, two: Tokens) -> None:
        """Two replies to one prompt, in turn; both end."""
        request = self.running(which)
        if self.prefill(request):
            other = self.split_off(request)
            for running, reply in ((request, one), (other, two)):
                self.reply(running, reply)
                self.end(running, keep=True, uncached=())

    @precondition(lambda self: len(self.rig.running) < MAX_RUNNING)
    @rule(recipe=recipes, namespace=namespaces)
    def admission(self, recipe: Recipe, namespace: str) -> None:
        """A preview promises what begin, extend and commit then do."""
        prompt = self.prompt(recipe)
        peek = self.peek(prompt, namespace)
        graves = len(self.cache.snapshot().tombstones)
        request = self.start(prompt, namespace, 0)
        assert request.lease.computed == peek.reused
        assert self.make_room(request, len(prompt) - len(request.lease)) == peek.fits
        if peek.fits or isinstance(self.cache, LastSequence):
            assert took(peek.evicts) == buried(self.cache.snapshot().tombstones[graves:])
        if peek.fits:
            update = self.commit(request, prompt[request.lease.computed :])
            if not isinstance(self.cache, LastSequence):  # which splits when it begins
                splits = self.split_for_room + list(update.splits)
                assert splits == ([peek.split[0]] if peek.split is not None else [])

    # -- the cache as a whole --------------------------------------------------------------------------------------

    @rule()
    def new_step(self) -> None:
        self.cache.new_step()
        if self.oracle is not None:
            self.oracle.new_step()
        self.check()

    @rule(recipe=recipes, namespace=namespaces)
    def preview(self, recipe: Recipe, namespace: str) -> None:
        self.peek(self.prompt(recipe), namespace)

    @rule(tokens=st.integers(0, 9))
    def evict(self, tokens: int) -> None:
        gone = self.cache.evict(tokens)
        if self.oracle is not None:
            assert took(gone) == self.oracle.evict(tokens)
        self.check()

    @rule(change=st.integers(-8, 8))
    def resize(self, change: int) -> None:
        capacity = max(self.cache.config.page_size, self.cache.capacity + change)
        model = self.oracle
        agree(lambda: self.cache.resize(capacity), None if model is None else lambda: model.resize(capacity))
        self.check()

    @rule(policy=st.sampled_from(sorted(POLICIES)))
    def set_policy(self, policy: str) -> None:
        self.cache.set_policy(policy)
        if self.oracle is not None:
            self.oracle.set_policy(policy)
        self.check()

    @rule()
    def reset(self) -> None:
        if self.rig.running:
            with pytest.raises(RuntimeError):
                self.cache.reset()
        else:
            self.cache.reset()
            if self.oracle is not None:
                self.oracle.reset()
        self.check()

    @rule()
    def keyframe(self) -> None:
        """From here on a second replay starts from a snapshot instead of from nothing."""
        snapshot = self.cache.snapshot()
        self.kept.append((snapshot, plain(snapshot)))
        self.replicas[1:] = [thawed(self.cache.config, snapshot)]

    def teardown(self) -> None:
        """No snapshot changed after it was taken."""
        for snapshot, then in self.kept:
            assert plain(snapshot) == then

    # -- steps of a request ----------------------------------------------------------------------------------------

    def start(self, prompt: Tokens, namespace: str, priority: int) -> Request:
        request = self.rig.begin(prompt, namespace, priority)
        self.history.append(prompt)
        if self.oracle is not None:
            claim, outcome = self.oracle.begin(prompt, namespace, priority)
            assert request.lease.computed == outcome.computed
            self.claims[id(request)] = claim
        self.check()
        return request

    def split_off(self, request: Request) -> Request:
        other = self.rig.fork(request)
        if self.oracle is not None:
            self.claims[id(other)] = self.oracle.fork(self.claims[id(request)])
        self.check()
        return other

    def make_room(self, request: Request, n: int) -> bool:
        model = self.oracle
        claim = self.claims.get(id(request))
        update, outcome = agree(
            lambda: self.rig.extend(request, n),
            None if model is None or claim is None else lambda: model.extend(claim, n),
        )
        if update is not None and outcome is not None:
            assert took(update.evicted) == outcome.evicted
            assert list(update.splits) == outcome.splits
        self.check()
        self.split_for_room = [] if update is None else list(update.splits)
        return update is not None

    def commit(self, request: Request, tokens: Tokens) -> Update:
        update = self.rig.commit(request, tokens)
        if self.oracle is not None:
            outcome = self.oracle.commit(self.claims[id(request)], tokens)
            assert list(update.splits) == outcome.splits
            assert remapped(update) == list(outcome.remapped)
        self.check()
        return update

    def prefill(self, request: Request) -> bool:
        missing = max(0, len(request.prompt) - len(request.lease))
        if not self.make_room(request, missing):
            return False
        self.commit(request, request.prompt[len(request.tokens) :])
        return True

    def reply(self, request: Request, tokens: Tokens) -> bool:
        for token in tokens:
            if not request.room and not self.make_room(request, 1):
                return False
            self.commit(request, (token,))
        self.history.append(request.tokens)
        return True

    def end(self, request: Request, keep: bool, uncached: Tokens) -> None:
        self.rig.finish(request, keep, uncached)
        if self.oracle is not None:
            self.oracle.finish(self.claims.pop(id(request)), keep, uncached)
        self.check()

    def peek(self, prompt: Tokens, namespace: str) -> Peek:
        before = plain(self.cache.snapshot())
        peek = self.cache.peek(prompt, namespace)
        assert plain(self.cache.snapshot()) == before
        assert not self.cache.take_events()
        if self.oracle is not None:
            outcome = self.oracle.trial(prompt, namespace)
            assert (peek.matched, peek.reused) == (outcome.matched, outcome.computed)
            assert (peek.split, peek.inside) == (outcome.split_at, outcome.inside)
            assert peek.fits == outcome.fits
            assert not peek.fits or took(peek.evicts) == outcome.evicted
        return peek

    # -- what must hold after every operation ----------------------------------------------------------------------

    def check(self) -> None:
        snapshot = self.rig.check()
        self.check_slots_stay(snapshot)
        self.check_replay(snapshot)
        if self.oracle is not None:
            assert_equals_oracle(snapshot, self.oracle)

    def check_slots_stay(self, snapshot: Snapshot) -> None:
        pages = pages_of(snapshot)
        for prefix in pages.keys() & self.pages.keys():
            assert pages[prefix] == self.pages[prefix], f"{prefix} was moved"
        self.pages = pages

    def check_replay(self, snapshot: Snapshot) -> None:
        events = self.cache.take_events()
        for replica in self.replicas:
            for event in events:
                replica.apply(event)
            assert replica.freeze() == snapshot

    # -- help ------------------------------------------------------------------------------------------------------

    def running(self, which: int) -> Request:
        return self.rig.running[which % len(self.rig.running)]

    def prompt(self, recipe: Recipe) -> Tokens:
        which, length, extra = recipe
        page = self.cache.config.page_size
        blocks = [(1,), (2,), (1,) * page, (2,) * page, (1,) * (page - 1) + (2,)]
        tokens = self.history[-1 - which % len(self.history)][:length]
        for block in extra:
            tokens += blocks[block]
        return tokens or (1,)


class TreeMachine(CacheMachine):
    """Calls the tree's own verbs as well."""

    @rule(recipe=recipes, namespace=namespaces)
    def match(self, recipe: Recipe, namespace: str) -> None:
        key = self.prompt(recipe)
        matched, slots = self.cache.match(key, namespace)
        assert len(slots) == matched
        for position, slot in enumerate(slots.tolist()):
            assert self.rig.pool[slot] == (namespace, key[: position + 1])
        if self.oracle is not None:
            assert matched == self.oracle.match(key, namespace)
        self.check()

    @rule(recipe=recipes, namespace=namespaces, priority=st.integers(0, 2))
    def insert(self, recipe: Recipe, namespace: str, priority: int) -> None:
        key, model = self.prompt(recipe), self.oracle
        real, expected = agree(
            lambda: self.cache.insert(key, namespace, priority),
            None if model is None else lambda: model.insert(key, namespace, priority),
        )
        if real is not None and expected is not None:
            assert real[0] == expected
        self.check_filled()

    @precondition(lambda self: self.nodes())
    @rule(which=choices, pages=st.integers(0, 2), token=st.integers(1, 2))
    def grow(self, which: int, pages: int, token: int) -> None:
        node, tokens, model = self.node(which), (token,) * (pages * self.cache.config.page_size), self.oracle
        assert model is not None
        if not model.can_grow(node, tokens):
            with pytest.raises(ValueError):
                self.cache.grow(node, tokens)
        else:
            agree(lambda: self.cache.grow(node, tokens), lambda: model.grow(node, tokens))
        self.check_filled()

    @precondition(lambda self: self.nodes())
    @rule(which=choices, at=st.integers(1, 6))
    def split(self, which: int, at: int) -> None:
        view = self.nodes()[which % len(self.nodes())]
        if 0 < at < view.size and at % self.cache.config.page_size == 0:
            assert self.oracle is not None
            assert self.cache.split(view.id, at) == self.oracle.split(view.id, at)
        else:
            with pytest.raises(ValueError):
                self.cache.split(view.id, at)
        self.check()

    @precondition(lambda self: self.nodes())
    @rule(which=choices)
    def pin(self, which: int) -> None:
        assert self.oracle is not None
        node = self.node(which)
        self.cache.lock(node)
        self.oracle.pins.append(node)
        self.check()

    @precondition(lambda self: self.oracle.pins)
    @rule(which=choices)
    def unpin(self, which: int) -> None:
        assert self.oracle is not None
        self.cache.unlock(self.oracle.pins.pop(which % len(self.oracle.pins)))
        assert self.cache.pins == Counter(self.oracle.pins)
        self.check()

    @precondition(lambda self: self.nodes())
    @rule(which=choices)
    def evict_node(self, which: int) -> None:
        assert self.oracle is not None
        node = self.node(which)
        if self.oracle.can_go(node):
            assert took([self.cache.evict_node(node)]) == [self.oracle.evict_node(node)]
        else:
            with pytest.raises(ValueError):
                self.cache.evict_node(node)
        self.check()

    def check_filled(self) -> None:
        """The pool learns what the tree took in without a request."""
        for (namespace, tokens), slots in pages_of(self.cache.snapshot()).items():
            if (namespace, tokens) not in self.pages:
                for end, slot in enumerate(slots, start=len(tokens) - len(slots) + 1):
                    self.rig.pool[slot] = namespace, tokens[:end]
        self.check()

    def nodes(self) -> list[NodeView]:
        return list(self.cache.snapshot().nodes())

    def node(self, which: int) -> int:
        return self.nodes()[which % len(self.nodes())].id


# -- comparing ---------------------------------------------------------------------------------------------------------


Real = TypeVar("Real")
Expected = TypeVar("Expected")


def agree(real: Callable[[], Real], expected: Callable[[], Expected] | None) -> tuple[Real | None, Expected | None]:
    """Calls both; either both have room, and the results come back, or neither has."""
    try:
        result = real()
    except NoRoom as refused:
        if expected is not None:
            with pytest.raises(NoRoom) as also:
                expected()
            assert (refused.needed, refused.available) == (also.value.needed, also.value.available)
        return None, None
    return result, None if expected is None else expected()


def took(gone: Iterable[Gone]) -> list[Took]:
    return [Took(node, tokens) for node, tokens in gone]


def buried(tombstones: Iterable[Tombstone]) -> list[Took]:
    return [Took(grave.node, count(grave.key)) for grave in tombstones]


def remapped(update: Update) -> list[int]:
    return [position for start, slots in update.remaps for position in range(start, start + slots.size)]


def assert_equals_oracle(snapshot: Snapshot, oracle: Oracle) -> None:
    assert (snapshot.step, snapshot.tick, snapshot.capacity) == (oracle.step, oracle.tick, oracle.capacity)
    assert snapshot.policy == oracle.config.policy
    assert snapshot.resident == oracle.resident
    assert snapshot.protected == oracle.protected
    assert snapshot.in_flight == oracle.in_flight
    assert snapshot.free == oracle.free
    assert {root.namespace: root.node.id for root in snapshot.roots} == oracle.roots
    victim = oracle.victim()
    assert snapshot.next_victim == (None if victim is None else oracle.pieces[victim].id)
    tombstones = [(grave.node, grave.parent, tuple(as_array(grave.key)), grave.why) for grave in snapshot.tombstones]
    assert tombstones == [tuple(grave) for grave in oracle.graves]
    nodes = nodes_by_prefix(snapshot)
    assert nodes.keys() == oracle.pieces.keys()
    for prefix, view in nodes.items():
        assert_equals_piece(snapshot, view, oracle, prefix)


def assert_equals_piece(snapshot: Snapshot, view: NodeView, oracle: Oracle, prefix: Prefix) -> None:
    piece = oracle.pieces[prefix]
    assert (view.id, view.size, view.rank) == (piece.id, len(prefix.tokens) - piece.start, piece.rank)
    assert view.locks == oracle.locks(prefix)
    assert (view.last, view.created, view.hits) == (piece.last, piece.created, piece.hits)
    assert view.priority == piece.priority
    assert tuple(as_array(view.uncached)) == piece.uncached
    assert snapshot.state(view) is oracle.state(prefix)
    walked = view.part_to if view.part_in == snapshot.step else 0
    assert (view.size if view.used_in == snapshot.step else walked) == oracle.walked_tokens(prefix)
    assert [child.rank for child in view.children] == sorted(child.rank for child in view.children)


def nodes_by_prefix(snapshot: Snapshot) -> dict[Prefix, NodeView]:
    found: dict[Prefix, NodeView] = {}
    for root in snapshot.roots:
        pairs: list[tuple[Tokens, NodeView]] = [((), child) for child in root.node.children]
        while pairs:
            above, view = pairs.pop()
            tokens = above + tuple(view.tokens.tolist())
            found[Prefix(root.namespace, tokens)] = view
            pairs.extend((tokens, child) for child in view.children)
    return found


def plain(snapshot: Snapshot) -> Plain:
    """A copy of everything in a snapshot that shares nothing with it."""
    totals = (
        snapshot.step, snapshot.tick, snapshot.capacity, snapshot.in_flight, snapshot.resident, snapshot.protected,
        snapshot.next_victim, tuple(snapshot.tombstones), tuple(root.namespace for root in snapshot.roots),
    )  # fmt: skip
    return (*totals, tuple(view.facts() for view in snapshot.nodes()))


# -- the machines at work ----------------------------------------------------------------------------------------------

CONFIGS = [
    CacheConfig(14),
    CacheConfig(14, split_recency="prefix"),
    CacheConfig(14, unit="page", split_recency="prefix", tie="deepest"),
    CacheConfig(14, policy="lfu", tie="deepest"),
    CacheConfig(12, policy="mru", unit="page"),
    CacheConfig(16, policy="priority", split_recency="prefix"),
    CacheConfig(20, page_size=2),
    CacheConfig(20, page_size=2, unit="page", policy="fifo"),
    CacheConfig(20, page_size=2, split_recency="prefix", policy="slru", tie="deepest"),
    CacheConfig(36, page_size=4),
    CacheConfig(36, page_size=4, unit="page", split_recency="prefix", policy="filo"),
]


def named(config: CacheConfig) -> str:
    return f"{config.policy}-page{config.page_size}-{config.split_recency}-{config.unit}-{config.tie}"


def cache_of(config: CacheConfig, kind: type[RadixCache] = RadixCache) -> RadixCache:
    return kind(
        config.capacity,
        page_size=config.page_size,
        policy=config.policy,
        tie=config.tie,
        split_recency=config.split_recency,
        unit=config.unit,
    )


def drive(machine: Callable[[], CacheMachine], examples: int, steps: int = 30) -> None:
    run_state_machine_as_test(
        machine,  # type: ignore[arg-type]  # whatever makes a machine will do
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_cache_equals_the_oracle(config: CacheConfig) -> None:
    """Whatever an engine asks, the cache does what the naive model does."""
    drive(lambda: CacheMachine(cache_of(config), Oracle(config)), examples=120)


@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_tree_verbs_equal_the_oracle(config: CacheConfig) -> None:
    """Pins, splits and evictions by hand, between and during requests, change nothing about that."""
    drive(lambda: TreeMachine(cache_of(config), Oracle(config)), examples=60)


@pytest.mark.parametrize("kind", [LastSequence, NoCache])
@pytest.mark.parametrize("config", [CONFIGS[0], CONFIGS[6]], ids=named)
def test_baselines_keep_every_invariant(kind: type[RadixCache], config: CacheConfig) -> None:
    """The baselines answer with the right slots, account for all memory and replay as well."""
    drive(lambda: CacheMachine(cache_of(config, kind)), examples=60)


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_cache_equals_the_oracle_for_long(config: CacheConfig) -> None:
    """The same, longer and over more sequences."""
    drive(lambda: TreeMachine(cache_of(config), Oracle(config)), examples=400, steps=80)
