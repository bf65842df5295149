"""Commands that experiment with the cache: more rows for the one registry (`chat.commands`).

Each changes the live cache as a request could not: it pins, evicts, resizes, or decides otherwise. What they do becomes
events like everything else, so recordings replay to the same trees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..radix import CacheConfig, NodeView, NoRoom, RadixCache
from ..radix.policies import POLICIES
from .chat import Chat, Item, Tree
from .commands import command, number_of, size_of, wanted
from .counted import counted
from .engine import Engine
from .engine.engine import cache_of
from .errors import RequestError, UsageError


@command("capacity", "[TOKENS|BYTES]", "the size of the pool, or change it; a smaller one evicts")
def _capacity(chat: Chat, argument: str) -> Iterator[Item]:
    from .engine.load import parse_capacity

    if argument:
        try:
            _resize(chat.engine, parse_capacity(argument, chat.engine.bytes_per_token))
        except NoRoom as error:
            raise RequestError(str(error), "Unpin nodes first (/pins), or choose a larger capacity.") from None
        except ValueError as error:
            raise UsageError(str(error), "Give more.") from None
    yield f"capacity {size_of(chat, chat.engine.cache.capacity)}"
    if argument:
        yield Tree(chat.snapshot(), changed=True)


def _resize(engine: Engine, tokens: int) -> None:
    """Resizes the pool; refuses what memory does not hold before anything is changed."""
    if engine.bytes_per_token and engine.name != "words":
        import torch

        from .engine.memory import check_pool

        check_pool(tokens, engine.bytes_per_token, torch.device(engine.device), engine.cache.capacity)
    engine.resize(tokens)


@command("evict", "[TOKENS|#ID]", "evict that many tokens, or one leaf, or the next victim")
def _evict(chat: Chat, argument: str) -> Iterator[Item]:
    cache = chat.engine.cache
    if argument.startswith("#"):
        number = number_of(argument[1:], "/evict #4")
        tree = _tree(chat, "/evict #ID", "/evict 100 takes blocks from the head of the queue.")
        try:
            gone = (tree.evict_node(number),)
        except ValueError as error:
            raise UsageError(str(error), "/tree shows the nodes; only unlocked leaves can go.") from None
    else:
        tokens = argument.removesuffix("tokens").removesuffix("tok").strip()
        gone = cache.evict(number_of(tokens, "/evict 100") if argument else 1)
    chat.engine.publish()
    if not gone:
        tree = chat.consists_of == "node"
        why = "the tree is empty, or every leaf is locked" if tree else "no block is retained that nobody uses"
        yield f"nothing can be evicted: {why}"
    yield f"evicted {counted(len(gone), chat.consists_of)} ({sum(node.tokens for node in gone)} tok)"
    yield Tree(chat.snapshot(), changed=True)


# -- pins -----------------------------------------------------------------------------------------------------------


def _tree(chat: Chat, what: str, fix: str = "") -> RadixCache:
    """Returns the cache if it is a tree. Raises UsageError in the name of a command that only a tree can serve."""
    cache = chat.engine.cache
    if not isinstance(cache, RadixCache):
        raise UsageError(
            f"{what} needs a radix tree; this cache has hash blocks ({cache.config.preset})",
            fix or "Start one with --cache radix; /compare sets this conversation beside it.",
        )
    return cache


def _nodes(chat: Chat) -> list[str]:
    return [f"#{node.id}" for node in chat.snapshot().nodes()]


def _pinned(chat: Chat) -> list[str]:
    cache = chat.engine.cache
    return [f"#{node}" for node in cache.pins] if isinstance(cache, RadixCache) else []


@command("pin", "#ID", "protect a node and all above it from eviction, until /unpin (◆)", choices=_nodes)
def _pin(chat: Chat, argument: str) -> Iterator[Item]:
    cache = _tree(chat, "/pin")
    node = _node(chat, argument, "/pin #4")
    if node.id in cache.pins:
        raise UsageError(f"#{node.id} is pinned already", f"/unpin #{node.id} gives it free; /pins lists the pins.")
    cache.lock(node.id)
    chat.engine.publish()
    yield f"pinned #{node.id}: {_protected(chat)}"
    yield Tree(chat.snapshot(), changed=False)


@command("unpin", "#ID|all", "take a pin back", choices=lambda chat: [*_pinned(chat), "all"])
def _unpin(chat: Chat, argument: str) -> Iterator[Item]:
    cache = _tree(chat, "/unpin")
    chosen = list(cache.pins) if argument == "all" else [_node(chat, argument, "/unpin #4").id]
    for node in chosen:
        try:
            cache.unlock(node)
        except ValueError as error:
            raise UsageError(str(error), "/pins lists the pins.") from None
    chat.engine.publish()
    yield f"unpinned {', '.join(f'#{node}' for node in chosen) or 'nothing'}: {_protected(chat)}"
    yield Tree(chat.snapshot(), changed=False)


@command("pins", "", "the nodes that are pinned, and what they protect")
def _pins(chat: Chat, argument: str) -> Iterator[Item]:
    cache, snapshot = _tree(chat, "/pins"), chat.snapshot()
    for pinned in cache.pins:
        path = snapshot.path(pinned)
        yield f"◆ #{pinned}: {path[-1].size} tokens of its own, {sum(node.size for node in path)} with those above it"
    yield f"{len(cache.pins)} pinned: {_protected(chat)}"


def _node(chat: Chat, argument: str, example: str) -> NodeView:
    """Returns a node by id, with or without #."""
    number = number_of((argument or wanted("a node's number", example)).removeprefix("#"), example)
    node = chat.snapshot().find(number)
    if node is None:
        raise UsageError(f"there is no node {number}", "/tree shows the nodes.")
    return node


def _protected(chat: Chat) -> str:
    snapshot = chat.snapshot()
    return f"{snapshot.protected} of {snapshot.resident} resident tokens are protected"


# -- other rules ----------------------------------------------------------------------------------------------------


@command("policy", "[NAME]", "which leaf goes first, or change it; the tree stays", choices=lambda chat: list(POLICIES))
def _policy(chat: Chat, argument: str) -> Iterator[Item]:
    cache = _tree(chat, "/policy")
    if argument:
        try:
            cache.set_policy(argument)
        except ValueError as error:
            raise UsageError(str(error), "Write it like `/policy lfu`.") from None
        chat.engine.publish()
    victim = chat.snapshot().next_victim
    yield f"policy {cache.policy}: {f'#{victim} would go first' if victim is not None else 'nothing can go now'}"
    if argument:
        yield Tree(chat.snapshot(), changed=False)


@command("page-size", "[N] [yes]", "tokens of a page, or change it; that empties the cache and begins a new recording")
def _page_size(chat: Chat, argument: str) -> Iterator[Item]:
    cache = _tree(chat, "/page-size", "Blocks of another size: start with --cache hash --block-size N.")
    if not argument:
        yield f"page size {cache.config.page_size}"
        return
    number, _, answer = argument.partition(" ")
    size = number_of(number, "/page-size 16")
    config, name = _with_pages(cache, size), chat.engine.cache_name
    if answer.strip() != "yes":
        yield f"Pages of {size} empty the cache and begin a new recording; conversations stay."
        yield f"/page-size {size} yes does it."
        return
    chat.take_over(chat.engine.with_cache(cache_of(name, config), cache_name=name))
    yield f"page size {size}: the cache is empty, capacity {size_of(chat, chat.engine.cache.capacity)}"


@command("reset", "", "empty the cache: every node goes, pins too; conversations stay")
def _reset(chat: Chat, argument: str) -> Iterator[Item]:
    gone = chat.snapshot().resident
    chat.engine.cache.reset()
    chat.engine.publish()
    yield f"the cache is empty: {gone} tokens went"


@command("prove", "", "run the last turn again without the cache: both times, and whether the text is equal")
def _prove(chat: Chat, argument: str) -> Iterator[Item]:
    yield from chat.prove()


def _with_pages(cache: RadixCache, page_size: int) -> CacheConfig:
    """Returns the settings of a cache as large as now, with another page size."""
    try:
        return replace(cache.config, capacity=cache.capacity, policy=cache.policy, page_size=page_size)
    except ValueError as error:
        raise UsageError(str(error), "Write it like `/page-size 16`.") from None
