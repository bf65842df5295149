"""The veil: a snapshot without what would answer an open question about what goes next.

A question may ask which node goes, or how much of the pool could; so while it is open no view may show the next victim,
nor how long ago and how often nodes were used. States of the step, locks and the shape of the tree stay as they are.
What follows from locks alone (how much is protected or evictable) is left out by the views, which take `veiled` for it.
Knows snapshots; no view.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..radix.snapshots import Blocks, NodeView, Root, Snapshot

HIDDEN: Final = "hidden while a question is open"
"""What stands where facts are left out."""


def veil(snapshot: Snapshot) -> Snapshot:
    """Returns a snapshot that is silent about recency: ages, hits, priorities, earlier steps, the next victim.

    Two snapshots that differ in nothing else become equal. Costs the nodes; a veiled snapshot shares none with others.
    """
    roots = tuple(Root(root.namespace, _veiled(root.node, snapshot.step)) for root in snapshot.roots)
    blocks = None if snapshot.blocks is None else _veiled_blocks(snapshot.blocks, snapshot.step)
    return replace(snapshot, next_victim=None, roots=roots, blocks=blocks)


def _veiled_blocks(blocks: Blocks, step: int) -> Blocks:
    """Returns the same blocks, of which nobody can say in what order they would be taken."""
    views = tuple(
        view._replace(last=0, new_in=_now(view.new_in, step), used_in=_now(view.used_in, step))
        for view in blocks.blocks
    )
    return blocks._replace(blocks=views, queue=tuple(sorted(blocks.queue)), freed=())


def _veiled(top: NodeView, step: int) -> NodeView:
    """Returns a copy of a tree; nothing recurses."""
    every = [top]
    for node in every:  # which grows meanwhile
        every.extend(node.children)
    copies: dict[int, NodeView] = {}
    for node in reversed(every):
        part = node.part_in == step
        copies[id(node)] = NodeView(
            id=node.id, key=node.key, slots=node.slots, locks=node.locks, rank=node.rank, uncached=node.uncached,
            new_in=_now(node.new_in, step), used_in=_now(node.used_in, step),
            part_in=step if part else _NEVER, part_to=node.part_to if part else 0,
            children=tuple([copies[id(child)] for child in node.children]),
        )  # fmt: skip
    return copies[id(top)]


_NEVER: Final = -1  # no step has this number


def _now(of: int, step: int) -> int:
    return step if of == step else _NEVER
