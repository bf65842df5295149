"""Questions: one right choice, all different, and the right one is what a cache driven by hand does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from radixchat.chat.lessons.asking import Posed, pose
from radixchat.chat.lessons.loading import load_lesson
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.runs import Changes, Run
from radixchat.chat.lessons.schema import KINDS, Question
from radixchat.radix import RadixCache
from radixchat.radix.events import Split
from radixchat.radix.keys import Int32Array
from radixchat.radix.leases import Peek
from radixchat.radix.snapshots import Snapshot

from .stages import lesson, random_run, run, send

SEEDS = 200


class ByHand(NamedTuple):
    """What a step did to a cache that was driven by hand."""

    before: Snapshot
    peek: Peek
    prompt: Int32Array
    splits: list[tuple[int, int]]  # nodes, and how many of their tokens stand above the cut, in order
    evicted: list[tuple[int, int]]  # nodes and tokens, in order
    after: Snapshot


def by_hand(run: Run) -> Iterator[ByHand]:
    """Does what a run of single requests did, on a cache of its own."""
    cache = RadixCache(**run.config.settings())
    for step in run.steps:
        (done,) = step.done
        (whole,) = step.keys
        before = cache.snapshot()
        cache.new_step()
        peek = cache.peek(done.prompt)
        lease = cache.begin(done.prompt)
        updates = []
        if len(lease) < done.prompt.size:
            updates.append(cache.extend(lease, done.prompt.size - len(lease)))
        updates.append(cache.commit(lease, done.prompt[lease.computed :]))
        reply = whole[done.prompt.size :]
        for part in (reply[:1], reply[1:]):  # the first token of a reply comes alone, as a sampled one would
            if part.size:
                updates.append(cache.extend(lease, part.size))
                updates.append(cache.commit(lease, part))
        cache.finish(lease)
        cache.check_integrity()
        splits = [(event.node, event.at) for event in cache.take_events() if isinstance(event, Split)]
        evicted = [(gone.node, gone.tokens) for update in updates for gone in update.evicted]
        yield ByHand(before, peek, done.prompt, splits, evicted, cache.snapshot())


def ask(run: Run, number: int, kind: str, lang: str = "en", **more: object) -> Posed | None:
    return pose(run, number, Question.model_validate({"kind": kind, **more}), lang)


def asked(run: Run, number: int, kind: str, lang: str = "en", **more: object) -> Posed:
    posed = ask(run, number, kind, lang, **more)
    assert posed is not None
    return posed


def right(posed: Posed) -> str:
    (one,) = [choice.text for choice in posed.choices if choice.right]
    return one


def wrong(posed: Posed) -> dict[str, str]:
    return {choice.text: choice.because for choice in posed.choices if not choice.right}


# -- a small lesson for each kind --------------------------------------------------------------------------------------


def test_matched() -> None:
    told = run(lesson(send("a b c d ", "e f "), send("a b x y ", "z ")))
    posed = asked(told, 2, "matched")
    assert posed.text == "Next comes “a b x y”: a prompt of 4 tokens. How many of its tokens are found in the tree?"
    assert right(posed) == "2 tokens"
    assert wrong(posed) == {
        "4 tokens": "That is the whole prompt; its end was never said before, or is in the tree no more.",
        "0 tokens": "A match may end inside a node: it is not only whole nodes that count.",
        "6 tokens": "A match ends where the texts part, not at the end of the node.",
    }
    assert posed.answer == "Found: 2 of 4 tokens. The match ends in #1 “a b c d e f␣”."


def test_matched_after_an_eviction() -> None:
    told = run(lesson(send("a b c d ", "e "), send("x y z ", "u v w "), send("a b c d e ", "f "), capacity=8))
    posed = asked(told, 3, "matched")
    assert right(posed) == "0 tokens"
    assert wrong(posed)["5 tokens"].startswith("That much was sent before; but part of it was evicted")


def test_matched_whole() -> None:
    told = run(lesson(send("a b c ", "d "), send("a b c ", "e ")))
    posed = asked(told, 2, "matched")
    assert right(posed) == "3 tokens"
    assert "lowers what is reused, not what is found" in wrong(posed)["2 tokens"]


def test_matched_in_pages() -> None:
    told = run(lesson(send("a b c d e f ", "g "), send("a b c x ", "y "), cache={"page_size": 2}))
    posed = asked(told, 2, "matched")
    assert right(posed) == "2 tokens"
    assert "Only whole pages of 2 tokens" in wrong(posed)["3 tokens"]


def test_prefilled() -> None:
    told = run(lesson(send("a b c ", "d e "), send("a b c d e f g ", "h i "), send("a b c ", "x ")))
    posed = asked(told, 2, "prefilled")
    assert right(posed) == "2 tokens"
    assert set(wrong(posed)) == {"7 tokens", "5 tokens", "4 tokens"}
    assert posed.answer == "Of 7 tokens: 5 reused, 2 computed."
    whole = asked(told, 3, "prefilled")
    assert right(whole) == "1 token"
    assert wrong(whole)["0 tokens"].startswith("Even of a prompt that is found whole, one token is computed")
    assert whole.answer.endswith("the next one needs its logits.")


def test_split() -> None:
    told = run(lesson({**send("a b c d ", "e "), "letters": {"k": "a b c"}}, send("a b c x ", "y ")))
    posed = asked(told, 2, "split", pick=True)
    assert right(posed) == "after token 3 of k #1: a b c␣ | d e␣"
    assert set(wrong(posed)) == {
        "no node is split",
        "after token 2 of k #1: a b␣ | c d e␣",
        "above k #1 “a b c d e␣”: nothing of it is shared",
    }
    assert posed.pick and posed.nodes == {1}
    assert posed.answer.startswith("k #1 is cut after token 3 of 5: a b c␣ | d e␣.")


def test_split_of_a_node_that_another_request_split_before() -> None:
    requests = [{"prompt": "a b x ", "reply": "r "}, {"prompt": "a b c d y ", "reply": "s "}]
    told = run(lesson(send("a b c d e ", "f "), {"requests": requests}))
    assert "after token 2 of #1" in right(asked(told, 2, "split", request=0))
    assert right(asked(told, 2, "split", request=1)) == "after token 4 of #1: a b c d␣ | e f␣"


def test_where_another_request_splits_a_node_is_no_wrong_answer() -> None:
    """Two cuts beside each other, and one in another node."""
    requests = [{"prompt": text, "reply": "r "} for text in ("a b x ", "a b c y ", "k l z ")]
    told = run(lesson(send("a b c d e ", "f "), send("k l m ", "n "), {"requests": requests}))
    for request in range(3):
        posed = asked(told, 3, "split", request=request, pick=True)
        cuts = [choice.text for choice in posed.choices if choice.text.startswith(("after token 2 ", "after token 3 "))]
        assert request == 2 or cuts == [right(posed)]
        assert posed.nodes == {1, 2} and not posed.mistakes


def test_victim_under_every_policy() -> None:
    steps = [send("a ", "b b b "), send("c ", "d d "), send("e ", "f "), send("a b b b ", "g "), send("x ", "y " * 9)]
    first = {"lru": 2, "fifo": 1, "lfu": 2, "mru": 4, "filo": 4}
    for policy in first:
        told = run(lesson(*steps, capacity=16, cache={"policy": policy}))
        expected = list(by_hand(told))[-1]
        posed = asked(told, 5, "victim", pick=True)
        assert posed.nodes == {expected.evicted[0][0]}, policy
        chosen = next(choice for choice in posed.choices if choice.right)
        assert chosen.node == expected.evicted[0][0]
        assert chosen.node is not None and f"#{chosen.node} " in posed.answer
        assert set(posed.mistakes) | posed.nodes == {node.id for node in expected.before.nodes()}
        assert all(posed.mistakes.values())


def test_victim_says_what_is_wrong_with_each_node() -> None:
    told = run(
        lesson(
            send("sys one ", "r "),
            send("sys two ", "s " * 6),
            send("other three ", "t "),
            send("sys one r four ", "u " * 4),
            capacity=17,
        )
    )
    posed = asked(told, 4, "victim", pick=True)
    (victim,) = posed.nodes
    said = " ".join(posed.mistakes.values())
    assert victim == 3, "the second text, used least recently"
    assert "is locked until that ends" in said and "under LRU, #3 ranks before it" in said


def test_freed() -> None:
    told = run(lesson(send("a b c ", "d e "), send("x y ", "z "), send("u v ", "w w "), capacity=10))
    posed = asked(told, 3, "freed")
    assert right(posed) == "5 tokens: one whole leaf"
    assert set(wrong(posed)) == {
        "2 tokens: just what is short",
        "8 tokens: everything that is not locked",
        "0 tokens: nothing",
    }
    assert posed.answer.startswith("5 tokens come back, from #1. 2 tokens were short;")


def test_freed_says_bytes_where_they_are_known() -> None:
    shape = {"name": "small", "layers": 2, "kv_heads": 2, "head_dim": 64}
    told = run(lesson(send("a b c ", "d e "), send("x y ", "z "), send("u v ", "w w "), capacity=10, shape=shape))
    assert right(asked(told, 3, "freed")) == "5 tokens (5.0 KiB): one whole leaf"
    assert right(asked(told, 3, "freed", "zh")) == "5 个 token（5.0 KiB）：一整个叶节点"


def test_copied() -> None:
    shape = {"name": "small", "layers": 1, "kv_heads": 1, "head_dim": 128}
    told = run(lesson(send("a b c d ", "e f "), send("a x ", "y "), shape=shape))
    posed = asked(told, 2, "copied")
    assert right(posed) == "nothing: 0 B"
    assert set(wrong(posed)) == {"512 B: the upper part", "3.0 KiB: the whole node", "1.5 KiB: half of the node"}


def test_nodes() -> None:
    told = run(lesson(send("a b c ", "d "), send("a x ", "y ")))
    posed = asked(told, 2, "nodes")
    assert right(posed) == "3 nodes"
    assert set(wrong(posed)) == {"2 nodes", "4 nodes", "5 nodes"}
    assert posed.answer == "3 nodes: 1 before, 2 nodes (with 1 split) made, 0 nodes evicted."


def test_a_question_about_one_of_several_requests() -> None:
    requests = [{"prompt": "a b x ", "reply": "r "}, {"prompt": "a b c d y ", "reply": "s "}]
    told = run(lesson(send("a b c d e ", "f "), {"requests": requests}))
    assert "Number 2 is “a b c d y”: 5 tokens." in asked(told, 2, "matched", request=1).text
    assert right(asked(told, 2, "matched", request=0)) == "2 tokens"
    assert right(asked(told, 2, "matched", request=1)) == "4 tokens"


def test_nothing_of_the_kind() -> None:
    told = run(lesson({}, send("a b ", "c ")))
    assert ask(told, 1, "matched") is None
    assert all(ask(told, 2, kind) is None for kind in ("split", "victim", "freed", "copied"))


@pytest.mark.parametrize(
    ("prompt", "reply", "answer"),
    [
        ("a b c d e ", "f ", "No node is split: the 4 tokens that are equal end where #1 ends"),
        ("x y ", "z ", "No node is split: not even the first token is found"),
        ("a b ", "c d ", "No node is split: all of it stands in the tree already"),
    ],
)
def test_that_nothing_splits_may_be_right(prompt: str, reply: str, answer: str) -> None:
    told = run(lesson(send("a b c ", "d "), send(prompt, reply)))
    posed = asked(told, 2, "split")
    assert right(posed) == "no node is split" and posed.answer.startswith(answer)
    assert any(text.startswith("after token ") for text in wrong(posed))
    assert ask(told, 2, "split", pick=True) is None


def test_a_question_about_an_arm_is_answered_by_that_arm() -> None:
    arms = [{"name": {"en": "pages of 4", "zh": "四页"}, "page_size": 4}, {"name": "old first", "policy": "fifo"}]
    about = [{"kind": "matched", "arm": arm} for arm in ("pages of 4", "old first")]
    steps = [send("a b c d e ", "f ", ask=about), send("k l m ", "n "), send("a b c d e ", "f "), send("x y ", "z z ")]
    told = run(lesson(*steps, capacity=12, arms=arms))
    assert right(asked(told, 3, "matched")) == "5 tokens"
    paged = asked(told, 3, "matched", arm="pages of 4")
    assert right(paged) == "4 tokens" and "This is about the other cache, pages of 4." in paged.text
    assert "with pages of 1 token" in asked(told, 3, "matched").text
    assert "四页" in asked(told, 3, "matched", "zh", arm="pages of 4").text
    assert asked(told, 4, "victim").nodes == {2}
    oldest = asked(told, 4, "victim", arm="old first")
    assert "FIFO decides" in oldest.text and oldest.nodes == {1}


def test_a_what_if_is_not_explained_by_the_lesson() -> None:
    stage = Stage(lesson(send("a ", "b "), send("a ", "c ")))
    told = stage.run(Changes(capacity=50))
    posed = asked(told, 2, "matched", text="How much?", why="It is so.")
    assert posed.text != "How much?" and "It is so." not in posed.answer


def test_nodes_that_read_alike_are_told_apart() -> None:
    alike = [send(f"{name} ", reply) for name in "pq" for reply in ("one two ", "x ")]
    what = lesson(*alike, send("r " * 9, "r "), capacity=14)
    posed = pose(run(what), 5, Question(kind="victim"), "en", ids=False)
    assert posed is not None
    assert any(choice.text.startswith("“one two␣”, number 1 of 2 from above") for choice in posed.choices)


def test_words_of_the_lesson() -> None:
    told = run(lesson(send("a ", "b "), send("a ", "c ")))
    posed = asked(told, 2, "matched", text={"en": "How much?", "zh": "多少？"}, why="Told: {matched}.")
    assert posed.text == "How much?" and posed.answer.endswith("“a b␣”. Told: 1.")
    assert asked(told, 2, "matched", "zh", text={"en": "How much?", "zh": "多少？"}).text == "多少？"


def test_a_what_if_has_other_answers() -> None:
    stage = Stage(
        lesson(send("a ", "b b b "), send("c ", "d "), send("a b b b ", "e "), send("x ", "y " * 5), capacity=10)
    )
    assert asked(stage.run(), 4, "victim", pick=True).nodes == {2}
    assert asked(stage.run(Changes(policy="mru")), 4, "victim", pick=True).nodes == {3}
    assert ask(stage.run(Changes(capacity=50)), 4, "victim") is None


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_nine_steps(lang: str) -> None:
    told = run(load_lesson("nine-steps"))
    first = {number: asked(told, number, "victim", lang, pick=True).choices for number in (5, 8, 9)}
    letters = {number: told.steps[number - 2].letters for number in first}
    named = {n: next(letters[n][c.node] for c in choices if c.right and c.node) for n, choices in first.items()}
    assert named == {5: "c", 8: "h", 9: "k"}
    assert "91" in " ".join(wrong(asked(told, 8, "matched", lang))), "so much was said before c went"


# -- at random ---------------------------------------------------------------------------------------------------------


def fair(posed: Posed) -> None:
    """Checks what holds for every question."""
    texts = [choice.text for choice in posed.choices]
    assert 3 <= len(texts) <= 4 and len(set(texts)) == len(texts), texts
    assert [choice.right for choice in posed.choices].count(True) == 1
    assert all(bool(choice.because) != choice.right for choice in posed.choices), "a mistake is explained"
    assert not posed.nodes & set(posed.mistakes)
    nodes = {choice.node: choice.right for choice in posed.choices if choice.node is not None}
    if posed.kind == "victim":
        assert all(right == (node in posed.nodes) for node, right in nodes.items())


@pytest.mark.parametrize("start", range(0, SEEDS, 50))
def test_the_right_choice_is_what_the_cache_does(start: int) -> None:
    seen = dict.fromkeys(KINDS, 0)
    for seed in range(start, start + 50):
        told = random_run(seed, batches=False)
        if told is None:
            continue
        for number, truth in enumerate(by_hand(told), start=1):
            for kind in KINDS:
                posed = ask(told, number, kind, "zh" if seed % 2 else "en")
                if posed is not None:
                    seen[kind] += 1
                    fair(posed)
                assert_true(kind, posed, truth, told.config.page_size)
    assert all(count > 5 for count in seen.values()), seen


def assert_true(kind: str, posed: Posed | None, truth: ByHand, page_size: int) -> None:
    """Holds a question against what the cache driven by hand did."""
    peek, size = truth.peek, truth.prompt.size
    before = {node.id: node for node in truth.before.nodes()}
    if kind in ("split", "copied"):
        first = next(((node, at) for node, at in truth.splits if node in before), None)
        if kind == "split" and first is None and posed is not None:
            assert right(posed) in ("no node is split", "没有节点被拆分") and not truth.splits and before
            return
        assert (posed is None) == (first is None) or (kind == "split" and not before)
        if posed is None or first is None:
            return
        if kind == "copied":
            assert right(posed).startswith(("nothing: 0 tokens", "什么也不移动：0 个 token"))
            return
        node, at = first
        assert node in posed.nodes <= {node for node, _ in truth.splits}
        assert f"after token {at} of " in right(posed) or f"的第 {at} 个 token 之后" in right(posed)
    elif kind == "victim":
        known = truth.evicted and truth.evicted[0][0] in before
        assert (posed is not None) == bool(known)
        if posed is not None:
            assert truth.evicted[0][0] in posed.nodes
    elif kind == "freed":
        assert (posed is not None) == bool(truth.evicted)
        if posed is not None:
            assert number(posed) == sum(tokens for _, tokens in truth.evicted)
    else:
        assert posed is not None
        whole = peek.matched == size
        assert number(posed) == {
            "matched": peek.matched,
            "prefilled": size - ((size - 1) // page_size * page_size if whole else peek.matched),
            "nodes": sum(1 for _ in truth.after.nodes()),
        }[kind]  # fmt: skip


def number(posed: Posed) -> int:
    return int(right(posed).split()[0].replace(",", ""))


@pytest.mark.parametrize("seed", range(40))
def test_several_requests_at_once(seed: int) -> None:
    told = random_run(seed, batches=True)
    for step in told.steps if told is not None else ():
        assert told is not None
        for kind in KINDS:
            for request in range(len(step.step.requests)):
                posed = ask(told, step.number, kind, request=request)
                if posed is None:
                    assert kind not in ("matched", "prefilled", "nodes")
                    continue
                fair(posed)
                facts = next(done.facts for done in step.done if done.request == request)
                if kind == "matched":
                    assert number(posed) == facts.matched_tokens
                if kind == "freed":
                    assert number(posed) == step.sums.evicted


def test_a_question_tells_nothing_of_the_answer() -> None:
    """The same tree and the same prompt are asked about in the same words, whatever comes of it."""
    compared = 0
    for seed in range(60):
        told = random_run(seed, batches=True)
        if told is None:
            continue
        last = told.lesson.steps[-1]
        requests = [
            one.model_copy(
                update={"reply": one.reply and "white black grey " * 3, "replies": ["grey "] * len(one.replies)}
            )
            for one in last.requests
        ]
        other = told.lesson.model_copy(
            update={"steps": [*told.lesson.steps[:-1], last.model_copy(update={"requests": requests})]}
        )
        try:
            again = run(other)
        except Exception:  # more room than there is: another lesson, nothing to compare
            continue
        for kind in KINDS:
            for pick in (False, True):
                one, two = (ask(each, len(told.steps), kind, pick=pick) for each in (told, again))
                if one is not None and two is not None and one.pick == two.pick:
                    assert one.text == two.text
                    compared += 1
    assert compared > 200


def test_the_order_of_choices_is_always_the_same() -> None:
    told, again = (run(load_lesson("nine-steps")) for _ in range(2))
    for number in range(1, len(told.steps) + 1):
        for kind in KINDS:
            assert ask(told, number, kind) == ask(again, number, kind)
    places = {
        [choice.right for choice in posed.choices].index(True)
        for number in range(2, 10)
        for kind in KINDS
        if (posed := ask(told, number, kind)) is not None
    }
    assert places == {0, 1, 2, 3}, "the right one is not always at the same place"


def test_a_step_of_a_what_if_can_be_asked_about() -> None:
    stage = Stage(lesson(send("a b ", "c "), send("d ", "e ")))
    from radixchat.chat.lessons.schema import Request

    told = stage.run(replace(Changes(), extra=((1, Request(prompt="a b x ")),)))
    assert right(asked(told, 2, "matched")) == "2 tokens"


def test_text_from_a_file_is_made_safe(tmp_path: Path) -> None:
    told = run(lesson(send("a\x1b[31m b ", "c "), send("a\x1b[31m b ", "d ")))
    posed = asked(told, 2, "matched", text="x\x1b[2J", why="y\u202e")
    everything = " ".join([posed.text, posed.answer, *(choice.text for choice in posed.choices)])
    assert "\x1b" not in everything and "\u202e" not in everything
