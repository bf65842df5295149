"""What a simulation of public traces costs: seconds and memory, and the figures it finds, beside what they should be.

    RADIXCHAT_TRACES=FOLDER python tests/benchmarks/simulate.py

FOLDER holds conversation_trace.jsonl and synthetic_trace.jsonl of kvcache-ai/Mooncake (docs/simulate.md says where they
come from). Takes about a minute. Every simulation is the command itself in a process of its own, reading included.
Seconds of a core are what its processes computed, whatever else the machine did meanwhile.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from radixchat.chat.bench.timing import report

TRACES = Path(os.environ.get("RADIXCHAT_TRACES", "."))
CONVERSATION, SYNTHETIC = (TRACES / f"{name}_trace.jsonl" for name in ("conversation", "synthetic"))
PUBLISHED = {1_000: 4.5, 5_000: 11.2, 20_000: 28.8, 50_000: 35.5, 100_000: 36.4}
MEGABYTE = 1 << 20


def main() -> None:
    """Runs all of it."""
    for name, options in {
        "radix": "--no-optimum",
        "radix, whole leaves, both halves": "--no-optimum --unit leaf --split-recency both --tie id",
        "lfu": "--no-optimum --policy lfu",
        "hash vllm-0.33": "--no-optimum --cache hash",
        "hash nano-vllm": "--no-optimum --cache hash --preset nano-vllm",
        "the optimum beside none": "--cache none",
    }.items():
        values, cost = simulate(CONVERSATION, f"--capacity 20k --jobs 1 {options}")
        row = values["rows"][-1]
        limit = 3 if name in ("radix", "hash vllm-0.33") else None
        bound(f"20k blocks, {name}: s of a core", cost.core, limit)
        print(f"    {row['hit_ratio']:.2%} hits, {row['evictions']:,} evicted, {cost.wall:.2f} s on the clock")
    values, cost = simulate(CONVERSATION, "--jobs 2")
    bound("eight capacities and their optimum, two processes: s", cost.wall, 15)
    print(f"    {cost.core:.2f} s of a core")
    bound("largest process so far: MB", peak(), 500)
    published(values)
    grown()


def published(values: dict[str, Any]) -> None:
    """The hit ratios that others found."""
    found = {row["capacity"]: row["hit_ratio"] * 100 for row in values["rows"] if row["cache"] == "radix"}
    for capacity, percent in PUBLISHED.items():
        holds = round(found[capacity], 1) == percent
        report(f"conversation, {capacity:,} blocks, LRU: per cent", found[capacity], str(percent), holds=holds)
    synthetic, _ = simulate(SYNTHETIC, "--capacity 1k --no-optimum")
    for name, limit, percent in (("conversation", values, 36.6), ("synthetic", synthetic, 64.0)):
        ratio = limit["trace"]["unbounded_hit_ratio"] * 100
        report(f"{name}, without bounds: per cent", ratio, str(percent), holds=round(ratio, 1) == percent)


def grown() -> None:
    """Ten times as many requests, with the same blocks: memory follows what is distinct and what is cached."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ten.jsonl"
        path.write_bytes(CONVERSATION.read_bytes() * 10)
        before = peak()
        _, cost = simulate(path, "--capacity 20k --jobs 1 --no-optimum")
        bound("ten times the trace: s of a core", cost.core, None)
        bound("largest process, in MB", peak(), before * 1.2)


class Cost(NamedTuple):
    """Seconds that a simulation took."""

    wall: float  # on the clock
    core: float  # computing, over all its processes


def simulate(path: Path, options: str) -> tuple[dict[str, Any], Cost]:
    """Runs the command; returns what it printed as JSON, and what it took."""
    start, before = time.perf_counter(), computed()
    command = [sys.executable, "-m", "radixchat", "simulate", str(path), "--json", *options.split()]
    done = subprocess.run(command, check=True, capture_output=True)
    return json.loads(done.stdout), Cost(time.perf_counter() - start, computed() - before)


def computed() -> float:
    """Seconds of a core that all processes have used that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak() -> float:
    """Megabytes of the largest process that has ended."""
    size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return size / MEGABYTE if sys.platform == "darwin" else size * 1024 / MEGABYTE


def bound(name: str, value: float, limit: float | None) -> None:
    """Prints a value and the most that it may be."""
    report(name, value, "-" if limit is None else f"<={limit:.4g}", holds=limit is None or value <= limit)


if __name__ == "__main__":
    main()
