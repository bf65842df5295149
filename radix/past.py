"""The past of a recording: what every request asked and found, and what was ever resident.

    past = Past(recording)
    past.read_on()            costs the events that came since the last call; the recording may be growing

A prompt's tokens are in no event of their own: they are put together from what the request found and what it committed
until it ended. Knows trees and hash blocks alike; explains nothing (`radix.why` does). It reads as the one reader of
`radix.recording`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from . import events as ev
from .block_state import BlockState
from .ever import Ever, Life, Run, path
from .keys import Key, count, cut
from .recording import Recording, RecordingError
from .state import ROOT


class Asker(NamedTuple):
    """A request, by its number and the name of its conversation."""

    request: int
    conversation: str


class Removal(NamedTuple):
    """Why some tokens went."""

    moment: int
    step: int
    why: str  # as in `Evicted` and `BlocksEvicted`; "cleared" when everything was forgotten; of a block that stayed:
    # "written over" (by the next request that had it), "rehashed" (it has another hash now)
    order: int  # 0 for the first of its eviction
    age: int  # ticks since the last use
    asked: int  # tokens of room wanted
    trimmed: bool = False  # only the end of a leaf went
    askers: tuple[Asker, ...] = ()  # who wanted it; several where the events cannot tell which; nobody: no request


@dataclass(slots=True)
class Asked:
    """A request, as far as the events tell of it."""

    request: int
    conversation: str
    prompt: int  # tokens
    matched: int
    reused: int
    rewritten: tuple[int, int]  # (start, end) of what a chat template says anew
    step: int
    moment: int  # of its lookup
    namespace: str = ""
    lease: int = -1  # -1: a sample, that went on from the prompt of another
    node: int | None = None  # where its match ended, of hash blocks the number of the block; None: nothing was found
    found: dict[int, int] = field(default_factory=dict)  # tokens with K/V in the hash blocks found, by their place
    holds: int = -1  # the lease that it has now; -1: it waits, or the events do not tell which
    waits: bool = False  # it was retracted, and has not begun again
    ended: ev.RequestFinished | None = None
    ending: int = 0  # moment
    place: tuple[Run, int, Key] | None = None  # where its tokens lie, and those behind that were never resident

    @property
    def asker(self) -> Asker:
        """Its number and conversation."""
        return Asker(self.request, self.conversation)

    @property
    def key(self) -> Key:
        """The tokens that are known of it, prompt first; b"" before it ended."""
        return path(self.place[0], self.place[1]) + self.place[2] if self.place is not None else b""


class Past:
    """Reads a recording from where it stopped.

    Args:
        recording: Read by this thread alone.

    Attributes:
        ever: What was ever resident.
        requests: By number, in the order of their beginning.
        steps: The requests of each step.
        removals: What went, in order; lives name them by their place.
        starts: The moment at which a lease began.
        depths: Tokens that are known to be a lease's, where its last node may hold more.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.ever = Ever()
        self.requests: dict[int, Asked] = {}
        self.steps: dict[int, list[Asked]] = {}
        self.removals: list[Removal] = []
        self.starts: dict[int, int] = {}
        self.depths: dict[int, int] = {}
        self._talks: dict[str, list[Asked]] = {}  # by the name of the conversation
        self._read = 0
        self._step = 0
        self._moment = 0
        self._begun: Asked | None = None  # its lookup comes next
        self._entering: Asked | None = None  # it looked up, and its room is made
        self._running: dict[int, Asked] = {}
        self._closed: tuple[str, Key, Key] | None = None  # the lease that ended just now: tokens, and those behind
        config = recording.header.config
        self._page = config.page_size
        self._exact = bool(config.preset)  # a block table ends where its request does, and a node may not
        self._loose: list[int] = []  # leases of those that began again, the events do not tell which
        self._pool: _Tree | _Pool = _Pool(self) if config.preset else _Tree(self)

    def read_on(self) -> None:
        """Takes the events that came since the last call.

        Raises:
            RecordingError: an event that does not fit those before it.
        """
        events = self.recording.events
        for index in range(self._read, len(events)):
            event = events[index]
            try:
                self._take(event)
            except (KeyError, AssertionError, AttributeError, IndexError, ValueError) as error:
                raise RecordingError(
                    f"event {index} ({type(event).__name__}) does not fit those before it: {error}",
                    "The recording is damaged; record again.",
                ) from error
            self._read = index + 1

    def before(self, asked: Asked) -> Asked | None:
        """Returns the request before, of the same conversation; None where conversations have no names."""
        talk = self._talks[asked.conversation] if asked.conversation else [asked]
        earlier = [each for each in talk if each.moment < asked.moment and each.ended is not None]
        return earlier[-1] if earlier else None

    def _take(self, event: ev.Event) -> None:
        match event:
            case ev.StepOpened(step):
                self._step = step
                self.steps[step] = []
            case ev.RequestStarted(request, conversation, prompt, matched, reused, rewritten):
                self._moment += 1
                start, end = rewritten or (0, 0)
                asked = Asked(request, conversation, prompt, matched, reused, (start, end), self._step, self._moment)
                self.requests[request] = self._running[request] = self._begun = asked
                self._entering = None
                self._talks.setdefault(conversation, []).append(asked)
                self.steps.setdefault(self._step, []).append(asked)
            case ev.RequestRetracted(request):
                asked = self.requests[request]
                self._locate(asked)
                asked.holds, asked.waits = -1, True
            case ev.RequestFinished(request):
                self._finish(event, self._running.pop(request, self.requests.get(request)))
            case _:
                self._enter(event)
                self._pool.take(event)
        if type(event) not in _AFTER:
            self._closed = None

    def _enter(self, event: ev.Event) -> None:
        """Keeps account of whose room is made: of a request that begins, until it has its room."""
        if self._begun is not None and not isinstance(event, ev.NamespaceOpened):
            if isinstance(event, ev.Matched | ev.TableOpened):
                self._entering = self._begun
            self._begun = None
        elif type(event) not in _BEGINNING:
            self._entering = None

    def begin(self, lease: int, namespace: str, node: int | None = None) -> Asked | None:
        """A lease begins; returns the request that is known to have it."""
        asked = self._entering if self._entering is not None and self._entering.lease < 0 else None
        if asked is None:
            self._moment += 1
            self._begin_again(lease)
        else:
            asked.lease = asked.holds = lease
            asked.namespace, asked.node = namespace, node or None
        self.starts[lease] = self._moment
        return asked

    def _begin_again(self, lease: int) -> None:
        """One that was retracted begins again; where several wait, the events do not tell which."""
        self._entering = None
        waiting = [each for each in self._running.values() if each.waits]
        if len(waiting) == 1:
            waiting[0].holds, waiting[0].waits = lease, False
        else:
            self._loose.append(lease)

    def entered(self) -> None:
        """A request has found what it finds, and its room is made."""
        self._entering = None

    def close(self, namespace: str, key: Key, tail: Key = b"") -> None:
        """A lease ends; which request's it is, the next events say."""
        self._closed = (namespace, key, tail)

    def _depth(self, asked: Asked) -> int:
        """Returns how many tokens of the path that a request held are surely its own; all behind may be another's.

        Whoever generated something has K/V of all but its last token, in whole pages.
        """
        done = asked.prompt + asked.ended.generated - 1 if asked.ended is not None and asked.ended.generated else 0
        return max(self._surely(asked), done - done % self._page)

    def _surely(self, asked: Asked) -> int:
        """Returns the same, from what its lease is known to have."""
        if asked.holds >= 0:
            return self.depths[asked.holds]
        if asked.lease < 0 and not asked.waits:
            return asked.reused  # a sample
        return min((self.depths[lease] for lease in self._loose), default=0)

    def life(self, lease: int) -> Life:
        """Returns a life that begins now."""
        return Life(self._moment, lease)

    def remove(self, why: str, order: int = 0, age: int = 0, asked: int = 0, trimmed: bool = False) -> int:
        """Notes why something goes now; returns the number of the removal."""
        askers: tuple[Asker, ...] = ()
        if why not in _NOBODY:
            one = self._entering
            askers = (one.asker,) if one is not None else tuple(each.asker for each in self._running.values())
        self.removals.append(Removal(self._moment, self._step, why, order, age, asked, trimmed, askers))
        return len(self.removals) - 1

    def _finish(self, event: ev.RequestFinished, asked: Asked | None) -> None:
        if asked is not None:
            asked.ended, asked.ending = event, self._moment
            self._locate(asked)

    def _locate(self, asked: Asked) -> None:
        """Notes where the tokens of a request lie, whose lease ended just now."""
        if self._closed is None:
            return
        (namespace, key, tail), self._closed = self._closed, None
        if not tail and not self._exact:
            key = cut(key, 0, self._depth(asked))
        key += tail
        if asked.ended is not None:
            key = cut(key, 0, asked.prompt + asked.ended.generated)
        along = self.ever.along(namespace, key)
        run, at = (along[-1].run, along[-1].end) if along else (self.ever.root(namespace), 0)
        computed = count(key) - bool(tail)  # the last sampled token has no K/V
        if computed - computed % self._page <= at < computed:
            life = self.life(asked.lease)._replace(gone=self.remove(UNFILLED))
            run, at = self.ever.add(run, at, cut(key, at, computed), life), computed
        if asked.place is None or count(key) > asked.place[1] + count(asked.place[2]):
            asked.namespace, asked.place = namespace, (run, at, cut(key, at))


UNFILLED = "unfilled"
"""Why computed tokens that fill no page go with their request; they were never resident."""

_NOBODY = frozenset({
    "asked", "shrunk", "cleared", "discarded", "overwritten", "rehashed", "written over", UNFILLED,
})  # fmt: skip
"""Removals that made no room for a request."""

_AFTER = frozenset({ev.Released, ev.Evicted, ev.BlocksEvicted, ev.Unlocked, ev.TableClosed})
"""What may stand between the end of a lease and that of its request, and what ends it."""

_BEGINNING = frozenset({
    ev.NamespaceOpened, ev.Matched, ev.Split, ev.Locked, ev.Unlocked, ev.Evicted, ev.Trimmed, ev.TableOpened,
    ev.BlocksHit, ev.BlocksEvicted, ev.BlocksTaken, ev.BlocksHashed,
})  # fmt: skip
"""What happens from the lookup of a request until the room for its prompt is made."""


class _Place:
    """Where the tokens of a live node lie."""

    __slots__ = ("end", "lease", "run", "start")

    def __init__(self, run: Run, start: int, end: int, lease: int) -> None:
        self.run = run  # at or below its last token
        self.start = start
        self.end = end
        self.lease = lease  # that made it


class _Tree:
    """A radix tree, as far as its past needs it."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._roots: dict[int, str] = {}
        self._nodes: dict[int, _Place] = {}
        self._sampled: ev.Sampled | None = None  # tokens behind the last node of the lease that is about to end
        self._open_root(ROOT, "")

    def _open_root(self, node: int, namespace: str) -> None:
        self._roots[node] = namespace
        self._nodes[node] = _Place(self._past.ever.root(namespace), 0, 0, -1)

    def take(self, event: ev.Event) -> None:
        """Takes one event."""
        past, ever, nodes = self._past, self._past.ever, self._nodes
        match event:
            case ev.NamespaceOpened(node, namespace):
                self._open_root(node, namespace)
            case ev.Matched(node, _, above, tokens, tick):
                if tick in past.starts:
                    past.entered()
                else:
                    past.begin(tick, self._roots[above], node)
                past.depths[tick] = max(tokens, past.depths.get(tick, 0))
            case ev.Split(node, head, at):
                tail = nodes[node]
                nodes[head] = _Place(tail.run, tail.start, tail.start + at, tail.lease)
                tail.start += at
            case ev.Inserted(node, parent, key, _, tick):
                stem = nodes[parent]
                nodes[node] = _Place(stem.run, stem.end, stem.end, tick)
                self._grow(nodes[node], key)
            case ev.Grown(node, key):
                self._grow(nodes[node], key)
            case ev.Evicted(node, _, why, order, age, asked):
                place = nodes.pop(node)
                ever.lose(place.run, place.start, place.end, past.remove(why, order, age, asked))
            case ev.Trimmed(node, tokens, why, order, age, asked):
                place = nodes[node]
                place.end -= tokens
                ever.lose(place.run, place.end, place.end + tokens, past.remove(why, order, age, asked, True))
            case ev.Cleared():
                ever.clear(past.remove("cleared"))
                self._nodes = {node: nodes[node] for node in self._roots}
            case ev.Sampled():
                self._sampled = event
            case ev.Unlocked(node, above) if above in self._roots:
                self._close(node, self._roots[above])
        if not isinstance(event, ev.Sampled | ev.Released):
            self._sampled = None

    def _grow(self, place: _Place, key: Key) -> None:
        past = self._past
        place.run = past.ever.add(place.run, place.end, key, past.life(place.lease))
        place.end += count(key)
        past.depths[place.lease] = max(place.end, past.depths.get(place.lease, 0))

    def _close(self, node: int, namespace: str) -> None:
        """A lease ends at a node; or above it, where others have split what it holds."""
        sampled = self._sampled
        place = self._nodes[node if sampled is None else sampled.node]
        self._past.close(namespace, path(place.run, place.end), b"" if sampled is None else sampled.key)


class _Pool:
    """Hash blocks, as far as their past needs them."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._state = BlockState(past.recording.header.config)
        self._state.changes = []
        self._blocks: dict[int, tuple[Run, int]] = {}  # node -> a run at or below its last token, and that distance
        self._asked: dict[int, Asked] = {}  # by table
        self._unasked: list[int] = []  # removals whose asker is not known yet

    def take(self, event: ev.Event) -> None:
        """Takes one event."""
        before = _BEFORE.get(type(event))
        if before is not None:
            before(self, event)
        self._state.apply(event)
        if self._state.changes:
            self._change(event)
            self._state.changes.clear()

    def _opened(self, event: ev.TableOpened) -> None:
        asked = self._past.begin(event.table, event.namespace)
        if asked is not None:
            self._asked[event.table] = asked

    def _forked(self, event: ev.TableForked) -> None:
        self._past.starts[event.table] = self._past.starts[event.source]

    def _hit(self, event: ev.BlocksHit) -> None:
        asked = self._asked.get(event.table)
        if asked is None:
            return
        size, first = self._state.size, len(self._state.tables[event.table].blocks)
        for place, number in enumerate(event.blocks, start=first):
            block = self._state.nodes[number]
            asked.found[place] = count(block.key)
            if place * size < asked.matched:
                asked.node = number

    def _taken(self, event: ev.BlocksTaken | ev.BlockCopied) -> None:
        """Now it is known for whom there was made room."""
        asked = self._asked.get(event.table)
        for number in self._unasked if asked is not None else ():
            assert asked is not None
            self._past.removals[number] = self._past.removals[number]._replace(askers=(asked.asker,))
        self._unasked = []

    def _closed(self, event: ev.TableClosed) -> None:
        table = self._state.tables[event.table]
        key = b"".join(block.key for block in table.blocks)
        self._past.close(table.root.namespace, cut(key, 0, table.tokens))
        self._asked.pop(event.table, None)

    def _change(self, event: Any) -> None:
        """Notes which nodes came and went."""
        ever, size = self._past.ever, self._state.size
        ages = dict(zip(event.nodes, event.ages, strict=True)) if isinstance(event, ev.BlocksEvicted) else {}
        asked = event.asked if isinstance(event, ev.BlocksEvicted) else 0
        places: dict[int, int] = {}
        key: Key = b""
        table = self._state.tables[event.table] if isinstance(event, ev.BlocksHashed | ev.BlocksFilled) else None
        if table is not None:
            places = {block.node: place for place, block in enumerate(table.blocks, start=1) if block.node}
            key = b"".join(block.key for block in table.blocks)
        for order, (node, why) in enumerate(self._state.changes or ()):
            if why:
                run, end = self._blocks.pop(node)
                removal = self._past.remove(why, order, ages.get(node, 0), asked)
                ever.lose(run, end - size, end, removal)
                self._unasked += [removal] if asked and self._past.removals[removal].askers else []
            else:
                assert table is not None
                end = places[node] * size
                run, above = self._above(table.root.namespace, cut(key, 0, end - size))
                life = self._past.life(event.table)
                self._blocks[node] = (ever.add(run, above, cut(key, end - size, end), life), end)

    def _above(self, namespace: str, key: Key) -> tuple[Run, int]:
        """Returns where the tokens before a block lie; those that nobody registered were never resident."""
        ever = self._past.ever
        along = ever.along(namespace, key)
        run, at = (along[-1].run, along[-1].end) if along else (ever.root(namespace), 0)
        return (run, at) if at == count(key) else (ever.add(run, at, cut(key, at), Life(NEVER, -1, NEVER)), count(key))


NEVER = 1 << 62
"""The moment that never comes: of tokens that stand in the tree only because others stand below them."""

_BEFORE: dict[type[Any], Callable[[_Pool, Any], None]] = {
    ev.TableOpened: _Pool._opened,
    ev.TableForked: _Pool._forked,
    ev.BlocksHit: _Pool._hit,
    ev.BlocksTaken: _Pool._taken,
    ev.BlockCopied: _Pool._taken,
    ev.TableClosed: _Pool._closed,
}
