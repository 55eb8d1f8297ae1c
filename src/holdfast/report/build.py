"""From a folder of records to a report, and from a report to its files."""

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pydantic

from holdfast.config import to_dict
from holdfast.errors import DataError
from holdfast.files import MANIFEST, check_output, write_bytes, write_text
from holdfast.records import Record
from holdfast.report.schema import Report, Run
from holdfast.report.verdict.evidence import gathered
from holdfast.report.verdict.judges import judges
from holdfast.report.verdict.labels import attack_label, model_label
from holdfast.report.verdict.models import ways, with_seeds
from holdfast.report.verdict.reading import read
from holdfast.report.verdict.scope import limits, not_measured, threat_model
from holdfast.report.verdict.terms import Terms
from holdfast.report.verdict.unfinished import open_comparison, open_verdict
from holdfast.report.verdict.verdict import verdict

PAGE: Final = "report.html"
DATA: Final = "report.json"
FIGURES: Final = "figures"


def build(directory: str | Path, terms: Terms | None = None, *, show_text: bool = False) -> Report:
    """The report on every hardened model in a folder, from its records alone.

    Args:
        directory: holds `records/*.json`, or `record.json` files anywhere below it.
        terms: what counts as broken, as stable, as learnt.
        show_text: whether restricted text is shown.

    Raises:
        DataError: there is no record, one is broken, none is of a hardened model, or they are of several domains
            (harmless tasks may be of another) or were judged by several.
    """
    return judged(read(Path(directory)), terms, show_text=show_text)


def judged(
    found: Mapping[str, Record],
    terms: Terms | None = None,
    *,
    show_text: bool = False,
    missing: int = 0,
    asked: int | None = None,
    alone: bool = False,
    over_seeds: bool = True,
) -> Report:
    """The report on records by name, as those of a study. Arguments and errors as for `build`.

    Args:
        found: the records.
        terms, show_text: as for `build`.
        missing: how many cells of a study are not done yet. With any, nothing is said to hold.
        asked: how many seeds of the defence the study asks for.
        alone: whether each model is judged by itself, with no undefended one to compare with: costs are absolute then.
        over_seeds: whether models that were hardened alike are compared, which takes as long as all verdicts do.
    """
    from holdfast.report.verdict.comparison import compared  # brings scipy, which takes longer than reading does

    terms = terms or Terms()
    harmful = [record for record in found.values() if record.purpose != "trainability"] or [*found.values()]
    domains = {record.domain.data: record.domain for record in harmful}
    if len(domains) > 1:
        names = ", ".join(sorted({domain.name for domain in domains.values()}))
        raise DataError(f"the records are on several data sets ({names}): put each in a folder of its own.")
    about = next(iter(domains.values()))
    asked_of = judges(found.values())
    evidence = gathered(found.values(), alone=alone)
    called = ways([one.hardened for one in evidence])
    verdicts = [
        open_verdict(replace(verdict(one, terms, show_text=show_text), name=name), missing)
        for one, name in zip(evidence, with_seeds([one.hardened for one in evidence], called), strict=True)
    ]
    return Report(
        title=" and ".join(dict.fromkeys(one.model for one in verdicts)),
        holdfast=version("holdfast"),
        domain=about.name,
        data=about.data,
        floor=about.floor,
        judges=asked_of,
        terms=to_dict(terms),
        comparisons=[]
        if alone or not over_seeds
        else [open_comparison(one, missing, asked) for one in compared(evidence, verdicts, called, terms)],
        verdicts=verdicts,
        threat_model=threat_model(found.values()),
        limits=limits(found.values()),
        not_measured=not_measured(found.values()),
        show_text=show_text,
        alone=alone,
        runs=[_run(file, record) for file, record in found.items()],
    )


def to_json(report: Report) -> dict[str, Any]:
    """A report as `report.json` holds it."""
    return pydantic.TypeAdapter(Report).dump_python(report, mode="json")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `report.json`."""
    return pydantic.TypeAdapter(Report).json_schema()


def write(report: Report, directory: str | Path) -> list[Path]:
    """Write `report.html`, `report.json`, `figures/*.png`, and the verdict into each hardened model's card.

    What `holdfast scale` and `holdfast depth` have left in the folder is shown on the page.

    Returns:
        What was written.

    Raises:
        DataError: a scale or depth that lies there is not as it was written.
        OutputError: a file cannot be written.
    """
    from holdfast.report.beside import beside
    from holdfast.report.card import write_card
    from holdfast.report.page import drawn, page

    directory = Path(directory)
    check_output(directory / PAGE, overwrite=True)
    pictures, besides = drawn(report), beside(directory)
    written = [directory / PAGE, directory / DATA]
    write_text(written[0], page(report, pictures, besides))
    write_text(written[1], json.dumps(to_json(report), indent=1) + "\n")
    for old in [*(directory / FIGURES).glob("model-*.png"), *(directory / FIGURES).glob("over-seeds-*.png")]:
        old.unlink()
    for number, some in enumerate(pictures.comparisons, start=1):
        for drawing in some:
            written.append(directory / FIGURES / f"over-seeds-{number}-{drawing.name}.png")
            write_bytes(written[-1], drawing.png)
    for number, one in enumerate(report.verdicts, start=1):
        for drawing in pictures.verdicts[number - 1]:
            written.append(directory / FIGURES / f"model-{number}-{drawing.name}.png")
            write_bytes(written[-1], drawing.png)
        for place in _models(directory, one.weights) if one.weights else []:
            write_card(place, report, one)
            written.append(place / "README.md")
    return written


def _models(directory: Path, weights: str) -> list[Path]:
    """The directories below the folder that hold a hardened model, by the hash of its weights."""
    found: list[Path] = []
    for manifest in sorted(directory.glob(f"**/{MANIFEST}")):
        try:
            told = json.loads(manifest.read_text())
        except (OSError, ValueError):
            continue
        made_by = told.get("made_by") if isinstance(told, dict) else None
        if isinstance(made_by, dict) and made_by.get("kind") == "defence" and told.get("weights") == weights:
            found.append(manifest.parent)
    return found


def _run(file: str, record: Record) -> Run:
    return Run(
        file=file,
        purpose=record.purpose,
        role=record.role,
        model=model_label(record.model),
        weights=record.weights,
        attack=attack_label(record),
        settings=record.attack["settings"],
        defence=record.defence,
        seed=record.seed,
        task=record.task,
        categories=record.domain.categories,
        steps=record.rungs[-1].budget.steps if record.rungs else 0,
        seconds=record.seconds,
        failure=record.failure.reason if record.failure else None,
        stopped=record.stopped,
        code=record.code,
        versions=record.versions,
    )
