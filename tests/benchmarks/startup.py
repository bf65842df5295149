"""What starting costs, every arm a process of its own.

    python tests/benchmarks/startup.py

`radixchat --help` beyond an empty typer program, and a lesson that is run and checked whole on words.
"""

from __future__ import annotations

import subprocess
import sys

from radixchat.chat.bench.timing import interleaved, report

EMPTY = "import typer; app = typer.Typer(); app.command()(lambda: None); app()"
ROUNDS = 15


def run(*command: str) -> None:
    subprocess.run([sys.executable, *command], capture_output=True, check=True)


if __name__ == "__main__":
    medians = interleaved(
        {
            "empty": lambda: run("-c", EMPTY, "--help"),
            "ours": lambda: run("-m", "radixchat", "--help"),
            "lesson": lambda: run("-m", "radixchat", "lesson", "nine-steps", "--check"),
        },
        ROUNDS,
    )
    more = (medians["ours"] - medians["empty"]) * 1e3
    report("radixchat --help beyond an empty typer program, ms", more, "<= 60", holds=more <= 60)
    lesson = medians["lesson"]
    report("radixchat lesson nine-steps --check, s", lesson, "<= 1", holds=lesson <= 1)
