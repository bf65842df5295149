"""Runs a lesson and its what-ifs in a thread of their own, and posts what came of it.

Nothing is written to the disk. Knows stages and players; no widget.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from ..errors import UserError
from .crash import unexpected

if TYPE_CHECKING:
    from ..lessons.player import Player
    from ..lessons.running import Stage
    from ..lessons.runs import Run


@dataclass
class Ran(Message):
    """Another step of the lesson is done, or all of them."""

    stage: Stage
    run: Run
    done: bool


@dataclass
class Changed(Message):
    """A what-if was run, or failed."""

    error: UserError | None


@dataclass
class Failed(Message):
    """The lesson cannot be run."""

    error: UserError


def run_aside(load: Callable[[], Stage], post: Callable[[Message], None]) -> None:
    """Loads and runs a lesson; posts `Ran` after each step and at the end, or `Failed`."""

    def work() -> None:
        stage = load()
        run = stage.run(on_step=lambda run: post(Ran(stage, run, done=False)))
        post(Ran(stage, run, done=True))

    _begin("lesson", work, lambda error: post(Failed(error)))


def change_aside(player: Player, text: str, post: Callable[[Message], None]) -> None:
    """Runs a lesson with something changed: a model may take its time. Posts `Changed`."""

    def work() -> None:
        player.what_if(text)
        post(Changed(None))

    _begin("what-if", work, lambda error: post(Changed(error)))


def _begin(name: str, work: Callable[[], None], fail: Callable[[UserError], None]) -> None:
    def guarded() -> None:
        try:
            work()
        except UserError as error:
            fail(error)
        except Exception as error:  # ours to mend: the traceback goes to a file
            fail(unexpected(error))

    threading.Thread(target=guarded, name=name, daemon=True).start()
