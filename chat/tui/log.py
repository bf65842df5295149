"""The log: every loud event of a recording as a line, painted when it is in sight. Knows no tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip as Line

from ...radix.recording import Recording
from ...radix.travel import Travel
from ...viz.picture import Look
from ...viz.story import tell

REVERSE = Style(reverse=True)


class EventLog(ScrollView):
    """What happened, line by line, with the moment that is shown marked."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._travel: Travel | None = None
        self._recording: Recording | None = None
        self._pieces: Mapping[int, bytes] = {}
        self._look = Look()
        self._marked = 0
        self._count = 0  # of the lines that may be seen
        self._last: tuple[int, int | None] = (0, None)  # what was shown
        self.lang = "en"
        self.names: Callable[[int], Mapping[int, str] | None] = lambda position: None  # what nodes are called there

    def open(self, travel: Travel, recording: Recording, pieces: Mapping[int, bytes], look: Look) -> None:
        """Shows another recording."""
        self._travel, self._recording, self._pieces, self._look = travel, recording, pieces, look
        self.show(0)

    def show(self, position: int, until: int | None = None) -> None:
        """Marks the event that led to a position, and keeps it in sight; shows nothing after `until`."""
        self._last = (position, until)
        if self._travel is None or not self.display:
            return
        count = self._travel.stop_count if until is None else self._travel.stop_index(until) + 1
        self._count = count
        self._marked = self._travel.stop_index(position)
        self.virtual_size = Size(1, count)  # lines are cut to the width there is
        self.scroll_to(y=max(0, self._marked - self.size.height // 2), animate=False, force=True)
        self.refresh()

    def on_resize(self) -> None:
        """Keeps the marked line in sight, also when there is room for the first time."""
        self.show(*self._last)

    def render_line(self, y: int) -> Line:
        """Paints the line of one event."""
        width, index = self.size.width, y + self.scroll_offset.y
        if self._travel is None or self._recording is None or index >= self._count:
            return Line.blank(width, self.rich_style)
        position = self._travel.stop_at(index)
        event = self._recording.events[position - 1] if position else None
        if event is None:
            told = "一切开始之前" if self.lang == "zh" else "before everything"
        else:
            names = self.names(position)
            told = tell(event, self._pieces, look=self._look, lang=self.lang, names=names) or ""
        text = set_cell_size(f"{position:>6,}  {told}", width)
        style = self.rich_style + REVERSE if index == self._marked else self.rich_style
        return Line([Segment(text, style)], width)
