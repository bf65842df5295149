"""The screen of a comparison, alone and over a chat: two caches, step by step, in large and small windows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from radixchat.chat.compare.run import Wanted, contest_of
from radixchat.chat.compare.sources import open_script
from radixchat.chat.tui.compare import CompareApp, CompareScreen
from radixchat.chat.tui.lines import Lines
from radixchat.viz.picture import Look
from radixchat.viz.tree_view import TreeView

from .tui_rig import running


@asynccontextmanager
async def shown(
    lesson: str = "multi-turn", size: tuple[int, int] = (120, 34), ascii: bool = False, **wanted: object
) -> AsyncIterator[tuple[CompareScreen, Pilot[int]]]:
    contest = contest_of(open_script(lesson)[0], Wanted(**wanted))
    app = CompareApp(contest, look=Look(ascii=ascii), theme="dark")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, CompareScreen)
        yield app.screen, pilot


def says(screen: CompareScreen, id: str) -> str:
    return screen.query_one(f"#{id}", Lines).text


def visible(screen: CompareScreen) -> list[str]:
    return [id for id in ("left", "right", "text") if screen.query_one(f"#{id}").region.height]


@pytest.mark.asyncio
async def test_both_structures_the_numbers_and_why() -> None:
    """A tree as its outline, hash blocks as chains and queue; the last step at first."""
    async with shown() as (screen, pilot):
        assert "step 8 of 8: The bill" in says(screen, "compare-heading")
        assert says(screen, "left-title").startswith("radix tree, lru")
        assert says(screen, "right-title").startswith("hash vllm-0.33, blocks of 16")
        left, right = screen.query(TreeView)
        assert (left.kind, right.kind) == ("rail", "blocks")
        assert visible(screen) == ["left", "right", "text"]
        assert "42 tok: block rounding" in says(screen, "said") and "no cache" not in says(screen, "said")
        await pilot.press("left")
        assert "step 7 of 8" in says(screen, "compare-heading") and "reused 87 of 93" in says(screen, "left-title")
        await pilot.press("home", "left")
        assert "step 1 of 8" in says(screen, "compare-heading")
        await pilot.press("end", "right")
        assert "step 8 of 8" in says(screen, "compare-heading")


@pytest.mark.asyncio
async def test_tab_chooses_which_two() -> None:
    """Through all pairs, and back to the first."""
    async with shown() as (screen, pilot):
        seen = []
        for _ in range(7):
            names = [says(screen, f"{side}-title").split(" · ")[0].split(",")[0] for side in ("left", "right")]
            seen.append(tuple(names))
            await pilot.press("tab")
        assert len(set(seen[:6])) == 6 and seen[6] == seen[0]
        assert ("last sequence", "no cache") in seen
        await pilot.press("shift+tab", "shift+tab")
        assert says(screen, "right-title").startswith("no cache")
        assert "no cache reused" in says(screen, "said") and "than the last sequence" in says(screen, "said")


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [(80, 24), (60, 16), (40, 12)])
async def test_one_thing_at_a_time_in_a_small_window(size: tuple[int, int]) -> None:
    """F2 goes to the next."""
    async with shown(size=size) as (screen, pilot):
        assert visible(screen) == ["left"] and "[radix tree]" in says(screen, "compare-heading")
        await pilot.press("f2")
        await pilot.pause()
        assert visible(screen) == ["right"]
        await pilot.press("space")
        await pilot.pause()
        assert visible(screen) == ["text"] and "[why]" in says(screen, "compare-heading")
        await pilot.press("down", "pagedown", "f2")
        await pilot.pause()
        assert visible(screen) == ["left"]
        await pilot.resize_terminal(120, 30)
        await pilot.pause()
        assert visible(screen) == ["left", "right", "text"]


@pytest.mark.asyncio
async def test_ascii_and_a_comparison_of_one() -> None:
    """Then both sides show it."""
    async with shown(ascii=True, caches=("hash",), presets=("hf-cb",)) as (screen, pilot):
        await pilot.press("left", "tab")
        assert says(screen, "left-title") == says(screen, "right-title")
        assert all(line.text.isascii() for line in screen.query(Lines))


@pytest.mark.asyncio
async def test_escape_closes_it_and_alone_ends_the_program() -> None:
    async with shown() as (_, pilot):
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.return_code == 0


@pytest.mark.asyncio
async def test_over_a_chat() -> None:
    """The conversation so far; Esc comes back to it, and it goes on."""
    async with running("One and two and three.", "Four.", "Five.") as rig:
        await rig.send("/compare")
        assert "has no turn yet" in rig.talk
        await rig.send("Hello there!")
        await rig.send("And now?")
        await rig.send("/compare vllm-0.4.2")
        screen = await rig.until(lambda: isinstance(rig.app.screen, CompareScreen) and rig.app.screen)
        await rig.pilot.pause()
        assert "step 2 of 2: And now?" in says(screen, "compare-heading")
        assert says(screen, "right-title").startswith("hash vllm-0.4.2")
        await rig.pilot.press("left", "escape")
        await rig.until(lambda: not isinstance(rig.app.screen, CompareScreen))
        await rig.send("More")
        assert [user for user, _, _ in rig.transcript] == ["Hello there!", "And now?", "More"]
