"""The slot allocator: which slots of the KV pool are free. Knows nothing of tokens, trees or tensors.

Slots are numbered from 1; slot 0 is scratch, outside the capacity, for K/V that nobody keeps. A page is `page_size`
neighbouring slots and is given out and taken back whole.
"""

from __future__ import annotations

import numpy as np

from .keys import Int32Array

SCRATCH = 0
"""The slot that may be written at any time and whose content means nothing."""


class SlotAllocator:
    """Free pages as a stack: lowest first at the start, then last freed first, so that runs tend to stay together.

    Args:
        capacity: Slots in all, a multiple of `page_size`.
        page_size: Slots of a page.
    """

    def __init__(self, capacity: int, page_size: int = 1) -> None:
        self.page_size = page_size
        self.capacity = 0
        self._pages = 0  # pages that exist
        self._free: Int32Array = np.empty(0, dtype=np.int32)  # the stack's storage: the first slot of each page
        self._top = 0  # pages on the stack
        self._retired: list[int] = []  # first slots of pages taken out by a shrink
        self.resize(capacity)

    @property
    def free(self) -> int:
        """Slots that are free."""
        return self._top * self.page_size

    def take(self, pages: int) -> Int32Array:
        """Takes free pages; returns their slots, shape ``[pages * page_size]``, page by page."""
        if pages > self._top:
            raise AssertionError(f"{pages} pages asked, {self._top} free: check before taking")
        self._top -= pages
        taken = self._free[self._top : self._top + pages][::-1]
        return self._slots_of(taken)

    def give(self, slots: Int32Array) -> None:
        """Takes back whole pages, given as slots page by page."""
        pages = np.sort(slots[:: self.page_size])[::-1]
        self._free[self._top : self._top + pages.size] = pages
        self._top += pages.size

    def resize(self, capacity: int) -> None:
        """Changes the capacity; a smaller one needs that many slots to be free."""
        assert capacity % self.page_size == 0
        change = (capacity - self.capacity) // self.page_size
        if change < 0:
            assert -change <= self._top, "free the slots before shrinking"
            self._top += change
            self._retired.extend(self._free[self._top : self._top - change].tolist())
        elif change > 0:
            back = [self._retired.pop() for _ in range(min(change, len(self._retired)))]
            exist = self._pages + change - len(back)
            added = range(self._pages * self.page_size + 1, exist * self.page_size + 1, self.page_size)
            self._pages = exist
            fresh = np.array(sorted([*back, *added], reverse=True), dtype=np.int32)
            kept = self._free[: self._top]
            self._free = np.empty(self._pages, dtype=np.int32)
            self._free[: fresh.size] = fresh  # below the others: what was free before is used first
            self._free[fresh.size : fresh.size + kept.size] = kept
            self._top += fresh.size
        self.capacity = capacity

    @property
    def highest(self) -> int:
        """The highest slot number that may be given out: the pool needs slots [0, highest]."""
        return self._pages * self.page_size

    def free_slots(self) -> Int32Array:
        """Returns every free slot, for integrity checks."""
        return self._slots_of(self._free[: self._top])

    def _slots_of(self, pages: Int32Array) -> Int32Array:
        """Returns the slots of pages that are given by their first ones; a copy, for the stack is written again."""
        if self.page_size == 1:
            return pages.copy()
        within: Int32Array = np.arange(self.page_size, dtype=np.int32)
        return (pages[:, None] + within).reshape(-1)
