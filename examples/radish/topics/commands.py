"""The program's own commands, and the program itself."""

from .base import Fact, fact, fact_topic, lines


def command(name: str, does: str, wishes: str, held_out: str, more: str, other: str) -> Fact:
    """A slash command from what it does, the wishes (patterns, one a line) that lead to it, and other wordings."""
    ways = []
    for wish in lines(wishes):
        ways += [f"{{how}} {wish}", f"{{how}} {wish}", f"(what|which command|what command|who) {third_person(wish)}"]
        ways += [f"{{wish}} {wish}{{how_after}}", f"{{lets}} {wish}"]
    ways += [
        f"{{does}} (/|the |){name} (do|mean|command do)",
        f"{{what}} (/{name}|the {name} command|the /{name} command)",
        f"(/{name}|the {name} command|how does /{name} work|what is /{name} for|when do i use /{name}|help /{name})",
    ]
    ways += 2 * lines(other)
    reply = f"Type /{name}: it {does}."
    return fact(reply, "\n".join(ways), held_out, f"Type /{name}.", more)


def third_person(wish: str) -> str:
    """The wish with an s on its verbs: "(show|draw) the tree" becomes "(shows|draws) the tree"."""
    verbs, _, rest = wish[1:].partition(")") if wish.startswith("(") else wish.partition(" ")
    rest = rest if rest.startswith(" ") else f" {rest}"
    return f"({'|'.join(_with_s(verb) for verb in verbs.split('|'))}){rest}"


def _with_s(verb: str) -> str:
    first, *others = verb.split(" ")
    if first.endswith(("ch", "sh", "ss", "x", "go")):
        first += "es"
    elif first.endswith("y") and first[-2] not in "aeiou":
        first = first[:-1] + "ies"
    else:
        first += "s"
    return " ".join([first, *others])


COMMANDS = fact_topic(
    "commands",
    2.4,
    (
        command(
            "help",
            "lists all commands",
            """
            (see|list|show|find|learn|get) (the|all|all the|your|available) (commands|slash commands)
            (get|find|see) help( with the program| with the commands| on a command|)
            know (the|all the|your|which) commands( there are| exist| i can use|)
            (read|open|call) the (help|manual|list of commands|documentation)
            """,
            """
            where is the list of commands?
            which slash commands are there?
            """,
            "Type /help all for every one of them.",
            """
            (where|in which place) (are|do i find|can i look up|do i see) (the|all the|all) (commands|instructions)
            (which|what) (commands|instructions|words) (exist|can i type|may i use|do you have|does this program know|are possible)( here|)
            (i am|i'm|we are) (lost|stuck)(, what can i type|, help|, which commands do i have|)
            (help|commands|manual|instructions)( please|)
            i (forgot|do not know|need|never learned) (the commands|what i can type)
            """,
        ),
        command(
            "new",
            "starts a new conversation; the cached system prompt is reused",
            """
            (start|begin|open|create|make|have) (a|another) (new|fresh|second|clean|different) (conversation|chat|dialogue)
            start (over|again|afresh|from scratch)
            (get|have|enter) (a|an) (empty|blank|clean|new) (conversation|chat|page)
            talk about something else in a (new|separate) (conversation|chat)
            """,
            """
            a fresh chat, please, how do I get it?
            I'm done with this topic, how do we begin a new chat?
            """,
            "The old one stays in the list.",
            """
            (a|one) (new|clean|blank|different) (chat|conversation)(, please|, how| now|)
            (i am|we are|i'm) finished with (this subject|that matter|this conversation)(, i want a new one|, what next|, a new one please|)
            (how|where) (do|can|does) (i|we|one) (get|start|open) (a new|another|a clean|one more) (chat|conversation)
            (next|new|another) (subject|theme|matter)(, new chat|: new conversation|, a new conversation please)
            """,
        ),
        command(
            "switch",
            "goes to another conversation",
            """
            (switch|change|go|jump|move|return|go back|get back) to (another|a different|an older|the other|an old|my other|the previous) (conversation|chat)
            (switch|change|swap) (conversations|chats|the conversation|between conversations)
            (continue|resume|reopen|enter) (an old|an earlier|another|a different|my other) (conversation|chat)
            (take|bring) me (back |)to (another|the other|an old|my other) (conversation|chat)
            """,
            """
            what takes me back to an earlier conversation?
            I was in another chat before, how do I return?
            """,
            "Give its name after the command.",
            """
            (where|how) (do|can) i (find|reach|get to|enter) my (old|other|earlier|previous) (chat|conversation)
            (there was|i have|there is) another (chat|conversation)( open|)(, how do i go there|, how do i reach it|, i want to see it)
            (what|which command) (leads|brings|gets) (me|us) to (another|the other|an older) (chat|conversation)
            back to (the|my) (other|old|first|previous) (chat|conversation)
            """,
        ),
        command(
            "list",
            "lists your conversations",
            """
            (list|see|show|find|get a list of) (my|the|all|all my|all the|old) (conversations|chats)
            see (which|what) (conversations|chats) (there are|i have|exist)
            (find|look through|count|enumerate) (my|the|all|all my|the existing) (conversations|chats)
            (know|remember) (which|what) (conversations|chats) (i have|i started|are open|exist)
            """,
            """
            where can all my chats be seen?
            what conversations do I have?
            """,
            "A star marks the current one.",
            """
            (which|how many) (chats|conversations) (are there|exist|are open|did i start|have i got)
            (where|how) (are|do i see|can i look at|do i find) (all |)(my|the) (chats|conversations)
            (an overview|a list) of (my|all|the) (chats|conversations)
            (my|all) (chats|conversations)
            """,
        ),
        command(
            "rename",
            "gives the conversation another name",
            """
            (rename|retitle|name) (a|this|the|my) (conversation|chat)
            (give|set) (a|this|the|my) (conversation|chat) (a|another|a new|a better) (name|title)
            change the (name|title) of (a|this|the|my) (conversation|chat)
            call (a|this|the|my) (conversation|chat) (something else|differently|by another name)
            (set|edit|correct|replace) the (name|title) of (a|this|the|my) (conversation|chat)
            """,
            """
            my chat has a bad title, what now?
            a nicer name for this chat, how?
            """,
            "The tree does not change.",
            """
            (the|this) (chat|conversation) (has|got|carries) (the wrong|a silly|an ugly|no good) (name|title)(, how do i change it|, what can i do|)
            (another|a better|a new|a different) (name|title) for (my|the|this) (conversation|dialogue)(, please|, which command|)
            (how|where) is (a|the) (chat|conversation) (renamed|named|called)
            the (name|title) of (this|the|my) (chat|conversation) is (wrong|bad|not right|ugly)(, can i change it|)
            """,
        ),
        command(
            "delete",
            "forgets a conversation; the cache keeps its tokens until they are evicted",
            """
            (delete|remove|erase|throw away|get rid of|destroy|drop) (a|this|the|my|an old|one) (conversation|chat)
            (delete|remove|erase) (conversations|chats|my conversations)
            (clear|kill|bin|forget|lose|wipe) (a|this|the|my|an old|one) (conversation|chat)( for good| for ever| completely|)
            """,
            """
            a conversation should be gone for good, how?
            what erases one of my chats?
            """,
            "Without a name it means the current one.",
            """
            (how|where|can) (is|can) (a|an old|the) (chat|conversation) (be |)(deleted|removed|erased|thrown away)
            (i do not need|i no longer need|nobody needs) (this|that|the old) (chat|conversation)( any more|)(, how do i remove it|, away with it|)
            (a|this|an old) (chat|conversation) (must|has to|shall|can) (go|vanish|disappear)(, which command| now|)
            (what|which command) (wipes|removes|deletes|destroys) (one of the|old|an old) (chats|conversations)
            """,
        ),
        command(
            "fork",
            "copies the conversation, and both branches share their prefix in the tree",
            """
            (fork|branch|duplicate|split|clone) (a|this|the|my) (conversation|chat)
            (try|explore|go) (a|another|a second|two|both) (direction|branch|path|way|branches|directions)( from here|)
            make a (branch|fork|second branch)( of the conversation| from here|)
            (have|keep|make|get) (two|several|another) (versions|branches|copies|copy|version) of (a|this|the|my|one) (conversation|chat)
            copy (a|this|the|my) (conversation|chat)( with all its turns| from here|)
            """,
            """
            I'd like two branches of one chat, how?
            what makes a second copy of the conversation?
            """,
            "Only the new turns of a branch take new slots.",
            """
            (two|several|more) (branches|versions|variants) of (this|the same) (chat|conversation)(, how do i do that|, is it possible|)
            (how|where|can) (is|can) (a|the) (chat|conversation) (be |)(copied|forked|branched|duplicated)
            (what|which command) (duplicates|branches|clones) (a|this|the) (chat|conversation)
            (i want to|can i) (continue|go on) in two (ways|directions)
            """,
        ),
        command(
            "regen",
            "writes the last reply again",
            """
            (regenerate|redo|retry|rewrite|renew) (a|the|the last|your|your last) (reply|answer|response)
            (get|have|see|ask for) (another|a different|a new|a second|one more) (reply|answer|response)
            (repeat|replace|reroll|generate|produce|write|make) (the|the last|your|your last) (reply|answer|response) (again|anew|once more|a second time)
            (try|answer|reply|generate) again
            """,
            """
            I do not like the last answer, can it be made anew?
            your reply was poor, what gives me another?
            """,
            "The whole prompt is in the cache, so it starts at once.",
            """
            (i am not happy|i am unhappy|i'm not satisfied) with (the|that|your|this) (answer|reply)(, again please|, how do i get a new one|, can you redo it)
            (the|your|that) (answer|reply) (was|is) (weak|not good|strange|odd)(, how do i get another one|, i want a new one|, write a new one)
            (can|could) (the|your) (answer|reply) be (written|generated|produced) (again|once more|a second time)
            (what|which command) (makes|writes|creates) (me |)(a new|a different|another|a second) (answer|reply)
            (another|a different|a new|a second) (answer|reply)(, please| to that|)
            """,
        ),
        command(
            "continue",
            "goes on with a reply that was stopped or cut off",
            """
            (continue|extend|prolong|go on with|finish|lengthen) (a|the|the last|your|your last) (reply|answer|response)
            (make|let) (you|the model|the reply|it) (go on|continue|keep writing|write on|keep talking)
            (get|see|have|read) the (rest|end|remainder|remaining part) of (a|the|the last|your) (reply|answer|response)
            (complete|resume) (a|the|an unfinished|a stopped|the last) (reply|answer|response)
            have a longer (reply|answer|response)
            """,
            """
            the answer stopped too early, how do I get the rest?
            what makes a reply longer after it has stopped?
            """,
            "It starts from what the cache already holds.",
            """
            (the|your|that) (answer|reply|text) (was cut off|ended too soon|is not finished|is incomplete|was interrupted|breaks off)(, how do i see more|, what now|, can it go on|)
            (i|we) (stopped|interrupted) (the|your) (answer|reply)(, how does it go on|, how do i continue it|, can it go on|)
            (what|which command) (continues|finishes|completes|extends) (an interrupted|a stopped|the last|a short) (answer|reply)
            (where|how) is the (remaining part|rest) of (the|your) (answer|reply)
            """,
        ),
        command(
            "edit",
            "asks your last message again in other words",
            """
            (edit|change|correct|fix|modify|rewrite) (my|the last|my last|the previous|an earlier|a) (message|question|input|prompt|turn)
            (fix|correct) a (typo|mistake)( in my message| in my question|)
            (say|ask|put|word|phrase|reword|rephrase) (it|that|my message|my question|the last question) (differently|in other words|again in other words)
            (repair|correct|mend) what i (wrote|typed|asked|said)( before| last|)
            """,
            """
            there's a typo in what I wrote, what now?
            what lets me reword my last question?
            """,
            "The tree splits where the old and the new message part.",
            """
            (i|there) (made|is|have) (a|an) (error|mistake|misspelling) in my (message|question|text)(, how do i fix it|, can i change it|)
            (how|where|can) (can|is) (my|the last) (message|question) (be |)(edited|changed|corrected|rewritten)
            (i|we) (wrote|typed|asked) (something wrong|the wrong thing|it badly)(, how do i change it|, can i correct it|)
            (what|which command) (changes|edits|rewrites|corrects) (my|the) (last |)(message|question)
            """,
        ),
        command(
            "undo",
            "takes back the last turn",
            """
            (undo|take back|remove|revert|drop|cancel) (the|my|a|the last|my last|one|this) (turn|step|question and answer|exchange)
            go (one|a) (turn|step) back
            (erase|forget|delete) the (last|latest|previous) (turn|exchange|question and answer|message and its reply)
            (reverse|roll back|step back from) (the|my) (last|latest) (turn|action|step|exchange)
            """,
            """
            the last turn should not have happened, how do I revert it?
            what removes the latest exchange?
            """,
            "Its nodes stay in the tree until they are evicted.",
            """
            (the|my) (last|latest) (turn|step|message) was a mistake(, how do i undo it|, how do i take it back|, what now|)
            (i|we) (did not mean|regret) (the last turn|that turn|that)(, how do i take it back|, undo it|)
            (what|which command) (takes back|cancels|reverses|undoes) (the last|one|a) (turn|step)
            (can|how can) (the last|a) (turn|step) be (undone|taken back|removed|reversed)
            undo( that| it|)
            """,
        ),
        command(
            "drop",
            "forgets the oldest turns, when a conversation outgrows the context",
            """
            (drop|forget|remove|cut|delete) (the oldest|the first|old|early|the earliest) (turn|turns|messages|part|part of the conversation)
            (shorten|trim|cut) (a|this|the|my) (conversation|chat)
            make (the|a|this) (long |)conversation shorter
            (make room|free room) in the context
            (discard|throw away|lose) the (oldest|first|earliest) (turns|messages|part of the chat)
            """,
            """
            my chat outgrew the context, what helps?
            what throws the earliest turns away?
            """,
            "What follows has to be computed again.",
            """
            (the|this) (chat|conversation) is (too long|too big) (for the context|for the model)(, what can i do|, what now|)
            (the context|the context window) is (full|too small|exceeded)(, what do i do|, what now|)
            (what|which command) (shortens|trims|cuts) (a|the|this) (long |)(chat|conversation)
            (how|can) (can |)(the|my) (oldest|first|early) (turns|messages) (be |)(removed|dropped|forgotten)
            """,
        ),
        command(
            "copy",
            "copies the last reply to the clipboard",
            """
            (copy|get|put|take) (the|your|a|the last|your last) (reply|answer|response|text)( in| into| to) (the|my) clipboard
            copy (the|your|a|the last|your last) (reply|answer|response|text)
            (paste|use|insert|take) (the|your|a|the last|your last) (reply|answer|response) (elsewhere|in another program|into a document|somewhere else)
            (put|get) (what you said|it|that) (on|to|into) the clipboard
            """,
            """
            I want to paste your answer elsewhere, how?
            what puts a reply on the clipboard?
            """,
            "It works over a remote terminal as well, where the terminal allows it.",
            """
            (i|we) (need|would like) (your|the) (answer|reply|text) (in|for) (another|a different|my) (program|document|editor|email)(, how|, which command|)
            (how|where|can) (is|can) (your|the|a) (answer|reply) (be |)copied
            (what|which command) (copies|takes|sends) (the|your) (last |)(answer|reply) (to the clipboard|somewhere else|to another program)
            clipboard
            """,
        ),
        command(
            "model",
            "shows the model or loads another one",
            """
            (see|show|know|find out) (which|what) model (is|i am|we are) (running|using|loaded|in use)
            (change|switch|replace|swap|exchange) (the|my|this) model( while the program runs| in the chat|)
            (load|use|try|take) (another|a different|a new|a second) model (while the program runs|during a chat|without leaving|in this chat|now)
            (print|show|tell|display) (the name of the model|the model|the loaded model|the current model)
            """,
            """
            which command tells the name of the loaded model?
            what command swaps the model during a chat?
            """,
            "A new model starts with an empty cache.",
            """
            (which|what) (command|word) (shows|names|prints) (me |)(the|which) model( is loaded| is running|)
            (how|where) is the (loaded |current |)model (changed|shown|replaced|switched)
            (what|which command) (loads|changes|switches|exchanges) (the|a) model (in|within|during|inside) (the|this|a) (chat|conversation)
            """,
        ),
        command(
            "system",
            "shows or sets the system prompt",
            """
            (set|change|edit|see|show|write|replace) (the|my|a new|another) system (prompt|message|line)
            (give|tell) (you|the model) (a|another|a new) (role|instruction|character|personality)
            (make|let) (you|the model) (play|take|have) (a|another|a different) (role|part|character)
            (begin|start) with (another|a different|my own) (system prompt|first line|instruction)
            """,
            """
            where is the system prompt changed?
            I want you to play another role, what do I type?
            """,
            "A new first line means that nothing after it can be reused.",
            """
            (how|where) (do|can) i (find|see|change|write) the system (prompt|message)
            (which command|how do i|can i) (makes|make|let) you (act as|be|play) (a pirate|somebody else|a teacher|another person)
            (what|which command) (changes|sets|shows|replaces) (the|a) (system prompt|first line|system message)
            (i would like|i want|we want) you to (be|act as|speak as) (a pirate|somebody else|a teacher|another person)(, how|, which command| now)
            """,
        ),
        command(
            "set",
            "changes the sampling, such as the temperature",
            """
            (change|adjust|set|alter|modify) (a|the|my|some|one) (setting|settings|option|options|parameter|temperature)
            (set|raise|lower|change|increase) the temperature
            (make|get) (the replies|you|replies|the answers) (more random|more creative|less random|bolder)
            (find|edit|configure|tune|control) (the|my|all|some) (settings|options|sampling|preferences)
            (make|have) (the replies|the answers|the output) (longer|shorter|more random|repeatable|more varied)
            (set|change) (top p|the seed|the maximum length|min p|top k|the stop word)
            """,
            """
            where are options changed?
            your replies are dull, which knob do I turn?
            """,
            "Without a name it lists all settings.",
            """
            (how|where) (is|can) (the|a) (temperature|setting|sampling|seed|parameter) (be |)(changed|set|adjusted|found)
            (your|the) (answers|texts) are (boring|too random|too wild|always the same|too short|too long|strange)(, what can i change|, which setting helps|, how do i change that)
            (what|which command) (changes|sets|raises|lowers) (the|a) (temperature|settings|sampling|option)
            """,
        ),
        command(
            "stats",
            "shows totals: turns, tokens, hit ratio and memory",
            """
            (see|show|get|read|print) (the|some|all) (statistics|numbers|stats|figures|cache statistics|cache numbers)
            (see|find out|know) (how much|how many tokens) (was|were|is|has been) (reused|evicted|cached)
            (know|judge|check) how (well|good|effective) the cache (works|is|is doing)
            (see|get) (a summary|totals|the totals|the hit ratio|the hit rate|the memory use)( of the cache| so far|)
            """,
            """
            where are the statistics of the cache?
            how well is the cache doing, which command tells me?
            """,
            "Times appear only when a model runs.",
            """
            (how|where) (can|do) i (see|find|read) (the|all) (totals|numbers|hit ratio|statistics)( of the cache|)
            (what|which command) (shows|prints|gives) (me |)(the|some) (totals|hit ratio|statistics|numbers|memory use)( of the cache|)
            (how much|what) (has|did) the cache (saved|save|reuse|reused)( so far| in total|)
            is the cache (any good|effective|useful|working)
            """,
        ),
        command(
            "tree",
            "draws the radix tree as it is now",
            """
            (see|show|draw|print|view|look at|display) (the|my|a picture of the) (radix tree|tree|cache tree|cache)
            (see|show) (the|all) nodes( of the tree| in the tree|)
            (know|check) what the (tree|cache) (looks like|holds|contains)( now| at the moment|)
            (paint|plot|output|show me) (the|this) (radix tree|tree|structure|nodes)
            """,
            """
            where is the tree displayed?
            what prints a picture of the nodes?
            """,
            "Every node shows its tokens and its state.",
            """
            (how|where) (can|do) i (see|find|get) the (tree|radix tree|picture)( of the cache|)
            (what|which command) (draws|shows|displays) (the|a picture of the|me the) (tree|radix tree|whole tree)
            (the|a) (picture|drawing|image) of (the tree|all nodes)(, please|, how)
            (show|draw) (me |)(the|my) (whole |)tree
            """,
        ),
        command(
            "capacity",
            "shows or changes the size of the KV pool",
            """
            (change|set|resize|raise|lower|increase|reduce|see) the (capacity|pool size|cache size|size of the pool|size of the cache)
            make (the|my) (cache|pool|kv pool) (smaller|larger|bigger)
            (limit|restrict) the (cache|memory|pool)
            (shrink|enlarge|grow|extend|double|halve) the (cache|pool|kv pool|capacity|memory of the cache)
            (give|grant) the (cache|pool) (more|less) (memory|room|tokens|space)
            """,
            """
            I want a smaller cache, what do I type?
            the pool takes too much memory, what now?
            """,
            "A small pool makes evictions easy to watch.",
            """
            (the|my) (cache|pool) is too (large|small|big)(, how do i change that|, which command|, what can i do|)
            (i want|i need|give me|we need) a (bigger|larger|tiny|different) (pool|kv pool|cache)(, how|, which command| please|)
            (what|which command) (sets|changes|limits|resizes) the (size of the cache|pool|cache size|capacity|memory)
            (how|where) is the (size of the pool|cache size|capacity) (changed|set|limited)
            (the|my) (cache|kv pool) (uses|eats|needs) (too much|so much|a lot of) memory(, what can i do|, can i limit it|)
            """,
        ),
        command(
            "evict",
            "evicts nodes that nobody uses",
            """
            (evict|throw out|free|drop|remove) (a node|nodes|some nodes|tokens|some tokens|a leaf)( by hand| from the tree| from the cache| myself|)
            (empty|clear|clean|flush|free|purge) the (cache|pool|tree)
            (kick out|expel|push out|get rid of|delete) (a node|nodes|some nodes|a leaf|cached tokens)( by hand| from the tree| from the cache| myself|)
            (make|create|get) (room|space) in the (cache|pool|tree)
            """,
            """
            I want to throw nodes out myself, how?
            what makes room in the pool by hand?
            """,
            "A number says how many tokens, and a node id says which leaf.",
            """
            (how|where|can) (can|are) (nodes|leaves|tokens) (be |)(evicted|thrown away|removed|freed) by hand
            (i want|i'd like|we would like) to (free|evict|expel) (some|a few|old) (nodes|leaves|tokens)( on my own| myself| by hand)(, which command|)
            (what|which command) (frees|evicts|empties|clears) (nodes|some tokens|the cache|a leaf|the pool)( by hand| myself|)
            """,
        ),
        command(
            "preview",
            "shows how much of a message would be reused before you send it",
            """
            (preview|see|know|predict|check) (what|how much|how many tokens) (would|will|of my message will|of the prompt would) be (reused|cached|prefilled|evicted)( before i send it| in advance| beforehand|)
            (preview|simulate) (a|my|the) (message|prompt|request|turn)
            (know|see|estimate|foresee|find out) (in advance|beforehand|before sending) (what|how much) (would|will) be (reused|cached|prefilled)
            (try|test|check) (a|my) (message|draft|prompt) without sending( it|)
            """,
            """
            before sending, can I know what would be reused?
            what predicts the reuse of a draft?
            """,
            "It changes nothing in the tree.",
            """
            (may|could|can) i (see|learn|find out|ask) (before i send|before i press return|in advance) (how much|which part) (is|would be|will be) (reused|cached|in the cache)
            (how much|which part) of (my|a) (message|draft|next message) (is|would be|will be) (reused|cached|in the cache already)
            (what|which command) (shows|estimates|simulates) (the reuse|what would be reused|the cost) (beforehand|in advance|of a message|of my next message)
            """,
        ),
        command(
            "prove",
            "runs the turn again without the cache and shows both times and that the text is equal",
            """
            (prove|verify|check|show|test|demonstrate) that the cache (is correct|is right|works|changes nothing|gives the same text|helps)
            compare (the turn|a turn|the time|the reply|it) (with and without|without) the cache
            (measure|see) (what|how much time) the cache (saves|saved)
            (run|repeat|redo) (a|the|the last) turn without the cache
            (convince|show) (me|people|my students) that (the cache|caching) (does not change|keeps|leaves) the (text|reply|answer)( the same| equal| as it is|)
            have (proof|evidence) (that|for it that) the cache (works|is right|is exact)
            """,
            """
            is there evidence that caching keeps the text the same?
            what reruns a turn without the cache?
            """,
            "Both times are measured on your machine.",
            """
            how can i (be sure|check|prove|verify) that (the cache|caching) (changes nothing|makes no mistake|gives equal text)
            (what|which command) (repeats|does|performs) (a|the|the last) turn (again |)without the cache
            (is there|give me|show me) (a proof|a check|a test) (of the cache|that the cache works|that caching is exact)
            """,
        ),
        command(
            "quit",
            "leaves the program; your conversations are kept",
            """
            (quit|exit|leave|close|end|stop|terminate) (the program|radixchat|the chat|this program|the application|this)
            get out( of here| of the program|)
            (finish|stop|end) (here|now|for today|working|chatting)
            (go|get) (away|out|home|back to the shell)
            """,
            """
            I'm finished, what closes the program?
            where is the exit?
            """,
            "Control and D does the same.",
            """
            (how|where) (is the way out|do i get out|can i leave)
            (i am|we are|i'm) (done|ready)(, how do i leave| and want to leave|, how do i close this|, let me out)
            (what|which command) (ends|stops|leaves|quits) (the|this) (program|chat|application|session)
            exit
            (let me|i want) out
            """,
        ),
    ),
)

PROGRAM = fact_topic(
    "this program",
    1.0,
    (
        fact(
            "radixchat is a terminal chat that runs a small language model with a radix-tree KV cache and shows the tree.",
            """
            (what|which) (kind of |)(program|application|tool|software) is (this|it|radixchat)
            (the point|the idea|the purpose|the use|the aim) of (radixchat|this program|this tool)
            (why|for whom) (was|is) (radixchat|this program) (made|written|built|there)
            (what|which things) can (radixchat|this program) (do|show|teach)
            radixchat(:|,|) (what|how|huh|definition)
            {what} (radixchat|this program|this application|the program|this software|this app|this tool)
            what does (radixchat|this program|this tool) do
            (what is|what's) (radixchat|this program) (for|about|good for)
            how does (radixchat|this program) work
            who (is|uses) radixchat( for|)
            what sort of program is this
            what's the point of radixchat
            """,
            """
            What kind of software is radixchat exactly?
            What can this program do for me?
            """,
            "A chat that shows its cache.",
            "It is made for developers, teachers and authors.",
        ),
        fact(
            "Green is new, blue is reused, grey is untouched and dashed red is evicted; each state has its own mark as well.",
            """
            (how|in what way) (do i|should one|does one|are) (read|understand|interpret) (the colours|the colors|the picture|the boxes|colours to be read)
            (there is|i see|why is there|i have) a (green|blue|grey|gray|red|dashed) (node|box)( what is it| what does it mean|)
            (which|what) (colour|color) (is|has|means) (a |an |)(new|reused|untouched|evicted) (node|one|nodes|)
            (the|a) (legend|key|colour code|color code)( of the tree| of the picture|)
            (green|blue|grey|red|colours|colors)(:|,|) (what|how|huh|meaning)
            what do the (colours|colors|marks|symbols) (in the tree |of the nodes |)(mean|stand for|say)
            (what does|why is a node) (green|blue|grey|gray|red)( mean|)
            {what} the (colours|colors|marks|meaning of the colours|meaning of the colors)( in the tree| of the nodes|)
            what does a (green|blue|grey|gray|red|dashed) (node|box) mean
            how should I read the colours
            there is a blue node, what does it tell me
            """,
            """
            What do the different colours of the nodes stand for?
            Why is this node green?
            """,
            "Green new, blue reused, grey untouched, red evicted.",
            "Colour is never the only sign.",
        ),
        fact(
            "A lesson explains the cache step by step, forward and back; the first one replays the nine steps of the paper's figure.",
            """
            (where|how) (do|can|could) (i|we|one|students) (learn|study|understand|practise) (this|it|caching|the cache)( step by step| slowly| by example|)
            (how|where) (would|can|does) (a teacher|an instructor|a lecturer) (show|explain|demonstrate|teach) (this|it|the cache|the figure|the nine steps)
            (replay|show|see|run) the (figure|nine steps|paper's figure|example of the paper)
            lesson(s|)(:|,|) (what|how|huh|which)
            (something|is there something) (for|to use in) (teaching|a class|a lecture|students)
            {what} (a |the |)(lesson|lessons)( in radixchat| here|)
            {how} (start|run|see|find|take|open) a lesson
            (which|what) lessons (are there|do you have|exist)
            (is there|do you have) a (tutorial|lesson|course|demonstration|demo)
            {what} the nine steps( of the figure| in the paper|)
            where do I learn this step by step
            how would a teacher show the nine steps
            """,
            """
            Is there a lesson for beginners?
            How can I replay the nine steps of the figure?
            """,
            "The cache step by step.",
            "A lesson runs without a model, too.",
        ),
        fact(
            "Export a tree as SVG with radixchat export; the picture keeps its text sharp in slides and papers.",
            """
            (what|which command|which program) (turns|makes|converts|writes|saves) (the|a) tree (into|to|as) (an svg|a picture|a file|an image)
            i (need|want|would like) (the|a|my) (tree|picture of the tree|picture) (on|for|in|as) (a slide|my slides|a paper|an svg|a poster|my talk)
            (the tree|a tree|a picture) (for|in|on) (my |a |the |)(slides|slide|paper|talk|poster|docs)
            (is there|can you make|give me) (an svg|a picture file|an image file)( of the tree|)
            svg
            {how} (export|save|draw|get|make|store) (the tree|a tree|a picture|a picture of the tree|an svg|the picture) (as|to|in|into|for) (svg|an svg|a file|a picture|my slides|a paper|slides)
            {how} (export|save) (the tree|a tree|an svg|a picture of the tree)
            (can i|how do i) (put|use) the tree (in|on|into) (a slide|my slides|a paper|the docs)
            {what} (the |)(svg export|export)
            I need the tree on a slide, how
            what turns the tree into an SVG
            """,
            """
            How can I get the tree as an SVG file?
            I'd like to have the tree in my slides
            """,
            "Use radixchat export.",
            "It also writes plain text and DOT.",
        ),
        fact(
            "A recording keeps every change of the tree, so that you can step forward and back through a chat.",
            """
            (where|how) (is|are|can i see|do i see|can i find|do i find) (the past|past states|earlier states|old states|the history|the tree of before|the tree as it was)( of the tree|)( kept| stored|)
            (look|looking|go|going|travel) back (in time|to an earlier state|at the tree|to an earlier step)
            (step|go|move) (forward|backward|back and forth|forward and back)( through the chat| in a chat| in time|)
            (can i|how do i) (play|watch|see) (a chat|the chat|it|my chat) again (later|step by step)
            recording(s|)(:|,|) (what|how|huh|where)
            {what} (a |the |)(recording|recordings|time travel|replay)
            {how} (go back in time|replay a chat|step back|step through a chat|travel in time|replay a recording|see earlier states)
            (is|are) (the chat|my chats|chats|the tree) recorded
            what does a recording (hold|contain|keep)
            where are past states of the tree kept
            how do I look at the tree as it was before
            """,
            """
            Can I go back to an earlier step of this chat?
            What is inside a recording?
            """,
            "It keeps every change.",
            "The word last names the newest recording.",
        ),
    ),
)
