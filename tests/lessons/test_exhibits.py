"""What steps show beside the tree: in any width, in ASCII, in two languages, with the run's own numbers."""

from __future__ import annotations

import re
from functools import cache

import pytest
from rich.cells import cell_len

from radixchat.chat.lessons.exhibits import exhibit, price_of
from radixchat.chat.lessons.loading import load_lesson, shipped
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.runs import Changes, Run
from radixchat.viz import Look, memory_text
from radixchat.viz.trie import trie_size

from .stages import lesson, run, send

PLAIN = Look(colour=False)


@cache
def run_of(name: str) -> Run:
    return Stage(load_lesson(name)).run()


def shown(of: Run, number: int, lang: str = "en", width: int = 100, look: Look = PLAIN) -> str:
    return exhibit(of, number, lang, width=width, look=look).plain


@pytest.mark.parametrize("name", shipped())
def test_exhibits_fit_any_width_and_need_no_more_than_ascii(name: str) -> None:
    of = run_of(name)
    for step in of.steps:
        for width in (40, 41, 63, 64, 100, 160):
            for lang in ("en", "zh"):
                text = shown(of, step.number, lang, width)
                assert all(cell_len(line) <= width for line in text.split("\n"))
                assert bool(text) == bool(step.step.show)
                assert shown(of, step.number, lang, width, Look(ascii=True, colour=False)).isascii()


def test_bars_compare_the_cache_with_its_arms() -> None:
    of = run_of("multi-turn")
    text = shown(of, 7)
    step, so_far = text.split("all steps so far, in tokens\n")
    assert step.startswith("this step, in tokens\n")
    for part, ours, theirs in ((step, of.steps[6].sums, 1), (so_far, of.sums(7), 2)):
        rows = dict(re.split(r" {2,}", line, maxsplit=1) for line in part.splitlines() if re.search(r"\d", line))
        assert list(rows) == ["radix tree", "last sequence", "no cache"]
        for row, sums in zip(rows.values(), [ours, *(arm[theirs] for arm in of.steps[6].arms)], strict=True):
            numbers = [int(number) for number in re.findall(r"\d+", row)]
            assert numbers == [n for n in (sums.reused, sums.prefilled, sums.generated) if n]


def test_bars_of_a_step_without_requests_are_those_so_far() -> None:
    assert "this step" not in shown(run_of("multi-turn"), 8)
    assert "this step" not in shown(run_of("multi-turn"), 1), "the first step is all there is so far"


def test_the_lessons_own_cache_is_named_by_what_sets_it_apart() -> None:
    assert shown(run_of("policies"), 1).splitlines()[1].startswith("LRU ")
    assert shown(run_of("page-size"), 1).splitlines()[1].startswith("page size 1 ")
    assert shown(run_of("page-size"), 1, "zh").splitlines()[1].startswith("页大小 1 ")
    assert shown(run_of("multi-turn"), 1, "zh").splitlines()[1].startswith("基数树 ")


@pytest.mark.parametrize(
    ("name", "changes", "same", "drawn"),
    [
        ("policies", Changes(policy="lfu"), "LFU", ("LFU, as drawn", "LFU（图中）")),
        ("page-size", Changes(page_size=4), "page size 4", ("page size 4, as drawn", "页大小 4（图中）")),
    ],
)
def test_a_what_if_that_is_like_an_arm_is_told_apart_from_it(
    name: str, changes: Changes, same: str, drawn: tuple[str, str]
) -> None:
    of = Stage(load_lesson(name)).run(changes)
    rows = [re.split(r" {2,}", line)[0] for line in shown(of, 1).splitlines()[1:]]
    assert len(set(rows)) == len(rows) and same in rows and rows[0] == drawn[0]
    assert shown(of, 1, "zh").splitlines()[1].startswith(drawn[1])


@pytest.mark.parametrize("number", range(1, 8))
def test_the_trie_has_all_keys_so_far_and_both_counts(number: int) -> None:
    of = run_of("trie-to-radix")
    keys = [key for step in of.steps[:number] for key in step.keys]
    nodes = sum(1 for _ in of.panel(number).nodes())
    for width in (40, 100):
        text = shown(of, number, width=width)
        assert re.search(rf"prefix tree: {trie_size(keys)} nodes\b", text)
        assert re.search(rf"radix tree: {nodes} nodes?\b", text)
    assert shown(of, number, width=100).splitlines()[0].count("tree:") == 2, "side by side"
    assert shown(of, number, width=40).splitlines()[0].count("tree:") == 1, "one below the other"


def test_a_long_chain_of_a_trie_is_folded() -> None:
    assert len(shown(run_of("trie-to-radix"), 7).splitlines()) < 25 < 64


def test_prices_are_tokens_times_bytes() -> None:
    of = run_of("the-price")
    for step in of.steps:
        price = price_of(of, step.number)
        lines = shown(of, step.number).splitlines()
        assert "12,288 bytes" in lines[0]
        assert "= 24 layers × 2 (K and V) × 2 KV heads × 64 numbers × 2 bytes" in " ".join(lines[1].split())
        rows = [re.split(r" {2,}", line) for line in lines[-5:]]
        amounts = [price.resident, price.unshared, price.unshared - price.resident, price.evicted, price.again]
        assert [row[1:] for row in rows] == [[f"{n:,} tok", memory_text(n * 12_288)] for n in amounts]


def test_a_formula_that_is_too_wide_goes_on_in_the_next_line() -> None:
    lines = shown(run_of("the-price"), 2, width=44).splitlines()
    formula = " ".join(" ".join(lines[2:4]).split())
    assert formula == "= 24 layers × 2 (K and V) × 2 KV heads × 64 numbers × 2 bytes", lines


def test_short_bars_are_those_of_the_step() -> None:
    of = run_of("multi-turn")
    short = exhibit(of, 4, "en", width=80, look=PLAIN, short=True).plain
    assert "this step" in short and "all steps so far" not in short and short in shown(of, 4, width=80)
    assert "all steps so far" in exhibit(of, 1, "en", width=80, look=PLAIN, short=True).plain


def test_what_was_evicted_and_comes_back_is_computed_again() -> None:
    """Three sequences of six tokens in a cache of twelve: the first comes back when it is gone."""
    first, second, third = "a b c d ", "e f g h ", "i j k l "
    of = run(lesson(*(send(text, "x y ", show=["price"]) for text in (first, second, third, first)), capacity=12))
    assert [price_of(of, number).evicted for number in range(1, 5)] == [0, 0, 6, 12]
    assert [price_of(of, number).again for number in range(1, 5)] == [0, 0, 0, 4]
    assert [price_of(of, number).unshared for number in range(1, 5)] == [6, 12, 12, 12]
    assert "bytes" not in shown(of, 4), "no shape, no bytes"


def test_a_full_match_computes_nothing_again_for_lack_of_room() -> None:
    """The token that is computed for its logits was not lost."""
    of = run(lesson(send("a b c ", "x "), send("a b c ", "y ", show=["price"])))
    assert price_of(of, 2).again == 0


def test_names_of_arms_are_data_and_no_markup() -> None:
    arms = [{"name": "[red]evil[/] \x1b[31m", "cache": "none"}]
    of = run(lesson(send("a b ", "c ", show=["bars"]), arms=arms))
    text = exhibit(of, 1, "en", width=80, look=PLAIN)
    assert "[red]evil[/]" in text.plain and "\x1b" not in text.plain
