"""Stacked bars beside each other on one linear scale: what several runs of the same prompts cost.

Each kind of part has a fill character of its own, so that parts can be told apart without colour, and the numbers stand
beside the bars. What is not zero has a cell at least. Knows numbers and names; no tree and no cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rich.style import Style
from rich.text import Text

from ..radix.snapshots import State
from .cells import Brush
from .labels import Label, label
from .picture import Look
from .plain import joined, shares, wrapped
from .sentences import spoken
from .states import STATES, Sign

_GAP: Final = 2  # cells between columns
_LEAST: Final = 12  # cells of a bar, below which names and numbers get lines of their own
_NAME: Final = 24  # cells of a name


class Bar(NamedTuple):
    """One bar."""

    name: str
    parts: tuple[tuple[str, int], ...]  # a kind of `KINDS`, and its amount; from left to right


KINDS: Final[Mapping[str, Sign]] = {
    "reused": STATES[State.REUSED],
    "prefilled": STATES[State.NEW]._replace(word="prefilled"),
    "generated": Sign("▒", "=", "generated"),
    "evicted": STATES[State.EVICTED],
    "free": Sign("░", ".", "free"),
}
"""What parts may be, and how they look."""

_CHINESE: Final = {"reused": "复用", "prefilled": "预填充", "generated": "生成", "evicted": "驱逐", "free": "空闲"}


def bars(rows: Sequence[Bar], *, width: int, look: Look, lang: str = "en") -> Text:
    """Paints bars, the numbers behind them, and what their parts are.

    Args:
        rows: From top to bottom; amounts are not negative.
        width: The most cells of a line; below some 30 names and numbers are cut.
        look: Palette, ASCII, colour.
        lang: "zh" for Chinese; English else, and where only ASCII can be printed.

    Raises:
        ValueError: a kind that is not in `KINDS`, or a negative amount.
    """
    for kind, amount in (part for row in rows for part in row.parts):
        if kind not in KINDS or amount < 0:
            raise ValueError(f"a part is one of {', '.join(KINDS)} and not negative, got {kind!r}: {amount}")
    brush = Brush(look)
    names = [label(row.name, ascii=look.ascii).fit(min(_NAME, width), ascii=look.ascii) for row in rows]
    numbers = [_numbers(row, brush) for row in rows]
    named = max((name.cells for name in names), default=0)
    room = width - named - max((len(one.plain) for one in numbers), default=0) - 2 * _GAP
    lines: list[Text] = []
    most = max((_total(row) for row in rows), default=0)
    for row, name, amounts in zip(rows, names, numbers, strict=True):
        if room >= _LEAST:
            lines.append(_beside(name, _bar(row, most, room, brush), amounts, named, room))
        else:
            lines += [Text(name.plain), _bar(row, most, width, brush), *wrapped([amounts], width)]
    return joined([*lines, *wrapped(_legend(rows, brush, lang), width)])


def _total(row: Bar) -> int:
    return sum(amount for _, amount in row.parts)


def _beside(name: Label, bar: Text, amounts: Text, named: int, room: int) -> Text:
    line = Text(name.plain + " " * (named - name.cells + _GAP))
    bar.pad_right(room - bar.cell_len)
    return line.append_text(bar).append(" " * _GAP).append_text(amounts)


def _bar(row: Bar, most: int, room: int, brush: Brush) -> Text:
    """Paints a bar in as many cells as its share of the longest one, which takes all the room."""
    amounts = [amount for _, amount in row.parts]
    seen = sum(amount > 0 for amount in amounts)
    cells = min(max(round(_total(row) * room / most) if most else 0, seen), room)
    line = Text()
    for (kind, _), share in zip(row.parts, shares(amounts, cells), strict=True):
        line.append(brush.glyph(KINDS[kind]) * share, _style(kind, brush))
    return line


def _numbers(row: Bar, brush: Brush) -> Text:
    """Writes the amounts of all parts that are not zero, each with its sign."""
    line = Text()
    for kind, amount in row.parts:
        if amount:
            line.append(" " if line else "").append(brush.glyph(KINDS[kind]), _style(kind, brush))
            line.append(f"{amount:,}")
    return line if line else Text("0")


def _legend(rows: Sequence[Bar], brush: Brush, lang: str) -> list[Text]:
    used = {kind for row in rows for kind, amount in row.parts if amount}
    words = _CHINESE if spoken(lang, ascii=brush.ascii) == "zh" else {kind: sign.word for kind, sign in KINDS.items()}
    return [
        Text.assemble((brush.glyph(sign), _style(kind, brush)), " ", words[kind])
        for kind, sign in KINDS.items()
        if kind in used
    ]


def _style(kind: str, brush: Brush) -> Style:
    states = {"reused": State.REUSED, "prefilled": State.NEW, "generated": State.RESIDENT, "evicted": State.EVICTED}
    return brush.stroke(states[kind]) if kind in states else brush.line
