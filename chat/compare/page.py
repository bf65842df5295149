"""A comparison on a terminal: both structures beside or below each other, the table, and why they differ.

Knows cells and no widget; the app shows the same pictures in panes.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.style import Style
from rich.text import Text

from ...viz import legend
from ...viz.blocks import blocks
from ...viz.cells import paragraphs
from ...viz.outline import outline
from ...viz.picture import Look, Picture
from ...viz.plain import joined
from ...viz.trie import beside
from .contest import Arm, Contest
from .words import Words

WIDE = 140
"""Cells from which on two structures stand beside each other."""

MOST = 60
"""Rows of blocks from which on what the step did not touch is folded."""

_GAP = 4


def picture_of(arm: Arm, place: int, bytes_per_token: int, *, width: int, look: Look) -> Picture:
    """Returns a cache after the step at a place: a tree as its outline, hash blocks as chains, tables and queue."""
    snapshot, pieces = arm.panel(place), arm.recording.pieces
    if snapshot.blocks is not None:
        return blocks(snapshot, pieces, width=width, look=look, most=MOST)
    return outline(snapshot, pieces, width=width, look=look, bytes_per_token=bytes_per_token or None)


def page(contest: Contest, place: int, *, width: int, look: Look) -> Iterator[Text]:
    """Yields the lines of a step, without newlines at their ends."""
    words = Words(contest, width=width, ascii=look.ascii)
    bold = Style(bold=True) if look.colour else Style.null()
    yield from _wrapped(words.heading(place), width, look, bold)
    yield Text()
    yield from _structures(contest, words, place, width, look, bold)
    yield Text()
    yield from map(Text, words.table(place))
    yield Text()
    yield from map(Text, words.why(place))


def _wrapped(text: str, width: int, look: Look, style: Style) -> list[Text]:
    return [Text(line, style) for line in paragraphs(text, width, ascii=look.ascii)]


def _structures(contest: Contest, words: Words, place: int, width: int, look: Look, bold: Style) -> Iterator[Text]:
    shown = contest.arms[:2]
    abreast = width >= WIDE and len(shown) == 2
    room = (width - _GAP) // 2 if abreast else width
    panels = []
    for arm in shown:
        picture = picture_of(arm, place, contest.script.bytes_per_token, width=room, look=look)
        lines = [
            *_wrapped(words.panel(arm, place), room, look, bold),
            *(picture.line(y) for y in range(picture.height)),
        ]
        if not picture.height:
            lines.append(Text("nothing is in it"))
        panels.append(joined(lines))
    if abreast:
        yield from beside(*panels, width=width, gap=_GAP).split("\n", allow_blank=True)
    else:
        for number, panel in enumerate(panels):
            yield from [Text()] * bool(number)
            yield from panel.split("\n", allow_blank=True)
    yield Text()
    any_blocks = any(arm.entrant.config.preset for arm in shown)
    signs = legend(width=width, palette=look.palette, ascii=look.ascii, colour=look.colour, blocks=any_blocks)
    yield from signs.split("\n", allow_blank=True)
