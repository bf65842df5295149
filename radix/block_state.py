"""The state of a hash-block cache: blocks, index, tables and free queue, changed only by applying events.

`HashBlockCache` decides and applies; a replay only applies (as `radix.state` does for trees). The tree in its snapshots
is a view of the blocks (`radix.block_forest`), made when it is first asked for: by a snapshot, or by the end of a
request that failed or leaves tokens which fill no block. Knows the rules only as far as the order of the free queue
depends on them; knows no hash function and no lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, count, islice
from typing import Any, NamedTuple

from . import events as ev
from .block_forest import Block, Forest, HiddenRoot
from .block_queue import FreeQueue, queue_for
from .keys import TOKEN_BYTES, Digest, Key
from .presets import BlockRules, rules_named
from .snapshots import Blocks, BlockView, NodeView, Root, Snapshot, TableView, Tombstone
from .state import MOST_BLOCKS, ROOT, CacheConfig


class Table:
    """The block table of an open lease."""

    __slots__ = ("blocks", "number", "root", "tokens", "view")

    def __init__(self, number: int, root: HiddenRoot) -> None:
        self.number = number
        self.root = root
        self.blocks: list[Block] = []
        self.tokens = 0  # whose K/V is there
        self.view: TableView | None = None


class Change(NamedTuple):
    """A node that came or went."""

    node: int
    why: str  # it went; "": it came


class BlockState:
    """The blocks of a pool, what they hold and who has them.

    Args:
        config: As in the recording's header; a page is a block.
        rules: Those of the cache; None takes them by the preset's name.
    """

    def __init__(self, config: CacheConfig, rules: BlockRules | None = None) -> None:
        self.config = config
        self.rules = rules_named(config.preset) if rules is None else rules
        self.capacity = config.capacity
        self.size = config.page_size
        self.block_bytes = config.page_size * TOKEN_BYTES
        self.first = int(self.rules.null_block)  # number of the first block that is ever used
        total = config.capacity // config.page_size
        self.highest = self.first + total - 1  # number of a block, of all that there ever were
        self.step = 0
        self.tick = 0
        self.in_flight = 0
        self.resident = 0
        self.protected = 0
        self.nodes: dict[int, Block] = {}  # the blocks that were ever used, by number
        self.index: dict[Digest, Block] = {}
        self.twins: dict[Digest, list[Block]] = {}  # blocks whose hash another has, too, in order of registration
        self.tables: dict[int, Table] = {}
        self.roots: dict[str, HiddenRoot] = {"": HiddenRoot(ROOT, "")}
        self.tombstones: list[Tombstone] = []
        self.queue: FreeQueue = queue_for(self.rules.free_order, range(self.first, self.highest + 1), self.nodes)
        self.forest: Forest | None = None
        self.changes: list[Change] | None = None  # nodes that came and went, while somebody keeps account
        self._in_order: list[Block] | None = None  # all blocks by number, until a new one is used
        self._ungated = self.rules.computed_gate == "none"

    def apply(self, event: ev.Event) -> None:
        """Carries out one event. Events that change no block (requests) do nothing."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    # -- leases ----------------------------------------------------------------------------------------------------

    def _step_opened(self, event: ev.StepOpened) -> None:
        self.step = event.step
        self.tombstones = []

    def _namespace_opened(self, event: ev.NamespaceOpened) -> None:
        self.roots[event.namespace] = HiddenRoot(event.node, event.namespace)

    def _table_opened(self, event: ev.TableOpened) -> None:
        self.tick = max(self.tick, event.tick)
        self.tables[event.table] = Table(event.table, self.roots[event.namespace])

    def _table_forked(self, event: ev.TableForked) -> None:
        source = self.tables[event.source]
        table = self.tables[event.table] = Table(event.table, source.root)
        table.blocks = source.blocks[: event.blocks]
        table.tokens = event.tokens
        for block in table.blocks:
            self._use(block)

    def _table_closed(self, event: ev.TableClosed) -> None:
        table = self.tables.pop(event.table)
        freed: list[int] = []
        bare: list[int] = []
        for block in reversed(table.blocks):
            if self._unuse(block):
                freed.append(block.number)
                if not block.digest:
                    bare.append(block.number)
        self.queue.give(freed, bare)

    def _hit(self, event: ev.BlocksHit) -> None:
        table = self.tables[event.table]
        blocks = [self.nodes[number] for number in event.blocks]
        for block in blocks:
            if not block.refs:
                self.queue.take(block.number)
            self._use(block)
            self._stamp(block, event.tick)
            block.used_in = self.step
        table.blocks += blocks
        table.tokens = event.tokens
        table.view = None

    def _stamp(self, block: Block, tick: int) -> None:
        if tick > block.last:  # one hit a request, however often it comes by
            block.last = tick
            block.hits += 1

    def _taken(self, event: ev.BlocksTaken) -> None:
        table = self.tables[event.table]
        table.view = None
        step, tick, size = self.step, event.tick, self.size
        take, nodes, held = self.queue.take, self.nodes, table.blocks
        for number in event.blocks:
            take(number)
            block = nodes.get(number)
            if block is None:
                block = nodes[number] = Block(number)
                self._in_order = None
            assert not block.digest and not block.refs, f"{block} is in use"
            held.append(block)
            block.refs = 1
            block.key = block.parent = block.uncached = b""
            block.last = tick
            block.used_in = 0
            block.new_in = step
            block.depth = len(held)
            block.computed = False
            block.seen = None
        self.in_flight += size * len(event.blocks)

    def _accessed(self, event: ev.BlocksAccessed) -> None:
        self.tick = max(self.tick, event.tick)
        for block in self.tables[event.table].blocks:
            block.last = event.tick
            self._changed(block)

    # -- content ---------------------------------------------------------------------------------------------------

    def _hashed(self, event: ev.BlocksHashed) -> None:
        root = self.tables[event.table].root
        index, parent, full = self.index, event.parent, self.block_bytes
        for number, digest, node in zip(event.blocks, event.digests, event.nodes, strict=True):
            block = self.nodes[number]
            if block.digest:
                self._unregister(block, "rehashed")
            block.digest, block.parent, block.node, block.seen = digest, parent, node, None
            if digest in index:
                self.twins.setdefault(digest, []).append(block)
            else:
                index[digest] = block
            if len(block.key) == full:
                self._enter(block, root)
            parent = digest

    def _filled(self, event: ev.BlocksFilled) -> None:
        table = self.tables[event.table]
        table.view = None
        key, full = event.key, self.block_bytes
        at, within = divmod(event.start * TOKEN_BYTES, full)
        start = -within  # of a block in the key
        for block in table.blocks[at : -(-(at * full + within + len(key)) // full)]:
            piece = key[max(0, start) : start + full]
            if not block.key.startswith(piece, within):
                if block.inside:  # it was full: shared before that, and now written over
                    self._leave(block, "written over")
                block.key = piece if not within else block.key[:within] + piece
                block.seen = None
                if len(block.key) < full:
                    block.computed = False
                if len(block.key) == full:
                    if self._ungated:
                        block.computed = True
                    if block.node and not block.inside:
                        self._enter(block, table.root)
            start, within = start + full, 0
        table.tokens = event.start + len(key) // TOKEN_BYTES

    def _computed(self, event: ev.BlocksComputed) -> None:
        for number in event.blocks:
            block = self.nodes[number]
            block.computed = True
            block.seen = None

    def _copied(self, event: ev.BlockCopied) -> None:
        table = self.tables[event.table]
        source = self.nodes[event.source]
        assert table.blocks[event.place] is source and source.refs > 1, f"{source} need not be copied"
        rest = table.blocks[event.place + 1 :]
        del table.blocks[event.place :]
        self._taken(ev.BlocksTaken(event.table, (event.target,), event.tick))
        table.blocks[-1].key = source.key[: event.tokens * TOKEN_BYTES]
        table.blocks += rest
        self._unuse(source)

    def _replaced(self, event: ev.BlockReplaced) -> None:
        table = self.tables[event.table]
        old, new = self.nodes[event.old], self.nodes[event.new]
        assert table.blocks[event.place] is old
        table.blocks[event.place] = new
        table.view = None
        if not new.refs:
            self.queue.take(new.number)
        self._use(new)
        self._stamp(new, event.tick)
        new.used_in = self.step
        if self._unuse(old):
            self.queue.give([old.number], [] if old.digest else [old.number])

    def _evicted(self, event: ev.BlocksEvicted) -> None:
        for number in event.blocks:
            block = self.nodes[number]
            if block.inside:
                above = self.holder(block.parent)
                assert block.root is not None
                parent = block.root.id if above is None else above.node
                self.tombstones.append(Tombstone(block.node, parent, block.key, block.node, event.why))
            self._unregister(block, event.why)
            block.digest = block.parent = block.uncached = b""
            block.node = 0
            if not block.refs:
                block.key = b""
                block.computed = False
                self.queue.lost_hash(number)

    def _sampled(self, event: ev.Sampled) -> None:
        blocks = (block for table in self.tables.values() for block in reversed(table.blocks))
        block = next((block for block in blocks if block.node == event.node), None)
        assert block is not None, f"node {event.node} is in no table"
        self.tree()
        if not any(child.key.startswith(event.key[: len(child.key)]) for child in block.below.values()):
            block.uncached = event.key
            self._changed(block)

    def _resized(self, event: ev.Resized) -> None:
        wanted = event.capacity // self.size
        assert 0 < wanted <= MOST_BLOCKS
        change = wanted - self.capacity // self.size
        self.capacity = event.capacity
        if change < 0:
            for number in self.queue.first(-change):
                self.queue.take(number)
                block = self.nodes.pop(number, None)
                assert block is None or not block.digest, f"{block} is registered"
        elif change > 0:
            there = {*self.queue, *(block.number for block in self.nodes.values() if block.refs)}
            missing = (number for number in count(self.first) if number not in there)
            added = list(islice(missing, change))
            self.highest = max(self.highest, added[-1])
            self.queue.add(added)
        self._in_order = None

    def _cleared(self, event: ev.Cleared) -> None:
        assert not self.tables, "blocks are in use"
        for number in list(self.queue):  # in this order, whenever a replay began: the queue may depend on it
            block = self.nodes.get(number)
            if block is None:
                continue
            if block.digest:
                self._unregister(block, "cleared")
                self.queue.lost_hash(block.number)
            block.digest = block.parent = block.key = block.uncached = b""
            block.node = 0
            block.computed = False
            block.seen = None
        self.tombstones = []

    # -- help ------------------------------------------------------------------------------------------------------

    def holder(self, digest: Digest) -> Block | None:
        """Returns the node that a lookup of a hash finds, or None."""
        block = self.index.get(digest)
        if block is None or block.inside:
            return block
        return next((twin for twin in self.twins.get(digest, ()) if twin.inside), None)

    def tree(self) -> Forest:
        """Returns the tree of the blocks; the first call builds it."""
        if self.forest is None:
            self.forest = Forest(self.holder, self.slots_of)
            self.forest.build(self.nodes.values())
        return self.forest

    def slots_of(self, block: Block) -> Key:
        """Returns all slots of a block, as a key."""
        return block.slots_of(self.first, self.size)

    def _use(self, block: Block) -> None:
        if not block.refs:
            if block.inside:
                self.protected += self.size
            else:
                self.in_flight += self.size
        block.refs += 1
        self._changed(block)

    def _unuse(self, block: Block) -> bool:
        """Takes one reference away; returns whether it was the last."""
        block.refs -= 1
        block.seen = None
        if block.inside and self.forest is not None:
            self.forest.changed(block)
        if block.refs:
            return False
        if block.inside:
            self.protected -= self.size
        else:
            self.in_flight -= self.size
            if not block.digest:  # nobody finds its content again
                block.key = b""
                block.computed = False
        return True

    def _enter(self, block: Block, root: HiddenRoot) -> None:
        block.inside = True
        block.root = root
        block.created, block.hits = self.tick, 0
        self.resident += self.size
        if block.refs:
            self.in_flight -= self.size
            self.protected += self.size
        if self.changes is not None:
            self.changes.append(Change(block.node, ""))
        above = self.index.get(block.parent)
        if above is not None and above.uncached and block.key.startswith(above.uncached[: len(block.key)]):
            above.uncached = b""
            self._changed(above)
        if self.forest is not None:
            self.forest.enter(block, self._equal(block))

    def _unregister(self, block: Block, why: str) -> None:
        """Takes a block out of the index, and out of the tree."""
        others = self.twins.get(block.digest)
        if self.index[block.digest] is not block:
            assert others is not None
            others.remove(block)
        elif others:
            self.index[block.digest] = others.pop(0)
        else:
            del self.index[block.digest]
        if others is not None and not others:
            del self.twins[block.digest]
        block.seen = None
        if block.inside:
            self._leave(block, why)

    def _leave(self, block: Block, why: str) -> None:
        """Takes a block out of the tree."""
        block.inside = False
        self.resident -= self.size
        if self.changes is not None:
            self.changes.append(Change(block.node, why))
        if block.refs:
            self.protected -= self.size
            self.in_flight += self.size
        if self.forest is not None:
            self.forest.leave(block)

    def _equal(self, block: Block) -> Iterable[Block]:
        """The other nodes with the hash of a block."""
        if block.digest not in self.twins:
            return ()
        every = chain((self.index[block.digest],), self.twins[block.digest])
        return [other for other in every if other is not block and other.inside]

    def _changed(self, block: Block) -> None:
        block.seen = None
        if block.inside and self.forest is not None:
            self.forest.changed(block)

    # -- snapshots -------------------------------------------------------------------------------------------------

    def freeze(self) -> Snapshot:
        """Returns the snapshot of this moment; shares the views of what did not change since the last one."""
        forest = self.tree()
        queue = tuple(self.queue)
        victim = next((self.nodes[n].node for n in queue if n in self.nodes and self.nodes[n].inside), None)
        if self._in_order is None:
            self._in_order = [self.nodes[number] for number in sorted(self.nodes)]
        return Snapshot(
            step=self.step,
            tick=self.tick,
            capacity=self.capacity,
            page_size=self.size,
            in_flight=self.in_flight,
            resident=self.resident,
            protected=self.protected,
            next_victim=victim,
            roots=tuple(Root(name, forest.freeze(root)) for name, root in self.roots.items()),
            tombstones=tuple(self.tombstones),
            policy=self.config.policy,
            blocks=Blocks(
                preset=self.rules.name,
                block_size=self.size,
                blocks=tuple([block.seen or self._see(block) for block in self._in_order]),
                tables=tuple(table.view or _look(table) for table in self.tables.values()),
                queue=queue,
                freed=self.queue.freed,
            ),
        )

    def _see(self, block: Block) -> BlockView:
        block.seen = BlockView(
            block.number, block.refs, block.digest, block.parent, block.key, self.slots_of(block), block.last,
            block.new_in, block.used_in, block.computed, block.node, block.depth,
        )  # fmt: skip
        return block.seen

    @classmethod
    def thaw(cls, config: CacheConfig, snapshot: Snapshot, rules: BlockRules | None = None) -> BlockState:
        """Returns a live state equal to a snapshot, ready for the events after it."""
        state = cls(config, rules)
        shown = snapshot.blocks
        assert shown is not None, "a snapshot of a radix tree"
        state.step, state.tick, state.capacity = snapshot.step, snapshot.tick, snapshot.capacity
        state.in_flight, state.resident, state.protected = snapshot.in_flight, snapshot.resident, snapshot.protected
        state.tombstones = list(snapshot.tombstones)
        state.roots = {root.namespace: HiddenRoot(root.node.id, root.namespace) for root in snapshot.roots}
        state.nodes.update({view.number: _thawed(view) for view in shown.blocks})
        state.highest = max([state.highest, *shown.queue, *state.nodes])
        registered = sorted((block for block in state.nodes.values() if block.node), key=lambda block: block.node)
        for block in registered:
            if block.digest in state.index:
                state.twins.setdefault(block.digest, []).append(block)
            else:
                state.index[block.digest] = block
        by_node = {block.node: block for block in registered}
        for shown_root in snapshot.roots:
            stack: list[NodeView] = list(shown_root.node.children)
            while stack:
                node = stack.pop()
                block = by_node[node.id]
                block.inside, block.root = True, state.roots[shown_root.namespace]
                block.created, block.hits, block.uncached = node.created, node.hits, node.uncached
                stack.extend(node.children)
        for view in shown.tables:
            table = state.tables[view.table] = Table(view.table, state.roots[view.namespace])
            table.blocks = [state.nodes[number] for number in view.blocks]
            table.tokens = view.tokens
        hashed = {block.number for block in registered}
        state.queue.restore(shown.queue, hashed, set(state.nodes), shown.freed)
        return state


def _look(table: Table) -> TableView:
    numbers = tuple(block.number for block in table.blocks)
    table.view = TableView(table.number, numbers, table.tokens, table.root.namespace)
    return table.view


def _thawed(view: BlockView) -> Block:
    block = Block(view.number)
    for name in view._fields:
        setattr(block, name, getattr(view, name))
    block.seen = view
    return block


_HANDLERS: dict[type[Any], Callable[[BlockState, Any], None]] = {
    ev.StepOpened: BlockState._step_opened,
    ev.NamespaceOpened: BlockState._namespace_opened,
    ev.TableOpened: BlockState._table_opened,
    ev.TableForked: BlockState._table_forked,
    ev.TableClosed: BlockState._table_closed,
    ev.BlocksHit: BlockState._hit,
    ev.BlocksTaken: BlockState._taken,
    ev.BlocksHashed: BlockState._hashed,
    ev.BlocksFilled: BlockState._filled,
    ev.BlocksComputed: BlockState._computed,
    ev.BlocksAccessed: BlockState._accessed,
    ev.BlockCopied: BlockState._copied,
    ev.BlockReplaced: BlockState._replaced,
    ev.BlocksEvicted: BlockState._evicted,
    ev.Sampled: BlockState._sampled,
    ev.Resized: BlockState._resized,
    ev.Cleared: BlockState._cleared,
}
