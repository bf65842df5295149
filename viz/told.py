"""What pictures for other programs tell of every node: ids, facts, whole text. One list, from top to bottom.

Formats that carry more than a painting (tooltips, scripts, data) read this list, so that they all tell the same.
Knows snapshots and labels; no format, no place and no colour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from ..radix.keys import Key, as_array
from ..radix.snapshots import NodeView, Snapshot, State
from .labels import Labels, label
from .sanitize import sanitize
from .shown import shown_trees
from .states import STATES, Attribute
from .twigs import RowKind, Twig

_LETTER = 24  # cells of a name that are told


class Told(NamedTuple):
    """What is told of a node, a tombstone, a fold, or a root."""

    id: int
    parent: int | None  # id of what it hangs below; None: a root
    kind: RowKind
    state: State
    attribute: Attribute
    tokens: int
    walked: int  # of them, how many the step's requests walked; as in `rail.Row`
    locks: int
    nodes: int  # that it stands for
    letter: str  # what the panel calls it, safe to print; "" where it has no name but its id
    text: str  # the whole text of its edge in one line, safe to print; of a root, its namespace
    key: Key
    uncached: Key
    slots: Key
    last: int | None  # tick of its last use, for a resident node
    priority: int
    why: str  # of a tombstone: why it went
    whole: bool  # False: a tombstone for the end of a node only
    twig: Twig  # what it was told from

    @property
    def name(self) -> str:
        """Its letter, or its number."""
        return self.letter or f"#{self.id}"

    @property
    def classes(self) -> str:
        """Words that a style sheet may select."""
        words = ["root" if self.kind is RowKind.NAMESPACE else self.kind.value, self.state.value]
        words += [self.attribute.value.replace(" ", "-")] if self.attribute is not Attribute.NONE else []
        return " ".join(dict.fromkeys(words))

    @property
    def sentence(self) -> str:
        """The facts in one line, the text last: what a tooltip or a screen reader tells."""
        if self.kind is RowKind.NAMESPACE:
            return f"root of namespace {self.text}" if self.text else "root"
        several = f", {self.nodes:,} nodes" if self.nodes > 1 else ""
        facts = f"{self.name}{several}, {self.tokens:,} {'token' if self.tokens == 1 else 'tokens'}"
        facts += f", {STATES[self.state].word}"
        if self.attribute is Attribute.LOCKED:
            facts += f", locked by {self.locks:,}"
        elif self.attribute is Attribute.NEXT_VICTIM:
            facts += ", next victim"
        return f"{facts}: {self.text}" if self.text else facts


def told(
    snapshot: Snapshot,
    pieces: Mapping[int, bytes],
    *,
    letters: Mapping[int, str] | None = None,
    folded: Collection[int] = frozenset(),
    relabels: Mapping[int, str] | None = None,
    ascii: bool = False,
) -> list[Told]:
    """Tells a snapshot, parents before children, siblings in order; nothing recurses.

    Args:
        snapshot: The state.
        pieces: The bytes of each token id.
        letters: What this picture calls nodes, by id.
        folded: Ids of nodes that stand for themselves and all below them.
        relabels: Texts that stand for those of some nodes, by id.
        ascii: Whether all text is printable ASCII.
    """
    labels = Labels(pieces, pills=False, ascii=ascii)
    names = {id: label(name, ascii=ascii).fit(_LETTER, ascii=ascii).plain for id, name in (letters or {}).items()}
    texts = {id: label(text, ascii=ascii).plain for id, text in (relabels or {}).items()}
    found: list[Told] = []
    for tree in shown_trees(snapshot, folded):
        found.append(_root(tree, ascii))
        stack = [(tree.id or 0, twig) for twig in reversed(tree.children)]
        while stack:
            parent, twig = stack.pop()
            one = _told(twig, parent, snapshot)
            text = texts[one.id] if one.id in texts else labels.whole(one.key).plain
            found.append(one._replace(letter=names.get(one.id, ""), text=text))
            stack += [(one.id, child) for child in reversed(twig.children)]
    return found


def _root(tree: Twig, ascii: bool) -> Told:
    return Told(
        tree.id or 0, None, RowKind.NAMESPACE, State.RESIDENT, Attribute.NONE, 0, 0, 0, 0, "",
        label(tree.note, ascii=ascii).plain, b"", b"", b"", None, 0, "", True, tree,
    )  # fmt: skip


def _told(twig: Twig, parent: int, snapshot: Snapshot) -> Told:
    node: NodeView | None = twig.node if twig.kind is RowKind.NODE else None
    attribute = Attribute.NONE
    if node is not None and node.locks:
        attribute = Attribute.LOCKED
    elif node is not None and node.id == snapshot.next_victim:
        attribute = Attribute.NEXT_VICTIM
    id = twig.id or 0
    return Told(
        id=id, parent=parent, kind=twig.kind, state=twig.state, attribute=attribute, tokens=twig.tokens,
        walked=twig.walked, locks=twig.locks, nodes=twig.nodes, letter="", text="", key=twig.key,
        uncached=twig.uncached, slots=b"" if node is None else node.slots, last=None if node is None else node.last,
        priority=0 if node is None else node.priority, why=twig.why,
        whole=twig.kind is not RowKind.TOMBSTONE or id != parent, twig=twig,
    )  # fmt: skip


def text_of(key: Key, pieces: Mapping[int, bytes]) -> str:
    """Returns the text of tokens as it reads, newlines and tabs too; what cannot be printed is an escape."""
    return sanitize(b"".join(pieces.get(token, b"<%d>" % token) for token in as_array(key).tolist()))


def changed_ids(items: Collection[Told]) -> Iterator[int]:
    """Yields what the step touched: new, reused and evicted."""
    return (one.id for one in items if one.kind is not RowKind.NAMESPACE and one.state is not State.RESIDENT)
