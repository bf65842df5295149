"""The app against the plain chat, and how soon it answers.

    python tests/benchmarks/app.py [--rounds 5]

Tokens a second with the live view on, over those of the plain chat, on the bundled model (made to talk on and on) and
the same prompt, both as processes at pseudo-terminals, in turn. First paint, keys and leaving are measured in the same
processes. The plain arm is `radixchat chat --plain`, which prints every piece as it comes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pexpect
from timing import report

TOKENS = 1500
NEVER = 7  # a token of a byte that no reply has
RADISH = Path(__file__).parents[2] / "chat" / "models" / "radish"
PROMPT = "Hello!"
CTRL_Q = "\x11"
OPTIONS = ("--capacity", "4096", "--temperature", "1", "--top-k", "0", "--seed", "5", "--max-tokens", str(TOKENS))
DONE = re.compile(r"generated (\d[\d,]*)")


def talkative(folder: Path) -> Path:
    """Writes a radish that knows no end of a reply."""
    shutil.copytree(RADISH, folder)
    for name in ("config.json", "generation_config.json"):
        path = folder / name
        values = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**values, "eos_token_id": NEVER}), encoding="utf-8")
    return folder


def spawn(home: str, *words: str) -> Any:
    """Starts the program at a terminal."""
    environment = {**os.environ, "RADIXCHAT_HOME": home, "TERM": "xterm-256color"}
    return pexpect.spawn(
        sys.executable, ["-m", "radixchat", "chat", *words, "--model", f"{home}/talkative", *OPTIONS],
        env=environment, dimensions=(34, 120), timeout=300, encoding="utf-8", codec_errors="replace",
    )  # fmt: skip


def generate(child: Any, end: str, home: str) -> float:
    """Sends the prompt; returns tokens a second after the first, as the recording has them."""
    child.send(PROMPT + end)
    child.expect(DONE)
    recording = Path((Path(home) / "recordings" / "last").read_text(encoding="utf-8").strip())
    while True:  # the signature may be seen before the line is written
        lines = [json.loads(line) for line in recording.read_text(encoding="utf-8").splitlines() if '"timing"' in line]
        if lines:
            return float(lines[-1]["decode_tokens_per_s"])
        time.sleep(0.01)


def plain(home: str) -> float:
    child = spawn(home, "--plain")
    child.expect_exact("> ")
    speed = generate(child, "\n", home)
    child.close(force=True)
    return speed


def app(home: str) -> tuple[float, float, float, float, float]:
    """Speed; seconds to the first paint, and while a reply runs, to a letter, to another pane, and to leave."""
    start = time.perf_counter()
    child = spawn(home)
    child.expect("Type a message")
    painted = time.perf_counter() - start
    child.expect("cache radix")
    time.sleep(0.5)
    speed = generate(child, "\r", home)
    child.send("/new\r")
    child.expect("now in")
    child.send(PROMPT + "\r")
    time.sleep(0.4)
    start = time.perf_counter()
    child.send("ü")
    child.expect("ü")
    letter = time.perf_counter() - start
    time.sleep(0.3)
    start = time.perf_counter()
    child.send("\x1bOQ")  # F2: the tree gets the keys, and its row of the footer
    child.expect("Back")
    pane = time.perf_counter() - start
    start = time.perf_counter()
    child.send(CTRL_Q)
    child.expect(pexpect.EOF)
    child.close()
    return speed, painted, letter, pane, time.perf_counter() - start


def main() -> None:
    """Both arms in turn, medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    plains, apps = [], []
    with tempfile.TemporaryDirectory() as home:
        talkative(Path(home) / "talkative")
        for _ in range(rounds):
            plains.append(plain(home))
            apps.append(app(home))
    speed, painted, letter, pane, left = (statistics.median(values) for values in zip(*apps, strict=True))
    print(f"plain {statistics.median(plains):.0f} tok/s, app {speed:.0f} tok/s, medians of {rounds}")
    ratio = speed / statistics.median(plains)
    report("tokens a second, app / plain chat", ratio, ">= 0.92", holds=ratio >= 0.92)
    report("first paint, s", painted, "<= 0.7", holds=painted <= 0.7)
    report("a letter while a reply runs, ms", letter * 1e3, "<= 100", holds=letter <= 0.1)
    report("F2 while a reply runs: another pane and footer, ms", pane * 1e3, "<= 100", holds=pane <= 0.1)
    report("leaving while a reply runs, s", left, "<= 1", holds=left <= 1)


if __name__ == "__main__":
    main()
