"""`holdfast audit MODEL [--base BASE]`."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from holdfast.cli.options import Domain, Json, ModelName, Quiet, Seed

if TYPE_CHECKING:
    from holdfast.records import Record, Role
    from holdfast.report.audit.record import Audited, Subject
    from holdfast.report.schema import Report
    from holdfast.study.audit import Audit
    from holdfast.study.store.store import Store

_FOLDER: Final = Path("holdfast-audit")
_CRASHED: Final = 4
"""What it exits with when it could not judge: 1 is what a broken model is."""
_LINE: Final = 2000
"""Characters of a line that are shown."""
_RECORD: Final = "audit.json"
_CARD: Final = "model_card_section.md"


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

    Exit codes: 0 holds, 1 broken, 3 inconclusive, 2 bad input, 4 the audit itself failed: nothing was judged,
    130 stopped.
    """
    with _told_apart():
        from holdfast.study.audit import planned
        from holdfast.study.store.store import Store
        from holdfast.study.suites.suite import tier_of

        _check_finite(require)
        asked = planned(model, base=base, oracle=oracle, tier=tier_of(tier), domain=domain, seed=seed)
        _check_base(require, asked)
        folder = output or _FOLDER / _plain(model)
        store = Store(folder)
        _clear(store, folder, asked if overwrite else None)
        records = _run(asked, store, workers, retry_failed=retry_failed, show=not (quiet or json))
        report, found = _judged(asked, store, records, require)
        _write(report, found, folder)
        if json:
            _print(found)
        elif not quiet:
            _show(report, found, asked.notes, folder)
        raise typer.Exit(found.exit_code)


@contextmanager
def _told_apart() -> Generator[None]:
    """Sees that whatever goes wrong does not exit with 1, as a broken model does."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except Exception as error:
        from holdfast.errors import HoldfastError, InputError

        known = isinstance(error, HoldfastError)
        if not known:
            import traceback

            for line in traceback.format_exc().splitlines():
                typer.echo(f"  {_safe(line)}", err=True)
        said = " ".join(str(error).split()) if known else "the audit itself failed: nothing was judged."
        typer.echo(f"holdfast: {_safe(said)}", err=True)
        raise typer.Exit(2 if isinstance(error, InputError) else _CRASHED) from None


def _check_finite(require: float | None) -> None:
    import math

    from holdfast.errors import ConfigError

    if require is not None and not math.isfinite(require):
        raise ConfigError(f"--require-multiplier {require} is no multiplier: give a number, such as 3.")


def _check_base(require: float | None, asked: "Audit") -> None:
    from holdfast.errors import ConfigError

    if require is not None and not asked.base:
        raise ConfigError("--require-multiplier compares with a base, and there is none: name it with --base.")


def _plain(model: str) -> str:
    """A model's name as that of a folder: of a hub id with its owner, of a directory wherever it lies."""
    from holdfast.errors import ConfigError
    from holdfast.records import RANDOM

    shape = model.removeprefix(RANDOM)
    hub = shape.count("/") == 1 and not shape.startswith((".", "/", "~")) and not Path(shape).is_dir()
    name = "--".join(shape.split("/")) if hub else Path(shape).resolve().name
    if not name.strip("-."):
        raise ConfigError(f"{model!r} has no name to call the folder of results by: give one with -o.")
    return f"{model[: len(model) - len(shape)]}{name}".replace(":", "-")


def _clear(store: "Store", folder: Path, forget: "Audit | None") -> None:
    """Take away what an earlier audit has found, so that it is not taken for this one's if this one does not end."""
    from holdfast.files import write_error
    from holdfast.report import build
    from holdfast.study.audit import rounds
    from holdfast.study.played import played

    store.prepare()  # refuses a folder of something else
    for name in (_RECORD, _CARD, build.PAGE, build.DATA):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise write_error(error, folder / name) from error
    if forget:
        for key in {cell.key for cell in played(rounds(forget, trying=False), store).cells}:
            store.discard(key)


def _run(asked: "Audit", store: "Store", workers: int, *, retry_failed: bool, show: bool) -> "dict[str, Record]":
    """The records of all that was asked for."""
    from holdfast.cli.watching import watching
    from holdfast.report.text import shown
    from holdfast.study.audit import rounds
    from holdfast.study.played import finished
    from holdfast.study.run import run
    from holdfast.study.runners.local import Local

    with watching(shown(asked.model), show=show, what="audit") as watch:
        run(rounds(asked), store, Local(workers), retry_failed=retry_failed, watch=watch)
    return finished(rounds(asked), store)


def _write(report: "Report", found: "Audited", folder: Path) -> None:
    """Write all that an audit leaves; its record last, so that where that is the rest is too."""
    import json

    from holdfast.config import to_dict
    from holdfast.files import write_text
    from holdfast.report import build
    from holdfast.report.audit.card import section

    build.write(report, folder)
    write_text(folder / _CARD, section(found, report.limits))
    write_text(folder / _RECORD, json.dumps(to_dict(found), indent=1) + "\n")


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


def _print(found: "Audited") -> None:
    import json

    from holdfast.config import to_dict

    typer.echo(json.dumps(to_dict(found)))


def _show(report: "Report", found: "Audited", notes: Sequence[str], folder: Path) -> None:
    """The verdict, and what the audit adds to it: how it came about, what was left out, what failed, and the word."""
    from rich.console import Console

    from holdfast.cli.verdicts import show
    from holdfast.report import build

    console = Console()
    with console.capture() as captured:
        show(console, report, folder / build.PAGE)
    # Names are made safe there, but where a line is broken one may begin the next.
    typer.echo(_uncommanding(captured.get()), nl=False)
    for note in notes:
        typer.echo(_safe(note))
    for one in found.left_out:
        typer.echo(_safe(f"left out: {one.method}: {one.why}"))
    for one in found.failures:
        typer.echo(_safe(f"holdfast: {one.attack} on {one.model}: {one.reason}"), err=True)
    typer.echo(_safe(f"{found.suite.name} {found.suite.version}, {found.suite.tier}: {found.outcome}. {found.reason}"))


def _safe(text: str) -> str:
    """A text of whoever made a model, on one line: nothing in it commands a terminal, or what reads a log."""
    from holdfast.report.text import shown

    return _uncommanding(shown(text, _LINE))


def _uncommanding(text: str) -> str:
    """Lines of which none is a command to GitHub's runner: one way to write those counts anywhere in a line."""
    import re

    return re.sub(r"(?m)^(\s*)::", r"\1: :", text).replace("##[", "# #[")
