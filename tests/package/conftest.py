"""The package as its users meet it: a list of files, a wheel, an interpreter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def files(root: Path) -> list[Path]:
    """The project's files, relative to its root: what git tracks or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [Path(name) for name in sorted(set(listed.split("\0"))) if name and (root / name).is_file()]


@pytest.fixture(scope="session")
def wheel(root: Path, files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of exactly the project's files, built without a network."""
    source = tmp_path_factory.mktemp("source")
    for file in files:
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, source / file)
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(target), str(source))
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that finds the installed libraries but not radixchat."""
    return fresh_python(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="session")
def wheel_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that finds the installed libraries and radixchat's wheel."""
    python = fresh_python(tmp_path_factory.mktemp("installed"))
    pip("--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    return python


@pytest.fixture
def run(home: Path) -> Run:
    """Runs a program and returns what it printed; by default this interpreter, with nothing on its path but its own."""

    def run(*arguments: str, python: Path | str = sys.executable, cwd: Path | None = None, **environment: str) -> str:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [str(python), *arguments],
            cwd=cwd or home.parent,
            env=inherited | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    return run


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments], check=True)


def fresh_python(folder: Path) -> Path:
    """Makes an environment that borrows this one's libraries.

    A path in a ``.pth`` file lends the libraries without their own ``.pth`` files, and so without an editable install.
    """
    builder = venv.EnvBuilder()
    builder.create(folder)
    context = builder.ensure_directories(folder)
    packages = sysconfig.get_path("purelib", "venv", vars={"base": str(folder), "platbase": str(folder)})
    (Path(packages) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Path(context.env_exe)
