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
            {what} (a |the |)(radix tree|radix trees|compact prefix tree|compressed trie|patricia trie)
            how (does a|do) radix tree(s|) (work|look|look like)
            radix tree( meaning| definition| explained|)
            (what does|what's the meaning of) radix tree( mean|)
            i (never heard of|am curious about) (a |)radix tree(s|)
            """,
            """
            what sort of thing is a radix tree?
            give me the idea behind radix trees
            radix trees: what are they?
            """,
            "A tree that stores shared prefixes once.",
            "Each node owns the run of tokens on the edge above it.",
        ),
        fact(
            "A trie is a tree with one symbol on each edge; a path from the root spells a sequence.",
            """
            {what} (a |the |)(trie|tries|prefix tree|prefix trees)
            how (does a|do) trie(s|) (work|look|look like)
            trie( meaning| definition| explained|)
            what does (the word |)trie mean
            i (never heard of|am curious about) (a |)trie(s|)
            """,
            """
            what sort of thing is a trie?
            give me the idea behind tries
            """,
            "A tree with one symbol on each edge.",
            "A radix tree is a trie whose chains are squeezed into single edges.",
        ),
        fact(
            "A trie has one symbol on each edge; a radix tree squeezes a chain without branches into one edge with many tokens.",
            """
            (what is|what's|explain|tell me) the difference between a (radix tree and a trie|trie and a radix tree)
            (how|in what way) (does|is) a (radix tree|trie) (differ|different) from a (trie|radix tree)
            (is a|are) (radix tree|trie)(s|) the same (thing |)as a (trie|radix tree)
            (radix tree|radix trees) (versus|vs|or|compared to) (a |)(trie|tries)
            (trie|tries) (versus|vs|or|compared to) (a |)(radix tree|radix trees)
            compare (tries and radix trees|a trie with a radix tree|radix trees and tries|a radix tree with a trie)
            why (use|take) a radix tree (instead of|and not|rather than) a trie
            """,
            """
            in what do tries and radix trees differ?
            how do I tell a radix tree from a trie?
            """,
            "A radix tree has runs of tokens on its edges.",
            "So it has far fewer nodes.",
        ),
        fact(
            "A node owns the run of tokens on the edge above it and the cache slots of those tokens.",
            """
            {what} (a |the |)(node|nodes)( in the tree| of the tree| in a radix tree|)
            what does (a|each|one) (tree |)node (hold|own|store|contain|mean|stand for)
            what is (in|inside|stored in) a node( of the tree|)
            what do the (boxes|nodes) (in the tree |)(mean|stand for|show)
            """,
            """
            what is it that a node keeps?
            which things belong to a node?
            """,
            "A run of tokens and their slots.",
            "The root owns nothing.",
        ),
        fact(
            "The root is the empty prefix: every request starts its search there.",
            """
            {what} (the |a |)root( node| of the tree| of a radix tree|)
            what does the root (hold|mean|store|contain|stand for|do)
            (why is|is) the root (node |)empty
            where does (the|a) search (start|begin)( in the tree|)
            """,
            """
            what's special about the root?
            at which node does a lookup begin?
            """,
            "The empty prefix.",
            "It is never evicted.",
        ),
        fact(
            "A leaf is a node without children: the end of the longest cached sequence on its path, and the first thing that eviction may take.",
            """
            {what} (a |the |)leaf( node|)( in the tree| of the tree|)
            what are (the |)(leaves|leafs|leaf nodes)( in the tree| of the tree|)
            what does (a leaf|the leaf) (mean|hold|stand for|do)
            (which nodes are|when is a node a) (leaves|leaf)
            """,
            """
            what do you call a node that has no children?
            how would I recognise a leaf?
            """,
            "A node without children.",
            "Inner nodes go only after their children.",
        ),
        fact(
            "A split cuts a node in two where a new request leaves its run of tokens, so that both continue from the shared head.",
            """
            {what} (a |the |)(split|node split|splitting|splitting a node)( in the tree|)
            {why} (is|was) (a|the|this) node (split|cut)( in two|)
            {why} (does|do|did) (the tree|a node|nodes|the node) split
            (when|how) (does|do|is|are) (a node|nodes) (split|get split|cut in two)
            what does split( node| node 14| a node|) mean
            what happens (when|if) (a node is split|a node splits|two prompts share only a part)
            """,
            """
            for what reason would a node be divided?
            what's going on when a node splits?
            """,
            "It cuts a node where prompts part.",
            "No keys or values are moved; only the bookkeeping changes.",
        ),
        fact(
            "To match is to walk from the root along equal tokens; the length of that walk is the part of the prompt that can be reused.",
            """
            {what} (a |the |)(match|prefix match|matching|prefix matching|matched tokens)
            (how|when) (does|is) (the cache|the tree|a prompt|a prefix|a request) (find|found|match|matched|looked up)( a prefix| in the tree| the prefix|)
            what does (match|matched|matched tokens) mean
            how (does|do) (you|it|the program) (find|look up) (the longest|a|the) (cached |shared |)prefix
            how is the longest (prefix|cached prefix|common prefix) found
            """,
            """
            in what way is a prompt compared with the tree?
            what happens during matching?
            """,
            "It finds the longest cached prefix.",
            "It takes time in the length of the prompt, not in the size of the tree.",
        ),
        fact(
            "To insert is to walk down the equal tokens and hang what is new below them as a leaf.",
            """
            {what} (insertion|inserting|an insert|the insert)( in the tree| into the tree| in a radix tree|)
            how (is|are|does|do) (a|new|one|the|my) (sequence|prompt|tokens|token|request|reply|turn) (inserted|added|stored|get into the tree)( in the tree| to the tree| into the tree|)
            how (does|do) (a |)(new |)(tokens|node|nodes) (get|come) into the tree
            what happens (on|when i|when you|when we) (insert|insertion|add a new prompt|add tokens)( to the tree|)
            """,
            """
            by which steps does a new prompt enter the tree?
            how would one add a sequence?
            """,
            "It hangs new tokens below the equal ones.",
            "Tokens that are already in the tree keep their slots.",
        ),
        fact(
            "A chat grows at its end, so the tree keeps adding below the same path: each turn is one more node.",
            """
            how does (the tree|a tree|it) grow( during a chat| in a chat| while i chat| when i chat|)
            (what happens to|how does) the tree (change |)(with|after|in) (each|every|a new|the next) turn
            (why does|does) (each|every) turn (make|add|create) (a|one|a new) node
            what does a (turn|chat|conversation) look like in the tree
            """,
            """
            in which way does a conversation extend the tree?
            what will the tree do at each turn?
            """,
            "Each turn is one more node.",
            "A second conversation branches off where it differs.",
        ),
        fact(
            "Because sharing needs equal beginnings, and a tree is exactly that: equal beginnings are one path, and branches part where the texts differ.",
            """
            {why} (use|do we use|does it use|does the cache use|do you use|is the cache|is the kv cache) a (radix |)tree( for the cache| here| at all|)
            {why} (is|are) (a |)(tree|trees) (good|better|used|the right thing) for (prefixes|a cache|sharing prefixes|the cache)
            what is (a|the) (tree|radix tree) (good|used) for
            what are the (advantages|benefits|uses) of a (radix |)tree
            """,
            """
            what makes a tree the right structure for prefixes?
            is there a good reason to take a tree for the cache?
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
            {what} (a |the |)(kv cache|kv caches|kv caching|key value cache|key-value cache|kv-cache|kvcache)
            (how does a|how do|what does the|why use a|what is the purpose of the|what is the use of a) (kv cache|kv caches|key-value cache)( work| do| for|)
            kv cache( meaning| definition| explained|)
            what does (kv|kv cache) (mean|stand for)
            i (never heard of|am curious about) (a |the |)kv cache
            """,
            """
            what sort of thing is a KV cache?
            give me the idea behind the key-value cache
            KV caches: what are they for?
            """,
            "It keeps keys and values for later.",
            "It grows by one slot a token, in every layer.",
        ),
        fact(
            "Prefix caching keeps the KV cache of earlier prompts, so that a new prompt with the same beginning computes only its end.",
            """
            {what} (prefix caching|prefix cache|a prefix cache|the prefix cache|automatic prefix caching|prompt caching|a prompt cache|prefix reuse)
            how does (prefix caching|a prefix cache|prompt caching|the prefix cache) work
            (prefix caching|prompt caching)( meaning| definition| explained|)
            what does (prefix caching|a prefix cache|prompt caching) (do|mean)
            i (never heard of|am curious about) (prefix|prompt) caching
            """,
            """
            what sort of thing is prefix caching?
            give me the idea behind prefix caching
            """,
            "It reuses the cache of equal beginnings.",
            "The longer the shared beginning, the more time it saves.",
        ),
        fact(
            "Because the history is already in the cache: only the new message has to be computed.",
            """
            {why} (is|are) (the |my |)(second|next|third|later|following|other) (turn|turns|message|messages|answer|answers|reply|replies) (so much |so |)(faster|fast|quicker|quick)( than the first|)
            {why} (does|do) (the |a |)(second|next|later) (turn|turns|answer|message) (start|come|begin|appear) (faster|sooner|earlier|quickly)
            {why} (is|was) (the |my |)(first) (turn|message|answer|reply) (slow|slower|the slowest)( than the second| than the others|)
            {why} (is|was) (that|this|it) (turn |answer |reply |)(so |)(fast|quick)( this time|)
            {why} (does|do) (the cache|prefix caching|caching|a kv cache) (help|make it faster|save time|speed things up)( in a chat|)
            """,
            """
            what makes the second turn start so quickly?
            how is it that later answers arrive sooner?
            """,
            "The history is already in the cache.",
            "The signature line shows how many tokens were reused.",
        ),
        fact(
            "Because keys and values depend on all the tokens before them: change one token and everything after it must be computed again.",
            """
            {why} (must|does) the (beginning|prefix|start) (be|have to be|need to be) (equal|the same|identical|exactly the same)
            {why} (only|just) (prefixes|the beginning|equal beginnings|the prefix) (can be |are |is |)(shared|reused|cached)
            {why} (can't|cannot|can not|can) (you|we|one|it) (not |)(reuse|share|cache) (the middle|the end|a suffix|any part|parts in the middle)( of a prompt|)
            what happens (when|if) (i change|one changes|you edit|i edit) (one|a|the first) (token|word|message)( in the middle| at the start| of the prompt|)
            {why} (is|was) (nothing|so little) reused( after my edit| this time|)
            """,
            """
            for what reason is sharing limited to beginnings?
            what does one changed word do to the cache?
            """,
            "Keys and values depend on everything before.",
            "So put what never changes first in a prompt.",
        ),
        fact(
            "Reused tokens were found in the cache; prefilled tokens had to be computed; together they are the prompt.",
            """
            {what} (reused|prefilled|reused tokens|prefilled tokens|reused and prefilled|reused and prefilled tokens)
            (what does|what do) (reused|prefilled|reused 812 of 840|reused and prefilled|reused tokens|prefilled tokens) mean
            what is the difference between reused and prefilled
            what does the (line|signature|signature line|line after (every|each|a) (turn|reply)|line below the reply) (mean|say|show)
            (explain|how do i read) the (line|numbers) (after|below|under) (the|each|every|my) (reply|turn|answer)
            """,
            """
            which tokens count as prefilled and which as reused?
            what is that line under the reply telling me?
            """,
            "Reused was found, prefilled was computed.",
            "Reused plus prefilled is always the whole prompt.",
        ),
        fact(
            "The hit ratio is the share of prompt tokens that were reused from the cache.",
            """
            {what} (a |the |)(hit ratio|hit rate|cache hit ratio|cache hit rate|hit ratios)
            how is the (hit ratio|hit rate|cache hit rate) (computed|calculated|measured|defined)
            what does (the |a |)(hit ratio|hit rate|97 percent) (mean|say|tell me|show)
            what is a (good|high|low) (hit ratio|hit rate)
            """,
            """
            how would you work out the hit ratio?
            what's hidden behind the words hit rate?
            """,
            "Reused tokens divided by prompt tokens.",
            "In a long chat it comes close to one hundred percent.",
        ),
        fact(
            "A cache hit means that a part of the prompt is already in the cache; a miss means that it has to be computed.",
            """
            {what} (a |the |)(cache hit|cache miss|hit|miss|hit and a miss|cache hits|cache misses|hits and misses)
            when (is|do i get|do we have|does one get) a (cache |)(hit|miss)
            what does (a |)(cache |)(hit|miss) mean
            what is the difference between a hit and a miss
            """,
            """
            when do people speak of a cache hit?
            what counts as a miss?
            """,
            "Hit: found. Miss: to be computed.",
            "A hit can be partial: it ends at the first different token.",
        ),
        fact(
            "A token is a piece of text, often a word or a part of one, that the model reads and writes as one number.",
            """
            {what} (a |the |)(token|tokens|token id|token ids)
            what does (token|a token|tokens) mean
            how (long|big) is a token
            (is a token|are tokens) (a word|words|letters|a letter|the same as words)
            """,
            """
            what do we call a token here?
            what sort of thing are tokens?
            """,
            "A piece of text with a number.",
            "My own vocabulary has a few thousand of them.",
        ),
        fact(
            "A tokenizer cuts text into tokens and turns tokens back into text.",
            """
            {what} (a |the |your |)(tokenizer|tokeniser|tokenization|tokenisation|byte pair encoding|bpe)
            what does (a|the|your) (tokenizer|tokeniser) do
            how (is|are) (text|words|my words|my message) (tokenized|tokenised|cut into tokens|turned into tokens|split into tokens)
            how does (a|the|your) (tokenizer|tokeniser) work
            """,
            """
            which part turns text into tokens?
            by what are words made into tokens?
            """,
            "It turns text into tokens and back.",
            "Mine is a byte-fallback BPE, so every text comes back exactly.",
        ),
        fact(
            "Keys and values are two vectors that each layer makes for each token; later tokens compare with the keys and gather the values.",
            """
            {what} (keys and values|the keys and values|keys|values|a key and a value|key and value vectors|k and v)
            what are (the |)(keys|values|keys and values)( in attention| for| in the cache|)
            what (is|are) (stored|kept|saved|held) in (the|a) (kv |)cache
            what does the (kv |)cache (hold|store|contain|keep)
            """,
            """
            what's inside the cache, precisely?
            for what does attention use keys and values?
            """,
            "Two vectors per token and layer.",
            "They never change once the tokens before them are fixed.",
        ),
        fact(
            "Attention lets each token look at the tokens before it and gather from them what it needs.",
            """
            {what} (attention|self attention|self-attention|causal attention|the attention mechanism|an attention layer)
            how does (attention|self-attention|the attention mechanism) work
            what does (attention|self-attention|an attention layer) do
            why do (models|language models|transformers) (use|need) attention
            """,
            """
            what sort of thing is attention?
            in a transformer, what is attention good for?
            """,
            "Tokens look back at earlier tokens.",
            "It is the only place where tokens meet.",
        ),
        fact(
            "A language model predicts the next token of a text; a chat is that, again and again.",
            """
            {what} (a |the |)(language model|language models|llm|llms|large language model|large language models|transformer|transformer model)
            how (does a|do|does an) (language model|language models|llm|llms|transformer) work
            what does (a|an) (language model|llm|transformer) do
            """,
            """
            what sort of thing is a language model?
            in what way do LLMs write text?
            """,
            "It predicts the next token.",
            "It reads tokens as numbers and writes a number back.",
        ),
        fact(
            "The system prompt is the first line of a conversation; every conversation that starts with it shares its cache.",
            """
            {what} (a |the |)(system prompt|system prompts|system message|system messages|system line)
            what does (a|the) system (prompt|message) do
            why (is|are) (the |)system (prompt|prompts|message) (shared|cached|reused|in the tree only once|stored once)
            (is|are) the system (prompt|message) (cached|shared|reused|stored)( too| as well|)
            """,
            """
            what role does the system message play?
            do two conversations share their system prompt?
            """,
            "The first line of a conversation.",
            "In the tree it becomes a node of its own when a second conversation starts.",
        ),
        fact(
            "Few-shot prompting puts solved examples before the question; many questions then share the examples in the cache.",
            """
            {what} (few-shot prompting|few shot prompting|a few-shot prompt|few-shot learning|few-shot|few shot examples|few-shot examples|in-context learning)
            how does (few-shot|few shot) (prompting|learning) work
            why (do|does|are) (few-shot|few shot) (prompts|examples|prompting) (fit|suit|good for|profit from) (the cache|a radix tree|prefix caching)
            what does few-shot mean
            """,
            """
            why do people put solved examples in a prompt?
            in which way do few-shot examples share the cache?
            """,
            "Solved examples before the question.",
            "The examples are computed once.",
        ),
        fact(
            "Not in this cache: a text in the middle has other tokens before it, so its keys and values differ.",
            """
            can (i|we|you|one|it|the cache) (share|reuse|cache) (the middle|a middle part|a suffix|the end|any part) of (a|the|two) (prompt|prompts|text)
            (is|are) (a |the |)(suffix|suffixes|middle|end|middle parts) (shared|reused|cached)( too| as well|)
            does (prefix caching|the cache|sharing) work in the middle( of a prompt|)
            """,
            """
            could a common ending be shared as well?
            what about equal text in the middle of two prompts?
            """,
            "No, only beginnings are shared.",
            "That is why it is called prefix caching.",
        ),
        fact(
            "No: the keys and values are the same as without the cache, so the greedy text is the same up to rounding.",
            """
            (does|can|will|could) (the cache|caching|prefix caching|a kv cache|reuse) (change|affect|alter|spoil|influence) (the |my |)(reply|replies|answer|answers|output|text|result|results)
            (is|are) (the |)(reply|text|answer|output|result) (the same|equal|identical|different) (with|without|with and without) (the |a |)(cache|caching)
            does (the cache|caching|prefix caching) (cost|lose) (quality|accuracy)
            is (prefix caching|the cache|caching) (exact|lossless|correct|an approximation)
            """,
            """
            would I get other words without the cache?
            is any quality lost through caching?
            """,
            "No, the text stays the same.",
            "Type /prove to see it.",
        ),
        fact(
            "The last token is computed again, because its logits are needed to start the reply: matched 11, reused 10, prefilled 1.",
            """
            what happens (when|if) the (whole|entire|full|complete) prompt is (cached|matched|in the cache|already cached|in the tree)
            {why} (is|was) (one|a|at least one|the last) token (still |always |)(prefilled|computed|computed again)
            {why} (is|are) (not all|not every) (tokens|token) reused
            can a prompt be reused (completely|entirely|as a whole)
            """,
            """
            all of my prompt is in the cache, and still one token is prefilled, why?
            what if every token of the prompt is known already?
            """,
            "One token is computed again.",
            "Its keys and values go to a scratch slot.",
        ),
        fact(
            "It has no keys and values yet: a token gets them only when the model reads it, in the next step.",
            """
            {why} (is|was) the last (sampled |generated |)token (of the reply |of a reply |)(not cached|not cached yet|missing|not in the tree|not in the cache)
            what does not cached yet mean
            is the last (sampled |generated |)token (of the reply |of a reply |)(cached|in the cache|in the tree)
            what is the (dim|pale) token (after|behind|below) the leaf
            """,
            """
            what's the matter with the final token of a reply?
            how come the last token has no slot?
            """,
            "It has not been read yet.",
            "That is why it is drawn dim.",
        ),
        fact(
            "A namespace is a separate hidden root: prompts of different namespaces never share anything.",
            """
            {what} (a |the |)(namespace|namespaces|cache salt|cache namespace)
            {what} a (namespace|salt) (for|good for)
            what does (namespace|a namespace|the namespace option) (do|mean)
            {how} (keep|separate|isolate) (prompts|users|caches|two caches)( apart| from each other|)
            """,
            """
            what stops two users from sharing their cache?
            give me the idea behind namespaces
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
            {what} (a |the |)(prefill|prefilling|prefill phase|prefill step)
            what (does|happens in|happens during) (the |)prefill( do| phase|)
            what does (prefill|prefilling) mean
            how does (the |)(prefill|prefilling) work
            """,
            """
            what's done in the prefill phase?
            give me the idea behind prefill
            """,
            "Reading the new part of the prompt.",
            "It is limited by arithmetic, not by memory.",
        ),
        fact(
            "Decode writes the reply one token at a time; each step reads the whole cache once and adds one slot.",
            """
            {what} (the |a |)(decode|decoding|decode phase|decode step|token generation)
            what (does|happens in|happens during) (the |)(decode|decoding)( do| phase|)
            what does (decode|decoding) mean
            how does (the |)(decode|decoding|generation) work
            how (is|are) (the|a) (reply|answer|text) (written|generated|produced|made)
            """,
            """
            what's done in the decode phase?
            give me the idea behind decoding
            """,
            "Writing the reply token by token.",
            "It is limited by memory traffic, not by arithmetic.",
        ),
        fact(
            "Prefill reads the prompt, many tokens at once; decode writes the reply, one token at a time.",
            """
            (what is|what's|explain|tell me) the difference between (prefill and decode|decode and prefill|prefilling and decoding|prefill and decoding)
            (how|in what way) (does|is) (prefill|decode|decoding) (differ|different) from (decode|prefill|decoding)
            (prefill|prefilling) (versus|vs|or|compared to) (decode|decoding)
            (decode|decoding) (versus|vs|or|compared to) (prefill|prefilling)
            compare (prefill and decode|prefill with decode|decode and prefill)
            {what} (prefill and decode|prefill and decoding|the two phases)
            is (prefill|decode) the same as (decode|prefill)
            """,
            """
            in what do prefill and decode differ?
            how do I tell prefill from decode?
            """,
            "Prefill reads, decode writes.",
            "A prefix cache makes prefill shorter; decode stays the same.",
        ),
        fact(
            "TTFT is the time to first token: how long you wait before the reply starts. A prefix cache makes it shorter.",
            """
            {what} (the |a |)(ttft|time to first token|time to the first token|ttfts)
            what does ttft (mean|stand for|say|measure)
            what is the meaning of ttft
            how (is|can i measure) (the |)(ttft|time to first token)( measured| defined|)
            why (is|does) (the |)(ttft|time to first token) (matter|important|shorter|short|go down)
            (how long|why) do i wait (for|before) (the first token|the reply starts|the reply)
            """,
            """
            which number tells me how long I wait for the first token?
            what do the letters TTFT abbreviate?
            """,
            "Time to first token.",
            "Prefill dominates it.",
        ),
        fact(
            "Chunked prefill cuts a long prompt into pieces, so that other requests and a stop key get their turn in between.",
            """
            {what} (chunked prefill|chunked prefilling|a prefill chunk|prefill in chunks|chunking)
            why (is|are) (the |a |)(long |)(prompt|prompts|prefill) (cut|split|chunked|divided) (into|in) (chunks|pieces)
            how does chunked prefill work
            what does chunked( prefill|) mean
            """,
            """
            what's the point of prefilling in chunks?
            for what reason would a long prompt be read in pieces?
            """,
            "Prefill in pieces.",
            "The result is the same as in one piece.",
        ),
        fact(
            "Temperature sets how bold the sampling is: 0 always takes the best token, higher values try others.",
            """
            {what} (the |a |)(temperature|sampling temperature|temperature setting)
            what does (the |)temperature (do|mean|change|control)
            (what|which) temperature (should i use|is good|is best)
            what happens (at|with) (a |)(temperature zero|temperature 0|high temperature|low temperature)
            """,
            """
            which setting makes replies more daring?
            what's the effect of the temperature?
            """,
            "How bold the sampling is.",
            "At 0 the same prompt gives the same reply.",
        ),
        fact(
            "Sampling draws the next token from the model's probabilities; greedy decoding always takes the most probable one.",
            """
            {what} (sampling|greedy decoding|greedy|greedy sampling|token sampling|a greedy reply)
            (what is|what's) the difference between (sampling and greedy|greedy and sampling|greedy decoding and sampling)( decoding|)
            how is the next token (chosen|picked|selected|drawn)
            what does (greedy|sampling) mean
            """,
            """
            in what manner is a token picked?
            what do people call it when the best token always wins?
            """,
            "Drawing the next token.",
            "Temperature 0 means greedy.",
        ),
        fact(
            "A batch is several requests that the model runs at once, so that reading the weights is paid only once.",
            """
            {what} (a |the |)(batch|batches|batching|continuous batching|batch of requests)
            why (do|does) (batching|a batch|batches) help
            how does (batching|continuous batching) work
            what does (batch|batching) mean
            """,
            """
            what's the benefit of running requests together?
            give me the idea behind batching
            """,
            "Several requests at once.",
            "Requests of a batch can share a prefix, too.",
        ),
        fact(
            "Logits are the scores that the model gives to every token of its vocabulary; sampling turns them into the next token.",
            """
            {what} (the |)(logits|logit|a logit)
            what does (logits|logit) mean
            what (are|is) the (logits|scores) (of a model |)(for|used for|good for)
            what does the model (output|compute|return)( at the end| for each token|)
            """,
            """
            how do you call the scores of all tokens?
            what sort of thing are logits?
            """,
            "Scores for every token.",
            "Only the last position of a prompt needs them.",
        ),
        fact(
            "Prefill is limited by arithmetic, because it handles many tokens at once; decode is limited by memory traffic, because each step reads all weights.",
            """
            {why} (is|are) (decode|decoding|prefill|the decode phase) (slow|slower|fast|faster|memory bound|memory-bound|compute bound|compute-bound|limited by memory|limited by arithmetic)
            what (limits|bounds|slows down) (prefill|decode|decoding|the decode phase|prefill and decode)
            {what} the bottleneck of (prefill|decode|decoding|the model)
            """,
            """
            which resource holds decode back?
            is prefill bound by memory or by arithmetic?
            """,
            "Prefill by arithmetic, decode by memory.",
            "A batch makes better use of each read.",
        ),
        fact(
            "The context is all the text that the model sees at once; its length is limited, and mine is short.",
            """
            {what} (the |a |)(context|context length|context window|context limit|maximum context)
            how (long|large|big) is (the|your|my) (context|context window)
            how (much|many tokens) can you (read|see|take in)( at once|)
            what happens (when|if) (the context|a conversation|the chat|my chat) (is|gets|becomes|grows) (too long|full)
            """,
            """
            how much text can be seen by you at the same time?
            what is meant by the window of a model?
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
            {what} (an |the |)(eviction|evicting|cache eviction|evicted node|evicted nodes|evicted)
            what does (evicted|eviction|evict|evicted 2 nodes) mean
            {why} (was|were|is|are) (a|the|my|some|these|this) (node|nodes|tokens|turn) (evicted|removed|gone|thrown out)
            {why} (does|do) (the cache|the tree|it|you|we) (evict|throw away|remove|forget) (nodes|something|tokens|things)
            when (does|do|is|are) (eviction|evictions|nodes|a node) (happen|evicted|take place|removed)
            """,
            """
            for what reason do nodes disappear from the tree?
            give me the idea behind eviction
            """,
            "It frees slots that nobody uses.",
            "What was evicted must be computed again when it is needed.",
        ),
        fact(
            "LRU evicts the leaf that was least recently used.",
            """
            {what} (the |a |)(lru|lru policy|lru eviction|least recently used|least recently used policy)
            what does lru (mean|stand for|do|evict)
            how does (lru|the lru policy|least recently used) work
            (which|what) (node|leaf) does lru (evict|remove|take|choose)
            """,
            """
            what do the letters LRU abbreviate?
            which leaf goes first under LRU?
            """,
            "The least recently used leaf goes first.",
            "It is the usual policy, because recent prefixes tend to come back.",
        ),
        fact(
            "LFU evicts the leaf that was used least often.",
            """
            {what} (the |a |)(lfu|lfu policy|lfu eviction|least frequently used|least frequently used policy)
            what does lfu (mean|stand for|do|evict)
            how does (lfu|the lfu policy|least frequently used) work
            (which|what) (node|leaf) does lfu (evict|remove|take|choose)
            """,
            """
            what do the letters LFU abbreviate?
            which leaf goes first under LFU?
            """,
            "The least often used leaf goes first.",
            "Old favourites can stay too long.",
        ),
        fact(
            "FIFO evicts the leaf that is oldest by creation, however often it was used.",
            """
            {what} (the |a |)(fifo|fifo policy|fifo eviction|first in first out|first-in first-out)
            what does fifo (mean|stand for|do|evict)
            how does (fifo|the fifo policy|first in first out) work
            (which|what) (node|leaf) does fifo (evict|remove|take|choose)
            """,
            """
            what do the letters FIFO abbreviate?
            which leaf goes first under FIFO?
            """,
            "The oldest leaf goes first.",
            "It ignores every use after the first.",
        ),
        fact(
            "An eviction policy decides which unused leaf goes first: lru, lfu, fifo, mru, filo, slru or priority.",
            """
            {what} (an |the |)(eviction policy|eviction policies|cache policy|replacement policy|policy|policies)
            (which|what|how many) (eviction |)policies (are there|do you have|exist|can i choose|are supported|do you know)
            how (is|does) (the victim|the next victim|it|the cache|the tree) (chosen|choose|decide)( what to evict| who goes| what goes first|)
            who decides what (is|gets) evicted
            """,
            """
            by which rule is the victim picked?
            what choices of policy do I have?
            """,
            "It decides which leaf goes first.",
            "The default is lru.",
        ),
        fact(
            "A lock protects a node and its path from eviction while a request uses them.",
            """
            {what} (a |the |)(lock|locks|locked node|lock count|locked|locking)
            what does (lock|locked|a lock|the lock) (mean|do)
            {why} (is|are) (a|the|this|some) (node|nodes|path) locked
            (when|how long) (is|are|does) (a|the) (node|nodes|lock|path) (locked|stay|last)
            how (do|does) (locks|locking|a lock) work
            """,
            """
            what keeps a node safe while it is in use?
            for what reason would nodes be locked?
            """,
            "It protects a path in use.",
            "The number beside the lock counts the requests that hold it.",
        ),
        fact(
            "A slot is the place of one token in the KV pool, across all layers.",
            """
            {what} (a |the |)(slot|slots|kv slot|cache slot|memory slot)
            what does (slot|a slot) mean
            what (is in|does) (a|one) slot( hold| store|)
            """,
            """
            where in the pool does one token live?
            what's the name for a token's place in the pool?
            """,
            "The place of one token.",
            "A slot is free, in flight, protected or evictable.",
        ),
        fact(
            "The capacity is the size of the KV pool, in tokens or in bytes.",
            """
            {what} (the |a |)(capacity|cache capacity|pool capacity|cache size|size of the cache|capacity of the cache)
            how (big|large) is the (cache|pool|kv pool)
            how many tokens (fit|can be stored|does the cache hold)( in the cache| in the pool|)
            what does capacity mean
            """,
            """
            which word describes the size of the pool?
            what's the limit on cached tokens?
            """,
            "The size of the pool.",
            "Free, in flight, protected and evictable add up to it.",
        ),
        fact(
            "When the cache is full, unlocked leaves are evicted; if everything is locked, a request has to wait or stop.",
            """
            what happens (when|if|once|as soon as) (the |)(cache|pool|memory|capacity) (is full|is used up|runs out|fills up|is exhausted|is reached)
            what (if|when) there is no (more |)(room|space|memory)( left|)( in the cache| in the pool|)
            what (does|will) (the program|it|the cache) do (when|if) (the cache|memory|the pool) is full
            (can|could) the (cache|pool) (become|get|be) full
            """,
            """
            suppose the pool has no room, what then?
            a full cache: what comes next?
            """,
            "Unlocked leaves are evicted.",
            "A locked path is never touched.",
        ),
        fact(
            "Protected slots lie on a locked path and stay; evictable slots lie on unlocked nodes and may go.",
            """
            {what} (protected|evictable|protected and evictable|evictable slots|protected slots|evictable tokens|protected tokens|evictable memory|protected memory)
            what (does|do) (protected|evictable|protected slots|evictable slots) mean
            what is the difference between (protected and evictable|evictable and protected)( slots| tokens| memory|)
            (when|which|what) (is|are) (slots|tokens|memory|a slot|a token|nodes) (protected|evictable)
            """,
            """
            how do evictable and protected memory differ?
            which slots may not be taken away?
            """,
            "Protected stays, evictable may go.",
            "Together they are the resident memory.",
        ),
        fact(
            "Free, in flight, protected and evictable: the four always add up to the capacity.",
            """
            (which|what) states (can|does|do) (a slot|slots|memory|the pool|the slots) have
            {what} (the |)(memory states|states of memory|states of the pool|states of a slot|memory identity)
            (what|which) (four |)(numbers|states) (add|sum) up to the capacity
            how is the (pool|memory|kv pool) (divided|split up|accounted for|used)
            """,
            """
            into what parts is the pool divided?
            what adds up to the capacity?
            """,
            "Free, in flight, protected, evictable.",
            "The program checks this sum.",
        ),
        fact(
            "In flight are the slots of a running request whose tokens are not yet in the tree.",
            """
            {what} (in flight|in-flight|in-flight slots|slots in flight|in-flight tokens|tokens in flight|in-flight memory)
            what does in(-| )flight mean
            (when|which slots) (is a slot|are slots|are) in(-| )flight
            """,
            """
            how do you call slots of a request that still runs?
            what sort of slots are in flight?
            """,
            "Slots of a running request.",
            "They belong to its lease.",
        ),
        fact(
            "A tombstone is the dashed trace of an evicted node; it is drawn in the step of the eviction and then gone.",
            """
            {what} (a |the |)(tombstone|tombstones|dashed node|dashed red node|red node|cross in the tree)
            what does (a |the |)(tombstone|dashed node|dashed line) (mean|show)
            how long (is|does) a tombstone (shown|drawn|stay)
            """,
            """
            what's that dashed trace in the picture?
            how are evicted nodes drawn?
            """,
            "The trace of an evicted node.",
            "It lives for one step only.",
        ),
        fact(
            "The next victim is the leaf that would go if space were needed now.",
            """
            {what} (the |a |)(next victim|victim|next victims|victims)( mark| in the tree|)
            what does (next victim|victim|the victim mark) mean
            (which|what) (node|leaf) (goes|will go|is evicted|would be evicted) (next|first)
            """,
            """
            who would be thrown out next?
            what leaf is first in line to leave?
            """,
            "The leaf that would go now.",
            "The next request may still protect it.",
        ),
        fact(
            "SLRU keeps leaves that were used at least twice in a protected part and evicts the others first.",
            """
            {what} (the |a |)(slru|slru policy|segmented lru|slru eviction)
            what does slru (mean|stand for|do|evict)
            how does (slru|the slru policy|segmented lru) work
            (which|what) (node|leaf) does slru (evict|remove|take|choose)
            """,
            """
            what do the letters SLRU abbreviate?
            which leaf goes first under SLRU?
            """,
            "Leaves used once go first.",
            "It resists a flood of prompts that are used only once.",
        ),
        fact(
            "MRU evicts the leaf that was used most recently.",
            """
            {what} (the |a |)(mru|mru policy|mru eviction|most recently used|most recently used policy)
            what does mru (mean|stand for|do|evict)
            how does (mru|the mru policy|most recently used) work
            (which|what) (node|leaf) does mru (evict|remove|take|choose)
            """,
            """
            what do the letters MRU abbreviate?
            which leaf goes first under MRU?
            """,
            "The newest use goes first.",
            "It helps when long prompts come round in a circle.",
        ),
        fact(
            "Keys and values for every token in every layer: two vectors for each key-value head, so long contexts cost much memory.",
            """
            how much memory does (the |a |)(kv cache|cache|token|one token|a cached token) (need|take|use|cost|occupy)
            how (big|large|expensive) is (the |a |one |)(kv cache|cached token|slot)
            {why} (is|does) the (kv |)cache (so |)(big|large|need so much memory|use much memory)
            how many bytes (is|are|does) (a|one) (token|slot)( need| take|)
            """,
            """
            what does it cost in memory to keep a token?
            how many bytes go into the cache for each token?
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
            {what} (radixattention|radix attention)
            how does (radixattention|radix attention) work
            what does (radixattention|radix attention) (do|mean)
            (radixattention|radix attention)( meaning| definition| explained|)
            who (invented|made|uses) (radixattention|radix attention)
            i (never heard of|am curious about) (radixattention|radix attention)
            """,
            """
            what sort of thing is RadixAttention?
            give me the idea behind RadixAttention
            """,
            "KV cache in a radix tree.",
            "It comes from the SGLang paper.",
        ),
        fact(
            "SGLang is a serving engine and a language for programs that call models; RadixAttention comes from it.",
            """
            {what} (sglang|the sglang paper|the sglang project)
            what does sglang (do|mean)
            how does sglang (work|cache|cache prefixes|share prefixes)
            (sglang)( meaning| definition| explained|)
            i (never heard of|am curious about) sglang
            """,
            """
            what sort of thing is SGLang?
            from which project is RadixAttention?
            """,
            "A serving engine with RadixAttention.",
            "Its paper has the figure of nine steps that this program can replay.",
        ),
        fact(
            "vLLM is a serving engine that keeps the KV cache in blocks and finds shared prefixes by hashing full blocks.",
            """
            {what} (vllm|the vllm project|the vllm engine)
            what does vllm (do|mean)
            how does vllm (work|cache|cache prefixes|share prefixes|find prefixes)
            (vllm)( meaning| definition| explained|)
            i (never heard of|am curious about) vllm
            """,
            """
            what sort of thing is vLLM?
            in what way does vLLM share prefixes?
            """,
            "A serving engine with hashed blocks.",
            "PagedAttention comes from it.",
        ),
        fact(
            "PagedAttention stores the KV cache in blocks that may lie anywhere in memory, like the pages of an operating system.",
            """
            {what} (pagedattention|paged attention|paging|a paged kv cache|kv paging)
            how does (pagedattention|paged attention|paging) work
            what does (pagedattention|paged attention) (do|mean)
            (pagedattention|paged attention)( meaning| definition| explained|)
            i (never heard of|am curious about) (pagedattention|paged attention)
            """,
            """
            what sort of thing is PagedAttention?
            give me the idea behind paging the KV cache
            """,
            "KV cache in scattered blocks.",
            "A table says which block comes next.",
        ),
        fact(
            "A hash-block cache names each full block by a hash of its tokens and of the block before it; equal hashes share the block.",
            """
            {what} (a |the |)(hash block cache|hash-block cache|hash block|hash blocks|block hash|block hashes|block hashing)
            how (does a|do) (hash block|hash-block|block hash|hash blocks) (cache |)(work|share prefixes)
            how are blocks (hashed|shared|named|found)
            what does (hash block|block hash) mean
            """,
            """
            by what are full blocks recognised?
            give me the idea behind hashing blocks
            """,
            "Blocks named by a chained hash.",
            "Only full blocks are shared.",
        ),
        fact(
            "A radix tree shares to the exact token; hash blocks share only full blocks but need no tree.",
            """
            (what is|what's|explain|tell me) the difference between (a radix tree and|the radix tree and) (hash blocks|a hash table|block hashing|hashed blocks)
            (what is|what's) the difference between (sglang and vllm|vllm and sglang|radixattention and pagedattention|radixattention and hash blocks)
            (radix tree|radix trees|sglang|radixattention) (versus|vs|or|compared to) (hash blocks|vllm|block hashing|pagedattention)
            (hash blocks|vllm|block hashing) (versus|vs|or|compared to) (a |)(radix tree|radix trees|sglang)
            compare (sglang and vllm|sglang with vllm|vllm and sglang|a radix tree with hash blocks|hash blocks and radix trees)
            which is better, (a radix tree or hash blocks|sglang or vllm|vllm or sglang)
            """,
            """
            in what do hash blocks and a radix tree differ?
            how does the cache of vLLM differ from the one of SGLang?
            """,
            "Exact tokens against full blocks.",
            "With blocks of one token both find the same prefix.",
        ),
        fact(
            "A page is a fixed number of tokens; with a page size above one only full pages are shared.",
            """
            {what} (a |the |)(page|pages|page size|block size|page size of the cache)
            what does (the |)(page size|block size) (do|mean|change)
            what happens with (a |)(larger|bigger|large|big) (pages|page size|blocks|block size)
            {why} (are|do) only full (pages|blocks) (shared|count)
            """,
            """
            what changes if pages hold sixteen tokens?
            why would a page size matter?
            """,
            "A fixed number of tokens.",
            "Small pages share more, large pages need less bookkeeping.",
        ),
        fact(
            "Cache-aware scheduling serves waiting requests with the longest cached prefix first, so that less is evicted and computed twice.",
            """
            {what} (cache-aware scheduling|cache aware scheduling|longest prefix match scheduling|longest-prefix-match|lpm|lpm scheduling|prefix-aware scheduling)
            how does (cache-aware|cache aware|prefix-aware|lpm|longest prefix) scheduling work
            (which|what) (request|requests) (is|are|should be) (served|run|scheduled) first
            {why} (does|should) (a|the) (scheduler|engine) (sort|reorder) (requests|the requests|the queue)
            """,
            """
            in which order should waiting requests be served?
            give me the idea behind cache-aware scheduling
            """,
            "Longest cached prefix first.",
            "In a pure form it can starve requests.",
        ),
        fact(
            "When room runs out, the youngest other request is taken back: it waits and continues later from what is cached.",
            """
            {what} (a |)(retraction|retracted request|retracted|preemption|preempted request|retracting)
            what does (retracted|preempted|retraction|preemption) mean
            {why} (was|is) (my|a|the) request (retracted|preempted|put back|taken back)
            (which|what) request is (retracted|preempted|taken back)
            """,
            """
            who has to step back when memory is short?
            what becomes of a retracted request?
            """,
            "A request waits for room.",
            "Its finished tokens stay in the tree until they are evicted.",
        ),
        fact(
            "Copy-on-write means that two samples share their slots until one of them writes; only then the shared block is copied.",
            """
            {what} (copy on write|copy-on-write|cow)
            what does copy(-| )on(-| )write (mean|do)
            how does copy(-| )on(-| )write work
            (when|why) is a block copied
            """,
            """
            at which moment does a shared block get its own copy?
            give me the idea behind copy-on-write
            """,
            "Copied only when written.",
            "A radix tree of single tokens does not need it.",
        ),
        fact(
            "Throughput counts the tokens of all requests in a second; latency is how long one of them waits.",
            """
            {what} (throughput|latency|throughput and latency|the throughput|the latency)
            what is the difference between (throughput and latency|latency and throughput)
            (throughput|latency) (versus|vs|or|compared to) (latency|throughput)
            what does (throughput|latency) mean
            """,
            """
            in what do latency and throughput differ?
            what do you call the number of tokens a second, all requests together?
            """,
            "All tokens against one wait.",
            "Batches raise throughput and may cost latency.",
        ),
        fact(
            "Self-consistency samples several answers to one question and takes the most frequent; all samples share the prompt in the cache.",
            """
            {what} (self consistency|self-consistency|majority voting|sampling several answers)
            how does self(-| )consistency work
            what does self(-| )consistency mean
            {why} (sample|take|draw) (several|many|more) answers( to one question|)
            """,
            """
            what's the use of asking for many samples?
            give me the idea behind self-consistency
            """,
            "Several samples, the most frequent wins.",
            "Step nine of the figure shows it.",
        ),
    ),
)
