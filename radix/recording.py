"""Recordings: a header, every event, and keyframes to start from. What all pictures, replays and tests read.

In a file a recording is JSONL (docs/recording-format.md): the header first, then events with rising sequence numbers,
the text of each token before its first use (as bytes: a split may cut a character), a keyframe whenever the events
since the last one outweigh it, and optional timings. Without the timings, the same conversation gives the same bytes.
Knows no model, no tokenizer and no wall clock: text and times are handed in.

**One thread writes, one thread reads, and nobody waits.** A recording may grow (`Recorder.add`, `flush`, `time`) while
one other thread looks at it (`Recording.at`, `steps`, `stops`, and all that `radix.travel` does), because

- what is written only grows, and nothing in it changes: events, timings and keyframes are appended, tokens get a text;
- each thing is there before the thing that leads to it: a text before the event that needs it, a keyframe's snapshot
  before its position;
- the reader takes a length first and looks at nothing beyond it; of `pieces` it looks up tokens and never walks it;
- `Recorder.snapshot` and the recorder's tree belong to the writer; the tree that `at` steps with, and the snapshots it
  remembers, belong to the reader.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from . import codec
from . import events as ev
from .errors import TwoLines
from .keys import Key, as_array, count
from .snapshots import Snapshot
from .state import CacheConfig
from .states import LiveState, fresh, thawed

SCHEMA = 1
"""Version of the file format; a reader refuses newer ones."""

GROWTH = 16
"""A growing leaf, or block table, is recorded every so many tokens, and when anything else happens."""

BEHIND = 64
"""How many of the last snapshots on the way to a position are remembered: a step back finds them there."""

STRIDE = 256
"""On longer ways, one snapshot in so many events is remembered, so that no step back has far to come."""

REMEMBERED = 256
"""Snapshots a reader remembers; they share what did not change between them."""

Pieces = dict[int, bytes]
"""The text of each token id, as bytes."""


class RecordingError(TwoLines):
    """A file that is no recording, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a recording was made with."""

    config: CacheConfig
    cache: str = "radix"  # radix, hash, last or none
    model: str = ""  # its name, never a path
    tokenizer: str = ""
    bytes_per_token: int = 0  # of K and V over all layers; 0: no model
    program: str = "radixchat"


class Step(NamedTuple):
    """The events of one step: a lesson step, or one request of a chat."""

    number: int
    start: int  # position before its first event
    end: int  # position after its last


@dataclass(slots=True)
class Recording:
    """Everything that happened to a cache, and the way to any moment of it.

    A *position* is a number of events: 0 is before the first, `len(events)` is the end.
    """

    header: Header
    events: list[ev.Event] = field(default_factory=list)
    pieces: Pieces = field(default_factory=dict)
    timings: list[dict[str, Any]] = field(default_factory=list)
    truncated: bool = False  # the file ended in the middle of a line
    _keyframes: list[Snapshot] = field(default_factory=list, repr=False, compare=False)
    _places: list[int] = field(default_factory=list, repr=False, compare=False)  # of the keyframes, rising
    _seen: OrderedDict[int, Snapshot] = field(default_factory=OrderedDict, repr=False, compare=False)  # the reader's
    _cursor: tuple[int, LiveState] | None = field(default=None, repr=False, compare=False)  # the reader's

    def at(self, position: int) -> Snapshot:
        """Returns the snapshot after the first `position` events.

        Stepping forward applies one event each; stepping back mostly finds the snapshot remembered; a jump starts from
        what is nearest before it.

        Raises:
            RecordingError: an event that does not fit the tree it finds.
        """
        position = max(0, min(position, len(self.events)))
        if position not in self._seen:
            self._go(position)
        self._seen.move_to_end(position)
        return self._seen[position]

    def _go(self, position: int) -> None:
        """Applies the events up to a position, and remembers its snapshot and some of those on the way."""
        start, state = self._nearest(position)
        self._cursor = None  # while an event is half applied
        self._remember(start, state)
        for index in range(start, position):
            event = self.events[index]
            try:
                state.apply(event)
            except (KeyError, AssertionError, AttributeError, IndexError, ValueError) as error:
                raise RecordingError(
                    f"event {index} ({type(event).__name__}) does not fit the tree before it: {error}",
                    "The recording is damaged; replay it up to the step before, or record again.",
                ) from error
            if position - index <= BEHIND or (index + 1) % STRIDE == 0:
                self._remember(index + 1, state)
        self._cursor = (position, state)

    def _remember(self, position: int, state: LiveState) -> None:
        if position not in self._seen:
            self._seen[position] = state.freeze()
        self._seen.move_to_end(position)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def _nearest(self, position: int) -> tuple[int, LiveState]:
        """Returns a place at or before a position, and its tree, ready for the events after it."""
        start = max((seen for seen in self._seen if seen <= position), default=0)
        index = bisect_right(self._places, position)
        if index and self._places[index - 1] > start:
            start = self._places[index - 1]
            snapshot = self._keyframes[index - 1]
        elif start in self._seen:
            snapshot = self._seen[start]
        else:
            snapshot = None
        if self._cursor is not None:
            at, state = self._cursor
            if at <= position and start - at <= len(state.nodes):  # to thaw a node costs as much as to apply an event
                return self._cursor
        if snapshot is None:
            return 0, fresh(self.header.config)
        return start, thawed(self.header.config, snapshot)

    def keep(self, position: int, snapshot: Snapshot) -> None:
        """Remembers a snapshot as a keyframe; positions rise."""
        self._keyframes.append(snapshot)
        self._places.append(position)  # last: whoever sees the place finds the snapshot

    @property
    def steps(self) -> list[Step]:
        """The steps in order; events before the first step belong to none."""
        events = self.events[:]
        opened = [(event.step, index) for index, event in enumerate(events) if isinstance(event, ev.StepOpened)]
        ends = [*(start for _, start in opened), len(events)][1:]
        return [Step(number, start, end) for (number, start), end in zip(opened, ends, strict=True)]

    def stops(self) -> list[int]:
        """Positions at which a person stepping through time halts: before everything, and after each loud event."""
        return [0, *(index + 1 for index, event in enumerate(self.events[:]) if type(event) not in ev.QUIET)]


class Recorder:
    """Takes a cache's events, merges growth, keeps the recording in memory and writes it to a file.

    Args:
        header: First line of the file.
        pieces: Gives the bytes of a token id.
        file: Open for writing text, or None to record in memory only.
        limit: Bytes after which nothing more is written; the recording says so in its last line.
    """

    def __init__(
        self,
        header: Header,
        pieces: Callable[[int], bytes],
        file: IO[str] | None = None,
        limit: int | None = None,
    ) -> None:
        self.recording = Recording(header)
        self._state = fresh(header.config)
        self._piece = pieces
        self._file = file
        self._limit = limit
        self._written = 0
        self._since_keyframe = 0
        self._keyframe_size = 0
        self._reserved = 0
        self._grown: dict[int, ev.Grown] = {}
        self._filled: dict[int, ev.BlocksFilled] = {}  # by table
        self._write({"kind": "header", "schema": SCHEMA, **asdict(header), "config": header.config.settings()})

    @property
    def full(self) -> bool:
        """Whether the limit was reached, so that the file no longer follows."""
        return self._limit is not None and self._written > self._limit

    def add(self, events: Iterable[ev.Event]) -> None:
        """Records events in order."""
        for event in events:
            match event:
                case ev.Reserved(tokens):
                    self._reserved += tokens
                case ev.Grown(node, key, slots):
                    before = self._grown.get(node, ev.Grown(node, b"", b""))
                    self._grown[node] = merged = ev.Grown(node, before.key + key, before.slots + slots)
                    if count(merged.key) >= GROWTH:
                        self.flush()
                case ev.BlocksFilled(table, start, key):
                    held = self._filled.get(table, ev.BlocksFilled(table, start, b""))
                    self._filled[table] = more = held._replace(key=held.key + key)
                    if count(more.key) >= GROWTH:
                        self.flush()
                case _:
                    self.flush()
                    self._add(event)

    def flush(self) -> None:
        """Records the growth held back so far."""
        if self._reserved:
            self._add(ev.Reserved(self._reserved))
            self._reserved = 0
        growth: list[ev.Event] = [*self._grown.values(), *self._filled.values()]
        self._grown, self._filled = {}, {}
        for event in growth:
            self._add(event)
        if self._file is not None:
            self._file.flush()

    def time(self, **timing: Any) -> None:
        """Adds a timing record: optional, and never the same twice."""
        self.recording.timings.append(timing)
        self._write({"kind": "timing", **timing})

    def snapshot(self) -> Snapshot:
        """Returns the state after everything that was recorded."""
        return self._state.freeze()

    def _add(self, event: ev.Event) -> None:
        self._spell(getattr(event, "key", b""))
        self._state.apply(event)
        self.recording.events.append(event)
        line = {"seq": len(self.recording.events), **codec.event_to_json(event)}
        self._since_keyframe += self._write(line)
        if self._since_keyframe > self._keyframe_size:
            self._keyframe()

    def _keyframe(self) -> None:
        snapshot = self._state.freeze()
        position = len(self.recording.events)
        line = {"kind": "keyframe", "seq": position, "state": codec.snapshot_to_json(snapshot)}
        size = len(_line(line))
        if self._since_keyframe <= size:  # now it is known how much one weighs
            self._keyframe_size = size
            return
        self.recording.keep(position, snapshot)
        self._keyframe_size = self._write(line)
        self._since_keyframe = 0

    def _spell(self, key: Key) -> None:
        """Writes the text of tokens that appear for the first time."""
        known = self.recording.pieces
        new = {token: self._piece(token) for token in dict.fromkeys(as_array(key).tolist()) if token not in known}
        if new:
            known.update(new)  # before the event that needs it
            self._write({"kind": "text", "pieces": {str(token): _text(piece) for token, piece in new.items()}})

    def _write(self, values: dict[str, Any]) -> int:
        line = _line(values)
        if self._file is not None and not self.full:
            self._written += len(line)
            self._file.write(line if not self.full else _line({"kind": "full", "limit": self._limit}))
        return len(line)


def load(path: str | Path, *, before_damage: bool = False) -> Recording:
    """Reads a recording.

    Args:
        path: Of the file.
        before_damage: Of a file that is damaged after its header, returns what comes before the damage, as truncated.

    Raises:
        RecordingError: no such file, no recording, a newer schema, or damage; with the line number.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be read: {error.strerror or error}",
            "Name a file that `radixchat chat --record FILE` wrote.",
        ) from None
    lines = data.split(b"\n")
    truncated = bool(lines.pop())  # after the last newline nothing may follow
    recording = _header(str(path), lines[0] if lines else b"")
    recording.truncated = truncated
    for number, line in enumerate(lines[1:], start=2):
        try:
            _take(recording, json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            if before_damage:
                recording.truncated = True
                break
            raise RecordingError(
                f"line {number} of {path} is damaged: {error}",
                f"Delete line {number} and all after it to replay what came before.",
            ) from None
    return recording


def _header(path: str, line: bytes) -> Recording:
    try:
        values = json.loads(line)
        kind, schema = values.pop("kind"), values.pop("schema")
        if kind != "header":
            raise ValueError(kind)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RecordingError(
            f"{path} is not a radixchat recording", "Name a file that `radixchat chat --record FILE` wrote."
        ) from None
    if not isinstance(schema, int) or schema > SCHEMA:
        raise RecordingError(
            f"{path} has schema {schema}; this program reads up to {SCHEMA}",
            "Update radixchat, or replay it with the version that wrote it.",
        )
    try:
        return Recording(Header(**{**values, "config": CacheConfig(**values["config"])}))
    except (TypeError, ValueError, KeyError) as error:
        raise RecordingError(
            f"the header of {path} is damaged: {error}", "Name another recording; without its header none can be read."
        ) from None


def _take(recording: Recording, values: dict[str, Any]) -> None:
    match values.get("kind"):
        case "timing":
            recording.timings.append({name: value for name, value in values.items() if name != "kind"})
        case "text":
            recording.pieces.update({int(token): _bytes(piece) for token, piece in values["pieces"].items()})
        case "keyframe":
            _in_order(values, len(recording.events))
            recording.keep(len(recording.events), codec.snapshot_from_json(values["state"]))
        case "full":
            recording.truncated = True
        case _:
            _in_order(values, len(recording.events) + 1)
            recording.events.append(codec.event_from_json(values))


def _in_order(values: dict[str, Any], wanted: int) -> None:
    if values.get("seq") != wanted:
        raise ValueError(f"sequence number {values.get('seq')} where {wanted} belongs")


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=True, separators=(",", ":")) + "\n"


def _text(piece: bytes) -> str | dict[str, str]:
    """Text where the bytes are text, else hexadecimal."""
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return {"hex": piece.hex()}


def _bytes(piece: str | dict[str, str]) -> bytes:
    return piece.encode("utf-8") if isinstance(piece, str) else bytes.fromhex(piece["hex"])
