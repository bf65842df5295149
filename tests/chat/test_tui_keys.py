"""Every key and every command of the app does what its row in the registry says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

pytest.importorskip("textual")

from radixchat.chat import (
    app_commands,  # noqa: F401 - rows of the registry
    commands,
)
from radixchat.chat.chat import Chat
from radixchat.chat.commands import COMMANDS
from radixchat.chat.tui.help import Choice, HelpScreen, keys_of
from radixchat.chat.tui.run import PALETTE_OF

from .scripted import scripted_chat
from .tui_rig import Rig, running

pytestmark = pytest.mark.asyncio

KEYS = [(key.where, key.key) for known in COMMANDS.values() for key in known.keys]
ALL = [f"{where}:{key}" for where, key in KEYS]


def told() -> Chat:
    """Turns, a branch, an eviction: something for every key to work on."""
    chat = scripted_chat(*[f"Reply {number}." for number in range(12)])
    for line in ("Hello!", "What is a trie?", "/regen", "/fork side", "More?", "/evict 1", "And more?", "/regen"):
        for _ in commands.run(chat, line) if line.startswith("/") else chat.send(line):
            pass
    return chat


def position(rig: Rig) -> int:
    return rig.app.pane.position


def step(rig: Rig) -> int:
    return rig.app.pane.snapshot.step


def cursor(rig: Rig) -> int | None:
    return rig.app.pane.cursor


def function(where: str, key: str) -> str:
    """The name of the function that tests a key."""
    return "_".join(["check", *([where] if where else []), key.replace("+", "_")])


async def test_every_key_has_a_test_here():
    assert {function(*key) for key in KEYS} == {name for name in globals() if name.startswith("check_")}


@pytest.mark.parametrize("name", ALL)
async def test_key(name: str):
    where, key = name.split(":")
    check: Callable[[Rig, str], Awaitable[None]] = globals()[function(where, key)]
    async with running(make=lambda model: told(), size=(140, 44)) as rig:
        if where == "tree":
            await rig.press("f2")
            await rig.press("1", "up", "up")
        elif where == "chat":
            rig.app.transcript.turns[0].focus()
            await rig.pilot.pause()
        await check(rig, key)
        assert "went wrong" not in rig.talk


# -- anywhere --------------------------------------------------------------------------------------------------------


async def check_f1(rig: Rig, key: str) -> None:
    await rig.pilot.press(key)
    assert isinstance(rig.app.screen, HelpScreen)
    shown = str(rig.app.screen.query_one("Static").render())
    for known in COMMANDS.values():
        assert f"/{known.name}" in shown and known.summary in shown
        assert all(line in shown for line in keys_of(known))
    await rig.pilot.press("escape")
    assert not isinstance(rig.app.screen, HelpScreen)


async def check_tree_question_mark(rig: Rig, key: str) -> None:
    await rig.pilot.press(key)
    assert isinstance(rig.app.screen, HelpScreen)


async def check_f2(rig: Rig, key: str) -> None:
    fronts = []
    for _ in range(3):
        await rig.pilot.press(key)
        fronts.append(rig.app.front)
    assert fronts == ["tree", "node", "chat"]
    assert rig.app.focused is rig.app.composer


async def check_f3(rig: Rig, key: str) -> None:
    await rig.pilot.press(key)
    assert rig.app.pane.drawing.view == "rail"


async def check_f4(rig: Rig, key: str) -> None:
    await rig.pilot.press(key)
    assert isinstance(rig.app.screen, Choice)
    await rig.press("up", "enter")
    assert rig.app.view.current in ("main", "side")


async def check_f5(rig: Rig, key: str) -> None:
    before = rig.transcript[-1]
    await rig.press(key)
    assert rig.transcript[-1][0] == before[0] and rig.transcript[-1][1] != before[1]


async def check_f6(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert len(rig.app.view.entries) == 3


async def check_f7(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert "the last reply is complete" in rig.talk


async def check_f8(rig: Rig, key: str) -> None:
    rig.app.pane.travel_to(3)
    await rig.pilot.press(key)
    assert "live" in rig.text("#told")


async def check_f9(rig: Rig, key: str) -> None:
    themes = []
    for _ in PALETTE_OF:
        await rig.pilot.press(key)
        themes.append(rig.app.theme)
        assert rig.app.pane.drawing.look.palette == PALETTE_OF[rig.app.theme]
    assert sorted(themes) == sorted(PALETTE_OF)


async def check_ctrl_n(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.transcript == [] and len(rig.app.view.entries) >= 2


async def check_ctrl_q(rig: Rig, key: str) -> None:
    await rig.pilot.press(key)
    await rig.until(lambda: not rig.app.is_running)


async def check_escape(rig: Rig, key: str) -> None:
    await rig.press("f2")
    await rig.press("down")
    assert rig.app.pane.node.region.height > 4
    await rig.press(key)
    assert rig.app.focused is rig.app.composer
    assert rig.app.pane.cursor is None and rig.app.pane.node.region.height == 2  # its room goes back to the tree


async def check_ctrl_c(rig: Rig, key: str) -> None:
    await rig.type("copy this")
    rig.app.composer.select_all()
    await rig.press(key)  # nothing runs: it copies, as everywhere
    assert rig.app.clipboard == "copy this"


# -- time ------------------------------------------------------------------------------------------------------------


async def check_tree_left(rig: Rig, key: str) -> None:
    before = position(rig)
    await rig.press(key)
    assert position(rig) < before and "event" in rig.text("#told")


async def check_tree_right(rig: Rig, key: str) -> None:
    rig.app.pane.travel_to(3)
    await rig.press(key)
    assert position(rig) > 3


async def check_tree_pageup(rig: Rig, key: str) -> None:
    before = step(rig)
    await rig.press(key)
    assert step(rig) == before - 1


async def check_tree_pagedown(rig: Rig, key: str) -> None:
    await rig.press("pageup", "pageup")
    before = step(rig)
    await rig.press(key)
    assert step(rig) == before + 1


async def check_tree_left_square_bracket(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert "split #" in rig.text("#told")


async def check_tree_right_square_bracket(rig: Rig, key: str) -> None:
    rig.app.pane.travel_to(0)
    await rig.press(key)
    assert "split #" in rig.text("#told")
    assert rig.app.pane.snapshot is not None


async def check_tree_left_curly_bracket(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert "evicted #" in rig.text("#told")


async def check_tree_right_curly_bracket(rig: Rig, key: str) -> None:
    rig.app.pane.travel_to(0)
    await rig.press(key)
    assert "evicted #" in rig.text("#told")
    await rig.press(key)
    assert "no eviction after this" in rig.text("#foresight")


async def check_tree_home(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert step(rig) == 0


async def check_tree_end(rig: Rig, key: str) -> None:
    await rig.press("left", key)
    assert "live" in rig.text("#told")


async def check_tree_g(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.app.composer.text == "/goto "
    await rig.send("/goto 2")
    assert step(rig) == 2
    await rig.send("/goto 99")
    assert "there is no step 99" in rig.talk


async def check_tree_d(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.text("#detail").startswith("step ")


async def check_tree_w(rig: Rig, key: str) -> None:
    await rig.press("pageup", key)
    assert "step 5, request" in rig.talk and rig.app.pane.step == 5


async def check_tree_o(rig: Rig, key: str) -> None:
    app, narrow = rig.app, rig.app.pane.size.width
    await rig.press(key)
    assert app.pane.size.width > narrow + 40 and not app.query_one("#chat").display and not app.composer.display
    await rig.press("slash")
    assert app.composer.display  # there is something to type
    app.composer.text = "/find Hello"
    await rig.press("enter")
    assert not app.composer.display and app.focused is app.pane.drawing
    await rig.press(key)
    assert app.pane.size.width == narrow and app.composer.display
    await rig.press(key, "escape")
    assert app.query_one("#chat").display and app.focused is app.composer


async def check_tree_t(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert "beats on" in rig.text("#foresight")
    await rig.press(key)
    assert "beats off" in rig.text("#foresight")


# -- the tree --------------------------------------------------------------------------------------------------------


async def check_view(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.app.pane.drawing.view == ("auto", "rail", "ruler", "figure")[int(key)]


async def check_tree_4(rig: Rig, key: str) -> None:
    view = rig.app.pane.drawing.view
    await rig.press(key)
    assert rig.app.pane.drawing.view == view and "a radix tree has no blocks" in rig.talk


check_tree_0 = check_tree_1 = check_tree_2 = check_tree_3 = check_view
del check_view


async def check_tree_up(rig: Rig, key: str) -> None:
    await rig.press("down", "down")
    before = cursor(rig)
    await rig.press(key)
    assert before is not None and cursor(rig) != before


async def check_tree_down(rig: Rig, key: str) -> None:
    before = cursor(rig)
    await rig.press(key)
    assert cursor(rig) is not None and cursor(rig) != before


check_tree_k, check_tree_j = check_tree_up, check_tree_down


async def check_tree_u(rig: Rig, key: str) -> None:
    await rig.press("down", "down")
    before = cursor(rig)
    assert before is not None
    path = rig.app.pane.snapshot.path(before)
    await rig.press(key)
    assert cursor(rig) == path[-2].id


async def check_tree_h(rig: Rig, key: str) -> None:
    await rig.press("3", key)
    assert cursor(rig) is not None


check_tree_l = check_tree_h


async def check_tree_b(rig: Rig, key: str) -> None:
    rig.app.pane.drawing.cursor = None
    await rig.press(key)
    node = rig.app.pane.snapshot.find(cursor(rig) or 0)
    assert node is not None and len(node.children) > 1


async def check_tree_enter(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.app.front == "node"


async def check_pan(rig: Rig, key: str) -> None:
    await rig.press("3")
    await rig.pilot.resize_terminal(100, 26)
    await rig.press(*[key] * 3)
    assert rig.app.pane.drawing.view == "figure"


check_tree_shift_up = check_tree_shift_down = check_tree_shift_left = check_tree_shift_right = check_pan
del check_pan


async def check_tree_space(rig: Rig, key: str) -> None:
    drawing = rig.app.pane.drawing
    before = drawing.virtual_size.height
    await rig.press(key)
    assert drawing.virtual_size.height < before
    await rig.press(key)
    assert drawing.virtual_size.height == before


async def check_tree_z(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.app.pane.drawing.view == "rail"


async def check_tree_Z(rig: Rig, key: str) -> None:
    drawing = rig.app.pane.drawing
    before = drawing.virtual_size.height
    await rig.press("space", key)
    assert drawing.virtual_size.height == before


async def check_tree_slash(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.app.composer.text == "/find "
    await rig.send("/find trie")
    assert "node" in rig.text("#foresight") and "'trie'" in rig.text("#foresight")


async def check_tree_n(rig: Rig, key: str) -> None:
    await rig.send("/find Reply")
    await rig.press("f2")
    first = cursor(rig)
    await rig.press(key)
    assert cursor(rig) != first


check_tree_N = check_tree_n


async def check_tree_f(rig: Rig, key: str) -> None:
    before = rig.app.pane.drawing.follow
    await rig.press(key)
    assert rig.app.pane.drawing.follow is not before


async def check_tree_i(rig: Rig, key: str) -> None:
    before = rig.text("#detail")
    await rig.press(key)
    assert len(rig.text("#detail")) > len(before)


async def check_tree_x(rig: Rig, key: str) -> None:
    leaf = rig.app.pane.snapshot.next_victim
    rig.app.pane.drawing.cursor = leaf
    await rig.press(key)
    assert rig.app.pane.snapshot.find(leaf) is None


async def check_tree_p(rig: Rig, key: str) -> None:
    node = cursor(rig)
    await rig.press(key)
    found = rig.app.pane.snapshot.find(node)
    assert found is not None and found.locks == 1


async def check_tree_P(rig: Rig, key: str) -> None:
    node = cursor(rig)
    await rig.press("p", key)
    found = rig.app.pane.snapshot.find(node)
    assert found is not None and found.locks == 0


# -- turns -----------------------------------------------------------------------------------------------------------


async def check_alt_up(rig: Rig, key: str) -> None:
    await rig.press("f2", key)
    assert rig.app.transcript.chosen.number == len(rig.transcript) and rig.app.front == "chat"
    await rig.press(key)
    assert rig.app.transcript.chosen.number == len(rig.transcript) - 1


async def check_alt_down(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.app.transcript.chosen.number == 1


async def check_chat_down(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.app.transcript.chosen.number == 2


async def check_chat_up(rig: Rig, key: str) -> None:
    await rig.press("down", key)
    assert rig.app.transcript.chosen.number == 1
    await rig.until(lambda: "a fork after turn 1 shares" in rig.text("#foresight"))  # after how /fork is used


async def check_chat_e(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.app.composer.text == "/edit 1 Hello!"


async def check_chat_c(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert rig.app.clipboard == rig.transcript[0][1]


async def check_chat_f(rig: Rig, key: str) -> None:
    await rig.press(key)
    assert len(rig.app.view.turns) == 1 and len(rig.app.view.entries) == 3


async def check_chat_r(rig: Rig, key: str) -> None:
    before = rig.transcript[0][1]
    await rig.press(key)
    assert len(rig.transcript) == 1 and rig.transcript[0][1] != before


# -- commands --------------------------------------------------------------------------------------------------------

APP = sorted(name for name, known in COMMANDS.items() if known.app)


async def test_the_commands_of_the_app_take_what_their_usage_says_and_refuse_the_rest():
    async with running(make=lambda model: told(), size=(140, 44)) as rig:
        for name in APP:
            for word in COMMANDS[name].usage.strip("[]").split("|"):
                if word.islower() and name != "turn":
                    await rig.send(f"/{name} {word}")
        assert "went wrong" not in rig.talk and "there is no" not in rig.talk, rig.talk
        for line, said in {
            "/pane cellar": "there is no pane 'cellar'", "/view sideways": "there is no view 'sideways'",
            "/back never": "there is no way 'never'", "/goto x": "'x' is no step", "/beats maybe": "on or off",
            "/diff 1 99": "there is no step 99", "/move away": "there is no way 'away'", "/pan away": "there is no way",
            "/fold paper": "nothing is folded by 'paper'", "/theme mud": "there is no theme 'mud'",
            "/turn over": "no turn is chosen", "/nonsense": "there is no command /nonsense",
        }.items():  # fmt: skip
            await rig.send(line)
            assert said in rig.talk, line
        await rig.send("Are you there?")
        assert rig.transcript[-1][1].startswith("Reply")


async def test_compact_gives_free_places_away():
    chat = scripted_chat("One.", "Two.", "Three.", "Four.")
    async with running(make=lambda model: chat, size=(240, 50)) as rig:
        drawing = rig.app.pane.drawing
        for line in ("/view figure", "First?", "/new", "Second?", "/new", "Third?", "/evict 20", "And now?"):
            await rig.send(line)  # tombstones are gone in the next step, and leave their places free
        wide = drawing.virtual_size.width
        drawing.cursor = chosen = next(iter(rig.app.pane.snapshot.nodes())).id
        await rig.send("/compact")
        assert 0 < drawing.virtual_size.width < wide
        assert cursor(rig) == chosen


async def test_the_palette_knows_every_command():
    async with running("Hi!") as rig:
        await rig.pilot.press("ctrl+p")
        await rig.pilot.press(*"stats")
        await rig.pilot.pause(0.3)
        await rig.pilot.press("enter", "enter")
        await rig.until(lambda: "hit ratio" in rig.talk)


async def test_tab_completes_a_command_and_its_words():
    async with running("Hi!") as rig:
        await rig.type("/vie")
        rig.app.composer.move_cursor(rig.app.composer.document.end)
        await rig.press("tab")
        await rig.until(lambda: rig.app.composer.text == "/view ")
        rig.app.composer.insert("ru")
        await rig.press("tab")
        await rig.until(lambda: rig.app.composer.text.strip() == "/view ruler")
