"""Line charts as SVG, for benchmarks and simulations; matplotlib, the extra `plots`, draws them.

The same numbers give the same bytes. Knows what to draw and nothing of what it means.
"""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from ..viz import sanitize
from .errors import UsageError
from .exporting.files import write

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Told apart by everybody, after Okabe and Ito; markers tell lines apart without colour."""

MARKERS = "os^Dv*"

_STILL = {
    "svg.hashsalt": "radixchat",  # ids from the content, not by chance
    "svg.fonttype": "none",  # text stays text
    "font.family": "sans-serif",
    "text.parse_math": False,  # a dollar sign is a dollar sign
}


class Style(StrEnum):
    """How a line is drawn."""

    MEASURED = "measured"  # a marker at every point
    LIMIT = "limit"  # what cannot be passed: grey and dashed
    BEST = "best"  # what could be reached: dotted


class Line(NamedTuple):
    """One line of a chart."""

    name: str
    points: Sequence[tuple[float, float]]  # by x
    style: Style | str = Style.MEASURED


def check_installed() -> None:
    """Raises UsageError where matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            "plots need matplotlib, which is not installed", "Install it with: pip install 'radixchat[plots]'"
        )


def plot(
    path: Path, title: str, x: str, y: str, lines: Sequence[Line], *, log_x: bool = False, percent: bool = False
) -> None:
    """Writes a chart as SVG.

    Args:
        path: The file, replaced if it is there.
        title: Above the chart.
        x: What the horizontal axis shows, with its unit.
        y: What the vertical axis shows, with its unit.
        lines: In the order of the legend.
        log_x: Whether equal steps to the right are equal factors; ticks then stand at the points.
        percent: Whether y is a share, from 0 to 1, shown as per cent.

    Raises:
        UsageError: matplotlib is missing, or the file cannot be written.
    """
    check_installed()
    import matplotlib

    with matplotlib.rc_context(_STILL), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # only its width is guessed: the reader's fonts draw it
        data = _drawn(title, x, y, lines, log_x=log_x, percent=percent)
    write({path: data})


def _drawn(title: str, x: str, y: str, lines: Sequence[Line], *, log_x: bool, percent: bool) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.add_subplot()
    measured = 0
    for line in lines:
        across, up = zip(*sorted(line.points), strict=True) if line.points else ((), ())
        axes.plot(across, up, label=sanitize(line.name), **_look(line.style, measured))
        measured += line.style not in (Style.LIMIT, Style.BEST)
    axes.set(title=sanitize(title), xlabel=sanitize(x), ylabel=sanitize(y))
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if log_x:
        _ticks_at_points(axes, {point[0] for line in lines for point in line.points})
    axes.set_ylim(bottom=0, top=1 if percent else None)
    if percent:
        from matplotlib.ticker import PercentFormatter

        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    if lines:
        axes.legend(frameon=False)
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "radixchat"})
    return out.getvalue()


def _look(style: Style | str, place: int) -> dict[str, Any]:
    """How the place-th measured line, or one of the others, is drawn."""
    if style == Style.LIMIT:
        return {"color": "#777777", "linestyle": "--", "linewidth": 1.2}
    if style == Style.BEST:
        return {"color": "#333333", "linestyle": ":", "linewidth": 1.6}
    return {
        "color": COLOURS[place % len(COLOURS)],
        "marker": MARKERS[place % len(MARKERS)],
        "linewidth": 1.8,
        "markersize": 5,
    }


def _ticks_at_points(axes: Any, values: set[float]) -> None:
    axes.set_xscale("log", base=2)
    if 0 < len(values) <= 12:
        axes.set_xticks(sorted(values), [f"{value:,.0f}" for value in sorted(values)])
        axes.minorticks_off()
