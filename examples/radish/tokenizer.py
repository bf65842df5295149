"""The tokenizer: byte-fallback BPE that gives every text back exactly, and the plain chat format.

A word carries the space before it, a digit stands alone, a newline stands alone: it is what ends a turn. The 256 byte
tokens spell whatever the corpus never showed. This module knows no topic and no model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY = 4096
CONTEXT = 2048
SYSTEM = "You are a helpful assistant."
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
_LETTERS = r"(?:(?!\p{Han})\p{L})+"  # a Chinese character is a word of its own
_PIECES = Regex(r"\n| ?@(?:'@)?|\p{Han}|\p{N}| ?[^\s\p{L}\p{N}]+|[^\S\n]".replace("@", _LETTERS))
_TEMPLATE = """\
{%- if not messages or messages[0]['role'] != 'system' -%}
    {{- 'You are a helpful assistant.\\n' -}}
{%- endif -%}
{%- for message in messages -%}
    {%- if message['role'] == 'system' -%}
        {{- message['content'] + '\\n' -}}
    {%- elif message['role'] == 'user' -%}
        {{- 'User: ' + message['content'] + '\\n' -}}
    {%- elif message['role'] == 'assistant' -%}
        {{- 'Assistant: ' + message['content'].lstrip() + '\\n' -}}
    {%- else -%}
        {{- raise_exception('unknown role: ' + message['role']) -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- 'Assistant:' -}}
{%- endif -%}
"""


def train_tokenizer(texts: Iterable[str], size: int = VOCABULARY) -> Tokenizer:
    """Learn the merges from the texts, then put the byte tokens in front of the learned vocabulary."""
    learned = _assemble(models.BPE())
    printable = [chr(code) for code in range(32, 127)]
    learned.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size - len(_BYTES), initial_alphabet=["\n", *printable], min_frequency=8, show_progress=False
        ),
    )
    model = json.loads(learned.to_str())["model"]
    by_rank = sorted(model["vocab"], key=model["vocab"].get)
    # Not "special" tokens: a user who types the seven characters <0x0A> gets those characters back.
    vocabulary = {piece: rank for rank, piece in enumerate(_BYTES + by_rank)}
    merges = [tuple(pair) for pair in model["merges"]]
    return _assemble(models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True))


def with_dropout(tokenizer: Tokenizer, share: float) -> Tokenizer:
    """The same tokenizer, leaving out merges at random: it spells the same text with more and smaller pieces."""
    state = json.loads(tokenizer.to_str())
    state["model"]["dropout"] = share
    return Tokenizer.from_str(json.dumps(state))


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write what `AutoTokenizer.from_pretrained` reads. No end token is named, so newlines stay ordinary text."""
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT,
    ).save_pretrained(folder)


def prompt_text(system: str, turns: Iterable[tuple[str, str]], user: str) -> str:
    """The chat format by hand, up to where the next reply begins; the chat template renders the same."""
    history = "".join(f"User: {asked}\nAssistant: {reply}\n" for asked, reply in turns)
    return f"{system}\n{history}User: {user}\nAssistant:"


def _assemble(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(_PIECES, behavior="isolated")
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer
