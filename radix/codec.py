"""Events and snapshots as plain JSON values and back. Knows the shape of the values, no files.

Token keys become lists of ids; slots and free queues become runs ``[first, count]``, because they mostly follow each
other; hashes become hexadecimal text. Decoding checks every value, since a recording may come from anywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .events import EVENTS, Event
from .keys import Digest, Key, as_array, as_key
from .policies import POLICIES
from .snapshots import Blocks, BlockView, NodeView, Root, Snapshot, TableView, Tombstone

Json = dict[str, Any]


# NamedTuple keeps annotations as strings or wrapped in ForwardRef, depending on the Python.
def _types_of(kind: type[Any]) -> dict[str, Any]:
    return {name: getattr(type_, "__forward_arg__", type_) for name, type_ in kind.__annotations__.items()}


_TYPES: dict[type, dict[str, Any]] = {kind: _types_of(kind) for kind in EVENTS.values()}
_INT32 = range(-(2**31), 2**31)
_NODE_FIELDS = (
    "id", "locks", "last", "created", "hits", "rank", "new_in", "used_in", "part_in", "part_to", "priority",
)  # fmt: skip
_TOTALS = ("step", "tick", "capacity", "page_size", "in_flight", "resident", "protected")


def event_to_json(event: Event) -> Json:
    """Returns an event as ``{"kind": name, field: value, …}``."""
    kind = type(event)
    values: Json = {"kind": kind.__name__}
    for name, value in event._asdict().items():
        values[name] = _encode(name, _TYPES[kind][name], value)
    return values


def _encode(name: str, kind: str, value: Any) -> Any:
    match kind:
        case "Key":
            return _runs(value) if name == "slots" else as_array(value).tolist()
        case "Digest":
            return value.hex()
        case "tuple[Digest, ...]":
            return [digest.hex() for digest in value]
    return value


def event_from_json(values: Json) -> Event:
    """Returns the event; raises ValueError for an unknown kind, or fields that are missing, odd or of a wrong type."""
    kind = EVENTS.get(str(values.get("kind")))
    if kind is None:
        raise ValueError(f"unknown event {values.get('kind')!r}")
    types = _TYPES[kind]
    given = {name: value for name, value in values.items() if name not in ("kind", "seq")}
    fields = {name: _decode(name, types.get(name), value) for name, value in given.items()}
    try:
        event: Event = kind(**fields)
    except TypeError as error:
        raise ValueError(f"a {kind.__name__} event does not have these fields: {error}") from None
    return event


def _decode(name: str, wanted: str | None, value: Any) -> Any:
    match wanted:
        case "Key":
            return _slots(value) if name == "slots" else _key(value)
        case "Digest":
            return _digest(value)
        case "tuple[Digest, ...]":
            return tuple(_digest(item) for item in _list(value))
        case "tuple[int, ...]":
            return tuple(_int(item) for item in _list(value))
        case "int":
            return _int(value)
        case "str" if isinstance(value, str):
            return value
        case "bool" if isinstance(value, bool):
            return value
    raise ValueError(f"{name} = {value!r} is not what belongs there")


def snapshot_to_json(snapshot: Snapshot) -> Json:
    """Returns a snapshot as one flat list of nodes (parents first) and its totals."""
    values: Json = {name: getattr(snapshot, name) for name in _TOTALS}
    values["next_victim"] = snapshot.next_victim
    values["policy"] = snapshot.policy
    values["tombstones"] = [[t.node, t.parent, as_array(t.key).tolist(), t.rank, t.why] for t in snapshot.tombstones]
    values["roots"] = [[root.node.id, root.namespace] for root in snapshot.roots]
    values["nodes"] = nodes = []
    for root in snapshot.roots:
        stack = [(root.node.id, child) for child in reversed(root.node.children)]
        while stack:
            parent, node = stack.pop()
            nodes.append(_node_to_json(parent, node))
            stack.extend((node.id, child) for child in reversed(node.children))
    if snapshot.blocks is not None:
        values["blocks"] = _blocks_to_json(snapshot.blocks)
    return values


def _blocks_to_json(blocks: Blocks) -> Json:
    return {
        "preset": blocks.preset,
        "block_size": blocks.block_size,
        "blocks": [_block_to_json(block) for block in blocks.blocks],
        "tables": [list(table) for table in blocks.tables],
        "queue": _runs(as_key(blocks.queue)),
        "freed": list(blocks.freed),
    }


def _block_to_json(block: BlockView) -> list[Any]:
    coded = {
        "digest": block.digest.hex(),
        "parent": block.parent.hex(),
        "key": as_array(block.key).tolist(),
        "slots": _runs(block.slots),
    }
    return [coded.get(name, value) for name, value in block._asdict().items()]


def _node_to_json(parent: int, node: NodeView) -> list[Any]:
    facts = [getattr(node, name) for name in _NODE_FIELDS]
    return [parent, *facts, node.tokens.tolist(), _runs(node.slots), as_array(node.uncached).tolist()]


def snapshot_from_json(values: Json) -> Snapshot:
    """Returns the snapshot; raises ValueError when the values are none."""
    try:
        roots = [(_int(node), str(namespace)) for node, namespace in _list(values["roots"])]
        children: dict[int, list[list[Any]]] = {node: [] for node, _ in roots}
        order = [_list(node) for node in _list(values["nodes"])]
        for node in order:
            children[_int(node[0])].append(node)
            children[_int(node[1])] = []
        views: dict[int, NodeView] = {}
        for node in reversed(order):  # parents stand first, so children are made before them
            views[node[1]] = _node_from_json(node, tuple(views[child[1]] for child in children[node[1]]))
        totals: dict[str, Any] = {name: _int(values[name]) for name in _TOTALS}
        return Snapshot(
            **totals,
            next_victim=None if values["next_victim"] is None else _int(values["next_victim"]),
            roots=tuple(
                Root(name, NodeView(id=node, key=b"", slots=b"", children=tuple(views[c[1]] for c in children[node])))
                for node, name in roots
            ),
            tombstones=tuple(
                Tombstone(_int(node), _int(parent), _key(key), _int(rank), str(why))
                for node, parent, key, rank, why in _list(values["tombstones"])
            ),
            policy=_policy(values.get("policy", "")),
            blocks=_blocks_from_json(values["blocks"]) if "blocks" in values else None,
        )
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"this is no snapshot: {error!r}") from None


def _blocks_from_json(values: Json) -> Blocks:
    return Blocks(
        preset=str(values["preset"]),
        block_size=_int(values["block_size"]),
        blocks=tuple(_block_from_json(_list(block)) for block in _list(values["blocks"])),
        tables=tuple(
            TableView(_int(table), tuple(_int(number) for number in _list(numbers)), _int(tokens), str(namespace))
            for table, numbers, tokens, namespace in _list(values["tables"])
        ),
        queue=tuple(as_array(_slots(values["queue"])).tolist()),
        freed=tuple(_int(number) for number in _list(values["freed"])),
    )


def _block_from_json(values: list[Any]) -> BlockView:
    given = dict(zip(BlockView._fields, values, strict=True))
    types = _types_of(BlockView)
    return BlockView(**{name: _decode(name, types[name], value) for name, value in given.items()})


def _policy(value: Any) -> str:
    if value not in ("", *POLICIES):
        raise ValueError(f"unknown policy {value!r}")
    return str(value)


def _node_from_json(values: list[Any], children: tuple[NodeView, ...]) -> NodeView:
    facts = {name: _int(value) for name, value in zip(_NODE_FIELDS, values[1:12], strict=True)}
    key, slots, uncached = values[12:]
    return NodeView(**facts, key=_key(key), slots=_slots(slots), uncached=_key(uncached), children=children)


def _runs(slots: Key) -> list[list[int]]:
    array = as_array(slots)
    if not array.size:
        return []
    starts = np.flatnonzero(np.diff(array, prepend=array[0] - 2) != 1)
    lengths = np.diff(starts, append=array.size)
    return [[int(array[start]), int(length)] for start, length in zip(starts, lengths, strict=True)]


def _slots(value: Any) -> Key:
    runs = [(_int(first), _int(length)) for first, length in _list(value)]
    if sum(length for _, length in runs) > 1 << 26:
        raise ValueError("more slots than any pool has")
    parts = [np.arange(first, first + length, dtype=np.int32) for first, length in runs]
    return np.concatenate(parts).tobytes() if parts else b""


def _key(value: Any) -> Key:
    return np.array([_int(token) for token in _list(value)], dtype=np.int32).tobytes()


def _digest(value: Any) -> Digest:
    if not isinstance(value, str) or len(value) > 128:
        raise ValueError(f"{value!r} is no hash")
    return bytes.fromhex(value)


def _int(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in _INT32:
        raise ValueError(f"{value!r} is not a 32-bit number")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list")
    return value
