"""The rail outline as a picture: one line per node, laid out and painted where somebody looks.

A picture of a new snapshot costs the nodes that changed since the one before it and the lines that are asked for. Rows
and their order are those of `rail`, paint is that of `plain`. Knows no cursor and no marks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from rich.text import Text

from ..radix.snapshots import Snapshot
from .grove import Grove, index_of, tend
from .labels import Labels, lettered
from .picture import Direction, Look, Place
from .plain import Needs, RowPainter, memory_text
from .rail import Row, row_of, spots
from .twigs import Most, RowKind, Twig, headings

CHUNK = 64
"""Lines laid out at a time."""

_MEMORY = 7  # cells of its column: what is more may read shorter, such as "9.9 KiB" and "10 KiB"
_KEPT_LINES = 2000  # painted ones, to be used again


def outline(
    snapshot: Snapshot,
    pieces: Mapping[int, bytes],
    *,
    width: int,
    look: Look,
    bytes_per_token: int | None = None,
    folded: frozenset[int] = frozenset(),
    before: Outline | None = None,
    runs: int = 0,
    kept: frozenset[int] = frozenset(),
    letters: Mapping[int, str] | None = None,
    veiled: bool = False,
) -> Outline:
    """Returns the rail outline of a snapshot.

    Args:
        snapshot: The state to show.
        pieces: The bytes of each token id.
        width: The most cells of a line.
        look: How to paint.
        bytes_per_token: Memory of one token across all layers.
        folded: Ids of nodes that are shown as one row together with all below them.
        before: The picture before this one; it changes nothing but the cost.
        runs: Shows chains of at least this many untouched nodes with one child each as one row; 0: none.
        kept: Ids of nodes that are shown for all that.
        letters: What this picture calls nodes, by id.
        veiled: Whether ages are left out, because a question is open; see `veil` for the snapshot.
    """
    grove = Grove(snapshot, None if before is None else before._grove, runs, kept)
    return Outline(grove, snapshot, pieces, width, look, bytes_per_token, folded, before, letters, veiled)


class Outline:
    """A tree in rows; see `outline`."""

    def __init__(
        self,
        grove: Grove,
        snapshot: Snapshot,
        pieces: Mapping[int, bytes],
        width: int,
        look: Look,
        bytes_per_token: int | None,
        folded: frozenset[int],
        before: Outline | None,
        letters: Mapping[int, str] | None = None,
        veiled: bool = False,
    ) -> None:
        self._grove = grove
        self._letters = lettered(letters, ascii=look.ascii)
        self._snapshot = snapshot
        self._bytes_per_token = bytes_per_token
        self._trees, self._graves = tend(grove, snapshot.tombstones, folded)
        self._rows: dict[int, Row] = {}
        self._found: dict[int, _Found | None] = {}
        self._width = width
        self._height = sum(tree.starts[-1] for tree in self._trees) + headings(self._trees)
        needs = self._needs()
        self._brush = _Brush(needs._replace(age=None) if veiled else needs, pieces, width, look)
        if before is not None:
            self._brush = before._brush.fitting(self._brush)
        victim = None if snapshot.next_victim is None else self._descend(snapshot.next_victim)
        self._victim = victim.twig if victim is not None and victim.twig.kind is RowKind.FOLD else None

    @property
    def width(self) -> int:
        """Cells of a line at most."""
        return self._width

    @property
    def height(self) -> int:
        """Lines."""
        return self._height

    @property
    def nodes(self) -> int:
        """Resident nodes, whether shown or folded."""
        return sum(tree.weight for tree in self._grove.trees)

    def heading(self, title: str) -> Text:
        """Paints a line that names the columns."""
        return self._brush.painter.heading(title)

    def line(self, y: int) -> Text:
        """Returns line `y`, which other pictures may return too: leave it as it is."""
        return self._brush.line(self.row(y))

    def row(self, y: int) -> Row:
        """Returns what line `y` shows.

        Raises:
            IndexError: there is no such line.
        """
        if not 0 <= y < self._height:
            raise IndexError(f"line {y} of {self._height}")
        if y not in self._rows:
            for line, spot in enumerate(islice(spots(self._trees, y), CHUNK), y):
                row = row_of(spot, self._snapshot, self._bytes_per_token)
                if spot.twig is self._victim:
                    row = replace(row, next_victim=True)
                if row.node in self._letters and row.kind in (RowKind.NODE, RowKind.TOMBSTONE):
                    row = replace(row, letter=self._letters[row.node])
                self._rows[line] = row
        return self._rows[y]

    def place(self, node: int) -> Place | None:
        """Returns where sign and label of a node stand, None when they do not."""
        found = self._descend(node)
        if found is None or found.hidden:
            return None
        return self._label(found.lanes, found.y)

    def place_on(self, y: int) -> Place:
        """Returns where sign and label stand on a line."""
        return self._label(len(self.row(y).rail), y)

    def _label(self, lanes: int, y: int) -> Place:
        x = self._brush.painter.indent(lanes)
        return Place(x, y, self._brush.painter.room - x, 1)

    def node_at(self, x: int, y: int) -> int | None:
        """Returns the id on a line, wherever on it; headings have none."""
        if not (0 <= x < self._width and 0 <= y < self._height):
            return None
        row = self.row(y)
        return None if row.kind is RowKind.NAMESPACE else row.node

    def beside(self, node: int, way: Direction) -> int | None:
        """Returns the node a line up or down, the one above in the tree, or the one that goes on in the lane."""
        found = self._descend(node)
        if found is None:
            return None
        if way is Direction.LEFT:
            return found.parent
        if way is Direction.RIGHT:
            order = found.twig.order
            return order[-1].id if order and not found.hidden else None
        lines = range(found.y - 1, -1, -1) if way is Direction.UP else range(found.y + 1, self._height)
        return next((node for node in map(self._standing, lines) if node is not None), None)

    def first(self) -> int | None:
        """Returns the node of the first line that has one."""
        return next((node for node in map(self._standing, range(self._height)) if node is not None), None)

    def _standing(self, y: int) -> int | None:
        """Returns the node that stands on a line; the trimmed end of one has its id, but no place of its own."""
        node = self.node_at(0, y)
        found = None if node is None else self._descend(node)
        return node if found is not None and found.y == y else None

    # -- where things are ----------------------------------------------------------------------------------------------

    def _descend(self, node: int) -> _Found | None:
        """Finds a node, or the row that hides it; None when it is not in the tree."""
        if node not in self._found:
            self._found[node] = self._searched(node)
        return self._found[node]

    def _searched(self, node: int) -> _Found | None:
        ids = self._way(node)
        y = -1 if headings(self._trees) == 0 else 0
        for tree in self._trees:
            if tree.children and ids and tree.id == ids[0]:
                break
            y += tree.starts[-1] + (1 if tree.children and headings(self._trees) else 0)
        else:
            return None
        found = _Found(tree, y, 0, None, hidden=True)
        for step in ids[1:]:
            twig = found.twig
            order = twig.order or ()
            index = index_of(order, step)
            if index is not None:
                parent = None if twig is tree else twig.id
                y = found.y + 1 + twig.starts[index]
                found = _Found(order[index], y, found.lanes + (index < len(order) - 1), parent, hidden=False)
            elif twig.kind is RowKind.FOLD:
                found = found._replace(hidden=True)
            else:
                return None
        return None if found.twig is tree else found

    def _way(self, node: int) -> list[int | None]:
        """Returns the ids from a root down to a node or tombstone."""
        way = self._grove.way(node)
        gone: list[int | None] = []
        while not way and node in self._graves and len(gone) <= len(self._graves):
            gone.append(node)
            node = self._graves[node]
            way = self._grove.way(node, search=node not in self._graves)
        above = [twig.id for twig in way] or [tree.id for tree in self._trees if tree.id == node]
        return above + gone[::-1]

    def _needs(self) -> Needs:
        if not self._height:
            return Needs()
        most = Most(*map(max, zip(*[tree.most for tree in self._trees], strict=True)))
        age = max(0, self._snapshot.tick + most.unused)
        size = self._bytes_per_token
        memory = None if size is None else max(_MEMORY, len(memory_text(most.tokens * size)))
        return Needs(most.tokens, most.single, most.locks, age, most.walked, memory)


class _Found(NamedTuple):
    """A twig at its place."""

    twig: Twig
    y: int
    lanes: int
    parent: int | None  # what is drawn above it in the tree
    hidden: bool  # it stands for the one that was looked for


class _Brush:
    """Paints rows and remembers what it painted."""

    def __init__(
        self, needs: Needs, pieces: Mapping[int, bytes], width: int, look: Look, labels: Labels | None = None
    ) -> None:
        self._needs, self._pieces, self._size, self._look = needs, pieces, width, look
        self._labels = labels or Labels.of(pieces, look)
        self._lines: dict[Row, Text] = {}
        self.painter = RowPainter(
            needs, self._labels, width=width, palette=look.palette, ascii=look.ascii, colour=look.colour,
            lang=look.lang,
        )  # fmt: skip

    def fitting(self, wanted: _Brush) -> _Brush:
        """Returns this brush if it paints as that one does; else that one, with the labels of this one if they fit."""
        if self._pieces is not wanted._pieces or self._look != wanted._look:
            return wanted
        if (self._needs, self._size) == (wanted._needs, wanted._size):
            return self
        return _Brush(wanted._needs, wanted._pieces, wanted._size, wanted._look, self._labels)

    def line(self, row: Row) -> Text:
        """Paints a row, or returns the line painted before."""
        line = self._lines.get(row)
        if line is None:
            if len(self._lines) >= _KEPT_LINES:
                self._lines.clear()
            line = self._lines[row] = self.painter.row(row)
        return line
