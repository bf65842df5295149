"""What fits into memory: how much of it is free, and what to say when a pool does not fit.

Knows devices and bytes; knows no model and no tensor.
"""

from __future__ import annotations

from pathlib import Path

import torch

from ..errors import MachineError, ModelError

MARGIN = 0.95
"""Share of the free memory that a pool may take: the forward needs some as well."""

_SAID = ("allocate memory", "out of memory", "not enough memory", "invalid buffer size", "overflow")


def free_bytes(device: torch.device) -> int | None:
    """Returns how much memory of a device is free, or None where nothing tells."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # torch's own, to be used again
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    if device.type == "cpu":
        return _available()
    return None


def _available() -> int | None:
    """Returns the memory that the system could give without swapping, as Linux tells it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had; torch has no type of its own for it on a CPU."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _SAID)
    )


def fitting(bytes_per_token: int, device: torch.device, held: int = 0) -> int | None:
    """Returns the largest capacity that a pool may have, in tokens, or None where nothing tells; arguments as below."""
    free = free_bytes(device)
    return None if free is None else int(MARGIN * (free + held * bytes_per_token)) // bytes_per_token - 1


def check_pool(tokens: int, bytes_per_token: int, device: torch.device, held: int = 0) -> None:
    """Raises ModelError when a pool takes more than is free. On a CPU nothing else would notice before it is used.

    Args:
        tokens: Of the pool.
        bytes_per_token: Over all layers.
        device: Where it is to be.
        held: Tokens of the pool that gives way to it.
    """
    free = free_bytes(device)
    if free is not None and tokens * bytes_per_token > MARGIN * (free + held * bytes_per_token):
        raise pool_too_large(tokens, bytes_per_token, device, held)


def pool_too_large(tokens: int, bytes_per_token: int, device: torch.device, held: int = 0) -> ModelError:
    """Returns the error for a pool that cannot be had, with the largest capacity that fits; arguments as above."""
    free = free_bytes(device)
    needed = f"a pool of {tokens} tokens takes {_size(tokens * bytes_per_token)}"
    if free is None:
        return MachineError(f"{needed}, which {device} does not have", "Give a smaller --capacity.")
    most = fitting(bytes_per_token, device, held) or 0
    fix = f"Give --capacity {most} or less." if most >= 2 else "Choose a smaller model, or another --device."
    return MachineError(f"{needed}, and {device} has {_size(free + held * bytes_per_token)} for it", fix)


def pool_cannot_move(device: torch.device) -> ModelError:
    """Returns the error for a pool that is to be smaller, and finds no room for one layer of it to move to."""
    what = f"to make the pool smaller, {device} needs room for one layer more for a moment, and has none"
    return ModelError(what, "Free some of its memory and give the capacity again.")


def weights_too_large(name: str, device: torch.device) -> ModelError:
    """Returns the error for a model that does not fit."""
    free = free_bytes(device)
    said = "" if free is None else f", of which {_size(free)} are free"
    return ModelError(f"{name} does not fit the memory of {device}{said}", "Choose a smaller model.")


def _size(amount: int) -> str:
    return f"{amount / 1e9:.1f} GB" if amount >= 1e8 else f"{amount / 1e6:.1f} MB"
