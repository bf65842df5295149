"""What goes wrong while a picture is made, told in two lines: what is wrong, and what to do. Knows no picture."""

from __future__ import annotations


class PictureError(Exception):
    """A picture that cannot be made here, mostly because a program or package is missing.

    Attributes:
        what: One line saying what is wrong.
        fix: One line saying what to do.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what}\n{fix}")
        self.what = what
        self.fix = fix
