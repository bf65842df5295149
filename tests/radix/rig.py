"""An engine without a model: runs requests on any cache, over a pool that remembers which prefix each slot holds.

The K/V of a token depends on the whole prefix before it, so a slot that holds the wrong prefix is a wrong answer.
"""

from __future__ import annotations

from radixchat.radix import Lease, NodeView, PrefixCache, Snapshot, Update, as_array

Tokens = tuple[int, ...]
Content = tuple[str, Tokens]  # namespace and prefix

SCRATCH = 0


class Request:
    """A running request: its lease, and what it has computed."""

    def __init__(self, lease: Lease, prompt: Tokens, computed: Tokens) -> None:
        self.lease = lease
        self.prompt = prompt
        self.tokens = computed  # tokens whose K/V exists

    @property
    def room(self) -> int:
        """Positions that have a slot and no K/V yet."""
        return len(self.lease) - self.lease.computed

    def content(self, position: int) -> Content:
        return self.lease.namespace, self.tokens[: position + 1]


class Rig:
    """A cache, its pool, and the requests that run."""

    def __init__(self, cache: PrefixCache) -> None:
        self.cache = cache
        self.pool: dict[int, Content] = {}
        self.running: list[Request] = []

    def begin(self, prompt: Tokens, namespace: str = "", priority: int = 0) -> Request:
        lease = self.cache.begin(prompt, namespace, priority)
        assert 0 <= lease.computed < len(prompt), "one token at least is left to compute"
        assert lease.computed <= len(lease) <= len(prompt)
        request = Request(lease, prompt, prompt[: lease.computed])
        self.running.append(request)
        return request

    def extend(self, request: Request, n: int) -> Update:
        before = len(request.lease)
        update = self.cache.extend(request.lease, n)
        assert update.new_slots.tolist() == request.lease.slots[before:].tolist()
        assert update.new_slots.size == n
        for sources, targets in update.copies:
            for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
                self.pool[target] = self.pool[source]
        self._check_remaps(request, update)
        return update

    def commit(self, request: Request, tokens: Tokens) -> Update:
        """Computes the K/V of the next tokens, and commits them."""
        start = request.lease.computed
        request.tokens += tokens
        for position in range(start, start + len(tokens)):
            self.pool[int(request.lease.slots[position])] = request.content(position)
        update = self.cache.commit(request.lease, tokens)
        assert request.lease.computed == start + len(tokens) == len(request.tokens)
        self._check_remaps(request, update)
        return update

    def prefill(self, request: Request) -> Update:
        """Gets room for what is left of the prompt, and computes it."""
        self.extend(request, len(request.prompt) - len(request.lease))
        return self.commit(request, request.prompt[request.lease.computed :])

    def decode(self, request: Request, tokens: Tokens) -> None:
        """Computes a reply token by token."""
        for token in tokens:
            self.extend(request, 1)
            self.commit(request, (token,))

    def fork(self, request: Request) -> Request:
        lease = self.cache.fork(request.lease)
        other = Request(lease, request.tokens[: lease.computed], request.tokens[: lease.computed])
        self.running.append(other)
        return other

    def finish(self, request: Request, keep: bool = True, uncached: Tokens = ()) -> None:
        self.cache.finish(request.lease, keep, uncached)
        assert not request.lease.open
        self.running.remove(request)

    def turn(self, prompt: Tokens, reply: Tokens = (), namespace: str = "", uncached: Tokens = ()) -> Request:
        """Runs a whole request."""
        request = self.begin(prompt, namespace)
        self.prefill(request)
        self.decode(request, reply)
        self.finish(request, uncached=uncached)
        return request

    def check(self) -> Snapshot:
        """Asserts that memory adds up and that every slot in use holds its own prefix; returns the snapshot."""
        self.cache.check_integrity([request.lease for request in self.running])
        for request in self.running:
            self._check_slots(request)
        snapshot = self.cache.snapshot()
        assert snapshot.capacity == self.cache.capacity
        assert snapshot.free + snapshot.in_flight + snapshot.protected + snapshot.evictable == snapshot.capacity
        assert min(snapshot.free, snapshot.in_flight, snapshot.protected, snapshot.evictable) >= 0
        pages_of(snapshot)
        for (namespace, tokens), slots in pages_in(snapshot):
            for end, slot in enumerate(slots, start=len(tokens) - len(slots) + 1):
                assert self.pool[slot] == (namespace, tokens[:end]), f"slot {slot} does not hold {tokens[:end]}"
        return snapshot

    def _check_remaps(self, request: Request, update: Update) -> None:
        for start, slots in update.remaps:
            assert request.lease.slots[start : start + slots.size].tolist() == slots.tolist()
        self._check_slots(request)

    def _check_slots(self, request: Request) -> None:
        slots = request.lease.slots.tolist()
        assert len({slot for slot in slots if slot != SCRATCH}) == len([slot for slot in slots if slot != SCRATCH])
        for position in range(request.lease.computed):
            assert slots[position] != SCRATCH, f"position {position} was committed and lies in the scratch slot"
            assert self.pool[slots[position]] == request.content(position), f"position {position} lost its K/V"


def pages_of(snapshot: Snapshot) -> dict[Content, Tokens]:
    """Returns the slots of every page in the tree, by the prefix it ends; one that stands there twice fails.

    Hash blocks may stand there twice under some rules; then it is the first.
    """
    found: dict[Content, Tokens] = {}
    for content, slots in pages_in(snapshot):
        assert content not in found or snapshot.blocks is not None, f"{content} stands in two nodes"
        found.setdefault(content, slots)
    return found


def pages_in(snapshot: Snapshot) -> list[tuple[Content, Tokens]]:
    """Returns every page in the tree and its slots; of hash blocks, those whose chain is whole."""
    found: list[tuple[Content, Tokens]] = []
    page = snapshot.page_size
    broken = {block.node for block in snapshot.blocks.blocks if block.parent} if snapshot.blocks is not None else set()
    for root in snapshot.roots:
        pairs: list[tuple[Tokens, NodeView]] = [((), child) for child in root.node.children if child.id not in broken]
        while pairs:
            above, node = pairs.pop()
            tokens, slots = above + tuple(node.tokens.tolist()), as_array(node.slots).tolist()
            for start in range(0, node.size, page):
                prefix = tokens[: len(above) + start + page]
                found.append(((root.namespace, prefix), tuple(slots[start : start + page])))
            pairs.extend((tokens, child) for child in node.children)
    owned = [slot for node in snapshot.nodes() for slot in as_array(node.slots).tolist()]
    assert len(set(owned)) == len(owned), "a slot stands in two nodes"
    return found
