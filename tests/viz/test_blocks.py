"""Pictures of hash blocks: what they look like in cells, SVG and DOT, and what always holds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from radixchat.radix import Snapshot
from radixchat.radix import events as ev
from radixchat.radix.presets import PRESETS
from radixchat.radix.recording import Recording
from radixchat.viz.album import Album, Panel, album_of
from radixchat.viz.block_dot import write_block_dot
from radixchat.viz.block_svg import block_frames
from radixchat.viz.blocks import BlocksPicture, blocks
from radixchat.viz.data import write_json
from radixchat.viz.detail import detail
from radixchat.viz.picture import Direction, Look
from radixchat.viz.plain import legend
from radixchat.viz.pool import Pool
from radixchat.viz.sanitize import HIDDEN
from radixchat.viz.scene import scenes
from radixchat.viz.sentences import BLOCKS
from radixchat.viz.strip import strip
from radixchat.viz.svg import ThemeName
from radixchat.viz.veil import veil

from .drawings import SVG, contrast, look
from .hostile import HOSTILE, PIECES, hostile_album
from .pools import Odd, moment, pools, recorded

CHECKED = settings(max_examples=60, deadline=None)
MONO = Look(colour=False)
Golden = Callable[[str, str], None]


def lines(picture: BlocksPicture) -> list[str]:
    return [picture.line(y).plain for y in range(picture.height)]


def page(recording: Recording, snapshots: list[Snapshot], width: int, look: Look = MONO, **more: object) -> str:
    pictures = [blocks(each, recording.pieces, width=width, look=look, **more) for each in snapshots]  # type: ignore[arg-type]
    return "\n\n\n".join("\n".join(lines(picture)) for picture in pictures)


def shown(recording: Recording) -> list[Snapshot]:
    """Nothing yet, an eviction for a running request, two leases, and the end."""
    return [
        recording.at(0), moment(recording, ev.BlocksEvicted, 1), moment(recording, ev.TableForked),
        recording.at(len(recording.events)),
    ]  # fmt: skip


# -- cells -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset, width", [("vllm-0.11", 100), ("vllm-0.11", 40), ("vllm-0.4.2", 64)])
def test_two_conversations(preset: str, width: int, golden: Golden) -> None:
    recording = recorded(preset)
    golden(f"blocks-{preset}-{width}.txt", page(recording, shown(recording), width))


def test_ascii_chinese_and_a_veil(golden: Golden) -> None:
    recording = recorded("vllm-0.4.2")
    plain = page(recording, shown(recording)[1:3], 72, Look(colour=False, ascii=True))
    assert plain.isascii()
    chinese = page(recording, shown(recording)[2:3], 72, Look(colour=False, lang="zh"))
    veiled = page(recording, [veil(shown(recording)[3])], 72, veiled=True)
    golden("blocks-looks.txt", "\n\n\n".join([plain, chinese, veiled]))


def test_many_blocks_are_folded_but_not_what_the_step_touched(golden: Golden) -> None:
    recording = recorded("vllm-0.33", 400)
    end = recording.at(len(recording.events))
    golden("blocks-folded.txt", page(recording, [end], 80, most=8))
    picture = blocks(end, recording.pieces, width=80, look=MONO, most=8)
    pool = Pool(end)
    touched = {entry.number for entry in pool.entries.values() if entry.state.value != "resident" or entry.refs}
    assert touched <= set(picture.shown) and picture.left_out > 3
    assert len(picture.shown) + picture.left_out == len(pool.entries)
    text = "\n".join(lines(picture))
    counted = [int(found) for found in re.findall(r"⋯ (\d+) blocks?", text)]
    assert sum(counted) == picture.left_out


def test_colours(golden: Golden) -> None:
    recording = recorded("vllm-0.4.2")
    written = []
    for palette in ("dark", "light", "ansi"):
        picture = blocks(shown(recording)[2], recording.pieces, width=70, look=Look(palette=palette))
        written.append(palette)
        for y in range(picture.height):
            line = picture.line(y)
            spans = [span for span in line.spans if str(span.style)]
            written += [f"{y} {line.plain[span.start : span.end]!r} {span.style}" for span in spans]
    golden("blocks-styles.txt", "\n".join(written))
    colourless = blocks(shown(recording)[2], recording.pieces, width=70, look=MONO)
    assert not any(span.style for y in range(colourless.height) for span in colourless.line(y).spans if str(span.style))


def test_a_legend_says_what_signs_mean() -> None:
    for lang in ("en", "zh"):
        text = legend(width=60, lang=lang, blocks=True).plain
        assert BLOCKS[lang]["held"] in text and BLOCKS[lang]["pending"] in text and BLOCKS[lang]["free block"] in text


def test_every_language_says_the_same() -> None:
    fields = {
        lang: {name: set(re.findall(r"{(\w+)", text)) for name, text in table.items()} for lang, table in BLOCKS.items()
    }
    assert fields["en"] == fields["zh"]


def test_usage_and_what_is_retained_are_two_things() -> None:
    """When nobody runs, nothing is in use, and yet the next prompt finds what is retained."""
    recording = recorded("vllm-0.11")
    before = moment(recording, ev.TableClosed, 0)
    gauge = Pool(before).gauge
    assert (gauge.used, gauge.free + gauge.retained) == (0, gauge.total) and gauge.retained == 3
    during = Pool(moment(recording, ev.BlocksHit, 0)).gauge
    assert during.used > 0 and during.used + during.retained + during.free == during.total


def test_a_recording_is_drawn_at_every_moment() -> None:
    """Under every preset that takes small blocks; nothing is lost, and the tree's pictures can be made, too."""
    for name, rules in PRESETS.items():
        recording = recorded(name, size=4) if rules.multiple == 1 else recorded(name, 256 * 12, 256)
        for at in range(0, len(recording.events) + 1, 7):
            snapshot = recording.at(at)
            assert snapshot.blocks is not None
            picture = blocks(snapshot, recording.pieces, width=60, look=MONO, most=None)
            pool = Pool(snapshot)
            assert sorted(picture.shown) == sorted(pool.entries) and picture.left_out == 0
            assert len(picture.shown) + picture.free == pool.gauge.total == snapshot.capacity // snapshot.page_size
            nodes = {node.id for node in snapshot.nodes()}
            assert nodes <= {entry.id for entry in pool.entries.values()}
            for entry in pool.entries.values():
                above = pool.above(entry)
                if entry.id in nodes and above is not None:
                    assert snapshot.path(entry.id)[-2:-1] == snapshot.path(pool.handle(above))[-1:]


def test_tree_views_draw_blocks_without_overlap() -> None:
    """Equal brothers, chains that lost their beginning, and what went: every box has a place of its own."""
    for preset in ("vllm-0.11", "vllm-0.4.2", "hf-cb"):
        for layout in ("fixed", "compact"):
            for scene in scenes(album_of(recorded(preset)), layout=layout):  # type: ignore[arg-type]
                boxes = [piece.box for piece in scene.pieces]
                assert not any(_overlap(tuple(one), tuple(other)) for one, other in combinations(boxes, 2))


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    apart = one[0] + one[2] <= other[0] or other[0] + other[2] <= one[0]
    return not (apart or one[1] + one[3] <= other[1] or other[1] + other[3] <= one[1])


@CHECKED
@given(pools(), st.integers(20, 120), st.booleans(), st.sampled_from([None, 0, 5]))
def test_every_block_has_one_row_or_is_counted(odd: Odd, width: int, ascii: bool, most: int | None) -> None:
    picture = blocks(odd.snapshot, PIECES, width=width, look=Look(colour=False, ascii=ascii), most=most)
    pool = Pool(odd.snapshot)
    text = lines(picture)
    assert all(cell_len(line) <= width and not HIDDEN.search(line) for line in text)
    assert not ascii or all(line.isascii() for line in text)
    assert max(Counter(picture.shown).values(), default=1) == 1
    assert len(picture.shown) + picture.left_out == len(pool.entries)
    assert len(pool.entries) + picture.free == pool.gauge.total
    assert most is not None or sorted(picture.shown) == sorted(pool.entries)
    for number in picture.shown:
        handle = pool.handle(number)
        place = picture.place(handle)
        assert place is not None and picture.node_at(place.x, place.y) == handle
        assert place.x + place.width <= width and place.y < picture.height
        assert pool.find(-1 - number) is pool.entries[number]  # who looked at it before it had a node finds it


@CHECKED
@given(pools())
def test_the_queue_keeps_its_order(odd: Odd) -> None:
    assert odd.snapshot.blocks is not None
    queue = odd.snapshot.blocks.queue
    ranges = Pool(odd.snapshot).queue
    assert [number for item in ranges for number in range(item.first, item.last + 1)] == list(queue)
    text = lines(blocks(odd.snapshot, PIECES, width=4000, look=MONO))
    told = re.findall(r"\D(\d+)(?:-(\d+))?▿?", text[-1])
    numbers = [number for first, last in told for number in range(int(first), int(last or first) + 1)]
    assert numbers == list(queue)


@CHECKED
@given(pools(), st.integers(20, 90))
def test_a_cursor_reaches_every_row(odd: Odd, width: int) -> None:
    picture = blocks(odd.snapshot, PIECES, width=width, look=MONO)
    at, seen = picture.first(), set()
    while at is not None and at not in seen:
        seen.add(at)
        for way in (Direction.LEFT, Direction.RIGHT, Direction.UP):
            beside = picture.beside(at, way)
            assert beside is None or picture.place(beside) is not None
        at = picture.beside(at, Direction.DOWN)
    assert {Pool(odd.snapshot).handle(number) for number in picture.shown} <= seen


# -- SVG ---------------------------------------------------------------------------------------------------------------


def one_panel(recording: Recording, snapshot: Snapshot, title: str = "a moment") -> Album:
    return replace(album_of(recording, steps=[1]), panels=(Panel(7, snapshot, None, title, "What happened."),))


@pytest.mark.parametrize("preset, theme", [("vllm-0.11", "light"), ("vllm-0.4.2", "auto"), ("vllm-0.4.2", "print")])
def test_goldens_of_svg(preset: str, theme: ThemeName, golden: Golden) -> None:
    recording = recorded(preset)
    album = one_panel(recording, moment(recording, ev.TableForked))
    (text,) = block_frames(album, theme=theme, captions=["What happened."], facts=album.facts)
    look(golden, f"blocks-{preset}-{theme}.svg", text)


def boxes(root: ElementTree.Element) -> list[tuple[float, ...]]:
    """The boxes of chains, tables and queue, each where it is drawn."""
    found: list[tuple[float, ...]] = []

    def walk(element: ElementTree.Element, dx: float, dy: float) -> None:
        moved = re.match(r"translate\(([\d.-]+) ([\d.-]+)\)", element.get("transform", ""))
        dx, dy = (dx + float(moved[1]), dy + float(moved[2])) if moved else (dx, dy)
        if element.tag == f"{SVG}g" and (element.get("data-block") or "tombstone" in element.get("class", "")):
            rect = element.find(f"{SVG}rect")
            assert rect is not None
            x, y, width, height = (float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
            found.append((x + dx, y + dy, width, height))
        for child in element:
            walk(child, dx, dy)

    walk(root, 0, 0)
    return found


def check_svg(text: str) -> ElementTree.Element:
    """Everything that holds for a file: it is XML, ids differ, boxes stand apart and inside."""
    root = ElementTree.fromstring(text)
    _, _, width, height = map(float, root.get("viewBox", "").split())
    ids = [element.get("id") for element in root.iter() if element.get("id") is not None]
    assert len(ids) == len(set(ids))
    every = boxes(root)
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in every)
    assert not any(_overlap(one, other) for one, other in combinations(every, 2))
    return root


@settings(max_examples=30, deadline=None)
@given(pools(), st.sampled_from([None, 4]), st.sampled_from(["light", "auto", "print"]))
def test_no_box_covers_another_or_leaves_the_picture(odd: Odd, most: int | None, theme: ThemeName) -> None:
    title = " ".join(HOSTILE)
    album = Album((Panel(3, odd.snapshot, None, title, title),), PIECES, facts={"model": title})
    (text,) = block_frames(album, theme=theme, captions=[title], most=most, facts=album.facts)
    root = check_svg(text)
    drawn = [one.get("id", "") for one in root.iter(f"{SVG}g") if re.fullmatch(r"s03-b\d+", one.get("id", ""))]
    assert len(drawn) == len(set(drawn))
    assert most is not None or len(drawn) == len(Pool(odd.snapshot).entries)
    assert (text,) == tuple(block_frames(album, theme=theme, captions=[title], most=most, facts=album.facts))


def test_hostile_labels_stay_text() -> None:
    """In blocks, preset, namespace, title and facts; in SVG, DOT, data and the detail."""
    album = hostile_album()
    number = {text: at for at, text in enumerate(HOSTILE)}
    recording = recorded("vllm-0.4.2")
    snapshot = moment(recording, ev.TableForked)
    assert snapshot.blocks is not None
    from radixchat.radix import as_key

    views = tuple(
        view._replace(key=as_key([at % len(number), 999_999, len(number) + 1]))
        for at, view in enumerate(snapshot.blocks.blocks)
    )
    tables = tuple(table._replace(namespace="]]>\x1b[2J<b>\\") for table in snapshot.blocks.tables)
    odd = snapshot.blocks._replace(preset="{a|b}<p>\x1b", blocks=views, tables=tables)
    album = replace(album, panels=(replace(album.panels[0], snapshot=replace(snapshot, blocks=odd)),))
    (text,) = block_frames(album, captions=[album.panels[0].story], facts=album.facts)
    root = check_svg(text)
    assert not [one for one in root.iter() if one.tag in (f"{SVG}script", f"{SVG}b")]
    assert "\x1b" not in text and "\u202e" not in text
    dot = write_block_dot(album, album.panels[0])
    assert "\x1b" not in dot
    assert "\x1b" not in json.dumps(json.loads(write_json(album))["steps"][0]["blocks"])
    if shutil.which("dot"):
        drawn = subprocess.run(["dot", "-Tsvg"], input=dot.encode(), capture_output=True, check=True)
        assert b"syntax" not in drawn.stderr and b"bad label" not in drawn.stderr


def test_ids_and_classes_stay_from_step_to_step() -> None:
    """And all frames have one size; a block keeps its number in its id, and its state is a class."""
    album = album_of(recorded("vllm-0.11"))
    frames = [ElementTree.fromstring(text) for text in block_frames(album)]
    assert len({frame.get("viewBox") for frame in frames}) == 1
    for panel, frame in zip(album.panels, frames, strict=True):
        pool = Pool(panel.snapshot)
        for entry in pool.entries.values():
            group = next(one for one in frame.iter() if one.get("id") == f"s{panel.number:02}-b{entry.number}")
            assert group.get("class", "").split()[:2] == ["block", entry.state.value]
            assert group.get("data-node") == str(entry.id) and group.get("data-refs") == str(entry.refs)
            title = group.find(f"{SVG}title")
            assert title is not None and f"block {entry.number}," in (title.text or "")


def test_text_can_be_read_on_its_ground() -> None:
    for theme, ground in (("light", "#ffffff"), ("dark", "#0d1117"), ("print", "#ffffff")):
        album = one_panel(recorded("vllm-0.4.2"), moment(recorded("vllm-0.4.2"), ev.TableForked))
        (text,) = block_frames(album, theme=theme)  # type: ignore[arg-type]
        for element in ElementTree.fromstring(text).iter(f"{SVG}text"):
            if element.get("fill"):
                assert contrast(element.get("fill", ""), ground) >= 4.5


# -- DOT, data, detail, strip ------------------------------------------------------------------------------------------


def test_golden_of_dot(golden: Golden) -> None:
    recording = recorded("vllm-0.4.2")
    album = one_panel(recording, moment(recording, ev.TableForked))
    golden("dot/blocks.dot", write_block_dot(album, album.panels[0]).rstrip("\n"))


@pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz")
def test_graphviz_reads_chains_and_pointers() -> None:
    recording = recorded("vllm-0.4.2")
    snapshot = moment(recording, ev.TableForked)
    album, pool = one_panel(recording, snapshot), Pool(snapshot)
    source = write_block_dot(album, album.panels[0])
    read = json.loads(
        subprocess.run(["dot", "-Tdot_json"], input=source.encode(), capture_output=True, check=True).stdout
    )
    names = {each["_gvid"]: each["name"] for each in read["objects"]}
    edges = Counter((names[edge["tail"]], names[edge["head"]]) for edge in read["edges"])
    for entry in pool.entries.values():
        assert f"b{entry.number}" in names.values()
        above = pool.above(entry)
        assert above is None or edges[f"b{above}", f"b{entry.number}"] == 1
    for table in pool.blocks.tables:
        for number in table.blocks:
            assert edges[f"table{table.table}", f"b{number}"] == 1


@CHECKED
@given(pools())
def test_dot_names_every_block_once(odd: Odd) -> None:
    album = Album((Panel(3, odd.snapshot, None, "x", ""),), PIECES)
    source = write_block_dot(album, album.panels[0], most=None)
    names = re.findall(r"^\t(\w+) \[label=", source, re.MULTILINE)
    assert len(names) == len(set(names))
    assert {f"b{number}" for number in Pool(odd.snapshot).entries} <= set(names)


def test_data_tells_of_blocks() -> None:
    recording = recorded("vllm-0.4.2")
    snapshot = moment(recording, ev.TableForked)
    step = json.loads(write_json(one_panel(recording, snapshot)))["steps"][0]
    assert snapshot.blocks is not None and step["blocks"]["free_queue"] == list(snapshot.blocks.queue)
    assert [table["blocks"] for table in step["blocks"]["tables"]] == [
        list(each.blocks) for each in snapshot.blocks.tables
    ]
    first = step["blocks"]["blocks"][0]
    assert (first["number"], first["refs"], first["text"], first["before"]) == (0, 2, "You are a helpful ", None)
    assert bytes.fromhex(first["hash"]) == snapshot.blocks.blocks[0].digest


def test_the_detail_of_a_block() -> None:
    """Registered, shared by two leases, without a hash, next to go, and one that holds nothing."""
    recording = recorded("vllm-0.4.2")
    snapshot = moment(recording, ev.TableForked)
    pool = Pool(snapshot)

    def told(number: int, veiled: bool = False) -> str:
        shown = veil(snapshot) if veiled else snapshot
        return detail(shown, pool.handle(number), recording.pieces, width=100, look=MONO, veiled=veiled).plain

    first = told(0)
    assert pool.entries[0].digest.hex() in first and "◆2, leases 8, 9" in first.replace("9, 10", "8, 9")
    assert "nothing: the start of a chain" in first and "#1 " in first
    victim = next(entry for entry in pool.entries.values() if entry.victim)
    assert victim.number is not None
    assert f"none: number 1 of {len(pool.blocks.queue)} in the free queue, ▿ next victim" in told(victim.number)
    assert "queue" not in told(victim.number, veiled=True) and "▿" not in told(victim.number, veiled=True)
    bare = next(entry for entry in Pool(moment(recording, ev.BlocksTaken)).entries.values() if not entry.digest)
    assert bare.number is not None
    lonely = detail(moment(recording, ev.BlocksTaken), bare.id, recording.pieces, width=100, look=MONO).plain
    assert f"block {bare.number} " in lonely and "none: only its table knows it" in lonely
    assert "holds nothing at this moment" in detail(snapshot, -99, {}, width=100, look=MONO).plain


def test_an_open_question_hides_who_goes_next() -> None:
    """Two pools that differ in nothing else are drawn alike."""
    recording = recorded("vllm-0.11")
    end = recording.at(len(recording.events))
    assert end.blocks is not None
    other = replace(end, tick=end.tick, blocks=end.blocks._replace(queue=tuple(reversed(end.blocks.queue))))
    for width in (40, 64, 100):
        one, two = (page(recording, [veil(each)], width, veiled=True) for each in (end, other))
        assert one == two and "▿" not in one
        assert page(recording, [end], width) != page(recording, [other], width)


def test_the_timeline_has_signs_for_blocks() -> None:
    recording = recorded("vllm-0.4.2")
    text = strip(recording, 0, width=300, look=MONO).plain.split("\n")[0]
    signs = {type(event): text[at] for at, event in enumerate(recording.events, start=1)}
    wanted = {
        ev.BlocksHit: "●", ev.BlocksTaken: "✚", ev.BlocksFilled: "✚", ev.BlocksEvicted: "✖", ev.BlockCopied: "⊢",
        ev.TableOpened: "·",
    }  # fmt: skip
    assert {kind: signs[kind] for kind in wanted} == wanted


def test_a_broken_chain_says_so() -> None:
    """The block before is gone, and the block is not below anything."""
    recording = recorded("vllm-0.11")
    end = recording.at(len(recording.events))
    assert end.blocks is not None
    lost = end.blocks.blocks[0]
    assert lost.depth == 1 and lost.digest
    blocks_ = tuple(
        view._replace(digest=b"", parent=b"", key=b"", node=0) if view is lost else view for view in end.blocks.blocks
    )
    snapshot = replace(end, blocks=end.blocks._replace(blocks=blocks_))
    broken = [entry for entry in Pool(snapshot).entries.values() if entry.broken]
    assert broken and all(entry.parent == lost.digest for entry in broken)
    text = page(recording, [snapshot], 100)
    assert text.count(" gone ") == len(broken)
    (svg,) = block_frames(one_panel(recording, snapshot))
    assert svg.count(">gone</text>") == len(broken)
