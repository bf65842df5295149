"""The small fused operations: the torch reference against plain formulas, Triton's kernels against the reference."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from radixchat.chat.engine.params import SamplingParams
from radixchat.chat.engine.sampling import candidates
from radixchat.kernels import fused

from .dense import DEVICE, needs_triton

triton_fused: Any = None
if importlib.util.find_spec("triton") is not None:
    from radixchat.kernels import triton_fused

BOUND = {torch.float32: 1e-6, torch.float16: 1e-3}  # of the norm of a difference


@pytest.fixture
def random() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def distance(found: Tensor, wanted: Tensor) -> float:
    """Returns how far off a result is, by its norm."""
    wanted = wanted.double().cpu()
    return float((found.double().cpu() - wanted).norm() / wanted.norm())


# ------------------------------------------------------------------------------------------------ norm and activation


@needs_triton
@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("hidden", [576, 896, 64])
def test_norms_equal_the_reference(hidden, dtype, random):
    wide = torch.randn(3, 2 * hidden, generator=random).to(DEVICE, dtype)
    x = wide[:, hidden:]  # rows that do not follow one another
    residual = torch.randn(3, hidden, generator=random).to(DEVICE, dtype)
    weight = torch.randn(hidden, generator=random).to(DEVICE)
    for other in (residual, None):
        found, wanted = (each.add_rms_norm(x, other, weight, 1e-5) for each in (triton_fused, fused))
        assert torch.equal(found[1], wanted[1]) and found[0].dtype == dtype
        assert distance(found[0], wanted[0]) < BOUND[dtype]


def test_a_norm_by_its_formula(random):
    x = torch.randn(4, 24, generator=random)
    weight = torch.randn(24, generator=random)
    normed, total = fused.add_rms_norm(x, 2 * x, weight, 0.5)
    wanted = (3 * x).double()
    wanted = wanted / (wanted.square().mean(-1, keepdim=True) + 0.5).sqrt() * weight
    assert distance(normed, wanted) < 1e-6 and torch.equal(total, 3 * x)
    assert fused.add_rms_norm(x, None, weight, 0.5)[1] is x


@needs_triton
@pytest.mark.parametrize("dtype", BOUND)
def test_the_gated_activation_equals_the_reference(dtype, random):
    gate_up = torch.randn(2, 2 * 1100, generator=random).to(DEVICE, dtype)  # two blocks, the last not full
    found, wanted = triton_fused.silu_mul(gate_up), fused.silu_mul(gate_up)
    assert found.shape == (2, 1100) and found.dtype == dtype
    assert distance(found, wanted) < BOUND[dtype]


# ------------------------------------------------------------------------------------------------ rotating and storing


class Layer(NamedTuple):
    """What rope_store takes, with pools of NaN."""

    qkv: Tensor
    positions: Tensor
    rope: fused.Rope
    k_pool: Tensor
    v_pool: Tensor
    slots: Tensor


SLOTS = 40


def layer(heads: int, kv_heads: int, dim: int, norm: bool, random: torch.Generator, head_major: bool = False) -> Layer:
    tokens, context = 3, 64
    angles = torch.arange(context)[:, None] * 10.0 ** -torch.linspace(0, 3, dim // 2)
    shape = (kv_heads, SLOTS, dim) if head_major else (SLOTS, kv_heads, dim)
    pools = [torch.full(shape, torch.nan) for _ in range(2)]
    k_pool, v_pool = (each.transpose(0, 1) if head_major else each for each in pools)
    weights = [torch.randn(dim, generator=random) if norm else None for _ in range(2)]
    qkv = torch.randn(tokens, (heads + 2 * kv_heads) * dim + 5, generator=random)[:, :-5]
    positions = torch.randint(0, context, (tokens,), generator=random)
    slots = torch.randperm(SLOTS, generator=random)[:tokens]
    table = torch.cat([angles.cos(), angles.sin()], dim=-1)
    return Layer(qkv, positions, fused.Rope(table, heads, kv_heads, *weights), k_pool, v_pool, slots)


def moved(case: Layer, dtype: torch.dtype) -> Layer:
    """Returns a copy on the device of Triton, of a type; the table and positions keep theirs, strides as well."""
    numbers = {name: getattr(case, name).to(DEVICE, dtype, copy=True) for name in ("qkv", "k_pool", "v_pool")}
    others = {name: getattr(case, name).to(DEVICE) for name in ("positions", "slots")}
    rope = case.rope._replace(table=case.rope.table.to(DEVICE))
    if rope.q_weight is not None and rope.k_weight is not None:
        rope = rope._replace(q_weight=rope.q_weight.to(DEVICE, dtype), k_weight=rope.k_weight.to(DEVICE, dtype))
    return case._replace(rope=rope, **numbers, **others)


@pytest.mark.parametrize("norm", [False, True])
def test_rotation_by_complex_numbers(norm, random):
    case = layer(4, 2, 16, norm, random)
    q, k, v = fused.rope_store(*case)
    parts = case.qkv.double().unflatten(-1, (8, 16))
    for found, x, weight in ((q, parts[:, :4], case.rope.q_weight), (k, parts[:, 4:6], case.rope.k_weight)):
        if weight is not None:
            x = x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * weight
        turn = torch.complex(*case.rope.table.double()[case.positions][:, None].chunk(2, -1))
        turned = torch.complex(*x.chunk(2, -1)) * turn
        assert distance(found, torch.cat([turned.real, turned.imag], -1)) < 1e-6
    assert torch.equal(v, parts[:, 6:].float()) and v._base is not None
    assert torch.equal(case.k_pool[case.slots], k) and torch.equal(case.v_pool[case.slots], v)


@needs_triton
@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize(
    ("heads", "kv_heads", "dim", "norm"), [(14, 2, 64, False), (4, 2, 128, True), (3, 1, 80, True), (2, 2, 16, False)]
)
@pytest.mark.parametrize("head_major", [False, True])
def test_rotating_and_storing_equals_the_reference(heads, kv_heads, dim, norm, head_major, dtype, random):
    mine = moved(layer(heads, kv_heads, dim, norm, random, head_major), dtype)
    theirs = mine._replace(k_pool=mine.k_pool.clone(), v_pool=mine.v_pool.clone())
    found, wanted = triton_fused.rope_store(*mine), fused.rope_store(*theirs)
    for each, other in zip(found, wanted, strict=True):
        assert each.shape == other.shape and each.dtype == dtype
        assert distance(each, other) < BOUND[dtype]
    assert torch.equal(mine.k_pool[mine.slots], found[1]) and torch.equal(mine.v_pool[mine.slots], found[2])
    assert torch.equal(mine.k_pool.isnan(), theirs.k_pool.isnan())  # and nothing else was written
    assert torch.equal(mine.v_pool.isnan(), theirs.v_pool.isnan())


@needs_triton
def test_many_tokens_take_larger_blocks(random, monkeypatch):
    monkeypatch.setattr(triton_fused, "_FEW", 2)
    mine = moved(layer(5, 2, 16, True, random), torch.float32)
    theirs = mine._replace(k_pool=mine.k_pool.clone(), v_pool=mine.v_pool.clone())
    for each, other in zip(triton_fused.rope_store(*mine), fused.rope_store(*theirs), strict=True):
        assert distance(each, other) < 1e-6
    assert torch.equal(mine.slots.sort().values, mine.k_pool[:, 0, 0].isfinite().nonzero()[:, 0])


@needs_triton
def test_tokens_may_share_the_scratch_slot(random):
    mine = moved(layer(2, 1, 16, False, random), torch.float32)
    mine.slots.zero_()
    _, k, _ = triton_fused.rope_store(*mine)
    assert any(torch.equal(mine.k_pool[0], each) for each in k)


# ------------------------------------------------------------------------------------------------------------ sampling

MIXES = [
    SamplingParams(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    for temperature, top_k, top_p, min_p in [
        (1.0, 0, 1.0, 0.0), (0.7, 0, 1.0, 0.05), (1.3, 1, 1.0, 0.0), (1.0, 7, 1.0, 0.0), (2.0, 90, 1.0, 0.0),
        (1.0, 0, 0.9, 0.0), (1.5, 0, 0.999, 0.0), (1.0, 0, 1e-6, 0.0), (0.8, 20, 0.8, 0.0), (3.0, 5, 0.5, 0.2),
        (1.0, 1000, 0.95, 0.01), (1e-4, 0, 0.9, 0.0), (1.0, 3, 0.6, 1.0),
    ]
]  # fmt: skip


def rows(random: np.random.Generator, size: int = 100) -> dict[str, np.ndarray]:
    """Returns logits of every kind: all different, many equal, some excluded, all equal, signs of zero."""
    plain = random.normal(0, 3, size).astype(np.float32)
    holes = np.where(random.random(size) < 0.7, -np.inf, plain).astype(np.float32)
    holes[5] = 1
    zeros = np.where(random.random(size) < 0.5, 0.0, -0.0).astype(np.float32)
    return {"plain": plain, "steps": np.round(plain), "holes": holes, "equal": np.full_like(plain, 2.5), "zeros": zeros}


def columns(params: list[SamplingParams], device: str = "cpu") -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns temperature, top_k, top_p and min_p of rows."""
    each = [[getattr(one, name) for one in params] for name in ("temperature", "top_k", "top_p", "min_p")]
    types = (torch.float32, torch.int32, torch.float64, torch.float32)
    temperature, top_k, top_p, min_p = (
        torch.tensor(values, dtype=dtype, device=device) for values, dtype in zip(each, types, strict=True)
    )
    return temperature, top_k, top_p, min_p


def shares(logits: np.ndarray, params: SamplingParams) -> np.ndarray:
    """Returns the probability of every token, as the engine's own sampling has it."""
    ids, weights = candidates(logits, params)
    shares = np.zeros(logits.size)
    shares[ids] = weights
    return shares / shares.sum()


def test_random_numbers_are_philox():
    zero = torch.zeros(1, dtype=torch.int64)
    wanted = (0x6627E8D5 >> 5 << 26 | 0xE169C58D >> 6) / 2**53  # Random123's known answer for all zeros
    assert fused.uniform(zero, zero).item() == wanted
    many = fused.uniform(torch.full((8000,), -3), torch.arange(8000))
    assert many.min() >= 0 and many.max() < 1
    assert abs(many.mean() - 1 / 2) < 0.01 and abs(many.var() - 1 / 12) < 0.003


@pytest.mark.parametrize("kind", ["plain", "steps", "holes", "equal", "zeros"])
def test_the_reference_keeps_what_the_engine_keeps(kind):
    random = np.random.default_rng(11)
    for _ in range(20):
        logits = rows(random)[kind]
        for params in MIXES:
            temperature, *bounds = columns([params])
            row = torch.from_numpy(logits)[None]
            weights = torch.exp((row - row.max()) / temperature)
            kept = fused.kept(row, weights, *bounds)[0] & (weights[0] > 0)
            assert np.array_equal(kept.numpy(), shares(logits, params) > 0), params


def test_frequencies_are_those_of_the_engine():
    logits = rows(np.random.default_rng(5), 60)["steps"]
    draws = 3_000
    for params in MIXES:
        many = [each[0].expand(draws) for each in columns([params])]
        seeds, counters = torch.full((draws,), 3), torch.arange(draws)
        drawn = fused.sample(torch.from_numpy(logits).expand(draws, -1), *many, seeds, counters)
        wanted = shares(logits, params) * draws
        counts = np.bincount(drawn.numpy(), minlength=logits.size)
        assert (counts[wanted == 0] == 0).all()
        rare = wanted < 5  # of which one class is made
        wanted = np.append(wanted[~rare], wanted[rare].sum())
        counts = np.append(counts[~rare], counts[rare].sum())
        wanted, counts = wanted[wanted > 0], counts[wanted > 0]
        square = ((counts - wanted) ** 2 / wanted).sum()
        degrees = wanted.size - 1
        assert square <= degrees + 5 * (2 * degrees) ** 0.5, params  # five standard deviations


UNIFORM = fused.uniform(torch.full((8000,), 9), torch.arange(8000)).numpy()


def probes(logits: np.ndarray, params: SamplingParams, random: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Yields counters (of seed 9) and the tokens they must give: the last of the kept ones, and any."""
    each = shares(logits, params)
    reach = np.cumsum(each)
    likely = np.flatnonzero(each > 4e-3)
    for token in {likely[-1], random.choice(likely)}:
        inside = (UNIFORM > reach[token] - each[token] + 1e-6) & (UNIFORM < reach[token] - 1e-6)  # noqa: SIM300
        yield int(inside.argmax()), int(token)


@needs_triton
@pytest.mark.parametrize("first", [0, 1])
def test_tokens_are_those_of_the_engines_own_order(first, monkeypatch):
    monkeypatch.setattr(triton_fused, "BLOCK", 64)  # two blocks, the last not full
    random = np.random.default_rng(2 + first)
    kinds = list(rows(random, 100).values())
    cases = []
    for at, params in enumerate(MIXES):
        logits = kinds[(at + 2 * first) % len(kinds)]
        cases += [(logits, params, *probe) for probe in probes(logits, params, random)]
    many = torch.from_numpy(np.stack([each[0] for each in cases])).to(DEVICE)
    counters = torch.tensor([each[2] for each in cases], device=DEVICE)
    found = triton_fused.sample(many, *columns([each[1] for each in cases], DEVICE), counters * 0 + 9, counters)
    assert found.tolist() == [each[3] for each in cases]


@needs_triton
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sampling_from_half_the_bits(dtype, monkeypatch):
    monkeypatch.setattr(triton_fused, "BLOCK", 64)
    logits = torch.from_numpy(np.stack(list(rows(np.random.default_rng(4), 100).values()))).to(dtype).to(DEVICE)
    bounds = columns([MIXES[at] for at in (3, 5, 8, 10, 9)], DEVICE)
    seeds, counters = torch.arange(5, device=DEVICE) - 2, torch.arange(5, device=DEVICE) + (1 << 33)
    found = triton_fused.sample(logits, *bounds, seeds, counters)
    assert torch.equal(found, fused.sample(logits.float(), *bounds, seeds, counters))


@needs_triton
def test_greedy_takes_the_lowest_of_equal_ids(monkeypatch):
    monkeypatch.setattr(triton_fused, "BLOCK", 64)
    logits = torch.zeros(3, 150, device=DEVICE)
    logits[0, [70, 71, 149]] = 1
    logits[1, :] = -torch.inf
    logits[1, 149] = -3
    none = torch.zeros(3, dtype=torch.int64, device=DEVICE)
    bounds = columns([SamplingParams(temperature=0, top_k=5, top_p=0.5)] * 3, DEVICE)
    for each in (fused, triton_fused):
        assert each.sample(logits, None, None, None, None, none, none).tolist() == [70, 149, 0]
        assert each.sample(logits, *bounds, none, none).tolist() == [70, 149, 0]


@needs_triton
def test_bounds_that_nobody_has_may_be_left_out(monkeypatch):
    monkeypatch.setattr(triton_fused, "BLOCK", 64)
    logits = torch.from_numpy(np.stack(list(rows(np.random.default_rng(8), 100).values())))[:2].to(DEVICE)
    temperature, top_k, top_p, min_p = columns([MIXES[10], MIXES[8]], DEVICE)
    seeds, counters = torch.arange(2, device=DEVICE), torch.arange(2, device=DEVICE)
    for bounds in ((None, None, None), (top_k, None, None), (None, top_p, None), (None, None, min_p)):
        found = triton_fused.sample(logits, temperature, *bounds, seeds, counters)
        assert torch.equal(found, fused.sample(logits, temperature, *bounds, seeds, counters))


@needs_triton
def test_a_token_does_not_depend_on_the_rows_beside_it(monkeypatch):
    monkeypatch.setattr(triton_fused, "BLOCK", 64)
    logits = torch.from_numpy(np.stack(list(rows(np.random.default_rng(9), 100).values()))).to(DEVICE)
    bounds = columns([MIXES[at] for at in (0, 3, 5, 8, 9)], DEVICE)
    seeds, counters = torch.arange(5, device=DEVICE), torch.arange(5, device=DEVICE) * 7
    together = triton_fused.sample(logits, *bounds, seeds, counters)
    for row in (1, 4):
        mine = [each[row : row + 1] for each in (logits, *bounds, seeds, counters)]
        assert triton_fused.sample(*mine).item() == together[row].item()
