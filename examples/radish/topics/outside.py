"""Everything radish does not know, and the one plain answer for it.

The lists give the model many words that mean "not mine"; invented words stand for all the others.
"""

import re
from random import Random

from .base import Case, Topic, Turn, ask
from .capitals import ASK_CAPITAL

ANSWER = (
    "I do not know that: I am a tiny demonstration model. With --model Qwen/Qwen2.5-0.5B-Instruct you get a larger one."
)

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
    "a hammer, a screwdriver, a ladder, a carpet, a curtain, a pillow, a blanket, a candle, a mirror, a bottle, a spoon, a knife, "
    "a lemon, a banana, an orange, a cherry, an onion, garlic, pepper, cinnamon, honey, butter, yoghurt, beer, juice, vinegar, "
    "a bus, a tram, a subway, a taxi, a motorbike, a helicopter, a submarine, a sailing boat, an airport, a harbour, a motorway, "
    "a museum, a theatre, an opera, a circus, a zoo, a stadium, a school, a university, a hospital, a prison, a court, a church, "
    "a temple, a desert, a jungle, a swamp, a waterfall, a cave, an island, a beach, a storm, thunder, fog, snow, ice, a drought, "
    "a flood, a famine, a plague, a revolution, a treaty, a colony, slavery, feudalism, capitalism, socialism, a monarchy, "
    "a parliament, a senate, a constitution, human rights, a trade union, a strike, unemployment, a pension, debt, a budget, "
    "an invoice, a receipt, a discount, an auction, a brand, advertising, marketing, a startup, a patent, copyright, a lawyer, "
    "a dentist, a surgeon, a nurse, a pharmacy, aspirin, an allergy, asthma, diabetes, a fever, a cough, a broken leg, a tooth, "
    "the liver, a kidney, a lung, skin, hair, muscle, bone, a gene, a protein, a bacterium, an enzyme, a hormone, an antibiotic, "
    "a molecule, an ion, an acid, a base, a crystal, a metal, helium, hydrogen, uranium, radiation, friction, inertia, momentum, "
    "pressure, temperature of the sun, a magnet, a circuit, a resistor, a diode, a motor, a generator, a turbine, a dam, a mine, "
    "an oil well, a pipeline, a forest fire, recycling, compost, a compass, a map, a globe, longitude, a time zone, a leap year, "
    "an eclipse, a meteor, a nebula, a quark, an electron, a photon, string theory, chaos theory, game theory, a theorem, "
    "a fraction, a logarithm, a vector, a polygon, a circle, pi, infinity, a paradox, logic, rhetoric, irony, a proverb, a myth, "
    "a legend, a fable, a drama, a tragedy, an essay, a newspaper, a magazine, a podcast, a radio, television, a keyboard, a mouse pad, "
    "a monitor, a hard disk, a spreadsheet, an email, a website, a cookie, spam, a chatroom, a drone, a robot vacuum, virtual reality, "
    "a video game, a puzzle, a dice, a card game, poker, tennis, golf, boxing, rugby, hockey, judo, a medal, a trophy, a referee, "
    "a waltz, tango, ballet, an orchestra, a choir, a drum, a flute, a trumpet, a harp, a melody, a rhythm, blues, opera, hip hop, "
    "a sculpture, a portrait, a fresco, graffiti, pottery, weaving, embroidery, origami, a tattoo, perfume, soap, a razor, a comb, "
    "an umbrella, a coat, a scarf, gloves, boots, a belt, a ring, a necklace, a crown, a flag, an anthem, an army, a tank, a sword, "
    "artificial intelligence, AI, machine learning, deep learning, ChatGPT, a search engine, a smartphone, the meaning of life, a shark, a planet, saturn, mars, the sun, a comet, a galaxy, oxygen, carbon, water, salt, sugar, tea, milk, rice, soup"
).split(", ")
_COUNTRIES = (
    "Zambia, Zimbabwe, Paraguay, Bolivia, Libya, Sudan, Mali, Chad, Angola, Somalia, Panama, Honduras, Haiti, Nicaragua, "
    "Israel, Syria, Yemen, Qatar, Singapore, Sri Lanka, Fiji, Samoa, Belarus, Cyprus, Georgia, Armenia, Kazakhstan, Scotland, "
    "Wales, California, Texas, Bavaria, Africa, Europe, Asia, the moon, the world, Mars"
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
    "sharpen a knife, fry onions, grill meat, peel a mango, freeze soup, brew beer, roast a chicken, set a table, fold a shirt, iron trousers, "
    "polish shoes, sew on a button, hang a picture, lay a carpet, mow the lawn, prune roses, water cactuses, feed pigeons, groom a cat, "
    "ride a horse, climb a mountain, row a boat, pitch a tent, read a map, pack a suitcase, apply for a visa, rent a flat, pay taxes, "
    "open a bank account, get a loan, sell a car, start a company, hire people, hold a speech, win an argument, make friends, say no, "
    "cure a cold, treat a burn, stop a nosebleed, lower blood pressure, get pregnant, raise a child, calm a baby, teach a parrot, "
    "solve an equation, draw a circle, compute a square root, prove a theorem, convert miles to kilometres, learn Spanish, spell necessary, "
    "format a disk, merge two branches in git, parse json, call an api, build a website, hack a phone, reset a password, block spam, "
    "take a photo, edit a video, record a song, tune a guitar, mix paint, carve wood, weld steel, drill a hole, fix a leak, wire a lamp, "
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
    "(who|what|when|where|why|how|why not|how so|really)",
    "(test|testing|asdf|qwerty|blah|blah blah|foo|foo bar|lorem ipsum|abc|xyz|hm what|nothing|something|123|1234|99)",
    "(count|spell|sing|rhyme|dance|guess|roll a dice|flip a coin|pick a number|play a game|tell a secret)( for me| to ten| with me|)",
    "(what is|what's|how much is|calculate|compute|) <small> (times|multiplied by|divided by|x|*|/|over) <small>",
    "(my|our|the) (cat|house|uncle|garden|bicycle|daughter|roof|lamp|computer|soup|tooth|flight) (is|was|has|needs|looks) (broken|old|a problem|very small|too cold|late|ill|repair)",
    "(name|list|give me|tell me) (three|five|ten|all|some) (planets|rivers|colours|animals|presidents|songs|cheeses|inventors|books|sports|cars|poets)",
    "(who|which man|which woman|what person) (wrote|painted|built|invented|discovered|sang|directed|founded|won|killed|married) (<thing>|{what} <thing>|it|that book|the song)",
    "(convert|change|turn) (ten|five|a hundred|<big>) (dollars|miles|pounds|degrees|inches|euros|litres) (to|into) (euros|kilometres|kilos|celsius|metres|yen|gallons)",
    "(fix|debug|write|check|improve|review|refactor) (my|this|some|the) (code|bug|function|script|program in java|c code|loop|class|spelling|poem)",
    "(is|are|was|were) (<thing>) (good|bad|dangerous|expensive|real|healthy|important|old|a planet|alive|legal|necessary)",
    "(should|can|may|must) (i|we|you|people|children) (eat|buy|touch|learn|forbid|own|trust|use|see) (<thing>)",
    "(who|where|when) (was|is|did) (the (first|last|second|greatest|youngest|oldest) (king|president|emperor|pope|astronaut|olympic games|queen)|<thing>)( of (france|rome|england|america|china)|)",
    "(what is|what's) (the (square|cube) (root )of <big>|<big> percent of <big>|half of <big>)",
    "(a|what is a|give me a|find a) good (name|title|present|idea|place|time|recipe|book) for (<thing>|my dog|my mother|a boy|a party|dinner)",
    "(draw|paint|sketch|sing|play|show|photograph) (me |)(<thing>|something|a picture of <thing>)",
    "where (can|do|should) (i|we) (find|buy|see|meet|park|sell|eat|get) (<thing>)",
    "(how much|how many|how often|how long) (does|do|is|are|should|for) (<thing>)( cost| last| weigh| take| live|)",
    "(how did|why did|when did|where did) (<thing>) (start|end|happen|come from|begin)",
)
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"


def invented(rng: Random) -> str:
    """A word that means nothing, such as "florbent": the model learns that an unknown word is not its business."""
    if rng.random() < 0.1:
        return "".join(rng.choice("asdfghjklqwertyuiopzxcvbnm") for _ in range(rng.randint(3, 9)))
    syllables = (
        rng.choice(_CONSONANTS) + rng.choice(_VOWELS) + rng.choice(("", "", "n", "r", "l", "st"))
        for _ in range(rng.randint(2, 4))
    )
    return "".join(syllables)


def _question(rng: Random) -> str:
    thing = rng.choice(THINGS) if rng.random() < 0.7 else rng.choice(("a ", "the ", "")) + invented(rng)
    name = rng.choice(_PEOPLE) if rng.random() < 0.7 else invented(rng).title()
    deed = rng.choice(_DEEDS) if rng.random() < 0.8 else f"{invented(rng)} a {invented(rng)}"
    bare = thing.split(" ")[-1]
    country = rng.choice(_COUNTRIES) if rng.random() < 0.6 else invented(rng).title()
    pattern = rng.choice(
        (
            rng.choice(ASK_CAPITAL).replace("<country>", country),
            f"(explain|describe|show|teach) (me |us |){thing}( to me| to a child| simply| in detail| in two sentences|)",
            f"(when|where|why|how) (does|do|did|will) the (next|last|first|new|old|other) {bare} (leave|start|end|arrive|open|go|split|come|change)",
            f"{{how}} (copy|edit|split|switch|delete|remove|set|continue|rename|drop|undo|list|share|cut|lock|evict|get rid of|get out of) {thing}",
            f"(what is|what's|show me|tell me) the (root|leaf|temperature|size|price|name|age|value|key|speed|colour|weight|length) of {thing}",
            f"(is there|do you know|have you seen|i lost|i need|i bought) {thing}( here| for me| today|)",
            f"(define|definition of|meaning of|translate|spell|pronounce) {thing}",
            f"(what|when|why|how|where) (do|does|did|will) {thing} (mean|happen|begin|end|grow|make|sleep|sound|arrive|open|fall|burn)",
            f"(what|why|how) (is|are) {thing} (made of|made|used for|so expensive|so important|called|built|measured)",
            f"(fix|repair|clean|open|improve|find|choose) (the|my|a) {rng.choice(_DEEDS).split()[-1]} (in|on|of|for) {thing}",
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
    for _ in range(pattern.count("<big>")):
        pattern = pattern.replace("<big>", str(rng.randint(21, 9999)), 1)
    pattern = pattern.replace("<thing>", thing)
    for _ in range(pattern.count("<small>")):
        pattern = pattern.replace("<small>", str(rng.randint(0, 20)), 1)
    return pattern


def no_idea(user: str) -> Turn:
    """The plain answer to a question that is not radish's business."""
    return Turn(user, ANSWER, "I do not know.", "I know only a short list of topics.")


def _make(rng: Random, history: tuple[Turn, ...]) -> Turn:
    return no_idea(ask(_question(rng), rng))


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
    asdfgh jkl
    please add up 15 and 14
    I need to know 4 minus 9
    could you work out 3 * 4 for me?
    please name the capital city for Zambia
    """.strip().splitlines()
    for wording in (wording.strip(),)
)

OUTSIDE = Topic("outside", 3.0, _make, _CASES)
