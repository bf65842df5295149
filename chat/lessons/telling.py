"""How a run is told: what each event did, what a step did, and what nodes are called; in a language and for a level.

Knows runs and the sentences of `viz`; no player and no questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ...radix import events as ev
from ...radix.travel import diff
from ...viz import sanitize
from ...viz.picture import Look
from ...viz.story import names_of, tell, tell_diff
from .facts import fill
from .speech import joined

if TYPE_CHECKING:
    from .runs import Run

Names = dict[tuple[int, int, str, Look], dict[int, str]]
"""What nodes are called from one position to another, in a language and a look."""

_BEGIN: Final = (ev.RequestStarted, ev.StepOpened)  # what is told after them is told anew


class Level(StrEnum):
    """For whom a lesson is told."""

    INTRO = "intro"  # events that change the tree, and no more
    ENGINEER = "engineer"  # locks and free slots too


@dataclass(frozen=True, slots=True)
class Telling:
    """A run, told."""

    run: Run
    lang: str
    level: Level
    veiled: bool  # a question is open: nothing is said that gives its answer away
    known: Names  # names that were asked for before; grows

    def step(self, number: int, look: Look | None = None) -> str:
        """Returns what is said of a step; in a what-if what it did, for the lesson speaks of another run."""
        said, did = self.run.steps[number - 1].step.say, ""
        if self.run.changes:
            said, did = None if self.run.of_lesson(number) else said, self._did(number, look)
        told = sanitize(fill(said.text(self.lang), self.run, number)) if said is not None else ""
        return joined(self.lang, told, did)

    def _did(self, number: int, look: Look | None) -> str:
        """Returns what a step did."""
        run, step = self.run, self.run.steps[number - 1]
        look = look or Look(abridged=run.abridged)
        names = self.names(step.start, step.end, look)
        found = diff(run.recording, step.start, step.end)
        return " · ".join(tell_diff(found, run.recording.pieces, look=look, lang=self.lang, names=names)[1:])

    def last(self, position: int, look: Look | None = None) -> str:
        """Returns what the last event at a position did that is told; "" where nothing happened yet."""
        for before in range(position, 0, -1):
            line = self.event(before, look)
            if line:
                return line
            if isinstance(self.run.recording.events[before - 1], ev.StepOpened):
                break
        return ""

    def event(self, position: int, look: Look | None = None) -> str | None:
        """Says in one line what the event before a position did.

        None for one that is not told at this level, and where the same was told of this request before: a cache matches
        a prompt that it knows whole once more when it is kept.
        """
        look = look or Look(abridged=self.run.abridged)
        line, events = self._line(position, look), self.run.recording.events
        for before in range(position - 1, 0, -1):
            if line is None or type(events[before]) in _BEGIN:
                break
            if type(events[before - 1]) is type(events[position - 1]) and self._line(before, look) == line:
                return None
        return line

    def _line(self, position: int, look: Look) -> str | None:
        return tell(
            self.run.recording.events[position - 1], self.run.recording.pieces, look=look, lang=self.lang,
            quiet=self.level is Level.ENGINEER, veiled=self.veiled, names=self.names(position - 1, position, look),
        )  # fmt: skip

    def names(self, start: int, end: int, look: Look) -> dict[int, str] | None:
        """Returns what nodes are called from one position to another, by id: a letter, else their text.

        None at a level where they are called by their numbers.
        """
        if self.level is Level.ENGINEER:
            return None
        run, key = self.run, (start, end, self.lang, look)
        if key not in self.known:
            step = next((step.number for step in run.steps if end <= step.end), len(run.steps))
            panels = (run.recording.at(start), run.recording.at(end))
            self.known[key] = names_of(panels, run.drawn(step), run.recording.pieces, look=look, lang=self.lang)
        return self.known[key]
