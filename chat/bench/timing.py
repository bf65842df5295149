"""Ratios that mean something on a noisy machine: both arms in one process, interleaved, medians. Knows no goal."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Arm = Callable[[], object]

LEAST = 3
"""Rounds that are run whatever the time allowed."""


@dataclass(frozen=True, slots=True)
class Times:
    """What arms took, in seconds, round by round; `times["arm"]` is a median."""

    samples: Mapping[str, list[float]]

    def __getitem__(self, arm: str) -> float:
        return statistics.median(self.samples[arm])

    @property
    def medians(self) -> dict[str, float]:
        """Every arm's median."""
        return {arm: self[arm] for arm in self.samples}

    @property
    def rounds(self) -> int:
        """How often each arm was timed."""
        return min((len(each) for each in self.samples.values()), default=0)


def interleaved(arms: Mapping[str, Arm], rounds: int, *, seconds: float = math.inf) -> Times:
    """Runs the arms in turn, `rounds` times after one warm-up each.

    An arm that measures itself returns a float, which then counts instead of the time of its call.

    Args:
        arms: What to time, by name.
        rounds: How often.
        seconds: No further round begins after so many, once there are a few.
    """
    samples: dict[str, list[float]] = {name: [] for name in arms}
    for arm in arms.values():
        arm()
    begun = time.perf_counter()
    for done in range(rounds):
        if done >= LEAST and time.perf_counter() - begun > seconds:
            break
        for name, arm in arms.items():
            start = time.perf_counter()
            own = arm()
            samples[name].append(own if isinstance(own, float) else time.perf_counter() - start)
    return Times(samples)


def report(name: str, ratio: float, wanted: str, *, holds: bool) -> None:
    """Prints one line: what, the ratio, what it should be, and whether it is."""
    print(f"{name:<58} {ratio:>9.3g}  {wanted:<8} {'ok' if holds else 'MISSED'}", flush=True)
