"""Takes the screenshots of the app in docs/screens/: the same story in three windows, on the bundled model.

    python docs/screens.py

The story: two conversations, a fork, a regenerated reply, a forced eviction, ten events back and forward to the
present, all by keyboard. Times differ from run to run; everything else is the same.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from textual.pilot import Pilot

from radixchat import Engine
from radixchat.chat.chat import Chat
from radixchat.chat.tui.app import RadixApp

OUT = Path(__file__).parent / "screens"
SIZES = ((80, 24), (120, 34), (200, 50))
REMOTE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture in the docs fetches nothing
NUMBER = re.compile(r"terminal-\d+")


def chat(model: str | None) -> Chat:
    """A chat that leaves nothing on the disk."""
    return Chat(lambda name: Engine.load(name or model or "radish", capacity=512), app=True, keep=False)


async def idle(pilot: Pilot[int]) -> None:
    """Waits until nothing runs and the last beat is over."""
    app = pilot.app
    assert isinstance(app, RadixApp)
    await pilot.pause(0.2)
    while app.busy:
        await pilot.pause(0.05)
    await pilot.pause(1.5)


async def say(pilot: Pilot[int], *lines: str) -> None:
    """Sends lines, one after the other."""
    app = pilot.app
    assert isinstance(app, RadixApp)
    for line in lines:
        app.composer.focus()
        app.composer.text = line
        await pilot.press("enter")
        await idle(pilot)


def shoot(pilot: Pilot[int], name: str) -> None:
    """Writes the screen as it is."""
    picture = pilot.app.export_screenshot(title="radixchat", simplify=True)
    picture = NUMBER.sub("screen", REMOTE.sub("", picture))
    (OUT / f"{name}.svg").write_text(picture, encoding="utf-8")


async def story(width: int, height: int) -> None:
    """Plays the story in one window."""
    name = f"{width}x{height}"
    app = RadixApp(chat)
    async with app.run_test(size=(width, height)) as pilot:
        await idle(pilot)
        await say(pilot, "Hello!", "What is a radix tree?", "/fork other", "What is a KV cache?", "/regen")
        await say(pilot, "/new", "What can you do?")
        app.composer.text = "What is a trie?"
        await idle(pilot)
        shoot(pilot, f"{name}-chat")
        app.composer.text = ""
        await pilot.press("f2", "3")
        await idle(pilot)
        shoot(pilot, f"{name}-figure")
        await pilot.press("2")
        await idle(pilot)
        shoot(pilot, f"{name}-ruler")
        await pilot.press("1")
        await say(pilot, "/evict 30")
        app.action_run("/pane tree")
        await pilot.press("down", "down")
        await idle(pilot)
        shoot(pilot, f"{name}-evicted")
        await pilot.press(*["left"] * 10)
        await idle(pilot)
        shoot(pilot, f"{name}-past")
        await pilot.press("end")
        await idle(pilot)


def main() -> None:
    """Every window."""
    OUT.mkdir(exist_ok=True)
    for size in SIZES:
        asyncio.run(story(*size))


if __name__ == "__main__":
    main()
