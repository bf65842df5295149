"""A few screens, pixel by pixel; everything else about the app is tested by messages and state.

They hold for the pinned version of textual only. After a change that is meant: `pytest tests/chat/test_tui_screens.py
--snapshot-update`, and look at every one of them.
"""

from __future__ import annotations

from typing import Any

import pytest

textual = pytest.importorskip("textual")
pytest.importorskip("pytest_textual_snapshot")

from textual.pilot import Pilot  # noqa: E402

from radixchat.chat import commands  # noqa: E402
from radixchat.chat.chat import Chat  # noqa: E402
from radixchat.chat.tui.app import RadixApp  # noqa: E402
from radixchat.viz import Look  # noqa: E402

from .scripted import scripted_chat  # noqa: E402
from .tui_rig import Rig  # noqa: E402

if textual.__version__ != "8.2.8":
    pytest.skip("the screens were taken with textual 8.2.8", allow_module_level=True)


def told() -> Chat:
    """Two turns, a branch, an eviction; without times, which are never the same twice."""
    chat = scripted_chat("Hi!", "A **tree** of tokens.", "A trie, squeezed.", "Bye!")
    chat.engine.runner.bytes_per_token = 0
    chat.app = True
    for line in ("Hello!", "What is a radix tree?", "/regen", "/fork side", "Thanks.", "/evict 1"):
        for _ in commands.run(chat, line) if line.startswith("/") else chat.send(line):
            pass
    return chat


def before(*keys: str) -> Any:
    """What happens before the picture is taken."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, RadixApp)
        app.composer.cursor_blink = False
        rig = Rig(app, pilot, [])
        await rig.idle()
        await rig.press(*keys)
        await pilot.wait_for_scheduled_animations()

    return run


def app(**look: Any) -> RadixApp:
    return RadixApp(lambda model: told(), beats=False, look=Look(**look))


def test_side_by_side(snap_compare: Any) -> None:
    """Chat, figure, node, pool, timeline."""
    assert snap_compare(app(), terminal_size=(120, 34), run_before=before("f2", "down", "down"))


def test_small(snap_compare: Any) -> None:
    """One pane at a time."""
    assert snap_compare(app(), terminal_size=(80, 24), run_before=before())


def test_everything_in_ascii(snap_compare: Any) -> None:
    """The outline, and the log of events, some events back."""
    keys = ("f2", "1", "left", "left", "left")
    assert snap_compare(app(ascii=True), terminal_size=(160, 44), run_before=before(*keys))
