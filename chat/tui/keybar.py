"""The last line: what the keys do where the focus is. A click on one presses it.

Where not all of them fit, some that one can do without are left out. Textual's own footer makes a widget of every key,
several times whenever the focus moves; this is one line of text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.style import Style
from rich.text import Text
from textual.screen import Screen

from .lines import Lines


class KeyBar(Lines):
    """Keys with a label, as the focused widget and all around it bind them.

    Args:
        id: Of the widget.
        spare: Keys that are left out where there is no room, the first one first.
        name: Says in the language of the moment what a key does, given its label.
    """

    def __init__(self, id: str, *, spare: Sequence[str] = (), name: Callable[[str], str] = str) -> None:
        super().__init__(id)
        self._spare = spare
        self._name = name

    def on_mount(self) -> None:
        """Follows the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def on_resize(self) -> None:
        """More keys, or fewer."""
        self._follow(self.screen)

    def _follow(self, screen: Screen[object]) -> None:
        items: dict[str, Text] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled:
                press = Style.from_meta({"@click": binding.action})
                key, label = self.app.get_key_display(binding), self._name(binding.description)
                items[binding.key] = Text.assemble((f" {key}", Style(bold=True) + press), (f" {label} ", press))
        for key in self._spare:
            if sum(item.cell_len for item in items.values()) > self.size.width:
                items.pop(key, None)
        self.write(Text("", no_wrap=True, overflow="crop").join(items.values()))
