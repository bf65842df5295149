"""The tree as a widget: a picture of the newest snapshot, with a cursor, marks, folds and search.

`show` is the only way in. Pictures come from `outline`, `figure` and `ruler`; this module paints cursor and marks over
what they painted, and repaints only the lines that changed. It binds no keys and knows no cache: whoever uses it calls
its methods. The only module of this package that needs textual.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from itertools import islice
from math import ceil
from re import escape, finditer
from typing import Any, Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..radix.snapshots import NodeView, Snapshot, State
from .blocks import MOST, BlocksPicture, blocks
from .figure import Figure, figure
from .find import hits
from .outline import Outline, outline
from .picture import Direction, Look, Picture, Place
from .rail import RowKind
from .ruler import ruler
from .sentences import PICTURES, spoken
from .states import LIGHT, PALETTES
from .veil import veil

SMALL = 24
"""Nodes up to which `auto` draws the figure, if it fits."""

EMPTY: Final = PICTURES["en"]["empty"]

RUN = 3
"""Untouched nodes in a chain from which on they are folded when chains are."""

_SLACK = 4 / 3
_NARROWEST = 20  # cells below which a rail is cut
_LEAST_HEADED = 4  # lines from which on the columns are named
_MARGIN = 2  # lines kept in sight around the cursor; columns twice as many
_KEPT_STRIPS = 2000
_BLANK = Text()
_CURSORS = {
    "dark": (Style(bgcolor="#2d3748"), Style(bgcolor="#1f2530")),
    "light": (Style(color=LIGHT.text, bgcolor="#dbe7f5"), Style(color=LIGHT.text, bgcolor="#eef2f7")),
}
"""The cursor's line, with the focus and without; on a light one the strokes would be too faint."""


class Mark(Enum):
    """What may be marked besides the cursor."""

    LIT = "lit"  # the path that would be reused
    FOUND = "found"  # a search hit
    CUT = "cut"  # split here, just now


class _Shown(NamedTuple):
    """What `show` was given."""

    snapshot: Snapshot
    pieces: Mapping[int, bytes]
    bytes_per_token: int | None
    letters: Mapping[int, str] | None
    veiled: bool


class TreeView(ScrollView, can_focus=True, inherit_bindings=False):
    """A radix tree, redrawn as it changes.

    Views: "rail" (one line a node), "ruler" (tokens along x), "figure" (boxes), "blocks" (of a hash-block cache; of a
    tree the same as "auto"), "auto" (the figure as long as the tree is small and fits, else the rail).
    """

    DEFAULT_CSS = """
    TreeView {
        overflow-x: auto;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
    }
    """

    view: reactive[str] = reactive("auto")
    look: reactive[Look] = reactive(Look())
    follow: reactive[bool] = reactive(True)
    cursor: reactive[int | None] = reactive(None, init=False)

    class Moved(Message):
        """The cursor stands on another node.

        Attributes:
            node: Its id, None when it stands nowhere.
        """

        def __init__(self, view: TreeView, node: int | None) -> None:
            super().__init__()
            self.view = view
            self.node = node

        @property
        def control(self) -> TreeView:
            """The view it happened in."""
            return self.view

    ALLOW_SELECT = False

    # render_line may be called before anything is shown
    _shown: _Shown | None = None
    _picture: Picture | None = None
    _kind: str = "rail"

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.slack = _SLACK  # how much larger than its room a figure may become before `auto` leaves it
        self._folded: frozenset[int] = frozenset()
        self._runs = 0
        self._kept: frozenset[int] = frozenset()
        self._marks: dict[Mark, dict[int, int]] = {mark: {} for mark in Mark}
        self._spans: dict[int, list[_Span]] | None = None
        self._end: int | None = None
        self._found: list[int] = []
        self._wanted = ""
        self._strips: dict[Any, Strip] = {}
        self._painted: dict[int, Strip] = {}

    # -- what is shown -------------------------------------------------------------------------------------------------

    def show(
        self,
        snapshot: Snapshot,
        pieces: Mapping[int, bytes],
        *,
        bytes_per_token: int | None = None,
        letters: Mapping[int, str] | None = None,
        veiled: bool = False,
    ) -> None:
        """Shows a snapshot; costs what changed since the last one.

        Args:
            snapshot: The state to show.
            pieces: The bytes of each token id.
            bytes_per_token: Memory of one token across all layers.
            letters: What this picture calls nodes, by id; the figure then leaves out their numbers.
            veiled: Whether what tells who goes next is left out, because a question is open; see `veil`.
        """
        snapshot = veil(snapshot) if veiled else snapshot
        shown, before = _Shown(snapshot, pieces, bytes_per_token, letters, veiled), self._shown
        if before is not None and before.snapshot is snapshot and before[1:] == shown[1:]:
            return
        self._shown = shown
        goes_on = self._is_in_sight(self._end)
        self._lay_out()
        if before is not None:
            self._keep_cursor(before.snapshot)
        if self.follow:
            end = self._end_of_path()
            if goes_on or end != self._end:  # not when one has scrolled away meanwhile
                self._scroll_into_sight(end)
            self._end = end
        self._repaint()

    def measure(self, snapshot: Snapshot, letters: Mapping[int, str] | None, room: Size) -> tuple[str, Size]:
        """Returns how a moment of what is shown would be drawn in some room, and how large; shows nothing."""
        if self._shown is None:
            return self.view, Size(0, 0)
        kind, picture = self._choose(self._shown._replace(snapshot=snapshot, letters=letters), room)
        head = 1 if isinstance(picture, Outline) and picture.height and room.height >= _LEAST_HEADED else 0
        return kind, Size(picture.width, picture.height + head)

    @property
    def kind(self) -> str:
        """The kind of picture that is shown, also where the view is left to the widget."""
        return self._kind

    @property
    def _words(self) -> Mapping[str, str]:
        return PICTURES[spoken(self.look.lang, ascii=self.look.ascii)]

    def forget(self) -> None:
        """Forgets cursor, folds, marks and search: what is shown next is another tree, with the same ids."""
        self.unfold_all()
        self._found, self._wanted, self._end = [], "", None
        self._picture = None  # nothing keeps a place that another tree had
        for kind in Mark:
            self.mark(kind, {})
        self.cursor = None

    def compact(self) -> None:
        """Lays out the figure anew: places that became free go, and what stays may move."""
        self._picture = None
        self._draw_again()

    def mark(self, kind: Mark, nodes: Mapping[int, int] | Iterable[int]) -> None:
        """Marks these nodes, and no others, in one way.

        Args:
            kind: The way.
            nodes: Their ids; a mapping may say how many tokens of each are meant, counted from its first (0: all).
        """
        marks = dict(nodes) if isinstance(nodes, Mapping) else dict.fromkeys(nodes, 0)
        if marks != self._marks[kind]:
            self._marks[kind] = marks
            self._repaint()

    def _lay_out(self) -> None:
        """Makes the picture of what is shown for the room there is."""
        shown, room = self._shown, self.scrollable_content_region.size
        if shown is None or not room.width or not room.height:
            return
        self._kind, self._picture = self._choose(shown, room)
        self._spans = None
        self.virtual_size = Size(self._picture.width, self._picture.height + self._head)

    def _choose(self, shown: _Shown, room: Size) -> tuple[str, Picture]:
        if self.view != "auto" and (self.view != "blocks" or shown.snapshot.blocks is not None):
            return self.view, self._draw(self.view, shown, room)
        stays = self._kind == "figure" and self._picture is not None
        count = sum(1 for _ in islice(shown.snapshot.nodes(), 2 * SMALL)) + len(shown.snapshot.tombstones)
        if count and count <= SMALL * (_SLACK if stays else 1):
            figure = self._draw("figure", shown, room)
            slack = self.slack if stays else 1  # so that it does not come and go
            if figure.width <= room.width * slack and figure.height <= room.height * slack:
                return "figure", figure
        return "rail", self._draw("rail", shown, room)

    def _draw(self, kind: str, shown: _Shown, room: Size) -> Picture:
        before: Any = self._picture if kind == self._kind else None
        look, folded = self.look, self._folded
        if kind == "figure":
            return figure(
                shown.snapshot, shown.pieces, look=look, folded=folded, before=before, height=room.height,
                width=room.width, letters=shown.letters,
            )  # fmt: skip
        if kind == "blocks":
            return blocks(
                shown.snapshot, shown.pieces, width=max(room.width, _NARROWEST), look=look, folded=folded,
                most=RUN if self._runs else MOST, kept=self._kept, letters=shown.letters, veiled=shown.veiled,
            )  # fmt: skip
        if kind == "ruler":
            return ruler(
                shown.snapshot, shown.pieces, width=room.width, look=look, folded=folded, letters=shown.letters
            )
        return outline(
            shown.snapshot, shown.pieces, width=max(room.width, _NARROWEST), look=look,
            bytes_per_token=shown.bytes_per_token, folded=folded, before=before, runs=self._runs, kept=self._kept,
            letters=shown.letters, veiled=shown.veiled,
        )  # fmt: skip

    def _draw_again(self) -> None:
        """Lays out and paints the same snapshot anew."""
        self._lay_out()
        if self._shown is not None:
            self._keep_cursor(self._shown.snapshot)
            self._scroll_into_sight(self._end_of_path() if self.cursor is None and self.follow else self.cursor)
        self.refresh()

    @property
    def _head(self) -> int:
        """Lines that name the columns."""
        roomy = self.scrollable_content_region.height >= _LEAST_HEADED
        return 1 if roomy and isinstance(self._picture, Outline) and self._picture.height else 0

    def on_mount(self) -> None:
        """Takes on the colours of its look."""
        self._take_ground()

    def on_resize(self) -> None:
        """Lays out anew for the room there is now: what was kept in place was kept for another."""
        if self._kind == "figure":
            self._picture = None
        self._draw_again()

    def on_show(self) -> None:
        """Draws what was shown while there was no room."""
        self._draw_again()

    def watch_look(self) -> None:
        """Paints in another way."""
        self._strips.clear()
        self._take_ground()
        self._draw_again()

    def watch_view(self) -> None:
        """Draws another kind of picture."""
        self._draw_again()

    def watch_follow(self, follow: bool) -> None:
        """Goes to the end of the active path."""
        if follow:
            self._scroll_into_sight(self._end_of_path())

    def watch_has_focus(self, focused: bool) -> None:
        """Shows whether keys move the cursor."""
        super().watch_has_focus(focused)
        self._repaint()

    # -- the cursor ----------------------------------------------------------------------------------------------------

    def move(self, way: Direction, by: int = 1) -> None:
        """Moves the cursor to what is beside it, so many times; the first time, to the end of the active path."""
        if self._picture is None:
            return
        node = self.cursor
        if node is None:
            self._go(self._end_of_path() or self._picture.first())
            return
        for _ in range(by):
            beside = self._picture.beside(node, way)
            if beside is None:
                break
            node = beside
        self._go(node)

    def to_parent(self) -> None:
        """Moves the cursor to the node above in the tree."""
        if self._shown is not None and self.cursor is not None:
            above = _above(self._shown.snapshot, self.cursor)
            self._go(next((node for node in above if self._place(node) is not None), None))

    def to_next_branch(self) -> None:
        """Moves the cursor down to the next node with several children; after the last one, to the first."""
        if self._shown is None:
            return
        first, passed = None, self.cursor is None
        for node in self._shown.snapshot.nodes():
            if len(node.children) > 1 and (passed or first is None) and self._place(node.id) is not None:
                if passed:
                    return self._go(node.id)
                first = node.id
            passed = passed or node.id == self.cursor
        return self._go(first)

    def on_click(self, event: Click) -> None:
        """Moves the cursor to what was clicked."""
        at = event.get_content_offset(self)
        if at is None or self._picture is None or at.y < self._head:
            return
        node = self._picture.node_at(at.x + self.scroll_offset.x, self._line_at(at.y))
        if node is not None:
            self._go(node)

    def watch_cursor(self, node: int | None) -> None:
        """Tells where the cursor stands."""
        self._repaint()
        self.post_message(self.Moved(self, node))

    def _go(self, node: int | None) -> None:
        if node is not None:
            self.cursor = node
            self._scroll_into_sight(node)

    def _keep_cursor(self, before: Snapshot) -> None:
        """Moves the cursor up when its node is no longer shown."""
        if self.cursor is not None and self._place(self.cursor) is None:
            above = _above(before, self.cursor)
            first = None if self._picture is None else self._picture.first()
            self.cursor = next((node for node in above if self._place(node) is not None), first)

    def _place(self, node: int | None) -> Place | None:
        return None if node is None or self._picture is None else self._picture.place(node)

    def _end_of_path(self) -> int | None:
        """Returns the deepest node of the path that was used last in this step."""
        if self._shown is None:
            return None
        snapshot = self._shown.snapshot
        ends: list[tuple[int, int, int]] = []
        stack = [(root.node, 0) for root in snapshot.roots]
        while stack:
            node, depth = stack.pop()
            used = [child for child in node.children if snapshot.state(child) is not State.RESIDENT]
            ends.extend((child.last, depth, child.id) for child in used)
            stack.extend((child, depth + 1) for child in used)
        return max(ends)[2] if ends else None

    # -- scrolling -----------------------------------------------------------------------------------------------------

    def _is_in_sight(self, node: int | None) -> bool:
        place, top = self._place(node), self.scroll_offset.y
        room = self.scrollable_content_region.height - self._head
        return place is not None and top <= place.y + place.height - 1 and place.y < top + room

    def pan(self, dx: int, dy: int) -> None:
        """Scrolls by so many cells."""
        self.scroll_to(self.scroll_x + dx, self.scroll_y + dy, animate=False, force=True)

    def _scroll_into_sight(self, node: int | None) -> None:
        place = self._place(node)
        if place is None and node is not None and self._shown is not None:  # folded away
            above = map(self._place, _above(self._shown.snapshot, node))
            place = next((spot for spot in above if spot is not None), None)
        if place is None:
            return
        room = self.scrollable_content_region.size
        x, y = 0, _nearest(self.scroll_offset.y, place.y, place.height, room.height - self._head, _MARGIN)
        if not isinstance(self._picture, Outline):
            x = _nearest(self.scroll_offset.x, place.x, place.width, room.width, 2 * _MARGIN)
        if (x, y) != self.scroll_offset:
            self.scroll_to(x, y, animate=False, force=True)

    # -- folds ---------------------------------------------------------------------------------------------------------

    def fold(self) -> None:
        """Folds what is below the cursor, or unfolds it."""
        if self._shown is None or self.cursor is None:
            return
        node = self._shown.snapshot.find(self.cursor)
        if node is None:
            return
        if node.id in self._folded:
            self._folded -= {node.id}
        elif self._is_run(node.id):
            self._kept |= _chain(node)
        elif node.children:
            self._folded |= {node.id}
        self._draw_again()

    def fold_chains(self) -> None:
        """Folds chains of untouched nodes, or unfolds them; only the rail has chains."""
        self._runs = 0 if self._runs else RUN
        self._kept = frozenset()
        self._draw_again()

    def unfold_all(self) -> None:
        """Shows every node."""
        self._folded, self._runs, self._kept = frozenset(), 0, frozenset()
        self._draw_again()

    def _is_run(self, node: int) -> bool:
        place = self._place(node)
        picture = self._picture
        if place is None:
            return False
        if isinstance(picture, BlocksPicture):
            return picture.is_fold(place.y)
        return isinstance(picture, Outline) and picture.row(place.y).kind is RowKind.FOLD

    def _reveal(self, node: int) -> None:
        """Unfolds what hides a node."""
        if self._shown is None or self._place(node) is not None:
            return
        way = {each.id for each in self._shown.snapshot.path(node)}
        self._folded -= way
        self._kept |= way
        self._draw_again()

    # -- search --------------------------------------------------------------------------------------------------------

    def find(self, text: str) -> int:
        """Marks the nodes that have a text, moves the cursor to the first from where it stands, returns how many."""
        shown = self._shown
        self._wanted = text.casefold()
        self._found = [] if shown is None else hits(shown.snapshot, shown.pieces, text)
        self.mark(Mark.FOUND, self._found)
        if self._found and self.cursor not in self._found:
            self.find_next()
        return len(self._found)

    def find_next(self, back: bool = False) -> None:
        """Moves the cursor to the next hit, or the one before; after the last one, to the first."""
        shown = self._shown
        if shown is None or not self._found:
            return
        wanted = set(self._found)
        order = [node.id for node in shown.snapshot.nodes() if node.id in wanted or node.id == self.cursor]
        if back:
            order.reverse()
        start = order.index(self.cursor) + 1 if self.cursor in order else 0
        following = [node for node in order[start:] + order[:start] if node in wanted]
        if following:
            self._reveal(following[0])
            self._go(following[0])

    # -- painting ------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Returns what is painted on a line of the widget."""
        strip = self._painted[y] = self._strip(y)
        return strip

    def _repaint(self) -> None:
        """Paints those lines again that are no longer right."""
        self._spans = None
        if not self.is_attached or self._picture is None:
            return
        lines = range(self.content_size.height)
        wrong = [Region(0, y, self.content_size.width, 1) for y in lines if self._painted.get(y) is not self._strip(y)]
        if wrong:
            self.refresh(*wrong)

    def _strip(self, y: int) -> Strip:
        picture, x, width = self._picture, self.scroll_offset.x, self.content_size.width
        if picture is None or not picture.height:
            empty = y == 0 and self._shown is not None
            return self._cached(Text(f" {self._words['empty']}" if empty else "", self._ink.faint), ()).crop_extend(
                0, width, self._ink.ground
            )
        if y < self._head and isinstance(picture, Outline):
            title = self._words["one" if picture.nodes == 1 else "tree"].format(nodes=picture.nodes)
            return self._cached(picture.heading(title), ()).crop_extend(0, width, self._ink.ground)
        line = self._line_at(y)
        if line >= picture.height:
            return self._cached(_BLANK, ()).crop_extend(x, x + width, self._ink.ground)
        # a large figure is much wider than the pane: it paints no more of a line than is seen
        text = picture.line(line, x, x + width) if isinstance(picture, Figure) else picture.line(line)
        return self._cached(text, self._overlays(line)).crop_extend(x, x + width, self._ink.ground)

    def _line_at(self, y: int) -> int:
        """Returns which line of the picture a line of the widget shows; titles that scroll away stay at the top."""
        line, picture = y - self._head + self.scroll_offset.y, self._picture
        roomy = self.scrollable_content_region.height >= _LEAST_HEADED
        pinned = not y and roomy and isinstance(picture, BlocksPicture) and line in picture.titled
        return picture.titles if pinned and isinstance(picture, BlocksPicture) else line

    def _cached(self, line: Text, overlays: tuple[_Span, ...]) -> Strip:
        key = (line.plain, tuple(line.spans), overlays)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= _KEPT_STRIPS:
                self._strips.clear()
            strip = self._strips[key] = self._paint(line, overlays)
        return strip

    def _paint(self, line: Text, overlays: tuple[_Span, ...]) -> Strip:
        ground = self._ink.ground
        strip = Strip(Segment.apply_style(line.render(self.app.console), ground))
        strip = strip.extend_cell_length(max((span.end for span in overlays), default=0), ground)
        for span in overlays:
            for start, end in _cells(strip, span):
                marked = Strip(Segment.apply_style(strip.crop(start, end), post_style=span.style))
                strip = Strip.join([strip.crop(0, start), marked, strip.crop(end)])
        return strip

    def _overlays(self, line: int) -> tuple[_Span, ...]:
        """Returns what is painted over a line of the picture: first the cursor, then marks."""
        picture = self._picture
        assert picture is not None
        if isinstance(picture, Outline):
            node = picture.node_at(0, line)
            return () if node is None else tuple(self._over(node, line))
        if self._spans is None:
            self._spans = {}
            marked = {node for marks in self._marks.values() for node in marks}
            for node in marked if self.cursor is None else marked | {self.cursor}:
                place = picture.place(node)
                for y in range(place.y, place.y + place.height) if place is not None else ():
                    self._spans.setdefault(y, []).extend(self._over(node, y))
        return tuple(self._spans.get(line, ()))

    def _over(self, node: int, line: int) -> Iterator[_Span]:
        marks = [mark for mark in Mark if node in self._marks[mark]]
        if node != self.cursor and not marks:
            return
        picture = self._picture
        place = picture.place_on(line) if isinstance(picture, Outline) else self._place(node)
        if place is None or not place.y <= line < place.y + place.height:
            return
        if node == self.cursor:
            wide = isinstance(picture, Outline)  # there the whole line
            start, end = (0, self.content_size.width) if wide else (place.x, place.x + place.width)
            cursor = self._ink.cursor if self.has_focus else self._ink.resting
            yield _Span(start, end, cursor)
        for mark in marks:
            tokens = self._marks[mark][node]
            whole = picture.row(line).tokens if isinstance(picture, Outline) and mark is Mark.LIT else 0
            share = tokens / whole if 0 < tokens < whole else 1.0
            text = self._wanted if mark is Mark.FOUND else ""
            yield _Span(place.x, place.x + place.width, self._ink.marks[mark], share, text)

    @property
    def _ink(self) -> _Ink:
        return _ink(self.look.palette, self.look.colour) or _Ink.plain(self.rich_style)

    def _take_ground(self) -> None:
        ground = PALETTES[self.look.palette].ground
        if self.look.colour:
            self.styles.background = ground or "ansi_default"
        else:
            self.styles.clear_rule("background")


class _Span(NamedTuple):
    """Cells of a line that are painted over."""

    start: int
    end: int
    style: Style
    share: float | None = None  # of what is not blank at the end; None: all, blank or not
    text: str = ""  # if this is among it, only this


def _cells(strip: Strip, span: _Span) -> list[tuple[int, int]]:
    """Returns which cells of a line a span paints over."""
    if span.share is None:
        return [(span.start, span.end)]
    text = strip.crop(span.start, span.end).text.rstrip()
    among = text.casefold()
    if span.text and span.text in among and len(among) == len(text):
        ends = [(found.start(), found.end()) for found in finditer(escape(span.text), among)]
        return [(span.start + cell_len(text[:start]), span.start + cell_len(text[:end])) for start, end in ends]
    return [(span.start, span.start + ceil(cell_len(text) * span.share))]


class _Ink(NamedTuple):
    """What a palette gives for the parts of the widget itself."""

    ground: Style
    faint: Style
    cursor: Style  # while keys move it
    resting: Style
    marks: Mapping[Mark, Style]

    @classmethod
    def plain(cls, ground: Style) -> _Ink:
        """Returns what needs no colours."""
        return cls(
            ground,
            Style(dim=True),
            Style(reverse=True),
            Style(bold=True, reverse=True, dim=True),
            {
                Mark.LIT: Style(underline=True),
                Mark.FOUND: Style(reverse=True),
                Mark.CUT: Style(bold=True, reverse=True),
            },
        )


@cache
def _ink(palette: str, colour: bool) -> _Ink | None:
    """Returns the ink of a palette; None without colour."""
    colours = PALETTES[palette]
    if not colour:
        return None
    if colours.ground is None:
        plain = _Ink.plain(Style(color="default", bgcolor="default"))
        cut = Style(color=colours.split.stroke, bold=True, reverse=True)
        return plain._replace(marks={**plain.marks, Mark.CUT: cut})
    cursor, resting = _CURSORS[palette]
    return _Ink(
        Style(color=colours.text, bgcolor=colours.ground),
        Style(color=colours.states[State.RESIDENT].stroke),
        cursor,
        resting,
        {
            Mark.LIT: Style(underline=True, color=colours.text, bgcolor=colours.states[State.REUSED].fill),
            Mark.FOUND: Style(reverse=True),
            Mark.CUT: Style(color=colours.text, bgcolor=colours.split.fill, bold=True),
        },
    )


def _nearest(now: int, start: int, size: int, room: int, margin: int) -> int:
    """Returns the offset nearest to the present one that shows so many cells from `start` on, and some around them."""
    margin = max(0, min(margin, (room - size) // 2))
    return max(0, min(max(now, start + size + margin - room), start - margin))


def _above(snapshot: Snapshot, node: int) -> Iterator[int]:
    """Yields the ids above a node or tombstone, the nearest first."""
    stones = {stone.node: stone.parent for stone in snapshot.tombstones if stone.parent != stone.node}
    path = snapshot.path(node)
    for _ in stones:
        if path or node not in stones:
            break
        node = stones[node]
        yield node
        path = snapshot.path(node)
    yield from (each.id for each in path[-2::-1])


def _chain(node: NodeView) -> frozenset[int]:
    """Returns the ids from a node down as long as there is one child each."""
    ids = {node.id}
    while len(node.children) == 1:
        node = node.children[0]
        ids.add(node.id)
    return frozenset(ids)
