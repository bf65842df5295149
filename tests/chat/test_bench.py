"""`radixchat bench`: goals as numbers, rows with verdicts, what is not run and why, and its errors."""

from __future__ import annotations

import importlib.util
import io
import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from radixchat.chat import cli, plots
from radixchat.chat.bench import rows as found
from radixchat.chat.bench import run as runner
from radixchat.chat.bench.goals import BENCHES, GOALS, MISSED, Goal, goal
from radixchat.chat.bench.rows import Conditions, Row, section
from radixchat.chat.bench.timing import LEAST, Times, interleaved

pytest.importorskip("torch")

WANTED = """
G1: ≥ 4×, ≥ 8×, ≥ 12×
G1b: ≥ 1.2×, ≥ 1.6×, ≥ 2.5×
G1c: ≤ 4.3×, ≤ 3×, ≤ 2.2×
G2: ≤ 30 µs, ≤ 20 µs, ≤ 14 µs
G2 eager: ≥ 8×, –, –
G3: ≤ 1.6×, ≤ 1.35×, ≤ 1.25×
G4: ≥ 10×, ≥ 12×, ≥ 13×
G5 14/2/64: ≥ 60 %, ≥ 75 %, ≥ 85 %
G5 16/8/128: ≥ 60 %, ≥ 75 %, ≥ 85 %
G5b 14/2/64: ≥ 0.9×, ≥ 1.1×, ≥ 1.3×
G5b 16/8/128: ≥ 0.9×, ≥ 1.1×, ≥ 1.3×
G5b gather 14/2/64: ≥ 2×, –, –
G5b gather 16/8/128: ≥ 2×, –, –
G5c: ≥ 5×, ≥ 10×, ≥ 15×
G6 16 × 4k: ≥ 1.5×, ≥ 2.5×, ≥ 4×
G6 64 × 8k: ≥ 3×, ≥ 6×, ≥ 12×
G6b: ≥ 1.8×, ≥ 2.5×, ≥ 3×
G6c 4 × 4k: ≥ 0.97×, ≥ 0.99×, ≥ 1×
G6c 16 × 128: ≥ 0.97×, ≥ 0.99×, ≥ 1×
G7 1k: ≥ 1.2×, ≥ 2×, ≥ 3×
G7 4k: ≥ 4×, ≥ 8×, ≥ 12×
G7 8k: ≥ 8×, ≥ 16×, ≥ 28×
G7 16k: ≥ 20×, ≥ 40×, ≥ 70×
G7 prefill 1k: ≤ 1.1×, –, –
G7 prefill 4k: ≤ 1.1×, –, –
G7 prefill 8k: ≤ 1.1×, –, –
G7 prefill 16k: ≤ 1.1×, –, –
G7b: ≤ 2×, ≤ 1.5×, ≤ 1.25×
G8 512: ≥ 6×, ≥ 8×, –
G8 1k: ≥ 10×, ≥ 12×, –
G8 2k: ≥ 18×, ≥ 24×, –
G8 4k: ≥ 28×, ≥ 38×, –
G8 prefill 512: ≤ 1.1×, –, –
G8 prefill 1k: ≤ 1.1×, –, –
G8 prefill 2k: ≤ 1.1×, –, –
G8 prefill 4k: ≤ 1.1×, –, –
G9 512: ≥ 1.2×, ≥ 1.35×, –
G9 4k: ≥ 1.4×, ≥ 1.8×, ≥ 2.3×
G9b: ≥ 1.8×, ≥ 2.1×, ≥ 2.6×
G10: ≥ 30×, ≥ 80×, ≥ 150×
G10 8 nodes: ≥ 25×, –, –
G10 10 nodes: ≤ 50 µs, –, –
G11: ≤ 5×, ≤ 3×, ≤ 2×
G12: ≥ 0.97×, ≥ 0.99×, –
G13 gpu: ≥ 0.95×, ≥ 0.98×, –
G13 cpu: ≥ 0.88×, ≥ 0.95×, –
G14: ≤ 150 µs, ≤ 80 µs, –
"""
"""The table that all of this is held against, written out once more."""

ON_A_CPU = [each for each in GOALS if each.device != "cuda"]


def levels(name: str) -> list[tuple[str, bool, float]]:
    """Name of a level, whether less is better, and the bound, from the table above."""
    text = next(line.partition(": ")[2] for line in WANTED.splitlines() if line.startswith(f"{name}: "))
    parts = zip(("pass", "good", "stretch"), text.split(", "), strict=True)
    numbers = [(level, part[0] == "≤", part[2:].rstrip("×µs% ")) for level, part in parts if part != "–"]
    return [(level, less, float(number) / (100 if "%" in text else 1)) for level, less, number in numbers]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs `radixchat bench …` in this process; returns its exit code, stdout and stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["radixchat", "bench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return (ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What `bench all --quick --json --plots` prints, and where it draws."""
    folder = tmp_path_factory.mktemp("bench") / "new" / "plots"
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        code = runner.run_bench(
            "all", json=True, plots=folder, rounds=None, quick=True, device="cpu", color="never", ascii=False
        )
    assert code == 0
    return json.loads(out.getvalue()), folder


def test_the_goals_are_the_ones_agreed_on() -> None:
    assert [f"{each.name}: {', '.join(each.wanted.values())}" for each in GOALS] == WANTED.strip().splitlines()
    assert {each.bench for each in GOALS} == set(BENCHES)
    assert len({(each.id, each.case) for each in GOALS}) == len(GOALS)


@pytest.mark.parametrize("each", GOALS, ids=lambda each: each.name)
def test_a_verdict_is_the_highest_level_that_is_reached(each: Goal) -> None:
    reached = MISSED
    assert each.judge(math.inf if each.less else 0.0) == MISSED
    for level, less, bound in levels(each.name):
        short = bound * (1.001 if less else 0.999)
        assert each.judge(short) == reached
        assert each.judge(bound) == level
        reached = level


def test_every_row_of_a_cpu_has_a_ratio_and_a_quick_one_no_verdict(everything) -> None:
    report, _ = everything
    rows = {f"{row['id']} {row['case']}".rstrip(): row for row in report["rows"] if row["id"]}
    assert list(rows) == [each.name for each in ON_A_CPU], report["not_run"]
    for name, row in rows.items():
        assert math.isfinite(row["value"]) and row["value"] > 0
        assert len(row["arms"]) >= 2 and all(0 < seconds < 60 for seconds in row["arms"].values())
        assert row["verdict"] is None
        held = [
            level for level, less, bound in levels(name) if (row["value"] <= bound if less else row["value"] >= bound)
        ]
        earnest = Row(value=row["value"], arms={}, goal=goal(row["id"], row["case"])).facts()
        assert earnest["verdict"] == (held[-1] if held else "missed")


def test_the_json_says_where_and_how_it_was_measured(everything) -> None:
    report, _ = everything
    assert set(report) == {"schema", "machine", "seconds", "quick", "rows", "not_run"}
    assert report["schema"] == 1 and report["quick"] is True and report["seconds"] > 0
    assert {"system", "processor", "cores", "python", "numpy", "torch", "transformers", "device", "threads"} <= set(
        report["machine"]
    )
    for row in report["rows"]:
        assert set(row) == {
            "id", "case", "what", "baseline", "value", "unit", "shown", "pass", "good", "stretch", "verdict", "arms",
            "rounds", "tokens", "floor", "floor_ratio", "note",
        }  # fmt: skip
        assert (row["id"] is None) == (row["pass"] is None)
        assert row["rounds"] >= 1
    decoding = next(row for row in report["rows"] if row["id"] == "G9")
    assert decoding["floor_ratio"] == pytest.approx(decoding["arms"]["ours"] / decoding["floor"]["seconds"])


def test_what_needs_a_gpu_is_listed_with_the_reason(everything) -> None:
    report, _ = everything
    left = {(each["id"], each["case"]): each["why"] for each in report["not_run"]}
    assert set(left) == {(each.id, each.case) for each in GOALS if each.device == "cuda"}
    assert set(left.values()) == {runner.NO_CUDA} or runner._has_cuda()


def test_the_plots_are_svg(everything) -> None:
    _, folder = everything
    assert sorted(path.name for path in folder.iterdir()) == ["decode.svg", "ttft.svg"]
    for path in folder.iterdir():
        text = "".join(ElementTree.parse(path).getroot().itertext())
        assert "milliseconds" in text and ("recompute" in text or "transformers" in text)


@pytest.mark.parametrize("bench", ["ttft", "decode", "attention"])
def test_what_is_written_for_a_gpu_does_its_work(bench: str) -> None:
    """On a CPU, on tiny shapes, kernels interpreted: every row it promises comes out."""
    part = next(each for each in runner._sections(bench) if each.devices == ("cuda",))
    at = Conditions("cpu", rounds=1, quick=True)
    with runner._threads(at, bench):
        rows = list(part.run(at))
    assert {row.goal for row in rows if row.goal} == set(part.goals)
    assert [row for row in rows if not isinstance(row, Row)] == []
    assert all(math.isfinite(row.value) and row.value > 0 for row in rows)


def test_samples_of_one_prompt_last_for_all_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    from radixchat.chat.bench import decode, shared_prefix

    asked: list[int] = []
    rest = SimpleNamespace(runner=SimpleNamespace(decoder=SimpleNamespace()))
    monkeypatch.setattr(shared_prefix.Pair, "engine", lambda *_, **__: rest)
    monkeypatch.setattr(shared_prefix, "sampling", lambda *args: asked.append(args[-1]))
    monkeypatch.setattr(shared_prefix, "in_turn", lambda *_: Times({"on": [1.0], "off": [2.0]}))
    for rounds in (1, 80):
        (row,) = shared_prefix.engine(Conditions("cpu", rounds=rounds, quick=True))
        assert row.value == 2 and min(asked[-2:]) > decode.BURST * (rounds + 1)


def test_steps_without_graphs_are_not_timed_as_ours() -> None:
    from radixchat.chat.bench import decode

    engine: Any = SimpleNamespace(busy=True, iterate=list, runner=SimpleNamespace(fault="no graph"))
    with pytest.raises(RuntimeError, match="without CUDA graphs: no graph"):
        decode._iterating(engine)()


def test_a_backend_of_sdpa_that_no_graph_can_hold_costs_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    from radixchat.chat.bench import attention

    def replayed(calls: Any, device: Any) -> Any:
        if "_with" in calls[0].__qualname__:
            raise RuntimeError("operation not permitted when stream is capturing")
        return taken(calls, device)

    taken = attention.replayed
    monkeypatch.setattr(attention, "replayed", replayed)
    rows = list(attention._against_sdpa(Conditions("cpu", rounds=1, quick=True), attention.QWEN2, 2, 16))
    assert [(type(row).__name__, row.goal.name) for row in rows] == [
        ("Row", "G5 14/2/64"), ("NotRun", "G5b 14/2/64"), ("Row", "G5b gather 14/2/64")
    ]  # fmt: skip


def test_sharing_a_prefix_on_a_gpu_does_its_work() -> None:
    from radixchat.chat.bench import shared_prefix

    (row,) = shared_prefix._case(
        Conditions("cpu", rounds=1, quick=True), shared_prefix.USELESS[1], shared_prefix.QWEN2, "G6c"
    )
    assert row.note == "the plan shares nothing" and row.value > 0


def test_the_tree_needs_no_torch_and_prints_a_table(call, monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "torch")
    code, out, err = call("tree", "--quick", "--ascii")
    assert code == 0 and not err
    assert out.isascii() and "G11" in out and ">= 30x" in out and "there are no verdicts" in out
    assert "not run" not in out


@pytest.mark.parametrize("columns", ["60", "80", "140"])
def test_no_word_is_cut_in_a_narrow_terminal(call, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out = call("tree", "--quick")[1]
    assert "…" not in out and "begin and finish" in out and "e+" not in out
    for each in GOALS:
        if each.bench == "tree":
            assert each.what in " ".join(out.split()) or columns == "140"  # there it is wrapped in its column


def test_a_bench_without_a_chart_says_so(call, tmp_path: Path) -> None:
    assert "tree has no chart: nothing was drawn" in call("tree", "--quick", "--plots", tmp_path / "plots")[2]


def test_all_without_torch_runs_what_it_can(call, monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "torch")
    code, out, _ = call("all", "--quick", "--json")
    report = json.loads(out)
    assert code == 0
    assert [row["id"] for row in report["rows"]] == ["G10", "G10", "G10", "G11"]
    assert {each["why"] for each in report["not_run"]} == {"PyTorch is not installed: pip install 'radixchat[chat]'"}
    assert len(report["rows"]) + len(report["not_run"]) == len(GOALS)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("speed",), 2, "ttft, decode, attention, shared-prefix, tree or all"),
        ((), 2, "ttft, decode, attention, shared-prefix, tree or all"),
        (("tree", "--rounds", "0"), 2, "greater than or equal to 1"),
        (("tree", "--device", "mps"), 2, "auto"),
        (("tree", "--plots", "/dev/null/plots"), 2, "cannot be written"),
    ],
)
def test_what_cannot_be_is_said_in_two_lines(call, monkeypatch, words, code, said) -> None:
    monkeypatch.setattr(runner, "measure", lambda *_, **__: pytest.fail("measured before it looked"))
    got, out, err = call(*words)
    assert (got, out) == (code, "")
    assert said in err and len(err.splitlines()) == 2


@pytest.mark.parametrize("bench", ["ttft", "all"])
def test_no_cuda_device_ends_with_3(call, monkeypatch: pytest.MonkeyPatch, bench: str) -> None:
    monkeypatch.setattr(runner, "_has_cuda", lambda: False)
    code, out, err = call(bench, "--device", "cuda")
    assert (code, out) == (3, "") and "no CUDA device" in err and len(err.splitlines()) == 2


def test_no_torch_names_the_extra(call, monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "torch")
    code, out, err = call("decode")
    assert (code, out) == (3, "") and "radixchat[chat]" in err and len(err.splitlines()) == 2


def test_no_matplotlib_is_found_before_anything_runs(call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _without(monkeypatch, "matplotlib")
    code, out, err = call("tree", "--plots", tmp_path / "plots")
    assert (code, out) == (2, "") and "pip install 'radixchat[plots]'" in err and len(err.splitlines()) == 2
    assert not (tmp_path / "plots").exists()


def test_ctrl_c_prints_nothing_half(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def first(at: Conditions) -> found.Rows:
        yield _row("G10")
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_sections", lambda _: (section(first, "cpu cuda", "G10", "G11"),))
    code, out, err = call("tree", "--quick")
    assert (code, out, err) == (130, "", "")


def test_a_row_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def first(at: Conditions) -> found.Rows:
        yield _row("G10")
        raise RuntimeError("out of memory\nand a long story")

    def second(at: Conditions) -> found.Rows:
        yield _row("G11")

    parts = section(first, "cpu", "G10", "G10 8 nodes"), section(second, "cpu", "G11")
    monkeypatch.setattr(runner, "_sections", lambda _: parts)
    report = runner.measure(("tree",), Conditions("cpu"))
    assert [row.goal for row in report.rows] == [goal("G10"), goal("G11")]
    assert report.not_run == [(goal("G10", "8 nodes"), "RuntimeError: out of memory", True)]


def test_a_missing_package_is_the_reason() -> None:
    part = section(lambda at: iter(()), "cpu", "G13 cpu", package="surely_not_installed")
    (left,) = runner._taken(part, Conditions("cpu"))
    assert "surely_not_installed" in left.why and not left.failed


def test_arms_take_turns_and_may_time_themselves() -> None:
    calls: list[str] = []
    times = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b") or 2.0}, 3)
    assert calls == ["a", "b"] * 4
    assert times["b"] == 2.0 and times.rounds == 3 and 0 <= times["a"] < 1
    assert interleaved({"a": lambda: None}, 50, seconds=0).rounds == LEAST


def test_the_same_numbers_give_the_same_plot(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        plots.plot(
            tmp_path / name, "Hits & misses, $5 <each>", "pool, tokens", "hit ratio",
            [
                plots.Line("radix", [(1024, 0.5), (512, 0.25)]),
                plots.Line("best\x1b[31m", [(512, 0.4), (1024, 0.6)], plots.Style.BEST),
                plots.Line("unbounded", [(512, 0.7), (1024, 0.7)], plots.Style.LIMIT),
            ],
            log_x=True, percent=True,
        )  # fmt: skip
    first = (tmp_path / "one.svg").read_bytes()
    assert first == (tmp_path / "two.svg").read_bytes()
    text = "".join(ElementTree.fromstring(first).itertext())
    assert "Hits & misses, $5 <each>" in text and "unbounded" in text and "100%" in text and "1,024" in text
    assert "\x1b" not in text


def test_a_plot_without_lines_is_a_plot(tmp_path: Path) -> None:
    plots.plot(tmp_path / "none.svg", "Nothing", "x", "y", [])
    assert "Nothing" in "".join(ElementTree.parse(tmp_path / "none.svg").getroot().itertext())


def _row(id: str) -> Row:
    return Row(value=1.0, arms={"a": 1.0, "b": 1.0}, goal=goal(id))


def _without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Makes a package look as if it were not installed."""
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else there(name, *rest)
    )
