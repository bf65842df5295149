"""Arms of a lesson: other caches that are fed the same prompts and replies.

Knows the cache of an arm and what it is fed; not what a model computed, nor how arms are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...radix import CacheConfig
from ...radix.recording import Recorder
from ..engine.engine import CACHES, Ask, Engine
from ..engine.words import WordsRunner
from .feeding import adapt, cached, check_whole, config_of, lettered, results, sums_of, texts_of
from .runs import Done, Run, StepRun, Sums
from .schema import Arm, Change, Step

if TYPE_CHECKING:
    from .running import Stage


class Contestant:
    """Another cache that is fed the same prompts and replies, so nothing is computed.

    Only its counts matter, unless a question is about it: then it is recorded, beside the run that it is compared with.
    """

    def __init__(self, arm: Arm, config: CacheConfig, stage: Stage, tokenizer: Any, watched: Run | None) -> None:
        own = arm.model_dump(exclude={"name", "cache"}, exclude_none=True)
        if "capacity" in own:
            own["capacity"] = stage.scaled(own["capacity"])
        self._own = frozenset(own)  # settings that no step changes
        self.name = arm.name.text("en")
        self.total = Sums()
        config = config_of({**config.settings(), **own})
        cache = CACHES[arm.cache](**config.settings(), events=watched is not None)
        self._engine = Engine(WordsRunner(), cache, tokenizer, cache_name=arm.cache)
        self._run: Run | None = None
        if watched is not None:
            header = replace(watched.recording.header, config=config)
            self._recorder = Recorder(header, tokenizer.token_bytes)
            self._engine.listeners.append(self._recorder.add)
            self._run = replace(watched, recording=self._recorder.recording, steps=[], config=config, asked={})
            watched.asked[self.name] = self._run

    def play(self, step: Step, done: Sequence[Done], change: Change, where: str) -> Sums:
        """Runs a step; returns its sums. Raises RequestError or LessonError when something does not fit."""
        kept = {name: value for name, value in change.model_dump().items() if name not in self._own}
        start = len(self._run.recording.events) if self._run is not None else 0
        self._engine.open_step()
        shrunk = adapt(self._engine, Change(**kept))
        asks = []
        for place, request in enumerate(step.requests):
            samples = [one for one in done if one.request == place]
            forced = tuple(cached(one, bool(request.given)) for one in samples)
            asks.append(Ask(prompt=samples[0].prompt, conversation=request.conversation, forced=forced))
        facts = self._engine.run(asks) if asks else []
        check_whole(facts, where, self._engine.cache.capacity)
        sums = sums_of(facts, shrunk)._replace(generated=sum(one.facts.generated_tokens for one in done))
        self.total = self.total.plus(sums)
        if self._run is not None:
            self._keep(self._run, step, start, tuple(results(step, facts)), sums)
        return sums

    def _keep(self, run: Run, step: Step, start: int, done: tuple[Done, ...], sums: Sums) -> None:
        self._recorder.flush()
        texts = texts_of(self._engine.cache.snapshot(), run.recording.pieces)
        letters = {found[0]: letter for letter, _, found in lettered(step, texts) if len(found) == 1}
        end, keys = len(run.recording.events), tuple(one.sequence for one in done)
        run.steps.append(StepRun(len(run.steps) + 1, step, start, end, done, letters, sums, (), keys))
