"""The tree that a layout arranges: what a snapshot shows, tombstones at their places, children in order.

Twigs are copies that the steps of one layout fold and cut as they like; a snapshot is never touched. Nothing
recurses. Knows no lanes, no text and no colours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from ..radix.keys import Key, count
from ..radix.snapshots import NodeView, Snapshot, State, Tombstone


class RowKind(Enum):
    """What a row stands for."""

    NODE = "node"
    TOMBSTONE = "tombstone"  # a node, or the end of one, evicted in this step
    FOLD = "fold"  # several nodes in a line, folded
    NAMESPACE = "namespace"  # the heading of a tree
    MORE = "more"  # rows left out


class Twig:
    """A row to be, with its children. The top of each tree is a hidden root.

    From `order` on its facts are known once it is settled (see `rail.settle`); after that nobody changes it.
    """

    __slots__ = (
        "children", "context", "end", "id", "key", "kind", "lines", "living", "locks", "most", "node", "nodes", "note",
        "order", "rank", "run", "size", "starts", "state", "tokens", "uncached", "walked", "weight", "why",
    )  # fmt: skip

    def __init__(self, kind: RowKind, id: int | None, key: Key, rank: int, state: State) -> None:
        self.kind = kind
        self.id = id
        self.key = key
        self.rank = rank
        self.state = state
        self.tokens = count(key)
        self.children: list[Twig] = []  # in order of rank
        self.node: NodeView | None = None
        self.nodes = 1
        self.walked = 0
        self.locks = 0
        self.uncached: Key = b""
        self.note = ""
        self.why = ""
        self.context = False
        self.order: Sequence[Twig] | None = None  # what is drawn below, from top to bottom; None: not settled
        self.starts: Sequence[int] = (0,)  # the line of each of them, counted from the first below; then the end
        self.living = -1  # index of the last of them that is no tombstone
        self.lines = 1  # of the twig and all below
        self.weight = 0  # nodes of the twig and all below
        self.size = 0  # their tokens
        self.most = NOTHING  # what the columns must hold for the twig and all below
        self.run = 0  # twigs from this one down that may become one row
        self.end: Twig = self  # the last of them

    def copy(self) -> Twig:
        """Returns an unsettled twig with the same children; it knows weight and size of this one."""
        twin = Twig.__new__(Twig)
        for name in Twig.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.children = list(self.children)
        twin.order = None
        twin.end = twin
        return twin


class Most(NamedTuple):
    """The largest of each among several rows."""

    touched: int = 0  # step that made it or last used it
    tokens: int = 0
    single: int = 0  # tokens of a node
    locks: int = 0
    unused: int = -(2**62)  # minus the tick of the last use
    walked: int = 0  # characters of "3/12", for a node that was walked in part


NOTHING = Most()


def trees_of(snapshot: Snapshot, matters: dict[int, bool] | None) -> list[Twig]:
    """Copies what is drawn: one twig per hidden root, node and tombstone, children in order.

    `matters` names the nodes to copy, and whether each matters itself or is only on the way; None copies all.
    """
    trees = []
    homes: dict[int, Twig] = {}  # where tombstones may hang, by id
    wanted = {stone.parent for stone in snapshot.tombstones}
    for root in snapshot.roots:
        tree = root_twig(root.node.id, root.namespace)
        homes[root.node.id] = tree
        trees.append(tree)
        stack = [(root.node, tree)]
        while stack:
            view, twig = stack.pop()
            for child in view.children:
                if matters is not None and child.id not in matters:
                    continue
                below = twig_of(child, snapshot)
                below.context = matters is not None and not matters[child.id]
                twig.children.append(below)
                if child.id in wanted:
                    homes[child.id] = below
                if child.children:
                    stack.append((child, below))
            twig.children.sort(key=by_rank)
    bury(snapshot.tombstones, trees, homes.get)
    return trees


def root_twig(id: int, namespace: str) -> Twig:
    """Returns the twig of a hidden root, without children."""
    twig = Twig(RowKind.NAMESPACE, id, b"", 0, State.RESIDENT)
    twig.note = namespace
    twig.nodes = 0
    return twig


def twig_of(node: NodeView, snapshot: Snapshot) -> Twig:
    """Returns the twig of a node, without children."""
    state = snapshot.state(node)
    twig = Twig(RowKind.NODE, node.id, node.key, node.rank, state)
    twig.node = node
    twig.locks = node.locks
    twig.uncached = node.uncached
    if state is State.REUSED:
        twig.walked = twig.tokens if node.used_in == snapshot.step else min(node.part_to, twig.tokens)
    return twig


def by_rank(twig: Twig) -> tuple[int, int]:
    """Orders brothers."""
    return twig.rank, twig.id or 0


def bury(stones: Sequence[Tombstone], trees: list[Twig], home: Callable[[int], Twig | None]) -> list[Twig]:
    """Hangs each tombstone where its node hung; below the first root when that place is lost (a broken file).

    Args:
        stones: The tombstones.
        trees: Roots; one is added when there are none.
        home: Gives the twig of a node or root that is still there.

    Returns:
        What each of them hangs below.
    """
    if not stones:
        return []
    if not trees:
        trees.append(root_twig(0, ""))
    graves: list[Twig] = []
    dug: dict[int, Twig] = {}
    for stone in stones:
        twig = Twig(RowKind.TOMBSTONE, stone.node, stone.key, stone.rank, State.EVICTED)
        twig.why = stone.why
        graves.append(twig)
        if stone.node != stone.parent:  # otherwise the end of a node that stayed, or went later with its own tombstone
            dug.setdefault(stone.node, twig)
    parents = [home(stone.parent) or dug.get(stone.parent, trees[0]) for stone in stones]
    _break_circles(graves, parents, trees[0])
    for twig, parent in zip(graves, parents, strict=True):
        parent.children.append(twig)
    for parent in {id(parent): parent for parent in parents}.values():
        parent.children.sort(key=by_rank)
    return parents


def _break_circles(graves: list[Twig], parents: list[Twig], root: Twig) -> None:
    """Hangs one tombstone of each circle below the root, so that every tombstone is drawn, once."""
    number = {id(twig): n for n, twig in enumerate(graves)}
    walked_in = [-1] * len(graves)  # by which walk each was passed
    for start in range(len(graves)):
        at = start
        while walked_in[at] < 0:
            walked_in[at] = start
            above = number.get(id(parents[at]))
            if above is None:
                break
            if walked_in[above] == start:
                parents[at] = root
                break
            at = above


def changed(snapshot: Snapshot, also: Collection[int]) -> dict[int, bool]:
    """Returns what `changed_rows` shows: ids of nodes, and whether each matters itself or is only on the way."""
    above: dict[int, int] = {}
    found = dict.fromkeys(also, True)
    for root in snapshot.roots:
        stack = [root.node]
        while stack:
            node = stack.pop()
            for child in node.children:
                above[child.id] = node.id
                if snapshot.state(child) is not State.RESIDENT:
                    found[child.id] = True
                if child.children:
                    stack.append(child)
    matters = {node: True for node in found if node in above}
    for start in [*matters, *(stone.parent for stone in snapshot.tombstones)]:
        at = above[start] if start in matters else start
        while at in above and at not in matters:
            matters[at] = False
            at = above[at]
    return matters


def walk(trees: Sequence[Twig]) -> Iterator[Twig]:
    """Yields all twigs but the hidden roots, parents before children; siblings need not come in order."""
    for tree in trees:
        stack = list(tree.children)
        while stack:
            twig = stack.pop()
            yield twig
            stack.extend(twig.children)


def in_order(tree: Twig) -> Iterator[Twig]:
    """Yields all twigs below a hidden root, siblings in order of rank."""
    stack = tree.children[::-1]
    while stack:
        twig = stack.pop()
        yield twig
        stack.extend(reversed(twig.children))


def height(trees: Sequence[Twig]) -> int:
    """Returns how many rows the trees will take."""
    return sum(1 for _ in walk(trees)) + headings(trees)


def headings(trees: Sequence[Twig]) -> int:
    """Returns how many trees get a heading: none when only one holds anything."""
    filled = sum(1 for tree in trees if tree.children)
    return filled if filled > 1 else 0
