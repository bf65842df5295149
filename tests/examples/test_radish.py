"""The bundled model and its recipe: the corpus, the tokenizer, the chat format and what the shipped weights know."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("transformers")

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "chat" / "models" / "radish"
RECIPE = ROOT / "examples" / "radish"
sys.path.insert(0, str(RECIPE))  # the recipe is a folder of scripts that import each other by their plain names

import corpus  # noqa: E402
import evaluate  # noqa: E402
import tokenizer as recipe_tokenizer  # noqa: E402
import topics  # noqa: E402
import wording  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

SYSTEM = "You are a helpful assistant."
FLOOR, TOPIC_FLOOR = 0.85, 0.70  # of all held-out wordings and of each topic's; the model card has the table


@cache
def shipped_tokenizer():
    return AutoTokenizer.from_pretrained(FOLDER)


@pytest.fixture
def tokenizer():
    return shipped_tokenizer()


@pytest.fixture(scope="module")
def radish():
    return evaluate.Radish(FOLDER)


def first_documents(count: int, seed: int = 0) -> list[corpus.Document]:
    return list(islice(corpus.documents(seed), count))


# -- the corpus -----------------------------------------------------------------------------------------------------


def test_corpus_is_the_same_under_another_hash_seed():
    command = [sys.executable, str(RECIPE / "corpus.py"), "--count", "300", "--seed", "7"]
    runs = [
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("0", "12345")
    ]
    here = "".join(corpus.text_of(document) + "\n" for document in first_documents(300, seed=7))
    assert len({hashlib.sha256(text).hexdigest() for text in (*runs, here.encode())}) == 1


def test_corpus_can_start_anywhere():
    assert list(islice(corpus.documents(3, start=40), 5)) == first_documents(45, seed=3)[40:]


def test_corpus_holds_no_held_out_wording():
    asked = {
        wording.plain(line.partition(": ")[2])
        for document in first_documents(4000)
        for line in corpus.text_of(document).splitlines()
        if line.startswith(("User: ", "Question "))
    }
    assert len(asked) > 5000
    assert not asked & corpus.HELD_OUT


def test_no_fact_lists_a_held_out_wording():
    for each in topics.FACTS:
        listed = {wording.plain(text) for pattern in each.asks for text in wording.expand(pattern)}
        assert not listed & {wording.plain(text) for text in each.held_out}
        assert len(listed) >= 12, f"too few wordings: {each.reply}"


def test_every_reply_ends_with_the_only_newline_in_it():
    for document in first_documents(1000):
        for piece in document:
            if piece.kind == "reply":
                assert piece.text.startswith(" ") and piece.text.index("\n") == len(piece.text) - 1


def test_there_is_enough_to_know():
    assert len(topics.FACTS) >= 80
    assert len(topics.COUNTRIES) >= 60


# -- the tokenizer and the chat format ------------------------------------------------------------------------------


@given(st.text())
def test_every_text_comes_back(text):
    tokenizer = shipped_tokenizer()
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]))))
def test_newline_is_a_token_of_its_own(lines):
    tokenizer = shipped_tokenizer()
    newline = tokenizer.convert_tokens_to_ids("\n")
    ids = tokenizer("\n".join(lines))["input_ids"]
    assert ids.count(newline) == max(len(lines) - 1, 0)


@pytest.mark.parametrize("text", ["<0x0A>", "<0x41>", "▁a ▁", "a\r\n\tb", "你好", "🙂\u200d", "  ", "\n\n"])
def test_texts_that_break_other_tokenizers(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_digits_stand_alone(tokenizer):
    assert tokenizer.convert_ids_to_tokens(tokenizer(" 120")["input_ids"]) == [" ", "1", "2", "0"]


def test_newline_ends_a_reply_and_is_no_special_token(tokenizer, radish):
    newline = tokenizer.convert_tokens_to_ids("\n")
    assert radish.model.config.eos_token_id == radish.model.generation_config.eos_token_id == newline
    assert tokenizer.decode([newline], skip_special_tokens=True) == "\n"


TURNS = [
    {"role": "user", "content": "Hello!"},
    {"role": "assistant", "content": " Hi!"},
    {"role": "user", "content": "What is a trie?"},
    {"role": "assistant", "content": "A tree."},
]


def test_template_is_the_plain_format(tokenizer):
    text = tokenizer.apply_chat_template(TURNS[:3], tokenize=False, add_generation_prompt=True)
    assert text == f"{SYSTEM}\nUser: Hello!\nAssistant: Hi!\nUser: What is a trie?\nAssistant:"
    assert text == recipe_tokenizer.prompt_text(SYSTEM, [("Hello!", "Hi!")], "What is a trie?")


@pytest.mark.parametrize("system", [[], [{"role": "system", "content": "You are a pirate."}]])
def test_template_only_appends(tokenizer, system):
    def render(count: int, prompt: bool) -> list[int]:
        turns = system + TURNS[:count]
        return tokenizer.apply_chat_template(turns, add_generation_prompt=prompt, return_dict=False)

    whole = render(4, False)
    for count in range(1, 4):
        assert whole[: len(render(count, False))] == render(count, False)
    for count in (1, 3):  # with the generation prompt, a reply follows
        assert whole[: len(render(count, True))] == render(count, True)


def test_pieces_encode_like_the_whole(tokenizer):
    for document in first_documents(200):
        pieces = [token for piece in document for token in tokenizer(piece.text)["input_ids"]]
        assert pieces == tokenizer(corpus.text_of(document))["input_ids"]


# -- the shipped weights --------------------------------------------------------------------------------------------


def test_it_is_small(radish):
    assert radish.model.num_parameters() <= 8_000_000
    assert (FOLDER / "model.safetensors").stat().st_size <= 16_000_000
    assert radish.model.config.head_dim in (32, 64, 128)
    assert radish.model.config.tie_word_embeddings


def test_hello(radish):
    assert radish.reply(f"{SYSTEM}\nUser: Hello!\nAssistant:") == "Hi!"


@pytest.mark.parametrize(
    ("user", "start"),
    [
        ("What can you do?", "I can "),
        ("Solve this problem ...", "Sure! "),
        ("Write a story ...", "Sure! "),
        ("Who are you?", "I am radish"),
    ],
)
def test_the_turns_of_the_papers_figure(radish, user, start):
    assert radish.reply(f"{SYSTEM}\nUser: {user}\nAssistant:").startswith(start)
    assert radish.reply(f"{SYSTEM}\nUser: Hello!\nAssistant: Hi!\nUser: {user}\nAssistant:").startswith(start)


def test_held_out_wordings(radish):
    rows = {topic: right / asked for topic, right, asked in evaluate.table_of(evaluate.score(radish))}
    assert rows["total"] >= FLOOR, rows
    assert min(rows.values()) >= TOPIC_FLOOR, rows


def test_sampled_replies_end_and_do_not_go_in_circles(radish):
    counts = evaluate.faults(radish)
    assert counts.empty + counts.endless + counts.repeating <= 0.02 * counts.replies, counts
