"""Records a part of a trace: a few requests through one cache, for `radixchat replay` and all that reads recordings.

The recording begins with an empty cache. A block of the trace is a token of it, with a text like `b123 `.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import NamedTuple

from ...radix import events as ev
from ...radix.keys import TOKEN_BYTES
from ...radix.recording import Header, Recorder
from ..errors import UsageError
from ..exporting import files
from .replaying import Outcome, feed
from .sweep import Job
from .trace import Packed, Trace


class Window(NamedTuple):
    """Requests of a trace, from one number to another; the first is 1."""

    first: int
    last: int


DEFAULT = Window(1, 100)


def parse(text: str | None) -> Window:
    """Reads `A:B`. Raises UsageError when it is something else."""
    if text is None:
        return DEFAULT
    match = re.fullmatch(r"(\d{1,9}):(\d{1,9})", text)
    window = Window(int(match[1]), int(match[2])) if match else None
    if window is None or not 1 <= window.first <= window.last:
        raise UsageError(f"{text!r} is no window of requests", "Write the first and the last: --window 1:100.")
    return window


def record(trace: Trace, job: Job, window: Window, path: Path) -> str:
    """Writes the recording of a window; returns what to say about it.

    Raises:
        UsageError: the trace has no such requests, or the file cannot be written.
    """
    if window.first > trace.requests:
        raise UsageError(
            f"the window begins with request {window.first:,}", f"The trace has {trace.requests:,}: choose among them."
        )
    cache = job.setup.make(job.capacity, events=True)
    text = io.StringIO()
    header = Header(cache.config, cache=job.setup.cache, tokenizer=f"blocks of {trace.block} tokens")
    recorder = Recorder(header, lambda block: b"b%d " % block, text)
    done = refused = 0
    for number, request in enumerate(trace.window(*window), start=window.first):
        done += 1
        if len(request.blocks) > job.capacity * TOKEN_BYTES:
            refused += 1
            continue
        outcome = feed(cache, request)
        opened, *events = cache.take_events()
        started, finished = _told(number, request, outcome)
        recorder.add([opened, started, *events, finished])
    recorder.flush()
    files.write({path: text.getvalue().encode()})
    left_out = f", without {refused:,} larger than the capacity" if refused else ""
    return f"wrote {path}: requests {window.first:,} to {window.first + done - 1:,}{left_out}; see `radixchat replay`"


def _told(number: int, request: Packed, outcome: Outcome) -> tuple[ev.RequestStarted, ev.RequestFinished]:
    """The facts of a request, in blocks."""
    prompt, matched = request.prompt, outcome.matched
    started = ev.RequestStarted(number, "", prompt, matched, matched)
    return started, ev.RequestFinished(
        request=number,
        reason="stop",
        prompt=prompt,
        matched=matched,
        reused=matched,
        prefilled=prompt - matched,
        generated=len(request.blocks) // TOKEN_BYTES - prompt,
        splits=outcome.splits,
        evicted_nodes=len({each.node for each in outcome.gone}),
        evicted_tokens=outcome.evicted,
    )
