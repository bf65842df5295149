"""Recordings of hash-block caches for tests of pictures, and pools drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from radixchat.chat.engine.engine import Ask, Engine
from radixchat.chat.engine.words import WordsRunner, WordsTokenizer
from radixchat.radix import HashBlockCache, NodeView, Root, Snapshot, Tombstone, as_key
from radixchat.radix.recording import Header, Recorder, Recording
from radixchat.radix.snapshots import Blocks, BlockView, TableView

from .hostile import PIECES

SYSTEM = "You are a helpful assistant. "
TALK = (
    ("a", "User: Hello! ", "Assistant: Hi! What can I do for you today? "),
    ("a", "User: Write a haiku. ", "Assistant: Blocks in a long row, each remembers the last, till room runs out. "),
    ("b", "User: What is a radix tree? ", "Assistant: A tree whose edges carry runs of tokens. "),
    ("a", "User: And trees? ", "Assistant: Roots share what leaves say. "),
    ("b", "User: Why blocks? ", "Assistant: They all have one size, so no hole is ever too small. "),
)  # fmt: skip
TWINS = ("Assistant: Same words, twice. ", "Assistant: Same words, twice, but not quite. ")


@cache
def recorded(preset: str, capacity: int = 64, size: int = 4) -> Recording:
    """Returns two conversations of several turns, two equal prompts at once, and two samples of one prompt."""
    tokenizer = WordsTokenizer()
    cache = HashBlockCache(capacity, preset=preset, block_size=size)
    engine = Engine(WordsRunner(), cache, tokenizer, cache_name="hash")
    recorder = Recorder(Header(config=cache.config, cache="hash", tokenizer="words"), tokenizer.token_bytes)
    engine.listeners.append(recorder.add)
    said: dict[str, str] = {}
    for name, user, reply in TALK:
        prompt = said.get(name, SYSTEM) + user
        engine.run([Ask(prompt=prompt, conversation=name, forced=(tokenizer.encode(reply),))])
        said[name] = prompt + reply
    same = SYSTEM + "User: One prompt that two people send. "
    engine.run([Ask(prompt=same, forced=(tokenizer.encode(reply),)) for reply in TWINS])
    many = SYSTEM + "User: Several answers please. "
    engine.run([Ask(prompt=many, forced=tuple(tokenizer.encode(reply) for reply in TWINS))])
    engine.check_integrity()
    recorder.flush()
    return recorder.recording


def moment(recording: Recording, kind: type, which: int = -1) -> Snapshot:
    """Returns the snapshot after one of the events of a kind."""
    places = [at for at, event in enumerate(recording.events, start=1) if type(event) is kind]
    return recording.at(places[which])


@dataclass(frozen=True)
class Odd:
    """A pool that no cache would make: hashes in circles, unknown blocks in tables, any states."""

    snapshot: Snapshot
    numbers: frozenset[int]


@st.composite
def pools(draw: st.DrawFn) -> Odd:
    """Draws a pool."""
    size, step = draw(st.sampled_from([1, 3, 16])), 5
    total = draw(st.integers(1, 24))
    hashes = st.sampled_from([b"", *(bytes([n] * 8) for n in range(8))])
    tokens = st.lists(st.sampled_from(sorted(PIECES)), max_size=size)
    tables = draw(st.lists(st.lists(st.integers(0, total), max_size=8, unique=True), max_size=3))
    refs = {number: sum(number in table for table in tables) for number in range(total)}
    used = draw(st.lists(st.integers(0, total - 1), unique=True, max_size=total))
    nodes = draw(st.permutations(range(1, total + 1)))
    views = []
    for at, number in enumerate(sorted({*used, *(number for number in refs if refs[number])})):
        digest = draw(hashes)
        key = as_key(draw(tokens)) if digest or refs[number] else b""
        slots = as_key(range(number * size, number * size + size))
        used_in, new_in = draw(st.sampled_from([0, 1, 5])), draw(st.sampled_from([1, 5]))
        node, depth, last = nodes[at] if digest else 0, draw(st.integers(0, 9)), draw(st.integers(0, 9))
        facts = (digest, draw(hashes), key, slots, last, new_in, used_in, draw(st.booleans()), node, depth)
        views.append(BlockView(number, refs[number], *facts))
    queue = draw(st.permutations([number for number in range(total) if not refs[number]]))
    names = draw(st.lists(st.sampled_from(["", "]]>"]), min_size=len(tables), max_size=len(tables)))
    opened = enumerate(zip(tables, names, strict=True))
    leases = tuple(TableView(at, tuple(table), 2 * at, name) for at, (table, name) in opened)
    blocks = Blocks(draw(st.sampled_from(["vllm-0.33", "\x1b[2J<b>"])), size, tuple(views), leases, tuple(queue))
    shown = [view for view in views if view.node and len(view.key) == 4 * size][:3]
    children = tuple(NodeView(id=view.node, key=view.key, slots=view.slots, rank=view.node) for view in shown)
    gone = draw(st.lists(st.tuples(st.integers(90, 94), st.sampled_from([0, 1, 2, 90, 91, 92, 93, 94])), max_size=4))
    stones = tuple(Tombstone(node, parent, as_key(draw(tokens)), node, "queue\x1b") for node, parent in gone)
    snapshot = Snapshot(
        step=step, tick=9, capacity=total * size, page_size=size, in_flight=0, resident=0, protected=0,
        next_victim=None, roots=(Root("", NodeView(id=0, key=b"", slots=b"", children=children)),),
        tombstones=stones, blocks=blocks,
    )  # fmt: skip
    return Odd(snapshot, frozenset(range(total)))
