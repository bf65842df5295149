"""Films for asciinema: every line is an event, every frame fits its screen, and only this module moves the cursor."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text

from radixchat.viz.album import Album, Panel
from radixchat.viz.cast import markers, write_cast
from radixchat.viz.picture import Look
from radixchat.viz.sanitize import HIDDEN

from .hostile import hostile_album
from .panels import PANEL_PIECES, panels

Golden = Callable[[str, str], None]
VIEWS = ("figure", "rail", "ruler")
CLEAR = "\x1b[0m\x1b[2J\x1b[H"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def nine() -> Album:
    return Album(
        tuple(
            Panel(number, snapshot, letters, f"Step {number}: it goes on", "A request came. It was served.")
            for number, (snapshot, letters) in enumerate(panels(), 1)
        ),
        PANEL_PIECES, bytes_per_token=2048,
    )  # fmt: skip


def events(cast: str) -> tuple[dict[str, Any], list[tuple[float, str, str]]]:
    first, *others = map(json.loads, cast.splitlines())
    return first, [tuple(event) for event in others]


def frames(cast: str) -> list[str]:
    """The text of each frame, without colours."""
    _, all_events = events(cast)
    return [COLOUR.sub("", data.split(CLEAR)[1]) for _, kind, data in all_events if kind == "o" and CLEAR in data]


@pytest.mark.parametrize("view", VIEWS)
def test_the_nine_steps(view: Any, golden: Golden) -> None:
    cast = write_cast(nine(), columns=96, view=view)
    assert cast == write_cast(nine(), columns=96, view=view)
    header, told = events(cast)
    assert (header["version"], header["width"], header["height"]) == (2, 96, 28)
    assert "timestamp" not in header
    times = [at for at, _, _ in told]
    assert times == sorted(times) and times[-1] == 18
    assert list(markers(cast)) == [(2.0 * n, f"Step {n + 1}: it goes on") for n in range(9)]
    assert told[0][2].startswith("\x1b[?25l") and told[-1][2].endswith("\x1b[?25h")
    golden(f"cast/{view}.txt", "\n\n".join(frames(cast)).replace("\r", ""))


def test_colours_are_as_they_were(golden: Golden) -> None:
    cast = write_cast(nine(), columns=60, rows=20, view="ruler")
    golden("cast/nine.cast", cast.rstrip("\n"))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("columns", "rows"), [(100, 28), (60, 14), (20, 8), (1, 1)])
def test_every_frame_fits_its_screen(view: Any, columns: int, rows: int) -> None:
    for album in (nine(), hostile_album()):
        cast = write_cast(album, columns=columns, rows=rows, view=view)
        header, _ = events(cast)
        for frame in frames(cast):
            lines = frame.split("\r\n")
            assert len(lines) <= header["height"]
            assert all(cell_len(line) <= header["width"] for line in lines)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("look", [None, Look(palette="ansi"), Look(colour=False), Look(ascii=True, colour=False)])
def test_hostile_text_moves_no_cursor(view: Any, look: Look | None) -> None:
    cast = write_cast(hostile_album(), view=view, look=look)
    header, told = events(cast)
    assert not HIDDEN.search(header["title"])
    for _, kind, data in told:
        rest = COLOUR.sub("", data.replace("\x1b[2J\x1b[H", "").replace("\x1b[?25l", "").replace("\x1b[?25h", ""))
        assert not HIDDEN.search(rest.replace("\r\n", "") if kind == "o" else rest)
    if look is not None and look.ascii:
        assert all(frame.replace("\r\n", "").isascii() for frame in frames(cast))


def test_a_large_picture_shows_what_changed() -> None:
    album = hostile_album()
    frame = frames(write_cast(album, rows=20, view="rail"))[0]
    assert "more lines above" in frame
    assert "✖" in frame or "✚" in frame


def test_colours_become_escape_sequences_that_rich_reads_back() -> None:
    cast = write_cast(nine(), view="rail")
    data = events(cast)[1][-3][2].split(CLEAR)[1]
    text = Text.from_ansi(data.replace("\r\n", "\n"))
    assert any("#3fcf9b" in str(span.style) for span in text.spans)


def test_no_steps() -> None:
    header, told = events(write_cast(Album((), {})))
    assert header["title"] == "" and len(told) == 1
