"""The prefix cache itself: tree, policies, slots, events, snapshots and recordings. Numpy only; knows no model."""

from .baselines import LastSequence, NoCache
from .keys import Key, as_array, as_key
from .leases import Copies, Gone, Lease, NoRoom, Peek, PrefixCache, Remap, Update
from .snapshots import NodeView, Root, Snapshot, State, Tombstone
from .state import CacheConfig, TreeState
from .tree import RadixCache

__all__ = [
    "CacheConfig",
    "Copies",
    "Gone",
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
    "Tombstone",
    "TreeState",
    "Update",
    "as_array",
    "as_key",
]
