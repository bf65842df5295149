"""Train radish from nothing: first the tokenizer, then the model.

    python examples/radish/train.py --minutes 20 --out chat/models/radish

The learning rate follows the clock, so a run ends annealed whatever the machine. A run that was interrupted goes on
from its last checkpoint when the same command is given again. This module knows the corpus only as a stream of
documents.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Annotated, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch loads: threads that wait leave the core to others

import torch
import torch.distributed as dist
import typer
from corpus import Document, documents, text_of
from tokenizer import CONTEXT, save_tokenizer, train_tokenizer, with_dropout
from tokenizers import Tokenizer
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from torch.nn.functional import cross_entropy
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

TOKENIZER_DOCUMENTS = 20_000
WIDTHS = (64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)  # tokens; longer documents are cut
BATCH_TOKENS = 2048
STEP_BATCHES = 2
PEAK_RATE = 3e-3
WARMUP = 0.03  # of the time
CHECKPOINT_SECONDS = 120.0
SPELLING_DROPOUT = 0.15  # of the merges, in the messages of every third document
MESSAGE_WEIGHT = 0.1  # of a message's tokens in the loss, in every other document: it teaches which words go together

Parts = list[tuple[list[int], float]]  # the tokens of a piece, and their weight in the loss
Row = tuple[list[int], list[int], list[float]]  # ids of a document, and for each the next one and its weight


@dataclass(frozen=True)
class Batch:
    """Documents of one width."""

    ids: Tensor  # [documents, length], padded on the right, where causal attention never looks
    labels: Tensor  # the next tokens
    weights: Tensor  # of the labels in the loss: 1 where a reply stands


@dataclass
class Clock:
    """How far a run is, across interruptions."""

    limit: float  # seconds
    spent: float = 0.0
    steps: int = 0
    documents: int = 0

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(self.spent / self.limit, 1.0)

    def rate(self) -> float:
        """Warm up, then fall along half a cosine."""
        if self.share < WARMUP:
            return PEAK_RATE * (self.share + 0.002) / WARMUP
        return PEAK_RATE * (0.5 + 0.5 * math.cos(math.pi * (self.share - WARMUP) / (1 - WARMUP)))


def new_model(tokenizer: Tokenizer) -> LlamaForCausalLM:
    """The shape of radish, with random weights."""
    end = tokenizer.token_to_id("\n")
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
    )
    model = LlamaForCausalLM(config)
    model.set_attn_implementation("eager")  # on a processor a third faster than the fused kernel, at these widths
    model.generation_config = GenerationConfig(do_sample=False, eos_token_id=end, pad_token_id=end)
    return model


def batches(tokenizer: Tokenizer, seed: int, clock: Clock, process: int, processes: int) -> Iterator[list[Batch]]:
    """Steps of STEP_BATCHES batches, for one of some processes that deal the documents out among them.

    Documents of like length lie together, so that little is padding, and there are only as many shapes as WIDTHS,
    because a processor prepares its kernels anew for every shape.
    """
    speller, rng = with_dropout(tokenizer, SPELLING_DROPOUT), Random(process)
    waiting: dict[int, list[Row]] = {width: [] for width in WIDTHS}
    ready: list[Batch] = []
    for document in islice(documents(seed, clock.documents), process, None, processes):
        clock.documents += processes
        messages = rng.choice((MESSAGE_WEIGHT, 0.0))
        row = inputs_and_labels(encode(document, tokenizer, rng.choice((speller, tokenizer, tokenizer)), messages))
        ids, labels, weights = row
        width = next((width for width in WIDTHS if width >= len(ids)), WIDTHS[-1])
        waiting[width].append((ids[:width], labels[:width], weights[:width]))
        if len(waiting[width]) * width >= BATCH_TOKENS:
            ready.append(pad(waiting[width], width))
            waiting[width] = []
        if len(ready) == STEP_BATCHES:
            yield ready
            ready = []


def encode(document: Document, tokenizer: Tokenizer, speller: Tokenizer, messages: float = 0.0) -> Parts:
    """Piece by piece; the speller takes the messages, so that a slip of the fingers meets pieces that are known."""
    weights = {"frame": 0.0, "message": messages, "reply": 1.0}
    return [
        ((speller if piece.kind == "message" else tokenizer).encode(piece.text).ids, weights[piece.kind])
        for piece in document
    ]


def inputs_and_labels(parts: Parts) -> Row:
    """The document without its last token, and for each token the next one and its weight."""
    ids = [token for tokens, _ in parts for token in tokens]
    weights = [weight for tokens, weight in parts for _ in tokens]
    return ids[:-1], ids[1:], weights[1:]


def pad(rows: list[Row], width: int) -> Batch:
    """The rows as tensors."""
    ids, labels, weights = ([part + [0] * (width - len(part)) for part in parts] for parts in zip(*rows, strict=True))
    return Batch(torch.tensor(ids), torch.tensor(labels), torch.tensor(weights, dtype=torch.float32))


def loss_of(model: LlamaForCausalLM, batch: Batch, device: str) -> Tensor:
    """The summed, weighted loss; only positions that count go through the output layer."""
    labels, weights = batch.labels.to(device).flatten(), batch.weights.to(device).flatten()
    wanted = weights.nonzero().flatten()
    wanted = torch.cat((wanted, wanted.new_zeros(-len(wanted) % 256)))  # few shapes again; position 0 has no weight
    with torch.autocast(device, torch.bfloat16):
        hidden = model.model(batch.ids.to(device), use_cache=False).last_hidden_state
        logits = model.lm_head(hidden.flatten(0, 1)[wanted])
    return (cross_entropy(logits.float(), labels[wanted], reduction="none") * weights[wanted]).sum()


def new_optimizers(model: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for the embeddings and the norms.

    In a comparison of eight minutes each, AdamW alone answered 11 % of the held-out wordings and this pair 44 %.
    """
    embeddings = [model.get_input_embeddings().weight]
    norms = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    matrices = [parameter for parameter in model.model.layers.parameters() if parameter.ndim == 2]
    return [
        torch.optim.Muon(matrices, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(
            [{"params": embeddings, "weight_decay": 0.05}, {"params": norms, "weight_decay": 0.0}], betas=(0.9, 0.98)
        ),
    ]


def step(
    model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], groups: list[Batch], clock: Clock, device: str
) -> float:
    """One update, the same in every process; returns the mean loss."""
    total = 0.0
    for batch in groups:
        loss = loss_of(model, batch, device)
        loss.backward()
        total += loss.item()
    count = sum(batch.weights.sum().item() for batch in groups)
    total, count = add_up(model, clock, total, count)
    for parameter in model.parameters():
        parameter.grad /= count
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = clock.rate()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return total / count


def add_up(model: LlamaForCausalLM, clock: Clock, total: float, count: float) -> tuple[float, float]:
    """Add the gradients, losses and counts of all processes, and let them all read the clock of the first one."""
    if not dist.is_initialized():
        return total, count
    parameters = list(model.parameters())
    spent = clock.spent if dist.get_rank() == 0 else 0.0
    flat = torch.cat([*(parameter.grad.flatten() for parameter in parameters), torch.tensor([total, count, spent])])
    dist.all_reduce(flat)
    *gradients, numbers = flat.split([*(parameter.numel() for parameter in parameters), 3])
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.view_as(parameter)
    total, count, clock.spent = numbers.tolist()
    return total, count


def load_or_train_tokenizer(work: Path, seed: int) -> Tokenizer:
    """The tokenizer of an interrupted run, or a new one."""
    path = work / "tokenizer.json"
    if path.exists():
        return Tokenizer.from_file(str(path))
    tokenizer = train_tokenizer(text_of(document) for document in islice(documents(seed + 1), TOKENIZER_DOCUMENTS))
    tokenizer.save(str(path))
    return tokenizer


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, out: Path) -> None:
    """The Hugging Face folder, weights in bfloat16."""
    half = LlamaForCausalLM(model.config).to(torch.bfloat16)
    half.load_state_dict(model.state_dict())
    half.generation_config = model.generation_config
    half.save_pretrained(out)
    save_tokenizer(tokenizer, out)


def save_checkpoint(path: Path, model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], clock: Clock) -> None:
    """Everything that a run needs to go on."""
    state = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "clock": vars(clock),
    }
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(path)  # an interruption leaves the old checkpoint or the new one, never half of one


def load_checkpoint(path: Path, model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], clock: Clock) -> None:
    """Put the run back to where it was."""
    state: dict[str, Any] = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    clock.spent, clock.steps, clock.documents = (state["clock"][name] for name in ("spent", "steps", "documents"))


def train(
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 20.0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    processes: Annotated[int, typer.Option(help="How many train together, each on one processor core.")] = 2,
    seed: Annotated[int, typer.Option(help="Of the corpus and the first weights.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the Hugging Face folder is written.")] = Path("chat/models/radish"),
    work: Annotated[Path, typer.Option(help="Where checkpoints live until the run ends.")] = Path("radish-training"),
) -> None:
    """Train the tokenizer and the model, then write the folder."""
    work.mkdir(parents=True, exist_ok=True)
    load_or_train_tokenizer(work, seed)
    plan = (1 if device != "cpu" else processes, minutes, device, seed, out, work)
    if plan[0] == 1:
        work_on(0, *plan)
    else:
        (work / "meeting").unlink(missing_ok=True)
        spawn(work_on, plan, nprocs=processes)  # two threads of one process would wait for each other in every product


def work_on(process: int, processes: int, minutes: float, device: str, seed: int, out: Path, work: Path) -> None:
    """What each process does: the first one also keeps the checkpoints and writes the folder."""
    if processes > 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        meeting = f"file://{(work / 'meeting').resolve()}"
        dist.init_process_group("gloo", init_method=meeting, rank=process, world_size=processes)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    tokenizer = load_or_train_tokenizer(work, seed)
    model = new_model(tokenizer).to(device)
    optimizers = new_optimizers(model)
    clock = Clock(minutes * 60)
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        load_checkpoint(checkpoint, model, optimizers, clock)
    stream = batches(tokenizer, seed, clock, process, processes)
    if process > 0:
        run(model, optimizers, stream, clock, None, device)
        return
    print(f"{model.num_parameters():,} parameters, {tokenizer.get_vocab_size():,} tokens in the vocabulary", flush=True)
    run(model, optimizers, stream, clock, checkpoint, device)
    save(model.to("cpu"), tokenizer, out)
    record = {
        "minutes": minutes,
        "steps": clock.steps,
        "conversations": clock.documents,
        "seed": seed,
        "device": device,
    }
    (out / "training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    checkpoint.unlink(missing_ok=True)
    print(f"{clock.steps} steps, {clock.documents} conversations, written to {out}")


def run(
    model: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    stream: Iterator[list[Batch]],
    clock: Clock,
    checkpoint: Path | None,
    device: str,
) -> None:
    """Train until the clock runs out; with a checkpoint to keep, also print the smoothed loss now and then."""
    model.train()
    smooth, saved, before = None, clock.spent, time.monotonic()
    while clock.share < 1.0:
        groups, now = next(stream), time.monotonic()
        clock.spent, clock.steps, before = clock.spent + now - before, clock.steps + 1, now
        loss = step(model, optimizers, groups, clock, device)  # sets all clocks alike, so that all stop together
        smooth = loss if smooth is None else 0.98 * smooth + 0.02 * loss
        if checkpoint is None:
            continue
        if clock.steps % 100 == 0:
            print(f"{clock.spent / 60:6.1f} min  step {clock.steps:6d}  loss {smooth:.4f}", flush=True)
        if clock.spent - saved > CHECKPOINT_SECONDS:
            save_checkpoint(checkpoint, model, optimizers, clock)
            saved = clock.spent


if __name__ == "__main__":
    typer.run(train)
