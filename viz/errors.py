"""What goes wrong while a picture is made, told in two lines: what is wrong, and what to do. Knows no picture."""

from __future__ import annotations

from ..radix.errors import TwoLines


class PictureError(TwoLines):
    """A picture that cannot be made here, mostly because a program or package is missing."""
