"""The chat behind every front end: conversations over one engine, and what each turn did to the cache.

A front end sends text or runs a command (`chat.commands`) and shows the items that come back. Knows no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ..radix import Peek, Snapshot
from ..radix.keys import Int32Array
from ..radix.recording import Pieces
from .conversation import Conversation, Divergence, Prompt, Turn
from .engine import Completion, Engine
from .errors import TooLong, UsageError
from .journal import Journal


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


Item = str | Asked | Delta | Report | Tree | Copied | Act
"""What a front end shows; a plain string is a line of talk."""


class Preview(NamedTuple):
    """What a message would cost, asked without changing anything."""

    peek: Peek
    divergence: Divergence | None
    prompt: int  # tokens


@dataclass(slots=True)
class Totals:
    """Counts over all turns."""

    turns: int = 0
    prompt: int = 0
    reused: int = 0
    generated: int = 0
    evicted: int = 0

    def add(self, done: Completion) -> None:
        """Counts a turn."""
        self.turns += 1
        self.prompt += done.prompt_tokens
        self.reused += done.reused_tokens
        self.generated += done.generated_tokens
        self.evicted += done.evicted_tokens


class Chat:
    """Conversations over one engine.

    Args:
        load: Loads an engine by model name; None is the model of the start.
        system: System prompt of new conversations; None takes the model's default.
        params: How to sample; None takes the model's defaults.
        record: File to record to; None chooses one.
        keep: False records in memory only.
        thinking: Given to templates that know thinking.
        app: Whether the app shows it, which can do more than the plain chat (`Act`).

    Attributes:
        engine: Serves all conversations.
        journal: Records it.
        conversations: By name; `current` is one of them.
        params: How to sample.
        totals: Counts over all turns.
    """

    def __init__(
        self,
        load: Callable[[str | None], Engine],
        *,
        system: str = "",
        params: dict[str, object] | None = None,
        record: Path | None = None,
        keep: bool = True,
        thinking: bool | None = None,
        app: bool = False,
    ) -> None:
        self.app = app
        self._load = load
        self._given = dict(params or {})
        self._keep = keep
        self._system = system
        self._thinking = thinking
        self.engine = load(None)
        self.params = replace(self.engine.defaults, **self._given)  # type: ignore[arg-type]
        self.journal = Journal(self.engine, record, keep=keep)
        self.totals = Totals()
        self.conversations: dict[str, Conversation] = {}
        self.current = self.new()
        self.last: Report | None = None

    @property
    def pieces(self) -> Pieces:
        """Bytes of every token in the tree."""
        return self.journal.recording.pieces

    def snapshot(self) -> Snapshot:
        """Returns the tree as recorded."""
        self.journal.recorder.flush()
        return self.journal.recorder.snapshot()

    def close(self) -> None:
        """Ends the recording."""
        self.journal.close()

    # -- conversations ---------------------------------------------------------------------------------------------

    def new(self, name: str = "") -> Conversation:
        """Opens a conversation and makes it the current one."""
        conversation = Conversation(self.free_name(name or "main"), self._system, thinking=self._thinking)
        return self._open(conversation)

    def fork(self, name: str = "", turns: int | None = None) -> Conversation:
        """Copies the current conversation (its first `turns` turns) and switches to the copy."""
        return self._open(self.current.fork(self.free_name(name or self.current.name), turns))

    def _open(self, conversation: Conversation) -> Conversation:
        self.conversations[conversation.name] = conversation
        self.current = conversation
        return conversation

    def free_name(self, wish: str) -> str:
        """Returns the name, with a number behind it if it is taken."""
        name, number = wish, 1
        while name in self.conversations:
            number += 1
            name = f"{wish}-{number}"
        return name

    def named(self, name: str) -> Conversation:
        """Returns a conversation by name. Raises UsageError when there is none."""
        if name not in self.conversations:
            raise UsageError(f"there is no conversation {name!r}", f"There are: {', '.join(self.conversations)}.")
        return self.conversations[name]

    def delete(self, name: str) -> None:
        """Forgets a conversation; its tokens stay in the cache until they are evicted."""
        self.named(name)
        if len(self.conversations) == 1:
            raise UsageError(f"{name!r} is the only conversation", "Open another with /new first.")
        del self.conversations[name]
        if self.current.name == name:
            self.current = list(self.conversations.values())[-1]

    def rename(self, name: str) -> None:
        """Gives the current conversation another name."""
        if name in self.conversations:
            raise UsageError(f"there is a conversation {name!r} already", "Choose another name.")
        del self.conversations[self.current.name]
        self.current.name = name
        self.conversations[name] = self.current

    # -- turns -----------------------------------------------------------------------------------------------------

    def prompt(self, user: str) -> Prompt:
        """Returns what would be sent for a message."""
        return self.current.prompt(self.engine.tokenizer, user)

    def preview(self, user: str) -> Preview:
        """Says what a message would reuse, prefill, split and evict; changes nothing."""
        prompt = self.prompt(user)
        return Preview(self.engine.cache.peek(prompt.ids), prompt.divergence, int(prompt.ids.size))

    def send(self, user: str) -> Iterator[Item]:
        """Asks the current conversation; yields pieces of the reply, then its report."""
        conversation, prompt = self.current, self.prompt(user)
        yield Asked(conversation.name, user)
        for item in self._offering(user, self._reply(conversation, prompt.ids, prompt.divergence)):
            if isinstance(item, Report):
                done = item.completion
                if not done.token_ids:
                    yield "Nothing was generated: the message is not part of the conversation."
                else:
                    raw = self._raw(done.token_ids)
                    conversation.take(user, prompt, done.text, done.token_ids, raw, done.finish_reason)
            yield item

    def regenerate(self) -> Iterator[Item]:
        """Replies to the last message again; the old reply stays in the cache as a branch."""
        last = self._last_turn()
        self.current.cut(len(self.current.turns) - 1)
        return self.send(last.user)

    def go_on(self) -> Iterator[Item]:
        """Continues a reply that was stopped or cut off."""
        conversation, last = self.current, self._last_turn()
        if last.finish_reason == "stop":
            raise UsageError("the last reply is complete", "Ask for more, or change it with /regen or /edit.")
        for item in self._reply(conversation, conversation.ids, None, first=False):
            if isinstance(item, Report) and item.completion.token_ids:
                done = item.completion
                conversation.lengthen(done.text, done.token_ids, self._raw(done.token_ids), done.finish_reason)
            yield item

    def edit(self, number: int, user: str) -> Iterator[Item]:
        """Asks message `number` (1 is the first) anew, in other words; later turns go."""
        self.turn(number)
        self.current.cut(number - 1)
        return self.send(user)

    def turn(self, number: int) -> str:
        """Returns user message `number`. Raises UsageError when there is none."""
        turns = self.current.turns
        if not 1 <= number <= len(turns):
            raise UsageError(f"there is no turn {number}", f"{self.current.name} has {len(turns)} turns.")
        return turns[number - 1].user

    def stop(self) -> None:
        """Stops the running reply before its next token; safe in a signal handler."""
        self.engine.stop()

    def _last_turn(self) -> Turn:
        if not self.current.turns:
            raise UsageError(f"{self.current.name} has no turn yet", "Type a message first.")
        return self.current.turns[-1]

    def _offering(self, user: str, items: Iterator[Item]) -> Iterator[Item]:
        """Passes items on; a message that is too long comes back with ways out."""
        try:
            yield from items
        except TooLong as error:
            error.offers = tuple(self._ways_out(user))
            raise

    def _reply(
        self, conversation: Conversation, ids: Int32Array, divergence: Divergence | None, first: bool = True
    ) -> Iterator[Item]:
        silent = first  # blanks before the first word are not shown
        for chunk in self.engine.stream(ids, self.params, conversation=conversation.name):
            text = chunk.text.lstrip() if silent else chunk.text
            if text:
                silent = False
                yield Delta(text)
            if chunk.completion is not None:
                self.totals.add(chunk.completion)
                self._time(chunk.completion)
                self.last = Report(conversation.name, chunk.completion, self.snapshot(), divergence)
                yield self.last

    def _time(self, done: Completion) -> None:
        if done.ttft_ms is not None:
            self.journal.recorder.time(ttft_ms=done.ttft_ms, decode_tokens_per_s=done.decode_tokens_per_s)

    def _raw(self, tokens: tuple[int, ...]) -> str:
        return b"".join(map(self.engine.tokenizer.token_bytes, tokens)).decode("utf-8", errors="replace")

    # -- when a conversation outgrows its room ---------------------------------------------------------------------

    def _ways_out(self, user: str) -> Iterator[str]:
        """Says what to do about a message that is too long for the context or the capacity, and what it costs."""
        tokenizer, cache = self.engine.tokenizer, self.engine.cache
        limit = min(self.engine.max_context - 1, cache.capacity)
        turns = len(self.current.turns)
        ways = (
            [("/new", self._forked(0))],
            [(f"/fork {kept}", self._forked(kept)) for kept in range(turns - 1, 0, -1)],
            [(f"/drop {gone}", self._dropped(gone)) for gone in range(1, turns)],
        )
        for choices in ways:  # of each way, the one that loses least
            for command, conversation in choices:
                ids = conversation.prompt(tokenizer, user).ids
                if ids.size <= limit:
                    reused = cache.peek(ids).reused
                    yield f"{command}, then it again: would reuse {reused} of {ids.size}, prefill {ids.size - reused}"
                    break

    def _forked(self, turns: int) -> Conversation:
        return self.current.fork("", turns)

    def _dropped(self, turns: int) -> Conversation:
        copy = self.current.fork("")
        copy.drop_oldest(turns)
        return copy

    # -- the engine ------------------------------------------------------------------------------------------------

    def set(self, name: str, value: str) -> None:
        """Changes one sampling parameter. Raises UsageError for unknown names and impossible values."""
        kinds: dict[str, Callable[[str], object]] = {
            "temperature": float, "top_p": float, "top_k": int, "min_p": float, "max_tokens": int,
            "seed": lambda text: None if text == "none" else int(text), "stop": lambda text: (text,) if text else (),
        }  # fmt: skip
        if name not in kinds:
            raise UsageError(f"there is no setting {name!r}", f"Settings: {', '.join(kinds)}.")
        try:
            parsed = kinds[name](value)
        except ValueError:
            raise UsageError(f"{name} = {value!r} is no number", f"Write it like `/set {name} 1`.") from None
        self.params = replace(self.params, **{name: parsed})  # type: ignore[arg-type]

    def switch_model(self, model: str) -> None:
        """Loads another model; conversations keep their text, and are tokenised anew on their next turn.

        Raises:
            ModelError: it cannot be loaded; the old one stays.
        """
        engine = self._load(model)
        self.journal.close()
        self.engine = engine
        self.params = replace(engine.defaults, **self._given)  # type: ignore[arg-type]
        self.journal = Journal(engine, keep=self._keep)
        self.last = None
        for conversation in self.conversations.values():
            conversation.held = ()

    def prove(self) -> Iterator[str]:
        """Runs the last turn again without the cache; says both times, and whether the greedy text is equal."""
        from .prove import prove

        if self.last is None or self.last.completion.ttft_ms is None:
            raise UsageError("there is no turn of a model to prove yet", "Type a message first.")
        yield from prove(self.engine, self.last.completion)
