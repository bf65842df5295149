"""What `radixchat --help` costs beyond an empty typer program, both as processes of their own.

python tests/benchmarks/startup.py
"""

from __future__ import annotations

import subprocess
import sys

from timing import interleaved, report

EMPTY = "import typer; app = typer.Typer(); app.command()(lambda: None); app()"
ROUNDS = 15


def run(*command: str) -> None:
    subprocess.run([sys.executable, *command, "--help"], capture_output=True, check=True)


if __name__ == "__main__":
    medians = interleaved({"empty": lambda: run("-c", EMPTY), "ours": lambda: run("-m", "radixchat")}, ROUNDS)
    more = (medians["ours"] - medians["empty"]) * 1e3
    report("radixchat --help beyond an empty typer program, ms", more, "<= 60", holds=more <= 60)
