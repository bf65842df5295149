"""Several caches in lockstep: the same prompts and replies, step by step, each with a recording of its own.

Every number comes from the recordings. Knows no text and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ...radix import CacheConfig, NoRoom, Snapshot
from ...radix import events as ev
from ...radix.keys import Int32Array, Key, count
from ...radix.presets import PRESETS
from ...radix.recording import Header, Recording
from ...radix.why import Whys
from ..engine.engine import CACHES, Ask
from ..engine.params import SamplingParams
from ..errors import UsageError
from ..presets import DEFAULT
from .fed import Fed, change, config_of
from .served import Script, Served, Step

if TYPE_CHECKING:
    from ..engine.engine import Engine
    from .losses import Loss

USUAL = ("radix", "hash", "last", "none")
"""The caches that are compared when nobody names any."""

NAMES = {"radix": "radix tree", "last": "last sequence", "none": "no cache"}


class Entrant(NamedTuple):
    """A cache that takes part."""

    cache: str  # as in CACHES
    config: CacheConfig

    @property
    def name(self) -> str:
        """Its name for programs and files; of hash blocks, with their preset."""
        return f"{self.cache}-{self.config.preset}" if self.config.preset else self.cache

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"hash {self.config.preset}" if self.config.preset else NAMES[self.cache]

    @property
    def rules(self) -> str:
        """What decides what it keeps, in a few words; "" where there is nothing to say."""
        config = self.config
        if config.preset:
            return f"blocks of {config.page_size}"
        if self.cache != "radix":
            return ""
        return f"{config.policy}, pages of {config.page_size}" if config.page_size > 1 else config.policy


class Row(NamedTuple):
    """Tokens of one cache in one step, or in all steps up to one."""

    prompt: int = 0
    matched: int = 0
    reused: int = 0
    prefilled: int = 0
    evicted: int = (
        0  # resident tokens of evicted nodes: to make room or by hand; not of failed requests, not by a reset
    )
    refused: int = 0  # requests that did not fit
    resident: int = 0  # at the end

    def then(self, other: Row) -> Row:
        """Returns the row of this and of what came after it."""
        both = Row(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))
        return both._replace(resident=other.resident)


class Victim(NamedTuple):
    """What went in a step."""

    tokens: int
    key: Key
    why: str


@dataclass(slots=True)
class Arm:
    """One cache, as far as it was run.

    Attributes:
        entrant: What it is.
        recording: What happened to it.
        rows: Of each step.
        victims: What went in each step.
        failures: What did not fit: the step's place, and what is wrong.
        ends: The position in the recording after each step.
        replies: The tokens of each reply, step by step.
        times: Sum of the times to the first token of each step, in ms; empty where nothing was computed.
    """

    entrant: Entrant
    recording: Recording
    rows: list[Row] = field(default_factory=list)
    victims: list[tuple[Victim, ...]] = field(default_factory=list)
    failures: list[tuple[int, str]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    replies: list[list[tuple[int, ...]]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def panel(self, place: int) -> Snapshot:
        """Returns the cache after the step at a place."""
        return self.recording.at(self.ends[place])

    def total(self, place: int) -> Row:
        """Returns the row of all steps up to the one at a place."""
        total = Row()
        for row in self.rows[: place + 1]:
            total = total.then(row)
        return total


class Contest:
    """The same script through several caches, step by step.

    Args:
        script: What is served.
        entrants: At least one; the first is what the others are compared with.
        engine: A model. Each cache then has one behind it that really computes: greedily, and as long replies as the
            script has. None: the replies are the script's, and nothing is computed.

    Attributes:
        script: What was served.
        arms: In the order of the entrants.
        losses: What `losses` found out already, by the places of the step and of the two arms.
    """

    def __init__(self, script: Script, entrants: Sequence[Entrant], engine: Engine | None = None) -> None:
        self.script = script
        self.losses: dict[tuple[int, int, int], list[Loss]] = {}
        feds = [_fed(script, entrant, engine) for entrant in entrants]
        self.arms = [Arm(entrant, fed.recording) for entrant, fed in zip(entrants, feds, strict=True)]
        if engine is not None:
            _warm_up(script, engine)
        for step in script.steps:
            for arm, fed in zip(self.arms, feds, strict=True):
                _play(fed, arm, step, greedy=engine is not None)

    @property
    def steps(self) -> Sequence[Step]:
        """The steps of the script."""
        return self.script.steps

    @property
    def computed(self) -> bool:
        """Whether each cache had a model behind it."""
        return any(arm.times for arm in self.arms)

    def differs(self, place: int, at: int, base: int = 0) -> tuple[int, int] | None:
        """Returns where an arm said something else than another in a step: the reply and its token, both from 0."""
        ours, theirs = self.arms[at].replies[place], self.arms[base].replies[place]
        for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            if one != other:
                pairs = enumerate(zip(one, other, strict=False))
                return number, next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
        return None

    @cached_property
    def whys(self) -> list[Whys]:
        """What explains each arm."""
        return [Whys(arm.recording) for arm in self.arms]


def entrants(
    script: Script, caches: Iterable[str], presets: Sequence[str], block_size: int | None, capacity: int | None
) -> list[Entrant]:
    """Returns the caches that are asked for by name; hash blocks once for each preset.

    What nobody says is as the script was served, or as is usual.

    Raises:
        UsageError: an unknown name, or settings that are not possible.
    """
    found: list[Entrant] = []
    for cache in dict.fromkeys(caches):
        if cache not in CACHES:
            raise UsageError(f"there is no cache {cache!r}", f"Choose among {','.join(USUAL)}.")
        if cache == "hash":
            found += [_blocks(script, preset, block_size, capacity) for preset in presets or (_preset(script),)]
        else:
            tree = cache == "radix" and not script.config.preset
            settings = script.config.settings() if tree else {}
            found.append(Entrant(cache, config_of({**settings, "capacity": capacity or script.config.capacity})))
    if not found:
        raise UsageError("no cache is named", f"Choose among {','.join(USUAL)}.")
    return found


def _preset(script: Script) -> str:
    return script.config.preset or DEFAULT


def _blocks(script: Script, preset: str, block_size: int | None, capacity: int | None) -> Entrant:
    if preset not in PRESETS and preset != script.config.preset:
        raise UsageError(f"there is no preset {preset!r}", f"Choose among {', '.join(PRESETS)}.")
    size = block_size or _block_size(script, preset)
    room = capacity or script.config.capacity
    return Entrant("hash", config_of({"capacity": room, "page_size": size, "preset": preset}))


def _block_size(script: Script, preset: str) -> int:
    """Returns the script's own, so that releases differ by their rules alone; a preset's, where it is none of those."""
    size = script.config.page_size
    own = script.config.preset and (preset == script.config.preset or not size % PRESETS[preset].multiple)
    return size if own else PRESETS[preset].block_size


class Tokens:
    """What an engine needs of a tokenizer where nothing is said and nothing ends by itself."""

    eos_ids: frozenset[int] = frozenset()

    def __init__(self, name: str, token_bytes: Callable[[int], bytes]) -> None:
        self.name = name
        self.token_bytes = token_bytes

    def encode(self, text: str) -> Int32Array:
        """Raises NotImplementedError: everything is tokens already."""
        raise NotImplementedError(text)


def _fed(script: Script, entrant: Entrant, engine: Engine | None) -> Fed:
    header = Header(entrant.config, entrant.cache, script.model, script.tokenizer, script.bytes_per_token)
    if engine is None:
        return Fed(entrant.cache, entrant.config, Tokens(script.tokenizer, script.token_bytes), header)
    return Fed(entrant.cache, entrant.config, engine.tokenizer, header, engine.runner.sibling)


def _warm_up(script: Script, engine: Engine) -> None:
    """Runs the first prompt once, so that no cache pays for what a model does only at its beginning."""
    first = next((one for step in script.steps for one in step.requests), None)
    if first is not None:
        room = int(first.prompt.size) + 2
        engine.without_cache(room).generate(first.prompt, SamplingParams(temperature=0, max_tokens=2))


def _ask(one: Served, *, greedy: bool) -> Ask:
    more = {"conversation": one.conversation, "namespace": one.namespace}
    if not greedy:
        return Ask(prompt=one.prompt, forced=one.replies, **more)
    longest = 1 + max(int(reply.size) for reply in one.replies)
    return Ask(prompt=one.prompt, params=SamplingParams(temperature=0, max_tokens=longest, n=len(one.replies)), **more)


def _play(fed: Fed, arm: Arm, step: Step, *, greedy: bool) -> None:
    """Runs a step on an arm, and notes what came of it."""
    place, start = len(arm.rows), len(fed.recording.events)
    fed.engine.open_step()
    if step.cleared:
        fed.engine.cache.reset()
        fed.engine.publish()
    wrong: list[str] = []
    try:
        change(fed.engine, capacity=step.capacity, policy=step.policy)
    except (NoRoom, ValueError) as error:
        wrong.append(str(error))
    done = fed.serve([_ask(one, greedy=greedy) for one in step.requests])
    refused = [one for one in done if one.error is not None or one.finish_reason == "capacity"]
    wrong += [one.error.what if one.error is not None else _CUT for one in refused]
    arm.failures += [(place, what) for what in wrong]
    arm.ends.append(len(fed.recording.events))
    row, victims = _measured(fed.recording, start, arm.ends[-1])
    arm.rows.append(row._replace(refused=len(refused)))
    arm.victims.append(victims)
    arm.replies.append([one.token_ids for one in done])
    if greedy:
        arm.times.append(sum(one.ttft_ms or 0.0 for one in done))


_CUT = "no room was left for the whole reply"


def _measured(recording: Recording, start: int, end: int) -> tuple[Row, tuple[Victim, ...]]:
    """Counts what the events of a step tell, and says what went."""
    snapshot = recording.at(end)
    keys = {stone.node: stone.key for stone in snapshot.tombstones}
    row, victims = Row(), list[Victim]()
    for event in recording.events[start:end]:
        match event:
            case ev.RequestFinished():
                row = row.then(Row(event.prompt, event.matched, event.reused, event.prefilled))
            case ev.Evicted() | ev.Trimmed() if event.why != "discarded":
                victims.append(Victim(event.tokens, keys.get(event.node, b""), event.why))
            case ev.BlocksEvicted() if event.why != "discarded":
                gone = [keys[node] for node in event.nodes if node in keys]
                victims += [Victim(count(key), key, event.why) for key in gone]
    evicted = sum(victim.tokens for victim in victims)
    return row._replace(evicted=evicted, resident=snapshot.resident), tuple(victims)
