"""vLLM's v0 names over hash blocks, so that who knows `vllm/core/block_manager_v1.py` (0.4 to 0.6.3) can step along.

    >>> manager = BlockSpaceManagerV1(block_size=4, num_gpu_blocks=20, preset="vllm-0.6.3")
    >>> seq = Sequence(0, range(10), block_size=4)
    >>> group = SequenceGroup("request", [seq])
    >>> manager.can_allocate(group)
    <AllocStatus.OK: 1>
    >>> manager.allocate(group)     # for each block: hash_of_block, gpu_allocator.allocate
    >>> manager.get_block_table(seq)
    [0, 1, 2]
    >>> manager.get_common_computed_block_ids([seq])    # what a prefill skips
    []
    >>> manager.mark_blocks_as_computed(group)          # at the end of a schedule
    >>> seq.append_token_id(7)
    >>> manager.append_slots(seq)                       # a decode step: pairs of blocks to copy
    []

The names and what they do are those of the vLLM project (https://github.com/vllm-project/vllm, Apache-2.0); the code is
this project's, and no text of theirs. It decides little: blocks, hashes, index, evictor and events are those of
`HashBlockCache`, in which a sequence is a lease and a block is shown as it is. docs/hash-blocks.md walks through it.

Left out: blocks on a CPU and swapping, sliding windows, encoder-decoder models, lookahead slots and the allocator
without caching. Knows no scheduler: who calls it says what runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Row
from enum import Enum, auto
from itertools import takewhile

from .block_forest import Block
from .block_table import table_of
from .hash_blocks import HashBlockCache
from .hashing import PrefixHasher, lora_id, number_digest
from .leases import Lease, NoRoom
from .presets import BlockRules, rules_named
from .snapshots import Snapshot

DEFAULT_PRESET = "vllm-0.6.3"


class AllocStatus(Enum):
    """Whether a group can be allocated: now, later, or in no state of the pool."""

    OK = auto()
    LATER = auto()
    NEVER = auto()


class SequenceStatus(Enum):
    """Where a sequence is in its life."""

    WAITING = auto()
    RUNNING = auto()
    FINISHED_STOPPED = auto()
    FINISHED_LENGTH_CAPPED = auto()
    FINISHED_ABORTED = auto()
    FINISHED_IGNORED = auto()

    @property
    def is_finished(self) -> bool:
        """Whether it is over."""
        return self.name.startswith("FINISHED")


class Sequence:
    """The tokens of one sample, and the hashes of its blocks.

    Args:
        seq_id: Its number, unique in a manager.
        prompt_token_ids: Its prompt.
        block_size: Tokens of a block.
        namespace: Takes the place of the LoRA id, which is part of every hash.
        preset: The release that hashes; the manager's.

    Raises:
        ValueError: an empty prompt, or a preset that is none of v0.
    """

    def __init__(
        self,
        seq_id: int,
        prompt_token_ids: Iterable[int],
        block_size: int,
        namespace: str = "",
        preset: str = DEFAULT_PRESET,
    ) -> None:
        self.seq_id = seq_id
        self.prompt_token_ids = tuple(prompt_token_ids)
        self.output_token_ids: list[int] = []
        self.block_size = block_size
        self.namespace = namespace
        self.preset = preset
        self.status = SequenceStatus.WAITING
        self.num_computed_tokens = 0
        if not self.prompt_token_ids:
            raise ValueError("an empty prompt cannot begin a sequence")
        self._hasher = PrefixHasher(block_size, split=_v0_rules(preset).hash_rule == "v0-split")

    def __repr__(self) -> str:
        return f"Sequence({self.seq_id}, {self.status.name}, {self.n_blocks} blocks)"

    @property
    def n_blocks(self) -> int:
        """Blocks of all its tokens, the last one perhaps not full."""
        return -(-self.get_len() // self.block_size)

    def get_len(self) -> int:
        """Returns how many tokens it has."""
        return len(self.prompt_token_ids) + len(self.output_token_ids)

    def get_prompt_len(self) -> int:
        """Returns how many of them are its prompt."""
        return len(self.prompt_token_ids)

    def get_output_len(self) -> int:
        """Returns how many of them were generated."""
        return len(self.output_token_ids)

    def get_token_ids(self) -> list[int]:
        """Returns all its tokens."""
        return [*self.prompt_token_ids, *self.output_token_ids]

    def append_token_id(self, token_id: int) -> None:
        """Adds a generated token; its K/V needs a slot from then on."""
        self.output_token_ids.append(token_id)

    def hash_of_block(self, logical_idx: int) -> int:
        """Returns the hash of everything up to a block's end: the whole prefix every time, and the LoRA id.

        From 0.4.3 on the prefix is a pair (prompt, output), so that an answer never equals the same text in a prompt.
        """
        tokens, prompt = self.get_token_ids(), self.get_prompt_len()
        return self._hasher.hash_of_block(tokens, prompt, lora_id(self.namespace), logical_idx)

    def num_hashed_tokens_of_block(self, logical_idx: int) -> int:
        """Returns how many tokens that hash stands for, had the block all of them."""
        return (logical_idx + 1) * self.block_size

    def is_finished(self) -> bool:
        """Says whether it is over."""
        return self.status.is_finished

    def fork(self, new_seq_id: int) -> Sequence:
        """Returns another sample with the same tokens; see `BlockSpaceManagerV1.fork` for its blocks."""
        other = Sequence(new_seq_id, self.prompt_token_ids, self.block_size, self.namespace, self.preset)
        other.output_token_ids = self.output_token_ids.copy()
        other.status = self.status
        other.num_computed_tokens = self.num_computed_tokens
        return other


class SequenceGroup:
    """All samples of one prompt. It begins with one; others are forked from it once the prompt is computed.

    Args:
        request_id: Its name.
        seqs: Its sequences.
    """

    def __init__(self, request_id: str, seqs: Iterable[Sequence]) -> None:
        self.request_id = request_id
        self.seqs_dict = {seq.seq_id: seq for seq in seqs}

    def __repr__(self) -> str:
        return f"SequenceGroup({self.request_id!r}, {self.num_seqs()} sequences)"

    def get_seqs(self, status: SequenceStatus | None = None) -> list[Sequence]:
        """Returns its sequences, or those of a status."""
        return [seq for seq in self.seqs_dict.values() if status is None or seq.status == status]

    def get_unfinished_seqs(self) -> list[Sequence]:
        """Returns those that are not over."""
        return [seq for seq in self.seqs_dict.values() if not seq.is_finished()]

    def num_seqs(self, status: SequenceStatus | None = None) -> int:
        """Returns how many there are, or of a status."""
        return len(self.get_seqs(status))

    def add(self, seq: Sequence) -> None:
        """Takes a forked sequence in.

        Raises:
            ValueError: its number is taken.
        """
        if seq.seq_id in self.seqs_dict:
            raise ValueError(f"sequence {seq.seq_id} is in the group already")
        self.seqs_dict[seq.seq_id] = seq

    def update_num_computed_tokens(self, num_new_computed_tokens: int) -> None:
        """Notes, after a step, that so many more tokens of each unfinished sequence are computed."""
        for seq in self.get_unfinished_seqs():
            seq.num_computed_tokens += num_new_computed_tokens

    def is_finished(self) -> bool:
        """Says whether all its sequences are over."""
        return not self.get_unfinished_seqs()


class PhysicalTokenBlock:
    """A block of the pool, as it is whenever it is asked; two of the same number are equal."""

    __slots__ = ("_block", "block_size")

    def __init__(self, block: Block, block_size: int) -> None:
        self._block = block
        self.block_size = block_size

    @property
    def block_number(self) -> int:
        """Its place in the pool."""
        return self._block.number

    @property
    def block_hash(self) -> int | None:
        """The number by which it is found; None where vLLM has a placeholder, which nobody looks for."""
        digest = self._block.digest
        return int.from_bytes(digest, "big", signed=True) if digest else None

    @property
    def num_hashed_tokens(self) -> int:
        """How many tokens its hash stands for, or will."""
        return self._block.depth * self.block_size

    @property
    def ref_count(self) -> int:
        """How many tables have it."""
        return self._block.refs

    @property
    def last_accessed(self) -> int:
        """When it was used last, by the clock of the cache."""
        return self._block.last

    @property
    def computed(self) -> bool:
        """Whether its K/V is there, or will be when the running step ends."""
        return self._block.computed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PhysicalTokenBlock) and other._block is self._block

    def __hash__(self) -> int:
        return hash(self._block.number)

    def __repr__(self) -> str:
        return f"PhysicalTokenBlock({self.block_number}, ref_count={self.ref_count}, computed={self.computed})"


class LRUEvictor:
    """The blocks that no table has: found by their hashes until they are needed for something else.

    Args:
        cache: Whose blocks they are.
    """

    def __init__(self, cache: HashBlockCache) -> None:
        self._cache = cache

    def __contains__(self, block_hash: int) -> bool:
        return any(block.block_hash == block_hash for block in self.free_table)

    @property
    def num_blocks(self) -> int:
        """How many there are; memory that was never used is not among them."""
        return len(self._cache.state.queue.freed)

    @property
    def free_table(self) -> list[PhysicalTokenBlock]:
        """The blocks in the order in which they were freed, which is where a search for a victim starts."""
        return self._views(self._cache.state.queue.freed)

    @property
    def order(self) -> list[PhysicalTokenBlock]:
        """The blocks in the order in which they would be evicted."""
        freed = set(self._cache.state.queue.freed)
        return self._views(number for number in self._cache.state.queue if number in freed)

    def _views(self, numbers: Iterable[int]) -> list[PhysicalTokenBlock]:
        blocks = self._cache.state.nodes
        return [PhysicalTokenBlock(blocks[number], self._cache.block_size) for number in numbers]


class CachedBlockAllocator:
    """Gives out blocks by their hashes.

    Args:
        cache: Whose blocks it gives out.
    """

    def __init__(self, cache: HashBlockCache) -> None:
        self._cache = cache
        self._own: dict[int, list[Lease]] = {}  # blocks that are in no sequence's table, by number
        self.num_blocks = cache.capacity // cache.block_size
        self.block_size = cache.block_size
        self.evictor = LRUEvictor(cache)
        self.queries = 0
        self.hits = 0

    def allocate(
        self, block_hash: int | None = None, num_hashed_tokens: int = 0, table: Lease | None = None
    ) -> PhysicalTokenBlock:
        """Returns the block of that hash, from a table or from the evictor; else a new one, which has it from now on.

        A new one is one that was never used, or else what the evictor chooses.

        Args:
            block_hash: None: nobody shall find it.
            num_hashed_tokens: What the hash stands for; of equal last use, those of more are evicted first.
            table: The table that it goes to the end of. Without, it has one of its own, until `free`.

        Raises:
            ValueError: no block is free; a block without a table stands for more than its own tokens; or the hash is
                not that of the block that comes next in the table.
        """
        if not self.get_num_free_blocks() and (block_hash is None or not self.contains_block(block_hash)):
            raise ValueError("no block is free: free a sequence, or ask can_allocate first")
        if table is None:
            return self._allocate_alone(block_hash, num_hashed_tokens)
        prompt = table_of(table).prompt
        place = len(table) // self.block_size
        if block_hash is None or number_digest(block_hash) != prompt.digest(place):
            raise ValueError(f"block {place} of the table has another hash")
        self._count(block_hash)
        self._cache.extend(table, min(self.block_size, prompt.size - len(table)))
        return self._last_of(table)

    def _allocate_alone(self, block_hash: int | None, num_hashed_tokens: int) -> PhysicalTokenBlock:
        if num_hashed_tokens not in (0, self.block_size):
            raise ValueError("outside of a table a block is the first: its hash stands for one block of tokens")
        self._count(block_hash)
        if block_hash is None:
            lease = self._cache.open(())
        else:
            lease = self._cache.open([0] * self.block_size, digest=number_digest(block_hash))
        self._cache.extend(lease, self.block_size)
        block = self._last_of(lease)
        self._own.setdefault(block.block_number, []).append(lease)
        return block

    def free(self, block: PhysicalTokenBlock) -> None:
        """Takes one reference back that `allocate` gave outside of a table.

        Raises:
            ValueError: there is none.
        """
        leases = self._own.get(block.block_number)
        if not leases:
            raise ValueError(f"block {block.block_number} is not held outside of tables: free its sequence")
        self._cache.finish(leases.pop())
        if not leases:
            del self._own[block.block_number]

    def contains_block(self, block_hash: int) -> bool:
        """Says whether a block with that hash is there, in a table or in the evictor."""
        return number_digest(block_hash) in self._cache.state.index

    @property
    def cached_blocks(self) -> dict[int, PhysicalTokenBlock]:
        """The hashed blocks that are in tables, by their hashes."""
        blocks = (PhysicalTokenBlock(block, self.block_size) for block in self._cache.state.index.values())
        return {block.block_hash: block for block in blocks if block.ref_count and block.block_hash is not None}

    def get_num_free_blocks(self) -> int:
        """Returns how many blocks can be had: those never used, and those in the evictor."""
        return len(self._cache.state.queue)

    def get_num_total_blocks(self) -> int:
        """Returns how many blocks the pool has."""
        return self.num_blocks

    def get_prefix_cache_hit_rate(self) -> float:
        """Returns what part of all allocations found their hash; -1 before the first (0.6.3)."""
        return self.hits / self.queries if self.queries else -1.0

    def _count(self, block_hash: int | None) -> None:
        self.queries += 1
        self.hits += block_hash is not None and self.contains_block(block_hash)

    def _last_of(self, lease: Lease) -> PhysicalTokenBlock:
        return PhysicalTokenBlock(table_of(lease).blocks[-1], self.block_size)


class BlockSpaceManagerV1:
    """Which blocks every sequence has.

    Args:
        block_size: Tokens of a block.
        num_gpu_blocks: Blocks of the pool.
        enable_caching: True; there for calls that say so.
        watermark: Part of the pool that an allocation leaves free.
        preset: vllm-0.4.2, vllm-0.5.4 or vllm-0.6.3.

    Attributes:
        cache: The cache beneath: its snapshots and events show what happened.
        gpu_allocator: Gives out its blocks.

    Raises:
        ValueError: caching is off, or the preset is none of v0.
    """

    def __init__(
        self,
        block_size: int,
        num_gpu_blocks: int,
        enable_caching: bool = True,
        watermark: float = 0.01,
        preset: str = DEFAULT_PRESET,
    ) -> None:
        if not enable_caching:
            raise ValueError("only the caching path is here: NoCache is a cache that finds nothing")
        self.block_size = block_size
        self.num_total_gpu_blocks = num_gpu_blocks
        self.watermark_blocks = int(watermark * num_gpu_blocks)
        self.cache = HashBlockCache(block_size * num_gpu_blocks, rules=_v0_rules(preset), block_size=block_size)
        self.gpu_allocator = CachedBlockAllocator(self.cache)
        self._tables: dict[int, Lease] = {}

    # -- allocating ------------------------------------------------------------------------------------------------

    def can_allocate(self, seq_group: SequenceGroup) -> AllocStatus:
        """Says whether a waiting group has room. All its blocks count as needed, those that it will find, too."""
        needed = self._first_waiting(seq_group).n_blocks
        if self.num_total_gpu_blocks - needed < self.watermark_blocks:
            return AllocStatus.NEVER
        if self.get_num_free_gpu_blocks() - needed >= self.watermark_blocks:
            return AllocStatus.OK
        return AllocStatus.LATER

    def allocate(self, seq_group: SequenceGroup) -> None:
        """Gives the waiting sequence of a group its blocks, in order, whether or not the one before was found.

        They can be found from now on, although nothing is computed yet; `computed` is a flag of its own.

        Raises:
            ValueError: too few blocks are free; the sequence has a table, or another block size or preset; or several
                wait, to which vLLM gives one reference in all. No table was made.
        """
        if seq_group.num_seqs(SequenceStatus.WAITING) > 1:
            raise ValueError("a group begins with one waiting sequence: fork the others from it")
        seq = self._first_waiting(seq_group)
        if seq.seq_id in self._tables:
            raise ValueError(f"sequence {seq.seq_id} has a table already")
        if seq.block_size != self.block_size:
            raise ValueError(f"the sequence has blocks of {seq.block_size} tokens, the manager of {self.block_size}")
        if seq.preset != self.cache.rules.name:
            raise ValueError(f"the sequence hashes as {seq.preset}, the manager as {self.cache.rules.name}")
        tokens = seq.get_token_ids()
        table = self.cache.open(tokens, seq.namespace, given=seq.get_prompt_len())
        try:
            self.cache.check_room(table, len(tokens))
        except NoRoom:
            self.cache.finish(table)
            raise ValueError(f"{seq.n_blocks} blocks are not free: ask can_allocate first") from None
        for logical_idx in range(seq.n_blocks):
            block_hash = seq.hash_of_block(logical_idx)
            self.gpu_allocator.allocate(block_hash, seq.num_hashed_tokens_of_block(logical_idx), table)
        self.cache.fill(table, tokens)
        self._tables[seq.seq_id] = table

    def can_append_slots(self, seq_group: SequenceGroup) -> bool:
        """Says whether every running sequence could get a block."""
        return seq_group.num_seqs(SequenceStatus.RUNNING) <= self.get_num_free_gpu_blocks()

    def append_slots(self, seq: Sequence) -> list[tuple[int, int]]:
        """Makes room for the tokens that a sequence got since; called in every decode step, before it is computed.

        A last block that others have, too, is left to them: the sequence goes on in another (copy-on-write). A block
        that gets full is known by its content from now on, or gives way to one that is known by it (promotion).

        Returns:
            Pairs (old, new) of blocks to copy; one at most.

        Raises:
            ValueError: no block is free; the tokens before have theirs.
        """
        table = self._tables[seq.seq_id]
        tokens = seq.get_token_ids()[len(table) :]
        copied: list[tuple[int, int]] = []
        for token in tokens:
            blocks = table_of(table).blocks
            before = [block.number for block in blocks]
            place = len(table) // self.block_size
            shared = place < len(blocks) and blocks[place].refs > 1
            known = (shared or place == len(blocks)) and self.cache.adopt(table, token)
            if not known:
                try:
                    self.cache.extend(table, 1)
                except NoRoom:
                    raise ValueError("no block is free: preempt a sequence, or ask can_append_slots first") from None
            if shared:
                copied.append((before[place], table_of(table).blocks[place].number))
            if shared or place == len(before):
                self.gpu_allocator.queries += 1
                self.gpu_allocator.hits += known
            self.cache.fill(table, [token])
        return copied

    def fork(self, parent_seq: Sequence, child_seq: Sequence) -> None:
        """Gives a child its parent's blocks; each has one reference more, and nothing is allocated."""
        self._tables[child_seq.seq_id] = self.cache.fork(self._tables[parent_seq.seq_id])

    def free(self, seq: Sequence) -> None:
        """Gives back a sequence's blocks; nothing happens when it has none."""
        table = self._tables.pop(seq.seq_id, None)
        if table is not None:
            self.cache.finish(table)

    def reset(self) -> None:
        """Frees every sequence; what is cached stays."""
        for table in self._tables.values():
            self.cache.finish(table)
        self._tables.clear()

    # -- what is computed ------------------------------------------------------------------------------------------

    def access_all_blocks_in_seq(self, seq: Sequence, access_time: int) -> None:
        """Stamps a running sequence's blocks as used; the times of a whole run shall not go back."""
        self.cache.access(self._tables[seq.seq_id], access_time)

    def compute_full_blocks_in_seq(self, seq: Sequence, token_chunk_size: int | None = None) -> None:
        """Marks its full blocks as computed: those of the tokens before and of a chunk, all by default.

        Up to 0.5.4 there were no chunks here, and one block too few is marked.
        """
        table = self._tables[seq.seq_id]
        tokens = len(table)
        if token_chunk_size is not None and self.cache.rules.computed_gate == "flag":
            tokens = min(tokens, seq.num_computed_tokens + token_chunk_size)
        self.cache.mark_computed(table, tokens)

    def mark_blocks_as_computed(self, seq_group: SequenceGroup, token_chunk_size: int | None = None) -> None:
        """Does so for a scheduled group, just before the step that computes it."""
        for seq in seq_group.get_unfinished_seqs():
            if seq.seq_id in self._tables:
                self.compute_full_blocks_in_seq(seq, token_chunk_size)

    def get_all_computed_blocks(self, seq: Sequence) -> list[int]:
        """Returns its first blocks up to the first that is not computed; never the last, so that a token runs."""
        blocks = self._blocks(seq)[:-1]
        return [block.block_number for block in takewhile(lambda block: block.computed, blocks)]

    def get_common_computed_block_ids(self, seqs: Row[Sequence]) -> list[int]:
        """Returns the blocks that a prefill skips: what the sequences that have any have in common."""
        computed = [ids for ids in map(self.get_all_computed_blocks, seqs) if ids]
        if not computed:
            return []
        same = takewhile(lambda each: len(set(each)) == 1, zip(*computed, strict=False))
        return [each[0] for each in same]

    def get_prefix_cache_hit_rate(self) -> float:
        """See `CachedBlockAllocator.get_prefix_cache_hit_rate`."""
        return self.gpu_allocator.get_prefix_cache_hit_rate()

    # -- looking ---------------------------------------------------------------------------------------------------

    def get_block_table(self, seq: Sequence) -> list[int]:
        """Returns the numbers of its blocks; KeyError when it has none."""
        return [block.block_number for block in self._blocks(seq)]

    @property
    def block_tables(self) -> dict[int, list[PhysicalTokenBlock]]:
        """The blocks of every sequence, by its number."""
        return {seq_id: self._views(table) for seq_id, table in self._tables.items()}

    def get_num_free_gpu_blocks(self) -> int:
        """Returns how many blocks can be had."""
        return self.gpu_allocator.get_num_free_blocks()

    def snapshot(self) -> Snapshot:
        """Returns the state of this moment, which can be drawn as that of any cache."""
        return self.cache.snapshot()

    def check_integrity(self) -> None:
        """Raises AssertionError unless every invariant holds."""
        own = (lease for leases in self.gpu_allocator._own.values() for lease in leases)
        self.cache.check_integrity([*self._tables.values(), *own])

    def _blocks(self, seq: Sequence) -> list[PhysicalTokenBlock]:
        return self._views(self._tables[seq.seq_id])

    def _views(self, table: Lease) -> list[PhysicalTokenBlock]:
        return [PhysicalTokenBlock(block, self.block_size) for block in table_of(table).blocks]

    def _first_waiting(self, seq_group: SequenceGroup) -> Sequence:
        waiting = seq_group.get_seqs(SequenceStatus.WAITING)
        if not waiting:
            raise ValueError(f"{seq_group} has no waiting sequence")
        return waiting[0]


def _v0_rules(preset: str) -> BlockRules:
    rules = rules_named(preset)
    if rules.hash_rule == "chain":
        raise ValueError(f"{preset} is no release of v0: choose vllm-0.4.2, vllm-0.5.4 or vllm-0.6.3")
    return rules
