"""The lesson `nine-steps` is the figure of the RadixAttention paper: labels, letters, structure, states, evictions.

The figure stands here once more, read off the paper and not off the lesson. On radish, with real forwards, labels may
differ by the role marker, which its tokenizer shares; all else is the same.
"""

from __future__ import annotations

import re
from functools import cache
from io import StringIO
from typing import NamedTuple

import pytest

from radixchat.chat.lessons.checking import check, edge_text, evicted, panel_of
from radixchat.chat.lessons.loading import load_lesson
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.runs import Changes, Run
from radixchat.radix.recording import Recorder
from radixchat.viz import Look
from radixchat.viz.figure import figure

SHOTS = "Question 1: ... / Answer 1: ... / Question 2: ... / Answer 2:... / Question 3:"
SYSTEM, HELLO = "You are a helpful assistant.", "User: Hello! / Assistant: Hi!"
SOLVE = "User: Solve this question... / Assistant: Sure! ..."
CAN, STORY = "User: What can you do? / Assistant: I can ...", "User: Write a story ... / Assistant: Sure! ..."


class Twig(NamedTuple):
    """A node of the figure."""

    depth: int
    state: str  # G green, B blue, . grey, X evicted
    letter: str
    text: str


PANELS: list[list[Twig]] = [
    [],
    [Twig(0, "G", "a", f"{SYSTEM} / {HELLO}")],
    [Twig(0, "B", "b", f"{SYSTEM} / {HELLO}"), Twig(1, "G", "", SOLVE)],
    [Twig(0, "B", "", SYSTEM), Twig(1, ".", "", HELLO), Twig(2, ".", "c", SOLVE), Twig(1, "G", "d", CAN)],
    [
        Twig(0, "B", "", SYSTEM), Twig(1, ".", "", HELLO), Twig(2, "X", "", SOLVE),
        Twig(1, "B", "", CAN), Twig(2, "G", "", STORY),
    ],
    [
        Twig(0, ".", "", SYSTEM), Twig(1, ".", "", HELLO), Twig(1, ".", "", CAN), Twig(2, ".", "", STORY),
        Twig(0, "G", "e", f"{SHOTS} .. / Answer 3: .."),
    ],
    [
        Twig(0, ".", "", SYSTEM), Twig(1, ".", "f", HELLO), Twig(1, ".", "g", CAN), Twig(2, ".", "h", STORY),
        Twig(0, "B", "", SHOTS), Twig(1, ".", "", "What ... / Answer 3: ..."),
        Twig(1, "G", "", "When ... / Answer 3: ..."), Twig(1, "G", "", "How ... / Answer 3: ..."),
    ],
    [
        Twig(0, "B", "", SYSTEM), Twig(1, "B", "", HELLO),
        Twig(2, "G", "i", f"{SOLVE} / User: How about ..? / Assistant: It is a ..."),
        Twig(1, "X", "", CAN), Twig(2, "X", "", STORY),
        Twig(0, ".", "", SHOTS), Twig(1, ".", "j", "What ... / Answer 3: ..."),
        Twig(1, ".", "k", "When ... / Answer 3: ..."), Twig(1, ".", "l", "How ... / Answer 3: ..."),
    ],
    [
        Twig(0, ".", "", SYSTEM), Twig(1, ".", "", HELLO),
        Twig(2, "X", "", f"{SOLVE} / User: How about ..? / Assistant: It is a ..."),
        Twig(0, "B", "", SHOTS), Twig(1, "B", "", "What ... / Answer 3:"), Twig(2, ".", "", "This is ..."),
        Twig(2, "G", "", "Let us ..."), Twig(2, "G", "", "We can ..."), Twig(2, "G", "", "To solve ..."),
        Twig(1, "X", "", "When ... / Answer 3: ..."), Twig(1, "X", "", "How ... / Answer 3: ..."),
    ],
]  # fmt: skip
"""The nine panels. "Question" is what the paper's panel 3 calls "problem", and the slip is the lesson's to tell."""

EVICTED = ["", "", "", "", "c", "", "", "hg", "kli"]
"""In order, by the letters of the panel before."""

SIZES = [0, 7, 91, 144, 130, 165, 195, 167, 113]
"""Words that are resident after each step."""

WORDS = range(195, 208)
"""Every capacity that gives the figure on words."""

RADISH = range(353, 366)
"""Every capacity that gives the figure on radish."""

LETTERS = {"new": "G", "reused": "B", "resident": ".", "evicted": "X"}


@cache
def stage(model: str) -> Stage:
    return Stage(load_lesson("nine-steps"), model)


@cache
def played(model: str, capacity: int | None = None) -> Run:
    return stage(model).run(Changes(capacity=capacity))


def panels(run: Run) -> list[list[Twig]]:
    return [
        [
            Twig(twig.depth, LETTERS[twig.state], step.letters.get(twig.id, ""), edge_text(run, twig.key))
            for twig in panel_of(run, step.number)
        ]
        for step in run.steps
    ]


def gone(run: Run) -> list[list[str]]:
    """What each step evicts, in order, without the role marker that words and radish treat differently."""
    return [[bare(edge_text(run, twig.key)) for twig in evicted(run, step.number)] for step in run.steps]


def bare(text: str) -> str:
    return re.sub(r"^User: ?|(^| / )User:$", "", text).strip()


def figure_gone() -> list[list[str]]:
    by_letter = [{twig.letter: bare(twig.text) for twig in panel if twig.letter} for panel in PANELS]
    return [[by_letter[place - 1][letter] for letter in letters] for place, letters in enumerate(EVICTED)]


def structure(panel: list[Twig]) -> list[tuple[int, str]]:
    return [(twig.depth, twig.state) for twig in panel]


def is_figure(run: Run) -> bool:
    """Whether structure, states and evictions are the figure's, at a capacity that is not the lesson's."""
    return [*map(structure, panels(run))] == [*map(structure, PANELS)] and gone(run) == figure_gone()


def recorded(run: Run) -> str:
    """The recording as it is written to a file."""
    file = StringIO()
    recorder = Recorder(run.recording.header, run.recording.pieces.__getitem__, file)
    recorder.add(run.recording.events)
    recorder.flush()
    return file.getvalue()


@pytest.mark.parametrize("number", range(1, 10))
def test_a_panel_is_the_figures_to_the_letter(number: int) -> None:
    assert panels(played("words"))[number - 1] == PANELS[number - 1]


def test_evictions_come_in_the_figures_order() -> None:
    run = played("words")
    for place, letters in enumerate(EVICTED):
        before = run.steps[place - 1].letters if place else {}
        assert "".join(before[twig.id] for twig in evicted(run, place + 1)) == letters
    assert [sum(twig.state == "X" for twig in panel) for panel in panels(run)] == [len(one) for one in EVICTED]


def test_sizes_are_the_recipes_in_words() -> None:
    assert [played("words").panel(number).resident for number in range(1, 10)] == SIZES


def test_exactly_these_capacities_give_the_figure_in_words() -> None:
    """Searched well beyond both ends; the slow test goes all the way."""
    assert [capacity for capacity in range(150, 290) if is_figure(played("words", capacity))] == [*WORDS]
    assert load_lesson("nine-steps").cache.capacity in WORDS


@pytest.mark.parametrize("inside", [True, False])
def test_these_capacities_give_the_figure_on_radish(inside: bool) -> None:
    """The ends of the range and what lies just outside, in real forwards."""
    ends = (RADISH[0], RADISH[-1]) if inside else (RADISH[0] - 1, RADISH[-1] + 1)
    assert [is_figure(played("radish", capacity)) for capacity in ends] == [inside, inside]
    assert load_lesson("nine-steps").capacities["radish"] in RADISH


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "least", "most", "right"), [("words", 128, 362, WORDS), ("radish", 207, 681, RADISH)]
)
def test_no_other_capacity_gives_the_figure(model: str, least: int, most: int, right: range) -> None:
    """From the longest request up to where nothing is ever evicted."""
    assert [capacity for capacity in range(least, most) if is_figure(played(model, capacity))] == [*right]


def test_radish_shows_the_same_nodes_letters_and_evictions() -> None:
    run = played("radish")
    assert is_figure(run)
    assert [[twig.letter for twig in panel] for panel in panels(run)] == [[t.letter for t in panel] for panel in PANELS]
    assert [[bare(twig.text) for twig in panel] for panel in panels(run)] == [
        [bare(twig.text) for twig in panel] for panel in PANELS
    ]
    assert all(done.passed for done in check(run))


@pytest.mark.parametrize("model", ["words", "radish"])
def test_two_runs_are_one_recording(model: str) -> None:
    assert recorded(stage(model).run()) == recorded(played(model))


def test_the_turn_that_was_lost_is_computed_again() -> None:
    """Step 8 pays for step 5: of its prompt only what Hello/Hi and the system prompt hold is found."""
    run = played("words")
    assert run.steps[7].sums.matched == 7
    assert run.steps[7].sums.prefilled == 88 > run.steps[4].sums.evicted == 84


def test_a_full_match_computes_one_token_and_makes_no_node_of_it() -> None:
    for model in ("words", "radish"):
        run = played(model)
        assert run.steps[8].sums.matched == run.steps[8].sums.prompt
        assert run.steps[8].sums.prefilled == 1
        assert min(node.size for node in run.panel(9).nodes()) > 1


def test_split_recency_decides_what_goes_in_step_9() -> None:
    """When only the head of a split is fresh, the old answer is the oldest leaf, and goes before all others."""
    both, prefix = played("words"), stage("words").run(Changes(split_recency="prefix"))
    assert gone(prefix)[:8] == gone(both)[:8]
    assert gone(prefix)[8] == ["This is ...", *gone(both)[8]]


@pytest.mark.parametrize("number", range(1, 10))
def test_a_panel_is_drawn_with_every_label_where_there_is_room(number: int) -> None:
    run = played("words")
    look, letters = Look(colour=False, abridged=run.abridged), run.steps[number - 1].letters
    picture = figure(run.panel(number), run.recording.pieces, look=look, width=200, height=40, letters=letters)
    text = "\n".join(picture.line(y).plain for y in range(picture.height))
    for twig in PANELS[number - 1]:
        assert all(line in text for line in twig.text.split(" / ") if twig.state != "X")
        assert f" {twig.letter} " in text


def test_the_lesson_tells_what_is_its_own() -> None:
    """Sizes, given replies, the figure's slip, SGLang's two nodes a turn, and shared role markers."""
    told = " ".join(step.say.text("en") for step in load_lesson("nine-steps").steps if step.say)
    for words in ("sizes", "given", '"problem"', '"question"', "two nodes a turn", '"User:"', "price of an eviction"):
        assert words in told
