"""Commands that ask about the past: more rows for the one registry (`chat.commands`). They change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from .chat import Chat, Item
from .commands import command, number_of


@command(
    "why",
    "[STEP|on|off]",
    "why the last prompt, or that of a step, was not reused; on or off: the line under a turn",
    choices=lambda chat: ["on", "off"],
)
def _why(chat: Chat, argument: str) -> Iterator[Item]:
    if argument in ("on", "off"):
        chat.tells_why = argument == "on"
        yield f"the line under a turn that says why is {argument}{'' if chat.tells_why else '; /why still answers'}"
        return
    chat.journal.recorder.flush()
    for why in chat.explained.of_step(number_of(argument, "/why 3") if argument else None):
        yield from chat.explained.tell(why)
