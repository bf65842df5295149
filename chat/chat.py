"""The chat behind every front end: conversations over one engine, and what each turn did to the cache.

A front end sends text or runs a command (`chat.commands`) and shows the items that come back. Knows no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from ..radix import Snapshot
from ..radix.keys import Int32Array
from ..radix.recording import Pieces
from .book import Book, proper_name
from .conversation import Conversation, Divergence, Prompt, Turn
from .engine import Completion, Engine, SamplingParams
from .errors import TooLong, UsageError, UserError
from .items import Act, Asked, Copied, Delta, Item, Preview, Report, Tree
from .journal import Journal
from .store import Store
from .why import Explained


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


SETTINGS: dict[str, Callable[[str], object]] = {
    "temperature": float, "top_p": float, "top_k": int, "min_p": float, "max_tokens": int,
    "seed": lambda text: None if text == "none" else int(text), "stop": lambda text: (text,) if text else (),
}  # fmt: skip
"""What can be set for a conversation, and how its text is read."""

_PROBE = "".join(map(chr, range(32, 127))) + "\n User: What is a radix tree?\tÜber 12345 größere Bäume: 什么是基数树 🌱"


def tokens_of(engine: Engine) -> str:
    """Returns whose token ids an engine's are: the tokenizer's name, and a digest of how it splits a text.

    Two folders may have the same name; ids of another tokenizer would be another text.
    """
    ids = engine.tokenizer.encode(_PROBE)
    return f"{engine.tokenizer.name} {blake2b(ids.tobytes(), digest_size=6).hexdigest()}"


class Chat:
    """Conversations over one engine.

    Everything is called from the thread that made it, but for `stop`.

    Args:
        load: Loads an engine by model name; None is the model of the start.
        system: System prompt of new conversations; "" takes the model's default.
        params: How to sample, asked for just now: it beats what a saved conversation has. None takes the defaults.
        defaults: How to sample when neither was asked for; beats the model's own defaults.
        record: File to record to; None chooses one.
        keep: False records in memory only.
        thinking: Given to templates that know thinking, by new conversations.
        app: Whether the app shows it, which can do more than the plain chat (`Act`).
        store: Where conversations are saved; None keeps them in memory. It is closed with the chat.
        conversation: Name of the conversation to begin in, saved or new; None is a new one.
        latest: Whether to begin in the one that was used last.
        why: Whether a line under a turn says why its prompt was not reused, where that is worth a word.

    Attributes:
        engine: Serves all conversations.
        journal: Records it; another one after `take_over` (another model, another page size).
        book: The conversations; `current` is one of them.
        totals: Counts over all turns.
        last: The report of the last turn, until the engine changes.
        explained: Why prompts were not reused, since the recording began.
        tells_why: Whether a line under a turn says so.
    """

    def __init__(
        self,
        load: Callable[[str | None], Engine],
        *,
        system: str = "",
        params: dict[str, object] | None = None,
        defaults: dict[str, object] | None = None,
        record: Path | None = None,
        keep: bool = True,
        thinking: bool | None = None,
        app: bool = False,
        store: Store | None = None,
        conversation: str | None = None,
        latest: bool = False,
        why: bool = True,
    ) -> None:
        self.app = app
        self.tells_why = why
        self._load = load
        self._given = dict(params or {})
        self._defaults = dict(defaults or {})
        self._keep = keep
        self._system = system
        self._thinking = thinking
        SamplingParams(**{**self._defaults, **self._given})  # type: ignore[arg-type]  # raises for what is impossible
        if conversation is not None:
            conversation = proper_name(conversation)
        self.engine = load(None)
        self.totals = Totals()
        self.last: Report | None = None
        self.book = Book(store or Store(), tokens_of(self.engine))
        self._begin(conversation, latest)
        self.journal = Journal(self.engine, record, keep=keep)
        self.explained = Explained(self.journal.recording)

    def _begin(self, name: str | None, latest: bool) -> None:
        if latest:
            name = self.book.latest()
            if name is None:
                self.book.news.append("there is no saved conversation yet: this is a new one")
        if name is None or not self.book.has(name):
            self.new(name or "")
        else:
            self.switch(name)

    @property
    def pieces(self) -> Pieces:
        """Bytes of every token in the tree."""
        return self.journal.recording.pieces

    def snapshot(self) -> Snapshot:
        """Returns the tree as recorded."""
        self.journal.recorder.flush()
        return self.journal.recorder.snapshot()

    def close(self) -> None:
        """Ends the recording, and closes the store."""
        self.journal.close()
        self.book.close()

    @property
    def params(self) -> SamplingParams:
        """How to sample in the current conversation."""
        return self._sampled(self.current.sampling)

    def _sampled(self, sampling: dict[str, object]) -> SamplingParams:
        """The model's defaults under the configured ones, those of the start, and what was set in a conversation."""
        asked = {**self._defaults, **self._given, **{name: sampling[name] for name in SETTINGS if name in sampling}}
        asked = {name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()}
        return replace(self.engine.defaults, **asked)  # type: ignore[arg-type]

    # -- conversations ---------------------------------------------------------------------------------------------

    @property
    def conversations(self) -> dict[str, Conversation]:
        """The open conversations, by name."""
        return self.book.open

    @property
    def current(self) -> Conversation:
        """The conversation that the next message goes to."""
        return self.book.current

    @current.setter
    def current(self, conversation: Conversation) -> None:
        self.book.current = conversation

    def news(self) -> list[str]:
        """Returns what the person should know (lines), and forgets it: about opening, saving, other programs."""
        news, self.book.news = self.book.news, []
        return news

    def names(self) -> list[str]:
        """Returns the names of all conversations: the open ones, then the saved ones, the last used first."""
        return self.book.names()

    def new(self, name: str = "") -> Conversation:
        """Opens a conversation and goes there; what was `set` in the current one holds there, too."""
        name = self.book.free_name(name or "main")
        sampling = dict(self.current.sampling)
        return self.book.add(Conversation(name, self._system, thinking=self._thinking, sampling=sampling))

    def switch(self, name: str) -> Conversation:
        """Goes to a conversation, open or saved. Raises UsageError when there is none."""
        known = name in self.conversations
        conversation = self.book.switch(name)
        if not known:  # what was asked for in this run beats what was set in another
            conversation.thinking = self._thinking if conversation.thinking is None else conversation.thinking
            conversation.sampling = {k: v for k, v in conversation.sampling.items() if k not in self._given}
        return conversation

    def fork(self, name: str = "", turns: int | None = None) -> Conversation:
        """Copies the current conversation (its first `turns` turns) and switches to the copy."""
        conversation = self.current.fork(self.book.free_name(name or self.current.name), turns)
        self.book.add(conversation)
        self.book.save()
        return conversation

    def delete(self, name: str) -> None:
        """Forgets a conversation for good; its tokens stay in the cache until they are evicted."""
        only = list(self.conversations) == [name] and not self.current.turns and self.current.row is None
        if only:
            raise UsageError(f"{name!r} is empty: there is nothing to delete", "Name another one; /list shows all.")
        self.book.delete(name)
        if not self.conversations:
            self.new()

    def rename(self, name: str) -> None:
        """Gives the current conversation another name. Raises UsageError when that is taken."""
        self.book.rename(name)

    def undo(self, turns: int) -> list[Turn]:
        """Takes back the last turns of the current conversation and returns them."""
        gone = self.current.cut(len(self.current.turns) - turns)
        self.book.save()
        return gone

    def drop(self, turns: int) -> None:
        """Forgets the oldest turns of the current conversation."""
        self.current.drop_oldest(turns)
        self.book.save()

    def why_line(self, report: Report) -> str:
        """Returns the line under a turn that says why its prompt was not reused; "" where it needs none."""
        return self.explained.line(report.why) if self.tells_why and report.why is not None else ""

    def set_system(self, text: str) -> None:
        """Changes the system prompt of the current conversation."""
        self.current.system = text
        self.book.save()

    # -- turns -----------------------------------------------------------------------------------------------------

    def prompt(self, user: str) -> Prompt:
        """Returns what would be sent for a message."""
        return self.current.prompt(self.engine.tokenizer, user)

    def preview(self, user: str) -> Preview:
        """Says what a message would reuse, prefill, split and evict; changes nothing."""
        return self.preview_of(self.prompt(user))

    def preview_of(self, prompt: Prompt) -> Preview:
        """Says the same of a prompt."""
        peek = self.engine.cache.peek(prompt.ids)
        return Preview(peek, prompt.divergence, int(prompt.ids.size), self.consists_of)

    @property
    def consists_of(self) -> str:
        """What the cache consists of, for sentences: node or block."""
        return "block" if self.engine.cache.config.preset else "node"

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
                    self.book.save()
            yield item
        yield from self.news()

    def regenerate(self) -> Iterator[Item]:
        """Replies to the last message again; the old reply stays in the cache as a branch."""
        last = self._last_turn()
        return self._instead(len(self.current.turns) - 1, last.user)

    def _instead(self, kept: int, user: str) -> Iterator[Item]:
        """Asks a message in the place of later turns; they come back when there is no reply."""
        conversation = self.current
        held = conversation.held
        gone = conversation.cut(kept)
        try:
            yield from self.send(user)
        finally:
            if len(conversation.turns) == kept:
                conversation.turns += gone
                conversation.held = held

    def go_on(self) -> Iterator[Item]:
        """Continues a reply that was stopped or cut off."""
        conversation, last = self.current, self._last_turn()
        if last.finish_reason == "stop":
            raise UsageError("the last reply is complete", "Ask for more, or change it with /regen or /edit.")
        conversation.retake(self.engine.tokenizer)  # under another model
        for item in self._reply(conversation, conversation.ids, None, first=False):
            if isinstance(item, Report) and item.completion.token_ids:
                done = item.completion
                conversation.lengthen(done.text, done.token_ids, self._raw(done.token_ids), done.finish_reason)
                self.book.save()
            yield item
        yield from self.news()

    def edit(self, number: int, user: str) -> Iterator[Item]:
        """Asks message `number` (1 is the first) anew, in other words; later turns go."""
        self.turn(number)
        return self._instead(number - 1, user)

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
        rewritten = (divergence.at, divergence.until) if divergence is not None else ()
        for chunk in self.engine.stream(ids, self.params, conversation=conversation.name, rewritten=rewritten):
            text = chunk.text.lstrip() if silent else chunk.text
            if text:
                silent = False
                yield Delta(text)
            if chunk.completion is not None:
                self.totals.add(chunk.completion)
                self._time(chunk.completion)
                snapshot = self.snapshot()
                why = self.explained.last()
                self.last = Report(conversation.name, chunk.completion, snapshot, divergence, why)
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
        """Changes how to sample in the current conversation.

        Raises:
            UsageError: an unknown name, or an impossible value.
        """
        if name not in SETTINGS:
            raise UsageError(f"there is no setting {name!r}", f"Settings: {', '.join(SETTINGS)}.")
        try:
            parsed = SETTINGS[name](value)
        except ValueError:
            raise UsageError(f"{name} = {value!r} is no number", f"Write it like `/set {name} 1`.") from None
        sampling = {**self.current.sampling, name: parsed}
        self._sampled(sampling)  # raises for what is impossible
        self.current.sampling = sampling
        self.book.save()

    def switch_model(self, model: str) -> None:
        """Loads another model; under another tokenizer, conversations are tokenised anew on their next turn.

        Raises:
            UserError: it cannot be loaded; the old one stays.
        """
        try:
            engine = self._load(model)
        except UserError as error:
            error.fix = f"{error.fix} {self.engine.name} stays."
            raise
        self.take_over(engine)

    def take_over(self, engine: Engine) -> None:
        """Goes on with another engine, whose cache is empty, and with another recording."""
        self.journal.close()
        self.engine = engine
        self.journal = Journal(engine, keep=self._keep)
        self.explained = Explained(self.journal.recording, ascii=self.explained.ascii)
        self.last = None
        self.book.retokenise(tokens_of(engine))

    def prove(self) -> Iterator[str]:
        """Runs the last turn again without the cache; says both times, and whether the greedy text is equal."""
        from .prove import prove

        if self.last is None or self.last.completion.ttft_ms is None:
            raise UsageError("there is no turn of a model to prove yet", "Type a message first.")
        yield from prove(self.engine, self.last.completion)


__all__ = [
    "SETTINGS", "Act", "Asked", "Chat", "Copied", "Delta", "Item", "Preview", "Report", "Totals", "Tree", "tokens_of",
]  # fmt: skip
