"""Cost before Enter: what a line that is being typed would do to the cache. Changes nothing.

Knows the commands that send something (/edit, /regen, /fork …) and asks the cache the same question that the request
would; `Preview` is held against the facts of the request that follows by a test.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..radix import Peek, Snapshot
from ..radix.keys import Int32Array, as_key, common_prefix
from .chat import Chat
from .commands import preview_line
from .conversation import Conversation, Prompt

LONGEST = 100_000
"""Characters up to which a message is tokenised while it is typed."""


class Foresight(NamedTuple):
    """What Enter would do."""

    text: str  # one line
    ids: Int32Array  # tokens that the request, or the fork, would begin with


def foresee(chat: Chat, line: str) -> Foresight | None:
    """Returns what Enter would do with a line; None when it asks the cache for nothing."""
    if len(line) > LONGEST:
        return Foresight(f"{len(line):,} characters: too many to count while you type", np.empty(0, np.int32))
    if not line.startswith("/") or line.startswith("//"):
        message = line.removeprefix("/").strip()
        return _of_message(chat, chat.current, message) if message else None
    name, _, argument = line[1:].partition(" ")
    turns = chat.current.turns
    match name:
        case "preview":
            return _of_message(chat, chat.current, argument) if argument.strip() else None
        case "regen" if turns:
            return _of_message(chat, _until(chat.current, len(turns) - 1), turns[-1].user)
        case "edit" if turns:
            first, _, rest = argument.partition(" ")
            number, text = (int(first), rest.strip()) if first.isdigit() else (len(turns), argument.strip())
            if text and 1 <= number <= len(turns):
                return _of_message(chat, _until(chat.current, number - 1), text)
        case "fork" if turns:
            last = argument.split()[-1] if argument else ""
            return _of_fork(chat, min(int(last), len(turns)) if last.isdigit() else len(turns))
        case "continue" if turns:
            return _of_ids(chat, chat.current.ids)
    return None


def walked(snapshot: Snapshot, ids: Int32Array, namespace: str = "") -> dict[int, int]:
    """Returns the nodes that a prompt's prefix lies on, from the top down, and how many tokens of each it covers."""
    key, at, found = as_key(ids), 0, {}
    node = next((root.node for root in snapshot.roots if root.namespace == namespace), None)
    while node is not None:
        below = None
        for child in node.children:
            same = common_prefix(child.key, key, at)
            if same and same // snapshot.page_size:
                found[child.id] = same - same % snapshot.page_size
                at += same
                below = child if same == child.size else None
                break
        node = below
    return found


def _of_message(chat: Chat, conversation: Conversation, user: str) -> Foresight:
    prompt = conversation.prompt(chat.engine.tokenizer, user)
    preview = chat.preview_of(prompt)
    return Foresight(preview_line(preview) + _room_for_reply(chat, preview.peek), prompt.ids)


def _of_ids(chat: Chat, ids: Int32Array) -> Foresight:
    preview = chat.preview_of(Prompt(ids, (), None))
    return Foresight(preview_line(preview) + _room_for_reply(chat, preview.peek), ids)


def _room_for_reply(chat: Chat, peek: Peek) -> str:
    """Says how long a reply may become, where it may become longer than there is room."""
    free = chat.engine.cache.snapshot().free + sum(gone.tokens for gone in peek.evicts) - peek.room
    most, wanted = peek.available - peek.room, chat.params.max_tokens
    if not peek.fits or free >= wanted:
        return ""
    ends = f", and ends at {most:,}" if most < wanted else ""
    return f" · a reply over {free:,} tok evicts{ends}" if free < most else f" · the reply ends at {most:,} tok"


def _of_fork(chat: Chat, turns: int) -> Foresight:
    ids = _until(chat.current, turns).ids
    matched = chat.engine.cache.peek(ids).matched
    return Foresight(
        f"a fork after turn {turns} shares {matched:,} cached tokens of {ids.size:,}; it costs nothing", ids
    )


def _until(conversation: Conversation, turns: int) -> Conversation:
    return conversation.fork(conversation.name, turns)
