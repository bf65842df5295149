"""What a run of a lesson is: a recording, its steps, what came of their requests, and what a what-if changed.

Data, and what can be read from it alone. Knows no engine and no front end, and not how a run comes about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...radix import CacheConfig, Snapshot
from ...radix.keys import Int32Array, Key, as_array
from ...radix.recording import Pieces, Recording
from .schema import Lesson, Request, Step

if TYPE_CHECKING:
    from ..engine.engine import Completion


class Done(NamedTuple):
    """One sample of one request."""

    request: int  # its place in the step, from 0
    sample: int  # its place among the request's samples, from 0
    conversation: str  # or ""
    prompt: Int32Array  # ids, int32
    reply: str  # as shown
    facts: Completion

    @property
    def sequence(self) -> Int32Array:
        """Tokens of the prompt and its reply, int32."""
        return np.concatenate((self.prompt, np.array(self.facts.token_ids, dtype=np.int32)))


class Sums(NamedTuple):
    """Tokens, over the requests of a step or of all so far."""

    prompt: int = 0
    matched: int = 0
    reused: int = 0
    prefilled: int = 0
    generated: int = 0
    evicted: int = 0  # to make room, or because the capacity shrank

    def plus(self, other: Sums) -> Sums:
        """Returns the sums of both."""
        return Sums(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Changes:
    """What a what-if changes; None (and nothing extra) is as the lesson has it."""

    capacity: int | None = None  # tokens of the model at hand; beats what steps change
    policy: str | None = None  # likewise
    split_recency: str | None = None
    page_size: int | None = None
    extra: tuple[tuple[int, Request], ...] = ()  # (number of a lesson's step, request): a step of its own after that

    def __bool__(self) -> bool:
        return self != Changes()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the cache that change, by name."""
        named = ("capacity", "policy", "split_recency", "page_size")
        return {name: value for name in named if (value := getattr(self, name)) is not None}

    def heading(self, lang: str = "en") -> str:
        """Returns what changes in one line, "" for nothing: ``WHAT IF capacity 110 · policy fifo``."""
        if not self:
            return ""
        chinese = lang == "zh"
        words = _ZH if chinese else {}
        said = [f"{words.get(name, name.replace('_', '-'))} {value}" for name, value in self.settings.items()]
        said += [f"“{request.user or request.prompt}”" for _, request in self.extra]
        return f"{'假如' if chinese else 'WHAT IF'} {' · '.join(said)}"


UNCHANGED = Changes()
"""A run as the lesson has it."""

_ZH = {"capacity": "容量", "policy": "策略", "split_recency": "split-recency", "page_size": "页大小"}


@dataclass(frozen=True, slots=True)
class StepRun:
    """What one step did."""

    number: int  # 1 is the first of the run
    step: Step  # of the lesson; one made for it where a what-if adds a step
    start: int  # position in the recording before its first event ...
    end: int  # ... and after its last: the start of the next step
    done: tuple[Done, ...]  # request by request, sample by sample
    letters: dict[int, str]  # of this panel: node or tombstone id -> letter
    sums: Sums  # of this step
    arms: tuple[tuple[str, Sums, Sums], ...]  # of each arm: English name, of this step, so far
    keys: tuple[Int32Array, ...]  # the whole sequence (prompt and reply) of each sample


@dataclass(slots=True)
class Run:
    """A lesson that was run, whole or up to a step; grows while it runs."""

    lesson: Lesson
    model: str  # its name
    changes: Changes
    recording: Recording  # one step for each of the lesson's, also for those without requests
    steps: list[StepRun]
    bytes_per_token: int  # of the model, or of the lesson's shape on words, or 0
    config: CacheConfig  # of the cache, as it began
    abridged: tuple[tuple[str, str], ...]  # for a `Look`
    notes: tuple[str, ...]  # what to know, a sentence each
    asked: dict[str, Run] = field(default_factory=dict)  # runs of the arms that questions are about, by English name

    def panel(self, number: int) -> Snapshot:
        """Returns the tree after a step; 0 is before the first."""
        return self.recording.at(self.steps[number - 1].end if number else 0)

    def drawn(self, number: int) -> dict[int, str]:
        """Returns the letters that a panel is drawn with: its own, and on what went those of the panel before.

        Questions and narrations call a node that is evicted as the panel before did.
        """
        if not number:
            return {}
        before = self.steps[number - 2].letters if number > 1 else {}
        gone = {stone.node for stone in self.panel(number).tombstones}
        return {id: letter for id, letter in before.items() if id in gone} | self.steps[number - 1].letters

    def of_lesson(self, number: int) -> bool:
        """Returns whether a step is of the lesson; a what-if may add others."""
        return any(self.steps[number - 1].step is step for step in self.lesson.steps)

    def told(self, number: int) -> int:
        """Returns how many of the steps up to one are of the lesson."""
        return sum(map(self.of_lesson, range(1, number + 1)))

    def sums(self, number: int) -> Sums:
        """Returns the sums over the steps up to one."""
        total = Sums()
        for step in self.steps[:number]:
            total = total.plus(step.sums)
        return total


def text_of(key: Key, pieces: Pieces) -> str:
    """Returns the text of a key as it stands; bytes that are no text become U+FFFD."""
    return b"".join(pieces.get(token, b"") for token in as_array(key).tolist()).decode("utf-8", errors="replace")
