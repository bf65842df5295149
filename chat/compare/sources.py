"""Where a script comes from: a lesson, a recording, or a conversation of a chat.

Nothing here needs torch, unless a lesson is to run on a model.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...radix import CacheConfig
from ...radix import events as ev
from ...radix.keys import Int32Array, as_array, count, cut
from ...radix.past import Asked, Past
from ...radix.recording import Recording, RecordingError
from ..errors import UsageError, UserError
from .served import Script, Served, Step

if TYPE_CHECKING:
    from ..conversation import Conversation
    from ..engine import Engine
    from ..lessons.runs import Run
    from ..lessons.schema import Lesson, Request


def open_script(what: str, model: str | None = None, *, compute: bool = False) -> tuple[Script, Engine | None]:
    """Returns what a lesson's name or file, a recording, or `last` says; and, to compute it all again, a model.

    Args:
        what: Its name or path.
        model: Of a lesson (None: words), or what computes.
        compute: Whether a model is wanted. A lesson's replies are the model's own then.

    Raises:
        UserError: there is no such thing, it is damaged, or a lesson that cannot be run.
    """
    from pathlib import Path

    from ..lessons.loading import shipped

    if what in shipped() or Path(what).suffix in (".yaml", ".yml"):
        from ..lessons.loading import load_lesson
        from ..lessons.running import Stage

        lesson, name = load_lesson(what), model or ("radish" if compute else "words")
        stage = Stage(_unsaid(lesson) if compute else lesson, name)
        return of_lesson(stage.run()), stage.loaded if compute else None
    from ..journal import find, open_recording

    if what != "last" and not os.path.exists(find(what)):
        raise UserError(f"{what} is no lesson, and cannot be read as a recording", "`radixchat lesson` lists lessons.")
    script = of_recording(open_recording(what), what)
    if not compute:
        if model is not None:
            raise UsageError("--model is for lessons: a recording has its own replies", "Leave it out.")
        return script, None
    return script, _engine_for(script, model)


def _unsaid(lesson: Lesson) -> Lesson:
    """Returns a lesson without the replies it gives, so that a model says its own."""
    steps = [
        step.model_copy(update={"requests": [_asked(one) for one in step.requests], "letters": {}, "ask": []})
        for step in lesson.steps
    ]
    return lesson.model_copy(update={"steps": steps, "arms": []})


def _asked(request: Request) -> Request:
    length = max((len(reply.split()) for reply in request.given), default=0) + 8
    n = max(request.n, len(request.replies))
    return request.model_copy(update={"reply": None, "replies": [], "n": n, "temperature": 0, "max_tokens": length})


def _engine_for(script: Script, model: str | None) -> Engine:
    from ..engine import Engine

    engine = Engine.load(model or script.model.partition(" ")[0] or "radish", capacity=2)
    if engine.tokenizer.name != script.tokenizer:
        raise UsageError(
            f"the recording has tokens of {script.tokenizer}, and {engine.name} has others",
            "Name its model with --model, or leave --compute out.",
        )
    return engine


def of_lesson(run: Run) -> Script:
    """Returns what a run of a lesson served."""
    from ..lessons.feeding import cached

    steps = []
    changes, _ = _changes(run.recording)
    for number, one in enumerate(run.steps, start=1):
        requests: dict[int, Served] = {}
        for done in one.done:
            asked = one.step.requests[done.request]
            reply = cached(done, bool(asked.given))
            before = requests.get(done.request, Served(done.prompt, (), done.conversation))
            requests[done.request] = before._replace(replies=(*before.replies, reply))
        steps.append(changes(Step(number, one.step.title.text("en"), tuple(requests.values()))))
    header = run.recording.header
    return Script(
        run.lesson.title.text("en"),
        tuple(steps),
        run.config,
        _bytes_of(run.recording.pieces),
        run.model,
        header.tokenizer,
        run.bytes_per_token,
        run.notes,
    )


def of_conversation(
    conversation: Conversation, config: CacheConfig, token_bytes: Callable[[int], bytes], **more: object
) -> Script:
    """Returns the turns of a conversation, a step each.

    Args:
        conversation: With the tokens of its turns.
        config: Of the cache that served it.
        token_bytes: The bytes of a token.
        **more: Further fields of the script.

    Raises:
        UsageError: it has no turn, or none whose tokens are known.
    """
    turns = conversation.turns
    if not turns:
        raise UsageError(f"{conversation.name} has no turn yet", "Type a message first.")
    held = [*(turn.before for turn in turns[1:]), conversation.held]
    steps = []
    for number, (turn, after) in enumerate(zip(turns, held, strict=True), start=1):
        prompt = _joined([segment.ids for segment in turn.prompt])
        whole = _joined([segment.ids for segment in after])
        reply = whole[prompt.size :]
        if prompt.size and np.array_equal(whole[: prompt.size], prompt):
            steps.append(Step(number, turn.user, (Served(prompt, (reply[:-1],), conversation.name),)))
    if not steps:
        raise UsageError(f"the tokens of {conversation.name} are of another model", "Type a message, then compare.")
    left = len(turns) - len(steps)
    notes = (f"{left} turns are left out: their tokens are of another model",) if left else ()
    script = Script(conversation.name, tuple(steps), config, token_bytes, notes=notes)
    return replace(script, **more)  # type: ignore[arg-type]


def of_recording(recording: Recording, name: str) -> Script:
    """Returns the requests of a recording, step by step.

    Raises:
        UserError: it is damaged, or does not tell the tokens of any request.
    """
    past = Past(recording)
    try:
        past.read_on()
    except RecordingError as error:
        raise UserError(error.what, error.fix) from None
    header = recording.header
    given = header.model == "words"
    notes: list[str] = []
    changes, by_hand = _changes(recording)
    steps: list[Step] = []
    unknown = 0
    for number, asked in past.steps.items():
        requests: list[Served] = []
        for one in asked:
            if count(one.key) < one.prompt:
                unknown += 1
            else:
                _join(requests, one, given)
        steps.append(changes(Step(number, _title(asked), tuple(requests))))
    if not any(step.requests for step in steps):
        raise UserError(
            f"{name} tells the tokens of no request", "Record one whose cache keeps what it has seen, and chat."
        )
    if unknown:
        notes.append(f"{unknown} requests are left out: the recording does not tell all of their tokens")
    if by_hand:
        notes.append("what was evicted or pinned by hand is not repeated")
    if recording.truncated:
        notes.append("the recording stops in the middle")
    return Script(
        name, tuple(steps), header.config, _bytes_of(recording.pieces), header.model, header.tokenizer,
        header.bytes_per_token, tuple(notes),
    )  # fmt: skip


def _join(requests: list[Served], one: Asked, given: bool) -> None:
    """Adds a request, or a further sample to the one that it was forked from."""
    prompt = as_array(cut(one.key, 0, one.prompt))
    reply = as_array(cut(one.key, one.prompt))
    generated = one.ended.generated if one.ended is not None else 0
    if reply.size and reply.size == generated and not given:
        reply = reply[:-1]  # sampled, and never computed
    before = requests[-1] if requests else None
    if one.lease < 0 and before is not None and np.array_equal(before.prompt, prompt):
        requests[-1] = before._replace(replies=(*before.replies, reply))
    else:
        requests.append(Served(prompt, (reply,), one.conversation, one.namespace))


def _changes(recording: Recording) -> tuple[Callable[[Step], Step], bool]:
    """Returns what adds to a step what was changed before it, and whether things were done that nobody repeats."""
    found: dict[int, dict[str, object]] = {}
    step, asked, by_hand, leases = 0, False, False, 0
    for event in recording.events:
        match event:
            case ev.StepOpened(step):
                asked = False
            case ev.RequestStarted():
                asked, leases = True, leases + 1
            case ev.RequestFinished():
                leases -= 1
            case ev.Resized(capacity):
                found.setdefault(step + asked, {})["capacity"] = capacity
            case ev.Repoliced(policy):
                found.setdefault(step + asked, {})["policy"] = policy
            case ev.Cleared():
                found.setdefault(step + asked, {})["cleared"] = True
            case ev.Evicted() | ev.Trimmed() | ev.BlocksEvicted():
                by_hand |= event.why == "asked"
            case ev.Locked():
                by_hand |= not leases
            case _:
                pass
    return lambda step: step._replace(**found.get(step.number, {})), by_hand


def _title(asked: list[Asked]) -> str:
    names = dict.fromkeys(one.conversation for one in asked if one.conversation)
    return ", ".join(names)


def _bytes_of(pieces: dict[int, bytes]) -> Callable[[int], bytes]:
    return lambda token: pieces.get(token, b"")


def _joined(parts: list[Int32Array]) -> Int32Array:
    return np.concatenate(parts).astype(np.int32) if parts else np.empty(0, dtype=np.int32)
