"""The command registry: every slash command of every front end, with its help, in one table.

A handler takes the chat and the text after the command's name, and yields items to show (`chat.chat.Item`).
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from ..radix.recording import Recording
from .chat import SETTINGS, Chat, Copied, Item, Preview, Tree
from .conversation import Conversation, Divergence
from .counted import counted
from .engine import Engine
from .errors import UsageError, UserError
from .local_models import local_models

Handler = Callable[[Chat, str], Iterator[Item]]
Choices = Callable[[Chat], list[str]]


LISTED = 20
"""Conversations that /list shows."""

FOUND = 20
"""Messages that /search shows."""


class Quit(Exception):
    """Raised by /quit."""


class Key(NamedTuple):
    """A key of the app that runs a command."""

    key: str  # Textual's name, such as "ctrl+n"
    argument: str = ""  # what it gives the command
    # "" anywhere, "chat" in the chat pane, "tree" with the tree or the timeline focused; in a lesson also "free" while
    # no question is open, "choices" at one with choices, "pick" at one that is answered in the tree
    where: str = ""
    footer: str = ""  # label in the footer; "" hides it


class Command(NamedTuple):
    """One slash command."""

    name: str  # without the slash
    usage: str  # what follows the name
    summary: str  # one line
    handler: Handler
    matters: bool  # one of the ten that /help shows
    app: bool = False  # only the app can do it: its handler yields an `Act`
    keys: tuple[Key, ...] = ()
    choices: Choices | None = None  # what may follow its name, for completion


COMMANDS: dict[str, Command] = {}
"""Every command of a chat by name, in the order of the help."""

LESSON: dict[str, Command] = {}
"""Every command of a lesson in the app; keys may mean something else there, commands of the same name may not."""


def command(
    name: str,
    usage: str,
    summary: str,
    *,
    matters: bool = False,
    app: bool = False,
    keys: tuple[Key, ...] = (),
    choices: Choices | None = None,
    table: dict[str, Command] = COMMANDS,
) -> Callable[[Handler], Handler]:
    """Puts a handler into a table."""

    def register(handler: Handler) -> Handler:
        table[name] = Command(name, usage, summary, handler, matters, app, keys, choices)
        return handler

    return register


def available(chat: Chat) -> dict[str, Command]:
    """Returns the commands that the chat's front end can run."""
    return {name: known for name, known in COMMANDS.items() if chat.app or not known.app}


def complete(chat: Chat, line: str) -> list[str]:
    """Returns the whole lines that a line beginning with a slash may become: command names, then what may follow."""
    name, space, argument = line[1:].partition(" ")
    if not space:
        return [f"/{known}" for known in available(chat) if known.startswith(name)]
    choices = COMMANDS[name].choices if name in available(chat) else None
    return [f"/{name} {choice}" for choice in (choices(chat) if choices else ()) if choice.startswith(argument)]


def run(chat: Chat, line: str) -> Iterator[Item]:
    """Runs a line that begins with a slash.

    Raises:
        UserError: an unknown command, or one that cannot be done; the chat goes on.
        Quit: the user leaves.
    """
    name, _, argument = line[1:].partition(" ")
    found = COMMANDS.get(name.strip().lower())
    if found is not None and found.app and not chat.app:
        raise UsageError(f"/{found.name} needs the app; this is the plain chat", "Start the app with: radixchat")
    if found is None:
        close = difflib.get_close_matches(name, available(chat), n=1)
        fix = "/help lists the commands; // sends a message that begins with /."
        if close:
            fix = f"Did you mean /{close[0]}?"
        raise UsageError(f"there is no command /{name}", fix)
    yield from found.handler(chat, argument.strip())
    yield from chat.news()


# -- the ten that matter --------------------------------------------------------------------------------------------


@command("help", "[all]", "what you can type", matters=True)
def _help(chat: Chat, argument: str) -> Iterator[Item]:
    everything = argument == "all"
    known_here = available(chat).values()
    shown = [known for known in known_here if everything or known.matters]
    width = max(len(f"/{known.name} {known.usage}") for known in shown)
    for known in shown:
        yield f"{f'/{known.name} {known.usage}':<{width}}  {known.summary}"
    if not everything:
        yield f"{'/help all':<{width}}  the other {len(known_here) - len(shown)} commands"
    yield 'Anything else is a message; """ begins and ends one of several lines; Ctrl-C stops a reply, Ctrl-D leaves.'


@command("new", "[NAME]", "open a conversation; it shares every prefix it can", matters=True)
def _new(chat: Chat, argument: str) -> Iterator[Item]:
    yield f"now in {chat.new(argument).name}"


def _names(chat: Chat) -> list[str]:
    return chat.names()


@command("switch", "NAME", "go to another conversation, open or saved", matters=True, choices=_names)
def _switch(chat: Chat, argument: str) -> Iterator[Item]:
    yield _where(chat.switch(argument or wanted("a conversation's name", "/switch NAME")))


@command("fork", "[NAME] [TURNS]", "copy this conversation (its first TURNS turns) and go on in the copy", matters=True)
def _fork(chat: Chat, argument: str) -> Iterator[Item]:
    *words, last = argument.split() or [""]
    turns = number_of(last, "/fork NAME 2") if last.isdigit() else None
    if turns is not None and turns > len(chat.current.turns):
        raise UsageError(f"there is no turn {turns}", f"{chat.current.name} has {len(chat.current.turns)} turns.")
    name = " ".join(words) if turns is not None else argument
    yield _where(chat.fork(name, turns))


@command("regen", "", "reply to the last message again", matters=True)
def _regen(chat: Chat, argument: str) -> Iterator[Item]:
    yield from chat.regenerate()
    if chat.params.greedy:
        yield "at temperature 0 a reply is always the same; /set temperature 0.8 lets it differ"


@command("edit", "[N] TEXT", "ask message N (the last, by default) in other words; later turns go", matters=True)
def _edit(chat: Chat, argument: str) -> Iterator[Item]:
    first, _, rest = argument.partition(" ")
    number, text = (int(first), rest.strip()) if first.isdigit() else (len(chat.current.turns), argument)
    if not text:
        raise UsageError("/edit needs the new text", f"Write it like `/edit 1 {_sample(chat)}`.")
    yield from chat.edit(number, text)


@command("undo", "[N]", "take back the last turn (or N turns); the cache keeps their tokens", matters=True)
def _undo(chat: Chat, argument: str) -> Iterator[Item]:
    turns = number_of(argument, "/undo 2") if argument else 1
    have = len(chat.current.turns)
    if not 1 <= turns <= have:
        raise UsageError(f"{turns} turns cannot be taken back", f"{chat.current.name} has {have}.")
    gone = chat.undo(turns)
    yield f"took back {len(gone)} turn{'s' if len(gone) > 1 else ''}: {gone[0].user!r}"


@command("tree", "", "the whole tree", matters=True)
def _tree(chat: Chat, argument: str) -> Iterator[Item]:
    yield Tree(chat.snapshot(), changed=False)


@command("preview", "TEXT", "what a message would reuse, prefill, split and evict; changes nothing", matters=True)
def _preview(chat: Chat, argument: str) -> Iterator[Item]:
    preview = chat.preview(argument or wanted("a message", "/preview What is a trie?"))
    yield preview_line(preview)
    if preview.divergence is not None:
        yield divergence_line(preview.divergence)


@command("quit", "", "leave", matters=True)
def _quit(chat: Chat, argument: str) -> Iterator[Item]:
    raise Quit
    yield ""


# -- conversations --------------------------------------------------------------------------------------------------


@command("list", "[all]", "the conversations: the open ones, and the saved ones that were used last")
def _list(chat: Chat, argument: str) -> Iterator[Item]:
    entries = chat.book.entries()
    shown = entries if argument == "all" else entries[:LISTED]
    for entry in shown:
        mark = "*" if entry.name == chat.current.name else "+" if entry.open else " "
        counts = f"{counted(entry.turns, 'turn')}, {entry.tokens} tokens"
        yield f"{mark} {entry.name}: {counts}{f' · {entry.opening}' if entry.opening else ''}"
    if len(entries) > len(shown):
        yield f"and {len(entries) - len(shown)} more: /list all; /search TEXT looks into them"


@command("search", "TEXT", "messages that hold TEXT, in all conversations")
def _search(chat: Chat, argument: str) -> Iterator[Item]:
    hits = list(islice(chat.book.search(argument or wanted("a text", "/search trie")), FOUND + 1))
    for hit in hits[:FOUND]:
        yield f"{hit.conversation} {hit.turn} {hit.role}: {hit.excerpt}"
    if not hits:
        yield f"no message holds {argument!r}"
    elif len(hits) > FOUND:
        yield f"and more: give a longer text than {argument!r}"
    else:
        yield "/switch NAME goes there"


@command("rename", "NAME", "give this conversation another name")
def _rename(chat: Chat, argument: str) -> Iterator[Item]:
    chat.rename(argument or wanted("a name", "/rename tries"))
    yield f"now in {chat.current.name}"


@command("delete", "NAME", "forget a conversation for good; the cache keeps its tokens a while", choices=_names)
def _delete(chat: Chat, argument: str) -> Iterator[Item]:
    name = argument or wanted("a conversation's name", "/delete main-2")
    chat.delete(name)
    yield f"forgot {name}; now in {chat.current.name}"


@command("continue", "", "go on with a reply that was stopped or cut off")
def _continue(chat: Chat, argument: str) -> Iterator[Item]:
    yield from chat.go_on()


@command("drop", "[N]", "forget the oldest N turns, when a conversation outgrows the context")
def _drop(chat: Chat, argument: str) -> Iterator[Item]:
    turns = number_of(argument, "/drop 2") if argument else 1
    if not 1 <= turns <= len(chat.current.turns):
        raise UsageError(f"{turns} turns cannot be dropped", f"{chat.current.name} has {len(chat.current.turns)}.")
    chat.drop(turns)
    yield f"dropped {turns}; what follows them must be computed again on the next turn"


@command("copy", "", "copy the last reply to the clipboard")
def _copy(chat: Chat, argument: str) -> Iterator[Item]:
    if not chat.current.turns:
        raise UsageError("there is no reply to copy", "Type a message first.")
    yield Copied(chat.current.turns[-1].reply.strip())


# -- the model ------------------------------------------------------------------------------------------------------


@command(
    "model",
    "[NAME]",
    "the model and those on this machine, or load another one (a folder or a hub id)",
    choices=lambda chat: [model.name for model in local_models()],
)
def _model(chat: Chat, argument: str) -> Iterator[Item]:
    if argument:
        chat.switch_model(argument)
    yield about_model(chat)
    yield from chat.engine.notes
    if not argument:
        for model in local_models():
            yield f"  {model.name} ({model.where})"


@command("system", "[TEXT]", "the system prompt, or another one for this conversation")
def _system(chat: Chat, argument: str) -> Iterator[Item]:
    if argument:
        chat.set_system(argument)
        if chat.current.turns:
            yield "the history stands on another system prompt now: the next turn computes it again"
    yield f"system prompt: {chat.current.system or '(the model’s own)'}"


@command(
    "set",
    "[NAME VALUE]",
    "sampling in this conversation: temperature, top_p, top_k, min_p, max_tokens, seed, stop",
    choices=lambda chat: list(SETTINGS),
)
def _set(chat: Chat, argument: str) -> Iterator[Item]:
    if argument:
        name, _, value = argument.partition(" ")
        chat.set(name, value.strip())
    now = chat.params
    yield (
        f"temperature {now.temperature:g} · top_p {now.top_p:g} · top_k {now.top_k} · min_p {now.min_p:g} · "
        f"max_tokens {now.max_tokens} · seed {'none' if now.seed is None else now.seed} · stop {list(now.stop)}"
    )


# -- the cache ------------------------------------------------------------------------------------------------------


@command("stats", "", "totals: turns, tokens, hit ratio, memory")
def _stats(chat: Chat, argument: str) -> Iterator[Item]:
    totals, snapshot = chat.totals, chat.snapshot()
    ratio = f"{100 * totals.reused // totals.prompt} %" if totals.prompt else "nothing asked yet"
    yield f"{totals.turns} turns · hit ratio {ratio}: reused {totals.reused} of {totals.prompt} prompt tokens"
    yield f"generated {totals.generated} · evicted {totals.evicted} tokens"
    nodes = sum(1 for _ in snapshot.nodes())
    parts = counted(nodes, chat.consists_of)
    yield f"{parts} · {snapshot.resident} tokens resident · {snapshot.free} free of {snapshot.capacity}"
    yield about_model(chat)


@command("export", "FILE [OPTIONS]", "draw the tree to a file: SVG, PNG, a page; options as of `radixchat export`")
def _export(chat: Chat, argument: str) -> Iterator[Item]:
    chat.journal.recorder.flush()
    yield from exported(chat.journal.recording, argument)


def exported(recording: Recording, argument: str, position: int | None = None, view: str = "") -> list[str]:
    """Exports what /export names, as it was at a moment (None is now) and as it is shown. Returns what to say."""
    from .cli import export_options
    from .exporting.formats import as_shown
    from .exporting.run import export_moment

    try:
        words = shlex.split(argument)
    except ValueError as error:
        raise UsageError(f"{argument!r}: {error}", "Close the quotes, or write \\' for one.") from None
    options = export_options(words)
    if view and not any(word.partition("=")[0] == "--view" for word in words):
        options = as_shown(options, view)
    return export_moment(recording, options, position)


# -- lines that several places print --------------------------------------------------------------------------------


def preview_line(preview: Preview) -> str:
    """Returns what a message would do, in the words of the signature line."""
    peek, prompt = preview.peek, preview.prompt
    parts = [f"would reuse {peek.reused} of {prompt}", f"prefill {prompt - peek.reused}"]
    if peek.split is not None:
        parts.append(f"split #{peek.split[0]} at {peek.split[1]}")
    if peek.inside is not None:
        parts.append(f"end inside #{peek.inside[0]} at {peek.inside[1]}, which splits unless the reply follows it")
    if peek.evicts:
        first = counted(len(peek.evicts), preview.of)
        parts.append(f"evict {first} first ({sum(gone.tokens for gone in peek.evicts)} tok)")
    if not peek.fits:
        parts.append(f"not fit: {peek.room} tokens of room needed, {peek.available} can be had")
    return " · ".join(parts)


def divergence_line(divergence: Divergence) -> str:
    """Returns where a template rewrote history, with its text on both sides."""
    return (
        f"the chat template rewrote history at token {divergence.at}: the model saw {divergence.held!r}, "
        f"the template has {divergence.template!r}; {divergence.lost} tokens no longer match"
    )


def about_model(chat: Chat) -> str:
    """Returns the line that names model, device, cache and what a token costs."""
    engine = chat.engine
    where = f" on {engine.device}, {engine.dtype}" if engine.dtype else ""
    cost = f", {engine.bytes_per_token} bytes per token" if engine.bytes_per_token else ""
    return f"{engine.name}{where} · cache {about_cache(engine)}, {size_of(chat, engine.cache.capacity)}{cost}"


def about_cache(engine: Engine) -> str:
    """Returns the name of a cache; of hash blocks, the rules, too."""
    config = engine.cache.config
    rules = f" ({config.preset}, blocks of {config.page_size})" if config.preset else ""
    return f"{engine.cache_name}{rules}"


def size_of(chat: Chat, tokens: int) -> str:
    """Returns a number of tokens, and their bytes if there are any."""
    return f"{tokens} tokens{_bytes(tokens * chat.engine.bytes_per_token)}"


def _bytes(size: int) -> str:
    if not size:
        return ""
    return f" ({size / (1 << 20):.1f} MiB)" if size >= 1 << 20 else f" ({size / 1024:.0f} KiB)"


@command("lessons", "", "what lessons there are, and how to open one")
def _lessons(chat: Chat, argument: str) -> Iterator[Item]:
    from .lessons.loading import load_lesson, shipped

    names = shipped()
    width = max(map(len, names), default=0)
    for name in names:
        yield f"{name:<{width}}  {load_lesson(name).title.text('en')}"
    yield "`radixchat lesson NAME`, in a shell, opens one; no model is loaded for it."


def number_of(text: str, example: str) -> int:
    """Returns a whole number, or raises UsageError with an example."""
    if not text.isdigit():
        raise UsageError(f"{text!r} is no number", f"Write it like `{example}`.")
    return int(text)


def wanted(what: str, example: str) -> str:
    """Raises UsageError: a command misses its argument."""
    raise UsageError(f"this command needs {what}", f"Write it like `{example}`.")


def _where(conversation: Conversation) -> str:
    turns = len(conversation.turns)
    return f"now in {conversation.name}" + (f", with {counted(turns, 'turn')}" if turns else "")


def _sample(chat: Chat) -> str:
    return chat.current.turns[-1].user if chat.current.turns else "Hello!"


from . import experiments, questions  # noqa: E402, F401 - more rows of the table
from .compare import asked  # noqa: E402, F401 - one more

__all__ = [
    "COMMANDS", "Command", "Key", "Quit", "UserError", "about_model", "available", "command", "complete",
    "divergence_line", "exported", "preview_line", "run",
]  # fmt: skip
