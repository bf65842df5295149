"""Reads our own recordings as traces: what each request asked for, and what it left in the cache.

A recording tells what a cache did. When a request ends, the path it held has its tokens: the prompt, and the reply
but for its last token, which has no K/V. Knows how recordings tell that, and no simulation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...radix import TreeState
from ...radix import events as ev
from ...radix.keys import TOKEN_BYTES, Key, count, cut
from ...radix.recording import Recording, RecordingError, load
from ..errors import UserError
from .ids import Ids
from .reading import Request, open_trace

_HEADER = b'{"kind":"header"'


class Ended(NamedTuple):
    """What a request held when it ended."""

    namespace: str
    key: Key  # tokens of its path; may go on past what is its own
    tail: Key  # tokens after them that fill no page, or have no K/V


def is_recording(path: Path) -> bool:
    """Says whether a file is one of our recordings; a pipe, which can be read once only, is none.

    Raises:
        UsageError: it cannot be read.
    """
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        return False
    with open_trace(path) as file:
        return file.read(len(_HEADER)) == _HEADER


def read_recording(path: Path, page: int, ids: Ids) -> Iterator[Request]:
    """Yields the requests of a recording in the order in which they ended; all at time 0, since it knows no other.

    Only full pages are cached, so the tokens after the last full one are part of no block.

    Args:
        path: Of the file.
        page: Tokens of a block.
        ids: Numbers the blocks.

    Raises:
        UserError: it cannot be read, does not fit itself, or tells of no tokens.
    """
    try:
        recording = load(path)
        found = 0
        for ended, finished in _requests(recording):
            known = max(count(ended.key), finished.prompt)
            key = cut(ended.key + ended.tail, 0, min(known, finished.prompt + finished.generated))
            found += bool(key)
            prompt = min(finished.prompt, count(key)) // page
            size = page * TOKEN_BYTES
            pieces = [key[at : at + size] for at in range(0, len(key) - size + 1, size)]
            if finished.prompt:
                yield Request(0.0, finished.prompt, prompt, ids.number(_apart(ended.namespace, pieces)))
    except RecordingError as error:
        raise UserError(error.what, error.fix) from None
    except (KeyError, AssertionError, AttributeError, IndexError) as error:
        raise UserError(f"{path.name} does not fit itself: {error}", "The recording is damaged; use another.") from None
    if not found:
        raise UserError(
            f"{path.name} tells the tokens of no request", "Record one whose cache keeps what it has seen, and chat."
        )


def _apart(namespace: str, pieces: list[Key]) -> list[Any]:
    """Blocks as they are known by; the first one of another namespace is another block."""
    return [(namespace, pieces[0]), *pieces[1:]] if namespace and pieces else pieces


def _requests(recording: Recording) -> Iterator[tuple[Ended, ev.RequestFinished]]:
    blocks = bool(recording.header.config.preset)
    state: Any = _block_state(recording) if blocks else TreeState(recording.header.config)
    of = _table if blocks else _path
    tail: Key = b""
    ended: Ended | None = None
    for event in recording.events:
        if isinstance(event, ev.Sampled):
            tail = event.key
        elif isinstance(event, ev.RequestFinished):
            if ended is not None:
                yield ended, event
            tail, ended = b"", None
        elif (last := of(state, event)) is not None:
            ended = Ended(last[0], last[1], tail)
        elif type(event) not in _AFTER:
            tail, ended = b"", None
        state.apply(event)


_AFTER = frozenset({ev.Released, ev.Evicted, ev.BlocksEvicted})
"""What may happen between the end of a lease and that of its request."""


def _block_state(recording: Recording) -> Any:
    from ...radix.block_state import BlockState

    return BlockState(recording.header.config)


def _path(state: TreeState, event: ev.Event) -> tuple[str, Key] | None:
    """The path that is unlocked from a hidden root on: a lease ends."""
    if not isinstance(event, ev.Unlocked):
        return None
    for name, root in state.roots.items():
        if root.id == event.above:
            nodes = [node.key for node in state.nodes[event.node].up_to(root)]
            return name, b"".join(reversed(nodes))
    return None


def _table(state: Any, event: ev.Event) -> tuple[str, Key] | None:
    """The block table that is closed: a lease ends."""
    if not isinstance(event, ev.TableClosed):
        return None
    table = state.tables[event.table]
    return table.root.namespace, b"".join(block.key for block in table.blocks)
