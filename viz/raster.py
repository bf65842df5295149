"""SVG as PNG and PDF, through CairoSVG: the extra `pictures`.

CairoSVG reads the first name of a list of fonts, Cairo takes no character from another font than the one named, and it
rounds the advance of characters. So every character is given a font that has it and a place of its own; then the same
SVG looks here as it does in a browser. Style sheets with media queries do not reach it: it draws the plain attributes.
Knows SVG that this package wrote; no tree.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree

from .cells import cell_len
from .errors import PictureError

_SVG: Final = "http://www.w3.org/2000/svg"
_FONTS: Final = (
    # the first that has a character draws it; those that a system lacks stand for its default font
    "DejaVu Sans Mono", "Menlo", "Consolas", "monospace", "Noto Sans Mono CJK SC", "Noto Sans Mono CJK JP",
    "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "SimSun", "Yu Gothic", "Malgun Gothic", "DejaVu Sans", "Noto Sans Symbols2",
    "Noto Sans Symbols", "Symbola", "Apple Symbols", "Segoe UI Symbol", "Arial Unicode MS", "Noto Sans",
    "FreeSans", "Unifont", "Noto Emoji", "sans-serif",
)  # fmt: skip
_EPOCH: Final = b"1970-01-01T00:00:00Z"
_DATE: Final = (5, 6)  # Cairo's numbers for the dates of creation and change
_ADVANCE: Final = 0.6  # of a monospaced character, in sizes of the font
_MOST_PIXELS: Final = 120_000_000


def to_png(svg: str, *, scale: float = 2.0) -> bytes:
    """Returns an SVG as PNG.

    Args:
        svg: From a writer of this package.
        scale: Pixels per px of the SVG.

    Raises:
        PictureError: CairoSVG or the Cairo library is missing, or the picture would be too large.
    """
    cairosvg = load_cairo()
    root = ElementTree.fromstring(svg)
    width, height = _size(root)
    if width * height * scale * scale > _MOST_PIXELS or max(width, height) * scale > 32_000:
        raise PictureError(
            f"a PNG of {width * scale:,.0f} × {height * scale:,.0f} pixels is too large",
            "Choose a smaller scale, fewer steps, or SVG or PDF.",
        )
    return bytes(cairosvg.svg2png(bytestring=_prepared(root), scale=scale))


def to_pdf(svg: str) -> bytes:
    """Returns an SVG as PDF of one page, in which text is text; the same SVG gives the same bytes.

    Raises:
        PictureError: CairoSVG or the Cairo library is missing.
    """
    load_cairo()
    from cairosvg.parser import Tree

    output = io.BytesIO()
    surface = _pdf_surface()(Tree(bytestring=_prepared(ElementTree.fromstring(svg))), output, 96)
    surface.finish()
    return output.getvalue()


def load_cairo() -> Any:
    """Imports CairoSVG, which imports the Cairo library of the system.

    Raises:
        PictureError: one of them is missing.
    """
    fix = "Install it with: pip install 'radixchat[pictures]'; SVG, HTML, DOT and text need nothing."
    try:
        import cairosvg
    except ImportError:
        raise PictureError("PNG and PDF need the package cairosvg", fix) from None
    except OSError:
        raise PictureError(
            "cairosvg is here, but the Cairo library (libcairo) it draws with is not",
            "Install libcairo2 (apt) or cairo (brew), next to pip install 'radixchat[pictures]'.",
        ) from None
    return cairosvg


@cache
def _pdf_surface() -> type[Any]:
    """Returns the surface of CairoSVG that writes PDF, with fixed dates and real text."""
    import cairocffi
    from cairosvg import surface

    class Surface(surface.PDFSurface):  # type: ignore[misc]
        def _create_surface(self, width: float, height: float) -> Any:
            made = super()._create_surface(width, height)
            for field in _DATE:
                _set_date(cairocffi, made[0], field)
            return made

    return Surface


def _set_date(cairocffi: Any, surface: Any, field: int) -> None:
    """Fixes a date of a PDF, where the Cairo library can (1.16 and later)."""
    ffi = cairocffi.ffi
    try:
        cairocffi.cairo.cairo_pdf_surface_set_metadata(surface._pointer, field, ffi.new("char[]", _EPOCH))
    except AttributeError:  # an older one: only the dates of two files differ then
        return


# -- fonts -------------------------------------------------------------------------------------------------------------


def _size(root: ElementTree.Element) -> tuple[float, float]:
    box = root.get("viewBox", "0 0 0 0").split()
    return float(box[2]), float(box[3])


def _prepared(root: ElementTree.Element) -> bytes:
    """Gives every character of a monospaced text its place, and a font that has it."""
    has = _glyphs()
    base = {mono: _base(mono, has) for mono in (True, False)}
    stack = [(root, _Type(0.0, False, "start", 0.0))]
    while stack:
        node, above = stack.pop()
        own = above.of(node)
        if "font-family" in node.attrib:
            node.set("font-family", base[own.mono])
        if node.tag == f"{{{_SVG}}}text" and own.mono and own.size:
            _placed(node, own, base[True], has)
        elif node.tag == f"{{{_SVG}}}text":
            _flowing(node, base[False], has)
        else:
            stack += [(child, own) for child in node]
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _base(mono: bool, has: Callable[[str, str], bool]) -> str:
    """Returns the font of most characters."""
    if mono:
        return next((font for font in _FONTS if _is_even(font) and has(font, "●")), "monospace")
    return "sans-serif"


def _is_even(font: str) -> bool:
    """Returns whether a font is monospaced; what stands for one that is not there mostly is not."""
    narrow, wide = (_scaled(font).text_extents(char)[4] for char in "iW")
    return bool(narrow == wide)


def _flowing(node: ElementTree.Element, base: str, has: Callable[[str, str], bool]) -> None:
    """Puts characters that a proportional font lacks into pieces with a font that has them."""
    for parent in [*node.iter(f"{{{_SVG}}}text"), *list(node.iter(f"{{{_SVG}}}tspan"))]:
        for child in reversed(list(parent)):
            _split(parent, list(parent).index(child) + 1, child.tail, base, has)
            child.tail = None
        _split(parent, 0, parent.text, base, has)
        parent.text = None


def _split(parent: ElementTree.Element, at: int, text: str | None, base: str, has: Callable[[str, str], bool]) -> None:
    for number, (font, part) in enumerate(_parts(text or "", has, base)):
        span = ElementTree.Element(f"{{{_SVG}}}tspan", {"font-family": font} if font else {})
        span.text = part
        parent.insert(at + number, span)


class _Type(NamedTuple):
    """What texts inherit."""

    size: float  # px of the font
    mono: bool
    anchor: str
    spacing: float  # px after each character

    def of(self, node: ElementTree.Element) -> _Type:
        """Returns what holds inside an element."""
        family = node.get("font-family")
        return _Type(
            _number(node.get("font-size"), self.size),
            self.mono if family is None else "mono" in family.lower(),
            node.get("text-anchor", self.anchor),
            _number(node.get("letter-spacing"), self.spacing),
        )


def _number(value: str | None, default: float) -> float:
    return default if value is None else float(value.strip().removesuffix("px").split()[0])


def _placed(node: ElementTree.Element, type: _Type, base: str, has: Callable[[str, str], bool]) -> None:
    """Replaces the content of a text by pieces of one font in which every character has its own place."""
    pieces = list(_pieces(node, type))
    for child in list(node):
        node.remove(child)
    start = x = _number(node.get("x"), 0.0)
    chunk: list[tuple[ElementTree.Element, list[float]]] = []  # what stands after one given place

    def finish() -> None:
        shift = {"middle": (x - start) / 2, "end": x - start}.get(type.anchor, 0.0)
        for span, places in chunk:
            span.set("x", " ".join(f"{place - shift:.2f}" for place in places))

    node.text = None
    for attributes, text, own in pieces:
        if "x" in attributes:
            finish()
            chunk = []
            start = x = _number(attributes["x"], 0.0)
        x += _number(attributes.get("dx"), 0.0)
        for font, part in _parts(text, has, base):
            kept = {name: value for name, value in attributes.items() if name not in ("x", "dx", "letter-spacing")}
            span = ElementTree.SubElement(node, f"{{{_SVG}}}tspan", kept | ({"font-family": font} if font else {}))
            span.text = part
            places = []
            for char in part:
                places.append(x)
                x += own.size * _ADVANCE * cell_len(char) + (own.spacing - _short(char, own) if own.spacing else 0)
            chunk.append((span, places))
    finish()
    for name in ("text-anchor", "letter-spacing", "x", "dx"):
        node.attrib.pop(name, None)


def _short(char: str, type: _Type) -> float:
    """Returns by how much a character of two cells is narrower than these."""
    return type.size * (2 * _ADVANCE - 1) if cell_len(char) == 2 else 0.0


def _pieces(node: ElementTree.Element, type: _Type) -> Iterator[tuple[dict[str, str], str, _Type]]:
    """Yields the texts of an element and of those in it, one level deep, with their attributes."""
    if node.text:
        yield {}, node.text, type
    for child in node:
        if child.tag == f"{{{_SVG}}}tspan":
            text = "".join(child.itertext())
            yield dict(child.attrib), text, type.of(child)
        if child.tail:
            yield {}, child.tail, type


def _parts(text: str, has: Callable[[str, str], bool], base: str) -> list[tuple[str, str]]:
    """Cuts a text into stretches of one font; "" is the base font."""

    def font(char: str) -> str:
        if char.isspace() or has(base, char):
            return ""
        return next((name for name in _FONTS if has(name, char)), "")

    return [(name, "".join(chars)) for name, chars in groupby(text, key=font)]


@cache
def _scaled(font: str) -> Any:
    """Returns a font of Cairo."""
    import cairocffi

    return cairocffi.ScaledFont(cairocffi.ToyFontFace(font), cairocffi.Matrix(xx=16, yy=16), cairocffi.Matrix())


@cache
def _glyphs() -> Callable[[str, str], bool]:
    """Returns a function that tells whether a font has a character."""

    @cache
    def has(font: str, char: str) -> bool:
        return all(glyph[0] for glyph in _scaled(font).text_to_glyphs(0, 0, char, False))

    return has


def missing(svg: str) -> Iterator[str]:
    """Yields the characters of an SVG's text that no font here has; each is drawn as an empty box."""
    load_cairo()
    has = _glyphs()
    for node in ElementTree.fromstring(svg).iter(f"{{{_SVG}}}text"):
        for char in "".join(node.itertext()):
            if not char.isspace() and not any(has(font, char) for font in _FONTS):
                yield char
