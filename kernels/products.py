"""Matrix products on a CPU: which of torch's libraries multiplies, by facts of the CPU and of the shapes.

torch hands fp32 products to MKL. On a CPU that is not Intel's, MKL takes its slow path: it multiplies one row with one
thread and many rows at half speed. oneDNN, which torch brings along, does not, and a weight cut into as many parts as
there are threads keeps all of them busy where there are few rows. Two cores of an AMD EPYC (Zen 5), weight 3072 x 576,
microseconds:

    rows             1     4    16    64   256
    torch          424   620   595  1355  4447
    oneDNN         186   253   322   651  1955
    a part each    124   163

The choice depends on nothing that is measured while a program runs, so equal seeds give equal texts.
"""

from __future__ import annotations

import functools
import platform
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

FEW = 4
"""Most rows that are multiplied in parts, one per thread."""

SMALL = 1 << 19
"""Multiplications below which handing a product to another library costs more than it saves."""


@functools.cache
def prefers_onednn() -> bool:
    """Whether oneDNN multiplies fp32 faster than torch's default on this machine's CPU."""
    vendor = platform.processor()
    if platform.system() == "Linux":
        try:
            vendor = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split("\n\n", 1)[0]
        except OSError:
            return False
    return "AuthenticAMD" in vendor and torch.backends.mkldnn.is_available() and _onednn_works()


def _onednn_works() -> bool:
    """Whether the operator is there, takes what we give it and gives what it should: it is not public."""
    x, weight = torch.arange(6.0).reshape(2, 3), torch.arange(12.0).reshape(4, 3)
    try:
        result = torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return False
    return torch.equal(result, x @ weight.t())


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns ``x @ weight.T + bias`` as torch's own does, ``[rows, out]`` of ``[rows, in]`` and ``[out, in]``."""
    rows, size = x.shape[0], weight.numel()
    if weight.dtype != torch.float32 or not weight.is_cpu or not rows or not prefers_onednn():
        return F.linear(x, weight, bias)
    threads = torch.get_num_threads()
    if threads > 1 and rows <= FEW and 2 * size >= SMALL and weight.shape[0] % threads == 0:
        return _in_parts(x, weight, bias, threads)
    if rows * size < SMALL:
        return F.linear(x, weight, bias)
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result


def _in_parts(x: Tensor, weight: Tensor, bias: Tensor | None, parts: int) -> Tensor:
    rows, (out, size) = x.shape[0], weight.shape
    columns = torch.bmm(weight.view(parts, out // parts, size), x.t().expand(parts, size, rows)).view(out, rows)
    result = columns.view(1, out) if rows == 1 else columns.t().contiguous()
    return result if bias is None else result.add_(bias)
