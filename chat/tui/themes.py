"""The app's themes, and which palette of the tree goes with each."""

from __future__ import annotations

from textual.theme import Theme

from ...viz import PALETTES
from ..config import THEMES

_DARK, _LIGHT = PALETTES["dark"], PALETTES["light"]

DARK = Theme(
    name="dark", primary="#56b4e9", secondary="#9ca3af", accent="#3fcf9b", warning="#f0b429", error="#f58b77",
    success="#3fcf9b", foreground="#e5e7eb", background="#121212", surface="#181818", panel="#1f2937", dark=True,
)  # fmt: skip

LIGHT = Theme(
    name="light", primary="#0072b2", secondary="#6b7280", accent="#007a55", warning="#8a5a00", error="#b3341f",
    success="#007a55", foreground="#111827", background="#ffffff", surface="#ffffff", panel="#e5e7eb", dark=False,
)  # fmt: skip

HIGH_CONTRAST = Theme(
    name="high-contrast", primary="#ffffff", secondary="#ffffff", accent="#ffff00", warning="#ffff00", error="#ff9980",
    success="#66ffbb", foreground="#ffffff", background="#000000", surface="#000000", panel="#000000", dark=True,
    variables={"footer-key-foreground": "#ffff00", "border": "#ffffff"},
)  # fmt: skip

OURS = (DARK, LIGHT, HIGH_CONTRAST)

PALETTE_OF = dict(zip(THEMES, ("dark", "light", "dark", "ansi", "ansi-light"), strict=True))
"""Themes by name, in the order that /theme goes through, and the palette of the tree for each."""
