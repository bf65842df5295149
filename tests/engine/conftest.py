"""Tiny models for every test of the engine, written once a session."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Folder = Callable[[str], Path]


def _models() -> ModuleType:
    """Loads models.py, which stands beside this file: tests are files, not a package."""
    name = "radixchat_tests_engine_models"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("models.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def models() -> ModuleType:
    """The builders of models.py."""
    return _models()


@pytest.fixture(scope="session")
def tiny(models: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Returns the folder of a tiny random model of an architecture; do not change what is in it."""
    root = tmp_path_factory.mktemp("models")

    def tiny(arch: str) -> Path:
        folder = root / arch
        return folder if folder.exists() else models.tiny_model(arch, folder)

    return tiny
