"""Tokens after the first: against transformers, against ourselves, and beside the app (G1 to G4, G9, G12 to G14).

*Ours* is the engine as a chat runs it: an iteration plans, computes, samples, commits to the cache and makes text.
*Transformers* is a loop over its own forward with its own cache, without what `generate` adds around it. Each arm
gives some tokens in a row before the other one has its turn, so that each finds its weights as it left them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any

import torch
from transformers import DynamicCache, StaticCache

from ..engine import Ask, Engine, SamplingParams
from .bandwidth import bandwidth
from .goals import goal
from .models import QWEN, SMOL, Pair, Prompt, Shape, check_graphs, decoding, watched, weight_bytes
from .rows import Conditions, NotRun, Row, Rows, first_line, section
from .timing import Times

BURST = 6
"""Tokens in a row; the first is not timed."""

ROUNDS = 10
SECONDS = 30.0
TOGETHER = 16

Step = Callable[[], object]


def on_cpu(at: Conditions) -> Rows:
    """G9 and G9b, on SmolLM2-135M's shape; lengths between are points of the chart."""
    pair = Pair(SMOL, at, 8192)
    yield from _short(pair, at)
    yield _between(pair, at.size(1024), at)
    yield _between(pair, at.size(2048), at)
    yield replace(_between(pair, at.size(4096), at), goal=goal("G9", "4k"))


def _short(pair: Pair, at: Conditions) -> Rows:
    """At context 512, with the weights in 8 bits as a third arm."""
    context = at.size(512)
    at.say(f"decoding at context {context:,}, with weights in 8 bits, too")
    prompt, small, speed = pair.prompt(context), pair.int8(), bandwidth(at)
    arms = {
        "transformers": _theirs(pair, prompt),
        "ours": _ours(pair, [prompt], at),
        "ours int8": _ours(pair, [prompt], at, loaded=small),
    }
    took = in_turn(pair, arms, at)
    same: dict[str, Any] = {"arms": took.medians, "rounds": took.rounds, "tokens": context}
    floor = pair.step_bytes(context) / speed
    floor_int8 = (weight_bytes(small) + context * pair.shape.kv_bytes(pair.dtype)) / speed
    ratios = {name: took["transformers"] / took[name] for name in ("ours", "ours int8")}
    yield Row(value=ratios["ours"], goal=goal("G9", "512"), floor=("ours", floor), chart="decode", **same)
    yield Row(
        value=ratios["ours int8"],
        goal=goal("G9b"),
        floor=("ours int8", floor_int8),
        note="K and V stay in fp32",
        **same,
    )


def on_gpu(at: Conditions) -> Rows:
    """G1 to G4, with every arm in bf16."""
    yield from _qwen(at)
    yield from _smol(at)


def _qwen(at: Conditions) -> Rows:
    pair = Pair(QWEN, at, 40960)
    speed = bandwidth(at)
    prompts = [pair.prompt(at.size(1024)) for _ in range(TOGETHER)]
    short, long = prompts[0].size, at.size(32768)
    at.say(f"decoding at context {short:,}; transformers compiles its forward, which takes a minute or two")
    arms = {"transformers": _theirs(pair, prompts[0]), "ours": _ours(pair, prompts[:1], at)}
    fault = None
    try:
        arms["transformers compiled"] = _compiled(pair, prompts[0], reply_tokens(at))
    except Exception as error:  # whatever a compiler meets; the other rows need it not
        fault = f"transformers' forward cannot be compiled: {first_line(error)}"
    took = in_turn(pair, arms, at)
    same: dict[str, Any] = {"arms": took.medians, "rounds": took.rounds, "tokens": short, "chart": "decode"}
    floor = pair.step_bytes(short) / speed
    yield Row(value=took["transformers"] / took["ours"], goal=goal("G1"), floor=("ours", floor), **same)
    if fault is None:
        yield Row(value=took["transformers compiled"] / took["ours"], goal=goal("G1b"), **same)
    else:
        yield NotRun(goal("G1b"), fault)
    yield Row(value=took["ours"] / floor, goal=goal("G1c"), floor=("ours", floor), **same)
    at.say(f"decoding at context {long:,}")
    took = in_turn(pair, {"at 1k": arms["ours"], "at 32k": _ours(pair, [pair.prompt(long)], at)}, at)
    yield Row(value=took["at 32k"] / took["at 1k"], arms=took.medians, goal=goal("G3"), rounds=took.rounds)
    for context in (at.size(4096), at.size(16384)):
        yield _between(pair, context, at)
    at.say(f"decoding {TOGETHER} at context {short:,}")
    many = _ours(pair, prompts, at)
    took = in_turn(pair, {"one": arms["ours"], f"{TOGETHER} together": many}, at)
    yield Row(
        value=TOGETHER * took["one"] / took[f"{TOGETHER} together"], arms=took.medians, goal=goal("G4"),
        rounds=took.rounds, tokens=short,
        floor=(f"{TOGETHER} together", pair.step_bytes(short, TOGETHER) / speed),
    )  # fmt: skip


def _between(pair: Pair, context: int, at: Conditions) -> Row:
    """A point of the chart that no goal asks for."""
    at.say(f"decoding at context {context:,}")
    prompt = pair.prompt(context)
    took = in_turn(pair, {"transformers": _theirs(pair, prompt), "ours": _ours(pair, [prompt], at)}, at)
    return Row(
        value=took["transformers"] / took["ours"], arms=took.medians, rounds=took.rounds, tokens=context,
        what=f"tokens per second at context {context:,}", chart="decode",
        floor=("ours", pair.step_bytes(context) / bandwidth(at)),
    )  # fmt: skip


def _smol(at: Conditions) -> Rows:
    pair = Pair(SMOL, at, 4096)
    prompt = pair.prompt(at.size(1024))
    at.say(f"decoding with {SMOL.name}'s shape")
    took = in_turn(pair, {"transformers": _theirs(pair, prompt), "ours": _ours(pair, [prompt], at)}, at)
    floor = ("ours", pair.step_bytes(prompt.size) / bandwidth(at))
    same: dict[str, Any] = {"arms": took.medians, "rounds": took.rounds, "tokens": prompt.size, "floor": floor}
    yield Row(value=took["ours"] * 1e6 / pair.shape.layers, goal=goal("G2"), **same)
    yield Row(value=took["transformers"] / took["ours"], goal=goal("G2", "eager"), **same)


# -- the arms ----------------------------------------------------------------------------------------------------------


def reply_tokens(at: Conditions) -> int:
    """How many tokens a reply must be able to have: some before the clock runs, and every round's, twice used."""
    rounds = 2 if at.quick else ROUNDS
    return BURST * 3 * ((at.rounds or rounds) + 2)


def _ours(pair: Pair, prompts: list[Prompt], at: Conditions, loaded: Any = None) -> Step:
    """An iteration of our engine, one token for each of some requests."""
    tokens = reply_tokens(at)
    room = sum(prompt.size + tokens for prompt in prompts)
    return _iterating(decoding(pair.engine(room, max_running=len(prompts), loaded=loaded), prompts, tokens))


def sampling(engine: Engine, prompt: Prompt, samples: int, tokens: int) -> Step:
    """An iteration of an engine, one token for each sample of one prompt."""
    params = SamplingParams(temperature=1, seed=0, n=samples, max_tokens=tokens, ignore_eos=True)
    waiting = set(engine.submit(Ask(prompt=prompt, params=params)))
    while waiting:
        waiting -= {chunk.reply for chunk in engine.iterate()}
    return _iterating(engine)


def _iterating(engine: Engine) -> Step:
    def step() -> None:
        assert engine.busy, "the reply ended while it was timed"
        engine.iterate()
        check_graphs(engine)

    return step


def _theirs(pair: Pair, prompt: Prompt) -> Step:
    """A forward of transformers' own over its own growing cache, and the best token."""
    cache = DynamicCache(config=pair.theirs.config)
    token = _prefilled(pair, prompt, cache)

    @torch.inference_mode()
    def step() -> None:
        nonlocal token
        result = pair.theirs(input_ids=token, past_key_values=cache, use_cache=True, logits_to_keep=1)
        token = result.logits[:, -1].argmax(-1, keepdim=True)

    return step


@torch.no_grad()  # and no inference mode: what a cache of fixed size holds is written again outside of it
def _prefilled(pair: Pair, prompt: Prompt, cache: Any) -> torch.Tensor:
    """Fills a cache of transformers with a prompt; returns the next token, ``[1, 1]``."""
    tokens = torch.from_numpy(prompt).to(pair.device, torch.int64)[None]
    result = pair.theirs(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=1)
    best: torch.Tensor = result.logits[:, -1].argmax(-1, keepdim=True)
    return best


def _compiled(pair: Pair, prompt: Prompt, tokens: int) -> Step:
    """The same over a cache of fixed size, its forward compiled into a CUDA graph; without CUDA it is not compiled."""
    if pair.device.type != "cuda":
        return _static(pair, prompt, tokens, pair.theirs.forward)
    try:
        return _static(pair, prompt, tokens, _graphed(pair.theirs.forward, fullgraph=True))
    except torch._dynamo.exc.Unsupported:  # some releases have a break in it
        return _static(pair, prompt, tokens, _graphed(pair.theirs.forward, fullgraph=False))


def _graphed(forward: Callable[..., Any], *, fullgraph: bool) -> Callable[..., Any]:
    compiled = torch.compile(forward, mode="reduce-overhead", fullgraph=fullgraph)

    def call(**inputs: Any) -> Any:
        torch.compiler.cudagraph_mark_step_begin()
        return compiled(**inputs)

    return call


def _static(pair: Pair, prompt: Prompt, tokens: int, forward: Callable[..., Any]) -> Step:
    cache = StaticCache(config=pair.theirs.config, max_cache_len=prompt.size + tokens)
    token = _prefilled(pair, prompt, cache).clone()
    position = torch.full((1, 1), prompt.size, device=pair.device)

    @torch.no_grad()
    def step() -> None:
        result = forward(
            input_ids=token, position_ids=position, past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        token.copy_(result.logits[:, -1].argmax(-1, keepdim=True))
        position.add_(1)

    for _ in range(4):  # compiles, records, and replays
        step()
    return step


def in_turn(pair: Pair, arms: dict[str, Step], at: Conditions) -> Times:
    """Times tokens of each arm in turn; seconds per token."""
    return at.times({name: _burst(pair, step) for name, step in arms.items()}, ROUNDS, SECONDS)


def _burst(pair: Pair, step: Step) -> Callable[[], float]:
    def burst() -> float:
        step()
        pair.sync()
        start = time.perf_counter()
        for _ in range(BURST - 1):
            step()
        pair.sync()
        return (time.perf_counter() - start) / (BURST - 1)

    return burst


# -- what the cache and the program around it cost ---------------------------------------------------------------------


def nothing_hits(at: Conditions) -> Rows:
    """G12: requests that share nothing, with evictions, by an engine with a radix tree and by one without a cache."""
    pair = Pair(_either(at), at, 4096)
    prompt, reply = at.size(64), 8 if at.quick else 32
    capacity = 512
    engines = {"radix": pair.engine(capacity), "no cache": pair.engine(capacity, "none")}
    at.say("requests that share nothing, with and without a tree")
    shares: list[float] = []
    samples: dict[str, list[float]] = {name: [] for name in engines}
    rounds = at.rounds or (2 if at.quick else 10)
    for turn in range(rounds + 1):
        tokens = pair.prompt(prompt)
        took, share = _abreast(engines, tokens, reply)
        if turn:  # the first ones warm up
            shares.append(share)
            for name, seconds in took.items():
                samples[name].append(seconds / (prompt + reply))
    medians = {name: median(each) for name, each in samples.items()}
    yield Row(
        value=medians["no cache"] / medians["radix"], arms=medians, goal=goal("G12"), rounds=rounds,
        note=f"calls of the cache take {median(shares):.2%} of the wall time",
    )  # fmt: skip


def _abreast(engines: dict[str, Engine], prompt: Any, reply: int) -> tuple[dict[str, float], float]:
    """Lets every engine serve a prompt, an iteration of each in turn; returns their seconds, and the tree's share."""
    spent = dict.fromkeys(engines, 0.0)
    params = SamplingParams(temperature=0, max_tokens=reply, ignore_eos=True)
    with watched(engines["radix"].cache, "peek", "matched", "begin", "extend", "commit", "finish") as calls:
        for engine in engines.values():
            engine.submit(Ask(prompt=prompt, params=params))
        while any(engine.busy for engine in engines.values()):
            for name, engine in engines.items():
                start = time.perf_counter()
                engine.iterate()
                spent[name] += time.perf_counter() - start
    return spent, sum(calls) / spent["radix"]


def host(at: Conditions) -> Rows:
    """G14: what of an iteration is not the runner's: scheduling, the cache, text by the bundled tokenizer."""
    from ..engine.loading import MODELS
    from ..engine.tokenizer import HFTokenizer

    shape = _either(at)
    pair = Pair(shape, at, 4096)
    at.say("what a step costs outside the model")
    context, steps = at.size(512), at.rounds or (5 if at.quick else 60)
    engine = pair.engine(context + steps + 20, tokenizer=_Spelling(HFTokenizer.load(MODELS / "radish")))
    decoding(engine, [pair.prompt(context)], steps + 20)
    for _ in range(4):
        engine.iterate()
    check_graphs(engine)
    outside, whole = [], []
    for _ in range(steps):
        with _model_time(engine, at) as model:
            start = time.perf_counter()
            engine.iterate()
            took = time.perf_counter() - start
        whole.append(took)
        outside.append(took - model())
    arms = {"outside": median(outside), "step": median(whole)}
    note = "" if at.device == "cuda" else "the model's own pass has emptied the processor's caches each time"
    yield Row(value=arms["outside"] * 1e6, arms=arms, goal=goal("G14"), rounds=steps, tokens=context, note=note)


@contextmanager
def _model_time(engine: Engine, at: Conditions) -> Iterator[Callable[[], float]]:
    """Yields what tells the seconds that the model took: the runner's step on a CPU, the replay of graphs on a GPU."""
    if at.device != "cuda":
        with watched(engine.runner, "step") as spent:
            yield lambda: sum(spent)
        return
    replay = torch.cuda.CUDAGraph.replay
    events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    def timed(graph: torch.cuda.CUDAGraph) -> None:
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        replay(graph)
        end.record()
        events.append((begin, end))

    def seconds() -> float:
        torch.cuda.synchronize()
        return sum(begin.elapsed_time(end) for begin, end in events) / 1e3

    torch.cuda.CUDAGraph.replay = timed  # type: ignore[method-assign]
    try:
        yield seconds
    finally:
        torch.cuda.CUDAGraph.replay = replay  # type: ignore[method-assign]


class _Spelling:
    """A tokenizer that spells any id, as one of a smaller vocabulary does."""

    name = "spelling"
    eos_ids: frozenset[int] = frozenset()

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> Any:
        return self._tokenizer.encode(text)

    def token_bytes(self, token: int) -> bytes:
        spelled: bytes = self._tokenizer.token_bytes(token % self._tokenizer.vocab_size)
        return spelled


def _either(at: Conditions) -> Shape:
    return QWEN if at.device == "cuda" else SMOL


def view(at: Conditions) -> Rows:
    """G13: the app at a pseudo-terminal, and the plain chat at another."""
    from .view import speeds

    at.say("the app and the plain chat at pseudo-terminals")
    rounds = at.rounds or (1 if at.quick else 3)
    took = speeds(rounds, tokens=40 if at.quick else 1500, device=at.device)
    wanted = goal("G13", "gpu" if at.device == "cuda" else "cpu")
    yield Row(value=took["plain"] / took["view"], arms=took.medians, goal=wanted, rounds=took.rounds)


SECTIONS = (
    section(on_gpu, "cuda", "G1", "G1b", "G1c", "G2", "G2 eager", "G3", "G4"),
    section(on_cpu, "cpu", "G9 512", "G9 4k", "G9b"),
    section(host, "cpu cuda", "G14"),
    section(nothing_hits, "cpu cuda", "G12"),
    section(view, "cuda", "G13 gpu", package="pexpect"),
    section(view, "cpu", "G13 cpu", package="pexpect"),
)
