"""The plain chat: a line-by-line front end for terminals, pipes, screen readers and scripts.

The reply goes to stdout; tree, signature line and talk go to stderr. With `--json`, stdout carries one object a line.
"""

from __future__ import annotations

import base64
import json as jsonlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from ..viz import TextStream, sanitize
from . import commands
from .chat import Act, Asked, Chat, Copied, Delta, Item, Report, Tree
from .errors import INTERRUPTED, UsageError, UserError
from .history import History
from .items import Compared
from .paint import tree_json, tree_lines
from .signature import cut_off, facts, signature
from .start import Start, check_installed
from .terminal import Terminal, open_terminal

if TYPE_CHECKING:
    from .compare.contest import Contest

TWICE = 2.0
"""Seconds within which a second Ctrl-C leaves."""


def run_chat(
    start: Start,
    *,
    prompt: str | None,
    lines: bool,
    json: bool,
    color: str,
) -> int:
    """Runs `radixchat chat`; returns the exit code.

    What a person types is saved. A prompt on the command line, or lines from a pipe, are saved only where a
    conversation is named to keep them in.

    Raises:
        UserError: nothing could be started.
    """
    check_installed()
    terminal = open_terminal(color, start.config.ascii)
    if json and terminal.interactive and prompt is None:
        raise UsageError("--json is for programs; here is a person at a keyboard", "Pipe lines in, or leave it out.")
    once = prompt is not None or (not lines and not sys.stdin.isatty())
    if once and prompt is None:
        prompt = sys.stdin.read().strip()
    if once and not prompt:
        raise UsageError("the prompt is empty", "Write one after `radixchat chat`, or pipe one in.")
    if terminal.interactive:
        terminal.say(f"loading {start.config.model} …")
    named = start.conversation is not None or start.latest
    chat = start.chat(save=named or (terminal.interactive and not once))
    front = PlainChat(chat, terminal, json=json, history=start.history())
    try:
        return front.answer(prompt) if prompt is not None else front.repl()
    finally:
        chat.close()


class PlainChat:
    """Shows a chat on a terminal, or as JSON.

    Args:
        chat: What is shown.
        terminal: Where.
        json: Print NDJSON to stdout instead.
        history: What was typed before; None begins with nothing and keeps nothing.
    """

    def __init__(self, chat: Chat, terminal: Terminal, *, json: bool = False, history: History | None = None) -> None:
        self.chat = chat
        self.chat.explained.ascii = terminal.ascii
        self.terminal = terminal
        self._history = history or History(None)
        self._json = json
        self._text = TextStream(ascii=terminal.ascii)
        self._interrupted = 0.0
        self._open_line = False  # the reply on stdout has not ended its line yet

    # -- the loops -------------------------------------------------------------------------------------------------

    def answer(self, prompt: str) -> int:
        """Replies to one prompt; returns the exit code."""
        self._news()
        code = self._run(self.chat.send(prompt))
        return code if code else self._stopped()

    def _stopped(self) -> int:
        last = self.chat.last
        return INTERRUPTED if last is not None and last.completion.finish_reason == "cancelled" else 0

    def repl(self) -> int:
        """Takes lines until the input ends; returns the exit code of the first error, unless a person saw it."""
        self._greet()
        first_error = 0
        try:
            for line in self._lines():
                code = self.line(line)
                first_error = first_error or code
        except commands.Quit:
            pass
        except KeyboardInterrupt:
            return INTERRUPTED
        return 0 if self.terminal.interactive else first_error

    def line(self, line: str) -> int:
        """Handles one line: a command, or a message. Returns 0, or the exit code of what went wrong."""
        if not line.strip():
            return 0
        if line.startswith("/") and not line.startswith("//"):
            return self._run(commands.run(self.chat, line))
        message = line[1:] if line.startswith("//") else line
        code = self._run(self.chat.send(message))
        return code

    def _run(self, items: Iterator[Item]) -> int:
        """Shows items as they come; an error ends them, and nothing else."""
        try:
            with self._stoppable():
                for item in items:
                    self._show(item)
        except UserError as error:
            self._complain(error)
            return error.exit_code
        finally:
            self._end_line()
        return 0

    # -- input -----------------------------------------------------------------------------------------------------

    def _news(self) -> None:
        for line in (*self.chat.engine.notes, *self.chat.news()):
            self._say(line)

    def _greet(self) -> None:
        self._news()
        if self.terminal.interactive:
            self._say(commands.about_model(self.chat))
            self._say("Type a message; /help lists the commands.")

    def _lines(self) -> Iterator[str]:
        if not self.terminal.interactive:
            yield from _whole(sys.stdin)
            return
        with _line_editing(self.chat, self._history.entries()) as remember:
            for entry in _whole(self._typed()):
                self._history.add(entry)
                remember(entry)
                yield entry

    def _typed(self) -> Iterator[str]:
        while True:
            try:
                yield input(f"{self.chat.current.name}> ")
            except EOFError:
                print(file=self.terminal.err)
                return
            except KeyboardInterrupt:
                print(file=self.terminal.err)
                if self._again():
                    raise
                self._say("Ctrl-C again or Ctrl-D leaves.")

    def _again(self) -> bool:
        """Whether Ctrl-C was pressed shortly before."""
        before, self._interrupted = self._interrupted, time.monotonic()
        return self._interrupted - before < TWICE

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """While a reply runs, Ctrl-C stops it and keeps what is there; twice leaves the program."""

        def stop(number: int, frame: object) -> None:
            if self._again():
                raise KeyboardInterrupt
            self.chat.stop()

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    # -- output ----------------------------------------------------------------------------------------------------

    def _show(self, item: Item) -> None:
        match item:
            case Asked():
                pass  # it stands on the line above
            case Delta(text):
                self._reply(text)
            case Report():
                self._report(item)
            case Tree():
                self._tree(item)
            case Copied(text):
                self._copy(text)
            case Compared(contest):
                self._compare(contest)
            case Act(name, _):
                raise UsageError(f"/{name} needs the app; this is the plain chat", "Start the app with: radixchat")
            case _:
                self._say(item)

    def _reply(self, text: str) -> None:
        if self._json:
            self._object({"event": "delta", "text": text})
            return
        self._print(self._text.feed(text.encode("utf-8", "surrogateescape")))

    def _print(self, text: str) -> None:
        if text:
            self.terminal.out.write(text)
            self.terminal.out.flush()
            self._open_line = not text.endswith("\n")

    def _end_line(self) -> None:
        self._print(self._text.close())
        if self._open_line:
            self._print("\n")

    def _report(self, report: Report) -> None:
        tree = Tree(report.snapshot, changed=True, also=report.completion.splits)
        if self._json:
            turn = {"event": "turn", "conversation": report.conversation, **facts(report.completion)}
            if report.divergence is not None:
                turn["divergence"] = report.divergence._asdict()
            if report.why is not None:
                turn["why"] = self.chat.explained.facts(report.why)
            self._object(turn)
            return
        self._end_line()
        self._tree(tree)
        if report.divergence is not None:
            self._say(commands.divergence_line(report.divergence))
        if report.completion.finish_reason in ("length", "capacity"):
            self._say(cut_off(report.completion.finish_reason))
        self._say(signature(report.completion, self.chat.consists_of))
        if line := self.chat.why_line(report):
            self._say(line)

    def _tree(self, tree: Tree) -> None:
        if self._json:
            self._object(tree_json(tree, self.chat.pieces, self.chat.engine.bytes_per_token))
            return
        console = self.terminal.console()
        for line in tree_lines(tree, self.chat.pieces, self.chat.engine.bytes_per_token, self.terminal):
            console.print(line, soft_wrap=True)

    def _compare(self, contest: Contest) -> None:
        last = len(contest.steps) - 1
        if self._json:
            from .compare.words import as_json

            self._object({"event": "compare", **as_json(contest, range(last + 1))})
            return
        from .compare.run import print_page

        print_page(self.terminal, contest, last, self.terminal.err)

    def _copy(self, text: str) -> None:
        """Asks the terminal to take the text into its clipboard (OSC 52)."""
        if not self.terminal.interactive:
            raise UsageError("there is no terminal to copy from", "Take the reply from stdout.")
        self.terminal.err.write(f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07")
        self._say(f"copied {len(text)} characters, if this terminal allows it")

    def _say(self, text: str) -> None:
        if self._json:
            self._object({"event": "info", "text": text})
        else:
            self.terminal.say(self._safe(text))

    def _complain(self, error: UserError) -> None:
        self._end_line()
        if self._json:
            self._object({"event": "error", "what": error.what, "fix": error.fix, "exit_code": error.exit_code})
        else:
            self.terminal.say(self._safe(error.what))
            self.terminal.say(self._safe(error.fix))
        for offer in error.offers:
            self._say(offer)

    def _safe(self, text: str) -> str:
        return sanitize(text, ascii=self.terminal.ascii)

    def _object(self, values: dict[str, Any]) -> None:
        self.terminal.out.write(jsonlib.dumps(values, ensure_ascii=False) + "\n")
        self.terminal.out.flush()


def _whole(lines: Iterator[str] | IO[str]) -> Iterator[str]:
    '''Joins the lines between two `"""`.'''
    block: list[str] | None = None
    for raw in lines:
        line = raw.rstrip("\r\n")
        if block is None:
            if not line.startswith('"""'):
                yield line
                continue
            line, block = line[3:], []
        if line.endswith('"""'):
            yield "\n".join([*block, line[:-3]]).strip("\n")
            block = None
        else:
            block.append(line)
    if block:
        yield "\n".join(block).strip("\n")


@contextmanager
def _line_editing(chat: Chat, entries: list[str]) -> Iterator[Callable[[str], None]]:
    """Line editing with what was typed before, and completion; yields what remembers an entry of several lines."""
    try:
        import readline
    except ImportError:  # Windows: lines come without editing
        yield lambda entry: None
        return

    def complete(text: str, state: int) -> str | None:
        if state == 0:
            start, end = readline.get_begidx(), readline.get_endidx()
            line = readline.get_line_buffer()[:end]
            lines = commands.complete(chat, line) if line.startswith("/") else []
            found[:] = [whole[start:] for whole in lines]
        return found[state] if state < len(found) else None

    found: list[str] = []
    readline.clear_history()
    for entry in entries:
        readline.add_history(entry)
    readline.set_completer_delims(" ")
    readline.set_completer(complete)
    libedit = "libedit" in (readline.__doc__ or "")  # the one of macOS
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    try:
        yield lambda entry: readline.add_history(entry) if "\n" in entry else None
    finally:
        readline.set_completer(None)
