"""The sentences of the story, by language: data alone, with the facts of an event as fields.

Every language has the same sentences with the same facts, in the project's words: match 匹配, split 拆分, insert 插入,
grow 增长, evict 驱逐, lock 锁, slot 槽, reuse 复用, prefill 预填充, node 节点, prefix 前缀; a token is a token. Where a
number decides between one and several, the fact comes as words already (``COUNTS``). Knows no event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Table = Mapping[str, str]


def spoken(lang: str, *, ascii: bool) -> str:
    """Returns which language of the tables is used: English for those there are none of, and where only ASCII is."""
    return lang if lang in SENTENCES and not ascii else "en"


_ENGLISH: Final[Table] = {
    "step": "step {step:,} begins",
    "namespace": "namespace {name} has its own tree now, below {node}",
    "matched nothing": "matched nothing",
    "matched in one": "matched {tokens:,} tok, all of them in {node}",
    "matched": "matched {tokens:,} tok, the last {at:,} of them in {node}",
    "split": "split {node} at token {at:,}: new parent {head}",
    "inserted": "inserted {node} below {parent}, {tokens:,} tok: {text}",
    "inserted at the root": "inserted {node} at the root, {tokens:,} tok: {text}",
    "grown": "grew {node} by {tokens:,} tok: {text}",
    "locked": "locked {node} and all above it",
    "locked below": "locked {node} up to, and without, {above}",
    "unlocked": "unlocked {node} and all above it",
    "unlocked below": "unlocked {node} up to, and without, {above}",
    "evicted": "evicted {node} ({tokens:,} tok) {why}{idle}{room}",
    "trimmed": "trimmed {tokens:,} tok off the end of {node} {why}{idle}{room}",
    "idle": ", idle for {requests}",
    "room": ", {asked:,} tok asked",
    "reserved": "reserved {slots} for a request",
    "released": "released {slots}: free again",
    "sampled": "sampled {tokens:,} tok after {node}, not cached yet: {text}",
    "resized": "the capacity is {capacity:,} tok now",
    "repoliced": "the policy is {policy} now",
    "cleared": "the cache forgot everything",
    "started": "request {request:,}{where}: {matched:,} of {prompt:,} prompt tokens matched{less}",
    "where": " in {name}",
    "less": ", {reused:,} reused",
    "retracted": "request {request:,} was retracted: it gave its room to others and waits again",
    "finished": "request {request:,} finished ({reason}): reused {reused:,} of {prompt:,} prompt tokens, "
    "prefilled {prefilled:,}, generated {generated:,}",
    # why something went, and why a request ended
    "why": "by {policy}",
    "why asked": "on request",
    "why discarded": "because its request failed",
    "why not last": "because only the last sequence is kept",
    "why shrunk": "because the capacity shrank",
    "why cleared": "because everything was forgotten",
    "end stop": "the reply was complete",
    "end length": "the reply reached its limit",
    "end capacity": "no room was left",
    "end cancelled": "it was stopped",
    "end error": "it failed",
    # differences
    "within": "within step {last:,}, {events}",
    "from to": "from step {first:,} to step {last:,}, {events}",
    "all reused": "reused {nodes}",
    "more splits": "and {splits}",
    "added": "added {node}, {tokens:,} tok: {text}",
    "all added": "added {nodes}",
    "grew": "grew {node} by {tokens:,} tok",
    "more grew": "and {nodes} grew",
    "all evicted": "evicted {nodes}, {why}",
    "all trimmed": "trimmed {nodes}, {why}",
    "passed": "came and went: {nodes}",
    "memory": "free {free} -> {free_now} tok, resident {resident} -> {resident_now} tok",
    "capacity": ", capacity {capacity} -> {capacity_now} tok",
    "nothing": "nothing changed in the tree",
    "node": "{node} ({tokens:,} tok)",
    "number": "#{id}",
    "lettered": "node {letter}",
    "quoted": "“{text}”",
    "and": ", ",
    "nodes": "{nodes}, {tokens:,} tok: {named}{more}",
    "more": " and {more:,} more",
}

_CHINESE: Final[Table] = {
    "step": "第 {step:,} 步开始",
    "namespace": "命名空间 {name} 有了自己的树，位于 {node} 之下",
    "matched nothing": "没有匹配到任何前缀",
    "matched in one": "匹配 {tokens:,} 个 token，全部在 {node} 中",
    "matched": "匹配 {tokens:,} 个 token，其中最后 {at:,} 个在 {node} 中",
    "split": "在第 {at:,} 个 token 之后拆分 {node}：新的父节点是 {head}",
    "inserted": "在 {parent} 之下插入 {node}，{tokens:,} 个 token：{text}",
    "inserted at the root": "在根节点之下插入 {node}，{tokens:,} 个 token：{text}",
    "grown": "{node} 增长 {tokens:,} 个 token：{text}",
    "locked": "锁定 {node} 及其上方的所有节点",
    "locked below": "锁定从 {node} 向上到 {above}（不含）的节点",
    "unlocked": "解锁 {node} 及其上方的所有节点",
    "unlocked below": "解锁从 {node} 向上到 {above}（不含）的节点",
    "evicted": "驱逐 {node}（{tokens:,} 个 token）：{why}{idle}{room}",
    "trimmed": "从 {node} 的末尾裁去 {tokens:,} 个 token：{why}{idle}{room}",
    "idle": "，已有 {requests}没有用到它",
    "room": "，需要腾出 {asked:,} 个 token 的空间",
    "reserved": "为请求预留 {slots}",
    "released": "释放 {slots}，重新空闲",
    "sampled": "在 {node} 之后采样了 {tokens:,} 个 token，尚未缓存：{text}",
    "resized": "容量现在是 {capacity:,} 个 token",
    "repoliced": "驱逐策略现在是 {policy}",
    "cleared": "缓存已全部清空",
    "started": "请求 {request:,}{where}：提示词的 {prompt:,} 个 token 中匹配到 {matched:,} 个{less}",
    "where": "（{name}）",
    "less": "，复用 {reused:,} 个",
    "retracted": "请求 {request:,} 被撤回：它把空间让给其他请求，重新排队",
    "finished": "请求 {request:,} 结束（{reason}）：提示词的 {prompt:,} 个 token 中复用 {reused:,} 个，"
    "预填充 {prefilled:,} 个，生成 {generated:,} 个",
    "why": "按 {policy} 策略",
    "why asked": "按手动要求",
    "why discarded": "因为它的请求失败了",
    "why not last": "因为只保留最后一个序列",
    "why shrunk": "因为容量缩小了",
    "why cleared": "因为缓存被全部清空",
    "end stop": "回复完整",
    "end length": "回复达到长度上限",
    "end capacity": "空间不足",
    "end cancelled": "被中止",
    "end error": "出错",
    "within": "第 {last:,} 步之内，{events}",
    "from to": "从第 {first:,} 步到第 {last:,} 步，{events}",
    "all reused": "复用 {nodes}",
    "more splits": "另有 {splits}",
    "added": "新增 {node}，{tokens:,} 个 token：{text}",
    "all added": "新增 {nodes}",
    "grew": "{node} 增长 {tokens:,} 个 token",
    "more grew": "另有 {nodes}增长",
    "all evicted": "驱逐 {nodes}，{why}",
    "all trimmed": "裁去末尾：{nodes}，{why}",
    "passed": "插入后又被驱逐：{nodes}",
    "memory": "空闲 {free} -> {free_now} 个 token，驻留 {resident} -> {resident_now} 个 token",
    "capacity": "，容量 {capacity} -> {capacity_now} 个 token",
    "nothing": "树没有任何变化",
    "node": "{node}（{tokens:,} 个 token）",
    "number": "#{id}",
    "lettered": "节点 {letter}",
    "quoted": "“{text}”",
    "and": "、",
    "nodes": "{nodes}，共 {tokens:,} 个 token：{named}{more}",
    "more": "，另有 {more:,} 个",
}

SENTENCES: Final[Mapping[str, Table]] = {"en": _ENGLISH, "zh": _CHINESE}
"""The sentences of each language."""

PICTURES: Final[Mapping[str, Table]] = {
    "en": {
        "tree": "the tree: {nodes:,} nodes", "one": "the tree: {nodes:,} node",
        "empty": "the tree is empty: nothing is cached yet",
        "tokens": "tokens", "memory": "memory", "age": "age", "evicted": "evicted",
        "protected": "protected", "evictable": "evictable", "resident": "resident", "in-flight": "in-flight",
        "free": "free", "capacity": "capacity", "tok": " tok",
        "misses": "{missing:,} nodes do not fit; ", "miss": "{missing:,} node does not fit; ",
        "shared": "columns are token positions on a {root} scale, a bar has {least} cells at least: numbers count, "
        "lengths do not",
        "apart": "bars begin where their parents end, on a {root} scale, a bar has {least} cells at least: numbers "
        "count, lengths do not",
        "shorter": "token positions, {root} scale, {least} cells a bar at least", "shortest": "{root} scale",
        "sharing": "without sharing it would be {apart:,} tok{size} ({times}{factor:,.1f})",
    },
    "zh": {
        "tree": "树：{nodes:,} 个节点", "one": "树：{nodes:,} 个节点",
        "empty": "树是空的：还没有缓存任何内容",
        "tokens": "token 数", "memory": "内存", "age": "未用", "evicted": "已驱逐",
        "protected": "受保护", "evictable": "可驱逐", "resident": "驻留", "in-flight": "进行中",
        "free": "空闲", "capacity": "容量", "tok": " 个 token",
        "misses": "{missing:,} 个节点放不下；", "miss": "{missing:,} 个节点放不下；",
        "shared": "横轴是 token 位置，按 {root} 缩放，每条至少 {least} 格：以数字为准，长度不准",
        "apart": "每条从父节点的末端开始，按 {root} 缩放，每条至少 {least} 格：以数字为准，长度不准",
        "shorter": "token 位置，{root} 缩放，每条至少 {least} 格", "shortest": "{root} 缩放",
        "sharing": "不共享则需要 {apart:,} 个 token{size}（{times}{factor:,.1f}）",
    },
}  # fmt: skip
"""What pictures, their columns and the pool say; the words of states are in the legend."""

BLOCKS: Final[Mapping[str, Table]] = {
    "en": {
        "pool": "{preset}: {total:,} blocks of {size:,} tok", "none": "a radix tree has no blocks",
        "used": "in use", "retained": "retained", "free": "free", "of": "{blocks:,} of {total:,} ({share} %)",
        "meant": "in use counts running requests alone; retained blocks are still found by a hit",
        "lease": "lease {table}, {tokens:,} tok, {blocks}", "namespace": "namespace {name}",
        "empty lease": "no block yet",
        "chains": "chains", "chain": "chain {name}", "nothing": "no block holds anything yet",
        "queue": "free queue", "queue order": "free queue, taken from the left", "veiled": "free queue, in no order",
        "refs": "refs", "tok": "tok", "hash": "hash", "before": "before", "place": "queue", "age": "age",
        "no hash": "no hash", "gone before": "gone", "start": "start",
        "blocks": "{blocks:,} blocks", "block": "1 block", "more": "{sign} {blocks:,} more",
        "leases": "{sign} {tables:,} more leases",
        "empty": "not computed yet", "pending": "a hit does not count yet", "free block": "holds nothing",
        "held": "in n tables of open leases",
        "ends": "lease {tables}",
        "told": "block {number}, {tokens:,} of {size:,} tok, {state}", "told gone": "what a block held, evicted",
        "told refs": ", refs {refs:,}", "told victim": ", next victim", "told hash": ", hash {digest}",
        "told after": ", after {digest}", "told broken": ", the block before it is gone",
        "told pending": ", a hit does not count yet", "told place": ", number {place:,} in the free queue",
    },
    "zh": {
        "pool": "{preset}：{total:,} 个块，每块 {size:,} 个 token", "none": "基数树没有块",
        "used": "使用中", "retained": "保留", "free": "空闲", "of": "{total:,} 中的 {blocks:,} 个（{share} %）",
        "meant": "“使用中”只计正在运行的请求；“保留”的块仍可命中",
        "lease": "租约 {table}，{tokens:,} 个 token，{blocks}", "namespace": "命名空间 {name}",
        "empty lease": "还没有块",
        "chains": "哈希链", "chain": "哈希链 {name}", "nothing": "还没有块存放内容",
        "queue": "空闲队列", "queue order": "空闲队列，从左边取", "veiled": "空闲队列，不分先后",
        "refs": "引用", "tok": "token", "hash": "哈希", "before": "前一块", "place": "队列", "age": "未用",
        "no hash": "无哈希", "gone before": "已不在", "start": "起点",
        "blocks": "{blocks:,} 个块", "block": "1 个块", "more": "{sign} 另有 {blocks:,} 个",
        "leases": "{sign} 另有 {tables:,} 个租约",
        "empty": "尚未计算", "pending": "命中尚不算数", "free block": "没有内容",
        "held": "在 n 个打开的块表中",
        "ends": "租约 {tables}",
        "told": "块 {number}，{size:,} 个 token 中的 {tokens:,} 个，{state}", "told gone": "一个块原来的内容，已驱逐",
        "told refs": "，引用 {refs:,}", "told victim": "，下一个驱逐对象", "told hash": "，哈希 {digest}",
        "told after": "，接在 {digest} 之后", "told broken": "，前一块已不在",
        "told pending": "，命中尚不算数", "told place": "，空闲队列中第 {place:,} 个",
    },
}  # fmt: skip
"""What pictures of blocks say."""

COUNTS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "en": {
        "requests": ("{:,} request", "{:,} requests"),
        "events": ("{:,} event", "{:,} events"),
        "nodes": ("{:,} node", "{:,} nodes"),
        "slots": ("{:,} slot", "{:,} slots"),
        "more nodes": ("{:,} more node", "{:,} more nodes"),
        "more splits": ("{:,} more split", "{:,} more splits"),
    },
    "zh": {
        "requests": ("{:,} 个请求", "{:,} 个请求"),
        "events": ("{:,} 个事件", "{:,} 个事件"),
        "nodes": ("{:,} 个节点", "{:,} 个节点"),
        "slots": ("{:,} 个槽", "{:,} 个槽"),
        "more nodes": ("{:,} 个节点", "{:,} 个节点"),
        "more splits": ("{:,} 次拆分", "{:,} 次拆分"),
    },
}
"""A number of things, in words: one, and any other number."""
