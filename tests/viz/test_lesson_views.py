"""What lessons ask of every view: abridged texts, letters, and that an open question is not answered."""

from __future__ import annotations

from radixchat.radix import Snapshot, as_key
from radixchat.radix import events as ev
from radixchat.viz import rail_rows, tree_text
from radixchat.viz.detail import detail
from radixchat.viz.figure import figure
from radixchat.viz.find import hits
from radixchat.viz.outline import outline
from radixchat.viz.picture import Look, Picture
from radixchat.viz.ruler import ruler
from radixchat.viz.story import tell

from .panels import PANEL_PIECES, SOLVE, panels

SOLVED = (("User: Solve this question...\nAssistant: Sure! ...\n", "<c>"),)
SHORT = Look(colour=False, abridged=SOLVED)


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
