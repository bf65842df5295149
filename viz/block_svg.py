"""The blocks of a hash-block cache as SVG: chains of boxes, open tables above, the free queue below.

A block stands below the one whose hash its own hash took in, in the row of its place in the chain; an arrow leads to
it. A block without a hash hangs by a dotted line: only its table knows it. A dashed stub says that the block before is
gone. Above, two gauges and a row of numbers for each open table; below a block, which leases end there. The free queue
is a row of numbers in the order in which blocks would be taken. Ids and classes are those of a block in every step.
Same paints, signs and bytes as `svg`. Knows panels and themes; no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len

from ..radix.snapshots import State
from . import svg
from .album import Album, Panel
from .block_told import Teller
from .labels import Label, Labels, label
from .pool import Entry, Pool, Range
from .states import FREE, MORE, PENDING, Attribute
from .svg import num, xml
from .themes import STROKES
from .tidy import Part, Spot, spots
from .twigs import RowKind, Twig
from .wrap import wrapped

MOST: Final = 64
"""Boxes from which on what nobody holds and the step did not touch is folded."""

_CELL, _SMALL = 7.8, 6.6  # px of a cell of text and of small text
_TEXT, _LINES = 21, 2  # cells and lines of a block's text
_WIDTH, _HEIGHT = 184, 74  # px of a block's box
_LOW = 30  # px of the box of a fold
_STEM, _TIE = 16, 15  # px from a box's left side to its arrow, from its top to where siblings branch off
_STEP, _BETWEEN, _APART = 26, 20, 44  # px between rows, columns, and chains
_PAD = 9  # px inside a box
_NUMBER, _LINE = 24, 30  # px of the boxes of tables and queue, and from one of their lines to the next
_INSIDE = 6.0  # px around a number
_GAP = 6.0
_TITLE = 20.0  # px of a section's heading
_BAR, _BARS = 9.0, 20.0  # px of a gauge, and from one to the next
_LEAST = 620.0  # px of a picture
_MOST_TABLES, _MOST_LINES = 12, 5


class _Piece(NamedTuple):
    """A box of a chain, or a fold."""

    entry: Entry | None  # None: a fold
    twig: Twig
    parent: int  # its number; -1: none
    spot: Spot


class _Section(NamedTuple):
    """A part of a picture, drawn from its own top."""

    height: float
    drawn: str


class _Body(NamedTuple):
    """Everything of a panel but its caption and legend."""

    width: float
    height: float
    drawn: str


def block_frames(
    album: Album,
    *,
    theme: svg.ThemeName = "light",
    legend: bool = True,
    captions: Sequence[str] = (),
    width_mm: float | None = None,
    facts: Mapping[str, str] | None = None,
    most: int | None = MOST,
    prefix: str | None = None,
) -> list[str]:
    """Draws the blocks of every panel, one SVG each, all of one size.

    Args:
        album: Of a hash-block cache.
        theme: One of `themes.THEMES`.
        legend: Whether to say what the signs mean.
        captions: One for each panel, "" for none; or none at all.
        width_mm: Width on paper; None is as many px as it has.
        facts: For the metadata, in order.
        most: Boxes from which on chains are folded; None folds nothing.
        prefix: What ids begin with; None is the number of the panel: ``s04``.

    Returns:
        SVG documents; the same album gives the same bytes.
    """
    teller = Teller(album.pieces, album.lang)
    words = svg.Words(album.lang)
    said = captions or [""] * len(album.panels)
    inks = [svg.Ink(theme, svg.prefix_of(prefix, panel.number)) for panel in album.panels]
    bodies = [_Drawing(panel, album, teller, ink, most).body() for panel, ink in zip(album.panels, inks, strict=True)]
    width = max([_LEAST, *(body.width for body in bodies)]) + 2 * svg.MARGIN
    entries = _legend(words, teller, width - 2 * svg.MARGIN) if legend else []
    lines = [_caption(panel, text, width) for panel, text in zip(album.panels, said, strict=True)]
    top = svg.MARGIN + (svg.HEADING + svg.GAP if any(said) else 0)
    end = top + max([0.0, *(body.height for body in bodies)])
    middle = end + svg.GAP + svg.ROW / 2
    if entries:
        end = middle + (entries[-1].row + 0.5) * svg.ROW
    below = end + svg.GAP + svg.CAPTION
    most_lines = max((len(one.lines) for one in lines), default=0)
    if most_lines:
        end = below + (most_lines - 1) * svg.LINE + 4
    height = float(-int(-(end + svg.MARGIN) // 1))
    sheet = _Sheet(width, height, top, middle, below, width_mm)
    return [
        _document(panel, body, caption, ink, entries, facts or {}, words, sheet)
        for panel, body, caption, ink in zip(album.panels, bodies, lines, inks, strict=True)
    ]  # fmt: skip


class _Sheet(NamedTuple):
    """Where the parts of a document stand, in px."""

    width: float
    height: float
    top: float  # of the picture
    legend: float  # middle of its first row
    caption: float  # base line of its first line
    width_mm: float | None  # on paper


def _caption(panel: Panel, text: str, width: float) -> svg.Caption:
    if not text:
        return svg.Caption("", [])
    room = width - 2 * svg.MARGIN
    title = next(iter(svg.lines_of(panel.title, int(room / (svg.HEADING * 0.6)))), "")
    return svg.Caption(title, svg.lines_of(text, int(room / (svg.CAPTION * 0.6))))


class _Meaning(NamedTuple):
    """An entry of the legend."""

    of: State | Attribute | str
    word: str
    x: float
    row: int


def _legend(words: svg.Words, teller: Teller, width: float) -> list[_Meaning]:
    meant: list[tuple[State | Attribute | str, str]] = [
        *words.states.items(),
        (Attribute.LOCKED, teller.words["held"]),
        (Attribute.NEXT_VICTIM, words.victim),
        (PENDING.glyph, teller.words["pending"]),
        (FREE.glyph, teller.words["free block"]),
    ]
    entries: list[_Meaning] = []
    x, row = 0.0, 0
    for of, word in meant:
        wide = 28 + svg.prose_px(word, svg.CAPTION)
        if x and x + wide > width:
            x, row = 0.0, row + 1
        entries.append(_Meaning(of, word, x, row))
        x += wide + 14
    return entries


def _legend_svg(entries: Sequence[_Meaning], y: float, ink: svg.Ink) -> str:
    out = ['<g class="legend">']
    for entry in entries:
        left, middle = svg.MARGIN + entry.x, y + entry.row * svg.ROW
        if isinstance(entry.of, State):
            pen = ink.pens[entry.of]
            out.append(
                f'<g class="{entry.of.value}"><path {pen.sign} d="M{num(left + 4)} {num(middle)}{pen.path}"/></g>'
            )
        elif isinstance(entry.of, Attribute):
            out.append(svg.badge(entry.of, left + 4, middle, ink))
        else:
            out.append(f'<text x="{num(left + 5)}" y="{num(middle + 4.4)}">{entry.of}</text>')
        out.append(f'<text x="{num(left + 20)}" y="{num(middle + 4.2)}">{xml(entry.word)}</text>')
    return "".join([*out, "</g>"])


def _document(
    panel: Panel, body: _Body, caption: svg.Caption, ink: svg.Ink, entries: Sequence[_Meaning],
    facts: Mapping[str, str], words: svg.Words, sheet: _Sheet,
) -> str:  # fmt: skip
    parts = [f'<g class="pool" transform="translate({num(svg.MARGIN)} {num(sheet.top)})">', body.drawn, "</g>"]
    parts.append(svg.PROSE)
    if caption.heading:
        parts.append(
            f'<text class="heading" x="{num(svg.MARGIN)}" y="{num(svg.MARGIN + svg.HEADING - 2)}" '
            f'font-size="{num(svg.HEADING)}" font-weight="700">{xml(caption.heading)}</text>'
        )
    parts.append(_legend_svg(entries, sheet.legend, ink) if entries else "")
    parts.append(svg.prose_svg(caption.lines, svg.MARGIN, sheet.caption))
    parts.append("</g>")
    page = svg.Page(sheet.width, sheet.height, panel.title, panel.story, facts, sheet.width_mm, words.lang)
    return svg.document(page, ink, [part for part in parts if part])


def _faint(x: float, y: float, text: str, ink: svg.Ink, small: bool = False) -> str:
    size = f' font-size="{num(svg.SMALL)}"' if small else ""
    return f'<text class="faint" {ink.paint[".faint"]} x="{num(x)}" y="{num(y)}"{size}>{xml(text)}</text>'


class _Drawing:
    """Draws one panel; all coordinates count from the top left of the picture."""

    def __init__(self, panel: Panel, album: Album, teller: Teller, ink: svg.Ink, most: int | None) -> None:
        self._pool = Pool(panel.snapshot)
        self._ink = ink
        self._teller = teller
        self._labels = Labels.of(album.pieces, album.look)
        trees = self._pool.chains(most=most)
        self._pieces = _placed([(self._entry(twig), twig, parent) for twig, parent in self._numbered(trees)])
        self._ends = self._pool.ends()
        self._stones = Counter[int]()
        right = max((piece.spot.left + _WIDTH for piece in self._pieces), default=0)
        self.width = max(_LEAST, float(right))

    def _numbered(self, trees: Sequence[Twig]) -> Iterator[tuple[Twig, int]]:
        """Yields boxes, parents first, with the number of what each hangs from; what goes on stands first."""
        count = 0
        for tree in trees:
            stack = [(child, -1) for child in reversed(_below(tree))]
            while stack:
                twig, parent = stack.pop()
                yield twig, parent
                stack += [(child, count) for child in reversed(_below(twig))]
                count += 1

    def _entry(self, twig: Twig) -> Entry | None:
        return None if twig.kind is RowKind.FOLD else self._pool.of(twig)

    def body(self) -> _Body:
        """Returns gauges, tables, chains and queue, one below the other."""
        y, out = 0.0, list[str]()
        for part in (self._gauges(), self._tables(), self._chains(), self._queue()):
            if part.drawn:
                out.append(f'<g transform="translate(0 {num(y)})">{part.drawn}</g>')
                y += part.height + svg.GAP
        return _Body(self.width, y, "\n".join(out))

    # -- gauges, tables, queue -----------------------------------------------------------------------------------------

    def _title(self, text: str) -> str:
        return f'<text y="13" font-weight="700">{xml(text)}</text>'

    def _gauges(self) -> _Section:
        gauge, teller, ink = self._pool.gauge, self._teller, self._ink
        preset = label(self._pool.blocks.preset).fit(40).plain
        out = [self._title(teller.say("pool", preset=preset, total=gauge.total, size=self._pool.blocks.block_size))]
        indent = max(cell_len(teller.words[name]) for name in ("used", "retained")) * _CELL + 10
        room = 240.0
        for row, (name, amount) in enumerate((("used", gauge.used), ("retained", gauge.retained)), start=1):
            y = 4 + row * _BARS
            share = round(100 * amount / gauge.total) if gauge.total else 0
            said = teller.say("of", blocks=amount, total=gauge.total, share=share)
            paint = f'class="hold" {ink.paint[".hold"]}' if name == "used" else f'class="faint" {ink.paint[".faint"]}'
            full = room * amount / gauge.total if gauge.total else 0.0
            out += [
                f'<text y="{num(y + 9)}">{xml(teller.words[name])}</text>',
                f'<rect {paint} x="{num(indent)}" y="{num(y)}" width="{num(full)}" height="{num(_BAR)}"/>'
                if full
                else "",
                f'<rect class="rule" fill="none" {ink.paint[".rule"]} x="{num(indent)}" y="{num(y)}" '
                f'width="{num(room)}" height="{num(_BAR)}"/>',
                f'<text x="{num(indent + room + 10)}" y="{num(y + 9)}">{xml(said)}</text>',
            ]
        out.append(_faint(0, 4 + 3 * _BARS + 8, teller.words["meant"], ink, small=True))
        return _Section(4 + 3 * _BARS + 14, "".join(out))

    def _tables(self) -> _Section:
        tables, teller, out = self._pool.blocks.tables, self._teller, list[str]()
        y = 0.0
        for table in tables[:_MOST_TABLES]:
            name = teller.say("lease", table=table.table, tokens=table.tokens, blocks=teller.count(len(table.blocks)))
            if table.namespace:
                name += f" · {teller.say('namespace', name=label(table.namespace).fit(24).plain)}"
            shown = [Range(number, number, self._pool.entries.get(number)) for number in table.blocks]
            drawn, height = self._numbers(shown, f"t{table.table}")
            out.append(
                f'<g id="{self._ink.prefix}-t{table.table}" class="table" transform="translate(0 {num(y)})">'
                f"{self._title(name)}{drawn}</g>"
            )
            y += height
        if len(tables) > _MOST_TABLES:
            out.append(
                _faint(0, y + 13, teller.say("leases", sign=MORE.glyph, tables=len(tables) - _MOST_TABLES), self._ink)
            )
            y += _TITLE
        return _Section(y, "".join(out))

    def _queue(self) -> _Section:
        drawn, height = self._numbers(self._pool.queue, "q")
        return _Section(height, self._title(self._teller.words["queue order"]) + drawn)

    def _numbers(self, items: Sequence[Range], name: str) -> tuple[str, float]:
        """Draws boxes with numbers in a row, or in a few; returns them and their height with a title above."""
        x, y, line = 0.0, _TITLE, 1
        out: list[str] = []
        for at, item in enumerate(items):
            text = self._called(item)
            wide = self._wide(item, text)
            rest = self._teller.say("more", sign=MORE.glyph, blocks=sum(each.blocks for each in items[at:]))
            spare = _GAP + cell_len(rest) * _CELL if line == _MOST_LINES and at + 1 < len(items) else 0
            if x and x + wide + spare > self.width:
                if line == _MOST_LINES:
                    out.append(_faint(x, y + 16, rest, self._ink))
                    return "".join(out), y + _LINE
                x, y, line = 0.0, y + _LINE, line + 1
            out.append(self._number(item, text, x, y, wide, f"{name}-{at}" if name != "q" else f"q{item.first}"))
            x += wide + _GAP
        return "".join(out), y + _LINE

    def _called(self, item: Range) -> str:
        return str(item.first) + (f"–{item.last}" if item.last != item.first else "")

    def _wide(self, item: Range, text: str) -> float:
        victim = 14.0 if item.entry is not None and item.entry.victim else 0.0
        return _CELL * len(text) + 2 * _INSIDE + 13 + victim

    def _number(self, item: Range, text: str, x: float, y: float, wide: float, id: str) -> str:
        ink, entry = self._ink, item.entry
        size = f'x="{num(x)}" y="{num(y)}" width="{num(wide)}" height="{num(_NUMBER)}"'
        middle = y + _NUMBER / 2
        node = "" if entry is None else f' data-node="{entry.id}"'  # the group with this node is the block's own
        at = f'<text{node} x="{num(x + _INSIDE + 13)}" y="{num(middle + 4.6)}">{xml(text)}</text>'
        if entry is None:
            told = self._teller.words["free block"]
            return (
                f'<g id="{ink.prefix}-{id}" class="free"><title>{xml(f"{text}: {told}")}</title>'
                f'<rect class="rule" fill="none" {ink.paint[".rule"]} stroke-dasharray="2 2" rx="3" {size}/>'
                f"{_faint(x + _INSIDE + 1, middle + 4.6, FREE.glyph, ink)}{at}</g>"
            )
        pen = ink.pens[entry.state]
        badge = svg.badge(Attribute.NEXT_VICTIM, x + wide - _INSIDE - 9, middle, ink) if entry.victim else ""
        return (
            f'<g id="{ink.prefix}-{id}" class="{entry.classes}" data-block="{item.first}">'
            f"<title>{xml(self._teller.sentence(entry))}</title><rect {pen.box}{node} {size}/>"
            f"{self._plate(entry.state, x, y, wide, _NUMBER)}"
            f'<path {pen.sign} d="M{num(x + _INSIDE - 1)} {num(middle)}{pen.path}"/>{at}{badge}</g>'
        )

    def _plate(self, state: State, x: float, y: float, width: float, height: float) -> str:
        """Returns what lies between a pattern and the text on it."""
        ink = self._ink
        if not ink.theme.patterned or state not in (State.NEW, State.REUSED):
            return ""
        return (
            f'<rect class="plate" {ink.paint[".plate"]} x="{num(x + 4)}" y="{num(y + 4)}" '
            f'width="{num(width - 8)}" height="{num(height - 8)}" rx="2"/>'
        )

    # -- chains --------------------------------------------------------------------------------------------------------

    def _chains(self) -> _Section:
        if not self._pieces:
            return _Section(_TITLE, _faint(0, 13, self._teller.words["nothing"], self._ink))
        edges = [self._edge(piece) for piece in self._pieces]
        boxes = [self._fold(piece) if piece.entry is None else self._box(piece, piece.entry) for piece in self._pieces]
        bottom = max(piece.spot.bottom for piece in self._pieces) + (16 if self._ends else 0)
        title = self._title(self._teller.words["chains"])
        return _Section(bottom, "\n".join([title, '<g class="edges">', *filter(None, edges), "</g>", *boxes]))

    def _edge(self, piece: _Piece) -> str:
        """Returns the arrow from the block before; a stub where that is gone."""
        ink, state, spot = self._ink, piece.twig.state, piece.spot
        entry = piece.entry
        if piece.parent < 0:
            if entry is None or not entry.broken:
                return ""
            gone = self._teller.words["gone before"]
            stub = f'<path {ink.pens[State.EVICTED].edge} d="M{num(spot.x)} {num(spot.top - 16)}V{num(spot.top)}"/>'
            return stub + _faint(spot.x + 7, spot.top - 6, gone, ink, small=True)
        above = self._pieces[piece.parent].spot
        if spot.x == above.x:
            points = [(float(above.x), float(above.bottom))]
        else:
            tie = float(above.top + _TIE)
            points = [(float(above.left + _WIDTH), tie), (float(spot.x), tie)]
        points.append((float(spot.x), float(spot.top)))
        pen = ink.pens[state].edge
        loose = entry is not None and entry.loose
        if loose and not STROKES[state].dash:
            pen += ' stroke-dasharray="1.5 3"'
        plain = ink.pens[state].edge.partition(" stroke-dasharray")[0]
        head = "" if loose else f'<path {plain} d="M{num(spot.x - 4)} {num(spot.top - 6)}l4 6l4-6"/>'
        number = f'data-node="{piece.twig.id}"'
        return f'<path {pen} {number} d="{svg.rounded(points)}"/>{head}'

    def _fold(self, piece: _Piece) -> str:
        ink, pen = self._ink, self._ink.pens[piece.twig.state]
        x, y = float(piece.spot.left), float(piece.spot.top)
        text = f"{MORE.glyph} {self._teller.count(piece.twig.nodes)}"
        size = f'width="{_WIDTH - 4}" height="{_LOW - 4}"'
        return (
            f'<g id="{ink.prefix}-f{piece.twig.id}" class="fold {piece.twig.state.value}">'
            f'<rect {pen.box} x="{num(x + 4)}" y="{num(y + 4)}" {size}/>'
            f'<rect {pen.box} x="{num(x)}" y="{num(y)}" {size}/>'
            f'<text x="{num(x + _PAD)}" y="{num(y + 17)}">{xml(text)}</text></g>'
        )

    def _box(self, piece: _Piece, entry: Entry) -> str:
        ink, pen, teller = self._ink, self._ink.pens[entry.state], self._teller
        x, y = float(piece.spot.left), float(piece.spot.top)
        id = f"{ink.prefix}-b{entry.number}" if entry.number is not None else self._gone(entry.node)
        data = "" if entry.number is None else f' data-block="{entry.number}" data-refs="{entry.refs}"'
        out = [
            f'<g id="{id}" class="{entry.classes}" data-node="{entry.id}"{data} data-tokens="{entry.tokens}">',
            f"<title>{xml(teller.sentence(entry))}</title>",
            f'<rect {pen.box} x="{num(x)}" y="{num(y)}" width="{_WIDTH}" height="{_HEIGHT}"/>',
            self._plate(entry.state, x, y, _WIDTH, _HEIGHT),
            f'<path {pen.sign} d="M{num(x + _PAD)} {num(y + 14)}{pen.path}"/>',
        ]
        if entry.number is not None:
            out.append(
                f'<text class="name" x="{num(x + _PAD + 16)}" y="{num(y + 18.6)}" font-weight="700">'
                f"{entry.number}</text>"
            )
            if entry.node:
                left = x + _PAD + 16 + _CELL * (len(str(entry.number)) + 1)
                out.append(_faint(left, y + 18, f"#{entry.node}", ink, small=True))
        out += self._attribute(entry, x, y)
        out += self._text(entry, x, y)
        said = teller.hash(entry) if entry.number is not None else svg.Words(teller.lang).states[State.EVICTED]
        out.append(_faint(x + _PAD, y + _HEIGHT - 8, said, ink, small=True))
        fill = f"{entry.tokens:,}/{entry.size:,}"
        right = x + _WIDTH - _PAD - len(fill) * _SMALL
        out.append(_faint(right, y + _HEIGHT - 8, fill, ink, small=True))
        if entry.pending:
            out.append(f'<text x="{num(right - 11)}" y="{num(y + _HEIGHT - 7)}">{PENDING.glyph}</text>')
        ends = self._ends.get(entry.number, []) if entry.number is not None else []
        if ends:
            tables = ", ".join(map(str, ends[:6])) + (f" {MORE.glyph}" if len(ends) > 6 else "")
            out.append(
                _faint(x + _STEM + 7, y + _HEIGHT + 13, f"↑ {teller.say('ends', tables=tables)}", ink, small=True)
            )
        return "".join([*out, "</g>"])

    def _gone(self, node: int) -> str:
        """Returns the id of a tombstone; a node may have several."""
        self._stones[node] += 1
        more = f"-{self._stones[node]}" if self._stones[node] > 1 else ""
        return f"{self._ink.prefix}-x{node}{more}"

    def _attribute(self, entry: Entry, x: float, y: float) -> Iterator[str]:
        if entry.attribute is Attribute.NONE:
            return
        refs = f"{entry.refs:,}" if entry.refs else ""
        left = x + _WIDTH - _PAD - 9 - (len(refs) * _SMALL + 3 if refs else 0)
        yield svg.badge(entry.attribute, left, y + 14, self._ink)
        if refs:
            yield f'<text x="{num(left + 12)}" y="{num(y + 18)}" font-size="{num(svg.SMALL)}">{refs}</text>'

    def _text(self, entry: Entry, x: float, y: float) -> Iterator[str]:
        ink, gone = self._ink, entry.number is None
        if not entry.key:
            yield _faint(x + _PAD, y + 35, self._teller.words["empty"], ink)
            return
        for row, line in enumerate(self._lines(entry)):
            content = "".join(
                xml(span.text) if gone or span.kind.value == "text" else f"{ink.faint}{xml(span.text)}</tspan>"
                for span in line.spans
            )
            left, base = num(x + _PAD), y + 35 + row * 15
            yield f'<text x="{left}" y="{num(base)}"{ink.gone if gone else ""}>{content}</text>'
            if gone:  # a line, since not every renderer knows text-decoration
                over = f"M{left} {num(base - 4.2)}h{num(line.cells * _CELL)}"
                yield f'<path class="strike" {ink.paint[".strike"]} d="{over}"/>'

    def _lines(self, entry: Entry) -> Sequence[Label]:
        """Returns the text of a block in the lines there are; what is too much is left out in its middle."""
        cells = _LINES * _TEXT
        while True:
            lines = wrapped(self._labels.fit(entry.key, cells), _TEXT)
            if len(lines) <= _LINES or cells <= _TEXT:
                return [line.fit(_TEXT) for line in lines[:_LINES]]
            cells -= 1


def _below(twig: Twig) -> list[Twig]:
    """Returns what is drawn below a twig, what goes on straight down first."""
    order = list(twig.order or ())
    return order[-1:] + order[:-1]


def _placed(boxes: Sequence[tuple[Entry | None, Twig, int]]) -> list[_Piece]:
    """Places boxes in rows by their place in the chain."""
    parts = [
        Part(0, _STEP, _WIDTH, _LOW if entry is None else _HEIGHT, _STEM, _TIE, closed=True) for entry, _, _ in boxes
    ]
    places = spots(parts, [parent for _, _, parent in boxes], margin=_STEM, gap=_BETWEEN, indent=0, apart=_APART)
    return [_Piece(entry, twig, parent, at) for (entry, twig, parent), at in zip(boxes, places, strict=True)]
