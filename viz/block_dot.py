r"""The blocks of a hash-block cache as DOT: records of blocks, arrows of the chain, tables that point at their blocks.

A record tells number, state, references, text, hash and tokens; an arrow leads from a block to the one whose hash took
its own in, a dotted line to one without a hash. Each open table is a record whose fields point at its blocks, and so is
the free queue. Texts go through the escapes of records (braces, bars, angle brackets) and those of `dot`. Where things
stand is up to Graphviz.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

import graphviz

from ..radix.snapshots import State
from .album import Album, Panel
from .block_told import Teller
from .dot import escaped, never_html, tooltip
from .labels import Labels, label
from .pool import Entry, Pool, Range
from .states import ATTRIBUTES, FREE, MORE, PENDING, STATES, Attribute
from .themes import STROKES, THEMES, Theme
from .twigs import RowKind, Twig
from .wrap import wrapped

MOST: Final = 400
"""Records from which on what nobody holds and the step did not touch is folded."""

_MOST_FIELDS = 32  # of a table or of the queue
_SPECIAL: Final = re.compile(r"([{}|<>])")


def write_block_dot(
    album: Album,
    panel: Panel,
    *,
    theme: str = "light",
    wrap: int = 24,
    most: int | None = MOST,
    rankdir: Literal["TB", "LR"] = "TB",
    prefix: str | None = None,
) -> str:
    """Writes the blocks of a panel as DOT.

    Args:
        album: What the panel is of: a hash-block cache.
        panel: What to draw.
        theme: One of `themes.THEMES`; auto is light, because Graphviz knows no other.
        wrap: Cells of a line.
        most: Records from which on chains are folded; None folds nothing.
        rankdir: Whether chains grow down or to the right.
        prefix: What ids in the SVG begin with; None takes the panel's number, as in ``s04-``.
    """
    return _Writer(album, panel, THEMES[theme], wrap, most, f"s{panel.number:02}-" if prefix is None else prefix).write(
        rankdir
    )


class _Writer:
    def __init__(
        self, album: Album, panel: Panel, colours: Theme, wrap: int, most: int | None, prefix: str
    ) -> None:  # fmt: skip
        self._album, self._panel, self._colours = album, panel, colours
        self._wrap, self._most, self._prefix = wrap, most, prefix
        self._pool = Pool(panel.snapshot)
        self._teller = Teller(album.pieces, album.lang)
        self._labels = Labels.of(album.pieces, album.look)
        self._names: dict[int, str] = {}  # of blocks that are drawn, by number

    def write(self, rankdir: str) -> str:
        colours, prefix = self._colours, self._prefix
        graph = graphviz.Digraph(
            name=f"blocks{self._panel.number}",
            comment=label("; ".join(f"{name}: {value}" for name, value in self._album.facts.items())).plain,
            graph_attr={
                "rankdir": rankdir, "ordering": "out", "nodesep": "0.3", "ranksep": "0.4", "bgcolor": colours.ground,
                "fontname": "monospace", "fontsize": "11", "fontcolor": colours.text, "labelloc": "b",
                "labeljust": "l", "label": escaped([self._panel.title, *self._gauge()]),
                "tooltip": tooltip(self._panel.title), "id": f"{prefix}blocks",
            },
            node_attr={
                "shape": "record", "style": "filled,rounded", "fontname": "monospace", "fontsize": "11",
                "fontcolor": colours.text, "margin": "0.1,0.05",
            },
            edge_attr={"arrowsize": "0.6"},
        )  # fmt: skip
        trees = self._pool.chains(most=self._most)
        for tree in trees:
            self._chains(graph, tree)
        self._tables(graph)
        queue = self._pool.queue
        self._row(graph, "queue", self._teller.words["queue order"], queue, point=False)
        return str(graph.source)

    def _gauge(self) -> list[str]:
        gauge, teller = self._pool.gauge, self._teller
        preset = label(self._pool.blocks.preset).fit(40).plain
        lines = [teller.say("pool", preset=preset, total=gauge.total, size=self._pool.blocks.block_size)]
        for name, amount in (("used", gauge.used), ("retained", gauge.retained)):
            share = round(100 * amount / gauge.total) if gauge.total else 0
            lines.append(f"{teller.words[name]} {teller.say('of', blocks=amount, total=gauge.total, share=share)}")
        return lines

    # -- chains --------------------------------------------------------------------------------------------------------

    def _chains(self, graph: graphviz.Digraph, tree: Twig) -> None:
        """Declares records depth first; every arrow is a statement of its own."""
        stack: list[tuple[Twig, str | None]] = [(child, None) for child in reversed(tree.order or ())]
        gone = 0
        while stack:
            twig, above = stack.pop()
            entry = None if twig.kind is RowKind.FOLD else self._pool.of(twig)
            if entry is None:
                name = f"fold{twig.id}".replace("-", "m")
                text = f"{MORE.glyph} {self._teller.count(twig.nodes)}"
                graph.node(name, _field(text), id=f"{self._prefix}{name}", **self._paint(twig.state), peripheries="2")
            elif entry.number is None:
                gone += 1
                name = f"gone{entry.id}_{gone}"
                graph.node(name, self._record(entry), **self._node(entry, name))
            else:
                name = self._names[entry.number] = f"b{entry.number}"
                graph.node(name, self._record(entry), **self._node(entry, name))
            if above is not None:
                graph.edge(above, name, **self._arrow(twig.state, entry))
            stack += [(child, name) for child in reversed(twig.order or ())]

    def _record(self, entry: Entry) -> str:
        """Returns the fields of a block: number and state, text, hash and tokens."""
        words = [STATES[entry.state].glyph]
        if entry.number is None:
            words.append(self._teller.words["told gone"])
        else:
            words += [str(entry.number), f"#{entry.node}" if entry.node else ""]
            words.append(ATTRIBUTES[entry.attribute].glyph.strip() + (f"{entry.refs:,}" if entry.refs else ""))
            words.append(self._teller.words["gone before"] + " ↑" if entry.broken else "")
        head = " ".join(word for word in words if word)
        whole = self._labels.fit(entry.key, 3 * self._wrap)
        text = [line.plain for line in wrapped(whole, self._wrap)] if entry.key else [self._teller.words["empty"]]
        pending = PENDING.glyph if entry.pending else ""
        foot = f"{self._teller.hash(entry)} {pending}{entry.tokens:,}/{entry.size:,}".strip()
        return _record([_field(head), _left(text), _field(foot)])

    def _node(self, entry: Entry, name: str) -> dict[str, str]:
        paint = self._paint(entry.state)
        if entry.attribute is not Attribute.NONE:
            paint["color"] = self._colours.attributes[entry.attribute].stroke
        return {
            **paint, "id": f"{self._prefix}{name}", "class": entry.classes,
            "tooltip": tooltip(self._teller.sentence(entry)),
        }  # fmt: skip

    def _paint(self, state: State) -> dict[str, str]:
        ink = self._colours.states[state]
        dashed = {"style": "filled,rounded,dashed"} if state is State.EVICTED else {}
        fill = ink.fill or self._colours.ground
        return {"color": ink.stroke, "fillcolor": fill, "penwidth": f"{STROKES[state].box:g}", **dashed}

    def _arrow(self, state: State, entry: Entry | None) -> dict[str, str]:
        loose = entry is not None and entry.loose
        style = "dotted" if loose else "dashed" if state is State.EVICTED else ""
        return {
            "color": self._colours.states[state].stroke, "penwidth": f"{STROKES[state].edge:g}",
            "class": f"edge {state.value}", **({"style": style} if style else {}),
            **({"arrowhead": "none"} if loose or entry is None else {}),
        }  # fmt: skip

    # -- tables and queue ----------------------------------------------------------------------------------------------

    def _tables(self, graph: graphviz.Digraph) -> None:
        for table in self._pool.blocks.tables:
            blocks = self._teller.count(len(table.blocks))
            title = self._teller.say("lease", table=table.table, tokens=table.tokens, blocks=blocks)
            if table.namespace:
                title += f" · {self._teller.say('namespace', name=label(table.namespace).fit(24).plain)}"
            items = [Range(number, number, self._pool.entries.get(number)) for number in table.blocks]
            self._row(graph, f"table{table.table}", title, items, point=True)

    def _row(
        self, graph: graphviz.Digraph, name: str, title: str, items: Sequence[Range], *, point: bool
    ) -> None:  # fmt: skip
        """Declares a record of numbers, whose fields may point at blocks."""
        fields = [_field(title)]
        for at, item in enumerate(items[:_MOST_FIELDS]):
            to = f"-{item.last}" if item.last != item.first else ""
            entry = item.entry
            sign = FREE.glyph if entry is None else STATES[entry.state].glyph
            victim = ATTRIBUTES[Attribute.NEXT_VICTIM].glyph if entry is not None and entry.victim else ""
            fields.append(f"<f{at}> {_field(f'{sign}{item.first}{to}{victim}')}")
        if len(items) > _MOST_FIELDS:
            rest = sum(item.blocks for item in items[_MOST_FIELDS:])
            fields.append(_field(self._teller.say("more", sign=MORE.glyph, blocks=rest)))
        graph.node(
            name, never_html("|".join(fields)), id=f"{self._prefix}{name}", tooltip=tooltip(title),
            color=self._colours.rule, fillcolor=self._colours.ground, **{"class": name.rstrip("0123456789")},
        )  # fmt: skip
        for at, item in enumerate(items[:_MOST_FIELDS] if point else ()):
            if item.first in self._names:
                graph.edge(
                    f"{name}:f{at}", self._names[item.first], style="dashed", color=self._colours.faint,
                    **{"class": "points"},
                )  # fmt: skip


# -- quoting -----------------------------------------------------------------------------------------------------------


def _record(fields: Sequence[str]) -> str:
    """Returns fields below each other where chains grow down."""
    return never_html("{" + "|".join(fields) + "}")


def _field(text: str) -> str:
    r"""Returns text in which nothing is an escape, a character entity, or a part of a record."""
    return _SPECIAL.sub(r"\\\1", graphviz.escape(label(text).plain.replace("&", "&amp;")))


def _left(lines: Sequence[str]) -> str:
    """Returns lines that are flush left."""
    return "".join(rf"{_field(line)}\l" for line in lines)
