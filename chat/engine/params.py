"""How to sample: the parameters of a request, named as in SGLang and vLLM. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError

ZERO = 2.0**-150
"""The largest temperature that is 0 in float32, in which logits are divided by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """Parameters of one request.

    Raises:
        UsageError: a value outside its range; the message names the parameter.
    """

    temperature: float = 1.0  # 0 is greedy
    top_p: float = 1.0  # keep the smallest set of tokens whose probability reaches this
    top_k: int = 0  # keep this many tokens; 0 (or -1) keeps all
    min_p: float = 0.0  # drop tokens less likely than this times the likeliest
    max_tokens: int = 256  # stop after this many generated tokens
    stop: tuple[str, ...] = ()  # stop before any of these texts; they are not part of the result
    seed: int | None = None  # None draws a fresh one
    n: int = 1  # samples per prompt, each with its own seed
    ignore_eos: bool = False  # go on after an end-of-sequence token

    def __post_init__(self) -> None:
        if isinstance(self.stop, str):
            object.__setattr__(self, "stop", (self.stop,))
        _check("temperature", self.temperature, self.temperature >= 0, "0 (greedy) or more")
        _check("top_p", self.top_p, 0 < self.top_p <= 1, "above 0 and at most 1")
        _check("top_k", self.top_k, self.top_k >= -1, "0 (all) or more")
        _check("min_p", self.min_p, 0 <= self.min_p <= 1, "from 0 to 1")
        _check("max_tokens", self.max_tokens, self.max_tokens >= 1, "1 or more")
        _check("n", self.n, self.n >= 1, "1 or more")
        _check("stop", self.stop, all(self.stop), "texts that are not empty")

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature <= ZERO


def _check(name: str, value: object, valid: bool, wanted: str) -> None:
    if not valid:
        raise UsageError(f"{name} = {value!r} is not possible", f"Give {name} {wanted}.")
