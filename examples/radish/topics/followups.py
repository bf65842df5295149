"""Turns that refer to earlier ones: shorter, again, more, another one, and its capital, my name."""

import re
from random import Random

from .base import Case, Make, Topic, Turn, ask
from .capitals import COUNTRIES, capital
from .creative import JOKE_LINES, poem, story
from .outside import invented
from .sums import answer

NOTHING_BEFORE = "There is nothing before this that I could say again."
SHORTEST = "That is as short as I can say it."
NO_MORE = "That is all I know about it."
NO_NAME = "You have not told me your name."

_SHORTER = (
    "(say|put|tell me|explain|repeat|give me|can you say|could you say) (that|it|this) (shorter|in fewer words|more briefly|in short|in a few words|briefly|more simply)",
    "(shorter|shorter please|in short|in fewer words|a shorter version|briefly|too long|make it shorter|the short version|summarise that|summarize that|keep it short|can you be brief|be brief)",
    "(that is|that was) too long",
    "(can|could|may|would) (i|you) (have|get|give me|make|say|put) (it|that|this) (shorter|in short|with fewer words|in a nutshell)",
    "(a|the|now the|only the|just the|give me the) (brief|short|shorter|compact) (form|version|answer|one)",
    "(fewer|less) words",
    "(a bit|a little|much|make that|please be|now) shorter",
    "(that was |this is |)too (long|many words)(, shorter please| for me|)",
)
_AGAIN = (
    "(say|repeat|tell me|can you say|could you repeat|can you repeat|please repeat|write) (that|it|this|the answer|your answer)( again| once more|)",
    "(pardon|what did you say|once more|one more time|i did not get that|come again|repeat|say again|what was that)",
    "(what was|tell me again) your (last |)(answer|reply)",
    "(would|could|can) you (say|tell|repeat) (it|that|this) (to me |)(again|one more time|once again|a second time)",
    "i (missed|did not hear|did not catch|forgot) (that|it|your answer|what you said)(, again please|, please repeat|, say it again|)",
    "(please |)(again|once again|one more time)",
)
_MORE = (
    "(tell me|say|can you tell me|i want to know|i want to hear|give me) (more|a bit more|a little more|something more|more details)( about (it|that|this)|)",
    "(more|more please|and|go on please|what else|anything else|is there more|and then|more details|some more|details please)",
    "(explain|tell me about) (it|that|this) (in more detail|further|in detail)",
    "(i'd like|i would like|i want|let me) (to |)(hear|know|learn) (a little |a bit |)more( (on|about) (that|it|this)|)",
    "(please |can you |)go (deeper|into detail|into more detail|further)",
    "(please |can you |could you |)(expand|elaborate)( on (that|it)| a bit|)",
    "what (more|else) (can you say|is there|do you know)( about (it|that)|)",
)
_ANOTHER = (
    "(another|another one|one more|tell me another|next one|a different one|another please|one more please|a new one)",
    "(tell me|give me|i want|write|do you have|can i have) (another|one more|a different|a new) one",
)
_ITS_CAPITAL = (
    "(and|) (what is|what's|which is|tell me|name) (its|the|their) capital( city|)",
    "(and|) (its|the) capital( city|)",
    "(which|what) city is its capital",
    "what about (its|the) capital",
    "(what|which) (would|was|will) its capital be",
    "(do|can|could) you (also |)(know|tell me|name|say) its capital( too|)",
    "(and |)the name of its capital",
    "the capital of (that country|it)",
)
_AND_CAPITAL = (
    "(and|) (of|for|what about|how about|that of|the one of) <country>",
    "and <country>",
    "what about <country>'s",
    "the same for <country>",
    "(and|now|next)(,|) (that|the one|the capital) (of|for) <country>",
    "(now|next|then|ok)(,|) <country>",
    "do <country> (next|too|now)",
    "<country>",
)
_AND_NUMBER = {
    "+": "((and|now|then|and then|) (plus|add|+) <n>( more| to that| to it|)|what (if|happens if) (i|we|you) add <n>( more| to that|)"
    "|(and|now|) <n> more|(and|now|) add another <n>)",
    "-": "((and|now|then|and then|) (minus|subtract|take away|-) <n>( from that| from it|)|(and|now|) take <n> (away|from that|from it)"
    "|what (if|happens if) (i|we|you) (subtract|take away) <n>|(and|now|) <n> less)",
}
NAMES = (
    "Anna Ben Carla David Emma Felix George Hanna Ivan Julia Kim Leo Maria Nina Omar Paul Rosa Sam Tom Wei Yuki Zoe Lin Peter "
    "Alice Bob Clara Daniel Eva Frank Grace Henry Ida Jack Kate Laura Max Nora Oscar Pia Quinn Ruth Simon Tina Uma Vera Walter Ada "
    "Alan Grete Hugo Ines Jonas Karl Lena Mia Noah Olga Petra Ralph Sofia Theo Ulla Victor Wendy Xavier"
).split()
_MY_NAME_IS = (
    "(my name is|i am|i'm|call me|you can call me|people call me|i am called|the name is|they call me|please call me) <name>",
    "(hello|hi|hey), (my name is|i am|i'm|this is) <name>",
    "(good morning|good evening), i am <name>",
)
_MY_NAME = (
    "(what is|what's|do you know|tell me|say|do you remember|can you tell me|remind me of) my name( again|)",
    "(who am i|how am i called|what am i called|what did i say my name was|do you know who i am)",
    "(so|and|now|well)(,|) (what is my name|who am i)",
    "(do|did|will) you (still |)(know|remember|forget) (my name|who i am|what i am called)",
    "what (did|have) i (tell|told) you (my name is|about my name|as my name)",
    "i forgot my (own |)name(, what is it|, can you help|, who am i|)",
    "(have|did) i (told|tell|mentioned|mention) (you |)my name",
    "(can|could) you (say|repeat|use|tell me) my name",
)


def _reply_to_name(name: str) -> str:
    return f"Nice to meet you, {name}!"


def _refer(rng: Random, history: tuple[Turn, ...]) -> Turn | None:
    """Shorter, again or more of the turn before; seldom where there is none."""
    last = history[-1] if history else None
    if last is None and rng.random() < 0.8:
        return None
    what = rng.choice((_SHORTER, _SHORTER, _AGAIN, _MORE))
    if last is None:
        reply = NOTHING_BEFORE
    elif what is _SHORTER:
        reply = last.short if last.short and last.short != last.reply else SHORTEST
    elif what is _AGAIN:
        reply = last.reply
    else:
        reply = last.more if last.more and last.more != last.reply else NO_MORE
    short, more = (last.short, last.more) if last else ("", "")
    return Turn(ask(rng.choice(what), rng), reply, short, more)


def _another(rng: Random, history: tuple[Turn, ...]) -> Turn | None:
    if not history or history[-1].kind not in ("joke", "story", "poem"):
        return None
    kind = history[-1].kind
    user = ask(rng.choice(_ANOTHER), rng)
    if kind == "joke":
        told = {turn.reply for turn in history}
        fresh = [joke for joke in JOKE_LINES if joke not in told] or list(JOKE_LINES)
        return Turn(user, rng.choice(fresh), kind=kind)
    tell = story if kind == "story" else poem
    return Turn(user, tell(rng.choice(("a fox", "a cat", "a robot", "an owl", "a baker", "a snail")), rng), kind=kind)


def _capital(rng: Random, history: tuple[Turn, ...]) -> Turn | None:
    if not history or history[-1].kind not in ("country", "capital"):
        return None
    by_name = {country: (city, where) for country, city, where in COUNTRIES}
    if history[-1].kind == "country":
        country, patterns = history[-1].subject, _ITS_CAPITAL
    else:
        country, patterns = rng.choice(COUNTRIES)[0], _AND_CAPITAL
    city = by_name[country][0]
    user = ask(rng.choice(patterns).replace("<country>", country), rng)
    return Turn(user, capital(country, city), f"{city}.", "", "capital", country)


def _number(rng: Random, history: tuple[Turn, ...]) -> Turn | None:
    if not history or history[-1].kind != "number":
        return None
    a = int(history[-1].subject)
    sign = rng.choice("+-")
    b = rng.randint(0, 20 - a if sign == "+" else a)
    result = a + b if sign == "+" else a - b
    user = ask(_AND_NUMBER[sign].replace("<n>", str(b)), rng)
    return Turn(user, answer(sign, a, b, result), f"{result}.", "", "number", str(result))


def _respelled(name: str, rng: Random) -> str:
    """The name with another letter in it, so that names are read to the end and not guessed from their beginning."""
    place = rng.randrange(1, len(name))
    return name[:place] + rng.choice("abdeiklmnoprstu") + name[place + 1 :]


def _name(rng: Random, history: tuple[Turn, ...]) -> Turn:
    told = [turn.subject for turn in history if turn.kind == "name"]
    if history and rng.random() < (0.8 if told else 0.1):
        reply = f"Your name is {told[-1]}." if told else NO_NAME
        return Turn(ask(rng.choice(_MY_NAME), rng), reply, f"{told[-1]}." if told else "", "")
    name = rng.choice((rng.choice(NAMES), _respelled(rng.choice(NAMES), rng), invented(rng).title()))
    pattern = rng.choice(_MY_NAME_IS).replace("<name>", name)
    return Turn(ask(pattern, rng, slips=False), _reply_to_name(name), kind="name", subject=name)


_MAKERS: tuple[tuple[Make, float], ...] = (
    (_refer, 7.0),
    (_another, 3.0),
    (_capital, 6.0),
    (_number, 3.0),
    (_name, 4.0),
)


_NEXT: dict[str, Make] = {"number": _number, "joke": _another, "story": _another, "poem": _another}


def _make(rng: Random, history: tuple[Turn, ...]) -> Turn | None:
    if any(turn.kind == "name" for turn in history) and rng.random() < 0.3:
        return _name(rng, history)
    if history and history[-1].kind in _NEXT and rng.random() < 0.3:
        return _NEXT[history[-1].kind](rng, history)
    ((maker, _),) = rng.choices(_MAKERS, [weight for _, weight in _MAKERS])
    return maker(rng, history)


_TREE = Turn(
    "What is a trie?",
    "A trie is a tree with one symbol on each edge; a path from the root spells a sequence.",
    "A tree with one symbol on each edge.",
    "A radix tree is a trie whose chains are squeezed into single edges.",
)
_ITALY = Turn("Where is Italy?", "Italy is a country in Europe.")
_PERU = Turn("What is the capital of Peru?", "The capital of Peru is Lima.")
_SUM = Turn("What is 3 + 4?", "3 + 4 is 7.")
_NORA = Turn("My name is Nora.", _reply_to_name("Nora"))
_HELLO = Turn("Hello!", "Hi!")


def _cases(history: tuple[Turn, ...], expected: str, *users: str) -> tuple[Case, ...]:
    return tuple(Case(user, re.escape(expected), history) for user in users)


_CASES = (
    *_cases((_TREE,), _TREE.short, "could I have that in a shorter form?", "less words, please", "a bit shorter?"),
    *_cases((_HELLO, _TREE), _TREE.short, "can that be said with fewer words?", "now the brief version"),
    *_cases((_TREE,), _TREE.reply, "would you say it one more time?", "sorry, I missed your answer, again please"),
    *_cases((_TREE,), _TREE.more, "I'd like to hear a little more on that", "please go into more detail"),
    *_cases((_ITALY,), capital("Italy", "Rome"), "what would its capital be?", "okay, and the name of its capital?"),
    *_cases((_HELLO, _ITALY), capital("Italy", "Rome"), "and its capital, please?", "do you also know its capital?"),
    *_cases((_PERU,), capital("Japan", "Tokyo"), "and what of Japan?", "now the one of Japan, please"),
    *_cases((_PERU,), capital("Kenya", "Nairobi"), "and how about that of Kenya?", "tell me for Kenya, too"),
    *_cases((_SUM,), "7 + 5 is 12.", "now add another 5", "what if I add 5?"),
    *_cases((_SUM,), "7 - 2 is 5.", "now take 2 away from that", "less 2?"),
    *_cases((_NORA,), "Your name is Nora.", "so what is my name?", "do you still know my name?"),
    *_cases((_NORA, _TREE), "Your name is Nora.", "what did I tell you my name is?", "I forgot my name, which is it?"),
    *_cases((_HELLO,), NO_NAME, "can you guess my name?", "have I told you my name?"),
    *_cases((), NOTHING_BEFORE, "could you make that shorter for me?", "please say this once again"),
)

FOLLOW_UPS = Topic("follow-ups", 4.4, _make, _CASES)
