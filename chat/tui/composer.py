"""Where a person types: several lines, a history, completion of commands. Knows no chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea


class Composer(TextArea, inherit_bindings=False):
    """The input line, which may become several.

    Args:
        id: Of the widget.
        history: What was typed before, oldest first.
        complete: Called with a command that is to go on; the answer comes through `go_on`.
    """

    BINDINGS: ClassVar = [
        *(binding for binding in TextArea.BINDINGS if binding.key not in ("f6", "f7")),  # these are commands here
        Binding("enter", "send", "Send", show=False),
        Binding("shift+enter,alt+enter,ctrl+j", "newline", "New line", show=False),
    ]

    @dataclass
    class Sent(Message):
        """Enter was pressed."""

        text: str

    def __init__(self, id: str, *, history: Sequence[str], complete: Callable[[str], None]) -> None:
        super().__init__(
            id=id, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True,
            highlight_cursor_line=False, placeholder="Type a message, or / for commands",
        )  # fmt: skip
        self._entries = list(history)
        self._at = len(self._entries)
        self._draft = ""
        self._complete = complete

    def action_send(self) -> None:
        """Hands the text over; it stays until `sent` says that it was taken."""
        if self.text.strip():
            self.post_message(self.Sent(self.text))

    def action_newline(self) -> None:
        """Begins another line."""
        self.insert("\n")

    def action_copy(self) -> None:
        """Copies what is selected; with nothing selected, clears the input, and ↑ brings it back."""
        if self.selected_text or not self.text:
            super().action_copy()
        else:
            self.sent()

    def sent(self) -> None:
        """Clears the text and keeps it in the history."""
        if not self._entries or self._entries[-1] != self.text:
            self._entries.append(self.text)
        self._at, self._draft = len(self._entries), ""
        self.text = ""

    def write(self, text: str) -> None:
        """Puts a text there for the person to go on with."""
        self.text = text
        self.move_cursor(self.document.end)
        self.focus()

    def action_cursor_up(self, select: bool = False) -> None:
        """On the first line, the entry before."""
        if self.cursor_location[0] == 0 and not select and self._at > 0:
            self._go(self._at - 1)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """On the last line, the entry after."""
        if self.cursor_location[0] == self.document.end[0] and not select and self._at < len(self._entries):
            self._go(self._at + 1)
        else:
            super().action_cursor_down(select)

    def _go(self, at: int) -> None:
        if self._at == len(self._entries):
            self._draft = self.text
        self._at = at
        self.text = self._draft if at == len(self._entries) else self._entries[at]
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":  # the text area would take it for a line break
            event.stop()
            event.prevent_default()
            self.action_send()
            return
        if event.key == "tab" and self.text.startswith("/") and "\n" not in self.text:
            event.stop()
            event.prevent_default()
            self._complete(self.text)
            return
        await super()._on_key(event)

    def go_on(self, line: str, ways: Sequence[str]) -> None:
        """Continues a line as far as all ways agree; a finished word gets the blank that follows it."""
        if line != self.text or not ways:
            return
        common = commonprefix(list(ways))  # noqa: RUF071 - character by character is meant
        if len(ways) == 1 and " " not in common:
            common += " "
        if len(common) > len(line):
            self.text = common
            self.move_cursor(self.document.end)
