"""Feeds a trace to one cache, request after request, and counts: what matched and what was evicted.

Goes through the protocol of all caches alone. Knows no file format and no table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from ...radix import Gone, Lease, PrefixCache, Update
from ...radix.keys import TOKEN_BYTES, Key, as_key, cut
from .caches import Setup
from .trace import Packed, Trace

NEXT: Final = as_key([-1])
"""Stands for the token after the prompt. A cache leaves the last token of what is asked to be computed, for its logits;
with one token more than the trace has, that is never a block of it, and what a lease has computed is what matched. It
gets no room, so no cache ever knows it."""

TICKS: Final = 512
"""Requests between two signs of progress."""

Tick = Callable[[int], None]
"""Told how many more requests are done."""


@dataclass(slots=True)
class Counts:
    """What happened to the requests of a trace."""

    requests: int = 0
    refused: int = 0  # of them, those that have more blocks than the capacity: computed without the cache
    blocks: int = 0  # of prompts
    hits: int = 0  # of these, found in the cache
    tokens: int = 0  # of prompts
    hit_tokens: int = 0  # of these, in blocks that were found
    evictions: int = 0  # blocks


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one cache at one capacity."""

    cache: str
    policy: str
    rules: str
    capacity: int  # blocks
    capacity_tokens: int
    requests: int
    refused: int
    blocks: int
    hits: int
    hit_ratio: float  # by blocks
    tokens: int
    hit_tokens: int
    token_hit_ratio: float
    evictions: int  # blocks
    seconds: float


class Outcome(NamedTuple):
    """What one request did to a cache."""

    matched: int  # blocks
    updates: list[Update]

    @property
    def gone(self) -> list[Gone]:
        """What was evicted."""
        return [each for update in self.updates for each in update.evicted]

    @property
    def evicted(self) -> int:
        """Blocks that were evicted."""
        return sum(each.tokens for each in self.gone)

    @property
    def splits(self) -> tuple[int, ...]:
        """Ids of the nodes that were split."""
        return tuple([each for update in self.updates for each in update.splits])


def replay(trace: Trace, setup: Setup, capacity: int, tick: Tick) -> Row:
    """Feeds a whole trace to a fresh cache.

    Args:
        trace: What comes.
        setup: Which cache.
        capacity: Blocks that it holds.
        tick: Told of progress.
    """
    cache = setup.make(min(capacity, max(1, trace.references)))  # more is never filled
    counts = Counts()
    start = time.perf_counter()
    for request in trace:
        matched = evicted = 0
        if len(request.blocks) > capacity * TOKEN_BYTES:
            counts.refused += 1
        else:
            outcome = feed(cache, request)
            matched, evicted = outcome.matched, outcome.evicted
        count(counts, request, matched, evicted, trace.block)
        if counts.requests % TICKS == 0:
            tick(TICKS)
    tick(counts.requests % TICKS)
    return row(setup, capacity, trace.block, counts, time.perf_counter() - start)


def feed(cache: PrefixCache, request: Packed) -> Outcome:
    """Runs one request through a cache from beginning to end."""
    blocks, prompt = request.blocks, cut(request.blocks, 0, request.prompt)
    cache.new_step()
    lease = cache.begin(prompt + NEXT)
    matched = lease.computed
    updates: list[Update] = []
    if cache.config.preset and len(prompt) < len(blocks):
        updates += _fill(cache, lease, prompt)
        asked, lease = lease, cache.fork(lease)  # for hash blocks the reply is no prompt, and does not begin with NEXT
        cache.finish(asked)
    updates += _fill(cache, lease, blocks)
    cache.finish(lease)
    return Outcome(matched, updates)


def _fill(cache: PrefixCache, lease: Lease, blocks: Key) -> Iterator[Update]:
    """Gets room for all of some blocks, and leaves in the cache what has to be computed of them."""
    size = len(blocks) // TOKEN_BYTES
    if size > len(lease):  # which may hold blocks that it found, and that do not count (v0)
        yield cache.extend(lease, size - len(lease))
    if size > lease.computed:
        yield cache.commit(lease, cut(blocks, lease.computed))


def count(counts: Counts, request: Packed, hits: int, evicted: int, block: int) -> None:
    """Adds one request to what is counted."""
    counts.requests += 1
    counts.blocks += request.prompt
    counts.hits += hits
    counts.tokens += request.tokens
    counts.hit_tokens += min(hits * block, request.tokens)  # the last block of a prompt may be a part of one
    counts.evictions += evicted


def row(setup: Setup, capacity: int, block: int, counts: Counts, seconds: float) -> Row:
    """Returns the result of a replay."""
    return Row(
        cache=setup.cache,
        policy=setup.policy,
        rules=setup.rules,
        capacity=capacity,
        capacity_tokens=capacity * block,
        requests=counts.requests,
        refused=counts.refused,
        blocks=counts.blocks,
        hits=counts.hits,
        hit_ratio=counts.hits / counts.blocks if counts.blocks else 0.0,
        tokens=counts.tokens,
        hit_tokens=counts.hit_tokens,
        token_hit_ratio=counts.hit_tokens / counts.tokens if counts.tokens else 0.0,
        evictions=counts.evictions,
        seconds=seconds,
    )
