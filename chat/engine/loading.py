"""Loads a model, or says in two lines why not.

A model is a Hugging Face folder with safetensors weights; no code from it is run and no pickle is opened. Whether our
attention can serve it is decided by facts, twice: what its configuration says, before any weights are read, and a probe
of three tokens afterwards, which shows that every layer keeps keys and values, nothing else, and asks for nothing that
would be ignored. Knows no pool, no cache and no text.
"""

from __future__ import annotations

import functools
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub
import torch
import transformers
from huggingface_hub import errors as hub
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from ...kernels.backend import backend
from ..errors import MachineError, ModelError, UsageError
from .attention import NAME
from .lean import LeanModel
from .memory import weights_too_large
from .probe import OTHER_MODEL, Facts, probe
from .tokenizer import quiet

BUNDLED = "radish"
MODELS = Path(__file__).parents[1] / "models"

SMALL_FILES = ("*.json", "*.jinja", "*.txt", "tokenizer.model")
WEIGHTS = ("*.safetensors",)
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
UNWANTED = ("*/*", "consolidated*")  # the same weights once more, in other formats

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
DEVICES = ("auto", "cpu", "cuda", "mps")
UNKNOWN_CONTEXT = 2048

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")

_STATE = "it keeps a running state besides keys and values, which a prefix cache cannot cut at a token"
_BIAS = "it adds a bias for distance to its attention scores (ALiBi), which is not supported"
_REFUSED = {
    **dict.fromkeys(("mamba", "mamba2", "falcon_mamba", "rwkv", "xlstm", "jamba", "bamba", "falcon_h1"), _STATE),
    **dict.fromkeys(("zamba", "zamba2", "recurrent_gemma", "nemotron_h", "kimi_linear", "minimax"), _STATE),
    **dict.fromkeys(("bloom", "mpt"), _BIAS),
    "gpt_oss": "its attention scores include learned sinks, which are not supported",
}
_ATTENTION = {"full_attention", "sliding_attention", "chunked_attention"}
_CAUSAL = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that our forward can serve, and the facts it goes by."""

    name: str  # as shown and recorded: the hub id, or the name of the folder
    path: str  # the folder; the tokenizer lies there too
    model: PreTrainedModel
    device: torch.device
    dtype: torch.dtype
    max_context: int  # most tokens of one sequence
    kv_shapes: tuple[tuple[int, int], ...]  # per layer (kv_heads, head_dim)
    vocab_size: int  # rows of logits, which may be more than the tokenizer has
    notes: tuple[str, ...]  # what the user should know, one sentence each
    forward: str = "auto"  # lean or generic once it is settled (`forwards.choose`)
    lean: LeanModel | None = None  # the lean forward, if that was settled
    quantize: str = "none"  # int8: the model's own weights are gone

    @property
    def bytes_per_token(self) -> int:
        """Bytes of K and V of one token over all layers."""
        return 2 * self.dtype.itemsize * sum(heads * dim for heads, dim in self.kv_shapes)


def load_model(name: str | PathLike[str] | None = None, device: str = "auto", dtype: str = "auto") -> LoadedModel:
    """Loads a model and checks that it can be served.

    Args:
        name: A local folder or a hub id; None or "radish" is the bundled model.
        device: auto, cpu, cuda or mps; auto is cuda where there is one, else cpu.
        dtype: auto, float32, bfloat16 or float16; auto is bfloat16 on a GPU that has it, and float32 on a CPU; but
            bfloat16 for a large model where instructions for such matrices (AMX) are measured to be faster.

    Raises:
        ModelError: it cannot be found, read or served.
        UsageError: a device or type that does not exist.
    """
    place = pick_device(device)
    number = pick_dtype(dtype, place)
    with _quiet():
        source = find(name)
        config = _read_config(source)
        _refuse(config, source.name)
        folder = _with_weights(source)
        if dtype == "auto" and place.type == "cpu" and _weight_bytes(folder) >= LARGE and bfloat16_is_faster():
            number = torch.bfloat16
        model = _read_weights(folder, source.name, number, place)
        facts = probe(model, source.name)
    context, notes = _context(config.get_text_config(decoder=True), facts)
    note = backend(place).note
    return LoadedModel(
        source.name,
        str(folder),
        model,
        place,
        number,
        context,
        facts.kv_shapes,
        facts.vocab_size,
        (*notes, note) if note else notes,
    )


# -- where to run ------------------------------------------------------------------------------------------------------


def pick_device(name: str) -> torch.device:
    """Returns the device; "auto" never picks mps."""
    if name not in DEVICES:
        raise UsageError(f"unknown device {name!r}", f"Choose one of {', '.join(DEVICES)}.")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present[name]:
        raise MachineError(f"this machine (or this build of PyTorch) has no {name} device", "Use --device auto.")
    return torch.device(name)


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """Returns the type of weights and K/V."""
    if name != "auto":
        if name not in DTYPES:
            raise UsageError(f"unknown dtype {name!r}", f"Choose one of auto, {', '.join(DTYPES)}.")
        return DTYPES[name]
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


LARGE = 100_000_000
"""Bytes of weights below which a model computes in float32 on any CPU: it is quick enough, and more exact."""

CLEARLY = 1.5
"""How many times faster bfloat16 must be to be worth its rounding."""


@functools.cache
def bfloat16_is_faster() -> bool:
    """Whether this CPU multiplies bfloat16 matrices clearly faster than float32.

    Only a CPU with AMX can; on all others nothing is measured, so that equal seeds give equal texts.
    """
    try:
        if not torch.cpu._is_amx_tile_supported():
            return False
    except AttributeError:
        return False
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        x, weight = torch.ones(64, 2048, dtype=dtype), torch.ones(2048, 2048, dtype=dtype)
        times = []
        for _ in range(5):
            start = time.perf_counter()
            torch.nn.functional.linear(x, weight)
            times.append(time.perf_counter() - start)
        seconds[dtype] = min(times)
    return seconds[torch.float32] > CLEARLY * seconds[torch.bfloat16]


def _weight_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for pattern in WEIGHTS for file in folder.glob(pattern))


# -- where it lies -----------------------------------------------------------------------------------------------------


class Source(NamedTuple):
    """Where a model lies."""

    name: str  # as shown
    folder: Path  # with its configuration and tokenizer; a hub model's weights may still be missing
    hub_id: str | None  # None when it is local


def find(name: str | PathLike[str] | None) -> Source:
    """Returns where a model lies; fetches everything but the weights from the hub if it must.

    Raises:
        ModelError: there is no such folder and no such hub model, or the hub cannot be reached.
    """
    if name is None or name == BUNDLED:
        if not (MODELS / BUNDLED / "config.json").is_file():
            raise ModelError("the bundled model is missing", "Install radixchat again, or name a model with --model.")
        return Source(BUNDLED, MODELS / BUNDLED, None)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return Source(folder.resolve().name, folder.resolve(), None)
    if not _HUB_ID.fullmatch(str(name)):
        raise ModelError(f"there is no folder {name}", "Give a folder, or a hub id such as Qwen/Qwen2.5-0.5B-Instruct.")
    return Source(str(name), _fetch(str(name), SMALL_FILES), str(name))


def _fetch(hub_id: str, patterns: Sequence[str]) -> Path:
    """Returns the local snapshot of a hub model, with the files of these patterns as far as it has them."""
    try:
        return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=[*patterns], ignore_patterns=[*UNWANTED]))
    except hub.GatedRepoError as error:
        fix = f"Accept its terms at https://huggingface.co/{hub_id} and log in with `hf auth login`."
        raise ModelError(f"{hub_id} asks for your consent first", fix) from error
    except (hub.RepositoryNotFoundError, hub.HFValidationError) as error:
        fix = "Check the spelling; a private model needs `hf auth login`."
        raise ModelError(f"{hub_id} is neither a folder nor a model on the hub", fix) from error
    except (hub.LocalEntryNotFoundError, hub.OfflineModeIsEnabled) as error:
        fix = "Check the name and the connection (and HF_HUB_OFFLINE), or give a local folder."
        raise ModelError(f"{hub_id} is neither a folder nor downloaded, and the hub cannot be reached", fix) from error
    except Exception as error:  # whatever a network does
        what = f"{hub_id} could not be downloaded: {first_line(error)}"
        raise ModelError(what, "Try again, or give a local folder.") from error


def _with_weights(source: Source) -> Path:
    """Returns the folder of a model with its weights in it; fetches them from the hub if it must."""
    folder = _fetch(source.hub_id, (*SMALL_FILES, *WEIGHTS)) if source.hub_id else source.folder
    if not _any(folder, WEIGHTS):
        if _any(folder, PICKLES):
            what = f"{source.name} has its weights as pickles only, which can run code and are not opened"
            raise ModelError(what, "Convert them to safetensors, or choose a model that has them.")
        raise ModelError(f"{source.name} has no weights (model.safetensors)", "Check that the model is complete.")
    return folder


def _any(folder: Path, patterns: Sequence[str]) -> bool:
    return any(next(folder.glob(pattern), None) for pattern in patterns)


# -- what it is --------------------------------------------------------------------------------------------------------


def _read_config(source: Source) -> PreTrainedConfig:
    path = source.folder / "config.json"
    if not path.is_file():
        raise ModelError(f"{source.name} has no config.json", "Give the folder of a Hugging Face model.")
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        kind = written.get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{source.name}: config.json cannot be read: {first_line(error)}", "Fetch it anew.") from error
    if kind not in CONFIG_MAPPING:
        if "auto_map" in written:
            raise ModelError(f"{source.name} needs code of its own, and none is run", OTHER_MODEL)
        fix = "A newer version may know it: pip install -U transformers."
        raise ModelError(f"{source.name}: transformers {transformers.__version__} knows no model type {kind!r}", fix)
    try:
        return AutoConfig.from_pretrained(source.folder, trust_remote_code=False)
    except Exception as error:  # each model type checks its configuration in its own way
        raise ModelError(f"{source.name}: config.json is not valid: {first_line(error)}", OTHER_MODEL) from error


def _refuse(config: PreTrainedConfig, name: str) -> None:
    """Raises ModelError when the configuration alone shows that our attention cannot serve the model."""
    text = config.get_text_config(decoder=True)
    reason = _REFUSED.get(config.model_type) or _REFUSED.get(text.model_type)
    others = sorted(set(getattr(text, "layer_types", None) or ()) - _ATTENTION)
    if config.is_encoder_decoder:
        reason = "it has an encoder beside its decoder, and a prefix is not all that its replies depend on"
    elif not any(each.endswith(_CAUSAL) for each in config.architectures or ("ForCausalLM",)):
        reason = f"it is no language model that continues text ({config.architectures[0]})"
    elif reason is None and getattr(text, "kv_lora_rank", None):
        reason = "it compresses keys and values together (multi-head latent attention), which is not supported"
    elif reason is None and others:
        reason = f"it has layers of the kind {', '.join(others)}: {_STATE}"
    elif getattr(text, "alibi", False):
        reason = _BIAS
    elif getattr(config, "quantization_config", None):
        reason = "its weights are quantised, which is not supported"
    if reason:
        raise ModelError(f"{name} ({config.model_type}) cannot be served: {reason}", OTHER_MODEL)


def _context(config: PreTrainedConfig, facts: Facts) -> tuple[int, tuple[str, ...]]:
    """Returns the most tokens of one sequence, and a note wherever that is less than the model claims."""
    claimed = getattr(config, "max_position_embeddings", None)
    limits = [(int(claimed), "")] if claimed else [(UNKNOWN_CONTEXT, "the model names no context length")]
    windows = [*facts.windows]
    layers = getattr(config, "layer_types", None) or ()
    for kind, size in (("sliding_attention", "sliding_window"), ("chunked_attention", "attention_chunk_size")):
        if kind in layers and getattr(config, size, None):
            windows.append(getattr(config, size))
    if windows:
        limits.append((min(windows), "beyond that some layers forget (sliding window), which the cache does not model"))
    limits += [
        (original, "beyond that the model rotates positions differently (longrope), and cached keys would be wrong")
        for original in _longrope(getattr(config, "rope_parameters", None) or {})
    ]
    limit, reason = min(limits)
    return limit, (f"The context is limited to {limit} tokens: {reason}.",) if reason else ()


def _longrope(parameters: dict[str, Any]) -> list[int]:
    """Returns where the long factors of a longrope begin; parameters may be nested per layer type."""
    if parameters.get("rope_type") == "longrope":
        return [int(parameters["original_max_position_embeddings"])]
    return [place for each in parameters.values() if isinstance(each, dict) for place in _longrope(each)]


# -- reading it --------------------------------------------------------------------------------------------------------


def _read_weights(folder: Path, name: str, dtype: torch.dtype, device: torch.device) -> PreTrainedModel:
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation=NAME,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told below, by name
        )
        model = model.to(device).eval().requires_grad_(False)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise weights_too_large(name, device) from error
    except KeyError as error:
        if error.args != (NAME,):
            raise
        # the model looks its attention up by name in a list of its own
        reason = "it does not let its attention be replaced"
        raise ModelError(f"{name} cannot be served: {reason}", OTHER_MODEL) from error
    except Exception as error:  # damaged files and unknown shapes come as anything from OSError to RuntimeError
        what = f"{name} could not be read: {first_line(error)}"
        raise ModelError(what, "Check that the model is complete, or fetch it anew.") from error
    odd = sorted(report["mismatched_keys"], key=str)
    if odd:
        weight, has, wanted = odd[0]
        what = f"{name}: {weight} has the shape {list(has)}, and by its config.json it should have {list(wanted)}"
        raise ModelError(what, "Check that the model is complete, or fetch it anew.")
    missing = sorted(report["missing_keys"])
    if missing:  # transformers would go on with random numbers
        what = f"{name} lacks {len(missing)} of its weights, {missing[0]} among them"
        raise ModelError(what, "Check that the model is complete, or fetch it anew.")
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the libraries from talking; downloads show their progress only to a person."""
    hidden = huggingface_hub.utils.are_progress_bars_disabled()
    if not sys.stderr.isatty():
        huggingface_hub.utils.disable_progress_bars()
    try:
        with quiet():
            yield
    finally:
        if not hidden:
            huggingface_hub.utils.enable_progress_bars()


def first_line(error: BaseException) -> str:
    """Returns what an error says first, or its name."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
