"""The table of formats: names, endings, which options each takes, what it needs, and who writes it.

One row decides everything about a format: command line, help, completion and tests read it. Writers live in `viz` and
are imported when they write.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...viz.album import Album, Panel
from ..errors import UsageError
from .files import STDOUT
from .options import NAMES, THEMES, Grid, Options, check_together

if TYPE_CHECKING:
    from ...viz.scene import Scene
    from ...viz.svg_cells import Frame

LEAST_POINT: Final = 7.0
"""Points of the smallest letters that a printed picture should have."""

_CELLS: Final = 100
"""Columns of the outline and the ruler."""


_SAME: Final = ("tokenizer", True)  # a tokenizer that is called as its model need not be told


_PAGE: Final = 178.0
"""Width of a grid on paper where none is given, in mm: both columns of a page."""

_LEAST_CELLS: Final = 40  # columns of outline and ruler on narrow paper
_CELL_LETTERS: Final = 13.0  # px of their letters
_CELL_MARGIN: Final = 16.0  # px around them

_SCREEN: Final = (120, 36)
"""Columns and rows of a film."""


class Many(Enum):
    """How many steps one file holds, where nothing else is said."""

    ALL = "all"
    WANTED = "wanted"  # those that are asked for, else the last
    ONE = "one"


class Format(NamedTuple):
    """A row of the table."""

    name: str
    endings: tuple[str, ...]  # the first is what frames in a folder get
    about: str  # one line
    takes: frozenset[str]  # options that mean something for it, besides those that always do
    themes: tuple[str, ...]  # the usual one first; none where nothing has a colour
    many: Many  # how many steps one file holds
    text: bool
    needs: Callable[[Options], None]  # raises UsageError when something is missing
    write: Callable[[Sheet, int | None], bytes]  # of the panel at a place; None: of all


class Sheet:
    """What is drawn, for whichever format; lays out once.

    Args:
        album: Its panels.
        asked: How.
        series: Whether the panels belong together, so that nothing may move from one to the next.

    Attributes:
        theme: The one that was asked for, or the usual one.
    """

    def __init__(self, album: Album, asked: Options, *, series: bool) -> None:
        self.album = album
        self.asked = asked
        self.theme = asked.theme or next(iter(format_of(asked).themes), "")
        self.series = series
        self.layout = asked.layout or ("fixed" if series and asked.grid is None else "compact")
        self.notes: list[str] = []  # to be said when all is written

    @cached_property
    def scenes(self) -> Sequence[Scene]:
        """Every panel, laid out as a figure."""
        from ...viz.scene import scenes

        asked = self.asked
        style: dict[str, Any] = {"layout": self.layout, "labels": asked.labels, "folded": asked.fold}
        if asked.grid is None or self.layout == "fixed" or asked.aspect is not None:
            return scenes(self.album, aspect=asked.aspect, **style)
        from ...viz.svg_many import grid_scenes

        return grid_scenes(
            self.album, *asked.grid, width_mm=asked.width or _PAGE, legend=asked.legend, caption=self.below,
            made=lambda wrap: scenes(self.album, wrap=wrap, **style),
        )  # fmt: skip

    @cached_property
    def cells(self) -> Sequence[str]:
        """Every panel as SVG of an outline or a ruler, all of one size."""
        from ...viz.svg_cells import cells_frames

        return cells_frames(
            [_frame(self, panel) for panel in self.album.panels],
            theme=self.theme, legend=self.asked.legend, width_mm=self.asked.width, facts=self.metadata,
            lang=self.album.lang,
        )  # fmt: skip

    @cached_property
    def blocks(self) -> Sequence[str]:
        """Every panel as SVG of its blocks, all of one size."""
        from ...viz.block_svg import block_frames

        return block_frames(
            self.album, theme=self.theme, legend=self.asked.legend, captions=self.captions,  # type: ignore[arg-type]
            width_mm=self.asked.width, facts=self.metadata,
        )  # fmt: skip

    @cached_property
    def style(self) -> dict[str, Any]:
        """What the writers of SVG have in common."""
        asked = self.asked
        return {
            "theme": self.theme, "legend": asked.legend, "facts": self.metadata, "width_mm": asked.width,
            "lang": self.album.lang,
        }  # fmt: skip

    @cached_property
    def frames(self) -> Sequence[str]:
        """Every panel as SVG, all of one size."""
        from ...viz.svg_many import write_frames

        return write_frames(self.scenes, captions=self.captions, **self.style)

    @property
    def captions(self) -> list[str]:
        """What stands below each picture."""
        return [self.caption(panel) for panel in self.album.panels]

    @property
    def below(self) -> str:
        """What stands below all panels of a grid."""
        asked = self.asked
        return (
            (self.facts(self.album.panels[-1]) if asked.caption is None else asked.caption) if asked.captioned else ""
        )

    def caption(self, panel: Panel) -> str:
        """Returns what stands below a picture: what was asked for, or what was recorded and what changed."""
        asked = self.asked
        if not asked.captioned or asked.caption is not None:
            return (asked.caption or "") if asked.captioned else ""
        return "\n".join(filter(None, (panel.story, self.facts(panel))))

    def facts(self, panel: Panel) -> str:
        """Returns what was recorded, in one line; capacity and policy as they are in a panel."""
        now = panel.snapshot
        facts = {**self.album.facts, "capacity": f"{now.capacity:,} tokens"}
        if now.policy and now.blocks is None:
            facts["policy"] = now.policy
        shown = ("lesson", "model", "tokenizer", "capacity", "page size", "policy", "preset", "block size")
        same = facts.get("tokenizer") == facts.get("model")
        return " · ".join(f"{name} {facts[name]}" for name in shown if name in facts and (name, same) != _SAME)

    @cached_property
    def metadata(self) -> dict[str, str]:
        """What programs read: the facts, and which texts are not the nodes' own."""
        texts = {f"relabelled #{node}": text for node, text in self.album.relabels.items()}
        return {**self.album.facts, **texts}


# -- SVG -----------------------------------------------------------------------------------------------------------


def _svg(sheet: Sheet, place: int | None) -> str:
    """Draws one panel, or all of them in motion or in a grid."""
    asked = sheet.asked
    from ...viz.svg import SMALL

    if asked.view != "figure":
        blocks = asked.view == "blocks"
        text = (sheet.blocks if blocks else sheet.cells)[place or 0]
        _check_size(sheet, text, SMALL if blocks else _CELL_LETTERS)
        return text
    if place is not None and sheet.series:
        text = sheet.frames[place]
    elif place is not None:
        from ...viz.svg import write_svg

        scene = sheet.scenes[place]
        text = write_svg(scene, caption=sheet.caption(scene.panel), **sheet.style)
    elif asked.animate:
        from ...viz.svg_many import write_animation

        text = write_animation(sheet.scenes, seconds=asked.seconds, captions=sheet.captions, **sheet.style)
    else:
        from ...viz.svg_many import write_grid

        assert asked.grid is not None
        _check_grid(sheet)
        text = write_grid(sheet.scenes, *asked.grid, caption=sheet.below, **sheet.style)
    _check_size(sheet, text, SMALL)
    return text


def _prefix(panel: Panel) -> str:
    return f"s{panel.number:02}"


def _check_grid(sheet: Sheet) -> None:
    (columns, rows), steps = sheet.asked.grid or Grid(), len(sheet.album.panels)
    if columns is not None and rows is not None and steps > columns * rows:
        raise UsageError(
            f"{steps} steps do not fit {columns} × {rows} panels",
            f"Give --grid {columns}x{-(-steps // columns)}, or fewer steps, as in --step 1-{columns * rows}.",
        )


def _check_size(sheet: Sheet, svg: str, letters: float) -> None:
    """Notes when the smallest letters, of so many px, would be printed too small to read."""
    width = sheet.asked.width
    if width is None:
        return
    box = svg.split('viewBox="', 1)[1].split('"', 1)[0].split()
    points = letters * width / float(box[2]) * 72 / 25.4
    note = f"at {width:g} mm the smallest letters have {points:.1f} pt; from {LEAST_POINT:g} pt on they can be read"
    if points < LEAST_POINT and note not in sheet.notes:
        sheet.notes.append(note)


def _frame(sheet: Sheet, panel: Panel) -> Frame:
    from ...viz.outline import outline
    from ...viz.plain import memory_line
    from ...viz.ruler import ruler
    from ...viz.svg_cells import Frame
    from ...viz.told import told

    album, folded, width = sheet.album, sheet.asked.fold, _columns(sheet.asked.width)
    look = replace(album.look, palette="light")
    memory = album.bytes_per_token or None
    if sheet.asked.view == "rail":
        picture: Any = outline(
            panel.snapshot, album.pieces, width=width, look=look, bytes_per_token=memory, folded=folded,
            letters=panel.letters,
        )  # fmt: skip
    else:
        picture = ruler(panel.snapshot, album.pieces, width=width, look=look, folded=folded, letters=panel.letters)
    pool = memory_line(panel.snapshot, width=width, bytes_per_token=memory, palette="light", lang=album.lang)
    nodes = told(panel.snapshot, album.pieces, letters=panel.letters, folded=folded, relabels=album.relabels)
    caption = sheet.caption(panel)
    if caption and sheet.asked.caption is None:
        caption = f"{panel.title}\n{caption}"  # these pictures have no heading
    return Frame(picture, panel.title, panel.story, caption, nodes, f"{_prefix(panel)}-", list(pool.split()))


def _columns(width_mm: float | None) -> int:
    """Returns how many columns can be read on paper so wide, of those there are otherwise."""
    from ...viz import svg_cells

    if width_mm is None:
        return _CELLS
    px = _CELL_LETTERS * width_mm * 72 / 25.4 / LEAST_POINT  # of a picture whose letters are just large enough
    return max(_LEAST_CELLS, min(_CELLS, int((px - 2 * _CELL_MARGIN) / svg_cells.CELL)))


# -- the others ----------------------------------------------------------------------------------------------------


def _drawn(name: str, own: Callable[[str, Options], bytes]) -> Callable[[Sheet, int | None], bytes]:
    """Returns the writer of a format that Graphviz draws, too; `own` makes it of an SVG."""

    def write(sheet: Sheet, place: int | None) -> bytes:
        if sheet.asked.renderer == "dot":
            from ...viz.dot import render_dot

            return render_dot(_dot(sheet, place), name)
        return own(_svg(sheet, place), sheet.asked)

    return write


def _to_png(svg: str, asked: Options) -> bytes:
    from ...viz.raster import to_png

    return to_png(svg, scale=asked.scale)


def _to_pdf(svg: str, asked: Options) -> bytes:
    from ...viz.raster import to_pdf

    return to_pdf(svg)


def _dot(sheet: Sheet, place: int | None) -> str:
    from ...viz.dot import write_dot

    asked = sheet.asked
    panel = sheet.album.panels[place or 0]
    if asked.view == "blocks":
        from ...viz.block_dot import write_block_dot

        return write_block_dot(sheet.album, panel, theme=sheet.theme)
    return write_dot(sheet.album, panel, theme=sheet.theme, labels=asked.labels, folded=asked.fold)  # type: ignore[arg-type]


def _to_dot(sheet: Sheet, place: int | None) -> bytes:
    return _dot(sheet, place).encode()


def _to_cast(sheet: Sheet, place: int | None) -> bytes:
    from ...viz.cast import write_cast

    asked = sheet.asked
    look = replace(sheet.album.look, palette=sheet.theme)
    view: Any = asked.view
    columns, rows = _SCREEN
    return write_cast(sheet.album, columns=columns, rows=rows, seconds=asked.seconds, view=view, look=look).encode()


def _to_json(sheet: Sheet, place: int | None) -> bytes:
    from ...viz.data import write_json

    return write_json(sheet.album).encode()


def _to_txt(sheet: Sheet, place: int | None) -> bytes:
    from ...viz.text import write_text

    asked = sheet.asked
    return write_text(sheet.album, view=asked.view, width=_CELLS, key=asked.legend).encode()  # type: ignore[arg-type]


def _to_html(sheet: Sheet, place: int | None) -> bytes:
    from ...viz.page import write_page

    asked = sheet.asked
    pictures = Sheet(sheet.album, replace(asked, legend=False, captioned=False, theme="auto"), series=True)
    svgs = [_svg(pictures, place) for place in range(len(sheet.album.panels))]
    facts = sheet.album.facts
    title = asked.caption or facts.get("lesson") or f"radixchat: {facts.get('model') or 'a recording'}"
    return write_page(sheet.album, svgs, title=title, theme=sheet.theme, lang=sheet.album.lang).encode()


# -- what is needed ------------------------------------------------------------------------------------------------


def _nothing(asked: Options) -> None:
    pass


def _graphviz(asked: Options) -> None:
    if asked.renderer == "dot" and shutil.which("dot") is None:
        raise UsageError(
            "--renderer dot needs Graphviz, and there is no program `dot`",
            "Install it (apt install graphviz, brew install graphviz), or leave --renderer out.",
        )


def _cairo(asked: Options) -> None:
    from ...viz.raster import load_cairo

    _graphviz(asked)
    if asked.renderer != "dot":
        load_cairo()


# -- the table -----------------------------------------------------------------------------------------------------

_PICTURE: Final = frozenset(
    {"view", "theme", "labels", "legend", "aspect", "width", "layout", "fold", "relabel", "caption", "captioned",
     "renderer", "grid"}
)  # fmt: skip

_STILL: Final = ("light", "dark", "print")

FORMATS: Final[Mapping[str, Format]] = {
    row.name: row
    for row in (
        Format(
            "svg", (".svg",), "a vector picture", _PICTURE | {"animate", "seconds"}, THEMES, Many.ONE, True, _graphviz,
            _drawn("svg", lambda svg, asked: svg.encode()),
        ),
        Format(
            "png", (".png",), "a picture in pixels", _PICTURE | {"scale"}, _STILL, Many.ONE, False, _cairo,
            _drawn("png", _to_png),
        ),
        Format(
            "pdf", (".pdf",), "a page for papers", _PICTURE, _STILL, Many.ONE, False, _cairo, _drawn("pdf", _to_pdf)
        ),
        Format(
            "html", (".html", ".htm"), "a page to step through",
            frozenset({"view", "theme", "labels", "fold", "relabel", "caption", "aspect", "layout"}),
            ("auto", "light", "dark"), Many.ALL, True, _nothing, _to_html,
        ),
        Format(
            "cast", (".cast",), "a film for asciinema", frozenset({"view", "theme", "seconds"}), ("dark", "light"),
            Many.ALL, True, _nothing, _to_cast,
        ),
        Format(
            "dot", (".dot", ".gv"), "a graph for Graphviz", frozenset({"view", "theme", "labels", "fold", "relabel"}),
            _STILL, Many.ONE, True, _nothing, _to_dot,
        ),
        Format(
            "json", (".json",), "data for programs", frozenset({"relabel"}), (), Many.WANTED, True, _nothing, _to_json
        ),
        Format(
            "txt", (".txt",), "text as in a terminal", frozenset({"view", "relabel", "legend"}), (), Many.WANTED, True,
            _nothing, _to_txt,
        ),
    )
}  # fmt: skip
"""All formats by name."""


def format_of(asked: Options) -> Format:
    """Returns the format of an output: the one that is named, else that of its ending; of a folder, SVG.

    Raises:
        UsageError: there is none.
    """
    if asked.format is not None:
        if asked.format.lower() not in FORMATS:
            raise UsageError(f"there is no format {asked.format!r}", f"Choose one of {', '.join(FORMATS)}.")
        return FORMATS[asked.format.lower()]
    if asked.output == STDOUT:
        raise UsageError("stdout has no ending that tells a format", f"Give --format: {', '.join(FORMATS)}.")
    if asked.output.endswith(("/", "\\")) or os.path.isdir(asked.output):
        return FORMATS["svg"]
    ending = Path(asked.output).suffix.lower()
    for row in FORMATS.values():
        if ending in row.endings:
            return row
    what = f"the ending {ending!r}" if ending else "a name without an ending"
    endings = ", ".join(ending for row in FORMATS.values() for ending in row.endings)
    raise UsageError(f"{what} tells no format: {asked.output}", f"Give --format, or one of {endings}.")


def as_shown(asked: Options, view: str) -> Options:
    """Returns the options with a view, where the format and the other options allow it; else as they are."""
    shown = replace(asked, view=view)
    try:
        check_together(shown)
        check_options(format_of(shown), shown)
    except UsageError:
        return asked
    return shown


def check_options(format: Format, asked: Options) -> None:
    """Raises UsageError for an option that means nothing for a format, and for one that means nothing alone."""
    for name in asked.given():
        if name not in format.takes:
            others = [row.name for row in FORMATS.values() if name in row.takes]
            raise UsageError(f"{NAMES[name]} means nothing for {format.name}", f"It is for {', '.join(others)}.")
    if format.name == "dot" and asked.view in ("rail", "ruler"):
        raise UsageError("--view means nothing for dot, but for blocks", "Leave --view out: dot lays out the tree.")
    if "seconds" in asked.given() and format.name == "svg" and not asked.animate:
        raise UsageError("--seconds is for what moves", "Give --animate, too.")
    if asked.theme is not None and asked.theme not in format.themes:
        raise UsageError(f"{format.name} has no theme {asked.theme}", f"Choose one of {', '.join(format.themes)}.")
