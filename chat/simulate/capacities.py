"""Capacities in blocks of a trace, as somebody writes them: in blocks, in tokens, or in bytes of a model's K and V."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..errors import UsageError

KV_BYTES: Final = {
    "SmolLM2-135M": 23_040,
    "SmolLM2-360M": 40_960,
    "Qwen2.5-0.5B": 12_288,
    "Qwen3-0.6B": 114_688,
    "Llama-3.2-1B": 32_768,
}
"""Bytes of K and V that one token takes, at two bytes a number."""

STEPS: Final = 8
"""Capacities where none is given."""

_CAPACITY: Final = re.compile(r"(\d{1,40}(?:\.\d{1,40})?)([kmg](?:i)?)?(tok|b)?", re.IGNORECASE)
MOST: Final = 10**12
"""Blocks of the largest capacity; no trace has as many."""

_TIMES: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}


def parse(words: Sequence[str], block: int, kv_bytes: int) -> list[int]:
    """Returns capacities in blocks, rising, each once.

    Args:
        words: Like 5k (blocks), 2Mtok (tokens) or 8GB (bytes).
        block: Tokens of a block.
        kv_bytes: Bytes of a token; 0 where nobody said.

    Raises:
        UsageError: none of these, bytes of nobody knows what, or less than one block.
    """
    return sorted({_parse(word, block, kv_bytes) for word in words})


def _parse(word: str, block: int, kv_bytes: int) -> int:
    match = _CAPACITY.fullmatch(word.replace("_", ""))
    if match is None:
        raise UsageError(f"{word!r} is no capacity", "Write 5k (blocks of the trace), 2Mtok (tokens) or 8GB (bytes).")
    number, factor, unit = match[1], (match[2] or "").lower(), (match[3] or "").lower()
    if unit == "b" and not kv_bytes:
        raise UsageError(
            f"{word} holds as many blocks as a model lets it",
            f"Name one, --of {next(iter(KV_BYTES))}, or say what a token takes: --model-kv-bytes 12288.",
        )
    size = {"": 1, "tok": block, "b": block * max(kv_bytes, 1)}[unit]
    whole, _, part = number.partition(".")
    amount: int = int(whole + part) * _TIMES[factor] // 10 ** len(part)  # exact
    if amount // size < 1:
        raise UsageError(f"a capacity of {word} is less than one block", "Give more.")
    if amount // size > MOST:
        raise UsageError(f"a capacity of {word} is more than any trace fills", "Give less.")
    return amount // size


def kv_bytes_of(model: str | None, given: int | None) -> int:
    """Returns what a token of a model takes; 0 where nobody said. Raises UsageError for a model not in the list."""
    if model is None:
        return given or 0
    if given is not None:
        raise UsageError("--of and --model-kv-bytes both say what a token takes", "Give one of them.")
    wanted = model.rpartition("/")[2].lower().removesuffix("-instruct").removesuffix("-base")
    for name, size in KV_BYTES.items():
        if name.lower() == wanted:
            return size
    raise UsageError(
        f"what a token of {model!r} takes is not known",
        f"Give --model-kv-bytes N (`radixchat doctor -m MODEL` says it), or one of {', '.join(KV_BYTES)}.",
    )


def ladder(distinct: int) -> list[int]:
    """Returns the capacities where none is given: 1, 2, 5, 10, …, up to the first that holds all that is distinct."""
    steps, value = [1], 1
    while value < distinct:
        value = value * 5 // 2 if str(value)[0] == "2" else value * 2
        steps.append(value)
    return steps[-STEPS:]
