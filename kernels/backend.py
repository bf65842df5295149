"""Which kernels a device gets: Triton's where it can compile and run them, torch's everywhere else.

Whether it can is found out by doing it, once per process and device: a small kernel is compiled, run and checked. A
missing package, a driver that is too old, a compiler that is not installed: all of them end in torch's kernels and one
sentence about why, never in an error. Importing this module imports no Triton. Knows no models.

The environment variable `RADIXCHAT_KERNELS` (`torch` or `triton`) decides instead, for comparisons; `triton` takes
Triton's kernels on a CPU as well, where they need Triton's interpreter.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from .attention import RaggedBatch
from .ops import Kernels, TorchKernels

VARIABLE = "RADIXCHAT_KERNELS"

OLDEST = (8, 0)
"""The compute capability from which on the kernels' tiles fit a GPU's shared memory."""

Name = Literal["triton", "torch"]


class Backend(NamedTuple):
    """Whose kernels a device gets."""

    name: Name
    note: str | None  # what the user should know about it: one sentence, or None where all is as expected


def backend_for(device: torch.device | str) -> Name:
    """Returns whose kernels to use on a device."""
    return backend(device).name


def kernels_for(batch: RaggedBatch, positions: Tensor) -> Kernels:
    """Returns the kernels of the batch's device, bound to it; arguments as for :class:`TorchKernels`."""
    if backend_for(positions.device) == "torch":
        return TorchKernels(batch, positions)
    from .triton_ops import TritonKernels

    return TritonKernels.of(batch, positions)


def backend(device: torch.device | str) -> Backend:
    """Returns whose kernels to use on a device, and what to say about it."""
    place, wanted = torch.device(device), os.environ.get(VARIABLE, "")
    if wanted not in ("", "torch", "triton"):
        return Backend(_by_device(place).name, f"{VARIABLE}={wanted[:20]!r} is neither torch nor triton: ignored.")
    if wanted == "torch":
        return Backend("torch", None)
    return _triton(place) if wanted == "triton" else _by_device(place)


def _by_device(device: torch.device) -> Backend:
    return _triton(device) if device.type == "cuda" else Backend("torch", None)


def _triton(device: torch.device) -> Backend:
    fault = _fault(device)
    if fault is None:
        return Backend("triton", None)
    return Backend("torch", f"Triton does not work here ({fault}), so slower kernels are used.")


@cache
def _fault(device: torch.device) -> str | None:
    """Returns what keeps Triton from working on a device, or None; compiles and runs two kernels to find out."""
    if device.type == "cuda" and (found := torch.cuda.get_device_capability(device)) < OLDEST:
        return "it needs a GPU of compute capability {}.{}, and this one has {}.{}".format(*OLDEST, *found)
    try:
        from .triton_attention import decode
        from .triton_fused import silu_mul

        gate_up = torch.linspace(-2, 2, 64, device=device).view(2, 32)
        expected = torch.nn.functional.silu(gate_up[:, :16]) * gate_up[:, 16:]
        right = torch.allclose(silu_mul(gate_up), expected, atol=1e-4)
        ones = torch.ones(4, 1, 16, dtype=torch.float16, device=device)  # so all attention is 1, wherever it looks
        places = torch.arange(4, dtype=torch.int32, device=device)
        attended = decode(ones, ones, ones, ones, ones, places, places.new_zeros(4).long(), places, 1.0, max_splits=1)
        if not right or not torch.allclose(attended, ones, atol=1e-2):
            return "it computes wrong results"
    except Exception as error:  # import, driver and compiler each fail in a way of their own
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return (lines[0] if lines else type(error).__name__).rstrip(".:")[:160]
    return None
