"""The last line: what the keys do where the focus is. A click on one presses it.

Textual's own footer makes a widget of every key, several times whenever the focus moves; this is one line of text.
"""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual.screen import Screen

from .lines import Lines


class KeyBar(Lines):
    """Keys with a label, as the focused widget and all around it bind them."""

    def on_mount(self) -> None:
        """Follows the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def _follow(self, screen: Screen[object]) -> None:
        line = Text(no_wrap=True, overflow="crop")
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled:
                press = Style.from_meta({"@click": binding.action})
                line.append(f" {self.app.get_key_display(binding)}", Style(bold=True) + press)
                line.append(f" {binding.description} ", press)
        self.write(line)
