"""What snapshots of the radix cache cost; matching and evicting are measured by `radixchat bench tree`.

    python tests/benchmarks/radix_ops.py

Prints ratios and milliseconds; takes some seconds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from radixchat.chat.bench.timing import interleaved, report
from radixchat.radix import RadixCache, as_key
from radixchat.radix.keys import Key

NODES = 10_000


def main() -> None:
    """Runs all of it."""
    snapshots("random tree", random_keys())
    snapshots("wide root", [as_key([token, 0]) for token in range(NODES)])


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
