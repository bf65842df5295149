"""Results of a simulation as a table, as JSON, as CSV and as a plot. Computes nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.table import Table

from ...viz import sanitize
from ..counted import counted
from ..plots import Line, Style, plot
from ..terminal import WIDTH, Terminal
from .caches import OPTIMUM
from .reading import Skipped
from .replaying import Row
from .trace import Trace

Cell = Callable[[Row], str]
"""What stands in a column."""

_DIGITS = 6  # of ratios and seconds, in JSON and CSV


def table(rows: Sequence[Row], terminal: Terminal) -> Table:
    """Returns the rows for people.

    Rules that all share stand below the table, refusals only where there are any; what others say as well is left out
    where the terminal is narrow.
    """
    shown = Table(box=None if terminal.ascii else box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    rules = {row.rules for row in rows if row.rules}
    cells: list[tuple[str, Callable[[Row], str]]] = [
        ("cache", lambda row: row.cache),
        ("policy", lambda row: row.policy),
    ]
    if len(rules) > 1:
        cells.append(("rules", lambda row: row.rules))
    elif rules:
        shown.caption = f"rules: {rules.pop()}"
    for name, cell in cells:
        shown.add_column(name, min_width=max(len(word) for row in rows for word in cell(row).split() or [""]))
    figures = [
        (name, cell)
        for name, cell in _FIGURES.items()
        if (name != "refused" or any(row.refused for row in rows)) and (name not in _SPARED or terminal.width >= WIDTH)
    ]
    for name, _ in figures:
        shown.add_column(name, justify="right", no_wrap=True)  # a figure that is cut is wrong
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        ends = following is not None and _line_of(following) != _line_of(row)
        shown.add_row(*(cell(row) for _, cell in [*cells, *figures]), end_section=ends)
    return shown


_FIGURES: Final[dict[str, Cell]] = {
    "capacity": lambda row: f"{row.capacity:,}",
    "hit ratio": lambda row: f"{row.hit_ratio:.2%}",
    "of tokens": lambda row: f"{row.token_hit_ratio:.2%}",
    "evictions": lambda row: f"{row.evictions:,}",
    "refused": lambda row: f"{row.refused:,}",
    "seconds": lambda row: f"{row.seconds:.2f}",
}
_SPARED: Final = ("of tokens", "seconds")


def told(trace: Trace) -> str:
    """Returns what the trace is, in two lines."""
    span = f" in {trace.span / 60:,.0f} min" if trace.span >= 60 else ""
    what = f"{counted(trace.requests, 'request')}{span}, {counted(trace.blocks, 'block')}"
    return (
        f"{sanitize(trace.name)}: {what} of {counted(trace.block, 'token')}, {trace.distinct:,} distinct, at most "
        f"{trace.longest:,} in one request\n"
        f"without bounds a cache finds {trace.limit:.2%} of the blocks, {trace.token_limit:.2%} of the tokens"
    )


def as_json(trace: Trace, skipped: Skipped, rows: Sequence[Row]) -> str:
    """Returns everything for programs."""
    about = {
        "name": trace.name,
        "requests": trace.requests,
        "skipped_lines": skipped.count,
        "requests_left_out": skipped.unknown,
        "block_tokens": trace.block,
        "blocks": trace.blocks,
        "tokens": trace.tokens,
        "distinct_blocks": trace.distinct,
        "longest_blocks": trace.longest,
        "span_seconds": round(trace.span, _DIGITS),
        "unbounded_hit_ratio": round(trace.limit, _DIGITS),
        "unbounded_token_hit_ratio": round(trace.token_limit, _DIGITS),
    }
    return json.dumps({"trace": about, "rows": [_values(row) for row in rows]}, ensure_ascii=False, indent=2)


def as_csv(rows: Sequence[Row]) -> str:
    """Returns the rows, with the names of their columns first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(_values(row) for row in rows)
    return out.getvalue()


def _values(row: Row) -> dict[str, Any]:
    return {name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in asdict(row).items()}


def draw(path: Path, trace: Trace, rows: Sequence[Row]) -> None:
    """Writes the plot: hit ratio against capacity, a line for each cache, the optimum, and what no capacity can pass.

    Raises:
        UsageError: matplotlib is missing, or the file cannot be written.
    """
    names = {_line_of(row): "" for row in rows}
    for line in names:
        names[line] = " ".join(_telling(line, [other for other in names if other[0] == line[0]]))
    capacities = [row.capacity for row in rows]
    lines = [
        Line(
            names[line],
            [(row.capacity, row.hit_ratio) for row in rows if _line_of(row) == line],
            Style.BEST if line[0] == OPTIMUM else Style.MEASURED,
        )
        for line in names
    ]
    ends = [(float(each), trace.limit) for each in (min(capacities), max(capacities))]
    lines.append(Line("unbounded", ends, Style.LIMIT))
    x = f"capacity in blocks of {counted(trace.block, 'token')}"
    plot(path, f"Hit ratio on {trace.name}", x, "blocks of prompts found", lines, log_x=True, percent=True)


def _line_of(row: Row) -> tuple[str, str, str]:
    return row.cache, row.policy, row.rules


def _telling(line: tuple[str, str, str], alike: Sequence[tuple[str, str, str]]) -> list[str]:
    """Returns the parts of a line's name that tell it from the others of its cache; the cache and its policy always."""
    cache, policy, rules = line
    return [cache, policy, *([rules] if len({other[2] for other in alike}) > 1 or cache == "hash" else [])]
