"""The course of a lesson on the screen: the player, and what is said besides it until one goes on.

Every key that moves, answers or begins a what-if does so here; what means nothing now is refused in the language of the
lesson. Knows players; no widget, no thread and no clock.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import UsageError, UserError
from ..lessons.player import Level, Player, Verdict
from .lesson_text import SIGNS, said

if TYPE_CHECKING:
    from ..lessons.running import Stage
    from ..lessons.runs import Run
    from ..lessons.schema import Lesson

LANGUAGES = ("en", "zh")


class Course:
    """A lesson under way.

    Args:
        lesson: What is taught.
        model: Its name, to be shown while it loads.
        lang: Language, two letters.
        level: How much is told.
        questions: Whether questions are asked.
        start: The step to begin with; None is the title card.

    Attributes:
        player: None until the first step is done.
        verdict: On the last answer, until one goes on.
        skipped: What is true of the question that was passed, likewise.
        chosen: Of the answers, from 0.
        ended: Whether the card at the end is shown.
        notes: Whether the presenter's notes are shown.
        busy: Whether the lesson, or a what-if, is running.
        complete: Whether all steps are there.
        failed: Why the lesson could not be run.
    """

    def __init__(
        self, lesson: Lesson, *, model: str, lang: str, level: Level, questions: bool, start: int | None
    ) -> None:
        self.lesson = lesson
        self.lang = lang
        self.player: Player | None = None
        self.verdict: Verdict | None = None
        self.skipped = ""
        self.chosen = 0
        self.ended = False
        self.notes = False
        self.busy = True
        self.complete = False
        self.failed: UserError | None = None
        self._model = model
        self._level = level
        self._questions = questions
        self._start = start
        self._warned = False  # that going on skips the question

    # -- words --------------------------------------------------------------------------------------------------------

    def said(self, word: str, **values: object) -> str:
        """Returns one of the screen's own texts."""
        return said(word, self.lang, **values)

    def error(self, word: str, **values: object) -> UsageError:
        """Returns an error in the language of the lesson: what is wrong, and what to do."""
        what, *fix = re.split(r"(?<=\.) |(?<=。)", self.said(word, **values), maxsplit=1)
        return UsageError(what.rstrip(".。"), "".join(fix))

    def doing(self) -> str:
        """Says what runs; "" for nothing."""
        steps = len(self.lesson.steps)
        if self.player is None or not self.complete:
            done = self.player.steps if self.player is not None else 0
            if not done and self._model != "words":
                return self.said("loading", model=self._model)
            return self.said("running", step=min(done + 1, steps), steps=steps)
        return self.said("again") if self.busy else ""

    # -- where it stands ----------------------------------------------------------------------------------------------

    @property
    def mode(self) -> str:
        """What keys mean now: "free", or "choices" or "pick" with a question open."""
        posed = self.player.question if self.player is not None else None
        if posed is None:
            return "free"
        return "pick" if posed.pick else "choices"

    @property
    def within(self) -> bool:
        """Whether somebody looks at a step event by event."""
        player = self.player
        return player is not None and player.step > 0 and player.position != player.run.steps[player.step - 1].end

    def idle(self) -> Player:
        """Returns the player. Raises UsageError while it is not there, or at work."""
        if self.failed is not None:
            raise UsageError("the lesson could not be run", "Ctrl-Q leaves.")
        if self.player is None or self.busy:
            raise self.error("at work")
        return self.player

    def grew(self, stage: Stage, run: Run, *, done: bool) -> None:
        """Takes note of another step that is done, or of all of them."""
        self.complete, self.busy = done, False
        if self.player is None:
            self.player = Player(stage, run, lang=self.lang, questions=self._questions, level=self._level)
        if done:
            self.player.notices = tuple(dict.fromkeys((*self.player.notices, *run.notes)))
        if self._start is not None and (done or len(run.steps) >= self._start):
            self.player.jump(self._start)
            self._start = None

    # -- moves --------------------------------------------------------------------------------------------------------

    def warn(self) -> bool:
        """Returns whether going on would skip a question and nobody was told so yet; now somebody is."""
        if self.idle().question is None or self._warned:
            return False
        self._warned = True
        return True

    def next(self) -> bool:
        """Goes on, past an open question too; returns False where the card at the end is all that comes.

        Raises:
            UsageError: the next step is not there yet.
        """
        player = self.idle()
        skipped = player.question.answer if player.question is not None else ""
        if self._awaited(player, player.step + 1):
            raise self.error("late", step=player.step + 1)
        self.forget()
        if player.at_end and not skipped:
            self.ended = True
            return False
        self.skipped = skipped
        player.next()
        return True

    def _awaited(self, player: Player, step: int) -> bool:
        return step > player.steps and not self.complete and player.question is None

    def forget(self) -> None:
        """What was said to the last answer is done with."""
        self.verdict, self.skipped, self.chosen, self._warned = None, "", 0, False

    def back(self) -> None:
        """Goes to the end of the step before."""
        player = self.idle()
        self.forget()
        if self.ended:
            self.ended = False
        else:
            player.back()

    def goto(self, number: str) -> int:
        """Goes to the end of a step, or of the last one; returns how many questions are passed.

        Raises:
            UsageError: there is no such step, it is not there yet, or a question is open.
        """
        player = self.idle()
        last = max(player.steps, len(self.lesson.steps))
        if number != "last" and (not number.isdigit() or int(number[:9]) > last):
            raise UsageError(self.said("no.step", step=number), self.said("no.step.fix", steps=last))
        step = last if number == "last" else int(number)
        if player.question is not None and step > player.step:
            raise self.error("to answer")
        if self._awaited(player, step):
            raise self.error("late", step=step)
        self._leave()
        passed = player.passed(step)
        player.jump(step)
        return passed

    def _leave(self) -> None:
        """Leaves the card at the end, and what was said."""
        self.forget()
        self.ended = False

    def restart(self) -> None:
        """Begins the lesson again."""
        player = self.idle()
        self._leave()
        player.restart()

    def event(self, way: str) -> bool:
        """Goes one event back or forward; returns whether anything changed."""
        player = self.idle()
        if way not in ("back", "forward"):
            raise UsageError(f"there is no way {way!r}", "Ways: back, forward.")
        before = player.position, player.question
        player.event(1 if way == "forward" else -1)
        changed = (player.position, player.question) != before or self.ended
        if changed:
            self._leave()
        return changed

    def step_at(self, position: int) -> int | None:
        """Returns the step that a position falls into; None while one cannot go there."""
        player = self.player
        if player is None or player.question is not None or self.busy:
            return None
        if position <= player.run.steps[0].start:
            return 0
        return next((run.number for run in player.run.steps if position <= run.end), player.steps)

    # -- answers ------------------------------------------------------------------------------------------------------

    def answer(self, sign: str) -> None:
        """Answers by one of the choices, and goes on."""
        player = self.idle()
        if len(sign) != 1 or sign not in SIGNS:
            raise UsageError(f"{sign!r} is no answer", f"Answers: {', '.join(SIGNS)}.")
        if player.question is None:
            raise self.error("unasked")
        self._judged(player, player.answer(SIGNS.index(sign)))

    def choose(self, way: str, node: int | None) -> bool:
        """Moves among the choices, or answers by the one that is chosen, or by a node; returns whether it answered."""
        player = self.idle()
        posed = player.question
        if posed is None:
            raise self.error("unasked")
        if way in ("up", "down") and not posed.pick:
            self.chosen = (self.chosen + (1 if way == "down" else -1)) % len(posed.choices)
            return False
        if way != "this":
            raise UsageError(f"there is no way {way!r}", "Ways: up, down, this.")
        if posed.pick and node is None:
            raise self.error("no node")
        self._judged(player, player.pick(node) if posed.pick and node is not None else player.answer(self.chosen))
        return True

    def _judged(self, player: Player, verdict: Verdict) -> None:
        """Says whether an answer was right, and shows what really happens."""
        self.forget()
        self.verdict = verdict
        player.next()

    # -- what if ------------------------------------------------------------------------------------------------------

    def changing(self) -> Player:
        """Returns the player, which is at work from now on. Raises UsageError while it is already."""
        player = self.idle()
        if not self.complete:
            raise self.error("at work")
        self.busy = True
        self._leave()
        return player

    def restore(self) -> None:
        """Goes back to the lesson itself. Raises UsageError when nothing is changed."""
        player = self.idle()
        if not player.in_what_if:
            raise self.error("unchanged")
        self._leave()
        player.restore()

    # -- how it is told -----------------------------------------------------------------------------------------------

    def speak(self, lang: str, *, ascii: bool) -> None:
        """Goes on in a language; with "" in the other one. Where only ASCII is drawn, there is but English."""
        lang = lang or LANGUAGES[(LANGUAGES.index(self.lang) + 1) % 2 if self.lang in LANGUAGES else 0]
        if lang not in LANGUAGES:
            raise UsageError(f"lessons are not told in {lang!r}", f"Languages: {', '.join(LANGUAGES)}.")
        if ascii and lang != "en":
            raise UsageError("this screen draws with ASCII only", "Leave out --ascii for Chinese.")
        self.lang = lang
        if self.player is not None:
            self.player.lang = lang

    def tell(self, level: str) -> str:
        """Goes on at a level, with "" at the other one; returns its name."""
        levels = [known.value for known in Level]
        if level and level not in levels:
            raise UsageError(f"there is no level {level!r}", f"Levels: {', '.join(levels)}.")
        self._level = Level(level) if level else Level(levels[1 - levels.index(self._level.value)])
        if self.player is not None:
            self.player.level = self._level
        return self._level.value
