"""An album as one web page: every step's picture and story, with controls, in one file that needs nothing else.

The page reads as a plain document: all steps one below the other, which is also what is printed and what is there
without JavaScript. A script (`page.js`) makes a player of it, which shows one step at a time. Style sheets and script
stand in the page and the content security policy names them by their hashes, so nothing else runs and nothing is
loaded, whatever a label says. Pictures come as finished SVG; what they say about their nodes is written once more as
data, in JSON, for whoever points at one. Knows albums, snapshots and colours; no layout, no file and no browser.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape, unescape
from importlib.resources import files
from json import dumps
from typing import Final

from ..radix.snapshots import Snapshot, State
from .album import Album, Panel
from .block_told import Teller
from .plain import MEANINGS
from .pool import Pool
from .sanitize import sanitize
from .sentences import PICTURES
from .states import ATTRIBUTES, STATES, Attribute
from .themes import AT_NIGHT, THEMES, Theme
from .told import told
from .twigs import RowKind

SCHEMES: Final = ("auto", "light", "dark")
"""What a page may begin with; a button changes between light and dark. On paper every page is light."""

_COLUMNS: Final = ("name", "state", "attribute", "locks", "tokens", "path", "text", "parent")
"""What the script is told about a node; `path` is the token at which it ends, `text` the place of its text."""

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "html": "en", "steps": "Steps", "first": "First step", "back": "Step back", "play": "Play",
        "pause": "Pause", "next": "Step forward", "last": "Last step", "speed": "Speed", "theme": "Light or dark",
        "help": "Keys", "close": "Close", "of": "{at} of {all}", "numbered": "step {number} ({at} of {all})",
        "hint": "Point at a node, or reach it with Tab, to read all of its text.",
        "absent": "{name} is not in the tree in this step.", "tokens": "{n} tokens", "token": "1 token",
        "path": "ends at token {n}", "locks": "locked by {n}", "node": "node {name}",
        "pool": "{used} of {all} tokens in use", "pool of blocks": "{used} of {all} tokens in use or retained",
        "pinned": "Held: Esc lets go",
        "plain": "Without JavaScript all steps stand here, one below the other.",
        "key step": "one step back, forward", "key ends": "first, last step", "key play": "play, pause",
        "key digits": "go to step 1, 2, 12 …", "key tab": "from node to node", "key esc": "let go of a node",
        "key theme": "light or dark", "key help": "these keys", "Space": "Space",
    },
    "zh": {
        "html": "zh-Hans", "steps": "步骤", "first": "第一步", "back": "后退一步", "play": "播放",
        "pause": "暂停", "next": "前进一步", "last": "最后一步", "speed": "速度", "theme": "浅色或深色",
        "help": "按键", "close": "关闭", "of": "{at} / {all}", "numbered": "第 {number} 步（{at} / {all}）",
        "hint": "指向一个节点，或用 Tab 键选中它，即可读到它的全部文本。",
        "absent": "这一步的树中没有{name}。", "tokens": "{n} 个 token", "token": "1 个 token",
        "path": "到第 {n} 个 token 为止", "locks": "被 {n} 个持有者锁定", "node": "节点 {name}",
        "pool": "{all} 个 token 中已占用 {used} 个",
        "pool of blocks": "{all} 个 token 中使用或保留 {used} 个", "pinned": "已选中：按 Esc 取消",
        "plain": "没有 JavaScript 时，所有步骤依次列在这里。",
        "key step": "后退、前进一步", "key ends": "第一步、最后一步", "key play": "播放、暂停",
        "key digits": "跳到第 1、2、12 步……", "key tab": "逐个选择节点", "key esc": "取消选择",
        "key theme": "浅色或深色", "key help": "显示这些按键", "Space": "空格",
    },
}  # fmt: skip
"""Everything the page itself says, by language."""

_SPOKEN_BY_SCRIPT: Final = (
    "play", "pause", "of", "numbered", "hint", "absent", "tokens", "token", "path", "locks", "node", "pinned",
    "new", "reused", "resident", "evicted", "next victim",
)  # fmt: skip

_KEYS: Final = (
    (("←", "→", "PgUp", "PgDn"), "key step"), (("Home", "End"), "key ends"), (("Space",), "key play"),
    (("0 – 9",), "key digits"), (("Tab",), "key tab"), (("Esc",), "key esc"), (("t",), "key theme"),
    (("?",), "key help"),
)  # fmt: skip

_ICONS: Final = {
    "first": "M6 5v14M19 5 9 12l10 7z", "back": "M16 5 6 12l10 7z", "play": "M7 4.5 19 12 7 19.5z",
    "next": "M8 5l10 7-10 7z", "last": "M18 5v14M5 5l10 7-10 7z",
}  # fmt: skip
"""Pictures of the buttons, in a square of 24."""

_SPEEDS: Final = ("0.5", "1", "2", "4")


def write_page(album: Album, svgs: Sequence[str], *, title: str, theme: str = "auto", lang: str = "en") -> str:
    """Returns an album as one HTML file: no network, no script but its own, the same bytes for the same album.

    The SVGs stand in the page as they are, but for their style sheets, which move to the head. They should be without
    legend and caption (the page has both), in the theme `auto`, and with a prefix of their own for the ids of each;
    nodes are what has a `data-node`.

    Args:
        album: What is shown; its panels have different numbers.
        svgs: One picture for each panel.
        title: Of the page; one line.
        theme: One of `SCHEMES`; `auto` follows the reader's system.
        lang: "zh" for Chinese; English else. The stories are in the language that the album has.

    Raises:
        ValueError: When the numbers of panels and pictures differ, two panels have one number, a picture is no SVG,
            there is nothing to show, or the theme is unknown.
    """
    numbers = [panel.number for panel in album.panels]
    if not numbers or len(set(numbers)) != len(numbers) or len(svgs) != len(numbers):
        raise ValueError(f"a page needs panels with different numbers and a picture of each: {numbers}, {len(svgs)}")
    if theme not in SCHEMES:
        raise ValueError(f"unknown theme: {theme!r}")
    words = _words(lang if lang in _WORDS else "en")
    pictures, styles = _apart(svgs)
    data = _data(album, words)
    sheets = [_colours(), _read("page.css"), *styles]
    script = _read("page.js")
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{words["html"]}" data-theme="{theme}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script, sheets)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{_line(title)}</title>",
        '<link rel="icon" href="data:,">',
        *(f"<style>{sheet}</style>" for sheet in sheets),
        f"<script>{script}</script>",
        "</head>",
        "<body>",
        *_header(title, words),
        "<main>",
        f'<p class="plain">{words["plain"]}</p>',
        '<div class="steps">',
        *_steps(album, pictures, words),
        *_aside(album, words),
        "</div>",
        "</main>",
        *_player(album, words),
        *_help(words),
        '<p class="said" role="status" aria-live="polite"></p>',
        f'<script type="application/json" id="album">{data}</script>',
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _words(lang: str) -> dict[str, str]:
    """Returns what the page says in a language: its own words, those of the pool, and what the signs mean."""
    meanings = MEANINGS[lang][0]
    signs = {state.value: word for state, word in meanings.states.items()}
    signs |= {Attribute.LOCKED.value: meanings.locked, Attribute.NEXT_VICTIM.value: meanings.victim}
    return {**PICTURES[lang], **signs, **_WORDS[lang]}


# -- the parts of the page ---------------------------------------------------------------------------------------------


def _header(title: str, words: Mapping[str, str]) -> Iterator[str]:
    yield f'<header><h1 dir="auto">{_line(title)}</h1>'
    yield f'<div class="tools player"><button type="button" data-do="theme" title="{words["theme"]} (t)" '
    yield f'aria-label="{words["theme"]}"><svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8"/>'
    yield '<path class="half" d="M12 4a8 8 0 0 1 0 16z"/></svg></button>'
    yield f'<button type="button" data-do="help" title="{words["help"]} (?)" aria-label="{words["help"]}">?</button>'
    yield "</div></header>"


def _steps(album: Album, pictures: Sequence[str], words: Mapping[str, str]) -> Iterator[str]:
    for panel, picture in zip(album.panels, pictures, strict=True):
        yield f'<section class="step" id="step-{panel.number}" data-step="{panel.number}">'
        yield f'<div class="words"><h2 dir="auto">{_line(panel.title)}</h2>'
        yield f'<p class="story" dir="auto">{_text(panel.story)}</p>'
        yield from _pool(panel.snapshot, words)
        yield f"</div>\n<figure>{picture}</figure>\n</section>"


def _pool(snapshot: Snapshot, words: Mapping[str, str]) -> Iterator[str]:
    """Yields the gauge of the pool: a bar of its parts, and their numbers."""
    amounts = {
        "protected": snapshot.protected, "evictable": snapshot.evictable, "in-flight": snapshot.in_flight,
        "free": snapshot.free,
    }  # fmt: skip
    whole = max(snapshot.capacity, 1)
    used = words["pool" if snapshot.blocks is None else "pool of blocks"].format(
        used=f"{snapshot.capacity - snapshot.free:,}", all=f"{snapshot.capacity:,}"
    )
    yield '<div class="pool"><svg viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">'
    at = 0.0
    for part, tokens in amounts.items():
        width = 1000 * tokens / whole
        if tokens and part != "free":
            yield f'<rect class="{part}" x="{at:.1f}" width="{width:.1f}" height="8"/>'
        at += width
    yield f"</svg><p>{used}"
    for part, tokens in amounts.items():
        if tokens:
            yield f'<span class="{part}"><i></i>{words[part]} {tokens:,}</span>'
    yield "</p></div>"


def _aside(album: Album, words: Mapping[str, str]) -> Iterator[str]:
    yield '<aside><div class="detail player"></div>'
    yield '<ul class="legend">'
    signs = [(state.value, sign.glyph) for state, sign in STATES.items()]
    signs += [(kind.value, ATTRIBUTES[kind].glyph) for kind in (Attribute.LOCKED, Attribute.NEXT_VICTIM)]
    yield from (f'<li><i class="sign {_class(kind)}">{glyph}</i>{words[kind]}</li>' for kind, glyph in signs)
    yield "</ul>"
    if album.facts:
        facts = "".join(
            f"<div><dt>{_line(name)}</dt><dd>{_line(fact)}</dd></div>" for name, fact in album.facts.items()
        )
        yield f'<dl class="facts">{facts}</dl>'
    yield "</aside>"


def _player(album: Album, words: Mapping[str, str]) -> Iterator[str]:
    yield f'<footer class="bar"><div class="buttons player" role="group" aria-label="{words["steps"]}">'
    for name, shape in _ICONS.items():
        yield f'<button type="button" data-do="{name}" title="{words[name]}" aria-label="{words[name]}">'
        yield f'<svg viewBox="0 0 24 24" aria-hidden="true"><path class="{name}" d="{shape}"/>'
        yield '<path class="pause" d="M7 5h3v14H7zM14 5h3v14h-3z"/>' if name == "play" else ""
        yield "</svg></button>"
    yield f'</div><p class="place player"></p><nav class="timeline" aria-label="{words["steps"]}"><ol>'
    for panel in album.panels:
        number = panel.number
        yield f'<li><a href="#step-{number}" title="{_line(panel.title)}">{number}<span class="happened">'
        yield "".join(f'<i class="{state}"></i>' for state in _happened(panel.snapshot)) + "</span></a></li>"
    yield f'</ol></nav><label class="speed player">{words["speed"]} <select>'
    yield from (f'<option value="{x}"{" selected" if x == "1" else ""}>{x}×</option>' for x in _SPEEDS)
    yield "</select></label></footer>"


def _happened(snapshot: Snapshot) -> Iterator[str]:
    """Yields what a step did, as the states that some node has in it."""
    states = {snapshot.state(node) for node in snapshot.nodes()}
    if snapshot.tombstones:
        states.add(State.EVICTED)
    yield from (state.value for state in (State.NEW, State.REUSED, State.EVICTED) if state in states)


def _help(words: Mapping[str, str]) -> Iterator[str]:
    yield f'<dialog aria-label="{words["help"]}"><h2>{words["help"]}</h2><dl>'
    for keys, meaning in _KEYS:
        named = " ".join(f"<kbd>{words.get(key, key)}</kbd>" for key in keys)
        yield f"<div><dt>{named}</dt><dd>{words[meaning]}</dd></div>"
    yield f'</dl><form method="dialog"><button>{words["close"]}</button></form></dialog>'


# -- data for the script -----------------------------------------------------------------------------------------------


def _data(album: Album, words: Mapping[str, str]) -> str:
    """Returns what the script knows about nodes, as JSON that can stand in HTML."""
    texts: dict[str, int] = {}  # each whole text once, and its place
    steps = [{"number": panel.number, "nodes": _nodes(panel, album, texts)} for panel in album.panels]
    signs = {state.value: sign.glyph for state, sign in STATES.items()}
    known = {"columns": _COLUMNS, "words": {word: words[word] for word in _SPOKEN_BY_SCRIPT}, "signs": signs}
    data = dumps(known | {"texts": [*texts], "steps": steps}, ensure_ascii=False, separators=(",", ":"))
    return data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _nodes(panel: Panel, album: Album, texts: dict[str, int]) -> dict[str, tuple[str | int, ...]]:
    """Returns the rows of a panel's nodes and tombstones, by id; one row where only the end of a node went."""
    rows: dict[str, tuple[str | int, ...]] = {}
    ends: dict[int, int] = {}  # the token at which each node ends
    for one in told(panel.snapshot, album.pieces, letters=panel.letters, relabels=album.relabels):
        if one.kind is RowKind.NAMESPACE or not one.whole:
            continue
        above = one.parent or 0
        ends[one.id] = ends.get(above, 0) + one.tokens
        name = one.name if panel.letters is None else one.letter
        text = texts.setdefault(one.text, len(texts))
        rows[str(one.id)] = (
            name, one.state.value, one.attribute.value, one.locks, one.tokens, ends[one.id], text, above
        )  # fmt: skip
    return rows if panel.snapshot.blocks is None else rows | _unregistered(panel, album, texts)


def _unregistered(panel: Panel, album: Album, texts: dict[str, int]) -> dict[str, tuple[str | int, ...]]:
    """Returns the same of blocks that are in no tree: those that are not full, or have no hash."""
    pool, teller = Pool(panel.snapshot), Teller(album.pieces, album.lang)
    rows: dict[str, tuple[str | int, ...]] = {}
    known = {node.id for node in panel.snapshot.nodes()}
    for entry in pool.entries.values():
        if entry.id in known:
            continue
        text = texts.setdefault(teller.text(entry), len(texts))
        above = pool.above(entry)
        end = max(0, entry.depth - 1) * entry.size + entry.tokens
        rows[str(entry.id)] = (
            f"block {entry.number}", entry.state.value, entry.attribute.value, entry.refs, entry.tokens, end, text,
            0 if above is None else pool.handle(above),
        )  # fmt: skip
    return rows


# -- pictures, styles and the policy -----------------------------------------------------------------------------------

_STYLE: Final = re.compile(r"<style\b[^>]*>(.*?)</style>\s*", re.DOTALL)
_METADATA: Final = re.compile(r"<metadata\b[^>]*>.*?</metadata>\s*", re.DOTALL)
_DARK: Final = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")
_ID: Final = re.compile(r"<svg\b[^>]*?\sid=\"([\w-]+)\"")


def _apart(svgs: Iterable[str]) -> tuple[list[str], list[str]]:
    """Returns SVG elements fit for HTML, and the style sheets that stood in them, each once."""
    pictures: list[str] = []
    styles: dict[str, None] = {}
    for svg in svgs:
        start = svg.find("<svg")
        if start < 0:
            raise ValueError("a picture of a page must be SVG")
        picture = svg[start:].strip()
        own = _ID.match(picture)
        for sheet in _STYLE.findall(picture):
            # what every picture says of itself is said once of all
            styles[re.sub(rf"#{own[1]}(?![\w-])", "figure>svg", _css(sheet)) if own else _css(sheet)] = None
        pictures.append(_METADATA.sub("", _STYLE.sub("", picture)))
    return pictures, list(styles)


def _css(text: str) -> str:
    """Returns a style sheet of XML as one of HTML, where entities and CDATA mean nothing; never dark on paper."""
    text = text.strip()
    if text.startswith("<![CDATA["):
        text = text.removeprefix("<![CDATA[").removesuffix("]]>").strip()
    else:
        text = unescape(text)
    return _DARK.sub("@media screen and (prefers-color-scheme: dark)", text)


def _policy(script: str, sheets: Iterable[str]) -> str:
    styles = " ".join(_hash(sheet) for sheet in sheets)
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {styles}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _colours() -> str:
    """Returns the colours of the pictures as CSS variables, for the page around them."""
    light, dark = _variables(THEMES["light"]), _variables(AT_NIGHT)
    return f"\n:root {{{light}}}\n@media screen and (prefers-color-scheme: dark) {{ :root {{{dark}}} }}\n"


def _variables(theme: Theme) -> str:
    inks = {state.value: ink for state, ink in theme.states.items()}
    inks |= {_class(attribute.value): ink for attribute, ink in theme.attributes.items() if attribute.value}
    colours = {"text": theme.text, "faint": theme.faint, "ground": theme.ground}
    colours |= {name: ink.stroke for name, ink in inks.items()}
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def _class(kind: str) -> str:
    """Returns the word of CSS for a state or an attribute."""
    return kind.replace(" ", "-")


def _read(name: str) -> str:
    """Returns a file of this package that becomes part of the page."""
    return (files(__package__) / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _line(text: str) -> str:
    """Returns any text as one line of HTML, good for an attribute, too."""
    return escape(" ".join(sanitize(text).split()))


def _text(text: str) -> str:
    """Returns any text as HTML that keeps its lines."""
    return escape(sanitize(text).strip())
