"""Several scenes as SVG: frames that fit on each other, an animation that rests on its last step, one figure of all."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from radixchat.viz.scene import Scene, scenes
from radixchat.viz.svg import ThemeName, write_svg
from radixchat.viz.svg_many import grid_scenes, smallest_grid_pt, write_animation, write_frames, write_grid

from .drawings import SVG, album, fixed, look, nodes_of, stories, words
from .hostile import hostile_album
from .test_svg import NAMES, parsed


def view(text: str) -> str:
    """Returns the view box of a file."""
    return str(ElementTree.fromstring(text).get("viewBox"))


# -- frames ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["fixed", "compact"])
def test_frames_have_one_view_box_and_ids_of_their_own(layout: str) -> None:
    drawn = scenes(album(), layout=layout)
    frames = write_frames(drawn, captions=stories(), width_mm=160)
    assert len(frames) == 9 and len({view(frame) for frame in frames}) == 1
    ids = [one.get("id") for frame in frames for one in parsed(frame).iter() if one.get("id") is not None]
    assert len(ids) == len(set(ids))
    places = {
        (text.get("x"), text.get("y")) for frame in frames for text in parsed(frame).iter(f"{SVG}text")
        if str(text.get("class")).startswith("pool")
    }  # fmt: skip
    assert len(places) == 1  # what is below the tree stands still


def test_no_scenes_are_no_frames() -> None:
    assert write_frames([]) == []


# -- animation ---------------------------------------------------------------------------------------------------------


def moment(text: str, step: int, steps: int) -> ElementTree.Element:
    """Returns an animation as it is while a step stands, by its own keyframes."""
    root = ElementTree.fromstring(text)
    (sheet,) = re.findall(r"prefers-reduced-motion:no-preference\)\{(.*?)</style>", text, flags=re.DOTALL)
    now = 100 * step / (steps + 1) + 0.01
    for name, frames in re.findall(r"@keyframes steps-(v\d+)\{((?:[\d.]+%\{[^}]*\})*)\}", sheet):
        shown = ""
        for percent, value in re.findall(r"([\d.]+)%\{visibility:(\w+)\}", frames):
            shown = value if float(percent) <= now else shown
        for group in root.iter(f"{SVG}g"):
            if group.get("class") == name:
                group.set("visibility", shown)
    return root


def visible(root: ElementTree.Element) -> ElementTree.Element:
    """Takes out what is hidden."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.get("visibility") == "hidden":
                parent.remove(child)
    return root


def pictured(root: ElementTree.Element) -> list[str]:
    """Returns what is drawn, without ids and groups, in no order."""
    found = []
    for element in root.iter():
        if element.tag.removeprefix(SVG) in ("path", "rect", "text"):
            facts = sorted((name, value) for name, value in element.attrib.items() if name != "id")
            found.append(f"{element.tag} {facts} {''.join(element.itertext())}")
    return sorted(found)


@pytest.mark.parametrize("theme", NAMES)
def test_every_moment_of_the_animation_is_its_frame(theme: ThemeName) -> None:
    text = write_animation(fixed(), captions=stories(), theme=theme)
    parsed(text)
    frames = write_frames(fixed(), captions=stories(), theme=theme)
    assert view(text) == view(frames[0])
    for step, frame in enumerate(frames):
        wanted = pictured(ElementTree.fromstring(re.sub(r"s0\d-(new|reused)", r"steps-\1", frame)))
        assert pictured(visible(moment(text, step, 9))) == wanted
    assert pictured(visible(ElementTree.fromstring(text))) == wanted  # at rest it is the last


def test_what_does_not_change_is_written_once() -> None:
    text = write_animation(fixed(), captions=stories())
    assert len(text) < 0.75 * sum(map(len, write_frames(fixed(), captions=stories())))
    assert text.count(">You are a helpful assistant.<") == 1
    assert text.count("@keyframes") == len(set(re.findall(r'class="(v\d+)"', text)))


def test_nothing_moves_for_those_who_want_no_motion() -> None:
    text = write_animation(fixed())
    sheet = text[text.index("<style>") : text.index("</style>")]
    assert sheet.startswith("<style>\n@media (prefers-reduced-motion:no-preference){")
    assert "animation" not in text.replace(sheet, "")
    assert "step-end infinite" in sheet and "25s" in sheet  # nine steps of 2.5 s, the last one twice
    assert "@keyframes" not in write_animation(fixed()[:1])


def test_golden_of_the_animation(golden: Callable[[str, str], None]) -> None:
    look(golden, "animation.svg", write_animation(fixed(), captions=stories(), facts=album().facts))


# -- grid --------------------------------------------------------------------------------------------------------------


def boxes(text: str) -> list[tuple[float, float, float, float]]:
    """Returns where the panels of a grid stand, by what is in them: left, top, right, bottom."""
    found = []
    for panel in ElementTree.fromstring(text).iter(f"{SVG}g"):
        if panel.get("class") == "panel":
            tree = next(one for one in panel if one.get("class") == "tree")
            x, y = map(float, re.findall(r"[\d.]+", str(tree.get("transform"))))
            rects = list(tree.iter(f"{SVG}rect"))
            lefts = [float(str(one.get("x"))) for one in rects]
            rights = [float(str(one.get("x"))) + float(str(one.get("width"))) for one in rects]
            tops = [float(str(one.get("y"))) for one in rects]
            bottoms = [float(str(one.get("y"))) + float(str(one.get("height"))) for one in rects]
            found.append((x + min(lefts), y + min(tops), x + max(rights), y + max(bottoms)))
    return found


@pytest.mark.parametrize("shape", [(3, 3), (None, 3), (None, None), (2, 5), (9, 1), (1, None)])
def test_a_grid_holds_every_panel_once(shape: tuple[int | None, int | None]) -> None:
    drawn = grid_scenes(album(), *shape, width_mm=174)
    text = write_grid(drawn, *shape, width_mm=174, caption="Nine steps.")
    root = parsed(text)
    assert root.get("width") == "174mm"
    assert [words(panel).split()[0] for panel in root.iter(f"{SVG}g") if panel.get("class") == "panel"] == [
        f"({number})" for number in range(1, 10)
    ]
    assert len(list(nodes_of(root))) == sum(len(scene.pieces) for scene in drawn)
    assert text.count('class="legend"') == 1 and "Nine steps." in words(root)
    width, height = map(float, view(text).split()[2:])
    places = boxes(text)
    assert all(left >= 0 and right <= width and bottom <= height for left, _, right, bottom in places)
    for one in range(9):
        for other in range(one):
            left, top, right, bottom = places[one]
            assert right <= places[other][0] or places[other][2] <= left or bottom <= places[other][1] or (
                places[other][3] <= top
            )  # fmt: skip


def test_a_free_grid_has_the_largest_text() -> None:
    shapes: list[tuple[int | None, int | None]] = [(None, None), (3, 3), (2, 5), (None, 3)]
    sizes = [smallest_grid_pt(grid_scenes(album(), *shape, width_mm=174), *shape, width_mm=174) for shape in shapes]
    assert sizes[0] == max(sizes) > 4
    free = grid_scenes(album(), width_mm=174, height_mm=230)
    _, _, width, height = map(float, view(write_grid(free, width_mm=174, height_mm=230)).split())
    assert height / width <= 230 / 174


def test_short_lines_are_chosen_where_they_make_text_larger() -> None:
    chosen = smallest_grid_pt(grid_scenes(album(), 3, 3, width_mm=174), 3, 3, width_mm=174)
    usual = smallest_grid_pt(scenes(album(), layout="compact"), 3, 3, width_mm=174)
    assert chosen > 1.2 * usual


def test_grids_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="9 panels do not fit 2 x 2"):
        write_grid(fixed(), 2, 2)
    with pytest.raises(ValueError, match="no scenes"):
        write_grid([])


def test_golden_of_the_grid(golden: Callable[[str, str], None]) -> None:
    drawn = grid_scenes(album(), width_mm=174)
    look(golden, "grid.svg", write_grid(drawn, width_mm=174, caption="The nine steps of the paper's figure."))


# -- hostile text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", NAMES)
def test_no_text_breaks_out_of_many(theme: ThemeName) -> None:
    drawn: tuple[Scene, ...] = scenes(hostile_album())
    captions = [scene.panel.title for scene in drawn]
    facts = hostile_album().facts
    for text in (
        *write_frames(drawn, theme=theme, captions=captions, facts=facts),
        write_animation(drawn, theme=theme, captions=captions, facts=facts),
        write_grid(drawn, 1, theme=theme, caption=captions[0], facts=facts),
    ):
        parsed(text)
        text.encode("utf-8")


def test_a_single_file_says_the_same_as_a_frame_of_one() -> None:
    assert write_frames(fixed()[:1], captions=stories()[:1]) == [write_svg(fixed()[0], caption=stories()[0])]
