"""Events: every change of a cache, in order, each complete enough to repeat the change on another copy.

A cache decides, writes the decision down as an event, and applies it (`radix.state`). Applying the same events to an
empty state gives the same tree, which is how live view, time travel, lessons and tests all see one truth.
Node 0 is the hidden root of the default namespace. Events know tokens, nodes and ticks, no requests (but for the three
that the engine writes), no text and no wall clock. The events of hash blocks stand after those of trees; what tells of
several blocks names them in the order in which it happened to them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .keys import Digest, Key


class StepOpened(NamedTuple):
    """A new step begins: the tombstones of the last one go, its new and reused nodes become resident."""

    step: int


class NamespaceOpened(NamedTuple):
    """A namespace is used for the first time and gets a hidden root."""

    node: int  # id of the hidden root
    namespace: str


class Matched(NamedTuple):
    """A prefix was found, or a computed one adopted; its nodes are stamped as used."""

    node: int  # the last node walked (0 or another hidden root: nothing found)
    at: int  # tokens of that node that matched
    above: int  # nodes from `node` up to, and without, this one were walked
    tokens: int  # tokens found from the hidden root on
    tick: int  # the request's tick; the clock moves up to it
    whole: bool  # whether the last node is stamped although it matched only in part ("both" halves rule)
    priority: int = 0


class Split(NamedTuple):
    """A node was cut in two. The tail keeps the id, its locks and its place below; the head is new."""

    node: int  # the tail
    head: int  # id of the new upper half; it takes over locks, hits and rank
    at: int  # tokens of the head
    tick: int  # last use of the head


class Inserted(NamedTuple):
    """In-flight tokens became a new leaf."""

    node: int
    parent: int
    key: Key
    slots: Key
    tick: int
    priority: int = 0


class Grown(NamedTuple):
    """In-flight tokens were appended to a leaf in place."""

    node: int
    key: Key
    slots: Key


class Locked(NamedTuple):
    """The nodes from `node` up to, and without, `above` are protected once more."""

    node: int
    above: int


class Unlocked(NamedTuple):
    """The nodes from `node` up to, and without, `above` are protected once less."""

    node: int
    above: int


class Evicted(NamedTuple):
    """A leaf and its slots were given back."""

    node: int
    tokens: int
    why: str  # the policy's name, "asked" (by id), "discarded" (its request failed), "not last", "shrunk"
    order: int  # 0 for the first of this eviction
    age: int  # ticks since its last use
    asked: int  # tokens of room wanted by the eviction


class Trimmed(NamedTuple):
    """The end of a leaf was given back, in whole pages (eviction unit `page`)."""

    node: int
    tokens: int
    why: str
    order: int
    age: int
    asked: int


class Reserved(NamedTuple):
    """Free slots went to a lease."""

    tokens: int


class Released(NamedTuple):
    """In-flight slots became free: duplicates of what is in the tree, unused room, or a lease's end."""

    tokens: int


class Sampled(NamedTuple):
    """The last token of a reply, sampled after a node, has no KV: it is not cached yet."""

    node: int
    key: Key


class Resized(NamedTuple):
    """The capacity changed."""

    capacity: int


class Repoliced(NamedTuple):
    """From now on another policy decides which evictable leaf goes first; what it ranks by was kept all along."""

    policy: str


class Cleared(NamedTuple):
    """The cache forgot everything; the clock and the ids go on."""


class TableOpened(NamedTuple):
    """A lease began, with an empty block table."""

    table: int  # its number; never used again
    namespace: str
    tick: int  # the clock moves up to it


class TableForked(NamedTuple):
    """A lease began with the first blocks of another's table; each has one reference more."""

    table: int
    source: int  # the other table
    blocks: int  # how many
    tokens: int  # tokens whose K/V is there


class TableClosed(NamedTuple):
    """A lease ended: its references go, from the last block to the first; blocks without any join the free queue."""

    table: int


class BlocksHit(NamedTuple):
    """Blocks that the index knew went into a table; each has one reference more, and leaves the free queue."""

    table: int
    blocks: tuple[int, ...]
    tokens: int  # tokens of the table whose K/V is there
    tick: int


class BlocksTaken(NamedTuple):
    """Blocks of the free queue, without hashes by now, went into a table for new tokens."""

    table: int
    blocks: tuple[int, ...]
    tick: int


class BlocksHashed(NamedTuple):
    """Blocks that follow one another in a table entered the index; one that had another hash loses that."""

    table: int
    blocks: tuple[int, ...]
    digests: tuple[Digest, ...]  # theirs
    parent: Digest  # the hash before the first of them; b"" at the start of a chain
    nodes: tuple[int, ...]  # their numbers in order of registration, and ids in the tree as soon as they are filled


class BlocksFilled(NamedTuple):
    """The K/V of the next tokens of a table was computed, into blocks of its own or into shared ones, to the same."""

    table: int
    start: int  # position of the first token
    key: Key


class BlocksComputed(NamedTuple):
    """Blocks were marked as computed, so that a hit counts (presets with a flag)."""

    table: int
    blocks: tuple[int, ...]


class BlocksAccessed(NamedTuple):
    """All blocks of a table were used by a running request (presets with an evictor, which goes by that)."""

    table: int
    tick: int


class BlockCopied(NamedTuple):
    """Copy-on-write: a table goes on in a block of the free queue instead of a shared one that is not full."""

    table: int
    place: int  # in the table
    source: int  # the shared block; one reference less
    target: int  # the block taken
    tokens: int  # tokens of it whose K/V is copied
    tick: int


class BlockReplaced(NamedTuple):
    """A table gave back a block for one that holds the same tokens already."""

    table: int
    place: int  # in the table
    old: int  # one reference less
    new: int  # one reference more
    tick: int


class BlocksEvicted(NamedTuple):
    """Blocks lost their hashes and, unless a table has them, their content; they stay where they are in the queue."""

    blocks: tuple[int, ...]
    nodes: tuple[int, ...]  # their numbers in order of registration
    why: str  # the rule's name (lru-depth, queue, all), "asked", "discarded" (their request failed before they were
    # filled, or leaves nothing), "overwritten" (an equal block took their place in the index), "shrunk"
    ages: tuple[int, ...]  # ticks since their last use
    asked: int  # tokens of room wanted


class RequestStarted(NamedTuple):
    """The engine admitted a request (written by the engine; changes no tree)."""

    request: int
    conversation: str  # name of the conversation, or ""
    prompt: int  # tokens
    matched: int  # tokens found
    reused: int  # tokens not computed again
    rewritten: tuple[int, ...] = ()  # (start, end) of the prompt's tokens that a template says anew, if it did


class RequestRetracted(NamedTuple):
    """A running request gave its room to others and waits again (written by the engine)."""

    request: int


class RequestFinished(NamedTuple):
    """A request ended; the facts of the signature line, without times (written by the engine)."""

    request: int
    reason: str  # stop, length, capacity, cancelled, error
    prompt: int
    matched: int
    reused: int
    prefilled: int
    generated: int
    splits: tuple[int, ...]  # ids of the nodes that were split
    evicted_nodes: int
    evicted_tokens: int


Event = (
    StepOpened
    | NamespaceOpened
    | Matched
    | Split
    | Inserted
    | Grown
    | Locked
    | Unlocked
    | Evicted
    | Trimmed
    | Reserved
    | Released
    | Sampled
    | Resized
    | Repoliced
    | Cleared
    | TableOpened
    | TableForked
    | TableClosed
    | BlocksHit
    | BlocksTaken
    | BlocksHashed
    | BlocksFilled
    | BlocksComputed
    | BlocksAccessed
    | BlockCopied
    | BlockReplaced
    | BlocksEvicted
    | RequestStarted
    | RequestRetracted
    | RequestFinished
)

EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in Event.__args__}
"""Every event by name, as recordings spell it."""

QUIET = frozenset({Locked, Unlocked, Reserved, Released, TableOpened, BlocksAccessed})
"""Events that are kept but are no stops when a person steps through time."""
