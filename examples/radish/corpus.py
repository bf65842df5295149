"""The corpus: an endless, seeded stream of conversations written by the topics.

Every text is ours. No document contains a held-out wording. This module knows no token and no model.
Run it to look at some: python examples/radish/corpus.py --count 5
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Literal, NamedTuple

from topics import TOPICS, Turn
from topics.fewshot import entries
from wording import plain, sample

SYSTEM = "You are a helpful assistant."
_SYSTEMS = (
    "You are a (helpful|friendly|kind|patient|polite|concise|careful|honest|cheerful|tiny|smart|calm|good) "
    "(assistant|teacher|guide|companion|model|tutor|helper|friend|librarian)"
    "(.|. Be brief.| who likes trees.| for students.|)",
    "You are (radish|radish, a tiny model|radish, the model of radixchat|an assistant|a pirate|a poet|a robot|"
    "an expert on caching|a lecturer|a travel guide)(.|. Answer in one line.| and you answer briefly.)",
    "(Answer|Reply|Respond) (in one sentence|briefly|politely|in English|in plain words|as well as you can)"
    "(.|, please.| and be kind.)",
    "(Be|Please be) (brief|kind|short and clear|helpful|honest|precise)(.|!)",
    "(This is|Here is) a (conversation|chat) between a user and (an assistant|a tiny model|radish).",
    "The assistant (explains|knows) (prefix caching|radix trees|this program)"
    "(.| to students.| and says so when it does not know.)",
    "(Help|Teach|Guide|Assist) (the user|people|students|beginners) "
    "(with|in) (care|plain language|short sentences|computing)(.|)",
    "你是一个(乐于助人|友好|耐心|小巧)的(助手|老师|模型)。",
)
_LENGTHS = (1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8)
_LONG = (0.03, 10, 44)  # the share of long conversations, and how many turns they have
_LISTS = 0.06  # the share of few-shot lists
_LISTED = re.compile(r"Question \d+: (.*?) Answer \d+:")
_WEIGHTS = tuple(topic.weight for topic in TOPICS)
HELD_OUT = frozenset(plain(case.user) for topic in TOPICS for case in topic.cases)


class Piece(NamedTuple):
    """A stretch of a document; no token spans the border of two."""

    kind: Literal["frame", "message", "reply"]  # replies, each with its newline, are what the model learns to write
    text: str


Document = tuple[Piece, ...]


def documents(seed: int, start: int = 0) -> Iterator[Document]:
    """Document after document; the one at a position depends on the seed and the position only."""
    position = start
    while True:
        yield document(Random(f"radish {seed} {position}"))
        position += 1


def document(rng: Random) -> Document:
    """One conversation in the plain chat format, or now and then a few-shot list."""
    if rng.random() < _LISTS:
        return few_shot_list(rng)
    pieces = [Piece("frame", f"{_system(rng)}\n")]
    for turn in conversation(rng):
        pieces += _exchange("User:", turn.user, "Assistant:", turn.reply)
    return tuple(pieces)


def few_shot_list(rng: Random) -> Document:
    """Numbered questions and answers, mostly without any line before them."""
    pieces = [Piece("frame", f"{_system(rng)}\n")] if rng.random() < 0.25 else []
    for number, (question, answer) in enumerate(entries(rng), 1):
        if not is_held_out(question):
            pieces += _exchange(f"Question {number}:", question, f"Answer {number}:", answer)
    return tuple(pieces)


def _exchange(asking: str, message: str, answering: str, reply: str) -> tuple[Piece, ...]:
    return (
        Piece("frame", asking),
        Piece("message", f" {message}"),
        Piece("frame", f"\n{answering}"),
        Piece("reply", f" {reply}\n"),
    )


def conversation(rng: Random) -> tuple[Turn, ...]:
    """Some turns, each drawn with the ones before it in sight."""
    turns: tuple[Turn, ...] = ()
    share, least, most = _LONG
    length = rng.randint(least, most) if rng.random() < share else rng.choice(_LENGTHS)
    while len(turns) < length:
        (topic,) = rng.choices(TOPICS, _WEIGHTS)
        turn = topic.make(rng, turns)
        if turn is not None and not is_held_out(turn.user):
            turns += (turn,)
    return turns


def is_held_out(message: str) -> bool:
    """Whether the message, or a question listed in it, is a wording of the evaluation."""
    return any(plain(asked) in HELD_OUT for asked in (message, *_LISTED.findall(message)))


def _system(rng: Random) -> str:
    return SYSTEM if rng.random() < 0.6 else sample(rng.choice(_SYSTEMS), rng)


def text_of(pieces: Document) -> str:
    """The document as one text."""
    return "".join(piece.text for piece in pieces)


if __name__ == "__main__":
    from itertools import islice

    import typer

    def show(count: int = 5, seed: int = 0, start: int = 0) -> None:
        """Print some documents of the corpus."""
        for pieces in islice(documents(seed, start), count):
            print(text_of(pieces))

    typer.run(show)
