"""Which forward serves a model: the lean one where it applies and agrees with the generic one, else the generic one.

Decided once, when a model is loaded, by trying: a few tokens go through both. Weights of 8 bits exist in the lean
forward only. Knows no pool but the small ones it tries with.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ...kernels.attention import RaggedBatch, new_pool
from ...kernels.backend import VARIABLE, kernels_for
from ..config import FORWARDS, QUANTIZE
from ..errors import ModelError, UsageError
from .lean import LeanModel, why_not
from .loading import LoadedModel, first_line
from .probe import OTHER_MODEL
from .quantize import quantized

TOKENS = 9
"""How many tokens go through both forwards: all but one together, then the last, over scattered slots."""

BOUND = {torch.float32: 1e-4}
"""How far logits may differ, as a share of the largest; in half precision ..."""

ROUNDED = 0.15
"""... sums in another order round differently, while a wrong formula changes everything."""


def check_forward(forward: str, quantize: str, device: torch.device | None = None) -> None:
    """Raises UsageError when these do not exist or do not go together.

    Args:
        forward: One of FORWARDS.
        quantize: One of QUANTIZE.
        device: Where the model will be, if that is known.
    """
    for what, value, choices in (("forward", forward, FORWARDS), ("quantisation", quantize, QUANTIZE)):
        if value not in choices:
            raise UsageError(f"unknown {what} {value!r}", f"Choose one of {', '.join(choices)}.")
    if quantize != "none" and forward == "generic":
        raise UsageError(f"--quantize {quantize} needs the lean forward", "Leave out --forward generic, or --quantize.")
    if quantize != "none" and device is not None and device.type != "cpu":
        what = f"--quantize {quantize} is for CPUs only, and the model is on {device.type}"
        raise UsageError(what, "Add --device cpu, or leave out --quantize.")


def choose(loaded: LoadedModel, forward: str = "auto", quantize: str = "none") -> LoadedModel:
    """Settles which forward serves a model, and in how many bits.

    Quantising frees the weights it replaces, so nothing but the lean forward can run the model afterwards.

    Args:
        loaded: As `load_model` returns it.
        forward: auto, lean or generic.
        quantize: none or int8.

    Raises:
        UsageError: there is no such forward, or the two do not go together.
        ModelError: the lean forward was asked for and does not apply, or the model cannot be run at all.
    """
    check_forward(forward, quantize, loaded.device)
    if forward == "generic":
        return replace(loaded, forward="generic")
    reason = why_not(loaded.model)
    wrong = None
    if reason is None:
        lean = LeanModel.of(loaded.model, loaded.max_context)
        assert lean is not None
        wrong = _disagreement(loaded, lean)
    if reason is None and wrong is None:
        return _quantised(loaded, lean) if quantize == "int8" else replace(loaded, forward="lean", lean=lean)
    if forward == "lean" or quantize != "none":
        option = "--forward lean" if forward == "lean" else f"--quantize {quantize}"
        raise ModelError(f"{option} does not apply to {loaded.name}: {reason or wrong}", "Leave it out.")
    notes = (*loaded.notes, f"The lean forward is not used: {wrong}.") if wrong else loaded.notes
    return replace(loaded, forward="generic", notes=notes)


def lean_for(loaded: LoadedModel, forward: str = "auto") -> LeanModel | None:
    """Returns the lean forward of a model, or None where the generic one is to run.

    Args:
        loaded: Where nothing was settled (`choose`), the lean forward runs if it applies.
        forward: auto: as it was settled.

    Raises:
        ModelError: the one asked for is not possible.
    """
    wanted = loaded.forward if forward == "auto" else forward
    if wanted == "generic":
        if loaded.quantize != "none":
            raise ModelError(f"the generic forward cannot use weights of {loaded.quantize}", "Load without --quantize.")
        return None
    lean = loaded.lean or LeanModel.of(loaded.model, loaded.max_context)
    if lean is None and wanted == "lean":
        reason = why_not(loaded.model)
        raise ModelError(f"the lean forward does not apply to {loaded.name}: {reason}", OTHER_MODEL)
    return lean


def _quantised(loaded: LoadedModel, lean: LeanModel) -> LoadedModel:
    before = lean.nbytes
    small = quantized(lean)
    loaded.model.to("meta")  # its parameters were views of what is replaced ...
    LeanModel.forget(loaded.model)  # ... and this is what they were views of
    note = f"Weights of {before / 1e6:.0f} MB are kept in 8 bits: {small.nbytes / 1e6:.0f} MB."
    return replace(loaded, forward="lean", lean=small, quantize="int8", notes=(*loaded.notes, note))


@torch.inference_mode()
def _disagreement(loaded: LoadedModel, lean: LeanModel) -> str | None:
    """Returns how the lean forward differs from the generic one, as the end of a sentence, or None."""
    from .attention import NAME, PoolStore

    slots = np.arange(2 * TOKENS, 0, -2, dtype=np.int32)
    pools = [
        [new_pool(2 * TOKENS + 1, *shape, loaded.dtype, loaded.device) for shape in loaded.kv_shapes] for _ in range(4)
    ]
    ids = (torch.arange(TOKENS, device=loaded.device) * 7 + 1) % loaded.vocab_size
    for start, end in ((0, TOKENS - 1), (TOKENS - 1, TOKENS)):
        batch = RaggedBatch.build([end - start], [slots[:end]], loaded.device)
        places = torch.arange(start, end, device=loaded.device)
        last = torch.tensor([end - start - 1], device=loaded.device)
        store = {NAME: PoolStore(pools[0], pools[1], batch)}
        try:
            generic = loaded.model(
                input_ids=ids[None, start:end], position_ids=places[None], use_cache=False, logits_to_keep=last, **store
            ).logits[0]
        except Exception as error:
            what = f"{loaded.name} cannot be run on {loaded.device}: {first_line(error)}"
            raise ModelError(what, f"Try --device cpu, or the variable {VARIABLE}=torch.") from error
        try:
            own = lean.forward(ids[start:end], pools[2], pools[3], kernels_for(batch, places), last)
        except Exception as error:  # whatever a model of an unforeseen shape leads to
            return f"it fails ({first_line(error)})"
        distance = ((own - generic).abs().max() / generic.abs().max()).item()
        if not distance <= BOUND.get(loaded.dtype, ROUNDED):
            return f"its logits differ from the generic forward's by {distance:.1e} of the largest"
    return None
