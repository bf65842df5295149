"""`/compare` in a chat: a row of the one registry (`chat.commands`). It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...radix.presets import PRESETS
from ..chat import Chat
from ..commands import command
from ..items import Compared, Item


@command(
    "compare",
    "[PRESET,...]",
    "this conversation so far in other caches: tree and hash blocks side by side, and why they differ",
    choices=lambda chat: list(PRESETS),
)
def _compare(chat: Chat, argument: str) -> Iterator[Item]:
    from .run import Wanted, contest_of
    from .sources import of_conversation

    presets = [name.strip() for name in argument.split(",") if name.strip()]
    engine = chat.engine
    script = of_conversation(
        chat.current,
        replace(engine.cache.config, capacity=engine.cache.capacity),
        engine.tokenizer.token_bytes,
        title=f"{chat.current.name} alone, from empty caches",  # others may have left it more in this chat's own
        model=engine.name,
        tokenizer=engine.tokenizer.name,
        bytes_per_token=engine.bytes_per_token,
    )
    yield from script.notes
    yield Compared(contest_of(script, Wanted(presets=presets)))
