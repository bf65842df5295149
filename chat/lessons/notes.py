"""The presenter's second terminal: the note of the step that a player shows, where the class does not look.

A player tells its place through a `Beacon`, a small private file; `run_notes` looks at it and prints what belongs
there. Knows lessons and places; no cache, and nothing of how a player draws.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ...viz import sanitize
from ..errors import INTERRUPTED
from ..paths import open_private, private_dir, state_dir
from ..terminal import Terminal, open_terminal
from .loading import load_lesson
from .player import Player
from .schema import Lesson, Said
from .speech import fold, in_ascii, say

POLL = 0.2
"""Seconds from look to look."""


class Place(NamedTuple):
    """Where a player is."""

    lesson: str  # its name
    step: int  # of the lesson; 0 is the title card
    lang: str
    title: str  # as the class sees it
    question: str  # that is open, or ""
    answer: str  # to it
    what_if: str  # what was changed, or ""
    time: float  # when it was told, seconds since the epoch
    pid: int  # of the player


def beacon_file() -> Path:
    """Where a player tells its place."""
    return state_dir() / "lesson.json"


class Beacon:
    """Tells where a player is, for as long as it runs; never gets in its way: what cannot be written is not.

    Args:
        path: The file; None is the usual one.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or beacon_file()
        self._told: Place | None = None

    def tell(self, player: Player) -> None:
        """Writes where the player is, if that changed."""
        posed = player.question
        place = Place(
            lesson=player.run.lesson.name,
            step=player.lesson_step + (posed is not None),
            lang=player.lang,
            title=player.title(),
            question=posed.text if posed is not None else "",
            answer=posed.answer if posed is not None else "",
            what_if=player.heading(),
            time=0.0,
            pid=os.getpid(),
        )
        if place != self._told:
            self._told = place
            self._write(place._replace(time=time.time()))

    def close(self) -> None:
        """Takes the file away, unless another player tells its place there by now."""
        place = read_place(self._path)
        if place is not None and place.pid == os.getpid():
            with suppress(OSError):
                self._path.unlink()
        self._told = None

    def _write(self, place: Place) -> None:
        draft = self._path.with_name(f"{self._path.name}.{place.pid}")
        with suppress(OSError):
            private_dir(self._path.parent)
            with os.fdopen(open_private(draft), "w", encoding="utf-8") as file:
                json.dump(place._asdict(), file, ensure_ascii=False)
            os.replace(draft, self._path)  # a reader sees the old place or the new one, never half of either


def read_place(path: Path) -> Place | None:
    """Returns the place that a player tells, None when there is none, or the player is gone."""
    try:
        place = _place(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return place if _runs(place.pid) else None


def _place(values: Any) -> Place:
    """Returns what was read as a place. Raises TypeError for anything else."""
    place = Place(**values)
    kinds: tuple[type, ...] = (str, int, str, str, str, str, str, float, int)
    for value, kind in zip(place, kinds, strict=True):
        if not isinstance(value, kind):
            raise TypeError(f"{value!r} has no place in a place")
    return place


def _runs(pid: int) -> bool:
    """Returns whether a process runs; where that cannot be asked without harm, it is said to."""
    if os.name != "posix" or pid <= 0:
        return pid > 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def run_notes(name: str, lang: str) -> int:
    """Prints the notes of a lesson: all at once in a pipe, those of the step that a player shows at a terminal.

    Returns the exit code: 0 at the end of all notes, 130 after Ctrl-C; a player may come and go.

    Raises:
        UserError: there is no such lesson.
    """
    lesson = load_lesson(name)
    terminal = open_terminal("auto")
    if not sys.stdout.isatty():
        for step in range(len(lesson.steps) + 1):
            _print(terminal, _note(lesson, step, lang))
        return 0
    try:
        follow(lesson, lang, terminal)
    except KeyboardInterrupt:
        return INTERRUPTED


def follow(
    lesson: Lesson,
    lang: str,
    terminal: Terminal,
    *,
    path: Path | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> NoReturn:
    """Prints the note of each place that a player of this lesson comes to; ends on Ctrl-C alone.

    Args:
        lesson: What is played.
        lang: Of the notes; the player may speak another.
        terminal: Where to print.
        path: The beacon's file; None is the usual one.
        sleep: Waits for some seconds.
    """
    path = path or beacon_file()
    seen, waits = None, False
    while True:
        place = read_place(path)
        if place is not None and place.lesson == lesson.name:
            if place != seen:
                _print(terminal, [*_note(lesson, place.step, lang), *_open(place, lang)])
            seen = place
        elif seen is not None:
            _print(terminal, [say(lang, "left")])
            seen = None
        elif not waits:
            terminal.say(_safe(terminal, say(lang, "waits", name=lesson.name)))
            waits = True
        sleep(POLL)


def _note(lesson: Lesson, number: int, lang: str) -> Iterator[str]:
    """Yields the title of a step, its note, and what comes next; 0 is the title card."""

    def told(said: Said | None) -> str:
        return said.text(lang) if said is not None else ""

    steps = lesson.steps
    if 0 < number <= len(steps):
        step = steps[number - 1]
        yield say(lang, "step", step=number, steps=len(steps), title=told(step.title))
        yield told(step.note) or say(lang, "no.note")
    else:
        yield told(lesson.title)
        yield told(lesson.about)
    if number < len(steps):
        yield say(lang, "coming", title=told(steps[number].title))


def _open(place: Place, lang: str) -> Iterator[str]:
    if place.what_if:
        yield place.what_if
    if place.question:
        yield place.question
        yield say(lang, "answer", text=place.answer)


def _print(terminal: Terminal, lines: Iterator[str] | list[str]) -> None:
    for text in lines:
        for line in fold(_safe(terminal, text), terminal.width):
            print(line, file=terminal.out)
    print(file=terminal.out, flush=True)


def _safe(terminal: Terminal, text: str) -> str:
    return sanitize(in_ascii(text) if terminal.ascii else text, ascii=terminal.ascii)
