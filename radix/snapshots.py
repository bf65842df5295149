"""Snapshots: the whole state of a cache at one moment, immutable, sharing unchanged subtrees with the one before.

Whatever draws, tests or exports reads these, never the live tree. A snapshot knows tokens and slots, no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from .keys import Digest, Int32Array, Key, as_array, count


class State(Enum):
    """What happened to a node in the snapshot's step; the colours of the SGLang paper's nine-step figure."""

    NEW = "new"  # added in this step: green
    REUSED = "reused"  # resident before and walked in this step: blue
    RESIDENT = "resident"  # untouched in this step: grey
    EVICTED = "evicted"  # removed in this step, drawn as a tombstone: red, dashed


class NodeView:
    """One node as it was; immutable by convention, compared by identity (see `same_tree`).

    Attributes:
        id: Number of the node, unique in its cache. On a split the lower half keeps it.
        key: The tokens on the edge above the node.
        slots: Their slots in the KV pool, in the same encoding as a key.
        locks: How many leases (and pins) protect it.
        last: Tick of its last use.
        created: Tick of its creation.
        hits: How many requests walked through it.
        rank: Place among its siblings, smaller first; a split's head inherits it.
        new_in: Step that added it.
        used_in: Last step that walked all of it.
        part_in: Last step that walked only its beginning (0: never, or the split has settled it).
        part_to: How many of its tokens that walk covered.
        priority: Given by the requests; only the `priority` policy reads it.
        uncached: Tokens sampled after it that have no KV yet ("not cached yet"), counted nowhere.
        children: In order of rank.
    """

    __slots__ = (
        "children", "created", "hits", "id", "key", "last", "locks", "new_in",
        "part_in", "part_to", "priority", "rank", "slots", "uncached", "used_in",
    )  # fmt: skip

    def __init__(
        self, *, id: int, key: Key, slots: Key, locks: int = 0, last: int = 0, created: int = 0, hits: int = 0,
        rank: int = 0, new_in: int = 0, used_in: int = 0, part_in: int = 0, part_to: int = 0, priority: int = 0,
        uncached: Key = b"", children: tuple[NodeView, ...] = (),
    ) -> None:  # fmt: skip
        self.id = id
        self.key = key
        self.slots = slots
        self.locks = locks
        self.last = last
        self.created = created
        self.hits = hits
        self.rank = rank
        self.new_in = new_in
        self.used_in = used_in
        self.part_in = part_in
        self.part_to = part_to
        self.priority = priority
        self.uncached = uncached
        self.children = children

    @property
    def size(self) -> int:
        """Tokens on the edge."""
        return count(self.key)

    @property
    def tokens(self) -> Int32Array:
        """Token ids on the edge, int32, read-only."""
        return as_array(self.key)

    def facts(self) -> tuple[object, ...]:
        """Everything about this node except its children, for comparison."""
        return (
            self.id, self.key, self.slots, self.locks, self.last, self.created, self.hits, self.rank, self.new_in,
            self.used_in, self.part_in, self.part_to, self.priority, self.uncached, len(self.children),
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"NodeView(#{self.id}, {self.size} tokens, {len(self.children)} children)"


class Tombstone(NamedTuple):
    """A node evicted in the snapshot's step; gone in the next."""

    node: int  # its id
    parent: int  # id of the node (or tombstone, or hidden root) it hung below
    key: Key  # the tokens it held
    rank: int  # its place among its siblings
    why: str  # the policy's name, "asked", or "discarded"


class Root(NamedTuple):
    """The hidden root of one namespace."""

    namespace: str  # "" is the default
    node: NodeView  # empty key; its children are the first visible nodes


class BlockView(NamedTuple):
    """One block of a hash-block cache as it was."""

    number: int  # place in the pool, from 0, or from 1 where the preset keeps block 0 as its null block
    refs: int  # entries of open block tables that name it
    digest: Digest  # hash of the block as the index knows it; b"" = no hash
    parent: Digest  # the hash before it in its chain; b"" at the start
    key: Key  # the tokens whose K/V it holds; may be fewer than a block
    slots: Key  # all its slots in the KV pool
    last: int  # tick of its last use
    new_in: int  # step that took it for new tokens
    used_in: int  # last step in which a request found it
    computed: bool  # whether a hit counts: its K/V is there, and the release marks it so
    node: int  # its number in order of registration, and its id in the tree; 0: not registered
    depth: int = 0  # blocks of its chain up to and with it


class TableView(NamedTuple):
    """The block table of an open lease."""

    table: int  # number of the lease
    blocks: tuple[int, ...]  # block numbers, in order of the tokens
    tokens: int  # tokens whose K/V is there
    namespace: str = ""


class Blocks(NamedTuple):
    """The blocks, tables and free queue of a hash-block cache."""

    preset: str  # name of its rules: see presets.PRESETS
    block_size: int  # tokens of a block
    blocks: tuple[BlockView, ...]  # all that were ever used, by number
    tables: tuple[TableView, ...]  # of the open leases, by number
    queue: tuple[int, ...]  # unreferenced blocks in the order in which they would be taken; free ones included
    freed: tuple[int, ...] = ()  # of an evictor: its blocks in the order in which they were freed


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The state of a cache after some event.

    Always ``free + in_flight + protected + evictable == capacity``; ``resident == protected + evictable``.
    """

    step: int  # 0 before the first step
    tick: int  # the logical clock: requests begun so far
    capacity: int  # tokens the pool holds
    page_size: int  # tokens of a page
    in_flight: int  # tokens held by leases and not in the tree yet
    resident: int  # tokens in the tree
    protected: int  # tokens in locked nodes
    next_victim: int | None  # id of the node that would go if space were needed now
    roots: tuple[Root, ...]  # the default namespace first, then by first use
    tombstones: tuple[Tombstone, ...]  # evicted in this step, in order of eviction
    policy: str = ""  # which evictable leaf goes first; "" is unknown: as in the recording's header
    blocks: Blocks | None = None  # of a hash-block cache, whose tree is only a view of them; None: a radix tree

    @property
    def evictable(self) -> int:
        """Tokens in unlocked nodes."""
        return self.resident - self.protected

    @property
    def free(self) -> int:
        """Tokens of capacity that nobody holds."""
        return self.capacity - self.in_flight - self.resident

    def state(self, node: NodeView) -> State:
        """Returns what happened to a resident node in this step."""
        if node.new_in == self.step:
            return State.NEW
        if self.step in (node.used_in, node.part_in):
            return State.REUSED
        return State.RESIDENT

    def nodes(self) -> Iterator[NodeView]:
        """Yields all nodes but the hidden roots, parents first, siblings in order; no recursion."""
        for root in self.roots:
            stack = list(reversed(root.node.children))
            while stack:
                node = stack.pop()
                yield node
                stack.extend(reversed(node.children))

    def find(self, node_id: int) -> NodeView | None:
        """Returns the node with this id, or None; looks at every node."""
        return next((node for node in self.nodes() if node.id == node_id), None)

    def path(self, node_id: int) -> tuple[NodeView, ...]:
        """Returns the nodes from the first visible one down to this id; empty when it is not resident."""
        for root in self.roots:
            above: list[NodeView] = []
            stack = [(child, 0) for child in reversed(root.node.children)]
            while stack:
                node, depth = stack.pop()
                above[depth:] = [node]
                if node.id == node_id:
                    return tuple(above)
                stack.extend((child, depth + 1) for child in reversed(node.children))
        return ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        return self._totals() == other._totals() and all(
            ours.namespace == theirs.namespace and same_tree(ours.node, theirs.node)
            for ours, theirs in zip(self.roots, other.roots, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def _totals(self) -> tuple[object, ...]:
        return (
            self.step, self.tick, self.capacity, self.page_size, self.in_flight, self.resident, self.protected,
            self.next_victim, self.tombstones, len(self.roots), self.policy, self.blocks,
        )  # fmt: skip


def same_tree(left: NodeView, right: NodeView) -> bool:
    """Returns whether two trees hold the same nodes; shared subtrees are not walked, and nothing recurses."""
    stack = [(left, right)]
    while stack:
        ours, theirs = stack.pop()
        if ours is theirs:
            continue
        if ours.facts() != theirs.facts():
            return False
        stack.extend(zip(ours.children, theirs.children, strict=True))
    return True
