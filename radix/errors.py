"""What goes wrong, told in two lines: what is wrong, and what to do. Knows no exit code and nobody who prints it."""

from __future__ import annotations


class TwoLines(Exception):
    """Something that a person can mend.

    Attributes:
        what: One line saying what is wrong.
        fix: One line saying what to do.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what}\n{fix}")
        self.what = what
        self.fix = fix
