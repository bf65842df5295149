"""Writes files whole or not at all: a temporary file beside each, and when all are there they take their places.

`os.path` is asked about names rather than `Path`: to it a name that is too long is no error, but no file.

Knows paths and bytes; no format.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ..errors import UsageError, UserError

STDOUT = "-"
"""What stands for standard output in place of a file."""


def check(paths: list[Path], *, clobber: bool) -> None:
    """Looks whether files can be written, before anything is drawn.

    Raises:
        UsageError: a folder is missing, something that is no file is in the way, or a file that may not be replaced.
    """
    for path in paths:
        folder = path.parent
        if not os.path.isdir(folder):
            if os.path.lexists(folder):
                raise UsageError(f"{folder} is no folder", "Name a file in a folder that is there.")
            raise UsageError(f"the folder {folder} does not exist", f"Make it first: mkdir -p {folder}")
        if os.path.isdir(path):
            raise UsageError(f"{path} is a folder", "Name a file, or several in it with --all.")
        if not clobber and os.path.lexists(path):
            raise UsageError(f"{path} exists", "Name another file, or leave --no-clobber out to replace it.")


def write(files: Mapping[Path, bytes]) -> None:
    """Writes files, all of them or none.

    Through a link the file that it leads to is replaced; what is no plain file (a pipe, a device) is written to.

    Raises:
        UsageError: a file that cannot be written; those before it are as they were.
    """
    drafts: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, data in files.items():
            target = Path(os.path.realpath(path))
            if target.exists() and not target.is_file():
                target.write_bytes(data)
                continue
            drafts.append((target.with_name(f".radixchat-{os.getpid()}-{len(drafts)}.part"), target))
            _draft(*drafts[-1], data)
        while drafts:
            draft, path = drafts[0]
            draft.replace(path)
            drafts.pop(0)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UsageError(f"{path} cannot be written: {why}", "Name another file, or make room.") from None
    finally:
        for draft, _ in drafts:
            with suppress(OSError):
                draft.unlink()


def _draft(draft: Path, target: Path, data: bytes) -> None:
    """Writes a file beside its place, as open to others as what it replaces."""
    with draft.open("wb") as file:
        file.write(data)
    if target.exists():
        draft.chmod(stat.S_IMODE(target.stat().st_mode))


def print_out(data: bytes, *, text: bool) -> None:
    """Writes one file to standard output. Raises UserError when it is no text and a terminal would show it."""
    if not text and sys.stdout.isatty():
        raise UserError("this format is no text, and stdout is a terminal", "Name a file, or send it on: … -o - | …")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
