"""Lessons about hash blocks: what the shipped one teaches is true, and what a file may say of such a cache."""

from __future__ import annotations

import pytest

from radixchat.chat.errors import UsageError
from radixchat.chat.lessons.loading import LessonError, load_lesson, read_lesson
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.runs import Changes, text_of
from radixchat.chat.lessons.schema import Preset
from radixchat.radix import PRESETS, CacheConfig
from radixchat.radix import events as ev
from radixchat.radix.presets import TOY

FILE = """
schema: 1
title: x
about: x
cache: {cache}
arms: [{arm}]
steps:
  - title: a
    requests: [{{prompt: "a b c d e", reply: "f g h"}}]
    {more}
"""
HASH = "{kind: hash, capacity: 40}"
TREE = "{capacity: 40}"


def lesson(cache: str = HASH, arm: str = "{name: tree, cache: radix}", more: str = ""):
    return read_lesson(FILE.format(cache=cache, arm=arm, more=more).encode(), "x.yaml")


def test_names_of_presets_are_those_there_are() -> None:
    """And that of the hash that collides, which no chat takes."""
    assert set(Preset.__args__) == {*PRESETS, TOY.name}


def test_settings_that_are_not_given_are_those_of_a_chat() -> None:
    assert Stage(lesson()).run().config == CacheConfig(40, page_size=16, preset="vllm-0.33")
    own = lesson("{kind: hash, capacity: 41, preset: vllm-0.6.3, block_size: 4}")
    run = Stage(own).run()
    assert run.config == CacheConfig(40, page_size=4, preset="vllm-0.6.3")
    assert run.recording.header.cache == "hash"


@pytest.mark.parametrize(
    ("cache", "arm", "more", "words"),
    [
        ("{kind: hash, capacity: 40, policy: lru}", "{name: t}", "", "policy means nothing to a cache of kind hash"),
        ("{capacity: 40, preset: hf-cb}", "{name: t}", "", "preset means nothing to a cache of kind radix"),
        (TREE, "{name: h, cache: hash, page_size: 4}", "", "page_size means nothing to a cache of kind hash"),
        (TREE, "{name: l, cache: last, block_size: 4}", "", "block_size means nothing to a cache of kind last"),
        (HASH, "{name: t}", "ask: [{kind: split}]", "only matched and prefilled can be asked"),
        (HASH, "{name: t}", "change: {policy: mru}", "have no policy to change"),
    ],
)
def test_what_means_nothing_to_a_cache_is_refused(cache: str, arm: str, more: str, words: str) -> None:
    with pytest.raises(LessonError, match=words):
        lesson(cache, arm, more)


def test_a_tree_may_stand_beside_blocks_and_blocks_beside_a_tree() -> None:
    """With the capacity in common, and nothing else; questions may be about the tree."""
    blocks = "{name: blocks, cache: hash, block_size: 4}"
    for cache, arm, more in ((HASH, "{name: tree}", "ask: [{kind: nodes, arm: tree}]"), (TREE, blocks, "")):
        (step,) = Stage(lesson(cache, arm, more)).run().steps
        assert [sums.prefilled for _, sums, _ in step.arms] == [5]


def test_a_what_if_changes_blocks_and_no_policy() -> None:
    stage = Stage(load_lesson("hash-blocks"))
    assert stage.run(Changes(page_size=8)).config.page_size == 8
    assert stage.run(Changes(capacity=48)).sums(8).evicted > stage.run().sums(8).evicted
    for change in (Changes(policy="mru"), Changes(split_recency="prefix")):
        with pytest.raises(UsageError, match="their preset decides"):
            stage.run(change)


def test_an_answer_is_found_again_but_for_the_releases_that_hashed_it_apart() -> None:
    """Step three: the drawn cache and 0.4.2 find blocks of the answer, 0.5.4 only those of the old prompt."""
    run = Stage(load_lesson("hash-blocks")).run()
    first, third = run.steps[0], run.steps[2]
    prompt = first.done[0].prompt.size
    found = {"drawn": third.sums.matched} | {name: sums.matched for name, sums, _ in third.arms}
    assert found["vllm-0.5.4"] == prompt < found["vllm-0.4.2"] < found["drawn"] < found["radix tree"]


def test_the_toy_hash_finds_a_block_of_other_text() -> None:
    """Step six; what a model would say after it is wrong."""
    what = load_lesson("hash-blocks")
    toy = what.model_copy(
        update={"cache": what.cache.model_copy(update={"preset": "toy-8-bit"}), "arms": [], "capacities": {}}
    )
    run = Stage(toy).run(upto=6)
    step = run.steps[5]
    (done,) = step.done
    (hit,) = [event for event in run.recording.events[step.start : step.end] if isinstance(event, ev.BlocksHit)]
    before = {view.number: view for view in run.panel(5).blocks.blocks}
    held = before[hit.blocks[0]].key
    assert (
        held != done.prompt[:4].tobytes() and text_of(held, run.recording.pieces) == "assistant.\nUser: Where should I "
    )
    assert done.facts.reused_tokens == 4
