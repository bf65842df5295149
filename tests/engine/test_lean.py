"""The lean forward equals the generic one and transformers' own, whatever is cached and wherever it lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from radixchat.chat.engine import forwards
from radixchat.chat.engine.forwards import choose, lean_for
from radixchat.chat.engine.lean import LeanModel, why_not
from radixchat.chat.engine.loading import load_model
from radixchat.chat.engine.params import SamplingParams
from radixchat.chat.engine.runner import Sampler, Work
from radixchat.chat.engine.torch_runner import TorchRunner
from radixchat.chat.errors import ModelError, UsageError

from .models import tiny_model

LENGTH = 90
SLOTS = 300
BOUND = 1e-4

LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 128}

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "tied": ("llama", {"tie_word_embeddings": True}),
    "biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "wide heads": ("llama", {"head_dim": 24}),
    "llama3 rope": ("llama", {"rope_parameters": LLAMA3}),
    "yarn": ("llama", {"rope_parameters": YARN}),
    "no groups": ("llama", {"num_key_value_heads": 4}),
    "groups of 3": ("llama", {"num_attention_heads": 9, "num_key_value_heads": 3, "hidden_size": 72}),
    "qwen2": ("qwen2", {}),
    "qwen2 tied": ("qwen2", {"tie_word_embeddings": True, "num_key_value_heads": 2}),
    "qwen3": ("qwen3", {}),
    "qwen3 one group": ("qwen3", {"num_key_value_heads": 1, "tie_word_embeddings": True}),
    "mistral": ("mistral", {}),
}

Logits = np.ndarray


class Case:
    """A model in all three forwards, and a text with transformers' own logits at each token."""

    def __init__(self, folder: Path) -> None:
        self.loaded = load_model(folder, device="cpu", dtype="float32")
        self.ids = np.random.default_rng(0).integers(4, 300, LENGTH).astype(np.int32)
        theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        _randomise(theirs)
        _randomise(self.loaded.model)
        self.generic = TorchRunner(self.loaded, SLOTS, "generic")
        before = [self.generic.logits(Work(self.ids[:end], 0, _run(end))) for end in (1, LENGTH)]
        self.lean = TorchRunner(self.loaded, SLOTS, "lean")
        after = [self.generic.logits(Work(self.ids[:end], 0, _run(end))) for end in (1, LENGTH)]
        assert [near(*pair) for pair in zip(before, after, strict=True)] == [True, True]  # its weights are views now
        with torch.inference_mode():
            self.expected = theirs(torch.from_numpy(self.ids).long()[None], use_cache=False).logits[0].numpy()


def _randomise(model: Any) -> None:
    """Norms of ones and biases of zeros would hide that they are not used."""
    random = torch.Generator().manual_seed(1)
    for name, each in model.named_parameters():
        if "norm" in name or "bias" in name:
            each.data.add_(torch.rand(each.shape, generator=random) - 0.5)


def _run(size: int, start: int = 1) -> Any:
    return np.arange(start, start + size, dtype=np.int32)


def _scattered(seed: int = 0) -> Any:
    return np.random.default_rng(seed).permutation(np.arange(1, SLOTS + 1)).astype(np.int32)


def _in_runs() -> Any:
    """Three runs, not in order."""
    return np.concatenate([_run(40, 200), _run(30, 20), _run(LENGTH - 70, 100)])


def near(logits: Logits, expected: Logits) -> bool:
    return bool(np.abs(logits - expected).max() <= BOUND * np.abs(expected).max())


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads only wait for one another on matrices as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=VARIANTS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    arch, changes = VARIANTS[request.param]
    return Case(tiny_model(arch, tmp_path_factory.mktemp("lean"), **changes))


@pytest.mark.parametrize("slots", [_run(LENGTH), _in_runs(), _scattered()[:LENGTH]], ids=["run", "runs", "scattered"])
def test_cold_and_in_chunks(case: Case, slots: Any) -> None:
    """A prompt in chunks, then token by token."""
    for start, end in ((0, 33), (33, 80), (80, 81), (81, 82), (82, LENGTH)):
        work = Work(case.ids[start:end], start, slots[:end])
        own, generic = case.lean.logits(work), case.generic.logits(work)
        assert near(own, case.expected[end - 1])
        assert near(own, generic)


def test_a_batch_with_branches_and_samples(case: Case) -> None:
    """Prompts and replies in one forward, two that branch from one prefix, and some that want no logits."""
    free = _scattered(3)
    shared, own = free[:40], free[40:80]
    greedy = (Sampler(SamplingParams(temperature=0)),)
    for runner in (case.lean, case.generic):
        runner.step([Work(case.ids[:40], 0, shared), Work(case.ids[:33], 0, own[:33])])
    works = [
        Work(case.ids[40:41], 40, np.append(shared, free[80:81]), greedy),
        Work(case.ids[20:41], 20, np.concatenate([shared[:20], free[90:111]]), greedy * 3),
        Work(case.ids[33:36], 33, own[:36]),
        Work(case.ids[40:41], 40, np.append(shared, free[81:82]), greedy),
        Work(case.ids[:1], 0, np.zeros(1, np.int32), greedy),
    ]
    tokens = [case.lean.step(works), case.generic.step(works)]
    best = [int(case.expected[place].argmax()) for place in (40, 0)]
    assert tokens[0] == tokens[1] == [(best[0],), (best[0],) * 3, (), (best[0],), (best[1],)]


@pytest.mark.parametrize("arch", ["llama", "qwen2", "qwen3"])
def test_half_precision(arch: str, tmp_path: Path) -> None:
    loaded = load_model(tiny_model(arch, tmp_path), device="cpu", dtype="bfloat16")
    ids, slots = np.random.default_rng(0).integers(4, 300, LENGTH).astype(np.int32), _scattered()[:LENGTH]
    rows = []
    for forward in ("generic", "lean"):
        runner = TorchRunner(loaded, SLOTS, forward)
        rows.append([runner.logits(Work(ids[a:b], a, slots[:b])) for a, b in ((0, 60), (60, 89), (89, 90))])
    for generic, own in zip(*rows, strict=True):
        assert own @ generic / np.linalg.norm(own) / np.linalg.norm(generic) > 0.999


def test_weights_are_fused_once_and_shared(tmp_path: Path) -> None:
    """Both forwards read the same memory, and every runner the same lean model."""
    loaded = load_model(tiny_model("llama", tmp_path))
    model = LeanModel.of(loaded.model, loaded.max_context)
    assert model is LeanModel.of(loaded.model, loaded.max_context)
    attention = loaded.model.model.layers[0].self_attn
    start, end = model.layers[0].qkv.weight.data_ptr(), attention.v_proj.weight.data_ptr()
    assert attention.q_proj.weight.data_ptr() == start
    assert end == start + 4 * (attention.q_proj.weight.numel() + attention.k_proj.weight.numel())
    assert model.nbytes == sum(each.nbytes for each in loaded.model.parameters())


@pytest.mark.parametrize(
    ("arch", "changes", "reason"),
    [
        ("gemma", {}, "written for Llama, Qwen2, Qwen3 and Mistral"),
        ("llama", {"hidden_act": "gelu"}, "activation is gelu"),
        (
            "llama",
            {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}},
            "rotated by dynamic",
        ),
    ],
)
def test_where_it_does_not_apply(arch: str, changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    """The generic forward serves these; who insists on the lean one is told why not."""
    loaded = load_model(tiny_model(arch, tmp_path, **changes))
    assert reason in (why_not(loaded.model) or "")
    assert LeanModel.of(loaded.model, loaded.max_context) is None
    assert choose(loaded).forward == "generic"
    for options in ({"forward": "lean"}, {"quantize": "int8"}):
        with pytest.raises(ModelError, match=reason):
            choose(loaded, **options)
    with pytest.raises(ModelError, match=reason):
        TorchRunner(loaded, SLOTS, "lean")
    assert lean_for(loaded) is None


def test_weights_it_does_not_know(tmp_path: Path) -> None:
    loaded = load_model(tiny_model("llama", tmp_path))
    loaded.model.model.layers[1].mlp.register_parameter("extra", torch.nn.Parameter(torch.ones(1)))
    assert "does not know" in (why_not(loaded.model) or "")


def test_it_is_held_against_the_generic_forward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever makes them differ, the generic one is right: an activation here that the facts do not tell."""
    loaded = load_model(tiny_model("llama", tmp_path))
    assert choose(loaded).forward == "lean"
    loaded.model.model.layers[1].mlp.act_fn = torch.nn.Tanh()
    settled = choose(loaded)
    assert (settled.forward, lean_for(settled)) == ("generic", None)
    assert "The lean forward is not used: its logits differ" in settled.notes[-1]
    with pytest.raises(ModelError, match="differ"):
        choose(loaded, "lean")

    def fail(*_: Any) -> None:
        raise RuntimeError("no such thing\nat all")

    monkeypatch.setattr(LeanModel, "forward", fail)
    assert "it fails (no such thing)" in choose(loaded).notes[-1]
    monkeypatch.setattr(type(loaded.model), "forward", lambda *_, **__: fail())
    with pytest.raises(ModelError, match=r"cannot be run on cpu: no such thing\nTry"):
        choose(loaded)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("quick", "none"), "unknown forward 'quick'"),
        (("auto", "int3"), "unknown quantisation 'int3'"),
        (("generic", "int8"), "needs the lean forward"),
    ],
)
def test_what_does_not_go_together(options: tuple[str, str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        forwards.check_forward(*options)


def test_eight_bits_are_for_cpus() -> None:
    with pytest.raises(UsageError, match="for CPUs only, and the model is on cuda"):
        forwards.check_forward("auto", "int8", torch.device("cuda"))
    forwards.check_forward("lean", "int8", torch.device("cpu"))


def test_a_runner_obeys_what_was_settled(tmp_path: Path) -> None:
    loaded = load_model(tiny_model("llama", tmp_path))
    lean = choose(loaded)
    assert TorchRunner(lean, 9).lean is lean.lean is not None
    assert TorchRunner(choose(loaded, "generic"), 9).lean is None
    assert TorchRunner(lean, 9, "generic").lean is None
    assert TorchRunner(lean, 9).sibling(5).lean is lean.lean
    assert TorchRunner(replace(loaded, forward="auto", lean=None), 9).lean is lean.lean
