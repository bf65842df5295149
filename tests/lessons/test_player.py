"""The player: where it goes, what may be shown, what is asked, and what a what-if leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.chat.errors import UsageError, UserError
from radixchat.chat.lessons.loading import load_lesson
from radixchat.chat.lessons.player import Level, Player, Score
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.runs import Run
from radixchat.chat.lessons.speech import keys, say
from radixchat.radix import events as ev

from .stages import lesson, player, random_run, send

ASK = [{"kind": "matched"}]


def asking(**more: Any) -> Player:
    """Returns a player of three steps; the second one is preceded by two questions, the third by one."""
    return player(
        lesson(
            send("a b c ", "d "),
            send("a b x ", "y ", ask=[{"kind": "matched"}, {"kind": "split", "pick": True}], note="look", pause=True),
            send("a b x ", "z ", ask=ASK, say={"en": "Found {matched}.", "zh": "找到 {matched} 个。"}),
        ),
        **more,
    )


def right(player: Player) -> int:
    assert player.question is not None
    return [choice.right for choice in player.question.choices].index(True)


# -- moving and asking -------------------------------------------------------------------------------------------------


def test_from_the_title_to_the_end() -> None:
    told = asking()
    assert (told.step, told.steps, told.position, told.at_end) == (0, 3, 0, False)
    assert (told.title(), told.narration(), told.line(), told.note()) == ("a lesson", "for a test", "", "")
    told.next()
    assert (told.step, told.title(), told.question) == (1, "step 1", None)
    assert told.position == told.run.steps[0].end == told.limit
    told.next()
    assert told.question is not None and told.question.kind == "matched"
    assert told.step == 1 and told.position == told.limit == told.run.steps[0].end and told.veiled
    assert told.title() == "step 2" and told.narration() == told.question.text and told.note() == "look"
    verdict = told.answer(right(told))
    assert verdict.right and not verdict.because and verdict is told.verdict
    assert told.question is None and told.step == 1 and not told.veiled
    told.next()
    assert told.question is not None and told.question.kind == "split" and told.verdict is None
    wrong = told.answer((right(told) + 1) % len(told.question.choices))
    assert not wrong.right and wrong.because and "“a b c d␣” is cut after token 2" in wrong.text
    told.next()
    assert told.step == 2 and told.pauses and not told.at_end
    told.next()
    assert told.question is not None
    told.next()  # skipped
    assert told.step == 3 and told.at_end and told.narration() == "Found 3."
    assert told.score == Score(right=1, asked=2, skipped=1)
    before = told.position
    told.next()
    assert told.position == before and told.at_end


def test_pick() -> None:
    told = asking()
    told.next()
    told.next()
    with pytest.raises(UsageError, match="not about a node"):
        told.pick(1)
    told.answer(0)
    told.next()
    with pytest.raises(UsageError, match="no node #99"):
        told.pick(99)
    with pytest.raises(UsageError, match="no such answer"):
        told.answer(4)
    assert told.pick(1).right
    with pytest.raises(UsageError, match="no question is open"):
        told.pick(1)


def test_back_never_asks_again_what_was_answered() -> None:
    told = asking()
    told.next()
    told.next()
    told.answer(0)
    told.next()
    assert told.question is not None and told.question.kind == "split"
    told.back()
    assert told.question is None and told.step == 0
    told.next()
    told.next()
    assert told.question is not None and told.question.kind == "split", "matched was answered, split was not"
    assert told.score == Score(1 if told.score.right else 0, 1, 0)


def test_jump_passes_questions_without_counting_them() -> None:
    told = asking()
    told.jump(3)
    assert told.step == 3 and told.question is None and told.score == Score(0, 0, 0)
    assert told.limit == told.run.steps[2].end
    told.jump(1)
    assert told.limit == told.run.steps[2].end, "what was shown may be shown"
    told.next()
    assert told.question is not None and told.limit == told.run.steps[0].end
    told.jump(-5)
    assert told.step == 0
    told.jump(50)
    assert told.step == 3


def test_what_goes_next_is_hidden_before_it_is_asked_for() -> None:
    """At the end of the step before, and at its events; not where nothing more will be asked about it."""
    told = player(load_lesson("nine-steps"))
    hidden = []
    for step in range(1, 10):
        told.jump(step)
        hidden += [step] if told.veiled else []
    assert hidden == [4, 7]
    told.jump(4)
    told.event(-1)
    assert told.veiled and told.question is None
    told.questions = False
    assert not told.veiled
    told.questions = True
    told.jump(4)
    told.next()
    told.answer(0)
    assert told.step == 4 and not told.veiled


def test_no_questions() -> None:
    told = asking(questions=False)
    for _ in range(3):
        told.next()
    assert told.at_end and told.score == Score(0, 0, 0)


def test_events_within_what_is_shown() -> None:
    told = asking(questions=False)
    told.event(1)
    assert told.position == 0, "nothing is shown yet"
    told.jump(2)
    end = told.position
    lines = []
    while told.position:
        lines.append(told.line())
        before = told.position
        told.event(-1)
        assert told.position < before
    assert told.step == 0 and all(lines)
    assert "split “a b c d␣” at token 2: new parent “a b␣”" in lines
    told.event(1)
    assert told.step == 1
    told.event(1000)
    assert told.position == end and told.step == 2
    told.event(-1)
    told.next()
    assert told.position == end and told.step == 2, "next goes to the end of the step first"


def test_an_engineer_sees_locks() -> None:
    intro, engineer = asking(questions=False), asking(questions=False, level="engineer")
    counts = []
    for told in (intro, engineer):
        told.jump(2)
        lines = set()
        while told.position:
            lines.add(told.line())
            told.event(-1)
        counts.append(len(lines))
        assert any(line.startswith("locked") for line in lines) == (told is engineer)
    assert counts[0] < counts[1]
    assert engineer.level is Level.ENGINEER


def test_an_open_question_stays_while_events_are_asked_for() -> None:
    told = asking()
    told.next()
    told.next()
    place = told.position
    for by in (-1, 1, -100):
        told.event(by)
        assert told.position == place and told.question is not None


# -- languages ---------------------------------------------------------------------------------------------------------


def test_a_language_that_is_missing_is_said_once() -> None:
    assert asking().notices == ()
    told = asking(lang="zh")
    assert told.notices == ("本课程没有完整的 zh 版本；缺少的部分用英文",)
    told.jump(3)
    assert told.title() == "step 3" and told.narration() == "找到 3 个。"
    french = asking(lang="fr")
    french.jump(3)
    assert "fr" in french.notices[0] and french.narration() == "Found 3."


def test_the_language_may_change_while_a_question_is_open() -> None:
    told = asking()
    told.next()
    told.next()
    place = right(told)
    told.lang = "zh"
    assert told.narration().startswith("接下来的请求是") and right(told) == place


def test_every_sentence_has_every_language_with_the_same_placeholders() -> None:
    from string import Formatter

    from radixchat.chat.lessons.speech import _TABLE

    for key in keys():
        sentences = _TABLE[key]
        assert len(sentences) == 2 and all(sentences), key
        fields = [{(name, spec) for _, name, spec, _ in Formatter().parse(text) if name} for text in sentences]
        assert fields[0] == fields[1], key
        assert sentences[0] != sentences[1] or key in ("quoted",), key
    assert say("zh", "tokens", n=1200) == "1,200 个 token"
    assert say("fr", "right") == "Right."


# -- what if -----------------------------------------------------------------------------------------------------------


def place(told: Player) -> tuple[Any, ...]:
    return told.step, told.position, told.question, told.limit, told.title(), told.narration()


def test_a_what_if_comes_back_to_the_same_place() -> None:
    told = player(load_lesson("nine-steps"))
    told.jump(4)
    told.next()
    assert told.question is not None and told.question.kind == "victim"
    told.jump(5)
    before, run = place(told), told.run
    evicted = {stone.node for stone in told.snapshot.tombstones}
    assert evicted == {2}
    told.what_if("/capacity 400")
    assert told.in_what_if and told.heading() == "WHAT IF capacity 400" and told.step == 5
    assert told.run is not run and not told.snapshot.tombstones
    told.what_if("/policy mru")
    assert told.heading() == "WHAT IF capacity 400 · policy mru"
    told.next()
    told.restore()
    assert told.run is run and place(told) == before and not told.in_what_if and told.heading() == ""
    told.restore()
    assert place(told) == before


def test_a_what_if_closes_a_question_and_restore_opens_it_again() -> None:
    told = asking()
    told.next()
    told.next()
    before = place(told)
    told.what_if("/capacity 50")
    assert told.question is None and told.step == 1
    told.next()
    assert told.question is not None, "it is asked about this run, too"
    told.restore()
    assert place(told) == before and told.score == Score(0, 0, 0)


def test_a_question_that_is_opened_again_is_told_in_the_language_of_the_moment() -> None:
    told = asking()
    told.next()
    told.next()
    told.what_if("/capacity 50")
    told.lang = "zh"
    told.restore()
    assert told.question is not None and "接下来" in told.question.text


def test_braces_in_a_typed_prompt_are_its_own() -> None:
    told = asking(questions=False)
    told.jump(1)
    told.what_if("what is {prompt}?")
    assert told.title() == "what is {prompt}?"


def test_a_typed_prompt_is_a_step_of_its_own() -> None:
    told = player(load_lesson("nine-steps"), questions=False)
    told.jump(3)
    told.what_if("  What is the time?  ")
    assert told.step == 4 and told.steps == 10 and told.lesson_step == 3
    assert told.title() == "What is the time?"
    assert told.run.steps[3].done[0].conversation == "first", "it goes on where the step was"
    assert told.run.steps[3].done[0].facts.matched_tokens == 91
    told.what_if("And now?")
    assert told.step == 5 and told.steps == 11
    assert told.run.steps[4].done[0].facts.matched_tokens > told.run.steps[3].done[0].facts.matched_tokens
    told.next()
    assert told.lesson_step == 4 and told.title() == "A second conversation"
    told.restore()
    assert told.step == 3 and told.steps == 9


def test_a_typed_prompt_after_a_prompt_stands_as_it_is() -> None:
    told = player(lesson(send("a b ", "c "), send("x ", "y ")))
    told.jump(1)
    told.what_if("a b c d")
    assert told.run.steps[1].done[0].prompt.size == 4
    assert told.run.steps[1].done[0].facts.matched_tokens == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "/capacity",
        "/capacity many",
        "/capacity 0",
        "/capacity -3",
        "/capacity ²",
        "/capacity 99999999999999999999",
        "/capacity 3",
        "/policy",
        "/policy best",
        "/split-recency none",
        "/page-size x",
        "/model radish",
        "/",
        "x" * 10_001,
    ],
)
def test_nonsense_changes_nothing(text: str) -> None:
    told = asking()
    told.next()
    before, run = place(told), told.run
    with pytest.raises(UserError) as caught:
        told.what_if(text)
    assert caught.value.what and caught.value.fix and "\n" not in caught.value.what
    assert place(told) == before and told.run is run and not told.in_what_if


def test_a_prompt_before_the_first_step() -> None:
    with pytest.raises(UsageError, match="nothing was sent yet"):
        asking().what_if("hello")


@pytest.mark.parametrize("text", ["/split-recency prefix", "/page-size 4", "/policy  fifo "])
def test_settings(text: str) -> None:
    told = asking()
    told.next()
    told.what_if(text)
    name, value = text.split()
    assert str(getattr(told.run.config, name.strip("/").replace("-", "_"))) == value


# -- at random ---------------------------------------------------------------------------------------------------------

_MOVES = st.one_of(
    st.tuples(st.sampled_from(["next", "back", "restore"])),
    st.tuples(st.just("jump"), st.integers(-2, 12)),
    st.tuples(st.just("event"), st.integers(-4, 4)),
    st.tuples(st.just("answer"), st.integers(-1, 5)),
    st.tuples(st.just("pick"), st.integers(0, 8)),
    st.tuples(st.just("level"), st.sampled_from(list(Level))),
    st.tuples(st.just("what_if"), st.sampled_from(["/capacity 300", "/policy mru", "a word", "/nonsense"])),
)
_STAGE = Stage(load_lesson("nine-steps"))
_RUN = _STAGE.run()


def consistent(told: Player) -> None:
    """Checks what holds at every moment."""
    run = told.run
    first, ends = run.steps[0].start, [run.steps[0].start, *(step.end for step in run.steps)]
    assert 0 <= told.step <= told.steps == len(run.steps)
    assert first <= told.position <= told.limit <= ends[-1]
    if told.step:
        assert ends[told.step - 1] < told.position <= ends[told.step]
    else:
        assert told.position == first
    if told.question is not None:
        assert told.veiled and told.position == told.limit == ends[told.step]
        assert told.narration() == told.question.text and told.verdict is None
    score = told.score
    assert 0 <= score.right <= score.asked
    assert told.snapshot == run.recording.at(told.position)
    assert isinstance(told.line(), str) and isinstance(told.note(), str) and told.title()
    assert bool(told.heading()) == told.in_what_if


@settings(max_examples=60)
@given(st.lists(_MOVES, max_size=40))
def test_no_sequence_of_moves_leads_astray(moves: list[tuple[Any, ...]]) -> None:
    told = Player(_STAGE, _RUN)
    for move, *values in moves:
        try:
            if move == "level":
                told.level = values[0]
            else:
                getattr(told, move)(*values)
        except UsageError:
            assert move in ("answer", "pick", "what_if")
        consistent(told)


def walk(run: Run, told: Player) -> None:
    forth = [told.snapshot]
    while not told.at_end:
        told.next()
        forth.append(told.snapshot)
    back = [told.snapshot]
    while told.step:
        told.back()
        back.append(told.snapshot)
    assert len(forth) == len(run.steps) + 1
    assert forth == back[::-1]


@pytest.mark.parametrize("seed", range(20))
def test_to_the_end_and_back(seed: int) -> None:
    run = random_run(seed, batches=True)
    if run is None:
        return
    walk(run, Player(Stage(run.lesson), run))
    told = Player(Stage(run.lesson), run, level=Level.ENGINEER)
    told.jump(told.steps)
    events = [told.snapshot]
    while told.position:
        told.event(-1)
        events.append(told.snapshot)
    assert len(events) == len(run.recording.events) + 1
    forth = [told.snapshot]
    while told.position < told.limit:
        told.event(1)
        forth.append(told.snapshot)
    assert forth == events[::-1]


def test_the_line_of_a_step_is_its_own() -> None:
    told = asking(questions=False)
    told.jump(2)
    events = told.run.recording.events[told.run.steps[1].start : told.run.steps[1].end]
    assert isinstance(events[0], ev.StepOpened)
    assert told.line().startswith("request 2 finished")


def test_in_a_what_if_the_narration_is_what_the_run_did() -> None:
    told = player(
        lesson(send("a b ", "c ", say="Nobody is evicted."), send("x y ", "z ", say="All stays."), capacity=20)
    )
    told.jump(2)
    assert told.narration() == "All stays."
    told.what_if("/capacity 4")
    assert "All stays" not in told.narration() and told.narration().startswith("added ")
    assert "evicted " in told.narration() and "free 1 -> 1 tok" in told.narration()
    told.restore()
    assert told.narration() == "All stays."


def test_a_prompt_that_was_typed_says_how_it_was_sent() -> None:
    chat = {"requests": [{"conversation": "one", "user": "Hi", "reply": "Ho"}]}
    told = player(lesson(chat, send("a ", "b ")))
    told.jump(1)
    told.what_if("Well?")
    assert told.narration().startswith("Sent as a message of conversation “one”. No model replies on words")
    told.restore()
    told.jump(2)
    told.what_if("a b c")
    assert told.narration().startswith("Sent as it stands: the step before belongs to no conversation. ")
    assert told.run.steps[-1].sums.generated == 0


def test_a_line_is_told_once_of_a_request() -> None:
    """A prompt that is found whole is matched twice, when it begins and when it is kept."""
    told = player(lesson(send("a b ", "c "), send("a b ", "d "), send("a b ", "e ")))
    for step in told.run.steps:
        lines = [told.tell(position) for position in range(step.start + 1, step.end + 1)]
        matched = [line for line in lines if line and line.startswith("matched")]
        assert len(matched) == 1
    events = [type(event).__name__ for event in told.run.recording.events]
    assert events.count("Matched") > len(told.run.steps), "the cache did it twice"


def test_a_capacity_that_is_too_small_names_one_that_is_not() -> None:
    told = player(lesson(send("a b c ", "d e "), send("x ", "y ")))
    told.jump(1)
    with pytest.raises(UsageError) as caught:
        told.what_if("/capacity 4")
    assert caught.value.fix.startswith("Give at least 5: ")
    told.what_if("/capacity 5")
    with pytest.raises(UsageError, match="more than a lesson holds"):
        told.what_if("/capacity 9999999999999999999999")


def test_a_wrong_answer_repeats_the_choice() -> None:
    told = player(lesson(send("a b ", "c "), send("a b x ", "d ", ask=[{"kind": "matched"}])))
    told.next()
    told.next()
    assert told.question is not None
    at = next(place for place, choice in enumerate(told.question.choices) if not choice.right)
    text = told.question.choices[at].text
    assert told.answer(at).chosen == f"{at + 1}, {text}"
