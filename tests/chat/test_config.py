"""The settings file: what is taken, what is refused, and that the command line wins."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from radixchat.chat.config import Config, effective, load_config
from radixchat.chat.errors import UsageError
from radixchat.chat.paths import config_file


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes config.toml into a home of its own."""
    monkeypatch.setenv("RADIXCHAT_HOME", str(tmp_path))

    def write(text: str | bytes) -> Path:
        path = config_file()
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_no_file_and_an_empty_one_are_the_defaults(write) -> None:
    """Nobody has to have one."""
    assert load_config() == Config()
    write("# nothing\n")
    assert load_config() == Config()


def test_every_setting_can_be_written(write) -> None:
    """And the command line wins."""
    write(
        'model = "other"\ncapacity = "512MiB"\npolicy = "mru"\npage_size = 4\ntemperature = 1\nstop = ["a", "b"]\n'
        "thinking = true\nbeats = false\nsave = false\nseed = 7\n"
    )
    config = load_config()
    assert config == Config(
        model="other", capacity="512MiB", policy="mru", page_size=4, temperature=1.0, stop=("a", "b"), thinking=True,
        beats=False, save=False, seed=7,
    )  # fmt: skip
    given = config.given(model="mine", policy=None, seed=8, save=True)
    assert (given.model, given.policy, given.seed, given.save) == ("mine", "mru", 8, True)
    assert config.sampling() == {"temperature": 1.0, "stop": ("a", "b"), "seed": 7}
    assert config.engine()["capacity"] == "512MiB"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modle = 'x'", ("no setting 'modle'", "model, device")),
        ("page_size = 'four'", ("page_size = 'four'", "a whole number")),
        ("page_size = true", ("page_size = True", "a whole number")),
        ("page_size = 1.5", ("page_size = 1.5", "a whole number")),
        ("capacity = []", ("capacity = []", "a whole number or a text")),
        ("record = 1", ("record = 1", "true or false")),
        ("temperature = 'warm'", ("temperature", "a number")),
        ("temperature = -1", ("temperature = -1.0 is not possible", "0 (greedy) or more")),
        ("stop = [1]", ("stop", "a list of texts")),
        ("policy = 'newest'", ("policy", "lru, lfu")),
        ("preset = 'vllm'", ("preset", "vllm-0.4.2, vllm-0.5.4")),
        ("block_size = 'four'", ("block_size", "a whole number")),
        ("policy = 3", ("policy", "lru, lfu")),
        ("policy = []", ("policy", "lru, lfu")),
        ("view = 'tree'", ("view", "auto, rail, ruler, figure, blocks")),
        ("[chat]\nmodel = 'x'", ("no setting 'chat'",)),
        ("model = \nseed = 1", ("no TOML", "line 1")),
        (b"model = '\xff'", ("cannot be read",)),
    ],
)
def test_what_is_not_possible_is_refused_with_file_key_and_what_is_allowed(write, text, words) -> None:
    """Two lines, exit code 2."""
    path = write(text)
    with pytest.raises(UsageError) as raised:
        load_config()
    assert raised.value.exit_code == 2 and str(path) in raised.value.what
    assert "\n" not in raised.value.what + raised.value.fix
    for word in words:
        assert word in str(raised.value)


def test_effective_settings_are_a_file_again(write) -> None:
    """What is printed can be saved as it is."""
    odd = Config(system='Say "hi" \\ \n\t\x1b', stop=("a", "b"), seed=1, temperature=0.5)
    write("\n".join(effective(odd)))
    assert load_config() == odd
    tomllib.loads("\n".join(effective(Config())))


def test_an_engine_gets_the_settings_of_its_own_cache(write) -> None:
    """Those of the others wait in the file."""
    write('preset = "hf-cb"\nblock_size = 8\npolicy = "mru"\npage_size = 4\n')
    tree, blocks = load_config().engine(), load_config().given(cache="hash").engine()
    assert (tree["policy"], tree["page_size"]) == ("mru", 4) and not {"preset", "block_size"} & tree.keys()
    assert (blocks["preset"], blocks["block_size"]) == ("hf-cb", 8) and not {"policy", "page_size"} & blocks.keys()
    abouts = [load_config().given(cache=cache).about_cache for cache in ("radix", "hash", "last")]
    assert abouts == ["radix, mru, pages of 4", "hash, hf-cb, blocks of 8", "last"]
