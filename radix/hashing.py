"""Hashes of blocks, as the releases take them: what goes in, which function, and the integers of their event streams.

    digests: list[Digest] = []
    hasher_for(rules, block_size).fill(digests, tokens, prompt, namespace, end)      # of blocks [len(digests), end)

A namespace takes the place of vLLM's LoRA id (v0) or cache salt (V1). Nothing here depends on the run: Python's own
`hash` is only taken of numbers, since that of text and of None changes from process to process. Knows rules; no cache.
"""

from __future__ import annotations

import hashlib
import pickle
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
from zlib import crc32

from .keys import Digest
from .presets import BlockRules

_MASK: Final = (1 << 64) - 1
_P1: Final = 0x9E3779B185EBCA87
_P2: Final = 0xC2B2AE3D27D4EB4F
_P3: Final = 0x165667B19E3779F9
_P4: Final = 0x85EBCA77C2B2AE63
_P5: Final = 0x27D4EB2F165667C5


class Hasher(Protocol):
    """Hashes the blocks of one cache."""

    def fill(self, digests: list[Digest], tokens: Sequence[int], prompt: int, namespace: str, end: int) -> None:
        """Appends the digests of the blocks [len(digests), end) of a request.

        Args:
            digests: Of the blocks before, in order; grows.
            tokens: All of the request so far; the last block may be partly filled under the v0 rules.
            prompt: How many of them are its prompt.
            namespace: It runs in.
            end: Blocks wanted in all.
        """


def hasher_for(rules: BlockRules, block_size: int) -> Hasher:
    """Returns what hashes blocks under these rules."""
    if rules.hash_rule != "chain":
        return PrefixHasher(block_size, split=rules.hash_rule == "v0-split")
    if rules.hash_fn == "sha256":
        return PickleChain(block_size, none_hash(rules.none_hash), tagged=rules.salt == "tagged")
    return BytesChain(block_size, _OVER_BYTES[rules.hash_fn])


# -- vLLM v0 -----------------------------------------------------------------------------------------------------------


class PrefixHasher:
    """`hash((whole prefix, LoRA id))`, anew for every block: quadratic, as in vLLM v0.

    Args:
        block_size: Tokens of a block.
        split: From 0.4.3 on the prefix is a pair (prompt, output) as soon as it reaches past the prompt.
    """

    def __init__(self, block_size: int, *, split: bool) -> None:
        self._size = block_size
        self._split = split

    def fill(self, digests: list[Digest], tokens: Sequence[int], prompt: int, namespace: str, end: int) -> None:
        """See `Hasher.fill`."""
        lora = lora_id(namespace)
        for index in range(len(digests), end):
            digests.append(number_digest(self.hash_of_block(tokens, prompt, lora, index)))

    def hash_of_block(self, tokens: Sequence[int], prompt: int, lora: int, index: int) -> int:
        """Returns the hash of a block as v0's number; what is None there is -1 here."""
        size = (index + 1) * self._size
        if not self._split:
            return hash((tuple(tokens[:size]), lora))
        if size > prompt:
            return hash(((tuple(tokens[:prompt]), tuple(tokens[prompt:size])), lora))
        return hash(((tuple(tokens[:size]), -1), lora))


def lora_id(namespace: str) -> int:
    """Returns the number that stands for a namespace where v0 has its LoRA id; 0 for none."""
    return int.from_bytes(hashlib.blake2b(namespace.encode(), digest_size=4).digest(), "big") if namespace else 0


def number_digest(value: int) -> Digest:
    """Returns a 64-bit number as a digest of eight bytes."""
    return (value & _MASK).to_bytes(8, "big")


# -- chains ------------------------------------------------------------------------------------------------------------


class PickleChain:
    """vLLM V1: SHA-256 of the pickled (hash before, tokens, extra keys).

    Args:
        block_size: Tokens of a block.
        none: Stands before the first block.
        tagged: Whether the salt stands as a pair with its name (0.33), or bare.
    """

    def __init__(self, block_size: int, none: Digest, *, tagged: bool) -> None:
        self._size = block_size
        self._none = none
        self._tagged = tagged

    def fill(self, digests: list[Digest], tokens: Sequence[int], prompt: int, namespace: str, end: int) -> None:
        """See `Hasher.fill`."""
        size, dumps, sha256 = self._size, pickle.dumps, hashlib.sha256
        parent = digests[-1] if digests else self._none
        for start in range(len(digests) * size, end * size, size):
            extra = self.extra(namespace) if namespace and not start else None
            parent = sha256(dumps((parent, tuple(tokens[start : start + size]), extra), 5)).digest()
            digests.append(parent)

    def extra(self, namespace: str) -> tuple[Any, ...] | None:
        """Returns the extra keys of the first block of a namespace."""
        if not namespace:
            return None
        return (("cache_salt", namespace),) if self._tagged else (namespace,)


def none_hash(seed: str | None) -> Digest:
    """Returns the hash before the first block, from the text behind it.

    Releases up to 0.28 draw it at random unless PYTHONHASHSEED is set; here None is what PYTHONHASHSEED=0 gives there.
    """
    return pickled_sha256("0" if seed is None else seed)


def pickled_sha256(value: Any) -> Digest:
    """Returns the SHA-256 of a value pickled with protocol 5."""
    return hashlib.sha256(pickle.dumps(value, protocol=5)).digest()


def hash_block_tokens(parent: Digest | None, tokens: Sequence[int], extra: Any = None, *, none: Digest) -> Digest:
    """Returns vLLM V1's hash of one block; `none` stands for the missing parent."""
    return pickled_sha256((parent or none, tuple(tokens), extra))


class BytesChain:
    """A chain over bytes: (hash before or nothing) + tokens; nano-vllm, transformers, and short ones for lessons.

    Args:
        block_size: Tokens of a block.
        function: From (hash before or b"", tokens) to a digest.
    """

    def __init__(self, block_size: int, function: Callable[[bytes, Sequence[int]], Digest]) -> None:
        self._size = block_size
        self._function = function

    def fill(self, digests: list[Digest], tokens: Sequence[int], prompt: int, namespace: str, end: int) -> None:
        """See `Hasher.fill`."""
        size, function = self._size, self._function
        parent = digests[-1] if digests else _seed(namespace)
        for start in range(len(digests) * size, end * size, size):
            parent = function(parent, tokens[start : start + size])
            digests.append(parent)


def _seed(namespace: str) -> bytes:
    """What stands before the first block: nothing, or eight bytes for the namespace (the releases have none)."""
    return hashlib.blake2b(namespace.encode(), digest_size=8).digest() if namespace else b""


def nano_hash(parent: bytes, tokens: Sequence[int]) -> Digest:
    """nano-vllm: xxh64 of the parent's eight bytes and the tokens as int64; the digest is its number, little-endian."""
    return xxh64(parent + struct.pack(f"<{len(tokens)}q", *tokens)).to_bytes(8, "little")


def transformers_hash(parent: bytes, tokens: Sequence[int]) -> Digest:
    """transformers: blake2b of eight bytes, of the parent's eight bytes and the tokens as int32."""
    return hashlib.blake2b(parent + struct.pack(f"<{len(tokens)}i", *tokens), digest_size=8).digest()


def toy_hash(parent: bytes, tokens: Sequence[int]) -> Digest:
    """Eight bits, so that it really collides: among 20 blocks two have the same hash, more often than not."""
    return bytes([crc32(parent + struct.pack(f"<{len(tokens)}i", *tokens)) & 0xFF])


_OVER_BYTES: Final[dict[str, Callable[[bytes, Sequence[int]], Digest]]] = {
    "xxh64": nano_hash,
    "blake2b-64": transformers_hash,
    "toy-8-bit": toy_hash,
}


# -- event streams -----------------------------------------------------------------------------------------------------


def event_integer(digest: Digest) -> int:
    """Returns the number by which vLLM's event stream names a block: the low eight bytes, unsigned."""
    return int.from_bytes(digest[-8:], "big")


def sglang_digest(parent: Digest, tokens: Sequence[int]) -> Digest:
    """Returns SGLang's hash of a page without a namespace: SHA-256 of (hash before or b"", tokens as 4 bytes each)."""
    return hashlib.sha256(parent + struct.pack(f"<{len(tokens)}I", *tokens)).digest()


def sglang_event_integer(digest: Digest) -> int:
    """Returns the number by which SGLang's event stream names a page: the first eight bytes, signed."""
    return int.from_bytes(digest[:8], "big", signed=True)


# -- xxh64 -------------------------------------------------------------------------------------------------------------


def xxh64(data: bytes, seed: int = 0) -> int:
    """Returns the 64-bit xxHash of some bytes.

    Written out, since a dependency for one preset would weigh more than these lines; some 50 ns a byte.
    Source: the xxHash specification, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
    """
    size, at = len(data), 0
    if size >= 32:
        lanes = [(seed + _P1 + _P2) & _MASK, (seed + _P2) & _MASK, seed & _MASK, (seed - _P1) & _MASK]
        whole = size - size % 32
        for words in struct.iter_unpack("<4Q", data[:whole]):
            lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
        at = whole
        value = sum(_rotated(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        for lane in lanes:
            value = ((value ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        value = (seed + _P5) & _MASK
    value = (value + size) & _MASK
    while at + 8 <= size:
        (word,) = struct.unpack_from("<Q", data, at)
        value = (_rotated(value ^ _round(0, word), 27) * _P1 + _P4) & _MASK
        at += 8
    if at + 4 <= size:
        (word,) = struct.unpack_from("<I", data, at)
        value = (_rotated(value ^ (word * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
        at += 4
    for byte in data[at:]:
        value = _rotated(value ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    value = (value ^ (value >> 33)) * _P2 & _MASK
    value = (value ^ (value >> 29)) * _P3 & _MASK
    return value ^ (value >> 32)


def _round(lane: int, word: int) -> int:
    return _rotated((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def _rotated(value: int, by: int) -> int:
    return ((value << by) | (value >> (64 - by))) & _MASK
