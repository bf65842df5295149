"""`radixchat compare`: the same prompts through several caches, printed, as JSON, or as pictures in a folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ...viz import sanitize
from ...viz.picture import Look
from ..errors import UsageError
from ..terminal import Terminal, open_terminal
from .contest import USUAL, Contest, entrants
from .served import Script
from .sources import open_script

if TYPE_CHECKING:
    from ..engine import Engine


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None is as the script was served, or as is usual."""

    caches: Sequence[str] = USUAL
    presets: Sequence[str] = ()
    block_size: int | None = None
    capacity: int | None = None
    step: int | None = None


def contest_of(script: Script, wanted: Wanted, engine: Engine | None = None) -> Contest:
    """Runs a comparison; a capacity that is asked for beats what the script changes.

    Raises:
        UsageError: caches that are not possible.
        ModelError: pools that memory does not hold.
    """
    if wanted.capacity is not None:
        script = replace(script, steps=tuple(step._replace(capacity=None) for step in script.steps))
    found = entrants(script, wanted.caches, wanted.presets, wanted.block_size, wanted.capacity)
    if engine is not None:
        import torch

        from ..engine.memory import check_pool

        tokens = sum(one.config.capacity for one in found)
        check_pool(tokens, engine.bytes_per_token, torch.device(engine.device))
    return Contest(script, found, engine)


def place_of(contest: Contest, step: int | None) -> int:
    """Returns the place of a step by its number; None is the last that has a request. Raises UsageError for another."""
    numbers = [each.number for each in contest.steps]
    if not numbers:
        raise UsageError("nothing was asked yet", "Type a message first.")
    if step is None:
        asked = [place for place, each in enumerate(contest.steps) if each.requests]
        return asked[-1] if asked else len(numbers) - 1
    if step not in numbers:
        raise UsageError(f"there is no step {step}", f"There are steps {numbers[0]} to {numbers[-1]}.")
    return numbers.index(step)


def run_compare(
    what: str,
    wanted: Wanted,
    *,
    model: str | None,
    compute: bool,
    as_json: bool,
    export: Path | None,
    color: str,
    ascii: bool,
) -> None:
    """Compares, and prints.

    Args:
        what: A lesson, a recording, or `last`.
        wanted: Which caches, and which step.
        model: Of a lesson, or what computes; None is as usual.
        compute: Whether each cache has a model behind it that computes.
        as_json: For programs.
        export: A folder for pictures of the structures.
        color: As in `open_terminal`.
        ascii: Whether to print ASCII only.

    Raises:
        UserError: there is no such thing, or a cache that is not possible.
    """
    if not sys.stdout.isatty() and color == "auto" and not os.environ.get("FORCE_COLOR"):
        color = "never"
    terminal = open_terminal(color, ascii)
    script, engine = open_script(what, model, compute=compute)
    contest = contest_of(script, wanted, engine)
    place = place_of(contest, wanted.step)
    for note in script.notes:
        terminal.say(f"note: {sanitize(note, ascii=terminal.ascii)}")
    if export is not None:
        for line in export_structures(contest, place, export):
            terminal.say(line)
    if as_json:
        _print_json(terminal, contest, wanted.step, place)
    else:
        print_page(terminal, contest, place)


def print_page(terminal: Terminal, contest: Contest, place: int, stream: IO[str] | None = None) -> None:
    """Prints the step at a place, to stdout if nobody says otherwise."""
    from .page import page

    console = terminal.console(stream or terminal.out)
    look = Look(terminal.palette, terminal.ascii, terminal.colour)
    for line in page(contest, place, width=terminal.width, look=look):
        line.rstrip()
        console.print(line, soft_wrap=True)


def _print_json(terminal: Terminal, contest: Contest, step: int | None, place: int) -> None:
    from .words import as_json

    places = range(len(contest.steps)) if step is None else [place]
    print(json.dumps(as_json(contest, places), ensure_ascii=False), file=terminal.out)


def export_structures(contest: Contest, place: int, folder: Path) -> list[str]:
    """Writes SVG and DOT of the first two caches after the step at a place into a folder; returns what to say.

    Raises:
        UsageError: a file that cannot be written.
    """
    from ..exporting.options import Options, Steps
    from ..exporting.run import export_moment

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be made: {error.strerror}", "Name another folder.") from None
    said = []
    for arm in contest.arms[:2]:
        view = "blocks" if arm.entrant.config.preset else "figure"
        for ending in ("svg", "dot"):
            asked = Options(str(folder / f"{arm.entrant.name}.{ending}"), step=Steps(place + 1, place + 1))
            asked = replace(asked, view=view) if ending == "svg" or view == "blocks" else asked
            said += export_moment(arm.recording, asked, arm.ends[place])
    return said
