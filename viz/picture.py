"""Pictures: a tree laid out in cells, whose lines are painted when asked for.

What every layout of a live view offers and what a widget needs: lines, where nodes stand, and where a cursor goes.
A picture is immutable. Knows no widget, no cursor and no marks: whoever shows a picture paints those over `place`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from rich.text import Text


class Place(NamedTuple):
    """Where something stands, in cells."""

    x: int
    y: int
    width: int
    height: int


class Direction(Enum):
    """Where a cursor may go."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Look:
    """How to paint; equal looks paint equal pictures."""

    palette: str = "dark"  # of PALETTES
    ascii: bool = False  # signs and labels in ASCII only
    colour: bool = True
    pills: bool = True  # chat-template tokens are folded
    lang: str = "en"  # of headings, columns and the pool: "zh" for Chinese; English where only ASCII can be printed
    abridged: tuple[tuple[str, str], ...] = ()  # texts in labels, and what stands for each; whole where all is told


class Picture(Protocol):
    """A tree laid out in cells; immutable; lines are painted when asked for."""

    @property
    def width(self) -> int:
        """Cells of the widest line."""

    @property
    def height(self) -> int:
        """Lines."""

    def line(self, y: int) -> Text:
        """Returns line `y`: at most `width` cells, not padded."""

    def place(self, node: int) -> Place | None:
        """Returns where a node or tombstone stands, None when it is not shown."""

    def node_at(self, x: int, y: int) -> int | None:
        """Returns the id of what stands in a cell."""

    def beside(self, node: int, way: Direction) -> int | None:
        """Returns what a keyboard cursor on `node` reaches in a direction, None when nothing is there."""

    def first(self) -> int | None:
        """Returns where a cursor starts, None when nothing is shown."""
