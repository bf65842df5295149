"""Plain attention in float64, and sequences scattered over a pool whose other slots are poisoned."""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest
import torch

from radixchat.kernels.attention import RaggedBatch

DEVICE = "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None or (DEVICE == "cuda" and not torch.cuda.is_available()),
    reason="no Triton, or nothing it runs on",
)

TOLERANCE = {torch.float32: 4e-6, torch.float16: 3e-3, torch.bfloat16: 2e-2}


def attend(q, k, v, scale, softcap=None):
    """Attends the last tokens of a sequence: q [new, heads, dim], k and v [tokens, kv_heads, dim], causally."""
    new, tokens, group = q.shape[0], k.shape[0], q.shape[1] // k.shape[1]
    rows = []
    for row in range(new):
        seen = tokens - new + row + 1
        heads = []
        for head in range(q.shape[1]):
            scores = k[:seen, head // group].double() @ q[row, head].double() * scale
            if softcap is not None:
                scores = softcap * torch.tanh(scores / softcap)
            heads.append(scores.softmax(0) @ v[:seen, head // group].double())
        rows.append(torch.stack(heads))
    return torch.stack(rows)


def close(result, expected, dtype=None, tolerance=None):
    """Asserts equality within what the type of the result allows, or within a tolerance."""
    assert result.shape == expected.shape and result.dtype == (dtype or result.dtype)
    error = (result.double().cpu() - expected.cpu()).abs().max() / expected.abs().max()
    assert error <= (tolerance or TOLERANCE[result.dtype]), error  # NaN is not


class Case:
    """Sequences whose prefixes are in a pool. Slots of nobody hold NaN, and so do those of new tokens."""

    def __init__(self, shapes, group=2, kv_heads=2, dim=16, dtype=torch.float32, by_head=False, layout="packed"):
        self.shapes, self.scale, self.dtype = shapes, dim**-0.5, dtype
        generator = np.random.default_rng(dim + len(shapes))
        lengths = [new + prefix for new, prefix in shapes]
        slots = 1 + generator.permutation(sum(lengths) + 9).astype(np.int32)
        self.slots = np.split(slots[: sum(lengths)], np.cumsum(lengths)[:-1])

        def draw(count, heads):
            numbers = torch.from_numpy(generator.standard_normal((count, heads, dim))).to(dtype)
            return numbers.to(DEVICE)

        keys, values = ([draw(length, kv_heads) for length in lengths] for _ in range(2))
        queries = [draw(new, group * kv_heads) for new, _ in shapes]
        self.sequences = list(zip(queries, keys, values, strict=True))
        news = [torch.cat(queries)]
        for all_tokens in (keys, values):
            news.append(torch.cat([each[prefix:] for each, (_, prefix) in zip(all_tokens, shapes, strict=True)]))
        self.q, self.k, self.v = (_laid_out(each, layout) for each in news)
        self.k_pool, self.v_pool = (self._pool(each, len(slots) + 1, by_head) for each in (keys, values))
        self.batch = RaggedBatch.build([new for new, _ in shapes], self.slots, DEVICE)

    def _pool(self, tokens, slots, by_head):
        _, kv_heads, dim = tokens[0].shape
        shape = (kv_heads, slots, dim) if by_head else (slots, kv_heads, dim)
        pool = torch.full(shape, torch.nan, dtype=self.dtype, device=DEVICE)
        pool = pool.transpose(0, 1) if by_head else pool
        for each, places, (_, prefix) in zip(tokens, self.slots, self.shapes, strict=True):
            pool[torch.from_numpy(places[:prefix]).long().to(DEVICE)] = each[:prefix]
        return pool

    @property
    def tensors(self):
        return self.q, self.k, self.v, self.k_pool, self.v_pool

    def expected(self, softcap=None):
        return torch.cat([attend(*each, self.scale, softcap) for each in self.sequences])


def _laid_out(tensor, layout):
    """Returns the same numbers in another order of memory."""
    if layout == "slices":  # of a wider matrix, as fused projections leave them
        wide = torch.full((tensor.shape[0], tensor.shape[1] + 3, tensor.shape[2]), torch.nan).to(tensor)
        wide[:, 2:-1] = tensor
        return wide[:, 2:-1]
    if layout == "by head":
        return tensor.transpose(0, 1).contiguous().transpose(0, 1)
    if layout == "by number":
        return tensor.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    return tensor
