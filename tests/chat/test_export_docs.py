"""The documentation of export: the gallery is what the program draws, and every option and format is explained."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from radixchat.chat.exporting.formats import FORMATS
from radixchat.chat.exporting.options import NAMES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    """docs/gallery.py."""
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "gallery.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_making_the_gallery_again_changes_nothing(gallery: ModuleType, tmp_path: Path) -> None:
    """Neither a picture nor the page; and no picture is left over. `python docs/gallery.py` makes them."""
    gallery.draw([*gallery.NINE, *gallery.WAYS, *gallery.lessons()], tmp_path)
    kept = ROOT / "docs" / "gallery"
    drawn = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert drawn.keys() == {path.name for path in kept.iterdir()}
    changed = [name for name, data in drawn.items() if data != (kept / name).read_bytes()]
    assert not changed, "run: python docs/gallery.py"
    assert (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8") == gallery.page()


def test_every_link_of_the_docs_leads_somewhere() -> None:
    """Pictures and pages."""
    for name in ("export.md", "gallery.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^):]+)\)", text):
            assert (ROOT / "docs" / link).is_file(), f"{name}: {link}"


def test_every_option_and_every_format_is_explained() -> None:
    """In docs/export.md."""
    text = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    for row in FORMATS.values():
        assert f"| `{row.name}` | {' '.join(row.endings)} |" in text
    for option in (*NAMES.values(), "--step", "--all", "--format", "--lang", "--model", "--no-clobber"):
        assert option in text, option


def test_the_readme_opens_with_the_animation_in_light_and_dark() -> None:
    """Both files are there, and what says nothing of them is read aloud."""
    opening = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    for theme in ("light", "dark"):
        path = f"docs/gallery/nine-steps-animated-{theme}.svg"
        assert path in opening and (ROOT / path).is_file()
    assert re.search(r'<img [^>]*alt="[^"]{20,}"', opening)
