"""How fast memory is read here: what a byte floor is computed with. Always measured, and told with the machine."""

from __future__ import annotations

import time
from typing import Any

from .rows import Conditions
from .timing import interleaved

SIZE = 1 << 30


def bandwidth(at: Conditions) -> float:
    """Returns bytes per second: of a plain sum on a CPU, of a copy (reads and writes) on a GPU."""
    key = (at.device, at.quick)
    if key not in _known:
        at.say("the bandwidth of memory")
        _known[key] = _copy_rate() if at.device == "cuda" else _read_rate(1 << 20 if at.quick else SIZE)
    return _known[key]


def measured(at: Conditions) -> dict[str, Any]:
    """Returns the bandwidth as a fact of the machine; nothing where no row asked for it."""
    known = _known.get((at.device, at.quick))
    return {} if known is None else {"bytes_per_second": round(known)}


_known: dict[tuple[str, bool], float] = {}


def _read_rate(size: int) -> float:
    import torch

    numbers = torch.rand(size // 4)
    return size / interleaved({"sum": lambda: numbers.sum()}, 7)["sum"]


def _copy_rate() -> float:
    """Returns what a GPU's own copy reaches, reads and writes counted, in bytes per second."""
    import torch

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
