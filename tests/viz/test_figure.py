"""The figure as text: the paper's nine panels, and one scene with everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len

from radixchat.radix import NodeView, Root, Snapshot, as_key
from radixchat.viz.figure import Figure, figure
from radixchat.viz.labels import Labels
from radixchat.viz.picture import Look
from radixchat.viz.turns import fewer, turns

from .panels import PANEL_PIECES, moments, panels
from .plants import HOSTILE, PIECES, grown

MONO = Look(colour=False)
Golden = Callable[[str, str], None]


def text(picture: Figure) -> str:
    return "\n".join(picture.line(y).plain for y in range(picture.height))


def page(pictures: list[Figure]) -> str:
    return "\n\n".join(f"({number})\n{text(picture)}" for number, picture in enumerate(pictures, start=1))


def paper(
    *, before: bool = False, named: bool = True, look: Look = MONO, height: int = 20, width: int = 100
) -> list[Figure]:
    drawn: list[Figure] = []
    for snapshot, letters in panels():
        drawn.append(
            figure(
                snapshot,
                PANEL_PIECES,
                look=look,
                height=height,
                width=width,
                letters=letters if named else None,
                before=drawn[-1] if before and drawn else None,
            )
        )
    return drawn


@pytest.mark.parametrize("width", [98, 99, 100])
@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_every_panel_of_the_paper_fits_a_lesson(width: int, ascii: bool, before: bool, named: bool) -> None:
    for picture in paper(before=before, named=named, width=width, look=replace(MONO, ascii=ascii)):
        assert picture.fits and picture.width <= width and picture.height <= 20
        assert all(cell_len(line) <= width for line in text(picture).split("\n"))


@pytest.mark.parametrize("ascii", [False, True])
def test_every_panel_has_tall_boxes_and_all_its_letters_and_says_what_went(ascii: bool) -> None:
    gone, corner = ("x" if ascii else "✖"), ("+" if ascii else "┌")
    for picture, (snapshot, letters) in zip(paper(look=replace(MONO, ascii=ascii)), panels(), strict=True):
        shown = text(picture)
        assert picture.form.tall and corner in shown
        assert all(f" {letter} {node.size}" in shown for node in snapshot.nodes() if (letter := letters.get(node.id)))
        stones = len(snapshot.tombstones)
        assert shown.count(f"{gone} ") == shown.count("evicted") == stones


def test_event_by_event_no_node_of_the_paper_moves_sideways() -> None:
    before = None
    for snapshot in moments():
        picture = figure(snapshot, PANEL_PIECES, look=MONO, before=before)
        if before is not None:
            for node in snapshot.nodes():
                was, now = before.place(node.id), picture.place(node.id)
                assert was is None or now is None or was.x == now.x
        before = picture


def test_the_panels(golden: Golden) -> None:
    golden("figure-panels.txt", page(paper()))


def test_the_panels_one_after_the_other(golden: Golden) -> None:
    golden("figure-panels-live.txt", page(paper(before=True, named=False)))


def test_the_panels_in_a_low_pane(golden: Golden) -> None:
    pictures = paper(height=9, width=100)
    assert all(picture.height <= 9 for picture in pictures)
    golden("figure-panels-low.txt", page(pictures))


def test_the_panels_in_ascii(golden: Golden) -> None:
    everything = page(paper(look=replace(MONO, ascii=True)))
    assert everything.isascii()
    golden("figure-panels-ascii.txt", everything)


def test_a_scene_with_everything(scene: Snapshot, pieces: dict[int, bytes], golden: Golden) -> None:
    tall = figure(scene, pieces, look=MONO)
    low = figure(scene, pieces, look=MONO, height=12)
    folded = figure(scene, pieces, look=MONO, folded=frozenset({4}))
    golden("figure-scene.txt", page([tall, low, folded]))


def test_colours(scene: Snapshot, pieces: dict[int, bytes], golden: Golden) -> None:
    lines = []
    for palette in ("dark", "light", "ansi", "ansi-light"):
        picture = figure(scene, pieces, look=Look(palette=palette), height=14)
        lines.append(palette)
        for y in range(picture.height):
            line = picture.line(y)
            lines += [
                f"{y} {line.plain[span.start : span.end]!r} {span.style}" for span in line.spans if str(span.style)
            ]
    golden("figure-styles.txt", "\n".join(lines))


def test_without_colour_there_is_no_style(scene: Snapshot, pieces: dict[int, bytes]) -> None:
    picture = figure(scene, pieces, look=MONO)
    styles = {str(span.style) for y in range(picture.height) for span in picture.line(y).spans}
    assert styles <= {"", "none"}


def test_an_empty_tree_is_the_root_alone() -> None:
    snapshot, _ = panels()[0]
    picture = figure(snapshot, {}, look=MONO)
    assert text(picture).split() == ["┌───┐", "│", "│", "└───┘"]
    assert picture.first() is None and picture.place(0) is None and picture.node_at(3, 1) is None
    nothing = Snapshot(0, 0, 9, 1, 0, 0, 0, None, (), ())
    assert text(figure(nothing, {}, look=MONO)) == text(picture)


def test_boxes_say_how_much_was_reused_who_is_locked_and_who_goes_next() -> None:
    plant = grown({1: 0, 2: 1, 3: 1}, as_key([92] * 40))
    plant = plant.change(1, used_in=5, locks=3, new_in=1).change(2, part=7, new_in=1).change(3, new_in=1)
    lines = text(figure(replace(plant, victim=3).snapshot(), PIECES, look=MONO))
    assert "● #1 40 ◆3" in lines and "● #2 7/40" in lines and "○ #3 40 ▿" in lines
    many = text(figure(plant.change(1, locks=1234).snapshot(), PIECES, look=MONO))
    assert "● #1 40 ◆+" in many


def test_a_fold_stands_for_all_below_it() -> None:
    plant = grown({1: 0, 2: 1, 3: 1, 4: 3})
    picture = figure(plant.snapshot(), PIECES, look=MONO, folded=frozenset({1, 3, 77}))
    assert "⋯ 4 nodes, 8 tok" in text(picture)
    place = picture.place(1)
    assert place is not None and picture.node_at(place.x, place.y) == 1
    assert picture.place(3) is None and picture.first() == 1


def test_hostile_text_stays_text() -> None:
    shape = dict.fromkeys(range(1, len(PIECES) + 1), 0)
    plant = grown(shape)
    for id, token in zip(shape, PIECES, strict=True):
        plant = plant.change(id, key=as_key([token]))
    picture = figure(plant.snapshot(), PIECES, look=Look(), letters={1: "[b]\x1b[2J\u202e", 2: "木" * 99})
    for y in range(picture.height):
        line = picture.line(y)
        assert cell_len(line.plain) <= picture.width
        assert not any(getattr(span.style, "meta", None) or getattr(span.style, "link", None) for span in line.spans)
    shown = text(picture)
    assert "\x1b" not in shown and "\u202e" not in shown and "\u200d" not in shown
    assert "[/b]" in shown and "[b]␛[2J\\u202E" in shown and r"\xE6\x9C" in shown


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ("", []),
        ("one line", ["one line"]),
        ("User: Hello!\nAssistant: Hi!\n", ["User: Hello!⏎", "Assistant: Hi!⏎"]),
        ("\nUser: x\n\n\nmore", ["⏎User: x⏎⏎⏎", "more"]),
        ("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo", ["‹user›Hi‹end›", "‹assistant›Ho"]),
        ("<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>", ["‹end›‹user›Hi‹end›"]),
        ("\n\n", ["⏎⏎"]),
    ],
)
def test_an_edge_is_broken_after_its_turns(written: str, lines: list[str]) -> None:
    labels = Labels({byte: bytes([byte]) for byte in range(256)})
    assert [line.plain for line in turns(labels, as_key(list(written.encode())))] == lines


def test_too_many_lines_lose_those_in_the_middle() -> None:
    labels = Labels({0: b"a\n", 1: b"b\n"})
    lines = turns(labels, as_key([0] + [1] * 8 + [0]))
    assert [line.plain for line in fewer(lines, 5)] == ["a⏎", "b⏎", "⋯ 6 lines", "b⏎", "a⏎"]
    assert [line.plain for line in fewer(lines, 2)] == ["a⏎", "b⏎" * 8 + "a⏎"]
    assert [line.plain for line in fewer(lines, 1)] == ["a⏎" + "b⏎" * 8 + "a⏎"]
    assert fewer(lines, 10) == lines


def test_a_long_edge_is_read_at_its_ends_only() -> None:
    seen: list[int] = []

    class Pieces(dict[int, bytes]):
        def get(self, token: int, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
            seen.append(token)
            return b"word "

    lines = turns(Labels(Pieces()), as_key(list(range(100_000))))
    assert len(seen) < 1000 and any("⋯ 99,680 tokens" in line.plain for line in lines)


def test_two_namespaces_stand_beside_each_other_with_their_names(scene: Snapshot, pieces: dict[int, bytes]) -> None:
    picture = figure(scene, pieces, look=MONO)
    assert "│ default ├" in picture.line(1).plain or "│ default │" in picture.line(1).plain
    assert "│ [b]lesson[/b] │" in picture.line(1).plain
    assert picture.node_at(picture.line(1).plain.index("default"), 1) is None


def test_a_tombstone_that_is_the_end_of_a_node_that_stayed_is_drawn_beside_it(
    scene: Snapshot, pieces: dict[int, bytes]
) -> None:
    picture = figure(scene, pieces, look=MONO)
    assert text(picture).count("✖") == 3
    place = picture.place(11)
    assert place is not None and "○ #11 2" in picture.line(place.y + 1).plain


def test_unknown_tokens_and_lost_tombstones_can_be_drawn() -> None:
    node = NodeView(id=1, key=as_key([7]), slots=b"")
    root = Root("", NodeView(id=0, key=b"", slots=b"", children=(node,)))
    assert "‹7›" in text(figure(Snapshot(1, 1, 9, 1, 0, 1, 0, None, (root,), ()), {}, look=MONO))
    assert HOSTILE
