"""Who waits, and who is next: first come first served, or the longest match first.

Knows requests and how much of each is in the cache; knows no room, no runner and no clock.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator

from ..errors import UsageError
from .request import Request

SCHEDULES = ("fcfs", "lpm")
"""First come, first served; longest prefix match first."""

LPM_MOST = 128
"""With more requests waiting than this, looking all of them up costs more than their order is worth: fcfs."""

PATIENCE = 16
"""Who was overtaken this often is next, so that nobody starves behind ever new longer matches."""


class Queue:
    """Requests that wait, kept in the order of their arrival; whoever comes back stands where it stood.

    Args:
        schedule: fcfs or lpm.

    Raises:
        UsageError: there is no such schedule.
    """

    def __init__(self, schedule: str = SCHEDULES[0]) -> None:
        if schedule not in SCHEDULES:
            raise UsageError(f"unknown schedule {schedule!r}", f"Choose one of {', '.join(SCHEDULES)}.")
        self._schedule = schedule
        self._waiting: list[Request] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Request]:
        return iter(self._waiting)

    def add(self, request: Request) -> None:
        """Lets a request wait."""
        insort(self._waiting, request, key=_arrival)

    def remove(self, request: Request) -> None:
        """Takes a request out, if it is in."""
        if request in self._waiting:
            self._waiting.remove(request)

    def admit(self, request: Request) -> None:
        """Takes a request out because it is its turn; those before it are overtaken once more."""
        self._waiting.remove(request)
        for other in self._waiting:
            other.overtaken += other.id < request.id

    def turns(self, matched: Callable[[Request], int]) -> list[Request]:
        """Returns the requests in the order in which they should run.

        Args:
            matched: Tells how many tokens of a request are in the cache.
        """
        if self._schedule == "fcfs" or not 1 < len(self._waiting) <= LPM_MOST:
            return list(self._waiting)
        return sorted(  # stable, so equal ones stay in the order of their arrival
            self._waiting, key=lambda each: (1, -matched(each)) if each.overtaken < PATIENCE else (0, 0)
        )


def _arrival(request: Request) -> int:
    return request.id
