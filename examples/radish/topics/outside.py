"""Everything radish does not know, and the one plain answer for it.

The lists give the model many words that mean "not mine"; invented words stand for all the others.
"""

import re
from random import Random

from .base import Case, Topic, Turn, ask

ANSWER = "I do not know that: I am a tiny demonstration model. Try a larger one with --model."

THINGS = (
    "a carburettor, photosynthesis, gravity, the moon, quantum physics, a black hole, the French revolution, a volcano, "
    "inflation, bitcoin, a violin, jazz, chess, football, cricket, a vaccine, DNA, a cell, an atom, electricity, magnetism, "
    "the theory of relativity, evolution, a dinosaur, a glacier, an earthquake, the Roman empire, the second world war, "
    "Shakespeare, Mozart, Einstein, Napoleon, Cleopatra, democracy, philosophy, ethics, love, happiness, time, money, a bank, "
    "a mortgage, a loan, the stock market, a tax, insurance, a recipe for bread, pizza, sushi, coffee, wine, cheese, chocolate, "
    "yoga, meditation, a marathon, a bicycle, a car engine, a plane, a rocket, a satellite, a telescope, a microscope, a laser, "
    "a transistor, a battery, a solar panel, nuclear power, climate change, the ozone layer, a rainforest, an ocean, a tide, "
    "a hurricane, a rainbow, lightning, the northern lights, a diamond, gold, iron, plastic, concrete, a bridge, a pyramid, "
    "a cathedral, a symphony, a novel, a sonnet, a metaphor, grammar, Latin, Esperanto, the alphabet, a calendar, algebra, "
    "calculus, geometry, a prime number, a matrix, an integral, probability, statistics, a sorting algorithm, a hash table, "
    "a linked list, a binary tree, a red-black tree, a database, SQL, HTML, JavaScript, Python, Rust, Java, Linux, Windows, "
    "a compiler, an operating system, a web browser, a router, a firewall, a virus, encryption, a password, a blockchain, "
    "a neural network, backpropagation, gradient descent, a convolution, a diffusion model, a camera, a printer, a guitar, "
    "a piano, a garden, roses, mushrooms, bees, whales, elephants, penguins, cats, dogs, spiders, ants, the heart, the brain, "
    "blood, a headache, the flu, cancer, vitamins, sleep, a dream, psychology, religion, buddhism, a law, a contract, a judge, "
    "the police, a president, an election, the weather, a hotel, a train ticket, a passport, a visa, a holiday, christmas, "
    "a wedding, a birthday, a gift, clothes, shoes, a hat, a house, a kitchen, a roof, a window, paint, wood, glass, paper, "
    "a shark, a planet, saturn, mars, the sun, a comet, a galaxy, oxygen, carbon, water, salt, sugar, tea, milk, rice, soup"
).split(", ")
_PEOPLE = (
    "Einstein, Newton, Mozart, Bach, Picasso, Shakespeare, Goethe, Plato, Darwin, Turing, Gandhi, Lincoln, Columbus, Caesar, "
    "Beethoven, the king of Spain, the president, the pope, the queen, my neighbour, your teacher, Batman, Harry Potter, "
    "Sherlock Holmes, the author of Hamlet, the first man on the moon, the inventor of the telephone, Marie Curie, Galileo"
).split(", ")
_DEEDS = (
    "bake bread, cook rice, fix a car, repair a bicycle, learn French, play the piano, lose weight, sleep better, write a letter, "
    "write a program, sort a list, center a div, install Linux, reverse a string, build a house, plant a tree, grow tomatoes, "
    "train a dog, buy a house, invest money, get a job, write a resume, paint a wall, clean a window, tie a tie, knit a scarf, "
    "make coffee, make a cake, boil an egg, swim, dance, sing, ski, drive a truck, fly a plane, become a doctor, become rich, "
    "find a friend, travel to Rome, book a flight, pass an exam, read faster, remember names, stop smoking, cut hair, sew a dress, "
    "catch a fish, light a fire, open a jar, change a tyre, unblock a sink, write a novel, solve a cube, fold a paper plane"
).split(", ")
_OTHER = (
    "(translate|say|write) (this|hello|good morning|the word tree|i love you|water|thank you|a sentence) (in|into|to) (german|french|spanish|chinese|latin|japanese|russian|italian)",
    "(write|give me|show me|can you write|i need) (some |a |an |)(code|python code|program|function|script|email|essay|letter|song|speech|article|recipe|resume|shell script|sql query|web page|regular expression)( in python| in java| for me| about history|)",
    "(summarise|summarize|rewrite|correct|proofread|translate|shorten) (this|my|the) (text|letter|article|email|essay|paragraph|book)",
    "(who|what team) won (the (world cup|match|election|war|race|final)|in 1998|yesterday|the game)",
    "(when|in which year) (was|did|were) (the (war|bridge|tower|wall|city)|columbus|rome|the telephone|the wheel|the book) (built|start|end|born|invented|founded|written|discovered|fall|begin)",
    "(what is|what's|how is|how will) the weather( like|)( today| tomorrow| in (london|paris|berlin|rome)|)",
    "(will|is) it (rain|snow|be sunny|be cold|raining|hot outside)( today| tomorrow|)",
    "how (far|high|deep|old|tall|long|heavy|fast|hot|cold) is (the (moon|sun|sea|tower|river|mountain|earth|bridge|wall)|everest|a whale|light|mars|the sky)",
    "how many (people|stars|bones|days|planets|countries|words|teeth|legs|cars|books) (are there|live|has|exist|do we have)( in (the world|china|a year|the sky|london|a human)|)",
    "(what|which) is the (largest|smallest|highest|longest|oldest|fastest|best|biggest) (animal|country|mountain|river|city|building|planet|car|film|book|phone|tree|desert)( in the world| on earth|)",
    "why (is|are) (the (sky|sea|grass|sun|moon|blood)|cats|bananas|clouds|leaves|people) (blue|green|red|salty|yellow|white|hot|round|so (big|small|sad|happy))",
    "(recommend|suggest) (me |)(a|some|a good) (book|film|movie|restaurant|song|game|hotel|song|present|name for a cat)",
    "(what should i|should i) (eat|wear|buy|do|read|watch|cook|study|say|marry)( today| tonight| tomorrow| next|)",
    "(i feel|i am|i'm|my (dog|cat|mother|friend|brother) is) (sad|ill|tired|hungry|angry|lonely|sick|cold|late|lost|in love)",
    "(my (car|phone|computer|lamp|boss|printer|knee|shoe) (is|does not) (broken|work|start|hurting|angry|too slow|red|missing))",
    "(the (door|cat|sun|car|soup|train) is (open|red|late|hot|here|blue|outside))",
    "what is (<big>) (times|divided by|to the power of|multiplied by|x|*|/) (<big>)",
    "what is <big> (+|-|plus|minus) <big>",
    "(play|open|turn on|switch off|buy|order|call|book|find|draw|paint|send) (some |a |the |my |)(music|light|pizza|taxi|doctor|door|radio|picture|table|ticket|game|map|message)( for me| now|)",
    "(who|what|when|where|why|how)",
    "(how did|why did|when did|where did) (<thing>) (start|end|happen|come from|begin)",
)
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"


def invented(rng: Random) -> str:
    """A word that means nothing, such as "florbent": the model learns that an unknown word is not its business."""
    syllables = (
        rng.choice(_CONSONANTS) + rng.choice(_VOWELS) + rng.choice(("", "", "n", "r", "l", "st"))
        for _ in range(rng.randint(2, 4))
    )
    return "".join(syllables)


def _question(rng: Random) -> str:
    thing = rng.choice(THINGS) if rng.random() < 0.7 else rng.choice(("a ", "the ", "")) + invented(rng)
    name = rng.choice(_PEOPLE) if rng.random() < 0.7 else invented(rng).title()
    deed = rng.choice(_DEEDS) if rng.random() < 0.8 else f"{invented(rng)} a {invented(rng)}"
    pattern = rng.choice(
        (
            f"{{what}} {thing}",
            f"{{what}} {thing}",
            f"how (does|do) {thing} work",
            f"(what|which) (colour|color|size|kind|part|use) (is|of|has) {thing}",
            f"(where|why|when|how) (is|are|was|do we need|did people find|can i buy|can i find) {thing}",
            f"(who invented|who discovered|what happened to|how much is|what about|i like|do you like|the history of) {thing}",
            f"(what is|what's) the (difference between|capital of|meaning of|history of|price of|purpose of|opposite of) {thing}( and {rng.choice(THINGS)}|)",
            f"(who is|who was|tell me about|what did|when was|how old is|where is|do you know|when did) {name}( born| die| live| do| say| write|)",
            f"{{how}} {deed}",
            f"{{how}} {deed}",
            f"(what is the best way to|when should i|why should i|is it hard to|should i) {deed}",
            f"{invented(rng)} {invented(rng)}( {invented(rng)}|)",
            rng.choice(_OTHER),
            rng.choice(_OTHER),
            rng.choice(_OTHER),
        )
    )
    big = lambda: str(rng.randint(21, 9999))  # noqa: E731 - two draws, one name
    return pattern.replace("<big>", big(), 1).replace("<big>", big()).replace("<thing>", thing)


def _make(rng: Random, history: tuple[Turn, ...]) -> Turn:
    return Turn(ask(_question(rng), rng), ANSWER, "I do not know.", "I know only a short list of topics.")


_CASES = tuple(
    Case(wording, re.escape(ANSWER))
    for wording in """
    what is a hedgehog?
    how do I knit a sweater?
    who painted the Mona Lisa?
    explain the big bang to me
    what's the boiling point of mercury?
    please write a business plan
    can you convert euros to dollars?
    when does the next bus leave?
    what is the square root of 144?
    how do I get a stain out of a shirt?
    tell me about the Ottoman empire
    is pluto a planet?
    my knee hurts, what should I do?
    define entropy
    what's a good name for a parrot?
    who was the first emperor of Rome?
    why do cats purr?
    what is 250 times 4?
    how long does it take to learn the violin?
    draw me an island
    what is a quasar made of?
    which shoes should I buy for hiking?
    fix the bug in my C++ code
    what does gluten mean?
    how are pencils made?
    """.strip().splitlines()
    for wording in (wording.strip(),)
)

OUTSIDE = Topic("outside", 2.4, _make, _CASES)
