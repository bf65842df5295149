"""Makes docs/gallery/ and docs/gallery.md: the nine steps, a picture of every lesson, the views and the themes.

    python docs/gallery.py

No model is needed, and nothing differs from run to run; a test runs it again.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

from radixchat.chat.cli import export_options
from radixchat.chat.exporting.run import run_export
from radixchat.chat.lessons.loading import load_lesson, shipped

DOCS = Path(__file__).parent
FOLDER = "gallery"
SCREENS = (
    ("screens/120x34-evicted.svg", "the app, after an eviction"),
    ("screens/120x34-figure.svg", "the figure in the app"),
    ("screens/120x34-past.svg", "the app in the past"),
    ("screens/lesson-answer.svg", "a lesson, with a question answered"),
    ("screens/lesson-what-if.svg", "a lesson, asked what if"),
)


class Shot(NamedTuple):
    """A picture: its file, what it is of, how it is exported, and what is said about it."""

    name: str
    what: str
    how: str
    about: str


NINE = (
    Shot("nine-steps-animated-light", "nine-steps", "--animate --seconds 4", "in motion, on light ground"),
    Shot("nine-steps-animated-dark", "nine-steps", "--animate --seconds 4 --theme dark", "in motion, on dark ground"),
    Shot("nine-steps-grid", "nine-steps", "--grid auto --width 174mm", "as one figure, 174 mm wide"),
)
WAYS = (
    Shot("view-figure", "nine-steps", "--step 8", "the figure of the paper"),
    Shot("view-rail", "nine-steps", "--step 8 --view rail", "the outline"),
    Shot("view-ruler", "nine-steps", "--step 8 --view ruler", "the ruler of tokens"),
    Shot("theme-dark", "nine-steps", "--step 8 --theme dark", "dark"),
    Shot("theme-print", "nine-steps", "--step 8 --theme print", "for paper: it reads in grey"),
    Shot("labels-ids", "nine-steps", "--step 4 --labels ids", "token ids in place of text"),
)


def lessons() -> list[Shot]:
    """A picture of the last step of every lesson."""
    return [Shot(f"lesson-{name}", name, "", load_lesson(name).title.text("en")) for name in shipped()]


def draw(shots: tuple[Shot, ...] | list[Shot], folder: Path) -> None:
    """Exports pictures into a folder."""
    for shot in shots:
        words = [str(folder / f"{shot.name}.svg"), *shlex.split(shot.how)]
        run_export(shot.what, export_options(words))


def command(shot: Shot) -> str:
    """Returns what makes a picture, as a person types it."""
    return " ".join(filter(None, ("radixchat export", shot.what, f"-o {shot.name}.svg", shot.how)))


def page() -> str:
    """Returns docs/gallery.md."""
    parts = [
        "# Gallery",
        "Every picture here is what `radixchat export` writes ([export.md](export.md)); `python docs/gallery.py` makes"
        " them\nall again. Open one to read a node's whole text under the pointer.",
        "## The nine steps of RadixAttention",
        *map(_shown, NINE),
        "## Views, themes and labels",
        *map(_shown, WAYS),
        "## The lessons, at their ends",
        *map(_shown, lessons()),
        "## The app",
        "\n".join(f"- [{about}]({path})" for path, about in SCREENS),
    ]
    return "\n\n".join(parts) + "\n"


def _shown(shot: Shot) -> str:
    title = shot.about[:1].upper() + shot.about[1:]
    return f"**{title}**: `{command(shot)}`\n\n![{title}]({FOLDER}/{shot.name}.svg)"


def main() -> None:
    """Everything."""
    folder = DOCS / FOLDER
    folder.mkdir(exist_ok=True)
    draw([*NINE, *WAYS, *lessons()], folder)
    (DOCS / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
