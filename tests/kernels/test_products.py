"""Matrix products: every way gives what torch's own gives, and the choice is one of facts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")

from radixchat.kernels import products  # noqa: E402


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a CPU that is not Intel's."""
    if not products._onednn_works():
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(products, "prefers_onednn", lambda: True)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(1024, 640), (1023, 640), (40, 24)], ids=["large", "odd", "small"])
@pytest.mark.parametrize("rows", [0, 1, 2, 4, 5, 33])
def test_all_ways_agree(rows: int, shape: tuple[int, int], bias: bool, threads: int, onednn: None) -> None:
    """In parts, by oneDNN and by torch's default, with rows that lie apart."""
    random = torch.Generator().manual_seed(0)
    weight, offset = (torch.randn(size, generator=random) for size in (shape, shape[:1]))
    x = torch.randn(rows, 2 * shape[1], generator=random)[:, : shape[1]]
    expected = torch.nn.functional.linear(x, weight, offset if bias else None)
    result = products.linear(x, weight, offset if bias else None)
    assert result.is_contiguous()
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)


def test_other_types_are_torchs_business(onednn: None) -> None:
    x, weight = torch.randn(2, 8).bfloat16(), torch.randn(4, 8).bfloat16()
    assert torch.equal(products.linear(x, weight), torch.nn.functional.linear(x, weight))


def test_a_torch_without_the_operator_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not public: one that is gone, or takes other arguments, is not used."""

    def gone(*_: object) -> None:
        raise RuntimeError("expected at most 5 arguments")

    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", gone, raising=False)
    assert not products._onednn_works()
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", lambda x, weight, *_: x @ weight.t() + 1, raising=False)
    assert not products._onednn_works()
