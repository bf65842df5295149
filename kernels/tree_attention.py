"""Decode for requests that share parts of their prefixes: each shared part is read once for all of them.

Many replies to one prompt, or branches of one conversation, hold equal slots at equal places. :func:`plan` finds these
segments and turns the prefixes of a batch into *items*: a run of slots times the requests (rows) whose keys it is. A
request without relatives is an item of one row, so one kernel serves both. Each row of each item comes to one partial
result, and a request's partials, with its new token, are merged by their log-sum-exp.

The design is FastTree's ("vnodes", MLSys 2025) and FlashInfer's cascade, for trees of any depth. Sharing is not free:
on an L20, 128 requests over a prefix of 128 tokens ran at 0.52 times the speed of no sharing, over 256 at 2.2 times
(TensorRT-LLM's pull request 14396); vLLM's cascade wants 8 requests and 256 tokens; on a model of 0.5 B parameters
8 requests over 1,024 tokens gained nothing from it (vLLM issue 12395): so short a prefix stays in the device's cache.
So :func:`pays` is strict, and what it refuses is read as if it were not shared.

Here are the planner, in numpy, and the torch reference of the kernel, which is in :mod:`.triton_tree`. Knows no tree:
only slots. Free of Triton.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Int32 = npt.NDArray[np.int32]

NARROW = 16
"""Rows (request times head of the group) of a small tile: the least that matrix units take."""

WIDE = 64
"""Rows of a large tile, which is all that an item holds."""

PIECE = 128
"""Items are cut into pieces of no fewer tokens on average."""

STEP = 64
"""Pieces are multiples of this many tokens long."""

PROCESSORS = 132
"""Programs that run side by side where no device can be asked: an H100's multiprocessors."""


class Segment(NamedTuple):
    """Tokens that some requests have in common, at the same places and in the same slots."""

    requests: tuple[int, ...]
    first: int  # place of the first one in each of the requests
    tokens: int
    tail: bool  # the rest of one request, which grows with it


class Estimate(NamedTuple):
    """What one layer moves for one decode: tokens of KV that are read, and partial results."""

    alone: int  # tokens read with nothing shared ...
    alone_rows: int  # ... and partial results written and read again, each of one request
    tokens: int  # the same two by the plan; a segment with more rows than a tile is read once per tile
    rows: int
    group: int  # heads that share a KV head

    @property
    def gain(self) -> float:
        """How many times fewer bytes the plan moves: what it can win at most. In 16 bits, for any head dimension."""
        together = self.tokens + 2 * self.group * self.rows
        return (self.alone + 2 * self.group * self.alone_rows) / together if together else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The work of one decode over B requests, on the host. Made when the tree changes, not for every token."""

    indices: Int32  # [N]: slots, those of a shared segment once
    items: Int32  # [I, 4]: first index, tokens, first row, rows
    requests: Int32  # [R]: whose keys a row's are
    partials: Int32  # [R]: which partial result a row writes
    indptr: Int32  # [B + 1]: request b owns the partials indptr[b] to indptr[b + 1]
    tails: Int32  # [B]: the item that a request's next token goes to, or -1 without room
    room: int  # how many tokens every request may grow by
    estimate: Estimate
    shared: bool  # whether any item has more than one request: if not, plain decode does the same with less ado

    def on(self, device: torch.device | str) -> Placed:
        """Returns the plan in memory of a device, in buffers of just its size."""
        placed = Placed(self.tails.size, len(self.items), self.requests.size, self.indices.size, device)
        placed.fill(self)
        return placed


class Placed:
    """A plan on a device, in buffers that a CUDA graph may have been captured with.

    Args:
        requests: How many requests there may be.
        items: How many items.
        rows: How many rows of all items.
        indices: How many slots, room to grow included.
        device: Where the pool is.
    """

    def __init__(self, requests: int, items: int, rows: int, indices: int, device: torch.device | str) -> None:
        # one more item and one more slot than asked for: where requests grow that have no tail
        sizes = [4 * (items + 1), rows, rows, requests + 1, requests, indices + 1]
        self._starts = np.cumsum([0] + [-(-size // 4) * 4 for size in sizes]).tolist()  # kernels like 16 bytes
        self._buffer = torch.zeros(self._starts[-1], dtype=torch.int32, device=device)
        parts = [self._buffer[start : start + size] for start, size in zip(self._starts, sizes, strict=False)]
        self.items, self.requests, self.partials, self.indptr, self.tails, self.indices = parts
        self.items = self.items.view(-1, 4)
        self.capacity = requests, items, rows, indices

    def fill(self, plan: Plan) -> None:
        """Takes on another plan, in one copy; what the buffers hold beyond it is empty.

        Raises:
            ValueError: If it does not fit.
        """
        sizes = plan.tails.size, len(plan.items), plan.requests.size, plan.indices.size
        if any(size > most for size, most in zip(sizes, self.capacity, strict=True)):
            raise ValueError(f"a plan of {sizes} requests, items, rows and slots is more than {self.capacity}")
        nowhere = self.capacity[1]
        rest = np.full(self.capacity[0] - plan.tails.size, plan.indptr[-1], np.int32)
        tails = np.full(self.capacity[0], nowhere, np.int32)
        tails[: plan.tails.size] = np.where(plan.tails < 0, nowhere, plan.tails)
        host = np.zeros(self._starts[-1], np.int32)
        parts = plan.items, plan.requests, plan.partials, np.concatenate([plan.indptr, rest]), tails, plan.indices
        for start, part in zip(self._starts, parts, strict=False):
            host[start : start + part.size] = part.reshape(-1)
        host[4 * nowhere] = self.capacity[3]
        self._buffer.copy_(torch.from_numpy(host))

    def grow(self, slots: Tensor) -> None:
        """Appends one token to the prefix of every request; at most ``Plan.room`` times. Waits for nothing.

        Args:
            slots: Where its K/V lie, int32 ``[requests]``.
        """
        ends = self.items[self.tails, 0] + self.items[self.tails, 1]
        self.indices[ends.clamp_(max=self.capacity[3])] = slots
        self.items[:, 1].index_add_(0, self.tails, torch.ones_like(self.tails))


def pays(rows: int, tokens: int, group: int = 1, min_rows: int = 4, min_tokens: int = 256) -> bool:
    """Tells whether to read a segment once for several requests.

    It takes enough requests and tokens, or enough rows for a tile and half the tokens; and fewer bytes: each request
    has one partial result more, and perhaps one for each 512 tokens, which is worth 2 tokens a head of the group.

    Args:
        rows: Requests that share it.
        tokens: How long it is.
        group: Heads that share a KV head.
        min_rows: Requests that are enough.
        min_tokens: Tokens that are enough.
    """
    enough = rows >= min_rows and tokens >= min_tokens
    full = rows * group >= NARROW and 2 * tokens >= min_tokens
    saved = (rows - _tiles(rows, group)) * tokens
    return (enough or full) and saved > 2 * group * rows * (1 + tokens // 512)


def plan(
    slots: Sequence[Int32],
    *,
    min_rows: int = 4,
    min_tokens: int = 256,
    group: int = 1,
    kv_heads: int = 1,
    processors: int = PROCESSORS,
    room: int = 0,
) -> Plan:
    """Plans a decode of requests that may share parts of their prefixes.

    Args:
        slots: The slots of each request's prefix, int32; a prefix may be empty.
        min_rows: See :func:`pays`.
        min_tokens: Likewise.
        group: Heads that share a KV head.
        kv_heads: How many of those a layer has: each is worked on separately, so the fewer the more pieces are needed.
        processors: How many programs run side by side.
        room: How many tokens each request may grow by until the next plan, see :meth:`Placed.grow`.

    Returns:
        The plan; where sharing does not pay, the ordinary split of each prefix.
    """
    wanted = max(2 * processors // kv_heads, 1)
    alone = [Segment((request,), 0, each.size, True) for request, each in enumerate(slots)]
    found = list(_segments(slots, lambda rows, tokens: pays(rows, tokens, group, min_rows, min_tokens)))
    separate, together = (_cut(segments, group, wanted, room) for segments in (alone, found))
    estimate = Estimate(*_sums(separate), *_sums(together), group)
    if estimate.gain <= 1:
        found, together = alone, separate
        estimate = estimate._replace(tokens=estimate.alone, rows=estimate.alone_rows)
    return _assemble(slots, found, together, room, estimate)


def _tiles(rows: int, group: int) -> int:
    return -(-rows // max(WIDE // group, 1))


def _segments(slots: Sequence[Int32], shares: Callable[[int, int], bool]) -> Iterator[Segment]:
    """Yields shared segments and the rest of each request, such that each token of each request is in exactly one.

    In the order of their slots, requests with a common beginning stand together: any such order will do, and bytes
    compare fastest. A run of requests shares as much as its neighbours share at least.
    """
    order = sorted(range(len(slots)), key=lambda request: np.ascontiguousarray(slots[request]).tobytes())
    common = np.array([_common(slots[a], slots[b]) for a, b in pairwise(order)], dtype=np.int64)
    runs = [(0, len(order), 0)]  # requests in order, and the first of their tokens that is in no segment yet
    while runs:
        low, high, first = runs.pop()
        if high - low == 1:
            yield Segment((order[low],), first, slots[order[low]].size - first, True)
        elif high > low:
            inner = common[low : high - 1]
            end = int(inner.min())
            if shares(high - low, end - first):
                yield Segment(tuple(order[low:high]), first, end - first, False)
                first = end
            edges = [low, *(low + 1 + np.flatnonzero(inner == end)).tolist(), high]
            runs += [(a, b, first) for a, b in pairwise(edges)]


def _common(a: Int32, b: Int32) -> int:
    size = min(a.size, b.size)
    different = a[:size] != b[:size]
    at = int(different.argmax()) if size else 0
    return at if size and different[at] else size


class Item(NamedTuple):
    """A piece of a segment for some of its requests."""

    segment: int
    offset: int  # of its first token in the segment
    tokens: int
    requests: tuple[int, ...]
    last: bool  # the piece that grows, if the segment is a tail


def _cut(segments: Sequence[Segment], group: int, wanted: int, room: int) -> list[Item]:
    """Cuts segments into items of a tile of requests each and into pieces that fill the device, the longest first."""
    total = sum(_tiles(len(each.requests), group) * each.tokens for each in segments)
    most = max(PIECE, _up(-(-total // wanted)))
    items = []
    for number, each in enumerate(segments):
        size = _up(-(-each.tokens // max(-(-each.tokens // most), 1)))
        tiles = np.array_split(each.requests, _tiles(len(each.requests), group))
        starts = range(0, each.tokens, max(size, 1)) or ([0] if room else [])
        items += [
            Item(number, start, min(size, each.tokens - start), tuple(rows.tolist()), start + size >= each.tokens)
            for start in starts
            for rows in tiles
        ]
    return sorted(items, key=lambda item: (-item.tokens, -len(item.requests)))


def _up(tokens: int) -> int:
    return -(-tokens // STEP) * STEP


def _sums(items: Sequence[Item]) -> tuple[int, int]:
    return sum(item.tokens for item in items), sum(len(item.requests) for item in items)


def _assemble(
    slots: Sequence[Int32], segments: Sequence[Segment], items: Sequence[Item], room: int, estimate: Estimate
) -> Plan:
    parts = [
        np.pad(slots[each.requests[0]][each.first : each.first + each.tokens], (0, room if each.tail else 0))
        for each in segments
    ]
    starts = np.cumsum([0] + [part.size for part in parts])
    sizes = [len(item.requests) for item in items]
    requests = np.array([request for item in items for request in item.requests], dtype=np.int32)
    counts = np.bincount(requests, minlength=len(slots))
    indptr = np.concatenate([[0], np.cumsum(counts)])
    rows = np.argsort(requests, kind="stable")  # row by partial: those of a request one after the other
    partials = np.empty_like(requests)
    partials[rows] = np.arange(requests.size, dtype=np.int32)
    tails = np.full(len(slots), -1, np.int32)
    if room:
        for number, item in enumerate(items):
            if item.last and segments[item.segment].tail:
                tails[item.requests[0]] = number
    table = [
        (starts[item.segment] + item.offset, item.tokens, first, size)
        for item, first, size in zip(items, np.cumsum([0, *sizes]), sizes, strict=False)
    ]
    return Plan(
        indices=np.concatenate([np.zeros(0, np.int32), *parts]).astype(np.int32, copy=False),
        items=np.array(table, dtype=np.int32).reshape(-1, 4),
        requests=requests,
        partials=partials,
        indptr=indptr.astype(np.int32),
        tails=tails,
        room=room,
        estimate=estimate,
        shared=any(size > 1 for size in sizes),
    )


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
) -> Tensor:
    """Attends one new token per request to its prefix, by a plan, and to itself: the torch reference.

    Args:
        q: Queries ``[B, heads, head_dim]``, for all requests of the plan; ``heads`` is a multiple of ``kv_heads``.
        k: Keys of the new tokens, ``[B, kv_heads, head_dim]``, with the position already in them.
        v: Their values, in the same shape.
        k_pool: The layer's keys, ``[slots, kv_heads, head_dim]``.
        v_pool: The layer's values, in the same shape.
        plan: What is read for whom, on the host or already on the device.
        scale: What the scores are multiplied with.
        softcap: Where scores level off, ``softcap * tanh(score / softcap)``, or None.

    Returns:
        ``[B, heads, head_dim]`` in the type of ``q``: the same as plain decode, but for the order of sums.
    """
    placed = plan.on(q.device) if isinstance(plan, Plan) else plan
    (batch, heads, dim), kv_heads = q.shape, k.shape[1]
    queries = q.float().view(batch, kv_heads, heads // kv_heads, dim)

    def scores(products: Tensor) -> Tensor:
        return products * scale if softcap is None else softcap * torch.tanh(products * (scale / softcap))

    accs = [v.float()[:, :, None].expand_as(queries)]
    lses = [scores(torch.einsum("bhgd,bhd->bhg", queries, k.float()))]
    owners = [torch.arange(batch, device=q.device)]
    for first, tokens, row, rows in placed.items[: placed.capacity[1]].tolist():
        if tokens and rows:
            slots = placed.indices[first : first + tokens].long()
            requests = placed.requests[row : row + rows].long()
            found = scores(torch.einsum("bhgd,shd->bhgs", queries[requests], k_pool[slots].float()))
            accs.append(torch.einsum("bhgs,shd->bhgd", found.softmax(-1), v_pool[slots].float()))
            lses.append(found.logsumexp(-1))
            owners.append(requests)
    owner, acc, lse = torch.cat(owners), torch.cat(accs), torch.cat(lses)
    result = torch.empty_like(queries)
    for request in range(batch):
        mine = owner == request
        result[request] = (lse[mine].softmax(0)[..., None] * acc[mine]).sum(0)
    return result.view(batch, heads, dim).to(q.dtype)
