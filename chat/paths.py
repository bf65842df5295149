"""Where files live: one folder if RADIXCHAT_HOME names it, else the places each system has for data and state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

APP = "radixchat"


def data_dir() -> Path:
    """Folder of what must be kept: conversations and recordings."""
    return _folder("data")


def state_dir() -> Path:
    """Folder of what would be missed little: input history."""
    return _folder("state")


def config_file() -> Path:
    """The settings."""
    return _folder("config") / "config.toml"


def _folder(kind: Literal["data", "state", "config"]) -> Path:
    home = os.environ.get("RADIXCHAT_HOME")
    if home:
        return Path(home)
    import platformdirs  # only here: where a folder is named, the bench and the tests of a GPU do without it

    place: str = getattr(platformdirs, f"user_{kind}_dir")(APP)
    return Path(place)


def conversations_file() -> Path:
    """The saved conversations."""
    return data_dir() / "conversations.db"


def recordings_dir() -> Path:
    """Folder of recordings."""
    return data_dir() / "recordings"


def history_file() -> Path:
    """What was typed, in the plain chat and in the app."""
    return state_dir() / "history"


def private_dir(folder: Path) -> Path:
    """Makes a folder that only its owner may read. Raises OSError when it cannot be made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def open_private(path: Path) -> int:
    """Opens a file for writing, emptied, readable by its owner only; returns the descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
