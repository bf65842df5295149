"""Decode for requests that share parts of their prefixes: the Triton kernel of :mod:`.tree_attention`.

One kernel over the items of a plan, then the kernel that merges splits in :mod:`.triton_attention`, which adds the new
tokens as well. A program takes one item and one KV head: the rows (request, head of the group) of all requests that
share the segment stand in one tile, so its keys are read once for them. Items of few rows, which are most, take a tile
of 16 in the same launch, so that shared and private parts run side by side.

Two launches. Nothing is read back from the device, and the grid is the plan's capacity, so a CUDA graph may hold them
while :meth:`~radixchat.kernels.tree_attention.Placed.fill` changes what they work on. Knows no tree: only items.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from . import triton_attention as base
from .tree_attention import NARROW, WIDE, Placed, Plan
from .triton_attention import LOW, Tile, _lse, _merge, _prefix
from .variants import Variant

_NARROW = tl.constexpr(NARROW)

# As in `triton_attention`: by major version, then by head dimension.
TILES = {
    9: {64: Tile(WIDE, 64, 4, 5), 128: Tile(WIDE, 64, 4, 4), 256: Tile(WIDE, 32, 8, 4)},
    8: {64: Tile(WIDE, 64, 4, 4), 128: Tile(WIDE, 32, 4, 4), 256: Tile(WIDE, 32, 8, 2)},
}


@triton.jit
def _tile(
    q, k_pool, v_pool, slots, requests, partials, count, tokens, kv_head, first_row, acc_out, lse_out,
    q_row, q_head, k_slot, v_slot, acc_head, acc_split, lse_head, lse_split, scale, cap,
    GROUP: tl.constexpr, DIM: tl.constexpr, DIMS: tl.constexpr, ROWS: tl.constexpr, KEYS: tl.constexpr,
    CAPPED: tl.constexpr,
):  # fmt: skip
    """ROWS rows of an item of ``count`` requests, from ``first_row`` on; the lists point at the item's part already."""
    rows = first_row + tl.arange(0, ROWS)
    members = rows // GROUP
    heads = kv_head * GROUP + rows % GROUP
    dims = tl.arange(0, DIMS)
    valid = members < count
    inside = valid[:, None] & (dims < DIM)[None, :]
    lines = tl.load(requests + members, mask=valid, other=0).to(tl.int64)
    queries = tl.load(q + lines[:, None] * q_row + heads[:, None] * q_head + dims[None, :], mask=inside, other=0.0)
    top = tl.full([ROWS], LOW, tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    acc = tl.zeros([ROWS, DIMS], tl.float32)
    top, total, acc = _prefix(
        queries, top, total, acc, k_pool, v_pool, k_slot, v_slot, slots, 0, tokens, dims, DIM, KEYS, scale, cap, CAPPED
    )
    acc = acc / tl.where(total > 0.0, total, 1.0)[:, None]
    parts = tl.load(partials + members, mask=valid, other=0).to(tl.int64)
    to = acc_out + parts[:, None] * acc_split + heads[:, None] * acc_head + dims[None, :]
    tl.store(to, acc, mask=inside)
    tl.store(lse_out + parts * lse_split + heads * lse_head, _lse(top, total), mask=valid)


@triton.jit
def _items(
    q, k_pool, v_pool, items, requests, partials, indices, acc_out, lse_out,
    q_row, q_head, k_slot, k_pool_head, v_slot, v_pool_head, acc_head, acc_split, lse_head, lse_split, scale, cap,
    GROUP: tl.constexpr, DIM: tl.constexpr, DIMS: tl.constexpr, ROWS: tl.constexpr, KEYS: tl.constexpr,
    CAPPED: tl.constexpr,
):  # fmt: skip
    """One item for one KV head. Grid (items, kv_heads, tiles): one tile, but for fp32 and groups wider than a tile."""
    item = items + 4 * tl.program_id(0)
    count = tl.load(item + 3)
    first_row = tl.program_id(2) * ROWS
    if first_row >= count * GROUP:
        return
    slots = indices + tl.load(item).to(tl.int64)
    tokens = tl.load(item + 1)
    row = tl.load(item + 2).to(tl.int64)
    kv_head = tl.program_id(1).to(tl.int64)
    k_pool += kv_head * k_pool_head
    v_pool += kv_head * v_pool_head
    if count * GROUP <= _NARROW:
        _tile(
            q, k_pool, v_pool, slots, requests + row, partials + row, count, tokens, kv_head, first_row, acc_out,
            lse_out, q_row, q_head, k_slot, v_slot, acc_head, acc_split, lse_head, lse_split, scale, cap,
            GROUP, DIM, DIMS, _NARROW, KEYS, CAPPED,
        )  # fmt: skip
    else:
        _tile(
            q, k_pool, v_pool, slots, requests + row, partials + row, count, tokens, kv_head, first_row, acc_out,
            lse_out, q_row, q_head, k_slot, v_slot, acc_head, acc_split, lse_head, lse_split, scale, cap,
            GROUP, DIM, DIMS, ROWS, KEYS, CAPPED,
        )  # fmt: skip


def decode_shared(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_pool: Tensor,
    v_pool: Tensor,
    plan: Plan | Placed,
    scale: float,
    *,
    softcap: float | None = None,
    out: Tensor | None = None,
    partial: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Attends one new token per request to its prefix, by a plan, and to itself.

    Two launches. Arguments, units and result are those of the reference,
    :func:`radixchat.kernels.tree_attention.decode_shared`. A plan on the host is copied to the device anew in every
    call: give what ``plan.on(device)`` returns to all layers.

    Args:
        q: Queries ``[B, heads, head_dim]``; ``heads`` is a multiple of ``kv_heads``, ``head_dim`` at most 256.
        k: Keys of the new tokens, ``[B, kv_heads, head_dim]``, with the position already in them.
        v: Their values, in the same shape.
        k_pool: The layer's keys, ``[slots, kv_heads, head_dim]``.
        v_pool: The layer's values, in the same shape.
        plan: What is read for whom. Rows of q beyond its requests get their own new value.
        scale: What the scores are multiplied with; positive.
        softcap: Where scores level off, or None.
        out: Where the result goes, ``[B, heads, head_dim]``.
        partial: fp32 ``[rows, heads, head_dim]`` and ``[rows, heads]`` to work in, for all rows of the plan.

    Returns:
        ``[B, heads, head_dim]`` in the type of ``q``.

    Raises:
        ValueError: If a pool's or a result's numbers of one head are not side by side, or a head is too wide.

    Source: FastTree (``fasttree.py``) for the items, FlashInfer's cascade for the merge.
    """
    placed = plan.on(q.device) if isinstance(plan, Plan) else plan
    q, k, v = base._side_by_side(q, k, v)
    batch, heads, dim = q.shape
    kv_heads = k.shape[1]
    group = heads // kv_heads
    shape = base.tile(TILES, base.major(q.device), dim, q.element_size())
    out = torch.empty_like(q, memory_format=torch.contiguous_format) if out is None else out
    base._check(k_pool, v_pool, out)
    _, items, rows, _ = placed.capacity
    acc, lse = partial or (q.new_empty(s, dtype=torch.float32) for s in ((rows, heads, dim), (rows, heads)))
    factors = base._factors(scale, softcap)
    dims = base.padded(dim)
    if items:
        _items[(items, kv_heads, triton.cdiv(max(WIDE // group, 1) * group, shape.rows))](
            q, k_pool, v_pool, placed.items, placed.requests, placed.partials, placed.indices, acc, lse,
            *q.stride()[:2], *k_pool.stride()[:2], *v_pool.stride()[:2],
            acc.stride(1), acc.stride(0), lse.stride(1), lse.stride(0), *factors,
            GROUP=group, DIM=dim, DIMS=dims, ROWS=shape.rows, KEYS=shape.keys, CAPPED=softcap is not None,
            num_warps=shape.warps, num_stages=shape.stages,
        )  # fmt: skip
    _merge[(batch, heads)](
        acc, lse, placed.indptr, placed.indptr, q, k, v, out,
        0, acc.stride(1), acc.stride(0), 0, lse.stride(1), lse.stride(0),
        *q.stride()[:2], *k.stride()[:2], *v.stride()[:2], *out.stride()[:2], 1, *factors,
        GROUP=group, DIM=dim, DIMS=dims, CHUNK=base.chunk(dim), CAPPED=softcap is not None, PLANNED=True,
    )  # fmt: skip
    return out


def ahead_of_time(majors: Iterable[int] = (8, 9)) -> Iterator[Variant]:
    """Yields the shapes of two well-known models in bf16, with the tiles of each major version."""
    for group, dim in ((7, 64), (2, 128)):
        heads = {"GROUP": group, "DIM": dim, "DIMS": base.padded(dim)}
        constants = heads | {"CHUNK": base.chunk(dim), "CAPPED": False, "PLANNED": True}
        yield Variant(f"merge planned {dim}", _merge, base.signature(_merge, constants), constants)
        for each in majors:
            shape = base.tile(TILES, each, dim, 2)
            constants = heads | {"ROWS": shape.rows, "KEYS": shape.keys, "CAPPED": False}
            lists = dict.fromkeys(("items", "requests", "partials"), "*i32")
            options = {"num_warps": shape.warps, "num_stages": shape.stages}
            types = base.signature(_items, constants, **lists)
            yield Variant(f"items {group}x{dim} for sm_{each}0", _items, types, constants, options)
