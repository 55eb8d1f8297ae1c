"""Models on benchmarks: a CSV file in, two CSV files out."""

import csv

import pytest

from holdfast.errors import DataError
from holdfast.report.scale.benchmarks import lines, read, scaled, to_json, write
from holdfast.statistics.scale.fit import Penalty

ROWS = [
    ("small", "easy", 0.5, "2023-01-01"),
    ("small", "hard", 0.1, "2023-01-01"),
    ("small", "medium", 0.3, "2023-01-01"),
    ("middle", "easy", 0.7, "2024-01-01"),
    ("middle", "hard", 0.2, "2024-01-01"),
    ("middle", "medium", 0.5, "2024-01-01"),
    ("large", "easy", 0.9, "2025-01-01"),
    ("large", "hard", 0.5, "2025-07-02"),
    ("large", "medium", 0.8, "2025-01-01"),
    ("latest", "easy", 0.95, "2025-07-01"),
    ("latest", "hard", 0.7, "2025-07-01"),
    ("latest", "medium", 0.9, "2025-07-01"),
]


def file(place, rows, head="model,benchmark,performance,date"):
    path = place / "scores.csv"
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def _table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_file_is_read(tmp_path):
    given, years = read(file(tmp_path, ROWS))
    assert given.subjects == ("small", "middle", "large", "latest")
    assert given.items == ("easy", "hard", "medium")
    assert len(given) == 12
    assert years["small"] == 2023.0
    assert years["large"] == 2025.0  # the first of its dates
    assert years["latest"] == pytest.approx(2025.496, abs=1e-3)


def test_two_files_come_out(tmp_path):
    given, years = read(file(tmp_path, ROWS))
    found = scaled(given, "easy", Penalty(kind="squares"), resamples=5)
    assert [path.name for path in write(found, tmp_path / "out")] == ["capabilities.csv", "benchmarks.csv"]
    models = _table(tmp_path / "out" / "capabilities.csv")
    assert list(models[0]) == ["model", "capability", "low", "high"]
    assert [row["model"] for row in models] == ["latest", "large", "middle", "small"]
    assert all(float(row["low"]) <= float(row["high"]) for row in models)
    hardest = _table(tmp_path / "out" / "benchmarks.csv")
    assert list(hardest[0]) == ["benchmark", "difficulty", "slope", "low", "high"]
    assert [row["benchmark"] for row in hardest] == ["hard", "medium", "easy"]
    assert (float(hardest[2]["difficulty"]), float(hardest[2]["slope"])) == (0, 1)
    assert any("gain" in line and "a year" in line for line in lines(found, years))
    assert '"capability"' in to_json(found)


def test_a_name_stays_as_it_is(tmp_path):
    given, _ = read(file(tmp_path, [("large ", "easy", 0.5, ""), ("large", "easy", 0.6, "")]))
    assert given.subjects == ("large ", "large")


def test_what_is_not_joined_is_told(tmp_path):
    given, years = read(file(tmp_path, [*ROWS, ("alone", "elsewhere", 0.5, "")]))
    found = scaled(given, "easy", Penalty(kind="squares"), resamples=2)
    assert found.apart == ["alone", "elsewhere"]
    assert any("not joined to easy by any chain of scores: alone, elsewhere" in line for line in lines(found, years))


@pytest.mark.parametrize(
    ("rows", "head", "said"),
    [
        (ROWS, "model,task,performance,date", r"line 1: no column benchmark; expected model, benchmark, performance"),
        ([*ROWS, ("x", "easy", 87, "")], None, r"line 14: performance is '87'; expected a share from 0 to 1"),
        ([*ROWS, ("x", "easy", "", "")], None, r"line 14: performance is ''"),
        ([*ROWS, ("x", "easy", "nan", "")], None, r"line 14: performance is 'nan'"),
        ([*ROWS, ("", "easy", 0.4, "")], None, r"line 14: model and benchmark both need a name"),
        ([*ROWS, ("x", "easy", 0.4, "May 2025")], None, r"line 14: date is 'May 2025'; expected one like 2025-01-31"),
        ([], None, r"holds no score"),
        ([], "", r"line 1: no column model or benchmark or performance"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(tmp_path, rows, head, said):
    path = file(tmp_path, rows, *([] if head is None else [head]))
    with pytest.raises(DataError, match=said):
        read(path)


def test_what_is_no_csv_is_told_by_its_line(tmp_path):
    path = file(tmp_path, [*ROWS, ("x" * 200_000, "easy", 0.4, "")])
    with pytest.raises(DataError, match=r"line 1[34]: field larger than field limit"):
        read(path)


def test_a_name_cannot_command_a_terminal(tmp_path):
    given, years = read(file(tmp_path, [*ROWS, ("a\x1b[2J", "elsewhere", 0.5, "")]))
    found = scaled(given, "easy", Penalty(kind="squares"), resamples=2)
    assert all("\x1b" not in line for line in lines(found, years))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.csv cannot be read: No such file"):
        read(tmp_path / "nowhere.csv")
