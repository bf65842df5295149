"""The scheduler: which requests run, what each computes next, and who gives way when room runs out.

Requests are admitted first come, first served, one prefill at a time: so the second of two prompts with a common new
prefix finds it in the tree. Admission reserves the prompt only. When a running request finds no room, the youngest
other one is retracted: its tokens stay in the tree, and it waits for its turn again. Free of torch: knows leases and
works, no tensors, no text, no clock.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ...radix import Copies, Lease, NoRoom, PrefixCache, Update
from ...radix.events import Event, RequestFinished, RequestRetracted, RequestStarted
from ..errors import RequestError, TooLong
from .request import Finish, Request
from .runner import Work

CHUNK = 256
"""Most prompt tokens of one iteration; between two chunks a stop is heeded."""


class Planned(NamedTuple):
    """One iteration: what to copy first, then what to compute."""

    requests: list[Request]  # whose works these are, in order
    works: list[Work]
    copies: list[Copies]  # K/V to copy before anything is computed


class Scheduler:
    """Runs requests over a cache.

    Args:
        cache: Any prefix cache.
        max_context: Most tokens of a sequence that the model serves.
        eos: Token ids that end a reply.
        max_running: Requests that may run at once.
        chunk: Most prompt tokens of one iteration.
    """

    def __init__(
        self, cache: PrefixCache, *, max_context: int, eos: frozenset[int], max_running: int = 16, chunk: int = CHUNK
    ) -> None:
        self.cache = cache
        self.max_context = max_context
        self.max_running = max_running
        self._eos = eos
        self._chunk = chunk
        self._waiting: deque[Request] = deque()
        self._running: list[Request] = []
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

    def submit(self, request: Request) -> None:
        """Queues a request; opens a step when nothing else is going on.

        Raises:
            RequestError: it can never be served; nothing was computed.
        """
        self._refuse_impossible(request)
        if self.idle:
            self.cache.new_step()
        self._waiting.append(request)

    def _refuse_impossible(self, request: Request) -> None:
        size = request.prompt.size
        if not size:
            raise RequestError("the prompt is empty", "Type a message.")
        if size >= self.max_context:
            raise TooLong(
                f"the prompt has {size} tokens; the model's context holds {self.max_context}, reply included",
                "Shorten it, or give it less history.",
            )
        if size > self.cache.capacity:
            raise TooLong(
                f"the prompt has {size} tokens; the cache holds {self.cache.capacity}",
                f"Give it a larger capacity (at least {size + 1} tokens), or shorten the prompt.",
            )

    def cancel(self, request: Request) -> None:
        """Ends a request where it is; what was computed stays in the cache."""
        if request in self._waiting:
            self._waiting.remove(request)
        if request.finish is None:
            self._finish(request, Finish.CANCELLED)

    def fail(self, request: Request, error: RequestError) -> None:
        """Ends a request that cannot go on; drops what only it added."""
        if request in self._waiting:
            self._waiting.remove(request)
        if request.finish is None:
            request.error = error
            self._finish(request, Finish.ERROR)

    # -- one iteration ---------------------------------------------------------------------------------------------

    def plan(self) -> Planned | None:
        """Admits whom it can and says what to compute next: one prompt chunk, or one token of every running reply.

        Returns:
            None when nothing can run; requests that turned out impossible are finished with an error.
        """
        self._admit()
        prefill = next((request for request in self._running if request.prefilling), None)
        if prefill is not None:
            requests, works = [prefill], [self._prefill(prefill)]
        else:
            requests = self._decoding()
            works = [self._decode(request) for request in requests]
        copies, self._copies = self._copies, []
        return Planned(requests, works, copies) if works else None

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self.max_running:
            if any(request.prefilling for request in self._running):
                return
            request = self._waiting[0]
            peek = self.cache.peek(request.known, request.namespace)
            if not peek.fits:
                if self._running:
                    return  # somebody will finish
                self.fail(request, _no_room(request, peek.room, peek.available))
                continue
            self._waiting.popleft()
            self._start(request, peek.matched, peek.reused)

    def _start(self, request: Request, matched: int, reused: int) -> None:
        self._collect()
        if not request.retractions:
            request.matched, request.reused = matched, reused
            prompt = request.prompt.size
            self._events.append(RequestStarted(request.id, request.conversation, prompt, matched, reused))
        request.lease = lease = self.cache.begin(request.known, request.namespace)
        assert lease.computed == reused, "peek and begin agree"
        self._running.append(request)
        try:
            self._note(request, self.cache.extend(lease, request.size - len(lease)))
        except NoRoom as error:  # a cache whose peek promises too much
            self.fail(request, _no_room(request, error.needed, error.available))

    def _prefill(self, request: Request) -> Work:
        """The next chunk of a prompt (or of a forced reply)."""
        lease = _lease(request)
        start = lease.computed
        end = min(request.size, start + self._chunk)
        sampler = request.sampler if end == request.size and request.forced is None else None
        return Work(request.known[start:end], start, lease.slots[:end], sampler)

    def _decode(self, request: Request) -> Work:
        """The last sampled token, on top of everything before it."""
        lease = _lease(request)
        return Work(request.known[lease.computed :], lease.computed, lease.slots, request.sampler)

    def _decoding(self) -> list[Request]:
        """Gets room for one more token of every running request; returns those that run on."""
        roomy = []
        for request in list(self._running):
            if request in self._running and self._extend(request, request.size - len(_lease(request))):
                roomy.append(request)
        return [request for request in roomy if request in self._running]  # less those retracted for later ones

    def _extend(self, request: Request, tokens: int) -> bool:
        """Gets room, retracting others if need be; alone and without room the request ends, and False is returned."""
        while True:
            try:
                self._note(request, self.cache.extend(_lease(request), tokens))
                return True
            except NoRoom:
                others = [other for other in self._running if other is not request]
                if not others:
                    self._finish(request, Finish.CAPACITY)
                    return False
                self._retract(max(others, key=lambda other: other.id))

    def _retract(self, request: Request) -> None:
        self._collect()
        self.cache.finish(_lease(request))
        request.lease = None
        request.retractions += 1
        self._running.remove(request)
        self._waiting.appendleft(request)
        self._collect()
        self._events.append(RequestRetracted(request.id))

    def done(self, planned: Planned, sampled: list[int | None]) -> None:
        """Takes the results of an iteration: commits what was computed, appends what was sampled, ends who is done."""
        for request, work, token in zip(planned.requests, planned.works, sampled, strict=True):
            if request.finish is not None:
                continue  # cancelled meanwhile
            self._count(request, work)
            self._note(request, self.cache.commit(_lease(request), work.tokens))
            if token is not None:
                request.append([token])
                self._finish_if_over(request, token)
            elif request.forced is not None and _lease(request).computed == request.size:
                self._force(request)

    def _count(self, request: Request, work: Work) -> None:
        if request.retractions:
            request.recomputed += work.tokens.size
        else:
            request.prefilled += max(0, min(request.prompt.size, work.start + work.tokens.size) - work.start)

    def _force(self, request: Request) -> None:
        """Lets the next chunk of a given reply follow the prompt, by the same path."""
        assert request.forced is not None
        left = request.forced[len(request.generated) :][: self._chunk]
        if not left.size:
            self._finish(request, Finish.STOP)
        elif self._extend(request, int(left.size)):
            request.append(left.tolist())

    def _finish_if_over(self, request: Request, token: int) -> None:
        if token in self._eos and not request.params.ignore_eos:
            self._finish(request, Finish.STOP)
        elif len(request.generated) >= request.params.max_tokens or request.size >= self.max_context:
            self._finish(request, Finish.LENGTH)

    def stop(self, request: Request) -> None:
        """Ends a reply whose text reached a stop text."""
        if request.finish is None:
            self._finish(request, Finish.STOP)

    def _finish(self, request: Request, reason: Finish) -> None:
        request.finish = reason
        if request.lease is not None:
            keep = reason is not Finish.ERROR
            self.cache.finish(request.lease, keep=keep, uncached=request.uncached)
            request.lease = None
            self._running.remove(request)
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


def _no_room(request: Request, needed: int, available: int) -> RequestError:
    return RequestError(
        f"the prompt of {request.size} tokens needs {needed} tokens of room; {available} can be had",
        "Give a larger capacity, unpin nodes, or shorten the prompt.",
    )
