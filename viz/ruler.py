"""The token ruler: every node once, as a bar from its first token to its last, below the bars of other branches.

A column of cells is a token position, the same in every line, so equal prefixes stand at the same place and a split is
only a seam in a bar that stays. A node's first child goes on in its line; every other child begins a line of its own
under the end of its parent. Bars of what was evicted are dashed; what a request reused is drawn heavy, as far as it
went. The scale is no linear one, so cells are no measure of memory: the heading says so, and the printed numbers of
tokens carry the meaning.

Everything fits the width: first by the scale, then chains of nodes alike become one bar, then columns are positions
in one line only, then bars get narrower, and what still does not fit is left out and counted. Knows no widget and no
terminal; nothing recurses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from ..radix.snapshots import Snapshot, State
from .cells import Brush, Run, label_runs, line_of, split_runs
from .labels import Kind, Label, Labels, Span, label, lettered
from .picture import Direction, Look, Place
from .sentences import PICTURES, spoken
from .shown import shown_trees
from .states import ATTRIBUTES, MORE, STATES, UNCACHED, Attribute
from .twigs import RowKind, Twig

_HEADING = 2  # lines
_LEAST_LABEL = 3  # cells from which on a label says anything
_REST = 8  # cells for what is not cached yet, after the last bar of a line
_HALVINGS = 12  # of the interval in which the scale is searched


class _Fit(NamedTuple):
    """What is done to fit a width."""

    least: int  # cells of a bar
    joins: bool  # whether chains of nodes alike become one bar
    shared: bool  # whether a token position has the same column in every line


_FITS = (_Fit(5, False, True), _Fit(5, True, True), _Fit(5, True, False), _Fit(3, True, False))
_LEAST = _FITS[-1].least  # cells of a bar


class _Signs(NamedTuple):
    """The characters of bars."""

    seams: tuple[str, str, str, str]  # a bar begins: between siblings, as the last, as the first, as the only one
    down: tuple[str, str]  # a line passes on its way to a sibling below; to tombstones only
    across: tuple[str, str]  # the rest of a bar; of a tombstone's
    heavy: str  # the rest of it, where it was reused
    over: str  # it goes on where nothing is shown


_UNICODE = _Signs(("├", "└", "┬", "┌"), ("│", "╎"), ("─", "╌"), "━", "▸")
_ASCII = _Signs(("+", "+", "+", "|"), ("|", ":"), ("-", "."), "=", ">")


class _Bar:
    """A node, several in a line, or the heading of a tree, which has no ids."""

    __slots__ = (
        "children", "end", "ids", "letter", "nodes", "over", "parent", "right", "start", "tokens", "twig", "x", "y"
    )  # fmt: skip

    def __init__(self, twig: Twig, parent: _Bar | None, y: int) -> None:
        top = twig.kind is RowKind.NAMESPACE
        self.twig = twig
        self.parent = parent
        self.children: list[_Bar] = []
        self.ids: list[int] = [] if top or twig.id is None else [twig.id]
        self.nodes = 0 if top else twig.nodes
        self.tokens = 0 if top else twig.tokens
        self.start: int = 0 if parent is None else parent.end  # tokens before it
        self.end: int = self.start + (0 if top else max(twig.tokens, 1))
        self.y = y
        self.x = 0
        self.right = 0  # the first cell behind it
        self.letter = ""
        self.over = False  # whether its end, or what comes after it, is left out

    def join(self, twig: Twig) -> None:
        """Goes on with the only child of its last node."""
        self.ids.append(twig.id or 0)
        self.nodes += 1
        self.tokens += twig.tokens
        self.end += max(twig.tokens, 1)


def ruler(
    snapshot: Snapshot,
    pieces: Mapping[int, bytes],
    *,
    width: int,
    look: Look,
    folded: Collection[int] = frozenset(),
    letters: Mapping[int, str] | None = None,
) -> Ruler:
    """Lays out a tree as bars over a scale of token positions.

    Args:
        snapshot: The state to draw.
        pieces: The bytes of each token id.
        width: The most cells of a line.
        look: How to paint.
        folded: Ids of nodes that stand in one bar for themselves and all below them.
        letters: What this picture calls nodes, by id; shown where a bar has room for it.
    """
    trees = shown_trees(snapshot, folded)
    names = lettered(letters, ascii=look.ascii)
    width = max(width, 1)
    for fit in _FITS:
        bars = _bars(trees, snapshot.next_victim, names, fit.joins)
        if _scale(bars, width, fit):
            break
    return Ruler(pieces, snapshot.next_victim, width, look, bars, fit)


# -- the layout --------------------------------------------------------------------------------------------------------


def _bars(trees: Sequence[Twig], victim: int | None, letters: Mapping[int, str], joins: bool) -> list[_Bar]:
    """Gives every node a line and a stretch of tokens, from top to bottom and from left to right."""
    bars: list[_Bar] = []
    y = 0
    for tree in trees:
        top = _Bar(tree, None, y)
        if tree.note:
            bars.append(top)
            y += 1
        stack = [(twig, top, False) for twig in reversed(tree.children)]
        y -= 1
        while stack:
            twig, parent, goes_on = stack.pop()
            y += 0 if goes_on else 1
            bar = _Bar(twig, parent, y)
            bar.letter = letters.get(twig.id or 0, "") if twig.kind in (RowKind.NODE, RowKind.TOMBSTONE) else ""
            while joins and len(twig.children) == 1 and _alike(twig, twig.children[0], victim, letters):
                twig = twig.children[0]
                bar.join(twig)
            bars.append(bar)
            parent.children.append(bar)
            stack += [(child, bar, False) for child in reversed(twig.children[1:])]
            stack += [(child, bar, True) for child in twig.children[:1]]
        y += 1
    return bars


def _alike(twig: Twig, child: Twig, victim: int | None, letters: Mapping[int, str]) -> bool:
    """Returns whether two nodes may share a bar: nothing sets them apart but their tokens."""
    return (
        twig.kind is child.kind is RowKind.NODE
        and (twig.state, twig.locks) == (child.state, child.locks)
        and victim not in (twig.id, child.id)
        and not any(one.id in letters for one in (twig, child))
        and all(one.walked in (0, one.tokens) and not one.uncached for one in (twig, child))
    )


def _scale(bars: Sequence[_Bar], width: int, fit: _Fit) -> bool:
    """Gives every bar its cells; returns whether all fit the width.

    Columns grow with the square root of the token position, and faster where a bar would have too few cells: in all
    lines alike, or only behind that bar.
    """
    real = [bar for bar in bars if bar.ids]
    if not real:
        return True
    if fit.shared:
        real.sort(key=lambda bar: bar.end)  # what ends first comes first, so every start is known
    numbers = fit.least > _LEAST  # then every bar has room for its tokens and an attribute
    floors = [max(fit.least, len(f"{bar.tokens:,}") + 3 + _called(bar) if numbers else 0) for bar in real]
    last = max(bar.end for bar in real)

    def place(factor: float) -> int:
        """Places all bars, and returns where the last one ends."""
        columns = {0: 0}
        right = 0
        for bar, floor in zip(real, floors, strict=True):
            if fit.shared:
                bar.x = columns[bar.start]
                right = columns[bar.end] = max(right, bar.x + floor, int(factor * sqrt(bar.end)))
            else:
                bar.x = bar.parent.right if bar.parent is not None else 0
                bar.right = max(bar.x + floor, int(factor * sqrt(bar.end)))
                right = max(right, bar.right)
        if fit.shared:
            for bar in real:
                bar.right = columns[bar.end]
        return right

    room = width - (_REST if any(bar.twig.uncached for bar in real) else 0)
    low, high = 0.0, max(0, room) / sqrt(_rounded(last))
    if place(high) <= room:
        return True
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if place(middle) <= room else (low, middle)
    return place(low) <= room


def _called(bar: _Bar) -> int:
    """Returns the cells of a letter and what sets it apart."""
    return cell_len(bar.letter) + 1 if bar.letter else 0


def _rounded(tokens: int) -> int:
    """Returns some tokens more, so that a tree grows for a while before its scale changes."""
    step = 16
    while step < tokens:
        step = step * 5 // 4
    return step


def _clipped(bars: Sequence[_Bar], width: int) -> list[_Bar]:
    """Leaves out what is beyond the width, and the lines that become empty."""
    kept = [bar for bar in bars if not bar.ids or bar.x + _LEAST <= width]
    lines: dict[int, int] = {}
    for bar in kept:
        bar.over = bar.right > width or any(child.x + _LEAST > width for child in bar.children)
        bar.right = min(bar.right, width)
        bar.children = [child for child in bar.children if child.x + _LEAST <= width]
        bar.y = lines.setdefault(bar.y, len(lines) + _HEADING)
    return kept


# -- the picture -------------------------------------------------------------------------------------------------------


class Ruler:
    """A tree as bars over token positions; made by `ruler`.

    Attributes:
        width: Cells of the widest line.
        height: Lines, with the two of the heading.
        left_out: Nodes that do not fit.
    """

    def __init__(
        self, pieces: Mapping[int, bytes], victim: int | None, width: int, look: Look, bars: Sequence[_Bar], fit: _Fit
    ) -> None:
        self.width = width
        self._fit = fit
        self._bars = _clipped(bars, width)
        self.left_out = sum(bar.nodes for bar in bars) - sum(bar.nodes for bar in self._bars)
        self._victim = victim
        self._brush = Brush(look)
        self._words = PICTURES[spoken(look.lang, ascii=look.ascii)]
        self._signs = _ASCII if look.ascii else _UNICODE
        self._labels = Labels.of(pieces, look)
        self._lines: dict[int, list[_Bar]] = {}
        self._by_id: dict[int, _Bar] = {}
        for bar in self._bars:
            self._lines.setdefault(bar.y, []).append(bar)
        for bar in sorted(self._bars, key=lambda bar: bar.twig.kind is RowKind.TOMBSTONE):
            for id in bar.ids:  # the end of a node that stayed is not found by its id
                self._by_id.setdefault(id, bar)
        self.height = _HEADING + len(self._lines)

    def place(self, node: int) -> Place | None:
        """Returns where a node's bar stands, None when it is not shown; nodes that share a bar share its place."""
        bar = self._by_id.get(node)
        return None if bar is None else Place(bar.x, bar.y, bar.right - bar.x, 1)

    def node_at(self, x: int, y: int) -> int | None:
        """Returns the id of the node whose bar is in a cell, the first where several share it."""
        return next((bar.ids[0] for bar in self._lines.get(y, ()) if bar.ids and bar.x <= x < bar.right), None)

    def beside(self, node: int, way: Direction) -> int | None:
        """Returns the parent (left), the first child (right), or what is nearest in the line above or below."""
        bar = self._by_id.get(node)
        if bar is None:
            return None
        if way is Direction.LEFT:
            return None if bar.parent is None else self._found([bar.parent])
        if way is Direction.RIGHT:
            return self._found(bar.children)
        y, by = bar.y, 1 if way is Direction.DOWN else -1
        while _HEADING <= (y := y + by) < self.height:
            nearest = sorted(self._lines[y], key=lambda one: abs(one.x - bar.x))
            if (found := self._found(nearest)) is not None:
                return found
        return None

    def first(self) -> int | None:
        """Returns the first node, None when there is none."""
        return self._found(self._bars)

    def _found(self, bars: Sequence[_Bar]) -> int | None:
        """Returns the id of the first of these bars that is found by its id."""
        return next((bar.ids[0] for bar in bars if bar.ids and self._by_id[bar.ids[0]] is bar), None)

    # -- painting ------------------------------------------------------------------------------------------------------

    def line(self, y: int) -> Text:
        """Paints one line."""
        if y == 0:
            return self._meaning()
        if y == 1:
            return self._positions()
        bars = self._lines.get(y, [])
        runs = self._passing(bars[0]) if bars else []
        for bar in bars:
            runs += self._bar(bar) if bar.ids else self._heading(bar)
        return line_of(runs)

    def _meaning(self) -> Text:
        """Says what cells mean and what is missing, in the longest words that fit."""
        root = "sqrt" if self._brush.ascii else "√"
        missing = self._words["miss" if self.left_out == 1 else "misses"].format(missing=self.left_out)
        ways = ("shared" if self._fit.shared else "apart", "shorter", "shortest")
        facts = {"root": root, "least": self._fit.least}
        words = [missing * bool(self.left_out) + self._words[way].format(**facts) for way in ways]
        text = next((one for one in words if cell_len(one) <= self.width), words[-1])
        return line_of([Run(0, set_cell_size(text, min(cell_len(text), self.width)), self._brush.faint)])

    def _positions(self) -> Text:
        """Writes token positions above the ends of bars, those of the first line first."""
        first = next((bars for bars in self._lines.values() if bars[0].ids), [])
        known = self._bars if self._fit.shared else first
        ends = {bar.end: bar.right for bar in known if bar.ids and not bar.over} | {0: 0}
        trunk = {bar.end for bar in first}
        runs: list[Run] = []
        for end in sorted(ends, key=lambda end: (end != 0, end not in trunk, end)):
            text = f"{end:,}"
            x = max(0, min(ends[end], self.width - len(text)))
            if all(x + len(text) < run.x or run.x + len(run.text) < x for run in runs):
                runs.append(Run(x, text[: self.width], self._brush.faint))
        return line_of(runs)

    def _heading(self, bar: _Bar) -> list[Run]:
        brush = self._brush
        dash = self._signs.across[0]
        name = label(bar.twig.note, ascii=brush.ascii).fit(max(0, self.width - 6), ascii=brush.ascii)
        x = 4 + name.cells
        return [
            Run(0, f"{dash * 2} "[: self.width], brush.line),
            *label_runs(3, name, brush.bold, brush.faint),
            *([Run(x, dash * (self.width - x), brush.line)] if x < self.width else []),
        ]

    def _passing(self, bar: _Bar) -> list[Run]:
        """Paints the lines that pass on their way from children above a line to their siblings below it."""
        runs = []
        above = bar.parent and bar.parent.parent
        while above is not None:
            if above.children[-1].y > bar.y:
                gone = all(child.twig.kind is RowKind.TOMBSTONE for child in above.children if child.y > bar.y)
                runs.append(
                    Run(above.right, self._signs.down[gone], self._line(State.EVICTED if gone else State.RESIDENT))
                )
            above = above.parent
        return runs

    def _line(self, state: State) -> Style:
        return self._brush.line if state is State.RESIDENT else self._brush.stroke(state)

    def _bar(self, bar: _Bar) -> list[Run]:
        """Paints a bar: its seam, its sign, tokens and attribute, its label, and a line through the rest of it."""
        brush, twig, signs = self._brush, bar.twig, self._signs
        fill, gone = brush.fill(twig.state), twig.state is State.EVICTED
        siblings = [bar] if bar.parent is None else bar.parent.children
        seam = signs.seams[2 * (siblings[0] is bar) + (siblings[-1] is bar)]
        room = bar.right - bar.x - 2 - bar.over  # without seam and sign
        name = bar.letter if cell_len(bar.letter) <= room else ""
        called = cell_len(name) + 1 if name else 0
        count, sign = self._numbers(bar, room - called)
        numbers = bar.x + 2 + called
        text = self._text(bar, room - called - len(count) - len(sign) - 1 - gone)  # dashes are seen on both sides of it
        struck = fill + brush.strike if gone else fill
        runs = [
            Run(bar.x, seam, self._line(twig.state)),
            Run(bar.x + 1, brush.glyph(STATES[twig.state]), brush.sign(twig.state)),
            Run(bar.x + 2, name, fill + brush.bold),
            Run(numbers - 1, " " if called and count + sign else "", fill),
            Run(numbers, count, fill),
            Run(numbers + len(count), sign, brush.badge(self._attribute(twig), twig.state)),
        ]
        x = numbers + len(count) + len(sign) if count + sign or not called else numbers - 1
        if text.spans:
            runs += [Run(x, signs.across[1] if gone else " ", fill), *label_runs(x + 1, text, struck, struck)]
            x += 1 + text.cells
        end, reused = bar.right - bar.over, self._reused(bar)
        heavy = min(max(x, reused), end)
        runs.append(Run(x, signs.heavy * (heavy - x), fill))
        runs.append(Run(heavy, signs.across[gone] * (end - heavy), fill))
        if bar.over:
            runs.append(Run(end, signs.over, fill))
        head, tail = split_runs(runs, reused)
        under = [run._replace(style=run.style + brush.under) for run in head[1:]]
        return [run for run in (*head[:1], *under, *tail, *self._rest(bar)) if run.text]

    def _attribute(self, twig: Twig) -> Attribute:
        if twig.kind is not RowKind.NODE:
            return Attribute.NONE
        if twig.locks:
            return Attribute.LOCKED
        return Attribute.NEXT_VICTIM if twig.id == self._victim else Attribute.NONE

    def _numbers(self, bar: _Bar, room: int) -> tuple[str, str]:
        """Returns tokens and attribute, as much of them as fits."""
        twig = bar.twig
        attribute = self._attribute(twig)
        sign = "" if attribute is Attribute.NONE else self._brush.glyph(ATTRIBUTES[attribute])
        locks = f"{sign}{twig.locks:,}" if attribute is Attribute.LOCKED else sign
        count = f"{bar.tokens:,}"
        walked = f"{twig.walked:,}/{count}" if 0 < twig.walked < twig.tokens else count
        for pair in ((walked, locks), (count, locks), (count, sign), (count, ""), ("", sign)):
            if len(pair[0]) + len(pair[1]) <= room:
                return pair
        return "", ""

    def _text(self, bar: _Bar, room: int) -> Label:
        if room < _LEAST_LABEL:
            return Label(())
        if bar.nodes > 1:
            more = f"{self._brush.glyph(MORE)} {bar.nodes:,} nodes"
            return Label((Span(more, Kind.CUT),)).fit(room, ascii=self._brush.ascii)
        return self._labels.fit(bar.twig.key, room)

    def _reused(self, bar: _Bar) -> int:
        """Returns the first cell of a bar that no request of the step came to."""
        twig = bar.twig
        if twig.state is not State.REUSED or not twig.tokens:
            return bar.x
        if twig.walked >= twig.tokens:
            return bar.right
        return bar.x + max(1, round((bar.right - bar.x) * twig.walked / twig.tokens))

    def _rest(self, bar: _Bar) -> list[Run]:
        """Paints what has no KV yet behind the last bar of a line."""
        room = min(_REST, self.width - bar.right) - 1
        if not bar.twig.uncached or bar.twig.children or room < 1:
            return []
        text = Label(
            (Span(self._brush.glyph(UNCACHED), Kind.MARK), *self._labels.fit(bar.twig.uncached, room - 1).spans)
        )
        return label_runs(bar.right + 1, text, self._brush.faint, self._brush.faint)
