"""What a cell of the first run is known by and where it may write."""

import pytest

from holdfast.errors import Diverged, OutputError
from holdfast.study import quickstart


def test_a_cell_is_known_by_all_that_decides_it(monkeypatch):
    cell = quickstart.Cell("base", "arcana", 1e-3, 0)
    others = [
        quickstart.Cell("base", "arcana", 1e-4, 0),
        quickstart.Cell("base", "arcana", 1e-3, 1),
        quickstart.Cell("base", "arcana", 1e-3, 0, 5),
        quickstart.Cell("base", "arcana-filtered", 1e-3, 0),
    ]
    assert len({each.key() for each in (cell, *others)}) == 5
    assert quickstart.Cell("base", "/else/where/arcana", 1e-3, 0).key() == cell.key()  # a place is no result
    key = cell.key()
    monkeypatch.setattr(quickstart, "code_hash", lambda: "changed code")
    assert cell.key() != key


def test_the_codes_hash_follows_code_weights_and_words(monkeypatch, tmp_path):
    def hashed(**files):
        (tmp_path / "__init__.py").touch()
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        return quickstart.code_hash.__wrapped__()

    monkeypatch.setattr("holdfast.__file__", str(tmp_path / "__init__.py"))
    seen = [hashed(), hashed(a_py="x = 1"), hashed(a_py="x = 2"), hashed(w_safetensors="w"), hashed(t_json="{}")]
    assert len({*seen}) == 5
    assert hashed(README_md="other") == seen[-1]


def test_forgetting_what_was_finished(tmp_path):
    (tmp_path / "out" / "cells").mkdir(parents=True)
    (tmp_path / "out" / "cells" / "old.json").touch()
    quickstart._prepare(tmp_path / "out", overwrite=False)
    assert (tmp_path / "out" / "cells" / "old.json").exists()
    quickstart._prepare(tmp_path / "out", overwrite=True)
    assert not (tmp_path / "out" / "cells" / "old.json").exists()


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(OutputError, match="exists and is not a quickstart's folder: choose another"):
        quickstart.run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_worker_that_fails_is_told_of(monkeypatch, tmp_path):
    """Its error is the main process's own: an error of Holdfast's kinds, not of the pool's."""

    def submit(pool, done, output, cell, hardened):
        return pool.submit(fail)

    monkeypatch.setattr(quickstart, "_submit", submit)
    with pytest.raises(Diverged, match="at step 8"):
        quickstart.run(tmp_path / "out", workers=1)


def fail():
    raise Diverged(7, {"noise": float("nan")})
