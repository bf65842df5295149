"""The story of a recording: one line for each event, and a few for all that happened between two moments.

In the project's words (match, split, insert, grow, evict; matched, reused, prefilled), in English or Chinese (the
sentences are data, in `sentences`), with node text shortened to a glance. A node is called by its number, or by a name
(`names_of`). Lines are plain strings of one line each, safe to print. Knows events and differences; no colours, no
width and no layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ..radix import events as ev
from ..radix.keys import Key, count
from ..radix.snapshots import Snapshot
from ..radix.travel import Diff
from .labels import Labels, label, lettered
from .picture import Look
from .sentences import COUNTS, SENTENCES, spoken

GLANCE: Final = 24
"""Cells of node text in a line."""

MOST: Final = 6
"""Nodes that a line of `tell_diff` names."""

_NAME = 40  # cells of a conversation's or namespace's name
_HASH = 8  # hexadecimal digits of a hash


_CALLED: Final = frozenset({"node", "parent", "head", "above"})
"""Facts of events that are nodes."""


def tell(
    event: Any, pieces: Mapping[int, bytes], *, look: Look, lang: str = "en", quiet: bool = False, veiled: bool = False,
    names: Mapping[int, str] | None = None,
) -> str | None:  # fmt: skip
    """Says in one line what an event did; None for those that hardly anybody needs told (locks, free slots).

    An event of a kind that this version does not know is told by its name and its numbers.

    Args:
        event: Any of `radix.events`.
        pieces: The bytes of each token id.
        look: Whether labels are ASCII, whether chat-template tokens are folded, and what is abridged.
        lang: "zh" for Chinese; English else, and where only ASCII can be printed.
        quiet: Whether locks and free slots are told, too.
        veiled: Whether it is left out how long something was not used, because a question is open.
        names: What to call nodes, by id, safe to print (`names_of`); the others are called by their numbers.
    """
    if type(event) in ev.QUIET and not quiet:
        return None
    teller = _TELLERS.get(type(event), _unknown)
    return teller(event, _Words(pieces, look, lang, veiled, names))


def tell_diff(
    diff: Diff, pieces: Mapping[int, bytes], *, look: Look, lang: str = "en", names: Mapping[int, str] | None = None
) -> list[str]:
    """Says what happened between two moments, in a handful of lines; one line when nothing did.

    `lang` and `names` are as above.
    """
    names = {**_in_blocks(diff, lang=spoken(lang, ascii=look.ascii)), **(names or {})}
    words = _Words(pieces, look, lang, names=names)
    lines = [_span(diff, words), *_changes(diff, words)]
    return [*lines, _memory(diff, words) if diff else words.say("nothing")]


def names_of(
    snapshots: Iterable[Snapshot], letters: Mapping[int, str], pieces: Mapping[int, bytes], *, look: Look,
    lang: str = "en",
) -> dict[int, str]:  # fmt: skip
    """Returns what to call the nodes and tombstones of some moments, by id: by a letter, else by their text in quotes.

    Where a node's text changed, that of the first moment counts. `lang` is as above.
    """
    words = _Words(pieces, look, lang)
    keys: dict[int, Key] = {}
    for snapshot in snapshots:
        here = {gone.node: gone.key for gone in snapshot.tombstones} | {node.id: node.key for node in snapshot.nodes()}
        keys = here | keys
    known = lettered(letters, ascii=look.ascii)
    return {
        id: words.say("lettered", letter=known[id]) if known.get(id) else words.say("quoted", text=words.text(key))
        for id, key in keys.items()
    }


class _Words:
    """How facts, names and node text are written."""

    def __init__(
        self, pieces: Mapping[int, bytes], look: Look, lang: str = "en", veiled: bool = False,
        names: Mapping[int, str] | None = None,
    ) -> None:  # fmt: skip
        self.ascii = look.ascii
        self.lang = spoken(lang, ascii=look.ascii)
        self.veiled = veiled
        self._sentences = SENTENCES[self.lang]
        self._counts = COUNTS[self.lang]
        self._labels = Labels.of(pieces, look)
        self._names = names or {}

    def say(self, sentence: str, /, **facts: Any) -> str:
        """Returns a sentence, with nodes called by their names; facts that come as text are safe to print already."""
        called = {fact: self.node(facts[fact]) for fact in _CALLED & facts.keys()}
        said = self._sentences[sentence].format(**{**facts, **called})
        return said.replace("“", '"').replace("”", '"') if self.ascii else said

    def node(self, id: int) -> str:
        """Returns what a node is called."""
        return self._names.get(id) or self._sentences["number"].format(id=id)

    def count(self, things: str, number: int) -> str:
        """Returns so many things."""
        return self._counts[things][number != 1].format(number)

    def text(self, key: Key) -> str:
        """Returns the text of tokens, at a glance."""
        return self._labels.fit(key, GLANCE).plain

    def name(self, text: str) -> str:
        """Returns a name that came from a person or a file."""
        return label(text, ascii=self.ascii).fit(_NAME, ascii=self.ascii).plain

    def blocks(self, numbers: Sequence[int]) -> str:
        """Names blocks by their numbers, and says how many more there are."""
        named = self.say("and").join(f"{number:,}" for number in numbers[:MOST])
        if len(numbers) == 1:
            return self.say("block", named=named)
        more = self.say("more", more=len(numbers) - MOST) if len(numbers) > MOST else ""
        return self.say("blocks", named=named, more=more)

    def why(self, why: str) -> str:
        """Returns why something went."""
        return why_gone(why, ascii=self.ascii, lang=self.lang)


# -- events ------------------------------------------------------------------------------------------------------------


def _plain(sentence: str) -> Callable[[Any, _Words], str]:
    """Returns what tells an event by its numbers alone."""
    return lambda event, words: words.say(sentence, **event._asdict())


def _namespace_opened(event: ev.NamespaceOpened, words: _Words) -> str:
    return words.say("namespace", name=words.name(event.namespace), node=event.node)


def _matched(event: ev.Matched, words: _Words) -> str:
    if not event.tokens:
        return words.say("matched nothing")
    return words.say("matched in one" if event.at == event.tokens else "matched", **event._asdict())


def _held(sentence: str) -> Callable[[ev.Locked | ev.Unlocked, _Words], str]:
    return lambda event, words: words.say(f"{sentence} below" if event.above else sentence, **event._asdict())


def _slots(sentence: str) -> Callable[[ev.Reserved | ev.Released, _Words], str]:
    return lambda event, words: words.say(sentence, slots=words.count("slots", event.tokens))


def _spelled(sentence: str) -> Callable[[ev.Inserted | ev.Grown | ev.Sampled | ev.BlocksFilled, _Words], str]:
    """Returns what tells an event with its tokens."""
    return lambda event, words: words.say(
        sentence, **event._asdict(), tokens=count(event.key), text=words.text(event.key)
    )


def _inserted(event: ev.Inserted, words: _Words) -> str:
    return _spelled("inserted" if event.parent else "inserted at the root")(event, words)


def _gone(sentence: str) -> Callable[[ev.Evicted | ev.Trimmed, _Words], str]:
    def told(event: ev.Evicted | ev.Trimmed, words: _Words) -> str:
        idle = "" if words.veiled else words.say("idle", requests=words.count("requests", event.age))
        room = words.say("room", asked=event.asked) if event.asked else ""
        return words.say(sentence, node=event.node, tokens=event.tokens, why=words.why(event.why), idle=idle, room=room)

    return told


def _table(sentence: str) -> Callable[[Any, _Words], str]:
    """Returns what tells an event by its lease, its numbers and its blocks."""

    def told(event: Any, words: _Words) -> str:
        facts = event._asdict()
        return words.say(sentence, **facts, named=words.blocks(event.blocks))

    return told


def _hashed(event: ev.BlocksHashed, words: _Words) -> str:
    digests = words.say("and").join(digest.hex()[:_HASH] for digest in event.digests[:MOST])
    if len(event.digests) > MOST:
        digests += words.say("more", more=len(event.digests) - MOST)
    after = words.say("after", digest=event.parent.hex()[:_HASH]) if event.parent else ""
    return words.say("hashed", named=words.blocks(event.blocks), digests=digests, after=after)


def _blocks_evicted(event: ev.BlocksEvicted, words: _Words) -> str:
    least, most = min(event.ages, default=0), max(event.ages, default=0)
    requests = words.count("requests", most)
    idle = words.say("idle", requests=requests)
    if least < most:
        idle = words.say("idle from to", least=least, requests=requests)
    room = words.say("room", asked=event.asked) if event.asked else ""
    return words.say(
        "evicted blocks", named=words.blocks(event.blocks), why=words.why(event.why),
        idle="" if words.veiled else idle, room=room,
    )  # fmt: skip


def _repoliced(event: ev.Repoliced, words: _Words) -> str:
    return words.say("repoliced", policy=words.name(event.policy))


def _request_started(event: ev.RequestStarted, words: _Words) -> str:
    where = words.say("where", name=words.name(event.conversation)) if event.conversation else ""
    less = "" if event.reused == event.matched else words.say("less", reused=event.reused)
    return words.say("started", **event._asdict(), where=where, less=less)


def _request_finished(event: ev.RequestFinished, words: _Words) -> str:
    known = f"end {event.reason}" in SENTENCES["en"]
    reason = words.say(f"end {event.reason}") if known else words.name(event.reason)
    return words.say("finished", **{**event._asdict(), "reason": reason})


def _unknown(event: Any, words: _Words) -> str:
    """Tells an event by its name and what is short in it."""
    name = "".join(f" {char.lower()}" if char.isupper() else char for char in type(event).__name__).strip()
    values = event._asdict() if hasattr(event, "_asdict") else {}
    facts = [f"{field} {words.name(str(value))}" for field, value in values.items() if isinstance(value, int | str)]
    return words.name(name) + (": " + ", ".join(facts) if facts else "")


_TELLERS: Final[dict[type, Callable[[Any, _Words], str]]] = {
    ev.StepOpened: _plain("step"),
    ev.NamespaceOpened: _namespace_opened,
    ev.Matched: _matched,
    ev.Split: _plain("split"),
    ev.Inserted: _inserted,
    ev.Grown: _spelled("grown"),
    ev.Locked: _held("locked"),
    ev.Unlocked: _held("unlocked"),
    ev.Evicted: _gone("evicted"),
    ev.Trimmed: _gone("trimmed"),
    ev.Reserved: _slots("reserved"),
    ev.Released: _slots("released"),
    ev.Sampled: _spelled("sampled"),
    ev.Resized: _plain("resized"),
    ev.Repoliced: _repoliced,
    ev.Cleared: _plain("cleared"),
    ev.TableOpened: _plain("table"),
    ev.TableForked: _plain("forked"),
    ev.TableClosed: _plain("closed"),
    ev.BlocksHit: _table("hit"),
    ev.BlocksTaken: _table("taken"),
    ev.BlocksHashed: _hashed,
    ev.BlocksFilled: _spelled("filled"),
    ev.BlocksComputed: _table("marked"),
    ev.BlocksAccessed: _plain("accessed"),
    ev.BlockCopied: _plain("copied"),
    ev.BlockReplaced: _plain("replaced"),
    ev.BlocksEvicted: _blocks_evicted,
    ev.RequestStarted: _request_started,
    ev.RequestRetracted: _plain("retracted"),
    ev.RequestFinished: _request_finished,
}


def why_gone(why: str, *, ascii: bool = False, lang: str = "en") -> str:
    """Says why a node went, as events and tombstones name it: `lru` becomes "by lru"."""
    sentences = SENTENCES[spoken(lang, ascii=ascii)]
    policy = label(why, ascii=ascii).fit(_NAME, ascii=ascii).plain
    return sentences.get(f"why {why}") or sentences["why"].format(policy=policy)


# -- differences -------------------------------------------------------------------------------------------------------


def _in_blocks(diff: Diff, lang: str) -> dict[int, str]:
    """Returns what to call the nodes of a hash-block cache: by the blocks that hold them, or held them before."""
    held = {
        view.node: view.number
        for snapshot in (diff.before, diff.after)
        for view in (snapshot.blocks.blocks if snapshot.blocks is not None else ())
        if view.node
    }
    return {node: SENTENCES[lang]["in block"].format(id=node, block=block) for node, block in held.items()}


def _span(diff: Diff, words: _Words) -> str:
    first, last = diff.before.step, diff.after.step
    events = words.count("events", diff.end - diff.start)
    return words.say("within" if first == last else "from to", first=first, last=last, events=events)


def _changes(diff: Diff, words: _Words) -> Iterable[str]:
    if diff.touched:
        yield words.say("all reused", nodes=_nodes(diff.touched, words))
    for cut in diff.split[:MOST]:
        yield words.say("split", **cut._asdict())
    if len(diff.split) > MOST:
        yield words.say("more splits", splits=words.count("more splits", len(diff.split) - MOST))
    if len(diff.added) == 1:
        ((node, tokens),) = diff.added.items()
        yield words.say("added", node=node, tokens=tokens, text=words.text(_key_of(diff.after, node)))
    elif diff.added:
        yield words.say("all added", nodes=_nodes(diff.added, words))
    for node, tokens in list(diff.grown.items())[:MOST]:
        yield words.say("grew", node=node, tokens=tokens)
    if len(diff.grown) > MOST:
        yield words.say("more grew", nodes=words.count("more nodes", len(diff.grown) - MOST))
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
    for sentence, lost in (("all evicted", gone), ("all trimmed", cut)):
        for why, nodes in lost.items():
            yield words.say(sentence, nodes=_nodes(nodes, words), why=words.why(why))
    if passed:
        yield words.say("passed", nodes=_nodes(passed, words))


def _memory(diff: Diff, words: _Words) -> str:
    facts = {}
    for name in ("free", "resident", "capacity"):
        facts[name] = f"{getattr(diff.before, name):,}"
        facts[f"{name}_now"] = f"{getattr(diff.after, name):,}"
    changed = diff.before.capacity != diff.after.capacity
    return words.say("memory", **facts) + (words.say("capacity", **facts) if changed else "")


def _nodes(nodes: Mapping[int, int], words: _Words) -> str:
    """Names nodes and their tokens, and how many there are when there are several."""
    named = [words.say("node", node=node, tokens=tokens) for node, tokens in list(nodes.items())[:MOST]]
    if len(nodes) == 1:
        return named[0]
    more = words.say("more", more=len(nodes) - MOST) if len(nodes) > MOST else ""
    total = {"nodes": words.count("nodes", len(nodes)), "tokens": sum(nodes.values())}
    return words.say("nodes", **total, named=words.say("and").join(named), more=more)


def _key_of(snapshot: Snapshot, node_id: int) -> Key:
    node = snapshot.find(node_id)
    return b"" if node is None else node.key
