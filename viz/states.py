"""How every state and attribute of a node looks: glyph, ASCII glyph, colours. Tables, no drawing.

Two facts, never merged into one sign: the *state in the step* (new, reused, resident, evicted) and the *attribute*
(locked, next victim, or nothing). Colour is never the only signal: each has a glyph of its own, in ASCII too. Hues
follow the figure of the RadixAttention paper; values come from the Okabe-Ito set, once for dark grounds and once for
light ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from ..radix.snapshots import State


class Attribute(Enum):
    """What holds for a node besides what happened to it."""

    NONE = ""
    LOCKED = "locked"  # protected by a lease or a pin
    NEXT_VICTIM = "next victim"  # would go if space were needed now; the next request may protect it


class Sign(NamedTuple):
    """A state or attribute without colour."""

    glyph: str  # one cell
    ascii: str  # printable ASCII, one cell but for the ellipsis
    word: str  # for legends


class Ink(NamedTuple):
    """Its colours. `fill` may carry the palette's `text`; `stroke` is for glyphs, lines, and text on the ground."""

    stroke: str  # "#rrggbb", or a rich colour name in the ansi palettes
    fill: str | None  # None: the terminal's own ground


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme."""

    name: str
    text: str  # of node text on a fill
    ground: str | None  # what the strokes were chosen for; None: whatever the terminal has
    states: Mapping[State, Ink]
    attributes: Mapping[Attribute, Ink]
    split: Ink  # the mark on a cut, while it is made


STATES: Final[Mapping[State, Sign]] = {
    State.NEW: Sign("✚", "+", "new"),
    State.REUSED: Sign("●", "*", "reused"),
    State.RESIDENT: Sign("○", "o", "resident"),
    State.EVICTED: Sign("✖", "x", "evicted"),
}

ATTRIBUTES: Final[Mapping[Attribute, Sign]] = {
    Attribute.NONE: Sign(" ", " ", ""),
    Attribute.LOCKED: Sign("◆", "#", "locked"),
    Attribute.NEXT_VICTIM: Sign("▿", "v", "next victim"),
}

UNCACHED: Final = Sign("◌", "~", "not cached yet")
"""Tokens sampled after a node that have no KV yet."""

PENDING: Final = Sign("◌", "~", "a hit does not count yet")
"""A block that has a hash, but is not computed yet, or not marked so."""

FREE: Final = Sign("·", ".", "free")
"""A block that holds nothing."""

MORE: Final = Sign("⋯", "...", "more")
"""Nodes that a row stands for."""


def _palette(
    name: str, text: str, ground: str | None, new: Ink, reused: Ink, resident: Ink, locked: Ink, victim: Ink,
    evicted: Ink, split: Ink,
) -> Palette:  # fmt: skip
    return Palette(
        name,
        text,
        ground,
        {State.NEW: new, State.REUSED: reused, State.RESIDENT: resident, State.EVICTED: evicted},
        {Attribute.NONE: resident, Attribute.LOCKED: locked, Attribute.NEXT_VICTIM: victim},
        split,
    )


LIGHT: Final = _palette(
    "light", "#111827", "#ffffff",
    new=Ink("#007a55", "#d3f2df"),
    reused=Ink("#0072b2", "#cfe8ff"),
    resident=Ink("#6b7280", "#f3f4f6"),
    locked=Ink("#6a3fb5", "#e7defa"),
    victim=Ink("#7a6a00", "#f3f4f6"),
    evicted=Ink("#b3341f", "#fde0dc"),
    split=Ink("#8a5a00", "#ffe9b8"),
)  # fmt: skip

DARK: Final = _palette(
    "dark", "#f9fafb", "#121212",
    new=Ink("#3fcf9b", "#0c4030"),
    reused=Ink("#56b4e9", "#0b3a5b"),
    resident=Ink("#9ca3af", "#1f2937"),
    locked=Ink("#b59cf0", "#372463"),
    victim=Ink("#f0e442", "#1f2937"),
    evicted=Ink("#f58b77", "#4d1c14"),
    split=Ink("#f0b429", "#4a3405"),
)  # fmt: skip

# Automatic conversion to 16 colours makes idle and locked, victim and split, new and idle equal: hence named colours.
ANSI: Final = _palette(
    "ansi", "default", None,
    new=Ink("bright_green", None),
    reused=Ink("bright_blue", None),
    resident=Ink("default", None),
    locked=Ink("bright_magenta", None),
    victim=Ink("bright_yellow", None),
    evicted=Ink("bright_red", None),
    split=Ink("bright_yellow", None),
)  # fmt: skip

ANSI_LIGHT: Final = _palette(
    "ansi-light", "default", None,
    new=Ink("green", None),
    reused=Ink("blue", None),
    resident=Ink("default", None),
    locked=Ink("magenta", None),
    victim=Ink("yellow", None),
    evicted=Ink("red", None),
    split=Ink("yellow", None),
)  # fmt: skip

PALETTES: Final[Mapping[str, Palette]] = {p.name: p for p in (DARK, LIGHT, ANSI, ANSI_LIGHT)}
"""Every palette by name."""
