"""What was typed, kept from run to run and shared by the front ends: a file with an entry a line, as JSON strings.

So entries of several lines stay whole. A line that is no JSON string is an entry as it stands: that is what earlier
versions wrote. Entries are appended one by one; when the file has become long, it is replaced by its newest entries.
Losing a history is no reason to stop: what cannot be read or written is left.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from .paths import open_private, private_dir

LIMIT = 1000
"""Entries that are kept."""


class History:
    """Entries, oldest first.

    Args:
        path: The file, readable by its owner only; None keeps them in memory.
        limit: Entries that are kept.

    """

    def __init__(self, path: Path | None, limit: int = LIMIT) -> None:
        self._path = path
        self._limit = limit
        lines = _lines(path) if path is not None else []
        self._entries = [_entry(line) for line in lines][-limit:]
        if path is not None and len(lines) > limit + limit // 2:
            with suppress(OSError):
                _replace(path, self._entries)

    def entries(self) -> list[str]:
        """Returns what was typed, at most `limit` entries."""
        return list(self._entries)

    def add(self, entry: str) -> None:
        """Adds what was typed, unless it is blank or the same as before."""
        if not entry.strip() or entry == (self._entries[-1] if self._entries else None):
            return
        self._entries.append(entry)
        del self._entries[: -self._limit]
        if self._path is not None:
            with suppress(OSError):
                _append(self._path, entry)


def _append(path: Path, entry: str) -> None:
    private_dir(path.parent)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, _line(entry))  # one call: two programs may append, and no line is torn
    finally:
        os.close(handle)


def _replace(path: Path, entries: list[str]) -> None:
    """Writes the file anew, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(open_private(draft), "wb") as file:
        file.writelines(map(_line, entries))
    draft.replace(path)


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if line.strip()]
    except OSError:
        return []


def _line(entry: str) -> bytes:
    text = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace")
    return text + b"\n"


def _entry(line: str) -> str:
    try:
        value = json.loads(line) if line.startswith('"') else line
    except ValueError:
        value = line
    return value if isinstance(value, str) else line
