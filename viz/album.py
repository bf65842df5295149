"""Albums: what a file of pictures shows, whatever it was made from: a recording, a lesson, a part of either.

An album is plain data: the panels (one for each step), the bytes of the tokens, and what is known about where all this
comes from. Writers take nothing else. Knows no layout, no format and no colours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..radix.recording import SCHEMA, Recording
from ..radix.snapshots import Snapshot
from ..radix.travel import diff
from .labels import label
from .picture import Look
from .sentences import spoken
from .story import tell_diff


@dataclass(frozen=True, slots=True)
class Panel:
    """One step."""

    number: int  # as the recording counts steps
    snapshot: Snapshot  # at the step's end
    letters: Mapping[int, str] | None  # None: nodes are called #id; else only those with a letter have a name
    title: str  # one line: "Step 4: a second conversation begins", or "step 4"
    story: str  # a full sentence or three: what changed


@dataclass(frozen=True, slots=True)
class Album:
    """The panels of one file, in order, and what they have in common."""

    panels: tuple[Panel, ...]
    pieces: Mapping[int, bytes]  # the bytes of each token id
    look_abridged: tuple[tuple[str, str], ...] = ()  # texts, and what stands for each; for a `Look`
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # for captions, in order; no time
    bytes_per_token: int = 0  # of K and V over all layers; 0: not known
    lang: str = "en"
    relabels: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))  # node id -> text of its edge

    @property
    def look(self) -> Look:
        """How labels and sentences are written."""
        return Look(lang=self.lang, abridged=self.look_abridged)


def album_of(recording: Recording, *, steps: Collection[int] | None = None, lang: str = "en") -> Album:
    """Makes an album of a recording, a panel for each step.

    Args:
        recording: What to show.
        steps: Numbers of the steps wanted; None is all. What comes after the last of them is not read.
        lang: "zh" for Chinese; English else.

    Raises:
        RecordingError: an event of one of these steps does not fit the tree it finds.
    """
    lang = spoken(lang, ascii=False)
    look = Look(lang=lang)
    wanted = [step for step in recording.steps if steps is None or step.number in steps]
    panels = []
    for step in wanted:
        told = tell_diff(diff(recording, step.start, step.end), recording.pieces, look=look, lang=lang)[1:]
        title = f"第 {step.number} 步" if lang == "zh" else f"step {step.number}"
        panels.append(Panel(step.number, recording.at(step.end), None, title, _sentences(told, lang)))
    if not panels and steps is None:  # nothing was asked yet
        panels.append(Panel(0, recording.at(len(recording.events)), None, "第 0 步" if lang == "zh" else "step 0", ""))
    return Album(
        panels=tuple(panels),
        pieces=recording.pieces,
        facts=facts_of(recording),
        bytes_per_token=recording.header.bytes_per_token,
        lang=lang,
    )


def facts_of(recording: Recording) -> dict[str, str]:
    """Returns what a recording says about itself: safe to print, the same from run to run."""
    header, config = recording.header, recording.header.config
    facts = {
        "program": header.program,
        "format": str(SCHEMA),
        "cache": header.cache,
        "model": header.model,
        "tokenizer": header.tokenizer,
        "capacity": f"{config.capacity:,} tokens",
        "preset": config.preset,
        "block size": str(config.page_size) if config.preset else "",
        "page size": str(config.page_size) if config.page_size > 1 and not config.preset else "",
        "policy": "" if config.preset else config.policy,
        "bytes per token": f"{header.bytes_per_token:,}" if header.bytes_per_token else "",
    }
    return {name: label(value).plain for name, value in facts.items() if value}


def _sentences(lines: Collection[str], lang: str) -> str:
    """Joins lines that were told one below the other."""
    stop, between = ("。", "") if lang == "zh" else (".", " ")
    return between.join(line if line.endswith((stop, ":")) else line + stop for line in map(_upper, lines) if line)


def _upper(line: str) -> str:
    return line[:1].upper() + line[1:]
