"""A small block-table cache in the manner of vLLM: another implementation of `radix.leases.PrefixCache`, for tests.

Blocks of fixed size hang together by a chain of hashes; a request owns a table of them. A block is shared from the
commit that fills it on, never before (the computed gate). A fork shares the last block although it is not full; who
writes to it first gets a copy. Equal blocks computed twice are replaced by the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from radixchat.radix import (
    CacheConfig,
    Copies,
    Gone,
    Lease,
    NodeView,
    NoRoom,
    Peek,
    Remap,
    Root,
    Snapshot,
    Tombstone,
    Update,
    as_key,
)
from radixchat.radix.events import Event
from radixchat.radix.keys import Int32Array, Key, Tokens, count, cut

Digest = bytes


class Block:
    """`size` neighbouring slots of the pool."""

    def __init__(self, number: int, size: int) -> None:
        self.number = number
        self.slots: Int32Array = np.arange(number * size + 1, (number + 1) * size + 1, dtype=np.int32)
        self.refs = 0  # leases whose table holds it
        self.forget()

    def forget(self) -> None:
        """Becomes a block without content."""
        self.node = 0  # id in snapshots; 0: not registered
        self.digest: Digest = b""
        self.parent: Digest = b""
        self.key: Key = b""
        self.last = 0
        self.new_in = 0
        self.used_in = 0


class Table:
    """What the cache keeps with a lease."""

    def __init__(self, digest: Digest, tick: int) -> None:
        self.blocks: list[Block] = []
        self.digest = digest  # of the last full block
        self.pending: Key = b""  # computed tokens after it
        self.tick = tick
        self.made: set[int] = set()  # nodes that it registered


class BlockTable:
    """A hash-block prefix cache.

    Args:
        capacity: Tokens, rounded down to whole blocks.
        page_size: Tokens of a block.
    """

    def __init__(self, capacity: int, page_size: int = 4) -> None:
        self._config = CacheConfig(capacity, page_size, unit="page", tie="deepest", split_recency="prefix")
        self._size = page_size
        self._blocks = [Block(number, page_size) for number in range(self._config.capacity // page_size)]
        self._free = list(reversed(self._blocks))  # without content, the next one last
        self._unused: list[Block] = []  # registered and in no table, the next victim first
        self._index: dict[Digest, Block] = {}
        self._namespaces: list[str] = [""]
        self._graves: list[Tombstone] = []
        self._step = self._tick = self._ids = self._open = 0

    @property
    def config(self) -> CacheConfig:
        return self._config

    @property
    def capacity(self) -> int:
        return len(self._blocks) * self._size

    @property
    def highest_slot(self) -> int:
        return max(int(block.slots[-1]) for block in self._blocks)

    def new_step(self) -> int:
        self._step += 1
        self._graves = []
        return self._step

    # -- leases ----------------------------------------------------------------------------------------------------

    def begin(self, key: Tokens, namespace: str = "", priority: int = 0) -> Lease:
        key = as_key(key)
        if not key:
            raise ValueError("an empty prompt cannot begin a request")
        if namespace not in self._namespaces:
            self._namespaces.append(namespace)
        self._tick += 1
        table = Table(_seed(namespace), self._tick)
        for block in self._found(key, namespace)[: (count(key) - 1) // self._size]:
            self._hold(table, block)
        self._open += 1
        slots = _joined([block.slots for block in table.blocks])
        return Lease(namespace, slots, slots.size, table)

    def extend(self, lease: Lease, n: int) -> Update:
        table = _table(lease)
        size = len(lease)
        copied = self._to_copy(lease) if n else None
        needed = -(-(size + n) // self._size) - len(table.blocks) + (copied is not None)
        if needed > len(self._free) + len(self._unused):
            raise NoRoom(needed * self._size, (len(self._free) + len(self._unused)) * self._size)
        gone = self._evict(needed - len(self._free), "lru")
        copies: tuple[Copies, ...] = ()
        remaps: tuple[Remap, ...] = ()
        if copied is not None:
            start = (len(table.blocks) - 1) * self._size
            fresh = self._free.pop()
            fresh.refs, copied.refs = 1, copied.refs - 1
            if not copied.refs:
                self._unused.append(copied)
            table.blocks[-1] = fresh
            computed = lease.computed - start
            copies = (Copies(copied.slots[:computed], fresh.slots[:computed]),)
            remaps = (Remap(start, fresh.slots[: size - start]),)
            lease.replace(start, remaps[0].slots)
        while len(table.blocks) * self._size < size + n:
            block = self._free.pop()
            block.refs = 1
            table.blocks.append(block)
        new = _joined([block.slots for block in table.blocks])[size : size + n]
        lease.append(new)
        return Update(new_slots=new, copies=copies, remaps=remaps, evicted=gone)

    def commit(self, lease: Lease, tokens: Tokens) -> Update:
        table = _table(lease)
        key = table.pending + as_key(tokens)
        at = (lease.computed - count(table.pending)) // self._size  # the block that the key begins in
        lease.computed += count(key) - count(table.pending)
        assert lease.computed <= len(lease), "commit only what has slots"
        remaps: list[Remap] = []
        while count(key) >= self._size:
            page, key = cut(key, 0, self._size), cut(key, self._size)
            digest = _digest(table.digest, page)
            ours, theirs = table.blocks[at], self._index.get(digest)
            if theirs is None:
                self._register(table, ours, digest, page)
            elif theirs is not ours:
                self._take_back(ours)
                table.blocks[at] = self._reuse(theirs, table)
                lease.replace(at * self._size, theirs.slots)
                remaps.append(Remap(at * self._size, theirs.slots))
            table.digest = digest
            at += 1
        table.pending = key
        return Update(remaps=tuple(remaps))

    def fork(self, lease: Lease) -> Lease:
        table = _table(lease)
        other = Table(table.digest, table.tick)
        other.pending = table.pending
        for block in table.blocks[: -(-lease.computed // self._size)]:
            block.refs += 1
            other.blocks.append(block)
        self._open += 1
        return Lease(lease.namespace, lease.slots[: lease.computed], lease.computed, other)

    def finish(self, lease: Lease, keep: bool = True, uncached: Tokens = b"") -> None:
        table = _table(lease)
        for block in reversed(table.blocks):  # the end of a sequence is evicted first
            self._take_back(block)
            if not keep and block.node in table.made and block in self._unused and not self._children(block.digest):
                self._unused.remove(block)
                self._drop(block, "discarded")
        lease.open = False
        self._open -= 1

    def peek(self, key: Tokens, namespace: str = "") -> Peek:
        key = as_key(key)
        found = self._found(key, namespace)
        reused = found[: max(0, count(key) - 1) // self._size]
        room = -(-count(key) // self._size) - len(reused)
        loose = [block for block in self._unused if block not in reused]
        return Peek(
            matched=len(found) * self._size,
            reused=len(reused) * self._size,
            split=None,
            inside=None,
            evicts=tuple(Gone(block.node, self._size) for block in self._victims(loose, room - len(self._free))),
            room=room * self._size,
            available=(len(self._free) + len(loose)) * self._size,
        )

    def matched(self, key: Tokens, namespace: str = "") -> int:
        return len(self._found(as_key(key), namespace)) * self._size

    # -- the cache as a whole --------------------------------------------------------------------------------------

    def evict(self, tokens: int) -> tuple[Gone, ...]:
        return self._evict(-(-tokens // self._size), "asked")

    def reset(self) -> None:
        if self._open:
            raise RuntimeError(f"{self._open} leases are open: finish them before a reset")
        self._evict(len(self._unused), "asked")
        self._graves = []

    def resize(self, capacity: int) -> None:
        target = capacity // self._size
        if target < 1:
            raise ValueError("a capacity below one block is not possible")
        surplus = len(self._blocks) - target
        if surplus > len(self._free) + len(self._unused):
            raise NoRoom(surplus * self._size, (len(self._free) + len(self._unused)) * self._size)
        self._evict(surplus - len(self._free), "shrunk")
        for _ in range(surplus):
            self._blocks.remove(self._free.pop(0))
        taken = {block.number for block in self._blocks}
        numbers = (number for number in range(len(taken) + target) if number not in taken)
        for _ in range(-surplus):
            self._blocks.append(Block(next(numbers), self._size))
            self._free.insert(0, self._blocks[-1])

    def take_events(self) -> list[Event]:
        return []

    def snapshot(self) -> Snapshot:
        """Every registered block is a node below its parent; the roots have no ids of their own."""
        registered = [block for block in self._blocks if block.node]
        victims = self._victims(self._unused, 1)
        return Snapshot(
            step=self._step,
            tick=self._tick,
            capacity=self.capacity,
            page_size=self._size,
            in_flight=sum(self._size for block in self._blocks if block.refs and not block.node),
            resident=len(registered) * self._size,
            protected=sum(self._size for block in registered if block.refs),
            next_victim=victims[0].node if victims else None,
            roots=tuple(Root(name, self._view_below(_seed(name))) for name in self._namespaces),
            tombstones=tuple(self._graves),
        )

    def check_integrity(self, leases: Iterable[Lease] = ()) -> None:
        leases = list(leases)
        assert len(leases) == self._open
        tables = [_table(lease) for lease in leases]
        for block in self._blocks:
            assert block.refs == sum(block in table.blocks for table in tables), (
                f"block {block.number} has other holders"
            )
            assert (block in self._free) == (not block.refs and not block.node)
            assert (block in self._unused) == (not block.refs and block.node > 0)
        assert len(set(map(id, self._free))) == len(self._free)
        assert {id(block) for block in self._index.values()} == {id(block) for block in self._blocks if block.node}
        assert all(block.digest == digest == _digest(block.parent, block.key) for digest, block in self._index.items())
        for lease, table in zip(leases, tables, strict=True):
            slots = _joined([block.slots for block in table.blocks])
            assert slots[: len(lease)].tolist() == lease.slots.tolist()
            assert len(table.blocks) == -(-len(lease) // self._size)

    # -- help ------------------------------------------------------------------------------------------------------

    def _found(self, key: Key, namespace: str) -> list[Block]:
        found: list[Block] = []
        digest = _seed(namespace)
        for start in range(0, count(key) - self._size + 1, self._size):
            digest = _digest(digest, cut(key, start, start + self._size))
            if digest not in self._index:
                break
            found.append(self._index[digest])
        return found

    def _hold(self, table: Table, block: Block) -> None:
        table.blocks.append(self._reuse(block, table))
        table.digest = block.digest

    def _reuse(self, block: Block, table: Table) -> Block:
        if not block.refs:
            self._unused.remove(block)
        block.refs += 1
        block.last = max(block.last, table.tick)
        block.used_in = self._step
        return block

    def _register(self, table: Table, block: Block, digest: Digest, page: Key) -> None:
        self._ids += 1
        block.node, block.digest, block.parent, block.key = self._ids, digest, table.digest, page
        block.last, block.new_in = table.tick, self._step
        self._index[digest] = block
        table.made.add(block.node)

    def _take_back(self, block: Block) -> None:
        block.refs -= 1
        if not block.refs:
            (self._unused if block.node else self._free).append(block)

    def _to_copy(self, lease: Lease) -> Block | None:
        """The last block of a table, if the next token would be written into what others share."""
        table = _table(lease)
        if len(lease) % self._size == 0 or lease.computed < (len(table.blocks) - 1) * self._size:
            return None
        block = table.blocks[-1]
        return block if block.refs > 1 or block.node else None

    def _children(self, digest: Digest) -> list[Block]:
        return [block for block in self._index.values() if block.parent == digest]

    def _victims(self, unused: list[Block], wanted: int) -> list[Block]:
        """The blocks that would go: in order of last use, none before those that hang from it."""
        going: list[Block] = []
        while len(going) < min(wanted, len(unused)):
            left = [block for block in unused if block not in going]
            going.append(next(block for block in left if all(child in going for child in self._children(block.digest))))
        return going

    def _evict(self, wanted: int, why: str) -> tuple[Gone, ...]:
        gone = []
        for block in self._victims(self._unused, wanted):
            self._unused.remove(block)
            gone.append(self._drop(block, why))
        return tuple(gone)

    def _drop(self, block: Block, why: str) -> Gone:
        parent = self._index.get(block.parent)
        gone = Gone(block.node, self._size)
        self._graves.append(Tombstone(block.node, parent.node if parent else 0, block.key, block.node, why))
        del self._index[block.digest]
        block.forget()
        self._free.append(block)
        return gone

    def _view_below(self, digest: Digest, block: Block | None = None) -> NodeView:
        children = tuple(self._view_below(child.digest, child) for child in self._children(digest))
        if block is None:
            return NodeView(id=0, key=b"", slots=b"", children=children)
        return NodeView(
            id=block.node,
            key=block.key,
            slots=block.slots.tobytes(),
            locks=block.refs,
            last=block.last,
            rank=block.node,
            new_in=block.new_in,
            used_in=block.used_in,
            children=children,
        )


def _seed(namespace: str) -> Digest:
    return hashlib.sha256(namespace.encode()).digest()


def _digest(parent: Digest, page: Key) -> Digest:
    return hashlib.sha256(parent + page).digest()


def _joined(slots: list[Int32Array]) -> Int32Array:
    return np.concatenate(slots) if slots else np.empty(0, dtype=np.int32)


def _table(lease: Lease) -> Table:
    assert lease.open, "this lease is finished"
    table = lease.held
    assert isinstance(table, Table)
    return table
