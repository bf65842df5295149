"""Automatic play of a lesson: whether it goes on by itself, and after how many seconds.

Knows where a course waits for a person; not what going on means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .lesson_course import Course

SECONDS = 5.0
"""Between two steps, unless told otherwise."""

QUICKEST, SLOWEST = 0.5, 60.0
"""Seconds between two steps, at least and at most."""

FASTER = 1.5


class Stoppable(Protocol):
    """What `after` sets off."""

    def stop(self) -> None:
        """Calls it off."""


class Pace:
    """When a lesson goes on by itself.

    Args:
        auto: Seconds of automatic play; None waits for keys.
        course: What goes on.
        after: Sets a timer: calls something after some seconds, once.
        tick: What to call then.
    """

    def __init__(
        self,
        auto: float | None,
        course: Course,
        after: Callable[[float, Callable[[], None]], Stoppable],
        tick: Callable[[], None],
    ) -> None:
        self.playing = auto is not None
        self.seconds = auto or SECONDS
        self._course = course
        self._after, self._tick = after, tick
        self._timer: Stoppable | None = None

    @property
    def wait(self) -> float | None:
        """Seconds until it goes on; None: it waits for a key."""
        player = self._course.player
        if not self.playing or player is None or self._course.failed is not None:
            return None
        if player.question is not None:
            return 2 * self.seconds
        return None if player.pauses and not player.at_end else self.seconds

    def schedule(self) -> None:
        """Begins to wait anew."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.wait is not None:
            self._timer = self._after(self.wait, self._tick)

    def scale(self, factor: float) -> None:
        """Makes the seconds so many times as long."""
        self.seconds = min(max(self.seconds * factor, QUICKEST), SLOWEST)
        self.schedule()
