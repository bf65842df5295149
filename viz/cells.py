"""What painters of pictures in cells share: signs and styles of one look, and lines made of runs.

Knows no tree and no layout.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from rich.cells import cell_len as measured
from rich.style import Style
from rich.text import Text

from ..radix.snapshots import State
from .labels import Kind, Label, label
from .picture import Look
from .sanitize import sanitize
from .states import PALETTES, Attribute, Ink, Sign
from .wrap import wrapped


@lru_cache(4096)
def cell_len(text: str) -> int:
    """Returns the cells of a short text; painters ask for the same ones again and again."""
    return measured(text)


class Run(NamedTuple):
    """Cells beside each other with one style."""

    x: int
    text: str
    style: Style


class Brush:
    """Signs and styles of one look; without colour every style is empty.

    Attributes:
        text: Text on the terminal's ground.
        faint: What stands back: marks, counts, what is left out.
        line: Connectors of what is at rest.
    """

    def __init__(self, look: Look) -> None:
        self.ascii = look.ascii
        self._colour = look.colour
        self._palette = PALETTES[look.palette]
        self._quiet = self._palette.ground is None  # a terminal's own colours: only dimming is sure to recede
        self.text = self.style()
        self.bold = self.style(bold=True)
        self.strike = self.style(strike=True)
        self.under = self.style(underline=True)
        self.faint = self.style(dim=True) if self._quiet else self.stroke(State.RESIDENT)
        self.line = self.faint if self._quiet else self.faint + self.style(dim=True)

    def stroke(self, of: State | Attribute) -> Style:
        """Returns the style of a state or attribute on the terminal's ground."""
        return self.style(color=self._ink(of).stroke)

    def fill(self, of: State | Attribute) -> Style:
        """Returns the style of text inside a box; the ground alone where the palette has no fills."""
        ink = self._ink(of)
        if ink.fill is None:
            return self.stroke(of)
        return self.style(color=self._palette.text, bgcolor=ink.fill)

    def sign(self, of: State | Attribute) -> Style:
        """Returns the style of a glyph inside a box."""
        ink = self._ink(of)
        return self.style(color=ink.stroke, bgcolor=ink.fill, bold=True)

    def badge(self, of: Attribute, on: State) -> Style:
        """Returns the style of an attribute's sign inside the box of a state."""
        return self.style(color=self._ink(of).stroke, bgcolor=self._ink(on).fill, bold=True)

    def glyph(self, sign: Sign) -> str:
        """Returns a sign as this terminal can show it."""
        return sign.ascii if self.ascii else sign.glyph

    def style(self, **wanted: Any) -> Style:
        """Returns a style; the empty one without colour."""
        return Style(**wanted) if self._colour else Style.null()

    def _ink(self, of: State | Attribute) -> Ink:
        return self._palette.states[of] if isinstance(of, State) else self._palette.attributes[of]


def label_runs(x: int, label: Label, plain: Style, special: Style) -> list[Run]:
    """Returns a label as runs."""
    runs = []
    for span in label.spans:
        runs.append(Run(x, span.text, plain if span.kind is Kind.TEXT else special))
        x += cell_len(span.text)
    return runs


def split_runs(runs: Iterable[Run], x: int) -> tuple[list[Run], list[Run]]:
    """Cuts runs that stand in order at a cell; a wide character there stays whole, on the left."""
    left: list[Run] = []
    right: list[Run] = []
    for run in runs:
        at, cells = 0, run.x
        while at < len(run.text) and (cells < x or not cell_len(run.text[at])):
            cells += cell_len(run.text[at])
            at += 1
        left += [run._replace(text=run.text[:at])] if at else []
        right += [Run(cells, run.text[at:], run.style)] if at < len(run.text) else []
    return left, right


def line_of(runs: Iterable[Run]) -> Text:
    """Returns a line of runs that do not overlap, with blanks between; nobody may wrap or cut it."""
    line = Text(no_wrap=True, overflow="ignore", end="")
    x = 0
    for run in sorted(runs, key=lambda run: run.x):
        if run.x > x:
            line.append(" " * (run.x - x))
            x = run.x
        line.append(run.text, run.style)
        x += cell_len(run.text)
    return line


def runs_of(line: Text) -> list[Run]:
    """Returns any line as runs, blanks and all: what `line_of` made, and what others did."""
    base = _style(line.style)
    edges = sorted({0, len(line.plain), *(at for span in line.spans for at in (span.start, span.end))})
    begins: dict[int, list[int]] = {}  # which spans begin where, by number: later ones paint over earlier ones
    for number, span in enumerate(line.spans):
        begins.setdefault(span.start, []).append(number)
    runs: list[Run] = []
    open_: list[int] = []
    x = 0
    for start, end in pairwise(edges):
        open_ = sorted([*(number for number in open_ if line.spans[number].end > start), *begins.get(start, ())])
        style = sum((_style(line.spans[number].style) for number in open_), base)
        text = line.plain[start:end]
        if text and runs and runs[-1].style == style:
            runs[-1] = runs[-1]._replace(text=runs[-1].text + text)
        elif text:
            runs.append(Run(x, text, style))
        x += cell_len(text)
    return runs


def _style(style: str | Style) -> Style:
    return style if isinstance(style, Style) else Style.parse(style or "none")


def paragraphs(text: str, width: int, *, ascii: bool = False) -> list[str]:
    """Returns sentences from anywhere as lines of at most `width` cells, safe to print."""
    safe = [label(part.strip(), ascii=ascii) for part in sanitize(text, ascii=ascii).split("\n") if part.strip()]
    return [line.plain for each in safe for line in wrapped(each, width)]
