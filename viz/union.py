"""The tree of all panels at once: every path that any of them has, cut wherever any of them cuts it.

To lay this tree out once is to know the future: each panel shows the part of it that lives then, and nothing moves
(foresighted layout: Diehl, Görg and Kerren, 2001). A node of a panel is a *run* of segments, from below the end of its
parent to its own end. The same tokens below the same segment are the same segments, so a prefix that was evicted and
computed again stands where it stood. Knows keys and twigs; no text, no sizes and no places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..radix.keys import TOKEN_BYTES, Key, common_prefix, cut
from .draft import Node
from .twigs import RowKind


class Segment:
    """A stretch of tokens that no panel cuts; a split keeps it as the tail, as in the cache."""

    __slots__ = ("children", "key", "paths", "shown_in", "top")

    def __init__(self, top: Segment | None, key: Key) -> None:
        self.top = top  # the segment above; None for roots
        self.key = key
        self.children: list[Segment] = []  # in order of first appearance
        self.paths: dict[Key, Segment] = {}  # the same by their first page, but for twins of what is there already
        self.shown_in = -1  # the last panel that has a node here


Run = tuple[Segment, ...]


class Union:
    """Takes the panels one after the other.

    Args:
        page: Tokens that are cut and compared as a whole.

    Attributes:
        roots: The top of each tree, by the id of its hidden root, in order of first appearance.
    """

    def __init__(self, page: int = 1) -> None:
        self.roots: dict[int, Segment] = {}
        self._page = max(page, 1)
        self._ends: dict[int, Segment] = {}  # where each node stands, by its id
        self._known: dict[int, tuple[Segment, Key]] = {}  # the parent's end and the key that led there
        self._panels = 0

    def add(self, nodes: Sequence[Node]) -> list[Segment]:
        """Takes a panel; returns the segment that each of its nodes ends at, no two the same.

        Args:
            nodes: Parents first.
        """
        number, self._panels = self._panels, self._panels + 1
        ends: list[Segment | None] = [None] * len(nodes)
        gone = RowKind.TOMBSTONE
        order = [at for at, node in enumerate(nodes) if node.twig.kind is not gone]  # who lives has the place
        order += [at for at, node in enumerate(nodes) if node.twig.kind is gone]
        for at in order:
            twig, parent = nodes[at].twig, nodes[at].parent
            if parent < 0:
                end = self.roots.setdefault(twig.id or 0, Segment(None, b""))
            else:
                above = ends[parent]
                assert above is not None
                part = twig.kind is gone and nodes[parent].twig.id == twig.id  # the end of a node that stayed
                end = self._end(above, twig.key, None if part else twig.id, number)
            ends[at] = end
        return [end for end in ends if end is not None]

    def _end(self, above: Segment, key: Key, id: int | None, panel: int) -> Segment:
        """Returns the segment that a node ends at, and marks its run as taken."""
        if id is not None and self._known.get(id) == (above, key):
            end = self._ends[id]
        else:
            end = self._walked(above, key, id, panel)
        way = run_of(above, end)
        if way[0].shown_in == panel:  # evicted and computed again in one step
            end = self._twin(above, key, panel)
            way = (end,)
        for segment in way:
            segment.shown_in = panel
        if id is not None:
            self._known[id] = (above, key)
            self._ends[id] = end
        return end

    def _walked(self, above: Segment, key: Key, id: int | None, panel: int) -> Segment:
        """Goes down a path, cutting and adding what is not there yet; stops where the panel has something already."""
        home = self._ends.get(id) if id is not None else None
        while True:
            below = above.paths.get(cut(key, 0, self._page))
            if below is None:
                return self._added(above, key)
            if below.shown_in == panel:
                return below
            if key == below.key:
                return below
            if below is home:
                shorter, longer = sorted((key, below.key), key=len)
                if longer.startswith(shorter):  # it grew, or lost its end: its box stays
                    below.key = longer
                    return below
            same = common_prefix(below.key, key) // self._page * self._page or self._page
            if same * TOKEN_BYTES < len(below.key):
                below = self._split(below, same)
            if same * TOKEN_BYTES >= len(key):
                return below
            above, key = below, cut(key, same)

    def _added(self, above: Segment, key: Key) -> Segment:
        segment = Segment(above, key)
        above.children.append(segment)
        above.paths.setdefault(cut(key, 0, self._page), segment)
        return segment

    def _split(self, tail: Segment, at: int) -> Segment:
        """Cuts a segment; returns the head, which takes its place. What ended there ends there still."""
        above = tail.top
        assert above is not None
        head = Segment(above, cut(tail.key, 0, at))
        above.children[above.children.index(tail)] = head
        above.paths[cut(tail.key, 0, self._page)] = head
        tail.top, tail.key = head, cut(tail.key, at)
        head.children.append(tail)
        head.paths[cut(tail.key, 0, self._page)] = tail
        return head

    def _twin(self, above: Segment, key: Key, panel: int) -> Segment:
        """Returns a segment of its own for a path that the panel shows twice."""
        for segment in above.children:
            if (
                segment.key == key
                and segment.shown_in != panel
                and not any(segment is other for other in above.paths.values())
            ):
                return segment
        return self._added(above, key)

    def segments(self) -> Iterator[Segment]:
        """Yields all segments, parents first, siblings in order."""
        for root in self.roots.values():
            stack = [root]
            while stack:
                segment = stack.pop()
                yield segment
                stack.extend(reversed(segment.children))


def run_of(above: Segment, end: Segment) -> Run:
    """Returns the segments below one, down to another."""
    found = []
    at: Segment | None = end
    while at is not None and at is not above:
        found.append(at)
        at = at.top
    return tuple(reversed(found))
