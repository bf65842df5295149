"""Reads traces: JSONL in the form of Mooncake, one request a line, as a stream of any length.

    {"timestamp": 27, "input_length": 1030, "output_length": 12, "hash_ids": [0, 7, 8]}

Every line is checked; a bad one is told with its number and its reason. Knows no cache.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from ...viz import sanitize
from ..errors import UsageError, UserError
from .ids import Census, Contradiction, Ids, PathIds, PrefixIds

LONGEST: Final = 64 << 20
"""Bytes of a line after which it is no line of a trace; so a file without newlines fills no memory."""

USUAL: Final = (512, 64, 16)
"""Tokens of a block in the traces there are."""

TOLD: Final = 5
"""Bad lines of which the reason is told when they are skipped; all are counted."""

_MOST: Final = 2**31 - 1


class Scope(StrEnum):
    """What an id of a trace means."""

    PREFIX = "prefix"  # a block and all before it, in every file the same
    CONTENT = "content"  # the tokens of one block
    TRACE = "trace"  # a block and all before it, in its own file


class Unit(StrEnum):
    """Of timestamps."""

    MS = "ms"
    S = "s"


class Request(NamedTuple):
    """One request, its blocks numbered."""

    time: float  # seconds since the trace began
    tokens: int  # of the prompt
    prompt: int  # blocks of the prompt: those that are looked up
    blocks: array[int]  # all that the cache holds afterwards: the prompt's, then those of a recorded reply


@dataclass(slots=True)
class Skipped:
    """What is left out. Of bad lines the first one ends it all, or they are counted.

    Attributes:
        skip: Whether bad lines are counted only.
        count: How many there were.
        reasons: The first few, as told.
        unknown: Requests of recordings that do not tell all of their tokens.
    """

    skip: bool = False
    count: int = 0
    reasons: list[str] = field(default_factory=list)
    unknown: int = 0

    def bad(self, name: str, number: int, reason: str, fix: str = "") -> None:
        """Takes down a bad line, or raises UserError."""
        told = f"line {number:,} of {name}: {reason}"
        if not self.skip:
            raise UserError(sanitize(told), fix or "Mend the line, or leave all bad lines out with --skip-bad.")
        self.count += 1
        if len(self.reasons) < TOLD:
            self.reasons.append(sanitize(told))


class _Bad(ValueError):
    """Why a line is bad, and what to do."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


def numbering(scope: Scope, files: int) -> list[Ids]:
    """Returns what numbers the blocks of each file; files whose ids mean the same share it."""
    census = Census()
    if scope is Scope.TRACE:
        return [PrefixIds(census) for _ in range(files)]
    shared: Ids = PathIds(census) if scope is Scope.CONTENT else PrefixIds(census)
    return [shared] * files


def read(path: Path, block: int, unit: Unit, ids: Ids, skipped: Skipped) -> Iterator[Request]:
    """Yields the requests of a trace, in the order of its lines.

    Args:
        path: Of the file.
        block: Tokens of a block.
        unit: Of the timestamps.
        ids: Numbers the blocks.
        skipped: Takes the bad lines.

    Raises:
        UsageError: the file cannot be read.
        UserError: a bad line, unless they are skipped.
    """
    seconds = 1e-3 if unit is Unit.MS else 1.0
    with open_trace(path) as file:
        for number, line in enumerate(_lines(file), start=1):
            if line.isspace():
                continue
            try:
                yield _request(line, block, seconds, ids)
            except Contradiction as error:
                skipped.bad(path.name, number, str(error), _OTHER_IDS)
            except _Bad as error:
                skipped.bad(path.name, number, str(error), error.fix)


_OTHER_IDS: Final = "If ids mean a block's content, give --ids content; if each file has its own ids, --ids trace."


def open_trace(path: Path) -> IO[bytes]:
    """Opens a file for reading. Raises UsageError when it cannot be read."""
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UsageError(f"{path} cannot be read: {why}", "Name a trace: JSON, a request a line.") from None


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yields the lines of a file; of one that is far too long, the beginning."""
    while line := file.readline(LONGEST):
        yield line
        while len(line) == LONGEST and not line.endswith(b"\n"):
            line = file.readline(LONGEST)


_FIELDS: Final = ("timestamp", "input_length", "output_length", "hash_ids")
_MISSING: Final[Any] = object()


def _request(line: bytes, block: int, seconds: float, ids: Ids) -> Request:
    values = _values(line)
    time, tokens, output, names = (values.get(name, _MISSING) for name in _FIELDS)
    if type(time) not in (int, float) or not isfinite(time) or time < 0:
        raise _Bad(f"timestamp {_short(time)} is no time")
    if type(tokens) is not int or not 0 < tokens <= _MOST:
        raise _Bad(f"input_length {_short(tokens)} is no size of a prompt")
    if type(output) is not int or output < 0:
        raise _Bad(f"output_length {_short(output)} is no size of a reply")
    if type(names) is not list or not {int}.issuperset(map(type, names)):
        raise _Bad(f"hash_ids {_short(names)} is no list of numbers")
    if len(names) != -(-tokens // block):
        raise _wrong_count(tokens, len(names), block)
    numbers = ids.number(names)
    return Request(time * seconds, tokens, len(numbers), numbers)


def _values(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        if not line.endswith(b"\n"):
            raise _Bad("is cut off" if len(line) < LONGEST else f"is longer than {LONGEST:,} bytes") from None
        why = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise _Bad(f"is no JSON ({why})") from None
    if not isinstance(values, dict):
        raise _Bad("is no JSON object")
    return values


def _wrong_count(tokens: int, blocks: int, block: int) -> _Bad:
    reason = f"{blocks:,} hash_ids for {tokens:,} tokens, where blocks of {block} make {-(-tokens // block):,}"
    fits = [usual for usual in USUAL if -(-tokens // usual) == blocks]
    return _Bad(reason, f"Are blocks {fits[0]} tokens? Give --trace-block {fits[0]}." if fits else "")


def _short(value: object) -> str:
    """A value of a file, as an error names it."""
    if value is _MISSING:
        return "(missing)"
    text = json.dumps(value) if not isinstance(value, list) else f"of {len(value):,} items"
    return text if len(text) <= 24 else text[:23] + "…"
