"""A study as commands are given it: which file, tier and store, how far it is, and the report on that."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from holdfast.records import Record
    from holdfast.report.schema import Report
    from holdfast.study.cells import Cell
    from holdfast.study.design import Study
    from holdfast.study.played import Played
    from holdfast.study.store.store import Entry, Store

File = Annotated[Path, typer.Argument(metavar="FILE", help="A study as YAML: see studies/ and docs/studies.md.")]
Tier = Annotated[
    str | None, typer.Option("--tier", metavar="TIER", help="Which size of the study: quick, standard, full ...")
]
StoreAt = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", help="Where results lie: a folder, or s3://…; else holdfast-studies/NAME."),
]
ReportFolder = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="DIR", help="Folder for the report; else the store's own.")
]


def report_folder(output: Path | None, store: "Store") -> Path:
    """The folder of a report, which one can write to; to be called before the work that it is about.

    Raises:
        ConfigError: none was given, and the store is none of this machine's.
        OutputError: it cannot be written.
    """
    from holdfast.errors import ConfigError
    from holdfast.files import check_output

    folder = output or store.local
    if folder is None:
        raise ConfigError(f"{store.url} is no folder of this machine: say with --output where the report goes.")
    if not folder.is_dir():
        check_output(folder)
    return folder


def opened(file: Path, tier: str | None, store: str | None) -> "tuple[Study, Store]":
    """The study, and the store of its results."""
    from holdfast.study.conduct import home
    from holdfast.study.file import load
    from holdfast.study.store.store import Store

    study = load(file, tier)
    return study, Store(store or home(study))


def played(study: "Study", store: "Store") -> "Played":
    """How far a study is, with what it asked for later."""
    from holdfast.study.plan import rounds
    from holdfast.study.played import played as so_far

    store.check_if_there()
    return so_far(rounds(study), store)


def there(cells: "Sequence[Cell]", store: "Store") -> "dict[str, Entry]":
    """What the store has of those cells that need not be done again; a model that was dropped is one."""
    entries = store.entries([key for cell in cells for key in (cell.key, cell.weights_key) if key])
    whole = [cell.key for cell in cells if cell.is_in(entries)]
    return {key: entry for key, entry in entries.items() if key in whole or entry.dropped}


def records(far: "Played", store: "Store") -> "dict[str, Record]":
    """The records of a study's cells that are there."""
    from holdfast.errors import DataError

    if not far.records:
        raise DataError(f"nothing of the study is in {store.url} yet: run it first.")
    return {f"records/{key}.json": record for key, record in far.records.items()}


def judged(
    study: "Study", far: "Played", found: "Mapping[str, Record]", terms: Mapping[str, Any], *, show_text: bool = False
) -> "Report":
    """The report on a study's records.

    Args:
        study: the study, whose threshold is the verdict's.
        far: how far it is.
        found: its records, by name.
        terms: of the verdict, as the user set them.
        show_text: whether restricted text is shown.
    """
    from holdfast.config import build as build_
    from holdfast.report import build
    from holdfast.report.verdict.terms import Terms

    chosen = build_(Terms, {"threshold": study.threshold, **terms})
    return build.judged(found, chosen, show_text=show_text, missing=far.missing, asked=len(study.seeds.defence))
