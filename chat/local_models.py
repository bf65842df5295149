"""Models that can be loaded without a network: the bundled one, the Hugging Face cache, folders that lie around here.

Only folders are looked at: listing models costs no torch and no hub.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BUNDLED = "radish"


class LocalModel(NamedTuple):
    """A model on this machine."""

    name: str  # what `--model` takes
    where: str  # bundled, in the Hugging Face cache, or here


def local_models(here: Path | None = None) -> list[LocalModel]:
    """Returns the bundled model, those in the cache and those in a folder (the working directory by default)."""
    cached = sorted(LocalModel(name, "in the Hugging Face cache") for name in _cached(_hub_cache()))
    around = sorted(LocalModel(name, "here") for name in _around(here or Path()))
    return [LocalModel(BUNDLED, "bundled"), *cached, *around]


def _hub_cache() -> Path:
    """The folder in which huggingface_hub keeps its models, by its rules."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "huggingface" / "hub"


def _cached(cache: Path) -> Iterator[str]:
    for folder in _listed(cache):
        kind, *parts = folder.name.split("--")
        if kind == "models" and parts and any(map(_is_model, _listed(folder / "snapshots"))):
            yield "/".join(parts)


def _around(here: Path) -> Iterator[str]:
    for folder in _listed(here):
        if _is_model(folder):
            yield f"./{folder.name}"


def _is_model(folder: Path) -> bool:
    """Whether a folder holds a configuration and weights that we read."""
    try:
        return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
    except OSError:
        return False


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
