"""The story of a recording: one line for each event, and a few for all that happened between two moments.

In the project's words (match, split, insert, grow, evict; matched, reused, prefilled), with node text shortened to a
glance. Lines are plain strings of one line each, safe to print. Knows events and differences; no colours, no width and
no layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ..radix import events as ev
from ..radix.keys import Key, count
from ..radix.snapshots import Snapshot
from ..radix.travel import Diff
from .labels import Labels, label
from .picture import Look

GLANCE: Final = 24
"""Cells of node text in a line."""

MOST: Final = 6
"""Nodes that a line of `tell_diff` names."""

_NAME = 40  # cells of a conversation's or namespace's name

_WHY: Final = {
    "asked": "on request",
    "discarded": "because its request failed",
    "not last": "because only the last sequence is kept",
    "shrunk": "because the capacity shrank",
    "cleared": "because everything was forgotten",
}
_REASONS: Final = {
    "stop": "the reply was complete",
    "length": "the reply reached its limit",
    "capacity": "no room was left",
    "cancelled": "it was stopped",
    "error": "it failed",
}


def tell(event: Any, pieces: Mapping[int, bytes], *, look: Look) -> str | None:
    """Says in one line what an event did; None for those that nobody needs told (locks, free slots).

    An event of a kind that this version does not know is told by its name and its numbers.

    Args:
        event: Any of `radix.events`.
        pieces: The bytes of each token id.
        look: Whether labels are ASCII, and whether chat-template tokens are folded.
    """
    if type(event) in ev.QUIET:
        return None
    teller = _TELLERS.get(type(event), _unknown)
    return teller(event, _Words(pieces, look))


def tell_diff(diff: Diff, pieces: Mapping[int, bytes], *, look: Look) -> list[str]:
    """Says what happened between two moments, in a handful of lines; one line when nothing did."""
    words = _Words(pieces, look)
    lines = [_span(diff), *_changes(diff, words)]
    return [*lines, _memory(diff)] if diff else [*lines, "nothing changed in the tree"]


class _Words:
    """How names and node text are written."""

    def __init__(self, pieces: Mapping[int, bytes], look: Look) -> None:
        self.ascii = look.ascii
        self._labels = Labels.of(pieces, look)

    def text(self, key: Key) -> str:
        """Returns the text of tokens, at a glance."""
        return self._labels.fit(key, GLANCE).plain

    def name(self, text: str) -> str:
        """Returns a name that came from a person or a file."""
        return label(text, ascii=self.ascii).fit(_NAME, ascii=self.ascii).plain


# -- events ------------------------------------------------------------------------------------------------------------


def _step_opened(event: ev.StepOpened, words: _Words) -> str:
    return f"step {event.step:,} begins"


def _namespace_opened(event: ev.NamespaceOpened, words: _Words) -> str:
    return f"namespace {words.name(event.namespace)} has its own tree now, below #{event.node}"


def _matched(event: ev.Matched, words: _Words) -> str:
    if not event.tokens:
        return "matched nothing"
    share = "all" if event.at == event.tokens else f"the last {event.at:,}"
    return f"matched {_tok(event.tokens)}, {share} of them in #{event.node}"


def _split(event: ev.Split, words: _Words) -> str:
    return f"split #{event.node} at token {event.at:,}: new parent #{event.head}"


def _inserted(event: ev.Inserted, words: _Words) -> str:
    below = f"below #{event.parent}" if event.parent else "at the root"
    return f"inserted #{event.node} {below}, {_tok(count(event.key))}: {words.text(event.key)}"


def _grown(event: ev.Grown, words: _Words) -> str:
    return f"grew #{event.node} by {_tok(count(event.key))}: {words.text(event.key)}"


def _evicted(event: ev.Evicted, words: _Words) -> str:
    return f"evicted #{event.node} ({_tok(event.tokens)}) {_cause(event, words)}"


def _trimmed(event: ev.Trimmed, words: _Words) -> str:
    return f"trimmed {_tok(event.tokens)} off the end of #{event.node} {_cause(event, words)}"


def _cause(event: ev.Evicted | ev.Trimmed, words: _Words) -> str:
    why = why_gone(event.why, ascii=words.ascii)
    asked = f", {_tok(event.asked)} asked" if event.asked else ""
    return f"{why}, idle for {_count(event.age, 'request')}{asked}"


def _sampled(event: ev.Sampled, words: _Words) -> str:
    return f"sampled {_tok(count(event.key))} after #{event.node}, not cached yet: {words.text(event.key)}"


def _resized(event: ev.Resized, words: _Words) -> str:
    return f"the capacity is {_tok(event.capacity)} now"


def _repoliced(event: ev.Repoliced, words: _Words) -> str:
    return f"the policy is {words.name(event.policy)} now"


def _cleared(event: ev.Cleared, words: _Words) -> str:
    return "the cache forgot everything"


def _request_started(event: ev.RequestStarted, words: _Words) -> str:
    where = f" in {words.name(event.conversation)}" if event.conversation else ""
    reused = "" if event.reused == event.matched else f", {event.reused:,} reused"
    return f"request {event.request:,}{where}: {event.matched:,} of {event.prompt:,} prompt tokens matched{reused}"


def _request_retracted(event: ev.RequestRetracted, words: _Words) -> str:
    return f"request {event.request:,} was retracted: it gave its room to others and waits again"


def _request_finished(event: ev.RequestFinished, words: _Words) -> str:
    reason = _REASONS.get(event.reason) or words.name(event.reason)
    return (
        f"request {event.request:,} finished ({reason}): reused {event.reused:,} of {event.prompt:,} prompt tokens, "
        f"prefilled {event.prefilled:,}, generated {event.generated:,}"
    )


def _unknown(event: Any, words: _Words) -> str:
    """Tells an event by its name and what is short in it."""
    name = "".join(f" {char.lower()}" if char.isupper() else char for char in type(event).__name__).strip()
    values = event._asdict() if hasattr(event, "_asdict") else {}
    facts = [f"{field} {words.name(str(value))}" for field, value in values.items() if isinstance(value, int | str)]
    return words.name(name) + (": " + ", ".join(facts) if facts else "")


_TELLERS: Final[dict[type, Callable[[Any, _Words], str]]] = {
    ev.StepOpened: _step_opened,
    ev.NamespaceOpened: _namespace_opened,
    ev.Matched: _matched,
    ev.Split: _split,
    ev.Inserted: _inserted,
    ev.Grown: _grown,
    ev.Evicted: _evicted,
    ev.Trimmed: _trimmed,
    ev.Sampled: _sampled,
    ev.Resized: _resized,
    ev.Repoliced: _repoliced,
    ev.Cleared: _cleared,
    ev.RequestStarted: _request_started,
    ev.RequestRetracted: _request_retracted,
    ev.RequestFinished: _request_finished,
}


def why_gone(why: str, *, ascii: bool = False) -> str:
    """Says why a node went, as events and tombstones name it: `lru` becomes "by lru"."""
    return _WHY.get(why) or f"by {label(why, ascii=ascii).fit(_NAME, ascii=ascii).plain}"


# -- differences -------------------------------------------------------------------------------------------------------


def _span(diff: Diff) -> str:
    first, last = diff.before.step, diff.after.step
    events = _count(diff.end - diff.start, "event")
    if first == last:
        return f"within step {last:,}, {events}"
    return f"from step {first:,} to step {last:,}, {events}"


def _changes(diff: Diff, words: _Words) -> Iterable[str]:
    if diff.touched:
        yield f"reused {_nodes(diff.touched)}"
    for node, head, at in diff.split[:MOST]:
        yield f"split #{node} at token {at:,}: new parent #{head}"
    if len(diff.split) > MOST:
        yield f"and {_count(len(diff.split) - MOST, 'more split')}"
    if len(diff.added) == 1:
        ((node, tokens),) = diff.added.items()
        yield f"added #{node}, {_tok(tokens)}: {words.text(_key_of(diff.after, node))}"
    elif diff.added:
        yield f"added {_nodes(diff.added)}"
    for node, tokens in list(diff.grown.items())[:MOST]:
        yield f"grew #{node} by {_tok(tokens)}"
    if len(diff.grown) > MOST:
        yield f"and {_count(len(diff.grown) - MOST, 'more node')} grew"
    yield from _losses(diff, words)


def _losses(diff: Diff, words: _Words) -> Iterable[str]:
    """Tells what went by reason, then what came and went."""
    gone: dict[str, dict[int, int]] = {}
    cut: dict[str, dict[int, int]] = {}
    passed: dict[int, int] = {}
    for loss in diff.lost:
        if loss.whole and not loss.had:
            passed[loss.node] = loss.tokens
        else:
            sums = (gone if loss.whole else cut).setdefault(loss.why, {})
            sums[loss.node] = sums.get(loss.node, 0) + loss.tokens
    for why, nodes in gone.items():
        yield f"evicted {_nodes(nodes)}, {why_gone(why, ascii=words.ascii)}"
    for why, nodes in cut.items():
        yield f"trimmed {_nodes(nodes)}, {why_gone(why, ascii=words.ascii)}"
    if passed:
        yield f"came and went: {_nodes(passed)}"


def _memory(diff: Diff) -> str:
    before, after = diff.before, diff.after
    line = f"free {before.free:,} -> {after.free:,} tok, resident {before.resident:,} -> {after.resident:,} tok"
    if before.capacity == after.capacity:
        return line
    return f"{line}, capacity {before.capacity:,} -> {after.capacity:,} tok"


def _nodes(nodes: Mapping[int, int]) -> str:
    """Names nodes and their tokens, and how many there are when there are several."""
    named = [f"#{node} ({_tok(tokens)})" for node, tokens in list(nodes.items())[:MOST]]
    if len(nodes) == 1:
        return named[0]
    more = f" and {len(nodes) - MOST:,} more" if len(nodes) > MOST else ""
    return f"{_count(len(nodes), 'node')}, {_tok(sum(nodes.values()))}: {', '.join(named)}{more}"


def _key_of(snapshot: Snapshot, node_id: int) -> Key:
    node = snapshot.find(node_id)
    return b"" if node is None else node.key


def _tok(tokens: int) -> str:
    return f"{tokens:,} tok"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")
