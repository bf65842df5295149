"""Everything radish is taught, as data: one module a subject, each with one or more topics."""

from .base import Case, Fact, Topic, Turn
from .caching import CACHING, DECODING, MEMORY, SERVING, TREES
from .capitals import CAPITALS, COUNTRIES
from .chinese import CHINESE
from .commands import COMMANDS, PROGRAM
from .creative import CREATIVE, JOKES, OPEN_REQUESTS
from .fewshot import FEW_SHOT
from .followups import FOLLOW_UPS
from .identity import IDENTITY
from .outside import OUTSIDE
from .robustness import LATER_TURNS, LONG_CONVERSATIONS, OTHER_SYSTEMS, SLIPS
from .smalltalk import GREETINGS, SMALL_TALK
from .sums import SUMS

TOPICS: tuple[Topic, ...] = (
    GREETINGS,
    SMALL_TALK,
    IDENTITY,
    TREES,
    CACHING,
    DECODING,
    MEMORY,
    SERVING,
    COMMANDS,
    PROGRAM,
    CAPITALS,
    SUMS,
    CREATIVE,
    JOKES,
    OPEN_REQUESTS,
    FOLLOW_UPS,
    FEW_SHOT,
    CHINESE,
    SLIPS,
    OTHER_SYSTEMS,
    LATER_TURNS,
    LONG_CONVERSATIONS,
    OUTSIDE,
)
FACTS: tuple[Fact, ...] = tuple(fact for topic in TOPICS for fact in topic.facts)

__all__ = ["COUNTRIES", "FACTS", "TOPICS", "Case", "Fact", "Topic", "Turn"]
