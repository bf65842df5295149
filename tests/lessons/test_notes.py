"""The presenter's notes: what a player tells of its place, and what is printed of it on a second terminal."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from radixchat.chat.errors import UsageError
from radixchat.chat.lessons.loading import load_lesson, shipped
from radixchat.chat.lessons.notes import POLL, Beacon, beacon_file, follow, read_place, run_notes
from radixchat.chat.terminal import Terminal

from .stages import lesson, player, send


def a_player():  # type: ignore[no-untyped-def]
    return player(
        lesson(
            send("a b ", "c ", note="say a", title={"en": "one", "zh": "一"}),
            send("a b x ", "y ", note={"en": "say b", "zh": "说 b"}, ask=[{"kind": "matched"}]),
        )
    )


def test_a_place_is_private_and_whole(home: Path) -> None:
    told, beacon = a_player(), Beacon()
    beacon.tell(told)
    assert beacon_file() == home / "lesson.json" and beacon_file().stat().st_mode & 0o777 == 0o600
    assert os.listdir(home) == ["lesson.json"], "no draft is left"
    place = read_place(beacon_file())
    assert place is not None and (place.lesson, place.step, place.title, place.question) == ("small", 0, "a lesson", "")
    assert place.time > 0 and place.pid == os.getpid()
    beacon.close()
    assert not beacon_file().exists()
    beacon.close()


def test_a_place_is_written_when_it_changes() -> None:
    told, beacon = a_player(), Beacon()
    beacon.tell(told)
    first = beacon_file().read_bytes()
    beacon.tell(told)
    assert beacon_file().read_bytes() == first
    told.next()
    beacon.tell(told)
    assert json.loads(beacon_file().read_bytes())["step"] == 1
    told.next()
    beacon.tell(told)
    place = read_place(beacon_file())
    assert place is not None and place.step == 2 and place.question.startswith("Next comes")
    assert place.answer.startswith("Found: 2 of 3 tokens")


def test_a_player_never_fails_for_its_beacon(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    beacon = Beacon(tmp_path / "file" / "lesson.json")
    beacon.tell(a_player())
    beacon.close()


def test_it_takes_away_its_own_file_only(home: Path) -> None:
    told, beacon = a_player(), Beacon()
    beacon.tell(told)
    place = json.loads(beacon_file().read_text())
    beacon_file().write_text(json.dumps({**place, "pid": os.getppid()}))
    beacon.close()
    assert beacon_file().exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "{}", '{"lesson": 1}', "\x00", "[" * 100_000])
def test_what_is_no_place_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lesson.json"
    path.write_text(text)
    assert read_place(path) is None


def test_a_place_with_a_wrong_value_or_of_a_dead_player_is_none(home: Path) -> None:
    beacon = Beacon()
    beacon.tell(a_player())
    place = json.loads(beacon_file().read_text())
    for wrong in ({"step": "1"}, {"title": None}, {"pid": 2**22 + 7}, {"pid": 0}, {"pid": 10**30}, {"more": 1}):
        beacon_file().write_text(json.dumps({**place, **wrong}))
        if wrong == {"pid": 10**30}:
            continue  # no number of a process: whatever is said of it, nothing breaks
        assert read_place(beacon_file()) is None, wrong
    read_place(beacon_file())


# -- printing ----------------------------------------------------------------------------------------------------------


def followed(lang: str, *moves: Callable[[], object]) -> tuple[str, str]:
    """Follows while something happens at each look; returns what is printed and what is said."""
    out, err = io.StringIO(), io.StringIO()
    todo = iter(moves)

    def sleep(seconds: float) -> None:
        assert seconds == POLL
        move = next(todo, None)
        if move is None:
            raise KeyboardInterrupt
        move()

    terminal = Terminal(out, err, interactive=True, colour=False, ascii=False, columns=80)
    try:
        follow(a_player().run.lesson, lang, terminal, sleep=sleep)
    except KeyboardInterrupt:
        out.write("(interrupted)")
    return out.getvalue(), err.getvalue()


def test_it_waits_follows_and_waits_again() -> None:
    told, beacon = a_player(), Beacon()

    def go() -> None:
        told.next()
        beacon.tell(told)

    def again() -> None:
        told.jump(1)
        beacon.tell(told)

    out, err = followed(
        "en", lambda: None, lambda: beacon.tell(told), go, lambda: beacon.tell(told), go, beacon.close, again
    )
    assert err == "waiting: no player runs this lesson (small)\n"
    title, one, question, left, back, end = out.rstrip("\n").split("\n\n")
    assert title == "a lesson\nfor a test\nnext: one"
    assert one == "step 1 of 2 · one\nsay a\nnext: step 2"
    assert question.splitlines()[:2] == ["step 2 of 2 · step 2", "say b"]
    assert question.splitlines()[-1].startswith("answer: Found: 2 of 3 tokens")
    assert left == "the player has left the lesson; waiting (Ctrl-C ends)"
    assert back == one and end == "(interrupted)"


def test_notes_in_another_language_than_the_player() -> None:
    told, beacon = a_player(), Beacon()
    told.jump(2)
    beacon.tell(told)
    out, _ = followed("zh")
    assert out.startswith("第 2 步，共 2 步 · step 2\n说 b\n")


def test_a_player_of_another_lesson_is_not_followed() -> None:
    beacon = Beacon()
    beacon.tell(player(lesson(send("a ", "b "), name="other")))
    out, err = followed("en")
    assert out == "(interrupted)" and err.startswith("waiting")


def test_in_a_pipe_all_notes_come_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_notes("nine-steps", "zh") == 0
    out = capsys.readouterr().out
    parts = out.rstrip("\n").split("\n\n")
    told = load_lesson("nine-steps")
    assert len(parts) == len(told.steps) + 1
    for step, part in zip(told.steps, parts[1:], strict=True):
        said = "".join(part.split())  # however wide: a line may end at a space or between two characters
        assert step.note is None or "".join(step.note.text("zh").split()) in said
        assert max(map(cell_len, part.split("\n"))) <= 100
    with pytest.raises(UsageError):
        run_notes("no-such-lesson", "en")


@pytest.mark.parametrize("name", shipped())
def test_a_note_needs_no_run(name: str) -> None:
    """Notes are printed as they stand, so they name no facts of a step."""
    for step in load_lesson(name).steps:
        assert step.note is None or not any("{" in text for text in step.note.root.values())


def test_what_was_read_is_made_safe() -> None:
    told, beacon = a_player(), Beacon()
    told.next()
    told.next()
    beacon.tell(told)
    place = json.loads(beacon_file().read_text())
    beacon_file().write_text(json.dumps({**place, "question": "\x1b[2Jboo"}))
    out, _ = followed("en")
    assert "boo" in out and "\x1b" not in out
