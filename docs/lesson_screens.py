"""Takes the screenshots of lessons in docs/screens/: the paper's figure with and without a question, bars, both trees.

    python docs/lesson_screens.py

No model is needed, and nothing differs from run to run.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import NamedTuple

from radixchat.chat.lessons.loading import load_lesson
from radixchat.chat.lessons.running import Stage
from radixchat.chat.tui.lesson import LessonApp

OUT = Path(__file__).parent / "screens"
REMOTE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture in the docs fetches nothing
NUMBER = re.compile(r"terminal-\d+")


class Shot(NamedTuple):
    """A picture: which lesson, where in it, in which window, after which keys."""

    name: str
    lesson: str
    step: int
    size: tuple[int, int] = (100, 28)
    keys: tuple[str, ...] = ()
    lang: str = "en"
    line: str = ""  # sent through the input


SHOTS = (
    Shot("lesson-question", "nine-steps", 3, keys=("pagedown", "down")),
    Shot("lesson-answer", "nine-steps", 4, keys=("pagedown", "left", "enter")),
    Shot("lesson-eight", "nine-steps", 8),
    Shot("lesson-zh", "nine-steps", 8, lang="zh"),
    Shot("lesson-what-if", "nine-steps", 9, line="/split-recency prefix"),
    Shot("lesson-side", "trie-to-radix", 5, size=(160, 44)),
    Shot("lesson-bars", "multi-turn", 4, size=(120, 42)),
)


async def take(shot: Shot) -> None:
    """Takes one picture."""
    lesson = load_lesson(shot.lesson)
    app = LessonApp(lesson, lambda: Stage(lesson), step=shot.step, lang=shot.lang, beats=False)
    async with app.run_test(size=shot.size) as pilot:
        while app.player is None or app.player.steps < len(lesson.steps):
            await pilot.pause(0.02)
        await pilot.press(*shot.keys)
        if shot.line:
            app.write(shot.line)
            await pilot.press("enter")
        await pilot.pause(0.3)
        while app.course.busy:
            await pilot.pause(0.02)
        await pilot.pause(0.3)
        picture = app.export_screenshot(title="radixchat lesson", simplify=True)
    (OUT / f"{shot.name}.svg").write_text(NUMBER.sub("screen", REMOTE.sub("", picture)), encoding="utf-8")


def main() -> None:
    """Every picture."""
    OUT.mkdir(exist_ok=True)
    for shot in SHOTS:
        asyncio.run(take(shot))


if __name__ == "__main__":
    main()
