"""A lesson in the app, and ways to look at its screen and to wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from textual.pilot import Pilot

from radixchat.chat.lessons.loading import load_lesson
from radixchat.chat.lessons.player import Player
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.schema import Lesson
from radixchat.chat.tui.lesson import LessonApp
from radixchat.chat.tui.lines import Lines

SECONDS = 30.0
"""How long to wait for what must happen."""


@cache
def nine_steps() -> Lesson:
    return load_lesson("nine-steps")


class LessonRig:
    """A lesson that runs in the app."""

    def __init__(self, app: LessonApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def player(self) -> Player:
        assert self.app.player is not None
        return self.app.player

    async def until(self, true: Callable[[], Any]) -> Any:
        """Waits until something holds."""
        deadline = asyncio.get_running_loop().time() + SECONDS
        while not (found := true()):
            assert asyncio.get_running_loop().time() < deadline, "it never came true"
            await self.pilot.pause(0.01)
        return found

    async def idle(self) -> None:
        """Waits until nothing runs and everything is drawn."""
        await self.until(lambda: not self.app.course.busy)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Presses keys, one after the other, and waits for what each does."""
        for key in keys:
            await self.pilot.press(key)
            await self.idle()

    async def go(self, step: int) -> None:
        """Goes to the end of a step."""
        self.app.action_run(f"/goto {step}")
        await self.idle()

    async def type(self, line: str) -> None:
        """Sends a line through the input."""
        self.app.write(line)
        await self.press("enter")

    def text(self, selector: str) -> str:
        """What lines of the screen say."""
        return self.app.screen_stack[0].query_one(selector, Lines).text

    @property
    def screen(self) -> str:
        """The whole screen as text."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)

    def below(self, selector: str) -> str:
        """The screen where a widget stands."""
        region = self.app.screen_stack[0].query_one(selector).region
        lines = self.app.screen._compositor.render_strips()[region.y : region.bottom]
        return "\n".join(line.crop(region.x, region.right).text for line in lines)


@asynccontextmanager
async def taught(
    lesson: Lesson | None = None,
    *,
    size: tuple[int, int] = (100, 28),
    wait: bool = True,
    beats: bool = False,
    stage: Callable[[], Stage] | None = None,
    **options: Any,
) -> AsyncIterator[LessonRig]:
    """Opens a lesson."""
    lesson = lesson or nine_steps()
    app = LessonApp(lesson, stage or (lambda: Stage(lesson)), beats=beats, **options)
    async with app.run_test(size=size) as pilot:
        rig = LessonRig(app, pilot)
        if wait:
            await rig.until(lambda: app.player is not None and app.course.complete)
            await rig.idle()
        yield rig
