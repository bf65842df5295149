"""The small steps between the matrix products of a transformer, each as one function: what Triton's kernels must equal.

Norms, rotation with storing, the gated activation, and sampling. Every function computes in float32 and returns the
type it was given. `triton_fused` offers the same names with the same arguments, one launch each (sampling: a few). No
model runs through this: on a CPU that is `ops.TorchKernels`, which is made for speed.
Knows nothing of models, requests and trees: only of rows, heads and slots.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import silu

_WORD = 0xFFFFFFFF


class Rope(NamedTuple):
    """How a layer's queries and keys are rotated, and normed before that.

    Element i of a head is rotated with element i + D/2, which is what transformers calls rotate_half.
    """

    table: Tensor  # float32 [max_context, D]: the cosines of a position's D/2 angles, then their sines
    heads: int  # of queries
    kv_heads: int  # of keys, and of values
    q_weight: Tensor | None = None  # [D]: norms each head of the queries, as Qwen3 does
    k_weight: Tensor | None = None  # the same for keys
    eps: float = 1e-6  # of that norm


def add_rms_norm(x: Tensor, residual: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Adds the residual and norms what comes out, as it was rounded to the type of ``x``.

    Args:
        x: ``[T, hidden]``.
        residual: ``[T, hidden]`` or None, which adds nothing.
        weight: ``[hidden]``, in any type.
        eps: Added to the mean of squares.

    Returns:
        ``norm(x + residual) * weight`` and ``x + residual`` (``x`` itself without a residual).
    """
    total = x if residual is None else x + residual
    return _rms_norm(total.float(), weight, eps).to(x.dtype), total


def _rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight.float()


def rope_store(
    qkv: Tensor, positions: Tensor, rope: Rope, k_pool: Tensor, v_pool: Tensor, slots: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Rotates queries and keys by their positions and stores keys and values in the pools of a layer.

    Args:
        qkv: ``[T, (heads + 2 * kv_heads) * D]``, bias and all.
        positions: int64 ``[T]``.
        rope: How they are rotated.
        k_pool: ``[slots, kv_heads, D]``, any strides; is written.
        v_pool: The same.
        slots: int64 ``[T]``. Of several tokens for one slot any may win.

    Returns:
        Queries ``[T, heads, D]``, keys and values ``[T, kv_heads, D]``. Values are a view of ``qkv``, the others new.
    """
    table, heads, kv_heads, q_weight, k_weight, eps = rope
    head_dim = k_pool.shape[-1]
    split = qkv.view(qkv.shape[0], heads + 2 * kv_heads, head_dim)
    cos, sin = table[positions][:, None].chunk(2, dim=-1)
    q = _rotate(split[:, :heads], cos, sin, q_weight, eps)
    k = _rotate(split[:, heads : heads + kv_heads], cos, sin, k_weight, eps)
    v = split[:, heads + kv_heads :]
    k_pool.index_copy_(0, slots, k)
    v_pool.index_copy_(0, slots, v)
    return q, k, v


def _rotate(x: Tensor, cos: Tensor, sin: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    wide = x.float() if weight is None else _rms_norm(x.float(), weight, eps)
    first, second = wide.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(x.dtype)


def silu_mul(gate_up: Tensor) -> Tensor:
    """Returns ``silu(gate) * up``, ``[T, I]``, for gate and up side by side, ``[T, 2 * I]``."""
    gate, up = gate_up.float().chunk(2, dim=-1)
    return (silu(gate) * up).to(gate_up.dtype)


def sample(
    logits: Tensor,
    temperature: Tensor | None,
    top_k: Tensor | None,
    top_p: Tensor | None,
    min_p: Tensor | None,
    seeds: Tensor,
    counters: Tensor,
) -> Tensor:
    """Samples one token for each row, without waiting for the device.

    The temperature comes first; then top-k; top-p counts among what top-k left; min-p compares with the likeliest.
    Equal logits count in the order of ids, and -inf excludes. A row's token depends on its own arguments alone, not on
    the rows beside it.

    Args:
        logits: ``[B, V]`` in any floating type.
        temperature: ``[B]``; 0 takes the likeliest token, of several the lowest id. None: 0 for all.
        top_k: Integers ``[B]``; 0 or less keeps all. None: all for all.
        top_p: ``[B]``; 1 keeps all. float64 where a sum may meet the bound exactly. None: 1 for all.
        min_p: ``[B]``; 0 keeps all. None: 0 for all.
        seeds: int64 ``[B]``: of each row's request.
        counters: int64 ``[B]``: the how-manieth random number of its request each row takes.

    Returns:
        Token ids, int64 ``[B]``.
    """
    wide = logits.float()
    likeliest = wide.argmax(-1)  # of equal ones the first
    if temperature is None:
        return likeliest
    greedy = temperature == 0
    weights = torch.exp((wide - wide.amax(-1, keepdim=True)) / torch.where(greedy, 1, temperature).float()[:, None])
    weights = torch.where(kept(wide, weights, top_k, top_p, min_p), weights, 0).double()
    reach = weights.cumsum(-1)
    aim = uniform(seeds, counters) * reach[:, -1]
    drawn = torch.searchsorted(reach, aim[:, None], right=True)[:, 0].clamp_(max=wide.shape[-1] - 1)
    return torch.where(greedy, likeliest, drawn)


def kept(logits: Tensor, weights: Tensor, top_k: Tensor | None, top_p: Tensor | None, min_p: Tensor | None) -> Tensor:
    """Returns which tokens top-k, top-p and min-p leave, bool ``[B, V]``.

    Args:
        logits: float32 ``[B, V]``.
        weights: float32 ``[B, V]``: each token's probability over that of the likeliest, at the row's temperature.
        top_k: As for :func:`sample`, like those below.
        top_p: Among what top-k left.
        min_p: Compared with the weights.
    """
    order = logits.argsort(dim=-1, descending=True, stable=True)
    ranked = weights.gather(-1, order).double()
    rank = torch.arange(logits.shape[-1], device=logits.device)
    keep = torch.ones_like(logits, dtype=torch.bool)
    if top_k is not None:
        keep &= (rank < top_k[:, None]) | (top_k <= 0)[:, None]
    if top_p is not None:
        ranked = torch.where(keep, ranked, 0)
        reach = ranked.cumsum(-1)
        short = reach < top_p.double()[:, None] * reach[:, -1:]  # the bound is not reached with this token ...
        keep &= (short.sum(-1, keepdim=True) >= rank) | (top_p >= 1)[:, None]  # ... so one more is kept
    keep = torch.zeros_like(keep).scatter_(-1, order, keep)
    return keep if min_p is None else keep & (weights >= min_p.float()[:, None])


def uniform(seeds: Tensor, counters: Tensor) -> Tensor:
    """Returns random numbers of 53 bits from [0, 1), float64 ``[B]``: Philox 4x32-10 of a seed and a counter.

    Source: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3 (SC'11).
    """
    a, b = counters & _WORD, counters >> 32 & _WORD
    c = d = torch.zeros_like(a)
    low, high = seeds & _WORD, seeds >> 32 & _WORD
    for _ in range(10):
        b_hi, b_lo = _product(c, 0xCD9E8D57)
        a_hi, a_lo = _product(a, 0xD2511F53)
        a, b, c, d = b_hi ^ b ^ low, b_lo, a_hi ^ d ^ high, a_lo
        low, high = low + 0x9E3779B9 & _WORD, high + 0xBB67AE85 & _WORD
    return (a >> 5 << 26 | b >> 6).double() * 2.0**-53


def _product(x: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """Returns the upper and the lower 32 bits of a product of 32-bit numbers that int64 holds."""
    low, high = (x & 0xFFFF) * factor, (x >> 16) * factor  # 48 bits each
    upper = high + (low >> 16)
    return upper >> 16, (upper << 16 | low & 0xFFFF) & _WORD
