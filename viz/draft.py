"""What a node-link figure draws and how much room each part of it wants, before anything is placed or painted.

A *draft* holds the nodes of one snapshot with their names and texts; a *form* says how big they are drawn. What has
stood somewhere keeps the room it had, and what is new takes no more than the column it stands in, so that `tidy` can
leave things where they are. Knows cells; no colours, no characters of lines.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rich.cells import cell_len

from ..radix.keys import Key
from ..radix.snapshots import Snapshot, State
from .labels import Kind, Label, Labels, Span, label, lettered
from .picture import Look
from .shown import shown_trees
from .states import MORE, STATES, UNCACHED
from .tidy import Part, Spot, spots
from .turns import fewer, turns
from .twigs import RowKind, Twig

INDENT = 2
"""Cells from a stem to its text."""

MOST_TEXT = 30
"""Cells that a line takes where there is room."""

REST = 10
"""The most cells for what is not cached yet."""

_MARGIN = 4  # cells of a box left of its stem
_ROOT_STEM = 2  # the same for the box of a root
_GAP = 2  # between neighbours
_APART = 4  # between the trees of two namespaces
_LEAST_TEXT = 8  # cells kept for every text
_NAME = 24  # cells of a name
_SPARE = 4  # cells kept in a box for an attribute, or for more tokens
_COLUMN = INDENT + _LEAST_TEXT  # cells kept right of every stem, also below nodes, for children to come
_MANY = 300  # parts from which on texts are not measured, and get one line each
_REMEMBERED = 20_000  # edges whose lines are kept


class Form(NamedTuple):
    """How big parts are drawn."""

    tall: bool  # boxes of three rows; else of one
    lines: int  # the most lines of an edge
    text: int  # the most cells kept for a line; it takes more where there is room


# Forms from the best down: how they begin, and the cells kept for a line.
_SHAPES = ((True, 6), (False, 6), (False, 4), (False, 3), (False, 2), (False, 1))
_MANY_SHAPES = ((True, 1), (False, 1))
TEXTS = (MOST_TEXT, 24, 20, 16, 14, 12, 10, 8)
TEXT = 20
"""Cells kept for a line when no width is given."""

PartKey = tuple[RowKind, int | None]  # what a part is remembered by


class Kept(NamedTuple):
    """Where a part stood, and the room it had."""

    x: int  # of its stem
    part: Part


class _Size(NamedTuple):
    """What a part takes in whatever form."""

    text: int  # cells kept for its text, if the form has them
    wish: int  # cells its text takes where there is room
    lines: int  # of its text
    box: int  # cells of a box of three rows
    low: int  # cells of a box of one row


@dataclass(slots=True)
class Node:
    """A box to be."""

    twig: Twig
    parent: int  # its number; -1 for roots
    depth: int
    key: PartKey
    children: list[int] = field(default_factory=list)


def nodes_of(snapshot: Snapshot, folded: Collection[int]) -> list[Node]:
    """Returns roots, nodes and tombstones, parents first, siblings in order; one root at least."""
    nodes: list[Node] = []
    for tree in shown_trees(snapshot, folded):
        stack = [(tree, -1, 0)]
        while stack:
            twig, parent, depth = stack.pop()
            number = len(nodes)
            key = (RowKind.NODE if twig.kind is RowKind.FOLD else twig.kind, twig.id)
            nodes.append(Node(twig, parent, depth, key))
            if parent >= 0:
                nodes[parent].children.append(number)
            stack.extend((child, number, depth + 1) for child in reversed(twig.children))
    living = {node.key for node in nodes}
    for node in nodes:
        if node.key[0] is RowKind.TOMBSTONE and (RowKind.NODE, node.key[1]) not in living:
            node.key = (RowKind.NODE, node.key[1])  # it was this node a moment ago
            living.add(node.key)
    return nodes


class Texts:
    """The lines of edges, broken once each; figures that follow each other share them."""

    def __init__(self, pieces: Mapping[int, bytes], look: Look) -> None:
        self.labels = Labels.of(pieces, look)
        self._lines: dict[Key, tuple[Label, ...]] = {}
        self._cells: dict[Key, int] = {}

    @classmethod
    def after(cls, last: Texts | None, pieces: Mapping[int, bytes], look: Look) -> Texts:
        """Returns the texts of the figure before, if they are the same for this look."""
        return last if last is not None and last.labels.are(pieces, look) else cls(pieces, look)

    def lines(self, key: Key) -> tuple[Label, ...]:
        """Returns all lines of an edge."""
        lines = self._lines.get(key)
        if lines is None:
            if len(self._lines) > _REMEMBERED:
                self._lines.clear()
                self._cells.clear()
            lines = self._lines[key] = turns(self.labels, key)
        return lines

    def cells(self, twig: Twig) -> int:
        """Returns how wide the longest line of an edge is."""
        cells = self._cells.get(twig.key)
        if cells is None:
            cells = self._cells[twig.key] = max((line.cells for line in self.lines(twig.key)), default=0)
        if twig.uncached:
            lines = self.lines(twig.key)
            cells = max(cells, (lines[-1].cells + 1 if lines else 0) + self.rest(twig.uncached, REST).cells)
        return cells

    def shown(self, twig: Twig, most: int) -> Sequence[Label]:
        """Returns the lines of an edge, no more than `most`."""
        return fewer(self.lines(twig.key), most, ascii=self.labels.ascii)

    def rest(self, key: Key, width: int) -> Label:
        """Returns what has no KV yet, with its sign."""
        sign = UNCACHED.ascii if self.labels.ascii else UNCACHED.glyph
        return Label((Span(sign, Kind.MARK), *self.labels.fit(key, width - 1).spans))


class Draft:
    """What all forms of one figure share: what to call nodes, how long their texts are, and where they stood."""

    def __init__(
        self,
        nodes: Sequence[Node],
        texts: Texts,
        look: Look,
        letters: Mapping[int, str] | None,
        before: Mapping[PartKey, Kept],
    ) -> None:
        self.nodes = nodes
        self.texts = texts
        self.names = names(nodes, letters, look.ascii)
        self.many = len(nodes) > _MANY
        self.kept = [before.get(node.key) for node in nodes]
        self._parents = [node.parent for node in nodes]
        self._sizes = [self._size(node, name) for node, name in zip(nodes, self.names, strict=True)]

    def shapes(self, height: int | None) -> list[tuple[bool, int]]:
        """Returns the beginnings of forms that are worth a try, the best first; all are low enough if any is."""
        known = _MANY_SHAPES if self.many else _SHAPES
        low = [shape for shape in known if height is None or self._height(Form(*shape, 0)) <= height]
        return (low or list(known[-1:]))[:2]

    def wish(self, number: int) -> int:
        """Returns the cells a text takes where there is room."""
        return self._sizes[number].wish

    def placed(self, form: Form, kept: Sequence[Kept | None]) -> tuple[list[Part], list[Spot]]:
        """Places everything in one form, what is kept where it was."""
        parts: list[Part] = []
        within: set[int] = set()  # new nodes that stand in the column of an old one
        for number, node in enumerate(self.nodes):
            part, at = self._part(number, form), kept[number] if kept else None
            if not kept or node.parent < 0:
                pass
            elif at is not None:
                part = self._like(part, at.part, number)
            elif node.children and (tail := kept[node.children[0]]) is not None:
                part = self._inside(part, tail.part, number)
            elif self._is_first(number) and (kept[node.parent] is not None or node.parent in within):
                within.add(number)
                above = kept[node.parent]
                part = self._inside(part, parts[node.parent] if above is None else above.part, number)
            parts.append(part)
        return parts, spots(
            parts,
            self._parents,
            margin=_MARGIN,
            gap=_GAP,
            indent=INDENT,
            apart=_APART,
            kept=[None if at is None else at.x for at in kept] if kept else None,
        )

    def _is_first(self, number: int) -> bool:
        """Returns whether a node is the first child of another."""
        parent = self.nodes[number].parent
        return parent >= 0 and self.nodes[parent].parent >= 0 and self.nodes[parent].children[0] == number

    def _height(self, form: Form) -> int:
        """Returns how many lines a form takes."""
        ends: list[int] = []
        box = 3 if form.tall else 1
        for size, parent in zip(self._sizes, self._parents, strict=True):
            ends.append((ends[parent] if parent >= 0 else 0) + min(size.lines, form.lines) + box)
        return max(ends)

    def _part(self, number: int, form: Form) -> Part:
        """Returns what a node takes where it has all the room it wants."""
        size, node = self._sizes[number], self.nodes[number]
        text, lines = min(size.text, form.text), min(size.lines, form.lines)
        leaf = not any(self.nodes[child].twig.kind is not RowKind.TOMBSTONE for child in node.children)
        root, gone = node.parent < 0, node.twig.kind is RowKind.TOMBSTONE
        column = 0 if root or gone else max(_COLUMN, INDENT + text) if leaf else _COLUMN
        if form.tall:
            return Part(text, lines, size.box, 3, _ROOT_STEM if root else _MARGIN, 1, column, gone)
        return Part(text, lines, size.low, 1, 1, 0, column, gone)

    def _like(self, part: Part, old: Part, number: int) -> Part:
        """Returns a part in the room it had before, unless it must hold more."""
        if part.box_height != old.box_height:
            return part
        box = max(old.box_width, part.box_width - self._spare(number))
        if part.column > _COLUMN:  # a leaf, which may grow
            return part._replace(text_width=old.text_width, box_width=box, column=old.column)
        text, column = min(part.text_width, old.text_width), min(part.column, old.column)
        return part._replace(text_width=text, box_width=box, column=column)

    def _inside(self, part: Part, old: Part, number: int) -> Part:
        """Returns a part in the column of another one, unless it must hold more."""
        column = min(part.column, old.column)
        room = max(old.column, INDENT + old.text_width)
        box = max(min(part.box_width, part.stem + room), part.box_width - self._spare(number))
        return part._replace(text_width=min(part.text_width, room - INDENT), box_width=box, column=column)

    def _spare(self, number: int) -> int:
        """Returns how many cells of a box may be missing."""
        return _SPARE if self.nodes[number].twig.kind in (RowKind.NODE, RowKind.TOMBSTONE) else 0

    def _size(self, node: Node, name: str) -> _Size:
        twig, cells = node.twig, cell_len(name)
        if twig.kind is RowKind.NAMESPACE:
            return _Size(0, 0, 0, max(cells, 1) + 4, max(cells, 1) + 2)
        lines, text = 1, 4 * twig.tokens
        if not self.many:  # else texts are not read before they are painted
            lines, text = len(self.texts.lines(twig.key)), self.texts.cells(twig)
        text = min(max(_LEAST_TEXT, text), MOST_TEXT)
        if twig.kind is RowKind.FOLD:
            return _Size(text, text, lines, cells + 6, cells + 4)
        box = 2 + cells + (1 if cells else 0) + len(f"{twig.tokens:,}")  # a sign, the name, the tokens
        if twig.kind is RowKind.TOMBSTONE:
            word = cell_len(STATES[State.EVICTED].word)  # beside or above all that it said
            said = text * max(lines, 1) if self.many else sum(line.cells for line in self.texts.lines(twig.key))
            return _Size(word, min(word + 1 + said, MOST_TEXT), max(lines, 1), box + _SPARE + 2, box + _SPARE + 1)
        return _Size(text, text, max(lines, 1), box + _SPARE + 2, box + _SPARE + 1)


def names(nodes: Sequence[Node], letters: Mapping[int, str] | None, ascii: bool) -> list[str]:
    """Returns what to call each node; letters are safe to print then."""
    known = lettered(letters, ascii=ascii, width=_NAME)
    called = []
    for node in nodes:
        twig = node.twig
        if twig.kind is RowKind.NAMESPACE:
            called.append(label(twig.note, ascii=ascii).fit(_NAME, ascii=ascii).plain)
        elif twig.kind is RowKind.FOLD:
            called.append(f"{MORE.ascii if ascii else MORE.glyph} {twig.nodes:,} nodes, {twig.tokens:,} tok")
        else:
            called.append(f"#{twig.id}" if letters is None else known.get(twig.id or 0, ""))
    return called
