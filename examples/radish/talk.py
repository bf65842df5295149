"""Talk to a radish in the terminal, without the engine and its cache: the shortest way to try a fresh model.

python examples/radish/talk.py chat/models/radish
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from corpus import SYSTEM
from evaluate import Radish
from tokenizer import prompt_text


def talk(
    folder: Annotated[Path, typer.Argument(help="The model's folder.")] = Path("chat/models/radish"),
    system: Annotated[str, typer.Option(help="The system prompt.")] = SYSTEM,
    temperature: Annotated[float, typer.Option(help="0 always takes the best token.")] = 0.0,
) -> None:
    """Ask and answer until the input ends."""
    radish = Radish(folder)
    history: list[tuple[str, str]] = []
    try:
        while True:
            user = input("User: ")
            reply = radish.reply(prompt_text(system, history, user), temperature)
            print(f"Assistant: {reply}")
            history.append((user, reply))
    except EOFError:
        pass


if __name__ == "__main__":
    typer.run(talk)
