"""What vLLM's own tests of its block pool ask, block number by block number, in both orders of freeing.

The rows are those of `tests/v1/core/test_prefix_caching.py` (vLLM, Apache-2.0), told again and not copied, and the
worked example of its design page; docs/hash-blocks.md says which rows do not apply. What the releases up to 0.22 do is
"classic" (vllm-0.11), what those from 0.24 on do "unhashed first" (vllm-0.33). nano-vllm and transformers follow.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from radixchat.radix import PRESETS, HashBlockCache, Lease, NoCache, NoRoom
from radixchat.radix import events as ev
from radixchat.radix.hashing import hash_block_tokens, nano_hash, none_hash, transformers_hash

from .rig import Content, Tokens
from .test_hash_blocks import Driver

CLASSIC, UNHASHED_FIRST = "vllm-0.11", "vllm-0.33"
BOTH = [CLASSIC, UNHASHED_FIRST]
NONE = {CLASSIC: none_hash(None), UNHASHED_FIRST: none_hash("vllm-none-hash")}

COMMON = [number for number in range(3) for _ in range(16)]
"""Three full blocks that many prompts begin with."""


def hashed(run: Driver) -> list[int]:
    """The blocks that have a hash."""
    return [number for number, block in run.blocks().items() if block.digest]


def begin(run: Driver, prompt: list[int], namespace: str = "") -> Lease:
    lease = run.cache.begin(prompt, namespace)
    run.open.append(lease)
    return lease


def events(run: Driver, *kinds: type) -> list[ev.Event]:
    return [event for event in run.cache.take_events() if isinstance(event, kinds)]


# -- vLLM V1 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "freed", "third", "last"),
    [
        (UNHASHED_FIRST, [5, 4, 6, 7, 8, 9, 10, 3, 2, 1], 5, [5, 4, 6, 7, 8, 9, 10, 3, 2, 1]),
        (CLASSIC, [6, 7, 8, 9, 10, 4, 5, 3, 2, 1], 6, [7, 8, 9, 10, 4, 5, 6, 3, 2, 1]),
    ],
)
def test_1_prefill(preset: str, freed: list[int], third: int, last: list[int]) -> None:
    """10 blocks of 16 tokens besides the null block; three prompts with 48 tokens in common, and a stranger."""
    run = Driver(preset, 10, 16)
    first = run.prefill([*COMMON, *[3] * 7])
    assert run.table(first) == [1, 2, 3, 4] and hashed(run) == [1, 2, 3]
    parent = NONE[preset]
    for number in (1, 2, 3):
        block = run.blocks()[number]
        parent = hash_block_tokens(parent, COMMON[16 * (number - 1) : 16 * number], none=NONE[preset])
        assert (block.digest, block.refs) == (parent, 1)
    second = begin(run, [*COMMON, *[4] * 5])
    assert (second.computed, run.table(second)) == (48, [1, 2, 3])
    run.cache.extend(second, 5)
    run.cache.commit(second, [4] * 5)
    assert run.table(second) == [1, 2, 3, 5]
    assert [run.blocks()[number].refs for number in (1, 2, 3)] == [2, 2, 2]
    assert len(run.queue()) == 5
    run.finish(first, second)
    assert run.queue() == freed
    again = run.prefill([*COMMON, *[5] * 5])
    assert run.table(again) == [1, 2, 3, third]
    run.finish(again)
    assert run.queue() == last
    stranger = run.prefill(range(1000, 1160))
    assert run.table(stranger) == last and run.queue() == []
    run.finish(stranger)


@pytest.mark.parametrize("preset", BOTH)
def test_3_decode(preset: str) -> None:
    """Within a block nothing is allocated and nothing hashed; a full one gets its hash."""
    run = Driver(preset, 10, 16)
    lease = run.prefill([*COMMON, *[3] * 7])
    run.decode(lease, [8] * 4)
    assert run.table(lease) == [1, 2, 3, 4] and hashed(run) == [1, 2, 3]
    run.decode(lease, [7] * 19)
    assert run.table(lease) == [1, 2, 3, 4, 5] and hashed(run) == [1, 2, 3, 4]
    block = run.blocks()[4]
    assert block.digest == hash_block_tokens(block.parent, [3] * 7 + [8] * 4 + [7] * 5, none=NONE[preset])


@pytest.mark.parametrize(
    ("preset", "freed", "taken"),
    [(UNHASHED_FIRST, [6, 10, 5, 4, 3, 2, 1, 9, 8, 7], 6), (CLASSIC, [10, 6, 5, 4, 3, 2, 1, 9, 8, 7], 10)],
)
def test_4_evict(preset: str, freed: list[int], taken: int) -> None:
    """Two requests are freed, each from its tail; a hit on the first two blocks then takes the first of the queue."""
    run = Driver(preset, 10, 16)
    first, second = run.prefill(range(5 * 16 + 7)), run.prefill(range(500, 548))
    assert (run.table(first), run.table(second)) == ([1, 2, 3, 4, 5, 6], [7, 8, 9])
    assert len(run.queue()) == 1
    run.finish(first, second)
    assert run.queue() == freed
    hit = begin(run, list(range(2 * 16 + 3)))
    assert (run.table(hit), hit.computed) == ([1, 2], 32)
    run.cache.extend(hit, 3)
    assert run.table(hit) == [1, 2, taken] and len(run.queue()) == 7
    run.finish(hit)


@pytest.mark.parametrize("preset", BOTH)
def test_5_a_recycled_block_loses_its_hash(preset: str) -> None:
    """The only block there is."""
    run = Driver(preset, 1, 16)
    first = run.prefill([0] * 16)
    assert (run.table(first), hashed(run)) == ([1], [1])
    run.finish(first)
    second = run.prefill([0] * 15)
    assert (run.table(second), hashed(run)) == ([1], [])
    assert run.cache.peek([0] * 17).matched == 0


@pytest.mark.parametrize("preset", BOTH)
def test_6_the_blocks_found_are_protected(preset: str) -> None:
    """The first is found, and the second one goes although it was freed later."""
    run = Driver(preset, 2, 16)
    run.finish(run.prefill(range(16)))
    run.finish(run.prefill(range(16, 32)))
    assert run.queue() == [1, 2]
    third = begin(run, list(range(32)))
    assert (third.computed, run.table(third)) == (16, [1])
    gone = run.cache.extend(third, 16).evicted
    assert (run.table(third), [each.tokens for each in gone]) == ([1, 2], [16])


def test_7_without_caching_nothing_is_found() -> None:
    """Here that is another cache; it refuses what has no room."""
    cache = NoCache(16)
    first = cache.begin(range(10))
    cache.extend(first, 10)
    cache.commit(first, range(10))
    cache.finish(first)
    second = cache.begin(range(16))
    assert second.computed == 0
    cache.extend(second, 16)
    with pytest.raises(NoRoom):
        cache.extend(cache.begin(range(4)), 4)


@pytest.mark.parametrize("preset", BOTH)
def test_7_blocks_are_registered_as_they_fill(preset: str) -> None:
    """Two of a chunk of 11 tokens, the third with the next chunk; nobody's hash is taken twice."""
    run = Driver(preset, 5, 4)
    prompt = list(range(14))
    lease = begin(run, prompt)
    run.cache.extend(lease, 11)
    (first,) = events(run, ev.BlocksHashed)
    run.cache.commit(lease, prompt[:11])
    assert hashed(run) == [1, 2]
    run.cache.extend(lease, 3)
    (second,) = events(run, ev.BlocksHashed)
    run.cache.commit(lease, prompt[11:])
    assert hashed(run) == [1, 2, 3] and not events(run, ev.BlocksHashed)
    assert isinstance(first, ev.BlocksHashed) and isinstance(second, ev.BlocksHashed)
    assert (first.blocks, second.blocks, second.parent) == ((1, 2), (3,), first.digests[-1])


@pytest.mark.parametrize(("preset", "extra"), [(CLASSIC, ("s1",)), (UNHASHED_FIRST, (("cache_salt", "s1"),))])
def test_8_a_salt_is_in_the_first_block_and_parts_all_that_follow(preset: str, extra: tuple[object, ...]) -> None:
    """The same salt finds all, another one nothing; blocks that are generated carry none of their own."""
    run = Driver(preset, 10, 16)
    first = begin(run, [*COMMON, *[3] * 11], "s1")
    run.cache.extend(first, 59)
    run.cache.commit(first, [*COMMON, *[3] * 11])
    run.decode(first, [8] * 5)
    parent = none = NONE[preset]
    for number in range(4):
        tokens = [*COMMON, *[3] * 11, *[8] * 5][16 * number : 16 * number + 16]
        parent = hash_block_tokens(parent, tokens, None if number else extra, none=none)
        assert run.blocks()[number + 1].digest == parent
    same = begin(run, [*COMMON, *[4] * 11], "s1")
    other = begin(run, [*COMMON, *[4] * 11], "s2")
    bare = begin(run, [*COMMON, *[4] * 11])
    assert (same.computed, run.table(same)) == (48, [1, 2, 3])
    assert (other.computed, bare.computed) == (0, 0)


@pytest.mark.parametrize("preset", BOTH)
def test_9_a_failed_allocation_leaves_the_references_of_what_was_found(preset: str) -> None:
    """It finds six blocks, three of them free, and needs three more; five are free in all."""
    run = Driver(preset, 10, 16)
    first = run.prefill(COMMON)
    second = begin(run, COMMON * 2)
    run.cache.extend(second, 48)
    run.cache.commit(second, (COMMON * 2)[second.computed :])
    assert run.table(second) == [1, 2, 3, 4, 5, 6]
    run.finish(second)
    stranger = run.prefill([7] * 32)
    assert run.table(stranger) == [7, 8]
    queue, refs = run.queue(), {number: block.refs for number, block in run.blocks().items()}
    peek = run.cache.peek(COMMON * 3)
    assert (peek.matched, peek.fits, peek.room, peek.available) == (96, False, 48, 32)
    third = begin(run, COMMON * 3)
    assert run.table(third) == [1, 2, 3, 4, 5, 6]
    with pytest.raises(NoRoom):
        run.cache.extend(third, 48)
    run.finish(third)
    assert (run.queue(), {number: block.refs for number, block in run.blocks().items()}) == (queue, refs)
    run.finish(first, stranger)


@pytest.mark.parametrize("preset", BOTH)
def test_10_a_reset_is_refused_while_a_block_is_in_use(preset: str) -> None:
    """Afterwards no block has a hash, and all are free."""
    run = Driver(preset, 10, 16)
    lease = run.prefill([*COMMON, *[3] * 7])
    with pytest.raises(RuntimeError, match="1 leases are open"):
        run.cache.reset()
    assert hashed(run) == [1, 2, 3]
    run.finish(lease)
    run.cache.reset()
    assert hashed(run) == [] and len(run.queue()) == 10
    assert run.cache.begin([*COMMON, 3]).computed == 0


@pytest.mark.parametrize(("gone", "found"), [(0, [1, 2]), (1, [1, 3]), (2, [1, 4]), (3, [1])])
@pytest.mark.parametrize("preset", BOTH)
def test_11_of_duplicates_one_goes_and_the_others_stay(preset: str, gone: int, found: list[int]) -> None:
    """A whole prompt that is found computes its last block again: three blocks get one hash, and leave one by one."""
    run = Driver(preset, 8, 4)
    for _ in range(3):
        run.finish(run.prefill(range(8)))
    assert len({run.blocks()[number].digest for number in (2, 3, 4)}) == 1
    assert run.queue() == [5, 6, 7, 8, 2, 3, 4, 1]
    assert len(run.cache.evict(4 * gone)) == gone
    assert run.table(begin(run, list(range(9)))) == found
    run.check()


@pytest.mark.parametrize("preset", BOTH)
def test_12_events(preset: str) -> None:
    """One event for all blocks that get hashes, one for those that lose theirs, one for a reset; taken once."""
    run = Driver(preset, 5, 16)
    run.finish(run.prefill(range(80)))
    kinds = (ev.BlocksHashed, ev.BlocksEvicted, ev.Cleared)
    (stored,) = events(run, *kinds)
    assert isinstance(stored, ev.BlocksHashed) and (len(stored.digests), stored.parent) == (5, b"")
    assert run.cache.take_events() == []
    run.finish(run.prefill(range(200, 280)))
    removed, stored = events(run, *kinds)
    assert isinstance(removed, ev.BlocksEvicted) and removed.blocks == (5, 4, 3, 2, 1)
    assert isinstance(stored, ev.BlocksHashed) and stored.blocks == (5, 4, 3, 2, 1)
    run.cache.reset()
    assert events(run, *kinds) == [ev.Cleared()]


def test_12b_the_parent_is_the_hash_of_the_request_not_of_a_block() -> None:
    """The block before has lost its hash to a newer one, as nano-vllm lets it; what follows is chained all the same."""
    run = Driver("nano-vllm", 8, 4)
    first, second = begin(run, list(range(5))), begin(run, list(range(5)))
    for lease in (first, second):
        run.cache.extend(lease, 5)
        run.cache.commit(lease, range(5))
    assert (run.table(first), hashed(run)) == ([0, 1], [2])
    run.cache.take_events()
    run.decode(first, [5, 6, 7])
    (stored,) = events(run, ev.BlocksHashed)
    assert isinstance(stored, ev.BlocksHashed)
    assert (stored.blocks, stored.parent) == ((1,), nano_hash(b"", range(4)))
    assert stored.digests == (nano_hash(stored.parent, range(4, 8)),)


# -- the worked example of vLLM's design page --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "after_first", "after_second", "left", "last"),
    [
        (
            CLASSIC,
            [7, 8, 9, 4, 3, 2],
            [7, 8, 9, 4, 3, 2, 6, 5, 1, 0],
            [7, 8, 9, 4, 3, 6, 5],
            [0, 1, 2, 7, 8, 9, 4, 3],
        ),
        (
            UNHASHED_FIRST,
            [4, 7, 8, 9, 3, 2],
            [6, 4, 7, 8, 9, 3, 2, 5, 1, 0],
            [6, 4, 7, 8, 9, 3, 5],
            [0, 1, 2, 6, 4, 7, 8, 9],
        ),
    ],
)
def test_the_worked_example(
    preset: str, after_first: list[int], after_second: list[int], left: list[int], last: list[int]
) -> None:
    """Blocks of 4, 10 of them. The page counts blocks from 0 and has no null block: one less than here."""
    run = Driver(preset, 10, 4)

    def numbers(blocks: list[int]) -> list[int]:
        return [number - 1 for number in blocks]

    prompt = list(range(100, 115))
    first = run.prefill(prompt)  # time 1: three full blocks, and three tokens
    assert numbers(run.table(first)) == [0, 1, 2, 3] and numbers(hashed(run)) == [0, 1, 2]
    run.decode(first, [115, 116])  # times 2 and 3: block 3 fills, and block 4 is needed
    assert numbers(run.table(first)) == [0, 1, 2, 3, 4] and numbers(hashed(run)) == [0, 1, 2, 3]
    second = begin(run, [*prompt[:10], 1, 2, 3, 4])  # time 4: ten tokens in common are two blocks
    assert numbers(run.table(second)) == [0, 1]
    run.cache.extend(second, 6)
    run.cache.commit(second, [*prompt[8:10], 1, 2, 3, 4])
    assert numbers(run.table(second)) == [0, 1, 5, 6]
    run.finish(first)  # time 5
    assert numbers(run.queue()) == after_first
    run.finish(second)  # time 6
    assert numbers(run.queue()) == after_second
    third = begin(run, [*prompt[:12], *range(17)])  # time 7: 29 tokens, twelve in common
    assert numbers(run.table(third)) == [0, 1, 2] and numbers(run.queue()) == left
    run.cache.extend(third, 17)
    assert numbers(run.table(third)) == last  # time 8: what was needed is evicted as it is taken
    run.cache.commit(third, range(17))
    run.check()


# -- nano-vllm and transformers ----------------------------------------------------------------------------------------


def test_nano_vllm_frees_from_the_tail_to_the_end_of_one_queue() -> None:
    """A prompt's last block is never found; a hit leaves the middle of the queue; a block is hashed after its step."""
    run = Driver("nano-vllm", 8, 4)
    first = run.prefill(range(10))
    second = begin(run, list(range(20, 28)))
    run.cache.extend(second, 8)
    late = begin(run, list(range(20, 28)))
    assert (run.table(second), run.table(late), hashed(run)) == ([3, 4], [], [0, 1])
    run.cache.commit(second, range(20, 28))
    assert hashed(run) == [0, 1, 3, 4]
    assert [run.blocks()[number].digest for number in (3, 4)] == [
        nano_hash(b"", range(20, 24)),
        nano_hash(nano_hash(b"", range(20, 24)), range(24, 28)),
    ]
    run.finish(late, first, second)
    assert run.queue() == [5, 6, 7, 2, 1, 0, 4, 3]
    again = run.prefill(range(20, 28))
    assert (run.table(again), run.queue()) == ([3, 5], [6, 7, 2, 1, 0, 4])
    assert run.blocks()[5].digest and not run.blocks()[4].digest  # the newer one took the place in the map
    run.finish(again)


def test_nano_vllm_forgets_a_hash_when_its_block_is_taken() -> None:
    """From the head of the queue, one by one: a chain may lose its end and keep its beginning."""
    run = Driver("nano-vllm", 4, 4)
    run.finish(run.prefill(range(13)))
    assert run.queue() == [3, 2, 1, 0]
    lease = run.prefill(range(50, 55))
    assert (run.table(lease), hashed(run)) == ([3, 2], [0, 1, 3])
    assert run.cache.peek(list(range(13))).matched == 8


def test_transformers_finds_full_and_finished_blocks_and_evicts_all_of_them() -> None:
    """One block is left to compute; with too few free, every unreferenced one loses its hash, and none in use."""
    run = Driver("hf-cb", 6, 4)
    first = run.prefill(range(8))
    assert [run.blocks()[number].digest for number in (0, 1)] == [
        transformers_hash(b"", range(4)),
        transformers_hash(transformers_hash(b"", range(4)), range(4, 8)),
    ]
    same = begin(run, list(range(8)))
    assert (run.table(same), same.computed) == ([0], 4)
    run.cache.extend(same, 4)
    update = run.cache.commit(same, range(4, 8))
    assert run.table(same) == [0, 1] and [remap.start for remap in update.remaps] == [4]
    run.finish(same, run.prefill(range(30, 42)))
    assert hashed(run) == [0, 1, 3, 4, 5]
    other = begin(run, list(range(60, 68)))
    assert len(run.cache.extend(other, 8).evicted) == 3
    assert hashed(run) == [0, 1]
    run.cache.commit(other, range(60, 68))
    run.finish(first, other)


@pytest.mark.parametrize("preset", PRESETS)
def test_block_sizes_are_those_of_the_release(preset: str) -> None:
    """16 in vLLM; 256 elsewhere, in nano-vllm a multiple of it."""
    rules = PRESETS[preset]
    cache = HashBlockCache(1024, preset=preset)
    assert cache.block_size == (16 if preset.startswith("vllm") else 256)
    assert rules.multiple == (256 if preset == "nano-vllm" else 1)
    with pytest.raises(ValueError, match="block size of 0"):
        replace(rules, multiple=1).check_block_size(0)
    with pytest.raises(ValueError):
        HashBlockCache(8, preset=preset)


# -- against the rules as they are described ---------------------------------------------------------------------------


class Described:
    """Block pools with chained hashes, as short as they can be said; a hash is the whole prefix and its namespace."""

    def __init__(self, preset: str, blocks: int, size: int) -> None:
        self.preset, self.size = preset, size
        first = int(preset.startswith("vllm"))
        self.queue = list(range(first, first + blocks))
        self.refs = dict.fromkeys(self.queue, 0)
        self.hash: dict[int, Content] = {}
        self.map: dict[Content, list[int]] = {}  # of equal ones, the one that came first is found
        self.tables: list[list[int]] = []

    def begin(self, prompt: Content) -> list[int]:
        table: list[int] = []
        self.tables.append(table)
        for end in range(self.size, len(prompt[1]), self.size):
            known = self.map.get((prompt[0], prompt[1][:end]))
            if known is None:
                break
            self.touch(known[0])
            table.append(known[0])
        return table

    def touch(self, number: int) -> None:
        if not self.refs[number]:
            self.queue.remove(number)
        self.refs[number] += 1

    def extend(self, table: list[int], tokens: int) -> bool:
        """Takes what is missing for so many tokens, or nothing."""
        missing = -(-tokens // self.size) - len(table)
        if missing > len(self.queue):
            return False
        if self.preset == "hf-cb" and any(number in self.hash for number in self.queue[: max(0, missing)]):
            for number in [number for number in self.queue if number in self.hash]:
                self.forget(number)
        for _ in range(missing):
            number = self.queue.pop(0)
            self.forget(number)
            self.refs[number] = 1
            table.append(number)
        return True

    def forget(self, number: int) -> None:
        content = self.hash.pop(number, None)
        if content is not None:
            self.map[content].remove(number)
            if not self.map[content]:
                del self.map[content]

    def register(self, table: list[int], content: Content, whole: range) -> None:
        """Blocks of a table are full: they get their hashes, unless they have them."""
        for place in whole:
            number, each = table[place], (content[0], content[1][: (place + 1) * self.size])
            if self.hash.get(number) == each:
                continue
            known = self.map.setdefault(each, [])
            if known and self.preset == "hf-cb":
                self.touch(known[0])
                table[place] = known[0]
                self.give([number])
                continue
            if known and self.preset == "nano-vllm":
                self.hash.pop(known.pop())
            known.append(number)
            self.hash[number] = each

    def give(self, numbers: list[int]) -> None:
        """Takes references back, from the last block to the first."""
        freed = []
        for number in reversed(numbers):
            self.refs[number] -= 1
            if not self.refs[number]:
                freed.append(number)
        bare = [number for number in freed if number not in self.hash]
        rest = [number for number in freed if number in self.hash]
        if self.preset == UNHASHED_FIRST:
            self.queue = bare + self.queue + rest
        elif self.preset == "hf-cb":  # those without a hash before all others
            idle = [number for number in self.queue if number not in self.hash]
            self.queue = idle + bare + [number for number in self.queue if number in self.hash] + rest
        else:
            self.queue += freed


class Running:
    """A request in both."""

    def __init__(self, lease: Lease, table: list[int], name: str, prompt: Tokens) -> None:
        self.lease, self.table, self.name, self.tokens = lease, table, name, prompt


class Twin:
    """Does everything with both, and compares them after every step."""

    def __init__(self, seed: int, preset: str, size: int) -> None:
        self.chance = random.Random(seed)
        blocks = self.chance.randint(3, 14)
        self.run, self.model = Driver(preset, blocks, size), Described(preset, blocks, size)
        self.early = preset.startswith("vllm")  # prompts are registered when they are allocated
        self.size = size
        self.running: list[Running] = []
        self.history: list[Tokens] = [(1, 2, 1)]

    def step(self) -> None:
        self.chance.choice([self.arrive, self.arrive, self.compute, self.decode, self.decode, self.leave])()
        self.run.check()
        for each in self.running:
            assert self.run.table(each.lease) == each.table
        assert self.run.queue() == self.model.queue
        assert set(hashed(self.run)) == set(self.model.hash)

    def arrive(self) -> None:
        """A prompt gets its blocks; its K/V may be computed later."""
        chance = self.chance
        prompt = chance.choice(self.history[-12:])[: chance.choice([99, chance.randint(0, 12)])]
        prompt += tuple(chance.randint(1, 2) for _ in range(chance.randint(0 if prompt else 1, 5)))
        name = chance.choice(["", "", "", "a"])
        each = Running(begin(self.run, list(prompt), name), self.model.begin((name, prompt)), name, prompt)
        assert self.run.table(each.lease) == each.table
        self.running.append(each)
        if not self.extend(each, len(prompt)):
            self.end(each)
            return
        if self.early:
            self.model.register(each.table, (name, prompt), range(len(prompt) // self.size))
        if chance.random() < 0.6:
            self.commit(each)

    def extend(self, each: Running, tokens: int) -> bool:
        got = self.model.extend(each.table, tokens)
        try:
            self.run.cache.extend(each.lease, tokens - len(each.lease))
        except NoRoom:
            assert not got
            return False
        assert got
        return True

    def commit(self, each: Running) -> None:
        start = each.lease.computed
        if start < len(each.tokens):
            self.run.cache.commit(each.lease, each.tokens[start:])
            full = range(start // self.size, len(each.tokens) // self.size)
            self.model.register(each.table, (each.name, each.tokens), full)
            self.history.append(each.tokens)

    def compute(self) -> None:
        for each in self.running:
            self.commit(each)

    def decode(self) -> None:
        for each in list(self.running):
            self.commit(each)
            if self.extend(each, len(each.tokens) + 1):
                each.tokens += (self.chance.randint(1, 2),)
                self.commit(each)
            else:
                self.end(each)

    def leave(self) -> None:
        if self.running:
            each = self.chance.choice(self.running)
            self.commit(each)
            self.end(each)

    def end(self, each: Running) -> None:
        self.running.remove(each)
        self.run.finish(each.lease)
        self.model.give(each.table)


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("preset", [*BOTH, "nano-vllm", "hf-cb"])
def test_random_requests_go_as_described(preset: str, size: int) -> None:
    """Tables, hashes and the whole queue after every operation, several requests at once."""
    for seed in range(20):
        twin = Twin(seed, preset, size)
        for _ in range(50):
            twin.step()
