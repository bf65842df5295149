"""What people do to a wording when they type it: other words, detours, courtesies, case, marks and slips.

This module knows no topic, no token and no model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from wording import sample

_SAME = (  # words that may stand for each other in a question
    "conversation chat dialogue discussion",
    "conversations chats dialogues",
    "delete remove erase wipe discard",
    "reply answer response",
    "replies answers responses",
    "show display present",
    "see view inspect look_at",
    "picture image drawing illustration",
    "explain describe clarify",
    "faster quicker speedier sooner",
    "fast quick rapid speedy",
    "slow sluggish",
    "big large huge",
    "bigger larger greater",
    "small tiny little",
    "begin start commence",
    "starts begins",
    "change alter modify adjust tweak",
    "find locate discover",
    "difference distinction",
    "purpose goal point aim",
    "mean signify denote imply",
    "work function operate",
    "works functions operates",
    "happens occurs takes_place",
    "keep hold retain store",
    "keeps holds retains stores",
    "need require",
    "leave quit exit close",
    "program application app tool software",
    "command slash_command",
    "setting option parameter",
    "settings options parameters preferences",
    "shared common",
    "old earlier previous former past",
    "new fresh",
    "last latest final most_recent",
    "again once_more anew",
    "evict expel throw_out kick_out",
    "evicted expelled thrown_out kicked_out",
    "limit restrict cap",
    "compare contrast",
    "good useful helpful",
    "people folks users others",
    "pick choose select",
    "chosen picked selected",
    "room space",
    "several many multiple",
    "idea notion concept",
    "kind sort type",
    "part piece portion",
    "why for_what_reason how_come",
    "how in_what_way by_what_means",
    "write compose produce",
    "message input text",
    "raise increase turn_up",
    "lower decrease turn_down reduce",
    "smaller shorter",
    "get obtain receive",
    "make create build",
    "title name heading",
    "use employ apply",
    "stop halt end finish",
    "prove verify confirm demonstrate",
    "list overview enumeration",
    "numbers figures",
    "calculate compute work_out",
    "equal identical same",
    "look appear",
    "needed required necessary",
    "reuse recycle use_again",
    "computed calculated worked_out",
    "beforehand in_advance before",
    "step stage",
    "tale story",
    "know understand",
)
_OTHERS = {
    word: [other.replace("_", " ") for other in group.split() if other != word]
    for group in _SAME
    for word in group.split()
}
_SMALL_WORDS = frozenset(
    "a an the of to in is are do does did please it that this can could for we what's whats be exactly".split()
)
_LITTER = (
    "really basically simply actually just maybe perhaps here there today also still even quite rather somehow "
    "certainly probably obviously finally suddenly often never always usually mostly nearly hardly together alone "
    "inside outside "
    "above below behind around during since until although because however therefore meanwhile otherwise thing things "
    "stuff way matter case fact point example question person everyone somebody anything nothing something nice fine "
    "clear strange funny odd real true certain special particular general whole single double main typical modern "
    "common proper kindly gladly morning evening week year world place hand eye head side end line name number "
    "remember believe think guess suppose hope try seem become bring hear feel ask call turn move live stand run"
).split()
_DETOURS = (
    "(my|a|our) (friend|teacher|colleague|student|boss|neighbour|sister|professor|customer) "
    "(asks|asked|asked me|wants to know|wonders|would like to know)(:|,)",
    "(in|for) (my|a|the) (talk|lecture|paper|exam|course|book|meeting|homework|report) "
    "(i need to know|somebody asked|they ask|it says|we discuss)(:|,)",
    "(while|when) (reading|walking|cooking|working|waiting|listening|travelling) i (wondered|asked myself)(:|,)",
    "(i am|i'm) (new|a beginner|not sure|curious|confused|a bit lost|in a hurry|preparing a lecture)(:|,|.)",
    "(maybe|perhaps) you (know|can say|can tell me|can help)(:|,)",
    "(listen|look|honestly|seriously|by the way|just curious|first of all|one more thing|just to be sure|ok)(:|,)",
    "(could|can|would) you (tell me|say|help me with this|answer this)(:|,)",
    "(i|we) (wonder|would like to know|want to know|need to know|have to know|keep asking myself)(:|,|)",
    "(ok|so|hey|hi|hello|please|sorry|well|now|um|and|right|thanks|great|good|i see)(,|.|)",
    "(quick question|i have a question|a question|another one|next|next question|question)(:|.)",
)
_BEFORE = "(ok,|so|hey,|hi,|hello,|please|sorry,|well,|now|um,|thanks.|great.|good.|i see.|right.)"
_TAGS = (
    "( please|, please| thanks| thank you| then| in simple words| in one sentence| for me| again| now| exactly|"
    " in short| briefly| if you can| actually)",
    "(,|?|.|) (i am new to this|it is for a friend|i keep forgetting|my boss asked|if you know|it confuses me|any idea|"
    "i saw it in a paper|it matters for my talk|i never understood it|somebody mentioned it|nobody could tell me|"
    "do you know|can you say|can you tell me|what would you say|i forgot|i have no clue|tell me|just asking)",
)
_AFTER = "( please|, please| thanks| thank you| then| for me| again| now| if you can|)"
_ENDS_QUESTION = ("?", "?", "?", "?", "?", "", "", "", "??", " ?", ".", "...")
_ENDS_OTHER = (".", ".", "", "", "", "!", "...", "!")
_QUESTION = re.compile(r"(what|who|which|how|why|when|where|is|are|can|could|do|does|will|would|whats|may)\b", re.I)
_NEIGHBOURS = dict(
    pair.split(":")
    for pair in (
        "a:qs b:vn c:xv d:sf e:wr f:dg g:fh h:gj i:uo j:hk k:jl l:k m:n n:bm o:ip p:o q:w r:et s:ad t:ry u:yi v:cb "
        "w:qe x:zc y:tu z:x"
    ).split()
)


def typed(text: str, rng: Random, *, loose: bool = True, slips: bool = True) -> str:
    """The wording as somebody types it. A loose one may also lose or exchange words and take detours."""
    if loose:
        text = _exchange(text, rng) if rng.random() < 0.4 else text
        text = _shorten(text, rng) if rng.random() < 0.12 else text
        text = _litter(text, rng) if rng.random() < 0.12 else text
    if rng.random() < 0.2:
        text = f"{sample(rng.choice(_DETOURS) if loose else _BEFORE, rng)} {text}"
    if rng.random() < 0.15:
        text = f"{text}{_tail(rng.choice(_TAGS) if loose else _AFTER, rng)}"
    if text[-1].isalnum():
        text += rng.choice(_ENDS_QUESTION if _QUESTION.match(text) else _ENDS_OTHER)
    text = _case(text, rng)
    if slips and len(text) > 12 and rng.random() < 0.2:
        text = _slip(text, rng)
    return text.replace(" ", "  ") if rng.random() < 0.01 else text


def _exchange(text: str, rng: Random) -> str:
    """Some words for others that mean the same."""
    return " ".join(
        rng.choice(_OTHERS[word]) if word in _OTHERS and rng.random() < 0.4 else word for word in text.split()
    )


def _litter(text: str, rng: Random) -> str:
    """With a word or two that do not belong, which a reader skips."""
    words = text.split()
    for _ in range(rng.choice((1, 1, 2))):
        words.insert(rng.randint(0, len(words)), rng.choice(_LITTER))
    return " ".join(words)


def _shorten(text: str, rng: Random) -> str:
    """Without one of the small words, or without all of them, as in a telegram."""
    words = text.split()
    small = [place for place, word in enumerate(words) if word in _SMALL_WORDS]
    if not small or len(small) == len(words):
        return text
    gone = small if rng.random() < 0.3 else [rng.choice(small)]
    return " ".join(word for place, word in enumerate(words) if place not in gone)


def _tail(pattern: str, rng: Random) -> str:
    """A sampled ending; `sample` trims the space that may come first."""
    text = sample(pattern, rng)
    return text if not text or text[0] in ",?." else f" {text}"


def _case(text: str, rng: Random) -> str:
    draw = rng.random()
    if draw < 0.7:
        return text[0].upper() + re.sub(r"\bi\b", "I", text[1:])
    return text.upper() if draw < 0.77 else text


def _slip(text: str, rng: Random) -> str:
    """One slip of the fingers, or some; digits stay, because a slip there changes the meaning."""
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        places = [i for i, char in enumerate(text[:-1]) if char.isalpha() and char.isascii() and text[i + 1].isalpha()]
        if len(places) > 3:
            text = rng.choice(_SLIPS)(text, rng.choice(places), rng)
    return text


def _neighbour(text: str, at: int, rng: Random) -> str:
    return text[:at] + rng.choice(_NEIGHBOURS.get(text[at].lower(), text[at])) + text[at + 1 :]


_SLIPS: tuple[Callable[[str, int, Random], str], ...] = (
    lambda text, at, rng: text[:at] + text[at + 1 :],
    lambda text, at, rng: text[:at] + text[at] + text[at:],
    lambda text, at, rng: text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    lambda text, at, rng: text[: at + 1] + " " + text[at + 1 :],
    _neighbour,
)
