"""Snapshots and the state behind them: sharing, equality, replay, and trees as deep as a long conversation."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from radixchat.radix import NodeView, RadixCache, Snapshot, TreeState

from .helpers import node_ending, path_tokens

DEPTH = 3000


@contextmanager
def little_stack() -> Iterator[None]:
    """Leaves room for a few dozen calls, whatever ran before."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 60)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def chain(depth: int) -> RadixCache:
    """A tree of one branch with a node per token."""
    cache = RadixCache(depth + 10)
    node = cache.insert(range(depth))[1]
    for _ in range(depth - 1):
        cache.split(node, 1)
    return cache


def views(snapshot: Snapshot) -> dict[int, NodeView]:
    return {node.id: node for node in snapshot.nodes()}


def test_nothing_recurses() -> None:
    """A chain of three thousand nodes is matched, locked, frozen, compared, thawed and evicted on a small stack."""
    cache = chain(DEPTH)
    events = cache.take_events()
    leaf = node_ending_chain(cache)
    with little_stack():
        assert cache.match(range(DEPTH))[0] == DEPTH
        cache.lock(leaf)
        cache.check_integrity()
        snapshot = cache.snapshot()
        assert snapshot.protected == DEPTH
        assert len(list(snapshot.nodes())) == len(snapshot.path(leaf)) == DEPTH
        assert snapshot.find(leaf) is not None
        state = TreeState(cache.config)
        for event in [*events, *cache.take_events()]:
            state.apply(event)
        assert state.freeze() == snapshot
        assert TreeState.thaw(cache.config, snapshot).freeze() == snapshot
        assert cache.peek(range(DEPTH)).matched == DEPTH
        cache.unlock(leaf)
        lease = cache.begin([*range(DEPTH), 7777])
        cache.extend(lease, 1)
        cache.commit(lease, [7777])
        cache.finish(cache.fork(lease))
        cache.finish(lease)
        assert len(cache.evict(DEPTH + 1)) == DEPTH + 1


def node_ending_chain(cache: RadixCache) -> int:
    """The id of the last node of a chain."""
    (root,) = cache.snapshot().roots
    node = root.node
    while node.children:
        (node,) = node.children
    return node.id


def test_a_snapshot_never_changes() -> None:
    """Splits, growth, locks and evictions afterwards leave what was taken before."""
    cache = RadixCache(10)
    cache.insert([1, 2, 3, 4])
    before = cache.snapshot()
    facts = [node.facts() for node in before.nodes()]
    cache.insert([1, 2, 5])
    cache.lock(node_ending(cache, 1, 2, 5).id)
    cache.evict(10)
    assert [node.facts() for node in before.nodes()] == facts
    assert before != cache.snapshot()


def test_unchanged_subtrees_are_shared() -> None:
    """Only the nodes on the changed path are new objects."""
    cache = RadixCache(40)
    for key in ([1, 2, 3], [1, 2, 4], [5, 6], [5, 7]):
        cache.insert(key)
    before = cache.snapshot()
    assert cache.snapshot().roots[0].node is before.roots[0].node
    cache.match([5, 6])
    after = cache.snapshot()
    old, new = views(before), views(after)
    changed = {path_tokens(after, id) for id in new if new[id] is not old[id]}
    assert changed == {(5,), (5, 6)}


def test_snapshots_are_compared_by_what_they_hold() -> None:
    """Two caches with the same history are equal; any difference shows; other things are not equal to any."""
    one, two = RadixCache(20), RadixCache(20)
    for cache in (one, two):
        cache.insert([1, 2, 3])
        cache.insert([1, 4])
    assert one.snapshot() == two.snapshot()
    two.lock(node_ending(two, 1, 4).id)
    assert one.snapshot() != two.snapshot()
    two.unlock(node_ending(two, 1, 4).id)
    assert one.snapshot() == two.snapshot()
    two.begin([9], "other")
    assert one.snapshot() != two.snapshot()
    assert one.snapshot() != "a snapshot"


def test_snapshots_cannot_be_hashed() -> None:
    """They are equal by content, and that is too big to hash."""
    with pytest.raises(TypeError):
        hash(RadixCache(10).snapshot())


def test_nodes_come_parents_first_and_siblings_in_order() -> None:
    """The order of a picture, top to bottom."""
    cache = RadixCache(40)
    for key in ([5, 6], [1, 2, 3], [1, 2, 4], [5, 7, 8]):
        cache.insert(key)
    snapshot = cache.snapshot()
    paths = [path_tokens(snapshot, node.id) for node in snapshot.nodes()]
    assert paths == [(5,), (5, 6), (5, 7, 8), (1, 2), (1, 2, 3), (1, 2, 4)]


def test_path_and_find_know_every_namespace() -> None:
    """Ids are unique in a cache, whatever root a node hangs from."""
    cache = RadixCache(40)
    cache.insert([1, 2])
    node = cache.insert([1, 2], "other")[1]
    snapshot = cache.snapshot()
    found = snapshot.find(node)
    assert found is not None
    assert found.tokens.tolist() == [1, 2]
    assert [step.id for step in snapshot.path(node)] == [node]
    assert snapshot.find(99) is None
    assert snapshot.path(99) == ()


def test_a_replay_shows_the_next_victim_after_every_event() -> None:
    """Also between the events of one request, where no caller of the cache ever looks."""
    cache = RadixCache(20)
    for key in ([1, 2], [3], [1, 4], [5]):
        cache.insert(key)
    cache.match([3])
    adopting = cache.begin([5, 6])
    cache.insert([5, 7])
    cache.extend(adopting, 1)
    cache.commit(adopting, [6])
    early, late = cache.begin([8]), cache.begin([8, 9])
    cache.extend(early, 1)
    cache.extend(late, 2)
    cache.evict(20)
    cache.commit(early, [8])
    cache.finish(early)
    cache.commit(late, [8, 9])  # adopts a leaf that nobody holds, and hangs its own below
    cache.finish(adopting)
    cache.finish(late)
    cache.evict(1)
    state = TreeState(cache.config)
    for event in cache.take_events():
        state.apply(event)
        snapshot = state.freeze()
        leaves = [node for node in snapshot.nodes() if not node.children and not node.locks]
        oldest = min(leaves, key=lambda node: (node.last, node.id), default=None)
        assert snapshot.next_victim == (None if oldest is None else oldest.id), event


def test_a_thawed_state_goes_on_like_the_one_that_was_frozen() -> None:
    """From a keyframe in the middle the same events lead to the same end."""
    cache = RadixCache(12)
    cache.new_step()
    for key in ([1, 2, 3, 4], [1, 2, 5], [6, 7]):
        cache.insert(key)
    held = cache.begin([1, 2, 3, 8])
    cache.extend(held, 1)
    cache.take_events()
    state = TreeState.thaw(cache.config, cache.snapshot())
    cache.commit(held, [8])
    cache.new_step()
    cache.insert([9, 9, 9, 9, 9], "other")
    cache.finish(held, uncached=[4])
    for event in cache.take_events():
        state.apply(event)
    assert state.freeze() == cache.snapshot()
