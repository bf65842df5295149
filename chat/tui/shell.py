"""What every screen of radixchat shares: themes, the palette of commands, help, and how lines become commands.

Everything a person can do is a row of a table of the registry; a row is carried out by the method `_do_NAME`, else by
the pane of the tree. Knows no chat and no lesson.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual.app import App
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.css.query import NoMatches

from ...viz import sanitize
from ...viz.picture import Look
from .. import commands
from ..commands import Command
from ..errors import UsageError, UserError
from .crash import unexpected
from .help import CHAT, HelpScreen, key_name
from .lines import Lines, in_ascii
from .themes import OURS, PALETTE_OF
from .watch import Watch

TINY = 40
"""Columns below which nothing useful fits."""

PALETTE_KEYS = (
    Binding("ctrl+c", "help_quit", show=False, system=True),
    Binding("ctrl+p", "command_palette", "Palette", show=False, priority=True),
)
"""Keys that Textual brings along."""


class Palette(Provider):
    """The registry in the command palette."""

    async def discover(self) -> Hits:
        """Everything, before something is typed."""
        for known in self._table.values():
            shown = f"/{known.name} {known.usage}".strip()  # as a text: its brackets are no markup
            yield DiscoveryHit(Text(shown), self._action(known), text=shown, help=known.summary)

    async def search(self, query: str) -> Hits:
        """What fits the query."""
        matcher = self.matcher(query)
        for known in self._table.values():
            shown = f"/{known.name} {known.usage}".strip()
            score = max(matcher.match(shown), 0.8 * matcher.match(known.summary))
            if score > 0:
                yield Hit(score, Text(shown), self._action(known), text=shown, help=known.summary)

    @property
    def _table(self) -> Mapping[str, Command]:
        assert isinstance(self.app, Shell)
        return self.app.table

    def _action(self, known: Command) -> Callable[[], None]:
        app = self.app
        assert isinstance(app, Shell)
        if known.usage and not known.usage.startswith("["):
            return lambda: app.write(f"/{known.name} ")
        return lambda: app.action_run(f"/{known.name}")


class Shell(App[int], inherit_bindings=False):
    """A screen with the tree in it.

    Args:
        look: ASCII and colour; the theme decides the palette.
        theme: A name from `PALETTE_OF`.
    """

    TITLE = "radixchat"
    COMMANDS: ClassVar = {Palette}
    table: ClassVar[Mapping[str, Command]] = commands.COMMANDS
    about: ClassVar[str] = CHAT

    def __init__(self, *, look: Look | None = None, theme: str = "dark") -> None:
        super().__init__()
        self.look = replace(look or Look(), colour=not self.no_color)
        self._theme = theme

    # -- for those who make a screen of it ----------------------------------------------------------------------------

    def action_run(self, line: str) -> None:
        """Runs a line of the registry, as if it had been typed."""
        raise NotImplementedError

    def write(self, text: str) -> None:
        """Puts a line into the input, to be finished there."""
        raise NotImplementedError

    def complain(self, error: UserError) -> None:
        """Shows what is wrong and what to do."""
        raise NotImplementedError

    def tell(self, text: str) -> None:
        """Says something in a line."""
        raise NotImplementedError

    # -- looks --------------------------------------------------------------------------------------------------------

    def dress(self) -> None:
        """Takes on theme and character set; to be called when mounted."""
        for theme in OURS:
            self.register_theme(theme)
        self.theme = self._theme
        self.set_class(self.look.ascii, "-ascii")

    @property
    def pane(self) -> Watch:
        """The pane of the tree."""
        return self.screen_stack[0].query_one(Watch)

    def watch_theme(self, theme: str) -> None:
        """Gives the tree the palette that goes with the theme."""
        with suppress(NoMatches, IndexError):  # before anything is mounted
            self.pane.restyle(PALETTE_OF.get(theme, "dark" if self.current_theme.dark else "light"))

    def get_key_display(self, binding: Binding) -> str:
        """Returns a key as the footer shows it."""
        return key_name(binding.key, ascii=self.look.ascii)

    def _line(self, id: str, text: Text) -> None:
        self.screen_stack[0].query_one(f"#{id}", Lines).write(text)

    def _safe(self, text: str) -> str:
        """Returns a line that may be shown; in ASCII, our own separators and all."""
        return sanitize(in_ascii(text) if self.look.ascii else text, ascii=self.look.ascii)

    def _fatal_error(self) -> None:
        """A bug: two lines, and a traceback in a file. Textual 8.2 would print the traceback."""
        error = unexpected(self._exception or RuntimeError("unknown"))
        self.panic(Text(f"radixchat: {error.what}\n{error.fix}"))

    # -- commands -----------------------------------------------------------------------------------------------------

    def act(self, name: str, argument: str) -> None:
        """Carries out what only the app can do."""
        try:
            handler = getattr(self, f"_do_{name.replace('-', '_')}", None)
            if handler is not None:
                handler(argument)
            else:
                for told in self.pane.act(name, argument):
                    self.tell(told)
        except UserError as error:
            self.complain(error)

    def _do_quit(self, argument: str) -> None:
        self.run_worker(self.action_quit())

    def _do_help(self, argument: str) -> None:
        self.push_screen(HelpScreen(self.table, about=self.about, ascii=self.look.ascii))

    def _do_theme(self, argument: str) -> None:
        names = list(PALETTE_OF)
        if argument and argument not in self.available_themes:
            raise UsageError(f"there is no theme {argument!r}", f"Themes: {', '.join(PALETTE_OF)}.")
        following = (names.index(self.theme) + 1) % len(names) if self.theme in names else 0
        self.theme = argument or names[following]
        self.tell(f"theme {self.theme}")
