"""The caches that a trace is fed to: which there are, what decides them, and how to make one.

A block of the trace is one token to a cache, and a page. Knows no trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from ...radix import NoCache, PrefixCache, RadixCache
from ...radix.policies import POLICIES, TIES
from ...radix.presets import PRESETS
from ..errors import UsageError

CACHES: Final = ("radix", "hash", "none")
UNITS: Final = ("page", "leaf")
SPLITS: Final = ("prefix", "both")

PRESET: Final = "vllm-0.33"
OPTIMUM: Final = "optimum"


@dataclass(frozen=True, slots=True)
class Setup:
    """A cache and its rules; what does not decide it is empty."""

    cache: str
    policy: str = ""
    unit: str = ""
    split_recency: str = ""
    tie: str = ""
    preset: str = ""

    def make(self, capacity: int, *, events: bool = False) -> PrefixCache:
        """Returns such a cache of so many blocks."""
        if self.cache == "hash":
            from ...radix.hash_blocks import HashBlockCache

            rules = replace(PRESETS[self.preset], block_size=1, multiple=1)
            return HashBlockCache(capacity, rules=rules, events=events)
        if self.cache == "none":
            return NoCache(capacity, events=events)
        return RadixCache(
            capacity,
            policy=self.policy,
            unit=self.unit,
            split_recency=self.split_recency,
            tie=self.tie,
            events=events,
        )

    @property
    def rules(self) -> str:
        """What decides it besides its policy, in a few words."""
        return self.preset or " ".join(rule for rule in (self.unit, self.split_recency, self.tie) if rule)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Lists of what may be combined; the cache at block grain is the default."""

    caches: Sequence[str] = ("radix",)
    policies: Sequence[str] = ("lru",)
    units: Sequence[str] = UNITS[:1]
    splits: Sequence[str] = SPLITS[:1]
    ties: Sequence[str] = ("deepest",)
    presets: Sequence[str] = (PRESET,)

    def __post_init__(self) -> None:
        for kind, names, known in (
            ("cache", self.caches, CACHES),
            ("policy", self.policies, POLICIES),
            ("unit", self.units, UNITS),
            ("split recency", self.splits, SPLITS),
            ("tie rule", self.ties, TIES),
            ("preset", self.presets, PRESETS),
        ):
            for name in names:
                if name not in known:
                    raise UsageError(f"there is no {kind} {name!r}", f"Choose among {', '.join(known)}.")

    def setups(self) -> Iterator[Setup]:
        """Yields every combination that means something: a hash cache has its own order, and no cache has none."""
        for cache in self.caches:
            if cache == "radix":
                for rules in product(self.policies, self.units, self.splits, self.ties):
                    yield Setup(cache, *rules)
            elif cache == "hash":
                for preset in self.presets:
                    queue = "all" if PRESETS[preset].evict == "all" else "lru"
                    yield Setup(cache, policy=queue, preset=preset)
            else:
                yield Setup(cache, policy="none")
