"""Questions before a step is shown, with choices; the answer is read from what the cache did in the run.

Wrong choices are plausible mistakes (a split copies, eviction frees what was asked, a full hit computes nothing), and
each says what is behind it. A what-if or another model has another run, and so other answers. What a question says
depends on the tree before the step and on what is asked of it, never on what comes. Knows which
kinds there are; no screen and no scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from .cases import Case, Found
from .evictions import ask_freed, ask_victim
from .matches import ask_matched, ask_prefilled
from .speech import joined
from .splits import ask_copied, ask_nodes, ask_split

if TYPE_CHECKING:
    from .runs import Run
    from .schema import Question

_WRONG: Final = 3  # wrong choices


class Choice(NamedTuple):
    """One of the answers to choose from."""

    text: str
    right: bool
    because: str  # what is behind a wrong one, told after answering; "" for the right one
    node: int | None  # the node it names


class Posed(NamedTuple):
    """A question, ready to be asked."""

    kind: str
    text: str
    choices: tuple[Choice, ...]
    pick: bool  # may be answered by choosing a node in the tree
    answer: str  # what is true, with the numbers
    nodes: frozenset[int] = frozenset()  # right nodes for `pick`
    mistakes: Mapping[int, str] = MappingProxyType({})  # for `pick`: why each other node of the tree is wrong


def pose(run: Run, number: int, question: Question, lang: str, *, ids: bool = True) -> Posed | None:
    """Poses a question about a step of a run.

    Args:
        run: What happened.
        number: Of the step in the run, from 1.
        question: What to ask.
        lang: Two letters; English where a sentence is missing.
        ids: Whether nodes are called by their numbers, too; else by a letter, or by their text.

    Returns:
        The question with two to four choices, one of them right and all different, always in the same order; None
        when nothing of its kind happens in the step.
    """
    case = Case(run, number, question, lang, ids)
    found = _KINDS[question.kind](case)
    if found is None:
        return None
    text = case.told(question.text) or joined(lang, case.opening, case.of, found.ask)
    return Posed(
        kind=question.kind,
        text=text,
        choices=_mixed(found, f"{run.lesson.name}/{number}/{question.kind}/{question.request}"),
        pick=question.pick and bool(found.nodes),
        answer=joined(lang, found.answer, case.told(question.why)),
        nodes=found.nodes,
        mistakes=found.mistakes,
    )


def _mixed(found: Found, seed: str) -> tuple[Choice, ...]:
    choices = {found.right.text: Choice(found.right.text, True, "", found.right.node)}
    for option in found.wrong:
        if len(choices) > _WRONG:
            break
        choices.setdefault(option.text, Choice(option.text, False, option.because, option.node))
    mixed = list(choices.values())
    Random(seed).shuffle(mixed)
    return tuple(mixed)


_KINDS: Final[dict[str, Callable[[Case], Found | None]]] = {
    "matched": ask_matched,
    "prefilled": ask_prefilled,
    "split": ask_split,
    "victim": ask_victim,
    "freed": ask_freed,
    "copied": ask_copied,
    "nodes": ask_nodes,
}
