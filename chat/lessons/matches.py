"""Questions about what a prompt finds in the tree, and what of it must be computed.

Wrong choices are slips of the reader: the whole prompt, whole nodes or pages only, what was said and is gone. Knows
cases; no other kind of question.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...radix import NodeView, Snapshot
from ...radix.keys import Int32Array
from .cases import Case, Found, Option, common, nearby
from .speech import joined


def ask_matched(case: Case) -> Found | None:
    """Asks how many tokens of the prompt are found. None where nothing of the kind happens."""
    if not case.done:
        return None
    prompt, matched = case.done[0].prompt, case.done[0].facts.matched_tokens
    size, (whole, end, last) = prompt.size, ends(case.before, prompt, matched)
    tokens, all_of_it = case.tokens, case.tokens(int(size))

    def options() -> Iterator[Option]:
        aligned = resident(case.before, prompt)
        if case.said > max(matched, aligned):
            yield Option(tokens(case.said), _say(case, "matched.said"))
        if matched == size:
            yield Option(tokens(matched - 1), _say(case, "matched.less"))
        if aligned > matched:
            yield Option(tokens(aligned), _say(case, "matched.page", page=tokens(case.before.page_size)))
        if whole < matched:
            yield Option(tokens(whole), _say(case, "matched.whole"))
        yield Option(all_of_it, _say(case, "matched.all"))
        known = np.concatenate([node.tokens for node in case.nodes.values()]) if case.nodes else prompt[:0]
        anywhere = int(np.isin(prompt, known).sum())
        if anywhere > matched:
            yield Option(tokens(anywhere), _say(case, "matched.anywhere"))
        if end > matched:
            yield Option(tokens(end), _say(case, "matched.end"))
        if matched:
            yield Option(tokens(0), _say(case, "matched.none"))
        for near in nearby(matched, int(size)):
            yield Option(
                tokens(near), _say(case, "matched.near" if matched else "matched.near.none", matched=f"{matched:,}")
            )

    if not matched:
        answer = _say(case, "matched.answer.none", prompt=all_of_it)
    elif last is None:
        answer = _say(case, "matched.answer.now", matched=f"{matched:,}", prompt=all_of_it)
    else:
        answer = _say(case, "matched.answer", matched=f"{matched:,}", prompt=all_of_it, name=case.shown(last))
    return Found(_say(case, "matched.ask"), Option(tokens(matched)), options(), answer)


def ask_prefilled(case: Case) -> Found | None:
    """Asks how many tokens of the prompt are computed. None where nothing of the kind happens."""
    if not case.done:
        return None
    facts = case.done[0].facts
    size, prefilled, tokens = facts.prompt_tokens, facts.prefilled_tokens, case.tokens
    reused = tokens(facts.reused_tokens)
    whole = facts.matched_tokens == size

    def options() -> Iterator[Option]:
        none = Option(tokens(0), case.say("prefilled.none"))
        if whole:
            yield none
        aligned = resident(case.before, case.done[0].prompt)
        if case.said > max(facts.matched_tokens, aligned):
            yield Option(tokens(size - case.said), case.say("prefilled.new"))
        if aligned > facts.matched_tokens:
            yield Option(tokens(size - aligned), _say(case, "matched.page", page=tokens(case.before.page_size)))
        if facts.reused_tokens:
            yield Option(tokens(size), case.say("prefilled.all", reused=reused))
            yield Option(tokens(facts.matched_tokens), case.say("prefilled.found"))
        if facts.generated_tokens:
            yield Option(tokens(prefilled + facts.generated_tokens), case.say("prefilled.reply"))
        yield none
        for near in nearby(prefilled, size):
            yield Option(tokens(near), case.say("prefilled.near", reused=reused, prefilled=tokens(prefilled)))

    answer = case.say(
        "prefilled.answer", prefilled=f"{prefilled:,}", prompt=tokens(size), reused=f"{facts.reused_tokens:,}"
    )
    if whole:
        answer = joined(case.lang, answer, case.say("prefilled.answer.whole"))
    return Found(case.say("prefilled.ask"), Option(tokens(prefilled)), options(), answer)


def ends(before: Snapshot, prompt: Int32Array, matched: int) -> tuple[int, int, int | None]:
    """Returns where the last whole node of a match ends, where its last node ends, and that node.

    The node is None where the match ends in one that was not there before the step: another request put it there.
    """
    above, depth, last = _top(before), 0, None
    whole = 0
    while depth < matched:
        page = before.page_size
        for node in above:
            if np.array_equal(node.tokens[:page], prompt[depth : depth + page]):
                break
        else:
            return whole, depth, None
        above, depth, last = node.children, depth + node.size, node.id
        whole = depth if depth <= matched else whole
    return whole, depth, last


def resident(before: Snapshot, prompt: Int32Array) -> int:
    """Returns how many tokens of a prompt stand in the tree, counted token by token, whatever the page size."""
    best, stack = 0, [(node, 0) for node in _top(before)]
    while stack:
        node, depth = stack.pop()
        equal = common(node.tokens, prompt[depth:])
        best = max(best, depth + equal)
        if equal == node.size:
            stack += [(child, depth + equal) for child in node.children]
    return best


def _top(before: Snapshot) -> tuple[NodeView, ...]:
    return before.roots[0].node.children if before.roots else ()


_OF_BLOCKS = frozenset({
    "matched.ask", "matched.answer.none", "matched.all", "matched.none", "matched.page", "matched.near",
    "matched.near.none",
})  # fmt: skip


def _say(case: Case, key: str, **values: object) -> str:
    """Says something of trees, or the same of hash blocks."""
    own = case.before.blocks is not None and key in _OF_BLOCKS
    return case.say(f"{key}.blocks" if own else key, **values)
