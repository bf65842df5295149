"""Paints rows as text: the outline, its legend and the memory gauge. No row is wider than asked.

The state is a glyph on the rail, the attribute a column of its own; colour only repeats what they say, and with colour
off the text has no style at all. Columns by width: below 60 the label, attribute and tokens; from 60 on memory; from 90
on age and a bar on a linear scale, which the heading prints. Builds `rich.text.Text` objects, never markup. Knows rows
and snapshots; no layout rule, no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from ..radix.snapshots import Snapshot, State
from .labels import Kind, Label, Labels, label, lettered
from .rail import Lane, Row, RowKind
from .sentences import BLOCKS, PICTURES, spoken
from .states import ATTRIBUTES, FREE, MORE, PALETTES, PENDING, STATES, UNCACHED, Attribute, Sign

MEMORY_FROM = 60
"""Cells from which on rows show memory."""

DETAIL_FROM = 90
"""Cells from which on rows show age and a bar."""

_GAP = 2  # cells between columns
_LEAST_ROOM = 8  # cells that the columns leave to rail, sign and label
_LEAST_BODY = 6  # cells of these that a deep rail leaves to sign and label
_LEAST_GAUGE, _MOST_GAUGE = 12, 40  # cells

# line and arm of each lane: the arm is painted with its row's state
LANES = {
    Lane.PASS: ("│", " "),
    Lane.PASS_DASHED: ("╎", " "),
    Lane.FORK: ("├", "─"),
    Lane.FORK_DASHED: ("├", "╌"),
    Lane.FIRST: ("┌", "─"),
    Lane.FIRST_DASHED: ("┌", "╌"),
}
ASCII_LANES = {
    Lane.PASS: ("|", " "),
    Lane.PASS_DASHED: (":", " "),
    Lane.FORK: ("|", "-"),
    Lane.FORK_DASHED: ("|", "."),
    Lane.FIRST: (",", "-"),
    Lane.FIRST_DASHED: (",", "."),
}


def tree_text(
    rows: Sequence[Row],
    pieces: Mapping[int, bytes],
    *,
    width: int,
    palette: str = "dark",
    ascii: bool = False,
    colour: bool = True,
    pills: bool = True,
    heading: str | None = None,
    abridged: Sequence[tuple[str, str]] = (),
    letters: Mapping[int, str] | None = None,
    veiled: bool = False,
) -> Text:
    """Paints an outline.

    Args:
        rows: From `rail_rows` or `changed_rows`.
        pieces: The bytes of each token id.
        width: The most cells a row may take.
        palette: A name from `PALETTES`.
        ascii: Whether to use printable ASCII only, for terminals and files without Unicode.
        colour: Whether to use colours and weights; without, the text has no style.
        pills: Whether chat-template tokens are folded.
        heading: Title of a first row that names the columns; None leaves that row out.
        abridged: As in `Labels`.
        letters: What this picture calls nodes, by id.
        veiled: Whether ages are left out, because a question is open.

    Returns:
        One line per row, without a newline at the end.
    """
    labels = Labels(pieces, pills=pills, ascii=ascii, abridged=abridged)
    if letters:
        names = lettered(letters, ascii=ascii)
        rows = [replace(row, letter=names.get(row.node or 0, "")) if _is_single(row) else row for row in rows]
    needs = Needs.of(rows)
    painter = RowPainter(
        needs._replace(age=None) if veiled else needs, labels, width=width, palette=palette, ascii=ascii, colour=colour
    )
    lines = [] if heading is None else [painter.heading(heading)]
    lines += [painter.row(row) for row in rows]
    return joined(lines)


def legend(
    *,
    width: int,
    palette: str = "dark",
    ascii: bool = False,
    colour: bool = True,
    lang: str = "en",
    veiled: bool = False,
    blocks: bool = False,
) -> Text:
    """Paints what the signs mean, in as few lines of at most `width` cells as it takes; from 80 cells on in one.

    Args:
        width: The most cells a line may take.
        palette: As in `tree_text`.
        ascii: As in `tree_text`.
        colour: As in `tree_text`.
        lang: "zh" for Chinese; English else, and where only ASCII can be printed.
        veiled: Whether the next victim is left out, because a question is open.
        blocks: Whether the signs are those of blocks.
    """
    brush = _Brush(palette, ascii, colour)
    words = MEANINGS[spoken(lang, ascii=ascii)]
    said = BLOCKS[spoken(lang, ascii=ascii)] if blocks else None
    lines, shorter = (wrapped(_meanings(brush, each, veiled, said), width) for each in words)
    return joined(shorter if len(shorter) == 1 < len(lines) else lines)


class Meanings(NamedTuple):
    """What each sign means, in words."""

    states: Mapping[State, str]
    locked: str
    victim: str
    uncached: str


_ENGLISH = Meanings(
    {state: sign.word for state, sign in STATES.items()},
    "locked by n",
    ATTRIBUTES[Attribute.NEXT_VICTIM].word,
    UNCACHED.word,
)
_CHINESE = Meanings(
    {State.NEW: "新增", State.REUSED: "复用", State.RESIDENT: "驻留", State.EVICTED: "已驱逐"},
    "被 n 个持有者锁定",
    "下一个驱逐对象",
    "尚未缓存",
)
MEANINGS: Final = {
    "en": (_ENGLISH, _ENGLISH._replace(locked="locked", uncached="not cached")),
    "zh": (_CHINESE, _CHINESE._replace(locked="锁定")),
}
"""By language: the words, and shorter ones for when they save a line."""


def _meanings(brush: _Brush, words: Meanings, veiled: bool, blocks: Mapping[str, str] | None = None) -> list[Text]:
    """Returns the entries of a legend; `blocks` are the words of one for blocks."""
    locked, victim = ATTRIBUTES[Attribute.LOCKED], ATTRIBUTES[Attribute.NEXT_VICTIM]
    items = [
        brush.item(brush.glyph(STATES[state]), word, brush.stroke(state) + brush.bold)
        for state, word in words.states.items()
    ]
    held = words.locked if blocks is None else blocks["held"]
    items.append(brush.item(brush.glyph(locked) + "n", held, brush.stroke(Attribute.LOCKED)))
    if not veiled:
        items.append(brush.item(brush.glyph(victim), words.victim, brush.stroke(Attribute.NEXT_VICTIM)))
    if blocks is None:
        items.append(brush.item(brush.glyph(UNCACHED), words.uncached, brush.faint))
    else:
        items.append(brush.item(brush.glyph(PENDING), blocks["pending"], brush.text))
        items.append(brush.item(brush.glyph(FREE), blocks["free block"], brush.faint))
    return items


def memory_line(
    snapshot: Snapshot,
    *,
    width: int,
    bytes_per_token: int | None = None,
    palette: str = "dark",
    ascii: bool = False,
    colour: bool = True,
    veiled: bool = False,
    lang: str = "en",
) -> Text:
    """Paints the pool: a gauge and its four parts, which add up to the capacity; on one line where that fits.

    Args:
        snapshot: The state to show.
        width: The most cells a line may take.
        bytes_per_token: Memory of one token across all layers; None shows tokens only.
        palette: As in `tree_text`.
        ascii: As in `tree_text`.
        colour: As in `tree_text`.
        veiled: Whether what is protected and what is evictable become one part, because a question is open.
        lang: As in `legend`.
    """
    brush = _Brush(palette, ascii, colour)
    words = PICTURES[spoken(lang, ascii=ascii)]
    resident = [
        ("protected", snapshot.protected, "█", "#", brush.stroke(Attribute.LOCKED)),
        ("evictable", snapshot.evictable, "▓", "=", brush.stroke(State.RESIDENT)),
    ]
    if veiled:
        resident = [("resident", snapshot.resident, "▓", "=", brush.stroke(State.RESIDENT))]
    parts = [
        *resident,
        ("in-flight", snapshot.in_flight, "▒", ">", brush.stroke(State.NEW)),
        ("free", snapshot.free, "░", ".", brush.faint),
    ]
    for size in (bytes_per_token, None):  # tokens alone where a part with its bytes is too wide
        items = [
            brush.item(plain if ascii else glyph, f"{words[word]} {_amount(tokens, size)}", style)
            for word, tokens, glyph, plain, style in parts
        ]
        whole = Text(f"{words['capacity']} {_amount(snapshot.capacity, size, words['tok'])}", brush.faint)
        if max(item.cell_len for item in (*items, whole)) <= width:
            break
    taken = sum(item.cell_len + _GAP for item in (*items, whole))
    room = width - taken if width - taken >= _LEAST_GAUGE else width - whole.cell_len - _GAP
    cells = min(max(room, _LEAST_GAUGE), _MOST_GAUGE)
    gauge = Text()
    widths = shares([tokens for _, tokens, _, _, _ in parts], cells)
    for (_, _, glyph, plain, style), share in zip(parts, widths, strict=True):
        gauge.append((plain if ascii else glyph) * share, style)
    if width - taken >= _LEAST_GAUGE:
        return joined([Text(" " * _GAP).join([gauge, *items, whole])])
    return joined([*wrapped([gauge, whole], width), *wrapped(items, width)])


# -- rows --------------------------------------------------------------------------------------------------------------


class Needs(NamedTuple):
    """What the columns of an outline must hold: the largest of each among its rows."""

    tokens: int = 0
    single: int = 0  # tokens of one node
    locks: int = 0
    age: int | None = 0  # None: no age is shown
    walked: int = 0  # characters of "3/12", for a node that was walked in part
    memory: int | None = None  # characters of "12 KiB"; None: no memory is known

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Needs:
        """Returns what these rows need."""
        rows = [row for row in rows if row.kind is not RowKind.NAMESPACE]
        return cls(
            tokens=max((row.tokens for row in rows), default=0),
            single=max((row.tokens for row in rows if _is_single(row)), default=0),
            locks=max((row.locks for row in rows), default=0),
            age=max((row.age or 0 for row in rows), default=0),
            walked=max((len(_tokens(row)) for row in rows if _is_partly_walked(row)), default=0),
            memory=max((len(memory_text(row.bytes)) for row in rows if row.bytes is not None), default=None),
        )


class RowPainter:
    """Paints the rows of one outline, one at a time, in columns that fit them all.

    Args:
        needs: What the rows that may be painted need.
        labels: Writes the labels; in ASCII if all is to be.
        width: The most cells a row may take.
        palette: A name from `PALETTES`.
        ascii: Whether to use printable ASCII only.
        colour: Whether to use colours and weights.
        columns: Whether anything stands to the right of rail, sign and label.
        lang: Of the columns' names, as in `legend`.
    """

    def __init__(
        self,
        needs: Needs,
        labels: Labels,
        *,
        width: int,
        palette: str = "dark",
        ascii: bool = False,
        colour: bool = True,
        columns: bool = True,
        lang: str = "en",
    ) -> None:
        self._width = width
        self._brush = _Brush(palette, ascii, colour)
        self._labels = labels
        self._words = PICTURES[spoken(lang, ascii=ascii)]
        self._longest = needs.single
        self._columns = self._fitting(needs) if columns else []
        self.room = width - sum(column.cells + _GAP for column in self._columns)
        """Cells for rail, sign and label."""
        self._lanes = max(1, (self.room - _LEAST_BODY) // 2)  # the most of a rail that are shown

    def heading(self, title: str) -> Text:
        """Paints a row that names the columns."""
        line = Text()
        name = label(title, ascii=self._brush.ascii).fit(self.room, ascii=self._brush.ascii)
        self._put(line, name, self._brush.strong, self._brush.strong)
        for column in self._columns:
            line.pad_right(self.room - line.cell_len if column is self._columns[0] else 0)
            line.append(" " * _GAP + column.align(column.title), self._brush.faint)
        line.rstrip()
        return line

    def row(self, row: Row) -> Text:
        """Paints one row."""
        if row.kind is RowKind.NAMESPACE:
            return self._namespace(row)
        line = self._rail(row)
        self._body(line, row)
        line.pad_right(self.room - line.cell_len)
        for column in self._columns:
            line.append(" " * _GAP)
            line.append(column.align(column.value(row)), column.style(row))
        line.rstrip()
        return line

    def indent(self, lanes: int) -> int:
        """Returns where the sign of a row stands that has so many lanes to its left."""
        return 2 * min(lanes, self._lanes)

    # -- columns -------------------------------------------------------------------------------------------------------

    def _fitting(self, needs: Needs) -> list[_Column]:
        """Returns the columns for this width; on a very narrow one the attribute goes first, then the tokens."""
        brush = self._brush
        locks = f"{brush.glyph(ATTRIBUTES[Attribute.LOCKED])}{needs.locks:,}"
        tokens = max(len(f"{needs.tokens:,}"), needs.walked)
        columns = [
            _Column("", self._attribute, lambda row: brush.stroke(row.attribute), len(locks), left=True),
            _Column(self._words["tokens"], _tokens, self._plain, tokens),
        ]
        if self._width >= MEMORY_FROM and needs.memory is not None:
            columns.append(
                _Column(self._words["memory"], lambda row: memory_text(row.bytes), self._plain, needs.memory)
            )
        if self._width >= DETAIL_FROM and needs.age is not None:
            age = len(f"{needs.age:,}")
            name = self._words["age"]
            columns.append(_Column(name, lambda row: "" if row.age is None else f"{row.age:,}", self._plain, age))
        if self._width >= DETAIL_FROM:
            columns.append(self._bars(min(24, 10 + (self._width - DETAIL_FROM) // 4)))
        while columns and self._width - sum(column.cells + _GAP for column in columns) < _LEAST_ROOM:
            columns.pop(0 if len(columns) == 2 else -1)
        return columns

    def _attribute(self, row: Row) -> str:
        sign = self._brush.glyph(ATTRIBUTES[row.attribute])
        return f"{sign}{row.locks:,}" if row.attribute is Attribute.LOCKED else sign.strip()

    def _bars(self, cells: int) -> _Column:
        def bar(row: Row) -> str:
            if not _is_single(row):
                return ""
            return _bar(row.tokens / self._longest if self._longest else 0, cells, row.state, self._brush.ascii)

        scale = f"0{self._longest:>{cells - 1},}"
        return _Column(
            scale,
            bar,
            lambda row: self._brush.faint if row.context else self._brush.stroke(row.state),
            cells,
            left=True,
        )

    def _plain(self, row: Row) -> Style:
        return self._brush.faint if row.context or row.state is State.EVICTED else self._brush.text

    # -- rail and label ------------------------------------------------------------------------------------------------

    def _rail(self, row: Row) -> Text:
        brush = self._brush
        lanes = ASCII_LANES if brush.ascii else LANES
        line = Text()
        shown = row.rail
        if len(shown) > self._lanes:  # deeper than there is room for
            shown = shown[len(shown) - self._lanes + 1 :]
            line.append(".." if brush.ascii else "⋯ ", brush.line)
        for lane in shown:
            stem, arm = lanes[lane]
            line.append(stem, brush.line)
            line.append(arm, brush.line if row.context else brush.stroke(row.state))
        return line

    def _body(self, line: Text, row: Row) -> None:
        """Appends sign and label, and what is not cached yet."""
        brush = self._brush
        style = brush.line if row.context else brush.stroke(row.state)
        if row.kind is not RowKind.MORE:
            line.append(brush.glyph(STATES[row.state]) + " ", style + brush.bold)
        if row.letter and line.cell_len + cell_len(row.letter) + _GAP < self.room:
            line.append(row.letter, style + brush.bold).append(" " * _GAP)
        room = self.room - line.cell_len
        if row.kind in (RowKind.FOLD, RowKind.MORE):
            note = label(f"{brush.glyph(MORE)} {row.note}", ascii=brush.ascii)
            self._put(line, note.fit(room, ascii=brush.ascii), brush.faint, brush.faint)
            if row.key:
                line.append("  ")
                self._put(line, self._labels.fit(row.key, self.room - line.cell_len), style, brush.faint)
            return
        rest = self._rest(row, room)
        text = self._labels.fit(row.key, room - rest.cell_len)
        gone = row.state is State.EVICTED
        self._put(
            line, text, style + brush.strike if gone else style, brush.faint + brush.strike if gone else brush.faint
        )
        line.append_text(rest)

    def _rest(self, row: Row, room: int) -> Text:
        """Paints the tokens that have no KV yet, in at most a third of the room."""
        rest = Text()
        sign = f" {self._brush.glyph(UNCACHED)}"
        if row.uncached and cell_len(sign) <= room:  # a long letter may leave none
            rest.append(sign, self._brush.faint)
            self._put(rest, self._labels.fit(row.uncached, room // 3 - 2), self._brush.faint, self._brush.faint)
        return rest

    def _namespace(self, row: Row) -> Text:
        brush = self._brush
        dash = "-" if brush.ascii else "─"
        line = Text(dash * 2 + " ", brush.line)
        name = label(f"namespace {row.note}" if row.note else "default namespace", ascii=brush.ascii)
        self._put(line, name.fit(self._width - 6, ascii=brush.ascii), brush.strong, brush.faint)
        line.append(" ")
        line.append(dash * max(0, self._width - line.cell_len), brush.line)
        line.truncate(self._width)
        return line

    def _put(self, line: Text, text: Label, plain: Style, special: Style) -> None:
        for span in text.spans:
            line.append(span.text, plain if span.kind is Kind.TEXT else special)


class _Column:
    """One column at the right, at least two cells wide and as wide as its title."""

    def __init__(
        self, title: str, value: Callable[[Row], str], style: Callable[[Row], Style], cells: int, *, left: bool = False
    ) -> None:
        self.title = title
        self.value = value
        self.style = style
        self.left = left
        self.cells = max(2, cell_len(title), cells)

    def align(self, text: str) -> str:
        pad = " " * (self.cells - cell_len(text))
        return text + pad if self.left else pad + text


def _is_single(row: Row) -> bool:
    return row.kind in (RowKind.NODE, RowKind.TOMBSTONE)


def _is_partly_walked(row: Row) -> bool:
    return row.kind is RowKind.NODE and 0 < row.walked < row.tokens  # a match ended inside the node


def _tokens(row: Row) -> str:
    return f"{row.walked:,}/{row.tokens:,}" if _is_partly_walked(row) else f"{row.tokens:,}"


def _bar(share: float, cells: int, state: State, ascii: bool) -> str:
    """Returns a bar on a linear scale; what is not empty is seen."""
    if ascii or state is State.EVICTED:
        full = ("-" if state is State.EVICTED else "=") if ascii else "╍"
        return full * max(1, round(share * cells))
    halves = max(1, round(share * cells * 2))
    return "━" * (halves // 2) + "╸" * (halves % 2)


# -- amounts and lines -------------------------------------------------------------------------------------------------


def memory_text(size: int | None) -> str:
    """Returns a number of bytes in binary units, in at most eight characters for all that fits a machine."""
    if size is None:
        return ""
    if size < 1024:
        return f"{size} B"
    value, unit = size / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB", "PiB"):
        if value < 999.5:
            break
        value, unit = value / 1024, larger
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"


def _amount(tokens: int, bytes_per_token: int | None, unit: str = "") -> str:
    amount = f"{tokens:,}{unit}"
    return amount if bytes_per_token is None or not tokens else f"{amount} ({memory_text(tokens * bytes_per_token)})"


def shares(amounts: Sequence[int], cells: int) -> list[int]:
    """Divides cells by amounts: what is not zero gets one at least where there are enough, and they add up."""
    total = sum(amounts)
    if total <= 0 or cells <= 0:
        return [0] * len(amounts)
    shares = [max(round(amount * cells / total), 1 if amount else 0) for amount in amounts]
    while sum(shares) != cells:
        change = 1 if sum(shares) < cells else -1
        shares[shares.index(max(shares))] += change  # the largest share hides it best
    return shares


def wrapped(items: Sequence[Text], width: int) -> list[Text]:
    """Puts items on as few lines as they need."""
    lines: list[Text] = []
    for item in items:
        if lines and lines[-1].cell_len + _GAP + item.cell_len <= width:
            lines[-1].append(" " * _GAP).append_text(item)
        else:
            lines.append(item.copy())
    for line in lines:
        line.truncate(max(width, 0))
        line.rstrip()
    return lines


def joined(lines: Sequence[Text]) -> Text:
    """Joins lines into a text that is neither wrapped nor cut by whoever prints it."""
    text = Text("\n", no_wrap=True, overflow="ignore", end="\n").join(lines)
    return text


class _Brush:
    """Signs and styles of one palette; without colour every style is empty."""

    def __init__(self, palette: str, ascii: bool, colour: bool) -> None:
        self.ascii = ascii
        self._colour = colour
        colours = PALETTES[palette]
        self._strokes: dict[State | Attribute, Style] = {}
        for inks in (colours.states, colours.attributes):
            self._strokes.update({of: self._style(color=ink.stroke) for of, ink in inks.items()})
        quiet = colours.ground is None  # a terminal's own colours: only dimming is sure to recede
        self.text = self._style()
        self.bold = self._style(bold=True)
        self.strong = self._style(bold=True)
        self.strike = self._style(strike=True)
        self.faint = self._style(dim=True) if quiet else self.stroke(State.RESIDENT)
        self.line = self.faint if quiet else self.faint + self._style(dim=True)

    def stroke(self, of: State | Attribute) -> Style:
        """Returns the style of a state or attribute on the terminal's ground."""
        return self._strokes[of]

    def glyph(self, sign: Sign) -> str:
        """Returns a sign as this terminal can show it."""
        return sign.ascii if self.ascii else sign.glyph

    def item(self, sign: str, words: str, style: Style) -> Text:
        """Returns an entry of a legend."""
        return Text.assemble((sign, style), " ", (words, self.text))

    def _style(self, **wanted: Any) -> Style:
        return Style(**wanted) if self._colour else Style.null()
