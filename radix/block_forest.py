"""The tree that the blocks of a hash-block cache amount to: each block below the one that its chain names.

A block stands in it while the index leads to it and all its K/V is there. Of equal blocks that were computed twice,
each is a node; what follows hangs from the one that a lookup finds. A block whose chain is broken hangs from the hidden
root. The tree is a function of the blocks alone, so that it may be built at any time. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .keys import TOKEN_BYTES, Digest, Key, as_key
from .snapshots import BlockView, NodeView


class HiddenRoot:
    """Above the first blocks of one namespace."""

    __slots__ = ("below", "id", "namespace", "view")

    up: None = None

    def __init__(self, id: int, namespace: str) -> None:
        self.id = id
        self.namespace = namespace
        self.below: dict[int, Block] = {}
        self.view: NodeView | None = None


class Block:
    """A live block. Fields as in `BlockView`; only `BlockState` writes them, and the last four only `Forest`."""

    __slots__ = (
        "below", "broken", "computed", "created", "depth", "digest", "hits", "inside", "key", "last", "new_in", "node",
        "number", "parent", "refs", "root", "seen", "slots", "uncached", "up", "used_in", "view",
    )  # fmt: skip

    def __init__(self, number: int) -> None:
        self.number = number
        self.refs = 0
        self.digest: Digest = b""
        self.parent: Digest = b""
        self.key: Key = b""
        self.last = 0
        self.created = 0
        self.hits = 0
        self.new_in = 0
        self.used_in = 0
        self.computed = False
        self.node = 0
        self.depth = 0
        self.inside = False  # whether it is a node: registered and full
        self.root: HiddenRoot | None = None  # of its namespace, from when it was filled
        self.slots: Key = b""  # once somebody looks
        self.uncached: Key = b""
        self.seen: BlockView | None = None  # None: changed since the last snapshot
        self.up: Block | HiddenRoot | None = None
        self.below: dict[int, Block] = {}
        self.broken = False  # its chain is: it hangs from the root instead
        self.view: NodeView | None = None  # None: changed since the last snapshot, and so are all above

    def __repr__(self) -> str:
        return f"Block({self.number}, {self.refs} refs, node {self.node})"

    def slots_of(self, first: int, size: int) -> Key:
        """Returns its slots, as a key; `first` is the pool's first block."""
        if not self.slots:
            start = (self.number - first) * size + 1
            self.slots = as_key(range(start, start + size))
        return self.slots


class Forest:
    """The trees of all namespaces.

    Args:
        holder: The node that a lookup of a hash finds, or None.
        slots: Of a block.
    """

    def __init__(self, holder: Callable[[Digest], Block | None], slots: Callable[[Block], Key]) -> None:
        self._holder = holder
        self._slots = slots
        self._broken: dict[Digest, dict[int, Block]] = {}  # nodes that hang from a root, by the hash they miss

    def build(self, blocks: Iterable[Block]) -> None:
        """Takes in all blocks that are nodes."""
        inside = [block for block in blocks if block.inside]
        for block in inside:
            block.below, block.view = {}, None
        for block in inside:
            self._attach(block)

    def enter(self, block: Block, twins: Iterable[Block]) -> None:
        """Takes in a block that became a node; `twins` have the same hash."""
        block.below, block.view = {}, None
        self._attach(block)
        if self._holder(block.digest) is block:
            orphans = list(self._broken.pop(block.digest, {}).values())
            for other in twins:
                orphans += other.below.values()
            for orphan in orphans:
                self._detach(orphan)
                self._attach(orphan)

    def leave(self, block: Block) -> None:
        """Lets go of a block that is no node any more, and that no lookup finds."""
        self._detach(block)
        for child in list(block.below.values()):
            self._detach(child)
            self._attach(child)

    def _attach(self, block: Block) -> None:
        root = block.root
        assert root is not None
        above = self._holder(block.parent) if block.parent else None
        block.broken = above is None and bool(block.parent)
        block.up = above if above is not None else root
        if block.broken:
            self._broken.setdefault(block.parent, {})[block.node] = block
        block.up.below[block.node] = block
        self.changed(block.up)

    def _detach(self, block: Block) -> None:
        assert block.up is not None
        del block.up.below[block.node]
        self.changed(block.up)
        if block.broken:
            missing = self._broken.get(block.parent, {})
            missing.pop(block.node, None)
            if not missing:
                self._broken.pop(block.parent, None)
        block.up = None

    def changed(self, block: Block | HiddenRoot) -> None:
        """Marks a node and all above it as changed since the last snapshot."""
        above: Block | HiddenRoot | None = block
        while above is not None and above.view is not None:
            above.view = None
            above = above.up

    def freeze(self, root: HiddenRoot) -> NodeView:
        """Returns the view of a tree; builds those of changed nodes, children first, and recurses nowhere."""
        stack: list[Block | HiddenRoot] = [root]
        while stack:
            block = stack[-1]
            if block.view is not None:
                stack.pop()
                continue
            pending = [child for child in block.below.values() if child.view is None]
            if pending:
                stack.extend(pending)
                continue
            stack.pop()
            block.view = self._view(block)
        assert root.view is not None
        return root.view

    def _view(self, block: Block | HiddenRoot) -> NodeView:
        below = tuple(block.below[node].view for node in sorted(block.below))
        children = tuple(view for view in below if view is not None)
        if isinstance(block, HiddenRoot):
            return NodeView(id=block.id, key=b"", slots=b"", children=children)
        return NodeView(
            id=block.node,
            key=block.key,
            slots=self._slots(block)[: len(block.key)],
            locks=block.refs,
            last=block.last,
            created=block.created,
            hits=block.hits,
            rank=block.node,
            new_in=block.new_in,
            used_in=block.used_in,
            uncached=block.uncached,
            children=children,
        )


def size_of(block: Block) -> int:
    """Returns how many tokens of K/V a block holds."""
    return len(block.key) // TOKEN_BYTES
