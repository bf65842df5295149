"""What a comparison says: a sentence for each cause, the table, and the same for programs.

All text of tokens passes the labels of `viz`, so that every line is safe to print. Knows contests; no terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...radix.keys import count
from ...radix.why import Reason
from ...viz import Labels, label, memory_text
from ...viz.cells import paragraphs
from ..signature import milliseconds
from .contest import Arm, Contest, Row, Victim
from .losses import RETRACTED, Loss, losses, so_far

QUOTED = 40
"""Cells of a text in a sentence."""

VICTIMS = 3
"""Victims of a step that are named."""

_COLUMNS = ("reused", "prefilled", "evicted", "resident")

_SPARE = ("K and V", "resident", "evicted", "prompt", "TTFT", "prefilled")
"""Columns of the table that are left out where it is wider than a line may be, the first one first."""


class Words:
    """Sentences about a contest.

    Args:
        contest: What is told.
        width: The most cells of a line.
        ascii: Whether lines consist of ASCII only.
        arms: Those that are told of, by their places; the others are compared with the first. None is all.
    """

    def __init__(self, contest: Contest, *, width: int, ascii: bool, arms: Sequence[int] | None = None) -> None:
        self._contest = contest
        self._places = tuple(range(len(contest.arms)) if arms is None else arms)
        self._width = width
        self._ascii = ascii
        self._dot = " - " if ascii else " · "
        self._labels: dict[int, Labels] = {}

    @property
    def _arms(self) -> list[Arm]:
        return [self._contest.arms[at] for at in self._places]

    def heading(self, place: int) -> str:
        """Says what is compared, and which step of it; in one line."""
        script, step = self._contest.script, self._contest.steps[place]
        parts = [script.title, f"step {step.number} of {len(script.steps)}"]
        if step.title:
            parts[-1] += f": {step.title}"
        parts.append(f"capacity {self._contest.arms[0].panel(place).capacity:,} tokens")
        if script.model:
            parts.append(script.model)
        return label(self._dot.join(parts), ascii=self._ascii).plain

    def panel(self, arm: Arm, place: int) -> str:
        """Names a cache above its picture, in one line."""
        row = arm.rows[place]
        rules = f", {arm.entrant.rules}" if arm.entrant.rules else ""
        found = f"reused {row.reused:,} of {row.prompt:,}" if row.prompt else "no requests"
        return f"{arm.entrant.title}{rules}{self._dot}{found}"

    # -- the table -----------------------------------------------------------------------------------------------------

    def table(self, place: int) -> Iterator[str]:
        """Yields the numbers of the step at a place, and of all steps so far."""
        step = self._contest.steps[place]
        groups = [(f"step {step.number}", [arm.rows[place] for arm in self._arms])]
        if place:
            groups.append(("so far", [arm.total(place) for arm in self._arms]))
        size, computed = self._contest.script.bytes_per_token, self._contest.computed
        head = ["tokens", "prompt", *_COLUMNS, *(["K and V"] if size else []), *(["TTFT"] if computed else [])]
        lines = [head]
        for first, (name, rows) in zip((place, 0), groups, strict=False):
            for arm, row in zip(self._arms, rows, strict=True):
                times = [milliseconds(sum(arm.times[first : place + 1]))] if computed else []
                lines.append([f"{name}  {arm.entrant.title}", *self._cells(row, size), *times])
        lines = self._fitting(lines)
        head = lines[0]
        widths = _widths(lines)
        before = ""
        for line in lines:
            group = line[0].split("  ")[0]
            if line is not head and before not in ("", "tokens", group):
                yield ""
            before = group
            rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
            yield "  ".join([line[0].ljust(widths[0]), *rest])

    def _fitting(self, lines: list[list[str]]) -> list[list[str]]:
        """Returns the table without those columns that one can do without and that do not fit."""
        for name in _SPARE:
            widths = _widths(lines)
            if sum(widths) + 2 * (len(widths) - 1) <= self._width:
                break
            if name in lines[0]:
                at = lines[0].index(name)
                lines = [[*line[:at], *line[at + 1 :]] for line in lines]
        return lines

    @staticmethod
    def _cells(row: Row, size: int) -> list[str]:
        cells = [f"{row.prompt:,}", *(f"{getattr(row, name):,}" for name in _COLUMNS)]
        return [*cells, memory_text(row.resident * size)] if size else cells

    # -- why -----------------------------------------------------------------------------------------------------------

    def why(self, place: int) -> Iterator[str]:
        """Yields, for each cache but the first, why it reused less or more, in lines that fit; then what went."""
        for at in self._places[1:]:
            yield from self._wrapped(self.of_arm(place, at))
        victims = list(self.victims(place))
        if victims:
            yield ""
            yield from self._wrapped(victims)

    def _wrapped(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            indent = len(line) - len(line.lstrip())
            for number, part in enumerate(paragraphs(line.strip(), self._width - indent - 2, ascii=self._ascii)):
                yield " " * (indent + 2 * bool(number)) + part

    def of_arm(self, place: int, at: int) -> Iterator[str]:
        """Yields why an arm reused less or more than the first, a line a cause; not wrapped."""
        contest = self._contest
        first = self._places[0]
        arm, base = contest.arms[at], contest.arms[first]
        yield from self._group(
            f"step {contest.steps[place].number}", arm, base, at, losses(contest, place, at, first), place
        )
        if contest.computed and contest.steps[place].requests:
            yield self._said(place, at)
        if place:
            yield from self._group("so far", arm, base, at, so_far(contest, place, at, first), None, last=place)
        for failed, what in arm.failures:
            if failed == place:
                yield f"  did not fit: {label(what, ascii=self._ascii).plain}"

    def _said(self, place: int, at: int) -> str:
        """Says whether a step's replies are those of the first cache."""
        where, replies = self._contest.differs(place, at, self._places[0]), self._contest.arms[at].replies[place]
        if where is None:
            return f"  the same text, {_tokens(sum(map(len, replies)))}"
        which = f" of reply {where[0] + 1}" if len(replies) > 1 else ""
        return f"  another text, from token {where[1] + 1}{which} on"

    def _group(
        self, name: str, arm: Arm, base: Arm, at: int, found: Sequence[Loss], place: int | None, last: int = 0
    ) -> Iterator[str]:
        rows = (base.rows[place], arm.rows[place]) if place is not None else (base.total(last), arm.total(last))
        if not rows[0].prompt:
            return
        less = rows[0].reused - rows[1].reused
        said = f"{_tokens(abs(less))} {'less' if less > 0 else 'more'}" if less else "as much"
        yield f"{name}: {arm.entrant.title} reused {said} {'than' if less else 'as'} the {base.entrant.title}"
        for loss in found:
            who = "" if loss.own else f"lost by the {base.entrant.title}: "
            whose = (arm, at) if loss.own else (base, self._places[0])
            yield f"  {loss.tokens:,} tok: {who}{self._because(loss, *whose)}"

    def _because(self, loss: Loss, arm: Arm, at: int) -> str:
        size = arm.entrant.config.page_size
        unit = "block" if arm.entrant.config.preset else "page"
        text = f": {self._quoted(at, loss)}" if loss.key else ""
        match loss.reason:
            case Reason.ROUNDING:
                return f"{unit} rounding, only whole {unit}s of {size} are reused"
            case Reason.LAST:
                rest = f", and its {unit} of {size} with it" if size > 1 else ""
                return f"the last-token rule, one token is always computed{rest}"
            case Reason.EVICTED:
                assert loss.removal is not None
                when = f" in step {loss.removal.step}" if loss.removal.step else ""
                return f"evicted{when} {self._rule(loss.removal.why)}{text}"
            case Reason.HASH:
                return f"the output hash, an answer's tokens have another hash when they come back in a prompt{text}"
            case Reason.UNMARKED:
                return f"not marked as computed, so the hit did not count{text}"
            case Reason.IN_FLIGHT:
                return f"not computed in time, another request was at it{text}"
            case Reason.BEHIND:
                return f"behind a block that is not there{text}"
            case Reason.NAMESPACE:
                return f"in namespace {label(loss.namespace, ascii=self._ascii).plain!r} only{text}"
            case Reason.OFF:
                return "nothing is ever kept"
            case Reason.NEW:
                return f"never there, an earlier request did not fit{text}"
            case Reason.UNKNOWN:
                return "not told by the recordings, one of the two refused a request"
            case _ if loss.reason == RETRACTED:
                return "a request gave way to others, and began again"
        return f"{loss.reason}{text}"

    @staticmethod
    def _rule(why: str) -> str:
        rules = {
            "not last": "with what is not the last sequence", "shrunk": "when the capacity shrank",
            "queue": "as the first of the free queue", "lru-depth": "as the oldest use, the deepest first",
            "all": "with all that nobody holds", "cleared": "when the cache was emptied",
            "overwritten": "because an equal block took its place", "discarded": "with a request that failed",
            "written over": "when another request went on in its block", "asked": "by hand",
            "rehashed": "when its block got another hash",
        }  # fmt: skip
        return rules.get(why, f"by {why}")

    # -- victims -------------------------------------------------------------------------------------------------------

    def victims(self, place: int) -> Iterator[str]:
        """Yields what each cache evicted in the step at a place, a line a cache."""
        for at, arm in zip(self._places, self._arms, strict=True):
            gone = arm.victims[place]
            if gone:
                named = ", ".join(self._victim(at, one) for one in gone[:VICTIMS])
                more = f" and {len(gone) - VICTIMS} more" if len(gone) > VICTIMS else ""
                yield f"{arm.entrant.title} evicted {named}{more}"

    def _victim(self, at: int, gone: Victim) -> str:
        return f"{self._text(at, gone.key)} ({gone.tokens:,} tok)"

    def _quoted(self, at: int, loss: Loss) -> str:
        return self._text(at, loss.key)

    def _text(self, at: int, key: bytes) -> str:
        if at not in self._labels:
            self._labels[at] = Labels(self._contest.arms[at].recording.pieces, ascii=self._ascii)
        quotes = '""' if self._ascii else "“”"
        if not count(key):
            return "a part of a node"
        return f"{quotes[0]}{self._labels[at].fit(key, QUOTED).plain}{quotes[1]}"


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    """Returns the cells that each column of a table takes."""
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _tokens(number: int) -> str:
    return f"{number:,} token{'' if number == 1 else 's'}"


def as_json(contest: Contest, places: Iterable[int]) -> dict[str, Any]:
    """Returns a comparison for programs."""
    script = contest.script
    return {
        "title": script.title,
        "model": script.model,
        "bytes_per_token": script.bytes_per_token,
        "notes": list(script.notes),
        "caches": [
            {
                "name": arm.entrant.name,
                "cache": arm.entrant.cache,
                "preset": arm.entrant.config.preset or None,
                "capacity": arm.entrant.config.capacity,
                "page_size": arm.entrant.config.page_size,
                "policy": arm.entrant.config.policy if arm.entrant.cache == "radix" else None,
            }
            for arm in contest.arms
        ],
        "steps": [_step_json(contest, place) for place in places],
    }


def _step_json(contest: Contest, place: int) -> dict[str, Any]:
    step = contest.steps[place]
    words = Words(contest, width=80, ascii=False)
    return {
        "step": step.number,
        "title": step.title,
        "requests": len(step.requests),
        "caches": {
            arm.entrant.name: {
                "step": _row_json(arm.rows[place], contest.script.bytes_per_token),
                "so_far": _row_json(arm.total(place), contest.script.bytes_per_token),
                "evicted": [
                    {"tokens": gone.tokens, "text": words._text(at, gone.key), "why": gone.why}
                    for gone in arm.victims[place]
                ],
                "failed": [what for failed, what in arm.failures if failed == place],
                "ttft_ms": arm.times[place] if arm.times else None,
                "same_text": contest.differs(place, at) is None if contest.computed else None,
                "against": _losses_json(contest, place, at, words) if at else None,
            }
            for at, arm in enumerate(contest.arms)
        },
    }


def _row_json(row: Row, size: int) -> dict[str, int]:
    return {**row._asdict(), "bytes": row.resident * size}


def _losses_json(contest: Contest, place: int, at: int, words: Words) -> dict[str, Any]:
    base = contest.arms[0].entrant.name
    return {
        "cache": base,
        "step": [_loss_json(loss, at if loss.own else 0, words) for loss in losses(contest, place, at)],
        "so_far": [_loss_json(loss, at if loss.own else 0, words) for loss in so_far(contest, place, at)],
    }


def _loss_json(loss: Loss, at: int, words: Words) -> dict[str, Any]:
    went = loss.removal
    return {
        "why": str(loss.reason),
        "tokens": loss.tokens,
        "lost_by": "this" if loss.own else "the other",
        "text": words._text(at, loss.key) if loss.key else None,
        "evicted": None if went is None else {"step": went.step or None, "why": went.why},
        "namespace": loss.namespace or None,
    }
