"""What a lean forward does besides matrix products, with Triton's kernels: :class:`TritonKernels`.

The wiring only; the kernels are in `triton_fused` and `triton_attention`. One object per forward, bound to a packed
batch of any kind or to a decode step whose description lies in static tensors (:class:`Decoding`, :class:`Sharing`),
as a CUDA graph needs it: nothing here waits for the device, and all that differs from step to step is read from
tensors. Knows nothing of models, requests and trees.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from torch import Tensor

from . import triton_attention, triton_fused, triton_tree
from .attention import RaggedBatch
from .fused import Rope
from .tree_attention import Placed


class Attention(Protocol):
    """How the new tokens of a batch attend."""

    def attend(self, *layer: Tensor, scale: float, softcap: float | None = None) -> Tensor:
        """Takes what :func:`radixchat.kernels.attention.extend` takes, and returns what it returns.

        Args:
            layer: q, k, v, k_pool and v_pool.
            scale: What the scores are multiplied with.
            softcap: Where scores level off, or None.
        """


class Decoding(NamedTuple):
    """One new token for each of B sequences, over static tensors."""

    indices: Tensor  # int32, flat: slots of every sequence's prefix
    starts: Tensor  # int64 [B]: where in `indices` each prefix begins
    lengths: Tensor  # int32 [B]: and how long it is, 0 allowed
    max_splits: int  # programs that share a sequence at most
    partial: tuple[Tensor, Tensor] | None = None  # room for their results: see `triton_attention.decode`

    def attend(self, *layer: Tensor, scale: float, softcap: float | None = None) -> Tensor:
        """See :class:`Attention`."""
        options: dict[str, Any] = {"max_splits": self.max_splits, "softcap": softcap, "partial": self.partial}
        return triton_attention.decode(*layer, self.indices, self.starts, self.lengths, scale, **options)


class Sharing(NamedTuple):
    """One new token for each of B sequences, parts of whose prefixes are read once for several of them."""

    placed: Placed  # a plan, in tensors that stay where they are
    partial: tuple[Tensor, Tensor] | None = None  # room for its results: see `triton_tree.decode_shared`

    def attend(self, *layer: Tensor, scale: float, softcap: float | None = None) -> Tensor:
        """See :class:`Attention`."""
        return triton_tree.decode_shared(*layer, self.placed, scale, softcap=softcap, partial=self.partial)


class Ragged(NamedTuple):
    """Any packed batch."""

    batch: RaggedBatch

    def attend(self, *layer: Tensor, scale: float, softcap: float | None = None) -> Tensor:
        """See :class:`Attention`."""
        batch, new_keys = self.batch, layer[1]
        if not batch.decodes:
            return triton_attention.extend(*layer, batch, scale, softcap=softcap)
        key = ("starts",)
        if key not in batch.buffers:  # once per forward
            batch.buffers[key] = batch.kv_indptr[:-1].long()
        longest = max(span.prefix for span in batch.spans)
        processors = triton_attention.processors(new_keys.device)
        count = triton_attention.splits(len(batch.spans), new_keys.shape[1], longest, processors)
        decoding = Decoding(batch.kv_indices, batch.buffers[key], batch.prefix_lens, count)
        return decoding.attend(*layer, scale=scale, softcap=softcap)


class TritonKernels:
    """See :class:`radixchat.kernels.ops.Kernels`, which it implements.

    Args:
        positions: int64 ``[T]``: the place of each new token in its sequence.
        slots: int64 ``[T]``: where its key and value go.
        attention: How they attend.
    """

    add_rms_norm = staticmethod(triton_fused.add_rms_norm)
    silu_mul = staticmethod(triton_fused.silu_mul)

    def __init__(self, positions: Tensor, slots: Tensor, attention: Attention) -> None:
        self.positions = positions
        self.slots = slots
        self.attention = attention

    @classmethod
    def of(cls, batch: RaggedBatch, positions: Tensor) -> TritonKernels:
        """Binds to a packed batch."""
        return cls(positions, batch.write_slots, Ragged(batch))

    def rope_store(self, qkv: Tensor, rope: Rope, k_pool: Tensor, v_pool: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See :class:`radixchat.kernels.ops.Kernels`."""
        return triton_fused.rope_store(qkv, self.positions, rope, k_pool, v_pool, self.slots)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, k_pool: Tensor, v_pool: Tensor, scale: float) -> Tensor:
        """See :class:`radixchat.kernels.ops.Kernels`."""
        return self.attention.attend(q, k, v, k_pool, v_pool, scale=scale)
