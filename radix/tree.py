"""RadixCache: prefix sharing over a radix tree of tokens (RadixAttention, SGLang paper section 3 and figure 3).

The tree decides which slots a prompt may reuse, which node a new suffix hangs from and which leaf goes when room runs
out. It knows no request, no tensor, no text and no wall clock. Who owns which positions of a lease:

    0 ............ depth ........... computed ........ len(slots)
    |  the tree     |  computed, but   |  room for what |
    |  (locked)     |  no full page    |  comes next    |
                     `------ in flight: the lease ------'   plus the rest of its last page
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from . import events as ev
from . import integrity
from .eviction import Evictor
from .held import NO_SLOTS, Held, held_by, slots_above
from .keys import Int32Array, Key, Tokens, as_array, as_key, common_prefix, count, cut
from .leases import Gone, Lease, NoRoom, Peek, Remap, Update
from .policies import POLICIES, named
from .slots import SCRATCH, SlotAllocator
from .snapshots import Snapshot
from .state import CacheConfig, Node, TreeState


class RadixCache:
    """A radix-tree prefix cache; implements `radix.leases.PrefixCache`.

    Args:
        capacity: Tokens the pool holds; rounded down to whole pages.
        page_size: Tokens of a page. Matches and commits are whole pages.
        policy: lru, lfu, fifo, mru, filo, slru or priority.
        tie: Between leaves that the policy ranks equal: "id" (older node first) or "deepest".
        split_recency: What a match inside a node refreshes: "both" halves (SGLang, the paper's figure) or "prefix".
        unit: Evict whole leaves ("leaf") or no more of a leaf than the pages needed ("page").
        events: Keep events for `take_events`; switch off when nobody takes them.

    Raises:
        ValueError: a setting that does not exist or a capacity below one page.
    """

    def __init__(
        self,
        capacity: int,
        *,
        page_size: int = 1,
        policy: str = "lru",
        tie: str = "id",
        split_recency: str = "both",
        unit: str = "leaf",
        events: bool = True,
    ) -> None:
        self._config = CacheConfig(capacity, page_size, policy, tie, split_recency, unit)
        self.page_size = page_size
        self._state = TreeState(self._config)
        self._slots = SlotAllocator(self._config.capacity, page_size)
        self._evictor = Evictor(self._state, self._slots, self._do)
        self._events: list[ev.Event] | None = [] if events else None
        self._last_id = 0
        self._open = 0  # leases
        self._pins: Counter[int] = Counter()

    # -- the lease protocol ----------------------------------------------------------------------------------------

    @property
    def config(self) -> CacheConfig:
        """The settings it was made with; `capacity` and `policy` may have changed since."""
        return self._config

    @property
    def capacity(self) -> int:
        """Tokens the pool holds."""
        return self._state.capacity

    @property
    def policy(self) -> str:
        """Decides which evictable leaf goes first."""
        return self._state.policy

    @property
    def highest_slot(self) -> int:
        """The highest slot number in use; the pool needs slots [0, highest_slot]."""
        return self._slots.highest

    def new_step(self) -> int:
        """Opens the next step: tombstones go, new and reused nodes become resident. Returns its number."""
        self._do(ev.StepOpened(self._state.step + 1))
        return self._state.step

    def begin(self, key: Tokens, namespace: str = "", priority: int = 0) -> Lease:
        """Matches a prompt and locks the path found; splits nothing, also when the match ends inside a node.

        Effects: the clock ticks; nodes walked are stamped with it (a node matched in part only under the "both"
        rule) and count a hit; their locks rise by one.

        Returns:
            A lease whose `slots[:computed]` hold K/V. When the whole prompt is matched, its last token is left to be
            computed again: into the scratch slot at page size 1, else with its whole page.

        Raises:
            ValueError: an empty prompt.
        """
        key = as_key(key)
        size = count(key)
        if not size:
            raise ValueError("an empty prompt cannot begin a request")
        root = self._root(namespace)
        node, at, matched = self._walk(root, key)
        tick = self._state.tick + 1
        self._do(ev.Matched(node.id, at, root.id, matched, tick, self._refreshes(node, at), priority))
        if node is not root:
            self._do(ev.Locked(node.id, root.id))
        reused = self._reusable(matched, size)
        held = Held(root, node, matched, reused, tick, priority)
        lease = Lease(namespace, slots_above(node, reused), reused, held)
        if matched == size and self.page_size == 1:
            lease.append(np.array([SCRATCH], dtype=np.int32))
        self._open += 1
        return lease

    def extend(self, lease: Lease, n: int) -> Update:
        """Gets room for n more tokens; evicts what it must, in the policy's order.

        When all else is not enough, the end of the node in which its own match stopped goes, too: that node is split
        here, and only the part in use stays locked.

        Raises:
            NoRoom: too much is locked or in flight; nothing was changed.
        """
        held = held_by(lease)
        gone: tuple[Gone, ...] = ()
        splits: tuple[int, ...] = ()
        if n > held.spare.size:
            pages = -(-(n - held.spare.size) // self.page_size)
            gone, splits = self._make_room_for(held, pages * self.page_size)
            taken = self._slots.take(pages)
            self._do(ev.Reserved(pages * self.page_size))
            held.spare = np.concatenate((held.spare, taken)) if held.spare.size else taken
        new, held.spare = (held.spare, NO_SLOTS) if n == held.spare.size else (held.spare[:n], held.spare[n:])
        lease.append(new)
        return Update(new_slots=new, evicted=gone, splits=splits)

    def commit(self, lease: Lease, tokens: Tokens) -> Update:
        """Puts the next computed tokens into the tree, as far as they fill pages.

        Walks down from where the lease stands: tokens that are in the tree already adopt its slots (our duplicates
        are freed and reported as remaps); the first difference splits a node and hangs a new leaf from its head.
        The leaf that this lease made grows in place while it is childless, whoever else holds it: a holder inside it
        splits it where it differs. So a finished request's suffix is one node (`nine-steps`: one edge a turn).
        """
        held = held_by(lease)
        key = held.pending + as_key(tokens)
        lease.computed += count(key) - count(held.pending)
        assert lease.computed <= len(lease), "commit only what has slots"
        whole = count(key) - count(key) % self.page_size
        key, held.pending = cut(key, 0, whole), cut(key, whole)
        if not whole:
            return Update()
        tip = held.tip
        if tip is not None and tip is held.node and tip.end == held.depth and not tip.children:
            self._add(lease, tip, key)  # nearly always, while a reply grows: nothing to walk, to stamp or to lock
            return Update()
        node, at = held.position(held.depth)
        self._touch(held, node if at == node.size else node.parent)
        remaps: list[Remap] = []
        splits: list[int] = []
        done = 0
        while done < whole:
            if at == node.size:
                child = self._state.child(node, key, done)
                if child is None:
                    node = self._add(lease, node, cut(key, done))
                    break
                node, at = child, 0
            same = self._whole_pages(common_prefix(node.key, key, done, skip=at))
            if same:
                remaps.append(self._adopt(lease, node, at, same))
                done, at = done + same, at + same
            elif at < node.size:
                splits.append(node.id)
                node = self._split(node, at)
                self._touch(held, node)
        self._relock(held, node)
        return Update(remaps=tuple(remaps), splits=tuple(splits))

    def fork(self, lease: Lease) -> Lease:
        """Returns a second lease over everything committed so far; the rest (no full page yet) is computed again."""
        held = held_by(lease)
        depth = held.depth
        node, _ = held.position(depth)
        if node is not held.root:
            self._do(ev.Locked(node.id, held.root.id))
        self._open += 1
        forked = Held(held.root, node, depth, depth, held.tick, held.priority)
        return Lease(lease.namespace, lease.slots[:depth], depth, forked)

    def finish(self, lease: Lease, keep: bool = True, uncached: Tokens = b"") -> None:
        """Unlocks the path and frees what was not committed; see `PrefixCache.finish`.

        Under the "prefix" recency rule a lease that ends inside a node splits it here, so that the part it used can
        be younger than the rest.
        """
        held = held_by(lease)
        used = max(held.depth, held.found)
        if keep:
            node, at = held.position(used)
            if self._config.split_recency == "prefix" and at < node.size:
                node = self._split(node, at)
                self._relock(held, node)
            self._touch(held, node if used >= node.end else node.parent)
            tail = held.pending + as_key(uncached)
            if tail and node is not held.root and node.end == used == held.depth:
                self._do(ev.Sampled(node.id, tail))
        self._release(np.concatenate((lease.slots[held.depth :], held.spare)))
        if held.node is not held.root:
            self._do(ev.Unlocked(held.node.id, held.root.id))
        if not keep and held.tip is not None and not held.tip.children and not held.tip.locks:
            self._evictor.drop(held.tip, "discarded", 0, 0)
        lease.open = False
        self._open -= 1

    def peek(self, key: Tokens, namespace: str = "") -> Peek:
        """Says what a prompt would do; changes nothing."""
        key = as_key(key)
        size = count(key)
        root = self._state.roots.get(namespace)
        node, at, matched = self._walk(root, key) if root is not None else (None, 0, 0)
        reused = self._reusable(matched, size)
        path = list(node.up_to(root)) if node is not None and root is not None else []
        room = 0 if matched == size and self.page_size == 1 else -(-(size - reused) // self.page_size) * self.page_size
        unused = node.size - at if node is not None and not node.locks else 0  # of the last node, its end
        loose = sum(step.size for step in path if not step.locks) - unused
        short = room - self._slots.free
        ends = {node.id: unused} if node is not None and unused else {}
        evicts = self._evictor.would_go(short, {step.id for step in path}, ends)
        split = inside = None
        if node is not None and 0 < at < node.size:
            cut_early = unused and short > 0 and (self._config.split_recency == "prefix" or evicts[-1].node == node.id)
            if matched < self._whole_pages(size) or cut_early:
                split = (node.id, at)
            else:
                inside = (node.id, at)
        return Peek(
            matched=matched,
            reused=reused,
            split=split,
            inside=inside,
            evicts=evicts,
            room=room,
            available=self._slots.free + self._evictor.evictable - loose,
        )

    def matched(self, key: Tokens, namespace: str = "") -> int:
        """Says how many tokens of a prompt are in the tree; changes nothing, and costs no look at what would go."""
        root = self._state.roots.get(namespace)
        return self._walk(root, as_key(key))[2] if root is not None else 0

    def evict(self, tokens: int) -> tuple[Gone, ...]:
        """Gives back at least that many tokens, in the policy's order, or all that is evictable."""
        return self._evictor.evict(min(tokens, self._evictor.evictable), "asked")

    def reset(self) -> None:
        """Forgets every node; the clock, the step and the ids go on.

        Raises:
            RuntimeError: a lease is open.
        """
        if self._open:
            raise RuntimeError(f"{self._open} leases are open: finish them before a reset")
        for node in self._state.nodes.values():
            if node.size:
                self._slots.give(as_array(node.slots))
        self._pins.clear()
        self._do(ev.Cleared())

    def resize(self, capacity: int) -> None:
        """Changes the capacity (rounded down to whole pages); a smaller one evicts first.

        Raises:
            NoRoom: what is locked or in flight does not fit the new capacity; nothing was changed.
            ValueError: less than one page.
        """
        capacity = self._whole_pages(capacity)
        if capacity < self.page_size:
            raise ValueError(f"a capacity below one page of {self.page_size} tokens is not possible")
        self._evictor.make_room(self.capacity - capacity, "shrunk")
        self._slots.resize(capacity)
        self._do(ev.Resized(capacity))

    def set_policy(self, policy: str) -> None:
        """Lets another policy decide from now on; the tree stays as it is.

        Raises:
            ValueError: there is no such policy.
        """
        named(POLICIES, "policy", policy)
        if policy != self.policy:
            self._do(ev.Repoliced(policy))

    def snapshot(self) -> Snapshot:
        """Returns the state of this moment; costs the nodes that changed since the last one."""
        return self._state.freeze()

    def take_events(self) -> list[ev.Event]:
        """Returns the events since the last call, and forgets them."""
        if not self._events:
            return []
        taken, self._events = self._events, []
        return taken

    # -- the tree's own verbs --------------------------------------------------------------------------------------

    def match(self, key: Tokens, namespace: str = "") -> tuple[int, Int32Array]:
        """Returns how many tokens are in the tree, and their slots; stamps the nodes walked, locks nothing.

        The slots are safe to read only until the next call that may evict.
        """
        lease = self.begin(key, namespace)
        held = held_by(lease)
        node, at, matched = self._walk(held.root, as_key(key))
        assert node is held.node or matched == 0
        self.finish(lease)
        return matched, slots_above(node, matched) if at else NO_SLOTS

    def insert(self, key: Tokens, namespace: str = "", priority: int = 0) -> tuple[int, int]:
        """Puts a sequence into the tree as a finished request would; returns (tokens there before, node id).

        Raises:
            NoRoom: it does not fit.
        """
        key = as_key(key)
        lease = self.begin(key, namespace, priority)
        matched = self._walk(held_by(lease).root, key)[2]
        try:
            self.extend(lease, count(key) - len(lease))
        except NoRoom:
            self.finish(lease, keep=False)
            raise
        self.commit(lease, cut(key, lease.computed))
        held = held_by(lease)
        node, _ = held.position(held.depth)
        self.finish(lease)
        return matched, node.id

    def grow(self, node_id: int, tokens: Tokens) -> None:
        """Appends tokens, whole pages, to an unlocked or once-locked leaf.

        Raises:
            ValueError: no such leaf, or tokens that fill no page.
            NoRoom: it does not fit.
        """
        node, key = self._node(node_id), as_key(tokens)
        if node.children or node.locks > 1 or count(key) % self.page_size:
            raise ValueError(
                f"node {node_id} cannot grow by {count(key)} tokens: a leaf with one holder grows by pages"
            )
        root = self._state.root_of(node)
        self._do(ev.Locked(node.id, root.id))  # it must not be what goes
        try:
            self._evictor.make_room(count(key), self.policy)
            self._do(ev.Reserved(count(key)))
            self._do(ev.Grown(node.id, key, self._slots.take(count(key) // self.page_size).tobytes()))
        finally:
            self._do(ev.Unlocked(node.id, root.id))

    def split(self, node_id: int, at: int) -> int:
        """Cuts a node after `at` tokens (a page boundary inside it); returns the id of the new head."""
        node = self._node(node_id)
        if not 0 < at < node.size or at % self.page_size:
            raise ValueError(f"node {node_id} of {node.size} tokens cannot be split at {at}")
        return self._split(node, at).id

    @property
    def pins(self) -> dict[int, int]:
        """How often each pinned node was locked by `lock`, by id. A split leaves the pin with the lower half."""
        return dict(self._pins)

    def lock(self, node_id: int) -> None:
        """Protects a node and all above it until `unlock` (a pin)."""
        node = self._node(node_id)
        self._pins[node_id] += 1
        self._do(ev.Locked(node.id, self._state.root_of(node).id))

    def unlock(self, node_id: int) -> None:
        """Takes back one `lock`. Raises ValueError when there is none."""
        if not self._pins[node_id]:
            raise ValueError(f"node {node_id} is not pinned")
        self._pins[node_id] -= 1
        if not self._pins[node_id]:
            del self._pins[node_id]
        node = self._node(node_id)
        self._do(ev.Unlocked(node.id, self._state.root_of(node).id))

    def evict_node(self, node_id: int) -> Gone:
        """Evicts one leaf by id. Raises ValueError when it is unknown, locked, or has children."""
        node = self._node(node_id)
        if node.locks or node.children:
            why = "is locked" if node.locks else f"has {len(node.children)} children, and only leaves can go"
            raise ValueError(f"node {node_id} {why}")
        return self._evictor.drop(node, "asked", 0, node.size)

    # -- matching --------------------------------------------------------------------------------------------------

    def _walk(self, root: Node, key: Key) -> tuple[Node, int, int]:
        """Returns (last node, tokens of it that match, tokens matched in all); whole pages; changes nothing."""
        node, offset, page = root, 0, self._state.page_bytes
        while True:
            child = node.children.get(key[offset : offset + page])
            if child is None:
                return node, node.size, offset // 4
            edge = child.key
            if not key.startswith(edge, offset):
                same = self._whole_pages(common_prefix(edge, key, offset // 4))
                return child, same, offset // 4 + same
            node = child
            offset += len(edge)

    def _reusable(self, matched: int, size: int) -> int:
        """Tokens of a prompt that need no computation: one at least is left, and whole pages are reused."""
        return min(matched, self._whole_pages(size - 1)) if size else 0

    def _refreshes(self, node: Node, at: int) -> bool:
        return at == node.size or self._config.split_recency == "both"

    def _whole_pages(self, tokens: int) -> int:
        return tokens - tokens % self.page_size

    # -- changing the tree -----------------------------------------------------------------------------------------

    def _do(self, event: ev.Event) -> None:
        """Carries out a decision, and writes it down. Nothing else changes the tree."""
        self._state.apply(event)
        if self._events is not None:
            self._events.append(event)

    def _adopt(self, lease: Lease, node: Node, at: int, tokens: int) -> Remap:
        """Replaces a lease's next slots by those of equal tokens in the tree, and frees its own."""
        held = held_by(lease)
        depth = held.depth
        theirs = as_array(cut(node.slots, at, at + tokens))
        self._release(lease.slots[depth : depth + tokens])
        lease.replace(depth, theirs)
        held.depth += tokens
        assert node.parent is not None
        whole = self._refreshes(node, at + tokens)
        self._do(ev.Matched(node.id, at + tokens, node.parent.id, held.depth, held.tick, whole, held.priority))
        return Remap(depth, theirs)

    def _add(self, lease: Lease, node: Node, key: Key) -> Node:
        """Hangs computed tokens below a node, or grows it in place; returns the node that holds them."""
        held = held_by(lease)
        slots = lease.slots[held.depth : held.depth + count(key)].tobytes()
        held.depth += count(key)
        if node is held.tip and not node.children:
            self._do(ev.Grown(node.id, key, slots))
            return node
        self._do(ev.Inserted(self._new_id(), node.id, key, slots, held.tick, held.priority))
        held.tip = self._state.nodes[self._last_id]
        return held.tip

    def _split(self, node: Node, at: int) -> Node:
        """Cuts a node; returns the new head, which is as recent as the tail until somebody touches it."""
        self._do(ev.Split(node.id, self._new_id(), at, node.last))
        return self._state.nodes[self._last_id]

    def _touch(self, held: Held, node: Node | None) -> None:
        """Stamps a node that a lease has used whole, and those above it, as far as they are older than the lease.

        Only the "prefix" rule leaves such: there a match inside a node stamps nothing until that node is cut.
        """
        above = node
        while above is not None and above.parent is not None and above.last < held.tick:
            above = above.parent
        if node is not None and above is not None and above is not node:
            self._do(ev.Matched(node.id, node.size, above.id, node.end, held.tick, True, held.priority))

    def _relock(self, held: Held, node: Node) -> None:
        """Moves a lease's lock to another node, touching only what the two paths do not share."""
        old, above, other = held.node, node, held.node
        while above is not other:
            if above.end >= other.end:
                assert above.parent is not None
                above = above.parent
            else:
                assert other.parent is not None
                other = other.parent
        if node is not above:
            self._do(ev.Locked(node.id, above.id))
        if old is not above:
            self._do(ev.Unlocked(old.id, above.id))
        held.node = node

    def _release(self, slots: Int32Array) -> None:
        """Frees in-flight slots; the scratch slot, which stands first if at all, belongs to nobody."""
        own = slots[1:] if slots.size and slots[0] == SCRATCH else slots
        if own.size:
            self._slots.give(own)
            self._do(ev.Released(int(own.size)))

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _root(self, namespace: str) -> Node:
        root = self._state.roots.get(namespace)
        if root is None:
            self._do(ev.NamespaceOpened(self._new_id(), namespace))
            root = self._state.roots[namespace]
        return root

    def _node(self, node_id: int) -> Node:
        node = self._state.nodes.get(node_id)
        if node is None or node.parent is None:
            raise ValueError(f"there is no node {node_id}")
        return node

    # -- eviction --------------------------------------------------------------------------------------------------

    def _make_room_for(self, held: Held, tokens: int) -> tuple[tuple[Gone, ...], tuple[int, ...]]:
        """Evicts for a lease; returns what went, and the node that was split because its end had to go.

        The end of the node in which its match stopped is as recent as the lease and goes last. Under the "prefix"
        rule it is older, and takes its turn.
        """
        why, short = self.policy, tokens - self._slots.free
        if short <= 0:
            return (), ()
        node, at = held.position(max(held.depth, held.found))
        loose = sum(below.size for below in held.node.up_to(node) if below.locks == 1)  # others split it off
        unused = node.size - at if node.locks == 1 else 0
        if short > self._evictor.evictable + loose + unused:
            raise NoRoom(tokens, self._slots.free + self._evictor.evictable + loose + unused)
        gone: tuple[Gone, ...] = ()
        if not unused or self._config.split_recency == "both":
            if short > self._evictor.evictable:
                self._relock(held, node)
            gone = self._evictor.evict(min(short, self._evictor.evictable), why)
            short = tokens - self._slots.free
            if short <= 0:
                return gone, ()
        head = self._split(node, at)
        self._touch(held, head)
        self._relock(held, head)
        return gone + self._evictor.evict(short, why), (node.id,)

    # -- integrity -------------------------------------------------------------------------------------------------

    def check_integrity(self, leases: Iterable[Lease] = ()) -> None:
        """Raises AssertionError unless every invariant holds.

        Args:
            leases: All open leases of this cache.
        """
        leases = list(leases)
        assert len(leases) == self._open, f"{self._open} leases are open, {len(leases)} were given"
        integrity.check(self._state, self._slots, self._pins, leases)
