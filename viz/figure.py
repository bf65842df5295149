"""The node-link figure: boxes under the text of their edges, with the look of the RadixAttention paper's panels.

The hidden root is an unlabelled box at the top; texts stand on edges, one line per turn; a box shows the node's state,
its letter or id, its tokens (``3/5``: a match ended inside) and its attribute. What was evicted is dashed and makes
room for nothing: its text takes what its neighbours leave. `tidy` says where everything goes and what stays where it
is when a tree changes; on top of its promises, no box changes its size or place because a node was used, locked or
evicted. Knows no widget and no terminal.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from ..radix.snapshots import Snapshot, State
from .cells import Brush, Run, label_runs, line_of
from .draft import INDENT, MOST_TEXT, REST, TEXT, TEXTS, Draft, Form, Kept, Node, Texts, nodes_of
from .labels import Kind, Label, Span
from .picture import Direction, Look, Picture, Place
from .sentences import PICTURES, spoken
from .shown import strongest
from .states import ATTRIBUTES, STATES, Attribute
from .turns import joined
from .twigs import RowKind

_LEAST_EPITAPH = 4  # cells from which on the text of a tombstone says anything
_SCROLL_BAR = 2  # cells
_DRIFT = 2  # how many times wider a figure may get than it was when it was laid out anew

_Room = tuple[int | None, int | None]  # lines and cells there are


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
        folded: Ids of nodes that stand in one box for themselves and all below them.
        before: The figure shown before: nodes keep their places, and the figure its form. All is laid out anew when
            that does not fit the width while a new layout would, when there is much more room than before, and when
            free places have doubled the width.
        height: The lines there are: boxes and then texts become lower until the figure fits, if it can.
        width: The cells there are: texts become shorter until the figure fits, if it can.
        letters: What to call nodes by id, as the paper's panels do; None calls each by its number.
    """
    last = before if isinstance(before, Figure) else None
    room = (height, width)
    texts = Texts.after(None if last is None else last.texts, pieces, look)
    draft = Draft(nodes_of(snapshot, folded), texts, look, letters, {} if last is None else last.kept)
    shapes = draft.shapes(height)

    def drawn(form: Form, kept: Sequence[Kept | None] = (), tidy_width: int = 0) -> Figure:
        return Figure(snapshot, look, room, form, draft, kept, tidy_width)

    if last is not None and not _is_larger(room, last.room):
        form = last.form if last.form[:2] in shapes else Form(*shapes[0], last.form.text)
        kept = drawn(form, draft.kept, last.tidy_width)
        if width is None or kept.fits:
            return kept
    else:
        kept = None
    for shape in () if width is None or draft.many else shapes:
        at = bisect_left(TEXTS, True, key=lambda text: drawn(Form(*shape, text)).fits)
        if at < len(TEXTS):
            return drawn(Form(*shape, TEXTS[at]))
    if kept is not None and kept.width <= _DRIFT * kept.tidy_width:
        return kept
    return drawn(Form(*shapes[0], TEXT))


def _is_larger(room: _Room, than: _Room) -> bool:
    """Returns whether there is much more room than before: more than a scroll bar takes."""
    return any(
        ours is not None and theirs is not None and ours > theirs + _SCROLL_BAR
        for ours, theirs in zip(room, than, strict=True)
    )


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
        room: _Room,
        form: Form,
        draft: Draft,
        kept: Sequence[Kept | None],
        tidy_width: int = 0,
    ) -> None:
        self.room = room
        self.form = form
        self.texts = draft.texts
        self._draft = draft
        self._nodes = draft.nodes
        self._parts, self._spots = draft.placed(form, kept or [None] * len(draft.nodes))
        self._victim = snapshot.next_victim
        self._brush = Brush(look)
        self._evicted = PICTURES[spoken(look.lang, ascii=look.ascii)]["evicted"]
        self._strokes = (_ASCII, _ASCII_DASHED) if look.ascii else (_SOLID, _DASHED)
        every = list(zip(self._nodes, self._parts, self._spots, strict=True))
        self.kept = {node.key: Kept(spot.x, part) for node, part, spot in every}
        self._numbers = {node.key[1]: number for number, node in enumerate(self._nodes) if node.key[0] is RowKind.NODE}
        self._by_row: dict[int, list[int]] | None = None
        self._by_depth: dict[int, list[int]] | None = None
        least = max(max(spot.x + INDENT + part.text_width, spot.left + part.box_width) for _, part, spot in every)
        most = max(least, *(spot.x + INDENT + draft.wish(number) for number, spot in enumerate(self._spots)))
        self.width = most if room[1] is None else max(least, min(most, room[1]))
        self.tidy_width = tidy_width or self.width  # when all was laid out anew
        self.height = max(spot.bottom for spot in self._spots)
        self._ends = [
            max(spot.x + INDENT + draft.wish(number), spot.left + part.box_width, *self._stems(node))
            for number, (node, part, spot) in enumerate(every)
        ]

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
        """Returns the id of the node whose box or text is in a cell; a fold has the id of its topmost node."""
        found, stem = None, -1
        for number in self._rows().get(y, ()):
            node, spot = self._nodes[number], self._spots[number]
            if y >= spot.top:
                if node.parent >= 0 and spot.left <= x < spot.left + self._box_width(number):
                    return node.twig.id
            elif stem < spot.x <= x < spot.x + INDENT + self._draft.wish(number):
                found, stem = node.twig.id, spot.x  # a text ends before whatever is to its right
        return found

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

    def line(self, y: int, start: int = 0, end: int | None = None) -> Text:
        """Paints one line: stems, boxes and connectors, then texts in the room between them.

        Args:
            y: The line.
            start: A cell; what ends before it may be left blank, which saves time in wide figures.
            end: A cell; what begins behind it may be missing.
        """
        first, last = start - INDENT - MOST_TEXT, (self.width if end is None else end) + MOST_TEXT
        runs: list[Run] = []  # what stands between these: texts reach so far, and what is beside them ends them
        texts: list[int] = []
        for number in self._rows().get(y, ()):
            node, spot = self._nodes[number], self._spots[number]
            if self._ends[number] <= first or spot.left > last:
                continue
            if y < spot.top:
                runs.append(Run(spot.x, self._line_of(node).down, self._stem(node)))
                texts.append(number)
            else:
                runs += self._box(number, y - spot.top)
                runs += self._connector(number, y - spot.top, first, last)
        taken = sorted(run.x for run in runs)
        for number in texts:
            spot = self._spots[number]
            after = bisect_right(taken, spot.x)
            until = taken[after] - 1 if after < len(taken) else self.width
            x = spot.x + INDENT
            runs += self._text(number, y - spot.y, x, min(until - x, MOST_TEXT))
        return line_of(runs)

    def _line_of(self, node: Node) -> _Strokes:
        return self._strokes[node.twig.kind is RowKind.TOMBSTONE]

    def _stem(self, node: Node) -> Style:
        return self._line(node.twig.state)

    def _line(self, state: State) -> Style:
        return self._brush.line if state is State.RESIDENT else self._brush.stroke(state)

    def _text(self, number: int, row: int, x: int, room: int) -> list[Run]:
        """Writes one line beside a stem."""
        node, brush = self._nodes[number], self._brush
        twig = node.twig
        if twig.kind is RowKind.TOMBSTONE:
            return self._epitaph(number, row, x, room)
        lines = self.texts.shown(twig, self.form.lines)
        line = lines[row] if row < len(lines) else Label(())
        rest = Label(())
        if twig.uncached and row == self._parts[number].text_height - 1:
            rest = self.texts.rest(twig.uncached, min(REST, max(2, room // 2)))
            rest = Label((Span(" ", Kind.MARK), *rest.spans)) if line.spans else rest
        line = line.fit(room - rest.cells, ascii=brush.ascii)
        text = brush.text if twig.state is State.RESIDENT else brush.stroke(twig.state)
        return [*label_runs(x, line, text, brush.faint), *label_runs(x + line.cells, rest, brush.faint, brush.faint)]

    def _epitaph(self, number: int, row: int, x: int, room: int) -> list[Run]:
        """Writes that a node was evicted, and below what it said, or beside when its edge has one line only."""
        brush, style = self._brush, self._brush.stroke(State.EVICTED)
        runs = []
        if row == 0:
            cells = min(cell_len(self._evicted), room)
            runs.append(Run(x, set_cell_size(self._evicted, cells), style))
            x, room = x + cells + 1, room - cells - 1
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

    def _border(self, node: Node) -> Style:
        attribute = self._attribute(node)
        return self._brush.stroke(node.twig.state if attribute is Attribute.NONE else attribute)

    def _attribute(self, node: Node) -> Attribute:
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
        if twig.kind is RowKind.NAMESPACE:
            return [(name or " ", fill)]
        parts = [(f"{brush.glyph(STATES[twig.state])} ", brush.sign(twig.state))]
        if twig.kind is RowKind.FOLD:
            return [*parts, (name, fill)]
        count = f"{twig.tokens:,}"
        base = 4 + cell_len(name) + (1 if name else 0)  # all but tokens and attribute
        most = self._parts[number].box_width - base
        walked = f"{twig.walked:,}/{count}" if 0 < twig.walked < twig.tokens else count
        attribute = self._attribute(node)
        sign = brush.glyph(ATTRIBUTES[attribute])
        if attribute is Attribute.NONE:
            sign = ""
        elif attribute is Attribute.LOCKED:
            sign = f" {sign}{twig.locks:,}" if twig.locks < 100 else f" {sign}+"
        else:
            sign = f" {sign}"
        pairs = ((walked, sign), (count, sign), (count, sign[:2]), (count, sign[1:2]), (count, ""))
        counted, sign = next((pair for pair in pairs if len("".join(pair)) <= most), (count, ""))
        if name:
            parts.append((f"{name} ", fill + brush.bold))
        parts.append((counted, fill))
        if sign:
            parts.append((sign, brush.badge(attribute, twig.state)))
        return parts

    def _stems(self, node: Node) -> list[int]:
        return [self._spots[child].x + 1 for child in node.children[-1:]]

    # -- connectors ----------------------------------------------------------------------------------------------------

    def _branches(self, number: int) -> list[int]:
        """Returns the children that do not stand straight below."""
        x = self._spots[number].x
        return [child for child in self._nodes[number].children if self._spots[child].x != x]

    def _connector(self, number: int, row: int, first: int, last: int) -> list[Run]:
        """Paints what leads from a box to the children that do not stand straight below it."""
        part, branches = self._parts[number], self._branches(number)
        if not branches or row < part.tie:
            return []
        runs: list[Run] = []
        state = State.EVICTED
        left_of = [self._spots[number].left + self._box_width(number) - 1, *(self._spots[one].x for one in branches)]
        for one, (left, x) in reversed(list(zip(branches, pairwise(left_of), strict=True))):
            node = self._nodes[one]
            state = strongest([state, node.twig.state])  # of all that this piece leads to
            if x < first or left > last:
                continue
            if row > part.tie:
                runs.append(Run(x, self._line_of(node).down, self._stem(node)))
                continue
            strokes = self._strokes[state is State.EVICTED]
            turn = strokes.turn if one == branches[-1] else strokes.out
            runs.append(Run(left + 1, strokes.across * (x - left - 1) + turn, self._line(state)))
        return runs
