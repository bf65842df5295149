"""What the desk tells the app. All of it is immutable: the app never touches what the desk works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

from ...radix import Snapshot
from ...radix.keys import Int32Array
from ...radix.recording import Recording
from ..errors import UserError

if TYPE_CHECKING:
    from ..compare.contest import Contest


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn as the transcript shows it."""

    user: str
    reply: str
    signature: str = ""  # of a turn of this run; saved ones have none
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatView:
    """The conversations as they are between two jobs."""

    current: str
    entries: tuple[tuple[str, str], ...]  # every conversation, and what a list says of it
    turns: tuple[TurnView, ...]  # of the current one
    ids: Mapping[str, Int32Array]  # tokens of every open conversation
    about: str  # model, device, cache


@dataclass
class Opened(Message):
    """A model is loaded and a recording begins."""

    recording: Recording
    pieces: Mapping[int, bytes]
    bytes_per_token: int
    notes: tuple[str, ...]


@dataclass
class Changed(Message):
    """The conversations, or which one is the current one."""

    view: ChatView


@dataclass
class Busy(Message):
    """A job began, or the last one ended."""

    busy: bool
    what: str = ""


@dataclass
class Began(Message):
    """A turn began."""

    conversation: str
    user: str


@dataclass
class Progress(Message):
    """More of a reply, and the tree at this moment."""

    text: str
    snapshot: Snapshot | None
    position: int  # events recorded so far


@dataclass
class Ended(Message):
    """A turn ended."""

    signature: str
    notes: tuple[str, ...] = ()


@dataclass
class Told(Message):
    """A line of talk."""

    text: str


@dataclass
class Failed(Message):
    """Something the user can mend; the chat goes on."""

    error: UserError


@dataclass
class Acted(Message):
    """Something that the app itself must do."""

    name: str
    argument: str = ""


@dataclass
class Compared(Message):
    """A comparison to be shown; nobody else reads it."""

    contest: Contest


@dataclass
class Completed(Message):
    """How a command that is being typed may go on."""

    line: str
    ways: tuple[str, ...]


@dataclass
class Foreseen(Message):
    """What Enter would do to the cache, for a line that is being typed."""

    line: str
    text: str
    lit: Mapping[int, int] = field(default_factory=dict)  # node id -> tokens of it that would be reused
