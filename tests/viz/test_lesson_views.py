"""What lessons ask of every view: abridged texts, letters, and that an open question is not answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from radixchat.radix import NodeView, Root, Snapshot, State, as_key
from radixchat.radix import events as ev
from radixchat.viz import legend, memory_line, rail_rows, tree_text
from radixchat.viz.detail import detail, gauge
from radixchat.viz.figure import figure
from radixchat.viz.find import hits
from radixchat.viz.outline import outline
from radixchat.viz.picture import Look, Picture
from radixchat.viz.ruler import ruler
from radixchat.viz.sanitize import HIDDEN
from radixchat.viz.story import tell
from radixchat.viz.veil import veil

from .panels import PANEL_PIECES, SOLVE, panels
from .plants import PIECES, STEP, Plant, grown, plants

SOLVED = (("User: Solve this question...\nAssistant: Sure! ...\n", "<c>"),)
SHORT = Look(colour=False, abridged=SOLVED)
MONO = Look(colour=False)
CHECKED = settings(max_examples=60, deadline=None)


def text(picture: Picture) -> str:
    return "\n".join(picture.line(y).plain for y in range(picture.height))


def views(snapshot: Snapshot, look: Look, **more: object) -> list[str]:
    """The tree in every view."""
    pieces = PANEL_PIECES
    style = {"colour": look.colour, "ascii": look.ascii, "abridged": look.abridged}
    return [
        text(outline(snapshot, pieces, width=100, look=look, **more)),  # type: ignore[arg-type]
        text(figure(snapshot, pieces, look=look, width=100, height=20, **more)),  # type: ignore[arg-type]
        text(ruler(snapshot, pieces, look=look, width=100, **more)),  # type: ignore[arg-type]
        tree_text(rail_rows(snapshot), pieces, width=100, **style, **more).plain,  # type: ignore[arg-type]
    ]


def test_every_view_abridges_and_the_detail_tells_all() -> None:
    snapshot, letters = panels()[3]
    node = next(id for id, letter in letters.items() if letter == "c")
    for view in views(snapshot, SHORT):
        assert "<c>" in view and "Solve" not in view and "44" in view
    told = detail(snapshot, node, PANEL_PIECES, width=80, look=SHORT).plain
    assert "User: Solve this question...⏎" in told and "<c>" not in told
    assert tell(ev.Grown(node, as_key(SOLVE), b""), PANEL_PIECES, look=SHORT) == f"grew #{node} by 44 tok: <c>"
    assert hits(snapshot, PANEL_PIECES, "solve this") == [node]


def test_a_figure_with_other_abridgements_is_not_painted_with_the_texts_of_the_last() -> None:
    snapshot, _ = panels()[3]
    last = figure(snapshot, PANEL_PIECES, look=Look(colour=False))
    assert "<c>" in text(figure(snapshot, PANEL_PIECES, look=SHORT, before=last))
    before = outline(snapshot, PANEL_PIECES, width=100, look=Look(colour=False))
    assert "<c>" in text(outline(snapshot, PANEL_PIECES, width=100, look=SHORT, before=before))


# -- letters -----------------------------------------------------------------------------------------------------------


def test_letters_stand_in_their_nodes_in_every_view() -> None:
    snapshot, letters = panels()[7]
    rail, boxes, bars, plain = views(snapshot, MONO, letters=letters)
    for view in (rail, plain):
        assert "✚ i  User: Solve" in view and "○ j  What ...⏎" in view and "○ k  When" in view
    assert "│  ✚ i 52  │" in boxes and "│ ○ j 5 ▿ │" in boxes
    assert "✚i 52 User: Solve" in bars and "○j 5▿" in bars and "○l 5" in bars
    narrow = text(ruler(snapshot, PANEL_PIECES, look=MONO, width=30, letters=letters))
    assert all(f"○{letter} 5" in narrow for letter in "jkl")  # a letter goes last
    node = next(id for id, letter in letters.items() if letter == "i")
    assert detail(snapshot, node, PANEL_PIECES, width=80, look=MONO, letters=letters).plain.startswith(
        f"#{node}, letter i ✚ new\n"
    )
    assert "letter" not in detail(snapshot, node, PANEL_PIECES, width=80, look=MONO).plain


def test_letters_are_bold_and_belong_to_one_picture() -> None:
    snapshot, letters = panels()[7]
    first = outline(snapshot, PANEL_PIECES, width=100, look=Look(), letters=letters)
    y = next(y for y in range(first.height) if "✚ i  User" in first.line(y).plain)
    line = first.line(y)
    bold = [line.plain[span.start : span.end] for span in line.spans if "bold" in str(span.style)]
    assert "i" in bold
    again = outline(snapshot, PANEL_PIECES, width=100, look=Look(), before=first)
    assert again.line(y).plain.startswith("✚ User: Solve")


@CHECKED
@given(plants(least=1), st.text(max_size=12), st.integers(20, 120), st.booleans())
def test_hostile_letters_make_nothing_wider(plant: Plant, name: str, width: int, ascii: bool) -> None:
    snapshot, look = plant.snapshot(), Look(ascii=ascii)
    letters = dict.fromkeys([*list(plant.buds)[::2], *(stone.node for stone in plant.stones)], name)
    painted = [
        text(outline(snapshot, PIECES, width=width, look=look, letters=letters)),
        text(ruler(snapshot, PIECES, width=width, look=look, letters=letters)),
        tree_text(rail_rows(snapshot), PIECES, width=width, ascii=ascii, letters=letters).plain,
        detail(snapshot, next(iter(plant.buds), 1), PIECES, width=width, look=look, letters=letters).plain,
    ]
    for line in "\n".join(painted).split("\n"):
        assert cell_len(line) <= width and not HIDDEN.search(line)
        assert not ascii or line.isascii()


# -- the veil ----------------------------------------------------------------------------------------------------------


@st.composite
def other_pasts(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """Two snapshots that differ only in what tells who goes next."""
    plant = draw(plants(least=1))
    twins = []
    for _ in range(2):
        snapshot = replace(plant, victim=draw(st.sampled_from([None, *plant.leaves()]))).snapshot()
        roots = tuple(Root(root.namespace, _aged(draw, root.node)) for root in snapshot.roots)
        twins.append(replace(snapshot, roots=roots, protected=draw(st.integers(0, snapshot.resident))))
    return twins[0], twins[1]


def _aged(draw: st.DrawFn, node: NodeView) -> NodeView:
    now = st.sampled_from([0, 1, 2, STEP - 1])
    new, used, part = ([step, draw(now)][step != STEP] for step in (node.new_in, node.used_in, node.part_in))
    return NodeView(
        id=node.id, key=node.key, slots=node.slots, locks=node.locks, rank=node.rank, uncached=node.uncached,
        last=draw(st.integers(0, 40)), created=draw(st.integers(0, 40)), hits=draw(st.integers(0, 9)),
        priority=draw(st.integers(-3, 3)), new_in=new, used_in=used, part_in=part,
        part_to=node.part_to if part == STEP else draw(st.integers(0, 2)),
        children=tuple(_aged(draw, child) for child in node.children),
    )  # fmt: skip


def veiled_views(snapshot: Snapshot, width: int, ids: list[int]) -> list[str]:
    """All that is on the screen while a question is open."""
    under = veil(snapshot)
    return [
        text(outline(under, PIECES, width=width, look=MONO, bytes_per_token=999, veiled=True)),
        text(outline(under, PIECES, width=width, look=MONO, runs=3, veiled=True, letters={2: "b"})),
        text(figure(under, PIECES, look=MONO, width=width, height=20)),
        text(ruler(under, PIECES, look=MONO, width=width)),
        tree_text(rail_rows(under), PIECES, width=width, veiled=True).plain,
        *(detail(snapshot, id, PIECES, width=width, look=MONO, veiled=True).plain for id in ids),
        *(detail(under, id, PIECES, width=width, look=MONO, veiled=True).plain for id in ids),
        gauge(snapshot, width=width, look=MONO, bytes_per_token=99, veiled=True).plain,
        memory_line(snapshot, width=width, veiled=True).plain,
        legend(width=width, veiled=True).plain,
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(other_pasts(), st.sampled_from([40, 60, 96, 120]))
def test_what_is_on_the_screen_does_not_tell_who_goes_next(twins: tuple[Snapshot, Snapshot], width: int) -> None:
    one, other = twins
    ids = [*(node.id for node in one.nodes()), *(stone.node for stone in one.tombstones)][:6]
    assert veiled_views(one, width, ids) == veiled_views(other, width, ids)
    assert veil(replace(one, protected=0)) == veil(replace(other, protected=0))


@CHECKED
@given(plants())
def test_a_veil_keeps_the_picture_of_the_step(plant: Plant) -> None:
    snapshot = plant.snapshot()
    under = veil(snapshot)
    assert [under.state(node) for node in under.nodes()] == [snapshot.state(node) for node in snapshot.nodes()]
    seen = replace(snapshot, next_victim=None)
    assert text(figure(under, PIECES, look=MONO)) == text(figure(seen, PIECES, look=MONO))
    assert under.next_victim is None and under.free == snapshot.free and veil(under) == under


def test_a_veil_over_a_deep_chain_does_not_recurse() -> None:
    snapshot = grown({id: id - 1 for id in range(1, 3001)}).snapshot()
    assert sum(node.size for node in veil(snapshot).nodes()) == snapshot.resident


def test_what_is_hidden_is_said_once() -> None:
    snapshot, _ = panels()[7]
    node = next(node.id for node in snapshot.nodes() if snapshot.state(node) is State.RESIDENT)
    told = detail(snapshot, node, PANEL_PIECES, width=80, look=MONO, veiled=True).plain
    assert told.count("hidden while a question is open") == 1
    assert not any(word in told for word in ("last use", "created", "hits", "evictable", "victim", "priority"))
    pool = memory_line(snapshot, width=100, veiled=True).plain
    assert "resident 85" in pool and "protected" not in pool and "evictable" not in pool


# -- the legend --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("veiled", [False, True])
def test_the_legend_takes_one_line(width: int, lang: str, ascii: bool, veiled: bool) -> None:
    line: Text = legend(width=width, lang=lang, ascii=ascii, veiled=veiled)
    assert "\n" not in line.plain and line.cell_len <= width
    assert not ascii or line.plain.isascii()
    assert (("下一个驱逐对象" if lang == "zh" and not ascii else "next victim") in line.plain) != veiled


def test_the_legend_has_long_words_where_they_save_no_line() -> None:
    assert "locked by n" in legend(width=60).plain and "not cached yet" in legend(width=100).plain
    assert (
        legend(width=80, lang="zh").plain == "✚ 新增  ● 复用  ○ 驻留  ✖ 已驱逐  ◆n 锁定  ▿ 下一个驱逐对象  ◌ 尚未缓存"
    )
    assert legend(width=80, lang="fr").plain == legend(width=80).plain
