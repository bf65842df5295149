"""`radixchat bench`: runs the sections that were asked for, and prints what they found.

Nothing goes to stdout before all is done, so that an interrupted bench prints nothing half.
"""

from __future__ import annotations

import importlib
import importlib.util
import json as jsonlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ModelError, UsageError
from ..start import check_installed
from ..terminal import Terminal, open_terminal
from .goals import BENCHES, CUDA, GOALS
from .rows import Conditions, NotRun, Row, Section, first_line
from .table import print_table

SCHEMA = 1
NO_CUDA = "this machine (or this build of PyTorch) has no CUDA device"
TORCHLESS = ("tree",)
"""Benches that need no torch."""


class Found(NamedTuple):
    """What a bench found."""

    machine: dict[str, Any]
    rows: list[Row]
    not_run: list[NotRun]
    seconds: float
    quick: bool

    def facts(self) -> dict[str, Any]:
        """Returns it for programs."""
        return {
            "schema": SCHEMA,
            "machine": self.machine,
            "seconds": round(self.seconds, 1),
            "quick": self.quick,
            "rows": [row.facts(quick=self.quick) for row in self.rows],
            "not_run": [each.facts() for each in self.not_run],
        }


def run_bench(
    what: str | None,
    *,
    json: bool,
    plots: Path | None,
    rounds: int | None,
    quick: bool,
    device: str,
    color: str,
    ascii: bool,
) -> int:
    """Runs a bench and prints what it found; returns the exit code, which says nothing of verdicts.

    Args:
        what: One of BENCHES, or all.
        json: Print one object in place of the table.
        plots: A folder for charts, made if it is missing.
        rounds: How often each arm is timed; None leaves that to each row.
        quick: Tiny shapes and few rounds.
        device: auto, cpu or cuda.
        color: auto, always or never.
        ascii: ASCII characters only.

    Raises:
        UsageError: the folder for plots cannot be written, or matplotlib is missing.
        ModelError: torch is missing, or the device.
    """
    if what not in (*BENCHES, "all"):
        wrong = f"there is no bench {what!r}" if what else "bench needs to know what to measure"
        raise UsageError(wrong, f"Choose one of {', '.join(BENCHES)} or all.")
    torch = importlib.util.find_spec("torch") is not None
    if not torch and what not in ("all", *TORCHLESS):
        check_installed()
    place = _place(device, torch=torch and what not in TORCHLESS)
    if plots is not None:
        _check_plots(plots)
    terminal = open_terminal(color, ascii)
    benches = BENCHES if what == "all" else (what,)
    with _progress(terminal, sum(goal.bench in benches for goal in GOALS)) as (say, advance):
        found = measure(benches, Conditions(place, rounds, quick, say), torch=torch, tell=advance)
    if plots is not None:
        from .charts import write_charts

        written = write_charts(found.rows, plots)
        for line in [f"wrote {path}" for path in written] or [f"{what} has no chart: nothing was drawn"]:
            terminal.say(line)
    if json:
        print(jsonlib.dumps(found.facts(), ensure_ascii=False, indent=2))
    else:
        plain = color == "auto" and not terminal.out.isatty() and not os.environ.get("FORCE_COLOR")
        print_table(found, replace(terminal, colour=terminal.colour and not plain))
    return 0


def measure(
    benches: tuple[str, ...],
    at: Conditions,
    *,
    torch: bool = True,
    tell: Callable[[Row | NotRun], None] = lambda _: None,
) -> Found:
    """Runs benches.

    Args:
        benches: Of BENCHES.
        at: Where and how.
        torch: Whether it is installed.
        tell: Called with what was found, when it was found; but not with what needs torch where it is missing.
    """
    from .bandwidth import measured
    from .machine import machine

    begun = time.perf_counter()
    rows: list[Row] = []
    not_run: list[NotRun] = []
    for bench in benches:
        wanted = [goal for goal in GOALS if goal.bench == bench]
        if not torch and bench not in TORCHLESS:
            not_run += [NotRun(goal, "PyTorch is not installed: pip install 'radixchat[chat]'") for goal in wanted]
            continue
        with _threads(at, bench):
            for result in (result for section in _sections(bench) for result in _taken(section, at)):
                if isinstance(result, Row):
                    rows.append(result)
                else:
                    not_run.append(result)
                tell(result)
    seconds = time.perf_counter() - begun
    facts = machine(at.device, torch=torch) | measured(at)
    if at.quick and "threads" in facts:
        facts["threads"] = 1  # as `_threads` had it
    return Found(facts, _in_order(rows), _in_order(not_run), seconds, at.quick)


@contextmanager
def _threads(at: Conditions, bench: str) -> Iterator[None]:
    """Lets tiny models compute with one thread: more would mostly wait for one another."""
    if bench in TORCHLESS or not at.quick:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _sections(bench: str) -> tuple[Section, ...]:
    sections: tuple[Section, ...] = importlib.import_module(f".{bench.replace('-', '_')}", __package__).SECTIONS
    return sections


def _taken(section: Section, at: Conditions) -> Iterator[Row | NotRun]:
    """Yields a section's rows, and for each of its goals that got none, why; one that fails stops no other."""
    left = list(section.goals)
    why = _why_not(section, at)
    failed = why is None
    if failed:
        try:
            for found in section.run(at):
                if found.goal is not None:
                    left.remove(found.goal)
                yield found
        except Exception as error:
            why = first_line(error)
    yield from (NotRun(goal, why or "its bench ended without it", failed) for goal in left)


def _why_not(section: Section, at: Conditions) -> str | None:
    if at.device not in section.devices:
        return NO_CUDA if section.devices == (CUDA,) and not _has_cuda() else f"it is for --device {section.devices[0]}"
    if section.package and importlib.util.find_spec(section.package) is None:
        return f"it needs {section.package}, which is not installed"
    return None


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def _in_order(found: list[Any]) -> list[Any]:
    """Sorts by goal; what no goal asks for comes last."""
    return sorted(found, key=lambda each: GOALS.index(each.goal) if each.goal else len(GOALS))


def _place(device: str, *, torch: bool) -> str:
    """Returns cpu or cuda."""
    if not torch and device != CUDA:
        return "cpu"
    if importlib.util.find_spec("torch") is None:
        check_installed()
    there = _has_cuda()
    if device == CUDA and not there:
        raise ModelError(NO_CUDA, "Use --device auto.")
    return CUDA if device == CUDA or (device == "auto" and there) else "cpu"


def _check_plots(folder: Path) -> None:
    """Makes the folder for charts, and sees that files can be written there, before minutes are spent."""
    from .. import plots

    plots.check_installed()
    probe = folder / f".radixchat-{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UsageError(f"{folder} cannot be written: {why}", "Name another folder for --plots.") from None


@contextmanager
def _progress(terminal: Terminal, goals: int) -> Iterator[tuple[Any, Any]]:
    """Shows a bar on stderr while benches run, at a terminal only; yields what tells it labels and findings."""
    if not terminal.err.isatty():
        yield (lambda _: None), (lambda _: None)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=terminal.console(), transient=True) as bar:
        task = bar.add_task("beginning", total=goals)
        yield (lambda text: bar.update(task, description=text)), (lambda found: bar.advance(task, bool(found.goal)))
