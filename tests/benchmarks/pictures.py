"""What pictures cost: one panel of 2,000 nodes, and 200 panels of 100 nodes, laid out and written as SVG.

    python tests/benchmarks/pictures.py

Prints milliseconds, medians. Every round begins from nothing: no label is known yet.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from unittest.mock import patch

from radixchat.chat.bench.timing import interleaved, report
from radixchat.radix import RadixCache, Snapshot
from radixchat.viz.album import Album, Panel
from radixchat.viz.dot import render_dot, write_dot
from radixchat.viz.scene import Scene, scenes
from radixchat.viz.svg import write_svg
from radixchat.viz.tidy import spots
from radixchat.viz.uncollected import uncollected

WORDS = ["the", "cache", "keeps", "what", "was", "said,", "and", "a", "prompt", "finds", "it", "again.\n"]
PIECES = {token: f" {WORDS[token % len(WORDS)]}".encode() for token in range(4000)}


def main() -> None:
    """Runs all of it, as an export does: without the garbage collector."""
    with uncollected():
        measure()


def measure() -> None:
    """Prints all of it."""
    large = album([grown(2_000, random.Random(0))])
    many = album(life(200, 100, random.Random(1)))
    arms: dict[str, Callable[[], object]] = {"large": lambda: scenes(large), "many": lambda: scenes(many)}
    drawn = {"large": scenes(large), "many": scenes(many)}
    arms |= {f"{name} svg": written(made) for name, made in drawn.items()}
    took = interleaved(arms, rounds=7)
    shown = {name: sum(1 for scene in made for _ in scene.pieces) for name, made in drawn.items()}
    for name, most, both in (("large", 70.0, 100.0), ("many", None, 2000.0)):
        layout, svg = took[name] * 1000, took[f"{name} svg"] * 1000
        text = f"{len(drawn[name])} panel{'s' if name == 'many' else ''}, {shown[name]:,} nodes"
        wanted = "" if most is None else f"<= {most:g}"
        report(f"{text}: layout, ms", layout, wanted, holds=most is None or layout <= most)
        report(f"{text}: layout and SVG, ms", layout + svg, f"<= {both:g}", holds=layout + svg <= both)
    against_dot(album([grown(200, random.Random(0))]))


def against_dot(some: Album) -> None:
    """The same tree by ours and by Graphviz, a process of its own; nothing where that is not installed.

    First all of it, from the snapshot to the SVG: both sides read the tree and write its labels. Then without: ours
    places parts of known sizes and writes the scene; Graphviz reads DOT, measures its text, places it and writes.
    """
    if shutil.which("dot") is None:
        print("dot is not installed: nothing to compare with")
        return
    with patch("radixchat.viz.scene.spots", side_effect=spots) as placing:
        (scene,) = scenes(some)
    source, (args, options) = write_dot(some, some.panels[0]), placing.call_args
    arms: dict[str, Callable[[], object]] = {
        "ours": lambda: [write_svg(scene) for scene in scenes(some)],
        "dot": lambda: render_dot(write_dot(some, some.panels[0])),
        "ours, placed": lambda: (spots(*args, **options), write_svg(scene)),
        "dot, placed": lambda: render_dot(source),
        "start": lambda: render_dot("digraph {}"),
    }
    took = interleaved(arms, rounds=7)
    for name, arm in (("", ""), (", labels ready", ", placed")):
        ours, dot = took[f"ours{arm}"], took[f"dot{arm}"] - took["start"]
        report(f"200 nodes{name}: ours, ms", ours * 1000, "", holds=True)
        report(f"200 nodes{name}: dot without its start / ours", dot / ours, ">= 20", holds=dot / ours >= 20)


def written(made: Sequence[Scene]) -> Callable[[], object]:
    """Returns an arm that writes scenes."""
    return lambda: [write_svg(scene) for scene in made]


def album(snapshots: Sequence[Snapshot]) -> Album:
    """Returns an album of some moments."""
    return Album(tuple(Panel(at, one, None, f"step {at}", "") for at, one in enumerate(snapshots, start=1)), PIECES)


def grown(nodes: int, chance: random.Random) -> Snapshot:
    """Returns a tree of so many nodes with 20 tokens or so each."""
    cache = RadixCache(10**8, events=False)
    keys: list[list[int]] = []
    while len(keys) % 50 or sum(1 for _ in cache.snapshot().nodes()) < nodes:
        start = chance.choice(keys)[: chance.randrange(60)] if keys else []
        keys.append([*start, *(chance.randrange(4000) for _ in range(chance.randrange(8, 30)))])
        cache.insert(keys[-1])
    return cache.snapshot()


def life(panels: int, nodes: int, chance: random.Random) -> list[Snapshot]:
    """Returns the steps of a cache that grows to so many nodes and then evicts as much as it takes."""
    cache = RadixCache(nodes * 15)
    keys: list[list[int]] = [[]]
    shots = []
    for _ in range(panels):
        cache.new_step()
        start = chance.choice(keys[-20:])[: chance.randrange(60)]
        keys.append([*start, *(chance.randrange(4000) for _ in range(20))])
        lease = cache.begin(keys[-1])
        cache.extend(lease, len(keys[-1]) - len(lease))
        cache.commit(lease, keys[-1][lease.computed :])
        cache.finish(lease)
        shots.append(cache.snapshot())
    return shots


if __name__ == "__main__":
    main()
