"""What the live view costs: the app at a pseudo-terminal against the plain chat, both as processes (G13).

The bundled model is made to talk on and on; both arms get the same prompt, and the speed is what their recordings say.
Needs pexpect.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .timing import Times

RADISH = Path(__file__).parents[1] / "models" / "radish"
NEVER = 7  # a token of a byte that no reply has
PROMPT = "Hello!"
DONE = re.compile(r"generated (\d[\d,]*)")


def speeds(rounds: int, *, tokens: int, device: str = "auto") -> Times:
    """Times both arms in turn, one process each; seconds per token, as `plain` and `view`."""
    samples: dict[str, list[float]] = {"plain": [], "view": []}
    with tempfile.TemporaryDirectory() as home:
        talkative(Path(home) / "talkative")
        options = ("--max-tokens", str(tokens), "--device", device)
        for _ in range(rounds):
            with Chat(home, "--plain", *options) as chat:
                chat.prompt()
                samples["plain"].append(1 / chat.speed("\n"))
            with Chat(home, *options) as chat:
                chat.ready()
                samples["view"].append(1 / chat.speed("\r"))
    return Times(samples)


class Chat:
    """The program at a pseudo-terminal, until the context ends.

    Args:
        home: Where it keeps its files, and where the talkative model is.
        words: Of the command line.
    """

    def __init__(self, home: str, *words: str) -> None:
        import pexpect

        self.home = home
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        environment |= {"RADIXCHAT_HOME": home, "TERM": "xterm-256color"}
        options = ("--capacity", "4096", "--temperature", "1", "--top-k", "0", "--seed", "5")
        self.child: Any = pexpect.spawn(
            sys.executable, ["-m", "radixchat", "chat", *words, "--model", f"{home}/talkative", *options],
            env=environment, dimensions=(34, 120), timeout=300, encoding="utf-8", codec_errors="replace",
        )  # fmt: skip

    def __enter__(self) -> Chat:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.close(force=True)

    def ready(self) -> None:
        """Waits until the app has its model."""
        self._expect("Type a message")
        self._expect("cache radix")
        time.sleep(0.5)

    def prompt(self) -> None:
        """Waits until the plain chat asks for a message."""
        self._expect(r"> ")

    def _expect(self, pattern: Any) -> None:
        import pexpect

        try:
            self.child.expect(pattern)
        except pexpect.EOF:
            lines = self.child.before.strip().splitlines() or ["it said nothing"]
            raise RuntimeError(f"the chat ended by itself: {lines[-1].strip()}") from None

    def speed(self, end: str) -> float:
        """Sends the prompt; returns tokens a second after the first, as the recording has them."""
        self.child.send(PROMPT + end)
        self._expect(DONE)
        recording = Path((Path(self.home) / "recordings" / "last").read_text(encoding="utf-8").strip())
        while True:  # the signature may be seen before the line is written
            lines = recording.read_text(encoding="utf-8").splitlines()
            timings = [json.loads(line) for line in lines if '"timing"' in line]
            if timings:
                return float(timings[-1]["decode_tokens_per_s"])
            time.sleep(0.01)


def talkative(folder: Path) -> Path:
    """Writes a radish that knows no end of a reply."""
    shutil.copytree(RADISH, folder)
    for name in ("config.json", "generation_config.json"):
        path = folder / name
        values = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**values, "eos_token_id": NEVER}), encoding="utf-8")
    return folder
