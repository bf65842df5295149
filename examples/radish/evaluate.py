"""Ask the model every held-out wording, topic by topic, and print how many replies are right.

    python examples/radish/evaluate.py chat/models/radish --write-card

A reply is right if all of it matches what the topic expects; nearly right is wrong. A second pass samples at
temperature 0.7 and counts replies that are empty, endless or repeat themselves. This module knows no training.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch loads: threads that wait leave the core to others

import torch
import typer
from corpus import SYSTEM
from rich.console import Console
from rich.table import Table
from tokenizer import prompt_text
from topics import TOPICS, Case
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

LONGEST = 200  # tokens without a newline that make a reply endless
BATCH = 128
TEMPERATURE = 0.7
_MARKS = ("<!-- evaluation -->", "<!-- end of evaluation -->")


@dataclass(frozen=True)
class Result:
    """A case and the model's reply to it."""

    topic: str
    case: Case
    reply: str

    @property
    def right(self) -> bool:
        """Whether the whole reply is what was expected."""
        return re.fullmatch(self.case.expected, self.reply) is not None


@dataclass(frozen=True)
class Faults:
    """How many sampled replies went wrong in a way that needs no knowledge of the right one."""

    replies: int
    empty: int
    endless: int
    repeating: int


class Radish:
    """The model and its tokenizer, as one thing that replies."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(folder)
        self.model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self.newline: int = self.model.generation_config.eos_token_id

    def replies(self, prompts: Sequence[str], temperature: float = 0.0, seed: int = 0) -> Iterator[list[int]]:
        """The tokens of each reply, its final newline included if there is one, in the order of the prompts."""
        torch.manual_seed(seed)
        encoded = [self.tokenizer(prompt)["input_ids"] for prompt in prompts]
        order = sorted(range(len(prompts)), key=lambda index: len(encoded[index]))
        done: dict[int, list[int]] = {}
        for start in range(0, len(order), BATCH):
            chunk = order[start : start + BATCH]
            for index, reply in zip(chunk, self._batch([encoded[index] for index in chunk], temperature), strict=True):
                done[index] = reply
        return (done[index] for index in range(len(prompts)))

    def reply(self, prompt: str, temperature: float = 0.0) -> str:
        """The text of one reply."""
        return self.text(next(self.replies([prompt], temperature)))

    def text(self, reply: list[int]) -> str:
        """A reply without the space before it and the newline after it."""
        return str(self.tokenizer.decode(reply)).removeprefix(" ").removesuffix("\n")

    @torch.inference_mode()
    def _batch(self, prompts: list[list[int]], temperature: float) -> Iterator[list[int]]:
        width = max(map(len, prompts))
        ids = torch.tensor([[self.newline] * (width - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        how = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
        out = self.model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=LONGEST, **how)
        for row in out[:, width:].tolist():
            yield row[: row.index(self.newline) + 1] if self.newline in row else row


def questions() -> list[tuple[str, Case]]:
    """Every held-out case with the name of its topic."""
    return [(topic.name, case) for topic in TOPICS for case in topic.cases]


def prompt_of(case: Case) -> str:
    """The text before the reply."""
    if case.before is not None:
        return case.before
    return prompt_text(case.system or SYSTEM, [(turn.user, turn.reply) for turn in case.history], case.user)


def score(radish: Radish) -> list[Result]:
    """Greedy replies to all cases."""
    asked = questions()
    replies = radish.replies([prompt_of(case) for _, case in asked])
    return [Result(topic, case, radish.text(reply)) for (topic, case), reply in zip(asked, replies, strict=True)]


def faults(radish: Radish, temperature: float = TEMPERATURE) -> Faults:
    """What goes wrong when replies are sampled."""
    replies = list(radish.replies([prompt_of(case) for _, case in questions()], temperature))
    return Faults(
        len(replies),
        sum(not radish.text(reply).strip() for reply in replies),
        sum(radish.newline not in reply for reply in replies),
        sum(repeats(reply) for reply in replies),
    )


def repeats(reply: list[int], run: int = 5, times: int = 3) -> bool:
    """Whether some run of tokens occurs several times."""
    runs = Counter(tuple(reply[start : start + run]) for start in range(len(reply) - run + 1))
    return max(runs.values(), default=0) >= times


def table_of(results: Sequence[Result]) -> list[tuple[str, int, int]]:
    """Rows of topic, right and asked; the last row is the total."""
    asked = Counter(result.topic for result in results)
    right = Counter(result.topic for result in results if result.right)
    return [*((topic, right[topic], count) for topic, count in asked.items()), ("total", right.total(), asked.total())]


def show(rows: Sequence[tuple[str, int, int]], console: Console) -> None:
    """Print the table."""
    table = Table("topic", "right", "asked", "share", title="Held-out wordings")
    for topic, right, asked in rows:
        table.add_row(topic, str(right), str(asked), f"{right / asked:.0%}", end_section=topic == rows[-2][0])
    console.print(table)


def sentence(counts: Faults) -> str:
    """The faults in words."""
    parts = ((counts.empty, "empty"), (counts.endless, "endless"), (counts.repeating, "repeating"))
    shares = ", ".join(f"{count / counts.replies:.1%} {name}" for count, name in parts)
    return f"Sampled once each at temperature {TEMPERATURE}: {shares}."


def size_and_training(radish: Radish, folder: Path) -> str:
    """How big the model is and how it was trained, in words."""
    run = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    megabytes = (folder / "model.safetensors").stat().st_size / 1e6
    return (
        f"{radish.model.num_parameters():,} parameters in {megabytes:.1f} MB, {len(radish.tokenizer):,} tokens in the "
        f"vocabulary; trained for {run['minutes']:g} minutes, {run['steps']:,} steps and {run['conversations']:,} "
        "conversations."
    )


def write_card(folder: Path, radish: Radish, rows: Sequence[tuple[str, int, int]], counts: Faults) -> None:
    """Put what was measured between the two marks of the model card."""
    card = folder / "README.md"
    lines = [size_and_training(radish, folder), "", "| topic | right | asked | share |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {topic} | {right} | {asked} | {right / asked:.0%} |" for topic, right, asked in rows]
    before, _, rest = card.read_text(encoding="utf-8").partition(_MARKS[0])
    _, _, after = rest.partition(_MARKS[1])
    body = "\n".join([_MARKS[0], "", *lines, "", sentence(counts), "", _MARKS[1]])
    card.write_text(before + body + after, encoding="utf-8")


def evaluate(
    folder: Annotated[Path, typer.Argument(help="The model's folder.")] = Path("chat/models/radish"),
    wrong: Annotated[bool, typer.Option(help="Print every wrong reply.")] = False,
    card: Annotated[bool, typer.Option("--write-card", help="Refresh the table in the model card.")] = False,
    threads: Annotated[int, typer.Option(help="Processor threads.")] = 2,
) -> None:
    """Score the model on the held-out wordings."""
    torch.set_num_threads(threads)
    console, radish = Console(), Radish(folder)
    results = score(radish)
    if wrong:
        for result in results:
            if not result.right:
                console.print(f"[{result.topic}] {result.case.user} -> {result.reply}", markup=False, soft_wrap=True)
    rows, counts = table_of(results), faults(radish)
    show(rows, console)
    console.print(sentence(counts))
    if card:
        write_card(folder, radish, rows, counts)


if __name__ == "__main__":
    typer.run(evaluate)
