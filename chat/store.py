"""Conversations on disk: one SQLite file, in which what conversations have in common stands once.

A message's row is named by a hash over the message before it, its role, its text, how the turn ended and the tokens of
it, so forks share rows as they share a prefix in the cache; what the model saw is kept in the same way, segment by
segment. A conversation is a name that points to its last message: undoing moves the pointer. Only a hand that holds
the pointer it read may move it, so two programs never overwrite each other: who comes second gets a name of its own.

The file is opened with a rollback journal and not with a write-ahead log: there is one small transaction a turn, so a
log would gain nothing, and like this a single file lies there between two turns, to be copied or to live on a network
drive. Where it cannot be used, a store keeps everything in memory instead and its `notes` say why. Knows no engine.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .conversation import Conversation, Segment, Turn
from .paths import private_dir

BUSY = 2.0
"""Seconds to wait for another program that is writing."""

OPENING = 80
"""Characters kept of a conversation's first message, for lists."""

NO_ROW = b""
"""In the place of a parent: there is nothing before it."""


def _first_schema(db: sqlite3.Connection) -> None:
    db.execute(
        """CREATE TABLE segments (      -- what a model saw; the last one of a chain names the whole
            key BLOB PRIMARY KEY,
            parent BLOB REFERENCES segments,
            tokenizer TEXT NOT NULL,    -- whose ids these are
            text TEXT NOT NULL,
            ids BLOB NOT NULL           -- int32, little-endian
        ) WITHOUT ROWID"""
    )
    db.execute(
        """CREATE TABLE messages (
            key BLOB PRIMARY KEY,
            parent BLOB REFERENCES messages,
            role TEXT NOT NULL,                 -- user or assistant
            content TEXT NOT NULL,
            reason TEXT NOT NULL,               -- why a reply ended; '' for a user's
            before BLOB REFERENCES segments,    -- of a user's message: what was held before
            tokens BLOB REFERENCES segments     -- of a user's: what the request was given; of a reply: all, with it
        ) WITHOUT ROWID"""
    )
    db.execute(
        """CREATE TABLE conversations (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            tip BLOB REFERENCES messages,       -- its last message
            system TEXT NOT NULL,
            thinking INTEGER,
            sampling TEXT NOT NULL,             -- JSON: what was set for it
            turns INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            opening TEXT NOT NULL,
            used REAL NOT NULL                  -- seconds since 1970
        )"""
    )


UPGRADES: list[Callable[[sqlite3.Connection], None]] = [_first_schema]
"""What leads from each version of the file to the next; version 0 is an empty file."""


class Entry(NamedTuple):
    """A conversation in a list."""

    name: str
    turns: int
    tokens: int  # that the model saw, as far as they are known
    opening: str  # how its first message begins
    used: float  # when it was changed last, in seconds since 1970
    open: bool = False  # whether it is loaded in this program
    saved: bool = True


class Said(NamedTuple):
    """One message of a conversation."""

    turn: int  # 1 is the first
    role: str  # user or assistant
    content: str


class Saved(NamedTuple):
    """What became of a conversation that was saved."""

    name: str  # it may have got another one
    note: str  # what the person should know, or ""


class Store:
    """Conversations by name, in a file or in memory.

    Used in one thread. Reading and writing raise `sqlite3.Error` and nothing else; a turn that could not be written is
    written with the next.

    Args:
        path: The file; None keeps all in memory.

    Attributes:
        path: Where the conversations are; None is in memory.
        notes: What the person should know about how it was opened, a line each.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.notes: list[str] = []
        self.path: Path | None = path
        self._db = self._open(path) if path is not None else _memory()
        weakref.finalize(self, self._db.close)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    # -- opening ---------------------------------------------------------------------------------------------------

    def _open(self, path: Path) -> sqlite3.Connection:
        """Opens the file, mending what can be mended; else stays in memory, with notes."""
        try:
            return _connect(path)
        except _Newer as error:
            self._give_up(f"{path} has version {error}; this program knows up to {len(UPGRADES)}: update radixchat")
        except (sqlite3.OperationalError, OSError) as error:
            self._give_up(_why_not(path, error))
        except sqlite3.DatabaseError:
            return self._begin_anew(path)
        return _memory()

    def _begin_anew(self, path: Path) -> sqlite3.Connection:
        """Moves a damaged file aside and begins a new one."""
        aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            for end in ("-journal", ""):  # the journal belongs to the file
                part = path.with_name(path.name + end)
                if part.exists():
                    part.rename(aside.with_name(aside.name + end))
            db = _connect(path)
        except (OSError, sqlite3.Error) as error:
            self._give_up(f"{path} is damaged and cannot be replaced: {error}")
            return _memory()
        self.notes += [
            f"the file of conversations was damaged; it lies at {aside}",
            f"a new one begins at {path}; `sqlite3 FILE .recover` may get the old ones back.",
        ]
        return db

    def _give_up(self, why: str) -> None:
        self.path = None
        self.notes += [why, "The chat goes on, but its conversations are not saved."]

    # -- reading ---------------------------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Returns all conversations, the one that was used last first."""
        rows = self._db.execute(
            "SELECT name, turns, tokens, opening, used FROM conversations ORDER BY used DESC, id DESC"
        )
        return [Entry(*row) for row in rows]

    def names(self) -> list[str]:
        """Returns all names, the one that was used last first."""
        return [entry.name for entry in self.entries()]

    def load(self, name: str, tokenizer: str) -> Conversation | None:
        """Returns a conversation; tokens of another tokenizer are left out of it. None when there is none."""
        row = self._db.execute(
            "SELECT id, name, tip, system, thinking, sampling FROM conversations WHERE name = ?", (name,)
        ).fetchone()
        if row is None:
            return None
        try:
            return self._told(row, tokenizer)
        except ValueError as error:
            raise sqlite3.DatabaseError(f"{name!r} is damaged: {error}") from None

    def _told(self, row: tuple[Any, ...], tokenizer: str) -> Conversation:
        number, name, tip, system, thinking, sampling = row
        rows = list(self._chain(tip))
        segments = _Segments(self._db, tokenizer)
        turns, parent = [], NO_ROW
        for user, reply in zip(rows[::2], rows[1::2], strict=True):
            turn = Turn(
                _str(user.content), _str(reply.content), reply.reason,
                segments.upto(user.before), segments.upto(user.tokens), row=(parent, reply.key),
            )  # fmt: skip
            turns.append(turn)
            parent = reply.key
        return Conversation(
            name,
            _str(system),
            turns,
            segments.upto(rows[-1].tokens if rows else None),
            None if thinking is None else bool(thinking),
            json.loads(sampling),
            row=(number, tip),
        )

    def went_on(self, conversation: Conversation) -> bool:
        """Whether another program has changed what a loaded conversation points to, or deleted it."""
        if conversation.row is None:
            return False
        number, tip = conversation.row
        return bool(self._db.execute("SELECT tip FROM conversations WHERE id = ?", (number,)).fetchone() != (tip,))

    def said(self, name: str) -> list[Said]:
        """Returns the messages of a conversation, without their tokens."""
        row = self._db.execute("SELECT tip FROM conversations WHERE name = ?", (name,)).fetchone()
        rows = self._chain(row[0]) if row else ()
        return [Said(place // 2 + 1, row.role, _str(row.content)) for place, row in enumerate(rows)]

    def _chain(self, tip: bytes | None) -> Iterator[_Message]:
        rows = self._db.execute(
            """WITH RECURSIVE chain(key, parent, depth) AS (
                SELECT key, parent, 0 FROM messages WHERE key = ?
                UNION ALL
                SELECT above.key, above.parent, depth + 1 FROM chain JOIN messages AS above ON above.key = chain.parent
            ) SELECT key, role, content, reason, before, tokens
            FROM chain JOIN messages USING (key) ORDER BY depth DESC""",
            (tip,),
        )
        return (_Message(*row) for row in rows)

    # -- writing ---------------------------------------------------------------------------------------------------

    def save(self, conversation: Conversation, tokenizer: str) -> Saved:
        """Writes what is new and points the conversation to it, all or nothing.

        One that was renamed elsewhere takes that name here, too; one that was deleted elsewhere is written again; one
        that went on elsewhere is left alone, and this one is saved beside it under another name.
        """
        with self._all_or_nothing():
            tip, turns = self._write(conversation, tokenizer)
            saved, number = self._point(conversation, tip)
        conversation.name, conversation.row = saved.name, (number, tip)
        conversation.turns[:] = turns
        return saved

    def _point(self, conversation: Conversation, tip: bytes | None) -> tuple[Saved, int]:
        """Lets the name point to its last message; returns what came of it, and the row's number."""
        if conversation.row is None:
            return self._insert(conversation, tip, "")
        number, known = conversation.row
        row = self._db.execute("SELECT name, tip FROM conversations WHERE id = ?", (number,)).fetchone()
        if row is None:
            return self._insert(conversation, tip, "{old} was deleted by another radixchat; it is saved again as {new}")
        name, there = row
        if there != known and tip == known:  # nothing was said here since: the pointer stays where it is
            self._db.execute(
                "UPDATE conversations SET system = ?, thinking = ?, sampling = ? WHERE id = ?",
                (*_facts(conversation, tip)[1:4], number),
            )
            return Saved(name, ""), number
        if there != known:
            return self._insert(
                conversation,
                tip,
                "{old} went on in another radixchat, which keeps the name; this one is saved as {new}",
            )
        self._db.execute(
            "UPDATE conversations SET tip=?, system=?, thinking=?, sampling=?, turns=?, tokens=?, opening=?, used=?"
            " WHERE id = ?",
            (*_facts(conversation, tip), number),
        )
        note = "" if name == conversation.name else f"{conversation.name} was renamed {name} by another radixchat"
        return Saved(name, note), number

    def _insert(self, conversation: Conversation, tip: bytes | None, note: str) -> tuple[Saved, int]:
        name = free_name(conversation.name, self.names())
        cursor = self._db.execute(
            "INSERT INTO conversations (tip, system, thinking, sampling, turns, tokens, opening, used, name)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*_facts(conversation, tip), name),
        )
        if not note and name != conversation.name:
            note = "another radixchat took the name {old}; this one is saved as {new}"
        assert cursor.lastrowid is not None
        return Saved(name, note.format(old=conversation.name, new=name)), cursor.lastrowid

    def rename(self, conversation: Conversation, name: str) -> bool:
        """Gives a conversation another name; False when that is taken."""
        if name in self.names():
            return False
        if conversation.row is not None:
            with self._all_or_nothing():
                self._db.execute("UPDATE conversations SET name = ? WHERE id = ?", (name, conversation.row[0]))
        conversation.name = name
        return True

    def delete(self, which: str | Conversation) -> None:
        """Forgets a conversation, by name or as it was loaded, and every row that no other needs."""
        if isinstance(which, str):
            where, value = "name", which
        elif which.row is not None:
            where, value = "id", which.row[0]
        else:
            return
        with self._all_or_nothing():
            if self._db.execute(f"DELETE FROM conversations WHERE {where} = ?", (value,)).rowcount:
                self._prune()

    def _prune(self) -> None:
        for table, roots in (
            ("messages", "SELECT tip FROM conversations"),
            ("segments", "SELECT before FROM messages UNION SELECT tokens FROM messages"),
        ):
            self._db.execute(
                f"""DELETE FROM {table} WHERE key NOT IN (
                    WITH RECURSIVE kept(key) AS (
                        SELECT * FROM ({roots}) WHERE 1
                        UNION
                        SELECT parent FROM {table} JOIN kept USING (key)
                    ) SELECT key FROM kept WHERE key IS NOT NULL)"""
            )

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """A transaction that holds the write lock from its beginning: what it reads stays true."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # some errors have rolled back already
                self._db.execute("ROLLBACK")
            raise

    def _write(self, conversation: Conversation, tokenizer: str) -> tuple[bytes | None, list[Turn]]:
        """Writes the messages that have no row yet; returns the last one's key, and the turns with their rows."""
        segments = _Segments(self._db, tokenizer)
        turns, parent = list(conversation.turns), NO_ROW
        kept = _kept(turns)
        while kept and not self._has(turns[kept - 1].row[1]):  # pruned by another program
            kept -= 1
        for place, turn in enumerate(turns):
            if place >= kept:
                last = place + 1 == len(turns)
                after = conversation.held if last else turns[place + 1].before
                before, given, all_ = (segments.write(each) for each in (turn.before, turn.prompt, after))
                user = self._message(parent, "user", turn.user, "", before, given)
                reply = self._message(user, "assistant", turn.reply, turn.finish_reason, None, all_)
                turns[place] = replace(turn, row=(parent, reply))
            parent = turns[place].row[1]
        return parent or None, turns

    def _has(self, key: bytes) -> bool:
        return self._db.execute("SELECT 1 FROM messages WHERE key = ?", (key,)).fetchone() is not None

    def _message(
        self, parent: bytes, role: str, content: str, reason: str, before: bytes | None, tokens: bytes | None
    ) -> bytes:
        key = _hash(parent, role.encode(), _bytes(content), reason.encode(), before or b"", tokens or b"")
        self._db.execute(
            "INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, parent or None, role, _text(content), reason, before, tokens),
        )
        return key


class _Message(NamedTuple):
    """A row of messages."""

    key: bytes
    role: str
    content: str | bytes
    reason: str
    before: bytes | None
    tokens: bytes | None


class _Segments:
    """Reads and writes chains of segments, each row once."""

    def __init__(self, db: sqlite3.Connection, tokenizer: str) -> None:
        self._db = db
        self._tokenizer = tokenizer
        self._read: dict[bytes, tuple[Segment, ...]] = {}

    def upto(self, tip: bytes | None) -> tuple[Segment, ...]:
        """Returns the segments of a chain; none when there is no chain, or it is another tokenizer's."""
        path: list[tuple[bytes, Segment]] = []
        at = tip
        while at is not None and at not in self._read:
            row = self._db.execute("SELECT parent, tokenizer, text, ids FROM segments WHERE key = ?", (at,)).fetchone()
            if row is None or row[1] != self._tokenizer:
                return ()
            parent, _, text, ids = row
            path.append((at, Segment(_str(text), np.frombuffer(ids, dtype="<i4").astype(np.int32))))
            at = parent
        so_far = self._read[at] if at is not None else ()
        for key, segment in reversed(path):
            so_far = self._read[key] = (*so_far, segment)
        return so_far

    def write(self, segments: Sequence[Segment]) -> bytes | None:
        """Writes a chain, as far as it is new; returns the key of its last row."""
        key = NO_ROW
        rows = []
        for segment in segments:
            ids = segment.ids.astype("<i4").tobytes()
            parent, key = key, _hash(key, self._tokenizer.encode(), _bytes(segment.text), ids)
            rows.append((key, parent or None, self._tokenizer, _text(segment.text), ids))
        known = len(rows)
        while known and not self._has(rows[known - 1][0]):
            known -= 1
        self._db.executemany("INSERT INTO segments VALUES (?, ?, ?, ?, ?)", rows[known:])
        return key or None

    def _has(self, key: bytes) -> bool:
        return self._db.execute("SELECT 1 FROM segments WHERE key = ?", (key,)).fetchone() is not None


class _Newer(Exception):
    """The file was written by a newer program."""


def _connect(path: Path) -> sqlite3.Connection:
    """Opens a file that only its owner may read, and brings it up to date."""
    private_dir(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # and so will be its journal
    with suppress(OSError):
        path.chmod(0o600)
    db = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        return _prepared(db)
    except BaseException:
        db.close()
        raise


def _memory() -> sqlite3.Connection:
    return _prepared(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    if _version(db) > len(UPGRADES):
        raise _Newer(_version(db))
    db.execute("BEGIN IMMEDIATE")  # proves that it can be written; two programs never upgrade at once
    try:
        for number, upgrade in enumerate(UPGRADES[_version(db) :], start=_version(db) + 1):
            upgrade(db)
            db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("quick_check found damage")
    for table in ("conversations", "messages", "segments"):
        db.execute(f"SELECT * FROM {table} LIMIT 1")  # the file is ours
    return db


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _why_not(path: Path, error: sqlite3.OperationalError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{path} cannot be opened: {error.strerror or error}"
    if "locked" in str(error):
        return f"another radixchat holds {path}"
    return f"{path} cannot be written: {error}"


def trouble(error: sqlite3.Error) -> str:
    """Returns why a turn could not be saved, as one line."""
    why = "another radixchat holds the file" if "locked" in str(error) else str(error)
    return f"this turn is not saved yet: {why}; it will be tried again with the next"


def saved_names(path: Path) -> list[str]:
    """Returns the names in a file without changing anything about it; none where it cannot be read."""
    with suppress(sqlite3.Error):
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0.1)
        try:
            return [name for (name,) in db.execute("SELECT name FROM conversations ORDER BY used DESC")]
        finally:
            db.close()
    return []


def free_name(wish: str, taken: Container[str]) -> str:
    """Returns the name, with a number behind it if it is taken."""
    name, number = wish, 1
    while name in taken:
        number += 1
        name = f"{wish}-{number}"
    return name


def opening_of(conversation: Conversation) -> str:
    """Returns how its first message begins, in one line."""
    first = conversation.turns[0].user[: 2 * OPENING] if conversation.turns else ""
    return " ".join(first.split())[:OPENING].encode("utf-8", "replace").decode()


def _facts(conversation: Conversation, tip: bytes | None) -> tuple[Any, ...]:
    return (
        tip, _text(conversation.system), conversation.thinking, json.dumps(conversation.sampling),
        len(conversation.turns), int(conversation.ids.size), opening_of(conversation), time.time(),
    )  # fmt: skip


def _kept(turns: Sequence[Turn]) -> int:
    """Returns how many turns from the first on have rows that follow each other."""
    parent = NO_ROW
    for place, turn in enumerate(turns):
        if turn.row is None or turn.row[0] != parent:
            return place
        parent = turn.row[1]
    return len(turns)


def _hash(*parts: bytes) -> bytes:
    digest = blake2b(digest_size=20)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(text: str) -> str | bytes:
    """Returns what SQLite can hold: text, or the bytes of one with halves of characters in it."""
    data = _bytes(text)
    return text if data.isascii() or data.decode("utf-8", "ignore") == text else data


def _str(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "surrogatepass")
