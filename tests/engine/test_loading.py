"""What loads, what is refused, and the two lines that say why."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from huggingface_hub import errors as hub
from safetensors.torch import load_file, save_file

from radixchat.chat.engine import loading
from radixchat.chat.engine.loading import load_model
from radixchat.chat.errors import ModelError, UsageError


@pytest.fixture
def llama(tiny, tmp_path):
    """A copy of a tiny Llama that may be spoiled."""
    return shutil.copytree(tiny("llama"), tmp_path / "llama")


def change(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refusal(folder, capfd, **options):
    """Loads a model that must be refused quietly, and returns what is said."""
    with pytest.raises(ModelError) as caught:
        load_model(folder, **options)
    assert caught.value.exit_code == 3
    assert "\n" not in caught.value.what + caught.value.fix and caught.value.fix
    assert capfd.readouterr() == ("", "")
    return caught.value.what


def test_the_facts_of_a_model(llama, capfd):
    loaded = load_model(llama)
    assert (loaded.name, loaded.path) == ("llama", str(llama))
    assert (loaded.device, loaded.dtype) == (torch.device("cpu"), torch.float32)
    assert (loaded.max_context, loaded.vocab_size, loaded.notes) == (512, 320, ())
    assert loaded.kv_shapes == ((2, 16),) * 3
    assert loaded.bytes_per_token == 2 * 4 * 3 * 2 * 16
    assert not loaded.model.training and not any(each.requires_grad for each in loaded.model.parameters())
    assert capfd.readouterr() == ("", "")


def test_half_precision_halves_the_pool(llama):
    loaded = load_model(llama, dtype="bfloat16")
    assert {each.dtype for each in loaded.model.parameters()} == {torch.bfloat16}
    assert loaded.bytes_per_token == 2 * 2 * 3 * 2 * 16


@pytest.mark.parametrize(("arch", "window"), [("mistral", 200), ("gemma3_text", 256)])
def test_a_sliding_window_lowers_the_context_and_says_so(arch, window, tiny):
    loaded = load_model(tiny(arch))
    assert loaded.max_context == window
    assert len(loaded.notes) == 1 and str(window) in loaded.notes[0] and "sliding window" in loaded.notes[0]


def test_a_window_beyond_the_context_changes_nothing(models, tmp_path):
    loaded = load_model(models.tiny_model("mistral", tmp_path / "wide", sliding_window=4096))
    assert (loaded.max_context, loaded.notes) == (512, ())


def test_longrope_lowers_the_context_to_its_short_part(models, tmp_path):
    factors = {"short_factor": [1.0] * 8, "long_factor": [2.0] * 8}
    rope = {"rope_type": "longrope", "rope_theta": 1e4, "factor": 4.0, **factors}
    changes = {"rope_parameters": rope, "original_max_position_embeddings": 128}
    loaded = load_model(models.tiny_model("phi3", tmp_path / "long", **changes))
    assert loaded.max_context == 128 and "longrope" in loaded.notes[0]


# -- refused by their configuration, and by the probe where that says nothing ------------------------------------------


@pytest.mark.parametrize(
    ("arch", "reason"),
    [
        ("mamba", "running state"),
        ("lfm2", "running state"),
        ("deepseek_v2", "multi-head latent attention"),
        ("deepseek_v3", "multi-head latent attention"),
        ("gpt_oss", "sinks"),
        ("bloom", "ALiBi"),
        ("t5", "encoder"),
        ("bert", "tokens after them"),
        ("falcon", "attention be replaced"),
    ],
)
def test_models_that_our_attention_cannot_serve(arch, reason, tiny, capfd):
    assert reason in refusal(written(tiny, arch, capfd), capfd)


@pytest.mark.parametrize(
    ("arch", "reason"),
    [
        ("mamba", "something else than keys and values"),
        ("lfm2", "something else than keys and values"),
        ("deepseek_v2", "differ in size"),
        ("deepseek_v3", "differ in size"),
        ("gpt_oss", "asks for s_aux"),
        ("bloom", "something else than keys and values"),
    ],
)
def test_the_probe_finds_out_by_itself(arch, reason, tiny, capfd, monkeypatch):
    folder = written(tiny, arch, capfd)
    monkeypatch.setattr(loading, "_refuse", lambda *_: None)
    assert reason in refusal(folder, capfd)


def test_the_probe_notices_a_state_of_another_kind(llama, capfd, monkeypatch):
    """A layer that remembers the token before outside of keys and values, as token shifts and convolutions do."""
    read = loading._read_weights

    def with_a_shift(*arguments):
        model = read(*arguments)
        embed = model.model.embed_tokens
        plain = embed.forward
        embed.forward = lambda ids: plain(ids) + plain(ids).roll(1, 1) * (ids > 1)[..., None]
        return model

    monkeypatch.setattr(loading, "_read_weights", with_a_shift)
    assert "more between tokens than keys and values" in refusal(llama, capfd)


def written(tiny, arch, capfd):
    """Writes a model; what transformers says about its unusual configuration is not ours."""
    folder = tiny(arch)
    capfd.readouterr()
    return folder


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"architectures": ["LlamaForSequenceClassification"]}, "continues text"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantised"),
        ({"model_type": "sorcery"}, "knows no model type 'sorcery'"),
        ({"model_type": "sorcery", "auto_map": {"AutoConfig": "sorcery.Config"}}, "code of its own"),
        ({"hidden_size": 65}, "not valid"),
    ],
)
def test_configurations_that_are_refused(changes, reason, llama, capfd):
    change(llama, **changes)
    assert reason in refusal(llama, capfd)


# -- damaged and missing -----------------------------------------------------------------------------------------------


def test_pickles_are_not_opened(llama, capfd):
    (llama / "model.safetensors").unlink()
    torch.save({}, llama / "pytorch_model.bin")
    assert "pickles" in refusal(llama, capfd)


def test_a_folder_without_weights(llama, capfd):
    (llama / "model.safetensors").unlink()
    assert "no weights" in refusal(llama, capfd)


@pytest.mark.parametrize("content", ["{", "[]", "\xff"])
def test_a_broken_configuration(content, llama, capfd):
    (llama / "config.json").write_text(content, encoding="latin-1")
    assert "config.json" in refusal(llama, capfd)


def test_a_folder_that_is_no_model(tmp_path, capfd):
    assert "no config.json" in refusal(tmp_path, capfd)


def test_weights_that_were_cut_short(llama, capfd):
    path = llama / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    assert "could not be read" in refusal(llama, capfd)


def test_weights_of_another_shape(llama, capfd):
    change(llama, intermediate_size=128)
    said = refusal(llama, capfd)
    assert "down_proj.weight has the shape" in said and "should have [" in said and "128]" in said


def test_weights_that_are_no_numbers(llama, capfd):
    path = llama / "model.safetensors"
    weights = {name: weight * float("nan") for name, weight in load_file(path).items()}
    save_file(weights, path, {"format": "pt"})
    assert "give no numbers (NaN or infinity)" in refusal(llama, capfd)


def test_missing_weights_are_not_made_up(llama, capfd):
    change(llama, num_hidden_layers=4)
    assert "lacks" in refusal(llama, capfd)


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "no/such/hub/id", "with blanks"])
def test_what_cannot_be_a_hub_id_is_a_missing_folder(name, capfd):
    assert f"no folder {name}" in refusal(name, capfd)


def test_a_hub_id_without_a_network(capfd, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert "cannot be reached" in refusal("nobody/nothing", capfd)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (hub.LocalEntryNotFoundError("offline"), "cannot be reached"),
        (OSError("disk full"), "could not be downloaded: disk full"),
    ],
)
def test_downloads_that_fail(error, reason, capfd, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    assert reason in refusal("nobody/nothing", capfd)


def test_a_hub_model_is_refused_before_its_weights_are_fetched(llama, capfd, monkeypatch):
    asked = []

    def download(hub_id, *, allow_patterns, ignore_patterns):
        asked.append((hub_id, [pattern for pattern in allow_patterns if "safetensors" in pattern]))
        return str(llama)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert load_model("owner/model").name == "owner/model"
    assert asked == [("owner/model", []), ("owner/model", ["*.safetensors"])]
    asked.clear()
    change(llama, architectures=["LlamaForSequenceClassification"])
    refusal("owner/model", capfd)
    assert asked == [("owner/model", [])]


def test_the_bundled_model_may_be_missing(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(loading, "MODELS", tmp_path)
    assert "bundled model is missing" in refusal(None, capfd)


@pytest.mark.parametrize("name", [None, "radish"])
def test_the_bundled_model_lies_in_the_package(name, models, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "MODELS", tmp_path)
    models.tiny_model("llama", tmp_path / "radish")
    assert load_model(name).name == "radish"


@pytest.mark.parametrize("options", [{"device": "abacus"}, {"dtype": "float12"}])
def test_settings_that_do_not_exist(options, llama):
    with pytest.raises(UsageError, match="Choose one of"):
        load_model(llama, **options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_device_that_is_missing(llama, capfd):
    assert "no cuda device" in refusal(llama, capfd, device="cuda")


def test_transformers_settings_are_left_as_they_were(llama):
    from transformers.utils import logging

    logging.enable_progress_bar()
    before = logging.get_verbosity()
    load_model(llama)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (before, True)
