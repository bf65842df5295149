"""The honest baselines: what a chat program without a tree keeps, and nothing at all."""

from __future__ import annotations

from radixchat.radix import LastSequence, NoCache, State

from .helpers import assert_memory, node_ending, outline, states
from .rig import Rig


def test_the_last_sequence_is_kept() -> None:
    """The next turn of the same conversation reuses all of it."""
    cache = LastSequence(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3), reply=(4,))
    request = rig.begin((1, 2, 3, 4, 5))
    assert request.lease.computed == 4
    rig.prefill(request)
    rig.finish(request)
    assert outline(cache) == ["1 2 3 4", "  5"]


def test_what_a_new_prompt_does_not_share_goes_at_once() -> None:
    """Although there is room for both; the tombstones say why."""
    cache = LastSequence(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3, 4))
    cache.new_step()
    request = rig.begin((1, 2, 9))
    assert request.lease.computed == 2
    assert outline(cache) == ["1 2"]
    assert_memory(cache, protected=2)
    assert [grave.why for grave in cache.snapshot().tombstones] == ["not last"]
    rig.prefill(request)
    assert states(cache) == {"1 2": State.REUSED, "9": State.NEW}
    rig.check()


def test_a_prompt_within_the_last_sequence_cuts_it() -> None:
    """Going back to an earlier turn loses the later ones."""
    cache = LastSequence(20)
    rig = Rig(cache)
    rig.turn((1, 2, 3, 4))
    rig.turn((1, 2))
    assert outline(cache) == ["1 2"]
    rig.check()


def test_what_runs_beside_is_not_dropped() -> None:
    """Two requests at once each keep what they hold, until a third one begins alone."""
    cache = LastSequence(20)
    rig = Rig(cache)
    first = rig.begin((1, 2, 3))
    rig.prefill(first)
    second = rig.begin((1, 9))
    assert second.lease.computed == 1
    rig.prefill(second)
    assert outline(cache) == ["1", "  2 3", "  9"]
    rig.finish(first)
    rig.finish(second)
    rig.begin((7,))
    assert outline(cache) == []
    rig.check()


def test_its_preview_names_all_that_would_go() -> None:
    """The rest of the node that the prompt leaves is among it, unless a request holds that."""
    cache = LastSequence(20)
    rig = Rig(cache)
    running = rig.begin((1, 2, 3, 4))
    rig.prefill(running)
    other = rig.begin((8, 9))
    rig.prefill(other)
    rig.finish(other)
    node, loose = node_ending(cache, 1, 2, 3, 4).id, node_ending(cache, 8, 9).id
    assert cache.peek((1, 2, 5)).evicts == ((loose, 2),)
    rig.finish(running)
    peek = cache.peek((1, 2, 5))
    assert (peek.reused, peek.evicts) == (2, ((loose, 2), (node, 2)))
    assert cache.peek((1, 2, 5), "other").evicts == ((node, 4), (loose, 2))
    request = rig.begin((1, 2, 5))
    assert [(grave.node, len(grave.key) // 4) for grave in cache.snapshot().tombstones] == list(peek.evicts)
    assert request.lease.computed == 2


def test_no_cache_finds_and_keeps_nothing() -> None:
    """Every prompt is computed whole, and its slots are free when it ends."""
    cache = NoCache(20)
    rig = Rig(cache)
    for _ in range(2):
        request = rig.begin((1, 2, 3))
        assert request.lease.computed == 0
        rig.prefill(request)
        rig.decode(request, (4, 5))
        assert_memory(cache, in_flight=5)
        rig.finish(request, uncached=(6,))
        assert_memory(cache)
    assert outline(cache) == []
    assert cache.peek((1, 2, 3)).matched == 0
    rig.check()


def test_without_a_cache_every_sample_computes_the_prompt() -> None:
    """A fork shares nothing, for nothing is shareable."""
    rig = Rig(NoCache(20))
    request = rig.begin((1, 2, 3))
    rig.prefill(request)
    fork = rig.fork(request)
    assert fork.lease.computed == 0
    rig.extend(fork, 3)
    rig.commit(fork, (1, 2, 3))
    assert rig.check().in_flight == 6
