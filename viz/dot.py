r"""A panel as DOT, the language of Graphviz, for those who lay out or restyle trees with its tools.

The package `graphviz` writes the file; the program `dot` is only needed to draw it. Every text goes through
`graphviz.escape`, so that no label is taken for HTML and no backslash for an escape; no name has a colon. Nodes are
declared depth first and every edge is a statement of its own: with ``ordering=out`` children then stand in the tree's
order. Knows nodes and labels; where things stand is up to Graphviz.
"""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

import graphviz

from ..radix.snapshots import State
from .album import Album, Panel
from .edges import MOST_LINES, Edges, Writing
from .errors import PictureError
from .labels import label
from .states import ATTRIBUTES, MORE, STATES, Attribute
from .themes import STROKES, THEMES, Theme
from .told import Told, told
from .twigs import RowKind

FORMATS: Final = ("svg", "png", "pdf")
"""What `render_dot` can make; the built-in writers, which keep ids, classes and tooltips."""

_MOST_TOOLTIP = 400  # cells


def write_dot(
    album: Album,
    panel: Panel,
    *,
    theme: str = "light",
    labels: Writing = "text",
    wrap: int = 24,
    folded: Collection[int] = frozenset(),
    rankdir: Literal["TB", "LR"] = "TB",
    prefix: str | None = None,
) -> str:
    """Writes a panel as DOT.

    Args:
        album: What the panel is of.
        panel: What to draw.
        theme: One of `themes.THEMES`; auto is light, because Graphviz knows no other.
        labels: What stands on edges: text, text token by token, or token ids.
        wrap: Cells of a line.
        folded: Ids of nodes that stand in one box for themselves and all below them.
        rankdir: Whether the tree grows down or to the right.
        prefix: What ids in the SVG begin with; None takes the panel's number, as in ``s04-``.
    """
    colours = THEMES[theme]
    prefix = f"s{panel.number:02}-" if prefix is None else prefix
    graph = graphviz.Digraph(
        name=f"step{panel.number}",
        comment=_comment(album),
        graph_attr={
            "rankdir": rankdir, "ordering": "out", "nodesep": "0.3", "ranksep": "0.35", "bgcolor": colours.ground,
            "fontname": "monospace", "fontsize": "11", "fontcolor": colours.text, "labelloc": "b", "labeljust": "l",
            "label": escaped([panel.title]), "tooltip": tooltip(panel.title),
            "id": f"{prefix}tree",
        },
        node_attr={
            "shape": "box", "style": "filled,rounded", "fontname": "monospace", "fontsize": "11",
            "fontcolor": colours.text, "margin": "0.12,0.06", "height": "0.3",
        },
        edge_attr={"arrowhead": "none", "fontname": "monospace", "fontsize": "10"},
    )  # fmt: skip
    items = told(panel.snapshot, album.pieces, letters=panel.letters, folded=folded, relabels=album.relabels)
    edges = Edges(album.pieces, album.look, labels, album.relabels)
    names = _names(items)
    for one, name in zip(items, names, strict=True):
        graph.node(name, _box(one, panel), **_node(one, colours, f"{prefix}{name}"))
    homes = {one.id: name for one, name in reversed(list(zip(items, names, strict=True)))}
    homes.update({one.id: name for one, name in zip(items, names, strict=True) if one.kind is not RowKind.TOMBSTONE})
    for one, name in zip(items, names, strict=True):
        if one.parent is not None:
            lines = _text(one, edges, wrap)
            graph.edge(homes[one.parent], name, _left(lines), **_edge(one, colours))
    return str(graph.source)


def render_dot(source: str, format: str = "svg") -> bytes:
    """Draws DOT with the program `dot`.

    Args:
        source: From `write_dot`.
        format: One of `FORMATS`.

    Raises:
        PictureError: there is no `dot`, or it fails.
    """
    if format not in FORMATS:
        raise PictureError(f"Graphviz draws no {format!r} here", f"Choose one of {', '.join(FORMATS)}.")
    try:
        return bytes(graphviz.Source(source).pipe(format=format, quiet=True))
    except graphviz.ExecutableNotFound:
        raise PictureError(
            "the program dot of Graphviz is not on the path",
            "Install Graphviz (apt, brew, winget or conda), or leave out --renderer dot: pictures need no Graphviz.",
        ) from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"").decode("utf-8", "replace").strip().splitlines()
        why = label(said[0]).fit(160).plain if said else f"exit status {error.returncode}"
        raise PictureError(
            f"dot could not draw this: {why}", "Export .dot and look at it, or leave out --renderer dot."
        ) from None


# -- nodes and edges ---------------------------------------------------------------------------------------------------


def _names(items: Iterable[Told]) -> list[str]:
    """Returns the name of each in the graph: readable, unique, without colons."""
    words = {RowKind.NAMESPACE: "root", RowKind.TOMBSTONE: "gone", RowKind.FOLD: "fold"}
    names: list[str] = []
    known: set[str] = set()
    for one in items:
        base = name = f"{words.get(one.kind, 'n')}{one.id}".replace("-", "m")
        number = 1
        while name in known:
            number += 1
            name = f"{base}_{number}"
        known.add(name)
        names.append(name)
    return names


def _box(one: Told, panel: Panel) -> str:
    """Returns what stands in a box: sign, name, tokens, attribute."""
    if one.kind is RowKind.NAMESPACE:
        return escaped([label(one.text).fit(24).plain])
    if one.kind is RowKind.FOLD:
        return escaped([f"{MORE.glyph} {one.nodes:,} nodes, {one.tokens:,} tok"])
    walked = 0 < one.walked < one.tokens
    words = [
        STATES[one.state].glyph,
        f"#{one.id}" if panel.letters is None else one.letter,
        f"{one.walked:,}/{one.tokens:,}" if walked else f"{one.tokens:,}",
        ATTRIBUTES[one.attribute].glyph.strip() + (f"{one.locks:,}" if one.locks else ""),
    ]
    return escaped([" ".join(word for word in words if word)])


def _node(one: Told, colours: Theme, id: str) -> Mapping[str, str]:
    ink = colours.root if one.kind is RowKind.NAMESPACE else colours.states[one.state]
    stroke = STROKES[one.state]
    border = ink.stroke if one.attribute is Attribute.NONE else colours.attributes[one.attribute].stroke
    return {
        "color": border,
        "fillcolor": ink.fill or colours.ground,
        "penwidth": f"{stroke.box:g}",
        **({"style": "filled,rounded,dashed"} if one.state is State.EVICTED else {}),
        **({"peripheries": "2"} if one.kind is RowKind.FOLD else {}),
        "tooltip": tooltip(one.sentence),
        "id": id,
        "class": " ".join(dict.fromkeys(["node", *one.classes.split()])),
    }


def _edge(one: Told, colours: Theme) -> Mapping[str, str]:
    ink, stroke = colours.states[one.state], STROKES[one.state]
    return {
        "color": ink.stroke,
        "fontcolor": ink.stroke if one.state is State.EVICTED else colours.text,
        "penwidth": f"{stroke.edge:g}",
        **({"style": "dashed"} if one.state is State.EVICTED else {}),
        "tooltip": tooltip(one.text),
        "labeltooltip": tooltip(one.text),
        "class": f"edge {one.state.value}",
    }


def _text(one: Told, edges: Edges, wrap: int) -> list[str]:
    """Returns the lines of an edge."""
    if one.kind is RowKind.FOLD:
        return []
    return [line.plain for line in edges.written(one.twig, wrap, MOST_LINES).labels if line.spans]


def _comment(album: Album) -> str:
    """Returns the facts as one line of a comment, which nothing in it can end."""
    facts = "; ".join(f"{name}: {value}" for name, value in album.facts.items())
    return label(facts).plain


# -- quoting -----------------------------------------------------------------------------------------------------------


def escaped(lines: Iterable[str]) -> str:
    """Returns lines as a centred label."""
    return never_html(r"\n".join(map(_literal, lines)))


def _left(lines: Iterable[str]) -> str:
    """Returns lines as a label that is flush left, with a blank between it and the edge."""
    return never_html("".join(rf" {_literal(line)}\l" for line in lines))


def tooltip(text: str) -> str:
    r"""Returns a tooltip; Graphviz reads escapes in it twice, and would put names where it finds ``\\N``."""
    return never_html(graphviz.escape(_literal(label(text).fit(_MOST_TOOLTIP).plain)))


def _literal(line: str) -> str:
    """Returns a line in which nothing is an escape or a character entity."""
    return str(graphviz.escape(label(line).plain.replace("&", "&amp;")))


def never_html(text: str) -> str:
    """Returns the text as the kind of string that the package always quotes, even in angle brackets."""
    return graphviz.nohtml(text)  # type: ignore[no-any-return]
