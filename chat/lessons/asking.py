"""Questions before a step is shown, with choices; the answer is read from what the cache did in the run.

Knows runs, snapshots and labels; no screen, no state of a player and no scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .running import Run
    from .schema import Question


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
    mistakes: Mapping[int, str] = {}  # for `pick`: why each other node of the tree is wrong


def pose(run: Run, number: int, question: Question, lang: str) -> Posed | None:
    """Poses a question about a step, counted from 1; None when nothing of its kind happens there."""
    return None
