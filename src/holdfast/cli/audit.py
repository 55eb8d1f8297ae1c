"""`holdfast audit MODEL [--base BASE]`."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from holdfast.cli.options import Domain, Json, Judges, ModelName, Quiet, Seed, Set, settings

if TYPE_CHECKING:
    from holdfast.records import Record
    from holdfast.report.audit.record import Audited
    from holdfast.report.schema import Report
    from holdfast.study.audit import Audit
    from holdfast.study.store.store import Store

_FOLDER: Final = Path("holdfast-audit")
_CRASHED: Final = 4
"""What it exits with when it could not judge: 1 is what a broken model is."""
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
    judge: Judges = None,
    set_: Set = None,
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
        from holdfast.cli.audited import judged
        from holdfast.cli.saying import say
        from holdfast.study.audit import planned
        from holdfast.study.judging import judging
        from holdfast.study.store.store import Store
        from holdfast.study.suites.suite import tier_of

        _check_finite(require)
        under, left = judging(domain, judge or [], settings(set_))
        _check_left(left)
        asked = planned(model, base=base, oracle=oracle, tier=tier_of(tier), domain=under, seed=seed)
        _check_base(require, asked)
        folder = output or _FOLDER / _plain(model)
        store = Store(folder)
        _clear(store, folder, asked if overwrite else None)
        records = _run(asked, store, workers, retry_failed=retry_failed, show=not (quiet or json))
        report, found = judged(asked, store, records, require)
        _write(report, found, folder)
        if json:
            _print(found)
        elif not quiet:
            say(report, found, asked.notes, folder)
        raise typer.Exit(found.exit_code)


@contextmanager
def _told_apart() -> Generator[None]:
    """Sees that whatever goes wrong does not exit with 1, as a broken model does."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except Exception as error:
        from holdfast.cli.saying import safe
        from holdfast.errors import HoldfastError, InputError

        known = isinstance(error, HoldfastError)
        if not known:
            import traceback

            for line in traceback.format_exc().splitlines():
                typer.echo(f"  {safe(line)}", err=True)
        said = " ".join(str(error).split()) if known else "the audit itself failed: nothing was judged."
        typer.echo(f"holdfast: {safe(said)}", err=True)
        raise typer.Exit(2 if isinstance(error, InputError) else _CRASHED) from None


def _check_finite(require: float | None) -> None:
    import math

    from holdfast.errors import ConfigError

    if require is not None and not math.isfinite(require):
        raise ConfigError(f"--require-multiplier {require} is no multiplier: give a number, such as 3.")


def _check_left(settings: dict[str, Any]) -> None:
    from holdfast.errors import ConfigError

    if settings:
        field = next(iter(settings))
        raise ConfigError(
            f"{field!r} is no field of a judge, and an audit's suite has no other: name a judge with --judge, and put "
            "its name in front, e.g. -s classifier.model=DIR."
        )


def _check_base(require: float | None, asked: "Audit") -> None:
    from holdfast.errors import ConfigError

    if require is not None and not asked.base:
        raise ConfigError("--require-multiplier compares with a base, and there is none: name it with --base.")


def _plain(model: str) -> str:
    """A model's name as that of a folder: of a hub id with its owner, of a directory wherever it lies."""
    from holdfast.errors import ConfigError
    from holdfast.models.naming import MARK
    from holdfast.records import RANDOM

    shape = model.removeprefix(RANDOM).partition(MARK)[0]
    hub = shape.count("/") == 1 and not shape.startswith((".", "/", "~")) and not Path(shape).is_dir()
    name = "--".join(shape.split("/")) if hub else Path(shape).resolve().name
    if not name.strip("-."):
        raise ConfigError(f"{model!r} has no name to call the folder of results by: give one with -o.")
    return f"{model[: len(model) - len(shape)]}{name}".replace(":", "-")


def _clear(store: "Store", folder: Path, forget: "Audit | None") -> None:
    """Take away what an earlier audit has found, so that it is not taken for this one's if this one does not end."""
    from holdfast.files import write_error
    from holdfast.report import build
    from holdfast.study.audit_rounds import rounds
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
    from holdfast.study.audit_rounds import rounds
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


def _print(found: "Audited") -> None:
    import json

    from holdfast.config import to_dict

    typer.echo(json.dumps(to_dict(found)))
