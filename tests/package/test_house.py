"""Habits of the house that a tool would not notice."""

from __future__ import annotations

import re
import tomllib

import pytest

# Paths and tools of whoever's machine it was; none of them belongs in the project.
FOREIGN = re.compile(rb"/(?:work|root)/|[.]library\b|sub-?agent", re.IGNORECASE)
ELSEWHERE = re.compile(rb"[.]{2}/shared\b")


@pytest.fixture(scope="module")
def pyproject(root):
    return (root / "pyproject.toml").read_text()


@pytest.fixture(scope="module")
def requirements(pyproject):
    """Everything that pyproject.toml asks for."""
    parsed = tomllib.loads(pyproject)
    lists = [
        parsed["build-system"]["requires"],
        parsed["project"]["dependencies"],
        *parsed["project"]["optional-dependencies"].values(),
    ]
    return [requirement for each in lists for requirement in each]


def test_the_project_speaks_of_itself_alone(root, files):
    found = {str(file): FOREIGN.findall((root / file).read_bytes()) for file in files}
    assert not {file: words for file, words in found.items() if words}


def test_only_the_ci_looks_beside_the_project(root, files):
    assert not [str(file) for file in files if file.parts[0] != ".ci" and ELSEWHERE.search((root / file).read_bytes())]


def test_every_dependency_says_why_it_is_there(pyproject, requirements):
    for requirement in requirements:
        lines = [line for line in pyproject.splitlines() if f'"{requirement}"' in line]
        assert lines
        assert not [line for line in lines if not re.search(r"  # \w", line)]


def test_every_dependency_has_its_version_in_the_constraints(root, requirements):
    pinned = re.findall(r"^([\w.-]+)==", (root / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned == sorted(pinned)
    assert {re.match(r"[\w.-]+", requirement)[0] for requirement in requirements} <= set(pinned)


@pytest.mark.parametrize("file", ["Makefile", "README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_installation_goes_through_the_constraints(file, root):
    installs = [line for line in (root / file).read_text().splitlines() if re.search(r"\bpip[\"']? install\b", line)]
    assert not [line for line in installs if "-c constraints.txt" not in line]
