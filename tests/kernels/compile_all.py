"""Compiles what the kernel modules offer, and prints a line of JSON for each: no test, but what test_compile runs.

Usage: ``python compile_all.py [--few] [MODULE ...]``. Without a module: all of `kernels` that have `ahead_of_time`.
``--few``: of the variants of a kernel the first and, for some cards, others.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from radixchat.kernels.triton_attention import major
from radixchat.kernels.variants import Variant

CARDS = (80, 89, 90, 120)
"""Compute capabilities: A100, RTX 40, H100 and RTX 50 ..."""

SMALL = (89, 120)
"""... of which these have the least shared memory."""

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
STRIDE = re.compile(r"^(?!lse_).*_(row|head|slot|stride)$")
TOOL = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"


def main(arguments: list[str]) -> None:
    few = "--few" in arguments
    named = [each for each in arguments if each != "--few"]
    found = sorted(path.stem for path in KERNELS.glob("*.py") if "def ahead_of_time" in path.read_text("utf-8"))
    for name in named or found:
        module = import_module(f"radixchat.kernels.{name}")
        for capability in CARDS:
            with patch.object(torch.cuda, "get_device_capability", return_value=divmod(capability, 10)):
                tiles = major.__wrapped__(torch.device("cuda"))
            variants = list(module.ahead_of_time([tiles]))
            for variant in chosen(variants, capability) if few else variants:
                report = {"module": name, "name": variant.name, "card": capability, **compiled(variant, capability)}
                print(json.dumps(report), flush=True)


def chosen(variants: list[Variant], capability: int) -> list[Variant]:
    """Returns the first variant of each kernel, for Hopper the last as well; for small cards the widest heads alone."""
    if capability in SMALL:
        return [each for each in variants if each.constexprs.get("DIM") == 256 and "ROWS" in each.constexprs]
    kernels: dict[str, list[Variant]] = {}
    for each in variants:
        kernels.setdefault(each.fn.__name__, []).append(each)
    return [each for same in kernels.values() for each in [*same[:1], *(same[1:][-1:] if capability == 90 else ())]]


def compiled(variant: Variant, capability: int) -> dict[str, Any]:
    """Returns bytes of shared memory, registers, bytes of stack of a thread (where registers spill), and any error."""
    began = time.perf_counter()
    try:
        source = ASTSource(variant.fn, dict(variant.signature), dict(variant.constexprs), _aligned(variant))
        target = GPUTarget("cuda", capability, 32)
        kernel = triton.compile(source, target=target, options=dict(variant.options))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    seconds = time.perf_counter() - began
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(kernel.asm["cubin"])
        file.flush()
        usage = subprocess.run([TOOL, "-res-usage", file.name], capture_output=True, text=True, check=True).stdout
    registers, stack = (int(re.findall(rf"{what}:(\d+)", usage)[-1]) for what in ("REG", "STACK"))
    sizes = {"shared": kernel.metadata.shared, "registers": registers, "stack": stack}
    return {"error": None, "seconds": round(seconds, 2), **sizes}


def _aligned(variant: Variant) -> dict[tuple[int], list[list[Any]]]:
    """Returns what Triton sees at a call: memory begins at multiples of 16 bytes, and models' strides are such, too."""
    known = {
        place
        for place, (name, kind) in enumerate(variant.signature.items())
        if kind.startswith("*") or (kind == "i32" and STRIDE.search(name))
    }
    return {(place,): [["tt.divisibility", 16]] for place in sorted(known)}


if __name__ == "__main__":
    main(sys.argv[1:])
