"""The terminal: which streams, how wide, with or without colour and Unicode. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import IO, Any, Literal, TextIO

WIDTH = 100
"""Columns where there is no terminal to ask."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where and how to print."""

    out: IO[str]  # data
    err: IO[str]  # talk
    interactive: bool  # a person types at stdin and reads stderr
    colour: bool
    ascii: bool
    columns: int | None = None  # None: as wide as the terminal is at the moment
    palette: str = "dark"  # of viz.PALETTES

    @property
    def width(self) -> int:
        """Columns to print in; a window may have been resized since the last time."""
        return self.columns or _width()

    def console(self, stream: IO[str] | None = None) -> Any:
        """Returns a rich console over a stream (stderr by default) that interprets nothing in the text it is given."""
        from rich.console import Console

        return Console(
            file=stream or self.err,
            force_terminal=self.colour,
            color_system=_colour_system() if self.colour else None,
            no_color=not self.colour,
            width=self.width,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    def say(self, text: str) -> None:
        """Prints a line of talk."""
        print(text, file=self.err, flush=True)


def open_terminal(colour: str = "auto", ascii: bool = False) -> Terminal:
    """Looks at the streams and the environment (NO_COLOR, FORCE_COLOR, TERM, COLUMNS)."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    return Terminal(
        out=sys.stdout,
        err=sys.stderr,
        interactive=sys.stdin.isatty() and sys.stderr.isatty(),
        colour=_wants_colour(colour),
        ascii=ascii or not _speaks_unicode(sys.stderr),
        palette=_palette(),
    )


def _wants_colour(when: str) -> bool:
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stderr.isatty()


def _palette() -> str:
    """Colours for what the terminal says of itself: sixteen of its own, or exact ones on dark or light ground."""
    ground = os.environ.get("COLORFGBG", "").rpartition(";")[2]  # set by some terminals: foreground;background
    light = ground in ("7", "15")
    if _colour_system() == "standard":
        return "ansi-light" if light else "ansi"
    return "light" if light else "dark"


def _colour_system() -> Literal["truecolor", "256", "standard"]:
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256" in os.environ.get("TERM", "") else "standard"


def _speaks_unicode(stream: TextIO) -> bool:
    try:
        "●├─✚⏎".encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) >= 20:
        return int(columns)
    try:
        return max(20, os.get_terminal_size(sys.stderr.fileno()).columns)
    except (OSError, ValueError):
        return WIDTH
