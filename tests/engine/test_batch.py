"""Many requests at once: who runs, who waits, who shares, and that nobody's reply depends on the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.chat.engine import Ask, Chunk, Completion, Engine, SamplingParams
from radixchat.chat.engine.engine import CACHES
from radixchat.chat.engine.runner import Work
from radixchat.chat.engine.waiting import LPM_MOST, PATIENCE
from radixchat.chat.errors import RequestError, TooLong, UsageError
from radixchat.radix import TreeState
from radixchat.radix import events as ev

from .fake import FakeRunner, FakeTokenizer, reply_of

LIMIT = 10_000
"""No drill needs this many iterations."""


def engine_over(
    name: str = "radix",
    capacity: int = 400,
    *,
    max_running: int = 16,
    chunk: int = 256,
    schedule: str = "fcfs",
    max_context: int = 10_000,
    **options: object,
) -> Engine:
    """An engine with the fake model; small chunks make short prompts long."""
    cache = CACHES[name](capacity, **options)
    runner = FakeRunner(cache.highest_slot, max_context)
    engine = Engine(
        runner, cache, FakeTokenizer(), name="fake", cache_name=name, max_running=max_running, schedule=schedule
    )
    engine._scheduler._chunk = chunk
    return engine


def greedy(tokens: int = 8, **more: object) -> SamplingParams:
    return SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True, **more)


def warm(tokens: int = 8, n: int = 1, seed: int = 1, **more: object) -> SamplingParams:
    return SamplingParams(temperature=1, max_tokens=tokens, n=n, seed=seed, **{"ignore_eos": True, **more})


def drain(engine: Engine) -> dict[int, Completion]:
    """Runs everything to its end; returns the completions by number."""
    ended: dict[int, Completion] = {}
    for _ in range(LIMIT):
        if not engine.busy:
            return ended
        for chunk in engine.iterate():
            if chunk.completion is not None:
                ended[chunk.reply] = chunk.completion
        engine.check_integrity()
    raise AssertionError("it never ends")


def recorded(engine: Engine) -> list[ev.Event]:
    """Returns a list to which every event is added."""
    events: list[ev.Event] = []
    engine.listeners.append(events.extend)
    return events


def works(engine: Engine) -> list[list[int]]:
    """How many tokens each iteration computed, a work."""
    assert isinstance(engine.runner, FakeRunner)
    return [[work.tokens.size for work in batch] for batch in engine.runner.works]


def assert_idle(engine: Engine) -> None:
    """Nobody holds anything any more."""
    engine.check_integrity()
    snapshot = engine.cache.snapshot()
    assert not engine.busy and not engine._scheduler.leases
    assert (snapshot.protected, snapshot.in_flight) == (0, 0)


# -- joining and leaving ----------------------------------------------------------------------------------------------


def test_a_request_joins_while_others_run_and_leaves_them_alone() -> None:
    """One iteration computes a token of the running reply together with the new prompt."""
    engine = engine_over()
    (first,) = engine.submit(Ask(prompt=[1, 2, 3], params=greedy()))
    engine.iterate()
    (second,) = engine.submit(Ask(prompt=[4, 5], params=greedy(3)))
    ended = drain(engine)

    assert works(engine)[:3] == [[3], [1, 2], [1, 1]]
    assert list(ended) == [second, first]
    assert list(ended[first].token_ids) == _free_reply([1, 2, 3], 8)
    assert list(ended[second].token_ids) == _free_reply([4, 5], 3)
    assert_idle(engine)


def test_the_chunk_is_shared_by_all_prompts_first_come_first() -> None:
    """Four tokens of prompts an iteration, whoever they belong to; replies are not held up."""
    engine = engine_over(chunk=4)
    engine.run([Ask(prompt=prompt, params=greedy(4)) for prompt in ([1, 2, 3], [4, 5, 6, 7, 8], [9, 9])])

    assert works(engine)[:4] == [[3, 1], [1, 4], [1, 1, 2], [1, 1, 1]]


def test_numbers_name_the_replies_sample_by_sample() -> None:
    """They count on, and the texts come with them."""
    engine = engine_over()
    assert engine.submit(Ask(prompt="abc", params=warm(n=3))) == [1, 2, 3]
    assert engine.submit(Ask(prompt="b", params=greedy())) == [4]
    assert sorted(drain(engine)) == [1, 2, 3, 4]


def test_results_come_ask_by_ask_and_sample_by_sample_in_one_step() -> None:
    """However long each takes."""
    engine = engine_over()
    events = recorded(engine)
    asks = [Ask(prompt=[1, 2], params=warm(9, n=2)), Ask(prompt=[3], params=greedy(1)), Ask(prompt=[4], params=warm(4))]
    results = engine.run(asks)

    assert [done.prompt_ids.tolist() for done in results] == [[1, 2], [1, 2], [3], [4]]
    assert [done.generated_tokens for done in results] == [9, 9, 1, 4]
    assert [event.step for event in events if isinstance(event, ev.StepOpened)] == [1]


def test_a_stream_inside_a_stream_takes_nothing_from_it() -> None:
    """Chunks of other replies wait until they are asked for."""
    engine = engine_over()
    (number,) = engine.submit(Ask(prompt=[1, 2, 3], params=greedy()))
    outer = engine.serve([Ask(prompt=[4, 5], params=greedy())])
    pieces = [next(outer)]
    inner = engine.generate([6, 7], greedy(30))
    pieces += list(outer)
    kept = [chunk for _ in range(LIMIT) if engine.busy for chunk in engine.iterate()]

    assert list(inner.token_ids) == _free_reply([6, 7], 30)
    assert [token for chunk in pieces for token in chunk.tokens] == _free_reply([4, 5], 8)
    assert {chunk.reply for chunk in kept} == {number}
    assert [token for chunk in kept for token in chunk.tokens] == _free_reply([1, 2, 3], 8)
    assert_idle(engine)


def test_closing_serve_cancels_its_own_and_keeps_what_was_computed() -> None:
    """Another reply goes on."""
    engine = engine_over()
    (other,) = engine.submit(Ask(prompt=[9, 9, 9], params=greedy(20)))
    stream = engine.serve([Ask(prompt=[1, 2, 3], params=warm(50, n=3))])
    next(stream)
    stream.close()

    assert len(engine._scheduler.leases) == 1
    assert engine.cache.peek([1, 2, 3]).matched == 3
    assert list(drain(engine)[other].token_ids) == _free_reply([9, 9, 9], 20)
    assert_idle(engine)


def test_a_cancelled_reply_says_so_and_the_others_go_on() -> None:
    """Running, waiting, or waiting for the first sample."""
    engine = engine_over(max_running=2)
    numbers = [engine.submit(Ask(prompt=[token, token], params=greedy(6)))[0] for token in (1, 2, 3)]
    engine.iterate()
    engine.cancel(numbers[0])
    engine.cancel(numbers[2])
    ended = drain(engine)

    assert [ended[number].finish_reason for number in numbers] == ["cancelled", "length", "cancelled"]
    assert ended[numbers[2]].token_ids == ()
    assert list(ended[numbers[1]].token_ids) == _free_reply([2, 2], 6)
    assert_idle(engine)


def test_a_priority_reaches_the_cache() -> None:
    """For the eviction policy of that name."""
    engine = engine_over(policy="priority")
    engine.run([Ask(prompt=[1, 2, 3], params=greedy(1), priority=2), Ask(prompt=[4, 5], params=greedy(1))])
    assert {node.size: node.priority for node in engine.cache.snapshot().nodes()} == {3: 2, 2: 0}


# -- samples ----------------------------------------------------------------------------------------------------------


def test_eight_samples_of_a_long_prompt_compute_it_once() -> None:
    """1,000 tokens in four chunks; the seven others begin with the same slots, and nothing is copied."""
    engine = engine_over(capacity=2000)
    prompt = np.random.default_rng(0).integers(1, 12, 1000).astype(np.int32)
    numbers = engine.submit(Ask(prompt=prompt, params=warm(6, n=8)))
    for _ in range(4):
        engine.iterate()
    leases = engine._scheduler.leases
    ended = drain(engine)

    assert len(leases) == 8
    assert all(np.array_equal(lease.slots[:1000], leases[0].slots[:1000]) for lease in leases)
    assert [ended[number].prefilled_tokens for number in numbers] == [1000] + [0] * 7
    assert [ended[number].reused_tokens for number in numbers] == [0] + [1000] * 7
    assert sum(map(sum, works(engine))) == 1000 + 8 * 5
    assert len({ended[number].token_ids for number in numbers}) == 8
    assert_idle(engine)


def test_each_sample_is_what_its_seed_alone_gives() -> None:
    """The seeds count up."""
    together = engine_over().run([Ask(prompt=[1, 2, 3], params=warm(n=4, seed=7))])
    alone = [engine_over().generate([1, 2, 3], warm(seed=7 + sample)) for sample in range(4)]

    assert [done.token_ids for done in together] == [done.token_ids for done in alone]


def test_with_pages_each_sample_computes_what_fills_none() -> None:
    """Ten tokens are two pages of four, and two tokens more."""
    engine = engine_over(page_size=4)
    done = engine.run([Ask(prompt=list(range(1, 11)), params=warm(n=3))])
    alone = [engine_over().generate(list(range(1, 11)), warm(seed=1 + sample)) for sample in range(3)]

    assert [each.prefilled_tokens for each in done] == [10, 2, 2]
    assert [each.reused_tokens for each in done] == [0, 8, 8]
    assert [each.token_ids for each in done] == [each.token_ids for each in alone]
    assert_idle(engine)


def test_samples_that_find_no_place_wait_and_share_all_the_same() -> None:
    """Two run, four wait: each of them finds the prompt in the cache."""
    engine = engine_over(max_running=2)
    done = engine.run([Ask(prompt=[1, 2, 3, 4], params=warm(n=6))])

    assert [each.prefilled_tokens for each in done] == [4, 0, 1, 1, 1, 1]
    assert max(map(len, works(engine))) == 2
    assert_idle(engine)


@pytest.mark.parametrize("iterations", [0, 1], ids=["waiting", "running"])
def test_when_the_first_sample_leaves_early_the_next_one_leads(iterations: int) -> None:
    """Before its prompt was computed; what it had computed serves the others."""
    engine = engine_over(chunk=2)
    numbers = engine.submit(Ask(prompt=[1, 2, 3, 4, 5], params=warm(n=3)))
    for _ in range(iterations):
        engine.iterate()
    engine.cancel(numbers[0])
    ended = drain(engine)

    assert [ended[number].finish_reason for number in numbers] == ["cancelled", "length", "length"]
    assert ended[numbers[1]].prefilled_tokens == 5 - 2 * iterations
    assert ended[numbers[2]].prefilled_tokens == 0
    assert_idle(engine)


def test_when_the_model_fails_the_next_sample_tries() -> None:
    """The first one's reply is lost, the others are what they should be."""
    engine = engine_over(chunk=2)
    assert isinstance(engine.runner, FakeRunner)
    engine.runner.fail_at = 1
    chunks = list(engine.serve([Ask(prompt=[1, 2, 3, 4, 5], params=warm(n=3))]))
    ended = [chunk.completion for chunk in sorted(chunks, key=lambda chunk: chunk.reply) if chunk.completion]

    assert [done.finish_reason for done in ended] == ["error", "length", "length"]
    assert "out of memory" in str(ended[0].error)
    assert ended[1].token_ids == engine_over().generate([1, 2, 3, 4, 5], warm(seed=2)).token_ids
    assert_idle(engine)


def test_one_bad_prompt_fails_alone() -> None:
    """A token that the model does not have breaks its own forward and nobody's reply."""
    engine = engine_over()

    def step(batch: Sequence[Work]) -> list[tuple[int, ...]]:
        if any((work.tokens > 50).any() for work in batch):
            raise IndexError("index out of range")
        return FakeRunner.step(engine.runner, batch)  # type: ignore[arg-type]

    engine.runner.step = step  # type: ignore[method-assign]
    prompts = ([1, 2, 3], [99], [4, 5])
    numbers = [engine.submit(Ask(prompt=prompt, params=warm(6, n=2)))[0] for prompt in prompts]
    ended = drain(engine)

    assert [ended[number].finish_reason for number in numbers] == ["length", "error", "length"]
    assert ended[numbers[1] + 1].finish_reason == "error"  # a sample of the bad one, tried by itself
    assert "index out of range" in str(ended[numbers[1]].error)
    for number, prompt in ((numbers[0], [1, 2, 3]), (numbers[2], [4, 5])):
        for sample in (0, 1):
            alone = engine_over().generate(prompt, warm(6, seed=1 + sample))
            assert ended[number + sample].token_ids == alone.token_ids
    assert_idle(engine)


@pytest.mark.parametrize("page_size", [1, 4])
def test_given_replies_fork_as_well(page_size: int) -> None:
    """Each its own; the tree holds the prompt once."""
    engine = engine_over(page_size=page_size)
    replies = tuple(np.array(reply, dtype=np.int32) for reply in ([7, 7, 7], [8, 8], []))
    done = engine.run([Ask(prompt=[1, 2, 3, 4], forced=replies)])

    assert [each.token_ids for each in done] == [(7, 7, 7), (8, 8), ()]
    assert [each.finish_reason for each in done] == ["stop"] * 3
    assert [each.prefilled_tokens for each in done] == [4, 0, 0]
    assert_idle(engine)


def test_words_fork_given_replies() -> None:
    """Without a model: one prompt, three answers, one node each."""
    engine = Engine.load("words")
    replies = tuple(engine.tokenizer.encode(text) for text in ("It is red. ", "It is blue. ", "Nobody knows. "))
    done = engine.run([Ask(prompt="What colour is it? ", forced=replies)])

    assert [each.text for each in done] == ["It is red. ", "It is blue. ", "Nobody knows. "]
    assert [each.prefilled_tokens for each in done] == [4, 0, 0]
    sizes = sorted(node.size for node in engine.cache.snapshot().nodes())
    assert sizes == [1, 1, 2, 2, 4]


# -- sharing inside a batch -------------------------------------------------------------------------------------------


def test_a_prefix_that_another_prompt_is_about_to_compute_is_waited_for() -> None:
    """The second prompt waits for what it shares and no longer; a third one that shares nothing does not."""
    engine = engine_over(chunk=4)
    shared = list(range(1, 9))
    asks = [[*shared, 1, 1, 1, 1], [*shared, 2, 2], [12, 12]]
    done = engine.run([Ask(prompt=prompt, params=greedy()) for prompt in asks])

    assert [each.prefilled_tokens for each in done] == [12, 2, 2]
    assert [each.reused_tokens for each in done] == [0, 8, 0]
    assert sum(map(sum, works(engine))) == 12 + 2 + 2 + 3 * 7
    for prompt, each in zip(asks, done, strict=True):
        assert list(each.token_ids) == _free_reply(prompt, 8)


def test_namespaces_share_nothing_and_wait_for_nothing() -> None:
    """Equal prompts in two of them are computed twice, at once."""
    engine = engine_over()
    done = engine.run([Ask(prompt=[1, 2, 3], params=greedy(), namespace=name) for name in ("", "blue")])

    assert [each.prefilled_tokens for each in done] == [3, 3]
    assert works(engine)[0] == [3, 3]


def test_a_cache_that_shows_nothing_is_not_waited_for_long() -> None:
    """Without a cache the second prompt begins when the first chunk shows that nothing is shared."""
    engine = engine_over("none", chunk=4)
    numbers = [engine.submit(Ask(prompt=[1] * 12, params=greedy()))[0] for _ in range(2)]
    places = []
    for _ in range(2):
        engine.iterate()
        places.append(len(engine._scheduler.leases))
    ended = drain(engine)

    assert places == [1, 2]
    assert [ended[number].prefilled_tokens for number in numbers] == [12, 12]


# -- schedules --------------------------------------------------------------------------------------------------------


def started(events: list[ev.Event]) -> list[int]:
    return [event.request for event in events if isinstance(event, ev.RequestStarted)]


def after_a_long_one(schedule: str, prompts: list[list[int]]) -> list[int]:
    """In what order prompts start that wait for the only place, on a cache that holds 1 2 3 4 5 6."""
    engine = engine_over(max_running=1, schedule=schedule)
    engine.generate([1, 2, 3, 4, 5, 6], greedy(1))
    events = recorded(engine)
    engine.run([Ask(prompt=prompt, params=greedy(2)) for prompt in prompts])
    first = min(started(events))
    return [number - first for number in started(events)]


def test_first_come_first_served() -> None:
    """Whatever is in the cache."""
    assert after_a_long_one("fcfs", [[9], [1, 2, 3, 9], [1, 2, 8], [7]]) == [0, 1, 2, 3]


def test_longest_prefix_match_first() -> None:
    """Ties in the order of arrival."""
    assert after_a_long_one("lpm", [[9], [1, 2, 8], [1, 2, 3, 4, 9], [7], [1, 2, 7]]) == [2, 1, 4, 0, 3]


def test_nobody_starves_behind_longer_matches() -> None:
    """Who was overtaken often enough is next."""
    prompts = [[9]] + [[1, 2, 3, number % 9 + 1, number] for number in range(40)]
    assert after_a_long_one("lpm", prompts).index(0) == PATIENCE


def test_a_very_long_queue_is_served_in_its_order() -> None:
    """Looking all of them up would cost more than it is worth; the end of the queue is sorted again."""
    prompts = [[9, number % 9 + 1, number] for number in range(LPM_MOST + 2)] + [[1, 2, 3, 4, 5]]
    order = after_a_long_one("lpm", prompts)
    assert order[:3] == [0, 1, 2]
    assert order[3] == LPM_MOST + 2


@pytest.mark.parametrize("schedule", ["fcfs", "lpm"])
def test_a_queue_without_room_costs_one_look_at_what_would_go(schedule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait: what would be evicted is asked for the next one only."""
    engine = engine_over(capacity=12, schedule=schedule)
    for number in range(1, 30):
        engine.submit(Ask(prompt=[number] * 8, params=greedy(4)))
    engine.iterate()
    looked = []
    peek = engine.cache.peek
    monkeypatch.setattr(engine.cache, "peek", lambda *key: looked.append(key) or peek(*key))
    engine.iterate()

    assert len(looked) == 1


def test_an_unknown_schedule_is_refused_with_the_names_there_are() -> None:
    """One line what is wrong, one what to do."""
    with pytest.raises(UsageError, match="unknown schedule 'sjf'") as raised:
        Engine.load("words", schedule="sjf")
    assert "fcfs, lpm" in str(raised.value.hint if hasattr(raised.value, "hint") else raised.value.args)


# -- running out of room ----------------------------------------------------------------------------------------------


def test_whoever_finds_no_room_waits_for_those_that_run() -> None:
    """Both prompts fit, but not at once."""
    engine = engine_over(capacity=16)
    done = engine.run([Ask(prompt=[token] * 10, params=greedy(4)) for token in (1, 2)])

    assert [each.finish_reason for each in done] == ["length", "length"]
    assert [each.retractions for each in done] == [0, 0]
    assert_idle(engine)


def test_after_a_retraction_nobody_comes_before_somebody_has_gone() -> None:
    """Otherwise the one that gave way would come back at once, and give way again."""
    engine = engine_over(capacity=30)
    events = recorded(engine)
    engine.run([Ask(prompt=[token] * 4, params=greedy(12)) for token in (1, 2, 3, 4)])

    left = True
    for event in events:
        if isinstance(event, ev.RequestRetracted):
            left = False
        elif isinstance(event, ev.RequestFinished):
            left = True
        assert left or not isinstance(event, ev.RequestStarted)
    retracted = Counter(event.request for event in events if isinstance(event, ev.RequestRetracted))
    assert retracted and 1 not in retracted
    assert_idle(engine)


def test_hopeless_prompts_fail_alone() -> None:
    """Too long for the cache, too long beside a pinned node, empty: the others get their replies."""
    engine = engine_over(capacity=20)
    engine.generate([1] * 8, greedy(1))
    node = next(engine.cache.snapshot().nodes())
    engine.cache.lock(node.id)  # type: ignore[attr-defined]
    asks = [Ask(prompt=prompt, params=greedy(3)) for prompt in ([2] * 30, [3, 3], [4] * 15, [], [5, 5])]
    chunks = [chunk for chunk in engine.serve(asks) if chunk.completion is not None]
    ended = [chunk.completion for chunk in sorted(chunks, key=lambda chunk: chunk.reply)]

    assert [done.finish_reason for done in ended if done] == ["error", "length", "error", "error", "length"]
    assert isinstance(ended[0].error, TooLong)  # type: ignore[union-attr]
    assert "needs 15 tokens of room; 12 can be had" in str(ended[2].error)  # type: ignore[union-attr]
    with pytest.raises(TooLong, match="the cache holds 20"):
        engine.run(asks)
    with pytest.raises(RequestError, match="needs 15"):
        engine.generate([[3, 3], [4] * 15], greedy(3))
    engine.check_integrity()


# -- everything at once -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrival:
    """An ask, and what is done with it."""

    prompt: tuple[int, ...]
    tokens: int
    n: int
    seed: int | None  # None: greedy
    stop: tuple[str, ...]
    given: bool  # the replies are given
    namespace: str
    cancel: int | None  # cancel this sample so many iterations later

    @property
    def params(self) -> SamplingParams:
        kind = {"temperature": 0} if self.seed is None else {"temperature": 1, "seed": self.seed}
        return SamplingParams(max_tokens=self.tokens, stop=self.stop, n=self.n, ignore_eos=self.tokens % 2 > 0, **kind)

    def ask(self) -> Ask:
        forced = tuple(np.arange(1, 1 + (self.tokens + at) % 9, dtype=np.int32) for at in range(self.n))
        return Ask(
            prompt=self.prompt, params=self.params, namespace=self.namespace, forced=forced if self.given else ()
        )

    def alone(self, sample: int) -> Ask:
        """An ask for one of the replies."""
        ask = self.ask()
        seed = None if self.seed is None else self.seed + sample
        params = replace(self.params, n=1, seed=seed)
        return replace(ask, params=params, forced=ask.forced[sample : sample + 1])


arrivals = st.builds(
    Arrival,
    prompt=st.lists(st.integers(1, 2), min_size=1, max_size=14).map(tuple),
    tokens=st.integers(1, 12),
    n=st.sampled_from([1, 1, 1, 2, 3, 6]),
    seed=st.one_of(st.none(), st.integers(0, 3)),
    stop=st.sampled_from([(), (), (), ("c",), ("ab", "d")]),
    given=st.sampled_from([False, False, False, True]),
    namespace=st.sampled_from(["", "", "", "blue"]),
    cancel=st.one_of(st.none(), st.none(), st.integers(0, 8)),
)


@settings(max_examples=120, deadline=None)
@given(
    rounds=st.lists(st.lists(arrivals, max_size=4), min_size=1, max_size=8),
    name=st.sampled_from(["radix", "radix", "radix", "last", "none"]),
    page_size=st.sampled_from([1, 4]),
    capacity=st.integers(16, 70),
    max_running=st.integers(1, 6),
    chunk=st.sampled_from([2, 5, 256]),
    schedule=st.sampled_from(["fcfs", "lpm"]),
    rule=st.sampled_from(["both", "prefix"]),
)
def test_random_arrivals_reply_as_if_alone_and_never_leak(  # type: ignore[no-untyped-def]
    rounds, name, page_size, capacity, max_running, chunk, schedule, rule
) -> None:
    """Arrivals, samples, stops, cancels and tiny pools: each text is the text alone, and nothing is left behind."""
    options = {"page_size": page_size, "split_recency": rule, "chunk": chunk}  # of a given reply chunks are seen
    engine = engine_over(name, capacity, max_running=max_running, schedule=schedule, **options)
    events = recorded(engine)
    mirror = TreeState(engine.cache.config)
    engine.listeners.append(lambda events: [mirror.apply(event) for event in events])
    origin: dict[int, tuple[Arrival, int]] = {}
    due: list[tuple[int, int]] = []  # (iteration, number) to cancel
    chunks: list[Chunk] = []
    clock = 0
    waiting = list(rounds)
    while waiting or engine.busy:
        for arrival in waiting.pop(0) if waiting else []:
            numbers = engine.submit(arrival.ask())
            origin.update({number: (arrival, sample) for sample, number in enumerate(numbers)})
            if arrival.cancel is not None:
                due.append((clock + arrival.cancel, numbers[arrival.cancel % len(numbers)]))
        for _, number in [each for each in due if each[0] == clock]:
            engine.cancel(number)
        chunks += engine.iterate()
        engine.check_integrity()
        assert mirror.freeze() == engine.cache.snapshot()
        assert len(engine._scheduler.leases) <= max_running
        clock += 1
        assert clock < LIMIT, "it never ends"
    assert_idle(engine)
    assert_replies(chunks, origin, name, capacity, options)
    assert_events(events, origin)


def assert_replies(
    chunks: list[Chunk], origin: dict[int, tuple[Arrival, int]], name: str, capacity: int, options: dict[str, object]
) -> None:
    ended = [chunk for chunk in chunks if chunk.completion is not None]
    assert sorted(chunk.reply for chunk in ended) == sorted(origin)
    for chunk in ended:
        done = chunk.completion
        assert done is not None and done.error is None
        arrival, sample = origin[chunk.reply]
        mine = [other for other in chunks if other.reply == chunk.reply]
        assert "".join(each.text for each in mine) == done.text
        assert tuple(token for each in mine for token in each.tokens) == done.token_ids
        alone = engine_over(name, capacity, **options).run([arrival.alone(sample)])[0]
        if done.finish_reason == "cancelled":
            assert alone.token_ids[: done.generated_tokens] == done.token_ids
        else:
            assert (done.token_ids, done.text, done.finish_reason) == (alone.token_ids, alone.text, alone.finish_reason)
            assert done.reused_tokens + done.prefilled_tokens == done.prompt_tokens
        assert done.reused_tokens <= done.matched_tokens <= done.prompt_tokens


def assert_events(events: list[ev.Event], origin: dict[int, tuple[Arrival, int]]) -> None:
    """Every request starts at most once and ends once; what it says at its end is what its completion says."""
    begun = Counter(started(events))
    ended = Counter(event.request for event in events if isinstance(event, ev.RequestFinished))
    assert ended == Counter(dict.fromkeys(origin, 1))
    assert set(begun.values()) <= {1}


def _free_reply(prompt: list[int], tokens: int) -> list[int]:
    """The greedy reply when end-of-sequence tokens are ignored."""
    reply: list[int] = []
    while len(reply) < tokens:
        reply += reply_of([*prompt, *reply], tokens - len(reply))
    return reply
