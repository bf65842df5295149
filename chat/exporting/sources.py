"""What is exported: a recording, the newest one, or a lesson that is run for it; each becomes an album of steps.

Knows no format, no file that is written and no screen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from ...radix.recording import Recording, RecordingError, load
from ...radix.travel import Travel, diff
from ...viz import sanitize
from ...viz.album import Album, Panel, album_of
from ...viz.story import tell_diff
from ..errors import UsageError, UserError
from ..journal import find
from .options import Options, Steps

if TYPE_CHECKING:
    from ..lessons.running import Run

Wanted = Callable[[list[int]], list[int]]
"""Which of the steps there are shall be exported. Raises UsageError for those that there are not."""


class Source(NamedTuple):
    """An album, and what to say about it."""

    album: Album
    notes: tuple[str, ...] = ()


def open_source(what: str, asked: Options, wanted: Wanted) -> Source:
    """Returns the album of a recording or a lesson.

    Args:
        what: `last`, a recording, the name of a lesson, or the file of one.
        asked: How it is exported.
        wanted: Chooses among the steps.

    Raises:
        UserError: there is no such thing, or it is damaged.
        ModelError: the model of a lesson cannot be loaded.
    """
    from ..lessons.loading import ENDINGS, load_lesson, shipped

    if what.endswith(ENDINGS) or what in shipped():
        return _lesson(what, asked, wanted)
    if what != "last" and "/" not in what and not what.endswith(".jsonl") and not os.path.exists(what):
        load_lesson(what)  # says which lessons there are, and which one may be meant
    if asked.model != "words":
        raise UsageError("--model is for lessons: a recording is what it is", "Leave --model out.")
    recording, notes = _recording(what, asked)
    return Source(album_at(recording, asked, wanted), notes)


# -- recordings ----------------------------------------------------------------------------------------------------


def album_at(recording: Recording, asked: Options, wanted: Wanted, position: int | None = None) -> Album:
    """Returns the album of a recording.

    Args:
        recording: Read by this thread alone.
        asked: How it is exported.
        wanted: Chooses among the steps.
        position: Nothing after this moment is exported; None is the end. Where it is in the middle of a step, that
            step is drawn as it was then.

    Raises:
        UserError: no such step, or an event that does not fit.
    """
    travel = Travel(recording)
    position = travel.end if position is None else min(position, travel.end)
    starts = {number: start for number, start in travel.steps() if start < position}
    numbers = wanted([0, *starts])
    try:
        album = album_of(recording, steps=numbers, lang=asked.lang)
        panels = [_cut_off(panel, recording, starts[panel.number], position, album) for panel in album.panels]
        if 0 in numbers:
            panels.insert(0, Panel(0, recording.at(travel.end_of(0)), None, _STEP[album.lang].format(0), ""))
    except RecordingError as error:
        raise _damaged(recording, error) from None
    return _relabelled(replace(album, panels=tuple(panels)), asked)


_STEP: Final = {"en": "step {}", "zh": "第 {} 步"}
_EVENT: Final = {"en": "{}, event {:,}", "zh": "{}，事件 {:,}"}


def _cut_off(panel: Panel, recording: Recording, start: int, position: int, album: Album) -> Panel:
    """Returns a panel that shows nothing of what came after a moment in its step, which begins at `start`."""
    end = next(step.end for step in recording.steps if step.start == start)
    if end <= position:
        return panel
    told = tell_diff(diff(recording, start, position), recording.pieces, look=album.look, lang=album.lang)[1:]
    return replace(
        panel,
        snapshot=recording.at(position),
        title=_EVENT[album.lang].format(panel.title, position),
        story=" · ".join(told),
    )


def _recording(what: str, asked: Options) -> tuple[Recording, tuple[str, ...]]:
    """Reads a recording; of a damaged one, what comes before the damage, where a step of that is asked for."""
    try:
        recording = load(find(what))
    except RecordingError as error:
        if asked.step is None:
            raise _readable(what, error) from None
        recording = _before_damage(what, asked.step, error)
        return recording, (f"{error.what}; what comes before it was exported",)
    cut = ("The recording stops in the middle: its writer was interrupted, or it reached its limit.",)
    return recording, cut if recording.truncated else ()


def _before_damage(what: str, step: Steps, damage: RecordingError) -> Recording:
    """Returns the whole steps of a damaged recording. Raises UserError when those asked for are not among them."""
    try:
        recording = load(find(what), before_damage=True)
    except RecordingError as error:
        raise UserError(error.what, error.fix) from None
    steps = recording.steps
    if len(steps) < 2 or not steps[0].number <= step.first <= step.last <= steps[-2].number:
        raise _readable(what, damage)
    del recording.events[steps[-1].start :]
    return recording


def _readable(what: str, error: RecordingError) -> UserError:
    """Says that a recording is damaged, and which steps of it can be exported."""
    try:
        steps = load(find(what), before_damage=True).steps[:-1]
    except RecordingError:
        return UserError(error.what, error.fix)
    if not steps:
        return UserError(error.what, error.fix)
    return UserError(error.what, f"Steps {steps[0].number} to {steps[-1].number} are whole: export one with --step.")


def _damaged(recording: Recording, error: RecordingError) -> UserError:
    """The same for an event that does not fit the tree before it."""
    whole = 0
    for step in recording.steps:
        try:
            recording.at(step.end)
        except RecordingError:
            break
        whole = step.number
    fix = f"The steps up to {whole} are whole: export one with --step." if whole else error.fix
    return UserError(error.what, fix)


# -- lessons -------------------------------------------------------------------------------------------------------


def _lesson(name: str, asked: Options, wanted: Wanted) -> Source:
    from ..lessons.loading import load_lesson
    from ..lessons.running import Stage
    from ..lessons.speech import say

    lesson = load_lesson(name)
    numbers = wanted(list(range(1, len(lesson.steps) + 1)))
    run = Stage(lesson, asked.model).run(upto=max(numbers))
    album = album_of(run.recording, steps=numbers, lang=asked.lang)
    facts = {"lesson": sanitize(lesson.title.text(asked.lang)), **album.facts}
    untold = () if asked.lang in lesson.languages else (say("en", "untold", lang=asked.lang),)
    album = replace(
        album,
        panels=tuple(_told(run, panel, asked.lang) for panel in album.panels),
        look_abridged=run.abridged,
        facts=facts,
        bytes_per_token=run.bytes_per_token,
    )
    return Source(_relabelled(album, asked), (*run.notes, *untold))


def _told(run: Run, panel: Panel, lang: str) -> Panel:
    """Returns a panel as the lesson tells it: with its letters, its title and what is said."""
    from ..lessons.facts import fill
    from ..lessons.speech import say

    number = panel.number
    step = run.steps[number - 1].step
    lettered = any(each.letters for each in run.steps)
    return replace(
        panel,
        letters=run.drawn(number) if lettered else None,
        title=sanitize(say(lang, "panel", step=number, title=step.title.text(lang))),
        story=sanitize(fill(step.say.text(lang), run, number)) if step.say is not None else panel.story,
    )


def _relabelled(album: Album, asked: Options) -> Album:
    """Notes the texts that stand for nodes' own. Raises UsageError for a node that is in no panel."""
    if not asked.fold and not asked.relabel:
        return album
    known = {node.id for panel in album.panels for node in panel.snapshot.nodes()}
    known |= {stone.node for panel in album.panels for stone in panel.snapshot.tombstones}
    for node in [*asked.fold, *(node for node, _ in asked.relabel)]:
        if node not in known:
            most = f" It has {_some(sorted(known))}." if known else " It is empty."
            raise UsageError(f"no exported tree has a node #{node}", f"Name another one.{most}")
    return replace(album, relabels={node: sanitize(text) for node, text in asked.relabel})


def _some(ids: list[int]) -> str:
    shown = ", ".join(f"#{id}" for id in ids[:12])
    return shown if len(ids) <= 12 else f"{shown} and {len(ids) - 12} more"
