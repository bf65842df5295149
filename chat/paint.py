"""Trees on a terminal and as JSON: the same rows of the rail outline for the plain chat and for replays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from ..radix.recording import Pieces
from ..viz import Labels, changed_rows, legend, memory_line, rail_rows, tree_text
from .chat import Tree
from .terminal import Terminal

ROWS = 12
"""The most rows after a turn; /tree prints all."""


def tree_lines(tree: Tree, pieces: Pieces, bytes_per_token: int, terminal: Terminal) -> Iterator[Text]:
    """Yields what to print: the rows that changed, or the whole tree with its legend and the memory gauge."""
    style: dict[str, Any] = {
        "width": terminal.width, "palette": terminal.palette, "ascii": terminal.ascii, "colour": terminal.colour
    }  # fmt: skip
    memory = bytes_per_token or None
    if tree.changed:
        rows = changed_rows(tree.snapshot, limit=ROWS, bytes_per_token=memory, also=tree.also)
        if rows:
            yield tree_text(rows, pieces, **style)
        return
    rows = rail_rows(tree.snapshot, bytes_per_token=memory)
    yield tree_text(rows, pieces, heading="the tree" if rows else "the tree is empty", **style)
    if rows:
        yield legend(**style)
    yield memory_line(tree.snapshot, bytes_per_token=memory, **style)


def tree_json(tree: Tree, pieces: Pieces, bytes_per_token: int) -> dict[str, Any]:
    """Returns a tree for programs: its nodes, parents first, and the pool."""
    snapshot, labels = tree.snapshot, Labels(pieces, pills=False)
    parents = {child.id: node.id for node in snapshot.nodes() for child in node.children}
    return {
        "event": "tree",
        "step": snapshot.step,
        "nodes": [
            {
                "id": node.id,
                "parent": parents.get(node.id, 0),
                "state": snapshot.state(node).value,
                "tokens": node.size,
                "bytes": node.size * bytes_per_token,
                "locks": node.locks,
                "text": labels.whole(node.key).plain,
            }
            for node in snapshot.nodes()
        ],
        "evicted": [{"id": stone.node, "parent": stone.parent, "why": stone.why} for stone in snapshot.tombstones],
        "free": snapshot.free,
        "protected": snapshot.protected,
        "evictable": snapshot.evictable,
        "capacity": snapshot.capacity,
    }
