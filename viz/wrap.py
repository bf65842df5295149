"""Labels broken into lines: between words where it can be, between any two characters of scripts without spaces.

Knows labels and cells; no keys, no tree and no colours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len

from .labels import Kind, Label, Span

SEAM: Final = Span("·", Kind.MARK)
"""Stands between two tokens; a line may be broken behind it, and not before."""

_WORD: Final = re.compile(r" +|[!-~]+|[^ ]")
"""Blanks, a word of ASCII, or another character; words of other scripts are put together by `_words`."""

_CLOSING: Final = frozenset("、。，．：；？！）］｝」』】》〉”’…")
"""What begins no line."""


class _Atom(NamedTuple):
    """What is not broken, if it fits a line."""

    spans: tuple[Span, ...]
    cells: int
    blank: bool = False


def wrapped(label: Label, width: int) -> tuple[Label, ...]:
    """Returns a label in lines of at most `width` cells; only a pill or an escape may be wider than that.

    The blanks at which a line ends are left out; a word that is wider than a line is broken.
    """
    if label.cells <= width:
        return (label,)
    if (quick := _at_blanks(label.spans, width)) is not None:
        return quick
    lines: list[list[Span]] = [[]]
    room = width
    for whole in _atoms(label.spans):
        for atom in [whole] if whole.cells <= width or whole.blank else _broken(whole):
            if atom.cells > room and lines[-1] and not atom.blank:  # blanks may hang over the end
                lines.append([])
                room = width
            lines[-1] += atom.spans
            room -= atom.cells
    return tuple(Label(_joined(line)) for line in lines)


def _at_blanks(spans: tuple[Span, ...], width: int) -> tuple[Label, ...] | None:
    """Does the same for the usual case, words of ASCII between marks, in a tenth of the time; None for all others."""
    lead, trail = spans[0].kind is Kind.MARK, spans[-1].kind is Kind.MARK
    words = spans[lead : len(spans) - trail]
    if len(words) != 1 or words[0].kind is not Kind.TEXT or not words[0].text.isascii():
        return None
    text, kind = words[0]
    before, after = (len(spans[0].text) if lead else 0), (len(spans[-1].text) if trail else 0)
    lines: list[Label] = []
    begun = spans[:lead]
    start, room, end = 0, width - before, len(text) + after
    while end - start > room:
        at = text.rfind(" ", start, start + room + 1)
        line = text[start:at].rstrip(" ") if at > 0 else ""
        if not line:
            return None
        lines.append(Label((*begun, Span(line, kind))))
        begun = ()
        start, room = at + 1, width
        while text.startswith(" ", start):
            start += 1
    last = (Span(text[start:], kind),) if start < len(text) else ()
    return (*lines, Label((*begun, *last, *spans[len(spans) - trail :])))


def _atoms(spans: Iterable[Span]) -> Iterator[_Atom]:
    """Yields words with the marks on them: ⏎ stays with the word before, ␣ at the beginning with the one behind."""
    last: _Atom | None = None
    for atom in _pieces(spans):
        if last is not None and not last.blank and not atom.blank and _holds(last.spans, atom.spans[0]):
            last = _Atom((*last.spans, *atom.spans), last.cells + atom.cells)
            continue
        if last is not None:
            yield last
        last = atom
    if last is not None:
        yield last


def _holds(spans: Sequence[Span], after: Span) -> bool:
    if spans[-1] is SEAM:
        return False
    return after.kind is Kind.MARK or (len(spans) == 1 and spans[0].kind is Kind.MARK and after.kind is Kind.TEXT)


def _pieces(spans: Iterable[Span]) -> Iterator[_Atom]:
    for span in spans:
        if span.kind is not Kind.TEXT:
            yield _Atom((span,), cell_len(span.text))
            continue
        for word in _words(span.text):
            yield _Atom((Span(word, Kind.TEXT),), cell_len(word), word[0] == " ")


def _words(text: str) -> Iterator[str]:
    """Yields words, runs of blanks, and single characters of wide scripts with their marks and what closes them."""
    word, wide = "", False
    for piece in _WORD.findall(text):
        cells = cell_len(piece)
        alone = piece[0] == " " or (cells == 2 and len(piece) == 1)
        if word and cells and piece not in _CLOSING and (alone or wide or word[0] == " "):
            yield word
            word = ""
        word, wide = word + piece, alone if cells else wide
    if word:
        yield word


def _broken(atom: _Atom) -> Iterator[_Atom]:
    """Yields the characters of what is too wide, with the marks on them; pills and escapes stay whole."""
    for text, kind in atom.spans:
        if kind not in (Kind.TEXT, Kind.MARK):
            yield _Atom((Span(text, kind),), cell_len(text))
            continue
        start = 0
        for at in range(1, len(text) + 1):
            if at == len(text) or cell_len(text[at]):
                yield _Atom((Span(text[start:at], kind),), cell_len(text[start:at]))
                start = at


def _joined(line: Sequence[Span]) -> tuple[Span, ...]:
    """Joins neighbours of one kind; the blanks at the end go."""
    texts: list[tuple[Kind, list[str]]] = []
    for text, kind in line:
        if texts and texts[-1][0] is kind:
            texts[-1][1].append(text)
        else:
            texts.append((kind, [text]))
    spans = [Span("".join(parts), kind) for kind, parts in texts]
    if spans and spans[-1].kind is Kind.TEXT:
        spans[-1] = Span(spans[-1].text.rstrip(" "), Kind.TEXT)
    return tuple(span for span in spans if span.text)
