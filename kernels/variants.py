"""What to compile ahead of time: the shapes and types of a kernel as a graphics card would meet them.

Every module of kernels offers ``ahead_of_time() -> Iterator[Variant]``. Free of torch and of Triton.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

NONE: Mapping[str, int] = MappingProxyType({})


class Variant(NamedTuple):
    """One compilation of one kernel."""

    name: str  # of the kernel and of what sets this variant apart, for people
    fn: Any  # the Triton function
    signature: Mapping[str, str]  # every argument in order: "*bf16", "fp32", "i64", ..., or "constexpr"
    constexprs: Mapping[str, Any]  # the values of those that are "constexpr"
    options: Mapping[str, int] = NONE  # num_warps, num_stages: shared memory depends on them
