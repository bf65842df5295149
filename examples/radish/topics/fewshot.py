"""Few-shot lists: "Question 1: ... Answer 1: ...", as a plain text of its own or inside a message.

All answers of a list are of one style, full or terse, and the model has to see which.
"""

import re
from random import Random

from .base import Case, Topic, Turn
from .capitals import capital, country_or_capital
from .sums import sum_or_difference

_SOURCES = (country_or_capital, sum_or_difference, sum_or_difference)


def entries(rng: Random, most: int = 9) -> tuple[tuple[str, str], ...]:
    """Some questions and their answers, `most` at most, of one style."""
    terse = rng.random() < 0.5
    mixed = rng.random() < 0.3
    source = rng.choice(_SOURCES)
    turns = [(rng.choice(_SOURCES) if mixed else source)(rng) for _ in range(rng.randint(2, most))]
    return tuple((turn.user, turn.short if terse else turn.reply) for turn in turns)


def _make(rng: Random, history: tuple[Turn, ...]) -> Turn:
    """A list inside one message; the reply is the missing answer."""
    listed = entries(rng, 5)
    *known, (question, answer) = listed
    solved = " ".join(f"Question {n}: {asked} Answer {n}: {said}" for n, (asked, said) in enumerate(known, 1))
    return Turn(f"{solved} Question {len(listed)}: {question} Answer {len(listed)}:", answer)


def _listed(*pairs: tuple[str, str], question: str) -> str:
    solved = "".join(f"Question {n}: {asked}\nAnswer {n}: {said}\n" for n, (asked, said) in enumerate(pairs, 1))
    return f"{solved}Question {len(pairs) + 1}: {question}\nAnswer {len(pairs) + 1}:"


def _case(text: str, expected: str) -> Case:
    """A list as a text of its own, or as a message if it is one line."""
    if "\n" in text:
        return Case(text.split(": ")[-2].removesuffix("\nAnswer"), re.escape(expected), before=text)
    return Case(text, re.escape(expected))


_FULL = (("What is the capital of France?", capital("France", "Paris")), ("What is 2 + 3?", "2 + 3 is 5."))
_TERSE = (("What is the capital of France?", "Paris."), ("What is 2 + 3?", "5."))
_ASKED = (
    ("please name the capital city for Italy", capital("Italy", "Rome"), "Rome."),
    ("Sweden: what is its capital?", capital("Sweden", "Stockholm"), "Stockholm."),
    ("please add up 6 and 7", "6 + 7 is 13.", "13."),
    ("could you work out 9 - 4 for me?", "9 - 4 is 5.", "5."),
    ("what do they call the capital of Poland?", capital("Poland", "Warsaw"), "Warsaw."),
    ("I need to know 15 minus 6", "15 - 6 is 9.", "9."),
)
_CASES = tuple(
    case
    for question, full, terse in _ASKED
    for case in (
        _case(_listed(*_FULL, question=question), full),
        _case(_listed(*_TERSE, question=question), terse),
        _case(_listed(*_TERSE, question=question).replace("\n", " "), terse),
    )
)

FEW_SHOT = Topic("few-shot lists", 0.7, _make, _CASES)
