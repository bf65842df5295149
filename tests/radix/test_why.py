"""Why a prompt was not reused: a case for each cause, and random traffic in which every token is accounted for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radixchat.radix import PRESETS, HashBlockCache, LastSequence, NoCache, PrefixCache, RadixCache
from radixchat.radix import events as ev
from radixchat.radix.keys import as_array
from radixchat.radix.past import Asker
from radixchat.radix.recording import Header, Recording, RecordingError
from radixchat.radix.travel import NoStep
from radixchat.radix.why import Reason, Why, Whys, why

from .served import Served, Tokens, Witness, asks

A = tuple(range(10, 22))  # 12 tokens
REPLY = tuple(range(100, 106))
STRANGER = tuple(range(200, 230))

V0 = ("vllm-0.4.2", "vllm-0.5.4", "vllm-0.6.3")
SMALL = tuple(name for name in PRESETS if name != "nano-vllm")  # whose blocks may have four tokens


def causes(why: Why) -> list[tuple[str, int]]:
    """Names and numbers of tokens."""
    assert sum(cause.tokens for cause in why.causes) == why.lost
    return [(cause.reason.value, cause.tokens) for cause in why.causes]


def blocks(preset: str, capacity: int = 48) -> HashBlockCache:
    return HashBlockCache(capacity, preset=preset, block_size=4)


# -- a case for each cause -----------------------------------------------------------------------------------------


def test_what_was_never_there_is_new() -> None:
    """The next turn reuses all of the one before; its message, and the token the two differ in, are told."""
    served = Served(RadixCache(40))
    assert causes(served.say(A, REPLY, "main")) == [("new", 12)]
    told = served.say((*A, *REPLY, 5, 6, 7), talk="main")
    assert causes(told) == [("new", 3)]
    assert (told.at, told.matched, told.known, told.node) == (18, 18, 21, 1)
    assert as_array(told.wanted).tolist() == [5, 6, 7]
    other = served.say((*A[:8], 1, 2), talk="main")
    assert causes(other) == [("new", 2)]
    assert as_array(other.there).tolist()[:4] == [18, 19, 20, 21], "what the cache has where the prompt has 1 2"
    assert (other.left, as_array(other.held).tolist()[:2]) == (8, [18, 19]), "it leaves its conversation there"


def test_the_last_token_is_always_computed() -> None:
    """A prompt that is there as a whole, with pages of one token and of four."""
    for cache, lost in ((RadixCache(40), []), (RadixCache(40, page_size=4), [("rounding", 3)])):
        served = Served(cache)
        served.say(A, REPLY)
        assert causes(served.say(A, REPLY)) == [*lost, ("last-token", 1)]


def test_only_whole_pages_are_reused() -> None:
    """Tokens of a page that is shared in part, and those of a page that was never filled."""
    served = Served(RadixCache(40, page_size=4))
    served.say(A, (1, 2, 3, 4, 5))
    assert causes(served.say((*A[:6], 1, 2))) == [("rounding", 2), ("new", 2)]
    served.say((7, 7, 7, 7, 8, 8), (9,))
    told = served.say((7, 7, 7, 7, 8, 8, 1, 1))
    assert causes(told) == [("rounding", 2), ("new", 2)], "8 8 were computed, and filled no page"


@pytest.mark.parametrize("policy", ["lru", "lfu", "fifo"])
def test_what_was_evicted_says_when_for_whom_and_by_which_rule(policy: str) -> None:
    served = Served(RadixCache(40, policy=policy))
    served.say(A, REPLY, "main")
    served.say(STRANGER, talk="recipes")
    served.say((1, 2), talk="recipes")
    told = served.say((*A, *REPLY, 5), talk="main")
    assert causes(told) == [("evicted", 18), ("new", 1)]
    went = told.causes[0].removal
    assert went is not None
    assert (went.step, went.why, went.order, went.age, went.asked) == (2, policy, 0, 1, 8)
    assert went.askers == (Asker(2, "recipes"),) and not went.trimmed
    assert told.gone == told.wanted, "the same tokens had stood there"


def test_the_end_of_a_leaf_that_was_trimmed() -> None:
    served = Served(RadixCache(40, unit="page"))
    served.say(A, REPLY)
    served.say(STRANGER)  # with its reply 31 tokens: 9 of the 18 must go
    told = served.say((*A, *REPLY))
    assert causes(told) == [("evicted", 9)]
    assert told.reused == 9 and told.causes[0].removal is not None and told.causes[0].removal.trimmed


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda engine: engine.cache.evict(99), "asked"),
        (lambda engine: engine.resize(8), "shrunk"),
        (lambda engine: engine.cache.reset(), "cleared"),
    ],
)
@pytest.mark.parametrize("make", [lambda: RadixCache(40), lambda: HashBlockCache(40, block_size=4)])
def test_what_went_by_hand_went_for_nobody(
    act: Callable[..., object], why: str, make: Callable[[], PrefixCache]
) -> None:
    """/evict, /capacity and /reset."""
    served = Served(make())
    served.say(A, REPLY)
    act(served.engine)
    served.engine.publish()
    if why == "shrunk":
        served.engine.resize(40)
    told = served.say((*A, 1))
    went = next(cause.removal for cause in told.causes if cause.reason is Reason.EVICTED)
    assert went is not None and (went.step, went.why, went.askers) == (1, why, ())


def test_the_last_sequence_goes_when_another_comes() -> None:
    """As simple chat programs do: the switch to another conversation costs the way back."""
    served = Served(LastSequence(100), "last")
    served.say(A, REPLY, "main")
    served.say((*A[:4], 1), talk="side")
    told = served.say((*A, *REPLY), talk="main")
    assert causes(told) == [("evicted", 14)]
    went = told.causes[0].removal
    assert went is not None and (went.why, went.step, went.askers) == ("not last", 2, (Asker(2, "side"),))


def test_all_at_once() -> None:
    """transformers gives up every block that nobody holds, as soon as one is wanted."""
    served = Served(blocks("hf-cb"))
    served.say(A, REPLY, "main")
    served.say((50, 51, 52, 53), talk="small")
    served.say(STRANGER, talk="recipes")
    for prompt, lost in (((50, 51, 52, 53, 1), 4), ((*A, 1), 12)):
        told = served.whys.of_request(3) if not lost else served.say(prompt)
        cause = next(cause for cause in told.causes if cause.reason is Reason.EVICTED)
        assert cause.removal is not None
        assert (cause.tokens, cause.removal.why, cause.removal.askers) == (lost, "all", (Asker(3, "recipes"),))


def test_without_a_cache_nothing_else_is_said() -> None:
    served = Served(NoCache(100), "none")
    served.say(A)
    told = served.say(A)
    assert causes(told) == [("no-cache", 12)] and told.known == 0


@pytest.mark.parametrize("make", [lambda: RadixCache(60), *(lambda name=name: blocks(name, 80) for name in SMALL)])
def test_another_namespace_holds_it(make: Callable[[], PrefixCache]) -> None:
    served = Served(make())
    served.say(A, (77,), namespace="blue")
    told = served.say((*A, 1), (78,))
    assert causes(told) == [("namespace", 12), ("new", 1)] and told.causes[0].namespace == "blue"
    back = served.say((*A, 2), namespace="green")
    assert causes(back) == [("namespace", 12), ("new", 1)] and back.causes[0].namespace in ("", "blue")


def test_the_same_text_in_other_tokens() -> None:
    """1011 spells what 10 and 11 spell... and where one begins like the other, it is simply other text."""
    served = Served(RadixCache(60))
    served.say((1, 2, 3, 10_011, 12, 13), REPLY)
    told = served.say((1, 2, 3, 10, 11, 12, 13, 99))
    assert causes(told) == [("retokenised", 4), ("new", 1)]
    assert told.at == 3 and as_array(told.there).tolist()[0] == 10_011
    assert causes(served.say((1, 2, 3, 10, 12))) == [("new", 1)], "10 is there by now, and 12 is no end of 10011"


def test_the_scheduler_lets_nobody_compute_what_another_one_does() -> None:
    """So in a chat nothing is in flight elsewhere."""
    served = Served(RadixCache(100))
    first, second = asks((*A, 1), (5,), talk="a"), asks((*A, 2), (6,), talk="b")
    told = served.ask(first, second)
    assert causes(told) == [("new", 1)], "the scheduler lets the second one wait for what they share"


def by_hand(cache: PrefixCache, preset: str = "") -> Whys:
    """Two requests with the same prompt that begin before either has computed anything, without a scheduler."""
    recording = Recording(Header(cache.config, cache="hash" if preset else "radix"))

    def take(*more: ev.Event) -> None:
        recording.events += [*more, *cache.take_events()]

    cache.new_step()
    take()
    leases = []
    for number in (1, 2):
        lease = cache.begin(A)
        take(ev.RequestStarted(number, f"talk {number}", 12, lease.computed, lease.computed))
        cache.extend(lease, 12 - len(lease))
        take()
        leases.append(lease)
    for lease in leases:
        cache.commit(lease, A[lease.computed :])
        take()
    for number, lease in enumerate(leases, start=1):
        cache.finish(lease)
        take()
        take(ev.RequestFinished(number, "stop", 12, 0, 0, 12, 0, (), 0, 0))
    return Whys(recording)


@pytest.mark.parametrize("preset", ["", *SMALL])
def test_in_flight_elsewhere(preset: str) -> None:
    """Who comes second computes again what the first one has begun to compute: that is not new."""
    whys = by_hand(blocks(preset) if preset else RadixCache(48), preset)
    assert causes(whys.of_request(1)) == [("new", 12)]
    second = whys.of_request(2)
    assert second.tokens(Reason.IN_FLIGHT) == 12 and second.at == 0


def test_v0_split_hashes_an_answer_otherwise_than_a_prompt() -> None:
    """So a conversation finds its old prompts, and never its old answers."""
    prompt, answer = A[:8], (*REPLY, 106, 107)
    lost = {}
    for preset in ("vllm-0.4.2", "vllm-0.6.3", "vllm-0.33"):
        served = Served(blocks(preset, 96))
        served.say(prompt, answer)
        told = served.say((*prompt, *answer, 5, 6, 7))
        lost[preset] = dict(causes(told))
        assert told.at >= 15
    assert lost["vllm-0.6.3"]["hash"] == 8
    assert "hash" not in lost["vllm-0.4.2"] and "hash" not in lost["vllm-0.33"]


def test_v0_forgets_to_mark_the_last_full_block() -> None:
    """One short in 0.4.2 and 0.5.4; right in 0.6.3."""
    for preset, unmarked in (("vllm-0.4.2", 4), ("vllm-0.5.4", 4), ("vllm-0.6.3", 0)):
        served = Served(blocks(preset))
        served.say(A)
        told = served.say((*A, 1, 2, 3, 4))
        assert told.tokens(Reason.UNMARKED) == unmarked, preset


def test_a_block_behind_one_that_went() -> None:
    """The evictor of v0 may take a block from the middle of a chain; what stands behind it is of no use."""
    served = Served(blocks("vllm-0.6.3", 32))
    served.say((1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9), (1,))
    served.say((1, 2, 3, 4, 40, 41, 42, 43, 44), (1,))
    seen = set()
    for number in range(12):
        served.say(tuple(range(300 + 9 * number, 309 + 9 * number)), (1,))
        seen |= {cause.reason for cause in served.say((1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, number)).causes}
    assert seen <= {Reason.NEW, Reason.EVICTED, Reason.BEHIND, Reason.LAST, Reason.ROUNDING, Reason.UNMARKED}


@pytest.mark.parametrize("preset", V0)
def test_a_block_is_written_over_by_the_next_request_that_has_it(preset: str) -> None:
    """Of two with one prompt the first fills their last block, under the prompt's hash; a third one finds it again."""
    served = Served(blocks(preset, 96))
    prompt = A[:7]
    served.ask(asks(prompt, (40, 41, 42)), asks(prompt, (50, 51, 52)))
    served.say(prompt, (60, 61))
    told = served.say((*prompt, 40, 5))
    assert told.at == 7 and as_array(told.there).tolist()[0] == 60
    went = next(cause.removal for cause in told.causes if cause.reason is Reason.EVICTED)
    assert went is not None and (went.step, went.why, went.askers) == (2, "written over", ())


def test_two_copies_of_a_block_are_lost_when_both_are() -> None:
    """V1 keeps duplicates; while one stays nothing is lost."""
    whys = by_hand(blocks("vllm-0.33", 96), "vllm-0.33")
    whys.past.read_on()
    lives = whys.past.ever.along("", whys.past.requests[1].key)
    assert all(life.gone < 0 for stretch in lives for life in stretch.run.lives)


def test_samples_go_on_from_the_prompt_of_the_first() -> None:
    """Nothing is computed again but what fills no page."""
    for cache, lost in ((RadixCache(60), []), (RadixCache(60, page_size=4), [("rounding", 2)])):
        served = Served(cache)
        served.ask(asks((*A, 1, 2), (5, 6), (7, 8)))
        assert causes(served.whys.of_request(2)) == lost


def test_a_request_that_was_refused_is_not_made_up() -> None:
    """Its tokens stand nowhere: that is said, and the sum is right."""
    recording = Recording(Header(RadixCache(40).config))
    recording.events += [
        ev.StepOpened(1), ev.RequestStarted(1, "main", 9, 0, 0), ev.Matched(0, 0, 0, 0, 1, True),
    ]  # fmt: skip
    told = why(recording, request=1)
    assert causes(told) == [("unknown", 9)] and told.known == 0


def test_steps_and_requests_that_are_not_there() -> None:
    served = Served(RadixCache(40))
    with pytest.raises(NoStep, match="there is no step 3"):
        served.whys.of_step(3)
    served.ask(asks(A, (1,)), asks((1, 2), (1,)))
    served.engine.cache.new_step()
    served.engine.publish()
    assert [told.asker.request for told in served.whys.of_step(1)] == [1, 2]
    assert served.whys.of_step(2) == ()
    with pytest.raises(NoStep, match="there is no request 7") as caught:
        served.whys.of_request(7)
    assert caught.value.fix == "It has the requests 1 to 2."


def test_a_damaged_recording_says_so() -> None:
    recording = Recording(Header(RadixCache(40).config))
    recording.events += [ev.StepOpened(1), ev.Evicted(7, 3, "lru", 0, 1, 3)]
    with pytest.raises(RecordingError, match=r"event 1 \(Evicted\) does not fit"):
        Whys(recording).of_step(1)


def test_an_answer_costs_the_events_since_the_last() -> None:
    """The index reads each event once, however often it is asked."""
    served = Served(RadixCache(4000))
    history: Tokens = A
    for turn in range(30):
        history = (*history, *REPLY, turn)
        served.say(history, REPLY)
    assert served.whys.past._read == len(served.recording.events)
    runs = list(served.whys.past.ever._all())
    assert len(runs) < 150, "a turn is a few runs, not a run for each token"


# -- random traffic ------------------------------------------------------------------------------------------------

Recipe = tuple[int, int, list[int]]
recipes = st.tuples(st.integers(0, 15), st.integers(0, 24), st.lists(st.integers(1, 3), max_size=5))
replies = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=6), min_size=1, max_size=2)
requests = st.tuples(recipes, replies, st.sampled_from(["", "a", "b"]), st.sampled_from(["", "", "", "blue"]))
batches = st.lists(requests, min_size=1, max_size=3)
acts = st.one_of(batches, batches, batches, st.integers(1, 12), st.sampled_from(["reset", "shrink", "grow"]))

CACHES: dict[str, Callable[[], PrefixCache]] = {
    "radix": lambda: RadixCache(32),
    "radix-4": lambda: RadixCache(32, page_size=4),
    "radix-page": lambda: RadixCache(32, page_size=2, unit="page", split_recency="prefix"),
    "last": lambda: LastSequence(32),
    "none": lambda: NoCache(32),
    **{name: lambda name=name: blocks(name) for name in SMALL},  # type: ignore[misc]
}


@pytest.mark.parametrize("name", CACHES)
@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(traffic=st.lists(acts, min_size=4, max_size=14))
def test_every_token_is_accounted_for(name: str, traffic: list[object]) -> None:
    """Against what snapshots show: evicted is what was there and is not; new is what never was."""
    cache = CACHES[name]()
    served = Served(cache, name if name in ("last", "none") else "hash" if name in PRESETS else "radix")
    history: list[Tokens] = [(1, 2, 3, 1, 2, 3, 4, 5)]
    served.try_to_ask(asks(history[0], (1,)))
    for act in traffic:
        match act:
            case list():
                served.try_to_ask(*[_ask(request, history) for request in act])
            case int():
                cache.evict(act)
            case "reset":
                cache.reset()
            case _:
                served.engine.resize(16 if act == "shrink" else 48)
        served.engine.publish()
        served.recorder.flush()
    witness, at_once = Witness(served.recording), Whys(served.recording)
    assert served.whys.last() is not None and [*served.whys.past.requests] == [*witness.at], "all of them are checked"
    for number in witness.at:
        told = served.whys.of_request(number)
        assert told == at_once.of_request(number), "an index that grew says what a fresh one says"
        _check(told, *served.prompts[number], *witness.at[number], partial=name in V0)


def _ask(request: tuple[Recipe, list[list[int]], str, str], history: list[Tokens]) -> object:
    (which, kept, more), answers, talk, namespace = request
    prompt = ((*history[which % len(history)][:kept], *more) or (1,))[:28]
    history.append((*prompt, *answers[0]))
    return asks(prompt, *answers, talk=talk, namespace=namespace)


def _check(told: Why, namespace: str, prompt: Tokens, now: set[object], ever: set[object], *, partial: bool) -> None:
    assert sum(part.tokens for part in told.parts) == told.prompt - told.reused
    if told.known == len(prompt):
        held = next((at for at in range(len(prompt)) if (namespace, prompt[: at + 1]) not in now), len(prompt))
        assert told.at == held
    at = told.reused
    last = (told.prompt - 1) // 4 * 4 if partial else told.prompt - 1  # v0 finds partial blocks
    for part in told.parts:
        assert part.start == at
        for place in range(at, at + part.tokens):
            prefix = prompt[: place + 1]
            was, is_ = (namespace, prefix) in ever, (namespace, prefix) in now
            match part.reason:
                case Reason.EVICTED:
                    assert was and not is_, f"{prefix} was never there, or still is"
                case Reason.NEW | Reason.RETOKENISED:
                    assert not was, f"{prefix} was there"
                case Reason.NAMESPACE:
                    assert not was and (part.namespace, prefix) in now
                case Reason.IN_FLIGHT:
                    assert not is_
                case Reason.HASH | Reason.UNMARKED | Reason.BEHIND | Reason.LAST:
                    assert is_ or place >= last
        at += part.tokens
