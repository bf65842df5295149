"""The plain player: a lesson line by line, for pipes, scripts, screen readers and any terminal.

In a pipe it tells the whole lesson, each question followed by its answer; at a keyboard it takes one line at a time.
What is told goes to stdout, talk and errors go to stderr. Knows a player and a terminal; no cache and no widget.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from rich.text import Text

from ...radix import Snapshot
from ...radix.events import StepOpened
from ...viz import PALETTES, legend, memory_line, rail_rows, sanitize, tree_text
from ...viz.blocks import blocks
from ...viz.picture import Look
from ...viz.veil import veil
from ..errors import INTERRUPTED, UsageError, UserError
from ..terminal import Terminal, open_terminal
from .asking import Posed
from .loading import check_step, load_lesson
from .notes import Beacon
from .player import Level, Player, Verdict
from .running import Stage
from .speech import fold, in_ascii, joined, say

SIGNS: Final = ("1", "2", "3", "4")  # of choices; nodes have letters
_MOST: Final = 100  # cells of a line of running text


def run_plain(
    name: str,
    *,
    model: str,
    lang: str,
    level: str,
    questions: bool,
    auto: float | None,
    step: int | None,
    color: str,
    ascii: bool,
    theme: str | None = None,
    view: str | None = None,
) -> int:
    """Plays a lesson line by line; returns the exit code.

    Args:
        name: Of a shipped lesson, or a file.
        model: "words", radish, a folder, or a hub id.
        lang: Two letters.
        level: intro or engineer.
        questions: Whether questions are asked.
        auto: Seconds from step to step; None waits for the keyboard, and not at all in a pipe.
        step: In a pipe the only step to tell, at a keyboard the one to begin with.
        color: auto, always or never.
        ascii: Whether to print ASCII only; then it is told in English.
        theme: Colours.
        view: Of the app; the plain player draws the outline.

    Raises:
        UserError: no such lesson, model or step.
    """
    lesson = load_lesson(name)
    check_step(lesson, step)
    terminal = _terminal(color, ascii, theme)
    if terminal.ascii and lang != "en":
        terminal.say("only ASCII can be printed here: told in English")
        lang = "en"
    if terminal.interactive and model != "words":
        terminal.say(f"loading {sanitize(model, ascii=terminal.ascii)} ...")
    stage = Stage(lesson, model)
    player = Player(stage, stage.run(), lang=lang, questions=questions, level=Level(level))
    plain = PlainLesson(player, terminal, auto=auto)
    return plain.converse(step or 0) if terminal.interactive else plain.recite(step)


def _terminal(color: str, ascii: bool, theme: str | None) -> Terminal:
    """Looks at the terminal; what is told goes to stdout, so that decides about colour, and whether anybody follows."""
    shown = sys.stdout.isatty()
    if color == "auto" and not shown and not os.environ.get("FORCE_COLOR"):
        color = "never"
    terminal = open_terminal(color, ascii)
    palette = theme if theme in PALETTES else terminal.palette
    return replace(terminal, interactive=terminal.interactive and shown, palette=palette)


class PlainLesson:
    """Tells what a player holds.

    Args:
        player: Where the lesson is.
        terminal: Where to print.
        auto: Seconds from step to step; None is no automatic play.
        read: Asks for a line, given the prompt; None asks the keyboard. Raises EOFError at the end of the input.
        sleep: Waits for some seconds.
        beacon: Tells the presenter's second terminal where the lesson is.
    """

    def __init__(
        self,
        player: Player,
        terminal: Terminal,
        *,
        auto: float | None = None,
        read: Callable[[str], str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        beacon: Beacon | None = None,
    ) -> None:
        self.player = player
        self.terminal = terminal
        self._auto = auto
        self._read = read or input
        self._sleep = sleep
        self._beacon = beacon
        self._explained = False  # the legend was printed

    # -- in a pipe -------------------------------------------------------------------------------------------------

    def recite(self, step: int | None = None) -> int:
        """Tells the whole lesson, or one step with the questions about it; returns the exit code."""
        player = self.player
        self._notices()
        if step is not None:
            player.jump(max(0, step - 1))
        if not step:
            self._show()
        try:
            while not player.at_end and (step is None or player.step < step):
                self._wait()
                player.next()
                self._show()
                if player.question is not None:
                    self._reveal(player.question)
        except KeyboardInterrupt:
            return INTERRUPTED
        return 0

    def _wait(self) -> None:
        if self._auto is not None:
            self._sleep(self._auto)

    # -- at a keyboard ---------------------------------------------------------------------------------------------

    def converse(self, step: int = 0) -> int:
        """Takes lines until the person leaves; returns the exit code."""
        beacon = self._beacon or Beacon()
        self._notices()
        self.player.jump(step)
        try:
            self._show()
            while True:
                beacon.tell(self.player)
                if self._auto is not None and not self.player.pauses and not self.player.at_end:
                    self._sleep(self._auto)
                    line = ""
                else:
                    line = self._read(f"{self._prompt()}> ")
                if not self.line(line):
                    return 0
        except EOFError:
            print(file=self.terminal.err)
            return 0
        except KeyboardInterrupt:
            print(file=self.terminal.err)
            return INTERRUPTED
        finally:
            beacon.close()

    def line(self, line: str) -> bool:
        """Does what a line asks for; returns False when the person leaves."""
        try:
            return self._do(line.strip())
        except UserError as error:
            self._say(error.what)
            self._say(error.fix)
        return True

    def _do(self, line: str) -> bool:
        player, word = self.player, line.lower()
        if word in ("q", "quit"):
            return False
        if word in ("", "n", "next"):
            if player.at_end:
                return False
            player.next()
            self._show()
        elif player.question is not None and word.isdecimal():
            self._answer(word, len(player.question.choices))
        elif player.question is not None and word.startswith("#") and word[1:].isdecimal():
            self._judge(player.pick(int(word[1:])))
        elif word in ("b", "back"):
            player.back()
            self._show()
        elif word.removeprefix("go ").strip().isdecimal():
            self._jump(int(word.removeprefix("go ")[:9]))
        elif word in ("+", "-"):
            player.event(1 if word == "+" else -1)
            self._show(moved=True)
        elif word in ("r", "restore"):
            self._restore()
        elif line.startswith("/") or word.startswith("say "):
            player.what_if(line if line.startswith("/") else line[4:])
            self._show()
        elif word in ("h", "help", "?"):
            for key in ("next", "back", "answer", "event", "what_if", "say", "leave"):
                self._say(self._said(f"help.{key}"))
        else:
            raise UsageError(self._said("unknown", text=repr(line)), self._said("unknown.fix"))
        return True

    def _answer(self, sign: str, count: int) -> None:
        if sign not in SIGNS[:count]:
            raise UsageError(self._said("no.choice", text=sign), self._said("no.choice.fix", text=sign, count=count))
        self._judge(self.player.answer(SIGNS.index(sign)))

    def _jump(self, step: int) -> None:
        if step > self.player.steps:
            raise _no_step(self.player.lang, step, self.player.steps)
        self.player.jump(step)
        self._show()

    def _restore(self) -> None:
        if not self.player.in_what_if:
            raise UsageError(self._said("no.what_if"), self._said("no.what_if.fix"))
        self.player.restore()
        self._show()

    def _prompt(self) -> str:
        player = self.player
        if player.question is not None:
            text = self._said("prompt.ask", signs=f"1-{len(player.question.choices)}")
        elif player.at_end:
            text = self._said("prompt.end", steps=player.steps)
        else:
            text = self._said("prompt", steps=player.steps)
        return in_ascii(text) if self.terminal.ascii else text

    # -- telling ---------------------------------------------------------------------------------------------------

    def _notices(self) -> None:
        for notice in self.player.notices:
            self._say(notice)

    def _show(self, *, moved: bool = False) -> None:
        """Prints what the player holds now: an open question, the title card, or a step.

        Args:
            moved: Whether somebody moved by an event: then that event alone is told, in place of the step.
        """
        player = self.player
        if player.question is not None:
            self._ask(player.question)
            return
        if player.heading():
            self._heading(player.heading())
        if player.step:
            self._heading(self._said("step", step=player.step, steps=player.steps, title=player.title()))
        else:
            self._heading(player.title())
        if moved:
            self._tell(player.line(self._look))
        else:
            self._tell(player.narration(self._look))
            self._events()
        if player.step:
            self._tree()
            self._exhibits()
        self._blank()
        if player.at_end and self.terminal.interactive:
            self._score()

    def _events(self) -> None:
        player = self.player
        if not player.step:
            return
        step = player.run.steps[player.step - 1]
        events = player.run.recording.events
        for position in range(step.start + 1, step.end + 1):
            line = None if isinstance(events[position - 1], StepOpened) else player.tell(position, self._look)
            if line:
                self._tell(line, "- ")

    def _tree(self) -> None:
        """Prints the tree and the pool; silent about what goes next when a question about that follows."""
        player, terminal = self.player, self.terminal
        veiled = player.veiled
        snapshot = veil(player.snapshot) if veiled else player.snapshot
        style: dict[str, Any] = {
            "width": terminal.width, "palette": terminal.palette, "ascii": terminal.ascii, "colour": terminal.colour,
            "veiled": veiled,
        }  # fmt: skip
        memory = player.run.bytes_per_token or None
        if snapshot.blocks is not None:
            self._blocks(snapshot, veiled)
            self._paint(memory_line(snapshot, bytes_per_token=memory, **style))
            return
        rows = rail_rows(snapshot, bytes_per_token=memory)
        if rows:
            pieces, abridged = player.run.recording.pieces, player.run.abridged
            tree = tree_text(
                rows, pieces, heading=self._said("tree"), abridged=abridged, letters=player.letters, **style
            )
            self._paint(tree)
        else:
            self._tell(self._said("tree.empty"))
        if rows and not self._explained:
            self._paint(legend(lang=player.lang, **style))
            self._explained = True
        self._paint(memory_line(snapshot, bytes_per_token=memory, **style))

    def _blocks(self, snapshot: Snapshot, veiled: bool) -> None:
        """Prints hash blocks as chains, tables and queue."""
        player = self.player
        look = replace(self._look, lang=player.lang)
        picture = blocks(
            snapshot, player.run.recording.pieces, width=self.terminal.width, look=look, letters=player.letters,
            veiled=veiled,
        )  # fmt: skip
        for y in range(picture.height):
            self._paint(picture.line(y))
        if not self._explained:
            style: dict[str, Any] = {"palette": look.palette, "ascii": look.ascii, "colour": look.colour}
            self._paint(legend(width=self.terminal.width, lang=player.lang, veiled=veiled, blocks=True, **style))
            self._explained = True

    def _exhibits(self) -> None:
        exhibits = self.player.exhibits(self.terminal.width, self._look)
        if exhibits.plain.strip():
            self._blank()
            self._paint(exhibits)

    # -- questions -------------------------------------------------------------------------------------------------

    def _ask(self, posed: Posed) -> None:
        player = self.player
        self._heading(self._said("asks", step=player.step + 1, title=player.title()))
        self._tell(posed.text)
        for sign, choice in zip(SIGNS, posed.choices, strict=False):
            self._tell(choice.text, f"  {sign}  ")
        self._blank()

    def _reveal(self, posed: Posed) -> None:
        """Prints the answer to a question that nobody answers."""
        right = next(place for place, choice in enumerate(posed.choices) if choice.right)
        self._tell(self._said("answer.is", sign=SIGNS[right], text=posed.answer))
        self._blank()

    def _judge(self, verdict: Verdict) -> None:
        word = self._said("right") if verdict.right else self._said("wrong", chosen=verdict.chosen)
        self._tell(joined(self.player.lang, word, verdict.because, verdict.text))
        self._blank()

    def _score(self) -> None:
        score = self.player.score
        lines = [self._said("score", right=score.right, asked=score.asked)] if score.asked else []
        if score.skipped:
            lines.append(self._said("skipped", n=score.skipped))
        self._tell(" · ".join([self._said("end"), *lines]))

    # -- printing --------------------------------------------------------------------------------------------------

    @property
    def _look(self) -> Look:
        terminal = self.terminal
        return Look(terminal.palette, terminal.ascii, terminal.colour, abridged=self.player.run.abridged)

    def _said(self, key: str, **values: object) -> str:
        return say(self.player.lang, key, **values)

    def _safe(self, text: str) -> str:
        return sanitize(in_ascii(text) if self.terminal.ascii else text, ascii=self.terminal.ascii)

    def _heading(self, text: str) -> None:
        for line in self._folded(text, _MOST):
            self._paint(Text(line, "bold" if self.terminal.colour else ""))

    def _tell(self, text: str, mark: str = "") -> None:
        """Prints running text, its first line behind a mark and the others below."""
        for line in self._folded(text, min(_MOST, self.terminal.width) - len(mark)):
            self._paint(Text(mark + line))
            mark = " " * len(mark)

    def _folded(self, text: str, width: int) -> list[str]:
        text = self._safe(text).strip()
        return fold(text, max(10, min(width, self.terminal.width))) if text else []

    def _paint(self, text: Text) -> None:
        self.terminal.console(self.terminal.out).print(text, soft_wrap=True)

    def _blank(self) -> None:
        print(file=self.terminal.out, flush=True)

    def _say(self, text: str) -> None:
        self.terminal.say(self._safe(text))


def _no_step(lang: str, step: int, steps: int) -> UsageError:
    return UsageError(say(lang, "no.step", step=step), say(lang, "no.step.fix", steps=steps))
