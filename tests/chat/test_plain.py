"""The plain chat: whole transcripts, with replies from a script."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from radixchat.chat import commands
from radixchat.chat.chat import Chat
from radixchat.chat.engine import Engine
from radixchat.chat.errors import ModelError
from radixchat.chat.plain import PlainChat
from radixchat.chat.terminal import Terminal

from .scripted import scripted_chat, scripted_engine


class Session:
    """A plain chat on strings."""

    def __init__(
        self, *replies: str | bytes, json: bool = False, ascii: bool = False, width: int = 100, **options: Any
    ):
        self.out, self.err = io.StringIO(), io.StringIO()
        self.chat = options.pop("chat", None) or scripted_chat(*replies, **options)
        terminal = Terminal(self.out, self.err, interactive=False, colour=False, ascii=ascii, columns=width)
        self.plain = PlainChat(self.chat, terminal, json=json)

    def type(self, *lines: str) -> list[int]:
        """Types lines; returns their exit codes."""
        codes = [self.plain.line(line) for line in lines]
        self.chat.engine.check_integrity()
        return codes

    @property
    def said(self) -> str:
        """stderr so far, and forgets it."""
        text = self.err.getvalue()
        self.err.seek(0), self.err.truncate()
        return text

    @property
    def objects(self) -> list[dict[str, Any]]:
        """stdout as NDJSON."""
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


def test_the_reply_goes_to_stdout_and_tree_and_signature_to_stderr() -> None:
    """So that `radixchat chat "…" > reply.txt` holds the reply and nothing else."""
    session = Session("Hi!")
    assert session.type("Hello!") == [0]

    assert session.out.getvalue() == "Hi!\n"
    signature = session.said.splitlines()[-1]
    assert signature.startswith("reused 0 of 52 prompt tokens (0 %) · prefilled 52 · generated 5 · TTFT ")


def test_one_prompt_is_told_what_is_to_know_of_the_model() -> None:
    """Once, and not where the reply goes."""
    session = Session("Hi!")
    session.chat.engine.notes = ("Slower kernels are used.",)
    assert session.plain.answer("Hello!") == 0
    assert session.said.splitlines()[0] == "Slower kernels are used." and session.out.getvalue() == "Hi!\n"


def test_a_cache_of_blocks_is_told_in_blocks() -> None:
    """In the preview, the signature and the commands."""
    session = Session(*["Hi!"] * 4, cache="hash", preset="vllm-0.33", block_size=4, capacity=120)
    session.type("Hello!", "/new", "What is a rather long question that fills the pool?", "/preview And one more?")
    said = session.said
    assert "evict 4 blocks first (16 tok)" in said
    session.type("/evict 4", "/stats")
    assert "evicted 1 block (4 tok)" in session.said


def test_two_turns_and_a_second_conversation() -> None:
    """Turn 2 reuses all of turn 1 but its last token; the second conversation splits behind the system prompt."""
    session = Session("Hi!", "It is a tree.", "Hello to you.", json=True)
    session.type("Hello!", "What is a trie?", "/new", "What can you do?")
    first, second, third = [each for each in session.objects if each["event"] == "turn"]

    assert first["reused_tokens"] == 0
    assert second["reused_tokens"] == first["prompt_tokens"] + first["generated_tokens"] - 1
    assert third["reused_tokens"] == len("You are a helpful assistant.\nUser: ")
    assert third["splits"] == [1]
    assert third["conversation"] == "main-2"
    assert {"text", "matched_tokens", "prefilled_tokens", "evicted_nodes", "evicted_tokens", "ttft_ms"} <= third.keys()
    assert all(
        turn["reused_tokens"] + turn["prefilled_tokens"] == turn["prompt_tokens"] for turn in (first, second, third)
    )


def test_the_tree_after_a_branch_shows_new_and_reused_rows() -> None:
    """Glyphs carry the state; the text of the edge is readable."""
    session = Session("Hi!", "I can chat.")
    session.type("Hello!", "/new")
    session.said  # noqa: B018 - forgets what was said so far
    session.type("What can you do?")
    rows = session.said.splitlines()

    assert rows[0].startswith("● You are a helpful assistant.⏎User:")
    assert any("✚ What can you do?⏎Assistant: I can chat." in row for row in rows)


def test_tree_shows_everything_with_legend_and_gauge() -> None:
    """An empty tree says so."""
    session = Session("Hi!")
    session.type("/tree")
    assert "the tree is empty" in session.said
    session.type("Hello!", "/tree")
    said = session.said
    assert "✚ new  ● reused" in said and "capacity 1,000" in said


def test_ascii_output_is_ascii() -> None:
    """Also for text that is not."""
    session = Session("Grüß dich 你好", ascii=True)
    session.type("Hej 🌱", "/tree")
    assert (session.out.getvalue() + session.said).isascii()


def test_hostile_text_moves_no_cursor_and_is_no_markup() -> None:
    """Escape sequences, markup, control tokens and bidi controls come out as visible text, and the next turn works."""
    hostile = "[/b] [@click=app.quit]x[/] \x1b[31mred\x07 \u202eabc <|im_start|>"
    session = Session(hostile, b"\xff\xfe broken", "Fine.")
    assert session.type(hostile, "again", "/tree", "/preview [bold]x[/]") == [0, 0, 0, 0]

    output = session.out.getvalue() + session.said
    for char in ("\x1b", "\x07", "\u202e"):
        assert char not in output
    assert "[/b] [@click=app.quit]x[/] ␛[31mred" in output
    assert session.type("and now?") == [0]
    assert session.out.getvalue().endswith("Fine.\n")


def test_a_reply_streams_whole_characters_only() -> None:
    """Half a character waits for its other half."""
    session = Session("€uro")
    session.type("Which?")
    assert session.out.getvalue() == "€uro\n"


def test_undo_edit_regen_fork_and_switch() -> None:
    """The tree keeps what a conversation takes back, so asking again reuses it."""
    session = Session("One.", "Two.", "Two again.", "Other.", "Side.", json=True)
    session.type("a", "b", "/regen", "/edit 2 c", "/fork side 1", "d", "/switch main", "/list", "/undo 2", "/list")
    chat = session.chat

    assert [turn.user for turn in chat.conversations["side"].turns] == ["a", "d"]
    assert chat.conversations["main"].turns == []
    turns = [each for each in session.objects if each["event"] == "turn"]
    assert [turn["text"].strip() for turn in turns] == ["One.", "Two.", "Two again.", "Other.", "Side."]
    assert turns[2]["matched_tokens"] == turns[2]["prompt_tokens"]  # the regenerated prompt is all there


def test_a_reply_that_was_cut_off_goes_on() -> None:
    """/continue extends the same reply."""
    session = Session("abcdefgh", max_tokens=4)
    session.type("Letters?")
    assert "/continue goes on" in session.said
    session.plain.chat.engine.runner.script.insert(0, b"defgh")  # type: ignore[attr-defined]
    session.plain.chat.engine.runner._left = b""  # type: ignore[attr-defined]
    session.type("/continue")
    assert session.chat.current.turns[-1].reply.startswith(" abcdef")


def test_a_reply_that_was_cut_off_goes_on_under_another_model() -> None:
    """Its tokens are made anew; the text is one reply."""
    engines = {None: scripted_engine("abcdefgh", max_tokens=4), "other": scripted_engine("defgh")}
    engines["other"].tokenizer.name = "another"
    session = Session(chat=Chat(engines.__getitem__, keep=False))
    assert session.type("Letters?", "/model other", "/continue") == [0, 0, 0]
    assert session.chat.current.turns[-1].reply == " abc defgh"
    assert session.chat.prompt("More?").divergence is None


def test_continue_refuses_a_complete_reply() -> None:
    """There is nothing to go on with."""
    session = Session("Done.")
    assert session.type("x", "/continue") == [0, 2]
    assert "the last reply is complete" in session.said


def test_evict_capacity_and_stats() -> None:
    """A person can make the cache forget, and sees it."""
    session = Session("Hi!", "Again.")
    session.type("Hello!", "/evict #1", "/stats", "/capacity 500", "/capacity", "/evict 5", "/evict #77", "/evict x")
    said = session.said

    assert "evicted 1 node" in said and "✖" in said
    assert "capacity 500 tokens (2 KiB)" in said
    assert "evicted 0 nodes" in said
    assert "there is no node 77" in said and "'x' is no number" in said
    assert session.type("Hello again") == [0]


def test_preview_changes_nothing_and_is_what_happens() -> None:
    """The preview of a message equals the facts of the request that follows."""
    session = Session("Hi!", "It is a tree.", "Hi again.", "Sure.", capacity=120)
    session.type("Hello!", "/new")
    before = session.chat.snapshot()
    for message in ("What is a trie?", "Hello!", "And what is this long message about, that needs room?"):
        preview = session.chat.preview(message)
        assert session.chat.snapshot() == before
        session.type(message)
        done = session.chat.last.completion  # type: ignore[union-attr]
        assert (preview.prompt, preview.peek.reused) == (done.prompt_tokens, done.reused_tokens)
        if preview.peek.split is not None:
            assert done.splits[0] == preview.peek.split[0]
        assert list(done.evicted)[: len(preview.peek.evicts)] == [tuple(gone) for gone in preview.peek.evicts]
        session.type("/new")
        before = session.chat.snapshot()


def test_a_conversation_that_outgrew_its_room_is_offered_ways_out() -> None:
    """Each with what it costs in reuse; and the chat goes on."""
    session = Session("One.", "Two.", "Three.", max_context=150)
    session.type("a" * 20, "b" * 20)
    session.said  # noqa: B018
    assert session.type("c" * 50) == [1]
    said = session.said
    assert "the model's context holds 150" in said
    assert "/new, then it again: would reuse" in said
    assert "/fork 1, then it again: would reuse" in said
    assert "/drop 1, then it again: would reuse" in said
    session.type("/new")
    assert session.type("c" * 50) == [0]


def test_wrong_commands_get_two_lines_and_a_code() -> None:
    """And the next turn works."""
    session = Session("Hi!")
    wrong = (
        "/nonsense, /swich x, /switch nowhere, /undo, /undo x, /set warmth 1, /set top_p 3, /set top_p x, /evict #9, "
        "/delete, /rename main, /edit, /fork x 9, /regen, /copy, /prove, /capacity much"
    ).split(", ")
    for line in wrong:
        assert session.type(line) in ([2], [1]), line
        assert len(session.said.splitlines()) == 2, line
    assert session.type("Hello!") == [0]


def test_did_you_mean() -> None:
    """A near miss is named."""
    session = Session()
    session.type("/swich")
    assert "Did you mean /switch?" in session.said


def test_help_shows_the_ten_that_matter_and_all_the_rest() -> None:
    """Both from the registry."""
    session = Session()
    session.type("/help")
    short = session.said
    session.type("/help all")
    everything = session.said

    assert sum(command.matters for command in commands.COMMANDS.values()) == 10
    assert all(f"/{name}" in everything for name, known in commands.COMMANDS.items() if not known.app)
    assert "/rename" not in short and "the other" in short


def test_switching_the_model_keeps_the_text_and_a_failure_keeps_the_model() -> None:
    """Conversations are tokenised anew on their next turn."""
    engines = {None: scripted_engine("One."), "other": scripted_engine("Two.")}

    def load(model: str | None) -> Engine:
        if model not in engines:
            raise ModelError(f"{model} is neither a folder nor a model on the hub", "Check the spelling.")
        return engines[model]

    session = Session(chat=Chat(load, keep=False))
    assert session.type("a", "/model nowhere", "/model other", "b") == [0, 3, 0, 0]
    assert [turn.reply.strip() for turn in session.chat.current.turns] == ["One.", "Two."]
    assert session.chat.last is not None and session.chat.last.completion.reused_tokens == 0


def test_double_slash_sends_a_message_that_begins_with_one() -> None:
    """Otherwise paths could not be asked about."""
    session = Session("A path.")
    session.type("//etc/hosts?")
    assert session.chat.current.turns[0].user == "/etc/hosts?"


def test_recordings_are_private_and_the_newest_is_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chat always records, unless it is told not to."""
    from radixchat.chat.journal import find, open_recording

    monkeypatch.setenv("RADIXCHAT_HOME", str(tmp_path))
    engine = scripted_engine("Hi!", "There.")
    session = Session(chat=Chat(lambda model: engine))
    session.type("Hello!", "Again")
    session.chat.close()

    path = find("last")
    assert path.parent == tmp_path / "recordings"
    assert path.stat().st_mode & 0o777 == 0o600
    recording = open_recording("last")
    assert recording.at(len(recording.events)) == engine.cache.snapshot()
    assert [step.number for step in recording.steps] == [1, 2]
