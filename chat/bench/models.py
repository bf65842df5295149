"""Models to measure with: the shapes of known ones with random weights, once for transformers and once for us.

Random, and not zero: zeros run faster. Knows no goal.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import transformers

from ..engine import Ask, Engine, SamplingParams
from ..engine.attention import NAME
from ..engine.engine import CACHES
from ..engine.forwards import choose
from ..engine.loading import LoadedModel
from ..engine.tokenizer import quiet
from ..engine.torch_runner import TorchRunner
from .rows import Conditions

Prompt = npt.NDArray[np.int32]

ONE = SamplingParams(temperature=0, max_tokens=1, ignore_eos=True)


class Shape(NamedTuple):
    """What a model is like, but for its weights."""

    name: str
    kind: str  # prefix of transformers' classes
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int

    def kv_bytes(self, dtype: torch.dtype) -> int:
        """Bytes of K and V of one token over all layers."""
        return 2 * self.layers * self.kv_heads * self.head_dim * dtype.itemsize

    def config(self, context: int) -> Any:
        """Returns a configuration of transformers."""
        return getattr(transformers, f"{self.kind}Config")(
            hidden_size=self.hidden, intermediate_size=self.intermediate, num_hidden_layers=self.layers,
            num_attention_heads=self.heads, num_key_value_heads=self.kv_heads, head_dim=self.head_dim,
            vocab_size=self.vocabulary, tie_word_embeddings=True, max_position_embeddings=context,
        )  # fmt: skip


SMOL = Shape("SmolLM2-135M", "Llama", 30, 576, 1536, 9, 3, 64, 49152)
QWEN = Shape("Qwen2.5-0.5B", "Qwen2", 24, 896, 4864, 14, 2, 64, 151936)
TINY = Shape("tiny", "Llama", 2, 64, 96, 4, 2, 16, 320)


class Bytes:
    """As much of a tokenizer as ids need."""

    name = "none"
    eos_ids: frozenset[int] = frozenset()

    def encode(self, text: str) -> Prompt:
        """Knows no text."""
        raise NotImplementedError

    def token_bytes(self, token: int) -> bytes:
        """Every token is a dot."""
        return b"."


class Pair:
    """The same random weights for transformers and for us.

    Args:
        shape: Of the model; a tiny one takes its place where only the way is to be tried.
        at: The conditions; a CPU computes in float32, a GPU in bfloat16.
        context: The longest sequence.

    Attributes:
        theirs: transformers' own model, with its SDPA attention.
        loaded: Ours, as the engine takes it, with the lean forward.
    """

    def __init__(self, shape: Shape, at: Conditions, context: int) -> None:
        at.say(f"random weights of {shape.name}'s shape")
        self.shape = TINY if at.quick else shape
        self.device = torch.device(at.device)
        self.dtype = torch.float32 if at.device == "cpu" else torch.bfloat16
        self.context = context
        with quiet():
            self.theirs = self._model()
            self.theirs.set_attn_implementation("sdpa")
            self.loaded = choose(self._ours(), "lean")
        self._random = np.random.default_rng(0)

    def int8(self) -> LoadedModel:
        """Returns ours with its weights in 8 bits, from a copy of them."""
        with quiet():
            return choose(self._ours(), "lean", "int8")

    def _ours(self) -> LoadedModel:
        model, shape = self._model(), self.shape
        model.set_attn_implementation(NAME)
        return LoadedModel(
            name=shape.name, path="", model=model, device=self.device, dtype=self.dtype, max_context=self.context,
            kv_shapes=((shape.kv_heads, shape.head_dim),) * shape.layers, vocab_size=shape.vocabulary, notes=(),
        )  # fmt: skip

    def _model(self) -> Any:
        """Returns a model of transformers; its weights are the same every time."""
        config = self.shape.config(self.context)
        with torch.random.fork_rng(), self.device:
            torch.manual_seed(0)
            model = getattr(transformers, f"{self.shape.kind}ForCausalLM")(config)
        return model.to(self.dtype).eval().requires_grad_(False)

    def step_bytes(self, context: int, requests: int = 1) -> int:
        """Bytes that a decode step reads: the weights, and K and V of every request's context."""
        return weight_bytes(self.loaded) + requests * context * self.shape.kv_bytes(self.dtype)

    def prompt(self, tokens: int) -> Prompt:
        """Returns random tokens."""
        return self._random.integers(0, self.shape.vocabulary, tokens).astype(np.int32)

    def engine(
        self,
        capacity: int,
        cache: str = "radix",
        *,
        loaded: LoadedModel | None = None,
        tokenizer: Any = None,
        max_running: int = 16,
    ) -> Engine:
        """Returns an engine over the weights, with a cache and a pool of its own.

        Args:
            capacity: In tokens.
            cache: radix, last or none.
            loaded: Other weights than the usual ones.
            tokenizer: For text; None knows ids only.
            max_running: Requests at once.
        """
        prefix_cache = CACHES[cache](capacity, events=False)
        runner = TorchRunner(loaded or self.loaded, prefix_cache.highest_slot)
        return Engine(runner, prefix_cache, tokenizer or Bytes(), cache_name=cache, max_running=max_running)

    def sync(self) -> None:
        """Waits until the device has done what it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def decoding(engine: Engine, prompts: list[Prompt], tokens: int) -> Engine:
    """Runs prompts up to their first tokens, so that every iteration gives each reply a token; returns the engine."""
    params = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True)
    waiting = {number for prompt in prompts for number in engine.submit(Ask(prompt=prompt, params=params))}
    while waiting:
        chunks = engine.iterate()
        for chunk in chunks:
            if chunk.completion is not None and chunk.completion.error is not None:
                raise chunk.completion.error
        waiting -= {chunk.reply for chunk in chunks}
    return engine


def check_graphs(engine: Engine) -> None:
    """Raises RuntimeError where decode steps should run as CUDA graphs and do not: they would be timed as ours."""
    fault = getattr(engine.runner, "fault", None)
    if fault is not None:
        raise RuntimeError(f"decode steps run without CUDA graphs: {fault}")


def weight_bytes(loaded: LoadedModel) -> int:
    """Returns the bytes of weights that a decode step reads; tied embeddings count once."""
    assert loaded.lean is not None
    return loaded.lean.nbytes


@contextmanager
def watched(target: Any, *names: str) -> Iterator[list[float]]:
    """Notes how long calls of these methods take, in seconds, while the context lasts."""
    spent: list[float] = []

    def watch(method: Any) -> Any:
        def timed(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*args, **options)
            finally:
                spent.append(time.perf_counter() - start)

        return timed

    for name in names:
        setattr(target, name, watch(getattr(target, name)))
    try:
        yield spent
    finally:
        for name in names:
            delattr(target, name)
