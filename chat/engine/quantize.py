"""Weights in 8 bits, for CPUs: a decoding step reads all weights once, so a quarter of the bytes is most of the time.

Weights only: each row of a matrix is rounded to integers between -127 and 127 times a scale of its own, and activations
stay what they are. Scales are numbers that bfloat16 can hold, for torch's kernel takes them so: what a scale loses by
that is in the rounding, not in the product. Few rows are multiplied by that kernel, with activations in bfloat16 (in
float32 it is ten times slower); for many, as in a prompt, weights become float32 again block by block, which is faster
from some tens of rows on. Knows one model's matrices; knows no forward.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from ...kernels.products import linear
from .lean import Layer, LeanModel, Linear

FEW = 32
"""Most rows that are multiplied in 8 bits; the products of more are faster with weights made float32 again ..."""

BLOCK = 1 << 20
"""... so many at a time: they stay in the cache between being made and being used ..."""

VECTOR = 32
"""torch's kernel reads rows of whole vectors only: with others it reads past the end of the matrix."""

WIDE = 1 << 14
"""... unless a matrix has so many rows itself (the vocabulary): few activations ever meet it."""


class Int8Linear(NamedTuple):
    """A matrix product with weights of 8 bits: ``[rows, in]`` to ``[rows, out]``."""

    weight: Tensor  # int8 [out, in]
    scale: Tensor  # bfloat16 [out]
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """Multiplies; the result is of the type of x."""
        few = x.shape[0] <= FEW or self.weight.shape[0] >= WIDE
        if few and self.weight.shape[1] % VECTOR == 0:
            result = torch._weight_int8pack_mm(x.bfloat16(), self.weight, self.scale).to(x.dtype)
        else:
            rows = max(1, BLOCK // self.weight.shape[1])
            blocks = zip(self.weight.split(rows), self.scale.to(x.dtype).split(rows), strict=True)
            result = torch.cat([linear(x, weight * scale[:, None]) for weight, scale in blocks], dim=1)
        return result if self.bias is None else result.add_(self.bias)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(each.nbytes for each in self if each is not None)


class Int8Embedding(NamedTuple):
    """Rows of a matrix of 8 bits, in a type to compute with: int64 ``[T]`` to ``[T, hidden]``."""

    weight: Tensor  # int8 [vocabulary, hidden]
    scale: Tensor  # bfloat16 [vocabulary]
    dtype: torch.dtype

    def __call__(self, tokens: Tensor) -> Tensor:
        """Looks tokens up."""
        return self.weight[tokens].to(self.dtype) * self.scale[tokens].to(self.dtype)[:, None]

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.weight.nbytes + self.scale.nbytes


def quantized(model: LeanModel) -> LeanModel:
    """Returns a model with its matrices in 8 bits; norms and biases stay. Tied embeddings are one matrix still."""
    head = _small(model.head)
    if model.embed.weight is model.head.weight:
        embed = Int8Embedding(head.weight, head.scale, model.norm.dtype)
    else:
        embed = Int8Embedding(*to_int8(model.embed.weight), model.norm.dtype)
    return replace(model, embed=embed, layers=tuple(_layer(each) for each in model.layers), head=head)


def to_int8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Returns integers between -127 and 127, int8 ``[out, in]``, and each row's scale, bfloat16 ``[out]``."""
    scale = (weight.abs().amax(dim=1).float() / 127).bfloat16()
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    integers = torch.empty(weight.shape, dtype=torch.int8, device=weight.device)
    for rows in range(0, weight.shape[0], WIDE):  # a whole vocabulary at once would need twice its memory in between
        part = slice(rows, rows + WIDE)
        integers[part] = (weight[part].float() / scale[part, None].float()).round_().clamp_(-127, 127)
    return integers, scale


def _layer(layer: Layer) -> Layer:
    products = ("qkv", "output", "gate_up", "down")
    return layer._replace(**{name: _small(getattr(layer, name)) for name in products})


def _small(product: Linear) -> Int8Linear:
    return Int8Linear(*to_int8(product.weight), product.bias)
