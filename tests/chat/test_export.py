"""`radixchat export` as a person types it: what is written, what is said, what is refused, and what is left alone."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from radixchat.chat import cli, commands
from radixchat.chat.chat import Chat
from radixchat.chat.errors import UsageError
from radixchat.chat.exporting import files
from radixchat.chat.exporting.formats import FORMATS

from .scripted import scripted_engine

SVG = "{http://www.w3.org/2000/svg}"
PRINTED = ("svg", "html", "dot", "cast", "json", "txt")


class Result(NamedTuple):
    code: int
    out: bytes
    err: str

    @property
    def said(self) -> list[str]:
        return self.err.splitlines()


Run = Callable[..., Result]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Runs `radixchat export …` in this process, in a folder and a home of its own."""
    monkeypatch.setenv("RADIXCHAT_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        monkeypatch.setattr(sys, "argv", ["radixchat", "export", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return Result(int(ended.value.code or 0), out, err.decode())

    yield call


def recorded(path: Path | None = None) -> Chat:
    """A chat of three requests with a split, recorded to a file."""
    chat = Chat(lambda model: scripted_engine("One.", "Two.", "Three."), record=path, keep=True)
    for line in ("Hello", "And <you> & \x1b]0;me?", "/new", "Help"):
        list(commands.run(chat, line) if line.startswith("/") else chat.send(line))
    return chat


@pytest.fixture
def recording(run: Run, tmp_path: Path) -> Path:
    """The recording of a chat."""
    path = tmp_path / "chat.jsonl"
    recorded(path).close()
    return path


def two_lines(result: Result, code: int, *words: str) -> None:
    """Asserts an error: its code, two lines, nothing on stdout, no traceback, and that nothing was written."""
    assert result.code == code, result.err
    assert len(result.said) == 2 and result.out == b"", result
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err, result.err
    assert not [path for path in Path().iterdir() if path.name.startswith(".") or path.suffix == ".part"]


def looks_like(format: str, data: bytes) -> bool:
    """Whether data is of a format, by its own rules."""
    match format:
        case "svg":
            return ElementTree.fromstring(data.decode()).tag == f"{SVG}svg"
        case "png" | "pdf":
            return data.startswith({"png": b"\x89PNG", "pdf": b"%PDF-"}[format])
        case "html":
            return data.startswith(b"<!DOCTYPE html>") and data.endswith(b"</html>\n")
        case "cast":
            return json.loads(data.splitlines()[0])["version"] == 2
        case "dot":
            return b"digraph" in data
        case "json":
            return isinstance(json.loads(data), dict)
        case _:
            return bool(data.decode().strip())


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("what", ["nine-steps", "recording", "last", "file"])
def test_every_format_of_everything(run: Run, recording: Path, format: str, what: str) -> None:
    """A lesson by name or file, a recording, the newest one: one file, one line on stderr, nothing on stdout."""
    if format in ("png", "pdf"):
        pytest.importorskip("cairosvg")
    shelf = Path(cli.__file__).parents[1] / "examples" / "lessons"
    source = {"recording": str(recording), "file": str(shelf / "trie-to-radix.yaml")}.get(what, what)
    result = run(source, "-o", f"tree.{format}")
    written = Path(f"tree.{format}").read_bytes()
    assert (result.code, result.out) == (0, b"")
    assert result.said == [f"wrote tree.{format} ({_size(len(written))})"]
    assert looks_like(format, written)
    assert [path.name for path in Path().iterdir()] == [f"tree.{format}"]


def _size(size: int) -> str:
    return f"{size / 1000:.1f} kB" if size >= 1000 else f"{size} bytes"


def test_a_format_is_told_by_the_ending_in_any_case_or_by_name(run: Run) -> None:
    """The name beats the ending."""
    for name, ending in [(row.name, ending) for row in FORMATS.values() for ending in row.endings if row.text]:
        assert run("nine-steps", "-o", f"x{ending.upper()}").code == 0
        assert looks_like(name, Path(f"x{ending.upper()}").read_bytes())
    assert run("nine-steps", "-o", "x.svg", "--format", "dot").code == 0
    assert looks_like("dot", Path("x.svg").read_bytes())


def test_the_last_step_is_drawn_unless_another_is_named(run: Run) -> None:
    """With its title; a page has all."""
    run("nine-steps", "-o", "last.svg")
    run("nine-steps", "-o", "nine.svg", "--step", "9")
    run("nine-steps", "-o", "four.svg", "--step", "4")
    assert Path("last.svg").read_bytes() == Path("nine.svg").read_bytes()
    assert "Step 4: " in title("four.svg") and "Step 9: " in title("last.svg")


def test_step_0_of_a_recording_is_before_the_first(run: Run, recording: Path) -> None:
    """An empty tree; it belongs to no series unless it is asked for."""
    assert run(recording, "-o", "zero.svg", "--step", "0").code == 0
    assert title("zero.svg") == "step 0"
    run(recording, "-o", "all.svg", "--all")
    run(recording, "-o", "some.svg", "--step", "0-2")
    assert sorted(path.name for path in Path().glob("all*")) == [f"all-0{n}.svg" for n in (1, 2, 3)]
    assert sorted(path.name for path in Path().glob("some*")) == [f"some-0{n}.svg" for n in (0, 1, 2)]


@pytest.mark.parametrize("format", ["json", "txt"])
def test_data_and_text_hold_several_steps_in_one_file(run: Run, format: str) -> None:
    """The last one, unless others are asked for."""
    sizes = []
    for more in ((), ("--step", "3-5"), ("--all",)):
        assert run("nine-steps", "-o", f"x.{format}", *more).code == 0
        text = Path(f"x.{format}").read_text(encoding="utf-8")
        sizes.append(len(json.loads(text)["steps"]) if format == "json" else text.count("Step "))
    assert sizes == [1, 3, 9]


def test_the_policy_of_a_caption_is_that_of_its_step(run: Run) -> None:
    """A lesson may change it on the way."""
    run("policies", "-o", "x.svg")
    assert "policy lfu" in Path("x.svg").read_text(encoding="utf-8")


def title(path: str) -> str:
    """The title of an SVG."""
    return ElementTree.parse(path).getroot().findtext(f"{SVG}title") or ""


def boxes(paths: list[str]) -> set[str]:
    """The view boxes of SVGs."""
    return {ElementTree.parse(path).getroot().get("viewBox", "") for path in paths}


@pytest.mark.parametrize(
    "arguments, first, last, count",
    [
        (("--all", "-o", "steps/"), "steps/step-01.svg", "steps/step-09.svg", 9),
        (("--all", "-o", "steps"), "steps/step-01.svg", "steps/step-09.svg", 9),
        (("--all", "-o", "steps/", "--format", "dot"), "steps/step-01.dot", "steps/step-09.dot", 9),
        (("--all", "-o", "f-{n}-x.svg"), "f-01-x.svg", "f-09-x.svg", 9),
        (("--all", "-o", "frames.svg"), "frames-01.svg", "frames-09.svg", 9),
        (("--step", "3-6", "-o", "frames.svg"), "frames-03.svg", "frames-06.svg", 4),
        (("--step", "2-3", "-o", "frames.svg", "--view", "ruler"), "frames-02.svg", "frames-03.svg", 2),
    ],
)
def test_frames_are_a_file_each_of_one_size(run: Run, arguments: tuple[str, ...], first: str, last: str, count: int):
    """In a folder that is there, or numbered; said in one line."""
    Path("steps").mkdir()
    result = run("nine-steps", *arguments)
    assert result.code == 0 and len(result.said) == 1
    assert f"{count} files, {first} to {last}" in result.err
    found = [str(path) for path in sorted(Path().rglob("*.svg"))]
    assert Path(first).is_file() and Path(last).is_file()
    if found:
        assert len(found) == count and len(boxes(found)) == 1


def test_a_step_can_stand_where_it_stands_in_the_series(run: Run) -> None:
    """With --layout fixed; alone it takes the room that it needs."""
    run("nine-steps", "--all", "-o", "all.svg")
    run("nine-steps", "--step", "2", "--layout", "fixed", "-o", "two.svg")
    run("nine-steps", "--step", "2", "-o", "small.svg")
    assert boxes(["two.svg"]) == boxes(["all-02.svg"]) != boxes(["small.svg"])


def test_stdout_takes_one_file_and_nothing_else(run: Run, recording: Path) -> None:
    """The same bytes as the file, and silence on stderr."""
    for name in PRINTED:
        if name in FORMATS:
            run(recording, "-o", f"x.{name}")
            result = run(recording, "-o", "-", "--format", name)
            assert (result.code, result.err) == (0, "")
            assert result.out == Path(f"x.{name}").read_bytes()


def test_what_is_quoted_is_escaped_and_sanitised(run: Run, recording: Path) -> None:
    """A message with markup and an escape sequence in it; a relabelled node is noted in the metadata."""
    run(recording, "-o", "x.svg", "--relabel", "1=<b>\x1b[31mmine", "--caption", "a\x00 < b\x07")
    text = Path("x.svg").read_text(encoding="utf-8")
    assert "\x1b" not in text and "<b>" not in text and "\x07" not in text
    root = ElementTree.fromstring(text)
    assert "relabelled #1: <b>" in (root.findtext(f"{SVG}metadata") or "")
    assert "mine" in "".join(root.itertext())


def test_the_caption_is_the_facts_a_text_or_nothing(run: Run) -> None:
    """By default it says what was recorded, and what changed."""
    for name, more in {"facts": (), "own": ("--caption", "All mine."), "none": ("--no-caption",)}.items():
        assert run("nine-steps", "-o", f"{name}.svg", *more).code == 0
    read = {name: Path(f"{name}.svg").read_text(encoding="utf-8") for name in ("facts", "own", "none")}
    assert "capacity 200 tokens" in read["facts"] and "policy lru" in read["facts"]
    assert "All mine." in read["own"] and "model words ·" not in read["own"]
    assert 'class="caption"' not in read["none"]


def test_in_another_language(run: Run) -> None:
    """Titles and stories; what a lesson lacks is said."""
    assert run("nine-steps", "-o", "x.svg", "--lang", "zh").code == 0
    assert title("x.svg").startswith("第 9 步")
    assert "not everything in this lesson is told in fr" in run("nine-steps", "-o", "x.svg", "--lang", "fr").err


def test_letters_that_would_be_too_small_are_said(run: Run) -> None:
    """And the file is written for all that."""
    result = run("nine-steps", "-o", "x.svg", "--width", "40mm")
    assert result.code == 0 and len(result.said) == 2
    assert "at 40 mm the smallest letters have" in result.said[0]
    assert ElementTree.parse("x.svg").getroot().get("width") == "40mm"
    assert len(run("nine-steps", "-o", "x.svg", "--width", "100cm").said) == 1


def test_outline_and_ruler_take_as_many_columns_as_can_be_read(run: Run) -> None:
    """On narrow paper fewer."""
    for view in ("rail", "ruler"):
        assert len(run("nine-steps", "-o", f"{view}.svg", "--view", view, "--width", "84mm").said) == 1
        run("nine-steps", "-o", f"{view}-screen.svg", "--view", view)
        assert boxes([f"{view}.svg"]) != boxes([f"{view}-screen.svg"])


WRONG = [
    ((), 2, ("'--output'",)),
    (("-o", "tree.doc"), 2, ("'.doc'", ".svg, .png, .pdf")),
    (("-o", "tree"), 2, ("without an ending", "--format")),
    (("-o", "tree.svg", "--format", "gif"), 2, ("there is no format 'gif'", "svg, png, pdf")),
    (("-o", "-"), 2, ("--format",)),
    (("-o", "-", "--format", "svg", "--all"), 2, ("one file", "DIR/")),
    (("-o", "no/tree.svg"), 2, ("folder no does not exist", "mkdir -p no")),
    (("-o", "no/", "--all"), 2, ("folder no does not exist", "mkdir -p no")),
    (("-o", "/dev/null/tree.svg"), 2, ("/dev/null is no folder",)),
    (("-o", "/proc/tree.svg"), 2, ("/proc/tree.svg cannot be written",)),
    (("-o", f"{'long' * 99}.svg"), 2, ("cannot be written: File name too long",)),
    (("-o", "a\0b.svg"), 2, ("cannot be written",)),
    (("-o", "."), 2, (". is a folder", "--all")),
    (("-o", "x.svg", "--step", "12"), 2, ("there is no step 12", "steps 1 to 9")),
    (("-o", "x.svg", "--step", "5-12"), 2, ("there is no step 12",)),
    (("-o", "x.svg", "--step", "0"), 2, ("there is no step 0",)),
    (("-o", "x.svg", "--step", "6-3"), 2, ("'6-3'", "--step 3-6")),
    (("-o", "x.svg", "--step", "two"), 2, ("'two'",)),
    (("-o", "x.svg", "--step", "2", "--all"), 2, ("--step", "--all")),
    (("-o", "x.svg", "--step", "2", "--animate"), 2, ("--step 1-4",)),
    (("-o", "x.svg", "--grid", "3x3", "--animate"), 2, ("--animate", "--grid")),
    (("-o", "x.svg", "--grid", "2x2"), 2, ("9 steps do not fit 2 × 2", "--grid 2x5")),
    (("-o", "x.svg", "--grid", "0x3"), 2, ("is no grid",)),
    (("-o", "x.svg", "--grid", "3"), 2, ("'3' is no grid", "3x3")),
    (("-o", "x.svg", "--view", "tree"), 2, ("there is no view 'tree'",)),
    (("-o", "x.svg", "--view", "rail", "--grid", "3x3"), 2, ("--grid is for the figure",)),
    (("-o", "x.svg", "--theme", "pink"), 2, ("there is no theme 'pink'", "print")),
    (("-o", "x.png", "--theme", "auto"), 2, ("png has no theme auto",)),
    (("-o", "x.cast", "--theme", "print"), 2, ("cast has no theme print",)),
    (("-o", "x.svg", "--labels", "none"), 2, ("there is no labels 'none'",)),
    (("-o", "x.svg", "--layout", "loose"), 2, ("there is no layout 'loose'",)),
    (("-o", "x.svg", "--layout", "compact", "--animate"), 2, ("--layout compact",)),
    (("-o", "x.svg", "--renderer", "neato"), 2, ("there is no renderer 'neato'",)),
    (("-o", "x.svg", "--renderer", "dot", "--animate"), 2, ("--animate is not for --renderer dot",)),
    (("-o", "x.svg", "--aspect", "wide"), 2, ("'wide' is no aspect", "16:9")),
    (("-o", "x.svg", "--aspect", "1:0"), 2, ("'1:0' is no aspect",)),
    (("-o", "x.svg", "--width", "84"), 2, ("'84' is no width", "84mm")),
    (("-o", "x.svg", "--width", "0mm"), 2, ("'0mm' is no width",)),
    (("-o", "x.svg", "--fold", "99"), 2, ("has a node #99", "#1")),
    (("-o", "x.svg", "--fold", "a"), 2, ("'a' names no nodes",)),
    (("-o", "x.svg", "--relabel", "3"), 2, ("'3' relabels nothing",)),
    (("-o", "x.svg", "--relabel", "99=x"), 2, ("has a node #99",)),
    (("-o", "x.svg", "--caption", "a", "--no-caption"), 2, ("--no-caption",)),
    (("-o", "x.svg", "--lang", "English"), 2, ("no language of two letters",)),
    (("-o", "x.svg", "--scale", "2.5"), 2, ("--scale means nothing for svg", "It is for png.")),
    (("-o", "x.png", "--scale", "nan"), 2, ("--scale",)),
    (("-o", "x.png", "--scale", "900"), 2, ("--scale 900 is too large",)),
    (("-o", "x.svg", "--seconds", "3"), 2, ("--seconds", "--animate")),
    (("-o", "x.svg", "--animate", "--seconds", "0"), 2, ("--seconds 0 is too small",)),
    (("-o", "x.html", "--animate"), 2, ("--animate means nothing for html", "svg")),
    (("-o", "x.dot", "--view", "rail"), 2, ("--view means nothing for dot",)),
    (("-o", "x.svg", "--model", "nobody/nothing"), 3, ("nobody/nothing",)),
]


@pytest.mark.parametrize("arguments, code, words", WRONG)
def test_what_means_nothing_gets_two_lines_and_leaves_no_file(run: Run, arguments, code: int, words) -> None:
    """2 for usage, 3 for a model."""
    if code == 3:
        pytest.importorskip("transformers")
    if "x.png" in arguments:
        pytest.importorskip("cairosvg")
    two_lines(run("nine-steps", *arguments), code, *words)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "what, code, words",
    [
        ("nine-step", 2, ("no lesson 'nine-step'", "is nine-steps meant?")),
        ("nothing.yaml", 2, ("nothing.yaml cannot be read",)),
        ("./nothing.jsonl", 1, ("nothing.jsonl cannot be read",)),
        ("last", 2, ("no recording yet",)),
    ],
)
def test_what_is_not_there_is_said(run: Run, what: str, code: int, words: tuple[str, ...]) -> None:
    """As `replay` and `lesson` say it."""
    two_lines(run(what, "-o", "x.svg"), code, *words)


def test_a_model_is_for_lessons(run: Run, recording: Path) -> None:
    """A recording is what it is."""
    two_lines(run(recording, "-o", "x.svg", "--model", "radish"), 2, "--model is for lessons")


def damaged(path: Path, word: str, target: Path) -> Path:
    """A recording with rubbish in its last step's place: before the line of the last event of a kind."""
    lines = path.read_text().splitlines(keepends=True)
    at = max(place for place, line in enumerate(lines) if f'"{word}"' in line)
    target.write_text("".join([*lines[: at + 1], "rubbish\n", *lines[at + 1 :]]))
    return target


def test_what_is_whole_of_a_damaged_recording_can_be_exported(run: Run, recording: Path, tmp_path: Path) -> None:
    """By its step, with a warning; the rest is an error, which says what is whole."""
    whole = run(recording, "--step", "2", "-o", "whole.svg")
    bad = damaged(recording, "StepOpened", tmp_path / "bad.jsonl")
    two_lines(run(bad, "-o", "x.svg"), 1, "is damaged", "Steps 1 to 2 are whole")
    two_lines(run(bad, "-o", "x.svg", "--step", "3"), 1, "is damaged", "Steps 1 to 2 are whole")
    result = run(bad, "--step", "2", "-o", "part.svg")
    assert whole.code == result.code == 0
    assert "is damaged" in result.said[0] and result.said[1].startswith("wrote part.svg")
    assert Path("part.svg").read_bytes() == Path("whole.svg").read_bytes()


def test_an_event_that_does_not_fit_is_damage_too(run: Run, recording: Path, tmp_path: Path) -> None:
    """The steps before it are exported as ever."""
    lines = recording.read_text().splitlines(keepends=True)
    at = max(place for place, line in enumerate(lines) if '"Split"' in line)
    values = json.loads(lines[at])
    lines[at] = json.dumps({**values, "node": 9999}) + "\n"
    bad = tmp_path / "odd.jsonl"
    bad.write_text("".join(line for line in lines if '"keyframe"' not in line))
    two_lines(run(bad, "-o", "x.svg"), 1, "does not fit the tree", "steps up to 2")
    assert run(bad, "-o", "x.svg", "--step", "2").code == 0


def test_a_recording_that_stops_in_the_middle_is_exported_and_says_so(run: Run, recording: Path, tmp_path: Path):
    """Its writer was interrupted."""
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(recording.read_bytes()[:-30])
    result = run(cut, "-o", "x.svg")
    assert result.code == 0 and "stops in the middle" in result.said[0]


def test_no_file_is_half_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the third of nine fails, none is there, and what was there is as it was."""
    Path("f-01.svg").write_text("mine")
    real, count = files._draft, iter(range(9))

    def fails(draft: Path, target: Path, data: bytes) -> None:
        real(draft, target, data[:100])
        if next(count) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_draft", fails)
    two_lines(run("nine-steps", "--all", "-o", "f.svg"), 2, "f-03.svg cannot be written: No space left")
    assert [path.name for path in Path().iterdir()] == ["f-01.svg"]
    assert Path("f-01.svg").read_text() == "mine"


def test_files_are_replaced_unless_that_is_forbidden(run: Run) -> None:
    """Through a link its target is; the permissions stay; --no-clobber leaves even a dangling link."""
    real, link = Path("real.svg"), Path("link.svg")
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    two_lines(run("nine-steps", "-o", link, "--no-clobber"), 2, "link.svg exists", "--no-clobber")
    assert real.read_text() == "old"
    assert run("nine-steps", "-o", link).code == 0
    assert link.is_symlink() and "<svg" in real.read_text() and real.stat().st_mode & 0o777 == 0o640
    Path("f-05.svg").write_text("mine")
    two_lines(run("nine-steps", "--all", "-o", "f.svg", "--no-clobber"), 2, "f-05.svg exists")
    assert not Path("f-01.svg").exists()


def test_a_device_is_written_to_and_stays_one(run: Run) -> None:
    """`-o /dev/null` would be the end of many things otherwise."""
    assert run("nine-steps", "-o", "/dev/null", "--format", "svg").code == 0
    assert Path("/dev/null").is_char_device()


def test_a_picture_that_is_no_text_is_not_thrown_at_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lines instead."""
    pytest.importorskip("cairosvg")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    two_lines(run("nine-steps", "-o", "-", "--format", "png"), 1, "no text")


def test_without_dot_or_cairosvg_it_is_said_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And everything else works; DOT as text, too."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    two_lines(run("nine-steps", "-o", "x.svg", "--renderer", "dot"), 2, "Graphviz", "apt install graphviz")
    for name in ("png", "pdf"):
        two_lines(run("nine-steps", "-o", f"x.{name}"), 2, "cairosvg", "pip install 'radixchat[pictures]'")
    assert run("nine-steps", "-o", "x.dot").code == 0
    assert run("nine-steps", "-o", "x.svg").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("nine-steps", "--animate", "--format", "svg"), ("nine-steps", "--grid", "3x3", "--format", "svg"),
        ("policies", "--format", "html"), ("page-size", "--view", "ruler", "--format", "svg"),
        ("few-shot", "--format", "dot"), ("nine-steps", "--format", "cast"),
    ],
)  # fmt: skip
def test_the_same_bytes_whatever_the_hash_seed(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """In two processes."""
    outputs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "RADIXCHAT_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-m", "radixchat", "export", *arguments, "-o", "-"],
            env=environment, capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1] and outputs[0]


# -- /export -------------------------------------------------------------------------------------------------------


def test_the_chat_exports_what_it_has_recorded(run: Run) -> None:
    """The same picture as of the recording; options are those of the command line."""
    chat = recorded()
    assert next(iter(commands.run(chat, "/export a.svg --theme dark"))).startswith("wrote a.svg (")
    chat.close()
    assert run("last", "-o", "b.svg", "--theme", "dark").code == 0
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()


def test_a_moment_in_the_middle_of_a_step_is_drawn_as_it_was(run: Run) -> None:
    """Later steps do not exist then."""
    chat = recorded()
    steps = chat.journal.recording.steps
    commands.exported(chat.journal.recording, "now.svg", steps[1].start + 2)
    assert title("now.svg").startswith("step 2, event ")
    commands.exported(chat.journal.recording, "all.svg --all", steps[1].start + 2)
    assert sorted(path.name for path in Path().glob("all*")) == ["all-01.svg", "all-02.svg"]
    commands.exported(chat.journal.recording, "none.svg", 0)
    assert title("none.svg") == "step 0"
    chat.close()


@pytest.mark.parametrize(
    "argument, words",
    [
        ("", "missing file"), ("x.svg --theme pink", "there is no theme 'pink'"), ("x.svg --bogus", "no such option"),
        ("- --format svg", "stdout is the chat's"), ("x.svg -o y.svg", "takes a file and options"),
        ("x.svg --help", "takes a file and options"), ("'x.svg", "No closing quotation"),
        ("x.svg --model radish", "--model is for lessons"), ("x.svg y.svg", "unexpected extra argument"),
    ],
)  # fmt: skip
def test_what_the_chat_cannot_export_is_refused(run: Run, argument: str, words: str) -> None:
    """In two lines; the chat goes on."""
    chat = recorded()
    with pytest.raises(UsageError) as refused:
        list(commands.run(chat, f"/export {argument}"))
    assert words in refused.value.what and refused.value.fix
    assert list(Path().iterdir()) == []
    chat.close()
