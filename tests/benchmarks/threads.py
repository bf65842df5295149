"""Why a small model gets one thread: tokens per second of the bundled model with one thread and with all cores.

    python tests/benchmarks/threads.py

On a quiet machine the two are close; with one other busy process, the larger team waits for its slowest member at every
one of some hundred small operations per token.
"""

from __future__ import annotations

import os
import subprocess
import sys

import torch

from radixchat import Engine, SamplingParams
from radixchat.chat.bench.timing import interleaved, report

PROMPT = "You are a helpful assistant.\nUser: What is a radix tree?\nAssistant:"


def decode(engine: Engine, threads: int) -> float:
    """Seconds per token."""
    torch.set_num_threads(threads)
    done = engine.generate(PROMPT, SamplingParams(temperature=0, max_tokens=60, ignore_eos=True))
    return 1 / done.decode_tokens_per_s


if __name__ == "__main__":
    engine, cores = Engine.load("radish"), os.cpu_count() or 1
    for busy in (0, 1):
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
        medians = interleaved({"one": lambda: decode(engine, 1), "all": lambda: decode(engine, cores)}, 5)
        for other in others:
            other.kill()
        print(f"{busy} other busy processes: one thread {1 / medians['one']:.0f} tokens/s, {cores} threads "
              f"{1 / medians['all']:.0f} tokens/s")  # fmt: skip
        report(f"one thread / {cores} threads, {busy} busy", medians["all"] / medians["one"], "", holds=True)
