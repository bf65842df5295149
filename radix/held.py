"""What a `RadixCache` keeps with a lease: where it stands in the tree, and what it has in flight. Decides nothing."""

from __future__ import annotations

import numpy as np

from .keys import Int32Array, Key, as_array, cut
from .leases import Lease
from .state import Node

NO_SLOTS: Int32Array = np.empty(0, dtype=np.int32)


class Held:
    """What a `RadixCache` keeps with a lease."""

    __slots__ = ("depth", "found", "node", "pending", "priority", "root", "spare", "tick", "tip")

    def __init__(self, root: Node, node: Node, found: int, depth: int, tick: int, priority: int) -> None:
        self.root = root  # the hidden root of its namespace
        self.node = node  # the node whose path is locked for it
        self.found = found  # tokens matched when it began; more than depth when some are computed again
        self.depth = depth  # positions [0, depth) of the lease are in the tree, on that path
        self.tick = tick  # the clock when it began; all its touches carry it
        self.priority = priority
        self.pending: Key = b""  # computed tokens after depth that fill no page yet
        self.spare = NO_SLOTS  # slots of its last page that no position uses yet
        self.tip: Node | None = None  # the leaf it made, which may grow in place

    def position(self, tokens: int) -> tuple[Node, int]:
        """Returns the node in which its first tokens end, and how many of the node's tokens they cover.

        Others may have split the node it holds; then the answer lies above it.
        """
        node = self.node
        while node.parent is not None and node.start >= tokens:
            node = node.parent
        return node, tokens - node.start


def held_by(lease: Lease) -> Held:
    """Returns what is kept with an open lease."""
    assert lease.open, "this lease is finished"
    held = lease.held
    assert isinstance(held, Held)
    return held


def slots_above(node: Node, tokens: int) -> Int32Array:
    """Returns the slots of the first `tokens` tokens on the path that ends with a node."""
    parts: list[Key] = []
    above: Node | None = node
    while above is not None:
        parts.append(above.slots)
        above = above.parent
    return as_array(cut(b"".join(reversed(parts)), 0, tokens))
