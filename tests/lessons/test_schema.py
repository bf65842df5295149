"""The schema: what a lesson may say, and the format as it is written down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from radixchat.chat.lessons import schema
from radixchat.chat.lessons.checking import check
from radixchat.chat.lessons.facts import FACTS
from radixchat.chat.lessons.loading import read_lesson
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.schema import Expect, Line, Said

FORMAT = Path(__file__).parents[2] / "docs/lesson-format.md"


def test_the_example_of_the_format_runs_as_it_expects() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", FORMAT.read_text(encoding="utf-8"), re.DOTALL)
    lesson = read_lesson(example.encode(), "example.yaml")
    checks = check(Stage(lesson).run())
    assert len(checks) == 12
    assert all(done.passed for done in checks), checks


@pytest.mark.parametrize("part", [schema.Lesson, schema.Cache, schema.Arm, schema.Shape, schema.Step, schema.Change,
                                  schema.Request, schema.Question, schema.Expect, schema.Words])  # fmt: skip
def test_every_field_is_written_down(part) -> None:
    text = FORMAT.read_text(encoding="utf-8")
    hidden = {"name"} if part is schema.Lesson else set()
    names = {field.alias or name for name, field in part.model_fields.items()} - hidden
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_every_placeholder_is_written_down() -> None:
    text = FORMAT.read_text(encoding="utf-8")
    assert [name for name in FACTS if f"`{{{name}}}`" not in text] == []


def test_a_bare_text_is_english_and_a_missing_language_falls_back() -> None:
    assert Said.model_validate("Hello").text("zh") == "Hello"
    both = Said.model_validate({"en": "Hello", "zh": "你好"})
    assert (both.text("zh"), both.languages) == ("你好", {"en", "zh"})


@pytest.mark.parametrize("wrong", [{}, {"zh": "你好"}, {"en": "a", "English": "b"}, {"en": 3}, 3])
def test_what_is_no_text(wrong) -> None:
    with pytest.raises(ValidationError):
        Said.model_validate(wrong)


def test_an_expected_tree_is_read_line_by_line() -> None:
    tree = Expect.model_validate({"tree": "reused: a / b\n  new d: x: y\n  evicted\n\n"}).tree
    assert tree == [Line(0, "reused", "", "a / b"), Line(1, "new", "d", "x: y"), Line(1, "evicted", "", None)]
    assert Expect.model_validate({"tree": ""}).tree == []


@pytest.mark.parametrize("line", ["grey a: x", " new a: x", "new A: x", "new abc: x", "new a:x"])
def test_what_is_no_line_of_a_tree(line: str) -> None:
    with pytest.raises(ValidationError, match="no line of a tree"):
        Expect.model_validate({"tree": line})


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.sampled_from(["new", "reused", "resident", "evicted"]),
            st.sampled_from(["", "a", "zz"]),
            st.none() | st.text(st.characters(categories=("L", "P")), min_size=1).map(str.strip).filter(bool),
        )
    )
)
def test_a_tree_reads_back_as_it_was_written(lines: list[tuple[int, str, str, str | None]]) -> None:
    text = "\n".join(
        "  " * depth + state + (letter and f" {letter}") + ("" if words is None else f": {words}")
        for depth, state, letter, words in lines
    )
    assert Expect.model_validate({"tree": text}).tree == [Line(*line) for line in lines]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "either user"),
        ({"user": "a", "prompt": "b", "conversation": "c"}, "either user"),
        ({"user": "a"}, "needs a conversation"),
        ({"prompt": "a", "reply": "b", "replies": ["c"]}, "either reply"),
        ({"prompt": "a", "reply": "b", "n": 2}, "the replies are given"),
        ({"user": "a", "conversation": "c", "n": 2}, "several samples"),
        ({"prompt": "a", "fork": "c"}, "can fork"),
        ({"prompt": "a", "turns": 1}, "belongs to fork"),
    ],
)
def test_requests_that_contradict_themselves(request_: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        schema.Request.model_validate(request_)
