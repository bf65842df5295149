"""Ratios that mean something on a noisy machine: both arms in one process, interleaved, medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Arm = Callable[[], object]


def interleaved(arms: Mapping[str, Arm], rounds: int) -> dict[str, float]:
    """Runs the arms in turn, `rounds` times after one warm-up each; returns each one's median in seconds.

    An arm that measures itself returns a float, which then counts instead of the time of its call.
    """
    times: dict[str, list[float]] = {name: [] for name in arms}
    for arm in arms.values():
        arm()
    for _ in range(rounds):
        for name, arm in arms.items():
            start = time.perf_counter()
            own = arm()
            times[name].append(own if isinstance(own, float) else time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def report(name: str, ratio: float, wanted: str, *, holds: bool) -> None:
    """Prints one line: what, the ratio, what it should be, and whether it is."""
    print(f"{name:<58} {ratio:>9.3g}  {wanted:<8} {'ok' if holds else 'MISSED'}", flush=True)
