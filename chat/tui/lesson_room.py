"""Where the parts of a lesson stand when all is stacked: how much is said, and what a step shows beside its tree.

Knows the sizes of the window, of the tree and of the texts; not what they say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.text import Text
from textual.geometry import Size

from .lines import Lines

if TYPE_CHECKING:
    from .lesson_page import Page
    from .watch import Watch

WIDE = 140
"""Columns from which on the lesson stands beside the tree."""

ROOMY = 100
"""Columns from which on a narration should do with few lines."""

ASIDE = (40, 64)
"""Columns of what stands beside the tree, at least and at most."""

LEAST_TREE = 60
"""Columns that a rail keeps beside it."""

CHOSEN = 9
"""Lines of a node's detail, where there is room for it at all."""

ROOMY_LINES = 32
"""Lines of the window from which on the pool is shown, and a node's detail."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What stands where, where all is stacked."""

    most: int  # lines of what is said
    above: Text = field(default_factory=Text)  # what the step shows, above its tree
    aside: Text = field(default_factory=Text)  # or beside it
    more: bool = False  # there is more than there is room for


def plan(page: Page, pane: Watch, window: Size, width: int, verdict: Text) -> Plan:
    """Decides how many lines are said, and whether what the step shows has room above its tree or beside it.

    Args:
        page: What is to be said.
        pane: The tree, and what stands around it.
        window: Cells of the whole screen.
        width: Cells of a line of text.
        verdict: What stands in place of the timeline.
    """
    least = 3 if width >= ROOMY - 2 else 5
    player = page.stepping
    if player is None or window.width >= WIDE:
        return Plan(least)
    said, rows, columns = page.lines(width), _rows(pane, window, verdict), window.width
    snapshot = pane.scene.of(player.snapshot)
    letters = pane.scene.called(snapshot)
    kind, size = pane.drawing.measure(snapshot, letters, Size(columns, rows - min(said, least)))
    most = max(least, min(said + 1, rows - size.height))
    rest = rows - min(said, most)
    for short in (False, True):
        shown = page.exhibits(width, short=short)
        if not shown.plain or size.height + _height(shown) <= rest:
            return Plan(most, above=shown, more=short)
        cells = min(ASIDE[1], columns - 3 - (size.width if kind == "figure" else LEAST_TREE))
        shown = page.exhibits(max(cells, ASIDE[0]), short=short)
        fits = pane.drawing.measure(snapshot, letters, Size(columns - cells - 2, rest))
        if cells >= ASIDE[0] and _height(shown) <= rest and fits[0] == kind and fits[1].height <= rest:
            return Plan(most, aside=shown, more=short)
    return Plan(most, more=True)


def _rows(pane: Watch, window: Size, verdict: Text) -> int:
    """Returns the lines of the window that what is said, what is shown and the tree have for themselves."""
    tall, judged = window.height >= ROOMY_LINES, _height(verdict) if verdict.plain else 0
    taken = 2 + _height(pane.query_one("#legend", Lines).text) + judged  # title and keys, too
    taken += 2 if tall or not judged else 0  # the timeline
    if tall:
        taken += _height(pane.query_one("#gauge", Lines).text)
        taken += CHOSEN if pane.has_class("-chosen") else 0
    return window.height - taken


def _height(text: Text | str) -> int:
    return str(text).count("\n") + 1
