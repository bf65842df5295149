"""Times short operations on a device: several calls in one CUDA graph, each on memory of its own. Knows no goal.

Without graphs the launcher of a kernel of some microseconds would be timed, and with one set of buffers the cache of
the device. Without CUDA the calls are timed one after the other, so that the way can be tried anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

CACHE = 60_000_000
"""Bytes of an H200's L2: buffers rotate over more than this."""

CALLS = 10
"""The least that one graph holds, so that its own start does not count."""

Call = Callable[[], object]


def rotations(bytes_read: int) -> int:
    """Returns over how many sets of buffers a call should rotate that reads so many bytes; two at least."""
    return 1 + max(1, CACHE // max(bytes_read, 1))


def replayed(calls: Sequence[Call], device: torch.device) -> Callable[[], float]:
    """Returns an arm that runs calls in turn, from one CUDA graph, and returns the seconds of one.

    Args:
        calls: The same operation on different buffers.
        device: Where.
    """
    if device.type != "cuda":
        return _plainly(calls)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for call in (*calls, *calls):  # compiled, and settled, before anything is recorded
            call()
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    repeats = -(-CALLS // len(calls))
    with torch.cuda.graph(graph):
        for call in [*calls] * repeats:
            call()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def arm() -> float:
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end)) / 1e3 / (repeats * len(calls))

    return arm


def _plainly(calls: Sequence[Call]) -> Callable[[], float]:
    def arm() -> float:
        start = time.perf_counter()
        for call in calls:
            call()
        return (time.perf_counter() - start) / len(calls)

    return arm
