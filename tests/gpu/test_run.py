"""The script for a GPU says what is missing where there is none; runs anywhere."""

from __future__ import annotations

import json
import os
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


def test_the_bench_runs_where_packages_of_chats_and_lessons_are_missing(tmp_path):
    """A machine with a GPU has PyTorch and what comes with it, and can fetch nothing."""
    missing = ["graphviz", "pexpect", "platformdirs", "pydantic", "textual", "yaml"]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing}))\n"
        "from radixchat.chat import config\n"
        "from radixchat.chat.bench import run\n"
        "at = dict(json=True, plots=None, rounds=1, quick=True, device='cpu', color='never', ascii=True)\n"
        "sys.exit(run.run_bench('tree', **at))"
    )
    environment = {**os.environ, "RADIXCHAT_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"]


def test_packages_that_were_brought_along_stay_in_reach(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/brought/along")
    monkeypatch.syspath_prepend(str(RUN.parent))
    import run

    link, *others = run._environment(tmp_path, dry=False)["PYTHONPATH"].split(os.pathsep)
    assert (Path(link) / "radixchat").resolve() == run.ROOT and others == ["/brought/along"]
