"""Reading lessons: by name, by path, and what is said of files that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixchat.chat.lessons.loading import DEEPEST, LARGEST, LONGEST, LessonError, load_lesson, read_lesson, shipped

GOOD = """schema: 1
title: T
about: A
cache: {capacity: 10}
arms:
  - {name: other, cache: none}
steps:
  - title: One
    say: Found {matched}.
    requests:
      - {conversation: a, user: Hi, reply: Ho}
"""


def wrong(text: str | bytes) -> str:
    """Returns what is said of a file."""
    with pytest.raises(LessonError) as raised:
        read_lesson(text if isinstance(text, bytes) else text.encode(), "mine.yaml")
    error = raised.value
    assert error.exit_code == 2
    assert "\n" not in error.what and error.fix
    return error.what


def bomb() -> str:
    """Ten levels of ten aliases each."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines)


def test_a_good_lesson_is_read_and_named_after_its_file() -> None:
    lesson = read_lesson(GOOD.encode(), "some/where/mine.yaml")
    assert lesson.name == "mine"
    assert lesson.steps[0].requests[0].given == ("Ho",)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("user: Hi", "usr: Hi", "11: step 1, request 1, usr: unknown field; is user meant?"),
        ("user: Hi", "user: yes", "11: step 1, request 1, user: must be a text: put it in quotes"),
        ("user: Hi, ", "", "11: step 1, request 1: give either user (a message) or prompt (a text as it stands)"),
        ("about: A\n", "", "1: about: missing"),
        ("schema: 1\n", "", "1: schema: missing"),
        ("schema: 1", "schema: 2", "1: schema 2; this program reads up to 1"),
        ("capacity: 10", "capacity: ten", "4: cache, capacity: must be a whole number, not 'ten'"),
        ("capacity: 10", "capacity: 0", "4: cache, capacity: must be 1 or more, not '0'"),
        ("title: One", "title: {zh: 一}", "8: step 1, title: the English text (en) is missing"),
        ("title: One", "title: On", "8: step 1, title: must be a text: put it in quotes"),
        ("about: A", "title: B", "3: title is given twice"),
        ("user: Hi", "user: !!python/name:os.system Hi",
         "11: the tag tag:yaml.org,2002:python/name:os.system is not taken"),
        ("user: Hi", "user: !x Hi", "11: the tag !x is not taken"),
        ("{capacity: 10}", "{capacity: 10, <<: {policy: lru}}", "4: a field needs a plain name"),
        ("capacity: 10", "capacity: !!int x", "4: 'x' is no value; put it in quotes"),
        ("capacity: 10", "capacity: !!bool x", "4: 'x' is no value; put it in quotes"),
        ("capacity: 10", "capacity: !!int ''", "4: '' is no value; put it in quotes"),
        ("capacity: 10", "capacity: true", "4: cache, capacity: must be a whole number, not 'True'"),
        ("capacity: 10", "capacity: '10'", "4: cache, capacity: must be a whole number, not '10'"),
        ("schema: 1", "schema: 2.0", "1: schema: must be a whole number, not '2.0'"),
        ("schema: 1", "schema: '2'", "1: schema: must be a whole number, not '2'"),
        ("schema: 1", "schema: 0", "1: schema: must be 1 or more, not '0'"),
        ("about: A", "about: A\nname: mine", "4: name: unknown field"),
        ("about: A", "about: A\nabridge: {'': x}", "4: abridge: must not be empty"),
        ("reply: Ho}", "reply: Ho, temperature: .nan}",
         "11: step 1, request 1, temperature: must be a number, and a finite one, not 'nan'"),
        ("reply: Ho}", "seed: -1}", "11: step 1, request 1, seed: must be 0 or more, not '-1'"),
        ("about: A", "about: A: B", "3, column 9: mapping values are not allowed here"),
        ("{matched}", "{found}", "9: step 1, say: nothing is called {found}; there are "),
        ("{matched}", "{arm:else:reused}", "9: step 1, say: there is no arm 'else'; there are 'other'"),
        ("{matched}", "{arm:other:nodes}", "9: step 1, say: an arm has no 'nodes'; it counts "),
        ("  - {name: other", "  - {name: other}\n  - {name: other", "7: arm 2, name: there are two arms 'other'"),
        ("reply: Ho}", "reply: Ho}\n    expect: {words: {arms: {last: {reused: 1}}}}",
         "12: step 1, expect, words, arms, last: there is no arm 'last'; there are 'other'"),
        ("reply: Ho}", "reply: Ho}\n    ask: [{kind: victim, request: 1}]",
         "8: step 1: a question is about request 1 (the first is 0); the step has 1"),
        ("reply: Ho}", "reply: Ho}\n    show: [bar]",
         "12: step 1, exhibit 1: must be 'bars', 'trie' or 'price', not 'bar'"),
        ("{capacity: 10}", "{capcity: 10}", "4: cache, capcity: unknown field; is capacity meant?"),
        ("reply: Ho}", "reply: Ho}\n    ask: [{kind: victim, pick: true, arm: other}]",
         "12: step 1, question 1: a node of an arm cannot be picked: its tree is not drawn"),
        ("reply: Ho}", "reply: Ho}\n    ask: [{kind: victim, arm: another}]",
         "12: step 1, question 1, arm: there is no arm 'another'; there are 'other'"),
        ("title: T", "title: \"T", "2, column 8: the text in quotes that begins here "),
        ("{matched}", "{sum:nodes}", "9: step 1, say: there is no sum of 'nodes'; there are "),
        ("reply: Ho", "reply: [1", "11, column 46: expected ',' or ']', but got '}'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_and_field(old: str, new: str, what: str) -> None:
    assert old in GOOD
    said = wrong(GOOD.replace(old, new, 1)).removeprefix("mine.yaml, line ")
    assert said.startswith(what) if what.endswith(" ") else said == what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "mine.yaml is not a lesson: it holds no fields"),
        ("- a", "mine.yaml is not a lesson: it holds no fields"),
        ("a: &a [*a]", f"mine.yaml, line 1: more than {DEEPEST} levels"),
        ("[" * 5000, f"mine.yaml: more than {DEEPEST} levels"),
        (bomb(), "mine.yaml, line 1: more than 50,000 values, aliases counted"),
        (GOOD + "---\na: 1\n", "mine.yaml, line 12, column 1: but found another document"),
        (GOOD.encode() + b"# \xff", "mine.yaml, line 12: not UTF-8"),
    ],
)
def test_what_is_no_lesson_at_all(text: str | bytes, what: str) -> None:
    assert wrong(text) == what


def test_control_characters_are_refused_in_one_line() -> None:
    assert "unacceptable character" in wrong(GOOD.replace("Hi", "'\x07'"))


def test_what_a_file_says_cannot_reach_the_terminal_as_it_is() -> None:
    assert "\x1b" not in wrong(GOOD.replace("user: Hi", '"us\\e[31m": Hi'))
    assert "letters" in wrong(GOOD + "    letters: {A: Hi}\n")


def test_a_message_quotes_no_page() -> None:
    said = wrong(GOOD + "    expect: {tree: '" + "a " * 9_000 + "'}\n")
    assert "step 1, expect, tree: 'a a" in said and len(said) <= LONGEST


def test_aliases_are_taken() -> None:
    text = GOOD.replace("user: Hi, reply: Ho", "user: &hi Hi, reply: *hi")
    assert read_lesson(text.encode(), "mine.yaml").steps[0].requests[0].reply == "Hi"


def test_dates_and_numbers_that_look_like_texts() -> None:
    text = GOOD.replace("user: Hi", "user: 2026-01-31")
    assert read_lesson(text.encode(), "mine.yaml").steps[0].requests[0].user == "2026-01-31"


def test_lessons_are_found_by_name_and_by_path(tmp_path: Path) -> None:
    assert shipped()[0] == "nine-steps"
    assert load_lesson("nine-steps").name == "nine-steps"
    (tmp_path / "mine.yaml").write_text(GOOD)
    assert load_lesson(str(tmp_path / "mine.yaml")).name == "mine"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (LARGEST + 1))
    for name, words in (
        ("no-such", "there is no lesson 'no-such'"),
        (str(tmp_path / "no.yaml"), "No such file"),
        (f"{tmp_path}/", "Is a directory"),
        (str(large), "more than 1 MiB"),
    ):
        with pytest.raises(LessonError, match=words):
            load_lesson(name)
