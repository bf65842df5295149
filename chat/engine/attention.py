"""The bridge between transformers' models and our pool: one attention function under the name ``radixchat``.

A model whose attention goes through transformers' ``AttentionInterface`` hands each layer's queries, keys and values to
:func:`forward`, which stores K/V in the slots and attends over them. No mask function is registered under the name, so
the model builds no mask: causality is the kernels' business (Triton's where they run, else torch's). What belongs to
one forward travels with it, as the extra keyword ``radixchat`` of ``model(...)``; nothing is kept between calls.

Knows slots and layers; knows nothing of requests, trees and sampling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn
from transformers import AttentionInterface

from ...kernels.attention import RaggedBatch, extend, write
from ...kernels.backend import backend_for

WIDEST = 256
"""The largest head dimension that Triton's kernels take."""

NAME = "radixchat"
"""What the attention function is registered as, and the keyword that carries a :class:`Store`."""


class Store(Protocol):
    """What a forward is given: it turns one layer's queries, keys and values into the layer's result."""

    def attend(
        self, module: nn.Module, query: Tensor, key: Tensor, value: Tensor, scaling: float, options: dict[str, Any]
    ) -> Tensor:
        """Takes ``[1, heads, T, head_dim]`` and returns ``[1, T, heads, head_dim]``."""


class PoolStore(NamedTuple):
    """One forward over the pool."""

    k_pools: Sequence[Tensor] | Mapping[int, Tensor]  # by layer, [slots, kv_heads, head_dim]
    v_pools: Sequence[Tensor] | Mapping[int, Tensor]
    batch: RaggedBatch

    def attend(
        self, module: nn.Module, query: Tensor, key: Tensor, value: Tensor, scaling: float, options: dict[str, Any]
    ) -> Tensor:
        """Writes the new K/V of the layer and attends to them and to the cached ones."""
        layer: int = module.layer_idx  # type: ignore[assignment]
        k_pool, v_pool = self.k_pools[layer], self.v_pools[layer]
        q, k, v = (each[0].transpose(0, 1) for each in (query, key, value))
        write(k, v, k_pool, v_pool, self.batch)
        softcap = options.get("softcap")
        if q.shape[2] <= WIDEST and backend_for(q.device) == "triton":
            from ...kernels.triton_ops import Ragged

            return Ragged(self.batch).attend(q, k, v, k_pool, v_pool, scale=scaling, softcap=softcap)[None]
        return extend(q, k, v, k_pool, v_pool, self.batch, scaling, softcap=softcap)[None]


def forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    radixchat: Store | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attends as transformers asks for it: ``[1, heads, T, head_dim]`` in, ``[1, T, heads, head_dim]`` out.

    ``options`` are whatever else the model passes. Which of them change the result is settled when a model is loaded
    (see ``loading``), so the rest is ignored here.
    """
    if radixchat is None:
        raise RuntimeError(f"attention {NAME!r} needs model(..., {NAME}=store)")
    if scaling is None:
        scaling = query.shape[-1] ** -0.5
    options["attention_mask"] = attention_mask
    return radixchat.attend(module, query, key, value, scaling, options), None


AttentionInterface.register(NAME, forward)
