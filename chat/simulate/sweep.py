"""Runs many replays side by side, each in a process of its own. Knows how to start and stop processes, and no cache.

Workers are spawned, so they hold no more than they need: each streams the packed trace. One worker is no process at
all.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any, Final, NamedTuple

from ..errors import UserError
from .caches import OPTIMUM, Setup
from .replaying import Row, Tick, replay
from .trace import Trace

_GLANCE: Final = 0.1
"""Seconds between two looks at the progress of the workers."""

Progress = Callable[[int], None]
"""Told how many requests were replayed so far, over all jobs."""


class Job(NamedTuple):
    """One replay of the trace."""

    setup: Setup
    capacity: int  # blocks

    @property
    def name(self) -> str:
        """What it is called where it fails."""
        return " ".join(word for word in (self.setup.cache, self.setup.policy, self.setup.rules) if word)


class Failed(Exception):
    """A replay that broke off. A line of text is all it has, so that it crosses from one process to another."""


def cores() -> int:
    """Returns how many processes can run at the same time here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def sweep(trace: Trace, jobs: Sequence[Job], workers: int, progress: Progress) -> list[Row]:
    """Runs all jobs; returns their results in order.

    Args:
        trace: Is fed to each.
        jobs: What to run.
        workers: Processes at the same time; with one, everything runs in this process.
        progress: Told now and then.

    Raises:
        UserError: a replay broke off, or a worker ended before it was done.
        KeyboardInterrupt: Ctrl-C; the workers have ended.
    """
    try:
        if min(workers, len(jobs)) > 1:
            return _side_by_side(trace, jobs, min(workers, len(jobs)), progress)
        return _one_by_one(trace, jobs, progress)
    except Failed as error:
        raise UserError(str(error), "Leave this cache or capacity out, and please report it.") from None


def _one_by_one(trace: Trace, jobs: Sequence[Job], progress: Progress) -> list[Row]:
    done = 0

    def tick(requests: int) -> None:
        nonlocal done
        done += requests
        progress(done)

    return [run(trace, job, tick) for job in jobs]


def run(trace: Trace, job: Job, tick: Tick) -> Row:
    """Runs one job. Raises Failed, whatever goes wrong."""
    try:
        if job.setup.cache == OPTIMUM:
            from .optimum import optimum

            return optimum(trace, job.capacity, tick)
        return replay(trace, job.setup, job.capacity, tick)
    except Exception as error:
        why = f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")
        raise Failed(f"{job.name} with {job.capacity:,} blocks broke off: {why}") from None


def _side_by_side(trace: Trace, jobs: Sequence[Job], workers: int, progress: Progress) -> list[Row]:
    context = multiprocessing.get_context("spawn")
    done = context.Value("q", 0)
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(done,))
    try:
        with _no_interrupt():
            running = [pool.submit(_work, trace, job) for job in jobs]
        return _results(running, done, progress)
    except BaseException as error:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()  # whatever they do, nobody waits for it
        if isinstance(error, BrokenProcessPool):
            raise UserError("a worker process ended too early", "Was memory short? Give fewer --jobs.") from None
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _results(running: list[Future[Row]], done: Any, progress: Progress) -> list[Row]:
    pending: set[Future[Row]] = set(running)
    while pending:
        ended, pending = wait(pending, _GLANCE, return_when="FIRST_COMPLETED")
        for each in ended:
            each.result()  # raises what went wrong, at once
        progress(done.value)
    return [each.result() for each in running]


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Holds Ctrl-C back while workers are started: they inherit that, so it reaches this process alone."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


# -- in a worker ---------------------------------------------------------------------------------------------------

_done: Any = None  # requests that all workers have replayed


def _begin(done: Any) -> None:
    global _done
    _done = done
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, whatever became of it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(trace: Trace, job: Job) -> Row:
    return run(trace, job, _tick)


def _tick(requests: int) -> None:
    with _done.get_lock():
        _done.value += requests
