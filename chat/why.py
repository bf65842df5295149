"""Why a prompt was not reused, in words: the line under a turn, what /why says, and the same for programs.

Knows what `radix.why` found, and no cache. All text passes the labels of `viz`, so that every line is safe to print.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..radix.keys import TOKEN_BYTES, Key
from ..radix.past import Asker, Removal
from ..radix.policies import POLICIES
from ..radix.recording import Recording, RecordingError
from ..radix.travel import NoStep
from ..radix.why import Cause, Reason, Why, Whys
from ..viz import Labels, label
from .errors import UsageError, UserError
from .journal import open_recording
from .terminal import open_terminal

GLANCE = 24
"""Cells of a text in a line."""

NAME = 40
"""Cells of a conversation's name."""

WORTH = (
    Reason.EVICTED, Reason.REWRITTEN, Reason.RETOKENISED, Reason.NAMESPACE, Reason.HASH, Reason.UNMARKED,
    Reason.BEHIND, Reason.IN_FLIGHT,
)  # fmt: skip
"""What is worth a line under a turn; not the new message, and not what is lost in every turn."""


class Explained:
    """The explanations of one recording, in words.

    Args:
        recording: Read by this thread alone.
        ascii: Whether lines consist of ASCII only.

    Attributes:
        ascii: The same; a front end sets it when it knows.
    """

    def __init__(self, recording: Recording, *, ascii: bool = False) -> None:
        self._recording = recording
        self._whys = Whys(recording)
        self.ascii = ascii

    def last(self) -> Why | None:
        """Explains the request that began last; None if there was none."""
        asked = self._whys.last()
        return None if asked is None else self._whys.of_request(asked.request)

    def of_step(self, step: int | None) -> tuple[Why, ...]:
        """Explains the requests of a step; None is the last one that has any.

        Raises:
            UsageError: there is no such step, or none of its requests.
            UserError: the recording is damaged.
        """
        try:
            if step is None:
                last = self._whys.last()
                if last is None:
                    raise UsageError("nothing was asked yet", "Type a message first.")
                step = last.step
            whys = self._whys.of_step(step)
        except NoStep as error:
            raise UsageError(error.what, error.fix) from None
        except RecordingError as error:
            raise UserError(error.what, error.fix) from None
        if not whys:
            some = [number for number, asked in self._whys.past.steps.items() if asked]
            steps = f"The first that has one is {min(some)}, the last {max(some)}." if some else "No step has one."
            raise UsageError(f"no request began in step {step}", steps)
        return whys

    def line(self, why: Why) -> str:
        """Returns the line under a turn, or "" when nothing was lost that is worth a word."""
        return self._words().line(why)

    def tell(self, why: Why) -> list[str]:
        """Returns all that can be said."""
        return list(self._words().tell(why))

    def facts(self, why: Why) -> dict[str, Any]:
        """Returns the same for programs."""
        return self._words().facts(why)

    def _words(self) -> Words:
        return Words(self._recording, ascii=self.ascii)


class Words:
    """Sentences about one recording.

    Args:
        recording: Its header tells pages and preset, its pieces the text of tokens.
        ascii: Whether lines consist of ASCII only.
    """

    def __init__(self, recording: Recording, *, ascii: bool) -> None:
        self._ascii = ascii
        self._labels = Labels(recording.pieces, ascii=ascii)
        config = recording.header.config
        self._preset = config.preset
        self._page = f"{'block' if config.preset else 'page'} of {config.page_size}"
        self._node = "block" if config.preset else "node"

    # -- the line under a turn -----------------------------------------------------------------------------------------

    def line(self, why: Why) -> str:
        """See `Explained.line`."""
        worth = [cause for cause in why.causes if cause.reason in WORTH]
        if not worth and not why.reused:
            worth = [cause for cause in why.causes if cause.reason is Reason.ROUNDING]
        if not worth:
            return ""
        cause = max(worth, key=lambda cause: cause.tokens)
        rest = sum(other.tokens for other in worth) - cause.tokens
        more = f"; {rest} more: /why" if rest else ""
        return f"why: {_tokens(cause.tokens)} {self._short(why, cause)}{more}"

    def _short(self, why: Why, cause: Cause) -> str:
        one = cause.tokens == 1
        match cause.reason:
            case Reason.EVICTED:
                assert cause.removal is not None
                went = cause.removal
                when = _ago(why.step - went.step)
                said = self._did(went, one)
                whom = self._for(why, went)
                rule = f" ({went.why})" if self._is_rule(went) else ""
                return " ".join(filter(None, [said, when, whom])) + rule
            case Reason.REWRITTEN:
                return f"{_are(one)} the template's new words for what was said before"
            case Reason.ROUNDING:
                return f"{_are(one)} there, but only a whole {self._page} is reused"
            case _:
                return self._because(why, cause)

    def _did(self, went: Removal, one: bool) -> str:
        were = "was" if one else "were"
        match went.why:
            case "asked":
                return f"{were} evicted by hand"
            case "shrunk":
                return f"{were} evicted when the capacity shrank"
            case "cleared":
                return "went when the cache was emptied"
            case "not last":
                return f"{were} dropped"
            case "discarded":
                return "went with a request that failed"
            case "overwritten":
                return f"{were} replaced by an equal block"
            case "written over":
                return f"{were} written over"
            case "rehashed":
                return f"{were} given another hash"
            case _:
                return f"{were} {'trimmed' if went.trimmed else 'evicted'}"

    def _is_rule(self, went: Removal) -> bool:
        return went.why in POLICIES or went.why in RULES

    def _for(self, why: Why, went: Removal) -> str:
        if not went.askers:
            return ""
        if went.askers == (why.asker,):
            return "for this very prompt"
        names = list(dict.fromkeys(self._asker(asker) for asker in went.askers))
        if len(names) > 1:
            return f"for {', '.join(names[:-1])} or {names[-1]}"
        own = why.asker.conversation and went.askers[0].conversation == why.asker.conversation
        return f"for {names[0]} itself" if own else f"for {names[0]}"

    def _asker(self, asker: Asker) -> str:
        return self._quoted(asker.conversation) if asker.conversation else f"request {asker.request}"

    # -- all that can be said ------------------------------------------------------------------------------------------

    def tell(self, why: Why) -> Iterator[str]:
        """See `Explained.tell`."""
        whose = f" in {self._quoted(why.asker.conversation)}" if why.asker.conversation else ""
        apart = f", namespace {self._quoted(why.namespace)}" if why.namespace else ""
        yield (
            f"step {why.step}, request {why.asker.request}{whose}{apart}: reused {why.reused} of {why.prompt} prompt "
            f"tokens, computed {why.lost}"
        )
        if not any(cause.reason is Reason.OFF for cause in why.causes):
            yield self._where(why)
        for cause in why.causes:
            yield f"{cause.tokens:>6} {self._long(why, cause)}"
        if why.left is not None:
            here = f", and now {self._text(why.wanted)}" if why.left == why.at else ""
            yield (
                f"it leaves what {self._quoted(why.asker.conversation)} held after {_tokens(why.left)}: there stood "
                f"{self._text(why.held)}{here}"
            )
        if why.again:
            yield f"it was retracted, and reused {why.again} of these when it began again"

    def _where(self, why: Why) -> str:
        if why.known < why.prompt and why.at == why.known:
            return f"the cache held its first {_tokens(why.at)}; the recording does not tell those behind"
        if why.at >= why.prompt:
            return "the cache held all of it"
        node = f" ({self._node} {why.node})" if why.node is not None and why.at == why.matched else ""
        held = f"the cache held its first {_tokens(why.at)}{node}" if why.at else "the cache held none of it"
        goes = f"{held}; it goes on with {self._text(why.wanted)}"
        now = f", the cache with {self._text(why.there)}" if why.there else ""
        if why.gone:
            same = why.gone[:TOKEN_BYTES] == why.wanted[:TOKEN_BYTES]
            return f"{goes}{now}; {'the same' if same else self._text(why.gone)} had been there"
        return f"{goes}{now or ', where the cache has nothing'}"

    def _long(self, why: Why, cause: Cause) -> str:
        if cause.reason is not Reason.EVICTED:
            return self._because(why, cause)
        assert cause.removal is not None
        went = cause.removal
        said = self._did(went, cause.tokens == 1)
        when = f"in step {went.step}, {_ago(why.step - went.step)}"
        whom = self._for(why, went)
        parts = [f"{said} {when}{f' {whom}' if whom else ''}"]
        if went.why in BESIDES:
            parts.append(BESIDES[went.why])
        elif self._is_rule(went):
            wanted = f", when {_tokens(went.asked)} of room were wanted" if went.asked else ""
            parts.append(f"{RULES.get(went.why, went.why)} ({went.why}) went{wanted}")
            unused = f"not used for {_counted(went.age, 'request')}" if went.age else "touched by that very request"
            parts.append(f"number {went.order + 1} to go, {unused}")
        return ": ".join([parts[0], "; ".join(parts[1:])]) if parts[1:] else parts[0]

    def _because(self, why: Why, cause: Cause) -> str:
        one = cause.tokens == 1
        match cause.reason:
            case Reason.NEW:
                return f"{_are(one)} new: this beginning was never in the cache"
            case Reason.LAST:
                return "is the last one, which is always computed, for its logits"
            case Reason.ROUNDING:
                return f"{_are(one)} known, but not in a full {self._page} that is shared: only whole ones are reused"
            case Reason.IN_FLIGHT:
                return f"{_are(one)} what another request was computing at the same time"
            case Reason.NAMESPACE:
                name = self._quoted(cause.namespace) if cause.namespace else "the default one"
                return f"{_are(one)} there, in another namespace: {name}"
            case Reason.RETOKENISED:
                return f"{'spells' if one else 'spell'} a text that is in the cache, in other tokens"
            case Reason.REWRITTEN:
                return f"{_are(one)} what the chat template says anew of what was said before: it rewrote history"
            case Reason.HASH:
                how = "as prompt and answer" if self._preset != "vllm-0.4.2" else "before its block was full"
                return f"{_are(one)} there, under another hash ({how}), by which the lookup does not ask"
            case Reason.UNMARKED:
                return f"{_are(one)} there, in a block not marked as computed: {self._preset} forgets the last full one"
            case Reason.BEHIND:
                return f"{_are(one)} still there, behind a block that is not"
            case Reason.OFF:
                return "computed, since there is no cache"
            case _:
                return "computed, and the recording does not tell why: their tokens stand nowhere in it"

    # -- for programs --------------------------------------------------------------------------------------------------

    def facts(self, why: Why) -> dict[str, Any]:
        """See `Explained.facts`."""
        return {
            "request": why.asker.request,
            "conversation": why.asker.conversation,
            "step": why.step,
            "prompt_tokens": why.prompt,
            "matched_tokens": why.matched,
            "reused_tokens": why.reused,
            "computed_tokens": why.lost,
            "known_tokens": why.known,
            "held_tokens": why.at,
            "node": why.node,
            "prompt_goes_on": self._whole(why.wanted),
            "cache_goes_on": self._whole(why.there),
            "cache_went_on": self._whole(why.gone),
            "leaves_conversation_at": why.left,
            "conversation_went_on": self._whole(why.held),
            "reused_later": why.again,
            "causes": [_cause(cause) for cause in why.causes],
            "line": self.line(why),
        }

    def _whole(self, key: Key) -> str:
        return self._labels.whole(key).plain

    def _text(self, key: Key) -> str:
        text = self._labels.fit(key, GLANCE).plain
        return f'"{text}"' if self._ascii else f"“{text}”"

    def _quoted(self, name: str) -> str:
        text = label(name, ascii=self._ascii).fit(NAME, ascii=self._ascii).plain
        return f'"{text}"'


RULES: dict[str, str] = {
    "lru": "the leaf used least recently", "lfu": "the leaf used least often", "fifo": "the oldest leaf",
    "mru": "the leaf used last", "filo": "the newest leaf", "slru": "the leaf used least recently, and only once",
    "priority": "the leaf of the lowest priority", "lru-depth": "the block used least recently, the deepest of them",
    "queue": "the first block of the free queue", "all": "all unreferenced blocks at once",
}  # fmt: skip
"""What goes first under each rule."""

BESIDES: dict[str, str] = {
    "not last": "this cache keeps the last sequence only",
    "overwritten": "which was computed later, and is the one that is found",
    "written over": "another request had the block, too, and went on in it with other tokens",
    "rehashed": "its block was filled anew",
}  # fmt: skip
"""What else there is to say of what went by no rule."""


def _cause(cause: Cause) -> dict[str, Any]:
    facts: dict[str, Any] = {"cause": cause.reason.value, "tokens": cause.tokens, "start": cause.start}
    if cause.reason is Reason.NAMESPACE:
        facts["namespace"] = cause.namespace
    if cause.removal is not None:
        went = cause.removal
        facts["evicted"] = {
            "step": went.step, "rule": went.why, "order": went.order, "age": went.age, "asked_tokens": went.asked,
            "trimmed": went.trimmed, "requests": [asker.request for asker in went.askers],
            "conversations": list(dict.fromkeys(asker.conversation for asker in went.askers)),
        }  # fmt: skip
    return facts


def _tokens(number: int) -> str:
    return _counted(number, "token")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _are(one: bool) -> str:
    return "is" if one else "are"


def _ago(steps: int) -> str:
    return f"{_counted(steps, 'turn')} ago" if steps else "in this turn"


def run_why(name: str, *, step: int | None, json: bool, color: str, ascii: bool) -> None:
    """Prints why the prompts of a step were not reused.

    Raises:
        UserError: no such recording or step, or a damaged recording.
    """
    import json as jsonlib

    recording = open_recording(name)
    terminal = open_terminal(color, ascii)
    explained = Explained(recording, ascii=terminal.ascii)
    for number, why in enumerate(explained.of_step(step)):
        if json:
            print(jsonlib.dumps(explained.facts(why), ensure_ascii=False), file=terminal.out)
            continue
        for line in ([""] if number else []) + explained.tell(why):
            print(line, file=terminal.out)
    if recording.truncated and not json:
        terminal.say("The recording stops in the middle: its writer was interrupted, or it reached its limit.")
