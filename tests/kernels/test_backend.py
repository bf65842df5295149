"""Which kernels a device gets, what is said about it, and that both kinds agree wherever they are exchanged."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from radixchat.chat.engine.attention import PoolStore  # noqa: E402
from radixchat.kernels import backend as module  # noqa: E402
from radixchat.kernels import triton_fused  # noqa: E402
from radixchat.kernels.attention import RaggedBatch  # noqa: E402
from radixchat.kernels.backend import VARIABLE, Backend, backend, backend_for, kernels_for  # noqa: E402
from radixchat.kernels.fused import Rope  # noqa: E402
from radixchat.kernels.ops import TorchKernels  # noqa: E402
from radixchat.kernels.triton_ops import TritonKernels  # noqa: E402

pytestmark = pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") != "1", reason="where there is a GPU, see tests/gpu")


@pytest.fixture(autouse=True)
def afresh(monkeypatch):
    """Nobody has tried a device yet, and nobody has chosen."""
    monkeypatch.delenv(VARIABLE, raising=False)
    fault = module._fault
    fault.cache_clear()
    yield
    fault.cache_clear()


@pytest.fixture
def triton(monkeypatch):
    monkeypatch.setenv(VARIABLE, "triton")


def test_a_cpu_gets_torch_without_a_word_and_without_trying(monkeypatch):
    monkeypatch.setattr(module, "_fault", lambda _: 1 / 0)
    assert backend("cpu") == Backend("torch", None)
    assert backend("mps") == Backend("torch", None)


def test_the_variable_decides(monkeypatch):
    monkeypatch.setenv(VARIABLE, "triton")
    assert backend("cpu") == Backend("triton", None)
    monkeypatch.setenv(VARIABLE, "torch")
    assert backend("cpu") == Backend("torch", None)
    monkeypatch.setattr(module, "_fault", lambda _: None)
    assert backend("cuda") == Backend("torch", None)


def test_an_unknown_choice_is_ignored_and_said(monkeypatch):
    monkeypatch.setenv(VARIABLE, "cutlass\x1b[31m")
    assert backend("cpu") == Backend("torch", f"{VARIABLE}='cutlass\\x1b[31m' is neither torch nor triton: ignored.")


def test_a_gpu_gets_triton(monkeypatch):
    monkeypatch.setattr(module, "_fault", lambda _: None)
    assert backend("cuda") == Backend("triton", None)


def test_a_compiler_that_fails_is_told_in_one_line_and_tried_once(triton, monkeypatch):
    tried = []

    def fails(_):
        tried.append(1)
        raise RuntimeError("\n  Failed to find C compiler. \nPlease specify via CC.")

    monkeypatch.setattr(triton_fused, "silu_mul", fails)
    expected = "Triton does not work here (Failed to find C compiler), so slower kernels are used."
    assert [backend("cpu"), backend("cpu")] == [Backend("torch", expected)] * 2
    assert backend_for("cpu") == "torch"
    assert len(tried) == 1


def test_a_card_too_old_for_the_tiles_is_not_tried(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    expected = "it needs a GPU of compute capability 8.0, and this one has 7.5"
    assert backend("cuda") == Backend("torch", f"Triton does not work here ({expected}), so slower kernels are used.")


def test_no_triton_at_all(triton, monkeypatch):
    monkeypatch.setitem(sys.modules, "radixchat.kernels.triton_attention", None)
    name, note = backend("cpu")
    assert name == "torch" and "triton_attention" in note


def test_wrong_results_do_not_count_as_working(triton, monkeypatch):
    monkeypatch.setattr(triton_fused, "silu_mul", lambda gate_up: gate_up[:, :16])
    assert backend("cpu").note == "Triton does not work here (it computes wrong results), so slower kernels are used."


SHAPES = {"extend": ([3, 1, 18], [20, 0, 5]), "decode": ([1, 1, 1], [33, 0, 7])}


def packed(new, prefix, heads=4, kv_heads=2, dim=16):
    """Returns a batch over scattered slots, its positions, queries, keys, values and pools."""
    draw = torch.Generator().manual_seed(0)
    lengths = [a + b for a, b in zip(new, prefix, strict=True)]
    order = np.random.default_rng(0).permutation(np.arange(1, 120)).astype(np.int32)
    slots = np.split(order[: sum(lengths)], np.cumsum(lengths)[:-1])
    q, k, v = (torch.randn(sum(new), each, dim, generator=draw) for each in (heads, kv_heads, kv_heads))
    pools = [torch.randn(120, kv_heads, dim, generator=draw) for _ in range(2)]
    positions = torch.cat([torch.arange(b, a + b) for a, b in zip(new, prefix, strict=True)])
    return RaggedBatch.build(new, slots), positions, (q, k, v), pools


@pytest.mark.parametrize("softcap", [None, 3.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_generic_forward_attends_alike(shape, softcap, monkeypatch):
    results = []
    for name in ("torch", "triton"):
        monkeypatch.setenv(VARIABLE, name)
        batch, _, new, (k_pool, v_pool) = packed(*SHAPES[shape])
        store = PoolStore([k_pool], [v_pool], batch)
        q, k, v = (each.transpose(0, 1)[None] for each in new)
        results.append((store.attend(SimpleNamespace(layer_idx=0), q, k, v, 0.25, {"softcap": softcap}), k_pool))
    (expected, pool), (result, other) = results
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(pool, other)


def test_heads_too_wide_for_triton_stay_with_torch(triton):
    batch, _, new, (k_pool, v_pool) = packed([1], [2], heads=1, kv_heads=1, dim=512)
    store = PoolStore([k_pool], [v_pool], batch)
    q, k, v = (each.transpose(0, 1)[None] for each in new)
    assert store.attend(SimpleNamespace(layer_idx=0), q, k, v, 0.1, {}).shape == (1, 1, 1, 512)


@pytest.mark.parametrize("norms", [False, True], ids=["plain", "normed"])
@pytest.mark.parametrize("shape", SHAPES)
def test_both_kinds_of_kernels_do_the_same_in_a_layer(shape, norms, monkeypatch):
    results = []
    for name, kind in (("torch", TorchKernels), ("triton", TritonKernels)):
        monkeypatch.setenv(VARIABLE, name)
        batch, positions, (q, k, v), pools = packed(*SHAPES[shape])
        kernels = kernels_for(batch, positions)
        assert isinstance(kernels, kind)
        angles = torch.arange(40)[:, None] * torch.logspace(0, -2, 8)
        table = torch.cat([angles.cos(), angles.sin()], dim=-1)
        weights = [torch.linspace(0.5, 1.5, 16)] * 2 if norms else [None] * 2
        qkv = torch.cat([each.flatten(1) for each in (q, k, v)], dim=1)
        x, residual = kernels.add_rms_norm(qkv, qkv * 2, torch.linspace(0, 1, qkv.shape[1]), 1e-6)
        new = kernels.rope_store(x, Rope(table, 4, 2, *weights), *pools)
        results.append([x, residual, *new, kernels.attend(*new, *pools, 0.25), kernels.silu_mul(x), *pools])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
