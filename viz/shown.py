"""The trees that the figure and the ruler show: roots that hold anything, and what a reader folded. Twigs only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from ..radix.snapshots import Snapshot, State
from .twigs import RowKind, Twig, in_order, trees_of

STRENGTH: Final = (State.NEW, State.REUSED, State.RESIDENT, State.EVICTED)
"""Whose colour several nodes take together, the strongest first."""


def shown_trees(snapshot: Snapshot, folded: Collection[int]) -> list[Twig]:
    """Returns one tree at least; the notes of the roots are names to show, empty when there is one tree only."""
    trees = trees_of(snapshot, None)
    shown = (
        [tree for tree in trees if tree.children] or trees[:1] or [Twig(RowKind.NAMESPACE, 0, b"", 0, State.RESIDENT)]
    )
    for tree in shown:
        tree.note = "" if len(shown) == 1 else tree.note or "default"
        for twig in _folds(tree, folded):
            fold(twig)
    return shown


def fold(twig: Twig) -> None:
    """Lets a twig stand for itself and all below it that is in the tree; what went is folded away uncounted."""
    every = [twig, *(one for one in in_order(twig) if one.kind is not RowKind.TOMBSTONE)]
    twig.kind = RowKind.FOLD
    twig.nodes = len(every)
    twig.tokens = sum(one.tokens for one in every)
    twig.state = strongest(one.state for one in every)
    twig.children = []
    twig.uncached = b""
    twig.walked = twig.locks = 0


def strongest(states: Iterable[State]) -> State:
    """Returns the state that several nodes show together."""
    return min(states, key=STRENGTH.index)


def _folds(tree: Twig, folded: Collection[int]) -> list[Twig]:
    """Returns the topmost nodes that are folded and have something below them."""
    if not folded:
        return []
    found = []
    stack = list(tree.children)
    while stack:
        twig = stack.pop()
        if twig.id in folded and twig.children and twig.kind is RowKind.NODE:
            found.append(twig)
        else:
            stack.extend(twig.children)
    return found
