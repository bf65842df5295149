"""An album as plain text, as a terminal shows it: for mails, issues and diffs. Knows pictures in cells; no colours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from .album import Album, Panel
from .blocks import blocks
from .cells import paragraphs
from .figure import figure
from .picture import Look, Picture
from .plain import legend, memory_line, tree_text
from .rail import rail_rows
from .ruler import ruler

View = Literal["rail", "ruler", "figure", "blocks"]

_MOST_BLOCKS = 100  # rows from which on what the step did not touch is folded


def write_text(
    album: Album,
    panels: Iterable[Panel] | None = None,
    *,
    view: View = "rail",
    width: int = 100,
    look: Look | None = None,
    key: bool = True,
) -> str:
    """Writes panels as plain text, without colours.

    Args:
        album: What to write.
        panels: Those wanted; None is all.
        view: Which picture.
        width: The most cells of a line; a figure may need more.
        look: How labels are written; its colours are left out.
        key: Whether the signs are explained at the end.
    """
    base = look or Look(lang=album.lang, abridged=album.look_abridged)
    plain = Look(ascii=base.ascii, colour=False, pills=base.pills, lang=base.lang, abridged=base.abridged)
    chosen = album.panels if panels is None else tuple(panels)
    parts = [_page(panel, album, view, width, plain) for panel in chosen]
    if key:
        signs = legend(width=width, ascii=plain.ascii, colour=False, lang=album.lang, blocks=view == "blocks")
        parts.append(signs.plain)
    return "\n\n".join(parts) + "\n"


def _page(panel: Panel, album: Album, view: View, width: int, look: Look) -> str:
    size = album.bytes_per_token or None
    lines = [line for text in (panel.title, panel.story) for line in paragraphs(text, width, ascii=look.ascii)]
    lines.append("")
    lines += _lines(panel, album, view, width, look)
    pool = memory_line(
        panel.snapshot, width=width, bytes_per_token=size, ascii=look.ascii, colour=False, lang=album.lang
    )
    lines += ["", *pool.plain.split("\n")]
    return "\n".join(line.rstrip() for line in lines)


def _lines(panel: Panel, album: Album, view: View, width: int, look: Look) -> list[str]:
    snapshot, pieces, letters = panel.snapshot, album.pieces, panel.letters
    if view == "rail":
        rows = rail_rows(snapshot, bytes_per_token=album.bytes_per_token or None)
        text = tree_text(
            rows, pieces, width=width, ascii=look.ascii, colour=False, pills=look.pills, abridged=look.abridged,
            letters=letters,
        )  # fmt: skip
        return text.plain.split("\n")
    picture: Picture
    if view == "ruler":
        picture = ruler(snapshot, pieces, width=width, look=look, letters=letters)
    elif view == "blocks":
        picture = blocks(snapshot, pieces, width=width, look=look, letters=letters, most=_MOST_BLOCKS)
    else:
        picture = figure(snapshot, pieces, look=look, width=width, letters=letters)
    return [picture.line(y).plain for y in range(picture.height)]
