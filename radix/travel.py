"""Travelling through time: from moment to moment of a recording that may still grow, and what happened between two.

`Travel` keeps an index of the events and reads on from where it stopped whenever it is asked, so that no answer costs
more than the events that came since the last. `diff` is told from the events, not from the two snapshots: only they
know a node that came and went, one that was evicted and added again (its slots may be the same), and the order of
several splits. Knows no text, no colours and no keys; it reads as the one reader of `radix.recording`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from . import events as ev
from .block_state import BlockState
from .errors import TwoLines
from .keys import count
from .recording import Recording
from .snapshots import NodeView, Snapshot


class NoStep(TwoLines, LookupError):
    """A step that a recording does not have."""


class Travel:
    """Ways through a recording that may be growing. Positions are those of `Recording`.

    Every way is clamped: nothing leads before 0 or past the end.

    Args:
        recording: Read by this thread alone.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._read = 0  # events in the index
        self._stops = [0]  # positions after loud events
        self._starts: list[int] = []  # positions before the events that open steps
        self._numbers: list[int] = []  # of these steps
        self._step_index: dict[int, int] = {}  # where in both lists a step stands
        self._after: dict[type, list[int]] = {}  # positions after the events of each type

    @property
    def end(self) -> int:
        """The last position there is now."""
        self._read_on()
        return self._read

    @property
    def stop_count(self) -> int:
        """How many stops there are now: the beginning, and one after each loud event."""
        self._read_on()
        return len(self._stops)

    def stop_at(self, index: int) -> int:
        """Returns the position of a stop, by its number from 0 (the beginning) to `stop_count` - 1."""
        return self._stops[index]

    def stop_index(self, position: int) -> int:
        """Returns the number of the last stop at or before a position."""
        self._read_on()
        return max(0, bisect_right(self._stops, position) - 1)

    def stop(self, position: int, by: int) -> int:
        """Returns the position `by` loud events further (negative: back); the end counts as a stop."""
        self._read_on()
        return self._moved(self._stops, position, by)

    def step(self, position: int, by: int) -> int:
        """Returns the end of a step, `by` steps further (negative: back).

        Events before the first step are a stretch of their own. From inside a step, one step forward is its own end.
        """
        self._read_on()
        return self._moved(self._starts, position, by)

    def next_of(self, position: int, kinds: tuple[type, ...], by: int = 1) -> int | None:
        """Returns the position after the `by`-th event of some kinds after (negative: before) a position, or None."""
        self._read_on()
        lists = [self._after[kind] for kind in kinds if kind in self._after]
        for _ in range(abs(by)):
            found = [at for places in lists for at in _beside(places, position, by)]
            if not found:
                return None
            position = min(found) if by > 0 else max(found)
        return position

    def end_of(self, number: int) -> int:
        """Returns the position after the last event of a step; 0 leads before the first step.

        Raises:
            NoStep: there is no step of that number.
        """
        self._read_on()
        if number == 0 and 0 not in self._step_index:
            return self._starts[0] if self._starts else self._read
        if number not in self._step_index:
            raise NoStep(f"there is no step {number}", self._range())
        index = self._step_index[number] + 1
        return self._starts[index] if index < len(self._starts) else self._read

    def step_at(self, position: int) -> int:
        """Returns the number of the step that the snapshot at a position shows; 0 before the first."""
        self._read_on()
        index = bisect_left(self._starts, position)
        return self._numbers[index - 1] if index else 0

    def steps(self, start: int = 0) -> Iterator[tuple[int, int]]:
        """Yields number and start of each step that begins at position `start` or later; stop whenever you like."""
        self._read_on()
        for index in range(bisect_left(self._starts, start), len(self._starts)):
            yield self._numbers[index], self._starts[index]

    def _range(self) -> str:
        if not self._numbers:
            return "The recording has no steps yet."
        first, last = min(self._numbers), max(self._numbers)
        return f"Its only step is {last}." if first == last else f"It has the steps {first:,} to {last:,}."

    def _moved(self, places: list[int], position: int, by: int) -> int:
        position = max(0, min(position, self._read))
        if by > 0:
            index = bisect_right(places, position) + by - 1
            return places[index] if index < len(places) else self._read
        if by < 0:
            index = bisect_left(places, position) + by
            return places[index] if index >= 0 else 0
        return position

    def _read_on(self) -> None:
        events = self._recording.events
        for index in range(self._read, len(events)):
            event = events[index]
            kind = type(event)
            if kind not in ev.QUIET:
                self._stops.append(index + 1)
            if isinstance(event, ev.StepOpened):
                self._step_index.setdefault(event.step, len(self._starts))
                self._starts.append(index)
                self._numbers.append(event.step)
            self._after.setdefault(kind, []).append(index + 1)
            self._read = index + 1


def _beside(places: list[int], position: int, by: int) -> list[int]:
    """Returns the place next to a position, in a list of none or one."""
    if by > 0:
        index = bisect_right(places, position)
        return places[index : index + 1]
    index = bisect_left(places, position)
    return places[max(index - 1, 0) : index]


class Cut(NamedTuple):
    """A split."""

    node: int  # the tail, which kept its id
    head: int  # the new node above it
    at: int  # tokens of the head


class Loss(NamedTuple):
    """A node, or the end of one, that went."""

    node: int
    tokens: int  # given back
    had: int  # of them, tokens that stood in the tree at the first moment; the others came and went
    why: str  # as in `Evicted`; "cleared" when everything was forgotten
    whole: bool  # False: only the end of the node went


@dataclass(frozen=True, slots=True)
class Diff:
    """What happened between two moments of a recording.

    The tokens add up: those of `added` and `grown`, less those that the losses `had`, are what `resident` changed by.
    """

    start: int  # position of the first moment
    end: int  # position of the second
    before: Snapshot
    after: Snapshot
    added: dict[int, int]  # nodes of new tokens only, and how many; heads and tails of new nodes count
    grown: dict[int, int]  # other nodes that hold new tokens, and how many
    touched: dict[int, int]  # nodes that were there and were walked, and how many of their tokens
    split: tuple[Cut, ...]  # every split, in order
    lost: tuple[Loss, ...]  # everything that went, in order

    @property
    def evicted(self) -> dict[int, int]:
        """Nodes with tokens of the first moment that went as a whole, and how many of these tokens."""
        return {loss.node: loss.had for loss in self.lost if loss.whole and loss.had}

    @property
    def free(self) -> int:
        """By how much the free tokens changed."""
        return self.after.free - self.before.free

    @property
    def resident(self) -> int:
        """By how much the resident tokens changed."""
        return self.after.resident - self.before.resident

    def __bool__(self) -> bool:
        """Whether anything can be told."""
        return bool(
            self.added or self.grown or self.touched or self.split or self.lost or self.free
        ) or self.before.capacity != self.after.capacity  # fmt: skip


def diff(recording: Recording, start: int, end: int) -> Diff:
    """Tells what happened between two positions, whichever comes first.

    Costs the nodes of the first moment and the events between.

    Raises:
        RecordingError: an event that does not fit the tree it finds.
    """
    last = len(recording.events)
    start, end = sorted(max(0, min(position, last)) for position in (start, end))
    before, after = recording.at(start), recording.at(end)  # the second also makes sure that all events fit
    if recording.header.config.preset:
        return _diff_of_blocks(recording, start, end)
    account = _Account(before)
    for event in recording.events[start:end]:
        account.take(event)
    return account.close(start, end, after)


def _diff_of_blocks(recording: Recording, start: int, end: int) -> Diff:
    """Tells the same of hash blocks: nodes come and go whole, and are never split."""
    before, after = recording.at(start), recording.at(end)
    state = BlockState.thaw(recording.header.config, before)
    state.changes = []
    size = before.page_size
    known = {node.id for node in before.nodes()}
    added: dict[int, int] = {}
    touched: dict[int, int] = {}
    lost: list[Loss] = []
    for event in recording.events[start:end]:
        state.apply(event)
        for node, why in state.changes:
            if why:
                lost.append(Loss(node, size, size if node in known else 0, why, whole=True))
                added.pop(node, None)
                touched.pop(node, None)
            else:
                added[node] = size
        state.changes.clear()
        found = event.blocks if isinstance(event, ev.BlocksHit) else ()
        found = (event.new,) if isinstance(event, ev.BlockReplaced) else found
        for block in (state.nodes[number] for number in found):
            if block.inside and block.node not in added:
                touched[block.node] = size
    return Diff(
        start=start,
        end=end,
        before=before,
        after=after,
        added=added,
        grown={},
        touched=touched,
        split=(),
        lost=tuple(lost),
    )


class _Part:
    """A node while the events between two moments pass: `old` tokens, then `new` ones."""

    __slots__ = ("new", "old", "parent", "walked")

    def __init__(self, parent: int | None, old: int, new: int = 0, walked: int = 0) -> None:
        self.parent = parent
        self.old = old
        self.new = new
        self.walked = walked

    @property
    def size(self) -> int:
        return self.old + self.new


class _Account:
    """Keeps the tokens of every node apart: those of the first moment and those that came after it."""

    def __init__(self, before: Snapshot) -> None:
        self._before = before
        self._parts = dict(_parts(before))
        self._known = frozenset(self._parts)
        self._cuts: list[Cut] = []
        self._lost: list[Loss] = []

    def take(self, event: ev.Event) -> None:
        """Books one event; those that move no tokens change nothing."""
        parts = self._parts
        match event:
            case ev.NamespaceOpened(node):
                parts[node] = _Part(None, 0)
            case ev.Matched(node, at, above):
                self._walk(node, at, above)
            case ev.Split(node, head, at):
                self._split(parts[node], node, head, at)
            case ev.Inserted(node, parent, key):
                parts[node] = _Part(parent, 0, count(key))
            case ev.Grown(node, key):
                parts[node].new += count(key)
            case ev.Evicted(node, _, why):
                self._lose(node, parts[node].size, why)
            case ev.Trimmed(node, tokens, why):
                self._lose(node, tokens, why, whole=False)
            case ev.Cleared():
                for node in [node for node, part in parts.items() if part.parent is not None]:
                    self._lose(node, parts[node].size, "cleared")

    def _walk(self, node: int, at: int, above: int) -> None:
        covered: int | None = at  # of the last node; those above it were walked whole
        while node != above:
            part = self._parts[node]
            part.walked = max(part.walked, part.size if covered is None else covered)
            covered = None
            assert part.parent is not None
            node = part.parent

    def _split(self, tail: _Part, node: int, head: int, at: int) -> None:
        old = min(at, tail.old)
        self._parts[head] = _Part(tail.parent, old, at - old, min(at, tail.walked))
        tail.parent = head
        tail.old -= old
        tail.new -= at - old
        tail.walked = max(0, tail.walked - at)
        self._cuts.append(Cut(node, head, at))

    def _lose(self, node: int, tokens: int, why: str, *, whole: bool = True) -> None:
        part = self._parts[node]
        had = max(0, tokens - part.new)  # the new tokens stand at the end
        part.old -= had
        part.new -= tokens - had
        part.walked = min(part.walked, part.size)
        self._lost.append(Loss(node, tokens, had, why, whole))
        if whole:
            del self._parts[node]

    def close(self, start: int, end: int, after: Snapshot) -> Diff:
        """Returns the sums."""
        parts = self._parts
        added = {node: part.new for node, part in parts.items() if self._is_added(node, part)}
        return Diff(
            start=start,
            end=end,
            before=self._before,
            after=after,
            added=added,
            grown={node: part.new for node, part in parts.items() if part.new and node not in added},
            touched={node: part.walked for node, part in parts.items() if part.walked and node not in added},
            split=tuple(self._cuts),
            lost=tuple(self._lost),
        )

    def _is_added(self, node: int, part: _Part) -> bool:
        return node not in self._known and not part.old and part.new > 0


def _parts(snapshot: Snapshot) -> Iterable[tuple[int, _Part]]:
    """Yields every node, the hidden roots first of their trees."""
    for root in snapshot.roots:
        yield root.node.id, _Part(None, 0)
        stack: list[NodeView] = [root.node]
        while stack:
            above = stack.pop()
            for node in above.children:
                yield node.id, _Part(above.id, node.size)
                if node.children:
                    stack.append(node)
