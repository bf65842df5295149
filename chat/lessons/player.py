"""The player: where somebody is in a lesson, what may be shown there, and the questions; state without any screen.

Both front ends use it: they call one method for each key and draw what the player holds then. Knows runs and
questions; no widget, no terminal and no clock (automatic play is a front end's timer that calls `next`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rich.text import Text

from ...radix import Snapshot
from ...radix import events as ev
from ...radix.policies import POLICIES
from ...radix.travel import diff
from ...viz import sanitize
from ...viz.picture import Look
from ...viz.story import names_of, tell, tell_diff
from ..errors import UsageError
from .asking import Posed, pose
from .facts import fill
from .loading import LessonError
from .schema import MOST_ROOM, Request, Said, Step
from .speech import joined, say

if TYPE_CHECKING:
    from .running import Changes, Run, Stage, StepRun


class Level(StrEnum):
    """For whom the lesson is told."""

    INTRO = "intro"  # events that change the tree, and no more
    ENGINEER = "engineer"  # locks and free slots too


class Score(NamedTuple):
    """How the questions went."""

    right: int
    asked: int  # that were answered
    skipped: int = 0  # that were opened and passed without an answer


class Verdict(NamedTuple):
    """What is said to an answer."""

    right: bool
    text: str  # whether it was right, and what is true
    because: str  # the mistake behind a wrong answer; "" after a right one
    chosen: str = ""  # what was answered, as in "2, 45 tokens"


@dataclass(slots=True)
class _Place:
    """A place in a run."""

    run: Run
    step: int = 0  # 0 is the title card
    position: int = 0  # in the run's recording
    shown: int = 0  # the furthest step that was shown to its end
    asked: set[tuple[int, int]] = field(default_factory=set)  # step and number of questions answered or skipped
    open: tuple[int, int] | None = None  # step and number of the question that is open
    question: Posed | None = None
    names: dict[tuple[int, int, str, Look], dict[int, str]] = field(default_factory=dict)  # what nodes are called


class Player:
    """A lesson, played.

    Args:
        stage: Runs the lesson again for a what-if.
        run: The run to play.
        lang: Two letters; what is missing in that language is told in English, and `notices` says so.
        questions: Whether questions are asked.
        level: Which events are stops, and how much of each is told.

    Attributes:
        questions: May be changed at any time.
        verdict: On the last answer, until the next move.
        notices: What a person should know once, before the first step.
    """

    def __init__(
        self, stage: Stage, run: Run, *, lang: str = "en", questions: bool = True, level: Level = Level.INTRO
    ) -> None:
        self._stage = stage
        self._lang = lang
        self.questions = questions
        self._level = level
        self.verdict: Verdict | None = None
        self.notices: tuple[str, ...] = tuple(run.notes)
        if lang not in run.lesson.languages:
            self.notices += (say(lang, "untold", lang=lang),)
        self._right = self._answered = self._skipped = 0
        self._base: _Place | None = None  # where the lesson stood before the first what-if
        self._place = _Place(run)
        self._show(0)

    # -- where we are ----------------------------------------------------------------------------------------------

    @property
    def lang(self) -> str:
        """Language of everything that is told; may be changed at any time."""
        return self._lang

    @lang.setter
    def lang(self, lang: str) -> None:
        self._lang = lang
        self._pose_again()

    @property
    def level(self) -> Level:
        """For whom the lesson is told; may be changed at any time."""
        return self._level

    @level.setter
    def level(self, level: Level) -> None:
        self._level = level
        self._pose_again()

    @property
    def run(self) -> Run:
        """The run that is played: the lesson's own, or a what-if's."""
        return self._place.run

    @property
    def step(self) -> int:
        """The step that is shown; 0 is the title card. With a question open, the step before the one asked about."""
        return self._place.step

    @property
    def steps(self) -> int:
        """How many steps the run has."""
        return len(self.run.steps)

    @property
    def position(self) -> int:
        """Position in `run.recording`."""
        return self._place.position

    @property
    def limit(self) -> int:
        """Nothing after this position may be shown by anybody."""
        return self.position if self.question is not None else self._end(max(self._place.shown, self.step))

    @property
    def snapshot(self) -> Snapshot:
        """The state of the cache at the position."""
        return self.run.recording.at(self.position)

    @property
    def question(self) -> Posed | None:
        """The question that is open now."""
        return self._place.question

    @property
    def veiled(self) -> bool:
        """Whether ages and the next victim are hidden: a question is open, or what goes will be asked about next."""
        if self.question is not None:
            return True
        if not self.questions or self.step >= self.steps:
            return False
        asks = enumerate(self.run.steps[self.step].step.ask)
        return any(one.kind in _OF_WHAT_GOES and (self.step + 1, at) not in self._place.asked for at, one in asks)

    @property
    def score(self) -> Score:
        """How the questions of the lesson went so far; those of what-ifs count for nothing."""
        return Score(self._right, self._answered, self._skipped)

    @property
    def at_end(self) -> bool:
        """Whether nothing comes any more."""
        return self.question is None and self.step == self.steps and self.position == self._end(self.step)

    @property
    def lesson_step(self) -> int:
        """The step of the lesson that is shown: what a what-if adds belongs to the one before it."""
        return sum(map(self._ours, self.run.steps[: self.step]))

    @property
    def pauses(self) -> bool:
        """Whether automatic play waits here: an open question, or a step that says so."""
        return self.question is not None or (self.step > 0 and self._current.step.pause)

    @property
    def letters(self) -> dict[int, str]:
        """Letters of nodes and tombstones in this panel, by id; what went has the letter that it had before."""
        return self.run.drawn(self.step)

    # -- moving ----------------------------------------------------------------------------------------------------

    def next(self) -> None:
        """Goes on: to the end of the step, to the next question about the coming one, or to the coming one's end.

        An open question is skipped. At the end of the lesson nothing happens.
        """
        self.verdict = None
        if self.question is not None:
            self._settle()
            self._skipped += not self.in_what_if
        elif self.position < self._end(self.step):
            self._place.position = self._end(self.step)
            return
        if self.step < self.steps and not self._ask():
            self._show(self.step + 1)

    def back(self) -> None:
        """Goes to the end of the step before. An open question closes; it is asked again on the way forward."""
        self._show(max(0, self.step - 1))

    def jump(self, step: int) -> None:
        """Goes to the end of any step; 0 is the title card. Questions on the way count as not asked."""
        self._show(max(0, min(step, self.steps)))

    def passed(self, step: int) -> int:
        """Returns how many questions a jump to a step would pass in what was not shown before."""
        coming = range(self._place.shown + 1, min(step, self.steps) + 1)
        return sum(len(self._unasked(number)) for number in coming)

    def restart(self) -> None:
        """Begins the lesson again: no what-if, all questions to be asked, nothing counted."""
        self._place, self._base = _Place((self._base or self._place).run), None
        self._right = self._answered = self._skipped = 0
        self._show(0)

    def event(self, by: int) -> None:
        """Goes some events forward, or back when negative, within what may be shown; with a question open, nowhere.

        Where the coming step has a question that was not asked, the way forward into it opens the question.
        """
        if self.question is not None or not by:
            return
        self.verdict = None
        end = self._end(self.step)
        if by > 0 and self.position == end and self.position < self.limit and self._ask():
            return
        stops = self._stops()
        at = bisect_left(stops, self.position) if by < 0 else bisect_right(stops, self.position) - 1
        position = stops[max(0, min(at + by, len(stops) - 1))]
        self._place.position = position = min(position, end) if self._coming() is not None else position
        ends = [self._end(step) for step in range(self.steps + 1)]
        self._place.step = bisect_left(ends, position)

    # -- questions -------------------------------------------------------------------------------------------------

    def answer(self, choice: int) -> Verdict:
        """Answers the open question by one of its choices, counted from 0; `next` goes on.

        Raises:
            UsageError: no question is open, or it has no such choice.
        """
        posed = self._asked()
        if not 0 <= choice < len(posed.choices):
            raise UsageError("there is no such answer", f"Choose one of 1 to {len(posed.choices)}.")
        chosen = posed.choices[choice]
        said = say(self.lang, "chosen", sign=choice + 1, text=chosen.text)
        return self._judge(posed, chosen.right, chosen.because, said)

    def pick(self, node: int) -> Verdict:
        """Answers the open question by a node of the tree; `next` goes on.

        Raises:
            UsageError: no question is open, it is not about a node, or the tree has no such node.
        """
        posed = self._asked()
        if not posed.pick:
            raise UsageError("this question is not about a node", "Choose one of its answers.")
        if node not in posed.nodes and node not in posed.mistakes:
            raise UsageError(f"there is no node #{node} in the tree", "Pick one that is drawn.")
        known = (choice.text for choice in posed.choices if choice.node == node)
        return self._judge(posed, node in posed.nodes, posed.mistakes.get(node, ""), next(known, f"#{node}"))

    # -- what if ---------------------------------------------------------------------------------------------------

    @property
    def in_what_if(self) -> bool:
        """Whether a what-if is played."""
        return self._base is not None

    def what_if(self, text: str) -> None:
        """Runs the lesson again with one thing changed, on top of what was changed already, and stays at its place.

        May take as long as the lesson's run did. An open question closes and is not counted; `restore` opens it again.

        Args:
            text: `/capacity 110`, `/policy fifo`, `/split-recency prefix`, `/page-size 4`, or a prompt to send after
                this step.

        Raises:
            UserError: the text makes no sense, or the lesson cannot run like that; nothing changes.
        """
        text = text.strip()
        place, step = self._place, self.step
        if text.startswith("/"):
            changes = _setting(place.run.changes, text)
        else:
            changes, step = self._prompted(text)
        run = self._changed(changes)
        if self._base is None:
            self._base = place
        past = {key for key in place.asked if key[0] <= place.step}
        self._place = _Place(run, asked=past)
        self._show(step)

    def restore(self) -> None:
        """Leaves the what-ifs and goes back to where the lesson stood; does nothing outside one."""
        if self._base is not None:
            self._place, self._base = self._base, None
            self.verdict = None
            self._pose_again()

    # -- telling ---------------------------------------------------------------------------------------------------

    def title(self) -> str:
        """Returns the title of the lesson, of the step, or of the step that is asked about."""
        step = self._topic()
        return self._said(self.run.lesson.title if step is None else step.title)

    def narration(self, look: Look | None = None) -> str:
        """Returns what is said here, with the facts of the step filled in: with a question open, the question alone.

        In a what-if it is what the step did, for the lesson speaks of another run.
        """
        if self.question is not None:
            return self.question.text
        if not self.step:
            return self._said(self.run.lesson.about)
        said, done = self._current.step.say, ""
        if self.run.changes:
            said, done = None if self._ours(self._current) else said, self._done(look)
        told = sanitize(fill(said.text(self.lang), self.run, self.step)) if said is not None else ""
        return joined(self.lang, told, done)

    def _done(self, look: Look | None) -> str:
        """Returns what the step did."""
        run, step = self.run, self._current
        look = look or Look(abridged=run.abridged)
        names = self.names(step.start, step.end, look)
        found = diff(run.recording, step.start, step.end)
        return " · ".join(tell_diff(found, run.recording.pieces, look=look, lang=self.lang, names=names)[1:])

    def line(self, look: Look | None = None) -> str:
        """Returns what the event at the position did, in one line; "" where nothing happened yet."""
        for position in range(self.position, 0, -1):
            line = self.tell(position, look)
            if line:
                return line
            if isinstance(self.run.recording.events[position - 1], ev.StepOpened):
                break
        return ""

    def tell(self, position: int, look: Look | None = None) -> str | None:
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
            quiet=self.level is Level.ENGINEER, veiled=self.question is not None,
            names=self.names(position - 1, position, look),
        )  # fmt: skip

    def names(self, start: int, end: int, look: Look) -> dict[int, str] | None:
        """Returns what nodes are called from one position to another, by id: a letter, else their text.

        None at a level where they are called by their numbers.
        """
        if self.level is Level.ENGINEER:
            return None
        run, known, key = self.run, self._place.names, (start, end, self.lang, look)
        if key not in known:
            step = next((step.number for step in run.steps if end <= step.end), len(run.steps))
            panels = (run.recording.at(start), run.recording.at(end))
            known[key] = names_of(panels, run.drawn(step), run.recording.pieces, look=look, lang=self.lang)
        return known[key]

    def note(self) -> str:
        """Returns the presenter's note of the step, or of the step that is asked about."""
        step = self._topic()
        return self._said(step.note) if step is not None else ""

    def heading(self) -> str:
        """Returns what a what-if changed, as in `WHAT IF capacity 110`; "" outside one."""
        return self.run.changes.heading(self.lang) if self.run.changes else ""

    def exhibits(self, width: int, look: Look, *, short: bool = False) -> Text:
        """Returns what the step shows beside the tree, at most `width` cells wide; empty while a question is open.

        With `short`, bars are those of this step alone.
        """
        if not self.step or self.question is not None or not self._current.step.show:
            return Text()
        from .exhibits import exhibit

        return exhibit(self.run, self.step, self.lang, width=width, look=look, short=short)

    # -- inside ----------------------------------------------------------------------------------------------------

    @property
    def _current(self) -> StepRun:
        return self.run.steps[self.step - 1]

    def _ours(self, run: StepRun) -> bool:
        """Returns whether a step is of the lesson; a what-if may add others."""
        return any(run.step is step for step in self.run.lesson.steps)

    def _changed(self, changes: Changes) -> Run:
        """Runs a what-if; where the capacity is too small, says what would do."""
        try:
            return self._stage.run(changes)
        except LessonError as error:
            own = (self._base or self._place).run
            longest = max((int(key.size) for step in own.steps for key in step.keys), default=0)
            if changes.capacity is None or changes.capacity >= longest:
                raise
            fix = f"Give at least {longest:,}: the longest prompt of the lesson takes so much with its reply."
            raise LessonError(error.what, fix) from None

    def _end(self, step: int) -> int:
        """Returns the position at the end of a step; 0 is before the first."""
        steps = self.run.steps
        if step:
            return steps[step - 1].end
        return steps[0].start if steps else 0

    def _stops(self) -> list[int]:
        """Returns where events may be looked at, from the beginning to the limit."""
        start, limit = self._end(0), self.limit
        if self.level is Level.ENGINEER:
            return list(range(start, limit + 1))
        stops = [start]
        for run in self.run.steps:
            if run.end > limit:
                break
            events = self.run.recording.events[run.start : run.end]
            loud = [run.start + at for at, event in enumerate(events, 1) if type(event) not in ev.QUIET]
            stops += [*loud[:-1], run.end]  # the quiet events after the last loud one belong to it
        return stops

    def _show(self, step: int) -> None:
        """Goes to the end of a step."""
        place = self._place
        place.step, place.position = step, self._end(step)
        place.shown = max(place.shown, step)
        place.question = place.open = self.verdict = None

    def _ask(self) -> bool:
        """Opens the next question about the coming step; returns whether there was one."""
        coming = self._coming()
        if coming is not None:
            self._place.open, self._place.question = coming
        return coming is not None

    def _coming(self) -> tuple[tuple[int, int], Posed] | None:
        """Returns the next question about the coming step, and where it stands."""
        if not self.questions or self.step >= self.steps:
            return None
        return next(((key, posed) for key in self._unasked(self.step + 1) if (posed := self._posed(*key))), None)

    def _unasked(self, number: int) -> list[tuple[int, int]]:
        """Returns which questions about a step were neither answered nor skipped."""
        if not self.questions:
            return []
        keys = [(number, index) for index in range(len(self.run.steps[number - 1].step.ask))]
        return [key for key in keys if key not in self._place.asked]

    def _posed(self, number: int, index: int) -> Posed | None:
        return pose(
            self.run, number, self.run.steps[number - 1].step.ask[index], self.lang, ids=self.level is Level.ENGINEER
        )

    def _pose_again(self) -> None:
        """Says the open question in the language of the moment."""
        if self._place.open is not None:
            self._place.question = self._posed(*self._place.open)

    def _asked(self) -> Posed:
        if self.question is None:
            raise UsageError("no question is open", "Go on with the lesson.")
        return self.question

    def _settle(self) -> None:
        """Closes the open question for good."""
        if self._place.open is not None:
            self._place.asked.add(self._place.open)
        self._place.question = self._place.open = None

    def _judge(self, posed: Posed, right: bool, because: str, chosen: str) -> Verdict:
        self._settle()
        if not self.in_what_if:
            self._answered += 1
            self._right += right
        self.verdict = Verdict(right, posed.answer, because, chosen)
        return self.verdict

    def _prompted(self, text: str) -> tuple[Changes, int]:
        """Returns the changes of a what-if that sends a prompt after this step, and the step it then is.

        It is a message of the conversation that the step was about, or a prompt as it stands.
        """
        if not text:
            raise UsageError("the prompt is empty", "Type what to send after this step.")
        if not self.step:
            raise UsageError("nothing was sent yet", "Go to a step first; a prompt of yours is sent after it.")
        if len(text) > _LONGEST:
            raise UsageError("the prompt is too long", f"Write at most {_LONGEST:,} characters.")
        requests = self._current.step.requests
        conversation = requests[-1].conversation if requests and requests[-1].user is not None else ""
        request = Request(user=text, conversation=conversation) if conversation else Request(prompt=text)
        number = self.lesson_step
        extra = (*self.run.changes.extra, (number, request))
        return replace(self.run.changes, extra=extra), number + sum(at <= number for at, _ in extra)

    def _topic(self) -> Step | None:
        """Returns the step that is shown or asked about; None on the title card."""
        number = self._place.open[0] if self._place.open is not None else self.step
        return self.run.steps[number - 1].step if number else None

    def _said(self, said: Said | None) -> str:
        """Returns what the lesson says as it stands, safe to print."""
        return sanitize(said.text(self.lang)) if said is not None else ""


_BEGIN: Final = (ev.RequestStarted, ev.StepOpened)  # what is told after them is told anew
_OF_WHAT_GOES: Final = ("victim", "freed")  # kinds of questions
_LONGEST: Final = 10_000  # characters of a prompt that somebody types
_SETTINGS: Final = {
    "/capacity": "capacity",
    "/policy": "policy",
    "/split-recency": "split_recency",
    "/page-size": "page_size",
}
_CHOICES: Final = {"policy": tuple(POLICIES), "split_recency": ("both", "prefix")}


def _setting(changes: Changes, text: str) -> Changes:
    """Returns changes with one setting of the cache more, written as in `/capacity 110`."""
    name, _, value = text.partition(" ")
    value = value.strip()
    field = _SETTINGS.get(name)
    if field is None:
        raise UsageError(f"{name} cannot be changed in a lesson", f"Change one of {', '.join(_SETTINGS)}.")
    if field in _CHOICES:
        if value not in _CHOICES[field]:
            raise UsageError(f"{name} takes no {value!r}", f"Choose one of {', '.join(_CHOICES[field])}.")
        return _with(changes, field, value)
    if not value.isascii() or not value.isdigit() or not value.strip("0"):
        raise UsageError(f"{name} takes a number of tokens, not {value[:40]!r}", f"Write it like this: {name} 16")
    if len(value.lstrip("0")) > len(str(MOST_ROOM)) or int(value) > MOST_ROOM:
        raise UsageError(f"{name} {value[:40]} is more than a lesson holds", f"Give at most {MOST_ROOM:,}.")
    return _with(changes, field, int(value))


def _with(changes: Changes, field: str, value: Any) -> Changes:
    return replace(changes, **{field: value})
