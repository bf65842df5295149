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
    key = (at.device, at.quick)
    if key not in _known:
        at.say("the bandwidth of memory")
        _known[key] = _of_gpu() if at.device == "cuda" else _read_rate(1 << 20 if at.quick else SIZE)
    return _known[key]


_known: dict[tuple[str, bool], float] = {}


def _of_gpu() -> float:
    return H200 if "H200" in torch.cuda.get_device_name() else _copy_rate()


def _read_rate(size: int) -> float:
    numbers = torch.rand(size // 4)
    return size / interleaved({"sum": lambda: numbers.sum()}, 7)["sum"]


def _copy_rate() -> float:
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
