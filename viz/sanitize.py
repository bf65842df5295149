r"""The one sanitiser: every text from a model, a file or the network passes here before any renderer sees it.

Nothing that comes out can move a cursor, ring a bell, reorder text or hide: such characters become visible escapes in
one notation. ``\xNN`` is a byte, ``\uNNNN`` and ``\UNNNNNNNN`` are characters, and ESC is ``␛``. There are two
modes: running text (`sanitize`, `TextStream`) keeps newlines and tabs; labels (`visible`, used by `viz.labels`) keep
no control at all. A backslash that was in the text stays as it is. Knows nothing of markup: whoever paints builds
`rich.text.Text` objects, never markup strings.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_SETS: Final = (
    r"\x00-\x1f\x7f-\x9f"  # C0, DEL and C1 controls
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls
    r"\u00ad\u034f\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # invisible, inside words
    r"\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"  # zero width
    r"\u2028\u2029"  # line and paragraph separators
    r"\ufdd0-\ufdef\ufffe\uffff"  # no characters; XML, Cairo and others refuse files with some of them
    r"\ud800-\udfff"  # halves of surrogate pairs; the last 128 of U+DC80.. stand for bytes that are no UTF-8
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # formats, tags
) + "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(1, 17))  # no characters either
HIDDEN: Final = re.compile(f"[{_SETS}]")
"""Every character that is never shown as it is."""

NOT_ASCII: Final = re.compile(r"[^\x20-\x7e]")
"""The same for output that can carry printable ASCII only."""

_NEWLINE = "\r\n"
_JOINERS = "\u200c\u200d"
_VARIANTS = "\ufe0e\ufe0f"
_CONTEXT = 2  # characters before a joiner that decide about it


def hidden_in(text: str, *, ascii: bool = False) -> re.Pattern[str]:
    """Returns what finds the characters of a text that are never shown: quicker where all of it is ASCII."""
    return NOT_ASCII if ascii or text.isascii() else HIDDEN


def decode(data: bytes) -> str:
    """Returns UTF-8 as text in which each invalid byte is a lone surrogate; only `visible` should see the result."""
    return data.decode("utf-8", "surrogateescape")


def visible(char: str, *, ascii: bool = False) -> str:
    """Returns one hidden character as a printable escape."""
    code = ord(char)
    if char == "\x1b" and not ascii:
        return "␛"
    if code < 0x80:
        return f"\\x{code:02X}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def sanitize(text: str | bytes, *, ascii: bool = False) -> str:
    r"""Returns running text that is safe to print: only newlines and tabs are left of the controls.

    ``\r\n`` becomes ``\n``. Joiners and variation selectors stay where scripts and emoji need them, after a visible
    character outside ASCII: they move and reorder nothing.

    Args:
        text: Text, or bytes that should be UTF-8.
        ascii: Whether everything outside ASCII becomes an escape too.
    """
    return _running(decode(text) if isinstance(text, bytes) else text, 0, ascii)


class TextStream:
    r"""Sanitises a text that arrives in pieces, cut anywhere, even inside a character.

    All that `feed` and `close` return, joined, is what `sanitize` returns for all pieces joined.

    Args:
        ascii: As in `sanitize`.
    """

    def __init__(self, *, ascii: bool = False) -> None:
        self._ascii = ascii
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._context = ""  # the end of the text before, already returned
        self._held = ""  # a carriage return that may be half of a newline

    def feed(self, piece: bytes) -> str:
        """Returns what the next bytes make printable; an unfinished character waits for the next piece."""
        return self._pass(self._decoder.decode(piece), final=False)

    def close(self) -> str:
        """Returns what was still waiting; the stream may be used again afterwards."""
        rest = self._pass(self._decoder.decode(b"", final=True), final=True)
        self._context = ""
        self._decoder.reset()
        return rest

    def _pass(self, text: str, *, final: bool) -> str:
        text = self._held + text
        self._held = ""
        if not final and text.endswith("\r"):
            text, self._held = text[:-1], "\r"
        known = self._context + text
        start = len(self._context)
        self._context = known[-_CONTEXT:]
        return _running(known, start, self._ascii)


_UNSAFE = re.compile(rf"\r\n|(?![\n\t])[{_SETS}]")
_UNSAFE_ASCII = re.compile(r"\r\n|[^\n\t\x20-\x7e]")


def _running(text: str, start: int, ascii: bool) -> str:
    """Sanitises `text` from `start` on; what stands before is context only."""
    if not hidden_in(text, ascii=ascii).search(text, start):  # as nearly all: a look at each character is fast
        return text[start:]
    parts = []
    for match in (_UNSAFE_ASCII if ascii else _UNSAFE).finditer(text, start):
        parts.append(text[start : match.start()])
        start = match.end()
        found = match[0]
        if found == _NEWLINE:
            parts.append("\n")
        elif not ascii and _joins(text, match.start()):
            parts.append(found)
        else:
            parts.append(visible(found, ascii=ascii))
    parts.append(text[start:])
    return "".join(parts)


def _joins(text: str, at: int) -> bool:
    """Returns whether the joiner or variation selector at `at` belongs to the character before it."""
    char = text[at]
    before = text[at - 1 : at]
    if char in _VARIANTS:
        return _is_base(before) or (before != "" and before in "0123456789#*")  # a keycap
    if char in _JOINERS:
        return _is_base(before) or (before != "" and before in _VARIANTS and _is_base(text[at - 2 : at - 1]))
    return False


def _is_base(char: str) -> bool:
    return char > "\x7f" and not HIDDEN.match(char)
