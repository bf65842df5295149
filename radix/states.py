"""The live state that replays a recording: of a radix tree or of hash blocks, as its config says. Decides nothing."""

from __future__ import annotations

from .block_state import BlockState
from .snapshots import Snapshot
from .state import CacheConfig, TreeState

LiveState = TreeState | BlockState


def fresh(config: CacheConfig) -> LiveState:
    """Returns an empty state."""
    return BlockState(config) if config.preset else TreeState(config)


def thawed(config: CacheConfig, snapshot: Snapshot) -> LiveState:
    """Returns a state equal to a snapshot, ready for the events after it."""
    kind = BlockState if config.preset else TreeState
    return kind.thaw(config, snapshot)
