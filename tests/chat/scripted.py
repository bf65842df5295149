"""A chat without a model: every byte is a token, and replies come from a script."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from radixchat.chat.chat import Chat
from radixchat.chat.engine import Engine, SamplingParams
from radixchat.chat.engine.engine import CACHES
from radixchat.chat.engine.runner import Runner, Work
from radixchat.radix.keys import Int32Array

EOS = 10  # the newline, as in the bundled model
SYSTEM = "You are a helpful assistant."


class ByteTokenizer:
    """Bytes are tokens; the plain chat format."""

    name = "bytes"
    eos_ids = frozenset({EOS})

    def encode(self, text: str) -> Int32Array:
        return np.frombuffer(text.encode("utf-8"), dtype=np.uint8).astype(np.int32)

    def token_bytes(self, token: int) -> bytes:
        return bytes([token])

    def render(self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool, thinking: bool | None) -> str:
        lines = [] if messages[0]["role"] == "system" else [SYSTEM]
        for message in messages:
            content = message["content"]
            match message["role"]:
                case "system":
                    lines.append(content)
                case "user":
                    lines.append(f"User: {content}")
                case _:
                    lines.append(f"Assistant: {content.lstrip()}")
        return "\n".join([*lines, "Assistant:" if add_generation_prompt else ""])


class ScriptedRunner:
    """Says what the script says, a byte a step, each reply ended by a newline."""

    bytes_per_token = 4

    def __init__(self, script: list[bytes], max_context: int = 4000) -> None:
        self.script = script
        self.max_context = max_context
        self._left = b""

    def step(self, batch: Sequence[Work]) -> list[tuple[int, ...]]:
        return [(self._next(work),) if work.samplers else () for work in batch]

    def _next(self, work: Work) -> int:
        if work.tokens.size != 1 or not self._left:
            self._left = self.script.pop(0) + b"\n"
        token, self._left = self._left[0], self._left[1:]
        return token

    def copy(self, sources: Int32Array, targets: Int32Array) -> None:
        pass

    def resize(self, slots: int) -> None:
        pass

    def sibling(self, slots: int) -> Runner:
        return self

    def logits(self, work: Work) -> npt.NDArray[np.float32]:
        return np.ones(2, dtype=np.float32)  # a tie, wherever two replies differ


def scripted_engine(
    *replies: str | bytes,
    capacity: int = 1000,
    max_context: int = 4000,
    cache: str = "radix",
    max_tokens: int = 200,
    **rules: object,
) -> Engine:
    """An engine that gives these replies in order; their leading blank is added."""
    script = [b" " + (reply.encode() if isinstance(reply, str) else reply) for reply in replies]
    prefix_cache = CACHES[cache](capacity, **rules)
    runner = ScriptedRunner(script, max_context)
    defaults = SamplingParams(temperature=0, max_tokens=max_tokens)
    return Engine(runner, prefix_cache, ByteTokenizer(), name="scripted", cache_name=cache, defaults=defaults)


def scripted_chat(*replies: str | bytes, **options: object) -> Chat:
    """A chat over such an engine; records in memory only."""
    engine = scripted_engine(*replies, **options)  # type: ignore[arg-type]
    return Chat(lambda model: engine, keep=False)
