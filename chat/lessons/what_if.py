"""What-ifs: what somebody types becomes changes of a run, or a prompt that is sent after a step.

Knows runs and their changes; no player, and not how a lesson is run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ...radix.policies import POLICIES
from ..errors import UsageError
from .loading import LessonError
from .schema import MOST_ROOM, Request

if TYPE_CHECKING:
    from .runs import Changes, Run

_LONGEST: Final = 10_000  # characters of a prompt that somebody types
SETTINGS: Final = {
    "/capacity": "capacity",
    "/policy": "policy",
    "/split-recency": "split_recency",
    "/page-size": "page_size",
}
"""Settings of the cache that a what-if changes, by the command that does so."""

_CHOICES: Final = {"policy": tuple(POLICIES), "split_recency": ("both", "prefix")}


def setting(changes: Changes, text: str) -> Changes:
    """Returns changes with one setting of the cache more, written as in `/capacity 110`."""
    name, _, value = text.partition(" ")
    value = value.strip()
    field = SETTINGS.get(name)
    if field is None:
        raise UsageError(f"{name} cannot be changed in a lesson", f"Change one of {', '.join(SETTINGS)}.")
    if field in _CHOICES:
        if value not in _CHOICES[field]:
            raise UsageError(f"{name} takes no {value!r}", f"Choose one of {', '.join(_CHOICES[field])}.")
        return _with(changes, field, value)
    if not value.isascii() or not value.isdigit() or not value.strip("0"):
        raise UsageError(f"{name} takes a number of tokens, not {value[:40]!r}", f"Write it like this: {name} 16")
    if len(value.lstrip("0")) > len(str(MOST_ROOM)) or int(value) > MOST_ROOM:
        raise UsageError(f"{name} {value[:40]} is more than a lesson holds", f"Give at most {MOST_ROOM:,}.")
    return _with(changes, field, int(value))


def _with(changes: Changes, field: str, value: Any) -> Changes:
    return replace(changes, **{field: value})


def prompted(run: Run, step: int, text: str) -> tuple[Changes, int]:
    """Returns the changes of a what-if that sends a prompt after a step of a run, and the step it then is.

    It is a message of the conversation that the step was about, or a prompt as it stands.

    Raises:
        UsageError: there is nothing to send, or nothing to send it after.
    """
    if not text:
        raise UsageError("the prompt is empty", "Type what to send after this step.")
    if not step:
        raise UsageError("nothing was sent yet", "Go to a step first; a prompt of yours is sent after it.")
    if len(text) > _LONGEST:
        raise UsageError("the prompt is too long", f"Write at most {_LONGEST:,} characters.")
    requests = run.steps[step - 1].step.requests
    conversation = requests[-1].conversation if requests and requests[-1].user is not None else ""
    request = Request(user=text, conversation=conversation) if conversation else Request(prompt=text)
    number = run.told(step)
    extra = (*run.changes.extra, (number, request))
    return replace(run.changes, extra=extra), number + sum(at <= number for at, _ in extra)


def with_fix(error: LessonError, changes: Changes, own: Run) -> LessonError:
    """Returns an error of a what-if; where its capacity is too small, with what would do for the lesson's own run."""
    longest = max((int(key.size) for step in own.steps for key in step.keys), default=0)
    if changes.capacity is None or changes.capacity >= longest:
        return error
    fix = f"Give at least {longest:,}: the longest prompt of the lesson takes so much with its reply."
    return LessonError(error.what, fix)
