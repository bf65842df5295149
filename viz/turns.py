"""The text of an edge in several lines, one for each turn, as the figure of the RadixAttention paper writes it.

An edge is labelled as a whole (see `labels`), so what spans tokens stays whole; then it is broken after the ends of
lines and of chat-template turns. What is too long loses its middle: a line its inner characters, an edge its inner
lines, which are counted. Knows keys and labels; no tree, no colours.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..radix.keys import Key, count, cut
from .labels import Kind, Label, Labels, Span

READ = 160
"""Tokens read at each end of an edge; what lies between is never shown."""


def turns(labels: Labels, key: Key) -> tuple[Label, ...]:
    """Returns the lines of an edge, none for an empty one; costs the same however long it is.

    A long edge is read at its two ends only, a longer one where texts are abridged; a line that says so stands between
    them.
    """
    if count(key) <= max(2 * READ, labels.read_whole):
        return _broken(labels.whole(key))
    head, tail = _broken(labels.whole(cut(key, 0, READ))), _broken(labels.whole(cut(key, count(key) - READ)))
    more = f"{'...' if labels.ascii else '⋯'} {count(key) - 2 * READ:,} tokens"
    return (*head, Label((Span(more, Kind.CUT),)), *tail)


def _broken(label: Label) -> tuple[Label, ...]:
    """Breaks after each run of ends; ends at the very beginning stay with what follows."""
    spans = label.spans
    lines: list[Label] = []
    start, filled, ended = 0, False, False
    for at, span in enumerate(spans):
        end = ends(span)
        if ended and not end:
            lines.append(Label(spans[start:at]))
            start = at
        filled = filled or not end
        ended = end and filled
    return (*lines, Label(spans[start:])) if spans else ()


def ends(span: Span) -> bool:
    """Returns whether a line or a turn ends with this stretch."""
    text, kind = span
    if kind is Kind.TEXT:
        return False
    return text in ("⏎", r"\n") if kind is Kind.MARK else kind is Kind.PILL and text[1:-1] == "end"


def fewer(lines: Sequence[Label], most: int, *, ascii: bool = False) -> Sequence[Label]:
    """Returns at most `most` lines; those in the middle are counted, or joined with the last when there is no room."""
    if len(lines) <= most:
        return lines
    if most <= 2:
        return [*lines[: most - 1], joined(lines[most - 1 :])]
    head, tail = most // 2, (most - 1) // 2
    left = f"{'...' if ascii else '⋯'} {len(lines) - head - tail} lines"
    return [*lines[:head], Label((Span(left, Kind.CUT),)), *lines[len(lines) - tail :]]


def joined(lines: Sequence[Label]) -> Label:
    """Returns lines as one label."""
    return Label(tuple(span for line in lines for span in line.spans))
