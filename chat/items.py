"""What a chat hands to its front ends, item by item: pieces of a reply, reports, trees, lines of talk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..radix import Peek, Snapshot
from ..radix.why import Why
from .conversation import Divergence
from .engine import Completion

if TYPE_CHECKING:
    from .compare.contest import Contest


class Asked(NamedTuple):
    """The beginning of a turn."""

    conversation: str
    user: str  # the message


class Delta(NamedTuple):
    """A piece of a reply, as it comes; not sanitised."""

    text: str


class Report(NamedTuple):
    """The end of a turn."""

    conversation: str
    completion: Completion
    snapshot: Snapshot  # the tree after it
    divergence: Divergence | None  # where the template rewrote history
    why: Why | None = None  # why no more of the prompt was reused


class Tree(NamedTuple):
    """The tree to be shown; `changed` only, or all of it."""

    snapshot: Snapshot
    changed: bool
    also: tuple[int, ...] = ()  # ids of nodes to show although nothing happened to them: the tails of splits


class Copied(NamedTuple):
    """Text for the clipboard."""

    text: str


class Act(NamedTuple):
    """Something that only the app can do; the plain chat says so."""

    name: str
    argument: str


class Compared(NamedTuple):
    """A comparison of caches to be shown; nobody else reads it."""

    contest: Contest


Item = str | Asked | Delta | Report | Tree | Copied | Act | Compared
"""What a front end shows; a plain string is a line of talk."""


class Preview(NamedTuple):
    """What a message would cost, asked without changing anything."""

    peek: Peek
    divergence: Divergence | None
    prompt: int  # tokens
    of: str = "node"  # what the cache consists of: nodes or blocks
