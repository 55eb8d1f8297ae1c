"""Loading: by an organism's name, a directory or a hub id; what cannot be used is one sentence that says why."""

import json
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

import holdfast
from holdfast.errors import ModelError, UnknownName
from holdfast.models.identity import weights_hash
from holdfast.models.load import load
from holdfast.models.tiny import TINY, tiny


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A tiny model's directory."""
    place = tmp_path_factory.mktemp("models") / "good"
    holdfast.save(tiny(), place)
    return place


@pytest.fixture
def copy(good, tmp_path):
    return shutil.copytree(good, tmp_path / "model")


def without(place, name):
    tensors = load_file(place / "model.safetensors")
    tensors.pop(name)
    save_file(tensors, place / "model.safetensors", metadata={"format": "pt"})


def reshaped(place, name):
    tensors = load_file(place / "model.safetensors")
    tensors[name] = torch.zeros(5)
    save_file(tensors, place / "model.safetensors", metadata={"format": "pt"})


def truncated(place):
    whole = (place / "model.safetensors").read_bytes()
    (place / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def pickled(place):
    torch.save(load_file(place / "model.safetensors"), place / "pytorch_model.bin")
    (place / "model.safetensors").unlink()


def padless(place):
    settings = json.loads((place / "tokenizer_config.json").read_text())
    del settings["pad_token"]
    (place / "tokenizer_config.json").write_text(json.dumps(settings))


def with_template(place, template):
    (place / "chat_template.jinja").write_text(template)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (truncated, "cannot load {}: Error while deserializing header: incomplete metadata"),
        (lambda place: (place / "model.safetensors").write_bytes(b""), "cannot load {}: "),
        (pickled, "{} has pickled weights only (pytorch_model.bin), which can run code when read: convert them"),
        (lambda place: (place / "model.safetensors").unlink(), "{} has no weights: expected *.safetensors"),
        (lambda place: without(place, "model.norm.weight"), "{} lacks 1 of its weights"),
        (lambda place: reshaped(place, "model.norm.weight"), "or has them in another size (model.norm.weight)"),
        (lambda place: (place / "config.json").unlink(), "{} has no config.json"),
        (lambda place: (place / "config.json").write_text("{"), "cannot load {}: It looks like the config file"),
        (lambda place: (place / "config.json").write_text('{"model_type": "zzz"}'), "has model type `zzz`"),
        (lambda place: (place / "tokenizer.json").unlink(), "cannot load {}: "),
        (lambda place: (place / "chat_template.jinja").unlink(), "tokenizer of {} has no chat template: give it one"),
        (padless, "the tokenizer of {} has no pad token: set one"),
        (lambda place: with_template(place, "{% if %}"), "the chat template of {} is broken: "),
        (
            lambda place: with_template(
                place, "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}"
            ),
            "renders a prompt differently once there is an answer",
        ),
        (lambda place: (place / "holdfast.json").write_text("{"), "holdfast.json is not JSON"),
    ],
)
def test_what_cannot_be_loaded(copy, capfd, harm, said):
    harm(copy)
    with pytest.raises(ModelError) as error:
        load(str(copy))
    assert said.format(copy) in str(error.value)
    assert "\n" not in str(error.value).strip()
    # The one sentence is all there is: no report, no bar.
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("arcanna", "unknown model 'arcanna': did you mean 'arcana'"),
        ("tiny-lama", "did you mean 'tiny-llama'"),
        ("./nowhere", "unknown model './nowhere': there are: a directory, a hub id (owner/name), arcana"),
        ("/no/where", "unknown model '/no/where'"),
        ("a/b/c", "unknown model 'a/b/c'"),
    ],
)
def test_an_unknown_name(name, said):
    with pytest.raises(UnknownName) as error:
        load(name)
    assert said in str(error.value)


def test_a_hub_id_that_cannot_be_had():
    with pytest.raises(ModelError, match="cannot load nobody/nothing: "):
        load("nobody/nothing")


@pytest.mark.parametrize("name", TINY)
def test_a_tiny_model_of_every_family_comes_back(name, tmp_path):
    model = load(name)
    holdfast.save(model, tmp_path / "saved")
    again = load(str(tmp_path / "saved"))
    assert weights_hash(again.network) == weights_hash(model.network) == again.origin["weights"]
    assert not again.network.training


def test_code_that_comes_with_a_model_does_not_run_unless_asked_for(copy, tmp_path, monkeypatch):
    settings = json.loads((copy / "config.json").read_text())
    settings |= {"model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.Own"}}
    (copy / "config.json").write_text(json.dumps(settings))
    (copy / "own.py").write_text(
        "from pathlib import Path\nfrom transformers import LlamaConfig, LlamaForCausalLM\n"
        "class OwnConfig(LlamaConfig):\n    model_type = 'own'\n"
        "class Own(LlamaForCausalLM):\n    config_class = OwnConfig\n"
        f"Path({str(tmp_path / 'ran')!r}).touch()\n"
    )
    # Where transformers copies such code to, and imports it from.
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(ModelError, match="contains custom code which must be executed"):
        load(str(copy))
    assert not (tmp_path / "ran").exists()
    assert type(load(str(copy), trust_remote_code=True).network).__name__ == "Own"
    assert (tmp_path / "ran").exists()


def test_loading_leaves_transformers_as_talkative_as_it_was(good):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load(str(good))
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_a_directory_of_any_other_tool_has_no_origin(copy):
    (copy / "holdfast.json").unlink()
    assert load(str(copy)).origin == {}
