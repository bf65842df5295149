"""Reading a cache in tests."""

from __future__ import annotations

from radixchat.radix import NodeView, RadixCache, Snapshot, State, as_array

Tokens = tuple[int, ...]


def outline(cache: RadixCache, namespace: str = "") -> list[str]:
    """Returns the tree as lines of tokens, children indented: ``["1 2", "  3", "  4 5"]``."""
    lines: list[str] = []
    root = next(root for root in cache.snapshot().roots if root.namespace == namespace)
    stack = [(0, child) for child in reversed(root.node.children)]
    while stack:
        depth, node = stack.pop()
        lines.append("  " * depth + " ".join(map(str, node.tokens.tolist())))
        stack.extend((depth + 1, child) for child in reversed(node.children))
    return lines


def node_ending(cache: RadixCache, *tokens: int) -> NodeView:
    """Returns the node whose path spells these tokens, in the default namespace."""
    snapshot = cache.snapshot()
    for node in snapshot.nodes():
        if path_tokens(snapshot, node.id) == tokens:
            return node
    raise AssertionError(f"no node ends {tokens}: {outline(cache)}")


def path_tokens(snapshot: Snapshot, node_id: int) -> Tokens:
    """Returns the tokens from the root to a node's last."""
    return tuple(token for node in snapshot.path(node_id) for token in node.tokens.tolist())


def slots_of(node: NodeView) -> list[int]:
    return [int(slot) for slot in as_array(node.slots)]


def states(cache: RadixCache) -> dict[str, State]:
    """Returns the state of every node in this step, by the tokens on its edge."""
    snapshot = cache.snapshot()
    return {" ".join(map(str, node.tokens.tolist())): snapshot.state(node) for node in snapshot.nodes()}


def memory(cache: RadixCache) -> dict[str, int]:
    """Returns where the capacity is."""
    now = cache.snapshot()
    return {"free": now.free, "in flight": now.in_flight, "protected": now.protected, "evictable": now.evictable}


def assert_memory(
    cache: RadixCache, *, free: int | None = None, in_flight: int = 0, protected: int = 0, evictable: int = 0
) -> None:
    """Asserts where the capacity is; `free` is what is left unless given."""
    left = cache.capacity - in_flight - protected - evictable if free is None else free
    assert memory(cache) == {"free": left, "in flight": in_flight, "protected": protected, "evictable": evictable}
