"""The honest baselines: keep the last sequence only, as simple chat programs do, and keep nothing.

Both are radix caches with a rule on top, so that snapshots, events and memory mean the same in a comparison.
"""

from __future__ import annotations

from .held import held_by
from .keys import Key, Tokens, as_key, count
from .leases import Gone, Lease, Peek, Update
from .state import Node
from .tree import RadixCache


class LastSequence(RadixCache):
    """Keeps the sequence of the last request only: what a new prompt does not share with it goes at once.

    A request that runs beside others can only drop what they do not hold.
    """

    def begin(self, key: Tokens, namespace: str = "", priority: int = 0) -> Lease:
        """Matches a prompt with the last sequence, then evicts everything past the match."""
        lease = super().begin(key, namespace, priority)
        held = held_by(lease)
        node, at, _ = self._walk(held.root, as_key(key))
        if 0 < at < node.size:
            self._relock(held, self._split(node, at))
        self._evictor.evict(self._evictor.evictable, "not last")
        return lease

    def peek(self, key: Tokens, namespace: str = "") -> Peek:
        """Says what a prompt would do; all that it does not share with the last sequence is among what goes."""
        peek = super().peek(key, namespace)
        root = self._state.roots.get(namespace)
        if root is None:
            return peek._replace(evicts=self._evictor.would_go(self._evictor.evictable, set()))
        node, at, _ = self._walk(root, as_key(key))
        gone = self._evictor.would_go(self._evictor.evictable, {step.id for step in node.up_to(root)})
        rest = 0 if node.locks else node.size - at  # of a node that the prompt leaves or ends in: cut off, and gone
        if rest:
            gone += (Gone(node.id, rest),)
        return peek._replace(evicts=gone)


class NoCache(RadixCache):
    """Finds nothing and keeps nothing: every prompt is computed whole. The control in every comparison."""

    def _walk(self, root: Node, key: Key) -> tuple[Node, int, int]:
        return root, 0, 0

    def commit(self, lease: Lease, tokens: Tokens) -> Update:
        """Leaves the tokens with their lease; they go when it finishes."""
        assert lease.open, "this lease is finished"
        lease.computed += count(as_key(tokens))
        return Update()
