"""`radixchat doctor`: what is installed, what the model costs per token, and where files live. Works without torch."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform

from .. import __version__
from .errors import UserError
from .paths import data_dir, history_file, recordings_dir

LIBRARIES = ("numpy", "rich", "typer", "torch", "transformers", "safetensors", "triton")


def run_doctor(model: str, device: str, dtype: str) -> None:
    """Prints a line per fact; a model that cannot be loaded is a fact, too."""
    lines = [("radixchat", __version__), ("python", platform.python_version())]
    lines += [("system", platform.platform(terse=True))]
    lines += [(name, _version(name)) for name in LIBRARIES]
    lines += [("cores", str(os.cpu_count()))]
    lines += _model(model, device, dtype)
    lines += [("data", str(data_dir())), ("recordings", str(recordings_dir())), ("history", str(history_file()))]
    lines += [("RADIXCHAT_HOME", os.environ.get("RADIXCHAT_HOME", "(not set)"))]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _model(model: str, device: str, dtype: str) -> list[tuple[str, str]]:
    if importlib.util.find_spec("torch") is None:
        return [("model", "none can run: install 'radixchat[chat]'")]
    from .engine import Engine

    try:
        engine = Engine.load(model, device=device, dtype=dtype)
    except UserError as error:
        return [("model", f"{model}: {error.what}. {error.fix}")]
    return [
        ("model", engine.name),
        ("device", engine.device),
        ("dtype", engine.dtype),
        ("context", f"{engine.max_context} tokens"),
        ("bytes per token", str(engine.bytes_per_token)),
        ("default capacity", f"{engine.cache.capacity} tokens, {engine.cache.capacity * engine.bytes_per_token} bytes"),
        *(("note", note) for note in engine.notes),
    ]
