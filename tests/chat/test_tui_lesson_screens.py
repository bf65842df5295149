"""Two screens of a lesson, pixel by pixel: an open question, and the panel with most in it.

They hold for the pinned version of textual only. After a change that is meant: `pytest
tests/chat/test_tui_lesson_screens.py --snapshot-update`, and look at both.
"""

from __future__ import annotations

from typing import Any

import pytest

textual = pytest.importorskip("textual")
pytest.importorskip("pytest_textual_snapshot")

from textual.pilot import Pilot  # noqa: E402

from radixchat.chat.lessons.running import Stage  # noqa: E402
from radixchat.chat.tui.lesson import LessonApp  # noqa: E402

from .lesson_rig import LessonRig, nine_steps  # noqa: E402

if textual.__version__ != "8.2.8":
    pytest.skip("the screens were taken with textual 8.2.8", allow_module_level=True)


def before(*keys: str) -> Any:
    """What happens before the picture is taken."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, LessonApp)
        rig = LessonRig(app, pilot)
        await rig.until(lambda: app.player is not None and app.course.complete)
        await rig.idle()
        await rig.press(*keys)
        await pilot.wait_for_scheduled_animations()

    return run


def app(step: int) -> LessonApp:
    return LessonApp(nine_steps(), lambda: Stage(nine_steps()), step=step, beats=False)


def test_a_question_before_step_four(snap_compare: Any) -> None:
    """Where is the node split?"""
    assert snap_compare(app(3), terminal_size=(100, 28), run_before=before("pagedown", "down"))


def test_step_eight(snap_compare: Any) -> None:
    """Two conversations and the few-shot branch, with two evictions."""
    assert snap_compare(app(8), terminal_size=(100, 28), run_before=before())
