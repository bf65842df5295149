"""How vector pictures are coloured: themes for light and dark grounds and for print, as paints by CSS selector.

A paint is written twice from one table: as presentation attributes, which every renderer reads, and as CSS rules,
where a picture follows the reader's dark mode. Hues are those of `states`. Colour is never the only signal: a state
has a weight or a dash of its own, and in print a pattern. Knows no tree, no text and no geometry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..radix.snapshots import State
from .states import DARK, LIGHT, Attribute, Ink, Palette


class Stroke(NamedTuple):
    """How a state's lines are drawn in every theme."""

    box: float  # width of a box's border, px
    edge: float  # width of the edge above it, px
    dash: str  # as in `stroke-dasharray`, empty for solid lines


STROKES: Final[Mapping[State, Stroke]] = {
    State.NEW: Stroke(2.4, 2.2, ""),
    State.REUSED: Stroke(1.7, 1.7, ""),
    State.RESIDENT: Stroke(1, 1, ""),
    State.EVICTED: Stroke(1.4, 1.4, "4 3"),
}
"""The weight of each state: what was touched stands out, what went is dashed."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one ground; all ``#rrggbb``."""

    name: str
    ground: str  # the card behind everything
    text: str
    faint: str  # what stands back: counts, marks, totals
    rule: str  # hairlines, and what folds are stacked on
    root: Ink
    states: Mapping[State, Ink]  # the fill may be a pattern's ground
    attributes: Mapping[Attribute, Ink]
    patterned: bool = False  # whether fills are patterns, with a plate of the ground behind their text

    def paints(self) -> dict[str, Mapping[str, str]]:
        """Returns what is painted how: presentation attributes by CSS selector."""
        return {
            ".card": {"fill": self.ground},
            ".ink": {"fill": self.text},
            ".faint": {"fill": self.faint},
            ".rule": {"stroke": self.rule},
            ".gone": {"fill": self.states[State.EVICTED].stroke},
            ".strike": {"stroke": self.states[State.EVICTED].stroke},
            ".plate": {"fill": self.ground},
            ".root>.box": {"fill": _fill(self.root), "stroke": self.root.stroke},
            **{f".{state.value}>.box": _box(ink) for state, ink in self.states.items()},
            **{f".{state.value}>.sign": _sign(state, ink.stroke) for state, ink in self.states.items()},
            **{f".edge.{state.value}": {"stroke": ink.stroke} for state, ink in self.states.items()},
            ".hold": {"fill": self.attributes[Attribute.LOCKED].stroke},
            ".next": {"stroke": self.attributes[Attribute.NEXT_VICTIM].stroke},
        }


def _fill(ink: Ink) -> str:
    return ink.fill or "none"


def _box(ink: Ink) -> Mapping[str, str]:
    return {"fill": _fill(ink), "stroke": ink.stroke}


def _sign(state: State, stroke: str) -> Mapping[str, str]:
    return {"fill": stroke if state is State.REUSED else "none", "stroke": stroke}


def _theme(palette: Palette, ground: str, faint: str, rule: str, root: Ink) -> Theme:
    return Theme(palette.name, ground, palette.text, faint, rule, root, palette.states, palette.attributes)


_LIGHT: Final = _theme(LIGHT, "#ffffff", "#4b5563", "#d1d5db", Ink("#6b7280", "#e5e7eb"))
_DARK: Final = _theme(DARK, "#0d1117", "#c3c9d2", "#4b5563", Ink("#9ca3af", "#374151"))
_BLACK: Final = Ink("#000000", "#ffffff")
_PRINT: Final = Theme(
    "print",
    ground="#ffffff",
    text="#000000",
    faint="#333333",
    rule="#888888",
    root=Ink("#000000", "#d9d9d9"),
    states={
        State.NEW: _BLACK,
        State.REUSED: _BLACK,
        State.RESIDENT: Ink("#555555", "#ffffff"),
        State.EVICTED: Ink("#555555", "#ffffff"),
    },
    attributes=dict.fromkeys(Attribute, _BLACK),
    patterned=True,
)

THEMES: Final[Mapping[str, Theme]] = {"light": _LIGHT, "dark": _DARK, "print": _PRINT, "auto": _LIGHT}
"""The base of each theme that a picture can be asked for."""

AT_NIGHT: Final = _DARK
"""What the theme ``auto`` turns into where the reader prefers dark."""
