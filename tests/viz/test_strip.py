"""The strip: every event in one cell, in order, never wider than asked, and the same place for eye and mouse."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from radixchat.radix import CacheConfig
from radixchat.radix import events as ev
from radixchat.radix.recording import Header, Recording
from radixchat.viz.picture import Look
from radixchat.viz.strip import Strip, position_at, strip

PLAIN = Look(colour=False)

SAMPLES: dict[str, ev.Event] = {
    "·": ev.Reserved(1),
    "●": ev.Matched(1, 1, 0, 1, 1, True),
    "✚": ev.Grown(1, b"", b""),
    "⊢": ev.Split(2, 1, 1, 1),
    "✖": ev.Evicted(1, 1, "lru", 0, 0, 0),
}
WEIGHT = {sign: weight for weight, sign in enumerate(SAMPLES)}
SIGNS = st.lists(st.sampled_from([*SAMPLES, "|"]), max_size=300)  # "|" opens a step


def recording_of(signs: str | list[str]) -> Recording:
    """A recording whose events have these signs."""
    events: list[ev.Event] = []
    for sign in signs:
        events.append(ev.StepOpened(len(events)) if sign == "|" else SAMPLES[sign])
    return Recording(Header(CacheConfig(8)), events)


def painted(recording: Recording, position: int = 0, width: int = 40, **more: bool) -> list[str]:
    return strip(recording, position, width=width, look=PLAIN, **more).plain.split("\n")


@given(SIGNS, st.integers(7, 100))
def test_the_strip_shows_every_event_once_and_in_order(signs: list[str], width: int) -> None:
    """Each cell shows the weightiest of as many events as every other cell."""
    recording = recording_of(signs)
    track = width - 6 if width >= 16 else width
    cells = painted(recording, 0, width)[0][:track].rstrip()[1:]
    each = max(1, -(-len(signs) // (track - 1)))
    shown = [sign.replace("|", "·") for sign in signs]
    groups = [shown[start : start + each] for start in range(0, len(shown), each)]
    assert list(cells) == [max(group, key=WEIGHT.__getitem__) for group in groups]


@given(SIGNS, st.integers(0, 320), st.integers(0, 100), st.booleans(), st.booleans())
def test_no_line_is_wider_than_asked(signs: list[str], position: int, width: int, ascii: bool, live: bool) -> None:
    """However narrow; two lines, in ASCII where that is asked for."""
    text = strip(recording_of(signs), position, width=width, look=Look(ascii=ascii), live=live)
    lines = text.split("\n", allow_blank=True)
    assert len(lines) == 2
    assert all(line.cell_len <= width for line in lines)
    assert not ascii or text.plain.isascii()


@given(SIGNS, st.integers(2, 100))
def test_a_click_leads_to_the_cell_that_was_clicked(signs: list[str], width: int) -> None:
    """Positions rise from the first cell to the last, and the pointer then stands where the mouse was."""
    recording = recording_of(signs)
    line = Strip(recording)
    places = [line.position_at(x, width) for x in range(-1, width + 2)]
    assert places == sorted(places) and places[1] == 0 and places[-1] == len(signs)
    assert places == [position_at(recording, x, width) for x in range(-1, width + 2)]
    for x in range(width):
        position = line.position_at(x, width)
        marks = line.paint(position, width=width, look=PLAIN).plain.split("\n")[1]
        if position < len(signs):
            assert marks.index("▲") == x
        else:
            assert marks.index("▲") <= x


@given(SIGNS, st.integers(2, 100), st.data())
def test_the_pointer_stands_below_the_last_event_that_happened(
    signs: list[str], width: int, data: st.DataObject
) -> None:
    """Its cell leads back to a position in that cell."""
    recording = recording_of(signs)
    position = data.draw(st.integers(0, len(signs)))
    x = painted(recording, position, width)[1].index("▲")
    assert position <= position_at(recording, x, width)
    assert x == 0 or position_at(recording, x - 1, width) < position


@given(SIGNS, st.integers(0, 320), st.integers(0, 320), st.integers(2, 100), st.booleans())
def test_nothing_after_the_last_position_that_may_be_known_is_told(
    signs: list[str], until: int, position: int, width: int, live: bool
) -> None:
    """The strip is that of a recording that ends there, and no click leads further."""
    whole, begun = Strip(recording_of(signs)), Strip(recording_of(signs[:until]))
    shown = whole.paint(position, width=width, look=Look(), live=live, until=until)
    wanted = begun.paint(position, width=width, look=Look(), live=live)
    assert shown == wanted and shown.spans == wanted.spans
    for x in range(-1, width + 2):
        assert whole.position_at(x, width, until) == begun.position_at(x, width) <= until
        assert position_at(recording_of(signs), x, width, until) == whole.position_at(x, width, until)


def test_a_short_chat_reads_from_left_to_right() -> None:
    """Numbers stand below the events that open steps; the pointer and the word say where one is."""
    recording = recording_of("|●✚|●⊢✚✖")
    assert painted(recording, 3) == ["│·●✚·●⊢✚✖" + " " * 27 + "37 %", " 0 ▲3"]
    assert painted(recording, 8, live=True) == ["│·●✚·●⊢✚✖" + " " * 27 + "live", " 0  3   ▲"]
    assert painted(recording, 0)[1] == "▲0  3"


def test_twenty_cells_are_enough_to_see_where_one_is() -> None:
    """Signs, steps, pointer, share."""
    assert painted(recording_of("|●✚✚·" * 40), 100, 20) == ["│" + "✚" * 13 + "  50 %", " 0 35  ▲ 130"]


def test_ascii_says_the_same() -> None:
    """No sign is lost."""
    text = strip(recording_of("|●✚⊢✖"), 5, width=16, look=Look(ascii=True, colour=False), live=True)
    assert text.plain == "|.*+/x      live\n 0   ^"


def test_colour_repeats_what_signs_say() -> None:
    """Where one stands is reversed, what lies ahead is dim; without colour there is no style at all."""
    recording = recording_of("✚✖✚")
    text = strip(recording, 2, width=10, look=Look())
    past, here, ahead = (text.get_style_at_offset(Console(), x) for x in (1, 2, 3))
    assert here.reverse and not past.reverse and not ahead.reverse
    assert ahead.dim and not past.dim
    assert not [span for span in strip(recording, 2, width=10, look=PLAIN).spans if span.style]


def test_cells_stand_still_while_a_recording_grows() -> None:
    """New events change the last cell; the others keep their place until a cell must hold one event more."""
    recording = recording_of("✚⊢" * 30)
    line = Strip(recording)
    before = line.paint(0, width=20, look=PLAIN).plain.split("\n")[0][:14]
    recording.events += recording_of("●●").events
    after = line.paint(0, width=20, look=PLAIN).plain.split("\n")[0][:14]
    assert before[:13].rstrip() == after[: len(before[:13].rstrip())]


def test_an_empty_recording_has_a_strip() -> None:
    """The moment before everything."""
    assert painted(recording_of("")) == ["│" + " " * 34 + "100 %", "▲"]


def test_a_long_recording_is_painted_in_no_time() -> None:
    """After the first time, whatever its length: far below a tenth of a screen's beat."""
    events = 20_000
    recording = recording_of("|●✚✚·" * (events // 5))
    line = Strip(recording)
    line.paint(0, width=120, look=Look())
    spent = []
    for position in range(0, events, events // 20):
        start = time.perf_counter()
        line.paint(position, width=120, look=Look(), live=True)
        spent.append(time.perf_counter() - start)
    assert sorted(spent)[len(spent) // 2] < 0.01  # 0.3 ms on two cores, with room for a busy machine
