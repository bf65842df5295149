"""What was typed: kept whole, private, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixchat.chat import history
from radixchat.chat.history import History


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "history"


def test_entries_come_back_whole(path: Path) -> None:
    """Several lines, quotes, escapes and languages."""
    entries = ["/help", "one\ntwo\n\nthree", 'say "x" \\n', '"quoted"', "什么 🌱", "\x1b[31m\r", "  indented", "\ud800"]
    first = History(path)
    for entry in entries:
        first.add(entry)
    assert first.entries() == entries
    assert History(path).entries() == [*entries[:-1], "?"]
    assert "\n" + '"/help"\n' in "\n" + path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_blanks_and_repetitions_are_left_out(path: Path) -> None:
    """As shells do."""
    typed = History(path)
    for entry in ("a", "a", "  ", "", "b", "a"):
        typed.add(entry)
    assert History(path).entries() == ["a", "b", "a"]


def test_what_earlier_versions_wrote_is_read_as_it_stands(path: Path) -> None:
    """One line an entry, without quotes; new entries follow."""
    path.parent.mkdir()
    path.write_text('/help\nC:\\new folder\n"unfinished\n3\nnull\n')
    History(path).add("new")
    assert History(path).entries() == ["/help", "C:\\new folder", '"unfinished', "3", "null", "new"]


def test_the_newest_are_kept_and_the_file_stays_short(path: Path) -> None:
    """It is rewritten when it has grown by half, whole or not at all, and stays private."""
    for start in range(0, 100, 10):
        typed = History(path, limit=10)
        for number in range(start, start + 10):
            typed.add(str(number))
        assert typed.entries() == [str(number) for number in range(start, start + 10)]
    assert len(path.read_text().splitlines()) <= 25
    assert History(path, limit=10).entries()[-1] == "99"
    assert path.stat().st_mode & 0o777 == 0o600 and len(list(path.parent.iterdir())) == 1


def test_two_programs_append(path: Path) -> None:
    """Neither loses the other's entries."""
    first, second = History(path), History(path)
    for number in range(5):
        first.add(f"first {number}")
        second.add(f"second {number}")
    assert len(History(path).entries()) == 10


def test_a_place_that_cannot_be_used_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are there until the end of the run."""
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "history", tmp_path, None):
        typed = History(place)
        typed.add("x")
        assert typed.entries() == ["x"]
    full = tmp_path / "history"
    full.write_text("a\n" * 2000)
    monkeypatch.setattr(history, "open_private", lambda path: (_ for _ in ()).throw(OSError("full")))
    assert History(full).entries() == ["a"] * 1000
