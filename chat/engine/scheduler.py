"""The scheduler: which requests run, what each computes next, and who gives way when room runs out.

Requests join and leave between iterations. One iteration computes a token of every running reply and, together with
them, the next part of the prompts. Admission reserves the prompt only. When a running request finds no room, the
youngest one is retracted: its tokens stay in the tree, and it waits for its turn again. Samples of one prompt fork from
the first of them as soon as it has computed the prompt. Free of torch: knows leases and works, no tensors, no text, no
clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...radix import Copies, Lease, NoRoom, Peek, PrefixCache, Update
from ...radix.events import Event, RequestFinished, RequestRetracted, RequestStarted
from ..errors import RequestError
from .admission import comes_soon, no_room, refusal
from .request import Finish, Request
from .runner import Sampler, Work
from .waiting import SCHEDULES, Queue

CHUNK = 256
"""Most prompt tokens of one iteration; between two chunks a stop is heeded."""


class Share(NamedTuple):
    """What one request computes in an iteration."""

    request: Request
    work: Work
    samples: tuple[Request, ...] = ()  # begin with its prompt, and with tokens from the same logits


class Planned(NamedTuple):
    """One iteration: what to copy first, then what to compute."""

    shares: list[Share]
    copies: list[Copies]  # K/V to copy before anything is computed

    @property
    def works(self) -> list[Work]:
        """What the runner computes."""
        return [share.work for share in self.shares]


class Scheduler:
    """Runs requests over a cache.

    Args:
        cache: Any prefix cache.
        max_context: Most tokens of a sequence that the model serves.
        eos: Token ids that end a reply.
        max_running: Requests that may run at once.
        chunk: Most prompt tokens of one iteration.
        schedule: Who of those that wait is next: fcfs or lpm (see `waiting`).

    Raises:
        UsageError: there is no such schedule.
    """

    def __init__(
        self,
        cache: PrefixCache,
        *,
        max_context: int,
        eos: frozenset[int],
        max_running: int = 16,
        chunk: int = CHUNK,
        schedule: str = SCHEDULES[0],
    ) -> None:
        self.cache = cache
        self.max_context = max_context
        self.max_running = max_running
        self._eos = eos
        self._chunk = chunk
        self._waiting = Queue(schedule)
        self._running: list[Request] = []  # in the order of their admission
        self._squeezed = False  # somebody was retracted, and nobody has left since
        self._opened = False  # the step of the next requests is open already
        self._events: list[Event] = []
        self._copies: list[Copies] = []

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._waiting and not self._running

    @property
    def leases(self) -> list[Lease]:
        """The open leases, for integrity checks."""
        return [request.lease for request in self._running if request.lease is not None]

    def take_events(self) -> list[Event]:
        """Returns the events since the last call, the cache's and the requests' in one order, and forgets them."""
        self._collect()
        taken, self._events = self._events, []
        return taken

    # -- coming and going ------------------------------------------------------------------------------------------

    def open_step(self) -> None:
        """Opens the step of the next requests ahead of them."""
        self.cache.new_step()
        self._opened = True

    def submit(self, request: Request) -> None:
        """Queues a request, and with it its `samples`; opens a step when nothing else is going on."""
        if self.idle and not self._opened:
            self.cache.new_step()
        self._opened = False
        self._waiting.add(request)

    def refusal(self, request: Request) -> RequestError | None:
        """Returns why a request can never be served, or None."""
        return refusal(request.prompt.size, self.max_context, self.cache.capacity)

    def cancel(self, request: Request) -> None:
        """Ends a request where it is; what was computed stays in the cache."""
        if request.finish is None:
            self._finish(request, Finish.CANCELLED)

    def fail(self, request: Request, error: RequestError) -> None:
        """Ends a request that cannot go on; drops what only it added."""
        if request.finish is None:
            request.error = error
            self._finish(request, Finish.ERROR)

    def stop(self, request: Request) -> None:
        """Ends a reply whose text reached a stop text."""
        if request.finish is None:
            self._finish(request, Finish.STOP)

    # -- one iteration ---------------------------------------------------------------------------------------------

    def plan(self) -> Planned | None:
        """Makes room, admits whom it can and says what to compute: a token of every reply, and parts of the prompts.

        Returns:
            None when nothing can run; requests that turned out impossible are finished with an error.
        """
        self._grow()
        self._admit()
        shares = [self._share(each, each.size) for each in self._running if not each.prefilling]
        if len(shares) < len(self._running):
            shares += self._prefills()
        copies, self._copies = self._copies, []
        return Planned(shares, copies) if shares else None

    def done(self, planned: Planned, sampled: list[tuple[int, ...]]) -> None:
        """Takes the results of an iteration: commits what was computed, appends what was sampled, ends who is done."""
        for share, tokens in zip(planned.shares, sampled, strict=True):
            request, work = share.request, share.work
            if request.finish is not None:
                continue  # cancelled meanwhile
            request.count_prefilled(work.start, work.start + work.tokens.size)
            self._note(request, self.cache.commit(_lease(request), work.tokens))
            if request.samples and _lease(request).computed == request.prompt.size:
                self._fork(request, share.samples)
            for each, token in zip((request, *share.samples), tokens, strict=False):
                each.append([token])
            for each in (request, *share.samples):
                self._finish_if_over(each)

    def _share(self, request: Request, end: int, samples: tuple[Request, ...] = ()) -> Share:
        """What a request computes next: its tokens up to a position; the last token there is is sampled after."""
        lease = _lease(request)
        samplers: tuple[Sampler, ...] = ()
        if end == request.size and request.forced is None:
            samplers = (request.sampler, *(sample.sampler for sample in samples))
        return Share(
            request, Work(request.known[lease.computed : end], lease.computed, lease.slots[:end], samplers), samples
        )

    def _prefills(self) -> Iterator[Share]:
        """Parts of prompts (and of forced replies), first come first, a chunk in all."""
        left, places = self._chunk, self._places
        for request in self._running:
            if left and request.prefilling:
                start = _lease(request).computed
                end = min(request.size, start + left)
                joining = tuple(request.samples[:places]) if end == request.prompt.size else ()
                left, places = left - (end - start), places - len(joining)
                yield self._share(request, end, joining)

    @property
    def _places(self) -> int:
        """How many more may run now."""
        return 0 if self._squeezed else self.max_running - len(self._running)

    def _fork(self, leader: Request, samples: tuple[Request, ...]) -> None:
        """Lets samples run on from the prompt of the first one; those that find no place wait like any request."""
        for sample in leader.samples[len(samples) :]:
            self._waiting.add(sample)
        leader.samples = []
        for sample in samples:
            self._collect()
            lease = self.cache.fork(_lease(leader))
            self._started(sample, lease, lease.computed)

    # -- admission -------------------------------------------------------------------------------------------------

    def _admit(self) -> None:
        """Lets those run whose turn it is. Whoever finds no room blocks those behind, so that its time comes."""
        if not self._running:
            self._squeezed = False
        if self._places <= 0:
            return
        for request in self._waiting.turns(self._matched):
            if comes_soon(request, self._matched(request), self._running, self.cache.config.page_size):
                continue
            peek = self.cache.peek(request.known, request.namespace)
            if peek.fits:
                self._start(request, peek)
            elif self._running:
                return  # somebody will finish
            else:
                self._refuse(request, peek.room, peek.available)
            if self._places <= 0:
                return

    def _matched(self, request: Request) -> int:
        return self.cache.matched(request.known, request.namespace)

    def _start(self, request: Request, peek: Peek) -> None:
        self._waiting.admit(request)
        self._collect()
        lease = self.cache.begin(request.known, request.namespace, request.priority)
        assert lease.computed == peek.reused, "peek and begin agree"
        self._started(request, lease, peek.matched)
        try:
            self._note(request, self.cache.extend(lease, request.size - len(lease)))
        except NoRoom as error:  # a cache whose peek promises too much
            if len(self._running) > 1:
                self._retract(request)
            else:
                self._refuse(request, error.needed, error.available)

    def _started(self, request: Request, lease: Lease, matched: int) -> None:
        """Notes what a request found, and that it runs."""
        request.lease = lease
        request.matched = max(request.matched, min(matched, request.prompt.size))
        request.count_reused(lease.computed)
        self._running.append(request)
        if not request.retractions:
            facts = (int(request.prompt.size), request.matched, request.reused, request.rewritten)
            self._events.append(RequestStarted(request.id, request.conversation, *facts))

    def _refuse(self, request: Request, needed: int, available: int) -> None:
        """Ends a request that finds no room although nothing else runs."""
        if request.generated:
            self._finish(request, Finish.CAPACITY)
        else:
            self.fail(request, no_room(request, needed, available))

    # -- room ------------------------------------------------------------------------------------------------------

    def _grow(self) -> None:
        """Gets room for what each running request computes next, the oldest first."""
        for request in sorted(self._running, key=lambda each: each.id):
            if request.lease is None:
                continue  # gave way to an older one
            upcoming = request.upcoming(self._chunk)
            needed = request.size + len(upcoming) - len(request.lease)
            if (needed <= 0 or self._extend(request, needed)) and upcoming:
                request.append(upcoming)

    def _extend(self, request: Request, tokens: int) -> bool:
        """Gets room, retracting the youngest if need be; alone and without room the request ends.

        Returns:
            False when the request does not run any more.
        """
        while request.lease is not None:
            try:
                self._note(request, self.cache.extend(request.lease, tokens))
                return True
            except NoRoom:
                if len(self._running) == 1:
                    self._finish(request, Finish.CAPACITY)
                else:
                    self._retract(max(self._running, key=lambda each: each.id))
        return False

    def _retract(self, request: Request) -> None:
        """Takes a request's room; nobody is admitted then until somebody has finished, or all would come and go."""
        self._collect()
        self.cache.finish(_lease(request))
        request.lease = None
        request.retractions += 1
        self._squeezed = True
        self._running.remove(request)
        self._waiting.add(request)
        self._collect()
        self._events.append(RequestRetracted(request.id))

    # -- the end ---------------------------------------------------------------------------------------------------

    def _finish_if_over(self, request: Request) -> None:
        if request.forced is not None:
            if len(request.generated) == request.forced.size and _lease(request).computed == request.size:
                self._finish(request, Finish.STOP)
        elif request.generated and request.generated[-1] in self._eos and not request.params.ignore_eos:
            self._finish(request, Finish.STOP)
        elif len(request.generated) >= request.params.max_tokens or request.size >= self.max_context:
            self._finish(request, Finish.LENGTH)

    def _finish(self, request: Request, reason: Finish) -> None:
        request.finish = reason
        if request.generated:  # a sample that ended before it computed the end of its prompt had it from the first one
            request.count_reused(request.prompt.size)
        if request.lease is not None:
            keep = reason is not Finish.ERROR
            self.cache.finish(request.lease, keep=keep, uncached=request.uncached)
            request.lease = None
            self._running.remove(request)
            self._squeezed = False
        self._leave(request)
        self._collect()
        self._events.append(
            RequestFinished(
                request=request.id,
                reason=reason.value,
                prompt=int(request.prompt.size),
                matched=request.matched,
                reused=request.reused,
                prefilled=request.prefilled,
                generated=len(request.generated),
                splits=tuple(request.splits),
                evicted_nodes=len({gone.node for gone in request.evicted}),
                evicted_tokens=sum(gone.tokens for gone in request.evicted),
            )
        )

    def _leave(self, request: Request) -> None:
        """Takes a request from those that wait, and lets the next sample lead if it was to share its prompt."""
        self._waiting.remove(request)
        for leader in (*self._waiting, *self._running):
            if request in leader.samples:
                leader.samples.remove(request)
        if request.samples:
            heir, *request.samples = request.samples
            heir.samples, request.samples = request.samples, []
            self._waiting.add(heir)

    def _note(self, request: Request, update: Update) -> None:
        """Writes down what a cache call did for a request."""
        request.splits.extend(update.splits)
        request.evicted.extend(update.evicted)
        self._copies.extend(update.copies)

    def _collect(self) -> None:
        self._events.extend(self.cache.take_events())


def _lease(request: Request) -> Lease:
    assert request.lease is not None, "only running requests have a lease"
    return request.lease
