"""`radixchat simulate`: reads traces, runs the caches, shows the results. Puts the parts together."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from ...viz import sanitize
from ..errors import UsageError, UserError
from ..exporting import files
from ..journal import find
from ..terminal import Terminal, open_terminal
from . import capacities, results, window
from .caches import OPTIMUM, Setup
from .ids import Census, PathIds
from .optimum import POLICY
from .options import Options
from .reading import Skipped, numbering, read
from .recorded import is_recording, read_recording
from .sweep import Job, cores, sweep
from .trace import Trace, merged, pack

_BLOCK: Final = 512
_PAGE: Final = 1


def run_simulate(paths: Sequence[Path], asked: Options, *, color: str, ascii: bool) -> int:
    """Simulates; prints the results to stdout and everything else to stderr. Returns the exit code.

    Raises:
        UserError: a trace that cannot be read, or options that mean nothing.
        KeyboardInterrupt: Ctrl-C; no process and no file is left behind.
    """
    _check(asked)
    paths = [find(str(path)) for path in paths]  # `last` is the newest recording
    terminal = open_terminal(color, ascii)
    skipped = Skipped(asked.skip_bad)
    with tempfile.TemporaryDirectory(prefix="radixchat-", ignore_cleanup_errors=True) as folder:
        try:
            with _progress(terminal, "reading", None) as done:
                trace = _read(paths, asked, skipped, Path(folder) / "trace", done)
        finally:
            _tell_skipped(terminal, skipped)
        jobs = _jobs(asked, trace)
        if asked.record is not None:
            terminal.say(window.record(trace, jobs[0], window.parse(asked.window), asked.record))
            return 0
        with _progress(terminal, "simulating", len(jobs) * trace.requests) as done:
            rows = sweep(trace, jobs, asked.jobs or cores(), done)
    if asked.json:
        print(results.as_json(trace, skipped, rows))
    elif asked.csv:
        print(results.as_csv(rows), end="")
    else:
        terminal.say(results.told(trace))
        terminal.console(terminal.out).print(results.table(rows, terminal))
    if asked.plot is not None:
        results.draw(asked.plot, trace, rows)
        terminal.say(f"wrote {sanitize(str(asked.plot))}")
    return 0


def _check(asked: Options) -> None:
    """Refuses what can be refused before anything is read."""
    if asked.json and asked.csv:
        raise UsageError("--json and --csv are two forms of the same", "Give one of them.")
    if asked.window is not None and asked.record is None:
        raise UsageError("--window is of a recording", "Say where it goes: --record FILE.")
    window.parse(asked.window)
    capacities.kv_bytes_of(asked.of, asked.model_kv_bytes)
    capacities.parse(asked.capacity, 1, 1)  # the rest depends on the trace
    if asked.plot is not None:
        from ..plots import check_installed

        if asked.plot.suffix.lower() != ".svg":
            raise UsageError(f"the plot is an SVG, and {asked.plot.name!r} names none", "Name it FILE.svg.")
        check_installed()
    files.check([path for path in (asked.plot, asked.record) if path is not None], clobber=True)


# -- reading -------------------------------------------------------------------------------------------------------


def _read(paths: Sequence[Path], asked: Options, skipped: Skipped, packed: Path, done: Callable[[int], None]) -> Trace:
    name = " + ".join(path.name for path in paths)
    recorded = [is_recording(path) for path in paths]
    if any(recorded) and not all(recorded):
        raise UsageError("recordings and traces do not mix: their blocks are different things", "Name one kind.")
    if all(recorded):
        block, own = asked.trace_block or _PAGE, PathIds(Census())
        streams = [read_recording(path, block, own, skipped) for path in paths]
    else:
        block = asked.trace_block or _BLOCK
        ids = numbering(asked.ids, len(paths))
        streams = [read(path, block, asked.time, each, skipped) for path, each in zip(paths, ids, strict=True)]
    so_far = 0

    def tick(requests: int) -> None:
        nonlocal so_far
        so_far += requests
        done(so_far)

    requests = islice(merged(streams), asked.limit)
    try:
        trace = pack(name, requests, block, packed, tick)
    except OSError as error:
        raise UserError(
            f"the trace cannot be packed: {error.strerror}", "Make room where temporary files go (TMPDIR)."
        ) from None
    if not trace.requests:
        raise UserError(f"{sanitize(name)} has no request", "Name a trace with requests, one a line.")
    return trace


def _tell_skipped(terminal: Terminal, skipped: Skipped) -> None:
    for reason in skipped.reasons:
        terminal.say(f"skipped {reason}")
    if skipped.count > len(skipped.reasons):
        terminal.say(f"skipped {skipped.count:,} lines in all")
    if skipped.unknown:
        them = "1 request" if skipped.unknown == 1 else f"{skipped.unknown:,} requests"
        terminal.say(f"left out {them}: a recording does not tell all of their tokens")


# -- what to run ---------------------------------------------------------------------------------------------------


def _jobs(asked: Options, trace: Trace) -> list[Job]:
    kv_bytes = capacities.kv_bytes_of(asked.of, asked.model_kv_bytes)
    sizes = capacities.parse(asked.capacity, trace.block, kv_bytes) or capacities.ladder(trace.distinct)
    setups = list(asked.caches.setups())
    if asked.record is not None:
        if len(setups) != 1 or len(asked.capacity) != 1:
            raise UsageError(
                f"a recording is of one cache, and these are {len(setups) * len(sizes)}",
                "Give one --cache, one --policy and one --capacity.",
            )
        return [Job(setups[0], sizes[0])]
    best = [Setup(OPTIMUM, policy=POLICY)] if asked.optimum else []
    return [Job(setup, size) for setup in [*setups, *best] for size in sizes]


# -- progress ------------------------------------------------------------------------------------------------------


@contextmanager
def _progress(terminal: Terminal, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Shows how far it is, on stderr, and only at a terminal. Yields what to tell it: how many requests are done."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn(what), BarColumn(), TextColumn("{task.completed:,.0f} requests"), TimeElapsedColumn()
    console = Console(file=terminal.err, no_color=not terminal.colour)  # a bar moves without colour, too
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.update(task, completed=done)
