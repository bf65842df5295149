"""Token keys."""

from __future__ import annotations

import numpy as np
import pytest

from radixchat.radix import as_array, as_key
from radixchat.radix.keys import common_prefix, count, cut


@pytest.mark.parametrize("tokens", [(), (7,), (1, 2, 3), (-1, 2**31 - 1, -(2**31))])
def test_a_key_holds_its_tokens(tokens: tuple[int, ...]) -> None:
    """Every token comes back, also none, one, and the extremes of 32 bits."""
    key = as_key(tokens)
    assert count(key) == len(tokens)
    assert tuple(as_array(key).tolist()) == tokens


def test_every_form_of_tokens_gives_one_key() -> None:
    """Lists, tuples, arrays of any integer type and keys themselves mean the same."""
    key = as_key([1, 2, 3])
    assert key == as_key((1, 2, 3)) == as_key(range(1, 4)) == as_key(key)
    assert key == as_key(np.array([1, 2, 3], dtype=np.int32)) == as_key(np.array([1, 2, 3], dtype=np.int64))


@pytest.mark.parametrize("tokens", [[2**31], [-(2**31) - 1], np.array([2**40])])
def test_ids_beyond_32_bits_are_refused(tokens: list[int]) -> None:
    """A token id that would be cut off raises instead."""
    with pytest.raises(ValueError, match="32 bits"):
        as_key(tokens)


def test_bytes_of_no_whole_token_are_refused() -> None:
    """Text bytes are not taken for a key by accident."""
    with pytest.raises(ValueError, match="4 bytes per token"):
        as_key(b"Hello!")


def test_an_array_of_a_key_is_read_only() -> None:
    """Nobody changes a key through its view."""
    with pytest.raises(ValueError, match="read-only"):
        as_array(as_key([1, 2]))[0] = 5


def test_cut_takes_a_run_of_tokens() -> None:
    """A cut is counted in tokens, with and without an end."""
    key = as_key([1, 2, 3, 4])
    assert cut(key, 1, 3) == as_key([2, 3])
    assert cut(key, 2) == as_key([3, 4])
    assert cut(key, 4) == cut(key, 0, 0) == b""


@pytest.mark.parametrize(
    ("node", "query", "at", "skip", "expected"),
    [
        ([1, 2, 3], [1, 2, 3], 0, 0, 3),
        ([1, 2, 3], [1, 2, 3, 4], 0, 0, 3),
        ([1, 2, 3], [1, 2], 0, 0, 2),
        ([1, 2, 3], [1, 5, 3], 0, 0, 1),
        ([1, 2, 3], [9, 2, 3], 0, 0, 0),
        ([2, 3], [1, 2, 3], 1, 0, 2),
        ([1, 2, 3], [2, 3], 0, 1, 2),
        ([1, 2, 3], [7, 7, 2, 9], 2, 1, 1),
        ([1, 2, 3], [1], 1, 0, 0),
        ([1, 2, 3], [], 0, 0, 0),
        ([1, 256], [1, 512], 0, 0, 1),
    ],
)
def test_common_prefix(node: list[int], query: list[int], at: int, skip: int, expected: int) -> None:
    """Equal tokens are counted from any place in the node and in the query, in tokens and not in bytes."""
    assert common_prefix(as_key(node), as_key(query), at, skip) == expected
