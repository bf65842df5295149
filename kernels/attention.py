"""Attention of new tokens over keys and values that lie scattered in a pool: the torch reference.

One operation, *extend*: any number of new tokens on top of a cached prefix, causal among themselves; with one new token
for each sequence it is what SGLang and LightLLM call *decode*. A batch is packed: the new tokens of all sequences stand
in one row, and :class:`RaggedBatch` says whose they are and where the keys of each sequence lie. The pool of a layer
has the shape ``[slots, kv_heads, head_dim]``.

New tokens are attended from the tensors they were just computed in, never from a slot that another sequence of the
batch may share. Knows nothing of models, requests and trees: only of rows and slots.

The reference hands sequences to torch's fused attention. What makes it fast on a CPU is what it leaves out: keys in one
ascending run of slots are a view of the pool, so nothing is gathered, concatenated or repeated. A single new token
attends to a few long runs where they lie; else runs are concatenated, and only slots in no order are gathered one by
one. Sequences with one new token each, as replies have that run together, are gathered in one go and attend in one
call, padded to the longest: with 16 of 300 tokens that is six times faster than one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

SCRATCH = 0
"""The slot that anyone may write: what it holds afterwards means nothing, so it is never read."""

RUN = 32
"""A prefix in runs of this many slots on average is copied run by run; in shorter ones slot by slot."""

LONG = 1024
"""A sequence of this many tokens that lies in one run is attended where it lies, alone: copying it would cost more."""

PLACE = 256
"""A new token attends to a prefix in runs of this many slots on average where they lie; shorter ones are brought
together first."""

PADDING = 2
"""Sequences attend together when the longest is at most this many times as long as the shortest."""


def new_pool(slots: int, kv_heads: int, head_dim: int, dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """Returns the pool of a layer, ``[slots, kv_heads, head_dim]``, not initialised.

    On a CPU the slots of one head lie side by side in memory: decoding reads a long sequence 1.2 to 1.35 times faster
    than with the heads of one slot side by side, which is how a GPU's kernels like it.
    """
    if torch.device(device).type == "cpu":
        return torch.empty(kv_heads, slots, head_dim, dtype=dtype).transpose(0, 1)
    return torch.empty(slots, kv_heads, head_dim, dtype=dtype, device=device)


class Span(NamedTuple):
    """One sequence of a batch, as the host sees it."""

    first: int  # row of its first new token in the packed batch
    new: int  # how many new tokens it has, at least 1
    prefix: int  # how many tokens before them are in the pool
    run: int | None  # first slot if all its tokens lie in one readable ascending run, else None
    parts: tuple[slice, ...]  # else the slots of its prefix as runs, if they are few
    slots: Tensor  # slot of every prefix token, int32 [prefix], on the pool's device


class Group(NamedTuple):
    """Sequences of one new token each that attend together, as the host sees them."""

    rows: Tensor  # [G], int64: row of each new token in the packed batch
    slots: Tensor  # [G * longest], int32: slots of each sequence, padded with its first up to the longest
    lengths: tuple[int, ...]  # tokens of each, the new one included
    longest: int
    places: Tensor | None  # [G], int64: where the new tokens stand among the slots, if some are in the scratch slot


@dataclass(frozen=True)
class RaggedBatch:
    """Where the queries and the keys of a packed batch are. Made once per forward and used by every layer.

    Tensors are int32 on the pool's device; B sequences, T new tokens, N tokens with their prefixes.
    """

    qo_indptr: Tensor  # [B + 1]: sequence b owns the rows qo_indptr[b] to qo_indptr[b + 1]
    kv_indptr: Tensor  # [B + 1]: and of kv_indices the part kv_indptr[b] to kv_indptr[b + 1]
    kv_indices: Tensor  # [N]: slot of every token, each sequence's prefix followed by its new tokens
    prefix_lens: Tensor  # [B]: how many of a sequence's tokens are in the pool already
    write_slots: Tensor  # [T], int64: where the K/V of each new token go
    write_run: int | None  # first of them if they are one ascending run
    spans: tuple[Span, ...]  # [B]: the same on the host
    slots: tuple[npt.NDArray[np.int32], ...] = field(repr=False, compare=False)  # [B]: of all its tokens, there as well
    biases: dict[tuple[int, ...], Tensor] = field(default_factory=dict, repr=False, compare=False)  # by shape
    buffers: dict[tuple[Any, ...], Tensor] = field(default_factory=dict, repr=False, compare=False)  # by shape and use

    @classmethod
    def build(
        cls, new: Sequence[int], slots: Sequence[npt.NDArray[np.int32]], device: torch.device | str = "cpu"
    ) -> RaggedBatch:
        """Describes a batch.

        Args:
            new: How many new tokens each sequence has, at least one.
            slots: The slots of all its tokens, int32 ``[prefix + new]``.
            device: Where the pool is.
        """
        lengths = np.array([each.size for each in slots], dtype=np.int32)
        counts = np.array(new, dtype=np.int32)
        indices = np.concatenate(slots).astype(np.int32, copy=False)
        writes = np.concatenate([each[each.size - count :] for each, count in zip(slots, new, strict=True)])
        kv_indices = torch.from_numpy(indices).to(device)
        rows, places = _indptr(counts), _indptr(lengths)
        spans = tuple(
            _span(row, count, each, kv_indices[place : place + each.size - count])
            for row, place, count, each in zip(rows.tolist(), places.tolist(), new, slots, strict=False)
        )
        return cls(
            qo_indptr=torch.from_numpy(rows).to(device),
            kv_indptr=torch.from_numpy(places).to(device),
            kv_indices=kv_indices,
            prefix_lens=torch.from_numpy(lengths - counts).to(device),
            write_slots=torch.from_numpy(writes.astype(np.int64)).to(device),
            write_run=int(writes[0]) if _ascending(writes) else None,
            spans=spans,
            slots=tuple(slots),
        )

    @property
    def decodes(self) -> bool:
        """Whether every sequence has exactly one new token."""
        return len(self.spans) == self.write_slots.shape[0]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Sequences that attend together ..."""
        by_row = {span.first: each for span, each in zip(self.spans, self.slots, strict=True)}
        device = self.kv_indices.device
        return tuple(_group(each, [by_row[span.first] for span in each], device) for each in self._together)

    @cached_property
    def alone(self) -> tuple[Span, ...]:
        """... and all the others."""
        grouped = {span.first for group in self._together for span in group}
        return tuple(span for span in self.spans if span.first not in grouped)

    @cached_property
    def _together(self) -> list[list[Span]]:
        return _together(self.spans)

    def bias(self, span: Span, like: Tensor) -> Tensor:
        """Returns what to add to the scores of a span, ``[new, prefix + new]``: 0, or -inf for tokens yet to come.

        Made once per forward and shape, in the type and on the device of ``like``.
        """
        key = (span.new, span.prefix)
        if key not in self.biases:
            blank = torch.full((span.new, span.prefix + span.new), -torch.inf, dtype=like.dtype, device=like.device)
            self.biases[key] = blank.triu_(span.prefix + 1)
        return self.biases[key]

    def padding(self, group: Group, like: Tensor) -> Tensor | None:
        """Returns what to add to the scores of a group, ``[G, 1, 1, longest]``: -inf where it is padded, or None."""
        if min(group.lengths) == group.longest:
            return None
        key = (-1, *group.lengths)
        if key not in self.biases:
            ends = torch.tensor(group.lengths, device=like.device)[:, None]
            padded = torch.arange(group.longest, device=like.device)[None] >= ends
            bias = torch.zeros(padded.shape, dtype=like.dtype, device=like.device)
            self.biases[key] = bias.masked_fill_(padded, -torch.inf)[:, None, None]
        return self.biases[key]

    def buffer(self, use: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Returns memory for one layer; the next layer of the same shape overwrites it."""
        key = (use, shape, like.dtype)
        if key not in self.buffers:
            self.buffers[key] = like.new_empty(shape)
        return self.buffers[key]


def _together(spans: Sequence[Span]) -> list[list[Span]]:
    """Returns which sequences attend together: of one new token each on a prefix, and about as long as one another."""
    single = [span for span in spans if span.new == 1 and span.prefix and (span.run is None or span.prefix < LONG)]
    groups: list[list[Span]] = []
    for span in sorted(single, key=lambda each: -each.prefix):
        if groups and PADDING * (span.prefix + 1) >= groups[-1][0].prefix + 1:
            groups[-1].append(span)
        else:
            groups.append([span])
    return [group for group in groups if len(group) > 1]


def _group(spans: Sequence[Span], slots: Sequence[npt.NDArray[np.int32]], device: torch.device | str) -> Group:
    lengths = tuple(each.size for each in slots)
    longest = max(lengths)
    # not with its last: in the scratch slot stands what another sequence wrote, and 0 times NaN is NaN
    padded = np.stack([np.pad(each, (0, longest - each.size), constant_values=each[0]) for each in slots])
    places = torch.arange(len(slots)) * longest + torch.tensor(lengths) - 1
    return Group(
        rows=torch.tensor([span.first for span in spans], device=device),
        slots=torch.from_numpy(padded.reshape(-1).astype(np.int32, copy=False)).to(device),
        lengths=lengths,
        longest=longest,
        places=places.to(device) if any(each[-1] == SCRATCH for each in slots) else None,
    )


def _indptr(counts: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])


def _ascending(slots: npt.NDArray[np.int32]) -> bool:
    """Whether slots follow one another without a gap."""
    return bool(slots[-1] - slots[0] == slots.size - 1 and (np.diff(slots) == 1).all())


def _span(first: int, new: int, slots: npt.NDArray[np.int32], prefix_slots: Tensor) -> Span:
    prefix = slots.size - new
    scratch = bool((slots[prefix:] == SCRATCH).any())  # belongs to nobody, so it is in no run
    if not scratch and _ascending(slots):
        return Span(first, new, prefix, int(slots[0]), (), prefix_slots)
    return Span(first, new, prefix, None, _runs(slots[:prefix]), prefix_slots)


def _runs(slots: npt.NDArray[np.int32]) -> tuple[slice, ...]:
    """Returns slots as runs, or nothing when there are too many of them."""
    breaks = np.flatnonzero(np.diff(slots) != 1) + 1
    if (breaks.size + 1) * RUN > slots.size:
        return ()
    starts, lasts = slots[[0, *breaks]].tolist(), slots[[*(breaks - 1), -1]].tolist()
    return tuple(slice(start, last + 1) for start, last in zip(starts, lasts, strict=True))


def write(k: Tensor, v: Tensor, k_pool: Tensor, v_pool: Tensor, batch: RaggedBatch) -> None:
    """Stores new keys and values, each ``[T, kv_heads, head_dim]``, in their slots of a layer's pools.

    Of several tokens for the scratch slot any may win.
    """
    if batch.write_run is not None:
        end = batch.write_run + k.shape[0]
        k_pool[batch.write_run : end] = k
        v_pool[batch.write_run : end] = v
    else:
        k_pool.index_copy_(0, batch.write_slots, k)
        v_pool.index_copy_(0, batch.write_slots, v)


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
) -> Tensor:
    """Attends new tokens to the cached prefix of their sequence and, causally, to one another.

    Call :func:`write` first: a sequence whose slots are one run reads its new tokens there, which is the same values.

    Args:
        q: Queries of the new tokens, ``[T, heads, head_dim]``; ``heads`` is a multiple of ``kv_heads``.
        k: Their keys, ``[T, kv_heads, head_dim]``, with the position already in them.
        v: Their values, in the same shape.
        k_pool: The layer's keys, ``[slots, kv_heads, head_dim]``.
        v_pool: The layer's values, in the same shape.
        batch: Which rows and slots belong together.
        scale: What the scores are multiplied with.
        softcap: Where scores level off, ``softcap * tanh(score / softcap)``, or None.

    Returns:
        ``[T, heads, head_dim]`` in the type of ``q``.
    """
    groups, spans = (batch.groups, batch.alone) if softcap is None else ((), batch.spans)
    if len(spans) == 1 and not groups:
        return _attend_alone(q, k, v, k_pool, v_pool, batch, spans[0], scale, softcap)
    result = torch.empty_like(q)
    for group in groups:
        result[group.rows] = _attend_together(q, k, v, k_pool, v_pool, batch, group, scale)
    for span in spans:
        rows = slice(span.first, span.first + span.new)
        result[rows] = _attend_alone(q[rows], k[rows], v[rows], k_pool, v_pool, batch, span, scale, softcap)
    return result


def _gather(pool: Tensor, new: Tensor, span: Span) -> Tensor:
    """Returns what a span attends to, ``[prefix + new, kv_heads, head_dim]``: a view where that is possible.

    What is copied ends up with the slots of one head side by side.
    """
    if span.run is not None:
        return pool[span.run : span.run + span.prefix + span.new]
    if span.prefix == 0:
        return new
    by_head = pool.transpose(0, 1)
    if span.parts:
        return torch.cat([*(by_head[:, part] for part in span.parts), new.transpose(0, 1)], dim=1).transpose(0, 1)
    whole = by_head.new_empty(by_head.shape[0], span.prefix + span.new, by_head.shape[2])
    for head, rows in enumerate(by_head):  # one call for all heads is three times slower
        torch.index_select(rows, 0, span.slots, out=whole[head, : span.prefix])
    whole[:, span.prefix :] = new.transpose(0, 1)
    return whole.transpose(0, 1)


def _attend_together(
    q: Tensor, k: Tensor, v: Tensor, k_pool: Tensor, v_pool: Tensor, batch: RaggedBatch, group: Group, scale: float
) -> Tensor:
    """Attends the new tokens of a group; returns ``[G, heads, head_dim]``."""
    size, (_, heads, dim), kv_heads = group.rows.shape[0], q.shape, k.shape[1]
    keys, values = (
        _gather_group(pool, new, batch.buffer(use, (kv_heads, size * group.longest, dim), pool), group)
        for use, pool, new in (("keys", k_pool, k), ("values", v_pool, v))
    )
    grouped = q[group.rows].reshape(size, kv_heads, heads // kv_heads, dim)  # as in `_attend`
    bias = batch.padding(group, q)
    return scaled_dot_product_attention(grouped, keys, values, attn_mask=bias, scale=scale).reshape(size, heads, dim)


def _gather_group(pool: Tensor, new: Tensor, buffer: Tensor, group: Group) -> Tensor:
    """Returns what each sequence of a group attends to, ``[G, kv_heads, longest, head_dim]``."""
    for whole, rows in zip(buffer, pool.transpose(0, 1), strict=True):  # head by head, as in `_gather`
        torch.index_select(rows, 0, group.slots, out=whole)
    if group.places is not None:
        buffer.index_copy_(1, group.places, new[group.rows].transpose(0, 1))
    return buffer.view(buffer.shape[0], -1, group.longest, buffer.shape[2]).transpose(0, 1)


def _attend_alone(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_pool: Tensor,
    v_pool: Tensor,
    batch: RaggedBatch,
    span: Span,
    scale: float,
    softcap: float | None,
) -> Tensor:
    """Attends the new tokens of one sequence, given only these; returns ``[new, heads, head_dim]``."""
    in_place = span.run is not None or 0 < PLACE * len(span.parts) <= span.prefix
    if span.new == 1 and span.prefix and in_place and softcap is None and q.is_cpu and q.dtype == torch.float32:
        return _attend_in_place(q, _places(k_pool, k, span), _places(v_pool, v, span), scale)
    return _attend(q, _gather(k_pool, k, span), _gather(v_pool, v, span), batch, span, scale, softcap)


def _places(pool: Tensor, new: Tensor, span: Span) -> list[Tensor]:
    """Returns what a span attends to as views, each ``[kv_heads, tokens, head_dim]``."""
    by_head = pool.transpose(0, 1)
    if span.run is not None:
        return [by_head[:, span.run : span.run + span.prefix + span.new]]
    return [*(by_head[:, part] for part in span.parts), new.transpose(0, 1)]


def _attend_in_place(q: Tensor, keys: Sequence[Tensor], values: Sequence[Tensor], scale: float) -> Tensor:
    """Attends one new token to keys and values in several places, without bringing them together.

    Scores are few, so these are put together, weighed as one, and taken apart again.
    """
    _, heads, dim = q.shape
    grouped = (q * scale).view(keys[0].shape[0], -1, dim)
    scores = [torch.bmm(grouped, each.transpose(1, 2)) for each in keys]
    weights = (scores[0] if len(scores) == 1 else torch.cat(scores, dim=2)).softmax(2)
    result: Tensor | None = None
    for part, each in zip(weights.split([each.shape[1] for each in values], dim=2), values, strict=True):
        result = torch.bmm(part, each) if result is None else result.baddbmm_(part, each)
    assert result is not None
    return result.view(1, heads, dim)


def _attend(
    q: Tensor, k: Tensor, v: Tensor, batch: RaggedBatch, span: Span, scale: float, softcap: float | None
) -> Tensor:
    if softcap is not None:
        return _attend_capped(q, k, v, batch.bias(span, q), scale, softcap)
    new, heads, dim = q.shape
    kv_heads = k.shape[1]
    keys, values = k.transpose(0, 1)[None], v.transpose(0, 1)[None]
    if new == 1:  # the queries of a group stand where a sequence's positions would, so no key is repeated
        grouped = q.reshape(1, kv_heads, heads // kv_heads, dim)
        return scaled_dot_product_attention(grouped, keys, values, scale=scale).reshape(1, heads, dim)
    options: dict[str, Any] = {"is_causal": True} if span.prefix == 0 else {"attn_mask": batch.bias(span, q)}
    if heads != kv_heads:
        options["enable_gqa"] = True
    return scaled_dot_product_attention(q.transpose(0, 1)[None], keys, values, scale=scale, **options)[0].transpose(
        0, 1
    )


def _attend_capped(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, scale: float, softcap: float) -> Tensor:
    """Attends in plain matrix products and fp32: no fused attention knows caps."""
    new, heads, dim = q.shape
    kv_heads = k.shape[1]
    grouped = q.float().reshape(new, kv_heads, heads // kv_heads, dim)
    scores = torch.einsum("nhgd,shd->hgns", grouped, k.float()) * scale
    weights = (softcap * torch.tanh(scores / softcap) + bias.float()).softmax(-1)
    return torch.einsum("hgns,shd->nhgd", weights, v.float()).reshape(new, heads, dim).to(q.dtype)
