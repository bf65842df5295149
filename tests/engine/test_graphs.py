"""Decode steps over static inputs, run without a GPU: the same code, eager, in Triton's interpreter.

Each step is compared with the lean forward over torch's kernels and pools of its own. That a graph replays what was
captured is for tests/gpu; what is held here is everything that a replay would read and write.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM  # noqa: E402
from triton.runtime.interpreter import InterpretedFunction  # noqa: E402
from triton.runtime.jit import JITFunction  # noqa: E402

from radixchat.chat.engine import SamplingParams, graphs  # noqa: E402
from radixchat.chat.engine.graphs import GraphDecoder, Sampling, sample_rows  # noqa: E402
from radixchat.chat.engine.lean import LeanModel  # noqa: E402
from radixchat.chat.engine.load import load_engine  # noqa: E402
from radixchat.chat.engine.runner import Sampler, Work  # noqa: E402
from radixchat.chat.engine.sampling import sample  # noqa: E402
from radixchat.chat.engine.slot_table import SlotTable  # noqa: E402
from radixchat.kernels.attention import RaggedBatch  # noqa: E402
from radixchat.kernels.backend import VARIABLE  # noqa: E402
from radixchat.kernels.ops import TorchKernels  # noqa: E402

from .models import tiny_model  # noqa: E402

pytestmark = pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") != "1", reason="where there is a GPU, see tests/gpu")

CONTEXT, SLOTS, VOCABULARY = 64, 300, 64
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.2,
}
MODELS = [(LlamaConfig, LlamaForCausalLM), (Qwen3Config, Qwen3ForCausalLM)]
MODEL_IDS = ["llama", "qwen3"]
GREEDY = SamplingParams(temperature=0)


def lean(config=LlamaConfig, model=LlamaForCausalLM, context=CONTEXT):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LeanModel.of(model(config(**SHAPE)).eval().requires_grad_(False), context)


@pytest.fixture(scope="module")
def model():
    whole = lean()
    return replace(whole, layers=whole.layers[:1])  # the interpreter takes its time


class Bench:
    """A decoder, and beside it the reference with pools of its own; slots that are nobody's hold NaN."""

    def __init__(self, model, context=CONTEXT, slots=SLOTS, **options):
        self.model = model
        shape = (slots, model.kv_heads, model.head_dim)
        self.pools = [torch.full(shape, torch.nan) for _ in range(2 * len(model.layers))]
        self.k, self.v = self.pools[::2], self.pools[1::2]
        self.expected = [each.clone() for each in self.pools]
        self.decoder = GraphDecoder(model, self.k, self.v, context, **{"max_batch": 4, "capture": False, **options})
        self.logits = None  # of the reference, after the last step
        self._free = np.random.default_rng(0).permutation(np.arange(1, slots)).astype(np.int32).tolist()
        self._draw = torch.Generator().manual_seed(1)

    def take(self, count):
        """Returns slots that nobody has, in no order."""
        taken, self._free = self._free[:count], self._free[count:]
        return np.array(taken, dtype=np.int32)

    def fill(self, slots):
        """Stores something in slots, in both sets of pools."""
        for ours, theirs in zip((*self.k, *self.v), (*self.expected[::2], *self.expected[1::2]), strict=True):
            ours[slots] = theirs[slots] = torch.randn(len(slots), *ours.shape[1:], generator=self._draw)

    def request(self, prefix, token, params=GREEDY, samples=1, shared=()):
        """Returns a work whose next token is this one, on a stored prefix; `shared` slots come first."""
        own = self.take(prefix - len(shared) + 1)
        self.fill(own[:-1])
        slots = np.concatenate([np.array(shared, dtype=np.int32), own])
        samplers = tuple(Sampler(params, np.random.default_rng([7, abs(token), each])) for each in range(samples))
        return Work(np.array([token], dtype=np.int32), prefix, slots, samplers)

    def follow(self, work, token):
        """Returns the work after this one."""
        slots = np.append(work.slots, self.take(1))
        return Work(np.array([token], dtype=np.int32), work.start + 1, slots, work.samplers)

    @torch.inference_mode()
    def reference(self, works):
        """Returns the logits after each work, and stores its K/V in the other pools."""
        batch = RaggedBatch.build([1] * len(works), [work.slots for work in works])
        tokens = torch.tensor([int(work.tokens[0]) for work in works])
        kernels = TorchKernels(batch, torch.tensor([work.start for work in works]))
        self.logits = self.model.forward(tokens, self.expected[::2], self.expected[1::2], kernels)
        return self.logits

    def check_pools(self):
        """Asserts that both wrote the same slots, the scratch slot apart."""
        ours, theirs = [*self.k, *self.v], [*self.expected[::2], *self.expected[1::2]]
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one[1:], other[1:], rtol=1e-4, atol=1e-5, equal_nan=True)

    def step(self, works):
        """Runs a greedy step both ways, compares, and returns its tokens."""
        expected = self.reference(works).argmax(-1).tolist()
        tokens = self.decoder.step(works)
        assert tokens == [(token,) if work.samplers else () for token, work in zip(expected, works, strict=True)]
        self.check_pools()
        return [token for (token,) in tokens]


def advance(bench, works, steps):
    """Runs greedy steps, each compared; returns the works after them."""
    for _ in range(steps):
        tokens = bench.step(works)
        works = [bench.follow(work, token) for work, token in zip(works, tokens, strict=True)]
    return works


@pytest.fixture
def seen(monkeypatch):
    """The logits of every decode step, padding included."""
    seen = []
    draw = Sampling.draw

    def watched(self, logits, inputs, counters):
        seen.append(logits.clone())
        return draw(self, logits, inputs, counters)

    monkeypatch.setattr(Sampling, "draw", watched)
    return seen


# -- against the reference ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MODELS, ids=MODEL_IDS)
def test_a_step_equals_the_lean_forward_and_padding_touches_nothing(make, seen):
    bench = Bench(lean(*make))
    bench.step([bench.request(33, 5), bench.request(0, 9), bench.request(7, 11)])

    (logits,) = seen
    assert logits.shape[0] == 4 and logits.isfinite().all()
    torch.testing.assert_close(logits[:3], bench.logits, rtol=1e-4, atol=1e-4)
    table = bench.decoder.table.device
    assert int(table[-1].count_nonzero()) == 0


def test_requests_come_go_and_change_places(model):
    bench = Bench(model)
    one, two = bench.request(20, 5), bench.request(3, 6)
    (token,) = bench.step([one])
    one = bench.follow(one, token)
    first, second = bench.step([one, two])
    one, two, three = bench.follow(one, first), bench.follow(two, second), bench.request(9, 7)
    tokens = bench.step([three, two, one])
    three, two = bench.follow(three, tokens[0]), bench.follow(two, tokens[1])
    bench.step([two, three])

    assert bench.decoder.table.sent == 3, "each request is sent once"
    assert sorted(key[0] for key in bench.decoder._programs) == [1, 2, 4]


def test_slots_that_changed_in_the_middle_are_sent_anew(model):
    bench = Bench(model)
    work = bench.request(12, 5)
    (token,) = bench.step([work])
    work = bench.follow(work, token)
    moved = bench.take(4)  # as a remap or a copy does
    for pool in (*bench.k, *bench.v, *bench.expected):
        pool[moved] = pool[work.slots[3:7]]
        pool[work.slots[3:7]] = torch.nan
    work.slots[3:7] = moved
    (token,) = bench.step([work])
    bench.step([bench.follow(work, token)])

    assert bench.decoder.table.sent == 2


def test_several_works_may_write_the_scratch_slot_and_share_a_prefix(model):
    bench = Bench(model)
    shared = bench.take(15)
    bench.fill(shared)
    works = [bench.request(15, token, shared=shared) for token in (4, 5, 6)]
    for work in works:
        work.slots[-1] = 0
    tokens = bench.step(works)
    for work in works:  # what was computed stands in a slot of its own now, as after a commit
        work.slots[-1] = bench.take(1)[0]
        for pool in (*bench.k, *bench.v, *bench.expected):
            pool[work.slots[-1]] = pool[shared[0]]
    bench.step([bench.follow(work, token) for work, token in zip(works, tokens, strict=True)])


def test_a_failed_step_leaves_the_decoder_usable(model, monkeypatch):
    bench = Bench(model)
    work = bench.request(6, 4)
    with monkeypatch.context() as patched:
        patched.setattr(Sampling, "draw", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bench.decoder.step([work])
    (token,) = bench.step([work])
    bench.step([bench.follow(work, token)])


def test_which_batches_are_decode_steps(model):
    bench = Bench(model)
    one = bench.request(2, 1)
    assert bench.decoder.takes([one] * 4)
    assert not bench.decoder.takes([])
    assert not bench.decoder.takes([one] * 5)
    assert not bench.decoder.takes([one, one._replace(tokens=np.array([1, 2]))])


# -- shared prefixes ---------------------------------------------------------------------------------------------------

LONG = 256


@pytest.fixture(scope="module")
def long_model():
    whole = lean(context=2 * LONG)
    return replace(whole, layers=whole.layers[:1])


def related(bench, count):
    """Returns works over one long prefix, each with a few tokens of its own."""
    shared = bench.take(LONG)
    bench.fill(shared)
    return [bench.request(LONG + 2 * each, 5 + each, shared=shared) for each in range(count)]


def shared(bench):
    return [key for key in bench.decoder._programs if isinstance(key[1], tuple)]


def test_a_long_shared_prefix_is_read_once(long_model, monkeypatch):
    """Through growth, a new plan when the room is used up, a request that ends, and one that comes."""
    monkeypatch.setattr(graphs, "ROOM", 2)
    plans = []
    plan = graphs.plan
    monkeypatch.setattr(graphs, "plan", lambda *args, **options: plans.append(1) or plan(*args, **options))
    bench = Bench(long_model, context=2 * LONG, slots=1000, max_batch=8)
    works = advance(bench, related(bench, 5), 3)
    assert len(plans) == 2 and len(shared(bench)) == 1

    works = advance(bench, [*works[3:0:-1], bench.request(3, 4), works[4]], 1)
    assert len(plans) == 3
    assert all(key[0] == 8 for key in bench.decoder._programs)
    advance(bench, works[:3], 1)
    assert any(key not in shared(bench) for key in bench.decoder._programs), "three are too few"


def test_sharing_can_be_switched_off_and_gives_the_same(long_model):
    one, other = (Bench(long_model, context=2 * LONG, slots=1000, share=share) for share in (True, False))
    tokens = [bench.step(related(bench, 4)) for bench in (one, other)]
    assert tokens[0] == tokens[1]
    assert len(shared(one)) == 1 and not shared(other)


# -- sampling ----------------------------------------------------------------------------------------------------------

WARM = SamplingParams(temperature=2.0)
PICKY = SamplingParams(temperature=1.5, top_k=20, top_p=0.9, min_p=0.05)


def test_sampling_is_each_requests_own(model):
    """The same tokens alone, in company that samples otherwise, and outside of decode steps."""
    bench = Bench(model)
    params = [WARM, PICKY, GREEDY]
    works = [bench.request(8, 5 + place, each) for place, each in enumerate(params)]
    logits = bench.reference(works)
    outside = [
        int(sample_rows(row[None], [Sampler(each, np.random.default_rng([7, 5 + place, 0]))])[0])
        for place, (row, each) in enumerate(zip(logits, params, strict=True))
    ]
    together = bench.decoder.step(works)
    alone = [
        bench.decoder.step([work._replace(samplers=(Sampler(each, np.random.default_rng([7, 5 + place, 0])),))])[0]
        for place, (work, each) in enumerate(zip(works, params, strict=True))
    ]

    assert together == alone == [(token,) for token in outside]
    assert outside[2] == int(logits[2].argmax())


def test_every_token_takes_a_random_number_of_its_own(model):
    bench = Bench(model)
    work = bench.request(8, 5, SamplingParams(temperature=50.0))
    tokens = [bench.decoder.step([work])[0][0] for _ in range(6)]
    work.samplers[0].random = np.random.default_rng([7, 5, 0])
    again = [bench.decoder.step([work])[0][0] for _ in range(2)]

    assert len(set(tokens)) > 2
    assert again == tokens[:2], "and the generator alone decides"


def test_works_may_ask_for_several_samples_or_for_none(model):
    bench = Bench(model)
    several, none = bench.request(8, 5, WARM, samples=3), bench.request(4, 6, samples=0)
    one = bench.request(5, 7)
    logits = bench.reference([several, none, one])
    tokens = bench.decoder.step([several, none, one])

    fresh = [Sampler(WARM, np.random.default_rng([7, 5, each])) for each in range(3)]
    assert tokens[0] == tuple(sample_rows(logits[:1].expand(3, -1), fresh).tolist())
    assert tokens[1:] == [(), (int(logits[2].argmax()),)]
    bench.check_pools()


@pytest.mark.parametrize("params", [SamplingParams(top_k=10**10), SamplingParams(temperature=1e-46)], ids=["k", "t"])
def test_numbers_beyond_their_type_mean_what_they_mean_on_a_cpu(params):
    """Of two tokens so far apart that chance has no say; and top-k of all is no bound."""
    logits = torch.tensor([[1.0, 90.0, 3.0, -2.0]])
    found = sample_rows(logits, [Sampler(params, np.random.default_rng(0))]).tolist()
    assert found == [sample(logits[0].numpy(), Sampler(params, np.random.default_rng(0)))] == [1]


def test_only_what_occurs_is_computed():
    samplers = [Sampler(each) for each in (GREEDY, WARM, SamplingParams(top_k=-1, min_p=0.1))]
    assert Sampling.of(samplers[:1]) == Sampling()
    assert Sampling.of(samplers[:2]) == Sampling(temperature=True)
    assert Sampling.of(samplers) == Sampling(temperature=True, min_p=True)


# -- graphs ------------------------------------------------------------------------------------------------------------


class Replay:
    """What a graph is to the decoder: it runs on the addresses that it was captured with, and returns nothing."""

    captured = 0

    def __init__(self, decoder, program):
        Replay.captured += 1
        pinned = Pinned(decoder)
        self.run = lambda: GraphDecoder._compute(pinned, program)
        self.valid = True
        self.run()  # the warm-up

    def replay(self):
        assert self.valid
        self.run()

    def reset(self):
        self.valid = False


class Pinned:
    """A decoder whose pools stay what they were."""

    def __init__(self, decoder):
        self._decoder, self.k_pools, self.v_pools = decoder, [*decoder.k_pools], [*decoder.v_pools]

    def __getattr__(self, name):
        return getattr(self._decoder, name)


@pytest.fixture
def no_cuda(monkeypatch):
    """CUDA's streams, as far as the decoder handles them itself."""
    for name in ("current_stream", "set_stream", "synchronize"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    monkeypatch.setattr(GraphDecoder, "_captured", lambda *args: Replay(*args))
    Replay.captured = 0


def test_a_capture_disturbs_nothing_and_serves_all_steps_of_its_shape(model, no_cuda):
    bench = Bench(model, capture=True)
    works = [bench.request(6, 5), bench.request(9, 8)]
    before = [each[1:].clone() for each in bench.pools]
    works = advance(bench, works, 1)
    third = bench.request(3, 9)
    first, second, _ = bench.step([*works, third])  # a new graph is captured between the two steps
    works = [bench.follow(work, token) for work, token in zip(works, (first, second), strict=True)]
    advance(bench, works, 2)

    assert Replay.captured == 2
    assert any(not torch.equal(one, two[1:]) for one, two in zip(before, bench.pools, strict=True))


def test_what_was_used_longest_ago_makes_room(model, no_cuda, monkeypatch):
    monkeypatch.setattr(graphs, "PROGRAMS", 2)
    bench = Bench(model, capture=True)
    works = [bench.request(3 + each, 5 + each) for each in range(3)]
    counts = []
    for size in (1, 2, 1, 3, 1, 2):
        works[:size] = advance(bench, works[:size], 1)
        counts.append([shape.rows for shape in bench.decoder._programs])
    assert counts == [[1], [1, 2], [2, 1], [1, 4], [4, 1], [1, 2]]
    assert Replay.captured == 4
    assert all(program.graph.valid for program in bench.decoder._programs.values())


def test_a_capture_that_lacks_memory_is_tried_again_without_the_others(model, no_cuda, monkeypatch):
    bench = Bench(model, capture=True)
    works = advance(bench, [bench.request(6, 5)], 1)
    captured, free = GraphDecoder._captured, [False]

    def scarce(decoder, program):
        if decoder._programs:
            try:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nand more")
            finally:
                raise RuntimeError("operation failed due to a previous error during capture")
        if not free[0]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nand more")
        return captured(decoder, program)

    monkeypatch.setattr(GraphDecoder, "_captured", scarce)
    free[0] = True
    works = advance(bench, [*works, bench.request(9, 8)], 1)
    assert [shape.rows for shape in bench.decoder._programs] == [2] and bench.decoder.fault is None
    free[0] = False
    advance(bench, [*works, bench.request(3, 9)], 1)
    assert bench.decoder.fault == "CUDA out of memory. Tried to allocate 2 GiB"


def test_python_collects_no_garbage_during_a_capture(monkeypatch):
    collected = []
    monkeypatch.setattr(graphs.gc, "collect", lambda: collected.append(gc.isenabled()))
    with pytest.raises(ZeroDivisionError), graphs._no_collection():
        assert not gc.isenabled() and collected
        raise ZeroDivisionError
    assert gc.isenabled()


def test_graphs_go_when_the_pools_move(model, no_cuda):
    bench = Bench(model, capture=True)
    work = bench.request(6, 5)
    (token,) = bench.step([work])
    (program,) = bench.decoder._programs.values()
    bench.k[:] = [each.clone() for each in bench.k]
    bench.v[:] = [each.clone() for each in bench.v]
    bench.decoder.drop()
    bench.step([bench.follow(work, token)])

    assert not program.graph.valid and Replay.captured == 2


def test_where_a_capture_fails_steps_go_on_without(model, no_cuda, monkeypatch):
    def fails(*_):
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    monkeypatch.setattr(GraphDecoder, "_captured", fails)
    bench = Bench(model, capture=True)
    work = bench.request(6, 5)
    (token,) = bench.step([work])
    bench.step([bench.follow(work, token)])
    assert (bench.decoder.capture, bench.decoder.fault) == (False, "operation not permitted")


@pytest.mark.parametrize("works", [True, False])
def test_whether_captures_work_is_tried_before_a_chat_and_said(works, tmp_path, no_cuda, monkeypatch):
    def fails(*_):
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    if not works:
        monkeypatch.setattr(GraphDecoder, "_captured", fails)
    begun = GraphDecoder.__post_init__
    monkeypatch.setattr(GraphDecoder, "__post_init__", lambda self: (setattr(self, "capture", True), begun(self)))
    monkeypatch.setenv(VARIABLE, "triton")
    folder = tiny_model("llama", tmp_path, num_hidden_layers=1)
    engine = load_engine(folder, device="cpu", dtype="float32", cache="radix", capacity=400, cache_options={})
    said = [note for note in engine.notes if "CUDA graphs" in note]
    if works:
        assert (Replay.captured, said) == (1, [])
        engine.generate([5, 6, 7], replace(engine.defaults, max_tokens=2, ignore_eos=True, seed=1))
        assert Replay.captured == 1, "the first reply needs no other"
    else:
        fault = "operation not permitted"
        assert said == [f"Replies are computed without CUDA graphs, which is slower: {fault}."]
        assert engine.runner.fault == fault


class Count(TorchDispatchMode):
    """Counts what is a launch on a GPU: Triton's kernels, and operations of torch that are no view and no memory."""

    MEMORY = ("empty", "new_empty", "empty_like", "empty_strided", "new_empty_strided", "_unsafe_view", "detach")

    def __init__(self, monkeypatch):
        super().__init__()
        self.names = Counter()
        self._on = False
        for kind in (InterpretedFunction, JITFunction):
            monkeypatch.setattr(kind, "run", self._counted(kind.run))

    def _counted(self, run):
        def counted(function, *args, **kwargs):
            self.names[f"triton {function.fn.__name__}"] += self._on
            with _disable_current_modes():  # what the interpreter does is no launch
                return run(function, *args, **kwargs)

        return counted

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        view = any(each.alias_info and not each.alias_info.is_write for each in func._schema.returns)
        self.names[name] += not view and name not in self.MEMORY
        return func(*args, **kwargs or {})

    def of(self, run, *args):
        """Returns how often each thing was launched."""
        self.names.clear()
        self._on = True
        with self:
            run(*args)
        self._on = False
        return +self.names


@pytest.mark.parametrize("make", MODELS, ids=MODEL_IDS)
def test_at_most_ten_launches_a_layer(make, monkeypatch):
    monkeypatch.setattr(graphs, "splits", lambda *_: 2)  # the dearer case: a second kernel merges the splits
    whole, count = lean(*make), Count(monkeypatch)

    def launches(layers):
        bench = Bench(replace(whole, layers=whole.layers[:layers]))
        work = bench.request(20, 5)
        bench.decoder.step([work])
        return count.of(bench.decoder.step, [bench.follow(work, 6)])

    one, two = launches(1), launches(2)
    a_layer = two - one
    assert a_layer["triton _merge"] == a_layer["triton _decode"] == 1
    assert 8 <= a_layer.total() <= 10, a_layer
    assert (one - a_layer).total() <= 12, one - a_layer


# -- the whole engine --------------------------------------------------------------------------------------------------


def replies(folder, params, prompts):
    engine = load_engine(folder, device="cpu", dtype="float32", cache="radix", capacity=400, cache_options={})
    done = engine.generate([list(each) for each in prompts], params)
    engine.check_integrity()
    engine.resize(300)
    again = engine.generate(list(prompts[0]), params)
    return [each.token_ids for each in (*done, again)], engine


def test_the_engine_replies_alike_with_triton(tmp_path, monkeypatch):
    """Prompts that share a beginning, prefilled beside replies, then a smaller pool; greedy and by chance."""
    folder = tiny_model("llama", tmp_path, num_hidden_layers=1)
    prompts = [(5, 6, 7, 8, 9), (5, 6, 30)]
    greedy = SamplingParams(temperature=0, max_tokens=3, ignore_eos=True)
    expected, _ = replies(folder, greedy, prompts)
    monkeypatch.setenv(VARIABLE, "triton")
    found, engine = replies(folder, greedy, prompts)

    assert found == expected
    assert engine.runner.decoder is not None and engine.runner.decoder.fault is None
    assert engine.runner.decoder._programs
    chance = replace(greedy, temperature=3.0, seed=4, top_k=50)
    (first, *_, alone), _ = replies(folder, chance, prompts)
    assert first == alone, "a request's tokens do not depend on its batch"


# -- the table of slots ------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.data())
def test_the_table_follows_whatever_happens_to_sequences(data):
    """Rows on the device hold the prefixes of a batch, after growth, remaps, forks, ends and new orders."""
    table = SlotTable(4, 40, "cpu")
    fresh = iter(range(1, 2000))
    running = []
    for _ in range(data.draw(st.integers(1, 12))):
        for _ in range(data.draw(st.integers(0, 2))):
            kind = data.draw(st.sampled_from(["new", "fork", "end", "remap", "scratch"]))
            pick = data.draw(st.integers(0, len(running) - 1)) if running else None
            if kind == "new" and len(running) < 4:
                running.append([next(fresh) for _ in range(data.draw(st.integers(0, 6)))])
            elif pick is not None and kind == "fork" and len(running) < 4:
                running.append(list(running[pick]))
            elif pick is not None and kind == "end":
                running.pop(pick)
            elif pick is not None and kind == "remap" and running[pick]:
                running[pick][data.draw(st.integers(0, len(running[pick]) - 1))] = next(fresh)
            elif pick is not None and kind == "scratch" and running[pick]:
                running[pick][-1] = 0
        running = [each for each in running if len(each) < 40]
        batch = data.draw(st.permutations(running))
        if not batch:
            continue
        rows = table.place([np.array(each, dtype=np.int32) for each in batch])
        assert len(set(rows)) == len(rows)
        for row, each in zip(rows, batch, strict=True):
            assert table.device[row, : len(each)].tolist() == each
            each.append(next(fresh))
            table.device[row, len(each) - 1] = each[-1]  # as the decode step does
        table.grown(rows, [each[-1] for each in batch])


def test_a_row_is_given_away_when_it_rested_longest():
    table = SlotTable(2, 8, "cpu")
    one, two, three = (np.array([each, each + 1], dtype=np.int32) for each in (10, 20, 30))
    assert table.place([one]) != table.place([two])
    rows = table.place([one])
    assert table.place([one, three])[0] == rows[0] and table.sent == 3
    assert table.place([two, one])[1] == rows[0] and table.sent == 4
    table.forget()
    table.place([one])
    assert table.sent == 5
