"""What every test is given: a home of its own, no network, and time enough on a busy machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when transformers is first imported

settings.register_profile("radixchat", deadline=None)
settings.load_profile("radixchat")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that stands in for the user's own; made by whoever writes there first."""
    home = tmp_path / "home"
    monkeypatch.setenv("RADIXCHAT_HOME", str(home))
    return home


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what needs a CUDA device where there is none."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")
