"""`holdfast store gc|verify|du`."""

import json

import pytest
from stored import files, key, put_model, put_record
from typer.testing import CliRunner

from holdfast.cli.store import app
from holdfast.errors import StoreError


def run(*arguments: object, code: int = 0) -> str:
    found = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    assert found.exit_code == code
    return found.stdout


def test_du(local):
    put_record(local, "a")
    put_model(local, "m")
    found = json.loads(run("du", local.url, "--json"))
    assert found["weights"] == {"files": 4, "bytes": 31}
    assert set(found) == {"records", "weights", "manifests", "leftovers"}
    shown = run("du", local.url)
    assert "weights" in shown
    assert "31 B" in shown


def test_verify(local):
    put_record(local, "a")
    assert run("verify", local.url) == "all is whole\n"
    (local.local / f"records/{key('a')}.json").write_text("{}")
    shown = run("verify", local.url, code=1)
    assert f"cell {key('a')[:12]}: " in shown
    assert shown.endswith("\n1 problem\n")
    found = json.loads(run("verify", local.url, "--json", "--repair"))
    assert found["repaired"]
    assert len(found["problems"]) == 1
    assert json.loads(run("verify", local.url, "--json")) == {"problems": [], "repaired": False}
    assert files(local) == set()


def test_gc_of_studies(local, tmp_path, monkeypatch):
    for name in "abc":
        put_record(local, name)
    asked = []

    def keys(path, store):
        assert store.url == local.url
        asked.append(path.name)
        return {key(path.stem)}

    monkeypatch.setattr("holdfast.study.played.keys", keys)
    studies = ["--study", tmp_path / "a.yaml", "--study", tmp_path / "b.yaml"]
    found = json.loads(run("gc", local.url, *studies, "--dry-run", "--json"))
    assert found["dry_run"]
    assert asked == ["a.yaml", "b.yaml"]
    assert set(found["files"]) == {f"cells/{key('c')}.json", f"records/{key('c')}.json"}
    assert "would remove 2 files" in run("gc", local.url, *studies, "--dry-run")
    assert len(files(local)) == 6
    assert "removed 2 files" in run("gc", local.url, *studies)
    assert run("gc", local.url, "--quiet") == ""
    assert len(files(local)) == 4


def test_no_store(tmp_path):
    with pytest.raises(StoreError, match="there is no store at"):
        run("gc", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
