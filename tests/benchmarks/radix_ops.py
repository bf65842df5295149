"""What the radix cache costs: matching, evicting, taking snapshots.

    python tests/benchmarks/radix_ops.py

Prints ratios; takes some ten seconds. The bound on matching is meant for the bare walk through the tree; a preview, and
a request that begins and ends, do more than that and are shown beside it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from timing import interleaved, report

from radixchat.radix import RadixCache, as_key
from radixchat.radix.keys import Key

PREFIX = 8192
NODES = 10_000
MANY, FEW = 50_000, 100


def main() -> None:
    """Runs all of it."""
    matching(1, 80)
    matching(8, 25)
    eviction()
    snapshots("random tree", random_keys())
    snapshots("wide root", [as_key([token, 0]) for token in range(NODES)])


def matching(nodes: int, wanted: int) -> None:
    """A cached prefix in so many nodes, against a Python loop over the same tokens."""
    cache = RadixCache(2 * PREFIX, events=False)
    for end in range(PREFIX // nodes, PREFIX + 1, PREFIX // nodes):
        cache.insert(range(end))
    assert len(list(cache.snapshot().nodes())) == nodes
    cached, prompt = list(range(PREFIX)), [*range(PREFIX), -1]
    key, root = as_key(prompt), cache._root("")
    assert cache._walk(root, key)[2] == common(cached, prompt) == PREFIX
    took = interleaved(
        {
            "loop": lambda: common(cached, prompt),
            "walk": lambda: cache._walk(root, key),
            "peek": lambda: cache.peek(key),
            "begin and finish": lambda: cache.finish(cache.begin(key)),
        },
        rounds=500,
    )
    for name in ("walk", "peek", "begin and finish"):
        ratio = took["loop"] / took[name]
        bound = f">={wanted}" if name == "walk" else "-"
        report(f"8k tokens in {nodes}, loop / {name}", ratio, bound, holds=name != "walk" or ratio >= wanted)


def common(cached: list[int], prompt: list[int]) -> int:
    """How many first tokens are equal, one by one."""
    count = 0
    for ours, theirs in zip(cached, prompt, strict=False):
        if ours != theirs:
            break
        count += 1
    return count


def eviction() -> None:
    """One of many leaves, against one of few; it comes back as a new one, untimed, and another one is used."""

    def arm(leaves: int) -> Callable[[], float]:
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

    took = interleaved({"few": arm(FEW), "many": arm(MANY)}, rounds=3000)
    ratio = took["many"] / took["few"]
    report(f"evict one leaf, of {MANY} / of {FEW}", ratio, "<=3", holds=ratio <= 3)


def snapshots(name: str, keys: list[Key]) -> None:
    """After one change in a tree of 10,000 nodes, against one that shares nothing with the snapshot before."""
    cache = RadixCache(1_000_000, events=False)
    for key in keys:
        cache.insert(key)
        if len(cache._state.nodes) > NODES:
            break
    chance = random.Random(1)

    def one_change() -> float:
        cache.match(chance.choice(keys))
        return timed(cache.snapshot)

    def everything() -> float:
        for node in cache._state.nodes.values():
            node.view = None
        return timed(cache.snapshot)

    took = interleaved({"one": one_change, "all": everything}, rounds=100)
    report(f"snapshot of 10k nodes, {name}, all new / one change", took["all"] / took["one"], "-", holds=True)
    report(f"the latter, in milliseconds: {name}", took["one"] * 1e3, "<=1", holds=took["one"] <= 1e-3)


def timed(call: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def random_keys() -> list[Key]:
    """Sequences that branch off from earlier ones anywhere."""
    chance = random.Random(0)
    keys: list[list[int]] = [[0, 1, 2]]
    while len(keys) < NODES:
        earlier = chance.choice(keys)
        kept = earlier[: chance.randint(0, len(earlier))]
        keys.append(kept + [chance.randrange(50_000) for _ in range(chance.randint(1, 12))])
    return [as_key(key) for key in keys]


if __name__ == "__main__":
    main()
