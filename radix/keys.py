"""Token keys: sequences of token ids as bytes, four per token (native int32).

Bytes compare with one ``memcmp``, slice cheaply, hash, and are immutable, so a node, its snapshot and an event can
share one object. Knows nothing of trees, tokenizers or text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

TOKEN_BYTES = 4
"""Bytes of one token id (or one slot number) in a key."""

Key = bytes
Digest = bytes  # a hash of a block
Tokens = bytes | Sequence[int] | npt.NDArray[np.integer]
Int32Array = npt.NDArray[np.int32]
_INT32 = np.dtype(np.int32)  # compares with another one at once; np.int32 would be looked up each time


def as_key(tokens: Tokens) -> Key:
    """Returns the key of a sequence of token ids; bytes are taken for a key already.

    Raises:
        ValueError: bytes whose length is no multiple of four, or ids outside int32.
    """
    if isinstance(tokens, bytes):
        if len(tokens) % TOKEN_BYTES:
            raise ValueError(f"a key has {TOKEN_BYTES} bytes per token, got {len(tokens)} bytes")
        return tokens
    array = np.asarray(tokens)
    if array.dtype != _INT32:
        if array.size and (array.min() < -(2**31) or array.max() >= 2**31):
            raise ValueError("token ids must fit 32 bits")
        array = array.astype(np.int32)
    return array.tobytes()


def as_array(key: Key) -> Int32Array:
    """Returns a read-only int32 view of a key, shape ``[tokens]``; no copy."""
    return np.frombuffer(key, dtype=np.int32)


def count(key: Key) -> int:
    """Returns how many tokens a key has."""
    return len(key) // TOKEN_BYTES


def cut(key: Key, start: int, end: int | None = None) -> Key:
    """Returns the tokens ``[start, end)`` of a key."""
    return key[start * TOKEN_BYTES : None if end is None else end * TOKEN_BYTES]


def common_prefix(node_key: Key, query: Key, at: int = 0, skip: int = 0) -> int:
    """Returns how many tokens of ``node_key`` from ``skip`` on equal ``query`` from token ``at`` on.

    The usual case, the whole node matches, is a single ``memcmp`` without a copy; only a mismatch is searched for.
    """
    edge = node_key if skip == 0 else node_key[skip * TOKEN_BYTES :]
    offset = at * TOKEN_BYTES
    if query.startswith(edge, offset):
        return len(edge) // TOKEN_BYTES
    size = min(len(edge), len(query) - offset) // TOKEN_BYTES
    if size <= 0:
        return 0
    ours = np.frombuffer(edge, dtype=np.int32, count=size)
    theirs = np.frombuffer(query, dtype=np.int32, count=size, offset=offset)
    differs = ours != theirs
    first = int(differs.argmax())
    return first if differs[first] else size
