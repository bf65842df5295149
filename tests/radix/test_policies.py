"""Eviction policies: who goes first."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from radixchat.radix import CacheConfig, RadixCache, TreeState, codec
from radixchat.radix import events as ev
from radixchat.radix.policies import POLICIES, EvictionQueue

from .helpers import outline


def leaf(id: int, **facts: int) -> SimpleNamespace:
    return SimpleNamespace(
        **{"id": id, "last": 0, "created": 0, "hits": 0, "priority": 0, "end": 0, "queued": 0} | facts
    )


def used_leaves(policy: str, tie: str = "id") -> RadixCache:
    """Four leaves, 1 to 4, made in this order; then 1 is used twice and 3 once, in the order 1 3 1."""
    cache = RadixCache(40, policy=policy, tie=tie)
    for token, priority in ((1, 2), (2, 0), (3, 0), (4, 1)):
        cache.insert([token], priority=priority)
    for token in (1, 3, 1):
        cache.match([token])
    return cache


@pytest.mark.parametrize(
    ("policy", "order"),
    [
        ("lru", [2, 4, 3, 1]),
        ("lfu", [2, 4, 3, 1]),
        ("fifo", [1, 2, 3, 4]),
        ("mru", [1, 3, 4, 2]),
        ("filo", [4, 3, 2, 1]),
        ("slru", [2, 4, 3, 1]),
        ("priority", [2, 3, 4, 1]),
    ],
)
def test_each_policy_evicts_in_its_own_order(policy: str, order: list[int]) -> None:
    """The same leaves, used in the same way, go in the order that the policy's name says."""
    cache = used_leaves(policy)
    leaves = {node.id: node.tokens.tolist()[0] for node in cache.snapshot().nodes()}
    assert [leaves[gone.node] for gone in cache.evict(4)] == order


def test_lfu_spares_what_is_used_often_although_it_is_old() -> None:
    """Two early hits outweigh one late use."""
    cache = RadixCache(10, policy="lfu")
    cache.insert([1])
    cache.match([1])
    cache.match([1])
    cache.insert([2])
    cache.match([2])
    cache.evict(1)
    assert outline(cache) == ["1"]


def test_slru_protects_after_the_second_hit() -> None:
    """One hit is not enough to be spared; two are."""
    cache = RadixCache(10, policy="slru")
    for token in (1, 2, 3):
        cache.insert([token])
    for token in (1, 1, 2):
        cache.match([token])
    cache.evict(2)
    assert outline(cache) == ["1"]


def test_one_request_counts_one_hit_however_often_it_walks() -> None:
    """Matching, adopting and the replies of forks are the use of one request."""
    cache = RadixCache(20)
    cache.insert([1, 2])
    lease = cache.begin([1, 2])
    cache.commit(lease, [2])
    cache.finish(cache.fork(lease))
    cache.finish(lease)
    assert [node.hits for node in cache.snapshot().nodes()] == [1]


def samples(tie: str) -> RadixCache:
    """A short and a long leaf below one node, of one request and so equally recent; the long one is the younger."""
    cache = RadixCache(20, tie=tie)
    lease = cache.begin([1])
    cache.extend(lease, 1)
    cache.commit(lease, [1])
    for reply in ([2], [3, 4]):
        sample = cache.fork(lease)
        cache.extend(sample, len(reply))
        cache.commit(sample, reply)
        cache.finish(sample)
    cache.finish(lease)
    return cache


def test_equal_leaves_go_by_id_or_the_deepest_first() -> None:
    """Between leaves that a policy ranks equal the tie rule decides."""
    by_id, deepest = samples("id"), samples("deepest")
    by_id.evict(1)
    assert outline(by_id) == ["1", "  3 4"]
    deepest.evict(1)
    assert outline(deepest) == ["1", "  2"]


def test_unknown_names_list_the_choices() -> None:
    """A misspelt setting says what there is."""
    with pytest.raises(
        ValueError, match="unknown policy 'lur': choose one of lru, lfu, fifo, mru, filo, slru, priority"
    ):
        RadixCache(10, policy="lur")
    with pytest.raises(ValueError, match="unknown tie rule 'oldest': choose one of id, deepest"):
        RadixCache(10, tie="oldest")
    with pytest.raises(ValueError, match="unknown split_recency 'none': choose one of both, prefix"):
        RadixCache(10, split_recency="none")
    with pytest.raises(ValueError, match="unknown unit 'token': choose one of leaf, page"):
        RadixCache(10, unit="token")


@pytest.mark.parametrize(
    ("capacity", "page_size", "message"),
    [(0, 1, "capacity 0 holds no page of 1 tokens"), (3, 4, "capacity 3 holds no page of 4"), (8, 0, "page size 0")],
)
def test_impossible_sizes_are_refused(capacity: int, page_size: int, message: str) -> None:
    """A cache holds one page at least."""
    with pytest.raises(ValueError, match=message):
        CacheConfig(capacity, page_size)


def test_a_capacity_is_rounded_down_to_whole_pages() -> None:
    """What fills no page is not used."""
    assert CacheConfig(11, page_size=4).capacity == 8


@pytest.mark.parametrize("policy", list(POLICIES))
def test_a_queue_used_for_long_stays_in_order_and_small(policy: str) -> None:
    """Stale entries are dropped again and again and never come up, also where keys fall when a node is used."""
    queue = EvictionQueue(policy)
    nodes = [leaf(id) for id in range(1, 9)]
    for tick in range(1, 2000):
        node = nodes[tick * 7 % 8]
        node.last, node.hits, node.created = tick, node.hits + tick % 3, node.created or tick
        queue.push(node)
        if tick % 5 == 0:
            queue.discard(nodes[tick % 8])
    waiting = [node for node in nodes if node.queued]
    assert len(queue) == len(waiting) > 0
    assert len(queue._heap) <= 2 * len(queue) + 64
    expected = sorted(waiting, key=lambda node: (*POLICIES[policy](node), node.id))
    assert list(queue.order(set(), lambda node: None)) == expected
    while expected:
        assert queue.first() is expected[0]
        queue.discard(expected.pop(0))
    assert queue.first() is None


@pytest.mark.parametrize("policy", list(POLICIES))
def test_another_policy_takes_over_as_if_it_had_decided_all_along(policy: str) -> None:
    """What a policy ranks by is kept under every policy; pins stay, and the change is one event."""
    cache, other = used_leaves("lru"), used_leaves(policy)
    for each in (cache, other):
        each.lock(next(each.snapshot().nodes()).id)
    cache.take_events()
    cache.set_policy(policy)
    cache.set_policy(policy)

    assert cache.take_events() == ([] if policy == "lru" else [ev.Repoliced(policy)])
    assert cache.snapshot() == other.snapshot() and cache.policy == policy
    assert cache.evict(4) == other.evict(4)
    cache.check_integrity()


def test_a_policy_that_does_not_exist_changes_nothing() -> None:
    """The message lists those that do."""
    cache = RadixCache(4)
    with pytest.raises(ValueError, match="choose one of lru, lfu"):
        cache.set_policy("newest")
    assert cache.policy == "lru"


def test_a_keyframe_keeps_the_policy_and_an_older_one_takes_the_headers() -> None:
    """A replay that starts there must pick the same victims."""
    cache = used_leaves("lru")
    cache.set_policy("mru")
    snapshot = cache.snapshot()
    values = codec.snapshot_to_json(snapshot)
    assert TreeState.thaw(cache.config, codec.snapshot_from_json(values)).freeze() == snapshot
    del values["policy"]
    assert TreeState.thaw(cache.config, codec.snapshot_from_json(values)).policy == "lru"
    with pytest.raises(ValueError, match="unknown policy"):
        codec.snapshot_from_json({**values, "policy": "newest"})
