"""The story: every event has its words, numbers read well, and no text breaks a line."""

from __future__ import annotations

from itertools import product
from string import Formatter
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixchat.radix import CacheConfig, as_key
from radixchat.radix import events as ev
from radixchat.radix.recording import Header, Recording
from radixchat.radix.travel import diff
from radixchat.viz import story
from radixchat.viz.picture import Look
from radixchat.viz.sanitize import HIDDEN
from radixchat.viz.sentences import COUNTS, SENTENCES, spoken
from radixchat.viz.story import names_of, tell, tell_diff, why_gone

LOOK = Look(colour=False)
KEY = as_key([5, 20, 21])  # "<|im_start|>user\n", " Why does", " it split?"
HASH, OTHER = bytes(range(32)), bytes(range(100, 132))

WORDS: list[tuple[Any, str]] = [
    (ev.StepOpened(1004), "step 1,004 begins"),
    (ev.NamespaceOpened(9, "lesson"), "namespace lesson has its own tree now, below #9"),
    (ev.Matched(0, 0, 0, 0, 3, True), "matched nothing"),
    (ev.Matched(14, 6, 0, 812, 3, True), "matched 812 tok, the last 6 of them in #14"),
    (ev.Matched(14, 6, 0, 6, 3, True), "matched 6 tok, all of them in #14"),
    (ev.Split(14, 31, 6, 3), "split #14 at token 6: new parent #31"),
    (ev.Inserted(7, 3, KEY, b"", 1), "inserted #7 below #3, 3 tok: ‹user› Why d…s it split?"),
    (ev.Inserted(7, 0, as_key(range(1200)), b"", 1), "inserted #7 at the root, 1,200 tok: ‹system›You are a…‹1199›"),
    (ev.Grown(7, as_key([9]), b""), "grew #7 by 1 tok: Hi!"),
    (ev.Evicted(5, 96, "lru", 0, 4, 120), "evicted #5 (96 tok) by lru, idle for 4 requests, 120 tok asked"),
    (ev.Evicted(5, 96, "asked", 0, 1, 0), "evicted #5 (96 tok) on request, idle for 1 request"),
    (
        ev.Trimmed(5, 32, "shrunk", 0, 0, 40),
        "trimmed 32 tok off the end of #5 because the capacity shrank, idle for 0 requests, 40 tok asked",
    ),
    (ev.Sampled(7, as_key([7])), "sampled 1 tok after #7, not cached yet: ‹end›"),
    (ev.Resized(4096), "the capacity is 4,096 tok now"),
    (ev.Repoliced("lfu"), "the policy is lfu now"),
    (ev.Cleared(), "the cache forgot everything"),
    (ev.RequestStarted(3, "main", 840, 812, 812), "request 3 in main: 812 of 840 prompt tokens matched"),
    (ev.RequestStarted(3, "", 11, 11, 10), "request 3: 11 of 11 prompt tokens matched, 10 reused"),
    (ev.RequestRetracted(3), "request 3 was retracted: it gave its room to others and waits again"),
    (
        ev.RequestFinished(3, "stop", 1840, 1812, 1812, 28, 41, (14,), 2, 96),
        "request 3 finished (the reply was complete): reused 1,812 of 1,840 prompt tokens, prefilled 28, generated 41",
    ),
    (ev.TableForked(3, 2, 4, 14), "lease 3 forks from lease 2 and shares 4 of its blocks, 14 tok"),
    (ev.TableClosed(2), "lease 2 ends and gives its blocks back"),
    (ev.BlocksHit(2, (1,), 16, 3), "lease 2 found block 1: the K/V of 16 tok is there"),
    (ev.BlocksHit(2, (1, 5, 4), 1040, 3), "lease 2 found blocks 1, 5, 4: the K/V of 1,040 tok is there"),
    (
        ev.BlocksTaken(2, tuple(range(995, 1003)), 3),
        "lease 2 took blocks 995, 996, 997, 998, 999, 1,000 and 2 more from the free queue",
    ),
    (ev.BlocksHashed(2, (1,), (HASH,), b"", (7,)), "block 1 entered the index as 00010203"),
    (
        ev.BlocksHashed(2, (4, 3), (HASH, OTHER), OTHER, (7, 8)),
        "blocks 4, 3 entered the index as 00010203, 64656667, after 64656667",
    ),
    (ev.BlocksFilled(2, 16, KEY), "computed 3 tok of lease 2: ‹user› Why d…s it split?"),
    (ev.BlocksComputed(2, (1, 5)), "marked blocks 1, 5 as computed: a hit counts from now on"),
    (
        ev.BlockCopied(2, 3, 5, 9, 2, 4),
        "copied 2 tok of block 5, which others share, to block 9 for lease 2 (copy-on-write)",
    ),
    (ev.BlockReplaced(2, 3, 5, 9, 4), "lease 2 gave block 5 back for block 9, which holds the same tokens"),
    (
        ev.BlocksEvicted((5,), (12,), "queue", (4,), 16),
        "evicted what block 5 held as the first of the free queue, idle for 4 requests, 16 tok asked",
    ),
    (
        ev.BlocksEvicted((5, 4, 3), (12, 11, 10), "lru-depth", (1, 4, 2), 0),
        "evicted what blocks 5, 4, 3 held as least recently used, the deepest first, idle for 1 to 4 requests",
    ),
]


@pytest.mark.parametrize("event, words", WORDS, ids=[type(event).__name__ for event, _ in WORDS])
def test_every_event_is_told_in_the_project_s_words(event: Any, words: str, pieces: dict[int, bytes]) -> None:
    """One line each."""
    assert tell(event, pieces, look=LOOK) == words


CHINESE: list[tuple[Any, str]] = [
    (ev.StepOpened(1004), "第 1,004 步开始"),
    (ev.NamespaceOpened(9, "lesson"), "命名空间 lesson 有了自己的树，位于 #9 之下"),
    (ev.Matched(0, 0, 0, 0, 3, True), "没有匹配到任何前缀"),
    (ev.Matched(14, 6, 0, 812, 3, True), "匹配 812 个 token，其中最后 6 个在 #14 中"),
    (ev.Split(14, 31, 6, 3), "在第 6 个 token 之后拆分 #14：新的父节点是 #31"),
    (ev.Inserted(7, 0, KEY, b"", 1), "在根节点之下插入 #7，3 个 token：‹user› Why d…s it split?"),
    (ev.Grown(7, as_key([9]), b""), "#7 增长 1 个 token：Hi!"),
    (
        ev.Evicted(5, 96, "lru", 0, 4, 120),
        "驱逐 #5（96 个 token）：按 lru 策略，已有 4 个请求没有用到它，需要腾出 120 个 token 的空间",
    ),
    (ev.Locked(5, 0), "锁定 #5 及其上方的所有节点"),
    (ev.Released(3), "释放 3 个槽，重新空闲"),
    (ev.RequestStarted(3, "main", 11, 11, 10), "请求 3（main）：提示词的 11 个 token 中匹配到 11 个，复用 10 个"),
    (
        ev.RequestFinished(3, "stop", 1840, 1812, 1812, 28, 41, (14,), 2, 96),
        "请求 3 结束（回复完整）：提示词的 1,840 个 token 中复用 1,812 个，预填充 28 个，生成 41 个",
    ),
    (ev.BlocksHit(2, (1, 5), 16, 3), "租约 2 命中块 1、5：16 个 token 的 K/V 已在"),
    (ev.BlocksHashed(2, (1,), (HASH,), OTHER, (7,)), "块 1 进入索引，哈希 00010203，接在 64656667 之后"),
    (
        ev.BlocksEvicted((5, 4), (12, 11), "queue", (1, 4), 16),
        "驱逐块 5、4 的内容：它在空闲队列最前面，已有 1 到 4 个请求没有用到，需要腾出 16 个 token 的空间",
    ),
]
QUIET: list[tuple[Any, str]] = [
    (ev.Locked(5, 0), "locked #5 and all above it"),
    (ev.Locked(5, 2), "locked #5 up to, and without, #2"),
    (ev.Unlocked(5, 0), "unlocked #5 and all above it"),
    (ev.Unlocked(5, 2), "unlocked #5 up to, and without, #2"),
    (ev.Reserved(1), "reserved 1 slot for a request"),
    (ev.Released(1200), "released 1,200 slots: free again"),
    (ev.TableOpened(1200, "", 3), "lease 1,200 begins, with an empty block table"),
    (ev.BlocksAccessed(2, 3), "lease 2 used its blocks"),
]


@pytest.mark.parametrize("event, words", CHINESE, ids=[type(event).__name__ for event, _ in CHINESE])
def test_events_are_told_in_chinese(event: Any, words: str, pieces: dict[int, bytes]) -> None:
    """In the field's words; a token keeps its English name."""
    assert tell(event, pieces, look=LOOK, lang="zh", quiet=True) == words


@pytest.mark.parametrize("event, words", QUIET)
def test_quiet_events_are_told_on_request(event: Any, words: str) -> None:
    """To whoever wants to know about locks and slots."""
    assert tell(event, {}, look=LOOK, quiet=True) == words
    assert {type(event) for event, _ in QUIET} == ev.QUIET


def test_an_open_question_hides_how_long_a_node_was_idle() -> None:
    """In both languages."""
    event = ev.Evicted(5, 96, "lru", 0, 4, 120)
    assert tell(event, {}, look=LOOK, veiled=True) == "evicted #5 (96 tok) by lru, 120 tok asked"
    told = tell(event, {}, look=LOOK, lang="zh", veiled=True)
    assert told == "驱逐 #5（96 个 token）：按 lru 策略，需要腾出 120 个 token 的空间"


@pytest.mark.parametrize("lang", sorted(SENTENCES))
def test_every_language_has_every_sentence_with_the_same_facts(lang: str) -> None:
    """What a translation forgets is found here."""

    def facts(sentence: str) -> set[str | None]:
        return {field for _, field, _, _ in Formatter().parse(sentence)} - {None}

    table = SENTENCES[lang]
    assert {key: facts(sentence) for key, sentence in table.items()} == {
        key: facts(sentence) for key, sentence in SENTENCES["en"].items()
    }
    assert COUNTS[lang].keys() == COUNTS["en"].keys()


def test_english_is_spoken_where_there_is_nothing_else_to_be_read() -> None:
    """An unknown language, or a terminal with ASCII only."""
    assert spoken("fr", ascii=False) == spoken("zh", ascii=True) == "en" and spoken("zh", ascii=False) == "zh"
    assert tell(ev.Cleared(), {}, look=Look(ascii=True), lang="zh") == "the cache forgot everything"


@pytest.mark.parametrize("name", sorted(ev.EVENTS))
def test_no_event_is_without_words(name: str) -> None:
    """A new event needs a line here and in the story, or a place among the quiet ones."""
    kind = ev.EVENTS[name]
    told = {type(event) for event, _ in WORDS}
    assert (kind in ev.QUIET) != (kind in told), f"say what {name} did, in viz/story.py and in this test"
    assert kind in ev.QUIET or kind in story._TELLERS


@pytest.mark.parametrize("event", [ev.Locked(1, 0), ev.Unlocked(1, 0), ev.Reserved(3), ev.Released(3)])
def test_quiet_events_are_not_told(event: ev.Event) -> None:
    """Nobody needs them."""
    assert tell(event, {}, look=LOOK) is None


class CacheWarmed(NamedTuple):
    """An event of a version to come."""

    node: int
    title: str
    key: bytes


def test_an_unknown_event_is_told_by_its_name_and_numbers() -> None:
    """Nothing breaks."""
    assert tell(CacheWarmed(4, "a\nb", b"1234"), {}, look=LOOK) == "cache warmed: node 4, title a⏎b"


@given(st.text(max_size=80), st.booleans())
def test_no_text_breaks_a_line(text: str, ascii: bool) -> None:
    """Names and node text may hold anything."""
    look = Look(ascii=ascii)
    pieces = {1: text.encode("utf-8", "surrogatepass")}
    events = (
        ev.NamespaceOpened(2, text),
        ev.Inserted(1, 0, as_key([1]), b"", 1),
        ev.Evicted(1, 1, text, 0, 0, 0),
        ev.RequestStarted(1, text, 1, 0, 0),
        ev.RequestFinished(1, text, 1, 0, 0, 1, 1, (), 0, 0),
        ev.Repoliced(text),
        CacheWarmed(1, text, b""),
    )
    for event, lang in product(events, SENTENCES):
        line = tell(event, pieces, look=look, lang=lang)
        assert line and not HIDDEN.search(line) and len(line) < 200
        assert not ascii or line.isascii()


def test_reasons_are_words() -> None:
    """A policy did it, or a person, or a failure."""
    assert why_gone("lfu") == "by lfu"
    assert why_gone("discarded") == "because its request failed"
    assert why_gone("discarded", lang="zh") == "因为它的请求失败了"
    assert why_gone("{node}", lang="zh") == "按 {node} 策略"


# -- differences -------------------------------------------------------------------------------------------------------


def chat(*more: ev.Event) -> Recording:
    """One node of ten tokens, then what happens to it."""
    ten = as_key(range(10))
    first = [ev.StepOpened(1), ev.Reserved(10), ev.Inserted(1, 0, ten, as_key(range(1, 11)), 1)]
    return Recording(Header(CacheConfig(2000)), [*first, *more])


def told(recording: Recording, pieces: dict[int, bytes], start: int = 3, lang: str = "en") -> list[str]:
    return tell_diff(diff(recording, start, len(recording.events)), pieces, look=LOOK, lang=lang)


def test_a_turn_is_told_in_a_handful_of_lines(pieces: dict[int, bytes]) -> None:
    """What was reused, split and added, and what that did to memory."""
    key = as_key([20, 21])
    turn = [
        ev.StepOpened(2),
        ev.Matched(1, 6, 0, 6, 2, True),
        ev.Reserved(2),
        ev.Split(1, 2, 6, 2),
        ev.Inserted(3, 2, key, as_key([11, 12]), 2),
    ]
    assert told(chat(*turn), pieces) == [
        "from step 1 to step 2, 5 events",
        "reused #2 (6 tok)",
        "split #1 at token 6: new parent #2",
        "added #3, 2 tok: ␣Why does it split?",
        "free 1,990 -> 1,988 tok, resident 10 -> 12 tok",
    ]


def test_what_went_is_told_by_reason_and_what_passed_apart(pieces: dict[int, bytes]) -> None:
    """Evicted, trimmed, and what came and went."""
    key = as_key([20, 21])
    turn = [
        ev.Reserved(2),
        ev.Inserted(3, 1, key, as_key([11, 12]), 2),
        ev.Evicted(3, 2, "lru", 0, 0, 2),
        ev.Trimmed(1, 4, "lru", 1, 0, 2),
        ev.Evicted(1, 6, "asked", 0, 0, 0),
        ev.Resized(1000),
    ]
    assert told(chat(*turn), pieces) == [
        "within step 1, 6 events",
        "evicted #1 (6 tok), on request",
        "trimmed #1 (4 tok), by lru",
        "came and went: #3 (2 tok)",
        "free 1,990 -> 1,000 tok, resident 10 -> 0 tok, capacity 2,000 -> 1,000 tok",
    ]
    assert told(chat(*turn), pieces, lang="zh") == [
        "第 1 步之内，6 个事件",
        "驱逐 #1（6 个 token），按手动要求",
        "裁去末尾：#1（4 个 token），按 lru 策略",
        "插入后又被驱逐：#3（2 个 token）",
        "空闲 1,990 -> 1,000 个 token，驻留 10 -> 0 个 token，容量 2,000 -> 1,000 个 token",
    ]


def test_many_nodes_are_counted(pieces: dict[int, bytes]) -> None:
    """A few are named."""
    turn: list[ev.Event] = [ev.Reserved(9)]
    for node in range(2, 11):
        turn.append(ev.Inserted(node, 1, as_key([100 + node]), as_key([20 + node]), 2))
    lines = told(chat(*turn), pieces)
    assert lines[1] == (
        "added 9 nodes, 9 tok: #2 (1 tok), #3 (1 tok), #4 (1 tok), #5 (1 tok), #6 (1 tok), #7 (1 tok) and 3 more"
    )


def test_nothing_is_told_as_nothing(pieces: dict[int, bytes]) -> None:
    """Locks are no change that can be seen."""
    assert told(chat(ev.Locked(1, 0)), pieces) == ["within step 1, 1 event", "nothing changed in the tree"]
    assert told(chat(ev.Locked(1, 0)), pieces, lang="zh") == ["第 1 步之内，1 个事件", "树没有任何变化"]


# -- names -------------------------------------------------------------------------------------------------------------


def test_nodes_go_by_letter_or_by_their_text_where_names_are_given(pieces: dict[int, bytes]) -> None:
    """A text that changes is that of the first moment; a node that nobody named keeps its number."""
    turn = [ev.StepOpened(2), ev.Split(1, 2, 6, 2), ev.Inserted(3, 2, as_key([20, 21]), as_key([11, 12]), 2)]
    recording = chat(*turn)
    moments = recording.at(3), recording.at(len(recording.events))
    names = names_of(moments, {2: "b"}, pieces, look=LOOK)
    assert names[2] == "node b" and names[1].startswith("“‹system›") and names[3] == "“␣Why does it split?”"
    assert tell(turn[1], pieces, look=LOOK, names=names) == f"split {names[1]} at token 6: new parent node b"
    assert tell(ev.Evicted(9, 1, "lru", 0, 0, 0), pieces, look=LOOK, names=names).startswith("evicted #9 (1 tok)")
    lines = tell_diff(diff(recording, 3, len(recording.events)), pieces, look=LOOK, names=names)
    assert "#" not in "".join(lines) and f"split {names[1]} at token 6: new parent node b" in lines
    chinese = names_of(moments, {2: "b"}, pieces, look=LOOK, lang="zh")
    assert chinese[2] == "节点 b" and "新的父节点是 节点 b" in tell(
        turn[1], pieces, look=LOOK, lang="zh", names=chinese
    )
    plain = Look(ascii=True)
    assert names_of(moments, {}, pieces, look=plain)[3].startswith('"')
    assert all(name.isascii() for name in names_of(moments, {2: "é"}, pieces, look=plain).values())
