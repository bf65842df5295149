"""The node-link figure: boxes under the text of their edges, with the look of the RadixAttention paper's panels.

The hidden root is an unlabelled box at the top; texts stand on edges, one line per turn; a box shows the node's state,
its letter or id, its tokens (``3/5``: a match ended inside) and its attribute. What was evicted is dashed and makes
room for nothing: its text takes what its neighbours leave. `tidy` says where everything goes and what stays where it
is when a tree changes; on top of its promises, no box changes its size or place because a node was used, locked or
evicted. Knows no widget and no terminal.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from ..radix.keys import Key
from ..radix.snapshots import Snapshot, State
from .cells import Brush, Run, label_runs, line_of
from .labels import Kind, Label, Labels, Span, label
from .picture import Direction, Look, Picture, Place
from .states import ATTRIBUTES, MORE, STATES, UNCACHED, Attribute
from .tidy import Part, Spot, height, spots
from .turns import fewer, joined, turns
from .twigs import RowKind, Twig, in_order, trees_of

_MARGIN = 6  # cells left of the first stem; no box reaches further left of its stem
_INDENT = 2  # from a stem to its text
_GAP = 2  # between neighbours
_APART = 4  # between the trees of two namespaces
_LEAST_TEXT = 7  # cells kept for every text: "evicted" fits
_MOST_TEXT = 30  # cells that a line takes where there is room
_NAME = 24  # cells of a namespace's name
_MANY = 300  # nodes from which on no width is tried but the first: it would not fit anyway
_LEAST_EPITAPH = 4  # cells from which on the text of a tombstone says anything
_REST = 10  # cells for what is not cached yet
_REMEMBERED = 20_000  # edges whose lines are kept
_STRENGTH = (State.NEW, State.REUSED, State.RESIDENT, State.EVICTED)
"""Whose colour a shared connector takes."""


class Form(NamedTuple):
    """How big parts are drawn."""

    tall: bool  # boxes of three rows; else of one
    lines: int  # the most lines of an edge
    text: int  # the most cells kept for a line; it takes more where there is room


_HEIGHTS = ((True, 6), (False, 6), (False, 4), (False, 3), (False, 2), (False, 1))
_TEXTS = (30, 24, 20, 16, 12)
_TEXT = 20
"""Cells kept for a line when no width is given."""

_Key = tuple[RowKind, int | None]  # what a part is remembered by


class _Strokes(NamedTuple):
    """The characters of lines."""

    down: str
    across: str
    corners: tuple[str, str, str, str]  # of a box: top left, top right, bottom left, bottom right
    into: str  # a stem reaches a box
    out: str  # a stem leaves a box, or a connector has a branch
    start: str  # a connector leaves a box
    turn: str  # the last branch of a connector


_SOLID = _Strokes("│", "─", ("┌", "┐", "└", "┘"), "┴", "┬", "├", "┐")
_DASHED = _SOLID._replace(down="╎", across="╌")
_ASCII = _Strokes("|", "-", ("+", "+", "+", "+"), "+", "+", "+", "+")
_ASCII_DASHED = _ASCII._replace(down=":", across=".")


def figure(
    snapshot: Snapshot,
    pieces: Mapping[int, bytes],
    *,
    look: Look,
    folded: Collection[int] = frozenset(),
    before: Picture | None = None,
    height: int | None = None,
    width: int | None = None,
    letters: Mapping[int, str] | None = None,
) -> Figure:
    """Lays out a tree as a node-link diagram.

    Args:
        snapshot: The state to draw.
        pieces: The bytes of each token id.
        look: How to paint.
        folded: Ids of nodes below which one small box stands for everything.
        before: The figure shown before: nodes keep their places, and the figure its form as long as that fits.
        height: The lines there are: boxes and then texts become lower until the figure fits, if it can.
        width: The cells there are: texts become shorter until the figure fits, if it can.
        letters: What to call nodes by id, as the paper's panels do; None calls each by its number.
    """
    last = before if isinstance(before, Figure) else None
    room = (height, width)
    draft = _Draft(_nodes(snapshot, folded), _Texts.after(last, pieces, look), look, letters, last)
    forms = _forms(draft, height, width)
    kept = None
    if last is not None and any(draft.kept):
        form = last.form if last.room == room and last.form in forms else forms[0]
        kept = Figure(snapshot, look, room, form, draft, draft.kept)
        if kept.fits:
            return kept
    for form in forms:
        drawn = Figure(snapshot, look, room, form, draft)
        if drawn.fits:
            return drawn
    return kept or drawn


def _forms(draft: _Draft, height: int | None, width: int | None) -> list[Form]:
    """Returns the forms that are worth a try, the best first; all are low enough if any is."""
    low = [form for form in _HEIGHTS if height is None or draft.height(Form(*form, 0)) <= height]
    texts = _TEXTS if width is not None and len(draft.nodes) <= _MANY else (_TEXT,)
    return [Form(*form, text) for form in (low or _HEIGHTS[-1:])[:2] for text in texts]


# -- what is drawn -----------------------------------------------------------------------------------------------------


class _Kept(NamedTuple):
    """Where a part stood."""

    x: int  # of its stem
    stem: int  # where that met the box


@dataclass(slots=True)
class _Node:
    """A box to be."""

    twig: Twig
    parent: int  # its number; -1 for roots
    depth: int
    key: _Key
    children: list[int] = field(default_factory=list)


def _nodes(snapshot: Snapshot, folded: Collection[int]) -> list[_Node]:
    """Returns roots, nodes and tombstones, parents first, siblings in order; one root at least."""
    trees = trees_of(snapshot, None)
    shown = [tree for tree in trees if tree.children] or trees[:1]
    nodes: list[_Node] = []
    for tree in shown:
        if len(shown) == 1:
            tree.note = ""
        elif not tree.note:
            tree.note = "default"
        stack = [(tree, -1, 0)]
        while stack:
            twig, parent, depth = stack.pop()
            if twig.id in folded and twig.children and twig is not tree:
                twig.children = [_fold(twig)]
            number = len(nodes)
            nodes.append(_Node(twig, parent, depth, (twig.kind, twig.id)))
            if parent >= 0:
                nodes[parent].children.append(number)
            stack.extend((child, number, depth + 1) for child in reversed(twig.children))
    living = {node.key for node in nodes}
    for node in nodes:
        if node.key[0] is RowKind.TOMBSTONE and (RowKind.NODE, node.key[1]) not in living:
            node.key = (RowKind.NODE, node.key[1])  # it was this node a moment ago
            living.add(node.key)
    return nodes


def _fold(top: Twig) -> Twig:
    """Returns the one twig that stands for all below a node."""
    fold = Twig(RowKind.FOLD, top.id, b"", 0, State.RESIDENT)
    every = list(in_order(top))
    fold.nodes = len(every)
    fold.tokens = sum(twig.tokens for twig in every)
    fold.state = min((twig.state for twig in every), key=_STRENGTH.index)
    return fold


class _Texts:
    """The lines of edges, broken once each; figures that follow each other share them."""

    def __init__(self, pieces: Mapping[int, bytes], look: Look) -> None:
        self.labels = Labels(pieces, pills=look.pills, ascii=look.ascii)
        self._lines: dict[Key, tuple[Label, ...]] = {}
        self._cells: dict[Key, int] = {}

    @classmethod
    def after(cls, last: Figure | None, pieces: Mapping[int, bytes], look: Look) -> _Texts:
        """Returns the texts of the figure before, if they are the same for this look."""
        if last is not None:
            labels = last.texts.labels
            if labels.pieces is pieces and (labels.pills, labels.ascii) == (look.pills, look.ascii):
                return last.texts
        return cls(pieces, look)

    def lines(self, key: Key) -> tuple[Label, ...]:
        """Returns all lines of an edge."""
        lines = self._lines.get(key)
        if lines is None:
            if len(self._lines) > _REMEMBERED:
                self._lines.clear()
                self._cells.clear()
            lines = self._lines[key] = turns(self.labels, key)
        return lines

    def cells(self, key: Key) -> int:
        """Returns how wide the longest line of an edge is."""
        cells = self._cells.get(key)
        if cells is None:
            cells = self._cells[key] = max((line.cells for line in self.lines(key)), default=0)
        return cells

    def shown(self, twig: Twig, most: int) -> Sequence[Label]:
        """Returns the lines of an edge, no more than `most`."""
        return fewer(self.lines(twig.key), most, ascii=self.labels.ascii)

    def rest(self, key: Key, width: int) -> Label:
        """Returns what has no KV yet, with its sign."""
        sign = UNCACHED.ascii if self.labels.ascii else UNCACHED.glyph
        return Label((Span(sign, Kind.MARK), *self.labels.fit(key, width - 1).spans))


class _Draft:
    """What all forms of one figure share."""

    def __init__(
        self, nodes: Sequence[_Node], texts: _Texts, look: Look, letters: Mapping[int, str] | None, last: Figure | None
    ) -> None:
        self.nodes = nodes
        self.texts = texts
        self.parents = [node.parent for node in nodes]
        self.names = _names(nodes, letters, look.ascii)
        self.kept = [None if last is None else last.kept.get(node.key) for node in nodes]
        self.kept_tall = last is not None and last.form.tall

    def height(self, form: Form) -> int:
        """Returns how many lines a form takes."""
        return height([self._part(node, name, form, None) for node, name in self._named()], self.parents)

    def placed(self, form: Form, kept: Sequence[_Kept | None]) -> tuple[list[Part], list[Spot]]:
        """Places everything in one form, what is kept where it was."""
        parts = [self._part(node, name, form, at) for (node, name), at in zip(self._named(), kept, strict=True)]
        return parts, spots(
            parts,
            self.parents,
            margin=_MARGIN,
            gap=_GAP,
            indent=_INDENT,
            apart=_APART,
            kept=[None if at is None else at.x for at in kept],
        )

    def _named(self) -> Iterator[tuple[_Node, str]]:
        return zip(self.nodes, self.names, strict=True)

    def _part(self, node: _Node, name: str, form: Form, kept: _Kept | None) -> Part:
        twig, cells = node.twig, cell_len(name)
        text, lines = 0, 1
        if twig.kind is RowKind.NAMESPACE:
            box, lines = max(cells, 1) + 4, 0
        elif twig.kind is RowKind.FOLD:
            box = cells + 4
        else:
            cells += 2 + (1 if cells else 0) + len(f"{twig.tokens:,}")
            box = cells + (6 if form.tall else 5)  # with room for an attribute
            lines = max(1, min(form.lines, len(self.texts.lines(twig.key))))
            text = _LEAST_TEXT
            if twig.kind is RowKind.NODE:
                text = max(text, min(form.text, self.natural(node)))
        stem = min((box - 1) // 2, _MARGIN) if form.tall else 1
        if kept is not None and form.tall and self.kept_tall:
            stem = kept.stem
        return Part(text, lines, max(box, stem + 2), 3 if form.tall else 1, stem, 1 if form.tall else 0)

    def natural(self, node: _Node) -> int:
        """Returns the cells a text takes where there is room."""
        twig = node.twig
        if twig.kind in (RowKind.NAMESPACE, RowKind.FOLD):
            return 0
        cells = self.texts.cells(twig.key)
        if twig.uncached:
            lines = self.texts.lines(twig.key)
            cells = max(cells, (lines[-1].cells + 1 if lines else 0) + self.texts.rest(twig.uncached, _REST).cells)
        return min(cells, _MOST_TEXT)


def _names(nodes: Sequence[_Node], letters: Mapping[int, str] | None, ascii: bool) -> list[str]:
    """Returns what to call each node."""
    known = {id: label(name, ascii=ascii).fit(_NAME, ascii=ascii).plain for id, name in (letters or {}).items()}
    names = []
    for node in nodes:
        twig = node.twig
        if twig.kind is RowKind.NAMESPACE:
            names.append(label(twig.note, ascii=ascii).fit(_NAME, ascii=ascii).plain)
        elif twig.kind is RowKind.FOLD:
            names.append(f"{MORE.ascii if ascii else MORE.glyph} {twig.nodes:,} nodes, {twig.tokens:,} tok")
        else:
            names.append(f"#{twig.id}" if letters is None else known.get(twig.id or 0, ""))
    return names


# -- the figure --------------------------------------------------------------------------------------------------------


class Figure:
    """A tree as a node-link diagram in cells; made by `figure`.

    Attributes:
        width: Cells of the widest line.
        height: Lines.
        form: How big its parts are.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        look: Look,
        room: tuple[int | None, int | None],
        form: Form,
        draft: _Draft,
        kept: Sequence[_Kept | None] | None = None,
    ) -> None:
        self.room = room
        self.form = form
        self.texts = draft.texts
        self._draft = draft
        self._nodes = draft.nodes
        self._parts, self._spots = draft.placed(form, kept or [None] * len(draft.nodes))
        self._victim = snapshot.next_victim
        self._brush = Brush(look)
        self._strokes = (_ASCII, _ASCII_DASHED) if look.ascii else (_SOLID, _DASHED)
        every = list(zip(self._nodes, self._parts, self._spots, strict=True))
        self.kept = {node.key: _Kept(spot.x, part.stem) for node, part, spot in every}
        self._numbers = {node.key[1]: number for number, node in enumerate(self._nodes) if node.key[0] is RowKind.NODE}
        self._by_row: dict[int, list[int]] | None = None
        self._by_depth: dict[int, list[int]] | None = None
        least = max(max(spot.x + _INDENT + part.text_width, spot.left + part.box_width) for _, part, spot in every)
        most = max(least, *(spot.x + _INDENT + draft.natural(node) for node, _, spot in every))
        self.width = most if room[1] is None else max(least, min(most, room[1]))
        self.height = max(spot.bottom for spot in self._spots)

    @property
    def fits(self) -> bool:
        """Whether it is no higher and no wider than asked for."""
        height, width = self.room
        return (height is None or self.height <= height) and (width is None or self.width <= width)

    # -- asking --------------------------------------------------------------------------------------------------------

    def place(self, node: int) -> Place | None:
        """Returns where a node's box stands, None when it is not shown."""
        number = self._numbers.get(node)
        if number is None:
            return None
        spot, part = self._spots[number], self._parts[number]
        return Place(spot.left, spot.top, self._box_width(number), part.box_height)

    def node_at(self, x: int, y: int) -> int | None:
        """Returns the id of the node whose box or text is in a cell; what is folded counts as what it hangs below."""
        for number in self._rows().get(y, ()):
            node, spot, part = self._nodes[number], self._spots[number], self._parts[number]
            if node.twig.kind is RowKind.NAMESPACE:
                continue
            if y < spot.top:
                left, right = spot.x, spot.x + (_INDENT + part.text_width if part.text_width else 1)
            else:
                left, right = spot.left, spot.left + self._box_width(number)
            if left <= x < right:
                return node.twig.id
        return None

    def beside(self, node: int, way: Direction) -> int | None:
        """Returns the parent, the first child, or the neighbour at the same depth: siblings first, then cousins."""
        number = self._numbers.get(node)
        if number is None:
            return None
        here = self._nodes[number]
        if way is Direction.UP:
            return self._id(here.parent)
        if way is Direction.DOWN:
            return next((id for child in here.children if (id := self._id(child)) is not None), None)
        level = self._levels()[here.depth]
        at = level.index(node) + (1 if way is Direction.RIGHT else -1)
        return level[at] if 0 <= at < len(level) else None

    def first(self) -> int | None:
        """Returns the first node, None when there is none."""
        return next((id for number in range(len(self._nodes)) if (id := self._id(number)) is not None), None)

    def _id(self, number: int) -> int | None:
        """Returns the id by which a part is found, None for roots, folds and the ends of nodes that stayed."""
        if number < 0:
            return None
        kind, id = self._nodes[number].key
        return id if kind is RowKind.NODE else None

    def _levels(self) -> dict[int, list[int]]:
        if self._by_depth is None:
            self._by_depth = {}
            for number, node in enumerate(self._nodes):
                if (id := self._id(number)) is not None:
                    self._by_depth.setdefault(node.depth, []).append(id)
        return self._by_depth

    def _rows(self) -> dict[int, list[int]]:
        """Returns the parts that have something in each row."""
        if self._by_row is None:
            self._by_row = {}
            for number, spot in enumerate(self._spots):
                for y in range(spot.y, spot.bottom):
                    self._by_row.setdefault(y, []).append(number)
        return self._by_row

    # -- painting ------------------------------------------------------------------------------------------------------

    def line(self, y: int) -> Text:
        """Paints one line: stems, boxes and connectors, then texts in the room between them."""
        runs: list[Run] = []
        texts: list[int] = []
        for number in self._rows().get(y, ()):
            node, spot = self._nodes[number], self._spots[number]
            if y < spot.top:
                runs.append(Run(spot.x, self._line_of(node).down, self._stem(node)))
                texts.append(number)
            else:
                runs += self._box(number, y - spot.top)
                runs += self._connector(number, y - spot.top)
        taken = sorted(run.x for run in runs)
        for number in texts:
            spot = self._spots[number]
            after = bisect_right(taken, spot.x)
            end = taken[after] - 1 if after < len(taken) else self.width
            x = spot.x + _INDENT
            runs += self._text(number, y - spot.y, x, min(end - x, _MOST_TEXT))
        return line_of(runs)

    def _line_of(self, node: _Node) -> _Strokes:
        return self._strokes[node.twig.kind is RowKind.TOMBSTONE]

    def _stem(self, node: _Node) -> Style:
        state = node.twig.state
        return self._brush.line if state is State.RESIDENT else self._brush.stroke(state)

    def _text(self, number: int, row: int, x: int, room: int) -> list[Run]:
        """Writes one line beside a stem."""
        node, brush = self._nodes[number], self._brush
        twig = node.twig
        if twig.kind is RowKind.TOMBSTONE:
            return self._epitaph(number, row, x, room)
        if twig.kind is not RowKind.NODE:
            return []
        lines = self.texts.shown(twig, self.form.lines)
        line = lines[row] if row < len(lines) else Label(())
        rest = Label(())
        if twig.uncached and row == self._parts[number].text_height - 1:
            rest = self.texts.rest(twig.uncached, min(_REST, max(2, room // 2)))
            rest = Label((Span(" ", Kind.MARK), *rest.spans)) if line.spans else rest
        line = line.fit(room - rest.cells, ascii=brush.ascii)
        text = brush.text if twig.state is State.RESIDENT else brush.stroke(twig.state)
        return [*label_runs(x, line, text, brush.faint), *label_runs(x + line.cells, rest, brush.faint, brush.faint)]

    def _epitaph(self, number: int, row: int, x: int, room: int) -> list[Run]:
        """Writes that a node was evicted, and below what it said, or beside when its edge has one line only."""
        brush, style = self._brush, self._brush.stroke(State.EVICTED)
        runs = []
        if row == 0:
            word = STATES[State.EVICTED].word[:room]
            runs.append(Run(x, word, style))
            x, room = x + len(word) + 1, room - len(word) - 1
        if row == min(1, self._parts[number].text_height - 1) and room >= _LEAST_EPITAPH:
            text = joined(self.texts.lines(self._nodes[number].twig.key)).fit(room, ascii=brush.ascii)
            runs += label_runs(x, text, style + brush.strike, brush.faint + brush.strike)
        return runs

    def _box_width(self, number: int) -> int:
        if self.form.tall:
            return self._parts[number].box_width
        return 2 + sum(cell_len(text) for text, _ in self._content(number))

    def _box(self, number: int, row: int) -> list[Run]:
        node, spot, part = self._nodes[number], self._spots[number], self._parts[number]
        strokes, border = self._line_of(node), self._border(node)
        if not self.form.tall:
            sides = (strokes.down, strokes.down) if strokes is not self._strokes[0] else ("[", "]")
            return self._between(number, sides, border, 0)
        if row == 1:
            sides = (strokes.down, strokes.start if self._branches(number) else strokes.down)
            return self._between(number, sides, border, part.box_width - 2)
        left, right = strokes.corners[row : row + 2]
        cells = list(strokes.across * (part.box_width - 2))
        if row == 0 and node.parent >= 0:
            cells[part.stem - 1] = strokes.into
        if row == 2 and any(self._spots[child].x == spot.x for child in node.children):
            cells[part.stem - 1] = strokes.out
        return [Run(spot.left, f"{left}{''.join(cells)}{right}", border)]

    def _between(self, number: int, sides: tuple[str, str], border: Style, room: int) -> list[Run]:
        """Writes what is in a box, in the middle of the room, between its sides."""
        node, x = self._nodes[number], self._spots[number].left
        content = self._content(number)
        fill = self._brush.fill(node.twig.state)
        cells = sum(cell_len(text) for text, _ in content)
        before = max(0, (room - cells) // 2)
        after = max(0, room - cells - before)
        runs = []
        for text, style in (
            (sides[0], border),
            (" " * before, fill),
            *content,
            (" " * after, fill),
            (sides[1], border),
        ):
            if text:
                runs.append(Run(x, text, style))
                x += cell_len(text)
        return runs

    def _border(self, node: _Node) -> Style:
        attribute = self._attribute(node)
        return self._brush.stroke(node.twig.state if attribute is Attribute.NONE else attribute)

    def _attribute(self, node: _Node) -> Attribute:
        twig = node.twig
        if twig.kind is not RowKind.NODE:
            return Attribute.NONE
        if twig.locks:
            return Attribute.LOCKED
        return Attribute.NEXT_VICTIM if twig.id == self._victim else Attribute.NONE

    def _content(self, number: int) -> list[tuple[str, Style]]:
        """Returns what is in a box, never wider than the room kept for it."""
        node, brush = self._nodes[number], self._brush
        twig, name = node.twig, self._draft.names[number]
        fill = brush.fill(twig.state)
        if twig.kind in (RowKind.NAMESPACE, RowKind.FOLD):
            return [(name or " ", fill)]
        count = f"{twig.tokens:,}"
        most = len(count) + (4 if self.form.tall else 3)
        walked = f"{twig.walked:,}/{count}" if 0 < twig.walked < twig.tokens else count
        attribute = self._attribute(node)
        sign = brush.glyph(ATTRIBUTES[attribute])
        if attribute is Attribute.NONE:
            sign = ""
        elif attribute is Attribute.LOCKED:
            sign = f" {sign}{twig.locks:,}" if twig.locks < 100 else f" {sign}+"
        else:
            sign = f" {sign}"
        counted = next(text for text in (walked, count) if len(text) + len(sign) <= most or text is count)
        parts = [(f"{brush.glyph(STATES[twig.state])} ", brush.sign(twig.state))]
        if name:
            parts.append((f"{name} ", fill + brush.bold))
        parts.append((counted, fill))
        if sign:
            parts.append((sign, brush.badge(attribute, twig.state)))
        return parts

    # -- connectors ----------------------------------------------------------------------------------------------------

    def _branches(self, number: int) -> list[int]:
        """Returns the children that do not stand straight below."""
        x = self._spots[number].x
        return [child for child in self._nodes[number].children if self._spots[child].x != x]

    def _connector(self, number: int, row: int) -> list[Run]:
        """Paints what leads from a box to the children that do not stand straight below it."""
        part, branches = self._parts[number], self._branches(number)
        if not branches or row < part.tie:
            return []
        if row > part.tie:
            return [
                Run(self._spots[one].x, self._line_of(self._nodes[one]).down, self._stem(self._nodes[one]))
                for one in branches
            ]
        start = self._spots[number].left + self._box_width(number)
        runs: list[Run] = []
        strongest = State.EVICTED
        xs = [start - 1, *(self._spots[one].x for one in branches)]
        for one, (left, x) in zip(reversed(branches), reversed(list(pairwise(xs))), strict=True):
            node = self._nodes[one]
            strongest = min(strongest, node.twig.state, key=_STRENGTH.index)
            strokes = self._strokes[strongest is State.EVICTED]
            style = self._brush.line if strongest is State.RESIDENT else self._brush.stroke(strongest)
            end = strokes.turn if one == branches[-1] else strokes.out
            runs.append(Run(left + 1, strokes.across * (x - left - 1) + end, style))
        return runs
