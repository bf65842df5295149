"""The desk: the one thread in which a chat lives. Lines come in, messages go out.

The app never touches the chat; it hands over lines and gets immutable messages back, so that keys are answered while
a reply runs, a model loads or libraries import. The thread is a daemon: it never keeps the program from ending. Knows
no widget; `post` may be any function that takes a message from any thread.
"""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any

from textual.message import Message

from ...radix.recording import Pieces
from .. import commands
from ..chat import Chat
from ..commands import divergence_line
from ..errors import ModelError, UserError
from ..foresight import foresee, walked
from ..items import Act, Asked, Compared, Copied, Delta, Item, Report, Tree
from ..signature import cut_off, signature
from ..store import Entry
from . import messages as say
from .crash import unexpected

PACE = 0.1
"""Seconds between two messages about a running reply, at least."""


class Desk:
    """Works for the app.

    Args:
        make: Makes a chat by model name; None is the model of the start. Called in the thread, for it imports torch.
        post: Takes messages; safe in any thread.

    Attributes:
        pace: Seconds between two messages about a running reply; the app lengthens it when painting is slow.
    """

    def __init__(self, make: Callable[[str | None], Chat], post: Callable[[Message], Any]) -> None:
        self.pace = PACE
        self._make = make
        self._post = post
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._chat: Chat | None = None
        self._wishes: deque[str] = deque(maxlen=1)  # the newest line to be foreseen; both threads touch it
        self._facts: dict[int, tuple[object, say.TurnView]] = {}  # by the identity of a turn, which is kept alive
        self._text = ""
        self._posted = 0.0
        self._recording: object = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)

    # -- called by the app -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to load the model."""
        self._jobs.put(lambda: self._load(None))
        self._thread.start()

    def line(self, line: str) -> None:
        """Handles a line as the plain chat would: a command, or a message."""
        self._jobs.put(lambda: self._line(line))

    def foresee(self, line: str) -> None:
        """Asks what Enter would do with a line; a newer question replaces one that still waits."""
        self._wishes.append(line)
        self._jobs.put(self._foresee)

    def complete(self, line: str) -> None:
        """Asks how a command may go on."""
        self._jobs.put(lambda: self._complete(line))

    def stop(self) -> None:
        """Stops the running reply and keeps what it said."""
        chat = self._chat
        if chat is not None:
            chat.stop()

    def close(self, seconds: float) -> None:
        """Stops everything; waits a little for the recording and the conversations to be written."""
        self._closing = True
        self.stop()
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)

    # -- in the thread ---------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._closing:
            try:
                job()
            except UserError as error:
                self._post(say.Failed(error))
            except Exception as error:  # ours to mend: the chat goes on, the traceback goes to a file
                self._post(say.Failed(unexpected(error)))
        if self._chat is not None:
            self._chat.close()

    def _load(self, model: str | None) -> None:
        self._post(say.Busy(True, f"loading {model}" if model else "loading the model"))
        try:
            self._chat = self._make(model)
            gc.collect()
            gc.freeze()  # torch and the model are here to stay: looking them through would halt the screen
            self._opened()
        finally:
            self._post(say.Busy(False))

    def _line(self, line: str) -> None:
        if self._chat is None and line.startswith("/model ") and (name := line.removeprefix("/model ").strip()):
            return self._load(name)
        self._post(say.Busy(True, "thinking"))
        try:
            if self._chat is None:
                raise ModelError("no model is loaded", "Load one: /model radish takes the one that came along.")
            if line.startswith("/") and not line.startswith("//"):
                self._run(commands.run(self._chat, line))
            else:
                self._run(self._chat.send(line[1:] if line.startswith("//") else line))
        except commands.Quit:
            self._post(say.Acted("quit"))
        finally:
            try:
                self._progress(last=True)
                self._opened()
            finally:
                self._post(say.Busy(False))
        return None

    def _run(self, items: Iterator[Item]) -> None:
        for item in items:
            if self._closing:
                self.stop()
            match item:
                case Asked(conversation, user):
                    self._changed()
                    self._post(say.Began(conversation, user))
                case Delta(text):
                    self._text += text
                    self._progress()
                case Report():
                    self._progress(last=True)
                    self._report(item)
                case Tree():
                    self._progress(last=True)
                case Copied(text):
                    self._post(say.Acted("copy", text))
                case Act(name, argument):
                    self._post(say.Acted(name, argument))
                case Compared(contest):
                    self._post(say.Compared(contest))
                case _:
                    self._post(say.Told(item))
            self._foresee()

    def _report(self, report: Report) -> None:
        notes = [divergence_line(report.divergence)] if report.divergence is not None else []
        if report.completion.finish_reason in ("length", "capacity"):
            notes.append(cut_off(report.completion.finish_reason))
        if self._chat is not None and (why := self._chat.why_line(report)):
            notes.append(why)
        line = signature(report.completion, self._chat.consists_of if self._chat is not None else "node")
        self._post(say.Ended(line, tuple(notes)))
        if report.completion.token_ids:  # else there is no turn that it could stand under later
            self._last = say.TurnView("", "", line, tuple(notes))

    def _progress(self, *, last: bool = False) -> None:
        """Tells of new text and of the tree, not too often."""
        now = time.monotonic()
        if self._chat is None or (not last and now - self._posted < self.pace):
            return
        self._posted = now
        text, self._text = self._text, ""
        position = len(self._chat.journal.recording.events)
        self._post(say.Progress(text, self._chat.engine.cache.snapshot(), position))

    def _opened(self) -> None:
        """Tells what a job left behind: another recording, other conversations."""
        chat = self._chat
        if chat is None:
            return
        recording = chat.journal.recording
        if recording is not self._recording:
            self._recording = recording
            pieces = Spelling(recording.pieces, chat.engine.tokenizer.token_bytes)
            self._post(say.Opened(recording, pieces, chat.engine.bytes_per_token, chat.engine.notes))
            self._progress(last=True)
        for news in chat.news():
            self._post(say.Told(news))
        self._changed()

    def _changed(self) -> None:
        chat = self._chat
        assert chat is not None
        self._remember()
        self._post(
            say.Changed(
                say.ChatView(
                    current=chat.current.name,
                    entries=_entries(chat),
                    turns=tuple(self._turn(turn) for turn in chat.current.turns),
                    ids={name: conversation.ids for name, conversation in chat.conversations.items()},
                    about=commands.about_model(chat),
                )
            )
        )

    _last: say.TurnView | None = None

    def _remember(self) -> None:
        """Keeps the signature of the turn that just ended with the turn, whatever conversation it is copied to."""
        assert self._chat is not None
        if self._last is not None and self._chat.current.turns:
            turn = self._chat.current.turns[-1]
            self._facts[id(turn)] = (turn, self._last)
        self._last = None

    def _turn(self, turn: Any) -> say.TurnView:
        _, facts = self._facts.get(id(turn), (None, say.TurnView("", "")))
        return say.TurnView(turn.user, turn.reply.strip(), facts.signature, facts.notes)

    def _complete(self, line: str) -> None:
        if self._chat is not None:
            self._post(say.Completed(line, tuple(commands.complete(self._chat, line))))

    def _foresee(self) -> None:
        if self._chat is None:
            return
        try:
            line = self._wishes.pop()
        except IndexError:  # a newer question was answered already
            return
        try:
            seen = foresee(self._chat, line)
        except UserError as error:  # such as a message longer than the context
            self._post(say.Foreseen(line, error.what))
            return
        if seen is None:
            self._post(say.Foreseen(line, ""))
        else:
            self._post(say.Foreseen(line, seen.text, walked(self._chat.engine.cache.snapshot(), seen.ids)))


def _entries(chat: Chat) -> tuple[tuple[str, str], ...]:
    """Returns all conversations; only the open ones while the store cannot be read: no reason to lose a turn."""
    try:
        return tuple((entry.name, _about(entry)) for entry in chat.book.entries())
    except UserError:
        return tuple((name, "") for name in chat.conversations)


def _about(entry: Entry) -> str:
    return f"{entry.turns} turn{'' if entry.turns == 1 else 's'}  {entry.opening}"


class Spelling(Mapping[int, bytes]):
    """The bytes of tokens: of those recorded so far, and of those that a growing leaf has before they are recorded."""

    def __init__(self, pieces: Pieces, spell: Callable[[int], bytes]) -> None:
        self._pieces = pieces
        self._spell = spell

    def __getitem__(self, token: int) -> bytes:
        piece = self._pieces.get(token)
        return self._spell(token) if piece is None else piece

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._pieces))

    def __len__(self) -> int:
        return len(self._pieces)
