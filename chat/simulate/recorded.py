"""Reads our own recordings as traces: what each request asked for, and what it left in the cache.

`radix.past` puts the tokens of a request together: the prompt, and the reply as far as it has K/V. Knows how blocks are
cut from them, and no simulation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...radix import events as ev
from ...radix.keys import TOKEN_BYTES, Key, count, cut
from ...radix.past import Asked, Past
from ...radix.recording import RecordingError, load
from ..errors import UserError
from .ids import Ids
from .reading import Request, Skipped, open_trace

_HEADER = b'{"kind":"header"'


def is_recording(path: Path) -> bool:
    """Says whether a file is one of our recordings; a pipe, which can be read once only, is none.

    Raises:
        UsageError: it cannot be read.
    """
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        return False
    with open_trace(path) as file:
        return file.read(len(_HEADER)) == _HEADER


def read_recording(path: Path, page: int, ids: Ids, skipped: Skipped) -> Iterator[Request]:
    """Yields the requests of a recording in the order in which they ended; all at time 0, since it knows no other.

    Only full pages are cached, so the tokens after the last full one are part of no block.

    Args:
        path: Of the file.
        page: Tokens of a block.
        ids: Numbers the blocks.
        skipped: Counts the requests whose tokens are not all told; they are left out.

    Raises:
        UserError: it cannot be read, does not fit itself, or tells of no tokens.
    """
    try:
        ended = _ended(path)
    except RecordingError as error:
        raise UserError(error.what, error.fix) from None
    found = False
    for asked in ended:
        key = asked.key
        if asked.place is None or count(key) < asked.prompt:
            skipped.unknown += 1
            continue
        found = True
        computed = asked.place[1]  # not the last sampled token, which has no K/V
        pieces = _pieces(cut(key, 0, max(asked.prompt, computed)), page)
        yield Request(0.0, asked.prompt, asked.prompt // page, ids.number(_apart(asked.namespace, pieces)))
    if not found:
        raise UserError(
            f"{path.name} tells the tokens of no request", "Record one whose cache keeps what it has seen, and chat."
        )


def _ended(path: Path) -> list[Asked]:
    """The requests that ended, in that order."""
    recording = load(path)
    past = Past(recording)
    past.read_on()
    numbers = [event.request for event in recording.events if isinstance(event, ev.RequestFinished)]
    return [past.requests[number] for number in numbers if number in past.requests]


def _pieces(key: Key, page: int) -> list[Key]:
    """Full pages."""
    size = page * TOKEN_BYTES
    return [key[at : at + size] for at in range(0, len(key) - size + 1, size)]


def _apart(namespace: str, pieces: list[Key]) -> list[Any]:
    """Blocks as they are known by; the first one of another namespace is another block."""
    return [(namespace, pieces[0]), *pieces[1:]] if namespace and pieces else pieces
