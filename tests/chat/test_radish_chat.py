"""The bundled model through the whole program: what the README promises of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from radixchat.chat.engine import Engine, SamplingParams

GREEDY = SamplingParams(temperature=0, max_tokens=60)


@pytest.fixture(scope="module")
def radish() -> Engine:
    return Engine.load()


def test_hello_is_answered_sensibly(radish: Engine) -> None:
    """Under the system prompt of the paper's figure."""
    assert Engine.load("radish").name == radish.name == "radish"
    done = radish.generate("You are a helpful assistant.\nUser: Hello!\nAssistant:", GREEDY)
    assert done.text == " Hi!"
    assert done.finish_reason == "stop"


def test_a_preview_is_held_against_the_real_request(radish: Engine) -> None:
    """With the real tokenizer."""
    prompt = radish.tokenizer.encode("You are a helpful assistant.\nUser: What can you do?\nAssistant:")
    peek = radish.cache.peek(prompt)
    done = radish.generate(prompt, GREEDY)
    assert (peek.matched, peek.reused) == (done.matched_tokens, done.reused_tokens)
    assert peek.split is None or done.splits[0] == peek.split[0]


def _record(path: Path, seed: str) -> bytes:
    lines = "Hello!\nWhat is a radix tree?\n/new\nWhat can you do?\n/regen\n/undo\nWhat is a KV cache?\n"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "RADIXCHAT_HOME": str(path.parent / f"home{seed}")}
    options = ["--plain", "--capacity", "90", "--record", str(path), "--temperature", "0.8", "--seed", "7"]
    done = subprocess.run(
        [sys.executable, "-m", "radixchat", "chat", *options],
        input=lines.encode(), env=environment, cwd=path.parent, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return b"".join(line for line in path.read_bytes().splitlines(keepends=True) if b'"kind":"timing"' not in line)


def test_the_same_conversation_recorded_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """With different hash seeds, evictions and sampling; timings aside."""
    first, second = _record(tmp_path / "one.jsonl", "1"), _record(tmp_path / "two.jsonl", "2")
    assert b'"Evicted"' in first and b'"Split"' in first
    assert first == second
