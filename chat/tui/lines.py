"""Lines of text that change often: laid out anew only when their number changes, painted only when they differ."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


def in_ascii(text: str) -> str:
    """Returns our own words without the signs that ASCII has not."""
    return text.translate(_SIGNS)


_SIGNS = str.maketrans({"·": "|", "…": "...", "×": "x", "→": "Right", "←": "Left", "↑": "Up", "↓": "Down"})


class Lines(Static):
    """A few lines that are wrapped already."""

    def __init__(self, id: str) -> None:
        super().__init__("", id=id)
        self._text = Text("")

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.plain

    def write(self, text: Text) -> None:
        """Shows a text."""
        if text == self._text and text.spans == self._text.spans and text.style == self._text.style:
            return
        before, breaks = (each.plain.count("\n") for each in (self._text, text))
        self._text = text
        self.update(text, layout=breaks != before)
        # A layout that was asked for, made, and not yet noted as made hides the next request: Textual then takes the
        # height of the text before from its cache. Styles that differ are another entry of that cache.
        self.styles.min_height = breaks
