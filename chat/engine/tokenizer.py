"""A Hugging Face fast tokenizer as the engine and the conversations use it: exact ids, exact bytes, rendered chats.

Text that a person typed never turns into a control token: :meth:`HFTokenizer.render` marks what looks like one inside
messages, and :meth:`HFTokenizer.encode` takes marked text letter by letter. Marks are two Unicode noncharacters, which
no text is supposed to hold. Knows no model weights, no conversation and no cache.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import TemplateError, TemplateSyntaxError
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging

from ...radix.keys import Int32Array
from ..errors import ModelError, RequestError

OPEN, CLOSE = "\ufdd0", "\ufdd1"
"""Around text of a control token that is meant as text."""

DEFAULT_SYSTEM = "You are a helpful assistant."
PLAIN_FORMAT = "The tokenizer has no chat template; chats are written as plain lines, User: and Assistant:."
PLAIN_STOP = ("\nUser:",)

_MARKS = re.compile(f"[{OPEN}{CLOSE}]")
_MARKED = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class HFTokenizer:
    """Wraps a fast tokenizer of transformers.

    Attributes:
        name: As recorded: the hub id or the name of its folder.
        eos_ids: Ids that end a reply, after generation_config.json, config.json and the tokenizer.
        vocab_size: One more than the highest id it can give or spell; a model may have more rows of logits.
        has_chat_template: Whether the model's makers say how a chat is written.
        stop: Texts that end a reply where no token does: in the plain format, the next line of the user.
        notes: What the user should know, one sentence each.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, name: str = "", eos_ids: Iterable[int] = ()) -> None:
        self._hf = tokenizer
        self._backend = tokenizer.backend_tokenizer
        self._added = {token: added.content for token, added in tokenizer.added_tokens_decoder.items()}
        self._controls = _control_pattern(tokenizer)
        self._known: dict[int, bytes] = {}
        decoders = _decoders(self._backend.decoder)
        self._byte_level = "ByteLevel" in decoders
        self._byte_fallback = "ByteFallback" in decoders
        self._metaspace = bool({"Metaspace", "Replace"} & decoders)
        self.name = name
        self.eos_ids = frozenset(eos_ids)
        self.vocab_size = max((*self._added, self._backend.get_vocab_size(with_added_tokens=True) - 1)) + 1
        self.has_chat_template = tokenizer.chat_template is not None
        self.stop = () if self.has_chat_template else PLAIN_STOP
        self.notes = () if self.has_chat_template else (PLAIN_FORMAT,)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> HFTokenizer:
        """Loads the tokenizer of a model folder, without the model.

        Raises:
            ModelError: there is none, it is damaged, or it exists in Python only.
        """
        folder = Path(path)
        name = _name(folder)
        try:
            with quiet():
                tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        except Exception as error:  # damaged files come as anything from OSError to the Rust library's own errors
            lines = str(error).strip().splitlines() or [type(error).__name__]
            what = f"{name}: the tokenizer cannot be loaded: {lines[0]}"
            raise ModelError(
                what, "Check that tokenizer.json is there and complete, or choose another model."
            ) from error
        if not getattr(tokenizer, "is_fast", False):
            what = f"{name} has a tokenizer in Python only, which does not tell the bytes of its tokens"
            raise ModelError(what, "Choose a model that has a tokenizer.json.")
        if not tokenizer.backend_tokenizer.get_vocab_size(with_added_tokens=False):
            raise ModelError(f"{name} has no tokenizer (tokenizer.json)", "Check that the model is complete.")
        return cls(tokenizer, name, _eos_ids(folder, tokenizer))

    # -- text to ids ---------------------------------------------------------------------------------------------------

    def encode(self, text: str, *, literal: Sequence[str] = ()) -> Int32Array:
        """Returns the token ids of a text, int32; no special tokens are added, those in the text are recognised.

        Args:
            text: Ordinary text, or what `render` returned (or its end).
            literal: Texts whose control tokens are taken letter by letter wherever they occur. What `render` made
                needs none of it.
        """
        for each in dict.fromkeys(literal):
            marked = self._mark(each)
            if marked != each:
                text = text.replace(each, marked)
        ids: list[int] = []
        for place, part in enumerate(_MARKED.split(text)):  # odd parts were marked
            ids += self._spell(part) if place % 2 else self._encode(_MARKS.sub("", part))
        return np.array(ids, dtype=np.int32)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._hf(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def _spell(self, text: str) -> list[int]:
        """Returns the ids of a text without looking for added tokens: the library's pipeline by hand."""
        backend = self._backend
        if backend.normalizer is not None:
            text = backend.normalizer.normalize_str(text)
        words = [text]
        if backend.pre_tokenizer is not None:
            words = [word for word, _ in backend.pre_tokenizer.pre_tokenize_str(text)]
        return [token.id for word in words for token in backend.model.tokenize(word)]

    def _mark(self, text: str) -> str:
        """Marks what looks like a control token."""
        text = _MARKS.sub("", text)
        return text if self._controls is None else self._controls.sub(rf"{OPEN}\g<0>{CLOSE}", text)

    # -- ids to text ---------------------------------------------------------------------------------------------------

    def token_bytes(self, token: int) -> bytes:
        """Returns the exact bytes of a token; added tokens are their text, ids without a token nothing.

        The bytes of a run of tokens, joined, are their text; a single token may hold part of a character.
        """
        known = self._known.get(token)
        if known is None:
            known = self._known[token] = self._bytes(token)
        return known

    def pieces(self, ids: Iterable[int]) -> list[bytes]:
        """Returns the bytes of each token."""
        return [self.token_bytes(int(token)) for token in ids]

    def _bytes(self, token: int) -> bytes:
        if token in self._added:
            return self._added[token].encode()
        piece = self._backend.id_to_token(token)
        if piece is None:
            return b""
        if self._byte_level:
            return b"".join(_BYTE_OF.get(char, char.encode()) for char in piece)
        if self._byte_fallback and (byte := _BYTE.fullmatch(piece)):
            return bytes([int(byte[1], 16)])
        return (piece.replace("▁", " ") if self._metaspace else piece).encode()

    # -- chats ---------------------------------------------------------------------------------------------------------

    def render(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        add_generation_prompt: bool,
        thinking: bool | None = None,
    ) -> str:
        """Returns what the chat template makes of messages, ready for `encode`.

        What looks like a control token in a message is marked as text, except in replies: there the model wrote it.

        Args:
            messages: Each with a role (system, user or assistant) and its content.
            add_generation_prompt: Whether the text ends where a reply begins.
            thinking: Given to templates that know thinking; None leaves their default.

        Raises:
            RequestError: the template refuses these messages.
            ModelError: the template is broken.
        """
        marked = [
            {
                **message,
                "content": message["content"] if message["role"] == "assistant" else self._mark(message["content"]),
            }
            for message in messages
        ]
        if not self.has_chat_template:
            return self._plain(marked, add_generation_prompt)
        options = {} if thinking is None else {"enable_thinking": thinking, "thinking": thinking}
        try:
            text: str = self._hf.apply_chat_template(
                marked, tokenize=False, add_generation_prompt=add_generation_prompt, **options
            )
        except (TemplateSyntaxError, ImportError) as error:
            raise ModelError(f"the chat template is broken: {error}", "Choose another model.") from error
        except (TemplateError, ValueError, TypeError, KeyError) as error:
            what = f"the chat template refuses this conversation: {error}"
            raise RequestError(
                what, "Some templates take no system prompt, or want user and reply in turns."
            ) from error
        return text

    def _plain(self, messages: Sequence[Mapping[str, str]], add_generation_prompt: bool) -> str:
        """The format of the bundled model: a system line, then User: and Assistant: lines."""
        start = "".join(self._added.get(token, "") for token in self._hf("")["input_ids"][:1])  # a BOS, if one is usual
        if not messages or messages[0]["role"] != "system":
            messages = [{"role": "system", "content": DEFAULT_SYSTEM}, *messages]
        lines = {"system": "{}\n", "user": "User: {}\n", "assistant": "Assistant: {}\n"}
        said = [lines[each["role"]].format(each["content"].lstrip()) for each in messages]
        return start + "".join(said) + ("Assistant:" if add_generation_prompt else "")


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps transformers from talking: what goes wrong is said by our own errors."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _control_pattern(tokenizer: PreTrainedTokenizerFast) -> re.Pattern[str] | None:
    """Matches special tokens, and the added tokens that the template writes; blanks are always ordinary text."""
    template = json.dumps(tokenizer.chat_template or "", ensure_ascii=False)
    controls = {
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if token.content.strip() and (token.special or token.content in template)
    }
    longest_first = sorted(controls, key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, longest_first))) if controls else None


def _decoders(decoder: Any) -> set[str]:
    """Returns the kinds of decoders in a tokenizer's pipeline: they say how its pieces spell bytes."""
    if decoder is None:
        return set()
    state = json.loads(decoder.__getstate__())
    return {each["type"] for each in (state, *state.get("decoders", ()))}


def _eos_ids(folder: Path, tokenizer: PreTrainedTokenizerFast) -> set[int]:
    found = {tokenizer.eos_token_id}
    for name in ("generation_config.json", "config.json"):
        try:
            written = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for section in (written, written.get("text_config") or {}):
            value = section.get("eos_token_id")
            found.update(value if isinstance(value, list) else [value])
    return {token for token in found if token is not None}


def _name(folder: Path) -> str:
    """Returns the hub id of a folder in the hub's cache (models--owner--name/snapshots/commit), else its name."""
    cached = folder.parts[-3:-1]
    if len(cached) == 2 and cached[1] == "snapshots" and cached[0].startswith("models--"):
        return cached[0].removeprefix("models--").replace("--", "/")
    return folder.name


def _byte_alphabet() -> dict[str, bytes]:
    """Returns GPT-2's alphabet, backwards: printable bytes stand for themselves, the others for U+0100 and up."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): bytes([byte]) for byte in printable} | {chr(256 + n): bytes([b]) for n, b in enumerate(others)}


_BYTE_OF = _byte_alphabet()
