"""The token ruler: what it looks like, and what always holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from radixchat.radix import Snapshot, as_key
from radixchat.viz.picture import Direction, Look
from radixchat.viz.ruler import Ruler, ruler

from .panels import PANEL_PIECES, panels
from .plants import PIECES, Plant, grown, plants

CHECKED = settings(max_examples=40, deadline=None)
MONO = Look(colour=False)
Golden = Callable[[str, str], None]


def text(picture: Ruler) -> str:
    return "\n".join(picture.line(y).plain for y in range(picture.height))


def drawn(plant: Plant, width: int = 80, look: Look = MONO) -> Ruler:
    return ruler(plant.snapshot(), PIECES, width=width, look=look)


def page(width: int, look: Look = MONO) -> str:
    pictures = [ruler(snapshot, PANEL_PIECES, width=width, look=look) for snapshot, _ in panels()]
    return "\n\n".join(f"({number})\n{text(picture)}" for number, picture in enumerate(pictures, start=1))


@pytest.mark.parametrize("width", [40, 100])
def test_the_panels(width: int, golden: Golden) -> None:
    golden(f"ruler-panels-{width}.txt", page(width))


def test_the_panels_in_ascii(golden: Golden) -> None:
    everything = page(100, Look(colour=False, ascii=True))
    assert everything.isascii()
    golden("ruler-panels-ascii.txt", everything)


def test_a_scene_with_everything(scene: Snapshot, pieces: dict[int, bytes], golden: Golden) -> None:
    pictures = [ruler(scene, pieces, width=width, look=MONO) for width in (100, 60, 24, 10)]
    pictures.append(ruler(scene, pieces, width=100, look=MONO, folded=frozenset({4})))
    golden("ruler-scene.txt", "\n\n".join(map(text, pictures)))


def test_colours(scene: Snapshot, pieces: dict[int, bytes], golden: Golden) -> None:
    lines = []
    for palette in ("dark", "light", "ansi"):
        picture = ruler(scene, pieces, width=90, look=Look(palette=palette))
        lines.append(palette)
        for y in range(picture.height):
            line = picture.line(y)
            lines += [
                f"{y} {line.plain[span.start : span.end]!r} {span.style}" for span in line.spans if str(span.style)
            ]
    golden("ruler-styles.txt", "\n".join(lines))


@CHECKED
@given(plants(), st.integers(1, 120), st.booleans())
def test_it_always_fits_and_nothing_is_lost_silently(plant: Plant, width: int, ascii: bool) -> None:
    picture = drawn(plant, width, Look(colour=False, ascii=ascii))
    lines = [picture.line(y).plain for y in range(picture.height)]
    assert all(cell_len(line) <= width for line in lines)
    assert not ascii or all(line.isascii() for line in lines)
    ids = [*plant.buds, *(stone.node for stone in plant.stones)]
    places = [place for id in ids if (place := picture.place(id)) is not None]
    assert len(places) + picture.left_out == len(ids)
    assert not picture.left_out or f"{picture.left_out} node"[:width] in lines[0]
    for one, other in combinations(set(places), 2):
        assert one.y != other.y or one.x + one.width <= other.x or other.x + other.width <= one.x
    for id in ids:
        place = picture.place(id)
        if place is None:
            continue
        assert place.width >= 1 and place.x + place.width <= width and 2 <= place.y < picture.height
        found = {picture.node_at(x, place.y) for x in range(place.x, place.x + place.width)}
        assert len(found) == 1 and picture.place(found.pop() or 0) == place
        parent = plant.buds[id].parent if id in plant.buds else 0
        if parent > 0 and (above := picture.place(parent)) is not None and above != place:
            assert place.x == above.x + above.width and place.y >= above.y


@CHECKED
@given(plants(least=1))
def test_equal_positions_stand_in_one_column(plant: Plant) -> None:
    picture = drawn(plant, 200)
    if picture.left_out:
        return
    columns: dict[int, set[int]] = {}
    for id in plant.buds:
        place = picture.place(id)
        assert place is not None
        end, at = 0, id
        while at > 0:
            end += len(plant.buds[at].key) // 4
            at = plant.buds[at].parent
        columns.setdefault(end, set()).add(place.x + place.width)
    assert all(len(found) == 1 for found in columns.values())
    ends = [min(columns[end]) for end in sorted(columns)]
    assert ends == sorted(ends)


def test_a_split_is_a_seam_in_a_bar_that_stays() -> None:
    plant = grown({1: 0, 2: 1}, as_key([92] * 40))
    before, after = drawn(plant), drawn(plant.split(1, 20))
    head, tail = after.place(3), after.place(1)
    assert head is not None and tail is not None
    assert (head.x, tail.x + tail.width) == (0, before.place(1).width)
    assert after.place(2) == before.place(2)


def test_an_eviction_moves_nothing() -> None:
    plant = grown({1: 0, 2: 1, 3: 1, 4: 2})
    before, after = drawn(plant), drawn(plant.evict(4).evict(2))
    assert [before.place(id) for id in range(1, 5)] == [after.place(id) for id in range(1, 5)]
    assert "✖2╌okUs…o!⏎╌" in text(after) or "✖2╌okU" in text(after)


def test_a_reply_that_grows_moves_nothing_else_until_the_scale_changes() -> None:
    plant = grown({1: 0, 2: 1, 3: 1, 4: 2}, as_key([92] * 32))
    before = drawn(plant)
    for tokens in (33, 35, 40):
        after = drawn(plant.change(4, key=as_key([92] * tokens)))
        assert [after.place(id) for id in (1, 2, 3)] == [before.place(id) for id in (1, 2, 3)]


def test_the_reused_part_of_a_bar_is_heavy_as_far_as_it_goes() -> None:
    plant = grown({1: 0}, as_key([92] * 200)).change(1, part=100, new_in=1)
    picture = ruler(plant.snapshot(), {92: b""}, width=60, look=Look())
    line = picture.line(2)
    assert "●100/200" in line.plain
    place = picture.place(1)
    assert place is not None
    assert line.plain.index("─") == place.width // 2
    assert {line.plain[span.start] for span in line.spans if "underline" in str(span.style)} >= {"●", "━"}
    assert not any("underline" in str(span.style) for span in line.spans if "─" in line.plain[span.start : span.end])


def test_a_long_chain_is_joined_before_anything_is_left_out() -> None:
    plant = grown({id: id - 1 for id in range(1, 60)}).forget()
    for id in plant.buds:
        plant = plant.change(id, new_in=1)
    picture = drawn(plant)
    assert "⋯ 59 nodes" in text(picture) and picture.left_out == 0
    assert picture.node_at(3, 2) == 1 and picture.place(40) == picture.place(1)
    for id in list(plant.buds)[::2]:
        plant = plant.change(id, locks=1)
    picture = drawn(plant)
    assert picture.left_out == 33 and "33 nodes do not fit" in picture.line(0).plain and "▸" in picture.line(2).plain


@CHECKED
@given(plants(least=1))
def test_a_cursor_goes_to_parents_children_and_other_lines(plant: Plant) -> None:
    picture = drawn(plant, 300)
    for id in plant.buds:
        if (child := picture.beside(id, Direction.RIGHT)) is not None:
            assert picture.beside(child, Direction.LEFT) == id
        place, below = picture.place(id), picture.beside(id, Direction.DOWN)
        assert place is not None
        if below is not None:
            assert (picture.place(below) or place).y > place.y
        if (above := picture.beside(id, Direction.UP)) is not None:
            assert (picture.place(above) or place).y < place.y
    assert picture.first() is not None


def test_an_empty_tree_is_a_heading() -> None:
    snapshot, _ = panels()[0]
    picture = ruler(snapshot, {}, width=80, look=MONO)
    assert picture.height == 2 and picture.first() is None and picture.node_at(0, 0) is None


@pytest.mark.parametrize("shape", ["chain", "star", "comb"])
def test_many_nodes_are_laid_out_in_no_time_and_without_recursion(shape: str) -> None:
    parent = {"chain": lambda id: id - 1, "star": lambda id: 0, "comb": lambda id: id // 2}[shape]
    snapshot = grown({id: parent(id) for id in range(1, 2001)}).snapshot()
    start = time.perf_counter()
    picture = ruler(snapshot, PIECES, width=100, look=MONO)
    took = time.perf_counter() - start
    assert picture.line(picture.height - 1).plain
    assert took < 1.0  # some 50 ms where nothing else runs
