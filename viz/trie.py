"""The prefix tree with one node a token: what a radix tree would be without putting runs of tokens on one edge.

Drawn like the rail outline, so that the two can stand beside each other; and what sets two texts beside each other.
Knows token ids and bytes; no cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

from rich.text import Text

from ..radix.keys import as_key
from ..radix.snapshots import NodeView, Root, Snapshot
from .labels import Labels
from .picture import Look
from .plain import Needs, RowPainter, joined
from .rail import rail_rows


def trie_text(
    keys: Sequence[Sequence[int]], pieces: Mapping[int, bytes], *, width: int, look: Look, fold: int = 0
) -> Text:
    """Paints the prefix tree of some token sequences, one node and one line for each token.

    Args:
        keys: The sequences; equal beginnings share their nodes.
        pieces: The bytes of each token id.
        width: The most cells of a line.
        look: How to paint.
        fold: Shows chains of at least this many nodes with one child each in one line that counts them; 0: none.
    """
    rows = rail_rows(_snapshot(_grown(keys)), fold=fold)
    painter = RowPainter(
        Needs(), Labels.of(pieces, look), width=width, palette=look.palette, ascii=look.ascii, colour=look.colour,
        columns=False,
    )  # fmt: skip
    return joined([painter.row(row) for row in rows])


def trie_size(keys: Iterable[Sequence[int]]) -> int:
    """Returns how many nodes the prefix tree of some token sequences has, without its root."""
    return len(_grown(keys)) - 1


def beside(left: Text, right: Text, *, width: int, gap: int = 3) -> Text:
    """Sets two texts beside each other, line by line; where they are too wide, the wider one is cut first.

    Args:
        left: Any text.
        right: Any text.
        width: The most cells of a line.
        gap: Cells between them.
    """
    lines = [text.split("\n", allow_blank=True) for text in (left, right)]
    wide, other = (max((line.cell_len for line in side), default=0) for side in lines)
    room = max(0, width - gap)
    taken = min(wide, max(room // 2, room - other))
    rows = []
    for one, two in zip_longest(*lines, fillvalue=Text()):
        row, rest = one.copy(), two.copy()
        row.truncate(taken, overflow="crop", pad=True)
        rest.truncate(room - taken, overflow="crop")
        row.append(" " * gap).append_text(rest)
        row.truncate(max(0, width), overflow="crop")
        row.rstrip()
        rows.append(row)
    return joined(rows)


def _grown(keys: Iterable[Sequence[int]]) -> list[dict[int, int]]:
    """Returns the number of the child for each token below each node; node 0 is the root, children come after."""
    nodes: list[dict[int, int]] = [{}]
    for key in keys:
        at = 0
        for token in key:
            below = nodes[at].setdefault(int(token), len(nodes))
            if below == len(nodes):
                nodes.append({})
            at = below
    return nodes


def _snapshot(nodes: Sequence[Mapping[int, int]]) -> Snapshot:
    """Returns a state in which nothing happened to any of these nodes."""
    tokens = {child: token for below in nodes for token, child in below.items()}
    views: dict[int, NodeView] = {}
    for number in range(len(nodes) - 1, -1, -1):
        key = as_key([tokens[number]]) if number else b""
        children = tuple([views[child] for child in nodes[number].values()])
        views[number] = NodeView(id=number, key=key, slots=b"", rank=number, children=children)
    size = len(nodes) - 1
    return Snapshot(1, 1, size, 1, 0, size, 0, None, (Root("", views[0]),), ())
