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
    """Ids that mean a block and all before it: each has one parent, for good.

    Args:
        census: Counts the blocks of all.
    """

    def __init__(self, census: Census) -> None:
        self._census = census
        self._known: dict[Hashable, int] = {}
        self._parents: dict[int, int] = {}  # number -> number of the block before

    def number(self, ids: Sequence[Hashable]) -> array[int]:
        """Returns the numbers of one request's blocks.

        Raises:
            Contradiction: an id stands twice in one request, or after another block than before.
        """
        numbers, before = array("i"), NO_PARENT
        for id in ids:
            number = self._known.get(id)
            if number is None:
                break
            if self._parents[number] != before:
                raise self._contradiction(ids, len(numbers), number)
            numbers.append(number)
            before = number
        new = ids[len(numbers) :]
        self._check(ids, new)
        for id in new:
            self._known[id] = number = self._census.count
            self._parents[number] = before
            numbers.append(number)
            before = number
            self._census.count += 1
        return numbers

    def _check(self, ids: Sequence[Hashable], new: Sequence[Hashable]) -> None:
        """Looks whether all after the first new id is new, too."""
        if len(set(new)) < len(new):
            twice = next(id for place, id in enumerate(new) if id in new[:place])
            raise Contradiction(f"id {twice} stands twice in one list")
        if not self._known.keys().isdisjoint(new):
            place, number = next((at, self._known[id]) for at, id in enumerate(ids) if at and self._moved(ids, at))
            raise self._contradiction(ids, place, number)

    def _moved(self, ids: Sequence[Hashable], place: int) -> bool:
        return ids[place] in self._known and ids[place - 1] not in self._known

    def _contradiction(self, ids: Sequence[Hashable], place: int, number: int) -> Contradiction:
        here = f"after id {ids[place - 1]}" if place else "at the start"
        parent = self._parents[number]
        if parent == NO_PARENT:
            return Contradiction(f"id {ids[place]} stands {here}; it stood at the start before")
        name = next(id for id, known in self._known.items() if known == parent)  # once, on the way out
        return Contradiction(f"id {ids[place]} stands {here}; it stood after id {name} before")


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
