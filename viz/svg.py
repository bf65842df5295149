"""A scene as SVG: plain strings, one escaping function, no library.

What every reader and renderer gets: text that is text, sizes and colours as presentation attributes, a title and a
description, groups with stable ids and the state as class, a legend and a caption inside the picture, and the same
bytes for the same scene. Signs of states are drawn as shapes, so no font needs to have them. Knows scenes and themes;
no layout and no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from rich.cells import cell_len

from ..radix.snapshots import Snapshot, State
from .labels import Kind, Label, Span
from .plain import MEANINGS
from .sanitize import sanitize, visible
from .scene import Piece, Scene, TextLine
from .sentences import PICTURES, spoken
from .states import Attribute
from .themes import AT_NIGHT, STROKES, THEMES, Theme
from .wrap import wrapped

ThemeName = Literal["light", "dark", "auto", "print"]

MONO: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
SANS: Final = "system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
TEXT: Final = 13.0
"""Size of the text on edges, px: what scenes are laid out for."""

SMALL: Final = 11.0
"""Size of the smallest text in a picture, px."""

_CELL = 7.8  # px of a cell of `TEXT`
_SMALL_CELL = 6.6  # px of a cell of `SMALL`
_PROSE = 0.6  # widths of a cell of prose in its own size, with slack
CAPTION = 12.0  # size of legend and caption, px
HEADING = 15.0
MARGIN = 14.0  # around everything
_LEAST = 420.0  # px of a picture that says anything in words
LINE = 17.0  # px from line to line of the caption
ROW = 22.0  # px of a row of the legend
GAP = 12.0  # px between the parts of a sheet
_RADIUS = 3.0  # of boxes and of the corners of edges
_CARD = 6.0  # radius of the ground
_SIGN = 9.0  # px of a sign
_BESIDE = 6.0  # px between the things in a box
_SAMPLE = 22.0  # px of a box in the legend

# -- text --------------------------------------------------------------------------------------------------------------

# what XML 1.0 has no place for, and Unicode's noncharacters; newline and tab are allowed
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(1, 17))
    + "]"
)


def xml(text: str) -> str:
    """Returns text for the content of an element: the only way of any text into a picture."""
    if not text.isprintable():  # everything forbidden is not
        text = _FORBIDDEN.sub(lambda match: visible(match[0]), text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def prose(text: str) -> str:
    """Returns running text that comes from anywhere, sanitised and escaped."""
    return xml(sanitize(text))


@lru_cache(1 << 14)
def num(value: float) -> str:
    """Returns a number with one decimal at most, never in exponents."""
    text = f"{value:.1f}"
    text = text[:-2] if text.endswith(".0") else text
    return "0" if text == "-0" else text


def lines_of(text: str, cells: int) -> list[str]:
    """Breaks running text, which may come from anywhere, into lines of at most so many cells, not escaped yet."""
    paragraphs = (line.strip() for line in sanitize(text).expandtabs(4).split("\n"))
    broken = [wrapped(Label((Span(line, Kind.TEXT),)), cells) for line in paragraphs if line]
    return [line.plain for lines in broken for line in lines]


_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[] "), frozenset("mwMWOQ@%&")


def prose_px(text: str, size: float) -> float:
    """Returns about how wide prose is in the widest of its fonts."""
    ems = sum(
        1.05 if cell_len(char) == 2 else 0.4 if char in _NARROW else 0.95 if char in _WIDE else 0.64 for char in text
    )
    return ems * size


# -- paints ------------------------------------------------------------------------------------------------------------


class Pen(NamedTuple):
    """What a state is drawn with, as attributes."""

    edge: str
    box: str
    sign: str
    path: str  # of the sign, from the middle of its left side


class Ink:
    """The paints of one theme as attributes, ready to be written, and the style sheet that goes with them.

    Attributes:
        name: Of the theme.
        theme: Its base.
        prefix: Of every id in the file.
        pens: Of each state.
    """

    def __init__(self, name: ThemeName, prefix: str) -> None:
        self.name = name
        self.theme: Theme = THEMES[name]
        self.prefix = prefix
        paints = self.theme.paints()
        self.paint = {selector: _attributes(paint) for selector, paint in paints.items()}
        self.faint = f'<tspan class="faint" {self.paint[".faint"]}>'
        self.count = f'<tspan class="faint" {self.paint[".faint"]} font-size="{num(SMALL)}">'
        self.gone = f' class="gone" {self.paint[".gone"]}'
        self.pens = {state: Pen(self._edge(state), self._box(state), *self._sign(state)) for state in State}

    def _edge(self, state: State) -> str:
        line = STROKES[state]
        paint = self.paint[f".edge.{state.value}"]
        return f'class="edge {state.value}" fill="none" {paint} stroke-width="{num(line.edge)}"{_dash(line.dash)}'

    def _box(self, state: State) -> str:
        line = STROKES[state]
        paint = self.paint[f".{state.value}>.box"]
        if self.theme.patterned and state in _PATTERNS:
            paint = f'fill="url(#{self.prefix}-{state.value})" stroke="{self.theme.states[state].stroke}"'
        return f'class="box" rx="{num(_RADIUS)}" {paint} stroke-width="{num(line.box)}"{_dash(line.dash)}'

    def _sign(self, state: State) -> tuple[str, str]:
        path, weight = _SIGNS[state]
        return f'class="sign" {self.paint[f".{state.value}>.sign"]} stroke-width="{num(weight)}"', path

    def definitions(self) -> Iterator[str]:
        """Yields what stands at the head of a file."""
        if self.name == "auto":
            rules = "\n".join(
                f"#{self.prefix} {selector}{{{_css(paint)}}}" for selector, paint in AT_NIGHT.paints().items()
            )
            yield f"<style>\n@media (prefers-color-scheme:dark){{\n{rules}\n}}\n</style>"
        if self.theme.patterned:
            patterns = "".join(
                f'<pattern id="{self.prefix}-{state.value}" width="{size}" height="{size}" '
                f'patternUnits="userSpaceOnUse"><rect width="{size}" height="{size}" fill="{self.theme.ground}"/>'
                f"{drawn}</pattern>"
                for state, (size, drawn) in _PATTERNS.items()
            )
            yield f"<defs>{patterns}</defs>"


def _attributes(paint: Mapping[str, str]) -> str:
    return " ".join(f'{name}="{value}"' for name, value in paint.items())


def _css(paint: Mapping[str, str]) -> str:
    return ";".join(f"{name}:{value}" for name, value in paint.items())


def _dash(dash: str) -> str:
    return f' stroke-dasharray="{dash}"' if dash else ""


_PATTERNS: Final[Mapping[State, tuple[int, str]]] = {
    State.NEW: (5, '<path d="M-1 1L1-1M0 5L5 0M4 6L6 4" stroke="#000000" stroke-width="1.1"/>'),
    State.REUSED: (5, '<rect x="1" y="1" width="1.6" height="1.6" fill="#000000"/>'),
}


class _Sign(NamedTuple):
    """A sign as a path, from the middle of its left side."""

    path: str
    weight: float


_SIGNS: Final[Mapping[State, _Sign]] = {
    State.NEW: _Sign("h9m-4.5-4.5v9", 2.6),
    State.REUSED: _Sign("m.5 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", 1),
    State.RESIDENT: _Sign("m.8 0a3.7 3.7 0 1 0 7.4 0a3.7 3.7 0 1 0-7.4 0z", 1.4),
    State.EVICTED: _Sign("m1-3.5l7 7m0-7l-7 7", 2.4),
}
_HOLD = "m0 0l4.5-4.5l4.5 4.5l-4.5 4.5z"
_NEXT = "m.6-3h7.8l-3.9 6.4z"

# -- pieces ------------------------------------------------------------------------------------------------------------


def edge(piece: Piece, ink: Ink) -> str:
    """Returns the line from the parent to a piece, without the start of its element: attributes and end."""
    return f'{ink.pens[piece.state].edge} data-node="{piece.id}" d="{rounded(piece.edge)}"/>'


def rounded(points: Sequence[tuple[float, float]]) -> str:
    """Returns a path through points, its corners a little rounded."""
    (x, y), *rest = points
    path = f"M{num(x)} {num(y)}"
    for at, (to_x, to_y) in enumerate(rest):
        if at + 1 < len(rest):
            next_x, next_y = rest[at + 1]
            before_x, before_y = _towards(to_x, to_y, x, y)
            after_x, after_y = _towards(to_x, to_y, next_x, next_y)
            path += (
                f"L{num(before_x)} {num(before_y)}Q{num(to_x)} {num(to_y)} {num(after_x)} {num(after_y)}"
            )  # fmt: skip
        else:
            path += f"V{num(to_y)}" if to_x == x else f"H{num(to_x)}" if to_y == y else f"L{num(to_x)} {num(to_y)}"
        x, y = to_x, to_y
    return path


def _towards(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Returns the point where a rounded corner at (x, y) begins on the way to another corner."""
    dx, dy = to_x - x, to_y - y
    length = abs(dx) + abs(dy)
    step = min(_RADIUS, length / 2) / length if length else 0.0
    return x + dx * step, y + dy * step


def node(piece: Piece, ink: Ink, words: Words, text: bool = True) -> str:
    """Returns the group of a piece, after its id: the text of its edge, unless not wanted, its box, what is in it."""
    kind, pen = piece.kind, ink.pens[piece.state]
    out = [
        f' class="{_classes(piece)}" data-node="{piece.id}" data-tokens="{piece.tokens}" data-locks="{piece.locks}">',
        f"<title>{xml(_told(piece, words))}</title>",
    ]
    if text:
        out += edge_text(piece, ink)
    x, y, width, height = piece.box
    size = f'x="{num(x)}" y="{num(y)}" width="{num(width)}" height="{num(height)}"'
    if kind == "root":
        out.append(f'<rect class="box" rx="{num(_RADIUS)}" {ink.paint[".root>.box"]} {size}/>')
        if piece.name:
            left = x + (width - _CELL * cell_len(piece.name)) / 2
            out.append(f'<text x="{num(left)}" y="{num(y + height / 2 + 4.6)}">{xml(piece.name)}</text>')
    else:
        if kind == "fold":  # a second box shows from behind
            behind = f'x="{num(x + 3)}" y="{num(y + 3)}" width="{num(width)}" height="{num(height)}"'
            out.append(f"<rect {pen.box} {behind}/>")
        out.append(f"<rect {pen.box} {size}/>")
        out += _content(piece, ink, pen)
    out.append("</g>")
    return "".join(out)


def edge_text(piece: Piece, ink: Ink) -> Iterator[str]:
    """Yields the lines of text on the edge of a piece; what was evicted says so first, and the rest is struck."""
    gone = piece.kind == "tombstone"
    for row, line in enumerate(piece.text):
        struck = gone and row > 0 and any(span.kind is not Kind.CUT for span in line.label.spans)
        yield _text_line(line, ink, gone, struck)


def _classes(piece: Piece) -> str:
    if piece.kind == "root":
        return "root"
    attribute = "" if piece.attribute is Attribute.NONE else _ATTRIBUTE_CLASSES[piece.attribute]
    return f"{piece.kind} {piece.state.value}{attribute}"


_ATTRIBUTE_CLASSES = {Attribute.LOCKED: " locked", Attribute.NEXT_VICTIM: " next-victim"}


def _told(piece: Piece, words: Words) -> str:
    """Returns what a pointer or a screen reader is told."""
    if piece.kind == "root":
        return piece.name or words.root
    name = piece.name or f"#{piece.id}"
    parts = [name, words.tokens(piece.tokens), words.states[piece.state]]
    if piece.attribute is Attribute.LOCKED:
        parts.append(words.locked(piece.locks))
    elif piece.attribute is Attribute.NEXT_VICTIM:
        parts.append(words.victim)
    told = words.comma.join(parts)
    return f"{told}: {piece.whole}" if piece.whole else told


def _text_line(line: TextLine, ink: Ink, gone: bool, struck: bool) -> str:
    """Returns a line of text, "" for an empty one."""
    left, base, label, cells = line
    plain, content = Kind.TEXT, ""
    for text, kind in label.spans:
        content += xml(text) if gone or kind is plain else f"{ink.faint}{xml(text)}</tspan>"
    if not content:
        return ""
    x = num(left)
    text = f'<text x="{x}" y="{num(base)}"{ink.gone if gone else ""}>{content}</text>'
    if struck:  # a line, since not every renderer knows text-decoration
        text += f'<path class="strike" {ink.paint[".strike"]} d="M{x} {num(base - 4.2)}h{num(cells * _CELL)}"/>'
    return text


def _content(piece: Piece, ink: Ink, pen: Pen) -> Iterator[str]:
    """Yields what is in a box: the sign of the state, the name, the tokens, the attribute."""
    name, count = piece.name, "" if piece.kind == "fold" else f"{piece.tokens:,}"
    words = _CELL * cell_len(name) + _SMALL_CELL * (len(count) + (1 if name and count else 0))
    attribute = piece.attribute
    extra = 0.0 if attribute is Attribute.NONE else _BESIDE + _SIGN
    locks = f"{piece.locks:,}" if attribute is Attribute.LOCKED else ""
    if locks:
        extra = extra + 2 + _SMALL_CELL * len(locks)
    x, y, width, height = piece.box
    wide = _SIGN + _BESIDE + words + extra
    x += (width - wide) / 2
    y += height / 2
    if ink.theme.patterned and piece.state in _PATTERNS:
        yield (
            f'<rect class="plate" {ink.paint[".plate"]} x="{num(x - 3)}" y="{num(y - 8)}" '
            f'width="{num(wide + 6)}" height="16" rx="2"/>'
        )
    yield f'<path {pen.sign} d="M{num(x)} {num(y)}{pen.path}"/>'
    x += _SIGN + _BESIDE
    shown = f'<tspan class="name" font-weight="700">{xml(name)}</tspan>' if name else ""
    if count:
        gap = " " if name else ""
        shown += f"{ink.count}{gap}{count}</tspan>"
    yield f'<text x="{num(x)}" y="{num(y + 4.6)}">{shown}</text>'
    x += words + _BESIDE
    if extra:
        yield badge(attribute, x, y, ink)
    if locks:
        yield f'<text x="{num(x + _SIGN + 2)}" y="{num(y + 4.2)}" font-size="{num(SMALL)}">{locks}</text>'


# -- words -------------------------------------------------------------------------------------------------------------


class Words:
    """What a picture says by itself, in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = spoken(lang, ascii=False)
        self._pool = PICTURES[self.lang]
        meanings = MEANINGS[self.lang][0]
        self.states: Mapping[State, str] = meanings.states
        self.victim = meanings.victim
        self.locks = meanings.locked
        self.root, self.comma, self.between = ("根", "，", "、") if self.lang == "zh" else ("root", ", ", " · ")

    def tokens(self, tokens: int) -> str:
        """Says a number of tokens."""
        if self.lang == "zh":
            return f"{tokens:,}{self._pool['tok']}"
        return f"{tokens:,} {'token' if tokens == 1 else 'tokens'}"

    def locked(self, locks: int) -> str:
        """Says how many hold a node."""
        return re.sub(r"\bn\b", f"{locks:,}", self.locks)

    def pool(self, snapshot: Snapshot) -> str:
        """Says what the pool holds: parts that add up to the capacity."""
        parts = {
            "protected": snapshot.protected,
            "evictable": snapshot.evictable,
            "in-flight": snapshot.in_flight,
            "free": snapshot.free,
        }
        if not snapshot.protected:
            parts = {"resident": snapshot.resident, "in-flight": snapshot.in_flight, "free": snapshot.free}
        said = [
            f"{self._pool[name]} {amount:,}" for name, amount in parts.items() if amount or name in ("resident", "free")
        ]
        whole = f"{self._pool['capacity']} {snapshot.capacity:,}{self._pool['tok']}"
        return f"{' + '.join(said)} = {whole}"


PROSE: Final = f'<g class="prose" font-family="{SANS}" font-size="{num(CAPTION)}">'
"""The start of a group of sentences: all but the text of tokens."""

# -- sheets ------------------------------------------------------------------------------------------------------------


class Caption(NamedTuple):
    """What is written around one scene, in lines that fit the sheet; not escaped yet."""

    heading: str
    lines: Sequence[str]


class Entry(NamedTuple):
    """An entry of the legend."""

    of: State | Attribute
    word: str
    x: float
    row: int


class Sheet:
    """What one or several scenes of one size share: where the picture, the legend and the caption stand.

    Args:
        scenes: In order, one at least.
        captions: One for each scene: sentences, "" for none; or none at all.
        legend: Whether to say what the signs mean, and what the pool holds.
        words: The language.
    """

    def __init__(self, scenes: Sequence[Scene], captions: Sequence[str], legend: bool, words: Words) -> None:
        self.words = words
        said = any(captions)
        wide = max(scene.width for scene in scenes)
        self.width = _ceil(max(wide + 2 * MARGIN, _LEAST if legend or said else 0))
        room = self.width - 2 * MARGIN
        self.captions = [caption_of(scene, text, room) for scene, text in _captioned(scenes, captions)]
        self.entries = legend_of(scenes, words, room) if legend else []
        self.tree = MARGIN + (HEADING + GAP if said else 0)  # top of the picture
        y = self.tree + max(scene.height for scene in scenes)
        self.legend = y + GAP + ROW / 2  # middle of its first row
        if legend:
            y = self.legend + self.rows * ROW
            self.pool = y + 4  # base line of the totals
            y += 10
        self.caption = y + GAP + CAPTION  # base line of its first line
        lines = max((len(caption.lines) for caption in self.captions), default=0)
        if lines:
            y = self.caption + (lines - 1) * LINE + 4
        self.height = _ceil(y + MARGIN)

    @property
    def rows(self) -> int:
        """Rows of the legend."""
        return self.entries[-1].row + 1 if self.entries else 0


def _ceil(value: float) -> float:
    return float(-int(-value // 1))


def _captioned(scenes: Sequence[Scene], captions: Sequence[str]) -> Iterator[tuple[Scene, str]]:
    """Yields each scene with its caption; there may be none at all."""
    return zip(scenes, captions or [""] * len(scenes), strict=True)


def caption_of(scene: Scene, text: str, width: float) -> Caption:
    """Returns heading and lines of a caption; the title stands above the picture and is not said again below."""
    if not text:
        return Caption("", [])
    title = sanitize(scene.panel.title)
    rest = sanitize(text).removeprefix(title).lstrip(" .:。：\n")
    heading = next(iter(lines_of(title, int(width / (HEADING * _PROSE)))), "")
    return Caption(heading, lines_of(rest, int(width / (CAPTION * _PROSE))))


def legend_of(scenes: Iterable[Scene], words: Words, width: float) -> list[Entry]:
    """Returns the entries that these scenes need, in rows: all states, and the attributes that any node has."""
    used = {piece.attribute for scene in scenes for piece in scene.pieces}
    meant: list[tuple[State | Attribute, str]] = list(words.states.items())
    meant += [(Attribute.LOCKED, words.locks)] if Attribute.LOCKED in used else []
    meant += [(Attribute.NEXT_VICTIM, words.victim)] if Attribute.NEXT_VICTIM in used else []
    entries: list[Entry] = []
    x, row = 0.0, 0
    for of, word in meant:
        wide = (_SAMPLE if isinstance(of, State) else _SIGN + 8) + 6 + prose_px(word, CAPTION)
        if x and x + wide > width:
            x, row = 0.0, row + 1
        entries.append(Entry(of, word, x, row))
        x += wide + 14
    return entries


def legend_svg(entries: Iterable[Entry], x: float, y: float, ink: Ink) -> str:
    """Returns the legend; `y` is the middle of its first row."""
    out = ['<g class="legend">']
    for entry in entries:
        left, middle = x + entry.x, y + entry.row * ROW
        if isinstance(entry.of, State):
            state, pen = entry.of, ink.pens[entry.of]
            out.append(
                f'<g class="{state.value}"><rect {pen.box} x="{num(left + 1)}" y="{num(middle - 8)}" '
                f'width="{num(_SAMPLE)}" height="16"/>'
            )
            at = left + 1 + (_SAMPLE - _SIGN) / 2
            if ink.theme.patterned and state in _PATTERNS:
                out.append(
                    f'<rect class="plate" {ink.paint[".plate"]} x="{num(at - 2)}" y="{num(middle - 6)}" '
                    f'width="{num(_SIGN + 4)}" height="12" rx="2"/>'
                )
            out.append(f'<path {pen.sign} d="M{num(at)} {num(middle)}{pen.path}"/></g>')
            left += 1 + _SAMPLE + 6
        else:
            out.append(badge(entry.of, left, middle, ink))
            left += _SIGN
            if entry.of is Attribute.LOCKED:
                out.append(f'<text x="{num(left + 2)}" y="{num(middle + 4.2)}" font-size="{num(SMALL)}">n</text>')
            left += 14 if entry.of is Attribute.LOCKED else 6
        out.append(f'<text x="{num(left)}" y="{num(middle + 4.2)}">{xml(entry.word)}</text>')
    return "".join([*out, "</g>"])


def badge(attribute: Attribute, x: float, y: float, ink: Ink) -> str:
    """Returns the sign of an attribute, from the middle of its left side."""
    if attribute is Attribute.LOCKED:
        return f'<path class="hold" {ink.paint[".hold"]} d="M{num(x)} {num(y)}{_HOLD}"/>'
    return f'<path class="next" fill="none" {ink.paint[".next"]} stroke-width="1.8" d="M{num(x)} {num(y)}{_NEXT}"/>'


def heading_svg(caption: Caption, sheet: Sheet) -> str:
    """Returns the title above the picture."""
    if not caption.heading:
        return ""
    return (
        f'<text class="heading" x="{num(MARGIN)}" y="{num(MARGIN + HEADING - 2)}" '
        f'font-size="{num(HEADING)}" font-weight="700">{xml(caption.heading)}</text>'
    )


def caption_svg(caption: Caption, sheet: Sheet) -> str:
    """Returns the sentences below the picture."""
    return prose_svg(caption.lines, MARGIN, sheet.caption)


def prose_svg(lines: Sequence[str], x: float, y: float) -> str:
    """Returns lines of prose; `y` is the base line of the first."""
    if not lines:
        return ""
    spans = "".join(
        f'<tspan x="{num(x)}" y="{num(y + row * LINE)}">{xml(line)}{" " if row + 1 < len(lines) else ""}</tspan>'
        for row, line in enumerate(lines)
    )
    return f'<text class="caption">{spans}</text>'


def pool_svg(scene: Scene, sheet: Sheet, ink: Ink) -> str:
    """Returns what the pool holds."""
    return (
        f'<text class="pool faint" {ink.paint[".faint"]} x="{num(MARGIN)}" y="{num(sheet.pool)}">'
        f"{xml(sheet.words.pool(scene.panel.snapshot))}</text>"
    )


# -- files -------------------------------------------------------------------------------------------------------------


def ids_of(pieces: Iterable[Piece], prefix: str) -> list[str]:
    """Returns an id for each piece: of a node its number; where only its end was evicted, that has another."""
    pieces = list(pieces)
    living = {piece.id for piece in pieces if piece.kind in ("node", "fold")}
    seen: dict[str, int] = {}
    ids = []
    for piece in pieces:
        kind = "r" if piece.kind == "root" else "x" if piece.kind == "tombstone" and piece.id in living else "n"
        name = f"{prefix}-{kind}{piece.id}"
        seen[name] = seen.get(name, 0) + 1
        ids.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return ids


_STRENGTH = (State.EVICTED, State.RESIDENT, State.REUSED, State.NEW)


def by_strength(pieces: Iterable[Piece]) -> list[Piece]:
    """Returns the pieces that have an edge, those last whose line may cover the others'."""
    return sorted((piece for piece in pieces if piece.edge), key=lambda piece: _STRENGTH.index(piece.state))


def tree_svg(scene: Scene, ink: Ink, words: Words, prefix: str = "") -> str:
    """Returns edges and nodes of a scene, a line each; ids begin with the prefix, or else the file's."""
    ids = ids_of(scene.pieces, prefix or ink.prefix)
    edges = [f"<path {edge(piece, ink)}" for piece in by_strength(scene.pieces)]
    nodes = [f'<g id="{id}"{node(piece, ink, words)}' for id, piece in zip(ids, scene.pieces, strict=True)]
    return "\n".join(['<g class="edges">', *edges, "</g>", *nodes])


class Page(NamedTuple):
    """A document: its size and what is said about it."""

    width: float
    height: float
    title: str
    desc: str
    facts: Mapping[str, str]
    width_mm: float | None
    lang: str


def document(page: Page, ink: Ink, body: Iterable[str], style: str = "") -> str:
    """Returns a whole file around what is drawn in it."""
    box = f"0 0 {num(page.width)} {num(page.height)}"
    if page.width_mm is None:
        size = f'width="{num(page.width)}" height="{num(page.height)}"'
    else:
        size = f'width="{num(page.width_mm)}mm" height="{num(page.width_mm * page.height / page.width)}mm"'
    prefix = ink.prefix
    facts = "\n".join(f"{prose(name)}: {prose(value)}" for name, value in page.facts.items())
    return "\n".join(
        part
        for part in (
            f'<svg xmlns="http://www.w3.org/2000/svg" id="{prefix}" {size} viewBox="{box}" role="img" '
            f'aria-labelledby="{prefix}-title {prefix}-desc" xml:lang="{page.lang}" xml:space="preserve">',
            f'<title id="{prefix}-title">{prose(page.title)}</title>',
            f'<desc id="{prefix}-desc">{prose(page.desc)}</desc>',
            f"<metadata>{facts}</metadata>" if facts else "",
            *ink.definitions(),
            style,
            f'<rect class="card" {ink.paint[".card"]} width="{num(page.width)}" height="{num(page.height)}" '
            f'rx="{num(_CARD)}"/>',
            f'<g class="ink" {ink.paint[".ink"]} font-family="{MONO}" font-size="{num(TEXT)}">',
            *body,
            "</g>",
            "</svg>\n",
        )
        if part
    )


_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")


def prefix_of(prefix: str | None, number: int) -> str:
    """Returns what ids begin with: letters, digits, hyphens; the step's number when nothing was asked for."""
    if prefix is None:
        return f"s{number:02d}"
    name = _NO_NAME.sub("-", prefix)
    return name if name[:1].isalpha() else f"s{name}"


def write_svg(
    scene: Scene,
    *,
    theme: ThemeName = "light",
    legend: bool = True,
    caption: str = "",
    width_mm: float | None = None,
    facts: Mapping[str, str] | None = None,
    prefix: str | None = None,
    lang: str = "en",
) -> str:
    """Writes one scene.

    Args:
        scene: What to draw.
        theme: One of `THEMES`: auto is light, and dark where the reader prefers that; print reads in grey.
        legend: Whether to say below what the signs mean, and what the pool holds.
        caption: Sentences below the picture, with the panel's title above it; "" for neither.
        width_mm: Width on paper; None is as many px as it has.
        facts: For the metadata, in order.
        prefix: Of all ids; None is the step's number: ``s04``. Another one for each picture of a page.
        lang: "zh" for Chinese; English else.

    Returns:
        A file's text; the same arguments give the same bytes.
    """
    sheet = Sheet([scene], [caption], legend, Words(lang))
    ink = Ink(theme, prefix_of(prefix, scene.panel.number))
    return sheet_svg(sheet, scene, sheet.captions[0], ink, width_mm, facts)


def sheet_svg(
    sheet: Sheet, scene: Scene, caption: Caption, ink: Ink, width_mm: float | None, facts: Mapping[str, str] | None
) -> str:
    """Writes one scene of a sheet."""
    panel = scene.panel
    body = [f'<g class="tree" transform="translate({num(MARGIN + 0.5)} {num(sheet.tree + 0.5)})">']
    body += [tree_svg(scene, ink, sheet.words), "</g>", PROSE, heading_svg(caption, sheet)]
    if sheet.entries:
        body += [legend_svg(sheet.entries, MARGIN, sheet.legend, ink), pool_svg(scene, sheet, ink)]
    body += [caption_svg(caption, sheet), "</g>"]
    page = Page(sheet.width, sheet.height, panel.title, panel.story, facts or {}, width_mm, sheet.words.lang)
    return document(page, ink, [part for part in body if part])


def smallest_pt(scene: Scene, width_mm: float, *, legend: bool = True, caption: str = "") -> float:
    """Returns the size of the smallest text on paper, in points (1/72 inch)."""
    return points(Sheet([scene], [caption], legend, Words("en")).width, width_mm)


def points(width: float, width_mm: float) -> float:
    """Returns the size of the smallest text of a picture of so many px on paper, in points."""
    return SMALL * width_mm / width * 72 / 25.4
