"""/export in the app: it draws what is shown at the moment, and says what it wrote where that is read."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

textual = pytest.importorskip("textual")

from radixchat.chat.tui.app import RadixApp  # noqa: E402

from .scripted import scripted_chat  # noqa: E402
from .tui_rig import Rig, running  # noqa: E402


def title(path: Path) -> str:
    """The title of an SVG."""
    return ElementTree.parse(path).getroot().findtext("{http://www.w3.org/2000/svg}title") or ""


@pytest.mark.asyncio
async def test_the_app_exports_the_moment_that_is_shown(tmp_path: Path) -> None:
    """The present, or the past somebody travelled to; what cannot be done is said, and the line is kept."""
    async with running("One.", "Two.") as rig:
        await rig.send("Hello")
        await rig.send("And you?")
        await rig.send(f"/export {tmp_path}/now.svg")
        assert "wrote" in rig.text("#foresight") and title(tmp_path / "now.svg") == "step 2"
        await rig.send("/goto 1")
        await rig.send(f"/export {tmp_path}/past.svg")
        assert title(tmp_path / "past.svg") == "step 1"
        assert rig.app.pane.past
        await rig.send(f"/export {tmp_path}/no.doc")
        assert not (tmp_path / "no.doc").exists()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["now.svg", "past.svg"]


@pytest.mark.asyncio
async def test_the_app_exports_the_view_that_is_shown(tmp_path: Path) -> None:
    """Where the format has it and no other option asks for the figure; --view says another."""
    options = {"cache": "hash", "preset": "vllm-0.11", "block_size": 8}
    async with running("One.", "Two.", **options) as rig:
        await rig.send("Hello there, and how are you?")
        await rig.send("/view blocks")
        names = ("b.svg", "b.dot", "b.txt", "b.json", "f.svg --view figure", "g.svg --grid auto", "t.txt --view=rail")
        for name in names:
            await rig.send(f"/export {tmp_path}/{name}")
        await rig.send("/view rail")
        await rig.send(f"/export {tmp_path}/r.svg")
        await rig.send(f"/export {tmp_path}/r.dot")
        assert "went wrong" not in rig.talk
    text = {path.name: path.read_text() for path in tmp_path.iterdir()}
    blocks = {name for name, drawn in text.items() if "retained" in drawn and name != "b.json"}
    assert blocks == {"b.svg", "b.dot", "b.txt"} and len(text) == len(names) + 2
    assert "evictable" in text["t.txt"] and text["r.svg"] != text["f.svg"]


@pytest.mark.asyncio
async def test_a_recording_in_the_app_is_exported_where_it_stands(tmp_path: Path) -> None:
    """Without any model."""
    chat = scripted_chat("Hi!", "Bye!")
    for line in ("Hello!", "Thanks."):
        list(chat.send(line))
    app = RadixApp(None, recording=chat.journal.recording, title="a recording", step=1)
    async with app.run_test(size=(120, 34)) as pilot:
        rig = Rig(app, pilot, [])
        assert app.run_line(f"/export {tmp_path}/one.svg")
        assert "wrote" in rig.text("#foresight") and title(tmp_path / "one.svg") == "step 1"
        assert app.check_action("run", ("/export x.svg",))
