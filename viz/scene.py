"""Scenes: where everything in a picture of a panel stands, in px of a 13 px monospace font. All writers draw these.

*fixed* is the foresighted layout: the tree of all panels (`union`) is laid out once, and each scene is the part of it
that lives then; all scenes have one size, and no node that stays moves, however the tree changes. *compact* lays out
each panel alone. The look is that of the RadixAttention paper's figure: text on the edges, one line per turn, boxes
below, connectors with right angles, new branches to the right. Knows labels, states and sizes; no colours, no format.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import ceil, log
from typing import Final, Literal, NamedTuple

from rich.cells import cell_len

from ..radix.snapshots import State
from .album import Album, Panel
from .draft import Node, names, nodes_of
from .edges import Edges, Lines, Writing
from .labels import Label, label
from .states import STATES, Attribute
from .tidy import Part, Spot, spots
from .twigs import RowKind, Twig
from .union import Segment, Union, run_of

CELL = 7.8
"""px of a character of the font."""

LINE = 17
"""px of a line."""

BASE = 13
"""px from the top of a line to its baseline."""

WRAP = 30
"""Cells of a line, when nothing else is said."""

_WRAPS = (12, 16, 20, 24, 30, 38, 48, 60)  # tried for a proportion
_SLACK = 1.1  # fonts differ
_EDGE = 10  # px around a scene
_STEM = 14  # px from the left side of a box to its stem
_BOX = 26  # px of a box from top to bottom
_TIE = 13  # px from its top to where its connector leaves
_PAD = 8  # px on both sides of what is in a box
_ROOT = 40  # px of the box of a root without a name
_ABOVE, _BELOW = 6, 5  # px between boxes and texts
_INDENT = 8  # px from a stem to its text
_NAME = 24  # cells of a namespace
_GAP = 18  # px between neighbours
_APART = 40  # px between the trees of two namespaces

Layout = Literal["fixed", "compact"]
PieceKind = Literal["root", "node", "tombstone", "fold"]


class Box(NamedTuple):
    """A rectangle, in px."""

    x: float
    y: float
    width: float
    height: float


class TextLine(NamedTuple):
    """A line of text, from its left end."""

    x: float
    y: float  # of the baseline
    label: Label  # printable; spans of different kinds may look different
    cells: int


class Piece(NamedTuple):
    """A node, tombstone, root or fold of one panel.

    A tombstone has the id of the node that went; if only the end of it went, the node is there, too.
    """

    id: int  # of the node, of a fold's topmost node, of a hidden root: 0 is the default namespace's
    kind: PieceKind
    state: State
    attribute: Attribute
    locks: int
    box: Box
    edge: tuple[tuple[float, float], ...]  # from the parent's box to this one, right angles; () for roots
    text: tuple[TextLine, ...]  # on the edge
    badge: str  # sign of the state; "" for roots
    name: str  # letter or #id, how many are folded, namespace; printable; may be ""
    tokens: int  # of the node, or of all that a fold stands for
    whole: str  # all of the edge's real text in one line, printable


@dataclass(frozen=True, slots=True)
class Scene:
    """A panel, laid out. Everything is inside (0, 0, width, height)."""

    width: float
    height: float
    pieces: tuple[Piece, ...]  # parents first, siblings from left to right
    panel: Panel


def scenes(
    album: Album,
    *,
    layout: Layout = "fixed",
    labels: Writing = "text",
    folded: Collection[int] = frozenset(),
    wrap: int | None = None,
    aspect: float | None = None,
) -> tuple[Scene, ...]:
    """Lays out an album, a scene for each panel.

    Args:
        album: What to show.
        layout: Whether nothing moves from panel to panel, or each panel is as small as it can be.
        labels: What stands on edges: text, text token by token, or token ids.
        folded: Ids of nodes that stand in one box for themselves and all below them.
        wrap: Cells of a line; 30 when neither this nor a proportion is given.
        aspect: The width by the height that is wanted; the wrap that comes nearest is taken, unless one is given.
    """
    edges = Edges(album.pieces, album.look, labels, album.relabels)
    together = [tuple(album.panels)] if layout == "fixed" else [(panel,) for panel in album.panels]
    drawn: list[Scene] = []
    for panels in together:
        plan = _Plan(panels, edges, folded)
        drawn += plan.scenes(plan.drawing(wrap or WRAP, None if wrap else aspect))
    return tuple(drawn)


class _Shot(NamedTuple):
    """A panel in the tree of all panels."""

    panel: Panel
    nodes: Sequence[Node]
    names: Sequence[str]
    runs: Sequence[Sequence[int]]  # the parts that each node runs through; it ends at the last


class _Drawing(NamedTuple):
    """The tree of all panels, laid out for one wrap."""

    parts: Sequence[Part]
    places: Sequence[Spot]
    boxes: Sequence[Box]  # of each part
    rows: Sequence[int]  # lines beside the stem of each part
    written: Sequence[Sequence[Lines]]  # of each shot and node
    width: int
    height: int


class _Plan:
    """Panels that are laid out together."""

    def __init__(self, panels: Sequence[Panel], edges: Edges, folded: Collection[int]) -> None:
        self._edges = edges
        union = Union(panels[0].snapshot.page_size if panels else 1)
        nodes = [nodes_of(panel.snapshot, folded) for panel in panels]
        ends = [union.add(here) for here in nodes]
        segments = list(union.segments())
        number = {segment: at for at, segment in enumerate(segments)}
        self._parents = [-1 if segment.top is None else number[segment.top] for segment in segments]
        self._roots = {id: number[segment] for id, segment in union.roots.items()}
        self._shots = [
            _Shot(panel, here, names(here, panel.letters, False), _runs(here, end, number))
            for panel, here, end in zip(panels, nodes, ends, strict=True)
        ]
        self._boxes = self._box_widths()

    def drawing(self, wrap: int, aspect: float | None) -> _Drawing:
        """Returns the drawing for a wrap, or the one that comes nearest to a proportion."""
        if aspect is None:
            return self._drawn(wrap)
        drawings = [self._drawn(wrap) for wrap in _WRAPS]
        return min(drawings, key=lambda one: abs(log(one.width / one.height / aspect)))

    def scenes(self, drawing: _Drawing) -> Iterator[Scene]:
        """Yields a scene for each panel."""
        for shot, written in zip(self._shots, drawing.written, strict=True):
            pieces = tuple(self._pieces(shot, drawing, written))
            yield Scene(drawing.width, drawing.height, pieces, shot.panel)

    # -- how big everything is, and where ------------------------------------------------------------------------------

    def _box_widths(self) -> list[int]:
        """Returns the width of each part's box: the widest of any panel; 0 where there is none."""
        widths = [0] * len(self._parents)
        for number in self._roots.values():
            widths[number] = _ROOT
        for shot in self._shots:
            snapshot = shot.panel.snapshot
            for node, name, run in zip(shot.nodes, shot.names, shot.runs, strict=True):
                cells = _content(node.twig, name, attribute_of(node.twig, snapshot.next_victim))
                widths[run[-1]] = max(widths[run[-1]], _px(cells) + 2 * _PAD)
            for root in snapshot.roots:
                if (at := self._roots.get(root.node.id)) is not None:
                    widths[at] = max(widths[at], _px(cell_len(self._called(root.namespace))) + 2 * _PAD)
        return widths

    def _drawn(self, wrap: int) -> _Drawing:
        rows = self._rows(wrap)
        written = [self._written(shot, rows, wrap) for shot in self._shots]
        cells = [0] * len(rows)
        for shot, edges in zip(self._shots, written, strict=True):
            for run, lines in zip(shot.runs, edges, strict=True):
                each = iter(lines.cells)
                for part in run:
                    cells[part] = max([cells[part], *islice(each, rows[part])])
        parts = []
        for width, most, box in zip(cells, rows, self._boxes, strict=True):
            high = most * LINE + _ABOVE + _BELOW if most else 0
            parts.append(Part(_px(width), high, max(box, 2 * _STEM), _BOX, _STEM, _TIE, closed=True))
        places = spots(parts, self._parents, margin=_EDGE + _STEM, gap=_GAP, indent=_INDENT, apart=_APART, top=_EDGE)
        boxes = [_box(part, at) for part, at in zip(parts, places, strict=True)]
        return _Drawing(parts, places, boxes, rows, written, *_size(parts, places))

    def _rows(self, wrap: int) -> list[int]:
        """Returns how many lines of text stand beside the stem of each part."""
        rows = [0 if parent < 0 else 1 for parent in self._parents]
        longer: list[tuple[int, Sequence[int]]] = []
        for shot in self._shots:
            for node, run in zip(shot.nodes, shot.runs, strict=True):
                if node.parent < 0:
                    continue
                wanted = self._edges.wanted(node.twig, wrap)
                if len(run) == 1:
                    rows[run[0]] = max(rows[run[0]], wanted)
                else:
                    longer.append((wanted, run))
        for wanted, run in longer:  # what the single parts have is enough, mostly
            rows[run[-1]] += max(0, wanted - sum(rows[part] for part in run))
        return rows

    def _written(self, shot: _Shot, rows: Sequence[int], wrap: int) -> list[Lines]:
        """Returns the lines of each edge of a panel."""
        return [
            _NO_LINES if node.parent < 0 else self._edges.written(node.twig, wrap, sum([rows[part] for part in run]))
            for node, run in zip(shot.nodes, shot.runs, strict=True)
        ]

    # -- panels --------------------------------------------------------------------------------------------------------

    def _pieces(self, shot: _Shot, drawing: _Drawing, written: Sequence[Lines]) -> Iterator[Piece]:
        snapshot, boxes = shot.panel.snapshot, drawing.boxes
        namespaces = {root.node.id: root.namespace for root in snapshot.roots}
        shown = {node.twig.id or 0: "" for node in shot.nodes if node.parent < 0}
        for id in shown | namespaces:  # also those that hold nothing now
            if id in self._roots:
                name = self._called(namespaces.get(id, ""))
                yield Piece(
                    id, "root", State.RESIDENT, Attribute.NONE, 0, boxes[self._roots[id]], (), (), "", name, 0, ""
                )
        for node, name, run, lines in zip(shot.nodes, shot.names, shot.runs, written, strict=True):
            twig = node.twig
            if node.parent < 0:
                continue
            yield Piece(
                id=twig.id or 0,
                kind=_KINDS[twig.kind],
                state=twig.state,
                attribute=attribute_of(twig, snapshot.next_victim),
                locks=twig.locks,
                box=boxes[run[-1]],
                edge=_edge(shot.runs[node.parent][-1], run, drawing),
                text=_text(run, lines, drawing),
                badge=STATES[twig.state].glyph,
                name=name,
                tokens=twig.tokens,
                whole=self._edges.whole(twig.key),
            )

    def _called(self, namespace: str) -> str:
        """Returns the name of a root: none where there is one only."""
        return label(namespace or "default").fit(_NAME).plain if len(self._roots) > 1 else ""


_NO_LINES: Final = Lines((), ())
_KINDS: dict[RowKind, PieceKind] = {RowKind.NODE: "node", RowKind.TOMBSTONE: "tombstone", RowKind.FOLD: "fold"}


def attribute_of(twig: Twig, victim: int | None) -> Attribute:
    """Returns the attribute of a node; folds and tombstones have none."""
    if twig.kind is not RowKind.NODE:
        return Attribute.NONE
    if twig.locks:
        return Attribute.LOCKED
    return Attribute.NEXT_VICTIM if twig.id == victim else Attribute.NONE


def _content(twig: Twig, name: str, attribute: Attribute) -> int:
    """Returns the cells of what is in a box: sign, name, tokens, attribute."""
    if twig.kind is RowKind.NAMESPACE:
        return 0
    cells = 2 + cell_len(name)
    if twig.kind is RowKind.FOLD:
        return cells
    cells += len(f"{twig.tokens:,}") + (1 if name else 0)
    if attribute is Attribute.LOCKED:
        return cells + 2 + len(f"{twig.locks:,}")
    return cells + (2 if attribute is Attribute.NEXT_VICTIM else 0)


def _px(cells: int) -> int:
    """Returns the px of so many cells, whatever the font."""
    return ceil(cells * CELL * _SLACK)


def _runs(nodes: Sequence[Node], ends: Sequence[Segment], number: Mapping[Segment, int]) -> list[tuple[int, ...]]:
    """Returns the parts that each node runs through."""
    runs = []
    for node, end in zip(nodes, ends, strict=True):
        way = (end,) if node.parent < 0 else run_of(ends[node.parent], end)
        runs.append(tuple([number[segment] for segment in way]))
    return runs


def _size(parts: Sequence[Part], places: Sequence[Spot]) -> tuple[int, int]:
    """Returns width and height of all parts, and what is around them."""
    pairs = list(zip(parts, places, strict=True))
    right = max((max(at.left + part.box_width, at.x + _INDENT + part.text_width) for part, at in pairs), default=0)
    return right + _EDGE, max((at.bottom for at in places), default=_EDGE) + _EDGE


def _box(part: Part, at: Spot) -> Box:
    return Box(at.left, at.top, part.box_width, part.box_height)


def _text(run: Sequence[int], lines: Lines, drawing: _Drawing) -> tuple[TextLine, ...]:
    """Returns the lines of an edge in their places, but for those that are empty."""
    text = []
    each = zip(*lines, strict=True)
    for part in run:
        at = drawing.places[part]
        x, y = at.x + _INDENT, at.y + _ABOVE + BASE
        for row, (line, cells) in enumerate(islice(each, drawing.rows[part])):
            if cells:
                text.append(TextLine(x, y + row * LINE, line, cells))
    return tuple(text)


def _edge(above: int, run: Sequence[int], drawing: _Drawing) -> tuple[tuple[float, float], ...]:
    """Returns the way from a box to another: straight down, or to the right and down."""
    parts, places = drawing.parts, drawing.places
    start, first = places[above], places[run[0]]
    if first.x == start.x:
        points = [(start.x, start.bottom)]
    else:
        tie = start.top + parts[above].tie
        points = [(start.left + parts[above].box_width, tie), (first.x, tie)]
    for one, other in pairwise(run):
        if places[one].x != places[other].x:  # something else stands straight below, in other panels
            tie = places[one].top + parts[one].tie
            points += [(places[one].x, tie), (places[other].x, tie)]
    points.append((places[run[-1]].x, places[run[-1]].top))
    return tuple(points)
