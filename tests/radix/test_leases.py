"""Requests on a radix cache, as an engine runs them: who owns which slot, and what stays in the tree."""

from __future__ import annotations

import random

import pytest

from radixchat.radix import NoRoom, RadixCache, State, as_key
from radixchat.radix.events import Grown, Inserted, Split

from .helpers import assert_memory, node_ending, outline, slots_of, states
from .rig import SCRATCH, Rig

# -- the life of a request ---------------------------------------------------------------------------------------------


def test_a_request_that_succeeds_leaves_all_its_tokens() -> None:
    """Partial hit, success: nothing stays locked, and everything is evictable."""
    cache = RadixCache(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3))
    request = rig.begin((1, 2, 3, 4, 5))
    assert request.lease.computed == 3
    assert_memory(cache, protected=3)
    rig.extend(request, 2)
    assert_memory(cache, protected=3, in_flight=2)
    rig.commit(request, (4, 5))
    assert_memory(cache, protected=5)
    rig.decode(request, (6,))
    rig.finish(request)
    assert_memory(cache, evictable=6)
    rig.check()


def test_a_request_without_a_hit_locks_nothing_until_it_commits() -> None:
    """The hidden root needs no lock."""
    cache = RadixCache(20)
    rig = Rig(cache)
    request = rig.begin((1, 2, 3))
    assert_memory(cache)
    rig.prefill(request)
    assert_memory(cache, protected=3)
    rig.finish(request)
    assert_memory(cache, evictable=3)


def test_a_failed_request_leaves_what_it_found() -> None:
    """Partial hit, failure: the prefix stays and is evictable, what the request made is gone."""
    cache = RadixCache(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3))
    request = rig.begin((1, 2, 3, 4, 5))
    rig.prefill(request)
    rig.extend(request, 3)
    rig.finish(request, keep=False)
    assert outline(cache) == ["1 2 3"]
    assert_memory(cache, evictable=3)
    assert [grave.why for grave in cache.snapshot().tombstones] == ["discarded"]


def test_a_failed_request_without_a_hit_leaves_nothing() -> None:
    """No hit, failure: all zero, before and after the prompt was committed."""
    cache = RadixCache(20)
    rig = Rig(cache)
    request = rig.begin((1, 2, 3))
    rig.extend(request, 3)
    rig.finish(request, keep=False)
    assert_memory(cache)
    request = rig.begin((1, 2, 3))
    rig.prefill(request)
    rig.finish(request, keep=False)
    assert_memory(cache)
    rig.check()


def test_a_failed_request_does_not_take_what_others_use() -> None:
    """Its leaf stays when another request holds it or has built on it."""
    cache = RadixCache(20)
    rig = Rig(cache)
    failing = rig.begin((1, 2, 3))
    rig.prefill(failing)
    other = rig.begin((1, 2, 3, 4))
    rig.finish(failing, keep=False)
    assert outline(cache) == ["1 2 3"]
    rig.prefill(other)
    rig.finish(other)
    assert outline(cache) == ["1 2 3", "  4"]
    failing = rig.begin((7, 8))
    rig.prefill(failing)
    rig.turn((7, 8, 9))
    rig.finish(failing, keep=False)
    assert outline(cache) == ["1 2 3", "  4", "7 8", "  9"]
    rig.check()


def test_room_is_counted_after_locking() -> None:
    """What a prompt matches cannot be evicted for it, so a prompt that seems to fit may not."""
    cache = RadixCache(6)
    rig = Rig(cache)
    rig.turn((1, 2, 3, 4))
    peek = cache.peek((1, 2, 3, 4, 5, 6, 7))
    assert (peek.room, peek.available, peek.fits) == (3, 2, False)
    request = rig.begin((1, 2, 3, 4, 5, 6, 7))
    with pytest.raises(NoRoom) as refused:
        rig.extend(request, 3)
    assert (refused.value.needed, refused.value.available) == (3, 2)
    rig.extend(request, 2)
    rig.finish(request, keep=False)
    assert_memory(cache, evictable=4)


@pytest.mark.parametrize("keep", [True, False])
def test_repeated_requests_leak_no_locks(keep: bool) -> None:
    """Five times the same request: nothing stays protected or in flight."""
    cache = RadixCache(20)
    rig = Rig(cache)
    for _ in range(5):
        request = rig.begin((1, 2, 3))
        rig.prefill(request)
        rig.decode(request, (4, 5))
        rig.finish(request, keep)
        assert_memory(cache, evictable=5 if keep else 0)
    rig.check()


def test_a_finished_lease_is_of_no_use() -> None:
    """Neither room nor commits nor a second end."""
    cache = RadixCache(10)
    lease = cache.begin([1, 2])
    cache.finish(lease)
    for call in (lambda: cache.extend(lease, 1), lambda: cache.commit(lease, [1]), lambda: cache.finish(lease)):
        with pytest.raises(AssertionError, match="finished"):
            call()


def test_an_empty_prompt_is_refused() -> None:
    """There would be nothing to compute."""
    with pytest.raises(ValueError, match="empty prompt"):
        RadixCache(10).begin([])


def test_reset_waits_for_open_leases() -> None:
    """Slots that are in use are not forgotten."""
    cache = RadixCache(10)
    lease = cache.begin([1, 2])
    with pytest.raises(RuntimeError, match="1 leases are open"):
        cache.reset()
    cache.finish(lease)
    cache.reset()


def test_one_tick_per_request() -> None:
    """The clock counts requests: not tokens, not commits, not forks."""
    cache = RadixCache(20)
    rig = Rig(cache)
    request = rig.begin((1, 2))
    rig.prefill(request)
    rig.decode(request, (3, 4, 5))
    rig.finish(rig.fork(request))
    assert cache.snapshot().tick == 1
    rig.begin((1, 2, 9))
    assert cache.snapshot().tick == 2
    rig.decode(request, (6,))
    assert cache.snapshot().tick == 2


# -- matching a prompt -------------------------------------------------------------------------------------------------


def test_a_prompt_that_ends_inside_a_node_locks_it_whole_and_splits_nothing() -> None:
    """Also the tokens past the match are protected until the request ends."""
    cache = RadixCache(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3, 4, 5))
    request = rig.begin((1, 2, 9))
    assert request.lease.computed == 2
    assert outline(cache) == ["1 2 3 4 5"]
    assert_memory(cache, protected=5)
    rig.finish(request)
    assert outline(cache) == ["1 2 3 4 5"]


def test_a_whole_prompt_matched_computes_its_last_token_into_scratch() -> None:
    """Its K/V goes to slot 0 outside the capacity, and the tree's own is used once it is committed."""
    cache = RadixCache(3)
    rig = Rig(cache)
    rig.turn((1, 2, 3))
    leaf = node_ending(cache, 1, 2, 3)
    request = rig.begin((1, 2, 3))
    assert request.lease.computed == 2
    assert request.lease.slots.tolist() == [*slots_of(leaf)[:2], SCRATCH]
    assert_memory(cache, protected=3)
    update = rig.commit(request, (3,))
    assert [(start, slots.tolist()) for start, slots in update.remaps] == [(2, slots_of(leaf)[2:])]
    assert outline(cache) == ["1 2 3"]
    rig.finish(request)
    assert_memory(cache, evictable=3)
    rig.check()


@pytest.mark.parametrize(("size", "reused"), [(8, 4), (7, 4), (9, 8), (4, 0), (12, 8)])
def test_whole_pages_are_reused_and_one_token_is_left(size: int, reused: int) -> None:
    """With pages of four a prompt of n tokens reuses floor((n - 1) / 4) * 4 of a cache that holds all of it."""
    cache = RadixCache(40, page_size=4)
    rig = Rig(cache)
    rig.turn(tuple(range(12)))
    request = rig.begin(tuple(range(size)))
    assert request.lease.computed == reused == cache.peek(range(size)).reused
    assert cache.peek(range(size)).matched == size // 4 * 4
    rig.prefill(request)
    rig.finish(request)
    assert_memory(cache, evictable=12)
    rig.check()


def test_a_page_computed_again_is_given_back() -> None:
    """The last page of a whole match takes a page of room for a while; its commit adopts the one in the tree."""
    cache = RadixCache(16, page_size=4)
    rig = Rig(cache)
    rig.turn(tuple(range(8)))
    request = rig.begin(tuple(range(8)))
    rig.extend(request, 4)
    assert_memory(cache, protected=8, in_flight=4)
    (remap,) = rig.commit(request, (4, 5, 6, 7)).remaps
    assert (remap.start, remap.slots.size) == (4, 4)
    assert_memory(cache, protected=8)


def test_a_lease_keeps_its_whole_match_until_it_commits() -> None:
    """A commit that fills no page, or brings no token, gives no lock away."""
    cache = RadixCache(16)
    rig = Rig(cache)
    rig.turn((1, 2))
    rig.turn((1, 2, 3))
    request = rig.begin((1, 2, 3))
    rig.commit(request, ())
    assert_memory(cache, protected=3)
    cache.evict(9)
    rig.commit(request, (3,))
    assert outline(cache) == ["1 2", "  3"]
    rig.check()


# -- committing --------------------------------------------------------------------------------------------------------


def test_prompt_and_reply_are_one_node() -> None:
    """The leaf made by the prefill grows with every token of the reply, in place."""
    cache = RadixCache(20)
    rig = Rig(cache)
    request = rig.begin((1, 2, 3))
    rig.prefill(request)
    leaf = node_ending(cache, 1, 2, 3).id
    rig.decode(request, (4, 5, 6))
    rig.finish(request)
    assert outline(cache) == ["1 2 3 4 5 6"]
    assert node_ending(cache, 1, 2, 3, 4, 5, 6).id == leaf
    assert [type(event) for event in cache.take_events() if isinstance(event, Inserted | Grown)] == [
        Inserted,
        *[Grown] * 3,
    ]


def test_chunks_of_a_prompt_are_one_node() -> None:
    """Computing a prompt in pieces leaves no trace in the tree."""
    cache = RadixCache(20)
    rig = Rig(cache)
    request = rig.begin(tuple(range(10)))
    rig.extend(request, 10)
    for start in range(0, 10, 4):
        rig.commit(request, tuple(range(10))[start : start + 4])
    assert outline(cache) == ["0 1 2 3 4 5 6 7 8 9"]


def test_a_second_holder_lets_a_leaf_grow_in_place() -> None:
    """The leaf goes on growing for the request that made it; the other one splits it where it differs."""
    cache = RadixCache(20)
    rig = Rig(cache)
    first = rig.begin((1, 2, 3))
    rig.prefill(first)
    leaf = node_ending(cache, 1, 2, 3).id
    second = rig.begin((1, 2, 3, 4))
    rig.decode(first, (5, 6))
    assert outline(cache) == ["1 2 3 5 6"]
    assert rig.prefill(second).splits == (leaf,)
    assert outline(cache) == ["1 2 3", "  5 6", "  4"]
    rig.decode(first, (7,))
    assert outline(cache) == ["1 2 3", "  5 6 7", "  4"]
    assert node_ending(cache, 1, 2, 3, 5, 6, 7).id == leaf
    rig.check()


def test_a_holder_that_ends_inside_a_grown_leaf_leaves_no_seam() -> None:
    """Two requests with one prompt; the second ends before it has a token of its own."""
    cache = RadixCache(20)
    rig = Rig(cache)
    first = rig.begin((1, 2, 3))
    rig.prefill(first)
    second = rig.fork(first)
    rig.decode(first, (4, 5))
    rig.finish(second)
    rig.decode(first, (6,))
    assert outline(cache) == ["1 2 3 4 5 6"]
    rig.finish(first)
    assert_memory(cache, evictable=6)
    rig.check()


def test_the_grown_end_of_a_leaf_goes_when_only_a_holder_inside_it_is_left() -> None:
    """The request that made it is gone: what the other one does not use gives way to it."""
    cache = RadixCache(8)
    rig = Rig(cache)
    first = rig.begin((1, 2, 3))
    rig.prefill(first)
    second = rig.fork(first)
    rig.decode(first, (4, 5, 6, 7))
    rig.finish(first)
    update = rig.extend(second, 3)
    assert [gone.tokens for gone in update.evicted] == [4]
    rig.commit(second, (8, 8, 8))
    assert outline(cache) == ["1 2 3", "  8 8 8"]
    rig.check()


@pytest.mark.parametrize("page", [1, 4])
def test_samples_in_lock_step_make_a_node_each(page: int) -> None:
    """Token by token in turn: the prompt, then one node for what is equal, and one for each rest."""
    cache = RadixCache(80, page_size=page)
    rig = Rig(cache)
    leader = rig.begin(tuple(range(8)))
    rig.prefill(leader)
    samples = [leader, rig.fork(leader), rig.fork(leader)]
    replies = [(1,) * 12, (1,) * 4 + (2,) * 8, (3,) * 12]
    for position in range(12):
        for sample, reply in zip(samples, replies, strict=True):
            rig.decode(sample, (reply[position],))
            rig.check()
    assert outline(cache) == [
        " ".join(map(str, range(8))),
        "  1 1 1 1",
        "    1 1 1 1 1 1 1 1",
        "    2 2 2 2 2 2 2 2",
        "  3 3 3 3 3 3 3 3 3 3 3 3",
    ]
    for sample in samples:
        rig.finish(sample)
    assert_memory(cache, evictable=8 + 12 + 8 + 12)


def test_a_child_ends_growth_in_place() -> None:
    """A request that came and went has left a child: its parent can grow no more, the next leaf can."""
    cache = RadixCache(20)
    rig = Rig(cache)
    request = rig.begin((1, 2, 3))
    rig.prefill(request)
    rig.turn((1, 2, 3, 4))
    rig.decode(request, (5, 6))
    assert outline(cache) == ["1 2 3", "  4", "  5 6"]
    rig.check()


def test_a_holder_that_left_lets_the_leaf_grow_again() -> None:
    """Only who holds it now counts."""
    cache = RadixCache(20)
    rig = Rig(cache)
    request = rig.begin((1, 2, 3))
    rig.prefill(request)
    rig.finish(rig.begin((1, 2, 3)))
    rig.decode(request, (4,))
    assert outline(cache) == ["1 2 3 4"]


def test_the_first_difference_splits_and_adds_a_leaf() -> None:
    """Head, rest and new leaf; the split is reported by the id of its tail."""
    cache = RadixCache(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3, 4))
    tail = node_ending(cache, 1, 2, 3, 4).id
    cache.new_step()
    request = rig.begin((1, 2, 9))
    update = rig.prefill(request)
    assert update.splits == (tail,)
    assert outline(cache) == ["1 2", "  3 4", "  9"]
    assert node_ending(cache, 1, 2, 3, 4).id == tail
    assert states(cache) == {"1 2": State.REUSED, "3 4": State.RESIDENT, "9": State.NEW}


def test_a_split_leaves_the_tail_to_its_holder() -> None:
    """A request inside a node that another one splits keeps its slots and its lock."""
    cache = RadixCache(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3, 4, 5))
    holder = rig.begin((1, 2, 3, 4, 5, 6))
    rig.turn((1, 2, 9))
    tail = node_ending(cache, 1, 2, 3, 4, 5)
    assert (tail.size, tail.locks, node_ending(cache, 1, 2).locks) == (3, 1, 1)
    assert_memory(cache, protected=5, evictable=1)
    rig.prefill(holder)
    assert outline(cache) == ["1 2", "  3 4 5", "    6", "  9"]
    rig.check()


def test_equal_tokens_computed_twice_are_kept_once() -> None:
    """Two requests compute the same prompt; the second one's slots are freed, and it is told of the tree's."""
    cache = RadixCache(20)
    rig = Rig(cache)
    first, second = rig.begin((1, 2, 3, 4)), rig.begin((1, 2, 3, 5))
    rig.extend(first, 4)
    rig.extend(second, 4)
    rig.commit(first, (1, 2, 3, 4))
    assert_memory(cache, protected=4, in_flight=4)
    (remap,) = rig.commit(second, (1, 2, 3, 5)).remaps
    assert (remap.start, remap.slots.tolist()) == (0, first.lease.slots[:3].tolist())
    assert second.lease.slots[:3].tolist() == first.lease.slots[:3].tolist()
    assert outline(cache) == ["1 2 3", "  4", "  5"]
    assert_memory(cache, protected=5)
    rig.check()


def test_samples_with_equal_first_tokens_share_them() -> None:
    """Forks of one prompt that begin with the same words part where they differ."""
    cache = RadixCache(30)
    rig = Rig(cache)
    first = rig.begin((1, 2))
    rig.prefill(first)
    second = rig.fork(first)
    rig.decode(first, (3, 4, 5))
    rig.decode(second, (3, 4, 6))
    assert outline(cache) == ["1 2 3 4", "  5", "  6"]
    rig.finish(first)
    rig.finish(second)
    assert_memory(cache, evictable=6)
    rig.check()


def test_samples_that_run_side_by_side_share_them_too() -> None:
    """Token by token in turn, equal tokens are kept once."""
    cache = RadixCache(30)
    rig = Rig(cache)
    first = rig.begin((1, 2))
    rig.prefill(first)
    second = rig.fork(first)
    for one, two in zip((3, 4, 5), (3, 4, 6), strict=True):
        rig.decode(first, (one,))
        rig.decode(second, (two,))
        rig.check()
    assert second.lease.slots[:4].tolist() == first.lease.slots[:4].tolist()
    assert_memory(cache, protected=6)


def test_a_fork_shares_what_was_committed_and_no_more() -> None:
    """With pages, tokens that fill none yet are computed again by the fork, in slots of its own."""
    cache = RadixCache(24, page_size=4)
    rig = Rig(cache)
    request = rig.begin(tuple(range(6)))
    rig.prefill(request)
    fork = rig.fork(request)
    assert fork.lease.computed == len(fork.lease) == 4
    assert fork.lease.slots.tolist() == request.lease.slots[:4].tolist()
    rig.extend(fork, 2)
    rig.commit(fork, (4, 5))
    assert set(fork.lease.slots[4:].tolist()).isdisjoint(request.lease.slots.tolist())
    assert_memory(cache, protected=4, in_flight=8)
    rig.finish(request)
    rig.finish(fork)
    assert_memory(cache, evictable=4)


def test_pages_are_committed_when_they_are_full() -> None:
    """What fills no page stays with its lease and goes with it."""
    cache = RadixCache(16, page_size=4)
    rig = Rig(cache)
    request = rig.begin((0, 1, 2, 3, 4, 5))
    rig.prefill(request)
    assert outline(cache) == ["0 1 2 3"]
    assert_memory(cache, protected=4, in_flight=4)
    rig.decode(request, (6,))
    assert outline(cache) == ["0 1 2 3"]
    rig.decode(request, (7,))
    assert outline(cache) == ["0 1 2 3 4 5 6 7"]
    assert_memory(cache, protected=8)
    rig.decode(request, (8, 9))
    rig.finish(request, uncached=(10,))
    assert_memory(cache, evictable=8)
    assert node_ending(cache, *range(8)).uncached == as_key([8, 9, 10])


def test_the_last_sampled_token_is_drawn_and_counted_nowhere() -> None:
    """It stands after its leaf until the next request computes it, or another reply takes its place."""
    cache = RadixCache(20)
    rig = Rig(cache)
    rig.turn((1, 2), reply=(3,), uncached=(4,))
    assert node_ending(cache, 1, 2, 3).uncached == as_key([4])
    assert cache.snapshot().resident == 3
    rig.turn((1, 2, 3, 9))
    assert node_ending(cache, 1, 2, 3).uncached == as_key([4])
    rig.turn((1, 2, 3, 4, 5))
    assert node_ending(cache, 1, 2, 3).uncached == b""
    rig.turn((1, 2, 3), uncached=(9,))
    assert node_ending(cache, 1, 2, 3).uncached == b""


def test_tokens_sampled_before_anything_was_computed_are_drawn_nowhere() -> None:
    """A request that stopped before its last prompt token has nothing to hang them on."""
    cache = RadixCache(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3))
    rig.finish(rig.begin((1, 2, 3)), uncached=(4,))
    assert node_ending(cache, 1, 2, 3).uncached == b""


# -- running out of room -----------------------------------------------------------------------------------------------


def test_a_request_never_evicts_its_own_path() -> None:
    """The oldest node is what the request matches; the younger one goes."""
    cache = RadixCache(6)
    rig = Rig(cache)
    rig.turn((1, 2, 3))
    rig.turn((7, 8))
    request = rig.begin((1, 2, 3, 4, 5))
    update = rig.extend(request, 2)
    assert [gone.tokens for gone in update.evicted] == [2]
    assert outline(cache) == ["1 2 3"]


def test_the_end_of_a_node_that_is_not_used_goes_last() -> None:
    """A long node of which a prompt shares the beginning does not block it: its end goes when nothing else is left."""
    cache = RadixCache(12)
    rig = Rig(cache)
    rig.turn(tuple(range(1, 9)))
    rig.turn((50, 51))
    node, other = node_ending(cache, *range(1, 9)).id, node_ending(cache, 50, 51).id
    prompt = (1, 2, *range(20, 27))
    peek = cache.peek(prompt)
    assert (peek.fits, peek.split, peek.evicts) == (True, (node, 2), ((other, 2), (node, 6)))
    request = rig.begin(prompt)
    update = rig.extend(request, 7)
    assert (update.evicted, update.splits) == (peek.evicts, (node,))
    assert rig.commit(request, prompt[2:]).splits == ()
    assert outline(cache) == ["1 2", "  20 21 22 23 24 25 26"]
    rig.check()


def test_the_end_of_a_node_stays_while_others_are_enough() -> None:
    """The node is not cut before the reply says where it differs."""
    cache = RadixCache(12)
    rig = Rig(cache)
    rig.turn(tuple(range(1, 9)))
    rig.turn((50, 51))
    request = rig.begin((1, 2, 20, 21, 22))
    assert rig.extend(request, 3).splits == ()
    assert outline(cache) == ["1 2 3 4 5 6 7 8"]


def test_the_end_of_a_node_that_another_request_holds_stays() -> None:
    """Both stopped inside it, and one of them further down."""
    cache = RadixCache(12)
    rig = Rig(cache)
    rig.turn(tuple(range(1, 9)))
    rig.begin((1, 2, 3, 4, 5, 6, 7, 8, 9))
    request = rig.begin((1, 2, *range(20, 27)))
    with pytest.raises(NoRoom):
        rig.extend(request, 7)
    assert outline(cache) == ["1 2 3 4 5 6 7 8"]
    rig.check()


def test_prefix_rule_lets_the_end_of_a_node_take_its_turn() -> None:
    """The request does not make it younger, so it goes before what was used since."""
    cache = RadixCache(12, split_recency="prefix")
    rig = Rig(cache)
    rig.turn(tuple(range(1, 9)))
    rig.turn((50, 51))
    node = node_ending(cache, *range(1, 9)).id
    peek = cache.peek((1, 2, 20, 21, 22))
    assert (peek.split, peek.evicts) == ((node, 2), ((node, 6),))
    request = rig.begin((1, 2, 20, 21, 22))
    update = rig.extend(request, 3)
    assert (update.evicted, update.splits) == (peek.evicts, (node,))
    assert outline(cache) == ["1 2", "50 51"]
    rig.check()


def test_no_room_changes_nothing() -> None:
    """Not an event, not a slot; afterwards less can still be had."""
    cache = RadixCache(8)
    rig = Rig(cache)
    rig.turn((5, 6))
    request = rig.begin((1, 2, 3))
    rig.prefill(request)
    cache.take_events()
    before = cache.snapshot()
    with pytest.raises(NoRoom) as refused:
        rig.extend(request, 6)
    assert (refused.value.needed, refused.value.available) == (6, 5)
    assert str(refused.value) == "6 tokens of room needed, 5 available"
    assert cache.snapshot() == before
    assert cache.take_events() == []
    assert len(request.lease) == 3
    rig.extend(request, 5)
    assert outline(cache) == ["1 2 3"]
    rig.check()


def test_a_retracted_request_finds_its_tokens_again() -> None:
    """Commit, finish, begin again with all tokens: everything but the last is reused, unless it had to go."""
    cache = RadixCache(12)
    rig = Rig(cache)
    request = rig.begin((1, 2, 3))
    rig.prefill(request)
    rig.decode(request, (4, 5))
    rig.finish(request)
    assert_memory(cache, evictable=5)
    again = rig.begin((*request.tokens, 6))
    assert again.lease.computed == 5
    rig.prefill(again)
    rig.decode(again, (7,))
    rig.finish(again)
    assert outline(cache) == ["1 2 3 4 5", "  6 7"]
    rig.check()


def test_a_preview_changes_nothing() -> None:
    """Asking a hundred times leaves recency, hits and events alone."""
    cache = RadixCache(8)
    rig = Rig(cache)
    rig.turn((1, 2, 3, 4))
    rig.turn((7, 8))
    cache.take_events()
    before = cache.snapshot()
    for _ in range(100):
        cache.peek((1, 2, 9, 9, 9, 9))
        assert cache.matched((1, 2, 9, 9, 9, 9)) == cache.peek((1, 2, 9, 9, 9, 9)).matched
        assert cache.matched((1,), "unknown") == 0
        cache.peek((1,), "unknown")
    assert cache.snapshot() == before
    assert cache.take_events() == []


def test_a_preview_tells_matches_splits_and_victims() -> None:
    """What would be found, cut and evicted, in order."""
    cache = RadixCache(8)
    rig = Rig(cache)
    rig.turn((1, 2, 3, 4))
    rig.turn((7, 8))
    rig.turn((9,))
    node, old, young = (node_ending(cache, *key).id for key in ((1, 2, 3, 4), (7, 8), (9,)))
    peek = cache.peek((1, 2, 5, 5, 5, 5))
    assert (peek.matched, peek.reused, peek.split, peek.inside) == (2, 2, (node, 2), None)
    assert peek.evicts == ((old, 2), (young, 1))
    assert (peek.room, peek.available, peek.fits) == (4, 6, True)  # the end of the split node could go, too
    peek = cache.peek((1, 2, 3))
    assert (peek.matched, peek.reused, peek.split, peek.inside) == (3, 2, None, (node, 3))
    assert (peek.evicts, peek.room, peek.fits) == ((), 0, True)


def test_requests_that_wait_for_each_other_keep_their_slots() -> None:
    """Three leases at once, extended and committed in turn, never write into each other's slots."""
    cache = RadixCache(30)
    rig = Rig(cache)
    requests = [rig.begin((1, 2, 3, token)) for token in (4, 5, 6)]
    for request in requests:
        rig.extend(request, 5)
    for step in range(5):
        for request in requests:
            rig.commit(request, ((*request.prompt, 9)[step],))
            rig.check()
    assert_memory(cache, protected=9)


def test_a_thousand_random_turns_lose_no_slot() -> None:
    """Conversations, aborts, forks and evictions in a full cache: at the end every slot is free or in the tree."""
    chance = random.Random(5)
    cache = RadixCache(200, events=False)
    rig = Rig(cache)
    conversations: list[tuple[int, ...]] = [()]
    for turn in range(1000):
        history = chance.choice(conversations)[-60:]
        prompt = history + tuple(chance.randrange(4) for _ in range(chance.randrange(1, 12)))
        request = rig.begin(prompt, chance.choice(("", "", "blue")))
        rig.prefill(request)
        sample = rig.fork(request) if chance.random() < 0.1 else None
        rig.decode(request, tuple(chance.randrange(4) for _ in range(chance.randrange(10))))
        if sample is not None:
            rig.decode(sample, tuple(chance.randrange(4) for _ in range(5)))
            rig.finish(sample)
        rig.finish(request, keep=chance.random() < 0.9)
        conversations = [*conversations[-20:], request.tokens]
        if turn % 50 == 0:
            rig.check()
    snapshot = rig.check()
    assert (snapshot.in_flight, snapshot.protected) == (0, 0)
    cache.evict(200)
    assert cache.snapshot().free == 200


def test_growing_moves_no_other_request() -> None:
    """A split is reported by the request that makes it, to nobody else: the others' slots stay what they are."""
    cache = RadixCache(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3, 4))
    one, two = rig.begin((1, 2, 3, 4, 5)), rig.begin((1, 2, 8))
    before = one.lease.slots.tolist()
    rig.prefill(two)
    assert sum(isinstance(event, Split) for event in cache.take_events()) == 1
    assert one.lease.slots.tolist() == before
    rig.check()
