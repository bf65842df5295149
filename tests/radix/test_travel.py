"""Travelling: every way through time agrees with a plain look at all events, while the recording grows, too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.radix import CacheConfig, NodeView, RadixCache, Snapshot, as_key
from radixchat.radix import events as ev
from radixchat.radix.recording import Header, Recorder, Recording
from radixchat.radix.travel import Cut, Diff, Loss, NoStep, Travel, diff

Turn = tuple[list[int], int, int]  # prompt, tokens of the reply, and what else happens

TURNS = st.lists(st.tuples(st.lists(st.integers(1, 3), min_size=1, max_size=12), st.integers(0, 20), st.integers(0, 9)))


def play(cache: RadixCache, turn: Turn) -> None:
    """Runs one request, and sometimes what a person may do besides."""
    prompt, reply, more = turn
    cache.new_step()
    lease = cache.begin(prompt, "other" if more == 9 else "")
    cache.extend(lease, len(prompt) - len(lease))
    cache.commit(lease, prompt[lease.computed :])
    for token in range(reply):
        cache.extend(lease, 1)
        cache.commit(lease, [token % 3 + 1])
    cache.finish(lease, keep=more != 1, uncached=[7])
    if more == 2:
        cache.evict(9)
    elif more == 3:
        cache.reset()
    elif more == 4:
        cache.resize(40 if cache.capacity == 48 else 48)


def record(turns: list[Turn], unit: str = "leaf") -> Recording:
    """The recording of a small chat."""
    cache = RadixCache(48, unit=unit)
    recorder = Recorder(Header(cache.config), lambda token: b"%d " % token)
    for turn in turns:
        play(cache, turn)
        recorder.add(cache.take_events())
    recorder.flush()
    return recorder.recording


def of_events(*events: ev.Event) -> Recording:
    return Recording(Header(CacheConfig(64)), list(events))


# -- stops and steps ---------------------------------------------------------------------------------------------------


def naive(places: list[int], end: int) -> Callable[[int, int], int]:
    """Walks a list of places one by one; the end is one of them."""

    def move(position: int, by: int) -> int:
        for _ in range(abs(by)):
            ahead = [place for place in (*places, end) if place > position]
            behind = [place for place in (0, *places) if place < position]
            position = min(ahead, default=position) if by > 0 else max(behind, default=position)
        return position

    return move


@settings(max_examples=60, deadline=None)
@given(TURNS, st.data())
def test_every_way_agrees_with_a_plain_scan(turns: list[Turn], data: st.DataObject) -> None:
    """By stops, by steps and from kind to kind, wherever one starts."""
    recording = record(turns)
    events = recording.events
    travel = Travel(recording)
    position = data.draw(st.integers(0, len(events)))
    by = data.draw(st.integers(-4, 4))

    assert travel.end == len(events)
    assert travel.stop(position, by) == naive(recording.stops(), len(events))(position, by)
    assert travel.step(position, by) == naive([step.end for step in recording.steps], len(events))(position, by)
    assert travel.step_at(position) == recording.at(position).step
    assert [travel.stop_at(index) for index in range(travel.stop_count)] == recording.stops()
    assert travel.stop_at(travel.stop_index(position)) == max(at for at in recording.stops() if at <= position)
    for kinds in ((ev.Split,), (ev.Evicted, ev.Trimmed)):
        after = [index + 1 for index, event in enumerate(events) if isinstance(event, kinds)]
        assert travel.next_of(position, kinds, 1) == min((at for at in after if at > position), default=None)
        assert travel.next_of(position, kinds, -1) == max((at for at in after if at < position), default=None)
    for step in recording.steps:
        assert travel.end_of(step.number) == step.end
    assert list(travel.steps()) == [(step.number, step.start) for step in recording.steps]


def test_an_index_follows_a_growing_recording() -> None:
    """What was the end becomes a place like any other."""
    recording = of_events(ev.StepOpened(1), ev.Reserved(3))
    travel = Travel(recording)
    assert [travel.stop(0, 1), travel.stop(1, 1), travel.end_of(1)] == [1, 2, 2]

    recording.events += [ev.Released(3), ev.StepOpened(2), ev.Resized(32)]
    assert [travel.stop(1, 1), travel.end_of(1), travel.end_of(2)] == [4, 3, 5]
    assert travel.next_of(0, (ev.Resized,)) == 5
    assert travel.next_of(0, (ev.StepOpened,), 2) == 4
    assert travel.next_of(0, (ev.StepOpened,), 3) is None


def test_events_before_the_first_step_are_a_stretch_of_their_own() -> None:
    """Stepping back from the first step leads to what was there when it began, then to nothing."""
    travel = Travel(of_events(ev.Resized(32), ev.Resized(16), ev.StepOpened(1), ev.Resized(8)))
    assert [travel.step(4, -1), travel.step(4, -2), travel.step(4, -3)] == [2, 0, 0]
    assert [travel.step(0, 1), travel.step(1, 1), travel.step(2, 1)] == [2, 2, 4]
    assert travel.end_of(0) == 2


def test_nothing_leads_out_of_a_recording() -> None:
    """Also where it is empty."""
    travel = Travel(of_events())
    assert [travel.stop(5, 1), travel.stop(-5, -1), travel.step(0, 9), travel.step_at(7), travel.end_of(0)] == [0] * 5


def test_a_step_that_is_not_there_is_named_with_those_that_are() -> None:
    """One line says what is wrong, one what to do."""
    with pytest.raises(NoStep) as raised:
        Travel(of_events(ev.StepOpened(1), ev.StepOpened(2))).end_of(3)
    assert (raised.value.what, raised.value.fix) == ("there is no step 3", "It has the steps 1 to 2.")
    with pytest.raises(NoStep, match="no steps yet"):
        Travel(of_events()).end_of(1)


# -- differences -------------------------------------------------------------------------------------------------------


def sizes(snapshot: Snapshot) -> dict[int, int]:
    return {node.id: node.size for node in snapshot.nodes()}


def kept(before: NodeView, after: NodeView) -> bool:
    """Whether a later walk left its mark on a node."""
    return (before.used_in, before.part_in, before.hits, before.last) != (
        after.used_in, after.part_in, after.hits, after.last,
    )  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(TURNS, st.sampled_from(["leaf", "page"]), st.data())
def test_a_difference_agrees_with_both_snapshots(turns: list[Turn], unit: str, data: st.DataObject) -> None:
    """Ids, sizes and sums, whatever happened between."""
    recording = record(turns, unit)
    places = st.integers(0, len(recording.events))
    start, end = sorted((data.draw(places), data.draw(places)))
    told = diff(recording, start, end)
    before, after = recording.at(start), recording.at(end)
    old, new = sizes(before), sizes(after)
    heads = {cut.head for cut in told.split}
    gone = {loss.node for loss in told.lost if loss.whole}

    assert (told.start, told.end, told.before, told.after) == (start, end, before, after)
    assert new.keys() - old.keys() - heads <= told.added.keys() <= new.keys() - old.keys()
    assert old.keys() - new.keys() == old.keys() & gone
    assert gone.isdisjoint(new)
    assert all(new[node] == tokens for node, tokens in told.added.items())
    assert all(0 < tokens <= new[node] for node, tokens in told.grown.items())
    assert all(0 < tokens <= new[node] and node not in told.added for node, tokens in told.touched.items())
    had = sum(loss.had for loss in told.lost)
    assert told.resident == sum(told.added.values()) + sum(told.grown.values()) - had
    assert told.free == after.free - before.free
    assert bool(told) or (old == new and told.resident == 0)
    assert diff(recording, end, start) == told


@settings(max_examples=60, deadline=None)
@given(TURNS, st.data())
def test_walked_nodes_are_those_that_a_snapshot_shows_as_used(turns: list[Turn], data: st.DataObject) -> None:
    """Over whole steps: nodes whose marks of use changed, except where a request walked what it had made."""
    recording = record(turns)
    ends = [0, *(step.end for step in recording.steps)]
    start, end = sorted((data.draw(st.sampled_from(ends)), data.draw(st.sampled_from(ends))))
    told = diff(recording, start, end)
    before = {node.id: node for node in told.before.nodes()}
    marked = {node.id for node in told.after.nodes() if node.id in before and kept(before[node.id], node)}
    assert marked - {cut.node for cut in told.split} <= told.touched.keys()
    assert told.touched.keys() & before.keys() <= marked | {cut.node for cut in told.split}


def tree(*events: ev.Event) -> Recording:
    """A tree of one node, #1 with ten tokens, and what happens to it from position 3 on."""
    key = as_key(range(10))
    first = [ev.StepOpened(1), ev.Reserved(10), ev.Inserted(1, 0, key, as_key(range(1, 11)), 1)]
    return of_events(*first, *events)


def keys(tokens: int, start: int = 100) -> tuple[bytes, bytes]:
    return as_key(range(start, start + tokens)), as_key(range(start, start + tokens))


def told_of(*events: ev.Event) -> Diff:
    recording = tree(*events)
    return diff(recording, 3, len(recording.events))


def test_a_node_split_twice_tells_both_cuts() -> None:
    """The tail keeps its id; nothing is new and nothing is lost."""
    told = told_of(ev.Split(1, 2, 6, 1), ev.Split(2, 3, 4, 1), ev.Split(1, 4, 1, 1))
    assert told.split == (Cut(1, 2, 6), Cut(2, 3, 4), Cut(1, 4, 1))
    assert (told.added, told.grown, told.lost, told.resident) == ({}, {}, (), 0)


def test_a_tail_that_went_after_its_split_is_lost_and_its_head_is_not_new() -> None:
    """Two snapshots alone could not tell the head from a new node."""
    told = told_of(ev.Split(1, 2, 6, 1), ev.Evicted(1, 4, "lru", 0, 0, 4))
    assert told.added == {}
    assert told.lost == (Loss(1, 4, 4, "lru", True),)
    assert told.evicted == {1: 4}


def test_a_node_evicted_and_added_again_is_both() -> None:
    """Even with the same tokens in the same slots."""
    again = ev.Inserted(2, 0, as_key(range(10)), as_key(range(1, 11)), 2)
    told = told_of(ev.Evicted(1, 10, "lru", 0, 1, 5), ev.Reserved(10), again)
    assert (told.added, told.evicted, told.resident) == ({2: 10}, {1: 10}, 0)


def test_what_came_and_went_is_told_apart_from_what_was_there() -> None:
    """It changes no sum."""
    key, slots = keys(5)
    told = told_of(ev.Reserved(5), ev.Inserted(2, 1, key, slots, 2), ev.Evicted(2, 5, "discarded", 0, 0, 0))
    assert told.lost == (Loss(2, 5, 0, "discarded", True),)
    assert (told.added, told.evicted, told.resident) == ({}, {}, 0)


def test_growth_follows_a_split() -> None:
    """Grown tokens stand at the end, so that the tail has them, or both halves."""
    key, slots = keys(4)
    grow = (ev.Reserved(4), ev.Grown(1, key, slots))
    assert told_of(*grow, ev.Split(1, 2, 6, 1)).grown == {1: 4}
    late = told_of(*grow, ev.Split(1, 2, 12, 1))
    assert (late.grown, late.added) == ({1: 2, 2: 2}, {})
    assert told_of(*grow, ev.Split(1, 2, 12, 1), ev.Evicted(1, 2, "lru", 0, 0, 1)).evicted == {}


def test_a_trimmed_end_takes_new_tokens_first() -> None:
    """They stand last."""
    key, slots = keys(4)
    told = told_of(ev.Reserved(4), ev.Grown(1, key, slots), ev.Trimmed(1, 6, "lru", 0, 0, 6))
    assert told.lost == (Loss(1, 6, 2, "lru", False),)
    assert (told.grown, told.evicted, told.resident) == ({}, {}, -2)


def test_a_partial_match_is_divided_by_a_split() -> None:
    """Only the head was walked."""
    told = told_of(ev.StepOpened(2), ev.Matched(1, 6, 0, 6, 2, True), ev.Split(1, 2, 6, 2))
    assert told.touched == {2: 6}
    assert told_of(ev.StepOpened(2), ev.Matched(1, 6, 0, 6, 2, True), ev.Split(1, 2, 4, 2)).touched == {1: 2, 2: 4}


def test_forgetting_everything_is_a_loss_with_its_own_reason() -> None:
    """Every node goes."""
    told = told_of(ev.Split(1, 2, 6, 1), ev.Cleared())
    assert {loss.node: (loss.tokens, loss.why) for loss in told.lost} == {1: (4, "cleared"), 2: (6, "cleared")}
    assert told.resident == -10


def test_a_change_of_capacity_alone_can_be_told() -> None:
    """And nothing at all cannot."""
    assert told_of(ev.Resized(32))
    assert not told_of(ev.Locked(1, 0), ev.Unlocked(1, 0))
