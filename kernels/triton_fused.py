"""The small steps between the matrix products of a transformer as Triton kernels; `fused` is what they must equal.

Same names, same arguments. One launch each; sampling takes two when all rows are greedy, three with a temperature, and
a few more with top-k and top-p, always the same number for the same arguments, so that all of it can be captured in a
CUDA graph. Importing this module imports Triton. Knows nothing of models, requests and trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from .fused import Rope
from .variants import Variant


def add_rms_norm(x: Tensor, residual: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """See :func:`fused.add_rms_norm`. One program per row."""
    x = _rows(x)
    out = x.new_empty(x.shape)
    total = x if residual is None else x.new_empty(x.shape)
    if residual is not None:
        residual = _rows(residual)
    block = triton.next_power_of_2(x.shape[1])
    _add_rms_norm[(x.shape[0],)](
        x,
        residual,
        weight,
        out,
        total,
        x.stride(0),
        0 if residual is None else residual.stride(0),
        x.shape[1],
        eps,
        ADD=residual is not None,
        BLOCK=block,
        num_warps=_warps(block),
    )
    return out, total


@triton.jit
def _add_rms_norm(
    x, residual, weight, out, total, x_row, residual_row, hidden, eps, ADD: tl.constexpr, BLOCK: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    inside = at < hidden
    value = tl.load(x + row * x_row + at, mask=inside, other=0.0)
    wide = value.to(tl.float32)
    if ADD:
        wide += tl.load(residual + row * residual_row + at, mask=inside, other=0.0).to(tl.float32)
        value = wide.to(value.dtype)
        tl.store(total + row * hidden + at, value, mask=inside)
        wide = value.to(tl.float32)  # what is normed is what is handed on
    wide *= tl.rsqrt(tl.sum(wide * wide, axis=0) / hidden + eps)
    wide *= tl.load(weight + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + row * hidden + at, wide.to(value.dtype), mask=inside)


def rope_store(
    qkv: Tensor, positions: Tensor, rope: Rope, k_pool: Tensor, v_pool: Tensor, slots: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """See :func:`fused.rope_store`. One program per token and block of heads; values are a view of ``qkv``."""
    qkv = _rows(qkv)
    table, heads, kv_heads, q_weight, k_weight, eps = rope
    tokens, head_dim = qkv.shape[0], k_pool.shape[2]
    q = qkv.new_empty(tokens, heads, head_dim)
    k = qkv.new_empty(tokens, kv_heads, head_dim)
    v = qkv.view(tokens, heads + 2 * kv_heads, head_dim)[:, heads + kv_heads :]
    block = 4 if tokens <= _FEW else 16  # a step of a few tokens is over sooner with more programs
    _rope_store[(tokens, triton.cdiv(heads + 2 * kv_heads, block))](
        qkv,
        positions,
        table,
        k_pool,
        v_pool,
        slots,
        q,
        k,
        q_weight,
        k_weight,
        qkv.stride(0),
        table.stride(0),
        *k_pool.stride(),
        *v_pool.stride(),
        heads,
        kv_heads,
        head_dim // 2,
        eps,
        Q_NORM=q_weight is not None,
        K_NORM=k_weight is not None,
        BLOCK_H=block,
        BLOCK_D=triton.next_power_of_2(head_dim // 2),
        num_warps=1 if block == 4 else 4,
    )
    return q, k, v


_FEW = 128


@triton.jit
def _rope_store(
    qkv,
    positions,
    table,
    k_pool,
    v_pool,
    slots,
    q_out,
    k_out,
    q_weight,
    k_weight,
    qkv_row,
    table_row,
    k_slot,
    k_head,
    k_dim,
    v_slot,
    v_head,
    v_dim,
    heads,
    kv_heads,
    half,
    eps,
    Q_NORM: tl.constexpr,
    K_NORM: tl.constexpr,
    BLOCK_H: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    token = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1) * BLOCK_H + tl.arange(0, BLOCK_H)[:, None]  # of queries, then keys, then values
    at = tl.arange(0, BLOCK_D)[None, :]  # in the first half of a head; its partner is half a head on
    inside = at < half
    is_q = head < heads
    is_k = (head >= heads) & (head < heads + kv_heads)
    is_v = (head >= heads + kv_heads) & (head < heads + 2 * kv_heads)
    source = qkv + token * qkv_row + head * (2 * half) + at
    first = tl.load(source, mask=(is_q | is_k | is_v) & inside, other=0.0)
    second = tl.load(source + half, mask=(is_q | is_k | is_v) & inside, other=0.0)
    slot = tl.load(slots + token).to(tl.int64)

    kv_head = head - heads - kv_heads
    to_v = v_pool + slot * v_slot + kv_head.to(tl.int64) * v_head
    tl.store(to_v + at.to(tl.int64) * v_dim, first, mask=is_v & inside)
    tl.store(to_v + (at + half).to(tl.int64) * v_dim, second, mask=is_v & inside)

    x = first.to(tl.float32)
    y = second.to(tl.float32)
    if Q_NORM or K_NORM:
        scale = tl.rsqrt(tl.sum(x * x + y * y, axis=1) / (2 * half) + eps)[:, None]
        if Q_NORM:
            x *= tl.where(is_q, scale * tl.load(q_weight + at, mask=inside, other=0.0).to(tl.float32), 1.0)
            y *= tl.where(is_q, scale * tl.load(q_weight + half + at, mask=inside, other=0.0).to(tl.float32), 1.0)
        if K_NORM:
            x *= tl.where(is_k, scale * tl.load(k_weight + at, mask=inside, other=0.0).to(tl.float32), 1.0)
            y *= tl.where(is_k, scale * tl.load(k_weight + half + at, mask=inside, other=0.0).to(tl.float32), 1.0)
    angles = table + tl.load(positions + token).to(tl.int64) * table_row + at
    cos = tl.load(angles, mask=inside, other=0.0)
    sin = tl.load(angles + half, mask=inside, other=0.0)
    rotated_x = (x * cos - y * sin).to(first.dtype)
    rotated_y = (y * cos + x * sin).to(first.dtype)

    to_q = q_out + (token * heads + head) * (2 * half) + at
    tl.store(to_q, rotated_x, mask=is_q & inside)
    tl.store(to_q + half, rotated_y, mask=is_q & inside)
    kv_head = head - heads
    to_k = k_out + (token * kv_heads + kv_head) * (2 * half) + at
    tl.store(to_k, rotated_x, mask=is_k & inside)
    tl.store(to_k + half, rotated_y, mask=is_k & inside)
    to_pool = k_pool + slot * k_slot + kv_head.to(tl.int64) * k_head
    tl.store(to_pool + at.to(tl.int64) * k_dim, rotated_x, mask=is_k & inside)
    tl.store(to_pool + (at + half).to(tl.int64) * k_dim, rotated_y, mask=is_k & inside)


def silu_mul(gate_up: Tensor) -> Tensor:
    """See :func:`fused.silu_mul`. One program per row and block of columns."""
    gate_up = _rows(gate_up)
    rows, width = gate_up.shape[0], gate_up.shape[1] // 2
    out = gate_up.new_empty(rows, width)
    _silu_mul[(rows, triton.cdiv(width, 1024))](gate_up, out, gate_up.stride(0), width, BLOCK=1024)
    return out


@triton.jit
def _silu_mul(gate_up, out, row_stride, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = at < width
    gate = tl.load(gate_up + row * row_stride + at, mask=inside, other=0.0)
    wide = gate.to(tl.float32)
    up = tl.load(gate_up + row * row_stride + width + at, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + row * width + at, (wide / (1.0 + tl.exp(-wide)) * up).to(gate.dtype), mask=inside)


def _rows(x: Tensor) -> Tensor:
    """Returns a matrix whose rows may lie anywhere, but each in one piece."""
    return x if x.stride(-1) == 1 else x.contiguous()


def _warps(block: int) -> int:
    return min(max(block // 256, 1), 16)


# Sampling.
#
# A row is looked at by many programs, each with a block of its vocabulary. Nothing is sorted: the order of logits is
# the order of whole numbers ("keys", made of their bits), so top-k and top-p each are one key, the last that is kept,
# and how many tokens of just that key are. Such a cut is found digit by digit, highest first: one launch per digit
# counts, per value of the digit, the tokens (top-k) or adds up their weights (top-p), and the next launch sees from
# these sums which value the cut has. Weights are whole numbers too, in units of 2^-44 of the likeliest, so their sums
# do not depend on who adds first: the same row gives the same token in any batch.

BLOCK = 1024
"""How many tokens of the vocabulary one program looks at."""

DIGIT = tl.constexpr(4)
"""Bits of a key that one launch settles. Each token is compared with every value of the digit, so few are better."""

BINS = tl.constexpr(1 << 4)
TILE = tl.constexpr(256)

ONE = tl.constexpr(float(1 << 44))
"""The likeliest token's weight as a whole number; 2^18 of them fit in int64."""

FIELDS = tl.constexpr(5)
"""What is known before a digit is settled: key so far, sum above it, sum to reach, least key, tokens beyond top-k."""


def sample(
    logits: Tensor,
    temperature: Tensor | None,
    top_k: Tensor | None,
    top_p: Tensor | None,
    min_p: Tensor | None,
    seeds: Tensor,
    counters: Tensor,
) -> Tensor:
    """See :func:`fused.sample`.

    An argument that is None for all rows saves its launches. With all of them, 16-bit logits take 11 launches and
    float32 takes 19; rows that do not use a bound leave its launches at once.
    """
    logits = _rows(logits)
    rows, vocabulary = logits.shape
    blocks = triton.cdiv(vocabulary, BLOCK)
    bits = 32 if logits.dtype == torch.float32 else 16
    passes = triton.cdiv(bits, DIGIT.value)
    grid = (rows, blocks)
    sizes = {"BLOCK": BLOCK, "BLOCKS": triton.next_power_of_2(blocks)}

    peaks = torch.empty(rows, blocks, dtype=torch.float32, device=logits.device)
    places = _whole(logits, rows, blocks)
    tables = _whole(logits, rows, 2 * passes, BINS.value)
    shape = (logits.stride(0), vocabulary, blocks)
    filters = top_k is not None or top_p is not None
    _peaks[grid](logits, peaks, places, tables, *shape, CLEAR=2 * passes * BINS.value if filters else 0, BLOCK=BLOCK)
    tokens = _whole(logits, rows)
    if temperature is None:
        _draw[(rows,)](
            logits, peaks, places, None, None, None, None, None, None, None, tokens, *shape,
            GREEDY=True, BITS=bits, **sizes,
        )  # fmt: skip
        return tokens

    states = _whole(logits, rows, 2 * passes, FIELDS.value)
    bounds = (temperature, top_k, top_p)
    uses = {"TOP_K": top_k is not None, "TOP_P": top_p is not None, "PASSES": passes, "BITS": bits}
    for mass, wanted in ((False, top_k), (True, top_p)):
        for at in range(passes if wanted is not None else 0):
            _narrow[grid](logits, peaks, *bounds, tables, states, *shape, MASS=mass, PASS=at, **uses, **sizes)
    masses, ties, cuts = _whole(logits, rows, blocks), _whole(logits, rows, blocks), _whole(logits, rows, 2)
    _tally[grid](logits, peaks, *bounds, min_p, tables, states, masses, ties, cuts, *shape, **uses, **sizes)
    _draw[(rows,)](
        logits, peaks, places, temperature, min_p, masses, ties, cuts, seeds, counters, tokens, *shape,
        GREEDY=False, BITS=bits, **sizes,
    )  # fmt: skip
    return tokens


def _whole(like: Tensor, *shape: int) -> Tensor:
    return torch.empty(shape, dtype=torch.int64, device=like.device)


@triton.jit
def _peaks(logits, peaks, places, tables, row_stride, vocabulary, blocks, CLEAR: tl.constexpr, BLOCK: tl.constexpr):
    """Finds the likeliest token of each block, and clears the sums of the launches to come."""
    row = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1)
    token = block * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(logits + row * row_stride + token, mask=token < vocabulary, other=-float("inf")).to(tl.float32)
    peak = tl.max(x, axis=0)
    tl.store(peaks + row * blocks + block, peak)
    tl.store(places + row * blocks + block, tl.min(tl.where(x == peak, token, vocabulary), axis=0).to(tl.int64))
    if CLEAR > 0:  # noqa: SIM102 (Triton looks at both sides of an `and`)
        if block == 0:
            for start in range(0, CLEAR, BINS):
                tl.store(tables + row * CLEAR + start + tl.arange(0, BINS), tl.zeros((BINS,), tl.int64))


@triton.jit
def _peak(peaks, row, blocks, BLOCKS: tl.constexpr):
    at = tl.arange(0, BLOCKS)
    return tl.max(tl.load(peaks + row * blocks + at, mask=at < blocks, other=-float("inf")), axis=0)


@triton.jit
def _key(x, BITS: tl.constexpr):
    """Returns logits as whole numbers of BITS bits in the same order, int64."""
    wide = x.to(tl.float32)
    wide = tl.where(wide == 0.0, 0.0, wide)  # -0 is 0
    if BITS == 32:
        number = wide.to(tl.int32, bitcast=True).to(tl.int64)
    elif x.dtype == tl.float16:
        number = wide.to(tl.float16).to(tl.int16, bitcast=True).to(tl.int64)
    else:  # bfloat16 is the upper half of float32
        number = wide.to(tl.int32, bitcast=True).to(tl.int64) >> 16
    magnitude: tl.constexpr = (1 << (BITS - 1)) - 1
    return (number ^ ((number >> 63) & magnitude)) + (magnitude + 1)


@triton.jit
def _logit(key, like, BITS: tl.constexpr):
    """Returns the logit of a key, float32; ``like`` is anything of the logits' type."""
    magnitude: tl.constexpr = (1 << (BITS - 1)) - 1
    number = key - (magnitude + 1)
    number = number ^ ((number >> 63) & magnitude)
    if BITS == 32:
        return number.to(tl.int32).to(tl.float32, bitcast=True)
    elif like.dtype.element_ty == tl.float16:
        return number.to(tl.int16).to(tl.float16, bitcast=True).to(tl.float32)
    else:
        return (number << 16).to(tl.int32).to(tl.float32, bitcast=True)


@triton.jit
def _weight(x, peak, temperature):
    """Returns how much likelier the likeliest token is, inverted: 1 for itself; float32."""
    return tl.exp(tl.div_rn(x.to(tl.float32) - peak, temperature))


@triton.jit
def _settle(tables, states, row, aim, AT: tl.constexpr, PASSES: tl.constexpr):
    """Settles the digit that launch AT has summed up.

    Returns:
        The key as far as it is known now, the sum over greater keys, and the sum over keys that begin like it.
    """
    state = states + (row * 2 * PASSES + AT) * FIELDS
    bins = tl.arange(0, BINS)
    sums = tl.load(tables + (row * 2 * PASSES + AT) * BINS + bins)
    above = tl.load(state + 1)
    reached = above + tl.sum(sums, axis=0) - tl.cumsum(sums, axis=0) + sums >= aim
    digit = tl.max(tl.where(reached, bins, 0), axis=0)
    above += tl.sum(tl.where(bins > digit, sums, 0), axis=0)
    return tl.load(state) * BINS + digit, above, tl.sum(tl.where(bins == digit, sums, 0), axis=0)


@triton.jit
def _narrow(
    logits,
    peaks,
    temperatures,
    top_ks,
    top_ps,
    tables,
    states,
    row_stride,
    vocabulary,
    blocks,
    MASS: tl.constexpr,
    PASS: tl.constexpr,
    TOP_K: tl.constexpr,
    TOP_P: tl.constexpr,
    PASSES: tl.constexpr,
    BITS: tl.constexpr,
    BLOCK: tl.constexpr,
    BLOCKS: tl.constexpr,
):
    """Settles the digit before and sums up the tokens of this block by the digit of this launch."""
    row = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1)
    temperature = tl.load(temperatures + row).to(tl.float32)
    limited = False
    count = tl.full((), 0, tl.int64)
    if TOP_K:
        count = tl.load(top_ks + row).to(tl.int64)
        limited = (count > 0) & (count < vocabulary)
    active = temperature > 0.0
    if MASS:
        top_p = tl.load(top_ps + row).to(tl.float64)
        active = active & (top_p < 1.0)
    else:
        active = active & limited
    if active:
        peak = _peak(peaks, row, blocks, BLOCKS)
        here: tl.constexpr = PASSES + PASS if MASS else PASS
        prefix = tl.full((), 0, tl.int64)
        above = tl.full((), 0, tl.int64)
        aim = count
        least = _key(tl.full((), -float("inf"), tl.float32).to(logits.dtype.element_ty), BITS)
        beyond = tl.full((), 0, tl.int64)
        if PASS > 0:
            before = states + (row * 2 * PASSES + here - 1) * FIELDS
            aim = tl.load(before + 2)
            least = tl.load(before + 3)
            beyond = tl.load(before + 4)
            if MASS and PASS == 1:
                bins = tl.arange(0, BINS)
                total = tl.sum(tl.load(tables + (row * 2 * PASSES + here - 1) * BINS + bins), axis=0)
                total -= beyond * _units(_weight(_logit(least, logits, BITS), peak, temperature))
                aim = tl.maximum(tl.ceil(top_p * total.to(tl.float64)).to(tl.int64), 1)
            prefix, above, _ = _settle(tables, states, row, aim, here - 1, PASSES)
        elif MASS and TOP_K:  # noqa: SIM102
            if limited:
                least, more, level = _settle(tables, states, row, count, PASSES - 1, PASSES)
                beyond = level - (count - more)
        if block == 0:
            state = states + (row * 2 * PASSES + here) * FIELDS
            tl.store(state, prefix)
            tl.store(state + 1, above)
            tl.store(state + 2, aim)
            tl.store(state + 3, least)
            tl.store(state + 4, beyond)

        # Most blocks have no say: their likeliest token is below what is known of the cut already. That is so as well
        # where `count` blocks have a likelier token each.
        shift: tl.constexpr = DIGIT * (PASSES - 1 - PASS)
        mine = tl.load(peaks + row * blocks + block)
        highest = _key(mine.to(logits.dtype.element_ty), BITS)
        concerned = ((highest >> (shift + DIGIT)) >= prefix) & (highest >= least)
        if not MASS:
            at = tl.arange(0, BLOCKS)
            heights = tl.load(peaks + row * blocks + at, mask=at < blocks, other=-float("inf"))
            concerned = concerned & (tl.sum((heights > mine).to(tl.int64), axis=0) < count)
        bins = tl.arange(0, BINS)[:, None]
        sums = tl.zeros((BINS, TILE), tl.int64 if MASS else tl.int32)
        first = block * BLOCK
        end = tl.where(concerned, tl.minimum(first + BLOCK, vocabulary), first)
        for start in range(first, end, TILE):
            token = start + tl.arange(0, TILE)
            inside = token < end
            x = tl.load(logits + row * row_stride + token, mask=inside, other=-float("inf"))
            key = _key(x, BITS)
            counted = inside & ((key >> (shift + DIGIT)) == prefix) & (key >= least)
            digit = tl.where(counted, (key >> shift) & (BINS - 1), -1).to(tl.int32)
            if MASS:
                value = _units(_weight(x, peak, temperature))
                sums += tl.where(digit[None, :] == bins, value[None, :], 0)
            else:
                sums += tl.where(digit[None, :] == bins, 1, 0)
        summed = tl.sum(sums, axis=1).to(tl.int64)
        to = tables + (row * 2 * PASSES + here) * BINS + tl.arange(0, BINS)
        tl.atomic_add(to, summed, mask=summed != 0, sem="relaxed")


@triton.jit
def _units(weight):
    return (weight * ONE).to(tl.int64)  # exact: ONE is a power of two


@triton.jit
def _tally(
    logits,
    peaks,
    temperatures,
    top_ks,
    top_ps,
    min_ps,
    tables,
    states,
    masses,
    ties,
    cuts,
    row_stride,
    vocabulary,
    blocks,
    TOP_K: tl.constexpr,
    TOP_P: tl.constexpr,
    PASSES: tl.constexpr,
    BITS: tl.constexpr,
    BLOCK: tl.constexpr,
    BLOCKS: tl.constexpr,
):
    """Settles the last digits, and sums up what this block keeps above the cut and counts what it has at the cut."""
    row = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1)
    temperature = tl.load(temperatures + row).to(tl.float32)
    if temperature > 0.0:
        peak = _peak(peaks, row, blocks, BLOCKS)
        cut = _key(tl.full((), -float("inf"), tl.float32).to(logits.dtype.element_ty), BITS)  # all others are kept
        rank = tl.full((), 0, tl.int64)
        if TOP_K:
            count = tl.load(top_ks + row).to(tl.int64)
            if (count > 0) & (count < vocabulary):
                cut, above, _ = _settle(tables, states, row, count, PASSES - 1, PASSES)
                rank = count - above
        if TOP_P:  # noqa: SIM102
            if tl.load(top_ps + row).to(tl.float64) < 1.0:
                aim = tl.load(states + (row * 2 * PASSES + 2 * PASSES - 1) * FIELDS + 2)
                cut, above, _ = _settle(tables, states, row, aim, 2 * PASSES - 1, PASSES)
                unit = tl.maximum(_units(_weight(_logit(cut, logits, BITS), peak, temperature)), 1)
                rank = (aim - above + unit - 1) // unit
        if block == 0:
            tl.store(cuts + row * 2, cut)
            tl.store(cuts + row * 2 + 1, rank)

        token = block * BLOCK + tl.arange(0, BLOCK)
        inside = token < vocabulary
        x = tl.load(logits + row * row_stride + token, mask=inside, other=-float("inf"))
        key = _key(x, BITS)
        weight = _weight(x, peak, temperature)
        kept = inside & (key > cut)
        if min_ps is not None:
            kept = kept & (weight >= tl.load(min_ps + row).to(tl.float32))
        tl.store(masses + row * blocks + block, tl.sum(tl.where(kept, _units(weight), 0), axis=0))
        tl.store(ties + row * blocks + block, tl.sum((inside & (key == cut)).to(tl.int64), axis=0))


@triton.jit
def _draw(
    logits,
    peaks,
    places,
    temperatures,
    min_ps,
    masses,
    ties,
    cuts,
    seeds,
    counters,
    tokens,
    row_stride,
    vocabulary,
    blocks,
    GREEDY: tl.constexpr,
    BITS: tl.constexpr,
    BLOCK: tl.constexpr,
    BLOCKS: tl.constexpr,
):
    """Draws the row's token: first the block it is in, then the token in that block."""
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCKS)
    there = at < blocks
    heights = tl.load(peaks + row * blocks + at, mask=there, other=-float("inf"))
    peak = tl.max(heights, axis=0)
    best = tl.load(places + row * blocks + at, mask=there & (heights == peak), other=vocabulary)
    likeliest = tl.minimum(tl.min(best, axis=0), vocabulary - 1).to(tl.int64)
    if GREEDY:
        tl.store(tokens + row, likeliest)
    else:
        temperature = tl.load(temperatures + row).to(tl.float32)
        if temperature > 0.0:
            cut = tl.load(cuts + row * 2)
            rank = tl.load(cuts + row * 2 + 1)
            least = 0.0
            if min_ps is not None:
                least = tl.load(min_ps + row).to(tl.float32)
            weight = _weight(_logit(cut, logits, BITS), peak, temperature)
            unit = tl.where(weight >= least, _units(weight), 0)
            level = tl.load(ties + row * blocks + at, mask=there, other=0)
            left = tl.maximum(rank - (tl.cumsum(level, axis=0) - level), 0)  # how many ties a block may still keep
            sums = tl.load(masses + row * blocks + at, mask=there, other=0) + tl.minimum(left, level) * unit
            reach = tl.cumsum(sums, axis=0)
            total = tl.sum(sums, axis=0)
            aim = (_uniform(tl.load(seeds + row), tl.load(counters + row)) * total.to(tl.float64)).to(tl.int64)
            aim = tl.minimum(aim, total - 1)
            block = tl.sum((reach <= aim).to(tl.int32), axis=0)
            aim -= tl.sum(tl.where(at < block, sums, 0), axis=0)
            rank = tl.sum(tl.where(at == block, left, 0), axis=0)

            token = block * BLOCK + tl.arange(0, BLOCK)
            inside = token < vocabulary
            x = tl.load(logits + row * row_stride + token, mask=inside, other=-float("inf"))
            key = _key(x, BITS)
            tie = inside & (key == cut)
            chosen = inside & (key > cut) | tie & (tl.cumsum(tie.to(tl.int64), axis=0) <= rank)
            weight = _weight(x, peak, temperature)
            reach = tl.cumsum(tl.where(chosen & (weight >= least), _units(weight), 0), axis=0)
            likeliest = block * BLOCK + tl.sum((reach <= aim).to(tl.int64), axis=0)
        tl.store(tokens + row, tl.minimum(likeliest, vocabulary - 1))


@triton.jit
def _uniform(seed, counter):
    """Returns a random number of 53 bits from [0, 1), float64."""
    low = (counter & 0xFFFFFFFF).to(tl.uint32)
    high = ((counter >> 32) & 0xFFFFFFFF).to(tl.uint32)
    zero = low * 0
    a, b, _, _ = tl.philox(seed, low, high, zero, zero)
    return ((a >> 5).to(tl.int64) * (1 << 26) + (b >> 6).to(tl.int64)).to(tl.float64) * (1.0 / (1 << 53))


# Ahead of time.

_NUMBERS = tuple("x residual weight out total qkv k_pool v_pool q_out k_out q_weight k_weight logits gate_up".split())
_TYPES = {
    **dict.fromkeys(("positions", "slots", "places", "tables", "states", "masses", "ties", "cuts"), "*i64"),
    **dict.fromkeys(("seeds", "counters", "tokens"), "*i64"),
    **dict.fromkeys(("table", "peaks", "temperatures", "min_ps"), "*fp32"),
    "top_ks": "*i32", "top_ps": "*fp64", "eps": "fp32",
}  # fmt: skip


def ahead_of_time(majors: Iterable[int] = (8, 9)) -> Iterator[Variant]:
    """Yields what well-known models in bf16 need, and sampling from float32; all cards take the same."""
    del majors
    for add in (False, True):
        yield _variant("add_rms_norm", _add_rms_norm, "bf16", 4, ADD=add, BLOCK=1024)
    for norm, block, warps in ((False, 4, 1), (True, 4, 1), (True, 16, 4)):
        flags = {"Q_NORM": norm, "K_NORM": norm, "BLOCK_H": block, "BLOCK_D": 64 if norm else 32}
        yield _variant("rope_store", _rope_store, "bf16", warps, **flags)
    yield _variant("silu_mul", _silu_mul, "bf16", 4, BLOCK=1024)
    for number, bits, passes in (("bf16", 16, 4), ("fp32", 32, 8)):
        yield _variant("peaks", _peaks, number, 4, CLEAR=2 * passes * BINS.value, BLOCK=BLOCK)
        sizes = {"BITS": bits, "BLOCK": BLOCK, "BLOCKS": 256}
        uses = {"TOP_K": True, "TOP_P": True, "PASSES": passes, **sizes}
        for mass, at in ((False, 0), (False, 1), (True, 0), (True, 1)):
            yield _variant("narrow", _narrow, number, 4, MASS=mass, PASS=at, **uses)
        yield _variant("tally", _tally, number, 4, **uses)
        yield _variant("draw", _draw, number, 4, GREEDY=False, **sizes)
    unused = dict.fromkeys("temperatures min_ps masses ties cuts seeds counters".split())
    yield _variant("draw", _draw, "bf16", 4, GREEDY=True, BITS=16, BLOCK=BLOCK, BLOCKS=256, **unused)


def _variant(name: str, fn: Any, number: str, warps: int, **constexprs: Any) -> Variant:
    known = _TYPES | dict.fromkeys(_NUMBERS, f"*{number}") | dict.fromkeys(constexprs, "constexpr")
    signature = {each: known.get(each, "i32") for each in fn.arg_names}
    settings = " ".join(f"{key}={value}" for key, value in constexprs.items() if value is not None)
    return Variant(f"{name} {number} {settings}", fn, signature, constexprs, {"num_warps": warps})
