"""Expectations: what holds, what fails and how it is said; the report for programs."""

from __future__ import annotations

import json

import pytest

from radixchat.chat.lessons.checking import Check, check, edge_text, panel_of, report
from radixchat.chat.lessons.loading import read_lesson
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.runs import Changes, Run

LESSON = """
schema: 1
title: T
about: A
cache: {capacity: 14}
capacities: {radish: 36}
system: Be kind.
abridge: {"Assistant: Hi there.": "Assistant: Hi ..."}
arms: [{name: none, cache: none}]
steps:
  - title: One
    requests: [{conversation: a, user: "Hello!", reply: "Hi there."}]
    letters: {a: Hello}
    expect: {nodes: 1, tree: "new a: Be kind. / User: Hello! / Assistant: Hi ..."}
  - title: Two
    requests: [{conversation: b, user: "Bye.", reply: "So long."}]
    letters: {b: Bye}
    expect:
      tree: |
        reused: Be kind.
          resident: User: Hello! / Assistant: Hi ...
          new b
      evicted: []
      splits: 1
      words: {matched: [2], prompt: [3], arms: {none: {reused: 0, prefilled: 6, generated: 4}}, trie: 8}
  - title: Three
    requests: [{conversation: b, user: "More of it, more and more.", reply: "No."}]
    expect: {evicted: [Hello]}
"""


def played(old: str = "", new: str = "", model: str = "words") -> Run:
    assert old in LESSON
    return Stage(read_lesson(LESSON.replace(old, new, 1).encode(), "mine.yaml"), model).run()


def failures(old: str, new: str, model: str = "words") -> list[Check]:
    return [done for done in check(played(old, new, model)) if not done.passed]


def test_all_that_is_expected_holds() -> None:
    checks = check(played())
    assert [done for done in checks if not done.passed] == []
    assert [done.what for done in checks if done.step == 2] == [
        "tree", "evicted", "splits", "words.prompt", "words.matched", "words.trie",
        "words.arms.none.reused", "words.arms.none.prefilled", "words.arms.none.generated",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "what", "expected", "got"),
    [
        ("nodes: 1", "nodes: 2", "nodes", "2", "1"),
        ("splits: 1", "splits: 0", "splits", "0", "1"),
        ("evicted: [Hello]", "evicted: []", "evicted", "nothing", "User: Hello! / Assistant: Hi ..."),
        ("evicted: [Hello]", "evicted: [b]", "evicted", "b", "User: Hello! / Assistant: Hi ..."),
        ("evicted: [Hello]", "evicted: [Hello, b]", "evicted", "Hello, b", "User: Hello! / Assistant: Hi ..."),
        ("evicted: []", "evicted: [Hello]", "evicted", "Hello", "nothing"),
        ("matched: [2]", "matched: [2, 2]", "words.matched", "[2, 2]", "[2]"),
        ("prompt: [3]", "prompt: [4]", "words.prompt", "[4]", "[3]"),
        ("trie: 8", "trie: 9", "words.trie", "9", "8"),
        ("prefilled: 6", "prefilled: 5", "words.arms.none.prefilled", "5", "6"),
        ("resident: User", "reused: User", "tree", None, None),
        ("  new b", "  new", "tree", None, None),
        ("  new b", "  new b: Bye", "tree", None, None),
        ("          new b\n", "", "tree", None, None),
        ("          new b\n", "        new b\n", "tree", None, None),
    ],
)
def test_what_fails_says_what_was_expected_and_what_came(
    old: str, new: str, what: str, expected: str | None, got: str | None
) -> None:
    (failed,) = failures(old, new)
    assert failed.what == what
    assert (failed.expected, failed.got) == (expected, got) or expected is None
    assert failed.expected != failed.got


def test_letters_of_the_step_before_name_what_went() -> None:
    assert failures("evicted: [Hello]", "evicted: [c]\n") == failures("evicted: [Hello]", "evicted: [c]")
    assert failures("letters: {b: Bye}", "letters: {b: Bye, c: Hello}")[0].what == "tree"  # then the line has a letter
    text = LESSON.replace("resident: User", "resident c: User").replace("{b: Bye}", "{b: Bye, c: Hello}")
    lesson = read_lesson(text.replace("evicted: [Hello]", "evicted: [c]").encode(), "mine.yaml")
    assert all(done.passed for done in check(Stage(lesson).run()))


def test_under_a_what_if_nothing_is_expected() -> None:
    assert check(Stage(played().lesson).run(Changes(capacity=30))) == []


def test_panels_list_tombstones_where_the_node_was() -> None:
    one = played()
    assert [(twig.depth, twig.state, edge_text(one, twig.key)) for twig in panel_of(one, 3)] == [
        (0, "reused", "Be kind."),
        (1, "evicted", "User: Hello! / Assistant: Hi ..."),
        (1, "reused", "User: Bye. / Assistant: So long."),
        (2, "new", "User: More of it, more and more. / Assistant: No."),
    ]


def test_the_report_holds_steps_nodes_and_failures() -> None:
    one = played("nodes: 1", "nodes: 2")
    told = json.loads(json.dumps(report(one, check(one))))
    assert (told["lesson"], told["model"], told["capacity"], told["passed"]) == ("mine", "words", 14, False)
    first, second, third = told["steps"]
    assert first["failed"] == [{"what": "nodes", "expected": "2", "got": "1"}]
    assert (first["passed"], second["passed"]) == (False, True)
    assert first["nodes"][0]["text"] == "Be kind. / User: Hello! / Assistant: Hi ..."
    assert [(node["parent"], node["state"], node["letter"]) for node in second["nodes"]] == [
        (None, "reused", ""), (2, "resident", ""), (2, "new", "b"),
    ]  # fmt: skip
    assert second["requests"] == [
        {"conversation": "b", "prompt": 3, "matched": 2, "reused": 2, "prefilled": 1, "generated": 2}
    ]
    assert [gone["text"] for gone in third["evicted"]] == ["User: Hello! / Assistant: Hi ..."]
    assert third["resident"] == sum(node["tokens"] for node in third["nodes"])


def test_on_a_model_texts_and_tokens_are_not_compared() -> None:
    pytest.importorskip("torch")
    checks = check(played(model="radish"))
    assert [done.what for done in checks if done.step == 2] == ["tree", "evicted", "splits"]
    assert all(done.passed for done in checks), checks


def test_a_question_without_anything_to_ask_fails() -> None:
    ((step, what, _, expected, got),) = failures("expect: {evicted: [Hello]}", "ask: [{kind: copied}]")
    assert (step, what, expected) == (3, "ask.copied", "a question") and "nothing of the kind" in got


def test_a_letter_that_the_step_before_has_not_is_named() -> None:
    ((_, what, _, expected, _),) = failures("evicted: [Hello]", "evicted: [z]")
    assert (what, expected) == ("evicted", "z (step 2 has no letter z)")
