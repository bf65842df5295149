"""Rows beside their goals, as a table where there is room for one; then what was not run, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import ASCII, SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ...viz import sanitize
from ..terminal import Terminal
from .goals import MISSED, figures
from .rows import INFO, Row

if TYPE_CHECKING:
    from .run import Found

PLAIN = str.maketrans({"≥": ">=", "≤": "<=", "×": "x", "µ": "u", "·": "-", "–": "-"})
WIDE = 110
"""Columns from which on a table can be read; in fewer, its rows are lines below one another."""

STYLES = {"stretch": "bold green", "good": "green", "pass": "cyan", MISSED: "bold red", INFO: "dim"}


def print_table(found: Found, terminal: Terminal) -> None:
    """Prints to stdout what a bench found."""
    console = terminal.console(terminal.out)
    made = " · ".join(_fact(name, value) for name, value in found.machine.items())
    console.print(_text(made, terminal), soft_wrap=True)
    if found.quick:
        console.print(_text("quick: tiny shapes and few rounds, so there are no verdicts", terminal))
    if terminal.width >= WIDE and found.rows:
        console.print(_table(found.rows, terminal, quick=found.quick))
    else:
        console.print()
        for row in found.rows:
            console.print(_stacked(row, terminal, quick=found.quick))
    if found.not_run:
        console.print(_text("not run:", terminal))
        for why in dict.fromkeys(each.why for each in found.not_run):
            names = ", ".join(each.goal.name for each in found.not_run if each.why == why)
            console.print(_text(f"  {why}: {names}", terminal))
    console.print(_text(f"took {found.seconds:.0f} s", terminal))


def _fact(name: str, value: Any) -> str:
    return f"memory {value / 1e9:.0f} GB/s" if name == "bytes_per_second" else f"{name} {value}"


def _table(rows: list[Row], terminal: Terminal, *, quick: bool) -> Table:
    table = Table(box=ASCII if terminal.ascii else SIMPLE_HEAD, pad_edge=False, width=terminal.width)
    table.add_column("goal", no_wrap=True)
    table.add_column("what", ratio=3)
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("pass, good, stretch", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("medians", ratio=3)
    floors = any(row.floor for row in rows)
    if floors:
        table.add_column("bytes alone", no_wrap=True)
    for row in rows:
        cells = [
            row.goal.name.replace(" ", "\n", 1) if row.goal else "",
            "\n".join(filter(None, (_what(row), row.note))),
            row.shown,
            "\n".join(_wanted(row)),
            _verdict(row, terminal, quick=quick),
            "\n".join(_medians(row)),
            *([_floor(row)] if floors else []),
        ]
        table.add_row(*(cell if isinstance(cell, Text) else _text(cell, terminal) for cell in cells))
    return table


def _stacked(row: Row, terminal: Terminal, *, quick: bool) -> Text:
    """Returns a row in lines below one another: what it is about, what came of it, and what that was made of."""
    name = f"{row.goal.name} · " if row.goal else ""
    lines = [_text(f"{name}{_what(row)}", terminal)]
    lines[0].stylize("bold" if terminal.colour else "")
    result = _text(f"  {row.shown}  ", terminal).append_text(_verdict(row, terminal, quick=quick))
    wanted = _wanted(row)
    lines.append(result.append_text(_text(f"  wanted {', '.join(wanted)}" if wanted else "", terminal)))
    made = _medians(row) + ([f"bytes alone {_floor(row)}"] if row.floor else [])
    lines.append(_text(f"  {' · '.join(made)}", terminal))
    if row.note:
        lines.append(_text(f"  {row.note}", terminal))
    return Text("\n").join([*lines, Text()])


def _what(row: Row) -> str:
    return row.goal.what if row.goal else row.what


def _wanted(row: Row) -> list[str]:
    return [text for text in row.goal.wanted.values() if text != "–"] if row.goal else []


def _medians(row: Row) -> list[str]:
    return [f"{name} {duration(seconds)}" for name, seconds in row.arms.items()]


def _floor(row: Row) -> str:
    return f"{duration(row.floor[1])}, {figures(row.over_floor or 0)}×" if row.floor else ""


def _verdict(row: Row, terminal: Terminal, *, quick: bool) -> Text:
    if quick:
        return _text("–", terminal)
    return Text(row.verdict, style=STYLES[row.verdict] if terminal.colour else "")


def _text(text: Any, terminal: Terminal) -> Text:
    text = str(text)
    if terminal.ascii:
        text = text.translate(PLAIN)
    return Text(sanitize(text, ascii=terminal.ascii))


def duration(seconds: float) -> str:
    """Returns a time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
