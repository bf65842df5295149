"""Texts that break writers, in a tree that has them everywhere: on edges, in letters, titles, namespaces and facts."""

from __future__ import annotations

from radixchat.radix import NodeView, Root, Snapshot, Tombstone, as_key
from radixchat.viz.album import Album, Panel

HOSTILE = [
    "]]>", "-->", "<!--", "\x1b[2J\x1b]0;x\x07", "\x00", "\u202eabc\u2066", "😀👩\u200d👧", "基数木，缓存。",
    "<|im_start|>user\n", "<|im_start|>a<|im_end|>", "ends with a backslash\\", "\\", "\\N\\G\\l\\\\",
    "\"quoted\" 'too'", "{a|b}<p>", "a\nb\r\n\tc", "<b>bold</b>", "&amp; &lt; &#65; & co", "]]&gt;",
    "$(x) `y` %s {}", "\ufffe\uffff\ufdd0", "n1:port:se", "//*#", "e\u0301", "</script><svg onload=1>", "\x9b31m",
    "x" * 300,
]  # fmt: skip
"""Every text; the first ones are also tokens, one each."""

RAW = [b"\xff\xfe", b"\xe6\x9c", b"\xed\xa0\x80"]
SURROGATES = "half \ud800 and \udcff"
PIECES = {number: text.encode() for number, text in enumerate(HOSTILE)} | {
    len(HOSTILE) + number: data for number, data in enumerate(RAW)
}
STEP = 3
UNKNOWN = 999_999


def hostile_album() -> Album:
    """Returns an album of two panels; every text of `HOSTILE` is on an edge, and in a letter, of both."""
    tokens = [*PIECES, UNKNOWN]
    nodes = tuple(
        NodeView(
            id=number + 1, key=as_key([token]), slots=as_key([token % 1000]), rank=number, last=number,
            new_in=STEP if number % 3 == 0 else 1, used_in=STEP if number % 3 == 1 else 1, locks=number % 2,
            uncached=as_key([token]) if number % 5 == 0 else b"",
        )
        for number, token in enumerate(tokens)
    )  # fmt: skip
    snapshot = Snapshot(
        step=STEP, tick=90, capacity=500, page_size=1, in_flight=2, resident=len(nodes), protected=len(nodes) // 2,
        next_victim=1,
        roots=(
            Root("", NodeView(id=0, key=b"", slots=b"", children=nodes[:14])),
            Root("]]>\x1b[2J<b>\\", NodeView(id=900, key=b"", slots=b"", children=nodes[14:])),
        ),
        tombstones=tuple(
            Tombstone(500 + number, number % 9, as_key([token]), number, "lru\x1b")
            for number, token in enumerate(tokens)
        ),
    )  # fmt: skip
    letters = {number + 1: text for number, text in enumerate(HOSTILE)} | {500: SURROGATES}
    title = " ".join(HOSTILE) + SURROGATES
    return Album(
        panels=(Panel(3, snapshot, letters, title, title), Panel(4, snapshot, None, "\r\n", "")),
        pieces=PIECES,
        facts={"model": title, "-->": "\n"},
        relabels={2: "\x1b[31m" + SURROGATES},
    )
