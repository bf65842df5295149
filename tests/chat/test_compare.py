"""Caches side by side: the numbers are those of the event logs, and every difference has its causes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from radixchat.chat import commands
from radixchat.chat.chat import Chat
from radixchat.chat.compare.contest import USUAL, Arm, Contest, Entrant, Row, entrants
from radixchat.chat.compare.losses import losses, so_far
from radixchat.chat.compare.page import page
from radixchat.chat.compare.run import Wanted, contest_of, place_of
from radixchat.chat.compare.served import Script, Step
from radixchat.chat.compare.sources import of_conversation, of_lesson, of_recording, open_script
from radixchat.chat.compare.words import as_json
from radixchat.chat.engine import Engine, SamplingParams
from radixchat.chat.engine.engine import CACHES, Ask
from radixchat.chat.errors import UsageError, UserError
from radixchat.chat.lessons.loading import load_lesson, shipped
from radixchat.chat.lessons.running import Stage
from radixchat.radix import PRESETS, BlockState, CacheConfig, RadixCache, TreeState
from radixchat.radix import events as ev
from radixchat.radix.keys import as_array, count
from radixchat.radix.recording import Header, Recorder, load
from radixchat.radix.why import Reason
from radixchat.viz.picture import Look

from ..engine.fake import FakeRunner, FakeTokenizer
from .scripted import scripted_engine

SMALL = [name for name, rules in PRESETS.items() if rules.multiple == 1]


def contest(lesson: str, *presets: str, block_size: int | None = 4, **more: object) -> Contest:
    return contest_of(open_script(lesson)[0], Wanted(presets=presets, block_size=block_size, **more))


# -- the numbers ---------------------------------------------------------------------------------------------------


def counted(arm: Arm) -> Iterator[dict[str, int]]:
    """Adds up the events of each step, in another way than the comparison does."""
    state = BlockState(arm.entrant.config) if arm.entrant.config.preset else TreeState(arm.entrant.config)
    sums: dict[str, int] = {}
    for event in arm.recording.events:
        if isinstance(event, ev.StepOpened):
            if sums:
                yield sums
            sums = dict.fromkeys(("reused", "prefilled", "evicted", "resident"), 0)
        if isinstance(event, ev.BlocksEvicted) and event.why != "discarded":
            sums["evicted"] += sum(
                count(state.nodes[number].key) for number in event.blocks if state.nodes[number].inside
            )
        state.apply(event)
        if isinstance(event, ev.Evicted | ev.Trimmed) and event.why != "discarded":
            sums["evicted"] += event.tokens
        elif isinstance(event, ev.RequestFinished):
            sums["reused"] += event.reused
            sums["prefilled"] += event.prefilled
        sums["resident"] = state.freeze().resident
    yield sums


@pytest.mark.parametrize("lesson", shipped())
def test_the_numbers_are_those_of_the_event_logs(lesson: str) -> None:
    """Of every cache in every step of every lesson."""
    every = contest(lesson, *SMALL)
    for arm in every.arms:
        for row, sums in zip(arm.rows, counted(arm), strict=True):
            assert {name: getattr(row, name) for name in sums} == sums


@pytest.mark.parametrize("lesson", shipped())
@pytest.mark.parametrize("block_size", [4, 16])
def test_every_difference_is_explained_to_the_token(lesson: str, block_size: int) -> None:
    """In each step and in all; nothing is left that has no cause."""
    every = contest(lesson, *SMALL, block_size=block_size)
    tree = every.arms[0]
    for at, arm in enumerate(every.arms[1:], start=1):
        if arm.failures:  # what does not fit is said, and explains nothing
            continue
        for place in range(len(every.steps)):
            for found, mine, other in (
                (losses(every, place, at), arm.rows[place], tree.rows[place]),
                (so_far(every, place, at), arm.total(place), tree.total(place)),
            ):
                assert sum(loss.tokens if loss.own else -loss.tokens for loss in found) == other.reused - mine.reused
                assert not {loss.reason for loss in found} & {Reason.UNKNOWN, Reason.NEW}, (arm.entrant, place, found)


def test_the_tree_of_a_comparison_is_the_lessons_own() -> None:
    """Fed with prompts and replies, it does what it did."""
    for name in shipped():
        lesson = load_lesson(name)
        if lesson.cache.kind != "radix":
            continue
        run = Stage(lesson).run()
        arm = Contest(of_lesson(run), entrants(of_lesson(run), ["radix"], (), None, None)).arms[0]
        for step, row, end in zip(run.steps, arm.rows, arm.ends, strict=True):
            assert (row.reused, row.prefilled) == (step.sums.reused, step.sums.prefilled)
            assert arm.recording.at(end).resident == run.recording.at(step.end).resident


def test_the_multi_turn_lesson_in_four_caches() -> None:
    """The same numbers as the lesson's arms have."""
    radix, blocks, last, none = contest("multi-turn", block_size=None).arms
    assert [arm.total(6).reused for arm in (radix, blocks, last, none)] == [298, 256, 198, 0]
    assert [arm.entrant.name for arm in (radix, blocks, last, none)] == ["radix", "hash-vllm-0.33", "last", "none"]
    assert blocks.entrant.config == CacheConfig(592, page_size=16, preset="vllm-0.33")


# -- causes --------------------------------------------------------------------------------------------------------

TEXT = "abcdefghijklmnopqrstuvwxyz"


def script(*talk: tuple[str, str], config: CacheConfig | None = None) -> Script:
    """Prompts and replies, a step each; letters are tokens."""
    steps = [
        Step(number, "", (_served(prompt, reply),)) for number, (prompt, reply) in enumerate(talk, start=1)
    ]  # fmt: skip
    return Script("letters", tuple(steps), config or CacheConfig(64), lambda token: bytes([token]))


def _served(prompt: str, *replies: str):
    from radixchat.chat.compare.served import Served

    return Served(_ids(prompt), tuple(map(_ids, replies)))


def _ids(text: str):
    import numpy as np

    return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int32)


def against_the_tree(found: Script, preset: str, step: int = 2, **more: object) -> dict[tuple[str, bool], int]:
    every = contest_of(found, Wanted(("radix", "hash"), (preset,), 4, **more))
    return {(str(loss.reason), loss.own): loss.tokens for loss in losses(every, step - 1, 1)}


def test_rounding_and_the_last_token_rule_are_told_apart() -> None:
    """A last block that is full and there is computed for its last token; one that is not full is rounding."""
    rounded = script((TEXT[:10], ""), (TEXT[:10] + "X", ""))
    assert against_the_tree(rounded, "vllm-0.33") == {("rounding", True): 2}
    aligned = script((TEXT[:12], ""), (TEXT[:12], ""))
    assert against_the_tree(aligned, "vllm-0.33") == {("last-token", True): 3}
    within = script((TEXT[:10], ""), (TEXT[:10], ""))
    assert against_the_tree(within, "vllm-0.33") == {("rounding", True): 1}


def test_the_answer_is_found_again_or_not() -> None:
    """vllm-0.4.2 hashes the joined tokens, the next release prompt and output apart."""
    talk = script((TEXT[:10], TEXT[10:18]), (TEXT[:18] + "XYZAB", ""))
    assert against_the_tree(talk, "vllm-0.4.2")[("unmarked", True)] == 4
    assert ("hash", True) not in against_the_tree(talk, "vllm-0.4.2")
    for preset in ("vllm-0.5.4", "vllm-0.6.3"):
        assert against_the_tree(talk, preset)[("hash", True)] == 8
    assert against_the_tree(talk, "vllm-0.11") == {("rounding", True): 2}


def test_other_victims_are_named() -> None:
    """Which prefix, when and by which rule; what the tree lost and hash blocks kept counts for them."""
    first, second = TEXT[:8], TEXT[8:16]
    talk = ((first, ""), (second, ""), (first, ""), ("WXYZWXYZ", ""))
    every = contest_of(script(*talk, (first + "!", "")), Wanted(("radix", "hash"), ("hf-cb",), 4, 20))
    gone = next(loss for loss in losses(every, 4, 1) if loss.reason is Reason.EVICTED)
    assert gone.own and gone.tokens == 8 and as_array(gone.key).tolist() == _ids(first).tolist()
    assert gone.removal is not None and (gone.removal.step, gone.removal.why) == (4, "all")
    lines = [line.plain for line in page(every, 4, width=100, look=Look(colour=False))]
    assert "  8 tok: evicted in step 4 with all that nobody holds: “abcdefgh”" in lines
    every = contest_of(script(*talk, (second + "!", "")), Wanted(("radix", "hash"), ("vllm-0.33",), 4, 20))
    assert [(loss.reason, loss.tokens, loss.own) for loss in losses(every, 4, 1)] == [(Reason.EVICTED, 4, False)]
    lines = [line.plain for line in page(every, 4, width=100, look=Look(colour=False))]
    assert "  4 tok: lost by the radix tree: evicted in step 4 by lru: “ijkl”" in lines


def test_what_does_not_fit_is_said_and_the_others_go_on() -> None:
    """A pool of whole blocks may be too small where a tree's is not."""
    talk = script((TEXT[:7], ""), (TEXT[:7], "XY"), config=CacheConfig(10))
    every = contest_of(talk, Wanted(("radix", "hash", "none"), (), 8))
    assert every.arms[0].failures == [] and [place for place, _ in every.arms[1].failures] == [1]
    lines = [line.plain for line in page(every, 1, width=100, look=Look(colour=False))]
    assert any(line.startswith("  did not fit: ") for line in lines)


def test_what_one_of_two_refused_is_not_made_up() -> None:
    """A pool of 8 tokens in blocks refuses what a tree of 10 reuses: nobody retracted anything."""
    talk = script((TEXT[:9], ""), (TEXT[:9], ""), config=CacheConfig(10))
    every = contest_of(talk, Wanted(("radix", "hash"), (), 4))
    assert [place for place, _ in every.arms[1].failures] == [0, 1]
    assert [(loss.reason, loss.tokens, loss.own) for loss in losses(every, 1, 1)] == [(Reason.UNKNOWN, 8, True)]
    lines = [line.plain for line in page(every, 1, width=100, look=Look(colour=False))]
    assert "  8 tok: not told by the recordings, one of the two refused a request" in lines


def two_requests(arm: Arm, *, gives_way: bool, said: bool) -> None:
    """Writes down two requests with one prompt of 12 tokens; the first computes 4 and begins again after the second."""
    cache, events = RadixCache(48), arm.recording.events
    prompt = list(range(12))

    def serve(upto: int, request: int = 0) -> int:
        """One lease; returns what it found."""
        lease = cache.begin(prompt)
        found = lease.computed
        events.extend([*opened, ev.RequestStarted(request, "", 12, found, found)] if request else [])
        cache.extend(lease, upto - len(lease))
        cache.commit(lease, prompt[found:upto])
        cache.finish(lease)
        events.extend(cache.take_events())
        opened.clear()
        return found

    cache.new_step()
    opened = cache.take_events()
    serve(4 if gives_way else 12, 1)
    events.extend([ev.RequestRetracted(1)] if gives_way and said else [])
    reused = [0, serve(12, 2)]
    if gives_way:
        reused[0] = serve(12) - 4  # what it computed itself counts as prefilled
    for request, tokens in enumerate(reused, start=1):
        events.append(ev.RequestFinished(request, "stop", 12, tokens, tokens, 12 - tokens, 0, (), 0, 0))
    arm.ends.append(len(events))
    arm.rows.append(Row(24, sum(reused), sum(reused), 24 - sum(reused)))


@pytest.mark.parametrize("said", [True, False])
def test_only_what_was_retracted_is_called_so(said: bool) -> None:
    """A recording that does not say so leaves the difference open."""
    every = Contest(script(), [Entrant("radix", CacheConfig(48))] * 2)
    for arm, gives_way in zip(every.arms, (False, True), strict=True):
        two_requests(arm, gives_way=gives_way, said=said)
    assert [arm.rows[0].reused for arm in every.arms] == [11, 11]
    found = losses(every, 0, 1)
    assert sum(loss.tokens if loss.own else -loss.tokens for loss in found) == 0
    assert {str(loss.reason) for loss in found if not loss.own} == {"retracted" if said else "unknown"}


def test_samples_and_requests_side_by_side() -> None:
    """In one step; each cache serves all of them."""
    step = Step(1, "", (_served(TEXT[:9], "one", "two"), _served(TEXT[:9] + "!", "three")))
    found = Script("letters", (step, step._replace(number=2)), CacheConfig(100), lambda token: bytes([token]))
    every = contest_of(found, Wanted(block_size=4, presets=("vllm-0.6.3", "vllm-0.33")))
    for at, arm in enumerate(every.arms):
        assert arm.rows[1].prompt == 9 + 9 + 10 and not arm.failures
        if at:
            assert sum(loss.tokens if loss.own else -loss.tokens for loss in losses(every, 1, at)) == (
                every.arms[0].rows[1].reused - arm.rows[1].reused
            )


def test_a_capacity_that_is_asked_for_holds() -> None:
    """Against what the script would change, too."""
    shrinking = script((TEXT[:8], ""), (TEXT[8:16], ""))
    changed = Script("x", (shrinking.steps[0], shrinking.steps[1]._replace(capacity=9)), CacheConfig(64), bytes)
    own, asked = (contest_of(changed, Wanted(("radix", "hash"), (), 4, capacity)) for capacity in (None, 40))
    assert [arm.panel(1).capacity for arm in own.arms] == [9, 8]
    assert [arm.panel(1).capacity for arm in asked.arms] == [40, 40]
    assert own.arms[0].rows[1].evicted and not asked.arms[0].rows[1].evicted


# -- where scripts come from ---------------------------------------------------------------------------------------


def test_a_recording_is_served_again(tmp_path: Path) -> None:
    """Of a tree or of hash blocks; with samples, requests side by side, a resize, a reset."""
    for cache, rules in (
        ("radix", {}),
        ("hash", {"block_size": 4}),
        ("hash", {"preset": "vllm-0.4.2", "block_size": 4}),
    ):
        engine = Engine.load("words", cache=cache, capacity=400, **rules)
        file = (tmp_path / "r.jsonl").open("w", encoding="utf-8")
        recorder = Recorder(Header(engine.cache.config, cache, "words", "words"), engine.tokenizer.token_bytes, file)
        engine.listeners.append(recorder.add)
        prompts = [
            engine.tokenizer.encode(text) for text in ("a b c d e f g h i", "a b c d e x y z 1 2 3", "q r s t u v")
        ]
        one, two = engine.tokenizer.encode("k l m n o"), engine.tokenizer.encode("K L M")
        engine.run([Ask(prompt=prompts[0], forced=(one,), conversation="first")])
        engine.resize(200)
        engine.run([Ask(prompt=prompts[1], forced=(one,)), Ask(prompt=prompts[2], forced=(two,))])
        engine.cache.reset()
        engine.publish()
        engine.run([Ask(prompt=prompts[0], forced=(one,), namespace="other")])
        recorder.flush()
        file.close()
        found = of_recording(load(tmp_path / "r.jsonl"), "r")
        assert [len(step.requests) for step in found.steps] == [1, 2, 1]
        served = [one for step in found.steps for one in step.requests]
        assert [one.prompt.tolist() for one in served] == [prompts[at].tolist() for at in (0, 1, 2, 0)]
        assert [[reply.tolist() for reply in one.replies] for one in served] == [
            [one.tolist()], [one.tolist()], [two.tolist()], [one.tolist()]
        ]  # fmt: skip
        assert [step.capacity for step in found.steps] == [None, 200, None]
        assert [step.cleared for step in found.steps] == [False, False, True]
        assert [one.namespace for one in served] == ["", "", "", "other"]
        again = Contest(found, [Entrant(cache, engine.cache.config)])
        finished = [event for event in recorder.recording.events if isinstance(event, ev.RequestFinished)]
        assert [sum(row.reused for row in again.arms[0].rows)] == [sum(event.reused for event in finished)]


def test_samples_of_a_recording_are_served_as_samples() -> None:
    """With all that each of them said, but for the last token, which has no K/V."""
    for cache, rules in (("radix", {}), ("hash", {"block_size": 4})):
        prefix_cache = CACHES[cache](200, **rules)
        engine = Engine(FakeRunner(prefix_cache.highest_slot), prefix_cache, FakeTokenizer(), cache_name=cache)
        recorder = Recorder(Header(prefix_cache.config, cache, "fake"), engine.tokenizer.token_bytes)
        engine.listeners.append(recorder.add)
        params = SamplingParams(temperature=1, seed=1, n=3, max_tokens=7, ignore_eos=True)
        done = engine.run([Ask(prompt=list(range(1, 10)), params=params)])
        recorder.flush()
        (request,) = of_recording(recorder.recording, "it").steps[0].requests
        assert request.prompt.tolist() == list(range(1, 10))
        assert [tuple(reply.tolist()) for reply in request.replies] == [one.token_ids[:-1] for one in done]


def two_turns(**rules: object) -> Chat:
    engine = scripted_engine("One and two and three.", "Four.", "Five.", **rules)
    chat = Chat(lambda model: engine, keep=False)
    list(chat.send("Hello there!"))
    list(chat.send("And now?"))
    return chat


def test_a_recorded_chat_and_its_conversation_say_the_same() -> None:
    """Whichever of them is compared; the last token of a reply has no K/V in either."""
    for rules in ({}, {"cache": "hash", "block_size": 4}, {"cache": "hash", "preset": "vllm-0.6.3", "block_size": 4}):
        chat = two_turns(**rules)
        chat.journal.recorder.flush()
        taken = of_recording(chat.journal.recording, "it")
        told = of_conversation(chat.current, chat.engine.cache.config, chat.engine.tokenizer.token_bytes)
        assert [step.title for step in told.steps] == ["Hello there!", "And now?"]
        for one, other in zip(taken.steps, told.steps, strict=True):
            assert one.requests[0].prompt.tolist() == other.requests[0].prompt.tolist()
            assert one.requests[0].replies[0].tolist() == other.requests[0].replies[0].tolist()
        radix = contest_of(told, Wanted(("radix",))).arms[0]
        if not rules:
            finished = [event for event in chat.journal.recording.events if isinstance(event, ev.RequestFinished)]
            assert [row.reused for row in radix.rows] == [event.reused for event in finished]


def test_a_recording_that_tells_no_tokens_is_refused() -> None:
    """As one without a cache is."""
    chat = two_turns(cache="none")
    chat.journal.recorder.flush()
    with pytest.raises(UserError, match="tells the tokens of no request"):
        of_recording(chat.journal.recording, "it")


# -- what is asked for ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(("radix", "tree")), ("no cache 'tree'", "radix,hash,last,none")),
        (Wanted(()), ("no cache is named",)),
        (Wanted(presets=("vllm",)), ("no preset 'vllm'", "vllm-0.4.2, ")),
        (Wanted(presets=("nano-vllm",), block_size=4), ("multiples of 256",)),
        (Wanted(presets=("nano-vllm",), capacity=100), ("capacity 100 holds no", "256")),
    ],
)
def test_what_is_not_possible_is_refused(wanted: Wanted, words: tuple[str, ...]) -> None:
    """In two lines."""
    with pytest.raises(UsageError) as raised:
        contest_of(script((TEXT, "")), wanted)
    for word in words:
        assert word in raised.value.what + raised.value.fix


def test_steps_are_chosen_by_their_numbers() -> None:
    """The last one, if nobody says."""
    every = contest_of(script((TEXT, ""), (TEXT, "")), Wanted(("none",)))
    assert (place_of(every, None), place_of(every, 1)) == (1, 0)
    with pytest.raises(UsageError, match="no step 3"):
        place_of(every, 3)


def test_the_same_for_programs() -> None:
    """All steps, with their sums, causes and victims."""
    every = contest("nine-steps", "vllm-0.4.2", "vllm-0.33")
    found = json.loads(json.dumps(as_json(every, range(len(every.steps)))))
    assert [one["name"] for one in found["caches"]] == ["radix", "hash-vllm-0.4.2", "hash-vllm-0.33", "last", "none"]
    last = found["steps"][-1]["caches"]
    for arm in every.arms[1:]:
        mine, tree = last[arm.entrant.name], last["radix"]
        less = sum(each["tokens"] * (1 if each["lost_by"] == "this" else -1) for each in mine["against"]["so_far"])
        assert less == tree["so_far"]["reused"] - mine["so_far"]["reused"]
    assert {each["why"] for each in last["none"]["against"]["step"]} == {"no-cache"}
    assert [each["tokens"] for each in last["radix"]["evicted"]] == [16, 14, 95]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
@pytest.mark.parametrize("ascii", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, ascii: bool) -> None:
    """But for the table, which is never cut."""
    every = contest("nine-steps", "vllm-0.4.2")
    for place in range(len(every.steps)):
        lines = [line.plain.rstrip() for line in page(every, place, width=width, look=Look(colour=False, ascii=ascii))]
        assert not ascii or all(line.isascii() for line in lines)
        wide = [line for line in lines if len(line) > width]
        assert all(line.startswith(("tokens", "step ", "so far ")) for line in wide), wide


# -- in a chat -----------------------------------------------------------------------------------------------------


def test_a_conversation_is_compared_in_a_chat() -> None:
    """Which stays as it is."""
    from .test_plain import Session

    session = Session("One and two and three.", "Four.")
    session.type("Hello there!", "And now?")
    session.said  # noqa: B018 - forgets it
    before = session.chat.snapshot()
    assert session.type("/compare", "/compare vllm-0.4.2", "/compare vllm") == [0, 0, 2]
    said = session.said
    assert "hash vllm-0.33, blocks of 16 · reused" in said and "hash vllm-0.4.2" in said
    assert "no preset 'vllm'" in said and "nothing is ever kept" in said
    assert session.chat.snapshot() == before
    assert commands.complete(session.chat, "/compare hf") == ["/compare hf-cb"]
    assert session.type("/compare vllm-0.33, vllm-0.4.2") == [0] and "main alone, from empty caches" in session.said
    session.type("/new empty", "/compare")
    assert "empty has no turn yet" in session.said


def test_presets_differ_by_their_rules_and_not_by_their_blocks() -> None:
    """What was served with blocks of 4 has them in every release that can."""
    script = of_lesson(Stage(load_lesson("hash-blocks")).run())
    found = entrants(script, ["hash"], ["vllm-0.33", "vllm-0.4.2", "nano-vllm"], None, 600)
    assert [one.config.page_size for one in found] == [4, 4, 256]
    assert [one.config.page_size for one in entrants(script, ["hash"], ["vllm-0.4.2"], 8, 600)] == [8]


def test_the_usual_caches_are_those_that_help_names() -> None:
    """The command line has them as text."""
    from inspect import signature

    from radixchat.chat import cli

    assert signature(cli.compare).parameters["caches"].default == ",".join(USUAL)


# -- the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Runs `radixchat compare …` in a pipe, 96 columns wide; returns exit code, stdout and stderr."""
    from radixchat.chat import cli

    monkeypatch.setenv("RADIXCHAT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "96")

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["radixchat", "compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return call


def test_the_transcript_of_the_documentation(run) -> None:
    """To the character."""
    docs = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")
    command, _, rest = docs.partition("$ radixchat compare ")[2].partition("\n")
    code, out, _ = run(*command.split())
    assert code == 0
    assert out.rstrip() == rest.partition("\n```")[0]


def test_every_cause_is_in_the_documentation() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")
    apart = {Reason.NEW, Reason.RETOKENISED, Reason.REWRITTEN}  # never between two caches that fit
    for reason in set(Reason) - apart:
        assert f"| `{reason}` |" in docs


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nothing",), 1, ("nothing is no lesson", "cannot be read")),
        (("last",), 2, ("no recording yet",)),
        (("multi-turn", "--caches", "radix,tree"), 2, ("no cache 'tree'",)),
        (("multi-turn", "--preset", "vllm"), 2, ("no preset 'vllm'",)),
        (("multi-turn", "--preset", "nano-vllm", "--block-size", "16"), 2, ("multiples of 256",)),
        (("multi-turn", "--capacity", "12"), 2, ("capacity 12 holds no block of 16 tokens",)),
        (("multi-turn", "--step", "9"), 2, ("no step 9", "1 to 8")),
        (("multi-turn", "--capacity", "0"), 2, ("--capacity",)),
        (("multi-turn", "--export", "/dev/null/x"), 2, ("/dev/null/x cannot be made",)),
    ],
)
def test_wrong_input_gets_two_lines(run, arguments, code: int, words) -> None:
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert len(err.splitlines()) == 2
    for word in words:
        assert word in err


def test_pictures_of_both_structures(run, tmp_path: Path) -> None:
    """Of the step that is shown; the text is printed, too."""
    code, out, err = run("multi-turn", "--step", "4", "--export", tmp_path / "new" / "pictures")
    assert code == 0 and "step 4 of 8" in out and err.count("wrote ") == 4
    files = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new" / "pictures").iterdir()}
    assert sorted(files) == ["hash-vllm-0.33.dot", "hash-vllm-0.33.svg", "radix.dot", "radix.svg"]
    assert all(files[name].startswith("<svg") for name in files if name.endswith("svg"))
    assert all("digraph" in files[name] for name in files if name.endswith("dot"))


def test_one_step_for_programs_and_the_list_of_presets(run) -> None:
    code, out, _ = run("nine-steps", "--step", "5", "--json", "--caches", "hash,radix", "--block-size", "4")
    found = json.loads(out)
    assert code == 0 and [step["step"] for step in found["steps"]] == [5]
    assert found["steps"][0]["caches"]["radix"]["against"]["cache"] == "hash-vllm-0.33"
    code, out, _ = run("x", "--preset", "list")
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == list(PRESETS)


# -- with a model behind each cache --------------------------------------------------------------------------------


@pytest.mark.parametrize("presets", [["vllm-0.6.3", "vllm-0.33"]])
def test_every_cache_computes_the_same_text(presets: list[str]) -> None:
    """On the bundled model; what each finds is what it finds when it is fed."""
    pytest.importorskip("torch")
    script, engine = open_script("hash-blocks", "radish", compute=True)
    assert engine is not None
    computed = contest_of(script, Wanted(presets=presets, block_size=4, capacity=400), engine)
    fed = contest_of(script, Wanted(presets=presets, block_size=4, capacity=400))
    for at, (arm, other) in enumerate(zip(computed.arms, fed.arms, strict=True)):
        assert [computed.differs(place, at) for place in range(len(computed.steps))] == [None] * len(computed.steps)
        assert arm.rows == other.rows and not arm.failures
        assert all((time > 0) == bool(step.requests) for time, step in zip(arm.times, computed.steps, strict=True))
    lines = [line.plain for line in page(computed, 6, width=120, look=Look(colour=False))]
    assert any(line.startswith("  the same text, ") for line in lines) and "TTFT" in "".join(lines)
    found = as_json(computed, [6])["steps"][0]["caches"]
    assert all(arm["ttft_ms"] > 0 and arm["same_text"] for arm in found.values())
