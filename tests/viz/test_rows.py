"""Properties of the layout and of what is painted from it, on random trees."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from radixchat.radix import NodeView, Root, Snapshot, State, Tombstone, as_key
from radixchat.viz import Lane, Row, RowKind, changed_rows, legend, memory_line, rail_rows, tree_text

CHECKED = settings(max_examples=60, deadline=None)
STEP = 5
HOSTILE = [
    "[/b]", "[@click=app.bell]x[/]", "\x1b[2J", "\u202eabc", "木木木", "😀", "\r\n", "\t", " ", "", "a\u0301", "\\",
    "👩\u200d👧", "<|im_start|>user\n", "‹user›", "]]>", "x" * 50,
]  # fmt: skip
PIECES = {number: text.encode() for number, text in enumerate(HOSTILE)} | {90: b"\xe6\x9c", 91: b"\x9b", 92: b"ok"}


@dataclass(frozen=True)
class Spec:
    """A node to be; its id is its place in the list plus 1, or plus 100 for tombstones."""

    parent: int
    key: bytes
    rank: int = 0
    new: bool = False
    used: bool = False
    part: int = 0
    locks: int = 0
    last: int = 0
    uncached: bytes = b""


def snapshot_of(
    specs: list[Spec], stones: Iterable[Tombstone] = (), roots: int = 1, victim: int | None = None
) -> Snapshot:
    """Builds a snapshot; parents come before children, and parents 0, -1.. are hidden roots."""
    children: dict[int, list[NodeView]] = {}
    for number in range(len(specs), 0, -1):
        spec = specs[number - 1]
        node = NodeView(
            id=number, key=spec.key, slots=b"", locks=spec.locks, last=spec.last, rank=spec.rank or number,
            new_in=STEP if spec.new else 1, used_in=STEP if spec.used else 1, part_in=STEP if spec.part else 0,
            part_to=spec.part, uncached=spec.uncached,
            children=tuple(sorted(children.get(number, ()), key=lambda child: (child.rank, child.id))),
        )  # fmt: skip
        children.setdefault(spec.parent, []).append(node)
    tops = [
        Root(f"[b]{number}" if number else "", NodeView(id=-number, key=b"", slots=b"", children=tuple(
            sorted(children.get(-number, ()), key=lambda child: (child.rank, child.id))
        )))
        for number in range(roots)
    ]  # fmt: skip
    resident = sum(len(spec.key) // 4 for spec in specs)
    return Snapshot(
        step=STEP, tick=40, capacity=resident + 50, page_size=1, in_flight=7, resident=resident, protected=0,
        next_victim=victim, roots=tuple(tops), tombstones=tuple(stones),
    )  # fmt: skip


KEYS = st.lists(st.sampled_from([*PIECES, 999]), min_size=1, max_size=9).map(as_key)


@st.composite
def spec_lists(draw: st.DrawFn, most: int = 30) -> tuple[list[Spec], int]:
    roots = draw(st.integers(1, 3))
    specs = []
    for number in range(draw(st.integers(0, most))):
        key = draw(KEYS)
        specs.append(
            Spec(
                parent=draw(st.integers(1 - roots, number)),
                key=key,
                rank=draw(st.sampled_from([0, number + 1, 3])),
                new=draw(st.booleans()),
                used=draw(st.booleans()),
                part=draw(st.integers(0, len(key) // 4)),
                locks=draw(st.sampled_from([0, 0, 1, 130])),
                last=draw(st.integers(0, 40)),
                uncached=draw(st.sampled_from([b"", as_key([92, 3])])),
            )
        )
    return specs, roots


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    specs, roots = draw(spec_lists())
    parents = st.one_of(st.integers(1 - roots, len(specs)), st.integers(100, 108), st.just(555))
    stones = [
        Tombstone(100 + number if draw(st.booleans()) else draw(parents), draw(parents), draw(KEYS), number, "lru")
        for number in range(draw(st.integers(0, 8)))
    ]
    return snapshot_of(specs, stones, roots, draw(st.one_of(st.none(), st.integers(1, 30))))


def ids(rows: Iterable[Row]) -> list[tuple[int | None, tuple[Lane, ...]]]:
    return [(row.node, row.rail) for row in rows]


def real(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.kind is not RowKind.NAMESPACE]


@CHECKED
@given(snapshots())
def test_one_row_for_every_node_and_tombstone(snapshot: Snapshot) -> None:
    rows = real(rail_rows(snapshot, bytes_per_token=10))
    nodes = {node.id: node for node in snapshot.nodes()}
    assert sorted(row.node or 0 for row in rows if row.kind is RowKind.NODE) == sorted(nodes)
    stones = sorted((row.node, row.key) for row in rows if row.kind is RowKind.TOMBSTONE)
    assert stones == sorted((stone.node, stone.key) for stone in snapshot.tombstones)
    for row in rows:
        assert row.nodes == 1 and row.bytes == 10 * row.tokens and row.tokens * 4 == len(row.key)
        if row.kind is RowKind.NODE:
            node = nodes[row.node or 0]
            assert (row.state, row.key, row.locks, row.last) == (snapshot.state(node), node.key, node.locks, node.last)
            assert row.next_victim == (node.id == snapshot.next_victim) and row.depth == len(snapshot.path(node.id)) - 1


@CHECKED
@given(snapshots())
def test_the_layout_is_a_pure_function(snapshot: Snapshot) -> None:
    assert rail_rows(snapshot) == rail_rows(snapshot)
    assert changed_rows(snapshot) == changed_rows(snapshot)


@CHECKED
@given(snapshots())
def test_headings_stand_above_each_tree_when_several_hold_any(snapshot: Snapshot) -> None:
    headings = [row for row in rail_rows(snapshot) if row.kind is RowKind.NAMESPACE]
    assert len(headings) != 1
    assert all(not row.rail for row in headings)


@CHECKED
@given(spec_lists(), st.data())
def test_using_nodes_moves_none(case: tuple[list[Spec], int], data: st.DataObject) -> None:
    specs, roots = case
    used = [
        replace(
            spec, used=data.draw(st.booleans()), last=data.draw(st.integers(0, 99)), locks=data.draw(st.integers(0, 2))
        )
        for spec in specs
    ]
    before, after = snapshot_of(specs, roots=roots), snapshot_of(used, roots=roots, victim=1)
    assert ids(rail_rows(before)) == ids(rail_rows(after))


@CHECKED
@given(spec_lists(12), st.data())
def test_the_step_that_evicts_moves_nothing(case: tuple[list[Spec], int], data: st.DataObject) -> None:
    specs, roots = case
    leaves = [n for n in range(1, len(specs) + 1) if all(spec.parent != n for spec in specs)]
    gone = data.draw(st.sets(st.sampled_from(leaves))) if leaves else set()
    stones = [Tombstone(n, specs[n - 1].parent, specs[n - 1].key, specs[n - 1].rank or n, "lru") for n in gone]
    kept = snapshot_of(specs, roots=roots)
    left = snapshot_of(specs, stones, roots)
    left = replace(left, roots=tuple(Root(name, without(node, gone)) for name, node in left.roots))
    rows = rail_rows(left)
    solid = {Lane.PASS_DASHED: Lane.PASS, Lane.FORK_DASHED: Lane.FORK, Lane.FIRST_DASHED: Lane.FIRST}
    assert [(row.node, tuple(solid.get(lane, lane) for lane in row.rail)) for row in rows] == ids(rail_rows(kept))
    assert {row.node for row in rows if row.state is State.EVICTED} == gone


def without(node: NodeView, gone: set[int]) -> NodeView:
    facts = {name: getattr(node, name) for name in NodeView.__slots__}
    facts["children"] = tuple(without(child, gone) for child in node.children if child.id not in gone)
    return NodeView(**facts)


def test_a_split_moves_nothing_sideways() -> None:
    whole = [Spec(0, as_key([1])), Spec(1, as_key([2, 3])), Spec(1, as_key([4])), Spec(2, as_key([5]))]
    # node 5 is the head of 2, which it leaves as its oldest child; 6 is the new branch
    split = [Spec(0, as_key([1])), Spec(5, as_key([3])), Spec(1, as_key([4])), Spec(2, as_key([5]))]
    head, branch = Spec(1, as_key([2]), rank=2), Spec(5, as_key([7]))
    order = dict(enumerate([*split, head, branch], 1))
    before = {row.node: row.rail for row in rail_rows(snapshot_of(whole))}
    nodes = {n: NodeView(id=n, key=spec.key, slots=b"", rank=spec.rank or n) for n, spec in order.items()}
    for number in (4, 2, 6, 5, 3, 1):
        nodes[number].children = tuple(
            sorted((nodes[n] for n, spec in order.items() if spec.parent == number), key=lambda node: node.rank)
        )
    blank = snapshot_of([])
    after = replace(blank, roots=(Root("", NodeView(id=0, key=b"", slots=b"", children=(nodes[1],))),))
    rails = {row.node: row.rail for row in rail_rows(after)}
    assert {node: rails[node] for node in before} == before
    assert [row.node for row in rail_rows(after)] == [1, 3, 5, 6, 2, 4]


@CHECKED
@given(spec_lists(60))
def test_lanes_grow_with_the_logarithm_only(case: tuple[list[Spec], int]) -> None:
    specs, roots = case
    rows = rail_rows(snapshot_of(specs, roots=roots))
    assert all(len(row.rail) <= 1 + math.log(len(specs)) / math.log(1.5) for row in rows)


@CHECKED
@given(snapshots(), st.integers(20, 200), st.booleans(), st.sampled_from(["dark", "light", "ansi"]))
def test_no_line_is_wider_than_asked(snapshot: Snapshot, width: int, ascii: bool, palette: str) -> None:
    rows = rail_rows(snapshot, bytes_per_token=12345)
    style = {"width": width, "ascii": ascii, "palette": palette}
    texts = [
        tree_text(rows, PIECES, heading="step [b]5", **style),
        tree_text(changed_rows(snapshot), PIECES, **style),
        memory_line(snapshot, bytes_per_token=12345, **style),
        legend(**style),
    ]
    for text in texts:
        lines = text.plain.split("\n")
        assert all(cell_len(line) <= width and line == line.rstrip() for line in lines)
        assert all(char.isprintable() for line in lines for char in line)
        assert not ascii or text.plain.isascii()
    assert texts[0].plain.count("\n") == len(rows)
    assert painted(texts[0], width) == texts[0].plain + "\n"  # a console neither wraps it nor reads markup in it


def painted(text: object, width: int, colour: bool = False) -> str:
    out = io.StringIO()
    system = "truecolor" if colour else None
    Console(file=out, width=width, color_system=system, force_terminal=colour, legacy_windows=False).print(text)
    return out.getvalue()


@CHECKED
@given(snapshots())
def test_without_colour_there_is_no_style_at_all(snapshot: Snapshot) -> None:
    rows = rail_rows(snapshot)
    text = tree_text(rows, PIECES, width=100, colour=False, heading="all")
    assert painted(text, 100, colour=True) == text.plain + "\n"
    assert text.plain == tree_text(rows, PIECES, width=100, heading="all").plain  # colour adds nothing to read


@CHECKED
@given(snapshots(), st.integers(1, 15))
def test_changed_rows_are_few_and_account_for_all(snapshot: Snapshot, limit: int) -> None:
    rows = changed_rows(snapshot, limit=limit)
    assert len(rows) <= limit
    matters = {node.id for node in snapshot.nodes() if snapshot.state(node) is not State.RESIDENT}
    matters |= {stone.parent for stone in snapshot.tombstones}
    shown = {above.id: above.size for node in matters for above in snapshot.path(node)}
    stones = [len(stone.key) // 4 for stone in snapshot.tombstones]
    assert sum(row.nodes for row in real(rows)) == len(shown) + len(stones)
    assert sum(row.tokens for row in real(rows)) == sum(shown.values()) + sum(stones)
    complete = changed_rows(snapshot, limit=1000)
    assert sorted(row.node or 0 for row in real(complete) if row.kind is RowKind.NODE) == sorted(shown)
    assert all(row.context == (row.state is State.RESIDENT) for row in real(complete))


def test_changed_rows_can_be_asked_for_more_nodes() -> None:
    snapshot = snapshot_of([Spec(0, as_key([1]), used=True), Spec(1, as_key([2])), Spec(1, as_key([3]), new=True)])
    assert [row.node for row in changed_rows(snapshot)] == [1, 3]
    rows = changed_rows(snapshot, also={2})
    assert [(row.node, row.context) for row in rows] == [(1, False), (3, False), (2, False)]
    assert changed_rows(snapshot_of([Spec(0, as_key([1]))])) == []


def chain(length: int, **facts: bool) -> list[Spec]:
    return [Spec(number, as_key([92, number % 7]), **facts) for number in range(length)]


def test_a_long_chain_draws_in_one_lane_and_folds() -> None:
    specs = [*chain(1000, used=True), Spec(1000, as_key([92]), new=True)]
    rows = rail_rows(snapshot_of(specs))
    assert len(rows) == 1001 and all(row.rail == () for row in rows) and rows[-1].depth == 1000
    assert tree_text(rows, PIECES, width=80).plain.count("\n") == 1000
    few = changed_rows(snapshot_of(specs))
    assert [(row.node, row.nodes) for row in few] == [(1, 1), (None, 998), (1000, 1), (1001, 1)]
    assert few[1].note == "998 nodes" and few[1].walked == few[1].tokens == 2 * 998
    assert rail_rows(snapshot_of(chain(1000)), fold=3)[0].nodes == 999


def test_what_does_not_fit_is_counted_by_kind() -> None:
    stones = [Tombstone(100 + number, 1, as_key([92]), 100 + number, "lru") for number in range(40)]
    new = [Spec(1, as_key([92]), new=True) for _ in range(3)]
    rows = changed_rows(snapshot_of([Spec(0, as_key([1]), used=True), *new], stones))
    assert len(rows) == 12 and {2, 3, 4} < {row.node for row in rows}
    assert (rows[-1].kind, rows[-1].note) == (RowKind.MORE, "33 more: 33 evicted")


def test_a_way_too_long_to_show_is_folded_from_above() -> None:
    specs = []  # a comb: every node of the way has a changed side branch, so no run can be folded
    for number in range(30):
        specs += [
            Spec(2 * number - 1 if number else 0, as_key([1]), used=True),
            Spec(2 * number + 1, as_key([2]), used=True),
        ]
    specs.append(Spec(59, as_key([3]), new=True))
    rows = changed_rows(snapshot_of(specs))
    assert len(rows) == 12 and rows[0].note == "21 nodes above"
    assert [row.node for row in rows[-3:-1]] == [59, 61] and rows[-1].note == "30 more: 30 reused"


@pytest.mark.parametrize("lay_out", [rail_rows, changed_rows])
def test_ten_thousand_nodes_take_a_moment(lay_out: Callable[[Snapshot], list[Row]]) -> None:
    specs = [Spec(0 if n == 0 else max(1, n - (n * 7919) % 50), as_key([1]), used=n % 50 == 0) for n in range(10_000)]
    snapshot = snapshot_of(specs)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        lay_out(snapshot)
        times.append(time.perf_counter() - start)
    assert min(times) < 1.0  # some tens of milliseconds on an idle machine
