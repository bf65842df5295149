"""The tree's verbs: match, insert, split, grow, lock, unlock, evict."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from radixchat.radix import Gone, NoRoom, RadixCache, State, as_array
from radixchat.radix.events import Split
from radixchat.radix.keys import Int32Array

from .helpers import assert_memory, node_ending, outline, slots_of, states

# -- match and insert --------------------------------------------------------------------------------------------------


def test_an_inserted_sequence_is_found_with_its_slots() -> None:
    """Nothing was there before; afterwards the whole and any beginning of it are found, in the same slots."""
    cache = RadixCache(10)
    assert cache.insert([1, 2, 3])[0] == 0
    assert_memory(cache, evictable=3)
    matched, slots = cache.match([1, 2, 3])
    assert matched == 3
    assert slots.tolist() == slots_of(node_ending(cache, 1, 2, 3))
    matched, first = cache.match([1, 2])
    assert matched == 2
    assert first.tolist() == slots.tolist()[:2]


def test_an_empty_cache_matches_nothing() -> None:
    """No tokens, no slots, no nodes."""
    cache = RadixCache(10)
    matched, slots = cache.match([1, 2, 3])
    assert (matched, slots.size, outline(cache)) == (0, 0, [])


def test_sizes_of_disjoint_sequences_add_up() -> None:
    """Three tokens, then two more that share nothing."""
    cache = RadixCache(10)
    cache.insert([1, 2, 3])
    assert cache.snapshot().resident == 3
    cache.insert([4, 5])
    assert cache.snapshot().resident == 5


def test_inserting_again_changes_no_memory() -> None:
    """The second time everything is there, in the same nodes and slots."""
    cache = RadixCache(10)
    cache.insert([1, 2, 3])
    cache.insert([1, 2, 4])
    before = {node.id: slots_of(node) for node in cache.snapshot().nodes()}
    assert cache.insert([1, 2, 3])[0] == 3
    assert cache.insert([1, 2])[0] == 2
    assert {node.id: slots_of(node) for node in cache.snapshot().nodes()} == before
    assert_memory(cache, evictable=4)


def test_insert_says_what_was_there_before_across_splits() -> None:
    """The count is that of the tokens, however many nodes they lie in."""
    cache = RadixCache(20)
    assert cache.insert([1, 2, 3, 4, 5])[0] == 0
    assert cache.insert([1, 2, 3, 9])[0] == 3
    assert cache.insert([1, 7])[0] == 1
    assert cache.insert([1, 2, 3, 4, 5, 6])[0] == 5
    assert cache.insert([1, 2, 3, 9, 9])[0] == 4


def test_insert_names_the_node_that_ends_it() -> None:
    """Whether that node is new or was there."""
    cache = RadixCache(20)
    assert cache.insert([1, 2, 3])[1] == node_ending(cache, 1, 2, 3).id
    assert cache.insert([1, 2, 3])[1] == node_ending(cache, 1, 2, 3).id
    assert cache.insert([1, 2, 4])[1] == node_ending(cache, 1, 2, 4).id


def test_insert_into_a_full_cache_that_is_locked_leaves_it_alone() -> None:
    """There is no room, and nothing was kept."""
    cache = RadixCache(4)
    cache.lock(cache.insert([1, 2, 3])[1])
    with pytest.raises(NoRoom):
        cache.insert([1, 2, 5, 6, 7])
    assert outline(cache) == ["1 2 3"]
    assert_memory(cache, protected=3)


@pytest.mark.parametrize("page_size", [1, 2])
def test_a_branch_splits_what_it_shares(page_size: int) -> None:
    """Two sequences with two tokens in common hang from one node that holds these."""
    cache = RadixCache(20, page_size=page_size)
    cache.insert(range(1, 9))
    slots = cache.match(range(1, 9))[1].tolist()
    cache.insert([1, 2, 9, 10])
    assert outline(cache) == ["1 2", "  3 4 5 6 7 8", "  9 10"]
    assert cache.snapshot().resident == 10
    assert cache.match([1, 2, 3, 4, 999, 1000])[1].tolist() == slots[:4]
    assert cache.match([1, 2, 3, 4, 5, 6, 55, 66])[1].tolist() == slots[:6]
    assert cache.match(range(1, 9))[1].tolist() == slots
    branch = cache.match([1, 2, 9, 10])[1].tolist()
    assert branch == slots[:2] + slots_of(node_ending(cache, 1, 2, 9, 10))
    assert cache.snapshot().resident == 10


def test_a_match_inside_a_node_splits_nothing() -> None:
    """Asking changes recency and nothing else."""
    cache = RadixCache(20)
    cache.insert([1, 2, 3, 4])
    assert cache.match([1, 2, 9])[0] == 2
    assert cache.match([1, 2])[0] == 2
    assert outline(cache) == ["1 2 3 4"]


@pytest.mark.parametrize(("page_size", "size", "matched"), [(1, 5, 5), (2, 5, 4), (4, 6, 4)])
def test_matches_are_whole_pages(page_size: int, size: int, matched: int) -> None:
    """What fills no page is neither kept nor found."""
    cache = RadixCache(20, page_size=page_size)
    cache.insert(range(size))
    assert cache.match(range(size))[0] == matched
    assert cache.snapshot().resident == matched


def test_pages_that_share_first_tokens_are_siblings() -> None:
    """Below a page nothing is shared: two pages that differ in their last token are two nodes."""
    cache = RadixCache(20, page_size=4)
    cache.insert([1, 2, 3, 4])
    cache.insert([1, 2, 3, 5])
    assert outline(cache) == ["1 2 3 4", "1 2 3 5"]
    assert cache.match([1, 2, 3, 5])[0] == 4
    cache.check_integrity()


def test_a_split_falls_on_a_page() -> None:
    """A difference inside a page splits before the page."""
    cache = RadixCache(40, page_size=4)
    cache.insert([1, 2, 3, 4, 5, 6, 7, 8])
    cache.insert([1, 2, 3, 4, 5, 6, 9, 9])
    assert outline(cache) == ["1 2 3 4", "  5 6 7 8", "  5 6 9 9"]


def test_repeated_pages_are_different_places() -> None:
    """The same tokens further down a sequence have slots of their own."""
    cache = RadixCache(20, page_size=4)
    cache.insert([1, 2, 3, 4, 1, 2, 3, 4])
    slots = cache.match([1, 2, 3, 4, 1, 2, 3, 4])[1].tolist()
    assert len(set(slots)) == 8


def test_namespaces_share_nothing() -> None:
    """The same tokens have slots of their own in every namespace; an unknown one holds nothing."""
    cache = RadixCache(20)
    for namespace in ("one", "two", ""):
        cache.insert([1, 2, 3], namespace)
    found = [cache.match([1, 2, 3], namespace) for namespace in ("one", "two", "")]
    assert [matched for matched, _ in found] == [3, 3, 3]
    assert len({slot for _, slots in found for slot in slots.tolist()}) == 9
    assert cache.match([1, 2, 3], "three")[0] == 0
    assert [root.namespace for root in cache.snapshot().roots] == ["", "one", "two", "three"]


def test_every_slot_stands_in_one_node() -> None:
    """After splits and branches the tree's slots are all different and as many as its tokens."""
    cache = RadixCache(40)
    for key in ([1, 2, 3, 4], [1, 2, 5], [1, 6, 7], [8, 9], [1, 2, 3, 4, 10]):
        cache.insert(key)
    slots = [slot for node in cache.snapshot().nodes() for slot in slots_of(node)]
    assert len(set(slots)) == len(slots) == cache.snapshot().resident == 10


# -- split, grow, lock -------------------------------------------------------------------------------------------------


def test_the_tail_of_a_split_keeps_id_locks_and_hits() -> None:
    """Whoever held the node holds its tail; the head is new and protected as well."""
    cache = RadixCache(20)
    node = cache.insert([1, 2, 3, 4])[1]
    cache.match([1, 2, 3, 4])
    cache.lock(node)
    head = cache.split(node, 1)
    assert head != node
    assert outline(cache) == ["1", "  2 3 4"]
    upper, lower = node_ending(cache, 1), node_ending(cache, 1, 2, 3, 4)
    assert (upper.id, upper.locks, upper.hits, upper.created) == (head, 1, 1, 1)
    assert (lower.id, lower.locks, lower.hits, lower.created) == (node, 1, 1, 1)
    cache.check_integrity()


def test_a_split_keeps_its_place_among_siblings() -> None:
    """Branches do not jump about: the head takes the place of the node, new branches come last."""
    cache = RadixCache(20)
    for key in ([1, 1, 1], [2, 2], [3, 3]):
        cache.insert(key)
    cache.insert([1, 9])
    cache.insert([4])
    assert outline(cache) == ["1", "  1 1", "  9", "2 2", "3 3", "4"]
    assert [child.rank for child in cache.snapshot().roots[0].node.children] == [1, 2, 3, 6]


@pytest.mark.parametrize("at", [0, 3, 4, -1])
def test_a_node_is_split_inside_only(at: int) -> None:
    """Both halves must have tokens."""
    cache = RadixCache(10)
    node = cache.insert([1, 2, 3])[1]
    with pytest.raises(ValueError, match="cannot be split"):
        cache.split(node, at)


def test_a_node_is_split_between_pages_only() -> None:
    """A page is never cut."""
    cache = RadixCache(10, page_size=2)
    node = cache.insert([1, 2, 3, 4])[1]
    with pytest.raises(ValueError, match="cannot be split at 1"):
        cache.split(node, 1)
    cache.split(node, 2)
    assert outline(cache) == ["1 2", "  3 4"]


def test_chains_are_never_merged() -> None:
    """A node that is left with one child stays apart from it."""
    cache = RadixCache(20)
    cache.insert([1, 2, 3])
    cache.insert([1, 2, 4])
    cache.evict_node(node_ending(cache, 1, 2, 4).id)
    cache.match([1, 2, 3])
    assert outline(cache) == ["1 2", "  3"]


def test_a_leaf_grows_in_place() -> None:
    """The node keeps its id and gets slots for what it gains."""
    cache = RadixCache(10)
    node = cache.insert([1, 2])[1]
    cache.grow(node, [3, 4])
    assert outline(cache) == ["1 2 3 4"]
    assert node_ending(cache, 1, 2, 3, 4).id == node
    assert_memory(cache, evictable=4)
    cache.check_integrity()


def test_growing_evicts_others_and_never_the_leaf_itself() -> None:
    """The oldest leaf is the one that grows; the other one goes."""
    cache = RadixCache(5)
    node = cache.insert([1, 2])[1]
    cache.insert([7, 8])
    cache.grow(node, [3, 4])
    assert outline(cache) == ["1 2 3 4"]
    with pytest.raises(NoRoom):
        cache.grow(node, [5, 6])
    assert outline(cache) == ["1 2 3 4"]
    cache.check_integrity()


def test_only_leaves_with_one_holder_grow() -> None:
    """A node with children or a second holder is what others build on."""
    cache = RadixCache(20)
    cache.insert([1, 2, 3])
    cache.insert([1, 2, 4])
    with pytest.raises(ValueError, match="cannot grow"):
        cache.grow(node_ending(cache, 1, 2).id, [5])
    leaf = node_ending(cache, 1, 2, 3).id
    cache.lock(leaf)
    cache.grow(leaf, [5])
    cache.lock(leaf)
    with pytest.raises(ValueError, match="cannot grow"):
        cache.grow(leaf, [6])


def test_a_lock_moves_the_path_to_protected() -> None:
    """Three tokens leave evictable when they are locked, and come back."""
    cache = RadixCache(10)
    node = cache.insert([1, 2, 3])[1]
    assert_memory(cache, evictable=3)
    cache.lock(node)
    assert_memory(cache, protected=3)
    cache.unlock(node)
    assert_memory(cache, evictable=3)


def test_a_lock_protects_all_above_and_nothing_beside() -> None:
    """Only the path is counted."""
    cache = RadixCache(20)
    cache.insert([1, 2, 3])
    cache.insert([1, 2, 4, 5])
    cache.lock(node_ending(cache, 1, 2, 3).id)
    assert_memory(cache, protected=3, evictable=2)


def test_locks_are_counted() -> None:
    """The second lock outlasts the first; one unlock too many is an error."""
    cache = RadixCache(10)
    node = cache.insert([1, 2])[1]
    cache.lock(node)
    cache.lock(node)
    cache.unlock(node)
    assert_memory(cache, protected=2)
    cache.unlock(node)
    with pytest.raises(ValueError, match="not pinned"):
        cache.unlock(node)
    assert_memory(cache, evictable=2)


def test_unknown_nodes_and_hidden_roots_are_refused() -> None:
    """The verbs take the ids of visible nodes."""
    cache = RadixCache(10)
    for node in (0, 99):
        for verb in (cache.lock, cache.evict_node, lambda id: cache.split(id, 1), lambda id: cache.grow(id, [1])):
            with pytest.raises(ValueError, match="there is no node"):
                verb(node)


# -- evict -------------------------------------------------------------------------------------------------------------


def test_evicting_everything_empties_the_cache() -> None:
    """All three tokens go, and their node with them."""
    cache = RadixCache(10)
    node = cache.insert([1, 2, 3])[1]
    assert cache.evict(3) == (Gone(node, 3),)
    assert outline(cache) == []
    assert_memory(cache, free=10)


def test_eviction_takes_whole_leaves() -> None:
    """At least what was asked goes, and a leaf goes whole."""
    cache = RadixCache(10)
    cache.insert([1, 2])
    cache.insert([3, 4])
    assert [gone.tokens for gone in cache.evict(1)] == [2]
    assert [gone.tokens for gone in cache.evict(2)] == [2]
    assert cache.snapshot().free == 10


def test_evicting_more_than_there_is_takes_what_there_is() -> None:
    """It is no error, and neither is nothing."""
    cache = RadixCache(10)
    cache.insert([1, 2])
    assert cache.evict(0) == ()
    assert sum(gone.tokens for gone in cache.evict(99)) == 2
    assert cache.evict(1) == ()


def test_the_least_recently_used_leaf_goes_first() -> None:
    """Recency counts from the last request that used it, not from its making."""
    cache = RadixCache(20)
    for token in (1, 2, 3):
        cache.insert([token])
    cache.match([1])
    assert [gone.node for gone in cache.evict(3)] == [2, 3, 1]


def test_a_parent_goes_after_its_last_child() -> None:
    """Deepest first along a chain; a parent takes its turn as soon as it is a leaf."""
    cache = RadixCache(20)
    cache.insert([1, 2])
    cache.insert([1, 2, 3, 4])
    cache.insert([1, 2, 3, 5])
    cache.insert([9])
    before = outline(cache)
    assert before == ["1 2", "  3", "    4", "    5", "9"]
    tokens = {node.id: node.tokens.tolist() for node in cache.snapshot().nodes()}
    assert [tokens[gone.node] for gone in cache.evict(6)] == [[4], [5], [3], [1, 2], [9]]


def test_locked_leaves_and_their_paths_stay() -> None:
    """However much is asked."""
    cache = RadixCache(20)
    cache.insert([1, 2, 3])
    cache.insert([1, 2, 4])
    cache.lock(node_ending(cache, 1, 2, 3).id)
    cache.evict(99)
    assert outline(cache) == ["1 2", "  3"]
    assert_memory(cache, protected=3)


def test_one_leaf_can_be_evicted_by_id() -> None:
    """Locked nodes and inner ones cannot, and the message says why."""
    cache = RadixCache(20)
    cache.insert([1, 2, 3])
    cache.insert([1, 2, 4])
    leaf, inner = node_ending(cache, 1, 2, 3).id, node_ending(cache, 1, 2).id
    with pytest.raises(ValueError, match="has 2 children, and only leaves can go"):
        cache.evict_node(inner)
    cache.lock(leaf)
    with pytest.raises(ValueError, match="is locked"):
        cache.evict_node(leaf)
    cache.unlock(leaf)
    assert cache.evict_node(leaf) == Gone(leaf, 1)
    assert outline(cache) == ["1 2", "  4"]


def test_page_unit_trims_no_more_than_asked() -> None:
    """The end of a leaf goes; the node stays under its id with what is left, and a tombstone tells of the rest."""
    cache = RadixCache(20, unit="page")
    node = cache.insert([1, 2, 3, 4, 5])[1]
    slots = slots_of(node_ending(cache, 1, 2, 3, 4, 5))
    assert cache.evict(2) == (Gone(node, 2),)
    assert outline(cache) == ["1 2 3"]
    assert slots_of(node_ending(cache, 1, 2, 3)) == slots[:3]
    (grave,) = cache.snapshot().tombstones
    assert (grave.node, grave.parent, as_array(grave.key).tolist()) == (node, node, [4, 5])
    cache.check_integrity()


def test_page_unit_takes_whole_pages() -> None:
    """One token asked is one page gone."""
    cache = RadixCache(24, page_size=4, unit="page")
    cache.insert(range(12))
    assert [gone.tokens for gone in cache.evict(1)] == [4]
    assert cache.match(range(12))[0] == 8


def test_a_smaller_capacity_evicts() -> None:
    """What is locked must still fit; a bigger capacity is simply free."""
    cache = RadixCache(10)
    cache.insert([1, 2, 3])
    cache.insert([4, 5, 6])
    cache.resize(5)
    assert outline(cache) == ["4 5 6"]
    assert_memory(cache, free=2, evictable=3)
    cache.lock(node_ending(cache, 4, 5, 6).id)
    with pytest.raises(NoRoom):
        cache.resize(2)
    assert cache.capacity == 5
    with pytest.raises(ValueError, match="below one page"):
        cache.resize(0)
    cache.resize(12)
    assert_memory(cache, free=9, protected=3)
    cache.check_integrity()


def test_reset_forgets_every_node() -> None:
    """All memory is free again; the clock and the ids go on, and pins are gone."""
    cache = RadixCache(10)
    cache.lock(cache.insert([1, 2, 3])[1])
    cache.insert([4, 5], "other")
    last = max(node.id for node in cache.snapshot().nodes())
    cache.reset()
    assert_memory(cache, free=10)
    assert list(cache.snapshot().nodes()) == []
    assert cache.snapshot().tick == 2
    assert cache.insert([1, 2, 3])[1] > last
    assert cache.match([4, 5], "other")[0] == 0
    cache.check_integrity()


# -- recency of a split ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "first"), [("both", "9 9"), ("prefix", "3 4")])
def test_the_split_rule_decides_whether_the_rest_is_recent(rule: str, first: str) -> None:
    """A request leaves a node half-way: under "both" the rest stays young with it, under "prefix" it keeps its age."""
    cache = RadixCache(20, split_recency=rule)
    cache.insert([1, 2, 3, 4])
    cache.insert([9, 9])
    cache.insert([1, 2, 5])
    tokens = {node.id: " ".join(map(str, node.tokens.tolist())) for node in cache.snapshot().nodes()}
    assert outline(cache) == ["1 2", "  3 4", "  5", "9 9"]
    assert tokens[cache.evict(1)[0].node] == first


def test_prefix_rule_splits_where_a_request_ends() -> None:
    """A prompt that ends inside a node cuts it when it finishes, for the part it used is younger now."""
    cache = RadixCache(20, split_recency="prefix")
    cache.insert([1, 2, 3, 4])
    cache.insert([9])
    assert cache.match([1, 2])[0] == 2
    assert outline(cache) == ["1 2", "  3 4", "9"]
    assert [node.last for node in cache.snapshot().nodes()] == [3, 1, 2]


def test_prefix_rule_makes_no_node_for_the_last_token_of_a_prompt() -> None:
    """A prompt that ends with a node is used whole, although its last token is left to compute."""
    cache = RadixCache(20, split_recency="prefix")
    cache.insert([1, 2, 3])
    assert cache.match([1, 2, 3])[0] == 3
    cache.finish(cache.begin([1, 2, 3]))
    assert outline(cache) == ["1 2 3"]


def test_prefix_rule_keeps_parents_as_young_as_their_children() -> None:
    """A request that began later is not forgotten when an earlier one cuts the node both are in."""
    cache = RadixCache(20, split_recency="prefix")
    cache.insert([1, 2, 3, 4, 5])
    early, late = cache.begin([1, 2, 9]), cache.begin([1, 2, 3, 8])
    for lease, token in ((early, 9), (late, 8)):
        cache.extend(lease, 1)
        cache.commit(lease, [token])
        cache.check_integrity([early, late])
    cache.finish(late)
    cache.finish(early)
    assert outline(cache) == ["1 2", "  3", "    4 5", "    8", "  9"]
    ages = {" ".join(map(str, node.tokens.tolist())): (node.last, node.hits) for node in cache.snapshot().nodes()}
    assert ages == {"1 2": (3, 2), "3": (3, 1), "4 5": (1, 0), "8": (3, 0), "9": (2, 0)}


def test_prefix_rule_passes_a_priority_on_to_what_was_used() -> None:
    """The head of a split has the priority of the request that cut it."""
    cache = RadixCache(20, split_recency="prefix", policy="priority")
    cache.insert([1, 2, 3])
    cache.insert([1, 2, 4], priority=5)
    assert [node.priority for node in cache.snapshot().nodes()] == [5, 0, 5]


# -- states ------------------------------------------------------------------------------------------------------------


def test_states_of_a_step() -> None:
    """New, reused and untouched; the rest of a split is untouched although it is recent."""
    cache = RadixCache(20)
    cache.new_step()
    cache.insert([1, 2, 3, 4])
    cache.insert([7])
    assert states(cache) == {"1 2 3 4": State.NEW, "7": State.NEW}
    cache.new_step()
    assert states(cache) == {"1 2 3 4": State.RESIDENT, "7": State.RESIDENT}
    cache.insert([1, 2, 5])
    assert states(cache) == {"1 2": State.REUSED, "3 4": State.RESIDENT, "5": State.NEW, "7": State.RESIDENT}


def test_two_requests_inside_one_node_both_colour_it() -> None:
    """The shorter walk does not hide the longer one, whichever splits the node first."""
    cache = RadixCache(20)
    cache.insert([1, 2, 3, 4, 5, 6])
    cache.new_step()
    long, short = cache.begin([1, 2, 3, 4, 9]), cache.begin([1, 2, 8])
    for lease, token in ((short, 8), (long, 9)):
        cache.extend(lease, 1)
        cache.commit(lease, [token])
        cache.finish(lease)
    assert outline(cache) == ["1 2", "  3 4", "    5 6", "    9", "  8"]
    assert states(cache) == {
        "1 2": State.REUSED,
        "3 4": State.REUSED,
        "5 6": State.RESIDENT,
        "9": State.NEW,
        "8": State.NEW,
    }


def test_a_split_by_hand_leaves_the_walk_where_it_was() -> None:
    """Only as much is blue as was walked."""
    cache = RadixCache(20)
    node = cache.insert([1, 2, 3, 4, 5, 6])[1]
    cache.new_step()
    cache.match([1, 2])
    head = cache.split(node, 4)
    cache.split(head, 2)
    assert states(cache) == {"1 2": State.REUSED, "3 4": State.RESIDENT, "5 6": State.RESIDENT}


def test_a_trimmed_node_shows_no_more_tokens_walked_than_it_has() -> None:
    """What is left of it was walked whole."""
    cache = RadixCache(20, unit="page")
    cache.insert([1, 2, 3, 4, 5, 6])
    cache.new_step()
    cache.match([1, 2, 3, 4])
    cache.evict(3)
    (node,) = cache.snapshot().nodes()
    assert (node.size, node.used_in, node.part_to) == (3, 1, 0)


def test_a_tombstone_lasts_to_the_end_of_its_step() -> None:
    """It tells where the node hung and why it went; the next step has none."""
    cache = RadixCache(4)
    cache.new_step()
    cache.insert([1, 2])
    cache.insert([1, 2, 3, 4])
    cache.new_step()
    parent, child = node_ending(cache, 1, 2).id, node_ending(cache, 1, 2, 3, 4).id
    cache.insert([8, 9, 10])
    graves = cache.snapshot().tombstones
    assert [(grave.node, grave.parent, grave.why) for grave in graves] == [(child, parent, "lru"), (parent, 0, "lru")]
    cache.new_step()
    assert cache.snapshot().tombstones == ()


def test_next_victim_is_who_goes_next() -> None:
    """Whatever was said before an eviction comes true."""
    cache = RadixCache(20)
    for key in ([1, 2], [1, 3], [4], [1, 2, 5]):
        cache.insert(key)
    while (victim := cache.snapshot().next_victim) is not None:
        assert cache.evict(1)[0].node == victim
    assert outline(cache) == []


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_ids_and_clock_are_deterministic() -> None:
    """Two caches that are asked the same give the same events, byte for byte."""
    one, two = RadixCache(12), RadixCache(12)
    for cache in (one, two):
        for key in ([1, 2, 3, 4], [1, 2, 5], [6, 7, 8], [1, 2, 3, 9], [10, 11, 12]):
            cache.insert(key, "" if key[0] != 6 else "other")
    assert one.take_events() == two.take_events()
    assert one.snapshot() == two.snapshot()


def test_events_are_handed_out_once() -> None:
    """Taking them empties the list; a cache told to keep none has none."""
    cache = RadixCache(10)
    cache.insert([1, 2, 3])
    cache.insert([1, 2, 4])
    (split,) = (event for event in cache.take_events() if isinstance(event, Split))
    assert (split.node, split.at) == (node_ending(cache, 1, 2, 3).id, 2)
    assert cache.take_events() == []
    silent = RadixCache(10, events=False)
    silent.insert([1, 2, 3])
    assert silent.take_events() == []


def test_integrity_notices_damage() -> None:
    """A slot in two nodes, a wrong lock, a lost slot: each is found."""
    for damage in ("slots", "locks", "in_flight"):
        cache = RadixCache(10)
        cache.insert([1, 2])
        cache.insert([3, 4])
        first, second = (cache._state.nodes[node.id] for node in cache.snapshot().nodes())
        cache.check_integrity()
        if damage == "slots":
            first.slots = second.slots
        elif damage == "locks":
            first.locks += 1
        else:
            cache._slots.take(1)
        with pytest.raises(AssertionError):
            cache.check_integrity()


def test_many_sequences_with_one_long_beginning_take_little_memory() -> None:
    """Ten thousand branches of one prefix keep no copy, nor a view, of it: under twice what the tokens themselves take.

    A token's key and slot take eight bytes.
    """
    prefix: Int32Array = np.arange(10_000, dtype=np.int32)
    cache = RadixCache(1_010_000 + 100, events=False)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for branch in range(10_000):
        cache.insert(np.concatenate((prefix, np.full(100, 20_000 + branch, dtype=np.int32))))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert cache.snapshot().resident == 1_010_000
    assert grown < 2 * 8 * cache.snapshot().resident
