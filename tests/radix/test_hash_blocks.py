"""Hash blocks, release by release: the measured cases, block number by block number."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from radixchat.radix import PRESETS, BlockState, BlockView, HashBlockCache, Lease, NoRoom, Update, block_table
from radixchat.radix import events as ev
from radixchat.radix.block_forest import Block
from radixchat.radix.block_table import Prompts
from radixchat.radix.codec import event_from_json, event_to_json, snapshot_from_json, snapshot_to_json
from radixchat.radix.hashing import hasher_for
from radixchat.radix.keys import as_key
from radixchat.radix.presets import SHOWN, TOY
from radixchat.radix.recording import Header, Recorder, Recording, RecordingError, load
from radixchat.radix.travel import diff

V0 = ["vllm-0.4.2", "vllm-0.5.4", "vllm-0.6.3"]
V1 = ["vllm-0.11", "vllm-0.33"]


class Driver:
    """Runs requests on a cache as an engine would, and looks at its blocks."""

    def __init__(self, preset: str, blocks: int, block_size: int) -> None:
        rules = replace(PRESETS.get(preset, TOY), multiple=1)
        self.cache = HashBlockCache(blocks * block_size, rules=rules, block_size=block_size)
        self.open: list[Lease] = []

    def prefill(self, prompt: Iterable[int]) -> Lease:
        tokens = list(prompt)
        lease = self.cache.begin(tokens)
        self.open.append(lease)
        self.cache.extend(lease, len(tokens) - len(lease))
        self.cache.commit(lease, tokens[lease.computed :])
        self.check()
        return lease

    def decode(self, lease: Lease, tokens: Iterable[int]) -> list[Update]:
        updates = []
        for token in tokens:
            updates += [self.cache.extend(lease, 1), self.cache.commit(lease, [token])]
            self.check()
        return updates

    def finish(self, *leases: Lease) -> None:
        for lease in leases:
            self.cache.finish(lease)
            self.open.remove(lease)
            self.check()

    def check(self) -> None:
        self.cache.check_integrity(self.open)

    def blocks(self) -> dict[int, BlockView]:
        shown = self.cache.snapshot().blocks
        assert shown is not None
        return {block.number: block for block in shown.blocks}

    def table(self, lease: Lease) -> list[int]:
        size, first = self.cache.block_size, int(self.cache.rules.null_block)
        return [(slot - 1) // size + first for slot in lease.slots[::size].tolist()]

    def queue(self) -> list[int]:
        shown = self.cache.snapshot().blocks
        assert shown is not None
        return list(shown.queue)


# -- vLLM v0 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "hits", "mapped"), [("vllm-0.4.2", [0, 1, 3], 4), ("vllm-0.5.4", [0, 1], 3), ("vllm-0.6.3", [0, 1], 3)]
)
def test_the_next_turn_finds_an_answer_only_before_the_split_hash(preset: str, hits: list[int], mapped: int) -> None:
    """Two requests with one prompt of 10 tokens; the first says 8 more and goes on with 5: blocks of 4."""
    run = Driver(preset, 20, 4)
    prompt, answer = list(range(10)), list(range(50, 58))
    first, second = run.prefill(prompt), run.prefill(prompt)
    run.decode(first, answer)
    assert run.table(first) == [0, 1, 3, 4, 5]
    run.finish(first)
    turn = run.cache.begin([*prompt, *answer, 90, 91, 92, 93, 94])
    run.open.append(turn)
    assert run.table(turn)[: turn.computed // 4] == hits
    if preset == "vllm-0.4.2":  # found, but its flag is one block short
        assert run.table(turn)[len(hits)] == mapped
    else:
        assert len(turn) == turn.computed
    run.finish(second, turn)


@pytest.mark.parametrize("preset", V0)
def test_the_first_to_append_copies_and_the_second_writes_in_place(preset: str) -> None:
    """Two requests share the partial block 2; it keeps its hash though it holds generated tokens afterwards."""
    run = Driver(preset, 20, 4)
    first, second = run.prefill(range(10)), run.prefill(range(10))
    shared = run.blocks()[2]
    assert (run.table(first), run.table(second), shared.refs) == ([0, 1, 2], [0, 1, 2], 2)
    copied, _ = run.decode(first, [50])
    ((sources, targets),) = copied.copies
    assert (sources.tolist(), targets.tolist()) == ([9, 10], [13, 14])
    assert run.table(first) == [0, 1, 3]
    in_place, _ = run.decode(second, [60])
    assert in_place.copies == () and run.table(second) == [0, 1, 2]
    after = run.blocks()[2]
    assert (after.digest, after.refs, after.key[-4:]) == (shared.digest, 1, (60).to_bytes(4, "little"))
    later = run.prefill(range(10))  # finds it again; the foreign token is hidden by its length
    assert run.table(later) == [0, 1, 2]
    copied, _ = run.decode(later, [70])
    assert copied.copies and run.table(later)[2] != 2
    run.finish(first, second, later)


@pytest.mark.parametrize(("preset", "hits"), [("vllm-0.4.2", [0]), ("vllm-0.5.4", [0]), ("vllm-0.6.3", [0, 1])])
def test_the_computed_flag_is_one_block_short_up_to_0_5_4(preset: str, hits: list[int]) -> None:
    """The same prompt again: both full blocks are in its table, and how many count differs."""
    run = Driver(preset, 20, 4)
    run.finish(run.prefill(range(10)))
    again = run.cache.begin(list(range(10)))
    run.open.append(again)
    assert run.table(again) == [0, 1, 2]
    assert run.table(again)[: again.computed // 4] == hits
    run.finish(again)


@pytest.mark.parametrize("preset", V0)
def test_a_block_that_fills_with_known_tokens_is_given_back(preset: str) -> None:
    """Promotion: two samples say the same, and the second one's table changes in place."""
    run = Driver(preset, 20, 4)
    first, second = run.prefill(range(8)), run.prefill(range(8))
    run.decode(first, [50, 51, 52, 53])
    assert run.table(first) == [0, 1, 2]
    updates = run.decode(second, [50, 51, 52, 53])
    assert [remap.start for update in updates for remap in update.remaps] == [8]
    assert run.table(second) == [0, 1, 2]
    assert run.blocks()[2].refs == 2 and run.queue()[-1] == 3
    run.finish(first, second)


@pytest.mark.parametrize("preset", V0)
def test_the_evictor_looks_only_at_what_was_freed_first(preset: str) -> None:
    """A block of an older use that was freed later is not preferred; of equals, the deepest goes."""
    run = Driver(preset, 8, 4)
    old, young = run.prefill(range(8)), run.prefill(range(20, 28))
    run.finish(young, old)
    last = {number: block.last for number, block in run.blocks().items()}
    assert last[0] == last[1] < last[2] == last[3]
    assert run.queue() == [4, 5, 6, 7, 3, 1, 2, 0]  # by its documentation 1, 0, 3, 2


# -- vLLM V1 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", V1)
def test_a_whole_prompt_found_computes_its_last_block_again_into_a_new_one(preset: str) -> None:
    """(n - 1) // block size blocks are looked for; the duplicate stays beside the first until it is evicted."""
    run = Driver(preset, 6, 4)
    run.finish(run.prefill(range(8)))
    again = run.prefill(range(8))
    assert run.table(again) == [1, 3]
    assert run.blocks()[2].digest == run.blocks()[3].digest
    run.finish(again)
    assert run.cache.peek(list(range(9))).matched == 8
    assert len(list(run.cache.snapshot().nodes())) == 3
    assert run.table(run.prefill([*range(8), 8])) == [1, 2, 4]  # the first inserted is found


@pytest.mark.parametrize("preset", V1)
def test_blocks_are_in_the_index_before_they_are_computed(preset: str) -> None:
    """A second request of the same step shares them; both compute, into the same slots; nobody is promised K/V."""
    run = Driver(preset, 8, 4)
    prompt = list(range(10))
    first = run.cache.begin(prompt)
    run.cache.extend(first, 10)
    second = run.cache.begin(prompt)
    run.open += [first, second]
    assert (second.computed, run.table(second)) == (0, [1, 2])
    assert run.cache.peek(prompt).matched == 0 and not list(run.cache.snapshot().nodes())
    run.cache.extend(second, 2)
    for lease in (second, first):
        run.cache.commit(lease, prompt)
        run.check()
    assert (run.table(first), run.table(second)) == ([1, 2, 3], [1, 2, 4])
    run.finish(first, second)


@pytest.mark.parametrize("preset", V1)
def test_what_was_never_computed_is_forgotten(preset: str) -> None:
    """A request that ends between its room and its tokens leaves no promise behind."""
    run = Driver(preset, 8, 4)
    lease = run.cache.begin(list(range(10)))
    run.cache.extend(lease, 10)
    run.open.append(lease)
    run.finish(lease)
    assert not any(block.digest for block in run.blocks().values())


# -- nano-vllm and transformers ----------------------------------------------------------------------------------------


def test_nano_vllm_lets_the_newer_block_take_the_place_in_the_index() -> None:
    """And the older one can be found by nobody."""
    run = Driver("nano-vllm", 8, 4)
    leases = [run.cache.begin(list(range(9))) for _ in range(2)]
    run.open += leases
    for lease in leases:
        run.cache.extend(lease, 9)
    for lease in leases:
        run.cache.commit(lease, list(range(9)))
        run.check()
    assert [bool(run.blocks()[number].digest) for number in range(6)] == [False, False, False, True, True, False]
    assert run.table(run.prefill(range(9)))[:2] == [3, 4]


def test_nano_vllm_compares_tokens() -> None:
    """With a hash that collides, a hit of other tokens is a miss."""
    rules = replace(TOY, token_check=True)
    checked = HashBlockCache(4 * 512, rules=rules, block_size=4)
    believed = HashBlockCache(4 * 512, rules=TOY, block_size=4)
    wrong = [0, 0]
    for which, cache in enumerate((checked, believed)):
        for number in range(120):
            prompt = [number, 1, 2, 3, 4]
            lease = cache.begin(prompt)
            wrong[which] += lease.computed > 0  # no prompt begins like another
            cache.extend(lease, 5 - len(lease))
            cache.commit(lease, prompt[lease.computed :])
            cache.finish(lease)
            cache.check_integrity()
    assert wrong[0] == 0 < wrong[1]


def test_transformers_replaces_a_duplicate_at_once() -> None:
    """Full and computed, then found equal: the table takes the known block, and the slots are told."""
    run = Driver("hf-cb", 8, 4)
    leases = [run.cache.begin(list(range(8))) for _ in range(2)]
    run.open += leases
    for lease in leases:
        run.cache.extend(lease, 8)
    run.cache.commit(leases[0], list(range(8)))
    update = run.cache.commit(leases[1], list(range(8)))
    assert [remap.start for remap in update.remaps] == [0, 4]
    assert run.table(leases[1]) == [0, 1]
    run.finish(*leases)


def test_transformers_evicts_everything_at_once() -> None:
    """One block too few, and every unreferenced one goes."""
    run = Driver("hf-cb", 6, 4)
    run.finish(run.prefill(range(8)), run.prefill(range(20, 28)))
    lease = run.cache.begin(list(range(40, 52)))
    run.open.append(lease)
    assert len(run.cache.peek(list(range(40, 52))).evicts) == 4
    assert len(run.cache.extend(lease, 12).evicted) == 4
    assert run.cache.peek(list(range(9))).matched == 0
    run.finish(lease)


# -- all of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_no_room_says_how_much_there_is(preset: str) -> None:
    """And the hits of the failed request are as they were."""
    run = Driver(preset, 4, 4)
    run.finish(run.prefill(range(9)))
    lease = run.cache.begin(list(range(9)))
    run.open.append(lease)
    before = run.cache.snapshot()
    with pytest.raises(NoRoom):
        run.cache.extend(lease, 40)
    assert run.cache.snapshot() == before
    run.finish(lease)


def test_presets_are_named_and_unknown_ones_refused() -> None:
    """Three are shown; the toy is none of them, and can be asked for by its name."""
    assert set(SHOWN) < set(PRESETS) and TOY.name not in PRESETS
    with pytest.raises(ValueError, match="unknown preset 'vllm-9': choose one of vllm-"):
        HashBlockCache(64, preset="vllm-9")
    with pytest.raises(ValueError, match="multiples of 256"):
        HashBlockCache(1024, preset="nano-vllm", block_size=16)
    assert HashBlockCache(64, preset=TOY.name).rules is TOY
    cache = HashBlockCache.of(HashBlockCache(64, preset="vllm-0.11", block_size=8).config)
    assert (cache.rules.name, cache.block_size, cache.capacity, cache.highest_slot) == ("vllm-0.11", 8, 64, 64)


def test_keep_nothing_of_a_failed_request_but_what_others_built_on() -> None:
    """Blocks that another request found and went on from stay."""
    run = Driver("vllm-0.33", 12, 4)
    first = run.prefill(range(9))
    run.finish(run.prefill([*range(8), 30, 31, 32, 33, 34]))
    run.cache.finish(first, keep=False)
    run.open.remove(first)
    run.check()
    assert run.cache.peek([*range(8), 30, 31, 32, 33, 0]).matched == 12


@pytest.mark.parametrize("preset", ["vllm-0.33", "hf-cb"])
def test_a_block_is_never_looked_for_among_all_others(preset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither when a request fails nor when a prompt asks what it would evict: both cost what its blocks are."""
    compared = 0

    def equal(one: Block, other: object) -> bool:
        nonlocal compared
        compared += 1
        return one is other

    run = Driver(preset, 200, 1)
    failed = run.prefill(range(100))
    run.finish(run.prefill(range(1000, 1050)), run.prefill(range(2000, 2050)))
    monkeypatch.setattr(Block, "__eq__", equal)
    assert run.cache.peek([*range(1000, 1050), 1, 2]).evicts
    assert compared <= 200
    run.cache.finish(failed, keep=False)
    assert compared <= 200
    monkeypatch.undo()
    run.open.clear()
    run.check()
    assert run.cache.state.resident == 100


def test_prompts_are_remembered_by_number_and_by_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for longest ago goes first; a prompt that is too long stays while nothing else is asked for."""
    monkeypatch.setattr(block_table, "REMEMBERED", 4)
    monkeypatch.setattr(block_table, "REMEMBERED_TOKENS", 100)
    prompts = Prompts(hasher_for(PRESETS["vllm-0.33"], 4), 4, partial=False)

    def remembered(*sizes: int) -> list[int]:
        for size in sizes:
            assert prompts.of(as_key(range(size)), "") is prompts.of(as_key(range(size)), "")
        return [known.size for known in prompts._known.values()]

    assert remembered(10, 11, 12, 13) == [10, 11, 12, 13]
    assert remembered(10, 14) == [12, 13, 10, 14]
    assert remembered(60) == [13, 10, 14, 60]
    assert remembered(70) == [70]
    assert remembered(200) == [200]
    assert remembered(40, 41, 40) == [41, 40] and prompts._tokens == 81


def chat(preset: str, file: io.StringIO | None = None) -> tuple[HashBlockCache, Recorder]:
    """Turns that share, branch, fork, fail, evict and change the pool."""
    run = Driver(preset, 12, 4)
    cache = run.cache
    recorder = Recorder(Header(cache.config, cache="hash"), lambda token: b"w%d " % token, file)
    for turn in range(14):
        cache.new_step()
        lease = run.prefill([1, 2, 3, 4, 5, *range(turn % 5), 6, 7])
        other = cache.fork(lease)
        run.open.append(other)
        if len(other) < len(lease):
            cache.extend(other, 1)
        late = run.prefill([60 + turn])
        run.decode(lease, [turn % 3, 5, 6, 7, 8])
        run.finish(late)
        cache.finish(other, keep=turn % 4 > 0)
        cache.finish(lease, keep=turn % 5 > 0, uncached=[99])
        run.open.clear()
        if turn == 4:  # two that compute the same side by side
            equal = [cache.begin([70, 71, 72, 73]) for _ in range(2)]
            for each in equal:
                cache.extend(each, 4 - len(each))
            for each in equal:
                cache.commit(each, [70, 71, 72, 73])
            for each in equal:
                cache.finish(each)
        if turn == 6:
            cache.evict(9)
        if turn == 8:
            cache.resize(32)
        if turn == 10:
            cache.reset()
            cache.resize(64)
        recorder.add(cache.take_events())
    recorder.flush()
    return cache, recorder


@pytest.mark.parametrize("preset", PRESETS)
def test_a_file_read_back_is_the_same_recording(preset: str, tmp_path: Path) -> None:
    """Events, states at every moment forward and backward, through keyframes or not; the same bytes every time."""
    file, again = io.StringIO(), io.StringIO()
    cache, recorder = chat(preset, file)
    chat(preset, again)
    assert file.getvalue() == again.getvalue()
    assert json.loads(file.getvalue().splitlines()[0])["config"]["preset"] == preset
    path = tmp_path / "blocks.jsonl"
    path.write_text(file.getvalue(), encoding="utf-8", newline="\n")
    recording = load(path)
    assert recording.events == recorder.recording.events
    end = len(recording.events)
    assert recording.at(end) == cache.snapshot() == recorder.snapshot()
    fresh = Recording(recording.header, recording.events)
    forward = [fresh.at(position) for position in range(end + 1)]
    assert [recording.at(position) for position in range(end, -1, -1)] == forward[::-1]
    for snapshot in forward[::7]:
        assert snapshot_from_json(json.loads(json.dumps(snapshot_to_json(snapshot)))) == snapshot
    for event in recording.events:
        assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


@pytest.mark.parametrize("preset", PRESETS)
def test_a_difference_agrees_with_both_snapshots(preset: str) -> None:
    """Ids and sums, whatever happened between."""
    _, recorder = chat(preset)
    recording = recorder.recording
    places = range(0, len(recording.events) + 1, 11)
    for start in places:
        for end in places[::3]:
            told = diff(recording, start, end)
            old = {node.id for node in told.before.nodes()}
            new = {node.id for node in told.after.nodes()}
            assert told.added.keys() == new - old
            assert old - new == old & {loss.node for loss in told.lost}
            assert told.resident == sum(told.added.values()) - sum(loss.had for loss in told.lost)
            assert told.touched.keys() <= new & old


def test_every_event_of_blocks_was_recorded_by_some_preset() -> None:
    """So that the tests above test them all."""
    kinds = {type(event) for preset in PRESETS for event in chat(preset)[1].recording.events}
    wanted = {kind for name, kind in ev.EVENTS.items() if name.startswith(("Block", "Table"))}
    assert wanted <= kinds


def test_damage_is_named() -> None:
    """An event that does not fit, and a header with rules that nobody knows."""
    _, recorder = chat("vllm-0.33")
    recording = recorder.recording
    end = len(recording.events)
    recording.events.append(ev.BlocksHit(999, (1,), 0, 1))
    with pytest.raises(RecordingError, match="does not fit"):
        recording.at(end + 1)
    with pytest.raises(ValueError, match="unknown preset"):
        replace(recording.header.config, preset="nobody")
    with pytest.raises(ValueError, match="blocks are more than any pool has"):
        replace(recording.header.config, capacity=1 << 40)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_reset_after_a_keyframe_leaves_the_same_queue(preset: str) -> None:
    """Whatever the order in which the blocks were used first."""
    run = Driver(preset, 4, 1)
    first = run.prefill([1, 2])
    run.finish(first, run.prefill([3, 4]))
    run.cache.resize(2)
    run.cache.resize(4)
    run.finish(run.prefill([5, 6, 7, 8]))
    run.cache.take_events()
    replica = BlockState.thaw(run.cache.config, run.cache.snapshot())
    run.cache.reset()
    for event in run.cache.take_events():
        replica.apply(event)
    assert replica.freeze() == run.cache.snapshot()
