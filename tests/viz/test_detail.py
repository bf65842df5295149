"""One node in full, and the pool at a glance: everything is there, safe, and no line is wider than asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from radixchat.radix import NodeView, Root, Snapshot, Tombstone, as_key
from radixchat.viz.detail import detail, gauge, sharing, slot_runs, unshared, wrap
from radixchat.viz.picture import Look
from radixchat.viz.sanitize import HIDDEN

PLAIN = Look(colour=False)
Pieces = dict[int, bytes]


def lines(text: Text) -> list[str]:
    return text.plain.split("\n")


def fact(text: Text, name: str) -> str | None:
    """The value of a named fact, when it is on one line."""
    return next((line[len(name) :].strip() for line in lines(text) if line.startswith(name)), None)


def test_a_node_is_told_in_full(scene: Snapshot, pieces: Pieces) -> None:
    """State, size, locks, use, place, and its whole text."""
    text = detail(scene, 4, pieces, width=60, look=PLAIN, bytes_per_token=1024, ids=True)
    assert lines(text) == [
        "#4 ● reused, 3 of 5 tok",
        "tokens          5, positions 6 to 10",
        "memory          5.0 KiB",
        "locks           ◆2, 2 holders",
        "",
        "What is a radix tree?⏎",
        "→A trie of runs",
        "",
        "15 16 17 18 19",
        "",
        "last use        request 12, the newest",
        "created         request 0, 12 requests ago",
        "hits            0",
        "slots           none",
        "parent          #3",
        "children        #5, #8",
    ]


def test_what_is_special_has_a_line_of_its_own(scene: Snapshot, pieces: Pieces) -> None:
    """The next victim, tokens without KV, an end that was trimmed, another namespace's root."""
    victim = detail(scene, 2, pieces, width=80, look=PLAIN)
    assert fact(victim, "locks") == "none: ▿ next victim, would go if space were needed now"
    assert fact(victim, "memory") is None
    assert fact(detail(scene, 9, pieces, width=80, look=PLAIN), "not cached yet") == "‹end›"
    assert fact(detail(scene, 11, pieces, width=80, look=PLAIN), "trimmed") == "1 tok off its end in this step, by lru"
    assert fact(detail(scene, 5, pieces, width=80, look=PLAIN), "locks") == "none: evictable"
    assert fact(detail(scene, 3, pieces, width=80, look=PLAIN), "parent") == "the root"


def test_a_tombstone_says_why_it_went(scene: Snapshot, pieces: Pieces) -> None:
    """It knows its tokens and where it hung."""
    assert lines(detail(scene, 7, pieces, width=60, look=PLAIN, bytes_per_token=1024)) == [
        "#7 ✖ evicted in this step, by lru",
        "tokens          2",
        "memory          2.0 KiB given back",
        "parent          #6",
        "",
        "␣that wait",
    ]


def test_a_node_that_is_not_there_is_no_error(scene: Snapshot, pieces: Pieces) -> None:
    """A cursor may stand where a node was."""
    assert lines(detail(scene, 77, pieces, width=60, look=PLAIN)) == ["#77 is not in the tree at this moment"]


def test_conversations_are_named_where_they_run_through(scene: Snapshot, pieces: Pieces) -> None:
    """Those that begin with the node's path; one may end inside the node."""
    conversations = {
        "main": np.array([*range(5), *range(15, 25)], dtype=np.int32),
        "short": np.array([*range(5), 15, 16], dtype=np.int64),
        "above": np.arange(5, dtype=np.int32),
        "other": np.array([*range(5), 15, 99, 17, 18, 19], dtype=np.int32),
        "x\x1b]0;": np.array([*range(5), *range(15, 20)], dtype=np.int32),
        "": np.array([], dtype=np.int32),
    }
    text = detail(scene, 4, pieces, width=99, look=PLAIN, conversations=conversations)
    assert fact(text, "conversations") == "main, short (to token 2 of it), x␛]0;"


@pytest.mark.parametrize(
    "slots, words",
    [
        ([], "none"),
        ([7], "7"),
        ([7, 8, 9, 4, 12, 13], "7-9, 4, 12-13"),
        ([*range(1, 41, 2)], "1, 3, 5, 7, 9, 11, 13, 15 and 12 more runs"),
    ],
)
def test_slots_are_named_by_runs(slots: list[int], words: str) -> None:
    """In the order of the tokens that they hold."""
    assert slot_runs(np.array(slots, dtype=np.int32)) == words


@given(st.binary(max_size=120), st.text(max_size=20), st.integers(1, 70), st.booleans())
def test_hostile_text_moves_nothing(piece: bytes, name: str, width: int, ascii: bool) -> None:
    """Whatever a token or a name holds, each line is safe and fits."""
    node = NodeView(id=1, key=as_key([1, 2, 1]), slots=as_key([4, 5, 9]), uncached=as_key([1]))
    tree = Root("", NodeView(id=0, key=b"", slots=b"", children=(node,)))
    stone = Tombstone(2, 1, as_key([1]), 2, name)
    shot = Snapshot(1, 1, 9, 1, 0, 3, 0, 1, (tree,), (stone,))
    talks = {name: np.array([1, 2, 1], dtype=np.int32)}
    for number in (1, 2, 3):
        text = detail(
            shot, number, {1: piece}, width=width, look=Look(ascii=ascii), ids=True, conversations=talks,
        )  # fmt: skip
        for line in text.split("\n", allow_blank=True):
            assert line.cell_len <= max(width, 2)  # a wide character stands alone
            assert not HIDDEN.search(line.plain)
        assert not ascii or text.plain.isascii()


@given(st.text(max_size=200), st.integers(1, 40))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    """Lines fit, and together they are the text."""
    broken = [wrap(Text(line, end=""), width) for line in text.split("\n")]
    assert ["".join(line.plain for line in part) for part in broken] == [Text(line).plain for line in text.split("\n")]
    for part in broken:
        assert all(line.cell_len <= width or len(line.plain) == 1 for line in part)


def test_lines_break_at_spaces() -> None:
    """Words stay whole where they fit."""
    assert [line.plain for line in wrap(Text("one two three\nfour 基数木基数木"), 8)] == [
        "one two ", "three", "four ", "基数木基", "数木",
    ]  # fmt: skip


# -- the pool ----------------------------------------------------------------------------------------------------------


@st.composite
def trees(draw: st.DrawFn) -> Snapshot:
    """A random tree of up to thirty nodes."""
    above = [draw(st.integers(0, number)) for number in range(draw(st.integers(0, 30)))]
    sizes = [draw(st.integers(1, 9)) for _ in above]
    children: dict[int, list[NodeView]] = {}
    for number in reversed(range(len(above))):
        key = as_key([number] * sizes[number])
        view = NodeView(id=number + 1, key=key, slots=key, children=tuple(children.get(number + 1, ())))
        children.setdefault(above[number], []).insert(0, view)
    root = Root("", NodeView(id=0, key=b"", slots=b"", children=tuple(children.get(0, ()))))
    return Snapshot(1, 1, 400, 1, 0, sum(sizes), 0, None, (root,), ())


@given(trees())
def test_without_sharing_every_leaf_pays_for_its_whole_path(snapshot: Snapshot) -> None:
    """The sum of the lengths of all ways from the root to a leaf."""
    leaves = [node for node in snapshot.nodes() if not node.children]
    assert unshared(snapshot) == sum(sum(above.size for above in snapshot.path(leaf.id)) for leaf in leaves)
    assert unshared(snapshot) >= snapshot.resident


def test_the_gauge_says_what_sharing_saves(scene: Snapshot) -> None:
    """With bytes where they fit."""
    assert unshared(scene) == 10 + 15 + 15 + 2
    assert lines(gauge(scene, width=70, look=PLAIN, bytes_per_token=1024))[-1] == (
        "without sharing it would be 42 tok (42 KiB) (×1.3)"
    )
    assert sharing(scene, ascii=True) == "without sharing it would be 42 tok (x1.3)"
    assert sharing(Snapshot(1, 1, 9, 1, 0, 0, 0, None, (), ())) == ""


@pytest.mark.parametrize("width", [10, 24, 40, 60, 80, 100, 140])
@pytest.mark.parametrize("ascii", [False, True])
def test_the_gauge_fits(scene: Snapshot, width: int, ascii: bool) -> None:
    """From 60 cells on in three lines at most."""
    text = gauge(scene, width=width, look=Look(ascii=ascii), bytes_per_token=10_000)
    assert all(line.cell_len <= width for line in text.split("\n"))
    assert width < 60 or len(lines(text)) <= 3
    assert not ascii or text.plain.isascii()


def test_a_gauge_without_a_model_or_a_tree_is_a_gauge() -> None:
    """Nothing to save yet."""
    empty = Snapshot(1, 1, 400, 1, 0, 0, 0, None, (Root("", NodeView(id=0, key=b"", slots=b"")),), ())
    assert lines(gauge(empty, width=100, look=PLAIN, bytes_per_token=0))[-1].endswith("capacity 400 tok")
