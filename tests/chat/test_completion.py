"""What the shell completes, and that completing brings nothing heavy along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from radixchat.chat.conversation import Conversation
from radixchat.chat.paths import conversations_file, recordings_dir
from radixchat.chat.store import Store

from .test_store import say

HEAVY = {"torch", "transformers", "triton", "textual"}
PROGRAM = """
import atexit, sys
atexit.register(lambda: print("LOADED", *sys.modules))
sys.argv = ["radixchat"]
from radixchat.chat.cli import main
main()
"""


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Completes a line as bash would ask for it, in a home of its own."""
    monkeypatch.setenv("RADIXCHAT_HOME", str(tmp_path / "home"))

    def complete(line: str) -> list[str]:
        words = line.split(" ")
        asked = {"_RADIXCHAT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env={**os.environ, **asked}, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.stderr == ""
        *found, loaded = done.stdout.splitlines()
        assert not HEAVY.intersection(loaded.split())
        return [word for word in found if word]

    return complete


def test_names_of_saved_conversations(complete) -> None:
    """None, before there are any; asking makes no file."""
    assert complete("radixchat chat --conversation ") == []
    assert not conversations_file().exists()
    store = Store(conversations_file())
    for name in ("tries", "trees", "other"):
        told = Conversation(name)
        say(told, "One", "1")
        store.save(told, "bytes")
    assert complete("radixchat chat --conversation tr") == ["trees", "tries"]


def test_models_policies_and_recordings(complete) -> None:
    """Each where it belongs."""
    assert complete("radixchat chat --model ra") == ["radish"]
    assert complete("radixchat chat --policy l") == ["lru", "lfu"]
    recordings_dir().mkdir(parents=True)
    (recordings_dir() / "1.jsonl").touch()
    assert complete("radixchat replay ") == ["last", str(recordings_dir() / "1.jsonl")]
    assert complete("radixchat con") == ["config"]


def test_what_can_be_compared_and_under_which_rules(complete) -> None:
    """Lessons, recordings and presets."""
    assert complete("radixchat compare hash") == ["hash-blocks"]
    assert complete("radixchat compare last --preset vllm-0.3") == ["vllm-0.33"]
    assert complete("radixchat chat --preset n") == ["nano-vllm"]


def test_what_can_be_exported_and_how(complete) -> None:
    """Recordings and lessons; formats."""
    assert complete("radixchat export nine") == ["nine-steps"]
    assert complete("radixchat export la") == ["last"]
    assert complete("radixchat export last --format p") == ["png", "pdf"]
