"""Triton's extend and decode against float64, in the interpreter where there is no CUDA device."""

from __future__ import annotations

import pytest
import torch

from radixchat.kernels import attention as reference

from .dense import DEVICE, Case, close, needs_triton

triton = pytest.importorskip("triton")

from radixchat.kernels import triton_attention as kernels  # noqa: E402

pytestmark = needs_triton

F32, F16 = torch.float32, torch.float16

EXTENDS = [(1, 31), (32, 33), (63, 64), (65, 1), (1, 0), (40, 0)]
"""(new, prefix): ragged, around powers of two, with an empty prefix, with one new token."""

PREFIXES = [0, 31, 32, 33, 63, 64, 65, 200]

HEADS = [  # group, KV heads, head dimension, type
    (1, 3, 16, F32),
    (1, 1, 256, F16),
    (2, 2, 64, F16),
    (3, 1, 80, F32),
    (4, 2, 96, F16),
    (7, 1, 128, F32),
    (7, 2, 64, F16),
    (8, 1, 8, F32),
    (16, 1, 256, F32),
    (17, 2, 32, F16),
    (32, 1, 48, F32),
]


def decode(case, max_splits=1, **options):
    batch = case.batch
    starts = batch.kv_indptr[:-1].long()
    return kernels.decode(
        *case.tensors, batch.kv_indices, starts, batch.prefix_lens, case.scale, max_splits=max_splits, **options
    )


def extend(case, **options):
    return kernels.extend(*case.tensors, case.batch, case.scale, **options)


@pytest.mark.parametrize(("dtype", "by_head"), [(F32, False), (F32, True), (F16, False)])
def test_extend_over_ragged_lengths(dtype, by_head):
    case = Case(EXTENDS, dtype=dtype, by_head=by_head)
    close(extend(case), case.expected(), dtype)


@pytest.mark.parametrize(("splits", "dtype"), [(2, F32), (4, F16), (7, F32)])
def test_extend_of_short_suffixes_splits_the_prefix(splits, dtype):
    case = Case([(2, 200), (1, 64), (3, 0), (1, 130), (5, 65)], dtype=dtype)
    close(extend(case, max_splits=splits), case.expected(), dtype)


@pytest.mark.parametrize(
    ("splits", "dtype", "by_head"),
    [(1, F32, False), (1, F16, True), (2, F32, True), (4, F16, False), (4, F32, False), (16, F32, False)],
)
def test_decode_over_ragged_lengths(splits, dtype, by_head):
    """Of 4 splits 200 tokens fill all, 65 two and 64 one; of 16 most are empty."""
    case = Case([(1, prefix) for prefix in PREFIXES], dtype=dtype, by_head=by_head)
    close(decode(case, splits), case.expected(), dtype)


@pytest.mark.parametrize(("group", "kv_heads", "dim", "dtype"), HEADS)
def test_groups_and_head_dimensions(group, kv_heads, dim, dtype):
    case = Case([(1, 70), (1, 3)], group, kv_heads, dim, dtype)
    close(decode(case, 2), case.expected(), dtype)
    close(decode(case), case.expected(), dtype)
    case = Case([(6, 35), (2, 0)], group, kv_heads, dim, dtype)
    close(extend(case), case.expected(), dtype)


def test_a_group_takes_several_tiles_of_an_extend():
    case = Case([(5, 66)], group=17, kv_heads=1)
    close(extend(case, max_splits=2), case.expected())


@pytest.mark.parametrize("splits", [1, 2])
def test_softcap(splits):
    case = Case([(1, 70), (1, 0)])
    close(decode(case, splits, softcap=0.5), case.expected(0.5))
    case = Case([(3, 70), (2, 0)])
    close(extend(case, max_splits=splits, softcap=0.5), case.expected(0.5))


def test_scores_far_beyond_the_cap_or_of_any_size_do_no_harm():
    case = Case([(1, 40), (1, 70)])
    case.scale = 300.0  # scores of some thousands have no more than three digits behind the point
    close(decode(case, 2, softcap=2.0), case.expected(2.0), tolerance=1e-4)
    close(extend(case), case.expected(), tolerance=1e-4)


@pytest.mark.parametrize("layout", ["slices", "by head", "by number"])
def test_queries_and_new_tokens_may_have_any_strides(layout):
    case = Case([(1, 70), (1, 5), (1, 0)], layout=layout)
    assert not case.q.is_contiguous()
    close(decode(case, 2), case.expected())
    case = Case([(4, 70), (3, 0)], layout=layout)
    close(extend(case, max_splits=2), case.expected())


def test_new_tokens_may_share_the_scratch_slot():
    """Whatever the slots of new tokens hold: they are not read."""
    for shapes, run in (([(1, 12), (1, 20), (1, 0)], decode), ([(1, 12), (3, 9), (2, 0)], extend)):
        case = Case(shapes)
        for places in case.slots:
            places[-1] = reference.SCRATCH
        case.batch = reference.RaggedBatch.build([new for new, _ in shapes], case.slots, DEVICE)
        close(run(case), case.expected())


def test_the_same_as_the_torch_reference():
    case = Case(EXTENDS)
    found = extend(case)
    reference.write(case.k, case.v, case.k_pool, case.v_pool, case.batch)
    close(reference.extend(*case.tensors, case.batch, case.scale), found.double())


def test_what_a_batch_needs_is_made_once():
    case = Case([(20, 9), (2, 70)], kv_heads=1)
    extend(case, max_splits=2)
    made = dict(case.batch.buffers)
    extend(case, max_splits=2)
    assert made and all(case.batch.buffers[key] is each for key, each in made.items())
    tiles = made["tiles", 32, 2]  # in fp32: 16 tokens by 2 heads
    assert tiles.tolist() == [[1, 0], [0, 32], [0, 0]], "those with the most keys first"
    assert not {"groups", "alone"} & set(vars(case.batch)), "only the torch reference asks for these"


def test_one_split_is_one_launch(monkeypatch):
    monkeypatch.setattr(kernels, "_merge", None)
    case = Case([(1, 90), (1, 0)])
    close(decode(case, 1), case.expected())
    case = Case([(9, 90), (2, 0)])
    close(extend(case), case.expected())
    with pytest.raises(TypeError):
        decode(Case([(1, 90)]), 2)


def test_decode_over_static_buffers_as_a_graph_replays_it():
    """A table of slots with garbage behind each prefix, and buffers full of NaN; then other lengths in the same."""
    case = Case([(1, prefix) for prefix in (70, 5, 130)])
    table = torch.full((3, 256), 10**9, dtype=torch.int32, device=DEVICE)
    for row, places in zip(table, case.slots, strict=True):
        row[: places.size - 1] = torch.from_numpy(places[:-1])
    starts, lengths = torch.arange(3, device=DEVICE) * 256, case.batch.prefix_lens.clone()
    out = torch.full_like(case.q, torch.nan)
    partial = [torch.full(shape, torch.nan, device=DEVICE) for shape in ((3, 4, 8, 16), (3, 4, 8))]

    def replay():
        return kernels.decode(
            *case.tensors, table.view(-1), starts, lengths, case.scale, max_splits=8, out=out, partial=tuple(partial)
        )

    assert replay() is out
    close(out, case.expected())
    shorter = [3, 0, 65]
    lengths.copy_(torch.tensor(shorter))
    case.sequences = [
        (q, torch.cat([k[:n], k[-1:]]), torch.cat([v[:n], v[-1:]]))
        for (q, k, v), n in zip(case.sequences, shorter, strict=True)
    ]
    close(replay(), case.expected())


def test_the_number_of_splits():
    assert kernels.splits(1, 2, 1000) == 8
    assert kernels.splits(1, 2, 32_000) == kernels.splits(1, 2, 16_000) == 128
    assert kernels.splits(1, 2, 0) == kernels.splits(64, 8, 8000) == 1
    assert kernels.splits(64, 2, 8000) == 2 and kernels.splits(8, 3, 8000) == 8
    assert kernels.extend_splits(140, 9000) == kernels.extend_splits(1, 0) == kernels.extend_splits(1, 256) == 1
    assert kernels.extend_splits(8, 9000) == 33 and kernels.extend_splits(8, 1000) == 4


def test_what_the_kernels_refuse():
    case = Case([(1, 5)])
    pools = (pool.transpose(1, 2).contiguous().transpose(1, 2) for pool in (case.k_pool, case.v_pool))
    with pytest.raises(ValueError, match="side by side"):
        kernels.extend(case.q, case.k, case.v, *pools, case.batch, 1.0)
    with pytest.raises(ValueError, match=r"head dimension of 272 .* 256"):
        extend(Case([(1, 5)], dim=272))


@pytest.mark.parametrize(("capability", "tiles"), [((8, 9), 8), ((9, 0), 9), ((10, 0), 10), ((12, 0), 8), ((12, 1), 8)])
def test_whose_tiles_a_card_takes(capability, tiles, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert kernels.major.__wrapped__(torch.device("cuda")) == tiles


@pytest.mark.parametrize("table", [kernels.DECODE_TILES, kernels.EXTEND_TILES, kernels.SHORT_TILES])
def test_devices_between_and_beyond_the_table_take_the_next_older_tile(table):
    assert kernels.tile(table, 10, 64, 2) == table[9][64]
    assert kernels.tile(table, 7, 8, 2) == table[8][64]
    assert kernels.tile(table, 9, 80, 2) == table[9][128]
