"""Recordings: what is written is what happened, to the byte, and every moment can be reached from every other."""

from __future__ import annotations

import io
import json
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.radix import CacheConfig, RadixCache, Snapshot, TreeState, as_array
from radixchat.radix import events as ev
from radixchat.radix.codec import event_from_json, event_to_json, snapshot_from_json, snapshot_to_json
from radixchat.radix.recording import REMEMBERED, SCHEMA, Header, Recorder, Recording, RecordingError, load
from radixchat.radix.travel import Travel


def spell(token: int) -> bytes:
    """Token 7 is half a character, so its text is no UTF-8."""
    return b"\xe2\x82" if token == 7 else f"w{token} ".encode()


def turn(cache: RadixCache, prompt: list[int], reply: list[int], namespace: str = "") -> None:
    """What an engine does for one request."""
    cache.new_step()
    lease = cache.begin(prompt, namespace)
    cache.extend(lease, len(prompt) - len(lease))
    cache.commit(lease, prompt[lease.computed :])
    for token in reply:
        cache.extend(lease, 1)
        cache.commit(lease, [token])
    cache.finish(lease, uncached=[99])


def chat(file: io.StringIO | None = None, turns: int = 12, limit: int | None = None) -> tuple[RadixCache, Recorder]:
    """A small chat with branches, evictions, a namespace and a long reply."""
    cache = RadixCache(64)
    recorder = Recorder(Header(cache.config, model="test"), spell, file, limit)
    random = np.random.default_rng(3)
    for number in range(turns):
        prompt = [1, 2, *random.integers(1, 9, size=random.integers(1, 9)).tolist()]
        turn(cache, prompt, random.integers(1, 9, size=random.integers(1, 30)).tolist(), "other" if number == 5 else "")
        recorder.add(cache.take_events())
    recorder.flush()
    return cache, recorder


def written(tmp_path: Path, text: str) -> Path:
    """A file with this text."""
    path = tmp_path / "chat.jsonl"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def test_the_recorder_ends_where_the_cache_is() -> None:
    """Merged growth gives the same tree."""
    cache, recorder = chat()
    assert recorder.snapshot() == cache.snapshot()
    assert recorder.recording.at(len(recorder.recording.events)) == cache.snapshot()


def test_growth_is_recorded_every_sixteen_tokens_and_at_the_end() -> None:
    """By count, never by time."""
    cache = RadixCache(100)
    recorder = Recorder(Header(cache.config), spell)
    turn(cache, [1, 2, 3], list(range(10, 50)))
    recorder.add(cache.take_events())
    grown = [event for event in recorder.recording.events if isinstance(event, ev.Grown)]
    assert [len(event.key) // 4 for event in grown] == [16, 16, 8]


def test_a_file_read_back_is_the_same_recording(tmp_path: Path) -> None:
    """Events, text (also where a token is half a character) and every state."""
    file = io.StringIO()
    cache, recorder = chat(file)
    recording = load(written(tmp_path, file.getvalue()))

    assert recording.header == recorder.recording.header
    assert recording.events == recorder.recording.events
    assert recording.pieces == recorder.recording.pieces
    assert recording.pieces[7] == b"\xe2\x82"
    assert recording.at(len(recording.events)) == cache.snapshot()
    assert not recording.truncated


def test_stepping_to_the_end_and_back_gives_the_equal_first_snapshot(tmp_path: Path) -> None:
    """Forward one by one, backward one by one, and by jumps: the same states, through keyframes or not."""
    file = io.StringIO()
    chat(file)
    recording = load(written(tmp_path, file.getvalue()))
    positions = range(len(recording.events) + 1)
    forward = [recording.at(position) for position in positions]
    backward = [recording.at(position) for position in reversed(positions)]

    assert backward[::-1] == forward
    assert forward[0].resident == 0
    keyframes = [line for line in file.getvalue().splitlines() if '"keyframe"' in line]
    assert 3 < len(keyframes) < len(recording.events) / 3


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=12))
def test_every_way_through_time_gives_the_snapshot_of_its_place(places: list[int]) -> None:
    """Jumps, steps back and what is remembered on the way agree with a reader that only ever goes forward."""
    _, recorder = chat(turns=24)
    recording = recorder.recording
    for position in places:
        position %= len(recording.events) + 1
        fresh = Recording(recording.header, recording.events)
        assert recording.at(position) == fresh.at(position)
        assert recording.at(position - 1) == fresh.at(position - 1)


def test_a_reader_remembers_only_so_much() -> None:
    """A long walk back and forth keeps a bounded number of snapshots."""
    _, recorder = chat(turns=60)
    recording = recorder.recording
    end = len(recording.events)
    for position in [*range(0, end, 7), *range(end, 0, -1)]:
        recording.at(position)
    assert end > 2 * REMEMBERED
    assert len(recording._seen) <= REMEMBERED


def test_a_step_back_finds_the_snapshot_that_was_passed() -> None:
    """The very object: nothing is built again."""
    _, recorder = chat(turns=24)
    recording = recorder.recording
    end = len(recording.events)
    passed = [recording.at(position) for position in range(end - 20, end + 1)]
    assert all(recording.at(end - back) is passed[-1 - back] for back in range(21))


def test_a_tree_thawed_from_a_snapshot_shares_its_nodes() -> None:
    """So a step back costs no second copy, and comparing is quick."""
    cache, _ = chat()
    snapshot = cache.snapshot()
    again = TreeState.thaw(cache.config, snapshot).freeze()
    assert again == snapshot
    assert all(ours.node is theirs.node for ours, theirs in zip(again.roots, snapshot.roots, strict=True))


def test_one_thread_reads_what_another_writes() -> None:
    """Whatever the reader asks for while the recording grows is what it would get afterwards."""
    cache = RadixCache(400)
    recorder = Recorder(Header(cache.config), spell)
    recording = recorder.recording

    def write() -> None:
        random = np.random.default_rng(5)
        for _ in range(250):
            prompt = random.integers(1, 40, size=random.integers(1, 30)).tolist()
            turn(cache, prompt, random.integers(1, 40, size=random.integers(1, 20)).tolist())
            recorder.add(cache.take_events())
            recorder.time(ttft_ms=1.0)
        recorder.flush()

    seen: dict[int, Snapshot] = {}
    random = np.random.default_rng(7)
    travel = Travel(recording)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    writer = threading.Thread(target=write)
    try:
        writer.start()
        while writer.is_alive():
            end = travel.end
            for position in (end, travel.stop(end, -1), travel.step(end, -2), int(random.integers(end + 1))):
                seen[position] = recording.at(position)
            steps = recording.steps
            assert [step.number for step in steps] == list(range(1, len(steps) + 1))
            for event in recording.events[max(0, end - 20) : end]:
                assert all(token in recording.pieces for token in as_array(getattr(event, "key", b"")).tolist())
    finally:
        writer.join()
        sys.setswitchinterval(interval)

    again = Recording(recording.header, recording.events)
    assert len(recording._places) > 3 and len(seen) > 20
    assert all(again.at(position) == snapshot for position, snapshot in sorted(seen.items()))
    assert recording.at(len(recording.events)) == cache.snapshot()


def test_damage_leaves_the_moments_before_it_as_they_were() -> None:
    """An event that does not fit must not be half applied to what is shown next."""
    _, recorder = chat(turns=3)
    recording = recorder.recording
    end = len(recording.events)
    last = recording.at(end)
    recording.events.extend([ev.Resized(32), ev.Evicted(77, 1, "lru", 0, 0, 1)])
    with pytest.raises(RecordingError, match="does not fit"):
        recording.at(end + 2)
    assert recording.at(end + 1).capacity == 32
    assert recording.at(end) == last


def test_a_recording_without_steps_has_none() -> None:
    """Such as a chat that was closed at once."""
    assert Recording(Header(CacheConfig(8))).steps == []


def test_steps_know_where_they_begin_and_end() -> None:
    """Step 3 of a chat is its third request."""
    _, recorder = chat(turns=4)
    steps = recorder.recording.steps
    assert [step.number for step in steps] == [1, 2, 3, 4]
    assert all(recorder.recording.at(step.end).step == step.number for step in steps)


def test_locks_and_reservations_are_no_stops() -> None:
    """A person who steps through time halts where something can be seen."""
    _, recorder = chat()
    recording = recorder.recording
    stopped = {type(recording.events[position - 1]) for position in recording.stops() if position}
    assert stopped.isdisjoint({ev.Locked, ev.Unlocked, ev.Reserved, ev.Released})
    assert {ev.Split, ev.Inserted, ev.Grown, ev.Evicted} <= stopped


def test_timings_are_separate_and_the_rest_is_the_same_every_time() -> None:
    """The same conversation gives the same bytes."""
    first, second = io.StringIO(), io.StringIO()
    chat(first)
    _, recorder = chat(second)
    recorder.time(ttft_ms=12.5)
    assert second.getvalue().replace('{"kind":"timing","ttft_ms":12.5}\n', "") == first.getvalue()


def test_a_full_recording_says_so(tmp_path: Path) -> None:
    """Past its limit nothing more is written, and the memory of it goes on."""
    file = io.StringIO()
    cache, recorder = chat(file, limit=4000)
    recording = load(written(tmp_path, file.getvalue()))

    assert recorder.full and recording.truncated
    assert len(file.getvalue()) < 8000
    assert 0 < len(recording.events) < len(recorder.recording.events)
    assert recorder.snapshot() == cache.snapshot()


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    """A killed process leaves half a line; everything before it can be replayed."""
    file = io.StringIO()
    chat(file)
    text = file.getvalue()
    recording = load(written(tmp_path, text[: len(text) - 20]))
    assert recording.truncated
    recording.at(len(recording.events))


@pytest.mark.parametrize(
    "line, message",
    [
        ("not json", "line 3 .* is damaged"),
        ('{"kind":"Exploded","seq":2}', "unknown event 'Exploded'"),
        ('{"kind":"Split","seq":2,"node":1}', "does not have these fields"),
        ('{"kind":"Reserved","seq":2,"tokens":"many"}', "'many' is not a 32-bit number"),
        ('{"kind":"Reserved","seq":2,"tokens":99999999999}', "not a 32-bit number"),
        ('{"kind":"Reserved","seq":7,"tokens":1}', "sequence number 7 where 2 belongs"),
        ('{"kind":"Inserted","seq":2,"node":1,"parent":0,"key":[1],"slots":[[1,999999999]],"tick":1}', "more slots"),
        ('{"kind":"keyframe","seq":1,"state":{}}', "no snapshot"),
        ("[1,2]", "line 3 .* is damaged"),
    ],
)
def test_damage_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    """One line says what is wrong, one what to do."""
    file = io.StringIO()
    chat(file, turns=1)
    head = file.getvalue().splitlines()[:2]
    with pytest.raises(RecordingError, match=message) as raised:
        load(written(tmp_path, "\n".join([*head, line]) + "\n"))
    assert "\n" not in raised.value.what and raised.value.fix


def test_an_event_that_does_not_fit_its_tree_is_named(tmp_path: Path) -> None:
    """Well-formed lines can still be nonsense."""
    file = io.StringIO()
    chat(file, turns=1)
    head = file.getvalue().splitlines()[:2]
    recording = load(
        written(
            tmp_path,
            "\n".join(
                [*head, '{"seq":2,"kind":"Evicted","node":77,"tokens":1,"why":"lru","order":0,"age":0,"asked":1}']
            )
            + "\n",
        )
    )
    with pytest.raises(RecordingError, match=r"event 1 .Evicted. does not fit"):
        recording.at(2)


def test_other_files_and_newer_schemas_are_refused(tmp_path: Path) -> None:
    """A future version may write more than this one understands."""
    with pytest.raises(RecordingError, match="not a radixchat recording"):
        load(written(tmp_path, "hello\n"))
    with pytest.raises(RecordingError, match="not a radixchat recording"):
        load(written(tmp_path, ""))
    with pytest.raises(RecordingError, match=f"schema {SCHEMA + 1}; this program reads up to {SCHEMA}"):
        load(written(tmp_path, json.dumps({"kind": "header", "schema": SCHEMA + 1}) + "\n"))
    with pytest.raises(RecordingError, match=r"header .* is damaged"):
        load(written(tmp_path, json.dumps({"kind": "header", "schema": SCHEMA, "config": {"capacity": -5}}) + "\n"))
    with pytest.raises(RecordingError, match="cannot be read"):
        load(tmp_path / "nothing.jsonl")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.lists(st.integers(1, 3), min_size=1, max_size=9), st.integers(0, 20)), max_size=8))
def test_every_event_and_snapshot_survives_json(turns: list[tuple[list[int], int]]) -> None:
    """Coding and decoding are inverse."""
    cache = RadixCache(40)
    for prompt, reply in turns:
        turn(cache, prompt, [4] * reply)
        snapshot = cache.snapshot()
        assert snapshot_from_json(json.loads(json.dumps(snapshot_to_json(snapshot)))) == snapshot
    for event in cache.take_events():
        assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


def test_the_header_carries_every_setting() -> None:
    """A replay behaves as the cache did."""
    config = CacheConfig(64, page_size=4, policy="slru", tie="deepest", split_recency="prefix", unit="page")
    file = io.StringIO()
    Recorder(Header(config, cache="last", model="m", tokenizer="t", bytes_per_token=3), spell, file)
    values = json.loads(file.getvalue())
    assert values["config"]["policy"] == "slru" and values["bytes_per_token"] == 3
