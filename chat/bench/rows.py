"""What a bench finds: rows beside their goals, rows that could not be taken, and the conditions it runs under.

Knows no model, no terminal and no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .goals import Goal, goal, shown
from .timing import Arm, Times, interleaved

INFO = "info"
"""The verdict of a row that no goal asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One ratio, and what it was made of."""

    value: float  # the ratio, or whatever the goal's unit says
    arms: Mapping[str, float]  # median of each arm in seconds
    goal: Goal | None = None  # None: shown for information
    what: str = ""  # the goal says what it is about; this, where there is none
    unit: str = "×"
    rounds: int = 0  # how often each arm was timed
    tokens: int | None = None  # of history or context, where the row is about that
    chart: str = ""  # ttft or decode: its arms are points of that chart, above `tokens`
    floor: tuple[str, float] | None = None  # an arm, and the seconds that moving its bytes alone takes
    note: str = ""

    @property
    def verdict(self) -> str:
        """Pass, good or stretch; missed; or info."""
        return INFO if self.goal is None else self.goal.judge(self.value)

    @property
    def over_floor(self) -> float | None:
        """How many times longer an arm took than moving its bytes."""
        return None if self.floor is None else self.arms[self.floor[0]] / self.floor[1]

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return shown(self.value, self.goal.unit if self.goal else self.unit)

    def facts(self, *, quick: bool = False) -> dict[str, Any]:
        """Returns the row for programs; times are in seconds, and a quick bench has no verdict."""
        about = self.goal
        return {
            "id": about.id if about else None,
            "case": about.case if about else None,
            "what": about.what if about else self.what,
            "baseline": about.baseline if about else "",
            "value": self.value,
            "shown": self.shown,
            "unit": about.unit if about else self.unit,
            **(about.wanted if about else dict.fromkeys(("pass", "good", "stretch"))),
            "verdict": None if quick else self.verdict,
            "arms": dict(self.arms),
            "rounds": self.rounds,
            "tokens": self.tokens,
            "floor": None if self.floor is None else {"arm": self.floor[0], "seconds": self.floor[1]},
            "floor_ratio": self.over_floor,
            "note": self.note,
        }


class NotRun(NamedTuple):
    """A goal that was not measured, and why."""

    goal: Goal
    why: str
    failed: bool = False  # whether it could have been measured here, and something went wrong

    def facts(self) -> dict[str, Any]:
        """Returns it for programs."""
        about = self.goal
        return {"id": about.id, "case": about.case, "what": about.what, "why": self.why, "failed": self.failed}


def first_line(error: Exception) -> str:
    """Returns what went wrong, in one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a bench is run."""

    device: str = "cpu"  # cpu or cuda
    rounds: int | None = None  # None: as many as each row finds right
    quick: bool = False  # tiny shapes and few rounds: shows that it works, and nothing else
    say: Callable[[str], None] = lambda _: None  # told what is going on

    def times(self, arms: Mapping[str, Arm], rounds: int, seconds: float) -> Times:
        """Times arms under these conditions; what is asked for on the command line goes before the row's own numbers.

        Args:
            arms: As `interleaved` takes them.
            rounds: How many rounds the row finds right.
            seconds: What it may take.
        """
        if self.rounds is not None:
            return interleaved(arms, self.rounds)
        return interleaved(arms, 2 if self.quick else rounds, seconds=seconds)

    def size(self, tokens: int) -> int:
        """Returns a length in tokens, a small one where only the way is to be tried."""
        return max(8, tokens // 64) if self.quick else tokens


Rows = Iterator[Row | NotRun]


class Section(NamedTuple):
    """Rows that are taken together, and where."""

    goals: tuple[Goal, ...]  # those it yields rows for; it may yield more, for information
    devices: tuple[str, ...]
    run: Callable[[Conditions], Rows]
    package: str = ""  # what it needs besides torch


def section(run: Callable[[Conditions], Rows], devices: str, *names: str, package: str = "") -> Section:
    """Makes a section of goals written as "G1" or "G8 512"."""
    split = (name.partition(" ") for name in names)
    return Section(tuple(goal(id, case) for id, _, case in split), tuple(devices.split()), run, package)
