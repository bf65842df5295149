"""Simulations: figures known by hand or by trying everything, the public ones, what is printed, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import pickle
import random
import re
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.chat import cli, commands
from radixchat.chat.chat import Chat
from radixchat.chat.engine import Engine
from radixchat.chat.engine.engine import Ask
from radixchat.chat.engine.words import WordsRunner, WordsTokenizer
from radixchat.chat.errors import UsageError, UserError
from radixchat.chat.simulate import capacities, sweep
from radixchat.chat.simulate.caches import Setup, Wanted
from radixchat.chat.simulate.ids import Census, PathIds
from radixchat.chat.simulate.optimum import optimum
from radixchat.chat.simulate.reading import Request, Scope, Skipped, Unit, numbering, read
from radixchat.chat.simulate.replaying import NEXT, Row, feed, replay
from radixchat.chat.simulate.sweep import Job
from radixchat.chat.simulate.trace import Trace, pack
from radixchat.radix import NoRoom, RadixCache
from radixchat.radix import events as ev
from radixchat.radix.policies import POLICIES
from radixchat.radix.presets import PRESETS
from radixchat.radix.recording import Header, Recorder, load

from .scripted import scripted_engine

TRACES = os.environ.get("RADIXCHAT_TRACES", "")
FIELDS = "cache policy rules capacity capacity_tokens requests refused blocks hits hit_ratio tokens hit_tokens".split()
FIELDS += "token_hit_ratio evictions seconds".split()

needs_traces = pytest.mark.skipif(not TRACES, reason="RADIXCHAT_TRACES names no folder of public traces")


def line(ids: Sequence[int], block: int = 1, **other: object) -> str:
    """A line of a trace, whose last block is full."""
    values = {"timestamp": 0, "input_length": len(ids) * block, "output_length": 1, "hash_ids": list(ids)}
    return json.dumps({**values, **other})


def packed(folder: Path, requests: Sequence[Sequence[int]], replies: Sequence[int] | None = None) -> Trace:
    """A trace in memory; an id is the content of a block of one token. The last `replies` blocks are no prompt."""
    ids = PathIds(Census())
    replies = replies or [0] * len(requests)
    prompts = [(ids.number(each), len(each) - reply) for each, reply in zip(requests, replies, strict=True)]
    asked = [Request(0.0, prompt, prompt, blocks) for blocks, prompt in prompts]
    return pack("a trace", asked, 1, folder / "packed", lambda requests: None)


def run_one(trace: Trace, capacity: int, **rules: str) -> Row:
    setup = Setup("radix", **{"policy": "lru", "unit": "page", "split_recency": "prefix", "tie": "deepest", **rules})
    return replay(trace, setup, capacity, lambda requests: None)


def best(trace: Trace, capacity: int) -> Row:
    return optimum(trace, capacity, lambda requests: None)


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs `radixchat simulate …` in this process and this folder; in no other process, unless it is told to."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Result:
        jobs = [] if "--jobs" in arguments else ["--jobs", "1"]
        monkeypatch.setattr(sys, "argv", ["radixchat", "simulate", *map(str, arguments), *jobs])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    return call


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Three requests of two blocks: the second leaves the path of the first, the third repeats the first."""
    path = tmp_path / "small.jsonl"
    path.write_text("\n".join([line([0, 1]), line([0, 2]), line([0, 1])]) + "\n")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traces")


# -- by hand -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("capacity", "hits", "evictions"), [(1, 0, 0), (2, 2, 2), (3, 3, 0), (9, 3, 0)])
def test_a_shared_first_block(folder, capacity, hits, evictions):
    """At two blocks the second request evicts the end of the first; at one, nothing has room."""
    trace = packed(folder, [[0, 1], [0, 2], [0, 1]])
    row, least = run_one(trace, capacity), best(trace, capacity)
    assert (row.hits, row.evictions, row.refused) == (hits, evictions, 3 if capacity == 1 else 0)
    assert (least.hits, least.evictions) == (hits, evictions)
    assert (trace.blocks, trace.distinct, trace.first_seen, trace.limit) == (6, 3, 3, 0.5)


@pytest.mark.parametrize(("policy", "hits"), [("lru", 0), ("fifo", 0), ("mru", 2), ("filo", 1), ("lfu", 0)])
def test_a_loop_that_is_one_block_too_long(folder, policy, hits):
    """The least recent one is just what comes next; with the future known two of three repetitions are hits.

    Who evicts what was used last keeps 1 and has 3 again; who evicts what came last gives 3 away for 2, and finds 1.
    """
    trace = packed(folder, [[1], [2], [3], [1], [2], [3]])
    row, least = run_one(trace, 2, policy=policy), best(trace, 2)
    assert (row.hits, row.evictions) == (hits, 4 - hits)
    assert (least.hits, least.evictions) == (2, 2)


def test_the_same_id_after_another_block_is_another_block_when_ids_mean_content(folder):
    trace = packed(folder, [[1, 7], [2, 7], [1, 7]])
    assert (trace.distinct, run_one(trace, 9).hits) == (4, 2)


def test_a_reply_is_kept_and_not_asked_for(folder):
    """The second prompt goes on after the first reply."""
    trace = packed(folder, [[1, 2, 3], [1, 2, 3, 4]], [1, 0])
    row, least = run_one(trace, 9), best(trace, 9)
    assert (row.blocks, row.hits, least.hits, trace.first_seen) == (6, 3, 3, 3)


def test_the_last_block_of_a_prompt_counts_as_many_tokens_as_it_has(tmp_path, run):
    path = tmp_path / "partial.jsonl"
    path.write_text(line([0, 1], 512, input_length=600) + "\n" + line([0, 1], 512, input_length=600) + "\n")
    (row,) = json.loads(run(path, "--capacity", 9, "--json", "--no-optimum").out)["rows"]
    assert (row["hits"], row["hit_tokens"], row["tokens"]) == (2, 600, 1200)


# -- properties ----------------------------------------------------------------------------------------------------

PATHS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=14)
TINY = st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=3), min_size=1, max_size=7)


@given(PATHS, st.integers(1, 12))
@settings(max_examples=60)
def test_no_cache_beats_the_optimum(folder, paths, capacity):
    trace = packed(folder, paths)
    least = best(trace, capacity)
    wanted = Wanted(
        caches=("radix", "hash", "none"),
        policies=tuple(POLICIES),
        units=("page", "leaf"),
        splits=("prefix", "both"),
        presets=tuple(PRESETS),
    )
    for setup in wanted.setups():
        row = replay(trace, setup, capacity, lambda requests: None)
        assert row.hits <= least.hits and row.evictions >= (0 if setup.cache == "none" else least.evictions)
        assert (row.refused, row.blocks, row.tokens) == (least.refused, least.blocks, least.tokens)
    assert best(trace, 99).hit_ratio == run_one(trace, 99).hit_ratio == trace.limit


@given(TINY, st.integers(1, 4), st.data())
@settings(max_examples=150)
def test_the_optimum_is_what_trying_everything_finds(folder, paths, capacity, data):
    """Exactly so for prompts; a bound from above where there are replies."""
    replies = data.draw(st.lists(st.integers(0, 1), min_size=len(paths), max_size=len(paths)))
    replies = [min(reply, len(path) - 1) for reply, path in zip(replies, paths, strict=True)]
    trace = packed(folder, paths, replies)
    found = tried(trace, capacity)
    assert best(trace, capacity).hits >= found
    if not any(replies):
        assert best(trace, capacity).hits == found


def tried(trace: Trace, capacity: int) -> int:
    """The most hits of all ways to choose what stays, as long as nothing stays without what is before it."""
    reached: dict[frozenset[int], int] = {frozenset(): 0}
    parents: dict[int, int] = {}
    for request in trace:
        path = list(array("i", request.blocks))
        parents.update(zip(path[1:], path, strict=False))
        if len(path) > capacity:
            continue
        after: dict[frozenset[int], int] = {}
        for there, hits in reached.items():
            hits += next((at for at, block in enumerate(path[: request.prompt]) if block not in there), request.prompt)
            others = there - set(path)
            for size in range(min(len(others), capacity - len(path)) + 1):
                for kept in combinations(sorted(others), size):
                    state = frozenset((*path, *kept))
                    if all(parents.get(block, block) in state for block in kept):
                        after[state] = max(hits, after.get(state, 0))
        reached = after
    return max(reached.values())


@given(PATHS, st.integers(1, 12), st.sampled_from(list(PRESETS)))
@settings(max_examples=100)
def test_hash_blocks_are_a_radix_tree_at_block_grain(folder, paths, capacity, preset):
    """With eviction of single blocks, a split that refreshes the prefix only, and the deepest first.

    The oldest releases forget that the last block of a request was computed: they hold it, and it counts only once
    another request has gone on behind it.
    """
    trace = packed(folder, paths)
    hashed = replay(trace, Setup("hash", preset=preset), capacity, lambda requests: None)
    row = run_one(trace, capacity)
    assert hashed.refused == row.refused
    if preset == "hf-cb":
        assert hashed.hits <= row.hits
        return
    assert hashed.evictions == row.evictions
    forgotten = row.requests if PRESETS[preset].computed_gate == "flag-short" else 0
    assert row.hits - forgotten <= hashed.hits <= row.hits


@given(PATHS, st.integers(1, 12), st.sampled_from(["vllm-0.11", "vllm-0.33", "nano-vllm"]), st.data())
@settings(max_examples=60)
def test_so_they_are_with_replies_that_no_other_request_has(folder, paths, capacity, preset, data):
    """Generated blocks that are there already are computed beside them; a prompt may go on after what was generated."""
    asked: list[list[int]] = []
    for number, own in enumerate(paths):
        earlier = data.draw(st.sampled_from([[], *asked]))
        asked.append([*earlier, *own, 100 + number])
    trace = packed(folder, asked, [1] * len(asked))
    hashed = replay(trace, Setup("hash", preset=preset), capacity, lambda requests: None)
    row = run_one(trace, capacity)
    assert (hashed.hits, hashed.evictions, hashed.refused) == (row.hits, row.evictions, row.refused)


@given(PATHS, st.integers(5, 12), st.sampled_from(list(PRESETS)), st.data())
@settings(max_examples=100)
def test_every_block_of_a_cache_is_accounted_for_after_every_request(folder, paths, capacity, preset, data):
    """And nothing but blocks of the trace is in it: the token after a prompt is none."""
    replies = data.draw(st.lists(st.integers(0, 2), min_size=len(paths), max_size=len(paths)))
    trace = packed(folder, paths, [min(reply, len(path)) for reply, path in zip(replies, paths, strict=True)])
    cache = Setup("hash", preset=preset).make(capacity)
    for request in trace:
        outcome = feed(cache, request)
        assert outcome.matched <= request.prompt
        cache.check_integrity([])
        assert all(block.key != NEXT for block in cache.state.nodes.values())


@pytest.mark.parametrize(
    ("preset", "hits"), [("vllm-0.4.2", 7), ("vllm-0.5.4", 7), ("vllm-0.6.3", 8), ("vllm-0.11", 8), ("vllm-0.33", 8)]
)
def test_a_prompt_that_fills_the_cache_and_comes_again(folder, preset, hits):
    """Whoever has all blocks of it needs no room, though the last of them may not count."""
    trace = packed(folder, [range(8)] * 3)
    row = replay(trace, Setup("hash", preset=preset), 8, lambda requests: None)
    assert (row.hits, row.evictions) == (2 * hits, 0)


@pytest.mark.parametrize(
    ("preset", "hits"), [("vllm-0.4.2", 4), ("vllm-0.5.4", 3), ("vllm-0.6.3", 3), ("vllm-0.11", 5), ("hf-cb", 5)]
)
def test_a_prompt_finds_a_reply_as_its_release_would(folder, preset, hits):
    """From 0.5.4 to 0.6.3 generated text has other hashes than the same text in a prompt; 0.4.2 forgets its last block.

    The second reply begins as the first one did not.
    """
    trace = packed(folder, [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6], [1, 2, 3, 9]], [2, 0, 1])
    row = replay(trace, Setup("hash", preset=preset), 20, lambda requests: None)
    assert row.hits == hits + 3


# -- reading -------------------------------------------------------------------------------------------------------

GOOD = line([0, 1])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"timestamp": 0, "input_length": 2, "outp', "is no JSON"),
        ("[1, 2]", "is no JSON object"),
        ("[" * 100_000, "is no JSON"),
        ("\x00\xff", "is no JSON"),
        ('{"timestamp": 0}', "input_length (missing) is no size of a prompt"),
        (line([2, 3], input_length=-2), "input_length -2 is no size of a prompt"),
        (line([], input_length=0), "input_length 0 is no size of a prompt"),
        (line([2, 3], input_length=2.0), "input_length 2.0 is no size of a prompt"),
        (line([2, 3], output_length=-1), "output_length -1 is no size of a reply"),
        (line([2, 3], timestamp=-1), "timestamp -1 is no time"),
        (line([2, 3], timestamp=float("nan")), "timestamp NaN is no time"),
        (line([2, 3], timestamp="\x1b[2Jnow"), 'timestamp "\\u001b[2Jnow" is no time'),
        (line([2, 3], hash_ids=7), "hash_ids 7 is no list of numbers"),
        (line([2, 3], hash_ids=[2, "3"]), "hash_ids of 2 items is no list of numbers"),
        (line([2, 3], input_length=3), "2 hash_ids for 3 tokens, where blocks of 1 make 3"),
        (line([1]), "id 1 stands at the start; it stood after id 0 before"),
        (line([0, 0]), "id 0 stands after id 0; it stood at the start before"),
        (line([2, 3, 2]), "id 2 stands twice in one list"),
        (line([0, 1, 2, 2]), "id 2 stands twice in one list"),
        (line([0, 2, 1]), "id 1 stands after id 2; it stood after id 0 before"),
        (line([2, 1]), "id 1 stands after id 2; it stood after id 0 before"),
    ],
)
def test_a_bad_line_is_told_with_its_number_or_left_out(tmp_path, run, bad, reason):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(f"{GOOD}\n{bad}\n\n{GOOD}\n".encode("latin-1"))
    refused = run(path, "--trace-block", 1, "--capacity", 9)
    assert refused.code == 1 and refused.out == ""
    assert len(refused.err.splitlines()) == 2
    assert f"line 2 of bad.jsonl: {reason}" in refused.err
    skipped = run(path, "--trace-block", 1, "--capacity", 9, "--skip-bad", "--json", "--no-optimum")
    values = json.loads(skipped.out)
    assert skipped.code == 0 and reason in skipped.err
    assert values["trace"]["skipped_lines"] == 1 and values["trace"]["requests"] == 2
    assert (values["trace"]["distinct_blocks"], values["rows"][0]["hits"]) == (2, 2), "a bad line leaves nothing behind"


def test_a_file_that_ends_in_the_middle_says_so(tmp_path, run):
    path = tmp_path / "cut.jsonl"
    path.write_text(f"{GOOD}\n{GOOD[:-9]}")
    assert "line 2 of cut.jsonl: is cut off" in run(path, "--trace-block", 1).err


def test_the_size_of_blocks_that_would_fit_is_named(tmp_path, run):
    path = tmp_path / "sixteen.jsonl"
    path.write_text(line(range(40), 16) + "\n")
    assert "Give --trace-block 16." in run(path).err
    assert run(path, "--trace-block", 16, "--capacity", 99).code == 0


def test_many_bad_lines_are_counted_and_the_first_ones_told(tmp_path, run):
    path = tmp_path / "bad.jsonl"
    path.write_text("nothing\n" * 50 + GOOD + "\n")
    told = run(path, "--trace-block", 1, "--skip-bad").err.splitlines()
    assert [one for one in told if one.startswith("skipped")][-1] == "skipped 50 lines in all" and len(told) < 10


def test_a_long_line_is_bad_in_the_time_that_it_takes_to_read_it(tmp_path, run):
    """Whatever is wrong with it; so are many bad lines after many good ones."""
    path = tmp_path / "long.jsonl"
    good = "".join(line(range(at, at + 100)) + "\n" for at in range(0, 60_000, 100))
    short = "".join(line([at % 5, 59_999 - at]) + "\n" for at in range(0, 5_000, 2))
    path.write_text(good + line([*range(60_000, 180_000), 179_998]) + "\n" + short)
    start = time.process_time()
    told = run(path, "--trace-block", 1, "--capacity", 9, "--skip-bad", "--no-optimum")
    assert time.process_time() - start < 5, "a search in what is known, for each id or line, takes ten times as long"
    assert "id 179998 stands twice in one list" in told.err and "skipped 2,501 lines in all" in told.err


def test_a_line_without_end_fills_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("radixchat.chat.simulate.reading.LONGEST", 128)
    path = tmp_path / "long.jsonl"
    path.write_text("[" * 1000 + "\n" + line([7]) + "\n")
    skipped = Skipped(skip=True)
    assert len(list(read(path, 1, Unit.MS, numbering(Scope.PREFIX, 1)[0], skipped))) == 1
    assert skipped.reasons == ["line 1 of long.jsonl: is longer than 128 bytes"]


def test_files_are_merged_by_time_and_their_ids_told_apart(tmp_path, run):
    """Seconds in both; with ids that mean the same everywhere the second file contradicts the first."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text(line([0, 1], timestamp=1) + "\n" + line([0, 1], timestamp=3) + "\n")
    second.write_text(line([1, 0], timestamp=2) + "\n")
    told = run(first, second, "--trace-block", 1)
    assert told.code == 1 and "--ids trace" in told.err
    args = first, second, "--trace-block", 1, "--ids", "trace", "--time", "s", "--json", "--capacity"
    assert json.loads(run(*args, 2).out)["rows"][0]["hits"] == 0, "what came between took the room"
    about = json.loads(run(*args, 4).out)
    assert (about["rows"][0]["hits"], about["trace"]["span_seconds"]) == (2, 2.0)


@pytest.mark.parametrize("missing", ["nowhere.jsonl", "."])
def test_a_trace_that_cannot_be_read(run, missing):
    told = run(missing)
    assert told.code == 2 and "cannot be read" in told.err


def test_a_trace_without_a_request(tmp_path, run):
    """What was wrong with its lines is told, too."""
    (tmp_path / "empty.jsonl").write_text("\n")
    assert run("empty.jsonl").code == 1
    (tmp_path / "text.jsonl").write_text("some text\n")
    told = run("text.jsonl", "--skip-bad")
    assert told.code == 1 and "skipped line 1 of text.jsonl: is no JSON" in told.err


# -- options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "blocks"),
    [
        *(("5", 5), ("1k", 1000), ("1.5K", 1500), ("1_000", 1000), ("1ki", 1024), ("2M", 2_000_000)),
        *(("2Mtok", 3906), ("512tok", 1), ("8GB", 1271), ("8GiB", 1365)),
    ],
)
def test_capacities(word, blocks):
    assert capacities.parse([word], 512, capacities.kv_bytes_of("Qwen/Qwen2.5-0.5B-Instruct", None)) == [blocks]


@pytest.mark.parametrize("word", ["0", "-1", "1x", "511tok", "k", "1e9", "", "9" * 5000])
def test_what_is_no_capacity(word):
    with pytest.raises(UsageError):
        capacities.parse([word], 512, 1)


@pytest.mark.parametrize(
    ("distinct", "first", "last"), [(182_790, 1000, 200_000), (43_924, 200, 50_000), (3, 1, 5), (1, 1, 1)]
)
def test_the_ladder_ends_where_everything_fits(distinct, first, last):
    steps = capacities.ladder(distinct)
    assert (steps[0], steps[-1]) == (first, last) and steps == sorted(set(steps)) and len(steps) <= 8


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--cache", "raddix"], "Choose among radix, hash, none."),
        (["--policy", "lru,best"], "lru, lfu, fifo"),
        (["--cache", "hash", "--preset", "vllm-1"], "vllm-0.4.2, vllm-0.5.4"),
        (["--cache", "hash", "--policy", "lfu"], "--policy is of --cache radix"),
        (["--preset", "vllm-0.11"], "--preset is of --cache hash"),
        (["--time", "h"], "ms, s"),
        (["--ids", "some"], "prefix, content, trace"),
        (["--capacity", "8GB"], "--of"),
        (["--capacity", "0"], "Give more."),
        (["--capacity", "9" * 30], "Give less."),
        (["--plot", "plot.png"], "Name it FILE.svg."),
        (["--capacity", "8GB", "--of", "gpt"], "Qwen2.5-0.5B"),
        (["--of", "qwen3-0.6b", "--model-kv-bytes", "4"], "Give one of them."),
        (["--json", "--csv"], "Give one of them."),
        (["--window", "1:2"], "--record"),
        (["--record", "r.jsonl"], "one --capacity"),
        (["--record", "r.jsonl", "--capacity", "9", "--window", "4:2"], "--window 1:100"),
        (["--record", "r.jsonl", "--capacity", "9", "--window", "4:5"], "The trace has 3"),
        (["--record", "nowhere/r.jsonl", "--capacity", "9"], "does not exist"),
        (["--plot", "nowhere/p.svg"], "does not exist"),
    ],
)
def test_what_is_refused(run, trace, tmp_path, options, says):
    told = run(trace, "--trace-block", 1, *options)
    assert told.code == 2 and told.out == ""
    assert says in told.err and len(told.err.splitlines()) == 2
    assert os.listdir(tmp_path) == [trace.name], "nothing was written"


# -- results -------------------------------------------------------------------------------------------------------


def test_the_table(run, trace, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    told = run(trace, "--trace-block", 1, "--cache", "radix,hash", "--cache", "none", "--capacity", "2,3")
    cells = [re.split(r"\s{2,}", row.strip()) for row in told.out.splitlines() if "%" in row]
    assert [row[0] for row in cells] == [name for name in ("radix", "hash", "none", "optimum") for _ in (2, 3)]
    assert cells[0][:6] == ["radix", "lru", "page prefix deepest", "2", "33.33%", "33.33%"]
    assert "3 requests" in told.err and "50.00%" in told.err


@pytest.mark.parametrize("columns", [80, 100])
def test_no_word_and_no_figure_of_the_table_is_cut(run, tmp_path, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    (tmp_path / "wide.jsonl").write_text(line(range(123_456)) + "\n" + line([0]) + "\n")
    told = run("wide.jsonl", "--trace-block", 1, "--cache", "radix,hash", "--capacity", "100k,200k", "--ascii")
    assert told.out.isascii() and max(map(len, told.out.splitlines())) <= columns
    assert told.out.count("100,000") == told.out.count("200,000") == 3
    assert told.out.count("vllm-0.33") == 2 and "optimum" in told.out and "…" not in told.out


def test_json_and_csv_carry_the_same(run, trace):
    args = trace, "--trace-block", 1, "--policy", "lru,lfu", "--capacity", "2,3"
    values, rows = json.loads(run(*args, "--json").out), list(csv.DictReader(io.StringIO(run(*args, "--csv").out)))
    assert values["trace"]["unbounded_hit_ratio"] == 0.5
    assert len(values["rows"]) == len(rows) == 6
    for ours, theirs in zip(values["rows"], rows, strict=True):
        assert list(ours) == list(theirs) == FIELDS
        assert {name: str(ours[name]) for name in FIELDS[:-1]} == {name: theirs[name] for name in FIELDS[:-1]}
        assert isinstance(ours["seconds"], float) and isinstance(ours["capacity"], int)
    assert [row["cache"] for row in rows] == ["radix"] * 4 + ["optimum"] * 2


def test_the_plot_has_a_line_for_each_cache_the_optimum_and_the_limit(run, trace, tmp_path):
    pytest.importorskip("matplotlib")
    told = run(trace, "--trace-block", 1, "--policy", "lru,mru", "--unit", "page,leaf", "--plot", "plot.svg")
    assert told.code == 0 and "wrote plot.svg" in told.err
    text = (tmp_path / "plot.svg").read_text()
    for name in ("radix lru page", "radix mru leaf", "optimum belady", "unbounded", "Hit ratio on small.jsonl"):
        assert name in text, name


@pytest.mark.parametrize("cache", ["radix", "hash", "none"])
def test_a_window_is_recorded_and_replays(run, tmp_path, cache):
    """What the recording tells adds up to what a simulation of the same requests counts."""
    chance = random.Random(0)
    path = tmp_path / "random.jsonl"
    path.write_text("".join(line([chance.randrange(3) for _ in range(chance.randint(1, 6))]) + "\n" for _ in range(60)))
    options = ["--trace-block", 1, "--ids", "content", "--cache", cache, "--capacity", 12]
    told = run(path, *options, "--record", "part.jsonl", "--window", "1:40")
    assert told.code == 0 and "requests 1 to 40" in told.err
    recording = load("part.jsonl")
    finished = [event for event in recording.events if isinstance(event, ev.RequestFinished)]
    row = json.loads(run(path, *options, "--limit", 40, "--json").out)["rows"][0]
    assert len(recording.steps) == len(finished) == 40
    assert sum(event.matched for event in finished) == row["hits"]
    assert sum(event.evicted_tokens for event in finished) == row["evictions"]
    assert recording.at(len(recording.events)).capacity == 12
    assert set(recording.pieces.values()) <= {b"b%d " % number for number in range(200)}
    if cache == "none":
        assert "tells the tokens of no request" in run("part.jsonl").err
        return
    again = json.loads(run("part.jsonl", *options[4:], "--json").out)["rows"][0]
    assert [again[name] for name in FIELDS[:-1]] == [row[name] for name in FIELDS[:-1]]


def test_a_simulation_brings_no_heavy_package_along(trace, home):
    """Not even when it records; only a plot needs matplotlib."""
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules))\n"
        f"sys.argv = {['radixchat', 'simulate', str(trace), '--trace-block', '1', '--cache', 'radix,hash']!r}\n"
        "from radixchat.chat.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=home.parent, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert "radixchat.radix.tree" in loaded
    assert not {"torch", "transformers", "triton", "textual", "matplotlib"}.intersection(loaded)


def test_a_chat_that_was_recorded_is_a_trace(run, home):
    """What a simulation without bounds finds is what the chat found; the second prompt has the first reply in it."""
    chat = Chat(lambda model: scripted_engine("One.", "Two.", "Three."), record=Path("chat.jsonl"), keep=True)
    for text in ("Hello", "And you?", "/new", "Help"):
        list(commands.run(chat, text) if text.startswith("/") else chat.send(text))
    finished = [event for event in chat.journal.recording.events if isinstance(event, ev.RequestFinished)]
    chat.close()
    (row,) = json.loads(run("last", "--capacity", "1k", "--json", "--no-optimum").out)["rows"]
    assert row["requests"] == len(finished) == 3
    assert row["tokens"] == sum(event.prompt for event in finished)
    assert row["hits"] == sum(event.matched for event in finished) > finished[0].prompt
    paged = json.loads(run("chat.jsonl", "--trace-block", 16, "--capacity", "1k", "--json").out)["rows"][0]
    assert row["hits"] - 3 * 16 < paged["hit_tokens"] <= row["hits"]


@pytest.mark.parametrize("cache", ["radix", "hash"])
def test_a_chat_is_a_trace_for_hash_blocks_too(run, home, cache):
    """What it generated is found again by its next prompt; so says a recording of the simulation."""
    chat = Chat(lambda model: scripted_engine("One.", "Two."), record=Path("chat.jsonl"), keep=True)
    for text in ("Hello", "And you?"):
        list(chat.send(text))
    finished = [event for event in chat.journal.recording.events if isinstance(event, ev.RequestFinished)]
    chat.close()
    options = "--capacity", "1k", "--cache", cache
    (row,) = json.loads(run("chat.jsonl", *options, "--json", "--no-optimum").out)["rows"]
    assert row["hits"] == sum(event.matched for event in finished)
    assert run("chat.jsonl", *options, "--record", "part.jsonl").code == 0
    (again,) = json.loads(run("part.jsonl", *options, "--json", "--no-optimum").out)["rows"]
    assert [again[name] for name in FIELDS[:-1]] == [row[name] for name in FIELDS[:-1]]


def test_a_request_of_which_a_recording_does_not_tell_all_is_left_out(run, tmp_path):
    """With pages of 4 the second prompt ends inside the node of the first, whose tokens are not its own."""
    words = WordsTokenizer()
    engine = Engine(WordsRunner(), RadixCache(64, page_size=4), words, name="words", cache_name="radix")
    with (tmp_path / "chat.jsonl").open("w", encoding="utf-8") as file:
        recorder = Recorder(Header(engine.cache.config, cache="radix"), words.token_bytes, file)
        engine.listeners.append(recorder.add)
        for prompt in ("a b c d e f g h i j k l", "a b c d e f g h x y", "a b c d e f g h i j k l"):
            engine.run([Ask(prompt=words.encode(prompt), forced=(words.encode("z"),))])
        recorder.flush()
    told = run("chat.jsonl", "--capacity", "1k", "--json", "--no-optimum")
    values = json.loads(told.out)
    assert "left out 1 request: a recording does not tell all of their tokens" in told.err
    assert (values["trace"]["requests"], values["trace"]["requests_left_out"]) == (2, 1)
    assert (values["rows"][0]["hits"], values["trace"]["distinct_blocks"]) == (12, 12)


# -- processes -----------------------------------------------------------------------------------------------------


def test_two_processes_find_what_one_does(run, trace):
    args = trace, "--trace-block", 1, "--cache", "radix,none", "--capacity", "2,3", "--json", "--jobs"
    one, two = (json.loads(run(*args, jobs).out)["rows"] for jobs in (1, 2))
    assert [{**row, "seconds": 0} for row in one] == [{**row, "seconds": 0} for row in two]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_replay_that_breaks_off_is_told_in_two_lines(folder, workers):
    jobs = [Job(Setup("hash", preset="vllm-9"), 1_000), Job(Setup("none"), 9)]
    with pytest.raises(UserError) as told:
        sweep.sweep(packed(folder, [[1], [2]]), jobs, workers, lambda done: None)
    assert told.value.what == "hash vllm-9 with 1,000 blocks broke off: KeyError: 'vllm-9'"
    assert "report" in told.value.fix and not multiprocessing.active_children()


def test_what_a_worker_ran_into_crosses_to_the_process_that_asked():
    for error in (NoRoom(3, 2), sweep.Failed("why")):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_an_interrupt_ends_the_workers(folder):
    trace = packed(folder, [[1], [2]])

    def interrupt(done: int) -> None:
        assert multiprocessing.active_children()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep.sweep(trace, [Job(Setup("none"), 9)] * 4, 2, interrupt)
    assert not multiprocessing.active_children()


def test_ctrl_c_at_a_terminal_leaves_nobody_behind(tmp_path):
    """The work would take hours: the oldest rules hash every prefix anew."""
    pexpect = pytest.importorskip("pexpect")
    path = tmp_path / "long.jsonl"
    path.write_text("".join(line(range(at, at + 3000)) + "\n" for at in range(0, 600_000, 3000)))
    options = "--trace-block 1 --cache hash --preset vllm-0.4.2 --capacity 3k,4k --jobs 2".split()
    child = pexpect.spawn(
        sys.executable, ["-m", "radixchat", "simulate", str(path), *options], timeout=60, encoding="utf-8",
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    child.expect("simulating")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert "Traceback" not in child.before
    until = time.monotonic() + 20
    while living(child.pid):  # the last of them ends when it sees that the others have
        assert time.monotonic() < until, living(child.pid)
    assert os.listdir(tmp_path) == [path.name]


def living(group: int) -> list[str]:
    """The processes of a group that have not ended; those that nobody has asked for since do not count."""
    listed = subprocess.run(["ps", "-axo", "pgid=,stat=,command="], capture_output=True, text=True, check=True).stdout
    found = [one.split(maxsplit=2) for one in listed.splitlines()]
    return [" ".join(command) for pgid, stat, *command in found if int(pgid) == group and "Z" not in stat]


# -- public traces -------------------------------------------------------------------------------------------------

HALVES = ("page", "prefix"), ("leaf", "prefix"), ("page", "both"), ("leaf", "both")
PUBLISHED = {  # evicted blocks of the four variants, whose first is block LRU; hits of the first
    ("synthetic", 1_000): (8.41, 110_625, 110_832, 110_638, 110_857),
    ("synthetic", 2_000): (14.64, 102_038, 102_339, 102_073, 102_336),
    ("synthetic", 5_000): (27.93, 82_834, 82_921, 82_868, 82_914),
    ("synthetic", 10_000): (42.39, 60_208, 60_359, 60_252, 60_370),
    ("synthetic", 20_000): (57.18, 32_191, 32_228, 32_232, 32_271),
    ("conversation", 1_000): (4.45, 274_653, 274_688, 274_653, 274_688),
    ("conversation", 2_000): (5.43, 270_835, 271_014, 270_864, 271_035),
    ("conversation", 5_000): (11.18, 251_240, 251_670, 251_568, 251_816),
    ("conversation", 10_000): (21.16, 217_454, 217_694, 218_575, 218_883),
    ("conversation", 20_000): (28.78, 185_465, 185_477, 186_011, 186_069),
}
SHORT = [("synthetic", 2_000)]


@pytest.fixture(scope="module")
def public(folder: Path) -> dict[str, Trace]:
    def one(name: str) -> Trace:
        requests = read(Path(TRACES) / f"{name}_trace.jsonl", 512, Unit.MS, numbering(Scope.PREFIX, 1)[0], Skipped())
        return pack(name, requests, 512, folder / name, lambda requests: None)

    return {name: one(name) for name in ("conversation", "synthetic")}


@needs_traces
def test_what_the_public_traces_are(public):
    conversation, synthetic = public["conversation"], public["synthetic"]
    assert (conversation.requests, conversation.blocks, conversation.distinct) == (12_031, 288_500, 182_790)
    assert (synthetic.requests, synthetic.blocks, synthetic.distinct) == (3_993, 121_877, 43_924)
    assert f"{conversation.limit:.1%} {synthetic.limit:.1%} {conversation.token_limit:.1%}" == "36.6% 64.0% 37.4%"
    assert (conversation.longest, synthetic.longest) == (247, 374)


@needs_traces
@pytest.mark.parametrize(("capacity", "percent"), [(5_000, 11.2), (50_000, 35.5)])
def test_the_published_hit_ratios(public, capacity, percent):
    assert round(run_one(public["conversation"], capacity).hit_ratio * 100, 1) == percent


@needs_traces
@pytest.mark.parametrize(
    "cell", [*SHORT, *(pytest.param(cell, marks=pytest.mark.slow) for cell in PUBLISHED if cell not in SHORT)], ids=str
)
def test_hits_and_evictions_of_four_variants_and_of_hash_blocks(public, cell):
    (name, capacity), (percent, *evictions) = cell, PUBLISHED[cell]
    rows = [run_one(public[name], capacity, unit=unit, split_recency=split) for unit, split in HALVES]
    assert [row.evictions for row in rows] == evictions
    assert round(rows[0].hit_ratio * 100, 2) == percent
    hashed = replay(public[name], Setup("hash", preset="vllm-0.33"), capacity, lambda requests: None)
    assert (hashed.hits, hashed.evictions) == (rows[0].hits, rows[0].evictions)
