"""The command line: options in, exit code out. Heavy imports happen inside the commands, so that --help is quick.

Exit codes: 0 ok, 1 failed, 2 usage, 3 model cannot be loaded, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .completion import (
    benches,
    conversations,
    exported,
    formats,
    lessons,
    models,
    policies,
    presets,
    recordings,
    themes,
    views,
)
from .errors import INTERRUPTED, UsageError, UserError

if TYPE_CHECKING:
    from .exporting.options import Options

app = typer.Typer(
    name="radixchat",
    help="Chat with a small language model on this machine, and watch its radix-tree KV cache at work. "
    "Without a command, `radixchat` opens the app.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class When(StrEnum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Device(StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


class Forward(StrEnum):
    """What computes."""

    AUTO = "auto"
    LEAN = "lean"
    GENERIC = "generic"


class Quantize(StrEnum):
    """In how many bits weights are kept."""

    NONE = "none"
    INT8 = "int8"


class Where(StrEnum):
    """Where to measure."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Level(StrEnum):
    """How much a lesson tells."""

    INTRO = "intro"
    ENGINEER = "engineer"


class Computing(StrEnum):
    """What computes when caches are compared."""

    ONE = "one"
    ALL = "all"


class CacheName(StrEnum):
    """Prefix caches."""

    RADIX = "radix"
    HASH = "hash"
    LAST = "last"
    NONE = "none"


Model = Annotated[
    str | None,
    typer.Option("--model", "-m", help="radish (bundled, the default), a folder, or a hub id.", autocompletion=models),
]
ForwardOption = Annotated[
    Forward | None, typer.Option("--forward", help="lean: ours, where it applies; generic: transformers'.")
]
QuantizeOption = Annotated[
    Quantize | None, typer.Option("--quantize", help="int8: weights of 8 bits, on a CPU; faster, less exact.")
]
Theme = Annotated[str | None, typer.Option("--theme", help="Colours of the app.", autocompletion=themes)]
View = Annotated[str | None, typer.Option("--view", help="How the app draws the tree.", autocompletion=views)]
Preset = Annotated[
    str | None,
    typer.Option(
        "--preset",
        help="Rules of hash blocks: vllm-0.4.2, vllm-0.11, vllm-0.33 (the default), …; list prints all.",
        autocompletion=presets,
    ),
]
BlockSize = Annotated[int | None, typer.Option("--block-size", min=1, help="Tokens of a hash block.")]
Colour = Annotated[When, typer.Option("--color", help="Colour on a terminal (auto), always, or never.")]
Ascii = Annotated[bool, typer.Option("--ascii", help="Draw with ASCII characters only.")]
AsciiOrNot = Annotated[bool | None, typer.Option("--ascii/--no-ascii", help="Draw with ASCII characters only.")]


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"radixchat {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    pass


@app.command(rich_help_panel="Chat")
def chat(
    prompt: Annotated[str | None, typer.Argument(help="Reply to this and leave; else stdin is one prompt.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Talk line by line; in a pipe, too.")] = False,
    model: Model = None,
    conversation: Annotated[
        str | None,
        typer.Option("--conversation", "-c", help="Go on with this one, or begin it.", autocompletion=conversations),
    ] = None,
    latest: Annotated[bool, typer.Option("--continue", help="Go on with the conversation used last.")] = False,
    save: Annotated[
        bool | None,
        typer.Option(
            "--save/--no-save",
            help="Save conversations (the default; one prompt, or a pipe, only with -c or --continue); or keep nothing "
            "at all on disk: no conversation, no recording, no history of what was typed.",
        ),
    ] = None,
    system: Annotated[str | None, typer.Option("--system", help="System prompt of new conversations.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print NDJSON, one event a line; not at a keyboard.")] = False,
    record: Annotated[Path | None, typer.Option("--record", help="Record to this file.")] = None,
    no_record: Annotated[bool, typer.Option("--no-record", help="Keep no recording.")] = False,
    capacity: Annotated[str | None, typer.Option("--capacity", help="Pool size: 4096 tokens, or 512MiB.")] = None,
    cache: Annotated[
        CacheName | None, typer.Option("--cache", help="radix, hash (blocks), last (sequence) or none.")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", help="lru (the default), lfu, fifo, mru, filo, slru or priority.", autocompletion=policies
        ),
    ] = None,
    page_size: Annotated[int | None, typer.Option("--page-size", min=1, help="Tokens of a page.")] = None,
    preset: Preset = None,
    block_size: BlockSize = None,
    device: Annotated[Device | None, typer.Option("--device", help="Where to compute.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.")] = None,
    forward: ForwardOption = None,
    quantize: QuantizeOption = None,
    temperature: Annotated[float | None, typer.Option("--temperature", help="0 is greedy.")] = None,
    top_p: Annotated[float | None, typer.Option("--top-p")] = None,
    top_k: Annotated[int | None, typer.Option("--top-k")] = None,
    min_p: Annotated[float | None, typer.Option("--min-p")] = None,
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", help="Longest reply.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Makes sampling repeatable.")] = None,
    stop: Annotated[
        list[str] | None, typer.Option("--stop", help="End the reply before this text; repeatable.")
    ] = None,
    thinking: Annotated[
        Switch | None,
        typer.Option("--thinking", help="Where a template knows it. Most drop thoughts from history afterwards."),
    ] = None,
    theme: Theme = None,
    view: View = None,
    color: Colour = When.AUTO,
    ascii: AsciiOrNot = None,
) -> None:
    """Chat with a model, and see what its cache reuses, computes and evicts.

    At a terminal this opens the app, as `radixchat` alone does; --plain, a prompt or a pipe do without it.

    What is not given here is taken from the settings (`radixchat config`), else from the model.
    """
    from .config import THEMES, VIEWS, load_config
    from .plain import run_chat
    from .start import Start

    if conversation is not None and latest:
        raise UsageError("--conversation and --continue name two conversations", "Give one of them.")
    config = load_config().given(
        model=model, device=_value(device), dtype=dtype, forward=_value(forward), quantize=_value(quantize),
        cache=_value(cache), capacity=capacity, policy=policy, page_size=page_size, preset=_preset(preset),
        block_size=block_size, system=system, thinking=None if thinking is None else thinking is Switch.ON,
        record=False if no_record else None, save=save, ascii=ascii,
        theme=_one_of("theme", theme, THEMES), view=_one_of("view", view, VIEWS),
    )  # fmt: skip
    _fitting(config.cache, policy=policy, page_size=page_size, preset=preset, block_size=block_size)
    given = {
        "temperature": temperature, "top_p": top_p, "top_k": top_k, "min_p": min_p, "max_tokens": max_tokens,
        "seed": seed, "stop": tuple(stop) if stop else None,
    }  # fmt: skip
    start = Start(
        config,
        {name: value for name, value in given.items() if value is not None},
        record=None if no_record else record,
        conversation=conversation,
        latest=latest,
    )
    if plain or json or prompt is not None or not sys.stdin.isatty():
        raise typer.Exit(run_chat(start, prompt=prompt, lines=plain, json=json, color=color.value))
    from .tui.run import run_app

    run_app(start, color=color.value)


def _preset(name: str | None) -> str | None:
    """Returns the name of a preset; `list` prints all, and that is all."""
    from .presets import preset_lines

    if name == "list":
        typer.echo("\n".join(preset_lines()))
        raise typer.Exit
    return _one_of("preset", name, tuple(presets("")))


def _fitting(cache: str, **given: object) -> None:
    """Raises UsageError for an option that another cache than this would have."""
    from .config import BLOCKS, TREES

    for name in (name for name in (TREES if cache == "hash" else BLOCKS) if given[name] is not None):
        option, other = f"--{name.replace('_', '-')}", "--block-size or --preset" if cache == "hash" else "--cache hash"
        raise UsageError(f"{option} means nothing to cache {cache}", f"Give {other}, or leave it out.")


def _one_of(what: str, value: str | None, choices: tuple[str, ...]) -> str | None:
    if value is not None and value not in choices:
        raise UsageError(f"there is no {what} {value!r}", f"Choose one of {', '.join(choices)}.")
    return value


def _value(choice: StrEnum | None) -> str | None:
    return None if choice is None else choice.value


@app.command(rich_help_panel="Teach")
def replay(
    recording: Annotated[str, typer.Argument(help="A recording, or `last` for the newest.", autocompletion=recordings)],
    plain: Annotated[bool, typer.Option("--plain", help="Print the trees; in a pipe, too.")] = False,
    step: Annotated[int | None, typer.Option("--step", min=0, help="Begin at, or print, this step.")] = None,
    theme: Theme = None,
    view: View = None,
    color: Colour = When.AUTO,
    ascii: Ascii = False,
) -> None:
    """Step through what a recorded cache did, without any model."""
    if not plain and sys.stdin.isatty() and sys.stdout.isatty():
        from .config import THEMES, VIEWS, load_config
        from .tui import run

        settings = load_config().given(
            theme=_one_of("theme", theme, THEMES), view=_one_of("view", view, VIEWS), ascii=ascii or None
        )
        raise typer.Exit(run.run_replay(recording, settings, step=step, color=color.value))
    from .replay import run_replay

    run_replay(recording, step=step, color=color.value, ascii=ascii)


@app.command(rich_help_panel="Teach")
def compare(
    what: Annotated[
        str, typer.Argument(help="A lesson, a recording, or `last` for the newest.", autocompletion=exported)
    ],
    caches: Annotated[
        str, typer.Option("--caches", help="Which, in this order; the first is what the others are compared with.")
    ] = "radix,hash,last,none",
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="Rules of hash blocks; several: vllm-0.4.2,vllm-0.33.", autocompletion=presets),
    ] = None,
    block_size: BlockSize = None,
    capacity: Annotated[int | None, typer.Option("--capacity", min=1, help="Tokens of each pool.")] = None,
    step: Annotated[int | None, typer.Option("--step", min=0, help="Begin at, or print, this step.")] = None,
    compute: Annotated[
        Computing, typer.Option("--compute", help="one: replies are given; all: each cache has a model that computes.")
    ] = Computing.ONE,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Of a lesson, or what computes.", autocompletion=models)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same for programs: all steps, or that of --step.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Print it; in a pipe, too.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write SVG and DOT of the first two caches into this folder, too.")
    ] = None,
    theme: Theme = None,
    color: Colour = When.AUTO,
    ascii: Ascii = False,
) -> None:
    """Run the same prompts through several caches: both structures side by side, and why they differ.

    Needs no model, unless each cache shall compute. docs/compare.md tells what the numbers mean.
    """
    from .compare.run import Wanted, run_compare
    from .presets import preset_lines

    if preset == "list":
        typer.echo("\n".join(preset_lines()))
        return
    wanted = Wanted(_split(caches), _split(preset), block_size, capacity, step)
    given: dict[str, Any] = {"model": model, "compute": compute is Computing.ALL, "color": color.value, "ascii": ascii}
    shown = not (plain or json or export) and sys.stdin.isatty() and sys.stdout.isatty()
    if shown:
        from .config import THEMES
        from .tui.compare import run_screen

        raise typer.Exit(run_screen(what, wanted, theme=_one_of("theme", theme, THEMES), **given))
    run_compare(what, wanted, as_json=json, export=export, **given)


def _split(names: str | None) -> tuple[str, ...]:
    """Returns the names of a list with commas."""
    return tuple(name for name in (part.strip() for part in (names or "").split(",")) if name)


@app.command(rich_help_panel="Teach")
def why(
    recording: Annotated[str, typer.Argument(help="A recording, or `last` for the newest.", autocompletion=recordings)],
    step: Annotated[int | None, typer.Option("--step", min=0, help="Of this step; else of the last request.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The same for programs, one request a line.")] = False,
    color: Colour = When.AUTO,
    ascii: Ascii = False,
) -> None:
    """Say why a prompt of a recording was not reused: what was never there, what went, when, and for whom.

    Needs no model. docs/why.md says what each cause means.
    """
    from .why import run_why

    run_why(recording, step=step, json=json, color=color.value, ascii=ascii)


@app.command(rich_help_panel="Teach")
def lesson(
    name: Annotated[
        str | None,
        typer.Argument(help="A lesson of the list, or a file; without one, the list.", autocompletion=lessons),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Tell it line by line; in a pipe, too.")] = False,
    lang: Annotated[str, typer.Option("--lang", help="en, zh, or another language that the lesson has.")] = "en",
    model: Annotated[
        str,
        typer.Option("--model", "-m", help="words (no model), radish, a folder, or a hub id.", autocompletion=models),
    ] = "words",
    level: Annotated[Level, typer.Option("--level", help="intro, or engineer: locks and slots, too.")] = Level.INTRO,
    questions: Annotated[bool, typer.Option("--questions/--no-questions", help="Ask before it shows.")] = True,
    auto: Annotated[
        float | None, typer.Option("--auto", min=0.1, max=86_400, help="Go on by itself, a step in so many seconds.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Run it, and say whether all is as it expects.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The same for programs.")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Print what the presenter should know.")] = False,
    step: Annotated[int | None, typer.Option("--step", help="Begin at this step; check up to it.")] = None,
    theme: Theme = None,
    view: View = None,
    color: Colour = When.AUTO,
    ascii: Ascii = False,
) -> None:
    """Teach what the cache does, step by step on a real one, with questions before answers.

    A lesson runs on words, without any model, unless --model names one.
    """
    if len(lang) != 2 or not lang.isascii() or not lang.isalpha():
        raise UsageError(f"{lang!r} is no language of two letters", "Write it like --lang zh.")
    if name is None:
        _only_the_list(check=check, notes=notes, step=step is not None)
        from .lessons.listing import run_list

        raise typer.Exit(run_list(lang=lang.lower(), json=json, color=color.value, ascii=ascii))
    if check or json:
        from .lessons.checking import run_check

        raise typer.Exit(run_check(name, model=model, step=step, json=json, color=color.value, ascii=ascii))
    if notes:
        from .lessons.notes import run_notes

        raise typer.Exit(run_notes(name, lang.lower()))
    from .config import THEMES, VIEWS

    settings = {
        "model": model, "lang": lang.lower(), "level": level.value, "questions": questions, "auto": auto, "step": step,
        "theme": _one_of("theme", theme, THEMES), "view": _one_of("view", view, VIEWS), "color": color.value,
        "ascii": ascii,
    }  # fmt: skip
    if not plain and sys.stdin.isatty() and sys.stdout.isatty():
        from .lessons.loading import check_step, load_lesson
        from .tui.lesson_run import run_lesson

        if step is not None:  # said before the screen is taken
            check_step(load_lesson(name), step)
        raise typer.Exit(run_lesson(name, **settings))
    from .lessons.plain import run_plain

    raise typer.Exit(run_plain(name, **settings))


@app.command(rich_help_panel="Teach")
def export(
    what: Annotated[
        str,
        typer.Argument(help="`last`, a recording, a lesson's name, or a lesson's file.", autocompletion=exported),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="File to write; a folder/ or frame-{n}.svg with --all; - is stdout.")
    ],
    format: Annotated[
        str | None, typer.Option("--format", help="When the ending does not tell it.", autocompletion=formats)
    ] = None,
    step: Annotated[str | None, typer.Option("--step", help="This step, or several: 3-6. Else the last one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every step; a file each, of the same size.")] = False,
    animate: Annotated[bool, typer.Option("--animate", help="All steps in one SVG, one after the other.")] = False,
    grid: Annotated[
        str | None, typer.Option("--grid", help="All steps in one picture: 3x3 (columns x rows) or auto.")
    ] = None,
    view: Annotated[
        str, typer.Option("--view", help="figure (of the paper), rail, ruler; hash blocks: blocks.")
    ] = "figure",
    theme: Annotated[str | None, typer.Option("--theme", help="light, dark, auto (as the reader's) or print.")] = None,
    labels: Annotated[str, typer.Option("--labels", help="On the edges: text, tokens (counts) or ids.")] = "text",
    legend: Annotated[bool, typer.Option("--legend/--no-legend", help="Explain the signs.")] = True,
    aspect: Annotated[str | None, typer.Option("--aspect", help="Shape of the picture: 16:9.")] = None,
    width: Annotated[str | None, typer.Option("--width", help="Printed width: 84mm.")] = None,
    layout: Annotated[
        str | None,
        typer.Option("--layout", help="fixed: no node moves from step to step; compact: each as small as can be."),
    ] = None,
    fold: Annotated[str | None, typer.Option("--fold", help="Nodes drawn as one box with all below: 3,7.")] = None,
    relabel: Annotated[
        list[str] | None, typer.Option("--relabel", help="Another text for a node: 3=TEXT; repeatable, and noted.")
    ] = None,
    caption: Annotated[str | None, typer.Option("--caption", help="This below the picture, in place of facts.")] = None,
    no_caption: Annotated[bool, typer.Option("--no-caption", help="Nothing below the picture.")] = False,
    lang: Annotated[str, typer.Option("--lang", help="Of what is told: en, zh, or another that a lesson has.")] = "en",
    model: Annotated[
        str, typer.Option("--model", "-m", help="Of a lesson: words (no model), radish, …", autocompletion=models)
    ] = "words",
    renderer: Annotated[str, typer.Option("--renderer", help="own, or dot (Graphviz) to lay it out.")] = "own",
    scale: Annotated[float, typer.Option("--scale", help="Pixels of a PNG for each of the picture's.")] = 2.0,
    seconds: Annotated[float, typer.Option("--seconds", help="Of each step, where it moves.")] = 2.0,
    no_clobber: Annotated[bool, typer.Option("--no-clobber", help="Replace no file.")] = False,
) -> None:
    """Draw the trees of a recording or of a lesson: SVG, PNG, PDF, a page, a cast, DOT, JSON or text.

    The ending of FILE tells the format. No model is needed. docs/export.md has recipes.
    """
    from .exporting.options import options
    from .exporting.run import run_export

    asked = options(
        output=output, format=format, step=step, every=every, animate=animate, grid=grid, view=view, theme=theme,
        labels=labels, legend=legend, aspect=aspect, width=width, layout=layout, fold=fold, relabel=relabel,
        caption=caption, no_caption=no_caption, lang=lang, model=model, renderer=renderer, scale=scale,
        seconds=seconds, no_clobber=no_clobber,
    )  # fmt: skip
    for line in run_export(what, asked):
        print(line, file=sys.stderr)


def export_options(words: list[str]) -> Options:
    """Reads `FILE [--options]` as `radixchat export` does, for what is shown in a chat.

    Raises:
        UsageError: the file is missing, or an option that cannot be read.
    """
    from .exporting.options import options

    like = "Write it like `/export tree.svg --theme dark`; `radixchat export --help` lists the options."
    if {"-o", "--output", "-h", "--help"}.intersection(words):
        raise UsageError("/export takes a file and options", like)
    command: Any = typer.main.get_command(app)
    try:
        given = command.commands["export"].make_context("/export", [*words, "--output", "-"]).params
    except _CLICK_ERROR as error:
        raise UsageError(_usage_error(error).what.replace("argument 'what'", "file"), like) from None
    given["output"] = given.pop("what")
    return options(**given)


def _only_the_list(**wanted: bool) -> None:
    for option in (option for option, given in wanted.items() if given):
        raise UsageError(f"--{option} needs a lesson", f"Name one: `radixchat lesson NAME --{option}`.")


@app.command(rich_help_panel="Measure")
def doctor(
    model: Model = None,
    device: Annotated[Device | None, typer.Option("--device")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype")] = None,
    forward: ForwardOption = None,
    quantize: QuantizeOption = None,
) -> None:
    """Say what is installed, what a token costs, and where files live."""
    from .doctor import run_doctor

    run_doctor(model=model, device=_value(device), dtype=dtype, forward=_value(forward), quantize=_value(quantize))


@app.command(rich_help_panel="Measure")
def bench(
    what: Annotated[
        str | None,
        typer.Argument(help="ttft, decode, attention, shared-prefix, tree or all.", autocompletion=benches),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same for programs.")] = False,
    plots: Annotated[Path | None, typer.Option("--plots", help="Draw charts into this folder.")] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", min=1, help="How often each arm is timed.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only show that it works: tiny shapes, few rounds.")] = False,
    device: Annotated[Where, typer.Option("--device", help="Where to measure.")] = Where.AUTO,
    color: Colour = When.AUTO,
    ascii: Ascii = False,
) -> None:
    """Measure what the cache and the engine are worth on this machine, as ratios beside their goals.

    Both arms of a ratio run in this process, in turn. docs/bench.md says what each row means.
    """
    from .bench.run import run_bench

    raise typer.Exit(
        run_bench(
            what, json=json, plots=plots, rounds=rounds, quick=quick, device=device.value, color=color.value,
            ascii=ascii,
        )
    )  # fmt: skip


@app.command(rich_help_panel="Measure")
def simulate(
    traces: Annotated[
        list[Path],
        typer.Argument(metavar="TRACE...", help="JSONL with hash_ids, as Mooncake's; or recordings: `last`."),
    ],
    cache: Annotated[list[str] | None, typer.Option("--cache", help="radix, hash, none; several: radix,hash.")] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", help="Of radix: lru, lfu, fifo, …; several: lru,lfu.", autocompletion=policies),
    ] = None,
    capacity: Annotated[
        list[str] | None,
        typer.Option("--capacity", help="5k (blocks of the trace), 2Mtok (tokens) or 8GB (with --of); several: 1k,5k."),
    ] = None,
    unit: Annotated[list[str] | None, typer.Option("--unit", help="Of eviction: page (a block) or leaf.")] = None,
    split_recency: Annotated[
        list[str] | None, typer.Option("--split-recency", help="What a match inside a node refreshes: prefix or both.")
    ] = None,
    tie: Annotated[list[str] | None, typer.Option("--tie", help="Between equals: deepest or id.")] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option("--preset", help="Of hash: vllm-0.4.2, vllm-0.11, vllm-0.33, …", autocompletion=presets),
    ] = None,
    of: Annotated[str | None, typer.Option("--of", help="Model whose K/V the bytes hold: qwen2.5-0.5b, …")] = None,
    model_kv_bytes: Annotated[
        int | None, typer.Option("--model-kv-bytes", min=1, help="The same as bytes of a token.")
    ] = None,
    trace_block: Annotated[
        int | None, typer.Option("--trace-block", min=1, help="Tokens of a block: 512, of recordings 1.")
    ] = None,
    time: Annotated[str, typer.Option("--time", help="Unit of timestamps: ms or s.")] = "ms",
    ids: Annotated[
        str, typer.Option("--ids", help="What an id stands for: prefix, content, or trace (a prefix in its own file).")
    ] = "prefix",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only so many requests.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad lines out, and count them.")] = False,
    optimum: Annotated[
        bool, typer.Option("--optimum/--no-optimum", help="Say, too, what no cache can beat (Belady).")
    ] = True,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="Processes; else one a core.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The results for programs.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The results for spreadsheets.")] = False,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw them, too: FILE.svg.")] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Instead, record a few requests for `radixchat replay`.")
    ] = None,
    window: Annotated[str | None, typer.Option("--window", help="Which ones: 1:100.")] = None,
    color: Colour = When.AUTO,
    ascii: Ascii = False,
) -> None:
    """Feed a trace of many requests to the caches, without a model: hit ratio against capacity.

    Everything is counted in blocks of the trace, each of which is one token to a cache. docs/simulate.md has more.
    """
    from .presets import preset_lines
    from .simulate.options import options
    from .simulate.run import run_simulate

    if preset == ["list"]:
        typer.echo("\n".join(preset_lines()))
        return
    asked = options(
        cache=cache, policy=policy, capacity=capacity or (), unit=unit, split_recency=split_recency, tie=tie,
        preset=preset, of=of, model_kv_bytes=model_kv_bytes, trace_block=trace_block, time=time, ids=ids, limit=limit,
        skip_bad=skip_bad, optimum=optimum, jobs=jobs, json=json, csv=csv, plot=plot, record=record, window=window,
    )  # fmt: skip
    raise typer.Exit(run_simulate(traces, asked, color=color.value, ascii=ascii))


@app.command(rich_help_panel="Chat")
def config() -> None:
    """Say where the settings lie and what they are; the command line beats them."""
    from .config import effective, load_config
    from .paths import config_file

    settings, path = load_config(), config_file()
    typer.echo(f"# {path}{'' if path.exists() else ' (does not exist: these are the defaults)'}")
    typer.echo("\n".join(effective(settings)))


def main() -> None:
    """Runs the program; the entry point of `radixchat` and `python -m radixchat`."""
    _tidy_environment()
    _open_streams()
    try:
        code = app(_words(sys.argv[1:]), standalone_mode=False)
        sys.stdout.flush()  # what cannot be written is said here, and not while Python ends
    except UserError as error:
        code = complain(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # `radixchat … | head`: nobody reads on, and that is no failure of ours
        _drop_output()
        code = 1
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        _drop_output()
        code = complain(UserError(f"the output cannot be written: {error.strerror}", "Make room, or write elsewhere."))
    except _CLICK_ERROR as error:
        code = complain(_usage_error(error))
    sys.exit(code if isinstance(code, int) else 0)


# What a stream that takes no more says: a full disk, a quota, a broken device, a closed descriptor.
_UNWRITABLE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EIO, errno.EBADF)


def _drop_output() -> None:
    """Lets what is still to be written go nowhere, so that it fails no second time while Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _words(words: list[str]) -> list[str]:
    """Returns the command line; one without a command is that of `chat`, so that `radixchat` alone opens the app."""
    of_all = ("-h", "--help", "--version", "--install-completion", "--show-completion")
    return words if words and (not words[0].startswith("-") or words[0] in of_all) else ["chat", *words]


# Typer carries its own Click; its errors are reached through Typer, and never by importing `click`.
_CLICK_ERROR: Any = typer.BadParameter.__mro__[2]


def _usage_error(error: Any) -> UsageError:
    where = error.ctx.command_path if getattr(error, "ctx", None) else "radixchat"
    what = error.format_message().replace("\n", " ").replace("Value error, ", "").rstrip(".")
    return UsageError(what[:1].lower() + what[1:], f"See `{where} --help`.")


def complain(error: UserError) -> int:
    """Prints the two lines of an error to stderr; returns its exit code."""
    print(f"radixchat: {error.what}\n{error.fix}", file=sys.stderr)
    return error.exit_code


def _open_streams() -> None:
    """Opens what the shell closed (`>&-`), so that nobody has to ask whether there is a stdout."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _tidy_environment() -> None:
    """Makes every library see what no-color.org says: only a NO_COLOR that is not empty counts."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]
