"""Starts the app, for a chat or for a recording; or says in two lines why it cannot be started."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ..errors import UsageError

if TYPE_CHECKING:
    from ...radix.recording import Recording


def check_terminal(instead: str) -> None:
    """Raises UsageError where no app can be shown; `instead` says what works there."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the app needs a terminal, and this is none", instead)
    if os.environ.get("TERM", "") in ("dumb", ""):
        raise UsageError("the app cannot draw on this terminal (TERM is dumb or not set)", instead)


def tidy_environment() -> None:
    """NO_COLOR means something only when it is not empty; textual looks only whether it is there."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]


def run_replay(recording: Recording, title: str, **settings: Any) -> int:
    """Shows a recording, without any model; returns the exit code."""
    from .app import RadixApp

    return _run(RadixApp(None, recording=recording, title=title, **settings))


def _run(app: Any) -> int:
    app.run()
    return int(app.return_value or app.return_code or 0)
