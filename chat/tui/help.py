"""The help screen and the list to choose from: made from the registry, so that they say what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...viz import label
from ..commands import Command, Key

WHERE = {"": "anywhere", "tree": "in the tree or on the timeline", "chat": "on a turn"}

_NAMES = {
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{", "right_curly_bracket": "}",
    "slash": "/", "pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc", "space": "Space", "left": "←", "right": "→",
    "up": "↑", "down": "↓", "home": "Home", "end": "End", "enter": "Enter",
}  # fmt: skip


def key_name(key: str) -> str:
    """Returns a key as it is printed on keyboards."""
    *held, last = key.split("+")
    name = _NAMES.get(last, last.upper() if len(last) > 1 and last[0] == "f" and last[1:].isdigit() else last)
    return "-".join([*(word.capitalize() for word in held), name])


class HelpScreen(ModalScreen[None]):
    """Every command with its keys.

    Args:
        commands: The registry.
    """

    BINDINGS: ClassVar = [Binding("escape,q,f1", "dismiss", "Close")]

    def __init__(self, commands: Mapping[str, Command]) -> None:
        super().__init__()
        self._commands = commands

    def compose(self) -> ComposeResult:
        """A table of commands, and what keys mean in the tree."""
        with VerticalScroll(id="help") as scroll:
            scroll.border_title = "Help: ↑ ↓ scroll, Esc closes"
            yield Static(self._intro())
            yield Static(self._table())

    def _intro(self) -> Text:
        return Text(
            "Type a message and press Enter; Shift-Enter or Ctrl-J begins another line. F2 and Tab go from pane to "
            "pane. The line above the input says what Enter would do to the cache. Keys in the columns work "
            "where they say; every one of them runs the command in its row.\n"
        )

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 1), show_edge=False, expand=True)
        table.add_column("command", style="bold", no_wrap=True)
        table.add_column("keys", no_wrap=True)
        table.add_column("what it does", ratio=1)
        for known in self._commands.values():
            table.add_row(Text(f"/{known.name} {known.usage}"), Text(_keys(known.keys)), Text(known.summary))
        return table


def _keys(keys: Sequence[Key]) -> str:
    """Keys with their arguments, a line for each place."""
    lines = []
    for where in dict.fromkeys(key.where for key in keys):
        here = [key for key in keys if key.where == where]
        names = " ".join(key_name(key.key) for key in here)
        lines.append(names if not where else f"{names} ({where})")
    return "\n".join(lines)


class Choice(ModalScreen[str | None]):
    """A list to choose one of.

    Args:
        title: What is chosen.
        options: The names.
        current: The one that is chosen now.
    """

    BINDINGS: ClassVar = [Binding("escape", "dismiss(None)", "Close")]

    def __init__(self, title: str, options: Sequence[str], current: str) -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._current = current

    def compose(self) -> ComposeResult:
        """The list."""
        options = [Option(Text(label(name).fit(60).plain)) for name in self._options]
        choices = OptionList(*options, id="choice", markup=False)
        choices.border_title = self._title
        yield choices

    def on_mount(self) -> None:
        """Begins at the current one."""
        if self._current in self._options:
            self.query_one(OptionList).highlighted = self._options.index(self._current)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chosen."""
        self.dismiss(self._options[event.option_index])
