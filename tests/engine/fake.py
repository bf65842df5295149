"""A model without weights: K/V of a token depends on every token before it, so any wrong slot changes the reply."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from radixchat.chat.engine.runner import Runner, Sampler, Work
from radixchat.radix.keys import Int32Array

VOCABULARY = 13
EOS = 0
_PRIME = 1_000_003


class FakeTokenizer:
    """Letters are tokens: "a" is 1, "b" is 2 and so on; "." ends a reply."""

    name = "letters"
    eos_ids = frozenset({EOS})

    def encode(self, text: str) -> Int32Array:
        return np.array([EOS if letter == "." else ord(letter) - 96 for letter in text], dtype=np.int32)

    def token_bytes(self, token: int) -> bytes:
        return b"." if token == EOS else bytes([token + 96])


class FakeRunner:
    """Stores one number per slot instead of K/V; checks that it is never asked to read what was never written."""

    bytes_per_token = 8

    def __init__(self, slots: int, max_context: int = 10_000) -> None:
        self.max_context = max_context
        self.pool = np.full(slots + 1, -1, dtype=np.int64)
        self.works: list[list[Work]] = []
        self.fail_at: int | None = None

    def step(self, batch: Sequence[Work]) -> list[tuple[int, ...]]:
        self.works.append(list(batch))
        if self.fail_at is not None and len(self.works) > self.fail_at:
            self.fail_at = None
            raise RuntimeError("out of memory")
        fresh = [self._values(work) for work in batch]
        for work, values in zip(batch, fresh, strict=True):
            self.pool[work.slots[work.start :]] = values
        return [
            tuple(_token(self._sum(work, values), sampler) for sampler in work.samplers)
            for work, values in zip(batch, fresh, strict=True)
        ]

    def _values(self, work: Work) -> npt.NDArray[np.int64]:
        before = self.pool[work.slots[: work.start]]
        assert (before >= 0).all(), "K/V is read that was never written"
        total, values = int(before.sum()), []
        for place, token in enumerate(work.tokens.tolist(), start=work.start):
            values.append(_value(token, place, total))
            total += values[-1]
        return np.array(values, dtype=np.int64)

    def _sum(self, work: Work, values: npt.NDArray[np.int64]) -> int:
        return int(self.pool[work.slots[: work.start]].sum() + values.sum())

    def copy(self, sources: Int32Array, targets: Int32Array) -> None:
        self.pool[targets] = self.pool[sources]

    def resize(self, slots: int) -> None:
        pool = np.full(slots + 1, -1, dtype=np.int64)
        kept = min(pool.size, self.pool.size)
        pool[:kept] = self.pool[:kept]
        self.pool = pool

    def sibling(self, slots: int) -> Runner:
        return FakeRunner(slots, self.max_context)

    def logits(self, work: Work) -> npt.NDArray[np.float32]:
        raise NotImplementedError


def _token(total: int, sampler: Sampler) -> int:
    return (total + (0 if sampler.params.greedy else int(sampler.random.integers(VOCABULARY)))) % VOCABULARY


def _value(token: int, place: int, before: int) -> int:
    return ((token + 1) * 7919 + place * 104_729 + before * 31) % _PRIME


def reply_of(prompt: Sequence[int], max_tokens: int) -> list[int]:
    """What the fake model replies, without any cache."""
    total, place, generated = 0, 0, []
    tokens = list(prompt)
    while True:
        for token in tokens:
            total += _value(token, place, total)
            place += 1
        token = total % VOCABULARY
        generated.append(token)
        if token == EOS or len(generated) == max_tokens:
            return generated
        tokens = [token]
