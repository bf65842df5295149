"""What a lean forward does in each layer besides matrix products, as one object per forward that knows its batch.

:class:`Kernels` is what a forward asks for; :class:`TorchKernels` answers with torch alone, made for a CPU: where the
new tokens of a step go is known before the first layer, so positions become cosines once, and a run of slots is written
as a slice. Knows nothing of models, requests and trees.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from .attention import RaggedBatch, extend, write
from .fused import Rope


class Kernels(Protocol):
    """The operations of one forward over one batch of T packed new tokens."""

    def add_rms_norm(self, x: Tensor, residual: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        """Returns ``norm(x + residual) * weight`` and ``x + residual``, each ``[rows, hidden]`` in the type of x."""

    def rope_store(self, qkv: Tensor, rope: Rope, k_pool: Tensor, v_pool: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rotates queries and keys to the batch's positions and stores keys and values in the batch's slots.

        Args:
            qkv: ``[T, (heads + 2 * kv_heads) * head_dim]``.
            rope: How they are rotated.
            k_pool: The layer's keys, ``[slots, kv_heads, head_dim]``.
            v_pool: The layer's values, in the same shape.

        Returns:
            Queries ``[T, heads, head_dim]``, keys and values ``[T, kv_heads, head_dim]``.
        """

    def attend(self, q: Tensor, k: Tensor, v: Tensor, k_pool: Tensor, v_pool: Tensor, scale: float) -> Tensor:
        """Attends new tokens to what is stored and to one another, causally; returns ``[T, heads, head_dim]``."""

    def silu_mul(self, gate_up: Tensor) -> Tensor:
        """Returns ``silu(gate) * up``, ``[T, I]``, of ``[T, 2 * I]``."""


class TorchKernels:
    """The reference, and what a CPU runs.

    Args:
        batch: Whose the new tokens are and where keys lie.
        positions: int64 ``[T]``, the place of each new token in its sequence.
    """

    def __init__(self, batch: RaggedBatch, positions: Tensor) -> None:
        self.batch = batch
        self.positions = positions
        self._angles: tuple[Tensor, Tensor, Tensor] | None = None  # the table they are of, cosines and signed sines

    def add_rms_norm(self, x: Tensor, residual: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        """See :class:`Kernels`."""
        if residual is not None:
            x = x + residual
        return F.rms_norm(x, weight.shape, weight, eps), x

    def rope_store(self, qkv: Tensor, rope: Rope, k_pool: Tensor, v_pool: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See :class:`Kernels`."""
        table, heads, kv_heads, q_weight, k_weight, eps = rope
        dim = table.shape[1]
        split = qkv.view(qkv.shape[0], heads + 2 * kv_heads, dim)
        turned, v = split[:, : heads + kv_heads], split[:, heads + kv_heads :]
        if q_weight is not None and k_weight is not None:
            q, k = turned[:, :heads], turned[:, heads:]
            turned = torch.cat([F.rms_norm(q, (dim,), q_weight, eps), F.rms_norm(k, (dim,), k_weight, eps)], dim=1)
        cos, sin = self._rotation(table, qkv.dtype)
        swapped = turned.unflatten(2, (2, dim // 2)).flip(2).flatten(2)
        turned = torch.addcmul(turned * cos, swapped, sin)
        q, k = turned[:, :heads], turned[:, heads:]
        write(k, v, k_pool, v_pool, self.batch)
        return q, k, v

    def attend(self, q: Tensor, k: Tensor, v: Tensor, k_pool: Tensor, v_pool: Tensor, scale: float) -> Tensor:
        """See :class:`Kernels`."""
        return extend(q, k, v, k_pool, v_pool, self.batch, scale)

    def silu_mul(self, gate_up: Tensor) -> Tensor:
        """See :class:`Kernels`."""
        gate, up = gate_up.chunk(2, dim=-1)
        return F.silu(gate).mul_(up)

    def _rotation(self, table: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Returns what vectors and their swapped halves are multiplied with, each ``[T, 1, head_dim]``."""
        if self._angles is None or self._angles[0] is not table:
            cos, sin = table[self.positions].to(dtype)[:, None].chunk(2, dim=-1)
            self._angles = table, torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1)
        return self._angles[1:]
