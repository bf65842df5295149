"""Why one cache reused less than another: for each token that the other one reused, the cause, from `radix.why`.

The causes of a request lie one behind another in its prompt; those between the ends of what two caches reused are the
whole difference, but for requests that were retracted, or refused by one of the two. Knows contests; no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from ...radix.events import RequestRetracted
from ...radix.keys import Key, cut
from ...radix.past import Removal
from ...radix.why import Cause, Reason, Why
from .contest import Contest

RETRACTED = "retracted"
"""What was computed again, or reused, because a request gave way to others and began again."""


class Loss(NamedTuple):
    """Tokens that one of two caches reused and the other computed, for one cause."""

    reason: str  # of Reason, or RETRACTED
    tokens: int
    own: bool  # whether it is the cache itself that computed them; else the one that it is compared with
    key: Key = b""  # the longest stretch of them
    removal: Removal | None = None  # of what went: when, by which rule, for whom
    namespace: str = ""  # that holds them


def losses(contest: Contest, place: int, arm: int, base: int = 0) -> list[Loss]:
    """Returns why an arm reused less than another in the step at a place, or more; the largest loss first.

    Tokens of an arm's own losses less those of the other are how much less it reused.
    """
    known = contest.losses.get((place, arm, base))
    if known is None:
        known = contest.losses[place, arm, base] = _losses(contest, place, arm, base)
    return known


def _losses(contest: Contest, place: int, arm: int, base: int) -> list[Loss]:
    number = place + 1  # steps of a recording count from 1
    mine, theirs = (
        {why.asker.request: why for why in _whys(contest, at, number)} for at in (arm, base)
    )  # fmt: skip
    found: list[Loss] = []
    for request in mine.keys() & theirs.keys():
        ours, others = mine[request], theirs[request]
        found += _lost(contest, arm, ours, others.reused, own=True)
        found += _lost(contest, base, others, ours.reused, own=False)
    begun = mine.keys() & theirs.keys() & (_retracted(contest, arm, place) | _retracted(contest, base, place))
    again = sum(_later(contest, base, theirs[one]) - _later(contest, arm, mine[one]) for one in begun)
    reused = contest.arms[base].rows[place].reused - contest.arms[arm].rows[place].reused
    rest = reused - again - sum(loss.tokens if loss.own else -loss.tokens for loss in found)
    for reason, tokens in ((RETRACTED, again), (Reason.UNKNOWN, rest)):
        if tokens:
            found.append(Loss(reason, abs(tokens), own=tokens > 0))
    return summed(found)


def _retracted(contest: Contest, at: int, place: int) -> set[int]:
    """Returns the requests that gave way to others in a step."""
    arm = contest.arms[at]
    events = arm.recording.events[arm.ends[place - 1] if place else 0 : arm.ends[place]]
    return {event.request for event in events if isinstance(event, RequestRetracted)}


def _later(contest: Contest, at: int, why: Why) -> int:
    """Returns how many tokens more a request reused in the end than when it began first; fewer are below 0."""
    ended = contest.whys[at].past.requests[why.asker.request].ended
    return ended.reused - why.reused if ended is not None else 0


def summed(losses: Iterable[Loss]) -> list[Loss]:
    """Returns losses of one cause as one, the largest first; evictions of one step and rule are one cause."""
    sums: dict[object, Loss] = {}
    for loss in losses:
        went = loss.removal
        kind = (loss.reason, loss.own, loss.namespace, went and (went.step, went.why))
        before = sums.get(kind)
        if before is not None:
            longest = max(before.key, loss.key, key=len)
            loss = loss._replace(tokens=before.tokens + loss.tokens, key=longest)
        sums[kind] = loss
    return sorted(sums.values(), key=lambda loss: (not loss.own, -loss.tokens))


def so_far(contest: Contest, place: int, arm: int, base: int = 0) -> list[Loss]:
    """Returns the losses of all steps up to the one at a place."""
    every = (loss for at in range(place + 1) for loss in losses(contest, at, arm, base))
    return summed(loss._replace(removal=_only_why(loss.removal)) for loss in every)


def _only_why(removal: Removal | None) -> Removal | None:
    """Over many steps evictions by one rule are one cause."""
    return None if removal is None else removal._replace(step=0, askers=())


def _whys(contest: Contest, arm: int, number: int) -> tuple[Why, ...]:
    return contest.whys[arm].of_step(number)


def _lost(contest: Contest, arm: int, why: Why, reused: int, *, own: bool) -> Iterator[Loss]:
    """Yields what an arm computed of the tokens up to where another one reused."""
    key = contest.whys[arm].past.requests[why.asker.request].key
    parts = [part for part in _by_rule(why, contest.arms[arm].entrant.config.page_size) if part.start < reused]
    for part, stretch in groupby(parts, lambda part: part._replace(tokens=0, start=0, removal=_of_step(part.removal))):
        run = list(stretch)
        start, end = run[0].start, min(run[-1].start + run[-1].tokens, reused)
        yield Loss(part.reason, end - start, own, cut(key, start, end), run[0].removal, part.namespace)


def _of_step(removal: Removal | None) -> Removal | None:
    """What went in one step by one rule, block by block, has one cause."""
    return removal and removal._replace(moment=0, order=0, age=0, asked=0, askers=())


def _by_rule(why: Why, size: int) -> Iterator[Cause]:
    """Yields the causes of a request's computed tokens; where a full last page is there, all of it is the last token's.

    `radix.why` counts only that one token; what else of its page must be computed with it, it counts as rounding.
    """
    last = why.prompt - size
    full = why.prompt % size == 0 and why.at == why.prompt
    for part in why.parts:
        if full and part.reason is Reason.ROUNDING and part.start >= last:
            part = part._replace(reason=Reason.LAST)
        yield part
