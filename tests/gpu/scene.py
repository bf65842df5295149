"""What the tests of real sizes have in common: a device, types, and sequences scattered over a poisoned pool.

With ``RADIXCHAT_GPU_TESTS=dry`` everything is tiny and runs on a CPU in Triton's interpreter: that shows that the tests
themselves work, and nothing about a GPU. `run.py --dry` sets it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from radixchat.kernels.attention import RaggedBatch

DRY = os.environ.get("RADIXCHAT_GPU_TESTS") == "dry"
DEVICE = "cpu" if DRY else "cuda"
F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16
BOUND = {F32: 1e-5, F16: 1.5e-3, BF16: 1e-2}
"""How far a result may be from that in float64, by relative norm."""

marks = [pytest.mark.gpu, pytest.mark.skipif(not DRY and not torch.cuda.is_available(), reason="no CUDA device")]

HEADS = {
    "qwen2.5-0.5b": (14, 2, 64), "qwen3-0.6b": (16, 8, 128), "smollm2-135m": (9, 3, 64), "llama-3.2-1b": (32, 8, 64),
    "phi": (32, 32, 80), "gemma": (4, 1, 256),
}  # fmt: skip
"""Heads, KV heads and head dimension of models."""

CASES = [*((name, BF16) for name in HEADS), ("qwen2.5-0.5b", F16), ("qwen2.5-0.5b", F32), ("qwen3-0.6b", F32)]
"""Models and types; each takes its kernels a few seconds to compile."""

if DRY:  # the interpreter multiplies bf16 wrongly
    HEADS, CASES = {"qwen": (7, 1, 64), "phi": (2, 2, 80)}, [("qwen", F16), ("phi", F32)]


def size(real: int, dry: int) -> int:
    """Returns a size."""
    return dry if DRY else real


def distance(found: Tensor, wanted: Tensor) -> float:
    """Returns how far off a result is, by relative norm."""
    assert found.shape == wanted.shape
    return float((found.double() - wanted.double()).norm() / wanted.double().norm())


def normal(*shape: int, dtype: torch.dtype, seed: int = 0) -> Tensor:
    """Returns random numbers on the device, of which those that depend on chance alone are the same everywhere."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(DEVICE, dtype)


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """Attends a sequence's last tokens, in float64: q ``[new, heads, dim]``, k and v ``[tokens, kv_heads, dim]``."""
    new, heads, dim = q.shape
    tokens, kv_heads, _ = k.shape
    grouped = q.double().view(new, kv_heads, heads // kv_heads, dim)
    scores = torch.einsum("ngjd,tgd->gjnt", grouped, k.double()) * scale
    later = torch.ones(new, tokens, dtype=torch.bool, device=q.device).triu_(tokens - new + 1)
    weights = scores.masked_fill_(later, -torch.inf).softmax(-1)
    return torch.einsum("gjnt,tgd->ngjd", weights, v.double()).reshape(new, heads, dim)


class Scene:
    """Sequences of (new, prefix) tokens; prefixes lie in the pools, in no order, and every other slot holds NaN.

    Args:
        shapes: New tokens and prefix of each sequence.
        heads: Heads, KV heads and head dimension.
        dtype: Of everything.
        shared: The first of these many tokens of each prefix are common to all; no prefix may be shorter.
        slots: How large the pools are; None: a little more than what is needed.
    """

    def __init__(
        self,
        shapes: Sequence[tuple[int, int]],
        heads: tuple[int, int, int],
        dtype: torch.dtype,
        shared: int = 0,
        slots: int | None = None,
    ) -> None:
        query_heads, kv_heads, dim = heads
        self.shapes, self.scale = shapes, dim**-0.5
        needed = shared + sum(new + prefix - shared for new, prefix in shapes)
        total = slots or needed + 100
        free = total - 1 - np.random.default_rng(needed).permutation(needed + 50)  # the last slots of the pool
        common, rest = free[:shared], free[shared:]
        self.slots = []
        for new, prefix in shapes:
            own, rest = rest[: new + prefix - shared], rest[new + prefix - shared :]
            self.slots.append(np.concatenate([common, own]).astype(np.int32))
        self.k_pool, self.v_pool = (
            torch.full((total, kv_heads, dim), torch.nan, dtype=dtype, device=DEVICE) for _ in range(2)
        )
        for number, pool in enumerate((self.k_pool, self.v_pool)):
            filled = np.concatenate([each[:prefix] for each, (_, prefix) in zip(self.slots, shapes, strict=True)])
            filled = np.unique(filled)
            places = torch.from_numpy(filled.astype(np.int64)).to(DEVICE)
            pool[places] = normal(filled.size, kv_heads, dim, dtype=dtype, seed=1 + number)
        tokens = sum(new for new, _ in shapes)
        self.q = normal(tokens, query_heads, dim, dtype=dtype, seed=3)
        self.k = normal(tokens, kv_heads, dim, dtype=dtype, seed=4)
        self.v = normal(tokens, kv_heads, dim, dtype=dtype, seed=5)
        self.batch = RaggedBatch.build([new for new, _ in shapes], self.slots, DEVICE)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What every kernel takes first."""
        return self.q, self.k, self.v, self.k_pool, self.v_pool

    def expected(self) -> Tensor:
        """Returns the result in float64, ``[T, heads, dim]``."""
        rows, first = [], 0
        for (new, prefix), slots in zip(self.shapes, self.slots, strict=True):
            places = torch.from_numpy(slots[:prefix].astype(np.int64)).to(DEVICE)
            own = slice(first, first + new)
            keys = torch.cat([self.k_pool[places], self.k[own]])
            rows.append(attend(self.q[own], keys, torch.cat([self.v_pool[places], self.v[own]]), self.scale))
            first += new
        return torch.cat(rows)
