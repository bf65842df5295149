from __future__ import annotations

import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.viz import TextStream, label, sanitize
from radixchat.viz.sanitize import HIDDEN

CHECKED = settings(max_examples=60, deadline=None)
# Format characters that are drawn: signs that enclose the digits after them.
DRAWN = {*range(0x600, 0x606), 0x6DD, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain, \xc3\xbc and \xe6\x9c\xa8\n\tnext", "plain, ü and 木\n\tnext"),
        ("\x1b[31mred\x1b]0;title\x07", r"␛[31mred␛]0;title\x07"),
        ("a\x00b\x7fc\x9bd", r"a\x00b\x7Fc\u009Bd"),
        (b"cut \xe6\x9c", r"cut \xE6\x9C"),
        (b"lone \x9b31m", r"lone \x9B31m"),
        ("gpj.\u202etxt \u2066x\u2069", r"gpj.\u202Etxt \u2066x\u2069"),
        ("zero\u200bwidth\ufeff\u00ad", r"zero\u200Bwidth\uFEFF\u00AD"),
        ("tag\U000e0041", r"tag\U000E0041"),
        ("dos\r\nold mac\rline\u2028", "dos\nold mac\\x0Dline\\u2028"),
        ("👩\u200d👧 ❤\ufe0f 1\ufe0f", "👩\u200d👧 ❤\ufe0f 1\ufe0f"),  # where emoji need them
        ("a\u200db\u200d\u200d ❤\ufe0f\ufe0f", "a\\u200Db\\u200D\\u200D ❤\ufe0f\\uFE0F"),  # where they only hide
        ("[/b] [@click=app.bell] C:\\x1b", "[/b] [@click=app.bell] C:\\x1b"),
    ],
)
def test_running_text(raw: str | bytes, shown: str) -> None:
    assert sanitize(raw) == shown


def test_ascii_escapes_everything_else() -> None:
    assert sanitize("ü 木 😀 \x1b\n", ascii=True) == "\\u00FC \\u6728 \\U0001F600 \\x1B\n"


def test_every_control_and_format_character_is_hidden() -> None:
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and code not in DRAWN:
            assert HIDDEN.match(chr(code)), f"U+{code:04X} {unicodedata.name(chr(code), '')}"


@CHECKED
@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_output_can_be_printed_and_is_settled(raw: bytes) -> None:
    shown = sanitize(raw)
    assert not set("\x1b\r\x07\x9b\u202e\u200b") & set(shown)
    assert sanitize(shown) == shown
    shown.encode()
    assert sanitize(raw, ascii=True).isascii()


PARTS = st.sampled_from(
    ["a", "é", "木", "😀", "\r", "\n", "\r\n", "\x1b[2J", "\u200d", "\ufe0f", "❤", "1", "\u202e", "\x85"]
)
PIECES = st.lists(st.one_of(PARTS.map(str.encode), st.binary(max_size=3)))


@CHECKED
@given(PIECES, st.lists(st.integers(0, 60)), st.booleans())
def test_a_stream_cut_anywhere_says_the_same(parts: list[bytes], cuts: list[int], ascii: bool) -> None:
    whole = b"".join(parts)
    stream = TextStream(ascii=ascii)
    bounds = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(bounds)]
    for _ in range(2):  # a closed stream starts afresh
        assert "".join([*map(stream.feed, pieces), stream.close()]) == sanitize(whole, ascii=ascii)


@CHECKED
@given(st.text(), st.booleans())
def test_labels_keep_no_control_and_no_joiner(raw: str, ascii: bool) -> None:
    shown = label(raw, ascii=ascii).plain
    assert not HIDDEN.search(shown)
    assert not ascii or shown.isascii()
