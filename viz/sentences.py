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
