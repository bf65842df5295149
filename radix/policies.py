"""Eviction policies: which evictable leaf goes first. A policy is a function from a node to a sortable key.

The queue holds an entry per evictable leaf in one persistent heap. Whoever changes a leaf (its use, its locks, its
children) pushes it again; older entries are known by their number and skipped when they come up. So an eviction costs
a pop, never a scan, under every policy, also those whose keys fall when a node is used (mru).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Any, Protocol


class Evictable(Protocol):
    """What a policy may look at."""

    id: int
    last: int  # tick of the last use
    created: int  # tick of creation
    hits: int  # requests that walked through it
    priority: int
    end: int  # tokens from the root to the node's end
    queued: int  # number of its valid heap entry; 0: none


Policy = Callable[[Any], tuple[Any, ...]]

SLRU_HITS = 2
"""Hits after which the segmented LRU protects a node."""

POLICIES: dict[str, Policy] = {
    "lru": lambda node: (node.last,),
    "lfu": lambda node: (node.hits, node.last),
    "fifo": lambda node: (node.created,),
    "mru": lambda node: (-node.last,),
    "filo": lambda node: (-node.created,),
    "slru": lambda node: (node.hits >= SLRU_HITS, node.last),
    "priority": lambda node: (node.priority, node.last),
}

TIES: dict[str, Policy] = {
    "id": lambda node: (node.id,),
    "deepest": lambda node: (-node.end, node.id),
}


def named(table: dict[str, Policy], kind: str, name: str) -> Policy:
    """Returns the entry of a table, or raises ValueError listing the names there are."""
    if name not in table:
        raise ValueError(f"unknown {kind} {name!r}: choose one of {', '.join(table)}")
    return table[name]


class EvictionQueue:
    """Evictable leaves in the order in which they would go."""

    def __init__(self, policy: str = "lru", tie: str = "id") -> None:
        first, then = named(POLICIES, "policy", policy), named(TIES, "tie rule", tie)
        self._key: Policy = lambda node: (*first(node), *then(node))
        self._heap: list[tuple[Any, ...]] = []
        self._entries = 0  # numbers the entries; also the last item of each, so that nodes are never compared
        self._valid = 0

    def __len__(self) -> int:
        return self._valid

    def push(self, node: Evictable) -> None:
        """Adds a leaf that became evictable or whose key changed."""
        self.discard(node)
        self._entries += 1
        node.queued = self._entries
        self._valid += 1
        heapq.heappush(self._heap, (*self._key(node), self._entries, node))
        if len(self._heap) > 2 * self._valid + 64:  # amortised: at least half of the entries are stale
            self._heap = [entry for entry in self._heap if entry[-1].queued == entry[-2]]
            heapq.heapify(self._heap)

    def discard(self, node: Evictable) -> None:
        """Forgets a leaf that is evictable no longer; does nothing for others."""
        if node.queued:
            node.queued = 0
            self._valid -= 1

    def first(self) -> Any | None:
        """Returns the leaf that would go first, or None."""
        heap = self._heap
        while heap and heap[0][-1].queued != heap[0][-2]:
            heapq.heappop(heap)
        return heap[0][-1] if heap else None

    def order(self, spared: set[int], bares: Callable[[Any], Any | None]) -> Iterator[Any]:
        """Yields the nodes in the order in which they would go, changing nothing.

        Args:
            spared: Ids of nodes that must stay (a path that is about to be locked).
            bares: Called with each node that would go; returns its parent when that would become an evictable leaf.
        """
        heap = list(self._heap)
        while heap:
            *_, entry, node = heapq.heappop(heap)
            if node.id in spared or (entry != -1 and node.queued != entry):
                continue
            yield node
            parent = bares(node)
            if parent is not None:
                heapq.heappush(heap, (*self._key(parent), -1, parent))
