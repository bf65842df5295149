"""The runner against transformers' own forward, and what it promises of its pool."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from radixchat.chat.engine.loading import load_model
from radixchat.chat.engine.params import SamplingParams
from radixchat.chat.engine.runner import Sampler, Work
from radixchat.chat.engine.torch_runner import TorchRunner
from radixchat.kernels.attention import RaggedBatch, extend, new_pool, write

ARCHITECTURES = (
    "llama", "qwen2", "qwen3", "mistral", "gemma", "gemma2", "gemma3_text", "smollm3", "phi3", "gpt2"
)  # fmt: skip
LENGTH = 120
SLOTS = 400
BOUND = 1e-4


def greedy():
    return (Sampler(SamplingParams(temperature=0)),)


def scattered(seed=0):
    return np.random.default_rng(seed).permutation(np.arange(1, SLOTS + 1)).astype(np.int32)


def run(start=1):
    return np.arange(start, start + LENGTH, dtype=np.int32)


@pytest.fixture(scope="module")
def loaded(tiny):
    """Returns a loaded model; each is loaded once."""
    models = {}

    def loaded(arch="llama"):
        if arch not in models:
            models[arch] = load_model(tiny(arch))
        return models[arch]

    return loaded


@pytest.fixture(scope="module")
def reference(tiny):
    """Returns token ids and transformers' own logits at each of them, ``[LENGTH, vocabulary]``."""
    known = {}

    def reference(arch="llama", seed=0):
        if (arch, seed) not in known:
            ids = np.random.default_rng(seed).integers(4, 300, LENGTH).astype(np.int32)
            model = AutoModelForCausalLM.from_pretrained(tiny(arch), dtype=torch.float32, attn_implementation="eager")
            with torch.no_grad():
                known[arch, seed] = ids, model(torch.from_numpy(ids).long()[None], use_cache=False).logits[0].numpy()
        return known[arch, seed]

    return reference


def assert_same(logits, expected):
    assert np.abs(logits - expected).max() <= BOUND * np.abs(expected).max()


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("slots", [run(), scattered()], ids=["run", "scattered"])
def test_cold_in_chunks_equals_transformers(arch, slots, loaded, reference):
    ids, expected = reference(arch)
    runner = TorchRunner(loaded(arch), SLOTS)
    for start, end in ((0, 33), (33, 97), (97, 119), (119, 120)):
        assert_same(runner.logits(Work(ids[start:end], start, slots[:end])), expected[end - 1])


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_ragged_batch_equals_transformers(arch, loaded, reference, monkeypatch):
    """Extends and decodes in one batch: two requests share a scattered prefix, another has its own."""
    (ids, expected), (others, expected_others) = reference(arch), reference(arch, seed=1)
    runner = TorchRunner(loaded(arch), SLOTS)
    free = scattered(1)
    shared, own = free[:64], free[64:100]
    runner.step([Work(ids[:64], 0, shared), Work(others[:36], 0, own)])
    rows = capture(runner, monkeypatch)
    runner.step(
        [
            Work(ids[64:65], 64, np.append(shared, free[100:101]), greedy()),
            Work(others[36:80], 36, np.append(own, free[110:154])),
            Work(ids[64:90], 64, np.append(shared, free[160:186]), greedy()),
            Work(others[:1], 0, free[200:201], greedy()),
        ]
    )
    for row, wanted in zip(rows, (expected[64], expected[89], expected_others[0]), strict=True):
        assert_same(row, wanted)


def test_what_is_wrong_with_a_sequence_stays_with_it():
    """Sequences that end in the scratch slot and attend together, padded: one with NaN spoils no other."""
    heads, dim = 2, 8
    k_pool, v_pool = (new_pool(20, heads, dim, torch.float32, "cpu").normal_() for _ in range(2))
    slots = [np.array(each, dtype=np.int32) for each in ([1, 2, 3, 4, 5, 6], [1, 2, 3, 0], [1, 2, 3, 7, 0], [0])]
    batch = RaggedBatch.build([1] * len(slots), slots)
    for bad in range(len(slots)):
        q, k, v = (torch.randn(len(slots), heads, dim) for _ in range(3))
        k[bad] = v[bad] = torch.nan
        write(k, v, k_pool, v_pool, batch)
        spoilt = extend(q, k, v, k_pool, v_pool, batch, 1.0).isnan().flatten(1).any(1)
        assert spoilt.nonzero().flatten().tolist() == [bad]


def capture(runner, monkeypatch):
    """Returns a list that receives the logits of every sampled position."""
    rows = []

    def sample(row, sampler):
        rows.append(row)
        return int(row.argmax())

    monkeypatch.setattr("radixchat.chat.engine.torch_runner.sample", sample)
    return rows


def test_greedy_decoding_takes_the_likeliest_token_of_the_whole_text(loaded, reference):
    ids, _ = reference()
    runner, slots = TorchRunner(loaded(), SLOTS), scattered()
    tokens, start = list(ids[:20]), 0
    for _ in range(12):
        whole = runner.sibling(SLOTS).logits(Work(np.array(tokens, np.int32), 0, run()[: len(tokens)]))
        ((token,),) = runner.step([Work(np.array(tokens[start:], np.int32), start, slots[: len(tokens)], greedy())])
        assert token == whole.argmax()
        start = len(tokens)
        tokens.append(token)


def test_works_may_share_the_scratch_slot(loaded, reference, monkeypatch):
    (ids, expected), (others, expected_others) = reference(), reference(seed=1)
    runner = TorchRunner(loaded(), SLOTS)
    one, two = run(1)[:50], run(60)[:40]
    runner.step([Work(ids[:50], 0, one), Work(others[:40], 0, two)])
    rows = capture(runner, monkeypatch)
    again = [
        Work(ids[49:50], 49, np.append(one[:49], np.int32(0)), greedy()),
        Work(others[39:40], 39, np.append(two[:39], np.int32(0)), greedy()),
    ]
    runner.step(again)
    assert_same(rows[0], expected[49])
    assert_same(rows[1], expected_others[39])


def test_what_is_not_sampled_gives_no_token(loaded, reference):
    ids, expected = reference()
    runner = TorchRunner(loaded(), SLOTS)
    assert runner.step([Work(ids[:9], 0, run()[:9])]) == [()]
    sampled = runner.step([Work(ids[:5], 0, run(60)[:5]), Work(ids[:9], 0, run(80)[:9], greedy())])
    assert sampled == [(), (int(expected[8].argmax()),)]


def test_copies_carry_on_elsewhere(loaded, reference):
    ids, expected = reference()
    runner = TorchRunner(loaded(), SLOTS)
    runner.step([Work(ids[:60], 0, run()[:60])])
    elsewhere = scattered()[:61]
    runner.copy(run()[:60], elsewhere[:60])
    assert_same(runner.logits(Work(ids[60:61], 60, elsewhere)), expected[60])


def test_overlapping_copies_read_before_they_write(loaded, reference):
    ids, expected = reference()
    runner = TorchRunner(loaded(), SLOTS)
    runner.step([Work(ids[:60], 0, run(1)[:60])])
    runner.copy(run(1)[:60], run(11)[:60])
    assert_same(runner.logits(Work(ids[60:61], 60, run(11)[:61])), expected[60])


@pytest.mark.parametrize("slots", [70, 4000])
def test_resizing_keeps_what_is_stored(slots, loaded, reference):
    ids, expected = reference()
    runner = TorchRunner(loaded(), SLOTS)
    runner.step([Work(ids[:60], 0, run(5)[:60])])
    runner.resize(slots)
    assert_same(runner.logits(Work(ids[60:64], 60, run(5)[:64])), expected[63])


def test_the_pool_is_as_large_as_asked_and_one_scratch_slot(loaded):
    runner = TorchRunner(loaded(), 31)
    pools = [*runner._k, *runner._v]
    assert sum(pool.numel() * pool.element_size() for pool in pools) == 32 * runner.bytes_per_token
    assert runner.bytes_per_token == 2 * 3 * 2 * 16 * 4  # K and V, layers, heads, head_dim, bytes


def test_a_sibling_has_a_pool_of_its_own(loaded, reference):
    ids, expected = reference()
    runner = TorchRunner(loaded(), SLOTS)
    runner.step([Work(ids[:60], 0, run()[:60])])
    runner.sibling(100).step([Work(ids[60:120], 0, run()[:60])])
    assert_same(runner.logits(Work(ids[60:61], 60, run()[:61])), expected[60])


def test_a_failure_inside_a_forward_leaves_the_runner_usable(loaded, reference, monkeypatch):
    ids, expected = reference()
    runner = TorchRunner(loaded(), SLOTS, forward="generic")
    runner.step([Work(ids[:60], 0, run()[:60])])
    layer = runner.loaded.model.model.layers[1].mlp

    def fail(*_):
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(layer, "forward", fail)
        with pytest.raises(RuntimeError, match="out of memory"):
            runner.step([Work(ids[60:70], 60, run()[:70], greedy())])
    assert_same(runner.logits(Work(ids[60:70], 60, run()[:70])), expected[69])


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (Work(run()[:0], 5, run()[:5]), "at least one new token"),
        (Work(run()[:2], 5, run()[:5]), "one slot per position"),
        (Work(run()[:2], 0, np.array([1, SLOTS + 1], np.int32)), "slots must lie in"),
        (Work(np.zeros(513, np.int32), 0, np.zeros(513, np.int32)), "do not fit a context of 512"),
    ],
)
def test_impossible_works_are_refused_before_anything_is_computed(work, said, loaded):
    with pytest.raises(ValueError, match=said):
        TorchRunner(loaded(), SLOTS).step([work])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(dtype, tiny, reference):
    ids, expected = reference()
    runner = TorchRunner(load_model(tiny("llama"), dtype=dtype), SLOTS)
    runner.step([Work(ids[:60], 0, scattered()[:60])])
    logits = runner.logits(Work(ids[60:90], 60, scattered()[:90]))
    assert logits.dtype == np.float32
    assert np.abs(logits - expected[89]).max() <= 0.1 * np.abs(expected[89]).max()


@pytest.mark.gpu
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_cuda_equals_transformers(arch, tiny, reference):
    ids, expected = reference(arch)
    runner = TorchRunner(load_model(tiny(arch), device="cuda", dtype="float32"), SLOTS)
    for start, end in ((0, 33), (33, 119), (119, 120)):
        assert_same(runner.logits(Work(ids[start:end], start, scattered()[:end])), expected[end - 1])
