"""The prefix cache itself: tree, policies, slots, events, snapshots and recordings. Numpy only; knows no model."""

from .baselines import LastSequence, NoCache
from .block_state import BlockState
from .hash_blocks import HashBlockCache
from .keys import Key, as_array, as_key
from .leases import Copies, Gone, Lease, NoRoom, Peek, PrefixCache, Remap, Update
from .presets import PRESETS, BlockRules
from .snapshots import Blocks, BlockView, NodeView, Root, Snapshot, State, TableView, Tombstone
from .state import CacheConfig, TreeState
from .tree import RadixCache

__all__ = [
    "PRESETS",
    "BlockRules",
    "BlockState",
    "BlockView",
    "Blocks",
    "CacheConfig",
    "Copies",
    "Gone",
    "HashBlockCache",
    "Key",
    "LastSequence",
    "Lease",
    "NoCache",
    "NoRoom",
    "NodeView",
    "Peek",
    "PrefixCache",
    "RadixCache",
    "Remap",
    "Root",
    "Snapshot",
    "State",
    "TableView",
    "Tombstone",
    "TreeState",
    "Update",
    "as_array",
    "as_key",
]
