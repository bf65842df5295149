"""A tree and its tokens that show everything at once, for tests of pictures."""

from __future__ import annotations

import pytest

from radixchat.radix import NodeView, Root, Snapshot, Tombstone, as_key


def _key(start: int, tokens: int) -> bytes:
    return as_key(range(start, start + tokens))


PIECES = {
    number: piece.encode()
    for number, piece in enumerate(
        [
            *("<|im_start|>system\n", "You are", " a helpful", " assistant.", "<|im_end|>\n"),  # 0
            *("<|im_start|>user\n", "Hello!", "<|im_end|>\n", "<|im_start|>assistant\n", "Hi!"),  # 5
            *("Write a haiku", " about", " caches", " that", " wait"),  # 10
            *("What is a", " radix tree?", "\n\tA trie", " of", " runs"),  # 15
            *(" Why does", " it split?", " Because", " two share", " one edge."),  # 20
            *("Translate", ": 基数木", " は共有", "する", "。"),  # 25
        ]
    )
}


@pytest.fixture
def pieces() -> dict[int, bytes]:
    """The bytes of the tokens in `scene`."""
    return PIECES


@pytest.fixture
def scene() -> Snapshot:
    """Step 7 of a chat that shows every state, attribute and kind of row at once."""
    step = 7
    because = NodeView(id=9, key=_key(22, 3), slots=b"", locks=2, last=12, rank=9, new_in=step, uncached=_key(7, 1))
    why = NodeView(id=8, key=_key(20, 2), slots=b"", locks=2, last=12, rank=8, used_in=step, children=(because,))
    kanji = NodeView(id=5, key=_key(25, 5), slots=b"", last=6, rank=5)
    radix = NodeView(
        id=4, key=_key(15, 5), slots=b"", locks=2, last=12, rank=4, part_in=step, part_to=3, children=(kanji, why)
    )
    hello = NodeView(id=2, key=_key(5, 5), slots=b"", last=3, rank=2)
    system = NodeView(id=3, key=_key(0, 5), slots=b"", locks=12, last=12, rank=1, used_in=step, children=(hello, radix))
    lone = NodeView(id=11, key=_key(10, 2), slots=b"", last=2, rank=11)
    return Snapshot(
        step=step,
        tick=12,
        capacity=64,
        page_size=1,
        in_flight=3,
        resident=32,
        protected=15,
        next_victim=2,
        roots=(
            Root("", NodeView(id=0, key=b"", slots=b"", children=(system,))),
            Root("[b]lesson[/b]", NodeView(id=10, key=b"", slots=b"", children=(lone,))),
        ),
        tombstones=(
            Tombstone(7, 6, _key(13, 2), 7, "lru"),
            Tombstone(6, 3, _key(10, 3), 6, "lru"),
            Tombstone(11, 11, _key(12, 1), 11, "lru"),
        ),
    )
