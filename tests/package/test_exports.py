"""The public names of the package."""

from __future__ import annotations

from importlib.metadata import version

import pytest

import radixchat


def test_exports_are_sorted():
    assert radixchat.__all__ == sorted(radixchat.__all__)


@pytest.mark.parametrize("name", radixchat.__all__)
def test_every_export_resolves(name):
    assert getattr(radixchat, name) is not None
    assert name in dir(radixchat)


def test_other_names_are_missing_in_the_usual_words():
    with pytest.raises(AttributeError, match="module 'radixchat' has no attribute 'Radix'"):
        radixchat.Radix  # noqa: B018


def test_the_version_is_the_installed_one():
    assert radixchat.__version__ == version("radixchat")
