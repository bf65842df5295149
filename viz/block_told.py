"""What pictures of blocks for other programs tell of each: one sentence, the text last. For tooltips and readers.

Knows entries of a pool and labels; no format, no place and no colour.
"""

from __future__ import annotations

from collections.abc import Mapping

from .labels import Labels
from .plain import MEANINGS
from .pool import Entry
from .sentences import BLOCKS, spoken

SHORT = 8
"""Hexadecimal digits of a hash where there is room for few."""


class Teller:
    """Tells of blocks in one language.

    Args:
        pieces: The bytes of each token id.
        lang: "zh" for Chinese; English else.
    """

    def __init__(self, pieces: Mapping[int, bytes], lang: str = "en") -> None:
        self.lang = spoken(lang, ascii=False)
        self.words = BLOCKS[self.lang]
        self._states = MEANINGS[self.lang][0].states
        self._labels = Labels(pieces, pills=False)

    def say(self, sentence: str, **facts: object) -> str:
        """Returns a sentence of the pictures."""
        return self.words[sentence].format(**facts)

    def count(self, blocks: int) -> str:
        """Says a number of blocks."""
        return self.say("block" if blocks == 1 else "blocks", blocks=blocks)

    def text(self, entry: Entry) -> str:
        """Returns the whole text of a block in one line, safe to print."""
        return self._labels.whole(entry.key).plain

    def sentence(self, entry: Entry) -> str:
        """Tells of a block: number, tokens, state, references, hash and what it hangs from, and its text."""
        if entry.number is None:
            facts = self.words["told gone"]
        else:
            state = self._states[entry.state]
            facts = self.say("told", number=entry.number, tokens=entry.tokens, size=entry.size, state=state)
            facts += self.say("told refs", refs=entry.refs) if entry.refs else ""
            facts += self.words["told victim"] if entry.victim else ""
            facts += self.say("told hash", digest=entry.digest.hex()[:SHORT]) if entry.digest else ""
            facts += self.say("told after", digest=entry.parent.hex()[:SHORT]) if entry.parent else ""
            facts += self.words["told broken"] if entry.broken else ""
            facts += self.words["told pending"] if entry.pending else ""
            facts += self.say("told place", place=entry.place + 1) if entry.place is not None else ""
        text = self.text(entry)
        return f"{facts}: {text}" if text else facts

    def hash(self, entry: Entry) -> str:
        """Returns the short hash of a block, or that it has none; nothing for a tombstone."""
        if entry.number is None:
            return ""
        return entry.digest.hex()[:SHORT] if entry.digest else self.words["no hash"]
