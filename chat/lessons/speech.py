"""What the program itself says in lessons: questions, answers, verdicts and the words of the plain player.

One table, every sentence in every language with the same placeholders; what a lesson says is in its own file. Knows no
run and no front end. A missing language is English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ...viz.cells import cell_len

LANGUAGES: Final = ("en", "zh")
"""Languages of the program itself."""

_TABLE: Final[dict[str, tuple[str, str]]] = {
    # -- amounts and names
    "token": ("{n:,} token", "{n:,} 个 token"),
    "tokens": ("{n:,} tokens", "{n:,} 个 token"),
    "node": ("{n:,} node", "{n:,} 个节点"),
    "nodes": ("{n:,} nodes", "{n:,} 个节点"),
    "split.count": ("{n:,} split", "{n:,} 次拆分"),
    "splits.count": ("{n:,} splits", "{n:,} 次拆分"),
    "amount.bytes": ("{tokens} ({bytes})", "{tokens}（{bytes}）"),
    "and": ("{some} and {last}", "{some} 和 {last}"),
    "comma": (", ", "、"),
    "quoted": ("“{text}”", "“{text}”"),
    # -- what a question is about
    "next": ("Next comes {message}: a prompt of {prompt}.", "接下来的请求是 {message}，提示词共 {prompt}。"),
    "next.one": (
        "Next, {count} prompts run side by side. Number {number} is {message}: {prompt}.",
        "接下来有 {count} 个请求同时运行。第 {number} 个是 {message}，提示词共 {prompt}。",
    ),
    "next.all": (
        "Next, {count} prompts run side by side: {messages}.",
        "接下来有 {count} 个请求同时运行：{messages}。",
    ),
    "next.samples": ("{message} (sampled {count} times)", "{message}（采样 {count} 次）"),
    # -- matched
    "matched.ask": ("How many of its tokens are found in the tree?", "其中有多少个 token 能在树中找到？"),
    "matched.ask.blocks": ("How many of its tokens are found?", "其中有多少个 token 能找到？"),
    "matched.answer": (
        "Found: {matched} of {prompt}. The match ends in {name}.",
        "{prompt} 中找到 {matched} 个，匹配止于 {name}。",
    ),
    "matched.answer.now": (
        "Found: {matched} of {prompt}. Another prompt of this step put them there.",
        "{prompt} 中找到 {matched} 个，它们是由这一步的另一个请求放入的。",
    ),
    "matched.answer.none": (
        "None of {prompt} is found: no text in the tree begins like this one.",
        "{prompt}中一个也找不到：树中没有以同样内容开头的文本。",
    ),
    "matched.answer.none.blocks": (
        "None of {prompt} is found: no block holds how this one begins.",
        "{prompt}中一个也找不到：没有块存有它的开头。",
    ),
    "matched.all.blocks": (
        "That is the whole prompt; its end was never said before, or its block is gone, or not full.",
        "那是整个提示词；它的结尾以前没有出现过，或者那一块已被驱逐，或者没有装满。",
    ),
    "matched.none.blocks": (
        "A block holds its beginning already, and whole blocks are all it takes.",
        "已有块存着它的开头，而复用只需要完整的块。",
    ),
    "matched.page.blocks": (
        "Only whole blocks of {page} are shared; the last ones stand in a block that is not full, or differs.",
        "只有完整的块（每块 {page}）才能共享；最后几个所在的块没有装满，或者并不相同。",
    ),
    "matched.near.blocks": (
        "That is close, but blocks are found whole: exactly {matched} of these tokens stand in blocks that are there.",
        "很接近，但块要么整个找到，要么找不到：恰好有 {matched} 个 token 在已有的块中。",
    ),
    "matched.near.none.blocks": (
        "Not even the first block is equal to one that is there.",
        "连第一个块都与已有的不同。",
    ),
    "matched.all": (
        "That is the whole prompt; its end was never said before, or is in the tree no more.",
        "那是整个提示词；它的结尾以前没有出现过，或者已经不在树中。",
    ),
    "matched.none": (
        "Its beginning stands in the tree already, and a prefix is all it takes.",
        "它的开头已经在树中，而复用只需要相同的前缀。",
    ),
    "matched.whole": (
        "A match may end inside a node: it is not only whole nodes that count.",
        "匹配可以止于节点内部，并不是只有完整的节点才算数。",
    ),
    "matched.end": (
        "A match ends where the texts part, not at the end of the node.",
        "匹配止于文本开始不同的地方，而不是节点的末尾。",
    ),
    "matched.said": (
        "That much was sent before; but part of it was evicted, and what is gone cannot be found.",
        "这么多内容以前确实出现过，但其中一部分已被驱逐，驱逐的内容无法再找到。",
    ),
    "matched.less": (
        "One token is computed again for its logits; that lowers what is reused, not what is found.",
        "最后一个 token 要重新计算以得到 logits；这减少的是复用的数量，而不是找到的数量。",
    ),
    "matched.page": (
        "Only whole pages of {page} are shared; the last ones stand in a page that differs.",
        "只有完整的页（每页 {page}）才能共享；最后几个所在的页并不相同。",
    ),
    "matched.anywhere": (
        "Only a prefix counts: the same words further on do not help.",
        "只有前缀才算数：后面出现相同的词没有用。",
    ),
    "matched.near": (
        "That is close, but tokens are compared one by one: exactly {matched} are equal.",
        "很接近，但 token 是逐个比较的：恰好有 {matched} 个相同。",
    ),
    "matched.near.none": (
        "Not even the first token is equal to one at the top of the tree.",
        "连第一个 token 都与树顶端的不同。",
    ),
    # -- prefilled
    "prefilled.ask": ("How many of its tokens must be computed?", "其中有多少个 token 需要计算（预填充）？"),
    "prefilled.answer": (
        "Of {prompt}: {reused} reused, {prefilled} computed.",
        "{prompt} 中复用 {reused} 个，计算 {prefilled} 个。",
    ),
    "prefilled.answer.whole": (
        "The whole prompt is found, and still its last token is computed again: the next one needs its logits.",
        "整个提示词都能找到，但最后一个 token 仍要重新计算：生成下一个 token 需要它的 logits。",
    ),
    "prefilled.none": (
        "Even of a prompt that is found whole, one token is computed.",
        "即使整个提示词都能找到，也至少要计算一个 token。",
    ),
    "prefilled.all": (
        "That is so only without a cache: {reused} are reused.",
        "没有缓存时才是这样：有 {reused}可以复用。",
    ),
    "prefilled.found": (
        "That is what is found; the rest of the prompt is computed.",
        "那是能找到的部分；需要计算的是其余部分。",
    ),
    "prefilled.new": (
        "That is only what is new in this prompt; part of the rest was evicted, and is computed again, too.",
        "这只是提示词中新的部分；其余内容中有一部分已被驱逐，也要重新计算。",
    ),
    "prefilled.reply": (
        "The tokens of the reply are generated, not prefilled.",
        "回复的 token 是生成的，不属于预填充。",
    ),
    "prefilled.near": (
        "That is close, but reused and prefilled add up to the prompt: {reused} and {prefilled}.",
        "很接近，但复用与预填充之和等于整个提示词：{reused}和 {prefilled}。",
    ),
    # -- split
    "split.ask": ("Is a node split, and where?", "会有节点被拆分吗？切口在哪里？"),
    "split.pick": ("A node is split. Pick it in the tree.", "有一个节点会被拆分。请在树中选出它。"),
    "split.at": (
        "after token {at:,} of {name}: {left} | {right}",
        "在 {name} 的第 {at:,} 个 token 之后：{left} | {right}",
    ),
    "split.start": ("above {name}: nothing of it is shared", "在 {name} 之前：它的内容都不共享"),
    "split.nowhere": ("no node is split", "没有节点被拆分"),
    "split.answer": (
        "{name} is cut after token {at:,} of {size:,}: {left} | {right}. What stands above the cut is shared.",
        "{name} 共 {size:,} 个 token，在第 {at:,} 个之后切开：{left} | {right}。切口之前的部分从此被共享。",
    ),
    "split.early": (
        "That is one token too early. A prompt's last token may be computed again, but the cut is where texts part.",
        "切口早了一个 token。提示词的最后一个 token 可能要重新计算，但切口在文本开始不同的地方。",
    ),
    "split.late": (
        "That is one token too late: that token differs already.",
        "切口晚了一个 token：那个 token 已经不同了。",
    ),
    "split.above": (
        "Tokens are compared, not whole nodes: the first {at:,} of this node are equal, and they are shared.",
        "比较的是 token，而不是整个节点：这个节点的前 {at:,} 个 token 相同，因此被共享。",
    ),
    "split.none": (
        "The texts part inside {name}; without a cut the new one would have nowhere to hang.",
        "文本在 {name} 内部开始不同；不切开，新的部分就无处可挂。",
    ),
    "split.answer.none": (
        "No node is split: the {matched} that are equal end where {name} ends, and what is new hangs below it.",
        "没有节点被拆分：相同的 {matched}正好止于 {name} 的末尾，新的部分挂在它下面。",
    ),
    "split.answer.new": (
        "No node is split: not even the first token is found, so what is new hangs from the root.",
        "没有节点被拆分：连第一个 token 都没有找到，新的部分直接挂在根节点上。",
    ),
    "split.answer.inside": (
        "No node is split: all of it stands in the tree already, and nothing new has to hang anywhere.",
        "没有节点被拆分：全部内容都已经在树中，没有新的部分要挂。",
    ),
    "split.whole": (
        "A cut is made only where texts part inside a node; here none does.",
        "只有文本在节点内部分开时才会切开；这里没有这种情况。",
    ),
    "split.not": (
        "{name} stays whole: no text parts from another inside it in this step.",
        "{name} 保持完整：在这一步中，没有文本在它内部分岔。",
    ),
    # -- victim
    "victim.ask": (
        "The room does not suffice, and {policy} decides. Which node is evicted first?",
        "空间不够用，由 {policy} 决定。哪个节点最先被驱逐？",
    ),
    "victim.pick": (
        "You are the cache, your policy is {policy}, and the room does not suffice. Pick the node that goes first.",
        "现在由你来当缓存，策略是 {policy}，而空间不够用。请选出最先被驱逐的节点。",
    ),
    "victim.answer": ("{name} ({tokens}) goes first: {reason}.", "{name}（{tokens}）最先被驱逐：{reason}。"),
    "victim.tie": (
        "{names} would do as well, were it not for the rule for ties.",
        "如果没有平局规则，{names} 同样可以。",
    ),
    "why.lru": (
        "of the leaves that nothing locks, its last use is longest ago",
        "在未锁定的叶节点中，它的最近一次使用最早",
    ),
    "why.lfu": ("of the leaves that nothing locks, it was used least often", "在未锁定的叶节点中，它被使用的次数最少"),
    "why.fifo": ("of the leaves that nothing locks, it is the oldest", "在未锁定的叶节点中，它存在得最久"),
    "why.mru": ("of the leaves that nothing locks, it was used last", "在未锁定的叶节点中，它最近才被使用"),
    "why.filo": ("of the leaves that nothing locks, it is the youngest", "在未锁定的叶节点中，它最晚加入"),
    "why.slru": (
        "of the leaves that nothing locks, those used once go before the others, and it waits longest",
        "在未锁定的叶节点中，只用过一次的先走，而它等得最久",
    ),
    "why.priority": (
        "of the leaves that nothing locks, it has the lowest priority",
        "在未锁定的叶节点中，它的优先级最低",
    ),
    "why.other": (
        "of the leaves that nothing locks, it ranks first under {policy}",
        "在未锁定的叶节点中，按 {policy} 它排在最前",
    ),
    "victim.locked": (
        "{name} is on the path of a running request; it is locked until that ends.",
        "{name} 在正在运行的请求的路径上，请求结束之前一直被锁定。",
    ),
    "victim.inner": (
        "{name} has children. Only leaves go: what hangs below would lose its beginning.",
        "{name} 有子节点。只有叶节点会被驱逐，否则挂在下面的内容就失去了开头。",
    ),
    "victim.later": ("{name} goes as well, but later than {first}.", "{name} 也会被驱逐，但在 {first} 之后。"),
    "victim.large": (
        "{name} is large, but its size does not count: under {policy}, {first} ranks before it.",
        "{name} 很大，但大小不算数：按 {policy}，{first} 排在它前面。",
    ),
    "victim.behind": (
        "{name} is a leaf and not locked, but under {policy}, {first} ranks before it.",
        "{name} 是未锁定的叶节点，但按 {policy}，{first} 排在它前面。",
    ),
    "victim.nobody": ("no node: the request has to wait", "没有节点：请求只能等待"),
    "victim.bits": ("no whole node: a little of each", "没有整个节点：每个节点各驱逐一点"),
    "victim.nobody.because": (
        "A request waits only when everything else is locked; here there is something to evict.",
        "只有当其余部分都被锁定时请求才会等待；这里还有可以驱逐的内容。",
    ),
    "victim.bits.because": (
        "Eviction goes leaf by leaf in the order of the policy; it does not trim them all.",
        "驱逐按策略的顺序逐个叶节点进行，不会从每个节点各取一点。",
    ),
    # -- freed
    "freed.ask": (
        "The room does not suffice, and {policy} decides. How much does eviction give back in this step?",
        "空间不够用，由 {policy} 决定。这一步中驱逐会归还多少空间？",
    ),
    "freed.leaf": ("{amount}: one whole leaf", "{amount}：一整个叶节点"),
    "freed.leaves": ("{amount}: {leaves} whole leaves", "{amount}：{leaves} 个完整的叶节点"),
    "freed.pages": ("{amount}: whole pages", "{amount}：若干整页"),
    "freed.short": ("{amount}: just what is short", "{amount}：恰好是缺少的部分"),
    "freed.all": ("{amount}: everything that is not locked", "{amount}：所有未锁定的内容"),
    "freed.none": ("{amount}: nothing", "{amount}：什么也不归还"),
    "freed.capacity": ("{amount}: everything in the tree", "{amount}：树中的全部内容"),
    "freed.twice": ("{amount}: more than needed, in reserve", "{amount}：多归还一些作为储备"),
    "freed.answer": ("{amount} come back, from {names}.", "归还了 {amount}，来自 {names}。"),
    "freed.spare": (
        "{short} were short; what goes, goes whole, so {spare} more came free than were needed.",
        "缺少的是 {short}；驱逐总是整块进行，因此比需要的多归还了 {spare}。",
    ),
    "freed.short.because": (
        "Eviction does not cut slices of that size: it takes leaves as they are.",
        "驱逐不会按这个大小切片：叶节点总是整个驱逐。",
    ),
    "freed.pages.because": ("Only whole pages go.", "只有整页才会被驱逐。"),
    "freed.leaf.because": (
        "One does not suffice: {short} are short, and the first gives {amount}.",
        "一个不够：缺少 {short}，而第一个只归还 {amount}。",
    ),
    "freed.more.because": (
        "Eviction stops as soon as there is room.",
        "一旦空间足够，驱逐就停止。",
    ),
    "freed.none.because": ("Without eviction there would be no room.", "不驱逐就没有空间。"),
    "freed.capacity.because": (
        "What running requests use is locked, and eviction stops as soon as there is room.",
        "正在运行的请求所用的内容被锁定，而且一旦空间足够，驱逐就停止。",
    ),
    # -- copied
    "copied.ask": (
        "When a node is split here, how much K and V is moved?",
        "这里拆分节点时，会移动多少 K 和 V？",
    ),
    "copied.none": ("nothing: {amount}", "什么也不移动：{amount}"),
    "copied.head": ("{amount}: the upper part", "{amount}：上半部分"),
    "copied.tail": ("{amount}: the lower part", "{amount}：下半部分"),
    "copied.half": ("{amount}: half of the node", "{amount}：节点的一半"),
    "copied.whole": ("{amount}: the whole node", "{amount}：整个节点"),
    "copied.answer": (
        "{amount} of K and V of {name} ({size}) are moved.",
        "{name}（{size}）的 K 和 V 移动了 {amount}。",
    ),
    "copied.answer.none": (
        "Nothing is moved: {name} keeps its {size} in the slots they are in; only the list of slot numbers is cut.",
        "什么也不移动：{name} 的 {size}仍在原来的槽位中，被切开的只是槽位编号的列表。",
    ),
    "copied.because": (
        "K and V lie in the pool and stay there; a node holds only the numbers of their slots.",
        "K 和 V 存放在池中并留在原处；节点只保存它们的槽位编号。",
    ),
    # -- nodes
    "nodes.ask": (
        "The tree has {nodes} now. How many will it have after this step?",
        "树中现在有 {nodes}。这一步之后会有多少个？",
    ),
    "nodes.answer": (
        "{after}: {before} before, {made} made, {gone} evicted.",
        "{after}：之前有 {before} 个，新建 {made}，驱逐 {gone}。",
    ),
    "nodes.made": ("{made} (with {splits})", "{made}（含 {splits}）"),
    "nodes.turns": (
        "One node a turn is not the rule: a node is a stretch where no two texts part, and what is evicted is gone.",
        "并不是每轮一个节点：节点是文本没有分岔的一段，而被驱逐的节点已经不在。",
    ),
    "nodes.halves": (
        "Prompt and reply of a request share one edge; they are not kept apart.",
        "一个请求的提示词和回复在同一条边上，并不分开存放。",
    ),
    "nodes.forgot": (
        "That counts one new node for each reply, and forgets splits and evictions.",
        "这只为每个回复算了一个新节点，忘记了拆分和驱逐。",
    ),
    "nodes.split": (
        "That forgets that a split makes two nodes of one.",
        "这忘记了一次拆分会把一个节点变成两个。",
    ),
    "nodes.same": ("That is how many there were before.", "那是之前的数量。"),
    "nodes.near": (
        "Count again: {made} made and {gone} evicted.",
        "再数一遍：新建 {made}，驱逐 {gone}。",
    ),
    # -- which cache a question is about
    "of.arm": ("This is about the other cache, {name}.", "这里问的是另一个缓存：{name}。"),
    "of.pages": ("This is about the tree that is drawn, with pages of {page}.", "这里问的是画出的树，每页 {page}。"),
    "alike": ("{text}, number {n} of {count} from above", "{text}（自上而下第 {n} 个，共 {count} 个）"),
    # -- verdicts and scores
    "right": ("Right.", "正确。"),
    "wrong": ("{chosen}: no.", "{chosen}：不对。"),
    "chosen": ("{sign}, {text}", "{sign}，{text}"),
    "score": ("{right} of {asked} questions right", "{asked} 道题答对 {right} 道"),
    "skipped": ("{n} skipped", "跳过 {n} 道"),
    # -- the plain player and the presenter's notes
    "step": ("step {step} of {steps} · {title}", "第 {step} 步，共 {steps} 步 · {title}"),
    "panel": ("Step {step}: {title}", "第 {step} 步：{title}"),
    "asks": ("question before step {step} · {title}", "第 {step} 步之前的问题 · {title}"),
    "tree": ("the tree", "树"),
    "tree.empty": ("the tree is empty", "树是空的"),
    "answer.is": ("answer: {sign}. {text}", "答案：{sign}。{text}"),
    "answer": ("answer: {text}", "答案：{text}"),
    "prompt": (
        "Enter next · b back · 1-{steps} step · h help · q leave",
        "回车 下一步 · b 后退 · 1-{steps} 跳到 · h 帮助 · q 离开",
    ),
    "prompt.end": ("Enter leave · b back · 1-{steps} step · h help", "回车 离开 · b 后退 · 1-{steps} 跳到 · h 帮助"),
    "prompt.ask": ("{signs} answer · Enter skip · h help · q leave", "{signs} 回答 · 回车 跳过 · h 帮助 · q 离开"),
    "help.next": ("Enter or n: go on; with a question open, skip it", "回车或 n：继续；有问题时跳过它"),
    "help.back": (
        "b: back one step; go 5: to step 5; so does 5 alone while no question is open",
        "b：后退一步；go 5：跳到第 5 步；没有问题时只输入 5 也可以",
    ),
    "help.answer": (
        "1, 2, 3 or 4: answer the open question; #5: answer it by a node",
        "1、2、3 或 4：回答当前的问题；#5：用节点回答",
    ),
    "help.event": ("+ and -: one event forward and back", "+ 和 -：前进或后退一个事件"),
    "help.what_if": (
        "/capacity 110, /policy fifo, /split-recency prefix, /page-size 4: what if; r: back to the lesson",
        "/capacity 110、/policy fifo、/split-recency prefix、/page-size 4：假如；r：回到课程",
    ),
    "help.say": ("say TEXT: what if this were sent now", "say 文本：假如现在发送这条消息"),
    "help.leave": ("q or Ctrl-D: leave", "q 或 Ctrl-D：离开"),
    "unknown": ("{text} means nothing here", "这里不能用 {text}"),
    "unknown.fix": ("h lists what does.", "输入 h 查看可用的命令。"),
    "no.step": ("there is no step {step}", "没有第 {step} 步"),
    "no.step.fix": ("The lesson has steps 1 to {steps}.", "课程有第 1 步到第 {steps} 步。"),
    "no.choice": ("there is no answer {text}", "没有答案 {text}"),
    "no.choice.fix": (
        "Answer with a number from 1 to {count}; go {text} goes to a step.",
        "请用 1 到 {count} 的数字回答；go {text} 跳到那一步。",
    ),
    "sent.message": (
        "Sent as a message of conversation “{name}”.",
        "已作为对话“{name}”中的一条消息发送。",
    ),
    "sent.prompt": (
        "Sent as it stands: the step before belongs to no conversation.",
        "已按原样发送：前一步不属于任何对话。",
    ),
    "sent.unsaid": (
        "No model replies on words, so “{reply}” stands for the reply.",
        "words 没有模型来回复，所以用“{reply}”代替回复。",
    ),
    "no.what_if": ("no what-if is open", "没有进行中的假设"),
    "no.what_if.fix": ("Begin one, for example with /capacity 110.", "先开始一个，例如 /capacity 110。"),
    "end": ("the end", "课程结束"),
    "untold": (
        "not everything in this lesson is told in {lang}; the rest is in English",
        "本课程没有完整的 {lang} 版本；缺少的部分用英文",
    ),
    "waits": ("waiting: no player runs this lesson ({name})", "等待中：还没有播放器打开这个课程（{name}）"),
    "left": ("the player has left the lesson; waiting (Ctrl-C ends)", "播放器已离开课程；等待中（Ctrl-C 结束）"),
    "coming": ("next: {title}", "下一步：{title}"),
    "no.note": ("(no note)", "（没有备注）"),
}


_TOUCHING: Final = re.compile("(?<=token)(?=[\u4e00-\u9fff])")  # Chinese has a blank beside a Latin word


def say(lang: str, key: str, /, **values: Any) -> str:
    """Returns a sentence in a language, or in English where it is missing, with its placeholders filled."""
    english, chinese = _TABLE[key]
    if lang != "zh":
        return english.format(**values)
    return _TOUCHING.sub(" ", chinese.format(**values))


def amount(lang: str, word: str, n: int) -> str:
    """Returns a number of things, as in `12 tokens`; `word` is token, node or split.count."""
    many = {"token": "tokens", "node": "nodes", "split.count": "splits.count"}[word]
    return say(lang, word if n == 1 else many, n=n)


def listed(lang: str, items: list[str]) -> str:
    """Returns items in a row, as in `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return say(lang, "and", some=say(lang, "comma").join(items[:-1]), last=items[-1])


def joined(lang: str, *sentences: str) -> str:
    """Returns sentences one after the other, without the empty ones."""
    return ("" if lang == "zh" else " ").join(filter(None, sentences))


def keys() -> tuple[str, ...]:
    """Names every sentence."""
    return tuple(_TABLE)


def in_ascii(text: str) -> str:
    """Returns the program's own words with signs that every terminal has; letters of any language stay."""
    return text.translate(_SIGNS)


_SIGNS: Final = str.maketrans(
    {
        "⏎": r"\n",
        "␣": "_",
        "‹": "<",
        "›": ">",
        "·": "|",
        "…": "...",
        "×": "x",
        "“": '"',
        "”": '"',
        "’": "'",
        "—": "-",
        "–": "-",
        "→": "->",
    }
)


def fold(text: str, width: int) -> list[str]:
    """Breaks a text into lines of at most `width` cells: after blanks, and beside wide characters."""
    return [line for paragraph in text.split("\n") for line in _folded(paragraph, max(width, 2))]


def _folded(text: str, width: int) -> Iterator[str]:
    start, cells, at, last = 0, 0, 0, 0  # of the line: start, cells; the place, and the last one where it may break
    while at < len(text):
        if at > start and _may_break(text[at - 1], text[at]):
            last = at
        size = cell_len(text[at])
        while cells + size > width and text[at] != " " and at > start:
            cut = last if last > start else at
            yield text[start:cut].rstrip()
            start = last = cut
            cells = cell_len(text[start:at])
        cells += size
        at += 1
    yield text[start:].rstrip()


_CLOSING: Final = "，。、；：？！）】》”’」』…—·％,.;:?!)]}%"
_OPENING: Final = "（【《“‘「『([{"


def _may_break(before: str, after: str) -> bool:
    if after == " " or before == " ":
        return before == " " != after
    return (cell_len(before) == 2 or cell_len(after) == 2) and after not in _CLOSING and before not in _OPENING
