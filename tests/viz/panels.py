"""The nine panels of the RadixAttention paper's figure, replayed by a real cache, with the paper's own text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count

from radixchat.radix import RadixCache, Snapshot
from radixchat.radix.recording import Header, Recorder

Tokens = tuple[int, ...]

PANEL_PIECES: dict[int, bytes] = {}
_ids = count(1)


def _run(size: int, text: str) -> Tokens:
    """As many new tokens as asked for, which together spell a text."""
    data = text.encode()
    tokens = tuple(next(_ids) for _ in range(size))
    for number, token in enumerate(tokens):
        PANEL_PIECES[token] = data[len(data) * number // size : len(data) * (number + 1) // size]
    return tokens


SYSTEM = _run(4, "You are a helpful assistant.\n")
HELLO = _run(6, "User: Hello!\nAssistant: Hi!\n")
SOLVE = _run(44, "User: Solve this question...\nAssistant: Sure! ...\n")
WHAT_CAN = _run(24, "User: What can you do?\nAssistant: I can ...\n")
STORY = _run(24, "User: Write a story ...\nAssistant: Sure! ...\n")
HOW_ABOUT = _run(8, "User: How about ..?\nAssistant: It is a ...\n")
SHOTS = _run(8, "Question 1: ...\nAnswer 1: ...\nQuestion 2: ...\nAnswer 2:...\nQuestion 3: ")
ANSWER = _run(1, "Answer 3:")
WHAT, WHEN, HOW = (_run(2, text) + ANSWER for text in ("What ...\n", "When ...\n", "How ...\n"))
THIS_IS, AT_NOON, BY_CAR = (_run(2, text) for text in (" This is ...", " ...", " ..."))
LET_US, WE_CAN, TO_SOLVE = (_run(20, text) for text in (" Let us ...", " We can ...", " To solve ..."))

CAPACITY = 86
STEPS = [
    [], [SYSTEM + HELLO], [SYSTEM + HELLO + SOLVE], [SYSTEM + WHAT_CAN], [SYSTEM + WHAT_CAN + STORY],
    [SHOTS + WHAT + THIS_IS], [SHOTS + WHEN + AT_NOON, SHOTS + HOW + BY_CAR], [SYSTEM + HELLO + SOLVE + HOW_ABOUT],
    [SHOTS + WHAT + LET_US, SHOTS + WHAT + WE_CAN, SHOTS + WHAT + TO_SOLVE],
]  # fmt: skip
"""The requests of each step; the last two tokens of each are its reply."""

LETTERS = [
    {}, {SYSTEM + HELLO: "a"}, {SYSTEM + HELLO: "b"}, {SYSTEM + HELLO + SOLVE: "c", SYSTEM + WHAT_CAN: "d"}, {},
    {SHOTS + WHAT + THIS_IS: "e"}, {SYSTEM + HELLO: "f", SYSTEM + WHAT_CAN: "g", SYSTEM + WHAT_CAN + STORY: "h"},
    {
        SYSTEM + HELLO + SOLVE + HOW_ABOUT: "i", SHOTS + WHAT + THIS_IS: "j",
        SHOTS + WHEN + AT_NOON: "k", SHOTS + HOW + BY_CAR: "l",
    },
    {},
]  # fmt: skip
"""The letter of the node that ends a path, panel by panel."""


def turn(cache: RadixCache, prompt: Tokens, reply: Tokens) -> None:
    """Runs a whole request."""
    lease = cache.begin(prompt)
    cache.extend(lease, len(prompt) - len(lease))
    cache.commit(lease, prompt[lease.computed :])
    for token in reply:
        cache.extend(lease, 1)
        cache.commit(lease, (token,))
    cache.finish(lease)


def steps(radix: RadixCache) -> Iterator[None]:
    """Plays the nine steps, one at a time."""
    for ends in STEPS:
        radix.new_step()
        for tokens in ends:
            turn(radix, tokens[:-2], tokens[-2:])
        yield


@cache
def panels() -> list[tuple[Snapshot, dict[int, str]]]:
    """Returns snapshot and letters of each panel."""
    radix = RadixCache(CAPACITY)
    played = []
    for _, letters in zip(steps(radix), LETTERS, strict=True):
        snapshot = radix.snapshot()
        played.append((snapshot, {id: letters[path] for id, path in _paths(snapshot).items() if path in letters}))
    return played


@cache
def moments() -> list[Snapshot]:
    """Returns the snapshot after every event of the nine steps."""
    radix = RadixCache(CAPACITY)
    recorder = Recorder(Header(radix.config), PANEL_PIECES.__getitem__)
    for _ in steps(radix):
        recorder.add(radix.take_events())
        recorder.flush()
    recording = recorder.recording
    return [recording.at(position) for position in range(len(recording.events) + 1)]


def _paths(snapshot: Snapshot) -> dict[int, Tokens]:
    return {
        node.id: tuple(token for above in snapshot.path(node.id) for token in above.tokens.tolist())
        for node in snapshot.nodes()
    }
