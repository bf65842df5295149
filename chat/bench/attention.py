"""Decode attention alone: our kernel against the copy bandwidth, torch's SDPA and itself (G5); on a CPU, the reference.

One new token for each request over keys that lie scattered in a pool, slot by slot in no order: the worst that a radix
cache does. SDPA gets keys side by side in one case, and gathers them first in the other.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from ...kernels import attention as reference
from ...kernels.attention import RaggedBatch, new_pool
from .bandwidth import bandwidth
from .goals import goal
from .replay import Call, replayed, rotations
from .rows import Conditions, NotRun, Row, Rows, section

BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}
ROUNDS = 30
SECONDS = 15.0


class Heads(NamedTuple):
    """Of an attention layer."""

    queries: int
    keys: int
    dim: int

    @property
    def name(self) -> str:
        """As the goals write it."""
        return f"{self.queries}/{self.keys}/{self.dim}"

    @property
    def group(self) -> int:
        """Query heads that share a head of keys."""
        return self.queries // self.keys


QWEN2, QWEN3, SMOL = Heads(14, 2, 64), Heads(16, 8, 128), Heads(9, 3, 64)


class Layer:
    """Random keys, values and queries of one layer for requests of equal length.

    Args:
        heads: Of the layer.
        slots: Of each request's prefix, int32 ``[context]``.
        at: The conditions.
        scattered: Whether the slots of the pool are shuffled.

    Attributes:
        q: New queries, ``[B, heads, dim]``.
        k, v: New keys and values, ``[B, kv_heads, dim]``.
        k_pool, v_pool: ``[slots, kv_heads, dim]``.
        slots: As given, or shuffled.
    """

    def __init__(self, heads: Heads, slots: list[np.ndarray], at: Conditions, *, scattered: bool = True) -> None:
        self.heads = heads
        self.device = torch.device(at.device)
        self.dtype = torch.bfloat16 if at.device == "cuda" else torch.float32
        most = int(max(each.max() for each in slots))
        if scattered:
            places = np.concatenate([[0], 1 + np.random.default_rng(0).permutation(most)]).astype(np.int32)
            slots = [places[each] for each in slots]
        self.slots = slots
        requests = len(slots)
        self.q = self._random(requests, heads.queries)
        self.k, self.v = (self._random(requests, heads.keys) for _ in range(2))
        self.k_pool, self.v_pool = (self._pool(most + 1) for _ in range(2))
        self.scale = heads.dim**-0.5

    def _random(self, rows: int, heads: int) -> Tensor:
        return torch.randn(rows, heads, self.heads.dim, device=self.device).to(self.dtype)

    def _pool(self, slots: int) -> Tensor:
        pool = new_pool(slots, self.heads.keys, self.heads.dim, self.dtype, self.device)
        return pool.normal_()

    @property
    def bytes(self) -> int:
        """Of the keys and values that one decode reads, if nothing is shared."""
        tokens = sum(each.size for each in self.slots)
        return 2 * tokens * self.heads.keys * self.heads.dim * self.dtype.itemsize

    @property
    def facts(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """What every kernel is given first."""
        return self.q, self.k, self.v, self.k_pool, self.v_pool

    def kernel(self, max_splits: int | None = None) -> Call:
        """Returns a call of our decode kernel, with the split it would choose or another."""
        from ...kernels import triton_attention

        lengths = np.array([each.size for each in self.slots])
        indices = torch.from_numpy(np.concatenate(self.slots)).to(self.device)
        starts = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)[:-1]])).to(self.device, torch.int64)
        counts = torch.from_numpy(lengths).to(self.device, torch.int32)
        if max_splits is None:
            processors = triton_attention.processors(self.device)
            max_splits = triton_attention.splits(len(lengths), self.heads.keys, int(lengths.max()), processors)
        out = torch.empty_like(self.q)
        sizes = (len(lengths), self.heads.queries, max_splits)
        partial = (
            torch.empty(*sizes, self.heads.dim, device=self.device),
            torch.empty(*sizes, device=self.device),
        )
        return lambda: triton_attention.decode(
            *self.facts, indices, starts, counts, self.scale, max_splits=max_splits, out=out, partial=partial
        )

    def reference(self) -> Call:
        """Returns a call of the torch reference, its batch described beforehand; new tokens go to the scratch slot."""
        slots = [np.append(each, np.int32(0)) for each in self.slots]
        batch = RaggedBatch.build([1] * len(slots), slots, self.device)
        return lambda: reference.extend(*self.facts, batch, self.scale)

    def gathered(self) -> Call:
        """Returns a call that gathers all keys and values by their slots, then runs SDPA over them."""
        indices = torch.from_numpy(np.concatenate(self.slots)).to(self.device, torch.int64)
        shape = (len(self.slots), -1, self.heads.keys, self.heads.dim)

        def call() -> Tensor:
            keys, values = (
                pool.index_select(0, indices).view(shape).transpose(1, 2) for pool in (self.k_pool, self.v_pool)
            )
            return self._attend(keys, values)

        return call

    def contiguous(self) -> Call:
        """Returns a call of SDPA over keys and values that lie side by side."""
        shape = (len(self.slots), self.heads.keys, self.slots[0].size, self.heads.dim)
        keys, values = (torch.randn(shape, device=self.device).to(self.dtype) for _ in range(2))
        return lambda: self._attend(keys, values)

    def _attend(self, keys: Tensor, values: Tensor) -> Tensor:
        """SDPA with the heads of a group as rows of one query, so that each key is read once."""
        q = self.q.view(len(self.slots), self.heads.keys, self.heads.group, self.heads.dim)
        return scaled_dot_product_attention(q, keys, values, scale=self.scale)


def rows_of(requests: int, context: int) -> list[np.ndarray]:
    """Returns slots for requests that share nothing, each ``[context]``, from 1 on."""
    return list(np.arange(1, requests * context + 1, dtype=np.int32).reshape(requests, context))


def on_cpu(at: Conditions) -> Rows:
    """No goal: the torch reference beside a gather and SDPA, for slots in order and for shuffled ones."""
    for requests, context in ((1, 4096), (8, 1024)):
        context = at.size(context)
        for order in ("in order", "shuffled"):
            at.say(f"decode attention, {requests} at context {context:,}, slots {order}")
            layer = Layer(SMOL, rows_of(requests, context), at, scattered=order == "shuffled")
            with torch.inference_mode():
                took = at.times({"ours": layer.reference(), "gather, then SDPA": layer.gathered()}, 200, 4.0)
            yield Row(
                value=took["gather, then SDPA"] / took["ours"], arms=took.medians, rounds=took.rounds, tokens=context,
                what=f"decode attention, heads {SMOL.name}, {requests} at context {context:,}, slots {order}",
            )  # fmt: skip


@torch.inference_mode()
def on_gpu(at: Conditions) -> Rows:
    """G5, G5b and G5c."""
    requests, context = (2, 16) if at.quick else (64, 8192)
    for heads in (QWEN2, QWEN3):
        yield from _against_sdpa(at, heads, requests, context)
    yield from _split(at)


def _against_sdpa(at: Conditions, heads: Heads, requests: int, context: int) -> Rows:
    at.say(f"decode attention, heads {heads.name}, {requests} at context {context:,}")
    layers = [Layer(heads, rows_of(requests, context), at) for _ in range(2)]
    ordered = [Layer(heads, rows_of(requests, context), at, scattered=False) for _ in range(2)]
    layer = layers[0]
    calls: dict[str, list[Call]] = {
        "ours": [each.kernel() for each in layers],
        "ours, slots in order": [each.kernel() for each in ordered],
        "gather, then SDPA": [each.gathered() for each in layers],
    }
    arms: dict[str, Call] = {name: replayed(each, layer.device) for name, each in calls.items()}
    arms |= {f"SDPA {name}": arm for name, arm in _backends(layers)}
    took = at.times(arms, ROUNDS, SECONDS)
    floor = layer.bytes / bandwidth(at)
    fastest = min((name for name in arms if name.startswith("SDPA")), key=lambda name: took[name], default=None)
    ours = took["ours"]
    same = {"arms": took.medians, "rounds": took.rounds, "tokens": context, "floor": ("ours", floor)}
    yield Row(value=floor / ours, goal=goal("G5", heads.name), note="slots in no order", **same)
    if fastest is None:
        yield NotRun(goal("G5b", heads.name), "no backend of SDPA takes it")
    else:
        yield Row(value=took[fastest] / ours, goal=goal("G5b", heads.name), note=f"the fastest is {fastest}", **same)
    yield Row(value=took["gather, then SDPA"] / ours, goal=goal("G5b", f"gather {heads.name}"), **same)


def _backends(layers: list[Layer]) -> Iterator[tuple[str, Call]]:
    """Yields an arm for every backend of SDPA that takes the case, and that a graph can hold."""
    contiguous = [layer.contiguous() for layer in layers]
    for name, backend in BACKENDS.items():
        calls = [_with(backend, call) for call in contiguous]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # each backend says at length what it does not take
                calls[0]()
            arm = replayed(calls, layers[0].device)
        except RuntimeError:
            continue
        yield name, arm


def _with(backend: SDPBackend, call: Call) -> Call:
    def under() -> object:
        with sdpa_kernel(backend):
            return call()

    return under


def _split(at: Conditions) -> Rows:
    context = 64 if at.quick else 32768
    at.say(f"decode attention, one at context {context:,}, split and unsplit")
    first = Layer(QWEN2, rows_of(1, context), at)
    count = 2 if at.quick else rotations(first.bytes)
    layers = [first, *(Layer(QWEN2, rows_of(1, context), at) for _ in range(count - 1))]
    took = at.times(
        {
            "split": replayed([layer.kernel() for layer in layers], first.device),
            "unsplit": replayed([layer.kernel(1) for layer in layers], first.device),
        },
        ROUNDS,
        SECONDS,
    )
    floor = ("split", first.bytes / bandwidth(at))
    yield Row(
        value=took["unsplit"] / took["split"], arms=took.medians, goal=goal("G5c"), rounds=took.rounds,
        tokens=context, floor=floor,
    )  # fmt: skip


SECTIONS = (
    section(
        on_gpu, "cuda", *(f"{id} {case}" for heads in (QWEN2, QWEN3)
                          for id, case in (("G5", heads.name), ("G5b", heads.name), ("G5b", f"gather {heads.name}"))),
        "G5c",
    ),
    section(on_cpu, "cpu"),
)  # fmt: skip
