"""What Enter would cost, held against what the request then costs, over random conversations in a small pool."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.chat import commands
from radixchat.chat.chat import Chat
from radixchat.chat.errors import UserError
from radixchat.chat.foresight import LONGEST, foresee, walked
from radixchat.radix.keys import as_key

from .scripted import scripted_chat

WORDS = ("a", "ab", "abc", "b", "Hello", "What is a radix tree, if I may ask?")
LINES = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(["/regen", "/fork", "/fork 1", "/new", "/undo", "/switch main", "/evict 20", "/continue"]),
    st.tuples(st.sampled_from(["/edit 1 ", "/edit "]), st.sampled_from(WORDS)).map("".join),
)


def run(chat: Chat, line: str) -> bool:
    """Runs a line; returns whether it could be done."""
    try:
        for _ in commands.run(chat, line) if line.startswith("/") else chat.send(line):
            pass
    except UserError:
        return False
    return True


@settings(max_examples=60)
@given(st.lists(LINES, min_size=1, max_size=12), st.sampled_from([200, 400, 1000]))
def test_a_request_costs_what_was_foreseen(lines: list[str], capacity: int) -> None:
    """Reused and prefilled tokens, the split, and the first nodes that go; and asking changes nothing."""
    chat = scripted_chat(*[f"Reply {number}." for number in range(20)], capacity=capacity)
    for line in lines:
        before, events = chat.snapshot(), len(chat.journal.recording.events)
        seen = foresee(chat, line)
        lit = walked(chat.snapshot(), seen.ids) if seen is not None else {}
        peek = chat.engine.cache.peek(seen.ids) if seen is not None and seen.ids.size else None
        assert chat.snapshot() == before and len(chat.journal.recording.events) == events
        asked, turns = chat.last, chat.totals.turns
        done = run(chat, line)
        if not done or chat.totals.turns == turns:
            continue
        assert chat.last is not asked and chat.last is not None
        facts = chat.last.completion
        assert seen is not None and peek is not None
        assert as_key(seen.ids) == as_key(facts.prompt_ids)
        assert (peek.matched, peek.reused) == (facts.matched_tokens, facts.reused_tokens)
        assert (
            f"would reuse {facts.reused_tokens} of {facts.prompt_tokens} · prefill {facts.prefilled_tokens}"
            in seen.text
        )
        assert sum(lit.values()) == facts.matched_tokens
        assert tuple(facts.evicted[: len(peek.evicts)]) == tuple((gone.node, gone.tokens) for gone in peek.evicts)
        if peek.split is not None:
            assert peek.split[0] in facts.splits
            assert f"split #{peek.split[0]} at {peek.split[1]}" in seen.text


def test_lines_that_ask_the_cache_for_nothing() -> None:
    """Commands, half-typed ones, blanks; and texts too long to count are said to be."""
    chat = scripted_chat("Hi!")
    assert run(chat, "Hello!")
    for line in ("", "  ", "/", "/stats", "/edit", "/edit 9 x", "/edit 1", "/help all", "/nonsense x"):
        assert foresee(chat, line) is None, line
    long = foresee(chat, "x" * (LONGEST + 1))
    assert long is not None and "too many to count" in long.text and long.ids.size == 0
    fork = foresee(chat, "/fork 1")
    assert fork is not None and "a fork after turn 1 shares" in fork.text
    assert foresee(chat, "//slash") is not None
