"""Tiny random models with a small tokenizer, written as real Hugging Face folders.

`tiny_model("llama", folder)` makes one in a few milliseconds; ARCHITECTURES lists those our forward serves, REFUSED
those it must not. Weights are large on purpose: small ones give logits so alike that any two tokens tie.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.utils import logging

VOCABULARY = 320
CONTEXT = 512

CHATML = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)

_CORPUS = [
    "You are a helpful assistant. Hello, how are you? I am fine, thank you very much.",
    "The radix tree keeps what it has seen; the next prompt starts where the last one ended.",
    "naïve café 你好，世界 🌱 don't 1234",
] * 4

_SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.2,
    "eos_token_id": 2,
    "bos_token_id": None,
    "pad_token_id": None,
}

_OWN_SHAPES = ("gpt2", "t5")
_GPT2 = {"n_positions": CONTEXT, "n_embd": 64, "n_layer": 3, "n_head": 4, "initializer_range": 0.2, "eos_token_id": 2}

_LAYERS = ["sliding_attention", "full_attention", "sliding_attention"]

ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {}),
    "qwen2": ("Qwen2", {"num_attention_heads": 8, "num_key_value_heads": 1}),
    "qwen3": ("Qwen3", {"head_dim": 32}),
    "mistral": ("Mistral", {"head_dim": 16, "sliding_window": 200}),
    "gemma": ("Gemma", {"head_dim": 256, "num_key_value_heads": 1}),
    "gemma2": ("Gemma2", {"head_dim": 16, "sliding_window": 256, "query_pre_attn_scalar": 16}),
    "gemma3_text": ("Gemma3", {"head_dim": 16, "sliding_window": 256, "layer_types": _LAYERS}),
    "smollm3": ("SmolLM3", {"no_rope_layers": [1, 0, 1], "sliding_window": None}),
    "phi3": ("Phi3", {}),
    "gpt2": ("GPT2", _GPT2),
}
"""Class prefix and what differs from the common shape; Gemma's windows of 256 stand for any."""

LEAN = ("llama", "mistral", "qwen2", "qwen3")
"""Those that the lean forward serves as well."""

REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "mamba": ("Mamba", {"state_size": 8}),
    "deepseek_v2": ("DeepseekV2", {"kv_lora_rank": 16, "q_lora_rank": None, "qk_rope_head_dim": 8}),
    "deepseek_v3": ("DeepseekV3", {"kv_lora_rank": 16, "q_lora_rank": None, "n_routed_experts": 4}),
    "gpt_oss": ("GptOss", {"head_dim": 16, "num_local_experts": 2, "num_experts_per_tok": 1, "layer_types": _LAYERS}),
    "bloom": ("Bloom", {"n_head": 4, "n_layer": 2}),
    "falcon": ("Falcon", {"alibi": False}),
    "bert": ("Bert", {}),
    "t5": ("T5", {"d_model": 32, "d_ff": 32, "d_kv": 8, "num_layers": 1, "num_heads": 2}),
    "lfm2": ("Lfm2", {"layer_types": ["conv", "full_attention", "conv"]}),
}

_CLASSES = {"Bert": "BertLMHeadModel", "T5": "T5ForConditionalGeneration", "GPT2": "GPT2LMHeadModel"}


def tiny_model(arch: str, folder: Path, **changes: Any) -> Path:
    """Writes a tiny random model and its tokenizer to a folder, and returns the folder.

    Args:
        arch: A key of ARCHITECTURES or REFUSED.
        folder: Made if it is missing.
        changes: To the configuration.
    """
    prefix, own = {**ARCHITECTURES, **REFUSED}[arch]
    settings = {**_SHAPE, **own, **changes}
    if arch in _OWN_SHAPES:
        settings = {"vocab_size": VOCABULARY, **own, **changes}
    config_class = "Gemma3TextConfig" if arch == "gemma3_text" else f"{prefix}Config"
    config = getattr(transformers, config_class)(**settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = getattr(transformers, _CLASSES.get(prefix, f"{prefix}ForCausalLM"))(config)
    model.generation_config.eos_token_id = 2
    logging.disable_progress_bar()
    model.save_pretrained(folder)
    logging.enable_progress_bar()
    return tiny_tokenizer(folder)


def tiny_tokenizer(folder: Path, template: str | None = CHATML) -> Path:
    """Writes a byte-level tokenizer with ChatML's special tokens (ids 0 to 2; 3 is `<think>`, which is not special)."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        show_progress=False,
    )
    backend.train_from_iterator(_CORPUS, trainer)
    backend.add_tokens(["<think>"])
    PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        chat_template=template,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)
    return folder


def metaspace_tokenizer(folder: Path) -> Path:
    """Writes a tokenizer in the manner of Llama 2 and Gemma: ▁ for blanks, bytes for what it never saw, and a BOS."""
    byte_pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    backend = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True))
    trainer = trainers.BpeTrainer(vocab_size=90, special_tokens=["<s>", "</s>"], show_progress=False)
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    backend.train_from_iterator(["hello world hello there", "the world is round"] * 4, trainer)
    learned = backend.get_vocab()
    pieces = ["<s>", "</s>", *byte_pieces, *sorted(set(learned) - {"<s>", "</s>"}, key=lambda piece: learned[piece])]
    merges = [tuple(pair) for pair in _merges(backend)]
    backend.model = models.BPE(
        vocab={piece: rank for rank, piece in enumerate(pieces)}, merges=merges, byte_fallback=True
    )
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", clean_up_tokenization_spaces=False
    ).save_pretrained(folder)
    return folder


def _merges(backend: Tokenizer) -> list[list[str]]:
    merges: list[list[str]] = json.loads(backend.to_str())["model"]["merges"]
    return merges
