"""The app at a real pseudo-terminal, on real models: starting, talking, travelling, leaving, being killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("textual")
pexpect = pytest.importorskip("pexpect")

CTRL_C, CTRL_Q, F2, LEFT, END = "\x03", "\x11", "\x1bOQ", "\x1b[D", "\x1b[F"
Spawn = Callable[..., Any]


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model, except that it knows no end of a reply: it goes on until its context is full."""
    folder = tmp_path_factory.mktemp("app") / "talkative"
    shutil.copytree(Path(__file__).parents[2] / "chat" / "models" / "radish", folder)
    for name in ("config.json", "generation_config.json"):
        values = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**values, "eos_token_id": 7}), encoding="utf-8")  # a byte it never says
    return folder


@pytest.fixture
def spawn(home: Path) -> Iterator[Spawn]:
    """Starts radixchat in a terminal of 120 x 34."""
    children = []

    def start(*words: str, **environment: str) -> Any:
        own = ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES")
        known = {name: value for name, value in os.environ.items() if name not in own}
        child = pexpect.spawn(
            sys.executable, ["-m", "radixchat", *words],
            env={**known, "RADIXCHAT_HOME": str(home), "TERM": "xterm-256color", **environment},
            dimensions=(34, 120), timeout=60, encoding="utf-8", codec_errors="replace",
        )  # fmt: skip
        children.append(child)
        return child

    yield start
    for child in children:
        child.close(force=True)


def ready(child: Any) -> None:
    """Waits until the model is loaded."""
    child.expect("cache radix")
    time.sleep(0.3)  # what follows is typed by a person, who sees this first


def leave(child: Any) -> int:
    """Quits; returns the exit code."""
    child.send(CTRL_Q)
    child.expect(pexpect.EOF)
    child.close()
    return int(child.exitstatus)


def test_a_chat_with_the_bundled_model_from_the_first_word_to_the_last(spawn: Spawn) -> None:
    """And the next start goes on with it."""
    app = spawn()
    app.expect("Type a message")
    ready(app)
    app.send("Hello!\r")
    app.expect(r"reused 0 of \d+ prompt tokens")
    app.send("What is a radix tree?")
    app.expect(r"would reuse \d\d of \d\d · prefill")
    app.send("\r")
    app.expect(r"reused \d\d of \d\d prompt tokens")
    app.send(CTRL_C)  # nothing runs: it does no harm
    app.send(F2)
    app.send(LEFT * 3)
    app.expect(r"step 2 · event \d+ of")
    app.send(END)
    app.expect("live · step 2")
    assert leave(app) == 0
    again = spawn("chat", "--continue")
    ready(again)
    again.expect("Hello!")
    assert leave(again) == 0


def test_what_was_finished_survives_a_kill(spawn: Spawn, talkative: Path, home: Path) -> None:
    """In the middle of the second turn."""
    app = spawn("chat", "--model", str(talkative), "--max-tokens", "12")
    ready(app)
    app.send("One\r")
    app.expect(r"generated \d+")
    time.sleep(0.3)
    app.send("/set max_tokens 1900\r")
    app.expect("1900")
    time.sleep(0.3)
    app.send("Two\r")
    app.expect("thinking")
    time.sleep(0.5)
    os.kill(app.pid, signal.SIGKILL)
    app.close(force=True)
    turns, opening = (
        sqlite3.connect(home / "conversations.db").execute("SELECT turns, opening FROM conversations").fetchone()
    )
    assert (turns, opening) == (1, "One")
    again = spawn("chat", "--model", str(talkative), "--continue")
    ready(again)
    again.expect("One")
    assert leave(again) == 0


def test_quitting_during_a_reply(spawn: Spawn, talkative: Path) -> None:
    """Ends the process, and with it the reply."""
    app = spawn("chat", "--model", str(talkative), "--max-tokens", "1900")
    ready(app)
    app.send("Go on and on\r")
    app.expect("thinking")
    time.sleep(0.5)
    assert leave(app) == 0


def test_a_model_that_is_not_there_leaves_the_app_open(spawn: Spawn) -> None:
    """And the bundled one can be loaded instead."""
    app = spawn("chat", "--model", "./nowhere")
    app.expect("/model radish loads")
    app.send("/model radish\r")
    ready(app)
    app.send("Hello!\r")
    app.expect("reused 0 of")
    assert leave(app) == 0


def test_a_recording_opens_in_the_app(spawn: Spawn) -> None:
    """Without any model."""
    chat = spawn("chat", "--plain")
    chat.expect_exact("> ")
    chat.sendline("Hello!")
    chat.expect("reused 0 of")
    chat.sendline("/quit")
    chat.expect(pexpect.EOF)
    app = spawn("replay", "last", "--step", "1")
    app.expect("step 1 · event")
    assert leave(app) == 0


@pytest.mark.parametrize("words", [[], ["chat"], ["replay", "last"]])
def test_a_terminal_that_cannot_show_it_gets_two_lines(words: list[str], spawn: Spawn) -> None:
    """And the way that works there."""
    app = spawn(*words, TERM="dumb")
    app.expect("cannot draw on this terminal")
    app.expect("--plain")
    app.expect(pexpect.EOF)
    app.close()
    assert app.exitstatus == 2


def test_no_colour(spawn: Spawn) -> None:
    """NO_COLOR leaves grey, and every sign."""
    app = spawn(NO_COLOR="1")
    app.expect("Type a message")
    ready(app)
    app.send("Hello!\r")
    app.expect("✚")
    seen = app.before
    assert leave(app) == 0
    colours = {code for code in seen.replace("\x1b", "\n\x1b").split("\n") if code.startswith("\x1b[38;2;")}
    for code in colours:
        red, green, blue = code.removeprefix("\x1b[38;2;").split("m")[0].split(";")[:3]
        assert red == green == blue
