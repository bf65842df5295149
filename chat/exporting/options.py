"""What somebody asks an export for: the options, read from words, and what they mean together.

Knows no format's writer and no recording.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import isfinite
from typing import Final, NamedTuple

from ..errors import UsageError

VIEWS: Final = ("figure", "rail", "ruler", "blocks")
THEMES: Final = ("light", "dark", "auto", "print")
LABELS: Final = ("text", "tokens", "ids")
LAYOUTS: Final = ("fixed", "compact")
RENDERERS: Final = ("own", "dot")

_MM: Final = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72}
_LARGEST: Final = 10_000.0  # mm, and as an aspect, so that no number overflows


class Steps(NamedTuple):
    """A step, or those from one to another."""

    first: int
    last: int


class Grid(NamedTuple):
    """Panels side by side and below each other; None: as many as let the text be large."""

    columns: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How to export; a field's default stands for an option that was not given.

    Each field is an option of the command line; `names` says which.
    """

    output: str
    format: str | None = None  # None: the file's ending tells it
    step: Steps | None = None
    every: bool = False
    animate: bool = False
    grid: Grid | None = None
    view: str = "figure"
    theme: str | None = None  # None: as is usual for the format
    labels: str = "text"
    legend: bool = True
    aspect: float | None = None  # width over height
    width: float | None = None  # mm
    layout: str | None = None  # None: fixed for several steps of a series, compact for one
    fold: frozenset[int] = frozenset()
    relabel: tuple[tuple[int, str], ...] = ()
    caption: str | None = None  # None: what was recorded, and how
    captioned: bool = True
    lang: str = "en"
    model: str = "words"
    renderer: str = "own"
    scale: float = 2.0
    seconds: float = 2.0
    clobber: bool = True

    def given(self) -> list[str]:
        """Returns the names of the fields that are not as they are by default, but for those that fit every format."""
        return [each.name for each in fields(self) if getattr(self, each.name) != each.default and each.name in NAMES]


NAMES: Final = {
    "animate": "--animate", "grid": "--grid", "view": "--view", "theme": "--theme", "labels": "--labels",
    "legend": "--no-legend", "aspect": "--aspect", "width": "--width", "layout": "--layout", "fold": "--fold",
    "relabel": "--relabel", "caption": "--caption", "captioned": "--no-caption", "renderer": "--renderer",
    "scale": "--scale", "seconds": "--seconds",
}  # fmt: skip
"""How a person writes the options that not every format takes."""


def options(
    *, output: str, format: str | None, step: str | None, every: bool, animate: bool, grid: str | None, view: str,
    theme: str | None, labels: str, legend: bool, aspect: str | None, width: str | None, layout: str | None,
    fold: str | None,
    relabel: Sequence[str] | None, caption: str | None, no_caption: bool, lang: str, model: str, renderer: str,
    scale: float, seconds: float, no_clobber: bool,
) -> Options:  # fmt: skip
    """Reads the options of the command line.

    Raises:
        UsageError: one that cannot be read, or two that mean nothing together.
    """
    asked = Options(
        output=output,
        format=format,
        step=_steps(step),
        every=every,
        animate=animate,
        grid=_grid(grid),
        view=one_of("view", view, VIEWS),
        theme=None if theme is None else one_of("theme", theme, THEMES),
        labels=one_of("labels", labels, LABELS),
        legend=legend,
        aspect=_aspect(aspect),
        width=_width(width),
        layout=None if layout is None else one_of("layout", layout, LAYOUTS),
        fold=_ids(fold),
        relabel=tuple(map(_relabel, relabel or ())),
        caption=caption,
        captioned=not no_caption,
        lang=lang.lower(),
        model=model,
        renderer=one_of("renderer", renderer, RENDERERS),
        scale=_between("--scale", scale, 0.1, 20),
        seconds=_between("--seconds", seconds, 0.1, 600),
        clobber=not no_clobber,
    )
    check_together(asked)
    return asked


def check_together(asked: Options) -> None:
    """Raises UsageError for options that mean nothing together."""
    if len(asked.lang) != 2 or not asked.lang.isascii() or not asked.lang.isalpha():
        raise UsageError(f"{asked.lang!r} is no language of two letters", "Write it like --lang zh.")
    if asked.step is not None and asked.every:
        raise UsageError("--step names steps, and --all means every one", "Give one of them.")
    if asked.animate and asked.grid is not None:
        raise UsageError("--animate shows one step after the other, --grid all at once", "Give one of them.")
    if asked.animate and asked.step is not None and asked.step.first == asked.step.last:
        raise UsageError(f"one step does not move: --step {asked.step.first}", "Give several, as in --step 1-4.")
    if not asked.captioned and asked.caption is not None:
        raise UsageError("--no-caption leaves out what --caption says", "Give one of them.")
    if asked.layout == "compact" and asked.animate:
        raise UsageError("in an animation no node may jump, as --layout compact lets them", "Leave --layout out.")
    if asked.view != "figure":
        others = ("fold", "relabel") if asked.view == "blocks" else ("renderer",)
        for name in ("animate", "grid", "labels", "aspect", "layout", *others):
            if name in asked.given():
                raise UsageError(
                    f"{NAMES[name]} is for {'trees' if name in ('fold', 'relabel') else 'the figure'}, "
                    f"not for --view {asked.view}",
                    f"Leave {NAMES[name]} out.",
                )
    if asked.renderer == "dot":
        for name in ("animate", "grid", "layout", "aspect", "width", "legend"):
            if name in asked.given():
                raise UsageError(f"{NAMES[name]} is not for --renderer dot", f"Leave {NAMES[name]} out.")


def one_of(what: str, value: str, choices: Sequence[str]) -> str:
    """Returns a value that is one of the choices. Raises UsageError for another one."""
    if value not in choices:
        raise UsageError(f"there is no {what} {value!r}", f"Choose one of {', '.join(choices)}.")
    return value


def _steps(text: str | None) -> Steps | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", text)
    if not found or int(found[2] or found[1]) < int(found[1]):
        raise UsageError(f"{text!r} is no step and no range of steps", "Write it like --step 3 or --step 3-6.")
    return Steps(int(found[1]), int(found[2] or found[1]))


def _grid(text: str | None) -> Grid | None:
    if text is None:
        return None
    if text == "auto":
        return Grid()
    found = re.fullmatch(r"([1-9][0-9]{0,2})[x×]([1-9][0-9]{0,2})", text)
    if not found:
        raise UsageError(f"{text!r} is no grid", "Write columns x rows, like --grid 3x3, or auto.")
    return Grid(int(found[1]), int(found[2]))


def _aspect(text: str | None) -> float | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9.]{1,9})[:/]([0-9.]{1,9})", text)
    value = _ratio(*found.groups()) if found else None
    if value is None or not 1 / _LARGEST <= value <= _LARGEST:
        raise UsageError(f"{text!r} is no aspect", "Write width and height, like --aspect 16:9.")
    return value


def _ratio(above: str, below: str) -> float | None:
    try:
        return float(above) / float(below)
    except (ValueError, ZeroDivisionError):
        return None


def _width(text: str | None) -> float | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9.]{1,9})\s*(mm|cm|in|pt)", text.strip())
    size = _ratio(found[1], "1") if found else None
    if found is None or not size or size * _MM[found[2]] > _LARGEST:
        raise UsageError(f"{text!r} is no width", "Write it like --width 84mm (or cm, in, pt).")
    return size * _MM[found[2]]


def _ids(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset()
    words = [word.removeprefix("#") for word in re.split(r"[,\s]+", text.strip()) if word]
    if not words or not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"{text!r} names no nodes", "Write their numbers, like --fold 3,7.")
    return frozenset(int(word[:18]) for word in words)


def _relabel(text: str) -> tuple[int, str]:
    node, equals, label = text.partition("=")
    node = node.strip().removeprefix("#")
    if not equals or not (node.isascii() and node.isdigit()):
        raise UsageError(f"{text!r} relabels nothing", 'Write a node\'s number and its text, like --relabel 3="Q1".')
    return int(node[:18]), label


def _between(name: str, value: float, least: float, most: float) -> float:
    if not isfinite(value) or not least <= value <= most:
        raise UsageError(f"{name} {value:g} is too {'small' if value < least else 'large'}", f"{least:g} to {most:g}.")
    return value
