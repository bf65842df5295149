"""What tests of SVG share: the panels as an album, the parts of a file, colours, and goldens that can be looked at."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from radixchat.viz.album import Album, Panel
from radixchat.viz.scene import Scene, scenes

from .panels import PANEL_PIECES, panels

SVG = "{http://www.w3.org/2000/svg}"
GOLDEN = Path(__file__).resolve().parent.parent / "golden"
DIFF = GOLDEN / "diff.html"

_TITLES = (
    "the tree is empty", "a first conversation", "its second turn", "a second conversation begins", "and goes on",
    "a few-shot query", "a batch of them", "the first conversation comes back", "more answers to one question",
)  # fmt: skip
_STORIES = (
    "Nothing is cached yet.",
    "All of it is new: one node.",
    "The first turn is reused; the second is a new node.",
    "Node b is split: both conversations share the system prompt.",
    "To make room, node c is evicted.",
    "It shares nothing, so the root has a second child.",
    "Node e is split: three queries share the examples.",
    "Nodes g and h are evicted; what was lost with c is computed again.",
    "Nodes i, k and l are evicted.",
)


@cache
def album() -> Album:
    """Returns the nine panels."""
    drawn = [
        Panel(number, *panel, f"Step {number}: {_TITLES[number - 1]}", _STORIES[number - 1])
        for number, panel in enumerate(panels(), start=1)
    ]
    return Album(tuple(drawn), PANEL_PIECES, facts={"program": "radixchat", "capacity": "86 tokens"})


@cache
def fixed() -> tuple[Scene, ...]:
    """Returns the nine panels, laid out so that nothing moves."""
    return scenes(album())


def stories() -> list[str]:
    """Returns a caption for each panel."""
    return [f"{panel.title}. {panel.story}" for panel in album().panels]


def nodes_of(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """Yields the groups of nodes, tombstones, folds and roots."""
    for group in root.iter(f"{SVG}g"):
        if group.get("data-node") is not None:
            yield group


def words(element: ElementTree.Element) -> str:
    """Returns all text that is drawn in an element."""
    return " ".join("".join(text.itertext()) for text in element.iter(f"{SVG}text"))


def luminance(colour: str) -> float:
    """Returns the relative luminance of #rrggbb (WCAG 2)."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one: str, other: str) -> float:
    """Returns the contrast of two colours, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def look(check: Callable[[str, str], None], name: str, text: str) -> None:
    """Compares a picture with its golden; on a difference both stand side by side in tests/golden/diff.html."""
    assert text.endswith("</svg>\n")
    try:
        check(f"svg/{name}", text[:-1])
    except BaseException:
        path = GOLDEN / "svg" / name
        kept = (
            DIFF.read_text() if DIFF.exists() else '<!doctype html><meta charset="utf-8"><title>SVG goldens</title>\n'
        )
        kept = re.sub(rf"<section id=\"{re.escape(name)}\">.*?</section>\n", "", kept, flags=re.DOTALL)
        golden = path.read_bytes() if path.exists() else b""
        both = f"<td>golden<br>{_image(golden)}<td>drawn now<br>{_image(text.encode())}"
        DIFF.write_text(f'{kept}<section id="{name}"><h2>{name}</h2><table><tr>{both}</table></section>\n')
        raise


def _image(data: bytes) -> str:
    source = base64.b64encode(data).decode()
    return f'<img style="max-width:48vw" src="data:image/svg+xml;base64,{source}">' if data else "none"
