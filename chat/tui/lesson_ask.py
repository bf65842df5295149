"""The input line of a lesson, for what-ifs and commands: it opens over the keys, and closes. Knows no lesson."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.events import Key

from ..commands import Command
from .composer import Composer


class AskLine(Composer):
    """An input line that is there while somebody asks.

    Args:
        table: The commands that it completes.
        tell: Says something in a line.
    """

    def __init__(self, table: Mapping[str, Command], tell: Callable[[str], None]) -> None:
        super().__init__("composer", history=[], complete=self._offer)
        self._table = table
        self._tell = tell

    def open(self, text: str, placeholder: str) -> None:
        """Opens, with something in it."""
        self.placeholder = placeholder
        self.display = True  # at once, and so is the focus: the next key may be on its way
        self.app.set_class(True, "-asking")
        self.write(text)
        self.screen.set_focus(self)

    def close(self) -> None:
        """Goes away."""
        self.app.set_class(False, "-asking")
        self.display = False

    def take(self, event: Key) -> None:
        """Takes a key that was on its way elsewhere while the line opened."""
        if event.key == "enter":
            self.action_send()
        elif event.is_printable and event.character is not None:
            self.insert(event.character)

    def _offer(self, line: str) -> None:
        """Completes a command, or says how it may go on."""
        name, space, argument = line[1:].partition(" ")
        if not space:
            ways = [f"/{known}" for known in self._table if known.startswith(name)]
        else:
            known = self._table.get(name)
            words = [word for word in known.usage.strip("[]").split("|") if word.islower()] if known else []
            ways = [f"/{name} {word}" for word in words if word.startswith(argument)]
        self.go_on(line, ways)
        if len(ways) > 1:
            self._tell("  ".join(ways))
