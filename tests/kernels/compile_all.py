"""Compiles what the kernel modules offer, and prints a line of JSON for each: no test, but what test_compile runs.

Usage: ``python compile_all.py [MODULE ...]``; without any, all modules of `kernels` that have `ahead_of_time`.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

KERNELS = Path(__file__).resolve().parents[2] / "kernels"


def main() -> None:
    modules = sys.argv[1:] or sorted(
        path.stem for path in KERNELS.glob("*.py") if "def ahead_of_time" in path.read_text("utf-8")
    )
    for name in modules:
        module = import_module(f"radixchat.kernels.{name}")
        for major in (8, 9):
            for variant in module.ahead_of_time([major]):
                report = {"module": name, "name": variant.name, "major": major, "shared": 0, "error": None}
                began = time.perf_counter()
                try:
                    source = ASTSource(variant.fn, dict(variant.signature), dict(variant.constexprs))
                    target = GPUTarget("cuda", major * 10, 32)
                    kernel = triton.compile(source, target=target, options=dict(variant.options))
                    report["shared"] = kernel.metadata.shared
                    report["warps"] = kernel.metadata.num_warps
                except Exception as error:
                    report["error"] = f"{type(error).__name__}: {error}"
                report["seconds"] = round(time.perf_counter() - began, 2)
                print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
