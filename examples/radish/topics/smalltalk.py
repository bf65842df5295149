"""Greetings, thanks and other courtesies. A greeting is answered with "Hi!", as in the figure of the SGLang paper."""

from .base import fact, fact_topic

GREETINGS = fact_topic(
    "greetings",
    0.8,
    (
        fact(
            "Hi!",
            """
            (hello|hi|hey|hello there|hi there|hey there|hello again|hi again|hiya|howdy|greetings|hey you|yo|hallo|ahoy|hullo)
            (hello|hi|hey) (radish|model|friend|my friend|everyone|little model|you|buddy|computer|bot)
            hello
            hello
            (i say|i just want to say|let me say) (hello|hi)
            (say|just say|please say) (hello|hi)( to me|)
            (nice|good|great|glad|pleased) to (meet|see) you
            """,
            """
            hello hello
            hi, little radish
            hey hey
            well hello there, radish
            """,
        ),
        fact(
            "Good morning!",
            """
            (good morning|morning|a very good morning|good morning to you)
            (hello|hi|hey), good morning( to you| radish|)
            good morning (radish|friend|model|everyone)
            """,
            "a good morning to you, radish",
        ),
        fact(
            "Good evening!",
            """
            (good evening|evening|a very good evening|good evening to you|good night everyone)
            (hello|hi|hey), good evening( to you| radish|)
            good evening (radish|friend|model|everyone)
            """,
            "a good evening to you, radish",
        ),
        fact(
            "Good afternoon!",
            """
            (good afternoon|good day|a very good afternoon|good afternoon to you|good day to you)
            (hello|hi), good (afternoon|day)
            good (afternoon|day) (radish|friend|model|everyone)
            """,
            "a good afternoon to you, radish",
        ),
        fact(
            "Goodbye!",
            """
            (bye|goodbye|good bye|bye bye|see you|see you later|see you soon|see you tomorrow|farewell|so long|take care|later|cheerio)
            (i have to go|i must go|i am leaving|i need to leave|i am off|that's it for today|i am done|that is all)
            (good night|sleep well|until next time|until tomorrow)
            (bye|goodbye) (radish|for now|friend|model|then)
            (we are done|let us stop here|end of chat)
            """,
            """
            okay, goodbye now
            I should get going now
            bye, see you next week
            """,
        ),
    ),
    loose=False,
)

SMALL_TALK = fact_topic(
    "small talk",
    0.8,
    (
        fact(
            "I am fine, thank you! How can I help?",
            """
            how are you( today| doing| doing today| feeling| feeling today|)
            how (is it going|do you do|are things|is life|have you been|is your day|goes it)
            (how's it going|what's up|what is up|how's life|sup|how are things today)
            (are you|all) (well|ok|okay|fine|good)( today|)
            (hello|hi|hey), how are you( today| doing|)
            (hello|hi|hey) (radish|there), how (are you|is it going)
            what's new
            everything (ok|fine|good|all right)
            """,
            """
            how has your day been?
            hi, how are things going today?
            how are you this morning?
            """,
        ),
        fact(
            "You are welcome!",
            """
            (thanks|thank you|thx|many thanks|thanks a lot|thank you very much|thanks so much|ta|cheers)
            (thanks|thank you) (radish|for your help|for that|for the help|for the answer|my friend|again|for explaining)
            (that|this) (helped|was helpful|was useful|helps|helps a lot)( me|)
            (i appreciate it|much appreciated|very kind|how kind|very kind of you)
            """,
            """
            thank you for the explanation
            thanks, that was very helpful
            I really appreciate your help
            """,
        ),
        fact(
            "Thank you, that is kind!",
            """
            (you are|you're) (great|good|nice|funny|cool|smart|clever|awesome|the best|cute|sweet|amazing|wonderful|very good|fast)
            (well done|good job|nice work|good work|great answer|good answer|nice answer|excellent|brilliant|bravo|impressive)
            i (like|love) (you|it|this|your answers|your name|radish|this program)
            (that|this|it) (is|was) (great|nice|good|cool|awesome|perfect|wonderful|amazing|very good|funny)
            """,
            """
            what a good answer
            you are really quite clever
            I do like you, radish
            """,
        ),
        fact(
            "I am sorry. I am only a tiny demonstration model; a larger one will do better.",
            """
            (you are|you're) (stupid|dumb|wrong|bad|useless|silly|terrible|an idiot|not good|not helpful|boring|slow)
            (that|this|it) (is|was) (wrong|bad|not true|false|nonsense|stupid|incorrect|not right|useless|terrible|not what i asked)
            (bad|wrong|poor|terrible|silly) answer
            (i hate|i do not like|i don't like) (you|this|it|your answers|that answer)
            (no|nope), (that is wrong|wrong|that is not right|not that)
            you (made a mistake|did not understand|do not understand|got it wrong|do not know anything)
            i am not happy with (you|this|that|your answer)
            """,
            """
            what a bad answer
            you really are not very clever
            no, that is not correct
            """,
        ),
        fact(
            "Nice to meet you!",
            """
            i am (a student|a teacher|new here|a developer|an author|a beginner|your user|a programmer|a lecturer|an engineer)
            i (teach|study|write|learn|work with) (caching|computers|programs|this subject|books|at a school|at a university)
            i am (learning|studying|teaching) (about |)(caches|caching|models|radix trees|computer science)
            """,
            """
            I work as a teacher
            I happen to be a developer
            """,
        ),
        fact(
            "All right.",
            """
            (ok|okay|all right|alright|fine|i see|sure|got it|understood|right|very well|good|yes|yeah|yep|of course|makes sense|interesting|hm|hmm|aha|oh|wow|cool|nice|great|no problem|no|nope|not really|maybe|never mind)
            (i understand|that makes sense|now i see|now i understand|good to know|i did not know that|that is interesting|sounds good|fair enough)
            """,
            """
            ah, now I get it
            okay, that makes sense to me
            """,
        ),
        fact(
            "I have no favourites: I am a program.",
            """
            (what is|what's|do you have|which is|tell me) (your|a) favou?rite (colour|color|food|song|book|film|movie|animal|number|tree|city|word|band|game)
            (what|which) (colour|color|food|song|book|film|movie|animal|number|tree|city|word|music) do you (like|like best|prefer|love)
            do you (like|prefer|enjoy) (music|cats|dogs|coffee|tea|sport|pizza|summer|winter|reading|games|trees|vegetables|people)
            """.replace("favou?rite", "(favourite|favorite)"),
            """
            which animal is your favourite?
            what kind of music do you enjoy?
            """,
        ),
        fact(
            "I do not know: I have no clock and no calendar.",
            """
            what (time|day|date|year|month) is it( now| today|)
            (what is|what's|tell me) (the|today's) (time|date|day|year)( now| today|)
            (which|what) (day|year|month) (is today|is this|do we have|is it)
            do you know (what time it is|the time|the date|what day it is)
            is it (late|early|monday|friday|sunday|morning|night|weekend)
            """,
            """
            could you tell me what time it is?
            which date do we write today?
            """,
        ),
    ),
    loose=False,
)
