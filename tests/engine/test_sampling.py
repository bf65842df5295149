"""Sampling from one row of logits."""

from __future__ import annotations

import numpy as np
import pytest

from radixchat.chat.engine.params import SamplingParams
from radixchat.chat.engine.runner import Sampler
from radixchat.chat.engine.sampling import candidates, sample

DRAWS = 4000


def row(probabilities):
    return np.log(np.array(probabilities, dtype=np.float32))


def kept(logits, **params):
    return candidates(np.asarray(logits, dtype=np.float32), SamplingParams(**params))[0].tolist()


def frequencies(logits, seed=0, **params):
    sampler = Sampler(SamplingParams(**params), np.random.default_rng(seed))
    return np.bincount([sample(logits, sampler) for _ in range(DRAWS)], minlength=logits.size) / DRAWS


def test_greedy_takes_the_lowest_of_equal_ids_and_no_random_number():
    sampler = Sampler(SamplingParams(temperature=0), np.random.default_rng(3))
    assert sample(np.array([0, 2, 2, 1], dtype=np.float32), sampler) == 1
    assert sampler.random.random() == np.random.default_rng(3).random()


def test_frequencies_follow_the_probabilities():
    assert frequencies(row([0.5, 0.3, 0.2])) == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_temperature_flattens():
    assert frequencies(row([0.64, 0.16, 0.2]), temperature=2.0) == pytest.approx(
        np.sqrt([0.64, 0.16, 0.2]) / np.sqrt([0.64, 0.16, 0.2]).sum(), abs=0.03
    )


def test_a_tiny_temperature_is_greedy():
    assert frequencies(row([0.2, 0.5, 0.3]), temperature=1e-30)[1] == 1


@pytest.mark.parametrize("temperature", [1e-46, 2.0**-150, 2.0**-149, 1e-42])
def test_a_temperature_is_greedy_where_float32_rounds_it_to_0(temperature):
    params = SamplingParams(temperature=temperature)
    sampler = Sampler(params, np.random.default_rng(3))
    assert params.greedy == (np.float32(temperature) == 0)
    assert sample(row([0.2, 0.5, 0.3]), sampler) == 1
    assert params.greedy == (sampler.random.random() == np.random.default_rng(3).random())


@pytest.mark.parametrize("top_k", [0, -1, 5, 99])
def test_top_k_off_keeps_everything(top_k):
    assert kept([1, 2, 3, 4, 5], top_k=top_k) == [0, 1, 2, 3, 4]


def test_top_k_prefers_low_ids_among_equals():
    assert kept([1, 3, 2, 2, 2], top_k=3) == [1, 2, 3]


def test_top_p_keeps_the_fewest_that_reach_it():
    logits = row([0.1, 0.4, 0.2, 0.3])
    assert kept(logits, top_p=0.35) == [1]
    assert kept(logits, top_p=0.65) == [1, 3]
    assert kept(logits, top_p=0.75) == [1, 3, 2]


def test_top_p_prefers_low_ids_among_equals():
    assert kept(np.zeros(10), top_p=0.25) == [0, 1, 2]


@pytest.mark.parametrize("top_p", [0.5, 0.999])
def test_top_p_over_a_large_vocabulary_is_that_of_a_full_sort(top_p):
    logits = np.random.default_rng(0).normal(size=20_000).astype(np.float32)
    order = np.argsort(-logits, kind="stable")
    weights = np.exp((logits - logits.max()).astype(np.float32))[order].astype(np.float64)
    count = int(np.searchsorted(np.cumsum(weights), top_p * weights.sum())) + 1
    found = kept(logits, top_p=top_p)
    assert abs(len(found) - count) <= 1  # sums of 20,000 numbers in another order
    assert found == order[: len(found)].tolist()


def test_top_p_counts_among_what_top_k_left():
    assert kept(row([0.4, 0.3, 0.2, 0.1]), top_k=2, top_p=0.55) == [0]


def test_min_p_compares_with_the_likeliest():
    assert kept(row([0.5, 0.3, 0.15, 0.05]), min_p=0.25) == [0, 1, 2]


def test_excluded_tokens_never_come():
    logits = np.array([0, -np.inf, 0, -np.inf], dtype=np.float32)
    found = frequencies(logits)
    assert found[1] == found[3] == 0


def test_a_seed_decides_and_each_request_has_its_own():
    logits = row(np.full(50, 0.02))
    one, two = (Sampler(SamplingParams(), np.random.default_rng(7)) for _ in range(2))
    other = Sampler(SamplingParams(), np.random.default_rng(8))
    alone = [sample(logits, one) for _ in range(20)]
    among = [(sample(logits, two), sample(logits, other))[0] for _ in range(20)]
    assert alone == among
