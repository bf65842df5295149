"""Every kernel, compiled for real graphics cards, which needs none: for sm_80 and sm_90, in a process of its own."""

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
SHARED = {8: 163 * 1024, 9: 227 * 1024}
"""Bytes of shared memory that one program may use, by the card's major version: A100 and H100."""


def compiled(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """Returns what was compiled: see compile_all.py."""
    environment = os.environ | {"TRITON_CACHE_DIR": str(folder)}
    environment.pop("TRITON_INTERPRET", None)  # which conftest.py sets
    command = [sys.executable, str(Path(__file__).with_name("compile_all.py")), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(reports: list[dict[str, Any]]) -> None:
    wrong = [each for each in reports if each["error"] or each["shared"] > SHARED[each["major"]]]
    assert not wrong, "\n".join(map(str, wrong))
    modules = {path.stem for path in (ROOT / "kernels").glob("triton_*.py") if "@triton.jit" in path.read_text("utf-8")}
    assert {(each["module"], each["major"]) for each in reports} == set(product(modules, SHARED))


def test_kernels_compile_and_fit(tmp_path):
    check(compiled(tmp_path, "--few"))


@pytest.mark.slow
def test_all_shapes_compile_and_fit(tmp_path):
    check(compiled(tmp_path))
