"""A trace, packed: the requests of one or more files in one temporary file, which every process streams.

Four bytes a block and twelve a request, on disk; what a process holds in memory is a buffer. So a trace of gigabytes
costs memory only for what was seen (its distinct blocks, while it is read) and for what a cache holds.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...radix.keys import TOKEN_BYTES, Int32Array, Key
from .reading import Request

_HEAD = 3 * TOKEN_BYTES  # of each request: blocks, blocks of the prompt, tokens of the prompt
_BUFFER = 1 << 20


class Packed(NamedTuple):
    """A request as a cache is fed with it."""

    blocks: Key  # numbers of all its blocks, as a token key: one token a block
    prompt: int  # how many of them are its prompt
    tokens: int  # of the prompt


@dataclass(frozen=True, slots=True)
class Trace:
    """Requests in the order of time, and what they are together. Iterating streams the file, in any process."""

    name: str
    path: Path  # of the packed file
    block: int  # tokens of a block
    requests: int
    blocks: int  # of all prompts: what could be hit at most
    tokens: int  # of all prompts
    distinct: int  # blocks that are not the same
    numbers: int  # above the highest number of a block
    first_seen: int  # blocks of prompts that no request before has had: what no cache can have
    first_tokens: int  # and their tokens
    references: int  # blocks of prompts and replies
    longest: int  # blocks of one request
    span: float  # seconds from the first request to the last

    @property
    def limit(self) -> float:
        """Hit ratio of a cache without bounds, by blocks."""
        return (self.blocks - self.first_seen) / self.blocks if self.blocks else 0.0

    @property
    def token_limit(self) -> float:
        """The same by tokens."""
        return (self.tokens - self.first_tokens) / self.tokens if self.tokens else 0.0

    def __iter__(self) -> Iterator[Packed]:
        with self.path.open("rb", buffering=_BUFFER) as file:
            while head := file.read(_HEAD):
                size, prompt, tokens = np.frombuffer(head, dtype=np.int32).tolist()
                yield Packed(file.read(size * TOKEN_BYTES), prompt, tokens)

    def backwards(self) -> Iterator[tuple[Int32Array, int]]:
        """Yields the blocks of each request and how many are its prompt, the last request first."""
        words = np.memmap(self.path, dtype=np.int32, mode="r") if self.requests else np.empty(0, dtype=np.int32)
        starts, at = array("q"), 0
        for _ in range(self.requests):
            starts.append(at)
            at += 3 + int(words[at])
        for at in reversed(starts):
            yield words[at + 3 : at + 3 + int(words[at])], int(words[at + 1])

    def window(self, first: int, last: int) -> Iterator[Packed]:
        """Yields the requests from one number to another, both included; the first is 1."""
        return islice(iter(self), first - 1, last)


def merged(streams: Iterable[Iterator[Request]]) -> Iterator[Request]:
    """Yields the requests of several files in the order of time; those of one stay in their order."""
    return heapq.merge(*streams, key=lambda request: request.time)


def pack(name: str, requests: Iterable[Request], block: int, path: Path, tick: Callable[[int], None]) -> Trace:
    """Writes requests to a file.

    Args:
        name: What they are called.
        requests: In the order in which caches meet them.
        block: Tokens of a block.
        path: Of the file, which is made.
        tick: Told how many more requests were read.
    """
    count = blocks = tokens = references = longest = first_seen = first_tokens = 0
    seen = bytearray()  # by block: whether a request has had it
    times: list[float] = []
    with path.open("wb", buffering=_BUFFER) as file:
        for request in requests:
            size = len(request.blocks)
            file.write(array("i", (size, request.prompt, request.tokens)).tobytes())
            file.write(request.blocks.tobytes())
            known = _known(seen, request)
            first_seen += request.prompt - known
            first_tokens += request.tokens - min(known * block, request.tokens)
            count, blocks, tokens = count + 1, blocks + request.prompt, tokens + request.tokens
            references, longest = references + size, max(longest, size)
            times = [*times[:1], request.time]
            tick(1)
    span = times[-1] - times[0] if times else 0.0
    return Trace(
        name=name,
        path=path,
        block=block,
        requests=count,
        blocks=blocks,
        tokens=tokens,
        distinct=seen.count(1),
        numbers=len(seen),
        first_seen=first_seen,
        first_tokens=first_tokens,
        references=references,
        longest=longest,
        span=span,
    )


def _known(seen: bytearray, request: Request) -> int:
    """Says how many blocks of a prompt were there before; all of its request are from now on."""
    blocks = request.blocks
    most = max(blocks, default=-1)
    if most >= len(seen):
        seen.extend(bytes(most + 1 - len(seen)))
    known = 0
    while known < len(blocks) and seen[blocks[known]]:
        known += 1
    for block in blocks[known:]:
        seen[block] = 1
    return min(known, request.prompt)
