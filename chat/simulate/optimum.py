"""What no cache can beat: evict what is needed again last (Belady, IBM Systems Journal 1966), with the future known.

**Why this is the optimum here.** All blocks are of one size and one cost, a request needs all of its own at the same
time, and they are in the cache when it ends. Among such caches, whichever evicts something else than the block whose
next use is farthest can take that one instead and never has fewer hits: until the farther block is asked for, the
nearer one would have been asked for first. It does not matter that a hit needs the whole prefix: who asks for a block
asks for all blocks above it, so no block is used again later than one below it. Of blocks that are used again by the
same request the deepest goes first; then what is kept is closed under prefixes by itself, and every resident block of
a prompt is a hit.

Blocks of a reply (recordings have them) are written, not looked up: one whose next use is in a reply can go at no
cost, and goes before all others. There a block may go before those below it, and the result is a bound from above.

**Why counting is enough.** Blocks whose next use is one and the same request are all on the path of that request. So
the cache is a count for each request to come: the blocks that wait for it. When it comes, that count is its hits; an
eviction takes from the farthest count. A heap holds the requests that blocks wait for; no block is looked at.
"""

from __future__ import annotations

import heapq
import time
from array import array
from collections.abc import Iterator
from typing import Final

import numpy as np

from ...radix.keys import TOKEN_BYTES
from .caches import OPTIMUM, Setup
from .replaying import TICKS, Counts, Row, Tick, count, row
from .trace import Packed, Trace

POLICY: Final = "belady"

_WRITTEN: Final = 2**30
"""Added to the number of a request whose reply has the block: such a use is farther than all others but never."""

_NEVER: Final = 2**31 - 1


class Future:
    """Of each request, when its blocks are used again: a few runs of blocks that wait for the same request.

    Args:
        trace: Is read backwards, once.
        capacity: Requests with more blocks use no cache, and nothing waits for them.
    """

    def __init__(self, trace: Trace, capacity: int) -> None:
        self._uses = array("i")  # request that waits, last run first
        self._sizes = array("i")  # blocks of the run
        self._ends = array("q")  # of the runs of each request, last request first
        upcoming = np.full(trace.numbers, _NEVER, dtype=np.int32)
        for number, (blocks, prompt) in zip(range(trace.requests - 1, -1, -1), trace.backwards(), strict=True):
            if blocks.size <= capacity:
                self._note(upcoming[blocks])
                upcoming[blocks[:prompt]] = number
                upcoming[blocks[prompt:]] = number + _WRITTEN
            self._ends.append(len(self._uses))

    def _note(self, uses: np.ndarray) -> None:
        """Takes down the runs of one request: neighbours on its path that wait for the same one."""
        if not uses.size:
            return
        borders = np.flatnonzero(uses[1:] != uses[:-1]) + 1
        starts = np.concatenate(([0], borders))
        sizes = np.diff(np.concatenate((starts, [uses.size])))
        self._uses.extend(uses[starts].tolist())
        self._sizes.extend(sizes.tolist())

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Yields the runs of each request, the first request first: (next use, blocks)."""
        for place in range(len(self._ends) - 1, -1, -1):
            start, end = self._ends[place - 1] if place else 0, self._ends[place]
            yield list(zip(self._uses[start:end], self._sizes[start:end], strict=True))


def optimum(trace: Trace, capacity: int, tick: Tick) -> Row:
    """Returns the best that any cache of a capacity can do with a trace.

    Args:
        trace: What comes.
        capacity: Blocks.
        tick: Told of progress.
    """
    start = time.perf_counter()
    counts, pool = Counts(), _Pool(capacity)
    for number, (request, runs) in enumerate(zip(trace, Future(trace, capacity), strict=True)):
        hits = evicted = 0
        if len(request.blocks) > capacity * TOKEN_BYTES:
            counts.refused += 1
        else:
            hits, evicted = pool.serve(number, request, runs)
        count(counts, request, hits, evicted, trace.block)
        if counts.requests % TICKS == 0:
            tick(TICKS)
    tick(counts.requests % TICKS)
    return row(Setup(OPTIMUM, policy=POLICY), capacity, trace.block, counts, time.perf_counter() - start)


class _Pool:
    """The blocks in the cache, by the request that they wait for."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._resident = 0
        self._waiting: dict[int, int] = {}  # request -> blocks
        self._farthest: list[int] = []  # the same requests, negated; those that have come are skipped

    def serve(self, number: int, request: Packed, runs: list[tuple[int, int]]) -> tuple[int, int]:
        """Lets a request have its blocks; returns its hits and how many blocks went."""
        size = len(request.blocks) // TOKEN_BYTES
        hits = self._waiting.pop(number, 0)  # at once, so that they do not go
        written = self._waiting.pop(number + _WRITTEN, 0)
        self._resident += size - hits - written
        evicted = self._evict(self._resident - self._capacity)
        for use, blocks in runs:
            if use not in self._waiting:
                heapq.heappush(self._farthest, -use)
                self._waiting[use] = 0
            self._waiting[use] += blocks
        return hits, evicted

    def _evict(self, blocks: int) -> int:
        """Evicts so many blocks, if that is more than none, from what waits longest."""
        left = blocks
        while left > 0:
            use = -self._farthest[0]
            taken = min(left, self._waiting.get(use, 0))
            left -= taken
            if self._waiting.get(use, 0) == taken:
                heapq.heappop(self._farthest)
                self._waiting.pop(use, None)
            else:
                self._waiting[use] -= taken
        self._resident -= max(blocks, 0)
        return max(blocks, 0)
