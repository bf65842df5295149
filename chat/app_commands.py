"""What only the app can do, and every key: more rows for the one registry (`chat.commands`).

A handler here yields an `Act`, which the app carries out at once, also while a reply runs. A key is another way to
type a command; ``{node}`` in its argument stands for the node under the cursor, ``{step}`` for the step that is shown.
Knows no widget.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..radix.policies import POLICIES
from .chat import Chat
from .commands import COMMANDS, LESSON, Handler, Key, command
from .config import THEMES
from .items import Act, Item


def _act(name: str) -> Handler:
    def handler(chat: Chat, argument: str) -> Iterator[Item]:
        yield Act(name, argument)

    return handler


def _app(name: str, usage: str, summary: str, *keys: Key) -> None:
    words = [word for word in usage.strip("[]").split("|") if word.islower()]
    command(name, usage, summary, app=True, keys=keys, choices=lambda chat: words)(_act(name))


def _bind(name: str, *keys: Key) -> None:
    COMMANDS[name] = COMMANDS[name]._replace(keys=keys)


TREE = "tree"
CHAT = "chat"

_bind("help", Key("f1", footer="Help"), Key("question_mark", "", TREE))
_app("pane", "[chat|tree|node]", "go to a pane, or to the next one", Key("f2", footer="Pane"))
_app(
    "view", "[rail|ruler|figure|blocks|auto]", "how the tree is drawn; the next way, by default",
    Key("f3", footer="View"), Key("0", "auto", TREE), Key("1", "rail", TREE), Key("2", "ruler", TREE),
    Key("3", "figure", TREE), Key("4", "blocks", TREE),
)  # fmt: skip
_app("conversations", "", "choose a conversation from a list", Key("f4", footer="Chats"))
_bind("regen", Key("f5", footer="Regen"))
_bind("fork", Key("f6", footer="Fork"))
_bind("continue", Key("f7"))
_bind("new", Key("ctrl+n", footer="New"))
_bind("quit", Key("ctrl+q", footer="Quit"))
_app("stop", "", "stop the reply and keep what it said", Key("escape"), Key("ctrl+c"))

# -- time ------------------------------------------------------------------------------------------------------------

_app(
    "back", "[event|step|split|eviction]", "go back in time; the chat goes on meanwhile",
    Key("left", "event", TREE, "Back"), Key("pageup", "step", TREE), Key("left_square_bracket", "split", TREE),
    Key("left_curly_bracket", "eviction", TREE),
)  # fmt: skip
_app(
    "forward", "[event|step|split|eviction]", "go forward in time",
    Key("right", "event", TREE, "Forward"), Key("pagedown", "step", TREE),
    Key("right_square_bracket", "split", TREE), Key("right_curly_bracket", "eviction", TREE),
)  # fmt: skip
_app("goto", "STEP", "go to the end of a step; 0 is before all", Key("home", "0", TREE), Key("g", "", TREE))
_app("live", "", "come back to what happens now", Key("f8"), Key("end", "", TREE, "Live"))
_app("diff", "[A] [B]", "what differs between two steps; this step and the one before, by default", Key("d", "", TREE))
_bind("why", Key("w", "{step}", TREE))
_app("beats", "[on|off]", "whether splits and evictions pause for a moment when they happen", Key("t", "", TREE))

# -- the tree --------------------------------------------------------------------------------------------------------

_app(
    "move", "up|down|left|right|parent|branch|open", "move the cursor in the tree",
    Key("up", "up", TREE), Key("k", "up", TREE), Key("down", "down", TREE), Key("j", "down", TREE),
    Key("h", "left", TREE), Key("l", "right", TREE), Key("u", "parent", TREE), Key("b", "branch", TREE),
    Key("enter", "open", TREE),
)  # fmt: skip
_app(
    "pan", "up|down|left|right", "move a large picture",
    Key("shift+up", "up", TREE), Key("shift+down", "down", TREE), Key("shift+left", "left", TREE),
    Key("shift+right", "right", TREE),
)  # fmt: skip
_app(
    "fold", "[chains|none]", "fold what is below the cursor, or unfold it; all chains, or none",
    Key("space", "", TREE, "Fold"), Key("z", "chains", TREE), Key("Z", "none", TREE),
)  # fmt: skip
_app("compact", "", "draw the figure anew, as small as it can be; free places go")
_app(
    "find", "[TEXT|next|back]", "nodes whose text holds TEXT",
    Key("slash", "", TREE, "Find"), Key("n", "next", TREE), Key("N", "back", TREE),
)  # fmt: skip
_app(
    "zoom", "[on|off]", "give the tree the whole window, or let the chat have its room again",
    Key("o", "", TREE, "Zoom"),
)  # fmt: skip
_app("follow", "[on|off]", "keep the end of the active path in sight", Key("f", "", TREE))
_app("ids", "[on|off]", "show the token ids of the node under the cursor", Key("i", "", TREE))
_bind("evict", Key("x", "#{node}", TREE, "Evict"))
_bind("pin", Key("p", "#{node}", TREE, "Pin"))
_bind("unpin", Key("P", "#{node}", TREE))

# -- the chat --------------------------------------------------------------------------------------------------------

_app(
    "turn", "up|down|edit|copy|fork|regen", "choose a turn, and work on it",
    Key("alt+up", "up"), Key("alt+down", "down"),
    Key("up", "up", CHAT), Key("down", "down", CHAT), Key("e", "edit", CHAT, "Edit"), Key("c", "copy", CHAT, "Copy"),
    Key("f", "fork", CHAT, "Fork here"), Key("r", "regen", CHAT),
)  # fmt: skip
_app("theme", f"[{'|'.join(THEMES)}]", "the colours of the app; the next ones, by default", Key("f9"))

# -- lessons ---------------------------------------------------------------------------------------------------------

FREE = "free"
CHOICES = "choices"
PICK = "pick"


def _lesson(name: str, usage: str, summary: str, *keys: Key) -> None:
    command(name, usage, summary, app=True, keys=keys, table=LESSON)(_act(name))


def _share(name: str, *keys: Key) -> None:
    LESSON[name] = COMMANDS[name]._replace(keys=keys)


_lesson("help", "", "what you can type, and the keys", Key("f1", footer="Help"), Key("question_mark"))
_lesson(
    "text", "[on|off]", "all that is said, in place of the tree where they do not fit together",
    Key("f2", footer="More"),
)  # fmt: skip
_share("view", Key("f3", footer="View"))
_share("theme", Key("f9"))
_lesson(
    "next", "", "go on: the next question, or the next step; at an open question twice, to skip it",
    Key("pagedown", footer="Next"), Key("space"), Key("enter", "", FREE),
)  # fmt: skip
_lesson("back", "", "go back to the step before", Key("pageup", footer="Back"))
_lesson(
    "goto", "[STEP]", "go to a step: its number and then g, or g and then its number",
    Key("g", "", FREE), Key("home", "1", FREE), Key("end", "last", FREE),
)  # fmt: skip
_lesson("count", "DIGIT", "the number of a step, digit by digit", *(Key(digit, digit, FREE) for digit in "0123456789"))
_lesson(
    "event", "back|forward", "look at the events of what is shown, one by one",
    Key("left", "back", FREE, "Events"), Key("right", "forward", FREE),
)  # fmt: skip
_lesson(
    "answer", "1|2|3|4", "answer the open question", *(Key(digit, digit, CHOICES) for digit in "1234"),
)  # fmt: skip
_lesson(
    "choose", "up|down|this", "choose among the answers, or the node under the cursor",
    Key("up", "up", CHOICES), Key("down", "down", CHOICES), Key("enter", "this", CHOICES, "Answer"),
    Key("enter", "this", PICK, "Choose"),
)  # fmt: skip
_lesson(
    "play", "[on|off]", "play by itself; it waits at questions and where the lesson pauses",
    Key("full_stop", footer="Play"), Key("p"),
)  # fmt: skip
_lesson("faster", "", "play faster", Key("plus"))
_lesson("slower", "", "play slower", Key("minus"))
_lesson("whatif", "", "type what to change, or another prompt", Key("w", "", FREE, "What if"), Key("slash", "", FREE))
_lesson("capacity", "TOKENS", "what if the pool had another capacity")
_lesson("policy", "|".join(POLICIES), "what if another policy chose what goes")
_lesson("split-recency", "both|prefix", "what if a split made only its prefix recent")
_lesson("page-size", "TOKENS", "what if only whole pages were kept")
_lesson("restore", "", "come back from a what-if", Key("r"))
_lesson("restart", "", "begin the lesson again: every question is open, and nothing counted", Key("R"))
_lesson("note", "[on|off]", "the presenter's note", Key("n"))
_lesson("lang", "[en|zh]", "the language; the other one, by default", Key("l", footer="Lang"))
_lesson("level", "[intro|engineer]", "without locks, slots and the clock, or with them", Key("v"))
_lesson(
    "move", "up|down|left|right|parent|branch|next|previous", "move the cursor in the tree",
    Key("up", "up", FREE), Key("down", "down", FREE), Key("k", "up", FREE), Key("j", "down", FREE),
    *(Key(way, way, PICK) for way in ("up", "down", "left", "right")),
    Key("tab", "next", TREE), Key("shift+tab", "previous", TREE),
)  # fmt: skip
_share(
    "pan", Key("shift+up", "up"), Key("shift+down", "down"), Key("shift+left", "left"), Key("shift+right", "right")
)  # fmt: skip
_lesson("close", "", "leave the input line, or stop playing", Key("escape"))
_share("quit", Key("ctrl+q", footer="Quit"))
