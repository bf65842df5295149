"""What stands on the edges of an exported picture: the lines of text, tokens or ids, each written once.

Knows keys, twigs and labels; no sizes in px, no places and no colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from ..radix.keys import Key, as_array, count, cut
from .labels import Kind, Label, Labels, Span, label
from .picture import Look
from .sentences import PICTURES, spoken
from .states import UNCACHED
from .turns import READ, ends, fewer, joined, turns
from .twigs import RowKind, Twig
from .wrap import SEAM, wrapped

Writing = Literal["text", "tokens", "ids"]

MOST_LINES = 12
"""Lines of an edge."""

_REST = 14  # cells of what is not cached yet


class Lines(NamedTuple):
    """The lines of an edge, and how wide each is."""

    labels: Sequence[Label]
    cells: Sequence[int]

    @classmethod
    def of(cls, labels: Sequence[Label]) -> Lines:
        """Measures lines."""
        return cls(labels, tuple([line.cells for line in labels]))


class Edges:
    """Writes the edges of an album.

    Args:
        pieces: The bytes of each token id.
        look: How labels are written.
        writing: What stands on edges: text, text token by token, or token ids.
        relabels: What stands on the edges of some nodes instead, by id.
    """

    def __init__(
        self, pieces: Mapping[int, bytes], look: Look, writing: Writing = "text", relabels: Mapping[int, str] = {}
    ) -> None:
        self._labels = Labels.of(pieces, look)
        self._real = Labels(pieces, pills=False)
        self._write = {"text": self._text, "tokens": self._tokens, "ids": self._ids}[writing]
        self._as_is = writing == "text" and not look.abridged
        self._relabels = relabels
        self._turns: dict[Key | int, Sequence[Label]] = {}
        self._lines: dict[tuple[Key | int, Key, int], Lines] = {}
        self._whole: dict[Key, str] = {}
        self._evicted = Label((Span(PICTURES[spoken(look.lang, ascii=False)]["evicted"], Kind.MARK),))

    def lines(self, twig: Twig, wrap: int) -> Lines:
        """Returns the lines of an edge, one at least; a line may be empty."""
        name = twig.id if twig.id is not None and twig.id in self._relabels else twig.key
        known = self._lines.get((name, twig.uncached, wrap))
        if known is None:
            lines = [line for turn in self._turned(name) for line in wrapped(turn, wrap)] or [Label(())]
            if twig.uncached:
                lines = _with_rest(lines, self._rest(twig.uncached), wrap)
            known = self._lines[name, twig.uncached, wrap] = Lines.of(fewer(lines, MOST_LINES))
        return known

    def wanted(self, twig: Twig, wrap: int) -> int:
        """Returns how many lines an edge wants; a tombstone says that it is one, and something of what it said."""
        lines = self.lines(twig, wrap).labels
        if twig.kind is RowKind.TOMBSTONE:
            return 2 if any(line.spans for line in lines) else 1
        return len(lines)

    def written(self, twig: Twig, wrap: int, room: int) -> Lines:
        """Returns the lines of an edge that has so many to write on; what was evicted says so first."""
        known = self.lines(twig, wrap)
        if twig.kind is not RowKind.TOMBSTONE:
            return known
        lines, most = known.labels, room - 1
        if len(lines) > most:
            lines = fewer(lines, most) if most > 2 else [joined(lines)] if most else []
        return Lines.of([self._evicted, *(line.fit(wrap) for line in lines)])

    def whole(self, key: Key) -> str:
        """Returns the real text of a key in one line, printable."""
        known = self._whole.get(key)
        if known is None:
            known = self._whole[key] = self._read(key) or self._real.whole(key).plain
        return known

    def _read(self, key: Key) -> str:
        """Returns what was written on an edge already, if that is all of it and as it is."""
        lines = self._turns.get(key, ()) if self._as_is and count(key) <= 2 * READ else ()
        pill, texts = Kind.PILL, []
        for line in lines:
            for text, kind in line.spans:
                if kind is pill:
                    return ""
                texts.append(text)
        return "".join(texts)

    def _turned(self, name: Key | int) -> Sequence[Label]:
        known = self._turns.get(name)
        if known is None:
            known = (label(self._relabels[name]),) if isinstance(name, int) else self._write(name)
            self._turns[name] = known
        return known

    def _text(self, key: Key) -> Sequence[Label]:
        return turns(self._labels, key)

    def _tokens(self, key: Key) -> Sequence[Label]:
        """Writes each token for itself, so that one may be half a character."""
        lines: list[list[Span]] = [[]]
        ended = False
        for token in _each(key):
            spans = (token,) if isinstance(token, Span) else self._real.whole(token).spans
            end = bool(spans) and ends(spans[-1])
            if ended and not end:
                lines.append([])
            if lines[-1]:
                lines[-1].append(SEAM)
            lines[-1] += spans
            ended = end
        return [Label(tuple(line)) for line in lines]

    def _ids(self, key: Key) -> Sequence[Label]:
        spans: list[Span] = []
        for token in _each(key):
            spans += [Span(" ", Kind.TEXT)] if spans else []
            spans.append(token if isinstance(token, Span) else Span(str(as_array(token)[0]), Kind.TEXT))
        return [Label(tuple(spans))]

    def _rest(self, key: Key) -> Label:
        """Returns what has no KV yet, as marks."""
        return Label((Span(UNCACHED.glyph + self._labels.fit(key, _REST).plain, Kind.MARK),))


def _each(key: Key) -> Sequence[Key | Span]:
    """Returns the tokens of a key; of a long one those at both ends, and between them how many there are more."""
    tokens = count(key)
    if tokens <= 2 * READ:
        return [cut(key, at, at + 1) for at in range(tokens)]
    more = Span(f"⋯ {tokens - 2 * READ:,} tokens", Kind.CUT)
    return [*_each(cut(key, 0, READ)), more, *_each(cut(key, tokens - READ))]


def _with_rest(lines: Sequence[Label], rest: Label, wrap: int) -> list[Label]:
    last = lines[-1]
    if last.cells + 1 + rest.cells > wrap:
        return [*lines, rest]
    return [*lines[:-1], Label((*last.spans, Span(" ", Kind.TEXT), *rest.spans))]
