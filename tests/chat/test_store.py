"""Conversations on disk: what comes back, what survives, and what happens when the file cannot be used."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.chat import store as store_module
from radixchat.chat.book import Book
from radixchat.chat.chat import Chat, tokens_of
from radixchat.chat.conversation import Conversation
from radixchat.chat.errors import UsageError, UserError
from radixchat.chat.store import UPGRADES, Store, saved_names

from .scripted import ByteTokenizer, scripted_engine

TOKENIZER = ByteTokenizer()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "conversations.db"


def say(conversation: Conversation, user: str, reply: str, reason: str = "stop") -> None:
    """One finished turn."""
    prompt = conversation.prompt(TOKENIZER, user)
    raw = f" {reply}\n"
    conversation.take(user, prompt, f" {reply}", list(raw.encode("utf-8", "replace")), raw, reason)


def talk(name: str = "main", *turns: tuple[str, str], **options: object) -> Conversation:
    conversation = Conversation(name, **options)  # type: ignore[arg-type]
    for user, reply in turns:
        say(conversation, user, reply)
    return conversation


def rows(path: Path, table: str) -> int:
    with sqlite3.connect(path) as db:
        (number,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
    db.close()
    return number


def same(left: Conversation, right: Conversation) -> None:
    """Asserts that two conversations are equal to the last id."""
    assert (left.name, left.system, left.thinking, left.sampling) == (
        right.name, right.system, right.thinking, right.sampling,
    )  # fmt: skip
    assert [(turn.user, turn.reply, turn.finish_reason) for turn in left.turns] == [
        (turn.user, turn.reply, turn.finish_reason) for turn in right.turns
    ]
    for ours, theirs in zip(chains(left), chains(right), strict=True):
        assert [segment.text for segment in ours] == [segment.text for segment in theirs]
        assert [segment.ids.tolist() for segment in ours] == [segment.ids.tolist() for segment in theirs]
        assert all(segment.ids.dtype.name == "int32" for segment in ours)


def chains(conversation: Conversation) -> list:
    return [conversation.held, *(each for turn in conversation.turns for each in (turn.before, turn.prompt))]


def reopened(path: Path, name: str = "main", tokenizer: str = "bytes") -> Conversation:
    found = Store(path).load(name, tokenizer)
    assert found is not None
    return found


# -- what comes back -----------------------------------------------------------------------------------------------


def test_a_conversation_comes_back_to_the_last_id(path: Path) -> None:
    """Text, exact tokens, how each turn ended, prompt and settings; also what is no proper text."""
    told = talk(
        "main", ("Hello!", "Hi 🌱"), ("a\0b", "\x1b[31m"),
        system="Be brief.", thinking=False, sampling={"temperature": 0.5, "stop": ["x"]},
    )  # fmt: skip
    say(told, "Go on", "and", "cancelled")
    told.take("\ud800", told.prompt(TOKENIZER, "?"), "\udc80", [200], "\udc80", "length")
    Store(path).save(told, "bytes")
    same(reopened(path), told)


def test_a_reply_that_went_on_and_one_that_diverged_come_back(path: Path) -> None:
    """What a turn began with is kept as it was, so that cutting gives the same tokens as before."""
    told = talk("main", ("One", "1"), ("Two", "2"), ("Three", "3"))
    store = Store(path)
    store.save(told, "bytes")
    told.lengthen(" more", list(b" more\n"), " more\n", "stop")
    store.save(told, "bytes")
    told.drop_oldest(1)
    store.save(told, "bytes")
    say(told, "Four", "4")
    store.save(told, "bytes")
    found = reopened(path)
    same(found, told)
    for conversation in (told, found):
        conversation.cut(1)
    same(found, told)


def test_the_ids_of_another_tokenizer_are_left_out(path: Path) -> None:
    """The text stays; when the first model comes back, so do its tokens, as far as they reach."""
    told = talk("main", ("One", "1"))
    Store(path).save(told, "bytes")
    other = reopened(path, tokenizer="words")
    assert other.held == () and [turn.user for turn in other.turns] == ["One"]
    assert other.turns[0].before == other.turns[0].prompt == ()
    assert other.prompt(TOKENIZER, "Two").divergence is None
    same(reopened(path), told)


def test_forks_share_rows_and_a_new_turn_adds_two(path: Path) -> None:
    """A fork of twenty turns costs a pointer."""
    store = Store(path)
    told = talk("main", *[(f"Question {n}", f"Answer {n}") for n in range(20)])
    store.save(told, "bytes")
    assert (rows(path, "messages"), rows(path, "segments")) == (40, 40)
    fork = told.fork("side")
    store.save(fork, "bytes")
    assert (rows(path, "messages"), rows(path, "conversations")) == (40, 2)
    say(fork, "More?", "Yes.")
    store.save(fork, "bytes")
    assert (rows(path, "messages"), rows(path, "segments")) == (42, 42)
    assert len(reopened(path, "main").turns) == 20 and len(reopened(path, "side").turns) == 21


def test_undo_moves_the_pointer_and_the_same_turn_finds_its_rows(path: Path) -> None:
    """Nothing is deleted, so asking the same again adds nothing."""
    store, told = Store(path), talk("main", ("One", "1"), ("Two", "2"))
    store.save(told, "bytes")
    told.cut(1)
    store.save(told, "bytes")
    assert len(reopened(path).turns) == 1 and rows(path, "messages") == 4
    say(told, "Two", "2")
    store.save(told, "bytes")
    assert len(reopened(path).turns) == 2 and rows(path, "messages") == 4


def test_delete_prunes_what_no_other_conversation_needs(path: Path) -> None:
    """Shared turns stay."""
    store, told = Store(path), talk("main", ("One", "1"), ("Two", "2"))
    fork = told.fork("side", 1)
    store.save(told, "bytes")
    store.save(fork, "bytes")
    store.delete(told)
    assert (rows(path, "messages"), rows(path, "segments")) == (2, 2)
    same(reopened(path, "side"), fork)
    store.delete("side")
    assert (rows(path, "messages"), rows(path, "segments"), rows(path, "conversations")) == (0, 0, 0)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.sampled_from(["a", "b", "c"])),
            st.tuples(
                st.sampled_from(["undo", "drop", "lengthen", "fork", "switch", "delete", "another"]), st.just("")
            ),
        ),
        max_size=25,
    )
)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_whatever_is_done_to_conversations_they_come_back_as_they_are(operations: list[tuple[str, str]]) -> None:
    """Turns, forks, cuts, deletions and other tokenizers, in any order: nothing that is needed is pruned."""
    store = Store()
    told = [talk("main")]
    tokenizer = "bytes"
    for place, (name, text) in enumerate(operations):
        here = told[0]
        turns = len(here.turns)
        match name:
            case "say":
                say(here, text, text * 2)
            case "undo":
                here.cut(max(0, turns - 1))
            case "drop":
                here.drop_oldest(min(1, turns))
            case "lengthen" if turns:
                here.retake(TOKENIZER)
                here.lengthen("!", [33], "!", "stop")
            case "fork":
                told.insert(0, here.fork(f"fork {len(told)} {turns}"))
            case "switch":
                told = [*told[1:], here]
            case "delete" if len(told) > 1:
                store.delete(told.pop(0))
            case "another":
                tokenizer = f"bytes {place}"
                for each in told:
                    each.forget_tokens()
        store.save(told[0], tokenizer)
        for each in told:
            if each.row is not None:
                found = store.load(each.name, tokenizer)
                assert found is not None and found.row == each.row
                if each.turns:
                    same(found, each)


def test_a_conversation_whose_rows_are_nonsense_is_said_to_be_damaged(path: Path) -> None:
    """The others can be read."""
    book = Book(Store(path), "bytes")
    for name in ("main", "other"):
        book.add(talk(name, ("One", name)))
        book.save()
    book.store._db.execute("UPDATE conversations SET sampling = '{' WHERE name = 'main'")
    fresh = Book(Store(path), "bytes")
    with pytest.raises(UserError, match="'main' is damaged"):
        fresh.switch("main")
    assert len(fresh.switch("other").turns) == 1


# -- the file ------------------------------------------------------------------------------------------------------


def test_the_file_is_its_owners_only(path: Path) -> None:
    """Folder 0700, file 0600, and between two turns there is nothing but the file."""
    store = Store(path)
    store.save(talk("main", ("One", "1")), "bytes")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_older_file_is_upgraded_step_by_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, each once; what was in it stays. Version 0 is an empty file."""
    path.parent.mkdir()
    path.touch()
    Store(path).save(talk("main", ("One", "1")), "bytes")
    done = []
    steps = [lambda db: done.append(2), lambda db: (done.append(3), db.execute("CREATE TABLE more (x)"))]
    monkeypatch.setattr(store_module, "UPGRADES", [*UPGRADES, *steps])

    store = Store(path)
    assert store.notes == [] and done == [2, 3]
    assert len(reopened(path).turns) == 1
    assert done == [2, 3] and rows(path, "more") == 0
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
    db.close()


def test_an_upgrade_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it or nothing of it; the chat goes on in memory."""
    Store(path).save(talk("main", ("One", "1")), "bytes")

    def breaks(db: sqlite3.Connection) -> None:
        if db.execute("SELECT count(*) FROM messages").fetchone() == (0,):
            return  # the one in memory
        db.execute("DROP TABLE messages")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store_module, "UPGRADES", [*UPGRADES, breaks])
    store = Store(path)
    assert "disk is full" in store.notes[0] and store.path is None
    monkeypatch.undo()
    assert len(reopened(path).turns) == 1


def test_a_newer_file_is_not_touched(path: Path) -> None:
    """Two lines say so, and the chat goes on without saving."""
    Store(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    store = Store(path)
    assert "version 99" in store.notes[0] and "not saved" in store.notes[1] and len(store.notes) == 2
    store.save(talk("main", ("One", "1")), "bytes")
    assert store.names() == ["main"]  # of this run
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["garbage", "middle", "cut"])
def test_a_damaged_file_is_moved_aside_and_never_lost(path: Path, damage: str) -> None:
    """A new one begins; both places are named."""
    store = Store(path)
    for number in range(30):
        store.save(talk(f"main-{number}", ("One" * 200, "1" * 500)), "bytes")
    store.close()
    data = path.read_bytes()
    if damage == "garbage":
        data = b"no database at all" * 300
    elif damage == "middle":
        data = data[:4096] + b"\xff" * (len(data) - 8192) + data[-4096:]
    else:
        data = data[: len(data) // 2]
    path.write_bytes(data)

    store = Store(path)
    (aside,) = path.parent.glob("conversations.db.damaged-*")
    assert aside.read_bytes() == data
    assert str(aside) in store.notes[0] and str(path) in store.notes[1]
    store.save(talk("new", ("One", "1")), "bytes")
    assert saved_names(path) == ["new"]


def test_a_file_that_another_holds_leaves_the_chat_without_saving(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a short wait; two lines say so."""
    monkeypatch.setattr(store_module, "BUSY", 0.05)
    Store(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store = Store(path)
    other.close()
    assert store.notes == [f"another radixchat holds {path}", "The chat goes on, but its conversations are not saved."]
    store.save(talk("main", ("One", "1")), "bytes")
    assert rows(path, "messages") == 0


@pytest.mark.parametrize("obstacle", ["a folder", "a file in the way", "read-only"])
def test_a_place_that_cannot_be_written_leaves_the_chat_without_saving(tmp_path: Path, obstacle: str) -> None:
    """Whatever the reason, there is a chat."""
    path = tmp_path / "home" / "conversations.db"
    if obstacle == "a folder":
        path.mkdir(parents=True)
    elif obstacle == "a file in the way":
        path.parent.touch()
    else:
        if os.geteuid() == 0:
            pytest.skip("nothing is read-only for root")
        path.parent.mkdir(mode=0o500)
    store = Store(path)
    assert str(path) in store.notes[0] and "not saved" in store.notes[1] and store.path is None
    store.save(talk("main", ("One", "1")), "bytes")
    assert store.names() == ["main"]


# -- several programs ----------------------------------------------------------------------------------------------


def two_chats(path: Path) -> tuple[Book, Book]:
    first = Book(Store(path), "bytes")
    first.add(talk("main", ("One", "1")))
    first.save()
    second = Book(Store(path), "bytes")
    second.switch("main")
    return first, second


def test_two_programs_that_go_on_with_one_conversation_both_keep_theirs(path: Path) -> None:
    """Who comes second gets a name of its own, and is told."""
    first, second = two_chats(path)
    for book, user in ((first, "Two"), (second, "Zwei")):
        say(book.current, user, "2")
        book.save()
    assert first.news == []
    assert second.news == ["main went on in another radixchat, which keeps the name; this one is saved as main-2"]
    assert second.current.name == "main-2" and list(second.open) == ["main-2"]
    assert [turn.user for turn in reopened(path, "main").turns] == ["One", "Two"]
    assert [turn.user for turn in reopened(path, "main-2").turns] == ["One", "Zwei"]
    say(second.current, "Drei", "3")
    second.news.clear()
    second.save()
    assert second.news == [] and len(reopened(path, "main-2").turns) == 3


def test_going_to_a_conversation_that_went_on_elsewhere_reads_it_again(path: Path) -> None:
    """Settings that are changed before that leave the other's turns alone."""
    first, second = two_chats(path)
    say(first.current, "Two", "2")
    first.save()
    second.current.system = "Be brief."
    second.save()
    assert second.news == [] and len(reopened(path).turns) == 2
    second.switch("main")
    assert second.news == ["main went on in another radixchat: this is how it is there"]
    assert (len(second.current.turns), second.current.system) == (2, "Be brief.")
    say(second.current, "Three", "3")
    second.save()
    assert saved_names(path) == ["main"] and len(reopened(path).turns) == 3


def test_a_conversation_that_was_renamed_elsewhere_takes_the_name(path: Path) -> None:
    """The pointer is a number, not the name."""
    first, second = two_chats(path)
    first.rename("tries")
    say(second.current, "Two", "2")
    second.save()
    assert second.news == ["main was renamed tries by another radixchat"]
    assert list(second.open) == ["tries"] and len(reopened(path, "tries").turns) == 2
    assert saved_names(path) == ["tries"]


def test_a_conversation_that_was_deleted_elsewhere_is_written_again_whole(path: Path) -> None:
    """Its rows are gone, but this program has all of it."""
    first, second = two_chats(path)
    first.delete("main")
    assert rows(path, "messages") == 0
    say(second.current, "Two", "2")
    second.save()
    assert second.news == ["main was deleted by another radixchat; it is saved again as main"]
    same(reopened(path), second.current)


def test_two_new_conversations_of_one_name(path: Path) -> None:
    """The first to finish a turn has the name."""
    first, second = Book(Store(path), "bytes"), Book(Store(path), "bytes")
    for book in (first, second):
        book.add(talk("main", ("One", "1")))
        book.save()
    assert second.news == ["another radixchat took the name main; this one is saved as main-2"]
    assert sorted(saved_names(path)) == ["main", "main-2"]


def test_a_turn_that_could_not_be_saved_is_saved_with_the_next(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trouble is told once."""
    monkeypatch.setattr(store_module, "BUSY", 0.05)
    book = Book(Store(path), "bytes")
    book.add(talk("main", ("One", "1")))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    book.save()
    say(book.current, "Two", "2")
    book.save()
    assert book.news == [
        "this turn is not saved yet: another radixchat holds the file; it will be tried again with the next"
    ]
    other.execute("COMMIT")
    other.close()
    say(book.current, "Three", "3")
    book.save()
    assert book.news[1:] == ["everything is saved again"]
    same(reopened(path), book.current)


def test_a_full_disk_stops_no_chat(path: Path) -> None:
    """The turn waits; the transaction left nothing behind."""
    book = Book(Store(path), "bytes")
    book.add(talk("main", ("One", "1")))
    book.save()
    db = book.store._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    say(book.current, "Two" * 5000, "2")
    book.save()
    assert "disk is full" in book.news[0] and len(reopened(path).turns) == 1
    db.execute("PRAGMA max_page_count = 10000")
    book.save()
    same(reopened(path), book.current)


# -- the chat over it ----------------------------------------------------------------------------------------------


def chat_on(path: Path, *replies: str, **options: object) -> Chat:
    engine = scripted_engine(*replies)
    return Chat(lambda model: engine, keep=False, store=Store(path), **options)  # type: ignore[arg-type]


def ask(chat: Chat, *messages: str) -> None:
    for message in messages:
        list(chat.send(message))


def test_a_reopened_chat_goes_on_and_counts_nothing_as_resident(path: Path) -> None:
    """The next prompt is the saved ids and the delta; a new cache has none of them."""
    chat = chat_on(path, "Hi!", "A tree.")
    ask(chat, "Hello!", "What is a trie?")
    held = chat.current.ids.tolist()
    chat.close()
    chat = chat_on(path, "Bye.", conversation="main")
    assert chat.current.ids.tolist() == held
    assert chat.preview("Thanks").peek.matched == 0
    prompt = chat.prompt("Thanks")
    assert prompt.divergence is None and prompt.ids[: len(held)].tolist() == held
    ask(chat, "Thanks")
    chat.close()
    assert [turn.user for turn in reopened(path, tokenizer=tokens_of(chat.engine)).turns][2:] == ["Thanks"]


def test_a_chat_begins_with_a_new_conversation_and_saves_none_that_is_empty(path: Path) -> None:
    """Unless it is asked to go on; empty ones do not pile up."""
    chat = chat_on(path, "Hi!")
    ask(chat, "Hello!")
    chat.new()
    chat.close()
    for begins, options in (("main-2", {}), ("main", {"latest": True}), ("x", {"conversation": "x"})):
        chat = chat_on(path, **options)
        assert chat.current.name == begins
        chat.close()
    assert saved_names(path) == ["main"]
    chat = chat_on(path.with_name("other.db"), latest=True)
    assert chat.current.name == "main" and "no saved conversation" in chat.news()[0]


def test_what_every_change_leaves_on_disk(path: Path) -> None:
    """fork, undo, edit, regen, drop, system, set, rename and delete move the pointer at once."""
    chat = chat_on(path, "1", "2", "2b", "2c", "3")

    def on_disk(name: str) -> list[tuple[str, str]]:
        found = reopened(path, name, tokens_of(chat.engine))
        same(found, chat.conversations[name])
        return [(turn.user, turn.reply.strip()) for turn in found.turns]

    ask(chat, "a", "b")
    list(chat.regenerate())
    assert on_disk("main") == [("a", "1"), ("b", "2b")]
    chat.fork("side")
    list(chat.edit(2, "c"))
    assert on_disk("side") == [("a", "1"), ("c", "2c")]
    chat.undo(1)
    assert on_disk("side") == [("a", "1")]
    chat.set_system("Be brief.")
    chat.set("temperature", "0.25")
    assert on_disk("side") == [("a", "1")]
    chat.rename("other")
    ask(chat, "d")
    chat.drop(1)
    assert on_disk("other") == [("d", "3")]
    chat.delete("other")
    assert saved_names(path) == ["main"] and chat.current.name == "main"


def test_settings_of_a_conversation_and_those_of_the_start(path: Path) -> None:
    """Asked for now beats what was set then, which beats what is configured."""
    chat = chat_on(path, "Hi!")
    chat.set("temperature", "0.5")
    chat.set("seed", "7")
    chat.set("stop", "END")
    ask(chat, "Hello!")
    chat.close()
    chat = chat_on(path, latest=True, params={"temperature": 0.9}, defaults={"seed": 1, "top_k": 3})
    now = chat.params
    assert (now.temperature, now.seed, now.top_k, now.stop) == (0.9, 7, 3, ("END",))
    chat.set("temperature", "0.1")
    assert chat.params.temperature == 0.1
    with pytest.raises(UsageError):
        chat.set("temperature", "-1")
    assert chat.params.temperature == 0.1


def test_a_turn_in_the_place_of_others_that_fails_leaves_them(path: Path) -> None:
    """An edit that is too long costs nothing."""
    engine = scripted_engine("1", "2", max_context=120)
    chat = Chat(lambda model: engine, keep=False, store=Store(path))
    ask(chat, "a", "b")
    before = [turn.user for turn in chat.current.turns], chat.current.ids.tolist()
    with pytest.raises(Exception, match="context holds"):
        list(chat.edit(1, "c" * 500))
    assert ([turn.user for turn in chat.current.turns], chat.current.ids.tolist()) == before


def test_search_finds_messages_in_open_and_saved_conversations(path: Path) -> None:
    """Upper and lower case are alike, in every language; the excerpt is one line."""
    chat = chat_on(path, "It is a tree\nfor strings.", "Ein BAUM.", "Nothing.")
    ask(chat, "What is a trie?")
    chat.new("german")
    ask(chat, "Größere Bäume?")
    chat.close()
    chat = chat_on(path, "Nothing.")
    ask(chat, "x" * 90 + " TRIE " + "y" * 90)
    assert [(hit.conversation, hit.turn, hit.role) for hit in chat.book.search("trie")] == [
        ("main-2", 1, "user"), ("main", 1, "user"),
    ]  # fmt: skip
    assert [hit.excerpt for hit in chat.book.search("größere")] == ["Größere Bäume?"]
    assert [hit.excerpt for hit in chat.book.search("tree for")] == []
    assert next(iter(chat.book.search("trie"))).excerpt == f"…{'x' * 29} TRIE {'y' * 29}…"
    assert len(chat.conversations) == 1  # nothing was opened for it


CRASH = """
import sys
from pathlib import Path
from radixchat.chat.chat import Chat
from radixchat.chat.store import Store
sys.path.insert(0, sys.argv[2])
from scripted import scripted_engine

engine = scripted_engine("One.", "Two.", "A reply that never ends")
chat = Chat(lambda model: engine, keep=False, store=Store(Path(sys.argv[1])))
list(chat.send("a")), list(chat.send("b"))
for item in chat.send("c"):
    print("in the middle", flush=True)
    sys.stdin.read()
"""


def test_after_kill_9_in_the_middle_of_a_turn_every_finished_turn_is_there(path: Path) -> None:
    """And the file needs no mending."""
    child = subprocess.Popen(
        [sys.executable, "-c", CRASH, str(path), str(Path(__file__).parent)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None and child.stdin is not None
    assert child.stdout.readline() == "in the middle\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close(), child.stdin.close()

    chat = chat_on(path, "Three.", latest=True)
    assert chat.news() == []
    assert [(turn.user, turn.reply) for turn in chat.current.turns] == [("a", " One."), ("b", " Two.")]
    ask(chat, "c")
    assert chat.last is not None and chat.last.completion.reused_tokens == 0
