"""The state of a tree: nodes, totals and clock, changed only by applying events, frozen into snapshots.

`RadixCache` decides and applies; a replay only applies. Knows nothing of matching, of free slots or of leases.
Recursion is never used: a long conversation is a deep chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from . import events as ev
from .keys import TOKEN_BYTES, Key, count, cut
from .policies import POLICIES, EvictionQueue
from .presets import rules_named
from .snapshots import NodeView, Root, Snapshot, Tombstone

ROOT = 0
"""Id of the hidden root of the default namespace."""

MOST_BLOCKS = 1 << 22
"""Blocks of the largest pool of hash blocks; a snapshot names them all."""

_CARRIED = (
    "locks", "last", "created", "hits", "new_in", "used_in", "part_in", "part_to", "priority", "uncached",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """What decides a cache's behaviour besides its requests; part of every recording's header."""

    capacity: int  # tokens the pool holds; a whole number of pages
    page_size: int = 1  # tokens of a page; matches and commits are whole pages
    policy: str = "lru"  # which evictable leaf goes first: see policies.POLICIES
    tie: str = "id"  # between leaves that the policy ranks equal: smaller id, or the deepest
    split_recency: str = "both"  # a match inside a node refreshes both halves (SGLang), or the "prefix" half only
    unit: str = "leaf"  # eviction takes whole leaves, or no more than the "page"s it needs
    preset: str = ""  # of a hash-block cache, the name of its rules (a page is a block); "" is a radix tree

    def settings(self) -> dict[str, Any]:
        """Returns everything by name, as a recording's header and the caches take it: no preset for a radix tree."""
        values = asdict(self)
        if not self.preset:
            del values["preset"]
        return values

    def __post_init__(self) -> None:
        if self.page_size < 1:
            raise ValueError(f"page size {self.page_size} is not possible: give 1 or more")
        if self.capacity < self.page_size:
            raise ValueError(f"capacity {self.capacity} holds no page of {self.page_size} tokens")
        if self.capacity % self.page_size:
            object.__setattr__(self, "capacity", self.capacity - self.capacity % self.page_size)
        for name, value, allowed in (
            ("split_recency", self.split_recency, ("both", "prefix")),
            ("unit", self.unit, ("leaf", "page")),
        ):
            if value not in allowed:
                raise ValueError(f"unknown {name} {value!r}: choose one of {', '.join(allowed)}")
        EvictionQueue(self.policy, self.tie)  # raises for unknown names
        if self.preset:
            rules_named(self.preset)
            if self.capacity // self.page_size > MOST_BLOCKS:
                raise ValueError(f"{self.capacity // self.page_size:,} blocks are more than any pool has")


class Node:
    """A live node. Fields as in `NodeView`; only `TreeState` writes them."""

    __slots__ = (
        "children", "created", "end", "hits", "id", "key", "last", "locks", "new_in", "parent",
        "part_in", "part_to", "priority", "queued", "rank", "slots", "uncached", "used_in", "view",
    )  # fmt: skip

    def __init__(self, id: int, parent: Node | None, key: Key, slots: Key, rank: int) -> None:
        self.id = id
        self.parent = parent
        self.children: dict[Key, Node] = {}  # by the child's first page
        self.key = key
        self.slots = slots
        self.rank = rank
        self.end: int = (parent.end if parent else 0) + count(key)  # tokens from the root to this node's last
        self.locks = 0
        self.last = 0
        self.created = 0
        self.hits = 0
        self.priority = 0
        self.new_in = 0
        self.used_in = 0
        self.part_in = 0
        self.part_to = 0  # tokens walked in step part_in
        self.uncached = b""
        self.queued = 0
        self.view: NodeView | None = None  # None: changed since the last snapshot, and so are all above

    @property
    def size(self) -> int:
        """Tokens on the edge."""
        return len(self.key) // TOKEN_BYTES

    @property
    def start(self) -> int:
        """Tokens from the root to the node's first."""
        return self.end - len(self.key) // TOKEN_BYTES

    def up_to(self, above: Node) -> Iterator[Node]:
        """Yields this node and its ancestors up to, and without, `above`."""
        node = self
        while node is not above:
            yield node
            assert node.parent is not None, "`above` must be an ancestor"
            node = node.parent

    def __repr__(self) -> str:
        return f"Node(#{self.id}, {self.size} tokens, {self.locks} locks)"


class TreeState:
    """A radix tree with its totals.

    Args:
        config: As in the recording's header.
    """

    def __init__(self, config: CacheConfig) -> None:
        self.config = config
        self.capacity = config.capacity
        self.policy = config.policy  # until it is changed
        self.page_bytes = config.page_size * TOKEN_BYTES
        self.step = 0
        self.tick = 0
        self.in_flight = 0
        self.resident = 0
        self.protected = 0
        self.nodes: dict[int, Node] = {}
        self.roots: dict[str, Node] = {}
        self.tombstones: list[Tombstone] = []
        self.queue = EvictionQueue(self.policy, config.tie)
        self._add_root(ROOT, "")

    def apply(self, event: ev.Event) -> None:
        """Carries out one event. Events that change no tree (requests) do nothing."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    # -- the events ------------------------------------------------------------------------------------------------

    def _step_opened(self, event: ev.StepOpened) -> None:
        self.step = event.step
        self.tombstones = []

    def _namespace_opened(self, event: ev.NamespaceOpened) -> None:
        self._add_root(event.node, event.namespace)

    def _matched(self, event: ev.Matched) -> None:
        self.tick = max(self.tick, event.tick)
        last = self.nodes[event.node]
        for node in last.up_to(self.nodes[event.above]):
            whole = node is not last or event.at == node.size
            if whole:
                node.used_in = self.step
            else:
                node.part_to = max(event.at, node.part_to if node.part_in == self.step else 0)
                node.part_in = self.step
            if whole or event.whole:
                node.priority = max(node.priority, event.priority)
                self._stamp(node, event.tick)
            self._changed(node)

    def _stamp(self, node: Node, tick: int) -> None:
        if tick > node.last:  # one hit a request, however often it walks here
            node.last = tick
            node.hits += 1
            if node.queued:
                self.queue.push(node)

    def _split(self, event: ev.Split) -> None:
        tail = self.nodes[event.node]
        parent = tail.parent
        assert parent is not None
        at = event.at * TOKEN_BYTES
        head = Node(event.head, parent, tail.key[:at], tail.slots[:at], tail.rank)
        self.nodes[head.id] = head
        parent.children[self._page(head.key)] = head  # the tail's place among its siblings
        tail.key, tail.slots, tail.parent = tail.key[at:], tail.slots[at:], head
        tail.rank = tail.id
        head.children[self._page(tail.key)] = tail
        head.locks, head.created, head.priority = tail.locks, tail.created, tail.priority
        head.new_in = tail.new_in
        head.hits, head.last = tail.hits, event.tick
        head.used_in = tail.used_in
        walked = tail.part_to - event.at  # of the tail
        if walked < 0:
            head.part_in, head.part_to = tail.part_in, tail.part_to
        else:
            head.used_in = max(head.used_in, tail.part_in)
        tail.part_in, tail.part_to = (tail.part_in, walked) if walked > 0 else (0, 0)
        self._changed(parent)
        tail.view = None

    def _inserted(self, event: ev.Inserted) -> None:
        parent = self.nodes[event.parent]
        node = Node(event.node, parent, event.key, event.slots, event.node)
        node.last = node.created = event.tick
        node.priority = event.priority
        node.new_in = self.step
        self.nodes[node.id] = node
        parent.children[self._page(node.key)] = node
        if parent.uncached and node.key.startswith(parent.uncached[: len(node.key)]):
            parent.uncached = b""
        self.queue.discard(parent)
        self.queue.push(node)
        self._landed(node.size)
        self._changed(parent)

    def _grown(self, event: ev.Grown) -> None:
        node = self.nodes[event.node]
        tokens = count(event.key)
        node.key += event.key
        node.slots += event.slots
        node.end += tokens
        node.uncached = b""
        self._landed(tokens)
        if node.locks:
            self.protected += tokens
        self._requeue(node)
        self._changed(node)

    def _landed(self, tokens: int) -> None:
        self.in_flight -= tokens
        self.resident += tokens

    def _locked(self, event: ev.Locked) -> None:
        for node in self.nodes[event.node].up_to(self.nodes[event.above]):
            if node.locks == 0:
                self.protected += node.size
                self.queue.discard(node)
            node.locks += 1
            self._changed(node)

    def _unlocked(self, event: ev.Unlocked) -> None:
        for node in self.nodes[event.node].up_to(self.nodes[event.above]):
            node.locks -= 1
            if node.locks == 0:
                self.protected -= node.size
                self._requeue(node)
            self._changed(node)

    def _evicted(self, event: ev.Evicted) -> None:
        node = self.nodes.pop(event.node)
        parent = node.parent
        assert parent is not None and not node.children
        self._bury(node, node.key, event.why)
        del parent.children[self._page(node.key)]
        self.queue.discard(node)
        self.resident -= node.size
        self._changed(parent)
        self._requeue(parent)

    def _trimmed(self, event: ev.Trimmed) -> None:
        node = self.nodes[event.node]
        keep = node.size - event.tokens
        self._bury(node, cut(node.key, keep), event.why)
        node.key, node.slots = cut(node.key, 0, keep), cut(node.slots, 0, keep)
        node.end -= event.tokens
        node.uncached = b""
        if node.part_to >= keep:  # what is left was walked whole
            node.used_in, node.part_in, node.part_to = max(node.used_in, node.part_in), 0, 0
        self.resident -= event.tokens
        self._requeue(node)
        self._changed(node)

    def _bury(self, node: Node, key: Key, why: str) -> None:
        assert node.parent is not None
        trimmed = len(key) < len(node.key)
        parent, rank = (node.id, node.id) if trimmed else (node.parent.id, node.rank)
        self.tombstones.append(Tombstone(node.id, parent, key, rank, why))

    def _reserved(self, event: ev.Reserved) -> None:
        self.in_flight += event.tokens

    def _released(self, event: ev.Released) -> None:
        self.in_flight -= event.tokens

    def _sampled(self, event: ev.Sampled) -> None:
        node = self.nodes[event.node]
        if not any(child.key.startswith(event.key[: len(child.key)]) for child in node.children.values()):
            node.uncached = event.key
            self._changed(node)

    def _resized(self, event: ev.Resized) -> None:
        self.capacity = event.capacity

    def _repoliced(self, event: ev.Repoliced) -> None:
        assert event.policy in POLICIES, f"unknown policy {event.policy!r}"
        self._set_policy(event.policy)
        for node in self.nodes.values():
            self._requeue(node)

    def _set_policy(self, policy: str) -> None:
        """Empties the queue, too: whoever calls it fills it again."""
        self.policy = policy
        self.queue = EvictionQueue(policy, self.config.tie)
        for node in self.nodes.values():
            node.queued = 0

    def _cleared(self, event: ev.Cleared) -> None:
        namespaces = {name: root.id for name, root in self.roots.items()}
        self.nodes, self.roots, self.tombstones = {}, {}, []
        self.resident = self.protected = 0
        self.queue = EvictionQueue(self.policy, self.config.tie)
        for name, node_id in namespaces.items():
            self._add_root(node_id, name)

    # -- help ------------------------------------------------------------------------------------------------------

    def _add_root(self, node_id: int, namespace: str) -> None:
        root = Node(node_id, None, b"", b"", 0)
        root.locks = 1  # never evicted
        self.nodes[node_id] = self.roots[namespace] = root

    def _page(self, key: Key) -> Key:
        return key[: self.page_bytes]

    def _requeue(self, node: Node) -> None:
        """Puts a node into the eviction queue if it is an evictable leaf."""
        if node.locks == 0 and not node.children:
            self.queue.push(node)

    def _changed(self, node: Node) -> None:
        """Marks a node and all above it as changed since the last snapshot."""
        above: Node | None = node
        while above is not None and above.view is not None:
            above.view = None
            above = above.parent

    def child(self, node: Node, key: Key, at: int) -> Node | None:
        """Returns the child whose first page stands in `key` at token `at`, or None."""
        offset = at * TOKEN_BYTES
        return node.children.get(key[offset : offset + self.page_bytes])

    def root_of(self, node: Node) -> Node:
        """Returns the hidden root above a node."""
        while node.parent is not None:
            node = node.parent
        return node

    def freeze(self) -> Snapshot:
        """Returns the snapshot of this moment; costs the nodes changed since the last one."""
        victim = self.queue.first()
        return Snapshot(
            step=self.step,
            tick=self.tick,
            capacity=self.capacity,
            page_size=self.config.page_size,
            in_flight=self.in_flight,
            resident=self.resident,
            protected=self.protected,
            next_victim=None if victim is None else victim.id,
            roots=tuple(Root(name, _freeze(root)) for name, root in self.roots.items()),
            tombstones=tuple(self.tombstones),
            policy=self.policy,
        )

    @classmethod
    def thaw(cls, config: CacheConfig, snapshot: Snapshot) -> TreeState:
        """Returns a live state equal to a snapshot, ready for the events after it; shares the snapshot's nodes."""
        state = cls(config)
        state.step, state.tick, state.capacity = snapshot.step, snapshot.tick, snapshot.capacity
        state.in_flight, state.resident, state.protected = snapshot.in_flight, snapshot.resident, snapshot.protected
        state.tombstones = list(snapshot.tombstones)
        if snapshot.policy:
            state._set_policy(snapshot.policy)
        for root in snapshot.roots:
            if root.namespace not in state.roots:
                state._add_root(root.node.id, root.namespace)
            state.roots[root.namespace].view = root.node
            stack = [(root.node, state.roots[root.namespace])]
            while stack:
                view, parent = stack.pop()
                for child in view.children:
                    stack.append((child, state._thaw_node(child, parent)))
        return state

    def _thaw_node(self, view: NodeView, parent: Node) -> Node:
        node = Node(view.id, parent, view.key, view.slots, view.rank)
        for name in _CARRIED:
            setattr(node, name, getattr(view, name))
        node.view = view
        self.nodes[node.id] = node
        parent.children[self._page(node.key)] = node
        if not view.children:
            self._requeue(node)
        return node


def _freeze(root: Node) -> NodeView:
    """Builds the views of all changed nodes, children first."""
    stack = [root]
    while stack:
        node = stack[-1]
        if node.view is not None:
            stack.pop()
            continue
        pending = [child for child in node.children.values() if child.view is None]
        if pending:
            stack.extend(pending)
            continue
        stack.pop()
        node.view = _view(node)
    assert root.view is not None
    return root.view


def _view(node: Node) -> NodeView:
    return NodeView(
        id=node.id,
        key=node.key,
        slots=node.slots,
        locks=node.locks if node.parent is not None else 0,
        last=node.last,
        created=node.created,
        hits=node.hits,
        rank=node.rank,
        new_in=node.new_in,
        used_in=node.used_in,
        part_in=node.part_in,
        part_to=node.part_to,
        priority=node.priority,
        uncached=node.uncached,
        children=tuple(child.view for child in node.children.values() if child.view is not None),
    )


_HANDLERS: dict[type[Any], Callable[[TreeState, Any], None]] = {
    ev.StepOpened: TreeState._step_opened,
    ev.NamespaceOpened: TreeState._namespace_opened,
    ev.Matched: TreeState._matched,
    ev.Split: TreeState._split,
    ev.Inserted: TreeState._inserted,
    ev.Grown: TreeState._grown,
    ev.Locked: TreeState._locked,
    ev.Unlocked: TreeState._unlocked,
    ev.Evicted: TreeState._evicted,
    ev.Trimmed: TreeState._trimmed,
    ev.Reserved: TreeState._reserved,
    ev.Released: TreeState._released,
    ev.Sampled: TreeState._sampled,
    ev.Resized: TreeState._resized,
    ev.Repoliced: TreeState._repoliced,
    ev.Cleared: TreeState._cleared,
}
