"""The nine steps of the RadixAttention figure: same nodes, same colours, same evictions.

The sizes are a recipe: any capacity from 85 to 101 tokens gives the figure, and no other does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

import pytest

from radixchat.radix import RadixCache, Snapshot, State

from .helpers import path_tokens
from .rig import Request, Rig, Tokens

LETTERS = {State.NEW: "G", State.REUSED: "B", State.RESIDENT: "."}
REPLY = 2
"""How many of a turn's last tokens are its reply, in the steps of one request."""

ids = count(1)


def piece(size: int) -> Tokens:
    """A run of tokens that occur nowhere else."""
    return tuple(next(ids) for _ in range(size))


SYSTEM = piece(4)
HELLO = piece(6)
SOLVE = piece(44)
WHAT_CAN = piece(24)
STORY = piece(24)
HOW_ABOUT = piece(8)
SHOTS = piece(8)
ANSWER = piece(1)
WHAT, WHEN, HOW = piece(2) + ANSWER, piece(2) + ANSWER, piece(2) + ANSWER
THIS_IS, AT_NOON, BY_CAR = piece(2), piece(2), piece(2)
LET_US, WE_CAN, TO_SOLVE = piece(20), piece(20), piece(20)

NAMES = {
    SYSTEM + HELLO: "hello",
    SYSTEM: "system",
    SYSTEM + HELLO + SOLVE: "solve",
    SYSTEM + WHAT_CAN: "what can",
    SYSTEM + WHAT_CAN + STORY: "story",
    SHOTS + WHAT + THIS_IS: "what",
    SHOTS: "shots",
    SHOTS + WHAT: "what, head",
    SHOTS + WHEN + AT_NOON: "when",
    SHOTS + HOW + BY_CAR: "how",
    SYSTEM + HELLO + SOLVE + HOW_ABOUT: "solve again",
    SHOTS + WHAT + LET_US: "let us",
    SHOTS + WHAT + WE_CAN: "we can",
    SHOTS + WHAT + TO_SOLVE: "to solve",
}
"""What the figure writes on the edge that ends a path. Some paths end another edge later: "hello" loses its head."""

PANELS: list[dict[str, str]] = [
    {},
    {"hello": "G"},
    {"hello": "B", "solve": "G"},
    {"system": "B", "hello": ".", "solve": ".", "what can": "G"},
    {"system": "B", "hello": ".", "solve": "X", "what can": "B", "story": "G"},
    {"system": ".", "hello": ".", "what can": ".", "story": ".", "what": "G"},
    {
        "system": ".", "hello": ".", "what can": ".", "story": ".",
        "shots": "B", "what": ".", "when": "G", "how": "G",
    },
    {
        "system": "B", "hello": "B", "what can": "X", "story": "X", "solve again": "G",
        "shots": ".", "what": ".", "when": ".", "how": ".",
    },
    {
        "system": ".", "hello": ".", "solve again": "X", "shots": "B", "what, head": "B", "what": ".",
        "when": "X", "how": "X", "let us": "G", "we can": "G", "to solve": "G",
    },
]  # fmt: skip
"""The state matrix of the figure: G new, B reused, . untouched, X evicted."""

SIZES = [0, 10, 54, 78, 58, 71, 81, 85, 83]


class Replay:
    """The nine steps on one cache; the requests of one step run side by side or one after another."""

    def __init__(self, cache: RadixCache, side_by_side: bool = True) -> None:
        self.side_by_side = side_by_side
        self.rig = Rig(cache)
        self.cache = cache
        self.names: dict[int, str] = {}  # of nodes, as long as they are remembered
        self.panels: list[dict[str, str]] = []
        self.sizes: list[int] = []
        self.evicted: list[list[str]] = []

    def play(self) -> None:
        for step in (
            lambda: None,
            lambda: self.turn(SYSTEM + HELLO),
            lambda: self.turn(SYSTEM + HELLO + SOLVE),
            lambda: self.turn(SYSTEM + WHAT_CAN),
            lambda: self.turn(SYSTEM + WHAT_CAN + STORY),
            lambda: self.turn(SHOTS + WHAT + THIS_IS),
            lambda: self.turns((SHOTS + WHEN, AT_NOON), (SHOTS + HOW, BY_CAR)),
            lambda: self.turn(SYSTEM + HELLO + SOLVE + HOW_ABOUT),
            lambda: self.turns(*((SHOTS + WHAT, reply) for reply in (LET_US, WE_CAN, TO_SOLVE))),
        ):
            self.step(step)

    def step(self, requests: Callable[[], None]) -> None:
        self.cache.new_step()
        requests()
        snapshot = self.rig.check()
        self.names |= names_of(snapshot)
        states = {self.names[node.id]: LETTERS[snapshot.state(node)] for node in snapshot.nodes()}
        graves = [self.names[grave.node] for grave in snapshot.tombstones]
        self.panels.append(states | dict.fromkeys(graves, "X"))
        self.sizes.append(snapshot.resident)
        self.evicted.append(graves)

    def turn(self, tokens: Tokens) -> None:
        self.rig.turn(tokens[:-REPLY], tokens[-REPLY:])

    def turns(self, *turns: tuple[Tokens, Tokens]) -> None:
        """Runs the requests of one step; side by side, their replies grow token by token in turn."""
        if not self.side_by_side:
            for prompt, reply in turns:
                self.rig.turn(prompt, reply)
            return
        running: list[tuple[Request, Tokens]] = [(self.rig.begin(prompt), reply) for prompt, reply in turns]
        for request, _ in running:
            self.rig.prefill(request)
        for tokens in zip(*(reply for _, reply in running), strict=True):
            for (request, _), token in zip(running, tokens, strict=True):
                self.rig.decode(request, (token,))
        for request, _ in running:
            self.rig.finish(request)


def names_of(snapshot: Snapshot) -> dict[int, str]:
    return {node.id: NAMES[path_tokens(snapshot, node.id)] for node in snapshot.nodes()}


def replay(capacity: int, split_recency: str = "both", side_by_side: bool = True) -> Replay:
    played = Replay(RadixCache(capacity, split_recency=split_recency), side_by_side)
    played.play()
    return played


@pytest.mark.parametrize("side_by_side", [True, False])
@pytest.mark.parametrize("capacity", range(85, 102))
def test_every_panel_is_the_figure(capacity: int, side_by_side: bool) -> None:
    """Nodes, colours, tombstones and sizes, at every capacity of the recipe's range."""
    played = replay(capacity, side_by_side=side_by_side)
    assert played.panels == PANELS
    assert played.sizes == SIZES


@pytest.mark.parametrize("capacity", [85, 86, 101])
def test_evictions_come_in_the_figures_order(capacity: int) -> None:
    """c; then h before g; then k, l and i."""
    evicted = [[], [], [], [], ["solve"], [], [], ["story", "what can"], ["when", "how", "solve again"]]
    assert replay(capacity).evicted == evicted


def test_a_smaller_cache_loses_one_leaf_more_in_step_8() -> None:
    """At 84 tokens one of k and l goes with h and g."""
    assert replay(84).evicted[7] == ["story", "what can", "when"]


def test_a_bigger_cache_evicts_later() -> None:
    """At 102 tokens step 5 evicts nothing, and c goes in step 6."""
    assert replay(102).evicted[4:6] == [[], ["solve"]]


def test_prefix_recency_evicts_the_old_answer_first() -> None:
    """When only the head of a split is refreshed, `This is ...` is the oldest leaf of step 9, and goes with the rest.

    It goes as soon as no sample holds it: side by side, one of k and l makes the room for their first tokens.
    """
    alone, beside = (replay(86, "prefix", side_by_side) for side_by_side in (False, True))
    assert alone.panels[:8] == beside.panels[:8] == PANELS[:8]
    assert alone.evicted[8] == ["what", "when", "how", "solve again"]
    assert beside.evicted[8] == ["when", "what", "how", "solve again"]
    assert alone.sizes[8] == beside.sizes[8] == 81


def test_the_rest_of_a_split_is_grey_and_no_victim() -> None:
    """In the step of the split and in the next one, another node would go."""
    played = Replay(RadixCache(86))
    for tokens in (SYSTEM + HELLO, SYSTEM + HELLO + SOLVE, SYSTEM + WHAT_CAN):
        played.step(partial(played.turn, tokens))
    snapshot = played.cache.snapshot()
    rest = next(node for node in snapshot.nodes() if played.names[node.id] == "hello")
    assert snapshot.state(rest) is State.RESIDENT
    assert played.names[snapshot.next_victim or 0] == "solve"


def test_one_token_nodes_never_appear() -> None:
    """The prompt of step 9 is matched whole, and the tree is cut where the answers part, not one token before."""
    cache = replay(86).cache
    assert sorted(node.size for node in cache.snapshot().nodes()) == [2, 3, 4, 6, 8, 20, 20, 20]


def test_what_was_evicted_is_computed_again() -> None:
    """Step 8 pays for step 5: of its prompt only the first ten tokens are found."""
    played = Replay(RadixCache(86))
    for tokens in (SYSTEM + HELLO, SYSTEM + HELLO + SOLVE, SYSTEM + WHAT_CAN, SYSTEM + WHAT_CAN + STORY):
        played.step(partial(played.turn, tokens))
    assert played.cache.peek(SYSTEM + HELLO + SOLVE + HOW_ABOUT).matched == 10
