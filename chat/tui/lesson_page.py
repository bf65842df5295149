"""The texts of a lesson's screen at one moment: title, what is said, question and answers, the card at the end.

Knows where a lesson stands and how much is to be said in which width; no widget, and not what stands where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from ..lessons.speech import fold
from .lesson_text import Teller, clipped, safe

if TYPE_CHECKING:
    from ...viz.picture import Look
    from ..lessons.player import Player
    from .lesson_course import Course

VERDICT = 4
"""Lines of a verdict where it takes the timeline's place."""


class Page:
    """What is to be said now.

    Args:
        course: Where the lesson stands.
        look: As the tree is drawn.
    """

    def __init__(self, course: Course, look: Look) -> None:
        self._course = course
        self._look = look
        self._player = course.player
        self._teller = None
        if course.player is not None:
            self._teller = Teller(course.player, look, len(course.lesson.steps))

    def _safe(self, text: str) -> str:
        return safe(text, ascii=self._look.ascii)

    # -- the parts ----------------------------------------------------------------------------------------------------

    def banner(self, width: int, *, more: bool) -> Text:
        """Returns the line at the top; with `more`, it says that F2 shows more."""
        course, teller = self._course, self._teller
        if teller is not None and course.failed is None:
            return teller.banner(width, self._safe(course.doing()), more=more)
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(f" {self._safe(course.lesson.name or 'lesson')} ", "bold reverse")
        line.append(f" {self._safe(course.lesson.title.text(course.lang))}", "bold")
        return line

    def verdict(self, width: int) -> Text:
        """Returns what is said to an answer, in few lines; empty where there was none."""
        course, teller = self._course, self._teller
        return Text() if teller is None else teller.verdict(course.verdict, course.skipped, width, VERDICT)

    def brief(self, width: int, most: int) -> Text:
        """Returns what stands above the tree where they are stacked, in at most so many lines but for a question."""
        outside, player, teller = self._outside(width), self._player, self._teller
        if outside is not None or player is None or teller is None:
            return _text((outside or [])[:most])
        if player.question is not None:
            asked = fold(teller.safe(player.question.text), width)
            if player.question.pick:
                return _text([*asked, teller.said("pick")])
            choices = teller.choices(player.question, self._course.chosen, width, stacked=False)
            return _joined([*map(Text, asked), *choices])
        if self._course.ended:
            return _text(clipped(teller.ending(width), most, width, teller.more))
        if not player.step:
            lines = [*teller.narration(width), *teller.notices(width)]
            return _text([*clipped(lines, most - 1, width, teller.more), *fold(teller.said("begin"), width)[:1]])
        lines = clipped(self._told(teller, width), most, width, teller.more)
        steady = min(most, len(teller.narration(width))) - len(lines)  # so that the tree does not jump
        return _text([*lines, *[" "] * steady])

    def story(self, width: int) -> Text:
        """Returns all that is said, for the pane beside the tree, or in place of it."""
        outside, player, teller = self._outside(width), self._player, self._teller
        if outside is not None or player is None or teller is None:
            return _text(outside or [])
        course = self._course
        parts = [_text(fold(teller.safe(player.title()), width), "bold")]
        parts.append(teller.verdict(course.verdict, course.skipped, width))
        if player.question is not None:
            parts.append(_text(fold(teller.safe(player.question.text), width)))
            if player.question.pick:
                parts.append(_text(fold(teller.said("pick"), width), "dim"))
            else:
                parts.append(_joined(teller.choices(player.question, course.chosen, width, stacked=True)))
                parts.append(_text(fold(teller.said("choose"), width), "dim"))
        elif course.ended:
            parts.append(_text(teller.ending(width)))
        else:
            if not course.within:  # it tells how the step ends
                parts.append(_text(teller.narration(width)))
            if not player.step:
                parts += [_text(teller.notices(width)), _text(fold(teller.said("begin"), width), "dim")]
            elif event := teller.event():
                parts.append(_text(fold(event, width), "" if course.within else "dim"))
            parts.append(self.exhibits(width))
        if course.notes:
            parts.append(_text(teller.note(width), "italic"))
        return Text("\n\n", no_wrap=True).join(part for part in parts if part.plain)

    def exhibits(self, width: int, *, short: bool = False) -> Text:
        """Returns what the step shows; with `short`, bars are those of this step alone."""
        return Text() if self._player is None else self._player.exhibits(width, self._look, short=short)

    # -- how much it is -----------------------------------------------------------------------------------------------

    @property
    def stepping(self) -> Player | None:
        """The player while a step is told, or the title: no question, and not the card at the end."""
        player = self._player
        return None if player is None or player.question is not None or self._course.ended else player

    def lines(self, width: int) -> int:
        """Returns how many lines the step is told in, at its end or within."""
        teller = self._teller
        return 0 if teller is None else max(len(self._told(teller, width)), len(teller.narration(width)))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _outside(self, width: int) -> list[str] | None:
        """Returns what is said in place of the lesson: an error, or that it is loading."""
        failed = self._course.failed
        if failed is not None:
            return [line for part in (failed.what, failed.fix) for line in fold(self._safe(part), width)]
        return fold(self._safe(self._course.doing()), width) if self._player is None else None

    def _told(self, teller: Teller, width: int) -> list[str]:
        """Returns the note, or what an event did, or at the end of the step what is said of it."""
        note = teller.note(width) if self._course.notes else []
        return note or (fold(teller.event(), width) if self._course.within else teller.narration(width))


def _text(lines: list[str], style: str = "") -> Text:
    return Text("\n".join(lines), style, no_wrap=True)


def _joined(lines: list[Text]) -> Text:
    return Text("\n", no_wrap=True).join(lines)
