"""Questions before a step is shown, with choices; the answer is read from what the cache did in the run.

Wrong choices are plausible mistakes (a split copies, eviction frees what was asked, a full hit computes nothing), and
each says what is behind it. A what-if or another model has another run, and so other answers. What a question says
depends on the tree before the step and on what is asked of it, never on what comes. Knows runs, snapshots and labels;
no screen and no scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ...radix import NodeView, Snapshot
from ...radix import events as ev
from ...radix.keys import Int32Array, Key, as_array, count, cut
from ...radix.policies import POLICIES
from ...viz import memory_text, sanitize
from ...viz.labels import Labels, label
from ...viz.picture import Look
from .facts import fill
from .speech import amount, joined, listed, say

if TYPE_CHECKING:
    from .running import Done, Run
    from .schema import Question, Request, Said

_WRONG: Final = 3  # wrong choices
_TEXT, _SIDE, _MESSAGE = 34, 18, 64  # cells of a node's text, of the text on one side of a cut, of a message
_LAST = 44  # cells of the last lines of a message, which say what it is about

_USER: Final = "User: "


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
    case = _Case(run, number, question, lang, ids)
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


class _Option(NamedTuple):
    """What may be chosen."""

    text: str
    because: str = ""
    node: int | None = None


class _Found(NamedTuple):
    """What a kind of question finds in a step."""

    ask: str
    right: _Option
    wrong: Iterable[_Option]  # the best first; some may read like the right one or like each other
    answer: str
    nodes: frozenset[int] = frozenset()
    mistakes: Mapping[int, str] = MappingProxyType({})


def _mixed(found: _Found, seed: str) -> tuple[Choice, ...]:
    choices = {found.right.text: Choice(found.right.text, True, "", found.right.node)}
    for option in found.wrong:
        if len(choices) > _WRONG:
            break
        choices.setdefault(option.text, Choice(option.text, False, option.because, option.node))
    mixed = list(choices.values())
    Random(seed).shuffle(mixed)
    return tuple(mixed)


class _Cut(NamedTuple):
    """A split, seen from the tree before the step."""

    node: NodeView  # as it was before the step
    at: int  # tokens of it above the cut
    position: int  # in the recording, before the event


class _Case:
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
        return say(self.lang, key, **values)

    def told(self, said: Said | None) -> str:
        """Returns what the lesson says, "" for nothing, and in a what-if: the lesson speaks of its own run."""
        if said is None or self.run.changes:
            return ""
        return sanitize(fill(said.text(self.lang), self._told_by, self.number))

    def tokens(self, n: int) -> str:
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
        glances, stack = {}, [child for root in reversed(self.before.roots) for child in _drawn(root.node)]
        while stack:
            node = stack.pop()
            glances[node.id] = self._labels.fit(node.key, _TEXT).plain
            stack += _drawn(node)
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
        if len(requests) > 1 and self.question.kind in _OF_ALL:
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
        return max((_common(self.done[0].prompt, key) for key in earlier), default=0)

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
    def cuts(self) -> list[tuple[ev.Split, _Cut]]:
        """All splits of the step in nodes that were there before it."""
        whence: dict[int, tuple[int, int]] = {}  # of the halves of this step: the node before it, and where they begin
        found = []
        for position, event in self.events:
            if not isinstance(event, ev.Split):
                continue
            node, start = whence.get(event.node, (event.node, 0))
            whence[event.head], whence[event.node] = (node, start), (node, start + event.at)
            if node in self.nodes:
                found.append((event, _Cut(self.nodes[node], start + event.at, position)))
        return found

    def cut(self) -> _Cut | None:
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
            for text in map(_text, self.done)
        )


def _drawn(node: NodeView) -> list[NodeView]:
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


def _text(done: Done) -> Int32Array:
    """Returns the tokens of a prompt and its reply, int32."""
    return np.concatenate((done.prompt, np.array(done.facts.token_ids, dtype=np.int32)))


def _common(left: Int32Array, right: Int32Array) -> int:
    """Returns how many tokens two texts have in common from their beginnings on."""
    size = min(left.size, right.size)
    differs = np.flatnonzero(left[:size] != right[:size])
    return int(differs[0]) if differs.size else size


# -- tokens ------------------------------------------------------------------------------------------------------------


def _matched(case: _Case) -> _Found | None:
    if not case.done:
        return None
    prompt, matched = case.done[0].prompt, case.done[0].facts.matched_tokens
    size, (whole, end, last) = prompt.size, _ends(case.before, prompt, matched)
    tokens, all_of_it = case.tokens, case.tokens(int(size))

    def options() -> Iterator[_Option]:
        aligned = _resident(case.before, prompt)
        if case.said > max(matched, aligned):
            yield _Option(tokens(case.said), case.say("matched.said"))
        if matched == size:
            yield _Option(tokens(matched - 1), case.say("matched.less"))
        if aligned > matched:
            yield _Option(tokens(aligned), case.say("matched.page", page=tokens(case.before.page_size)))
        if whole < matched:
            yield _Option(tokens(whole), case.say("matched.whole"))
        yield _Option(all_of_it, case.say("matched.all"))
        known = np.concatenate([node.tokens for node in case.nodes.values()]) if case.nodes else prompt[:0]
        anywhere = int(np.isin(prompt, known).sum())
        if anywhere > matched:
            yield _Option(tokens(anywhere), case.say("matched.anywhere"))
        if end > matched:
            yield _Option(tokens(end), case.say("matched.end"))
        if matched:
            yield _Option(tokens(0), case.say("matched.none"))
        for near in _near(matched, int(size)):
            yield _Option(
                tokens(near), case.say("matched.near" if matched else "matched.near.none", matched=f"{matched:,}")
            )

    if not matched:
        answer = case.say("matched.answer.none", prompt=all_of_it)
    elif last is None:
        answer = case.say("matched.answer.now", matched=f"{matched:,}", prompt=all_of_it)
    else:
        answer = case.say("matched.answer", matched=f"{matched:,}", prompt=all_of_it, name=case.shown(last))
    return _Found(case.say("matched.ask"), _Option(tokens(matched)), options(), answer)


def _prefilled(case: _Case) -> _Found | None:
    if not case.done:
        return None
    facts = case.done[0].facts
    size, prefilled, tokens = facts.prompt_tokens, facts.prefilled_tokens, case.tokens
    reused = tokens(facts.reused_tokens)
    whole = facts.matched_tokens == size

    def options() -> Iterator[_Option]:
        none = _Option(tokens(0), case.say("prefilled.none"))
        if whole:
            yield none
        aligned = _resident(case.before, case.done[0].prompt)
        if case.said > max(facts.matched_tokens, aligned):
            yield _Option(tokens(size - case.said), case.say("prefilled.new"))
        if aligned > facts.matched_tokens:
            yield _Option(tokens(size - aligned), case.say("matched.page", page=tokens(case.before.page_size)))
        if facts.reused_tokens:
            yield _Option(tokens(size), case.say("prefilled.all", reused=reused))
            yield _Option(tokens(facts.matched_tokens), case.say("prefilled.found"))
        if facts.generated_tokens:
            yield _Option(tokens(prefilled + facts.generated_tokens), case.say("prefilled.reply"))
        yield none
        for near in _near(prefilled, size):
            yield _Option(tokens(near), case.say("prefilled.near", reused=reused, prefilled=tokens(prefilled)))

    answer = case.say(
        "prefilled.answer", prefilled=f"{prefilled:,}", prompt=tokens(size), reused=f"{facts.reused_tokens:,}"
    )
    if whole:
        answer = joined(case.lang, answer, case.say("prefilled.answer.whole"))
    return _Found(case.say("prefilled.ask"), _Option(tokens(prefilled)), options(), answer)


def _near(right: int, most: int) -> Iterator[int]:
    """Yields numbers that a slip in counting leads to."""
    yield from (near for near in (right + 1, right - 1, right + 2, right // 2) if 0 <= near <= max(most, right + 2))


def _ends(before: Snapshot, prompt: Int32Array, matched: int) -> tuple[int, int, int | None]:
    """Returns where the last whole node of a match ends, where its last node ends, and that node.

    The node is None where the match ends in one that was not there before the step: another request put it there.
    """
    above, depth, last = _root(before), 0, None
    whole = 0
    while depth < matched:
        page = before.page_size
        for node in above:
            if np.array_equal(node.tokens[:page], prompt[depth : depth + page]):
                break
        else:
            return whole, depth, None
        above, depth, last = node.children, depth + node.size, node.id
        whole = depth if depth <= matched else whole
    return whole, depth, last


def _resident(before: Snapshot, prompt: Int32Array) -> int:
    """Returns how many tokens of a prompt stand in the tree, counted token by token, whatever the page size."""
    best, stack = 0, [(node, 0) for node in _root(before)]
    while stack:
        node, depth = stack.pop()
        equal = _common(node.tokens, prompt[depth:])
        best = max(best, depth + equal)
        if equal == node.size:
            stack += [(child, depth + equal) for child in node.children]
    return best


def _root(before: Snapshot) -> tuple[NodeView, ...]:
    return before.roots[0].node.children if before.roots else ()


# -- splits ------------------------------------------------------------------------------------------------------------


def _split(case: _Case) -> _Found | None:
    found = case.cut()
    if found is None:
        return _unsplit(case)
    node, at, _ = found
    name, key = case.name(node.id), node.key
    split = {one.node.id for _, one in case.cuts}  # other requests of the step split nodes, too
    true = {one.at for _, one in case.cuts if one.node.id == node.id}

    def place(at: int) -> str:
        return case.say("split.at", at=at, name=name, **case.sides(key, at))

    def untrue(at: int, because: str) -> Iterator[_Option]:
        if 0 < at < node.size and at not in true:
            yield _Option(place(at), because, node.id)

    def options() -> Iterator[_Option]:
        yield _Option(case.say("split.nowhere"), case.say("split.none", name=name))
        equal = at + max(_common(node.tokens[at:], text[_depth(case.before, node.id) + at :]) for text in texts)
        if equal > at:  # a page is shared whole or not at all
            yield from untrue(equal, case.say("matched.page", page=case.tokens(case.before.page_size)))
        yield from untrue(at - 1, case.say("split.early"))
        yield _Option(case.say("split.start", name=case.shown(node.id)), case.say("split.above", at=at), node.id)
        yield from untrue(at + 1, case.say("split.late"))

    texts = [_text(done) for done in case.done]
    return _Found(
        ask=case.say("split.pick" if case.question.pick else "split.ask"),
        right=_Option(place(at), node=node.id),
        wrong=options(),
        answer=case.say("split.answer", name=name, at=at, size=node.size, **case.sides(key, at)),
        nodes=frozenset(split),
        mistakes={id: case.say("split.not", name=case.name(id)) for id in case.nodes if id not in split},
    )


def _unsplit(case: _Case) -> _Found | None:
    """Returns what is asked where nothing is split; the wrong choices are cuts then."""
    if (
        case.question.pick
        or not case.done
        or not case.nodes
        or any(isinstance(one, ev.Split) for _, one in case.events)
    ):
        return None
    text = _text(case.done[0])
    equal = _resident(case.before, text) // case.before.page_size * case.before.page_size
    _, end, last = _ends(case.before, text, equal)
    node = case.nodes[last] if last is not None else _drawn(case.before.roots[0].node)[-1]
    at = equal - end + node.size if last is not None else 0  # tokens of the node that are equal

    because, wrong = case.say("split.whole"), []

    def offer(node: NodeView, *places: int) -> None:
        for place in (place for place in places if 0 < place < node.size):
            text = case.say("split.at", at=place, name=case.name(node.id), **case.sides(node.key, place))
            wrong.append(_Option(text, because, node.id))

    offer(node, at, at - 1, node.size // 2, 1, node.size - 1)
    if at:
        wrong.append(_Option(case.say("split.start", name=case.shown(node.id)), because, node.id))
    for other in sorted(case.nodes.values(), key=lambda other: (-other.size, other.id)):
        offer(other, other.size // 2, 1)
    if len({option.text for option in wrong}) < 2:  # nothing to cut at all
        return None
    if not equal:
        answer = case.say("split.answer.new")
    elif equal == text.size:
        answer = case.say("split.answer.inside")
    else:
        answer = case.say("split.answer.none", matched=case.tokens(equal), name=case.name(node.id))
    return _Found(case.say("split.ask"), _Option(case.say("split.nowhere")), wrong, answer)


def _depth(snapshot: Snapshot, node: int) -> int:
    """Returns how many tokens stand above a node."""
    return sum(above.size for above in snapshot.path(node)[:-1])


def _copied(case: _Case) -> _Found | None:
    found = case.cut()
    if found is None:
        return None
    node, at, position = found
    split = case.run.recording.events[position]
    assert isinstance(split, ev.Split)
    moved = _moved(case.run.recording.at(position), case.run.recording.at(position + 1), split)
    size = case.run.bytes_per_token
    much = (lambda n: memory_text(n * size)) if size else case.tokens  # type: Callable[[int], str]
    because, answer = case.say("copied.because"), "copied.answer" if moved else "copied.answer.none"
    parts = {"head": at, "whole": node.size, "half": node.size // 2, "tail": node.size - at}
    return _Found(
        ask=case.say("copied.ask"),
        right=_Option(case.say("copied.none", amount=much(0)) if not moved else much(moved)),
        wrong=[_Option(case.say(f"copied.{part}", amount=much(n)), because) for part, n in _distinct(parts)],
        answer=case.say(answer, amount=much(moved), name=case.name(node.id), size=case.tokens(node.size)),
    )


def _moved(before: Snapshot, after: Snapshot, split: ev.Split) -> int:
    """Returns how many tokens of a node lie in another slot after its split."""
    was, head, tail = before.find(split.node), after.find(split.head), after.find(split.node)
    assert was is not None and head is not None and tail is not None
    return int((as_array(was.slots) != as_array(head.slots + tail.slots)).sum())


def _distinct(parts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yields parts that are not empty and of different sizes."""
    seen = {0}
    for part, n in parts.items():
        if n not in seen:
            seen.add(n)
            yield part, n


# -- evictions ---------------------------------------------------------------------------------------------------------


def _victim(case: _Case) -> _Found | None:
    if not case.gone or case.gone[0][1].node not in case.nodes:
        return None
    position, event = case.gone[0]
    first, now = event.node, case.run.recording.at(position)
    policy = now.policy or case.run.config.policy
    there = {node.id: node for node in now.nodes() if node.id in case.nodes}
    leaves = [node for node in there.values() if not node.children and not node.locks]
    rank = POLICIES[policy]
    tied = [node.id for node in leaves if node.id != first and rank(node) == rank(there[first])]
    called = case.policy(now)
    mistakes = {id: _mistake(case, there.get(id), id, first, called) for id in case.nodes if id not in (first, *tied)}

    def options() -> Iterator[_Option]:
        locked = [node for node in there.values() if node.locks]
        inner = [node for node in there.values() if node.children and not node.locks]
        best: list[NodeView] = []
        best += locked[-1:] + sorted(inner, key=lambda node: (node.last, node.id))[:1]
        best += sorted(leaves, key=lambda node: (rank(node), node.id))[-1:]
        best += sorted(leaves, key=lambda node: (node.size, node.id))[-1:]
        for node in (*best, *sorted(there.values(), key=lambda node: (-node.last, node.id))):
            if node.id in mistakes:
                yield _Option(case.shown(node.id), mistakes[node.id], node.id)
        yield _Option(case.say("victim.nobody"), case.say("victim.nobody.because"))
        yield _Option(case.say("victim.bits"), case.say("victim.bits.because"))

    reason = case.say(f"why.{policy}" if policy in _REASONS else "why.other", policy=called)
    answer = case.say("victim.answer", name=case.shown(first), tokens=case.tokens(event.tokens), reason=reason)
    if tied:
        answer = joined(case.lang, answer, case.say("victim.tie", names=case.named(tied)))
    return _Found(
        ask=case.say("victim.pick" if case.question.pick else "victim.ask", policy=called),
        right=_Option(case.shown(first), node=first),
        wrong=options(),
        answer=answer,
        nodes=frozenset({first, *tied}),
        mistakes=mistakes,
    )


def _mistake(case: _Case, node: NodeView | None, id: int, first: int, policy: str) -> str:
    """Says why a node does not go first."""
    name, before = case.name(id), case.name(first)
    if node is not None and node.locks:
        return case.say("victim.locked", name=name)
    if node is not None and node.children:
        return case.say("victim.inner", name=name)
    if any(event.node == id for _, event in case.gone):
        return case.say("victim.later", name=name, first=before)
    large = node is not None and node.size > case.nodes[first].size
    return case.say("victim.large" if large else "victim.behind", name=name, first=before, policy=policy)


_REASONS: Final = ("lru", "lfu", "fifo", "mru", "filo", "slru", "priority")


def _freed(case: _Case) -> _Found | None:
    if not case.gone:
        return None
    position, first = case.gone[0]
    now = case.run.recording.at(position)
    freed = sum(event.tokens for _, event in case.gone)
    short = freed - case.after.free
    nodes = list(dict.fromkeys(event.node for _, event in case.gone))
    trimmed = any(isinstance(event, ev.Trimmed) for _, event in case.gone)
    short_of = case.amount(short)

    def option(key: str, n: int, because: str = "", **values: object) -> _Option:
        return _Option(case.say(key, amount=case.amount(n), **values), because)

    def options() -> Iterator[_Option]:
        more = case.say("freed.more.because")
        if 0 < short != freed:
            yield option("freed.short", short, case.say("freed.pages.because" if trimmed else "freed.short.because"))
        if first.tokens != freed:
            amount = case.amount(first.tokens)
            yield option("freed.leaf", first.tokens, case.say("freed.leaf.because", short=short_of, amount=amount))
        if now.evictable != freed:
            yield option("freed.all", now.evictable, more)
        there = case.before.resident
        if there not in (freed, now.evictable):
            yield option("freed.capacity", there, case.say("freed.capacity.because"))
        yield option("freed.none", 0, case.say("freed.none.because"))
        yield option("freed.twice", 2 * freed, more)

    if trimmed:
        right = option("freed.pages", freed)
    elif len(nodes) == 1:
        right = option("freed.leaf", freed)
    else:
        right = option("freed.leaves", freed, leaves=f"{len(nodes):,}")
    names = case.named(node for node in nodes)
    answer = case.say("freed.answer", amount=case.amount(freed), names=names)
    if 0 < short < freed:
        answer = joined(case.lang, answer, case.say("freed.spare", short=short_of, spare=case.tokens(freed - short)))
    return _Found(case.say("freed.ask", policy=case.policy(now)), right, options(), answer)


# -- nodes -------------------------------------------------------------------------------------------------------------


def _nodes(case: _Case) -> _Found | None:
    before, after = len(case.nodes), sum(1 for _ in case.after.nodes())
    splits = sum(isinstance(event, ev.Split) for _, event in case.events)
    gone = sum(isinstance(event, ev.Evicted) for _, event in case.events)
    made = after - before + gone
    replies = sum(len(step.done) for step in case.run.steps[: case.number])

    def nodes(n: int) -> str:
        return amount(case.lang, "node", n)

    how = {"made": nodes(made), "gone": nodes(gone)}
    if splits:
        how["made"] = case.say("nodes.made", made=nodes(made), splits=amount(case.lang, "split.count", splits))

    def options() -> Iterator[_Option]:
        yield _Option(nodes(before + len(case.step.done)), case.say("nodes.forgot"))
        if splits:
            yield _Option(nodes(after - splits), case.say("nodes.split"))
        for many, because in ((replies, "nodes.turns"), (2 * replies, "nodes.halves"), (before, "nodes.same")):
            if 2 * abs(many - after) <= after:  # what is far off tempts nobody
                yield _Option(nodes(many), case.say(because))
        for near in _near(after, after):
            yield _Option(nodes(near), case.say("nodes.near", **how))

    answer = case.say("nodes.answer", after=nodes(after), before=f"{before:,}", **how)
    return _Found(case.say("nodes.ask", nodes=nodes(before)), _Option(nodes(after)), options(), answer)


_KINDS: Final[dict[str, Callable[[_Case], _Found | None]]] = {
    "matched": _matched,
    "prefilled": _prefilled,
    "split": _split,
    "victim": _victim,
    "freed": _freed,
    "copied": _copied,
    "nodes": _nodes,
}
_OF_ALL: Final = ("victim", "freed", "nodes")  # kinds that are about all requests of a step
