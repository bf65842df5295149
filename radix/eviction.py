"""What goes when room is short: leaves in the policy's order, and what would go if it were.

Knows the tree and the pool; knows no lease. It writes its decisions down through the function it is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain

from . import events as ev
from .keys import as_array, cut
from .leases import Gone, NoRoom
from .slots import SlotAllocator
from .state import Node, TreeState


class Evictor:
    """Gives tokens of a tree back to its pool.

    Args:
        state: The tree.
        slots: Of its pool.
        do: Carries out a decision, and writes it down.
    """

    def __init__(self, state: TreeState, slots: SlotAllocator, do: Callable[[ev.Event], None]) -> None:
        self._state = state
        self._slots = slots
        self._do = do

    @property
    def evictable(self) -> int:
        """Tokens that nobody holds."""
        return self._state.resident - self._state.protected

    def make_room(self, tokens: int, why: str) -> tuple[Gone, ...]:
        """Evicts until that many tokens are free; raises NoRoom, with nothing changed, when that cannot be."""
        short = tokens - self._slots.free
        if short <= 0:
            return ()
        if short > self.evictable:
            raise NoRoom(tokens, self._slots.free + self.evictable)
        return self.evict(short, why)

    def evict(self, asked: int, why: str) -> tuple[Gone, ...]:
        """Evicts at least so many tokens, which must be evictable."""
        gone: list[Gone] = []
        freed = 0
        while freed < asked:
            node = self._state.queue.first()
            assert node is not None, "what is evictable can be evicted"
            gone.append(self.drop(node, why, len(gone), asked, self._take_of(node.size, asked - freed)))
            freed += gone[-1].tokens
        return tuple(gone)

    def drop(self, node: Node, why: str, order: int, asked: int, tokens: int | None = None) -> Gone:
        """Takes a leaf out of the tree, or only so many tokens at its end."""
        tokens = node.size if tokens is None else tokens
        self._slots.give(as_array(cut(node.slots, node.size - tokens)))
        kind = ev.Evicted if tokens == node.size else ev.Trimmed
        self._do(kind(node.id, tokens, why, order, self._state.tick - node.last, asked))
        return Gone(node.id, tokens)

    def would_go(self, asked: int, spared: set[int], ends: dict[int, int] | None = None) -> tuple[Gone, ...]:
        """What an eviction would take, in order; changes nothing.

        Args:
            asked: Tokens of room.
            spared: Ids of nodes that stay.
            ends: Of these, by id, how many tokens at the end may go nevertheless (see `RadixCache.extend`).
        """
        if asked <= 0:
            return ()
        ends = ends or {}
        if self._state.config.split_recency == "prefix":
            spared = spared - ends.keys()
        children: Counter[int] = Counter()  # of each node: how many would have gone

        def bares(node: Node) -> Node | None:
            parent = node.parent
            assert parent is not None
            children[parent.id] += 1
            return parent if not parent.locks and children[parent.id] == len(parent.children) else None

        order = self._state.queue.order(spared, bares)
        victims = chain(((node.id, ends.get(node.id, node.size)) for node in order), ends.items())
        gone: list[Gone] = []
        for node_id, size in victims:
            gone.append(Gone(node_id, self._take_of(size, asked)))
            asked -= gone[-1].tokens
            if asked <= 0:
                break
        return tuple(gone)

    def _take_of(self, size: int, wanted: int) -> int:
        """How many tokens of a victim go: all of them, or the pages wanted (eviction unit `page`)."""
        config = self._state.config
        if config.unit == "leaf":
            return size
        return min(size, -(-wanted // config.page_size) * config.page_size)
