"""How a lesson's requests become token ids: as plain lines on the words tokenizer, in a model's own chat format else.

Conversations keep ids: the next prompt is everything so far and the new message. Knows no engine and no cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ...radix.keys import Int32Array
from ..conversation import Conversation, Prompt
from ..engine.words import WordsTokenizer
from .schema import Lesson, Request


class Format(Protocol):
    """Writes the requests of one run; conversations go on from step to step."""

    def prompt(self, request: Request) -> Int32Array:
        """Returns the ids of a request's prompt, int32, shape ``[tokens]``; its conversation begins if it is new."""

    def replies(self, request: Request) -> tuple[Int32Array, ...]:
        """Returns the ids of the replies that are given, one a sample, as the model itself would have ended them."""

    def take(self, request: Request, text: str, tokens: Sequence[int], reason: str) -> None:
        """Goes on with a reply to a message: its text as shown, its ids, and why it ended."""


@dataclass(slots=True)
class Lines:
    """Plain lines for a tokenizer without a model: the system prompt, ``User: …``, ``Assistant: …``.

    A prompt ends after the user's line; the line of the assistant, marker and all, is the reply.
    """

    tokenizer: WordsTokenizer
    system: str
    _held: dict[str, list[Int32Array]] = field(default_factory=dict)  # by conversation: ids so far, after each turn

    def prompt(self, request: Request) -> Int32Array:
        """See `Format`."""
        if request.prompt is not None:
            return self.tokenizer.encode(request.prompt)
        return np.concatenate((self._past(request)[-1], self.tokenizer.encode(f"User: {request.user}\n")))

    def replies(self, request: Request) -> tuple[Int32Array, ...]:
        """See `Format`."""
        line = "{}" if request.user is None else "Assistant: {}\n"
        return tuple(self.tokenizer.encode(line.format(text)) for text in request.given)

    def take(self, request: Request, text: str, tokens: Sequence[int], reason: str) -> None:
        """See `Format`."""
        said = np.array(tokens, dtype=np.int32)
        self._held[request.conversation] = [*self._past(request), np.concatenate((self.prompt(request), said))]

    def _past(self, request: Request) -> list[Int32Array]:
        """Returns the ids after no turn and after each turn that the request goes on from; a fork begins here."""
        past = self._held.get(request.conversation)
        if past is None and request.fork:
            past = self._held[request.fork][: None if request.turns is None else request.turns + 1]
        if past is None:
            past = [self.tokenizer.encode(f"{self.system}\n" if self.system else "")]
        return self._held.setdefault(request.conversation, past)


@dataclass(slots=True)
class Template:
    """The chat template of a model."""

    tokenizer: Any  # an HFTokenizer; its module needs transformers
    system: str
    _said: dict[str, Conversation] = field(default_factory=dict)

    def prompt(self, request: Request) -> Int32Array:
        """See `Format`."""
        if request.prompt is not None:
            ids: Int32Array = self.tokenizer.encode(request.prompt)
            return ids
        return self._asked(request).ids

    def replies(self, request: Request) -> tuple[Int32Array, ...]:
        """See `Format`."""
        if request.user is None:
            return tuple(self.tokenizer.encode(text) for text in request.given)
        return tuple(self._ended(request, text) for text in request.given)

    def take(self, request: Request, text: str, tokens: Sequence[int], reason: str) -> None:
        """See `Format`."""
        raw = b"".join(map(self.tokenizer.token_bytes, tokens)).decode("utf-8", errors="replace")
        conversation = self._conversation(request)
        conversation.take(request.user or "", self._asked(request), text, tokens, raw, reason)

    def _conversation(self, request: Request) -> Conversation:
        name = request.conversation
        if name not in self._said:
            forked = self._said[request.fork].fork(name, request.turns) if request.fork else None
            self._said[name] = forked or Conversation(name, self.system)
        return self._said[name]

    def _asked(self, request: Request) -> Prompt:
        return self._conversation(request).prompt(self.tokenizer, request.user or "")

    def _ended(self, request: Request, reply: str) -> Int32Array:
        """Returns what the template writes for a reply, up to the token that ends it."""
        asked = self._asked(request)
        before = "".join(segment.text for segment in asked.segments)
        messages = [message._asdict() for message in self._conversation(request).messages()]
        messages += [{"role": "user", "content": request.user or ""}, {"role": "assistant", "content": reply}]
        whole = self.tokenizer.render(messages, add_generation_prompt=False)
        written = whole[len(before) :] if whole.startswith(before) else reply
        ids = self.tokenizer.encode(written)
        ends = np.flatnonzero(np.isin(ids, list(self.tokenizer.eos_ids)))
        if ends.size:
            return ids[: int(ends[-1]) + 1]
        end = min(self.tokenizer.eos_ids, default=None)
        return ids if end is None or whole.startswith(before) else np.append(ids, np.int32(end))


def size_in(tokenizer: Any, lesson: Lesson) -> int:
    """Returns how many tokens a tokenizer makes of all that a lesson says; how a capacity is carried over."""
    requests = [request for step in lesson.steps for request in step.requests]
    texts = [text for one in requests for text in (one.user or one.prompt or "", *one.given)]
    return sum(int(tokenizer.encode(text).size) for text in [lesson.system, *texts] if text)
