"""What the cache of a lesson and its arms have in common: settings, changes between steps, what came of a step.

Knows engines and the data of runs; not which cache is fed, nor by whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...radix import NoRoom, Snapshot
from ...radix.keys import Int32Array
from ...radix.recording import Pieces
from ..compare.fed import change as change_cache
from ..errors import RequestError
from .loading import LessonError
from .runs import Done, Sums, text_of
from .schema import Change, Step

if TYPE_CHECKING:
    from ..engine.engine import Completion, Engine


def adapt(engine: Engine, change: Change) -> int:
    """Changes a cache; returns how many tokens went. Raises RequestError where too much is locked."""
    before = engine.cache.snapshot().resident
    try:
        change_cache(engine, capacity=change.capacity, policy=change.policy)
    except (NoRoom, ValueError) as error:
        raise RequestError(str(error), "Give a larger capacity.") from None
    return before - engine.cache.snapshot().resident


def results(step: Step, facts: Sequence[Completion]) -> Iterable[Done]:
    """Yields what came of each sample: completions come request by request, sample by sample."""
    left = iter(facts)
    for place, request in enumerate(step.requests):
        for sample in range(len(request.given) or request.n):
            one = next(left)
            reply = request.given[sample] if request.given else one.text.lstrip()
            yield Done(place, sample, request.conversation, one.prompt_ids, reply, one)


def sums_of(facts: Iterable[Completion], shrunk: int) -> Sums:
    """Returns the sums of a step; `shrunk` tokens went before it because the capacity shrank."""
    total = Sums(evicted=shrunk)
    for one in facts:
        total = total.plus(
            Sums(
                one.prompt_tokens, one.matched_tokens, one.reused_tokens, one.prefilled_tokens, one.generated_tokens,
                one.evicted_tokens,
            )
        )  # fmt: skip
    return total


def cached(one: Done, given: bool) -> Int32Array:
    """Returns the tokens of a reply that got K/V: all of one that was given, all but the last of a sampled one."""
    ids = np.array(one.facts.token_ids, dtype=np.int32)
    return ids if given else ids[:-1]


def texts_of(snapshot: Snapshot, pieces: Pieces) -> dict[int, str]:
    """Returns the text of every node and tombstone of a panel."""
    keys = {node.id: node.key for node in snapshot.nodes()} | {gone.node: gone.key for gone in snapshot.tombstones}
    return {id: text_of(key, pieces) for id, key in keys.items()}


def lettered(step: Step, texts: dict[int, str]) -> Iterable[tuple[str, str, list[int]]]:
    """Yields the letters of a step's panel, their words, and the nodes whose text holds these."""
    for letter, words in step.letters.items():
        yield letter, words, [id for id, text in texts.items() if words in text]


def check_whole(facts: Iterable[Completion], where: str, capacity: int) -> None:
    """Raises LessonError when a reply was cut off because no room was left."""
    for one in facts:
        if one.finish_reason == "capacity":
            raise too_long(where, one.prompt_tokens, one.prompt_tokens + one.generated_tokens + 1, capacity)


def too_long(where: str, prompt: int, size: int, capacity: int) -> LessonError:
    """Returns the error of a prompt, or of one with its reply, that the cache cannot hold."""
    if prompt > capacity:
        what = f"{where}: the prompt has {prompt} tokens; the capacity is {capacity}"
    else:
        what = f"{where}: prompt and reply have {size} tokens or more; the capacity is {capacity}"
    return LessonError(what, "Give a larger capacity, or shorten what is said.")
