"""Pictures in cells as SVG: what a terminal shows of the outline, the ruler or the figure, for pages and papers.

Each run of characters with one style is a `<text>` at its own place on a grid of cells, so that a font that is a bit
wider or narrower moves nothing far. Lines, bars and gauges are drawn as paths, not as characters: they join in every
renderer and with every font. The cells of a node are one group with its whole text as `<title>`. Colours are those of
the palette that the picture was painted with, translated to a theme; they are plain attributes, without variables.
Knows pictures and lines of rich Text; no tree, no layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from rich.color import Color
from rich.style import Style
from rich.text import Text

from .cells import Run, cell_len, paragraphs, runs_of
from .picture import Picture
from .plain import legend as legend_of
from .sanitize import sanitize
from .states import DARK, LIGHT, Palette
from .themes import AT_NIGHT, THEMES, Theme
from .told import Told

CELL: Final = 7.8
"""Width of a cell in px: 0.6 of the font's size."""

LINE: Final = 17
"""Height of a line in px."""

FONT: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace"
"""Fonts of all text; none is loaded from anywhere."""

_SIZE = 13  # px of the font
_BASE = 12.5  # px from a line's top to its base line
_MARGIN = 16  # px around everything
_WIDE = 2 * CELL - _SIZE  # px that a character of two cells lacks
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LEAD = 3  # px of a bar before its first character
_LEAST = 40  # cells that captions and legends may always take


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture and what is written about it.

    Attributes:
        picture: Painted with a look of the light or dark palette; without colour it stays so.
        title: One line: what is shown.
        desc: What happened, in sentences, for those who do not see it.
        caption: Sentences below the picture; "" draws none.
        told: Its nodes; each gets a group with its facts. See `told.told`.
        prefix: What ids begin with; another for each picture of a page.
        below: Lines drawn between picture and legend, such as `plain.memory_line`.
        edged: Whether backgrounds have an edge, as bars need; a figure's boxes have one.
    """

    picture: Picture
    title: str
    desc: str
    caption: str = ""
    told: Sequence[Told] = ()
    prefix: str = ""
    below: Sequence[Text] = ()
    edged: bool = True


def cells_svg(
    picture: Picture,
    *,
    title: str,
    desc: str,
    theme: str = "light",
    legend: bool = True,
    caption: str = "",
    prefix: str = "",
    width_mm: float | None = None,
    told: Sequence[Told] = (),
    below: Sequence[Text] = (),
    facts: Mapping[str, str] | None = None,
    lang: str = "en",
    edged: bool = True,
) -> str:
    """Draws one picture; see `Frame` and `cells_frames` for the arguments."""
    frame = Frame(picture, title, desc, caption, told, prefix, below, edged)
    return cells_frames([frame], theme=theme, legend=legend, width_mm=width_mm, facts=facts, lang=lang)[0]


def cells_frames(
    frames: Sequence[Frame],
    *,
    theme: str = "light",
    legend: bool = True,
    width_mm: float | None = None,
    facts: Mapping[str, str] | None = None,
    lang: str = "en",
) -> list[str]:
    """Draws pictures of one size, one SVG each.

    Args:
        frames: What to draw.
        theme: One of `themes.THEMES`; auto is light, and dark where the reader prefers that.
        legend: Whether to say what the signs mean.
        width_mm: Width on paper; None: as many px as it has.
        facts: For the metadata, in order.
        lang: Of the texts and the legend.

    Returns:
        SVG documents with equal view boxes; the same frames give the same bytes.
    """
    columns = max([_LEAST, *(frame.picture.width for frame in frames)])
    rows = max([0, *(frame.picture.height for frame in frames)])
    signs = list(legend_of(width=columns, palette="light", lang=lang).split()) if legend else []
    sheets = [(frame, paragraphs(frame.caption, columns)) for frame in frames]
    lines = [rows + sum(1 + len(part) for part in (frame.below, signs, caption) if part) for frame, caption in sheets]
    room = _Room(columns, rows, max(lines, default=0), width_mm)
    return [_document(frame, caption, signs, room, theme, facts or {}, lang) for frame, caption in sheets]


# -- the document ------------------------------------------------------------------------------------------------------


class _Room(NamedTuple):
    """Cells of a document."""

    columns: int
    rows: int  # of the picture
    lines: int  # of everything
    width_mm: float | None


def _document(
    frame: Frame,
    caption: Sequence[str],
    signs: Sequence[Text],
    room: _Room,
    theme: str,
    facts: Mapping[str, str],
    lang: str,
) -> str:
    ink = _Inks(theme, frame.edged)
    width, height = room.columns * CELL + 2 * _MARGIN, room.lines * LINE + 2 * _MARGIN
    size = f'width="{_px(width)}" height="{_px(height)}"'
    if room.width_mm is not None:
        size = f'width="{_px(room.width_mm)}mm" height="{_px(room.width_mm * height / width)}mm"'
    ids = f"{frame.prefix}title", f"{frame.prefix}desc"
    body = list(_picture(frame, ink))
    y = room.rows
    for part in (frame.below, signs, [Text(line) for line in caption]):
        for number, line in enumerate(part, start=y + 1):
            body += _drawn(runs_of(line), number, ink)
        y += len(part) + 1 if part else 0
    metadata = "; ".join(f"{key}: {value}" for key, value in facts.items())
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {_px(width)} {_px(height)}" role="img"'
            f" xml:lang={quoteattr(_xml(lang))} aria-labelledby={quoteattr(_xml(' '.join(ids)))}"
            f' font-family="{FONT}" font-size="{_SIZE}px">',
            f"<title id={quoteattr(_xml(ids[0]))}>{_text(frame.title)}</title>",
            f"<desc id={quoteattr(_xml(ids[1]))}>{_text(frame.desc)}</desc>",
            *([f"<metadata>{_text(metadata)}</metadata>"] if metadata else []),
            *ink.style(),
            f'<rect x="0.5" y="0.5" width="{_px(width - 1)}" height="{_px(height - 1)}" rx="6" {ink.card()}/>',
            *body,
            "</svg>\n",
        ]
    )


def _picture(frame: Frame, ink: _Inks) -> Iterator[str]:
    """Yields what is behind and between nodes, then a group for each node, from top to bottom."""
    told = {one.id: one for one in reversed(frame.told) if one.nodes}
    loose: list[str] = []
    groups: dict[int, list[str]] = {}
    for y in range(frame.picture.height):
        owned: dict[int | None, list[Run]] = {}
        for run in runs_of(frame.picture.line(y)):
            for part, node in _by_node(run, frame.picture, y):
                owned.setdefault(node, []).append(part)
        for node, runs in owned.items():
            (loose if node is None else groups.setdefault(node, [])).extend(_drawn(runs, y, ink))
    yield from loose
    for node, shapes in groups.items():
        one = told.get(node)
        facts = f' id={quoteattr(_xml(f"{frame.prefix}n{node}"))} class="node" data-node="{node}"'
        if one is not None:
            facts = facts.replace('"node"', f'"{one.classes}"', 1)
            facts += f' data-tokens="{one.tokens}" data-locks="{one.locks}"'
        yield f"<g{facts}>"
        if one is not None:
            yield f"<title>{_text(one.sentence)}</title>"
        yield from shapes
        yield "</g>"


def _by_node(run: Run, picture: Picture, y: int) -> Iterator[tuple[Run, int | None]]:
    """Cuts a run where another node begins."""
    x, text = run.x, ""
    start, owner = run.x, picture.node_at(run.x, y)
    for char in run.text:
        node = picture.node_at(x, y)
        if node != owner and cell_len(char):
            yield Run(start, text, run.style), owner
            text, start, owner = "", x, node
        text += char
        x += cell_len(char)
    yield Run(start, text, run.style), owner


# -- lines -------------------------------------------------------------------------------------------------------------


def _drawn(runs: Sequence[Run], y: int, ink: _Inks) -> list[str]:
    """Draws runs of one line and one owner: fills, then lines, then texts."""
    top = _MARGIN + y * LINE
    lead = _LEAD if ink.edged else 0
    shapes = [
        f'<rect x="{_px(_MARGIN + x * CELL - lead)}" y="{_px(top + 0.5)}" width="{_px(cells * CELL + lead)}"'
        f' height="{LINE - 1}" rx="{lead}" {fill}/>'
        for x, cells, fill in _fills(runs, ink)
    ]
    for run in runs:
        for x, text in _strokes(run):
            shapes += _lines(x, text, top, ink.stroke(run.style))
        for x, text, wide in _words(run):
            weight = ' font-weight="bold"' if run.style.bold else ""
            spread = f' letter-spacing="{_px(_WIDE)}"' if wide else ""
            shift = _WIDE / 2 if wide else 0
            shapes.append(
                f'<text x="{_px(_MARGIN + x * CELL + shift)}" y="{_px(top + _BASE)}"{weight}{spread}'
                f" {ink.fill(run.style)}>{escape(_xml(text))}</text>"
            )
        for wanted, height in ((run.style.strike, 8.0), (run.style.underline, 15.0)):
            bare = run.text.strip()
            if wanted and bare:
                x = run.x + cell_len(run.text[: len(run.text) - len(run.text.lstrip())])
                shapes.append(
                    f'<path d="M{_x(x)} {_px(top + height)}h{_px(cell_len(bare) * CELL)}" stroke-width="1"'
                    f" {ink.stroke(run.style)}/>"
                )
    return shapes


def _fills(runs: Iterable[Run], ink: _Inks) -> Iterator[tuple[int, int, str]]:
    """Yields start, cells and paint of each stretch with one background."""
    start, cells, paint = 0, 0, ""
    for run in runs:
        own = ink.ground(run.style)
        if own == paint and start + cells == run.x:
            cells += cell_len(run.text)
            continue
        if paint:
            yield start, cells, paint
        start, cells, paint = run.x, cell_len(run.text), own
    if paint:
        yield start, cells, paint


def _stretches(run: Run, drawn: bool) -> Iterator[tuple[int, str]]:
    """Yields the stretches of a run that are drawn as lines, or those that are written."""
    x, start, text = run.x, run.x, ""
    for char in run.text:
        if (char in _ARMS or char in _BLOCKS) is drawn:
            start, text = start if text else x, text + char
        elif text:
            yield start, text
            text = ""
        x += cell_len(char)
    if text:
        yield start, text


def _strokes(run: Run) -> Iterator[tuple[int, str]]:
    return _stretches(run, drawn=True)


def _words(run: Run) -> Iterator[tuple[int, str, bool]]:
    """Yields what is written: cut at wide gaps, and where characters become wide or narrow."""
    for start, text in _stretches(run, drawn=False):
        x, word, wide = start, "", False
        begin = x
        for char in text + "  ":
            cells = cell_len(char)
            if word and ((char == " " and (wide or word[-1] == " ")) or (cells and (cells == 2) is not wide)):
                yield begin, word.rstrip(" "), wide
                word = ""
            if not word and char != " ":
                begin, wide = x, cells == 2
            if word or char != " ":
                word += char
            x += cells
        # two blanks end every word


# -- characters that are drawn -----------------------------------------------------------------------------------------


class _Arms(NamedTuple):
    """What a line character joins: 0 nothing, 1 a line, 2 a heavy one."""

    left: int = 0
    right: int = 0
    up: int = 0
    down: int = 0
    dashed: bool = False


_ARMS: Final[Mapping[str, _Arms]] = {
    "─": _Arms(1, 1), "━": _Arms(2, 2), "╸": _Arms(2), "╍": _Arms(2, 2, dashed=True), "╌": _Arms(1, 1, dashed=True),
    "│": _Arms(0, 0, 1, 1), "╎": _Arms(0, 0, 1, 1, True), "├": _Arms(0, 1, 1, 1), "┤": _Arms(1, 0, 1, 1),
    "┬": _Arms(1, 1, 0, 1), "┴": _Arms(1, 1, 1, 0), "┼": _Arms(1, 1, 1, 1), "┌": _Arms(0, 1, 0, 1),
    "┐": _Arms(1, 0, 0, 1), "└": _Arms(0, 1, 1, 0), "┘": _Arms(1, 0, 1, 0),
}  # fmt: skip
_BLOCKS: Final[Mapping[str, float]] = {"█": 1.0, "▓": 0.75, "▒": 0.5, "░": 0.25}


def _lines(x: int, text: str, top: float, paint: str) -> Iterator[str]:
    """Yields paths for a stretch of line characters; equal ones beside each other are one."""
    plain: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        size = next((n for n in range(at, len(text)) if text[n] != char), len(text)) - at
        left, right = _MARGIN + (x + at) * CELL, _MARGIN + (x + at + size) * CELL
        if char in _BLOCKS:
            opacity = f' stroke-opacity="{_BLOCKS[char]:g}"' if _BLOCKS[char] < 1 else ""
            yield _path(f"M{_px(left)} {_px(top + 8.5)}H{_px(right)}", 9, paint.split(" stroke-opacity")[0], opacity)
        elif _ARMS[char].dashed or max(_ARMS[char][:4]) > 1:
            yield from _special(_ARMS[char], left, right, top, paint)
        else:
            plain += _plain(_ARMS[char], left, size, top)
        at += size
    if plain:
        yield _path("".join(plain), 1, paint)


def _special(arms: _Arms, left: float, right: float, top: float, paint: str) -> Iterator[str]:
    """Yields one path for a dashed or heavy stretch."""
    middle = top + LINE / 2
    weight = max(arms[:4]) * 1.5 if max(arms[:4]) > 1 else 1
    if arms.up:
        d, dash = f"M{_px((left + right) / 2)} {_px(top)}v{LINE}", "4.3 4.2"
    else:
        end = right if arms.right else (left + right) / 2
        d, dash = f"M{_px(left)} {_px(middle)}H{_px(end)}", "2.4 1.5"
    yield _path(d, weight, paint, f' stroke-dasharray="{dash}"' if arms.dashed else "")


def _plain(arms: _Arms, left: float, size: int, top: float) -> Iterator[str]:
    """Yields moves and lines for equal characters beside each other; what goes across is one line."""
    middle = top + LINE / 2
    if arms.left or arms.right:
        start = left if arms.left else left + CELL / 2
        end = left + size * CELL - (0 if arms.right else CELL / 2)
        yield f"M{_px(start)} {_px(middle)}H{_px(end)}"
    for number in range(size if arms.up or arms.down else 0):
        x = left + (number + 0.5) * CELL
        start, end = (top if arms.up else middle), (top + LINE if arms.down else middle)
        yield f"M{_px(x)} {_px(start)}V{_px(end)}"


def _path(d: str, weight: float, paint: str, more: str = "") -> str:
    return f'<path d="{d}" stroke-width="{weight:g}"{more} {paint}/>'


# -- colours -----------------------------------------------------------------------------------------------------------


def _named(theme: Theme | Palette) -> dict[str, str]:
    """Returns the colours of a theme, or those that a picture was painted with, by role."""
    named = {"text": theme.text, "ground": theme.ground or "#ffffff"}
    for of, ink in (*theme.states.items(), *theme.attributes.items()):
        if of.value:
            name = of.value.replace(" ", "-")
            named[f"{name}-ink"], named[f"{name}-fill"] = ink.stroke, ink.fill or named["ground"]
    return named


_ROLES: Final = {
    colour: name for palette in (DARK, LIGHT) for name, colour in reversed(_named(palette).items()) if name != "ground"
}
_OUTLINES: Final = {  # how the edge of a fill is drawn: weight and dash
    "new-fill": (1.5, ""), "reused-fill": (2.2, ""), "resident-fill": (0.8, ""), "evicted-fill": (1.2, "3 2"),
}  # fmt: skip


@dataclass(slots=True)
class _Inks:
    """Paint of one theme."""

    theme: str
    edged: bool
    _colours: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._colours = _named(THEMES[self.theme])

    def style(self) -> list[str]:
        """Returns the style sheet, none where plain attributes say everything."""
        if self.theme != "auto":
            return []
        dark = _named(AT_NIGHT)
        rules = [f".f-{name}{{fill:{colour}}}.s-{name}{{stroke:{colour}}}" for name, colour in dark.items()]
        return [f"<style>@media (prefers-color-scheme: dark){{{''.join(rules)}}}</style>"]

    def card(self) -> str:
        """Returns the paint of what lies behind everything."""
        rule = THEMES[self.theme].rule
        return f'{self._classed("f-ground")}fill="{self._colours["ground"]}" stroke="{rule}"'

    def fill(self, style: Style) -> str:
        """Returns the paint of text."""
        return self._paint("fill", style)

    def stroke(self, style: Style) -> str:
        """Returns the paint of lines."""
        return f'{self._paint("stroke", style)} fill="none"'

    def ground(self, style: Style) -> str:
        """Returns the paint of a background; "" for none."""
        if style.bgcolor is None:
            return ""
        role, colour = self._of(style.bgcolor)
        if not self.edged:
            return f'{self._classed(f"f-{role}")}fill="{colour}"'
        edge = role.replace("-fill", "-ink")
        weight, dash = _OUTLINES.get(role, (0.8, ""))
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        stroke = self._colours.get(edge, colour)
        return (
            f'{self._classed(f"f-{role} s-{edge}")}fill="{colour}" stroke="{stroke}" stroke-width="{weight:g}"{dashes}'
        )

    def _paint(self, attribute: str, style: Style) -> str:
        role, colour = ("text", self._colours["text"]) if style.color is None else self._of(style.color)
        faint = f' {attribute}-opacity="0.6"' if style.dim else ""
        return f'{self._classed(f"{attribute[0]}-{role}")}{attribute}="{colour}"{faint}'

    def _of(self, colour: Color) -> tuple[str, str]:
        """Returns role and value of a colour; one of no palette stays as it is."""
        found = "#{:02x}{:02x}{:02x}".format(*colour.get_truecolor())
        role = _ROLES.get(found, "own")
        return role, self._colours.get(role, found)

    def _classed(self, names: str) -> str:
        return f'class="{names}" ' if self.theme == "auto" else ""


# -- text --------------------------------------------------------------------------------------------------------------


def _text(text: str) -> str:
    """Returns any text as the content of an element."""
    return escape(_xml(sanitize(text)))


def _xml(text: str) -> str:
    """Replaces the few characters that XML cannot carry and that labels do not show as escapes."""
    return _NO_XML.sub("\ufffd", text)


def _x(cells: float) -> str:
    return _px(_MARGIN + cells * CELL)


def _px(value: float) -> str:
    """Returns a number with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
