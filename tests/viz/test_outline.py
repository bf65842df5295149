"""The live outline: line for line what the whole layout gives, whatever it was grown from."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.radix import NodeView, RadixCache, Root, Snapshot, State, Tombstone, as_key
from radixchat.viz import RowPainter, rail_rows
from radixchat.viz.labels import Labels
from radixchat.viz.outline import Outline, outline
from radixchat.viz.picture import Direction, Look
from radixchat.viz.plain import Needs
from radixchat.viz.rail import Row, RowKind


def _neighbour(name: str) -> ModuleType:
    """Loads a test module from this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"viz_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


rows_tests = _neighbour("test_rows")
PIECES, Spec, snapshot_of, snapshots = rows_tests.PIECES, rows_tests.Spec, rows_tests.snapshot_of, rows_tests.snapshots

CHECKED = settings(max_examples=80, deadline=None)
LOOK = Look()


def picture(snapshot: Snapshot, width: int = 100, before: Outline | None = None, **options: object) -> Outline:
    return outline(snapshot, PIECES, width=width, look=LOOK, before=before, **options)  # type: ignore[arg-type]


def rows_of(shown: Outline) -> list[Row]:
    return [shown.row(y) for y in range(shown.height)]


def painted(rows: list[Row], width: int) -> list[str]:
    """What the painter makes of rows, with the memory column as wide as a live one."""
    needs = Needs.of(rows)
    if needs.memory is not None:
        needs = needs._replace(memory=max(7, needs.memory))
    painter = RowPainter(needs, Labels(PIECES), width=width)
    return [painter.row(row).markup for row in rows]


@CHECKED
@given(snapshots(), st.integers(20, 160), st.sampled_from([None, 1, 12345]))
def test_every_line_is_that_of_the_whole_layout(snapshot: Snapshot, width: int, size: int | None) -> None:
    rows = rail_rows(snapshot, bytes_per_token=size)
    shown = picture(snapshot, width, bytes_per_token=size)
    assert shown.height == len(rows)
    assert [shown.line(y).markup for y in reversed(range(shown.height))][::-1] == painted(rows, width)
    assert rows_of(shown) == rows
    with pytest.raises(IndexError):
        shown.line(len(rows))


@CHECKED
@given(snapshots(), st.integers(2, 4))
def test_folded_chains_are_those_of_the_whole_layout(snapshot: Snapshot, runs: int) -> None:
    rows = rail_rows(snapshot, fold=runs)
    assert [replace(row, node=None) for row in rows_of(picture(snapshot, runs=runs))] == [
        replace(row, node=None) for row in rows
    ]
    assert painted(rows, 100) == [picture(snapshot, runs=runs).line(y).markup for y in range(len(rows))]


def a_life(seed: int, turns: int, capacity: int = 60) -> Iterator[Snapshot]:
    """Snapshots of a cache that is used at random, after every single change; with evictions and namespaces."""
    chance = random.Random(seed)
    cache = RadixCache(capacity)
    keys = [[1]]
    for _ in range(turns):
        if chance.random() < 0.7:
            cache.new_step()
            yield cache.snapshot()
        space = chance.choice(["", "", "", "other"])
        earlier = chance.choice(keys)
        keys.append([*earlier[: chance.randint(0, len(earlier))], *(chance.randrange(4) for _ in range(3))][:20])
        lease = cache.begin(as_key(keys[-1]), space)
        yield cache.snapshot()
        room = len(keys[-1]) - lease.computed
        if cache.extend(lease, room) is not None:
            cache.commit(lease, as_key(keys[-1][lease.computed :]))
        yield cache.snapshot()
        cache.finish(lease, chance.random() < 0.9)
        if chance.random() < 0.2:
            cache.evict(chance.randint(1, 9))
        yield cache.snapshot()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0, 2]), st.data())
def test_pictures_grown_from_any_other_are_equal_to_new_ones(seed: int, runs: int, data: st.DataObject) -> None:
    moments = list(a_life(seed, 12))
    shown = [picture(moments[0], runs=runs)]
    for snapshot in moments[1:]:  # forward, as when one watches
        shown.append(picture(snapshot, before=shown[-1], runs=runs))
    for _ in range(30):  # and anywhere, as when one looks back
        which = data.draw(st.integers(0, len(moments) - 1))
        before = data.draw(st.sampled_from(shown[-20:]))
        shown.append(picture(moments[which], before=before, runs=runs))
        moments.append(moments[which])
    for snapshot, live in zip(moments, shown, strict=True):
        fresh = picture(snapshot, runs=runs)
        assert rows_of(live) == rows_of(fresh)
        assert [live.line(y) for y in range(live.height)] == [fresh.line(y) for y in range(fresh.height)]
        ids = {row.node for row in rows_of(fresh)} - {None}
        assert [live.place(node) for node in ids] == [fresh.place(node) for node in ids]


@CHECKED
@given(snapshots(), st.data())
def test_folds_stand_for_what_they_hide(snapshot: Snapshot, data: st.DataObject) -> None:
    ids = [node.id for node in snapshot.nodes()]
    folded = frozenset(data.draw(st.sets(st.sampled_from(ids)))) if ids else frozenset()
    whole, shown = rows_of(picture(snapshot)), rows_of(picture(snapshot, folded=folded))
    for counted in ("nodes", "tokens"):
        assert sum(getattr(row, counted) for row in _real(whole)) == sum(getattr(row, counted) for row in _real(shown))
    assert sum(row.next_victim for row in whole) == sum(row.next_victim for row in shown)
    hidden = {row.node for row in whole} - {row.node for row in shown}
    assert not folded & {row.node for row in shown if row.kind is RowKind.NODE and _has_more(whole, row)}
    after = picture(snapshot, folded=folded)
    stones = {stone.node for stone in snapshot.tombstones}
    assert all(after.place(node) is None for node in hidden - stones if node is not None)


def _real(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.kind is not RowKind.NAMESPACE]


def _has_more(whole: list[Row], row: Row) -> bool:
    at = next(y for y, other in enumerate(whole) if other.node == row.node and other.kind is RowKind.NODE)
    return at + 1 < len(whole) and whole[at + 1].depth > row.depth


@CHECKED
@given(snapshots(), st.integers(30, 120), st.sampled_from([0, 2]))
def test_places_and_the_cursor_agree(snapshot: Snapshot, width: int, runs: int) -> None:
    shown = picture(snapshot, width, runs=runs)
    ids = [row.node for row in rows_of(shown)]
    standing = []
    for y in range(shown.height):
        row, node = shown.row(y), shown.node_at(width - 1, y)
        assert (node is None) == (row.kind is RowKind.NAMESPACE)
        if node is None or ids.count(node) > 1 or node <= 0:  # a broken file names nodes twice
            continue
        place = shown.place(node)
        assert place is not None and shown.node_at(place.x, place.y) == node
        assert place.x >= 0 and place.x + place.width <= width and place.height == 1
        if place.y == y:
            standing.append(node)
    everywhere = len(standing) == len([row for row in rows_of(shown) if row.kind is not RowKind.NAMESPACE])
    assert not everywhere or shown.first() == (standing[0] if standing else None)
    ways = zip([None, *standing], standing, [*standing[1:], None], strict=False)
    for above, node, below in ways:
        assert not everywhere or shown.beside(node, Direction.UP) == above
        assert not everywhere or shown.beside(node, Direction.DOWN) == below
        right = shown.beside(node, Direction.RIGHT)
        assert right is None or right not in standing or shown.beside(right, Direction.LEFT) in (node, None)
    assert shown.node_at(width, 0) is None and shown.node_at(0, shown.height) is None and shown.place(-77) is None


def test_left_and_right_follow_the_lane() -> None:
    tree = snapshot_of([Spec(0, as_key([1])), Spec(1, as_key([2])), Spec(1, as_key([3])), Spec(3, as_key([4]))])
    shown = picture(tree)
    assert [shown.row(y).node for y in range(4)] == [1, 2, 3, 4] or shown.row(1).node == 3
    trunk = shown.beside(1, Direction.RIGHT)
    assert trunk is not None and shown.place(trunk) is not None and shown.row(shown.height - 1).depth >= 1
    assert shown.beside(trunk, Direction.LEFT) == 1 and shown.beside(1, Direction.LEFT) is None


def chain(length: int, width: int = 1) -> Snapshot:
    specs = [Spec(number, as_key([92, number % 7])) for number in range(length)]
    return snapshot_of([*specs, *(Spec(length, as_key([1, 2])) for _ in range(width))])


def test_a_thousand_turns_are_drawn_where_one_looks() -> None:
    deep = chain(2000, 3)
    shown = picture(deep, 120)
    assert shown.height == 2003 and shown.line(1999).cell_len <= 120
    last = shown.place(2003)
    assert last is not None and shown.beside(2003, Direction.UP) == 2002
    assert picture(deep, runs=3).height == 5
    assert picture(deep, folded=frozenset([1])).line(0).plain.startswith("○ ⋯ 2003 nodes")


def test_an_opened_chain_stays_open() -> None:
    deep = chain(10)
    assert picture(deep, runs=3).height == 2
    shown = picture(deep, runs=3, kept=frozenset(range(1, 11)))
    assert shown.height == 11


def test_what_did_not_change_is_not_laid_out_again() -> None:
    cache = RadixCache(10**6)
    for number in range(300):
        cache.insert([number % 20, number, number])
    cache.new_step()
    before = picture(cache.snapshot())
    cache.insert([3, 7777])
    after = picture(cache.snapshot(), before=before)
    olds = {id(twig) for twig in _twigs(before)}
    assert sum(id(twig) not in olds for twig in _twigs(after)) == 3  # the root, the node above and the new one
    assert [row.state for row in rows_of(after)].count(State.NEW) == 1


def _twigs(shown: Outline) -> list:
    every = list(shown._trees)
    for twig in every:
        every.extend(twig.children)
    return every


def test_an_empty_tree_has_no_lines() -> None:
    shown = picture(snapshot_of([]))
    assert (shown.height, shown.first(), shown.node_at(0, 0)) == (0, None, None)
    gone = picture(replace(snapshot_of([]), roots=(), tombstones=(Tombstone(5, 3, as_key([1]), 5, "lru"),)))
    assert gone.height == 1 and gone.first() == 5


def test_a_namespace_that_opens_gets_a_heading() -> None:
    one = snapshot_of([Spec(0, as_key([1]))])
    lone = Root("b", NodeView(id=50, key=b"", slots=b"", children=(NodeView(id=51, key=as_key([1]), slots=b""),)))
    two = picture(replace(one, roots=(*one.roots, lone)), before=picture(one))
    assert [two.row(y).kind.value for y in range(two.height)] == ["namespace", "node", "namespace", "node"]
    assert two.beside(1, Direction.DOWN) == 51 and two.first() == 1
