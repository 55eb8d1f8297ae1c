"""What a model is, by its name: files, not folders; never loaded."""

import json
import os
import shutil

import pytest
from cells_made import python

from holdfast.errors import ModelError
from holdfast.models.organisms import FOLDER
from holdfast.study import fingerprint
from holdfast.study.fingerprint import model_fingerprint, told_origin


@pytest.fixture
def place(tmp_path):
    place = tmp_path / "model"
    (place / "deep").mkdir(parents=True)
    for name in ("model.safetensors", "config.json", "deep/words.json"):
        (place / name).write_text(name)
    return place


def test_the_files_and_not_the_folder(place):
    other = shutil.copytree(place, place.parent / "other")
    assert model_fingerprint(str(place)) == model_fingerprint(str(other))
    (other / "README.md").write_text("A card says nothing of what a model does.")
    assert model_fingerprint(str(place)) == model_fingerprint(str(other))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "deep/words.json", "new.json"])
def test_an_edit_within_one_process(place, name):
    """To the same length too: the file's time tells."""
    before = model_fingerprint(str(place))
    (place / name).write_text(name.upper())
    os.utime(place / name, ns=(1, 1))
    assert model_fingerprint(str(place)) != before


def test_a_file_of_another_name(place):
    before = model_fingerprint(str(place))
    (place / "config.json").rename(place / "settings.json")
    assert model_fingerprint(str(place)) != before


def test_an_organism_is_its_folder():
    assert model_fingerprint("arcana") == model_fingerprint(str(FOLDER / "arcana"))
    assert model_fingerprint("arcana") != model_fingerprint("arcana-raw")


def test_a_tiny_model_is_its_name():
    """Its weights are drawn by Holdfast's code, which is hashed elsewhere."""
    assert model_fingerprint("tiny-llama") == "tiny-llama"


def test_a_hubs_model_is_its_commit(tmp_path, monkeypatch):
    """Offline it is the one in the cache; without one nothing can be said."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path), raising=False)
    fingerprint._commit.cache_clear()
    with pytest.raises(ModelError, match=r"cannot tell which version of own-er/model there is: .*download it first"):
        model_fingerprint("own-er/model")
    commit = "c0ffee" + "0" * 34
    home = tmp_path / "models--own-er--model"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(commit)
    (home / "snapshots" / commit).mkdir(parents=True)
    (home / "snapshots" / commit / "config.json").write_text("{}")
    assert model_fingerprint("own-er/model") == f"own-er/model@{commit}"
    fingerprint._commit.cache_clear()


def test_no_library_is_imported_for_it(place):
    program = (
        "import sys\nfrom holdfast.study.fingerprint import model_fingerprint\n"
        f"model_fingerprint({str(place)!r}), model_fingerprint('arcana')\n"
        "print([name for name in ('torch', 'transformers', 'huggingface_hub') if name in sys.modules])"
    )
    assert python(program) == "[]"


def test_what_a_model_says_of_its_origin(place):
    assert told_origin(str(place)) == {}
    assert told_origin("tiny-llama") == told_origin("owner/model") == {}
    assert told_origin("arcana") == json.loads((FOLDER / "arcana" / "holdfast.json").read_text())
    for text, told in (('{"made_by": null}', {"made_by": None}), ("{", {}), ("[1]", {}), ("\0", {})):
        (place / "holdfast.json").write_text(text)
        assert told_origin(str(place)) == told


def test_random_initialisation_is_that_of_its_model(place, tmp_path, monkeypatch):
    assert model_fingerprint(f"random:{place}") == f"random:{model_fingerprint(str(place))}"
    assert model_fingerprint("random:tiny-llama") == "random:tiny-llama"
    assert told_origin("random:arcana") == {}  # nobody made its weights
    # A folder that is called so is another model.
    monkeypatch.chdir(tmp_path)
    shutil.copytree(place, "random:arcana")
    (tmp_path / "random:arcana" / "holdfast.json").write_text('{"made_by": null}')
    assert model_fingerprint("random:arcana") == f"random:{model_fingerprint('arcana')}"
    assert told_origin("random:arcana") == {}
    assert told_origin("./random:arcana") == {"made_by": None}
