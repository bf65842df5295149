"""What programs that draw SVG make of ours: the colour in every box, wherever they are installed."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from radixchat.viz.scene import Scene
from radixchat.viz.svg import MARGIN, Sheet, ThemeName, Words, write_svg
from radixchat.viz.svg_many import write_animation
from radixchat.viz.themes import THEMES

from .drawings import fixed, stories

Image = pytest.importorskip("PIL.Image")

Pixels = Callable[[float, float], tuple[int, int, int]]


def rsvg(text: str, at: Path) -> Pixels:
    """Draws with librsvg."""
    program = shutil.which("rsvg-convert")
    if program is None:
        pytest.skip("no rsvg-convert")
    png = subprocess.run([program], input=text.encode(), capture_output=True, check=True, timeout=60).stdout
    return _pixels(png)


def cairo(text: str, at: Path) -> Pixels:
    """Draws with CairoSVG."""
    cairosvg = pytest.importorskip("cairosvg")
    return _pixels(cairosvg.svg2png(bytestring=text.encode()))


def chromium(text: str, at: Path) -> Pixels:
    """Draws with Chromium, which plays animations: only for what stands still."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium")
    page, png = at / "page.svg", at / "page.png"
    page.write_text(text)
    command = [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={at / 'profile'}", f"--screenshot={png}", "--window-size=1600,900", page.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, capture_output=True, timeout=120, check=False)
    if not png.exists():
        pytest.skip("Chromium does not run here")
    return _pixels(png.read_bytes())


def _pixels(png: bytes) -> Pixels:
    image = Image.open(io.BytesIO(png)).convert("RGB")

    def at(x: float, y: float) -> tuple[int, int, int]:
        red, green, blue = image.getpixel((int(x), int(y)))
        return red, green, blue

    return at


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _check(scene: Scene, top: float, pixels: Pixels, theme: ThemeName) -> None:
    """Compares the pixel in each box, a bit inside of its right side, and the ground, with the theme."""
    base = THEMES[theme]
    for piece in scene.pieces:
        ink = base.root if piece.kind == "root" else base.states[piece.state]
        box = piece.box
        found = pixels(MARGIN + 0.5 + box.x + box.width - 4, top + 0.5 + box.y + box.height / 2)
        assert all(abs(mine - theirs) <= 3 for mine, theirs in zip(found, _rgb(str(ink.fill)), strict=True)), piece
    assert pixels(MARGIN / 2, top) == _rgb(base.ground)


@pytest.mark.parametrize("draw", [rsvg, cairo, chromium])
@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_boxes_have_the_colours_of_their_states(
    draw: Callable[[str, Path], Pixels], theme: ThemeName, tmp_path: Path
) -> None:
    scene, caption = fixed()[8], stories()[8]
    sheet = Sheet([scene], [caption], True, Words("en"))
    pixels = draw(write_svg(scene, theme=theme, caption=caption), tmp_path)
    _check(scene, sheet.tree, pixels, theme)


@pytest.mark.parametrize("draw", [rsvg, cairo])
def test_the_animation_at_rest_is_its_last_step(draw: Callable[[str, Path], Pixels], tmp_path: Path) -> None:
    sheet = Sheet(fixed(), stories(), True, Words("en"))
    pixels = draw(write_animation(fixed(), captions=stories()), tmp_path)
    _check(fixed()[8], sheet.tree, pixels, "light")


@pytest.mark.parametrize("draw", [rsvg, cairo, chromium])
def test_print_has_patterns(draw: Callable[[str, Path], Pixels], tmp_path: Path) -> None:
    scene = fixed()[8]
    sheet = Sheet([scene], [""], True, Words("en"))
    pixels = draw(write_svg(scene, theme="print"), tmp_path)
    inked = {}
    for piece in scene.pieces:
        if piece.kind == "node":
            x, y = MARGIN + 0.5 + piece.box.x + 4, sheet.tree + 0.5 + piece.box.y + 4
            inked[piece.state] = sum(pixels(x + dx, y + dy)[0] < 160 for dx in range(10) for dy in range(10))
    assert {state.value for state in inked if inked[state] > 5} == {"new", "reused"}
