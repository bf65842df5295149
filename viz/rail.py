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

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from ..radix.keys import Key
from ..radix.snapshots import Snapshot, State
from .fewer import choose, fold_runs
from .states import Attribute
from .twigs import RowKind as RowKind
from .twigs import Twig, changed, headings, height, trees_of, walk

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
    node: int | None  # id; None for what is no single node
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
    if fold:
        for tree in trees:
            fold_runs(tree, max(fold, 2), 0, lambda twig: twig.state is State.RESIDENT)
    return _lay_out(snapshot, trees, bytes_per_token)


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
    return rows if more is None else [*rows, _row(more, (), 0, snapshot, bytes_per_token)]


def _lay_out(snapshot: Snapshot, trees: Sequence[Twig], bytes_per_token: int | None) -> list[Row]:
    rows = []
    named = headings(trees) > 0
    for tree in trees:
        if not tree.children:
            continue
        _weigh(tree)
        if named:
            rows.append(_row(tree, (), 0, snapshot, bytes_per_token))
        stack = _below(tree, (), 0)
        while stack:
            twig, rail, inner, depth = stack.pop()
            rows.append(_row(twig, rail, depth, snapshot, bytes_per_token))
            if twig.children:
                stack.extend(_below(twig, inner, depth + twig.nodes))
    return rows


def _weigh(tree: Twig) -> None:
    """Fills in the nodes of every subtree."""
    every = [tree, *walk([tree])]
    for twig in reversed(every):  # children come after their parents
        twig.weight = twig.nodes + sum(child.weight for child in twig.children)


_Place = tuple[Twig, tuple[Lane, ...], tuple[Lane, ...], int]  # twig, its rail, the rail of what is below it, depth


def _below(parent: Twig, rail: tuple[Lane, ...], depth: int) -> list[_Place]:
    """Places the children of a twig; the topmost comes last, as a stack wants it."""
    if len(parent.children) == 1:
        return [(parent.children[0], rail, rail, depth)]
    trunk = _trunk(parent.children)
    places: list[_Place] = [(trunk, rail, rail, depth)]
    living = trunk.state is not State.EVICTED
    for child in reversed(parent.children):
        if child is trunk:
            continue
        dead = child.state is State.EVICTED
        line = Lane.PASS if living else Lane.PASS_DASHED
        places.append((child, (*rail, Lane.FORK_DASHED if dead else Lane.FORK), (*rail, line), depth))
        living = living or not dead
    if parent.kind is RowKind.NAMESPACE:
        child, _, inner, _ = places[-1]
        first = Lane.FIRST_DASHED if child.state is State.EVICTED else Lane.FIRST
        places[-1] = (child, (*rail, first), inner, depth)
    return places


def _trunk(children: Sequence[Twig]) -> Twig:
    """Returns the child that keeps the lane; see the rule at the top."""
    trunk = children[0]
    for child in children[1:]:
        if child.weight >= TRUNK_FACTOR * trunk.weight:
            trunk = child
    return trunk


def _row(twig: Twig, rail: tuple[Lane, ...], depth: int, snapshot: Snapshot, bytes_per_token: int | None) -> Row:
    node = twig.node
    return Row(
        kind=twig.kind,
        node=twig.id,
        rail=rail,
        depth=depth,
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
