"""What a chat begins with, whatever shows it: settings, what the command line asked for, and where things are kept."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

from .chat import Chat
from .config import Config
from .engine import Engine
from .errors import ModelError, UsageError
from .history import History
from .paths import conversations_file, history_file
from .store import Store


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of a chat.

    Attributes:
        config: The settings file under the command line; but for sampling, of the file alone.
        params: How to sample, from the command line.
        record: File to record to; None chooses one, unless the settings say that none is wanted.
        conversation: Name of the conversation to begin in.
        latest: Begin in the one that was used last.
    """

    config: Config
    params: dict[str, object] = field(default_factory=dict)
    record: Path | None = None
    conversation: str | None = None
    latest: bool = False

    @property
    def keeps(self) -> bool:
        """Whether the chat is recorded; where nothing is saved, only if a file for it was named."""
        return self.record is not None or (self.config.record and self.config.save)

    def history(self) -> History:
        """Returns what was typed before; where nothing is saved, nothing is read or written either."""
        return History(history_file() if self.config.save else None)

    def chat(self, *, app: bool = False, save: bool = True, model: str | None = None) -> Chat:
        """Loads the model and opens the conversations; takes seconds.

        Args:
            app: Whether the app shows it.
            save: False saves nothing, whatever the settings say.
            model: Another model than the settings name, for the first attempt failed.

        Raises:
            UserError: the model cannot be loaded, or a setting is not possible.
        """
        config = self.config if model is None else self.config.given(model=model)
        return Chat(
            lambda name: load(config, name),
            system=config.system,
            params=self.params,
            defaults=config.sampling(),
            record=self.record,
            keep=self.keeps,
            thinking=config.thinking,
            app=app,
            store=Store(conversations_file()) if save and config.save else None,
            conversation=self.conversation,
            latest=self.latest,
            why=config.why,
        )


def load(config: Config, model: str | None = None) -> Engine:
    """Loads an engine as the settings say, or another model in the same way."""
    name = model or config.model
    if name == "words":
        raise UsageError("the words tokenizer has no model to chat with", "Name a model, such as radish.")
    return Engine.load(**{**config.engine(), "model": name})


def check_installed() -> None:
    """Raises ModelError where no model can run at all."""
    if importlib.util.find_spec("torch") is None:
        raise ModelError(
            "a model needs PyTorch and transformers, which are not installed",
            "Install them with: pip install 'radixchat[chat]'",
        )
