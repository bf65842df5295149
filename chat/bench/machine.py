"""What a bench ran on: versions, processor, device. Absolute times mean nothing without it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

LIBRARIES = ("numpy", "torch", "transformers", "triton")


def machine(device: str, *, torch: bool) -> dict[str, Any]:
    """Returns facts by name.

    Args:
        device: cpu or cuda.
        torch: Whether it is installed, and may be asked.
    """
    facts: dict[str, Any] = {
        "system": platform.platform(terse=True),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    for name in LIBRARIES:
        with suppress(importlib.metadata.PackageNotFoundError):
            facts[name] = importlib.metadata.version(name)
    facts["device"] = device
    if torch and "torch" in sys.modules:
        import torch as pytorch

        facts["threads"] = pytorch.get_num_threads()
        if device == "cuda":
            facts["device"] = f"cuda: {pytorch.cuda.get_device_name()}"
    return facts


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
