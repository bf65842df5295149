"""Everything about one hash block, as named facts for the detail pane. Knows pools; no widget and no lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .pool import Entry, Pool

_MOST_LEASES = 8


class Fact(NamedTuple):
    """A named fact."""

    name: str
    value: str


def block_facts(pool: Pool, entry: Entry, locked: str, victim: str) -> Iterator[Fact]:
    """Yields the facts of a block.

    Args:
        pool: What it is one of.
        entry: Of a block, not of a tombstone.
        locked: The sign of what is held.
        victim: The sign and word of what goes next.
    """
    yield Fact("block", f"{entry.number}, {entry.tokens:,} of {entry.size:,} tok")
    yield Fact("hash", entry.digest.hex() if entry.digest else "none: only its table knows it")
    if entry.digest:
        yield Fact("before", _before(pool, entry))
    yield Fact("refs", _refs(pool, entry, locked, victim))
    if entry.pending:
        yield Fact("a hit", "does not count yet: not computed, or not marked so")


def _before(pool: Pool, entry: Entry) -> str:
    if not entry.parent:
        return "nothing: the start of a chain"
    if entry.broken:
        return f"{entry.parent.hex()}, gone: no lookup comes so far"
    above = pool.above(entry)
    return entry.parent.hex() + (f", block {above}" if above is not None else "")


def _refs(pool: Pool, entry: Entry, locked: str, victim: str) -> str:
    if entry.refs:
        leases = [str(table.table) for table in pool.blocks.tables if entry.number in table.blocks]
        more = f" and {len(leases) - _MOST_LEASES:,} more" if len(leases) > _MOST_LEASES else ""
        word = "lease" if len(leases) == 1 else "leases"
        return f"{locked}{entry.refs:,}, {word} {', '.join(leases[:_MOST_LEASES])}{more}"
    if pool.veiled or entry.place is None:
        return "none"
    next_ = f", {victim}: its content goes when room is needed" if entry.victim else ""
    return f"none: number {entry.place + 1:,} of {len(pool.blocks.queue):,} in the free queue{next_}"
