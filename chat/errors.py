"""Errors meant for the person at the keyboard: what is wrong, what to do, and the exit code.

Every front end prints the two lines and nothing else; a traceback is always our bug.

    UserError            1  the request failed
    ├── UsageError       2  wrong option, argument or file
    ├── ModelError       3  the model cannot be loaded
    │   └── MachineError 3  nor any other: the device or its memory is not what was asked for
    └── RequestError     1  this prompt cannot be served; the next one can
        └── TooLong      1  it does not fit the context or the capacity
"""

from __future__ import annotations

INTERRUPTED = 130
"""Exit code of what a person stopped with Ctrl-C."""


class UserError(Exception):
    """Something the user can mend.

    Attributes:
        what: One line saying what is wrong.
        fix: One line saying what to do.
        exit_code: What the process returns when this ends it.
        offers: Further lines: ways out, and what each costs.
    """

    exit_code = 1

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what}\n{fix}")
        self.what = what
        self.fix = fix
        self.offers: tuple[str, ...] = ()


class UsageError(UserError):
    """A wrong option, argument or file."""

    exit_code = 2


class ModelError(UserError):
    """A model, tokenizer or device that cannot be used."""

    exit_code = 3


class MachineError(ModelError):
    """A device that is not there, or has not the memory that was asked for: no other model mends it."""


class RequestError(UserError):
    """A prompt that cannot be served as it is; nothing was computed and nothing is lost."""


class TooLong(RequestError):
    """The prompt fits the model's context or the capacity of the cache no more."""
