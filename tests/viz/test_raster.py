"""PNG and PDF: the right pixels, every character with a font, and the same bytes every time."""

from __future__ import annotations

import builtins
import sys
import time
from typing import Any
from xml.etree import ElementTree

import pytest

from radixchat.radix import Snapshot
from radixchat.viz.errors import PictureError
from radixchat.viz.picture import Look
from radixchat.viz.raster import missing, to_pdf, to_png
from radixchat.viz.ruler import ruler
from radixchat.viz.svg_cells import cells_svg
from radixchat.viz.told import told

from .hostile import hostile_album

SIGNS = "✚●○✖◆▿◌⏎␣⋯…‹›"


def _has_cairo() -> bool:
    try:
        import cairosvg  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


with_cairo = pytest.mark.skipif(not _has_cairo(), reason="no CairoSVG, or no Cairo")


def svg_of(scene: Snapshot, pieces: dict[int, bytes], theme: str = "light") -> str:
    picture = ruler(scene, pieces, width=90, look=Look(palette="light"))
    return cells_svg(picture, title="t", desc="d", theme=theme, told=told(scene, pieces))


def pixels(png: bytes) -> tuple[int, int, Any]:
    import io

    import cairocffi

    surface = cairocffi.ImageSurface.create_from_png(io.BytesIO(png))
    data, stride = bytes(surface.get_data()), surface.get_stride()

    def at(x: float, y: float) -> str:
        blue, green, red = data[int(y) * stride + 4 * int(x) :][:3]
        return f"#{red:02x}{green:02x}{blue:02x}"

    return surface.get_width(), surface.get_height(), at


@with_cairo
@pytest.mark.parametrize(("theme", "ground", "new"), [("light", "#ffffff", "#d3f2df"), ("dark", "#0d1117", "#0c4030")])
def test_the_pixels_are_those_of_the_palette(
    theme: str, ground: str, new: str, scene: Snapshot, pieces: dict[int, bytes]
) -> None:
    svg = svg_of(scene, pieces, theme)
    root = ElementTree.fromstring(svg)
    width, height, at = pixels(to_png(svg, scale=2))
    assert (width, height) == (round(float(root.get("width", "")) * 2), round(float(root.get("height", "")) * 2))
    assert at(12, 12) == ground
    rects = [rect for rect in root.iter("{http://www.w3.org/2000/svg}rect") if rect.get("fill") == new]
    assert len(rects) == 1
    x, y = float(rects[0].get("x", "")), float(rects[0].get("y", ""))
    assert at(2 * x + 6, 2 * y + 4) == new


@with_cairo
def test_the_same_svg_gives_the_same_pdf(scene: Snapshot, pieces: dict[int, bytes]) -> None:
    first = to_pdf(svg_of(scene, pieces))
    assert first.startswith(b"%PDF-")
    time.sleep(1.1)  # a PDF counts seconds
    assert to_pdf(svg_of(scene, pieces)) == first


@with_cairo
def test_text_stays_on_its_cells() -> None:
    """Two lines of one length end at one place, whatever is in them."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="80" viewBox="0 0 400 80" font-family="monospace"'
        ' font-size="13px"><rect width="400" height="80" fill="#ffffff"/>'
        '<text x="10" y="20" fill="#000000">iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii█</text>'
        '<text x="360" y="40" text-anchor="end" fill="#000000"><tspan font-weight="bold">缓存缓存</tspan>█</text>'
        '<text x="185" y="60" text-anchor="middle" fill="#000000">基████████基</text></svg>'
    )
    _, _, at = pixels(to_png(svg, scale=2))
    dark = [[x for x in range(800) if at(x, 2 * y - 6) < "#808080"] for y in (20, 40, 60)]
    assert max(dark[0]) / 2 == pytest.approx(10 + 36 * 7.8, abs=1.5)
    assert max(dark[1]) / 2 == pytest.approx(360, abs=1.5)
    middle = [x for x in dark[2] if 185 - 4 * 7.8 <= x / 2 <= 185 + 4 * 7.8]
    assert len(middle) == pytest.approx(8 * 7.8 * 2, abs=3)


@with_cairo
def test_every_sign_is_drawn_by_a_font_that_has_it() -> None:
    """An empty box has the same pixels for every missing character."""

    def drawn(text: str) -> bytes:
        return to_png(
            '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" viewBox="0 0 40 40" font-size="20px"'
            f' font-family="ui-monospace, monospace"><text x="5" y="25">{text}</text></svg>'
        )

    lacking = set(missing(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{SIGNS}缓存</text></svg>'))
    shown = [drawn(char) for char in (*SIGNS, *"缓存") if char not in lacking]
    assert len(set(shown)) == len(shown)
    assert not lacking & set("✚●○✖◆")


@with_cairo
def test_hostile_text_is_drawn() -> None:
    album = hostile_album()
    panel = album.panels[0]
    picture = ruler(panel.snapshot, album.pieces, width=90, look=Look(palette="light"), letters=panel.letters)
    svg = cells_svg(picture, title=panel.title, desc=panel.story, caption=panel.story)
    assert to_png(svg, scale=1).startswith(b"\x89PNG")
    assert to_pdf(svg).startswith(b"%PDF-")


@with_cairo
def test_a_huge_png_is_refused() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90000 90000"/>'
    with pytest.raises(PictureError, match="too large"):
        to_png(svg)


@pytest.mark.parametrize(("error", "wanted"), [(ImportError("no"), "cairosvg"), (OSError("no"), "libcairo")])
def test_what_is_missing_is_told_in_two_lines(error: Exception, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def fails(name: str, *rest: Any) -> Any:
        if name == "cairosvg":
            raise error
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "cairosvg", raising=False)
    monkeypatch.setattr(builtins, "__import__", fails)
    for draw in (to_png, to_pdf):
        with pytest.raises(PictureError) as caught:
            draw("<svg/>")
        assert wanted in caught.value.what
        assert "pip install 'radixchat[pictures]'" in caught.value.fix
        assert len(str(caught.value).splitlines()) == 2
