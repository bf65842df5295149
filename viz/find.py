"""Finds text in a tree, wherever edges cut it. Knows no picture."""

from __future__ import annotations

from collections.abc import Mapping

from ..radix.keys import as_array
from ..radix.snapshots import Snapshot


def hits(snapshot: Snapshot, pieces: Mapping[int, bytes], text: str) -> list[int]:
    """Returns the ids of the nodes in which an occurrence of a text ends, parents first, siblings in order.

    Upper and lower case are the same. ``#14`` finds the node with this id, too.
    """
    wanted = text.casefold()
    if not wanted:
        return []
    reach = len(wanted) - 1  # of what stands above an edge, so much may belong to an occurrence that ends in it
    found = []
    for root in snapshot.roots:
        stack = [(child, "") for child in reversed(root.node.children)]
        while stack:
            node, above = stack.pop()
            edge = b"".join([pieces.get(token, b"") for token in as_array(node.key).tolist()])
            seen = above + edge.decode(errors="replace").casefold()
            if wanted in seen or wanted == f"#{node.id}":
                found.append(node.id)
            below = seen[-reach:] if reach else ""
            stack.extend((child, below) for child in reversed(node.children))
    return found
