"""What a `HashBlockCache` keeps with a lease: its tokens and their hashes, and its block table. Decides nothing."""

from __future__ import annotations

from .block_forest import Block
from .block_state import Table
from .hashing import Hasher
from .keys import Digest, Key, as_array, cut
from .leases import Lease

REMEMBERED = 64
"""Prompts whose hashes are remembered: a scheduler asks about the same ones again and again."""


class Blueprint:
    """A prompt, cut into blocks; hashes them as they are asked for.

    Args:
        key: The prompt.
        namespace: It is asked for in.
        hasher: Of the cache.
        block_size: Tokens of a block.
        partial: Whether its last block is hashed and shared although it is not full.
    """

    __slots__ = ("block_size", "blocks", "digests", "hasher", "key", "namespace", "partial", "size", "tokens")

    def __init__(self, key: Key, namespace: str, hasher: Hasher, block_size: int, *, partial: bool) -> None:
        self.key = key
        self.namespace = namespace
        self.tokens: list[int] = as_array(key).tolist()
        self.size = len(self.tokens)
        self.blocks = -(-self.size // block_size)
        self.digests: list[Digest] = []
        self.hasher = hasher
        self.block_size = block_size
        self.partial = partial

    @property
    def hashed(self) -> int:
        """How many of its blocks have a hash."""
        return self.blocks if self.partial else self.size // self.block_size

    @property
    def shareable(self) -> int:
        """How many blocks a lookup may give it: without partial sharing, one token is left to a new block."""
        return self.blocks if self.partial else max(0, self.size - 1) // self.block_size

    def up_to(self, tokens: int) -> Blueprint:
        """Returns this prompt, or its beginning if it has more than so many tokens."""
        if tokens >= self.size:
            return self
        return Blueprint(cut(self.key, 0, tokens), self.namespace, self.hasher, self.block_size, partial=self.partial)

    def digest(self, place: int) -> Digest:
        """Returns the hash of a block; that of the last one, if it is not full, is of all tokens there are."""
        if place >= len(self.digests):
            self.hasher.fill(self.digests, self.tokens, self.size, self.namespace, place + 1)
        return self.digests[place]

    def piece(self, place: int) -> Key:
        """Returns the tokens of a block."""
        return cut(self.key, place * self.block_size, (place + 1) * self.block_size)


class Prompts:
    """Remembers the last prompts with their hashes.

    Args:
        hasher: Of the cache.
        block_size: Tokens of a block.
        partial: As for `Blueprint`.
    """

    def __init__(self, hasher: Hasher, block_size: int, *, partial: bool) -> None:
        self._hasher = hasher
        self._block_size = block_size
        self._partial = partial
        self._known: dict[tuple[str, Key], Blueprint] = {}

    def of(self, key: Key, namespace: str) -> Blueprint:
        """Returns a prompt, with the hashes that were already taken of it."""
        known = self._known.get((namespace, key))
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = Blueprint(key, namespace, self._hasher, self._block_size, partial=self._partial)
            self._known[namespace, key] = known
        return known


class BlockTable:
    """What a `HashBlockCache` keeps with a lease.

    Args:
        state: Its block table.
        prompt: What it began with.
        tick: The clock when it began.
    """

    __slots__ = ("digests", "made", "prompt", "registered", "state", "tick", "tokens")

    def __init__(self, state: Table, prompt: Blueprint, tick: int) -> None:
        self.state = state
        self.prompt = prompt
        self.tick = tick
        self.tokens = prompt.tokens  # known so far, in order; shared with the prompt until others follow
        self.digests: list[Digest] = []  # of full blocks
        self.registered = 0  # first blocks that are in the index or were found there
        self.made: set[int] = set()  # nodes that it registered

    @property
    def number(self) -> int:
        """Of the table."""
        return self.state.number

    @property
    def blocks(self) -> list[Block]:
        """In order of the tokens; the state's own list."""
        return self.state.blocks

    def append(self, start: int, tokens: list[int]) -> None:
        """Learns the tokens that were computed from a position on; those of the prompt are known."""
        known = tokens[: max(0, len(self.tokens) - start)]
        assert self.tokens[start : start + len(known)] == known, "other tokens than those of the prompt"
        if len(known) < len(tokens):
            if self.tokens is self.prompt.tokens:
                self.tokens = self.tokens.copy()
            self.tokens += tokens[len(known) :]

    def digest(self, place: int) -> Digest:
        """Returns the hash of a block that is filled by known tokens."""
        if place >= len(self.digests):
            self.hash_to(place + 1)
        return self.digests[place]

    def hash_to(self, end: int) -> None:
        """Hashes all blocks before a place; those within the prompt are known."""
        prompt, digests = self.prompt, self.digests
        within = min(end, prompt.size // prompt.block_size)
        if len(digests) < within:
            prompt.digest(within - 1)
            digests += prompt.digests[len(digests) : within]
        if len(digests) < end:
            prompt.hasher.fill(digests, self.tokens, prompt.size, prompt.namespace, end)

    def fork(self, state: Table, tokens: int) -> BlockTable:
        """Returns what another lease keeps that shares the first tokens; what it adds to them is no prompt."""
        forked = BlockTable(state, self.prompt.up_to(tokens), self.tick)
        forked.tokens = self.tokens[:tokens]
        forked.digests = self.digests[: tokens // self.prompt.block_size]
        forked.registered = len(forked.digests)
        return forked


def table_of(lease: Lease) -> BlockTable:
    """Returns what is kept with an open lease."""
    assert lease.open, "this lease is finished"
    table = lease.held
    assert isinstance(table, BlockTable)
    return table
