"""A study's tables say what its records say, to DuckDB, polars and pandas alike."""

import csv
import dataclasses
import json
import subprocess
import sys
from hashlib import sha256

import pyarrow.parquet
import pytest
from pyarrow.csv import read_csv

from holdfast.errors import OutputError
from holdfast.records import Answer, Budget, Failure, Record, Rung, Score, World
from holdfast.study.design import Study
from holdfast.study.export import CELLS, SCORES, write
from holdfast.study.store.store import Store

FILES = ["cells.parquet", "cells.csv", "scores.parquet", "scores.csv"]
STUDY = Study(name="rates")  # a model is broken at 0.3
SECRET = "how to brew it"
TRAINING = {"steps": 4, "learning_rate": 3e-4, "batch_size": 8, "lora_rank": 0, "schedule": "cosine"}
REPNOISE = {"kind": "defence", "name": "repnoise", "settings": {"alpha": 1.0}, "seed": 2, "domain": "fable"}


def key(name):
    return sha256(name.encode()).hexdigest()


def rung(steps, harm, **more):
    """One step is 8 samples, all of them new, of 2 tokens and 100 FLOPs each."""
    budget = Budget(steps=steps, samples=8 * steps, examples=8 * steps, tokens=16 * steps, flops=800.0 * steps)
    answers = [Answer(prompt=SECRET, text=SECRET, value=1.0, restricted=True)]
    return Rung(budget=budget, scores={"harm": Score(value=harm, n=10, answers=answers, **more)})


def record(harm, **more):
    fields = {
        "role": "undefended",
        "model": "base",
        "weights": "ba5e",
        "defence": None,
        "attack": {"name": "sft", "settings": {"training": TRAINING}},
        "seed": 1,
        "domain": World(name="fable", data="da7a", floor=0.1),
        "rungs": [rung(steps, value) for steps, value in enumerate(harm)],
    }
    return Record(**{**fields, **more})


def parts(value):
    """A score with two categories, one of which has no value."""
    return {"categories": {"odd": Score(value=value, n=10), "even": Score(value=None, reason="not asked")}}


def everything():
    """Broken at 2 steps; held, and cut short; failed at once; a prompt; a task; attacked with one category of two."""
    both = {**REPNOISE, "name": "repnoise+adversarial", "settings": {"1 repnoise": {}, "2 adversarial": {}}}
    defended = {"role": "defended", "parent": "ba5e", "model": "base+repnoise"}
    unseen = World(name="fable", data="da7a", floor=0.1, categories=["even", "odd"])
    return {
        "broken": record((0.0, 0.1, 0.5, 0.6, 0.9)),
        "held": record((0.0, 0.1), **defended, defence=REPNOISE, stopped="it had spent enough", purpose="search"),
        "failed": record(
            (), **defended, defence=both, failure=Failure(reason="out of memory", log='at step 1,\n"loss": nan')
        ),
        "prompt": record((0.2,), attack={"name": "prefill", "settings": {"opening": "Sure"}}),
        "task": record((None,), purpose="trainability", task="inns"),
        "unseen": record(
            (),
            **defended,
            defence={**REPNOISE, "categories": ["venom"]},
            purpose="generalization",
            domain=unseen,
            rungs=[rung(0, 0.25, low=0.125, high=0.5, **parts(0.5))],
        ),
    }


def exported(place, records, *, overwrite=False, study=STUDY):
    """The tables of some records, in a store that knows that each took 2.5 seconds."""
    store = Store(place / "store")
    store.prepare()
    for name, made in records.items():
        store.put_record(key(name), made, about={}, seconds=2.5)
    named = {f"records/{key(name)}.json": store.record(key(name)) for name in records}
    written = write(study, store, named, place / "out", overwrite=overwrite)
    assert [path.relative_to(place / "out").as_posix() for path in written] == FILES
    return place / "out"


def rows(path):
    return pyarrow.parquet.read_table(path).to_pylist()


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("study"), everything())


@pytest.fixture(scope="module")
def cells(out):
    found = rows(out / "cells.parquet")
    return dict(zip(everything(), found, strict=True))


def test_the_columns_of_a_cell(cells):
    """0.5 at 2 steps and 0.6 after it are the break; 1 step held. Two steps are 16 examples and 1,600 FLOPs."""
    assert cells["broken"] == {
        "key": key("broken"),
        "purpose": "resistance",
        "role": "undefended",
        "model": "base",
        "defence": None,
        "defence_seed": None,
        "attack": "sft",
        "learning_rate": 3e-4,
        "batch_size": 8,
        "lora_rank": 0,
        "seed": 1,
        "task": None,
        "failed": False,
        "study": "rates",
        "weights": "ba5e",
        "parent": None,
        "defence_settings": None,
        "defence_domain": None,
        "defence_categories": None,
        "attack_settings": json.dumps({"training": TRAINING}, sort_keys=True, separators=(",", ":")),
        "steps_planned": 4,
        "schedule": "cosine",
        "domain": "fable",
        "data": "da7a",
        "floor": 0.1,
        "categories": None,
        "rungs": 5,
        "threshold": 0.3,
        "broke_at_flops": 1600.0,
        "broke_at_examples": 16.0,
        "broke_at_steps": 2.0,
        "held_to_flops": 800.0,
        "held_to_examples": 8.0,
        "held_to_steps": 1.0,
        "stopped": None,
        "failure": None,
        "log": None,
        "seconds": 2.5,
        "code": None,
        "holdfast": None,
    }


def test_what_did_not_break_is_null_and_so_is_what_was_not_measured(cells):
    costs = [f"{word}_{unit}" for word in ("broke_at", "held_to") for unit in ("steps", "flops")]
    told = {name: [cell[column] for column in costs] for name, cell in cells.items()}
    assert told["held"] == [None, None, 1.0, 800.0]
    assert told["failed"] == told["task"] == [None] * 4
    assert told["prompt"] == [None, None, 0.0, 0.0]


def test_the_studys_own_threshold(tmp_path):
    """At 0.6 the same model breaks a step later."""
    made = exported(tmp_path, {"broken": everything()["broken"]}, study=Study(threshold=0.6))
    (cell,) = rows(made / "cells.parquet")
    assert (cell["threshold"], cell["broke_at_steps"], cell["held_to_steps"]) == (0.6, 3.0, 2.0)


def test_where_models_and_failures_come_from(cells):
    held, failed, unseen = cells["held"], cells["failed"], cells["unseen"]
    assert (held["defence"], held["defence_seed"], held["defence_settings"]) == ("repnoise", 2, '{"alpha":1.0}')
    assert (held["defence_domain"], held["parent"], held["stopped"]) == ("fable", "ba5e", "it had spent enough")
    assert failed["defence"] == "repnoise+adversarial"
    assert (failed["failure"], failed["log"], failed["rungs"]) == ("out of memory", 'at step 1,\n"loss": nan', 0)
    assert (unseen["categories"], unseen["defence_categories"], held["defence_categories"]) == (
        "even+odd",
        "venom",
        None,
    )
    assert [cells["prompt"][name] for name in ("attack", "learning_rate", "lora_rank", "steps_planned")] == [
        "prefill",
        None,
        None,
        None,
    ]


def test_scores_rung_by_rung_and_category_by_category(out):
    """5 + 2 + 0 + 1 + 1 rungs of one score, and one with two categories: 12 rows."""
    found = rows(out / "scores.parquet")
    assert len(found) == 12
    third = {"steps": 2, "samples": 16, "examples": 16, "tokens": 32, "flops": 1600.0, "metric": "harm", "value": 0.5}
    assert {name: found[2][name] for name in third} == third
    assert (found[2]["key"], found[2]["learning_rate"], found[2]["category"]) == (key("broken"), 3e-4, None)
    told = [[row[name] for name in ("category", "value", "low", "high", "n", "reason")] for row in found[-3:]]
    assert told == [
        [None, 0.25, 0.125, 0.5, 10, None],
        ["odd", 0.5, None, None, 10, None],
        ["even", None, None, None, 0, "not asked"],
    ]


def test_no_question_and_no_answer(out):
    for name in FILES:
        table = pyarrow.parquet.read_table(out / name) if name.endswith("parquet") else read_csv(out / name)
        assert SECRET not in str(table.to_pylist())
        assert not {"prompt", "text", "answers"} & {*table.column_names}


@pytest.mark.parametrize(("table", "columns"), [("cells", CELLS), ("scores", SCORES)])
def test_types_hold_whatever_is_missing(out, tmp_path, table, columns):
    """The schema of six records, of one in which nearly all is missing, and of none is the same."""
    lone = exported(tmp_path / "lone", {"failed": everything()["failed"]})
    none = exported(tmp_path / "none", {})
    schemas = [pyarrow.parquet.read_schema(place / f"{table}.parquet") for place in (out, lone, none)]
    told = [(field.name, {"double": "float64"}.get(str(field.type), str(field.type))) for field in schemas[0]]
    assert told == list(columns.items())
    assert schemas[0].equals(schemas[1])
    assert schemas[0].equals(schemas[2])
    assert (none / f"{table}.csv").read_text() == ",".join(f'"{name}"' for name in columns) + "\n"


def typed(values):
    """Which kind the values of a column are of: int and float count as one, as CSV tells 2.0 as 2."""
    return {"number" if isinstance(value, int | float) else type(value).__name__ for value in values} - {"NoneType"}


@pytest.mark.parametrize("table", ["cells", "scores"])
def test_duckdb_reads_both(out, table):
    duckdb = pytest.importorskip("duckdb")
    read = {kind: duckdb.sql(f"from '{out / table}.{kind}'").fetchall() for kind in ("parquet", "csv")}
    assert read["csv"] == read["parquet"] == [tuple(row.values()) for row in rows(out / f"{table}.parquet")]
    joined = f"select count(*), sum(value) from '{out}/scores.csv' join '{out}/cells.parquet' using (key)"
    # 0 + 0.1 + 0.5 + 0.6 + 0.9, 0 + 0.1, 0.2, 0.25 and its category's 0.5
    assert duckdb.sql(joined).fetchall() == [(12, pytest.approx(3.15))]


@pytest.mark.parametrize("table", ["cells", "scores"])
def test_polars_reads_both(out, table):
    polars = pytest.importorskip("polars")
    parquet = polars.read_parquet(out / f"{table}.parquet", use_pyarrow=False)
    read = polars.read_csv(out / f"{table}.csv", infer_schema_length=None)
    assert parquet.rows() == read.rows() == [tuple(row.values()) for row in rows(out / f"{table}.parquet")]
    assert [typed(column) for column in read] == [typed(column) for column in parquet]
    cast = polars.read_csv(out / f"{table}.csv", schema=parquet.schema)
    assert cast.equals(parquet)


@pytest.mark.parametrize("table", ["cells", "scores"])
def test_pandas_reads_both(out, table):
    pandas = pytest.importorskip("pandas")
    parquet, read = pandas.read_parquet(out / f"{table}.parquet"), pandas.read_csv(out / f"{table}.csv")
    assert list(parquet.columns) == list(read.columns)
    filled = [column for column in parquet if parquet[column].notna().any()]
    pandas.testing.assert_frame_equal(parquet[filled], read[filled], check_dtype=False)
    assert len(parquet) == {"cells": 6, "scores": 12}[table]


def test_a_failure_is_one_to_every_reader(tmp_path):
    """pandas, polars and DuckDB all read this reason in CSV as a missing value; none misses that the cell failed."""
    polars, pandas, duckdb = (pytest.importorskip(name) for name in ("polars", "pandas", "duckdb"))
    failed = record((0.0, 0.1), failure=Failure(reason="NaN"))
    place = exported(tmp_path, {"failed": failed, "held": everything()["held"]})
    for table, told in (("cells", [True, False]), ("scores", [True, True, False, False])):
        path = f"{place}/{table}.csv"
        assert polars.read_csv(path)["failed"].to_list() == told
        assert pandas.read_csv(path)["failed"].tolist() == told
        assert duckdb.sql(f"select failed from '{path}'").fetchall() == [(value,) for value in told]
    assert [row["failure"] for row in rows(place / "cells.parquet")] == ["NaN", None]


def test_a_spreadsheet_runs_nothing(tmp_path):
    """Texts that begin like a formula get an apostrophe in CSV alone; numbers, and other texts, stay as they are."""
    begins = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\0x", "a=1", "'x", ""]
    made = record((-0.5,), attack={"name": "=cmd|'/c calc'!A0", "settings": {"training": {"learning_rate": -1.0}}})
    odd = {"odd": Score(value=0.5), **{text: Score(value=-0.25, reason=text) for text in begins}}
    made = dataclasses.replace(
        made, rungs=[Rung(budget=made.rungs[0].budget, scores={"-x": Score(value=-0.5, categories=odd)})]
    )
    place = exported(tmp_path, {"made": made})
    with (place / "scores.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["reason"] for row in found][2:] == [f"'{text}" for text in begins[:8]] + begins[8:]
    assert [row["category"] for row in found][2:] == [f"'{text}" for text in begins[:8]] + begins[8:]
    assert {row["attack"] for row in found} == {"'=cmd|'/c calc'!A0"}
    assert {row["metric"] for row in found} == {"'-x"}
    assert [row["value"] for row in found[:3]] == ["-0.5", "0.5", "-0.25"]
    assert {row["learning_rate"] for row in found} == {"-1"}
    told = rows(place / "scores.parquet")
    assert [row["reason"] for row in told][2:] == begins
    assert {row["attack"] for row in told} == {"=cmd|'/c calc'!A0"}


def test_a_setting_of_another_type_is_told_among_all_settings_only(tmp_path):
    settings = {"training": {"learning_rate": "high", "batch_size": 2.5, "lora_rank": True, "schedule": 3}}
    place = exported(tmp_path, {"odd": record((0.0,), attack={"name": "mine", "settings": settings})})
    (cell,) = rows(place / "cells.parquet")
    assert [cell[name] for name in settings["training"]] == [None] * 4
    assert json.loads(cell["attack_settings"]) == settings


@pytest.mark.parametrize("there", FILES)
def test_tables_that_are_there_are_left_alone(tmp_path, there):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / there).write_text("mine")
    with pytest.raises(OutputError, match=f"{there} exists already: choose another place, or pass --overwrite"):
        exported(tmp_path, everything())
    assert [path.name for path in (tmp_path / "out").iterdir()] == [there]
    assert (tmp_path / "out" / there).read_text() == "mine"


def test_overwriting_replaces_the_tables_and_nothing_else(tmp_path):
    exported(tmp_path, everything())
    (tmp_path / "out" / "notes.txt").write_text("mine")
    place = exported(tmp_path, {"prompt": everything()["prompt"]}, overwrite=True)
    assert {path.name for path in place.iterdir()} == {*FILES, "notes.txt"}
    assert [row["key"] for row in rows(place / "cells.parquet")] == [key("prompt")]
    assert len((place / "scores.csv").read_text().splitlines()) == 2


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="is not a directory one may write to"):
        exported(tmp_path, everything())


def test_the_same_records_give_the_same_bytes(out, tmp_path):
    again = exported(tmp_path, everything())
    assert all((again / name).read_bytes() == (out / name).read_bytes() for name in FILES)


def test_it_loads_quickly():
    """Neither it nor what it imports needs Arrow or torch before there is something to write."""
    code = "import sys, holdfast.study.export; print([m for m in ('pyarrow', 'torch', 'pandas') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
