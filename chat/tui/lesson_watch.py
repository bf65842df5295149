"""The pane of the tree in a lesson: it draws what a player holds; its keys and its timeline belong to the lesson.

Knows players; not what is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from ...viz.tree_view import TreeView
from ..lessons.telling import Level
from .keys import lesson_bindings
from .lines import Lines
from .scene import Scene
from .watch import Watch

if TYPE_CHECKING:
    from ..lessons.player import Player


class LessonWatch(Watch, inherit_bindings=False):
    """The pane of the tree in a lesson: its keys and its timeline belong to the lesson."""

    BINDINGS: ClassVar = lesson_bindings(tree=True)

    @dataclass
    class Pointed(Message):
        """Somebody clicked into the timeline."""

        position: int

    def compose(self) -> ComposeResult:
        """The parts, and room beside the tree."""
        for part in super().compose():
            if isinstance(part, TreeView):
                with Horizontal(id="ground"):
                    yield part
                    yield Lines("aside")
            else:
                yield part

    def on_mount(self) -> None:
        """A figure that does not fit gives way at once: there is no time to pan in front of a class."""
        self.drawing.slack = 1.0

    def clicked(self, position: int) -> None:
        """Leaves it to the lesson to go there."""
        self.post_message(self.Pointed(position))

    def show(self, player: Player, *, reveal: bool) -> None:
        """Draws what a player holds; with `reveal`, what happened since in beats."""
        self.scene = Scene(
            letters=player.letters,
            veiled=player.veiled,
            until=player.limit,
            lang=player.lang,
            intro=player.level is Level.INTRO,
            names=lambda position: player.names(position - 1, position, self.look),
        )
        run = player.run
        if self.recording is not run.recording:
            self.restyle(self.look.palette, run.abridged, player.lang)
            self.open(run.recording, run.recording.pieces, run.bytes_per_token, player.position)
        elif self.look.lang != player.lang:
            self.restyle(self.look.palette, lang=player.lang)
        if reveal and player.position > self.position:
            self.reveal(player.position)
        else:
            self.travel_to(player.position)

    def walk(self, by: int) -> None:
        """Moves the cursor from node to node, round and round."""
        nodes = [node.id for node in self.snapshot.nodes()] if self.snapshot is not None else []
        if nodes:
            cursor = self.drawing.cursor
            self.drawing.cursor = nodes[(nodes.index(cursor) + by) % len(nodes) if cursor in nodes else 0]
