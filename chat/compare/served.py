"""What is compared: prompts and replies as token ids, step by step, and what was done to the cache between them.

Plain data. Knows no cache and no engine, and not where it comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ...radix import CacheConfig
from ...radix.keys import Int32Array


class Served(NamedTuple):
    """A prompt, and one reply or several samples."""

    prompt: Int32Array  # int32
    replies: tuple[
        Int32Array, ...
    ]  # what got K/V of each, int32: all of one that was given, all but the last of others
    conversation: str = ""
    namespace: str = ""


class Step(NamedTuple):
    """Requests that ran side by side, and what happened before them."""

    number: int
    title: str  # one line, or ""; not sanitised
    requests: tuple[Served, ...]
    capacity: int | None = None  # tokens, from now on
    policy: str | None = None  # of trees, from now on
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that was served.

    Attributes:
        title: What it is, in a few words; not sanitised.
        steps: In order.
        config: The cache that served it, as it began.
        token_bytes: The bytes of a token id.
        model: The name of the model, or "words".
        tokenizer: Its name.
        bytes_per_token: K and V of a token over all layers; 0: not known.
        notes: What to know about it, a sentence each.
    """

    title: str
    steps: tuple[Step, ...]
    config: CacheConfig
    token_bytes: Callable[[int], bytes]
    model: str = ""
    tokenizer: str = ""
    bytes_per_token: int = 0
    notes: tuple[str, ...] = ()
