"""Every command and program of the README that needs no network, run as it stands; its transcript, compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NETWORK = ("git clone", "make ", "pip install", "--model ", "pytest", "python3 -m venv")
TIMES = re.compile(r"TTFT [\d.,]+ ms")


def blocks(root: Path, kind: str) -> list[str]:
    """The code blocks of one kind."""
    return [text for name, text in BLOCK.findall((root / "README.md").read_text(encoding="utf-8")) if name == kind]


def shell(command: str, root: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command line with this environment's `radixchat` and `python` first on the path."""
    home.mkdir(exist_ok=True)  # pictures go there, too
    environment = {
        **os.environ,
        "RADIXCHAT_HOME": str(home),
        "TMPDIR": str(home),
        "COLUMNS": "100",
        "PYTHONIOENCODING": "utf-8",
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        ["sh", "-c", command], cwd=root, env=environment, text=True, encoding="utf-8",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
    )  # fmt: skip


def test_every_command_works(root: Path, tmp_path: Path) -> None:
    """In order, in one home, since later ones replay what earlier ones recorded."""
    commands = [line[2:] for block in blocks(root, "console") for line in block.splitlines() if line.startswith("$ ")]
    assert len(commands) >= 8
    for command in commands:
        done = shell(command, root, tmp_path / "home")
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        assert done.stdout.strip(), command


def test_every_other_line_needs_the_network_or_is_the_set_up(root: Path) -> None:
    """So that no command can hide from the test above."""
    for block in blocks(root, ""):
        for line in block.splitlines():
            assert not line or any(word in line for word in (*NETWORK, ".venv/bin/radixchat")), line


def test_the_program_works(root: Path, tmp_path: Path) -> None:
    """The Python of the README, and the example it names."""
    for program in blocks(root, "python"):
        path = tmp_path / "program.py"
        path.write_text(program, encoding="utf-8")
        done = shell(f"python {path}", root, tmp_path / "home")
        assert done.returncode == 0, done.stdout
        assert "[(2, [1, 2]), (1, [3, 4]), (3, [9, 9])]" in done.stdout
    done = shell("python examples/share_a_prefix.py", root, tmp_path / "home")
    assert done.returncode == 0 and "reused" in done.stdout, done.stdout


def test_the_transcript_is_what_the_command_prints(root: Path, tmp_path: Path) -> None:
    """Times aside; a change of the pictures or of the model shows here."""
    first, *shown = blocks(root, "console")[0].splitlines()
    done = shell(f"({first[2:]}) 2>&1", root, tmp_path / "home")
    assert TIMES.sub("TTFT …", done.stdout).splitlines() == TIMES.sub("TTFT …", "\n".join(shown)).splitlines()
