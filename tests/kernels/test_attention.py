"""Extend and decode against plain attention in float64, over pools whose other slots are poisoned."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radixchat.kernels import attention
from radixchat.kernels.attention import RaggedBatch, extend, new_pool, write

SLOTS = 420
TOLERANCE = {torch.float32: 2e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}

EXTENDS = [(1, 31), (32, 33), (63, 64), (65, 1), (1, 0), (40, 0)]
"""(new, prefix): ragged, around powers of two, with an empty prefix, with one new token."""

DECODES = [(1, 30), (1, 31), (1, 32), (1, 63), (1, 64), (1, 0)]


class Case:
    """Sequences whose prefixes are in a pool; all slots that are nobody's hold NaN."""

    def __init__(
        self, shapes, heads=4, kv_heads=2, dim=16, dtype=torch.float32, slots="scattered", scale=0.25, by_head=True
    ):
        self.shapes, self.scale = shapes, scale
        draw = torch.Generator().manual_seed(dim)
        lengths = [new + prefix for new, prefix in shapes]
        self.slots = _places(lengths, slots)
        self.k = [torch.randn(length, kv_heads, dim, generator=draw).to(dtype) for length in lengths]
        self.v = [torch.randn(length, kv_heads, dim, generator=draw).to(dtype) for length in lengths]
        self.q = [torch.randn(new, heads, dim, generator=draw).to(dtype) for new, _ in shapes]
        make = new_pool if by_head else _token_major
        self.k_pool, self.v_pool = (make(SLOTS, kv_heads, dim, dtype, "cpu").fill_(torch.nan) for _ in range(2))
        for places, k, v, (_, prefix) in zip(self.slots, self.k, self.v, shapes, strict=True):
            taken = torch.from_numpy(places[:prefix]).long()
            self.k_pool[taken], self.v_pool[taken] = k[:prefix], v[:prefix]
        self.batch = RaggedBatch.build([new for new, _ in shapes], self.slots)

    def run(self, **options):
        q = torch.cat(self.q)
        k, v = (torch.cat([each[p:] for each, (_, p) in zip(x, self.shapes, strict=True)]) for x in (self.k, self.v))
        write(k, v, self.k_pool, self.v_pool, self.batch)
        return extend(q, k, v, self.k_pool, self.v_pool, self.batch, self.scale, **options)

    def expected(self, softcap=None):
        return torch.cat([_dense(*each, self.scale, softcap) for each in zip(self.q, self.k, self.v, strict=True)])


def _places(lengths, kind):
    """Returns the slots of each sequence: shuffled over the pool, in a few runs each, or in one run each."""
    if kind == "pieces":  # the second halves of all sequences lie behind all the first ones, the last sequence foremost
        halves = [(length // 2, length - length // 2) for length in lengths]
        order = [*(half for half, _ in halves[::-1]), *(half for _, half in halves)]
        runs = _places(order, "runs")
        return [np.concatenate(pair) for pair in zip(runs[: len(lengths)][::-1], runs[len(lengths) :], strict=True)]
    if kind == "scattered":
        order = np.random.default_rng(0).permutation(np.arange(1, SLOTS)).astype(np.int32)
        return np.split(order[: sum(lengths)], np.cumsum(lengths)[:-1])
    starts = 1 + np.cumsum([0, *lengths[:-1]]) + 3 * np.arange(len(lengths))
    return [np.arange(start, start + length, dtype=np.int32) for start, length in zip(starts, lengths, strict=True)]


def _token_major(slots, kv_heads, dim, dtype, device):
    return torch.empty(slots, kv_heads, dim, dtype=dtype, device=device)


def _dense(q, k, v, scale, softcap):
    new, group = q.shape[0], q.shape[1] // k.shape[1]
    q, k, v = q.double(), k.double().repeat_interleave(group, 1), v.double().repeat_interleave(group, 1)
    scores = torch.einsum("nhd,shd->hns", q, k) * scale
    if softcap:
        scores = softcap * torch.tanh(scores / softcap)
    hidden = torch.ones(new, k.shape[0], dtype=torch.bool).triu(k.shape[0] - new + 1)
    return torch.einsum("hns,shd->nhd", scores.masked_fill(hidden, -torch.inf).softmax(-1), v)


def assert_close(case, result, softcap=None):
    expected = case.expected(softcap)
    assert result.shape == expected.shape and result.dtype == case.k_pool.dtype
    error = (result.double() - expected).abs().max() / expected.abs().max()
    assert error <= TOLERANCE[result.dtype]


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("by_head", [True, False], ids=["by head", "by token"])
@pytest.mark.parametrize("slots", ["scattered", "pieces", "runs"])
def test_extend_over_ragged_lengths(slots, by_head, dtype):
    case = Case(EXTENDS, slots=slots, dtype=dtype, by_head=by_head)
    assert_close(case, case.run())


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("by_head", [True, False], ids=["by head", "by token"])
@pytest.mark.parametrize("slots", ["scattered", "pieces", "runs"])
def test_decode_over_ragged_lengths(slots, by_head, dtype):
    case = Case(DECODES, slots=slots, dtype=dtype, by_head=by_head)
    assert case.batch.decodes
    assert_close(case, case.run())


@pytest.mark.parametrize("by_head", [True, False], ids=["by head", "by token"])
@pytest.mark.parametrize("group", [1, 3])
@pytest.mark.parametrize("slots", ["pieces", "runs"])
@pytest.mark.parametrize("prefix", [2, 33, 200])
def test_one_new_token_attends_where_keys_lie(prefix, slots, group, by_head, monkeypatch):
    """The same, run by run, with nothing brought together."""
    monkeypatch.setattr(attention, "RUN", 1)
    monkeypatch.setattr(attention, "PLACE", 1)
    monkeypatch.setattr(attention, "_attend", None)
    case = Case([(1, prefix)], heads=2 * group, slots=slots, by_head=by_head)
    assert len(case.batch.spans[0].parts) == (2 if slots == "pieces" else 0)
    assert_close(case, case.run())


@pytest.mark.parametrize("dim", [16, 64, 80, 96, 128, 256])
@pytest.mark.parametrize("slots", ["scattered", "runs"])
def test_head_dimensions(dim, slots):
    case = Case([(5, 40), (1, 33)], dim=dim, slots=slots, scale=dim**-0.5)
    assert_close(case, case.run())


@pytest.mark.parametrize("group", [1, 2, 4, 7, 8])
@pytest.mark.parametrize("kv_heads", [1, 3])
@pytest.mark.parametrize("shapes", [[(7, 33), (4, 0)], [(1, 33), (1, 64)]], ids=["extend", "decode"])
def test_groups_of_queries(group, kv_heads, shapes):
    case = Case(shapes, heads=group * kv_heads, kv_heads=kv_heads)
    assert_close(case, case.run())


@pytest.mark.parametrize("shapes", [EXTENDS, DECODES], ids=["extend", "decode"])
def test_softcap(shapes):
    case = Case(shapes)
    assert_close(case, case.run(softcap=3.0), softcap=3.0)


def test_sequences_of_one_new_token_attend_together_when_they_are_about_as_long():
    case = Case([(1, 30), (5, 40), (1, 100), (1, 50), (1, 3)], slots="scattered")
    assert [group.rows.tolist() for group in case.batch.groups] == [[6, 7]]
    assert [span.first for span in case.batch.alone] == [0, 1, 8]
    assert_close(case, case.run())


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("by_head", [True, False], ids=["by head", "by token"])
@pytest.mark.parametrize("shapes", [[(1, 31)] * 5, [(1, 20), (7, 9), (1, 39), (1, 33)]], ids=["equal", "padded"])
def test_groups_in_a_mixed_batch(shapes, by_head, dtype):
    case = Case(shapes, dtype=dtype, by_head=by_head)
    assert case.batch.groups
    assert_close(case, case.run())


def test_a_long_run_is_attended_where_it_lies():
    runs = [np.arange(start, start + 1100, dtype=np.int32) for start in (1, 2000)]
    assert not RaggedBatch.build([1, 1], runs).groups
    assert RaggedBatch.build([1, 1], [each[:1000] for each in runs]).groups


def test_sequences_may_share_the_scratch_slot():
    shapes = [(1, 12), (1, 20), (1, 0), (3, 9)]
    case = Case(shapes, slots="runs")
    for places in case.slots:
        places[-1] = 0
    case.batch = RaggedBatch.build([new for new, _ in shapes], case.slots)
    assert_close(case, case.run())


def test_sequences_may_share_a_prefix():
    case = Case([(2, 30), (1, 30)], slots="runs")
    case.slots[1] = np.append(case.slots[0][:30], np.int32(90))
    case.k[1][:30], case.v[1][:30] = case.k[0][:30], case.v[0][:30]
    case.batch = RaggedBatch.build([2, 1], case.slots)
    assert_close(case, case.run())


def test_a_run_is_a_view_of_the_pool():
    case = Case([(4, 60)], slots="runs")
    assert case.batch.spans[0].run == 1 and case.batch.write_run == 61
    assert Case([(4, 60)]).batch.spans[0].run is None


def test_a_few_runs_are_kept_as_runs():
    slots = np.concatenate([np.arange(200, 300), np.arange(100), [400]]).astype(np.int32)
    span = RaggedBatch.build([1], [slots]).spans[0]
    assert span.run is None and span.parts == (slice(200, 300), slice(0, 100))
    assert RaggedBatch.build([1], [slots[::-1].copy()]).spans[0].parts == ()


def test_descending_slots_are_no_run():
    batch = RaggedBatch.build([1], [np.array([4, 3, 2], dtype=np.int32)])
    assert batch.spans[0].run is None


def test_write_stores_new_tokens_and_touches_nothing_else():
    case = Case([(3, 4), (2, 0)])
    before = case.k_pool.clone()
    case.run()
    written = np.concatenate([places[-new:] for places, (new, _) in zip(case.slots, case.shapes, strict=True)])
    others = np.setdiff1d(np.arange(SLOTS), written)
    assert torch.equal(case.k_pool[written], torch.cat([case.k[0][4:], case.k[1]]))
    assert torch.equal(case.k_pool[others].isnan(), before[others].isnan())


def test_the_description_of_a_batch():
    slots = [np.array([7, 3, 9], dtype=np.int32), np.array([5, 6], dtype=np.int32)]
    batch = RaggedBatch.build([1, 2], slots)
    assert batch.qo_indptr.tolist() == [0, 1, 3]
    assert batch.kv_indptr.tolist() == [0, 3, 5]
    assert batch.kv_indices.tolist() == [7, 3, 9, 5, 6]
    assert batch.prefix_lens.tolist() == [2, 0]
    assert batch.write_slots.tolist() == [9, 5, 6]
    assert not batch.decodes
