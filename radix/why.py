"""Why a prompt was not reused: for every token that was computed again, the cause, from a recording alone.

    whys = Whys(recording)             an index that grows with the recording
    whys.of_request(7).causes          tokens of the causes add up to prompt - reused, always

Nothing live is asked: what stood in the cache when the prompt was looked up is known from the events (`radix.past`).
Knows tokens and their bytes, no sentences (`chat.why`) and no chat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

from .ever import Life, Run, Stretch, ways
from .keys import Key, as_array, common_prefix, count, cut
from .past import UNFILLED, Asked, Asker, Past, Removal
from .presets import rules_named
from .recording import Recording
from .travel import NoStep

SHOWN = 16
"""Tokens shown from where a prompt and the cache part."""


class Reason(StrEnum):
    """Why a token was computed although the cache might have had it."""

    NEW = "new"  # this prefix was never in the cache
    LAST = "last-token"  # it is there, and the last one is always computed, for its logits
    ROUNDING = "rounding"  # it is there, in a page that the prompt shares only in part; or was, in one never filled
    EVICTED = "evicted"  # it was there, and went
    IN_FLIGHT = "in-flight"  # another request was computing it at the same time
    NAMESPACE = "namespace"  # another namespace holds it
    RETOKENISED = "retokenised"  # the same text is there, in other tokens
    REWRITTEN = "rewritten"  # new, since the chat template changed what it had said before (the engine was told so)
    HASH = "hash"  # the same tokens are there, under another hash (vLLM v0: as prompt and answer)
    UNMARKED = "unmarked"  # its K/V is there, and its block is not marked as computed (vLLM 0.4.2 and 0.5.4)
    BEHIND = "behind"  # it is there, and a block before it is not
    OFF = "no-cache"  # nothing is ever kept
    UNKNOWN = "unknown"  # the recording does not tell the tokens


class Cause(NamedTuple):
    """Some tokens of a prompt, and why they were computed."""

    reason: Reason
    tokens: int
    start: int  # position of the first of them
    removal: Removal | None = None  # of what was evicted: when, for whom, by which rule
    namespace: str = ""  # that holds it


@dataclass(frozen=True, slots=True)
class Why:
    """What a request found, and why no more."""

    asker: Asker
    step: int
    namespace: str
    prompt: int  # tokens
    matched: int  # found by the lookup
    reused: int  # not computed, when it began
    node: int | None  # where the match ended, of hash blocks the number of the block; None: nothing was found
    known: int  # tokens of the prompt that the recording tells, from its first
    at: int  # tokens from the prompt's first that stood in the cache, one by one; there the two part
    wanted: Key  # what the prompt goes on with
    there: Key  # what the cache had in that place; b"": nothing
    gone: Key  # what it had had there before: the same as the prompt, or anything where it has nothing now
    left: int | None  # tokens after which the prompt leaves what its conversation held; None: it goes on from there
    held: Key  # what the conversation held there
    parts: tuple[Cause, ...]  # of all tokens that were computed, one behind another
    again: int = 0  # tokens that were reused later, when it began again after it had been retracted

    @property
    def lost(self) -> int:
        """Tokens that were computed."""
        return self.prompt - self.reused

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What has the same cause, summed up: evictions of one step, by one rule and for the same, are one."""
        sums: dict[object, Cause] = {}
        for part in self.parts:
            went = part.removal
            kind = (part.reason, part.namespace, went and (went.step, went.why, went.askers))
            sums[kind] = sums[kind]._replace(tokens=sums[kind].tokens + part.tokens) if kind in sums else part
        return tuple(sums.values())

    def tokens(self, *reasons: Reason) -> int:
        """Returns how many tokens were computed for some reasons."""
        return sum(cause.tokens for cause in self.parts if cause.reason in reasons)


class NoRequest(NoStep):
    """A request that a recording does not have."""


class Whys:
    """Explains the requests of a recording that may be growing.

    Args:
        recording: Read by this thread alone.
    """

    def __init__(self, recording: Recording) -> None:
        self.past = Past(recording)
        self._recording = recording
        header = recording.header
        self._off = header.cache == "none"
        self._size = header.config.page_size
        self._rules = rules_named(header.config.preset) if header.config.preset else None

    def last(self) -> Asked | None:
        """Returns the request that began last, if there was one."""
        self.past.read_on()
        return next(reversed(self.past.requests.values()), None)

    def of_step(self, step: int) -> tuple[Why, ...]:
        """Explains all requests of a step; none where none began.

        Raises:
            NoStep: there is no such step.
            RecordingError: the recording is damaged.
        """
        self.past.read_on()
        if step not in self.past.steps:
            raise NoStep(f"there is no step {step}", _range("step", list(self.past.steps)))
        return tuple([self._explain(asked) for asked in self.past.steps[step]])

    def of_request(self, request: int) -> Why:
        """Explains a request.

        Raises:
            NoRequest: there is no such request.
            RecordingError: the recording is damaged.
        """
        self.past.read_on()
        if request not in self.past.requests:
            raise NoRequest(f"there is no request {request}", _range("request", list(self.past.requests)))
        return self._explain(self.past.requests[request])

    def _explain(self, asked: Asked) -> Why:
        key = cut(asked.key, 0, asked.prompt)
        along = self.past.ever.along(asked.namespace, key)
        at = self._reach(along, asked.moment)
        there, gone = self._beside(asked, key, along, at)
        left, before = self._left(asked, key)
        if self._off:
            causes: list[Cause] = [Cause(Reason.OFF, asked.prompt - asked.reused, asked.reused)]
        elif asked.lease < 0 and asked.ended is not None:  # a sample
            causes = [Cause(Reason.ROUNDING, asked.prompt - asked.reused, asked.reused)]
        else:
            causes = [
                part for cause in self._causes(asked, key, along, at) for part in _telling(cause, *asked.rewritten)
            ]
        return Why(
            asker=asked.asker,
            step=asked.step,
            namespace=asked.namespace,
            prompt=asked.prompt,
            matched=asked.matched,
            reused=asked.reused,
            node=asked.node,
            known=count(key),
            at=at,
            wanted=cut(key, at, at + SHOWN),
            there=there,
            gone=gone,
            left=left,
            held=before,
            parts=tuple([cause for cause in causes if cause.tokens]),
            again=max(0, asked.ended.reused - asked.reused) if asked.ended is not None else 0,
        )

    # -- causes ------------------------------------------------------------------------------------------------------

    def _causes(self, asked: Asked, key: Key, along: list[Stretch], held: int) -> Iterator[Cause]:
        """Yields the causes of all tokens that were computed, by position."""
        known = count(key)
        causes: list[Cause] = []
        for start, end, run in self._parts(asked, along, known):
            broken = any(cause.reason is not Reason.ROUNDING for cause in causes)
            causes.append(self._cause(asked, start, run, held, broken)._replace(tokens=end - start))
        new = max([asked.reused, *(cause.start + cause.tokens for cause in causes)])
        while causes and causes[-1].reason is Reason.NEW:
            new = causes.pop().start
        for cause in causes:
            if cause.reason is Reason.ROUNDING and cause.start + cause.tokens == asked.prompt:
                yield cause._replace(tokens=cause.tokens - 1)
                yield Cause(Reason.LAST, 1, asked.prompt - 1)
            else:
                yield cause
        yield from self._of_new(asked, key, along, new)
        start = max(known, asked.reused)
        yield Cause(Reason.UNKNOWN, asked.prompt - start, start)

    def _parts(self, asked: Asked, along: list[Stretch], known: int) -> Iterator[tuple[int, int, Run | None]]:
        """Yields the computed tokens that were ever there, or lie in blocks found: those of one run, in one block."""
        ends = {stretch.end for stretch in along}
        if self._rules is not None:
            size = self._size
            for place, found in asked.found.items():
                ends |= {place * size + found, (place + 1) * size}
            ends |= set(range(asked.reused, max(ends, default=0), size))  # what is reused is whole blocks
        limit = min(known, max(ends, default=0))
        start = asked.reused
        runs = iter(along)
        stretch = next(runs, None)
        for end in sorted({limit, *(end for end in ends if end < limit)}):
            if end > start:
                while stretch is not None and stretch.end <= start:
                    stretch = next(runs, None)
                yield start, end, stretch.run if stretch is not None else None
                start = end

    def _cause(self, asked: Asked, at: int, run: Run | None, held: int, broken: bool) -> Cause:
        """Returns the cause of the tokens from one position on; how many they are is not said yet."""
        lives = run.lives if run is not None else ()
        before = [life for life in lives if life.born < asked.moment]
        place, within = divmod(at, self._size)
        found = asked.found.get(place)
        if self._is_there(before, asked.moment) or (found is not None and within < found):
            reason = Reason.ROUNDING if self._rules is None else self._of_block(asked, place, held, broken)
            return Cause(reason, 0, at)
        if found is not None:
            return Cause(Reason.IN_FLIGHT, 0, at)  # hashed, and not computed yet
        if before:
            removal = self.past.removals[max(life.gone for life in before)]
            return Cause(Reason.ROUNDING, 0, at) if removal.why == UNFILLED else Cause(Reason.EVICTED, 0, at, removal)
        starts = self.past.starts
        if any(starts.get(life.lease, asked.moment) < asked.moment and life.born <= asked.ending for life in lives):
            return Cause(Reason.IN_FLIGHT, 0, at)
        return Cause(Reason.NEW, 0, at)

    def _of_block(self, asked: Asked, place: int, held: int, broken: bool) -> Reason:
        """Returns why tokens that a hash-block cache has were computed."""
        assert self._rules is not None
        last = (asked.prompt - 1) // self._size  # the block of the last token, and those behind it, do not count
        found = place in asked.found
        whole = place < last and (place + 1) * self._size <= held
        if whole and not found and self._rules.partial_sharing:
            return Reason.HASH
        if broken:
            return Reason.BEHIND
        if not whole:
            return Reason.ROUNDING
        return Reason.UNMARKED if found else Reason.UNKNOWN

    def _of_new(self, asked: Asked, key: Key, along: list[Stretch], start: int) -> Iterator[Cause]:
        """Tells the tokens apart that were never in the cache: those of other namespaces, those of the same text."""
        known = count(key)
        same = self._same_text(asked, key, along, start)
        if same:
            yield Cause(Reason.RETOKENISED, same, start)
            start += same
        for name in list(self.past.ever.roots):
            if name != asked.namespace and not same:
                reach = min(known, self._reach(self.past.ever.along(name, key), asked.moment))
                yield Cause(Reason.NAMESPACE, max(0, reach - start), start, namespace=name)
                start = max(start, reach)
        yield Cause(Reason.NEW, max(0, known - start), start)

    # -- what stood there --------------------------------------------------------------------------------------------

    def _is_there(self, lives: Iterable[Life], moment: int) -> bool:
        """Whether tokens were resident at a moment."""
        removals = self.past.removals
        return any(
            life.born < moment and (life.gone < 0 or removals[life.gone].moment >= moment) for life in lives
        )  # fmt: skip

    def _reach(self, along: list[Stretch], moment: int) -> int:
        """Returns how many tokens, from the first, were resident at a moment without a gap."""
        gap = next((stretch.start for stretch in along if not self._is_there(stretch.run.lives, moment)), None)
        return gap if gap is not None else along[-1].end if along else 0

    def _ways(self, asked: Asked, along: list[Stretch], at: int) -> list[tuple[Run, int]]:
        """Returns how the cache went on, or had gone on, behind a position of a prompt; the newest first."""
        run = next((stretch.run for stretch in along if stretch.end >= at), along[-1].run if along else None)
        found = ways(run or self.past.ever.root(asked.namespace), at)
        return _newest(found, asked.moment)

    def _beside(self, asked: Asked, key: Key, along: list[Stretch], at: int) -> tuple[Key, Key]:
        """Returns what stood in the cache where a prompt goes on otherwise, and what had stood there.

        The latter is what the prompt itself goes on with, if that was there; else it is told where now nothing is.
        """
        found = self._ways(asked, along, at) if at < count(key) else []
        there = [way for way in found if self._is_there(way[0].lives, asked.moment)]
        went = [way for way in found if _goes_on(*way, key, at)] or ([] if there else found)
        return _first_of(there, asked.moment), _first_of(went, asked.moment)

    def _same_text(self, asked: Asked, key: Key, along: list[Stretch], start: int) -> int:
        """Returns how many tokens from a position on only repeat, in other tokens, a text that the cache knew."""
        pieces = self._recording.pieces
        spelled = [pieces.get(token, b"") for token in as_array(cut(key, start)).tolist()]
        text = b"".join(spelled)
        ends = dict(zip(accumulate(map(len, spelled)), range(1, len(spelled) + 1), strict=True))
        best = 0
        stack = [(run, at, 0) for run, at in self._ways(asked, along, start)] if start < count(key) else []
        while stack:
            run, at, offset = stack.pop()
            for token in as_array(cut(run.key, at)).tolist():
                piece = pieces.get(token, b"")
                if not piece or not text.startswith(piece, offset):
                    break
                offset += len(piece)
                best = max(best, ends.get(offset, 0))
            else:
                stack += [(below, 0, offset) for below, _ in _below(run, asked.moment)]
        return best

    def _left(self, asked: Asked, key: Key) -> tuple[int | None, Key]:
        """Returns where a prompt leaves what its conversation held, and what that was."""
        before = self.past.before(asked)
        if before is None:
            return None, b""
        held = before.key
        at = common_prefix(held, key)
        return (at, cut(held, at, at + SHOWN)) if at < min(count(held), count(key)) else (None, b"")


def why(recording: Recording, *, request: int) -> Why:
    """Explains one request; whoever asks for several keeps a `Whys`. Raises as `Whys.of_request` does."""
    return Whys(recording).of_request(request)


def _telling(cause: Cause, start: int, end: int) -> Iterator[Cause]:
    """Tells apart what is new since a template said tokens ``[start, end)`` anew."""
    first, last = cause.start, cause.start + cause.tokens
    start, end = max(first, min(last, start)), max(first, min(last, end))
    if cause.reason is not Reason.NEW or start >= end:
        yield cause
        return
    yield Cause(Reason.NEW, start - first, first)
    yield Cause(Reason.REWRITTEN, end - start, start)
    yield Cause(Reason.NEW, last - end, end)


def _newest(found: list[tuple[Run, int]], moment: int) -> list[tuple[Run, int]]:
    """Returns those runs that were there before a moment, those that came last first."""
    born = {id(run): max([life.born for life in run.lives if life.born < moment], default=-1) for run, _ in found}
    return sorted((way for way in found if born[id(way[0])] >= 0), key=lambda way: -born[id(way[0])])


def _below(run: Run, moment: int) -> list[tuple[Run, int]]:
    """Returns the runs below one that were there before a moment, those that came last first."""
    return _newest([(each, 0) for each in run.below.values()], moment)


def _ahead(run: Run, at: int, moment: int) -> Key:
    """Returns the next tokens behind a place in a run, along what came last."""
    key = cut(run.key, at, at + SHOWN)
    while count(key) < SHOWN:
        below = _below(run, moment)
        if not below:
            break
        run = below[0][0]
        key = cut(key + run.key, 0, SHOWN)
    return key


def _first_of(found: list[tuple[Run, int]], moment: int) -> Key:
    return _ahead(*found[0], moment) if found else b""


def _goes_on(run: Run, at: int, key: Key, start: int) -> bool:
    return cut(run.key, at, at + 1) == cut(key, start, start + 1)


def _range(what: str, numbers: list[int]) -> str:
    if not numbers:
        return f"The recording has no {what}s yet."
    first, last = min(numbers), max(numbers)
    return f"Its only {what} is {last}." if first == last else f"It has the {what}s {first:,} to {last:,}."
