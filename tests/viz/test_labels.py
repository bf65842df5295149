from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from radixchat.radix import as_key
from radixchat.viz import Label, Labels, label
from radixchat.viz.labels import Kind, lettered
from radixchat.viz.picture import Look
from radixchat.viz.sanitize import HIDDEN
from radixchat.viz.turns import turns

CHECKED = settings(max_examples=60, deadline=None)
TREE = "木".encode()


def written(text: str | bytes, **options: bool) -> str:
    """The label of an edge with one token a byte."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return Labels({byte: bytes([byte]) for byte in range(256)}, **options).whole(as_key(list(data))).plain


@pytest.mark.parametrize(
    ("text", "shown", "plain"),
    [
        ("two  words", "two  words", "two  words"),
        (" a\tb\n ", "␣a→b⏎␣", r"_a\tb\n_"),
        ("   ", "␣␣␣", "___"),
        (TREE, "木", r"\u6728"),
        (TREE[:2], r"\xE6\x9C", r"\xE6\x9C"),
        (TREE[2:] + b"!", r"\xA8!", r"\xA8!"),
        ("\x1b[2J\u202e", r"␛[2J\u202E", r"\x1B[2J\u202E"),
        ("👩\u200d👧", r"👩\u200D👧", r"\U0001F469\u200D\U0001F467"),
        (
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
            "‹user›Hi‹end›‹assistant›",
            "<user>Hi<end><assistant>",
        ),
        ("<|im_start|>us", "‹us›", "<us>"),
        ("<|im_start|>", "‹im_start›", "<im_start>"),
        ("<|start_header_id|>system<|end_header_id|>\n\nBe<|eot_id|>", "‹system›Be‹end›", "<system>Be<end>"),
        ("<bos><start_of_turn>model\nYes<end_of_turn>\n", "‹begin›‹model›Yes‹end›", "<begin><model>Yes<end>"),
        ("<s>[INST] Hi [/INST]", "‹begin›‹user›Hi‹assistant›", "<begin><user>Hi<assistant>"),
        ("<｜User｜>", "‹User›", "<User>"),
        ("<｜x\u202ey｜>", r"‹x\u202Ey›", r"<x\u202Ey>"),
        ("[/b][@click=app.bell]", "[/b][@click=app.bell]", "[/b][@click=app.bell]"),
    ],
)
def test_edges(text: str | bytes, shown: str, plain: str) -> None:
    assert written(text) == shown
    assert written(text, ascii=True) == plain


def test_pills_can_be_switched_off() -> None:
    assert written("<|im_start|>user\nHi", pills=False) == "<|im_start|>user⏎Hi"


def test_a_character_over_two_tokens_is_decoded_and_unknown_ids_are_named() -> None:
    labels = Labels({1: TREE[:1], 2: TREE[1:]})
    assert labels.whole(as_key([1, 2, 7, 1, 9, 2])).plain == r"木‹7›\xE6‹9›\x9C\xA8"
    assert Labels({}, ascii=True).whole(as_key([7])).plain == "<7>"


def test_kinds_let_painters_set_them_apart() -> None:
    spans = label("<|im_start|>user\n\x1ba\n", pills=True).spans
    assert [span.kind for span in spans] == [Kind.PILL, Kind.ESCAPE, Kind.TEXT, Kind.MARK]


def test_the_middle_goes_and_head_and_tail_stay() -> None:
    long = label("The beginning says what it is, the end is where siblings part")
    assert long.fit(21).plain == "The beginn…lings part"
    assert long.fit(21, ascii=True).plain == "The begin...ings part"
    assert label("基数木は共有").fit(8).plain == "基…有" or label("基数木は共有").fit(8).cells <= 8
    assert label("<|im_start|>assistant\nHello there", pills=True).fit(12).plain.endswith("there")


TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("a \n\t木😀\u0301\u200d\x1b"))).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)


@CHECKED
@given(TEXTS, st.integers(0, 40), st.booleans())
def test_no_label_is_wider_than_asked(text: bytes, width: int, ascii: bool) -> None:
    whole = label(text, pills=True, ascii=ascii)
    short = whole.fit(width, ascii=ascii)
    assert cell_len(short.plain) == short.cells <= width
    assert short == whole or whole.cells > width


@CHECKED
@given(st.lists(st.sampled_from([0, 1, 2, 3, 4]), min_size=150, max_size=400), st.integers(1, 30))
def test_long_keys_are_read_at_their_ends_only(tokens: list[int], width: int) -> None:
    labels = Labels({0: b"word ", 1: TREE, 2: b"", 3: b"<|im_end|>", 4: b"x"})
    key = as_key(tokens)
    assert labels.fit(key, width) == labels.whole(key).fit(width)


def test_an_empty_key_has_an_empty_label() -> None:
    assert Labels({}).fit(b"", 10) == Label(())


# -- abridged texts ----------------------------------------------------------------------------------------------------

BYTES = {byte: bytes([byte]) for byte in range(256)}
LONG = "User: Solve this problem: a train leaves " + "at noon, " * 60 + "and when does it arrive?\n"


def abridged(text: str, *pairs: tuple[str, str], **options: bool) -> str:
    labels = Labels.of(BYTES, Look(abridged=pairs, **options))
    return labels.whole(as_key(list(text.encode("utf-8", "surrogatepass")))).plain


def test_what_stands_for_a_text_takes_its_place() -> None:
    pair = (LONG, "User: Solve this question...\n")
    assert abridged(f"Be brief.\n{LONG}{LONG}", pair) == "Be brief.⏎" + "User: Solve this question...⏎" * 2
    assert abridged("木 at 木, on", ("木 at", "…"), ("木", "tree"), ascii=True) == r"\u2026 tree, on"


def test_a_part_of_an_abridged_text_is_shown_as_it_is() -> None:
    assert abridged(LONG[:-2], (LONG, "x")).startswith("User: Solve this problem")
    assert abridged(LONG[1:], (LONG, "x")).startswith("ser: Solve this problem")


def test_the_longest_text_wins_and_nothing_is_abridged_twice() -> None:
    pairs = (("ab", "1"), ("abc", "ab"), ("", "never"), ("ab", "too late"))
    assert abridged("abcab", *pairs) == "ab1"
    assert abridged("xyz", *pairs) == "xyz"
    assert Look(abridged=pairs) == Look(abridged=pairs) and hash(Look(abridged=pairs))


def test_an_abridged_text_is_found_wherever_it_stands_in_a_long_key() -> None:
    key = as_key(list(f"{'a' * 500}{LONG}{'b' * 500}".encode()))
    look = Look(abridged=((LONG, "<it>\n"),))
    labels = Labels.of(BYTES, look)
    assert labels.fit(key, 1100).plain == f"{'a' * 500}<it>⏎{'b' * 500}"
    assert [line.plain for line in turns(labels, key)] == ["a" * 500 + "<it>⏎", "b" * 500]
    near = as_key(list(f"{'a' * 100}{LONG}c".encode()))
    assert labels.fit(near, 20).plain.endswith("<it>⏎c")
    assert Labels(BYTES).fit(near, 20).plain.endswith("arrive?⏎c")


def test_endless_keys_are_read_at_their_ends_all_the_same() -> None:
    seen: list[int] = []

    class Pieces(dict[int, bytes]):
        def get(self, token: int, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
            seen.append(token)
            return b"word "

    labels = Labels.of(Pieces(), Look(abridged=(("word word", "w"),)))
    labels.fit(as_key(list(range(100_000))), 30)
    turns(labels, as_key(list(range(100_000))))
    assert len(seen) < 1000


@CHECKED
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=9), st.integers(0, 40), st.booleans())
def test_abridged_labels_are_as_safe_and_as_narrow(text: str, long: str, short: str, width: int, ascii: bool) -> None:
    look = Look(ascii=ascii, abridged=((long, short), (text[:5], short)))
    line = Labels.of(BYTES, look).fit(as_key(list((text + long).encode("utf-8", "surrogatepass"))), width)
    assert line.cells <= width and not HIDDEN.search(line.plain)
    assert not ascii or line.plain.isascii()


@CHECKED
@given(st.text(st.characters(), max_size=30), st.booleans())
def test_letters_are_short_and_safe(text: str, ascii: bool) -> None:
    (name,) = lettered({3: text}, ascii=ascii).values()
    assert cell_len(name) <= 6 and not HIDDEN.search(name) and (not ascii or name.isascii())
    assert lettered(None, ascii=ascii) == {}
