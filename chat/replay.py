"""`radixchat replay`: a recording drawn step by step, without any model."""

from __future__ import annotations

from ..radix import Snapshot
from ..radix import events as ev
from ..radix.recording import Recording, RecordingError, Step
from ..viz import sanitize
from .chat import Tree
from .errors import UsageError, UserError
from .journal import open_recording
from .paint import tree_lines
from .terminal import Terminal, open_terminal


def run_replay(name: str, *, step: int | None, color: str, ascii: bool) -> None:
    """Prints every step of a recording, or one.

    Raises:
        UserError: no such recording or step, or a damaged recording.
    """
    recording = open_recording(name)
    terminal = open_terminal(color, ascii)
    try:
        if step is None:
            for each in recording.steps:
                _print_step(terminal, recording, each)
        elif step == 0:
            _print(terminal, recording, "step 0: before the first", recording.at(0))
        else:
            _print_step(terminal, recording, _find(recording, step))
    except RecordingError as error:
        raise UserError(error.what, error.fix) from None
    if recording.truncated:
        terminal.say("The recording stops in the middle: its writer was interrupted, or it reached its limit.")


def _find(recording: Recording, number: int) -> Step:
    for step in recording.steps:
        if step.number == number:
            return step
    last = recording.steps[-1].number if recording.steps else 0
    raise UsageError(f"there is no step {number}", f"The recording has steps 0 to {last}.")


def _print_step(terminal: Terminal, recording: Recording, step: Step) -> None:
    finished = [event for event in recording.events[step.start : step.end] if isinstance(event, ev.RequestFinished)]
    heading = f"step {step.number}" + "".join(f" · {_facts(event)}" for event in finished)
    _print(terminal, recording, heading, recording.at(step.end))


def _facts(event: ev.RequestFinished) -> str:
    return f"request {event.request}: reused {event.reused} of {event.prompt}, generated {event.generated}"


def _print(terminal: Terminal, recording: Recording, heading: str, snapshot: Snapshot) -> None:
    console = terminal.console(terminal.out)
    console.print(sanitize(heading), soft_wrap=True)
    tree = Tree(snapshot, changed=False)
    for line in tree_lines(tree, recording.pieces, recording.header.bytes_per_token, terminal):
        console.print(line, soft_wrap=True)
    console.print()
