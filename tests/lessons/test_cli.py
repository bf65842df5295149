"""`radixchat lesson` as a person types it: exit codes, streams, what it loads and how long it takes."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from radixchat.chat.completion import lessons
from radixchat.chat.lessons.loading import load_lesson, shipped

LESSON = """schema: 1
title: T
about: A
cache: {capacity: 10}
steps:
  - title: One
    requests: [{prompt: "a b ", reply: c}]
    expect: {nodes: 1}
  - title: Two
"""


def radixchat(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "radixchat", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment}, timeout=120,
    )  # fmt: skip


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(LESSON)
    return file


def test_a_lesson_that_is_as_it_expects_exits_with_0(mine: Path) -> None:
    done = radixchat("lesson", mine, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "step 1  ok  1 node, 3 tok\nstep 2  -  1 node, 3 tok\n2 steps, all as expected\n"


def test_a_lesson_that_is_not_exits_with_1_and_says_why(mine: Path) -> None:
    mine.write_text(LESSON.replace("nodes: 1", 'nodes: 2, tree: "new a: b"'))
    done = radixchat("lesson", mine, "--check")
    assert done.returncode == 1
    assert done.stdout == (
        "step 1  FAILED  1 node, 3 tok\n"
        "  tree: expected\n    new a: b\n  got\n    new: a b c\n"
        "  nodes: expected\n    2\n  got\n    1\n"
        "step 2  -  1 node, 3 tok\n1 of 2 steps not as expected\n"
    )
    assert json.loads(radixchat("lesson", mine, "--json").stdout)["passed"] is False


def test_colours_and_plain_characters(mine: Path) -> None:
    mine.write_text(LESSON.replace('{prompt: "a b "', '{prompt: "é b "').replace("nodes: 1", "tree: 'new: x'"))
    assert "\x1b[" in radixchat("lesson", mine, "--check", "--color", "always").stdout
    plain = radixchat("lesson", mine, "--check", "--ascii").stdout
    assert plain.isascii() and "\x1b" not in plain


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["lesson", "no-such", "--check"], "there is no lesson 'no-such'"),
        (["lesson", "nine-step", "--check"], "is nine-steps meant?"),
        (["lesson", "nine-steps", "--step", "99"], "there is no step 99"),
        (["lesson", "nine-steps", "--step", "0"], "there is no step 0"),
        (["lesson", "no/such.yaml"], "No such file"),
        (["lesson", "nine-steps", "--check", "--step", "99"], "there is no step 99"),
        (["lesson", "--check"], "--check needs a lesson"),
        (["lesson", "--notes"], "--notes needs a lesson"),
        (["lesson", "nine-steps", "--lang", "english"], "no language of two letters"),
        (["lesson", "nine-steps", "--auto", "inf"], "invalid value for '--auto'"),
        (["lesson", "nine-steps", "--auto", "nan"], "invalid value for '--auto'"),
        (["lesson", "nine-steps", "--level", "expert"], "'expert' is not one of"),
    ],
)
def test_what_is_wrong_takes_two_lines_and_exits_with_2(words: list[str], what: str) -> None:
    done = radixchat(*words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 2), done.stderr
    assert what in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize("words", ["", "--notes", "--check", "--json"])
def test_a_closed_stdout_is_no_traceback(mine: Path, words: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m radixchat lesson {shlex.quote(str(mine))} {words} >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("words", ["", "--notes", "--check", "--json"])
def test_a_full_disk_takes_two_lines(mine: Path, words: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m radixchat lesson {shlex.quote(str(mine))} {words} > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    first, _ = done.stderr.splitlines()
    assert (done.returncode, first) == (1, "radixchat: the output cannot be written: No space left on device")


def test_a_file_that_cannot_run_names_file_line_and_step(mine: Path) -> None:
    mine.write_text(re.sub(r"capacity: \d+", "capacity: 1", LESSON))
    done = radixchat("lesson", mine, "--check")
    assert done.returncode == 2 and f"{mine}, line " in done.stderr and ": step 1: " in done.stderr


def test_a_file_with_a_mistake_names_the_line(mine: Path) -> None:
    mine.write_text(LESSON.replace("reply", "repyl"))
    done = radixchat("lesson", mine, "--check")
    assert done.returncode == 2
    assert f"{mine}, line 7: step 1, request 1, repyl: unknown field; is reply meant?" in done.stderr


def test_a_check_up_to_a_step(mine: Path) -> None:
    assert radixchat("lesson", mine, "--check", "--step", 1).stdout.endswith("1 step, all as expected\n")


def test_the_list_names_every_lesson_in_the_language_asked_for() -> None:
    done = radixchat("lesson", "--lang", "zh")
    assert done.returncode == 0
    for name in shipped():
        assert f"{name} " in done.stdout and load_lesson(name).title.text("zh") in done.stdout
    assert "English list" in radixchat("lesson", "--lang", "xx").stderr
    listed = json.loads(radixchat("lesson", "--json").stdout)
    assert [entry["name"] for entry in listed] == shipped()
    assert {"title", "about", "steps", "languages"} < set(listed[0])


def test_names_are_completed() -> None:
    assert lessons("nine") == ["nine-steps"]
    assert lessons("") == shipped()


def test_the_list_runs_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from radixchat.chat.lessons import listing, running

    monkeypatch.setattr(running, "Stage", None)
    assert listing.run_list(lang="en", json=False, color="never", ascii=False) == 0
    assert "nine-steps" in capsys.readouterr().out
