"""Output with the cache equals transformers' without it: cold, warm, after evictions, retracted; on every architecture,
in every forward that serves it.

*Equal*, in fp32: greedy text may differ only from a position on where the two best logits are closer than `BOUND` times
the largest logit; such a position is named by the assertion's message.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from transformers import AutoModelForCausalLM  # noqa: E402

from radixchat.chat.engine import Ask, Completion, Engine, SamplingParams  # noqa: E402
from radixchat.chat.engine.load import load_engine  # noqa: E402

from .models import ARCHITECTURES, LEAN, VOCABULARY, tiny_model  # noqa: E402

BOUND = 1e-4
TOKENS = 12
GREEDY = SamplingParams(temperature=0, max_tokens=TOKENS, ignore_eos=True)


class Reference:
    """transformers' own forward over the whole sequence, no cache of any kind."""

    def __init__(self, folder: Path) -> None:
        self._model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()

    def logits(self, tokens: list[int]) -> np.ndarray:
        """Logits after every position, float32 ``[tokens, vocabulary]``."""
        with torch.inference_mode():
            return self._model(torch.tensor([tokens]), use_cache=False).logits[0].float().numpy()

    def check(self, done: Completion) -> None:
        """Asserts that each token is the best after those before it, or as good as the best."""
        prompt = done.prompt_ids.tolist()
        logits = self.logits([*prompt, *done.token_ids])[len(prompt) - 1 : -1]
        for place, (row, token) in enumerate(zip(logits, done.token_ids, strict=True)):
            gap = (row.max() - row[token]) / np.abs(row).max()
            assert gap <= BOUND, f"token {place} of the reply is {gap:.1e} below the best one"


class Subject(NamedTuple):
    """A model and what computes it."""

    folder: Path
    forward: str


SUBJECTS = [*((arch, "generic") for arch in sorted(ARCHITECTURES)), *((arch, "lean") for arch in LEAN)]


@pytest.fixture(scope="module", params=SUBJECTS, ids=" ".join)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Each architecture, saved to disk, in each forward that serves it."""
    arch, forward = request.param
    return Subject(tiny_model(arch, tmp_path_factory.mktemp(arch)), forward)


@pytest.fixture(scope="module")
def reference(subject: Subject) -> Reference:
    return Reference(subject.folder)


def engine_for(subject: Subject, capacity: int, **options: object) -> Engine:
    """The engine over the loaded model; small chunks would need a long prompt, so the chunk is what it is."""
    cache = {"policy": "lru", "page_size": 1, **options}
    engine = load_engine(
        subject.folder, device="cpu", dtype="float32", forward=subject.forward, cache="radix", capacity=capacity,
        cache_options=cache,
    )  # fmt: skip
    assert engine.forward == subject.forward
    return engine


def prompt(seed: int, size: int) -> list[int]:
    return np.random.default_rng(seed).integers(4, VOCABULARY, size=size).tolist()


def test_cold_warm_and_branching(subject: Subject, reference: Reference) -> None:
    """A first turn, its continuation, the same prompt again, and a branch inside a node."""
    engine = engine_for(subject, 400)
    base = prompt(1, 30)
    cold = engine.generate(base, GREEDY)
    longer = engine.generate([*base, *cold.token_ids, *prompt(2, 5)], GREEDY)
    again = engine.generate(base, GREEDY)
    branch = engine.generate([*base[:17], *prompt(3, 9)], GREEDY)

    assert (longer.reused_tokens, again.reused_tokens, branch.reused_tokens) == (30 + TOKENS - 1, 29, 17)
    for done in (cold, longer, again, branch):
        reference.check(done)
    engine.check_integrity()


def test_pages(subject: Subject, reference: Reference) -> None:
    """With pages of four tokens only whole pages are reused."""
    engine = engine_for(subject, 400, page_size=4)
    base = prompt(4, 22)
    first = engine.generate(base, GREEDY)
    branch = engine.generate([*base[:15], *prompt(5, 6)], GREEDY)

    assert branch.reused_tokens == 12
    reference.check(first)
    reference.check(branch)
    engine.check_integrity()


def test_chunks_evictions_and_a_scattered_pool(subject: Subject, reference: Reference) -> None:
    """Many prompts in a pool too small for them: slots are reused in any order, and no reply suffers."""
    engine = engine_for(subject, 150)
    random = np.random.default_rng(7)
    base = prompt(6, 40)
    evicted = 0
    for turn in range(8):
        done = engine.generate([*base[: int(random.integers(3, 40))], *prompt(100 + turn, 20)], GREEDY)
        evicted += done.evicted_tokens
        reference.check(done)
    assert evicted > 0
    engine.check_integrity()


def test_side_by_side_and_retracted(subject: Subject, reference: Reference) -> None:
    """Several requests in one packed forward; one gives way and comes back."""
    engine = engine_for(subject, 72)
    params = SamplingParams(temperature=0, max_tokens=20, ignore_eos=True)
    done = engine.generate([prompt(8, 12), prompt(9, 15), prompt(8, 10)], params)

    assert sum(each.retractions for each in done) > 0
    for each in done:
        assert each.generated_tokens == 20
        reference.check(each)
    engine.check_integrity()


def test_arrivals_samples_and_shared_prefixes(subject: Subject, reference: Reference) -> None:
    """Prompts and replies in one forward, samples that fork, prompts that wait for each other: none shows in a text."""
    engine = engine_for(subject, 600)
    base, params = prompt(12, 20), SamplingParams(temperature=0, max_tokens=TOKENS, ignore_eos=True, n=3)
    engine.submit(Ask(prompt=base, params=params))
    ended = []
    for arrival in ([*base, *prompt(13, 4)], [*base[:9], *prompt(14, 30)], prompt(15, 3), base):
        ended += engine.iterate()
        engine.submit(Ask(prompt=arrival, params=GREEDY))
    while engine.busy:
        ended += engine.iterate()
    results = [chunk.completion for chunk in ended if chunk.completion is not None]

    assert len(results) == 7
    assert sum(done.prefilled_tokens for done in results) == 20 + 4 + 30 + 3 + 1
    for done in results:
        reference.check(done)
    engine.check_integrity()


def test_a_prompt_longer_than_a_chunk(subject: Subject, reference: Reference) -> None:
    """Where the context allows it, a prompt is computed in several chunks."""
    engine = engine_for(subject, 600)
    size = min(300, engine.max_context - TOKENS)
    done = engine.generate(prompt(10, size), GREEDY)

    reference.check(done)


def test_saved_and_loaded_sampling_is_repeatable(subject: Subject) -> None:
    """The same seed gives the same tokens, cold and warm."""
    params = SamplingParams(temperature=0.8, top_p=0.9, seed=5, max_tokens=TOKENS, ignore_eos=True)
    engine = engine_for(subject, 400)
    assert (
        engine.generate(prompt(11, 20), params).token_ids
        == engine_for(subject, 400).generate(prompt(11, 20), params).token_ids
    )
