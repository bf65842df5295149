"""What the engine asks of whatever computes tokens: one protocol for a real model and for the words tokenizer.

Knows no scheduler, no cache and no torch: a runner is told which tokens to compute and which slots they live in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ...radix.keys import Int32Array
from .params import SamplingParams


@dataclass(slots=True)
class Sampler:
    """How to sample for one request, with its own stream of random numbers.

    The stream belongs to the request, so its tokens do not depend on who else is in the batch.
    """

    params: SamplingParams
    random: np.random.Generator = field(default_factory=np.random.default_rng)


class Work(NamedTuple):
    """One request's share of a batch: compute these tokens on top of a cached prefix."""

    tokens: Int32Array  # the new token ids, shape [new], at least one
    start: int  # position of the first of them = tokens already computed
    slots: Int32Array  # slot of every position, shape [start + new]; K/V of the new ones are written at slots[start:]
    samplers: tuple[Sampler, ...] = ()  # each samples a token after the last new one; none: K/V only


class Runner(Protocol):
    """Computes K/V and samples tokens. Slot 0 of the pool is scratch: it may be written, its content means nothing."""

    @property
    def max_context(self) -> int:
        """Most tokens of one sequence, prompt and reply together."""

    @property
    def bytes_per_token(self) -> int:
        """Bytes of K and V of one token over all layers; 0 when nothing is stored."""

    def step(self, batch: Sequence[Work]) -> list[tuple[int, ...]]:
        """Computes a batch, writes its K/V, and returns the sampled tokens of each work, one per sampler.

        K/V of a work's new tokens are read from the forward itself and not from their slots, so several works may
        name the scratch slot for their last token.
        """

    def copy(self, sources: Int32Array, targets: Int32Array) -> None:
        """Copies the K/V of the source slots to the target slots in every layer (copy-on-write)."""

    def resize(self, slots: int) -> None:
        """Makes room for slots [0, slots]; keeps what is stored. Never allocates more than that."""

    def sibling(self, slots: int) -> Runner:
        """Returns a runner over the same weights with a pool of its own."""

    def logits(self, work: Work) -> npt.NDArray[np.float32]:
        """Computes one work and returns the logits after its last token, float32, shape ``[vocabulary]``."""
