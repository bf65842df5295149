"""The words tokenizer and its runner: the same cache, scheduler and recordings without any model.

A word with the blanks after it is a token; ids are given out in order of appearance. A chat role marker binds to the
word that follows, and the marker of a few-shot example ("Question 3:") is a token of its own, so that a tree of words
splits where the paper's figure splits. Replies are given, never invented.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...radix.keys import Int32Array
from .runner import Work

_WORD = re.compile(
    r"(?:\A\s+)?"  # blanks before everything belong to the first word
    r"(?:(?:Question|Answer) \d+:|(?:(?:User|Assistant|System):\s*)?\S+)\s*"
    r"|\s+"
)


class WordsTokenizer:
    """Splits text into words; learns each new one."""

    name = "words"
    eos_ids: frozenset[int] = frozenset()

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._words: list[str] = []

    def encode(self, text: str) -> Int32Array:
        """Returns the ids of the words, int32, shape ``[words]``; words seen for the first time get the next ids."""
        return np.array([self._id(word) for word in _WORD.findall(text)], dtype=np.int32)

    def token_bytes(self, token: int) -> bytes:
        """Returns a word with the blanks after it."""
        return self._words[token].encode("utf-8")

    def _id(self, word: str) -> int:
        if word not in self._ids:
            self._ids[word] = len(self._words)
            self._words.append(word)
        return self._ids[word]


class WordsRunner:
    """Computes nothing; only given replies can follow a prompt."""

    max_context = 1 << 20
    bytes_per_token = 0

    def step(self, batch: Sequence[Work]) -> list[tuple[int, ...]]:
        """Returns no token for any work: nothing is sampled."""
        assert not any(work.samplers for work in batch), "words cannot sample"
        return [()] * len(batch)

    def copy(self, sources: Int32Array, targets: Int32Array) -> None:
        """Does nothing: no K/V is stored."""

    def resize(self, slots: int) -> None:
        """Does nothing: no K/V is stored."""

    def sibling(self, slots: int) -> WordsRunner:
        """Returns itself: it has no state."""
        return self

    def logits(self, work: Work) -> npt.NDArray[np.float32]:
        """Raises NotImplementedError: words have no logits."""
        raise NotImplementedError("words have no logits")
