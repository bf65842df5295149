"""From the tokens on an edge to a label: one line, nothing hidden, folded and shortened to fit.

The pieces of an edge are joined as bytes and decoded as a whole, never token by token: a character may span tokens,
and a split may cut one (then its bytes are escapes). Whitespace and controls are shown, chat-template tokens become
pills (``‹user›``), and a label that is too long loses its middle: its head says what it is, its tail is where siblings
diverge. A text may be abridged: then something shorter stands for it wherever a key holds all of it.
Knows token ids and bytes; no tokenizer, no tree and no colours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from rich.cells import cell_len

from ..radix.keys import Key, as_array, count, cut
from .picture import Look
from .sanitize import decode, hidden_in, visible

_KEPT: Final = 2000  # labels, to be used again
_WHOLE: Final = 4000  # tokens up to which a key is read whole where texts are abridged
_LETTER: Final = 6  # cells of a letter, which may be any short name


class Kind(Enum):
    """What a stretch of a label is; painters may set them apart."""

    TEXT = "text"  # as it stands in the edge
    MARK = "mark"  # whitespace made visible: ⏎ → ␣
    ESCAPE = "escape"  # a control character, a hidden one, a byte that is no UTF-8, or an unknown token
    PILL = "pill"  # a chat-template token
    CUT = "cut"  # where text was left out


class Span(NamedTuple):
    """A stretch of a label."""

    text: str  # printable, one line
    kind: Kind


class Label(NamedTuple):
    """Text of one line, safe to print anywhere, in stretches."""

    spans: tuple[Span, ...]

    @property
    def plain(self) -> str:
        """The text alone."""
        return "".join(span.text for span in self.spans)

    @property
    def cells(self) -> int:
        """Terminal cells it takes."""
        cells = 0
        for text, _ in self.spans:
            cells += len(text) if text.isascii() else cell_len(text)
        return cells

    def fit(self, width: int, *, ascii: bool = False) -> Label:
        """Returns the label in at most `width` cells, shortened in the middle when it must be."""
        if self.cells <= width:
            return self
        return _elide(self, self, width, "..." if ascii else "…")


class Labels:
    """Writes labels for the edges of one tokenizer.

    Args:
        pieces: The bytes of each token id. An id that is missing shows as ``‹id›``.
        pills: Whether chat-template tokens are folded.
        ascii: Whether labels consist of printable ASCII only.
        abridged: Texts and what stands for each; where several begin at one place, the longest is taken.
    """

    def __init__(
        self,
        pieces: Mapping[int, bytes],
        *,
        pills: bool = True,
        ascii: bool = False,
        abridged: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.pieces = pieces
        self.pills = pills
        self.ascii = ascii
        self.abridged = tuple(abridged)
        self._known: dict[tuple[Key, int], Label] = {}
        self._short = {text: short for text, short in reversed(self.abridged) if text}
        longest = sorted(self._short, key=len, reverse=True)
        self._long = re.compile("|".join(map(re.escape, longest))) if longest else None

    @classmethod
    def of(cls, pieces: Mapping[int, bytes], look: Look) -> Labels:
        """Returns the labels of a look."""
        return cls(pieces, pills=look.pills, ascii=look.ascii, abridged=look.abridged)

    def are(self, pieces: Mapping[int, bytes], look: Look) -> bool:
        """Returns whether these are the labels of a look."""
        mine = (self.pills, self.ascii, self.abridged)
        return self.pieces is pieces and mine == (look.pills, look.ascii, look.abridged)

    @property
    def read_whole(self) -> int:
        """Tokens up to which a key must be read whole: an abridged text may stand anywhere in it."""
        return _WHOLE if self._long else 0

    def whole(self, key: Key) -> Label:
        """Returns the label of all tokens of a key; costs its length."""
        return _label(self._texts(key), self.pills, self.ascii)

    def fit(self, key: Key, width: int) -> Label:
        """Returns the label of a key in at most `width` cells; costs the width, however long the key is."""
        known = self._known.get((key, width))
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[key, width] = self._fit(key, width)
        return known

    def _fit(self, key: Key, width: int) -> Label:
        reach = 2 * width + 8  # tokens that should fill the width; some have no cells
        tokens = count(key)
        if tokens > max(2 * reach, self.read_whole) and width > 0:
            head, tail = self.whole(cut(key, 0, reach)), self.whole(cut(key, tokens - reach))
            if head.cells >= width and tail.cells >= width:
                return _elide(head, tail, width, "..." if self.ascii else "…")
        return self.whole(key).fit(width, ascii=self.ascii)

    def _texts(self, key: Key) -> Iterator[str | Span]:
        """Yields the text of each run of known tokens, and a span for each unknown one."""
        tokens = as_array(key).tolist()
        known = [piece for piece in map(self.pieces.get, tokens) if piece is not None]
        if len(known) == len(tokens):  # as nearly always
            yield self._decoded(known)
            return
        known.clear()
        for token in tokens:
            if (piece := self.pieces.get(token)) is not None:
                known.append(piece)
                continue
            yield self._decoded(known)
            known.clear()
            yield Span(_quote(str(token), self.ascii), Kind.ESCAPE)
        yield self._decoded(known)

    def _decoded(self, known: Iterable[bytes]) -> str:
        """Returns the text of tokens, abridged."""
        text = decode(b"".join(known))
        return text if self._long is None else self._long.sub(lambda found: self._short[found[0]], text)


def label(text: str | bytes, *, pills: bool = False, ascii: bool = False) -> Label:
    """Returns the label of any other text: a title, a file name, a namespace."""
    return _label([decode(text) if isinstance(text, bytes) else text], pills, ascii)


def lettered(letters: Mapping[int, str] | None, *, ascii: bool, width: int = _LETTER) -> dict[int, str]:
    """Returns letters, or other names, of nodes by id: safe to print, each in at most `width` cells."""
    return {id: label(name, ascii=ascii).fit(width, ascii=ascii).plain for id, name in (letters or {}).items()}


PILLS: Final[tuple[tuple[str, str | None], ...]] = (
    # a pattern and the pill's name; None: the name is the pattern's group
    (r"<\|im_start\|>([a-z_]{1,20})\n?", None),  # ChatML: Qwen, SmolLM
    (r"<\|start_header_id\|>([a-z_]{1,20})<\|end_header_id\|>(?:\n\n)?", None),  # Llama 3
    (r"<start_of_turn>([a-z_]{1,20})\n?", None),  # Gemma
    (r"<\|(system|user|assistant|tool)\|>\n?", None),  # Phi, Zephyr
    (r"(?:<\|im_end\|>|<end_of_turn>|<\|end\|>)\n?|<\|eot_id\|>|</s>|<eos>", "end"),
    (r"<\|begin_of_text\|>|<s>|<bos>", "begin"),
    (r"\[INST\] ?", "user"),  # Llama 2, Mistral
    (r" ?\[/INST\]", "assistant"),
    (r"<｜([^｜<>\s]{1,40})｜>", None),  # DeepSeek
    (r"<\|([a-z0-9_]{1,40})\|>", None),  # whatever else looks like one
)
"""Chat-template tokens that become pills; the first pattern that fits wins."""

_PILLS: Final = "|".join(f"(?P<p{number}>{pattern})" for number, (pattern, _) in enumerate(PILLS))
_FOLDED: Final = re.compile(rf"(?=[<\[]| \[)(?:{_PILLS})")  # how all begin: that is fast
_NAMES: Final = {f"p{number}": name for number, (_, name) in enumerate(PILLS)}
_MARKS: Final[Mapping[str, tuple[Span, Span]]] = {
    char: (Span(mark, Kind.MARK), Span(plain, Kind.MARK))
    for char, mark, plain in (("\n", "⏎", r"\n"), ("\t", "→", r"\t"), (" ", "␣", "_"))
}
"""Whitespace made visible, and the same in ASCII."""


def _quote(name: str, ascii: bool) -> str:
    return f"<{name}>" if ascii else f"‹{name}›"


def _label(texts: Iterable[str | Span], pills: bool, ascii: bool) -> Label:
    spans: list[Span] = []
    for text in texts:
        if isinstance(text, Span):
            spans.append(text)
            continue
        start = 0
        if pills and ("<" in text or "[" in text):  # to look for hidden characters alone is much faster
            for match in _FOLDED.finditer(text):
                spans += _unfolded(text[start : match.start()], ascii)
                spans.append(_pill(match, ascii))
                start = match.end()
        spans += _unfolded(text[start:], ascii)
    return Label(_mark_ends(spans, ascii))


def _unfolded(text: str, ascii: bool) -> Iterator[Span]:
    """Yields the spans of a text without pills."""
    start = 0
    for match in hidden_in(text, ascii=ascii).finditer(text):
        at = match.start()
        if start < at:
            yield Span(text[start:at], Kind.TEXT)
        found = match[0]
        yield _MARKS[found][ascii] if found in _MARKS else Span(visible(found, ascii=ascii), Kind.ESCAPE)
        start = at + 1
    if start < len(text):
        yield Span(text[start:], Kind.TEXT)


def _pill(match: re.Match[str], ascii: bool) -> Span:
    which = str(match.lastgroup)
    name = _NAMES[which] or match[match.re.groupindex[which] + 1]
    return Span(
        _quote(hidden_in(name, ascii=ascii).sub(lambda char: visible(char[0], ascii=ascii), name), ascii), Kind.PILL
    )


def _mark_ends(spans: list[Span], ascii: bool) -> tuple[Span, ...]:
    """Makes the spaces at both ends visible; those within are seen anyway."""
    mark = _MARKS[" "][ascii]
    if spans and spans[0].kind is Kind.TEXT and spans[0].text[0] == " ":
        spans[:1] = _split_blanks(spans[0].text, str.lstrip, mark)
    if spans and spans[-1].kind is Kind.TEXT and spans[-1].text[-1] == " ":
        spans[-1:] = reversed(_split_blanks(spans[-1].text, str.rstrip, mark))
    return tuple(spans)


def _split_blanks(text: str, strip: Callable[[str, str], str], mark: Span) -> list[Span]:
    """Returns the blanks at one end of a text as marks, and what is left of it, if anything is."""
    bare = strip(text, " ")
    lead = len(text) - len(bare)
    blanks = mark if lead == 1 else Span(mark.text * lead, Kind.MARK)
    return [blanks, Span(bare, Kind.TEXT)] if bare else [blanks]


class _Unit(NamedTuple):
    """What is kept or left out together: a character with its combining marks, an escape, a pill."""

    text: str
    kind: Kind
    cells: int


def _units(spans: Iterable[Span], backwards: bool = False) -> Iterator[_Unit]:
    """Yields the units of spans, which come in the direction asked for; costs no more than what is taken."""
    for text, kind in spans:
        if kind not in (Kind.TEXT, Kind.MARK):
            yield _Unit(text, kind, cell_len(text))
        elif text.isascii():
            for char in reversed(text) if backwards else text:
                yield _Unit(char, kind, 1)
        else:
            units = _characters(text, kind)
            yield from reversed(list(units)) if backwards else units


def _characters(text: str, kind: Kind) -> Iterator[_Unit]:
    start, cells = 0, cell_len(text[:1])
    for at in range(1, len(text)):
        size = cell_len(text[at])
        if size:  # a new character; what has no cells belongs to the one before
            yield _Unit(text[start:at], kind, cells)
            start, cells = at, size
    yield _Unit(text[start:], kind, cells)


def _elide(head: Label, tail: Label, width: int, ellipsis: str) -> Label:
    """Joins the beginning of `head` and the end of `tail`, with an ellipsis between, in at most `width` cells."""
    room = width - cell_len(ellipsis)
    if room < 2:
        return Label((Span(ellipsis[:width], Kind.CUT),) if width > 0 else ())
    _, spent = _take(_units(reversed(tail.spans), backwards=True), room // 2)
    first, spent = _take(_units(head.spans), room - spent)
    last, _ = _take(_units(reversed(tail.spans), backwards=True), room - spent)  # with what the head could not use
    cut_here = _Unit(ellipsis, Kind.CUT, len(ellipsis))
    return Label(_joined([*first, cut_here, *reversed(last)]))


def _take(units: Iterable[_Unit], room: int) -> tuple[list[_Unit], int]:
    """Takes units as long as they fit; returns them and the cells they take."""
    taken, spent = [], 0
    for unit in units:
        if spent + unit.cells > room:
            break
        taken.append(unit)
        spent += unit.cells
    return taken, spent


def _joined(units: list[_Unit]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for text, kind, _ in units:
        if spans and spans[-1].kind is kind:
            spans[-1] = Span(spans[-1].text + text, kind)
        else:
            spans.append(Span(text, kind))
    return tuple(spans)
