"""The script for a GPU says what is missing where there is none; runs anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radixchat.chat.bench import run as bench
from radixchat.chat.bench.goals import BENCHES, goal
from radixchat.chat.bench.rows import Conditions, Row, section

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


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(RUN.parent))
    import run

    return run


def test_a_share_is_shown_as_its_table_shows_it(script):
    row = Row(value=0.62, arms={"ours": 1.0}, goal=goal("G5", "14/2/64"))
    (line,) = script._found("attention", [{"row": row.facts()}], dry=False)
    assert (line.result, line.verdict) == ("62 % (wanted ≥ 60 %, ≥ 75 %, ≥ 85 %)", "pass")


def test_a_bench_that_breaks_has_failed_and_a_goal_for_elsewhere_has_not(script):
    def broken(at):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
        yield

    parts = section(broken, "cuda", "G5c"), section(lambda at: iter(()), "cpu", "G8 512")
    told = [{"not_run": left.facts()} for part in parts for left in bench._taken(part, Conditions("cuda"))]
    lines = list(script._found("attention", told, dry=False))
    assert [(line.verdict, line.failed) for line in lines] == [("FAILED", True), ("not run", False)]
    assert "illegal memory access" in lines[0].result


def test_rows_that_were_taken_before_time_ran_out_are_kept(script, tmp_path, monkeypatch):
    rows = [json.dumps({"row": Row(value=9.0, arms={}, goal=goal(id)).facts()}) + "\n" for id in ("G1", "G3")]
    monkeypatch.setattr(script, "BENCH", f"print({rows[0] + rows[1][:50]!r}, end='', flush=True)\nraise SystemExit(9)")
    lines = list(script._bench("decode", tmp_path, dict(os.environ), time.monotonic() + 60, dry=False))
    assert [(line.what[:3], line.failed) for line in lines] == [("G1:", False), ("ben", True)]


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
