"""The wheel holds the package's tracked files, all of them and nothing else."""

from __future__ import annotations

import zipfile

import pytest

pytestmark = pytest.mark.wheel

FOLDERS = {"radix", "kernels", "viz", "chat", "examples"}
AT_THE_ROOT = {"__init__.py", "__main__.py"}


def test_the_wheel_holds_the_package_and_nothing_else(wheel, files):
    package = {f"radixchat/{file}" for file in map(str, files) if file in AT_THE_ROOT or file.split("/")[0] in FOLDERS}
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert shipped == package


def test_the_wheel_carries_its_licence_and_its_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (licence,) = (name for name in archive.namelist() if name.endswith("/LICENSE"))
        (scripts,) = (name for name in archive.namelist() if name.endswith("/entry_points.txt"))
        assert b"Apache License" in archive.read(licence)
        assert b"radixchat = radixchat.chat.cli:main" in archive.read(scripts)
