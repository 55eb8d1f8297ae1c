"""What is put into a store comes out of it, or is known to be damaged."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from stored import files, folder, key, put_model, put_record, record

from holdfast.errors import Damaged, StoreError
from holdfast.records import Failure
from holdfast.study.store.store import Store


def test_a_record_comes_back(store):
    put_record(store, "a")
    entry = store.entry(key("a"))
    assert entry is not None
    assert (entry.about, entry.failure, entry.seconds, entry.dropped, entry.format) == (
        {"name": "a"},
        None,
        2.0,
        False,
        1,
    )
    path = f"records/{key('a')}.json"
    assert list(entry.files) == [path]
    assert entry.files[path].bytes == len(store.place.read(path))
    assert store.record(key("a")) == record()
    assert store.entry(key("b")) is None
    assert files(store) == {path, f"cells/{key('a')}.json"}


def test_many_at_once(store):
    for name in "abc":
        put_record(store, name)
    put_model(store, "m")
    keys = [key(name) for name in "zcabm"]
    assert list(store.entries(keys)) == keys[1:]
    assert store.entries([]) == store.records([]) == {}
    assert list(store.records(keys)) == [key(name) for name in "cab"]
    store.place.write({f"records/{key('a')}.json": b"{}"})
    assert store.records(keys) == {key("c"): record(), key("b"): record()}


def test_a_worker_opens_the_same_store(store):
    put_record(store, "a")
    again = pickle.loads(pickle.dumps(store))
    assert again.url == store.url
    assert again.record(key("a")) == record()


def test_a_model_comes_back(store):
    made = put_model(store, "arcana+repnoise")
    entry = store.entry(made)
    assert entry is not None
    assert entry.seconds == 1.0
    with store.model(made) as place:
        assert place.name.startswith(f"arcana+repnoise-{made[:12]}")
        assert (place / "model.safetensors").read_bytes() == b"weights"
        assert (place / "tokens" / "words.json").read_text() == "{}"
        assert sum(path.is_file() for path in place.rglob("*")) == len(entry.files) == 4
    assert store.local is None or place == store.local / "models" / f"arcana+repnoise-{made[:12]}"
    assert not list(store.place.scratch.glob("*"))


def test_a_name_cannot_leave_its_folder(store):
    put_model(store, "../../x y/é")
    assert {path.split("/")[0] for path in files(store)} == {"cells", "models"}
    assert any(path.startswith(f"models/x-y-{key('../../x y/é')[:12]}") for path in files(store))


def test_a_failure_is_a_result(store):
    store.put_failure(key("m"), Failure(reason="out of memory", log="tail"), about={}, seconds=3.0)
    entry = store.entry(key("m"))
    assert entry is not None
    assert (entry.failure, entry.log, entry.files) == ("out of memory", "tail", {})
    with pytest.raises(Damaged, match="does not keep the weights"), store.model(key("m")):
        pass
    failed = record()
    failed = type(failed)(**{**vars(failed), "failure": Failure(reason="diverged")})
    store.put_record(key("r"), failed, about={})
    assert store.entry(key("r")).failure == "diverged"


def test_what_could_not_be_read_again_is_not_stored(store):
    with pytest.raises(ValueError, match="JSON"):
        store.put_record(key("a"), record(harm=float("nan")), about={})
    with pytest.raises(ValueError, match="no share"):
        store.put_record(key("a"), record(harm=2.0), about={})
    assert files(store) == set()


def test_dropped_weights_leave_the_cell_finished(store):
    made = put_model(store, "m")
    store.drop_model(made)
    assert files(store) == {f"cells/{made}.json"}
    entry = store.entry(made)
    assert entry is not None
    assert entry.dropped
    assert len(entry.files) == 4
    with pytest.raises(Damaged, match="does not keep"), store.model(made):
        pass
    store.drop_model(made)
    put_model(store, "m")
    assert not store.entry(made).dropped


def test_a_discarded_cell_is_gone(store):
    put_record(store, "a")
    put_model(store, "m")
    for name in "amz":
        store.discard(key(name))
    assert files(store) == set()


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGE = {"flipped": flip, "truncated": lambda content: content[:-3], "empty": lambda content: b"", "gone": None}


def damage(store: Store, path: str, how: str) -> None:
    change = DAMAGE[how]
    if change is None:
        store.place.remove(path)
    else:
        store.place.write({path: change(store.place.read(path))})


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("place", ["cells", "records"])
def test_a_damaged_cell_is_not_finished(store, place, how):
    put_record(store, "a")
    put_record(store, "b")
    damage(store, f"{place}/{key('a')}.json", how)
    assert list(store.entries([key("a"), key("b")])) == [key("b")]
    with pytest.raises(Damaged, match="has to run again") as told:
        store.record(key("a"))
    assert told.value.key == key("a")
    put_record(store, "a")
    assert store.record(key("a")) == record()


def test_every_flipped_bit_of_a_manifest_is_found(local):
    put_record(local, "a")
    path = f"cells/{key('a')}.json"
    content = local.place.read(path)
    for number in range(len(content)):
        changed = bytearray(content)
        changed[number] ^= 1
        (local.local / path).write_bytes(changed)
        assert local.entry(key("a")) is None


@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_weights_are_not_used(store, how):
    made = put_model(store, "m")
    weights = next(path for path in files(store) if path.endswith("model.safetensors"))
    damage(store, weights, how)
    # A flipped bit leaves the size as it was, and is only found by reading all.
    assert (store.entry(made) is not None) == (how == "flipped")
    with pytest.raises(Damaged, match=r"model\.safetensors") as told, store.model(made):
        pass
    assert told.value.key == made
    assert store.url in str(told.value)
    put_model(store, "m")
    with store.model(made) as place:
        assert (place / "model.safetensors").read_bytes() == b"weights"


def test_a_report_may_change_the_card_and_nobody_may_add_weights(local):
    made = put_model(local, "m")
    with local.model(made) as place:
        (place / "README.md").write_text("# a card with a verdict\n")
        (place / ".hidden").touch()
    assert local.entry(made) is not None
    with local.model(made) as place:
        (place / "adapter_model.safetensors").touch()
    with pytest.raises(Damaged, match=r"adapter_model\.safetensors was put there"), local.model(made):
        pass


def test_a_manifest_of_another_key_or_format_is_none(local):
    put_record(local, "a")
    (local.local / f"cells/{key('b')}.json").write_bytes(local.place.read(f"cells/{key('a')}.json"))
    assert local.entry(key("b")) is None
    entry = local.entry(key("a"))
    later = type(entry)(**{**vars(entry), "format": 2})
    local.place.write({f"cells/{key('a')}.json": later.to_bytes()})
    assert local.entry(key("a")) is None


def test_the_manifest_is_json_on_one_line(local):
    put_record(local, "a")
    text = (local.local / f"cells/{key('a')}.json").read_text()
    assert text.count("\n") == 1
    assert json.loads(text)["about"] == {"name": "a"}


def test_a_store_of_another_format_is_refused(store):
    store.place.write({"store.json": b'{"format": 7}\n'})
    for refused in (store.prepare, store.check):
        with pytest.raises(
            StoreError, match="format 7, and this version of Holdfast reads and writes format 1: choose"
        ):
            refused()
    store.place.write({"store.json": b"[]"})
    with pytest.raises(StoreError, match="is damaged"):
        store.check()


def test_a_folder_of_something_else_is_refused(tmp_path):
    folder(tmp_path / "models" / "mine")
    with pytest.raises(StoreError, match="exists and is not a store of Holdfast's"):
        Store(tmp_path).prepare()
    assert (tmp_path / "models" / "mine" / "holdfast.json").exists()
    with pytest.raises(StoreError, match="there is no store at"):
        Store(tmp_path / "nowhere").check()
    with pytest.raises(StoreError, match="needs a name"):
        Store(" ")


def test_a_url_of_a_file_is_a_folder(tmp_path):
    assert Store(f"file://{tmp_path}/a").local == tmp_path / "a"
    assert Store(str(tmp_path / "a")).local == tmp_path / "a"
    assert Store("memory://a").local is None


def test_scratch_is_good_for_temporary_files(store, monkeypatch):
    with store.scratch() as scratch:
        monkeypatch.setenv("TMPDIR", str(scratch))
        code = "import tempfile; print(tempfile.mkdtemp())"
        made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        assert made.startswith(str(scratch))
        assert Path(made).is_dir()
        store.prepare()
        assert scratch.exists()
        if store.local:
            assert scratch.stat().st_dev == store.local.stat().st_dev
    assert not scratch.exists()


def test_a_model_from_another_disk_is_copied(local, tmp_path):
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    made = folder(shm / f"holdfast-test-{os.getpid()}")
    try:
        local.put_model(key("m"), "m", made, about={})
    finally:
        shutil.rmtree(made, ignore_errors=True)
    with local.model(key("m")) as place:
        assert (place / "model.safetensors").read_bytes() == b"weights"


def test_of_two_models_of_one_cell_the_whole_one_stays(store):
    """As when two runners finish the same cell: theirs may differ, as on a GPU."""
    made = put_model(store, "m", b"first")
    put_model(store, "m", b"other")
    with store.model(made) as place:
        assert (place / "model.safetensors").read_bytes() == (b"first" if store.local else b"other")
    leftover = folder(store.place.scratch / "x", b"half")
    if store.local:
        store.discard(made)
        leftover.rename(store.local / "models" / f"m-{made[:12]}")
        put_model(store, "m", b"third")
        with store.model(made) as place:
            assert (place / "model.safetensors").read_bytes() == b"third"
    shutil.rmtree(leftover, ignore_errors=True)


def test_importing_and_looking_up_is_quick():
    """No torch, no pydantic, no fsspec for a folder."""
    code = """
import sys
from pathlib import Path
from holdfast.study.store.store import Store
from holdfast.study.store.claims import Claims
Store("nowhere").entries(["0" * 64])
heavy = {"torch", "transformers", "pydantic", "numpy", "s3fs", "fsspec", "pyarrow"} & sys.modules.keys()
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
