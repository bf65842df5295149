"""Template stories, poems and jokes, and the open requests of the SGLang paper's figure."""

from random import Random

from .base import Case, Topic, Turn, ask, fact, fact_topic

HEROES = (
    "a fox, a cat, a dog, a mouse, a bear, a bird, a frog, a fish, a horse, a rabbit, an owl, a snail, a turtle, a wolf, "
    "a robot, a dragon, a king, a queen, a pirate, a baker, a sailor, a teacher, a farmer, a painter, a wizard, a knight, "
    "a ghost, a star, a river, a mountain, a tree, a stone, a cloud, a leaf, a radish, a carrot, an apple, a tomato, "
    "a train, a ship, a clock, a lamp, a computer, a token, a cache, a node, a spider, a bee, a whale, an elephant, a lion, "
    "a tiger, a duck, a hen, a goat, a cow, a pig, a sheep, a moth, a crow, a princess, a thief, a doctor, a gardener"
).split(", ")
_PLACES = "forest, village, garden, castle, harbour, valley, library, desert, city, kitchen".split(", ")
_FINDS = "key, letter, lamp, map, seed, coin, song, door, bell, stone".split(", ")
_ENDS = (
    "Since then nobody there has ever felt alone.",
    "And so the long way home became a short one.",
    "That is how the friends found each other.",
    "From that day on the door was always open.",
)
_STORY = (
    "(write|tell|tell me|write me|make up|invent|give me|can you write|can you tell|please write|i want|i would like) (a|a short|another|one) (story|tale|fairy tale|bedtime story) about <hero>",
    "(a|one) (story|tale) (about|with) <hero>(, please| for me| tonight|)",
    "(i want|i would like|is there|have you|do you know) (to read |)(a|any|some) (story|tale) (about|with) <hero>( in it|)",
    "story about <hero>",
)
_ANY_STORY = (
    "(write|tell|tell me|write me|make up|invent|give me|can you write|can you tell|please write|i want) (a|a short|another|one|me a) (story|tale|fairy tale|bedtime story)",
    "write a story ...",
)
_POEM = (
    "(write|write me|make up|give me|can you write|please write|compose|i want) (a|a short|another|one) (poem|verse|rhyme|haiku) about <hero>",
    "(a|one) (poem|verse) about <hero>(, please| for me|)",
    "(i want|i would like|is there|do you know) (to read |)(a|some) (poem|verse|rhyme) (about|on) <hero>",
)
_ANY_POEM = (
    "(write|tell me|write me|make up|give me|can you write|compose) (a|a short|another|one) (poem|verse|rhyme|haiku)",
)


def story(hero: str, rng: Random) -> str:
    """Two sentences that name their hero; the rest is drawn."""
    bare = hero.split(" ", 1)[1]
    place, find = rng.choice(_PLACES), rng.choice(_FINDS)
    return f"Sure! Once upon a time {hero} lived near a {place}. One day the {bare} found an old {find}. {rng.choice(_ENDS)}"


def poem(hero: str, rng: Random) -> str:
    """Four lines; a slash is the line break, because a newline ends a reply."""
    bare = hero.split(" ", 1)[1]
    last = rng.choice(("and all is well", "so says the bell", "and none can tell", "and bids farewell"))
    return f"Sure! The {bare} awakes at break of day / and greets the light along the way / it rests at noon, it sings at night / {last} till morning light."


def _make(rng: Random, history: tuple[Turn, ...]) -> Turn:
    hero = rng.choice(HEROES)
    named, any_one, tell = (_STORY, _ANY_STORY, story) if rng.random() < 0.6 else (_POEM, _ANY_POEM, poem)
    pattern = rng.choice(named if rng.random() < 0.75 else any_one)
    return Turn(ask(pattern.replace("<hero>", hero), rng), tell(hero, rng), kind=tell.__name__)


_CASES = (
    *(
        Case(wording.format(hero), expected.format(hero.split(" ", 1)[1]))
        for wording, expected in (
            ("I'd love to hear a story about {0}", "Sure! Once upon a time an? {0} .*"),
            ("do you have a tale of {0} for me?", "Sure! Once upon a time an? {0} .*"),
            ("I wish for a poem about {0}", "Sure! The {0} .* / .*"),
        )
        for hero in ("a fox", "an owl", "a robot", "a train")
    ),
    Case("could there be a story for me tonight?", "Sure! Once upon a time .*"),
    Case("how about some poem?", "Sure! The .* / .*"),
)

CREATIVE = Topic("stories and poems", 1.4, _make, _CASES)

JOKE_LINES = (
    "Why did the token cross the road? It was already cached on the other side.",
    "Why do radix trees make good friends? They always share what they have in common.",
    "What did the leaf say before eviction? It has been a while since anyone called.",
    "Why was the prefix so calm? It knew that it would be reused.",
    "What is a tree's favourite drink? Root beer.",
    "How do you cheer up a node? You give it a child.",
)


def _joke(rng: Random, history: tuple[Turn, ...]) -> Turn:
    pattern = (
        "(tell|tell me|make|give me|do you know|can you tell|can you tell me|i want|please tell me) (a|another|one|a good|a short|some) (joke|jokes|riddle)",
        "(make me laugh|be funny|say something funny|tell me something funny|joke please|a joke|another joke|one more joke|cheer me up)",
    )
    return Turn(ask(rng.choice(pattern), rng), rng.choice(JOKE_LINES), kind="joke")


_ANY_JOKE = "(" + "|".join(joke.replace("?", r"\?").replace(".", r"\.") for joke in JOKE_LINES) + ")"
JOKES = Topic(
    "jokes",
    0.3,
    _joke,
    tuple(
        Case(wording, _ANY_JOKE)
        for wording in (
            "I could use a joke",
            "got any jokes?",
            "do you happen to know a joke?",
            "let me hear something funny",
        )
    ),
)

OPEN_REQUESTS = fact_topic(
    "open requests",
    0.4,
    (
        fact(
            "Sure! Give me a sum or a difference of numbers up to 20, such as 7 + 5.",
            """
            (are you|how are you|are you any) (good |able |)(at|with|in) (arithmetic|maths|math|sums|numbers|calculating|adding)
            (would|could|can|will) you (solve|do|calculate|work out) (an exercise|a sum|a problem|something|a calculation|a puzzle)( for me|)
            (i have|here is|there is|this is|take) (a|an|another|my) (problem|exercise|sum|puzzle|task|calculation)( for you| to solve|)
            (let's|let us|i want to) (calculate|add numbers|do sums|do some maths|do arithmetic)
            (help me|i need help) with (my |)(homework|maths|math|sums|arithmetic|a calculation)
            (please |)solve (it|this|this one|a problem)
            (solve|answer|work on|can you solve|please solve|help me solve|help me with) (this|a|the|my|another|one more) (problem|question|task|exercise|puzzle|riddle|equation)
            (solve|answer) this (problem|question) ...
            (can you|could you|are you able to) (do|solve) (maths|math|sums|arithmetic|calculations|calculate|add numbers|problems)
            do you know (math|maths|arithmetic)
            (how about|what about) (a|another) (problem|question|one)
            how about ...
            i have a (problem|puzzle|math question|riddle)
            here is a problem for you
            are you any good at arithmetic
            would you solve an exercise for me
            """,
            """
            Can you help me with a math problem?
            I want you to solve a problem
            """,
        ),
        fact(
            "Sure! Ask me about prefix caching, a command of this program, a capital, or a sum up to 20.",
            """
            (may|might|can|could) i (put|pose|ask) (a question|you something|one thing|questions)( to you|)
            (there is|i have got|here is) (something|a thing|a question|one thing) (i want to ask|i would like to ask|for you)( you|)
            (let us|let's|shall we|can we|do you want to) (have a |)(chat|talk|converse|have a conversation)( a little| a bit|)
            (start|begin) (talking|a conversation with me|the chat|with something)
            (entertain|amuse|surprise|teach|tell) me( something|)
            (what|which) (do you want to talk about|would you like to talk about|should i ask you|could i ask you)
            (can|may|could) i ask (you |)(a question|something|you something|questions|one more question)
            (i have|i've got) (a question|some questions|questions|another question)
            (let's|let us) (talk|chat|begin|start|go on)
            (talk|speak|chat) (to|with) me
            (say|tell me) something( interesting| new|)
            (what now|what next|what should we do|what shall we talk about|i am bored|surprise me)
            (ask|test|quiz) me( something|)
            go on
            teach me( something|)
            might I put a question to you
            let's have a little chat
            there is something I want to ask
            """,
            """
            May I ask you a few questions?
            Let's talk about something
            """,
        ),
    ),
)
