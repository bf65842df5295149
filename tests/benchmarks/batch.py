"""What running together is worth on a CPU, with a random model of SmolLM2-135M's shape in fp32.

    python tests/benchmarks/batch.py

Prints ratios; takes a minute on two cores. First: tokens per second of 16 requests of equal length that decode
together, against one alone. Then: prompt tokens that 8 samples of one prompt of 1,000 tokens compute, counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from engine import VOCABULARY, engine, models
from timing import interleaved, report

from radixchat.chat.engine import Ask, Engine, SamplingParams

TOGETHER = 16
PROMPTS = (64, 256)
ROUNDS = 40
TOKENS = ROUNDS + 25
SAMPLES, LONG = 8, 1000


def decoding(loaded: Any, prompts: list[Any]) -> Engine:
    """Returns an engine in which every prompt's reply gains a token an iteration."""
    subject = engine(loaded, "radix", capacity=len(prompts) * (prompts[0].size + TOKENS))
    params = SamplingParams(temperature=0, max_tokens=TOKENS, ignore_eos=True)
    waiting = {number for prompt in prompts for number in subject.submit(Ask(prompt=prompt, params=params))}
    while waiting:
        waiting -= {chunk.reply for chunk in subject.iterate()}
    return subject


def throughput(loaded: Any) -> None:
    """Decoding together and alone, an iteration of each in turn, on prompts that share nothing."""
    random = np.random.default_rng(0)
    for size in PROMPTS:
        prompts = [random.integers(0, VOCABULARY, size).astype(np.int32) for _ in range(TOGETHER)]
        one, together = decoding(loaded, prompts[:1]), decoding(loaded, prompts)
        medians = interleaved({"one": one.iterate, "all": together.iterate}, ROUNDS)
        assert one.busy and together.busy
        ratio = TOGETHER * medians["one"] / medians["all"]
        print(f"an iteration of one {medians['one'] * 1e3:.1f} ms, of {TOGETHER} {medians['all'] * 1e3:.1f} ms")
        name = f"decoding {TOGETHER} prompts of {size} / one, tokens per second"
        report(name, ratio, ">= 6", holds=ratio >= 6)


def samples(loaded: Any) -> None:
    """Prompt tokens computed for several samples of one prompt."""
    subject = engine(loaded, "radix")
    prompt = np.random.default_rng(1).integers(0, VOCABULARY, LONG).astype(np.int32)
    params = SamplingParams(temperature=1, seed=0, n=SAMPLES, max_tokens=4, ignore_eos=True)
    done = subject.run([Ask(prompt=prompt, params=params)])
    prefilled = sum(each.prefilled_tokens for each in done)
    assert all(each.reused_tokens + each.prefilled_tokens == LONG for each in done)
    report(f"prompt tokens computed for {SAMPLES} samples / {LONG}", prefilled / LONG, "= 1", holds=prefilled == LONG)


if __name__ == "__main__":
    torch.set_num_threads(2)
    our_model = models()[1]
    samples(our_model)
    throughput(our_model)
