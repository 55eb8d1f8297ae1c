"""From a folder of records to a report, and from a report to its files."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pydantic

from holdfast.config import to_dict
from holdfast.errors import DataError
from holdfast.files import MANIFEST, check_output, write_bytes, write_text
from holdfast.records import Record
from holdfast.report.schema import Report, Run
from holdfast.report.verdict.evidence import gathered, read
from holdfast.report.verdict.labels import attack_label, model_label
from holdfast.report.verdict.scope import limits, not_measured, threat_model
from holdfast.report.verdict.terms import Terms
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
        DataError: there is no record, one is broken, none is of a hardened model, or they are of several domains.
    """
    terms, directory = terms or Terms(), Path(directory)
    found = read(directory)
    domains = {record.domain.data: record.domain for record in found.values()}
    if len(domains) > 1:
        names = ", ".join(sorted({domain.name for domain in domains.values()}))
        raise DataError(f"{directory} has records on several data sets ({names}): put each in a folder of its own.")
    about = next(iter(domains.values()))
    verdicts = [verdict(evidence, terms, show_text=show_text) for evidence in gathered(found.values())]
    return Report(
        title=" and ".join(dict.fromkeys(one.model for one in verdicts)),
        holdfast=version("holdfast"),
        domain=about.name,
        data=about.data,
        floor=about.floor,
        terms=to_dict(terms),
        verdicts=verdicts,
        threat_model=threat_model(),
        limits=limits(found.values()),
        not_measured=not_measured(found.values()),
        show_text=show_text,
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

    Returns:
        What was written.

    Raises:
        OutputError: a file cannot be written.
    """
    from holdfast.report.card import write_card
    from holdfast.report.page import drawn, page

    directory = Path(directory)
    check_output(directory / PAGE, overwrite=True)
    pictures = drawn(report)
    written = [directory / PAGE, directory / DATA]
    write_text(written[0], page(report, pictures))
    write_text(written[1], json.dumps(to_json(report), indent=1) + "\n")
    for old in (directory / FIGURES).glob("model-*.png"):
        old.unlink()
    for number, one in enumerate(report.verdicts, start=1):
        for drawing in pictures[number - 1]:
            written.append(directory / FIGURES / f"model-{number}-{drawing.name}.png")
            write_bytes(written[-1], drawing.png)
        for place in _models(directory, one.weights):
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
        code=record.code,
        versions=record.versions,
    )
