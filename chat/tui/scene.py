"""What a lesson makes of a moment: letters, a veil while a question is open, and where the known events end.

Knows snapshots and texts; no widget and no lesson.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from rich.text import Text

from ...radix import Snapshot
from ...radix.snapshots import NodeView, Root

OF_ENGINEERS = ("locks", "last use", "created", "hits", "priority", "slots", "use")
"""Facts of a node's detail that an introduction leaves out."""

NO_LETTERS: Mapping[int, str] = {}


@dataclass(frozen=True, slots=True)
class Scene:
    """How a pane shows a moment; the default is that of a chat."""

    letters: Mapping[int, str] = field(default_factory=lambda: NO_LETTERS)  # by node
    veiled: bool = False  # a question is open
    until: int | None = None  # nothing after this position is shown; None: all there is
    lang: str = "en"
    intro: bool = False  # without numbers of nodes, locks, slots and the clock
    names: Callable[[int], Mapping[int, str] | None] = lambda position: None  # what nodes are called at a position

    @property
    def taught(self) -> bool:
        """Whether a lesson is shown: there is no present to come back to."""
        return self.until is not None

    def of(self, snapshot: Snapshot) -> Snapshot:
        """Returns what is shown of a moment."""
        return unlocked(snapshot) if self.intro else snapshot

    def called(self, snapshot: Snapshot) -> Mapping[int, str] | None:
        """Returns what a picture calls the nodes of a moment; None leaves it to the picture."""
        if self.intro or not self.taught:
            return self.letters if self.intro else None
        ids = (*(node.id for node in snapshot.nodes()), *(gone.node for gone in snapshot.tombstones))
        return {id: f"{self.letters.get(id, '')} #{id}".strip() for id in ids}


CHAT = Scene()


def unlocked(snapshot: Snapshot) -> Snapshot:
    """Returns a snapshot that says nothing of locks; costs the nodes where there are any, nothing recurses."""
    if not any(node.locks for node in snapshot.nodes()):
        return snapshot
    return replace(snapshot, roots=tuple(Root(root.namespace, _unlocked(root.node)) for root in snapshot.roots))


def _unlocked(top: NodeView) -> NodeView:
    every = [top]
    for node in every:  # which grows meanwhile
        every.extend(node.children)
    copies: dict[int, NodeView] = {}
    for node in reversed(every):
        children = tuple([copies[id(child)] for child in node.children])
        facts = {name: getattr(node, name) for name in NodeView.__slots__}
        copies[id(node)] = NodeView(**{**facts, "locks": 0, "children": children})
    return copies[id(top)]


def without(detail: Text, facts: tuple[str, ...]) -> Text:
    """Returns a node's detail without some of its named facts, and the lines that go on with them."""
    kept, dropped = [], False
    for line in detail.split("\n", allow_blank=True):
        goes_on = line.plain.startswith("  ") and line.plain.strip() != ""
        dropped = dropped if goes_on else line.plain.startswith(tuple(f"{fact} " for fact in facts))
        if not dropped:
            kept.append(line)
    return Text("\n", no_wrap=True, overflow="ignore").join(kept)
