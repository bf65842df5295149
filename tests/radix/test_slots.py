"""The slot allocator."""

from __future__ import annotations

import numpy as np
import pytest

from radixchat.radix.slots import SCRATCH, SlotAllocator


def test_the_first_slots_are_one_run_above_scratch() -> None:
    """A fresh pool gives neighbouring slots, from 1 on."""
    slots = SlotAllocator(8)
    assert slots.take(3).tolist() == [1, 2, 3]
    assert slots.take(5).tolist() == [4, 5, 6, 7, 8]
    assert slots.free == 0
    assert slots.highest == 8
    assert SCRATCH == 0


def test_what_was_freed_last_is_used_first_in_order() -> None:
    """A freed run is given out again as a run, whatever the order it came back in."""
    slots = SlotAllocator(8)
    taken = slots.take(6)
    slots.give(taken[[4, 2, 3]])
    assert slots.free == 5
    assert slots.take(4).tolist() == [3, 4, 5, 7]


def test_nothing_is_taken_beyond_what_is_free() -> None:
    """Whoever takes has checked before."""
    slots = SlotAllocator(2)
    with pytest.raises(AssertionError):
        slots.take(3)
    assert slots.free == 2


def test_pages_are_neighbouring_slots() -> None:
    """With pages of four, slots come and go four by four."""
    slots = SlotAllocator(12, page_size=4)
    taken = slots.take(2)
    assert taken.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    slots.give(taken[4:])
    assert slots.free == 8
    assert slots.take(1).tolist() == [5, 6, 7, 8]
    assert slots.take(1).tolist() == [9, 10, 11, 12]


def test_a_bigger_pool_uses_its_old_slots_first() -> None:
    """Growing keeps what is free on top, so that the new end of the pool is touched last."""
    slots = SlotAllocator(4)
    slots.take(2)
    slots.resize(6)
    assert slots.free == 4
    assert slots.highest == 6
    assert slots.take(4).tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize("page_size", [1, 2])
def test_down_and_up_again_loses_no_slot(page_size: int) -> None:
    """A smaller pool retires free slots; a bigger one brings them back before it makes new ones."""
    slots = SlotAllocator(8, page_size)
    held = slots.take(2)
    slots.resize(4)
    assert slots.free == 4 - held.size
    slots.resize(10)
    assert slots.free == 10 - held.size
    assert slots.highest == 10
    rest = slots.take(slots.free // page_size)
    assert sorted([*held.tolist(), *rest.tolist()]) == list(range(1, 11))


def test_only_free_slots_can_be_retired() -> None:
    """A pool does not shrink below what is held."""
    slots = SlotAllocator(4)
    slots.take(3)
    with pytest.raises(AssertionError):
        slots.resize(2)


def test_the_free_slots_can_be_listed() -> None:
    """For integrity checks: every free slot, once."""
    slots = SlotAllocator(6, page_size=2)
    slots.take(1)
    assert sorted(slots.free_slots().tolist()) == [3, 4, 5, 6]


@pytest.mark.parametrize("page_size", [1, 4])
def test_random_use_never_loses_or_doubles_a_slot(page_size: int) -> None:
    """Whatever is taken, given back and resized, every slot stands in exactly one place."""
    random = np.random.default_rng(1)
    slots = SlotAllocator(64, page_size)
    held: list[np.ndarray] = []
    for _ in range(500):
        pages = int(random.integers(0, 5))
        change = int(random.integers(-3, 4)) * page_size
        if slots.free >= pages * page_size:
            held.append(slots.take(pages))
        if len(held) > 3:
            slots.give(held.pop(int(random.integers(len(held)))))
        if slots.capacity + change > 0 and slots.free >= -change:
            slots.resize(slots.capacity + change)
        everything = np.concatenate((slots.free_slots(), *held))
        assert everything.size == slots.capacity == np.unique(everything).size
        assert everything.min() >= 1
        assert everything.max() <= slots.highest
