"""The app against the plain chat, and how soon it answers.

    python tests/benchmarks/app.py [--rounds 5]

Tokens a second with the live view on, over those of the plain chat, on the bundled model (made to talk on and on) and
the same prompt, both as processes at pseudo-terminals, in turn. First paint, keys and leaving are measured in the same
processes. The plain arm is `radixchat chat --plain`, which prints every piece as it comes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import pexpect

from radixchat.chat.bench.timing import report
from radixchat.chat.bench.view import PROMPT, Chat, talkative

TOKENS = 1500
CTRL_Q = "\x11"
OPTIONS = ("--max-tokens", str(TOKENS))


def app(home: str) -> tuple[float, float, float, float, float]:
    """Speed; seconds to the first paint, and while a reply runs, to a letter, to another pane, and to leave."""
    start = time.perf_counter()
    chat = Chat(home, *OPTIONS)
    child = chat.child
    child.expect("Type a message")
    painted = time.perf_counter() - start
    chat.ready()
    speed = chat.speed("\r")
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
            with Chat(home, "--plain", *OPTIONS) as chat:
                chat.prompt()
                plains.append(chat.speed("\n"))
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
