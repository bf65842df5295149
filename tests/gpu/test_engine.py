"""The engine on a GPU: lean = generic = transformers, cached and cold, with graphs and without, sampling included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

import transformers  # noqa: E402
from torch import Tensor  # noqa: E402

from radixchat.chat.engine import Completion, Engine, SamplingParams  # noqa: E402
from radixchat.chat.engine.graphs import GraphDecoder  # noqa: E402
from radixchat.chat.engine.lean import LeanModel  # noqa: E402
from radixchat.chat.engine.load import load_engine  # noqa: E402
from radixchat.chat.engine.loading import load_model  # noqa: E402
from radixchat.chat.engine.runner import Sampler, Work  # noqa: E402
from radixchat.chat.engine.torch_runner import TorchRunner  # noqa: E402
from radixchat.kernels.attention import RaggedBatch, new_pool  # noqa: E402
from radixchat.kernels.triton_ops import TritonKernels  # noqa: E402

from ..engine.models import ARCHITECTURES, VOCABULARY, tiny_model  # noqa: E402
from .scene import BF16, BOUND, DEVICE, DRY, F32, distance, marks, size  # noqa: E402

pytestmark = marks

LEAN = ["llama", "qwen2", "qwen3", "mistral"]
EQUAL = 1e-4
"""Greedy text may differ only where two logits are closer than this share of the largest."""

GREEDY = SamplingParams(temperature=0, max_tokens=size(12, 3), ignore_eos=True)
WARM = SamplingParams(
    temperature=1.2, top_k=50, top_p=0.95, min_p=0.01, seed=3, max_tokens=size(12, 3), ignore_eos=True
)


@pytest.fixture(scope="module", autouse=True)
def triton_everywhere() -> Iterator[None]:
    """Triton's kernels on a CPU as well, for dry runs."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RADIXCHAT_KERNELS", "triton")
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {}


@pytest.fixture
def folder(arch: str, folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model, saved to disk once."""
    if arch not in folders:
        folders[arch] = tiny_model(arch, tmp_path_factory.mktemp(arch))
    return folders[arch]


class Reference:
    """transformers' own forward over the whole sequence, in fp32, no cache of any kind."""

    def __init__(self, folder: Path) -> None:
        load = transformers.AutoModelForCausalLM.from_pretrained
        self._model = load(folder, attn_implementation="eager", dtype=F32).eval().to(DEVICE)

    def logits(self, tokens: Sequence[int]) -> np.ndarray:
        """Logits after every position, float32 ``[tokens, vocabulary]``."""
        with torch.inference_mode():
            return self._model(torch.tensor([tokens], device=DEVICE), use_cache=False).logits[0].cpu().numpy()

    def check(self, done: Completion) -> None:
        """Asserts that each token is the best after those before it, or as good as the best."""
        prompt = done.prompt_ids.tolist()
        logits = self.logits([*prompt, *done.token_ids])[len(prompt) - 1 : -1]
        for row, token in zip(logits, done.token_ids, strict=True):
            assert (row.max() - row[token]) / np.abs(row).max() <= EQUAL


def prompt(seed: int, tokens: int) -> list[int]:
    return np.random.default_rng(seed).integers(4, VOCABULARY, size=tokens).tolist()


def engine_for(folder: Path, capacity: int = 1000, forward: str = "auto") -> Engine:
    return load_engine(
        folder, device=DEVICE, dtype="float32", forward=forward, cache="radix", capacity=capacity,
        cache_options={"policy": "lru", "page_size": 1},
    )  # fmt: skip


def decoder_of(engine: Engine) -> GraphDecoder:
    decoder = engine.runner.decoder  # type: ignore[attr-defined]
    assert decoder is not None, "decode steps do not run through GraphDecoder"
    return decoder


def graphs(decoder: GraphDecoder) -> list[Any]:
    assert decoder.fault is None
    return [program.graph for program in decoder._programs.values() if program.graph is not None]


# ------------------------------------------------------------------------------------------------------------- logits


@pytest.mark.parametrize("arch", LEAN if not DRY else ["qwen3"])
def test_lean_is_generic_is_transformers(folder: Path) -> None:
    """Cold; then the last token on top of all the others, from scattered slots."""
    loaded = load_model(folder, device=DEVICE, dtype="float32")
    ids, slots = np.array(prompt(1, size(150, 12)), np.int32), np.random.default_rng(0).permutation(300) + 1
    slots = slots[: ids.size].astype(np.int32)
    wanted = torch.from_numpy(Reference(folder).logits(ids.tolist())[-1])
    for forward in ("lean", "generic"):
        runner = TorchRunner(loaded, 400, forward)
        cold = runner.logits(Work(ids, 0, slots))
        warm = runner.logits(Work(ids[-1:], ids.size - 1, slots))
        assert distance(torch.from_numpy(cold), wanted) < EQUAL, forward
        assert distance(torch.from_numpy(warm), wanted) < EQUAL, forward


@pytest.mark.skipif(DRY, reason="too large")
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Qwen2", {"hidden_size": 896, "intermediate_size": 4864, "num_attention_heads": 14, "num_key_value_heads": 2}),
        ("Qwen3", {"hidden_size": 1024, "intermediate_size": 3072, "num_attention_heads": 16, "num_key_value_heads": 8,
                   "head_dim": 128}),
        ("Llama", {"hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3}),
    ],
)  # fmt: skip
def test_real_shapes_in_bf16(name: str, shape: dict[str, int]) -> None:
    """Three layers of real models in bf16, as far from transformers in fp32 as transformers in bf16 is, or nearer."""
    config = getattr(transformers, f"{name}Config")(
        **shape, num_hidden_layers=3, vocab_size=49_152, max_position_embeddings=4096, initializer_range=0.05
    )
    torch.manual_seed(0)
    kind = getattr(transformers, f"{name}ForCausalLM")
    exact = kind._from_config(config, attn_implementation="sdpa", dtype=BF16).to(DEVICE).eval().float()
    rounded = kind._from_config(config, attn_implementation="sdpa", dtype=BF16).to(DEVICE).eval()
    rounded.load_state_dict(exact.state_dict())
    tokens = torch.arange(700, device=DEVICE) * 31 % 49_152
    with torch.inference_mode():
        wanted = exact(tokens[None], use_cache=False).logits[0, -8:]
        usual = distance(rounded(tokens[None], use_cache=False).logits[0, -8:], wanted)
        lean = LeanModel.of(rounded.requires_grad_(False), 1024)
        assert lean is not None
        slots = np.random.default_rng(0).permutation(np.arange(1, 1000))[:700].astype(np.int32)
        pools = [[new_pool(1000, lean.kv_heads, lean.head_dim, BF16, DEVICE) for _ in range(3)] for _ in range(2)]
        found: list[Tensor] = []
        for start, end in [(0, 400), (400, 692), *((at, at + 1) for at in range(692, 700))]:
            batch = RaggedBatch.build([end - start], [slots[:end]], DEVICE)
            kernels = TritonKernels.of(batch, torch.arange(start, end, device=DEVICE))
            found.append(lean.forward(tokens[start:end], *pools, kernels)[-1])
    assert distance(torch.stack(found[-8:]), wanted) < max(1.5 * usual, BOUND[BF16])


# ---------------------------------------------------------------------------------------------------------- generation


@pytest.mark.parametrize("arch", LEAN if not DRY else ["llama"])
@pytest.mark.parametrize("capture", [True, False])
def test_text_cached_and_cold_with_graphs_and_without(folder: Path, capture: bool) -> None:
    """A turn, its continuation, a branch; then requests that come and go in one batch."""
    engine, reference = engine_for(folder), Reference(folder)
    decoder = decoder_of(engine)
    decoder.capture = capture and not DRY
    decoder.drop()  # what was captured when it was loaded
    base = prompt(1, size(40, 8))
    first = engine.generate(base, GREEDY)
    longer = engine.generate([*base, *first.token_ids, *prompt(2, 5)], GREEDY)
    branch = engine.generate([*base[:5], *prompt(3, 9)], GREEDY)
    many = [prompt(10 + each, 6 + 3 * each) for each in range(size(11, 2))]
    together = engine.generate(many, GREEDY)
    assert longer.reused_tokens > len(base)
    for done in (first, longer, branch, *together):
        reference.check(done)
    assert bool(graphs(decoder)) == (capture and not DRY)
    engine.check_integrity()


@pytest.mark.parametrize("arch", sorted(set(ARCHITECTURES) - set(LEAN)) if not DRY else ["gpt2"])
def test_text_of_models_that_only_the_generic_forward_serves(folder: Path) -> None:
    engine, reference = engine_for(folder), Reference(folder)
    base = prompt(4, size(30, 6))
    cold = engine.generate(base, GREEDY)
    warm = engine.generate([*base, *cold.token_ids, 7], GREEDY)
    for done in (cold, warm):
        reference.check(done)


@pytest.mark.parametrize("arch", ["llama"])
def test_graphs_go_and_come_again_when_the_pool_moves(folder: Path) -> None:
    engine, reference = engine_for(folder), Reference(folder)
    runner: Any = engine.runner
    base = prompt(5, size(30, 6))
    cold = engine.generate(base, GREEDY)
    runner.resize(runner.slots + 1000)
    assert not graphs(decoder_of(engine))
    warm = engine.generate([*base, *cold.token_ids, 9], GREEDY)
    for done in (cold, warm):
        reference.check(done)
    assert bool(graphs(decoder_of(engine))) != DRY


# ------------------------------------------------------------------------------------------------------------ sampling


@pytest.mark.parametrize("arch", ["qwen2"])
def test_sampled_text_is_the_same_in_any_company_with_graphs_and_without(folder: Path) -> None:
    base, others = prompt(6, size(20, 6)), [prompt(30 + each, 9) for each in range(size(5, 1))]
    texts = []
    for capture, company in ((True, []), (False, []), (True, others)):
        engine = engine_for(folder)
        decoder_of(engine).capture = capture and not DRY
        decoder_of(engine).drop()
        done = engine.generate([base, *company], WARM)
        texts.append(tuple(done[0].token_ids))
    assert len(set(texts)) == 1, texts


@pytest.mark.parametrize("arch", ["llama"])
def test_frequencies_in_the_graph(folder: Path) -> None:
    """Many samples after one prompt: as often as transformers' logits say, and never what top-k excludes."""
    loaded = load_model(folder, device=DEVICE, dtype="float32")
    runner = TorchRunner(loaded, 400, "lean")
    if DRY:
        runner.decoder.capture = False
    ids, slots = np.array(prompt(7, 12), np.int32), np.arange(1, 13, dtype=np.int32)
    runner.logits(Work(ids[:-1], 0, slots[:-1]))
    row = torch.from_numpy(Reference(folder).logits(ids.tolist())[-1].astype(np.float64)) / 2
    top = row.topk(8)
    shares = top.values.softmax(0).numpy()
    params, random = SamplingParams(temperature=2.0, top_k=8), np.random.default_rng(1)
    batch = [Work(ids[-1:], 11, np.append(slots[:-1], 0).astype(np.int32), (Sampler(params, random),))] * size(64, 4)
    drawn = [token for _ in range(size(40, 2)) for (token,) in runner.step(batch)]
    counts = np.array([drawn.count(token) for token in top.indices.tolist()])
    assert counts.sum() == len(drawn)
    expected = shares * len(drawn)
    square = ((counts - expected) ** 2 / expected)[expected >= 5].sum()
    assert square < 7 + 5 * 14**0.5


# ----------------------------------------------------------------------------------------------------- shared prefixes


def decoder_over(folder: Path, slots: int, **options: Any) -> tuple[GraphDecoder, list[Tensor], list[Tensor]]:
    loaded = load_model(folder, device=DEVICE, dtype="float32")
    lean = LeanModel.of(loaded.model, loaded.max_context)
    assert lean is not None
    pools = [[new_pool(slots, *shape, F32, DEVICE) for shape in loaded.kv_shapes] for _ in range(2)]
    for pool in (*pools[0], *pools[1]):
        pool.copy_(torch.randn(pool.shape, generator=torch.Generator().manual_seed(1)) / 4)
    options = {"max_batch": 16, "capture": not DRY, **options}
    return GraphDecoder(lean, *pools, loaded.max_context, **options), *pools


def works(count: int, shared: int, own: int) -> list[Work]:
    """Returns works that share a prefix; every slot is of one use."""
    free = np.random.default_rng(3).permutation(np.arange(1, 1 + shared + count * (own + 40))).astype(np.int32)
    common, rest = free[:shared], free[shared:].reshape(count, -1)
    greedy = (Sampler(SamplingParams(temperature=0)),)
    return [
        Work(np.array([5 + each], np.int32), shared + own, np.concatenate([common, row[: own + 1]]), greedy)
        for each, row in enumerate(rest)
    ]


def run(decoder: GraphDecoder, batch: list[Work], steps: int) -> list[list[int]]:
    """Returns the tokens of each step."""
    said = []
    for step in range(steps):
        said.append([token for (token,) in decoder.step(batch)])
        batch = [
            Work(
                np.array([token], np.int32),
                work.start + 1,
                np.append(work.slots, np.int32(8000 + 100 * place + step)),
                work.samplers,
            )
            for place, (work, token) in enumerate(zip(batch, said[-1], strict=True))
        ]
    return said


@pytest.mark.parametrize("arch", ["qwen2"])
def test_shared_prefixes_in_the_graph(folder: Path) -> None:
    found = []
    for share in (True, False):
        decoder, k_pools, _ = decoder_over(folder, 10_000, share=share)
        found.append(run(decoder, works(size(12, 4), size(400, 256), 9), size(10, 2)))
        assert any(isinstance(key[1], tuple) for key in decoder._programs) == share
        found.append(k_pools)
    assert found[0] == found[2]
    for one, other in zip(found[1], found[3], strict=True):
        assert distance(one[1:], other[1:]) < EQUAL
