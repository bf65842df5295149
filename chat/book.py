"""The conversations of a chat: those that are open, over a store that has them all.

A saved conversation is read when somebody goes there; one that was begun is saved when its first turn is finished, so
empty ones never pile up. What the person should know (another program changed something, the disk is full) gathers in
`news`. Knows no engine: whoever turns text into tokens is a name here.
"""

from __future__ import annotations

import difflib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from .conversation import Conversation
from .errors import UsageError, UserError
from .store import Entry, Store, free_name, opening_of, trouble

AROUND = 30
"""Characters of an excerpt on each side of what was found."""

NAME = 80
"""The longest name."""


class Hit(NamedTuple):
    """A message that holds what was looked for."""

    conversation: str
    turn: int  # 1 is the first
    role: str  # user or assistant
    excerpt: str  # one line


class Book:
    """Conversations by name.

    Args:
        store: Keeps them.
        tokenizer: Name of what makes tokens of them; it may change.

    Attributes:
        open: Those that are loaded, by name, in the order of opening.
        current: One of them.
        news: Lines for the person, to be taken.
    """

    def __init__(self, store: Store, tokenizer: str = "") -> None:
        self.store = store
        self.open: dict[str, Conversation] = {}
        self.current: Conversation = Conversation("")
        self.news: list[str] = list(store.notes)
        self._tokenizer = tokenizer
        self._unsaved: list[Conversation] = []
        self._trouble = ""

    def close(self) -> None:
        """Saves what could not be saved before, and closes the store."""
        if self._unsaved:
            self.save()
        self.store.close()

    def retokenise(self, tokenizer: str) -> None:
        """Says whose tokens conversations hold from now on; they keep none of another's."""
        if tokenizer != self._tokenizer:
            self._tokenizer = tokenizer
            for conversation in self.open.values():
                conversation.forget_tokens()

    # -- finding ---------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Returns the names of all conversations: the open ones, then those that were used last."""
        return [entry.name for entry in self.entries()]

    def entries(self) -> list[Entry]:
        """Returns all conversations in the same order, with what a list shows."""
        with _reading():
            saved = {entry.name: entry for entry in self.store.entries()}
        loaded = [
            Entry(
                name, len(each.turns), int(each.ids.size), opening_of(each),
                saved[name].used if name in saved else time.time(), True, name in saved,
            )
            for name, each in self.open.items()
        ]  # fmt: skip
        return loaded + [entry for name, entry in saved.items() if name not in self.open]

    def latest(self) -> str | None:
        """Returns the name of the saved conversation that was used last."""
        with _reading():
            return next(iter(self.store.names()), None)

    def named(self, name: str) -> Conversation:
        """Returns a conversation by name, reading it if it is not open. Raises UsageError when there is none."""
        if name not in self.open:
            with _reading():
                found = self.store.load(name, self._tokenizer)
            if found is None:
                known = self.names()
                close = difflib.get_close_matches(name, known, n=3) or known[:8]
                raise UsageError(
                    f"there is no conversation {name!r}",
                    f"There {'is' if len(close) == 1 else 'are'}: {', '.join(close)}."
                    if len(close) == len(known)
                    else f"Close: {', '.join(close)}; /list names all.",
                )
            self.open[name] = found
        return self.open[name]

    def has(self, name: str) -> bool:
        """Whether there is a conversation of this name, open or saved."""
        return name in self.open or name in self.names()

    def free_name(self, wish: str) -> str:
        """Returns the name, with a number behind it if it is taken. Raises UsageError for what is no name."""
        return free_name(proper_name(wish), self.names())

    def search(self, text: str) -> Iterator[Hit]:
        """Yields the messages of all conversations that hold a text, upper and lower case alike."""
        wanted = text.casefold()
        for name in self.names():
            for turn, role, content in self._said(name):
                at = content.casefold().find(wanted)
                if at >= 0:
                    yield Hit(name, turn, role, _excerpt(content, at, len(text)))

    def _said(self, name: str) -> list[tuple[int, str, str]]:
        if name in self.open:
            turns = enumerate(self.open[name].turns, start=1)
            return [said for n, turn in turns for said in ((n, "user", turn.user), (n, "assistant", turn.reply))]
        with _reading():
            return [tuple(said) for said in self.store.said(name)]  # type: ignore[misc]

    # -- changing --------------------------------------------------------------------------------------------------

    def add(self, conversation: Conversation) -> Conversation:
        """Opens a conversation and goes there."""
        self.open[conversation.name] = self.current = conversation
        return conversation

    def switch(self, name: str) -> Conversation:
        """Goes to a conversation; one that went on in another program meanwhile is read again."""
        conversation = self.named(name)
        if conversation not in self._unsaved:
            with _reading():
                if self.store.went_on(conversation) and (newer := self.store.load(name, self._tokenizer)) is not None:
                    self.open[name] = conversation = newer
                    self.news.append(f"{name} went on in another radixchat: this is how it is there")
        self.current = conversation
        return conversation

    def rename(self, name: str) -> None:
        """Gives the current conversation another name. Raises UsageError when that is taken."""
        name = proper_name(name)
        with _reading():
            taken = self.has(name) or not self.store.rename(self.current, name)
        if taken:
            raise UsageError(f"there is a conversation {name!r} already", "Choose another name.")
        self._by_name()

    def delete(self, name: str) -> None:
        """Forgets a conversation for good; when it was the current one, another open one (if there is one) is that.

        Raises:
            UsageError: there is none.
        """
        if name not in self.open and not self.has(name):
            self.named(name)  # says so
        gone = self.open.pop(name, None)
        try:
            with _reading():
                self.store.delete(name if gone is None else gone)
        except UserError:
            if gone is not None:
                self.open[name] = gone
            raise
        self._unsaved = [each for each in self._unsaved if each is not gone]
        if self.current is gone and self.open:
            self.current = list(self.open.values())[-1]

    def save(self) -> None:
        """Saves the current conversation, and what could not be saved before; the trouble with it becomes news."""
        mine = self.current
        if (mine.turns or mine.row is not None) and not any(each is mine for each in self._unsaved):
            self._unsaved.append(mine)
        try:
            while self._unsaved:
                saved = self.store.save(self._unsaved[0], self._tokenizer)
                del self._unsaved[0]
                if saved.note:
                    self.news.append(saved.note)
        except sqlite3.Error as error:
            if self._trouble != str(error):
                self.news.append(trouble(error))
            self._trouble = str(error)
        else:
            if self._trouble:
                self.news.append("everything is saved again")
            self._trouble = ""
        self._by_name()

    def _by_name(self) -> None:
        """Files the open conversations under the names they have now; a name that is taken twice gets a number."""
        if all(name == each.name for name, each in self.open.items()):
            return
        filed: dict[str, Conversation] = {}
        for each in sorted(self.open.values(), key=lambda each: each.row is None):  # whoever is saved keeps the name
            each.name = free_name(each.name, filed)
            filed[each.name] = each
        self.open = {each.name: each for each in self.open.values()}


def proper_name(name: str) -> str:
    """Returns a name in one line, or raises UsageError."""
    name = " ".join(name.split())
    if not name or len(name) > NAME or not name.isprintable():
        raise UsageError(f"{name[:NAME]!r} is no name for a conversation", f"Give 1 to {NAME} characters in one line.")
    return name


def _excerpt(content: str, at: int, size: int) -> str:
    start, end = max(0, at - AROUND), at + size + AROUND
    text = " ".join(content[start:end].split())
    return f"{'…' if start else ''}{text}{'…' if end < len(content) else ''}"


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise UserError(f"the saved conversations cannot be used: {error}", "The chat goes on; try again.") from None
