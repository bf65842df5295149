"""The script for a GPU says what is missing where there is none; runs anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from radixchat.chat.bench.goals import BENCHES

RUN = Path(__file__).with_name("run.py")


def test_without_a_gpu_it_says_so_in_two_lines(tmp_path):
    done = subprocess.run(
        [sys.executable, str(RUN)], cwd=tmp_path, capture_output=True, text=True, env={"CUDA_VISIBLE_DEVICES": ""}
    )
    assert done.returncode == 3 and not done.stdout
    what, then = done.stderr.splitlines()
    assert "CUDA device" in what and "--dry" in then
    assert not list(tmp_path.iterdir())


def test_all_tests_here_and_all_benches_are_run(monkeypatch):
    monkeypatch.syspath_prepend(str(RUN.parent))
    import run

    assert set(run.TESTS) == {path.stem.removeprefix("test_") for path in RUN.parent.glob("test_*.py")} - {"run"}
    assert set(run.BENCHES) == set(BENCHES)
