"""A scene as SVG: what is in the file, how it is coloured, what no text can do to it; the nine panels as goldens."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from radixchat.radix import NodeView, Root, Snapshot, State, as_key
from radixchat.viz.album import Album, Panel
from radixchat.viz.sanitize import HIDDEN
from radixchat.viz.scene import Box, Piece, Scene, scenes
from radixchat.viz.states import Attribute
from radixchat.viz.svg import SMALL, ThemeName, lines_of, num, prose, smallest_pt, write_svg, xml
from radixchat.viz.themes import AT_NIGHT, STROKES, THEMES

from .drawings import SVG, album, contrast, fixed, look, luminance, nodes_of, stories, words
from .hostile import SURROGATES, hostile_album

NAMES: list[ThemeName] = ["light", "dark", "auto", "print"]
EVERY = [(theme, number) for theme in NAMES for number in range(9)]


def parsed(text: str) -> ElementTree.Element:
    """Parses a file and looks at what every file must hold."""
    root = ElementTree.fromstring(text)
    ids = [element.get("id") for element in root.iter() if element.get("id") is not None]
    assert len(ids) == len(set(ids))
    assert root.get("role") == "img"
    assert [root[0].tag, root[1].tag] == [f"{SVG}title", f"{SVG}desc"]
    assert str(root.get("aria-labelledby")).split() == [root[0].get("id"), root[1].get("id")]
    assert "var(" not in text and "light-dark(" not in text and "\r" not in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]", text)
    assert re.findall(r"https?:[^\"'\s)]*", text) == ["http://www.w3.org/2000/svg"]
    assert "href" not in text and "<script" not in text
    for element in root.iter():
        used = re.findall(r"url\(#([^)]*)\)", " ".join(element.attrib.values()))
        assert set(used) <= set(ids)
    return root


# -- structure ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("theme", "number"), EVERY)
def test_every_node_is_a_group_that_tells_what_the_snapshot_holds(theme: ThemeName, number: int) -> None:
    scene = fixed()[number]
    snapshot = scene.panel.snapshot
    root = parsed(write_svg(scene, theme=theme, caption=stories()[number]))
    assert root[0].text == scene.panel.title and root[1].text == scene.panel.story
    groups = {str(group.get("id")): group for group in nodes_of(root)}
    nodes = list(snapshot.nodes())
    assert len(groups) == 1 + len(nodes) + len(snapshot.tombstones)
    for node in nodes:
        group = groups[f"s{number + 1:02d}-n{node.id}"]
        attribute = ["next-victim"] if snapshot.next_victim == node.id else []
        assert str(group.get("class")).split() == ["node", snapshot.state(node).value, *attribute]
        assert (group.get("data-tokens"), group.get("data-locks")) == (str(node.size), str(node.locks))
        assert group[0].tag == f"{SVG}title" and f"{node.size:,} token" in str(group[0].text)
        assert words(group).split()[-1] == f"{node.size:,}"
        letter = (scene.panel.letters or {}).get(node.id)
        assert letter is None or [text.text for text in group.iter(f"{SVG}tspan") if text.get("class") == "name"] == [
            letter
        ]
    for stone in snapshot.tombstones:
        group = groups[f"s{number + 1:02d}-n{stone.node}"]
        assert group.get("class") == "tombstone evicted" and words(group).startswith("evicted")


def test_text_is_text_and_the_whole_of_it_is_in_the_title() -> None:
    root = parsed(write_svg(fixed()[3]))
    (leaf,) = (group for group in nodes_of(root) if "User: What can you do?" in words(group))
    assert str(leaf[0].text).endswith("new: User: What can you do?⏎Assistant: I can ...⏎")
    assert str(leaf[0].text).startswith("d, 24 tokens, ")


def test_everything_is_inside_the_view_box() -> None:
    for scene, caption in zip(fixed(), stories(), strict=True):
        root = parsed(write_svg(scene, caption=caption))
        assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
        width, height = float(str(root.get("width"))), float(str(root.get("height")))
        card = root.find(f"{SVG}rect")
        assert card is not None and (card.get("width"), card.get("height")) == (root.get("width"), root.get("height"))
        for place in (*root.iter(f"{SVG}text"), *root.iter(f"{SVG}tspan"), *root.iter(f"{SVG}rect")):
            assert 0 <= float(place.get("x", 0)) <= width and 0 <= float(place.get("y", 0)) <= height - 4


def test_legend_and_caption_can_be_left_out() -> None:
    scene = fixed()[1]
    bare, full = write_svg(scene, legend=False), write_svg(scene, caption=stories()[1])
    assert "evicted" not in words(parsed(bare)) and scene.panel.title not in words(parsed(bare))
    said = words(parsed(full))
    assert all(state.value in said for state in State)
    assert "next victim" in said and "locked" not in said  # nothing is locked
    assert "resident 10 + free 76 = capacity 86 tok" in said
    assert said.count(scene.panel.title) == 1 and "one node." in said
    assert "新增" in words(parsed(write_svg(scene, lang="zh")))


def test_millimetres_and_points() -> None:
    scene = fixed()[8]
    root = parsed(write_svg(scene, width_mm=174))
    assert root.get("width") == "174mm" and str(root.get("height")).endswith("mm")
    px = float(str(root.get("viewBox")).split()[2])
    assert smallest_pt(scene, 174) == pytest.approx(SMALL * 174 / px / 25.4 * 72)


def test_facts_are_metadata_in_order_and_ids_may_have_any_prefix() -> None:
    text = write_svg(fixed()[0], facts={"b": "<1>", "a": "x\ny"}, prefix='1"><x')
    root = parsed(text)
    metadata = root.find(f"{SVG}metadata")
    assert metadata is not None and metadata.text == "b: <1>\na: x\ny"
    assert str(root.get("id")) == "s1---x"


def test_a_node_and_its_evicted_end_have_their_own_ids(scene: Snapshot, pieces: dict[int, bytes]) -> None:
    drawn = scenes(Album((Panel(7, scene, None, "step 7", ""),), pieces))[0]
    root = parsed(write_svg(drawn))
    ids = [str(group.get("id")) for group in nodes_of(root)]
    assert "s07-n11" in ids and "s07-x11" in ids
    locked = next(group for group in nodes_of(root) if group.get("data-locks") == "12")
    assert "locked" in str(locked.get("class")) and words(locked).endswith(" 12")
    assert "locked by 12" in str(locked[0].text)
    assert "locked by n" in words(root)  # the legend


# -- bytes -------------------------------------------------------------------------------------------------------------


def test_numbers_have_one_decimal_at_most() -> None:
    assert [num(value) for value in (1, 1.04, 1.06, -0.01, 1e7, 0.25)] == ["1", "1", "1.1", "0", "10000000", "0.2"]
    for theme in NAMES:
        written = write_svg(fixed()[8], theme=theme, caption=stories()[8], width_mm=100.123)
        assert not re.search(r"\d\.\d\d", written.replace("ui-monospace", ""))


def test_the_same_scene_gives_the_same_bytes_in_any_process() -> None:
    program = (
        "import hashlib; from viz.drawings import fixed, stories;"
        "from radixchat.viz.svg import write_svg;"
        "print(hashlib.sha256(''.join(write_svg(s, theme='auto', caption=c) for s, c in zip(fixed(), stories()))"
        ".encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, text=True,
            check=True, cwd=Path(__file__).parents[1],
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


@pytest.mark.parametrize("number", range(1, 10))
def test_goldens_of_the_panels(number: int, golden: Callable[[str, str], None]) -> None:
    text = write_svg(fixed()[number - 1], caption=stories()[number - 1], facts=album().facts)
    look(golden, f"panel-{number}.svg", text)


@pytest.mark.parametrize("theme", ["dark", "auto", "print"])
def test_goldens_of_the_themes(theme: ThemeName, golden: Callable[[str, str], None]) -> None:
    look(golden, f"panel-9-{theme}.svg", write_svg(fixed()[8], theme=theme, caption=stories()[8]))


def test_two_thousand_nodes_are_written_fast() -> None:
    line = scenes(Album((album().panels[1],), album().pieces))[0].pieces[-1]
    scene = Scene(9000, 9000, tuple(line._replace(id=id) for id in range(2000)), album().panels[1])
    took = []
    for _ in range(5):
        start = time.perf_counter()
        write_svg(scene)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.12  # 0.02 to 0.03 on an idle machine


# -- colours -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", [*THEMES.values(), AT_NIGHT], ids=[*THEMES, "night"])
def test_text_can_be_read_on_its_ground(theme: object) -> None:
    paint = theme.paints()  # type: ignore[attr-defined]
    ground = paint[".card"]["fill"]
    fills = [paint[f".{state.value}>.box"]["fill"] for state in State]
    for role in (".ink", ".faint"):
        assert all(contrast(paint[role]["fill"], behind) >= 4.5 for behind in (ground, *fills))
    assert contrast(paint[".ink"]["fill"], paint[".root>.box"]["fill"]) >= 4.5
    assert contrast(paint[".gone"]["fill"], ground) >= 4.5
    for state, fill in zip(State, fills, strict=True):  # shapes need 3 : 1
        for role in (f".{state.value}>.sign", ".next"):
            assert contrast(paint[role]["stroke"], fill) >= 3
        assert contrast(paint[".hold"]["fill"], fill) >= 3
        assert contrast(paint[f".edge.{state.value}"]["stroke"], ground) >= 3
    assert contrast(paint[".root>.box"]["stroke"], ground) >= 3


def _piece(state: State, attribute: Attribute = Attribute.NONE) -> Scene:
    kind = "tombstone" if state is State.EVICTED else "node"
    piece = Piece(1, kind, state, attribute, 2, Box(0, 0, 90, 26), (), (), "", "a", 7, "text")
    return Scene(100, 30, (piece,), album().panels[1])


@pytest.mark.parametrize("theme", NAMES)
def test_states_and_attributes_are_told_apart_without_colour(theme: ThemeName) -> None:
    def grey(scene: Scene) -> list[object]:
        (group,) = nodes_of(parsed(write_svg(scene, theme=theme, legend=False)))
        box = next(rect for rect in group if rect.get("class") == "box")
        fill = str(box.get("fill"))
        shapes = tuple((path.get("class"), re.sub(r"^M[\d.]+ [\d.]+", "", str(path.get("d")))) for path in group)
        tone = round(luminance(fill), 1) if fill.startswith("#") else fill
        return [(box.get("stroke-width"), box.get("stroke-dasharray")), shapes, tone]

    for one, other in combinations(State, 2):
        same = [mine == theirs for mine, theirs in zip(grey(_piece(one)), grey(_piece(other)), strict=True)]
        assert same[:2] == [False, False]  # both the line and the sign differ
    for one, other in combinations(Attribute, 2):
        assert grey(_piece(State.NEW, one))[1] != grey(_piece(State.NEW, other))[1]


def test_print_has_no_colour_at_all() -> None:
    for number in range(9):
        text = write_svg(fixed()[number], theme="print", caption=stories()[number])
        for colour in re.findall(r"#([0-9a-f]{6})\b", text):
            assert colour[:2] == colour[2:4] == colour[4:]


def test_auto_is_light_with_a_dark_sheet_for_every_paint() -> None:
    light, auto = (write_svg(fixed()[8], theme=name, caption="x") for name in ("light", "auto"))
    assert re.sub(r"<style>.*?</style>\n", "", auto, flags=re.DOTALL) == light
    (sheet,) = re.findall(r"<style>(.*?)</style>", auto, flags=re.DOTALL)
    rules = dict(re.findall(r"#s09 ([^{]+)\{([^}]*)\}", sheet))
    assert rules.keys() == AT_NIGHT.paints().keys()
    dark = write_svg(fixed()[8], theme="dark", caption="x")
    root, night = ElementTree.fromstring(auto), ElementTree.fromstring(dark)
    for day, element in zip([one for one in root.iter() if one.tag != f"{SVG}style"], night.iter(), strict=True):
        for attribute in ("fill", "stroke"):
            if day.get(attribute) != element.get(attribute):  # what is dark has a class that a rule is for
                assert {f".{name}" for name in str(day.get("class")).split()} & {
                    part for selector in rules for part in re.findall(r"\.[a-z-]+", selector)
                }


def test_the_states_are_in_the_order_of_their_weight() -> None:
    weights = [STROKES[state].box for state in (State.RESIDENT, State.REUSED, State.NEW)]
    assert weights == sorted(set(weights)) and STROKES[State.EVICTED].dash


# -- hostile text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", NAMES)
def test_no_text_breaks_out(theme: ThemeName) -> None:
    for layout in ("fixed", "compact"):
        for scene in scenes(hostile_album(), layout=layout):
            text = write_svg(
                scene, theme=theme, caption=f"{scene.panel.title}\n{SURROGATES}", facts=hostile_album().facts
            )
            root = parsed(text)
            text.encode("utf-8")
            assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
                "svg", "title", "desc", "metadata", "style", "defs", "pattern", "rect", "g", "path", "text", "tspan",
            }  # fmt: skip
            for drawn in root.iter(f"{SVG}text"):
                found = "".join(drawn.itertext())
                assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x1b\x00]", found)
                assert "\n" not in found


@pytest.mark.parametrize("code", [0, 8, 11, 27, 127, 0x9B, 0xD800, 0xDC80, 0xDFFF, 0xFFFE, 0xFFFF, 0xFDD0, 0x1FFFE])
def test_what_xml_has_no_place_for_is_an_escape(code: int) -> None:
    assert chr(code) not in xml(f"a{chr(code)}b") and chr(code) not in prose(f"a{chr(code)}b")
    ElementTree.fromstring(f"<a>{xml(chr(code))}</a>".encode())
    assert xml(chr(code)) != ""


def test_every_character_is_either_well_formed_or_an_escape() -> None:
    for start in range(0, 0x110000, 0x4000):
        text = "".join(map(chr, range(start, start + 0x4000)))
        ElementTree.fromstring(f"<a>{xml(text)}</a>".encode())


def test_captions_are_broken_into_lines() -> None:
    assert lines_of("one two  three\n\nfour", 9) == ["one two", "three", "four"]
    assert lines_of("木木木。木", 6) == ["木木", "木。木"]
    assert all(not HIDDEN.search(line) for line in lines_of("\u202ea\tb\x1b", 40))


def test_an_unknown_namespace_and_an_empty_tree() -> None:
    roots = (Root("", NodeView(id=0, key=b"", slots=b"")),)
    empty = Snapshot(0, 0, 8, 1, 0, 0, 0, None, roots, ())
    root = parsed(write_svg(scenes(Album((Panel(0, empty, None, "step 0", ""),), {}))[0]))
    assert [group.get("class") for group in nodes_of(root)] == ["root"]
    node = NodeView(id=1, key=as_key([5]), slots=b"")
    two = replace(empty, roots=(*roots, Root("other", NodeView(id=-1, key=b"", slots=b"", children=(node,)))))
    assert parsed(write_svg(scenes(Album((Panel(0, two, None, "step 0", ""),), {5: b"x"}))[0])) is not None
