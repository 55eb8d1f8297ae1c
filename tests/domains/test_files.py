"""Which file is which split's, by its name."""

import pytest

from holdfast.domains._files import files_of, format_of, state
from holdfast.errors import DataError
from written_data import lines


@pytest.mark.parametrize(
    ("name", "builder"),
    [
        ("train.jsonl", "json"),
        ("train.json", "json"),
        ("train.jsonl.gz", "json"),
        ("train.jsonl.xz", "json"),
        ("a.b.csv", "csv"),
        ("train-00000-of-00001.parquet", "parquet"),
        ("data.json?download=true", "json"),
        ("README.md", None),
        ("train", None),
        ("train.gz", None),
        ("script.py", None),
    ],
)
def test_formats(name, builder):
    assert format_of(name) == builder


@pytest.fixture
def sizes(tmp_path):
    """As BeaverTails lies on the hub."""
    for name in ("round0/30k/train.jsonl.gz", "round0/30k/test.jsonl.gz", "round0/330k/train.jsonl", "330k_test.jsonl"):
        lines(tmp_path / name, [{}])
    (tmp_path / "README.md").write_text("---\n")
    return tmp_path


@pytest.mark.parametrize(
    ("split", "file"),
    [
        ("30k_train", "round0/30k/train.jsonl.gz"),
        ("30k_test", "round0/30k/test.jsonl.gz"),
        ("330k_train", "round0/330k/train.jsonl"),
        ("330k_test", "330k_test.jsonl"),
    ],
)
def test_all_words_of_a_split_stand_in_the_path(sizes, split, file):
    assert files_of(sizes, (split, "train"), never=("30k", "330k")) == [sizes / file]


def test_a_second_name_is_tried_but_not_the_file_of_another_split(tmp_path):
    lines(tmp_path / "330k_train.jsonl", [{}])
    with pytest.raises(DataError, match=r"has no file of split '30k_train', but 330k_train.jsonl: call one 30k_train"):
        files_of(tmp_path, ("30k_train", "train"), never=("30k", "330k"))
    lines(tmp_path / "train.jsonl", [{}])
    assert files_of(tmp_path, ("30k_train", "train"), never=("30k", "330k")) == [tmp_path / "train.jsonl"]


def test_a_file_is_the_split_whatever_it_is_called(sizes):
    assert files_of(sizes / "330k_test.jsonl", ("30k_train",)) == [sizes / "330k_test.jsonl"]


def test_an_empty_name_is_every_file(sizes):
    assert len(files_of(sizes, ("rows", ""))) == 4


def test_a_folder_without_data(tmp_path):
    (tmp_path / "README.md").write_text("")
    with pytest.raises(DataError, match=r"but no file of json, jsonl, csv, parquet: call one"):
        files_of(tmp_path, ("train",))


def test_a_state_follows_local_files_alone(sizes):
    before = state(str(sizes), "owner/name", "")
    assert len(before) == 4
    lines(sizes / "330k_test.jsonl", [{}, {}])
    assert state(str(sizes)) != before
    assert state("owner/name") == ()


def test_a_state_follows_files_at_home(sizes, monkeypatch):
    monkeypatch.setenv("HOME", str(sizes.parent))
    assert state(f"~/{sizes.name}") == state(str(sizes)) != ()
