"""An engine on words over any cache, recorded as a chat is, and what was ever resident by looking at every snapshot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radixchat.chat.engine import Engine
from radixchat.chat.engine.engine import Ask
from radixchat.chat.engine.words import WordsRunner
from radixchat.radix import NodeView, PrefixCache, Snapshot
from radixchat.radix import events as ev
from radixchat.radix.keys import TOKEN_BYTES, Int32Array, as_array
from radixchat.radix.recording import Header, Recorder, Recording
from radixchat.radix.why import Why, Whys

Tokens = tuple[int, ...]
Prefix = tuple[str, Tokens]
"""A namespace, and tokens from the first on."""


class Numbers:
    """Numbers are tokens; those from 1000 on spell what two others spell together."""

    name = "numbers"
    eos_ids: frozenset[int] = frozenset()

    def encode(self, text: str) -> Int32Array:
        return np.array([int(word) for word in text.split()], dtype=np.int32)

    def token_bytes(self, token: int) -> bytes:
        if token >= 1000:
            return self.token_bytes(token // 1000) + self.token_bytes(token % 1000)
        return b"%d " % token


class Served:
    """Requests to a cache, and the explanation of each."""

    def __init__(self, cache: PrefixCache, name: str = "radix", *, max_running: int = 16) -> None:
        self.engine = Engine(WordsRunner(), cache, Numbers(), name="words", cache_name=name, max_running=max_running)  # type: ignore[arg-type]
        self.recorder = Recorder(Header(cache.config, cache=name), Numbers().token_bytes)
        self.engine.listeners.append(self.recorder.add)
        self.whys = Whys(self.recording)
        self.prompts: dict[int, Prefix] = {}

    @property
    def recording(self) -> Recording:
        return self.recorder.recording

    def ask(self, *asks: Ask) -> Why:
        """Serves requests at once; returns the explanation of the last one."""
        self._expect(*asks)
        try:
            self.engine.run(asks)
        finally:
            self.engine.check_integrity()
            self.recorder.flush()
        return self.whys.of_request(len(self.prompts))

    def _expect(self, *asks: Ask) -> None:
        for each in asks:
            for _ in each.forced:
                assert isinstance(each.prompt, np.ndarray)
                self.prompts[len(self.prompts) + 1] = (each.namespace, tuple(each.prompt.tolist()))

    def try_to_ask(self, *asks: Ask) -> None:
        """The same for requests that may find no room; those that get nowhere in 100 iterations are cancelled."""
        self._expect(*asks)
        numbers = [number for each in asks for number in self.engine.submit(each)]
        for _ in range(100):
            if not self.engine.busy:
                break
            self.engine.iterate()
        for number in numbers:
            self.engine.cancel(number)
        self.engine.iterate()
        self.recorder.flush()

    def say(self, prompt: Sequence[int], reply: Sequence[int] = (1,), talk: str = "", namespace: str = "") -> Why:
        """Serves one request."""
        return self.ask(asks(prompt, reply, talk=talk, namespace=namespace))


def asks(prompt: Sequence[int], *replies: Sequence[int], talk: str = "", namespace: str = "") -> Ask:
    """A request, or samples of one prompt."""
    forced = tuple(np.array(reply, dtype=np.int32) for reply in replies)
    return Ask(prompt=np.array(prompt, dtype=np.int32), forced=forced, conversation=talk, namespace=namespace)


class Witness:
    """What was resident after each event, told from snapshots."""

    def __init__(self, recording: Recording) -> None:
        self._filled: dict[int, Tokens] = {}  # node of a block -> all tokens up to its end
        self.ever: set[Prefix] = set()
        self.at: dict[int, tuple[set[Prefix], set[Prefix]]] = {}  # request -> resident when it began, and until then
        for position, event in enumerate(recording.events):
            if isinstance(event, ev.RequestStarted):
                self.at[event.request] = (self._resident(recording.at(position)), set(self.ever))
            if type(event) not in ev.QUIET:
                self.ever |= self._resident(recording.at(position + 1))

    def _resident(self, snapshot: Snapshot) -> set[Prefix]:
        found: set[Prefix] = set()
        blocks = None if snapshot.blocks is None else self._of_tables(snapshot)
        for root in snapshot.roots:
            stack: list[tuple[Tokens, NodeView]] = [((), child) for child in root.node.children]
            while stack:
                above, node = stack.pop()
                own = tuple(node.tokens.tolist())
                tokens = above + own if blocks is None else blocks[node.id]
                found |= {(root.namespace, tokens[:end]) for end in range(len(tokens) - len(own) + 1, len(tokens) + 1)}
                stack.extend((tokens, child) for child in node.children)
        return found

    def _of_tables(self, snapshot: Snapshot) -> dict[int, Tokens]:
        """What a block stands for is what its table holds when it is filled; the block before it may be no node."""
        assert snapshot.blocks is not None
        blocks, full = {block.number: block for block in snapshot.blocks.blocks}, snapshot.page_size * TOKEN_BYTES
        for table in snapshot.blocks.tables:
            tokens: Tokens = ()
            for number in table.blocks:
                tokens += tuple(as_array(blocks[number].key).tolist())
                if blocks[number].node and len(blocks[number].key) == full:
                    self._filled[blocks[number].node] = tokens
        return self._filled
