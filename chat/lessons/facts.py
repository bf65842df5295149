"""What narration may name in braces: the facts of a step, filled in from the run.

``{matched}`` and the like are of this step, summed over its requests; ``{sum:reused}`` is the sum so far, and
``{arm:NAME:reused}`` that of an arm.
Other braces stay as they are. Knows no front end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ...radix import events as ev
from ...viz import memory_text

if TYPE_CHECKING:
    from .runs import Run
    from .schema import Lesson, Said

FACTS: dict[str, Callable[[Run, int], str]] = {
    "prompt": lambda run, number: _tokens(run.steps[number - 1].sums.prompt),
    "matched": lambda run, number: _tokens(run.steps[number - 1].sums.matched),
    "reused": lambda run, number: _tokens(run.steps[number - 1].sums.reused),
    "prefilled": lambda run, number: _tokens(run.steps[number - 1].sums.prefilled),
    "generated": lambda run, number: _tokens(run.steps[number - 1].sums.generated),
    "evicted": lambda run, number: _tokens(run.steps[number - 1].sums.evicted),
    "resident": lambda run, number: _tokens(run.panel(number).resident),
    "free": lambda run, number: _tokens(run.panel(number).free),
    "capacity": lambda run, number: _tokens(run.panel(number).capacity),
    "nodes": lambda run, number: _tokens(nodes(run, number)),
    "splits": lambda run, number: _tokens(splits(run, number)),
    "bytes": lambda run, number: _memory(run, run.panel(number).resident),
    "saved": lambda run, number: _memory(run, run.steps[number - 1].sums.reused),
}
"""Placeholders by name. bytes: K and V of what is resident after the step; saved: of what it did not compute again."""

SUMS = ("prompt", "matched", "reused", "prefilled", "generated", "evicted")
"""What is summed up."""

_PLACEHOLDER = re.compile(r"\{([a-z]+)(?:(?::([^:{}]+))?:([a-z]+))?\}")


def fill(text: str, run: Run, number: int) -> str:
    """Returns a text with the facts of a step (1 is the first) in place of its placeholders."""

    def value(found: re.Match[str]) -> str:
        name, arm, field = found.groups()
        if field is None:
            return FACTS[name](run, number) if name in FACTS else found[0]
        if arm is None:
            return _tokens(getattr(run.sums(number), field)) if name == "sum" and field in SUMS else found[0]
        so_far = {english: total for english, _, total in run.steps[number - 1].arms}
        if name != "arm" or arm not in so_far or field not in SUMS:
            return found[0]
        return _tokens(getattr(so_far[arm], field))

    return _PLACEHOLDER.sub(value, text)


def nodes(run: Run, number: int) -> int:
    """Returns how many nodes the tree has after a step."""
    return sum(1 for _ in run.panel(number).nodes())


def splits(run: Run, number: int) -> int:
    """Returns how many times a node was split in a step."""
    step = run.steps[number - 1]
    return sum(isinstance(event, ev.Split) for event in run.recording.events[step.start : step.end])


def mistakes(lesson: Lesson) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yields what only the lesson as a whole shows to be wrong: the path of a field, and what is wrong with it."""
    arms = [arm.name.text("en") for arm in lesson.arms]
    twice = next((place for place, name in enumerate(arms) if name in arms[:place]), None)
    if twice is not None:
        yield ("arms", twice, "name"), f"there are two arms {arms[twice]!r}"
    for place, step in enumerate(lesson.steps):
        at = ("steps", place)
        for path, said in _texts(lesson, place):
            for lang, text in said.root.items():
                for found in _PLACEHOLDER.finditer(text):
                    if wrong := _unknown(found, arms):
                        yield (*at, *path, lang), wrong
        for number, question in enumerate(step.ask):
            if question.arm is not None and question.arm not in arms:
                yield (*at, "ask", number, "arm"), _no_arm(question.arm, arms)
            elif question.arm is not None and lesson.arms[arms.index(question.arm)].cache != "radix":
                yield (*at, "ask", number, "arm"), "a question is about a radix tree; this arm has none"
        expected = step.expect.words.arms if step.expect is not None and step.expect.words is not None else {}
        for name in expected:
            if name not in arms:
                yield (*at, "expect", "words", "arms", name), _no_arm(name, arms)


def _texts(lesson: Lesson, place: int) -> Iterator[tuple[tuple[str | int, ...], Said]]:
    step = lesson.steps[place]
    given: list[tuple[tuple[str | int, ...], Said | None]] = [(("say",), step.say)]
    for number, question in enumerate(step.ask):
        given += [(("ask", number, "text"), question.text), (("ask", number, "why"), question.why)]
    yield from ((path, said) for path, said in given if said is not None)


def _unknown(found: re.Match[str], arms: list[str]) -> str:
    """Returns what is wrong with a placeholder, "" for nothing."""
    name, arm, field = found.groups()
    if field is None and name in FACTS:
        return ""
    if arm is None and name == "sum":
        return "" if field in SUMS else f"there is no sum of {field!r}; there are {', '.join(SUMS)}"
    if name != "arm" or arm is None:
        return f"nothing is called {found[0]}; there are {', '.join(f'{{{name}}}' for name in FACTS)}"
    if arm not in arms:
        return _no_arm(arm, arms)
    return "" if field in SUMS else f"an arm has no {field!r}; it counts {', '.join(SUMS)}"


def _no_arm(name: str, arms: list[str]) -> str:
    return f"there is no arm {name!r}" + (f"; there are {', '.join(map(repr, arms))}" if arms else "; there are none")


def _tokens(number: int) -> str:
    return f"{number:,}"


def _memory(run: Run, tokens: int) -> str:
    return memory_text(tokens * run.bytes_per_token) if run.bytes_per_token else f"{tokens:,} tokens"
