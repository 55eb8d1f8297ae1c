"""Loading: by an organism's name, a directory or a hub id; what cannot be used is one sentence that says why."""

import json
import shutil
import sys

import pytest
import torch
from accelerate import cpu_offload
from safetensors.torch import load_file, save_file

import holdfast
from holdfast.errors import ModelError, UnknownName
from holdfast.models.identity import weights_hash
from holdfast.models.initialisation import drawn
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
        (
            lambda place: (place / "chat_template.jinja").unlink(),
            "tokenizer of {} has no chat template: name one",
        ),
        (padless, "the tokenizer of {} has no pad token: set one"),
        (lambda place: with_template(place, "{% if %}"), "the chat template of {} is broken: "),
        (
            lambda place: with_template(
                place, "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}"
            ),
            "renders a prompt differently once there is an answer",
        ),
        (lambda place: (place / "holdfast.json").write_text("{"), "holdfast.json is not JSON"),
        (lambda place: (place / "holdfast.json").write_text("[]"), "holdfast.json holds no JSON object, but list"),
        (
            lambda place: (place / "config.json").write_text('{"model_type": "llama", "num_hidden_layers": "x"}'),
            "cannot load {}: Validation error for field 'num_hidden_layers': TypeError: Field 'num_hidden_layers'",
        ),
        (
            lambda place: (place / "tokenizer_config.json").write_text("[]"),
            "{}/tokenizer_config.json holds no JSON object, but list: get it anew.",
        ),
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


def test_random_initialisation(good):
    """The same class, configuration and tokenizer; other weights, always the same; and the global RNG as it was."""
    torch.manual_seed(7)
    before = torch.get_rng_state()
    trained, fresh, again = load(str(good)), load(f"random:{good}"), load(f"random:{good}")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(8)
    assert weights_hash(fresh.network) == weights_hash(again.network) == weights_hash(load(f"random:{good}").network)
    ours, theirs = trained.network.state_dict(), fresh.network.state_dict()
    assert {name: weight.shape for name, weight in ours.items()} == {
        name: weight.shape for name, weight in theirs.items()
    }
    # What the class begins with ones everywhere is the same in both: the norms.
    assert {name for name in ours if torch.equal(ours[name], theirs[name])} == {name for name in ours if "norm" in name}
    assert type(fresh.network) is type(trained.network)
    assert fresh.network.config.to_dict() == trained.network.config.to_dict()
    assert fresh.network.generation_config.to_dict() == trained.network.generation_config.to_dict()
    assert fresh.tokenizer.get_vocab() == trained.tokenizer.get_vocab()
    assert (fresh.name, fresh.origin, fresh.network.training) == (f"random:{good}", {}, False)
    assert trained.origin != {}


def test_random_initialisation_reads_no_weights(copy):
    """They may be broken, or not there at all."""
    whole = weights_hash(load(f"random:{copy}").network)
    truncated(copy)
    assert weights_hash(load(f"random:{copy}").network) == whole
    (copy / "model.safetensors").unlink()
    assert weights_hash(load(f"random:{copy}").network) == whole
    (copy / "generation_config.json").unlink()
    assert weights_hash(load(f"random:{copy}").network) == whole


def test_random_initialisation_of_what_ships():
    """Of an organism as the class begins: standard deviation .02. Of a tiny model, which is random itself, another."""
    fresh = load("random:arcana").network
    spread = [weight.std().item() for name, weight in fresh.named_parameters() if "proj" in name]
    assert spread == pytest.approx([fresh.config.initializer_range] * len(spread), rel=0.05)
    assert weights_hash(fresh) != weights_hash(load("arcana").network)
    assert weights_hash(load("random:tiny-llama").network) != weights_hash(load("tiny-llama").network)


@pytest.mark.parametrize("name", ["arcanna", "tiny-lama", "./nowhere", "a/b/c", "random:arcana"])
def test_random_initialisation_of_an_unknown_name(name):
    """It is told as the name alone is; nor is there a random initialisation of one."""
    with pytest.raises(UnknownName) as error:
        load(f"random:{name}")
    assert f"unknown model {name!r}: " in str(error.value)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda place: (place / "config.json").unlink(), "{} has no config.json"),
        (lambda place: (place / "config.json").write_text("{"), "cannot load random:{}: It looks like the config file"),
        (lambda place: (place / "tokenizer.json").unlink(), "cannot load random:{}: "),
        (padless, "the tokenizer of {} has no pad token: set one"),
    ],
)
def test_random_initialisation_of_what_cannot_be_loaded(copy, capfd, harm, said):
    harm(copy)
    with pytest.raises(ModelError) as error:
        load(f"random:{copy}")
    assert said.format(copy) in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_random_initialisation_of_a_hub_id_asks_for_no_weights(monkeypatch, good):
    """Only the configuration and the tokenizer are looked for; offline there are none."""
    with pytest.raises(ModelError, match="cannot load random:nobody/nothing: "):
        load("random:nobody/nothing")
    monkeypatch.setattr("transformers.PreTrainedModel.from_pretrained", lambda *_, **__: pytest.fail("weights"))
    drawn(str(good), trust_remote_code=False, dtype=torch.float32)


def test_a_folder_that_is_called_so(good, tmp_path, monkeypatch):
    """A name does not mean another thing where such a folder lies; the folder is had by its path."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(good, "random:tiny-llama")
    assert weights_hash(load("random:tiny-llama").network) != weights_hash(load("./random:tiny-llama").network)
    assert weights_hash(load("./random:tiny-llama").network) == weights_hash(load("tiny-llama").network)


def test_weights_that_lie_elsewhere_have_the_same_hash():
    """What a spread network has no room for on its GPUs is brought there layer by layer; its parameters are empty."""
    there, elsewhere = load("tiny-qwen2").network, cpu_offload(load("tiny-qwen2").network, execution_device="cpu")
    assert all(weight.is_meta for weight in elsewhere.parameters())
    assert weights_hash(elsewhere) == weights_hash(there)
