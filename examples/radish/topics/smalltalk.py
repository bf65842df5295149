"""Greetings, thanks and other courtesies. A greeting is answered with "Hi!", as in the figure of the SGLang paper."""

from .base import fact, fact_topic

GREETINGS = fact_topic(
    "greetings",
    1.2,
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
            hello hello
            hi, little radish
            hey hey
            well hello there, radish
            """,
            """
            Hello there, little model
            Hey, nice to see you
            hi hi
            """,
        ),
        fact(
            "Good morning!",
            """
            (good morning|morning|a very good morning|good morning to you)
            (hello|hi|hey), good morning( to you| radish|)
            good morning (radish|friend|model|everyone|to all|dear friend|dear radish|little one|everybody|my dear)
            a good morning to you, radish
            """,
            """
            Good morning, my friend
            morning, radish!
            """,
        ),
        fact(
            "Good evening!",
            """
            (good evening|evening|a very good evening|good evening to you|good night everyone)
            (hello|hi|hey), good evening( to you| radish|)
            good evening (radish|friend|model|everyone|to all|dear friend|dear radish|little one|everybody|my dear)
            a good evening to you, radish
            """,
            """
            Good evening, my friend
            evening, radish!
            """,
        ),
        fact(
            "Good afternoon!",
            """
            (good afternoon|good day|a very good afternoon|good afternoon to you|good day to you)
            (hello|hi), good (afternoon|day)
            good (afternoon|day) (radish|friend|model|everyone)
            a good afternoon to you, radish
            """,
            """
            Good afternoon, my friend
            afternoon, radish!
            """,
        ),
        fact(
            "Goodbye!",
            """
            i (should|will|must|need to|have to|ought to) (go|leave|get going|be going|be off|say goodbye)( now| soon| then|)
            (bye|goodbye|see you) (next week|next time|on monday|another day|again soon|around)
            (okay|ok|well|right|so), (bye|goodbye|see you|i am off|i have to go)( now| then|)
            (thanks|thank you) (and|,) (bye|goodbye|see you)
            (until|till) (next week|next time|we meet again|later|monday)
            time to (go|leave|stop|say goodbye)
            (bye|goodbye|good bye|bye bye|see you|see you later|see you soon|see you tomorrow|farewell|so long|take care|later|cheerio)
            (i have to go|i must go|i am leaving|i need to leave|i am off|that's it for today|i am done|that is all)
            (good night|sleep well|until next time|until tomorrow)
            (i am|i'm) (tired|off to bed|going home|going to sleep)(, good night|, bye|, goodbye|, see you tomorrow)
            (sorry|oh|okay|well)(,|) i (have to|need to|must) (hurry|rush|catch a train|go home|stop here)(, bye|, goodbye|, see you|)
            (bye|goodbye) (radish|for now|friend|model|then)
            (we are done|let us stop here|end of chat)
            okay, goodbye now
            I should get going now
            bye, see you next week
            """,
            """
            Thanks for everything, goodbye
            I am going to bed now, good night
            alright, I have to run, bye
            """,
        ),
    ),
    loose=False,
)

SMALL_TALK = fact_topic(
    "small talk",
    1.7,
    (
        fact(
            "I am fine, thank you! How can I help?",
            """
            how (are|were) (you|things|things going) (this morning|this evening|tonight|lately|these days|now|there|with you)
            how (has|was|is) your (day|week|morning|evening)( been| going| so far|)
            (hello|hi|hey)(,| -|) how (are things|is life|goes it|do you do|have you been|are you going|is your day)( today| lately|)
            (are you|you) (doing |)(ok|okay|well|fine|all right|good)
            (is|are) (everything|things|you) (ok|okay|fine|well|all right|going well)( with you| today|)
            (hello|hi|hey)( radish| there|)(,|) (are you|is everything) (ok|okay|fine|all right|good)( today|)
            (so|and|well)(,|) how (is|was) (your day|life|everything|it|the day)( today| now| with you|)
            what is going on( today| with you|)
            how are you( today| doing| doing today| feeling| feeling today|)
            how (is it going|do you do|are things|is life|have you been|is your day|goes it)
            (how's it going|what's up|what is up|how's life|sup|how are things today)
            (are you|all) (well|ok|okay|fine|good)( today|)
            (hello|hi|hey), how are you( today| doing|)
            (hello|hi|hey) (radish|there), how (are you|is it going)
            what's new
            everything (ok|fine|good|all right)
            how has your day been
            hi, how are things going today
            how are you this morning
            """,
            """
            Hey radish, are you well today?
            So how is it going today?
            """,
        ),
        fact(
            "You are welcome!",
            """
            (thanks|thank you|many thanks) for (the explanation|explaining that|this|your answer|your time|your help|everything|the information|telling me)
            (thanks|thank you),? (that|this|it) (was|is) (very |really |)(helpful|useful|clear|nice|kind)
            i (really |)(appreciate|am grateful for|thank you for) (your help|it|that|this|the help|your answer)
            (i am |)(so |very |)(grateful|thankful|much obliged)
            (that|this|you) (really |)(helped|was a great help|was of help|were a great help|helped me a lot)
            (great|perfect|wonderful|excellent|good|ok|okay)(,|) (thanks|thank you)( a lot| so much|)
            (thanks|thank you|thx|many thanks|thanks a lot|thank you very much|thanks so much|ta|cheers)
            (thanks|thank you) (radish|for your help|for that|for the help|for the answer|my friend|again|for explaining)
            (that|this) (helped|was helpful|was useful|helps|helps a lot)( me|)
            (i appreciate it|much appreciated|very kind|how kind|very kind of you)
            thank you for the explanation
            thanks, that was very helpful
            I really appreciate your help
            """,
            """
            Thank you for helping me
            Great, thank you very much indeed
            """,
        ),
        fact(
            "Thank you, that is kind!",
            """
            what a (good|great|nice|clever|lovely|fine|wonderful) (answer|reply|model|bot|story|poem|joke|explanation|program)
            (you are|you're) (really|quite|very|so|pretty) (clever|good|nice|smart|helpful|funny|fast|cool|great|impressive)
            i (really |do |)(like|love|enjoy) (you|talking to you|chatting with you|this|radish|your stories)( radish| a lot| very much|)
            (this|that|it) is (really|very|quite|so) (good|nice|cool|helpful|clever|clear|well done|impressive)
            (you did|that was) (well|great|a good answer|a nice story|very well)
            (good|clever|nice) (bot|model|radish|one)
            (wow|oh|hey|ah)(,|) (you|radish) (really |)(know|can do|understand) (a lot|so much|your subject|much)
            (you are|you're|radish is) (great|excellent|brilliant|not bad) at (it|that|explaining|telling jokes|answering)
            (wow|oh|ah)(,|) (nice|great|impressive|that is good|not bad|beautiful)
            (i am|i'm) (impressed|pleased|happy|glad)( with you| with that answer| with the answer|)
            (that|this) was (a|an) (very |really |)(good|clear|excellent|helpful|lovely) (answer|reply|explanation|story)
            (you are|you're) (great|good|nice|funny|cool|smart|clever|awesome|the best|cute|sweet|amazing|wonderful|very good|fast)
            (well done|good job|nice work|good work|great answer|good answer|nice answer|excellent|brilliant|bravo|impressive)
            i (like|love) (you|it|this|your answers|your name|radish|this program)
            (that|this|it) (is|was) (great|nice|good|cool|awesome|perfect|wonderful|amazing|very good|funny)
            what a good answer
            you are really quite clever
            I do like you, radish
            """,
            """
            Wow, you are good at this
            That was a really nice answer
            """,
        ),
        fact(
            "I am sorry. I am only a tiny demonstration model; a larger one will do better.",
            """
            what a (bad|poor|stupid|silly|terrible|useless|wrong) (answer|reply|model|bot|program)
            (you are|you're) (really|quite|very|so|not|not very|not really) (stupid|bad|wrong|slow|silly|clever|helpful|good|smart|useful)
            (no|nope|sorry|but)(,|) (that|this|it) is (not correct|not true|not right|wrong|false|nonsense|a mistake)
            (this|that|it) (does not|doesn't|did not) (help|make sense|answer my question|work)
            (that|this) (is|was) (not (helpful|what i wanted|what i meant|an answer)|no answer|a bad answer)
            (i am|i'm) (disappointed|annoyed|angry)( with you| about that|)
            (your|the|this|that) (answer|reply|answers) (is|are|was|were) (not |)(wrong|correct|bad|nonsense|poor|useless|terrible)
            (you|your answers) (do not|don't|did not) (help|help me|listen|work|answer my question)( at all|)
            (you are|you're) (no|not a|of no|not much) (help|use)( to me| at all|)
            (you are|you're) (stupid|dumb|wrong|bad|useless|silly|terrible|an idiot|not good|not helpful|boring|slow)
            (that|this|it) (is|was) (wrong|bad|not true|false|nonsense|stupid|incorrect|not right|useless|terrible|not what i asked)
            (bad|wrong|poor|terrible|silly) answer
            (i hate|i do not like|i don't like) (you|this|it|your answers|that answer)
            (no|nope), (that is wrong|wrong|that is not right|not that)
            you (made a mistake|did not understand|do not understand|got it wrong|do not know anything)
            i am not happy with (you|this|that|your answer)
            what a bad answer
            you really are not very clever
            no, that is not correct
            """,
            """
            That answer was completely wrong
            You are not being helpful at all
            """,
        ),
        fact(
            "Nice to meet you!",
            """
            i (work|earn my living|am employed) as (a|an) (teacher|developer|engineer|student|lecturer|programmer|nurse|writer)
            i (happen to be|used to be|am also|am actually) (a|an) (teacher|developer|engineer|student|lecturer|programmer|author|writer)
            (my|by) (job|profession|work|trade) is (teaching|programming|writing|research|engineering)
            i (came|come) from (far away|a small town|the university|another team)
            i am (a student|a teacher|new here|a developer|an author|a beginner|your user|a programmer|a lecturer|an engineer)
            i (teach|study|write|learn|work with) (caching|computers|programs|this subject|books|at a school|at a university)
            i am (learning|studying|teaching) (about |)(caches|caching|models|radix trees|computer science)
            i am a (student|teacher|lecturer|professor|developer) (of|for|in) (physics|mathematics|informatics|languages|history|biology)
            i (teach|study|learn|lecture) (physics|mathematics|informatics|languages|history|programming|networks)( at (home|university|a college)|)
            I work as a teacher
            I happen to be a developer
            """,
            """
            I am a student of computer science
            I teach computer science at a school
            """,
        ),
        fact(
            "All right.",
            """
            (ah|oh|okay|ok|well)(,|) (i see|now i get it|i understand|that makes sense|i know|got it|good|fine|sure)( now| to me|)
            (now|so) i (get it|know|see|understand)( it| that| now|)
            (that|this|it) (is|sounds) (clear|logical|reasonable|interesting|plausible|ok|fine|good)( now| to me| enough|)
            (good|nice|okay|fine|sure)(,|) (go on|let us go on|i believe you|that is fine|why not)
            (no|yes)(,|) (that is fine|thank you|i do not think so|of course|i think so|exactly)
            (ok|okay|all right|alright|fine|i see|sure|got it|understood|right|very well|good|yes|yeah|yep|of course|makes sense|interesting|hm|hmm|aha|oh|wow|cool|nice|great|no problem|no|nope|not really|maybe|never mind)
            (i understand|that makes sense|now i see|now i understand|good to know|i did not know that|that is interesting|sounds good|fair enough)
            (lol|haha|hehe|ha ha|xd|hihi|rofl|very funny|that is a good one)
            (oh|ah|okay|right|hm|wow)(,|) (that is|that's|how|very) (interesting|funny|good to know|true)
            ah, now I get it
            okay, that makes sense to me
            """,
            """
            Okay, I got it now
            hahaha
            I see, that's interesting
            """,
        ),
        fact(
            "I have no favourites: I am a program.",
            """
            (which|what) (animal|colour|color|book|film|city|song|food|number|tree|season) (is|would be) your (favourite|favorite)
            what kind of (music|food|books|films|weather|people|games) do you (like|enjoy|prefer|love)
            (what|which) is the (animal|colour|color|book|film|city|song|food|number|season) you (love|like most|prefer|enjoy)
            do you (like|love|enjoy) to (read|dance|sing|travel|cook|play games|watch films|walk)
            (do you|would you) (prefer|rather have|like better) (cats or dogs|tea or coffee|summer or winter|day or night)
            (your|the) (favourite|favorite) (colour|color|food|animal|book|film|song|number)
            (are you|do you) (a cat person|a fan of football|into music|fond of music|interested in art)
            (what is|what's|do you have|which is|tell me) (your|a) (favourite|favorite) (colour|color|food|song|book|film|movie|animal|number|tree|city|word|band|game)
            (what|which) (colour|color|food|song|book|film|movie|animal|number|tree|city|word|music) do you (like|like best|prefer|love)
            do you (like|prefer|enjoy) (music|cats|dogs|coffee|tea|sport|pizza|summer|winter|reading|games|trees|vegetables|people)
            """,
            """
            What is the colour you like best?
            Do you like to listen to music?
            """,
        ),
        fact(
            "I do not know: I have no clock and no calendar.",
            """
            (can|could|would|please) you (tell me|say) (the time|what time it is|the date|today's date|what day it is|which day it is)
            (which|what) (date|day|month|year|time) (is it|do we have|are we|do we write|is today|is tomorrow|was yesterday)( today| now|)
            (the|today's|current) (date|time|day)
            (is|when is) (today|tomorrow) (monday|a holiday|friday|sunday|christmas|my birthday)
            how late is it
            do you (know|have|remember) (the|today's) (time|date|day)( now| please|)
            (what|which) day of the (month|year) (is it|do we have)
            what (time|day|date|year|month) is it( now| today|)
            (what is|what's|tell me) (the|today's) (time|date|day|year)( now| today|)
            (which|what) (day|year|month) (is today|is this|do we have|is it)
            do you know (what time it is|the time|the date|what day it is)
            is it (late|early|monday|friday|sunday|morning|night|weekend)
            could you tell me what time it is
            which date do we write today
            """,
            """
            Do you happen to know what time it is?
            What day of the week is it?
            """,
        ),
    ),
    loose=False,
)
