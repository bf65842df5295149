"""Fewer rows: folds long ways, and chooses what to keep when not everything fits. Works on twigs in place.

Whatever is folded or left out is counted by the twig that stands for it. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from ..radix.snapshots import State
from .twigs import RowKind, Twig, in_order, walk


def fold_runs(tree: Twig, least: int, ends: int, foldable: Callable[[Twig], bool]) -> None:
    """Replaces runs of equal twigs with one child each by one twig, except for `ends` twigs at both ends of a run."""
    stack = [tree]
    while stack:
        twig = stack.pop()
        for place, child in enumerate(twig.children):
            run = _run(child, foldable)
            folded = run[ends : len(run) - ends]
            if sum(one.nodes for one in folded) < least or len(folded) < 2:
                stack.append(run[-1] if run else child)
                continue
            fold = _folded(folded)
            if ends:
                run[ends - 1].children = [fold]
            else:
                twig.children[place] = fold
            stack.append(run[-1])


def _run(first: Twig, foldable: Callable[[Twig], bool]) -> list[Twig]:
    """Returns the twigs from this one down that may become one row."""
    run: list[Twig] = []
    twig = first
    while (
        len(twig.children) == 1
        and (twig.state, twig.locks, twig.context) == (first.state, first.locks, first.context)
        and twig.walked in (0, twig.tokens)
        and not twig.uncached
        and foldable(twig)
    ):
        run.append(twig)
        twig = twig.children[0]
    return run


def _folded(run: Sequence[Twig], where: str = "") -> Twig:
    """Returns the one twig for several in a line, from the top down; it has the last one's children."""
    states = {twig.state for twig in run}
    fold = Twig(RowKind.FOLD, None, b"", run[0].rank, states.pop() if len(states) == 1 else State.RESIDENT)
    fold.nodes = sum(twig.nodes for twig in run)
    fold.tokens = sum(twig.tokens for twig in run)
    fold.walked = sum(twig.walked for twig in run)
    fold.locks = min(twig.locks for twig in run)
    fold.context = all(twig.context for twig in run)
    fold.note = f"{fold.nodes} nodes{where}"
    fold.children = run[-1].children
    return fold


_IMPORTANCE = (State.NEW, State.EVICTED, State.REUSED, State.RESIDENT)


def choose(trees: Sequence[Twig], room: int) -> Twig | None:
    """Keeps the most important twigs that fit with all above them; returns the row for what is left out."""
    above, home = {}, {}
    for tree in trees:
        for twig in (tree, *walk([tree])):
            for child in twig.children:
                above[id(child)], home[id(child)] = twig, id(tree)
    every = [twig for tree in trees for twig in in_order(tree)]
    wanted = sorted((twig for twig in every if not twig.context), key=lambda twig: _IMPORTANCE.index(twig.state))
    way = _way(wanted[0], above, {}, len(every))
    kept = {} if len(way) > room >= 2 else _fitting(wanted, above, home, room)
    for tree in trees:
        for twig in (tree, *walk([tree])):
            twig.children = [child for child in twig.children if id(child) in kept]
    if len(way) > room >= 2:  # not even the most important one fits with all above it
        kept = _cut_above(way, above, room)
    return _rest([twig for twig in every if id(twig) not in kept])


def _fitting(wanted: Sequence[Twig], above: dict[int, Twig], home: dict[int, int], room: int) -> dict[int, Twig]:
    """Returns the twigs that fit with all above them, headings counted, in order of importance."""
    kept: dict[int, Twig] = {}
    homes: set[int] = set()
    for twig in wanted:
        way = _way(twig, above, kept, room + 1)
        tops = homes | {home[id(twig)]}
        if len(kept) + len(way) + (len(tops) if len(tops) > 1 else 0) <= room:
            kept.update((id(one), one) for one in way)
            homes = tops
    return kept


def _way(twig: Twig, above: dict[int, Twig], kept: dict[int, Twig], most: int) -> list[Twig]:
    """Returns the twig and what is above it and not kept yet, nearest first; no more than `most`."""
    way: list[Twig] = []
    while twig.nodes and id(twig) not in kept and len(way) < most:
        way.append(twig)
        twig = above[id(twig)]
    return way


def _cut_above(way: list[Twig], above: dict[int, Twig], room: int) -> dict[int, Twig]:
    """Keeps the lower end of a way (nearest first) that is longer than the room, and folds what is above it."""
    near, far = way[: room - 1], way[room - 1 :]
    for lower, upper in pairwise(near):
        upper.children = [lower]
    fold = _folded(far[::-1], " above")
    fold.children = [near[-1]]
    above[id(far[-1])].children = [fold]
    return {id(twig): twig for twig in way}


def _rest(left: Sequence[Twig]) -> Twig | None:
    """Returns the row that stands for what is left out, or None when that is nothing."""
    if not left:
        return None
    more = Twig(RowKind.MORE, None, b"", 0, State.RESIDENT)
    more.nodes = sum(twig.nodes for twig in left)
    more.tokens = sum(twig.tokens for twig in left)
    more.walked = sum(twig.walked for twig in left)
    counts = [(state, sum(twig.nodes for twig in left if twig.state is state)) for state in _IMPORTANCE]
    parts = [f"{nodes} {state.value}" for state, nodes in counts if nodes]
    more.note = f"{more.nodes} more: {', '.join(parts)}"
    return more
