"""What is chosen for a machine: the type of numbers, and how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from radixchat.chat.engine import load, loading
from radixchat.chat.engine.load import load_engine
from radixchat.chat.engine.loading import bfloat16_is_faster, load_model


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    for each in (bfloat16_is_faster, load._threads):
        each.cache_clear()
    yield
    for each in (bfloat16_is_faster, load._threads):
        each.cache_clear()
    torch.set_num_threads(threads)


def clock(*seconds: float) -> Any:
    """Returns a clock whose intervals are these, five times each."""
    ticks = [0.0]
    for interval in (each for each in seconds for _ in range(5)):
        ticks += [ticks[-1] + interval, ticks[-1] + interval]
    readings = iter(ticks)
    return lambda: next(readings)


@pytest.mark.parametrize(("seconds", "faster"), [((3.0, 1.0), True), ((1.4, 1.0), False), ((1.0, 3.0), False)])
def test_bfloat16_must_be_clearly_faster(
    seconds: tuple[float, float], faster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    monkeypatch.setattr(loading.time, "perf_counter", clock(*seconds))
    assert bfloat16_is_faster() is faster


def test_nothing_is_measured_without_amx(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a machine without it computes the same today and tomorrow."""
    monkeypatch.setattr(loading.time, "perf_counter", None)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    assert not bfloat16_is_faster()
    bfloat16_is_faster.cache_clear()
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    assert not bfloat16_is_faster()


def test_only_large_models_take_it_and_only_by_themselves(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny("llama")
    monkeypatch.setattr(loading, "bfloat16_is_faster", lambda: True)
    assert load_model(folder, device="cpu").dtype is torch.float32
    monkeypatch.setattr(loading, "LARGE", 1000)
    assert load_model(folder, device="cpu").dtype is torch.bfloat16
    assert load_model(folder, device="cpu", dtype="float32").dtype is torch.float32


def test_threads_go_with_the_model(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small model takes one; a large one after it gets back what there was."""

    def threads() -> tuple[int, tuple[str, ...]]:
        engine = load_engine(tiny("llama"), device="cpu", dtype="auto", cache="radix", capacity=50, cache_options={})
        return torch.get_num_threads(), engine.notes

    torch.set_num_threads(3)
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    assert threads() == (1, ())
    monkeypatch.setattr(load, "ONE_THREAD", 1000)
    count, notes = threads()
    assert (count, notes[-1].split()[0]) == (3, "OMP_WAIT_POLICY=PASSIVE")
    monkeypatch.delenv("OMP_WAIT_POLICY")
    assert threads() == (3, ())
