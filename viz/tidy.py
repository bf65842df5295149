"""Where the parts of a node-link diagram go: the pure placement, in whole numbers of any unit.

A node is a box under the text of its edge: the edge comes down as a *stem*, its text stands to the right of it, and
the box hangs at its end. As in the figure of the RadixAttention paper, the first child stands straight below its
parent; the others hang on a connector that leaves the parent's box at its right side (the *tie*).

**What stays where it is.** Heights depend on the way from the root to a node alone, so nothing beside that way moves
it up or down. Sideways, a node that has a place keeps it, and a *column* below it stays its own, down to the end, for
the first child to come, and its child, and so on; the head of a split stands where its tail did. So a tree that grows
down, is split or loses nodes moves nothing sideways. A new branch goes to the right of its siblings; what is in its
way is pushed to the right with all that hangs on it, no further than it must. Nothing is ever pushed to the left, and
a place that became free stays free. Parts that are closed (what was evicted) own no column; others may stand below.

Knows no text, no colours and no nodes: parts have numbers. Costs time in proportion to the nodes; nothing recurses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import starmap
from operator import add
from typing import NamedTuple

_DEEP = 2**62  # below everything


class Part(NamedTuple):
    """What a node takes: the text beside its stem, and the box below both."""

    text_width: int
    text_height: int  # length of the stem
    box_width: int
    box_height: int
    stem: int  # where the stem meets the box, from its left side
    tie: int  # where the connector to its children leaves the box, from its top
    column: int = 0  # the least room to the right of its stem
    closed: bool = False  # whether nothing will hang below it


class Spot(NamedTuple):
    """Where a part stands."""

    x: int  # of its stem
    y: int  # of its text
    left: int  # of its box
    top: int  # of its box
    bottom: int  # first row below the box


class _Reach:
    """How far a subtree reaches to the right, from its top down, as (end, x) with rising ends."""

    __slots__ = ("moved", "steps")

    def __init__(self, y: int, *steps: tuple[int, int]) -> None:
        self.steps: deque[tuple[int, int]] = deque()
        for end, x in steps:
            if end > y:
                self.steps.append((end, x))
                y = end
        self.moved = 0  # to be added to every x

    def above(self, lower: _Reach) -> _Reach:
        """Returns this reach, and below its end the other one; both are used up. Costs the length of this one."""
        if lower.steps[-1][0] <= self.steps[-1][0]:
            return self
        while lower.steps[0][0] <= self.steps[-1][0]:
            lower.steps.popleft()
        by = self.moved - lower.moved
        lower.steps.extendleft((end, x + by) for end, x in reversed(self.steps))
        return lower

    def until(self, end: int) -> int:
        """Returns how far it reaches above a row."""
        most = self.steps[0][1]
        for step, x in self.steps:
            most = max(most, x)
            if step >= end:
                break
        return most + self.moved


class _Tree(NamedTuple):
    """A subtree that is placed in itself."""

    x: int  # of its stem
    fixed: bool  # whether that is a place it had before
    wall: int  # its left side, straight from its top to its end
    end: int
    reach: _Reach


def spots(
    parts: Sequence[Part],
    parents: Sequence[int],
    *,
    margin: int,
    gap: int,
    indent: int,
    apart: int,
    top: int = 0,
    kept: Sequence[int | None] | None = None,
) -> list[Spot]:
    """Places parts.

    Args:
        parts: In any order in which parents come before their children and siblings stand from left to right.
        parents: The number of each part's parent; -1 for the roots, which stand side by side.
        margin: The least x of a stem.
        gap: Room between neighbours.
        indent: From a stem to its text.
        apart: Room between the trees of two roots.
        top: The y of the roots' texts.
        kept: The x that each part's stem had before; None for new parts.
    """
    tops = _tops(parts, parents, top)
    below: list[list[int]] = [[] for _ in parts]
    roots: list[int] = []
    for number, parent in enumerate(parents):
        (roots if parent < 0 else below[parent]).append(number)
    places = [0] * len(parts)
    shifts = [0] * len(parts)  # of whole subtrees, on top of `places`
    trees: dict[int, _Tree] = {}
    for number in range(len(parts) - 1, -1, -1):  # children come before their parents
        part, y, children = parts[number], tops[number], [trees.pop(child) for child in below[number]]
        place = kept[number] if kept is not None else None
        if place is None and kept is not None:  # the head of a split takes the place of its tail
            place = next((child.x for child in children if child.fixed), None)
        x = places[number] = place or 0
        end, wall = y + part.text_height + part.box_height, x - part.stem
        if children:
            moves, lower = _beside(children, x, wall + part.box_width + 1, gap)
            for child, move in zip(below[number], moves, strict=True):
                shifts[child] = move
            reach = _reach(part, y, x, indent, [child.x + move for child, move in zip(children, moves, strict=True)])
            end = max(end, *[child.end for child in children])
            wall = min(wall, *[child.wall + move for child, move in zip(children, moves, strict=True)])
            if lower is not None:
                reach = reach.above(lower)
        else:
            reach = _reach(part, y, x, indent, ())
        if not part.closed and end < _DEEP:  # nothing below it has a column
            reach, end = reach.above(_Reach(0, (_DEEP, x + part.column))), _DEEP
        trees[number] = _Tree(x, place is not None, wall, end, reach)
    for root, move in zip(roots, _beside([trees[root] for root in roots], margin, margin, apart)[0], strict=True):
        shifts[root] = move
    for number, parent in enumerate(parents):
        if parent >= 0:
            shifts[number] += shifts[parent]
    return list(starmap(_spot, zip(parts, map(add, places, shifts), tops, strict=True)))


def _beside(trees: Sequence[_Tree], straight: int, least: int, gap: int) -> tuple[list[int], _Reach | None]:
    """Sets trees beside each other; returns how far each moves, and how far all reach together.

    Args:
        trees: From left to right.
        straight: Where the first tree goes when it had no place before: straight below its parent.
        least: The least x of all others.
        gap: Room between them.
    """
    moves: list[int] = []
    reach: _Reach | None = None
    for x, fixed, wall, end, own in trees:
        if reach is None:
            wanted = straight if x <= straight or not fixed else max(x, least)
        else:
            wanted = max(x, least, x + reach.until(end) + gap - wall)
        moves.append(wanted - x)
        own.moved += wanted - x
        reach = own if reach is None else own.above(reach)
    return moves, reach


def _reach(part: Part, y: int, x: int, indent: int, stems: Sequence[int]) -> _Reach:
    """Returns how far a part alone reaches, with the connector to its children."""
    top, least = y + part.text_height, x + max(part.column, 1)
    out = max(x - part.stem + part.box_width, least)
    text = x + indent + part.text_width if part.text_width else 0
    low = max(out, max(stems) + 1) if stems else out
    return _Reach(y, (top, max(text, least)), (top + part.tie, out), (top + part.box_height, low))


def _tops(parts: Sequence[Part], parents: Sequence[int], top: int) -> list[int]:
    tops: list[int] = []
    for parent in parents:
        above = parts[parent]
        tops.append(top if parent < 0 else tops[parent] + above.text_height + above.box_height)
    return tops


def _spot(part: Part, x: int, y: int) -> Spot:
    top = y + part.text_height
    return Spot(x, y, x - part.stem, top, top + part.box_height)
