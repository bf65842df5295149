"""What somebody asks a simulation for: the options, read from words. Knows no trace and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from ..errors import UsageError
from .caches import Wanted
from .reading import Scope, Unit


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for; each field is an option of the command line."""

    caches: Wanted = field(default_factory=Wanted)
    capacity: Sequence[str] = ()  # none: a ladder
    trace_block: int | None = None  # None: 512, or 1 for recordings
    time: Unit = Unit.MS
    ids: Scope = Scope.PREFIX
    of: str | None = None
    model_kv_bytes: int | None = None
    limit: int | None = None
    skip_bad: bool = False
    optimum: bool = True
    jobs: int | None = None  # None: as many as can run at the same time
    json: bool = False
    csv: bool = False
    plot: Path | None = None
    record: Path | None = None
    window: str | None = None


Choice = TypeVar("Choice", bound=StrEnum)

_LISTS = {
    "cache": "caches",
    "policy": "policies",
    "unit": "units",
    "split_recency": "splits",
    "tie": "ties",
    "preset": "presets",
}

_OF = {"policy": "radix", "unit": "radix", "split_recency": "radix", "tie": "radix", "preset": "hash"}
"""Options that decide one cache alone: a hash cache has an order of its own, and no cache has none."""


def options(*, time: str, ids: str, capacity: Sequence[str], **given: Any) -> Options:
    """Returns the options as the command line has them: lists are given repeatedly, or with commas, or both.

    Raises:
        UsageError: a name that there is not.
    """
    lists = {field: several(given.pop(name)) for name, field in _LISTS.items()}
    wanted = replace(Wanted(), **{name: names for name, names in lists.items() if names})
    for name, of in _OF.items():
        if lists[_LISTS[name]] and of not in wanted.caches:
            raise UsageError(f"--{name.replace('_', '-')} is of --cache {of}", f"Leave it out, or add --cache {of}.")
    return Options(
        caches=wanted, capacity=several(capacity), time=_of(Unit, "time", time), ids=_of(Scope, "ids", ids), **given
    )


def several(words: Sequence[str] | None) -> tuple[str, ...]:
    """Returns the parts of lists with commas, each once, in order."""
    return tuple(dict.fromkeys(part.strip() for word in words or () for part in word.split(",") if part.strip()))


def _of(choices: type[Choice], option: str, value: str) -> Choice:
    try:
        return choices(value)
    except ValueError:
        raise UsageError(f"--{option} {value!r} is not possible", f"Choose one of {', '.join(choices)}.") from None
