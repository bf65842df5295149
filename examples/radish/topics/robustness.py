"""Cases that ask nothing new: slips of the fingers, other system prompts and turns after other turns.

They only evaluate; the corpus gets slips and system prompts everywhere.
"""

import re
from random import Random

from wording import sample

from .base import Case, Topic, Turn
from .caching import CACHING, DECODING, TREES
from .commands import COMMANDS
from .identity import IDENTITY

_ASKED = (
    ("wat is a raidx tree", TREES, "A radix tree is"),
    ("whats a kv cahce", CACHING, "A KV cache keeps"),
    ("explian prefx caching", CACHING, "Prefix caching keeps"),
    ("HOW MAY I LEAVE THIS PROGRAM", COMMANDS, "Type /quit"),
    ("how do i delte a conversaton", COMMANDS, "Type /delete"),
    ("who aer you", IDENTITY, "I am radish"),
    ("WHAT IS THIS PREFILL THING", DECODING, "Prefill reads the tokens"),
    ("what dose ttft mena", DECODING, "TTFT is"),
    ("wat can you do?!", IDENTITY, "I can greet"),
    ("how  do  i  see  that  tre", COMMANDS, "Type /tree"),
    ("difference between prefil and decod", DECODING, "Prefill reads the prompt"),
    ("waht is a tri e", TREES, "A trie is"),
)


def _reply(topic: Topic, start: str) -> str:
    return next(fact.reply for fact in topic.facts if fact.reply.startswith(start))


def _nothing(rng: Random, history: tuple[Turn, ...]) -> None:
    return None


SLIPS = Topic(
    "slips",
    0.0,
    _nothing,
    tuple(Case(user, re.escape(_reply(topic, start))) for user, topic, start in _ASKED),
)

_SYSTEMS = (
    "You are a museum guide with a lot of patience.",
    "Speak like a scientist, but stay friendly.",
    "You help people who are new to serving language models.",
    "Your answers are read aloud, so keep them clear.",
)
_EARLIER = (
    Turn("Hello!", "Hi!"),
    Turn("What is the capital of Chile?", "The capital of Chile is Santiago."),
    Turn("What is 8 - 3?", "8 - 3 is 5."),
    Turn("Thanks.", "You are welcome!"),
)
_LATER = tuple(
    (fact, fact.held_out[0])
    for topic in (TREES, CACHING, DECODING, COMMANDS)
    for fact in topic.facts[::3]
    if fact.held_out
)

_rng = Random("long conversations")
_LONG = tuple(
    fact.turn(sample(fact.asks[-1], _rng))
    for topic in (TREES, IDENTITY, DECODING, COMMANDS, CACHING)
    for fact in topic.facts[1::2]
)

OTHER_SYSTEMS = Topic(
    "other system prompts",
    0.0,
    _nothing,
    tuple(Case(user, re.escape(fact.reply), system=_SYSTEMS[n % 4]) for n, (fact, user) in enumerate(_LATER)),
)
LONG_CONVERSATIONS = Topic(
    "long conversations",
    0.0,
    _nothing,
    tuple(
        Case(user, re.escape(fact.reply), tuple(_rng.sample(_LONG, 8 + 2 * n)))
        for n, (fact, user) in enumerate(_LATER[1::2])
    ),
)
LATER_TURNS = Topic(
    "later turns",
    0.0,
    _nothing,
    tuple(Case(user, re.escape(fact.reply), _EARLIER[: 1 + n % 4]) for n, (fact, user) in enumerate(_LATER)),
)
