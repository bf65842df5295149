"""The rail outline: one row per node, laid out from a snapshot alone. A pure layout; it draws nothing.

Indentation is spent on branching, not on depth: one child goes straight on in its parent's lane, the others open a lane
to the right, so a chat of forty turns takes one lane.

**The rule of order.** Children stand in the order of their ranks, except that one of them, the *trunk*, comes last and
keeps the lane: the oldest, unless a younger one's subtree has at least twice the nodes of the trunk found so far.
Tombstones count. So uses, locks and ticks move nothing; a split inserts rows and moves nothing sideways, because the
tail is its head's oldest child; the step that evicts moves nothing; and less than two thirds of the nodes of a subtree
lie in any lane that leaves its trunk, which bounds the lanes by the logarithm of the nodes. The trees below a hidden
root follow the same rule.

Knows no text (rows carry token keys), no colours and no widths. Nothing recurses: a long conversation is a deep chain.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from typing import NamedTuple

from ..radix.keys import Key
from ..radix.snapshots import Snapshot, State
from .fewer import choose, fold_runs
from .states import Attribute
from .twigs import Most, Twig, changed, headings, height, trees_of
from .twigs import RowKind as RowKind

TRUNK_FACTOR = 2
"""How many times the nodes of the older child a younger one needs to take its place as the trunk."""


class Lane(Enum):
    """What crosses one lane of a row; each takes two cells."""

    PASS = "pass"  # the line to children further down
    PASS_DASHED = "pass dashed"  # the same when all of them are tombstones
    FORK = "fork"  # this row's node branches off here
    FORK_DASHED = "fork dashed"  # this row's tombstone branches off here
    FIRST = "first"  # the same below a hidden root, where no line comes from above
    FIRST_DASHED = "first dashed"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the outline."""

    kind: RowKind
    node: int | None  # id; of a fold: of the topmost node in it; None for what stands for no node
    rail: tuple[Lane, ...]  # from the left; the row's own sign comes after them
    depth: int  # nodes above this one, folded ones included
    state: State
    key: Key  # tokens of the edge: the source of the label
    tokens: int  # of the node, or of all that the row stands for
    walked: int  # tokens reused in this step: all, or the beginning that a match inside the node walked
    bytes: int | None  # memory of `tokens`; None when the bytes per token are not known
    locks: int  # holders that protect it
    last: int | None  # tick of its last use; None for what is no single resident node
    age: int | None  # ticks since then
    next_victim: bool  # it would go if space were needed now
    uncached: Key = b""  # tokens sampled after it that have no KV yet
    nodes: int = 1  # how many nodes the row stands for
    note: str = ""  # for rows without a key: the namespace's name (as it came), or what was folded or left out
    context: bool = False  # shown only because of what hangs below it
    why: str = ""  # of a tombstone: why it went
    letter: str = ""  # what a panel calls it besides its id; safe to print

    @property
    def attribute(self) -> Attribute:
        """The fact shown beside the state."""
        if self.locks:
            return Attribute.LOCKED
        return Attribute.NEXT_VICTIM if self.next_victim else Attribute.NONE


def rail_rows(snapshot: Snapshot, *, bytes_per_token: int | None = None, fold: int = 0) -> list[Row]:
    """Lays out a whole tree: one row per node and per tombstone, and headings when several namespaces hold any.

    Args:
        snapshot: The state to draw.
        bytes_per_token: Memory of one token across all layers.
        fold: Shows chains of at least this many untouched nodes with one child each as one row; 0 folds nothing.

    Returns:
        Rows from top to bottom; equal for equal snapshots.
    """
    trees = trees_of(snapshot, None)
    return _lay_out(snapshot, trees, bytes_per_token, fold)


def changed_rows(
    snapshot: Snapshot, *, limit: int = 12, bytes_per_token: int | None = None, also: Collection[int] = ()
) -> list[Row]:
    """Lays out what matters after a turn: new, reused and evicted nodes, and the way to them.

    Long ways are folded first; if that does not do, new nodes are kept before evicted and reused ones, and the last
    row says what was left out. `nodes` and `tokens` of the rows always add up to those of everything that matters.

    Args:
        snapshot: The state to draw.
        limit: The most rows to return, headings and folds included; at least 1.
        bytes_per_token: Memory of one token across all layers.
        also: Ids of more nodes to show, such as the tails of the step's splits.

    Returns:
        Rows from top to bottom, none when nothing happened.
    """
    trees = trees_of(snapshot, changed(snapshot, also))
    for ends in (1, 0):
        if height(trees) <= limit:
            break
        for tree in trees:
            fold_runs(tree, 2, ends, lambda twig: twig.state is not State.NEW and twig.id not in also)
    more = choose(trees, max(limit, 1) - 1) if height(trees) > limit else None
    rows = _lay_out(snapshot, trees, bytes_per_token)
    return rows if more is None else [*rows, row_of(Spot(more, (), 0), snapshot, bytes_per_token)]


def _lay_out(snapshot: Snapshot, trees: Sequence[Twig], bytes_per_token: int | None, fold: int = 0) -> list[Row]:
    for tree in trees:
        settle(tree, fold)
    return [row_of(spot, snapshot, bytes_per_token) for spot in spots(trees)]


def row_of(spot: Spot, snapshot: Snapshot, bytes_per_token: int | None) -> Row:
    """Returns the row of a place in the outline."""
    twig, node = spot.twig, spot.twig.node
    return Row(
        kind=twig.kind,
        node=twig.id,
        rail=spot.rail,
        depth=spot.depth,
        state=twig.state,
        key=twig.key,
        tokens=twig.tokens,
        walked=twig.walked,
        bytes=None if bytes_per_token is None else twig.tokens * bytes_per_token,
        locks=twig.locks,
        last=None if node is None else node.last,
        age=None if node is None else snapshot.tick - node.last,
        next_victim=node is not None and twig.id == snapshot.next_victim,
        uncached=twig.uncached,
        nodes=twig.nodes,
        note=twig.note,
        context=twig.context,
        why=twig.why,
    )


# -- places ------------------------------------------------------------------------------------------------------------


class Spot(NamedTuple):
    """A twig at its place in the outline."""

    twig: Twig
    rail: tuple[Lane, ...]
    depth: int  # nodes above it


def spots(trees: Sequence[Twig], start: int = 0) -> Iterator[Spot]:
    """Yields what stands on each line from `start` on; costs the depth of the first and then each one taken."""
    named = headings(trees) > 0
    for tree in trees:
        if not tree.children:
            continue
        if start >= tree.starts[-1] + named:
            start -= tree.starts[-1] + named
            continue
        if named and start == 0:
            yield Spot(tree, (), 0)
        yield from _below(tree, max(start - named, 0))
        start = 0


def _below(tree: Twig, start: int) -> Iterator[Spot]:
    twig, index, rail, depth = tree, bisect_right(tree.starts, start) - 1, _TOP, 0
    above = [(twig, index, rail, depth)]  # of whom the children from `index` on are still to come
    while start := start - twig.starts[index]:  # lines to go down from the first of this child
        start -= 1
        above[-1] = (twig, index + 1, rail, depth)
        (twig, _, depth), rail = _place(twig, index, rail, depth)
        depth += twig.nodes
        index = bisect_right(twig.starts, start) - 1
        above.append((twig, index, rail, depth))
    while above:
        twig, index, rail, depth = above.pop()
        if index == len(twig.order or ()):
            continue
        above.append((twig, index + 1, rail, depth))
        spot, below = _place(twig, index, rail, depth)
        yield spot
        if spot.twig.order:
            above.append((spot.twig, 0, below, depth + spot.twig.nodes))


_TOP: tuple[Lane, ...] = ()


def _place(parent: Twig, index: int, rail: tuple[Lane, ...], depth: int) -> tuple[Spot, tuple[Lane, ...]]:
    """Places what is drawn as number `index` below a twig; also returns the rail of what is below that in turn."""
    order = parent.order
    assert order is not None, "places are known in settled trees"
    twig = order[index]
    if index == len(order) - 1:
        return Spot(twig, rail, depth), rail
    dead = twig.state is State.EVICTED
    fork = Lane.FORK_DASHED if dead else Lane.FORK
    if index == 0 and parent.kind is RowKind.NAMESPACE:
        fork = Lane.FIRST_DASHED if dead else Lane.FIRST
    line = Lane.PASS if parent.living > index else Lane.PASS_DASHED
    return Spot(twig, (*rail, fork), depth), (*rail, line)


# -- order -------------------------------------------------------------------------------------------------------------


def settle(tree: Twig, fold: int = 0, kept: Collection[int] = ()) -> None:
    """Fills in what twigs know of what is below them, wherever that is not known yet; always for the tree itself.

    Args:
        tree: The root.
        fold: As in `rail_rows`.
        kept: Ids of nodes that are not folded for all that.
    """
    todo = [tree]
    for twig in todo:  # which grows meanwhile
        todo.extend([child for child in twig.children if child.order is None])
    for twig in reversed(todo):
        finish(twig, fold, kept)


def finish(twig: Twig, fold: int = 0, kept: Collection[int] = ()) -> None:
    """Settles one twig; its children are."""
    drawn: Sequence[Twig] = twig.children
    if fold:
        _run(twig, kept)
        if twig.run < 2:  # inside a run nothing is folded: the run is
            least = max(fold, 2)
            drawn = [_folded(child) if child.run >= least else child for child in drawn]
    if len(drawn) > 1:
        trunk = _trunk(drawn)
        if trunk is not drawn[-1]:
            drawn = [child for child in drawn if child is not trunk]
            drawn.append(trunk)
    twig.order = drawn
    twig.starts = (0, *accumulate([child.lines for child in drawn]))
    twig.living = len(drawn) - 1
    while twig.living >= 0 and drawn[twig.living].state is State.EVICTED:
        twig.living -= 1
    _measure(twig)


def _trunk(children: Sequence[Twig]) -> Twig:
    """Returns the child that keeps the lane; see the rule at the top."""
    trunk = children[0]
    weights = [child.weight for child in children]
    if max(weights) >= TRUNK_FACTOR * weights[0]:
        for child, weight in zip(children, weights, strict=True):
            if weight >= TRUNK_FACTOR * trunk.weight:
                trunk = child
    return trunk


def _measure(twig: Twig) -> None:
    """Adds up what the twig and all below it come to."""
    drawn, node = twig.order or (), twig.node
    twig.lines = 1 + twig.starts[-1]
    if node is None:
        single = twig.tokens if twig.kind is RowKind.TOMBSTONE else 0
        own = Most(tokens=twig.tokens, single=single, locks=twig.locks)
    else:
        walked = len(f"{twig.walked:,}/{twig.tokens:,}") if 0 < twig.walked < twig.tokens else 0
        touched = max(node.new_in, node.used_in, node.part_in)
        own = Most(touched, twig.tokens, twig.tokens, twig.locks, -node.last, walked)
    twig.weight = twig.nodes + sum([child.weight for child in drawn])
    twig.size = twig.tokens + sum([child.size for child in drawn])
    twig.most = Most._make(map(max, own, *[child.most for child in drawn])) if drawn else own


def _run(twig: Twig, kept: Collection[int]) -> None:
    """Finds out how far down from a twig untouched nodes go with one child each and the same locks."""
    twig.run, twig.end = 0, twig
    if (
        twig.kind is not RowKind.NODE
        or twig.state is not State.RESIDENT
        or len(twig.children) != 1
        or twig.uncached
        or twig.id in kept
    ):
        return
    child = twig.children[0]
    if child.run and child.locks == twig.locks:
        twig.run, twig.end = child.run + 1, child.end
    else:
        twig.run = 1


def _folded(first: Twig) -> Twig:
    """Returns the one twig for the run that begins with this one; it has the last one's children."""
    fold = Twig(RowKind.FOLD, first.id, b"", first.rank, first.state)
    fold.nodes = first.run
    fold.locks = first.locks
    fold.note = f"{fold.nodes} nodes"
    below = first.end.order or ()
    fold.tokens = first.size - sum(child.size for child in below)
    fold.order, fold.starts, fold.living = below, first.end.starts, first.end.living
    _measure(fold)
    fold.most = fold.most._replace(touched=first.most.touched)
    return fold
