"""The transcript: the turns of one conversation, the newest replies as streaming Markdown.

Shows `TurnView`s and pieces of the running reply. Only the newest turns are kept as widgets, so a long chat stays
quick. Knows no chat and no cache. All text passes the sanitiser; nothing in it is taken for markup, and links are
not opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from markdown_it import MarkdownIt
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from ...viz import TextStream, sanitize
from .keys import bindings
from .lines import in_ascii
from .messages import TurnView

KEPT = 30
"""Turns that are kept as widgets; of older ones the transcript says how many there are."""


def _parser() -> MarkdownIt:
    """CommonMark and tables, without HTML: a reply is text, and never a program."""
    return MarkdownIt("gfm-like", {"html": False, "linkify": False}).disable("linkify")


class Turn(Vertical, can_focus=True):
    """One message and its reply."""

    @dataclass
    class Chosen(Message):
        """A turn got the focus; `number` counts from 1."""

        number: int

    def __init__(self, number: int, view: TurnView, *, ascii: bool) -> None:
        super().__init__(classes="turn")
        self.number = number
        self.view = view
        self._ascii = ascii

    def compose(self) -> ComposeResult:
        """The message, the reply, what the cache did."""
        yield Static(Text(self._safe(self.view.user)), classes="turn--user")
        yield Reply(self._safe(self.view.reply.strip()), open_links=False, parser_factory=_parser)
        below = Static(self._below(self.view), classes="turn--signature", expand=True)
        below.display = bool(self.view.signature)  # turns of an earlier run have none
        yield below

    def finish(self, more: str, signature: str, notes: Iterable[str]) -> None:
        """Takes the text that came in pieces, and puts the signature line below it."""
        self.view = TurnView(self.view.user, (self.view.reply + more).strip(), signature, tuple(notes))
        below = self.query_one(".turn--signature", Static)
        below.display = True
        below.update(self._below(self.view))

    def on_focus(self) -> None:
        """Says which turn is chosen."""
        self.post_message(self.Chosen(self.number))

    def _below(self, view: TurnView) -> Text:
        signature = in_ascii(view.signature) if self._ascii else view.signature
        return Text("\n".join([signature, *(self._safe(note) for note in view.notes)]).strip())

    def _safe(self, text: str) -> str:
        return sanitize(text, ascii=self._ascii)


class Reply(Markdown):
    """A reply as Markdown."""


class Transcript(VerticalScroll, can_focus=False):
    """The turns of the current conversation, and talk between them.

    Attributes:
        ascii: Whether everything is shown in ASCII only.
    """

    BINDINGS: ClassVar = bindings("chat")

    def __init__(self, id: str, *, ascii: bool) -> None:
        super().__init__(id=id)
        self.ascii = ascii
        self._conversation = ""
        self._turns: tuple[TurnView, ...] = ()
        self._open_turn: Turn | None = None
        self._stream: MarkdownStream | None = None
        self._text: TextStream | None = None
        self._said = ""  # by the running reply so far
        self._silent = True  # blanks before a reply's first word are not shown

    def compose(self) -> ComposeResult:
        """An invitation, until something is said."""
        with Vertical(id="turns"):  # never lower than the pane, or a short chat would hang at its bottom
            yield Static("", id="earlier")
            yield Static("", id="welcome")

    def on_mount(self) -> None:
        """Stays at the end while it grows, until a person scrolls up."""
        self.anchor()
        self.query_one("#earlier").display = False

    def welcome(self, text: str) -> None:
        """Shows what to do where nothing is said yet."""
        self.query_one("#welcome", Static).update(Text(text))

    @property
    def _column(self) -> Vertical:
        return self.query_one("#turns", Vertical)

    @property
    def turns(self) -> list[Turn]:
        """The turns that have a widget, oldest first."""
        return list(self.query(Turn))

    async def show(self, name: str, turns: tuple[TurnView, ...]) -> None:
        """Shows a conversation; turns that stand there already are left alone."""
        pairs = zip(self._turns, turns, strict=False)
        same = next((at for at, (old, new) in enumerate(pairs) if old != new), min(len(self._turns), len(turns)))
        if self._conversation and name != self._conversation:  # talk belongs to the conversation in which it was heard
            await self.query(Talk).remove()
        first = max(0, len(turns) - KEPT)
        with self.app.batch_update():
            for turn in self.turns:
                if not first < turn.number <= same or turn is self._open_turn:
                    await turn.remove()
            have = {turn.number for turn in self.turns}
            new = [
                Turn(number, view, ascii=self.ascii)
                for number, view in enumerate(turns, start=1)
                if number > first and number not in have
            ]
            await self._column.mount_all(new)
        self._conversation, self._turns, self._open_turn, self._stream = name, turns, None, None
        self.query_one("#welcome").display = not turns
        earlier = self.query_one("#earlier", Static)
        earlier.display = first > 0
        earlier.update(Text(f"{first:,} earlier turns are kept, and not shown here"))

    async def begin(self, user: str) -> None:
        """A turn begins: shows its message, and room for the reply."""
        number = len(self._turns) + 1
        self.query_one("#welcome").display = False
        self._open_turn = Turn(number, TurnView(user, ""), ascii=self.ascii)
        self._open_turn.add_class("-running")
        self._turns = (*self._turns, self._open_turn.view)
        await self._column.mount(self._open_turn)
        self.anchor()

    async def more(self, text: str) -> None:
        """Appends to the running reply; a continued reply goes on where it stopped."""
        if self._open_turn is None and self.turns:
            self._open_turn = self.turns[-1]
        if self._open_turn is None:
            return
        if self._stream is None:
            self._stream = Markdown.get_stream(self._open_turn.query_one(Reply))
            self._text, self._silent = TextStream(ascii=self.ascii), not self._open_turn.view.reply
            self._said = ""
        assert self._text is not None
        self._said += text
        piece = self._text.feed(text.encode("utf-8", "surrogateescape"))
        if self._silent:
            piece = piece.lstrip()
        if piece:
            self._silent = False
            await self._stream.write(piece)

    async def end(self, signature: str, notes: Iterable[str]) -> None:
        """The running reply is whole."""
        if self._stream is not None:
            await self._stream.stop()
        if self._open_turn is not None:
            self._open_turn.remove_class("-running")
            self._open_turn.finish(self._said if self._stream is not None else "", signature, notes)
            self._turns = (*self._turns[:-1], self._open_turn.view)
        self._open_turn, self._stream = None, None

    async def say(self, text: str, kind: str = "info") -> None:
        """Adds lines of talk that belong to no turn; `kind` is info or error."""
        if not self._column.is_attached:
            return  # the app is closing
        line = sanitize(text, ascii=self.ascii)
        last = self._column.children[-1]
        if isinstance(last, Talk) and last.kind == kind:
            last.add(line)
        else:
            await self._column.mount(Talk(line, kind))

    def choose(self, by: int) -> None:
        """Moves the focus to another turn."""
        turns = self.turns
        if not turns:
            return
        at = next((place for place, turn in enumerate(turns) if turn.has_focus), len(turns) if by < 0 else -1)
        turns[max(0, min(len(turns) - 1, at + by))].focus()

    @property
    def chosen(self) -> Turn | None:
        """The turn that has the focus."""
        return next((turn for turn in self.turns if turn.has_focus), None)


class Talk(Static):
    """Lines of talk that belong to no turn."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(Text(text), classes=f"talk -{kind}")
        self.kind = kind
        self._lines = [text]

    def add(self, text: str) -> None:
        """Appends a line."""
        self._lines.append(text)
        self.update(Text("\n".join(self._lines)))
