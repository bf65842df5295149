"""Every invariant of a `HashBlockCache`, checked from scratch: references, index, queue, content. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from .block_forest import Block
from .block_state import BlockState
from .block_table import BlockTable, table_of
from .keys import Digest, Int32Array, as_key
from .leases import Lease


def check(state: BlockState, leases: Sequence[Lease], slots: Callable[[list[Block]], Int32Array]) -> None:
    """Raises AssertionError unless everything agrees.

    Args:
        state: The blocks.
        leases: All that are open.
        slots: Gives the slots of some blocks.
    """
    assert len(leases) == len(state.tables), f"{len(state.tables)} leases are open, {len(leases)} were given"
    _check_references(state)
    _check_index(state)
    _check_memory(state)
    for lease in leases:
        table = table_of(lease)
        assert state.tables.get(table.number) is table.state
        _check_lease(state, lease, table, slots)


def _check_references(state: BlockState) -> None:
    """References are table entries; a block is in the queue exactly when it has none; free + used = total."""
    entries = Counter(block.number for table in state.tables.values() for block in table.blocks)
    queue = list(state.queue)
    queued = set(queue)
    assert len(queued) == len(queue) == len(state.queue), "a block stands in the queue twice"
    used = {block.number for block in state.nodes.values() if block.refs}
    for number, block in state.nodes.items():
        assert block.number == number
        assert block.refs == entries[number], f"{block} has {entries[number]} entries"
        assert (number in queued) == (not block.refs), f"{block} is wrongly queued"
        assert number in state.queue or block.refs
    assert entries.keys() <= state.nodes.keys()
    assert len(queued) + len(used) == state.capacity // state.size, "blocks are lost or double"
    assert all(state.first <= number <= state.highest for number in queued | used), "the null block was given out"


def _check_index(state: BlockState) -> None:
    """Every hash leads to blocks that have it; only `dedup` none leaves several with one hash."""
    registered: dict[int, Digest] = {}
    for digest, block in state.index.items():
        for each in (block, *state.twins.get(digest, ())):
            assert each.digest == digest, f"{each} is in the index under another hash"
            assert each.number not in registered, f"{each} has two hashes"
            registered[each.number] = digest
    assert state.twins.keys() <= state.index.keys() and all(state.twins.values())
    assert not state.twins or state.rules.dedup == "none", "a hash leads to two blocks"
    for block in state.nodes.values():
        assert bool(block.digest) == (block.number in registered) == (block.node > 0), f"{block} is not as registered"
        assert block.inside == (block.node > 0 and len(block.key) == state.block_bytes), f"{block} is wrongly a node"
        assert len(block.key) <= state.block_bytes
        assert not block.computed or block.inside or block.refs, f"{block} is computed and empty"
        if state.rules.computed_gate != "none":
            assert not block.computed or len(block.key) == state.block_bytes, f"{block} is computed and not full"
    numbers = [block.node for block in state.nodes.values() if block.node]
    assert len(set(numbers)) == len(numbers)


def _check_memory(state: BlockState) -> None:
    inside = [block for block in state.nodes.values() if block.inside]
    assert state.resident == len(inside) * state.size
    assert state.protected == sum(bool(block.refs) for block in inside) * state.size
    flying = sum(bool(block.refs) and not block.inside for block in state.nodes.values())
    assert state.in_flight == flying * state.size


def _check_lease(
    state: BlockState, lease: Lease, table: BlockTable, slots: Callable[[list[Block]], Int32Array]
) -> None:
    """Its slots are those of its blocks, and all that is computed is there: no hit behind a miss, no other tokens."""
    size = state.size
    assert len(table.blocks) == -(-len(lease) // size)
    assert np.array_equal(slots(table.blocks)[: len(lease)], lease.slots), "a lease lost its slots"
    assert lease.computed <= len(lease)
    if state.rules.hash_fn == "toy-8-bit":
        return  # other tokens are what it is for
    for place in range(-(-lease.computed // size)):
        block = table.blocks[place]
        piece = as_key(table.tokens[place * size : min(lease.computed, (place + 1) * size)])
        assert block.key.startswith(piece), f"{block} holds other tokens than its table says"
        if block.inside and len(piece) == state.block_bytes and block.digest != table.digest(place):
            assert block.digest and state.rules.partial_sharing, f"{block} has the hash of other tokens"
