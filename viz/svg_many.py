"""Several scenes as SVG: frames of one size, one animated file, or all steps in one figure.

Frames fit on each other, so that slides can morph from one to the next. An animation is CSS that shows and hides whole
groups; whoever does not play it, or wants no motion, sees the last step. What does not change is written once. Knows
scenes and the writer of one; no layout but where the panels of a grid stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from .album import Album
from .scene import Piece, Scene, scenes
from .svg import (
    CAPTION,
    GAP,
    HEADING,
    LINE,
    MARGIN,
    PROSE,
    ROW,
    SANS,
    Ink,
    Page,
    Sheet,
    ThemeName,
    Words,
    by_strength,
    caption_svg,
    document,
    edge,
    edge_text,
    heading_svg,
    ids_of,
    legend_of,
    legend_svg,
    lines_of,
    node,
    num,
    points,
    pool_svg,
    prefix_of,
    prose_svg,
    sheet_svg,
    tree_svg,
)

SECONDS: Final = 2.5
"""How long a step of an animation stands."""

_LAST = 2  # how many times longer the last one does
_WRAPS = (12, 14, 16, 18, 20, 24, 30, 38, 48)  # cells of a line, tried for a grid
_TALL = 1.4  # height of a grid by its width, unless another limit is given
_MOST_ROWS = 40
_COSTLY = 1.1  # how many times wider a grid may get so that its columns are aligned
_BETWEEN = 26.0  # px between the panels of a row, at least
_WIDEST = 90.0  # and at most
_BELOW = 12.0  # px above and below the line between rows
_DOT = 3.5  # radius of the dots that count the steps


def write_frames(
    scenes: Sequence[Scene],
    *,
    theme: ThemeName = "light",
    legend: bool = True,
    captions: Sequence[str] = (),
    width_mm: float | None = None,
    facts: Mapping[str, str] | None = None,
    prefix: str | None = None,
    lang: str = "en",
) -> list[str]:
    """Writes each scene as a file; all have one view box, and legend and caption stand at one place.

    Args:
        scenes: In order.
        theme: As in `svg.write_svg`.
        legend: As there.
        captions: One for each scene, as there; empty for none at all.
        width_mm: As there.
        facts: As there.
        prefix: Of all ids; the step's number follows. None is ``s``.
        lang: As there.
    """
    if not scenes:
        return []
    sheet = Sheet(scenes, captions, legend, Words(lang))
    files = []
    for scene, caption in zip(scenes, sheet.captions, strict=True):
        own = prefix_of(None if prefix is None else f"{prefix}{scene.panel.number:02d}", scene.panel.number)
        files.append(sheet_svg(sheet, scene, caption, Ink(theme, own), width_mm, facts))
    return files


# -- animation ---------------------------------------------------------------------------------------------------------


def write_animation(
    scenes: Sequence[Scene],
    *,
    seconds: float = SECONDS,
    theme: ThemeName = "light",
    legend: bool = True,
    captions: Sequence[str] = (),
    width_mm: float | None = None,
    facts: Mapping[str, str] | None = None,
    prefix: str = "steps",
    title: str | None = None,
    lang: str = "en",
) -> str:
    """Writes all scenes as one file that shows one after the other, again and again; at rest it shows the last.

    Args:
        scenes: In order, one at least.
        seconds: How long a step stands; the last one stands twice as long.
        theme: As in `svg.write_svg`.
        legend: As there.
        captions: As in `write_frames`.
        width_mm: As in `svg.write_svg`.
        facts: As there.
        prefix: Of all ids.
        title: Of the file; None is made of the first and the last panel's.
        lang: As in `svg.write_svg`.
    """
    words = Words(lang)
    sheet = Sheet(scenes, captions, legend, words)
    ink = Ink(theme, prefix_of(prefix, 0))
    reel = _Reel(len(scenes), seconds, ink.prefix)
    body = [f'<g class="tree" transform="translate({num(MARGIN + 0.5)} {num(sheet.tree + 0.5)})">']
    body += _edges(scenes, ink, reel)
    body += _nodes(scenes, ink, words, reel)
    body += ["</g>", PROSE]
    if any(captions):
        body += reel.shown([heading_svg(caption, sheet) for caption in sheet.captions])
        body += _dots(sheet, ink, reel)
    if sheet.entries:
        body.append(legend_svg(sheet.entries, MARGIN, sheet.legend, ink))
        body += reel.shown([pool_svg(scene, sheet, ink) for scene in scenes])
    body += [*reel.shown([caption_svg(caption, sheet) for caption in sheet.captions]), "</g>"]
    panels = [scene.panel for scene in scenes]
    page = Page(
        width=sheet.width,
        height=sheet.height,
        title=" – ".join(dict.fromkeys((panels[0].title, panels[-1].title))) if title is None else title,
        desc="\n".join(f"{panel.title}. {panel.story}" for panel in panels),
        facts=facts or {},
        width_mm=width_mm,
        lang=words.lang,
    )
    return document(page, ink, body, reel.style())


class _Reel:
    """When what is shown: each set of steps that anything is shown in gets a class and its keyframes."""

    def __init__(self, steps: int, seconds: float, prefix: str) -> None:
        self._steps = steps
        self._hold = max(seconds, 0.1)
        self._prefix = prefix
        self._classes: dict[tuple[int, ...], str] = {}

    def shown(self, markups: Sequence[str]) -> Iterator[str]:
        """Yields what each step shows, equal things once."""
        steps: dict[str, list[int]] = {}
        for step, markup in enumerate(markups):
            if markup:
                steps.setdefault(markup, []).append(step)
        yield from self.grouped((markup, tuple(when)) for markup, when in steps.items())

    def grouped(self, things: Iterable[tuple[str, tuple[int, ...]]]) -> Iterator[str]:
        """Yields things with the steps that show them, those of the same steps in one group."""
        together: dict[tuple[int, ...], list[str]] = {}
        for markup, when in things:
            together.setdefault(when, []).append(markup)
        for when, markups in together.items():
            if len(when) == self._steps:
                yield from markups
                continue
            name = self._classes.setdefault(when, f"v{len(self._classes) + 1}")
            hidden = "" if when[-1] == self._steps - 1 else ' visibility="hidden"'
            yield "\n".join([f'<g class="{name}"{hidden}>', *markups, "</g>"])

    def style(self) -> str:
        """Returns the style sheet: nothing moves for those who want no motion."""
        if not self._classes:
            return ""
        length = self._hold * (self._steps - 1 + _LAST)
        rules = []
        for when, name in self._classes.items():
            frames = "".join(
                f"{100 * step / (self._steps - 1 + _LAST):.3f}%{{visibility:{'visible' if step in when else 'hidden'}}}"
                for step in range(self._steps)
                if step == 0 or (step in when) is not (step - 1 in when)
            )
            rules.append(f"#{self._prefix} .{name}{{animation:{self._prefix}-{name} {num(length)}s step-end infinite}}")
            rules.append(f"@keyframes {self._prefix}-{name}{{{frames}}}")
        return "\n".join(["<style>", "@media (prefers-reduced-motion:no-preference){", *rules, "}", "</style>"])


def _edges(scenes: Sequence[Scene], ink: Ink, reel: _Reel) -> Iterator[str]:
    """Yields the edges of all steps, those last that may cover others."""
    steps: dict[str, list[int]] = {}
    pieces: dict[str, Piece] = {}
    for step, scene in enumerate(scenes):
        for piece in scene.pieces:
            if piece.edge:
                markup = f"<path {edge(piece, ink)}"
                pieces.setdefault(markup, piece)
                if step not in (when := steps.setdefault(markup, [])):
                    when.append(step)
    order = {id(piece): markup for markup, piece in pieces.items()}
    sorted_by_strength = [order[id(piece)] for piece in by_strength(pieces.values())]
    by_state: dict[object, list[str]] = {}
    for markup in sorted_by_strength:
        by_state.setdefault(pieces[markup].state, []).append(markup)
    yield '<g class="edges">'
    for markups in by_state.values():
        yield from reel.grouped((markup, tuple(steps[markup])) for markup in markups)
    yield "</g>"


def _nodes(scenes: Sequence[Scene], ink: Ink, words: Words, reel: _Reel) -> Iterator[str]:
    """Yields the texts of all edges, which change seldom, and the nodes; ids tell the first step that shows them so."""
    texts: dict[str, list[int]] = {}
    nodes: dict[tuple[str, str], list[int]] = {}
    for step, scene in enumerate(scenes):
        for id, piece in zip(ids_of(scene.pieces, ink.prefix), scene.pieces, strict=True):
            for line in edge_text(piece, ink):
                if line and step not in (when := texts.setdefault(line, [])):
                    when.append(step)
            nodes.setdefault((id, node(piece, ink, words, text=False)), []).append(step)
    yield '<g class="texts">'
    yield from reel.grouped((line, tuple(when)) for line, when in texts.items())
    yield "</g>"
    yield from reel.grouped(
        (f'<g id="{id}-s{when[0] + 1:02d}"{markup}', tuple(when)) for (id, markup), when in nodes.items()
    )


def _dots(sheet: Sheet, ink: Ink, reel: _Reel) -> Iterator[str]:
    """Yields dots that count the steps, on the right of the heading, if there is room for them."""
    count = len(sheet.captions)
    left = sheet.width - MARGIN - _DOT - (count - 1) * 4 * _DOT
    if count == 1 or left < sheet.width / 2:
        return
    y = MARGIN + HEADING / 2
    places = [f'cx="{num(left + step * 4 * _DOT)}" cy="{num(y)}" r="{num(_DOT)}"' for step in range(count)]
    rings = "".join(f"<circle {place}/>" for place in places)
    yield f'<g class="rule" fill="none" {ink.paint[".rule"]} stroke-width="1.2">{rings}</g>'
    yield from reel.shown([f'<circle class="faint" {ink.paint[".faint"]} {place}/>' for place in places])


# -- grid --------------------------------------------------------------------------------------------------------------


class _Cell(NamedTuple):
    """Where a panel stands."""

    scene: Scene
    x: float
    y: float


class _Grid:
    """Where everything in a grid stands: rows one below the other, all to one scale.

    Args:
        lines: The panels of each row.
        legend: Whether there is one.
        caption: Below everything.
        words: The language.
    """

    def __init__(self, lines: Sequence[Sequence[Scene]], legend: bool, caption: str, words: Words) -> None:
        columns = max(len(line) for line in lines)
        least = [max(line[at].width for line in lines if at < len(line)) for at in range(columns)]
        aligned = sum(least) + _BETWEEN * (columns - 1)
        free = max(_wide(line) for line in lines)
        spread = aligned > _COSTLY * free
        self.room = free if spread else aligned
        self.width = -(-(self.room + 2 * MARGIN) // 1)
        self.cells: list[_Cell] = []
        self.rules: list[float] = []
        y = MARGIN
        for number, line in enumerate(lines):
            if number:
                self.rules.append(y + _BELOW)
                y += 2 * _BELOW
            x, gap = MARGIN, _BETWEEN
            if spread and len(line) > 1:
                gap = min(gap + (free - _wide(line)) / (len(line) - 1), _WIDEST)
            for at, scene in enumerate(line):
                self.cells.append(_Cell(scene, x, y))
                x += gap + (scene.width if spread else least[at])
            y += HEADING + 4 + max(scene.height for scene in line)
        self.entries = legend_of([scene for line in lines for scene in line], words, self.room) if legend else []
        if self.entries:
            self.legend = y + GAP + ROW / 2
            y = self.legend + (self.entries[-1].row + 0.5) * ROW
        self.lines = lines_of(caption, int(self.room / (CAPTION * 0.6)))
        self.caption = y + GAP + CAPTION
        if self.lines:
            y = self.caption + (len(self.lines) - 1) * LINE + 4
        self.height = -(-(y + MARGIN) // 1)


def _wide(line: Sequence[Scene]) -> float:
    return sum(scene.width for scene in line) + _BETWEEN * (len(line) - 1)


def _grid(
    scenes: Sequence[Scene],
    columns: int | None,
    rows: int | None,
    tall: float,
    legend: bool,
    caption: str,
    words: Words,
) -> _Grid:
    """Breaks scenes into rows; see `write_grid`. `tall` is the most height by width where rows are free."""
    if not scenes:
        raise ValueError("no scenes")
    if columns is not None:
        if columns < 1 or (rows is not None and len(scenes) > columns * rows):
            raise ValueError(f"{len(scenes)} panels do not fit {columns} x {rows}")
        lines = [scenes[start : start + columns] for start in range(0, len(scenes), columns)]
        return _Grid(lines, legend, caption, words)
    best: _Grid | None = None
    for most in range(1, min(len(scenes), _MOST_ROWS) + 1) if rows is None else [max(rows, 1)]:
        grid = _Grid(_broken(scenes, most), legend, caption, words)
        if best is not None and (grid.height > tall * grid.width or grid.width >= best.width):
            continue
        best = grid
    assert best is not None
    return best


def _broken(scenes: Sequence[Scene], rows: int) -> list[list[Scene]]:
    """Breaks scenes into so many rows at most, so that the widest row is as narrow as can be."""
    low, high = max(scene.width for scene in scenes), _wide(scenes)
    if len(_filled(scenes, low)) <= rows:
        return _filled(scenes, low)
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if len(_filled(scenes, middle)) <= rows else (middle, high)
    return _filled(scenes, high)


def _filled(scenes: Sequence[Scene], room: float) -> list[list[Scene]]:
    """Returns rows that are filled as far as there is room."""
    lines: list[list[Scene]] = []
    for scene in scenes:
        if lines and _wide([*lines[-1], scene]) <= room:
            lines[-1].append(scene)
        else:
            lines.append([scene])
    return lines


def write_grid(
    scenes: Sequence[Scene],
    columns: int | None = None,
    rows: int | None = None,
    *,
    width_mm: float | None = None,
    height_mm: float | None = None,
    theme: ThemeName = "light",
    legend: bool = True,
    caption: str = "",
    facts: Mapping[str, str] | None = None,
    prefix: str = "grid",
    title: str | None = None,
    lang: str = "en",
) -> str:
    """Writes all scenes as one figure: rows of panels with the numbers of their steps, all to one scale.

    Columns are aligned where that costs little width; else each row is spread over the width.

    Args:
        scenes: In order, from the left to the right and down; best of `grid_scenes`.
        columns: Panels in a row; None: as many as fit, so that the text is as large as it can be.
        rows: Rows at most; None: as many as the height has room for.
        width_mm: Width on paper; None is as many px as it has.
        height_mm: Height on paper that is not passed where rows are free; None is 1.4 times the width.
        theme: As in `svg.write_svg`.
        legend: Whether to say once, at the bottom, what the signs mean.
        caption: Sentences below everything.
        facts: As in `svg.write_svg`.
        prefix: Of all ids.
        title: As in `write_animation`.
        lang: As in `svg.write_svg`.

    Raises:
        ValueError: there are no scenes, or too many.
    """
    words = Words(lang)
    grid = _grid(scenes, columns, rows, _tall(width_mm, height_mm), legend, caption, words)
    ink = Ink(theme, prefix_of(prefix, 0))
    body = [
        f'<path class="rule" {ink.paint[".rule"]} d="M{num(MARGIN)} {num(y)}H{num(grid.width - MARGIN)}"/>'
        for y in grid.rules
    ]
    for at, (scene, x, y) in enumerate(grid.cells, start=1):
        panel = scene.panel
        own = f"{ink.prefix}-{at:02d}"
        body += [
            f'<g id="{own}" class="panel" data-step="{panel.number}">',
            f'<text class="heading" x="{num(x)}" y="{num(y + HEADING - 2)}" font-family="{SANS}" '
            f'font-size="{num(HEADING)}" font-weight="700">({panel.number})</text>',
            f'<g class="tree" transform="translate({num(x + 0.5)} {num(y + HEADING + 4.5)})">',
            tree_svg(scene, ink, words, own),
            "</g>",
            "</g>",
        ]
    body.append(PROSE)
    if grid.entries:
        body.append(legend_svg(grid.entries, MARGIN, grid.legend, ink))
    body += [prose_svg(grid.lines, MARGIN, grid.caption), "</g>"]
    panels = [scene.panel for scene in scenes]
    page = Page(
        width=grid.width,
        height=grid.height,
        title=" – ".join(dict.fromkeys((panels[0].title, panels[-1].title))) if title is None else title,
        desc="\n".join(f"({panel.number}) {panel.title}. {panel.story}" for panel in panels),
        facts=facts or {},
        width_mm=width_mm,
        lang=words.lang,
    )
    return document(page, ink, [part for part in body if part])


def _tall(width_mm: float | None, height_mm: float | None) -> float:
    return _TALL if width_mm is None or height_mm is None else height_mm / width_mm


def grid_scenes(
    album: Album,
    columns: int | None = None,
    rows: int | None = None,
    *,
    width_mm: float,
    height_mm: float | None = None,
    legend: bool = True,
    caption: str = "",
    made: Callable[[int], Sequence[Scene]] | None = None,
) -> tuple[Scene, ...]:
    """Lays out an album for a grid: each panel on its own, lines as short as makes all text as large as it can be.

    Args:
        album: What to show.
        columns: As in `write_grid`.
        rows: As there.
        width_mm: Width on paper.
        height_mm: Height on paper that is not passed if it need not be; None is 1.4 times the width.
        legend: Whether the grid has one.
        caption: Of the grid.
        made: How scenes are laid out for a wrap in cells; None is `scene.scenes`, compact.
    """
    tall = _tall(width_mm, height_mm)
    words = Words(album.lang)

    def worth(drawn: Sequence[Scene]) -> tuple[bool, float]:
        grid = _grid(drawn, columns, rows, tall, legend, caption, words)
        fits = grid.height <= tall * grid.width
        return fits, -grid.width if fits else -grid.height / grid.width

    lay_out = made or (lambda wrap: scenes(album, layout="compact", wrap=wrap))
    tried = [tuple(lay_out(wrap)) for wrap in reversed(_WRAPS)]
    return max(tried, key=worth)


def smallest_grid_pt(
    scenes: Sequence[Scene],
    columns: int | None = None,
    rows: int | None = None,
    *,
    width_mm: float,
    height_mm: float | None = None,
) -> float:
    """Returns the size of the smallest text of a grid on paper, in points."""
    return points(_grid(scenes, columns, rows, _tall(width_mm, height_mm), True, "", Words("en")).width, width_mm)
