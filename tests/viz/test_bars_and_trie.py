"""Bars on one scale, the prefix tree with one node a token, and texts beside each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from radixchat.radix import RadixCache
from radixchat.viz import rail_rows, tree_text
from radixchat.viz.bars import KINDS, Bar, bars
from radixchat.viz.picture import Look
from radixchat.viz.sanitize import HIDDEN
from radixchat.viz.trie import beside, trie_size, trie_text

from .plants import PIECES

CHECKED = settings(max_examples=60, deadline=None)
MONO = Look(colour=False)
Golden = Callable[[str, str], None]

COSTS = [
    Bar("radix tree", (("reused", 812), ("prefilled", 28), ("generated", 41))),
    Bar("last sequence", (("reused", 410), ("prefilled", 430), ("generated", 41), ("evicted", 96))),
    Bar("no cache", (("reused", 0), ("prefilled", 1840), ("generated", 41))),
    Bar("nothing", ()),
]
WORDS = [b"You", b" are", b" a", b" helpful", b" assistant.", b"\n", b"User:", b" Hello!", b" What", b" can", b" you"]
TEXTS = dict(enumerate(WORDS))
KEYS = [[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6, 8, 9, 10], [6, 7]]

KIND = st.tuples(st.sampled_from(sorted(KINDS)), st.one_of(st.just(0), st.integers(0, 5), st.integers(0, 10**7)))
ROWS = st.lists(st.builds(Bar, st.text(max_size=30), st.lists(KIND, max_size=6).map(tuple)), max_size=6)


# -- bars --------------------------------------------------------------------------------------------------------------


def test_bars(golden: Golden) -> None:
    looks = [(width, ascii) for width in (100, 60, 30) for ascii in (False, True)]
    pages = [bars(COSTS, width=width, look=Look(colour=False, ascii=ascii)).plain for width, ascii in looks]
    golden("bars.txt", "\n\n".join([*pages, bars(COSTS, width=60, look=MONO, lang="zh").plain]))


@CHECKED
@given(ROWS, st.integers(1, 140), st.booleans())
def test_bars_fit_and_are_safe(rows: list[Bar], width: int, ascii: bool) -> None:
    for line in bars(rows, width=width, look=Look(ascii=ascii)).plain.split("\n"):
        assert cell_len(line) <= width and not HIDDEN.search(line)
        assert not ascii or line.isascii()


@CHECKED
@given(ROWS, st.integers(30, 140))
def test_bars_are_true_to_their_numbers(rows: list[Bar], width: int) -> None:
    """Lengths are on one linear scale, parts have their share, every number is there, nothing is lost."""
    rows = [Bar(f"n{at}", row.parts) for at, row in enumerate(rows)]
    painted = bars(rows, width=width, look=Look(colour=False, ascii=True)).plain.split("\n")
    signs = {kind: sign.ascii for kind, sign in KINDS.items()}
    names = [line.split("  ")[0] for line in painted]
    found = [names.index(row.name) for row in rows]
    totals = [sum(amount for _, amount in row.parts) for row in rows]
    lengths = []
    for row, at in zip(rows, found, strict=True):
        wide = "  " in painted[at].strip()
        bar = painted[at].split()[1] if wide else painted[at + 1]
        told = " ".join(painted[at].split()[2:]) if wide else painted[at + 2]
        real = [(kind, amount) for kind, amount in row.parts if amount]
        if not real:
            lengths.append(0)
            continue
        lengths.append(len(bar))
        assert len(bar) >= len(real) or len(real) > 10
        assert told == " ".join(f"{signs[kind]}{amount:,}" for kind, amount in real) or len(told) == width
        runs = [char for char, before in zip(bar, " " + bar, strict=False) if char != before]
        wanted = [signs[kind] for kind, _ in real]
        assert runs == [sign for sign, before in zip(wanted, ["", *wanted], strict=False) if sign != before]
    for total, length, row in zip(totals, lengths, rows, strict=True):
        share = total * max(lengths, default=0) / max(max(totals), 1)
        assert abs(length - share) <= max(1, sum(amount > 0 for _, amount in row.parts))


def test_colour_repeats_the_fill() -> None:
    styles = [{str(span.style) for span in bars(COSTS, width=80, look=look).spans} for look in (Look(), MONO)]
    assert len(styles[0] - {"", "none"}) == 4 and not styles[1] - {"", "none"}


@pytest.mark.parametrize("part", [("guessed", 1), ("reused", -1)])
def test_bars_of_nothing_known_are_refused(part: tuple[str, int]) -> None:
    with pytest.raises(ValueError, match="one of reused"):
        bars([Bar("x", (part,))], width=60, look=MONO)


def test_no_bars_are_no_lines() -> None:
    assert bars([], width=60, look=MONO).plain == ""


# -- the prefix tree ---------------------------------------------------------------------------------------------------


def grown(keys: list[list[int]]) -> RadixCache:
    cache = RadixCache(1000)
    for key in keys:
        cache.new_step()
        cache.insert(key)
    cache.new_step()
    return cache


def test_the_prefix_tree_beside_the_radix_tree(golden: Golden) -> None:
    pages = []
    for look in (MONO, Look(colour=False, ascii=True)):
        left = trie_text(KEYS, TEXTS, width=30, look=look)
        right = tree_text(rail_rows(grown(KEYS).snapshot()), TEXTS, width=50, ascii=look.ascii, colour=False)
        pages += [beside(left, right, width=90).plain, trie_text(KEYS, TEXTS, width=30, look=look, fold=3).plain]
    golden("trie.txt", "\n\n".join(pages))


@CHECKED
@given(st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=8))
def test_the_prefix_tree_has_a_node_for_every_prefix(keys: list[list[int]]) -> None:
    prefixes = {tuple(key[:end]) for key in keys for end in range(1, len(key) + 1)}
    assert trie_size(keys) == len(prefixes)
    painted = trie_text(keys, dict.fromkeys(range(4), b"x"), width=60, look=MONO).plain
    assert painted.count("○") == len(prefixes) == len(painted.split("\n")) - (not prefixes)
    assert grown([key for key in keys if key]).snapshot().resident == len(prefixes)  # the tokens of a radix tree


@CHECKED
@given(st.lists(st.lists(st.sampled_from([*PIECES, 999]), max_size=8), max_size=6), st.integers(8, 80), st.booleans())
def test_hostile_tokens_stay_in_their_line(keys: list[list[int]], width: int, ascii: bool) -> None:
    for line in trie_text(keys, PIECES, width=width, look=Look(ascii=ascii)).plain.split("\n"):
        assert cell_len(line) <= width and not HIDDEN.search(line)
        assert not ascii or line.isascii()


def test_a_long_sequence_does_not_recurse() -> None:
    assert trie_size([list(range(5000))]) == 5000
    assert trie_text([list(range(5000))], {}, width=40, look=MONO, fold=2).plain == "○ ⋯ 4999 nodes\n○ ‹4999›"


# -- beside ------------------------------------------------------------------------------------------------------------

LINES = st.lists(st.text("ab木 ", max_size=20), max_size=5).map("\n".join)


@CHECKED
@given(LINES, LINES, st.integers(0, 60), st.integers(0, 5))
def test_texts_beside_each_other_fit(left: str, right: str, width: int, gap: int) -> None:
    both = beside(Text(left), Text(right), width=width, gap=gap)
    lines = both.plain.split("\n")
    assert len(lines) == max(left.count("\n"), right.count("\n")) + 1
    assert all(cell_len(line) <= width for line in lines)
    widest = max(map(cell_len, left.split("\n")))
    if widest + gap + max(map(cell_len, right.split("\n"))) <= width:
        for line, one in zip(lines, left.split("\n"), strict=False):
            assert line.startswith(one.rstrip())
        for line, two in zip(lines, right.split("\n"), strict=False):
            assert line.endswith(two.rstrip())


def test_texts_keep_their_styles_and_are_left_alone() -> None:
    left, right = Text("one", "bold"), Text.assemble("two", "\n", ("three", "red"))
    both = beside(left, right, width=20)
    assert both.plain == "one   two\n      three" and left.plain == "one" and right.plain == "two\nthree"
    assert {str(span.style) for span in both.spans} >= {"red"}


def test_of_two_texts_that_are_too_wide_the_wider_one_is_cut() -> None:
    assert beside(Text("a" * 9), Text("b" * 3), width=11, gap=2).plain == "aaaaaa  bbb"
    assert beside(Text("a" * 3), Text("b" * 9), width=11, gap=2).plain == "aaa  bbbbbb"
