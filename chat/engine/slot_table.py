"""Which slots each running sequence reads, kept on the device from step to step.

A sequence owns a row of the table while it decodes. Its slots are sent once; from then on the decode step itself adds
the slot of each new token to the row, on the device, and here only a copy on the host follows. Nobody tells the table
whose slots it is given: it compares them with its copy, so a sequence is known again by what it holds wherever it
stands in a batch, and one whose slots changed in the middle (the cache remapped or copied some) is sent anew.

Knows no requests, trees and models.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ...radix.keys import Int32Array


class SlotTable:
    """Rows of slots, on the device and on the host.

    Attributes:
        device: int32 ``[rows + 1, max_context]``. The last row belongs to the padding of a batch.
        sent: How many rows were sent so far.
    """

    def __init__(self, rows: int, max_context: int, device: torch.device | str) -> None:
        self.device = torch.zeros(rows + 1, max_context, dtype=torch.int32, device=device)
        self.sent = 0
        self._host = torch.zeros(rows, max_context, dtype=torch.int32)
        self._slots = self._host.numpy()
        self._lengths = [0] * rows
        self._ends = [-1] * rows  # the last slot of each row, by which a sequence is looked up
        self._used = [0] * rows  # when: the row that rested longest is given away first
        self._time = 0

    def place(self, prefixes: Sequence[Int32Array]) -> list[int]:
        """Returns a row for each sequence of a batch, which then holds its slots.

        Args:
            prefixes: The slots of each, int32; at most as many sequences as there are rows.
        """
        self._time += 1
        by_end = dict(zip(self._ends, range(len(self._ends)), strict=True))
        rows: list[int | None] = []
        stale = []
        taken: set[int] = set()
        for place, prefix in enumerate(prefixes):
            row = by_end.get(int(prefix[-1])) if prefix.size else None
            if row is None or row in taken or self._lengths[row] != prefix.size:
                row = None
            else:
                taken.add(row)
            if row is None or not np.array_equal(self._slots[row, : prefix.size], prefix):
                stale.append(place)
            rows.append(row)
        free = iter(sorted(set(range(len(self._used))) - taken, key=self._used.__getitem__) if stale else ())
        placed = [next(free) if row is None else row for row in rows]
        for place in stale:
            self._send(placed[place], prefixes[place])
        for row in placed:
            self._used[row] = self._time
        return placed

    def grown(self, rows: Sequence[int], slots: Sequence[int]) -> None:
        """Takes note of the slot that the device added to each of these rows."""
        for row, slot in zip(rows, slots, strict=True):
            self._slots[row, self._lengths[row]] = slot
            self._lengths[row] += 1
            self._ends[row] = slot

    def forget(self) -> None:
        """Takes it that the device's rows may hold anything."""
        self._lengths = [0] * len(self._lengths)
        self._ends = [-1] * len(self._ends)

    def _send(self, row: int, prefix: Int32Array) -> None:
        size = prefix.size
        self._slots[row, :size] = prefix
        self._lengths[row] = size
        self._ends[row] = int(prefix[-1]) if size else -1
        self.device[row, :size].copy_(self._host[row, :size])
        self.sent += 1
