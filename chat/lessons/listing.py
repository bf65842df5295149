"""The list of shipped lessons: what `radixchat lesson` prints without a name. Reads them and runs nothing."""

from __future__ import annotations

import json as jsonlib

from rich.text import Text

from ...viz import sanitize
from ..terminal import Terminal, open_terminal
from .loading import load_lesson, shipped
from .schema import Lesson


def run_list(*, lang: str, json: bool, color: str, ascii: bool) -> int:
    """Prints the shipped lessons to stdout; returns the exit code."""
    terminal = open_terminal(color, ascii)
    lessons = [load_lesson(name) for name in shipped()]
    if json:
        print(jsonlib.dumps([_facts(lesson, lang) for lesson in lessons], ensure_ascii=False, indent=2))
        return 0
    if not any(lang in lesson.languages for lesson in lessons):
        terminal.say(f"no lesson is told in {lang!r}; this is the English list")
    console = terminal.console(terminal.out)
    wide = max((len(lesson.name) for lesson in lessons), default=0)
    for lesson in lessons:
        console.print(_entry(lesson, lang, wide, terminal), soft_wrap=True)
    terminal.say("`radixchat lesson NAME` plays one; a file of your own, too (docs/lesson-format.md).")
    return 0


def _entry(lesson: Lesson, lang: str, wide: int, terminal: Terminal) -> Text:
    indent = " " * (wide + 2)
    about = f"{len(lesson.steps)} steps, {', '.join(_languages(lesson))}: {lesson.about.text(lang)}"
    lines = [f"{lesson.name:<{wide}}  {lesson.title.text(lang)}", indent + about]
    head, tail = (sanitize(line, ascii=terminal.ascii) for line in lines)
    return Text.assemble((head[:wide], "bold" if terminal.colour else ""), f"{head[wide:]}\n{tail}")


def _facts(lesson: Lesson, lang: str) -> dict[str, object]:
    return {
        "name": lesson.name,
        "title": lesson.title.text(lang),
        "about": lesson.about.text(lang),
        "steps": len(lesson.steps),
        "languages": _languages(lesson),
    }


def _languages(lesson: Lesson) -> list[str]:
    return ["en", *sorted(lesson.languages - {"en"})]
