"""What running together is worth on a CPU, with a random model of SmolLM2-135M's shape in fp32.

    python tests/benchmarks/batch.py

Prints ratios; takes a minute on two cores. First: tokens per second of 16 requests of equal length that decode
together, against one alone. Then: prompt tokens that 8 samples of one prompt of 1,000 tokens compute, counted.
"""

from __future__ import annotations

import torch

from radixchat.chat.bench.models import SMOL, Pair, decoding
from radixchat.chat.bench.rows import Conditions
from radixchat.chat.bench.timing import interleaved, report
from radixchat.chat.engine import Ask, SamplingParams

TOGETHER = 16
PROMPTS = (64, 256)
ROUNDS = 40
TOKENS = ROUNDS + 25
SAMPLES, LONG = 8, 1000


def throughput(pair: Pair) -> None:
    """Decoding together and alone, an iteration of each in turn, on prompts that share nothing."""
    for size in PROMPTS:
        prompts = [pair.prompt(size) for _ in range(TOGETHER)]
        one, together = (
            decoding(pair.engine(len(each) * (size + TOKENS)), each, TOKENS) for each in (prompts[:1], prompts)
        )
        medians = interleaved({"one": one.iterate, "all": together.iterate}, ROUNDS)
        assert one.busy and together.busy
        ratio = TOGETHER * medians["one"] / medians["all"]
        print(f"an iteration of one {medians['one'] * 1e3:.1f} ms, of {TOGETHER} {medians['all'] * 1e3:.1f} ms")
        name = f"decoding {TOGETHER} prompts of {size} / one, tokens per second"
        report(name, ratio, ">= 6", holds=ratio >= 6)


def samples(pair: Pair) -> None:
    """Prompt tokens computed for several samples of one prompt."""
    subject, prompt = pair.engine(4096), pair.prompt(LONG)
    params = SamplingParams(temperature=1, seed=0, n=SAMPLES, max_tokens=4, ignore_eos=True)
    done = subject.run([Ask(prompt=prompt, params=params)])
    prefilled = sum(each.prefilled_tokens for each in done)
    assert all(each.reused_tokens + each.prefilled_tokens == LONG for each in done)
    report(f"prompt tokens computed for {SAMPLES} samples / {LONG}", prefilled / LONG, "= 1", holds=prefilled == LONG)


if __name__ == "__main__":
    torch.set_num_threads(2)
    smol = Pair(SMOL, Conditions("cpu"), 8192)
    samples(smol)
    throughput(smol)
