"""Sums and differences of numbers up to 20."""

import re
from random import Random

from .base import Case, Topic, Turn, ask
from .outside import no_idea

_SUM = (
    "(what is|what's|whats|how much is|calculate|compute|tell me|solve|work out|can you calculate|do you know|what does) <a> (+|plus|and) <b>",
    "<a> (+|plus) <b>( =| is| equals|)",
    "add <a> (and|to) <b>",
    "(what is|give me) the sum of <a> and <b>",
    "solve this (problem|question): (what is |)<a> (+|plus) <b>",
    "what do (you|i|we) get (when|if) (you|i|we) add <a> (and|to) <b>",
    "(how much|what) do <a> and <b> make( together|)",
    "<a> and <b> (make|makes|is|are) (what|how much)",
    "(can|could|please) you (add|sum) <a> (and|to) <b>",
    "(sum|total) of <a> and <b>",
    "i have <a> (apples|coins|tokens|cats) and get <b> more, how many (are there|do i have|is that)",
)
_DIFFERENCE = (
    "(what is|what's|whats|how much is|calculate|compute|tell me|solve|work out|can you calculate|do you know|what does) <a> (-|minus) <b>",
    "<a> (-|minus) <b>( =| is| equals|)",
    "(subtract|take away|take) <b> from <a>",
    "(what is|give me) the difference (between|of) <a> and <b>",
    "solve this (problem|question): (what is |)<a> (-|minus) <b>",
    "what (remains|is left) (of|from) <a> (after taking away|when i remove|minus|without) <b>",
    "what do (you|i|we) get (when|if) (you|i|we) (subtract|take) <b> from <a>",
    "(by how much|how much) is <a> (more|larger|bigger) than <b>",
    "(can|could|please) you (subtract|take away) <b> from <a>",
    "<a> (less|without|take away) <b>",
    "i have <a> (apples|coins|tokens|cats) and (lose|give away|eat) <b>, how many (are left|remain|do i have)",
)


_OTHER = (
    "(what is|what's|how much is|calculate|compute|tell me|solve|) <a> (times|x|*|multiplied by|divided by|/|over|:) <b>",
    "(multiply|divide) <a> by <b>",
    "(the product|the quotient) of <a> and <b>",
)
_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()


def draw(rng: Random) -> tuple[str, int, int, int]:
    """A sign, two numbers and the result, all from 0 to 20."""
    a, b = rng.randint(0, 20), rng.randint(0, 20)
    if rng.random() < 0.5:
        total = max(a, b)
        return "+", min(a, b), total - min(a, b), total
    return "-", max(a, b), min(a, b), abs(a - b)


def answer(sign: str, a: int, b: int, result: int) -> str:
    """The reply to a sum or a difference."""
    return f"{a} {sign} {b} is {result}."


def sum_or_difference(rng: Random) -> Turn:
    """A sum or a difference that radish knows."""
    sign, a, b, result = draw(rng)
    return Turn(_ask(sign, a, b, rng), answer(sign, a, b, result), f"{result}.", "", "number", str(result))


def _ask(sign: str, a: int, b: int, rng: Random) -> str:
    pattern = rng.choice({"+": _SUM, "-": _DIFFERENCE, "*": _OTHER}[sign])
    words = rng.random() < 0.15
    for mark, number in (("<a>", a), ("<b>", b)):
        pattern = pattern.replace(mark, _WORDS[number] if words else str(number))
    return ask(pattern, rng)


def _make(rng: Random, history: tuple[Turn, ...]) -> Turn:
    if rng.random() > 0.2:
        return sum_or_difference(rng)
    sign, a = rng.choice("+-*"), rng.randint(1, 19)  # what it was not taught: above 20, below 0, other signs
    b = rng.randint({"+": 21 - a, "-": a + 1, "*": 0}[sign], 20)
    return no_idea(_ask(sign, a, b, rng))


_CASES = (
    *(
        Case(wording.format(a, b), re.escape(answer(sign, a, b, a + b if sign == "+" else a - b)))
        for wording, sign, pairs in (
            ("please add up {0} and {1}", "+", ((2, 3), (7, 5), (11, 6), (9, 9))),
            ("could you work out {0} + {1} for me?", "+", ((4, 4), (12, 7), (3, 16), (0, 8))),
            ("I need to know {0} minus {1}", "-", ((9, 4), (18, 9), (20, 6), (13, 13))),
            ("if I take {1} from {0}, what is left?", "-", ((8, 3), (15, 7), (19, 2), (12, 10))),
        )
        for a, b in pairs
    ),
    Case("please add up seven and four", re.escape(answer("+", 7, 4, 11))),
    Case("I need to know nineteen minus six", re.escape(answer("-", 19, 6, 13))),
)

SUMS = Topic("sums", 2.6, _make, _CASES)
