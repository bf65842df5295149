"""The player: where somebody is in a lesson, what may be shown there, and the questions; state without any screen.

Both front ends use it: they call one method for each key and draw what the player holds then. Knows runs and
questions; no widget, no terminal and no clock (automatic play is a front end's timer that calls `next`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from ...radix import Snapshot
from ...viz import sanitize
from ...viz.picture import Look
from ..errors import UsageError
from .asking import Posed, pose
from .cases import OF_GOING
from .loading import LessonError
from .places import Place
from .speech import say
from .telling import Level, Telling
from .what_if import prompted, setting, with_fix

if TYPE_CHECKING:
    from .running import Stage
    from .runs import Changes, Run
    from .schema import Said


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
        self._base: Place | None = None  # where the lesson stood before the first what-if
        self._place = Place(run)
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
        return self._place.steps

    @property
    def position(self) -> int:
        """Position in `run.recording`."""
        return self._place.position

    @property
    def limit(self) -> int:
        """Nothing after this position may be shown by anybody."""
        return self._place.limit

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
        return any(one.kind in OF_GOING and (self.step + 1, at) not in self._place.asked for at, one in asks)

    @property
    def score(self) -> Score:
        """How the questions of the lesson went so far; those of what-ifs count for nothing."""
        return Score(self._right, self._answered, self._skipped)

    @property
    def at_end(self) -> bool:
        """Whether nothing comes any more."""
        return self.question is None and self.step == self.steps and self._place.at_end

    @property
    def lesson_step(self) -> int:
        """The step of the lesson that is shown: what a what-if adds belongs to the one before it."""
        return self.run.told(self.step)

    @property
    def pauses(self) -> bool:
        """Whether automatic play waits here: an open question, or a step that says so."""
        return self.question is not None or (self.step > 0 and self.run.steps[self.step - 1].step.pause)

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
            self._place.settle()
            self._skipped += not self.in_what_if
        elif not self._place.at_end:
            self._place.position = self._place.end(self.step)
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
        self._place, self._base = Place((self._base or self._place).run), None
        self._right = self._answered = self._skipped = 0
        self._show(0)

    def event(self, by: int) -> None:
        """Goes some events forward, or back when negative, within what may be shown; with a question open, nowhere.

        Where the coming step has a question that was not asked, the way forward into it opens the question.
        """
        if self.question is not None or not by:
            return
        self.verdict = None
        if by > 0 and self._place.at_end and self.position < self.limit and self._ask():
            return
        self._place.move(by, quiet=self.level is Level.ENGINEER, within=self._coming() is not None)

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
        text, place = text.strip(), self._place
        if text.startswith("/"):
            changes, step = setting(place.run.changes, text), self.step
        else:
            changes, step = prompted(place.run, self.step, text)
        run = self._run_again(changes)
        if self._base is None:
            self._base = place
        past = {key for key in place.asked if key[0] <= place.step}
        self._place = Place(run, asked=past)
        self._show(step)

    def restore(self) -> None:
        """Leaves the what-ifs and goes back to where the lesson stood; does nothing outside one."""
        if self._base is not None:
            self._place, self._base = self._base, None
            self.verdict = None
            self._pose_again()

    # -- telling ---------------------------------------------------------------------------------------------------

    @property
    def _telling(self) -> Telling:
        return Telling(self.run, self.lang, self.level, self.question is not None, self._place.names)

    def title(self) -> str:
        """Returns the title of the lesson, of the step, or of the step that is asked about."""
        topic = self._place.topic
        return self._said(self.run.lesson.title if topic is None else topic.step.title)

    def narration(self, look: Look | None = None) -> str:
        """Returns what is said here, with the facts of the step filled in: with a question open, the question alone.

        In a what-if it is what the step did, for the lesson speaks of another run.
        """
        if self.question is not None:
            return self.question.text
        return self._telling.step(self.step, look) if self.step else self._said(self.run.lesson.about)

    def line(self, look: Look | None = None) -> str:
        """Returns what the event at the position did, in one line; "" where nothing happened yet."""
        return self._telling.last(self.position, look)

    def tell(self, position: int, look: Look | None = None) -> str | None:
        """Says in one line what the event before a position did; None for one that is not told, as in `Telling`."""
        return self._telling.event(position, look)

    def names(self, start: int, end: int, look: Look) -> dict[int, str] | None:
        """Returns what nodes are called from one position to another, by id; None: by their numbers."""
        return self._telling.names(start, end, look)

    def note(self) -> str:
        """Returns the presenter's note of the step, or of the step that is asked about."""
        topic = self._place.topic
        return self._said(topic.step.note) if topic is not None else ""

    def heading(self) -> str:
        """Returns what a what-if changed, as in `WHAT IF capacity 110`; "" outside one."""
        return self.run.changes.heading(self.lang) if self.run.changes else ""

    def exhibits(self, width: int, look: Look, *, short: bool = False) -> Text:
        """Returns what the step shows beside the tree, at most `width` cells wide; empty while a question is open.

        With `short`, bars are those of this step alone.
        """
        if not self.step or self.question is not None or not self.run.steps[self.step - 1].step.show:
            return Text()
        from .exhibits import exhibit

        return exhibit(self.run, self.step, self.lang, width=width, look=look, short=short)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _run_again(self, changes: Changes) -> Run:
        """Runs a what-if; where the capacity is too small, says what would do."""
        try:
            return self._stage.run(changes)
        except LessonError as error:
            raise with_fix(error, changes, (self._base or self._place).run) from None

    def _show(self, step: int) -> None:
        """Goes to the end of a step."""
        self.verdict = None
        self._place.show(step)

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
        """Returns which questions about a step are still to be asked."""
        return self._place.unasked(number) if self.questions else []

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

    def _judge(self, posed: Posed, right: bool, because: str, chosen: str) -> Verdict:
        self._place.settle()
        if not self.in_what_if:
            self._answered += 1
            self._right += right
        self.verdict = Verdict(right, posed.answer, because, chosen)
        return self.verdict

    def _said(self, said: Said | None) -> str:
        """Returns what the lesson says as it stands, safe to print."""
        return sanitize(said.text(self.lang)) if said is not None else ""
