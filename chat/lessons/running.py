"""Runs a lesson on the real cache: every step a step of one recording, with what its requests cost.

A `Stage` is a lesson and a loaded model; it runs again with something changed (a what-if) without loading anything.
Knows no front end and no expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from ...radix import CacheConfig, NoRoom, Snapshot
from ...radix.keys import Int32Array, Key, as_array
from ...radix.recording import Header, Pieces, Recorder, Recording
from ..engine.engine import CACHES, Ask, Completion, Engine
from ..engine.params import SamplingParams
from ..engine.words import WordsRunner, WordsTokenizer
from ..errors import RequestError, UsageError
from .formats import Format, Lines, Template, size_in
from .loading import LessonError
from .schema import MOST_ROOM, Arm, Change, Lesson, Request, Said, Step
from .speech import LANGUAGES, joined, say

UNSAID = "(no reply)"
"""What stands for the reply to a message that somebody typed where no model can reply."""


class Done(NamedTuple):
    """One sample of one request."""

    request: int  # its place in the step, from 0
    sample: int  # its place among the request's samples, from 0
    conversation: str  # or ""
    prompt: Int32Array  # ids, int32
    reply: str  # as shown
    facts: Completion


class Sums(NamedTuple):
    """Tokens, over the requests of a step or of all so far."""

    prompt: int = 0
    matched: int = 0
    reused: int = 0
    prefilled: int = 0
    generated: int = 0
    evicted: int = 0  # to make room, or because the capacity shrank

    def plus(self, other: Sums) -> Sums:
        """Returns the sums of both."""
        return Sums(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Changes:
    """What a what-if changes; None (and nothing extra) is as the lesson has it."""

    capacity: int | None = None  # tokens of the model at hand; beats what steps change
    policy: str | None = None  # likewise
    split_recency: str | None = None
    page_size: int | None = None
    extra: tuple[tuple[int, Request], ...] = ()  # (number of a lesson's step, request): a step of its own after that

    def __bool__(self) -> bool:
        return self != Changes()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the cache that change, by name."""
        named = ("capacity", "policy", "split_recency", "page_size")
        return {name: value for name in named if (value := getattr(self, name)) is not None}

    def heading(self, lang: str = "en") -> str:
        """Returns what changes in one line, "" for nothing: ``WHAT IF capacity 110 · policy fifo``."""
        if not self:
            return ""
        chinese = lang == "zh"
        words = _ZH if chinese else {}
        said = [f"{words.get(name, name.replace('_', '-'))} {value}" for name, value in self.settings.items()]
        said += [f"“{request.user or request.prompt}”" for _, request in self.extra]
        return f"{'假如' if chinese else 'WHAT IF'} {' · '.join(said)}"


_ZH = {"capacity": "容量", "policy": "策略", "split_recency": "split-recency", "page_size": "页大小"}


@dataclass(frozen=True, slots=True)
class StepRun:
    """What one step did."""

    number: int  # 1 is the first of the run
    step: Step  # of the lesson; one made for it where a what-if adds a step
    start: int  # position in the recording before its first event ...
    end: int  # ... and after its last: the start of the next step
    done: tuple[Done, ...]  # request by request, sample by sample
    letters: dict[int, str]  # of this panel: node or tombstone id -> letter
    sums: Sums  # of this step
    arms: tuple[tuple[str, Sums, Sums], ...]  # of each arm: English name, of this step, so far
    keys: tuple[Int32Array, ...]  # the whole sequence (prompt and reply) of each sample


@dataclass(slots=True)
class Run:
    """A lesson that was run, whole or up to a step; grows while it runs."""

    lesson: Lesson
    model: str  # its name
    changes: Changes
    recording: Recording  # one step for each of the lesson's, also for those without requests
    steps: list[StepRun]
    bytes_per_token: int  # of the model, or of the lesson's shape on words, or 0
    config: CacheConfig  # of the cache, as it began
    abridged: tuple[tuple[str, str], ...]  # for a `Look`
    notes: tuple[str, ...]  # what to know, a sentence each
    asked: dict[str, Run] = field(default_factory=dict)  # runs of the arms that questions are about, by English name

    def panel(self, number: int) -> Snapshot:
        """Returns the tree after a step; 0 is before the first."""
        return self.recording.at(self.steps[number - 1].end if number else 0)

    def drawn(self, number: int) -> dict[int, str]:
        """Returns the letters that a panel is drawn with: its own, and on what went those of the panel before.

        Questions and narrations call a node that is evicted as the panel before did.
        """
        if not number:
            return {}
        before = self.steps[number - 2].letters if number > 1 else {}
        gone = {stone.node for stone in self.panel(number).tombstones}
        return {id: letter for id, letter in before.items() if id in gone} | self.steps[number - 1].letters

    def sums(self, number: int) -> Sums:
        """Returns the sums over the steps up to one."""
        total = Sums()
        for step in self.steps[:number]:
            total = total.plus(step.sums)
        return total


class Stage:
    """A lesson and a loaded model.

    Args:
        lesson: What to run.
        model: "words" for none, radish, a folder, or a hub id.

    Attributes:
        lesson: What is run.
        model: The name of the model.

    Raises:
        UserError: the model cannot be loaded.
    """

    def __init__(self, lesson: Lesson, model: str = "words") -> None:
        self.lesson = lesson
        self._loaded = None if model == "words" else Engine.load(model, capacity=2)
        self.model = "words" if self._loaded is None else self._loaded.name
        self._factor = self._scale()  # tokens of this model for one of the lesson's

    @property
    def words(self) -> bool:
        """Whether there is no model: replies must be given, and what is expected in words holds."""
        return self._loaded is None

    def run(
        self,
        changes: Changes = Changes(),  # immutable
        upto: int | None = None,
        on_step: Callable[[Run], None] | None = None,
    ) -> Run:
        """Runs the lesson from its beginning on an empty cache.

        Args:
            changes: What is otherwise than in the lesson.
            upto: Number of the lesson's last step to run; None is all.
            on_step: Called after each step with the run so far.

        Raises:
            LessonError: a step that cannot be run; the message names it.
            UsageError: a setting that does not exist.
        """
        stage = _Playing(self, changes)
        for number, step in self._script(changes, upto):
            stage.play(step, number)
            if on_step is not None:
                on_step(stage.run)
        return stage.run

    def _script(self, changes: Changes, upto: int | None) -> Iterable[tuple[int | None, Step]]:
        """Yields the steps with their numbers in the lesson; None for those that a what-if adds."""
        for number, step in enumerate(self.lesson.steps[:upto], start=1):
            yield number, step
            for _, request in (extra for extra in changes.extra if extra[0] == number):
                if self.words and not request.given:
                    request = request.model_copy(update={"reply": UNSAID if request.user is not None else ""})
                title = Said.model_validate(request.user or request.prompt or "")
                yield None, Step(title=title, say=_how_sent(request), requests=[request])

    def _scale(self) -> float:
        lesson = self.lesson
        if self._loaded is None:
            return 1.0
        if self.model in lesson.capacities:
            return lesson.capacities[self.model] / lesson.cache.capacity
        return size_in(self._loaded.tokenizer, lesson) / max(1, size_in(WordsTokenizer(), lesson))

    def scaled(self, capacity: int) -> int:
        """Returns a capacity of the lesson in tokens of this model."""
        return max(1, ceil(capacity * self._factor))

    def config(self, changes: Changes) -> CacheConfig:
        """Returns the settings of the cache. Raises UsageError for impossible ones."""
        settings = self.lesson.cache.model_dump()
        settings["capacity"] = self.scaled(self.lesson.cache.capacity)
        if (changes.capacity or 0) > MOST_ROOM:
            raise UsageError(
                f"capacity {changes.capacity:,} is more than a lesson holds", f"Give at most {MOST_ROOM:,}."
            )
        return _config({**settings, **changes.settings})

    def engine(self, config: CacheConfig) -> Engine:
        """Returns an engine with an empty cache."""
        cache = CACHES["radix"](**asdict(config))
        if self._loaded is None:
            return Engine(WordsRunner(), cache, WordsTokenizer(), name="words")
        return self._loaded.with_cache(cache)

    def params(self, request: Request) -> SamplingParams:
        """Returns how to sample a request."""
        stop = self._loaded.defaults.stop if self._loaded is not None and not request.given else ()
        return SamplingParams(
            temperature=request.temperature,
            seed=request.seed,
            max_tokens=request.max_tokens,
            n=1 if request.given else request.n,
            stop=stop,
        )

    def notes(self, config: CacheConfig, changes: Changes) -> Iterable[str]:
        """Yields what to know about a run."""
        if self._loaded is None:
            return
        yield from self._loaded.notes
        usual = self.lesson.cache.capacity
        if changes.capacity is None and config.capacity != usual:
            how = "more" if config.capacity > usual else "fewer"
            yield f"capacity {config.capacity} in place of {usual}: this model needs {how} tokens for the same text"
        if self.model not in self.lesson.capacities:
            yield f"the lesson was not tried with {self.model}: its evictions may differ from what is told"


class _Playing:
    """One run, step by step."""

    def __init__(self, stage: Stage, changes: Changes) -> None:
        self._stage, self._changes = stage, changes
        lesson, config = stage.lesson, stage.config(changes)
        self._engine = stage.engine(config)
        tokenizer = self._engine.tokenizer
        self._format: Format = (Lines if stage.words else Template)(tokenizer, lesson.system)
        size = self._engine.bytes_per_token or (lesson.shape.bytes_per_token if lesson.shape and stage.words else 0)
        header = Header(config, model=stage.model, tokenizer=tokenizer.name, bytes_per_token=size)
        self._recorder = Recorder(header, tokenizer.token_bytes)
        self._engine.listeners.append(self._recorder.add)
        self.run = Run(
            lesson, stage.model, changes, self._recorder.recording, [], size, config,
            tuple(lesson.abridge.items()), tuple(stage.notes(config, changes)),
        )  # fmt: skip
        asked = {question.arm for step in lesson.steps for question in step.ask}
        self._arms = []
        for arm in lesson.arms:
            watched = self.run if arm.name.text("en") in asked else None
            self._arms.append(_Contestant(arm, config, stage, tokenizer, watched))

    def play(self, step: Step, number: int | None) -> None:
        """Runs a step; `number` is its place in the lesson, None for one that a what-if adds."""
        whole = number is not None and not self._changes  # a what-if is no mistake of the file
        where = self._stage.lesson.where(number) if whole else f"step {len(self.run.steps) + 1}"
        start = len(self.run.recording.events)
        change = self._change(step)
        asks = self._asks(step, where, change.capacity or self._engine.cache.capacity)
        self._engine.open_step()
        try:
            shrunk = _changed(self._engine, change)
            facts = self._engine.run(asks) if asks else []
        except RequestError as error:
            raise LessonError(f"{where}: {error.what}", error.fix) from None
        self._recorder.flush()
        done = tuple(_done(step, facts))
        _whole_only((one.facts for one in done), where, self._engine.cache.capacity)
        for one in done:
            if step.requests[one.request].user is not None:
                ids = one.facts.token_ids
                self._format.take(step.requests[one.request], one.facts.text, ids, one.facts.finish_reason)
        self._keep(step, number, where, start, done, _sums(facts, shrunk), self._compare(step, done, change, where))

    def _keep(
        self, step: Step, number: int | None, where: str, start: int, done: tuple[Done, ...], sums: Sums,
        arms: tuple[tuple[str, Sums, Sums], ...],
    ) -> None:  # fmt: skip
        run = self.run
        end = len(run.recording.events)
        letters = self._letters(step, where)
        keys = tuple(_whole(one) for one in done)
        run.steps.append(StepRun(len(run.steps) + 1, step, start, end, done, letters, sums, arms, keys))

    def _asks(self, step: Step, where: str, capacity: int) -> list[Ask]:
        open_now = [request.conversation for request in step.requests if request.user is not None]
        twice = next((name for name in open_now if open_now.count(name) > 1), None)
        if twice is not None:
            what = f"{where}: two messages of conversation {twice!r} cannot run side by side"
            raise LessonError(what, "Give them a step each.")
        return [self._ask(request, where, capacity) for request in step.requests]

    def _ask(self, request: Request, where: str, capacity: int) -> Ask:
        if self._stage.words and not request.given:
            what = f"{where}: the request has no reply, and the words tokenizer has no model to reply with"
            raise LessonError(what, "Give it a reply, or choose a model with --model.")
        try:
            prompt, forced = self._format.prompt(request), self._format.replies(request)
        except RequestError as error:  # a chat template that refuses
            raise LessonError(f"{where}: {error.what}", error.fix) from None
        longest = int(prompt.size) + max((int(reply.size) for reply in forced), default=0)
        if longest > capacity:
            raise _too_long(where, int(prompt.size), longest, capacity)
        params = self._stage.params(request)
        return Ask(prompt=prompt, params=params, conversation=request.conversation, forced=forced)

    def _change(self, step: Step) -> Change:
        """Returns what a step changes in the cache, in tokens of this model, less what a what-if holds."""
        asked = step.change or Change()
        capacity = self._stage.scaled(asked.capacity) if asked.capacity is not None else None
        held = self._changes.settings
        return Change(
            capacity=None if "capacity" in held else capacity, policy=None if "policy" in held else asked.policy
        )

    def _compare(
        self, step: Step, done: Sequence[Done], change: Change, where: str
    ) -> tuple[tuple[str, Sums, Sums], ...]:
        """Feeds the arms what the cache was fed."""
        compared = []
        for arm in self._arms:
            try:
                sums = arm.play(step, done, change, f"{where}, arm {arm.name!r}")
            except RequestError as error:
                raise LessonError(f"{where}, arm {arm.name!r}: {error.what}", error.fix) from None
            compared.append((arm.name, sums, arm.total))
        return tuple(compared)

    def _letters(self, step: Step, where: str) -> dict[int, str]:
        """Returns the letters of a panel by node: each belongs to the one whose text holds its words."""
        # of the cache itself: the recording has one reader, and that is whoever shows the run meanwhile
        texts = _texts(self._engine.cache.snapshot(), self.run.recording.pieces)
        letters: dict[int, str] = {}
        for letter, words, found in _lettered(step, texts):
            if len(found) == 1 and found[0] not in letters:
                letters[found[0]] = letter
            elif self._exact:
                raise _no_letter(where, letter, words, len(found), letters.get(found[0]) if found else None)
        return letters

    @property
    def _exact(self) -> bool:
        """Whether the tree must be as the lesson tells."""
        known = self._stage.words or self._stage.model in self._stage.lesson.capacities
        return known and not self._changes


class _Contestant:
    """Another cache that is fed the same prompts and replies, so nothing is computed.

    Only its counts matter, unless a question is about it: then it is recorded, beside the run that it is compared with.
    """

    def __init__(self, arm: Arm, config: CacheConfig, stage: Stage, tokenizer: Any, watched: Run | None) -> None:
        own = arm.model_dump(exclude={"name", "cache"}, exclude_none=True)
        if "capacity" in own:
            own["capacity"] = stage.scaled(own["capacity"])
        self._own = frozenset(own)  # settings that no step changes
        self.name = arm.name.text("en")
        self.total = Sums()
        config = _config({**asdict(config), **own})
        cache = CACHES[arm.cache](**asdict(config), events=watched is not None)
        self._engine = Engine(WordsRunner(), cache, tokenizer, cache_name=arm.cache)
        self._run: Run | None = None
        if watched is not None:
            header = replace(watched.recording.header, config=config)
            self._recorder = Recorder(header, tokenizer.token_bytes)
            self._engine.listeners.append(self._recorder.add)
            self._run = replace(watched, recording=self._recorder.recording, steps=[], config=config, asked={})
            watched.asked[self.name] = self._run

    def play(self, step: Step, done: Sequence[Done], change: Change, where: str) -> Sums:
        """Runs a step; returns its sums. Raises RequestError or LessonError when something does not fit."""
        kept = {name: value for name, value in change.model_dump().items() if name not in self._own}
        start = len(self._run.recording.events) if self._run is not None else 0
        self._engine.open_step()
        shrunk = _changed(self._engine, Change(**kept))
        asks = []
        for place, request in enumerate(step.requests):
            samples = [one for one in done if one.request == place]
            forced = tuple(_cached(one, bool(request.given)) for one in samples)
            asks.append(Ask(prompt=samples[0].prompt, conversation=request.conversation, forced=forced))
        facts = self._engine.run(asks) if asks else []
        _whole_only(facts, where, self._engine.cache.capacity)
        sums = _sums(facts, shrunk)._replace(generated=sum(one.facts.generated_tokens for one in done))
        self.total = self.total.plus(sums)
        if self._run is not None:
            self._keep(self._run, step, start, tuple(_done(step, facts)), sums)
        return sums

    def _keep(self, run: Run, step: Step, start: int, done: tuple[Done, ...], sums: Sums) -> None:
        self._recorder.flush()
        texts = _texts(self._engine.cache.snapshot(), run.recording.pieces)
        letters = {found[0]: letter for letter, _, found in _lettered(step, texts) if len(found) == 1}
        end, keys = len(run.recording.events), tuple(_whole(one) for one in done)
        run.steps.append(StepRun(len(run.steps) + 1, step, start, end, done, letters, sums, (), keys))


def _config(settings: dict[str, Any]) -> CacheConfig:
    try:
        return CacheConfig(**settings)
    except ValueError as error:
        raise UsageError(str(error), "Change it to something possible, or leave it out.") from None


def _changed(engine: Engine, change: Change) -> int:
    """Changes a cache; returns how many tokens went. Raises RequestError where too much is locked."""
    if change.policy is not None:
        engine.cache.set_policy(change.policy)
        engine.publish()
    if change.capacity is None:
        return 0
    before = engine.cache.snapshot().resident
    try:
        engine.resize(change.capacity)
    except (NoRoom, ValueError) as error:
        raise RequestError(str(error), "Give a larger capacity.") from None
    return before - engine.cache.snapshot().resident


def _done(step: Step, facts: Sequence[Completion]) -> Iterable[Done]:
    """Yields what came of each sample: completions come request by request, sample by sample."""
    results = iter(facts)
    for place, request in enumerate(step.requests):
        for sample in range(len(request.given) or request.n):
            one = next(results)
            reply = request.given[sample] if request.given else one.text.lstrip()
            yield Done(place, sample, request.conversation, one.prompt_ids, reply, one)


def _sums(facts: Iterable[Completion], shrunk: int) -> Sums:
    total = Sums(evicted=shrunk)
    for one in facts:
        total = total.plus(
            Sums(
                one.prompt_tokens, one.matched_tokens, one.reused_tokens, one.prefilled_tokens, one.generated_tokens,
                one.evicted_tokens,
            )
        )  # fmt: skip
    return total


def _whole(one: Done) -> Int32Array:
    return np.concatenate((one.prompt, np.array(one.facts.token_ids, dtype=np.int32)))


def _cached(one: Done, given: bool) -> Int32Array:
    """Returns the tokens of a reply that got K/V: all of one that was given, all but the last of a sampled one."""
    ids = np.array(one.facts.token_ids, dtype=np.int32)
    return ids if given else ids[:-1]


def _texts(snapshot: Snapshot, pieces: Pieces) -> dict[int, str]:
    """Returns the text of every node and tombstone of a panel."""
    keys = {node.id: node.key for node in snapshot.nodes()} | {gone.node: gone.key for gone in snapshot.tombstones}
    return {id: text_of(key, pieces) for id, key in keys.items()}


def _lettered(step: Step, texts: dict[int, str]) -> Iterable[tuple[str, str, list[int]]]:
    """Yields the letters of a step's panel, their words, and the nodes whose text holds these."""
    for letter, words in step.letters.items():
        yield letter, words, [id for id, text in texts.items() if words in text]


def _how_sent(request: Request) -> Said:
    """Says how a prompt that somebody typed was sent, and what stands for a reply that nobody gives."""
    said = {}
    for lang in LANGUAGES:
        how = "sent.message" if request.user is not None else "sent.prompt"
        parts = [say(lang, how, name=request.conversation)]
        if request.reply == UNSAID:
            parts.append(say(lang, "sent.unsaid", reply=UNSAID))
        said[lang] = joined(lang, *parts)
    return Said.model_validate(said)


def text_of(key: Key, pieces: Pieces) -> str:
    """Returns the text of a key as it stands; bytes that are no text become U+FFFD."""
    return b"".join(pieces.get(token, b"") for token in as_array(key).tolist()).decode("utf-8", errors="replace")


def _whole_only(facts: Iterable[Completion], where: str, capacity: int) -> None:
    """Raises LessonError when a reply was cut off because no room was left."""
    for one in facts:
        if one.finish_reason == "capacity":
            raise _too_long(where, one.prompt_tokens, one.prompt_tokens + one.generated_tokens + 1, capacity)


def _too_long(where: str, prompt: int, size: int, capacity: int) -> LessonError:
    if prompt > capacity:
        what = f"{where}: the prompt has {prompt} tokens; the capacity is {capacity}"
    else:
        what = f"{where}: prompt and reply have {size} tokens or more; the capacity is {capacity}"
    return LessonError(what, "Give a larger capacity, or shorten what is said.")


def _no_letter(where: str, letter: str, words: str, found: int, taken: str | None) -> LessonError:
    if found == 1:
        what = f"{where}: letters {taken} and {letter} ({words!r}) fit the same node"
    else:
        fits = f"{found} nodes hold" if found else "no node holds"
        what = f"{where}: letter {letter}: {fits} {words!r}"
    return LessonError(what, "Choose words that the text of one node in the panel holds, and no other.")
