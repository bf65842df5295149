"""`/compare` in a chat: a row of the one registry (`chat.commands`). It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...radix.presets import PRESETS
from ..chat import Chat
from ..commands import command
from ..errors import UsageError
from ..items import Compared, Item


@command(
    "compare",
    "[PRESET]",
    "this conversation so far in other caches: tree and hash blocks side by side, and why they differ",
    choices=lambda chat: list(PRESETS),
)
def _compare(chat: Chat, argument: str) -> Iterator[Item]:
    from .run import Wanted, contest_of
    from .sources import of_conversation

    if argument and argument not in PRESETS:
        raise UsageError(f"there is no preset {argument!r}", f"Choose among {', '.join(PRESETS)}.")
    engine = chat.engine
    script = of_conversation(
        chat.current,
        replace(engine.cache.config, capacity=engine.cache.capacity),
        engine.tokenizer.token_bytes,
        model=engine.name,
        tokenizer=engine.tokenizer.name,
        bytes_per_token=engine.bytes_per_token,
    )
    yield from script.notes
    yield Compared(contest_of(script, Wanted(presets=(argument,) if argument else ())))
