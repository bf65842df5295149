"""A lesson in the app: what is said on the left or above, the tree on the right or below, one key for each move.

The player knows where the lesson is and what may be shown; this screen draws what it holds and gives it the keys. The
lesson runs in a thread of its own, and steps can be looked at as soon as they are done; nothing is written to the disk.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.css.query import NoMatches
from textual.events import Click, Key, MouseDown
from textual.geometry import Size
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from ...viz.picture import Look
from ...viz.tree_view import TreeView
from .. import commands
from ..errors import UsageError, UserError
from ..lessons.player import Level, Player, Verdict
from ..lessons.speech import fold
from . import help
from .composer import Composer
from .crash import unexpected
from .keybar import KeyBar
from .keys import lesson_bindings
from .lesson_text import SIGNS, Teller, clipped, key_label, said
from .lines import Lines
from .scene import Scene
from .shell import PALETTE_KEYS, TINY, Shell
from .watch import NodePane, Watch

if TYPE_CHECKING:
    from ..lessons.running import Run, Stage
    from ..lessons.schema import Lesson

WIDE = 140
"""Columns from which on the lesson stands beside the tree."""

SECONDS = 5.0
"""Between two steps of automatic play, unless told otherwise."""

QUICKEST, SLOWEST = 0.5, 60.0
"""Seconds between two steps, at least and at most."""

FASTER = 1.5

MESSAGE = 2
"""Lines of a message, at most."""

VERDICT = 4
"""Lines of a verdict where it takes the timeline's place."""

ROOMY = 100
"""Columns from which on a narration should do with few lines."""

ASIDE = (40, 64)
"""Columns of what stands beside the tree, at least and at most."""

LEAST_TREE = 60
"""Columns that a rail keeps beside it."""

CHOSEN = 9
"""Lines of a node's detail, where there is room for it at all."""

ROOMY_LINES = 32
"""Lines of the window from which on the pool is shown, and a node's detail."""

LANGUAGES = ("en", "zh")

WHILE_TYPING = frozenset({"close", "help", "quit", "text", "theme", "view"})
"""What keys still do while the input line is open; the others would take letters away from it."""


@dataclass
class Ran(Message):
    """Another step of the lesson is done, or all of them."""

    stage: Stage
    run: Run
    done: bool


@dataclass
class Changed(Message):
    """A what-if was run, or failed."""

    error: UserError | None


@dataclass
class Failed(Message):
    """The lesson cannot be run."""

    error: UserError


@dataclass(frozen=True, slots=True)
class Plan:
    """What stands where, where all is stacked."""

    most: int  # lines of what is said
    above: Text = field(default_factory=Text)  # what the step shows, above its tree
    aside: Text = field(default_factory=Text)  # or beside it
    more: bool = False  # there is more than there is room for


class LessonWatch(Watch, inherit_bindings=False):
    """The pane of the tree in a lesson: its keys and its timeline belong to the lesson."""

    BINDINGS: ClassVar = lesson_bindings(tree=True)

    @dataclass
    class Pointed(Message):
        """Somebody clicked into the timeline."""

        position: int

    def compose(self) -> ComposeResult:
        """The parts, and room beside the tree."""
        for part in super().compose():
            if isinstance(part, TreeView):
                with Horizontal(id="ground"):
                    yield part
                    yield Lines("aside")
            else:
                yield part

    def on_mount(self) -> None:
        """A figure that does not fit gives way at once: there is no time to pan in front of a class."""
        self.drawing.slack = 1.0

    def clicked(self, position: int) -> None:
        """Leaves it to the lesson to go there."""
        self.post_message(self.Pointed(position))


class LessonApp(Shell, inherit_bindings=False):
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

    CSS_PATH: ClassVar = ["app.tcss", "lesson.tcss"]
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-tiny"), (TINY, "-stacked"), (WIDE, "-side")]
    VERTICAL_BREAKPOINTS: ClassVar = [(0, "-flat"), (12, "-low"), (32, "-normal"), (44, "-tall")]
    BINDINGS: ClassVar = [*lesson_bindings(), *PALETTE_KEYS]
    table: ClassVar = commands.LESSON
    about: ClassVar = help.LESSON

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
        super().__init__(look=look, theme=theme)
        self.lesson = lesson
        self.player: Player | None = None
        self.verdict: Verdict | None = None  # on the last answer, until one goes on
        self.skipped = ""  # what is true of the question that was passed, likewise
        self.failed: UserError | None = None
        self.playing = auto is not None
        self.seconds = auto or SECONDS
        self.chosen = 0  # of the answers
        self.ended = False  # the card at the end is shown
        self.busy = True  # the lesson, or a what-if, is running
        self._stage = stage
        self._model = model
        self._lang = "en" if self.look.ascii else lang
        self._level = Level(level)
        self._questions = questions
        self._start = step
        self._view = view
        self._beats = beats
        self._moved = moved
        self._complete = False  # all steps are there
        self._number = ""  # of a step, as typed so far
        self._warned = False  # that going on skips the question
        self._notes = False
        self._more = False  # F2 would show what there is no room for
        self._pressed = False  # the mouse, in the tree
        self._timer: Timer | None = None

    # -- life ---------------------------------------------------------------------------------------------------------

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
        yield Composer("composer", history=[], complete=self._go_on)
        yield Lines("message")
        yield KeyBar("keys", spare=("f2", "full_stop"), name=lambda label: key_label(label, self._lang))
        yield Static(self._safe("radixchat needs a window of at least 40 × 12 cells"), id="tiny")

    def on_mount(self) -> None:
        """Paints first, and runs the lesson then."""
        self.dress()
        pane = self.pane
        for part in (pane.node, pane.query_one("#strip"), pane.query_one("#log"), self.query_one("#lesson")):
            part.can_focus = False
        pane.drawing.focus()
        self._tell_all()
        self.call_after_refresh(threading.Thread(target=self._work, name="lesson", daemon=True).start)

    def _work(self) -> None:
        """Loads and runs; in a thread of its own."""
        try:
            stage = self._stage()
            run = stage.run(on_step=lambda run: self._post(Ran(stage, run, done=False)))
            self._post(Ran(stage, run, done=True))
        except UserError as error:
            self._post(Failed(error))
        except Exception as error:  # ours to mend: the traceback goes to a file
            self._post(Failed(unexpected(error)))

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    @on(Ran)
    def _ran(self, event: Ran) -> None:
        self._complete = event.done
        if self.player is None:
            self.player = Player(event.stage, event.run, lang=self._lang, questions=self._questions, level=self._level)
        if event.done:
            self.player.notices = tuple(dict.fromkeys((*self.player.notices, *event.run.notes)))
        self.busy = False
        if self._start is not None and (event.done or len(event.run.steps) >= self._start):
            self.player.jump(self._start)
            self._start = None
        self._show()

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        self.busy, self.failed = False, event.error
        self._tell_all()

    async def action_quit(self) -> None:
        """Leaves; with the code of the error that kept the lesson from running."""
        self.exit(0, return_code=0 if self.failed is None else self.failed.exit_code)

    # -- keys ---------------------------------------------------------------------------------------------------------

    @property
    def mode(self) -> str:
        """What keys mean now: "free", or "choices" or "pick" with a question open."""
        posed = self.player.question if self.player is not None else None
        if posed is None:
            return "free"
        return "pick" if posed.pick else "choices"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaves out the keys that mean nothing now."""
        if action != "run" or len(parameters) < 2:
            return True
        line, where = map(str, parameters[:2])
        if self.has_class("-asking"):
            return line[1:] in WHILE_TYPING
        return where in ("", "tree", self.mode)

    def on_key(self, event: Key) -> None:
        """Takes keys that were on their way to the tree while the input line opened."""
        if not self.has_class("-asking") or len(self.screen_stack) > 1:
            return
        composer = self.query_one(Composer)
        if event.key == "enter":
            composer.action_send()
        elif event.is_printable and event.character is not None:
            composer.insert(event.character)

    def action_run(self, line: str, where: str = "") -> None:
        """Runs a line of the registry."""
        name, _, argument = line.removeprefix("/").partition(" ")
        self.tell("")
        if name != "count":
            number, self._number = self._number, ""
            if name == "goto" and not argument:
                argument = number
        self.act(name, argument.strip())

    def write(self, text: str) -> None:
        """Opens the input line, with something in it."""
        composer = self.query_one(Composer)
        composer.placeholder = self._safe(self._said("ask"))
        composer.display = True  # at once, and so is the focus: the next key may be on its way
        self.set_class(True, "-asking")
        composer.write(text)
        self.screen.set_focus(composer)

    def complain(self, error: UserError) -> None:
        """Shows what is wrong and what to do."""
        chinese = error.what[-1:] > "\u2e80"
        self.tell(f"{error.what}{'。' if chinese else '. '}{error.fix}")

    def tell(self, text: str) -> None:
        """Says something in place of the keys, until the next one is pressed."""
        self.set_class(bool(text), "-telling")
        width = max(20, self.size.width - 2)
        self._line("message", _text(clipped(fold(self._safe(text), width), MESSAGE, width, self._safe("…"))))

    def _said(self, word: str, **values: object) -> str:
        return said(word, self._lang, **values)

    def _error(self, word: str, **values: object) -> UsageError:
        """Returns an error in the language of the lesson: what is wrong, and what to do."""
        what, *fix = re.split(r"(?<=\.) |(?<=。)", self._said(word, **values), maxsplit=1)
        return UsageError(what.rstrip(".。"), "".join(fix))

    def action_help_quit(self) -> None:
        """Ctrl-C: says how to leave."""
        self.tell(self._said("leave"))

    def _idle(self) -> Player:
        """Returns the player. Raises UsageError while it is not there, or at work."""
        if self.failed is not None:
            raise UsageError("the lesson could not be run", "Ctrl-Q leaves.")
        if self.player is None or self.busy:
            raise self._error("at work")
        return self.player

    # -- moves --------------------------------------------------------------------------------------------------------

    def _do_next(self, argument: str) -> None:
        player = self._idle()
        if player.question is not None and not self._warned:
            self._warned = True
            return self.tell(self._said("open"))
        return self._go_on_with(player)

    def _go_on_with(self, player: Player) -> None:
        """Goes on, past an open question too."""
        skipped = player.question.answer if player.question is not None else ""
        if self._awaited(player, player.step + 1):
            raise self._error("late", step=player.step + 1)
        if player.at_end and not skipped:
            self.ended, self.playing = True, False
            self._forget()
            return self._tell_all()
        self._forget()
        self.skipped = skipped
        player.next()
        return self._show(reveal=True)

    def _awaited(self, player: Player, step: int) -> bool:
        return step > player.steps and not self._complete and player.question is None

    def _forget(self) -> None:
        """What was said to the last answer is done with."""
        self.verdict, self.skipped, self.chosen, self._warned = None, "", 0, False

    def _do_back(self, argument: str) -> None:
        player = self._idle()
        self._forget()
        if self.ended:
            self.ended = False
        else:
            player.back()
        self._show()

    def _do_goto(self, argument: str) -> None:
        player = self._idle()
        if not argument:
            return self.write("/goto ")
        last = max(player.steps, len(self.lesson.steps))
        if argument != "last" and (not argument.isdigit() or int(argument[:9]) > last):
            raise self._error("no step", step=argument, last=last)
        step = last if argument == "last" else int(argument)
        if player.question is not None and step > player.step:
            raise self._error("to answer")
        if self._awaited(player, step):
            raise self._error("late", step=step)
        self._forget()
        self.ended = False
        passed = player.passed(step)
        player.jump(step)
        self._show()
        if passed:
            self.tell(self._said("passed" if passed == 1 else "all passed", count=passed))
        return None

    def _do_restart(self, argument: str) -> None:
        player = self._idle()
        self._forget()
        self.ended = self.playing = False
        player.restart()
        self._show()

    def _do_count(self, argument: str) -> None:
        self._number = (self._number + argument)[-3:]
        self.tell(self._said("going", step=self._number))

    def _do_event(self, argument: str) -> None:
        player = self._idle()
        if argument not in ("back", "forward"):
            raise UsageError(f"there is no way {argument!r}", "Ways: back, forward.")
        before = player.position, player.question
        player.event(1 if argument == "forward" else -1)
        if (player.position, player.question) != before or self.ended:
            self._forget()
            self.ended = False
            self._show()

    @on(LessonWatch.Pointed)
    def _pointed(self, event: LessonWatch.Pointed) -> None:
        """Goes to the step in which a click into the timeline falls."""
        player = self.player
        if player is not None and player.question is None and not self.busy:
            step = next((run.number for run in player.run.steps if event.position <= run.end), player.steps)
            self.action_run(f"/goto {step if event.position > player.run.steps[0].start else 0}")

    # -- answers ------------------------------------------------------------------------------------------------------

    def _do_answer(self, argument: str) -> None:
        player = self._idle()
        if len(argument) != 1 or argument not in SIGNS:
            raise UsageError(f"{argument!r} is no answer", f"Answers: {', '.join(SIGNS)}.")
        if player.question is None:
            raise self._error("unasked")
        self._judged(player, player.answer(SIGNS.index(argument)))

    def _do_choose(self, argument: str) -> None:
        player = self._idle()
        posed = player.question
        if posed is None:
            raise self._error("unasked")
        if argument in ("up", "down") and not posed.pick:
            self.chosen = (self.chosen + (1 if argument == "down" else -1)) % len(posed.choices)
            return self._tell_all()
        if argument != "this":
            raise UsageError(f"there is no way {argument!r}", "Ways: up, down, this.")
        if not posed.pick:
            return self._judged(player, player.answer(self.chosen))
        if self.pane.cursor is None:
            raise self._error("no node")
        return self._judged(player, player.pick(self.pane.cursor))

    def _judged(self, player: Player, verdict: Verdict) -> None:
        """Says whether an answer was right, and shows what really happens."""
        self._forget()
        self.verdict = verdict
        player.next()
        self._show(reveal=True)

    def on_mouse_down(self, event: MouseDown) -> None:
        """Remembers that the mouse, and no key, moves the cursor."""
        self._pressed = isinstance(event.widget, TreeView)

    @on(TreeView.Moved)
    def _node_clicked(self, event: TreeView.Moved) -> None:
        self.call_after_refresh(self._tell_all)  # a node's detail takes room, or gives it back
        pressed, self._pressed = self._pressed, False
        if pressed and event.node is not None and self.mode == "pick":
            self.action_run("/choose this")

    @on(Click, "#tree")
    def _node_clicked_again(self, event: Click) -> None:
        if event.chain > 1 and self.mode == "pick" and self.pane.cursor is not None:
            self.action_run("/choose this")

    # -- automatic play -----------------------------------------------------------------------------------------------

    def _do_play(self, argument: str) -> None:
        if argument not in ("", "on", "off"):
            raise UsageError(f"play is on or off, and not {argument!r}", "Write /play on.")
        self.playing = argument == "on" if argument else not self.playing
        self._schedule()
        self.tell(self._said("play on" if self.playing else "play off", seconds=self.seconds))

    def _do_faster(self, argument: str) -> None:
        self._pace(1 / FASTER)

    def _do_slower(self, argument: str) -> None:
        self._pace(FASTER)

    def _pace(self, factor: float) -> None:
        self.seconds = min(max(self.seconds * factor, QUICKEST), SLOWEST)
        self._schedule()
        self.tell(self._said("pace", seconds=self.seconds))

    @property
    def wait(self) -> float | None:
        """Seconds until automatic play goes on; None: it waits for a key."""
        player = self.player
        if not self.playing or player is None or self.failed is not None:
            return None
        if player.question is not None:
            return 2 * self.seconds
        return None if player.pauses and not player.at_end else self.seconds

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.wait is not None:
            self._timer = self.set_timer(self.wait, self.tick)

    def tick(self) -> None:
        """Goes on by itself, once."""
        try:
            if self.playing:
                self._go_on_with(self._idle())
        except UserError:  # the next step is not there yet
            self._schedule()

    # -- what if ------------------------------------------------------------------------------------------------------

    def _do_whatif(self, argument: str) -> None:
        self._idle()
        self.write(argument)

    def _setting(self, name: str, argument: str) -> None:
        if not argument:
            self.write(f"/{name} ")
            return self.tell(self.table[name].usage.replace("|", "  "))
        return self._change(f"/{name} {argument}")

    def _do_capacity(self, argument: str) -> None:
        self._setting("capacity", argument)

    def _do_policy(self, argument: str) -> None:
        self._setting("policy", argument)

    def _do_split_recency(self, argument: str) -> None:
        self._setting("split-recency", argument)

    def _do_page_size(self, argument: str) -> None:
        self._setting("page-size", argument)

    def _change(self, text: str) -> None:
        """Runs the lesson with something changed, in a thread: a model may take its time."""
        player = self._idle()
        if not self._complete:
            raise self._error("at work")
        self.busy = True
        self._forget()
        self.ended = self.playing = False

        def work() -> None:
            try:
                player.what_if(text)
                self._post(Changed(None))
            except UserError as error:
                self._post(Changed(error))
            except Exception as error:  # ours to mend: the traceback goes to a file
                self._post(Changed(unexpected(error)))

        threading.Thread(target=work, name="what-if", daemon=True).start()
        self._tell_all()

    @on(Changed)
    def _changed(self, event: Changed) -> None:
        self.busy = False
        self._show()
        if event.error is not None:
            self.complain(event.error)

    def _do_restore(self, argument: str) -> None:
        player = self._idle()
        if not player.in_what_if:
            raise self._error("unchanged")
        self._forget()
        self.ended = False
        player.restore()
        self._show()

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        text = event.text.strip()
        self.query_one(Composer).sent()
        self._do_close("")
        name = text[1:].split(" ")[0] if text.startswith("/") else ""
        if name in self.table:
            self.action_run(text)
        elif name:
            self.complain(UsageError(f"there is no command /{name} here", "F1 lists them; anything else is a prompt."))
        else:
            self.tell("")
            self._attempt(text)

    def _attempt(self, prompt: str) -> None:
        try:
            self._change(prompt)
        except UserError as error:
            self.complain(error)

    def _go_on(self, line: str) -> None:
        name, space, argument = line[1:].partition(" ")
        if not space:
            ways = [f"/{known}" for known in self.table if known.startswith(name)]
        else:
            known = self.table.get(name)
            words = [word for word in known.usage.strip("[]").split("|") if word.islower()] if known else []
            ways = [f"/{name} {word}" for word in words if word.startswith(argument)]
        self.query_one(Composer).go_on(line, ways)
        if len(ways) > 1:
            self.tell("  ".join(ways))

    def _do_close(self, argument: str) -> None:
        if not self.has_class("-asking"):
            self.playing = False
            self._schedule()
        self.set_class(False, "-asking")
        self.screen.set_focus(self.pane.drawing)
        self.query_one(Composer).display = False

    # -- how it is told -----------------------------------------------------------------------------------------------

    def _do_note(self, argument: str) -> None:
        self._notes = _switch(argument, self._notes, "note")
        self._tell_all()

    def _do_text(self, argument: str) -> None:
        self.set_class(_switch(argument, self.has_class("-reading"), "text"), "-reading")
        self._tell_all()

    def _do_lang(self, argument: str) -> None:
        lang = argument or LANGUAGES[(LANGUAGES.index(self._lang) + 1) % 2 if self._lang in LANGUAGES else 0]
        if lang not in LANGUAGES:
            raise UsageError(f"lessons are not told in {lang!r}", f"Languages: {', '.join(LANGUAGES)}.")
        if self.look.ascii and lang != "en":
            raise UsageError("this screen draws with ASCII only", "Leave out --ascii for Chinese.")
        self._lang = lang
        if self.player is not None:
            self.player.lang = lang
        self._show() if self.player is not None else self._tell_all()

    def _do_level(self, argument: str) -> None:
        levels = [level.value for level in Level]
        if argument and argument not in levels:
            raise UsageError(f"there is no level {argument!r}", f"Levels: {', '.join(levels)}.")
        self._level = Level(argument) if argument else Level(levels[1 - levels.index(self._level.value)])
        if self.player is not None:
            self.player.level = self._level
            self._show()
        self.tell(self._said("level", level=self._level.value))

    def _do_move(self, argument: str) -> None:
        if argument == "open":
            raise UsageError("there is no way 'open'", "F2 shows all that is said.")
        if argument not in ("next", "previous"):
            for _ in self.pane.act("move", argument):
                pass
            return
        tree, snapshot = self.pane.drawing, self.pane.snapshot
        nodes = [node.id for node in snapshot.nodes()] if snapshot is not None else []
        if nodes:
            by = 1 if argument == "next" else -1
            tree.cursor = nodes[(nodes.index(tree.cursor) + by) % len(nodes) if tree.cursor in nodes else 0]

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
        pane = self.pane
        pane.scene = Scene(
            letters=player.letters,
            veiled=player.veiled,
            until=player.limit,
            lang=player.lang,
            intro=player.level is Level.INTRO,
            names=lambda position: player.names(position - 1, position, pane.look),
        )
        run = player.run
        if pane.recording is not run.recording:
            pane.restyle(pane.look.palette, run.abridged, player.lang)
            pane.open(run.recording, run.recording.pieces, run.bytes_per_token, player.position)
        elif pane.look.lang != player.lang:
            pane.restyle(pane.look.palette, lang=player.lang)
        if reveal and player.position > pane.position:
            pane.reveal(player.position)
        else:
            pane.travel_to(player.position)
        self._tell_all()
        self._schedule()
        self.refresh_bindings()
        self._moved(player)

    def on_resize(self) -> None:
        """Breaks all lines anew."""
        self.call_after_refresh(self._tell_all)

    @property
    def _teller(self) -> Teller | None:
        return None if self.player is None else Teller(self.player, self.look, len(self.lesson.steps))

    def _doing(self) -> str:
        """Says what runs."""
        steps = len(self.lesson.steps)
        if self.player is None or not self._complete:
            done = self.player.steps if self.player is not None else 0
            if not done and self._model != "words":
                return said("loading", self._lang, model=self._model)
            return said("running", self._lang, step=min(done + 1, steps), steps=steps)
        return said("again", self._lang) if self.busy else ""

    def _tell_all(self) -> None:
        """Writes every text anew."""
        width = self.size.width
        with suppress(NoMatches, IndexError):  # before the first widget, and after the last
            self._line("verdict", self._verdict(max(20, width - 2)))
            plan = self._plan(max(20, width - 2))
            self._more = plan.more
            self.set_class(bool(plan.above.plain), "-exhibiting")
            self._line("exhibit", plan.above)
            aside = self.query_one("#aside", Lines)
            aside.display = bool(plan.aside.plain)
            aside.styles.width = 2 + max((line.cell_len for line in plan.aside.split("\n")), default=0)
            self._line("aside", plan.aside)
            self._line("banner", self._banner(width))
            self._line("brief", self._brief(max(20, width - 2), plan.most))
            self._tell_story()

    def _tell_story(self) -> None:
        """Writes what stands beside the tree, or in its place, where there is such a pane."""
        width = self.screen_stack[0].query_one("#lesson").size.width
        if width:
            self._line("story", self._story(max(20, width - 3)))

    def _banner(self, width: int) -> Text:
        teller = self._teller
        if teller is not None and self.failed is None:
            return teller.banner(width, self._safe(self._doing()), more=self._more and not self.has_class("-reading"))
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(f" {self._safe(self.lesson.name or 'lesson')} ", "bold reverse")
        line.append(f" {self._safe(self.lesson.title.text(self._lang))}", "bold")
        return line

    def _outside(self, width: int) -> list[str] | None:
        """Returns what is said in place of the lesson: an error, or that it is loading."""
        if self.failed is not None:
            return [line for part in (self.failed.what, self.failed.fix) for line in fold(self._safe(part), width)]
        return fold(self._safe(self._doing()), width) if self.player is None else None

    def _most(self, width: int) -> int:
        """Lines above the tree."""
        return 3 if width >= ROOMY - 2 else 5

    def _brief(self, width: int, most: int) -> Text:
        """Returns what stands above the tree where they are stacked, in at most so many lines but for a question."""
        outside, player, teller = self._outside(width), self.player, self._teller
        if outside is not None or player is None or teller is None:
            return _text((outside or [])[:most])
        if player.question is not None:
            asked = fold(teller.safe(player.question.text), width)
            if player.question.pick:
                return _text([*asked, teller.said("pick")])
            return _joined([*map(Text, asked), *teller.choices(player.question, self.chosen, width, stacked=False)])
        if self.ended:
            return _text(clipped(teller.ending(width), most, width, teller.more))
        if not player.step:
            lines = [*teller.narration(width), *teller.notices(width)]
            return _text([*clipped(lines, most - 1, width, teller.more), *fold(teller.said("begin"), width)[:1]])
        lines = clipped(self._told(teller, player, width), most, width, teller.more)
        steady = min(most, len(teller.narration(width))) - len(lines)  # so that the tree does not jump
        return _text([*lines, *[" "] * steady])

    def _told(self, teller: Teller, player: Player, width: int) -> list[str]:
        """Returns the note, or what an event did, or at the end of the step what is said of it."""
        note = teller.note(width) if self._notes else []
        return note or (fold(teller.event(), width) if self._within(player) else teller.narration(width))

    def _plan(self, width: int) -> Plan:
        """Decides how many lines are said, and whether what the step shows has room above its tree or beside it."""
        least, player, teller, tree = self._most(width), self.player, self._teller, self.pane.drawing
        if player is None or teller is None or player.question is not None or self.ended or self.size.width >= WIDE:
            return Plan(least)
        said = max(len(self._told(teller, player, width)), len(teller.narration(width)))
        rows, columns = self._rows(), self.size.width
        scene = self.pane.scene
        snapshot = scene.of(player.snapshot)
        letters = scene.called(snapshot)
        kind, size = tree.measure(snapshot, letters, Size(columns, rows - min(said, least)))
        most = max(least, min(said + 1, rows - size.height))
        rest = rows - min(said, most)
        for short in (False, True):
            shown = player.exhibits(width, self.pane.look, short=short)
            if not shown.plain or size.height + _height(shown) <= rest:
                return Plan(most, above=shown, more=short)
            cells = min(ASIDE[1], columns - 3 - (size.width if kind == "figure" else LEAST_TREE))
            shown = player.exhibits(max(cells, ASIDE[0]), self.pane.look, short=short)
            fits = tree.measure(snapshot, letters, Size(columns - cells - 2, rest))
            if cells >= ASIDE[0] and _height(shown) <= rest and fits[0] == kind and fits[1].height <= rest:
                return Plan(most, aside=shown, more=short)
        return Plan(most, more=True)

    def _rows(self) -> int:
        """Returns the lines of the window that what is said, what is shown and the tree have for themselves."""
        pane, tall = self.pane, self.size.height >= ROOMY_LINES
        verdict = self.query_one("#verdict", Lines).text
        judged = verdict.count("\n") + 1 if verdict else 0
        taken = 2 + pane.query_one("#legend", Lines).text.count("\n") + 1 + judged  # title and keys, too
        taken += 2 if tall or not judged else 0  # the timeline
        if tall:
            taken += pane.query_one("#gauge", Lines).text.count("\n") + 1
            taken += CHOSEN if pane.has_class("-chosen") else 0
        return self.size.height - taken

    def _within(self, player: Player) -> bool:
        """Whether somebody looks at a step event by event."""
        return player.step > 0 and player.position != player.run.steps[player.step - 1].end

    def _verdict(self, width: int) -> Text:
        """Returns what is said to an answer; in a low window it takes the place of the timeline."""
        teller = self._teller
        told = Text() if teller is None else teller.verdict(self.verdict, self.skipped, width, VERDICT)
        self.set_class(bool(told.plain), "-judged")
        return told

    def _story(self, width: int) -> Text:
        """Returns all that is said, for the pane beside the tree, or in place of it."""
        outside, player, teller = self._outside(width), self.player, self._teller
        if outside is not None or player is None or teller is None:
            return _text(outside or [])
        parts: list[Text] = [_text(fold(teller.safe(player.title()), width), "bold")]
        verdict = teller.verdict(self.verdict, self.skipped, width)
        if verdict.plain:
            parts.append(verdict)
        if player.question is not None:
            parts.append(_text(fold(teller.safe(player.question.text), width)))
            if player.question.pick:
                parts.append(_text(fold(teller.said("pick"), width), "dim"))
            else:
                parts.append(_joined(teller.choices(player.question, self.chosen, width, stacked=True)))
                parts.append(_text(fold(teller.said("choose"), width), "dim"))
        elif self.ended:
            parts.append(_text(teller.ending(width)))
        else:
            within = self._within(player)
            if not within:  # it tells how the step ends
                parts.append(_text(teller.narration(width)))
            if not player.step:
                parts += [_text(teller.notices(width)), _text(fold(teller.said("begin"), width), "dim")]
            elif event := teller.event():
                parts.append(_text(fold(event, width), "" if within else "dim"))
            parts.append(player.exhibits(width, self.pane.look))
        if self._notes:
            parts.append(_text(teller.note(width), "italic"))
        return Text("\n\n", no_wrap=True).join(part for part in parts if part.plain)


def _text(lines: list[str], style: str = "") -> Text:
    return Text("\n".join(lines), style, no_wrap=True)


def _height(text: Text) -> int:
    return text.plain.count("\n") + 1


def _joined(lines: list[Text]) -> Text:
    return Text("\n", no_wrap=True).join(lines)


def _switch(argument: str, now: bool, name: str) -> bool:
    if argument not in ("", "on", "off"):
        raise UsageError(f"{name} is on or off, and not {argument!r}", f"Write /{name} on.")
    return not now if not argument else argument == "on"
