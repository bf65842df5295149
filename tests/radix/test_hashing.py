"""Hashes of blocks: the documented vectors, to the bit, in every process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from radixchat.radix import PRESETS
from radixchat.radix.hashing import (
    Digest,
    event_integer,
    hash_block_tokens,
    hasher_for,
    none_hash,
    pickled_sha256,
    sglang_digest,
    sglang_event_integer,
    toy_hash,
    transformers_hash,
    xxh64,
)
from radixchat.radix.presets import TOY


def digests(
    preset: str, tokens: list[int], block_size: int = 16, prompt: int | None = None, namespace: str = ""
) -> list[Digest]:
    """The hashes of all full blocks."""
    found: list[Digest] = []
    hasher = hasher_for(PRESETS[preset], block_size)
    hasher.fill(found, tokens, len(tokens) if prompt is None else prompt, namespace, len(tokens) // block_size)
    return found


def test_vllm_0_33_is_what_its_own_functions_give() -> None:
    """NONE_HASH, two blocks of a chain, and the numbers of its event stream."""
    assert none_hash("vllm-none-hash").hex() == "066b1e8987e027138e98701c46128929378935f9b6cd1549105ae6b4f0d71198"
    first, second = digests("vllm-0.33", list(range(32)))
    assert first.hex() == "fe8fa5dda3210d0ca2031e37cbe3b001186773cd1c710beb2d45fcb51d434798"
    assert second.hex() == "8be7aaa33831156d316f1f463ae57e643deb63f42e633e2d631df88815cc4629"
    assert [event_integer(first), event_integer(second)] == [3262291359910021016, 7142137847444424233]


def test_sglang_pages_are_as_documented() -> None:
    """SHA-256 over bytes, the first eight of which are the event's signed number."""
    first = sglang_digest(b"", range(16))
    second = sglang_digest(first, range(16, 32))
    assert first.hex() == "5d85718ec594b982c252d0279e5966ffca33a5eaf2a455038d3ab331fde70cea"
    assert second.hex() == "4681c0107c38f402cd1bc30b0b09a65202dba31f98269d9d7f63f5e0dea6901a"
    assert sglang_event_integer(first) == 6738917275443968386
    assert sglang_event_integer(second) == 5080553031686747138


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_xxh64_gives_its_published_values(data: bytes, expected: int) -> None:
    """Shorter than a lane, and with whole stripes."""
    assert xxh64(data) == expected


def test_chains_of_transformers_are_bytes() -> None:
    """The parent's eight bytes, then the tokens as int32; nothing before the first block."""
    first, second = digests("hf-cb", [1, 2, 3, 4], 2)
    assert first == transformers_hash(b"", [1, 2])
    assert second == transformers_hash(first, [3, 4])


def test_a_salt_stands_in_the_first_block_only() -> None:
    """Bare in 0.11, with its name in 0.33; the blocks after it differ by their parents."""
    tokens = list(range(32))
    first, second = digests("vllm-0.33", tokens, namespace="blue")
    none = none_hash("vllm-none-hash")
    assert first == hash_block_tokens(None, tokens[:16], (("cache_salt", "blue"),), none=none)
    assert second == hash_block_tokens(first, tokens[16:], None, none=none)
    (bare, _) = digests("vllm-0.11", tokens, namespace="blue")
    assert bare == pickled_sha256((pickled_sha256("0"), tuple(tokens[:16]), ("blue",)))


@pytest.mark.parametrize("preset", PRESETS)
def test_namespaces_never_share_a_hash(preset: str) -> None:
    """Whatever stands for the namespace."""
    tokens = list(range(12))
    assert not set(digests(preset, tokens, 4)) & set(digests(preset, tokens, 4, namespace="blue"))


def test_v0_tells_prompt_from_output_from_0_4_3_on() -> None:
    """Equal tokens, generated or asked: one hash before, two since; those within the prompt agree."""
    tokens = list(range(8))
    asked, said = (digests("vllm-0.4.2", tokens, 4, prompt=prompt) for prompt in (8, 4))
    assert asked == said
    asked, said = (digests("vllm-0.5.4", tokens, 4, prompt=prompt) for prompt in (8, 4))
    assert asked[0] == said[0] and asked[1] != said[1]


def test_eight_bits_collide() -> None:
    """300 blocks, 256 hashes."""
    found = [toy_hash(b"", [token, token + 1]) for token in range(300)]
    assert all(len(digest) == 1 for digest in found) and len(set(found)) < 200


def test_hashes_are_the_same_in_every_process() -> None:
    """Also Python's own, under any PYTHONHASHSEED."""
    program = (
        "from radixchat.radix.hashing import hasher_for\n"
        "from radixchat.radix.presets import PRESETS, TOY\n"
        "for rules in (*PRESETS.values(), TOY):\n"
        "    found = []\n"
        "    hasher_for(rules, 4).fill(found, list(range(12)), 6, 'blue', 3)\n"
        "    print(*(digest.hex() for digest in found))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_block_sizes_that_a_preset_forbids_are_refused_in_a_sentence() -> None:
    """nano-vllm takes multiples of 256."""
    with pytest.raises(ValueError, match="nano-vllm takes block sizes that are multiples of 256; 16 is none"):
        PRESETS["nano-vllm"].check_block_size(16)
    PRESETS["nano-vllm"].check_block_size(512)
    with pytest.raises(ValueError, match="give 1 or more"):
        TOY.check_block_size(0)
