"""Labels broken into lines: between words where it can be, between any two characters of scripts without spaces.

Knows labels and cells; no keys, no tree and no colours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.cells import cell_len

from .labels import Kind, Label, Span

_WORD: Final = re.compile(r" +|[!-~]+|[^ ]")
"""Blanks, a word of ASCII, or another character; words of other scripts are put together by `_words`."""


def wrapped(label: Label, width: int) -> tuple[Label, ...]:
    """Returns a label in lines of at most `width` cells; one that is wider than that is no word but a pill or escape.

    The blanks at which a line ends are left out; a word that is wider than a line is broken.
    """
    if label.cells <= width:
        return (label,)
    lines: list[list[Span]] = [[]]
    room = width
    for word, cells in _words(label.spans):
        blank = word.kind is Kind.TEXT and word.text.isspace()
        if cells > room and lines[-1] and not blank:
            lines.append([])
            room = width
        if cells > width and word.kind is Kind.TEXT and not blank:
            for piece, size in _broken(word.text, width):
                if lines[-1] and size > room:
                    lines.append([])
                    room = width
                lines[-1].append(Span(piece, Kind.TEXT))
                room -= size
            continue
        lines[-1].append(word)
        room -= cells
    return tuple(Label(_tidied(line)) for line in lines)


def _words(spans: Iterable[Span]) -> Iterator[tuple[Span, int]]:
    """Yields what is never broken, if it fits a line, with its cells."""
    for span in spans:
        if span.kind is not Kind.TEXT:
            yield span, cell_len(span.text)
            continue
        word, size = "", 0
        for piece in _WORD.findall(span.text):
            cells = cell_len(piece)
            alone = piece[0] == " " or (len(piece) == 1 and cells == 2)
            if word and (alone or word[0] == " " or (size == 2 and cells and cell_len(word[0]) == 2)):
                yield Span(word, Kind.TEXT), size
                word, size = "", 0
            word, size = word + piece, size + cells
        if word:
            yield Span(word, Kind.TEXT), size


def _broken(word: str, width: int) -> Iterator[tuple[str, int]]:
    """Yields the pieces of a word; a character stays with the marks above it."""
    piece, size = "", 0
    for char in word:
        cells = cell_len(char)
        if size + cells > width:
            yield piece, size
            piece, size = "", 0
        piece, size = piece + char, size + cells
    yield piece, size


def _tidied(line: Sequence[Span]) -> tuple[Span, ...]:
    """Joins neighbours of one kind; the blanks at the end go."""
    spans: list[Span] = []
    for text, kind in line:
        if spans and spans[-1].kind is kind:
            spans[-1] = Span(spans[-1].text + text, kind)
        else:
            spans.append(Span(text, kind))
    if spans and spans[-1].kind is Kind.TEXT:
        spans[-1] = Span(spans[-1].text.rstrip(" "), Kind.TEXT)
    return tuple(span for span in spans if span.text)
