"""How many of something, in a sentence. Knows nothing else."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """Returns a number of things, as ``1 node`` or ``1,200 nodes``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
