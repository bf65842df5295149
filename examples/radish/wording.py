"""A tiny pattern language for wordings.

``(a|b|)`` chooses, ``{name}`` stands for one of the phrases in `PHRASES`; choices may be nested. A pattern is data, so
a fact needs a few lines for hundreds of wordings. This module knows no topic, no token and no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from random import Random
from typing import TypeAlias

Choice: TypeAlias = "list[Sequence]"
Sequence: TypeAlias = "tuple[str | Choice, ...]"

PHRASES = {
    "what": (
        "(what is|what's|whats|what exactly is|what is that,|explain|please explain|can you explain|define|describe|"
        "could you explain to me|tell me about|tell me what is|what do you know about|what is meant by|do you know|"
        "help me understand|what about|how about|and|teach me about|give me a definition of|what do people mean by|"
        "i do not understand|i want to learn about|what on earth is|say something about|i would like to understand|"
        "give me (an explanation|a summary|an overview|an account) of|what is the (meaning|definition|role) of|"
        "what kind of (thing|concept|animal) is|in your words, what is|how would you (explain|define|describe)|"
        "where can i read about|remind me what is|what do we call|the term|the word|i read about|we talked about|"
        "is there such a thing as|have you heard of|you mentioned|i wonder about|what can you say about)"
    ),
    "what_after": (
        "(, what is that|, what is it|: what is it|: what does it mean|, what does that mean| is what| means what|"
        ", please explain|, can you explain it|, what do you know about it|, never heard of it|, any explanation|"
        ", i do not get it|, tell me|: a definition please|, in a few words|: what do you make of it| - what is it)"
    ),
    "how": (
        "(how do i|how can i|how to|how would i|how does one|what do i type to|which command lets me|"
        "which command is used to|what is the command to|what's the command to|i want to|i would like to|"
        "is there a way to|can i|could i|show me how to|i need to|tell me how to|is it possible to|"
        "what should i do to|help me|how might someone|the command to|give me the command to|i am trying to|i plan to|"
        "i wish to|what must i enter to|how do people|where do i go to|let me|may i|what is needed to|i have to|"
        "which word do i type to|what is the way to|how is it possible to|my wish is to|somebody wants to|we want to)"
    ),
    "how_after": (
        "(, how|, how do i do that|: how|: which command|, which command is it|, what do i type|, is that possible|"
        ", how does that work|: what do i enter|, can i do that|, what is the command| - how)"
    ),
    "wish": (
        "(i'd like to|i need to|we want to|i have to|suppose i want to|if i want to|let us|i was asked to|"
        "my plan is to|i would love to|we need to|sometimes i want to|today i will)"
    ),
    "lets": (
        "(what lets me|what allows me to|what helps me to|which command lets us|is there something to|"
        "is there a command to|which key do i press to|what is there to|what would let somebody)"
    ),
    "why": (
        "(why|why exactly|tell me why|explain why|do you know why|can you say why|how come|what is the reason that|"
        "for which reason|i do not see why|i wonder why|please explain why|what explains that|is there a reason why)"
    ),
    "does": (
        "(what does|tell me what|explain what|what exactly does|what will|can you tell me what|i wonder what|"
        "do you know what|please say what|what can|i do not know what)"
    ),
}

_NAME = re.compile(r"\{(\w+)\}")
_MARK = re.compile(r"([(|)])")
_NOT_WORD = re.compile(r"[^\w\s+\-/]|_")


def both_ways(pattern: str, rng: Random) -> str:
    """The pattern, or now and then the same with its frame behind: "a trie, what is that"."""
    for frame in ("{what}", "{how}"):
        if pattern.startswith(f"{frame} ") and rng.random() < 0.2:
            return pattern.removeprefix(f"{frame} ") + frame.replace("}", "_after}")
    return pattern


def sample(pattern: str, rng: Random) -> str:
    """One wording of the pattern."""
    return " ".join(_sample(_parse(_with_phrases(pattern)), rng).split())


def expand(pattern: str) -> set[str]:
    """Every wording of the pattern."""
    return {" ".join(text.split()) for text in _expand(_parse(_with_phrases(pattern)))}


def _with_phrases(pattern: str) -> str:
    return _NAME.sub(lambda match: PHRASES[match[1]], pattern)


@lru_cache(maxsize=10_000)
def _parse(pattern: str) -> Sequence:
    """The pattern as a sequence of texts and choices; a choice is a list of sequences."""
    outer: list[list[list[str | Choice]]] = [[[]]]  # for each open parenthesis, its options so far
    for mark in _MARK.split(pattern):
        if mark == "(":
            outer.append([[]])
        elif mark == "|":
            outer[-1].append([])
        elif mark == ")":
            options = outer.pop()
            outer[-1][-1].append([tuple(option) for option in options])
        elif mark:
            outer[-1][-1].append(mark)
    ((whole,),) = outer  # a parenthesis or a bar that has no partner fails here
    return tuple(whole)


def _sample(sequence: Sequence, rng: Random) -> str:
    return "".join(part if isinstance(part, str) else _sample(rng.choice(part), rng) for part in sequence)


def _expand(sequence: Sequence) -> Iterator[str]:
    choices = [[part] if isinstance(part, str) else [t for each in part for t in _expand(each)] for part in sequence]
    return map("".join, product(*choices))


def plain(text: str) -> str:
    """The wording without case and punctuation: two texts that differ only in these count as the same wording."""
    return " ".join(_NOT_WORD.sub(" ", text.lower()).split())
