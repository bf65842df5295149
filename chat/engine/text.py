"""From sampled tokens to text that may be shown: whole characters only, and nothing of a stop text.

Knows bytes of tokens, no tokenizer library and no request.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable


class TextStream:
    """The text of a reply, token by token.

    Args:
        token_bytes: Gives the bytes of a token id.
        stop: The text ends before the first of these.
        silent: Ids that end a reply and are no part of its text.

    Attributes:
        text: What may be shown so far.
        stopped: Whether a stop text was reached.
    """

    def __init__(self, token_bytes: Callable[[int], bytes], stop: tuple[str, ...], silent: frozenset[int]) -> None:
        self._bytes = token_bytes
        self._stop = stop
        self._silent = silent
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""  # might be the beginning of a stop text
        self.text = ""
        self.stopped = False

    def feed(self, token: int) -> str:
        """Takes a token; returns the text that may be shown because of it, often empty inside a character."""
        if self.stopped or token in self._silent:
            return ""
        return self._release(self._held + self._decoder.decode(self._bytes(token)))

    def end(self) -> str:
        """Returns what was held back, once nothing more will come; a broken character becomes U+FFFD."""
        if self.stopped:
            return ""
        text = self._release(self._held + self._decoder.decode(b"", final=True))
        rest, self._held = self._held, ""
        self.text += rest
        return text + rest

    def _release(self, text: str) -> str:
        if not self._stop:
            self.text += text
            return text
        found = [place for place in (text.find(stop) for stop in self._stop) if place >= 0]
        if found:
            self.stopped = True
            text, self._held = text[: min(found)], ""
        else:
            keep = max((_overlap(text, stop) for stop in self._stop), default=0)
            text, self._held = text[: len(text) - keep], text[len(text) - keep :]
        self.text += text
        return text


def _overlap(text: str, stop: str) -> int:
    """Returns how many characters at the end of a text are the beginning of a stop text."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
