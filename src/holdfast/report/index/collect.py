"""From folders of records to the rows of an index."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import DataError
from holdfast.records import Record
from holdfast.report.beside import Beside, beside
from holdfast.report.build import PAGE, judged
from holdfast.report.figure import Figure, Outcome, Status
from holdfast.report.page import before
from holdfast.report.scale.cells import Cell, cells
from holdfast.report.schema import Multiplied, Report, Verdict
from holdfast.report.verdict.reading import read
from holdfast.report.verdict.terms import Terms


@dataclass(frozen=True, kw_only=True)
class Row:
    """One hardened model of one study."""

    study: int
    """Which, from 0."""
    model: str
    defence: str
    outcome: Outcome
    multiplier: Multiplied | None
    """Of training compute."""
    harm: float | None
    """The most that any attack reached."""
    utility: Figure | None
    """Before any attack."""
    conditions: dict[str, Status]
    headline: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """One folder of records."""

    name: str
    domain: str
    records: int
    link: str | None
    """The way from the index to its own report, where it has one."""
    cells: list[Cell]
    models: list[str]
    attacks: list[str]
    """In the order of the heat map: the most success first."""
    besides: list[Beside]
    """Its scale, and the depth of its models, where they lie in the folder."""
    why: str | None = None
    """Why it has no verdict, where it has none."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """Everything on the page."""

    studies: list[Study]
    rows: list[Row]


def collect(
    folders: Sequence[Path], page: Path, terms: Terms | None = None, *, told: Callable[[int], None] = lambda _: None
) -> Index:
    """Read every folder. One without a hardened model is told as such, and has no row.

    Args:
        folders: of records, each a study.
        page: where the index will be, from which reports are linked.
        terms: of every verdict.
        told: is told after each folder how many are read.

    Raises:
        DataError: a folder holds no record, or a broken one, or a broken scale or depth.
    """
    studies: list[Study] = []
    rows: list[Row] = []
    for number, folder in enumerate(folders):
        records, why, report = read(folder), None, None
        try:
            report = judged(records, terms, over_seeds=False)
        except DataError as error:
            why = str(error)
        rows += _rows(report, number) if report else []
        studies.append(_study(folder, page, records, why, beside(folder, prefix=f"h{number + 1}-")))
        told(number + 1)
    return Index(studies=studies, rows=rows)


def _study(folder: Path, page: Path, records: Mapping[str, Record], why: str | None, besides: list[Beside]) -> Study:
    found, domain = list[Cell](), ""
    try:
        made = cells(records.values())
        found, domain = made.cells, made.domain
    except DataError as error:
        why = why or str(error)
    report = folder / PAGE
    return Study(
        name=folder.resolve().name,
        domain=domain,
        records=len(records),
        link=Path(os.path.relpath(report, page.absolute().parent)).as_posix() if report.is_file() else None,
        cells=found,
        models=_most((cell.model, cell.success) for cell in found),
        attacks=_most((cell.attack, cell.success) for cell in found),
        besides=besides,
        why=why,
    )


def _most(found: Iterable[tuple[str, float]]) -> list[str]:
    """Names by the mean of what stands beside them, the largest first."""
    sums: dict[str, list[float]] = {}
    for name, value in found:
        sums.setdefault(name, []).append(value)
    return sorted(sums, key=lambda name: -sum(sums[name]) / len(sums[name]))


def _rows(report: Report, study: int) -> list[Row]:
    return [
        Row(
            study=study,
            model=one.name or one.model,
            defence=str(one.defence.get("name", "")),
            outcome=one.outcome,
            multiplier=next((cost for cost in one.multipliers if cost.unit == "flops"), None),
            harm=_worst(one),
            utility=before(one.curves, "defended")["utility"],
            conditions={condition.name: condition.status for condition in one.conditions},
            headline=one.headline,
        )
        for one in report.verdicts
    ]


def _worst(one: Verdict) -> float | None:
    harms = [point.harm.value for curve in one.curves if curve.role == "defended" for point in curve.points]
    harms += [free.harm_after.value for free in one.free if free.role == "defended"]
    return max((value for value in harms if value is not None), default=None)
