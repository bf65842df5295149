"""The view of blocks where people meet it: in the app, in a replay, and in `radixchat export`."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from radixchat.chat.chat import Chat
from radixchat.chat.exporting.formats import FORMATS
from radixchat.radix.recording import load

from .scripted import scripted_engine
from .test_export import Run, looks_like, recorded, run, two_lines

SVG = "{http://www.w3.org/2000/svg}"
VIEWED = [name for name, row in FORMATS.items() if "view" in row.takes]
__all__ = ["run"]


@pytest.fixture
def blocks(run: Run, tmp_path: Path) -> Path:
    """The recording of a chat on hash blocks, with evictions and a keyframe."""
    path = tmp_path / "blocks.jsonl"
    replies = ("One.", "Two, at some length.", "Three.")
    engine = scripted_engine(*replies, capacity=320, cache="hash", preset="vllm-0.11")
    chat = Chat(lambda model: engine, record=path, keep=True)
    for line in ("Hello", "And <you> & \x1b]0;me?", "Tell me of blocks, at a length that needs room"):
        list(chat.send(line))
    chat.close()
    return path


@pytest.mark.parametrize("format", VIEWED)
def test_blocks_in_every_format_that_has_views(run: Run, blocks: Path, format: str) -> None:
    if format in ("png", "pdf"):
        pytest.importorskip("cairosvg")
    result = run(blocks, "-o", f"x.{format}", "--view", "blocks")
    assert result.code == 0, result.err
    data = Path(f"x.{format}").read_bytes()
    assert looks_like(format, data)
    if format not in ("png", "pdf"):
        assert "vllm-0.11" in data.decode() and "retained" in data.decode()
        assert b"\x1b]" not in data


def test_a_picture_of_blocks_tells_what_the_recording_holds(run: Run, blocks: Path) -> None:
    """Every block with its number and hash; frames of one size."""
    assert run(blocks, "-o", "x.svg", "--view", "blocks", "--theme", "dark").code == 0
    recording = load(blocks)
    end = recording.at(len(recording.events))
    assert end.blocks is not None
    root = ElementTree.parse("x.svg").getroot()
    text = {
        group.get("data-block"): "".join(group.itertext()) for group in root.iter(f"{SVG}g") if group.get("data-refs")
    }
    held = [view for view in end.blocks.blocks if view.digest or view.refs]
    assert set(text) == {str(view.number) for view in held}
    assert all(view.digest.hex()[:8] in text[str(view.number)] for view in held if view.digest)
    Path("steps").mkdir()
    assert run(blocks, "-o", "steps/", "--all", "--view", "blocks").code == 0
    sizes = {ElementTree.parse(path).getroot().get("viewBox") for path in Path("steps").iterdir()}
    assert len(sizes) == 1 and len(list(Path("steps").iterdir())) == 3


def test_data_of_blocks_needs_no_view(run: Run, blocks: Path) -> None:
    assert run(blocks, "-o", "x.json").code == 0
    told = json.loads(Path("x.json").read_text())
    assert told["steps"][0]["blocks"]["preset"] == "vllm-0.11" and told["facts"]["preset"] == "vllm-0.11"
    assert "policy" not in told["facts"]


def test_a_tree_has_no_blocks(run: Run, tmp_path: Path) -> None:
    """Neither a lesson's nor a chat's; nothing is written."""
    path = tmp_path / "chat.jsonl"
    recorded(path).close()
    for what in ("nine-steps", path):
        for format in VIEWED:
            if format in ("png", "pdf"):
                continue
            two_lines(run(what, "-o", f"x.{format}", "--view", "blocks"), 2, "a radix tree has no blocks", "--view")
            assert not Path(f"x.{format}").exists()


@pytest.mark.parametrize(
    "options, said",
    [
        (("--fold", "3"), "--fold is for trees"), (("--relabel", "3=x"), "--relabel is for trees"),
        (("--grid", "auto"), "--grid is for the figure"), (("--labels", "ids"), "--labels is for the figure"),
        (("--animate",), "--animate is for the figure"),
    ],
)  # fmt: skip
def test_what_means_nothing_for_blocks(run: Run, blocks: Path, options: tuple[str, ...], said: str) -> None:
    two_lines(run(blocks, "-o", "x.svg", "--view", "blocks", *options), 2, said)


# -- the app -----------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_the_app_shows_blocks_and_moves_among_them() -> None:
    """By the key, by the command, by going round; the detail, the legend and the past follow."""
    pytest.importorskip("textual")
    from .tui_rig import running

    options = {"cache": "hash", "preset": "vllm-0.4.2", "block_size": 8}
    async with running("Hi!", "Of blocks.", size=(140, 44), **options) as rig:
        await rig.send("Hello there, how are you today?")
        await rig.send("What are you made of?")
        tree = rig.app.pane.drawing
        await rig.press("f2", "4")
        assert tree.kind == "blocks"
        told = "\n".join(strip.text for strip in (tree.render_line(y) for y in range(tree.size.height)))
        assert "retained" in told or "chains" in told or "free queue" in told, told
        assert "a hit does not count yet" in rig.text("#legend")
        await rig.press("down")
        assert tree.cursor is not None
        await rig.press("up", "h")
        about = " ".join(rig.text("#detail").split())
        assert " hash " in about and "in the free queue" in about
        cursor = tree.cursor
        await rig.send("/view rail")
        assert tree.kind == "rail" and tree.cursor == cursor
        seen = []
        for _ in range(5):
            await rig.press("f3")
            seen.append(tree.view)
        assert "blocks" in seen
        await rig.send("/view blocks")
        for _ in range(6):
            await rig.send("/back event")
            assert tree.kind == "blocks"
        await rig.send("/find today")
        await rig.send("/fold chains")
        await rig.send("/live")
        assert tree.kind == "blocks" and "went wrong" not in rig.talk


@pytest.mark.asyncio
async def test_a_tree_in_the_view_of_blocks_says_that_it_has_none() -> None:
    """The pane draws it as by /view auto; going round leaves blocks out."""
    pytest.importorskip("textual")
    from .tui_rig import running

    async with running("Hi!", size=(140, 44), settings={"view": "blocks"}) as rig:
        await rig.send("Hello!")
        tree = rig.app.pane.drawing
        assert "A radix tree has no blocks" in rig.text("#detail") and tree.kind == "figure"
        seen = []
        for _ in range(8):
            await rig.press("f3")
            seen.append(tree.view)
        assert "blocks" not in seen and set(seen) == {"auto", "rail", "ruler", "figure"}


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [(160, 44), (120, 34)])
async def test_the_app_has_room_for_all_of_the_blocks(size: tuple[int, int]) -> None:
    """Gauges, every column, the chains and the free queue; a chosen block takes a third at most."""
    pytest.importorskip("textual")
    from .tui_rig import running

    options = {"cache": "hash", "preset": "vllm-0.11", "block_size": 16, "capacity": 160}
    async with running("Hi! " * 8, "Of blocks. " * 2, size=size, settings={"view": "blocks"}, **options) as rig:
        await rig.send("Hello there, how are you today?")
        await rig.send("What are you made of?")
        pane = rig.app.pane
        tree = pane.drawing

        def told() -> list[str]:
            return [tree.render_line(y).text.rstrip() for y in range(tree.size.height)]

        seen = "\n".join(told())
        for word in ("in use", "retained", "before", "queue", "age", "free queue, taken from the left"):
            assert word in seen, seen
        await rig.press("f2", "down")
        assert 4 < pane.node.region.height <= pane.size.height // 3
        assert tree.size.height >= 9
        if size == (120, 34):
            tree.scroll_end(animate=False)
            await rig.pilot.pause()
            assert tree.scroll_offset.y > 6 and "chains" in told()[0] and "before" in told()[0]  # the titles stay


@pytest.mark.asyncio
async def test_what_is_said_in_place_of_a_node_can_be_read_in_a_small_window() -> None:
    """It comes to the front where one pane is shown at a time, and keys scroll it."""
    pytest.importorskip("textual")
    from radixchat.chat.tui.app import RadixApp

    from .scripted import scripted_chat
    from .tui_rig import Rig

    chat = scripted_chat("Hi!", "Bye!")
    for line in ("Hello!", "Thanks."):
        list(chat.send(line))
    app = RadixApp(None, recording=chat.journal.recording, title="a recording", step=2)
    async with app.run_test(size=(60, 12)) as pilot:
        rig = Rig(app, pilot, [])
        await rig.press("w")
        await pilot.pause()
        assert app.front == "node" and app.focused is app.pane.node
        assert "reused" in rig.text("#detail") and app.pane.node.region.height >= 3
        if app.pane.node.max_scroll_y:
            await rig.press("down")
            assert app.pane.node.scroll_offset.y == 1
        await rig.press("f2")
        assert app.front == "tree" and app.pane.drawing.region.height > 0
