"""Tiny models for every test of the engine, written once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Folder = Callable[[str], Path]


@pytest.fixture(scope="session")
def models() -> ModuleType:
    """The builders of models.py, imported only by tests that need torch."""
    from . import models

    return models


@pytest.fixture(scope="session")
def tiny(models: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Returns the folder of a tiny random model of an architecture; do not change what is in it."""
    root = tmp_path_factory.mktemp("models")

    def tiny(arch: str) -> Path:
        folder = root / arch
        return folder if folder.exists() else models.tiny_model(arch, folder)

    return tiny
