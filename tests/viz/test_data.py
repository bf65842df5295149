"""Albums as JSON and as plain text: everything is there, and nothing that a program or terminal would choke on."""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len

from radixchat.radix import Snapshot, as_key
from radixchat.viz.album import Album, Panel
from radixchat.viz.data import SCHEMA, write_json
from radixchat.viz.picture import Look
from radixchat.viz.sanitize import HIDDEN
from radixchat.viz.text import write_text

from .hostile import HOSTILE, hostile_album
from .panels import PANEL_PIECES, panels

JOINER = "\u200d"  # within an emoji it is no danger


def nine() -> Album:
    return Album(
        tuple(Panel(n, shot, letters, f"Step {n}", "What happened.") for n, (shot, letters) in enumerate(panels(), 1)),
        PANEL_PIECES, facts={"model": "words"}, bytes_per_token=1024,
    )  # fmt: skip


def test_json_has_all_that_the_snapshots_hold() -> None:
    album = nine()
    values = json.loads(write_json(album))
    assert write_json(album) == write_json(nine())
    assert (values["schema_version"], values["facts"], values["bytes_per_token"]) == (SCHEMA, {"model": "words"}, 1024)
    for panel, step in zip(album.panels, values["steps"], strict=True):
        snapshot: Snapshot = panel.snapshot
        nodes = {node.id: node for node in snapshot.nodes()}
        assert [node["id"] for node in step["nodes"]] == list(nodes)
        parents = {
            child.id: node.id
            for node in [*nodes.values(), *(root.node for root in snapshot.roots)]
            for child in node.children
        }
        for told in step["nodes"]:
            node = nodes[told["id"]]
            assert as_key(told["token_ids"]) == node.key
            assert told["text"] == b"".join(PANEL_PIECES[token] for token in told["token_ids"]).decode()
            assert told["state"] == snapshot.state(node).value
            assert (told["parent"], told["locks"], told["tokens"]) == (parents[node.id], node.locks, node.size)
            assert told["letter"] == (panel.letters or {}).get(node.id)
            assert [first + at for first, size in told["slots"] for at in range(size)] == memoryview(node.slots).cast(
                "i"
            ).tolist()
        assert [(stone["id"], stone["parent"], stone["why"]) for stone in step["tombstones"]] == [
            (stone.node, stone.parent, stone.why)
            for stone in sorted(snapshot.tombstones, key=lambda s: [t["id"] for t in step["tombstones"]].index(s.node))
        ]
        totals = step["totals"]
        assert totals["free"] + totals["in_flight"] + totals["protected"] + totals["evictable"] == totals["capacity"]
        assert sum(node["tokens"] for node in step["nodes"]) == totals["resident"]
    assert len(json.loads(write_json(album, album.panels[2:3]))["steps"]) == 1


def test_hostile_text_in_json() -> None:
    written = write_json(hostile_album())
    assert not HIDDEN.search(written.replace("\n", "").replace(JOINER, ""))
    step = json.loads(written.encode())["steps"][0]
    texts = [node["text"] for node in step["nodes"]]
    assert HOSTILE[0] == texts[0]
    assert not any(HIDDEN.search(text.replace("\n", "").replace("\t", "").replace(JOINER, "")) for text in texts)
    assert step["nodes"][1]["relabelled"].startswith("␛[31mhalf \\uD800")
    assert r"\xFF\xFE" in texts
    assert texts[-1] == "<999999>"


@pytest.mark.parametrize("view", ["rail", "ruler", "figure"])
def test_text_fits_and_is_safe(view: str) -> None:
    for album in (nine(), hostile_album()):
        text = write_text(album, width=72, view=view)  # type: ignore[arg-type]
        assert text.endswith(("not cached\n", "not cached yet\n"))
        assert not HIDDEN.search(text.replace("\n", ""))
        if view != "figure":  # which may need more
            assert all(cell_len(line) <= 72 for line in text.split("\n"))
    assert write_text(nine(), view=view, look=None, key=False).count("Step ") == len(panels())  # type: ignore[arg-type]


def test_text_in_ascii() -> None:
    assert write_text(hostile_album(), look=Look(ascii=True)).isascii()
