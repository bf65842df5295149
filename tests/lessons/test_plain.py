"""The plain player: whole lessons in a pipe, one line at a time at a keyboard, and what leaves which exit code."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from radixchat.chat.errors import UsageError
from radixchat.chat.lessons.plain import PlainLesson, run_plain
from radixchat.chat.lessons.player import Level, Player
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.schema import Lesson
from radixchat.chat.terminal import Terminal

from .stages import lesson, send

Golden = Callable[[str, str], None]

SHORT = """\
schema: 1
title: {en: Share and evict, zh: 共享与驱逐}
about: {en: two chats and a full pool, zh: 两个对话和一个满的池}
cache: {capacity: 24}
system: Be kind.
abridge: {"Tell me a long story about two small cats.": Tell ...}
steps:
  - title: {en: The first chat, zh: 第一个对话}
    say: {en: "Nothing is found; {prefilled} tokens are computed.", zh: "什么也没有找到；计算 {prefilled} 个 token。"}
    requests: [{conversation: one, user: "Tell me a long story about two small cats.", reply: Once upon a time.}]
    letters: {a: Tell me}
  - title: {en: The second chat, zh: 第二个对话}
    say: {en: The two share the system prompt., zh: 两个对话共享系统提示词。}
    note: {en: Point at the grey half., zh: 指出灰色的一半。}
    requests: [{conversation: two, user: Hello!, reply: Hi!}]
    letters: {a: Tell me}
    ask:
      - {kind: split, why: {en: The rest differs., zh: 其余部分不同。}}
      - {kind: matched}
  - title: {en: No room, zh: 空间不够}
    pause: true
    requests: [{conversation: two, user: "What is a radix tree good for?", reply: It shares what begins alike.}]
    ask: [{kind: victim, pick: true}]
"""
SETTINGS = {
    "model": "words",
    "lang": "en",
    "level": "intro",
    "questions": True,
    "auto": None,
    "step": None,
    "color": "auto",
    "ascii": False,
}


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A short lesson in a file, and a pipe."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    path = tmp_path / "short.yaml"
    path.write_text(SHORT, encoding="utf-8")
    return str(path)


# -- in a pipe ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_whole_lesson(short: str, lang: str, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    assert run_plain(short, **{**SETTINGS, "lang": lang}) == 0
    out, err = capsys.readouterr()
    golden(f"lesson-plain-{lang}.txt", out.rstrip("\n"))
    assert err == ""


def test_one_step(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_plain(short, **{**SETTINGS, "step": 2}) == 0
    out = capsys.readouterr().out
    headings = re.findall(r"^(?:question before )?step \d.*", out, re.MULTILINE)
    assert headings == ["question before step 2 · The second chat"] * 2 + ["step 2 of 3 · The second chat"]


def test_no_such_step(short: str) -> None:
    with pytest.raises(UsageError, match="there is no step 4") as caught:
        run_plain(short, **{**SETTINGS, "step": 4})
    assert caught.value.fix == "short has steps 1 to 3."


def test_without_questions(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_plain(short, **{**SETTINGS, "questions": False})
    out = capsys.readouterr().out
    assert "question" not in out and "answer" not in out and "▿" in out


def test_the_answer_is_not_in_the_tree_above_the_question(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_plain(short, **SETTINGS)
    above, below = capsys.readouterr().out.split("step 2 of 3", 1)[1].split("question before step 3")
    assert "▿" not in above and " age" not in above and "evictable" not in above
    assert "evictable" in below


def test_an_engineer_reads_locks(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_plain(short, **SETTINGS)
    assert "locked #" not in capsys.readouterr().out
    run_plain(short, **{**SETTINGS, "level": "engineer"})
    assert "- locked #" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [60, 80, 140, 200])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_line_is_wider_than_the_terminal(
    short: str, columns: int, lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    run_plain(short, **{**SETTINGS, "lang": lang, "level": "engineer"})
    assert max(map(cell_len, capsys.readouterr().out.splitlines())) <= columns


def test_ascii_is_told_in_english(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_plain(short, **{**SETTINGS, "ascii": True, "lang": "zh"})
    out, err = capsys.readouterr()
    assert out.isascii() and "\\u" not in out and "Share and evict" in out
    assert err == "only ASCII can be printed here: told in English\n"


def test_colour_is_asked_for(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_plain(short, **SETTINGS)
    assert "\x1b" not in capsys.readouterr().out
    run_plain(short, **{**SETTINGS, "color": "always", "theme": "light"})
    assert "\x1b[1m" in capsys.readouterr().out


def test_a_language_that_the_lesson_has_not(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_plain(short, **{**SETTINGS, "lang": "fr", "step": 1})
    assert "not everything in this lesson is told in fr" in capsys.readouterr().err


def test_as_a_command_it_needs_no_heavy_library(short: str) -> None:
    probe = (
        "import sys; from radixchat.chat.lessons.plain import run_plain;"
        f"code = run_plain({short!r}, **{SETTINGS!r});"
        "print(code, [n for n in ('torch', 'transformers', 'textual', 'triton') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"}, timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr == "0 []\n" and "step 3 of 3" in done.stdout


# -- at a keyboard -----------------------------------------------------------------------------------------------------


class Desk:
    """A plain player, lines that are typed, and what is printed."""

    def __init__(self, what: Lesson | None = None, *, auto: float | None = None) -> None:
        what = what or lesson(
            send("a b c ", "d "),
            send("a b x ", "y ", ask=[{"kind": "matched"}, {"kind": "split", "pick": True}], pause=True),
            send("a b x ", "z "),
        )
        self.out, self.err = io.StringIO(), io.StringIO()
        self.slept: list[float] = []
        self.prompts: list[str] = []
        stage = Stage(what)
        self.player = Player(stage, stage.run(), level=Level.INTRO)
        terminal = Terminal(self.out, self.err, interactive=True, colour=False, ascii=False, columns=90)
        self.plain = PlainLesson(self.player, terminal, auto=auto, read=self._read, sleep=self.slept.append)
        self._lines: Iterator[str | BaseException] = iter(())

    def _read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        line = next(self._lines, EOFError())
        if isinstance(line, BaseException):
            raise line
        return line

    def type(self, *lines: str | BaseException) -> int:
        self._lines = iter(lines)
        return self.plain.converse()

    def said(self) -> str:
        """Returns what was printed since the last time."""
        text = self.out.getvalue() + self.err.getvalue()
        for stream in (self.out, self.err):
            stream.seek(0)
            stream.truncate()
        return text


def test_through_a_lesson_with_answers() -> None:
    desk = Desk()
    desk.player.jump(1)
    desk.player.next()
    assert desk.player.question is not None
    sign = "1234"[[choice.right for choice in desk.player.question.choices].index(True)]
    desk.player.jump(0)
    assert desk.type("", "n", sign, "next", "#1", "", "", "") == 0
    said = desk.said()
    assert said.count("Right. ") == 2 and "the end · 2 of 2 questions right" in said
    assert "question before step 2 · step 2" in said and "step 3 of 3 · step 3" in said
    assert desk.prompts[0] == "Enter next · b back · 1-3 step · h help · q leave> "
    assert desk.prompts[2] == "1-4 answer · Enter skip · h help · q leave> "
    assert desk.prompts[-1].startswith("Enter leave")


@pytest.mark.parametrize("line", ["ab", "a", "1 2", "#x", "go"])
def test_what_is_no_answer_answers_nothing(line: str) -> None:
    desk = Desk()
    desk.type("", "")
    assert desk.player.question is not None
    assert desk.plain.line(line) and desk.player.question is not None
    assert f"'{line}' means nothing here" in desk.said()
    assert desk.plain.line("7") and desk.player.question is not None
    assert desk.said().splitlines() == [
        "there is no answer 7",
        "Answer with a number from 1 to 4; go 7 goes to a step.",
    ]
    assert desk.plain.line("1") and desk.player.question is None


def test_a_number_answers_and_go_jumps() -> None:
    desk = Desk()
    desk.type("", "", "go 3")
    assert desk.player.step == 3 and desk.player.score.asked == 0
    desk.type("0", "", "")
    desk.said()
    assert desk.player.question is not None
    wrong = next(at for at, choice in enumerate(desk.player.question.choices, 1) if not choice.right)
    text = desk.player.question.choices[wrong - 1].text
    desk.plain.line(str(wrong))
    assert desk.said().startswith(f"{wrong}, {text}: no. ") and desk.player.score.asked == 1


def test_skipping_is_counted_apart() -> None:
    desk = Desk()
    assert desk.type("", "", "", "", "", "") == 0
    assert "the end · 2 skipped" in desk.said()


@pytest.mark.parametrize(
    ("lines", "step"),
    [(["2", "b"], 1), (["3"], 3), (["3", "0"], 0), (["3", "back"], 2), (["2", "-"], 2), (["1", "n", "back"], 0)],
)
def test_moving(lines: list[str], step: int) -> None:
    desk = Desk()
    assert desk.type(*lines) == 0
    assert desk.player.step == step


def test_an_event_is_told_alone() -> None:
    desk = Desk()
    desk.type("2", "-", "-")
    *_, last = desk.said().split("step 2 of 3 · step 2\n")
    lines = last.splitlines()
    assert lines[0].startswith(("grew “", "inserted “")) and lines[1].startswith("the tree")


def test_what_ifs() -> None:
    desk = Desk()
    desk.type("1", "/capacity 50", "say a b q r", "r")
    said = desk.said()
    assert "WHAT IF capacity 50\nstep 1 of 3" in said
    assert "WHAT IF capacity 50 · “a b q r”\nstep 2 of 4 · a b q r" in said
    assert "Sent as it stands" in said
    assert said.rstrip().endswith("capacity 100 tok") and not desk.player.in_what_if


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("what", "'what' means nothing here"),
        ("7", "there is no step 7"),
        ("r", "no what-if is open"),
        ("/capacity no", "/capacity takes a number"),
        ("say ", "'say' means nothing here"),
        ("a", "'a' means nothing here"),
        ("/capacity 2", "step 1: "),
        ("/capacity 1000000000", "/capacity 1000000000 is more than a lesson holds"),
        ("#1", "'#1' means nothing here"),
        ("/policy \x1b[31m", "/policy takes no"),
    ],
)
def test_mistakes_are_told_in_two_lines(line: str, what: str) -> None:
    desk = Desk()
    desk.type("1")
    desk.said()
    assert desk.plain.line(line)
    first, second = desk.said().splitlines()
    assert first.startswith(what) and second and "\x1b" not in first + second


def test_help_lists_what_can_be_typed() -> None:
    desk = Desk()
    desk.plain.line("h")
    assert len(desk.said().splitlines()) == 7


@pytest.mark.parametrize(
    ("lines", "code"), [(["q"], 0), (["1", "quit"], 0), ([EOFError()], 0), (["", KeyboardInterrupt()], 130)]
)
def test_leaving(lines: list[str | BaseException], code: int, home: Path) -> None:
    desk = Desk()
    assert desk.type(*lines) == code
    assert not (home / "lesson.json").exists(), "the presenter's terminal is told"


def test_by_itself_it_stops_where_the_lesson_pauses_and_where_it_asks() -> None:
    desk = Desk(auto=2.5)
    asked: list[tuple[int, bool]] = []
    read: Callable[[str], str] = desk._read

    def note(prompt: str) -> str:
        asked.append((desk.player.step, desk.player.question is not None))
        return read(prompt)

    desk.plain._read = note
    assert desk.type("", "", "", "") == 0
    assert asked == [(1, True), (1, True), (2, False), (3, False)]
    assert desk.slept == [2.5, 2.5]


def test_in_a_pipe_it_waits_and_stops_nowhere() -> None:
    desk = Desk(auto=1)
    desk.plain.recite()
    assert desk.prompts == [] and desk.slept == [1.0] * 5 and desk.player.at_end


def test_a_pipe_is_told_all_of_it_even_at_a_keyboard(short: str) -> None:
    """`radixchat lesson … | head -1` waits for nobody."""
    pexpect = pytest.importorskip("pexpect")
    command = f"{shlex.quote(sys.executable)} -m radixchat lesson {shlex.quote(short)} --color never | head -1"
    child = pexpect.spawn("sh", ["-c", command], dimensions=(40, 80), timeout=30, encoding="utf-8")
    try:
        child.expect(pexpect.EOF)
        assert child.before.split() == ["Share", "and", "evict"]
    finally:
        child.close()


def test_at_a_real_terminal(tmp_path: Path) -> None:
    pexpect = pytest.importorskip("pexpect")
    path = tmp_path / "short.yaml"
    path.write_text(SHORT, encoding="utf-8")
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    child = pexpect.spawn(
        sys.executable, ["-m", "radixchat", "lesson", str(path), "--plain"], env=environment, dimensions=(40, 80),
        timeout=30, encoding="utf-8", codec_errors="replace",
    )  # fmt: skip
    try:
        child.expect_exact("Share and evict")
        child.expect_exact("q leave> ")
        child.sendline("")
        child.expect_exact("step 1 of 3")
        child.expect_exact("q leave> ")
        child.sendline("")
        child.expect_exact("question before step 2")
        child.expect_exact("Enter skip")
        child.sendline("1")
        child.expect(r"Right\.|: no\.")
        child.expect_exact("q leave> ")
        child.sendcontrol("c")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    assert child.exitstatus == 130
