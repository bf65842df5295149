"""The keys of the registry as bindings, place by place. Importing it brings the app's own commands into it."""

from __future__ import annotations

from textual.binding import Binding

from .. import app_commands  # noqa: F401  its rows belong to the registry
from ..commands import COMMANDS, LESSON, Command, Key


def bindings(where: str) -> list[Binding]:
    """Returns the keys of the chat's table for one place."""
    return [
        Binding(
            key.key,
            "app.interrupt" if key.key == "ctrl+c" else f"app.run({f'/{known.name} {key.argument}'.strip()!r})",
            key.footer or known.summary,
            show=bool(key.footer),
            priority=not where and key.key != "escape",
        )
        for known, key in sorted(_keys(where), key=_order)
    ]


def lesson_bindings(*, tree: bool = False) -> list[Binding]:
    """Returns the keys of the lesson's table, of the tree or of all the rest; the app says which hold at a moment."""
    return [
        Binding(
            key.key,
            f"app.run({f'/{known.name} {key.argument}'.strip()!r}, {key.where!r})",
            key.footer or known.summary,
            show=bool(key.footer),
        )
        for known in LESSON.values()
        for key in known.keys
        if (key.where == "tree") is tree
    ]


def _order(row: tuple[Command, Key]) -> tuple[int, str]:
    """The footer begins with F1, F2 …, then come the app's own commands: what changes something stands last."""
    command, key = row
    if key.key[0] == "f" and key.key[1:].isdigit():
        return 0, key.key
    return (1 if command.app else 2), ""


def _keys(where: str) -> list[tuple[Command, Key]]:
    return [(known, key) for known in COMMANDS.values() for key in known.keys if key.where == where]
