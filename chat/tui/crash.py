"""Bugs of ours: the traceback goes to a file, and two lines to the person."""

from __future__ import annotations

import os
import time
import traceback

from ..errors import UserError
from ..paths import private_dir, state_dir


def unexpected(error: BaseException) -> UserError:
    """Writes the traceback to crash.log; returns what to say."""
    what = f"something went wrong inside radixchat: {type(error).__name__}: {error}"
    try:
        log = private_dir(state_dir()) / "crash.log"
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{''.join(traceback.format_exception(error))}\n")
    except OSError:
        return UserError(what, "Nothing that was saved is lost; please report it.")
    return UserError(what, f"Nothing that was saved is lost; please report it with the end of {log}.")
