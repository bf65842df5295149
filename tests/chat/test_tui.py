"""The app over a scripted engine: what is said, what is shown, and what the desk tells."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

textual = pytest.importorskip("textual")

from radixchat.chat.chat import Chat  # noqa: E402
from radixchat.chat.engine.runner import Work  # noqa: E402
from radixchat.chat.errors import MachineError, ModelError, UsageError, UserError  # noqa: E402
from radixchat.chat.tui import messages as say  # noqa: E402
from radixchat.chat.tui.app import RadixApp  # noqa: E402
from radixchat.viz.tree_view import TreeView  # noqa: E402

from .scripted import scripted_chat  # noqa: E402
from .tui_rig import GatedRunner, Rig, running  # noqa: E402

pytestmark = pytest.mark.asyncio


def gated(chat: Chat) -> GatedRunner:
    """Makes a chat's replies wait for permission, and returns the gate."""
    gate = GatedRunner(chat.engine.runner.script)
    chat.engine.runner = gate
    gate.open = False
    return gate


async def test_a_turn_shows_message_reply_and_signature():
    async with running("Hi!") as rig:
        await rig.send("Hello!")
        ((user, reply, signature),) = rig.transcript
        assert (user, reply) == ("Hello!", "Hi!")
        assert signature.startswith("reused 0 of ")
        assert rig.app.composer.text == ""
        kinds = [type(message) for message in rig.messages]
        assert kinds.index(say.Began) < kinds.index(say.Ended)


async def test_the_tree_shows_what_the_cache_holds():
    async with running("Hi!", "I can help.") as rig:
        await rig.send("Hello!")
        await rig.send("What can you do?")
        tree = rig.app.pane.drawing
        assert isinstance(tree, TreeView)
        assert rig.app.pane.snapshot.resident > 0
        assert "live" in rig.text("#told")


async def test_escape_stops_a_reply_and_keeps_what_it_said():
    chat = scripted_chat("a long reply that nobody wants to hear to its end")
    gate = gated(chat)
    async with running(make=lambda model: chat) as rig:
        await rig.type("Hello!")
        await rig.pilot.press("enter")
        await rig.until(
            lambda: (
                gate.let.release()
                or any(isinstance(message, say.Progress) and message.text for message in rig.messages)
            )
        )
        await rig.pilot.press("escape")
        gate.open = True
        gate.let.release()
        await rig.idle()
        ((_, reply, signature),) = rig.transcript
        assert "a long reply that nobody wants to hear to its end".startswith(reply)
        assert reply and "generated" in signature
        await rig.send("/continue")
        assert rig.transcript[0][1] == "a long reply that nobody wants to hear to its end"


async def test_a_reply_stopped_before_its_first_word_is_no_turn_and_touches_no_other():
    chat = scripted_chat("Hi!", "never said")
    async with running(make=lambda model: chat) as rig:
        await rig.send("Hello!")
        before = rig.transcript
        step = chat.engine.runner.step

        def stopping(batch: Sequence[Work]) -> list[int | None]:
            chat.engine.stop()  # while the first of several chunks is computed
            return step(batch)

        chat.engine.runner.step = stopping
        await rig.send("And now? " * 50)
        assert "Nothing was generated" in rig.talk
        assert rig.transcript == before


async def test_a_store_that_cannot_be_read_costs_no_turn(monkeypatch: pytest.MonkeyPatch):
    chat = scripted_chat("Hi!")

    def locked() -> None:
        raise UsageError("the conversations are locked", "Wait.")

    async with running(make=lambda model: chat) as rig:
        monkeypatch.setattr(chat.book, "entries", locked)
        await rig.send("Hello!")
        assert rig.transcript[0][1] == "Hi!" and rig.app.view.entries == (("main", ""),)


async def test_ctrl_c_stops_only_while_a_reply_runs():
    chat = scripted_chat("a long reply")
    gate = gated(chat)
    async with running(make=lambda model: chat) as rig:
        await rig.pilot.press("ctrl+c")  # nothing runs: no harm
        await rig.type("Hello!")
        await rig.pilot.press("enter")
        gate.let.release()
        await rig.until(lambda: any(isinstance(message, say.Began) for message in rig.messages))
        await rig.pilot.press("ctrl+c")
        gate.open = True
        gate.let.release()
        await rig.idle()
        assert len(rig.transcript) == 1


async def test_a_message_waits_while_a_reply_runs():
    chat = scripted_chat("one", "two")
    gate = gated(chat)
    async with running(make=lambda model: chat) as rig:
        await rig.type("Hello!")
        await rig.pilot.press("enter")
        await rig.type("And now?")
        await rig.pilot.press("enter")
        assert rig.app.composer.text == "And now?"
        assert "a reply is running" in rig.text("#foresight")
        gate.open = True
        gate.let.release()
        await rig.idle()
        assert [turn[0] for turn in rig.transcript] == ["Hello!"]
        assert "a reply is running" not in rig.text("#foresight")


@pytest.mark.parametrize(
    "line",
    ["What can you do?", "/edit 1 Hello, you!", "/edit Why?", "/regen", "Hello!", "/preview What can you do?"],
)
async def test_the_cost_before_enter_is_what_the_request_then_costs(line):
    async with running("Hi!", "I can help.", "Something else.", "More.") as rig:
        await rig.send("Hello!")
        await rig.send("What is a trie?")
        rig.messages.clear()
        await rig.type(line)
        foreseen = await rig.until(
            lambda: next((m for m in rig.messages if isinstance(m, say.Foreseen) and m.line == line), None)
        )
        assert foreseen.lit, "the path that is reused lights up"
        await rig.send(line.replace("/preview ", ""))
        signature = rig.transcript[-1][2]
        reused = signature.split("reused ")[1].split(" ")[0]
        prefilled = signature.split("prefilled ")[1].split(" ")[0]
        assert f"would reuse {reused} of " in foreseen.text
        assert f"prefill {prefilled}" in foreseen.text
        assert sum(foreseen.lit.values()) >= int(reused)


async def test_foresight_changes_nothing():
    async with running("Hi!") as rig:
        await rig.send("Hello!")
        before = rig.app.pane.snapshot
        events = len(rig.app.pane.recording.events)
        for text in ("W", "Wh", "Wha", "What is that?", "/edit 1 x", "/fork 1"):
            await rig.type(text)
            await rig.until(lambda text=text: any(isinstance(m, say.Foreseen) and m.line == text for m in rig.messages))
        assert rig.app.pane.snapshot == before
        assert len(rig.app.pane.recording.events) == events


async def test_time_travel_while_the_chat_goes_on():
    chat = scripted_chat("first", "second")
    async with running(make=lambda model: chat) as rig:
        await rig.send("Hello!")
        gate = gated(chat)
        live = rig.app.pane.snapshot
        await rig.type("Again")
        await rig.pilot.press("enter")
        await rig.pilot.press("f2")
        await rig.pilot.press("left", "left")
        past = rig.app.pane.snapshot
        assert past != live
        gate.open = True
        gate.let.release()
        await rig.idle()
        assert rig.app.pane.snapshot is past, "the past stays on the screen"
        assert "ahead" in rig.text("#told")
        assert len(rig.transcript) == 2, "and the chat went on"
        await rig.press("end")
        assert "live" in rig.text("#told")
        assert rig.app.pane.snapshot.resident > past.resident


async def test_whoever_walks_to_the_end_or_says_something_is_back_in_the_present():
    async with running("Hi!", "I can help.") as rig:
        await rig.send("Hello!")
        await rig.press("f2", "right")
        assert not rig.app.pane.past
        await rig.press("left", "left")
        assert rig.app.pane.past and "PAST" in rig.text("#told")
        await rig.press("right", "right", "right")
        assert not rig.app.pane.past
        await rig.press("left", "p")
        assert "this is the past" in rig.text("#foresight")
        await rig.send("What can you do?")
        assert not rig.app.pane.past


async def test_talk_stays_with_its_conversation():
    async with running("Hi!") as rig:
        await rig.send("Hello!")
        await rig.send("/stats")
        assert "hit ratio" in rig.talk
        await rig.send("/new other")
        assert rig.talk == "" and "now in other" in rig.text("#foresight")


async def test_ctrl_c_clears_the_input_and_up_brings_it_back():
    async with running("Hi!") as rig:
        await rig.type("much too long")
        await rig.press("ctrl+c")
        assert rig.app.composer.text == ""
        await rig.press("up")
        assert rig.app.composer.text == "much too long"


@pytest.mark.parametrize("error", [UsageError("a capacity of 1", "Give more."), MachineError("no device", "Use auto.")])
async def test_a_start_that_cannot_be_ends_the_app_with_its_exit_code(error: UserError):
    def make(model: str | None) -> Chat:
        raise error

    async with running(make=make, wait=False) as rig:
        await rig.until(lambda: rig.app.return_code == error.exit_code)


async def test_a_recording_takes_the_keys_of_time_and_refuses_the_rest():
    chat = scripted_chat("Hi!", "Bye!")
    for line in ("Hello!", "Thanks."):
        list(chat.send(line))
    app = RadixApp(None, recording=chat.journal.recording, title="a recording")
    async with app.run_test(size=(120, 34)) as pilot:
        rig = Rig(app, pilot, [])
        assert "go by events" in rig.text("#foresight") and rig.app.pane.snapshot.resident == 0
        await rig.press("pagedown", "pagedown", "f5", "ctrl+n")
        assert rig.app.pane.snapshot.step == 2
        await rig.press("g")
        assert app.composer.display
        app.composer.text = "/goto 1"
        await rig.press("enter")
        assert rig.app.pane.snapshot.step == 1 and not app.composer.display
        await rig.press("w")
        assert rig.text("#detail").startswith('step 1, request 1 in "main": reused 0 of ')
        await rig.press("1", "down", "end")
        assert rig.app.pane.snapshot == chat.snapshot()
        await rig.press("home", "w")
        assert "there is no step 0" in rig.text("#foresight")


async def test_ten_events_back_and_forward_again_is_the_same_tree():
    async with running("Hi!", "I can help.", "Sure.") as rig:
        await rig.send("Hello!")
        await rig.send("What can you do?")
        await rig.send("/regen")
        await rig.press("f2")
        first = rig.app.pane.snapshot
        await rig.press(*["left"] * 10)
        assert rig.app.pane.snapshot != first
        await rig.press(*["right"] * 10)
        assert rig.app.pane.snapshot == first


async def test_who_leaves_without_a_model_has_its_exit_code():
    def make(model: str | None) -> Chat:
        raise ModelError("there is no model here", "Name another one.")

    async with running(make=make) as rig:
        await rig.press("ctrl+q")
        await rig.until(lambda: rig.app.return_code == 3)


async def test_what_is_to_know_of_the_model_stands_in_the_chat():
    def make(model: str | None) -> Chat:
        chat = scripted_chat("Hi!")
        chat.engine.notes = ("Slower kernels are used.",)
        return chat

    async with running(make=make) as rig:
        assert rig.talk == "Slower kernels are used."
        await rig.send("Hello!")
        assert rig.talk == "Slower kernels are used."


async def test_a_model_that_cannot_be_loaded_leaves_the_app_and_offers_the_bundled_one():
    def make(model: str | None) -> Chat:
        if model is None:
            raise ModelError("there is no model here", "Name another one.")
        return scripted_chat("Hi!")

    async with running(make=make) as rig:
        assert "there is no model here" in rig.talk and "/model radish" in rig.talk
        await rig.send("Hello!")
        assert "no model is loaded" in rig.talk
        await rig.send("/model radish")
        await rig.send("Hello!")
        assert rig.transcript[-1][1] == "Hi!"


@pytest.mark.parametrize(
    "reply", ["[@click=app.quit]press me[/]", "[/b] [red]", "\x1b[31mred\x1b[0m \x07", "‮gnirts", "<b>x</b> <script>"]
)
async def test_a_hostile_reply_is_only_text(reply):
    async with running(reply, "still here") as rig:
        await rig.send(f"Say {reply}")
        for child in rig.app.transcript.query("*"):
            assert "\x1b" not in str(child.render()) and "\x07" not in str(child.render())
        await rig.pilot.click(rig.app.transcript.turns[0].query_one("Reply"), offset=(3, 0))
        await rig.send("Are you there?")
        assert rig.transcript[-1][1] == "still here"


async def test_a_paste_of_a_megabyte_is_refused_with_ways_out_and_the_chat_goes_on():
    async with running("Hi!") as rig:
        await rig.type("word " * 200_000)
        await rig.pilot.press("enter")
        await rig.idle()
        assert "the model's context holds 4000" in rig.talk
        assert len(rig.app.composer.text) == 1_000_000 and rig.transcript == []  # not said, and not lost
        await rig.send("Hello!")
        assert rig.transcript[-1][1] == "Hi!"


async def test_a_storm_of_resizes():
    async with running("Hi!") as rig:
        await rig.send("Hello!")
        for size in [(80, 24), (39, 11), (200, 50), (1, 1), (120, 34), (60, 15), (300, 80), (80, 24)]:
            await rig.pilot.resize_terminal(*size)
        await rig.pilot.pause()
        await rig.send("/stats")
        assert "hit ratio" in rig.talk


async def test_a_small_window_shows_one_pane_at_a_time():
    async with running("Hi!", size=(80, 24)) as rig:
        await rig.send("Hello!")
        app = rig.app
        assert app.query_one("#chat").display and not app.query_one("#watch").display
        await rig.press("f2")
        assert not app.query_one("#chat").display and app.query_one("#watch").display
        await rig.press("f2")
        assert app.pane.node.region.height > 5
        await rig.press("f2")
        assert app.query_one("#chat").display


async def test_a_window_that_is_too_small_says_so():
    async with running("Hi!", size=(30, 8)) as rig:
        assert rig.app.query_one("#tiny").display
        await rig.pilot.resize_terminal(80, 24)
        await rig.pilot.pause()
        assert not rig.app.query_one("#tiny").display
        await rig.pilot.press("a")
        assert rig.app.composer.text == "a", "the input still has the keys"


async def test_quitting_during_a_reply_returns_at_once():
    chat = scripted_chat("a reply that never ends")
    gate = gated(chat)
    async with running(make=lambda model: chat) as rig:
        await rig.type("Hello!")
        await rig.pilot.press("enter")
        await rig.until(lambda: any(isinstance(message, say.Began) for message in rig.messages))
        gate.let.release()
        await rig.pilot.press("ctrl+q")
        await rig.until(lambda: rig.app.return_code == 0 or not rig.app.is_running)
    gate.open = True
    gate.let.release()
