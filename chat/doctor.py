"""`radixchat doctor`: what is installed, what the model costs per token, and where files live. Works without torch."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from typing import Any

from .. import __version__
from .config import Config, load_config
from .errors import UserError
from .paths import config_file, conversations_file, data_dir, history_file, recordings_dir
from .store import saved_names

LIBRARIES = ("numpy", "rich", "textual", "typer", "torch", "transformers", "safetensors", "triton")


def run_doctor(**given: str | None) -> None:
    """Prints a line per fact; a model that cannot be loaded is a fact, too, and so are settings that are not possible.

    Args:
        **given: model, device, dtype, forward and quantize; what is None is as in the settings.
    """
    settings, config = _settings()
    config = config.given(**given)
    lines = [("radixchat", __version__), ("python", platform.python_version())]
    lines += [("system", platform.platform(terse=True))]
    lines += [(name, _version(name)) for name in LIBRARIES]
    lines += [("cores", str(os.cpu_count()))]
    lines += [("cache", config.about_cache)]
    lines += _model(config)
    lines += [("settings", settings), ("conversations", _conversations())]
    lines += [("data", str(data_dir())), ("recordings", str(recordings_dir())), ("history", str(history_file()))]
    lines += [("RADIXCHAT_HOME", os.environ.get("RADIXCHAT_HOME", "(not set)"))]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"{name:<{width}}  {value}")


def _settings() -> tuple[str, Config]:
    path = config_file()
    try:
        return f"{path} ({'valid' if path.exists() else 'not there'})", load_config()
    except UserError as error:
        return f"{error.what}. {error.fix}", Config()


def _conversations() -> str:
    path = conversations_file()
    return f"{path} ({len(saved_names(path)) if path.exists() else 'not there'})"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _forward(engine: Any) -> str:
    """Returns which forward runs, and where it is not the lean one, why."""
    if engine.forward != "generic":
        return engine.forward or "none"
    from .engine.lean import why_not

    return f"generic ({why_not(engine.runner.loaded.model) or 'the lean one would apply'})"


def _model(config: Config) -> list[tuple[str, str]]:
    if importlib.util.find_spec("torch") is None:
        return [("model", "none can run: install 'radixchat[chat]'")]
    from .engine import Engine

    try:
        engine = Engine.load(
            config.model, device=config.device, dtype=config.dtype, forward=config.forward, quantize=config.quantize
        )
    except UserError as error:
        return [("model", f"{config.model}: {error.what}. {error.fix}")]
    return [
        ("model", engine.name),
        ("device", engine.device),
        ("dtype", engine.dtype),
        ("forward", _forward(engine)),
        ("quantize", engine.quantize),
        ("context", f"{engine.max_context} tokens"),
        ("bytes per token", str(engine.bytes_per_token)),
        ("default capacity", f"{engine.cache.capacity} tokens, {engine.cache.capacity * engine.bytes_per_token} bytes"),
        *(("note", note) for note in engine.notes),
    ]
