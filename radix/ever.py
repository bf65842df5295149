"""Everything that was ever resident: a compressed tree of tokens in which nothing is forgotten.

A live cache forgets what it evicts; this remembers of every prefix when it came, through which lease, and when and why
it went. Moments are numbers that rise with every lookup; what happens between two lookups cannot be told apart, and
need not be. A position in the tree is a run at or below it, and its distance from the root: such a pair stays right
when runs are split, since the lower part stays the same object. Knows no events, no requests and no text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .keys import TOKEN_BYTES, Key, common_prefix, count, cut


class Life(NamedTuple):
    """One stay of some tokens in a cache."""

    born: int  # moment
    lease: int  # through which they came
    gone: int = -1  # number of the removal that ended it; -1: they are still there


Lives = tuple[Life, ...]


class Run:
    """Tokens that came and went together, below others."""

    __slots__ = ("above", "below", "key", "lives", "start")

    def __init__(self, above: Run | None, start: int, key: Key, lives: Lives) -> None:
        self.above = above
        self.start = start  # tokens from the root to its first
        self.key = key
        self.lives = lives
        self.below: dict[Key, Run] = {}  # by their first token

    @property
    def end(self) -> int:
        """Tokens from the root to its last."""
        return self.start + len(self.key) // TOKEN_BYTES


class Stretch(NamedTuple):
    """A part of a prompt that lies on one run."""

    start: int  # position of its first token in the prompt
    end: int  # position after its last
    run: Run


class Ever:
    """What a cache ever held, by namespace."""

    def __init__(self) -> None:
        self.roots: dict[str, Run] = {}

    def root(self, namespace: str) -> Run:
        """Returns the root of a namespace."""
        if namespace not in self.roots:
            self.roots[namespace] = Run(None, 0, b"", ())
        return self.roots[namespace]

    def add(self, run: Run, end: int, key: Key, life: Life) -> Run:
        """Notes that tokens came, behind a position; returns a run at or below their end."""
        run = _holding(run, end)
        at, done = end - run.start, 0
        while True:
            done += common_prefix(run.key, key, done, skip=at) if at < count(run.key) else 0
            below = run.below.get(cut(key, done, done + 1)) if end + done == run.end else None
            if below is None:
                break
            run, at = below, 0
        if done:
            self._change(run, end, end + done, lambda lives: (*lives, life))
        rest = cut(key, done)
        return self._append(_holding(run, end + done), end + done, rest, life) if rest else run

    def _append(self, run: Run, end: int, key: Key, life: Life) -> Run:
        if end < run.end:
            run = _split(run, end - run.start)
        if not run.below and run.lives == (life,):
            run.key += key
            return run
        new = Run(run, end, key, (life,))
        run.below[cut(key, 0, 1)] = new
        return new

    def lose(self, run: Run, start: int, end: int, removal: int) -> None:
        """Notes that the tokens from one distance to another, on the way to a run, went."""
        self._change(run, start, end, lambda lives: _ended(lives, removal))

    def clear(self, removal: int) -> None:
        """Notes that everything went."""
        for run in self._all():
            if any(life.gone < 0 for life in run.lives):
                run.lives = tuple([life if life.gone >= 0 else life._replace(gone=removal) for life in run.lives])

    def along(self, namespace: str, key: Key) -> list[Stretch]:
        """Returns where a prompt lies, as far as it was ever there; changes nothing."""
        found: list[Stretch] = []
        run, at = self.root(namespace), 0
        while (below := run.below.get(cut(key, at, at + 1))) is not None:
            same = common_prefix(below.key, key, at)
            found.append(Stretch(at, at + same, below))
            at += same
            if at < below.end:
                break
            run = below
        return found

    def _change(self, run: Run, start: int, end: int, change: Callable[[Lives], Lives]) -> None:
        run = _holding(run, end)
        if end < run.end:
            run = _split(run, end - run.start)
        while run.end > start:
            if run.start < start:
                _split(run, start - run.start)
            run.lives = change(run.lives)
            assert run.above is not None
            run = run.above

    def _all(self) -> Iterator[Run]:
        stack = list(self.roots.values())
        while stack:
            run = stack.pop()
            yield run
            stack.extend(run.below.values())


def path(run: Run, end: int) -> Key:
    """Returns the tokens from the root to a distance on the way to a run."""
    parts: list[Key] = []
    above: Run | None = run
    while above is not None:
        parts.append(above.key)
        above = above.above
    return cut(b"".join(reversed(parts)), 0, end)


def ways(run: Run, at: int) -> list[tuple[Run, int]]:
    """Returns the runs that go on behind a distance on the way to, or at, a run, and how much of each lies before."""
    run = _holding(run, at)
    return [(run, at - run.start)] if at < run.end else [(below, 0) for below in run.below.values()]


def _holding(run: Run, end: int) -> Run:
    """Returns the run in which, or at whose end, a distance on the way to a run lies."""
    while run.start >= end and run.above is not None:
        run = run.above
    return run


def _split(run: Run, at: int) -> Run:
    """Cuts a run; returns the new upper part."""
    above = run.above
    assert above is not None
    head = Run(above, run.start, cut(run.key, 0, at), run.lives)
    above.below[cut(run.key, 0, 1)] = head
    run.above, run.start, run.key = head, run.start + at, cut(run.key, at)
    head.below[cut(run.key, 0, 1)] = run
    return head


def _ended(lives: Lives, removal: int) -> Lives:
    """Ends the youngest life that goes on; equal tokens are exchangeable."""
    place = max(place for place, life in enumerate(lives) if life.gone < 0)
    return (*lives[:place], lives[place]._replace(gone=removal), *lives[place + 1 :])
