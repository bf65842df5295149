"""HashBlockCache: prefix sharing over blocks of tokens named by hashes, as in vLLM's automatic prefix caching.

A prompt is cut into blocks of fixed size; each has a hash that stands for all tokens up to its end, an index leads from
hashes to blocks, and a lease owns a table of blocks. What exactly is hashed, shared, copied, given back and evicted
first differs from release to release: that is data (`radix.presets`), and this is the one class that acts by it.

Where the lease protocol and the releases part:

- A release allocates a whole prompt at once; here `begin` takes what the prompt finds and `extend` the rest, in the
  same order. A block that fills with generated tokens gets its hash when they are committed, not just before they are
  computed: a cache is told of tokens when their K/V is there.
- `lease.computed` is a promise. Blocks of another request that are hashed but not computed yet are shared, and computed
  by both, into the same slots.
- When a whole prompt is found, V1 computes its last block again into a new one; v0 has the last block in its table and
  computes its tokens again in place; one token at least is always computed.
- A fork shares what is computed. Under rules that share partial blocks the last one, too, until somebody writes to it;
  under the others its tokens are computed again (transformers copies them at once).
- v0's placeholder hashes for blocks that are not full are no hash here (but for the last block of a prompt, whose hash
  is real). A promotion waits until the other block is computed.
- A request's blocks are freed from the last to the first; v0 frees them in no order, and its evictor does not care.

Slots: block after block from slot 1 on; a null block has none, and slot 0 is scratch as in every cache. Knows no
request, no tensor, no text and no wall clock.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from . import block_integrity
from . import events as ev
from .block_forest import Block, size_of
from .block_lookup import Lookup
from .block_state import BlockState
from .block_table import BlockTable, Blueprint, Prompts, table_of
from .hashing import hasher_for
from .keys import Digest, Int32Array, Key, Tokens, as_array, as_key, count
from .leases import Copies, Gone, Lease, NoRoom, Peek, Remap, Update
from .presets import BlockRules, rules_named
from .snapshots import Snapshot
from .state import CacheConfig

_NOTHING: Int32Array = np.empty(0, dtype=np.int32)


class HashBlockCache:
    """A hash-block prefix cache; implements `radix.leases.PrefixCache`.

    Args:
        capacity: Tokens the pool holds; rounded down to whole blocks. A null block comes on top of it.
        preset: Name of the rules: see `presets.PRESETS`.
        block_size: Tokens of a block; None is the preset's own.
        rules: Other rules than the preset's. A recording of them replays only under the rules of that name.
        events: Keep events for `take_events`; switch off when nobody takes them.

    Raises:
        ValueError: an unknown preset, a block size that it forbids, or a capacity below one block.
    """

    def __init__(
        self,
        capacity: int,
        *,
        preset: str = "vllm-0.33",
        block_size: int | None = None,
        rules: BlockRules | None = None,
        events: bool = True,
    ) -> None:
        self.rules = rules_named(preset) if rules is None else rules
        self.block_size = self.rules.block_size if block_size is None else block_size
        self.rules.check_block_size(self.block_size)
        self._config = CacheConfig(capacity, self.block_size, preset=self.rules.name)
        self._state = BlockState(self._config, self.rules)
        self._hasher = hasher_for(self.rules, self.block_size)
        self._prompts = Prompts(self._hasher, self.block_size, partial=self.rules.partial_sharing)
        self._lookup = Lookup(self._state)
        self._events: list[ev.Event] | None = [] if events else None
        self._last_id = 0  # of nodes and hidden roots
        self._last_table = 0

    @classmethod
    def of(cls, config: CacheConfig, *, events: bool = True) -> HashBlockCache:
        """Returns a cache with these settings, such as those of a recording."""
        return cls(config.capacity, preset=config.preset, block_size=config.page_size, events=events)

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def config(self) -> CacheConfig:
        """The settings it was made with; `capacity` may have changed since."""
        return self._config

    @property
    def capacity(self) -> int:
        """Tokens the pool holds."""
        return self._state.capacity

    @property
    def state(self) -> BlockState:
        """The live blocks; to be looked at, and changed by nobody else."""
        return self._state

    @property
    def policy(self) -> str:
        """The nearest policy of a tree; what really goes first is the rules' affair."""
        return self._config.policy

    @property
    def highest_slot(self) -> int:
        """The highest slot number in use; the pool needs slots [0, highest_slot]."""
        return (self._state.highest - self._state.first + 1) * self.block_size

    def new_step(self) -> int:
        """Opens the next step: tombstones go, new and reused blocks become resident. Returns its number."""
        self._do(ev.StepOpened(self._state.step + 1))
        return self._state.step

    # -- the lease protocol ----------------------------------------------------------------------------------------

    def begin(self, key: Tokens, namespace: str = "", priority: int = 0) -> Lease:
        """Looks a prompt up, block by block, and takes what is found into a new table, up to the first miss.

        Effects: the clock ticks; the blocks found are stamped with it and have one reference more.

        Raises:
            ValueError: an empty prompt.
        """
        key = as_key(key)
        if not key:
            raise ValueError("an empty prompt cannot begin a request")
        prompt = self._prompts.of(key, namespace)
        if prompt.hashed:
            prompt.digest(prompt.hashed - 1)  # all at once
        hits = self._lookup.hits(prompt, prompt.shareable)
        table = self._open(prompt)
        computed = self._lookup.computed(prompt, hits)
        if hits:
            self._do(ev.BlocksHit(table.number, tuple([block.number for block in hits]), computed, table.tick))
            table.registered = len(hits)
        return Lease(namespace, self._slots(hits)[: prompt.size], computed, table)

    def extend(self, lease: Lease, n: int) -> Update:
        """Gets room for n more tokens; blocks are taken from the free queue, and what they hold is evicted.

        Blocks of the prompt enter the index now where the rules say so, though nothing is computed yet. Who would write
        behind a shared block that is not full gets a copy of it.

        Raises:
            NoRoom: too few blocks are unreferenced; nothing was changed.
        """
        table = table_of(lease)
        start, end = len(lease), len(lease) + n
        self.check_room(lease, n)
        if not n:
            return Update()
        gone: list[Gone] = []
        copies: tuple[Copies, ...] = ()
        remaps: tuple[Remap, ...] = ()
        if self.rules.partial_sharing:
            gone += self._allocate(table, min(end, table.prompt.size))
            seam = max(start, table.prompt.size)
            if end > seam and seam % self.block_size and table.blocks[seam // self.block_size].refs > 1:
                copied = self._copy_on_write(lease, table, start, seam)
                gone += copied.evicted
                copies, remaps = copied.copies, copied.remaps
        missing = -(-end // self.block_size) - len(table.blocks)
        if missing > 0:
            gone += self._take(table, missing)
        if self.rules.register_when == "allocation" and not self.rules.partial_sharing:
            self._register_prompt(table, min(end, table.prompt.size) // self.block_size)
        new = self._slots(table.blocks[start // self.block_size :])[start % self.block_size :][:n]
        lease.append(new)
        return Update(new_slots=new, copies=copies, remaps=remaps, evicted=tuple(gone))

    def commit(self, lease: Lease, tokens: Tokens) -> Update:
        """Notes that the next tokens are computed; blocks that they fill enter the index, unless they are there.

        What happens when an equal block is known already is the rules' `dedup`.
        """
        update = self.fill(lease, tokens)
        if self.rules.computed_gate != "none":
            self.mark_computed(lease, lease.computed)
            self.access(lease, self._state.tick)
        return update

    def fill(self, lease: Lease, tokens: Tokens) -> Update:
        """Does what `commit` does, except that no block is marked as computed; see there."""
        table = table_of(lease)
        key = as_key(tokens)
        start = lease.computed
        end = start + count(key)
        assert end <= len(lease), "commit only what has slots"
        table.append(start, as_array(key).tolist())
        filled = range(start // self.block_size, end // self.block_size)
        remaps: tuple[Remap, ...] = ()
        if filled:
            table.hash_to(filled.stop)
            remaps = self._register_filled(lease, table, filled)
        if key:
            self._do(ev.BlocksFilled(table.number, start, key))
        lease.computed = end
        return Update(remaps=remaps)

    def mark_computed(self, lease: Lease, tokens: int) -> None:
        """v0: marks full blocks among the first tokens, from the last back to one that is marked."""
        table = table_of(lease)
        whole = tokens // self.block_size - (self.rules.computed_gate == "flag-short")
        marked: list[int] = []
        for block in reversed(table.blocks[: max(0, whole)]):
            if block.computed:
                break
            marked.append(block.number)
        if marked:
            self._do(ev.BlocksComputed(table.number, tuple(reversed(marked))))

    def access(self, lease: Lease, tick: int) -> None:
        """v0: stamps every block of a table as used; a later tick than the clock's moves the clock."""
        table = table_of(lease)
        if any(block.last != tick for block in table.blocks):
            self._do(ev.BlocksAccessed(table.number, tick))

    def fork(self, lease: Lease) -> Lease:
        """Returns a second lease over what is computed; see the module for the last block."""
        table = table_of(lease)
        size = lease.computed
        if not self.rules.partial_sharing:
            size -= size % self.block_size
        blocks = -(-size // self.block_size)
        self._last_table += 1
        self._do(ev.TableForked(self._last_table, table.number, blocks, size))
        forked = table.fork(self._state.tables[self._last_table], size)
        return Lease(lease.namespace, lease.slots[:size], size, forked)

    def finish(self, lease: Lease, keep: bool = True, uncached: Tokens = b"") -> None:
        """Gives the table's blocks back, the last one first; see `PrefixCache.finish`.

        Blocks that are hashed although they were never computed lose their hashes, except under v0, which looks at
        their flag instead.
        """
        table = table_of(lease)
        if keep:
            self._note_uncached(lease, table, as_key(uncached))
        unfilled = () if self.rules.computed_gate != "none" else (
            block for block in table.blocks if block.refs == 1 and block.digest and size_of(block) < self.block_size
        )  # fmt: skip
        self._evict([*unfilled, *(() if keep else self._own(table))], "discarded", 0)
        self._do(ev.TableClosed(table.number))
        lease.open = False

    def peek(self, key: Tokens, namespace: str = "") -> Peek:
        """Says what a prompt would do; changes nothing. `room` and `available` count whole blocks."""
        return self._lookup.peek(self._prompts.of(as_key(key), namespace))

    def matched(self, key: Tokens, namespace: str = "") -> int:
        """Says how many tokens of a prompt are there, in whole blocks; changes nothing."""
        return self._lookup.matched(self._prompts.of(as_key(key), namespace))

    def evict(self, tokens: int) -> tuple[Gone, ...]:
        """Forgets at least that many tokens, in the order of the free queue, or all that is unreferenced."""
        wanted = -(-tokens // self.block_size)
        victims = [block for block in self._lookup.queued(self._state.queue) if block.inside]
        if self.rules.evict != "all" or not wanted:
            victims = victims[:wanted]
        return self._evict(victims, "asked", tokens)

    def reset(self) -> None:
        """Forgets every hash; the clock, the step and the numbers go on.

        Raises:
            RuntimeError: a lease is open.
        """
        if self._state.tables:
            raise RuntimeError(f"{len(self._state.tables)} leases are open: finish them before a reset")
        self._do(ev.Cleared())

    def resize(self, capacity: int) -> None:
        """Changes the capacity (rounded down to whole blocks); a smaller pool loses the next blocks of its queue.

        Raises:
            NoRoom: too many blocks are referenced; nothing was changed.
            ValueError: less than one block.
        """
        capacity -= capacity % self.block_size
        if capacity < self.block_size:
            raise ValueError(f"a capacity below one block of {self.block_size} tokens is not possible")
        surplus = (self.capacity - capacity) // self.block_size
        if surplus > len(self._state.queue):
            raise NoRoom(surplus * self.block_size, len(self._state.queue) * self.block_size)
        if surplus > 0:
            self._free_up(surplus, "shrunk")
        self._do(ev.Resized(capacity))

    def snapshot(self) -> Snapshot:
        """Returns the state of this moment; see `BlockState.freeze`."""
        return self._state.freeze()

    def take_events(self) -> list[ev.Event]:
        """Returns the events since the last call, and forgets them."""
        if not self._events:
            return []
        taken, self._events = self._events, []
        return taken

    def check_integrity(self, leases: Iterable[Lease] = ()) -> None:
        """Raises AssertionError unless every invariant holds, given all open leases."""
        block_integrity.check(self._state, list(leases), self._slots)

    # -- what v0's own names need besides (radix.vllm_v0) ----------------------------------------------------------

    def check_room(self, lease: Lease, n: int) -> None:
        """Changes nothing; raises NoRoom where `extend` would."""
        needed = self._lookup.needed(table_of(lease), len(lease), len(lease) + n)
        if needed > len(self._state.queue):
            raise NoRoom(needed * self.block_size, len(self._state.queue) * self.block_size)

    def open(self, key: Tokens, namespace: str = "", *, given: int | None = None, digest: Digest = b"") -> Lease:
        """Opens an empty table: nothing is looked up until `extend` does so, block by block (v0).

        Args:
            key: The prompt; none is fine.
            namespace: As for `begin`.
            given: Tokens that count as the prompt in hashes, if not all; the others were generated before.
            digest: Stands for the hash of the first block.
        """
        partial = self.rules.partial_sharing
        prompt = Blueprint(as_key(key), namespace, self._hasher, self.block_size, partial=partial, given=given)
        if digest:
            prompt.digests.append(digest)
        return Lease(namespace, _NOTHING, 0, self._open(prompt))

    def adopt(self, lease: Lease, token: int) -> bool:
        """Takes the known block with the hash of the one that the next token fills, if there is one.

        `extend` knows no token, and would take a block that is given back as soon as it is full. v0 knows it.

        Returns:
            Whether there was one; then `lease.slots` has one more.
        """
        table = table_of(lease)
        place, within = divmod(len(lease), self.block_size)
        if within != self.block_size - 1:
            return False
        table.hash_to(place)
        prompt, digests = table.prompt, table.digests.copy()
        self._hasher.fill(digests, [*table.tokens, token], prompt.given, prompt.namespace, place + 1)
        known = self._state.index.get(digests[place])
        if known is None:
            return False
        tick, slots = self._state.tick, self._slots([known])
        if place < len(table.blocks):
            self._do(ev.BlockReplaced(table.number, place, table.blocks[place].number, known.number, tick))
            lease.replace(len(lease) - within, slots[:within])
        else:
            self._do(ev.BlocksHit(table.number, (known.number,), table.state.tokens, tick))
        lease.append(slots[within:])
        return True

    # -- allocating ------------------------------------------------------------------------------------------------

    def _open(self, prompt: Blueprint) -> BlockTable:
        """Opens an empty table for a prompt; the clock ticks."""
        if prompt.namespace not in self._state.roots:
            self._do(ev.NamespaceOpened(self._new_id(), prompt.namespace))
        tick = self._state.tick + 1
        self._last_table += 1
        self._do(ev.TableOpened(self._last_table, prompt.namespace, tick))
        return BlockTable(self._state.tables[self._last_table], prompt, tick)

    def _allocate(self, table: BlockTable, end: int) -> list[Gone]:
        """v0: for each block of the prompt, what the index has for its hash, or a new one that enters the index."""
        gone: list[Gone] = []
        for place in range(len(table.blocks), -(-end // self.block_size)):
            digest = table.prompt.digest(place)
            hit = self._state.index.get(digest)
            if hit is not None:
                self._do(ev.BlocksHit(table.number, (hit.number,), table.state.tokens, self._state.tick))
                continue
            gone += self._take(table, 1)
            self._hash(table, place, [digest])
        return gone

    def _take(self, table: BlockTable, n: int) -> tuple[Gone, ...]:
        """Takes blocks of the queue to the end of a table; returns what they held."""
        numbers, gone = self._free_up(n, self.rules.evict)
        self._do(ev.BlocksTaken(table.number, tuple(numbers), self._state.tick))
        return gone

    def _free_up(self, n: int, why: str) -> tuple[list[int], tuple[Gone, ...]]:
        """Evicts what the next n blocks of the queue hold; returns them, still there, and what went."""
        state, nodes = self._state, self._state.nodes
        numbers = state.queue.first(n)
        victims = [nodes[number] for number in numbers if number in nodes and nodes[number].digest]
        if victims and self.rules.evict == "all":
            victims = [block for block in self._lookup.queued(state.queue) if block.digest]
            gone = self._evict(victims, why, n * self.block_size)
            return state.queue.first(n), gone
        return numbers, self._evict(victims, why, n * self.block_size)

    def _evict(self, victims: list[Block], why: str, asked: int) -> tuple[Gone, ...]:
        if not victims:
            return ()
        tick = self._state.tick
        gone = self._lookup.gone(victims)
        self._do(
            ev.BlocksEvicted(
                tuple([block.number for block in victims]),
                tuple([block.node for block in victims]),
                why,
                tuple([tick - block.last for block in victims]),
                asked,
            )
        )
        return gone

    def _copy_on_write(self, lease: Lease, table: BlockTable, start: int, seam: int) -> Update:
        """Moves a lease out of the shared block in which position `seam` lies, with what it has computed there."""
        place = seam // self.block_size
        first = place * self.block_size
        source = table.blocks[place]
        (target,), gone = self._free_up(1, self.rules.evict)
        computed = max(0, lease.computed - first)
        tick = self._state.tick
        self._do(ev.BlockCopied(table.number, place, source.number, target, computed, tick))
        old, new = self._slots([source]), self._slots([table.blocks[place]])
        copies = (Copies(old[:computed], new[:computed]),) if computed else ()
        moved = max(0, start - first)
        if not moved:
            return Update(copies=copies, evicted=gone)
        lease.replace(first, new[:moved])
        return Update(copies=copies, remaps=(Remap(first, new[:moved]),), evicted=gone)

    # -- the index -------------------------------------------------------------------------------------------------

    def _hash(self, table: BlockTable, place: int, digests: list[Digest]) -> None:
        """Lets the blocks of a table from a place on enter the index."""
        first, self._last_id = self._last_id + 1, self._last_id + len(digests)
        nodes = tuple(range(first, self._last_id + 1))
        table.made.update(nodes)
        blocks = tuple([block.number for block in table.blocks[place : place + len(digests)]])
        parent = table.digest(place - 1) if place else b""
        self._do(ev.BlocksHashed(table.number, blocks, tuple(digests), parent, nodes))

    def _register_prompt(self, table: BlockTable, end: int) -> None:
        """V1: full blocks of a prompt enter the index as soon as they are allocated."""
        start = table.registered
        if end > start:
            table.hash_to(end)
            self._hash(table, start, table.digests[start:end])
            table.registered = end

    def _register_filled(self, lease: Lease, table: BlockTable, filled: range) -> tuple[Remap, ...]:
        """Lets blocks that are full now enter the index, or does with equal ones what the rules say."""
        remaps: list[Remap] = []
        run: list[Digest] = []
        for place in filled:
            if self._enters(lease, table, place, remaps):
                run.append(table.digests[place])
            elif run:
                self._hash(table, place - len(run), run)
                run = []
        if run:
            self._hash(table, filled.stop - len(run), run)
        table.registered = max(table.registered, filled.stop)
        return tuple(remaps)

    def _enters(self, lease: Lease, table: BlockTable, place: int, remaps: list[Remap]) -> bool:
        """Says whether a full block enters the index; what else is done about an equal one, is done here."""
        block, digest = table.blocks[place], table.digests[place]
        if block.digest == digest:
            return False  # since it was allocated, or found
        dedup, other = self.rules.dedup, self._state.index.get(digest)
        if dedup == "promote" and block.refs > 1:
            return False  # whoever shares it knows it by the hash that it has
        if other is None or dedup == "none":
            return True
        if dedup == "overwrite":
            self._evict([other], "overwritten", 0)
            return True
        if other.inside:
            remaps.append(self._replace(lease, table, place, other))
        return False

    def _replace(self, lease: Lease, table: BlockTable, place: int, other: Block) -> Remap:
        old = table.blocks[place]
        self._do(ev.BlockReplaced(table.number, place, old.number, other.number, self._state.tick))
        start = place * self.block_size
        slots = self._slots([other])[: len(lease) - start]
        lease.replace(start, slots)
        return Remap(start, slots)

    # -- the end of a lease ----------------------------------------------------------------------------------------

    def _note_uncached(self, lease: Lease, table: BlockTable, uncached: Key) -> None:
        whole = lease.computed // self.block_size
        last = table.blocks[whole - 1] if whole else None
        tail = as_key(table.tokens[whole * self.block_size : lease.computed]) + uncached
        if last is not None and last.inside and tail:
            self._do(ev.Sampled(last.node, tail))

    def _own(self, table: BlockTable) -> list[Block]:
        """The nodes that only this lease made and has, and from which nobody else's hang; the last one first."""
        self._state.tree()
        own: dict[int, Block] = {}  # by node
        for block in reversed(table.blocks):
            mine = block.node in table.made and block.inside and block.refs == 1
            if mine and own.keys() >= block.below.keys():
                own[block.node] = block
        return list(own.values())

    # -- help ------------------------------------------------------------------------------------------------------

    def _do(self, event: ev.Event) -> None:
        """Carries out a decision, and writes it down. Nothing else changes the blocks."""
        self._state.apply(event)
        if self._events is not None:
            self._events.append(event)

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _slots(self, blocks: list[Block]) -> Int32Array:
        """Returns the slots of some blocks, one after another."""
        if not blocks:
            return _NOTHING
        size, first = self.block_size, self._state.first
        starts: Int32Array = np.array([(block.number - first) * size + 1 for block in blocks], dtype=np.int32)
        if size == 1:
            return starts
        return np.add.outer(starts, np.arange(size, dtype=np.int32)).reshape(-1).astype(np.int32, copy=False)
