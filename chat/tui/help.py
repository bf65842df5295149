"""The help screen and the list to choose from: made from the registry, so that they say what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...viz import label
from ..commands import Command

WHERE = {
    "": "", "tree": "in the tree", "chat": "on a turn",
    "free": "while no question is open", "choices": "at a question", "pick": "while a node is to be chosen",
}  # fmt: skip

_NAMES = {
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{", "right_curly_bracket": "}",
    "slash": "/", "question_mark": "?", "pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc", "space": "Space",
    "full_stop": ".", "plus": "+", "minus": "-", "tab": "Tab",
    "left": "←", "right": "→", "up": "↑", "down": "↓", "home": "Home", "end": "End", "enter": "Enter",
}  # fmt: skip


def key_name(key: str, *, ascii: bool = False) -> str:
    """Returns a key as it is printed on keyboards."""
    *held, last = key.split("+")
    name = _NAMES.get(last, last.upper() if last[1:].isdigit() else last)
    if ascii and not name.isascii():
        name = last.capitalize()
    if held == ["ctrl"]:
        return f"^{name.upper()}"
    return "-".join([*(word.capitalize() for word in held), name])


CHAT = (
    "Type a message and press Enter; Shift-Enter or Ctrl-J begins another line. Tab and F2 go from pane to pane. The "
    "line above the input says what Enter would do to the cache. A key runs the command it stands with."
)
LESSON = (
    "PgDn, Space or Enter go on, PgUp goes back. At a question a digit answers, or the arrow keys and Enter; where a "
    "node is asked for, choose it in the tree. Nothing shows the answer before. A key runs the command it stands with."
)


class HelpScreen(ModalScreen[None]):
    """Every command with its keys.

    Args:
        commands: A table of the registry.
        about: What stands above them.
    """

    BINDINGS: ClassVar = [Binding("escape,q,f1", "dismiss", "Close")]

    def __init__(self, commands: Mapping[str, Command], *, about: str = CHAT, ascii: bool = False) -> None:
        super().__init__()
        self._commands = commands
        self._about = about
        self._ascii = ascii

    def compose(self) -> ComposeResult:
        """A table of commands, and what keys mean in the tree."""
        with VerticalScroll(id="help") as scroll:
            scroll.border_title = "Help: arrows scroll, Esc closes"
            yield Static(self._text())

    def _text(self) -> Text:
        text = Text(f"{self._about}\n")
        for known in self._commands.values():
            text.append(f"\n/{known.name} {known.usage}".rstrip(), "bold")
            for line in keys_of(known, ascii=self._ascii):
                text.append(f"   {line}", "dim")
            text.append(f"\n  {known.summary}\n")
        return text


def keys_of(command: Command, *, ascii: bool = False) -> list[str]:
    """Returns a command's keys, and where they work."""
    lines = []
    for where in dict.fromkeys(key.where for key in command.keys):
        names = " ".join(key_name(key.key, ascii=ascii) for key in command.keys if key.where == where)
        lines.append(f"{names} {WHERE[where]}".rstrip())
    return lines


class Choice(ModalScreen[str | None]):
    """A list to choose one of.

    Args:
        title: What is chosen.
        options: The names, and what is said of each.
        current: The one that is chosen now.
    """

    BINDINGS: ClassVar = [Binding("escape", "dismiss(None)", "Close")]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], current: str) -> None:
        super().__init__()
        self._title = title
        self._names = [name for name, _ in options]
        self._about = [about for _, about in options]
        self._current = current

    def compose(self) -> ComposeResult:
        """The list."""
        rows = zip(self._names, self._about, strict=True)
        options = [
            Option(Text.assemble((label(name).fit(24).plain.ljust(26), "bold"), (label(about).fit(60).plain, "dim")))
            for name, about in rows
        ]
        choices = OptionList(*options, id="choice", markup=False)
        choices.border_title = self._title
        yield choices

    def on_mount(self) -> None:
        """Begins at the current one."""
        if self._current in self._names:
            self.query_one(OptionList).highlighted = self._names.index(self._current)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chosen."""
        self.dismiss(self._names[event.option_index])
