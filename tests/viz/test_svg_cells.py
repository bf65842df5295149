"""Pictures in cells as SVG: well-formed, whole, the same every time, and readable by those who do not see them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from radixchat.radix import Snapshot
from radixchat.viz.cells import paragraphs, runs_of
from radixchat.viz.figure import figure
from radixchat.viz.outline import outline
from radixchat.viz.picture import Look, Picture
from radixchat.viz.plain import memory_line
from radixchat.viz.ruler import ruler
from radixchat.viz.sanitize import HIDDEN
from radixchat.viz.states import LIGHT
from radixchat.viz.svg_cells import CELL, LINE, Frame, cells_frames, cells_svg
from radixchat.viz.themes import THEMES
from radixchat.viz.told import told

from .hostile import hostile_album
from .panels import PANEL_PIECES, panels

SVG = "{http://www.w3.org/2000/svg}"
LOOK = Look(palette="light")
KINDS = ("rail", "ruler", "figure")


def drawn(kind: str, snapshot: Snapshot, pieces: dict[int, bytes], look: Look = LOOK) -> Picture:
    match kind:
        case "rail":
            return outline(snapshot, pieces, width=90, look=look, bytes_per_token=100)
        case "ruler":
            return ruler(snapshot, pieces, width=90, look=look)
    return figure(snapshot, pieces, width=90, look=look)


def written(kind: str, snapshot: Snapshot, pieces: dict[int, bytes], theme: str = "light") -> str:
    return cells_svg(
        drawn(kind, snapshot, pieces), title="Step 7", desc="A node was split.", theme=theme, prefix="s07-",
        told=told(snapshot, pieces), caption="What happened.", below=memory_line(snapshot, width=90).split(),
        facts={"model": "words"}, edged=kind != "figure",
    )  # fmt: skip


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_with_everything(kind: str, theme: str, scene: Snapshot, pieces: dict[int, bytes]) -> None:
    svg = written(kind, scene, pieces, theme)
    assert svg == written(kind, scene, pieces, theme)
    assert svg.endswith("</svg>\n")
    assert not re.search(r"var\(|light-dark|https?://(?!www\.w3\.org/2000/svg)|@import|\binf\b|\bnan\b", svg)
    assert ("prefers-color-scheme" in svg) is (theme == "auto")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "s07-title s07-desc"
    assert [root[0].tag, root[0].text, root[1].tag, root[1].text] == [
        f"{SVG}title",
        "Step 7",
        f"{SVG}desc",
        "A node was split.",
    ]
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    assert all(id is not None and id.startswith("s07-") for id in ids)


@pytest.mark.parametrize("kind", KINDS)
def test_every_node_is_a_group_with_its_text(kind: str, scene: Snapshot, pieces: dict[int, bytes]) -> None:
    root = ElementTree.fromstring(written(kind, scene, pieces))
    picture = drawn(kind, scene, pieces)
    groups = {int(group.get("data-node", "")): group for group in root.iter(f"{SVG}g")}
    shown = [node for node in scene.nodes() if picture.place(node.id) is not None]
    assert {node.id for node in shown} | {stone.node for stone in scene.tombstones} == set(groups)
    for node in shown:
        group = groups[node.id]
        assert group[0].tag == f"{SVG}title"
        assert f"#{node.id}, {node.size} token" in (group[0].text or "")
        assert scene.state(node).value in (group.get("class") or "").split()
        assert group.get("data-tokens") == str(node.size)
        assert group.get("data-locks") == str(node.locks)
    assert "locked" in (groups[3].get("class") or "")
    assert "next-victim" in (groups[2].get("class") or "")
    assert "Why does it split?" in (groups[8][0].text or "")


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_is_painted_is_written_where_it_stands(
    kind: str, scene: Snapshot, pieces: dict[int, bytes]
) -> None:
    picture = drawn(kind, scene, pieces)
    root = ElementTree.fromstring(cells_svg(picture, title="t", desc="d", legend=False))
    lines: dict[float, dict[float, str]] = {}
    for text in root.iter(f"{SVG}text"):
        lines.setdefault(float(text.get("y", "")), {})[float(text.get("x", ""))] = text.text or ""
    margin = 16
    for y in range(picture.height):
        there = "".join(
            char for run in runs_of(picture.line(y)) for char in run.text if not drawn_as_line(char) and char != " "
        )
        found = lines.get(margin + y * LINE + 12.5, {})
        assert "".join(text for _, text in sorted(found.items())).replace(" ", "") == there
        plain = picture.line(y).plain
        for x, text in found.items():
            cell = round((x - margin) / CELL - 0.01)
            at = len(head_of(plain, cell))
            assert plain[at:].startswith(text), (x, text)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    for text in root.iter(f"{SVG}text"):
        assert float(text.get("x", "")) + cell_len(text.text or "") * CELL <= width
        assert float(text.get("y", "")) < height


def drawn_as_line(char: str) -> bool:
    return "\u2500" <= char <= "\u259f"


def head_of(plain: str, cells: int) -> str:
    head = ""
    for char in plain:
        if cell_len(head + char) > cells:
            break
        head += char
    return head


def test_frames_have_one_view_box() -> None:
    frames = [
        Frame(
            ruler(snapshot, PANEL_PIECES, width=100, look=LOOK, letters=letters), f"step {number}", "",
            "A long caption. " * number, told(snapshot, PANEL_PIECES, letters=letters), f"s{number:02}-",
        )
        for number, (snapshot, letters) in enumerate(panels(), start=1)
    ]  # fmt: skip
    written = cells_frames(frames, width_mm=160)
    roots = [ElementTree.fromstring(svg) for svg in written]
    assert len({(root.get("viewBox"), root.get("width"), root.get("height")) for root in roots}) == 1
    assert roots[0].get("width") == "160mm"
    ids = [node.get("id") for root in roots for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))  # they can stand in one page
    assert "b, 10 tokens, reused: You are a helpful assistant.⏎User: Hello!" in written[2]


def test_a_picture_of_the_dark_palette_takes_every_theme(scene: Snapshot, pieces: dict[int, bytes]) -> None:
    for theme in THEMES:
        both = [
            cells_svg(drawn("ruler", scene, pieces, Look(palette=palette)), title="", desc="", theme=theme)
            for palette in ("dark", "light")
        ]
        assert both[0] == both[1]


def test_print_is_grey_and_white(scene: Snapshot, pieces: dict[int, bytes]) -> None:
    svg = written("ruler", scene, pieces, "print")
    colours = set(re.findall(r'"(#[0-9a-f]{6})"', svg))
    assert colours and all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours)
    fills = {rect.get("fill") for rect in ElementTree.fromstring(svg).iter(f"{SVG}rect")}
    assert fills == {"#ffffff"}
    assert svg.count('stroke-dasharray="3 2"') == len(scene.tombstones)
    assert LIGHT.states[scene.state(next(scene.nodes()))].stroke not in svg


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text(kind: str) -> None:
    album = hostile_album()
    for panel in album.panels:
        items = told(panel.snapshot, album.pieces, letters=panel.letters, relabels=album.relabels)
        svg = cells_svg(
            drawn(kind, panel.snapshot, dict(album.pieces)), title=panel.title, desc=panel.story, theme="auto",
            caption=panel.story, prefix='"><x', told=items, facts=album.facts, lang='"x',
        )  # fmt: skip
        root = ElementTree.fromstring(svg.encode())
        texts = [node.text or "" for node in root.iter() if node.tag != f"{SVG}svg" and node.text]
        joiner = "\u200d"  # within an emoji
        assert not any(HIDDEN.search(text.replace("\n", "").replace("\t", "").replace(joiner, "")) for text in texts)
        titles = [title.text or "" for title in root.iter(f"{SVG}title")]
        assert any("]]>" in title for title in titles)
        assert {node.tag.removeprefix(SVG) for node in root.iter()} <= {
            "svg", "title", "desc", "metadata", "style", "rect", "g", "path", "text",
        }  # fmt: skip


def test_paragraphs_keep_their_width() -> None:
    lines = paragraphs("One sentence \x1b[2J here. 另一个句子在这里，很长很长。\n\nAnd " + "x" * 50, 20)
    assert all(cell_len(line) <= 20 for line in lines)
    assert "".join(lines).replace(" ", "").startswith("Onesentence␛[2Jhere.另一个")


def test_runs_are_what_rich_paints() -> None:
    line = Text("abcdef基g", style="bold")
    line.stylize("red", 1, 5)
    line.stylize("blue", 3, 7)
    line.stylize("italic", 0, 8)
    console = Console(color_system="truecolor", force_terminal=True, width=80)
    wanted = [(char, style) for text, style, _ in line.render(console, end="") for char in text]
    assert [(char, run.style) for run in runs_of(line) for char in run.text] == wanted
    assert [run.x for run in runs_of(line)] == [0, 1, 3, 8]  # equal neighbours are one, "基" takes two cells
