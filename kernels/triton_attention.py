"""Attention of new tokens over keys and values that lie scattered in a pool: the Triton kernels.

The same two operations as the torch reference in :mod:`.attention`, on the same pools:

* :func:`decode`, one new token per sequence. The grid is (sequence, tile of heads, split): the heads that share a KV
  head stand in one tile of 16 rows, so that its keys are read once for all of them, and the keys of a sequence are
  split over as many programs as fill the device. A second kernel merges the splits by their log-sum-exp. With one split
  the first kernel writes the result and there is no second.
* :func:`extend`, any number of new tokens on a cached prefix. The rows of a tile are (token, head of the group); first
  come the prefix's keys through their slots, without a mask, then the new ones from the tensors they were just computed
  in, causally. A short suffix on a long prefix has few tiles, so its prefix is split as well.

The designs are SGLang's and LightLLM's (``decode_attention.py``, ``extend_attention.py``). What others learned the
hard way: offsets are 64 bits wide (SGLang #28788, vLLM #47671); every load is masked, because what a free slot holds
may be NaN and 0 times NaN is NaN (vLLM #47305); both stages know by one formula which splits are empty (vLLM #47188);
strides are passed, never assumed (SGLang #2465); groups of more than 16 heads take more tiles (vLLM #23424).

Scores carry the factor log2(e), so that ``exp2`` serves, in all kernels and in every log-sum-exp that is kept. The
running maximum starts at a finite number far below any score: a tile without a visible key then needs no special case.

Knows nothing of models, requests and trees, and nothing of CUDA graphs but this: given buffers, nothing is allocated
and no size is read back from the device. Under ``TRITON_INTERPRET=1`` the kernels run on a CPU, in fp32 and fp16 (the
interpreter multiplies bf16 wrongly).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from .attention import RaggedBatch
from .tree_attention import PROCESSORS
from .variants import Variant

LOG2E = math.log2(math.e)

GRANULE = 64
"""Splits are multiples of this many keys long."""

HEADS = 16
"""Rows of a tile of heads: the least that ``tl.dot`` takes."""

DECODE_KEYS = 128
"""A decode is split no finer than this on average."""

EXTEND_KEYS = 256
"""And an extend."""

LOW = tl.constexpr(-1.0e30)
_GRANULE = tl.constexpr(GRANULE)

# Integers that vary between calls and gain nothing from being known: a kernel compiled anew costs a second.
_PLAIN = ["lse_row", "lse_head", "lse_split", "splits"]


class Tile(NamedTuple):
    """How much one program works on at once."""

    rows: int  # queries
    keys: int
    warps: int
    stages: int  # tiles of keys in flight


# By the device's major version, then by the largest head dimension it serves. "Short" is for extends whose rows would
# not give every processor a tile of the long kind. Keys are found through slots, so half of the stages of a decode are
# tiles of slots: 5 keep two tiles of keys on their way. Chosen by what the compiler makes of them (16-byte asynchronous
# copies, no registers spilled in bf16) and to fit the shared memory of all devices that take them (see `major`).
DECODE_TILES = {
    9: {64: Tile(HEADS, 64, 4, 5), 128: Tile(HEADS, 64, 4, 5), 256: Tile(HEADS, 32, 4, 5)},
    8: {64: Tile(HEADS, 64, 4, 5), 128: Tile(HEADS, 64, 4, 4), 256: Tile(HEADS, 32, 4, 4)},
}
EXTEND_TILES = {
    9: {64: Tile(128, 64, 8, 3), 128: Tile(128, 64, 8, 3), 256: Tile(64, 64, 8, 2)},
    8: {64: Tile(128, 64, 8, 3), 128: Tile(128, 32, 8, 3), 256: Tile(64, 32, 8, 2)},
}
SHORT_TILES = {
    9: {64: Tile(64, 64, 4, 3), 128: Tile(64, 64, 4, 2), 256: Tile(64, 64, 8, 2)},
    8: {64: Tile(64, 32, 4, 3), 128: Tile(64, 64, 8, 2), 256: Tile(64, 32, 8, 2)},
}
# fp32 is multiplied without tensor cores, and twice as wide: for checks, so it is small rather than fast
WIDE_TILE = Tile(32, 32, 4, 1)


def tile(table: dict[int, dict[int, Tile]], major: int, dim: int, itemsize: int) -> Tile:
    """Returns what a table says of a device of this major version, a head dimension and the bytes of a number."""
    by_dim = table[max((each for each in table if each <= major), default=min(table))]
    largest = min((each for each in by_dim if dim <= each), default=None)
    if largest is None:
        raise ValueError(f"a head dimension of {dim} is more than the kernels' {max(by_dim)}")
    found = by_dim[largest]
    return found if itemsize <= 2 else WIDE_TILE._replace(rows=min(found.rows, WIDE_TILE.rows))


# -------------------------------------------------------------------------------------------------------- the kernels


@triton.jit
def _split_size(length, splits):
    """Keys of each split but the last: the one formula that both stages use."""
    return tl.cdiv(tl.maximum(tl.cdiv(length, splits), 1), _GRANULE) * _GRANULE


@triton.jit
def _split(length, split, splits):
    """First key of a split and the key after its last; not the first split, these may be equal or crossed."""
    size = _split_size(length, splits)
    return split * size, tl.minimum(split * size + size, length)


@triton.jit
def _capped(products, scale, cap, CAPPED: tl.constexpr):
    """Scores but for the factor ``scale`` if it still applies, in units of log2(e): a cap carries both."""
    if CAPPED:
        scores = products * scale
        fade = tl.exp(-2.0 * tl.abs(scores))  # tanh, in a form that cannot overflow
        products = tl.where(scores < 0.0, -cap, cap) * (1.0 - fade) / (1.0 + fade)
    return products


@triton.jit
def _scores(products, scale, cap, CAPPED: tl.constexpr):
    """Scores in units of log2(e)."""
    return _capped(products, scale, cap, CAPPED) * (1.0 if CAPPED else scale)


@triton.jit
def _step(q, keys, values, seen, top, total, acc, scale, cap, CAPPED: tl.constexpr):
    """Takes one tile of keys ``[N, D]`` into the running maximum, sum and result of each row.

    The scale is applied with the maximum, in one fused operation for each score; it must be positive.
    """
    products = _capped(tl.dot(q, tl.trans(keys), input_precision="ieee"), scale, cap, CAPPED)
    products = tl.where(seen, products, float("-inf"))
    factor = 1.0 if CAPPED else scale
    highest = tl.maximum(top, tl.max(products, 1) * factor)
    weights = tl.exp2(products * factor - highest[:, None])
    fade = tl.exp2(top - highest)
    acc = tl.dot(weights.to(values.dtype), values, acc * fade[:, None], input_precision="ieee")
    return highest, total * fade + tl.sum(weights, 1), acc


@triton.jit
def _prefix(
    q, top, total, acc, k_pool, v_pool, k_slot, v_slot, slots, start, end, dims, DIM: tl.constexpr, KEYS: tl.constexpr,
    scale, cap, CAPPED: tl.constexpr,
):  # fmt: skip
    """Takes the keys ``start`` to ``end`` of a list of slots; the pools point at the KV head already."""
    for first in range(start, end, KEYS):
        places = first + tl.arange(0, KEYS)
        here = places < end
        rows = tl.load(slots + places, mask=here, other=0).to(tl.int64)
        taken = here[:, None] & (dims < DIM)[None, :]
        keys = tl.load(k_pool + rows[:, None] * k_slot + dims[None, :], mask=taken, other=0.0)
        values = tl.load(v_pool + rows[:, None] * v_slot + dims[None, :], mask=taken, other=0.0)
        top, total, acc = _step(q, keys, values, here[None, :], top, total, acc, scale, cap, CAPPED)
    return top, total, acc


@triton.jit
def _lse(top, total):
    return tl.where(total > 0.0, top + tl.log2(tl.where(total > 0.0, total, 1.0)), float("-inf"))


@triton.jit(do_not_specialize=_PLAIN)
def _decode(
    q, k, v, k_pool, v_pool, indices, starts, lengths, out, acc_out, lse_out,
    q_row, q_head, k_row, k_head, v_row, v_head, k_slot, k_pool_head, v_slot, v_pool_head, out_row, out_head,
    acc_row, acc_head, acc_split, lse_row, lse_head, lse_split, scale, cap,
    GROUP: tl.constexpr, TILES: tl.constexpr, DIM: tl.constexpr, DIMS: tl.constexpr, ROWS: tl.constexpr,
    KEYS: tl.constexpr, CAPPED: tl.constexpr, WHOLE: tl.constexpr,
):  # fmt: skip
    """One split of one sequence for one tile of the heads that share a KV head.

    Grid (B, kv_heads * TILES, splits). Writes the result if WHOLE (one split), else a partial one and its LSE, but for
    splits without a key. The new token is the first split's, and where its softmax starts.
    """
    sequence = tl.program_id(0).to(tl.int64)
    kv_head = (tl.program_id(1) // TILES).to(tl.int64)
    split = tl.program_id(2)
    start, end = _split(tl.load(lengths + sequence), split, tl.num_programs(2))
    if (start >= end) & (split > 0):
        return

    members = (tl.program_id(1) % TILES) * ROWS + tl.arange(0, ROWS)
    heads = kv_head * GROUP + members
    dims = tl.arange(0, DIMS)
    inside = (members < GROUP)[:, None] & (dims < DIM)[None, :]
    queries = tl.load(q + sequence * q_row + heads[:, None] * q_head + dims[None, :], mask=inside, other=0.0)

    mine = (dims < DIM) & (split == 0)
    new_key = tl.load(k + sequence * k_row + kv_head * k_head + dims, mask=mine, other=0.0).to(tl.float32)
    new_value = tl.load(v + sequence * v_row + kv_head * v_head + dims, mask=mine, other=0.0).to(tl.float32)
    score = _scores(tl.sum(queries.to(tl.float32) * new_key[None, :], 1), scale, cap, CAPPED)
    top = tl.where(split == 0, score, LOW)
    total = tl.where(split == 0, tl.full([ROWS], 1.0, tl.float32), 0.0)
    acc = tl.zeros([ROWS, DIMS], tl.float32) + new_value[None, :]

    top, total, acc = _prefix(
        queries, top, total, acc, k_pool + kv_head * k_pool_head, v_pool + kv_head * v_pool_head, k_slot, v_slot,
        indices + tl.load(starts + sequence).to(tl.int64), start, end, dims, DIM, KEYS, scale, cap, CAPPED,
    )  # fmt: skip
    acc = acc / total[:, None]
    if WHOLE:
        to = out + sequence * out_row + heads[:, None] * out_head + dims[None, :]
        tl.store(to, acc.to(out.dtype.element_ty), mask=inside)
    else:
        to = acc_out + sequence * acc_row + heads[:, None] * acc_head + split.to(tl.int64) * acc_split + dims[None, :]
        tl.store(to, acc, mask=inside)
        to = lse_out + sequence * lse_row + heads * lse_head + split.to(tl.int64) * lse_split
        tl.store(to, _lse(top, total), mask=members < GROUP)


@triton.jit(do_not_specialize=_PLAIN)
def _merge(
    acc_in, lse_in, lengths, indptr, q, k, v, out, acc_row, acc_head, acc_split, lse_row, lse_head, lse_split,
    q_row, q_head, k_row, k_head, v_row, v_head, out_row, out_head, splits, scale, cap,
    GROUP: tl.constexpr, DIM: tl.constexpr, DIMS: tl.constexpr, CHUNK: tl.constexpr, CAPPED: tl.constexpr,
    PLANNED: tl.constexpr,
):  # fmt: skip
    """Merges the partial results of one row and head, weighed by their LSE. Grid (rows, heads).

    The partials of a row are those of ``splits`` splits of its length that are not empty; or, if PLANNED, the splits
    ``indptr[row]`` to ``indptr[row + 1]`` of row 0, some of them perhaps empty, and its new token, which is in none.
    """
    row = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1).to(tl.int64)
    dims = tl.arange(0, DIMS)
    inside = dims < DIM
    if PLANNED:
        first = tl.load(indptr + row).to(tl.int64)
        count = (tl.load(indptr + row + 1) - first).to(tl.int32)
        accs = acc_in + first * acc_split + head * acc_head
        lses = lse_in + first * lse_split + head * lse_head
        kv_head = head // GROUP
        query = tl.load(q + row * q_row + head * q_head + dims, mask=inside, other=0.0).to(tl.float32)
        key = tl.load(k + row * k_row + kv_head * k_head + dims, mask=inside, other=0.0).to(tl.float32)
        acc = tl.load(v + row * v_row + kv_head * v_head + dims, mask=inside, other=0.0).to(tl.float32)
        top = _scores(tl.sum(query * key, 0), scale, cap, CAPPED)
        total = top * 0.0 + 1.0
    else:
        length = tl.load(lengths + row)
        count = tl.maximum(tl.cdiv(length, _split_size(length, splits)), 1)
        accs = acc_in + row * acc_row + head * acc_head
        lses = lse_in + row * lse_row + head * lse_head
        acc = tl.zeros([DIMS], tl.float32)
        top = tl.sum(acc, 0) + LOW
        total = tl.sum(acc, 0)
    for start in range(0, count, CHUNK):
        parts = start + tl.arange(0, CHUNK)
        here = parts < count
        lse = tl.load(lses + parts.to(tl.int64) * lse_split, mask=here, other=float("-inf"))
        taken = here[:, None] & inside[None, :]  # a part of no keys is all 0, with an LSE of -inf
        part = tl.load(accs + parts.to(tl.int64)[:, None] * acc_split + dims[None, :], mask=taken, other=0.0)
        highest = tl.maximum(top, tl.max(lse, 0))
        weights = tl.exp2(lse - highest)
        fade = tl.exp2(top - highest)
        acc = acc * fade + tl.sum(weights[:, None] * part, 0)
        total = total * fade + tl.sum(weights, 0)
        top = highest
    tl.store(out + row * out_row + head * out_head + dims, (acc / total).to(out.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=_PLAIN)
def _extend(
    q, k, v, k_pool, v_pool, tiles, qo_indptr, kv_indptr, kv_indices, prefix_lens, out, acc_out, lse_out,
    q_row, q_head, k_row, k_head, v_row, v_head, k_slot, k_pool_head, v_slot, v_pool_head, out_row, out_head,
    acc_row, acc_head, acc_split, lse_row, lse_head, lse_split, scale, cap,
    GROUP: tl.constexpr, DIM: tl.constexpr, DIMS: tl.constexpr, ROWS: tl.constexpr, KEYS: tl.constexpr,
    CAPPED: tl.constexpr, WHOLE: tl.constexpr,
):  # fmt: skip
    """One split of one tile of ROWS rows (token, head of the group) of one sequence. Grid (tiles, kv_heads, splits).

    The splits share out the prefix; the new tokens are the first split's.
    """
    sequence = tl.load(tiles + 2 * tl.program_id(0))
    first_row = tl.load(tiles + 2 * tl.program_id(0) + 1)
    kv_head = tl.program_id(1).to(tl.int64)
    split = tl.program_id(2)
    start, end = _split(tl.load(prefix_lens + sequence), split, tl.num_programs(2))
    if (start >= end) & (split > 0):
        return

    packed = tl.load(qo_indptr + sequence)
    new = tl.load(qo_indptr + sequence + 1) - packed
    rows = first_row + tl.arange(0, ROWS)
    tokens = rows // GROUP
    heads = kv_head * GROUP + rows % GROUP
    dims = tl.arange(0, DIMS)
    inside = (tokens < new)[:, None] & (dims < DIM)[None, :]
    lines = (packed + tokens).to(tl.int64)
    queries = tl.load(q + lines[:, None] * q_row + heads[:, None] * q_head + dims[None, :], mask=inside, other=0.0)

    top = tl.full([ROWS], LOW, tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    acc = tl.zeros([ROWS, DIMS], tl.float32)
    top, total, acc = _prefix(
        queries, top, total, acc, k_pool + kv_head * k_pool_head, v_pool + kv_head * v_pool_head, k_slot, v_slot,
        kv_indices + tl.load(kv_indptr + sequence).to(tl.int64), start, end, dims, DIM, KEYS, scale, cap, CAPPED,
    )  # fmt: skip

    k += packed.to(tl.int64) * k_row + kv_head * k_head
    v += packed.to(tl.int64) * v_row + kv_head * v_head
    stop = tl.minimum((first_row + ROWS - 1) // GROUP + 1, new)  # after the last key that a row of the tile sees
    for first in range(0, tl.where(split == 0, stop, 0), KEYS):
        places = first + tl.arange(0, KEYS)
        here = places < stop
        taken = here[:, None] & (dims < DIM)[None, :]
        keys = tl.load(k + places.to(tl.int64)[:, None] * k_row + dims[None, :], mask=taken, other=0.0)
        values = tl.load(v + places.to(tl.int64)[:, None] * v_row + dims[None, :], mask=taken, other=0.0)
        seen = here[None, :] & (places[None, :] <= tokens[:, None])
        top, total, acc = _step(queries, keys, values, seen, top, total, acc, scale, cap, CAPPED)

    acc = acc / total[:, None]
    if WHOLE:
        to = out + lines[:, None] * out_row + heads[:, None] * out_head + dims[None, :]
        tl.store(to, acc.to(out.dtype.element_ty), mask=inside)
    else:
        to = acc_out + lines[:, None] * acc_row + heads[:, None] * acc_head + split.to(tl.int64) * acc_split
        tl.store(to + dims[None, :], acc, mask=inside)
        to = lse_out + lines * lse_row + heads * lse_head + split.to(tl.int64) * lse_split
        tl.store(to, _lse(top, total), mask=tokens < new)


# ------------------------------------------------------------------------------------------------------- the operations


def splits(batch: int, kv_heads: int, longest: int, processors: int = PROCESSORS) -> int:
    """Returns over how many programs a decode splits each sequence: a power of two.

    About two programs for every processor, but no splits shorter than 128 keys. Flash decoding's idea; a cap of 8 where
    32 fill the device costs more than half the speed at 32k tokens (SGLang's pull request 21775).

    Args:
        batch: How many sequences.
        kv_heads: Of the layer.
        longest: Most tokens that a prefix has (for a graph: will have).
        processors: Of the device.
    """
    filling = 2 * processors / (batch * kv_heads)
    return min(1 << max(round(math.log2(filling)), 0), triton.next_power_of_2(max(-(-longest // DECODE_KEYS), 1)))


def extend_splits(programs: int, longest: int, processors: int = PROCESSORS) -> int:
    """Returns over how many programs an extend splits each prefix: as many as give every processor two.

    One computes while the other waits. No split is shorter than 256 keys on average, for each row of it costs a partial
    result.

    Args:
        programs: How many there are without splits: tiles of rows times KV heads.
        longest: Most tokens that a prefix has.
        processors: Of the device.
    """
    return max(1, min(2 * processors // programs, -(-longest // EXTEND_KEYS)))


def decode(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_pool: Tensor,
    v_pool: Tensor,
    indices: Tensor,
    starts: Tensor,
    lengths: Tensor,
    scale: float,
    *,
    max_splits: int,
    softcap: float | None = None,
    out: Tensor | None = None,
    partial: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Attends one new token per sequence to the sequence's prefix in the pool and to itself.

    Two launches, or one if ``max_splits`` is 1. Lengths are read on the device, so a graph may replay it with others:
    ``max_splits`` stays what it was captured with, and splits that turn out empty end at once. With ``out`` and
    ``partial`` given nothing is allocated.

    Args:
        q: Queries ``[B, heads, head_dim]``; ``heads`` is a multiple of ``kv_heads``, ``head_dim`` at most 256.
        k: Keys of the new tokens, ``[B, kv_heads, head_dim]``, with the position already in them.
        v: Their values, in the same shape.
        k_pool: The layer's keys, ``[slots, kv_heads, head_dim]``.
        v_pool: The layer's values, in the same shape.
        indices: int32: the slots of sequence b's prefix are ``indices[starts[b] : starts[b] + lengths[b]]``. Of a CSR
            list the starts are its indptr; of a table ``[B, max_context]`` they are multiples of its width.
        starts: int64 ``[B]``.
        lengths: int32 ``[B]``, tokens in the pool; 0 is allowed.
        scale: What the scores are multiplied with; positive.
        max_splits: Over how many programs each sequence is split at most; see :func:`splits`.
        softcap: Where scores level off, ``softcap * tanh(score / softcap)``, or None.
        out: Where the result goes, ``[B, heads, head_dim]``.
        partial: fp32 ``[B, heads, max_splits, head_dim]`` and ``[B, heads, max_splits]`` to work in.

    Returns:
        ``[B, heads, head_dim]`` in the type of ``q``.

    Raises:
        ValueError: If a pool's or a result's numbers of one head are not side by side, or a head is too wide.

    Source: SGLang's ``decode_attention.py``.
    """
    q, k, v = _side_by_side(q, k, v)
    batch, heads, dim = q.shape
    kv_heads = k.shape[1]
    group = heads // kv_heads
    shape = tile(DECODE_TILES, major(q.device), dim, q.element_size())
    out = torch.empty_like(q, memory_format=torch.contiguous_format) if out is None else out
    _check(k_pool, v_pool, out)
    acc, lse = _partial(q, max_splits) if partial is None and max_splits > 1 else partial or (out, out)
    tiles = triton.cdiv(group, HEADS)
    factors = _factors(scale, softcap)
    _decode[(batch, kv_heads * tiles, max_splits)](
        q, k, v, k_pool, v_pool, indices, starts, lengths, out, acc, lse,
        *q.stride()[:2], *k.stride()[:2], *v.stride()[:2], *k_pool.stride()[:2], *v_pool.stride()[:2],
        *out.stride()[:2], *acc.stride()[:3], *lse.stride()[:3], *factors,
        GROUP=group, TILES=tiles, DIM=dim, DIMS=padded(dim), ROWS=HEADS, KEYS=shape.keys, CAPPED=softcap is not None,
        WHOLE=max_splits == 1, num_warps=shape.warps, num_stages=shape.stages,
    )  # fmt: skip
    if max_splits > 1:
        merge(acc, lse, lengths, out, max_splits)
    return out


def extend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_pool: Tensor,
    v_pool: Tensor,
    batch: RaggedBatch,
    scale: float,
    *,
    softcap: float | None = None,
    max_splits: int | None = None,
) -> Tensor:
    """Attends new tokens to the cached prefix of their sequence and, causally, to one another.

    One launch, or two where a prefix is split. Arguments, units and result are those of the reference,
    :func:`radixchat.kernels.attention.extend`; unlike there, new tokens are never read from the pool. Which rows each
    program takes is settled once per batch and kept in ``batch.buffers``.

    Args:
        q: Queries of the new tokens, ``[T, heads, head_dim]``; ``head_dim`` at most 256.
        k: Their keys, ``[T, kv_heads, head_dim]``.
        v: Their values, in the same shape.
        k_pool: The layer's keys, ``[slots, kv_heads, head_dim]``.
        v_pool: The layer's values, in the same shape.
        batch: Which rows and slots belong together, on the device of the pool.
        scale: What the scores are multiplied with; positive.
        softcap: Where scores level off, or None.
        max_splits: Over how many programs a prefix is split; None leaves it to :func:`extend_splits`.

    Returns:
        ``[T, heads, head_dim]`` in the type of ``q``.

    Raises:
        ValueError: If a pool's numbers of one head are not side by side, or a head is too wide.

    Source: SGLang's ``extend_attention.py``, with its compact grid.
    """
    q, k, v = _side_by_side(q, k, v)
    _, heads, dim = q.shape
    kv_heads = k.shape[1]
    group = heads // kv_heads
    shape = _extend_tile(batch, group, kv_heads, dim, q)
    tiles = _tiles(batch, shape.rows, group)
    longest = max(span.prefix for span in batch.spans)
    count = max_splits or extend_splits(tiles.shape[0] * kv_heads, longest, processors(q.device))
    out = torch.empty_like(q, memory_format=torch.contiguous_format)
    _check(k_pool, v_pool, out)
    acc, lse = _partial(q, count) if count > 1 else (out, out)
    _extend[(tiles.shape[0], kv_heads, count)](
        q, k, v, k_pool, v_pool, tiles, batch.qo_indptr, batch.kv_indptr, batch.kv_indices, batch.prefix_lens,
        out, acc, lse,
        *q.stride()[:2], *k.stride()[:2], *v.stride()[:2], *k_pool.stride()[:2], *v_pool.stride()[:2],
        *out.stride()[:2], *acc.stride()[:3], *lse.stride()[:3], *_factors(scale, softcap),
        GROUP=group, DIM=dim, DIMS=padded(dim), ROWS=shape.rows, KEYS=shape.keys, CAPPED=softcap is not None,
        WHOLE=count == 1, num_warps=shape.warps, num_stages=shape.stages,
    )  # fmt: skip
    if count > 1:
        merge(acc, lse, _row_lengths(batch), out, count)
    return out


def merge(acc: Tensor, lse: Tensor, lengths: Tensor, out: Tensor, count: int) -> None:
    """Merges what the splits of each row came to.

    Args:
        acc: Results by split, fp32 ``[rows, heads, count, head_dim]``.
        lse: Their log-sum-exp in units of log2(e), fp32 ``[rows, heads, count]``.
        lengths: int32 ``[rows]``: how many keys the splits of a row shared out.
        out: ``[rows, heads, head_dim]``, written.
        count: Of splits, empty ones included.
    """
    rows, heads, dim = out.shape
    _merge[(rows, heads)](
        acc, lse, lengths, lengths, out, out, out, out, *acc.stride()[:3], *lse.stride(),
        0, 0, 0, 0, 0, 0, *out.stride()[:2], count, 1.0, 1.0,
        GROUP=1, DIM=dim, DIMS=padded(dim), CHUNK=chunk(dim), CAPPED=False, PLANNED=False,
    )  # fmt: skip


def padded(dim: int) -> int:
    """Returns the next power of two that ``tl.dot`` takes."""
    return max(16, triton.next_power_of_2(dim))


def chunk(dim: int) -> int:
    """Returns how many partial results are merged at once."""
    return 4096 // padded(dim)


@functools.cache
def processors(device: torch.device) -> int:
    """Returns how many multiprocessors a device has; an H100's number for a CPU, which only tests use."""
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else PROCESSORS


@functools.cache
def major(device: torch.device) -> int:
    """Returns whose tiles a device takes, as the major version of an architecture; Hopper's for a CPU.

    From 12 on (RTX 50 and its like) a program has less than half of Hopper's shared memory: Ampere's tiles fit.
    """
    if device.type != "cuda":
        return 9
    version = torch.cuda.get_device_capability(device)[0]
    return 8 if version >= 12 else version


def _side_by_side(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Returns tensors whose last dimension is contiguous, copied where it is not."""
    return tuple(each if each.stride(-1) == 1 else each.contiguous() for each in tensors)


def _check(*tensors: Tensor) -> None:
    if any(each.stride(-1) != 1 for each in tensors):
        raise ValueError("the numbers of one head must lie side by side in a pool and in a result")


def _factors(scale: float, softcap: float | None) -> tuple[float, float]:
    """Returns what products are multiplied with before and after the cap: scores in units of log2(e)."""
    return (scale * LOG2E, 1.0) if softcap is None else (scale / softcap, softcap * LOG2E)


def _partial(q: Tensor, count: int) -> tuple[Tensor, Tensor]:
    rows, heads, dim = q.shape
    acc = torch.empty(rows, heads, count, dim, dtype=torch.float32, device=q.device)
    return acc, torch.empty(rows, heads, count, dtype=torch.float32, device=q.device)


def _extend_tile(batch: RaggedBatch, group: int, kv_heads: int, dim: int, q: Tensor) -> Tile:
    """Returns the long tile if all processors get one, else the short one."""
    found = tile(EXTEND_TILES, major(q.device), dim, q.element_size())
    count = sum(-(-span.new * group // found.rows) for span in batch.spans)
    if count * kv_heads >= processors(q.device):
        return found
    return tile(SHORT_TILES, major(q.device), dim, q.element_size())


def _tiles(batch: RaggedBatch, rows: int, group: int) -> Tensor:
    """Returns sequence and first row of each tile, int32 ``[tiles, 2]``, those with the most keys first."""
    key = ("tiles", rows, group)
    if key not in batch.buffers:
        found = [
            (span.prefix + min((first + rows) // group, span.new), sequence, first)
            for sequence, span in enumerate(batch.spans)
            for first in range(0, span.new * group, rows)
        ]
        found.sort(key=lambda each: -each[0])
        places = torch.tensor([each[1:] for each in found], dtype=torch.int32)
        batch.buffers[key] = places.to(batch.kv_indices.device)
    return batch.buffers[key]


def _row_lengths(batch: RaggedBatch) -> Tensor:
    """Returns the prefix length of each new token's sequence, int32 ``[T]``."""
    key = ("row lengths",)
    if key not in batch.buffers:
        lengths = [span.prefix for span in batch.spans for _ in range(span.new)]
        batch.buffers[key] = torch.tensor(lengths, dtype=torch.int32).to(batch.kv_indices.device)
    return batch.buffers[key]


# ------------------------------------------------------------------------------------------------------ ahead of time

_POINTERS = {
    "indices": "*i32", "starts": "*i64", "lengths": "*i32", "acc_out": "*fp32", "lse_out": "*fp32", "acc_in": "*fp32",
    "lse_in": "*fp32", "indptr": "*i32", "tiles": "*i32", "qo_indptr": "*i32", "kv_indptr": "*i32",
    "kv_indices": "*i32", "prefix_lens": "*i32", "scale": "fp32", "cap": "fp32",
}  # fmt: skip


def signature(fn: Any, constexprs: Mapping[str, Any], number: str = "bf16", **types: str) -> dict[str, str]:
    """Returns the types of a kernel's arguments: tensors of ``number``, lists of integers and strides."""
    numbers = dict.fromkeys(("q", "k", "v", "k_pool", "v_pool", "out"), f"*{number}")
    known = _POINTERS | numbers | types | dict.fromkeys(constexprs, "constexpr")
    return {name: known.get(name, "i32") for name in fn.arg_names}


def ahead_of_time(majors: Iterable[int] = (8, 9)) -> Iterator[Variant]:
    """Yields what well-known models need, with the tiles of each major version of devices.

    That is: all of Qwen2.5-0.5B and Qwen3-0.6B, and of other head dimensions, larger groups and fp32 the largest.
    """
    decodes, extends = (_decode, DECODE_TILES), (_extend, EXTEND_TILES)
    everything = [(*decodes, False), (*decodes, True), (*extends, True), (_extend, SHORT_TILES, False)]
    some = [(*decodes, False), (*extends, True)]
    for number, group, dim, kernels in [
        ("bf16", 7, 64, everything), ("bf16", 2, 128, everything), ("bf16", 1, 256, some), ("bf16", 32, 80, some),
        ("fp32", 3, 64, some),
    ]:  # fmt: skip
        heads = {"GROUP": group, "DIM": dim, "DIMS": padded(dim)}
        constants = heads | {"CHUNK": chunk(dim), "CAPPED": False, "PLANNED": False}
        yield Variant(f"merge {number} {dim}", _merge, signature(_merge, constants, number), constants)
        for each, (fn, table, whole) in itertools.product(majors, kernels):
            shape = tile(table, each, dim, 4 if number == "fp32" else 2)
            constants = heads | {"ROWS": shape.rows, "KEYS": shape.keys, "CAPPED": group == 1, "WHOLE": whole}
            if fn is _decode:
                constants |= {"TILES": triton.cdiv(group, HEADS), "ROWS": HEADS}
            name = f"{fn.__name__[1:]} {number} {group}x{dim} {'whole' if whole else 'split'} for sm_{each}0"
            options = {"num_warps": shape.warps, "num_stages": shape.stages}
            yield Variant(name, fn, signature(fn, constants, number), constants, options)
