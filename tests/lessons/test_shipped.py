"""Every lesson that comes with the program: it holds, it is told in two languages, and its numbers are true."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from rich.cells import cell_len

from radixchat.chat.lessons.asking import pose
from radixchat.chat.lessons.checking import check
from radixchat.chat.lessons.exhibits import price_of
from radixchat.chat.lessons.facts import FACTS, fill
from radixchat.chat.lessons.loading import load_lesson, shipped
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.runs import Changes, Run
from radixchat.chat.lessons.schema import Lesson, Said
from radixchat.viz.trie import trie_size

NAMES = (
    "nine-steps", "trie-to-radix", "multi-turn", "system-prompt", "few-shot", "policies", "page-size", "the-price",
    "hash-blocks",
)  # fmt: skip
FACTS_OF = ("prompt", "matched", "reused", "prefilled", "generated")

RECORD = """
import sys
from hashlib import sha256
from io import StringIO
from radixchat.chat.lessons.loading import load_lesson, shipped
from radixchat.chat.lessons.running import Stage
from radixchat.radix.recording import Recorder

for name in shipped():
    run, file = Stage(load_lesson(name)).run(), StringIO()
    recorder = Recorder(run.recording.header, run.recording.pieces.__getitem__, file)
    recorder.add(run.recording.events)
    recorder.flush()
    letters = [step.letters for step in run.steps]
    print(name, sha256((file.getvalue() + repr(letters)).encode()).hexdigest(), len(run.recording.events))
"""

LIGHT = """
import atexit, sys
atexit.register(lambda: print(*sys.modules))
sys.argv = ["radixchat", "lesson", "nine-steps", "--model", "words", "--check"]
from radixchat.chat.cli import main
main()
"""


@cache
def lesson(name: str) -> Lesson:
    return load_lesson(name)


@cache
def run_of(name: str, model: str = "words") -> Run:
    return Stage(lesson(name), model).run()


def said(name: str) -> Iterator[tuple[str, Said]]:
    """Everything that a lesson tells, and where."""
    what = lesson(name)
    yield from (("title", what.title), ("about", what.about))
    for number, step in enumerate(what.steps, start=1):
        told = {"title": step.title, "say": step.say, "note": step.note}
        for field, text in told.items():
            assert text is not None, f"{name}: step {number} has no {field}"
            yield f"step {number} {field}", text
        for question in step.ask:
            yield from ((f"step {number} ask", text) for text in (question.text, question.why) if text is not None)
    yield from ((f"arm {arm.name.text('en')}", arm.name) for arm in what.arms)


def test_the_lessons_come_in_the_order_of_teaching() -> None:
    assert shipped() == [*NAMES]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["words", "radish"])
def test_a_lesson_is_as_it_says(name: str, model: str) -> None:
    """On radish the forwards are real; what is expected in words is not asked of it."""
    failed = [done for done in check(run_of(name, model)) if not done.passed]
    assert not failed


@pytest.mark.parametrize("name", NAMES)
def test_every_step_expects_what_it_does(name: str) -> None:
    """Structure and evictions of every step, and the tokens of every request."""
    what = lesson(name)
    assert 4 <= len(what.steps) <= 12
    for step in what.steps:
        assert step.expect is not None
        assert step.expect.words is not None
        if what.cache.kind == "hash":  # what a block holds depends on the tokenizer
            assert step.expect.words.evicted is not None
        else:
            assert step.expect.evicted is not None
        assert step.expect.words.resident is not None
        if step.requests:
            assert all(getattr(step.expect.words, field) is not None for field in FACTS_OF)
        if name == "nine-steps":
            assert step.expect.tree is not None


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_told_in_english_and_chinese(name: str) -> None:
    assert lesson(name).languages >= {"en", "zh"}
    for where, text in said(name):
        english, chinese = text.root["en"], text.root.get("zh", "")
        assert not re.search(r"[^\x20-\x7e]", english), (where, english)
        if where.startswith("arm") and english.isupper():
            continue  # LRU is LRU
        assert re.search(r"[\u4e00-\u9fff]", chinese), (where, english)
        assert not re.search(r"[\u4e00-\u9fff][,.;:!?]|[\u4e00-\u9fff] [\u4e00-\u9fff]", chinese), (where, chinese)
        assert sorted(re.findall(r"\{.*?\}", chinese)) == sorted(re.findall(r"\{.*?\}", english)), where


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["words", "radish"])
def test_narration_fits_three_lines(name: str, model: str) -> None:
    """Of 100 cells, with its numbers filled in."""
    run = run_of(name, model)
    for number, step in enumerate(run.lesson.steps, start=1):
        assert step.say is not None
        for lang in ("en", "zh"):
            text = fill(step.say.text(lang), run, number)
            assert "{" not in text
            assert lines(text) <= 3, (number, lang, text)


def lines(text: str, width: int = 100) -> int:
    """How many lines a text takes: Latin words are not broken, Chinese is broken anywhere."""
    count, used = 1, 0
    for word in re.findall(r"[\x21-\x7e]+ ?| |[^\x20-\x7e]", text):
        if used + cell_len(word.rstrip()) > width:
            count, used = count + 1, 0
        used += cell_len(word)
    return count


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["words", "radish"])
def test_every_question_can_be_asked(name: str, model: str) -> None:
    """With one right answer, and wrong ones that differ from it and say why."""
    run = run_of(name, model)
    asked = 0
    for number, step in enumerate(run.lesson.steps, start=1):
        for question in step.ask:
            for lang in ("en", "zh"):
                posed = pose(run, number, question, lang)
                assert posed is not None, (number, question.kind)
                assert sum(choice.right for choice in posed.choices) == 1
                assert len({choice.text for choice in posed.choices}) == len(posed.choices) > 1
                assert all(choice.right or choice.because for choice in posed.choices)
                asked += 1
    assert asked >= 6


def test_no_two_lessons_are_called_alike() -> None:
    for lang in ("en", "zh"):
        assert len({lesson(name).title.text(lang) for name in NAMES}) == len(NAMES)
        assert len({lesson(name).about.text(lang) for name in NAMES}) == len(NAMES)
    for name in NAMES:
        assert len({step.title.text("en") for step in lesson(name).steps}) == len(lesson(name).steps)


def test_numbers_of_steps_that_are_told_are_filled_in() -> None:
    """No narration counts tokens itself, but for those that hold for every model."""
    for name in NAMES:
        for where, text in said(name):
            if where.endswith("say"):
                known = "|".join(FACTS)
                bare = re.sub(rf"\{{({known}|arm:.*?)\}}", "", text.root["en"])
                assert not re.search(r"\b\d+ (?:\w+ )?tokens\b", bare), (name, where, bare)


def test_recordings_are_the_same_under_any_hash_seed(tmp_path: Path) -> None:
    """Byte for byte, in two processes."""
    first, second = (
        subprocess.run(
            [sys.executable, "-c", RECORD],
            capture_output=True, text=True, check=True, cwd=tmp_path, env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "4242")
    )  # fmt: skip
    assert first == second
    assert [line.split()[0] for line in first.splitlines()] == [*NAMES]


def test_checking_the_nine_steps_takes_a_second_and_no_heavy_package(tmp_path: Path) -> None:
    """About 0.5 s on the machine this was written on; the bound leaves room for a busy one."""
    begun = perf_counter()
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, cwd=tmp_path)
    took = perf_counter() - begun
    assert done.returncode == 0, done.stdout + done.stderr
    told, *_, modules = done.stdout.splitlines()
    assert told.startswith("step 1")
    assert not {"torch", "transformers", "triton", "textual"}.intersection(modules.split())
    assert took < 5


# -- what the lessons say is true, held against other ways to count ----------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["words", "radish"])
def test_tokens_add_up(name: str, model: str) -> None:
    run = run_of(name, model)
    for step in run.steps:
        assert step.sums.reused + step.sums.prefilled == step.sums.prompt
        for _, ours, total in step.arms:
            assert ours.prompt == step.sums.prompt and ours.reused + ours.prefilled == ours.prompt
            assert total.reused + total.prefilled == total.prompt
    for before, after in pairwise(run.steps):
        for (_, _, held), (_, ours, total) in zip(before.arms, after.arms, strict=True):
            assert total == held.plus(ours)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_found_is_the_longest_beginning_that_was_said(name: str) -> None:
    """In steps before anything was evicted, by comparing token by token with all that was said."""
    run, known = run_of(name), []
    size = run.config.page_size
    for step in run.steps:
        if step.sums.evicted:
            break
        for one in step.done:
            if one.sample or one.request:
                continue  # what runs beside it may have said it first
            longest = max((same(one.prompt, key) for key in known), default=0)
            assert one.facts.matched_tokens == longest // size * size
        known += step.keys


def same(left: np.ndarray, right: np.ndarray) -> int:
    size = min(left.size, right.size)
    differ = np.flatnonzero(left[:size] != right[:size])
    return int(differ[0]) if differ.size else size


def test_a_tree_that_loses_nothing_computes_every_token_once() -> None:
    """Multi-turn: prefilled and generated tokens of all turns are the nodes of the prefix tree."""
    run = run_of("multi-turn")
    keys = [key for step in run.steps for key in step.keys]
    total = run.sums(len(run.steps))
    assert total.prefilled + total.generated == trie_size(keys) == run.panel(len(run.steps)).resident


def test_without_a_cache_every_prompt_is_computed() -> None:
    for name in ("multi-turn", "system-prompt", "few-shot"):
        sums = {arm: total for arm, _, total in run_of(name).steps[-1].arms}["no cache"]
        assert (sums.reused, sums.prefilled) == (0, sums.prompt)


def test_the_last_sequence_keeps_up_until_there_is_a_branch() -> None:
    """Multi-turn: equal to the tree in steps 1 to 4, and behind it from step 5 on."""
    run = run_of("multi-turn")
    last = [next(ours for name, ours, _ in step.arms if name == "last sequence") for step in run.steps]
    assert [ours.reused == step.sums.reused for ours, step in zip(last, run.steps, strict=True)] == [
        True, True, True, True, False, True, False, True,
    ]  # fmt: skip
    for key, step, ours in zip([step.keys for step in run.steps[3:]], run.steps[4:7], last[4:7], strict=False):
        assert ours.matched == same(step.done[0].prompt, key[0])


def test_pages_reuse_what_is_full() -> None:
    """Page size: what is matched, cut to pages; at a full match, the pages within all tokens but the last."""
    run = run_of("page-size")
    for size, arm in ((4, "page size 4"), (16, "page size 16")):
        for step in run.steps:
            ours = next(sums for name, sums, _ in step.arms if name == arm)
            usable = (min(one.facts.matched_tokens, one.prompt.size - 1) for one in step.done)
            assert ours.reused == sum(tokens // size * size for tokens in usable)


def test_each_policy_is_what_a_cache_of_its_own_does() -> None:
    """Policies: an arm evicts as many tokens as the lesson under that policy."""
    stage = Stage(lesson("policies"))
    for arm, policy in (("LFU", "lfu"), ("FIFO", "fifo")):
        alone = stage.run(Changes(policy=policy))
        for step, other in zip(run_of("policies").steps, alone.steps, strict=True):
            assert next(ours for name, ours, _ in step.arms if name == arm) == other.sums


def test_policies_each_pay_where_the_lesson_says() -> None:
    """FIFO for the page everybody reads, LRU and FIFO after the scan, LFU after the fashion changed."""
    for model in ("words", "radish"):
        paid: dict[str, list[int]] = {"LRU": [], "LFU": [], "FIFO": []}
        for step in run_of("policies", model).steps:
            if step.number in (2, 4, 7, 10):  # a page that was read before
                for name, sums in (("LRU", step.sums), *((name, ours) for name, ours, _ in step.arms)):
                    paid[name] += [step.number] if sums.prefilled > 1 else []
        assert paid == {"LRU": [7], "LFU": [10], "FIFO": [4, 7]}


def test_samples_share_their_prompt_and_their_first_words() -> None:
    """Few-shot: three samples compute one prompt; two that begin alike share a node."""
    run = run_of("few-shot")
    assert [one.facts.prefilled_tokens for one in run.steps[1].done] == [1, 0, 0]
    fresh = [node for node in run.panel(3).nodes() if run.panel(3).state(node).value == "new"]
    assert sorted(len(node.children) for node in fresh) == [0, 0, 2]
    answers = [one.reply for step in run.steps for one in step.done if "baker" in text(run, one.prompt)]
    votes = [re.search(r"The answer is (\d+)\.", reply)[1] for reply in answers]  # type: ignore[index]
    assert (len(votes), votes.count("22")) == (7, 6)


def text(run: Run, ids: np.ndarray) -> str:
    return b"".join(run.recording.pieces[int(token)] for token in ids).decode()


def test_the_price_is_the_formula_times_the_tokens() -> None:
    run = run_of("the-price")
    assert run.bytes_per_token == 24 * 2 * 2 * 64 * 2 == 12_288
    last = price_of(run, len(run.steps))
    assert last.evicted == sum(step.sums.evicted for step in run.steps)
    assert last.again == 12  # Ben's first turn, a message of 7 and a reply of 5
    assert last.unshared - last.resident == 44  # the system prompt, for the second of two leaves


def test_a_split_copies_nothing() -> None:
    """Slots of all tokens are the same before and after the step that splits."""
    run = run_of("trie-to-radix")
    for before, after in pairwise(range(1, len(run.steps) + 1)):
        held = slots(run, before)
        assert held.items() <= slots(run, after).items()


def slots(run: Run, number: int) -> dict[tuple[int, ...], int]:
    """The slot of each token, by the path to it."""
    panel, found = run.panel(number), {}
    for node in panel.nodes():
        path = [token for above in panel.path(node.id) for token in above.tokens.tolist()]
        start = len(path) - node.size
        for at, slot in enumerate(np.frombuffer(node.slots, dtype=np.int32).tolist(), start=start + 1):
            found[tuple(path[:at])] = slot
    return found
