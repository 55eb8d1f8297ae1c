"""Scores of models on benchmarks: read from a CSV file, put on one scale, written as CSV files.

The application that the scale was made for (arXiv 2512.00193); `statistics.scale` has the paper's others.
"""

import csv
import datetime
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from holdfast.errors import DataError, UnknownName
from holdfast.files import write_text
from holdfast.report.text import shown
from holdfast.statistics.scale.fit import Anchor, Penalty, Scale, fit
from holdfast.statistics.scale.held_out import HeldOut, held_out
from holdfast.statistics.scale.resamples import Intervals, resampled
from holdfast.statistics.scale.scores import Scores, scores
from holdfast.statistics.scale.trend import ahead, trend

CAPABILITIES: Final = "capabilities.csv"
BENCHMARKS: Final = "benchmarks.csv"
COLUMNS: Final = ("model", "benchmark", "performance")
_CAPABILITY: Final = ("model", "capability", "low", "high")
_BENCHMARK: Final = ("benchmark", "difficulty", "slope", "low", "high")
_FEWEST: Final = 3
"""Models through which a line says nothing."""
_DAYS: Final = 365.25


@dataclass(frozen=True, kw_only=True)
class Benchmarks:
    """Models and benchmarks on one scale."""

    scale: Scale
    intervals: Intervals
    held_out: HeldOut | None
    apart: list[str]
    """Models and benchmarks that no chain of scores joins to the anchor: their places mean nothing beside the rest."""


def read(path: Path) -> tuple[Scores, dict[str, float]]:
    """Scores from a CSV file with columns model, benchmark, performance (a share), and perhaps date (2025-01-31).

    Returns:
        the scores, and of each model with a date the time of the first in years: 2025.08.

    Raises:
        DataError: it cannot be read, lacks a column, or a row is wrong; the message names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}."
        ) from None
    table = csv.DictReader(io.StringIO(text))
    columns = _columns(table, path)
    lacking = [name for name in COLUMNS if name not in columns]
    if lacking:
        raise DataError(
            f"{path}, line 1: no column {' or '.join(lacking)}; expected {', '.join(COLUMNS)}, and perhaps date, "
            f"not {shown(', '.join(columns) or 'nothing')}."
        )
    rows: list[tuple[str, str, float]] = []
    years: dict[str, float] = {}
    for row in _rows(table, path):
        place = f"{path}, line {table.line_num}"
        # As they are, spaces and all: whoever joins what comes out to what went in does so by name.
        model, benchmark = row["model"] or "", row["benchmark"] or ""
        if not model.strip() or not benchmark.strip():
            raise DataError(f"{place}: model and benchmark both need a name.")
        rows.append((model, benchmark, _share(row["performance"], place)))
        if date := row.get("date"):
            when = _years(date, place)
            years[model] = min(when, years.get(model, when))
    if not rows:
        raise DataError(f"{path} holds no score.")
    return scores(rows), years


def scaled(
    given: Scores,
    anchor: str,
    penalty: Penalty,
    *,
    resamples: int = 100,
    workers: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> Benchmarks:
    """Put models and benchmarks on one scale. Arguments as for `fit` and `resampled`.

    Raises:
        UnknownName: the anchor is no benchmark of the file.
    """
    if anchor not in given.items:
        raise UnknownName("benchmark", anchor, given.items)
    scale = fit(given, Anchor(item=anchor), penalty)
    models, benchmarks = given.joined(given.items.index(anchor))
    return Benchmarks(
        scale=scale,
        intervals=resampled(scale, resamples, workers=workers, told=told),
        held_out=held_out(scale),
        apart=[
            name
            for names, joined in ((given.subjects, models), (given.items, benchmarks))
            for name, there in zip(names, joined, strict=True)
            if not there
        ],
    )


def write(found: Benchmarks, folder: Path) -> list[Path]:
    """Write `capabilities.csv` and `benchmarks.csv`, the ablest and the hardest first.

    Raises:
        OutputError: a file cannot be written.
    """
    models, hardest = _tables(found)
    files = [folder / CAPABILITIES, folder / BENCHMARKS]
    write_text(files[0], _csv(_CAPABILITY, models))
    write_text(files[1], _csv(_BENCHMARK, hardest))
    return files


def to_json(found: Benchmarks) -> str:
    """Both tables as JSON."""
    models, hardest = _tables(found)
    named = {
        "capabilities": [dict(zip(_CAPABILITY, row, strict=True)) for row in models],
        "benchmarks": [dict(zip(_BENCHMARK, row, strict=True)) for row in hardest],
        "error": found.scale.error,
        "held_out": asdict(found.held_out) if found.held_out else None,
        "apart": found.apart,
    }
    return json.dumps(named, indent=1)


def lines(found: Benchmarks, years: dict[str, float]) -> list[str]:
    """What a terminal shows: how well the scale fits, and where models have a date, how capability grows."""
    scale, held = found.scale, found.held_out
    about = (
        f"{len(scale.scores.subjects)} models on {len(scale.scores.items)} benchmarks, {len(scale.scores)} scores; "
        f"{shown(scale.anchor.item)} has difficulty 0 and slope 1; penalty {scale.penalty.kind} "
        f"{scale.penalty.strength:g}"
    )
    told = [
        about,
        f"error {scale.error:.3f} (root mean square)"
        + (f"; of scores left out {held.error:.3f}, where means alone have {held.means:.3f}" if held else ""),
    ]
    if found.apart:
        apart = shown(", ".join(found.apart))
        told.append(f"not joined to {shown(scale.anchor.item)} by any chain of scores: {apart}")
    dated = [place for place, name in enumerate(scale.scores.subjects) if name in years and name not in found.apart]
    when, ability = np.array([years[scale.scores.subjects[one]] for one in dated]), scale.ability[dated]
    top = ahead(when, ability) if dated else np.zeros(0, dtype=bool)
    if top.sum() > _FEWEST:
        line = trend(when[top], ability[top])
        told.append(
            f"models ahead when they came gain {line.slope:.3f} a year [{line.low:.3f}, {line.high:.3f}], R2 "
            f"{line.r2:.2f}, {line.n} models"
        )
    return told


def _tables(found: Benchmarks) -> tuple[list[list[Any]], list[list[Any]]]:
    """Rows of either file, a gap where there is no interval."""
    scale, sure = found.scale, found.intervals
    models = zip(scale.scores.subjects, scale.ability, *sure.ability, strict=True)
    hardest = zip(scale.scores.items, scale.difficulty, scale.slope, *sure.difficulty, strict=True)
    return _ordered(models), _ordered(hardest)


def _ordered(rows: "Iterable[tuple[Any, ...]]") -> list[list[Any]]:
    plain = [[name, *(None if np.isnan(value) else float(value) for value in row)] for name, *row in rows]
    return sorted(plain, key=lambda row: -row[1])


def _csv(head: Sequence[str], rows: list[list[Any]]) -> str:
    made = io.StringIO()
    table = csv.writer(made, lineterminator="\n")
    table.writerow(head)
    table.writerows([name, *("" if value is None else f"{value:.6g}" for value in row)] for name, *row in rows)
    return made.getvalue()


def _columns(table: "csv.DictReader[str]", path: Path) -> list[str]:
    try:
        return [*(table.fieldnames or [])]
    except csv.Error as error:
        raise DataError(f"{path}, line 1: {error}; expected a CSV file.") from None


def _rows(table: "csv.DictReader[str]", path: Path) -> Iterator[dict[str, str | None]]:
    try:
        yield from table
    except csv.Error as error:
        raise DataError(f"{path}, line {table.line_num}: {error}; expected a CSV file.") from None


def _share(text: str | None, place: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise DataError(f"{place}: performance is {text!r}; expected a share from 0 to 1.")
    return value


def _years(text: str, place: str) -> float:
    try:
        day = datetime.date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise DataError(f"{place}: date is {text!r}; expected one like 2025-01-31.") from None
    return day.year + (day - datetime.date(day.year, 1, 1)).days / _DAYS
