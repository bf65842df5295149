"""Arms of a lesson: other caches that are fed the same prompts and replies.

Knows the cache of an arm and what it is fed; not what a model computed, nor how arms are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...radix import CacheConfig
from ..compare.fed import Fed, config_of
from ..engine.engine import Ask
from .feeding import adapt, cached, check_whole, lettered, results, sums_of, texts_of
from .runs import Done, Run, StepRun, Sums
from .schema import Arm, Change, Step

if TYPE_CHECKING:
    from .running import Stage


class Contestant:
    """Another cache that is fed the same prompts and replies, so nothing is computed.

    Only its counts matter, unless a question is about it: then it is recorded, beside the run that it is compared with.
    """

    def __init__(self, arm: Arm, config: CacheConfig, stage: Stage, tokenizer: Any, watched: Run | None) -> None:
        own = arm.settings()
        if "capacity" in own:
            own["capacity"] = stage.scaled(own["capacity"])
        self._own = frozenset(own)  # settings that no step changes
        self.name = arm.name.text("en")
        self.total = Sums()
        config = config_of({**_common(config, arm), **own})
        header = replace(watched.recording.header, config=config, cache=arm.cache) if watched is not None else None
        self._fed = Fed(arm.cache, config, tokenizer, header)
        self._run: Run | None = None
        if watched is not None:
            self._run = replace(watched, recording=self._fed.recording, steps=[], config=config, asked={})
            watched.asked[self.name] = self._run

    def play(self, step: Step, done: Sequence[Done], change: Change, where: str) -> Sums:
        """Runs a step; returns its sums. Raises RequestError or LessonError when something does not fit."""
        kept = {name: value for name, value in change.model_dump().items() if name not in self._own}
        start = len(self._run.recording.events) if self._run is not None else 0
        engine = self._fed.engine
        engine.open_step()
        shrunk = adapt(engine, Change(**kept))
        asks = []
        for place, request in enumerate(step.requests):
            samples = [one for one in done if one.request == place]
            forced = tuple(cached(one, bool(request.given)) for one in samples)
            asks.append(Ask(prompt=samples[0].prompt, conversation=request.conversation, forced=forced))
        facts = engine.run(asks) if asks else []
        check_whole(facts, where, engine.cache.capacity)
        sums = sums_of(facts, shrunk)._replace(generated=sum(one.facts.generated_tokens for one in done))
        self.total = self.total.plus(sums)
        if self._run is not None:
            self._keep(self._run, step, start, tuple(results(step, facts)), sums)
        return sums

    def _keep(self, run: Run, step: Step, start: int, done: tuple[Done, ...], sums: Sums) -> None:
        end, keys = len(self._fed.recording.events), tuple(one.sequence for one in done)
        texts = texts_of(self._fed.engine.cache.snapshot(), run.recording.pieces)
        letters = {found[0]: letter for letter, _, found in lettered(step, texts) if len(found) == 1}
        run.steps.append(StepRun(len(run.steps) + 1, step, start, end, done, letters, sums, (), keys))


def _common(config: CacheConfig, arm: Arm) -> dict[str, Any]:
    """Returns the settings that an arm has in common with the lesson's cache: of another kind, the capacity alone."""
    if arm.cache == "hash":
        return {"capacity": config.capacity}
    return {"capacity": config.capacity} if config.preset else config.settings()
