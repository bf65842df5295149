"""Lines of text that grow and shrink get the room that they take, whenever they are written."""

from __future__ import annotations

import pytest

pytest.importorskip("textual")

from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Vertical

from radixchat.chat.tui.lines import Lines

pytestmark = pytest.mark.asyncio


class OneOfThem(App[None]):
    """Lines of the height that their text takes."""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Lines("lines")


@pytest.mark.parametrize("texts", [("a\nb",), ("a\nb\nc", "a"), ("a\nb", "a", "a\nb\nc\nd")])
@pytest.mark.parametrize("between", [False, True])
async def test_lines_that_change_between_a_layout_and_the_note_of_it(texts: tuple[str, ...], between: bool) -> None:
    """Written in the very moment after a layout, and with a layout in between."""
    app = OneOfThem()
    async with app.run_test(size=(40, 10)) as pilot:
        lines = app.query_one(Lines)
        lines.refresh(layout=True)
        app.screen._refresh_layout()
        for text in texts:
            lines.write(Text(text))
            if between:
                app.screen._refresh_layout()
        await pilot.pause()
        await pilot.pause()
        assert lines.size.height == texts[-1].count("\n") + 1
