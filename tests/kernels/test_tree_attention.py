"""Decode over shared prefixes: what is shared and when, and the result of the reference and of Triton's kernel."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from radixchat.kernels import tree_attention
from radixchat.kernels.tree_attention import Placed, pays, plan

from .dense import DEVICE, attend, close, needs_triton


def kernel(*arguments, **options):
    from radixchat.kernels.triton_tree import decode_shared

    return decode_shared(*arguments, **options)


both = pytest.mark.parametrize(
    "decode", [tree_attention.decode_shared, pytest.param(kernel, marks=needs_triton)], ids=["torch", "triton"]
)


class Slots:
    """Hands out shuffled slots."""

    def __init__(self, most=1200):
        self.most = most
        self._slots = 1 + np.random.default_rng(0).permutation(most - 1).astype(np.int32)

    def take(self, count):
        taken, self._slots = self._slots[:count], self._slots[count:]
        return taken


def tree(slots):
    """Two branches below one root and some strangers; tails of many lengths, also empty."""
    root, left, right = slots.take(300), slots.take(280), slots.take(130)
    tails = [(left, 5), (right, 70), (left, 0), (right, 0), (left, 1), (left, 200)]
    return [*(np.concatenate([root, branch, slots.take(tail)]) for branch, tail in tails), slots.take(3), slots.take(0)]


class Case:
    """A pool that holds NaN wherever no request has a token, and new tokens."""

    def __init__(self, requests, group=2, kv_heads=2, dim=16, dtype=torch.float32, most=1200):
        self.requests, self.scale = requests, 1.5 * dim**-0.5
        generator = np.random.default_rng(dim)

        def draw(count, heads):
            return torch.from_numpy(generator.standard_normal((count, heads, dim))).to(dtype).to(DEVICE)

        batch = len(requests)
        self.q, self.k, self.v = draw(batch, group * kv_heads), draw(batch, kv_heads), draw(batch, kv_heads)
        free = np.setdiff1d(np.arange(most), np.concatenate(requests))
        self.k_pool, self.v_pool = draw(most, kv_heads), draw(most, kv_heads)
        self.k_pool[free] = self.v_pool[free] = torch.nan

    def run(self, decode, plan, **options):
        return decode(self.q, self.k, self.v, self.k_pool, self.v_pool, plan, self.scale, **options)

    def expected(self, softcap=None):
        rows = []
        for b, slots in enumerate(self.requests):
            places = torch.from_numpy(slots).long().to(DEVICE)
            keys, values = torch.cat([self.k_pool[places], self.k[[b]]]), torch.cat([self.v_pool[places], self.v[[b]]])
            rows.append(attend(self.q[[b]], keys, values, self.scale, softcap))
        return torch.cat(rows)


HEADS = [  # group, KV heads, head dimension, type
    (1, 2, 16, torch.float32),
    (2, 1, 128, torch.float16),
    (3, 2, 8, torch.float32),
    (7, 1, 80, torch.float16),
    (8, 1, 64, torch.float32),
    (17, 1, 32, torch.float16),
]


@both
@pytest.mark.parametrize(("group", "kv_heads", "dim", "dtype"), HEADS)
def test_decode_over_a_tree(decode, group, kv_heads, dim, dtype):
    requests = tree(Slots())
    case = Case(requests, group, kv_heads, dim, dtype)
    made = plan(requests, group=group, kv_heads=kv_heads, processors=8)
    assert made.shared
    close(case.run(decode, made), case.expected(), dtype)


@both
def test_a_group_wider_than_a_tile(decode):
    requests = [Slots().take(70)] * 2
    case = Case(requests, group=80, kv_heads=1)
    close(case.run(decode, plan(requests, group=80)), case.expected())


@both
@pytest.mark.parametrize("min_rows", [4, 99], ids=["shared", "not shared"])
def test_softcap_and_no_sharing(decode, min_rows):
    requests = tree(Slots())
    case = Case(requests)
    made = plan(requests, min_rows=min_rows, processors=8)
    assert made.shared == (min_rows == 4)
    close(case.run(decode, made, softcap=0.5), case.expected(0.5))


@both
def test_requests_without_any_prefix(decode):
    requests = [np.zeros(0, np.int32)] * 2
    case = Case(requests)
    made = plan(requests)
    assert len(made.items) == 0
    close(case.run(decode, made), case.expected())


@both
def test_requests_grow_in_place_until_there_is_no_room(decode):
    slots = Slots()
    requests = tree(slots)
    made = plan(requests, processors=8, room=3)
    placed = made.on(DEVICE)
    for _ in range(made.room):
        new = slots.take(len(requests))
        requests = [np.append(each, slot) for each, slot in zip(requests, new, strict=True)]
        placed.grow(torch.from_numpy(new).to(DEVICE))
    case = Case(requests)
    close(case.run(decode, placed), case.expected())


@both
def test_buffers_take_on_another_plan(decode):
    """As under a CUDA graph: first much, then little, with rows of nobody at the end, then too much."""
    requests = tree(Slots())
    much, little = plan(requests, processors=8), plan(requests[5:7], room=2)
    placed = Placed(len(requests), len(much.items), much.requests.size, much.indices.size, DEVICE)
    placed.fill(much)
    placed.fill(little)
    grown = np.full(len(requests), 7, np.int32)  # what the rows of nobody write goes nowhere
    grown[:2] = requests[0][:2]
    placed.grow(torch.from_numpy(grown).to(DEVICE))
    grown = [np.append(each, slot) for each, slot in zip(requests[5:7], grown, strict=False)]
    case = Case([*grown, *[np.zeros(0, np.int32)] * 6])
    case.k_pool[requests[0][:2]] = case.v_pool[requests[0][:2]] = 0.5
    close(case.run(decode, placed), case.expected())
    with pytest.raises(ValueError, match="is more than"):
        placed.fill(plan([*requests, requests[0]]))


@needs_triton
def test_the_kernel_works_in_the_buffers_it_is_given():
    requests = tree(Slots())
    case, made = Case(requests), plan(requests, processors=8, room=1)
    out = torch.full_like(case.q, torch.nan)
    rows = made.requests.size
    partial = tuple(torch.full(shape, torch.nan, device=DEVICE) for shape in ((rows, 4, 16), (rows, 4)))
    assert case.run(kernel, made, out=out, partial=partial) is out
    close(out, case.expected())


# ------------------------------------------------------------------------------------------------------------ the plan


def read_back(made):
    """Returns, for each request, the slots of all its items in some order, and checks what belongs together."""
    seen = [[] for _ in made.tails]
    partials = [[] for _ in made.tails]
    for first, tokens, row, rows in made.items.tolist():
        for request, partial in zip(made.requests[row : row + rows], made.partials[row : row + rows], strict=True):
            seen[request] += made.indices[first : first + tokens].tolist()
            partials[request].append(partial)
    for request, mine in enumerate(partials):
        assert sorted(mine) == list(range(made.indptr[request], made.indptr[request + 1]))
    assert sum(made.items[:, 3]) == made.requests.size == made.partials.size == made.indptr[-1]
    return seen


@st.composite
def forests(draw):
    """Requests as paths through random trees, in which equal tokens have equal slots."""
    slots = iter(range(1, 10**6))
    requests = [[]]
    for _ in range(draw(st.integers(1, 8))):
        parent = draw(st.sampled_from(requests))
        cut = draw(st.sampled_from([0, len(parent) // 2, len(parent)]))
        more = draw(st.sampled_from([0, 1, 63, 64, 65, 128, 300, 700]))
        branch = parent[:cut] + [next(slots) for _ in range(more)]
        requests += [branch] * draw(st.sampled_from([1, 1, 2, 5]))
    order = draw(st.permutations(requests))
    return [np.array(each, dtype=np.int32) for each in order]


@settings(max_examples=80)
@given(forests(), st.sampled_from([1, 2, 7, 16, 32]), st.sampled_from([0, 4]), st.sampled_from([8, 264]))
def test_every_token_of_every_request_is_read_once(requests, group, room, processors):
    made = plan(requests, group=group, room=room, processors=processors, kv_heads=2)
    for found, slots in zip(read_back(made), requests, strict=True):
        assert sorted(found) == sorted(slots.tolist())
    for first, tokens, row, rows in made.items.tolist():
        assert rows * group <= max(tree_attention.WIDE, group)
        sharers = made.requests[row : row + rows].tolist()
        for request in sharers if rows > 1 else []:  # what is shared stands at the same place in all of them
            at = requests[request].tolist().index(made.indices[first])
            assert at == requests[sharers[0]].tolist().index(made.indices[first])
            assert requests[request][at : at + tokens].tolist() == made.indices[first : first + tokens].tolist()
    if room:
        tails = made.items[made.tails]
        assert (tails[:, 3] == 1).all() and made.requests[tails[:, 2]].tolist() == list(range(len(requests)))
    assert made.estimate.gain >= 1
    assert made.estimate.tokens == made.items[:, 1].sum() and made.estimate.rows == made.requests.size
    assert made.shared or made.estimate.tokens == sum(each.size for each in requests) == made.estimate.alone


@settings(max_examples=60)
@given(forests(), st.sampled_from([1, 2, 7, 16]))
def test_nothing_is_shared_below_the_rule(requests, group):
    """What the same requests read together is one segment, whatever it was cut into."""
    made = plan(requests, group=group)
    readers = [set() for _ in made.indices]
    for first, tokens, row, rows in made.items.tolist():
        for place in range(first, first + tokens):
            readers[place].update(made.requests[row : row + rows].tolist())
    segments = Counter(frozenset(together) for together in readers if len(together) > 1)
    assert made.shared == bool(segments)
    for together, tokens in segments.items():
        assert pays(len(together), tokens, group)


def shared(lengths):
    """Returns requests with a common prefix and tails: (requests, prefix, tail)."""
    count, prefix, tail = lengths
    slots = Slots(prefix + count * tail + 1)
    root = slots.take(prefix)
    return [np.concatenate([root, slots.take(tail)]) for _ in range(count)]


@pytest.mark.parametrize(
    ("lengths", "group", "is_shared"),
    [
        ((4, 256, 9), 1, True),
        ((4, 255, 9), 1, False),
        ((3, 256, 9), 1, False),
        ((3, 4000, 9), 2, False),
        ((8, 128, 9), 2, True),  # 16 rows are enough for 128 tokens
        ((7, 128, 9), 2, False),
        ((8, 127, 9), 2, False),
        ((3, 128, 9), 7, True),
        ((2, 2000, 0), 32, True),
        ((4, 2000, 0), 64, False),  # a tile for each request: nothing is read less often
    ],
)
def test_the_rule(lengths, group, is_shared):
    assert plan(shared(lengths), group=group).shared == is_shared


def test_what_is_not_worth_sharing_on_one_level_may_be_on_the_next():
    """A root of 200 tokens is too short; with the 200 below it, four of the requests share 400."""
    slots = Slots()
    root, branch = slots.take(200), slots.take(200)
    requests = [
        *(np.concatenate([root, branch, slots.take(5)]) for _ in range(4)),
        np.concatenate([root, slots.take(9)]),
    ]
    made = plan(requests)
    sharing = made.items[made.items[:, 3] > 1]
    assert sharing[:, 1].sum() == 400 and (sharing[:, 3] == 4).all()


def test_segments_are_cut_to_fill_the_device():
    requests = shared((16, 4096, 20))
    made = plan(requests, group=2, kv_heads=8, processors=132)
    assert 33 <= len(made.items) <= 33 + 16
    assert len(plan(requests, group=2, kv_heads=8, processors=8).items) == 2 + 16
    assert (np.diff(made.items[:, 1]) <= 0).all(), "long ones first"


def test_the_estimate():
    """64 requests over 8,192 tokens at 14 heads to 2: 7 tiles of heads read the prefix instead of 64 requests."""
    estimate = plan(shared((64, 8192, 200)), group=7, kv_heads=2).estimate
    assert estimate.alone == 64 * 8392 and estimate.tokens == 8 * 8192 + 64 * 200
    token, row = 2 * 64 * 2 * 2, 2 * 14 * 65 * 4  # bytes: of K and V in 16 bits, and of a partial result, twice
    alone, together = (estimate.alone, estimate.alone_rows), (estimate.tokens, estimate.rows)
    moved = [tokens * token + rows * row for tokens, rows in (alone, together)]
    assert 5.9 < moved[0] / moved[1] < 6.0 and estimate.gain == pytest.approx(moved[0] / moved[1], rel=0.01)
