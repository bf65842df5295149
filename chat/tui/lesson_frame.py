"""The frame of a lesson: which parts the screen has, and what each of them says now.

Knows the course of a lesson and widgets; not what keys do.
"""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.css.query import NoMatches
from textual.widgets import Static

from ...viz.picture import Look
from .. import commands
from ..errors import UserError
from ..lessons.player import Player
from ..lessons.speech import fold
from . import help
from .keybar import KeyBar
from .lesson_ask import AskLine
from .lesson_course import Course
from .lesson_page import Page
from .lesson_room import WIDE, plan
from .lesson_text import clipped, key_label
from .lesson_watch import LessonWatch
from .lines import Lines
from .shell import TINY, Shell
from .watch import NodePane

MESSAGE = 2
"""Lines of a message, at most."""


class LessonFrame(Shell, inherit_bindings=False):
    """The screen of a lesson, before it has keys.

    Args:
        course: Where the lesson stands.
        look: ASCII and colour.
        theme: A name from `PALETTE_OF`.
        view: How the tree is drawn.
        beats: Whether splits and evictions pause.
    """

    CSS_PATH: ClassVar = ["app.tcss", "lesson.tcss"]
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-tiny"), (TINY, "-stacked"), (WIDE, "-side")]
    VERTICAL_BREAKPOINTS: ClassVar = [(0, "-flat"), (12, "-low"), (32, "-normal"), (44, "-tall")]
    table: ClassVar = commands.LESSON
    about: ClassVar = help.LESSON

    def __init__(self, course: Course, *, look: Look, theme: str, view: str, beats: bool) -> None:
        super().__init__(look=look, theme=theme)
        self.course = course
        self._view = view
        self._beats = beats
        self._more = False  # F2 would show what there is no room for

    @property
    def player(self) -> Player | None:
        """The lesson, played; None until its first step is done."""
        return self.course.player

    @property
    def pane(self) -> LessonWatch:
        """The pane of the tree."""
        return self.screen_stack[0].query_one(LessonWatch)

    def compose(self) -> ComposeResult:
        """Title, what is said, tree, keys."""
        yield Lines("banner")
        yield Lines("brief")
        yield Lines("exhibit")
        with Horizontal(id="body"):
            with NodePane(self._tell_story, id="lesson"):
                yield Lines("story")
            yield LessonWatch("watch", look=self.look, view=self._view, beats=self._beats, told=False)
        yield Lines("verdict")
        yield AskLine(self.table, self.tell)
        yield Lines("message")
        yield KeyBar("keys", spare=("f2", "full_stop"), name=lambda label: key_label(label, self.course.lang))
        yield Static(self._safe("radixchat needs a window of at least 40 × 12 cells"), id="tiny")

    def on_mount(self) -> None:
        """Paints what there is to say before anything is loaded."""
        self.dress()
        pane = self.pane
        for part in (pane.node, pane.query_one("#strip"), pane.query_one("#log"), self.query_one("#lesson")):
            part.can_focus = False
        pane.drawing.focus()
        self._tell_all()

    def write(self, text: str) -> None:
        """Opens the input line, with something in it."""
        self.query_one(AskLine).open(text, self._safe(self.course.said("ask")))

    def complain(self, error: UserError) -> None:
        """Shows what is wrong and what to do."""
        chinese = error.what[-1:] > "\u2e80"
        self.tell(f"{error.what}{'。' if chinese else '. '}{error.fix}")

    def tell(self, text: str) -> None:
        """Says something in place of the keys, until the next one is pressed."""
        self.set_class(bool(text), "-telling")
        width = max(20, self.size.width - 2)
        lines = clipped(fold(self._safe(text), width), MESSAGE, width, self._safe("…"))
        self._line("message", Text("\n".join(lines), no_wrap=True))

    def on_resize(self) -> None:
        """Breaks all lines anew."""
        self.call_after_refresh(self._tell_all)

    def _tell_all(self) -> None:
        """Writes every text anew."""
        columns = self.size.width
        width = max(20, columns - 2)
        with suppress(NoMatches, IndexError):  # before the first widget, and after the last
            page = Page(self.course, self.pane.look)
            verdict = page.verdict(width)
            self.set_class(bool(verdict.plain), "-judged")  # in a low window it takes the place of the timeline
            self._line("verdict", verdict)
            room = plan(page, self.pane, self.size, width, verdict)
            self._more = room.more
            self.set_class(bool(room.above.plain), "-exhibiting")
            self._line("exhibit", room.above)
            aside = self.query_one("#aside", Lines)
            aside.display = bool(room.aside.plain)
            aside.styles.width = 2 + max((line.cell_len for line in room.aside.split("\n")), default=0)
            self._line("aside", room.aside)
            self._line("banner", page.banner(columns, more=self._more and not self.has_class("-reading")))
            self._line("brief", page.brief(width, room.most))
            self._tell_story()

    def _tell_story(self) -> None:
        """Writes what stands beside the tree, or in its place, where there is such a pane."""
        width = self.screen_stack[0].query_one("#lesson").size.width
        if width:
            self._line("story", Page(self.course, self.pane.look).story(max(20, width - 3)))
