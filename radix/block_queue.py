"""Free queues: in what order the unreferenced blocks of a hash-block cache are taken again, release by release.

Three stretches one after another: the front, blocks that were never used (a range: they cost nothing), and the back.
Every change costs the same however long the queue is. Knows blocks by number; what is on them, only as far as the
order depends on it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Protocol

from .presets import FreeOrder

Stretch = OrderedDict[int, None]


class Standing(Protocol):
    """What an evictor judges a block by."""

    last: int  # tick of the last use
    depth: int  # blocks that its hash covers


class FreeQueue:
    """First in, first out; a hit takes a block out of the middle. vLLM up to 0.22, nano-vllm (classic).

    Args:
        numbers: Blocks that were never used, in the order in which they are taken.
    """

    def __init__(self, numbers: range) -> None:
        self._front: Stretch = OrderedDict()
        self._never = numbers
        self._back: Stretch = OrderedDict()

    def __len__(self) -> int:
        return len(self._front) + len(self._never) + len(self._back)

    def __contains__(self, number: int) -> bool:
        return number in self._back or number in self._front or number in self._never

    def __iter__(self) -> Iterator[int]:
        """Yields the blocks in the order in which they would be taken."""
        return chain(self._front, self._never, self._back)

    def first(self, n: int) -> list[int]:
        """Returns the next n blocks."""
        return list(islice(self, n))

    def take(self, number: int) -> None:
        """Takes a block out; KeyError when it is not there."""
        if number in self._back:
            del self._back[number]
        elif number in self._front:
            del self._front[number]
        elif self._never and number == self._never[0]:
            self._never = self._never[1:]
        else:
            raise KeyError(number)

    def give(self, freed: list[int], bare: list[int]) -> None:
        """Adds blocks to the back, in the order in which they were freed; here it does not matter who has a hash.

        Args:
            freed: The blocks that one table gave back.
            bare: Those of them that have no hash, in the same order.
        """
        for number in freed:
            self._back[number] = None

    def lost_hash(self, number: int) -> None:
        """Tells that a block in the queue has no hash any more."""

    def add(self, numbers: Iterable[int]) -> None:
        """Adds blocks of a larger pool; they are taken before all others."""
        for number in reversed(list(numbers)):
            self._front[number] = None
            self._front.move_to_end(number, last=False)

    @property
    def freed(self) -> tuple[int, ...]:
        """The blocks of an evictor as they were freed; nothing where the order of the queue says it all."""
        return ()

    def restore(self, order: Iterable[int], hashed: set[int], used: set[int], freed: Iterable[int]) -> None:
        """Becomes the queue of a snapshot.

        Args:
            order: Its blocks as they would be taken.
            hashed: Blocks that the index leads to.
            used: Blocks that were ever used.
            freed: As `freed` was.
        """
        self._never = range(0)
        self._front = OrderedDict.fromkeys(order)

    def copy(self) -> FreeQueue:
        """Returns a queue that can be taken from without changing this one."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._front, other._back = self._front.copy(), self._back.copy()
        return other


class UnhashedFirst(FreeQueue):
    """Blocks without a hash go to the front, those of one table in the order in which they were freed (vLLM 0.24)."""

    def give(self, freed: list[int], bare: list[int]) -> None:
        """See `FreeQueue.give`."""
        if bare:
            self.add(bare)
        for number in _others(freed, bare):
            self._back[number] = None


class Plain(FreeQueue):
    """Blocks without a hash first; the others only when all of them go (transformers)."""

    def __init__(self, numbers: range) -> None:
        super().__init__(numbers)
        self._bare: Stretch = OrderedDict()

    def __len__(self) -> int:
        return super().__len__() + len(self._bare)

    def __contains__(self, number: int) -> bool:
        return super().__contains__(number) or number in self._bare

    def __iter__(self) -> Iterator[int]:
        """Yields the blocks in the order in which they would be taken."""
        return chain(self._front, self._never, self._bare, self._back)

    def take(self, number: int) -> None:
        """See `FreeQueue.take`."""
        if number in self._bare:
            del self._bare[number]
        else:
            super().take(number)

    def give(self, freed: list[int], bare: list[int]) -> None:
        """See `FreeQueue.give`."""
        for number in bare:
            self._bare[number] = None
        for number in _others(freed, bare):
            self._back[number] = None

    def lost_hash(self, number: int) -> None:
        """See `FreeQueue.lost_hash`."""
        if number in self._back:
            del self._back[number]
            self._bare[number] = None

    def restore(self, order: Iterable[int], hashed: set[int], used: set[int], freed: Iterable[int]) -> None:
        """See `FreeQueue.restore`."""
        order = list(order)
        super().restore((number for number in order if number not in hashed), hashed, used, freed)
        self._back = OrderedDict.fromkeys(number for number in order if number in hashed)

    def copy(self) -> FreeQueue:
        """See `FreeQueue.copy`."""
        other = super().copy()
        assert isinstance(other, Plain)
        other._bare = self._bare.copy()
        return other


class Evictor(FreeQueue):
    """vLLM v0: blocks never used first; then the evictor's choice, which is not quite the rule that it documents.

    Documented: the oldest use, and of equals the block whose hash covers most. What it does: from the block that was
    freed first on, as long as none was used later than the best so far, the one whose hash covers most. A block of an
    older use that was freed later is not preferred. A block without a hash has a placeholder there, and is as good as
    any.

    Args:
        numbers: Blocks that were never used.
        blocks: All that were ever used, by number; who is in the queue keeps its standing.
    """

    def __init__(self, numbers: range, blocks: Mapping[int, Standing]) -> None:
        super().__init__(numbers)
        self._blocks = blocks

    def __iter__(self) -> Iterator[int]:
        """Yields the blocks in the order in which they would be taken."""
        yield from chain(self._front, self._never)
        left = self._back.copy()
        while left:
            number = self._choice(left)
            del left[number]
            yield number

    def _choice(self, freed: Stretch) -> int:
        blocks, numbers = self._blocks, iter(freed)
        choice = next(numbers)
        best = blocks[choice]
        for number in numbers:
            other = blocks[number]
            if best.last < other.last:
                break
            if best.depth < other.depth:
                choice, best = number, other
        return choice

    def first(self, n: int) -> list[int]:
        """See `FreeQueue.first`."""
        if n == 1 and not self._front and not self._never and self._back:
            return [self._choice(self._back)]
        return super().first(n)

    @property
    def freed(self) -> tuple[int, ...]:
        """See `FreeQueue.freed`."""
        return tuple(self._back)

    def restore(self, order: Iterable[int], hashed: set[int], used: set[int], freed: Iterable[int]) -> None:
        """See `FreeQueue.restore`."""
        super().restore((number for number in order if number not in used), hashed, used, freed)
        self._back = OrderedDict.fromkeys(freed)


def _others(freed: list[int], bare: list[int]) -> Iterable[int]:
    if not bare:
        return freed
    without = set(bare)
    return (number for number in freed if number not in without)


def queue_for(order: FreeOrder, numbers: range, blocks: Mapping[int, Standing]) -> FreeQueue:
    """Returns the empty pool's queue under a rule."""
    if order == "evictor":
        return Evictor(numbers, blocks)
    return {"unhashed-first": UnhashedFirst, "plain": Plain}.get(order, FreeQueue)(numbers)
