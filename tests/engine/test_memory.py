"""What is said when memory does not suffice, and what stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from radixchat.chat.engine import SamplingParams, memory, torch_runner
from radixchat.chat.engine.load import load_engine
from radixchat.chat.engine.loading import load_model
from radixchat.chat.engine.memory import MARGIN, check_pool, free_bytes, is_lack_of_memory, weights_too_large
from radixchat.chat.engine.runner import Work
from radixchat.chat.engine.torch_runner import TorchRunner
from radixchat.chat.errors import ModelError

CUDA = torch.device("cuda", 0)
CPU = torch.device("cpu")


def load(folder: Path, capacity: int | str | None) -> Any:
    return load_engine(folder, device="cpu", dtype="float32", cache="radix", capacity=capacity, cache_options={})


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU with 1,000,000 bytes free, and 200,000 that torch holds without using them."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1_000_000, 80_000_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 500_000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 300_000)


def test_a_pool_on_a_gpu(gpu: None) -> None:
    """The largest capacity that is named does fit."""
    assert free_bytes(CUDA) == 1_200_000
    with pytest.raises(ModelError) as caught:
        check_pool(2000, 1000, CUDA)
    assert caught.value.what == "a pool of 2000 tokens takes 2.0 MB, and cuda:0 has 1.2 MB for it"
    assert caught.value.fix == "Give --capacity 1139 or less."
    assert caught.value.exit_code == 3
    check_pool(1139, 1000, CUDA)
    check_pool(2000, 1000, CUDA, held=1000)  # the pool that gives way counts as free


def test_a_gpu_with_no_room_at_all(gpu: None) -> None:
    with pytest.raises(ModelError, match="Choose a smaller model"):
        check_pool(2, 1_000_000, CUDA)
    assert weights_too_large("big", CUDA).what == "big does not fit the memory of cuda:0, of which 1.2 MB are free"


def test_a_device_that_does_not_tell() -> None:
    """Nothing is refused beforehand, and no number is made up afterwards."""
    check_pool(10**12, 1000, torch.device("mps"))
    error = memory.pool_too_large(10**12, 1000, torch.device("mps"))
    assert (error.what.endswith("which mps does not have"), error.fix) == (True, "Give a smaller --capacity.")


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="only Linux tells")
def test_a_cpu_is_asked_before_the_pool_is_made(tiny: Any) -> None:
    with pytest.raises(ModelError, match=r"and cpu has [\d.]+ GB for it\nGive --capacity \d+ or less"):
        load(tiny("llama"), 10**13)
    assert free_bytes(CPU) > 1 << 20


def test_a_capacity_that_nobody_gave_is_what_fits(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is wanted, then what is free; with too little for a chat it says so, and a capacity insists."""
    size = load(tiny("llama"), 2).bytes_per_token
    for free, capacity in ((None, 2048), (10**9, 2048), (1000 * size, 949), (300 * size, 284)):
        monkeypatch.setattr(memory, "free_bytes", lambda device, free=free: free)
        assert load(tiny("llama"), None).cache.capacity == capacity
    monkeypatch.setattr(memory, "free_bytes", lambda device: 200 * size)
    with pytest.raises(ModelError, match=r"a pool of 256 tokens takes [\d.]+ MB.*\nGive --capacity 189 or less"):
        load(tiny("llama"), None)
    assert load(tiny("llama"), 189).cache.capacity == 189


def test_memory_files_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "MemTotal: 5 kB\n")
    assert free_bytes(CPU) is None


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            True,
        ),
        (RuntimeError("the sizes of two tensors differ"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_which_errors_mean_it(error: Exception, lacks: bool) -> None:
    assert is_lack_of_memory(error) is lacks


def test_torch_says_so_in_words_we_know() -> None:
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        torch.empty(1 << 60, dtype=torch.int8)
    assert is_lack_of_memory(caught.value)


def test_a_resize_that_fails_leaves_all_as_it_was(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The capacity stays, and so does what is cached."""
    engine, prompt = load(tiny("llama"), 100), list(range(5, 40))
    params = SamplingParams(temperature=0, max_tokens=4, ignore_eos=True)
    first = engine.generate(prompt, params)
    made = torch_runner.new_pool

    def scarce(slots: int, *args: Any) -> Any:
        if slots > 500:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return made(slots, *args)

    monkeypatch.setattr(torch_runner, "new_pool", scarce)
    monkeypatch.setattr(memory, "free_bytes", lambda device: 0)
    with pytest.raises(ModelError, match="a pool of 1000 tokens") as caught:
        engine.resize(1000)
    held = 101  # tokens and the scratch slot
    assert caught.value.fix == f"Give --capacity {int(MARGIN * held) - 1} or less."
    assert engine.cache.capacity == 100
    again = engine.generate(prompt, params)
    assert (again.reused_tokens, again.token_ids) == (34, first.token_ids)
    engine.check_integrity()


def test_a_pool_that_cannot_become_smaller_is_as_small_as_its_smallest_layer(
    tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to stay is there, and all of it can grow again."""
    runner, prompt = TorchRunner(load_model(tiny("llama")), 100), np.arange(5, 45, dtype=np.int32)
    work = Work(prompt, 0, np.arange(1, 41, dtype=np.int32))
    expected = runner.logits(work)
    made, calls = torch_runner.new_pool, []

    def scarce(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return made(*args)

    with monkeypatch.context() as patch:
        patch.setattr(torch_runner, "new_pool", scarce)
        with pytest.raises(ModelError, match="room for one layer more for a moment"):
            runner.resize(50)
    assert runner.slots == 50
    last = Work(prompt[-1:], 39, np.append(work.slots[:-1], np.int32(0)))
    np.testing.assert_allclose(runner.logits(last), expected, rtol=1e-3, atol=1e-4)
    runner.resize(100)
    elsewhere = Work(prompt, 0, np.arange(61, 101, dtype=np.int32))
    np.testing.assert_allclose(runner.logits(elsewhere), expected, rtol=1e-3, atol=1e-4)


def test_other_errors_stay_what_they_are(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_model(tiny("llama"))
    monkeypatch.setattr(torch_runner, "new_pool", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        TorchRunner(loaded, 5)
