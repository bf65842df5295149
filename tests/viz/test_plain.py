from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from radixchat import viz
from radixchat.radix import NodeView, Root, Snapshot, as_key
from radixchat.viz import changed_rows, legend, memory_line, memory_text, rail_rows, tree_text

KIB = 12 * 1024


def picture(snapshot: Snapshot, pieces: dict[int, bytes], width: int, ascii: bool = False, colour: bool = False) -> str:
    style = {"width": width, "ascii": ascii, "colour": colour}
    parts = [
        tree_text(rail_rows(snapshot, bytes_per_token=KIB), pieces, heading="step 7", **style),
        tree_text(changed_rows(snapshot, bytes_per_token=KIB), pieces, heading="changed in step 7", **style),
        memory_line(snapshot, bytes_per_token=KIB, **style),
        legend(**style),
    ]
    return "\n\n".join(part.plain for part in parts)


@pytest.mark.parametrize("width", [40, 60, 96, 140])
def test_pictures(width: int, scene: Snapshot, pieces: dict[int, bytes], golden: Callable[[str, str], None]) -> None:
    golden(f"outline-{width}.txt", picture(scene, pieces, width))


def test_ascii_tells_everything_apart(
    scene: Snapshot, pieces: dict[int, bytes], golden: Callable[[str, str], None]
) -> None:
    text = picture(scene, pieces, 96, ascii=True)
    tree = text.split("\n\n")[0]
    assert text.isascii()
    assert all(f"{sign} " in tree for sign in "+*ox") and "#12" in tree and " v " in tree
    golden("outline-ascii.txt", text)


def test_colours(scene: Snapshot, pieces: dict[int, bytes], golden: Callable[[str, str], None]) -> None:
    rows = rail_rows(scene, bytes_per_token=KIB)
    lines = []
    for palette in ("dark", "light", "ansi", "ansi-light"):
        text = tree_text(rows, pieces, width=96, palette=palette)
        lines += [f"{palette}", *(f"{text.plain[span.start : span.end]!r} {span.style}" for span in text.spans)]
    golden("outline-styles.txt", "\n".join(lines))


def test_a_match_inside_a_node_shows_how_far_it_went(scene: Snapshot, pieces: dict[int, bytes]) -> None:
    text = tree_text(rail_rows(scene), pieces, width=70).plain
    assert "3/5" in text and "memory" not in text


def test_the_parts_of_the_pool_add_up_to_its_capacity(scene: Snapshot) -> None:
    line = memory_line(scene, width=140, bytes_per_token=KIB).plain
    assert line.endswith(
        "protected 15 (180 KiB)  ▓ evictable 17 (204 KiB)  ▒ in-flight 3 (36 KiB)  ░ free 29 (348 KiB)"
        "  capacity 64 tok (768 KiB)"
    )
    gauge = line.split(" ")[0]
    assert len(gauge) == sum(map(gauge.count, "█▓▒░")) and gauge.count("▒") >= 1


def test_an_empty_cache_can_be_painted() -> None:
    empty = Snapshot(0, 0, 0, 1, 0, 0, 0, None, (Root("", NodeView(id=0, key=b"", slots=b"")),), ())
    assert rail_rows(empty) == [] and tree_text([], {}, width=80).plain == ""
    assert "capacity 0 tok" in memory_line(empty, width=80).plain


def test_markup_stays_text() -> None:
    node = NodeView(id=1, key=as_key([1]), slots=b"")
    snapshot = Snapshot(
        1, 1, 9, 1, 0, 1, 0, None, (Root("", NodeView(id=0, key=b"", slots=b"", children=(node,))),), ()
    )
    text = tree_text(rail_rows(snapshot), {1: b"[/b][@click=app.bell]:smile:"}, width=80)
    assert "[/b][@click=app.bell]:smile:" in text.plain
    assert not any(getattr(span.style, "meta", None) or getattr(span.style, "link", None) for span in text.spans)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (12 * 1024, "12 KiB"), (1023 * 1024, "1.0 MiB"),
        (10 * 1024 * 1024 - 1, "10 MiB"), (5 * 2**30, "5.0 GiB"), (None, ""),
    ],
)  # fmt: skip
def test_memory_in_words(size: int | None, text: str) -> None:
    assert memory_text(size) == text


def test_importing_pictures_loads_neither_torch_nor_textual() -> None:
    code = (
        "import sys; from radixchat import viz; assert 'rich.text' not in sys.modules;"
        "[getattr(viz, name) for name in viz.__all__];"
        "sys.exit(sum(name.split('.')[0] in {'torch', 'transformers', 'triton', 'textual'} for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names() -> None:
    assert len(viz.__all__) == len(set(viz.__all__))
    assert set(viz.__all__) <= set(dir(viz))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = viz.nothing
