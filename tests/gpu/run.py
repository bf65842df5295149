"""Everything that needs a GPU, in one command and at most nine minutes: the tests in this folder, then the bench.

Usage, from a plain checkout, without installing anything: ``python tests/gpu/run.py [--dry] [--out DIR]``.

Prints a table last. Exit code 0: all tests passed and every bench ended; 1: not so; 3: there is no CUDA device. A goal
that is missed is no failure: the table says so. ``--out`` (or the variable OUT) names a folder for logs and results.
``--dry`` tries this script and the tests on a CPU, with tiny sizes in Triton's interpreter; it says nothing of a GPU.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

LIMIT = 9 * 60.0
"""Seconds for all of it."""

TESTS_LIMIT = 4.5 * 60
"""Seconds for the tests, so that something is left for the bench."""

TESTS = ("kernels", "engine", "graphs")
BENCHES = ("attention", "shared-prefix", "decode", "ttft", "tree")
"""What needs the GPU most comes first."""

NO_CUDA = 3

BENCH = """
import json, sys
from radixchat.chat.bench.rows import Conditions, Row
from radixchat.chat.bench.run import measure

def tell(found):
    print(json.dumps({"row" if isinstance(found, Row) else "not_run": found.facts()}), flush=True)

bench, device, quick = sys.argv[1:]
print(json.dumps(measure((bench,), Conditions(device, quick=quick == "quick"), tell=tell).facts()))
"""
"""Prints a line of JSON for each row when it is taken, so that none is lost when time runs out; all of them last."""


class Line(NamedTuple):
    """One line of the table."""

    what: str
    result: str
    verdict: str
    failed: bool = False


def main() -> int:
    """Runs all of it; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dry", action="store_true", help="tiny, on a CPU, to try the script itself")
    parser.add_argument("--out", type=Path, default=os.environ.get("OUT"), help="a folder for logs and results")
    options = parser.parse_args()
    fault = None if options.dry else _no_cuda()
    if fault:
        print(f"run.py: {fault}.", file=sys.stderr)
        print("Run it where there is an NVIDIA GPU; --dry tries the script itself on a CPU.", file=sys.stderr)
        return NO_CUDA
    end = time.monotonic() + LIMIT
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(options.out or scratch).resolve()
        out.mkdir(parents=True, exist_ok=True)
        environment = _environment(Path(scratch), options.dry)
        lines = list(_tests(out, environment, min(end, time.monotonic() + TESTS_LIMIT)))
        for bench in BENCHES:
            lines += _bench(bench, out, environment, end, options.dry)
    _print(lines, LIMIT - (end - time.monotonic()))
    return int(any(line.failed for line in lines))


def _no_cuda() -> str | None:
    """Returns why there is no CUDA device, or None."""
    if importlib.util.find_spec("torch") is None:
        return "PyTorch is not installed, so there is no CUDA device to be seen"
    import torch

    return None if torch.cuda.is_available() else f"there is no CUDA device (PyTorch {torch.__version__})"


def _environment(scratch: Path, dry: bool) -> dict[str, str]:
    """Returns the environment of what is run: the checkout as the package, a home of its own, no network."""
    more = {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_link(scratch)), os.environ.get("PYTHONPATH")))),
        "PYTHONSAFEPATH": "1",  # the checkout has a folder `kernels`, for which transformers takes it otherwise
        "RADIXCHAT_HOME": str(scratch / "home"),
        "HF_HUB_OFFLINE": "1",
        "NO_COLOR": "1",
    }
    if dry:
        more |= {"RADIXCHAT_GPU_TESTS": "dry", "TRITON_INTERPRET": "1"}
    return {**os.environ, **more}


def _link(scratch: Path) -> Path:
    """Returns a folder in which the checkout is called radixchat, whatever it is called itself."""
    for folder in (ROOT / ".link", scratch / "link"):
        link = folder / "radixchat"
        try:
            folder.mkdir(exist_ok=True)
            if not link.exists():
                link.symlink_to(".." if folder.parent == ROOT else ROOT, target_is_directory=True)
        except OSError:  # a checkout that cannot be written
            continue
        if link.resolve() == ROOT:
            return folder
    raise SystemExit(f"run.py: cannot make the link {ROOT / '.link' / 'radixchat'} to the checkout")


# ---------------------------------------------------------------------------------------------------------------- tests


def _tests(out: Path, environment: dict[str, str], end: float) -> Iterator[Line]:
    """Runs the tests of each file in a process of its own, all at once: most of their time is the compiler's."""
    if importlib.util.find_spec("pytest") is None:
        print("pytest is not installed: no tests, only the bench", file=sys.stderr)
        yield Line("tests", "pytest is not installed", "not run")
        return
    common = ["-c", os.devnull, "--rootdir", str(ROOT), "--noconftest", "--import-mode=importlib"]  # no plugins needed
    common += ["-p", "no:cacheprovider", "-o", "markers=gpu: needs a CUDA device", "-v", "--durations=5"]
    print(f"tests: {', '.join(TESTS)} ...", file=sys.stderr, flush=True)
    with _running() as start:
        started = {}
        for name in TESTS:
            arguments = [*common, f"--junitxml={out / f'{name}.xml'}", str(HERE / f"test_{name}.py")]
            started[name] = start(["-m", "pytest", *arguments], out / f"{name}.log", environment)
        for name, process in started.items():
            code = _wait(process, end)
            yield _counted(name, out, code)


def _counted(name: str, out: Path, code: int | None) -> Line:
    """Returns what a file of tests came to; shows its log if that is not what it should be."""
    log = (out / f"{name}.log").read_text("utf-8", "replace")
    path = out / f"{name}.xml"
    if code is None or not path.exists():
        print(log[-8000:])
        return Line(f"tests of {name}", "out of time" if code is None else f"pytest ended with {code}", "FAILED", True)
    suite = next(ElementTree.parse(path).getroot().iter("testsuite"))
    count = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    bad = count["failures"] + count["errors"]
    passed = count["tests"] - bad - count["skipped"]
    if code or bad:
        print(log[-8000:])
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    result = f"{passed} passed, {bad} failed{skipped} in {float(suite.get('time', 0)):.0f} s"
    failed = code != 0 or passed == 0
    return Line(f"tests of {name}", result, "FAILED" if failed else "passed", failed)


# ---------------------------------------------------------------------------------------------------------------- bench


def _bench(name: str, out: Path, environment: dict[str, str], end: float, dry: bool) -> Iterator[Line]:
    """Runs one bench in the time that is left."""
    left = end - time.monotonic()
    if left < 5:
        yield Line(f"bench {name}", "no time was left", "FAILED", True)
        return
    print(f"bench {name}: {left:.0f} s left ...", file=sys.stderr, flush=True)
    environment = {key: value for key, value in environment.items() if key != "TRITON_INTERPRET"}
    with _running() as start:
        results, log = out / f"bench-{name}.jsonl", out / f"bench-{name}.log"
        arguments = ["-c", BENCH, name, *(("cpu", "quick") if dry else ("cuda", "whole"))]
        code = _wait(start(arguments, results, environment, log), end)
    yield from _found(name, _objects(results), dry)
    if code != 0:
        print(log.read_text("utf-8", "replace")[-4000:])
        yield Line(f"bench {name}", "out of time" if code is None else f"ended with {code}", "FAILED", True)


def _objects(path: Path) -> list[dict[str, Any]]:
    """Returns the objects of a file of JSON lines, of which the last may be cut off."""
    lines = path.read_text("utf-8", "replace").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("}\n")]


def _found(name: str, told: Sequence[dict[str, Any]], dry: bool) -> Iterator[Line]:
    """Returns what a bench told of, line by line."""
    for row in (each["row"] for each in told if "row" in each):
        wanted = ", ".join(row[level] for level in ("pass", "good", "stretch") if row[level] not in (None, "–"))
        result = row["shown"] + (f" (wanted {wanted})" if wanted else "")
        yield Line(f"{_goal(row) or name}: {row['what']}", result, "dry" if dry else row["verdict"])
    not_run = [each["not_run"] for each in told if isinstance(each.get("not_run"), dict)]
    for why in dict.fromkeys(each["why"] for each in not_run):
        same = [each for each in not_run if each["why"] == why]
        failed = any(each["failed"] for each in same)
        goals = ", ".join(_goal(each) for each in same)
        yield Line(f"bench {name}: {goals}"[:100], why, "FAILED" if failed else "not run", failed)


def _goal(facts: dict[str, Any]) -> str:
    """Returns the id of a goal with its case."""
    return " ".join(filter(None, (facts["id"], facts["case"])))


# ------------------------------------------------------------------------------------------------------------ processes


@contextmanager
def _running() -> Iterator[Any]:
    """Yields what starts Python with arguments; what it started ends with the block, whatever happens."""
    started: list[subprocess.Popen[bytes]] = []

    def start(
        arguments: Sequence[str], out: Path, environment: dict[str, str], errors: Path | None = None
    ) -> subprocess.Popen[bytes]:
        with out.open("wb") as output, (errors or Path(os.devnull)).open("wb") as error:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env=environment,
                cwd=out.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=error if errors else subprocess.STDOUT,
                start_new_session=True,  # so that compilers and workers end with it
            )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait(process: subprocess.Popen[bytes], end: float) -> int | None:
    """Returns the exit code of a process, or None if it has not ended in time."""
    try:
        return process.wait(max(end - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        return None


def _print(lines: Sequence[Line], seconds: float) -> None:
    """Prints the table."""
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    print()
    for line in lines:
        print(f"{line.what:<{widths[0]}}  {line.result:<{widths[1]}}  {line.verdict}")
    missed = sum(line.verdict == "missed" for line in lines)
    failed = sum(line.failed for line in lines)
    print(f"\n{seconds:.0f} s · {failed} failed · {missed} goals missed")


if __name__ == "__main__":
    sys.exit(main())
