"""The app: a chat on the left, the tree of its cache on the right, what Enter would cost below.

Carries lines to the desk and its messages to the panes. Everything a person can do is a row of the registry: keys,
palette, completion and help all run its commands. Knows no engine; what it shows of the cache it gets as snapshots.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.events import Click, Resize
from textual.widgets import Static, TextArea

from ...radix.recording import Recording
from ...viz import label
from ...viz.picture import Look
from ..chat import Chat
from ..commands import COMMANDS, exported
from ..errors import MachineError, ModelError, RequestError, UsageError, UserError
from . import messages as say
from .composer import Composer
from .desk import PACE, Desk
from .help import Choice
from .keybar import KeyBar
from .keys import bindings
from .lines import Lines
from .shell import PALETTE_KEYS, TINY, Shell
from .transcript import Transcript, Turn
from .watch import Watch, switched

if TYPE_CHECKING:
    from ..history import History

QUIT_SECONDS = 0.8
"""How long leaving waits for the last turn to be written."""

REPAINT_SHARE = 25
"""While a reply runs, painting takes at most one part in this many of the time."""

WIDE = 100
"""Columns from which on chat and tree stand side by side."""

TAB = 7
"""Cells of each tab of a narrow window."""

SPARE = ("ctrl+n", "f6", "f5", "f4", "p", "x", "f3", "o", "space", "slash", "end", "f2")
"""Keys that the last line leaves out where it is short, the first one first: how to leave and F1 always stand there."""

SLOWEST = 1.0
"""Seconds after which something of a running reply is shown, however slow the screen."""


class RadixApp(Shell, inherit_bindings=False):
    """The whole app.

    Args:
        make: Makes a chat by model name, in another thread; None shows a recording, without any model.
        recording: What is shown then.
        step: Where it begins; None is before everything.
        title: Of what is shown, in the banner.
        look: ASCII and colour; the theme decides the palette.
        theme: A name from `PALETTE_OF`.
        view: How trees are drawn at first.
        beats: Whether splits and evictions pause.
        history: What was typed before.
    """

    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-tiny"), (TINY, "-narrow"), (WIDE, "-wide"), (160, "-huge")]
    VERTICAL_BREAKPOINTS: ClassVar = [(0, "-flat"), (12, "-short"), (32, "-normal"), (44, "-tall")]
    BINDINGS: ClassVar = [
        *bindings(""),
        *PALETTE_KEYS,
    ]

    def __init__(
        self,
        make: Callable[[str | None], Chat] | None,
        *,
        recording: Recording | None = None,
        step: int | None = None,
        title: str = "",
        look: Look | None = None,
        theme: str = "dark",
        view: str = "auto",
        beats: bool = True,
        history: History | None = None,
    ) -> None:
        super().__init__(look=look, theme=theme)
        self.history = history
        self.desk = Desk(make, self.post_message) if make is not None else None
        self.view = say.ChatView("main", (), (), {}, title or "loading …")
        self.busy = self.desk is not None
        self.front = "chat"  # the pane that has the keys
        self._recording = recording
        self._step = step
        self._view = view
        self._beats = beats
        self._asked = ""  # the line whose foresight is awaited or shown
        self._waiting = False  # somebody was told to wait
        self._about_line = False  # what stands above the input is about the line in it
        self._asking = False  # a timer runs until the next question
        self._loaded = False
        self._without: UserError | None = None  # why no model could be loaded
        self._sent_last = ""
        self._spent = 0.0  # of the processor's time, by this thread
        self._doing = ""  # what the desk works at

    # -- life ---------------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Banner, chat, tree, input."""
        yield Lines("banner")
        yield Lines("tabs")
        with Horizontal(id="body"):
            with Vertical(id="chat"):
                yield Transcript("transcript", ascii=self.look.ascii)
            yield Watch("watch", look=self.look, view=self._view, beats=self._beats, told=self.desk is None)
        yield Lines("foresight")
        entries = self.history.entries() if self.history is not None else []
        yield Composer("composer", history=entries, complete=self._complete)
        yield KeyBar("keys", spare=SPARE)
        yield Static(self._safe("radixchat needs a window of at least 40 × 12 cells"), id="tiny")

    def on_mount(self) -> None:
        """Paints first, and loads then."""
        self.dress()
        self._show_pane("chat")
        self._banner()
        self.transcript.welcome(self._safe(WELCOME))
        if self.desk is not None:
            self.query_one(Composer).focus()
            self.desk.start()
        else:
            assert self._recording is not None
            self.set_class(True, "-replay")
            pane = self.pane
            pane.open(self._recording, self._recording.pieces, self._recording.header.bytes_per_token)
            pane.travel_to(0)
            self._foretell("a recording: → and ← go by events, PgDn and PgUp by steps; F1 helps, Ctrl-Q leaves")
            if self._step is not None:
                self.act("goto", str(self._step))
            self._show_pane("tree")

    @property
    def transcript(self) -> Transcript:
        """The left pane."""
        return self.query_one(Transcript)

    @property
    def composer(self) -> Composer:
        """The input."""
        return self.screen_stack[0].query_one(Composer)

    async def action_quit(self) -> None:
        """Leaves within a second, whatever runs."""
        if self.desk is not None:
            self.desk.close(QUIT_SECONDS)
        if self._without is not None and not self._loaded:
            self._give_up(self._without)
        else:
            self.exit(0)

    def _give_up(self, error: UserError) -> None:
        """Leaves, and says why there was nothing to chat with."""
        self.exit(return_code=error.exit_code, message=Text(f"radixchat: {error.what}\n{error.fix}"))

    # -- lines --------------------------------------------------------------------------------------------------------

    def action_run(self, line: str) -> None:
        """Runs a line of the registry, as if it had been typed."""
        if not self._about_line:
            self._foretell("")
        if "{node}" in line:
            if self.pane.past:
                return self.complain(UsageError("this is the past: it cannot be changed", "End comes back to now."))
            node = self.pane.cursor
            if node is None:
                return self.complain(UsageError("no node is chosen", "Choose one with the arrow keys in the tree."))
            line = line.replace("{node}", str(node))
        line = line.replace("{step}", str(self.pane.step))
        self.run_line(line)
        return None

    def action_interrupt(self) -> None:
        """Ctrl-C while a reply runs."""
        self.action_run("/stop")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaves Ctrl-C to copying while nothing runs."""
        if action == "interrupt":
            return self.busy and self._loaded
        if action == "run" and self.desk is None:  # a recording knows the tree and time only
            name = str(parameters[0])[1:].split(" ")[0]
            return name in REPLAY
        return True

    def run_line(self, line: str) -> bool:
        """Takes a command or a message; returns whether it was taken."""
        name, _, argument = line[1:].partition(" ") if line.startswith("/") else ("", "", line)
        known = COMMANDS.get(name.strip().lower())
        if known is not None and (known.app or name in _OURS or (self.desk is None and name in REPLAY)):
            self.act(known.name, argument.strip())
            return True
        if self.desk is None:
            self.complain(UsageError("this is a recording: nothing can be said in it", "Start `radixchat` to chat"))
            return False
        if self.busy:
            self._foretell(
                "a reply is running: wait for it, or Esc stops it" if self._loaded else "the model is loading"
            )
            self._waiting = True
            return False
        if self.pane.past and name != "why":
            self.pane.travel_to(None)  # who says something wants to see what comes of it; a question has time
        self.busy = True
        self.desk.line(line)
        return True

    def complain(self, error: UserError) -> None:
        """Shows what is wrong and what to do."""
        lines = [error.what, error.fix, *error.offers]
        self.run_worker(self.transcript.say("\n".join(lines), "error"), exclusive=False)
        if self.desk is None or self.front != "chat":  # where the transcript may be out of sight
            self._foretell(f"{error.what}. {error.fix}")

    def write(self, text: str) -> None:
        """Puts a line into the input, to be finished there."""
        self.set_class(self._alone, "-asking")
        self.composer.write(text)

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        if self.run_line(event.text.strip() if event.text.lstrip().startswith("/") else event.text):
            if self.history is not None:
                self.history.add(event.text)
            self._sent_last = event.text
            self.composer.sent()
            if self._alone:
                self.set_class(False, "-asking")
                self.pane.drawing.focus()

    @property
    def _alone(self) -> bool:
        """Whether the tree has the window alone, and the input is there only when it is asked for."""
        return self.desk is None or self.has_class("-zoomed")

    def _complete(self, line: str) -> None:
        if self.desk is not None:
            self.desk.complete(line)

    @on(say.Completed)
    def _completed(self, event: say.Completed) -> None:
        self.composer.go_on(event.line, event.ways)
        if len(event.ways) > 1:
            self._foretell("  ".join(event.ways))

    # -- what only the app does ---------------------------------------------------------------------------------------

    def _do_copy(self, argument: str) -> None:
        """Copies a text, or the last reply."""
        if not argument and not self.view.turns:
            raise UsageError("there is no reply to copy", "Type a message first.")
        text = argument or self.view.turns[-1].reply.strip()
        self.copy_to_clipboard(text)
        self._foretell(f"copied {len(text)} characters, if this terminal allows it")

    def _do_export(self, argument: str) -> None:
        """Draws to a file what is shown at the moment."""
        if self.pane.recording is None:
            raise UsageError("nothing is recorded yet", "Wait until the model is loaded.")
        told = exported(self.pane.recording, argument, self.pane.position, self.pane.drawing.kind)
        self._foretell(" · ".join(told))

    def _do_stop(self, argument: str) -> None:
        if self.busy and self.desk is not None and self._loaded:
            self.desk.stop()
        else:
            self.set_class(False, "-asking")
            self.pane.let_go()
            self._show_pane("chat")

    def _do_zoom(self, argument: str) -> None:
        on = switched(argument, self.has_class("-zoomed"), "zoom")
        if on and self.front == "chat":
            self._show_pane("tree")
        self.set_class(on, "-zoomed")
        self._foretell("o or Esc gives the chat its room back" if on and self.desk is not None else "")

    def _do_pane(self, argument: str) -> None:
        panes = self._panes
        if argument and argument not in panes:
            raise UsageError(f"there is no pane {argument!r}", f"Panes: {', '.join(panes)}.")
        pane = argument or panes[(panes.index(self.front) + 1) % len(panes)]
        self._show_pane(pane)

    @property
    def _panes(self) -> tuple[str, ...]:
        """The panes there are; a recording has no chat."""
        return ("chat", "tree", "node") if self.desk is not None else ("tree", "node")

    def _show_pane(self, pane: str) -> None:
        """Brings a pane to the front where there is room for one only, and gives it the keys."""
        pane = pane if pane in self._panes else self._panes[0]
        self.front = pane
        if pane == "chat" and self.has_class("-zoomed"):
            self.remove_class("-zoomed", "-asking")
        self._arrange()
        self._tabs()
        if pane == "chat":
            self.composer.focus()
        else:
            (self.pane.drawing if pane == "tree" else self.pane.node).focus()

    def _arrange(self, width: int | None = None) -> None:
        """Shows the pane in front where there is room for one only; elsewhere all would be styled anew for naught."""
        if (width or self.size.width) < WIDE:
            with suppress(NoMatches):  # the first size comes before the first widget
                self.screen_stack[0].query_one("#body").set_classes(f"-show-{self.front}")

    def on_resize(self, event: Resize) -> None:
        """The window may have become narrow; its own size is still the one before."""
        self._arrange(event.size.width)

    @on(Click, "#tabs")
    def _tab_clicked(self, event: Click) -> None:
        panes = self._panes
        self._show_pane(panes[min(event.x // TAB, len(panes) - 1)])

    def _do_conversations(self, argument: str) -> None:
        def chosen(name: str | None) -> None:
            if name is not None and name != self.view.current:
                self.run_line(f"/switch {name}")

        self.push_screen(Choice("Conversations", self.view.entries, self.view.current), chosen)

    def _do_turn(self, argument: str) -> None:
        turn = self.transcript.chosen
        if argument in ("up", "down"):
            if self.front != "chat":
                self._show_pane("chat")
            self.transcript.choose(-1 if argument == "up" else 1)
        elif turn is None:
            raise UsageError("no turn is chosen", "Choose one with /turn up, or click on it.")
        elif argument == "edit":
            self.write(f"/edit {turn.number} {turn.view.user}")
        elif argument == "copy":
            self._do_copy(turn.view.reply.strip())
        elif argument == "fork":
            self.run_line(f"/fork {turn.number}")
        elif argument == "regen":
            self.run_line(f"/edit {turn.number} {turn.view.user}")
        else:
            raise UsageError(f"/turn knows no {argument!r}", f"It knows: {COMMANDS['turn'].usage}.")

    def _do_find(self, argument: str) -> None:
        if not argument:
            return self.write("/find ")
        self._foretell("".join(self.pane.act("find", argument)))
        return None

    def _do_goto(self, argument: str) -> None:
        if not argument:
            return self.write("/goto ")
        self._foretell("".join(self.pane.act("goto", argument)))
        return None

    # -- cost before Enter --------------------------------------------------------------------------------------------

    @on(TextArea.Changed, "#composer")
    def _typed(self) -> None:
        self._ask(self.composer.text)

    @on(Turn.Chosen)
    def _turn_chosen(self, event: Turn.Chosen) -> None:
        if not self.composer.text.strip():
            self._ask(f"/fork {event.number}")

    def _ask(self, line: str) -> None:
        """Asks what a line would do, at most ten times a second."""
        self._asked = line
        if not line.strip():
            if self._about_line:
                self._foretell("")
            self.pane.light({})
        elif not self._asking:
            self._asking = True
            self.set_timer(PACE, self._put)
        if line.startswith("/"):
            self._hint(line)

    def _put(self) -> None:
        self._asking = False
        if self.desk is not None and self._asked.strip() and self._loaded:
            self.desk.foresee(self._asked)

    @on(say.Foreseen)
    def _foreseen(self, event: say.Foreseen) -> None:
        if event.line != self._asked:
            return
        self.pane.light(event.lit)
        if event.text or not event.line.startswith("/"):
            self._foretell(event.text, about_line=True)

    def _hint(self, line: str) -> None:
        """Says how a command is used, while it is typed."""
        name = line[1:].split(" ")[0]
        found = [known for known in COMMANDS.values() if known.name.startswith(name)]
        if len(found) == 1 or name in COMMANDS:
            known = COMMANDS.get(name) or found[0]
            self._foretell(f"/{known.name} {known.usage}  {known.summary}", about_line=True)
        elif found:
            self._foretell("  ".join(f"/{known.name}" for known in found), about_line=True)
        else:
            self._foretell(f"there is no command /{name}", about_line=True)

    def tell(self, text: str) -> None:
        """Says something in the line above the input."""
        self._foretell(text)

    def _foretell(self, text: str, *, about_line: bool = False) -> None:
        """Says something in the line above the input; what is about the typed line goes with it."""
        self._about_line = about_line
        line = Text(self._safe(text), no_wrap=True)
        self._line("foresight", line)

    # -- messages of the desk -----------------------------------------------------------------------------------------

    @on(say.Opened)
    async def _opened(self, event: say.Opened) -> None:
        self._loaded = True
        self.pane.open(event.recording, event.pieces, event.bytes_per_token)
        for note in event.notes:
            await self.transcript.say(note)
        self._ask(self.composer.text)

    @on(say.Changed)
    async def _changed(self, event: say.Changed) -> None:
        if self._loaded and event.view.current != self.view.current:
            count = len(event.view.turns)
            self._foretell(f"now in {event.view.current}, with {count} turn{'' if count == 1 else 's'}")
        self.view = event.view
        self.pane.conversations = event.view.ids
        self._banner()
        await self.transcript.show(event.view.current, event.view.turns)

    @on(say.Busy)
    def _busy(self, event: say.Busy) -> None:
        self.busy = event.busy
        self._doing = event.what if event.busy else ""
        self._banner()
        if not event.busy:
            if self._waiting:
                self._foretell("")
            self._waiting = False
            self._ask(self.composer.text)

    @on(say.Began)
    async def _began(self, event: say.Began) -> None:
        self._spent = time.thread_time()
        await self.transcript.begin(event.user)

    @on(say.Progress)
    async def _progress(self, event: say.Progress) -> None:
        if event.text:
            await self.transcript.more(event.text)
        if event.snapshot is not None:
            self.pane.now(event.snapshot, event.position)
        if self.desk is not None:
            self._slow_down(self.desk)

    def _slow_down(self, desk: Desk) -> None:
        """Keeps the screen's work a small part of the time while a reply runs: the engine needs the rest."""
        spent = time.thread_time() - self._spent  # since the last time, the repaint after it included
        self._spent += spent
        desk.pace = min(max(PACE, REPAINT_SHARE * spent), SLOWEST)

    @on(say.Ended)
    async def _ended(self, event: say.Ended) -> None:
        await self.transcript.end(event.signature, event.notes)

    @on(say.Told)
    async def _told(self, event: say.Told) -> None:
        await self.transcript.say(event.text)

    @on(say.Failed)
    async def _failed(self, event: say.Failed) -> None:
        error = event.error
        lines = [error.what, error.fix, *error.offers]
        hopeless = isinstance(error, MachineError) or not isinstance(error, ModelError)
        if not self._loaded and self._without is None and hopeless:
            self._give_up(error)  # nothing can begin like this
            return
        if not self._loaded:
            self._without = error
            lines.append("/model radish loads the model that came along")
            self.view = replace(self.view, about="no model is loaded")
            self._banner()
        if isinstance(error, RequestError) and not self.composer.text:
            self.composer.write(self._sent_last)  # nothing was said: the message is not lost
        await self.transcript.say("\n".join(lines), "error")

    @on(say.Compared)
    def _compared(self, event: say.Compared) -> None:
        from .compare import CompareScreen

        self.push_screen(CompareScreen(event.contest, look=self.pane.look))

    @on(say.Acted)
    def _acted(self, event: say.Acted) -> None:
        self.act(event.name, event.argument)

    # -- the banner ---------------------------------------------------------------------------------------------------

    def _banner(self) -> None:
        parts = [label(self.view.current).fit(30).plain, self.view.about]
        if self._doing:
            parts.insert(1, self._doing)
        line = Text(no_wrap=True, overflow="ellipsis").append(" radixchat ", "bold reverse")
        line.append(" " + self._safe(" · ".join(parts)))
        self._line("banner", line)

    def _tabs(self) -> None:
        line = Text(no_wrap=True)
        for pane in self._panes:
            line.append(f" {pane.capitalize()} ".ljust(TAB - 1), style="reverse bold" if pane == self.front else "")
            line.append(" ")
        line.append(" F2 goes to the next", style="dim")
        self._line("tabs", line)


REPLAY = frozenset(
    {name for name, known in COMMANDS.items() if known.app} - {"conversations", "turn", "zoom"}
    | {"export", "help", "quit", "why"}
)
"""Commands that mean something for a recording."""

_OURS = frozenset({"help", "quit", "copy", "export"})
"""Commands of every front end that the app carries out itself."""


WELCOME = (
    "Type a message: the tree shows what the cache keeps of it, and the line above the input what the next message "
    "would cost. Fork (F6), regenerate (F5), or choose a turn with Alt-↑ and edit it (e): the tree branches.\n\n"
    "F1 lists all commands, F2 goes to the tree, where ← and → step through time. Ctrl-Q leaves."
)
"""What to do first."""
