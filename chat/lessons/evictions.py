"""Questions about who is evicted first, and how much eviction gives back.

Wrong choices are slips of the reader: a locked node, an inner one, a slice of a leaf, all that could go. Knows cases
and policies; no other kind of question.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...radix import NodeView
from ...radix import events as ev
from ...radix.policies import POLICIES
from .cases import Case, Found, Option
from .speech import joined


def ask_victim(case: Case) -> Found | None:
    """Asks which node is evicted first. None where nothing of the kind happens."""
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

    def options() -> Iterator[Option]:
        locked = [node for node in there.values() if node.locks]
        inner = [node for node in there.values() if node.children and not node.locks]
        best: list[NodeView] = []
        best += locked[-1:] + sorted(inner, key=lambda node: (node.last, node.id))[:1]
        best += sorted(leaves, key=lambda node: (rank(node), node.id))[-1:]
        best += sorted(leaves, key=lambda node: (node.size, node.id))[-1:]
        for node in (*best, *sorted(there.values(), key=lambda node: (-node.last, node.id))):
            if node.id in mistakes:
                yield Option(case.shown(node.id), mistakes[node.id], node.id)
        yield Option(case.say("victim.nobody"), case.say("victim.nobody.because"))
        yield Option(case.say("victim.bits"), case.say("victim.bits.because"))

    reason = case.say(f"why.{policy}" if policy in _REASONS else "why.other", policy=called)
    answer = case.say("victim.answer", name=case.shown(first), tokens=case.tokens(event.tokens), reason=reason)
    if tied:
        answer = joined(case.lang, answer, case.say("victim.tie", names=case.named(tied)))
    return Found(
        ask=case.say("victim.pick" if case.question.pick else "victim.ask", policy=called),
        right=Option(case.shown(first), node=first),
        wrong=options(),
        answer=answer,
        nodes=frozenset({first, *tied}),
        mistakes=mistakes,
    )


def _mistake(case: Case, node: NodeView | None, id: int, first: int, policy: str) -> str:
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


def ask_freed(case: Case) -> Found | None:
    """Asks how much eviction gives back. None where nothing of the kind happens."""
    if not case.gone:
        return None
    position, first = case.gone[0]
    now = case.run.recording.at(position)
    freed = sum(event.tokens for _, event in case.gone)
    short = freed - case.after.free
    nodes = list(dict.fromkeys(event.node for _, event in case.gone))
    trimmed = any(isinstance(event, ev.Trimmed) for _, event in case.gone)
    short_of = case.amount(short)

    def option(key: str, n: int, because: str = "", **values: object) -> Option:
        return Option(case.say(key, amount=case.amount(n), **values), because)

    def options() -> Iterator[Option]:
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
    return Found(case.say("freed.ask", policy=case.policy(now)), right, options(), answer)
