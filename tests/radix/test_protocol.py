"""What every prefix cache owes an engine, whatever it keeps and however."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from radixchat.radix import PRESETS, HashBlockCache, LastSequence, NoCache, NoRoom, PrefixCache, RadixCache

from .rig import Request, Rig, Tokens

Factory = Callable[[int, int], PrefixCache]


def blocks(preset: str, capacity: int, page: int) -> PrefixCache:
    return HashBlockCache(capacity, rules=replace(PRESETS[preset], multiple=1), block_size=page)


FACTORIES: dict[str, Factory] = {
    "radix": lambda capacity, page: RadixCache(capacity, page_size=page),
    "radix, prefix rule": lambda capacity, page: RadixCache(
        capacity, page_size=page, split_recency="prefix", unit="page"
    ),
    "last sequence": lambda capacity, page: LastSequence(capacity, page_size=page),
    "no cache": lambda capacity, page: NoCache(capacity, page_size=page),
    **{preset: partial(blocks, preset) for preset in PRESETS},
}

PAGES = [1, 4]


@pytest.fixture(params=FACTORIES, ids=str)
def make(request: pytest.FixtureRequest) -> Factory:
    """Makes one kind of cache, of a capacity and a page size."""
    return FACTORIES[request.param]


@pytest.fixture(params=PAGES, ids=lambda page: f"page{page}")
def page(request: pytest.FixtureRequest) -> int:
    page: int = request.param
    return page


def keeps(cache: PrefixCache) -> bool:
    return not isinstance(cache, NoCache)


def kept(cache: PrefixCache, tokens: int) -> int:
    """How many of a sequence's tokens the next one may reuse: whole pages, and under two presets one less."""
    pages = tokens // cache.config.page_size
    if isinstance(cache, HashBlockCache) and cache.rules.computed_gate == "flag-short":
        pages -= 1
    return pages * cache.config.page_size if keeps(cache) else 0


def test_a_request_leaves_all_memory_to_the_next(make: Factory, page: int) -> None:
    """While it runs and when it is over, every slot is free, in flight, protected or evictable."""
    rig = Rig(make(40, page))
    request = rig.begin(tuple(range(10)))
    rig.check()
    rig.extend(request, 10)
    assert rig.check().in_flight >= 10
    rig.commit(request, tuple(range(10)))
    rig.decode(request, (10, 11, 12))
    rig.check()
    rig.finish(request, uncached=(13,))
    snapshot = rig.check()
    assert (snapshot.in_flight, snapshot.protected) == (0, 0)
    rig.cache.evict(40)
    assert rig.check().free == 40


def test_one_token_at_least_is_left_to_compute(make: Factory, page: int) -> None:
    """Its logits are what the request is for; whole pages before it are reused."""
    rig = Rig(make(40, page))
    rig.turn(tuple(range(9)))
    for size in (1, 3, 4, 5, 8, 9):
        request = rig.begin(tuple(range(size)))
        expected = min((size - 1) // page * page, kept(rig.cache, 9))
        assert request.lease.computed == expected
        rig.prefill(request)
        rig.check()
        rig.finish(request)
        if isinstance(rig.cache, LastSequence):
            rig.turn(tuple(range(9)))


def test_an_empty_prompt_is_refused(make: Factory, page: int) -> None:
    """And leaves no lease behind."""
    cache = make(40, page)
    with pytest.raises(ValueError, match="empty prompt"):
        cache.begin([])
    cache.check_integrity()


def test_nothing_is_shared_before_it_is_committed(make: Factory, page: int) -> None:
    """Slots that were given out hold no K/V yet: the same prompt finds them only after the commit."""
    rig = Rig(make(40, page))
    first = rig.begin(tuple(range(9)))
    rig.extend(first, 9)
    assert rig.cache.peek(tuple(range(9))).matched == 0
    second = rig.begin(tuple(range(9)))
    assert second.lease.computed == 0
    rig.commit(first, tuple(range(9)))
    third = rig.begin(tuple(range(9)))
    assert third.lease.computed == min(8, kept(rig.cache, 9))
    rig.check()


def test_tokens_computed_twice_are_kept_once(make: Factory, page: int) -> None:
    """Two requests compute the same prompt side by side; whoever commits second may be told of other slots."""
    rig = Rig(make(40, page))
    requests = [rig.begin(tuple(range(8))) for _ in range(2)]
    for request in requests:
        rig.extend(request, 8)
    for request in requests:
        update = rig.commit(request, tuple(range(8)))
    snapshot = rig.check()
    remapped = sum(remap.slots.size for remap in update.remaps)
    match rig.cache.rules.dedup if isinstance(rig.cache, HashBlockCache) else "tree" if keeps(rig.cache) else "":
        case "tree" | "replace":
            assert (snapshot.resident, snapshot.in_flight, remapped) == (8, 0, 8)
        case "promote":  # hashed before they are computed, so that both compute the same blocks
            assert (snapshot.resident, snapshot.in_flight, remapped) == (8, 0, 0)
        case "none":
            assert (snapshot.resident, snapshot.in_flight, remapped) == (16, 0, 0)
        case "overwrite":
            assert (snapshot.resident, snapshot.in_flight, remapped) == (8, 8, 0)
    for request in requests:
        rig.finish(request)
    rig.check()


def test_a_failed_request_leaves_nothing_of_its_own(make: Factory, page: int) -> None:
    """What it found stays, what it computed goes."""
    rig = Rig(make(40, page))
    rig.turn(tuple(range(8)))
    before = rig.check().resident
    request = rig.begin((*range(8), 20, 21, 22, 23, 24))
    rig.prefill(request)
    rig.finish(request, keep=False)
    assert rig.check().resident == before


def test_forks_go_their_own_ways(make: Factory, page: int) -> None:
    """Two samples of one prompt share it and never write into each other's slots, whoever goes first."""
    for order in ((0, 1), (1, 0)):
        rig = Rig(make(60, page))
        first = rig.begin(tuple(range(6)))
        rig.prefill(first)
        samples = [first, rig.fork(first)]
        rig.check()
        for round in range(6):
            for which in order:
                sample = samples[which]
                if len(sample.tokens) < 6:
                    rig.extend(sample, 6 - len(sample.lease))
                    rig.commit(sample, tuple(range(6))[sample.lease.computed :])
                rig.decode(sample, (100 * which + round,))
                rig.check()
        for sample in samples:
            rig.finish(sample)
        assert rig.check().in_flight == 0


def test_namespaces_are_apart(make: Factory, page: int) -> None:
    """The same prompt in another namespace is another prompt."""
    rig = Rig(make(40, page))
    rig.turn(tuple(range(9)), namespace="one")
    assert rig.cache.peek(tuple(range(9)), "two").matched == 0
    assert rig.cache.peek(tuple(range(9))).matched == 0
    assert rig.begin(tuple(range(9)), "two").lease.computed == 0
    rig.check()


def test_a_preview_comes_true(make: Factory, page: int) -> None:
    """It changes nothing, and what it says is what happens."""
    chance = random.Random(3)
    rig = Rig(make(48, page))
    for _ in range(60):
        prompt = prompt_of(chance)
        before = rig.cache.snapshot()
        peek = rig.cache.peek(prompt)
        assert rig.cache.matched(prompt) == peek.matched
        assert rig.cache.snapshot() == before
        graves = len(before.tombstones)
        request = rig.begin(prompt)
        assert request.lease.computed == peek.reused
        assert peek.fits
        rig.prefill(request)
        new = (grave for grave in rig.check().tombstones[graves:] if grave.why != "overwritten")  # when it is computed
        evicted = [(grave.node, len(grave.key) // 4) for grave in new]
        assert evicted == list(peek.evicts)
        rig.finish(request)


def test_no_room_changes_nothing(make: Factory, page: int) -> None:
    """A request that cannot get what it asks can still have what there is."""
    rig = Rig(make(16, page))
    first = rig.begin(tuple(range(8)))
    rig.prefill(first)
    second = rig.begin((50, 51, 52))
    before = rig.cache.snapshot()
    with pytest.raises(NoRoom) as refused:
        rig.extend(second, 9)
    assert refused.value.available == 8 < refused.value.needed
    assert rig.cache.snapshot() == before
    assert len(second.lease) == 0
    rig.extend(second, 8)
    assert rig.check().free == 0


def test_room_can_be_asked_for_in_pieces(make: Factory, page: int) -> None:
    """Token by token or all at once, the slots are as many, and none is asked for twice."""
    rig = Rig(make(12, page))
    request = rig.begin(tuple(range(12)))
    for _ in range(12):
        rig.extend(request, 1)
    assert len(set(request.lease.slots.tolist())) == 12
    assert rig.cache.extend(request.lease, 0).new_slots.size == 0
    with pytest.raises(NoRoom):
        rig.extend(request, 1)
    rig.check()


def test_reset_waits_for_open_leases(make: Factory, page: int) -> None:
    """Then it forgets everything."""
    rig = Rig(make(40, page))
    request = rig.begin(tuple(range(9)))
    rig.prefill(request)
    with pytest.raises(RuntimeError, match="1 leases are open"):
        rig.cache.reset()
    rig.finish(request)
    rig.cache.reset()
    assert rig.cache.peek(tuple(range(9))).matched == 0
    assert rig.check().free == 40


def test_capacity_can_change(make: Factory, page: int) -> None:
    """A smaller pool evicts, and refuses to go below what is held; a bigger one gives new slots."""
    rig = Rig(make(24, page))
    rig.turn(tuple(range(8)))
    request = rig.begin(tuple(range(30, 38)))
    rig.prefill(request)
    rig.cache.resize(12)
    assert rig.cache.capacity == 12
    rig.check()
    with pytest.raises(NoRoom):
        rig.cache.resize(4)
    rig.cache.resize(40)
    rig.extend(request, 30)
    assert max(request.lease.slots.tolist()) <= rig.cache.highest_slot
    rig.check()


def test_a_finished_lease_is_of_no_use(make: Factory, page: int) -> None:
    """Ending it twice would free its slots twice."""
    cache = make(24, page)
    lease = cache.begin([1, 2])
    cache.finish(lease)
    with pytest.raises(AssertionError, match="finished"):
        cache.finish(lease)


@pytest.mark.parametrize("seed", range(12))
def test_random_requests_side_by_side_keep_their_slots(make: Factory, page: int, seed: int) -> None:
    """Requests that begin, grow, fork, fail and run out of room in any order never see a wrong slot."""
    chance = random.Random(seed)
    rig = Rig(make(32, page))
    for _ in range(150):
        act = chance.random()
        if len(rig.running) < 4 and act < 0.3:
            rig.begin(prompt_of(chance), chance.choice(("", "", "blue")))
        elif rig.running:
            advance(rig, chance.choice(rig.running), chance)
        if act > 0.97:
            rig.cache.evict(chance.randrange(12))
        rig.check()
    for request in list(rig.running):
        rig.finish(request)
    snapshot = rig.check()
    assert (snapshot.in_flight, snapshot.protected) == (0, 0)


def advance(rig: Rig, request: Request, chance: random.Random) -> None:
    """One step of a running request."""
    act = chance.random()
    if act < 0.15:
        rig.finish(request, keep=chance.random() < 0.7)
    elif act < 0.25 and len(rig.running) < 4:
        rig.fork(request)
    elif act < 0.7 and request.room:
        upcoming = (request.prompt + tuple(chance.randrange(3) for _ in range(40)))[len(request.tokens) :]
        rig.commit(request, upcoming[: chance.randint(1, request.room)])
    else:
        try:
            rig.extend(request, chance.randint(1, 6))
        except NoRoom:
            rig.finish(request)


def prompt_of(chance: random.Random) -> Tokens:
    """Few different tokens, so that prompts begin alike."""
    return tuple(chance.randrange(1, 3) for _ in range(chance.randint(1, 14)))


# -- what only some block tables do ------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["vllm-0.4.2", "vllm-0.5.4", "vllm-0.6.3"])
def test_a_fork_of_a_block_table_copies_on_write(preset: str) -> None:
    """The half-full block is shared until one of the two goes on; the other one then has it alone."""
    cache = HashBlockCache(24, preset=preset, block_size=4)
    rig = Rig(cache)
    first = rig.begin(tuple(range(6)))
    rig.prefill(first)
    second = rig.fork(first)
    assert second.lease.slots.tolist() == first.lease.slots.tolist()
    update = rig.extend(second, 1)
    (copies,) = update.copies
    assert copies.sources.tolist() == first.lease.slots[4:6].tolist()
    assert copies.targets.tolist() == second.lease.slots[4:6].tolist()
    assert [remap.start for remap in update.remaps] == [4]
    assert rig.extend(first, 1).copies == ()
    rig.check()
