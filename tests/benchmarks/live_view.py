"""What a live picture of a tree costs: one more node in a tree of 10,000, and 40 lines around it painted.

    python tests/benchmarks/live_view.py

Prints milliseconds, medians: the snapshot, its layout, the lines, all of it; and the same laid out from nothing. In one
chain of 10,000 nodes a request changes every node, so that it has no bound.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator

from radixchat.chat.bench.timing import interleaved, report
from radixchat.radix import RadixCache, as_key
from radixchat.radix.keys import Key, Tokens
from radixchat.viz.outline import outline
from radixchat.viz.picture import Look

NODES = 10_000
LINES, WIDTH = 40, 120
MOST = 16  # milliseconds
PIECES = {token: f" word{token}".encode() for token in range(50_000)}


def main() -> None:
    """Runs all of it."""
    one_more("children of one node", [[1, 2], *([1, 2, token] for token in range(NODES))], lambda n: [1, 2, NODES + n])
    chains = [[chain, *range(turns)] for chain in range(10) for turns in range(1, NODES // 10)]
    one_more("ten chains of 1,000", chains, lambda n: [5, *range(NODES // 10 - 1 + n)])
    one_more("random tree", random_keys(random.Random(0)), lambda n: [0, 1, 2, 40_000, *range(n + 1)])
    chain = [list(range(turns)) for turns in range(1, NODES)]
    one_more("one chain of 10,000", chain, lambda n: list(range(NODES + n)), most=None)


def one_more(name: str, keys: Iterable[Tokens], more: Callable[[int], list[int]], most: float | None = MOST) -> None:
    """Adds a node in each round, as a request of its own."""
    cache = RadixCache(10**8, events=False)
    for key in keys:
        cache.new_step()
        cache.insert(key)
    shown = outline(cache.snapshot(), PIECES, width=WIDTH, look=Look(), bytes_per_token=12_288)
    parts: dict[str, list[float]] = {"snapshot": [], "layout": [], "lines": []}
    added = iter(range(10**6))

    def live() -> float:
        nonlocal shown
        number = next(added)
        key = as_key(more(number))
        cache.new_step()
        cache.insert(key)
        node = max(cache._state.nodes)  # the one added last
        start = time.perf_counter()
        snapshot = cache.snapshot()
        taken = time.perf_counter()
        shown = outline(snapshot, PIECES, width=WIDTH, look=Look(), bytes_per_token=12_288, before=shown)
        laid_out = time.perf_counter()
        place = shown.place(node)
        assert place is not None
        top = max(0, min(place.y - LINES // 2, shown.height - LINES))
        for y in range(top, min(top + LINES, shown.height)):
            shown.line(y)
        end = time.perf_counter()
        for part, seconds in zip(parts, (taken - start, laid_out - taken, end - laid_out), strict=True):
            parts[part].append(seconds)
        return end - start

    def anew() -> float:
        snapshot = cache.snapshot()
        start = time.perf_counter()
        outline(snapshot, PIECES, width=WIDTH, look=Look(), bytes_per_token=12_288)
        return time.perf_counter() - start

    took = interleaved({"live": live, "anew": anew}, rounds=30)
    for part, seconds in parts.items():
        report(f"{name}: {part}", 1e3 * sorted(seconds)[len(seconds) // 2], "-", holds=True)
    milliseconds = 1e3 * took["live"]
    report(f"{name}: one more node", milliseconds, f"<={most}" if most else "-", holds=not most or milliseconds <= most)
    report(f"{name}: laid out from nothing", 1e3 * took["anew"], "-", holds=True)


def random_keys(chance: random.Random) -> Iterator[Key]:
    """Sequences that branch off from earlier ones anywhere."""
    keys: list[list[int]] = [[0, 1, 2]]
    while len(keys) < NODES * 6 // 10:  # most of them add two nodes
        earlier = chance.choice(keys)
        keys.append(
            earlier[: chance.randint(0, len(earlier))]
            + [chance.randrange(50_000) for _ in range(chance.randint(1, 12))]
        )
        yield as_key(keys[-1])


if __name__ == "__main__":
    main()
