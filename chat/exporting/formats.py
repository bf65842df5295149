"""The table of formats: names, endings, which options each takes, what it needs, and who writes it.

One row decides everything about a format: command line, help, completion and tests read it. Writers live in `viz` and
are imported when they write.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...viz.album import Album, Panel
from ..errors import UsageError
from .files import STDOUT
from .options import NAMES, Options

if TYPE_CHECKING:
    from ...viz.scene import Scene
    from ...viz.svg_cells import Frame

LEAST_POINT: Final = 7.0
"""Points of the smallest letters that a printed picture should have."""

_CELLS: Final = 100
"""Columns of the outline and the ruler."""


_SAME: Final = ("tokenizer", True)  # a tokenizer that is called as its model need not be told


class Format(NamedTuple):
    """A row of the table."""

    name: str
    endings: tuple[str, ...]  # the first is what frames in a folder get
    about: str  # one line
    takes: frozenset[str]  # options that mean something for it, besides those that always do
    many: bool  # one file holds all steps
    text: bool
    needs: Callable[[Options], None]  # raises UsageError when something is missing
    write: Callable[[Sheet, int | None], bytes]  # of the panel at a place; None: of all


class Sheet:
    """What is drawn, for whichever format; lays out once.

    Args:
        album: Its panels.
        asked: How.
        series: Whether the panels belong together, so that nothing may move from one to the next.
    """

    def __init__(self, album: Album, asked: Options, *, series: bool) -> None:
        self.album = album
        self.asked = asked
        self.layout = asked.layout or ("fixed" if series else "compact")
        self.notes: list[str] = []  # to be said when all is written

    @cached_property
    def scenes(self) -> Sequence[Scene]:
        """Every panel, laid out as a figure."""
        from ...viz.scene import scenes

        asked = self.asked
        return scenes(self.album, layout=self.layout, labels=asked.labels, folded=asked.fold, aspect=asked.aspect)  # type: ignore[arg-type]

    def caption(self, panel: Panel) -> str:
        """Returns what stands below a picture: what was asked for, or what was recorded and what changed."""
        asked = self.asked
        if not asked.captioned or asked.caption is not None:
            return (asked.caption or "") if asked.captioned else ""
        return "\n".join(filter(None, (panel.story, self.facts)))

    @property
    def facts(self) -> str:
        """What was recorded, in one line."""
        facts = self.album.facts
        shown = ("lesson", "model", "tokenizer", "capacity", "page size", "policy")
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
    if asked.view != "figure":
        return _cells(sheet)[place or 0]
    style: dict[str, Any] = {
        "theme": asked.theme, "legend": asked.legend, "facts": sheet.metadata, "width_mm": asked.width,
        "lang": sheet.album.lang,
    }  # fmt: skip
    if place is not None:
        scene = sheet.scenes[place]
        text = _write_svg(scene, sheet, prefix=_prefix(scene.panel), **style)
    elif asked.animate:
        from ...viz.svg_many import write_animation

        text = write_animation(sheet.scenes, seconds=asked.seconds, **style)
    else:
        from ...viz.svg_many import write_grid

        assert asked.grid is not None
        _check_grid(sheet)
        text = write_grid(sheet.scenes, *asked.grid, **style)
    _check_size(sheet, text)
    return text


def _write_svg(scene: Scene, sheet: Sheet, **style: Any) -> str:
    from ...viz.svg import write_svg

    return write_svg(scene, caption=sheet.caption(scene.panel), **style)


def _prefix(panel: Panel) -> str:
    return f"s{panel.number:02}"


def _check_grid(sheet: Sheet) -> None:
    grid, steps = sheet.asked.grid, len(sheet.album.panels)
    assert grid is not None
    if steps > grid.columns * grid.rows:
        rows = -(-steps // grid.columns)
        raise UsageError(
            f"{steps} steps do not fit {grid.columns} × {grid.rows} panels",
            f"Give --grid {grid.columns}x{rows}, or fewer steps, as in --step 1-{grid.columns * grid.rows}.",
        )


def _check_size(sheet: Sheet, svg: str) -> None:
    """Notes when letters would be printed too small to read."""
    width = sheet.asked.width
    if width is None:
        return
    from ...viz.svg import points

    box = svg.split('viewBox="', 1)[1].split('"', 1)[0].split()
    size = points(float(box[2]), width)
    note = f"at {width:g} mm the smallest letters have {size:.1f} pt; from {LEAST_POINT:g} pt on they can be read"
    if size < LEAST_POINT and note not in sheet.notes:
        sheet.notes.append(note)


def _cells(sheet: Sheet) -> list[str]:
    """Draws every panel as an outline or a ruler."""
    from ...viz.svg_cells import cells_frames

    asked = sheet.asked
    return cells_frames(
        [_frame(sheet, panel) for panel in sheet.album.panels],
        theme=asked.theme, legend=asked.legend, width_mm=asked.width, facts=sheet.metadata, lang=sheet.album.lang,
    )  # fmt: skip


def _frame(sheet: Sheet, panel: Panel) -> Frame:
    from ...viz.outline import outline
    from ...viz.plain import memory_line
    from ...viz.ruler import ruler
    from ...viz.svg_cells import Frame
    from ...viz.told import told

    album, folded = sheet.album, sheet.asked.fold
    look = replace(album.look, palette="light")
    memory = album.bytes_per_token or None
    if sheet.asked.view == "rail":
        picture: Any = outline(
            panel.snapshot, album.pieces, width=_CELLS, look=look, bytes_per_token=memory, folded=folded,
            letters=panel.letters,
        )  # fmt: skip
    else:
        picture = ruler(panel.snapshot, album.pieces, width=_CELLS, look=look, folded=folded, letters=panel.letters)
    pool = memory_line(panel.snapshot, width=_CELLS, bytes_per_token=memory, palette="light", lang=album.lang)
    nodes = told(panel.snapshot, album.pieces, letters=panel.letters, folded=folded, relabels=album.relabels)
    return Frame(picture, panel.title, panel.story, sheet.caption(panel), nodes, f"{_prefix(panel)}-", pool.split())


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
    return write_dot(sheet.album, panel, theme=asked.theme, labels=asked.labels, folded=asked.fold)  # type: ignore[arg-type]


def _to_dot(sheet: Sheet, place: int | None) -> bytes:
    return _dot(sheet, place).encode()


def _to_html(sheet: Sheet, place: int | None) -> bytes:
    from ...viz.page import write_page

    asked = sheet.asked
    pictures = Sheet(sheet.album, replace(asked, legend=False, captioned=False, theme="auto"), series=True)
    svgs = [_svg(pictures, place) for place in range(len(sheet.album.panels))]
    facts = sheet.album.facts
    title = asked.caption or facts.get("lesson") or f"radixchat: {facts.get('model') or 'a recording'}"
    theme = asked.theme if "theme" in asked.given() else "auto"
    return write_page(sheet.album, svgs, title=title, theme=theme, lang=sheet.album.lang).encode()


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
    from ...viz.raster import _cairosvg as check_cairo

    _graphviz(asked)
    if asked.renderer != "dot":
        check_cairo()


# -- the table -----------------------------------------------------------------------------------------------------

_PICTURE: Final = frozenset(
    {"view", "theme", "labels", "legend", "aspect", "width", "layout", "fold", "relabel", "caption", "captioned",
     "renderer", "grid"}
)  # fmt: skip

FORMATS: Final[Mapping[str, Format]] = {
    row.name: row
    for row in (
        Format(
            "svg", (".svg",), "a vector picture", _PICTURE | {"animate", "seconds"}, False, True, _graphviz,
            _drawn("svg", lambda svg, asked: svg.encode()),
        ),
        Format(
            "png", (".png",), "a picture in pixels", _PICTURE | {"scale"}, False, False, _cairo,
            _drawn("png", _to_png),
        ),
        Format("pdf", (".pdf",), "a page for papers", _PICTURE, False, False, _cairo, _drawn("pdf", _to_pdf)),
        Format(
            "html", (".html", ".htm"), "a page to step through",
            frozenset({"theme", "labels", "fold", "relabel", "caption", "aspect", "layout"}), True, True, _nothing,
            _to_html,
        ),
        Format(
            "dot", (".dot", ".gv"), "a graph for Graphviz", frozenset({"theme", "labels", "fold", "relabel"}), False,
            True, _nothing, _to_dot,
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
    if asked.output.endswith(("/", "\\")) or Path(asked.output).is_dir():
        return FORMATS["svg"]
    ending = Path(asked.output).suffix.lower()
    for row in FORMATS.values():
        if ending in row.endings:
            return row
    what = f"the ending {ending!r}" if ending else "a name without an ending"
    endings = ", ".join(ending for row in FORMATS.values() for ending in row.endings)
    raise UsageError(f"{what} tells no format: {asked.output}", f"Give --format, or one of {endings}.")


def check_options(format: Format, asked: Options) -> None:
    """Raises UsageError for an option that means nothing for a format, and for one that means nothing alone."""
    for name in asked.given():
        if name not in format.takes:
            others = [row.name for row in FORMATS.values() if name in row.takes]
            raise UsageError(f"{NAMES[name]} means nothing for {format.name}", f"It is for {', '.join(others)}.")
    if "seconds" in asked.given() and format.name == "svg" and not asked.animate:
        raise UsageError("--seconds is for what moves", "Give --animate, too.")
    if format.many and asked.theme == "print":
        raise UsageError(f"--theme print is for paper, not for {format.name}", "Choose light, dark or auto.")
