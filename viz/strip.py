"""The timeline strip: all events of a recording in one line of cells, and below it the steps and where one stands.

A cell stands for the same number of events as every other, the smallest number with which all fit; it shows the
weightiest sign among them: evicted over split over new over matched. The first cell is the moment before everything.
The number of events in a cell changes seldom, so that cells stand still while a recording grows. Knows recordings and
positions; no keys, no widget, and no node.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from rich.style import Style
from rich.text import Text

from ..radix import events as ev
from ..radix.recording import Recording
from ..radix.snapshots import State
from ..radix.travel import Travel
from .cells import Brush
from .picture import Look
from .states import PALETTES, STATES, Sign

SPLIT: Final = Sign("⊢", "/", "split")
"""How a split looks where there is one cell for it; and a copy-on-write, with which two ways part, too."""

OTHER: Final = Sign("·", ".", "other")
"""Everything that has no sign of its own."""

_START: Final = Sign("│", "|", "before everything")
_HEAD: Final = Sign("▲", "^", "now")
_TAIL = 6  # cells at the right: a gap, and a word of five
_TAIL_FROM = 16  # cells from which on there is room for it

_SIGNS: Final = (OTHER, STATES[State.REUSED], STATES[State.NEW], SPLIT, STATES[State.EVICTED])  # by weight
_OTHER, _REUSED, _NEW, _SPLIT, _EVICTED = range(len(_SIGNS))
_WEIGHTS: Final[Mapping[type, int]] = {
    ev.Matched: _REUSED,
    ev.Inserted: _NEW,
    ev.Grown: _NEW,
    ev.Split: _SPLIT,
    ev.Evicted: _EVICTED,
    ev.Trimmed: _EVICTED,
    ev.Cleared: _EVICTED,
    ev.BlocksHit: _REUSED,
    ev.BlockReplaced: _REUSED,
    ev.TableForked: _REUSED,
    ev.BlocksTaken: _NEW,
    ev.BlocksFilled: _NEW,
    ev.BlocksHashed: _NEW,
    ev.BlockCopied: _SPLIT,
    ev.BlocksEvicted: _EVICTED,
}


class Strip:
    """The timeline of one recording; reads on from where it stopped, so that painting stays cheap.

    Args:
        recording: May be growing; see `radix.recording`.
        travel: Its index when there is one already.
    """

    def __init__(self, recording: Recording, travel: Travel | None = None) -> None:
        self._recording = recording
        self._travel = Travel(recording) if travel is None else travel
        self._weights = bytearray()  # of every event

    def paint(self, position: int, *, width: int, look: Look, live: bool = False, until: int | None = None) -> Text:
        """Paints the strip.

        Args:
            position: Where one stands, in events.
            width: Cells; neither line is wider.
            look: Palette, ASCII, colour.
            live: Whether the view follows the recording's end; otherwise the share of events that lie behind is shown.
            until: The last position that may be known; the strip is that of a recording that ends there.

        Returns:
            Two lines: signs with a word at the end, and the numbers of steps with a pointer below `position`.
        """
        events = self._known(until)
        position = max(0, min(position, events))
        each = _each(events, width)
        head = -(-position // each)
        brush = Brush(look)
        lines = [
            self._signs(events, width, _Cells(look, head)),
            self._marks(events, width, head, self._travel.step_at(position), brush),
        ]
        if width >= _TAIL_FROM:
            word = "live" if live else f"{100 * position // events if events else 100} %"
            lines[0].pad_right(_track(width) - lines[0].cell_len)
            lines[0].append(f" {word:>{_TAIL - 1}}", brush.bold if live else brush.faint)
        return Text("\n", no_wrap=True, overflow="ignore").join(lines)

    def position_at(self, x: int, width: int, until: int | None = None) -> int:
        """Returns the position that a cell of the strip stands for: after the last of its events, up to `until`."""
        events = self._known(until)
        return max(0, min(x * _each(events, width), events))

    def _known(self, until: int | None) -> int:
        """Reads on; returns how many events may be known."""
        self._read_on()
        return _up_to(until, len(self._weights))

    def _read_on(self) -> None:
        events = self._recording.events
        weight = _WEIGHTS.get
        for index in range(len(self._weights), len(events)):
            event = events[index]
            found = weight(type(event), _OTHER)
            self._weights.append(_OTHER if isinstance(event, ev.Matched) and not event.tokens else found)

    def _signs(self, events: int, width: int, cells: _Cells) -> Text:
        line = Text(cells.brush.glyph(_START), cells.style(0, _OTHER))
        if not events or width < 2:
            line.truncate(max(width, 0))
            return line
        starts = np.arange(0, events, _each(events, width))
        heaviest = np.maximum.reduceat(np.frombuffer(bytes(self._weights[:events]), dtype=np.uint8), starts)
        for x, kind in enumerate(heaviest.tolist(), start=1):
            line.append(cells.brush.glyph(_SIGNS[kind]), cells.style(x, kind))
        return line

    def _marks(self, events: int, width: int, head: int, current: int, brush: Brush) -> Text:
        """Writes the numbers of as many steps as fit below their first events, and the pointer."""
        cells, each = _track(width), _each(events, width)
        row = [" "] * max(cells, 0)
        styles = [brush.faint] * len(row)
        x = 0
        while x < cells:  # from one number to the first step that can stand right of it
            number, start = next(self._travel.steps(max(0, (x - 1) * each)), (0, events))
            x = 1 + start // each
            text = str(number)
            if start >= events or x + len(text) > cells:
                break
            if not x <= head < x + len(text):
                row[x : x + len(text)] = text
                styles[x : x + len(text)] = [brush.bold if number == current else brush.faint] * len(text)
            x += len(text) + 1
        if head < len(row):
            row[head], styles[head] = brush.glyph(_HEAD), brush.bold
        line = Text()
        for char, style in zip(row, styles, strict=True):
            line.append(char, style)
        line.rstrip()
        return line


def strip(
    recording: Recording, position: int, *, width: int, look: Look, live: bool = False, until: int | None = None
) -> Text:
    """Paints the timeline of a recording once; see `Strip.paint`."""
    return Strip(recording).paint(position, width=width, look=look, live=live, until=until)


def position_at(recording: Recording, x: int, width: int, until: int | None = None) -> int:
    """Returns the position that a cell of the strip stands for; see `Strip.position_at`."""
    events = _up_to(until, len(recording.events))
    return max(0, min(x * _each(events, width), events))


def _up_to(until: int | None, events: int) -> int:
    """Events that may be known."""
    return events if until is None else max(0, min(until, events))


def _track(width: int) -> int:
    """Cells of the strip itself, the moment before everything included."""
    return width - _TAIL if width >= _TAIL_FROM else width


def _each(events: int, width: int) -> int:
    """Events that one cell stands for."""
    return max(1, -(-events // max(1, _track(width) - 1)))


class _Cells:
    """Styles of the strip's cells."""

    def __init__(self, look: Look, head: int) -> None:
        self.brush = brush = Brush(look)
        split = brush.style(color=PALETTES[look.palette].split.stroke)
        states = [brush.stroke(state) for state in (State.REUSED, State.NEW, State.EVICTED)]
        self._kinds = [brush.faint, *states[:2], split, states[2]]  # as in _SIGNS
        self._here = brush.style(reverse=True)
        self._ahead = brush.style(dim=True)
        self._head = head

    def style(self, x: int, kind: int) -> Style:
        """Returns the style of a cell: where one stands is reversed, what lies ahead is dim."""
        style = self._kinds[kind]
        if x == self._head:
            return style + self._here
        return style + self._ahead if x > self._head else style
