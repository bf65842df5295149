"""Every invariant of a `RadixCache`, checked from scratch: the tree, its locks, its memory. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from .held import held_by, slots_above
from .keys import as_array
from .leases import Lease
from .slots import SCRATCH, SlotAllocator
from .state import TreeState


def check(state: TreeState, slots: SlotAllocator, pins: Mapping[int, int], leases: Sequence[Lease]) -> None:
    """Raises AssertionError unless everything agrees.

    Args:
        state: The tree.
        slots: Of its pool.
        pins: How often each node is locked by hand, by id.
        leases: All that are open.
    """
    _check_nodes(state)
    _check_locks(state, pins, leases)
    _check_memory(state, slots, leases)


def _check_nodes(state: TreeState) -> None:
    page = state.config.page_size
    queued = 0
    for node in state.nodes.values():
        for first, child in node.children.items():
            assert child.parent is node, f"{child} does not point back to {node}"
            assert child.key.startswith(first) and len(first) == state.page_bytes
            assert child.last <= node.last or node.parent is None, f"{child} is younger than its parent"
        if node.parent is None:
            continue
        assert node.size > 0 and node.size % page == 0, f"{node} is empty or no whole pages"
        assert len(node.key) == len(node.slots), f"{node} has {len(node.slots)} bytes of slots"
        assert node.end == node.parent.end + node.size
        assert bool(node.queued) == (not node.locks and not node.children), f"{node} is wrongly queued"
        queued += bool(node.queued)
    assert queued == len(state.queue)


def _check_locks(state: TreeState, pins: Mapping[int, int], leases: Sequence[Lease]) -> None:
    locks: Counter[int] = Counter()
    holders = [held_by(lease).node for lease in leases]
    holders += [state.nodes[pinned] for pinned, times in pins.items() for _ in range(times)]
    for holder in holders:
        locks.update(node.id for node in holder.up_to(state.root_of(holder)))
    for node in state.nodes.values():
        if node.parent is not None:
            assert node.locks == locks[node.id], f"{node} has {locks[node.id]} holders"
    for lease in leases:
        held = held_by(lease)
        node, _ = held.position(held.depth)
        assert np.array_equal(lease.slots[: held.depth], slots_above(node, held.depth)), "a lease lost its slots"
        assert held.depth <= lease.computed <= len(lease)


def _check_memory(state: TreeState, slots: SlotAllocator, leases: Sequence[Lease]) -> None:
    nodes = [node for node in state.nodes.values() if node.parent is not None]
    assert state.resident == sum(node.size for node in nodes)
    assert state.protected == sum(node.size for node in nodes if node.locks)
    flying = [np.concatenate((lease.slots[held_by(lease).depth :], held_by(lease).spare)) for lease in leases]
    flying = [each[each != SCRATCH] for each in flying]
    assert state.in_flight == sum(each.size for each in flying)
    assert slots.free + state.in_flight + state.resident == state.capacity, "slots are lost or double"
    owned = np.concatenate((slots.free_slots(), *flying, *(as_array(node.slots) for node in nodes)))
    assert np.unique(owned).size == owned.size == state.capacity, "a slot has two owners, or none"
    assert owned.min() >= 1 and owned.max() <= slots.highest
