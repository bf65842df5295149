"""What the cache is worth and what it costs, on a CPU, with a random model of SmolLM2-135M's shape in fp32.

    python tests/benchmarks/engine.py

Prints ratios; takes some minutes on two cores. For each history: time to first token without a cache and with one (32
new tokens on top), and our whole prefill beside transformers' own. Then the share of wall time that calls of the cache
take when nothing hits.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from timing import interleaved, report
from transformers import LlamaConfig, LlamaForCausalLM

from radixchat.chat.engine import Engine, SamplingParams
from radixchat.chat.engine.attention import NAME
from radixchat.chat.engine.engine import CACHES
from radixchat.chat.engine.loading import LoadedModel
from radixchat.chat.engine.torch_runner import TorchRunner

HISTORIES = {512: 6.0, 1024: 10.0, 2048: 18.0}  # tokens: how many times shorter the first token's wait must be
NEW = 32
ROUNDS = 5
LAYERS, KV_HEADS, HEAD_DIM, VOCABULARY = 30, 3, 64, 49152
ONE = SamplingParams(temperature=0, max_tokens=1)


class Bytes:
    """As much of a tokenizer as ids need."""

    name = "none"
    eos_ids: frozenset[int] = frozenset()

    def token_bytes(self, token: int) -> bytes:
        return b"."


def models() -> tuple[LlamaForCausalLM, LoadedModel]:
    """The same random weights for transformers and for us."""
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=576, intermediate_size=1536, num_hidden_layers=LAYERS, num_attention_heads=9,
        num_key_value_heads=KV_HEADS, head_dim=HEAD_DIM, vocab_size=VOCABULARY, tie_word_embeddings=True,
        max_position_embeddings=8192,
    )  # fmt: skip
    theirs = LlamaForCausalLM(config).eval()
    ours = LlamaForCausalLM(copy.deepcopy(config)).eval()
    ours.load_state_dict(theirs.state_dict())
    ours.set_attn_implementation(NAME)
    shapes = ((KV_HEADS, HEAD_DIM),) * LAYERS
    loaded = LoadedModel("135M", "", ours, torch.device("cpu"), torch.float32, 8192, shapes, VOCABULARY, ())
    return theirs, loaded


def engine(loaded: LoadedModel, cache: str, capacity: int = 4096) -> Engine:
    prefix_cache = CACHES[cache](capacity, events=False)
    return Engine(TorchRunner(loaded, prefix_cache.highest_slot), prefix_cache, Bytes(), cache_name=cache)  # type: ignore[arg-type]


def first_token(theirs: LlamaForCausalLM, loaded: LoadedModel) -> None:
    """TTFT with and without a cache; our whole prefill beside transformers'."""
    random = np.random.default_rng(0)
    for history, wanted in HISTORIES.items():
        old = random.integers(0, VOCABULARY, history).astype(np.int32)
        cached, cold = engine(loaded, "radix"), engine(loaded, "none")
        cached.generate(old, ONE)

        def prompt(old: Any = old) -> Any:
            return np.append(old, random.integers(0, VOCABULARY, NEW).astype(np.int32))

        def with_cache(cached: Engine = cached, prompt: Callable[[], Any] = prompt, history: int = history) -> float:
            done = cached.generate(prompt(), ONE)
            assert done.reused_tokens == history
            return done.ttft_ms / 1e3

        def without(cold: Engine = cold, prompt: Callable[[], Any] = prompt) -> float:
            return cold.generate(prompt(), ONE).ttft_ms / 1e3

        def transformers(prompt: Callable[[], Any] = prompt) -> float:
            tokens = torch.from_numpy(prompt().astype(np.int64))[None]
            start = time.perf_counter()
            with torch.inference_mode():
                theirs(tokens, use_cache=True, logits_to_keep=1)
            return time.perf_counter() - start

        medians = interleaved({"cached": with_cache, "cold": without, "theirs": transformers}, ROUNDS)
        ratio, prefill = medians["cold"] / medians["cached"], medians["cold"] / medians["theirs"]
        report(
            f"TTFT without / with the cache, {history} tokens of history",
            ratio,
            f">= {wanted:g}",
            holds=ratio >= wanted,
        )
        report(f"prefill of {history + NEW}: ours / transformers'", prefill, "<= 1.1", holds=prefill <= 1.1)


def overhead(loaded: LoadedModel) -> None:
    """Share of wall time inside cache calls when nothing hits: 12 requests of 64 + 32 tokens, with evictions."""
    subject = engine(loaded, "radix", capacity=512)
    spent = _timed(subject.cache, "peek", "begin", "extend", "commit", "finish")
    random = np.random.default_rng(1)
    start = time.perf_counter()
    for _ in range(12):
        subject.generate(random.integers(0, VOCABULARY, 64), SamplingParams(temperature=0, max_tokens=32))
    share = sum(spent) / (time.perf_counter() - start)
    report("share of wall time in cache calls, nothing hits", share, "<= 0.01", holds=share <= 0.01)


def _timed(target: Any, *names: str) -> list[float]:
    """Makes methods note how long they take."""
    spent: list[float] = []

    def watch(method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*args, **options)
            finally:
                spent.append(time.perf_counter() - start)

        return timed

    for name in names:
        setattr(target, name, watch(getattr(target, name)))
    return spent


if __name__ == "__main__":
    torch.set_num_threads(2)
    their_model, our_model = models()
    first_token(their_model, our_model)
    overhead(our_model)
