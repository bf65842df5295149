"""Time to the first token: with the cache, without it, and transformers' own prefill (G7, G7b on a GPU; G8 on a CPU).

A history is in the cache; a prompt is the history with 32 new tokens. *Cached* prefills the 32, *recompute* is the same
engine with `--cache none`, which prefills everything, and *transformers* is one forward of its own over everything.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
import torch

from ..engine import Engine
from ..engine.scheduler import CHUNK
from .goals import goal
from .models import ONE, QWEN, SMOL, Pair, Prompt, watched
from .rows import Conditions, Row, Rows, section

NEW = 32
CPU_HISTORIES = {"512": 512, "1k": 1024, "2k": 2048, "4k": 4096}
GPU_HISTORIES = {"1k": 1024, "4k": 4096, "8k": 8192, "16k": 16384}
ROUNDS = 5
SECONDS = 45.0
"""For one history; the longest needs some three rounds of 15 s."""

CACHE_CALLS = ("peek", "matched", "begin", "extend", "commit", "finish")


def on_cpu(at: Conditions) -> Rows:
    """G8, on SmolLM2-135M's shape in fp32."""
    pair = Pair(SMOL, at, 8192)
    for case, history in CPU_HISTORIES.items():
        yield from _history(at, pair, "G8", case, at.size(history), ROUNDS)


def on_gpu(at: Conditions) -> Rows:
    """G7 and G7b, on Qwen2.5-0.5B's shape in bf16."""
    pair = Pair(QWEN, at, 32768)
    cached: dict[str, float] = {}
    for case, history in GPU_HISTORIES.items():
        ratio, prefill = _history(at, pair, "G7", case, at.size(history), 15)
        cached[f"at {case}"] = ratio.arms["cached"]
        yield from (ratio, prefill)
    value = cached["at 16k"] / cached["at 1k"]
    yield Row(value=value, arms=cached, goal=goal("G7b"), rounds=ratio.rounds)


def _history(at: Conditions, pair: Pair, id: str, case: str, history: int, rounds: int) -> tuple[Row, Row]:
    """Two rows for one length of history: recompute over cached, and recompute over transformers."""
    at.say(f"{history:,} tokens of history")
    old = pair.prompt(history)
    prompts = [_ending(pair, old, turn) for turn in range((at.rounds or rounds) + 1)]
    cached = pair.engine(history + len(prompts) * (NEW + 1))
    cold = pair.engine(history + NEW + 1, "none")
    cached.generate(old, ONE)
    parts: list[tuple[float, float, float]] = []
    turns = [iter(prompts) for _ in range(3)]  # every arm gets the same ones
    took = at.times(
        {
            "cached": lambda: _first_token(cached, next(turns[0]), history, parts),
            "recompute": lambda: _first_token(cold, next(turns[1]), 0, []),
            "transformers": lambda: _prefill(pair, next(turns[2])),
        },
        rounds,
        SECONDS,
    )
    note = _told(parts) + (f"; prompts in chunks of {CHUNK} tokens" if at.device == "cuda" else "")
    same = {"arms": took.medians, "rounds": took.rounds, "tokens": history}
    ratio, prefill = took["recompute"] / took["cached"], took["recompute"] / took["transformers"]
    return (
        Row(value=ratio, goal=goal(id, case), chart="ttft", note=note, **same),
        Row(value=prefill, goal=goal(id, f"prefill {case}"), **same),
    )


def _ending(pair: Pair, old: Prompt, turn: int) -> Prompt:
    """Returns a history with new tokens, of which the first is another one at every turn."""
    first = np.array([turn % pair.shape.vocabulary], np.int32)
    return np.concatenate([old, first, pair.prompt(NEW - 1)])


def _first_token(engine: Engine, prompt: Prompt, reused: int, parts: list[tuple[float, float, float]]) -> float:
    """Returns seconds to the first token, and notes how they divide into cache, model and the rest."""
    with watched(engine.cache, *CACHE_CALLS) as cache, watched(engine.runner, "step") as model:
        done = engine.generate(prompt, ONE)
    if done.error is not None:
        raise done.error
    assert done.reused_tokens >= reused and done.ttft_ms is not None
    whole = done.ttft_ms / 1e3
    parts.append((sum(cache), sum(model), whole - sum(cache) - sum(model)))
    return whole


def _told(parts: list[tuple[float, float, float]]) -> str:
    cache, model, rest = (median(each) * 1e3 for each in zip(*parts, strict=True))
    return f"cached: cache {cache:.2f} ms, model and sampling {model:.2f} ms, all else {max(rest, 0.0):.2f} ms"


def _prefill(pair: Pair, prompt: Prompt) -> float:
    """Returns seconds in which transformers computes a prompt, keeps its K/V, and the best next token is read."""
    tokens = torch.from_numpy(prompt).to(pair.device, torch.int64)[None]
    pair.sync()
    start = time.perf_counter()
    with torch.inference_mode():
        result: Any = pair.theirs(tokens, use_cache=True, logits_to_keep=1)
        result.logits[0, -1].argmax().item()
    return time.perf_counter() - start


SECTIONS = (
    section(
        on_gpu,
        "cuda",
        *(f"G7 {case}" for case in GPU_HISTORIES),
        *(f"G7 prefill {case}" for case in GPU_HISTORIES),
        "G7b",
    ),
    section(
        on_cpu, "cpu", *(f"G8 {case}" for case in CPU_HISTORIES), *(f"G8 prefill {case}" for case in CPU_HISTORIES)
    ),
)
