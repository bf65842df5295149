"""Holds a run against what its lesson expects, step by step; so a lesson is a test.

Expectations in tokens (`words`) hold on the words tokenizer only, the text of edges too. Under a what-if nothing is
expected. Knows no front end but for `run_check`, which prints.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.text import Text

from ...radix import Snapshot, State
from ...radix import events as ev
from ...radix.keys import Key, count
from ...viz import PALETTES, sanitize
from ...viz.labels import Kind, Labels
from ...viz.trie import trie_size
from ...viz.turns import turns
from ..terminal import Terminal, open_terminal
from . import facts

if TYPE_CHECKING:
    from .runs import Run, StepRun
    from .schema import Line, Words


class Check(NamedTuple):
    """One expectation, and whether it holds."""

    step: int  # number of the step
    what: str  # tree, evicted, nodes, splits, words.matched, ...
    passed: bool
    expected: str
    got: str


class Twig(NamedTuple):
    """A node or a tombstone of a panel."""

    id: int
    parent: int | None  # id; None hangs from the root
    depth: int  # 0 hangs from the root
    state: str  # new, reused, resident, evicted
    key: Key
    rank: int


def check(run: Run) -> list[Check]:
    """Returns every expectation of the lesson that holds for this run's model, and whether it holds."""
    return [] if run.changes else [done for step in run.steps for done in _of_step(run, step)]


def _of_step(run: Run, step: StepRun) -> Iterator[Check]:
    expect, number = step.step.expect, step.number
    yield from _questions(run, step)
    if expect is None:
        return
    if expect.tree is not None:
        yield _tree(run, step, expect.tree)
    if expect.evicted is not None:
        yield _evicted(run, step, expect.evicted)
    if expect.nodes is not None:
        yield _equal(number, "nodes", expect.nodes, facts.nodes(run, number))
    if expect.splits is not None:
        yield _equal(number, "splits", expect.splits, facts.splits(run, number))
    if expect.words is not None and run.model == "words":
        yield from _words(run, step, expect.words)


def _questions(run: Run, step: StepRun) -> Iterator[Check]:
    """Yields whether there is something to ask, for each question; a strange model may leave nothing."""
    from .asking import pose

    if run.model != "words" and run.model not in run.lesson.capacities:
        return
    for question in step.step.ask:
        posed = pose(run, step.number, question, "en")
        got = "a question" if posed is not None else "nothing to ask: nothing of the kind happens in this step"
        yield Check(step.number, f"ask.{question.kind}", posed is not None, "a question", got)


def _tree(run: Run, step: StepRun, expected: Sequence[Line]) -> Check:
    words = run.model == "words"
    wanted = [_line(line.depth, line.state, line.letter, line.text if words else None) for line in expected]
    got = []
    for place, twig in enumerate(panel_of(run, step.number)):
        asked = words and (place >= len(expected) or expected[place].text is not None)
        text = edge_text(run, twig.key) if asked else None
        got.append(_line(twig.depth, twig.state, step.letters.get(twig.id, ""), text))
    return Check(step.number, "tree", wanted == got, "\n".join(wanted) or "no node", "\n".join(got) or "no node")


def _line(depth: int, state: str, letter: str, text: str | None) -> str:
    """Writes a line of a tree as lessons do."""
    return "  " * depth + state + (f" {letter}" if letter else "") + (f": {text}" if text is not None else "")


def _evicted(run: Run, step: StepRun, expected: Sequence[str]) -> Check:
    gone = evicted(run, step.number)
    before = _letters_before(run, step.number)
    fits = len(gone) == len(expected) and all(
        before.get(twig.id) == name if name in before.values() else name in real_text(run, twig.key)
        for name, twig in zip(expected, gone, strict=True)
    )
    got = [before.get(twig.id) or edge_text(run, twig.key) for twig in gone]
    unknown = [name for name in expected if len(name) == 1 and name not in before.values()]
    wanted = ", ".join(expected) or "nothing"
    if unknown and not fits:
        wanted += f" (step {step.number - 1} has no letter {', '.join(unknown)})"
    return Check(step.number, "evicted", fits, wanted, ", ".join(got) or "nothing")


def _words(run: Run, step: StepRun, words: Words) -> Iterator[Check]:
    number, facts_of = step.number, [one.facts for one in step.done]
    for name in ("prompt", "matched", "reused", "prefilled", "generated"):
        wanted = getattr(words, name)
        if wanted is not None:
            yield _equal(number, f"words.{name}", wanted, [getattr(one, f"{name}_tokens") for one in facts_of])
    totals = {"resident": run.panel(number).resident, "evicted": step.sums.evicted}
    for name, got in totals.items():
        if getattr(words, name) is not None:
            yield _equal(number, f"words.{name}", getattr(words, name), got)
    if words.trie is not None:
        keys = [key for one in run.steps[:number] for key in one.keys]
        yield _equal(number, "words.trie", words.trie, trie_size(keys))
    so_far = {name: total for name, _, total in step.arms}
    for name, sums in words.arms.items():
        for field, wanted in sums.items():
            yield _equal(number, f"words.arms.{name}.{field}", wanted, getattr(so_far[name], field))


def _equal(step: int, what: str, expected: object, got: object) -> Check:
    return Check(step, what, expected == got, str(expected), str(got))


# -- what there is to hold against ---------------------------------------------------------------------------------


def panel_of(run: Run, number: int) -> list[Twig]:
    """Returns the nodes and tombstones of a panel, parents first, siblings in the order in which they came."""
    snapshot = run.panel(number)
    below: dict[int, list[Twig]] = {}
    for twig in _twigs(snapshot):
        below.setdefault(twig.parent or 0, []).append(twig)
    stack = [(twig, 0) for root in reversed(snapshot.roots) for twig in _youngest_first(below.get(root.node.id, ()))]
    panel = []
    hidden = {root.node.id for root in snapshot.roots}
    while stack:
        twig, depth = stack.pop()
        panel.append(twig._replace(depth=depth, parent=None if twig.parent in hidden else twig.parent))
        stack.extend((child, depth + 1) for child in _youngest_first(below.get(twig.id, ())))
    return panel


def _twigs(snapshot: Snapshot) -> Iterator[Twig]:
    above = [root.node for root in snapshot.roots]
    while above:
        node = above.pop()
        for child in node.children:
            yield Twig(child.id, node.id, 0, snapshot.state(child).value, child.key, child.rank)
        above.extend(node.children)
    for gone in snapshot.tombstones:
        yield Twig(gone.node, gone.parent, 0, "evicted", gone.key, gone.rank)


def _youngest_first(twigs: Iterable[Twig]) -> list[Twig]:
    return sorted(twigs, key=lambda twig: (twig.rank, twig.id), reverse=True)


def evicted(run: Run, number: int) -> list[Twig]:
    """Returns the nodes that a step evicted, whole or in part, in order."""
    step = run.steps[number - 1]
    events = run.recording.events[step.start : step.end]
    order = dict.fromkeys(node for event in events for node in _gone(event))
    panel = {twig.id: twig for twig in panel_of(run, number)}
    return [panel[node] for node in order if node in panel]


def _gone(event: ev.Event) -> tuple[int, ...]:
    match event:
        case ev.Evicted(node) | ev.Trimmed(node):
            return (node,)
        case ev.BlocksEvicted():
            return event.nodes
    return ()


def _letters_before(run: Run, number: int) -> dict[int, str]:
    return run.steps[number - 2].letters if number > 1 else {}


def real_text(run: Run, key: Key) -> str:
    """Returns the text of an edge as it stands."""
    from .runs import text_of

    return text_of(key, run.recording.pieces)


def edge_text(run: Run, key: Key) -> str:
    """Returns the lines of an edge, abridged as in pictures, joined by " / "."""
    labels = Labels(run.recording.pieces, abridged=run.abridged)
    lines = (
        "".join(" " if span.kind is Kind.MARK else span.text for span in label.spans) for label in turns(labels, key)
    )
    return " / ".join(line.strip() for line in lines if line.strip())


# -- saying it -----------------------------------------------------------------------------------------------------


def report(run: Run, checks: Sequence[Check]) -> dict[str, Any]:
    """Returns a run and its checks as JSON has it (docs/lesson-format.md)."""
    failed = [done for done in checks if not done.passed]
    return {
        "lesson": run.lesson.name,
        "model": run.model,
        "capacity": run.config.capacity,
        "notes": list(run.notes),
        "passed": not failed,
        "steps": [_step_json(run, step, [done for done in failed if done.step == step.number]) for step in run.steps],
    }


def _step_json(run: Run, step: StepRun, failed: Sequence[Check]) -> dict[str, Any]:
    before = _letters_before(run, step.number)
    return {
        "number": step.number,
        "title": step.step.title.text("en"),
        "passed": not failed,
        "resident": run.panel(step.number).resident,
        "nodes": [
            {"id": twig.id, "parent": twig.parent, "state": twig.state, **_twig_json(run, twig, step.letters)}
            for twig in panel_of(run, step.number)
            if twig.state != "evicted"
        ],
        "evicted": [{"id": twig.id, **_twig_json(run, twig, before)} for twig in evicted(run, step.number)],
        "requests": [
            {
                "conversation": one.conversation,
                **{
                    name: getattr(one.facts, f"{name}_tokens")
                    for name in ("prompt", "matched", "reused", "prefilled", "generated")
                },
            }
            for one in step.done
        ],
        "failed": [{"what": done.what, "expected": done.expected, "got": done.got} for done in failed],
    }


def _twig_json(run: Run, twig: Twig, letters: dict[int, str]) -> dict[str, Any]:
    return {"tokens": count(twig.key), "text": edge_text(run, twig.key), "letter": letters.get(twig.id, "")}


def run_check(name: str, *, model: str, step: int | None, json: bool, color: str, ascii: bool) -> int:
    """Runs a lesson, whole or up to a step, and prints what came of each step; returns the exit code.

    Raises:
        UserError: there is no such lesson, step or model, or the lesson cannot be run.
    """
    from .loading import check_step, load_lesson
    from .running import Stage

    lesson = load_lesson(name)
    check_step(lesson, step)
    terminal = open_terminal(color, ascii)
    if model != "words" and terminal.interactive:
        terminal.say(f"loading {model} …")
    run = Stage(lesson, model).run(upto=step)
    checks = check(run)
    if json:
        print(jsonlib.dumps(report(run, checks), ensure_ascii=False, indent=2))
    else:
        for note in run.notes:
            terminal.say(sanitize(note))
        console = terminal.console(terminal.out)
        for line in _told(run, checks, terminal):
            console.print(line, soft_wrap=True)
    return 0 if all(done.passed for done in checks) else 1


def _told(run: Run, checks: Sequence[Check], terminal: Terminal) -> Iterator[Text]:
    """Yields what a person reads: a line a step, what failed in it, and a verdict."""
    good, bad = (_ink(terminal, state) for state in (State.NEW, State.EVICTED))
    digits = len(str(len(run.steps)))
    for step in run.steps:
        own = [done for done in checks if done.step == step.number]
        failed = [done for done in own if not done.passed]
        word, ink = ("FAILED", bad) if failed else ("ok", good) if own else ("-", "")
        what = sanitize(_summary(run, step.number), ascii=terminal.ascii)
        yield Text.assemble(f"step {step.number:>{digits}}  ", (word, ink), f"  {what}")
        for done in failed:
            yield Text(f"  {done.what}: expected")
            yield from _indented(done.expected, terminal)
            yield Text("  got")
            yield from _indented(done.got, terminal)
    wrong = len({done.step for done in checks if not done.passed})
    steps = f"{len(run.steps)} step{'s' if len(run.steps) != 1 else ''}"
    if wrong:
        yield Text(f"{wrong} of {steps} not as expected", bad)
    else:
        yield Text(f"{steps}, all as expected" if checks else f"{steps}, nothing is expected of them", good)


def _summary(run: Run, number: int) -> str:
    """Returns a step in a few words: ``4 nodes, 78 tok, evicted c (44 tok)``."""
    nodes, before = facts.nodes(run, number), _letters_before(run, number)
    said = f"{nodes} node{'s' if nodes != 1 else ''}, {run.panel(number).resident:,} tok"
    gone = [before.get(twig.id, f"#{twig.id}") for twig in evicted(run, number)]
    return f"{said}, evicted {', '.join(gone)} ({run.steps[number - 1].sums.evicted:,} tok)" if gone else said


def _indented(text: str, terminal: Terminal) -> Iterator[Text]:
    for line in text.splitlines():
        yield Text("    " + sanitize(line, ascii=terminal.ascii))


def _ink(terminal: Terminal, state: State) -> str:
    return PALETTES[terminal.palette].states[state].stroke if terminal.colour else ""
