"""Where the parts of a node-link diagram go: the pure placement, in whole numbers of any unit.

A node is a box under the text of its edge: the edge comes down as a *stem*, its text stands to the right of it, and
the box hangs at its end. As in the figure of the RadixAttention paper, the first child stands straight below its
parent; the others hang on a connector that leaves the parent's box at its right side (the *tie*).

**What stays where it is.** Heights depend on the way from the root to a node alone, so nothing beside that way moves
it up or down. Sideways, a node that has a place keeps it. Below a node without children a column is kept free, where
its first child will stand, and its child, and so on; the head of a split stands where its tail did. So a tree that
grows down or is split moves nothing sideways. A new branch goes to the right of its siblings; what is in its way is
pushed to the right with all that hangs on it, no further than it must. Nothing is ever pushed to the left, and a place
that became free stays free.

Knows no text, no colours and no nodes: parts have numbers. Costs time in proportion to the nodes; nothing recurses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
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
    column: int = 0  # room kept below it, to the right of its stem, for children to come; 0: none will


class Spot(NamedTuple):
    """Where a part stands."""

    x: int  # of its stem
    y: int  # of its text
    left: int  # of its box
    top: int  # of its box
    bottom: int  # first row below the box


class _Side:
    """One side of a subtree, from its top down: how far out it reaches, as (end, x) with rising ends."""

    __slots__ = ("moved", "steps")

    def __init__(self, y: int, *steps: tuple[int, int]) -> None:
        self.steps: deque[tuple[int, int]] = deque()
        for end, x in steps:
            if end > y:
                self.steps.append((end, x))
                y = end
        self.moved = 0  # to be added to every x

    def above(self, lower: _Side) -> _Side:
        """Returns this side, and below its end the other one; both are used up. Costs the length of this one."""
        if lower.steps[-1][0] <= self.steps[-1][0]:
            return self
        while lower.steps[0][0] <= self.steps[-1][0]:
            lower.steps.popleft()
        by = self.moved - lower.moved
        lower.steps.extendleft((end, x + by) for end, x in reversed(self.steps))
        return lower

    def past(self, right: _Side) -> int:
        """Returns how far this right side reaches over a left side that begins at the same height."""
        ours, theirs = iter(self.steps), iter(right.steps)
        (end, x), (other_end, other_x) = next(ours), next(theirs)
        most = x - other_x
        while True:
            if end <= other_end:
                step = next(ours, None)
                if end == other_end:
                    other_end, other_x = next(theirs, (0, 0))
                if step is None or not other_end:
                    break
                end, x = step
            else:
                other = next(theirs, None)
                if other is None:
                    break
                other_end, other_x = other
            most = max(most, x - other_x)
        return most + self.moved - right.moved


class _Tree(NamedTuple):
    """A subtree that is placed in itself."""

    x: int  # of its stem
    fixed: bool  # whether that is a place it had before
    left: _Side
    right: _Side


def spots(
    parts: Sequence[Part],
    parents: Sequence[int],
    *,
    margin: int,
    gap: int,
    indent: int,
    apart: int,
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
        kept: The x that each part's stem had before; None for new parts.
    """
    tops = _tops(parts, parents)
    below: list[list[int]] = [[] for _ in parts]
    roots: list[int] = []
    for number, parent in enumerate(parents):
        (roots if parent < 0 else below[parent]).append(number)
    places = [0] * len(parts)
    shifts = [0] * len(parts)  # of whole subtrees, on top of `places`
    trees: dict[int, _Tree] = {}
    for number in range(len(parts) - 1, -1, -1):  # children come before their parents
        part, children = parts[number], [trees.pop(child) for child in below[number]]
        kept_x = kept[number] if kept is not None else None
        if kept_x is None:  # the head of a split takes the place of its tail
            kept_x = next((child.x for child in children if child.fixed), None)
        x = places[number] = kept_x or 0
        out = x - part.stem + part.box_width
        moves, left, right = _row(children, x, out + 1, gap)
        for child, move in zip(below[number], moves, strict=True):
            shifts[child] = move
        reach = max([out, *(tree.x + move + 1 for tree, move in zip(children, moves, strict=True))])
        sides = _sides(part, tops[number], x, reach, indent)
        if left is not None and right is not None:
            sides = sides[0].above(left), sides[1].above(right)
        if part.column:
            sides = sides[0].above(_Side(0, (_DEEP, x - part.stem))), sides[1].above(_Side(0, (_DEEP, x + part.column)))
        trees[number] = _Tree(x, kept_x is not None, *sides)
    for root, move in zip(roots, _row([trees[root] for root in roots], margin, margin, apart)[0], strict=True):
        shifts[root] = move
    return _settled(parts, parents, tops, places, shifts)


def _row(trees: Sequence[_Tree], straight: int, least: int, gap: int) -> tuple[list[int], _Side | None, _Side | None]:
    """Sets trees beside each other; returns how far each moves, and both sides of all of them.

    Args:
        trees: From left to right.
        straight: Where the first tree goes when it had no place before: straight below its parent.
        least: The least x of all others.
        gap: Room between them.
    """
    moves: list[int] = []
    left: _Side | None = None
    right: _Side | None = None
    for x, fixed, own_left, own_right in trees:
        if right is None:
            wanted = straight if x <= straight or not fixed else max(x, least)
        else:
            wanted = max(x, least, x + right.past(own_left) + gap)
        moves.append(wanted - x)
        own_left.moved += wanted - x
        own_right.moved += wanted - x
        left = own_left if left is None else left.above(own_left)
        right = own_right if right is None else own_right.above(right)
    return moves, left, right


def _sides(part: Part, y: int, x: int, reach: int, indent: int) -> tuple[_Side, _Side]:
    """Returns both sides of a part alone; `reach` is where its box and the connector to its children end."""
    top, box = y + part.text_height, x - part.stem
    bottom = top + part.box_height
    text = x + (indent + part.text_width if part.text_width else 1)
    return (
        _Side(y, (top, x), (bottom, box)),
        _Side(y, (top, text), (top + part.tie, box + part.box_width), (bottom, reach)),
    )


def _settled(
    parts: Sequence[Part], parents: Sequence[int], tops: Sequence[int], places: Sequence[int], shifts: list[int]
) -> list[Spot]:
    """Adds up the moves of all subtrees a part belongs to."""
    for number, parent in enumerate(parents):
        if parent >= 0:
            shifts[number] += shifts[parent]
    return [
        Spot(x, y, x - part.stem, y + part.text_height, y + part.text_height + part.box_height)
        for x, y, part in zip(map(add, places, shifts), tops, parts, strict=True)
    ]


def _tops(parts: Sequence[Part], parents: Sequence[int]) -> list[int]:
    tops: list[int] = []
    for parent in parents:
        above = parts[parent]
        tops.append(0 if parent < 0 else tops[parent] + above.text_height + above.box_height)
    return tops
