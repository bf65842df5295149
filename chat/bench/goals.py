"""The goals: which ratio is wanted, as data. Knows nothing of how it is taken.

A goal may have several cases (lengths of history, say); each is a row of its own. *pass* must hold, *good* is the aim,
*stretch* what would be splendid; where a level is None there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

BENCHES = ("ttft", "decode", "attention", "shared-prefix", "tree")
"""What `radixchat bench` takes, besides `all`."""

ANY, CPU, CUDA = "any", "cpu", "cuda"

MISSED = "missed"

Level = float | None


class Goal(NamedTuple):
    """One ratio, and how large (or small) it should be."""

    id: str  # G1, G1b, ...
    case: str  # which case of it; unique together with the id
    what: str
    bench: str  # one of BENCHES
    device: str  # where it is taken: any, cpu or cuda
    least: Level  # what must hold: at least this, or at most, see `less`
    good: Level = None
    stretch: Level = None
    less: bool = False  # smaller is better
    unit: str = "×"  # ×, %, µs, or nothing
    baseline: str = ""  # what it is compared with

    @property
    def name(self) -> str:
        """The id with the case."""
        return f"{self.id} {self.case}".rstrip()

    @property
    def levels(self) -> dict[str, Level]:
        """The levels by name, the lowest first."""
        return {"pass": self.least, "good": self.good, "stretch": self.stretch}

    @property
    def wanted(self) -> dict[str, str]:
        """The levels as text, for example ``{"pass": "≥ 4×", "good": "≥ 8×", "stretch": "–"}``."""
        sign = "≤" if self.less else "≥"
        return {
            name: "–" if level is None else f"{sign} {shown(level, self.unit)}" for name, level in self.levels.items()
        }

    def judge(self, value: float) -> str:
        """Returns the highest level that a value reaches: stretch, good or pass; else missed."""
        reached = [
            name
            for name, level in self.levels.items()
            if level is not None and (value <= level if self.less else value >= level)
        ]
        return reached[-1] if reached else MISSED


def shown(value: float, unit: str) -> str:
    """Returns a value with its unit; shares are kept as fractions and shown as per cent."""
    if unit == "%":
        return f"{figures(value * 100)} %"
    if unit == "µs":
        return f"{figures(value)} µs"
    return f"{figures(value)}{unit}"


def figures(value: float) -> str:
    """Returns a number with three figures that mean something, and never as a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def _each(
    cases: Sequence[str], least: Sequence[Level], good: Sequence[Level] = (), stretch: Sequence[Level] = (), **same: Any
) -> Iterator[Goal]:
    """Yields a goal per case; `{}` in what it is about stands for the case."""
    what = same.pop("what")
    for place, case in enumerate(cases):
        at = [levels[place] if levels else None for levels in (least, good, stretch)]
        yield Goal(case=case, what=what.format(case), least=at[0], good=at[1], stretch=at[2], **same)


_HISTORIES = ("1k", "4k", "8k", "16k")
_SHORTER = ("512", "1k", "2k", "4k")

GOALS: tuple[Goal, ...] = (
    Goal("G1", "", "tokens per second, one request, Qwen2.5-0.5B shape, context 1k", "decode", CUDA, 4, 8, 12,
         baseline="transformers eager, DynamicCache + SDPA, bf16"),
    Goal("G1b", "", "tokens per second, one request, Qwen2.5-0.5B shape, context 1k, against compiled", "decode",
         CUDA, 1.2, 1.6, 2.5, baseline="transformers StaticCache + compile, reduce-overhead"),
    Goal("G1c", "", "a step of one request, Qwen2.5-0.5B shape, context 1k / what its bytes take", "decode",
         CUDA, 4.3, 3.0, 2.2, less=True, baseline="bytes at copy bandwidth"),
    Goal("G2", "", "SmolLM2-135M shape, time per layer with all else included", "decode", CUDA, 30, 20, 14,
         less=True, unit="µs"),
    Goal("G2", "eager", "tokens per second, SmolLM2-135M shape", "decode", CUDA, 8, baseline="transformers eager"),
    Goal("G3", "", "a step at context 32k / at 1k, Qwen2.5-0.5B shape", "decode", CUDA, 1.6, 1.35, 1.25,
         less=True, baseline="ourselves at 1k"),
    Goal("G4", "", "tokens per second, 16 requests / one, context 1k", "decode", CUDA, 10, 12, 13,
         baseline="ourselves, one request"),
    *_each(("14/2/64", "16/8/128"), (0.60, 0.60), (0.75, 0.75), (0.85, 0.85), id="G5", bench="attention", device=CUDA,
           what="decode attention, 64 requests at 8k, heads {}: share of the copy bandwidth", unit="%",
           baseline="measured copy"),
    *_each(("14/2/64", "16/8/128"), (0.9, 0.9), (1.1, 1.1), (1.3, 1.3), id="G5b", bench="attention", device=CUDA,
           what="decode attention, 64 requests at 8k, heads {}, against torch's SDPA on contiguous keys",
           baseline="fastest SDPA backend"),
    *_each(("gather 14/2/64", "gather 16/8/128"), (2, 2), id="G5b", bench="attention", device=CUDA,
           what="decode attention, 64 requests at 8k, against SDPA after a {}",
           baseline="gather of the slots, then SDPA"),
    Goal("G5c", "", "decode attention, one request at 32k, split / unsplit", "attention", CUDA, 5, 10, 15,
         baseline="our kernel, one split"),
    *_each(("16 × 4k", "64 × 8k"), (1.5, 3), (2.5, 6), (4, 12), id="G6", bench="shared-prefix", device=CUDA,
           what="decode attention of {} shared tokens, heads 16/8/128, sharing on / off",
           baseline="our kernel, sharing off"),
    Goal("G6b", "", "tokens per second of the engine, 64 requests over 8k shared tokens, sharing on / off",
         "shared-prefix", CUDA, 1.8, 2.5, 3, baseline="sharing off"),
    *_each(("4 × 4k", "16 × 128"), (0.97, 0.97), (0.99, 0.99), (1, 1), id="G6c", bench="shared-prefix", device=CUDA,
           what="decode attention where sharing is useless: {}, on / off", baseline="sharing off"),
    *_each(_HISTORIES, (1.2, 4, 8, 20), (2, 8, 16, 40), (3, 12, 28, 70), id="G7", bench="ttft", device=CUDA,
           what="time to the first token, recompute / cached, {} of history", baseline="ourselves, cache off"),
    *_each([f"prefill {each}" for each in _HISTORIES], [1.1] * 4, id="G7", bench="ttft", device=CUDA, less=True,
           what="{}: ours / transformers'", baseline="transformers' own prefill"),
    Goal("G7b", "", "cached time to the first token at 16k / at 1k", "ttft", CUDA, 2, 1.5, 1.25, less=True,
         baseline="ourselves at 1k"),
    *_each(_SHORTER, (6, 10, 18, 28), (8, 12, 24, 38), id="G8", bench="ttft", device=CPU,
           what="time to the first token, recompute / cached, {} of history", baseline="ourselves, cache off"),
    *_each([f"prefill {each}" for each in _SHORTER], [1.1] * 4, id="G8", bench="ttft", device=CPU, less=True,
           what="{}: ours / transformers'", baseline="transformers' own prefill"),
    *_each(("512", "4k"), (1.2, 1.4), (1.35, 1.8), (None, 2.3), id="G9", bench="decode", device=CPU,
           what="tokens per second at context {}, fp32", baseline="transformers fp32, SDPA, DynamicCache"),
    Goal("G9b", "", "tokens per second at context 512, int8", "decode", CPU, 1.8, 2.1, 2.6,
         baseline="transformers fp32, SDPA, DynamicCache"),
    Goal("G10", "", "matching 8k tokens in one node", "tree", ANY, 30, 80, 150, baseline="a loop over two lists"),
    Goal("G10", "8 nodes", "matching 8k tokens over eight nodes", "tree", ANY, 25, baseline="a loop over two lists"),
    Goal("G10", "10 nodes", "matching 8k tokens over ten nodes, in all", "tree", ANY, 50, less=True, unit="µs"),
    Goal("G11", "", "evicting one of 50,000 leaves / one of 100", "tree", ANY, 5, 3, 2, less=True,
         baseline="ourselves with 100 leaves"),
    Goal("G12", "", "tokens per second where nothing hits, radix / no cache", "decode", ANY, 0.97, 0.99,
         baseline="--cache none"),
    Goal("G13", "gpu", "tokens per second with the live view / plain", "decode", CUDA, 0.95, 0.98, baseline="--plain"),
    Goal("G13", "cpu", "tokens per second with the live view / plain", "decode", CPU, 0.88, 0.95, baseline="--plain"),
    Goal("G14", "", "time of a decode step outside the model", "decode", ANY, 150, 80, less=True, unit="µs"),
)  # fmt: skip
"""Every goal, in order."""


def goal(id: str, case: str = "") -> Goal:
    """Returns the goal of this id and case."""
    return next(each for each in GOALS if (each.id, each.case) == (id, case))
