"""What every test is given: a home of its own, no network, and time enough on a busy machine; and goldens.

A golden is a file in `tests/golden/`, compared byte for byte. `pytest --update-golden` (with the tests that use it)
writes them again; look at what git shows before keeping it.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests share the cores among themselves
os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when transformers is first imported
if not any(Path(each).exists() for each in ("/proc/driver/nvidia", "/dev/nvidia0", "/dev/dxg")):
    os.environ.setdefault("TRITON_INTERPRET", "1")  # likewise by Triton: without a CUDA device kernels are interpreted

GOLDEN = Path(__file__).resolve().parent / "golden"

Golden = Callable[[str, str], None]

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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden pictures again")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares a text with the file of this name, or writes the file when asked to."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        data = (text + "\n").encode()
        if request.config.getoption("--update-golden", default=False):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return
        if not path.exists():
            pytest.fail(f"no golden {path.name}: run pytest --update-golden and look at it", pytrace=False)
        wanted = path.read_bytes()
        if data != wanted:
            lines = difflib.unified_diff(
                wanted.decode().splitlines(), text.splitlines(), f"golden/{name}", "painted now", lineterm=""
            )
            pytest.fail("\n".join([*lines, "meant? run pytest --update-golden"]), pytrace=False)

    return check
