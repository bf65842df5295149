"""A radix tree that evicts pages, refreshes prefix halves and breaks ties deepest first is a block LRU cache.

Known to hold on sequential requests, page by page, and under no other rule for splits.
"""

from __future__ import annotations

import random

import pytest

from radixchat.radix import RadixCache

from .rig import Tokens

Counts = tuple[int, int]  # blocks found, blocks evicted


class BlockLRU:
    """Blocks named by the prefix they end; a block's children are never used later than the block itself."""

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        self.last: dict[Tokens, int] = {}
        self.clock = 0
        self.evicted = 0

    def request(self, prompt: Tokens, page: int) -> int:
        """Runs a prompt whose last token is always new; returns how many blocks were found."""
        self.clock += 1
        chain = [prompt[:end] for end in range(page, len(prompt) + 1, page)]
        found = 0
        while found < len(chain) and chain[found] in self.last:
            self.last[chain[found]] = self.clock
            found += 1
        needed = -(-len(prompt) // page) - found  # a block that is not full is needed as well, for a while
        while self.blocks - len(self.last) < needed:
            unused = [block for block, last in self.last.items() if last < self.clock]
            oldest = min(unused, key=lambda block: (self.last[block], -len(block)))
            del self.last[oldest]
            self.evicted += 1
        self.last |= dict.fromkeys(chain[found:], self.clock)
        return found


def workload(seed: int, page: int) -> tuple[int, list[Tokens]]:
    """A capacity in blocks, and prompts of at most 20 blocks and a token that branch from earlier ones at any block."""
    chance = random.Random(seed)
    blocks = chance.randint(25, 80)
    prompts: list[Tokens] = [()]
    for number in range(120):
        earlier = chance.choice(prompts[-30:])
        kept = earlier[: chance.randint(0, len(earlier) // page) * page]
        fresh = chance.randint(0 if kept else 1, 20 - len(kept) // page)
        tail = tuple(chance.randrange(3) for _ in range(fresh * page)) if chance.random() < 0.5 else ()
        prompts.append(kept + (tail or (1000 + number,) * (fresh * page)) or (number,) * page)
    return blocks, [(*prompt, -number) for number, prompt in enumerate(prompts[1:], start=1)]


def run_blocks(blocks: int, prompts: list[Tokens], page: int) -> Counts:
    cache = BlockLRU(blocks)
    return sum(cache.request(prompt, page) for prompt in prompts), cache.evicted


def run_radix(blocks: int, prompts: list[Tokens], page: int, split_recency: str, unit: str) -> Counts:
    cache = RadixCache(
        blocks * page, page_size=page, split_recency=split_recency, unit=unit, tie="deepest", events=False
    )
    found = evicted = 0
    for prompt in prompts:
        lease = cache.begin(prompt)
        found += lease.computed // page
        update = cache.extend(lease, len(prompt) - len(lease))
        evicted += sum(gone.tokens for gone in update.evicted) // page
        cache.commit(lease, prompt[lease.computed :])
        cache.finish(lease)
    cache.check_integrity()
    return found, evicted


@pytest.mark.parametrize("page", [1, 2, 4])
def test_hits_and_evictions_are_those_of_a_block_lru(page: int) -> None:
    """Identical counts on every one of many random workloads."""
    for seed in range(100 if page == 1 else 30):
        blocks, prompts = workload(seed, page)
        assert run_radix(blocks, prompts, page, "prefix", "page") == run_blocks(blocks, prompts, page), seed


@pytest.mark.parametrize(("split_recency", "unit"), [("both", "page"), ("prefix", "leaf"), ("both", "leaf")])
def test_the_other_rules_are_no_block_lru(split_recency: str, unit: str) -> None:
    """Refreshing both halves, or evicting whole leaves, is another policy: few workloads agree."""
    agreed = 0
    for seed in range(20):
        blocks, prompts = workload(seed, 1)
        agreed += run_radix(blocks, prompts, 1, split_recency, unit) == run_blocks(blocks, prompts, 1)
    assert agreed < 5
