"""Trees for tests of layouts: built by hand or drawn at random, then changed as a cache would change them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice

from hypothesis import strategies as st

from radixchat.radix import NodeView, Root, Snapshot, Tombstone, as_key

STEP = 5
HOSTILE = [
    "[/b]", "[@click=app.bell]x[/]", "\x1b[2J", "\u202eabc", "木木木", "😀", "\r\n", "\t", " ", "", "a\u0301", "\\",
    "👩\u200d👧", "<|im_start|>user\n", "<|im_end|>\n", "‹user›", "\n", "x" * 50, "word ", "User: Hello!\n",
]  # fmt: skip
PIECES = {number: text.encode() for number, text in enumerate(HOSTILE)} | {90: b"\xe6\x9c", 91: b"\x9b", 92: b"ok"}


@dataclass(frozen=True)
class Bud:
    """A node to be; parents 0, -1.. are hidden roots."""

    parent: int
    key: bytes
    rank: int
    new_in: int = 1
    used_in: int = 1
    part: int = 0
    locks: int = 0
    uncached: bytes = b""


@dataclass(frozen=True)
class Plant:
    """A tree by node id, with what was evicted in this step."""

    buds: dict[int, Bud]
    roots: int = 1
    stones: tuple[Tombstone, ...] = ()
    victim: int | None = None
    next_id: int = field(default=1)

    def add(self, parent: int, key: bytes, **facts: int) -> Plant:
        """Adds a leaf, to the right of its siblings."""
        bud = Bud(parent, key, self.next_id, new_in=STEP, **facts)
        return replace(self, buds=self.buds | {self.next_id: bud}, next_id=self.next_id + 1)

    def split(self, node: int, at: int) -> Plant:
        """Cuts a node: the tail keeps the id, the head takes its place."""
        tail, head = self.buds[node], self.next_id
        buds = self.buds | {
            head: replace(tail, key=tail.key[: 4 * at], used_in=STEP, uncached=b""),
            node: replace(tail, key=tail.key[4 * at :], parent=head),
        }
        return replace(self, buds=buds, next_id=head + 1)

    def evict(self, leaf: int) -> Plant:
        """Buries a leaf."""
        bud = self.buds[leaf]
        stone = Tombstone(leaf, bud.parent, bud.key, bud.rank, "lru")
        buds = {id: other for id, other in self.buds.items() if id != leaf}
        return replace(self, buds=buds, stones=(*self.stones, stone))

    def forget(self) -> Plant:
        """Begins the next step: tombstones go."""
        return replace(self, stones=())

    def change(self, node: int, **facts: object) -> Plant:
        return replace(self, buds=self.buds | {node: replace(self.buds[node], **facts)})

    def leaves(self) -> list[int]:
        parents = {bud.parent for bud in self.buds.values()}
        return [id for id in self.buds if id not in parents]

    def children(self, parent: int) -> list[int]:
        return sorted((id for id, bud in self.buds.items() if bud.parent == parent), key=lambda id: self.buds[id].rank)

    def snapshot(self) -> Snapshot:
        above: dict[int, list[int]] = {}
        for id in sorted(self.buds, key=lambda id: (self.buds[id].rank, id)):
            above.setdefault(self.buds[id].parent, []).append(id)
        order = [-number for number in range(self.roots)]
        for id in order:
            order += above.get(id, [])
        views: dict[int, NodeView] = {}
        for id in reversed(order):
            children = tuple(views[child] for child in above.get(id, []))
            if id <= 0:
                views[id] = NodeView(id=id, key=b"", slots=b"", children=children)
                continue
            bud = self.buds[id]
            views[id] = NodeView(
                id=id, key=bud.key, slots=b"", locks=bud.locks, rank=bud.rank, new_in=bud.new_in, used_in=bud.used_in,
                part_in=STEP if bud.part else 0, part_to=bud.part, uncached=bud.uncached, children=children,
            )  # fmt: skip
        resident = sum(len(bud.key) // 4 for bud in self.buds.values())
        tops = tuple(Root(f"[b]{number}" if number else "", views[-number]) for number in range(self.roots))
        return Snapshot(STEP, 40, resident + 50, 1, 7, resident, 0, self.victim, tops, self.stones)


def grown(shape: dict[int, int], key: bytes = as_key([92, 19])) -> Plant:
    """A plant from parents by id, each with the same key."""
    plant = Plant({})
    for id, parent in shape.items():
        plant = replace(plant, next_id=id).add(parent, key)
    return plant


KEYS = st.lists(st.sampled_from([*PIECES, 999]), min_size=1, max_size=9).map(as_key)


@st.composite
def plants(draw: st.DrawFn, most: int = 25, least: int = 0) -> Plant:
    """Any tree, with tombstones, states, locks and hostile text."""
    roots = draw(st.integers(1, 3))
    plant = Plant({}, roots)
    for number in range(draw(st.integers(least, most))):
        plant = plant.add(draw(st.integers(1 - roots, number)), draw(KEYS))
    for id in list(plant.buds):
        part = draw(st.integers(0, len(plant.buds[id].key) // 4))
        plant = plant.change(
            id, new_in=draw(st.sampled_from([1, STEP])), used_in=draw(st.sampled_from([1, STEP])), part=part,
            locks=draw(st.sampled_from([0, 0, 1, 130])), uncached=draw(st.sampled_from([b"", as_key([92, 3])])),
        )  # fmt: skip
    for _ in range(draw(st.integers(0, 4))):
        for leaf in islice(plant.leaves(), 1):
            plant = plant.evict(leaf)
    return replace(plant, victim=draw(st.sampled_from([None, *plant.leaves()])))
