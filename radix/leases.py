"""Leases: what an engine sees of any cache, and nothing more.

    lease = cache.begin(prompt)               match and lock; K/V of lease.slots[:lease.computed] is there already
    update = cache.extend(lease, n)           room for n more tokens; may evict
    ... compute K/V of tokens [computed, len(slots)) into lease.slots ...
    update = cache.commit(lease, tokens)      what was computed becomes shareable
    cache.finish(lease, keep=True)            unlock; what was committed stays

The engine writes K/V from `computed` on, at `slots`; it applies `copies` before it computes and reads `slots` again
after `remaps`, and knows nothing else. A cache knows no request and no tensor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from .events import Event
from .keys import Int32Array, Tokens
from .snapshots import Snapshot
from .state import CacheConfig

_NOTHING: Int32Array = np.empty(0, dtype=np.int32)


class NoRoom(Exception):
    """`extend` cannot get the room: everything else is locked or in flight. Nothing was changed.

    Attributes:
        needed: Tokens of room that were asked for.
        available: Tokens that are free or evictable.
    """

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(f"{needed} tokens of room needed, {available} available")
        self.needed = needed
        self.available = available

    def __reduce__(self) -> tuple[type[NoRoom], tuple[int, int]]:
        """Lets it cross from one process to another: an exception is made anew from its arguments, not its text."""
        return type(self), (self.needed, self.available)


class Remap(NamedTuple):
    """Positions whose K/V now lives in other slots, because the tree had the same tokens already."""

    start: int  # first position
    slots: Int32Array  # the slots of [start, start + len)


class Copies(NamedTuple):
    """K/V to copy before anything is computed (copy-on-write)."""

    sources: Int32Array  # slots
    targets: Int32Array  # slots, as many


class Gone(NamedTuple):
    """One evicted node, or the trimmed end of one."""

    node: int  # its id
    tokens: int  # tokens given back


class Update(NamedTuple):
    """What changed for a lease."""

    new_slots: Int32Array = _NOTHING  # slots of the positions that were added at the end
    copies: tuple[Copies, ...] = ()  # to be applied by the engine before it computes
    remaps: tuple[Remap, ...] = ()  # the lease's slots have been changed accordingly
    evicted: tuple[Gone, ...] = ()  # what went to make room
    splits: tuple[int, ...] = ()  # ids of the nodes that were split (their tails)


class Peek(NamedTuple):
    """What a request would do; asking changes nothing."""

    matched: int  # tokens of the prompt in the cache
    reused: int  # tokens that would not be computed again
    split: tuple[int, int] | None  # (node id, tokens of its head) if the prompt leaves a node half-way
    inside: tuple[int, int] | None  # (node id, tokens matched) if the prompt ends half-way: the reply decides
    evicts: tuple[Gone, ...]  # what would go, in order
    room: int  # tokens of room the prompt needs
    available: int  # tokens that could be given (free and evictable, less the path it would lock)

    @property
    def fits(self) -> bool:
        """Whether the prompt can be admitted now."""
        return self.room <= self.available


class Lease:
    """A request's hold on a cache: the slots of its tokens, and a lock on the prefix it shares.

    Attributes:
        namespace: Prefixes are shared within one.
        computed: Tokens whose K/V exists; the engine computes from here on.
        open: Until `finish`.
        held: What the cache keeps with it; nobody else's business.
    """

    __slots__ = ("_buffer", "_size", "computed", "held", "namespace", "open")

    def __init__(self, namespace: str, slots: Int32Array, computed: int, held: Any) -> None:
        self.namespace = namespace
        self.computed = computed
        self.open = True
        self.held = held
        self._buffer = slots.copy()
        self._size = int(slots.size)

    @property
    def slots(self) -> Int32Array:
        """Slot of every position so far, shape ``[len(self)]``; a view that the next call may outdate."""
        return self._buffer[: self._size]

    def __len__(self) -> int:
        return self._size

    def append(self, slots: Int32Array) -> None:
        """Adds slots at the end (for caches)."""
        end = self._size + slots.size
        if end > self._buffer.size:
            grown = np.empty(max(end, 2 * self._buffer.size, 64), dtype=np.int32)
            grown[: self._size] = self._buffer[: self._size]
            self._buffer = grown
        self._buffer[self._size : end] = slots
        self._size = end

    def replace(self, start: int, slots: Int32Array) -> None:
        """Changes the slots of some positions (for caches)."""
        self._buffer[start : start + slots.size] = slots


class PrefixCache(Protocol):
    """Any prefix cache. `RadixCache`, `HashBlockCache`, `LastSequence` and `NoCache` are ours."""

    @property
    def config(self) -> CacheConfig:
        """The settings, for the header of a recording."""

    @property
    def capacity(self) -> int:
        """Tokens the pool holds now."""

    @property
    def highest_slot(self) -> int:
        """The pool needs slots [0, highest_slot]; slot 0 is scratch."""

    def new_step(self) -> int:
        """Opens the next step: its changes are drawn together. Returns its number."""

    def begin(self, key: Tokens, namespace: str = "", priority: int = 0) -> Lease:
        """Matches a prompt and locks what was found. At least one token is always left to compute, for its logits.

        Raises:
            ValueError: an empty prompt.
        """

    def extend(self, lease: Lease, n: int) -> Update:
        """Gets room for n more tokens at the end of `lease.slots`; evicts if it must.

        Raises:
            NoRoom: the room cannot be had; nothing was changed.
        """

    def commit(self, lease: Lease, tokens: Tokens) -> Update:
        """Makes the next computed tokens shareable; `lease.computed` moves past them."""

    def fork(self, lease: Lease) -> Lease:
        """Returns a second lease that shares everything committed, for another sample of the same prompt."""

    def finish(self, lease: Lease, keep: bool = True, uncached: Tokens = b"") -> None:
        """Ends a lease: unlocks its path and frees what was not committed.

        Args:
            lease: Open until now.
            keep: False also drops the node that only this lease made (a failed request).
            uncached: The last sampled tokens, which have no K/V: drawn, counted nowhere.
        """

    def peek(self, key: Tokens, namespace: str = "") -> Peek:
        """Says what a prompt would do. Changes nothing, neither recency nor hits."""

    def matched(self, key: Tokens, namespace: str = "") -> int:
        """Returns `peek(key, namespace).matched`, for far less: a scheduler asks it of everyone that waits."""

    def evict(self, tokens: int) -> tuple[Gone, ...]:
        """Gives back at least that many tokens, or all that can be; returns what went, in order."""

    def reset(self) -> None:
        """Forgets everything. Raises RuntimeError while a lease is open."""

    def resize(self, capacity: int) -> None:
        """Changes the capacity; a smaller one evicts. Raises NoRoom when too much is locked."""

    def snapshot(self) -> Snapshot:
        """Returns the state of this moment, sharing unchanged subtrees with the snapshot before."""

    def take_events(self) -> list[Event]:
        """Returns the events since the last call, and forgets them."""

    def check_integrity(self, leases: Iterable[Lease] = ()) -> None:
        """Raises AssertionError unless every invariant holds, given all open leases."""
