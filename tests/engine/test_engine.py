"""The engine over every cache, with a model whose reply changes if a single slot is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.chat.engine import Engine, SamplingParams
from radixchat.chat.engine.engine import CACHES
from radixchat.chat.errors import RequestError, TooLong, UsageError
from radixchat.radix import PRESETS, HashBlockCache, NoRoom, TreeState
from radixchat.radix import events as ev

from .fake import EOS, FakeRunner, FakeTokenizer, reply_of


def engine_over(name: str = "radix", capacity: int = 60, max_context: int = 10_000, **options: object) -> Engine:
    """An engine with the fake model over one of our caches."""
    cache = CACHES[name](capacity, **options)
    return Engine(FakeRunner(cache.highest_slot, max_context), cache, FakeTokenizer(), name="fake", cache_name=name)


def greedy(**more: object) -> SamplingParams:
    return SamplingParams(temperature=0, **{"max_tokens": 8, **more})


def test_a_reply_is_what_the_model_says_and_every_prompt_token_is_reused_or_prefilled() -> None:
    """The facts of the signature line add up, cold and warm."""
    engine = engine_over()
    prompt = [1, 2, 3, 4, 5]
    cold = engine.generate(prompt, greedy())
    warm = engine.generate(prompt, greedy())

    assert list(cold.token_ids) == list(warm.token_ids) == reply_of(prompt, 8)
    assert (cold.matched_tokens, cold.reused_tokens, cold.prefilled_tokens) == (0, 0, 5)
    assert (warm.matched_tokens, warm.reused_tokens, warm.prefilled_tokens) == (5, 4, 1)
    engine.check_integrity()


def test_the_next_turn_reuses_prompt_and_reply_but_for_the_last_token() -> None:
    """The last sampled token has no K/V."""
    engine = engine_over()
    first = engine.generate([1, 2, 3], greedy(ignore_eos=True))
    history = [1, 2, 3, *first.token_ids]
    second = engine.generate([*history, 7, 8], greedy())

    assert second.reused_tokens == len(history) - 1
    assert list(second.token_ids) == reply_of([*history, 7, 8], 8)


def test_a_second_conversation_splits_the_node_and_says_which() -> None:
    """The id of the split node is the tail's, which keeps it."""
    engine = engine_over()
    engine.generate([1, 2, 3, 4], greedy())
    second = engine.generate([1, 2, 9, 9], greedy())

    assert second.splits == (1,)
    assert second.reused_tokens == 2


def test_prompts_of_one_call_share_what_the_first_of_them_computes() -> None:
    """One prefill at a time: the second prompt finds the first one's prefix."""
    engine = engine_over()
    both = engine.generate([[1, 2, 3, 4, 5], [1, 2, 3, 9]], greedy())

    assert both[0].reused_tokens == 0
    assert both[1].reused_tokens == 3
    assert [list(done.token_ids) for done in both] == [reply_of([1, 2, 3, 4, 5], 8), reply_of([1, 2, 3, 9], 8)]


def test_samples_of_one_prompt_prefill_it_once() -> None:
    """The further samples begin where the prompt ends: nothing of it is computed for them."""
    engine = engine_over()
    samples = engine.generate([5, 6, 7, 8], SamplingParams(temperature=1, seed=1, n=3, max_tokens=4))

    assert [done.prefilled_tokens for done in samples] == [4, 0, 0]
    assert [done.reused_tokens for done in samples] == [0, 4, 4]


def test_a_batch_is_one_step_and_a_second_call_the_next() -> None:
    """A request that starts while another runs joins the open step."""
    engine = engine_over()
    events: list[ev.Event] = []
    engine.listeners.append(events.extend)
    engine.generate([[1, 2], [3, 4]], greedy())
    engine.generate([5, 6], greedy())

    assert [event.step for event in events if isinstance(event, ev.StepOpened)] == [1, 2]
    assert [event.request for event in events if isinstance(event, ev.RequestFinished)] == [1, 2, 3]


def test_stop_texts_end_the_reply_and_are_no_part_of_it() -> None:
    """What was computed past the stop text stays in the cache."""
    engine = engine_over()
    free = engine.generate([1, 2, 3], greedy(ignore_eos=True))
    stop = free.text[2:4]
    stopped = engine.generate([1, 2, 3], greedy(ignore_eos=True, stop=(stop,)))

    assert stopped.text == free.text[: free.text.find(stop)]
    assert stopped.finish_reason == "stop"


def test_streaming_gives_the_same_text_in_pieces() -> None:
    """The last chunk carries the completion."""
    engine = engine_over()
    chunks = list(engine.stream("abc", greedy()))
    whole = engine_over().generate("abc", greedy())

    assert "".join(chunk.text for chunk in chunks) == whole.text
    assert [chunk.completion is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_closing_a_stream_keeps_what_was_computed_and_releases_the_rest() -> None:
    """A front end that goes away leaves no lock behind."""
    engine = engine_over()
    stream = engine.stream([1, 2, 3], greedy(max_tokens=50, ignore_eos=True))
    next(stream), next(stream)
    stream.close()

    engine.check_integrity()
    assert not engine.busy
    assert engine.cache.peek([1, 2, 3]).matched == 3
    assert engine.cache.snapshot().protected == 0


def test_stop_ends_a_reply_and_the_completion_says_so() -> None:
    """Ctrl-C in a front end."""
    engine = engine_over()
    stream = engine.stream([1, 2, 3], greedy(max_tokens=50, ignore_eos=True))
    next(stream)
    engine.stop()
    *_, last = stream

    assert last.completion is not None and last.completion.finish_reason == "cancelled"
    assert list(last.completion.token_ids) == reply_of([1, 2, 3], 50)[: last.completion.generated_tokens]


def test_a_stop_is_heeded_between_two_chunks_of_a_long_prompt() -> None:
    """Chunks have at most 256 tokens."""
    engine = engine_over(capacity=2000)
    stream = engine.stream(list(range(1, 13)) * 100, greedy())
    engine.listeners.append(lambda _: engine.stop())
    chunks = list(stream)

    assert chunks[-1].completion is not None and chunks[-1].completion.generated_tokens == 0
    assert 0 < chunks[-1].completion.prefilled_tokens <= 512
    engine.check_integrity()


def test_a_failing_model_releases_everything_and_the_next_request_works() -> None:
    """A failed request drops what only it added."""
    engine = engine_over()
    runner = engine.runner
    assert isinstance(runner, FakeRunner)
    runner.fail_at = 2
    with pytest.raises(RequestError, match="out of memory"):
        engine.generate([1, 2, 3], greedy(ignore_eos=True))
    engine.check_integrity()
    assert engine.cache.snapshot().resident == 0

    assert list(engine.generate([1, 2, 3], greedy()).token_ids) == reply_of([1, 2, 3], 8)


@pytest.mark.parametrize(
    "prompt, message", [([], "empty"), ([1] * 61, "the cache holds 60"), ([1] * 90, "context holds 80")]
)
def test_impossible_prompts_are_refused_before_any_work(prompt: list[int], message: str) -> None:
    """Nothing was computed, nothing is lost, and the next prompt works."""
    engine = engine_over(capacity=60, max_context=80)
    with pytest.raises(RequestError, match=message) as raised:
        engine.generate(prompt, greedy())

    assert isinstance(raised.value, TooLong) == bool(prompt)
    assert isinstance(engine.runner, FakeRunner) and not engine.runner.works
    engine.generate([1, 2], greedy())


def test_alone_and_out_of_room_a_reply_ends_with_capacity() -> None:
    """Its tokens stay; a larger capacity lets it go on."""
    engine = engine_over(capacity=10)
    done = engine.generate([1, 2, 3, 4, 5], greedy(max_tokens=50, ignore_eos=True))

    assert done.finish_reason == "capacity"
    assert done.generated_tokens == 6  # five fill the pool, the sixth was sampled and has no K/V
    engine.check_integrity()


def test_the_context_ends_a_reply() -> None:
    """A reply that reaches the model's context ends with length."""
    done = engine_over(max_context=8).generate([1, 2, 3, 4, 5], greedy(max_tokens=50, ignore_eos=True))

    assert (done.finish_reason, done.generated_tokens) == ("length", 3)


def test_the_youngest_is_retracted_when_room_runs_out_and_still_gets_its_reply() -> None:
    """Admission reserves the prompts only; both replies are what they would be alone."""
    engine = engine_over(capacity=24)
    events: list[ev.Event] = []
    engine.listeners.append(events.extend)
    prompts = [[1, 2, 3, 4], [5, 6, 7, 8]]
    done = engine.generate(prompts, greedy(max_tokens=14, ignore_eos=True))

    retracted = [event.request for event in events if isinstance(event, ev.RequestRetracted)]
    assert retracted and set(retracted) == {2}
    assert done[1].retractions == len(retracted)
    assert done[1].prefilled_tokens + done[1].reused_tokens == 4
    for prompt, each in zip(prompts, done, strict=True):
        assert list(each.token_ids) == _free_reply(prompt, 14)
    engine.check_integrity()


def test_forced_replies_have_kv_for_every_token() -> None:
    """A given reply runs through the prefill path, and its last token is cached."""
    engine = engine_over()
    done = engine.generate([1, 2, 3], forced=[np.array([7, 8, 9], dtype=np.int32)])

    assert (done.token_ids, done.finish_reason) == ((7, 8, 9), "stop")
    assert engine.cache.peek([1, 2, 3, 7, 8, 9]).matched == 6
    snapshot = engine.cache.snapshot()
    assert [node.size for node in snapshot.nodes()] == [6]


def test_results_do_not_depend_on_who_else_is_in_the_batch() -> None:
    """Each request has its own stream of random numbers."""
    params = SamplingParams(temperature=1, seed=3, max_tokens=6)
    alone = engine_over().generate([4, 5, 6], params)
    together = engine_over().generate([[1, 2, 3], [4, 5, 6]], params)[1]

    assert alone.token_ids == together.token_ids


def test_a_resized_engine_keeps_its_tree() -> None:
    """Growing keeps everything; shrinking evicts; impossible shrinking changes nothing."""
    engine = engine_over(capacity=20)
    engine.generate([1, 2, 3, 4], greedy())
    engine.resize(40)
    assert engine.generate([1, 2, 3, 4], greedy()).reused_tokens == 3
    engine.resize(2)
    assert engine.cache.snapshot().resident <= 2
    with pytest.raises(ValueError, match="below one page"):
        engine.resize(0)
    engine.check_integrity()


@pytest.mark.parametrize(
    "value, message", [("12x", "no number"), ("1", "too small"), ("10B", "no number"), ("0.5KiB", "too small")]
)
def test_odd_capacities_are_explained(value: str, message: str) -> None:
    """Capacities are tokens, or bytes with a unit."""
    from radixchat.chat.engine.load import parse_capacity

    with pytest.raises(UsageError, match=message):
        parse_capacity(value, 1024)
    assert parse_capacity("512KiB", 1024) == 512
    assert parse_capacity("4096", 1024) == 4096


Prompt = st.lists(st.integers(1, 3), min_size=1, max_size=12)  # prompts collide a lot
Op = st.tuples(
    Prompt,
    st.integers(1, 12),  # max_tokens
    st.sampled_from(["run", "stop", "close"]),
)


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(st.lists(Op, min_size=1, max_size=4), min_size=1, max_size=6),
    name=st.sampled_from(["radix", "radix", "last", "none"]),
    page_size=st.sampled_from([1, 2, 4]),
    capacity=st.integers(24, 60),
)
def test_random_batches_reply_as_if_alone_and_never_leak(batches, name, page_size, capacity) -> None:  # type: ignore[no-untyped-def]
    """Whatever is evicted, retracted, stopped or closed: texts are right, and the integrity check holds throughout."""
    engine = engine_over(name, capacity, page_size=page_size)
    mirror = TreeState(engine.cache.config)
    engine.listeners.append(lambda events: [mirror.apply(event) for event in events])
    engine.listeners.append(lambda _: engine.check_integrity())
    for batch in batches:
        for prompt, max_tokens, ending in batch[:1] if batch[0][2] != "run" else []:
            stream = engine.stream(prompt, greedy(max_tokens=max_tokens, ignore_eos=True))
            next(stream)
            if ending == "close":
                stream.close()
            else:
                engine.stop()
                list(stream)
        prompts = [prompt for prompt, _, _ in batch]
        results = engine.generate(prompts, greedy(max_tokens=batch[0][1], ignore_eos=True))
        for prompt, done in zip(prompts, results, strict=True):
            wanted = _free_reply(prompt, batch[0][1])
            assert list(done.token_ids) == wanted[: done.generated_tokens]
            assert done.finish_reason in ("length", "capacity")
            assert done.reused_tokens + done.prefilled_tokens == len(prompt)
        assert mirror.freeze() == engine.cache.snapshot()
    assert engine.cache.snapshot().protected == engine.cache.snapshot().in_flight == 0


def test_a_thousand_turns_leak_nothing() -> None:
    """Conversations come, branch and go in a small pool."""
    random = np.random.default_rng(0)
    engine = engine_over(capacity=200)
    history: list[int] = []
    for turn in range(1000):
        if random.random() < 0.1 or len(history) > 120:
            history = history[: int(random.integers(0, len(history) + 1))] if random.random() < 0.5 else []
        history += random.integers(1, 5, size=int(random.integers(1, 6))).tolist()
        done = engine.generate(history, greedy(max_tokens=int(random.integers(1, 9)), ignore_eos=True))
        history += list(done.token_ids)
        if turn % 50 == 0:
            engine.check_integrity()
    engine.check_integrity()
    snapshot = engine.cache.snapshot()
    assert snapshot.in_flight == snapshot.protected == 0
    assert snapshot.free + snapshot.resident == 200


def test_words_need_a_reply() -> None:
    """Without a model nothing is invented."""
    with pytest.raises(RequestError, match="no model"):
        Engine.load("words").generate("Hello!")


def test_no_room_names_the_figures() -> None:
    """The scheduler reads them; so does a person who shrinks the pool under a pin."""
    engine = engine_over(capacity=20)
    engine.generate([1, 2, 3, 4], greedy(max_tokens=1))
    node = next(engine.cache.snapshot().nodes())
    engine.cache.lock(node.id)  # type: ignore[attr-defined]
    with pytest.raises(NoRoom) as raised:
        engine.resize(2)
    assert (raised.value.needed, raised.value.available) == (18, 16)


def _free_reply(prompt: list[int], tokens: int) -> list[int]:
    """The reply when end-of-sequence tokens are ignored."""
    reply: list[int] = []
    while len(reply) < tokens:
        reply += reply_of([*prompt, *reply], tokens - len(reply))
    return reply


assert EOS == 0  # `_free_reply` goes on after it as after any other token


@settings(max_examples=40, deadline=None)
@given(
    batches=st.lists(st.lists(Prompt, min_size=1, max_size=3), max_size=5),
    block_size=st.sampled_from([1, 4]),
    preset=st.sampled_from(list(PRESETS)),
)
def test_a_block_table_serves_the_same_engine(batches: list[list[list[int]]], block_size: int, preset: str) -> None:
    """Copies, remaps and a computed gate: the protocol fits caches that are no tree."""
    cache = HashBlockCache(96, rules=replace(PRESETS[preset], multiple=1), block_size=block_size)
    engine = Engine(FakeRunner(cache.highest_slot), cache, FakeTokenizer(), name="fake", cache_name="blocks")
    for prompts in batches:
        for prompt, done in zip(prompts, engine.generate(prompts, greedy(max_tokens=9, ignore_eos=True)), strict=True):
            assert list(done.token_ids) == _free_reply(prompt, 9)
            assert done.reused_tokens + done.prefilled_tokens == len(prompt)
        engine.check_integrity()
