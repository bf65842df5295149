"""An album as data: JSON, for programs. docs/export-json.md describes it.

It tells what the snapshots hold and leaves the drawing to others. All text is sanitised, so that a program may print
it; the token ids are there for those who need the exact bytes. Knows albums; no layout.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from ..radix.keys import Key, as_array
from ..radix.snapshots import Snapshot
from .album import Album, Panel
from .labels import label
from .pool import Entry, Pool
from .sanitize import sanitize
from .told import Told, text_of, told
from .twigs import RowKind

SCHEMA: Final = 1
"""Version of the JSON; it rises when a reader of an older one would misread a newer one."""

Json = dict[str, Any]


def write_json(album: Album, panels: Iterable[Panel] | None = None) -> str:
    """Writes panels as JSON; the same album gives the same bytes.

    Args:
        album: What to write.
        panels: Those wanted; None is all.
    """
    chosen = album.panels if panels is None else tuple(panels)
    values = {
        "schema_version": SCHEMA,
        "facts": {label(name).plain: label(value).plain for name, value in album.facts.items()},
        "lang": album.lang,
        "bytes_per_token": album.bytes_per_token or None,
        "steps": [_step(panel, album) for panel in chosen],
    }
    return _written(values, "", 4) + "\n"


def _written(value: Any, indent: str, levels: int) -> str:
    """Returns a value as JSON; so many levels have a line for each thing in them, what is deeper has one line."""
    if not levels or not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    inner = f"{indent} "
    if isinstance(value, list):
        items = [inner + _written(item, inner, levels - 1) for item in value]
    else:
        items = [f"{inner}{json.dumps(name)}: {_written(item, inner, levels - 1)}" for name, item in value.items()]
    first, last = "[]" if isinstance(value, list) else "{}"
    return "\n".join([first, ",\n".join(items), indent + last])


def _step(panel: Panel, album: Album) -> Json:
    snapshot = panel.snapshot
    items = told(snapshot, album.pieces, letters=panel.letters, relabels=album.relabels)
    return {
        "number": panel.number,
        "title": label(panel.title).plain,
        "story": sanitize(panel.story),
        "totals": _totals(snapshot),
        "next_victim": snapshot.next_victim,
        "policy": snapshot.policy or None,
        "roots": [
            {"id": root.node.id, "namespace": label(root.namespace).plain} for root in snapshot.roots
        ],
        "nodes": [_node(one, album) for one in items if one.kind is RowKind.NODE],
        "tombstones": [_tombstone(one, album) for one in items if one.kind is RowKind.TOMBSTONE],
        **({"blocks": _blocks(snapshot, album)} if snapshot.blocks is not None else {}),
    }  # fmt: skip


def _blocks(snapshot: Snapshot, album: Album) -> Json:
    """Returns what a hash-block cache has besides the tree that its blocks amount to."""
    pool = Pool(snapshot)
    return {
        "preset": label(pool.blocks.preset).plain,
        "block_size": pool.blocks.block_size,
        "total": pool.gauge.total,
        "in_use": pool.gauge.used,
        "retained": pool.gauge.retained,
        "blocks": [_block(entry, album) for entry in pool.entries.values()],
        "tables": [
            {
                "lease": table.table, "tokens": table.tokens, "blocks": list(table.blocks),
                "namespace": label(table.namespace).plain,
            }
            for table in pool.blocks.tables
        ],
        "free_queue": list(pool.blocks.queue),
    }  # fmt: skip


def _block(entry: Entry, album: Album) -> Json:
    return {
        "number": entry.number,
        "node": entry.node or None,
        "state": entry.state.value,
        "attribute": entry.attribute.value or None,
        "refs": entry.refs,
        "hash": entry.digest.hex() or None,
        "before": entry.parent.hex() or None,
        "computed": entry.computed,
        "tokens": entry.tokens,
        "token_ids": as_array(entry.key).tolist(),
        "text": text_of(entry.key, album.pieces),
        "last_use": entry.last,
        "queue": entry.place,
    }


def _totals(snapshot: Snapshot) -> Json:
    names = ("capacity", "resident", "protected", "evictable", "in_flight", "free", "page_size", "tick")
    return {name: getattr(snapshot, name) for name in names}


def _common(one: Told, album: Album) -> Json:
    return {
        "id": one.id,
        "parent": one.parent,
        "state": one.state.value,
        "letter": one.letter or None,
        "tokens": one.tokens,
        "token_ids": as_array(one.key).tolist(),
        "text": text_of(one.key, album.pieces),
        **({"relabelled": one.text} if one.id in album.relabels else {}),
    }


def _node(one: Told, album: Album) -> Json:
    return {
        **_common(one, album),
        "attribute": one.attribute.value or None,
        "locks": one.locks,
        "walked": one.walked,
        "last_use": one.last,
        "slots": _runs(one.slots),
        **({"uncached": text_of(one.uncached, album.pieces)} if one.uncached else {}),
    }


def _tombstone(one: Told, album: Album) -> Json:
    return {**_common(one, album), "why": label(one.why).plain, "whole": one.whole}


def _runs(slots: Key) -> list[list[int]]:
    """Returns slots as runs of first and count."""
    array = as_array(slots)
    if not array.size:
        return []
    starts = np.flatnonzero(np.diff(array, prepend=array[0] - 2) != 1)
    lengths = np.diff(starts, append=array.size)
    return [[int(array[start]), int(length)] for start, length in zip(starts, lengths, strict=True)]
