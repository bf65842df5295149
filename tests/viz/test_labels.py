from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from radixchat.radix import as_key
from radixchat.viz import Label, Labels, label
from radixchat.viz.labels import Kind

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
