"""The screen of a comparison, alone and over a chat: two caches, step by step, in large and small windows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.selection import SELECT_ALL

from radixchat.chat.compare.run import Wanted, contest_of
from radixchat.chat.compare.sources import open_script
from radixchat.chat.tui.compare import CompareApp, CompareScreen, KeysScreen
from radixchat.chat.tui.help import key_name
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
    """A tree as its outline, hash blocks as chains and queue; the last step that has a request at first."""
    async with shown() as (screen, pilot):
        assert "step 7 of 8" in says(screen, "compare-heading") and "reused 87 of 93" in says(screen, "left-title")
        await pilot.press("end")
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
async def test_ctrl_c_leaves_but_where_text_is_selected() -> None:
    async with shown() as (screen, pilot):
        screen.selections = {screen.query_one("#said"): SELECT_ALL}
        await pilot.press("ctrl+c")
        assert "radix tree" in pilot.app.clipboard and pilot.app.screen is screen
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert pilot.app.return_code == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("key", ["f1", "question_mark"])
async def test_help_names_every_key(key: str) -> None:
    async with shown(size=(60, 20)) as (screen, pilot):
        await pilot.press(key)
        helped = pilot.app.screen
        assert isinstance(helped, KeysScreen)
        words = helped.text.plain.split()
        assert {key_name(binding.key) for binding in screen.BINDINGS} <= set(words)
        await pilot.press("escape")
        assert pilot.app.screen is screen


@pytest.mark.asyncio
async def test_the_signs_are_explained() -> None:
    """Those of what is shown; not where there is no room, and not beside the text alone."""
    async with shown() as (screen, pilot):
        legend = screen.query_one("#compare-legend", Lines)
        assert "reused" in legend.text and "a hit does not count yet" in legend.text and legend.region.height
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "a hit does not count yet" not in legend.text and legend.region.height == 1  # of the tree
        await pilot.press("f2")
        await pilot.pause()
        assert "a hit does not count yet" in legend.text
        await pilot.press("f2")
        await pilot.pause()
        assert not legend.region.height


@pytest.mark.asyncio
@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
async def test_the_last_line_keeps_the_key_that_leaves(width: int) -> None:
    async with shown(size=(width, 20)) as (screen, _):
        keys = says(screen, "compare-keys")
        assert "Esc Close" in keys and len(keys) <= width
        assert ("Home First" in keys and "End Last" in keys) == (width > 80)


@pytest.mark.asyncio
@pytest.mark.parametrize("width", [40, 60, 80, 120])
async def test_a_row_of_the_table_is_one_line(width: int) -> None:
    """What does not fit is left out, column by column; numbers stand under their titles."""
    async with shown(size=(width, 24)) as (screen, _):
        said = screen.query_one("#said", Lines)
        table = [line for line in said.text.split("\n")[:6] if line]
        assert len(table) == 5 and all(len(line) == len(table[0]) <= width - 4 for line in table)
        titles = table[0].split()
        assert titles[0] == "tokens" and "reused" in titles and ("resident" in titles) == (width > 60)
        at = table[0].index("reused") + len("reused")
        assert [line[at - 3 : at].strip() for line in table[1:]] == ["87", "80", "298", "256"]


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
