"""Every slash command, from the one registry: each has an example here, and the experiments do what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from radixchat.chat import app_commands, commands, local_models  # noqa: F401 - the app's rows of the table
from radixchat.chat.chat import Act, Chat
from radixchat.chat.engine import Engine
from radixchat.chat.errors import ModelError, UsageError
from radixchat.chat.store import Store
from radixchat.radix import events as ev

from .scripted import scripted_chat, scripted_engine
from .test_plain import Session

HERE = [name for name, known in sorted(commands.COMMANDS.items()) if not known.app]
IN_THE_APP = [name for name, known in sorted(commands.COMMANDS.items()) if known.app]

EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "capacity": [("", "capacity 1000 tokens"), ("900", "capacity 900 tokens")],
    "compare": [("", "reused"), ("hf-cb", "hash hf-cb, blocks of 256"), ("!x", "no preset 'x'")],
    "continue": [("!", "complete")],
    "copy": [("!", "no terminal to copy from")],
    "delete": [("main-2", "forgot main-2; now in main"), ("!", "/delete main-2")],
    "drop": [("", "dropped 1"), ("1", "dropped 1")],
    "edit": [("1 x", "reused"), ("y", "reused")],
    "evict": [("", "evicted 1 node"), ("4 tokens", "evicted"), ("#2", "evicted 1 node")],
    "export": [("/dev/null --format svg", "wrote /dev/null"), ("!", "/export tree.svg"), ("!x.doc", "'.doc'")],
    "fork": [("", "now in main-3, with 2 turns"), ("side 1", "now in side, with 1 turn")],
    "help": [("", "/help all"), ("all", "/page-size")],
    "lessons": [("", "nine-steps"), ("", "`radixchat lesson NAME`")],
    "list": [("", "* main: 2 turns"), ("all", "+ main-2: 0 turns, 0 tokens")],
    "model": [("", "radish (bundled)"), ("other", "scripted")],
    "new": [("", "now in main-3"), ("tries", "now in tries")],
    "page-size": [("", "page size 1"), ("16", "/page-size 16 yes does it"), ("16 yes", "page size 16")],
    "pin": [("#1", "pinned #1"), ("1", "pinned #1")],
    "pins": [("", "0 pinned")],
    "policy": [("", "policy lru"), ("mru", "policy mru")],
    "preview": [("Hello?", "would reuse")],
    "prove": [("", "greedy text")],
    "quit": [],
    "regen": [("", "reused")],
    "rename": [("tries", "now in tries")],
    "reset": [("", "the cache is empty")],
    "search": [("a", "main 1 user: a"), ("no such text", "no message holds")],
    "set": [("", "temperature 0"), ("seed 3", "seed 3")],
    "stats": [("", "2 turns")],
    "switch": [("main-2", "now in main-2")],
    "system": [("", "the model’s own"), ("Be brief.", "Be brief.")],
    "tree": [("", "the tree")],
    "why": [
        ("", "reused"),
        ("1", "step 1, request 1 in"),
        ("off", "line under a turn"),
        ("!9", "no step 9"),
        ("!x", "/why 3"),
    ],
    "undo": [("", "took back 1 turn: 'b'"), ("2", "took back 2 turns")],
    "unpin": [("all", "unpinned nothing"), ("!1", "node 1 is not pinned")],
}
"""What follows a command's name after two turns, and what is then said; a leading ! is for what is refused."""


def two_turns() -> Session:
    session = Session(chat=Chat(lambda model: scripted_engine("One.", "Two.", "Three.", "Four."), keep=False))
    session.type("a", "b", "/new", "/switch main")
    session.said  # noqa: B018 - forgets it
    return session


@pytest.mark.parametrize("name", HERE)
def test_every_command_has_an_example_that_runs(name: str) -> None:
    """None leaves a trace of an error of ours, and the chat goes on."""
    assert name in EXAMPLES, f"/{name} needs an example in this file"
    for argument, said in EXAMPLES[name]:
        session = two_turns()
        refused = argument.startswith("!")
        code = session.type(f"/{name} {argument.removeprefix('!')}".strip())
        assert code == ([2] if refused else [0]), session.said
        assert said in session.said
        assert session.type("and now?") == [0]


def test_quit_leaves() -> None:
    """By an exception that only the front end knows."""
    with pytest.raises(commands.Quit):
        list(commands.run(scripted_chat(), "/quit"))


def test_no_example_is_left_over() -> None:
    """A command that is gone takes its example along."""
    assert EXAMPLES.keys() == set(HERE)


@pytest.mark.parametrize("name", IN_THE_APP)
def test_what_only_the_app_can_do_is_refused_in_two_lines_elsewhere(name: str) -> None:
    """And neither listed nor completed; in the app it is an act."""
    session = Session()
    assert session.type(f"/{name}") == [2]
    assert session.said.splitlines() == [
        f"/{name} needs the app; this is the plain chat", "Start the app with: radixchat",
    ]  # fmt: skip
    session.type("/help all")
    assert f"/{name} " not in session.said
    assert f"/{name}" not in commands.complete(session.chat, "/")
    engine = scripted_engine()
    chat = Chat(lambda model: engine, keep=False, app=True)
    assert list(commands.run(chat, f"/{name} x")) == [Act(name, "x")]
    assert f"/{name}" in commands.complete(chat, "/")


# -- experiments ---------------------------------------------------------------------------------------------------


def replayed(chat: Chat) -> None:
    """Asserts that the recording ends in the cache's state."""
    chat.engine.check_integrity()
    snapshot = chat.snapshot()
    assert chat.journal.recording.at(len(chat.journal.recording.events)) == snapshot == chat.engine.cache.snapshot()


def test_a_pin_survives_requests_and_eviction_until_it_is_taken_back() -> None:
    """Only what hangs below it can go."""
    session = Session("One.", "Two.", "Three.")
    session.type("a", "/new", "b")
    leaf = next(node.id for node in session.chat.snapshot().nodes() if not node.children)
    assert session.type(f"/pin #{leaf}", f"/pin {leaf}", "/evict 9999", "/new", "c") == [0, 2, 0, 0, 0]
    assert session.chat.snapshot().find(leaf) is not None
    said = session.said
    assert f"pinned #{leaf}: 52 of" in said and f"#{leaf} is pinned already" in said and "◆" in said
    session.type("/pins", f"/evict #{leaf}")
    said = session.said
    assert "1 pinned: " in said and f"node {leaf} is locked" in said
    session.type(f"/unpin #{leaf}", f"/unpin {leaf}", "/evict 9999")
    assert f"node {leaf} is not pinned" in session.said
    assert session.chat.snapshot().resident == 0
    replayed(session.chat)


def test_a_pin_stays_with_the_lower_half_of_a_split() -> None:
    """Which keeps the number."""
    session = Session("One.", "Two.")
    session.type("a", "/pin #1", "/new", "b", "/pins")
    assert "◆ #1: 17 tokens of its own, 52 with those above it" in session.said
    session.type("/evict 9999")
    assert session.chat.snapshot().resident == 52
    replayed(session.chat)


def test_another_policy_is_an_event_and_picks_another_victim() -> None:
    """The recording replays to the same next victim."""
    session = Session("One.", "Two.")
    session.type("a", "/new", "b")
    before = session.chat.snapshot().next_victim
    assert session.type("/policy filo", "/policy newest") == [0, 2]
    said = session.said
    assert "choose one of lru, lfu" in said
    assert session.chat.snapshot().next_victim != before
    assert isinstance(session.chat.journal.recording.events[-1], ev.Repoliced)
    replayed(session.chat)


def test_another_page_size_empties_the_cache_asks_first_and_keeps_conversations() -> None:
    """The model stays loaded; the pool is as large as before; the policy stays."""
    session = Session("One.", "Two.")
    session.type("a", "/policy mru", "/page-size 16")
    runner, journal = session.chat.engine.runner, session.chat.journal
    assert session.chat.snapshot().resident > 0
    assert session.type("/page-size 16 yes", "b", "/page-size 0 yes", "/page-size 5000 yes", "/page-size x") == [
        0, 0, 2, 2, 2,
    ]  # fmt: skip
    chat = session.chat
    config = chat.engine.cache.config
    assert (config.page_size, config.capacity, config.policy) == (16, 992, "mru")
    assert chat.engine.runner is runner and chat.journal is not journal
    assert [turn.user for turn in chat.current.turns] == ["a", "b"]
    assert chat.snapshot().step == 1 and chat.snapshot().resident % 16 == 0
    replayed(chat)


def test_reset_forgets_pins_and_nodes_but_no_conversation() -> None:
    """And the recording says so."""
    session = Session("One.", "Two.")
    session.type("a", "/pin #1", "/reset", "/pins", "b")
    assert "0 pinned" in session.said
    assert session.chat.last is not None and session.chat.last.completion.reused_tokens == 0
    assert len(session.chat.current.turns) == 2
    replayed(session.chat)


def test_models_on_this_machine_are_listed_without_loading_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundled one, those in the hub's cache with weights, folders here with weights."""
    cache = tmp_path / "hub"
    for folder in (cache / "models--org--tiny" / "snapshots" / "abc", tmp_path / "mine"):
        folder.mkdir(parents=True)
        (folder / "config.json").touch()
        (folder / "model.safetensors").touch()
    (cache / "models--org--half" / "snapshots" / "abc").mkdir(parents=True)
    (cache / "datasets--org--data").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    assert local_models.local_models() == [
        ("radish", "bundled"), ("org/tiny", "in the Hugging Face cache"), ("./mine", "here"),
    ]  # fmt: skip
    session = Session()
    session.type("/model")
    assert "org/tiny (in the Hugging Face cache)" in session.said
    assert commands.complete(session.chat, "/model ./") == ["/model ./mine"]


def test_a_model_with_the_same_tokenizer_keeps_the_tokens() -> None:
    """Another tokenizer makes them anew, also when a turn is taken back afterwards."""
    engines = {None: scripted_engine("One.", "Two."), "same": scripted_engine("x"), "other": scripted_engine("y")}
    other = engines["other"].tokenizer
    other.encode = lambda text, encode=other.encode: encode(text) + 1  # type: ignore[method-assign]
    other.token_bytes = lambda token: bytes([token - 1])  # type: ignore[method-assign]

    def load(model: str | None) -> Engine:
        if model not in engines:
            raise ModelError("no such model", "Check the spelling.")
        return engines[model]

    session = Session(chat=Chat(load, keep=False))
    session.type("a", "b")
    held = session.chat.current.ids.tolist()
    assert session.type("/model nowhere", "/model same") == [3, 0]
    assert "no such model\nCheck the spelling. scripted stays.\n" in session.said
    assert session.chat.current.ids.tolist() == held
    session.type("/model other", "/undo")
    assert session.chat.current.ids.size == 0
    assert int(session.chat.prompt("c").ids[0]) == held[0] + 1


def test_what_a_line_may_become() -> None:
    """Names of commands, then of what they are about."""
    session = Session("One.")
    session.type("a", "/new tries", "/pin #1")

    def may(line: str) -> list[str]:
        return commands.complete(session.chat, line)

    assert may("/sw") == ["/switch"]
    assert may("/switch t") == ["/switch tries"]
    assert may("/delete ") == ["/delete main", "/delete tries"]
    assert may("/policy l") == ["/policy lru", "/policy lfu"]
    assert may("/unpin ") == ["/unpin #1", "/unpin all"]
    assert may("/pin #") == ["/pin #1"]
    assert may("/set top") == ["/set top_p", "/set top_k"]
    assert may("/nonsense x") == may("/tree x") == may("/nonsense") == []


# -- many conversations --------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Session]:
    """A chat in a file that another run has filled."""
    path = tmp_path / "conversations.db"

    def begin(*replies: str) -> Session:
        engine = scripted_engine(*replies)
        return Session(chat=Chat(lambda model: engine, keep=False, store=Store(path)))

    first = begin(*["Sure."] * 30)
    for number in range(25):
        first.type(f"/new talk {number}", f"question {number}")
    first.chat.close()
    session = begin(*["Sure."] * 9)
    yield session
    session.chat.close()


def test_saved_conversations_are_listed_found_and_opened_when_somebody_goes_there(saved: Session) -> None:
    """The list stays short; opening reads one."""
    saved.type("/list")
    said = saved.said
    assert said.splitlines()[0] == "* main: 0 turns, 0 tokens"
    assert "  talk 24: 1 turn, 64 tokens · question 24" in said and "and 6 more" in said and "talk 0:" not in said
    saved.type("/list all", "/search question 2")
    said = saved.said
    assert "talk 0:" in said and "talk 20 1 user: question 20" in said
    assert list(saved.chat.conversations) == ["main"]
    assert saved.type("/switch talk 7", "more") == [0, 0]
    assert "now in talk 7, with 1 turn" in saved.said
    assert saved.chat.last is not None and saved.chat.last.completion.reused_tokens == 0
    assert saved.type("/switch talk 99") == [2]
    assert "Close: talk 9" in saved.said


def test_saved_conversations_are_renamed_and_deleted(saved: Session) -> None:
    """Names are unique over all of them, and in one line."""
    assert saved.type("/switch talk 3", "/rename talk 4", "/rename  tries  and trees", "/delete talk 5") == [0, 2, 0, 0]
    names = saved.chat.names()
    assert "tries and trees" in names and "talk 3" not in names and "talk 5" not in names
    assert saved.type("/delete talk 5", "/new \x1b[31m", f"/new {'x' * 99}") == [2, 2, 2]
    assert saved.type("/new talk 6") == [0] and saved.chat.current.name == "talk 6-2"
    assert saved.type("/delete tries and trees", "/delete") == [0, 2]  # which one must be said
    assert saved.type("/delete talk 6-2") == [0] and saved.chat.current.name == "main"


def test_a_name_that_is_none_is_refused() -> None:
    """Also from the command line."""
    engine = scripted_engine()
    with pytest.raises(UsageError, match="no name for a conversation"):
        Chat(lambda model: engine, keep=False, conversation=" ")


# -- hash blocks ---------------------------------------------------------------------------------------------------


def on_blocks(**rules: object) -> Session:
    """A session of two turns over hash blocks."""
    replies = ("One.", "Two.", "Three.", "Four.")
    chat = Chat(lambda model: scripted_engine(*replies, cache="hash", **rules), keep=False)
    session = Session(chat=chat)
    session.type("a", "b")
    return session


@pytest.mark.parametrize("preset", ["vllm-0.4.2", "vllm-0.33", "hf-cb"])
def test_commands_that_work_on_hash_blocks(preset: str) -> None:
    """And their events replay to the same blocks."""
    session = on_blocks(preset=preset, block_size=4)
    assert "reused" in session.said
    session.type("/preview c", "/evict 8", "/evict", "/capacity 203", "/model", "/stats", "/tree", "/prove")
    said = session.said
    assert (
        "would reuse" in said and "evicted" in said and "capacity 200 tokens" in said and "greedy text: equal" in said
    )
    assert f"cache hash ({preset}, blocks of 4), 200 tokens" in said
    session.type("/reset", "c")
    assert "the cache is empty" in session.said
    replayed(session.chat)


@pytest.mark.parametrize(
    "line", ["/policy", "/policy mru", "/pin #1", "/unpin all", "/pins", "/page-size", "/evict #1"]
)
def test_commands_that_only_a_tree_can_serve(line: str) -> None:
    """Say so in two lines, and the chat goes on."""
    session = on_blocks(block_size=4)
    session.said  # noqa: B018 - forgets it
    assert session.type(line) == [2]
    what, fix = session.said.splitlines()
    assert "needs a radix tree; this cache has hash blocks (vllm-0.33)" in what
    assert "--cache" in fix or "/evict 100" in fix
    assert session.type("c") == [0]
    assert commands.complete(session.chat, "/unpin ") == ["/unpin all"]
