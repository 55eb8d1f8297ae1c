"""`holdfast scale RECORDS`, and `holdfast scale --benchmarks FILE.csv`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.options import Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.statistics.scale.fit import Penalty


def scale(
    records: Annotated[
        Path | None, typer.Argument(metavar="RECORDS", help="A folder with records, as `holdfast report` reads.")
    ] = None,
    benchmarks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Instead: scores of models on benchmarks, with columns model, benchmark, performance, perhaps date.",
        ),
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The attack whose slope is 1, that with most to tell if none is given; of --benchmarks the one whose "
            "difficulty is 0 besides.",
        ),
    ] = None,
    undefended: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The undefended model whose durability is 0, where there are several."),
    ] = None,
    onto: Annotated[
        Path | None,
        typer.Option(
            metavar="scale.json",
            help="Instead of fitting a scale, put new attacks and models of RECORDS on that one; nothing on it moves.",
        ),
    ] = None,
    penalty: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="log_slopes draws slopes to the anchor's; squares draws them to 0, as in the paper, and is what "
            "--benchmarks has if none is given.",
        ),
    ] = None,
    regularisation: Annotated[float, typer.Option(min=0, metavar="STRENGTH", help="How strong that is.")] = 0.1,
    resamples: Annotated[int, typer.Option(min=2, help="Fits for the intervals.")] = 100,
    workers: Annotated[int, typer.Option(min=1, help="Processes for them.")] = 2,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write there what was found.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Put defences and attacks on one scale, from whichever of them have met.

    Success is sigmoid(slope (strength - durability)), after arXiv 2512.00193; the undefended model has durability 0. It
    says how well cells are foretold that were left out, too, and which to run next. With -o it leaves scale.json,
    scale.md, scale.svg and cells.svg; of --benchmarks capabilities.csv and benchmarks.csv; of --onto placed.json.
    """
    from typing import cast, get_args

    from holdfast.cli.progress import bar, counter
    from holdfast.errors import ConfigError, UnknownName
    from holdfast.statistics.scale.fit import Kind, Penalty

    if (records is None) == (benchmarks is None):
        raise ConfigError(
            "give either a folder of records or --benchmarks FILE.csv: holdfast scale holdfast-quickstart"
        )
    kind = penalty or ("squares" if benchmarks else "log_slopes")
    if onto and (benchmarks or anchor or undefended or penalty):
        raise ConfigError("--onto puts records on a scale that is fitted already: leave what a fit needs away.")
    if kind not in get_args(Kind):
        raise UnknownName("penalty", kind, get_args(Kind))
    chosen = Penalty(kind=cast("Kind", kind), strength=regularisation)
    with bar("scale", show=not (quiet or json)) as progress:
        count = counter(progress, "scale", show=not (quiet or json))

        def told(done: int) -> None:
            count(done, resamples)

        if records and onto:
            lines, data = _onto(records, onto, output)
        elif benchmarks:
            lines, data = _benchmarks(benchmarks, anchor, chosen, resamples, workers, output, told)
        else:
            assert records
            lines, data = _records(records, anchor, undefended, chosen, resamples, workers, output, told)
    if json:
        typer.echo(data)
    elif not quiet:
        typer.echo("\n".join(lines))


def _onto(records: Path, scale: Path, output: Path | None) -> tuple[list[str], str]:
    from holdfast.report import plain
    from holdfast.report.scale.cells import cells
    from holdfast.report.scale.found import Durability
    from holdfast.report.scale.onto import onto
    from holdfast.report.scale.pages import placed, to_json, write_placed
    from holdfast.report.verdict.reading import read

    found = onto(plain.read(Durability, scale), cells(read(records).values()))
    written = [write_placed(found, output)] if output else []
    return [*placed(found), *(f"written: {path}" for path in written)], to_json(found)


def _records(
    records: Path,
    anchor: str | None,
    undefended: str | None,
    penalty: "Penalty",
    resamples: int,
    workers: int,
    output: Path | None,
    told: "Callable[[int], None]",
) -> tuple[list[str], str]:
    from holdfast.report.scale.cells import cells
    from holdfast.report.scale.durability import durability
    from holdfast.report.scale.pages import lines, to_json, write
    from holdfast.report.verdict.reading import read

    found = durability(
        cells(read(records).values()),
        unit=anchor or "",
        zero=undefended or "",
        penalty=penalty,
        resamples=resamples,
        workers=workers,
        told=told,
    )
    written = write(found, output) if output else []
    return [*lines(found), *(f"written: {path}" for path in written)], to_json(found)


def _benchmarks(
    file: Path,
    anchor: str | None,
    penalty: "Penalty",
    resamples: int,
    workers: int,
    output: Path | None,
    told: "Callable[[int], None]",
) -> tuple[list[str], str]:
    from holdfast.errors import ConfigError
    from holdfast.report.scale.benchmarks import lines, read, scaled, to_json, write

    if not anchor:
        raise ConfigError("--benchmarks needs --anchor NAME: the benchmark whose difficulty is 0 and slope is 1.")
    given, years = read(file)
    found = scaled(given, anchor, penalty, resamples=resamples, workers=workers, told=told)
    written = write(found, output) if output else []
    return [*lines(found, years), *(f"written: {path}" for path in written)], to_json(found)
