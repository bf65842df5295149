"""vLLM's v0 names: what its own tests ask of a block manager, the measured cases, and the rules as they are described.

`Described` is a second implementation of those rules, as short as they can be said and with placeholders for hashes; on
random requests the manager must give the same block numbers, references, flags and victims.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import takewhile

import pytest

from radixchat.radix import HashBlockCache
from radixchat.radix.recording import Header, Recorder
from radixchat.radix.vllm_v0 import (
    AllocStatus,
    BlockSpaceManagerV1,
    CachedBlockAllocator,
    Sequence,
    SequenceGroup,
    SequenceStatus,
)

PRESETS = ["vllm-0.4.2", "vllm-0.5.4", "vllm-0.6.3"]

Manager = BlockSpaceManagerV1


def group_of(number: int, prompt: list[int], manager: Manager, namespace: str = "") -> tuple[Sequence, SequenceGroup]:
    seq = Sequence(number, prompt, manager.block_size, namespace, manager.cache.rules.name)
    return seq, SequenceGroup(str(number), [seq])


def prefill(manager: Manager, number: int, prompt: list[int], namespace: str = "") -> tuple[Sequence, SequenceGroup]:
    """Allocates and schedules a prompt; its K/V counts as computed from then on."""
    seq, group = group_of(number, prompt, manager, namespace)
    assert manager.can_allocate(group) is AllocStatus.OK
    manager.allocate(group)
    seq.status = SequenceStatus.RUNNING
    manager.mark_blocks_as_computed(group, seq.get_len())
    group.update_num_computed_tokens(seq.get_len())
    manager.check_integrity()
    return seq, group


def decode(manager: Manager, seq: Sequence, tokens: list[int]) -> list[tuple[int, int]]:
    copied = []
    for token in tokens:
        seq.append_token_id(token)
        copied += manager.append_slots(seq)
        manager.compute_full_blocks_in_seq(seq, 1)
        seq.num_computed_tokens += 1
        manager.check_integrity()
    return copied


# -- the walk of docs/hash-blocks.md and the measured cases ------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "hits", "mapped"), [("vllm-0.4.2", [0, 1, 3], 4), ("vllm-0.5.4", [0, 1], 6), ("vllm-0.6.3", [0, 1], 6)]
)
def test_the_next_turn_finds_an_answer_only_before_the_split_hash(preset: str, hits: list[int], mapped: int) -> None:
    """10 tokens of prompt, twice; the first says 8 and goes on with 5. Blocks of 4."""
    manager = Manager(4, 20, preset=preset)
    prompt, answer = list(range(10)), list(range(50, 58))
    first, _ = prefill(manager, 1, prompt)
    second, _ = prefill(manager, 2, prompt)
    assert manager.get_block_table(first) == manager.get_block_table(second) == [0, 1, 2]
    assert decode(manager, first, answer) == [(2, 3)]
    assert manager.get_block_table(first) == [0, 1, 3, 4, 5]
    manager.free(first)
    turn, group = group_of(3, [*prompt, *answer, 90, 91, 92, 93, 94], manager)
    manager.allocate(group)
    assert manager.get_common_computed_block_ids([turn]) == hits
    assert manager.get_block_table(turn)[len(hits)] == mapped
    manager.free(second)
    manager.check_integrity()


@pytest.mark.parametrize(("preset", "hits"), [("vllm-0.4.2", [0]), ("vllm-0.5.4", [0]), ("vllm-0.6.3", [0, 1])])
def test_the_same_prompt_again(preset: str, hits: list[int]) -> None:
    """All blocks are in its table, the last one not full; how many count differs."""
    manager = Manager(4, 20, preset=preset)
    first, _ = prefill(manager, 1, list(range(10)))
    manager.free(first)
    again, group = group_of(2, list(range(10)), manager)
    manager.allocate(group)
    assert manager.get_block_table(again) == [0, 1, 2]
    assert manager.get_common_computed_block_ids([again]) == hits
    assert manager.get_prefix_cache_hit_rate() == 0.5


def test_it_goes_by_the_same_objects_as_a_hash_block_cache() -> None:
    """Prompts one after another: the same tables, whichever of the two allocates; and its events replay."""
    chance = random.Random(5)
    manager, cache = Manager(4, 9), HashBlockCache(36, preset="vllm-0.6.3", block_size=4)
    recorder = Recorder(Header(manager.cache.config, cache="hash"), lambda token: b"w%d " % token)
    for number in range(60):
        prompt = [chance.randrange(2) for _ in range(chance.randint(1, 30))]
        seq, _ = prefill(manager, number, prompt)
        lease = cache.begin(prompt)
        hits = lease.computed // 4
        table = manager.get_block_table(seq)
        cache.extend(lease, len(prompt) - len(lease))
        assert table == [(slot - 1) // 4 for slot in lease.slots[::4].tolist()]
        cache.commit(lease, prompt[lease.computed :])
        assert manager.get_common_computed_block_ids([seq])[:hits] == table[:hits]
        cache.finish(lease)
        manager.free(seq)
        recorder.add(manager.cache.take_events())
        assert recorder.snapshot() == manager.snapshot()
        assert [block.block_number for block in manager.gpu_allocator.evictor.order] == [
            number for number in manager.snapshot().blocks.queue if number in manager.cache.state.nodes
        ]


# -- allocating: what vLLM's own tests ask -----------------------------------------------------------------------------


def test_allocates_until_nothing_is_left() -> None:
    """And frees what it gave; a freed sequence has no table."""
    manager = Manager(4, 4, watermark=0)
    seqs = []
    for number in range(4):
        seq, group = group_of(number, [number] * 4, manager)
        assert manager.can_allocate(group) is AllocStatus.OK
        manager.allocate(group)
        seqs.append(seq)
        assert manager.get_num_free_gpu_blocks() == 3 - number
    late, group = group_of(9, [9], manager)
    assert manager.can_allocate(group) is AllocStatus.LATER
    before = manager.snapshot()
    with pytest.raises(ValueError, match="1 blocks are not free: ask can_allocate"):
        manager.allocate(group)
    assert manager.snapshot().blocks == before.blocks
    manager.free(seqs[1])
    with pytest.raises(KeyError):
        manager.get_block_table(seqs[1])
    manager.free(seqs[1])  # again: nothing
    manager.allocate(group)
    assert manager.get_block_table(late) == [1]
    manager.reset()
    assert manager.get_num_free_gpu_blocks() == 4 and manager.block_tables == {}
    manager.check_integrity()


def test_the_watermark_stays_free_and_blocks_that_would_be_found_count_too() -> None:
    """10 % of 20 blocks: 18 fit, 19 never will; and a prompt that is all there waits although it needs nothing."""
    manager = Manager(1, 20, watermark=0.1)
    assert manager.watermark_blocks == 2
    assert manager.can_allocate(group_of(0, list(range(19)), manager)[1]) is AllocStatus.NEVER
    prefill(manager, 1, list(range(10)))
    assert manager.can_allocate(group_of(2, list(range(8)), manager)[1]) is AllocStatus.OK
    assert manager.can_allocate(group_of(3, list(range(10)), manager)[1]) is AllocStatus.LATER


def test_appends_one_block_when_the_last_is_full() -> None:
    """Nothing to append: nothing. Four tokens: one block, which has a hash only when it is full."""
    manager = Manager(4, 8)
    seq, _ = prefill(manager, 1, [1, 2, 3, 4])
    assert manager.append_slots(seq) == [] and manager.get_num_free_gpu_blocks() == 7
    for token in (5, 6, 7):
        assert decode(manager, seq, [token]) == []
        assert manager.block_tables[1][1].block_hash is None
    decode(manager, seq, [8])
    assert manager.block_tables[1][1].block_hash == seq.hash_of_block(1)
    assert manager.get_num_free_gpu_blocks() == 6
    assert manager.gpu_allocator.contains_block(seq.hash_of_block(1))
    assert [block.num_hashed_tokens for block in manager.block_tables[1]] == [4, 8]


def test_copy_on_write_takes_exactly_one_block() -> None:
    """Three of four slots are used; the child writes the fourth into a copy, the parent in place."""
    manager = Manager(4, 8)
    parent, group = prefill(manager, 1, [1, 2, 3])
    child = parent.fork(2)
    group.add(child)
    child.append_token_id(7)
    parent.append_token_id(8)
    manager.fork(parent, child)
    free = manager.get_num_free_gpu_blocks()
    assert manager.block_tables[1][0].ref_count == 2
    assert manager.append_slots(child) == [(0, 1)]
    assert manager.get_num_free_gpu_blocks() == free - 1
    assert manager.append_slots(parent) == []
    assert (manager.get_block_table(parent), manager.get_block_table(child)) == ([0], [1])
    manager.mark_blocks_as_computed(group)
    manager.check_integrity()


def test_an_append_without_room_changes_nothing() -> None:
    """Neither where a block begins nor where one is copied; it succeeds when another sequence has gone."""
    manager = Manager(2, 3, watermark=0)
    parent, group = prefill(manager, 1, [1, 2, 3])
    other, _ = prefill(manager, 2, [7])
    child = parent.fork(3)
    group.add(child)
    manager.fork(parent, child)
    assert not manager.can_append_slots(group)
    child.append_token_id(4)
    before = manager.snapshot()
    for _ in range(2):
        with pytest.raises(ValueError, match="ask can_append_slots first"):
            manager.append_slots(child)
        manager.check_integrity()
        assert manager.snapshot() == before
    manager.free(other)
    assert manager.append_slots(child) == [(1, 2)]
    for token in (5, 6):
        parent.append_token_id(token)
    with pytest.raises(ValueError, match="preempt a sequence"):
        manager.append_slots(parent)
    assert manager.get_block_table(parent) == [0, 1]
    manager.free(child)
    assert manager.append_slots(parent) == []
    assert manager.get_block_table(parent) == [0, 1, 2]
    manager.check_integrity()


def test_a_fork_diverges_and_shares_the_rest() -> None:
    """Full blocks stay shared; the parent may end first; what is left is freed with the child."""
    manager = Manager(4, 12)
    parent, group = prefill(manager, 1, list(range(6)))
    child = parent.fork(2)
    group.add(child)
    manager.fork(parent, child)
    assert [block.ref_count for block in manager.block_tables[1]] == [2, 2]
    assert decode(manager, parent, [50, 51]) == [(1, 2)]
    assert decode(manager, child, [60, 61, 62]) == []
    assert (manager.get_block_table(parent), manager.get_block_table(child)) == ([0, 2], [0, 1, 3])
    assert manager.get_common_computed_block_ids([parent, child]) == [0]
    parent.status = SequenceStatus.FINISHED_STOPPED
    manager.free(parent)
    assert group.get_unfinished_seqs() == [child] and not group.is_finished()
    assert [block.ref_count for block in manager.block_tables[2]] == [1, 1, 1]
    manager.free(child)
    assert manager.get_num_free_gpu_blocks() == 12
    manager.check_integrity()


def test_samples_that_say_the_same_share_it_again() -> None:
    """Promotion; and where the copied block would be filled at once, no block is taken for it."""
    manager = Manager(4, 12)
    parent, group = prefill(manager, 1, list(range(7)))
    child = parent.fork(2)
    group.add(child)
    manager.fork(parent, child)
    assert decode(manager, parent, [7]) == [(1, 2)]
    free = manager.get_num_free_gpu_blocks()
    assert decode(manager, child, [7]) == []  # alone in block 1 by now: promoted
    assert (manager.get_block_table(child), manager.get_num_free_gpu_blocks()) == ([0, 2], free + 1)
    third, fourth = parent.fork(3), child.fork(4)
    manager.fork(parent, third)
    manager.fork(child, fourth)
    assert decode(manager, third, [8, 9, 10]) == decode(manager, fourth, [8, 9]) == []
    fifth = fourth.fork(5)
    manager.fork(fourth, fifth)
    decode(manager, third, [11])
    decode(manager, fourth, [10])
    decode(manager, fifth, [10])
    free = manager.get_num_free_gpu_blocks()
    sixth = fifth.fork(6)
    manager.fork(fifth, sixth)
    known = manager.get_block_table(third)[2]
    assert decode(manager, sixth, [11]) == [(manager.get_block_table(fifth)[2], known)]
    assert manager.get_num_free_gpu_blocks() == free
    assert manager.get_block_table(sixth)[2] == known


@pytest.mark.parametrize("preset", PRESETS)
def test_nothing_is_shared_across_namespaces(preset: str) -> None:
    """As with LoRA ids, which are part of every hash."""
    manager = Manager(2, 12, preset=preset)
    tables = []
    for number, namespace in enumerate(["", "a", "b", "a"]):
        seq, _ = prefill(manager, number, [1, 2, 3], namespace)
        tables.append(manager.get_block_table(seq))
    assert tables == [[0, 1], [2, 3], [4, 5], [2, 3]]


def test_chunks_mark_what_they_compute() -> None:
    """0.6.3; before that there were no chunks here."""
    manager = Manager(4, 12)
    seq, group = group_of(1, list(range(16)), manager)
    manager.allocate(group)
    found = []
    for chunk in (6, 6, 4):
        manager.mark_blocks_as_computed(group, chunk)
        group.update_num_computed_tokens(chunk)
        found.append(manager.get_all_computed_blocks(seq))
    assert found == [[0], [0, 1, 2], [0, 1, 2]]
    assert manager.block_tables[1][3].computed  # but the last block never counts


def test_what_the_group_skips_is_common_to_its_sequences() -> None:
    """Sequences without any do not count."""
    manager = Manager(2, 12)
    one, _ = prefill(manager, 1, [1, 2, 3, 4, 5, 6])
    two, _ = prefill(manager, 2, [1, 2, 3, 4, 8, 8])
    short, _ = prefill(manager, 3, [1])
    assert manager.get_common_computed_block_ids([one, two, short]) == [0, 1]
    assert manager.get_common_computed_block_ids([short]) == []


def test_a_preempted_sequence_finds_its_own_answer_again() -> None:
    """It waits and is allocated again, prompt and answer; what is generated later is hashed as before."""
    for preset in PRESETS:
        manager = Manager(2, 12, preset=preset)
        seq, group = prefill(manager, 1, [1, 2, 3])
        decode(manager, seq, [4, 5, 6])
        table = manager.get_block_table(seq)
        manager.free(seq)
        seq.status = SequenceStatus.WAITING
        manager.allocate(group)
        assert manager.get_block_table(seq) == table
        decode(manager, seq, [7, 8])
        assert manager.block_tables[1][3].block_hash == seq.hash_of_block(3)


# -- the allocator by itself -------------------------------------------------------------------------------------------


def test_two_allocations_of_a_hash_are_one_block() -> None:
    """Two references; freed twice, it is found in the evictor, with its hash; freed once more, nobody has it."""
    allocator = Manager(16, 4).gpu_allocator
    first, second = allocator.allocate(1, 0), allocator.allocate(1, 0)
    assert first == second and second.ref_count == 2 and allocator.get_prefix_cache_hit_rate() == 0.5
    allocator.free(first)
    assert second.ref_count == 1 and 1 in allocator.cached_blocks
    allocator.free(second)
    assert 1 in allocator.evictor and allocator.cached_blocks == {} and allocator.evictor.num_blocks == 1
    assert allocator.allocate(1, 0) == first and first.block_hash == 1
    assert -1 not in allocator.evictor
    allocator.free(first)
    with pytest.raises(ValueError, match="not held outside of tables"):
        allocator.free(first)


def test_the_allocator_evicts_what_was_freed_first() -> None:
    """A block that was taken back meanwhile is not among them, and nobody finds what was evicted."""
    manager = Manager(4, 4)
    allocator = manager.gpu_allocator
    blocks = [allocator.allocate(number) for number in range(4)]
    with pytest.raises(ValueError, match="no block is free"):
        allocator.allocate(100)
    assert allocator.allocate(2) == blocks[2]
    allocator.free(blocks[2])
    for block in blocks:
        allocator.free(block)
    assert allocator.allocate(1) == blocks[1]
    assert allocator.allocate(100) == blocks[0] and blocks[0].block_hash == 100
    assert allocator.allocate() == blocks[2] and blocks[2].block_hash is None
    assert [allocator.contains_block(number) for number in (0, 1, 2, 3)] == [False, True, False, True]
    manager.check_integrity()


def test_what_is_wrong_is_said() -> None:
    """Presets of V1, caching switched off, other blocks, other hashes, groups of two and of none that wait."""
    with pytest.raises(ValueError, match=r"vllm-0\.33 is no release of v0"):
        Manager(4, 4, preset="vllm-0.33")
    with pytest.raises(ValueError, match=r"vllm-0\.11 is no release of v0"):
        Sequence(1, [1], 4, preset="vllm-0.11")
    with pytest.raises(ValueError, match="empty prompt"):
        Sequence(1, [], 4)
    with pytest.raises(ValueError, match="NoCache"):
        Manager(4, 4, enable_caching=False)
    manager = Manager(4, 8)
    with pytest.raises(ValueError, match="blocks of 8 tokens, the manager of 4"):
        manager.allocate(SequenceGroup("a", [Sequence(1, [1], 8)]))
    with pytest.raises(ValueError, match=r"hashes as vllm-0\.4\.2, the manager as vllm-0\.6\.3"):
        manager.allocate(SequenceGroup("a", [Sequence(1, [1], 4, preset="vllm-0.4.2")]))
    with pytest.raises(ValueError, match="one waiting sequence"):
        manager.allocate(SequenceGroup("a", [Sequence(1, [1], 4), Sequence(2, [1], 4)]))
    seq, group = prefill(manager, 1, [1])
    with pytest.raises(ValueError, match="no waiting sequence"):
        manager.allocate(group)
    seq.status = SequenceStatus.WAITING
    with pytest.raises(ValueError, match="has a table already"):
        manager.allocate(group)
    with pytest.raises(ValueError, match="in the group already"):
        group.add(seq.fork(1))
    table = manager.cache.open([1, 2])
    with pytest.raises(ValueError, match="block 0 of the table has another hash"):
        manager.gpu_allocator.allocate(7, 4, table)
    with pytest.raises(ValueError, match="outside of a table"):
        manager.gpu_allocator.allocate(7, 8)
    manager.cache.finish(table)
    manager.check_integrity()
    assert isinstance(manager.gpu_allocator, CachedBlockAllocator)


# -- against the rules as they are described ---------------------------------------------------------------------------


@dataclass(eq=False)
class Cell:
    """A block of `Described`."""

    number: int
    hash: object
    covers: int
    refs: int = 0
    last: int = -1
    computed: bool = False


@dataclass
class Described:
    """vLLM v0 by its description alone: two maps, placeholders, the evictor's scan; blocks freed last to first."""

    size: int
    total: int
    preset: str
    cached: dict[object, Cell] = field(default_factory=dict)
    free_table: OrderedDict[object, Cell] = field(default_factory=OrderedDict)
    cells: list[Cell] = field(default_factory=list)
    placeholders: int = 0
    tables: dict[int, list[Cell]] = field(default_factory=dict)

    def hash_of(self, seq: Sequence, index: int) -> object:
        end, prompt = (index + 1) * self.size, seq.prompt_token_ids
        if self.preset == "vllm-0.4.2":
            return (tuple(seq.get_token_ids()[:end]), seq.namespace)
        if end <= len(prompt):
            return (prompt[:end], None, seq.namespace)
        return (prompt, tuple(seq.output_token_ids[: end - len(prompt)]), seq.namespace)

    def take(self, wanted: object, covers: int) -> Cell:
        if wanted is None:
            wanted, self.placeholders = self.placeholders, self.placeholders + 1
        if wanted in self.free_table:
            self.cached[wanted] = self.free_table.pop(wanted)
        elif wanted not in self.cached:
            if len(self.cells) < self.total:
                cell = Cell(len(self.cells), wanted, covers)
                self.cells.append(cell)
            else:
                cell = self.evict()
                cell.hash, cell.covers, cell.computed = wanted, covers, False
            self.cached[wanted] = cell
        self.cached[wanted].refs += 1
        return self.cached[wanted]

    def order(self) -> list[int]:
        table, found = self.free_table.copy(), []
        while table:
            found.append(self.victim(table).number)
            del table[self.cells[found[-1]].hash]
        return found

    def victim(self, table: OrderedDict[object, Cell]) -> Cell:
        first, *others = table.values()
        for other in others:
            if other.last > first.last:
                break
            if other.covers > first.covers:
                first = other
        return first

    def evict(self) -> Cell:
        cell = self.victim(self.free_table)
        del self.free_table[cell.hash]
        return cell

    def give(self, cell: Cell) -> None:
        cell.refs -= 1
        if not cell.refs:
            del self.cached[cell.hash]
            self.free_table[cell.hash] = cell

    def room(self) -> int:
        return self.total - len(self.cells) + len(self.free_table)

    def allocate(self, seq: Sequence) -> None:
        self.tables[seq.seq_id] = [
            self.take(self.hash_of(seq, index), (index + 1) * self.size) for index in range(seq.n_blocks)
        ]

    def append(self, seq: Sequence) -> list[tuple[int, int]]:
        table, index = self.tables[seq.seq_id], seq.n_blocks - 1
        content = self.hash_of(seq, index) if seq.get_len() % self.size == 0 else None
        covers = (index + 1) * self.size
        if len(table) < seq.n_blocks:
            table.append(self.take(content, covers))
            return []
        last = table[-1]
        if last.refs > 1:
            table[-1] = self.take(content, covers)
            self.give(last)
            return [(last.number, table[-1].number)]
        if content is not None and (content in self.cached or content in self.free_table):
            self.give(last)
            table[-1] = self.take(content, 0)
        elif content is not None:
            self.cached[content] = self.cached.pop(last.hash)
            last.hash = content
        return []

    def fork(self, parent: Sequence, child: Sequence) -> None:
        self.tables[child.seq_id] = self.tables[parent.seq_id].copy()
        for cell in self.tables[parent.seq_id]:
            cell.refs += 1

    def free(self, seq: Sequence) -> None:
        for cell in reversed(self.tables.pop(seq.seq_id)):
            self.give(cell)

    def schedule(self, seq: Sequence, now: int) -> None:
        """What the scheduler does with a running sequence in every step: stamps it, and marks it."""
        table = self.tables[seq.seq_id]
        for cell in table:
            cell.last = now
        for cell in reversed(table[: seq.get_len() // self.size - (self.preset != "vllm-0.6.3")]):
            if cell.computed:
                break
            cell.computed = True

    def computed(self, seq: Sequence) -> list[int]:
        return [cell.number for cell in takewhile(lambda cell: cell.computed, self.tables[seq.seq_id][:-1])]


class Twin:
    """Does everything with both, and compares them after every step."""

    def __init__(self, seed: int, preset: str, size: int) -> None:
        self.chance = random.Random(seed)
        self.manager = Manager(size, self.chance.randint(3, 14), watermark=0, preset=preset)
        self.model = Described(size, self.manager.num_total_gpu_blocks, preset)
        self.groups: list[SequenceGroup] = []
        self.history: list[list[int]] = [[1, 2, 1]]
        self.seqs = 0
        self.now = 0

    @property
    def running(self) -> list[Sequence]:
        return [seq for group in self.groups for seq in group.get_seqs(SequenceStatus.RUNNING)]

    def step(self) -> None:
        chance = self.chance
        act = chance.choice([self.arrive, self.arrive, self.decode, self.decode, self.decode, self.fork, self.leave])
        if chance.random() < 0.1:
            self.preempt()
        act()
        self.now += chance.randint(0, 1)
        for group in self.groups:
            self.schedule(group)
        self.compare()

    def schedule(self, group: SequenceGroup) -> None:
        for seq in group.get_seqs(SequenceStatus.RUNNING):
            self.manager.access_all_blocks_in_seq(seq, self.now)
            self.model.schedule(seq, self.now)
        self.manager.mark_blocks_as_computed(group)

    def arrive(self) -> None:
        chance = self.chance
        earlier = chance.choice(self.history[-12:])
        prompt = earlier[: chance.choice([99, chance.randint(0, 12)])]
        prompt = prompt + [chance.randint(1, 2) for _ in range(chance.randint(0 if prompt else 1, 5))]
        self.seqs += 1
        seq, group = group_of(self.seqs, prompt, self.manager, chance.choice(["", "", "", "a"]))
        self.admit(seq, group)

    def admit(self, seq: Sequence, group: SequenceGroup) -> None:
        if self.manager.can_allocate(group) is not AllocStatus.OK:
            return
        self.manager.allocate(group)
        self.model.allocate(seq)
        assert self.manager.get_common_computed_block_ids([seq]) == self.model.computed(seq)
        seq.status = SequenceStatus.RUNNING
        self.schedule(group)
        if group not in self.groups:
            self.groups.append(group)
        self.history.append(seq.get_token_ids())

    def decode(self) -> None:
        for group in self.groups:
            for seq in group.get_seqs(SequenceStatus.RUNNING):
                if self.manager.can_append_slots(group):
                    seq.append_token_id(self.chance.randint(1, 2))
                    assert self.manager.append_slots(seq) == self.model.append(seq)
                    self.history.append(seq.get_token_ids())
                    self.compare()

    def fork(self) -> None:
        for group in self.groups[:1]:
            parent = self.chance.choice(group.get_seqs(SequenceStatus.RUNNING) or [None])
            if parent is not None and group.num_seqs() < 4:
                self.seqs += 1
                child = parent.fork(self.seqs)
                group.add(child)
                self.manager.fork(parent, child)
                self.model.fork(parent, child)

    def leave(self) -> None:
        if self.running:
            seq = self.chance.choice(self.running)
            seq.status = SequenceStatus.FINISHED_STOPPED
            self.manager.free(seq)
            self.model.free(seq)
            self.groups = [group for group in self.groups if not group.is_finished()]

    def preempt(self) -> None:
        """The youngest waits, and is allocated again if there is room; groups of several are not preempted."""
        if self.groups and self.groups[-1].num_seqs() == 1:
            (seq,) = self.groups[-1].get_seqs()
            self.manager.free(seq)
            self.model.free(seq)
            seq.status = SequenceStatus.WAITING
            group = self.groups.pop()
            self.admit(seq, group)

    def compare(self) -> None:
        manager, model = self.manager, self.model
        manager.check_integrity()
        assert manager.get_num_free_gpu_blocks() == model.room()
        assert {number: [each.block_number for each in table] for number, table in manager.block_tables.items()} == {
            number: [cell.number for cell in table] for number, table in model.tables.items()
        }
        for number, table in manager.block_tables.items():
            for block, cell in zip(table, model.tables[number], strict=True):
                assert (block.ref_count, block.computed) == (cell.refs, cell.computed), block
                assert (block.block_hash is None) == isinstance(cell.hash, int), block
                assert block.num_hashed_tokens == cell.covers, block
        assert [block.block_number for block in manager.gpu_allocator.evictor.order] == model.order()


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("preset", PRESETS)
def test_random_requests_go_as_described(preset: str, size: int) -> None:
    """Block numbers, references, flags, copies, what is found and who would be evicted, after every operation."""
    for seed in range(25):
        twin = Twin(seed, preset, size)
        for _ in range(50):
            twin.step()
