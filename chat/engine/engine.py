"""The engine: prompts in, tokens and facts out, over any cache and any runner.

It owns the loop (plan, compute, commit), the clock that measures times, and the recorder's feed. It knows no template,
no conversation and no front end. Torch is imported only when a real model is loaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ...radix import CacheConfig, HashBlockCache, LastSequence, NoCache, PrefixCache, RadixCache
from ...radix.events import Event
from ...radix.keys import Int32Array
from ..errors import RequestError
from .params import SamplingParams
from .request import Finish, Request
from .runner import Runner
from .scheduler import Planned, Scheduler
from .text import TextStream
from .waiting import SCHEDULES
from .words import WordsRunner

if TYPE_CHECKING:
    from os import PathLike

CACHES: dict[str, Callable[..., PrefixCache]] = {
    "radix": RadixCache, "hash": HashBlockCache, "last": LastSequence, "none": NoCache,
}  # fmt: skip
"""Prefix caches by the name that `--cache` takes."""


def cache_of(name: str, config: CacheConfig, *, events: bool = True) -> PrefixCache:
    """Returns an empty cache of that name with these settings, such as those of a recording."""
    if config.preset:
        return HashBlockCache.of(config, events=events)
    return CACHES[name](**config.settings(), events=events)


Prompt = str | Sequence[int] | Int32Array
"""A prompt as text or as token ids."""


class Tokenizer(Protocol):
    """What the engine needs of a tokenizer."""

    name: str

    @property
    def eos_ids(self) -> frozenset[int]:
        """Ids that end a reply."""

    def encode(self, text: str) -> Int32Array:
        """Returns token ids, int32."""

    def token_bytes(self, token: int) -> bytes:
        """Returns the bytes of a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One prompt, and how it is replied to."""

    prompt: Prompt
    params: SamplingParams | None = None  # those of `SamplingParams()` if nobody says; `n` samples
    conversation: str = ""  # its name, for the record
    namespace: str = ""  # prefixes are shared within one
    forced: tuple[Int32Array, ...] = ()  # replies to take instead of sampling, int32, one a sample (then n is unused)
    priority: int = 0  # for the eviction policy of that name
    rewritten: tuple[int, ...] = ()  # (start, end) of its tokens that a chat template says anew, for the record


@dataclass(frozen=True, slots=True)
class Completion:
    """One reply, and what the cache did for it."""

    text: str  # without the end-of-sequence token and without the stop text
    token_ids: tuple[int, ...]  # everything that was sampled, the end-of-sequence token included
    finish_reason: str  # stop, length, capacity, cancelled, error
    prompt_tokens: int
    matched_tokens: int  # of the prompt, found in the cache
    reused_tokens: int  # of the prompt, not computed again; reused + prefilled = prompt
    prefilled_tokens: int  # of the prompt, computed
    splits: tuple[int, ...]  # ids of the nodes that were split
    evicted: tuple[tuple[int, int], ...]  # (node id, tokens), in order
    retractions: int  # times it gave way to another request
    ttft_ms: float | None  # from its arrival to its first token; None without a model
    decode_tokens_per_s: float | None  # after the first token; None with fewer than two
    prompt_ids: Int32Array  # the prompt, int32
    error: RequestError | None = None  # why it failed

    @property
    def generated_tokens(self) -> int:
        """Tokens sampled (or given) after the prompt."""
        return len(self.token_ids)

    @property
    def evicted_nodes(self) -> int:
        """Nodes that went to make room, whole or in part."""
        return len({node for node, _ in self.evicted})

    @property
    def evicted_tokens(self) -> int:
        """Tokens that went to make room."""
        return sum(tokens for _, tokens in self.evicted)


class Chunk(NamedTuple):
    """A piece of a streamed reply."""

    reply: int  # which of the replies: the number that `submit` gave; `stream` counts from 0, sample by sample
    text: str  # may be empty: a token inside a character
    tokens: tuple[int, ...]  # sampled since the last chunk
    completion: Completion | None  # on the last chunk of each reply


class _Job:
    """A request with its text and its times."""

    def __init__(self, request: Request, text: TextStream, now: float) -> None:
        self.request = request
        self.text = text
        self.seen = 0  # generated tokens that were turned into text
        self.arrived = now
        self.first: float | None = None
        self.last: float | None = None


class Engine:
    """Generates replies.

    Args:
        runner: Computes tokens.
        cache: Decides what is computed at all.
        tokenizer: For text prompts and text results.
        name: Of the model, as shown and recorded.
        cache_name: Of the cache: radix, hash, last or none.
        max_running: Requests that may run at once.
        schedule: Who of those that wait is next: fcfs (first come, first served) or lpm (longest prefix match first).

    Attributes:
        cache: The prefix cache; read it, and evict or resize it between requests.
        defaults: How to sample when nobody says, as the model's makers advise.
        listeners: Called with each batch of events, right after it happened.
        notes: What the user should know about how the model was loaded.

    Raises:
        UsageError: there is no such schedule.
    """

    def __init__(
        self,
        runner: Runner,
        cache: PrefixCache,
        tokenizer: Tokenizer,
        *,
        name: str = "",
        cache_name: str = "radix",
        max_running: int = 16,
        notes: Sequence[str] = (),
        device: str = "cpu",
        dtype: str = "",
        forward: str = "",
        quantize: str = "none",
        defaults: SamplingParams | None = None,
        schedule: str = SCHEDULES[0],
    ) -> None:
        self.runner = runner
        self.cache = cache
        self.tokenizer = tokenizer
        self.name = name
        self.cache_name = cache_name
        self.notes = tuple(notes)
        self.device = device
        self.dtype = dtype
        self.forward = forward
        self.quantize = quantize
        self.defaults = defaults or SamplingParams()
        self.max_context = runner.max_context
        self.listeners: list[Callable[[list[Event]], None]] = []
        self.schedule = schedule
        self._scheduler = Scheduler(
            cache,
            max_context=runner.max_context,
            eos=tokenizer.eos_ids,
            max_running=max_running,
            schedule=schedule,
        )
        self._jobs: list[_Job] = []  # whose last chunk is still to come
        self._outbox: list[Chunk] = []  # not asked for yet
        self._last_id = 0
        self._stopping = False

    @classmethod
    def load(
        cls,
        model: str | PathLike[str] | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        forward: str = "auto",
        quantize: str = "none",
        cache: str = "radix",
        capacity: int | str | None = None,
        policy: str = "lru",
        page_size: int = 1,
        preset: str | None = None,
        block_size: int | None = None,
        schedule: str = SCHEDULES[0],
        **options: Any,
    ) -> Engine:
        """Loads a model and gives it a cache. On a CPU, a small model sets torch to one thread, which is faster.

        Args:
            model: A local folder or a hub id; None or "radish" is the bundled model, "words" no model at all.
            device: auto, cpu, cuda or mps. "auto" never picks mps.
            dtype: auto, float32, bfloat16 or float16.
            forward: auto, lean (our own, for models built like Llama and Qwen) or generic (transformers').
            quantize: none, or int8: weights of 8 bits, on a CPU and in the lean forward.
            cache: radix, hash (hash blocks, as in vLLM), last (keeps the last sequence only) or none.
            capacity: Tokens of the pool, or bytes as in "512MiB"; None: four contexts, at most 2 GiB.
            policy: lru, lfu, fifo, mru, filo, slru or priority; not of hash blocks, whose preset decides.
            page_size: Tokens of a page; not of hash blocks.
            preset: Rules of hash blocks, by the name of a release (`radix.presets`); None: vllm-0.33.
            block_size: Tokens of a hash block; None: the preset's own.
            schedule: Who of those that wait is next: fcfs or lpm.
            **options: Further settings of `RadixCache` (tie, split_recency, unit).

        Raises:
            ModelError: the model, its tokenizer or the device cannot be used.
            UsageError: a setting that does not exist, or a capacity too small for one request.
        """
        from .load import load_engine

        return load_engine(
            model,
            device=device,
            dtype=dtype,
            forward=forward,
            quantize=quantize,
            cache=cache,
            capacity=capacity,
            schedule=schedule,
            cache_options={
                "policy": policy,
                "page_size": page_size,
                "preset": preset,
                "block_size": block_size,
                **options,
            },
        )

    @property
    def bytes_per_token(self) -> int:
        """Bytes of K and V of one token over all layers; 0 without a model."""
        return self.runner.bytes_per_token

    @property
    def busy(self) -> bool:
        """Whether there is something to `iterate` for: requests that wait or run, or chunks that nobody took."""
        return bool(self._jobs or self._outbox)

    def check_integrity(self) -> None:
        """Raises AssertionError unless the cache and all open leases agree."""
        self.cache.check_integrity(self._scheduler.leases)

    def publish(self) -> None:
        """Hands new events to the listeners; call it after changing the cache directly."""
        events = self._scheduler.take_events()
        if events:
            for listener in self.listeners:
                listener(events)

    def resize(self, capacity: int) -> None:
        """Changes the capacity, evicting if it must.

        Raises:
            NoRoom: as the cache does, and ValueError likewise.
            ModelError: there is no memory for so many tokens; the capacity stays.
        """
        more = capacity - self.cache.capacity
        if more > 0:  # memory first, for the cache could not give slots back as they were
            self.runner.resize(self.cache.highest_slot + more)
        try:
            self.cache.resize(capacity)
        finally:
            self.runner.resize(self.cache.highest_slot)
            self.publish()

    def without_cache(self, capacity: int) -> Engine:
        """Returns an engine over the same weights, with no cache and a pool of its own: the control of a comparison."""
        cache = NoCache(capacity, events=False)
        runner = self.runner.sibling(cache.highest_slot)
        return Engine(runner, cache, self.tokenizer, name=self.name, cache_name="none")

    def with_cache(self, cache: PrefixCache, *, cache_name: str = "radix") -> Engine:
        """Returns an engine over the same model and its pool, resized, with another cache; this one must rest then."""
        self.runner.resize(cache.highest_slot)
        return Engine(
            self.runner,
            cache,
            self.tokenizer,
            name=self.name,
            cache_name=cache_name,
            max_running=self._scheduler.max_running,
            schedule=self.schedule,
            notes=self.notes,
            device=self.device,
            dtype=self.dtype,
            forward=self.forward,
            quantize=self.quantize,
            defaults=self.defaults,
        )

    def open_step(self) -> None:
        """Opens a step ahead of its requests, or one without any: a resize before them belongs to it, too."""
        self._scheduler.open_step()
        self.publish()

    def stop(self) -> None:
        """Asks all running requests to end before their next iteration; what was computed stays. Signal-safe."""
        self._stopping = True

    # -- generating ------------------------------------------------------------------------------------------------

    def generate(self, prompts: Any, params: SamplingParams | None = None, **more: Any) -> Any:
        """Generates a reply to each prompt.

        Args:
            prompts: One prompt (text, or a sequence of token ids), or a list of prompts.
            params: How to sample; the defaults of `SamplingParams` else. With `n` above 1 each prompt has n results
                in a row; their seeds count up.
            **more: As in `stream`.

        Returns:
            A `Completion` for one prompt with n = 1, else a list of them in the order of the prompts.

        Raises:
            RequestError: a prompt that cannot be served; raised when the others are done.
        """
        results = _in_order(self.stream(prompts, params, **more))
        return results[0] if len(results) == 1 and not _is_batch(prompts) else results

    def stream(
        self,
        prompts: Any,
        params: SamplingParams | None = None,
        *,
        conversation: str = "",
        namespace: str = "",
        forced: Sequence[Int32Array] | None = None,
        rewritten: tuple[int, ...] = (),
    ) -> Iterator[Chunk]:
        """Generates replies piece by piece. Closing the iterator early cancels what still runs, and keeps it.

        Args:
            prompts: As in `generate`.
            params: As in `generate`.
            conversation: Name of the conversation, for the record.
            namespace: Prefixes are shared within one.
            forced: Replies to take instead of sampling, one a prompt, int32.
            rewritten: (start, end) of the prompts' tokens that a chat template says anew, for the record.

        Raises:
            RequestError: as in `generate`, after the last piece.
        """
        params = params or SamplingParams()
        asks = [
            Ask(
                prompt=prompt,
                params=params,
                conversation=conversation,
                namespace=namespace,
                forced=() if forced is None else (forced[place],) * params.n,
                rewritten=rewritten,
            )
            for place, prompt in enumerate(list(prompts) if _is_batch(prompts) else [prompts])
        ]
        for ask in asks:
            self._check(ask)
        return self._replies(asks)

    def _replies(self, asks: list[Ask]) -> Iterator[Chunk]:
        """Serves asks; counts their replies from 0 and raises the first error at the end."""
        numbers: list[int] = []
        errors = []
        for chunk in self._serve(asks, numbers):
            if chunk.completion is not None and chunk.completion.error is not None:
                errors.append((chunk.reply, chunk.completion.error))
            else:
                yield chunk._replace(reply=chunk.reply - numbers[0])
        if errors:
            raise min(errors)[1]

    def run(self, asks: Iterable[Ask]) -> list[Completion]:
        """Generates the replies to many prompts at once.

        Returns:
            A completion a reply, ask by ask and sample by sample.

        Raises:
            RequestError: one of the asks cannot be served; raised when the others are done.
        """
        return _in_order(self._replies(list(asks)))

    def serve(self, asks: Iterable[Ask]) -> Iterator[Chunk]:
        """Generates the replies to many prompts at once, piece by piece.

        Nothing is submitted before the first piece is asked for; the numbers of the replies count up then, ask by ask
        and sample by sample. Closing the iterator early cancels what still runs, and keeps it. A reply that fails ends
        with a completion that carries its `error`; the others go on. Chunks of replies that were submitted otherwise
        are kept for `iterate`, which takes all there are: between two pieces, those of this iterator, too.
        """
        return self._serve(asks, [])

    def _serve(self, asks: Iterable[Ask], numbers: list[int]) -> Iterator[Chunk]:
        """Serves asks and tells the numbers of their replies."""
        try:
            for ask in asks:
                numbers += self.submit(ask)
            mine = set(numbers)
            while any(job.request.id in mine for job in self._jobs) or any(c.reply in mine for c in self._outbox):
                chunks = self.iterate()
                self._outbox = [chunk for chunk in chunks if chunk.reply not in mine]
                yield from [chunk for chunk in chunks if chunk.reply in mine]
        finally:
            self._forget(set(numbers))

    def submit(self, ask: Ask) -> list[int]:
        """Queues a prompt; it joins those that run at the next iteration. Call it from the thread that iterates.

        Returns:
            The number of each reply, one per sample.

        Raises:
            RequestError: there is no model to reply with. What else can go wrong comes with the last chunk.
        """
        self._check(ask)
        if self._scheduler.idle:
            self._stopping = False
        tokens = self.tokenizer.encode(ask.prompt) if isinstance(ask.prompt, str) else ask.prompt
        prompt = np.asarray(tokens, dtype=np.int32).reshape(-1)
        params = ask.params or SamplingParams()
        now = time.perf_counter()
        leader, *samples = requests = [
            Request(
                self._last_id + 1 + sample,
                prompt,
                _seeded(params, sample),
                ask.conversation,
                ask.namespace,
                ask.forced[sample] if ask.forced else None,
                ask.priority,
                ask.rewritten,
            )
            for sample in range(len(ask.forced) or params.n)
        ]
        self._last_id += len(requests)
        self._jobs += [_Job(request, self._text(params), now) for request in requests]
        refusal = self._scheduler.refusal(leader)
        if refusal is None:
            leader.samples = samples
            self._scheduler.submit(leader)
        else:
            for request in requests:
                request.finish, request.error = Finish.ERROR, refusal
        return [request.id for request in requests]

    def _check(self, ask: Ask) -> None:
        if not ask.forced and isinstance(self.runner, WordsRunner):
            raise RequestError("the words tokenizer has no model to reply with", "Give a reply, or load a model.")

    def _text(self, params: SamplingParams) -> TextStream:
        silent = frozenset() if params.ignore_eos else self.tokenizer.eos_ids
        return TextStream(self.tokenizer.token_bytes, params.stop, silent)

    def iterate(self) -> list[Chunk]:
        """Computes one iteration of everything that was submitted.

        Returns:
            What is new of each reply, by the number that `submit` gave; nothing when there is nothing to do.
        """
        if self._stopping:
            for job in self._jobs:
                self._scheduler.cancel(job.request)
        self._advance()
        chunks, self._outbox = self._outbox, []
        chunks += [chunk for job in self._jobs if (chunk := self._look(job)) is not None]
        self._jobs = [job for job in self._jobs if job.request.finish is None]
        self.publish()
        return chunks

    def cancel(self, reply: int) -> None:
        """Ends a reply where it is; what was computed stays in the cache, and its last chunk comes as always."""
        for job in self._jobs:
            if job.request.id == reply:
                self._scheduler.cancel(job.request)

    def _forget(self, numbers: set[int]) -> None:
        """Cancels replies that nobody waits for any more."""
        for number in numbers:
            self.cancel(number)
        self._jobs = [job for job in self._jobs if job.request.id not in numbers]
        self._outbox = [chunk for chunk in self._outbox if chunk.reply not in numbers]
        self.publish()

    def _advance(self) -> None:
        """Plans, computes and commits."""
        planned = self._scheduler.plan()
        if planned is None:
            return
        try:
            for copies in planned.copies:
                self.runner.copy(copies.sources, copies.targets)
        except Exception as error:
            self._fail(planned, error)
        else:
            self._compute(planned)

    def _compute(self, planned: Planned) -> None:
        """Computes all shares together; when that fails, each by itself, so that only those fail that must."""
        try:
            sampled = self.runner.step(planned.works)
        except Exception as error:
            if len(planned.shares) == 1:
                self._fail(planned, error)
                return
            for share in planned.shares:
                self._compute(planned._replace(shares=[share]))
        else:
            self._scheduler.done(planned, sampled)

    def _fail(self, planned: Planned, error: Exception) -> None:
        failure = RequestError(f"the model failed: {error}", "Nothing is lost; try again, or load it anew.")
        failure.__cause__ = error
        for share in planned.shares:
            self._scheduler.fail(share.request, failure)

    def _look(self, job: _Job) -> Chunk | None:
        """Turns a job's new tokens into text; None when there is nothing to say."""
        request = job.request
        if request.finish is None and len(request.generated) == job.seen:
            return None  # most of a long queue, each iteration
        new = request.generated[job.seen :]
        job.seen = len(request.generated)
        if new:
            job.last = time.perf_counter()
            job.first = job.first or job.last
        text = "".join(job.text.feed(token) for token in new)
        if job.text.stopped:
            self._scheduler.stop(request)
        if request.finish is not None:
            return Chunk(request.id, text + job.text.end(), tuple(new), self._completion(job))
        return Chunk(request.id, text, tuple(new), None)

    def _completion(self, job: _Job) -> Completion:
        request = job.request
        assert request.finish is not None
        timed = job.first is not None and self.bytes_per_token > 0
        ttft = (job.first - job.arrived) * 1e3 if timed and job.first else None
        decoding = job.last - job.first if timed and job.first and job.last else 0.0
        return Completion(
            text=job.text.text,
            token_ids=tuple(request.generated),
            finish_reason=request.finish.value,
            prompt_tokens=int(request.prompt.size),
            matched_tokens=request.matched,
            reused_tokens=request.reused,
            prefilled_tokens=request.prefilled,
            splits=tuple(request.splits),
            evicted=tuple(request.evicted),
            retractions=request.retractions,
            ttft_ms=ttft,
            decode_tokens_per_s=(len(request.generated) - 1) / decoding if decoding else None,
            prompt_ids=request.prompt,
            error=request.error,
        )


def _in_order(chunks: Iterable[Chunk]) -> list[Completion]:
    """Runs replies to their end and returns them by number."""
    ended = {chunk.reply: chunk.completion for chunk in chunks if chunk.completion is not None}
    return [ended[reply] for reply in sorted(ended)]


def _is_batch(prompts: Any) -> bool:
    """A list of prompts, and not one prompt given as token ids."""
    if isinstance(prompts, str):
        return False
    return len(prompts) > 0 and not isinstance(prompts[0], int | np.integer)


def _seeded(params: SamplingParams, sample: int) -> SamplingParams:
    """Parameters of the sample-th reply to one prompt."""
    return params if params.seed is None or not sample else replace(params, seed=params.seed + sample)
