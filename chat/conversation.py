"""Conversations: what was said, and the exact token ids that the model saw for it.

The ids are kept, never made again from text: the next prompt is the ids so far plus the tokens of what the chat
template adds (the delta rule). Where a template rewrites history, the template wins: everything from the first
difference on is tokenised again, and the difference is reported with its text on both sides.
Knows a tokenizer and templates; no engine, no cache, no front end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np

from ..radix.keys import Int32Array

EXCERPT = 24
"""Characters of text shown on each side of a divergence."""


class Message(NamedTuple):
    """One message, as templates take it."""

    role: str  # system, user or assistant
    content: str


class ChatTokenizer(Protocol):
    """What a conversation needs of a tokenizer."""

    def encode(self, text: str) -> Int32Array:
        """Returns the token ids of a text that `render` made, or of its end."""

    def token_bytes(self, token: int) -> bytes:
        """Returns the bytes of a token."""

    def render(self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool, thinking: bool | None) -> str:
        """Returns what the chat template makes of messages."""


class Segment(NamedTuple):
    """Text and ids that belong together: what a template added, or one reply."""

    text: str
    ids: Int32Array


class Divergence(NamedTuple):
    """Where a template's history leaves the tokens that the model saw."""

    at: int  # tokens that are still right
    lost: int  # tokens of the history that must be computed again, or are gone
    held: str  # text that the model saw from there on, cut short
    template: str  # text that the template wants there, cut short
    until: int  # tokens of the prompt before the new message


class Prompt(NamedTuple):
    """A prompt for the next request."""

    ids: Int32Array  # int32, shape [tokens]
    segments: tuple[Segment, ...]  # the same, as the conversation keeps it
    divergence: Divergence | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One user message and its reply."""

    user: str
    reply: str  # as shown: no end-of-sequence token
    finish_reason: str
    before: tuple[Segment, ...]  # what was held before the turn
    prompt: tuple[Segment, ...]  # what the request was given
    row: tuple[bytes, bytes] | None = field(default=None, compare=False)  # in a store: (the turn before, this one)


@dataclass(slots=True, eq=False)
class Conversation:
    """A named chat. All operations but `take` and the cuts leave it unchanged.

    Attributes:
        name: Unique among the open conversations.
        system: The system prompt, or "" for none.
        turns: Finished turns, oldest first.
        held: The tokens the model saw, in segments.
        thinking: Given to templates that know thinking; None leaves their default.
        sampling: What was set for it, by name of the parameter.
    """

    name: str
    system: str = ""
    turns: list[Turn] = field(default_factory=list)
    held: tuple[Segment, ...] = ()
    thinking: bool | None = None
    sampling: dict[str, object] = field(default_factory=dict)
    row: tuple[int, bytes | None] | None = field(default=None, compare=False)  # in a store: (number, last message)

    @property
    def ids(self) -> Int32Array:
        """Every token so far, int32."""
        return _joined(self.held)

    def messages(self) -> list[Message]:
        """What was said so far, the system prompt first."""
        messages = [Message("system", self.system)] if self.system else []
        for turn in self.turns:
            messages += [Message("user", turn.user), Message("assistant", turn.reply)]
        return messages

    def prompt(self, tokenizer: ChatTokenizer, user: str) -> Prompt:
        """Returns the prompt that asks `user` next, by the delta rule; changes nothing."""
        messages = [message._asdict() for message in [*self.messages(), Message("user", user)]]
        text = tokenizer.render(messages, add_generation_prompt=True, thinking=self.thinking)
        held = "".join(segment.text for segment in self.held)
        if text.startswith(held):
            added = text[len(held) :]
            segments = (*self.held, Segment(added, tokenizer.encode(added)))
            return Prompt(_joined(segments), segments, None)
        return self._diverged(tokenizer, text, held, user)

    def _diverged(self, tokenizer: ChatTokenizer, text: str, held: str, user: str) -> Prompt:
        """The template wins: keeps the tokens before the first difference and tokenises the rest again."""
        kept = _up_to(tokenizer, self.held, _common(text, held))
        size = sum(len(segment.text) for segment in kept)
        rest = text[size:]
        segments = (*kept, Segment(rest, tokenizer.encode(rest)))
        at = _joined(kept).size
        until = at + _tokens_before(tokenizer, segments[-1], rest.rfind(user.strip()))
        divergence = Divergence(at, int(self.ids.size - at), held[size : size + EXCERPT], rest[:EXCERPT], until)
        return Prompt(_joined(segments), segments, divergence)

    def take(self, user: str, prompt: Prompt, reply: str, reply_ids: Sequence[int], raw: str, reason: str) -> None:
        """Adds a finished (or stopped) turn.

        Args:
            user: The message.
            prompt: What the request was given.
            reply: The reply as shown.
            reply_ids: Every sampled token, the end-of-sequence token included.
            raw: The text of all of these.
            reason: Why it ended.
        """
        said = Segment(raw, np.array(reply_ids, dtype=np.int32))
        self.turns.append(Turn(user, reply, reason, self.held, prompt.segments))
        self.held = (*prompt.segments, said)

    def retake(self, tokenizer: ChatTokenizer) -> None:
        """Makes the tokens of all that was said anew, where none are held: so the last reply can go on."""
        if self.held or not self.turns:
            return
        last = self.turns[-1]
        asked = Conversation(self.name, self.system, self.turns[:-1], (), self.thinking).prompt(tokenizer, last.user)
        self.held = (*asked.segments, Segment(last.reply, tokenizer.encode(last.reply)))
        self.turns[-1] = replace(last, prompt=asked.segments, row=None)

    def lengthen(self, reply: str, reply_ids: Sequence[int], raw: str, reason: str) -> None:
        """Adds the continuation of the last reply."""
        last, said = self.turns[-1], self.held[-1]
        longer = Segment(said.text + raw, np.append(said.ids, np.array(reply_ids, dtype=np.int32)))
        self.held = (*self.held[:-1], longer)
        self.turns[-1] = Turn(last.user, last.reply + reply, reason, last.before, last.prompt)

    def forget_tokens(self) -> None:
        """Keeps the text only: another tokenizer makes the tokens of the next prompt."""
        self.held = ()
        self.turns = [replace(turn, before=(), prompt=()) for turn in self.turns]

    def cut(self, turns: int) -> list[Turn]:
        """Keeps the first `turns` turns and returns the others."""
        gone = self.turns[turns:]
        if gone:
            self.held = gone[0].before
            del self.turns[turns:]
        return gone

    def drop_oldest(self, turns: int) -> None:
        """Forgets the first turns: the next prompt diverges right after the system prompt."""
        del self.turns[:turns]

    def fork(self, name: str, turns: int | None = None) -> Conversation:
        """Returns a copy under another name, with the first `turns` turns (all, by default)."""
        copy = Conversation(name, self.system, list(self.turns), self.held, self.thinking, dict(self.sampling))
        copy.cut(len(self.turns) if turns is None else turns)
        return copy


def _common(left: str, right: str) -> int:
    """Returns how many characters two texts begin with in common."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (ours, theirs) in pairs if ours != theirs), min(len(left), len(right)))


def _joined(segments: Sequence[Segment]) -> Int32Array:
    parts = [segment.ids for segment in segments]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)


def _up_to(tokenizer: ChatTokenizer, segments: Sequence[Segment], size: int) -> tuple[Segment, ...]:
    """Returns the segments up to `size` characters, the last one cut between two tokens."""
    kept: list[Segment] = []
    for segment in segments:
        if len(segment.text) > size:
            cut = _cut(tokenizer, segment, size)
            return (*kept, cut) if cut.ids.size else tuple(kept)
        kept.append(segment)
        size -= len(segment.text)
    return tuple(kept)


def _tokens_before(tokenizer: ChatTokenizer, segment: Segment, place: int) -> int:
    """Returns how many tokens of a segment end before a place of its text; all, where the place is -1."""
    ends = accumulate(len(tokenizer.token_bytes(token)) for token in segment.ids.tolist())
    size = len(segment.text[:place].encode())
    return segment.ids.size if place < 0 else sum(end <= size for end in ends)


def _cut(tokenizer: ChatTokenizer, segment: Segment, size: int) -> Segment:
    """Returns as many whole tokens of a segment as fit `size` characters of its text."""
    text, spelled, best = segment.text, b"", Segment("", segment.ids[:0])
    for place, token in enumerate(segment.ids.tolist(), start=1):
        spelled += tokenizer.token_bytes(token)
        so_far = spelled.decode("utf-8", errors="ignore")
        if len(so_far) > size or not text.startswith(so_far):
            break
        if so_far.encode() == spelled:  # no character is cut in two
            best = Segment(so_far, segment.ids[:place])
    return best
