"""The command line: what a person types, in and out of a terminal; messages, exit codes, streams."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from radixchat.chat import cli, start

torch = pytest.importorskip("torch")

from ..engine.models import tiny_model, tiny_tokenizer  # noqa: E402


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model with ChatML's template."""
    return tiny_model("llama", tmp_path_factory.mktemp("cli") / "llama")


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def objects(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Runs `radixchat …` in this process with some stdin, in a home of its own."""
    monkeypatch.setenv("RADIXCHAT_HOME", str(tmp_path / "home"))

    def call(*arguments: object, stdin: bytes | str = "") -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        monkeypatch.setattr(sys, "argv", ["radixchat", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Result(ended.value.code, *capsys.readouterr())

    return call


def two_lines(result: Result, code: int, *words: str) -> None:
    """Asserts an error: its code, one line saying what is wrong, one saying what to do, and no traceback."""
    assert result.code == code, result.err
    assert len(result.err.splitlines()) == 2, result.err
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err


def test_two_turns_and_a_second_conversation_over_a_pipe(run, llama: Path) -> None:
    """Turn 2 reuses all of turn 1 but the last token; the second conversation splits the node; the tree shows it."""
    lines = "Hello!\nAnd you?\n/new\nWhat can you do?\n/tree\n"
    result = run("chat", "--plain", "--json", "--model", llama, "--max-tokens", 8, "--temperature", 0, stdin=lines)
    first, second, third = [each for each in result.objects if each["event"] == "turn"]
    tree = result.objects[-1]

    assert result.code == 0
    assert second["reused_tokens"] == first["prompt_tokens"] + first["generated_tokens"] - 1
    assert third["splits"] and third["reused_tokens"] > 0
    assert third["conversation"] == "main-2"
    assert first["ttft_ms"] > 0 and first["decode_tokens_per_s"] > 0
    states = {node["state"] for node in tree["nodes"]}
    assert {"new", "reused", "resident"} <= states
    assert sum(node["tokens"] for node in tree["nodes"]) + tree["free"] == tree["capacity"]


def test_the_same_tree_in_plain_text(run, llama: Path) -> None:
    """The reply on stdout, the rest on stderr, and no escape sequence anywhere."""
    result = run("chat", "--plain", "--model", llama, "--max-tokens", 8, stdin="Hello!\n/new\nHello you!\n/tree\n")

    assert result.code == 0
    assert "reused" in result.err and "split node 1" in result.err
    assert "├─✚" in result.err and "●" in result.err
    assert "reused" not in result.out
    assert "\x1b" not in result.out + result.err


def test_one_prompt_as_an_argument_or_as_stdin(run, llama: Path) -> None:
    """Without --plain, all of stdin is one prompt."""
    options = ("--model", llama, "--max-tokens", 6, "--temperature", 0)
    given = run("chat", "Hello\nthere", *options)
    piped = run("chat", *options, stdin="Hello\nthere\n")

    assert given.code == piped.code == 0
    assert given.out == piped.out != ""


def test_colour_when_asked_and_never_with_no_color(run, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR counts when it is not empty; --color beats it."""
    options = ("chat", "Hello", "--model", llama, "--max-tokens", 4)
    assert "\x1b[" in run(*options, "--color", "always").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run(*options).err
    monkeypatch.setenv("NO_COLOR", "")
    assert "\x1b[" in run(*options).err


def test_bytes_that_are_no_text_are_a_message_like_any_other(run, llama: Path) -> None:
    """And the next turn works."""
    result = run("chat", "--plain", "--json", "--model", llama, "--max-tokens", 4, stdin=b"\xff\xfe\x00\nHello\n")
    assert result.code == 0
    assert [each["event"] for each in result.objects].count("turn") == 2


def test_an_error_in_a_pipe_goes_on_and_decides_the_exit_code(run, llama: Path) -> None:
    """A script notices."""
    result = run("chat", "--plain", "--model", llama, "--max-tokens", 4, stdin="/nonsense\nHello\n")
    assert result.code == 2
    assert "there is no command /nonsense" in result.err and "reused 0 of" in result.err


def test_a_recording_is_written_and_replayed(run, llama: Path, tmp_path: Path) -> None:
    """To a file of one's choice; `last` finds it."""
    file = tmp_path / "mine.jsonl"
    run("chat", "--plain", "--model", llama, "--max-tokens", 4, "--record", file, stdin="Hello\nAgain\n")
    whole = run("replay", "last", "--plain")
    second = run("replay", file, "--step", 2)

    assert whole.code == second.code == 0
    assert whole.out.count("the tree") == 2 and "step 2" in second.out
    assert second.out in whole.out
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_record_leaves_no_file(run, llama: Path, tmp_path: Path) -> None:
    """Not even `last`."""
    run("chat", "Hello", "--model", llama, "--max-tokens", 4, "--no-record")
    assert not (tmp_path / "home" / "recordings").exists()


def test_a_model_without_a_template_says_so_and_chats(run, tmp_path: Path) -> None:
    """In the plain format."""
    folder = tiny_model("qwen2", tmp_path / "bare")
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    tiny_tokenizer(folder, template=None)
    result = run("chat", "--plain", "--model", folder, "--max-tokens", 4, stdin="Hello\n")

    assert result.code == 0
    assert "no chat template" in result.err and "You are a helpful assi" in result.err


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (("--bogus",), 2, ("no such option",)),
        (("chat", "x", "--temperature", "-1"), 2, ("temperature",)),
        (("chat", "x", "--temperature", "warm"), 2, ("--temperature", "valid number")),
        (("chat", "x", "--device", "abacus"), 2, ("abacus",)),
        (("chat", "x", "--cache", "deep"), 2, ("deep",)),
        (("chat", "x", "--preset", "vllm-9"), 2, ("no preset 'vllm-9'", "vllm-0.4.2, vllm-0.5.4, ", "hf-cb")),
        (("chat", "x", "--preset", "hf-cb"), 2, ("--preset means nothing to cache radix", "--cache hash")),
        (("chat", "x", "--cache", "last", "--block-size", "8"), 2, ("--block-size", "cache last")),
        (("chat", "x", "--cache", "hash", "--page-size", "8"), 2, ("--page-size", "--block-size")),
        (("chat", "x", "--cache", "hash", "--preset", "nano-vllm", "--block-size", "8"), 2, ("multiples of 256",)),
        (("chat", "x", "--policy", "newest"), 2, ("unknown policy", "lru, lfu, fifo")),
        (("chat", "x", "--capacity", "1"), 2, ("too small for one request",)),
        (("chat", "x", "--capacity", "lots"), 2, ("no number of tokens or bytes",)),
        (("chat", "x", "--capacity", "12"), 1, ("the cache holds 12", "larger capacity")),
        (("chat", "y" * 900), 1, ("context holds 512",)),
        (("chat", "x", "--record", "/dev/null/x"), 2, ("cannot be written",)),
        (("chat", "x", "--model", "nobody/nothing"), 3, ("nobody/nothing", "hub")),
        (("chat",), 2, ("the prompt is empty",)),
        (("chat", "x", "--model", "words"), 2, ("no model to chat with",)),
        (("replay", "last"), 2, ("no recording yet",)),
        (("replay", "/nowhere.jsonl"), 1, ("cannot be read",)),
    ],
)
def test_wrong_input_gets_two_lines_and_its_code(run, llama: Path, arguments, code: int, words) -> None:
    """2 for usage, 3 for models, 1 for the rest."""
    model = () if "--model" in arguments or arguments[0] != "chat" else ("--model", llama)
    two_lines(run(*arguments, *model), code, *words)


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda folder: (folder / "model.safetensors").unlink(), ("no weights",)),
        (
            lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
            ("pickles", "safetensors"),
        ),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), ("tokenizer",)),
        (lambda folder: (folder / "config.json").unlink(), ("config.json",)),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x08" * 64), ("could not be read",)),
    ],
)
def test_damaged_models_exit_with_3(run, tmp_path: Path, damage, words) -> None:
    """And say what is damaged."""
    folder = tiny_model("llama", tmp_path / "damaged")
    damage(folder)
    two_lines(run("chat", "x", "--model", folder), 3, *words)


def test_without_torch_the_chat_says_how_to_get_it(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In two lines."""
    monkeypatch.setattr(start.importlib.util, "find_spec", lambda name: None)
    two_lines(run("chat", "x"), 3, "pip install 'radixchat[chat]'")


def test_damaged_and_newer_recordings(run, llama: Path, tmp_path: Path) -> None:
    """The line is named; a newer schema asks for a newer program."""
    file = tmp_path / "chat.jsonl"
    run("chat", "Hello", "--model", llama, "--max-tokens", 4, "--record", file)
    lines = file.read_text().splitlines(keepends=True)
    (tmp_path / "bad.jsonl").write_text("".join([*lines[:3], "rubbish\n", *lines[3:]]))
    (tmp_path / "new.jsonl").write_text("".join(lines).replace('"schema":1', '"schema":99', 1))
    (tmp_path / "cut.jsonl").write_text("".join(lines)[:-30])

    two_lines(run("replay", tmp_path / "bad.jsonl"), 1, "line 4", "Delete line 4")
    two_lines(run("replay", tmp_path / "new.jsonl"), 1, "schema 99", "Update radixchat")
    two_lines(run("replay", file, "--step", "7"), 2, "no step 7", "steps 0 to 1")
    cut = run("replay", tmp_path / "cut.jsonl")
    assert cut.code == 0 and "stops in the middle" in cut.err


def test_help_groups_the_commands(run) -> None:
    """And every command has a line."""
    result = run("--help")
    assert result.code == 0
    for word in ("Chat", "Teach", "Measure", "chat", "replay", "doctor"):
        assert word in result.out


def test_doctor_names_what_matters(run, llama: Path) -> None:
    """A model that cannot be loaded is a fact like the others."""
    result = run("doctor", "--model", llama)
    for word in ("torch", "bytes per token   768", "device", "float32", "recordings"):
        assert word in result.out
    missing = run("doctor", "--model", "nobody/nothing")
    assert missing.code == 0 and "nobody/nothing" in missing.out


def test_a_pipe_is_saved_where_a_conversation_is_named_and_goes_on_there(run, llama: Path, tmp_path: Path) -> None:
    """One prompt leaves no trace otherwise; --continue finds what was used last."""
    options = ("--model", llama, "--max-tokens", 4, "--temperature", 0, "--json")
    database = tmp_path / "home" / "conversations.db"
    run("chat", "Hello", *options)
    run("chat", "--plain", *options, stdin="Hello\n")
    assert not database.exists()

    first = run("chat", "Hello", "-c", "tries", *options)
    again = run("chat", "And you?", "--continue", *options)
    listed = run("chat", "--plain", "-c", "other", *options, stdin="/list\n")
    assert first.code == again.code == listed.code == 0
    assert [result.objects[-1]["conversation"] for result in (first, again)] == ["tries", "tries"]
    assert again.objects[-1]["prompt_tokens"] > first.objects[-1]["prompt_tokens"]
    assert again.objects[-1]["reused_tokens"] == 0  # nothing is resident in a new process
    assert [each["text"].split(" ·")[0] for each in listed.objects] == [
        "* other: 0 turns, 0 tokens", f"  tries: 2 turns, {again.objects[-1]['prompt_tokens'] + 4} tokens",
    ]  # fmt: skip
    recordings = len(list((tmp_path / "home" / "recordings").iterdir()))
    run("chat", "More", "-c", "tries", "--no-save", *options)
    assert len(list((tmp_path / "home" / "recordings").iterdir())) == recordings
    assert (
        run("chat", "--plain", "--continue", *options, stdin="/list\n")
        .objects[0]["text"]
        .startswith("* tries: 2 turns")
    )
    two_lines(run("chat", "x", "-c", "a", "--continue", *options), 2, "two conversations")


def test_the_settings_file_holds_and_the_command_line_beats_it(run, llama: Path, tmp_path: Path) -> None:
    """Also for whether a chat is recorded, and for sampling."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(f'model = "{llama}"\nmax_tokens = 3\npage_size = 2\nrecord = false\n')
    result = run("chat", "Hello", "--json")
    assert result.objects[-1]["generated_tokens"] == 3
    assert not (home / "recordings").exists()
    result = run("chat", "Hello", "--json", "--max-tokens", 5, "--record", tmp_path / "mine.jsonl")
    assert result.objects[-1]["generated_tokens"] == 5
    assert '"page_size":2' in (tmp_path / "mine.jsonl").read_text().splitlines()[0]
    settings = run("config").out
    assert str(home / "config.toml") in settings and "page_size = 2" in settings and "# seed" in settings
    assert "config.toml (valid)" in run("doctor").out


def test_settings_that_are_not_possible_are_refused_and_doctor_says_so(run, llama: Path, tmp_path: Path) -> None:
    """Help still helps."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text("modle = 1\n")
    for arguments in (("chat", "x"), ("config",)):
        two_lines(run(*arguments), 2, str(home / "config.toml"), "no setting 'modle'")
    assert run("chat", "--help").code == 0
    result = run("doctor", "--model", llama)
    assert result.code == 0 and "no setting 'modle'" in result.out


def test_a_store_that_cannot_be_used_is_said_and_the_chat_goes_on(run, llama: Path, tmp_path: Path) -> None:
    """In two lines."""
    (tmp_path / "home" / "conversations.db").mkdir(parents=True)
    result = run("chat", "Hello", "-c", "x", "--model", llama, "--max-tokens", 4)
    assert result.code == 0 and result.out
    assert "conversations.db" in result.err and "not saved" in result.err


def test_a_chat_on_hash_blocks_and_what_its_recording_says(run, llama: Path, tmp_path: Path) -> None:
    """From the command line or the settings; the header names the rules."""
    file = tmp_path / "blocks.jsonl"
    chat = ("chat", "--model", llama, "--temperature", "0", "--max-tokens", "4", "--record", file)
    plain = run(*chat, stdin="Hello!\nHello!\n")
    blocks = run(*chat, "--cache", "hash", "--preset", "vllm-0.11", "--block-size", "4", stdin="Hello!\nHello!\n")
    assert blocks.code == 0 and blocks.out == plain.out
    header = json.loads(file.read_text().splitlines()[0])
    assert header["cache"] == "hash"
    assert (header["config"]["preset"], header["config"]["page_size"]) == ("vllm-0.11", 4)
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text('cache = "hash"\npreset = "vllm-0.6.3"\npolicy = "mru"\nblock_size = 8\n')
    assert "cache hash (vllm-0.6.3, blocks of 8)" in run(*chat, "--plain", stdin="/model\n").err
    assert "hash, vllm-0.6.3, blocks of 8" in run("doctor", "--model", llama).out


def test_every_preset_is_listed(run) -> None:
    """A line each; help names three."""
    from radixchat.radix.presets import PRESETS, SHOWN

    listed = run("chat", "--preset", "list")
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()] == list(PRESETS)
    shown = run("chat", "--help").out
    assert all(name in shown for name in SHOWN) and "nano-vllm" not in shown
