"""A look at a loaded model with three tokens: does all it keeps between tokens pass through our attention?

The tokens run once together and once as two cached and one new, over scattered slots. Every layer must ask for
attention exactly once, with keys and values of one shape, and for nothing that our function would ignore; and both runs
must agree, which they do not where a layer carries a state of another kind or counts positions by itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ...kernels.attention import RaggedBatch
from ..errors import ModelError
from .attention import NAME, PoolStore

OTHER_MODEL = "Choose another with --model; most Llama, Qwen, Mistral, Gemma and SmolLM models work."

TOKENS = 3
SLOTS = (5, 2, 7)
"""Where the second run keeps them: in no order, so that a model served wrongly from scattered slots is noticed."""

HONOURED = {"softcap", "sliding_window", "is_causal"}
HARMLESS = {
    "dropout",
    "position_ids",
    "position_embeddings",
    "cache_position",
    "use_cache",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
}


class Facts(NamedTuple):
    """What a probe finds out."""

    kv_shapes: tuple[tuple[int, int], ...]  # per layer (kv_heads, head_dim)
    windows: frozenset[int]  # how far back layers look that do not look back to the start
    vocab_size: int  # rows of logits


class _Watch:
    """A store that makes pools for whatever layers come along, and checks how they ask."""

    def __init__(self, name: str, batch: RaggedBatch) -> None:
        self.name = name
        self.batch = batch
        self.k_pools: dict[int, Tensor] = {}
        self.v_pools: dict[int, Tensor] = {}
        self.windows: set[int] = set()

    def attend(
        self, module: nn.Module, query: Tensor, key: Tensor, value: Tensor, scaling: float, options: dict[str, Any]
    ) -> Tensor:
        layer = getattr(module, "layer_idx", None)
        if not isinstance(layer, int) or layer in self.k_pools:
            _refuse(self.name, "its layers do not attend exactly once each")
        if key.shape != value.shape or query.shape[-1] != key.shape[-1]:
            _refuse(self.name, "its queries, keys and values differ in size (multi-head latent attention?)")
        if key.shape[2] != TOKENS or key.shape[0] != 1:
            _refuse(self.name, "its attention looks at something else than the tokens before")
        self._check(module, options)
        self.k_pools[layer], self.v_pools[layer] = (
            each.new_full((max(SLOTS) + 1, each.shape[1], each.shape[3]), torch.nan) for each in (key, value)
        )
        store = PoolStore(self.k_pools, self.v_pools, self.batch)
        return store.attend(module, query, key, value, scaling, options)

    def _check(self, module: nn.Module, options: dict[str, Any]) -> None:
        asked = {name for name, value in options.items() if value is not None and value is not False}
        unknown = sorted(asked - HONOURED - HARMLESS)
        if unknown:
            _refuse(self.name, f"its attention asks for {', '.join(unknown)}, which is not supported")
        if options.get("is_causal") is False or not getattr(module, "is_causal", True):
            _refuse(self.name, "its tokens also look at tokens after them")
        if options.get("sliding_window"):
            self.windows.add(int(options["sliding_window"]))


@torch.inference_mode()
def probe(model: PreTrainedModel, name: str) -> Facts:
    """Runs three tokens through a model.

    Args:
        model: Loaded with our attention function.
        name: As shown.

    Raises:
        ModelError: our attention cannot serve it; says why.
    """
    config = model.config.get_text_config(decoder=True)
    watch = _Watch(name, RaggedBatch.build([TOKENS], [np.arange(1, TOKENS + 1, dtype=np.int32)], model.device))
    whole = _run(model, name, watch, 0, TOKENS)
    if not whole.isfinite().all():
        _refuse(name, "its weights give no numbers (NaN or infinity)")
    silent = sorted(set(range(config.num_hidden_layers)) - set(watch.k_pools))
    if silent:
        layers = f"{len(silent)} of its {config.num_hidden_layers} layers"
        _refuse(name, f"{layers} keep something else than keys and values, or do not let their attention be replaced")
    slots = np.array(SLOTS, dtype=np.int32)
    for start, end in ((0, TOKENS - 1), (TOKENS - 1, TOKENS)):
        batch = RaggedBatch.build([end - start], [slots[:end]], model.device)
        parts = _run(model, name, PoolStore(watch.k_pools, watch.v_pools, batch), start, end)
    bound = 1e-3 if whole.dtype == torch.float32 else 0.15  # half precision rounds, a lost state changes everything
    if not (parts - whole).abs().max() <= bound * whole.abs().max():
        _refuse(name, "it keeps more between tokens than keys and values")
    shapes = tuple((pool.shape[1], pool.shape[2]) for _, pool in sorted(watch.k_pools.items()))
    return Facts(shapes, frozenset(watch.windows), whole.shape[-1])


def _run(model: PreTrainedModel, name: str, store: Any, start: int, end: int) -> Tensor:
    """Returns the logits after the last of the tokens, ``[vocabulary]``."""
    places = torch.arange(start, end, device=model.device)
    try:
        result = model(
            input_ids=(places + 1)[None],
            position_ids=places[None],
            use_cache=False,
            logits_to_keep=torch.tensor([end - start - 1], device=model.device),
            **{NAME: store},
        )
    except ModelError:
        raise
    except Exception as error:  # a forward that cannot take our arguments fails in a way of its own
        said = str(error).strip().splitlines() or [type(error).__name__]
        reason = f"it does not run with our attention ({said[0]})"
        raise ModelError(f"{name} cannot be served: {reason}", OTHER_MODEL) from error
    return result.logits[0, -1]


def _refuse(name: str, reason: str) -> NoReturn:
    raise ModelError(f"{name} cannot be served: {reason}", OTHER_MODEL)
