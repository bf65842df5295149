"""Panels as DOT: the text of the file, what Graphviz reads in it, and what happens without Graphviz."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import graphviz
import pytest

from radixchat.radix import Snapshot
from radixchat.viz.album import Album, Panel
from radixchat.viz.dot import FORMATS, render_dot, write_dot
from radixchat.viz.errors import PictureError
from radixchat.viz.sanitize import HIDDEN
from radixchat.viz.told import told
from radixchat.viz.twigs import RowKind

from .hostile import HOSTILE, hostile_album
from .panels import PANEL_PIECES, panels

Golden = Callable[[str, str], None]
SVG = "{http://www.w3.org/2000/svg}"
with_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz")


def nine() -> Album:
    shown = [Panel(n, snapshot, letters, f"Step {n}", "") for n, (snapshot, letters) in enumerate(panels(), 1)]
    return Album(tuple(shown), PANEL_PIECES, facts={"model": "words"})


@pytest.mark.parametrize("number", [4, 5, 8, 9])
def test_the_panels(number: int, golden: Golden) -> None:
    album = nine()
    golden(f"dot/panel-{number}.dot", write_dot(album, album.panels[number - 1]).rstrip("\n"))


def test_a_scene_with_everything(scene: Snapshot, pieces: dict[int, bytes], golden: Golden) -> None:
    album = Album((Panel(7, scene, None, "Step 7", ""),), pieces)
    drawn = [
        write_dot(album, album.panels[0]),
        write_dot(album, album.panels[0], theme="dark", rankdir="LR", labels="tokens", wrap=40),
        write_dot(album, album.panels[0], theme="print", labels="ids", folded={4}, prefix="x-"),
    ]
    golden("dot/scene.dot", "\n".join(drawn).rstrip("\n"))


def statements(source: str) -> tuple[list[str], list[tuple[str, str]]]:
    nodes = re.findall(r"^\t(\w+) \[label=", source, re.MULTILINE)
    return nodes, re.findall(r"^\t(\w+) -> (\w+) \[", source, re.MULTILINE)


def test_nodes_come_depth_first_and_every_edge_alone() -> None:
    for album in (nine(), hostile_album()):
        for panel in album.panels:
            nodes, edges = statements(write_dot(album, panel))
            items = told(panel.snapshot, album.pieces)
            assert len(nodes) == len(set(nodes)) == len(items)
            assert [child for _, child in edges] == [
                name for name, one in zip(nodes, items, strict=True) if one.kind is not RowKind.NAMESPACE
            ]
            seen: set[str] = set()
            for name in nodes:
                parent = next((above for above, child in edges if child == name), None)
                assert parent is None or parent in seen
                seen.add(name)


def test_a_missing_dot_is_told_in_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    album = nine()
    with pytest.raises(PictureError) as caught:
        render_dot(write_dot(album, album.panels[0]))
    assert "dot" in caught.value.what and "Graphviz" in caught.value.fix
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("format", ["svg:cairo", "gif", ""])
def test_other_formats_are_refused(format: str) -> None:
    with pytest.raises(PictureError, match="svg, png, pdf"):
        render_dot("digraph {}", format)


@with_dot
def test_what_dot_says_is_told_in_two_lines() -> None:
    with pytest.raises(PictureError, match="could not draw") as caught:
        render_dot("digraph { [ \x1b }")
    assert len(str(caught.value).splitlines()) == 2
    assert not HIDDEN.search(caught.value.what)


@with_dot
@pytest.mark.parametrize("format", FORMATS)
def test_formats(format: str) -> None:
    album = nine()
    data = render_dot(write_dot(album, album.panels[3]), format)
    assert {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}[format] in data[:1000]


@with_dot
def test_graphviz_reads_every_hostile_text_as_it_is() -> None:
    album = hostile_album()
    for panel in album.panels:
        source = write_dot(album, panel, wrap=400)
        done = subprocess.run(["dot", "-Tjson"], input=source.encode(), capture_output=True, check=True)
        assert not done.stderr
        graph: dict[str, Any] = json.loads(done.stdout)
        items = told(panel.snapshot, album.pieces, letters=panel.letters, relabels=album.relabels)
        assert len(graph["objects"]) == len(items)
        assert len(graph["edges"]) == sum(one.kind is not RowKind.NAMESPACE for one in items)
        root = ElementTree.fromstring(render_dot(source, "svg"))
        assert not any(HIDDEN.search(text) for text in texts(root))
        tooltips = {link.get("{http://www.w3.org/1999/xlink}title") for link in root.iter(f"{SVG}a")}
        for one in items:
            if one.kind is not RowKind.NAMESPACE and len(one.text) < 100:
                assert one.text in tooltips, one.text  # backslashes too
        for text in HOSTILE:
            if text.isprintable() and "<|" not in text and len(text) < 100:
                assert text in texts(root)


def texts(root: ElementTree.Element) -> list[str]:
    return [(text.text or "").strip().replace("\u00a0", " ") for text in root.iter(f"{SVG}text")]


@with_dot
def test_ids_classes_and_dashes_arrive_in_the_svg() -> None:
    album = nine()
    root = ElementTree.fromstring(render_dot(write_dot(album, album.panels[7]), "svg"))
    groups = {group.get("id"): group for group in root.iter(f"{SVG}g") if "node" in (group.get("class") or "").split()}
    items = told(panels()[7][0], PANEL_PIECES)
    assert len(groups) == len(items)
    gone = next(stone.node for stone in panels()[7][0].tombstones)
    group = groups[f"s08-gone{gone}"]
    assert set((group.get("class") or "").split()) >= {"node", "tombstone", "evicted"}
    assert any(path.get("stroke-dasharray") for path in group.iter(f"{SVG}path"))
    assert group.find(f"{SVG}title") is not None


@with_dot
def test_children_stand_in_the_order_of_the_tree() -> None:
    album = nine()
    for panel in album.panels:
        source = write_dot(album, panel)
        graph = json.loads(
            subprocess.run(["dot", "-Tjson"], input=source.encode(), capture_output=True, check=True).stdout
        )
        x = {node["name"]: float(node["pos"].split(",")[0]) for node in graph["objects"]}
        places: dict[str, list[float]] = {}
        for parent, child in statements(source)[1]:
            places.setdefault(parent, []).append(x[child])
        assert all(each == sorted(each) for each in places.values())


def test_the_package_is_the_one_that_escapes() -> None:
    assert graphviz.escape("\\N") == "\\\\N"
