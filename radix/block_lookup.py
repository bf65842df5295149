"""Looking things up among hash blocks: what a prompt finds, what it needs and what that would evict.

Every question changes nothing. Knows the rules and the blocks; decides nothing about them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from .block_forest import Block
from .block_state import BlockState
from .block_table import BlockTable, Blueprint
from .leases import Gone, Peek


class Lookup:
    """Questions to the blocks of a cache.

    Args:
        state: Its blocks.
    """

    def __init__(self, state: BlockState) -> None:
        self._state = state
        self._rules = state.rules
        self._size = state.size

    def hits(self, prompt: Blueprint, limit: int) -> list[Block]:
        """Returns the blocks that a prompt finds before its first miss, in order, at most so many."""
        hits: list[Block] = []
        index, check = self._state.index, self._rules.token_check
        digests = prompt.digests
        for place in range(limit):
            block = index.get(digests[place] if place < len(digests) else prompt.digest(place))
            if block is None or (check and block.key != prompt.piece(place)):
                break
            hits.append(block)
        return hits

    def computed(self, prompt: Blueprint, hits: list[Block]) -> int:
        """Returns how many tokens of a prompt need no computation: whole blocks, and one token at least is left."""
        limit = min(len(hits), (prompt.size - 1) // self._size) if prompt.size else 0
        return next((place for place in range(limit) if not hits[place].computed), limit) * self._size

    def matched(self, prompt: Blueprint) -> int:
        """Returns how many tokens of a prompt are there, in whole blocks."""
        whole = prompt.size // self._size
        hits = self.hits(prompt, whole)
        return next((place for place, block in enumerate(hits) if not block.computed), len(hits)) * self._size

    def _foresee(self, prompt: Blueprint, hits: list[Block]) -> tuple[tuple[Gone, ...], int]:
        """Returns what the rest of a prompt would evict, and how many blocks it would take from the queue."""
        rest = range(len(hits), prompt.blocks)
        if not self._rules.partial_sharing:
            found = {block.number for block in hits}
            order = (block for block in self._state.queue if block not in found)
            taken = list(islice(order, len(rest)))
            victims = [block for block in self.queued(taken) if block.digest]
            if victims and self._rules.evict == "all":
                victims = [
                    block for block in self.queued(self._state.queue) if block.digest and block.number not in found
                ]
            return self.gone(victims), len(rest)
        queue = self._state.queue.copy()
        for block in hits:
            if not block.refs:
                queue.take(block.number)
        victims, room = [], 0
        for place in rest:
            hit = self._state.index.get(prompt.digest(place))
            if hit is not None and hit not in victims:
                if not hit.refs:
                    room += 1
                    if hit.number in queue:
                        queue.take(hit.number)
                continue
            room += 1
            for number in queue.first(1):
                queue.take(number)
                victims += [block for block in self.queued([number]) if block.digest]
        return self.gone(victims), room

    def queued(self, numbers: Iterable[int]) -> list[Block]:
        """Returns those of some blocks that were ever used."""
        nodes = self._state.nodes
        return [nodes[number] for number in numbers if number in nodes]

    def needed(self, table: BlockTable, start: int, end: int) -> int:
        """Returns how many blocks of the queue the next positions take, those that a hit takes out included."""
        held, size = len(table.blocks), self._size
        if not self._rules.partial_sharing:
            return max(0, -(-end // size) - held)
        seam = min(end, table.prompt.size)
        upto = max(held, -(-seam // size))
        found = [self._state.index.get(table.prompt.digest(place)) for place in range(held, upto)]
        needed = sum(hit is None or not hit.refs for hit in found)
        seam = max(start, table.prompt.size)
        if end > seam and seam % size:
            last = table.blocks[seam // size] if seam // size < held else found[-1]
            needed += last is not None and last.refs > (1 if seam // size < held else 0)
        return needed + max(0, -(-end // size) - upto)

    def gone(self, victims: list[Block]) -> tuple[Gone, ...]:
        """Returns what an eviction of some blocks gives back: those that were nodes."""
        return tuple([Gone(block.node, self._size) for block in victims if block.inside])

    def peek(self, prompt: Blueprint) -> Peek:
        """See `PrefixCache.peek`."""
        hits = self.hits(prompt, prompt.shareable)
        evicts, room = self._foresee(prompt, hits)
        loose = sum(not block.refs for block in hits)
        return Peek(
            matched=self.matched(prompt),
            reused=self.computed(prompt, hits),
            split=None,
            inside=None,
            evicts=evicts,
            room=room * self._size,
            available=(len(self._state.queue) - loose) * self._size,
        )
