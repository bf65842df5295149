"""A lesson in the app: what is said on the left or above, the tree on the right or below, one key for each move.

The course knows where the lesson is and what a key does to it, the pace when it goes on by itself, the frame how all of
it is drawn; here keys, commands and clicks come to them. Knows no cache, no model, and not what is said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.events import Click, Key, MouseDown
from textual.message import Message

from ...viz.picture import Look
from ...viz.tree_view import TreeView
from ..errors import UsageError, UserError
from ..lessons.player import Level, Player
from ..lessons.what_if import SETTINGS
from .composer import Composer
from .keys import lesson_bindings
from .lesson_ask import AskLine
from .lesson_course import Course
from .lesson_frame import LessonFrame
from .lesson_pace import FASTER, Pace
from .lesson_watch import LessonWatch
from .lesson_work import Changed, Failed, Ran, change_aside, run_aside
from .shell import PALETTE_KEYS
from .watch import switched

if TYPE_CHECKING:
    from ..lessons.running import Stage
    from ..lessons.schema import Lesson

WHILE_TYPING = frozenset({"close", "help", "quit", "text", "theme", "view"})
"""What keys still do while the input line is open; the others would take letters away from it."""


class LessonApp(LessonFrame, inherit_bindings=False):
    """The whole screen of a lesson.

    Args:
        lesson: What is taught.
        stage: Makes the stage: loads the model, in another thread.
        model: Its name, to be shown meanwhile.
        lang: Language, two letters.
        level: How much is told.
        questions: Whether questions are asked.
        auto: Seconds of automatic play; None waits for keys.
        step: Where to begin.
        view: How the tree is drawn.
        beats: Whether splits and evictions pause.
        look: ASCII and colour.
        theme: A name from `PALETTE_OF`.
        moved: Called after every move, such as for the presenter's notes elsewhere.
    """

    BINDINGS: ClassVar = [*lesson_bindings(), *PALETTE_KEYS]

    def __init__(
        self,
        lesson: Lesson,
        stage: Callable[[], Stage],
        *,
        model: str = "words",
        lang: str = "en",
        level: Level = Level.INTRO,
        questions: bool = True,
        auto: float | None = None,
        step: int | None = None,
        view: str = "auto",
        beats: bool = True,
        look: Look | None = None,
        theme: str = "dark",
        moved: Callable[[Player], None] = lambda player: None,
    ) -> None:
        look = look or Look()
        lang = "en" if look.ascii else lang
        course = Course(lesson, model=model, lang=lang, level=Level(level), questions=questions, start=step)
        super().__init__(course, look=look, theme=theme, view=view, beats=beats)
        self.pace = Pace(auto, self.course, self.set_timer, self.tick)
        self._stage = stage
        self._moved = moved
        self._number = ""  # of a step, as typed so far
        self._pressed = False  # the mouse, in the tree

    # -- life ---------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Runs the lesson, when the frame has painted."""
        self.call_after_refresh(lambda: run_aside(self._stage, self._post))

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    @on(Ran)
    def _ran(self, event: Ran) -> None:
        self.course.grew(event.stage, event.run, done=event.done)
        self._show()

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        self.course.busy, self.course.failed = False, event.error
        self._tell_all()

    async def action_quit(self) -> None:
        """Leaves; with the code of the error that kept the lesson from running."""
        failed = self.course.failed
        self.exit(0, return_code=0 if failed is None else failed.exit_code)

    # -- keys ---------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaves out the keys that mean nothing now."""
        if action != "run" or len(parameters) < 2:
            return True
        line, where = map(str, parameters[:2])
        if self.has_class("-asking"):
            return line[1:] in WHILE_TYPING
        return where in ("", "tree", self.course.mode)

    def on_key(self, event: Key) -> None:
        """Takes keys that were on their way to the tree while the input line opened."""
        if self.has_class("-asking") and len(self.screen_stack) == 1:
            self.query_one(AskLine).take(event)

    def action_run(self, line: str, where: str = "") -> None:
        """Runs a line of the registry."""
        name, _, argument = line.removeprefix("/").partition(" ")
        self.tell("")
        if name != "count":
            number, self._number = self._number, ""
            if name == "goto" and not argument:
                argument = number
        self.act(name, argument.strip())

    def action_help_quit(self) -> None:
        """Ctrl-C: says how to leave."""
        self.tell(self.course.said("leave"))

    # -- moves --------------------------------------------------------------------------------------------------------

    def _do_next(self, argument: str) -> None:
        if self.course.warn():
            self.tell(self.course.said("open"))
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Goes on, past an open question too; at the end to the card that says so."""
        if self.course.next():
            self._show(reveal=True)
        else:
            self.pace.playing = False
            self._tell_all()

    def _do_back(self, argument: str) -> None:
        self.course.back()
        self._show()

    def _do_goto(self, argument: str) -> None:
        self.course.idle()
        if not argument:
            return self.write("/goto ")
        passed = self.course.goto(argument)
        self._show()
        if passed:
            self.tell(self.course.said("passed" if passed == 1 else "all passed", count=passed))
        return None

    def _do_restart(self, argument: str) -> None:
        self.course.restart()
        self.pace.playing = False
        self._show()

    def _do_count(self, argument: str) -> None:
        self._number = (self._number + argument)[-3:]
        self.tell(self.course.said("going", step=self._number))

    def _do_event(self, argument: str) -> None:
        if self.course.event(argument):
            self._show()

    @on(LessonWatch.Pointed)
    def _pointed(self, event: LessonWatch.Pointed) -> None:
        """Goes to the step in which a click into the timeline falls."""
        step = self.course.step_at(event.position)
        if step is not None:
            self.action_run(f"/goto {step}")

    # -- answers ------------------------------------------------------------------------------------------------------

    def _do_answer(self, argument: str) -> None:
        self.course.answer(argument)
        self._show(reveal=True)

    def _do_choose(self, argument: str) -> None:
        if self.course.choose(argument, self.pane.cursor):
            self._show(reveal=True)
        else:
            self._tell_all()

    def on_mouse_down(self, event: MouseDown) -> None:
        """Remembers that the mouse, and no key, moves the cursor."""
        self._pressed = isinstance(event.widget, TreeView)

    @on(TreeView.Moved)
    def _node_clicked(self, event: TreeView.Moved) -> None:
        self.call_after_refresh(self._tell_all)  # a node's detail takes room, or gives it back
        pressed, self._pressed = self._pressed, False
        if pressed and event.node is not None and self.course.mode == "pick":
            self.action_run("/choose this")

    @on(Click, "#tree")
    def _node_clicked_again(self, event: Click) -> None:
        if event.chain > 1 and self.course.mode == "pick" and self.pane.cursor is not None:
            self.action_run("/choose this")

    # -- automatic play -----------------------------------------------------------------------------------------------

    def _do_play(self, argument: str) -> None:
        self.pace.playing = switched(argument, self.pace.playing, "play")
        self.pace.schedule()
        self.tell(self.course.said("play on" if self.pace.playing else "play off", seconds=self.pace.seconds))

    def _do_faster(self, argument: str) -> None:
        self._scale(1 / FASTER)

    def _do_slower(self, argument: str) -> None:
        self._scale(FASTER)

    def _scale(self, factor: float) -> None:
        self.pace.scale(factor)
        self.tell(self.course.said("pace", seconds=self.pace.seconds))

    def tick(self) -> None:
        """Goes on by itself, once."""
        try:
            if self.pace.playing:
                self._go_on()
        except UserError:  # the next step is not there yet
            self.pace.schedule()

    # -- what if ------------------------------------------------------------------------------------------------------

    def _do_whatif(self, argument: str) -> None:
        self.course.idle()
        self.write(argument)

    def act(self, name: str, argument: str) -> None:
        """Carries out what only the app can do; settings of the cache are what-ifs."""
        try:
            self._set(name, argument) if f"/{name}" in SETTINGS else super().act(name, argument)
        except UserError as error:
            self.complain(error)

    def _set(self, name: str, argument: str) -> None:
        if not argument:
            self.write(f"/{name} ")
            return self.tell(self.table[name].usage.replace("|", "  "))
        return self._change(f"/{name} {argument}")

    def _change(self, text: str) -> None:
        """Runs the lesson with something changed, in a thread."""
        player = self.course.changing()
        self.pace.playing = False
        change_aside(player, text, self._post)
        self._tell_all()

    @on(Changed)
    def _changed(self, event: Changed) -> None:
        self.course.busy = False
        self._show()
        if event.error is not None:
            self.complain(event.error)

    def _do_restore(self, argument: str) -> None:
        self.course.restore()
        self._show()

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        text = event.text.strip()
        self.query_one(AskLine).sent()
        self._do_close("")
        name = text[1:].split(" ")[0] if text.startswith("/") else ""
        if name in self.table:
            self.action_run(text)
        elif name:
            self.complain(UsageError(f"there is no command /{name} here", "F1 lists them; anything else is a prompt."))
        else:
            self.tell("")
            try:
                self._change(text)
            except UserError as error:
                self.complain(error)

    def _do_close(self, argument: str) -> None:
        if not self.has_class("-asking"):
            self.pace.playing = False
            self.pace.schedule()
        self.screen.set_focus(self.pane.drawing)
        self.query_one(AskLine).close()

    # -- how it is told -----------------------------------------------------------------------------------------------

    def _do_note(self, argument: str) -> None:
        self.course.notes = switched(argument, self.course.notes, "note")
        self._tell_all()

    def _do_text(self, argument: str) -> None:
        self.set_class(switched(argument, self.has_class("-reading"), "text"), "-reading")
        self._tell_all()

    def _do_lang(self, argument: str) -> None:
        self.course.speak(argument, ascii=self.look.ascii)
        self._show() if self.player is not None else self._tell_all()

    def _do_level(self, argument: str) -> None:
        level = self.course.tell(argument)
        if self.player is not None:
            self._show()
        self.tell(self.course.said("level", level=level))

    def _do_move(self, argument: str) -> None:
        if argument == "open":
            raise UsageError("there is no way 'open'", "F2 shows all that is said.")
        if argument not in ("next", "previous"):
            for _ in self.pane.act("move", argument):
                pass
            return
        self.pane.walk(1 if argument == "next" else -1)

    def _do_pan(self, argument: str) -> None:
        if self.has_class("-reading") and argument in ("up", "down"):
            self.query_one("#lesson").scroll_relative(y=-4 if argument == "up" else 4, animate=False)
            return
        for _ in self.pane.act("pan", argument):
            pass

    # -- drawing ------------------------------------------------------------------------------------------------------

    def _show(self, *, reveal: bool = False) -> None:
        """Draws what the player holds now; with `reveal`, what happened since in beats."""
        player = self.player
        if player is None or not self.screen_stack:  # the last one goes while one leaves
            return
        self.pane.show(player, reveal=reveal)
        self._tell_all()
        self.pace.schedule()
        self.refresh_bindings()
        self._moved(player)
