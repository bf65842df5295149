"""Facts about prefix caching: the trees, the cache, prefill and decode, memory and eviction.

Sentences are short and general, because a small model repeats them word for word. Numbers that depend on a machine do not
appear.
"""

from .base import fact, fact_topic

TREES = fact_topic(
    "radix trees",
    1.4,
    (
        fact(
            "A radix tree is a tree of prefixes in which each edge holds a whole run of tokens, so a shared beginning is stored once.",
            """
            (the idea of|the principle of|the basics of|in what does) a radix tree( consist|)
            (how|in which way) (is|are) (a radix tree|radix trees) (built|made|structured|organised|drawn)
            (what data structure|which structure|which kind of tree) (stores|holds|keeps|shares) (prefixes|shared prefixes|the prompts|the cache)
            what makes a tree a radix tree
            (is a radix tree|are radix trees) (a tree|trees) of (prefixes|words|strings|tokens)
            a radix tree: (what|how|huh|definition)
            {what} (a |the |)(radix tree|radix trees|compact prefix tree|compressed trie|patricia trie)
            how (does a|do) radix tree(s|) (work|look|look like)
            radix tree( meaning| definition| explained|)
            (what does|what's the meaning of) radix tree( mean|)
            i (never heard of|am curious about) (a |)radix tree(s|)
            what sort of thing is a radix tree
            give me the idea behind radix trees
            radix trees: what are they
            """,
            """
            Could you describe a radix tree in one line?
            I keep hearing about radix trees, what are those?
            radix tree, short introduction please
            """,
            "A tree that stores shared prefixes once.",
            "Each node owns the run of tokens on the edge above it.",
        ),
        fact(
            "A trie is a tree with one symbol on each edge; a path from the root spells a sequence.",
            """
            (the idea of|the principle of|the basics of) a (trie|prefix tree)
            (how|in which way) (is|are) (a trie|tries) (built|made|structured|organised|drawn)
            what makes a tree a trie
            which tree has one (symbol|letter|character) on each edge
            (how is|what does) the word trie (pronounced|come from)
            a trie: (what|how|huh|definition)
            {what} (a |the |)(trie|tries|prefix tree|prefix trees)
            how (does a|do) trie(s|) (work|look|look like)
            trie( meaning| definition| explained|)
            what does (the word |)trie mean
            i (never heard of|am curious about) (a |)trie(s|)
            what sort of thing is a trie
            give me the idea behind tries
            """,
            """
            Could you describe a trie for a beginner?
            I keep hearing about tries, what are those?
            """,
            "A tree with one symbol on each edge.",
            "A radix tree is a trie whose chains are squeezed into single edges.",
        ),
        fact(
            "A trie has one symbol on each edge; a radix tree squeezes a chain without branches into one edge with many tokens.",
            """
            (what|which) (difference|distinction) is there between (tries and radix trees|radix trees and tries|a trie and a radix tree)
            (how|where) do (tries and radix trees|radix trees and tries|a trie and a radix tree) (differ|part)
            (what sets|how can i distinguish) a radix tree (apart |)from a trie
            (why|how) is a radix tree (better|smaller|more compact) than a trie
            trie and radix tree: (what is different|are they the same|which is which)
            (what does|does) a radix tree (have|do) that a trie (has not|does not)
            (what is|what's|explain|tell me) the difference between a (radix tree and a trie|trie and a radix tree)
            (how|in what way) (does|is) a (radix tree|trie) (differ|different) from a (trie|radix tree)
            (is a|are) (radix tree|trie)(s|) the same (thing |)as a (trie|radix tree)
            (radix tree|radix trees) (versus|vs|or|compared to) (a |)(trie|tries)
            (trie|tries) (versus|vs|or|compared to) (a |)(radix tree|radix trees)
            compare (tries and radix trees|a trie with a radix tree|radix trees and tries|a radix tree with a trie)
            why (use|take) a radix tree (instead of|and not|rather than) a trie
            in what do tries and radix trees differ
            how do I tell a radix tree from a trie
            """,
            """
            So a radix tree is just a trie, or is there a difference?
            What separates a radix tree from an ordinary trie?
            """,
            "A radix tree has runs of tokens on its edges.",
            "So it has far fewer nodes.",
        ),
        fact(
            "A node owns the run of tokens on the edge above it and the cache slots of those tokens.",
            """
            (what|which things) (belongs|belong|is attached|are attached) to (a|each|every) (node|box)
            what (is|do i see) (written |)(in|on|beside) (a|each|the) (node|box)
            (a node|nodes|the nodes): (what|what are they|what is in them)
            (why|for what) does the tree have nodes
            what (data|information) (is kept|sits|lives) in a node
            {what} (a |the |)(node|nodes)( in the tree| of the tree| in a radix tree|)
            what does (a|each|one) (tree |)node (hold|own|store|contain|mean|stand for)
            what is (in|inside|stored in) a node( of the tree|)
            what do the (boxes|nodes) (in the tree |)(mean|stand for|show)
            what is it that a node keeps
            which things belong to a node
            """,
            """
            What information does one node of the radix tree hold?
            In the picture, what is a node?
            """,
            "A run of tokens and their slots.",
            "The root owns nothing.",
        ),
        fact(
            "The root is the empty prefix: every request starts its search there.",
            """
            (what|which node) is (at|on) (the top|the top of the tree|the very top|the beginning of the tree)
            (where|from where|at what place|from which node) (does|do) (a walk|a match|matching|the search|every request|requests) (begin|start)
            (is|why is) (there |)(nothing|no token|no text) in the root
            (the first|the topmost|the uppermost) node( of the tree|)
            (can|could) the root (be evicted|be locked|hold tokens|disappear)
            {what} (the |a |)root( node| of the tree| of a radix tree|)
            what does the root (hold|mean|store|contain|stand for|do)
            (why is|is) the root (node |)empty
            where does (the|a) search (start|begin)( in the tree|)
            what's special about the root
            at which node does a lookup begin
            """,
            """
            What is stored at the root of the radix tree?
            Why do all requests start at the root?
            """,
            "The empty prefix.",
            "It is never evicted.",
        ),
        fact(
            "A leaf is a node without children: the end of the longest cached sequence on its path, and the first thing that eviction may take.",
            """
            (what|how) do (we|you|people) call (the end|a node at the end|the last node) of a (path|branch)
            (a|which|what) node (without|with no|that lacks) (a child|children|successors|anything below it)( is called|)
            (how|where) do i (recognise|find|spot) (a leaf|leaves)
            (why|what) is (special|important) about (a leaf|leaves)
            what is at the (end|bottom|tip) of a (path|branch)
            {what} (a |the |)leaf( node|)( in the tree| of the tree|)
            what are (the |)(leaves|leafs|leaf nodes)( in the tree| of the tree|)
            what does (a leaf|the leaf) (mean|hold|stand for|do)
            (which nodes are|when is a node a) (leaves|leaf)
            what do you call a node that has no children
            how would I recognise a leaf
            """,
            """
            When I look at the tree, which nodes are the leaves?
            Can you tell me what a leaf node is?
            """,
            "A node without children.",
            "Inner nodes go only after their children.",
        ),
        fact(
            "A split cuts a node in two where a new request leaves its run of tokens, so that both continue from the shared head.",
            """
            (what|which event) (divides|cuts|breaks) (a|the) node( into two| in two| in half|)
            {why} (is|was) (a|the) node (divided|broken up|broken in two|halved)
            what is going on when (the tree divides a node|a node is cut|a node breaks up)
            (how|when) are nodes (divided|broken up|halved)
            (one node became two|there are two nodes now|my node was divided), why
            what happens to a node when (prompts diverge|a prompt diverges|a prompt leaves it halfway|two conversations part inside it)
            {what} (a |the |)(split|node split|splitting|splitting a node)( in the tree|)
            {why} (is|was) (a|the|this) node (split|cut)( in two|)
            {why} (does|do|did) (the tree|a node|nodes|the node) split
            (when|how) (does|do|is|are) (a node|nodes) (split|get split|cut in two)
            what does split( node| node 14| a node|) mean
            what happens (when|if) (a node is split|a node splits|two prompts share only a part)
            for what reason would a node be divided
            what's going on when a node splits
            """,
            """
            My node was split in two just now, why did that happen?
            In which situation does a node of the tree get split?
            """,
            "It cuts a node where prompts part.",
            "No keys or values are moved; only the bookkeeping changes.",
        ),
        fact(
            "To match is to walk from the root along equal tokens; the length of that walk is the part of the prompt that can be reused.",
            """
            (how|in which manner) (does the tree|does the cache|do you|does it) (compare|recognise|detect|identify) (a prompt|the prompt|a known prefix|equal tokens|a known beginning)
            what (happens|is done|goes on) (during|in|while) (a match|matching|the lookup|the search|a lookup)
            (a|the) lookup( in the tree|)
            how (long|costly|expensive|fast) is (a|the) (match|lookup|search)( in the tree|)
            (how|by what) is (the reusable part|what can be reused) (found|determined)
            {what} (a |the |)(match|prefix match|matching|prefix matching|matched tokens)
            (how|when) (does|is) (the cache|the tree|a prompt|a prefix|a request) (find|found|match|matched|looked up)( a prefix| in the tree| the prefix|)
            what does (match|matched|matched tokens) mean
            how (does|do) (you|it|the program) (find|look up) (the longest|a|the) (cached |shared |)prefix
            how is the longest (prefix|cached prefix|common prefix) found
            in what way is a prompt compared with the tree
            what happens during matching
            """,
            """
            How does the program look for a prefix that it already has?
            What does it mean that a prefix is matched?
            """,
            "It finds the longest cached prefix.",
            "It takes time in the length of the prompt, not in the size of the tree.",
        ),
        fact(
            "To insert is to walk down the equal tokens and hang what is new below them as a leaf.",
            """
            (how|by which steps|where) (is|are) (a new prompt|new tokens|a finished request|a sequence|something new) (put|placed|added|attached|hung|enter|entered)( into the tree| in the tree| to the tree|)
            (how|where) would (i|you|one|we) (add|insert|attach|put) (a sequence|new tokens|a prompt)( to the tree| in the tree|)
            (adding|attaching|putting) (something|tokens|a prompt|a sequence) (to|into) the tree
            what happens to (a new prompt|new tokens|a finished reply)
            {what} (insertion|inserting|an insert|the insert)( in the tree| into the tree| in a radix tree|)
            how (is|are|does|do) (a|new|one|the|my) (sequence|prompt|tokens|token|request|reply|turn) (inserted|added|stored|get into the tree)( in the tree| to the tree| into the tree|)
            how (does|do) (a |)(new |)(tokens|node|nodes) (get|come) into the tree
            what happens (on|when i|when you|when we) (insert|insertion|add a new prompt|add tokens)( to the tree|)
            by which steps does a new prompt enter the tree
            how would one add a sequence
            """,
            """
            How do new tokens end up in the radix tree?
            Can you explain how insertion into the tree works?
            """,
            "It hangs new tokens below the equal ones.",
            "Tokens that are already in the tree keep their slots.",
        ),
        fact(
            "A chat grows at its end, so the tree keeps adding below the same path: each turn is one more node.",
            """
            (how|what) does (a chat|a conversation|a dialogue|each turn|a new turn|every message) (change|extend|add to|do to) the tree
            (what|which nodes) (grows|is added|are added|appears|appear) (when|while|as) (i chat|we chat|we talk|i write|the conversation goes on)
            (how many|which) nodes (does|do) (a turn|each turn|a chat|a conversation) (need|make|create|add)
            (one|a) (turn|message and reply) in the tree
            what (becomes|happens) of (my chat|our conversation|a chat) in the tree
            how does (the tree|a tree|it) grow( during a chat| in a chat| while i chat| when i chat|)
            (what happens to|how does) the tree (change |)(with|after|in) (each|every|a new|the next) turn
            (why does|does) (each|every) turn (make|add|create) (a|one|a new) node
            what does a (turn|chat|conversation) look like in the tree
            in which way does a conversation extend the tree
            what will the tree do at each turn
            """,
            """
            How does the radix tree grow while we are chatting?
            Does every turn of the chat add a node?
            """,
            "Each turn is one more node.",
            "A second conversation branches off where it differs.",
        ),
        fact(
            "Because sharing needs equal beginnings, and a tree is exactly that: equal beginnings are one path, and branches part where the texts differ.",
            """
            {why} (was|is) a (radix |)tree (chosen|taken|the right structure|the best structure|the natural choice|used)
            (could|would) (a list|a table|an array|something else) (do|work|be enough) instead of a tree
            (what speaks for|the case for|arguments for|reasons for) (a|using a|taking a) (radix |)tree
            what does (a|the) tree (give|bring) us
            {why} (use|do we use|does it use|does the cache use|do you use|is the cache|is the kv cache) a (radix |)tree( for the cache| here| at all|)
            {why} (is|are) (a |)(tree|trees) (good|better|used|the right thing) for (prefixes|a cache|sharing prefixes|the cache)
            what is (a|the) (tree|radix tree) (good|used) for
            what are the (advantages|benefits|uses) of a (radix |)tree
            what makes a tree the right structure for prefixes
            is there a good reason to take a tree for the cache
            """,
            """
            Why did you choose a tree for the cache and not a list?
            What is the benefit of using a radix tree here?
            """,
            "Equal beginnings become one path.",
            "A list of prompts would have to be compared one by one.",
        ),
    ),
)

CACHING = fact_topic(
    "kv cache",
    1.4,
    (
        fact(
            "A KV cache keeps the keys and values of tokens that a model has read, so that it need not compute them again.",
            """
            (the idea of|the principle of|the basics of|the use of) (a|the) (kv cache|key-value cache)
            (what|why) (do we need|does one need|does a model need|is there) (a|the) (kv cache|key-value cache)( for|)
            which (cache|memory) (keeps|holds|stores) (keys and values|the attention state)
            (the |a |)kv cache: (what|how|huh|definition|what is it good for)
            what (would happen|happens) without a kv cache
            what are kv caches (good for|used for|about)
            {what} (a |the |)(kv cache|kv caches|kv caching|key value cache|key-value cache|kv-cache|kvcache)
            (how does a|how do|what does the|why use a|what is the purpose of the|what is the use of a) (kv cache|kv caches|key-value cache)( work| do| for|)
            kv cache( meaning| definition| explained|)
            what does (kv|kv cache) (mean|stand for)
            i (never heard of|am curious about) (a |the |)kv cache
            what sort of thing is a KV cache
            give me the idea behind the key-value cache
            KV caches: what are they for
            """,
            """
            Can you tell me in one sentence what the KV cache does?
            I have never understood the KV cache, help!
            What is this KV cache everybody talks about?
            """,
            "It keeps keys and values for later.",
            "It grows by one slot a token, in every layer.",
        ),
        fact(
            "Prefix caching keeps the KV cache of earlier prompts, so that a new prompt with the same beginning computes only its end.",
            """
            (the idea of|the principle of|the basics of|the use of|the trick of) (prefix caching|a prefix cache)
            (what|why) (do we need|is|would i want) prefix caching( for| good for|)
            (how|what) does it (save|help) to cache (prefixes|a prefix|the beginning)
            prefix caching: (what|how|huh|definition|what is it good for)
            (what is|what's) it called when (equal beginnings|prefixes) are (computed once|reused|shared)
            (caching|reusing|keeping) (prefixes|a prefix|the prefix|equal beginnings)
            {what} (prefix caching|prefix cache|a prefix cache|the prefix cache|automatic prefix caching|prompt caching|a prompt cache|prefix reuse)
            how does (prefix caching|a prefix cache|prompt caching|the prefix cache) work
            (prefix caching|prompt caching)( meaning| definition| explained|)
            what does (prefix caching|a prefix cache|prompt caching) (do|mean)
            i (never heard of|am curious about) (prefix|prompt) caching
            what sort of thing is prefix caching
            give me the idea behind prefix caching
            """,
            """
            Can you tell me in one sentence what prefix caching does?
            What is this prefix caching everybody talks about?
            """,
            "It reuses the cache of equal beginnings.",
            "The longer the shared beginning, the more time it saves.",
        ),
        fact(
            "Because the history is already in the cache: only the new message has to be computed.",
            """
            {why} (does|do|did) (the |)(second|next|later|third|following) (reply|replies|answer|answers|turn) (arrive|come|appear|begin) (so |)(early|quickly|fast|soon|at once)
            what (makes|made) (the |)(second|next|later|following) (turn|reply|answer|message) (so |)(fast|faster|quick|cheap|start sooner)
            {why} do i (hardly|not have to|no longer) wait (after the first turn|in the second turn|for later replies)
            (the first reply was slow and the second fast|only the first turn is slow|later turns are fast), why
            where does the (speed|gain|saving) (come from|in the second turn come from)
            {why} (is|are) (the |my |)(second|next|third|later|following|other) (turn|turns|message|messages|answer|answers|reply|replies) (so much |so |)(faster|fast|quicker|quick)( than the first|)
            {why} (does|do) (the |a |)(second|next|later) (turn|turns|answer|message) (start|come|begin|appear) (faster|sooner|earlier|quickly)
            {why} (is|was) (the |my |)(first) (turn|message|answer|reply) (slow|slower|the slowest)( than the second| than the others|)
            {why} (is|was) (that|this|it) (turn |answer |reply |)(so |)(fast|quick)( this time|)
            {why} (does|do) (the cache|prefix caching|caching|a kv cache) (help|make it faster|save time|speed things up)( in a chat|)
            what makes the second turn start so quickly
            how is it that later answers arrive sooner
            """,
            """
            Why is my second message answered so much faster?
            The first turn took long but the next one was quick, why?
            """,
            "The history is already in the cache.",
            "The signature line shows how many tokens were reused.",
        ),
        fact(
            "Because keys and values depend on all the tokens before them: change one token and everything after it must be computed again.",
            """
            {why} (is|are) (sharing|reuse|caching) (limited|restricted|confined) to (prefixes|beginnings|the beginning|the start)
            (what|how much) (does|will|would) (one|a) (changed|different|new|other) (word|token|letter)( early in the prompt| at the start|) (cost|spoil|destroy|change|do)( to the cache|)
            (i changed|i edited|changing|editing) the (first|system) (word|line|prompt|message)( and nothing is reused|: what now|: what happens)
            {why} (is|must) everything (after|behind) (a change|the change|the edit) (computed|be computed|read|be read) again
            {why} does the order of (tokens|the text|messages) matter
            {why} (must|does) the (beginning|prefix|start) (be|have to be|need to be) (equal|the same|identical|exactly the same)
            {why} (only|just) (prefixes|the beginning|equal beginnings|the prefix) (can be |are |is |)(shared|reused|cached)
            {why} (can't|cannot|can not|can) (you|we|one|it) (not |)(reuse|share|cache) (the middle|the end|a suffix|any part|parts in the middle)( of a prompt|)
            what happens (when|if) (i change|one changes|you edit|i edit) (one|a|the first) (token|word|message)( in the middle| at the start| of the prompt|)
            {why} (is|was) (nothing|so little) reused( after my edit| this time|)
            for what reason is sharing limited to beginnings
            what does one changed word do to the cache
            """,
            """
            Why must two prompts begin the same to share the cache?
            If I change the first word, why is everything computed again?
            """,
            "Keys and values depend on everything before.",
            "So put what never changes first in a prompt.",
        ),
        fact(
            "Reused tokens were found in the cache; prefilled tokens had to be computed; together they are the prompt.",
            """
            (which|what) tokens (count as|are called|are) (reused|prefilled)
            (how|when) (is|are) (a token|tokens) (reused|prefilled|counted as reused|counted as prefilled)
            what (does|do) the (words|numbers) (reused|prefilled|in the line|under the reply|below the answer) (mean|tell me|say|stand for)
            (the line|the numbers|the signature|the sentence) (after|under|below) (a|the|each|every) (reply|answer|turn)
            (reused and prefilled|prefilled and reused|reused or prefilled): (which is which|what|explain)
            {what} (reused|prefilled|reused tokens|prefilled tokens|reused and prefilled|reused and prefilled tokens)
            (what does|what do) (reused|prefilled|reused 812 of 840|reused and prefilled|reused tokens|prefilled tokens) mean
            what is the difference between reused and prefilled
            what does the (line|signature|signature line|line after (every|each|a) (turn|reply)|line below the reply) (mean|say|show)
            (explain|how do i read) the (line|numbers) (after|below|under) (the|each|every|my) (reply|turn|answer)
            which tokens count as prefilled and which as reused
            what is that line under the reply telling me
            """,
            """
            What do reused and prefilled mean in that line?
            Can you explain the numbers below your reply?
            """,
            "Reused was found, prefilled was computed.",
            "Reused plus prefilled is always the whole prompt.",
        ),
        fact(
            "The hit ratio is the share of prompt tokens that were reused from the cache.",
            """
            (how|in what way) (do|does|would) (you|one|i|people) (compute|calculate|define|measure|determine) (the|a) (hit ratio|hit rate)
            (which|what) (number|ratio|share|percentage) (says|tells|shows) how much (was|of the prompt was) reused
            (the share|the percentage|what percentage|what share) of (reused|cached) (prompt |)tokens
            (a|the) hit (ratio|rate) of (97 percent|one half|zero|one hundred percent)
            (is my|why is my|is the) hit (ratio|rate) (good|low|high|bad)
            {what} (a |the |)(hit ratio|hit rate|cache hit ratio|cache hit rate|hit ratios)
            how is the (hit ratio|hit rate|cache hit rate) (computed|calculated|measured|defined)
            what does (the |a |)(hit ratio|hit rate|97 percent) (mean|say|tell me|show)
            what is a (good|high|low) (hit ratio|hit rate)
            how would you work out the hit ratio
            what's hidden behind the words hit rate
            """,
            """
            How do I understand the hit ratio?
            What does a hit ratio of ninety percent tell me?
            """,
            "Reused tokens divided by prompt tokens.",
            "In a long chat it comes close to one hundred percent.",
        ),
        fact(
            "A cache hit means that a part of the prompt is already in the cache; a miss means that it has to be computed.",
            """
            (when|why) (do|does) (people|we|one|you) (say|speak of|call it) a (cache |)(hit|miss)
            (what|which prompt) (counts as|is called|makes) a (cache |)(hit|miss)
            (i had|there was|we got) a (cache |)(hit|miss), what (is that|does it mean)
            (hit|miss|hit or miss|a hit|a miss|cache hits and misses): (what|meaning|explain)
            the opposite of a cache (hit|miss)
            {what} (a |the |)(cache hit|cache miss|hit|miss|hit and a miss|cache hits|cache misses|hits and misses)
            when (is|do i get|do we have|does one get) a (cache |)(hit|miss)
            what does (a |)(cache |)(hit|miss) mean
            what is the difference between a hit and a miss
            when do people speak of a cache hit
            what counts as a miss
            """,
            """
            What do you mean by a cache miss?
            Can you explain hits and misses to me?
            """,
            "Hit: found. Miss: to be computed.",
            "A hit can be partial: it ends at the first different token.",
        ),
        fact(
            "A token is a piece of text, often a word or a part of one, that the model reads and writes as one number.",
            """
            (what|how) do (you|we|people) (call|mean by) (a|the) (token|piece of text|unit of text)
            (in what units|in which units|in which pieces) (does|do) (a|the) (model|models) (read|write|see text)
            (is|are) (one word|words|a letter|letters) (a token|tokens|one token)
            (how many|how long are) (letters|characters|words)( are| is| in|) a token
            token(:| -|) (what|huh|definition|meaning)
            what (do|does) (tokens|a token) look like
            {what} (a |the |)(token|tokens|token id|token ids)
            what does (token|a token|tokens) mean
            how (long|big) is a token
            (is a token|are tokens) (a word|words|letters|a letter|the same as words)
            what do we call a token here
            what sort of thing are tokens
            """,
            """
            What exactly do you call a token?
            Is a token the same thing as a word?
            """,
            "A piece of text with a number.",
            "My own vocabulary has a few thousand of them.",
        ),
        fact(
            "A tokenizer cuts text into tokens and turns tokens back into text.",
            """
            (what|which part|which program|which component|who) (cuts|splits|turns|makes|breaks|converts) (text|words|a message|my words|sentences) (into|to) (tokens|numbers|pieces)
            (how|by what) (does|do) (text|words|a message|letters) (become|get) (tokens|numbers)
            (how|from where) (does|do) (tokens|numbers) become text( again|)
            (why|for what) (do we need|does a model need|is there) a tokenizer
            the (job|task|purpose) of (a|the) tokenizer
            {what} (a |the |your |)(tokenizer|tokeniser|tokenization|tokenisation|byte pair encoding|bpe)
            what does (a|the|your) (tokenizer|tokeniser) do
            how (is|are) (text|words|my words|my message) (tokenized|tokenised|cut into tokens|turned into tokens|split into tokens)
            how does (a|the|your) (tokenizer|tokeniser) work
            which part turns text into tokens
            by what are words made into tokens
            """,
            """
            What is a tokenizer used for?
            How is my sentence turned into tokens?
            """,
            "It turns text into tokens and back.",
            "Mine is a byte-fallback BPE, so every text comes back exactly.",
        ),
        fact(
            "Keys and values are two vectors that each layer makes for each token; later tokens compare with the keys and gather the values.",
            """
            (what|which things|which data|which numbers) (exactly |)(is|are|sits|sit|lies|lie) (in|inside|within) (the|a) (kv |)cache
            (why|for what) does attention (need|use|want) (keys|values|keys and values)
            (what do|what does) (the |)(k and the v|k and v|k|v|letters kv|letters k and v) (mean|stand for)
            (how|when|where) are (the |)(keys|values|keys and values) (made|computed|created|used)
            the (content|contents) of (the|a) (kv |)cache
            {what} (keys and values|the keys and values|keys|values|a key and a value|key and value vectors|k and v)
            what are (the |)(keys|values|keys and values)( in attention| for| in the cache|)
            what (is|are) (stored|kept|saved|held) in (the|a) (kv |)cache
            what does the (kv |)cache (hold|store|contain|keep)
            what's inside the cache, precisely
            for what does attention use keys and values
            """,
            """
            Which data is actually kept in the KV cache?
            What are these keys and values you talk about?
            """,
            "Two vectors per token and layer.",
            "They never change once the tokens before them are fixed.",
        ),
        fact(
            "Attention lets each token look at the tokens before it and gather from them what it needs.",
            """
            (the idea of|the principle of|the basics of|the use of) (attention|self-attention)
            (how|in what way) do tokens (look at|see|influence|find|talk to) (each other|earlier tokens|one another)
            (what|why) (is|do models need) attention( good for| for| needed for|)
            attention( in a transformer| in a model|)(:|,|) (what|how|huh|definition)
            which (part|layer) (lets|makes) tokens (look back|meet|exchange something)
            {what} (attention|self attention|self-attention|causal attention|the attention mechanism|an attention layer)
            how does (attention|self-attention|the attention mechanism) work
            what does (attention|self-attention|an attention layer) do
            why do (models|language models|transformers) (use|need) attention
            what sort of thing is attention
            in a transformer, what is attention good for
            """,
            """
            Can you explain attention in simple terms?
            What does the attention layer of a transformer do?
            """,
            "Tokens look back at earlier tokens.",
            "It is the only place where tokens meet.",
        ),
        fact(
            "A language model predicts the next token of a text; a chat is that, again and again.",
            """
            (the idea of|the principle of|the basics of|how about) (a language model|language models|an llm|llms|a transformer)
            (how|in which way) (does|do|can) (a model|a language model|an llm|llms|language models|models|a chatbot) (write|produce|make|generate|come up with|chat|answer)( text| replies| sentences|)
            what (happens inside|goes on in) a (language |)model
            (an llm|a language model|a transformer): (what|how|huh|definition)
            what (is|are) (chatbots|chat models|a chatbot|gpt)
            {what} (a |the |)(language model|language models|llm|llms|large language model|large language models|transformer|transformer model)
            how (does a|do|does an) (language model|language models|llm|llms|transformer) work
            what does (a|an) (language model|llm|transformer) do
            what sort of thing is a language model
            in what way do LLMs write text
            """,
            """
            How does a large language model actually work?
            Can you explain what an LLM is?
            """,
            "It predicts the next token.",
            "It reads tokens as numbers and writes a number back.",
        ),
        fact(
            "The system prompt is the first line of a conversation; every conversation that starts with it shares its cache.",
            """
            (the role|the use|the job|the purpose|the point) of (a|the) system (prompt|message|line)
            (what|why) (do we need|is there|is) (a|the) system (prompt|message)( for| good for|)
            (do|can|will) (conversations|two conversations|all my chats|different chats) (share|reuse|have in common) (the|their|one) system (prompt|message)
            (is|which is) the (first|top) line of (a|the|every) conversation
            where (does|is) the system (prompt|message) (stand|go|in the tree)
            {what} (a |the |)(system prompt|system prompts|system message|system messages|system line)
            what does (a|the) system (prompt|message) do
            why (is|are) (the |)system (prompt|prompts|message) (shared|cached|reused|in the tree only once|stored once)
            (is|are) the system (prompt|message) (cached|shared|reused|stored)( too| as well|)
            what role does the system message play
            do two conversations share their system prompt
            """,
            """
            Why does a conversation begin with a system prompt?
            Do all conversations share the same system prompt in the cache?
            """,
            "The first line of a conversation.",
            "In the tree it becomes a node of its own when a second conversation starts.",
        ),
        fact(
            "Few-shot prompting puts solved examples before the question; many questions then share the examples in the cache.",
            """
            (the idea of|the principle of|the use of|the trick of) (few-shot prompting|examples in a prompt|few shot)
            {why} (do people|should i|do we|would one) (put|write|give|show) (worked |solved |)examples (in|into|before|to) (a|the) (prompt|question|model)
            (what is it called|how is it called) when (examples|solved examples) (come first|stand before the question)
            (can|do|how do) (examples|few-shot examples|many questions) (share|profit from|use) the cache
            examples (before|in front of) (the|a) question
            {what} (few-shot prompting|few shot prompting|a few-shot prompt|few-shot learning|few-shot|few shot examples|few-shot examples|in-context learning)
            how does (few-shot|few shot) (prompting|learning) work
            why (do|does|are) (few-shot|few shot) (prompts|examples|prompting) (fit|suit|good for|profit from) (the cache|a radix tree|prefix caching)
            what does few-shot mean
            why do people put solved examples in a prompt
            in which way do few-shot examples share the cache
            """,
            """
            What does few-shot prompting mean exactly?
            Do few-shot prompts profit from prefix caching?
            """,
            "Solved examples before the question.",
            "The examples are computed once.",
        ),
        fact(
            "Not in this cache: a text in the middle has other tokens before it, so its keys and values differ.",
            """
            (can|could|will) (equal|the same|common|identical) (text|endings|ends|suffixes|words) (in the middle|at the end|later) (of two prompts |)be (shared|reused|cached)
            (what about|how about) (a common|the same|an equal) (ending|end|suffix|middle)
            (two prompts|my prompts) (end|stop) (the same|alike|with the same words)(, is that shared|, can it be reused|)
            is (the end|the middle|anything but the beginning) (ever |)(shared|reused)
            can (i|we|you|one|it|the cache) (share|reuse|cache) (the middle|a middle part|a suffix|the end|any part) of (a|the|two) (prompt|prompts|text)
            (is|are) (a |the |)(suffix|suffixes|middle|end|middle parts) (shared|reused|cached)( too| as well|)
            does (prefix caching|the cache|sharing) work in the middle( of a prompt|)
            could a common ending be shared as well
            what about equal text in the middle of two prompts
            """,
            """
            Can the cache reuse text from the middle of my prompt?
            If two prompts end the same way, is the end shared?
            """,
            "No, only beginnings are shared.",
            "That is why it is called prefix caching.",
        ),
        fact(
            "No: the keys and values are the same as without the cache, so the greedy text is the same up to rounding.",
            """
            (do|would|will) i (get|see|read) (other|different|worse|the same) (words|text|replies|answers) (with|without) (the|a) cache
            (is|will) (something|anything|quality|accuracy) (be |)(lost|missing|worse) (through|by|because of|with) (the cache|caching)
            (is|are) (a cached reply|cached replies|the reply with the cache|replies from the cache) (worse|different|less exact|the same)
            (can|should) i (trust|rely on) (the cache|caching|a cached answer)
            (the cache|caching) and (quality|accuracy|correctness)
            (does|can|will|could) (the cache|caching|prefix caching|a kv cache|reuse) (change|affect|alter|spoil|influence) (the |my |)(reply|replies|answer|answers|output|text|result|results)
            (is|are) (the |)(reply|text|answer|output|result) (the same|equal|identical|different) (with|without|with and without) (the |a |)(cache|caching)
            does (the cache|caching|prefix caching) (cost|lose) (quality|accuracy)
            is (prefix caching|the cache|caching) (exact|lossless|correct|an approximation)
            would I get other words without the cache
            is any quality lost through caching
            """,
            """
            Does prefix caching make the answers worse?
            Will the reply be different when the cache is off?
            """,
            "No, the text stays the same.",
            "Type /prove to see it.",
        ),
        fact(
            "The last token is computed again, because its logits are needed to start the reply: matched 11, reused 10, prefilled 1.",
            """
            {why} (does|do|must|should) (the model|the engine|it|you) (compute|prefill|read|run) (one|the last|at least one) token( of the prompt|) (again|anyway|still)
            {why} (is|was) (prefilled 1|one prefilled token|matched 11 but reused 10|reused one less than matched)
            (everything|my whole prompt|all of it|the complete prompt) (is|was) (cached|in the tree|matched|known)(, why prefill one|, what happens| and still one is prefilled|)
            {why} (not zero|is prefilled never zero|is it never zero)
            what happens (when|if) the (whole|entire|full|complete) prompt is (cached|matched|in the cache|already cached|in the tree)
            {why} (is|was) (one|a|at least one|the last) token (still |always |)(prefilled|computed|computed again)
            {why} (is|are) (not all|not every) (tokens|token) reused
            can a prompt be reused (completely|entirely|as a whole)
            all of my prompt is in the cache, and still one token is prefilled, why
            what if every token of the prompt is known already
            """,
            """
            Why is one token prefilled although the whole prompt was cached?
            What happens if my entire prompt is already in the tree?
            """,
            "One token is computed again.",
            "Its keys and values go to a scratch slot.",
        ),
        fact(
            "It has no keys and values yet: a token gets them only when the model reads it, in the next step.",
            """
            {why} (has|does) the (last|final|newest) token (no slot|have no slot|have no keys|hang dim after the leaf)
            (what about|what is wrong with|what is the matter with|where is) the (last|final|newest) token( of the reply| of a reply|)
            {why} is the (end|final token|last word) of (the|a) reply (dim|grey|pale|not stored|not in the cache)
            when does the (last|final|newest|sampled) token get (its slot|its keys|keys and values|cached)
            {why} (is|was) the last (sampled |generated |)token (of the reply |of a reply |)(not cached|not cached yet|missing|not in the tree|not in the cache)
            what does not cached yet mean
            is the last (sampled |generated |)token (of the reply |of a reply |)(cached|in the cache|in the tree)
            what is the (dim|pale) token (after|behind|below) the leaf
            what's the matter with the final token of a reply
            how come the last token has no slot
            """,
            """
            Why is the last token of your reply not cached?
            What does \"not cached yet\" mean next to the leaf?
            """,
            "It has not been read yet.",
            "That is why it is drawn dim.",
        ),
        fact(
            "A namespace is a separate hidden root: prompts of different namespaces never share anything.",
            """
            (how|what) (prevents|stops|keeps) (users|two users|adapters|prompts|people) (from sharing|apart|from seeing the cache of others)
            (the idea of|the use of|why are there|what are) (namespaces|a namespace)( good for|)
            (can|could|how can) (two users|two caches|adapters) be (kept apart|separated|isolated)
            (separate|hidden|several|two) roots( in the tree|)
            (when|why) do i need a (namespace|salt)
            {what} (a |the |)(namespace|namespaces|cache salt|cache namespace)
            {what} a (namespace|salt) (for|good for)
            what does (namespace|a namespace|the namespace option) (do|mean)
            {how} (keep|separate|isolate) (prompts|users|caches|two caches)( apart| from each other|)
            what stops two users from sharing their cache
            give me the idea behind namespaces
            """,
            """
            What is a namespace in the cache?
            How do I keep the caches of two users separate?
            """,
            "A separate root.",
            "Adapters need one each, because they change keys and values.",
        ),
    ),
)

DECODING = fact_topic(
    "prefill and decode",
    1.2,
    (
        fact(
            "Prefill reads the tokens of the prompt that are not in the cache, many at once, and fills the cache with their keys and values.",
            """
            (the idea of|the principle of|the basics of|the purpose of) (prefill|the prefill phase|prefilling)
            (what|which phase|which step) (reads|processes|handles) the prompt
            (what|which things) (is|are) (done|computed|happening) (in|during|at) (prefill|the prefill phase|the first phase)
            prefill( phase|)(:|,|) (what|how|huh|definition)
            what happens (before|until) the first token( is written| appears|)
            {what} (a |the |)(prefill|prefilling|prefill phase|prefill step)
            what (does|happens in|happens during) (the |)prefill( do| phase|)
            what does (prefill|prefilling) mean
            how does (the |)(prefill|prefilling) work
            what's done in the prefill phase
            give me the idea behind prefill
            """,
            """
            What is going on during the prefill phase?
            Can you tell me what prefill is?
            """,
            "Reading the new part of the prompt.",
            "It is limited by arithmetic, not by memory.",
        ),
        fact(
            "Decode writes the reply one token at a time; each step reads the whole cache once and adds one slot.",
            """
            (the idea of|the principle of|the basics of|the purpose of) (decode|the decode phase|decoding)
            (what|which phase|which step) (writes|produces|makes) the (reply|answer)
            (what|which things) (is|are) (done|computed|happening) (in|during|at) (decode|the decode phase|the second phase)
            decode( phase|)(:|,|) (what|how|huh|definition)
            what happens after the first token
            {what} (the |a |)(decode|decoding|decode phase|decode step|token generation)
            what (does|happens in|happens during) (the |)(decode|decoding)( do| phase|)
            what does (decode|decoding) mean
            how does (the |)(decode|decoding|generation) work
            how (is|are) (the|a) (reply|answer|text) (written|generated|produced|made)
            what's done in the decode phase
            give me the idea behind decoding
            """,
            """
            What is going on during the decode phase?
            Can you tell me what decoding is?
            """,
            "Writing the reply token by token.",
            "It is limited by memory traffic, not by arithmetic.",
        ),
        fact(
            "Prefill reads the prompt, many tokens at once; decode writes the reply, one token at a time.",
            """
            (how|where|in what respect) do (prefill and decode|prefill and decoding|decode and prefill|the two phases) differ
            (what|which) (difference|distinction) is there between (prefill and decode|decode and prefill|prefill and decoding)
            (how can i|how do people) (distinguish|tell apart|separate) (prefill and decode|prefill from decode|decode from prefill)
            (prefill and decode|prefill or decode|decode and prefill): (which is which|are they the same|what is different)
            (which|what) (two|are the) phases( does a request have| of a request| are there|)
            (what is|what's|explain|tell me) the difference between (prefill and decode|decode and prefill|prefilling and decoding|prefill and decoding)
            (how|in what way) (does|is) (prefill|decode|decoding) (differ|different) from (decode|prefill|decoding)
            (prefill|prefilling) (versus|vs|or|compared to) (decode|decoding)
            (decode|decoding) (versus|vs|or|compared to) (prefill|prefilling)
            compare (prefill and decode|prefill with decode|decode and prefill)
            {what} (prefill and decode|prefill and decoding|the two phases)
            is (prefill|decode) the same as (decode|prefill)
            in what do prefill and decode differ
            how do I tell prefill from decode
            """,
            """
            Could you explain how prefill and decode differ?
            What's the difference between the prefill and the decode phase?
            """,
            "Prefill reads, decode writes.",
            "A prefix cache makes prefill shorter; decode stays the same.",
        ),
        fact(
            "TTFT is the time to first token: how long you wait before the reply starts. A prefix cache makes it shorter.",
            """
            (how long|the time) (until|till|before) the (first token|first word|reply) (comes|appears|arrives|starts)
            (what|which number|which measure) (says|tells|measures|shows) (me |)how long (i wait|the wait is|one waits)
            (the letters|the abbreviation|the acronym|the short form) ttft
            (what is a good|how can i lower|what shortens|how do i improve the|my) (ttft|time to first token)
            ttft(:|,|) (what|how|huh|definition|in full)
            {what} (the |a |)(ttft|time to first token|time to the first token|ttfts)
            what does ttft (mean|stand for|say|measure)
            what is the meaning of ttft
            how (is|can i measure) (the |)(ttft|time to first token)( measured| defined|)
            why (is|does) (the |)(ttft|time to first token) (matter|important|shorter|short|go down)
            (how long|why) do i wait (for|before) (the first token|the reply starts|the reply)
            which number tells me how long I wait for the first token
            what do the letters TTFT abbreviate
            """,
            """
            Please explain the time to first token to me
            Everyone measures TTFT, what is it?
            """,
            "Time to first token.",
            "Prefill dominates it.",
        ),
        fact(
            "Chunked prefill cuts a long prompt into pieces, so that other requests and a stop key get their turn in between.",
            """
            (the idea of|the principle of|the purpose of|the point of|the use of) (chunked prefill|chunks|prefilling in chunks)
            {why} (not|do you not|does it not) (read|prefill|compute) (a long prompt|everything|the prompt) (at once|in one go|in one piece)
            (reading|prefilling|computing) (a long|the) prompt (in|by) (pieces|parts|chunks|portions)
            how (large|big|long) is a (prefill |)chunk
            can i stop (during|in the middle of) (a long |)prefill
            {what} (chunked prefill|chunked prefilling|a prefill chunk|prefill in chunks|chunking)
            why (is|are) (the |a |)(long |)(prompt|prompts|prefill) (cut|split|chunked|divided) (into|in) (chunks|pieces)
            how does chunked prefill work
            what does chunked( prefill|) mean
            what's the point of prefilling in chunks
            for what reason would a long prompt be read in pieces
            """,
            """
            Why do you read a long prompt in chunks?
            Can you explain chunked prefill to me?
            """,
            "Prefill in pieces.",
            "The result is the same as in one piece.",
        ),
        fact(
            "Temperature sets how bold the sampling is: 0 always takes the best token, higher values try others.",
            """
            (the idea of|the purpose of|the effect of|the use of|the role of) (the |)temperature
            (what|which setting|which number|which knob) (makes|controls|decides how) (replies|the reply|the text|you) (random|wild|creative|bold|varied|surprising)
            (a|what is a|why is there a) (high|low|zero|good) temperature
            temperature(:|,|) (what|how|huh|definition)
            {why} (does|do) (the temperature|a higher temperature) (change|matter|make replies different)
            {what} (the |a |)(temperature|sampling temperature|temperature setting)
            what does (the |)temperature (do|mean|change|control)
            (what|which) temperature (should i use|is good|is best)
            what happens (at|with) (a |)(temperature zero|temperature 0|high temperature|low temperature)
            which setting makes replies more daring
            what's the effect of the temperature
            """,
            """
            What does the temperature setting do to the replies?
            Should I use a high or a low temperature?
            """,
            "How bold the sampling is.",
            "At 0 the same prompt gives the same reply.",
        ),
        fact(
            "Sampling draws the next token from the model's probabilities; greedy decoding always takes the most probable one.",
            """
            (how|in which way|by what rule) (does|do|is) (a|the|the next) (model choose the next token|token chosen|token picked|word selected|model pick a word)
            (what|how) (is it called|do you call it|do people say) when (the most probable|the best|the likeliest) token (is always taken|is always chosen)
            (always|taking|choosing) the (most probable|best|likeliest) token
            (drawing|picking|choosing) (a|the next) token( at random|)
            (greedy|sampling|sampled or greedy|greedy or sampled)(:|,|) (what|how|which)
            {what} (sampling|greedy decoding|greedy|greedy sampling|token sampling|a greedy reply)
            (what is|what's) the difference between (sampling and greedy|greedy and sampling|greedy decoding and sampling)( decoding|)
            how is the next token (chosen|picked|selected|drawn)
            what does (greedy|sampling) mean
            in what manner is a token picked
            what do people call it when the best token always wins
            """,
            """
            What is greedy decoding, please?
            How does the model choose which token comes next?
            """,
            "Drawing the next token.",
            "Temperature 0 means greedy.",
        ),
        fact(
            "A batch is several requests that the model runs at once, so that reading the weights is paid only once.",
            """
            (the idea of|the principle of|the point of|the purpose of|the use of|the advantage of) (a batch|batches|batching)
            {why} (run|does it help to run|should i run|are) (several|many|two) requests (together|at once|at the same time|in one step|run together)
            (what|how) do (you|people) call (several|many) requests (at once|together)
            (running|computing|serving) (several|many|two) requests (together|at once|side by side)
            batch(ing|)(:|,|) (what|how|huh|definition)
            {what} (a |the |)(batch|batches|batching|continuous batching|batch of requests)
            why (do|does) (batching|a batch|batches) help
            how does (batching|continuous batching) work
            what does (batch|batching) mean
            what's the benefit of running requests together
            give me the idea behind batching
            """,
            """
            Why does the engine put requests into batches?
            What do you mean by a batch of requests?
            """,
            "Several requests at once.",
            "Requests of a batch can share a prefix, too.",
        ),
        fact(
            "Logits are the scores that the model gives to every token of its vocabulary; sampling turns them into the next token.",
            """
            (what|how) do (you|people|we) call the scores( of the tokens| of all tokens| that a model gives|)
            (the idea of|the purpose of|the use of) (the |)logits
            (what|which numbers) (comes|come) out of (the model|the last layer|a model)
            (scores|a score) for (every|each) (token|word)( of the vocabulary|)
            logits(:|,|) (what|how|huh|definition)
            {what} (the |)(logits|logit|a logit)
            what does (logits|logit) mean
            what (are|is) the (logits|scores) (of a model |)(for|used for|good for)
            what does the model (output|compute|return)( at the end| for each token|)
            how do you call the scores of all tokens
            what sort of thing are logits
            """,
            """
            What are those logits you mentioned?
            Can you explain what logits are?
            """,
            "Scores for every token.",
            "Only the last position of a prompt needs them.",
        ),
        fact(
            "Prefill is limited by arithmetic, because it handles many tokens at once; decode is limited by memory traffic, because each step reads all weights.",
            """
            (what|which resource) (holds back|limits|slows|bounds|is the limit of|restricts) (prefill|decode|decoding|generation)
            (is|are) (prefill|decode|decoding) (limited|bound|held back|slowed) by (memory|arithmetic|compute|bandwidth|memory or arithmetic)
            {why} (does|is) (writing|generating|each token|one token) (take so long|slow|cost so much)
            {why} is (reading|the prompt|prefill) (so much |)faster than (writing|the reply|decode)
            (memory traffic|bandwidth|arithmetic|compute) and (prefill|decode)
            {why} (is|are) (decode|decoding|prefill|the decode phase) (slow|slower|fast|faster|memory bound|memory-bound|compute bound|compute-bound|limited by memory|limited by arithmetic)
            what (limits|bounds|slows down) (prefill|decode|decoding|the decode phase|prefill and decode)
            {what} the bottleneck of (prefill|decode|decoding|the model)
            which resource holds decode back
            is prefill bound by memory or by arithmetic
            """,
            """
            What makes decoding so slow?
            What is the bottleneck during decode?
            """,
            "Prefill by arithmetic, decode by memory.",
            "A batch makes better use of each read.",
        ),
        fact(
            "The context is all the text that the model sees at once; its length is limited, and mine is short.",
            """
            (how much|how many words|what amount of) text (can|do) (you|the model|a model) (see|read|hold|take|handle)( at once| at a time|)
            (what|which text) (does|can) (the model|a model|you) see( at once|)
            (the|a|your) (window|context window|limit of the context)( of a model| of the model|)
            (is|when is) (my|a|the) (chat|prompt|conversation|text) too long( for you| for the model|)
            context(:|,|) (what|how|huh|definition)
            {what} (the |a |)(context|context length|context window|context limit|maximum context)
            how (long|large|big) is (the|your|my) (context|context window)
            how (much|many tokens) can you (read|see|take in)( at once|)
            what happens (when|if) (the context|a conversation|the chat|my chat) (is|gets|becomes|grows) (too long|full)
            how much text can be seen by you at the same time
            what is meant by the window of a model
            """,
            """
            How many tokens can your context have?
            What does the context length mean?
            """,
            "All text that the model sees.",
            "I was trained on a few hundred tokens.",
        ),
    ),
)

MEMORY = fact_topic(
    "memory and eviction",
    1.2,
    (
        fact(
            "Eviction frees the slots of nodes that nobody uses, so that new tokens find room.",
            """
            (the idea of|the principle of|the purpose of|the point of|the use of) (eviction|evicting|evictions)
            {why} (did|do|does|has|have) (a node|nodes|some nodes|my node|a turn|tokens) (disappear|vanish|go away|vanished|disappeared|gone missing)( from the tree| from the cache|)
            (where|what) (has|have|did|happened to) (my|the) (node|nodes|turn|cached tokens) (gone|go|go to)
            (removing|throwing out|dropping|forgetting) (nodes|cached tokens|leaves|old turns)( from the cache|)
            eviction(:|,|) (what|how|huh|definition|when|why)
            (how|when) does the cache (forget|make room|free memory|clean up)
            {what} (an |the |)(eviction|evicting|cache eviction|evicted node|evicted nodes|evicted)
            what does (evicted|eviction|evict|evicted 2 nodes) mean
            {why} (was|were|is|are) (a|the|my|some|these|this) (node|nodes|tokens|turn) (evicted|removed|gone|thrown out)
            {why} (does|do) (the cache|the tree|it|you|we) (evict|throw away|remove|forget) (nodes|something|tokens|things)
            when (does|do|is|are) (eviction|evictions|nodes|a node) (happen|evicted|take place|removed)
            for what reason do nodes disappear from the tree
            give me the idea behind eviction
            """,
            """
            Why was my node thrown out of the cache?
            Can you tell me what eviction is?
            """,
            "It frees slots that nobody uses.",
            "What was evicted must be computed again when it is needed.",
        ),
        fact(
            "LRU evicts the leaf that was least recently used.",
            """
            (the idea of|the rule of|the letters|the abbreviation|the acronym) lru
            (who|which leaf|what) (goes|leaves|is evicted|is taken|is removed) (first |)(under|with|by|in) lru
            (evict|evicting|removing|dropping) (the|what was) least recently used( leaf| first|)
            lru(:|,|) (what|how|huh|definition|in full)
            the (default|usual|standard) (policy|rule)
            {what} (the |a |)(lru|lru policy|lru eviction|least recently used|least recently used policy)
            what does lru (mean|stand for|do|evict)
            how does (lru|the lru policy|least recently used) work
            (which|what) (node|leaf) does lru (evict|remove|take|choose)
            what do the letters LRU abbreviate
            which leaf goes first under LRU
            """,
            """
            Can you explain LRU to me?
            What is the LRU policy about?
            """,
            "The least recently used leaf goes first.",
            "It is the usual policy, because recent prefixes tend to come back.",
        ),
        fact(
            "LFU evicts the leaf that was used least often.",
            """
            (the idea of|the rule of|the letters|the abbreviation|the acronym) lfu
            (who|which leaf|what) (goes|leaves|is evicted|is taken|is removed) (first |)(under|with|by|in) lfu
            (evict|evicting|removing|dropping) (the|what was) (least often|least frequently) used( leaf| first|)
            lfu(:|,|) (what|how|huh|definition|in full)
            {what} (the |a |)(lfu|lfu policy|lfu eviction|least frequently used|least frequently used policy)
            what does lfu (mean|stand for|do|evict)
            how does (lfu|the lfu policy|least frequently used) work
            (which|what) (node|leaf) does lfu (evict|remove|take|choose)
            what do the letters LFU abbreviate
            which leaf goes first under LFU
            """,
            """
            Can you explain LFU to me?
            What is the LFU policy about?
            """,
            "The least often used leaf goes first.",
            "Old favourites can stay too long.",
        ),
        fact(
            "FIFO evicts the leaf that is oldest by creation, however often it was used.",
            """
            (the idea of|the rule of|the letters|the abbreviation|the acronym) fifo
            (who|which leaf|what) (goes|leaves|is evicted|is taken|is removed) (first |)(under|with|by|in) fifo
            (evict|evicting|removing|dropping) the oldest( leaf| first|)
            fifo(:|,|) (what|how|huh|definition|in full)
            {what} (the |a |)(fifo|fifo policy|fifo eviction|first in first out|first-in first-out)
            what does fifo (mean|stand for|do|evict)
            how does (fifo|the fifo policy|first in first out) work
            (which|what) (node|leaf) does fifo (evict|remove|take|choose)
            what do the letters FIFO abbreviate
            which leaf goes first under FIFO
            """,
            """
            Can you explain FIFO to me?
            What is the FIFO policy about?
            """,
            "The oldest leaf goes first.",
            "It ignores every use after the first.",
        ),
        fact(
            "An eviction policy decides which unused leaf goes first: lru, lfu, fifo, mru, filo, slru or priority.",
            """
            (the choice of|a list of|the names of|all) (policies|eviction policies|the policies)
            (what|which) (rule|rules|strategy|policy) (picks|chooses|selects|decides|determines|is used to pick) (the victim|who goes|what is evicted|the leaf|what goes first)
            (by|after|according to) (what|which) (rule|policy|strategy) (does|do|is|are) (eviction work|leaves evicted|the victim chosen|you evict|the cache evict)
            (how|can i|where can i) (choose|change|set) (a|the|another) (eviction |)policy
            (lru, lfu or fifo|lru or lfu|fifo or lru|lru lfu fifo)
            {what} (an |the |)(eviction policy|eviction policies|cache policy|replacement policy|policy|policies)
            (which|what|how many) (eviction |)policies (are there|do you have|exist|can i choose|are supported|do you know)
            how (is|does) (the victim|the next victim|it|the cache|the tree) (chosen|choose|decide)( what to evict| who goes| what goes first|)
            who decides what (is|gets) evicted
            by which rule is the victim picked
            what choices of policy do I have
            """,
            """
            Which eviction policies can I choose from?
            How does the cache decide which leaf to evict?
            """,
            "It decides which leaf goes first.",
            "The default is lru.",
        ),
        fact(
            "A lock protects a node and its path from eviction while a request uses them.",
            """
            (what|how|who) (protects|saves|guards|shields|keeps) (a node|nodes|a path|my nodes) (from eviction|from being evicted|while it is used|while they are used|safe)
            (the idea of|the purpose of|the point of|the use of) (a lock|locks|locking)
            {why} (can|may) (this|a|the) node not be evicted
            (what does|what is) the (number|diamond|mark|symbol) (beside|at|on) a (locked |)node( mean|)
            lock(s|ed|)(:|,|) (what|how|huh|definition|when|why)
            (when|why) (does|do) (a request|requests|you|it) lock (nodes|a path|a node)
            {what} (a |the |)(lock|locks|locked node|lock count|locked|locking)
            what does (lock|locked|a lock|the lock) (mean|do)
            {why} (is|are) (a|the|this|some) (node|nodes|path) locked
            (when|how long) (is|are|does) (a|the) (node|nodes|lock|path) (locked|stay|last)
            how (do|does) (locks|locking|a lock) work
            what keeps a node safe while it is in use
            for what reason would nodes be locked
            """,
            """
            Why are some nodes of the tree locked?
            What is a lock on a node good for?
            """,
            "It protects a path in use.",
            "The number beside the lock counts the requests that hold it.",
        ),
        fact(
            "A slot is the place of one token in the KV pool, across all layers.",
            """
            (where|in what place|at what place) (does|do|is|are) (a|one|the|each|every) (token|tokens)( of the cache|) (live|stored|kept|lie|sit|stay)( in the pool| in memory| in the cache|)
            (what|how) do (you|we|people) call the place of (a|one) token
            (the idea of|the purpose of|the use of) (a slot|slots)
            (the place|the home|the address|room) (of|for) (one|a|a single) token( in the pool| in the cache|)
            slot(s|)(:|,|) (what|how|huh|definition)
            {what} (a |the |)(slot|slots|kv slot|cache slot|memory slot)
            what does (slot|a slot) mean
            what (is in|does) (a|one) slot( hold| store|)
            where in the pool does one token live
            what's the name for a token's place in the pool
            """,
            """
            What is a slot in the KV pool?
            What do you mean when you say slot?
            """,
            "The place of one token.",
            "A slot is free, in flight, protected or evictable.",
        ),
        fact(
            "The capacity is the size of the KV pool, in tokens or in bytes.",
            """
            (what|which word|which number|which setting) (says|tells|gives|describes|means|is) (how big the pool is|the size of the pool|how many tokens fit)
            (the|what is the) (limit|maximum|upper limit|total|largest number) (of|on|for) (the pool|the cache|cached tokens|tokens in the pool|slots)
            how (much|many tokens) can (the pool|the cache|you) (hold|store|keep|take)
            capacity(:|,|) (what|how|huh|definition)
            (the idea of|the purpose of|the meaning of) (the |)capacity
            {what} (the |a |)(capacity|cache capacity|pool capacity|cache size|size of the cache|capacity of the cache)
            how (big|large) is the (cache|pool|kv pool)
            how many tokens (fit|can be stored|does the cache hold)( in the cache| in the pool|)
            what does capacity mean
            which word describes the size of the pool
            what's the limit on cached tokens
            """,
            """
            What does the capacity of the cache mean?
            What is the biggest number of tokens that the cache can keep?
            """,
            "The size of the pool.",
            "Free, in flight, protected and evictable add up to it.",
        ),
        fact(
            "When the cache is full, unlocked leaves are evicted; if everything is locked, a request has to wait or stop.",
            """
            (the|my|a) (cache|pool|memory) (is|got|became|has become) full(, what now|, what happens|, what then|: what next|)
            (suppose|imagine|assume|say) the (cache|pool|memory) (is|were) full( what happens| what then|)
            (no|there is no|without) (room|space|memory)( left| in the pool| in the cache|)(, what now|, what happens|: what then|)
            (what|which things) (comes next|happens next|must go|follows) (when|if|once) (nothing is free|no slot is free|all slots are taken)
            (running|we run|i run) out of (memory|slots|room|space)( in the cache| in the pool|)
            what happens (when|if|once|as soon as) (the |)(cache|pool|memory|capacity) (is full|is used up|runs out|fills up|is exhausted|is reached)
            what (if|when) there is no (more |)(room|space|memory)( left|)( in the cache| in the pool|)
            what (does|will) (the program|it|the cache) do (when|if) (the cache|memory|the pool) is full
            (can|could) the (cache|pool) (become|get|be) full
            suppose the pool has no room, what then
            a full cache: what comes next
            """,
            """
            What will happen once the cache is completely full?
            What do you do when there is no memory left in the pool?
            """,
            "Unlocked leaves are evicted.",
            "A locked path is never touched.",
        ),
        fact(
            "Protected slots lie on a locked path and stay; evictable slots lie on unlocked nodes and may go.",
            """
            (how|where|in what respect) do (protected and evictable|evictable and protected)( slots| tokens| memory|) differ
            (which|what) (slots|tokens|memory|nodes) (may|can|must|cannot|may not) (go|be evicted|not be evicted|be taken|stay|be removed)
            (may|can) (every|any|each) (slot|node|token) be (evicted|taken|removed)
            (protected|evictable)(:|,|) (what|how|huh|definition)
            (protected or evictable|evictable or protected)(:|,| |)(what|which|how|)
            {what} (protected|evictable|protected and evictable|evictable slots|protected slots|evictable tokens|protected tokens|evictable memory|protected memory)
            what (does|do) (protected|evictable|protected slots|evictable slots) mean
            what is the difference between (protected and evictable|evictable and protected)( slots| tokens| memory|)
            (when|which|what) (is|are) (slots|tokens|memory|a slot|a token|nodes) (protected|evictable)
            how do evictable and protected memory differ
            which slots may not be taken away
            """,
            """
            Protected tokens, evictable tokens, what's the difference?
            What makes a token evictable?
            """,
            "Protected stays, evictable may go.",
            "Together they are the resident memory.",
        ),
        fact(
            "Free, in flight, protected and evictable: the four always add up to the capacity.",
            """
            (into|in) (what|which) (parts|states|classes|kinds) (is|does) (the pool|memory|the cache) (divided|fall|split)
            (what|which) (parts|states|kinds) (of memory|of slots) (are there|exist|do you count)
            (the four|four|all|list the) states( of memory| of a slot| of the pool|)
            (do|does|why do) (the numbers|the states|it|they) (always |)(add up|sum up|make up)( to the capacity| to the whole|)
            (where|how) did (all |)the (memory|slots|capacity) go
            (which|what) states (can|does|do) (a slot|slots|memory|the pool|the slots) have
            {what} (the |)(memory states|states of memory|states of the pool|states of a slot|memory identity)
            (what|which) (four |)(numbers|states) (add|sum) up to the capacity
            how is the (pool|memory|kv pool) (divided|split up|accounted for|used)
            into what parts is the pool divided
            what adds up to the capacity
            """,
            """
            Which states can a slot be in?
            What do the four kinds of memory add up to?
            """,
            "Free, in flight, protected, evictable.",
            "The program checks this sum.",
        ),
        fact(
            "In flight are the slots of a running request whose tokens are not yet in the tree.",
            """
            (what|how) do (you|people) call (the |)slots of (a running|an unfinished|a current) request
            (which|what) slots (are not yet in the tree|belong to a running request|are used by a running request)
            in(-| )flight(:|,|) (what|how|huh|definition|slots)
            (the memory|slots|tokens) of (a running|an unfinished) request
            (who|what) (owns|holds) the in(-| )flight (slots|tokens)
            {what} (in flight|in-flight|in-flight slots|slots in flight|in-flight tokens|tokens in flight|in-flight memory)
            what does in(-| )flight mean
            (when|which slots) (is a slot|are slots|are) in(-| )flight
            how do you call slots of a request that still runs
            what sort of slots are in flight
            """,
            """
            What does in flight mean in the memory line?
            Which slots are in flight right now?
            """,
            "Slots of a running request.",
            "They belong to its lease.",
        ),
        fact(
            "A tombstone is the dashed trace of an evicted node; it is drawn in the step of the eviction and then gone.",
            """
            (how|where) (does the picture|do you|is|are) (show|shown|draw|drawn|mark|marked) (an evicted node|evicted nodes|an eviction|what was evicted)
            (what is|why is there) (a|the|that) (dashed|crossed|crossed out|dashed red) (box|node|trace|outline|thing|shape)
            (the mark|the trace|the sign|the picture) of (an evicted node|an eviction|what was evicted)
            tombstone(s|)(:|,|) (what|how|huh|definition)
            {why} does an evicted node (stay|still show|remain) for (a step|one step)
            {what} (a |the |)(tombstone|tombstones|dashed node|dashed red node|red node|cross in the tree)
            what does (a |the |)(tombstone|dashed node|dashed line) (mean|show)
            how long (is|does) a tombstone (shown|drawn|stay)
            what's that dashed trace in the picture
            how are evicted nodes drawn
            """,
            """
            Why is this node drawn with dashes?
            What is a tombstone in the tree?
            """,
            "The trace of an evicted node.",
            "It lives for one step only.",
        ),
        fact(
            "The next victim is the leaf that would go if space were needed now.",
            """
            (who|which leaf|which node|what leaf|what) (would|will|must) (be evicted|go|leave|be thrown out|have to go) (next|first|now)
            (who|which leaf|which node) is (next|first|first in line|at the head of the queue)( for eviction| to be evicted| to go|)
            (the|what is the) (small triangle|triangle|mark of the victim|victim's mark)
            victim(s|)(:|,|) (what|how|huh|definition|who)
            (the leaf|a leaf) that (goes|will go|would go) next
            {what} (the |a |)(next victim|victim|next victims|victims)( mark| in the tree|)
            what does (next victim|victim|the victim mark) mean
            (which|what) (node|leaf) (goes|will go|is evicted|would be evicted) (next|first)
            who would be thrown out next
            what leaf is first in line to leave
            """,
            """
            What does next victim mean in the tree?
            Which leaf is going to be evicted as the next one?
            """,
            "The leaf that would go now.",
            "The next request may still protect it.",
        ),
        fact(
            "SLRU keeps leaves that were used at least twice in a protected part and evicts the others first.",
            """
            (the idea of|the rule of|the letters|the abbreviation|the acronym) slru
            (who|which leaf|what) (goes|leaves|is evicted|is taken|is removed) (first |)(under|with|by|in) slru
            slru(:|,|) (what|how|huh|definition|in full)
            slru
            what is (the difference between|different in) (slru and lru|lru and slru|slru)
            {what} (the |a |)(slru|slru policy|segmented lru|slru eviction)
            what does slru (mean|stand for|do|evict)
            how does (slru|the slru policy|segmented lru) work
            (which|what) (node|leaf) does slru (evict|remove|take|choose)
            what do the letters SLRU abbreviate
            which leaf goes first under SLRU
            """,
            """
            Can you explain SLRU to me?
            What is the SLRU policy about?
            """,
            "Leaves used once go first.",
            "It resists a flood of prompts that are used only once.",
        ),
        fact(
            "MRU evicts the leaf that was used most recently.",
            """
            (the idea of|the rule of|the letters|the abbreviation|the acronym) mru
            (who|which leaf|what) (goes|leaves|is evicted|is taken|is removed) (first |)(under|with|by|in) mru
            (evict|evicting|removing|dropping) (the|what was) most recently used( leaf| first|)
            mru(:|,|) (what|how|huh|definition|in full)
            {what} (the |a |)(mru|mru policy|mru eviction|most recently used|most recently used policy)
            what does mru (mean|stand for|do|evict)
            how does (mru|the mru policy|most recently used) work
            (which|what) (node|leaf) does mru (evict|remove|take|choose)
            what do the letters MRU abbreviate
            which leaf goes first under MRU
            """,
            """
            Can you explain MRU to me?
            What is the MRU policy about?
            """,
            "The newest use goes first.",
            "It helps when long prompts come round in a circle.",
        ),
        fact(
            "Keys and values for every token in every layer: two vectors for each key-value head, so long contexts cost much memory.",
            """
            (what|how much) (does|will) (it cost|one token cost|a token cost|each token take|a cached token need)( in memory| in bytes|)
            (how many|the number of) (bytes|megabytes|kilobytes) (for|of|per) (a|each|one|every) (token|slot)
            {why} (does|is) (a long |)(context|chat|conversation) (cost|need|expensive|use) (so |)(much |)(memory|in memory)
            (the|what is the) (memory|price|cost|size) of (a|one|each) (cached )token
            (memory|size|cost) of (the|a) (kv )cache
            how much memory does (the |a |)(kv cache|cache|token|one token|a cached token) (need|take|use|cost|occupy)
            how (big|large|expensive) is (the |a |one |)(kv cache|cached token|slot)
            {why} (is|does) the (kv |)cache (so |)(big|large|need so much memory|use much memory)
            how many bytes (is|are|does) (a|one) (token|slot)( need| take|)
            what does it cost in memory to keep a token
            how many bytes go into the cache for each token
            """,
            """
            How much memory does one token take in the KV cache?
            Why does the KV cache become so big?
            """,
            "Two vectors per layer and head.",
            "Fewer key-value heads make it smaller.",
        ),
    ),
)

SERVING = fact_topic(
    "serving engines",
    1.2,
    (
        fact(
            "RadixAttention keeps the KV cache of finished requests in a radix tree, so that new requests reuse the longest shared prefix.",
            """
            (the idea of|the principle of|the basics of|the trick of|the purpose of) (radixattention|radix attention)
            (what|which technique|which method) (keeps|stores|puts) the kv cache in a (radix |)tree
            (where|from where|from which paper) (does|is|comes) (radixattention|radix attention)( come| come from| from|)
            (radixattention|radix attention)(:|,|) (what|how|huh|definition|where from)
            (a cache|caching|the kv cache) in a radix tree
            {what} (radixattention|radix attention)
            how does (radixattention|radix attention) work
            what does (radixattention|radix attention) (do|mean)
            (radixattention|radix attention)( meaning| definition| explained|)
            who (invented|made|uses) (radixattention|radix attention)
            i (never heard of|am curious about) (radixattention|radix attention)
            what sort of thing is RadixAttention
            give me the idea behind RadixAttention
            """,
            """
            Can you explain RadixAttention in one sentence?
            What does RadixAttention do with finished requests?
            """,
            "KV cache in a radix tree.",
            "It comes from the SGLang paper.",
        ),
        fact(
            "SGLang is a serving engine and a language for programs that call models; RadixAttention comes from it.",
            """
            (the idea of|the basics of|the project|the purpose of) sglang
            (which|what) (engine|project|program|paper) (invented|has|introduced|brought|uses|made) (radixattention|radix attention)
            (who|which people|which project) (is behind|came up with) (radixattention|radix attention)
            sglang(:|,|) (what|how|huh|definition)
            what (is|do people use) sglang (good |)for
            {what} (sglang|the sglang paper|the sglang project)
            what does sglang (do|mean)
            how does sglang (work|cache|cache prefixes|share prefixes)
            (sglang)( meaning| definition| explained|)
            i (never heard of|am curious about) sglang
            what sort of thing is SGLang
            from which project is RadixAttention
            """,
            """
            Can you tell me what SGLang is?
            What is the SGLang project about?
            """,
            "A serving engine with RadixAttention.",
            "Its paper has the figure of nine steps that this program can replay.",
        ),
        fact(
            "vLLM is a serving engine that keeps the KV cache in blocks and finds shared prefixes by hashing full blocks.",
            """
            (the idea of|the basics of|the project|the purpose of) vllm
            (how|in which way) does vllm (reuse|cache|store|recognise|find|handle) (prefixes|a prefix|shared prefixes|prompts|equal beginnings)
            (which|what) (engine|project|program) (invented|has|introduced|brought|uses) (pagedattention|paged attention|hashed blocks)
            vllm(:|,|) (what|how|huh|definition)
            what (is|do people use) vllm (good |)for
            {what} (vllm|the vllm project|the vllm engine)
            what does vllm (do|mean)
            how does vllm (work|cache|cache prefixes|share prefixes|find prefixes)
            (vllm)( meaning| definition| explained|)
            i (never heard of|am curious about) vllm
            what sort of thing is vLLM
            in what way does vLLM share prefixes
            """,
            """
            Can you tell me what vLLM is?
            How does prefix caching work in vLLM?
            """,
            "A serving engine with hashed blocks.",
            "PagedAttention comes from it.",
        ),
        fact(
            "PagedAttention stores the KV cache in blocks that may lie anywhere in memory, like the pages of an operating system.",
            """
            (the idea of|the principle of|the basics of|the trick of|the purpose of) (pagedattention|paged attention|paging)
            (paging|storing|keeping|cutting) the (kv cache|cache) (in|into) (pages|blocks)
            {why} (is|are) (the|a) (kv |)cache (paged|kept in blocks|stored in blocks|scattered)
            (pagedattention|paged attention|paging)(:|,|) (what|how|huh|definition)
            (which|what) (technique|method) (keeps|stores) the cache in scattered (blocks|pages)
            {what} (pagedattention|paged attention|paging|a paged kv cache|kv paging)
            how does (pagedattention|paged attention|paging) work
            what does (pagedattention|paged attention) (do|mean)
            (pagedattention|paged attention)( meaning| definition| explained|)
            i (never heard of|am curious about) (pagedattention|paged attention)
            what sort of thing is PagedAttention
            give me the idea behind paging the KV cache
            """,
            """
            Can you tell me what PagedAttention is?
            How does PagedAttention store the cache?
            """,
            "KV cache in scattered blocks.",
            "A table says which block comes next.",
        ),
        fact(
            "A hash-block cache names each full block by a hash of its tokens and of the block before it; equal hashes share the block.",
            """
            (the idea of|the principle of|the basics of|the trick of) (hash blocks|a hash-block cache|hashing blocks|block hashes)
            (how|by what|in what way) (are|is|do you|does one) (recognise|recognised|identify|identified|compare|found again) (a |)(full |)(block|blocks|a block)
            (hashing|naming|chaining) (the |full |)blocks
            {why} (does|is) (the hash|a block's hash|a hash) (chained|include the block before|depend on the block before)
            (hash blocks|block hashes|hash-block)(:|,|) (what|how|huh|definition)
            {what} (a |the |)(hash block cache|hash-block cache|hash block|hash blocks|block hash|block hashes|block hashing)
            how (does a|do) (hash block|hash-block|block hash|hash blocks) (cache |)(work|share prefixes)
            how are blocks (hashed|shared|named|found)
            what does (hash block|block hash) mean
            by what are full blocks recognised
            give me the idea behind hashing blocks
            """,
            """
            How does a cache with hashed blocks work?
            What is the hash of a block computed from?
            """,
            "Blocks named by a chained hash.",
            "Only full blocks are shared.",
        ),
        fact(
            "A radix tree shares to the exact token; hash blocks share only full blocks but need no tree.",
            """
            (how|where|in what respect) do (radix trees and hash blocks|hash blocks and radix trees|sglang and vllm|vllm and sglang) differ
            (how|in what way) does the cache of (vllm|sglang) (differ|differ from that of sglang|compare)
            (what|which) (difference|distinction) is there between (sglang and vllm|vllm and sglang|a radix tree and hash blocks)
            (should i take|do i want|which one is better,) (hash blocks or a radix tree|a radix tree or hash blocks|vllm or sglang)
            (tree or blocks|blocks or tree|radix tree or hash blocks|hash blocks or tree|sglang or vllm)
            (what is|what's|explain|tell me) the difference between (a radix tree and|the radix tree and) (hash blocks|a hash table|block hashing|hashed blocks)
            (what is|what's) the difference between (sglang and vllm|vllm and sglang|radixattention and pagedattention|radixattention and hash blocks)
            (radix tree|radix trees|sglang|radixattention) (versus|vs|or|compared to) (hash blocks|vllm|block hashing|pagedattention)
            (hash blocks|vllm|block hashing) (versus|vs|or|compared to) (a |)(radix tree|radix trees|sglang)
            compare (sglang and vllm|sglang with vllm|vllm and sglang|a radix tree with hash blocks|hash blocks and radix trees)
            which is better, (a radix tree or hash blocks|sglang or vllm|vllm or sglang)
            in what do hash blocks and a radix tree differ
            how does the cache of vLLM differ from the one of SGLang
            """,
            """
            Is a radix tree better than hashing blocks?
            How is SGLang's cache different from vLLM's?
            """,
            "Exact tokens against full blocks.",
            "With blocks of one token both find the same prefix.",
        ),
        fact(
            "A page is a fixed number of tokens; with a page size above one only full pages are shared.",
            """
            (what|which things) (changes|happens|is different) (when|if|with) (pages|a page|blocks) (are|is|hold|holds|of) (larger|bigger|sixteen tokens|many tokens|more tokens|sixteen)
            {why} (does|would|should) (the |a |)(page size|block size) (matter|be small|be large|be one|count)
            (the idea of|the purpose of|the role of) (pages|a page|the page size|the block size)
            how (large|big|long) is a (page|block)
            page( size|s|)(:|,|) (what|how|huh|definition)
            {what} (a |the |)(page|pages|page size|block size|page size of the cache)
            what does (the |)(page size|block size) (do|mean|change)
            what happens with (a |)(larger|bigger|large|big) (pages|page size|blocks|block size)
            {why} (are|do) only full (pages|blocks) (shared|count)
            what changes if pages hold sixteen tokens
            why would a page size matter
            """,
            """
            What does the page size do in the cache?
            What changes with a bigger page size?
            """,
            "A fixed number of tokens.",
            "Small pages share more, large pages need less bookkeeping.",
        ),
        fact(
            "Cache-aware scheduling serves waiting requests with the longest cached prefix first, so that less is evicted and computed twice.",
            """
            (in which|in what|what is the best) order (should|do|are|to) (requests|waiting requests|the requests)( be|) (served|run|wait|scheduled|serve requests)
            (the idea of|the principle of|the purpose of|the trick of) (cache-aware|cache aware|prefix-aware) scheduling
            {why} (serve|run|take) (the longest prefix|requests with a long prefix|the longest match) first
            (scheduling|sorting|ordering) (requests|the queue|by prefix|by match)
            (which|what) waiting request (goes|comes|is) (first|next)
            {what} (cache-aware scheduling|cache aware scheduling|longest prefix match scheduling|longest-prefix-match|lpm|lpm scheduling|prefix-aware scheduling)
            how does (cache-aware|cache aware|prefix-aware|lpm|longest prefix) scheduling work
            (which|what) (request|requests) (is|are|should be) (served|run|scheduled) first
            {why} (does|should) (a|the) (scheduler|engine) (sort|reorder) (requests|the requests|the queue)
            in which order should waiting requests be served
            give me the idea behind cache-aware scheduling
            """,
            """
            What is cache-aware scheduling about?
            Which of the waiting requests is served first?
            """,
            "Longest cached prefix first.",
            "In a pure form it can starve requests.",
        ),
        fact(
            "When room runs out, the youngest other request is taken back: it waits and continues later from what is cached.",
            """
            (who|which request|what request) (has|must|needs) to (wait|step back|give way|stop|go back) (when|if) (memory|room|space) (is short|runs out|is scarce)
            (what|which things) (becomes of|happens to|comes of) (a retracted request|a request without room|a running request when memory runs out)
            (taking|putting) back a (running )request
            (what|how) (does the engine|does it|do you) do when (running requests|requests) (need more room|run out of memory|do not fit)
            (retracted|retraction|preempted|preemption)(:|,|) (what|how|huh|definition)
            {what} (a |)(retraction|retracted request|retracted|preemption|preempted request|retracting)
            what does (retracted|preempted|retraction|preemption) mean
            {why} (was|is) (my|a|the) request (retracted|preempted|put back|taken back)
            (which|what) request is (retracted|preempted|taken back)
            who has to step back when memory is short
            what becomes of a retracted request
            """,
            """
            Why does it say that my request was retracted?
            What is the meaning of retracted in the log?
            """,
            "A request waits for room.",
            "Its finished tokens stay in the tree until they are evicted.",
        ),
        fact(
            "Copy-on-write means that two samples share their slots until one of them writes; only then the shared block is copied.",
            """
            (the idea of|the principle of|the purpose of|the trick of) (copy-on-write|copy on write)
            (when|at which moment|at what point) (is|does|are) (a shared|the shared|shared) (block|blocks|a block) (copied|get copied|duplicated)
            (how|in what way) do (two |)(samples|branches|requests) share (a block|slots|blocks)( until one writes|)
            (shared until written|copied when written|copying only when someone writes)
            copy(-| )on(-| )write(:|,|) (what|how|huh|definition)
            {what} (copy on write|copy-on-write|cow)
            what does copy(-| )on(-| )write (mean|do)
            how does copy(-| )on(-| )write work
            (when|why) is a block copied
            at which moment does a shared block get its own copy
            give me the idea behind copy-on-write
            """,
            """
            Can you explain copy-on-write in short?
            When do two samples stop sharing a block?
            """,
            "Copied only when written.",
            "A radix tree of single tokens does not need it.",
        ),
        fact(
            "Throughput counts the tokens of all requests in a second; latency is how long one of them waits.",
            """
            (how|where|in what respect) do (throughput and latency|latency and throughput) differ
            (how many|the number of) tokens (a|per|each) second( in all| in total| together|)
            (which|what) (number|measure) (counts|tells|is) (all tokens in a second|how long one request waits|the speed of all requests)
            (throughput|latency)(:|,|) (what|how|huh|definition)
            (what matters more|what should i measure), (throughput or latency|latency or throughput)
            {what} (throughput|latency|throughput and latency|the throughput|the latency)
            what is the difference between (throughput and latency|latency and throughput)
            (throughput|latency) (versus|vs|or|compared to) (latency|throughput)
            what does (throughput|latency) mean
            in what do latency and throughput differ
            what do you call the number of tokens a second, all requests together
            """,
            """
            How is throughput different from latency?
            Can you explain latency and throughput?
            """,
            "All tokens against one wait.",
            "Batches raise throughput and may cost latency.",
        ),
        fact(
            "Self-consistency samples several answers to one question and takes the most frequent; all samples share the prompt in the cache.",
            """
            (the idea of|the principle of|the purpose of|the point of|the use of) (self-consistency|several samples|many samples|majority voting)
            {why} (ask|asking|should i ask|would one ask) (for |)(several|many|more) (samples|answers|replies)( of one question|)
            (taking|choosing|counting) the most (frequent|common) answer
            (how|what) do (several|many) (samples|answers) (help|share the prompt|share the cache|bring)
            self(-| )consistency(:|,|) (what|how|huh|definition)
            {what} (self consistency|self-consistency|majority voting|sampling several answers)
            how does self(-| )consistency work
            what does self(-| )consistency mean
            {why} (sample|take|draw) (several|many|more) answers( to one question|)
            what's the use of asking for many samples
            give me the idea behind self-consistency
            """,
            """
            What is self-consistency about?
            Why would I sample several answers to the same question?
            """,
            "Several samples, the most frequent wins.",
            "Step nine of the figure shows it.",
        ),
    ),
)
