"""The tree widget alone in a tiny app: messages and state, not pixels."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from radixchat.radix import RadixCache, Snapshot, State
from radixchat.viz import PALETTES
from radixchat.viz.outline import Outline
from radixchat.viz.picture import Direction, Look
from radixchat.viz.tree_view import EMPTY, Mark, TreeView, _ink

PIECES = {token: f" w{token}".encode() for token in range(3000)}

pytestmark = pytest.mark.asyncio


class Host(App[None]):
    """Shows the widget and remembers what it said."""

    def __init__(self) -> None:
        super().__init__()
        self.moves: list[int | None] = []

    def compose(self) -> ComposeResult:
        yield TreeView(id="tree")

    def on_tree_view_moved(self, message: TreeView.Moved) -> None:
        self.moves.append(message.node)

    @property
    def tree(self) -> TreeView:
        return self.query_one(TreeView)


@asynccontextmanager
async def hosted(
    snapshot: Snapshot | None = None, size: tuple[int, int] = (100, 20), view: str = "rail"
) -> AsyncIterator[tuple[TreeView, Pilot[None]]]:
    app = Host()
    async with app.run_test(size=size) as pilot:
        app.tree.view = view
        if snapshot is not None:
            app.tree.show(snapshot, PIECES, bytes_per_token=1000)
        await pilot.pause()
        yield app.tree, pilot


def lines(tree: TreeView) -> list[str]:
    """What stands on the screen."""
    return [tree.render_line(y).text for y in range(tree.size.height)]


def cache_of(*keys: list[int], capacity: int = 10_000) -> RadixCache:
    cache = RadixCache(capacity)
    for key in keys:
        cache.new_step()
        cache.insert(key)
    return cache


def bushy(requests: int = 40, seed: int = 1) -> RadixCache:
    chance = random.Random(seed)
    keys = [[0, 1, 2]]
    for _ in range(requests):
        earlier = chance.choice(keys)
        rest = [chance.randrange(3000) for _ in range(chance.randint(1, 9))]
        keys.append(earlier[: chance.randint(0, len(earlier))] + rest)
    return cache_of(*keys)


FAMILY = cache_of([1, 2, 3], [1, 2, 4, 5], [1, 2, 4, 6], [9])
"""#2 over (#1, #4 over (#3, #5)), and #6, as ids are given; see `family_ids`."""


async def test_before_anything_is_shown_it_paints_nothing() -> None:
    async with hosted() as (tree, pilot):
        assert not "".join(lines(tree)).strip()
        tree.move(Direction.DOWN)
        tree.fold()
        tree.to_parent()
        tree.to_next_branch()
        tree.pan(3, 3)
        assert tree.find("x") == 0 and tree.cursor is None
        assert pilot.app.moves == []  # type: ignore[attr-defined]


async def test_an_empty_tree_says_so() -> None:
    async with hosted(RadixCache(10).snapshot(), view="auto") as (tree, pilot):
        assert lines(tree)[0].strip() == EMPTY
        tree.move(Direction.DOWN)
        await pilot.pause()
        assert tree.cursor is None


async def test_it_shows_the_rail_with_a_heading() -> None:
    snapshot = bushy().snapshot()
    async with hosted(snapshot) as (tree, pilot):
        tree.follow = False
        tree.scroll_home(animate=False)
        await pilot.pause()
        shown = lines(tree)
        assert shown[0].startswith("the tree") and "tokens" in shown[0]
        picture = tree._picture
        assert isinstance(picture, Outline)
        assert [line.rstrip() for line in shown[1:]] == [picture.line(y).plain for y in range(19)]
        assert tree.virtual_size.height == picture.height + 1
        tree.scroll_end(animate=False)
        await pilot.pause()
        assert lines(tree)[-1].rstrip() == picture.line(picture.height - 1).plain
        assert all(tree.render_line(y).cell_length == tree.size.width for y in range(20))


async def test_the_same_snapshot_again_costs_nothing() -> None:
    snapshot = bushy().snapshot()
    async with hosted(snapshot) as (tree, _):
        picture = tree._picture
        tree.show(snapshot, PIECES, bytes_per_token=1000)
        assert tree._picture is picture


async def test_lines_that_did_not_change_are_not_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cache_of([1, 2, 3], [4, 5], [6, 7])
    cache.new_step()
    async with hosted(cache.snapshot()) as (tree, pilot):
        cache.match([6, 7])
        tree.show(cache.snapshot(), PIECES, bytes_per_token=1000)
        await pilot.pause()
        asked: list[int] = []
        monkeypatch.setattr(tree, "refresh", lambda *regions, **_: asked.extend(region.y for region in regions))
        cache.match([4, 5])  # ages are the same: a match by hand is part of the step
        tree.show(cache.snapshot(), PIECES, bytes_per_token=1000)
        assert asked and len(asked) < tree.size.height - 10


async def test_the_cursor_moves_and_says_so() -> None:
    async with hosted(FAMILY.snapshot()) as (tree, pilot):
        picture = tree._picture
        assert isinstance(picture, Outline)
        order = [picture.row(y).node for y in range(picture.height)]
        tree.move(Direction.UP)
        assert tree.cursor == order[0]  # the end of the active path: [9]
        tree.move(Direction.DOWN)
        tree.move(Direction.UP)
        tree.move(Direction.UP, by=9)  # nothing is there
        tree.to_parent()  # nor there
        await pilot.pause()
        assert pilot.app.moves == [order[0], order[1], order[0]]  # type: ignore[attr-defined]
        tree.to_next_branch()
        first = tree.cursor
        tree.to_next_branch()
        second = tree.cursor
        assert first != second and tree.cursor is not None
        tree.to_parent()
        assert tree.cursor == first
        tree.to_next_branch()
        tree.to_next_branch()
        assert tree.cursor == first


async def test_a_click_moves_the_cursor_and_takes_the_focus() -> None:
    async with hosted(bushy().snapshot()) as (tree, pilot):
        await pilot.click(TreeView, offset=(5, 4))
        picture = tree._picture
        assert isinstance(picture, Outline)
        assert tree.cursor == picture.row(tree.scroll_offset.y + 3).node and tree.has_focus
        before = tree.cursor
        await pilot.click(TreeView, offset=(5, 0))  # the heading
        assert tree.cursor == before


async def test_cursor_and_marks_are_seen() -> None:
    async with hosted(FAMILY.snapshot()) as (tree, pilot):
        tree.focus()
        tree.move(Direction.UP)
        await pilot.pause()
        node = tree.cursor
        assert node is not None
        place = tree._place(node)
        assert place is not None
        y = place.y + 1

        def styles() -> list[tuple[str, bool, bool]]:
            strip = tree.render_line(y)
            return [
                (str(part.style.bgcolor.name), bool(part.style.underline), bool(part.style.reverse))
                for part in strip.crop(place.x, place.x + 3)
                if part.style is not None and part.style.bgcolor is not None
            ]

        plain = tree.render_line(0).crop(90, 91)
        ground = next(iter(plain)).style
        assert ground is not None and ground.bgcolor is not None and ground.bgcolor.name == PALETTES["dark"].ground
        assert styles()[0][0] != PALETTES["dark"].ground
        tree.mark(Mark.FOUND, [node])
        assert styles()[0][2]
        tree.mark(Mark.FOUND, [])
        tree.mark(Mark.LIT, {node: 1})
        assert styles()[0][1] and not styles()[0][2]
        tree.mark(Mark.LIT, {})
        tree.mark(Mark.CUT, {node: 1})
        assert styles()[0][0] == PALETTES["dark"].split.fill
        for look in (Look("light"), Look("ansi"), Look("ansi-light", ascii=True), Look(colour=False)):
            tree.look = look
            await pilot.pause()
            assert not look.ascii or "".join(lines(tree)).isascii()


async def test_search_finds_marks_and_cycles() -> None:
    cache = bushy()
    async with hosted(cache.snapshot()) as (tree, pilot):
        hits = tree.find("W7")
        assert hits > 1 and tree.cursor in tree._marks[Mark.FOUND]
        seen = []
        for _ in range(hits):
            seen.append(tree.cursor)
            tree.find_next()
        assert sorted(seen) == sorted(tree._marks[Mark.FOUND]) and tree.cursor == seen[0]
        tree.find_next(back=True)
        assert tree.cursor == seen[-1]
        assert tree.find("nowhere") == 0 and not tree._marks[Mark.FOUND]
        assert tree.find(f"#{seen[0]}") == 1 and tree.cursor == seen[0]
        await pilot.pause()


async def test_text_is_found_across_edges() -> None:
    async with hosted(FAMILY.snapshot()) as (tree, _):
        assert tree.find("w2 w4 w5") == 1
        assert tree.find("W9") == 1
        found = next(strip for y in range(20) if "w9" in (strip := tree.render_line(y)).text)
        assert "".join(part.text for part in found if part.style is not None and part.style.reverse) == "w9"
        assert tree.find("w1 w2") == 1


async def test_folds_hide_and_search_reveals() -> None:
    async with hosted(FAMILY.snapshot()) as (tree, pilot):
        assert tree.find("w2 w4 w6") == 1
        leaf = tree.cursor
        tree.to_parent()
        tree.to_parent()
        top = tree.cursor
        picture = tree._picture
        assert picture is not None and picture.height == 6
        tree.fold()
        assert tree._picture is not None and tree._picture.height == 2 and tree.cursor == top
        tree.find_next()
        assert tree.cursor == leaf and tree._picture.height == 6
        tree.cursor = top
        tree.fold()
        tree.fold()
        assert tree._picture.height == 6
        tree.fold()
        tree.unfold_all()
        assert tree._picture.height == 6
        tree.cursor = leaf
        tree.fold()  # nothing is below
        assert tree._picture.height == 6
        await pilot.pause()


async def test_the_cursor_goes_up_when_its_node_is_folded_or_gone() -> None:
    cache = cache_of([1, 2, 3], [1, 2, 4])
    async with hosted(cache.snapshot()) as (tree, pilot):
        tree.find("w3")
        leaf = tree.cursor
        cache.new_step()
        cache.evict(1)
        tree.show(cache.snapshot(), PIECES)
        assert tree.cursor == leaf and "✖" in "".join(lines(tree))  # a tombstone until the step is over
        cache.new_step()
        tree.show(cache.snapshot(), PIECES)
        assert tree.cursor not in (leaf, None) and "✖" not in "".join(lines(tree))
        cache.reset()
        tree.show(cache.snapshot(), PIECES)
        await pilot.pause()
        assert lines(tree)[0].strip() == EMPTY and tree.cursor is None


def chain(turns: int) -> RadixCache:
    return cache_of(*([7] * turn for turn in range(1, turns + 1)), [7] * 40 + [8], capacity=10**6)


async def test_a_thousand_turns_follow_fold_and_unfold() -> None:
    cache = chain(1000)
    cache.new_step()
    cache.insert([7] * 1000 + [9])
    async with hosted(cache.snapshot(), size=(120, 30), view="auto") as (tree, pilot):
        picture = tree._picture
        assert isinstance(picture, Outline) and picture.height == 1002
        assert tree.scroll_offset.y > 900 and any("✚" in line for line in lines(tree))
        tree.follow = False
        cache.new_step()
        tree.show(cache.snapshot(), PIECES, bytes_per_token=1000)
        tree.fold_chains()
        await pilot.pause()
        assert tree._picture is not None and tree._picture.height < 10
        tree.cursor = tree._picture.first()
        tree.fold()  # opens the run
        assert tree._picture.height > 40
        tree.fold_chains()
        tree.mark(Mark.LIT, {node.id: 1 for node in cache.snapshot().nodes()})
        tree.scroll_home(animate=False)
        await pilot.pause()
        assert tree._picture.height == 1002 and all(part.underline for part in _ink_of(tree, 3))


def _ink_of(tree: TreeView, y: int) -> list:
    return [part.style for part in tree.render_line(y).crop(0, 3)]


async def test_it_follows_the_active_path_only_when_asked() -> None:
    cache = bushy(60)
    async with hosted(cache.snapshot()) as (tree, pilot):
        for token in (2000, 1000, 500):
            cache.new_step()
            cache.insert([token, token])
            tree.show(cache.snapshot(), PIECES, bytes_per_token=1000)
            await pilot.pause()
            assert any("✚" in line for line in lines(tree))
        tree.follow = False
        tree.scroll_home(animate=False)
        await pilot.pause()
        cache.new_step()
        cache.insert([2500])
        tree.show(cache.snapshot(), PIECES, bytes_per_token=1000)
        await pilot.pause()
        assert tree.scroll_offset.y == 0
        tree.follow = True
        assert tree.scroll_offset.y > 0


async def test_resizing_lays_out_again() -> None:
    async with hosted(bushy().snapshot()) as (tree, pilot):
        tree.find("w7")
        for size in ((60, 30), (140, 8), (30, 10), (12, 5), (100, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            picture = tree._picture
            assert picture is not None and picture.width == max(20, size[0] - 1)
            assert len(lines(tree)) == tree.size.height


async def test_what_was_shown_while_hidden_is_drawn_afterwards() -> None:
    cache = cache_of([1, 2], [3, 4])
    async with hosted(cache.snapshot()) as (tree, pilot):
        tree.display = False
        await pilot.pause()
        cache.new_step()
        cache.insert([5, 6])
        tree.show(cache.snapshot(), PIECES)
        await pilot.pause()
        tree.display = True
        await pilot.pause()
        assert tree._picture is not None and tree._picture.height == 3
        assert any("w5" in line for line in lines(tree))


async def test_another_tree_starts_afresh() -> None:
    async with hosted(FAMILY.snapshot()) as (tree, pilot):
        tree.find("w2")
        tree.fold()
        tree.forget()
        tree.show(cache_of([1, 2, 3], [1, 2, 4, 5], [1, 2, 4, 6]).snapshot(), dict(PIECES))
        assert tree.cursor is None and not tree._marks[Mark.FOUND]
        assert tree._picture is not None and tree._picture.height == 5
        tree.find_next()
        await pilot.pause()
        assert tree.cursor is None


async def test_panning_stops_at_the_ends() -> None:
    async with hosted(bushy().snapshot()) as (tree, pilot):
        tree.pan(0, -1000)
        assert tree.scroll_offset.y == 0
        tree.pan(5, 7)
        assert tree.scroll_offset == (0, 7)
        tree.pan(0, 1000)
        assert tree.scroll_offset.y == tree.virtual_size.height - tree.size.height
        await pilot.pause()


@pytest.mark.parametrize("view", ["rail", "ruler", "figure", "auto"])
async def test_every_view_takes_everything(view: str) -> None:
    cache = bushy(12)
    async with hosted(cache.snapshot(), view=view) as (tree, pilot):
        tree.focus()
        tree.find("w1")
        for way in (*Direction, *Direction):
            tree.move(way)
        await pilot.pause()
        tree.fold()
        tree.fold_chains()
        tree.mark(Mark.LIT, {node.id: 1 for node in cache.snapshot().nodes()})
        cache.new_step()
        cache.evict(5)
        tree.show(cache.snapshot(), PIECES)
        await pilot.pause()
        node = tree.cursor
        assert node is not None and tree._place(node) is not None
        assert all(tree.render_line(y).cell_length == tree.size.width for y in range(tree.size.height))


@pytest.mark.parametrize("view", ["rail", "ruler", "figure"])
async def test_letters_and_the_veil_reach_every_view(view: str) -> None:
    snapshot = FAMILY.snapshot()
    victim = snapshot.next_victim
    assert victim is not None
    async with hosted(snapshot, view=view) as (tree, pilot):
        assert "▿" in "".join(lines(tree))
        tree.show(snapshot, PIECES, letters={victim: "Q"}, veiled=True)
        await pilot.pause()
        shown = "".join(lines(tree))
        assert "Q" in shown and "▿" not in shown and " age " not in shown
        tree.show(snapshot, PIECES)
        await pilot.pause()
        shown = "".join(lines(tree))
        assert "Q" not in shown and "▿" in shown


async def test_auto_draws_small_trees_as_figures_and_does_not_flicker() -> None:
    cache = RadixCache(10_000)
    kinds = []
    async with hosted(cache.snapshot(), view="auto", size=(120, 40)) as (tree, pilot):
        for number in range(60):
            cache.new_step()
            cache.insert([number % 7, number, number])
            tree.show(cache.snapshot(), PIECES)
            kinds.append(tree._kind)
        await pilot.pause()
    assert kinds[0] == "figure" and kinds[-1] == "rail"
    assert sum(before != after for before, after in pairwise(kinds)) == 1


@pytest.mark.parametrize("wide", [lambda n: [5, n], lambda n: [n] * 3])
async def test_hostile_text_stays_text(wide: Callable[[int], list[int]]) -> None:
    pieces = {0: b"\x1b[2J", 1: b"[bold]", 2: "‮".encode(), 5: "木木".encode(), 3: b"\r\n\t"}
    async with hosted() as (tree, pilot):
        tree.show(cache_of(*(wide(n) for n in range(4))).snapshot(), pieces)
        tree.find("[bold]")
        await pilot.pause()
        text = "".join(lines(tree))
        assert "\x1b" not in text and "‮" not in text and all(char.isprintable() for char in text)
        assert tree._shown is not None and any(
            tree._shown.snapshot.state(node) is State.NEW for node in tree._shown.snapshot.nodes()
        )


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", ["dark", "light"])
async def test_everything_reads_on_cursor_and_marks(palette: str) -> None:
    ink, colours = _ink(palette, True), PALETTES[palette]
    assert ink is not None
    strokes = [every.stroke for every in (*colours.states.values(), *colours.attributes.values())]
    for style in (ink.cursor, ink.resting, ink.marks[Mark.LIT], ink.marks[Mark.CUT]):
        assert style.bgcolor is not None
        for text in strokes if style.color is None else [style.color.name]:
            low, high = sorted([luminance(text), luminance(style.bgcolor.name)])
            assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_one_does_the_cursor_stands_somewhere(seed: int) -> None:
    chance = random.Random(seed)
    cache = RadixCache(60)
    moments, keys = [cache.snapshot()], [[1]]
    for _ in range(25):
        cache.new_step()
        earlier = chance.choice(keys)
        keys.append((earlier[: chance.randint(0, len(earlier))] + [chance.randrange(5) for _ in range(4)])[:30])
        cache.insert(keys[-1], namespace=chance.choice(["", "", "other"]))
        moments.append(cache.snapshot())
        if chance.random() < 0.4:
            cache.evict(chance.randint(1, 15))
            moments.append(cache.snapshot())
    async with hosted(size=(80, 15)) as (tree, pilot):
        acts: list[Callable[[], object]] = [
            tree.fold, tree.fold_chains, tree.unfold_all, tree.find_next, tree.to_parent, tree.to_next_branch,
            lambda: tree.find(f"w{chance.randrange(5)}"), lambda: tree.pan(3, chance.randint(-9, 9)),
            lambda: setattr(tree, "view", chance.choice(["rail", "rail", "figure", "ruler", "auto"])),
            *([lambda: tree.move(chance.choice(list(Direction)))] * 4),
            *([lambda: tree.show(chance.choice(moments), PIECES, bytes_per_token=9)] * 4),
        ]  # fmt: skip
        for number in range(150):
            chance.choice(acts)()
            if number % 10 == 0:
                tree.mark(chance.choice(list(Mark)), [chance.randrange(60) for _ in range(5)])
                await pilot.pause()
            assert all(tree.render_line(y).cell_length == tree.size.width for y in range(tree.size.height))
            assert tree.cursor is None or tree._place(tree.cursor) is not None
