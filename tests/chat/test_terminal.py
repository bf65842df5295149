"""The plain chat at a real pseudo-terminal: prompts, stopping, leaving."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pexpect = pytest.importorskip("pexpect")

from radixchat.chat.store import Store  # noqa: E402

from ..engine.models import tiny_model  # noqa: E402

CTRL_C, CTRL_D = "\x03", "\x04"
PROMPT = "main> "


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that never stops talking by itself."""
    return tiny_model("llama", tmp_path_factory.mktemp("terminal") / "llama", max_position_embeddings=20_000)


@pytest.fixture
def chat(llama: Path, tmp_path: Path) -> Iterator[object]:
    """A chat in a terminal of 100 columns, at its first prompt."""
    environment = {**os.environ, "RADIXCHAT_HOME": str(tmp_path / "home"), "TERM": "xterm-256color", "NO_COLOR": "1"}
    options = ["--plain", "--model", str(llama), "--max-tokens", "5000", "--temperature", "1", "--top-k", "5"]
    child = pexpect.spawn(
        sys.executable, ["-m", "radixchat", "chat", *options], env=environment, dimensions=(40, 100), timeout=60,
        encoding="utf-8", codec_errors="replace",
    )  # fmt: skip
    child.expect_exact("/help lists the commands")
    child.expect_exact(PROMPT)
    yield child
    child.close(force=True)


def code(child) -> int:  # type: ignore[no-untyped-def]
    """Waits for the end; returns the exit code."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_ctrl_c_stops_a_reply_keeps_it_and_the_chat_goes_on(chat) -> None:  # type: ignore[no-untyped-def]
    """The signature line still comes, and /continue could go on."""
    chat.sendline("Hello!")
    chat.expect("Hello!")
    chat.expect(r"\w{3}")
    chat.send(CTRL_C)
    chat.expect(r"reused 0 of \d+ prompt tokens .* generated \d+ .* TTFT")
    chat.expect_exact(PROMPT)
    chat.sendline("/stats")
    chat.expect("1 turns")
    chat.expect_exact(PROMPT)
    chat.sendline("/quit")
    assert code(chat) == 0


def test_ctrl_c_twice_leaves_with_130_and_ctrl_d_with_0(chat) -> None:  # type: ignore[no-untyped-def]
    """At the prompt the first one clears the line and says so."""
    chat.send("half a line")
    chat.expect_exact("half a line")  # the line editor is listening
    chat.send(CTRL_C)
    chat.expect("Ctrl-C again or Ctrl-D leaves")
    chat.expect_exact(PROMPT)
    chat.send(CTRL_C)
    assert code(chat) == 130


def test_ctrl_d_leaves_and_the_history_is_private(chat, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """What was typed is there next time, for its owner only."""
    chat.sendline("/help")
    chat.expect_exact("/help all")
    chat.expect_exact(PROMPT)
    chat.send(CTRL_D)
    assert code(chat) == 0
    history = tmp_path / "home" / "history"
    assert "/help" in history.read_text()
    assert history.stat().st_mode & 0o777 == 0o600


def test_what_was_said_and_typed_is_there_next_time(chat, llama: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A conversation is opened by its first letters, and an entry of several lines is one entry."""
    chat.sendline("/set max_tokens 3")
    chat.expect("max_tokens 3")
    chat.sendline('"""Hello')
    chat.sendline('there"""')
    chat.expect("reused 0 of")
    chat.expect_exact(PROMPT)
    chat.sendline("/rename greetings")
    chat.expect_exact("greetings> ")
    chat.sendline("/new other")
    chat.expect_exact("other> ")
    chat.send("/sw\t")
    chat.expect_exact("/switch")
    chat.send(" gre\t\r")
    chat.expect("now in greetings, with 1 turn")
    chat.expect_exact("greetings> ")
    chat.send(CTRL_D)
    assert code(chat) == 0

    home = tmp_path / "home"
    assert '"Hello\\nthere"' in (home / "history").read_text().splitlines()
    assert (home / "conversations.db").stat().st_mode & 0o777 == 0o600
    found = Store(home / "conversations.db")
    assert found.names() == ["greetings"] and found.said("greetings")[0].content == "Hello\nthere"
