"""`radixchat export`, and `/export`: from what somebody asks for to files.

Draws everything first, then writes; so a file is there whole, or as it was. Knows no layout and no format.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ...radix.recording import Recording
from ...viz import sanitize
from ...viz.errors import PictureError
from ...viz.uncollected import uncollected
from ..errors import UsageError
from . import files
from .formats import Format, Many, Sheet, check_options, format_of
from .options import NAMES, Options
from .sources import Source, Wanted, album_at, open_source

_NUMBER = "{n}"  # in a file's name: the step's


class Ask(NamedTuple):
    """What is asked for, understood: nothing is read yet."""

    options: Options
    format: Format

    @property
    def single(self) -> bool:
        """Whether one file holds all steps that are wanted."""
        return self.format.many is not Many.ONE or self.whole

    @property
    def whole(self) -> bool:
        """Whether all steps are wanted where nothing else is said."""
        return self.format.many is Many.ALL or self.options.animate or self.options.grid is not None

    @property
    def series(self) -> bool:
        """Whether several steps are wanted."""
        asked = self.options
        several = asked.step is not None and asked.step.first < asked.step.last
        return asked.every or several or (self.whole and asked.step is None)

    def steps(self, numbers: list[int]) -> list[int]:
        """Returns those of the steps there are that are wanted; 0, before the first, only where it is asked for."""
        step, later = self.options.step, [number for number in numbers if number]
        if step is None:
            return (later or numbers[:1]) if self.series else [numbers[-1]]
        for number in step:
            if number not in numbers:
                raise UsageError(f"there is no step {number}", f"There are steps {numbers[0]} to {numbers[-1]}.")
        return [number for number in numbers if step.first <= number <= step.last]

    def laid_out(self, numbers: list[int]) -> list[int]:
        """Returns the steps that decide where nodes stand: all, where one step shall stand as it does in the series."""
        wanted = self.steps(numbers)
        if self.options.layout == "fixed" and not self.single:
            return sorted({*wanted, *(number for number in numbers if number)})
        return wanted


def run_export(what: str, asked: Options) -> list[str]:
    """Exports a recording or a lesson; returns what to say about it, line by line.

    Raises:
        UserError: nothing was written: an option that means nothing, no such recording, lesson or step, a damaged
            recording, a model that cannot be loaded, a file that cannot be written, or a missing program.
    """
    chosen: list[int] = []
    with _pictures():
        ask = _understood(asked)
        return _export(ask, open_source(what, asked, _choosing(ask, chosen)), chosen)


def export_moment(recording: Recording, asked: Options, position: int | None = None) -> list[str]:
    """Exports a recording that is open, as it was at a moment; None is the end. Returns and raises as `run_export`."""
    if asked.output == files.STDOUT:
        raise UsageError("stdout is the chat's", "Name a file, like `/export tree.svg`.")
    if asked.model != "words":
        raise UsageError("--model is for lessons", "Leave it out.")
    chosen: list[int] = []
    with _pictures():
        ask = _understood(asked)
        return _export(ask, Source(album_at(recording, asked, _choosing(ask, chosen), position)), chosen)


@contextmanager
def _pictures() -> Iterator[None]:
    """Where pictures are made: what goes wrong in a writer (something is missing, too much is asked) is ours to say."""
    try:
        with uncollected():
            yield
    except PictureError as error:
        raise UsageError(error.what, error.fix) from None


def _understood(asked: Options) -> Ask:
    """Returns what is asked for; whatever can be refused without reading anything is refused here."""
    format = format_of(asked)
    check_options(format, asked)
    ask = Ask(asked, format)
    if asked.output == files.STDOUT:
        if ask.series and not ask.single:
            raise UsageError("stdout takes one file, and these are several", "Name a folder: -o DIR/.")
    elif not (ask.series and not ask.single):
        files.check([Path(_numbered(asked.output, "0"))], clobber=asked.clobber)
    format.needs(asked)
    return ask


def _choosing(ask: Ask, chosen: list[int]) -> Wanted:
    """Returns what chooses among the steps, and takes down which of them are drawn."""

    def wanted(numbers: list[int]) -> list[int]:
        chosen.extend(ask.steps(numbers))
        return ask.laid_out(numbers)

    return wanted


def _export(ask: Ask, source: Source, chosen: list[int]) -> list[str]:
    asked, format = ask.options, ask.format
    if asked.view == "blocks" and any(panel.snapshot.blocks is None for panel in source.album.panels):
        raise UsageError("a radix tree has no blocks", "Leave --view blocks out; it is for recordings of hash blocks.")
    sheet = Sheet(source.album, asked, series=ask.series or asked.layout == "fixed")
    places = [place for place, panel in enumerate(source.album.panels) if panel.number in chosen]
    if ask.single or (len(places) == 1 and not ask.series):
        path = Path(_numbered(asked.output, str(chosen[-1])))
        drawn = {path: format.write(sheet, None if ask.single else places[0])}
    else:
        paths = _frames(asked.output, chosen, format)
        files.check(paths, clobber=asked.clobber)
        drawn = {path: format.write(sheet, place) for path, place in zip(paths, places, strict=True)}
    notes = [sanitize(note) for note in (*source.notes, *sheet.notes)]
    if asked.output == files.STDOUT:
        files.print_out(next(iter(drawn.values())), text=format.text)
        return notes
    files.check(list(drawn), clobber=asked.clobber)
    files.write(drawn)
    return [*notes, _said(drawn)]


def _numbered(output: str, number: str) -> str:
    return output.replace(_NUMBER, number)


def _frames(output: str, numbers: list[int], format: Format) -> list[Path]:
    """Returns the file of each step: in a folder, or by a name that holds ``{n}`` or gets the number at its end."""
    digits = max(2, len(str(max(numbers))))
    path = Path(output)
    if _NUMBER not in path.name:
        if re.search(r"[/\\]$", output) or os.path.isdir(path):
            path = path / f"step-{_NUMBER}{format.endings[0]}"
        else:
            path = path.with_name(f"{path.stem}-{_NUMBER}{path.suffix}")
    return [path.with_name(_numbered(path.name, f"{number:0{digits}}")) for number in numbers]


def _said(drawn: dict[Path, bytes]) -> str:
    """Returns what was written: the file, or the first and the last of several, and how large."""
    size = sum(map(len, drawn.values()))
    paths = [sanitize(str(path)) for path in drawn]
    what = paths[0] if len(paths) == 1 else f"{len(paths)} files, {paths[0]} to {paths[-1]}"
    return f"wrote {what} ({_size(size)})"


def _size(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


__all__ = ["NAMES", "export_moment", "run_export"]
