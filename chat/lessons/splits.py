"""Questions about where nodes are split, what that moves in the pool, and how many nodes there are then.

Wrong choices are slips of the reader: a cut beside the place, none at all, a split that copies. Knows cases and where
matches end; no other kind of question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...radix import NodeView, Snapshot
from ...radix import events as ev
from ...radix.keys import as_array
from ...viz import memory_text
from .cases import Case, Found, Option, common, drawn, nearby
from .matches import ends, resident
from .speech import amount


def ask_split(case: Case) -> Found | None:
    """Asks where a node is split; where none is, the wrong choices are cuts. None where nothing of the kind happens."""
    found = case.cut()
    if found is None:
        return _unsplit(case)
    node, at, _ = found
    name, key = case.name(node.id), node.key
    split = {one.node.id for _, one in case.cuts}  # other requests of the step split nodes, too
    true = {one.at for _, one in case.cuts if one.node.id == node.id}

    def place(at: int) -> str:
        return case.say("split.at", at=at, name=name, **case.sides(key, at))

    def untrue(at: int, because: str) -> Iterator[Option]:
        if 0 < at < node.size and at not in true:
            yield Option(place(at), because, node.id)

    def options() -> Iterator[Option]:
        yield Option(case.say("split.nowhere"), case.say("split.none", name=name))
        equal = at + max(common(node.tokens[at:], text[_depth(case.before, node.id) + at :]) for text in texts)
        if equal > at:  # a page is shared whole or not at all
            yield from untrue(equal, case.say("matched.page", page=case.tokens(case.before.page_size)))
        yield from untrue(at - 1, case.say("split.early"))
        yield Option(case.say("split.start", name=case.shown(node.id)), case.say("split.above", at=at), node.id)
        yield from untrue(at + 1, case.say("split.late"))

    texts = [done.sequence for done in case.done]
    return Found(
        ask=case.say("split.pick" if case.question.pick else "split.ask"),
        right=Option(place(at), node=node.id),
        wrong=options(),
        answer=case.say("split.answer", name=name, at=at, size=node.size, **case.sides(key, at)),
        nodes=frozenset(split),
        mistakes={id: case.say("split.not", name=case.name(id)) for id in case.nodes if id not in split},
    )


def _unsplit(case: Case) -> Found | None:
    """Returns what is asked where nothing is split; the wrong choices are cuts then."""
    if (
        case.question.pick
        or not case.done
        or not case.nodes
        or any(isinstance(one, ev.Split) for _, one in case.events)
    ):
        return None
    text = case.done[0].sequence
    equal = resident(case.before, text) // case.before.page_size * case.before.page_size
    _, end, last = ends(case.before, text, equal)
    node = case.nodes[last] if last is not None else drawn(case.before.roots[0].node)[-1]
    at = equal - end + node.size if last is not None else 0  # tokens of the node that are equal

    because, wrong = case.say("split.whole"), []

    def offer(node: NodeView, *places: int) -> None:
        for place in (place for place in places if 0 < place < node.size):
            text = case.say("split.at", at=place, name=case.name(node.id), **case.sides(node.key, place))
            wrong.append(Option(text, because, node.id))

    offer(node, at, at - 1, node.size // 2, 1, node.size - 1)
    if at:
        wrong.append(Option(case.say("split.start", name=case.shown(node.id)), because, node.id))
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
    return Found(case.say("split.ask"), Option(case.say("split.nowhere")), wrong, answer)


def _depth(snapshot: Snapshot, node: int) -> int:
    """Returns how many tokens stand above a node."""
    return sum(above.size for above in snapshot.path(node)[:-1])


def ask_copied(case: Case) -> Found | None:
    """Asks how much K and V a split moves. None where nothing of the kind happens."""
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
    return Found(
        ask=case.say("copied.ask"),
        right=Option(case.say("copied.none", amount=much(0)) if not moved else much(moved)),
        wrong=[Option(case.say(f"copied.{part}", amount=much(n)), because) for part, n in _distinct(parts)],
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


def ask_nodes(case: Case) -> Found | None:
    """Asks how many nodes there are after the step. None where nothing of the kind happens."""
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

    def options() -> Iterator[Option]:
        yield Option(nodes(before + len(case.step.done)), case.say("nodes.forgot"))
        if splits:
            yield Option(nodes(after - splits), case.say("nodes.split"))
        for many, because in ((replies, "nodes.turns"), (2 * replies, "nodes.halves"), (before, "nodes.same")):
            if 2 * abs(many - after) <= after:  # what is far off tempts nobody
                yield Option(nodes(many), case.say(because))
        for near in nearby(after, after):
            yield Option(nodes(near), case.say("nodes.near", **how))

    answer = case.say("nodes.answer", after=nodes(after), before=f"{before:,}", **how)
    return Found(case.say("nodes.ask", nodes=nodes(before)), Option(nodes(after)), options(), answer)
