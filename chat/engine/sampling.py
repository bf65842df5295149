"""From one row of logits to one token: greedy, temperature, top-k, top-p, min-p. Free of torch.

A row is sampled on its own, in float32, with the random numbers of its own request, so the result does not depend on
who else is in the batch. Equal logits count in the order of their ids, lowest first, so it does not depend on the
machine's sorting either. Knows nothing of text, stops and budgets.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .params import SamplingParams
from .runner import Sampler

Float32Row = npt.NDArray[np.float32]
Ids = npt.NDArray[np.intp]

_HEAD = 1024
"""How many of the likeliest tokens top-p looks at before it sorts them all."""


def sample(logits: Float32Row, sampler: Sampler) -> int:
    """Returns the id of the sampled token; takes one random number where more than one token may be sampled.

    Args:
        logits: One row, float32 ``[vocabulary]``; -inf excludes a token.
        sampler: The request's parameters and its stream of random numbers.
    """
    if sampler.params.greedy:
        return int(logits.argmax())
    ids, weights = candidates(logits, sampler.params)
    if ids.size == 1:
        return int(ids[0])
    reach = np.cumsum(weights, dtype=np.float64)
    at = int(np.searchsorted(reach, sampler.random.random() * reach[-1], side="right"))
    return int(ids[min(at, ids.size - 1)])


def candidates(logits: Float32Row, params: SamplingParams) -> tuple[Ids, Float32Row]:
    """Returns the tokens that may be sampled and their weights, not normalised.

    The temperature comes first; then top-k; top-p counts among what top-k left; min-p compares with the likeliest.
    Filtered candidates stand likeliest first, all of them in the order of their ids.
    """
    with np.errstate(over="ignore"):  # the smallest temperatures leave the likeliest tokens alone, which is right
        weights = np.exp((logits - logits.max()) / np.float32(params.temperature))
    ids: Ids = np.arange(weights.size)
    if 0 < params.top_k < weights.size:
        ids = _likeliest(logits, params.top_k)
    if params.top_p < 1:
        ids = _nucleus(logits, weights, ids, params.top_p)
    if params.min_p > 0:
        ids = ids[weights[ids] >= params.min_p]  # the likeliest weighs 1
    return ids, weights[ids]


def _likeliest(logits: Float32Row, count: int) -> Ids:
    """Returns the ids of the ``count`` largest logits, largest first, equal ones by id."""
    threshold = np.partition(logits, logits.size - count)[logits.size - count]
    above = np.flatnonzero(logits > threshold)
    level = np.flatnonzero(logits == threshold)[: count - above.size]
    ids = np.concatenate([above, level])
    return ids[np.argsort(-logits[ids], kind="stable")]  # both parts are in the order of ids, and stable keeps it


def _nucleus(logits: Float32Row, weights: Float32Row, ids: Ids, top_p: float) -> Ids:
    """Returns the fewest likeliest of ``ids`` whose weights reach ``top_p`` of the sum of all of them."""
    target = top_p * weights[ids].sum(dtype=np.float64)
    ranked = ids
    if ids.size == logits.size:  # not ranked yet: nearly always a few tokens suffice
        ranked = _likeliest(logits, min(_HEAD, ids.size))
        if weights[ranked].sum(dtype=np.float64) < target:
            ranked = _likeliest(logits, ids.size)
    reach = np.cumsum(weights[ranked], dtype=np.float64)
    return ranked[: int(np.searchsorted(reach, target, side="left")) + 1]
