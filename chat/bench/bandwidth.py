"""How fast memory is read here: what a byte floor is computed with. Measured, but for a GPU whose rate is known."""

from __future__ import annotations

import time

import torch

from .rows import Conditions
from .timing import interleaved

H200 = 4.3e12
"""Bytes a second of a device copy on an H200, which the goals were computed with."""

SIZE = 1 << 30


def bandwidth(at: Conditions) -> float:
    """Returns bytes per second: of a plain sum on a CPU, of a copy (reads and writes) on a GPU."""
    if at.device == "cuda":
        return H200 if "H200" in torch.cuda.get_device_name() else copy_rate()
    if at.device not in _known:
        at.say("the bandwidth of memory")
        _known[at.device] = _read_rate(1 << 20 if at.quick else SIZE)
    return _known[at.device]


_known: dict[str, float] = {}


def _read_rate(size: int) -> float:
    numbers = torch.rand(size // 4)
    return size / interleaved({"sum": lambda: numbers.sum()}, 7)["sum"]


def copy_rate() -> float:
    """Returns what a GPU's own copy reaches, reads and writes counted, in bytes per second."""
    source = torch.rand(SIZE // 4, device="cuda")
    target = torch.empty_like(source)

    def copy() -> float:
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(10):
            target.copy_(source)
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / 10

    return 2 * SIZE / interleaved({"copy": copy}, 7)["copy"]
