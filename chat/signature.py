"""The signature line: what a turn reused, computed and evicted; printed after every turn, in every front end.

The same facts as JSON are `facts`. Without a model nothing is said in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .counted import counted
from .engine import Completion

SEPARATOR = " · "


def signature(completion: Completion, of: str = "node") -> str:
    """Returns the line, for example ``reused 812 of 840 prompt tokens (97 %) · prefilled 28 · generated 41``.

    Args:
        completion: Its facts.
        of: What the cache consists of: nodes or blocks.
    """
    done = completion
    parts = [f"reused {done.reused_tokens} of {done.prompt_tokens} prompt tokens ({_percent(done)} %)"]
    if done.matched_tokens > done.reused_tokens:
        parts.insert(0, f"matched {done.matched_tokens}")
    parts += [f"prefilled {done.prefilled_tokens}", f"generated {done.generated_tokens}"]
    if done.splits:
        parts.append(_named("split node", done.splits))
    if done.evicted_nodes:
        parts.append(f"evicted {counted(done.evicted_nodes, of)} ({done.evicted_tokens} tok)")
    if done.retractions:
        parts.append(f"retracted {done.retractions}×")
    if done.ttft_ms is not None:
        parts.append(f"TTFT {milliseconds(done.ttft_ms)}")
    return SEPARATOR.join(parts)


def facts(completion: Completion) -> dict[str, Any]:
    """Returns the same for programs; times are None where they mean nothing."""
    done = completion
    return {
        "text": done.text,
        "finish_reason": done.finish_reason,
        "prompt_tokens": done.prompt_tokens,
        "matched_tokens": done.matched_tokens,
        "reused_tokens": done.reused_tokens,
        "prefilled_tokens": done.prefilled_tokens,
        "generated_tokens": done.generated_tokens,
        "splits": list(done.splits),
        "evicted_nodes": done.evicted_nodes,
        "evicted_tokens": done.evicted_tokens,
        "ttft_ms": None if done.ttft_ms is None else round(done.ttft_ms, 3),
        "decode_tokens_per_s": None if done.decode_tokens_per_s is None else round(done.decode_tokens_per_s, 1),
    }


def cut_off(reason: str) -> str:
    """Returns why a reply ended early ("length" or "capacity"), and what goes on with it."""
    if reason == "length":
        return "the reply reached max_tokens or the context; /continue goes on"
    return "the cache is full and nothing can be evicted; /capacity makes it larger, then /continue"


def milliseconds(value: float) -> str:
    """Returns a time with as many digits as mean something."""
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _percent(done: Completion) -> int:
    """Rounded down, so that 100 % means all."""
    return 100 * done.reused_tokens // done.prompt_tokens if done.prompt_tokens else 0


def _named(what: str, ids: Sequence[int]) -> str:
    return f"{what}{'s' if len(ids) > 1 else ''} {', '.join(str(node) for node in ids)}"
