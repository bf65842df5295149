"""What a topic is made of: turns, facts with their wordings, and held-out cases.

A topic makes turns for the corpus and lists cases for the evaluation. It knows no token and no model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from noise import typed
from wording import both_ways, sample


@dataclass(frozen=True)
class Turn:
    """A message and its reply, with what a later turn may refer to."""

    user: str
    reply: str
    short: str = ""  # the reply in fewer words, for "say that shorter"
    more: str = ""  # one more sentence, for "tell me more"
    kind: str = ""  # what follow-ups look for, such as "country" or "joke"
    subject: str = ""  # which one


@dataclass(frozen=True)
class Case:
    """One held-out question: right if the whole reply matches the regular expression."""

    user: str
    expected: str
    history: tuple[Turn, ...] = ()
    system: str | None = None
    before: str | None = None  # the whole text before the reply, where it is not a chat


@dataclass(frozen=True)
class Fact:
    """A reply and the many ways to ask for it."""

    reply: str
    asks: tuple[str, ...]  # patterns, see wording.py
    held_out: tuple[str, ...] = ()  # wordings that the corpus never contains
    short: str = ""
    more: str = ""

    def turn(self, user: str) -> Turn:
        """The fact as the answer to this message."""
        return Turn(user, self.reply, self.short, self.more)


Make = Callable[[Random, "tuple[Turn, ...]"], "Turn | None"]


@dataclass(frozen=True)
class Topic:
    """A named source of turns. `make` gets the turns so far and may decline with None."""

    name: str
    weight: float
    make: Make
    cases: tuple[Case, ...] = ()
    facts: tuple[Fact, ...] = ()


def fact(reply: str, asks: str, held_out: str = "", short: str = "", more: str = "") -> Fact:
    """A fact from text blocks: one pattern a line, one held-out wording a line."""
    return Fact(reply, lines(asks), lines(held_out), short, more)


def fact_topic(name: str, weight: float, facts: tuple[Fact, ...], *, loose: bool = True) -> Topic:
    """A topic whose facts are all equally likely."""

    def make(rng: Random, history: tuple[Turn, ...]) -> Turn:
        chosen = rng.choice(facts)
        return chosen.turn(ask(rng.choice(chosen.asks), rng, loose=loose))

    cases = tuple(Case(wording, re.escape(each.reply)) for each in facts for wording in each.held_out)
    return Topic(name, weight, make, cases, facts)


def ask(pattern: str, rng: Random, *, loose: bool = True, slips: bool = True) -> str:
    """A wording of the pattern as somebody types it."""
    return typed(sample(both_ways(pattern, rng), rng), rng, loose=loose, slips=slips)


def lines(block: str) -> tuple[str, ...]:
    """The lines of a text block, without the empty ones."""
    return tuple(line.strip() for line in block.strip().splitlines() if line.strip())


__all__ = ["Case", "Fact", "Topic", "Turn", "ask", "fact", "fact_topic", "lines"]
