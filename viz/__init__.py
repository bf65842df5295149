"""From a snapshot to a picture.

A pure layout turns a snapshot into rows; painters only paint them; every text passes one sanitiser and every label one
labeller. Stands on `radixchat.radix` and rich; knows no model, no engine and no terminal. Most names below load on
first use.

- ``rail_rows(snapshot) -> list[Row]``: the whole tree, one row per node and per tombstone.
- ``changed_rows(snapshot, limit=12) -> list[Row]``: what matters after a turn, and the way to it.
- ``tree_text(rows, pieces, width=96) -> rich.text.Text``: rows as text; `pieces` maps token ids to their bytes.
- ``legend(width=96)``, ``memory_line(snapshot, width=96)``: what the signs mean, and the pool. Widths are cells.
- ``Picture``, ``Look``, ``Place``, ``Direction``: a tree laid out in cells, for whoever shows it. ``outline.outline``,
  ``figure.figure`` and ``ruler.ruler`` make one (their modules have their names, so they are not exported here).
- ``sanitize(text) -> str``, ``TextStream``: running text that is safe to print, at once or in pieces.
- ``label(text) -> Label``, ``Labels(pieces)``: one line of any text, or of the tokens on an edge.
- ``PALETTES``, ``STATES``, ``ATTRIBUTES``: how states and attributes look.
- For lessons: ``veil.veil`` hides who goes next while a question is open, ``story.tell`` tells events in English or
  Chinese, ``bars.bars`` sets costs beside each other, ``trie.trie_text`` draws the tree with one node a token.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .sanitize import TextStream, sanitize  # at once: it is light, and its module would take the function's name

if TYPE_CHECKING:
    from .labels import Label, Labels, label
    from .picture import Direction, Look, Picture, Place
    from .plain import RowPainter, legend, memory_line, memory_text, tree_text
    from .rail import Lane, Row, RowKind, changed_rows, rail_rows
    from .states import ATTRIBUTES, PALETTES, STATES, Attribute

__all__ = [
    "ATTRIBUTES",
    "PALETTES",
    "STATES",
    "Attribute",
    "Direction",
    "Label",
    "Labels",
    "Lane",
    "Look",
    "Picture",
    "Place",
    "Row",
    "RowKind",
    "RowPainter",
    "TextStream",
    "changed_rows",
    "label",
    "legend",
    "memory_line",
    "memory_text",
    "rail_rows",
    "sanitize",
    "tree_text",
]

_HOMES = {
    ".labels": ("Label", "Labels", "label"),
    ".picture": ("Direction", "Look", "Picture", "Place"),
    ".plain": ("RowPainter", "legend", "memory_line", "memory_text", "tree_text"),
    ".rail": ("Lane", "Row", "RowKind", "changed_rows", "rail_rows"),
    ".states": ("ATTRIBUTES", "PALETTES", "STATES", "Attribute"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Loads a public name from where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name], __name__), name)


def __dir__() -> list[str]:
    """Names the exports before they are loaded."""
    return sorted({*globals(), *__all__})
