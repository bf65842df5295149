"""Runs a model over a pool of K and V: with the lean forward, or with transformers' own.

Requests of a step are packed into one row of tokens; attention reads each request's slots. The runner owns the pool
tensors and nothing else: which slots hold what is decided by whoever calls it. Knows no scheduler, tree or text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...kernels.attention import RaggedBatch, new_pool
from ...kernels.backend import backend_for, kernels_for
from ...radix.keys import Int32Array
from .attention import NAME, PoolStore
from .forwards import lean_for
from .loading import LoadedModel
from .memory import is_lack_of_memory, pool_cannot_move, pool_too_large
from .params import SamplingParams
from .runner import Sampler, Work
from .sampling import sample

LogitsRow = npt.NDArray[np.float32]


class TorchRunner:
    """Computes K/V and samples tokens with a loaded model; implements ``Runner``.

    Args:
        loaded: The model and its facts.
        slots: The highest slot.
        forward: auto (as it was settled when the model was loaded), lean or generic.

    Attributes:
        loaded: The model and its facts.
        lean: The lean forward where that is what runs.
        decoder: What runs decode steps on a GPU, else None.
        slots: The highest slot there is room for; slot 0 is scratch and comes on top.
    """

    def __init__(self, loaded: LoadedModel, slots: int = 0, forward: str = "auto") -> None:
        self.loaded = loaded
        self.forward = forward
        self.lean = lean_for(loaded, forward)
        self.decoder: Any = None
        self.slots = -1
        self._k = [self._pool(shape, 0) for shape in loaded.kv_shapes]  # per layer [slots + 1, kv_heads, head_dim]
        self._v = [self._pool(shape, 0) for shape in loaded.kv_shapes]
        self.resize(slots)
        if self.lean is not None and backend_for(loaded.device) == "triton":
            from .graphs import GraphDecoder

            self.decoder = GraphDecoder(self.lean, self._k, self._v, self.max_context)

    @property
    def fault(self) -> str | None:
        """Why decode steps do not run as CUDA graphs where they should, or None."""
        fault: str | None = self.decoder.fault if self.decoder is not None else None
        return fault

    def prepare(self, params: SamplingParams) -> str | None:
        """Captures the decode step that a chat with these parameters begins with; returns why that failed, or None."""
        if self.decoder is not None:
            self.decoder.prepare(Sampler(params))
        return self.fault

    @property
    def max_context(self) -> int:
        """Most tokens of one sequence, prompt and reply together."""
        return self.loaded.max_context

    @property
    def bytes_per_token(self) -> int:
        """Bytes of K and V of one token over all layers."""
        return self.loaded.bytes_per_token

    def step(self, batch: Sequence[Work]) -> list[tuple[int, ...]]:
        """Computes a batch, writes its K/V, and returns the sampled tokens of each work, one per sampler.

        A step that fails leaves the runner usable; of the K/V it was to write some may be written.
        """
        if self.decoder is not None:
            return self._step_on_device(batch)
        rows = iter(self._forward(batch, [bool(work.samplers) for work in batch]))
        return [_sampled(next(rows), work.samplers) if work.samplers else () for work in batch]

    @torch.inference_mode()
    def _step_on_device(self, batch: Sequence[Work]) -> list[tuple[int, ...]]:
        """Samples where the logits are, in decode steps and others alike."""
        from .graphs import sample_works

        if self.decoder.takes(batch):
            self._check(batch)
            return self.decoder.step(batch)
        return sample_works(self._logits(batch, [bool(work.samplers) for work in batch]), batch)

    def logits(self, work: Work) -> LogitsRow:
        """Computes one work and returns the logits after its last token, float32, shape ``[vocabulary]``."""
        return self._forward([work], [True])[0]

    def sibling(self, slots: int) -> TorchRunner:
        """Returns a runner over the same weights with a pool of its own."""
        return TorchRunner(self.loaded, slots, self.forward)

    @torch.inference_mode()
    def copy(self, sources: Int32Array, targets: Int32Array) -> None:
        """Copies the K/V of the source slots to the target slots in every layer; reads all before it writes."""
        read, written = (self._device(np.asarray(each, dtype=np.int64)) for each in (sources, targets))
        for pool in (*self._k, *self._v):
            pool.index_copy_(0, written, pool.index_select(0, read))

    @torch.inference_mode()
    def resize(self, slots: int) -> None:
        """Makes room for slots [0, slots] and no more; keeps what is stored. Holds one layer twice while it moves.

        Raises:
            ModelError: there is not so much memory. What is stored stays where it was; of a pool that was to be smaller
                that is only what was to stay, for some layers may be smaller already.
        """
        if slots == self.slots:
            return
        if self.decoder is not None:
            self.decoder.drop()
        kept, shrinks = min(slots, self.slots) + 1, slots < self.slots
        try:
            for pools in (self._k, self._v):
                for layer, shape in enumerate(self.loaded.kv_shapes):
                    moved = self._pool(shape, slots + 1)
                    moved[:kept] = pools[layer][:kept]
                    pools[layer] = moved
        except Exception as error:
            self.slots = min(len(pool) for pool in (*self._k, *self._v)) - 1
            if not is_lack_of_memory(error):
                raise
            if shrinks:
                raise pool_cannot_move(self.loaded.device) from error
            raise pool_too_large(slots, self.bytes_per_token, self.loaded.device, kept) from error
        self.slots = slots

    def _forward(self, batch: Sequence[Work], wanted: Sequence[bool]) -> LogitsRow:
        """Computes a batch; returns the logits after the last token of each wanted work, ``[wanted, vocabulary]``."""
        return self._logits(batch, wanted).float().cpu().numpy()

    @torch.inference_mode()
    def _logits(self, batch: Sequence[Work], wanted: Sequence[bool]) -> Tensor:
        """The same on the device, in the model's type."""
        self._check(batch)
        new = [work.tokens.size for work in batch]
        ragged = RaggedBatch.build(new, [work.slots for work in batch], self.loaded.device)
        tokens = np.concatenate([work.tokens for work in batch]).astype(np.int64)
        positions = np.concatenate([np.arange(work.start, work.slots.size) for work in batch])
        last = np.cumsum(new) - 1
        ids, places, rows = (self._device(each) for each in (tokens, positions, last[np.array(wanted)]))
        if self.lean is not None:
            return self.lean.forward(ids, self._k, self._v, kernels_for(ragged, places), rows)
        store = {NAME: PoolStore(self._k, self._v, ragged)}
        return self.loaded.model(
            input_ids=ids[None], position_ids=places[None], use_cache=False, logits_to_keep=rows, **store
        ).logits[0]

    def _check(self, batch: Sequence[Work]) -> None:
        for work in batch:
            if not work.tokens.size or work.slots.size != work.start + work.tokens.size:
                raise ValueError("a work needs at least one new token, and one slot per position")
            if work.slots.size > self.max_context:
                raise ValueError(f"{work.slots.size} tokens do not fit a context of {self.max_context}")
            if work.slots.min() < 0 or work.slots.max() > self.slots:
                raise ValueError(f"slots must lie in [0, {self.slots}]")

    def _pool(self, shape: tuple[int, int], slots: int) -> Tensor:
        return new_pool(slots, *shape, self.loaded.dtype, self.loaded.device)

    def _device(self, array: npt.NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(array).to(self.loaded.device)


def _sampled(row: LogitsRow, samplers: Sequence[Sampler]) -> tuple[int, ...]:
    """Returns a token per sampler, all from one row of logits."""
    return tuple(sample(row, sampler) for sampler in samplers)
