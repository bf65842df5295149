"""Random requests, several at once, on tiny pools of hash blocks, under the rules of every preset.

After every operation all invariants hold, every slot in use holds its own prefix, the events replay to the same
snapshot, from the beginning and from a keyframe, and a state thawed from the snapshot is equal to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from radixchat.radix import PRESETS, BlockState, HashBlockCache, Snapshot

from .rig import Request
from .test_model import CacheMachine, drive


class BlockMachine(CacheMachine):
    """Drives a hash-block cache as the other machines drive trees."""

    set_policy: Any = None  # the rules are for good

    def make_room(self, request: Request, n: int) -> bool:
        before = self.cache.snapshot()
        got = super().make_room(request, n)
        assert got or self.cache.snapshot() == before
        return got

    def check_slots_stay(self, snapshot: Snapshot) -> None:
        """Of equal blocks any may be the one that is found."""

    def check_replay(self, snapshot: Snapshot) -> None:
        super().check_replay(snapshot)
        assert BlockState.thaw(self.cache.config, snapshot).freeze() == snapshot


def cache_of(preset: str, capacity: int, block_size: int) -> Any:
    rules = replace(PRESETS[preset], multiple=1)
    return HashBlockCache(capacity, rules=rules, block_size=block_size)


@pytest.mark.parametrize(("capacity", "block_size"), [(14, 1), (20, 2), (36, 4)])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_keeps_every_invariant(preset: str, capacity: int, block_size: int) -> None:
    """Whatever an engine asks, in whatever order."""
    drive(lambda: BlockMachine(cache_of(preset, capacity, block_size)), examples=14)


@pytest.mark.slow
@pytest.mark.parametrize(("capacity", "block_size"), [(14, 1), (20, 2), (36, 4)])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_keeps_every_invariant_for_long(preset: str, capacity: int, block_size: int) -> None:
    """The same, longer and over more sequences."""
    drive(lambda: BlockMachine(cache_of(preset, capacity, block_size)), examples=300, steps=80)
