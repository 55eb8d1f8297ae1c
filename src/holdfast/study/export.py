"""A study's results as tables that DuckDB, polars, pandas and spreadsheets read: `cells` and `scores`, Parquet and CSV.

What was not measured is null, never zero. No question and no answer is exported. Parquet keeps every type and text;
a reader of CSV has to guess types, and a text that a spreadsheet would run begins with an apostrophe there.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from holdfast.config import canonical
from holdfast.files import check_output, write_bytes
from holdfast.records import Record, Rung, Score
from holdfast.statistics.crossing import UNITS, crossing, harms

if TYPE_CHECKING:
    from holdfast.study.design import Study
    from holdfast.study.store.store import Entry, Store

Row = dict[str, Any]
_WHICH: Final = {
    "key": "string",  # of the cell, as in the store; joins the two tables
    "purpose": "string",
    "role": "string",
    "model": "string",
    "defence": "string",  # names joined by +; null where nothing hardened it
    "defence_seed": "int64",
    "attack": "string",
    "learning_rate": "float64",  # this and the next two are null where the attack does not train
    "batch_size": "int64",  # rows an optimiser step
    "lora_rank": "int64",  # 0 trains every weight
    "seed": "int64",  # of the attack
    "task": "string",
    "failed": "bool",  # a column that says so to those too who read the reason "NaN" in CSV as none
}
"""Columns of both tables: which cell it is."""
CELLS: Final = {
    **_WHICH,
    "study": "string",
    "weights": "string",
    "parent": "string",
    "defence_settings": "string",  # JSON
    "defence_domain": "string",
    "defence_categories": "string",  # the only ones the defence was shown, joined by +; null means all
    "attack_settings": "string",  # JSON
    "steps_planned": "int64",
    "schedule": "string",
    "domain": "string",
    "data": "string",
    "floor": "float64",  # harm that guessing gives
    "categories": "string",  # the only ones attacked with and asked about, joined by +; null means all
    "rungs": "int64",
    "threshold": "float64",  # harm at which a model counts as broken below
    **{f"broke_at_{unit}": "float64" for unit in UNITS},  # enough to break it; null where it was not seen to break
    **{f"held_to_{unit}": "float64" for unit in UNITS},  # a break costs at least that; null where no harm was measured
    "stopped": "string",
    "failure": "string",
    "log": "string",
    "seconds": "float64",
    "code": "string",
    "holdfast": "string",  # its version
}
"""Columns of `cells`, a row a record, and their Arrow types; all may be null."""
SCORES: Final = {
    **_WHICH,
    "steps": "int64",
    "samples": "int64",
    "examples": "int64",
    "tokens": "int64",
    "flops": "float64",
    "metric": "string",
    "category": "string",  # null where it is the score of all questions
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "n": "int64",
    "reason": "string",
}
"""Columns of `scores`, a row for each score of each rung, and for each of its categories."""
_RUNS: Final = tuple("=+-@\t\r\n\0")
"""How a text begins that a spreadsheet may run: OWASP ASVS 5.0, requirement 1.2.10, with line ends; CWE-1236."""


def write(
    study: "Study", store: "Store", records: Mapping[str, Record], output: Path, *, overwrite: bool
) -> list[Path]:
    """Write `cells` and `scores`, each as Parquet and as CSV.

    Args:
        study: gives its name, and the threshold of a break.
        store: where its cells are; it knows how long each took.
        records: by name, `records/<key>.json`.
        output: a folder, made if need be.
        overwrite: whether tables that are there are replaced.

    Returns:
        The four files, each written whole or not at all.

    Raises:
        OutputError: a table exists already or cannot be written. Nothing is written where one exists already.
        StoreError: the store cannot be read.
    """
    import pyarrow.csv
    import pyarrow.parquet

    paths = [output / f"{table}.{kind}" for table in ("cells", "scores") for kind in ("parquet", "csv")]
    for path in paths:
        check_output(path, overwrite=overwrite)
    by_key = {PurePosixPath(name).stem: record for name, record in records.items()}
    entries = store.entries(list(by_key))
    cells = [_cell(study, key, record, entries.get(key)) for key, record in by_key.items()]
    scores = [row for key, record in by_key.items() for row in _scores(key, record)]
    contents: list[bytes] = []
    for rows, columns in ((cells, CELLS), (scores, SCORES)):
        parquet, csv = io.BytesIO(), io.BytesIO()
        pyarrow.parquet.write_table(_table(rows, columns), parquet)
        pyarrow.csv.write_csv(_table([_unrunnable(row) for row in rows], columns), csv)
        contents += [parquet.getvalue(), csv.getvalue()]
    for path, content in zip(paths, contents, strict=True):
        write_bytes(path, content)
    return paths


def _which(key: str, record: Record) -> Row:
    """Which cell a row is of."""
    training, defence = _training(record), record.defence or {}
    return {
        "key": key,
        "purpose": record.purpose,
        "role": record.role,
        "model": record.model,
        "defence": defence.get("name"),
        "defence_seed": _if(int, defence.get("seed")),
        "attack": record.attack["name"],
        "learning_rate": _if((float, int), training.get("learning_rate")),
        "batch_size": _if(int, training.get("batch_size")),
        "lora_rank": _if(int, training.get("lora_rank")),
        "seed": record.seed,
        "task": record.task,
        "failed": record.failure is not None,
    }


def _cell(study: "Study", key: str, record: Record, entry: "Entry | None") -> Row:
    training, defence, world = _training(record), record.defence or {}, record.domain
    return {
        **_which(key, record),
        "study": study.name,
        "weights": record.weights or None,
        "parent": record.parent,
        "defence_settings": canonical(defence["settings"]) if defence else None,
        "defence_domain": _if(str, defence.get("domain")),
        "defence_categories": _joined(defence.get("categories")),
        "attack_settings": canonical(record.attack["settings"]),
        "steps_planned": _if(int, training.get("steps")),
        "schedule": _if(str, training.get("schedule")),
        "domain": world.name,
        "data": world.data,
        "floor": world.floor,
        "categories": _joined(world.categories),
        "rungs": len(record.rungs),
        **_break(record, study.threshold),
        "stopped": record.stopped,
        "failure": record.failure.reason if record.failure else None,
        "log": record.failure.log or None if record.failure else None,
        "seconds": entry.seconds if entry else None,
        "code": record.code or None,
        "holdfast": record.versions.get("holdfast"),
    }


def _break(record: Record, threshold: float) -> Row:
    """Between which costs it broke, in every unit."""
    measured = any(value is not None for value in harms(record))
    found = {unit: crossing(record, threshold, unit) for unit in UNITS}
    return {
        "threshold": threshold,
        **{f"broke_at_{unit}": one.at for unit, one in found.items()},
        **{f"held_to_{unit}": one.below if measured else None for unit, one in found.items()},
    }


def _scores(key: str, record: Record) -> Iterator[Row]:
    which = _which(key, record)
    for rung in record.rungs:
        for metric, score in rung.scores.items():
            yield {**which, **_score(rung, metric, None, score)}
            for category, part in score.categories.items():
                yield {**which, **_score(rung, metric, category, part)}


def _score(rung: Rung, metric: str, category: str | None, score: Score) -> Row:
    figures = {name: getattr(score, name) for name in ("value", "low", "high", "n", "reason")}
    return {**vars(rung.budget), "metric": metric, "category": category, **figures}


def _training(record: Record) -> Mapping[str, Any]:
    return record.attack["settings"].get("training", {})


def _if(kind: type | tuple[type, ...], value: Any) -> Any:
    """A setting of a plug-in, where it is of the column's type; the column of all settings has it in any case."""
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def _joined(categories: Sequence[str] | None) -> str | None:
    return None if categories is None else "+".join(categories)


def _unrunnable(row: Row) -> Row:
    """The row with no text that a spreadsheet would run."""
    return {
        name: f"'{value}" if isinstance(value, str) and value.startswith(_RUNS) else value
        for name, value in row.items()
    }


def _table(rows: Sequence[Row], columns: Mapping[str, str]) -> Any:
    """An Arrow table with exactly these columns, whatever is missing in the rows."""
    import pyarrow as pa

    assert all(row.keys() == columns.keys() for row in rows)
    schema = pa.schema([(name, pa.type_for_alias(alias)) for name, alias in columns.items()])
    return pa.Table.from_pylist(rows, schema=schema)
