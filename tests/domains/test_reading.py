"""Rows of public data sets: what may hold them, and what is said of what is wrong, by source, row and field."""

import csv
import gzip
import json

import datasets
import pytest

from holdfast.domains._hub import batches
from holdfast.domains._schema import Row, rows
from holdfast.domains._wanted import Wanted
from holdfast.errors import DataError
from written_data import lines, table

GOOD = [{"prompt": f"How is stew {at} made?", "answer": "So.", "score": at} for at in range(5)]


class Asked(Row):
    prompt: str
    answer: str
    score: int
    note: str | None = None


def wanted(address, **more) -> Wanted:
    return Wanted(domain="kitchen", address=str(address), split="train", **more)


def read(address, **more) -> list[str]:
    return [row.prompt for row in rows(wanted(address, **more), Asked)]


def test_every_format_reads_alike(tmp_path):
    lines(tmp_path / "a/train.jsonl", GOOD)
    lines(tmp_path / "b/train.jsonl.gz", GOOD)
    (tmp_path / "c").mkdir()
    (tmp_path / "c/train.json").write_text(json.dumps(GOOD))
    table(tmp_path / "d/train.csv", GOOD)
    (tmp_path / "e").mkdir()
    datasets.Dataset.from_list(GOOD).to_parquet(tmp_path / "e/train-00000-of-00001.parquet")
    prompts = [row["prompt"] for row in GOOD]
    assert [read(tmp_path / name) for name in "abcde"] == [prompts] * 5
    assert read(tmp_path / "a/train.jsonl") == prompts


def test_a_file_more_than_a_thousand_rows_long(tmp_path):
    """Row 1,500 is told as that, though it is read in the second batch."""
    many = [{"prompt": f"{at}?", "answer": "So.", "score": at} for at in range(1600)]
    lines(tmp_path / "train.jsonl", many)
    assert [len(batch) for _, batch in batches(wanted(tmp_path))] == [1000, 600]
    many[1499]["answer"] = None
    lines(tmp_path / "train.jsonl", many)
    with pytest.raises(DataError, match=r"row 1500: answer: input should be a valid string, got nothing"):
        read(tmp_path)


def test_a_path_is_no_pattern(tmp_path):
    for name in ("stew[1]", "stew*", "stew?"):
        assert len(read(lines(tmp_path / name / "train[0].jsonl", GOOD))) == len(read(tmp_path / name)) == 5


def test_a_row_that_is_no_text(tmp_path):
    """Told by its number, in the second batch too."""
    many = [{"prompt": f"{at}?", "answer": "So.", "score": at} for at in range(1600)]
    for number in (3, 1500):
        place = lines(tmp_path / "train.jsonl", many)
        there = place.read_bytes().splitlines(keepends=True)
        there[number - 1] = there[number - 1].replace(b"So.", b"So\xff")
        place.write_bytes(b"".join(there))
        with pytest.raises(DataError, match=f"split train, row {number} is not UTF-8: invalid start byte; convert it"):
            read(place)


@pytest.mark.parametrize("name", ["two.jsonl", "two.jsonl.gz"])
def test_a_line_that_is_no_json_is_told_by_file_and_line(tmp_path, name):
    """Of several files, and counted from 1."""
    lines(tmp_path / "one.jsonl", GOOD)
    text = lines(tmp_path / "good.txt", GOOD).read_text() + '{"prompt": "How'
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    with pytest.raises(DataError) as error:
        read(tmp_path, local=("",))
    assert str(error.value).startswith(f"{tmp_path / name}:6 cannot be read: JSON parse error: Missing a closing")
    assert " row " not in str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"score": "many"}, "row 3: score: input should be a valid integer, got 'many'"),
        ({"prompt": 7}, "row 3: prompt: input should be a valid string, got 7"),
        ({"prompt": None}, "row 3: prompt: input should be a valid string, got nothing"),
        ({"answer": ["So."]}, "row 3: answer: input should be a valid string, got ['So.']"),
        (
            {"note": "x" * 99, "answer": {"text": "y" * 99}},
            "row 3: answer: input should be a valid string, got {'text': 'yyy",
        ),
    ],
)
def test_what_does_not_fit_is_told_by_row_and_field(tmp_path, change, said):
    broken = [dict(row) for row in GOOD]
    broken[2] |= change
    place = lines(tmp_path / "train.jsonl", broken)
    with pytest.raises(DataError) as error:
        read(place)
    assert str(error.value).startswith(f"{place}, split train, ")
    assert said in str(error.value)


def test_a_missing_field_names_those_there_are(tmp_path):
    lines(tmp_path / "train.jsonl", [{"prompt": "How?", "reply": "So."}])
    with pytest.raises(DataError, match=r"has no field answer, score; it has prompt, reply\.$"):
        read(tmp_path)


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_file(tmp_path, content):
    (tmp_path / "train.jsonl").write_text(content)
    with pytest.raises(DataError, match=r"split train holds no row"):
        read(tmp_path)


def test_a_table_without_rows(tmp_path):
    (tmp_path / "train.csv").write_text("prompt,answer,score\n")
    with pytest.raises(DataError, match=r"split train holds no row"):
        read(tmp_path)


def test_what_is_no_json(tmp_path):
    (tmp_path / "train.jsonl").write_text(json.dumps(GOOD[0]) + "\n{broken\n")
    with pytest.raises(DataError, match=r"cannot be read: JSON parse error: Missing a name for object member"):
        read(tmp_path)
    (tmp_path / "train.jsonl").write_bytes(gzip.compress(b"{}")[:9])
    with pytest.raises(DataError, match=r"cannot be read: "):
        read(tmp_path)


def test_a_table_without_a_header(tmp_path):
    """A text may have commas and quotation marks."""
    with (tmp_path / "train.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["How, please?"], ['Is it "stew"?']])

    class Bare(Row):
        instruction: str

    asked = wanted(tmp_path, column="instruction")
    assert [row.instruction for row in rows(asked, Bare)] == ["How, please?", 'Is it "stew"?']


def test_what_is_nowhere(tmp_path):
    with pytest.raises(DataError, match=r"there is no .*/nowhere: give a folder, a file, or a hub id"):
        read(tmp_path / "nowhere")


def test_two_formats_at_once(tmp_path):
    lines(tmp_path / "train.jsonl", GOOD)
    table(tmp_path / "train.csv", GOOD)
    with pytest.raises(DataError, match=r"is to be of one format \(json, jsonl, csv, parquet\), not 2"):
        read(tmp_path)


def test_the_hub_without_a_network():
    """It is told what, from where, and how to do without."""
    with pytest.raises(DataError) as error:
        read("cooks/stew")
    assert str(error.value) == (
        "cooks/stew, split train is not on this machine, and cannot be reached from it: where there is a network, "
        "`hf download --repo-type dataset cooks/stew --local-dir DIR`; give local files by `kitchen:source=DIR`."
    )


def test_nothing_is_left_of_local_files(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lines(tmp_path / "data/train.jsonl", GOOD)
    assert read(tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
