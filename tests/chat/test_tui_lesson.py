"""The lesson screen: what fits, what is hidden, what an answer shows, what-ifs, automatic play, loading."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytest.importorskip("textual")

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.events import Key
from textual.widgets import Static

from radixchat.chat.errors import ModelError
from radixchat.chat.lessons.loading import load_lesson
from radixchat.chat.lessons.running import Stage
from radixchat.chat.lessons.schema import KINDS, Lesson
from radixchat.chat.tui.lesson_text import fold

from .lesson_rig import LessonRig, nine_steps, taught

STEPS = range(1, 10)
SIZES = ((60, 20), (80, 24), (100, 28), (120, 44), (140, 30), (200, 60))


def shows_all(rig: LessonRig) -> bool:
    """Whether the whole picture is in sight."""
    tree = rig.app.pane.drawing
    room = tree.scrollable_content_region.size
    return tree.virtual_size.width <= room.width and tree.virtual_size.height <= room.height


# -- what fits -------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_the_nine_panels_fit_100_by_28_with_legend_and_narration(lang: str):
    """The figure, every letter of the panel, no panning, nothing cut."""
    async with taught(size=(100, 28), questions=False, lang=lang, view="figure") as rig:
        for step in STEPS:
            await rig.press("pagedown")
            assert rig.player.step == step and shows_all(rig)
            tree = rig.below("#tree")
            assert all(f" {letter} " in tree for letter in rig.player.letters.values())
            assert rig.app.pane.drawing.size == (100, 28 - 1 - rig.text("#brief").count("\n") - 1 - 1 - 2 - 1)
            told = "".join(rig.text("#brief").split())
            assert told == "".join(rig.player.narration().split())
            assert rig.text("#legend").count("\n") == 0 and "▿" in rig.text("#legend")
            assert rig.player.title() in rig.text("#banner") and f"{step}/9" in rig.text("#banner")
        await rig.press("pagedown")
        assert rig.app.course.ended and ("The end." in rig.text("#brief") or "本课结束" in rig.text("#brief"))
        await rig.press("pageup")
        assert not rig.app.course.ended and rig.player.step == 9


@pytest.mark.asyncio
@pytest.mark.parametrize("size", SIZES)
async def test_every_size_shows_every_step_and_no_line_is_too_wide(size: tuple[int, int]):
    """Side by side or above one another; the legend is always there."""
    async with taught(size=size, step=0) as rig:
        for lang in ("en", "zh"):
            await rig.type(f"/lang {lang}")
            for step in (0, *STEPS):
                await rig.go(step)
                lines = rig.screen.split("\n")
                assert len(lines) == size[1] and max(map(cell_len, lines)) <= size[0]
                assert rig.app.pane.query_one("#legend").region.height >= 1
                assert rig.app.pane.drawing.size.height >= 6
                side = size[0] >= 140
                assert rig.app.query_one("#lesson").display is side and rig.app.query_one("#brief").display is not side


@pytest.mark.asyncio
async def test_a_window_may_become_wide_and_narrow_again():
    async with taught(size=(100, 28), step=4) as rig:
        await rig.pilot.resize_terminal(160, 40)
        await rig.idle()
        assert "A second conversation" in rig.below("#lesson") and rig.app.pane.drawing.size.width >= 100
        await rig.pilot.resize_terminal(80, 24)
        await rig.idle()
        assert rig.app.query_one("#brief").region.height >= 3
        await rig.pilot.resize_terminal(39, 24)
        await rig.idle()
        assert "needs a window" in str(rig.app.query_one("#tiny", Static).render())


@pytest.mark.asyncio
async def test_exhibits_stand_beside_or_above_the_tree_or_behind_a_key():
    lesson = load_lesson("multi-turn")
    for size, where in (((160, 44), "#story"), ((120, 42), "#aside"), ((80, 20), "")):
        async with taught(lesson, size=size, step=4, questions=False) as rig:
            assert ("F2 shows more" in rig.text("#banner")) is (not where)
            if not where:
                assert "all steps so far" not in rig.screen
                await rig.press("f2")
                where = "#story"
                assert "F2 shows more" not in rig.text("#banner")
            assert "all steps so far" in rig.text(where) and "all steps so far" in rig.screen


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [(100, 28), (120, 34)])
@pytest.mark.parametrize("name", ["multi-turn", "the-price", "trie-to-radix"])
async def test_exhibits_are_seen_wherever_the_tree_leaves_room_for_them(name: str, size: tuple[int, int]):
    """Above it or beside it, and the tree is whole; else F2 is said to show them."""
    async with taught(load_lesson(name), size=size, step=1, questions=False) as rig:
        seen = 0
        for step in range(1, rig.player.steps + 1):
            await rig.go(step)
            shown = rig.text("#exhibit") or rig.text("#aside")
            wanted = rig.player.exhibits(size[0] - 2, rig.app.pane.look).plain
            if shown:
                assert shows_all(rig) and all(line.strip() in rig.screen for line in shown.split("\n"))
                seen += 1
            if wanted and shown != wanted and not rig.text("#aside"):
                assert "F2 shows more" in rig.text("#banner")
            free = rig.app.pane.drawing.size.height - rig.app.pane.drawing.virtual_size.height
            assert not wanted or shown or free < wanted.count("\n") + 1
        assert seen


@pytest.mark.asyncio
async def test_the_first_bars_of_a_chat_stand_above_a_small_tree():
    async with taught(load_lesson("multi-turn"), size=(100, 28), step=1, questions=False) as rig:
        assert "all steps so far" in rig.below("#exhibit") and shows_all(rig)


@pytest.mark.asyncio
async def test_nothing_runs_off_the_edge_when_a_step_is_larger_than_the_last():
    async with taught(size=(80, 24), step=8, questions=False) as rig:
        await rig.press("pagedown")
        assert rig.player.step == 9 and shows_all(rig)


@pytest.mark.asyncio
async def test_an_event_is_told_alone_and_the_outcome_at_the_end():
    for size, where in (((100, 28), "#brief"), ((160, 44), "#story")):
        async with taught(size=size, step=5) as rig:
            narration, rows = rig.player.narration()[:30], rig.app.pane.drawing.size.height
            assert narration in rig.text(where).replace("\n", " ")
            await rig.press("left")
            assert narration not in rig.text(where).replace("\n", " ") and "event: " in rig.text(where)
            assert rig.app.pane.drawing.size.height == rows and "#" not in rig.text(where)


@pytest.mark.asyncio
async def test_what_went_keeps_the_letter_that_the_narration_gives_it():
    async with taught(step=5, view="figure") as rig:
        assert "✖ c 84" in rig.below("#tree")


@pytest.mark.asyncio
@pytest.mark.parametrize("view", ["figure", "rail", "ruler"])
async def test_engineers_see_the_number_of_every_node_and_others_see_none(view: str):
    async with taught(size=(120, 34), step=8, level="engineer", view=view) as rig:
        tree = rig.below("#tree")
        for node in rig.player.snapshot.nodes():
            letter = rig.player.letters.get(node.id, "")
            assert f"{letter} #{node.id}".strip() in tree
        await rig.press("v")
        assert "#" not in rig.below("#tree")


@pytest.mark.asyncio
async def test_a_jump_over_questions_says_so_once():
    async with taught(step=1) as rig:
        await rig.go(5)
        assert "3 questions skipped; R begins again" in rig.text("#message")
        await rig.go(1)
        await rig.go(5)
        assert "skipped" not in rig.text("#message")


@pytest.mark.asyncio
async def test_the_screen_is_chinese_too():
    async with taught(size=(100, 34), step=5, lang="zh", view="rail") as rig:
        assert "下一步" in rig.below("#keys") and "Next" not in rig.below("#keys")
        assert "树：" in rig.below("#tree") and "token 数" in rig.below("#tree")
        assert "容量 200" in rig.below("#gauge") and "不共享" in rig.below("#gauge")
        for key, words in {
            "ctrl+c": "退出",
            "2": "按 g 前往",
            "p": "自动播放",
            "r": "没有任何改变",
            "v": "级别",
        }.items():
            await rig.press(key)
            assert words in rig.below("#message"), key
        await rig.press("w")
        assert "/policy 名称" in rig.below("#composer")
        await rig.press("escape", "l")
        assert "Next" in rig.below("#keys") and "the tree" in rig.below("#tree")


@pytest.mark.asyncio
async def test_the_line_of_keys_drops_what_one_can_do_without():
    async with taught(size=(100, 28), step=2) as rig:
        assert "F2 More" in rig.below("#keys") and ". Play" in rig.below("#keys")
        await rig.pilot.resize_terminal(80, 24)
        await rig.idle()
        assert "F2" not in rig.below("#keys") and "^Q Quit" in rig.below("#keys")


@pytest.mark.asyncio
async def test_what_can_be_asked_is_said_and_an_error_is_not_cut():
    async with taught(size=(80, 24), step=5) as rig:
        await rig.press("w")
        assert "/capacity N  /policy NAME  /split-recency prefix  /page-size N  or a prompt" in rig.below("#composer")
        await rig.pilot.press(*"/policy fi", "tab")
        assert "/policy fi" in rig.below("#composer")
        await rig.press("escape")
        await rig.type("/policy")
        assert "lru  lfu  fifo" in rig.below("#message")
        await rig.press("escape")
        await rig.type("/page-size nonsense")
        said = " ".join(rig.below("#message").split())
        assert said.endswith("Write it like this: /page-size 16") and rig.below("#message").count("\n") == 1
        await rig.press("ctrl+c")
        assert "Ctrl-Q leaves" in rig.below("#message")


@given(st.text(alphabet="ab 中文，。（）x\n", max_size=80), st.integers(2, 30))
def test_folded_lines_keep_every_character_and_no_line_is_too_wide(text: str, width: int):
    lines = fold(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= width for line in lines)


def test_chinese_is_broken_between_characters_but_not_before_what_closes():
    assert fold("根节点不能被驱逐。好", 16) == ["根节点不能被驱", "逐。好"]
    assert (
        fold("这是 radix 树的一步", 12) == ["这是 radix ", "树的一步"]
        or fold("这是 radix 树的一步", 12)[0] == "这是 radix"
    )
    assert fold("three short words", 11) == ["three short", "words"]


# -- what is hidden --------------------------------------------------------------------------------------------------

SHARED = "You are kind.\nUser: one two three four five six\nAssistant: seven eight nine\n"


def steps_before() -> list[dict[str, Any]]:
    """Two conversations and a prompt, so that there is a branch, an inner node and several leaves."""
    return [
        {"title": "One", "requests": [{"prompt": SHARED + "User: a b c d\n", "reply": "Assistant: e f\n"}]},
        {"title": "Two", "requests": [{"prompt": SHARED + "User: g h\n", "reply": "Assistant: i\n"}]},
        {"title": "Three", "requests": [{"prompt": "Other words j k l\n", "reply": "m n o\n"}]},
    ]


def lesson(kind: str, prompt: str, *, pick: bool = False, **cache: Any) -> Lesson:
    """A lesson whose last step asks; the prompt, or the cache, decides about the answer."""
    request = {"prompt": prompt, "reply": "p q r s t u v w x y z\n"}
    last = {"title": "Four", "say": "SPOILER", "requests": [request], "ask": [{"kind": kind, "pick": pick}]}
    data = {
        "schema": 1,
        "title": "T",
        "about": "A",
        "cache": {"capacity": 46, **cache},
        "steps": [*steps_before(), last],
    }
    return Lesson.model_validate(data)


FAR = SHARED + "User: a b other\nUser: and now this is new to all of them\n"
NEAR = SHARED.replace("six", "two") + "User: and now this is new to all\n"

PAIRS: dict[str, tuple[Lesson, Lesson]] = {
    **{kind: (lesson(kind, FAR), lesson(kind, NEAR)) for kind in KINDS},
    "victim, other policy": (
        lesson("victim", FAR, pick=True, policy="lru"), lesson("victim", FAR, pick=True, policy="mru")
    ),
    "split, picked": (lesson("split", FAR, pick=True), lesson("split", NEAR, pick=True)),
}  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.parametrize("pair", PAIRS)
async def test_nothing_on_the_screen_changes_with_the_answer(pair: str):
    """In any view, with a node's detail and the log; but for the question, which names the prompt, and its choices."""
    screens, answers = [], set()
    for told in PAIRS[pair]:
        async with taught(told, size=(160, 44), step=3, level="engineer") as rig:
            await rig.press("tab", "tab", "pagedown")
            posed = rig.player.question
            assert posed is not None, "nothing of the kind happens"
            answers.add(posed.answer)
            seen = []
            for view in ("figure", "rail", "ruler"):
                rig.app.action_run(f"/view {view}")
                rig.app.tell("")
                await rig.idle()
                assert rig.text("#detail") and rig.below("#log").strip()
                assert not [word for word in ("▿", "SPOILER", " ago", "idle for", " age ") if word in rig.screen]
                assert "victim" not in rig.text("#legend")
                seen += [rig.below(part) for part in ("#banner", "#watch", "#keys")]
                if pair == "victim, other policy":  # the same question, too
                    seen.append(rig.screen.replace("MRU", "LRU"))  # which the question names, and nothing else
            screens.append(seen)
            for key in ("right", "left", "end", "g", "space"):
                await rig.press(key)
                assert rig.player.question is not None and rig.app.pane.position == rig.player.position
            await rig.press("space")
            assert rig.player.step == 4 and rig.app.course.skipped == posed.answer
            assert posed.answer[:20] in rig.text("#story").replace("\n", " ")
    assert screens[0] == screens[1] and len(answers) == 2


@pytest.mark.asyncio
async def test_the_log_and_the_timeline_end_where_the_known_ends():
    """Also when one has seen later steps and comes back."""
    async with taught(size=(200, 60), step=2) as rig:
        before = rig.below("#watch")
        assert "step 3 begins" not in before and "step 2 begins" in before
        await rig.press("pagedown", "2")
        assert "step 3 begins" in rig.below("#watch")


# -- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_an_answer_is_judged_and_the_step_is_shown():
    async with taught(step=2) as rig:
        await rig.press("pagedown")
        posed = rig.player.question
        assert posed is not None and posed.text[:40] in rig.text("#brief")
        assert "3/9?" in rig.text("#banner") and rig.player.veiled
        wrong = next(index for index, choice in enumerate(posed.choices) if not choice.right)
        await rig.press("1234"[wrong])
        assert rig.player.step == 3 and "score 0/1" in rig.text("#banner")
        verdict = " ".join(rig.text("#verdict").split())
        assert "Not so." in verdict and posed.answer in verdict and posed.choices[wrong].because in verdict
        assert not rig.app.pane.query_one("#strip").display  # the verdict stands there
        assert "found in node b" in rig.text("#brief") and "▿" in rig.text("#legend")
        await rig.press("pageup", "pagedown")
        assert rig.player.step == 3 and rig.player.question is None  # no question is asked twice
        assert rig.text("#verdict") == "" and rig.app.pane.query_one("#strip").display


@pytest.mark.asyncio
async def test_a_click_on_an_answer_and_on_a_node_answers():
    async with taught(step=2) as rig:
        await rig.press("pagedown")
        brief = rig.app.query_one("#brief")
        y = next(y for y, line in enumerate(rig.text("#brief").split("\n")) if line.startswith(" 1) "))
        await rig.pilot.click(brief, offset=(3, y))
        await rig.idle()
        assert rig.player.score.asked == 1
        await rig.go(4)
        await rig.press("pagedown")
        node = next(iter(rig.player.question.nodes))
        place = rig.app.pane.drawing._picture.place(node)
        await rig.pilot.click(rig.app.pane.drawing, offset=(place.x + 2, place.y + 1))
        await rig.idle()
        assert rig.player.step == 5 and rig.app.course.verdict.right


@pytest.mark.asyncio
async def test_several_questions_about_a_step_come_one_after_the_other():
    async with taught(step=7) as rig:
        await rig.press("pagedown", "1")
        assert rig.app.course.verdict is not None and rig.player.question is not None and rig.player.step == 7
        assert "8/9?" in rig.text("#banner") and rig.text("#verdict")
        await rig.press("1")
        assert rig.player.step == 8 and rig.player.score.asked == 2


@pytest.mark.asyncio
async def test_splits_and_evictions_have_their_beats():
    async with taught(step=4, beats=True) as rig:
        rig.app.animation_level = "full"
        end = rig.player.run.steps[4].end
        rig.app.pane.drawing.cursor = 2
        await rig.press("pagedown", "enter")
        assert rig.player.position == end and rig.app.pane.position < end  # the eviction is in sight
        await rig.until(lambda: rig.app.pane.position == end)


@pytest.mark.asyncio
async def test_without_questions_none_is_asked():
    async with taught(questions=False) as rig:
        await rig.press(*["pagedown"] * 9)
        assert rig.player.step == 9 and rig.player.score == (0, 0, 0)


@pytest.mark.asyncio
async def test_the_card_at_the_end_has_the_score():
    async with taught(step=8) as rig:
        await rig.press("pagedown", "1", "pagedown")
        assert rig.app.course.ended and "of 1 questions right" in rig.text("#brief")


# -- what if ---------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_what_if_runs_the_lesson_again_and_r_comes_back():
    async with taught(step=5) as rig:
        assert rig.app.pane.snapshot.tombstones
        await rig.press("w")
        await rig.pilot.press(*"/capacity 400", "enter")
        await rig.idle()
        assert "WHAT IF capacity 400" in rig.text("#banner") and rig.player.step == 5
        assert not rig.app.pane.snapshot.tombstones  # there is room for all
        assert "evicted" not in rig.text("#brief") and "resident" in rig.text(
            "#brief"
        )  # what happened, and not the tale
        await rig.press("pagedown")
        assert rig.player.step == 6 or rig.player.question is not None
        await rig.press("r")
        assert rig.player.step == 5 and rig.app.pane.snapshot.tombstones and "WHAT IF" not in rig.text("#banner")


@pytest.mark.asyncio
async def test_answers_in_a_what_if_count_for_nothing():
    async with taught(step=2) as rig:
        await rig.press("pagedown", "1")
        score = rig.player.score
        await rig.type("/capacity 400")
        await rig.press(*["pagedown", "1"] * 3, "pagedown", "pagedown")
        assert rig.player.step > 3 and rig.player.score == score


@pytest.mark.asyncio
async def test_what_is_typed_or_pasted_in_one_go_is_not_lost():
    async with taught(step=5) as rig:
        for key in ("w", "/", *"capacity", "space", *"400", "enter"):
            rig.app.post_message(Key(key, " " if key == "space" else None))
        await rig.until(lambda: "WHAT IF capacity 400" in rig.text("#banner"))
        assert rig.app.focused is rig.app.pane.drawing and not rig.app.pace.playing


@pytest.mark.asyncio
async def test_a_typed_prompt_is_a_step_of_its_own():
    async with taught(step=4) as rig:
        await rig.type("How about three hours?")
        assert "WHAT IF “How about three hours?”" in rig.text("#banner") and rig.player.step == 5
        assert "5/10" in rig.text("#banner")
        await rig.type("/capacity 3")
        assert rig.text("#message") and rig.player.step == 5  # it does not fit: nothing changes


# -- automatic play --------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_automatic_play_goes_on_waits_longer_at_questions_and_ends_with_the_card():
    async with taught(step=1, auto=3.0) as rig:
        app = rig.app
        assert app.pace.wait == 3.0
        app.tick()
        assert rig.player.step == 2 and app.pace.wait == 3.0
        app.tick()
        assert rig.player.question is not None and app.pace.wait == 6.0
        app.tick()  # nobody answered
        assert rig.player.step == 3 and app.course.skipped and rig.player.score == (0, 0, 1)
        await rig.go(9)
        assert app.pace.wait == 3.0
        app.tick()
        assert app.course.ended and not app.pace.playing and app.pace.wait is None


@pytest.mark.asyncio
async def test_automatic_play_waits_for_a_key_where_the_lesson_says_so():
    told = nine_steps()
    steps = [step.model_copy(update={"pause": step.title.text("en") == "The first turn"}) for step in told.steps]
    async with taught(told.model_copy(update={"steps": steps}), step=1, auto=3.0, questions=False) as rig:
        rig.app.tick()
        assert rig.player.step == 2 and rig.app.pace.wait is None
        await rig.press("pagedown")
        assert rig.app.pace.wait == 3.0


# -- loading ---------------------------------------------------------------------------------------------------------


class SlowStage(Stage):
    """Waits before each step after the second, as a model would."""

    let = threading.Event()

    def run(self, changes: Any = None, upto: int | None = None, on_step: Any = None) -> Any:
        def step(run: Any) -> None:
            if on_step is not None:
                on_step(run)
            if len(run.steps) == 2:
                assert self.let.wait(20)

        return super().run(upto=upto, on_step=step)


@pytest.mark.asyncio
async def test_steps_can_be_looked_at_while_the_later_ones_are_running():
    SlowStage.let.clear()
    async with taught(stage=lambda: SlowStage(nine_steps()), wait=False) as rig:
        try:
            await rig.until(lambda: rig.app.player is not None and rig.player.steps == 2)
            await rig.press("pagedown", "pagedown")
            assert rig.player.step == 2 and "step 3 of 9" in rig.text("#banner")
            await rig.press("pagedown")
            assert (
                rig.player.step == 2 and "step 3 is still running" in rig.text("#message") and not rig.app.course.ended
            )
            await rig.press("9", "g")
            assert "step 9 is still running" in rig.text("#message")
        finally:
            SlowStage.let.set()
        await rig.until(lambda: rig.app.course.complete)
        await rig.press("9", "g")
        assert rig.player.step == 9 and "running" not in rig.text("#banner")


@pytest.mark.asyncio
async def test_what_keeps_a_lesson_from_running_is_said_in_two_lines():
    def broken() -> Stage:
        raise ModelError("there is no model nowhere", "Choose another one.")

    async with taught(stage=broken, wait=False, model="nowhere") as rig:
        assert "loading nowhere" in rig.text("#brief") or "there is no model" in rig.text("#brief")
        await rig.until(lambda: rig.app.course.failed)
        assert rig.text("#brief").splitlines() == ["there is no model nowhere", "Choose another one."]
        await rig.press("pagedown")
        assert "could not be run" in rig.text("#message")
        await rig.pilot.press("ctrl+q")
        await rig.until(lambda: not rig.app.is_running)
        assert rig.app.return_code == 3


@pytest.mark.asyncio
async def test_every_move_is_told_to_whoever_follows():
    seen = []
    async with taught(step=1, moved=lambda player: seen.append((player.step, player.question is not None))) as rig:
        await rig.press("pagedown", "pagedown", "1", "pageup")
    assert seen[-4:] == [(2, False), (2, True), (3, False), (2, False)]


@pytest.mark.asyncio
async def test_texts_of_a_lesson_are_only_shown():
    evil = "[bold]x[/bold] [@click=app.quit]y[/] \x1b[31m"
    data = {
        "schema": 1, "title": evil, "about": evil, "cache": {"capacity": 50},
        "steps": [{"title": evil, "say": evil, "note": evil, "requests": [{"prompt": evil, "reply": evil}]}],
    }  # fmt: skip
    for size in ((100, 28), (160, 40)):
        async with taught(Lesson.model_validate(data), size=size) as rig:
            await rig.press("pagedown", "n")
            assert "\x1b" not in rig.screen and "[bold]x[/bold] [@click=app.quit]y[/]" in rig.screen


@pytest.mark.asyncio
async def test_in_ascii_everything_is_ascii_and_english():
    from radixchat.viz import Look

    for size in ((100, 28), (160, 44)):
        async with taught(size=size, step=4, lang="zh", look=Look(ascii=True)) as rig:
            await rig.press("n")
            assert rig.screen.isascii(), [char for char in rig.screen if not char.isascii()]
            await rig.press("pagedown")
            assert rig.screen.isascii() and rig.player.lang == "en"
