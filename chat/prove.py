"""`/prove`: the last turn once more without the cache, so that nobody has to believe the signature line.

*Equal* means: the greedy texts agree, or differ only from a position on where the two best logits are closer than
`BOUND` times the largest (reductions of different length round differently).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .engine import Completion, Engine, SamplingParams
from .engine.runner import Work
from .signature import milliseconds

BOUND = 1e-4
"""Relative distance of two logits under which either may win, in fp32."""


def prove(engine: Engine, done: Completion) -> Iterator[str]:
    """Yields lines: both measured times, and the comparison of the greedy texts."""
    room = done.prompt_tokens + done.generated_tokens
    greedy = SamplingParams(temperature=0, max_tokens=done.generated_tokens)
    cold_engine = engine.without_cache(room)
    cold = cold_engine.generate(done.prompt_ids, greedy)
    assert done.ttft_ms is not None and cold.ttft_ms is not None
    yield (
        f"with the cache: TTFT {milliseconds(done.ttft_ms)} (prefilled {done.prefilled_tokens}) · "
        f"without: TTFT {milliseconds(cold.ttft_ms)} (prefilled {cold.prefilled_tokens}) · "
        f"{cold.ttft_ms / done.ttft_ms:.1f}×"
    )
    warm = engine.generate(done.prompt_ids, replace(greedy), conversation="prove")
    differs = _first_difference(warm.token_ids, cold.token_ids)
    if differs is None:
        yield f"greedy text: equal, all {len(cold.token_ids)} tokens"
        return
    gap = _gap(cold_engine, done, cold.token_ids[:differs])
    verdict = "equal, by a tie" if gap <= BOUND else "NOT equal"
    yield f"greedy text: {verdict}: it differs from token {differs + 1} on, where the best two are {gap:.1e} apart"


def _first_difference(warm: tuple[int, ...], cold: tuple[int, ...]) -> int | None:
    if warm == cold:
        return None
    pairs = enumerate(zip(warm, cold, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(warm), len(cold)))


def _gap(engine: Engine, done: Completion, common: tuple[int, ...]) -> float:
    """Distance of the two best logits after the common tokens, relative to the largest."""
    tokens = np.append(done.prompt_ids, np.array(common, dtype=np.int32)).astype(np.int32)
    slots = np.arange(1, tokens.size + 1, dtype=np.int32)  # the control's pool: nobody else is in it
    logits = engine.runner.logits(Work(tokens, 0, slots))
    first, second = np.sort(logits)[::-1][:2]
    return float((first - second) / np.abs(logits).max())
