"""Hash blocks and a radix tree are one cache, on requests one after another: where exactly, and where not.

The tree evicts pages, refreshes the prefix half of a split and breaks ties deepest first; a page is a block. Then:

- prompts of whole blocks, the next token being no part of them: equal under vllm-0.6.3, vllm-0.11, vllm-0.33 and
  nano-vllm, hit by hit, eviction by eviction, and in what stays;
- with a last block that is not full: only under vllm-0.33, which takes such a block again first. In the other orders
  it waits in the queue like any other, and something that could be found is evicted for it;
- with prompts that are there as a whole: only vllm-0.6.3 with blocks of one token. One token is computed again for
  its logits; v0 has the last block in its table and computes it in place, V1 computes it into a second block.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.radix import PRESETS, HashBlockCache, PrefixCache, RadixCache
from radixchat.radix.keys import Tokens as AnyTokens
from radixchat.radix.keys import as_key, count

from .rig import Content, Tokens, pages_of

EQUAL = ["vllm-0.6.3", "vllm-0.11", "vllm-0.33", "nano-vllm"]
SHORT = ["vllm-0.4.2", "vllm-0.5.4"]
NEXT = as_key([-1])

TRACES = os.environ.get("RADIXCHAT_TRACES", "")


class Outcome(NamedTuple):
    """What one request found and evicted, in blocks, and what is in the cache afterwards."""

    hits: int
    evicted: int
    content: frozenset[Content] = frozenset()


def tree(blocks: int, page: int, unit: str = "page", split_recency: str = "prefix") -> RadixCache:
    return RadixCache(
        blocks * page, page_size=page, unit=unit, split_recency=split_recency, tie="deepest", events=False
    )


def hashed(preset: str, blocks: int, page: int) -> HashBlockCache:
    rules = replace(PRESETS[preset], multiple=1)
    return HashBlockCache(blocks * page, rules=rules, block_size=page, events=False)


def serve(
    cache: PrefixCache, prompts: Sequence[AnyTokens], *, following: bool = True, content: bool = False
) -> list[Outcome]:
    """Runs prompts one after another.

    Args:
        cache: Empty.
        prompts: None has more blocks than the cache.
        following: A token follows each prompt, so that a whole prompt may be found; otherwise its last is left.
        content: Look at the cache after every request.
    """
    outcomes = []
    page = cache.config.page_size
    for tokens in prompts:
        prompt = as_key(tokens)
        lease = cache.begin(prompt + NEXT if following else prompt)
        hits = lease.computed // page
        gone = cache.extend(lease, max(0, count(prompt) - len(lease))).evicted
        cache.commit(lease, prompt[4 * lease.computed :])
        cache.finish(lease)
        kept = frozenset(pages_of(cache.snapshot())) if content else frozenset()
        outcomes.append(Outcome(hits, sum(each.tokens for each in gone) // page, kept))
    cache.check_integrity()
    return outcomes


def prompts_of(seed: int, page: int, requests: int = 120) -> tuple[int, list[Tokens]]:
    """A capacity in blocks, and prompts of at most 20 whole blocks that branch from earlier ones at any block."""
    chance = random.Random(seed)
    blocks = chance.randint(25, 80)
    prompts: list[Tokens] = [()]
    for number in range(requests):
        earlier = chance.choice(prompts[-30:])
        kept = earlier[: chance.randint(0, len(earlier) // page) * page]
        fresh = chance.randint(0 if kept else 1, 20 - len(kept) // page) * page
        tail = tuple(chance.randrange(3) for _ in range(fresh)) if chance.random() < 0.5 else (1000 + number,) * fresh
        prompts.append(kept + tail)
    return blocks, prompts[1:]


def followed(prompts: list[Tokens]) -> list[Tokens]:
    """The same prompts, each with a token that no other has; with larger blocks the last one is not full."""
    return [(*prompt, -2 - number) for number, prompt in enumerate(prompts)]


def total(outcomes: list[Outcome]) -> tuple[int, int]:
    return sum(each.hits for each in outcomes), sum(each.evicted for each in outcomes)


# -- where they are equal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 2, 4])
@pytest.mark.parametrize("preset", EQUAL)
def test_prompts_of_whole_blocks(preset: str, page: int) -> None:
    """The same hits, the same evictions and the same blocks in the cache, after each of many requests."""
    for seed in range(12):
        blocks, prompts = prompts_of(seed, page)
        look = seed < 4
        expected = serve(tree(blocks, page), prompts, content=look)
        assert serve(hashed(preset, blocks, page), prompts, content=look) == expected, seed
        assert total(expected)[1] > 100


@pytest.mark.parametrize("page", [2, 4])
def test_a_last_block_that_is_not_full(page: int) -> None:
    """In 0.33 it is reused first, as the tree gives such a page back at once."""
    for seed in range(12):
        blocks, prompts = prompts_of(seed, page)
        prompts = followed(prompts)
        expected = serve(tree(blocks + 1, page), prompts, following=False, content=seed < 4)
        assert serve(hashed("vllm-0.33", blocks + 1, page), prompts, following=False, content=seed < 4) == expected


def test_whole_prompts_that_are_there() -> None:
    """v0 computes the last token again where it is; the tree, with pages of one token, into a slot beside the pool."""
    for seed in range(12):
        blocks, prompts = prompts_of(seed, 1)
        expected = serve(tree(blocks, 1), prompts, following=False, content=seed < 4)
        assert serve(hashed("vllm-0.6.3", blocks, 1), prompts, following=False, content=seed < 4) == expected


SMALL = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=6), max_size=25)


@settings(max_examples=120, deadline=None)
@given(SMALL, st.sampled_from([1, 2]), st.integers(6, 14), st.sampled_from(EQUAL))
def test_any_sequential_requests(paths: list[list[int]], page: int, blocks: int, preset: str) -> None:
    """Small alphabets and tiny pools, every request looked at."""
    prompts = [tuple(token for token in path for _ in range(page)) for path in paths]
    expected = serve(tree(blocks, page), prompts, content=True)
    assert serve(hashed(preset, blocks, page), prompts, content=True) == expected


# -- where they are not, and why ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 4])
@pytest.mark.parametrize("preset", SHORT)
def test_a_flag_that_is_one_block_short_costs_hits_and_nothing_else(preset: str, page: int) -> None:
    """0.4.2 and 0.5.4: the same blocks are kept and evicted; of what is there, one block a request may not count."""
    lost = 0
    for seed in range(12):
        blocks, prompts = prompts_of(seed, page)
        trees, hashes = serve(tree(blocks, page), prompts), serve(hashed(preset, blocks, page), prompts)
        assert [each.evicted for each in hashes] == [each.evicted for each in trees]
        assert {tree.hits - hash.hits for tree, hash in zip(trees, hashes, strict=True)} <= {0, 1}
        lost += total(trees)[0] - total(hashes)[0]
    assert lost > 0


@pytest.mark.parametrize("preset", ["vllm-0.11", "vllm-0.33", "nano-vllm"])
def test_a_prompt_found_whole_costs_a_second_block(preset: str) -> None:
    """V1 leaves the last block to compute, and computes it into a new one: a, b, and a again evict b."""
    prompts = [(1,), (2,), (1,)]
    assert total(serve(tree(2, 1), prompts, following=False)) == (0, 0)
    assert total(serve(hashed("vllm-0.6.3", 2, 1), prompts, following=False)) == (0, 0)
    found = serve(hashed(preset, 2, 1), prompts, following=False)
    assert [each.evicted for each in found] == [0, 0, 1]
    more = fewer = 0
    for seed in range(12):
        blocks, prompts = prompts_of(seed, 1)
        wanted = total(serve(tree(blocks, 1), prompts, following=False))
        given = total(serve(hashed(preset, blocks, 1), prompts, following=False))
        more, fewer = more + given[1] - wanted[1], fewer + wanted[0] - given[0]
    assert more > 0 and fewer >= 0


@pytest.mark.parametrize("preset", ["vllm-0.6.3", "vllm-0.11", "nano-vllm"])
def test_a_block_that_is_not_full_is_kept_in_the_other_orders(preset: str) -> None:
    """Four blocks: the third request takes the half and the full one of the first, though two half ones are idle."""
    prompts = [(1, 1, 1), (2, 2, 2), (3, 3, 3), (1, 1, 1)]
    for cache in (tree(4, 2), hashed("vllm-0.33", 4, 2)):
        outcomes = serve(cache, prompts, following=False)
        assert ([each.hits for each in outcomes], total(outcomes)[1]) == ([0, 0, 0, 1], 0)
    outcomes = serve(hashed(preset, 4, 2), prompts, following=False)
    assert [each.hits for each in outcomes] == [0, 0, 0, 0] and total(outcomes)[1] > 0


@pytest.mark.parametrize(("unit", "split_recency"), [("leaf", "prefix"), ("page", "both"), ("leaf", "both")])
def test_whole_leaves_and_both_halves_are_another_cache(unit: str, split_recency: str) -> None:
    """SGLang's rules, and each of the two alone: few workloads agree."""
    agreed = 0
    for seed in range(20):
        blocks, prompts = prompts_of(seed, 1)
        agreed += serve(tree(blocks, 1, unit, split_recency), prompts) == serve(hashed("vllm-0.33", blocks, 1), prompts)
    assert agreed < 5


# -- a public trace ----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not TRACES, reason="RADIXCHAT_TRACES names no folder of public traces")
def test_a_public_trace() -> None:
    """Mooncake's synthetic trace at 2,000 blocks: 14.64 %, and what the other rules make of it."""
    lines = (Path(TRACES) / "synthetic_trace.jsonl").read_text(encoding="utf-8").splitlines()
    prompts = [np.array(json.loads(line)["hash_ids"], dtype=np.int32) for line in lines]
    prompts = [prompt for prompt in prompts if prompt.size <= 2000]
    expected = serve(tree(2000, 1), prompts)
    assert total(expected) == (17839, 102038)
    for preset in ("vllm-0.11", "vllm-0.33"):
        assert serve(hashed(preset, 2000, 1), prompts) == expected
    others: dict[tuple[str, str], Callable[[], PrefixCache]] = {
        (unit, split): lambda unit=unit, split=split: tree(2000, 1, unit, split)  # type: ignore[misc]
        for unit, split in (("leaf", "prefix"), ("page", "both"), ("leaf", "both"))
    }
    assert {rules: total(serve(make(), prompts)) for rules, make in others.items()} == {
        ("leaf", "prefix"): (17541, 102339),
        ("page", "both"): (17804, 102073),
        ("leaf", "both"): (17541, 102336),
    }
    assert total(serve(hashed("vllm-0.33", 2000, 1), prompts, following=False)) == (
        17814,
        102063,
    )
    first = prompts[:1200]
    assert serve(hashed("vllm-0.6.3", 2000, 1), first) == serve(tree(2000, 1), first)
