"""`holdfast audit MODEL [--base BASE]`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.options import Domain, Json, ModelName, Quiet, Seed

if TYPE_CHECKING:
    from holdfast.records import Record, Role
    from holdfast.report.audit.record import Audited, Subject
    from holdfast.report.schema import Report
    from holdfast.study.audit import Audit
    from holdfast.study.store.store import Store

_FOLDER = Path("holdfast-audit")


def audit(
    model: ModelName,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="BASE",
            help="The model that MODEL is a defended version of. Else what MODEL's holdfast.json says; with neither "
            "MODEL is judged alone.",
        ),
    ] = None,
    oracle: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="A model that never had the knowledge. Else, for what descends from arcana, arcana-filtered; for "
            "any other a random initialisation.",
        ),
    ] = None,
    tier: Annotated[str, typer.Option(help="How thorough: quick, standard or full.")] = "quick",
    domain: Domain = "arcana",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for results, else holdfast-audit/NAME; one begun is gone on with."),
    ] = None,
    require: Annotated[
        float | None,
        typer.Option(
            "--require-multiplier",
            metavar="X",
            min=0,
            help="Let a model hold that training breaks, at no less than X times the compute that BASE takes.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes, of one thread each.")] = 2,
    seed: Seed = 0,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Forget what an earlier run finished.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Attack a model with the suite attacks/standard, and say in one word whether its safeguard holds.

    Leaves report.html, report.json, records, audit.json and model_card_section.md in the folder.

    Exit codes: 0 holds, 1 broken, 3 inconclusive, 2 bad input, 130 stopped.
    """
    import json as json_

    from rich.console import Console

    from holdfast.cli.verdicts import show
    from holdfast.cli.watching import watching
    from holdfast.config import to_dict
    from holdfast.files import write_text
    from holdfast.report import build
    from holdfast.report.audit.card import section
    from holdfast.study.audit import planned, rounds
    from holdfast.study.played import finished, played
    from holdfast.study.run import run
    from holdfast.study.runners.local import Local
    from holdfast.study.store.store import Store
    from holdfast.study.suites.suite import tier_of

    asked = planned(model, base=base, oracle=oracle, tier=tier_of(tier), domain=domain, seed=seed)
    _check_multiplier(require, asked)
    folder = output or _FOLDER / _plain(model)
    store = Store(folder)
    if overwrite:
        store.prepare()
        for key in {cell.key for cell in played(rounds(asked), store).cells}:
            store.discard(key)
    with watching(_plain(model), show=not (quiet or json), what="audit") as watch:
        run(rounds(asked), store, Local(workers), retry_failed=retry_failed, watch=watch)
    records = finished(rounds(asked), store)
    report, found = _judged(asked, store, records, require)
    build.write(report, folder)
    write_text(folder / "audit.json", json_.dumps(to_dict(found), indent=1) + "\n")
    write_text(folder / "model_card_section.md", section(found, report.limits))
    if json:
        typer.echo(json_.dumps(to_dict(found)))
    elif not quiet:
        show(Console(), report, folder / build.PAGE)
        _say(found, asked.notes)
    raise typer.Exit(found.exit_code)


def _check_multiplier(require: float | None, asked: "Audit") -> None:
    from holdfast.errors import ConfigError

    if require is not None and not asked.base:
        raise ConfigError("--require-multiplier compares with a base, and there is none: name it with --base.")


def _plain(model: str) -> str:
    """A model's name as that of a folder."""
    return Path(model).name.replace(":", "-") or "model"


def _judged(
    asked: "Audit", store: "Store", records: "dict[str, Record]", require: float | None
) -> "tuple[Report, Audited]":
    """The report on the records, and the record of the audit."""
    from dataclasses import replace

    from holdfast.report import build
    from holdfast.report.audit.record import Suite, audited

    base = _subject(asked.base, "undefended", records) if asked.base else None
    notes = list(asked.notes)
    own = [record for record in records.values() if record.role == asked.role]
    if base and any(record.parent not in {None, base.weights} for record in own):
        notes.append(f"Its holdfast.json says that it was made from other weights than those of {base.name}.")
    # That the model is a defended version of the base is what whoever audits says.
    claimed = {
        key: replace(record, parent=base.weights) if base and record in own else record
        for key, record in records.items()
    }
    found = {f"records/{key}.json": record for key, record in claimed.items()}
    report = build.judged(found, alone=base is None)
    told: dict[str, Any] = {entry.key: entry.about for entry in store.entries(list(records)).values()}
    made = audited(
        report,
        found,
        {f"records/{key}.json": str(told[key]["method"]) for key in records},
        suite=Suite(name=asked.suite.name, version=asked.suite.version, tier=asked.tier),
        model=_subject(asked.model, asked.role, records),
        base=base,
        control=_subject(*asked.subjects[-1], records),
        seed=asked.seed,
        left_out=asked.left_out,
        notes=notes,
        required=require,
    )
    return report, made


def _subject(name: str, role: "Role", records: "dict[str, Record]") -> "Subject":
    from holdfast.report.audit.record import Subject

    weights = (record.weights for record in records.values() if record.role == role and record.weights)
    return Subject(name=name, weights=next(weights, ""), role=role)


def _say(found: "Audited", notes: Sequence[str]) -> None:
    """What the audit adds to the verdict: how it came about, what was left out, what failed, and the word."""
    for note in notes:
        typer.echo(note)
    for one in found.left_out:
        typer.echo(f"left out: {one.method}: {one.why}")
    for one in found.failures:
        typer.echo(f"holdfast: {one.attack} on {one.model}: {one.reason}", err=True)
    typer.echo(f"{found.suite.name} {found.suite.version}, {found.suite.tier}: {found.outcome}. {found.reason}")
