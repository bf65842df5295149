"""Keeps the garbage collector still while a picture is made. Knows no picture."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collects no garbage within, unless nobody collects anyway.

    A layout is tens of thousands of small objects without a cycle, all of them needed to the end: going through them
    again and again takes the collector a third of the time and finds nothing.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
