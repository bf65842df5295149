"""Running lessons on the real cache: conversations, batches, samples, letters, changes, arms, what-ifs."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from radixchat.chat.errors import UsageError
from radixchat.chat.lessons.facts import fill
from radixchat.chat.lessons.loading import LessonError
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.runs import Changes, Run, Sums, text_of
from radixchat.chat.lessons.schema import Lesson, Request
from radixchat.radix import events as ev
from radixchat.radix.keys import as_key
from radixchat.radix.recording import Recorder, Recording


def lesson(steps: str, capacity: int = 100, **more: object) -> Lesson:
    """Makes a lesson of steps in YAML."""
    values = {"schema": 1, "title": "T", "about": "A", "cache": {"capacity": capacity}, "system": "Be kind.", **more}
    return Lesson.model_validate({**values, "steps": yaml.safe_load(steps)})


def run(steps: str, changes: Changes | None = None, **more: object) -> Run:
    return Stage(lesson(steps, **more)).run(changes or Changes())


def written(recording: Recording) -> str:
    """Returns a recording as its file would be."""
    file = io.StringIO()
    recorder = Recorder(recording.header, recording.pieces.__getitem__, file)
    recorder.add(recording.events)
    recorder.flush()
    return file.getvalue()


def said(one: Run, step: int = -1) -> list[str]:
    """Returns the whole text of each sample of a step."""
    return [text_of(as_key(key), one.recording.pieces) for key in one.steps[step].keys]


CHAT = """
- title: One
  requests: [{conversation: a, user: "Hello you!", reply: "Hi!"}]
  letters: {a: Hello}
- title: Two
  requests: [{conversation: a, user: "What now?", reply: "That is up to you."}]
- title: Other
  requests: [{conversation: b, user: "Bye.", reply: "So long."}]
- title: Nothing
"""


TWO_TURNS = "Be kind.\nUser: Hello you!\nAssistant: Hi!\nUser: What now?\nAssistant: That is up to you.\n"


def test_a_conversation_goes_on_from_its_own_ids() -> None:
    one = run(CHAT)
    assert said(one, 1) == [TWO_TURNS]
    first, second, other, _ = one.steps
    assert first.sums == Sums(4, 0, 0, 4, 1, 0)
    assert second.sums == Sums(7, 5, 5, 2, 5, 0)
    assert other.sums == Sums(3, 2, 2, 1, 2, 0)
    assert second.done[0].reply == "That is up to you."
    assert one.sums(3) == Sums(14, 7, 7, 7, 8, 0)


def test_every_step_is_a_step_of_the_recording_without_a_gap() -> None:
    one = run(CHAT)
    assert [step.number for step in one.recording.steps] == [1, 2, 3, 4]
    assert [(step.start, step.end) for step in one.steps] == [(step.start, step.end) for step in one.recording.steps]
    assert (one.steps[0].start, one.steps[-1].end) == (0, len(one.recording.events))
    assert one.panel(0).resident == 0
    assert one.panel(4).resident == one.panel(3).resident
    assert not [node for node in one.panel(4).nodes() if one.panel(4).state(node).value != "resident"]


def test_requests_of_a_step_run_side_by_side_and_share_what_is_new() -> None:
    one = run("""
- title: Both
  requests:
    - {prompt: "one two three ", reply: "four"}
    - {prompt: "one two six ", reply: "seven"}
""")
    assert len(one.recording.steps) == 1
    assert [done.facts.matched_tokens for done in one.steps[0].done] == [0, 2]
    assert [done.request for done in one.steps[0].done] == [0, 1]


def test_samples_of_one_prompt_part_where_they_differ() -> None:
    one = run("""
- title: Three
  requests: [{prompt: "q: ", replies: ["same one", "same two", "other"]}]
""")
    done = one.steps[0].done
    assert [(each.sample, each.reply) for each in done] == [(0, "same one"), (1, "same two"), (2, "other")]
    assert [each.facts.prefilled_tokens for each in done] == [1, 0, 0]
    assert sorted(text_of(node.key, one.recording.pieces) for node in one.panel(1).nodes()) == [
        "one", "other", "q: ", "same ", "two",
    ]  # fmt: skip


def test_a_fork_goes_on_from_some_turns_of_another_conversation() -> None:
    one = run(
        CHAT
        + """
- title: Fork
  requests:
    - {conversation: a, user: "More?", reply: "No."}
    - {conversation: c, fork: a, turns: 1, user: "Else?", reply: "Yes."}
- title: More
  requests: [{conversation: c, user: "Good.", reply: "Fine."}]
"""
    )
    start = "Be kind.\nUser: Hello you!\nAssistant: Hi!\nUser: Else?\nAssistant: Yes.\n"
    assert said(one, 4)[1] == start
    assert said(one) == [start + "User: Good.\nAssistant: Fine.\n"]


def test_without_a_system_prompt_nothing_stands_before_the_user() -> None:
    one = run('[{title: A, requests: [{conversation: a, user: "Hi!", reply: "Ho!"}]}]', system="")
    assert said(one) == ["User: Hi!\nAssistant: Ho!\n"]


def test_a_smaller_capacity_evicts_in_the_step_that_changes_it() -> None:
    one = run(CHAT + "- {title: Less, change: {capacity: 7, policy: fifo}}\n")
    panel, last = one.panel(5), one.steps[-1]
    assert (panel.capacity, panel.policy, panel.step) == (7, "fifo", 5)
    assert panel.tombstones and last.sums.evicted == sum(len(gone.key) // 4 for gone in panel.tombstones)
    assert one.panel(4).resident - panel.resident == last.sums.evicted
    assert isinstance(one.recording.events[last.start], ev.StepOpened)


ARMS = [{"name": "last", "cache": "last"}, {"name": "none", "cache": "none"}, {"name": {"en": "own", "zh": "x"}}]


def test_arms_are_fed_the_same_and_count_for_themselves() -> None:
    one = run(CHAT, arms=ARMS)
    arms = {name: total for name, _, total in one.steps[-1].arms}
    assert arms["own"] == one.sums(4)
    assert arms["none"] == Sums(14, 0, 0, 14, 8, 0)
    assert (arms["last"].reused, arms["last"].prefilled) == (7, 7)
    assert [step.arms[0][1].reused for step in one.steps] == [0, 5, 2, 0]
    assert fill("{reused}, {arm:own:reused} {nodes} {x} {bytes} {arm:no:reused}", one, 2) == (
        "5, 5 2 {x} 12 tokens {arm:no:reused}"
    )


def test_a_shape_gives_words_their_bytes() -> None:
    one = run(CHAT, shape={"name": "S", "layers": 2, "kv_heads": 2, "head_dim": 64})
    assert one.bytes_per_token == one.recording.header.bytes_per_token == 1024
    assert fill("{saved}", one, 2) == "5.0 KiB"


def test_letters_name_nodes_and_tombstones_of_the_panel() -> None:
    one = run(CHAT + "- {title: Less, change: {capacity: 6}, letters: {x: 'What now', y: Hello}}\n")
    assert list(one.steps[0].letters.values()) == ["a"]
    gone = one.panel(5).tombstones[0]
    assert one.steps[4].letters[gone.node] == "x"


LONG = "[{title: A, requests: [{prompt: '%s', reply: '%s'}]}]"


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        (CHAT + "  letters: {z: nowhere}", "step 4: letter z: no node holds 'nowhere'"),
        (CHAT + "  letters: {z: User}", "step 4: letter z: 3 nodes hold 'User'"),
        (CHAT + "  letters: {y: Bye, z: long}", "step 4: letters y and z ('long') fit the same node"),
        ('[{title: A, requests: [{prompt: "a b"}]}]', "step 1: the request has no reply, and the words tokenizer"),
        ('[{title: A, requests: [{prompt: "", reply: a}]}]', "step 1: the prompt is empty"),
        (LONG % ("x " * 101, "a"), "step 1: the prompt has 101 tokens; the capacity is 100"),
        (LONG % ("a", "x " * 100), "step 1: prompt and reply have 101 tokens or more; the capacity is 100"),
        ("[{title: A, requests: [{conversation: a, user: b, reply: c}, {conversation: a, user: d, reply: e}]}]",
         "step 1: two messages of conversation 'a' cannot run side by side"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_said_with_the_step(steps: str, what: str) -> None:
    with pytest.raises(LessonError) as raised:
        run(steps)
    assert raised.value.what.startswith(what)
    assert raised.value.fix


def test_an_arm_without_room_is_named() -> None:
    with pytest.raises(LessonError, match="step 2, arm 'small'"):
        run(CHAT, arms=[{"name": "small", "capacity": 8}])


# -- what-ifs --------------------------------------------------------------------------------------------------------


def test_a_what_if_changes_one_thing_and_leaves_the_stage_as_it_was() -> None:
    stage = Stage(lesson(CHAT + "- {title: Less, change: {capacity: 7}}\n", capacity=20))
    before = written(stage.run().recording)
    more = stage.run(Changes(capacity=50, policy="fifo", page_size=2, split_recency="prefix"))
    assert (more.config.capacity, more.config.policy, more.config.page_size) == (50, "fifo", 2)
    assert more.config.split_recency == "prefix"
    assert more.panel(5).capacity == 50  # what is held, no step changes
    typed = stage.run(Changes(extra=((1, Request(conversation="a", user="Completely new?")),)))
    assert [step.number for step in typed.steps] == [1, 2, 3, 4, 5, 6]
    assert said(typed, 1)[0].endswith("User: Completely new?\nAssistant: (no reply)\n")
    assert typed.steps[1].step.title.text("en") == "Completely new?"
    assert written(stage.run().recording) == before


def test_letters_that_fit_no_node_or_several_are_left_out_of_a_what_if() -> None:
    stage = Stage(lesson(CHAT + "- {title: Names, letters: {y: What now, z: 'long.'}}\n"))
    assert sorted(stage.run().steps[-1].letters.values()) == ["y", "z"]
    typed = Request(conversation="c", user="Well?", reply="So long.")
    assert list(stage.run(Changes(extra=((1, typed),))).steps[-1].letters.values()) == ["y"]


@pytest.mark.parametrize(
    "changes",
    [{"policy": "best"}, {"page_size": 200}, {"split_recency": "none"}, {"capacity": 1 << 40}, {"capacity": 3}],
)
def test_a_what_if_that_makes_no_sense(changes: dict) -> None:
    with pytest.raises(UsageError):
        run(CHAT, Changes(**changes))


def test_headings_say_what_changes() -> None:
    assert not Changes() and Changes().heading("zh") == ""
    changes = Changes(110, "fifo", page_size=4, extra=((1, Request(conversation="a", user="Hi")),))
    assert changes.heading() == "WHAT IF capacity 110 · policy fifo · page-size 4 · “Hi”"
    assert changes.heading("zh").startswith("假如 容量 110")


def test_a_run_up_to_a_step_tells_of_each() -> None:
    seen: list[int] = []
    one = Stage(lesson(CHAT)).run(upto=2, on_step=lambda sofar: seen.append(len(sofar.steps)))
    assert seen == [1, 2] and len(one.steps) == 2


# -- the same, always ------------------------------------------------------------------------------------------------


def test_recordings_are_the_same_bytes_in_every_process() -> None:
    code = (
        "import hashlib, io\n"
        "from radixchat.chat.lessons.loading import load_lesson\n"
        "from radixchat.chat.lessons.running import Stage\n"
        "from radixchat.radix.recording import Recorder\n"
        "recording = Stage(load_lesson('nine-steps')).run().recording\n"
        "file = io.StringIO()\n"
        "recorder = Recorder(recording.header, recording.pieces.__getitem__, file)\n"
        "recorder.add(recording.events)\n"
        "recorder.flush()\n"
        "print(hashlib.sha256(file.getvalue().encode()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1


WORDS = st.text("abc", min_size=1, max_size=2)
MESSAGE = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


@given(st.lists(st.tuples(st.sampled_from("xyz"), MESSAGE, MESSAGE), min_size=1, max_size=8), st.integers(40, 120))
def test_any_chat_adds_up_and_runs_the_same_twice(turns: list[tuple[str, str, str]], capacity: int) -> None:
    """reused + prefilled = prompt, memory adds up, every arm is fed the same, and the run repeats."""
    steps = [
        {"title": str(number), "requests": [{"conversation": name, "user": user, "reply": reply}]}
        for number, (name, user, reply) in enumerate(turns)
    ]
    stage = Stage(lesson(yaml.safe_dump(steps), capacity=200, arms=ARMS))
    changes = Changes(capacity=capacity)
    try:
        one = stage.run(changes)
    except LessonError as error:
        assert "the capacity is" in error.what
        return
    for step in one.steps:
        assert step.sums.reused + step.sums.prefilled == step.sums.prompt
        assert one.panel(step.number).resident <= capacity
        assert all(sums.prompt == step.sums.prompt for _, sums, _ in step.arms)
        assert step.arms[2][1] == step.sums
        assert np.array_equal(step.keys[0][: step.done[0].prompt.size], step.done[0].prompt)
    assert written(stage.run(changes).recording) == written(one.recording)


# -- a model ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def radish() -> Stage:
    pytest.importorskip("torch")
    steps = CHAT + '- {title: Free, requests: [{conversation: a, user: "Hello!", max_tokens: 8}]}\n'
    steps += '- {title: Again, requests: [{conversation: a, user: "Hello!", max_tokens: 8}]}\n'
    steps += '- {title: Samples, requests: [{prompt: "User: Hello!\\n", n: 2, max_tokens: 3, temperature: 1}]}\n'
    return Stage(lesson(steps, capacity=200, arms=ARMS), "radish")


def test_on_a_model_every_prompt_begins_with_the_ids_so_far(radish: Stage) -> None:
    one = radish.run()
    first, second, _, _, free, again, samples = one.steps
    assert np.array_equal(second.keys[0][: first.keys[0].size], first.keys[0])
    assert np.array_equal(free.keys[0][: second.keys[0].size], second.keys[0])
    assert np.array_equal(again.keys[0][: free.keys[0].size], free.keys[0])
    assert second.sums.matched == first.keys[0].size  # every token of a given reply got K and V
    assert again.sums.matched == free.keys[0].size - 1  # the last of a sampled one did not
    assert said(one, 1) == [TWO_TURNS]
    assert free.done[0].reply and len(samples.done) == 2
    assert {name: total for name, _, total in again.arms}["own"] == one.sums(6)
    assert one.model == "radish" and one.bytes_per_token > 0
    assert one.notes[0].startswith("capacity ") and "not tried" in one.notes[-1]


def test_a_given_reply_ends_as_the_chat_template_ends_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from ..engine.models import tiny_model

    stage = Stage(lesson(CHAT, capacity=400), str(tiny_model("llama", tmp_path / "llama")))
    first, second, *_ = stage.run(Changes(capacity=400)).steps
    text = text_of(as_key(first.keys[0]), stage.run(Changes(capacity=400)).recording.pieces)
    assert text.endswith("<|im_start|>assistant\nHi!<|im_end|>")
    assert np.array_equal(second.keys[0][: first.keys[0].size], first.keys[0])
    assert second.sums.matched == first.keys[0].size


def test_on_a_model_runs_repeat_and_a_what_if_loads_nothing(radish: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hashlib.sha256(written(radish.run().recording).encode()).digest()
    monkeypatch.setattr("radixchat.chat.engine.Engine.load", None)
    assert radish.run(Changes(policy="fifo")).config.policy == "fifo"
    assert hashlib.sha256(written(radish.run().recording).encode()).digest() == before
