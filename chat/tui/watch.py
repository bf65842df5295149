"""The right pane: the tree, the node under the cursor, the pool, and time travel over everything that happened.

Takes snapshots of the present and a recording for the past; while a person looks at the past, the present goes on and
is only counted. Splits and evictions are shown in beats: each stays in sight for a moment before the next thing.
Knows no chat, no model and no thread: it reads the recording as its one reader.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from rich.text import Text
from textual import events as tui
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget

from ...radix import Snapshot
from ...radix import events as ev
from ...radix.keys import Int32Array
from ...radix.recording import Recording
from ...radix.travel import NoStep, Travel, diff
from ...viz import legend
from ...viz.cells import paragraphs
from ...viz.detail import detail, gauge
from ...viz.picture import Direction, Look
from ...viz.story import tell, tell_diff
from ...viz.strip import Strip
from ...viz.tree_view import Mark, TreeView
from ..commands import number_of
from ..config import VIEWS
from ..errors import UsageError
from ..why import Explained
from .keys import bindings
from .lines import Lines, in_ascii
from .log import EventLog
from .scene import CHAT, OF_ENGINEERS, Scene, without

BEAT = 0.35
"""Seconds that a split or an eviction stays in sight."""

MOST_BEATS = 6
"""Beats after which the present is shown at once: nobody waits for a film."""

_KINDS: dict[str, tuple[type, ...]] = {"split": (ev.Split,), "eviction": (ev.Evicted, ev.Trimmed, ev.BlocksEvicted)}


class Watch(Vertical):
    """Everything about the tree.

    Args:
        id: Of the widget.
        look: How to paint.
        view: How the tree is drawn.
        beats: Whether splits and evictions pause.
        told: Whether the log of events is shown.

    Attributes:
        conversations: Tokens of the open conversations, for the detail of a node.
        recording: What is shown; None until there is one.
        snapshot: The moment that is shown.
        scene: How it is shown.
    """

    def __init__(self, id: str, *, look: Look, view: str, beats: bool, told: bool) -> None:
        super().__init__(id=id)
        self.look = look
        self.conversations: Mapping[str, Int32Array] = {}
        self.scene: Scene = CHAT
        self._view = view
        self._beats_on = beats
        self.recording: Recording | None = None
        self.snapshot: Snapshot | None = None
        self._travel: Travel | None = None
        self._pieces: Mapping[int, bytes] = {}
        self._bytes_per_token = 0
        self._now: tuple[Snapshot, int] | None = None  # the present
        self._position: int | None = None  # in the past; None: the present is shown
        self._shown = 0  # position that is on the screen
        self._waiting: deque[int] = deque()  # events that still get their beat, by index
        self._beat: Timer | None = None
        self._chosen: int | None = None  # the node under the cursor when the present was left
        self._ids = False
        self._told = told
        self._explained: Explained | None = None  # the recording; None until somebody asks why
        self._note: str | None = None  # shown instead of the node, until the cursor moves

    BINDINGS: ClassVar = bindings("tree")

    def compose(self) -> ComposeResult:
        """Tree, node, signs, pool, what happened, timeline."""
        yield TreeView(id="tree")
        with NodePane(self._detail, id="node"):
            yield Lines("detail")
        yield EventLog(id="log")
        yield Lines("legend")
        yield Lines("gauge")
        yield Lines("told")
        yield StripBar(id="strip")

    def on_mount(self) -> None:
        """Gives the parts their look."""
        self.drawing.view = self._view
        self.restyle(self.look.palette)

    @property
    def drawing(self) -> TreeView:
        """The tree."""
        return self.query_one(TreeView)

    @property
    def node(self) -> NodePane:
        """The detail of the node under the cursor."""
        return self.query_one(NodePane)

    @property
    def position(self) -> int:
        """How many events of the recording have happened at the moment that is shown."""
        return self._shown

    @property
    def step(self) -> int:
        """The step of that moment."""
        return self._travel.step_at(self._shown) if self._travel is not None else 0

    @property
    def cursor(self) -> int | None:
        """The node under the cursor."""
        return self.drawing.cursor

    # -- what is shown ------------------------------------------------------------------------------------------------

    def open(
        self, recording: Recording, pieces: Mapping[int, bytes], bytes_per_token: int, position: int | None = None
    ) -> None:
        """Shows another recording, from its end on, or from a position."""
        self._cut_beats()
        self.drawing.forget()  # another recording has other nodes under the same ids
        self.recording, self._travel, self._explained = recording, Travel(recording), None
        self._pieces, self._bytes_per_token = pieces, bytes_per_token
        self._now, self._position = None, position
        if self.drawing.view == "blocks" and not recording.header.config.preset:
            self._note = "A radix tree has no blocks: it is drawn as by /view auto."
        self._shown = len(recording.events) if position is None else position
        self.query_one(StripBar).open(recording)
        self.query_one(EventLog).open(self._travel, recording, pieces, self.look)
        self._draw(recording.at(self._shown), self._shown)

    def now(self, snapshot: Snapshot, position: int) -> None:
        """Takes the present: the snapshot of the cache, and the events recorded so far."""
        self._now = (snapshot, position)
        if self._position is not None:
            self._tell()
            self.query_one(StripBar).refresh()
        elif self._waiting or self._beat is not None:
            self._queue(position)
        else:
            self._queue(position)
            self._next_beat()

    def reveal(self, position: int) -> None:
        """Goes on to a later moment, event by event where something splits or goes."""
        if self.recording is None:
            return
        self._cut_beats()
        self._position = None
        self._now = (self.recording.at(position), position)
        self._queue(position)
        self._next_beat()

    def restyle(
        self, palette: str, abridged: tuple[tuple[str, str], ...] | None = None, lang: str | None = None
    ) -> None:
        """Paints in another palette, and with other abridgements or in another language."""
        abridged = self.look.abridged if abridged is None else abridged
        self.look = replace(self.look, palette=palette, abridged=abridged, lang=lang or self.look.lang)
        self.drawing.look = self.look
        strip = self.query_one(StripBar)
        strip.look = self.look
        self._redraw()

    def light(self, nodes: Mapping[int, int]) -> None:
        """Lights up the path that would be reused."""
        self.drawing.mark(Mark.LIT, nodes if self._position is None else {})

    def travel_to(self, position: int | None) -> None:
        """Shows a moment of the past; None, the present."""
        self._cut_beats()
        if self.recording is None:
            return
        if self._position is None and position is not None:
            self._chosen = self.cursor  # it may not exist in the past, and comes back with the present
        returns = self._position is not None and position is None
        self._position = position
        self.set_class(position is not None, "-past")
        if position is not None:
            self._draw(self.recording.at(position), position)
        elif self._now is not None:
            self._draw(*self._now)
        else:
            end = len(self.recording.events)
            self._draw(self.recording.at(end), end)
        if returns and self._chosen is not None and self.snapshot is not None and self.snapshot.find(self._chosen):
            self.drawing.cursor = self._chosen

    def clicked(self, position: int) -> None:
        """Goes to a moment that somebody pointed at in the timeline."""
        self.travel_to(position)

    @property
    def past(self) -> bool:
        """Whether a moment of the past is shown."""
        return self._position is not None

    def _redraw(self) -> None:
        """Shows the same moment again."""
        if self.recording is not None:
            self.travel_to(self._position)
        self._signs()

    def _draw(self, snapshot: Snapshot, position: int, cut: Mapping[int, int] | None = None) -> None:
        self._shown = position
        self.snapshot = snapshot = self.scene.of(snapshot)
        tree, scene = self.drawing, self.scene
        tree.show(
            snapshot, self._pieces, bytes_per_token=self._bytes_per_token or None,
            letters=scene.called(snapshot), veiled=scene.veiled,
        )  # fmt: skip
        tree.mark(Mark.CUT, cut if cut is not None else self._cut_at(position))
        self._signs()
        self._detail()
        self._tell()
        strip = self.query_one(StripBar)
        strip.position, strip.live, strip.until = position, self._position is None and not scene.taught, scene.until
        strip.refresh()
        log = self.query_one(EventLog)
        log.lang, log.names = scene.lang, scene.names
        log.show(position, scene.until)

    def _cut_at(self, position: int) -> dict[int, int]:
        """In the past, the split of this very moment is marked on its head."""
        if self._position is None or self.recording is None or not position:
            return {}
        event = self.recording.events[position - 1]
        return {event.head: event.at} if isinstance(event, ev.Split) else {}

    def _signs(self) -> None:
        style: dict[str, Any] = {"palette": self.look.palette, "ascii": self.look.ascii, "colour": self.look.colour}
        if not self.size.width:
            return
        width = max(20, self.size.width - 2)
        scene = self.scene
        blocks = self.drawing.kind == "blocks"
        self.set_class(blocks and not scene.taught, "-blocks")  # which show the pool themselves
        self._write("legend", legend(width=width, lang=scene.lang, veiled=scene.veiled, blocks=blocks, **style))
        if self.snapshot is not None:
            memory = self._bytes_per_token or None
            veiled = scene.veiled or scene.intro  # what is protected is a matter of locks
            pool = gauge(self.snapshot, width=width, look=self.look, bytes_per_token=memory, veiled=veiled)
            self._write("gauge", pool)

    def _detail(self) -> None:
        """Describes the node under the cursor; where room is short, its pane is there only when there is one."""
        self.set_class(self._note is not None or self.cursor is not None, "-chosen")
        self.set_class(self._note is not None, "-noted")
        if self._note is not None:
            self._write("detail", Text("\n".join(hung(self._note, max(20, self.node.size.width - 3)))))
        elif self.snapshot is not None and self.cursor is not None:
            scene = self.scene
            told = detail(
                self.snapshot, self.cursor, self._pieces, width=max(20, self.node.size.width - 3), look=self.look,
                bytes_per_token=self._bytes_per_token or None, ids=self._ids, conversations=self.conversations,
                letters=scene.letters, veiled=scene.veiled,
            )  # fmt: skip
            self._write("detail", without(told, OF_ENGINEERS) if scene.intro else told)
        else:
            self._write("detail", Text("Choose a node with the arrow keys, or click on one.", style="dim"))

    def _write(self, id: str, text: Text) -> None:
        self.query_one(f"#{id}", Lines).write(text)

    def _tell(self) -> None:
        """Says what happened at this moment, and how far the present is."""
        assert self.recording is not None and self._travel is not None
        end = len(self.recording.events)
        step = self._travel.step_at(self._shown)
        stop = self._travel.stop_at(self._travel.stop_index(self._shown))  # locks and slots are nothing to tell
        told = tell(self.recording.events[stop - 1], self._pieces, look=self.look) if stop else "before everything"
        if self._position is None:
            where = f"live · step {step} · {end:,} events"
        else:
            now = f" · now is {end - self._shown:,} events ahead, End goes there" if self._now is not None else ""
            where = f"step {step} · event {self._shown:,} of {end:,}{now}"
        if self.look.ascii:
            where = in_ascii(where)
        line = Text(no_wrap=True, overflow="ellipsis")
        if self._position is not None:
            line.append(" PAST ", "reverse bold").append(" ")
        self._write("told", line.append(f"{where}\n").append(told or ""))

    # -- beats --------------------------------------------------------------------------------------------------------

    def _queue(self, position: int) -> None:
        """Notes the splits and evictions up to a position that are not shown yet."""
        assert self.recording is not None
        start = self._waiting[-1] + 1 if self._waiting else self._shown
        if self._beats_on and self.app.animation_level != "none":
            kinds = (ev.Split, ev.Evicted, ev.Trimmed, ev.BlocksEvicted)
            new = (at for at in range(start, position) if isinstance(self.recording.events[at], kinds))
            self._waiting.extend(new)
        while len(self._waiting) > MOST_BEATS:
            self._waiting.popleft()

    def _next_beat(self) -> None:
        """Shows the next split or eviction for a moment; after the last one, the present."""
        self._beat = None
        if self._position is not None or self.recording is None:
            self._waiting.clear()
            return
        if not self._waiting:
            if self._now is not None:
                self._draw(*self._now)
            return
        at = self._waiting.popleft()
        event = self.recording.events[at]
        if isinstance(event, ev.Split):
            self._draw(self.recording.at(at), at + 1, {event.node: event.at})  # the edge, where it will be cut
        else:
            self._draw(self.recording.at(at + 1), at + 1)
        self._beat = self.set_timer(BEAT, self._next_beat)

    def _cut_beats(self) -> None:
        self._waiting.clear()
        if self._beat is not None:
            self._beat.stop()
            self._beat = None

    # -- commands -----------------------------------------------------------------------------------------------------

    def act(self, name: str, argument: str) -> Iterator[str]:
        """Carries out a command about the tree or time; yields what to say.

        Raises:
            UsageError: an argument that means nothing.
        """
        handlers: dict[str, Callable[[str], str | None]] = {
            "back": lambda argument: self._go(argument, -1), "forward": lambda argument: self._go(argument, 1),
            "goto": self._goto, "live": self._live, "diff": self._diff, "beats": self._set_beats,
            "view": self._set_view, "move": self._move, "pan": self._pan, "fold": self._fold, "find": self._find,
            "follow": self._follow, "ids": self._show_ids, "compact": self._compact, "why": self._why,
        }  # fmt: skip
        if (told := handlers[name](argument)) is not None:
            yield told

    def _here(self) -> tuple[Travel, int]:
        if self._travel is None:
            raise UsageError("nothing is recorded yet", "Wait until the model is loaded.")
        return self._travel, self._shown if self._position is None else self._position

    def _go(self, what: str, by: int) -> str | None:
        travel, here = self._here()
        if what in ("", "event"):
            self.travel_to(travel.stop(here, by))
        elif what == "step":
            self.travel_to(travel.step(here, by))
        elif what in _KINDS:
            found = travel.next_of(here, _KINDS[what], by)
            if found is None:
                return f"no {what} {'after' if by > 0 else 'before'} this"
            self.travel_to(found)
        else:
            raise UsageError(f"there is no way {what!r} through time", "Ways: event, step, split, eviction.")
        if by > 0 and self._now is not None and self._shown >= travel.end:
            self.travel_to(None)  # whoever walks to the end has arrived in the present
        return None

    def _goto(self, argument: str) -> str | None:
        travel, _ = self._here()
        if not argument.isdigit():
            raise UsageError(f"{argument!r} is no step", "Write it like `/goto 3`.")
        self.travel_to(self._end_of(travel, argument))
        return None

    def _end_of(self, travel: Travel, step: str) -> int:
        try:
            return travel.end_of(int(step))
        except (NoStep, ValueError) as error:
            what = error.what if isinstance(error, NoStep) else f"{step!r} is no step"
            raise UsageError(what, error.fix if isinstance(error, NoStep) else "Write it like `/diff 2 3`.") from None

    def _live(self, argument: str) -> str | None:
        self.travel_to(None)
        return None

    def _diff(self, argument: str) -> str | None:
        travel, here = self._here()
        assert self.recording is not None
        words = argument.split()
        step = travel.step_at(here)
        first, last = (
            (words[0], words[1]) if len(words) > 1 else (words[0] if words else str(max(0, step - 1)), str(step))
        )
        found = diff(self.recording, self._end_of(travel, first), self._end_of(travel, last))
        lines = [f"step {first} to step {last}", *tell_diff(found, self._pieces, look=self.look)[1:]]
        self._say(lines)
        return " · ".join(lines)

    def _why(self, argument: str) -> str:
        """Says why the prompts of a step were not reused; of the one that is shown, by default."""
        assert self.recording is not None
        if self._explained is None:  # it has read the recording then, and reads on
            self._explained = Explained(self.recording, ascii=self.look.ascii)
        explained = self._explained
        whys = explained.of_step(number_of(argument, "/why 3") if argument else self.step)
        lines = [line for why in whys for line in explained.tell(why)]
        self._say(lines)
        return lines[0]

    def _say(self, lines: list[str]) -> None:
        """Says something in place of the node; where one pane is shown at a time, brings it to the front."""
        self._note = "\n".join(lines)
        self._detail()
        self.node.scroll_home(animate=False)
        if not self.node.region.height:
            self.call_after_refresh(self._bring_note)

    def _bring_note(self) -> None:
        if self._note is not None and not self.node.region.height:
            self.app.action_run("/pane node")  # type: ignore[attr-defined]

    def let_go(self) -> None:
        """Chooses no node: the pane that told of it gives its room back."""
        self._note = None
        self.drawing.cursor = None
        self._detail()

    def _set_beats(self, argument: str) -> str:
        self._beats_on = switched(argument, self._beats_on, "beats")
        return f"beats {'on' if self._beats_on else 'off'}"

    def _set_view(self, argument: str) -> str:
        if argument and argument not in VIEWS:
            raise UsageError(f"there is no view {argument!r}", f"Views: {', '.join(VIEWS)}.")
        tree = self.drawing
        without = self.snapshot is not None and self.snapshot.blocks is None
        if argument == "blocks" and without:
            raise UsageError("a radix tree has no blocks", "Begin with --cache hash to see some.")
        views = [view for view in VIEWS if view != "blocks" or not without]
        tree.view = argument or views[(views.index(tree.view) + 1) % len(views) if tree.view in views else 0]
        self._signs()
        return f"view {tree.view}"

    def _move(self, argument: str) -> str | None:
        tree = self.drawing
        if argument == "parent":
            tree.to_parent()
        elif argument == "branch":
            tree.to_next_branch()
        elif argument == "open":
            self.app.action_run("/pane node")  # type: ignore[attr-defined]
        elif argument in {way.value for way in Direction}:
            tree.move(Direction(argument))
        else:
            raise UsageError(f"there is no way {argument!r}", "Ways: up, down, left, right, parent, branch, open.")
        return None

    def _pan(self, argument: str) -> str | None:
        steps = {"up": (0, -4), "down": (0, 4), "left": (-12, 0), "right": (12, 0)}
        if argument not in steps:
            raise UsageError(f"there is no way {argument!r}", f"Ways: {', '.join(steps)}.")
        self.drawing.pan(*steps[argument])
        return None

    def _fold(self, argument: str) -> str | None:
        tree = self.drawing
        folds = {"": tree.fold, "chains": tree.fold_chains, "none": tree.unfold_all}
        if argument not in folds:
            raise UsageError(f"nothing is folded by {argument!r}", "Write /fold, /fold chains or /fold none.")
        folds[argument]()
        return None

    def _compact(self, argument: str) -> str | None:
        self.drawing.compact()
        return None

    def _find(self, argument: str) -> str | None:
        if argument in ("next", "back"):
            self.drawing.find_next(back=argument == "back")
            return None
        hits = self.drawing.find(argument)
        if not hits:
            return f"no node has {argument!r}{' at this moment' if self.past else ''}"
        return f"{hits} node{'' if hits == 1 else 's'} with {argument!r}{'; n and N go on' if hits > 1 else ''}"

    def _follow(self, argument: str) -> str:
        self.drawing.follow = switched(argument, self.drawing.follow, "follow")
        return f"follow {'on' if self.drawing.follow else 'off'}"

    def _show_ids(self, argument: str) -> str | None:
        self._ids = switched(argument, self._ids, "ids")
        self._note = None
        self._detail()
        return None

    # -- messages -----------------------------------------------------------------------------------------------------

    @on(TreeView.Moved)
    def _moved(self) -> None:
        self._note = None
        self._detail()

    def on_resize(self) -> None:
        """Signs and gauge take the width there is, once it is laid out."""
        self.call_after_refresh(self._signs)


class NodePane(VerticalScroll, can_focus=True):
    """Where the detail stands; it is written anew for another width."""

    def __init__(self, write: Callable[[], None], id: str) -> None:
        super().__init__(id=id)
        self._write = write

    def on_resize(self) -> None:
        """Another width."""
        self._write()


class StripBar(Widget, can_focus=True):
    """The timeline; a click goes to its moment."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.look = Look()
        self.position = 0
        self.live = True
        self.until: int | None = None
        self._strip: Strip | None = None

    def open(self, recording: Recording) -> None:
        """Shows another recording."""
        self._strip = Strip(recording)

    def render(self) -> Text:
        """Two lines: what happened when, and the steps."""
        if self._strip is None or self.size.width < 4:
            return Text("")
        return self._strip.paint(self.position, width=self.size.width, look=self.look, live=self.live, until=self.until)

    def on_click(self, event: tui.Click) -> None:
        """Goes there."""
        if self._strip is not None and isinstance(self.parent, Watch):
            self.parent.clicked(self._strip.position_at(event.x, self.size.width, self.until))


def hung(text: str, width: int) -> Iterator[str]:
    """Yields lines of at most `width` cells; where one goes on below, it does so under its first word, and a bit in."""
    for line in text.split("\n"):
        indent = min(len(line) - len(line.lstrip()), width // 2)
        for number, part in enumerate(paragraphs(line.strip(), width - indent - 2)):
            yield " " * (indent + 2 * bool(number)) + part


def switched(argument: str, now: bool, name: str) -> bool:
    """Returns what on, off or nothing (the other one) makes of a setting. Raises UsageError for anything else."""
    if argument not in ("", "on", "off"):
        raise UsageError(f"/{name} is on or off, and not {argument!r}", f"Write /{name} on.")
    return not now if not argument else argument == "on"
