"""The blocks of a hash-block cache as a picture: gauges, open block tables, chains of hashes, and the free queue.

Four sections from top to bottom, each line of at most the width asked for:

- how many blocks are *in use* (in tables of open leases) and how many are *retained* (in none, but found by a hit);
- each open table, its blocks in order;
- the pool as chains (see `pool`): every block once, with number, text, references, tokens, hash and place in the queue;
- the free queue in the order in which blocks would be taken.

What is too much is folded and counted. Rows and rails are those of the outline. Knows no widget and no terminal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from ..radix.snapshots import Snapshot, State, TableView
from .cells import Brush, Run, label_runs, line_of, paragraphs
from .labels import Kind, Label, Labels, Span, label, lettered
from .picture import Direction, Look, Place
from .plain import ASCII_LANES, LANES
from .pool import Entry, Pool, Range
from .rail import Spot
from .sentences import BLOCKS, spoken
from .states import ATTRIBUTES, FREE, MORE, PENDING, STATES, Attribute
from .twigs import RowKind, Twig

MOST: Final = 400
"""Rows of chains from which on they are folded where nothing else is said."""

SHORT: Final = 6
"""Hexadecimal digits of a hash in a row."""

PLACE_FROM, BEFORE_FROM = 56, 70
"""Cells from which on rows show the place in the queue; the hash before, and the age."""

_GAP = 2
_LEAST_BODY = 12  # cells kept for rail, sign, number and text
_MOST_GAUGE = 32
_MOST_TABLES = 8
_MOST_OF_TABLE = 12  # rows of a table
_MOST_QUEUE = 4  # lines of the queue
_NAME = 24  # cells of a namespace


def blocks(
    snapshot: Snapshot,
    pieces: Mapping[int, bytes],
    *,
    width: int,
    look: Look,
    most: int | None = MOST,
    folded: Collection[int] = frozenset(),
    kept: Collection[int] = frozenset(),
    letters: Mapping[int, str] | None = None,
    veiled: bool = False,
) -> BlocksPicture:
    """Lays out the blocks of a snapshot, which must be that of a hash-block cache.

    Args:
        snapshot: The state to draw.
        pieces: The bytes of each token id.
        width: The most cells of a line; 40 and more read well.
        look: How to paint.
        most: Rows of chains from which on what nobody holds and the step did not touch is folded; None folds nothing.
        folded: Handles of blocks that stand in one row for themselves and all below them.
        kept: Handles of blocks that are not folded for all that.
        letters: What this picture calls nodes, by id; shown before the number.
        veiled: Whether it is left out who goes next, because a question is open.
    """
    pool = Pool(snapshot, veiled=veiled)
    trees = pool.chains(most=most, folded=folded, kept=kept)
    return BlocksPicture(pool, trees, pieces, max(width, 20), look, lettered(letters, ascii=look.ascii))


class _Line(NamedTuple):
    """One line to be painted."""

    kind: str
    text: str = ""  # of headings and notes
    entry: Entry | None = None
    spot: Spot | None = None
    items: tuple[tuple[int, Range | None], ...] = ()  # of the queue: where each begins; None: more are left out
    share: tuple[int, int] = (0, 0)  # of a gauge: blocks, of how many


class _Column(NamedTuple):
    """One column at the right."""

    name: str
    title: str
    cells: int


class BlocksPicture:
    """Blocks in lines; made by `blocks`.

    Attributes:
        width: The most cells of a line.
        height: Lines.
        shown: Numbers of the blocks that have a row among the chains, in order.
        titles: The line that names the columns of the chains.
        titled: The lines below it that have these columns.
        left_out: Blocks that stand in folded rows.
        free: Blocks that hold nothing; they stand in the queue alone.
    """

    def __init__(
        self, pool: Pool, trees: Sequence[Twig], pieces: Mapping[int, bytes], width: int, look: Look,
        letters: Mapping[int, str],
    ) -> None:  # fmt: skip
        self.width = width
        self._pool = pool
        self._brush = Brush(look)
        self._labels = Labels.of(pieces, look)
        self._letters = letters
        self._words = BLOCKS[spoken(look.lang, ascii=look.ascii)]
        self._digits = max([len(str(number)) for number in pool.entries], default=1)
        self._columns = self._fitting()
        self._room = width - sum(column.cells + _GAP for column in self._columns)
        self._rows: dict[int, int] = {}  # line of each handle
        self._parents: dict[int, int] = {}
        self._lines: list[_Line] = []
        self._head()
        self._tables()
        self._chains(trees)
        self._queue()
        self.height = len(self._lines)
        entries = [line.entry for line in self._lines if line.kind == "chain" and line.entry is not None]
        self.shown = tuple(entry.number for entry in entries if entry.number is not None)
        self.left_out = sum(
            line.spot.twig.nodes for line in self._lines if line.kind == "fold" and line.spot is not None
        )
        self.free = pool.free

    # -- what a cursor asks --------------------------------------------------------------------------------------------

    def place(self, node: int) -> Place | None:
        """Returns where a block stands among the chains, by its handle; None when it has no row."""
        entry = self._pool.find(node)
        y = self._rows.get(node if entry is None else entry.id)
        if y is None:
            return None
        spot = self._lines[y].spot
        x = self._indent(0 if spot is None else len(spot.rail))
        return Place(x, y, max(1, self._room - x), 1)

    def node_at(self, x: int, y: int) -> int | None:
        """Returns the handle of the block in a cell: anywhere in its row, or where the queue names it."""
        if not (0 <= y < self.height and 0 <= x < self.width):
            return None
        line = self._lines[y]
        for start, item in line.items:
            entry = None if item is None else item.entry
            if entry is not None and item is not None and start <= x < start + cell_len(self._called(item)):
                return entry.id
        if line.kind in ("chain", "table") and line.entry is not None:
            return line.entry.id
        return line.spot.twig.id if line.kind == "fold" and line.spot is not None else None

    def is_fold(self, y: int) -> bool:
        """Returns whether a line stands for several blocks."""
        return self._lines[y].kind == "fold"

    def beside(self, node: int, way: Direction) -> int | None:
        """Returns the block before (left), the first one after it (right), or the row above or below."""
        entry = self._pool.find(node)
        here = node if entry is None else entry.id
        if here not in self._rows:
            return None
        if way is Direction.LEFT:
            return self._parents.get(here)
        if way is Direction.RIGHT:
            return next((child for child, parent in self._parents.items() if parent == here), None)
        order = sorted(self._rows.items(), key=lambda row: row[1])
        at = next(number for number, (id, _) in enumerate(order) if id == here)
        beside = at + (1 if way is Direction.DOWN else -1)
        return order[beside][0] if 0 <= beside < len(order) else None

    def first(self) -> int | None:
        """Returns the first block, None when none holds anything."""
        return min(self._rows, key=lambda id: self._rows[id]) if self._rows else None

    # -- the lines -----------------------------------------------------------------------------------------------------

    def _say(self, sentence: str, **facts: object) -> str:
        return self._words[sentence].format(**facts)

    def _count(self, blocks: int) -> str:
        return self._say("block" if blocks == 1 else "blocks", blocks=blocks)

    def _head(self) -> None:
        gauge, brush = self._pool.gauge, self._brush
        preset = label(self._pool.blocks.preset, ascii=brush.ascii).plain
        self._lines.append(
            _Line("title", self._say("pool", preset=preset, total=gauge.total, size=self._pool.blocks.block_size))
        )
        for name, amount in (("used", gauge.used), ("retained", gauge.retained)):
            self._lines.append(_Line(name, share=(amount, gauge.total)))
        self._lines += [_Line("note", line) for line in paragraphs(self._words["meant"], self.width)]

    def _tables(self) -> None:
        tables = self._pool.blocks.tables
        for table in tables[:_MOST_TABLES]:
            self._lines += [_Line("blank"), _Line("section", self._table_title(table))]
            names = self._rows_of(table)
            self._lines += [_Line("note", self._words["empty lease"])] if not names else []
            for number in names:
                if number is None:
                    hidden = len(table.blocks) - _MOST_OF_TABLE
                    self._lines.append(_Line("note", f"{self._brush.glyph(MORE)} {self._count(hidden)}"))
                else:
                    self._lines.append(_Line("table", f"{number}", self._pool.entries.get(number)))
        if len(tables) > _MOST_TABLES:
            more = self._say("leases", sign=self._brush.glyph(MORE), tables=len(tables) - _MOST_TABLES)
            self._lines += [_Line("blank"), _Line("note", more)]

    def _table_title(self, table: TableView) -> str:
        title = self._say("lease", table=table.table, tokens=table.tokens, blocks=self._count(len(table.blocks)))
        if not table.namespace:
            return title
        name = label(table.namespace, ascii=self._brush.ascii).fit(_NAME, ascii=self._brush.ascii).plain
        return f"{title} · {self._say('namespace', name=name)}" if not self._brush.ascii else f"{title}, {name}"

    def _rows_of(self, table: TableView) -> list[int | None]:
        """Returns the blocks of a table that get a row; None is those in the middle of a long one."""
        numbers: list[int | None] = list(table.blocks)
        if len(numbers) <= _MOST_OF_TABLE:
            return numbers
        head = 2
        return [*numbers[:head], None, *numbers[head - _MOST_OF_TABLE :]]

    def _chains(self, trees: Sequence[Twig]) -> None:
        self._lines += [_Line("blank"), _Line("columns", self._words["chains"])]
        start = len(self._lines)
        self.titles = start - 1
        for tree in trees:
            for twig in [tree, *_every(tree)]:
                for child in twig.order or ():
                    if twig is not tree and child.id is not None and twig.id is not None:
                        self._parents.setdefault(child.id, twig.id)
        for spot in self._pool.rows(trees):
            twig = spot.twig
            if twig.kind is RowKind.NAMESPACE:
                name = label(twig.note or "default", ascii=self._brush.ascii)
                text = self._say("chain", name=name.fit(_NAME, ascii=self._brush.ascii).plain)
                self._lines.append(_Line("section", text))
                continue
            if twig.kind is RowKind.FOLD:
                self._rows.setdefault(twig.id or 0, len(self._lines))
                self._lines.append(_Line("fold", spot=spot))
                continue
            entry = self._pool.of(twig)
            if entry.number is not None or entry.id not in self._rows:  # who lives has the place
                self._rows[entry.id] = len(self._lines)
            self._lines.append(_Line("chain", entry=entry, spot=spot))
        if len(self._lines) == start:
            self._lines.append(_Line("note", self._words["nothing"]))
        self.titled = range(start, len(self._lines))

    def _queue(self) -> None:
        queue = self._pool.queue
        if self._pool.veiled:
            queue.sort(key=lambda item: item.first)
        title = self._words["veiled" if self._pool.veiled else "queue order"]
        self._lines += [_Line("blank"), _Line("section", title)]
        x, items, begun = 0, list[tuple[int, Range | None]](), len(self._lines)
        for at, item in enumerate(queue):
            cells = cell_len(self._called(item))
            last = len(self._lines) - begun == _MOST_QUEUE - 1
            spare = _GAP + cell_len(self._rest(queue[at:])) if last and at + 1 < len(queue) else 0
            if items and x + cells + spare > self.width:
                if last:
                    items.append((x, None))
                    self._lines.append(_Line("queue", self._rest(queue[at:]), items=tuple(items)))
                    return
                self._lines.append(_Line("queue", items=tuple(items)))
                x, items = 0, []
            items.append((x, item))
            x += cells + _GAP
        self._lines.append(_Line("queue", items=tuple(items)))

    def _rest(self, queue: Sequence[Range]) -> str:
        return self._say("more", sign=self._brush.glyph(MORE), blocks=sum(item.blocks for item in queue))

    def _called(self, item: Range) -> str:
        """Returns how the queue names a block, or neighbours that hold nothing."""
        brush, entry = self._brush, item.entry
        if entry is None:
            to = f"-{item.last}" if item.last != item.first else ""
            return f"{brush.glyph(FREE)}{item.first}{to}"
        victim = brush.glyph(ATTRIBUTES[Attribute.NEXT_VICTIM]) if entry.victim else ""
        return f"{brush.glyph(STATES[entry.state])}{item.first}{victim}"

    # -- columns -------------------------------------------------------------------------------------------------------

    def _fitting(self) -> list[_Column]:
        words, pool = self._words, self._pool
        entries = pool.entries.values()
        refs = max((entry.refs for entry in entries), default=0)
        size = pool.blocks.block_size
        pending = any(entry.pending for entry in entries)
        hash_cells = max(SHORT, cell_len(words["no hash"]))
        columns = [
            _Column("refs", words["refs"], 1 + len(f"{refs:,}")),
            _Column("tok", words["tok"], 2 * len(f"{size:,}") + 1 + pending),
            _Column("hash", words["hash"], hash_cells),
        ]
        if self.width >= BEFORE_FROM:
            columns.append(_Column("before", words["before"], max(SHORT, cell_len(words["gone before"]))))
        if self.width >= PLACE_FROM and not pool.veiled:
            columns.append(_Column("place", words["place"], len(f"{len(pool.blocks.queue):,}")))
        if self.width >= BEFORE_FROM and not pool.veiled:
            columns.append(_Column("age", words["age"], len(f"{pool.snapshot.tick:,}")))
        columns = [column._replace(cells=max(column.cells, cell_len(column.title))) for column in columns]
        while columns and self.width - sum(column.cells + _GAP for column in columns) < _LEAST_BODY:
            columns.pop()
        return columns

    def _value(self, column: _Column, entry: Entry) -> tuple[str, Style]:
        brush = self._brush
        plain = brush.faint if entry.number is None else brush.text
        match column.name:
            case "refs":
                sign = brush.glyph(ATTRIBUTES[entry.attribute]).strip()
                return f"{sign}{entry.refs:,}" if entry.refs else sign, brush.stroke(entry.attribute)
            case "tok":
                pending = brush.glyph(PENDING) if entry.pending else ""
                return f"{pending}{entry.tokens:,}/{entry.size:,}", plain
            case "hash":
                return self._hash(entry), brush.faint if not entry.digest else plain
            case "before" if entry.number is not None:
                if entry.broken:
                    return self._words["gone before"], brush.faint
                return entry.parent.hex()[:SHORT], brush.faint
            case "place" if entry.place is not None:
                return f"{entry.place + 1:,}", brush.faint
            case "age" if entry.last is not None:
                return f"{max(0, self._pool.snapshot.tick - entry.last):,}", brush.faint
        return "", plain

    def _hash(self, entry: Entry) -> str:
        if entry.number is None:
            return ""
        return entry.digest.hex()[:SHORT] if entry.digest else self._words["no hash"]

    def _right(self, entry: Entry) -> list[Run]:
        runs: list[Run] = []
        x = self._room
        for column in self._columns:
            text, style = self._value(column, entry)
            left = column.name in ("refs", "hash", "before")
            start = x + _GAP + (0 if left else max(0, column.cells - cell_len(text)))
            runs += [Run(start, text, style)] if text else []
            x += _GAP + column.cells
        return runs

    # -- painting ------------------------------------------------------------------------------------------------------

    def line(self, y: int) -> Text:
        """Paints one line."""
        line, brush = self._lines[y], self._brush
        match line.kind:
            case "title":
                return self._cut([Run(0, line.text, brush.bold)])
            case "used" | "retained":
                return self._gauge(line)
            case "note":
                return self._cut([Run(0, line.text, brush.faint)])
            case "section" | "columns":
                return self._section(line)
            case "queue":
                return self._cut(list(self._queue_runs(line)))
            case "chain" | "fold" if line.spot is not None:
                return self._chain(line, line.spot)
            case "table":
                return self._table_row(line)
        return Text(end="")

    def _cut(self, runs: list[Run]) -> Text:
        text = line_of(runs)
        if text.cell_len > self.width:
            text.truncate(self.width, overflow="crop")
        return text

    def _gauge(self, line: _Line) -> Text:
        brush, (amount, total) = self._brush, line.share
        words = [self._words["used"], self._words["retained"]]
        indent = max(map(cell_len, words)) + _GAP
        share = round(100 * amount / total) if total else 0
        said = self._say("of", blocks=amount, total=total, share=share)
        widest = cell_len(self._say("of", blocks=total, total=total, share=100))
        cells = min(_MOST_GAUGE, max(4, self.width - indent - _GAP - widest))
        full = min(cells, max(round(cells * amount / total), 1)) if total and amount else 0
        of = Attribute.LOCKED if line.kind == "used" else State.RESIDENT
        dark, light = ("#", ".") if brush.ascii else ("█" if line.kind == "used" else "▓", "░")
        dark = "=" if brush.ascii and line.kind == "retained" else dark
        return self._cut(
            [
                Run(0, self._words[line.kind], brush.text),
                Run(indent, dark * full, brush.stroke(of)),
                Run(indent + full, light * (cells - full), brush.faint),
                Run(indent + cells + _GAP, said, brush.text),
            ]
        )

    def _section(self, line: _Line) -> Text:
        brush, dash = self._brush, "-" if self._brush.ascii else "─"
        titles = self._columns if line.kind == "columns" else []
        end = self._room if titles else self.width
        name = label(line.text, ascii=brush.ascii).fit(max(0, end - 4), ascii=brush.ascii)
        x = 4 + name.cells
        runs = [Run(0, f"{dash * 2} ", brush.line), *label_runs(3, name, brush.bold, brush.bold)]
        runs += [Run(x, dash * (end - x), brush.line)] if x < end else []
        x = end
        for column in titles:
            left = column.name in ("refs", "hash", "before")
            start = x + _GAP + (0 if left else column.cells - cell_len(column.title))
            runs.append(Run(start, column.title, brush.faint))
            x += _GAP + column.cells
        return self._cut(runs)

    def _queue_runs(self, line: _Line) -> list[Run]:
        runs: list[Run] = []
        brush = self._brush
        for x, item in line.items:
            if item is None:
                runs.append(Run(x, line.text, brush.faint))
                continue
            text = self._called(item)
            if item.entry is None:
                runs.append(Run(x, text, brush.faint))
            else:
                sign = brush.glyph(STATES[item.entry.state])
                victim = len(text) - len(sign) - len(str(item.first))
                style = brush.stroke(item.entry.state)
                runs.append(Run(x, text[: len(text) - victim], style + brush.bold if item.entry.victim else style))
                if victim:
                    at = x + cell_len(text[: len(text) - victim])
                    runs.append(Run(at, text[len(text) - victim :], brush.stroke(Attribute.NEXT_VICTIM)))
        return runs

    def _indent(self, lanes: int) -> int:
        """Returns where the sign of a row stands that has so many lanes to its left."""
        return 2 * min(lanes, max(1, (self._room - _LEAST_BODY) // 2))

    def _chain(self, line: _Line, spot: Spot) -> Text:
        brush, twig = self._brush, spot.twig
        lanes = ASCII_LANES if brush.ascii else LANES
        runs: list[Run] = []
        indent = self._indent(len(spot.rail))
        shown = spot.rail
        if 2 * len(shown) > indent:
            shown = shown[len(shown) - indent // 2 + 1 :]
            runs.append(Run(0, ".." if brush.ascii else "⋯ ", brush.line))
        x = indent - 2 * len(shown)
        for lane in shown:
            stem, arm = lanes[lane]
            runs += [Run(x, stem, brush.line), Run(x + 1, arm, brush.stroke(twig.state))]
            x += 2
        if line.kind == "fold":
            words = label(f"{brush.glyph(MORE)} {self._count(twig.nodes)}", ascii=brush.ascii)
            more = words.fit(max(0, self._room - x), ascii=brush.ascii)
            return self._cut([*runs, *label_runs(x, more, brush.faint, brush.faint)])
        assert line.entry is not None
        return self._cut([*runs, *self._body(line.entry, x), *self._right(line.entry)])

    def _table_row(self, line: _Line) -> Text:
        if line.entry is None:  # a file that names a block it does not tell of
            return self._cut([Run(0, line.text, self._brush.faint)])
        return self._cut([*self._body(line.entry, 0), *self._right(line.entry)])

    def _body(self, entry: Entry, x: int) -> list[Run]:
        """Paints sign, number and text."""
        brush = self._brush
        style, gone = brush.stroke(entry.state), entry.number is None
        runs = [Run(x, brush.glyph(STATES[entry.state]), style + brush.bold)]
        x += 2
        number = "" if gone else f"{entry.number:>{self._digits}}"
        letter = self._letters.get(entry.id, "")
        for name in (letter, number):
            if name and x + cell_len(name) + 1 < self._room:
                runs.append(Run(x, name, style + brush.bold))
                x += cell_len(name) + 1
        if entry.broken or entry.loose:  # no hash leads here
            sign = "~" if brush.ascii else "┄"
            runs.append(Run(x, sign, brush.faint))
            x += 2
        text = self._text(entry, self._room - x)
        struck = style + brush.strike if gone else style
        return [*runs, *label_runs(x, text, struck, brush.faint + brush.strike if gone else brush.faint)]

    def _text(self, entry: Entry, room: int) -> Label:
        if room < 1:
            return Label(())
        if not entry.key:
            note = self._words["empty"] if entry.number is not None else ""
            return Label((Span(note, Kind.CUT),)).fit(room, ascii=self._brush.ascii)
        return self._labels.fit(entry.key, room)


def _every(tree: Twig) -> list[Twig]:
    """Returns all twigs that are drawn below one, parents first."""
    found: list[Twig] = list(tree.order or ())
    for twig in found:  # which grows meanwhile
        found.extend(twig.order or ())
    return found
