"""The engine on hash blocks says what it says without a cache: samples, chunks, retraction, many at once, every preset.

The model's reply changes if a single slot is wrong, and it is never asked to read what was never written.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radixchat.chat.engine import Engine, SamplingParams
from radixchat.chat.engine.engine import CACHES, Ask, cache_of
from radixchat.chat.errors import UsageError
from radixchat.radix import PRESETS, CacheConfig, HashBlockCache, LastSequence, NoCache, RadixCache

from .fake import FakeRunner, FakeTokenizer

every_preset = pytest.mark.parametrize("preset", list(PRESETS))


def engine_over(cache: object) -> Engine:
    return Engine(FakeRunner(cache.highest_slot), cache, FakeTokenizer(), name="fake")


def blocks(preset: str, capacity: int, block_size: int = 4) -> Engine:
    """An engine over hash blocks; small blocks for presets that want large ones, too."""
    return engine_over(HashBlockCache(capacity, rules=replace(PRESETS[preset], multiple=1), block_size=block_size))


def texts(engine: Engine, asks: list[Ask]) -> list[tuple[int, ...]]:
    done = engine.run(asks)
    engine.check_integrity()
    return [one.token_ids for one in done]


def tokens(seed: int, size: int) -> list[int]:
    return np.random.default_rng(seed).integers(1, 13, size).tolist()


@every_preset
def test_samples_of_one_prompt(preset: str) -> None:
    """They share blocks; under v0 the last one, until somebody writes."""
    params = SamplingParams(temperature=1, seed=3, n=4, max_tokens=9, ignore_eos=True)
    for size in (7, 8, 9):  # in the middle of a block, at its end, behind it
        asks = [Ask(prompt=tokens(size, size), params=params)]
        engine = blocks(preset, 200)
        assert texts(engine, asks) == texts(engine_over(NoCache(200)), asks)
        assert texts(engine, asks) == texts(engine_over(RadixCache(200)), asks)


@every_preset
def test_a_prompt_of_several_chunks_and_its_next_turn(preset: str) -> None:
    """A chunk is 256 tokens."""
    params = SamplingParams(temperature=0, max_tokens=6, ignore_eos=True)
    engine, cold = blocks(preset, 2000, 16), engine_over(NoCache(2000))
    prompt = tokens(1, 601)
    for turn in range(3):
        asks = [Ask(prompt=prompt, params=params)]
        (reply,) = texts(engine, asks)
        assert (reply,) == tuple(texts(cold, asks))
        prompt = [*prompt, *reply, *tokens(turn + 2, 5)]
    assert engine.run([Ask(prompt=prompt, params=params)])[0].reused_tokens >= 592


@every_preset
def test_requests_that_give_way_to_each_other(preset: str) -> None:
    """A pool too small for all of them: some are retracted, come back, and say the same."""
    params = SamplingParams(temperature=0, max_tokens=30, ignore_eos=True)
    asks = [Ask(prompt=[*tokens(9, 8), *tokens(seed, 6)], params=params) for seed in range(5)]
    engine = blocks(preset, 72)
    done = engine.run(asks)
    engine.check_integrity()
    assert sum(one.retractions for one in done) > 0
    assert [one.token_ids for one in done] == texts(engine_over(NoCache(1000)), asks)


@every_preset
def test_many_requests_that_join_while_others_run(preset: str) -> None:
    """With prefixes in common, and with equal prompts."""
    params = SamplingParams(temperature=0, max_tokens=12, ignore_eos=True)
    asks = [Ask(prompt=[*tokens(9, 11), *tokens(seed % 4, 1 + seed)], params=params) for seed in range(12)]
    engine, replies = blocks(preset, 400), {}
    numbers = [engine.submit(ask)[0] for ask in asks[:5]]
    for ask in asks[5:]:
        for chunk in engine.iterate():
            replies.setdefault(chunk.reply, []).extend(chunk.tokens)
        numbers += engine.submit(ask)
    while engine.busy:
        for chunk in engine.iterate():
            replies.setdefault(chunk.reply, []).extend(chunk.tokens)
    engine.check_integrity()
    cold = texts(engine_over(NoCache(1000)), asks)
    assert [tuple(replies[number]) for number in numbers] == cold


def test_a_cache_of_a_recordings_settings() -> None:
    """By the name in its header."""
    for name, kind in {"radix": RadixCache, "last": LastSequence, "none": NoCache}.items():
        cache = cache_of(name, CacheConfig(64, page_size=4, policy="mru"))
        assert type(cache) is kind and cache.config == CacheConfig(64, page_size=4, policy="mru")
    config = CacheConfig(64, page_size=4, preset="vllm-0.11")
    cache = cache_of("hash", config)
    assert type(cache) is HashBlockCache is CACHES["hash"] and cache.config == config


def test_engines_are_loaded_with_hash_blocks() -> None:
    """And settings that other caches have are refused."""
    config = Engine.load("words", cache="hash", preset="vllm-0.4.2", block_size=8, capacity=100).cache.config
    assert config == CacheConfig(96, page_size=8, preset="vllm-0.4.2")
    assert Engine.load("words", cache="hash").cache.config == CacheConfig(4096, page_size=16, preset="vllm-0.33")
    for wrong, words in (
        ({"cache": "hash", "policy": "mru"}, "cache hash has no policy"),
        ({"cache": "hash", "unit": "page"}, "cache hash has no unit"),
        ({"cache": "radix", "preset": "vllm-0.33"}, "cache radix has no preset"),
        ({"cache": "last", "block_size": 4}, "cache last has no block size"),
        ({"cache": "hash", "preset": "vllm"}, "unknown preset 'vllm': choose one of vllm-0.4.2, "),
        ({"cache": "hash", "preset": "nano-vllm", "block_size": 16}, "multiples of 256; 16 is none"),
        ({"cache": "hash", "capacity": 15}, "no page of 16"),
    ):
        with pytest.raises(UsageError, match=words):
            Engine.load("words", **wrong)
