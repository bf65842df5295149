"""The trees of a snapshot, grown from those of the snapshot before: what did not change is not looked at again.

Settled twigs are shared between groves, so a grove costs the nodes that changed since the one before it, and their
brothers. Tombstones, and what a reader folds, change private copies of the ways that lead to them. Nothing recurses.
Knows no lanes, no text and no colours.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import ge
from typing import NamedTuple

from ..radix.snapshots import NodeView, Root, Snapshot, State, Tombstone
from .rail import finish, settle
from .twigs import RowKind, Twig, bury, by_rank, root_twig, twig_of


class Grove:
    """Every node of a snapshot as a settled twig; no tombstones, and nothing folded but chains.

    Args:
        snapshot: What to show.
        before: The grove of any other snapshot, whose twigs are used again where they fit; None: all are made.
        fold: Chains of at least this many untouched nodes become one row; 0: none.
        kept: Ids of nodes that do not, for all that.
    """

    def __init__(
        self, snapshot: Snapshot, before: Grove | None = None, fold: int = 0, kept: frozenset[int] = frozenset()
    ) -> None:
        if before is not None and before.rule != (fold, kept):
            before = None
        self.rule: tuple[int, frozenset[int]] = (fold, kept)
        self.trees: list[Twig]
        self._roots = snapshot.roots
        self.step = snapshot.step
        # What was used in one of these steps looks otherwise in the other.
        self._steps = () if before is None or before.step == self.step else (before.step, self.step)
        self._hints: _Hints = _Hints() if before is None else before._hints
        right = before is None or self._hints.owner is before
        known = {} if before is None else dict(zip(before._roots, before.trees, strict=True))
        self.trees = [self._tree(root, snapshot, known) for root in snapshot.roots]
        self._hints.owner = self if right else None

    def way(self, node: int, search: bool = True) -> list[Twig]:
        """Returns the twigs from a hidden root down to a node; none when it is not resident.

        `search` says whether to look everywhere when the hints lead nowhere.
        """
        way = self._hinted(node)
        if not way and search and self._hints.owner is not self and node in self._hints.above:
            self._hints = _Hints(self)
            for tree in self.trees:
                stack = [tree]
                while stack:
                    twig = stack.pop()
                    self._hints.above.update((child.id, twig.id) for child in twig.children)
                    stack.extend(twig.children)
            way = self._hinted(node)
        return way

    def _hinted(self, node: int) -> list[Twig]:
        above = self._hints.above
        ids: list[int | None] = [node]
        while ids[-1] in above and len(ids) <= len(above):
            ids.append(above[ids[-1]])
        way = [tree for tree in self.trees if tree.id == ids[-1]][:1]
        for step in reversed(ids[:-1]):
            index = index_of(way[-1].children, step) if way else None
            if index is None:
                return []
            way.append(way[-1].children[index])
        return way

    # -- growing -------------------------------------------------------------------------------------------------------

    def _tree(self, root: Root, snapshot: Snapshot, known: Mapping[Root, Twig]) -> Twig:
        steps, above = self._steps, self._hints.above
        old = known.get(root)
        if old is not None and old.most.touched not in steps:
            return old
        old = next((tree for tree in known.values() if tree.id == root.node.id), None)
        tree = root_twig(root.node.id, root.namespace)
        fresh = [tree]  # parents before their children
        stack: list[tuple[Twig, NodeView, Twig | None, _Known]] = [(tree, root.node, old, {})]
        while stack:
            twig, view, old, around = stack.pop()
            # A new node that was split off has below it what stood around it.
            among = around if old is None else {child.id: child for child in old.children}
            for child in view.children:
                was = among.get(child.id)
                if was is None or was.node is not child or (steps and was.most.touched in steps):
                    new = twig_of(child, snapshot)
                    twig.children.append(new)
                    fresh.append(new)
                    if child.children:
                        stack.append((new, child, was, among))
                    above[child.id] = twig.id
                else:
                    twig.children.append(was)
                    if old is None:
                        above[child.id] = twig.id
            ranks = [child.rank for child in twig.children]
            if any(map(ge, ranks, ranks[1:])):
                twig.children.sort(key=by_rank)
        for twig in reversed(fresh):
            finish(twig, *self.rule)
        return tree


_Known = dict[int | None, Twig]


class _Hints:
    """What stands above each node: twigs cannot know, because several trees share them.

    Right for the owner, which is the last grove of those that share it; the others find out when it is wrong for them.
    """

    def __init__(self, owner: Grove | None = None) -> None:
        self.above: dict[int | None, int | None] = {}
        self.owner = owner


def index_of(twigs: Sequence[Twig], node: int | None) -> int | None:
    """Returns where a twig stands among its brothers, the last of which may be out of order."""
    last = len(twigs) - 1
    if last < 0 or node is None:
        return None
    if twigs[last].id == node:
        return last
    at = bisect_left(twigs, (node, node), hi=last, key=by_rank)  # heads of splits have a rank that is not their id
    if at < last and twigs[at].id == node:
        return at
    return next((index for index, twig in enumerate(twigs) if twig.id == node), None)


# -- what changes private copies ---------------------------------------------------------------------------------------


class Tended(NamedTuple):
    """Trees as they are drawn."""

    trees: list[Twig]
    graves: dict[int, int]  # what each tombstone hangs below, by id


def tend(grove: Grove, stones: Sequence[Tombstone], folded: Collection[int]) -> Tended:
    """Adds tombstones, and folds what is below the nodes with these ids."""
    if not stones and not folded:
        return Tended(grove.trees, {})
    copies = _Copies(grove)
    if stones:
        copies.own(grove.trees[:1])  # where those go whose place is lost
    parents = bury(stones, copies.trees, copies.finder({stone.node for stone in stones}))
    graves: dict[int, int] = {}
    for stone, parent in zip(stones, parents, strict=True):
        if parent.id is not None and parent.id != stone.node:
            graves.setdefault(stone.node, parent.id)
    copies.settle()
    for node in folded:
        twig = copies.own(grove.way(node))
        if twig is not None and twig.children and twig.kind is RowKind.NODE:
            _close(twig, grove.step)
    copies.settle()
    return Tended(copies.trees, graves)


def _close(twig: Twig, step: int) -> None:
    """Lets a twig stand for itself and all below it; it is new if anything of that is."""
    stack = [twig]
    while stack and twig.state is not State.NEW:
        below = stack.pop()
        twig.state = State.NEW if below.state is State.NEW else twig.state
        stack.extend(child for child in below.children if child.most.touched == step)
    twig.kind = RowKind.FOLD
    twig.nodes, twig.tokens = twig.weight, twig.size
    twig.note = f"{twig.nodes} nodes"
    twig.children = []
    twig.node = None
    twig.uncached = b""


class _Copies:
    """Trees of a grove that may be changed, copied as far as they are."""

    def __init__(self, grove: Grove) -> None:
        self._grove = grove
        self._own: set[int] = set()  # ids of Python objects, which the trees keep alive
        self.trees = list(grove.trees)

    def own(self, way: Sequence[Twig]) -> Twig | None:
        """Returns a copy of the last twig of a way, None when it is folded away or there is none."""
        twigs, twig = self.trees, None
        for step in way:
            index = index_of(twigs, step.id)
            if index is None:
                return None
            twig = twigs[index]
            if id(twig) not in self._own:
                twig = twigs[index] = twig.copy()
                self._own.add(id(twig))
            twig.order = None
            twigs = twig.children
        return twig

    def finder(self, gone: Collection[int]) -> Callable[[int], Twig | None]:
        """Returns what finds the copy of a node; those that are gone are not searched for everywhere."""
        return lambda node: self.own(self._grove.way(node, search=node not in gone))

    def settle(self) -> None:
        """Settles what was changed."""
        for tree in self.trees:
            if tree.order is None:
                settle(tree, *self._grove.rule)
