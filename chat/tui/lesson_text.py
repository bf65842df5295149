"""What a lesson says on the screen: title, narration, question, answers, verdict, as texts for a number of cells.

Wide characters count twice, and Chinese is broken between characters, though not before what closes a phrase. All
texts pass the sanitiser. Knows players and their texts; no widget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from ...viz import sanitize
from ..lessons.speech import fold, say
from .lines import in_ascii

if TYPE_CHECKING:
    from ...viz.picture import Look
    from ..lessons.asking import Posed
    from ..lessons.player import Player, Verdict

SIGNS = "1234"
"""What answers are called."""

_EN = {
    "of": "{step}/{steps}",
    "scored": "score {right}/{asked}",
    "wrong": "Not so.",
    "unanswered": "Not answered.",
    "pick": "Choose a node: arrows and Enter, or click on it.",
    "choose": "Answer with a digit, or with ↑ ↓ and Enter.",
    "begin": "PgDn or Space begins, PgUp goes back, F1 lists the keys, Ctrl-Q leaves.",
    "note": "Note",
    "end": "The end.",
    "after": "PgUp and Home go back, w asks what if, Ctrl-Q leaves.",
    "running": "running the lesson … step {step} of {steps}",
    "loading": "loading {model} …",
    "again": "running it again …",
    "event": "event",
    "more": "F2 shows more",
    "restore": "r comes back",
    "open": "a question is open: answer it, or press the key once more to skip it",
    "going": "step {step}: g goes there",
    "passed": "{count} question skipped; R begins again",
    "all passed": "{count} questions skipped; R begins again",
    "play on": "play on, a step every {seconds:.1f} s",
    "play off": "play off",
    "pace": "a step every {seconds:.1f} s",
    "level": "level {level}",
    "leave": "Ctrl-Q leaves the lesson",
    "ask": "/capacity N  /policy NAME  /split-recency prefix  /page-size N  or a prompt",
    "to answer": "a question is open. Answer it first, or skip it with PgDn, twice.",
    "no node": "no node is chosen. Move to one with the arrow keys, or click on it.",
    "late": "step {step} is still running. Wait a moment.",
    "at work": "the lesson is running. Wait a moment.",
    "unchanged": "nothing is changed. w or / changes something.",
    "unasked": "no question is open. PgDn goes on.",
}

_ZH = {
    "of": "{step}/{steps}",
    "scored": "答对 {right}/{asked}",
    "wrong": "不对。",
    "unanswered": "没有作答。",
    "pick": "请选择一个节点：方向键加 Enter，或用鼠标点击。",
    "choose": "按数字作答，或用 ↑ ↓ 和 Enter。",
    "begin": "PgDn 或空格开始，PgUp 返回，F1 列出按键，Ctrl-Q 退出。",
    "note": "讲解备注",
    "end": "本课结束。",
    "after": "PgUp 和 Home 返回，w 提出假设，Ctrl-Q 退出。",
    "running": "正在运行本课 … 第 {step} 步，共 {steps} 步",
    "loading": "正在加载 {model} …",
    "again": "正在重新运行 …",
    "event": "事件",
    "more": "F2 显示更多",
    "restore": "r 返回原课",
    "open": "有一个问题还没有回答：请作答，或再按一次该键跳过",
    "going": "第 {step} 步：按 g 前往",
    "passed": "跳过了 {count} 个问题；按 R 重新开始",
    "all passed": "跳过了 {count} 个问题；按 R 重新开始",
    "play on": "自动播放，每步 {seconds:.1f} 秒",
    "play off": "停止播放",
    "pace": "每步 {seconds:.1f} 秒",
    "level": "级别 {level}",
    "leave": "按 Ctrl-Q 退出本课",
    "ask": "/capacity N  /policy 名称  /split-recency prefix  /page-size N  或一个提示词",
    "to answer": "有一个问题还没有回答。请先作答，或按两次 PgDn 跳过。",
    "no node": "还没有选择节点。请用方向键移动到一个节点，或点击它。",
    "late": "第 {step} 步还在运行。请稍候。",
    "at work": "本课正在运行。请稍候。",
    "unchanged": "没有任何改变。按 w 或 / 可以提出假设。",
    "unasked": "现在没有问题。按 PgDn 继续。",
}


_KEYS_ZH = {
    "Help": "帮助", "More": "更多", "View": "视图", "Next": "下一步", "Back": "上一步", "Events": "事件",
    "Answer": "作答", "Choose": "选择", "Play": "播放", "What if": "假设", "Lang": "语言", "Quit": "退出",
}  # fmt: skip


def key_label(label: str, lang: str) -> str:
    """Returns what a key does, as the line of keys says it."""
    return _KEYS_ZH.get(label, label) if lang == "zh" else label


def said(word: str, lang: str, **values: object) -> str:
    """Returns one of the screen's own texts in a language, or one that all players have."""
    own = _ZH if lang == "zh" else _EN
    return own[word].format(**values) if word in own else say(lang, word, **values)


def safe(text: str, *, ascii: bool) -> str:
    """Returns a text that may be shown; in ASCII, our own signs and all."""
    return sanitize(in_ascii(text) if ascii else text, ascii=ascii)


# -- breaking lines ----------------------------------------------------------------------------------------------------


def clipped(lines: Sequence[str], most: int, width: int, more: str) -> list[str]:
    """Returns at most `most` lines; the last one then ends with what says that there are more."""
    if len(lines) <= most:
        return list(lines)
    last = lines[most - 1]
    while cell_len(last) > width - cell_len(more) - 1:
        last = last[:-1]
    return [*lines[: most - 1], f"{last} {more}"]


# -- the parts ---------------------------------------------------------------------------------------------------------


class Teller:
    """Writes what a player holds.

    Args:
        player: Where the lesson is.
        look: Colour and ASCII.
        steps: How many steps the lesson will have.
    """

    def __init__(self, player: Player, look: Look, steps: int) -> None:
        self._player = player
        self._abridged = replace(look, abridged=player.run.abridged)
        self._ascii = look.ascii
        self._steps = max(steps, player.steps)
        self.lang = player.lang

    @property
    def more(self) -> str:
        """What ends a text that is cut."""
        return self.safe("… F2")

    def said(self, word: str, **values: object) -> str:
        """Returns one of the screen's own texts."""
        return self.safe(said(word, self.lang, **values))

    def safe(self, text: str) -> str:
        """Returns a text that may be shown."""
        return safe(text, ascii=self._ascii)

    def banner(self, width: int, doing: str = "", *, more: bool = False) -> Text:
        """Returns the line at the top: lesson, what-if, step, title, score; and that F2 shows more."""
        player = self._player
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(f" {self.safe(player.run.lesson.name or 'lesson')} ", "bold reverse").append(" ")
        if player.heading():
            line.append(f" {self.safe(player.heading())} ", "bold reverse").append(" ")
        asked = player.question is not None  # then it is about the step to come
        line.append(f"{self._bar()} {self.said('of', step=player.step + asked, steps=self._steps)}{'?' * asked}  ")
        line.append(self.safe(player.title()), "bold")
        if player.heading():
            line.append(f"  {self.said('restore')}", "dim")
        score = player.score
        scored = doing or (self.said("scored", right=score.right, asked=score.asked) if score.asked else "")
        right = "  ".join(part for part in (self.said("more") if more else "", scored) if part)
        if right:
            line.truncate(max(0, width - cell_len(right) - 2), overflow="ellipsis")
            line.append(" " * (width - line.cell_len - cell_len(right) - 1))
            line.append(right)
        return line

    def _bar(self) -> str:
        done, of = ("#", ".") if self._ascii else ("▰", "▱")
        if self._steps > 20:
            filled = round(20 * self._player.step / self._steps)
            return done * filled + of * (20 - filled)
        return done * self._player.step + of * (self._steps - self._player.step)

    def event(self) -> str:
        """Returns what happened last, while one looks at a step's events."""
        line = self._player.line(self._abridged)
        return self.safe(f"{said('event', self.lang)}: {line}") if line else ""

    def narration(self, width: int) -> list[str]:
        """Returns what is said, in lines."""
        return fold(self.safe(self._player.narration(self._abridged)), width)

    def notices(self, width: int) -> list[str]:
        """Returns what to know before the first step, in lines."""
        return [line for notice in self._player.notices for line in fold(self.safe(notice), width)]

    def note(self, width: int) -> list[str]:
        """Returns the presenter's note, in lines."""
        note = self._player.note()
        return fold(self.safe(f"{said('note', self.lang)}: {note}"), width) if note else []

    def verdict(self, verdict: Verdict | None, skipped: str, width: int, most: int = 99) -> Text:
        """Returns what is said to an answer, or to a question that was passed; empty when there was none."""
        if verdict is None and not skipped:
            return Text()
        word = "unanswered" if verdict is None else "right" if verdict.right else "wrong"
        sign = dict(zip(("right", "wrong", "unanswered"), "+x-" if self._ascii else "✔✘–", strict=True))
        parts = [skipped] if verdict is None else [verdict.text, verdict.because]
        if verdict is not None and not verdict.right and verdict.chosen:
            parts.insert(0, f"{verdict.chosen}{'。' if self.lang == 'zh' else '.'}")
        text = [f"{sign[word]} {self.said(word)}", *(self.safe(part) for part in parts if part)]
        lines = fold(("" if self.lang == "zh" else " ").join(text), width)
        return Text("\n", no_wrap=True).join(Text(line, "bold") for line in clipped(lines, most, width, self.more))

    def choices(self, posed: Posed, chosen: int, width: int, *, stacked: bool) -> list[Text]:
        """Returns the answers to choose from: one a line, or as many in a line as fit; a click on one answers."""
        items = []
        for index, choice in enumerate(posed.choices):
            style = Style(reverse=index == chosen, bold=index == chosen)
            press = Style.from_meta({"@click": f"app.run('/answer {SIGNS[index]}', 'choices')"})
            room = max(8, width - 5)
            first, *rest = fold(self.safe(choice.text), room)
            item = Text(f" {SIGNS[index]}) ", Style(bold=True, reverse=index == chosen) + press)
            item.append(f"{first} ", style + press)
            for line in rest:
                item.append("\n    ").append(f"{line} ", style + press)
            items.append(item)
        if stacked:
            return [line for item in items for line in item.split("\n", allow_blank=True)]
        lines: list[Text] = []
        for item in items:
            if lines and "\n" not in item.plain and lines[-1].cell_len + item.cell_len + 1 <= width:
                lines[-1].append(" ").append_text(item)
            else:
                lines += item.split("\n", allow_blank=True)
        return lines

    def ending(self, width: int) -> list[str]:
        """Returns the card at the end."""
        score, stop = self._player.score, "。" if self.lang == "zh" else "."
        words = [said("end", self.lang)]
        if score.asked:
            words.append(said("score", self.lang, right=score.right, asked=score.asked) + stop)
        if score.skipped:
            words.append(said("skipped", self.lang, n=score.skipped) + stop)
        return [*fold(self.safe(" ".join(words)), width), *fold(self.said("after"), width)]
