"""The step that a question is about: the tree before it, what happened in it, and how all of that is named.

Every kind of question reads a `Case` and answers with a `Found`. Knows runs, snapshots and labels; not what is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ...radix import NodeView, Snapshot
from ...radix import events as ev
from ...radix.keys import Int32Array, Key, count, cut
from ...viz import memory_text, sanitize
from ...viz.labels import Labels, label
from ...viz.picture import Look
from .facts import fill
from .speech import amount, listed, say

if TYPE_CHECKING:
    from .runs import Done, Run
    from .schema import Question, Request, Said

OF_GOING: Final = ("victim", "freed")
"""Kinds of questions about what is evicted."""

OF_ALL: Final = (*OF_GOING, "nodes")
"""Kinds that are about all requests of a step."""

_TEXT, _SIDE, _MESSAGE = 34, 18, 64  # cells of a node's text, of the text on one side of a cut, of a message
_LAST = 44  # cells of the last lines of a message, which say what it is about

_USER: Final = "User: "


class Option(NamedTuple):
    """What may be chosen."""

    text: str
    because: str = ""
    node: int | None = None


class Found(NamedTuple):
    """What a kind of question finds in a step."""

    ask: str
    right: Option
    wrong: Iterable[Option]  # the best first; some may read like the right one or like each other
    answer: str
    nodes: frozenset[int] = frozenset()
    mistakes: Mapping[int, str] = MappingProxyType({})


class Cut(NamedTuple):
    """A split, seen from the tree before the step."""

    node: NodeView  # as it was before the step
    at: int  # tokens of it above the cut
    position: int  # in the recording, before the event


class Case:
    """A question's step: the tree before it and what happened in it, and how things are named.

    It is of the run, or of the arm that the question is about.
    """

    def __init__(self, run: Run, number: int, question: Question, lang: str, ids: bool) -> None:
        self._told_by = run
        self.run = run = run.asked[question.arm] if question.arm is not None else run
        self.lang = lang
        self.ids = ids
        self.question = question
        self.number = number
        self.step = run.steps[number - 1]
        self.before = run.recording.at(self.step.start)
        self.nodes = {node.id: node for node in self.before.nodes()}
        self._labels = Labels.of(run.recording.pieces, Look(abridged=run.abridged))
        self._letters = run.steps[number - 2].letters if number > 1 else {}

    # -- words -----------------------------------------------------------------------------------------------------

    def say(self, key: str, **values: object) -> str:
        """Returns a sentence in the language of the question."""
        return say(self.lang, key, **values)

    def told(self, said: Said | None) -> str:
        """Returns what the lesson says, "" for nothing, and in a what-if: the lesson speaks of its own run."""
        if said is None or self.run.changes:
            return ""
        return sanitize(fill(said.text(self.lang), self._told_by, self.number))

    def tokens(self, n: int) -> str:
        """Returns a number of tokens."""
        return amount(self.lang, "token", n)

    def amount(self, n: int) -> str:
        """Returns tokens, with their bytes where these are known."""
        size = self.run.bytes_per_token
        return self.say("amount.bytes", tokens=self.tokens(n), bytes=memory_text(n * size)) if size else self.tokens(n)

    def name(self, node: int) -> str:
        """Returns how a node is called: its letter in the panel before, if it has one, and its number, or its text."""
        letter = label(self._letters.get(node, "")).plain
        if self.ids:
            return f"{letter} #{node}".strip()
        return letter or (self._text(node) if node in self.nodes else f"#{node}")

    def shown(self, node: int) -> str:
        """Returns how a node of the tree before the step is offered: its name and its text."""
        name, text = self.name(node), self._text(node)
        return text if name == text else f"{name} {text}"

    def _text(self, node: int) -> str:
        text = self.say("quoted", text=self._glances[node])
        alike = [id for id, glance in self._glances.items() if glance == self._glances[node]]
        if self.ids or len(alike) < 2:
            return text
        return self.say("alike", text=text, n=alike.index(node) + 1, count=len(alike))

    @cached_property
    def _glances(self) -> dict[int, str]:
        """The text of every node at a glance, from above as they are drawn."""
        glances, stack = {}, [child for root in reversed(self.before.roots) for child in drawn(root.node)]
        while stack:
            node = stack.pop()
            glances[node.id] = self._labels.fit(node.key, _TEXT).plain
            stack += drawn(node)
        return glances

    def policy(self, now: Snapshot) -> str:
        """Returns how the policy of a moment is called."""
        name = now.policy or self.run.config.policy
        return name.upper() if len(name) <= len("SLRU") else name

    @property
    def of(self) -> str:
        """Which cache is asked about, where there are several that could be meant."""
        arms = self._told_by.lesson.arms
        for arm in arms:
            if arm.name.text("en") == self.question.arm:
                return self.say("of.arm", name=sanitize(arm.name.text(self.lang)))
        page = self.before.page_size
        if any(arm.page_size not in (None, page) for arm in arms):
            return self.say("of.pages", page=self.tokens(page))
        return ""

    def named(self, nodes: Iterable[int]) -> str:
        """Returns the names of nodes in a row."""
        return listed(self.lang, [self.name(node) for node in nodes])

    def sides(self, key: Key, at: int) -> dict[str, str]:
        """Returns the text around a place in a key."""
        return {"left": self._side(key, at, -1), "right": self._side(key, at, 1)}

    def _side(self, key: Key, at: int, way: int) -> str:
        end = count(key) if way > 0 else 0
        text, reach = "", at
        while reach != end:
            reach += way
            more = self._labels.whole(cut(key, min(at, reach), max(at, reach)))
            if text and more.cells > _SIDE:
                return f"{text} …" if way > 0 else f"… {text}"
            text = more.fit(_SIDE).plain
        return text

    @property
    def opening(self) -> str:
        """What is asked of the cache next, as far as the question is about it."""
        requests = self.step.step.requests
        if not requests:
            return ""
        if len(requests) > 1 and self.question.kind in OF_ALL:
            messages = listed(self.lang, [self._message(request) for request in requests])
            return self.say("next.all", count=len(requests), messages=messages)
        message = self._message(requests[self.question.request])
        prompt = self.tokens(int(self.done[0].prompt.size))
        if len(requests) == 1:
            return self.say("next", message=message, prompt=prompt)
        number = self.question.request + 1
        return self.say("next.one", count=len(requests), number=number, message=message, prompt=prompt)

    def _message(self, request: Request) -> str:
        text = request.prompt or f"{_USER}{request.user}"  # abridged as it stands in the tree
        for long, short in sorted(self.run.abridged, key=lambda pair: -len(pair[0])):
            text = text.replace(long, short)
        text = text if request.prompt else text.removeprefix(_USER)
        samples = len(request.given) or request.n
        message = self.say("quoted", text=_glimpse(text.strip()))
        return message if samples == 1 else self.say("next.samples", message=message, count=samples)

    # -- facts -----------------------------------------------------------------------------------------------------

    @cached_property
    def done(self) -> list[Done]:
        """What came of the request that the question is about, sample by sample."""
        return [done for done in self.step.done if done.request == self.question.request]

    @cached_property
    def after(self) -> Snapshot:
        """The tree after the step."""
        return self.run.recording.at(self.step.end)

    @cached_property
    def said(self) -> int:
        """Tokens of the prompt that were said before, whether they are still cached or not."""
        earlier = [key for step in self.run.steps[: self.number - 1] for key in step.keys]
        return max((common(self.done[0].prompt, key) for key in earlier), default=0)

    @cached_property
    def events(self) -> list[tuple[int, ev.Event]]:
        """The events of the step, each with the position before it."""
        start, end = self.step.start, self.step.end
        return list(enumerate(self.run.recording.events[start:end], start))

    @cached_property
    def gone(self) -> list[tuple[int, ev.Evicted | ev.Trimmed]]:
        """What was evicted, each with the position before it."""
        return [(at, event) for at, event in self.events if isinstance(event, ev.Evicted | ev.Trimmed)]

    @cached_property
    def cuts(self) -> list[tuple[ev.Split, Cut]]:
        """All splits of the step in nodes that were there before it."""
        whence: dict[int, tuple[int, int]] = {}  # of the halves of this step: the node before it, and where they begin
        found = []
        for position, event in self.events:
            if not isinstance(event, ev.Split):
                continue
            node, start = whence.get(event.node, (event.node, 0))
            whence[event.head], whence[event.node] = (node, start), (node, start + event.at)
            if node in self.nodes:
                found.append((event, Cut(self.nodes[node], start + event.at, position)))
        return found

    def cut(self) -> Cut | None:
        """Returns the first split of the request, in a node that was there before the step."""
        of_request = {node for done in self.done for node in done.facts.splits}
        for event, found in self.cuts:
            if event.node in of_request and self._parts(found.position, event):
                return found
        return None

    def _parts(self, position: int, split: ev.Split) -> bool:
        """Returns whether a text of the request ends or turns off where a node is split."""
        path = self.run.recording.at(position).path(split.node)
        above = np.concatenate([*(node.tokens for node in path[:-1]), path[-1].tokens[: split.at]])
        below = path[-1].tokens[split.at : split.at + self.before.page_size]
        start, end = above.size, above.size + below.size
        return any(
            np.array_equal(text[:start], above) and not np.array_equal(text[start:end], below)
            for text in (done.sequence for done in self.done)
        )


def drawn(node: NodeView) -> list[NodeView]:
    """Returns the children of a node, the lowest of the picture first."""
    return list(reversed(node.children))


def _glimpse(text: str) -> str:
    """Returns a message at a glance: what is long keeps its beginning and its last lines, for they tell it apart."""
    whole, lines = label(text), text.split("\n")
    if whole.cells <= _MESSAGE or len(lines) == 1:
        return whole.fit(_MESSAGE).plain
    last = lines.pop()
    while len(lines) > 1 and label(f"{lines[-1]}\n{last}").cells <= _LAST:
        last = f"{lines.pop()}\n{last}"
    head, tail = "\n".join(lines) + "\n", label(last).fit(_LAST)
    return label(head).fit(_MESSAGE - tail.cells).plain + tail.plain


def common(left: Int32Array, right: Int32Array) -> int:
    """Returns how many tokens two texts have in common from their beginnings on."""
    size = min(left.size, right.size)
    differs = np.flatnonzero(left[:size] != right[:size])
    return int(differs[0]) if differs.size else size


def nearby(right: int, most: int) -> Iterator[int]:
    """Yields numbers that a slip in counting leads to."""
    yield from (near for near in (right + 1, right - 1, right + 2, right // 2) if 0 <= near <= max(most, right + 2))
