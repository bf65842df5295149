"""What sets of rules a hash-block cache may have, in words: made from the rules themselves, so that both agree.

Knows rules and no cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..radix.presets import PRESETS, BlockRules

DEFAULT: Final = "vllm-0.33"
"""The preset where none is named."""

_HASHED: Final = {
    "v0-joined": "hash of the whole prefix",
    "v0-split": "hash of prompt and answer apart",
    "chain": "chain of hashes",
}
_ORDER: Final = {
    "evictor": "oldest use goes first",
    "classic": "one queue",
    "unhashed-first": "queue, blocks without a hash at its front",
    "plain": "blocks without a hash go first",
}


def about_rules(rules: BlockRules) -> str:
    """Returns what sets a preset apart, in one line."""
    size = f"blocks of {rules.block_size}"
    parts = [
        f"{size} (or another multiple of {rules.multiple})" if rules.multiple > 1 else size,
        f"{_HASHED[rules.hash_rule]} ({rules.hash_fn})",
        *(["tokens compared, too"] if rules.token_check else []),
        "partial blocks shared" if rules.partial_sharing else "full blocks only",
        *(["last full block of a request not marked"] if rules.computed_gate == "flag-short" else []),
        "all that is unreferenced goes at once" if rules.evict == "all" else _ORDER[rules.free_order],
    ]
    return " · ".join(parts)


def preset_lines() -> Iterator[str]:
    """Yields a line for each preset, oldest first."""
    width = max(map(len, PRESETS))
    for name, rules in PRESETS.items():
        yield f"{name:<{width}}  {about_rules(rules)}"
