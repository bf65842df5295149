"""An app over a scripted engine, and ways to wait for it that do not depend on how fast the machine is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from radixchat.chat.chat import Chat
from radixchat.chat.engine.runner import Work
from radixchat.chat.tui.app import RadixApp
from radixchat.chat.tui.lines import Lines

from .scripted import ScriptedRunner, scripted_chat

SECONDS = 30.0
"""How long to wait for what must happen."""


class GatedRunner(ScriptedRunner):
    """Says a byte only when it is let; starts open."""

    def __init__(self, script: list[bytes], max_context: int = 4000) -> None:
        super().__init__(script, max_context)
        self.let = threading.Semaphore(0)
        self.open = True

    def step(self, batch: Sequence[Work]) -> list[tuple[int, ...]]:
        if not self.open and batch[0].samplers:
            self.let.acquire(timeout=SECONDS)
        return super().step(batch)


class Rig:
    """A running app."""

    def __init__(self, app: RadixApp, pilot: Pilot[int], messages: list[Message]) -> None:
        self.app = app
        self.pilot = pilot
        self.messages = messages

    async def until(self, true: Callable[[], Any]) -> Any:
        """Waits until something holds."""
        deadline = asyncio.get_running_loop().time() + SECONDS
        while not (found := true()):
            assert asyncio.get_running_loop().time() < deadline, "it never came true"
            await self.pilot.pause(0.01)
        return found

    async def idle(self) -> None:
        """Waits until the desk has nothing to do and everything it said is shown."""
        await self.until(lambda: not self.app.busy)
        await self.pilot.pause()
        await self._settle()

    async def _settle(self) -> None:
        """Waits until no message is left; the pilot looks at the time of a processor, which another program takes."""
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(0)
            pumps = (self.app, *self.app.screen.walk_children(with_self=True))
            quiet = 0 if any(pump.message_queue_size for pump in pumps) else quiet + 1

    async def type(self, text: str) -> None:
        """Puts a text into the input, as pasting it does."""
        self.app.composer.focus()
        self.app.composer.text = text
        await self.pilot.pause()

    async def send(self, text: str) -> None:
        """Types a line, sends it, and waits for what it does."""
        await self.type(text)
        await self.pilot.press("enter")
        await self.idle()

    async def press(self, *keys: str) -> None:
        """Presses keys and waits for what they do."""
        await self.pilot.press(*keys)
        await self.idle()

    def text(self, selector: str) -> str:
        """What a line of the screen says."""
        return self.app.screen_stack[0].query_one(selector, Lines).text

    @property
    def transcript(self) -> list[tuple[str, str, str]]:
        """Messages, replies and signatures on the screen."""
        return [(turn.view.user, turn.view.reply.strip(), turn.view.signature) for turn in self.app.transcript.turns]

    @property
    def talk(self) -> str:
        """Everything on the screen that belongs to no turn."""
        return "\n".join(str(line.render()) for line in self.app.screen_stack[0].query(".talk").results(Static))


@asynccontextmanager
async def running(
    *replies: str | bytes,
    size: tuple[int, int] = (120, 34),
    make: Callable[[str | None], Chat] | None = None,
    beats: bool = False,
    wait: bool = True,
    settings: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Rig]:
    """Runs an app over a chat that gives these replies."""
    messages: list[Message] = []

    def begin(model: str | None) -> Chat:
        chat = make(model) if make is not None else scripted_chat(*replies, **options)
        chat.app = True
        return chat

    app = RadixApp(begin, beats=beats, **(settings or {}))
    async with app.run_test(size=size, message_hook=messages.append) as pilot:
        rig = Rig(app, pilot, messages)
        if wait:
            await rig.idle()
        yield rig
