"""What only a device can show of decode steps: that a replayed graph does what the same code does eagerly."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from transformers import Qwen2Config, Qwen2ForCausalLM  # noqa: E402

from radixchat.chat.engine import SamplingParams  # noqa: E402
from radixchat.chat.engine import graphs as module  # noqa: E402
from radixchat.chat.engine.graphs import GraphDecoder  # noqa: E402
from radixchat.chat.engine.lean import LeanModel  # noqa: E402
from radixchat.chat.engine.runner import Sampler, Work  # noqa: E402

from .scene import DEVICE, DRY, distance, marks, size  # noqa: E402

pytestmark = marks

DTYPES = [torch.float32] if DRY else [torch.bfloat16, torch.float32]
CONTEXT = size(4096, 300)
SLOTS = size(40_000, 1500)
GREEDY = SamplingParams(temperature=0)
CHANCE = SamplingParams(temperature=1.5, top_k=50, top_p=0.9, min_p=0.01)

by_type = pytest.mark.parametrize("dtype", DTYPES, ids=lambda each: str(each).removeprefix("torch."))


@functools.cache
def lean(dtype, layers=2):
    """Returns a lean model of the shape of Qwen2.5-0.5B, with few layers and random weights."""
    config = Qwen2Config(
        vocab_size=size(151_936, 64),
        hidden_size=size(896, 64),
        intermediate_size=size(4864, 96),
        num_hidden_layers=layers,
        num_attention_heads=size(14, 4),
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.1,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Qwen2ForCausalLM(config)
    return LeanModel.of(model.to(DEVICE, dtype).eval().requires_grad_(False), CONTEXT)


class Run:
    """A decoder with pools of its own; all runs of one model hold the same."""

    def __init__(self, model, dtype, **options):
        shape = (SLOTS, model.kv_heads, model.head_dim)
        draw = torch.Generator().manual_seed(1)
        pools = [torch.randn(shape, generator=draw).to(DEVICE, dtype) for _ in range(2 * len(model.layers))]
        self.k, self.v = pools[::2], pools[1::2]
        self.decoder = GraphDecoder(model, self.k, self.v, CONTEXT, **options)
        self._free = np.random.default_rng(0).permutation(np.arange(1, SLOTS)).astype(np.int32)

    def take(self, count):
        taken, self._free = self._free[:count], self._free[count:]
        return taken

    def request(self, prefix, token, params=GREEDY, shared=()):
        slots = np.concatenate([np.array(shared, np.int32), self.take(prefix - len(shared) + 1)])
        sampler = Sampler(params, np.random.default_rng([3, token]))
        return Work(np.array([token], np.int32), prefix, slots, (sampler,))

    def follow(self, work, token):
        slots = np.append(work.slots, self.take(1))
        return Work(np.array([token], np.int32), work.start + 1, slots, work.samplers)

    def advance(self, works, steps):
        """Runs steps; returns the works after them and all tokens."""
        said = []
        for _ in range(steps):
            tokens = [token for (token,) in self.decoder.step(works)]
            said.append(tokens)
            works = [self.follow(work, token) for work, token in zip(works, tokens, strict=True)]
        return works, said

    def check(self):
        """Asserts that the steps did run as graphs, on a device."""
        assert self.decoder.fault is None
        if not DRY:
            assert all(program.graph is not None for program in self.decoder._programs.values())


def conversation(run, params):
    """Requests that come, go and change places; returns all tokens."""
    works, first = run.advance([run.request(size(1000, 20), 5, params)], 3)
    works.append(run.request(size(70, 7), 6, params))
    works.append(run.request(0, 7, GREEDY))
    works, second = run.advance(works, 3)
    works, third = run.advance(works[:0:-1], 2)
    works += [run.request(3 * each, 10 + each, params) for each in range(size(30, 3))]
    works, fourth = run.advance(works, 2)
    return first + second + third + fourth


@by_type
@pytest.mark.parametrize("params", [GREEDY, CHANCE], ids=["greedy", "chance"])
def test_replays_do_what_eager_steps_do(params, dtype):
    model = lean(dtype)
    graphs, eager = Run(model, dtype), Run(model, dtype, capture=False)
    assert conversation(graphs, params) == conversation(eager, params)
    graphs.check()
    for one, other in zip((*graphs.k, *graphs.v), (*eager.k, *eager.v), strict=True):
        assert distance(one[1:], other[1:]) < 1e-3


def test_graphs_follow_when_the_pools_move():
    model = lean(torch.float32)
    moved, still = Run(model, torch.float32), Run(model, torch.float32)
    said = []
    for run in (moved, still):
        works, first = run.advance([run.request(size(300, 30), 5)], 2)
        if run is moved:
            run.decoder.drop()
            for pools in (run.k, run.v):
                for layer, pool in enumerate(pools):
                    pools[layer] = torch.cat([pool, pool])
                    pool.fill_(torch.nan)
        said.append(first + run.advance(works, 3)[1])
        run.check()
    assert said[0] == said[1]


def test_shared_prefixes_change_nothing(monkeypatch):
    """With a batch that grows beyond the room of a plan."""
    monkeypatch.setattr(module, "ROOM", size(8, 1))
    model, tokens = lean(torch.float32, 1), size(1024, 256)
    said = []
    for share in (True, False):
        run = Run(model, torch.float32, share=share)
        shared = run.take(tokens)
        works = [run.request(tokens + 3 * each, 5 + each, shared=shared) for each in range(5)]
        said.append(run.advance(works, size(20, 2))[1])
        run.check()
        assert any(isinstance(key[1], tuple) for key in run.decoder._programs) == share
    assert said[0] == said[1]


@pytest.mark.skipif(DRY, reason="counts what a device runs")
def test_at_most_ten_launches_a_layer():
    from torch.profiler import ProfilerActivity, profile

    whole, counts = lean(torch.bfloat16), []
    for layers in (1, 2):
        run = Run(replace(whole, layers=whole.layers[:layers]), torch.bfloat16, capture=False)
        works, _ = run.advance([run.request(1000, 5)], 2)
        with profile(activities=[ProfilerActivity.CUDA]) as profiled:
            run.advance(works, 1)
            torch.cuda.synchronize()
        on_device = [each for each in profiled.events() if each.device_type == torch.autograd.DeviceType.CUDA]
        # a matrix product that cuBLAS cuts along its sums is one launch of ours, whatever it needs to add these up
        launches = [name for name in (each.name for each in on_device) if not name.startswith("Mem")]
        counts.append(Counter(name for name in launches if "splitKreduce" not in name))
    assert 8 <= (counts[1] - counts[0]).total() <= 10, counts[1] - counts[0]
