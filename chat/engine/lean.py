"""The lean forward: our own, for models built like Llama, Qwen2 and Qwen3.

The same numbers as the generic forward with a third of the operations: one matrix product for queries, keys and
values, one for gate and up, angles from a table, and logits only where they are asked for. Weights that are fused are
made once; the transformers model keeps working, for its own parameters become views of them. Whether a model is built
so is decided by facts (:func:`why_not`).

Knows layers and pools; knows no requests, trees, texts and sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from ...kernels.fused import Rope
from ...kernels.ops import Kernels
from ...kernels.products import linear

CLASSES = ("LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "MistralForCausalLM")
STATIC_ROPE = ("default", "linear", "llama3", "yarn")
"""Rotations whose angles depend on nothing but the position."""


class Product(Protocol):
    """A matrix in whatever form: multiplied with, or looked up in."""

    @property
    def weight(self) -> Tensor:
        """The numbers themselves."""

    def __call__(self, x: Tensor) -> Tensor:
        """Returns ``[rows, out]``."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""


class Linear(NamedTuple):
    """A matrix product: ``[rows, in]`` to ``[rows, out]``."""

    weight: Tensor  # [out, in]
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """Multiplies."""
        return linear(x, self.weight, self.bias)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(each.nbytes for each in self if each is not None)


class Embedding(NamedTuple):
    """The rows of a matrix: int64 ``[T]`` to ``[T, hidden]``."""

    weight: Tensor  # [vocabulary, hidden]

    def __call__(self, tokens: Tensor) -> Tensor:
        """Looks tokens up."""
        return F.embedding(tokens, self.weight)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.weight.nbytes


class Layer(NamedTuple):
    """One layer's weights."""

    input_norm: Tensor  # [hidden]
    qkv: Product  # hidden -> (heads + 2 * kv_heads) * head_dim
    rope: Rope
    output: Product  # heads * head_dim -> hidden
    mlp_norm: Tensor  # [hidden]
    gate_up: Product  # hidden -> 2 * intermediate
    down: Product  # intermediate -> hidden


@dataclass(frozen=True, slots=True)
class LeanModel:
    """A model's weights in the order in which a forward needs them."""

    embed: Product  # int64 [T] -> [T, hidden]
    layers: tuple[Layer, ...]
    norm: Tensor  # [hidden]
    head: Product  # hidden -> vocabulary
    heads: int
    kv_heads: int
    head_dim: int
    scale: float  # what attention scores are multiplied with
    eps: float

    @classmethod
    def of(cls, model: PreTrainedModel, max_context: int) -> LeanModel | None:
        """Returns it for a transformers model, or None where it does not apply (`why_not`).

        Built once for each model, whose parameters become views of the fused ones.

        Args:
            model: Loaded and in its type and on its device.
            max_context: Positions to make angles for.
        """
        built = _BUILT.get(model)
        if built is not None and built.max_context >= max_context:
            return built
        if why_not(model) is not None:
            return None
        inner: Any = model.model
        attention = inner.layers[0].self_attn
        head_dim, eps = attention.head_dim, inner.norm.variance_epsilon
        heads, kv_heads = (each.out_features // head_dim for each in (attention.q_proj, attention.k_proj))
        rope = Rope(_table(inner.rotary_emb, max_context), heads, kv_heads, eps=eps)
        _BUILT[model] = built = cls(
            embed=Embedding(inner.embed_tokens.weight),
            layers=tuple(_layer(each, rope) for each in inner.layers),
            norm=inner.norm.weight,
            head=Linear(model.lm_head.weight, model.lm_head.bias),
            heads=heads,
            kv_heads=kv_heads,
            head_dim=head_dim,
            scale=attention.scaling,
            eps=eps,
        )
        return built

    @staticmethod
    def forget(model: PreTrainedModel) -> None:
        """Lets go of the fused weights of a model: who holds them no more has their memory back."""
        _BUILT.pop(model, None)

    @property
    def nbytes(self) -> int:
        """Bytes of all matrices and norms; tied embeddings count once."""
        tied = self.embed.weight is self.head.weight
        products = [self.head, *([] if tied else [self.embed])]
        products += [each for layer in self.layers for each in (layer.qkv, layer.output, layer.gate_up, layer.down)]
        norms = [self.norm, *(each for layer in self.layers for each in (layer.input_norm, layer.mlp_norm))]
        of_heads = [each for layer in self.layers for each in (layer.rope.q_weight, layer.rope.k_weight)]
        return sum(each.nbytes for each in (*products, *norms, *of_heads) if each is not None)

    @property
    def max_context(self) -> int:
        """Positions that there are angles for."""
        return self.layers[0].rope.table.shape[0]

    def forward(
        self,
        tokens: Tensor,
        k_pools: Sequence[Tensor],
        v_pools: Sequence[Tensor],
        kernels: Kernels,
        last: Tensor | None = None,
    ) -> Tensor:
        """Computes a batch and stores its K/V.

        Args:
            tokens: int64 ``[T]``, the new tokens of all sequences.
            k_pools: Per layer ``[slots, kv_heads, head_dim]``.
            v_pools: The same for values.
            kernels: Bound to the batch.
            last: int64, the rows whose logits are wanted; None: all.

        Returns:
            Logits, ``[len(last) or T, vocabulary]``.
        """
        x, residual = self.embed(tokens), None
        for layer, k_pool, v_pool in zip(self.layers, k_pools, v_pools, strict=True):
            x, residual = kernels.add_rms_norm(x, residual, layer.input_norm, self.eps)
            q, k, v = kernels.rope_store(layer.qkv(x), layer.rope, k_pool, v_pool)
            x = kernels.attend(q, k, v, k_pool, v_pool, self.scale).flatten(1)
            if layer is self.layers[-1] and last is not None and len(last) < len(x):
                x, residual = x[last], residual[last]  # nobody reads the other rows any more
            x, residual = kernels.add_rms_norm(layer.output(x), residual, layer.mlp_norm, self.eps)
            x = layer.down(kernels.silu_mul(layer.gate_up(x)))
        return self.head(kernels.add_rms_norm(x, residual, self.norm, self.eps)[0])


_BUILT: WeakKeyDictionary[PreTrainedModel, LeanModel] = WeakKeyDictionary()
"""Weights are fused once, however many runners a model has."""


def why_not(model: PreTrainedModel) -> str | None:
    """Returns why the lean forward does not apply to a model, as the end of a sentence, or None where it does."""
    if type(model).__name__ not in CLASSES:
        return f"it is written for Llama, Qwen2, Qwen3 and Mistral, and this is {model.config.model_type}"
    config: Any = model.config
    inner: Any = model.model
    rope = (config.rope_parameters or {}).get("rope_type", "default")
    if config.hidden_act != "silu":
        return f"its activation is {config.hidden_act}"
    if rope not in STATIC_ROPE:
        return f"its positions are rotated by {rope}"
    if inner.rotary_emb.inv_freq.numel() * 2 != inner.layers[0].self_attn.head_dim:
        return "only a part of each head is rotated"
    if {id(each) for each in _known(model)} != {id(each) for each in model.parameters()}:
        return "it has weights that the lean forward does not know"
    return None


def _known(model: Any) -> list[nn.Parameter]:
    """Returns the parameters that a forward uses."""
    modules = [model.model.embed_tokens, model.model.norm, model.lm_head]
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        modules += [layer.input_layernorm, layer.post_attention_layernorm]
        modules += [attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj]
        modules += [each for each in (getattr(attention, "q_norm", None), getattr(attention, "k_norm", None)) if each]
        modules += [mlp.gate_proj, mlp.up_proj, mlp.down_proj]
    return [each for module in modules for each in (module.weight, getattr(module, "bias", None)) if each is not None]


def _layer(layer: Any, rope: Rope) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp
    norms = [getattr(attention, name, None) for name in ("q_norm", "k_norm")]
    q_norm, k_norm = (None if norm is None else norm.weight for norm in norms)
    return Layer(
        input_norm=layer.input_layernorm.weight,
        qkv=_fused(attention.q_proj, attention.k_proj, attention.v_proj),
        rope=rope._replace(q_weight=q_norm, k_weight=k_norm),
        output=Linear(attention.o_proj.weight, attention.o_proj.bias),
        mlp_norm=layer.post_attention_layernorm.weight,
        gate_up=_fused(mlp.gate_proj, mlp.up_proj),
        down=Linear(mlp.down_proj.weight, mlp.down_proj.bias),
    )


def _fused(*parts: nn.Linear) -> Linear:
    """Returns several products as one, and makes the parts' parameters views of its own."""
    weight = torch.cat([part.weight.detach() for part in parts])
    biases = [part.bias for part in parts if part.bias is not None]
    bias = torch.cat([each.detach() for each in biases]) if len(biases) == len(parts) else None
    if biases and bias is None:
        raise ValueError("either all or none of the fused products have a bias")
    row = 0
    for part in parts:
        rows = slice(row, row + part.out_features)
        part.weight.data = weight[rows]
        if bias is not None:
            part.bias.data = bias[rows]
        row += part.out_features
    return Linear(weight, bias)


def _table(rotary: Any, max_context: int) -> Tensor:
    """Returns the cosines and sines of all positions, fp32 ``[max_context, head_dim]``, scaled as the model does."""
    frequencies = rotary.inv_freq.float()
    angles = torch.arange(max_context, device=frequencies.device, dtype=torch.float32)[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1) * float(rotary.attention_scaling)
