"""A replication as a file: what it may say, and how what is wrong is told, with its line."""

from pathlib import Path

import pytest

from holdfast.errors import ConfigError
from holdfast.study.replication.design import Replication, load

FILE = """\
name: small
paper: A paper
model: arcana
data:
  songs: arcana
defences:
  noise: {name: repnoise, set: {training.steps: 2}}
attacks:
  none: none
  weak: {name: sft, set: {training.steps: 2}}
tables:
  "1":
    title: "Table 1: harm"
    data: songs
    rows:
      Base: {}
      Noised: {defence: noise}
    columns:
      pre: {attack: none}
      weak: {attack: weak}
    published:
      Base: [0.05, 0.47]
      Noised: [null, 0.08]
"""


def written(folder: Path, old: str = "", new: str = "") -> Path:
    assert old in FILE
    path = folder / "small.yaml"
    path.write_text(FILE.replace(old, new, 1))
    return path


def read(folder: Path) -> Replication:
    return load(written(folder))


def test_a_file_is_read(tmp_path: Path):
    found = read(tmp_path)
    assert (found.name, found.seeds, [*found.tables]) == ("small", (0,), ["1"])
    table = found.tables["1"]
    assert table.published == {"Base": (0.05, 0.47), "Noised": (None, 0.08)}
    assert [one.name for one in found.defences["noise"]] == ["repnoise"]
    assert table.columns["weak"].when == "last"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("model: arcana", "modell: arcana", 1, "model: field required"),
        ("      Base: {}", "      Base: {defense: noise}", 16, "defense: extra inputs are not permitted"),
        ("{defence: noise}", "{defence: nois}", 17, "defence: unknown defence 'nois': did you mean 'noise'?"),
        ("{attack: weak}", "{attack: weak, task: inns}", 20, "expected either an attack or a task"),
        ("Base: [0.05, 0.47]", "Base: [0.05]", 22, "base: 1 figures, and there are 2 columns."),
        ("Noised: [null", "Noise: [null", 23, "unknown row 'Noise': did you mean 'Noised'"),
        ("    data: songs", "    data: song", 14, "unknown data 'song': did you mean 'songs'"),
        ("[0.05, 0.47]", "[much, 0.47]", 22, "input should be a valid number"),
        ("paper: A paper", "paper: A\nseeds: [0, 0]", 3, "seeds: 0 is given twice."),
        ("paper: A paper", "paper: A\ntimeout: -3", 3, "greater than 0"),
        ("    rows:", "    metrics: [harm, harm]\n    rows:", 15, "'harm' is given twice."),
        ("    rows:", "    metrics: []\n    rows:", 15, "at least 1 item"),
        ("name: small", "name: a/b", 1, "'a/b' is to name a folder"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str):
    path = written(tmp_path, old, new)
    with pytest.raises(ConfigError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert said in str(error.value).lower() or said in str(error.value)
    assert not str(error.value).endswith("..")
