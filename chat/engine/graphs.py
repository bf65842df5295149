"""Decoding on a GPU: one new token for each running request, as one CUDA graph from token ids to sampled tokens.

What a step is about is written into tensors that stay where they are: one copy of a few hundred bytes from pinned
memory. Everything else follows on the device. The lean forward reads these tensors, samples, and adds each request's
new slot to its row of a table of slots (`slot_table`), so a row travels only when a request is new or its slots have
changed.

Graphs are captured when they are first needed: one for each size of batch (:data:`BUCKETS`; smaller batches are padded
with rows that point at the scratch slot), each number of splits that the longest prefix asks for (:data:`CONTEXTS`),
and each kind of sampling that occurs; those used last are kept (:data:`PROGRAMS`). They hold addresses of the pools, so
:meth:`GraphDecoder.drop` must be called whenever these move. All graphs share one memory pool and are captured on one
stream of their own.

Requests that share a long prefix read it once for all of them where that pays (`kernels.tree_attention`). This is in
the graph as well: its grid is a capacity that plans are rounded up to, the plan lies in tensors that stay, and each
step adds its tokens to the plan on the device. A new plan is made when requests come, go or change their slots, and
when the room to grow is used up.

Without capture (``capture=False``) the same code runs eagerly, on a CPU under Triton's interpreter too. Knows works and
slots; knows no scheduler and no tree.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...kernels.attention import SCRATCH
from ...kernels.tree_attention import Placed, Plan, pays, plan
from ...kernels.triton_attention import processors, splits
from ...kernels.triton_fused import sample
from ...kernels.triton_ops import Decoding, Sharing, TritonKernels
from .lean import LeanModel
from .loading import first_line
from .memory import is_lack_of_memory
from .runner import Sampler, Work
from .slot_table import SlotTable

BUCKETS = (1, 2, 4, 8, 16, 32, 64)
"""Sizes of batches that graphs are made for."""

CONTEXTS = (2048, 8192, 32768)
"""Lengths of the longest prefix up to which a graph's number of splits serves; the model's context comes last."""

PROGRAMS = 16
"""Steps of different shapes that are kept, each with memory of its own; a step of another one takes the place of that
which was used longest ago."""

ROOM = 128
"""How many tokens each request may grow by until a batch with shared prefixes is planned anew."""

WARM_UP = 2
"""Eager runs before a capture, in which kernels are compiled and libraries set themselves up."""

MOST = 2**31 - 1
"""Tokens that top-k keeps at most: more than any vocabulary has, and what its type holds."""

_ALIGNED = 16  # bytes: what Triton compiles its fastest loads for


class Inputs(NamedTuple):
    """What one step is about, an array per fact and an entry per row: of tensors, or of numpy arrays on the host."""

    ids: Any  # new tokens
    positions: Any  # of the new tokens in their sequences, which is how many are before them
    slots: Any  # where their K/V go
    starts: Any  # where each sequence's row of the slot table begins, in entries
    cells: Any  # and the entry where the new slot belongs
    seeds: Any  # of each row's random number
    top_p: Any
    entries: Any  # the slots once more, in the table's type
    lengths: Any  # the positions once more, as attention takes them
    top_k: Any
    temperature: Any
    min_p: Any


_TYPES = Inputs(*[torch.int64] * 6, torch.float64, *[torch.int32] * 3, *[torch.float32] * 2)


def _words(rows: int, dtype: torch.dtype) -> int:
    """Returns how many int64 an array takes, with the room behind it that aligns the next one."""
    return math.ceil(rows * dtype.itemsize / _ALIGNED) * _ALIGNED // 8


def _size(rows: int) -> int:
    """Returns how many int64 the inputs of so many rows take."""
    return sum(_words(rows, dtype) for dtype in _TYPES)


def _views(memory: Tensor, rows: int) -> Inputs:
    """Returns the inputs that lie in a piece of memory, int64 ``[_size(rows)]`` or longer."""
    arrays, at = [], 0
    for dtype in _TYPES:
        words = _words(rows, dtype)
        arrays.append(memory[at : at + words].view(dtype)[:rows])
        at += words
    return Inputs(*arrays)


class Sampling(NamedTuple):
    """Which kinds of sampling occur in a batch; the others cost nothing."""

    temperature: bool = False
    top_k: bool = False
    top_p: bool = False
    min_p: bool = False

    @classmethod
    def of(cls, samplers: Sequence[Sampler]) -> Sampling:
        """Returns what these ask for; greedy ones ask for nothing."""
        params = [each.params for each in samplers if not each.params.greedy]
        return cls(
            bool(params),
            any(each.top_k > 0 for each in params),
            any(each.top_p < 1 for each in params),
            any(each.min_p > 0 for each in params),
        )

    def draw(self, logits: Tensor, inputs: Inputs, counters: Tensor) -> Tensor:
        """Samples a token for each row of logits; returns int64 ``[rows]``."""
        return sample(
            logits,
            inputs.temperature if self.temperature else None,
            inputs.top_k if self.top_k else None,
            inputs.top_p if self.top_p else None,
            inputs.min_p if self.min_p else None,
            inputs.seeds,
            counters,
        )


def _write_samplers(host: Inputs, rows: Sequence[int], samplers: Sequence[Sampler]) -> None:
    """Writes how each of these rows is sampled.

    A random number is one raw draw of the request's own generator: so many as it has sampled tokens, whoever else is
    in its batches, and nothing about it has to be kept here.
    """
    for row, sampler in zip(rows, samplers, strict=True):
        params = sampler.params
        host.temperature[row] = params.temperature
        if not params.greedy:
            host.top_k[row] = min(max(params.top_k, 0), MOST)
            host.top_p[row], host.min_p[row] = params.top_p, params.min_p
            host.seeds[row] = int(sampler.random.bit_generator.random_raw()) >> 1


@torch.inference_mode()
def sample_rows(logits: Tensor, samplers: Sequence[Sampler]) -> Tensor:
    """Samples one token from each row of logits as a decode step would; returns int64 ``[rows]`` on their device.

    Args:
        logits: ``[rows, vocabulary]``.
        samplers: One for each row.
    """
    memory = torch.zeros(_size(len(samplers)), dtype=torch.int64)
    host = Inputs(*(each.numpy() for each in _views(memory, len(samplers))))
    host.top_p[:] = 1
    _write_samplers(host, range(len(samplers)), samplers)
    inputs = _views(memory.to(logits.device), len(samplers))
    return Sampling.of(samplers).draw(logits, inputs, torch.zeros_like(inputs.seeds))


def sample_works(logits: Tensor, batch: Sequence[Work]) -> list[tuple[int, ...]]:
    """Samples what a batch asks for, as a decode step would.

    Args:
        logits: A row for each work that has samplers, ``[works, vocabulary]``.
        batch: All works.
    """
    counts = [len(work.samplers) for work in batch if work.samplers]
    if not counts:
        return [()] * len(batch)
    rows = torch.repeat_interleave(torch.tensor(counts)).to(logits.device)
    tokens = iter(sample_rows(logits[rows], [each for work in batch for each in work.samplers]).tolist())
    return [tuple(next(tokens) for _ in work.samplers) for work in batch]


class _Stage:
    """Memory in which the host writes the inputs of a step; it may be written again once they were copied."""

    def __init__(self, size: int, device: torch.device) -> None:
        self._memory = torch.zeros(size, dtype=torch.int64, pin_memory=device.type == "cuda")
        self._copied = torch.cuda.Event() if device.type == "cuda" else None
        self._views: dict[int, Inputs] = {}

    def open(self, rows: int) -> Inputs:
        """Waits until the memory is free, and returns it as arrays of so many rows that hold anything."""
        if self._copied is not None:
            self._copied.synchronize()  # an event that was never recorded is over
        if rows not in self._views:
            self._views[rows] = Inputs(*(each.numpy() for each in _views(self._memory, rows)))
        return self._views[rows]

    def send(self, rows: int, target: Tensor) -> None:
        """Copies the inputs of so many rows to the device."""
        size = _size(rows)
        target[:size].copy_(self._memory[:size], non_blocking=True)
        if self._copied is not None:
            self._copied.record()


class _Shape(NamedTuple):
    """What one program serves."""

    rows: int  # one of BUCKETS
    size: int | tuple[int, int, int]  # splits of each prefix, or the capacity for a plan
    sampling: Sampling


@dataclass(slots=True)
class _Program:
    """A decode step of one shape."""

    rows: int
    sampling: Sampling
    inputs: Inputs  # tensors, in the memory that all programs share
    attention: Decoding | Sharing
    counters: Tensor  # zeros: every draw has a seed of its own
    graph: Any = None  # torch.cuda.CUDAGraph, once captured


@dataclass(slots=True)
class _Sharing:
    """What was planned for a batch, to be used until it changes."""

    batch: tuple[Any, ...]  # rows of the slot table in their order, when they were sent, how they are sampled
    plan: Plan | None  # None: nothing is shared
    left: int  # steps until its room is used up
    filled: bool = False  # whether the plan is on the device


@dataclass(slots=True)
class GraphDecoder:
    """Runs decode steps of a lean model over pools.

    Attributes:
        model: Whose weights these are.
        k_pools: Per layer; the list may get other tensors, followed by :meth:`drop`.
        v_pools: The same.
        max_context: Most tokens of a sequence.
        max_batch: Most works of a step; one of :data:`BUCKETS`.
        capture: Whether steps run as CUDA graphs; None: where there is CUDA. Turned off when a capture fails.
        share: Whether shared prefixes may be read once for several requests.
        fault: Why a capture failed, and so why steps do not run as graphs.
    """

    model: LeanModel
    k_pools: Sequence[Tensor]
    v_pools: Sequence[Tensor]
    max_context: int
    max_batch: int = BUCKETS[-1]
    capture: bool | None = None
    share: bool = True
    fault: str | None = None
    table: SlotTable = field(init=False)
    _memory: Tensor = field(init=False, repr=False)  # int64: the inputs of the step
    _sampled: Tensor = field(init=False, repr=False)  # int64 [max_batch]: its tokens
    _stage: _Stage = field(init=False, repr=False)
    _programs: dict[_Shape, _Program] = field(default_factory=dict, repr=False)  # the one used last comes last
    _sharing: _Sharing | None = field(default=None, repr=False)
    _contexts: tuple[int, ...] = field(init=False)
    _pool: Any = field(default=None, repr=False)
    _stream: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        device = self.model.norm.device
        if self.capture is None:
            self.capture = device.type == "cuda"
        self._contexts = (*(each for each in CONTEXTS if each < self.max_context), self.max_context)
        self._start(device)

    @torch.inference_mode()
    def _start(self, device: torch.device) -> None:
        self.table = SlotTable(self.max_batch, self.max_context, device)
        self._memory = torch.zeros(_size(self.max_batch), dtype=torch.int64, device=device)
        self._sampled = torch.zeros(self.max_batch, dtype=torch.int64, device=device)
        self._stage = _Stage(_size(self.max_batch), device)

    def takes(self, batch: Sequence[Work]) -> bool:
        """Whether a batch is a decode step: one new token each, and not more than the largest bucket."""
        return 0 < len(batch) <= self.max_batch and all(work.tokens.size == 1 for work in batch)

    @torch.inference_mode()
    def step(self, batch: Sequence[Work]) -> list[tuple[int, ...]]:
        """Computes a batch, writes its K/V, and returns the sampled tokens of each work, one per sampler.

        Args:
            batch: What :meth:`takes`.
        """
        try:
            return self._step(batch)
        except BaseException:  # what the device's table holds is not known any more
            self.table.forget()
            self._sharing = None
            raise

    @torch.inference_mode()
    def prepare(self, sampler: Sampler) -> None:
        """Captures the step of one request that is sampled so, as most chats begin; whether it works is known then."""
        if self.capture:
            self._ready(_Shape(1, self._splits(1, 1), Sampling.of([sampler])))

    def drop(self) -> None:
        """Forgets the graphs: the pools have moved, or are about to. Waits for what still runs."""
        self._free(*self._programs.values())
        self._programs.clear()
        self._sharing = None
        self._pool = None

    def _step(self, batch: Sequence[Work]) -> list[tuple[int, ...]]:
        rows = self.table.place([work.slots[:-1] for work in batch])
        program = self._program(batch, rows)
        self._send(program.rows, batch, rows)
        logits = None
        if program.graph is None or any(len(work.samplers) > 1 for work in batch):
            logits = self._compute(program)
        else:
            program.graph.replay()
        self.table.grown(rows, [int(work.slots[-1]) for work in batch])
        further = _more(logits, batch)
        first = self._sampled[: len(batch)].tolist()  # waits for the device
        more = iter(() if further is None else further.tolist())
        return [
            (token, *islice(more, len(work.samplers) - 1)) if work.samplers else ()
            for token, work in zip(first, batch, strict=True)
        ]

    def _send(self, size: int, batch: Sequence[Work], rows: Sequence[int]) -> None:
        """Tells the device what a step is about; rows without a work are padding, which nobody reads."""
        host, count, starts = self._stage.open(size), len(batch), np.array(rows) * self.max_context
        host.ids[:count] = [work.tokens[0] for work in batch]
        host.positions[:count] = host.lengths[:count] = [work.start for work in batch]
        host.slots[:count] = host.entries[:count] = [work.slots[-1] for work in batch]
        host.starts[:count], host.cells[:count] = starts, starts + host.positions[:count]
        host.ids[count:] = host.positions[count:] = host.lengths[count:] = 0
        host.slots[count:] = host.entries[count:] = SCRATCH
        host.starts[count:] = host.cells[count:] = self.max_batch * self.max_context
        host.seeds[:] = host.temperature[:] = host.top_k[:] = host.min_p[:] = 0
        host.top_p[:] = 1
        sampled = [place for place, work in enumerate(batch) if work.samplers]
        _write_samplers(host, sampled, [batch[place].samplers[0] for place in sampled])
        self._stage.send(size, self._memory)

    def _program(self, batch: Sequence[Work], rows: Sequence[int]) -> _Program:
        """Returns the program for a batch, ready to run but for its inputs; captures it if need be."""
        bucket = next(each for each in BUCKETS if each >= len(batch))
        sampling = Sampling.of([work.samplers[0] for work in batch if work.samplers])
        sharing = self._shared(batch, (*rows, self.table.sent, sampling))
        size: int | tuple[int, int, int]
        if sharing.plan is None:
            size = self._splits(bucket, max(work.start for work in batch))
        else:
            size = _capacity(sharing.plan)
        program = self._ready(_Shape(bucket, size, sampling))
        if sharing.plan is not None:
            if not sharing.filled:
                program.attention.placed.fill(sharing.plan)
            sharing.filled = True
            sharing.left -= 1
        return program

    def _splits(self, bucket: int, longest: int) -> int:
        context = next(each for each in self._contexts if each >= longest)
        return splits(bucket, self.model.kv_heads, context, processors(self._memory.device))

    def _ready(self, shape: _Shape) -> _Program:
        """Returns the program of a shape, made and captured if there is none, in place of that which rested longest."""
        program = self._programs.pop(shape, None)
        if program is None:
            while len(self._programs) >= PROGRAMS:
                self._free(self._programs.pop(next(iter(self._programs))))
            program = self._make(*shape)
            if self.capture:
                self._capture(program)
        self._programs[shape] = program
        return program

    def _shared(self, batch: Sequence[Work], about: tuple[Any, ...]) -> _Sharing:
        """Returns what is planned for a batch; the plan is made anew when the batch is another one or room ran out.

        The same rows with nothing sent anew are the same requests, each one token longer than in the step before.
        """
        last = self._sharing
        if last is None or last.batch != about or last.left == 0:
            last = self._sharing = _Sharing(about, self._plan(batch), ROOM)
        return last

    def _plan(self, batch: Sequence[Work]) -> Plan | None:
        """Plans a batch; None where nothing can be shared, or sharing does not pay."""
        group = self.model.heads // self.model.kv_heads
        lengths: dict[int, list[int]] = {}  # of prefixes, by their first slots: where these differ nothing is shared
        for work in batch:
            lengths.setdefault(int(work.slots[0]), []).append(work.start)
        if not self.share or not any(pays(len(each), max(each), group) for each in lengths.values()):
            return None
        found = plan(
            [work.slots[:-1] for work in batch],
            group=group,
            kv_heads=self.model.kv_heads,
            processors=processors(self._memory.device),
            room=ROOM,
        )
        return found if found.shared else None

    def _make(self, bucket: int, size: int | tuple[int, int, int], sampling: Sampling) -> _Program:
        """Makes a program for so many splits, or for plans of this capacity."""
        inputs = _views(self._memory, bucket)
        device = self._memory.device
        attention: Decoding | Sharing
        if isinstance(size, tuple):
            placed = Placed(bucket, *size, device)
            attention = Sharing(placed, self._partial(size[1], self.model.heads))
        else:
            partial = self._partial(bucket, self.model.heads, size) if size > 1 else None
            attention = Decoding(self.table.device.view(-1), inputs.starts, inputs.lengths, size, partial)
        return _Program(bucket, sampling, inputs, attention, torch.zeros(bucket, dtype=torch.int64, device=device))

    def _partial(self, *shape: int) -> tuple[Tensor, Tensor]:
        """Returns room for partial results and their log-sum-exp."""
        device = self._memory.device
        return (
            torch.empty(*shape, self.model.head_dim, dtype=torch.float32, device=device),
            torch.empty(shape, dtype=torch.float32, device=device),
        )

    def _compute(self, program: _Program) -> Tensor:
        """Runs a program on what lies in its inputs; returns the logits, ``[rows, vocabulary]``."""
        inputs = program.inputs
        kernels = TritonKernels(inputs.positions, inputs.slots, program.attention)
        logits = self.model.forward(inputs.ids, self.k_pools, self.v_pools, kernels)
        self.table.device.view(-1).index_copy_(0, inputs.cells, inputs.entries)
        if isinstance(program.attention, Sharing):
            program.attention.placed.grow(inputs.entries)
        self._sampled[: program.rows].copy_(program.sampling.draw(logits, inputs, program.counters))
        return logits

    @staticmethod
    def _free(*programs: _Program) -> None:
        """Lets go of graphs, when nothing runs any more."""
        graphs = [program.graph for program in programs if program.graph is not None]
        if graphs:
            torch.cuda.synchronize()
        for graph in graphs:
            graph.reset()

    # -- capture -----------------------------------------------------------------------------------------------------

    def _capture(self, program: _Program) -> None:
        """Captures a program as a graph. Where that fails steps go on without graphs, which is slower but right."""
        self._send(program.rows, (), ())  # only padding: a warm-up writes nothing but the scratch slot
        fault = self._try(program)
        if fault is not None and fault.memory and self._programs:
            self.drop()  # the others are captured again when they are needed
            fault = self._try(program)
        if fault is not None:
            self.capture, self.fault = False, fault.what

    def _try(self, program: _Program) -> _Fault | None:
        """Captures a program; returns what went wrong, or None."""
        outside = torch.cuda.current_stream()
        try:
            program.graph = self._captured(program)
        except Exception as error:
            torch.cuda.set_stream(outside)
            torch.cuda.synchronize()
            return _Fault.of(error)
        return None

    def _captured(self, program: _Program) -> Any:
        if self._stream is None:
            self._stream = torch.cuda.Stream()
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            for _ in range(WARM_UP):
                self._compute(program)
        torch.cuda.current_stream().wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        stays = {"pool": self._pool, "stream": self._stream, "capture_error_mode": "thread_local"}
        with _no_collection(), torch.cuda.graph(graph, **stays):
            self._compute(program)
        return graph


class _Fault(NamedTuple):
    """Why a capture failed, without the error: the frames of its traceback hold memory."""

    what: str  # one line
    memory: bool  # whether it was for lack of memory

    @classmethod
    def of(cls, error: BaseException) -> _Fault:
        """Looks for lack of memory in what led to an error as well: the end of a capture fails in a way of its own."""
        led: BaseException | None = error
        while led is not None and not is_lack_of_memory(led):
            led = led.__context__
        return cls(first_line(led or error), led is not None)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keeps Python from collecting garbage: what frees memory of a device, or a graph, must not run in a capture."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _capacity(plan: Plan) -> tuple[int, int, int]:
    """Returns items, rows and slots that a graph for a plan has room for: powers of two, so that few graphs do."""
    sizes = len(plan.items), plan.requests.size, plan.indices.size
    items, rows, indices = (1 << (size - 1).bit_length() for size in sizes)
    return items, rows, indices


def _more(logits: Tensor | None, batch: Sequence[Work]) -> Tensor | None:
    """Samples what works with several samplers ask for beyond the first; None if there are none."""
    further = [(place, sampler) for place, work in enumerate(batch) for sampler in work.samplers[1:]]
    if logits is None or not further:
        return None
    places = torch.tensor([place for place, _ in further], device=logits.device)
    return sample_rows(logits.index_select(0, places), [sampler for _, sampler in further])
