"""Why a prompt was not reused, in words: the line under a turn, /why, `radixchat why`, and what only a chat knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radixchat.chat.chat import Chat
from radixchat.chat.cli import main
from radixchat.chat.compare import words as compare
from radixchat.chat.errors import UserError
from radixchat.chat.journal import open_recording
from radixchat.chat.why import Explained, Words
from radixchat.radix import CacheConfig, HashBlockCache, past
from radixchat.radix.recording import Header, Recording

from ..radix.served import Served, asks
from .scripted import SYSTEM, ByteTokenizer, scripted_chat, scripted_engine
from .test_plain import Session


def test_a_turn_that_only_computes_its_message_gets_no_line() -> None:
    session = Session("Hi!", "A tree.")
    session.type("Hello!", "What is a trie?")
    assert "why:" not in session.said
    session.type("/why")
    first, second, third = session.said.splitlines()
    assert first == 'step 2, request 2 in "main": reused 56 of 89 prompt tokens, computed 33'
    assert second.startswith("the cache held its first 56 tokens (node 1); it goes on with “⏎User:")
    assert third == "    33 are new: this beginning was never in the cache"


def test_what_another_conversation_pushed_out_gets_one() -> None:
    """When, for whom and by which rule; and it can be switched off."""
    session = Session("Hi!", "Cook it.", "Well.", "Again.", "And again.", capacity=110)
    session.type(
        "Hello!", "/new recipes", "A long question about dinner, and about lunch, too?", "/switch main", "And now?"
    )
    line = session.said.splitlines()[-1]
    assert line.startswith("why: ") and line.endswith(' were evicted 1 turn ago for "recipes" (lru)')
    session.type("/why")
    said = session.said
    assert 'were evicted in step 2, 1 turn ago for "recipes": the leaf used least recently (lru) went, when ' in said
    assert "number 1 to go, touched by that very request" in said
    session.type("/why off", "/switch recipes", "And then?")
    assert "the line under a turn that says why is off; /why still answers" in (said := session.said)
    assert "why: " not in said
    session.type("/why 1")
    assert 'step 1, request 1 in "main": reused 0 of' in session.said


def test_the_same_for_programs() -> None:
    session = Session("Hi!", "A tree.", json=True)
    session.type("Hello!", "What is a trie?")
    why = [each for each in session.objects if each["event"] == "turn"][-1]["why"]
    assert why["causes"] == [{"cause": "new", "tokens": 33, "start": 56}] and why["line"] == ""
    assert why["computed_tokens"] == sum(cause["tokens"] for cause in why["causes"])


class Forgetful(ByteTokenizer):
    """A template that drops what stands between [ and ] from old replies, as reasoning models' do."""

    def render(self, messages, *, add_generation_prompt, thinking):  # type: ignore[no-untyped-def]
        old = [{**each, "content": each["content"].split("] ")[-1]} for each in messages]
        return super().render(old, add_generation_prompt=add_generation_prompt, thinking=thinking)


def test_a_template_that_rewrites_history_is_named() -> None:
    """What it says anew is told apart from the new message."""
    engine = scripted_engine("[thinking about it] Hi!", "A tree.")
    engine.tokenizer = Forgetful()
    session = Session(chat=Chat(lambda model: engine, keep=False))
    session.type("Hello!", "What is a trie?")
    assert session.said.splitlines()[-1] == "why: 10 tokens are the template's new words for what was said before"
    session.type("/why")
    said = session.said
    assert "    10 are what the chat template says anew of what was said before: it rewrote history" in said
    assert "    26 are new" in said and 'it leaves what "main" held after 53 tokens: there stood “[thinking' in said


def test_a_recording_names_what_a_template_rewrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that reads the file says what the chat said."""
    path = tmp_path / "forgetful.jsonl"
    engine = scripted_engine("[thinking about it] Hi!", "A tree.")
    engine.tokenizer = Forgetful()
    chat = Chat(lambda model: engine, record=path, keep=True)
    for message in ("Hello!", "What is a trie?"):
        list(chat.send(message))
    chat.close()
    code, out, _ = run(capsys, monkeypatch, "why", str(path))
    assert code == 0
    assert "    10 are what the chat template says anew of what was said before: it rewrote history" in out
    assert "    26 are new" in out


@pytest.mark.parametrize("span", [[1], [1, 2, 3]])
def test_a_span_that_is_none_is_damage(tmp_path: Path, span: list[int]) -> None:
    """A recording may come from anywhere."""
    path = tmp_path / "odd.jsonl"
    recorded(path)
    text = path.read_text().replace('"rewritten":[]', f'"rewritten":{span}'.replace(" ", ""), 1)
    path.write_text(text)
    with pytest.raises(UserError, match="does not fit"):
        Explained(open_recording(str(path))).of_step(None)


def recorded(path: Path) -> None:
    chat = Chat(lambda model: scripted_engine("Hi!", "A tree."), record=path, keep=True)
    for message in ("Hello!", "What is a trie?"):
        list(chat.send(message))
    chat.engine.cache.new_step()
    chat.engine.publish()
    chat.close()


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["radixchat", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_recording_is_asked_from_the_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.jsonl"
    recorded(path)
    code, out, err = run(capsys, monkeypatch, "why", str(path))
    assert (code, err) == (0, "") and out.startswith('step 2, request 2 in "main": reused 56 of 89')
    code, out, _ = run(capsys, monkeypatch, "why", str(path), "--step", "1", "--ascii")
    assert code == 0 and out.isascii() and "\n    52 are new" in out
    code, out, _ = run(capsys, monkeypatch, "why", str(path), "--json")
    assert code == 0 and json.loads(out)["held_tokens"] == 56
    code, out, err = run(capsys, monkeypatch, "why", str(path), "--step", "3")
    assert (code, out) == (2, "")
    assert err == "radixchat: no request began in step 3\nThe first that has one is 1, the last 2.\n"
    code, _, err = run(capsys, monkeypatch, "why", str(path), "--step", "9")
    assert code == 2 and err.splitlines() == ["radixchat: there is no step 9", "It has the steps 1 to 3."]


def test_a_damaged_recording_is_refused_in_two_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "two.jsonl"
    recorded(path)
    lines = path.read_text().splitlines()
    at = next(place for place, line in enumerate(lines) if '"Inserted"' in line or '"kind":"Inserted"' in line)
    path.write_text("\n".join([*lines[:at], lines[at].replace('"parent":0', '"parent":99'), *lines[at + 1 :]]) + "\n")
    code, out, err = run(capsys, monkeypatch, "why", str(path))
    assert (code, out) == (1, "") and len(err.splitlines()) == 2
    assert "does not fit those before it" in err
    code, _, err = run(capsys, monkeypatch, "why", str(tmp_path / "none.jsonl"))
    assert code == 1 and len(err.splitlines()) == 2


def test_text_of_a_recording_cannot_write_to_the_terminal() -> None:
    """Names and tokens pass the labels."""
    session = Session("Hi!", "x", "y")
    session.type("/new bad\x1b[31mname", "Hello \x1b]0;x\x07!", "/why")
    assert "\x1b" not in session.said
    assert Explained(session.chat.journal.recording).of_step(None)[0].prompt > len(SYSTEM)


def test_a_block_that_was_written_over_was_not_evicted() -> None:
    """It is said what happened, and for nobody."""
    served = Served(HashBlockCache(96, preset="vllm-0.6.3", block_size=4), "hash")
    served.ask(asks(range(7), (40, 41)), asks(range(7), (50, 51)))
    served.say(range(7), (60, 61))
    told, words = served.say((*range(7), 40, 5)), Explained(served.recording)
    assert words.line(told) == "why: 1 token was written over 1 turn ago"
    said = "another request had the block, too, and went on in it with other tokens"
    assert f"     1 was written over in step 2, 1 turn ago: {said}" in words.tell(told)
    assert next(each for each in words.facts(told)["causes"] if "evicted" in each)["evicted"]["requests"] == []


@pytest.mark.parametrize("why", sorted(past._NOBODY - {past.UNFILLED}))
def test_what_made_no_room_is_not_called_evicted(why: str) -> None:
    """But for what was evicted by hand, or when the capacity shrank."""
    said = Words(Recording(Header(CacheConfig(8))), ascii=True)._did(past.Removal(1, 1, why, 0, 0, 0), one=True)
    assert said.startswith("was evicted ") if why in ("asked", "shrunk") else "evicted" not in said
    assert compare.Words._rule(why) != f"by {why}"


def test_nothing_was_asked_yet() -> None:
    session = Session(chat=scripted_chat())
    assert session.type("/why") == [2]
    assert session.said.splitlines() == ["nothing was asked yet", "Type a message first."]
