"""What a lesson file may say: the schema, version 1 (docs/lesson-format.md).

A lesson is data: narration in several languages, requests with replies that may be given, questions, and expectations
that make it a test. Knows pydantic and no YAML, no engine, no cache and no front end.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel, field_validator, model_validator

SCHEMA = 1
"""Version of the format; a reader refuses newer ones."""

Count = Annotated[int, Field(ge=0)]
Many = Annotated[int, Field(ge=1)]
MOST_ROOM = 1 << 20
Room = Annotated[int, Field(ge=1, le=MOST_ROOM)]  # tokens of a pool
Text = Annotated[str, Field(min_length=1)]
Letter = Annotated[str, Field(pattern=r"^[a-z]{1,2}$")]
Policy = Literal["lru", "lfu", "fifo", "mru", "filo", "slru", "priority"]
State = Literal["new", "reused", "resident", "evicted"]
Kind = Literal["matched", "prefilled", "split", "victim", "freed", "copied", "nodes"]
Show = Literal["bars", "trie", "price"]
Preset = Literal[
    "vllm-0.4.2", "vllm-0.5.4", "vllm-0.6.3", "vllm-0.11", "vllm-0.33", "nano-vllm", "hf-cb", "toy-8-bit"
]  # fmt: skip

_OF_BLOCKS: tuple[Kind, ...] = ("matched", "prefilled")

KINDS: tuple[str, ...] = Kind.__args__  # type: ignore[attr-defined]


class _Data(BaseModel):
    """Part of a lesson: nothing unknown is taken, nothing changes afterwards."""

    # strict: a number is no text that looks like one, and true is not 1
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_max_length=20_000)


class Said(RootModel[dict[str, str]]):
    """A text in one or more languages; a bare string is English."""

    model_config = ConfigDict(frozen=True, str_max_length=20_000)

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            raise ValueError("must be a text: put it in quotes")  # YAML takes a bare On for true
        return {"en": value} if isinstance(value, str) else value

    @field_validator("root")
    @classmethod
    def _languages(cls, value: dict[str, str]) -> dict[str, str]:
        if "en" not in value:
            raise ValueError("the English text (en) is missing")
        wrong = [lang for lang in value if not re.fullmatch(r"[a-z]{2}", lang)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no language of two letters, such as en or zh")
        return value

    def text(self, lang: str) -> str:
        """Returns the text in a language, or in English where it is missing."""
        return self.root.get(lang) or self.root["en"]

    @property
    def languages(self) -> set[str]:
        """The languages it is given in."""
        return set(self.root)


class Cache(_Data):
    """The settings of the cache: of a radix tree, as `RadixCache` takes them, or of hash blocks."""

    kind: Literal["radix", "hash"] = "radix"
    capacity: Room  # tokens
    policy: Policy = "lru"
    page_size: Many = 1
    split_recency: Literal["both", "prefix"] = "both"
    tie: Literal["id", "deepest"] = "id"
    unit: Literal["leaf", "page"] = "leaf"
    preset: Preset | None = None  # of hash blocks
    block_size: Many | None = None

    @model_validator(mode="after")
    def _own(self) -> Cache:
        _check_kind(self.kind, self.model_fields_set)
        return self

    def settings(self) -> dict[str, Any]:
        """Returns them as a `CacheConfig` takes them."""
        if self.kind == "hash":
            return {"capacity": self.capacity, **_blocks(self.preset, self.block_size)}
        return self.model_dump(exclude={"kind", "preset", "block_size"})


class Arm(_Data):
    """Another cache that runs the same requests, for comparison."""

    name: Said
    cache: Literal["radix", "hash", "last", "none"] = "radix"
    capacity: Room | None = None  # None: as the lesson's, like all the rest
    policy: Policy | None = None
    page_size: Many | None = None
    split_recency: Literal["both", "prefix"] | None = None
    preset: Preset | None = None  # of hash blocks
    block_size: Many | None = None

    @model_validator(mode="after")
    def _own(self) -> Arm:
        _check_kind(self.cache, self.model_fields_set)
        return self

    def settings(self) -> dict[str, Any]:
        """Returns what differs from the lesson's cache, as a `CacheConfig` takes it."""
        own = self.model_dump(exclude={"name", "cache", "preset", "block_size"}, exclude_none=True)
        return {**own, **_blocks(self.preset, self.block_size)} if self.cache == "hash" else own


def _check_kind(kind: str, given: set[str]) -> None:
    foreign = ("policy", "page_size", "split_recency", "tie", "unit") if kind == "hash" else ("preset", "block_size")
    for name in foreign:
        if name in given:
            raise ValueError(f"{name} means nothing to a cache of kind {kind}")


def _blocks(preset: Preset | None, size: int | None) -> dict[str, Any]:
    """Returns the settings of hash blocks; what is not given is as a chat has it."""
    from ...radix.presets import rules_named
    from ..presets import DEFAULT

    rules = rules_named(preset or DEFAULT)
    return {"preset": rules.name, "page_size": size or rules.block_size}


class Shape(_Data):
    """The model whose bytes are counted; K and V of a token take layers x 2 x kv_heads x head_dim x dtype_bytes."""

    name: str
    layers: Many
    kv_heads: Many
    head_dim: Many
    dtype_bytes: Many = 2

    @property
    def bytes_per_token(self) -> int:
        """Bytes of K and V of one token."""
        return self.layers * 2 * self.kv_heads * self.head_dim * self.dtype_bytes


class Request(_Data):
    """One request: a message of a conversation, or a prompt as it stands. Requests of one step run side by side."""

    conversation: str = ""  # goes on with what was said in it
    fork: str = ""  # a new conversation that begins as this one did: somebody edited a message
    turns: Count | None = None  # how many of its turns are kept; None: all
    user: str | None = None  # a message, written in the model's chat format
    prompt: str | None = None  # a whole prompt, sent as it is
    reply: str | None = None  # the reply to take; without it a model replies, greedily unless told otherwise
    replies: list[str] = []  # several samples of one prompt, given
    n: Annotated[int, Field(ge=1, le=64)] = 1  # several samples of one prompt, sampled
    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    seed: Count = 0
    max_tokens: Many = 64

    @model_validator(mode="after")
    def _one_kind(self) -> Request:
        if (self.user is None) == (self.prompt is None):
            raise ValueError("give either user (a message) or prompt (a text as it stands)")
        if self.user is not None and not self.conversation:
            raise ValueError("a message needs a conversation")
        if self.reply is not None and self.replies:
            raise ValueError("give either reply or replies")
        if self.given and self.n > 1:
            raise ValueError("n is for samples of a model; the replies are given")
        if self.conversation and (self.replies or self.n > 1):
            raise ValueError("several samples cannot go on in one conversation; give a prompt without one")
        if self.fork and self.user is None:
            raise ValueError("only a message can fork a conversation")
        if self.turns is not None and not self.fork:
            raise ValueError("turns belongs to fork: how many turns of that conversation are kept")
        return self

    @property
    def given(self) -> tuple[str, ...]:
        """The replies to take, one a sample; empty when a model samples."""
        return (self.reply,) if self.reply is not None else tuple(self.replies)


class Change(_Data):
    """What changes before a step's requests."""

    capacity: Room | None = None
    policy: Policy | None = None


class Question(_Data):
    """A question before a step is shown; its answer is found by running the cache.

    matched: how many tokens of the prompt will be found · prefilled: how many are computed · split: where a node splits
    · victim: which node goes first · freed: how much an eviction gives back · copied: how many bytes of K and V a split
    moves · nodes: how many nodes the tree will have.
    """

    kind: Kind
    request: Count = 0  # which of the step's requests it is about
    arm: Text | None = None  # the English name of the arm that it is about; None: the cache that is drawn
    pick: bool = False  # answered by picking a node in the tree (victim, split): "you are the cache"
    text: Said | None = None  # in place of the usual wording
    why: Said | None = None  # told with the answer, after what the program itself says

    @model_validator(mode="after")
    def _drawn(self) -> Question:
        if self.pick and self.arm is not None:
            raise ValueError("a node of an arm cannot be picked: its tree is not drawn")
        return self


class Line(NamedTuple):
    """A line of an expected tree."""

    depth: int  # 0 hangs from the root
    state: str
    letter: str  # or ""
    text: str | None  # lines of the edge joined by " / "; None: any


class Words(_Data):
    """Expectations in tokens; they hold for the words tokenizer, and only there."""

    prompt: list[Count] | None = None  # of each request
    matched: list[Count] | None = None
    reused: list[Count] | None = None
    prefilled: list[Count] | None = None
    generated: list[Count] | None = None
    resident: Count | None = None  # in the tree, after the step
    evicted: Count | None = None  # in the step
    trie: Count | None = None  # nodes of a prefix tree with one token a node, over all that was said so far
    arms: dict[str, dict[Literal["reused", "prefilled", "generated", "evicted"], Count]] = {}  # sums so far


class Expect(_Data):
    """What must be true after a step, whatever the model; what is not given is not checked."""

    tree: list[Line] | None = None
    evicted: list[Text] | None = None  # letters of the step before, or words of the text, in order
    nodes: Count | None = None
    splits: Count | None = None  # nodes that were split in the step
    words: Words | None = None

    @field_validator("tree", mode="before")
    @classmethod
    def _lines(cls, value: Any) -> Any:
        return _tree(value) if isinstance(value, str) else value


_LINE = re.compile(r"( *)(new|reused|resident|evicted)(?: ([a-z]{1,2}))?(?:: (.*))?")


def _tree(text: str) -> list[Line]:
    """Reads an expected tree: two blanks a level, state, letter, and the edge after a colon."""
    lines = []
    for line in filter(str.strip, text.splitlines()):
        match = _LINE.fullmatch(line.rstrip())
        if match is None or len(match[1]) % 2:
            raise ValueError(
                f"{line.strip()!r} is no line of a tree; write it like `new a: User: Hello! / Assistant: Hi!`"
            )
        lines.append(Line(len(match[1]) // 2, match[2], match[3] or "", match[4]))
    return lines


class Step(_Data):
    """One step: what is said, asked, done, and expected of it."""

    title: Said
    say: Said | None = None  # narration, told with the step; {matched} and the like are filled in
    note: Said | None = None  # for the presenter alone
    pause: bool = False  # automatic play waits here
    change: Change | None = None
    requests: list[Request] = []
    letters: dict[Letter, Text] = {}  # of this panel alone: letter, and words that only that node's text holds
    ask: list[Question] = []
    show: list[Show] = []
    expect: Expect | None = None

    @model_validator(mode="after")
    def _about_requests(self) -> Step:
        for question in self.ask:
            if question.request >= len(self.requests):
                asked, has = f"a question is about request {question.request}", len(self.requests)
                raise ValueError(f"{asked} (the first is 0); the step has {has or 'none'}")
        return self


class Lesson(_Data):
    """A whole lesson."""

    schema_version: Annotated[int, Field(alias="schema", ge=1)]
    title: Said
    about: Said  # one line, for the list
    cache: Cache
    capacities: dict[str, Room] = {}  # for other tokenizers than words, by name of the model
    shape: Shape | None = None
    system: str = ""  # of every conversation
    abridge: dict[Text, str] = {}  # a text, and what stands for it in pictures
    arms: list[Arm] = []
    steps: Annotated[list[Step], Field(min_length=1, max_length=200)]
    name: str = ""  # of its file, without the ending; set by the loader
    _file: str = PrivateAttr("")  # likewise, its name in messages ...
    _lines: tuple[int, ...] = PrivateAttr(())  # ... and the line at which each step begins

    def found_in(self, file: str, lines: tuple[int, ...]) -> None:
        """Takes down the file's name and the line of each step, for messages."""
        self._file, self._lines = file, lines

    def where(self, number: int) -> str:
        """Names a step (1 is the first) in a message: ``mine.yaml, line 12: step 3``."""
        place = f"{self._file}, line {self._lines[number - 1]}: " if number <= len(self._lines) else ""
        return f"{place}step {number}"

    @model_validator(mode="after")
    def _of_trees(self) -> Lesson:
        if self.cache.kind != "hash":
            return self
        for number, step in enumerate(self.steps, start=1):
            if step.change is not None and step.change.policy is not None:
                raise ValueError(f"step {number}: hash blocks have no policy to change; their preset decides")
            for question in step.ask:
                if question.arm is None and (question.pick or question.kind not in _OF_BLOCKS):
                    raise ValueError(
                        f"step {number}: of hash blocks only {' and '.join(_OF_BLOCKS)} can be asked, with choices"
                    )
        return self

    @model_validator(mode="after")
    def _forks(self) -> Lesson:
        turns: dict[str, int] = {}  # of each conversation so far
        for number, step in enumerate(self.steps, start=1):
            begun = dict(turns)
            for one in (request for request in step.requests if request.user is not None):
                if one.fork and one.fork not in begun:
                    raise ValueError(f"step {number}: conversation {one.fork!r} has no turn that could be forked")
                if one.fork and one.conversation in turns:
                    raise ValueError(f"step {number}: conversation {one.conversation!r} has begun, and cannot fork")
                if one.turns is not None and one.turns > begun[one.fork]:
                    raise ValueError(f"step {number}: conversation {one.fork!r} has {begun[one.fork]} turns")
                kept = begun.get(one.fork, 0) if one.turns is None else one.turns
                turns[one.conversation] = turns.get(one.conversation, kept) + 1
        return self

    @property
    def languages(self) -> set[str]:
        """The languages in which everything is told."""
        return set.intersection(*(said.languages for said in self._texts()))

    def _texts(self) -> list[Said]:
        steps = [said for step in self.steps for said in (step.title, step.say, step.note) if said is not None]
        asked = [said for step in self.steps for one in step.ask for said in (one.text, one.why) if said is not None]
        return [self.title, self.about, *steps, *asked, *(arm.name for arm in self.arms)]
