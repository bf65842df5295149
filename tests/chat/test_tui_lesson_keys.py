"""Every key and every command of a lesson does what its row in the registry says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

pytest.importorskip("textual")

from radixchat.chat import app_commands  # noqa: F401 - rows of the registry
from radixchat.chat.commands import COMMANDS, LESSON
from radixchat.chat.lessons.player import Level
from radixchat.chat.tui.composer import Composer
from radixchat.chat.tui.help import HelpScreen, keys_of
from radixchat.chat.tui.lesson_text import SIGNS

from .lesson_rig import LessonRig, taught

pytestmark = pytest.mark.asyncio

KEYS = [(key.where, key.key) for known in LESSON.values() for key in known.keys]
ALL = [f"{where}:{key}" for where, key in KEYS]


def function(where: str, key: str) -> str:
    """The name of the function that tests a key."""
    return "_".join(["check", *([where] if where else []), key.replace("+", "_")])


async def test_every_key_has_a_test_here():
    assert {function(*key) for key in KEYS} == {name for name in globals() if name.startswith("check_")}


async def test_no_key_means_two_things_at_once():
    for mode in ("free", "choices", "pick"):
        keys = [key for where, key in KEYS if where in ("", "tree", mode)]
        assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("name", ALL)
async def test_key(name: str):
    where, key = name.split(":")
    check: Callable[[LessonRig, str], Awaitable[None]] = globals()[function(where, key)]
    async with taught(size=(100, 28), step={"choices": 2, "pick": 4}.get(where, 4)) as rig:
        if where in ("choices", "pick"):
            await rig.press("pagedown")
        assert where in ("", "tree", rig.app.course.mode)
        await check(rig, key)


def typed(rig: LessonRig) -> str:
    """What stands in the input line."""
    assert rig.app.has_class("-asking")
    return rig.app.query_one(Composer).text


# -- the screen ------------------------------------------------------------------------------------------------------


async def check_f1(rig: LessonRig, key: str) -> None:
    await rig.pilot.press(key)
    assert isinstance(rig.app.screen, HelpScreen)
    shown = str(rig.app.screen.query_one("Static").render())
    for known in LESSON.values():
        assert f"/{known.name}" in shown and known.summary in shown
        assert all(line in shown for line in keys_of(known))
    await rig.pilot.press("escape")


async def check_question_mark(rig: LessonRig, key: str) -> None:
    await rig.pilot.press(key)
    assert isinstance(rig.app.screen, HelpScreen)


async def check_f2(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.app.query_one("#lesson").display and not rig.app.pane.display
    assert rig.player.title() in rig.below("#lesson")
    await rig.press("shift+down", key)
    assert rig.app.pane.display


async def check_f3(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.app.pane.drawing.view == "rail"


async def check_f9(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.app.theme == "light" and rig.app.pane.drawing.look.palette == "light"


async def check_ctrl_q(rig: LessonRig, key: str) -> None:
    await rig.pilot.press(key)
    await rig.until(lambda: not rig.app.is_running)
    assert rig.app.return_code == 0


async def check_escape(rig: LessonRig, key: str) -> None:
    await rig.press("w", key)
    assert not rig.app.has_class("-asking") and rig.app.focused is rig.app.pane.drawing
    await rig.press("p", key)
    assert not rig.app.pace.playing


# -- moves -----------------------------------------------------------------------------------------------------------


async def check_pagedown(rig: LessonRig, key: str) -> None:
    await rig.go(1)
    await rig.press(key)
    assert rig.player.step == 2 and rig.app.pane.position == rig.player.position


check_space = check_free_enter = check_pagedown


async def check_pageup(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.player.step == 3


async def check_free_home(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.player.step == 1


async def check_free_end(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.player.step == 9 and "More samples" in rig.text("#banner")


async def check_free_g(rig: LessonRig, key: str) -> None:
    await rig.press("7", key)
    assert rig.player.step == 7
    await rig.press(key)
    assert typed(rig) == "/goto "
    await rig.press("2", "enter")
    assert rig.player.step == 2


async def check_digit(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert f"step {key}: g goes there" in rig.text("#message")
    await rig.press("g")
    assert rig.player.step == int(key)


check_free_0 = check_free_1 = check_free_2 = check_free_3 = check_free_4 = check_digit
check_free_5 = check_free_6 = check_free_7 = check_free_8 = check_free_9 = check_digit
del check_digit


async def check_free_left(rig: LessonRig, key: str) -> None:
    end = rig.player.position
    await rig.press(key, key)
    assert rig.player.position < end and rig.player.step == 4
    assert rig.text("#brief").startswith("event: ")
    await rig.press("right", "right")
    assert rig.player.position == end


async def check_free_right(rig: LessonRig, key: str) -> None:
    end = rig.player.position
    await rig.press(key)
    assert rig.player.position == end  # nothing after it was shown yet
    await rig.go(2)
    await rig.press(key)
    assert rig.player.step == 2 and rig.player.question is not None  # which the jump had passed
    await rig.press("1", "pageup", key)
    assert rig.player.step == 3 and rig.player.position < rig.player.run.steps[2].end


# -- questions -------------------------------------------------------------------------------------------------------


async def check_digit(rig: LessonRig, key: str) -> None:
    posed = rig.player.question
    right = posed.choices[SIGNS.index(key)].right
    await rig.press(key)
    assert rig.player.step == 3 and rig.player.score[:2] == (right, 1)
    assert ("Right." if right else "Not so.") in rig.text("#verdict") and f"score {int(right)}/1" in rig.text("#banner")


check_choices_1 = check_choices_2 = check_choices_3 = check_choices_4 = check_digit
del check_digit


async def check_choices_down(rig: LessonRig, key: str) -> None:
    await rig.press(key, key)
    assert rig.app.course.chosen == 2 and rig.player.question is not None


async def check_choices_up(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.app.course.chosen == 3


async def check_choices_enter(rig: LessonRig, key: str) -> None:
    right = next(index for index, choice in enumerate(rig.player.question.choices) if choice.right)
    await rig.press(*["down"] * right, key)
    assert rig.player.score[:2] == (1, 1) and rig.player.step == 3


async def check_pick_enter(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert "no node is chosen" in rig.text("#message") and rig.player.question is not None
    rig.app.pane.drawing.cursor = next(iter(rig.player.question.nodes))
    await rig.press(key)
    assert rig.player.score[:2] == (1, 1) and rig.player.step == 5 and "Right." in rig.text("#verdict")


async def check_pick_up(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.app.pane.cursor is not None and rig.player.question is not None
    position = rig.player.position
    await rig.press("up", "down", "left", "right")
    assert rig.player.position == position


check_pick_down = check_pick_left = check_pick_right = check_pick_up


# -- playing ---------------------------------------------------------------------------------------------------------


async def check_full_stop(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.app.pace.playing and "play on" in rig.text("#message")
    await rig.press(key)
    assert not rig.app.pace.playing and rig.app.pace.wait is None


check_p = check_full_stop


async def check_plus(rig: LessonRig, key: str) -> None:
    before = rig.app.pace.seconds
    await rig.press(key)
    assert rig.app.pace.seconds < before


async def check_minus(rig: LessonRig, key: str) -> None:
    before = rig.app.pace.seconds
    await rig.press(key)
    assert rig.app.pace.seconds > before


# -- what if ---------------------------------------------------------------------------------------------------------


async def check_free_w(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert typed(rig) == "" and rig.app.focused is rig.app.query_one(Composer)


check_free_slash = check_free_w


async def check_r(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert "nothing is changed" in rig.text("#message")
    await rig.type("/capacity 400")
    assert "WHAT IF capacity 400" in rig.text("#banner")
    await rig.press(key)
    assert "WHAT IF" not in rig.text("#banner") and rig.player.step == 4


async def check_R(rig: LessonRig, key: str) -> None:
    await rig.go(2)
    await rig.press("pagedown", "1")
    await rig.type("/capacity 400")
    await rig.press(key)
    assert rig.player.step == 0 and not rig.player.in_what_if and rig.player.score == (0, 0, 0)
    await rig.go(2)
    await rig.press("pagedown")
    assert rig.player.question is not None  # it is asked again


# -- how it is told --------------------------------------------------------------------------------------------------


async def check_n(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.text("#brief").startswith("Note: ") and rig.player.note()[:20] in rig.text("#brief")
    await rig.press(key)
    assert "Note: " not in rig.text("#brief")


async def check_l(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert "第二个对话" in rig.text("#banner") and "新增" in rig.text("#legend")
    await rig.press(key)
    assert "A second conversation" in rig.text("#banner")


async def check_v(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.player.level is Level.ENGINEER
    await rig.press(key)
    assert rig.player.level is Level.INTRO


# -- the tree --------------------------------------------------------------------------------------------------------


async def check_free_up(rig: LessonRig, key: str) -> None:
    await rig.press(key)
    assert rig.app.pane.cursor is not None and rig.player.step == 4


check_free_down = check_free_k = check_free_j = check_free_up


async def check_tree_tab(rig: LessonRig, key: str) -> None:
    seen = []
    for _ in range(4):
        await rig.press(key)
        seen.append(rig.app.pane.cursor)
    assert len(set(seen)) == 4


check_tree_shift_tab = check_tree_tab


async def check_pan(rig: LessonRig, key: str) -> None:
    await rig.press("f3", "f3", "f3", *[key] * 3)
    assert rig.app.pane.drawing.view == "figure"


check_shift_up = check_shift_down = check_shift_left = check_shift_right = check_pan
del check_pan


# -- commands --------------------------------------------------------------------------------------------------------


async def test_commands_take_what_their_usage_says_and_refuse_the_rest():
    async with taught(step=4) as rig:
        for line, expected in {
            "/goto 99": "there is no step 99", "/goto x": "there is no step x", "/event never": "no way 'never'",
            "/answer 1": "no question is open", "/answer z": "'z' is no answer", "/choose up": "no question is open",
            "/play maybe": "play is on or off", "/note maybe": "note is on or off", "/text maybe": "text is on or off",
            "/lang xx": "lessons are not told in xx", "/level high": "there is no level 'high'",
            "/capacity many": "takes a number of tokens", "/policy best": "takes no 'best'", "/nonsense": "no command",
            "/split-recency x": "takes no 'x'", "/page-size 0": "takes a number of tokens", "/view x": "is no view",
            "/move away": "there is no way 'away'", "/pan away": "there is no way", "/theme mud": "there is no theme",
        }.items():  # fmt: skip
            await rig.type(line)
            assert expected.strip("'") in rig.text("#message").replace("'xx'", "xx"), line
            assert rig.player.step == 4 and not rig.player.in_what_if
        for name, known in LESSON.items():
            for word in known.usage.strip("[]").split("|"):
                if word.islower() and name not in ("answer", "choose", "quit", "split-recency"):
                    await rig.type(f"/{name} {word}")
                    assert "there is no" not in rig.text("#message"), (name, word)


async def test_names_that_a_chat_knows_too_mean_the_same():
    for name in ("view", "theme", "pan", "quit"):
        assert LESSON[name].summary == COMMANDS[name].summary


async def test_the_palette_knows_every_command():
    async with taught(step=4) as rig:
        await rig.pilot.press("ctrl+p")
        await rig.pilot.press(*"language")
        await rig.pilot.pause(0.3)
        await rig.pilot.press("enter", "enter")
        await rig.until(lambda: rig.player.lang == "zh")


async def test_tab_completes_a_command_and_its_words():
    async with taught(step=4) as rig:
        await rig.press("w")
        await rig.pilot.press(*"/spl", "tab")
        assert typed(rig) == "/split-recency "
        await rig.pilot.press(*"pre", "tab")
        assert typed(rig).strip() == "/split-recency prefix"
