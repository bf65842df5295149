"""From names and numbers to an engine: which runner, which cache, how large a pool."""

from __future__ import annotations

import functools
import json
import os
import re
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .engine import CACHES, Engine
from .params import SamplingParams
from .waiting import SCHEDULES
from .words import WordsRunner, WordsTokenizer

CONTEXTS = 4
"""The default capacity holds this many full contexts ..."""

DEFAULT_BYTES = 2 << 30
"""... and at most this many bytes, or what is free."""

LEAST = 256
"""With less than this, or than one context, nobody could chat: then a model is refused, unless a capacity is given."""

WORDS_CAPACITY = 4096

ONE_THREAD = 50_000_000
"""Parameters below which a CPU computes with one thread: between its many small operations the threads of a larger team
would mostly wait for each other, and beside any other busy program they wait long (docs/performance.md)."""

MAX_TOKENS = 512
"""The longest reply when nobody says otherwise."""

_UNITS = {
    "": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
    "tib": 1 << 40,
}  # fmt: skip
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]i?)b", re.IGNORECASE)


def parse_capacity(text: str | int, bytes_per_token: int) -> int:
    """Returns a capacity in tokens, given in tokens ("4096") or bytes ("512MiB", "1.5GB").

    Raises:
        UsageError: neither of these, or not one token.
    """
    value = str(text).strip()
    tokens = 0
    if value.isdigit():
        tokens = int(value)
    elif match := _BYTES.fullmatch(value):
        if not bytes_per_token:
            raise UsageError("without a model a capacity cannot be given in bytes", "Give it in tokens.")
        unit = match[2].lower()
        tokens = int(float(match[1]) * _UNITS[unit + "b" if unit.endswith("i") else unit] / bytes_per_token)
    else:
        raise UsageError(f"capacity {value!r} is no number of tokens or bytes", "Write it as 4096 or as 512MiB.")
    if tokens < 2:
        one = f" ({bytes_per_token} bytes hold one)" if bytes_per_token else ""
        raise UsageError(f"capacity {value} holds {tokens} tokens{one}: too small for one request", "Give more.")
    return tokens


def load_engine(
    model: str | PathLike[str] | None,
    *,
    device: str,
    dtype: str,
    forward: str = "auto",
    quantize: str = "none",
    cache: str,
    capacity: int | str | None,
    cache_options: dict[str, Any],
    schedule: str = SCHEDULES[0],
) -> Engine:
    """See `Engine.load`."""
    if cache not in CACHES:
        raise UsageError(f"unknown cache {cache!r}", f"Choose one of {', '.join(CACHES)}.")
    if model == "words":
        tokens = WORDS_CAPACITY if capacity is None else parse_capacity(capacity, 0)
        prefix_cache = _cache(cache, tokens, cache_options)
        return Engine(WordsRunner(), prefix_cache, WordsTokenizer(), name="words", cache_name=cache, schedule=schedule)

    import torch

    from .forwards import check_forward, choose
    from .loading import load_model, pick_device
    from .memory import check_pool
    from .tokenizer import HFTokenizer
    from .torch_runner import TorchRunner

    _threads()  # before they are changed
    check_forward(forward, quantize, pick_device(device))
    loaded = choose(load_model(model, device=device, dtype=dtype), forward, quantize)
    slowed: tuple[str, ...] = ()
    if loaded.device.type == "cpu" and loaded.model.num_parameters() < ONE_THREAD:
        torch.set_num_threads(1)
    elif loaded.device.type == "cpu":
        torch.set_num_threads(_threads())
        slowed = _slowed()
    tokenizer = HFTokenizer.load(loaded.path)
    given = None if capacity is None else parse_capacity(capacity, loaded.bytes_per_token)
    tokens = given or _default_capacity(loaded)
    check_pool(tokens, loaded.bytes_per_token, loaded.device)
    prefix_cache = _cache(cache, tokens, cache_options)
    runner = TorchRunner(loaded, prefix_cache.highest_slot)
    defaults = replace(_defaults(Path(loaded.path)), stop=tokenizer.stop)
    fault = runner.prepare(defaults)
    eager = () if fault is None else (f"Replies are computed without CUDA graphs, which is slower: {fault}.",)
    return Engine(
        runner,
        prefix_cache,
        tokenizer,
        name=loaded.name,
        cache_name=cache,
        notes=(*loaded.notes, *slowed, *eager, *tokenizer.notes),
        device=str(loaded.device),
        dtype=str(loaded.dtype).removeprefix("torch."),
        forward=loaded.forward,
        quantize=loaded.quantize,
        defaults=defaults,
        schedule=schedule,
    )


@functools.cache
def _threads() -> int:
    """Returns how many threads torch began with: the cores, unless somebody said otherwise."""
    import torch

    return torch.get_num_threads()


def _slowed() -> tuple[str, ...]:
    """Returns a note where threads are made to sleep between operations, which takes longer than the operations."""
    if os.environ.get("OMP_WAIT_POLICY", "").strip().upper() != "PASSIVE":
        return ()
    return ("OMP_WAIT_POLICY=PASSIVE makes a CPU answer up to twice as slowly; unset it.",)


def _defaults(folder: Path) -> SamplingParams:
    """How the model's makers advise to sample (generation_config.json); without a word from them, warm but tame."""
    try:
        advice = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        advice = {}
    if advice.get("do_sample") is False:
        return SamplingParams(temperature=0, max_tokens=MAX_TOKENS)
    known = {name: advice[name] for name in ("temperature", "top_p", "top_k", "min_p") if advice.get(name) is not None}
    return SamplingParams(**{"temperature": 0.7, "max_tokens": MAX_TOKENS, **known})


_TREES = {"policy": "lru", "page_size": 1, "tie": "id", "split_recency": "both", "unit": "leaf"}
_BLOCKS = {"preset": None, "block_size": None}
"""Settings that only a tree or only hash blocks have, and what they are when nobody set them."""


def _cache(name: str, capacity: int, options: dict[str, Any]) -> Any:
    foreign: dict[str, Any] = _TREES if name == "hash" else _BLOCKS
    fix = "Leave it out: the preset decides." if name == "hash" else "Take cache hash, or leave it out."
    for option, usual in foreign.items():
        if options.get(option, usual) != usual:
            raise UsageError(f"cache {name} has no {option.replace('_', ' ')}", fix)
    options = {option: value for option, value in options.items() if option not in foreign and value is not None}
    try:
        return CACHES[name](capacity, **options)
    except ValueError as error:
        raise UsageError(str(error), "See `radixchat chat --help` for what is possible.") from None


def _default_capacity(loaded: Any) -> int:
    from .memory import fitting

    wanted = max(2, min(CONTEXTS * loaded.max_context, DEFAULT_BYTES // loaded.bytes_per_token))
    most = fitting(loaded.bytes_per_token, loaded.device)
    return int(wanted if most is None else min(wanted, max(most, min(LEAST, loaded.max_context))))
