from __future__ import annotations

import itertools

import pytest
from rich.cells import cell_len

from radixchat.radix import State
from radixchat.viz import ATTRIBUTES, PALETTES, STATES, Attribute
from radixchat.viz.states import UNCACHED, Palette


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [PALETTES["light"], PALETTES["dark"]], ids=lambda palette: palette.name)
def test_text_reads_on_every_fill_and_every_stroke_on_the_ground(palette: Palette) -> None:
    for ink in [*palette.states.values(), *palette.attributes.values(), palette.split]:
        assert ink.fill is not None and palette.ground is not None
        assert contrast(palette.text, ink.fill) >= 4.5
        assert contrast(ink.stroke, palette.ground) >= 4.5


@pytest.mark.parametrize("palette", PALETTES.values(), ids=lambda palette: palette.name)
def test_every_state_and_attribute_has_its_own_colour(palette: Palette) -> None:
    assert set(palette.states) == set(State) and set(palette.attributes) == set(Attribute)
    inks = [*palette.states.values(), *(ink for key, ink in palette.attributes.items() if key is not Attribute.NONE)]
    assert all(one.stroke != other.stroke for one, other in itertools.combinations(inks, 2))


def test_glyphs_tell_everything_apart_without_colour() -> None:
    signs = [*STATES.values(), *ATTRIBUTES.values(), UNCACHED]
    assert len({sign.glyph for sign in signs}) == len({sign.ascii for sign in signs}) == len(signs)
    assert all(cell_len(sign.glyph) == cell_len(sign.ascii) == 1 and sign.ascii.isascii() for sign in signs)
    assert [STATES[state].glyph for state in State] == list("✚●○✖")
    assert [ATTRIBUTES[attribute].glyph for attribute in Attribute] == list(" ◆▿")
