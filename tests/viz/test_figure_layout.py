"""What stays where it is, and that nothing collides, on random trees."""

from __future__ import annotations

import time
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from radixchat.radix import as_key
from radixchat.viz.figure import Figure, figure
from radixchat.viz.picture import Direction, Look, Place
from radixchat.viz.tidy import Part, spots

from .plants import KEYS, PIECES, STEP, Plant, grown, plants

CHECKED = settings(max_examples=40, deadline=None)
MONO = Look(colour=False)


def drawn(plant: Plant, before: Figure | None = None, **options: object) -> Figure:
    return figure(plant.snapshot(), PIECES, look=MONO, before=before, **options)


def places(plant: Plant, picture: Figure) -> dict[int, Place]:
    found = {id: picture.place(id) for id in [*plant.buds, *(stone.node for stone in plant.stones)]}
    return {id: place for id, place in found.items() if place is not None}


def across(picture: Figure, plant: Plant) -> dict[int, int]:
    """Where each node's box begins, from left to right."""
    return {id: place.x for id, place in places(plant, picture).items()}


def apart(one: Place, other: Place) -> bool:
    return (
        one.x + one.width <= other.x
        or other.x + other.width <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )


def cells(text: str) -> str:
    """One character a cell: wide ones leave a blank behind them."""
    return "".join(char + " " * (cell_len(char) - 1) if cell_len(char) else "" for char in text)


# -- the pure placement ------------------------------------------------------------------------------------------------

PARTS = st.builds(
    Part,
    text_width=st.integers(0, 12),
    text_height=st.integers(0, 4),
    box_width=st.integers(7, 12),
    box_height=st.just(3),
    stem=st.integers(1, 5),
    tie=st.just(1),
    column=st.integers(0, 14),
)


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[Part], list[int], list[int | None]]:
    parts = draw(st.lists(PARTS, min_size=1, max_size=20))
    parents = [draw(st.integers(-1, number - 1)) for number in range(len(parts))]
    return parts, parents, [draw(st.one_of(st.none(), st.integers(0, 60))) for _ in parts]


@CHECKED
@given(forests(), st.booleans())
def test_nothing_collides_wherever_parts_stood_before(
    forest: tuple[list[Part], list[int], list[int | None]], before: bool
) -> None:
    parts, parents, kept = forest
    found = spots(parts, parents, margin=6, gap=2, indent=2, apart=4, kept=kept if before else None)
    boxes = [Place(spot.left, spot.top, part.box_width, 3) for part, spot in zip(parts, found, strict=True)]
    stems = [
        Place(spot.x, spot.y, 2 + part.text_width if part.text_width else 1, part.text_height)
        for part, spot in zip(parts, found, strict=True)
    ]
    for number, parent in enumerate(parents):
        if parent >= 0:
            assert found[number].y == found[parent].bottom
            assert found[number].x >= found[parent].x
            if found[number].x > found[parent].x:  # its connector leaves the box at the right
                assert found[number].x > found[parent].left + parts[parent].box_width
                stems.append(Place(found[number].x, found[number].y - 2, 1, 2))
    things = [*boxes, *(stem for stem in stems if stem.height)]
    assert all(apart(one, other) for one, other in combinations(things, 2))
    assert min(spot.left for spot in found) >= 0
    children: dict[int, list[int]] = {}
    for number, parent in enumerate(parents):
        children.setdefault(parent, []).append(number)
    assert all(found[left].x < found[right].x for row in children.values() for left, right in pairwise(row))


@CHECKED
@given(forests())
def test_what_has_a_place_goes_nowhere_when_nothing_changes(
    forest: tuple[list[Part], list[int], list[int | None]],
) -> None:
    parts, parents, _ = forest
    options = {"margin": 6, "gap": 2, "indent": 2, "apart": 4}
    first = spots(parts, parents, **options)
    assert spots(parts, parents, **options, kept=[spot.x for spot in first]) == first


# -- figures -----------------------------------------------------------------------------------------------------------


@CHECKED
@given(plants(), st.sampled_from([None, 8, 20]), st.sampled_from([None, 30, 90]), st.booleans())
def test_boxes_stand_whole_below_their_parents_inside_the_picture(
    plant: Plant, height: int | None, width: int | None, ascii: bool
) -> None:
    look = Look(colour=False, ascii=ascii)
    picture = figure(plant.snapshot(), PIECES, look=look, height=height, width=width)
    lines = [cells(picture.line(y).plain) for y in range(picture.height)]
    assert all(len(line) <= picture.width for line in lines)
    assert not ascii or all(line.isascii() for line in lines)
    found = places(plant, picture)
    assert set(found) == {*plant.buds, *(stone.node for stone in plant.stones)}
    assert all(apart(one, other) for one, other in combinations(found.values(), 2))
    for id, (x, y, wide, high) in found.items():
        assert x >= 0 and x + wide <= picture.width and y + high <= picture.height
        corners = lines[y][x] + lines[y][x + wide - 1] + lines[y + high - 1][x] + lines[y + high - 1][x + wide - 1]
        if high == 3:
            assert corners == ("++++" if ascii else "┌┐└┘")
        else:
            assert corners in ("[][]", ":::::::"[:4], "╎╎╎╎")
        assert all(picture.node_at(column, line) == id for column in range(x, x + wide) for line in range(y, y + high))
        parent = plant.buds[id].parent if id in plant.buds else 0
        if parent > 0:
            assert y >= found[parent].y + found[parent].height


@CHECKED
@given(plants(), st.data())
def test_every_cell_answers_for_what_it_shows(plant: Plant, data: st.DataObject) -> None:
    picture = drawn(plant)
    for y in range(picture.height):
        x = data.draw(st.integers(0, picture.width - 1))
        node = picture.node_at(x, y)
        if node is not None:
            place = picture.place(node)
            assert place is not None and y < place.y + place.height


@CHECKED
@given(plants(least=1), st.data())
def test_use_locks_and_evictions_move_nothing(plant: Plant, data: st.DataObject) -> None:
    first = drawn(plant)
    changed = plant
    for id in plant.buds:
        size = len(plant.buds[id].key) // 4
        changed = changed.change(
            id,
            new_in=data.draw(st.sampled_from([1, STEP])),
            used_in=data.draw(st.sampled_from([1, STEP])),
            part=data.draw(st.integers(0, size)),
            locks=data.draw(st.sampled_from([0, 1, 12, 1000])),
        )
    again = drawn(changed, first)
    assert places(plant, again) == places(plant, first)
    while changed.leaves():
        changed = changed.evict(data.draw(st.sampled_from(changed.leaves())))
        before, again = again, drawn(changed, again)
        assert places(plant, again) == places(plant, before) == places(plant, first)
    assert drawn(changed.forget(), again).place(1) is None


@CHECKED
@given(plants(least=1), st.data())
def test_a_tree_that_grows_down_or_is_split_moves_nothing_sideways(plant: Plant, data: st.DataObject) -> None:
    plant = plant.forget()
    if not plant.buds:
        return
    picture = drawn(plant)
    for _ in range(4):
        kind = data.draw(st.sampled_from(["child", "longer", "split"]))
        splittable = [id for id, bud in plant.buds.items() if len(bud.key) >= 8]
        leaf = data.draw(st.sampled_from(plant.leaves()))
        if kind == "child":
            grown_plant = plant.add(leaf, data.draw(KEYS))
        elif kind == "longer":
            grown_plant = plant.change(leaf, key=plant.buds[leaf].key + data.draw(KEYS))
        elif splittable:
            grown_plant = plant.split(data.draw(st.sampled_from(splittable)), 1)
        else:
            continue
        after = drawn(grown_plant, picture)
        was, now = across(picture, plant), across(after, grown_plant)
        assert {id: now[id] for id in was} == was
        plant, picture = grown_plant, after


@CHECKED
@given(plants(least=1), st.data())
def test_a_new_branch_pushes_to_the_right_only_and_moves_nothing_up_or_down(plant: Plant, data: st.DataObject) -> None:
    plant = plant.forget()
    parent = data.draw(st.sampled_from([*plant.buds, 0]))
    first = drawn(plant)
    grown_plant = plant.add(parent, data.draw(KEYS))
    after = drawn(grown_plant, first)
    was, now = places(plant, first), places(grown_plant, after)
    new = now[plant.next_id]
    for id, place in was.items():
        assert now[id].y == place.y and now[id].x >= place.x
        if place.x < new.x and not _is_right_of(plant, id, parent):
            assert now[id] == place
    if not any(_is_right_of(plant, id, parent) for id in plant.buds):
        assert {id: now[id] for id in was} == was


def _is_right_of(plant: Plant, id: int, parent: int) -> bool:
    """Whether a node stands right of all that hangs below another one."""
    return _way(plant, id) > [*_way(plant, parent), (2**31, 0)]


def _way(plant: Plant, id: int) -> list[tuple[int, int]]:
    way = []
    while id > 0:
        way.append((plant.buds[id].rank, id))
        id = plant.buds[id].parent
    return [(-id, 0), *reversed(way)]


def test_a_place_that_became_free_stays_free_until_asked() -> None:
    plant = grown({1: 0, 2: 1, 3: 1, 4: 1})
    first = drawn(plant)
    left = plant.evict(2).forget()
    assert across(drawn(left, first), left) == {id: x for id, x in across(first, plant).items() if id != 2}
    assert drawn(left).place(3).x == first.place(2).x


def test_a_figure_that_would_not_fit_is_laid_out_anew() -> None:
    plant = grown({1: 0, 2: 1, 3: 1})
    picture = drawn(plant, width=60, height=40)
    for id in range(4, 9):
        plant = plant.evict(plant.children(1)[0]).forget().add(1, as_key([92, 19]))
        picture = drawn(plant, picture, width=60, height=40)
        assert picture.fits, id


def test_free_places_are_used_again_when_the_figure_got_twice_as_wide() -> None:
    plant = grown({1: 0, 2: 1, 3: 1, 4: 1, 5: 1})
    picture = drawn(plant, width=30, height=40)
    widest = picture.width
    for _ in range(40):
        plant = plant.evict(plant.children(1)[0]).forget().add(1, as_key([92, 19]))
        picture = drawn(plant, picture, width=30, height=40)
        assert picture.width <= 2 * widest + 40


def test_a_figure_takes_more_room_when_there_is_much_more() -> None:
    plant = grown({id: (0 if id == 1 else 1) for id in range(1, 6)}, as_key([17, 17]))
    small = drawn(plant, width=80, height=30)
    assert drawn(plant, small, width=81, height=30).place(5) == small.place(5)
    large = drawn(plant, small, width=200, height=30)
    assert large.form.text > small.form.text
    assert drawn(plant, large, width=199, height=30).place(5) == large.place(5)


@CHECKED
@given(plants(least=1), st.integers(0, 200), st.integers(1, 60))
def test_a_part_of_a_line_is_what_the_whole_line_shows_there(plant: Plant, start: int, width: int) -> None:
    picture = drawn(plant)
    for y in range(picture.height):
        whole, part = cells(picture.line(y).plain), cells(picture.line(y, start, start + width).plain)
        assert whole[start : start + width].rstrip() == part[start : start + width].rstrip()


@CHECKED
@given(plants(least=1), st.data())
def test_a_cursor_reaches_every_node(plant: Plant, data: st.DataObject) -> None:
    picture = drawn(plant)
    start = picture.first()
    assert start is not None
    seen, left = {start}, [start]
    while left:
        node = left.pop()
        found = {way: picture.beside(node, way) for way in Direction}
        for way, back in ((Direction.LEFT, Direction.RIGHT), (Direction.RIGHT, Direction.LEFT)):
            if (other := found[way]) is not None:
                assert picture.beside(other, back) == node
        if (child := found[Direction.DOWN]) is not None:
            assert picture.beside(child, Direction.UP) == node
        new = {other for other in found.values() if other is not None} - seen
        seen |= new
        left += new
    assert seen == set(places(plant, picture))


@pytest.mark.parametrize("shape", ["chain", "star", "comb"])
def test_many_nodes_are_laid_out_in_no_time_and_without_recursion(shape: str) -> None:
    parent = {"chain": lambda id: id - 1, "star": lambda id: 0, "comb": lambda id: id // 2}[shape]
    snapshot = grown({id: parent(id) for id in range(1, 2001)}).snapshot()
    start = time.perf_counter()
    picture = figure(snapshot, PIECES, look=MONO)
    took = time.perf_counter() - start
    figure(snapshot, PIECES, look=MONO, before=picture)
    assert picture.place(2000) is not None and picture.line(picture.height - 1).plain
    assert took < 1.0  # some 50 ms where nothing else runs
