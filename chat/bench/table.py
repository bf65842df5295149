"""Rows beside their goals as a table; then what was not run, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import ASCII, SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ...viz import sanitize
from ..terminal import Terminal
from .goals import MISSED
from .rows import INFO, Row

if TYPE_CHECKING:
    from .run import Found

PLAIN = str.maketrans({"≥": ">=", "≤": "<=", "×": "x", "µ": "u", "·": "-", "–": "-"})
STYLES = {"stretch": "bold green", "good": "green", "pass": "cyan", MISSED: "bold red", INFO: "dim"}


def print_table(found: Found, terminal: Terminal) -> None:
    """Prints to stdout what a bench found."""
    console = terminal.console(terminal.out)
    made = " · ".join(_fact(name, value) for name, value in found.machine.items())
    console.print(_text(made, terminal), soft_wrap=True)
    if found.quick:
        console.print(_text("quick: tiny shapes and few rounds, so the verdicts mean nothing", terminal))
    if found.rows:
        console.print(_table(found.rows, terminal))
    if found.not_run:
        console.print(_text("not run:", terminal))
        for why in dict.fromkeys(each.why for each in found.not_run):
            names = ", ".join(each.goal.name for each in found.not_run if each.why == why)
            console.print(_text(f"  {why}: {names}", terminal))
    console.print(_text(f"took {found.seconds:.0f} s", terminal))


def _fact(name: str, value: Any) -> str:
    return f"memory {value / 1e9:.0f} GB/s" if name == "bytes_per_second" else f"{name} {value}"


def _table(rows: list[Row], terminal: Terminal) -> Table:
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
        *facts, medians, floor = (_text(cell, terminal) for cell in _cells(row))
        table.add_row(*facts, _verdict(row, terminal), medians, *([floor] if floors else []))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    about = row.goal
    wanted = "\n".join(text for text in about.wanted.values() if text != "–") if about else ""
    medians = "\n".join(f"{name} {duration(seconds)}" for name, seconds in row.arms.items())
    floor = f"{duration(row.floor[1])}, {row.over_floor:.2g}×" if row.floor else ""
    what = "\n".join(filter(None, (about.what if about else row.what, row.note)))
    return (about.name.replace(" ", "\n", 1) if about else "", what, row.shown, wanted, medians, floor)


def _verdict(row: Row, terminal: Terminal) -> Text:
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
