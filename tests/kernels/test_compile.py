"""Every kernel, compiled for real graphics cards, which needs none: from sm_80 to sm_120, in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="no Triton")

ROOT = Path(__file__).resolve().parents[2]
SHARED = {80: 163 * 1024, 89: 99 * 1024, 90: 227 * 1024, 120: 99 * 1024}
"""Bytes of shared memory that one program may use, by the card's compute capability: A100, RTX 40, H100, RTX 50."""


def compiled(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """Returns what was compiled: see compile_all.py."""
    environment = os.environ | {"TRITON_CACHE_DIR": str(folder)}
    environment.pop("TRITON_INTERPRET", None)  # which conftest.py sets
    command = [sys.executable, str(Path(__file__).with_name("compile_all.py")), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(reports: list[dict[str, Any]]) -> None:
    wrong = [each for each in reports if each["error"] or each["shared"] > SHARED[each["card"]]]
    assert not wrong, "\n".join(map(str, wrong))
    modules = {path.stem for path in (ROOT / "kernels").glob("triton_*.py") if "@triton.jit" in path.read_text("utf-8")}
    large = {(each["module"], each["card"]) for each in reports if SHARED[each["card"]] > 99 * 1024}
    assert large == set(product(modules, (80, 90)))
    assert {each["card"] for each in reports} == set(SHARED)


def test_kernels_compile_and_fit(tmp_path):
    check(compiled(tmp_path, "--few"))


@pytest.mark.slow
def test_all_shapes_compile_and_fit(tmp_path):
    check(compiled(tmp_path))
