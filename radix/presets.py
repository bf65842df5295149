"""Rules of hash-block caches as data, and the sets of them that reproduce particular releases.

Rules only say what is done; `radix.hash_blocks` does it. Sources: the texts of vLLM 0.4.2 to 0.33.0, nano-vllm
`bb823b3` and transformers 5.23.0, as docs/hash-blocks.md tells them. Knows no block and no token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

HashRule = Literal["v0-joined", "v0-split", "chain"]
HashFn = Literal["builtin", "sha256", "xxh64", "blake2b-64", "toy-8-bit"]
Dedup = Literal["promote", "none", "overwrite", "replace"]
FreeOrder = Literal["evictor", "classic", "unhashed-first", "plain"]
Evict = Literal["lru-depth", "queue", "all"]
Gate = Literal["flag-short", "flag", "none"]
When = Literal["allocation", "step"]


@dataclass(frozen=True, slots=True)
class BlockRules:
    """What decides a hash-block cache's behaviour besides its requests."""

    name: str  # as `--preset` takes it
    block_size: int  # tokens of a block, unless told otherwise

    hash_rule: HashRule
    """What a block's hash is taken of. v0-joined: the whole prefix up to the block's end. v0-split: the same, as a pair
    of (prompt, output), so that text which was generated never equals the same text in a prompt. chain: the hash of the
    block before, and the block's own tokens."""

    hash_fn: HashFn
    """builtin: Python's `hash`, 64 bits. sha256: of the pickled tuple. xxh64 and blake2b-64: of bytes, 64 bits.
    toy-8-bit: collides all the time, for lessons."""

    partial_sharing: bool  # blocks that are not full are hashed, found and shared, too; who writes to one copies it

    dedup: Dedup
    """What is done with a block that fills up when its hash is known already. promote: the table takes the known block.
    none: both stay. overwrite: the index leads to the newer one. replace: as promote, after its K/V was computed."""

    free_order: FreeOrder
    """In what order freed blocks are used again. evictor: see `evict`. classic: all at the end of one queue.
    unhashed-first: blocks without a hash at its front. plain: those without a hash before all others."""

    evict: Evict
    """Which unreferenced block goes. lru-depth: that of the oldest use among the first freed; of equals the one whose
    hash covers most. queue: the first of the queue. all: every one, at once."""

    computed_gate: Gate
    """When a hit counts. flag: its block is marked as computed. flag-short: as flag, but the last full block of every
    request is forgotten (0.5.4, and by the measured hits of 0.4.2 there, too). none: no flag; a block in the index has
    its K/V, or will have when the running step ends."""

    register_when: When  # when a block of a prompt enters the index; step: as soon as it is computed
    token_check: bool = False  # whether a hit compares the block's tokens, too
    none_hash: str | None = None  # text behind the hash before the first block; None: random in the release, "0" here
    null_block: bool = False  # block 0 is a placeholder; numbers begin at 1
    salt: Literal["lora", "bare", "tagged", "parent"] = "bare"  # how a namespace enters the first block's hash
    multiple: int = 1  # block sizes must be multiples of this

    def check_block_size(self, size: int) -> None:
        """Raises ValueError for a block size that these rules forbid."""
        if size < 1:
            raise ValueError(f"a block size of {size} is not possible: give 1 or more")
        if size % self.multiple:
            raise ValueError(f"{self.name} takes block sizes that are multiples of {self.multiple}; {size} is none")


def _v0(name: str, hash_rule: HashRule, gate: Gate) -> BlockRules:
    return BlockRules(
        name, 16, hash_rule, "builtin", partial_sharing=True, dedup="promote", free_order="evictor", evict="lru-depth",
        computed_gate=gate, register_when="allocation", salt="lora",
    )  # fmt: skip


def _v1(name: str, free_order: FreeOrder, none_hash: str | None, salt: Literal["bare", "tagged"]) -> BlockRules:
    return BlockRules(
        name, 16, "chain", "sha256", partial_sharing=False, dedup="none", free_order=free_order, evict="queue",
        computed_gate="none", register_when="allocation", none_hash=none_hash, null_block=True, salt=salt,
    )  # fmt: skip


_ALL: Final = (
    _v0("vllm-0.4.2", "v0-joined", "flag-short"),
    _v0("vllm-0.5.4", "v0-split", "flag-short"),
    _v0("vllm-0.6.3", "v0-split", "flag"),
    _v1("vllm-0.11", "classic", None, "bare"),
    _v1("vllm-0.33", "unhashed-first", "vllm-none-hash", "tagged"),
    BlockRules(
        "nano-vllm", 256, "chain", "xxh64", partial_sharing=False, dedup="overwrite", free_order="classic",
        evict="queue", computed_gate="none", register_when="step", token_check=True, salt="parent", multiple=256,
    ),
    BlockRules(
        "hf-cb", 256, "chain", "blake2b-64", partial_sharing=False, dedup="replace", free_order="plain", evict="all",
        computed_gate="none", register_when="step", salt="parent",
    ),
)  # fmt: skip

PRESETS: Final[dict[str, BlockRules]] = {rules.name: rules for rules in _ALL}
"""Every release's rules by name, oldest first."""

SHOWN: Final = ("vllm-0.4.2", "vllm-0.11", "vllm-0.33")
"""The presets that help names."""

TOY: Final = BlockRules(
    "toy-8-bit", 16, "chain", "toy-8-bit", partial_sharing=False, dedup="none", free_order="unhashed-first",
    evict="queue", computed_gate="none", register_when="allocation", none_hash="vllm-none-hash", null_block=True,
)  # fmt: skip
"""For one lesson only: vllm-0.33 with a hash of 8 bits and no look at the tokens. Prompts soon find blocks of other
text, and what a model says then is wrong. It is no preset, so that nobody chooses it by accident."""


def rules_named(name: str) -> BlockRules:
    """Returns the rules of that name.

    Raises:
        ValueError: there are none.
    """
    if name == TOY.name:
        return TOY
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
