"""The blocks of a hash-block cache as every picture of them tells them: entries, chains, tables, queue. A pure layout.

A *chain* hangs each block below the one whose hash its own hash took in, so a shared beginning stands once. A block
without a hash hangs below the block before it in its table: nothing but that table knows it. Where the block before is
gone, the chain is *broken* and begins there. Blocks evicted in the step hang where they hung.

A block has a *handle*, what a cursor knows it by: its node in the tree; where it has none, minus its number, minus 1.
Knows snapshots; no text, no colours and no widths. Nothing recurses: a long conversation is a long chain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ..radix.keys import TOKEN_BYTES, Key, count
from ..radix.snapshots import Blocks, BlockView, Snapshot, State, TableView
from .rail import Spot, settle, spots
from .shown import fold, strongest
from .states import Attribute
from .twigs import RowKind, Twig, bury, by_rank, in_order, root_twig

HEAD: Final = 4
"""Blocks at the head of the free queue that are never folded away: they go next."""

_BARE: Final = 1 << 40  # rank of the first block without a hash: after all that have one


class Entry(NamedTuple):
    """A block, or what an eviction of the step took out of one."""

    id: int  # its handle; of a tombstone: the node that went
    number: int | None  # place in the pool; None: a tombstone, which does not say which block held it
    state: State
    refs: int  # entries of open block tables
    digest: bytes  # b"": no hash
    parent: bytes  # the hash before it; b"" at the start of a chain
    key: Key
    size: int  # tokens that a block holds
    computed: bool  # whether a hit counts
    last: int | None  # tick of its last use
    place: int | None  # in the free queue, from 0: how many would be taken before it
    victim: bool  # the first of the queue whose content would be lost
    node: int  # in the tree; 0: not registered
    loose: bool = False  # it hangs below a block by its table, not by a hash
    broken: bool = False  # the block before it is gone
    depth: int = 0  # blocks of its chain up to and with it, those that are gone too; 0: not known
    why: str = ""  # of a tombstone: why it went

    @property
    def tokens(self) -> int:
        """How many tokens of K/V it holds."""
        return count(self.key)

    @property
    def pending(self) -> bool:
        """Whether it has a hash, but a hit would not count yet."""
        return bool(self.digest) and not self.computed

    @property
    def attribute(self) -> Attribute:
        """The fact shown beside the state."""
        if self.refs:
            return Attribute.LOCKED
        return Attribute.NEXT_VICTIM if self.victim else Attribute.NONE

    @property
    def classes(self) -> str:
        """Words that a style sheet may select."""
        kind = "block" if self.number is not None else "tombstone"
        named = self.attribute.value.replace(" ", "-")
        more = ("pending" if self.pending else "", "" if self.digest or self.number is None else "unhashed")
        return " ".join(word for word in (kind, self.state.value, named, *more) if word)


class Range(NamedTuple):
    """Neighbours in the free queue that hold nothing; or one block that holds something."""

    first: int  # number
    last: int
    entry: Entry | None  # None: free

    @property
    def blocks(self) -> int:
        """How many blocks it is."""
        return abs(self.last - self.first) + 1


class Gauge(NamedTuple):
    """What the pool's blocks are; the parts add up to `total`."""

    total: int
    used: int  # in open block tables
    retained: int  # in none, but found again by their hashes
    free: int  # hold nothing


class Pool:
    """A moment of a hash-block cache.

    Args:
        snapshot: Of a hash-block cache.
        veiled: Whether it is left out who goes next, because a question is open.

    Attributes:
        blocks: As the snapshot has them.
        entries: Every block that holds or has anything, by number.
        queue: The free queue, in the order in which blocks would be taken.
        gauge: What the blocks are.
    """

    def __init__(self, snapshot: Snapshot, *, veiled: bool = False) -> None:
        assert snapshot.blocks is not None, "a snapshot of a radix tree"
        self.snapshot = snapshot
        self.blocks: Blocks = snapshot.blocks
        self.veiled = veiled
        self._views = {view.number: view for view in self.blocks.blocks}
        self._places = {number: at for at, number in enumerate(self.blocks.queue)}
        self._before = _before(self.blocks.tables)
        kept = {number: view for number, view in self._views.items() if view.refs or view.digest or view.key}
        victim = next((number for number in self.blocks.queue if number in kept and kept[number].digest), None)
        self._above = self._parents(kept)
        self.entries: dict[int, Entry] = {
            number: self._entry(view, None if veiled else victim) for number, view in kept.items()
        }
        self.stones = [
            Entry(
                stone.node, None, State.EVICTED, 0, b"", b"", stone.key, self.blocks.block_size, False, None, None,
                False, stone.node, why=stone.why,
            )
            for stone in snapshot.tombstones
        ]  # fmt: skip
        self._by_id = {entry.id: entry for entry in self.stones} | {entry.id: entry for entry in self.entries.values()}
        self.gauge = self._measured()

    @property
    def queue(self) -> list[Range]:
        """The free queue; free neighbours are one range."""
        ranges: list[Range] = []
        for number in self.blocks.queue:
            entry, last = self.entries.get(number), ranges[-1] if ranges else None
            if entry is None and last is not None and last.entry is None and number == last.last + 1:
                ranges[-1] = last._replace(last=number)
            else:
                ranges.append(Range(number, number, entry))
        return ranges

    @property
    def free(self) -> int:
        """Blocks that hold nothing."""
        return self.gauge.free

    def find(self, id: int) -> Entry | None:
        """Returns the entry with a handle; a block's number is found also when it has a node by now."""
        return self._by_id.get(id) or (self.entries.get(-1 - id) if id < 0 else None)

    def of(self, twig: Twig) -> Entry:
        """Returns the entry of a twig that is no fold."""
        if twig.kind is RowKind.TOMBSTONE:
            return next(stone for stone in self.stones if stone.id == twig.id and stone.key == twig.key)
        return self._by_id[twig.id or 0]

    def handle(self, number: int) -> int:
        """Returns the handle of a block."""
        entry = self.entries.get(number)
        return -1 - number if entry is None else entry.id

    def above(self, entry: Entry) -> int | None:
        """Returns the number of the block that a block hangs below."""
        return None if entry.number is None else self._above.get(entry.number)

    def ends(self) -> dict[int, list[int]]:
        """Returns which open leases end at a block, by its number."""
        ends: dict[int, list[int]] = {}
        for table in self.blocks.tables:
            if table.blocks:
                ends.setdefault(table.blocks[-1], []).append(table.table)
        return ends

    # -- chains --------------------------------------------------------------------------------------------------------

    def chains(
        self, *, most: int | None = None, folded: Collection[int] = frozenset(), kept: Collection[int] = frozenset()
    ) -> list[Twig]:
        """Returns the chains of each namespace below a hidden root, settled; ids of twigs are handles.

        Args:
            most: Rows from which on what nobody holds and the step did not touch is folded; None folds nothing.
            folded: Handles of blocks that stand for themselves and all below them.
            kept: Handles of blocks that are not folded for all that.
        """
        trees = self._trees()
        for tree in trees:
            for twig in [one for one in in_order(tree) if one.id in folded]:
                if twig.children and twig.kind is RowKind.NODE:
                    fold(twig)
        matters = set(kept) | {-1}
        if most is not None and sum(1 for tree in trees for _ in in_order(tree)) > most:
            matters |= self._mattering()
            for tree in trees:
                _fold_dead(tree, matters)
                settle(tree, 2, matters)
        else:
            for tree in trees:
                settle(tree)
        return trees

    def rows(self, trees: Sequence[Twig]) -> Iterator[Spot]:
        """Yields the rows of chains from top to bottom, with a heading for each namespace when there are several."""
        return spots(trees)

    def _mattering(self) -> set[int]:
        """Returns the handles of what is never folded away: touched, held, or next in the queue."""
        head = [number for number in self.blocks.queue if number in self.entries][: 0 if self.veiled else HEAD]
        return {
            entry.id
            for entry in self.entries.values()
            if entry.refs or entry.state is not State.RESIDENT or entry.number in head
        }

    def _trees(self) -> list[Twig]:
        """Returns one tree per namespace: what has no place else hangs from its hidden root."""
        roots = {root.namespace: root_twig(root.node.id, root.namespace) for root in self.snapshot.roots}
        roots = roots or {"": root_twig(0, "")}
        first = next(iter(roots.values()))
        homes = {child.id: root.namespace for root in self.snapshot.roots for child in root.node.children}
        by_table = {number: table.namespace for table in self.blocks.tables for number in table.blocks}
        twigs = {number: self._twig(entry) for number, entry in self.entries.items()}
        for number, twig in twigs.items():
            above = self._above[number]
            if above is not None:
                twigs[above].children.append(twig)
            else:
                namespace = homes.get(twig.id or 0, by_table.get(number, ""))
                roots.get(namespace, first).children.append(twig)
        for twig in (*roots.values(), *twigs.values()):
            twig.children.sort(key=by_rank)
        trees = list(roots.values())
        known = {tree.id: tree for tree in trees} | {twig.id: twig for twig in twigs.values()}
        bury(self.snapshot.tombstones, trees, known.get)
        return trees

    def _twig(self, entry: Entry) -> Twig:
        rank = entry.node or _BARE + (entry.number or 0)
        twig = Twig(RowKind.NODE, entry.id, entry.key, rank, entry.state)
        twig.locks = entry.refs
        return twig

    def _parents(self, views: Mapping[int, BlockView]) -> dict[int, int | None]:
        """Returns the block that each hangs below, without circles, which a broken file may have."""
        whole = self.blocks.block_size * TOKEN_BYTES
        holders: dict[bytes, BlockView] = {}
        for view in sorted(views.values(), key=lambda view: (len(view.key) < whole, view.node, view.number)):
            if view.digest:
                holders.setdefault(view.digest, view)
        above: dict[int, int | None] = {}
        for number, view in views.items():
            if view.digest:
                holder = holders.get(view.parent) if view.parent else None
                above[number] = None if holder is None else holder.number
            else:
                before = self._before.get(number)
                above[number] = before if before in views else None
        passed: dict[int, int] = {}  # by which walk
        for start in views:
            at: int | None = start
            while at is not None and at not in passed:
                passed[at] = start
                following = above[at]
                if following is not None and passed.get(following) == start:
                    above[at] = following = None
                at = following
        return above

    def _entry(self, view: BlockView, victim: int | None) -> Entry:
        above = self._above[view.number]
        return Entry(
            id=view.node or -1 - view.number,
            number=view.number,
            state=_state(view, self.snapshot.step),
            refs=view.refs,
            digest=view.digest,
            parent=view.parent,
            key=view.key,
            size=self.blocks.block_size,
            computed=view.computed,
            last=view.last,
            place=None if self.veiled else self._places.get(view.number),
            victim=view.number == victim,
            node=view.node,
            loose=not view.digest and above is not None,
            broken=bool(view.parent) and above is None,
            depth=view.depth,
        )

    def _measured(self) -> Gauge:
        numbers = {*self._views, *self.blocks.queue}
        used = sum(1 for entry in self.entries.values() if entry.refs)
        retained = len(self.entries) - used
        return Gauge(max(len(numbers), used + retained), used, retained, max(0, len(numbers) - used - retained))


def _before(tables: Sequence[TableView]) -> dict[int, int]:
    """Returns the block before each in the first table that has it."""
    before: dict[int, int] = {}
    for table in tables:
        for one, other in zip(table.blocks, table.blocks[1:], strict=False):
            before.setdefault(other, one)
    return before


def _state(view: BlockView, step: int) -> State:
    if view.new_in == step:
        return State.NEW
    return State.REUSED if view.used_in == step else State.RESIDENT


def _fold_dead(tree: Twig, matters: Collection[int]) -> None:
    """Puts what hangs below one block, and of which nothing matters, into one fold."""
    order = [tree]
    for twig in order:  # which grows meanwhile
        order.extend(twig.children)
    alive: set[int] = set()  # by identity
    for twig in reversed(order):
        if twig.kind is not RowKind.NODE or twig.id in matters or any(id(child) in alive for child in twig.children):
            alive.add(id(twig))
    for twig in order:
        dead = [child for child in twig.children if id(child) not in alive]
        if not dead or id(twig) not in alive:
            continue
        every = [one for child in dead for one in (child, *in_order(child))]
        one = Twig(RowKind.FOLD, dead[0].id, b"", dead[0].rank, strongest(each.state for each in every))
        one.nodes, one.tokens = len(every), sum(each.tokens for each in every)
        one.note = f"{one.nodes} blocks"
        twig.children = sorted([child for child in twig.children if id(child) in alive] + [one], key=by_rank)
