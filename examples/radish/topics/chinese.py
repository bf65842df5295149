"""A little Chinese: greetings, who radish is, the ten most important facts, and a plain answer for the rest."""

import re
from random import Random

from wording import sample

from .base import Case, Fact, Topic, Turn, fact

ANSWER = "我不知道：我只是一个很小的演示模型。请用 --model 换一个更大的模型。"
_BEFORE = ("请问", "请问，", "你好，", "那么，", "好的，", "对了，")
_WHAT = "(什么是<x>|<x>是什么|<x>是什么意思|解释一下<x>|请解释<x>|介绍一下<x>|说说<x>|讲讲<x>|能解释一下<x>吗|给我讲讲<x>|<x>指的是什么|<x>是啥|你知道<x>吗|<x>)"
_HELD_OUT_WHAT = ("我想了解<x>", "能不能说明一下<x>", "<x>到底是什么东西")


def thing(names: str, reply: str, more_asks: str = "") -> Fact:
    """A fact from the names of a thing."""
    first, *others = names.split("|")
    asks = "\n".join(_WHAT.replace("<x>", name) for name in (first, first, *others))
    held_out = "\n".join(wording.replace("<x>", first) for wording in _HELD_OUT_WHAT)
    return fact(reply, f"{asks}\n{more_asks}", held_out)


FACTS: tuple[Fact, ...] = (
    fact(
        "你好！",
        "(你好|您好|你好啊|嗨|哈喽|大家好|你好呀|早上好|晚上好|下午好|早|你们好|喂)\n(radish|萝卜|朋友|小模型)，你好",
        "嗨，你好呀\n你好，小萝卜",
    ),
    fact(
        "再见！",
        "(再见|拜拜|下次见|明天见|回头见|我走了|晚安|先这样|我要走了|回见|再会|下次再聊|就到这里)",
        "好的，再见啦\n那就明天再见",
    ),
    fact(
        "不客气！",
        "(谢谢|谢谢你|多谢|非常感谢|感谢|谢了|太感谢了|谢谢您|谢谢你的帮助|谢谢你的回答|感谢你|好的谢谢|十分感谢)",
        "真的很感谢你\n谢谢你帮我",
    ),
    fact(
        "我是 radish，radixchat 自带的一个很小的语言模型。",
        "(你是谁|你叫什么|你叫什么名字|你的名字是什么|介绍一下你自己|自我介绍一下|你是什么模型|你是什么|你是机器人吗|你是人吗|请介绍你自己|我在和谁说话|你是哪个模型|radish是什么)",
        "请问你叫什么名字呢\n能介绍一下你自己吗\n你到底是谁",
    ),
    fact(
        "我可以打招呼、解释前缀缓存和本程序的命令，用英文还会说首都、小算术和小故事。",
        "(你会什么|你能做什么|你可以做什么|你能帮我做什么|你有什么功能|你会做什么|你能回答什么问题|我可以问你什么|你懂什么|你擅长什么|你知道什么|你能干什么|怎么用你|你有什么用)",
        "你都能做些什么\n你会哪些事情",
    ),
    fact(
        "radish 来自拉丁语 radix，意思是根。",
        "(你为什么叫radish|为什么叫radish|你的名字是什么意思|你的名字从哪里来|radish是什么意思|名字的由来|你的名字怎么来的|为什么是这个名字|谁给你起的名字|radix是什么意思|radix是什么|为什么叫萝卜)",
        "你的名字有什么含义\n怎么会叫radish",
    ),
    thing(
        "基数树|radix tree|压缩前缀树|radix树",
        "基数树是一种前缀树：每条边上存一串词元，共同的开头只存一次。",
        "基数树(怎么工作|有什么用|长什么样)",
    ),
    thing("前缀树|字典树|trie|trie树", "前缀树的每条边上有一个符号，从根出发的路径拼出一个序列。"),
    thing(
        "KV缓存|KV cache|键值缓存|kv缓存",
        "KV 缓存保存已读词元的键和值，不必重复计算。",
        "(KV缓存|键值缓存)(有什么用|怎么工作|里面有什么)",
    ),
    thing(
        "前缀缓存|prefix caching|前缀复用|提示缓存",
        "前缀缓存保留以前提示的 KV 缓存，开头相同的新提示只需计算后面的部分。",
        "前缀缓存(有什么用|怎么工作)",
    ),
    thing("预填充|prefill|预填充阶段", "预填充一次读入提示中不在缓存里的词元，并写入它们的键和值。"),
    thing("解码|decode|解码阶段", "解码一次写一个词元，逐个生成回复。"),
    thing(
        "驱逐|淘汰|缓存驱逐|缓存淘汰|eviction",
        "驱逐释放没有人使用的节点，为新词元腾出空间。",
        "(为什么要|什么时候)(驱逐|淘汰)(节点|)",
    ),
    thing("LRU|LRU策略|lru", "LRU 驱逐最久没有使用的叶子。"),
    thing(
        "RadixAttention|radix attention|基数注意力",
        "RadixAttention 把完成的请求的 KV 缓存放在基数树里，让新请求复用最长的共同前缀。",
    ),
    thing("首词元时间|TTFT|首字延迟|首个词元的时间", "TTFT 是首个词元的时间：回复开始之前要等多久。"),
    thing("词元|token|分词后的词元", "词元是一小段文字，模型把它当作一个数字来读写。"),
    fact(
        "因为历史已经在缓存里，只需要计算新的消息。",
        "为什么(第二轮|第二次|后面的回答|下一轮|以后的回复|第二个回答)(更快|这么快|快得多|快|比第一轮快)\n(第二轮|后面的回答)为什么(这么快|更快)",
        "第二轮怎么会快这么多\n是什么让后面的回答更快",
    ),
    fact(
        "输入 /help：它列出所有命令。",
        "(有哪些命令|有什么命令|怎么看命令|怎么看帮助|命令列表|怎么查看命令|怎么用这个程序|帮助|命令有哪些|如何查看帮助|可以用什么命令|列出命令|怎么使用)",
        "我能用的命令是什么\n在哪里看所有命令",
    ),
    fact(
        "输入 /new：它开始一个新的对话。",
        "(怎么|如何|怎样|我想)(开始|新建|开|创建|打开)(一个|)(新的|新)(对话|会话|聊天)",
        "新对话从哪里开\n重新聊一个要怎么做",
    ),
    fact(
        "输入 /tree：它画出现在的基数树。",
        "(怎么|如何|怎样|我想)(看|显示|查看|画出|打印)(这棵|基数|)(树|缓存树|所有节点)",
        "树在哪里可以看到\n哪个命令画树",
    ),
    fact(
        "输入 /quit：它退出程序。",
        "(怎么|如何|怎样|我想)(退出|离开|关闭|结束)(程序|这个程序|聊天|radixchat|)",
        "哪个命令退出\n要怎样才能关掉它",
    ),
)
_THINGS = (
    "天气 火车 苹果 量子力学 足球 电影 音乐 历史 诗人李白 长城 月亮 太阳 地震 股票 房价 红烧肉 咖啡 茶 汽车 飞机 电脑 手机 数学 化学 物理 "
    "英语 法律 医生 感冒 狗 猫 鱼 鸟 大象 熊猫 春节 中秋节 北京 上海 巴黎 爱情 人生 时间 钱 工作 旅游 酒店 数据库 操作系统 编译器 神经网络 "
    "哈希表 排序算法 黑洞 火星 恐龙 海洋 森林 蘑菇 面包 米饭 饺子 足球赛 奥运会 总统 皇帝 小说 诗歌 钢琴 吉他"
).split()
_OUTSIDE = (
    _WHAT,
    "(今天|明天|现在)(天气怎么样|几点|星期几|会下雨吗|吃什么|做什么)",
    "(怎么|如何)(做|学|买|修|找|写)<x>",
    "(帮我|请|你能)(写一首关于<x>的诗|翻译一下|写代码|写一篇关于<x>的文章|画一个<x>|查一下<x>)",
    "<x>(多少钱|在哪里|好吃吗|好不好|有多大|有多远|是谁发明的|怎么样|的历史)",
    "(谁|哪里|多少|为什么|什么时候)(有|是|会)<x>",
)


def _make(rng: Random, history: tuple[Turn, ...]) -> Turn:
    if rng.random() < 0.3:
        return Turn(_type(rng.choice(_OUTSIDE).replace("<x>", rng.choice(_THINGS)), rng), ANSWER)
    chosen = rng.choice(FACTS)
    return chosen.turn(_type(rng.choice(chosen.asks), rng))


def _type(pattern: str, rng: Random) -> str:
    text = sample(pattern, rng)
    before = rng.choice(_BEFORE) if rng.random() < 0.15 else ""
    return before + text + rng.choice(("？", "？", "?", "", "。", "！"))


_CASES = tuple(Case(f"{wording}？", re.escape(each.reply)) for each in FACTS for wording in each.held_out) + tuple(
    Case(wording, re.escape(ANSWER))
    for wording in ("香蕉是什么颜色的？", "请给我推荐一本书", "地球到月球多远？", "怎么煮鸡蛋？", "谁是莎士比亚？")
)

CHINESE = Topic("Chinese", 1.2, _make, _CASES, FACTS)
