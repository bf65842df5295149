"""The screen of a comparison: two caches side by side, step by step, and below them the table and why they differ.

Shown over a chat (`/compare`), or alone (`radixchat compare`). Reads a contest that is finished; knows no model, no
chat and no thread.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from ...viz import legend, sanitize
from ...viz.picture import Look
from ...viz.tree_view import TreeView
from ..compare.contest import Contest
from ..compare.run import Wanted, contest_of, place_of
from ..compare.sources import open_script
from ..compare.words import Words
from ..config import load_config
from .crash import unexpected
from .help import key_name
from .keybar import KeyBar
from .lines import Lines
from .run import check_terminal, style
from .themes import OURS

WIDE = 100
"""Columns from which on two caches stand side by side."""

HIGH = 20
"""Lines below which there is room for one thing at a time."""

PANES = ("left", "right", "text")
"""What is shown one at a time where there is little room."""


class _Key(NamedTuple):
    """What some keys do."""

    keys: str
    action: str
    label: str  # in the last line, at the first of the keys; "" is not there
    help: str


_KEYS = (
    _Key("left", "step(-1)", "Back", "the step before"),
    _Key("right", "step(1)", "Forward", "the step after"),
    _Key("home", "goto(0)", "First", "the first step"),
    _Key("end", "goto(-1)", "Last", "the last step"),
    _Key("tab", "pair(1)", "Caches", "two others of the caches"),
    _Key("shift+tab", "pair(-1)", "", "the two before"),
    _Key("f2,space", "pane", "Pane", "in a small window, the next pane"),
    _Key("down,j", "scroll(1)", "Scroll", "scroll the structures down"),
    _Key("up,k", "scroll(-1)", "", "scroll them up"),
    _Key("pagedown", "read(1)", "Why", "scroll the text down"),
    _Key("pageup", "read(-1)", "", "scroll it up"),
    _Key("f1,question_mark", "help", "Help", "this list"),
    _Key("escape,q,ctrl+c", "leave", "Close", "leave the comparison; ^C copies selected text"),
    _Key("ctrl+q", "app.quit", "Quit", "leave radixchat"),
)
"""All keys of the screen; its bindings, its last line and its help are made of these."""

_SPARE = ("ctrl+q", "down", "pagedown", "home", "end", "f1", "tab", "f2", "left", "right")
"""Keys that the last line leaves out where it is short, the first one first: how to leave always stands there."""


_NAMES = 12
"""Cells of the names of keys in the help."""


def _bindings() -> list[Binding]:
    return [
        Binding(key, row.action, row.label or row.help, show=bool(row.label) and not at, priority="tab" in key)
        for row in _KEYS
        for at, key in enumerate(row.keys.split(","))
    ]


class KeysScreen(ModalScreen[None]):
    """What every key of the comparison does."""

    DEFAULT_CSS = """
    KeysScreen { align: center middle; background: $background 60%; }
    KeysScreen #compare-help { width: 90%; max-width: 90; height: auto; max-height: 90%; border: round $primary; }
    KeysScreen #compare-help { background: $surface; padding: 0 1; }
    KeysScreen.-ascii #compare-help { border: ascii $primary; }
    KeysScreen Static { height: auto; }
    """
    BINDINGS: ClassVar = [Binding("escape,q,f1,question_mark,ctrl+c", "dismiss", "Close")]

    def __init__(self, *, ascii: bool) -> None:
        super().__init__()
        self._ascii = ascii
        self.set_class(ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """Key after key."""
        with VerticalScroll(id="compare-help") as scroll:
            scroll.border_title = "Keys: arrows scroll, Esc closes"
            yield Static(self.text, markup=False)

    @property
    def text(self) -> Text:
        """What it says."""
        text = Text()
        for row in _KEYS:
            names = "  ".join(key_name(key, ascii=self._ascii) for key in row.keys.split(","))
            text.append(f"{names:<{_NAMES}}", "bold").append(f"{row.help}\n")
        text.rstrip()
        return text


class CompareScreen(ModalScreen[None]):
    """Two of the caches of a comparison.

    Args:
        contest: What is shown; this screen is its one reader.
        place: Of the step at first; None is the last that has a request.
        look: How to paint.
    """

    DEFAULT_CSS = """
    CompareScreen { background: $background; layout: vertical; }
    CompareScreen #compare-heading { height: auto; max-height: 2; background: $panel; padding: 0 1; }
    CompareScreen #compare-body { height: 1fr; }
    CompareScreen .side { width: 1fr; height: 1fr; padding: 0 1; }
    CompareScreen #right { border-left: vkey $foreground 25%; }
    CompareScreen .title { height: auto; max-height: 2; text-style: bold; }
    CompareScreen .title, CompareScreen #compare-heading { text-wrap: nowrap; text-overflow: ellipsis; }
    CompareScreen #compare-legend { height: auto; padding: 0 1; }
    CompareScreen #compare-legend, CompareScreen #said { text-wrap: nowrap; text-overflow: clip; }
    CompareScreen.-low #compare-legend, CompareScreen.-single.-text #compare-legend { display: none; }
    CompareScreen TreeView { height: 1fr; }
    CompareScreen #text { height: auto; max-height: 45%; border-top: solid $foreground 25%; padding: 0 1; }
    CompareScreen #said { height: auto; }
    CompareScreen.-ascii .title, CompareScreen.-ascii #compare-heading { text-overflow: clip; }
    CompareScreen.-ascii #right { border-left: ascii $foreground 25%; }
    CompareScreen.-ascii #text { border-top: ascii $foreground 25%; }
    CompareScreen #compare-keys { height: 1; background: $panel; text-wrap: nowrap; }
    CompareScreen #compare-keys { link-style: none; link-color: $foreground; }
    CompareScreen.-single .side, CompareScreen.-single #text { display: none; }
    CompareScreen.-single.-left #left, CompareScreen.-single.-right #right { display: block; border-left: none; }
    CompareScreen.-single.-text #compare-body { display: none; }
    CompareScreen.-single.-text #text { display: block; height: 1fr; max-height: 100%; border-top: none; }
    """
    AUTO_FOCUS = None
    BINDINGS: ClassVar = _bindings()

    def __init__(self, contest: Contest, *, look: Look, place: int | None = None) -> None:
        super().__init__()
        self._contest = contest
        self._look = look
        self._place = place_of(contest, None) if place is None else place
        arms = range(len(contest.arms))
        self._pairs = list(combinations(arms, 2)) or [(0, 0)]
        self._pair = 0
        self._pane = 0
        self._shown: dict[str, int] = {}  # the arm on each side

    def compose(self) -> ComposeResult:
        """Heading, both caches, the text, the keys."""
        yield Lines("compare-heading")
        with Horizontal(id="compare-body"):
            for side in PANES[:2]:
                with Vertical(id=side, classes="side"):
                    title = Lines(f"{side}-title")
                    title.add_class("title")
                    yield title
                    yield TreeView(id=f"{side}-tree")
        yield Lines("compare-legend")
        with VerticalScroll(id="text"):
            yield Lines("said")
        yield KeyBar("compare-keys", spare=_SPARE)

    def on_mount(self) -> None:
        """Shows the step."""
        for view in self.query(TreeView):
            view.look = self._look
            view.can_focus = False
        self.set_class(self._look.ascii, "-ascii")
        self._arrange()
        self._draw()

    def on_resize(self) -> None:
        """There may be room for more, or for less."""
        self._arrange()
        self.call_after_refresh(self._draw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There are panes to choose from only where one is shown at a time."""
        return self._single if action == "pane" else True

    # -- what keys do --------------------------------------------------------------------------------------------------

    def action_step(self, by: int) -> None:
        """Goes so many steps on."""
        self._go(self._place + by)

    def action_goto(self, place: int) -> None:
        """Goes to a step; -1 is the last."""
        self._go(place if place >= 0 else len(self._contest.steps) - 1)

    def action_pair(self, by: int) -> None:
        """Chooses the next two caches."""
        self._pair = (self._pair + by) % len(self._pairs)
        self._draw()

    def action_pane(self) -> None:
        """Shows the next thing where there is room for one only."""
        self._pane = (self._pane + 1) % len(PANES)
        self._arrange()
        self.call_after_refresh(self._draw)

    def action_scroll(self, by: int) -> None:
        """Scrolls both caches; the text, where it alone is shown."""
        if self._single and PANES[self._pane] == "text":
            self.action_read(by, lines=1)
            return
        for view in self.query(TreeView):
            view.scroll_relative(y=by, animate=False)

    def action_read(self, by: int, lines: int | None = None) -> None:
        """Scrolls the text."""
        text = self.query_one("#text")
        text.scroll_relative(y=by * (lines or max(1, text.size.height - 1)), animate=False)

    def action_help(self) -> None:
        """Shows what the keys do."""
        self.app.push_screen(KeysScreen(ascii=self._look.ascii))

    def action_leave(self) -> None:
        """Closes the screen; selected text is copied first, and then is not selected any more."""
        if self.get_selected_text():
            self.action_copy_text()
            self.clear_selection()
        else:
            self.dismiss()

    # -- drawing -------------------------------------------------------------------------------------------------------

    @property
    def _single(self) -> bool:
        return self.has_class("-single")

    def _go(self, place: int) -> None:
        self._place = max(0, min(place, len(self._contest.steps) - 1))
        self._draw()

    def _arrange(self) -> None:
        self.set_class(self.size.width < WIDE or self.size.height < HIGH, "-single")
        self.set_class(self.size.height < HIGH, "-low")
        for number, pane in enumerate(PANES):
            self.set_class(number == self._pane, f"-{pane}")
        self.refresh_bindings()

    def _draw(self) -> None:
        contest, place = self._contest, self._place
        ascii = self._look.ascii
        words = Words(contest, width=max(20, self.size.width - 4), ascii=ascii, arms=self._pairs[self._pair])
        heading = words.heading(place)
        if self._single:
            names = " ".join(
                f"[{name}]" if number == self._pane else name
                for number, name in enumerate((*self._names(), "why"))
            )  # fmt: skip
            heading = f"{names}\n{heading}"
        self._write("compare-heading", Text(heading, no_wrap=True, overflow="ellipsis"))
        for side, at in zip(PANES, self._pairs[self._pair], strict=False):
            arm = contest.arms[at]
            self._write(f"{side}-title", Text(words.panel(arm, place), no_wrap=True, overflow="ellipsis"))
            view = self.query_one(f"#{side}-tree", TreeView)
            if self._shown.get(side) != at:
                view.forget()  # another cache has other nodes under the same ids
                self._shown[side] = at
            view.view = "blocks" if arm.entrant.config.preset else "rail"
            view.show(arm.panel(place), arm.recording.pieces, bytes_per_token=contest.script.bytes_per_token or None)
        self._write("compare-legend", self._legend())
        self._write("said", Text("\n".join([*words.table(place), "", *words.why(place)]), no_wrap=True))

    def _legend(self) -> Text:
        """Returns what the signs mean, of all that may be seen at once."""
        shown = self._pairs[self._pair]
        if self._single:
            shown = shown[self._pane : self._pane + 1]
        blocks = any(self._contest.arms[at].entrant.config.preset for at in shown)
        look, width = self._look, max(20, self.size.width - 2)
        return legend(width=width, palette=look.palette, ascii=look.ascii, colour=look.colour, blocks=blocks)

    def _names(self) -> list[str]:
        return [sanitize(self._contest.arms[at].entrant.title) for at in self._pairs[self._pair]]

    def _write(self, id: str, text: Text) -> None:
        self.query_one(f"#{id}", Lines).write(text)


class CompareApp(App[int], inherit_bindings=False):
    """The screen alone.

    Args:
        make: Makes what is shown.
        look: How to paint.
        theme: A name from `PALETTE_OF`.
        place: Of the step at first.
    """

    TITLE = "radixchat"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [Binding("ctrl+c", "quit", show=False, system=True)]

    def __init__(self, contest: Contest, *, look: Look, theme: str, place: int | None = None) -> None:
        super().__init__()
        self._contest = contest
        self._look = replace(look, colour=not self.no_color)
        self._theme = theme
        self._place = place

    def on_mount(self) -> None:
        """Opens the screen; when that closes, so does the program."""
        for theme in OURS:
            self.register_theme(theme)
        self.theme = self._theme
        screen = CompareScreen(self._contest, look=self._look, place=self._place)
        self.push_screen(screen, lambda _: self.exit(0))

    def get_key_display(self, binding: Binding) -> str:
        """Returns a key as the last line shows it."""
        return key_name(binding.key, ascii=self._look.ascii)

    def _fatal_error(self) -> None:
        """A bug: two lines, and a traceback in a file. Textual 8.2 would print the traceback."""
        error = unexpected(self._exception or RuntimeError("unknown"))
        self.panic(Text(f"radixchat: {error.what}\n{error.fix}"))


def run_screen(
    what: str, wanted: Wanted, *, model: str | None, compute: bool, theme: str | None, color: str, ascii: bool
) -> int:
    """Compares, and shows it; returns the exit code.

    Raises:
        UserError: as `run_compare`, or the app cannot be shown here.
    """
    check_terminal("Use `radixchat compare WHAT --plain`.")
    script, engine = open_script(what, model, compute=compute)
    contest = contest_of(script, wanted, engine)
    place = place_of(contest, wanted.step)
    look, theme = style(load_config().given(theme=theme, ascii=ascii or None), color)
    app = CompareApp(contest, look=look, theme=theme, place=place)
    app.run()
    return int(app.return_code or 0)
