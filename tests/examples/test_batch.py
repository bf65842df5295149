"""The example of many requests at once runs, and says what it promises."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "batch.py"


def test_the_batch_shares_forks_and_lets_others_join() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"reused +(\d+) of (\d+), prefilled +(\d+):", done.stdout)
    first, second, leader, *samples = [tuple(map(int, each)) for each in found]

    assert first[0] == 0 and second[0] > 0 and leader[0] > 0
    assert samples == [(leader[1], leader[1], 0)] * 2
    assert all(reused + prefilled == prompt for reused, prompt, prefilled in (first, second, leader, *samples))
    ended = re.findall(r"reply (\d+) ends at iteration (\d+): \S", done.stdout)
    assert sorted(number for number, _ in ended) == ["6", "7"]
