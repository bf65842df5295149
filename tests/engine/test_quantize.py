"""Weights of 8 bits: how near they come, what they free, and what they leave alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np
import pytest
import torch

from radixchat.chat.engine import Engine, SamplingParams
from radixchat.chat.engine.forwards import choose
from radixchat.chat.engine.lean import LeanModel, Linear
from radixchat.chat.engine.loading import load_model
from radixchat.chat.engine.quantize import FEW, Int8Embedding, Int8Linear, quantized, to_int8
from radixchat.chat.engine.runner import Work
from radixchat.chat.engine.torch_runner import TorchRunner
from radixchat.chat.errors import ModelError

from .models import tiny_model

SLOTS = 200

PROMPTS = ("What is a radix tree?", "Say hello.", "What is the capital of France?", "Why is a cache useful?", "3 + 4?")


def cosine(one: Any, other: Any) -> float:
    return float((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads only wait for one another on matrices as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def radish() -> Engine:
    """The bundled model in full."""
    return Engine.load("radish", device="cpu")


@pytest.mark.parametrize("rows", [1, FEW, FEW + 1, 70])
@pytest.mark.parametrize("shape", [(64, 96), (320, 64), (50, 72), (33, 24), (3000, 576)])
def test_a_product(rows: int, shape: tuple[int, int]) -> None:
    """Few rows and many, in sizes that no vector fits, come near the product of the integers times their scales."""
    random = torch.Generator().manual_seed(0)
    weight, x = torch.randn(shape, generator=random), torch.randn(rows, shape[1], generator=random)
    bias = torch.randn(shape[0], generator=random)
    product = Int8Linear(*to_int8(weight), bias)
    meant = x @ (product.weight.float() * product.scale.float()[:, None]).t() + bias
    assert product(x).dtype == x.dtype
    torch.testing.assert_close(product(x), meant, rtol=0.02, atol=0.02 * meant.abs().max().item())
    assert cosine(product(x).numpy(), (x @ weight.t() + bias).numpy()) > 0.9995


def test_rounding() -> None:
    """No number is more than half a step away; rows of zeros, an outlier and tiny numbers have scales of their own."""
    weight = torch.randn(6, 40, generator=torch.Generator().manual_seed(0))
    weight[0], weight[1], weight[2, 3] = 0, weight[1] * 1e-6, 100
    integers, scale = to_int8(weight)
    step = scale.float()[:, None]
    assert integers.dtype == torch.int8
    assert integers.abs().max() <= 127
    assert not integers[0].any()
    # bfloat16 may round a scale down, so the largest number of a row can be a little beyond 127 steps
    assert ((integers * step - weight).abs() <= 0.5 * step + 0.005 * weight.abs()).all()


def test_an_embedding() -> None:
    weight = torch.randn(50, 24, generator=torch.Generator().manual_seed(0))
    embed = Int8Embedding(*to_int8(weight), torch.float32)
    rows = embed(torch.tensor([3, 49, 3]))
    torch.testing.assert_close(rows, weight[[3, 49, 3]], rtol=0, atol=0.02)


@pytest.mark.parametrize("arch", ["llama", "qwen2", "qwen3", "mistral"])
def test_logits_stay_near(arch: str, tmp_path: Path) -> None:
    """Prompts and single tokens, over a scattered pool; random weights as large as these blow every rounding up."""
    loaded = load_model(tiny_model(arch, tmp_path), device="cpu", dtype="float32")
    lean = LeanModel.of(loaded.model, loaded.max_context)
    ids = np.random.default_rng(0).integers(4, 300, 90).astype(np.int32)
    slots = np.random.default_rng(1).permutation(np.arange(1, SLOTS + 1))[:90].astype(np.int32)
    rows = []
    for each in (lean, quantized(lean)):
        runner = TorchRunner(replace(loaded, lean=each), SLOTS, "lean")
        rows.append([runner.logits(Work(ids[a:b], a, slots[:b])) for a, b in ((0, 60), (60, 89), (89, 90))])
    for full, small in zip(*rows, strict=True):
        assert cosine(full, small) > 0.995


def test_what_it_frees(tmp_path: Path) -> None:
    """Matrices take a quarter, tied embeddings one place, and transformers' own weights are gone."""
    loaded = load_model(tiny_model("llama", tmp_path, tie_word_embeddings=True))
    whole = LeanModel.of(loaded.model, loaded.max_context)
    fused = [ref(product.weight) for layer in whole.layers for product in (layer.qkv, layer.gate_up)]
    del whole
    settled = choose(loaded, quantize="int8")
    gc.collect()
    assert [each() for each in fused] == [None] * len(fused)
    lean = settled.lean
    assert (settled.forward, settled.quantize) == ("lean", "int8")
    assert lean.embed.weight is lean.head.weight
    matrices = [getattr(layer, name) for layer in lean.layers for name in ("qkv", "output", "gate_up", "down")]
    assert all(isinstance(each, Int8Linear) for each in (*matrices, lean.head))
    assert lean.nbytes < 0.3 * 4 * loaded.model.num_parameters()
    assert all(each.is_meta for each in loaded.model.parameters())
    assert settled.notes[-1].endswith("MB.")
    with pytest.raises(ModelError, match="generic forward cannot use weights of int8"):
        TorchRunner(settled, SLOTS, "generic")


def test_norms_and_biases_stay(tmp_path: Path) -> None:
    loaded = load_model(tiny_model("qwen2", tmp_path, tie_word_embeddings=False))
    lean = LeanModel.of(loaded.model, loaded.max_context)
    small = quantized(lean)
    assert small.layers[0].input_norm is lean.layers[0].input_norm
    assert isinstance(lean.layers[0].qkv, Linear)
    assert small.layers[0].qkv.bias is lean.layers[0].qkv.bias is not None
    assert small.embed.weight is not small.head.weight


def test_radish_stays_nearer(radish: Engine) -> None:
    """Logits of a model that has learnt something, at every token of a reply."""
    text = "You are a helpful assistant.\nUser: What is a radix tree?\nAssistant:"
    done = radish.generate(text, SamplingParams(temperature=0, max_tokens=24))
    ids = np.array([*done.prompt_ids, *done.token_ids], dtype=np.int32)
    slots, rows = np.arange(1, ids.size + 1, dtype=np.int32), []
    for runner in (radish.runner, Engine.load("radish", device="cpu", quantize="int8").runner):
        own = runner.sibling(ids.size)
        own.step([Work(ids[:8], 0, slots[:8])])
        rows.append([own.logits(Work(ids[at : at + 1], at, slots[: at + 1])) for at in range(8, ids.size)])
    assert min(cosine(*pair) for pair in zip(*rows, strict=True)) > 0.999


def test_radish_says_nearly_the_same(radish: Engine) -> None:
    """Greedy replies in full and in 8 bits: most tokens come before the first difference."""
    params = SamplingParams(temperature=0, max_tokens=24)
    small = Engine.load("radish", device="cpu", quantize="int8")
    same = total = 0
    for prompt in PROMPTS:
        text = f"You are a helpful assistant.\nUser: {prompt}\nAssistant:"
        one, other = (engine.generate(text, params).token_ids for engine in (radish, small))
        pairs = list(zip(one, other, strict=False))
        same += next((place for place, (left, right) in enumerate(pairs) if left != right), len(pairs))
        total += len(one)
    assert same >= 0.8 * total
    assert (small.forward, small.quantize) == ("lean", "int8")
