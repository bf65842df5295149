"""Conversations keep token ids; the template's additions follow them, and where it rewrites history it wins."""

from __future__ import annotations

from collections.abc import Sequence

from radixchat.chat.conversation import Conversation

from .scripted import ByteTokenizer


class ForgetsThoughts(ByteTokenizer):
    """A template that drops what was thought from history, as Qwen3's does."""

    def render(self, messages: Sequence[dict[str, str]], *, add_generation_prompt: bool, thinking: bool | None) -> str:
        calm = [{**message, "content": message["content"].split("</think>")[-1]} for message in messages]
        return super().render(calm, add_generation_prompt=add_generation_prompt, thinking=thinking)


def take(conversation: Conversation, tokenizer: ByteTokenizer, user: str, reply: str) -> None:
    """One finished turn: the reply, and the newline that ended it."""
    prompt = conversation.prompt(tokenizer, user)
    raw = f" {reply}\n"
    conversation.take(user, prompt, f" {reply}", list(raw.encode()), raw, "stop")


def text(ids) -> str:  # type: ignore[no-untyped-def]
    return bytes(ids.tolist()).decode("utf-8", errors="replace")


def test_the_next_prompt_is_the_ids_so_far_and_the_templates_delta() -> None:
    """Nothing of the history is tokenised again."""
    tokenizer, conversation = ByteTokenizer(), Conversation("main")
    take(conversation, tokenizer, "Hello!", "Hi!")
    held = conversation.ids
    prompt = conversation.prompt(tokenizer, "What is a trie?")

    assert prompt.divergence is None
    assert prompt.ids[: held.size].tolist() == held.tolist()
    assert text(prompt.ids) == (
        "You are a helpful assistant.\nUser: Hello!\nAssistant: Hi!\nUser: What is a trie?\nAssistant:"
    )


def test_a_reply_that_was_stopped_is_closed_by_the_delta() -> None:
    """No end-of-sequence token was sampled, so the template's newline comes with the next turn."""
    tokenizer, conversation = ByteTokenizer(), Conversation("main")
    prompt = conversation.prompt(tokenizer, "Hello!")
    conversation.take("Hello!", prompt, " Hi the", list(b" Hi the"), " Hi the", "cancelled")

    assert text(conversation.prompt(tokenizer, "Go on").ids).endswith("Assistant: Hi the\nUser: Go on\nAssistant:")
    assert conversation.prompt(tokenizer, "Go on").divergence is None


def test_a_template_that_rewrites_history_wins_and_the_place_is_named() -> None:
    """The tokens before the first difference are kept; the text of both sides is shown."""
    tokenizer, conversation = ForgetsThoughts(), Conversation("main")
    take(conversation, tokenizer, "Hello!", "<think>be kind</think>Hi!")
    prompt = conversation.prompt(tokenizer, "Thanks")

    assert prompt.divergence is not None
    assert text(prompt.ids) == "You are a helpful assistant.\nUser: Hello!\nAssistant: Hi!\nUser: Thanks\nAssistant:"
    assert prompt.divergence.at == len("You are a helpful assistant.\nUser: Hello!\nAssistant: ")
    assert prompt.divergence.held.startswith("<think>be kind")
    assert prompt.divergence.template.startswith("Hi!")
    assert prompt.divergence.at + prompt.divergence.lost == conversation.ids.size

    conversation.take("Thanks", prompt, " Bye", list(b" Bye\n"), " Bye\n", "stop")
    assert conversation.prompt(tokenizer, "And?").divergence is None


def test_another_system_prompt_diverges_at_the_start() -> None:
    """What stood before the difference is still the same."""
    tokenizer, conversation = ByteTokenizer(), Conversation("main", system="Be brief.")
    take(conversation, tokenizer, "Hello!", "Hi!")
    conversation.system = "Be long."
    divergence = conversation.prompt(tokenizer, "And?").divergence

    assert divergence is not None and divergence.at == len("Be ")


def test_a_character_that_was_cut_in_two_stays_two_tokens() -> None:
    """A stopped reply may end inside a character; its ids are kept, and the prompt still is one text."""
    tokenizer, conversation = ByteTokenizer(), Conversation("main")
    prompt = conversation.prompt(tokenizer, "Euro?")
    half = list(b" \xe2\x82")
    conversation.take("Euro?", prompt, " \ufffd", half, " \ufffd", "cancelled")
    following = conversation.prompt(tokenizer, "Again")

    assert following.divergence is None
    assert following.ids[: conversation.ids.size].tolist() == conversation.ids.tolist()


def test_cutting_and_forking_share_the_past() -> None:
    """A fork is a copy; cutting one leaves the other."""
    tokenizer, conversation = ByteTokenizer(), Conversation("main")
    for user, reply in (("One", "1"), ("Two", "2"), ("Three", "3")):
        take(conversation, tokenizer, user, reply)
    fork = conversation.fork("side", 1)
    gone = conversation.cut(2)

    assert [turn.user for turn in gone] == ["Three"]
    assert [turn.user for turn in fork.turns] == ["One"]
    assert text(fork.ids).endswith("User: One\nAssistant: 1\n")
    assert text(conversation.prompt(tokenizer, "x").ids).endswith("User: Two\nAssistant: 2\nUser: x\nAssistant:")


def test_a_continued_reply_is_one_reply() -> None:
    """The ids and the text grow together."""
    tokenizer, conversation = ByteTokenizer(), Conversation("main")
    prompt = conversation.prompt(tokenizer, "Count")
    conversation.take("Count", prompt, " one", list(b" one"), " one", "length")
    conversation.lengthen(" two", list(b" two\n"), " two\n", "stop")

    assert conversation.turns[-1].reply == " one two"
    assert text(conversation.ids).endswith("Assistant: one two\n")
    assert conversation.prompt(tokenizer, "And?").divergence is None


def test_dropping_the_oldest_turns_keeps_the_system_prompt() -> None:
    """The next prompt is shorter, and diverges after what is left in front."""
    tokenizer, conversation = ByteTokenizer(), Conversation("main")
    take(conversation, tokenizer, "One", "1")
    take(conversation, tokenizer, "Two", "2")
    conversation.drop_oldest(1)
    prompt = conversation.prompt(tokenizer, "Three")

    assert "One" not in text(prompt.ids) and "Two" in text(prompt.ids)
    assert prompt.divergence is not None
    assert prompt.divergence.at >= len("You are a helpful assistant.\nUser: ")
