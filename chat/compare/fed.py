"""A cache that is fed prompts and replies, so nothing is computed; recorded, if somebody wants to look at it later.

Knows an engine and no lesson, no comparison and no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...radix import CacheConfig, RadixCache
from ...radix.recording import Header, Recorder, Recording
from ..engine.engine import Ask, Completion, Engine, cache_of
from ..engine.runner import Runner
from ..engine.words import WordsRunner
from ..errors import UsageError


def config_of(settings: dict[str, Any]) -> CacheConfig:
    """Returns the settings of a cache. Raises UsageError for impossible ones."""
    preset, capacity, size = settings.get("preset"), settings["capacity"], settings.get("page_size", 1)
    if preset and capacity < size:
        raise UsageError(
            f"capacity {capacity} holds no block of {size} tokens, as {preset} has them",
            "Give more, or smaller blocks, or leave that preset out.",
        )
    try:
        config = CacheConfig(**settings)
        cache_of("", config, events=False) if config.preset else None  # a block size that the preset forbids
    except ValueError as error:
        raise UsageError(str(error), "Change it to something possible, or leave it out.") from None
    return config


class Fed:
    """A cache of some name and settings, behind an engine.

    Args:
        name: As in `CACHES`.
        config: Its settings.
        tokenizer: Of the tokens that it is fed.
        header: Of its recording; None: it is not recorded.
        runner: Makes what computes, given the highest slot; None: nothing does.
    """

    def __init__(
        self,
        name: str,
        config: CacheConfig,
        tokenizer: Any,
        header: Header | None,
        runner: Callable[[int], Runner] | None = None,
    ) -> None:
        cache = cache_of(name, config, events=header is not None)
        made = WordsRunner() if runner is None else runner(cache.highest_slot)
        self.engine = Engine(made, cache, tokenizer, cache_name=name)
        self._recorder: Recorder | None = None
        if header is not None:
            self._recorder = Recorder(header, tokenizer.token_bytes)
            self.engine.listeners.append(self._recorder.add)

    @property
    def recording(self) -> Recording:
        """What happened to the cache so far, with the growth of the moment."""
        assert self._recorder is not None, "it is not recorded"
        self._recorder.flush()
        return self._recorder.recording

    def serve(self, asks: Iterable[Ask]) -> list[Completion]:
        """Serves requests side by side, those too that fail; a completion for each sample, in order."""
        chunks = [chunk for chunk in self.engine.serve(asks) if chunk.completion is not None]
        return [chunk.completion for chunk in sorted(chunks, key=lambda chunk: chunk.reply) if chunk.completion]


def change(engine: Engine, *, capacity: int | None, policy: str | None) -> None:
    """Changes an engine's cache between requests; a policy, if it is a tree's.

    Raises:
        NoRoom: too much is locked for a smaller capacity.
        ValueError: a capacity that is not possible.
    """
    if policy is not None and isinstance(engine.cache, RadixCache):
        engine.cache.set_policy(policy)
        engine.publish()
    if capacity is not None:
        engine.resize(capacity)
