"""A request: one prompt and the tokens sampled after it, from the queue to its result. Free of torch and of text."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from ...radix import Gone, Lease
from ...radix.keys import Int32Array
from ..errors import RequestError
from .params import SamplingParams
from .runner import Sampler


class Finish(StrEnum):
    """Why a request ended."""

    STOP = "stop"  # an end-of-sequence token, a stop text, or the end of a forced reply
    LENGTH = "length"  # max_tokens, or the model's context
    CAPACITY = "capacity"  # alone, and no room left in the pool
    CANCELLED = "cancelled"  # the user stopped it; what was computed is kept
    ERROR = "error"  # it failed; `Request.error` says why


@dataclass(slots=True, eq=False)
class Request:
    """One prompt on its way through the engine.

    The engine computes `known` tokens that have no K/V yet: first the prompt (chunk by chunk), then each sampled
    token. Each prompt token counts once, as reused or as prefilled, when K/V for it first exists; what is computed
    again after a retraction counts no more. So `reused + prefilled == prompt` as soon as there is a reply.
    """

    id: int
    prompt: Int32Array
    params: SamplingParams
    conversation: str = ""
    namespace: str = ""
    forced: Int32Array | None = None  # the reply is given, not sampled; every token of it gets K/V
    priority: int = 0  # for the eviction policy of that name
    rewritten: tuple[int, ...] = ()  # (start, end) of the prompt that a chat template says anew
    samples: list[Request] = field(default_factory=list)  # others with this prompt, who share it once it is computed
    overtaken: int = 0  # times a later one was admitted first
    generated: list[int] = field(default_factory=list)
    lease: Lease | None = None
    matched: int = 0  # prompt tokens found in the cache
    reused: int = 0  # prompt tokens not computed again
    prefilled: int = 0  # prompt tokens computed
    retractions: int = 0
    splits: list[int] = field(default_factory=list)
    evicted: list[Gone] = field(default_factory=list)
    finish: Finish | None = None
    error: RequestError | None = None
    sampler: Sampler = field(init=False)
    size: int = field(init=False)  # tokens of the prompt and of the reply so far
    _known: Int32Array = field(init=False)

    def __post_init__(self) -> None:
        self.sampler = Sampler(self.params, np.random.default_rng(self.params.seed))
        self.size = self.prompt.size
        self._known = np.empty(self.size + 64, dtype=np.int32)
        self._known[: self.size] = self.prompt

    @property
    def known(self) -> Int32Array:
        """Prompt and reply so far, shape ``[size]``."""
        return self._known[: self.size]

    def count_reused(self, computed: int) -> None:
        """Takes note that it begins (again) with K/V of its first tokens."""
        self.reused += max(0, min(computed, self.prompt.size) - self.reused - self.prefilled)
        self.matched = max(self.matched, self.reused)

    def count_prefilled(self, start: int, end: int) -> None:
        """Takes note that K/V of its tokens ``[start, end)`` was computed."""
        if start >= self.prompt.size:
            return
        self.prefilled += max(0, min(end, self.prompt.size) - max(start, self.reused + self.prefilled))

    def append(self, tokens: list[int]) -> None:
        """Adds sampled (or forced) tokens."""
        start = self.size
        end = start + len(tokens)
        if end > self._known.size:
            self._known = np.concatenate((self._known, np.empty(max(end, self._known.size), dtype=np.int32)))
        for place, token in enumerate(tokens, start):  # mostly one, for which numpy makes no array this way
            self._known[place] = token
        self.generated.extend(tokens)
        self.size = end

    @property
    def prefilling(self) -> bool:
        """Whether more than the last sampled token waits to be computed."""
        if self.lease is None:
            return False
        return self.forced is not None or not self.generated or self.size - self.lease.computed > 1

    def upcoming(self, most: int) -> list[int]:
        """The next tokens of a forced reply, once all before them are computed.

        The first one comes alone, as a sampled one would: so samples part where they differ before they ask for room.
        """
        if self.forced is None or self.lease is None or self.lease.computed < self.size:
            return []
        start = len(self.generated)
        upcoming: list[int] = self.forced[start : start + (most if start else 1)].tolist()
        return upcoming

    @property
    def uncached(self) -> Int32Array:
        """The last sampled token, when it has no K/V; else nothing."""
        waiting = self.lease is not None and self.size - self.lease.computed == 1
        return self.known[-1:] if self.generated and waiting else self.known[:0]
