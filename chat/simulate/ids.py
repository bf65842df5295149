"""The numbers of blocks: what a trace calls its blocks, made dense and checked. Knows no line and no file.

A block is its tokens *and all before them*. So its number stands for a place in the forest of prefixes, whatever its id
in the trace stands for: `PrefixIds` reads ids that mean the whole prefix (and finds those that contradict themselves),
`PathIds` reads ids that mean one block's content and takes position and path for its identity.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from typing import Protocol

NO_PARENT = -1


class Contradiction(ValueError):
    """Ids that cannot be what they are said to be."""


class Census:
    """How many blocks are known; shared by all that number blocks of one simulation."""

    def __init__(self) -> None:
        self.count = 0


class Ids(Protocol):
    """Numbers the blocks of requests: int32, so that they are a token key as they stand."""

    def number(self, ids: Sequence[Hashable]) -> array[int]:
        """Returns the numbers of one request's blocks; raises Contradiction, and then nothing has changed."""


class PrefixIds:
    """Ids that mean a block and all before it: each stands after the same one, for good.

    Args:
        census: Counts the blocks of all.
    """

    def __init__(self, census: Census) -> None:
        self._census = census
        self._known: dict[Hashable, int] = {}
        self._before: dict[Hashable, Hashable] = {}  # the id before; None at the start

    def number(self, ids: Sequence[Hashable]) -> array[int]:
        """Returns the numbers of one request's blocks.

        Raises:
            Contradiction: an id stands twice in one request, or after another block than before.
        """
        new = self._new(ids)
        first = self._census.count
        self._known.update(zip(new, range(first, first + len(new)), strict=True))
        self._before.update(zip(new, _all_before(ids)[len(ids) - len(new) :], strict=True))
        self._census.count += len(new)
        return array("i", [self._known[id] for id in ids])

    def _new(self, ids: Sequence[Hashable]) -> dict[Hashable, None]:
        """Returns the ids that nobody had before, in order: the end of a path, since what follows a new one is new."""
        new: dict[Hashable, None] = {}
        for id, before in zip(ids, _all_before(ids), strict=True):
            if id in self._known:
                if self._before[id] != before:
                    raise Contradiction(f"id {id} stands {_after(before)}; it stood {_after(self._before[id])} before")
            elif id in new:
                raise Contradiction(f"id {id} stands twice in one list")
            else:
                new[id] = None
        return new


def _all_before(ids: Sequence[Hashable]) -> list[Hashable]:
    """The id before each."""
    return [None, *ids[:-1]] if ids else []


def _after(id: Hashable) -> str:
    return "at the start" if id is None else f"after id {id}"


class PathIds:
    """Ids that mean a block's own content: the same one after other blocks is another block.

    Args:
        census: Counts the blocks of all.
    """

    def __init__(self, census: Census) -> None:
        self._census = census
        self._known: dict[tuple[int, Hashable], int] = {}  # (block before, content) -> number

    def number(self, ids: Sequence[Hashable]) -> array[int]:
        """Returns the numbers of one request's blocks."""
        numbers, before, known = array("i"), NO_PARENT, self._known
        for id in ids:
            number = known.setdefault((before, id), self._census.count)
            self._census.count += number == self._census.count
            numbers.append(number)
            before = number
        return numbers
