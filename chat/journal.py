"""Where a chat's recordings go: a private file per run, the newest few kept, and `last` for the newest of all."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO

from ..radix.recording import Header, Recorder, Recording, RecordingError, load
from .engine import Engine
from .errors import UsageError, UserError
from .paths import open_private, private_dir, recordings_dir

KEPT = 50
"""Recordings kept besides those written to a place of the user's choice."""

LIMIT = 64 << 20
"""Bytes after which a recording stops following."""


class Journal:
    """Records an engine.

    Args:
        engine: Its events are taken from now on.
        path: File to write; None makes one among the recordings.
        keep: False records in memory only.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, engine: Engine, path: Path | None = None, *, keep: bool = True) -> None:
        self.path = (path or _new_path()) if keep else None
        self._file = _open(self.path) if self.path else None
        header = Header(
            config=engine.cache.config,
            cache=engine.cache_name,
            model=engine.name,
            tokenizer=engine.tokenizer.name,
            bytes_per_token=engine.bytes_per_token,
        )
        self._recorder = Recorder(header, engine.tokenizer.token_bytes, self._file, LIMIT)
        engine.listeners.append(self._recorder.add)
        if self.path:
            _remember(self.path)

    @property
    def recorder(self) -> Recorder:
        """Takes events and times; its snapshots are what front ends draw."""
        return self._recorder

    @property
    def recording(self) -> Recording:
        """Everything so far."""
        return self._recorder.recording

    def close(self) -> None:
        """Writes what was held back and closes the file."""
        self._recorder.flush()
        if self._file is not None:
            self._file.close()


def find(name: str) -> Path:
    """Returns the path of a recording; `last` is the newest.

    Raises:
        UsageError: there is none.
    """
    if name != "last":
        return Path(name)
    pointer = recordings_dir() / "last"
    if not pointer.exists():
        raise UsageError("there is no recording yet", "Chat first (`radixchat chat`), or name a file.")
    return Path(pointer.read_text(encoding="utf-8").strip())


def open_recording(name: str) -> Recording:
    """Reads a recording by path, or `last`.

    Raises:
        UserError: no such file, or not one that can be read.
    """
    path = find(name)
    try:
        return load(path)
    except RecordingError as error:
        raise UserError(error.what, error.fix) from None


def _new_path() -> Path:
    folder = _recordings()
    old = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    for path in old[: max(0, len(old) - KEPT + 1)]:
        path.unlink(missing_ok=True)
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.jsonl"


def _recordings() -> Path:
    try:
        return private_dir(recordings_dir())
    except OSError as error:
        raise UsageError(
            f"the folder {recordings_dir()} cannot be made: {error.strerror}",
            "Set RADIXCHAT_HOME to a folder of yours, or use --no-record.",
        ) from None


def _open(path: Path) -> IO[str]:
    try:
        return os.fdopen(open_private(path), "w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(
            f"the recording {path} cannot be written: {error.strerror}", "Name another file, or use --no-record."
        ) from None


def _remember(path: Path) -> None:
    """Notes the newest recording, whole or not at all."""
    folder = _recordings()
    draft = folder / f"last.{os.getpid()}"
    draft.write_text(f"{path.resolve()}\n", encoding="utf-8")
    draft.replace(folder / "last")
