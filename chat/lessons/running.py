"""Runs a lesson on the real cache: every step a step of one recording, with what its requests cost.

A `Stage` is a lesson and a loaded model; it runs again with something changed (a what-if) without loading anything.
Knows no front end and no expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import ceil

from ...radix import CacheConfig
from ...radix.recording import Header, Recorder
from ..compare.fed import config_of
from ..engine.engine import Ask, Engine, cache_of
from ..engine.params import SamplingParams
from ..engine.words import WordsRunner, WordsTokenizer
from ..errors import RequestError, UsageError
from .arms import Contestant
from .feeding import adapt, check_whole, lettered, results, sums_of, texts_of, too_long
from .formats import Format, Lines, Template, size_in
from .loading import LessonError
from .runs import UNCHANGED, Changes, Done, Run, StepRun, Sums
from .schema import MOST_ROOM, Change, Lesson, Request, Said, Step
from .speech import LANGUAGES, joined, say

UNSAID = "(no reply)"
"""What stands for the reply to a message that somebody typed where no model can reply."""


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
    def loaded(self) -> Engine | None:
        """The engine of the loaded model; its runs have caches of their own."""
        return self._loaded

    @property
    def words(self) -> bool:
        """Whether there is no model: replies must be given, and what is expected in words holds."""
        return self._loaded is None

    def run(
        self,
        changes: Changes = UNCHANGED,
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
        settings = self.lesson.cache.settings()
        if settings.get("preset") and (changes.policy or changes.split_recency):
            raise UsageError(
                f"hash blocks have no {'policy' if changes.policy else 'split recency'}: their preset decides",
                "Change the capacity, or the page size (a block's).",
            )
        settings["capacity"] = self.scaled(self.lesson.cache.capacity)
        if (changes.capacity or 0) > MOST_ROOM:
            raise UsageError(
                f"capacity {changes.capacity:,} is more than a lesson holds", f"Give at most {MOST_ROOM:,}."
            )
        return config_of({**settings, **changes.settings})

    def engine(self, config: CacheConfig) -> Engine:
        """Returns an engine with an empty cache."""
        kind = self.lesson.cache.kind
        cache = cache_of(kind, config)
        if self._loaded is None:
            return Engine(WordsRunner(), cache, WordsTokenizer(), name="words", cache_name=kind)
        return self._loaded.with_cache(cache, cache_name=kind)

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
        header = Header(config, lesson.cache.kind, model=stage.model, tokenizer=tokenizer.name, bytes_per_token=size)
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
            self._arms.append(Contestant(arm, config, stage, tokenizer, watched))

    def play(self, step: Step, number: int | None) -> None:
        """Runs a step; `number` is its place in the lesson, None for one that a what-if adds."""
        whole = number is not None and not self._changes  # a what-if is no mistake of the file
        where = self._stage.lesson.where(number) if whole else f"step {len(self.run.steps) + 1}"
        start = len(self.run.recording.events)
        change = self._change(step)
        asks = self._asks(step, where, change.capacity or self._engine.cache.capacity)
        self._engine.open_step()
        try:
            shrunk = adapt(self._engine, change)
            facts = self._engine.run(asks) if asks else []
        except RequestError as error:
            raise LessonError(f"{where}: {error.what}", error.fix) from None
        self._recorder.flush()
        done = tuple(results(step, facts))
        check_whole((one.facts for one in done), where, self._engine.cache.capacity)
        for one in done:
            if step.requests[one.request].user is not None:
                ids = one.facts.token_ids
                self._format.take(step.requests[one.request], one.facts.text, ids, one.facts.finish_reason)
        self._keep(step, number, where, start, done, sums_of(facts, shrunk), self._compare(step, done, change, where))

    def _keep(
        self, step: Step, number: int | None, where: str, start: int, done: tuple[Done, ...], sums: Sums,
        arms: tuple[tuple[str, Sums, Sums], ...],
    ) -> None:  # fmt: skip
        run = self.run
        end = len(run.recording.events)
        letters = self._letters(step, where)
        keys = tuple(one.sequence for one in done)
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
            raise too_long(where, int(prompt.size), longest, capacity)
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
        texts = texts_of(self._engine.cache.snapshot(), self.run.recording.pieces)
        letters: dict[int, str] = {}
        for letter, words, found in lettered(step, texts):
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


def _no_letter(where: str, letter: str, words: str, found: int, taken: str | None) -> LessonError:
    if found == 1:
        what = f"{where}: letters {taken} and {letter} ({words!r}) fit the same node"
    else:
        fits = f"{found} nodes hold" if found else "no node holds"
        what = f"{where}: letter {letter}: {fits} {words!r}"
    return LessonError(what, "Choose words that the text of one node in the panel holds, and no other.")
