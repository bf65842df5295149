"""An album as a terminal film in asciinema's format, version 2: a frame for each step, and a marker to jump to it.

A frame clears the screen, writes a title, the picture, and what happened below it; where a picture is larger than the
screen, the part with the changes is shown. Every text is sanitised, so nothing but this module moves the cursor. There
is no time of recording in the file: the same album gives the same bytes. Knows pictures in cells; no player.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style
from rich.text import Text

from .album import Album, Panel
from .blocks import blocks
from .cells import paragraphs, runs_of
from .figure import figure
from .labels import label
from .outline import outline
from .picture import Look, Picture
from .plain import legend, memory_line
from .ruler import ruler
from .states import PALETTES
from .told import changed_ids, told

View = Literal["figure", "rail", "ruler", "blocks"]

_CLEAR: Final = "\x1b[0m\x1b[2J\x1b[H"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_MOST_STORY = 4  # lines
_LEAST_COLUMNS, _LEAST_ROWS = 20, 8
_LEAST_PICTURE = 5  # lines


def write_cast(
    album: Album,
    *,
    columns: int = 100,
    rows: int = 28,
    seconds: float = 2.0,
    view: View = "figure",
    look: Look | None = None,
) -> str:
    """Writes an album as an asciinema film.

    Args:
        album: What to show.
        columns: Cells of a line, 20 at least.
        rows: Lines of the screen, 8 at least.
        seconds: How long each step is shown.
        view: Which picture.
        look: How to paint; None is the dark palette.

    Returns:
        JSON lines: the header, then events.
    """
    columns, rows = max(columns, _LEAST_COLUMNS), max(rows, _LEAST_ROWS)
    look = look or Look(palette="dark", lang=album.lang, abridged=album.look_abridged)
    lines = [json.dumps(_header(album, columns, rows, look), ensure_ascii=False)]
    picture: Picture | None = None
    below = [_below(album, panel, columns, rows, view, look) for panel in album.panels]
    room = rows - 2 - max(map(len, below), default=0)
    for number, (panel, under) in enumerate(zip(album.panels, below, strict=True)):
        at = round(number * seconds, 3)
        picture = _picture(album, panel, columns, room, view, look, picture)
        frame = "\r\n".join(_written(line, look) for line in _frame(album, panel, picture, under, columns, room, look))
        hide = "" if number else _HIDE
        lines.append(_event(at, "o", f"{hide}{_CLEAR}{frame}"))
        lines.append(_event(at, "m", label(panel.title).plain))
    lines.append(_event(round(len(album.panels) * seconds, 3), "o", f"\x1b[0m{_SHOW}"))
    return "\n".join(lines) + "\n"


def _header(album: Album, columns: int, rows: int, look: Look) -> Mapping[str, object]:
    first = album.panels[0].title if album.panels else ""
    palette = PALETTES[look.palette]
    header: dict[str, object] = {
        "version": 2, "width": columns, "height": rows, "title": label(album.facts.get("source", first)).plain,
        "env": {"TERM": "xterm-256color"},
    }  # fmt: skip
    if palette.ground is not None:
        header["theme"] = {"fg": palette.text, "bg": palette.ground, "palette": _PALETTE}
    return header


_PALETTE = ":".join(
    "#000000 #b3341f #007a55 #7a6a00 #0072b2 #6a3fb5 #0f766e #d1d5db"
    " #6b7280 #f58b77 #3fcf9b #f0e442 #56b4e9 #b59cf0 #5eead4 #ffffff".split()
)  # what the 16 colours of a terminal are; the pictures use others


def _event(at: float, kind: str, data: str) -> str:
    return json.dumps([at, kind, data], ensure_ascii=False)


# -- frames ------------------------------------------------------------------------------------------------------------


def _picture(
    album: Album, panel: Panel, columns: int, room: int, view: View, look: Look, before: Picture | None
) -> Picture:
    if view == "ruler":
        return ruler(panel.snapshot, album.pieces, width=columns, look=look, letters=panel.letters)
    if view == "blocks":
        return blocks(panel.snapshot, album.pieces, width=columns, look=look, letters=panel.letters, most=room)
    if view == "rail":
        size = album.bytes_per_token or None
        return outline(
            panel.snapshot, album.pieces, width=columns, look=look, bytes_per_token=size, letters=panel.letters
        )
    return figure(
        panel.snapshot, album.pieces, look=look, before=before, width=columns, height=room,
        letters=panel.letters,
    )  # fmt: skip


def _frame(
    album: Album, panel: Panel, picture: Picture, below: Sequence[Text], columns: int, room: int, look: Look
) -> Iterator[Text]:
    """Yields the lines of a frame, none wider than the screen; the picture takes `room` lines at most."""
    strong, faint = (Style(bold=True), Style(dim=True)) if look.colour else (Style.null(), Style.null())
    yield Text(label(panel.title, ascii=look.ascii).fit(columns, ascii=look.ascii).plain, strong)
    yield from _window(album, panel, picture, columns, room, faint, look)
    yield Text()
    yield from below


def _below(album: Album, panel: Panel, columns: int, rows: int, view: View, look: Look) -> list[Text]:
    """Returns what stands below a picture: story, pool and signs, as much as a small screen has room for."""
    story = paragraphs(panel.story, columns, ascii=look.ascii)
    if len(story) > _MOST_STORY:
        rest = label(" ".join(story[_MOST_STORY - 1 :]), ascii=look.ascii).fit(columns, ascii=look.ascii)
        story = [*story[: _MOST_STORY - 1], rest.plain]
    pool = memory_line(
        panel.snapshot, width=columns, bytes_per_token=album.bytes_per_token or None, palette=look.palette,
        ascii=look.ascii, colour=look.colour, lang=look.lang,
    )  # fmt: skip
    signs = legend(
        width=columns, palette=look.palette, ascii=look.ascii, colour=look.colour, lang=look.lang,
        blocks=view == "blocks",
    )  # fmt: skip
    lines = [*map(Text, story), *pool.split(), *signs.split()]
    return [_cropped(line, 0, columns) for line in lines[: max(0, rows - 2 - _LEAST_PICTURE)]]


def _window(
    album: Album, panel: Panel, picture: Picture, columns: int, room: int, faint: Style, look: Look
) -> Iterator[Text]:
    """Yields the lines of a picture that fit, those with the step's changes if not all do."""
    top = left = 0
    high, wide = picture.height > room, picture.width > columns
    changed = changed_ids(told(panel.snapshot, album.pieces)) if high or wide else ()
    places = [place for place in map(picture.place, changed) if place is not None]
    if high:
        room -= 1  # for the line that says so
        wanted = min((place.y for place in places), default=0) - 1
        top = max(0, min(wanted, picture.height - room))
    if wide:
        wanted = min((place.x for place in places), default=0) - 4
        left = max(0, min(wanted, picture.width - columns))
    bottom = min(picture.height, top + room)
    for y in range(top, bottom):
        yield _cropped(picture.line(y), left, columns)
    if high:
        more = label(_more(top, picture.height - bottom, look), ascii=look.ascii)
        yield Text(more.fit(columns, ascii=look.ascii).plain, faint)


def _more(above: int, below: int, look: Look) -> str:
    sign = "..." if look.ascii else "⋯"
    if look.lang == "zh" and not look.ascii:
        return f"{sign} 上方还有 {above} 行，下方还有 {below} 行"
    return f"{sign} {above:,} more lines above, {below:,} below"


def _cropped(line: Text, left: int, columns: int) -> Text:
    """Returns the cells of a line that the screen shows."""
    if not left and line.cell_len <= columns:
        return line
    shown = Text(end="")
    for x, text, style in runs_of(line):
        for char in text:
            if left <= x and x + cell_len(char) <= left + columns:
                shown.append(char, style)
            elif x < left < x + cell_len(char):
                shown.append(" ", style)  # half of a wide one
            x += cell_len(char)
    return shown


def _written(line: Text, look: Look) -> str:
    """Returns a line with its colours as escape sequences."""
    palette = PALETTES[look.palette]
    system = ColorSystem.TRUECOLOR if palette.ground is not None else ColorSystem.STANDARD
    return "".join(_styled(text, style, system) for _, text, style in runs_of(line))


def _styled(text: str, style: Style, system: ColorSystem) -> str:
    return style.render(text, color_system=system) if style else text


def markers(cast: str) -> Iterator[tuple[float, str]]:
    """Yields when each step of a film begins, and its title."""
    for line in cast.splitlines()[1:]:
        at, kind, data = json.loads(line)
        if kind == "m":
            yield at, data
