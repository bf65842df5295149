"""What the radix tree costs: matching (G10) and evicting (G11). Needs no model and no torch."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from ...radix import RadixCache, as_key
from .goals import goal
from .rows import Conditions, Row, Rows, section

PREFIX = 8192
MANY, FEW = 50_000, 100
SECONDS = 10.0


def matching(at: Conditions) -> Rows:
    """A cached prefix of 8k tokens in one node, in eight and in ten, against a Python loop over the same tokens."""
    for nodes, case in ((1, ""), (8, "8 nodes"), (10, "10 nodes")):
        at.say(f"matching over {nodes} node{'s' if nodes > 1 else ''}")
        cached, cache = _cached(at.size(PREFIX), nodes)
        prompt = [*cached, -1]
        key, root = as_key(prompt), cache._root("")
        assert cache._walk(root, key)[2] == common(cached, prompt) == len(cached)
        took = at.times(
            {
                "loop": lambda cached=cached, prompt=prompt: common(cached, prompt),  # type: ignore[misc]
                "walk": lambda cache=cache, root=root, key=key: cache._walk(root, key),  # type: ignore[misc]
                "peek": lambda cache=cache, key=key: cache.peek(key),  # type: ignore[misc]
                "begin and finish": lambda cache=cache, key=key: cache.finish(cache.begin(key)),  # type: ignore[misc]
            },
            500,
            SECONDS,
        )
        wanted = goal("G10", case)
        value = took["walk"] * 1e6 if wanted.unit == "µs" else took["loop"] / took["walk"]
        yield Row(
            value=value, arms=took.medians, goal=wanted, rounds=took.rounds, tokens=len(cached),
            note="peek previews evictions, too; begin and finish are what a request does",
        )  # fmt: skip


def _cached(tokens: int, nodes: int) -> tuple[list[int], RadixCache]:
    """Returns tokens, and a cache that holds them in a chain of so many nodes."""
    cache = RadixCache(2 * tokens, events=False)
    for node in range(1, nodes + 1):
        cache.insert(range(tokens * node // nodes))
    assert len(list(cache.snapshot().nodes())) == nodes
    return list(range(tokens)), cache


def common(cached: list[int], prompt: list[int]) -> int:
    """How many first tokens are equal, one by one."""
    count = 0
    for ours, theirs in zip(cached, prompt, strict=False):
        if ours != theirs:
            break
        count += 1
    return count


def eviction(at: Conditions) -> Rows:
    """One of many leaves, against one of few."""
    many = MANY // 100 if at.quick else MANY
    at.say(f"a tree of {many:,} leaves")
    arms = {f"of {FEW}": _evicting(FEW), f"of {many}": _evicting(many)}
    at.say("evicting one leaf")
    took = at.times(arms, 3000, SECONDS)
    few, all_of_them = arms
    yield Row(value=took[all_of_them] / took[few], arms=took.medians, goal=goal("G11"), rounds=took.rounds)


def _evicting(leaves: int) -> Callable[[], float]:
    """Returns an arm: a leaf goes; it comes back as a new one, untimed, and another one is used."""
    cache = RadixCache(leaves, events=False)
    for token in range(leaves):
        cache.insert([token])
    fresh = iter(range(leaves, 2**30))
    chance = random.Random(leaves)

    def evict() -> float:
        cache.new_step()  # or the tombstones pile up
        start = time.perf_counter()
        cache.evict(1)
        seconds = time.perf_counter() - start
        cache.insert([next(fresh)])
        cache.match([chance.randrange(leaves)])
        return seconds

    return evict


SECTIONS = (
    section(matching, "cpu cuda", "G10", "G10 8 nodes", "G10 10 nodes"),
    section(eviction, "cpu cuda", "G11"),
)
