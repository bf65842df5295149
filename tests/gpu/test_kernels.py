"""Every kernel at the sizes of real models, against float64 by relative norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from radixchat.kernels import fused, tree_attention, triton_attention, triton_fused, triton_tree  # noqa: E402

from .scene import BF16, BOUND, CASES, DEVICE, DRY, F16, F32, HEADS, Scene, distance, marks, normal, size  # noqa: E402

pytestmark = marks

TYPES = [F16, F32] if DRY else [BF16, F16, F32]

by_type = pytest.mark.parametrize("dtype", TYPES, ids=lambda each: str(each).removeprefix("torch."))
by_model = pytest.mark.parametrize(
    ("model", "dtype"), CASES, ids=[f"{model}-{str(dtype).removeprefix('torch.')}" for model, dtype in CASES]
)


# ------------------------------------------------------------------------------------------------- small operations


@by_type
@pytest.mark.parametrize("hidden", [576, 896, 1024, 2048])
def test_norms(hidden, dtype):
    weight = normal(hidden, dtype=dtype, seed=9)
    for rows in (1, size(2000, 2)):
        x, residual = (normal(rows, hidden, dtype=dtype, seed=each) for each in (1, 2))
        for other in (residual, None):
            found, total = triton_fused.add_rms_norm(x, other, weight, 1e-6)
            assert torch.equal(total, x if other is None else x + other)
            wide = total.double()
            wanted = wide / (wide.square().mean(-1, keepdim=True) + 1e-6).sqrt() * weight.double()
            assert found.dtype == dtype and distance(found, wanted) < BOUND[dtype]


@by_type
@pytest.mark.parametrize("width", [1536, 4864, 8192])
def test_gated_activations(width, dtype):
    for rows in (1, size(2000, 2)):
        gate_up = 3 * normal(rows, 2 * width, dtype=dtype)
        gate, up = gate_up.double().chunk(2, -1)
        found = triton_fused.silu_mul(gate_up)
        assert found.dtype == dtype and distance(found, gate * gate.sigmoid() * up) < BOUND[dtype]


@by_model
@pytest.mark.parametrize("norm", [False, True])
def test_rotating_and_storing(model, norm, dtype):
    heads, kv_heads, dim = HEADS[model]
    context, slots = 4096, size(20_000, 60)
    angles = torch.arange(context, device=DEVICE)[:, None] * 10.0 ** -torch.linspace(0, 4, dim // 2, device=DEVICE)
    table = torch.cat([angles.cos(), angles.sin()], -1)
    weights = [normal(dim, dtype=dtype, seed=each) if norm else None for each in (7, 8)]
    for tokens in (1, 5, size(3000, 6)):
        qkv = normal(tokens, (heads + 2 * kv_heads) * dim, dtype=dtype)
        positions = torch.from_numpy(np.random.default_rng(0).integers(0, context, tokens)).to(DEVICE)
        places = torch.from_numpy(np.random.default_rng(1).permutation(slots)[:tokens]).to(DEVICE)
        pools = [torch.full((slots, kv_heads, dim), torch.nan, dtype=dtype, device=DEVICE) for _ in range(2)]
        found = triton_fused.rope_store(qkv, positions, fused.Rope(table, heads, kv_heads, *weights), *pools, places)
        parts = qkv.double().view(tokens, -1, dim).split([heads, kv_heads, kv_heads], 1)
        cos, sin = table.double()[positions][:, None].chunk(2, -1)
        for each, x, weight in zip(found, parts, [*weights, None], strict=True):
            if weight is not None:
                x = x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * weight.double()
            one, two = x.chunk(2, -1)
            wanted = x if x is parts[2] else torch.cat([one * cos - two * sin, two * cos + one * sin], -1)
            assert each.dtype == dtype and distance(each, wanted) < BOUND[dtype]
        for pool, each in zip(pools, found[1:], strict=True):
            assert torch.equal(pool[places], each)
            assert int(pool.isfinite().sum()) == each.numel()  # and nothing else was written


# --------------------------------------------------------------------------------------------------------- attention

PREFIXES = [0, 1, 31, 32, 33, 63, 64, 65, 200] if DRY else [0, 1, 31, 32, 33, 63, 64, 65, 127, 1000, 4097, 8192]
EXTENDS = (
    [[(20, 0)], [(3, 70), (17, 33)]]
    if DRY
    else [[(512, 0)], [(33, 4097), (1, 8192), (200, 31), (64, 64), (5, 0)], [(2048, 2048)], [(16, 16_000)]]
)


def decode(scene: Scene, splits: int, **options: Any) -> torch.Tensor:
    batch = scene.batch
    starts = batch.kv_indptr[:-1].long()
    places = (batch.kv_indices, starts, batch.prefix_lens)
    return triton_attention.decode(*scene.tensors, *places, scene.scale, max_splits=splits, **options)


@by_model
def test_decode(model, dtype):
    heads = HEADS[model]
    scene = Scene([(1, prefix) for prefix in PREFIXES], heads, dtype)
    wanted = scene.expected()
    chosen = triton_attention.splits(1, heads[1], max(PREFIXES))
    for splits in (1, 4) if DRY else (1, 2, 8, 64, chosen):
        assert distance(decode(scene, splits), wanted) < BOUND[dtype], splits


@by_model
def test_extend(model, dtype):
    for shapes in EXTENDS:
        scene = Scene(shapes, HEADS[model], dtype)
        found = triton_attention.extend(*scene.tensors, scene.batch, scene.scale)
        assert distance(found, scene.expected()) < BOUND[dtype], shapes


@by_model
def test_decode_over_shared_prefixes(model, dtype):
    heads, kv_heads, _ = HEADS[model]
    requests, shared = size(24, 5), size(4096, 128)
    scene = Scene([(1, shared + 7 * each) for each in range(requests)], HEADS[model], dtype, shared)
    prefixes = [slots[:-1] for slots in scene.slots]
    plan = tree_attention.plan(prefixes, min_rows=2, min_tokens=64, group=heads // kv_heads, kv_heads=kv_heads)
    assert plan.shared
    found = triton_tree.decode_shared(*scene.tensors, plan, scene.scale)
    assert distance(found, scene.expected()) < BOUND[dtype]


@pytest.mark.skipif(DRY, reason="13 GB")
def test_pools_of_more_than_2_to_the_31_numbers():
    heads, dtype = (16, 8, 128), BF16
    slots = 2**31 // (heads[1] * heads[2]) + 1_000_000
    for shapes in ([(1, 3000), (1, 40), (1, 0)], [(60, 2000), (9, 0)]):
        scene = Scene(shapes, heads, dtype, slots=slots)
        assert scene.k_pool.numel() > 2**31 and min(int(each.min()) for each in scene.slots) * 8 * 128 > 2**31
        found = [triton_attention.extend(*scene.tensors, scene.batch, scene.scale)]
        if scene.batch.decodes:
            found += [decode(scene, splits) for splits in (1, 8)]
            plan = tree_attention.plan([each[:-1] for each in scene.slots])
            found.append(triton_tree.decode_shared(*scene.tensors, plan, scene.scale))
        for each in found:
            assert distance(each, scene.expected()) < BOUND[dtype]
        del scene
    table = torch.ones(8, 128, device=DEVICE)
    pools = [torch.zeros(slots, 8, 128, dtype=dtype, device=DEVICE) for _ in range(2)]
    qkv = normal(2, 32 * 128, dtype=dtype)
    places = torch.tensor([slots - 1, slots - 7], device=DEVICE)
    _, k, v = triton_fused.rope_store(qkv, places % 8, fused.Rope(table, 16, 8), *pools, places)
    assert torch.equal(pools[0][places], k) and torch.equal(pools[1][places], v)


# ---------------------------------------------------------------------------------------------------------- sampling

MIXES = [  # temperature, top-k, top-p, min-p
    (0.0, 0, 1.0, 0.0), (1.0, 0, 1.0, 0.0), (0.7, 40, 1.0, 0.0), (1.0, 0, 0.9, 0.0), (1.5, 0, 0.999, 0.0),
    (0.8, 200, 0.95, 0.02), (1.0, 0, 1.0, 0.1), (3.0, 1, 1.0, 0.0), (1.0, 5000, 0.5, 0.0),
]  # fmt: skip


def rows(vocabulary: int, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    """Returns logits, a row for each mix, and everything else that `sample` takes."""
    logits = 2.5 * normal(len(MIXES), vocabulary, dtype=dtype, seed=5)
    logits[2::3, ::7] = -torch.inf
    types = (torch.float32, torch.int32, torch.float64, torch.float32)
    columns = zip(zip(*MIXES, strict=True), types, strict=True)
    bounds = [torch.tensor(column, dtype=dtype, device=DEVICE) for column, dtype in columns]
    seeds = torch.arange(len(MIXES), device=DEVICE) * 12345
    return logits, *bounds, seeds, torch.zeros_like(seeds)


def check(tokens: torch.Tensor, arguments: tuple[torch.Tensor, ...]) -> None:
    """Asserts that each token is the one at its random number, to within rounding of the sums."""
    logits, temperature, *bounds, seeds, counters = arguments
    wide = logits.float()
    weights = torch.exp((wide - wide.amax(-1, keepdim=True)) / torch.where(temperature == 0, 1, temperature)[:, None])
    weights = torch.where(fused.kept(wide, weights, *bounds), weights, 0).double()
    reach = weights.cumsum(-1) / weights.sum(-1, keepdim=True)
    place = fused.uniform(seeds, counters)
    low = (reach - weights / weights.sum(-1, keepdim=True)).gather(1, tokens[:, None])[:, 0]
    high = reach.gather(1, tokens[:, None])[:, 0]
    right = (low - 3e-5 <= place) & (place <= high + 3e-5) & (weights.gather(1, tokens[:, None])[:, 0] > 0)
    assert torch.where(temperature == 0, tokens == wide.argmax(-1), right).all(), (tokens, low, place, high)


@by_type
@pytest.mark.parametrize("vocabulary", [300] if DRY else [151_936, 49_152, 128_256, 262_144])
def test_sampling(vocabulary, dtype):
    arguments = rows(vocabulary, dtype)
    for counter in range(size(20, 2)):
        arguments[-1].fill_(counter)
        tokens = triton_fused.sample(*arguments)
        check(tokens, arguments)
    for row in range(0, len(MIXES), size(1, 4)):
        alone = triton_fused.sample(*(each[row : row + 1] for each in arguments))
        assert alone.item() == tokens[row].item()  # whoever else is in the batch


@by_type
def test_greedy_sampling_takes_the_first_of_equals(dtype):
    logits = torch.zeros(3, size(151_936, 3000), dtype=dtype, device=DEVICE)
    logits[1, [2500, 2600]] = 1
    logits[2] = -torch.inf
    logits[2, -1] = -7
    none = torch.zeros(3, dtype=torch.int64, device=DEVICE)
    found = triton_fused.sample(logits, None, None, None, None, none, none)
    assert found.tolist() == [0, 2500, logits.shape[1] - 1]


# ------------------------------------------------------------------------------------------------------------ graphs


@pytest.mark.skipif(DRY, reason="needs CUDA graphs")
def test_sampling_in_a_graph():
    arguments = rows(151_936, BF16)
    triton_fused.sample(*arguments)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        tokens = triton_fused.sample(*arguments)
    seen = set()
    for counter in range(5):
        arguments[0].copy_(arguments[0].roll(counter, dims=1))
        arguments[-1].fill_(counter)
        graph.replay()
        check(tokens, arguments)
        assert torch.equal(tokens, triton_fused.sample(*arguments))
        seen.add(tuple(tokens.tolist()))
    assert len(seen) == 5


@pytest.mark.skipif(DRY, reason="needs CUDA graphs")
def test_decode_in_a_graph_that_sees_other_lengths():
    prefixes = [5000, 70, 0, 3000]
    scene = Scene([(1, prefix) for prefix in prefixes], (14, 2, 64), BF16)
    table = torch.zeros(4, 8192, dtype=torch.int32, device=DEVICE)
    for row, slots in zip(table, scene.slots, strict=True):
        row[: slots.size - 1] = torch.from_numpy(slots[:-1])
    starts, lengths = torch.arange(4, device=DEVICE) * 8192, scene.batch.prefix_lens.clone()

    def step() -> torch.Tensor:
        return triton_attention.decode(*scene.tensors, table.view(-1), starts, lengths, scene.scale, max_splits=32)

    step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = step()
    for shapes in (prefixes, [70, 1, 0, 64], [4999, 65, 0, 2048]):
        lengths.copy_(torch.tensor(shapes))
        graph.replay()
        scene.shapes = [(1, each) for each in shapes]
        assert distance(found, scene.expected()) < BOUND[BF16]
