"""Scenes: where everything in a picture of a panel stands, in px of a 13 px monospace font. All writers draw these.

*fixed* is the foresighted layout: the tree of all panels (`union`) is laid out once, and each scene is the part of it
that lives then; all scenes have one size, and no node that stays moves, however the tree changes. *compact* lays out
each panel alone. The look is that of the RadixAttention paper's figure: text on the edges, one line per turn, boxes
below, connectors with right angles, new branches to the right. Knows labels, states and sizes; no colours, no format.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log
from typing import Literal, NamedTuple

from rich.cells import cell_len

from ..radix.keys import Key
from ..radix.snapshots import State
from .album import Album, Panel
from .draft import Node, names, nodes_of
from .labels import Kind, Label, Labels, Span, label
from .sentences import PICTURES, spoken
from .states import STATES, UNCACHED, Attribute
from .tidy import Part, Spot, spots
from .turns import fewer, joined, turns
from .twigs import RowKind, Twig
from .union import Segment, Union, run_of
from .wrap import wrapped

CELL = 7.8
"""px of a character of the font."""

LINE = 17
"""px of a line."""

BASE = 13
"""px from the top of a line to its baseline."""

WRAP = 24
"""Cells of a line, when nothing else is said."""

MOST_LINES = 12
"""Lines of an edge."""

_WRAPS = (12, 16, 20, 24, 30, 38, 48, 60)  # tried for a proportion
_SLACK = 1.1  # fonts differ
_REST = 14  # cells of what is not cached yet
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
Writing = Literal["text", "tokens", "ids"]
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


@dataclass(frozen=True, slots=True)
class Piece:
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
    name: str  # letter or #id, how many are folded, namespace; may be ""
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
        wrap: Cells of a line; 24 when neither this nor a proportion is given.
        aspect: The width by the height that is wanted; the wrap that comes nearest is taken, unless one is given.
    """
    texts = _Texts(album, labels)
    shots = [tuple(album.panels)] if layout == "fixed" else [(panel,) for panel in album.panels]
    drawn: list[Scene] = []
    for panels in shots:
        plan = _Plan(panels, album, texts, folded)
        if wrap is None and aspect is not None and panels:
            best = min(_WRAPS, key=lambda wrap: abs(log(plan.aspect(wrap) / aspect)))
            drawn += plan.scenes(best)
        else:
            drawn += plan.scenes(wrap or WRAP)
    return tuple(drawn)


class _Texts:
    """What stands on edges, each written once."""

    def __init__(self, album: Album, writing: Writing) -> None:
        self._labels = Labels.of(album.pieces, album.look)
        self._real = Labels(album.pieces, pills=False)
        self._relabels = album.relabels
        self._turns: dict[Key | int, tuple[Label, ...]] = {}
        self._lines: dict[tuple[Key | int, Key, int], tuple[Label, ...]] = {}
        self._whole: dict[Key, str] = {}
        self.evicted = Label((Span(PICTURES[spoken(album.lang, ascii=False)]["evicted"], Kind.MARK),))

    def lines(self, twig: Twig, wrap: int) -> tuple[Label, ...]:
        """Returns the lines of an edge, one at least."""
        name = twig.id if twig.id in self._relabels else twig.key
        assert name is not None
        known = self._lines.get((name, twig.uncached, wrap))
        if known is None:
            lines = [line for turn in self._turned(name) for line in wrapped(turn, wrap)] or [Label(())]
            if twig.uncached:
                lines = _with_rest(lines, self._rest(twig.uncached), wrap)
            known = self._lines[name, twig.uncached, wrap] = tuple(fewer(lines, MOST_LINES))
        return known

    def whole(self, key: Key) -> str:
        """Returns the real text of a key in one line."""
        if key not in self._whole:
            self._whole[key] = self._real.whole(key).plain
        return self._whole[key]

    def _turned(self, name: Key | int) -> tuple[Label, ...]:
        known = self._turns.get(name)
        if known is None:
            written = (label(self._relabels[name]),) if isinstance(name, int) else turns(self._labels, name)
            known = self._turns[name] = written
        return known

    def _rest(self, key: Key) -> Label:
        """Returns what has no KV yet, as marks."""
        return Label((Span(UNCACHED.glyph + self._labels.fit(key, _REST).plain, Kind.MARK),))


def _with_rest(lines: Sequence[Label], rest: Label, wrap: int) -> list[Label]:
    last = lines[-1]
    if last.cells + 1 + rest.cells > wrap:
        return [*lines, rest]
    return [*lines[:-1], Label((*last.spans, Span(" ", Kind.TEXT), *rest.spans))]


class _Shot(NamedTuple):
    """A panel in the tree of all panels."""

    panel: Panel
    nodes: Sequence[Node]
    names: Sequence[str]
    runs: Sequence[Sequence[int]]  # the parts that each node runs through; it ends at the last


class _Plan:
    """Panels that are laid out together."""

    def __init__(self, panels: Sequence[Panel], album: Album, texts: _Texts, folded: Collection[int]) -> None:
        self._texts = texts
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

    def aspect(self, wrap: int) -> float:
        """Returns the width by the height of all scenes."""
        parts, _ = self._parts(wrap)
        width, height = _size(parts, self._placed(parts))
        return width / height

    def scenes(self, wrap: int) -> list[Scene]:
        """Returns a scene for each panel."""
        parts, rows = self._parts(wrap)
        places = self._placed(parts)
        width, height = _size(parts, places)
        return [
            Scene(width, height, tuple(self._pieces(shot, wrap, parts, rows, places)), shot.panel)
            for shot in self._shots
        ]

    # -- how big everything is ---------------------------------------------------------------------------------------

    def _box_widths(self) -> list[int]:
        """Returns the width of each part's box: the widest of any panel."""
        widths = [0] * len(self._parents)
        for number in self._roots.values():
            widths[number] = _ROOT
        for shot in self._shots:
            victim = shot.panel.snapshot.next_victim
            for node, name, run in zip(shot.nodes, shot.names, shot.runs, strict=True):
                cells = _content(node.twig, name, attribute_of(node.twig, victim))
                widths[run[-1]] = max(widths[run[-1]], _px(cells) + 2 * _PAD)
            if len(self._roots) > 1:
                for root in shot.panel.snapshot.roots:
                    if (at := self._roots.get(root.node.id)) is not None:
                        widths[at] = max(widths[at], _px(cell_len(_called(root.namespace))) + 2 * _PAD)
        return widths

    def _parts(self, wrap: int) -> tuple[list[Part], list[int]]:
        """Returns what each part takes, and how many lines of text stand beside its stem."""
        rows = [0 if parent < 0 else 1 for parent in self._parents]
        longer: list[tuple[int, Sequence[int]]] = []
        for shot in self._shots:
            for node, run in zip(shot.nodes, shot.runs, strict=True):
                if node.parent < 0:
                    continue
                lines = _demand(node.twig, self._texts.lines(node.twig, wrap))
                if len(run) == 1:
                    rows[run[0]] = max(rows[run[0]], lines)
                else:
                    longer.append((lines, run))
        for lines, run in longer:
            rows[run[-1]] += max(0, lines - sum(rows[part] for part in run))
        cells = [0] * len(rows)
        for shot in self._shots:
            for node, run in zip(shot.nodes, shot.runs, strict=True):
                for part, _, line in self._written(node, run, rows, wrap):
                    cells[part] = max(cells[part], line.cells)
        parts = []
        for width, lines, box in zip(cells, rows, self._boxes, strict=True):
            text = _px(width)
            high = lines * LINE + _ABOVE + _BELOW if lines else 0
            parts.append(Part(text, high, max(box, 2 * _STEM), _BOX, _STEM, _TIE, closed=True))
        return parts, rows

    def _placed(self, parts: Sequence[Part]) -> list[Spot]:
        edge = _EDGE + _STEM
        return spots(parts, self._parents, margin=edge, gap=_GAP, indent=_INDENT, apart=_APART)

    def _written(
        self, node: Node, run: Sequence[int], rows: Sequence[int], wrap: int
    ) -> list[tuple[int, int, Label]]:  # fmt: skip
        """Returns the lines of an edge with their places: part and row."""
        if node.parent < 0:
            return []
        lines: Sequence[Label] = self._texts.lines(node.twig, wrap)
        if node.twig.kind is RowKind.TOMBSTONE:
            room = sum(rows[part] for part in run) - 1
            said = lines if len(lines) <= room else fewer(lines, room) if room > 2 else [joined(lines)] * (room > 0)
            lines = [self._texts.evicted, *(line.fit(wrap) for line in said)]
        places = ((part, row) for part in run for row in range(rows[part]))
        return [(part, row, line) for (part, row), line in zip(places, lines, strict=False)]

    # -- panels ------------------------------------------------------------------------------------------------------

    def _pieces(
        self, shot: _Shot, wrap: int, parts: Sequence[Part], rows: Sequence[int], places: Sequence[Spot]
    ) -> list[Piece]:  # fmt: skip
        snapshot = shot.panel.snapshot
        shown = {node.twig.id for node in shot.nodes if node.parent < 0}
        pieces = []
        for root in snapshot.roots:  # also those that hold nothing now, or nothing yet
            number = self._roots.get(root.node.id)
            if number is not None and root.node.id not in shown:
                pieces.append(self._root(root.node.id, root.namespace, _box(parts[number], places[number])))
        names = {root.node.id: root.namespace for root in snapshot.roots}
        for node, name, run in zip(shot.nodes, shot.names, shot.runs, strict=True):
            twig, end = node.twig, run[-1]
            box = _box(parts[end], places[end])
            if node.parent < 0:
                pieces.append(self._root(twig.id or 0, names.get(twig.id or 0, ""), box))
                continue
            text = tuple(
                TextLine(
                    places[part].x + _INDENT,
                    _EDGE + places[part].y + _ABOVE + row * LINE + BASE,
                    line,
                    line.cells,
                )
                for part, row, line in self._written(node, run, rows, wrap)
                if line.spans
            )
            pieces.append(
                Piece(
                    id=twig.id or 0,
                    kind=_KINDS[twig.kind],
                    state=twig.state,
                    attribute=attribute_of(twig, snapshot.next_victim),
                    locks=twig.locks,
                    box=box,
                    edge=_edge(shot.runs[node.parent][-1], run, parts, places),
                    text=text,
                    badge=STATES[twig.state].glyph,
                    name=name,
                    tokens=twig.tokens,
                    whole=self._texts.whole(twig.key),
                )
            )
        return pieces

    def _root(self, id: int, namespace: str, box: Box) -> Piece:
        name = _called(namespace) if len(self._roots) > 1 else ""
        return Piece(id, "root", State.RESIDENT, Attribute.NONE, 0, box, (), (), "", name, 0, "")


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


def _demand(twig: Twig, lines: Sequence[Label]) -> int:
    """Returns the lines that an edge wants; a tombstone says that it is one, and something of what it said."""
    return 2 if twig.kind is RowKind.TOMBSTONE and any(line.spans for line in lines) else len(lines)


def _called(namespace: str) -> str:
    return label(namespace or "default").fit(_NAME).plain


def _px(cells: int) -> int:
    """Returns the px of so many cells, whatever the font."""
    return ceil(cells * CELL * _SLACK)


def _runs(nodes: Sequence[Node], ends: Sequence[Segment], number: Mapping[Segment, int]) -> list[list[int]]:
    """Returns the parts that each node runs through."""
    runs = []
    for node, end in zip(nodes, ends, strict=True):
        way = (end,) if node.parent < 0 else run_of(ends[node.parent], end)
        runs.append([number[segment] for segment in way])
    return runs


def _size(parts: Sequence[Part], places: Sequence[Spot]) -> tuple[int, int]:
    """Returns width and height of all parts, and what is around them."""
    pairs = list(zip(parts, places, strict=True))
    right = max((max(at.left + part.box_width, at.x + _INDENT + part.text_width) for part, at in pairs), default=0)
    return right + _EDGE, max((at.bottom for at in places), default=0) + 2 * _EDGE


def _box(part: Part, at: Spot) -> Box:
    return Box(at.left, at.top + _EDGE, part.box_width, part.box_height)


def _edge(
    above: int, run: Sequence[int], parts: Sequence[Part], places: Sequence[Spot]
) -> tuple[tuple[float, float], ...]:  # fmt: skip
    """Returns the way from a box to another: straight down, or to the right and down."""
    start, first = places[above], places[run[0]]
    if first.x == start.x:
        points = [(start.x, start.bottom)]
    else:
        tie = start.top + parts[above].tie
        points = [(start.left + parts[above].box_width, tie), (first.x, tie)]
    for one, other in pairwise(run):
        if places[one].x != places[other].x:  # other nodes stand straight below, in other panels
            tie = places[one].top + parts[one].tie
            points += [(places[one].x, tie), (places[other].x, tie)]
    points.append((places[run[-1]].x, places[run[-1]].top))
    return tuple((x, y + _EDGE) for x, y in points)
