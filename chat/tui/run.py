"""Starts the app, for a chat or for a recording; or says in two lines why it cannot be started."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from ...viz.picture import Look
from ..config import Config
from ..errors import UsageError
from ..journal import open_recording
from ..start import Start, check_installed
from ..terminal import open_terminal
from .app import RadixApp
from .themes import PALETTE_OF

SWITCH = 1e-4
"""Seconds after which the screen's thread lets the engine's go on. A forward takes and gives the interpreter's lock
hundreds of times, and each time it could wait that long for a repaint: beside another busy process the app had 0.86 of
the plain chat's speed at Python's 5 ms, and 0.92 at 0.1 ms. Alone on two cores no difference stands out."""


def run_app(start: Start, *, color: str) -> NoReturn:
    """Opens the chat; ends the process with its exit code.

    Raises:
        UserError: the app cannot be shown here, or no model can run at all.
    """
    check_terminal("Use `radixchat chat --plain`, or pipe a prompt into `radixchat chat`.")
    check_installed()
    config = start.config
    look, theme = style(config, color)
    app = RadixApp(
        lambda model: start.chat(app=True, model=model),
        look=look,
        theme=theme,
        view=config.view,
        beats=config.beats,
        history=start.history(),
    )
    sys.setswitchinterval(SWITCH)
    code = _run(app)
    if config.save and app.view.turns and not code:
        print(f"saved as {app.view.current!r}; `radixchat chat --continue` goes on with it", file=sys.stderr)
    sys.stdout.flush()
    os._exit(code)  # the desk is done; to take torch apart, or to wait for its import, would keep the person waiting


def run_replay(name: str, config: Config, *, step: int | None, color: str) -> int:
    """Shows a recording in the same screen, without any model; returns the exit code.

    Raises:
        UserError: no such recording, or the app cannot be shown here.
    """
    check_terminal("Use `radixchat replay RECORDING --plain`.")
    recording = open_recording(name)
    look, theme = style(config, color)
    title = f"{name} · {recording.header.model or 'no model'}"
    app = RadixApp(
        None, recording=recording, step=step, title=title, look=look, theme=theme, view=config.view, beats=False
    )
    return _run(app)


def check_terminal(instead: str) -> None:
    """Raises UsageError where the app cannot be drawn; `instead` is what to do then."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the app needs a terminal, and this is none", instead)
    if os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError("the app cannot draw on this terminal (TERM is dumb, or not set)", instead)


def style(config: Config, color: str) -> tuple[Look, str]:
    """Returns how to paint, and the theme: the one of the settings, else the one that suits the terminal."""
    terminal = open_terminal(color, config.ascii)
    if not terminal.colour:
        os.environ["NO_COLOR"] = "1"  # textual asks nothing else
    suits = {palette: theme for theme, palette in reversed(PALETTE_OF.items())}
    theme = config.theme or suits[terminal.palette]
    return Look(palette=PALETTE_OF[theme], ascii=terminal.ascii, colour=terminal.colour), theme


def _run(app: RadixApp) -> int:
    app.run()
    return int(app.return_code or 0)
