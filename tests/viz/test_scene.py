"""Scenes: what never collides, what never moves, and how edges are written; on random trees and the paper's figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from radixchat.chat.lessons.loading import load_lesson
from radixchat.chat.lessons.running import Stage
from radixchat.radix import RadixCache, Snapshot, as_key
from radixchat.viz.album import Album, Panel
from radixchat.viz.edges import MOST_LINES
from radixchat.viz.labels import Kind, Label, Span, label
from radixchat.viz.scene import BASE, CELL, LINE, Box, Layout, Piece, Scene, scenes
from radixchat.viz.wrap import wrapped

from .panels import PANEL_PIECES, panels, turn
from .plants import HOSTILE, PIECES, STEP, Plant, grown, plants

CHECKED = settings(max_examples=60, deadline=None)

Path = tuple[int, ...]


def album(snapshots: Sequence[Snapshot], pieces: dict[int, bytes] = PIECES, **facts: object) -> Album:
    return Album(tuple(Panel(at, one, None, f"step {at}", "") for at, one in enumerate(snapshots)), pieces, **facts)


def nine(**facts: object) -> Album:
    """The paper's figure."""
    shown = tuple(Panel(at, one, letters, f"step {at}", "") for at, (one, letters) in enumerate(panels(), start=1))
    return Album(shown, PANEL_PIECES, **facts)


# -- histories ---------------------------------------------------------------------------------------------------------

TURNS = st.tuples(
    st.lists(st.integers(0, 2), min_size=1, max_size=7).map(tuple), st.lists(st.integers(0, 2), max_size=3).map(tuple)
)


@st.composite
def histories(draw: st.DrawFn, page: int | None = None) -> list[Snapshot]:
    """The steps of a small cache: prompts that share beginnings, samples that grow, evictions, several namespaces."""
    size = page or draw(st.sampled_from([1, 1, 1, 2, 3]))
    radix = RadixCache(30, page_size=size)
    shots = [radix.snapshot()]
    for _ in range(draw(st.integers(1, 8))):
        radix.new_step()
        for prompt, reply in draw(st.lists(TURNS, min_size=1, max_size=3)):
            turn(radix, prompt, reply)
        if draw(st.booleans()):
            radix.evict(draw(st.integers(1, 12)))
        shots.append(radix.snapshot())
    return shots


def paths(snapshot: Snapshot) -> dict[int, Path]:
    """The tokens from the root to the end of each node, by its id."""
    found: dict[int, Path] = {}
    for root in snapshot.roots:
        stack = [(root.node, (root.node.id,))]
        while stack:
            node, above = stack.pop()
            for child in node.children:
                found[child.id] = (*above, *child.tokens.tolist())
                stack.append((child, found[child.id]))
    return found


def nodes(scene: Scene) -> dict[int, Piece]:
    return {piece.id: piece for piece in scene.pieces if piece.kind in ("node", "fold")}


# -- what holds for every scene ----------------------------------------------------------------------------------------


def texts(piece: Piece) -> list[Box]:
    return [Box(line.x, line.y - BASE, line.cells * CELL, LINE) for line in piece.text]


def strokes(piece: Piece) -> Iterator[Box]:
    for (x, y), (to_x, to_y) in pairwise(piece.edge):
        assert x == to_x or y == to_y, "right angles only"
        yield Box(min(x, to_x), min(y, to_y), abs(to_x - x), abs(to_y - y))


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def check(scene: Scene) -> None:
    """Nothing collides, everything is inside, children are below or to the right of what they hang on."""
    things = [box for piece in scene.pieces for box in (piece.box, *texts(piece))]
    assert not [pair for pair in combinations(things, 2) if overlap(*pair)]
    lines = [stroke for piece in scene.pieces for stroke in strokes(piece)]
    assert not [(line, thing) for line in lines for thing in things if overlap(line, thing)]
    for box in [*things, *lines]:
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= scene.width and box.y + box.height <= scene.height
    ends = {(piece.box.x, piece.box.y): piece for piece in scene.pieces}
    assert len(ends) == len(scene.pieces)
    for piece in scene.pieces:
        if piece.kind == "root":
            assert not piece.edge and not piece.text and not piece.badge
            continue
        (x, y), (end_x, end_y) = piece.edge[0], piece.edge[-1]
        above = [one.box for one in scene.pieces if touches(one.box, x, y) and one is not piece]
        assert len(above) == 1, "an edge begins at a box"
        assert piece.box.x < end_x < piece.box.x + piece.box.width and end_y == piece.box.y
        assert piece.box.y >= above[0].y + above[0].height and piece.box.x >= above[0].x
        assert piece.badge


def touches(box: Box, x: float, y: float) -> bool:
    """Whether a way begins here: below a box, or at its right side."""
    below = y == box.y + box.height and box.x < x < box.x + box.width
    return below or (x == box.x + box.width and box.y < y < box.y + box.height)


@CHECKED
@given(plants(), st.sampled_from([3, 8, 24, 60]), st.sampled_from(["text", "tokens", "ids"]), st.data())
def test_nothing_collides_in_any_tree(plant: Plant, wrap: int, labels: str, data: st.DataObject) -> None:
    folded = frozenset(data.draw(st.sets(st.sampled_from([0, *plant.buds]), max_size=3)))
    (scene,) = scenes(album([plant.snapshot()]), wrap=wrap, labels=labels, folded=folded)
    check(scene)
    assert all(line.label.plain.isprintable() for piece in scene.pieces for line in piece.text)
    assert all(piece.whole.isprintable() for piece in scene.pieces)


@CHECKED
@given(st.lists(plants(most=12), min_size=2, max_size=4))
def test_nothing_collides_even_when_panels_have_nothing_to_do_with_each_other(seen: list[Plant]) -> None:
    for scene in scenes(album([plant.snapshot() for plant in seen])):
        check(scene)


@CHECKED
@given(histories(), st.sampled_from(["fixed", "compact"]))
def test_nothing_collides_in_the_life_of_a_cache(history: list[Snapshot], layout: Layout) -> None:
    made = scenes(album(history), layout=layout)
    assert [scene.panel.number for scene in made] == list(range(len(history)))
    for scene, snapshot in zip(made, history, strict=True):
        check(scene)
        assert set(nodes(scene)) == set(paths(snapshot))
        assert sum(piece.kind == "tombstone" for piece in scene.pieces) == len(snapshot.tombstones)
    assert made == scenes(album(history), layout=layout)


# -- nothing moves -----------------------------------------------------------------------------------------------------


def check_still(made: Sequence[Scene]) -> None:
    """All scenes have one size, and every node has one box in all of them."""
    assert len({(scene.width, scene.height) for scene in made}) == 1
    stands: dict[int, Box] = {}
    for scene in made:
        for id, piece in nodes(scene).items():
            assert stands.setdefault(id, piece.box) == piece.box


@CHECKED
@given(histories())
def test_no_node_moves_and_what_comes_back_stands_where_it_stood(history: list[Snapshot]) -> None:
    made = scenes(album(history))
    check_still(made)
    stood: dict[Path, Box] = {}
    for scene, snapshot in zip(made, history, strict=True):
        known = nodes(scene)
        for id, path in paths(snapshot).items():
            assert stood.setdefault(path, known[id].box) == known[id].box


@CHECKED
@given(st.lists(TURNS, min_size=1, max_size=4), st.data())
def test_no_node_moves_while_replies_grow_over_several_steps(
    asked: list[tuple[Path, Path]], data: st.DataObject
) -> None:
    """Each reply comes token by token, a step each, in any order; leaves grow in place, or are split meanwhile."""
    radix = RadixCache(100)
    shots = []
    leases = []
    for prompt, reply in asked:
        radix.new_step()
        lease = radix.begin(prompt)
        radix.extend(lease, len(prompt) - len(lease))
        radix.commit(lease, prompt[lease.computed :])
        shots.append(radix.snapshot())
        leases += [(lease, token) for token in reply]
    waiting = {id(lease): [token for other, token in leases if other is lease] for lease, _ in leases}
    for lease, _ in data.draw(st.permutations(leases)) if leases else []:
        radix.new_step()
        radix.extend(lease, 1)
        radix.commit(lease, (waiting[id(lease)].pop(0),))
        shots.append(radix.snapshot())
    made = scenes(album(shots))
    check_still(made)
    for scene in made:
        check(scene)


def test_no_page_is_cut() -> None:
    radix = RadixCache(40, page_size=2)
    shots = []
    for prompt in ((1, 2, 3, 4, 5, 6), (1, 2, 3, 9), (1, 2, 3, 4, 5, 6)):  # they differ within the second page
        radix.new_step()
        if len(shots) == 1:
            radix.evict(40)
        turn(radix, prompt, ())
        shots.append(radix.snapshot())
    made = scenes(album(shots))
    check_still(made)
    assert paths(shots[2]) == {2: (0, 1, 2, 3, 9), 3: (0, 1, 2), 4: (0, 1, 2, 3, 4, 5, 6)}
    assert nodes(made[2])[4].box == nodes(made[0])[1].box


@pytest.mark.parametrize("layout", ["fixed", "compact"])
def test_the_nine_steps(layout: Layout) -> None:
    made = scenes(nine(), layout=layout)
    for scene in made:
        check(scene)
    assert [len(nodes(scene)) for scene in made] == [0, 1, 2, 4, 4, 5, 8, 7, 8]
    assert [sum(piece.kind == "tombstone" for piece in scene.pieces) for scene in made] == [0, 0, 0, 0, 1, 0, 0, 2, 3]
    named = [sorted(piece.name for piece in scene.pieces if piece.name) for scene in made]
    assert named == [[], ["a"], ["b"], ["c", "d"], [], ["e"], ["f", "g", "h"], ["i", "j", "k", "l"], []]


@pytest.mark.parametrize("name", ["nine-steps", "policies"])
def test_no_node_of_a_lesson_moves(name: str) -> None:
    """Whole lessons on the real cache: letters, evictions, a capacity that shrinks."""
    run = Stage(load_lesson(name)).run()
    shown = tuple(Panel(at.number, run.panel(at.number), run.drawn(at.number), "", "") for at in run.steps)
    made = scenes(Album(shown, run.recording.pieces, run.abridged))
    check_still(made)
    for scene in made:
        check(scene)


def test_no_node_of_the_nine_steps_moves_nor_does_a_text_when_its_edge_is_cut_between_lines() -> None:
    made = scenes(nine(), wrap=60)
    check_still(made)
    third, fourth = (
        {line.label.plain: (line.x, line.y) for piece in scene.pieces for line in piece.text} for scene in made[2:4]
    )
    assert len(third) == 5
    assert third.items() <= fourth.items()


def test_compact_is_never_larger_than_fixed() -> None:
    pairs = zip(scenes(nine()), scenes(nine(), layout="compact"), strict=True)
    assert all(small.width * small.height <= large.width * large.height for large, small in pairs)


def test_what_went_and_came_back_in_one_step_is_drawn_twice_and_the_living_has_the_place() -> None:
    plant = grown({1: 0})
    before = plant.snapshot()
    again = plant.evict(1).add(0, plant.buds[1].key)
    first, second = scenes(album([before, again.snapshot()]))
    check(second)
    kinds = {piece.kind: piece for piece in second.pieces}
    assert kinds["node"].box == nodes(first)[1].box
    assert kinds["tombstone"].id == 1


def test_an_edge_that_runs_past_other_children_turns_in_right_angles() -> None:
    head, left, right = as_key([92] * 3), as_key([92]), as_key([19])
    split = grown({1: 0}, head)
    split = split.add(1, left).add(1, right)
    whole = Plant({}, next_id=9).add(0, head + right)
    (_, scene) = scenes(album([split.snapshot(), whole.snapshot()]))
    check(scene)
    (piece,) = nodes(scene).values()
    assert len(piece.edge) == 4


# -- what stands where -------------------------------------------------------------------------------------------------


def said(piece: Piece) -> list[str]:
    return [line.label.plain for line in piece.text]


def one(key: Sequence[int], pieces: dict[int, bytes], **options: object) -> Piece:
    relabels = options.pop("relabels", {})
    snapshot = Plant({}).add(0, as_key(key)).snapshot()
    (scene,) = scenes(album([snapshot], pieces, relabels=relabels), **options)
    return nodes(scene)[1]


def test_lines_are_broken_between_words_and_counted_from_twelve_on() -> None:
    words = b"the quick brown fox jumps over the lazy dog"
    assert said(one([1], {1: words}, wrap=12)) == ["the quick", "brown fox", "jumps over", "the lazy dog"]
    many = said(one([1] * 40, {1: words + b"\n"}, wrap=60))
    assert len(many) == MOST_LINES and many[6] == "⋯ 29 lines"


def test_text_of_scripts_without_spaces_is_broken_anywhere_but_before_what_closes_it() -> None:
    lines = said(one([1], {1: "前缀树保存前缀，节点保存标记。".encode()}, wrap=10))
    assert lines == ["前缀树保存", "前缀，节点", "保存标记。"]
    assert said(one([1], {1: "前缀树保存，节点".encode()}, wrap=10)) == ["前缀树保", "存，节点"]


def test_tokens_and_ids() -> None:
    pieces = {1: b"Hello", 2: b" world", 3: b"!\n", 4: b"\xe6\x9c", 5: b"\xa8"}
    assert said(one([1, 2, 3, 1, 4, 5], pieces, labels="tokens")) == ["Hello·␣world·!⏎", r"Hello·\xE6\x9C·\xA8"]
    assert said(one([1, 2, 2, 3], pieces, labels="tokens", wrap=14)) == ["Hello·␣world·", "␣world·!⏎"]
    assert said(one([1, 2, 3, 4, 5], pieces, labels="ids")) == ["1 2 3 4 5"]
    long = one([1] * 1000, pieces, labels="ids")
    assert len(long.text) == MOST_LINES and long.whole == "Hello" * 1000


def test_another_label_takes_the_place_of_the_text_which_stays_the_title() -> None:
    piece = one([1], {1: b"secret"}, relabels={1: "what is\nshown \x1b[2J"})
    assert said(piece) == ["what is⏎shown ␛[2J"]
    assert piece.whole == "secret"


def test_what_has_no_kv_yet_stands_at_the_end_as_a_mark() -> None:
    plant = grown({1: 0}, as_key([1])).change(1, uncached=as_key([2]))
    (scene,) = scenes(album([plant.snapshot()], {1: b"Yes", 2: b" no"}))
    piece = nodes(scene)[1]
    assert said(piece) == ["Yes ◌␣no"]
    assert piece.text[-1].label.spans[-1] == Span("◌␣no", Kind.MARK)
    assert piece.tokens == 1


def test_a_fold_says_how_much_it_stands_for() -> None:
    plant = grown({1: 0, 2: 1, 3: 1})
    (scene,) = scenes(album([plant.snapshot()]), folded=[1])
    assert [(piece.kind, piece.name, piece.tokens) for piece in scene.pieces] == [
        ("root", "", 0), ("fold", "⋯ 3 nodes, 6 tok", 6),
    ]  # fmt: skip


def test_a_fold_does_not_count_what_went() -> None:
    cache = RadixCache(8)
    for key in ([1, 2, 3, 4], [1, 2, 5, 6], [7, 8, 9, 10]):
        cache.new_step()
        cache.insert(key)
    snapshot = cache.snapshot()
    assert snapshot.tombstones and snapshot.resident <= 8
    top = next(node for node in snapshot.nodes() if node.children or node.id == snapshot.tombstones[0].parent)
    (scene,) = scenes(album([snapshot]), folded=[top.id])
    folds = [piece.tokens for piece in scene.pieces if piece.kind == "fold"]
    assert folds == [sum(node.size for node in (top, *top.children))]


def test_namespaces_have_roots_with_names_and_one_alone_has_none() -> None:
    plant = Plant({}, roots=2).add(0, as_key([92])).add(-1, as_key([92]))
    (scene,) = scenes(album([plant.snapshot()]))
    assert [piece.name for piece in scene.pieces if piece.kind == "root"] == ["default", "[b]1"]
    assert [piece.name for piece in scenes(nine())[0].pieces] == [""]


def test_a_proportion_chooses_the_wrap() -> None:
    tall, wide = (scenes(nine(), aspect=aspect)[0] for aspect in (0.1, 100))
    assert tall.width < wide.width and tall.height > wide.height
    assert scenes(nine(), aspect=100, wrap=12) == scenes(nine(), wrap=12)


def test_an_album_without_panels_has_no_scenes() -> None:
    assert scenes(album([])) == ()
    assert scenes(album([]), layout="compact", aspect=2) == ()


@CHECKED
@given(st.lists(st.sampled_from([*HOSTILE, "木。", "a b", "naïve ", "Привет мир"]), max_size=8), st.integers(2, 30))
def test_wrapping_loses_nothing_but_blanks(parts: list[str], width: int) -> None:
    whole = label("".join(parts), pills=True)
    lines = wrapped(whole, width)
    spans = [span for line in lines for span in line.spans]
    assert "".join(span.text for span in spans).replace(" ", "") == whole.plain.replace(" ", "")
    for line in lines:
        loose = [span for span in line.spans if span.kind not in (Kind.TEXT, Kind.MARK)]
        assert line.cells <= width or (loose and line.cells == cell_len(loose[0].text))
        assert line == Label(line.spans) and (line.spans or len(lines) == 1)


def test_the_step_of_the_plants_is_the_one_their_states_speak_of() -> None:
    plant = grown({1: 0, 2: 1}).change(1, new_in=1, used_in=STEP, locks=12)
    (scene,) = scenes(album([plant.snapshot()]))
    first, second = nodes(scene)[1], nodes(scene)[2]
    assert (first.state.value, first.attribute.value, first.locks, first.badge) == ("reused", "locked", 12, "●")
    assert (second.state.value, second.name, second.badge) == ("new", "#2", "✚")
