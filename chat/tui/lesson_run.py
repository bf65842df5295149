"""Opens a lesson in the app; or says in two lines why it cannot be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import load_config
from ..lessons.loading import load_lesson
from ..lessons.notes import Beacon
from ..lessons.player import Level
from .lesson import LessonApp
from .run import check_terminal, style

if TYPE_CHECKING:
    from ..lessons.running import Stage


def run_lesson(
    name: str,
    *,
    model: str = "words",
    lang: str = "en",
    level: str = "intro",
    questions: bool = True,
    auto: float | None = None,
    step: int | None = None,
    theme: str | None = None,
    view: str | None = None,
    color: str = "auto",
    ascii: bool = False,
) -> int:
    """Plays a lesson; returns the exit code.

    Args:
        name: Of a shipped lesson, or a file.
        model: "words" for none, radish, a folder, or a hub id.
        lang: Two letters; what is missing in that language is told in English.
        level: As in `Level`.
        questions: Whether questions are asked.
        auto: Seconds of automatic play; None waits for keys.
        step: Where to begin; 0, or None, is the title card.
        theme: Colours of the app; None is that of the settings, else what suits the terminal.
        view: How the tree is drawn; None is the figure where it fits, and blocks for a lesson about those.
        color: "auto", "always" or "never".
        ascii: Whether to draw with ASCII characters only.

    Raises:
        UserError: there is no such lesson, or the app cannot be shown here.
    """
    check_terminal("Use `radixchat lesson NAME --plain`.")
    lesson = load_lesson(name)
    config = load_config().given(theme=theme, ascii=ascii or None)
    look, theme = style(config, color)

    def stage() -> Stage:
        from ..lessons.running import Stage

        return Stage(lesson, model)

    beacon = Beacon()
    usual = "blocks" if lesson.cache.kind == "hash" else "auto"
    app = LessonApp(
        lesson, stage, model=model, lang=lang, level=Level(level), questions=questions, auto=auto, step=step,
        view=view or usual, beats=config.beats, look=look, theme=theme, moved=beacon.tell,
    )  # fmt: skip
    try:
        app.run()
    finally:
        beacon.close()
    return int(app.return_code or 0)
