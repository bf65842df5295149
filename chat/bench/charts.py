"""Two charts of what was measured: time to the first token by history, and time per token by context."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..plots import Line, plot
from .rows import Row


class Chart(NamedTuple):
    """What goes into one file."""

    file: str
    title: str
    x: str
    y: str
    arms: tuple[str, ...]  # whose medians are drawn, if rows have them
    about: str  # the `chart` of the rows it draws


CHARTS = (
    Chart("ttft.svg", "Time to the first token", "tokens of history", "milliseconds", ("recompute", "cached"), "ttft"),
    Chart("decode.svg", "Time per token", "tokens of context", "milliseconds", ("transformers", "ours"), "decode"),
)


def write_charts(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Writes every chart that has two points or more; returns the files.

    Raises:
        UsageError: matplotlib is missing, or a file cannot be written.
    """
    written = []
    for chart in CHARTS:
        lines = [line for arm in chart.arms if len((line := _line(rows, chart, arm)).points) > 1]
        if lines:
            path = folder / chart.file
            plot(path, chart.title, chart.x, chart.y, lines, log_x=True)
            written.append(path)
    return written


def _line(rows: Sequence[Row], chart: Chart, arm: str) -> Line:
    points = {row.tokens: row.arms[arm] * 1e3 for row in rows if row.chart == chart.about and arm in row.arms}
    return Line(arm, [(float(tokens), ms) for tokens, ms in sorted(points.items()) if tokens])
