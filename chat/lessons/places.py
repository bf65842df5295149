"""A place in a run: the step, the event, how far the run was shown, and which of its questions were asked.

Knows where steps end and what may be seen from here; not how questions are posed, and not how anything is told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...radix import events as ev

if TYPE_CHECKING:
    from .asking import Posed
    from .runs import Run, StepRun
    from .telling import Names


@dataclass(slots=True)
class Place:
    """A place in a run."""

    run: Run
    step: int = 0  # 0 is the title card
    position: int = 0  # in the run's recording
    shown: int = 0  # the furthest step that was shown to its end
    asked: set[tuple[int, int]] = field(default_factory=set)  # step and number of questions answered or skipped
    open: tuple[int, int] | None = None  # step and number of the question that is open
    question: Posed | None = None
    names: Names = field(default_factory=dict)  # what nodes were called so far

    @property
    def steps(self) -> int:
        """How many steps the run has."""
        return len(self.run.steps)

    @property
    def limit(self) -> int:
        """Nothing after this position may be shown by anybody."""
        return self.position if self.question is not None else self.end(max(self.shown, self.step))

    @property
    def at_end(self) -> bool:
        """Whether the position is the end of the step."""
        return self.position == self.end(self.step)

    @property
    def topic(self) -> StepRun | None:
        """The step that is shown or asked about; None on the title card."""
        number = self.open[0] if self.open is not None else self.step
        return self.run.steps[number - 1] if number else None

    def end(self, step: int) -> int:
        """Returns the position at the end of a step; 0 is before the first."""
        steps = self.run.steps
        if step:
            return steps[step - 1].end
        return steps[0].start if steps else 0

    def show(self, step: int) -> None:
        """Goes to the end of a step."""
        self.step, self.position = step, self.end(step)
        self.shown = max(self.shown, step)
        self.question = self.open = None

    def move(self, by: int, *, quiet: bool, within: bool) -> None:
        """Goes some events forward, or back when negative, within what may be shown.

        Args:
            by: How many.
            quiet: Whether events that do not change the tree count, too.
            within: Whether the end of the step is as far as one may go.
        """
        stops = self._stops(quiet)
        at = bisect_left(stops, self.position) if by < 0 else bisect_right(stops, self.position) - 1
        position = stops[max(0, min(at + by, len(stops) - 1))]
        self.position = position = min(position, self.end(self.step)) if within else position
        self.step = bisect_left([self.end(step) for step in range(self.steps + 1)], position)

    def _stops(self, quiet: bool) -> list[int]:
        """Returns where events may be looked at, from the beginning to the limit."""
        start, limit = self.end(0), self.limit
        if quiet:
            return list(range(start, limit + 1))
        stops = [start]
        for run in self.run.steps:
            if run.end > limit:
                break
            events = self.run.recording.events[run.start : run.end]
            loud = [run.start + at for at, event in enumerate(events, 1) if type(event) not in ev.QUIET]
            stops += [*loud[:-1], run.end]  # the quiet events after the last loud one belong to it
        return stops

    def unasked(self, number: int) -> list[tuple[int, int]]:
        """Returns which questions about a step were neither answered nor skipped."""
        keys = [(number, index) for index in range(len(self.run.steps[number - 1].step.ask))]
        return [key for key in keys if key not in self.asked]

    def settle(self) -> None:
        """Closes the open question for good."""
        if self.open is not None:
            self.asked.add(self.open)
        self.question = self.open = None
