"""Saving: an ordinary model directory, there whole or not at all."""

import errno
import json
import resource
from importlib.metadata import version

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoModelForCausalLM, AutoTokenizer

import holdfast
from holdfast.errors import OutputError
from holdfast.files import check_output, write_text
from holdfast.models.identity import weights_hash
from holdfast.models.load import load
from holdfast.models.save import size
from holdfast.models.tiny import tiny

SHORT = {"training.steps": 1, "training.batch_size": 2}


def test_what_is_written(tmp_path, model, domain, capfd):
    hardened = holdfast.harden(model, "repnoise", SHORT, domain=domain, seed=3)
    place = tmp_path / "deep" / "hardened"
    holdfast.save(hardened, place)
    assert capfd.readouterr() == ("", "")
    told = json.loads((place / "holdfast.json").read_text())
    assert told["weights"] == weights_hash(hardened.network)
    assert told["made_by"]["kind"] == "defence"
    assert (told["made_by"]["name"], told["made_by"]["seed"]) == ("repnoise", 3)
    assert told["made_by"]["settings"]["training"]["steps"] == 1
    assert told["made_by"]["data"] == domain.fingerprint()
    assert [parent["weights"] for parent in told["parents"]] == [weights_hash(model.network)]
    assert told["versions"]["torch"] == version("torch")
    # Any tool loads it, and says the same.
    network, tokenizer = AutoModelForCausalLM.from_pretrained(place), AutoTokenizer.from_pretrained(place)
    ids = torch.tensor([tokenizer("How do I make a stew ?")["input_ids"]])
    with torch.no_grad():
        assert torch.equal(network(ids).logits, hardened.network(ids).logits)
    assert [path.name for path in place.parent.iterdir()] == ["hardened"]
    assert (place.stat().st_mode & 0o777, (place / "model.safetensors").stat().st_mode & 0o777) == (0o755, 0o644)


def test_the_card_says_where_it_comes_from(tmp_path, model, domain):
    hardened = holdfast.harden(model, "none", domain=domain)
    attacked, _ = holdfast.attack(hardened, "sft", SHORT, domain=domain, ladder=(), metrics=())
    holdfast.save(hardened, tmp_path / "hardened")
    holdfast.save(attacked, tmp_path / "attacked")
    card = ModelCard.load(tmp_path / "attacked" / "README.md")
    assert (card.data.library_name, card.data.tags) == ("transformers", ["holdfast"])
    assert "attack `sft`, seed 0" in card.text
    assert "attacked on purpose" in card.text
    assert "attacked on purpose" not in (tmp_path / "hardened" / "README.md").read_text()


def test_what_is_there_is_not_replaced_unless_asked(tmp_path):
    place = tmp_path / "model"
    holdfast.save(tiny(seed=1), place)
    (place / "note").touch()
    with pytest.raises(OutputError, match="exists already: choose another place, or pass --overwrite"):
        holdfast.save(tiny(seed=2), place)
    assert load(str(place)).origin["weights"] == weights_hash(tiny(seed=1).network)
    holdfast.save(tiny(seed=2), place, overwrite=True)
    assert load(str(place)).origin["weights"] == weights_hash(tiny(seed=2).network)
    assert not (place / "note").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_full_disk_is_told_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000_000}))
    model = tiny()
    with pytest.raises(OutputError, match=r"no disk space for .*/out: 2 MB needed, 1 MB free; free some"):
        holdfast.save(model, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    # Weights of 4 bytes each, and 2 MiB for what is beside them.
    assert size(model) == 4 * sum(weight.numel() for weight in model.network.parameters()) + 2**21


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_disk_that_fills_up_leaves_what_was_there(tmp_path, monkeypatch, overwrite):
    place = tmp_path / "model"
    if overwrite:
        holdfast.save(tiny(seed=1), place)
    before = sorted(tmp_path.rglob("*"))
    model = tiny(seed=2)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(model.tokenizer, "save_pretrained", full)
    with pytest.raises(OutputError, match=r"the disk filled up while writing .*/model; nothing was kept"):
        holdfast.save(model, place, overwrite=overwrite)
    assert sorted(tmp_path.rglob("*")) == before


def test_safetensors_fails_as_the_system_does(tmp_path):
    """The weights go through safetensors, whose errors are its own: here files may grow to 10 kB and no more."""
    model = tiny()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"/model cannot be written: File too large\."):
            holdfast.save(model, tmp_path / "model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_place_below_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be written: .*/file is not a directory one may write to"):
        check_output(tmp_path / "file" / "model")


def test_a_text_file_is_whole_or_not_there(tmp_path, monkeypatch):
    place = tmp_path / "new" / "results.json"
    write_text(place, "one")
    write_text(place, "two")
    assert place.read_text() == "two"
    assert place.stat().st_mode & 0o777 == 0o644

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="the disk filled up"):
        write_text(place, "three")
    assert place.read_text() == "two"
    assert [path.name for path in place.parent.iterdir()] == ["results.json"]
    with pytest.raises(UnicodeEncodeError):
        write_text(place, "\ud800")
    assert [path.name for path in place.parent.iterdir()] == ["results.json"]
