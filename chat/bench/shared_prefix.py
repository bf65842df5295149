"""Decode over a prefix that many requests share: the shared part read once, or by each (G6); on a CPU, the reference.

*Sharing on* is what the engine does: the planner looks whether it pays; where it does not, the ordinary kernel runs.
The torch reference shows the way and is no faster: on a CPU nothing uses it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from ...kernels import tree_attention
from .attention import QWEN2, QWEN3, SMOL, Heads, Layer
from .bandwidth import bandwidth
from .decode import in_turn, reply_tokens, sampling
from .goals import goal
from .models import QWEN, Pair
from .replay import Call, replayed, rotations
from .rows import Conditions, Row, Rows, section

TAIL = 64
"""Tokens that each request has of its own."""

ROUNDS = 30
SECONDS = 15.0


class Case(NamedTuple):
    """Requests over a shared prefix."""

    requests: int
    prefix: int

    @property
    def name(self) -> str:
        """As the goals write it."""
        return (
            f"{self.requests} × {self.prefix // 1024}k" if self.prefix >= 1024 else f"{self.requests} × {self.prefix}"
        )

    def slots(self, at: Conditions) -> list[np.ndarray]:
        """Returns the slots of every request's prefix and tail."""
        requests, prefix, tail = 2 if at.quick else self.requests, at.size(self.prefix), at.size(TAIL)
        shared = np.arange(1, prefix + 1, dtype=np.int32)
        own = prefix + 1 + np.arange(requests * tail, dtype=np.int32).reshape(requests, tail)
        return [np.concatenate([shared, each]) for each in own]


USEFUL = (Case(16, 4096), Case(64, 8192))
USELESS = (Case(4, 4096), Case(16, 128))


def on_cpu(at: Conditions) -> Rows:
    """No goal: the torch reference of the shared kernel beside plain decode."""
    for case in (Case(8, 1024), Case(16, 2048)):
        at.say(f"decode attention over a shared prefix, {case.name}")
        layer = Layer(SMOL, case.slots(at), at, scattered=False)
        plan = _plan(layer)
        with torch.inference_mode():
            took = at.times({"on": _shared(layer, plan), "off": layer.reference()}, 100, 5.0)
        yield Row(
            value=took["off"] / took["on"], arms=took.medians, rounds=took.rounds, tokens=at.size(case.prefix),
            what=f"decode attention, {case.name} shared tokens, heads {SMOL.name}, torch reference, sharing on / off",
            note=f"the plan moves {plan.estimate.gain:.3g} times fewer bytes",
        )  # fmt: skip


@torch.inference_mode()
def on_gpu(at: Conditions) -> Rows:
    """G6 and G6c; the same with the heads of Qwen2.5-0.5B for information."""
    for id, cases in (("G6", USEFUL), ("G6c", USELESS)):
        for case in cases:
            yield from _case(at, case, QWEN3, id)
    for case in USEFUL:
        yield from _case(at, case, QWEN2, None)


def _case(at: Conditions, case: Case, heads: Heads, id: str | None) -> Rows:
    at.say(f"decode attention over a shared prefix, {case.name}, heads {heads.name}")
    first = Layer(heads, case.slots(at), at)
    shared = 2 * first.k_pool.numel() * first.k_pool.element_size()  # what sharing reads: the pool, once
    layers = [first, *(Layer(heads, case.slots(at), at) for _ in range(1 if at.quick else rotations(shared) - 1))]
    plan = _plan(first)
    took = at.times(
        {
            "on": replayed([_chosen(layer, plan) for layer in layers], first.device),
            "off": replayed([layer.kernel() for layer in layers], first.device),
        },
        ROUNDS,
        SECONDS,
    )
    yield Row(
        value=took["off"] / took["on"], arms=took.medians, goal=goal(id, case.name) if id else None,
        rounds=took.rounds, tokens=at.size(case.prefix), floor=("on", shared / bandwidth(at)),
        what=f"decode attention of {case.name} shared tokens, heads {heads.name}, sharing on / off",
        note=f"the plan moves {plan.estimate.gain:.3g} times fewer bytes" if plan.shared else "the plan shares nothing",
    )  # fmt: skip


def engine(at: Conditions) -> Rows:
    """G6b: the whole engine, one prompt's many samples, with its sharing switched on and off."""
    case = Case(64, 8192)
    pair = Pair(QWEN, at, 16384)
    at.say(f"tokens of {case.requests} samples of one prompt")
    requests = 2 if at.quick else case.requests
    prompt, tokens = pair.prompt(at.size(case.prefix)), reply_tokens(at)
    steps = {}
    for name, share in (("on", True), ("off", False)):
        subject = pair.engine(prompt.size + requests * tokens, max_running=requests)
        subject.runner.decoder.share = share  # type: ignore[attr-defined]
        steps[name] = sampling(subject, prompt, requests, tokens)
    took = in_turn(pair, steps, at)
    yield Row(
        value=took["off"] / took["on"], arms=took.medians, goal=goal("G6b"), rounds=took.rounds, tokens=prompt.size,
        floor=("on", pair.step_bytes(prompt.size) / bandwidth(at)),
        note="a plan serves many steps, so the steps that make one are not in the medians",
    )  # fmt: skip


def _plan(layer: Layer) -> tree_attention.Plan:
    many = {"group": layer.heads.group, "kv_heads": layer.heads.keys}
    if layer.device.type == "cuda":
        from ...kernels.triton_attention import processors

        many["processors"] = processors(layer.device)
    return tree_attention.plan(layer.slots, **many)


def _chosen(layer: Layer, plan: tree_attention.Plan) -> Call:
    """Returns a call of the kernel that the plan asks for."""
    if not plan.shared:
        return layer.kernel()
    from ...kernels import triton_tree

    placed = plan.on(layer.device)
    return lambda: triton_tree.decode_shared(*layer.facts, placed, layer.scale)


def _shared(layer: Layer, plan: tree_attention.Plan) -> Call:
    return lambda: tree_attention.decode_shared(*layer.facts, plan, layer.scale)


SECTIONS = (
    section(on_gpu, "cuda", *(f"G6 {case.name}" for case in USEFUL), *(f"G6c {case.name}" for case in USELESS)),
    section(engine, "cuda", "G6b"),
    section(on_cpu, "cpu"),
)
