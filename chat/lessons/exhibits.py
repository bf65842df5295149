"""What a step shows beside the tree: bars of what caches cost, the prefix tree of the same keys, the price in bytes.

Knows runs and what `viz` draws; no screen and no state of a player. Texts are English and Chinese; where only ASCII can
be printed they are English.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from ...radix import Snapshot
from ...radix.keys import Key, as_key, common_prefix, count
from ...viz import Labels, Look, RowPainter, label, memory_text, rail_rows
from ...viz.bars import Bar, bars
from ...viz.plain import Needs, joined, wrapped
from ...viz.trie import beside, trie_size, trie_text

if TYPE_CHECKING:
    from .runs import Done, Run, Sums

_LONG: Final = 24  # nodes of a prefix tree from which on its chains are folded
_CHAIN: Final = 6  # nodes of a chain that is folded
_PAIR: Final = 64  # cells from which on two trees stand beside each other
_GAP: Final = 3  # cells between them

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "step": ("this step, in tokens", "这一步（token 数）"),
    "so far": ("all steps so far, in tokens", "到目前为止（token 数）"),
    "radix": ("radix tree", "基数树"),
    "drawn": ("{name}, as drawn", "{name}（图中）"),
    "page": ("page size {n}", "页大小 {n}"),
    "trie": ("prefix tree: {n}", "前缀树：{n}"),
    "tree": ("radix tree: {n}", "基数树：{n}"),
    "node": ("{n:,} node", "{n:,} 个节点"),
    "nodes": ("{n:,} nodes", "{n:,} 个节点"),
    "price": ("K and V of a token: {bytes} bytes", "每个 token 的 K 和 V：{bytes} 字节"),
    "formula": (
        "= {layers} layers {times} 2 (K and V) {times} {heads} KV heads {times} {dim} numbers {times} {size} bytes",
        "= {layers} 层 × 2（K 和 V）× {heads} 个 KV 头 × {dim} 个数 × {size} 字节",
    ),
    "resident": ("resident", "驻留"),
    "unshared": ("without sharing", "不共享时"),
    "saved": ("saved by sharing", "共享节省"),
    "evicted": ("evicted so far", "已驱逐"),
    "again": ("computed again", "重复计算"),
    "tokens": ("{n:,} tok", "{n:,} token"),
}  # fmt: skip


class Price(NamedTuple):
    """What a run holds and lost, in tokens."""

    resident: int
    unshared: int  # what would be resident if every sequence of the tree, root to leaf, were kept on its own
    evicted: int  # by all steps so far
    again: int  # of prompts, by all steps so far: computed before, evicted, and computed another time


def exhibit(run: Run, number: int, lang: str, *, width: int, look: Look, short: bool = False) -> Text:
    """Returns what a step (1 is the first) shows, one exhibit below the other; empty where it shows nothing.

    Args:
        run: The lesson's run, at least up to the step.
        number: Of the step, from 1.
        lang: "zh" for Chinese, English else.
        width: The most cells of a line; 40 is enough.
        look: Palette, ASCII, colour; the run's abridgements are added.
        short: Whether bars are those of this step alone.
    """
    words = _Words("en" if look.ascii else lang)
    drawn = {**_EXHIBITS, "bars": _bars_of_step} if short else _EXHIBITS
    shown = [drawn[name](run, number, words, width, look) for name in run.steps[number - 1].step.show]
    return joined([line for text in shown for line in (*text.split("\n", allow_blank=True), Text())][:-1])


def price_of(run: Run, number: int) -> Price:
    """Returns what the cache holds after a step, and what all steps up to it lost."""
    panel = run.panel(number)
    return Price(panel.resident, _unshared(panel), run.sums(number).evicted, _again(run, number))


class _Words:
    """The texts of one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._place = int(lang == "zh")

    def __call__(self, key: str, **facts: object) -> str:
        return _WORDS[key][self._place].format(**facts)

    def nodes(self, n: int) -> str:
        """Returns a number of nodes."""
        return self("node" if n == 1 else "nodes", n=n)


def _bars_of_step(run: Run, number: int, words: _Words, width: int, look: Look) -> Text:
    """Sets the radix cache beside the arms in this step; over all steps so far where it has no requests."""
    return _bars(run, number, words, width, look, short=True)


def _bars(run: Run, number: int, words: _Words, width: int, look: Look, *, short: bool = False) -> Text:
    """Sets the radix cache beside the arms: in this step, where it has requests, and over all steps so far."""
    step = run.steps[number - 1]
    arms = [arm.name.text(words.lang) for arm in run.lesson.arms]
    names = [_own_name(run, words, arms), *arms]
    of_step = [step.sums, *(sums for _, sums, _ in step.arms)]
    so_far = [run.sums(number), *(total for _, _, total in step.arms)]
    groups = [("step", of_step)] if step.done and number > 1 else []
    lines = []
    for title, sums in groups if short and groups else [*groups, ("so far", so_far)]:
        rows = [_bar(name, one) for name, one in zip(names, sums, strict=True)]
        lines += [_heading(words(title), width, look), bars(rows, width=width, look=look, lang=words.lang)]
    return joined(lines)


def _bar(name: str, sums: Sums) -> Bar:
    return Bar(name, (("reused", sums.reused), ("prefilled", sums.prefilled), ("generated", sums.generated)))


def _own_name(run: Run, words: _Words, arms: list[str]) -> str:
    """Names the cache that is drawn by what sets it apart from the arms; a what-if may make it like one of them."""
    name = _setting(run, words)
    return words("drawn", name=name) if name in arms else name


def _setting(run: Run, words: _Words) -> str:
    if run.config.preset:
        return run.config.preset
    others = [arm for arm in run.lesson.arms if arm.cache == "radix"]
    if any(arm.policy is not None for arm in others):
        return str(run.config.policy).upper()
    if any(arm.page_size is not None for arm in others):
        return words("page", n=run.config.page_size)
    return words("radix")


def _trie(run: Run, number: int, words: _Words, width: int, look: Look) -> Text:
    """Sets the prefix tree of all that was said so far beside the radix tree, or above it where there is no room."""
    keys = [key.tolist() for step in run.steps[:number] for key in step.keys]
    pieces, size = run.recording.pieces, trie_size(keys)
    room = (width - _GAP) // 2 if width >= _PAIR else width
    look = Look(look.palette, look.ascii, look.colour, look.pills, run.abridged)
    left = trie_text(keys, pieces, width=room, look=look, fold=_CHAIN if size > _LONG else 0)
    panel = run.panel(number)
    painter = RowPainter(
        Needs(), Labels.of(pieces, look), width=room, palette=look.palette, ascii=look.ascii, colour=look.colour,
        columns=False,
    )  # fmt: skip
    right = joined([painter.row(row) for row in rail_rows(panel)])
    held = sum(1 for _ in panel.nodes())
    left = joined([_heading(words("trie", n=words.nodes(size)), room, look), left])
    right = joined([_heading(words("tree", n=words.nodes(held)), room, look), right])
    return beside(left, right, width=width, gap=_GAP) if width >= _PAIR else joined([left, Text(), right])


def _price(run: Run, number: int, words: _Words, width: int, look: Look) -> Text:
    """Lists what is resident, what sharing saves and what evictions cost, in tokens and bytes."""
    price, size = price_of(run, number), run.bytes_per_token
    rows = [
        ("resident", price.resident),
        ("unshared", price.unshared),
        ("saved", price.unshared - price.resident),
        ("evicted", price.evicted),
        ("again", price.again),
    ]
    names = [Text(words(name)) for name, _ in rows]
    amounts = [Text(words("tokens", n=tokens)) for _, tokens in rows]
    memory = [Text(memory_text(tokens * size) if size else "") for _, tokens in rows]
    lines = _formula(run, words, width, look)
    for line in zip(_column(names, left=True), _column(amounts), _column(memory), strict=True):
        row = Text("  ").join(line)
        row.truncate(width)
        row.rstrip()
        lines.append(row)
    return joined(lines)


def _formula(run: Run, words: _Words, width: int, look: Look) -> list[Text]:
    """Says how many bytes a token takes, and why where the lesson gives the shape of the model."""
    if not run.bytes_per_token:
        return []
    shape = run.lesson.shape if run.model == "words" else None
    name = label(shape.name if shape is not None else run.model, ascii=True).plain
    lines = wrapped([Text(words("price", bytes=f"{run.bytes_per_token:,}")), Text(f"({name})")], width)
    if shape is None:
        return lines
    times = "x" if look.ascii else "×"
    facts = {"layers": shape.layers, "heads": shape.kv_heads, "dim": shape.head_dim, "size": shape.dtype_bytes}
    first, *others = words("formula", times=times, **facts).split(f"{times} ")
    factors = [first.strip(), *(f"{times} {other.strip()}" for other in others)]
    return [*lines, *_filled(factors, width)]


def _filled(parts: Iterable[str], width: int) -> list[Text]:
    """Puts parts into lines, as many as fit; what goes on in another line is indented."""
    lines: list[Text] = []
    for part in parts:
        if lines and lines[-1].cell_len + 1 + cell_len(part) <= width:
            lines[-1].append(f" {part}")
        else:
            lines.append(Text(f"  {part}" if lines else part))
    return lines


def _column(cells: list[Text], left: bool = False) -> Iterable[Text]:
    """Pads texts to the widest."""
    wide = max(cell.cell_len for cell in cells)
    for cell in cells:
        pad = Text(" " * (wide - cell.cell_len))
        yield cell + pad if left else pad + cell


def _unshared(panel: Snapshot) -> int:
    """Sums the tokens from root to leaf over all leaves."""
    total = 0
    above = [(root.node, 0) for root in panel.roots]
    while above:
        node, before = above.pop()
        held = before + count(node.key)
        total += 0 if node.children else held
        above.extend((child, held) for child in node.children)
    return total


def _again(run: Run, number: int) -> int:
    """Counts the prompt tokens that some earlier step had computed already and that no longer were in the tree."""
    total = 0
    for place, step in enumerate(run.steps[:number]):
        past = [as_key(key) for earlier in run.steps[:place] for key in earlier.keys]
        total += sum(_lost(one, past) for one in step.done)
    return total


def _lost(one: Done, past: Iterable[Key]) -> int:
    prompt = as_key(one.prompt)
    known = max((common_prefix(key, prompt) for key in past), default=0)
    lost: int = max(0, known - one.facts.matched_tokens)
    return lost


def _heading(text: str, width: int, look: Look) -> Text:
    line = Text(text, Style(bold=True) if look.colour else "")
    line.truncate(width)
    return line


_EXHIBITS: Final[dict[str, Callable[[Run, int, _Words, int, Look], Text]]] = {
    "bars": _bars,
    "trie": _trie,
    "price": _price,
}
