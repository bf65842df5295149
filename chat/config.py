"""The settings file, config.toml: what a person would otherwise write on every command line, which beats it.

Its keys are the fields of `Config`. A key that does not exist, a value of another kind or one that is not among those
possible is refused with the file, the key and what is allowed: a typing error that goes unnoticed helps nobody.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from ..radix.policies import POLICIES
from ..radix.presets import PRESETS
from .errors import UsageError
from .paths import config_file
from .presets import DEFAULT

SAMPLING = ("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed", "stop")
ENGINE = ("model", "device", "dtype", "forward", "quantize", "cache", "capacity")
TREES = ("policy", "page_size")
BLOCKS = ("preset", "block_size")
"""Settings of a radix tree, or of hash blocks alone."""


THEMES = ("dark", "light", "high-contrast", "ansi-dark", "ansi-light")
VIEWS = ("auto", "rail", "ruler", "figure", "blocks")
FORWARDS = ("auto", "lean", "generic")
QUANTIZE = ("none", "int8")


def _of(default: str | None, *choices: str) -> Any:
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings; those that are None leave the choice to the model or the terminal."""

    model: str = "radish"
    device: str = _of("auto", "auto", "cpu", "cuda", "mps")
    dtype: str = _of("auto", "auto", "float32", "bfloat16", "float16")
    forward: str = _of("auto", *FORWARDS)
    quantize: str = _of("none", *QUANTIZE)  # weights of 8 bits
    cache: str = _of("radix", "radix", "hash", "last", "none")
    capacity: int | str | None = None  # tokens, or bytes as "512MiB"
    policy: str = _of("lru", *POLICIES)
    page_size: int = 1
    preset: str | None = _of(None, *PRESETS)  # of hash blocks, like the next
    block_size: int | None = None
    system: str = ""
    thinking: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    theme: str | None = _of(None, *THEMES)  # of the app
    view: str = _of("auto", *VIEWS)  # how the app draws the tree
    beats: bool = True  # whether the app pauses for a moment where a node splits or goes
    why: bool = True  # whether a line under a turn says why its prompt was not reused
    ascii: bool = False
    record: bool = True  # whether chats are recorded
    save: bool = True  # whether conversations, recordings and what was typed are kept at all

    def given(self, **options: object) -> Config:
        """Returns the settings under those of a command line; None was not given."""
        return replace(self, **{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]

    def engine(self) -> dict[str, Any]:
        """Returns what `Engine.load` takes; of settings that only other caches have, nothing."""
        names = (*ENGINE, *(BLOCKS if self.cache == "hash" else TREES))
        return {name: getattr(self, name) for name in names}

    @property
    def about_cache(self) -> str:
        """The cache and its rules, in a few words."""
        if self.cache != "hash":
            return f"radix, {self.policy}, pages of {self.page_size}" if self.cache == "radix" else self.cache
        rules = PRESETS[self.preset or DEFAULT]
        return f"hash, {rules.name}, blocks of {self.block_size or rules.block_size}"

    def sampling(self) -> dict[str, object]:
        """Returns how to sample, as far as it is set."""
        return {name: getattr(self, name) for name in SAMPLING if getattr(self, name) is not None}


KINDS: dict[type, str] = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: 'a list of texts, such as ["END"]',
}


def load_config(path: Path | None = None) -> Config:
    """Reads the settings; a file that does not exist is an empty one.

    Raises:
        UsageError: the file cannot be read, or something in it is not possible.
    """
    path = path or config_file()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings {path} cannot be read: {error}", "Mend the file, or move it away.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the settings {path} are no TOML: {error}", "Write one `key = value` a line.") from None
    hints = get_type_hints(Config)
    known = {each.name: each for each in fields(Config)}
    for key, value in values.items():
        if key not in known:
            raise UsageError(f"{path}: there is no setting {key!r}", f"Settings: {', '.join(known)}.")
        choices = known[key].metadata.get("choices")
        if choices and value not in choices:
            raise UsageError(f"{path}: {key} = {value!r} is not possible", f"Choose one of {', '.join(choices)}.")
        values[key] = _checked(path, key, value, hints[key])
    config = Config(**values)
    _check_sampling(path, config.sampling())
    return config


def _check_sampling(path: Path, sampling: dict[str, object]) -> None:
    if sampling:
        from .engine import SamplingParams

        try:
            SamplingParams(**sampling)  # type: ignore[arg-type]
        except UsageError as error:
            raise UsageError(f"{path}: {error.what}", error.fix) from None


def _checked(path: Path, key: str, value: Any, hint: Any) -> Any:
    """Returns a value as the field keeps it. Raises UsageError when it is of another kind."""
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)]
    kinds = [getattr(kind, "__origin__", kind) for kind in kinds]
    if tuple in kinds and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if float in kinds and type(value) is int:
        return float(value)
    if type(value) in kinds:
        return value
    wanted = " or ".join(KINDS[kind] for kind in kinds)
    raise UsageError(f"{path}: {key} = {value!r} is of the wrong kind", f"Give {wanted}.")


def effective(config: Config) -> list[str]:
    """Returns the settings as lines of TOML; what nobody set stands behind a #."""
    return [_toml(each.name, getattr(config, each.name)) for each in fields(config)]


def _toml(name: str, value: Any) -> str:
    match value:
        case None:
            return f"# {name}"
        case bool():
            return f"{name} = {str(value).lower()}"
        case tuple():
            return f"{name} = [{', '.join(map(_quoted, value))}]"
        case str():
            return f"{name} = {_quoted(value)}"
        case _:
            return f"{name} = {value}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08X}" for char in escaped) + '"'
