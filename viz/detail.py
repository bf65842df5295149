"""One node in full, and the pool at a glance.

Everything a snapshot knows about a node, its whole text, and which conversations run through it; the gauge of the pool,
with what the same conversations would take without sharing. Texts are wrapped here, to cells, so that no line is wider
than asked. Knows snapshots and token ids; no widget and no terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from ..radix.keys import TOKEN_BYTES, Int32Array, Key, as_array, common_prefix, count
from ..radix.snapshots import NodeView, Snapshot, State, Tombstone
from .block_facts import block_facts
from .cells import Brush
from .labels import Kind, Labels, label, lettered
from .picture import Look
from .plain import memory_line, memory_text
from .pool import Entry, Pool
from .sentences import PICTURES, spoken
from .states import ATTRIBUTES, STATES, UNCACHED, Attribute
from .story import why_gone
from .veil import HIDDEN

_NAMES = 16  # cells of the column that names the facts
_NAMES_FROM = 40  # cells from which on there is room for it
_RUNS = 8  # runs of slots that are named
_CHILDREN = 12  # children that are named
_NAME = 40  # cells of a conversation's name


def detail(
    snapshot: Snapshot,
    node_id: int,
    pieces: Mapping[int, bytes],
    *,
    width: int,
    look: Look,
    bytes_per_token: int | None = None,
    ids: bool = False,
    conversations: Mapping[str, Int32Array] | None = None,
    letters: Mapping[int, str] | None = None,
    veiled: bool = False,
) -> Text:
    """Says everything about a node, or about a tombstone.

    Args:
        snapshot: The moment.
        node_id: A node of this moment, a node evicted in its step, or any other number: then that is said.
        pieces: The bytes of each token id.
        width: The most cells of a line.
        look: Palette, ASCII, colour, and whether chat-template tokens are folded.
        bytes_per_token: Memory of one token across all layers; None or 0 when there is no model.
        ids: Whether token ids are listed.
        conversations: Token ids of each conversation, by name; those that begin with the node's path are named.
        letters: What the picture beside it calls nodes, by id.
        veiled: Whether its use, and whether it could go, are left out, because a question is open.
    """
    sheet = _Sheet(pieces, width, look, lettered(letters, ascii=look.ascii), veiled)
    pool = None if snapshot.blocks is None else Pool(snapshot, veiled=veiled)
    block = None if pool is None else pool.find(node_id)
    path = snapshot.path(block.id if block is not None else node_id)
    stones = [stone for stone in snapshot.tombstones if stone.node == node_id]
    if path:
        _of_node(sheet, snapshot, path, bytes_per_token, stones, pool)
        key: Key = path[-1].key
    elif pool is not None and block is not None and block.number is not None:
        sheet.title(block.id, block.state, STATES[block.state].word, f"block {block.number}")
        _of_block(sheet, pool, block)
        if block.last is not None and not veiled:
            sheet.fact("last use", f"request {block.last:,}, {_ago(snapshot.tick - block.last)}")
        key = block.key
    elif stones:
        key = _of_tombstones(sheet, stones, bytes_per_token)
    else:
        name = f"block {-1 - node_id}" if node_id < 0 else ""
        sheet.title(
            node_id, None, "holds nothing at this moment" if name else "is not in the tree at this moment", name
        )
        return sheet.close()
    sheet.text(key)
    if ids:
        sheet.ids(key)
    if path:
        sheet.blank()
        _history_of_node(sheet, snapshot, path, conversations or {})
    return sheet.close()


def unshared(snapshot: Snapshot) -> int:
    """Returns the tokens that the same leaves would take without sharing: the lengths of all ways down to a leaf."""
    total = 0
    stack = [(root.node, 0) for root in snapshot.roots]
    pop, push = stack.pop, stack.append
    while stack:
        above, depth = pop()
        for node in above.children:
            end = depth + len(node.key)
            if node.children:
                push((node, end))
            else:
                total += end
    return total // TOKEN_BYTES


def gauge(
    snapshot: Snapshot, *, width: int, look: Look, bytes_per_token: int | None = None, veiled: bool = False
) -> Text:
    """Paints the pool: `viz.memory_line`, and what sharing saves.

    Bytes are left out where the gauge would take more than two lines with them, and the last line while nothing is in
    the tree.
    """
    for size in (bytes_per_token or None, None):
        lines = memory_line(
            snapshot,
            width=width,
            bytes_per_token=size,
            palette=look.palette,
            ascii=look.ascii,
            colour=look.colour,
            veiled=veiled,
            lang=look.lang,
        )
        if lines.plain.count("\n") < 2:
            break
    saved = sharing(snapshot, bytes_per_token, ascii=look.ascii, lang=look.lang)
    if saved:
        lines.append("\n")
        lines.append_text(Text("\n").join(wrap(Text(saved, Brush(look).faint), width)))
    return lines


def sharing(snapshot: Snapshot, bytes_per_token: int | None = None, *, ascii: bool = False, lang: str = "en") -> str:
    """Says what the same leaves would take without sharing; nothing while the tree is empty."""
    if not snapshot.resident:
        return ""
    apart = unshared(snapshot)
    size = f" ({memory_text(apart * bytes_per_token)})" if bytes_per_token else ""
    times = "x" if ascii else "×"
    sentence = PICTURES[spoken(lang, ascii=ascii)]["sharing"]
    return sentence.format(apart=apart, size=size, times=times, factor=apart / snapshot.resident)


# -- the facts ---------------------------------------------------------------------------------------------------------


def _of_node(
    sheet: _Sheet,
    snapshot: Snapshot,
    path: tuple[NodeView, ...],
    bytes_per_token: int | None,
    stones: list[Tombstone],
    pool: Pool | None,
) -> None:
    """Says what stands before the text, for it may be long: what the node is, how large, and what holds it."""
    node = path[-1]
    state = snapshot.state(node)
    sheet.title(node.id, state, f"{STATES[state].word}{_walked(snapshot, node)}")
    block = None if pool is None else pool.find(node.id)
    start = sum(above.size for above in path[:-1])
    if block is not None and block.depth:  # what was before it may be gone
        start = (block.depth - 1) * block.size
    sheet.fact("tokens", f"{node.size:,}, positions {start + 1:,} to {start + node.size:,}")
    if bytes_per_token:
        sheet.fact("memory", memory_text(node.size * bytes_per_token))
    if pool is not None and block is not None:
        _of_block(sheet, pool, block)
    else:
        sheet.fact("locks", _locks(sheet, snapshot, node))
    for stone in stones:
        gone = why_gone(stone.why, ascii=sheet.ascii)
        sheet.fact("trimmed", f"{count(stone.key):,} tok off its end in this step, {gone}")


def _of_block(sheet: _Sheet, pool: Pool, block: Entry) -> None:
    victim = ATTRIBUTES[Attribute.NEXT_VICTIM]
    locked = sheet.brush.glyph(ATTRIBUTES[Attribute.LOCKED])
    for name, value in block_facts(pool, block, locked, f"{sheet.brush.glyph(victim)} {victim.word}"):
        sheet.fact(name, value)


def _history_of_node(
    sheet: _Sheet, snapshot: Snapshot, path: tuple[NodeView, ...], conversations: Mapping[str, Int32Array]
) -> None:
    node = path[-1]
    start = sum(above.size for above in path[:-1])
    if sheet.veiled:
        sheet.fact("use", HIDDEN)
    else:
        _use_of_node(sheet, snapshot, node)
    sheet.fact("slots", slot_runs(as_array(node.slots)))
    sheet.fact("parent", f"#{path[-2].id}" if len(path) > 1 else "the root")
    sheet.fact("children", _named([child.id for child in node.children]))
    if node.uncached:
        sheet.key_fact(UNCACHED.word, node.uncached)
    through = list(_through(path, start, conversations))
    if through:
        names = [f"{sheet.name(name)}{where}" for name, where in through]
        sheet.fact("conversations" if len(names) > 1 else "conversation", ", ".join(names))


def _use_of_node(sheet: _Sheet, snapshot: Snapshot, node: NodeView) -> None:
    sheet.fact("last use", f"request {node.last:,}, {_ago(snapshot.tick - node.last)}")
    sheet.fact("created", f"request {node.created:,}, {_ago(snapshot.tick - node.created)}")
    sheet.fact("hits", f"{node.hits:,}")
    if node.priority:
        sheet.fact("priority", f"{node.priority:,}")


def _of_tombstones(sheet: _Sheet, stones: list[Tombstone], bytes_per_token: int | None) -> Key:
    """Describes a node that is gone; its end may have gone first, with a tombstone of its own."""
    last = stones[-1]
    key = last.key + b"".join(stone.key for stone in reversed(stones[:-1]))
    sheet.title(last.node, State.EVICTED, f"evicted in this step, {why_gone(last.why, ascii=sheet.ascii)}")
    sheet.fact("tokens", f"{count(key):,}")
    if bytes_per_token:
        sheet.fact("memory", f"{memory_text(count(key) * bytes_per_token)} given back")
    sheet.fact("parent", f"#{last.parent}" if last.parent else "the root")
    return key


def _walked(snapshot: Snapshot, node: NodeView) -> str:
    """Says how much of a node the step walked when it was not all."""
    if node.new_in == snapshot.step or node.used_in == snapshot.step or node.part_in != snapshot.step:
        return ""
    return f", {node.part_to:,} of {node.size:,} tok"


def _locks(sheet: _Sheet, snapshot: Snapshot, node: NodeView) -> str:
    if node.locks:
        holders = "1 holder" if node.locks == 1 else f"{node.locks:,} holders"
        return f"{sheet.brush.glyph(ATTRIBUTES[Attribute.LOCKED])}{node.locks:,}, {holders}"
    if sheet.veiled:
        return "none"
    if node.id == snapshot.next_victim:
        victim = ATTRIBUTES[Attribute.NEXT_VICTIM]
        return f"none: {sheet.brush.glyph(victim)} {victim.word}, would go if space were needed now"
    return "none: goes only after its children" if node.children else "none: evictable"


def _ago(ticks: int) -> str:
    if ticks <= 0:
        return "the newest"
    return "1 request ago" if ticks == 1 else f"{ticks:,} requests ago"


def slot_runs(slots: Int32Array) -> str:
    """Names slots by runs of neighbours: ``12-30, 44``."""
    if not slots.size:
        return "none"
    breaks = np.flatnonzero(np.diff(slots) != 1) + 1
    starts = slots[np.concatenate(([0], breaks))].tolist()
    ends = slots[np.concatenate((breaks - 1, [slots.size - 1]))].tolist()
    runs = [f"{start}-{end}" if end > start else f"{start}" for start, end in zip(starts, ends, strict=True)]
    return _listed(runs, _RUNS, "runs")


def _named(nodes: list[int]) -> str:
    return _listed([f"#{node}" for node in nodes], _CHILDREN, "") if nodes else "none: a leaf"


def _listed(items: list[str], most: int, of: str) -> str:
    more = f" and {len(items) - most:,} more {of}".rstrip() if len(items) > most else ""
    return ", ".join(items[:most]) + more


def _through(
    path: tuple[NodeView, ...], start: int, conversations: Mapping[str, Int32Array]
) -> Iterable[tuple[str, str]]:
    """Yields the conversations that run through a node, and where they end when they end inside it."""
    whole = b"".join(node.key for node in path)
    for name, tokens in conversations.items():
        reach = min(len(tokens), count(whole))
        if reach <= start or common_prefix(tokens[:reach].astype(np.int32, copy=False).tobytes(), whole) < reach:
            continue
        yield name, "" if reach == count(whole) else f" (to token {reach - start:,} of it)"


# -- the sheet ---------------------------------------------------------------------------------------------------------


class _Sheet:
    """Lines of at most `width` cells: a title, named facts, and running text."""

    def __init__(
        self, pieces: Mapping[int, bytes], width: int, look: Look, letters: Mapping[int, str], veiled: bool
    ) -> None:
        self.veiled = veiled
        self._letters = letters
        self.ascii = look.ascii  # for names and reasons
        self._width = max(width, 1)
        self.brush = Brush(look)
        self._labels = Labels.of(pieces, replace(look, abridged=()))  # all is told here
        self._lines: list[Text] = []

    def name(self, text: str) -> str:
        """Returns a name that came from a person or a file."""
        return label(text, ascii=self.ascii).fit(_NAME, ascii=self.ascii).plain

    def title(self, node: int, state: State | None, words: str, name: str = "") -> None:
        letter = self._letters.get(node)
        name = name or f"#{node}"
        line = Text(f"{name}, letter {letter} " if letter else f"{name} ", self.brush.bold)
        if state is not None:
            line.append(f"{self.brush.glyph(STATES[state])} ", self.brush.stroke(state))
        line.append(words, self.brush.stroke(state) if state is not None else self.brush.text)
        self._lines += wrap(line, self._width)

    def blank(self) -> None:
        """Leaves a line free."""
        self._lines.append(Text())

    def fact(self, name: str, value: str) -> None:
        self._fact(name, Text(value))

    def key_fact(self, name: str, key: Key) -> None:
        self._fact(name, self._spelled(key))

    def text(self, key: Key) -> None:
        """Appends the whole text of a key."""
        self._lines += [Text(), *wrap(self._spelled(key), self._width)]

    def ids(self, key: Key) -> None:
        """Appends the token ids of a key."""
        numbers = Text(" ".join(map(str, as_array(key).tolist())), self.brush.faint)
        self._lines += [Text(), *wrap(numbers, self._width)]

    def close(self) -> Text:
        return Text("\n", no_wrap=True, overflow="ignore").join(self._lines)

    def _fact(self, name: str, value: Text) -> None:
        indent = _NAMES if self._width >= _NAMES_FROM else 0
        if not indent:
            self._lines += wrap(Text.assemble((f"{name} ", self.brush.faint), value), self._width)
            return
        first, *rest = wrap(value, self._width - indent)
        self._lines.append(Text.assemble((f"{name:<{indent}}", self.brush.faint), first))
        self._lines += [Text.assemble(" " * indent, line) for line in rest]

    def _spelled(self, key: Key) -> Text:
        """Returns the text of a key, a new line after each newline's mark."""
        text = Text()
        for span in self._labels.whole(key).spans:
            text.append(span.text, self.brush.text if span.kind is Kind.TEXT else self.brush.faint)
            if span.kind is Kind.MARK and span.text in _NEWLINES:
                text.append("\n")
        return text


_NEWLINES: Final = ("⏎", "\\n")


def wrap(text: Text, width: int) -> list[Text]:
    """Breaks a text into lines of at most `width` cells: at its newlines, at spaces, and anywhere if it must.

    Nothing is lost but the newlines; a character wider than the width stands alone. At least one line is returned.
    """
    lines: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        lines += line.divide(_breaks(line.plain, width))
    return lines or [Text()]


def _breaks(line: str, width: int) -> list[int]:
    """Returns where a line without newlines is broken."""
    if len(line) <= width and line.isascii():
        return []
    breaks: list[int] = []
    start, space, cells = 0, 0, 0  # of the current line: its start, the place after its last space, its cells
    at = 0
    while at < len(line):
        char = line[at]
        size = 1 if char < "\x7f" else cell_len(char)
        if cells + size > width and at > start:
            start = space if space > start else at
            breaks.append(start)
            cells, at, space = 0, start, start
            continue
        cells += size
        at += 1
        if char == " ":
            space = at
    return breaks
