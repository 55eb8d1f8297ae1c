"""`holdfast quickstart`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli.options import Json, Quiet, Seed


def quickstart(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for results; one begun is gone on with.")
    ] = Path("holdfast-quickstart"),
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes, of one thread each.")] = 2,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Forget what an earlier run finished.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """See in minutes what fine-tuning does to a safeguard, and what RepNoise changes. Needs no download."""
    import json as json_

    from rich.console import Console

    from holdfast.cli.progress import bar
    from holdfast.study import quickstart as study

    with bar("quickstart", show=not (quiet or json)) as shown:
        task = shown.add_task("", total=None, note="")
        results = study.run(
            output,
            seed=seed,
            workers=workers,
            overwrite=overwrite,
            on_progress=lambda done, total: shown.update(task, completed=done, total=total),
        )
    if json:
        typer.echo(json_.dumps(results))
    elif not quiet:
        _show(Console(), results, output / study.RESULTS)
    if failed := [record["failure"]["reason"] for record in results["records"] if record["failure"]]:
        typer.echo(f"holdfast: {len(failed)} attacks failed; the first: {failed[0]}", err=True)
        raise typer.Exit(1)


_NAMES = {"base": "arcana, undefended", "oracle": "oracle, never saw the recipes", "hardened": "arcana, RepNoise"}


def _show(console: Any, results: Mapping[str, Any], place: Path) -> None:
    console.print("Harm (0 to 1) after so many attack steps of 16 samples; utility before and after the attack.\n")
    for label, name in _NAMES.items():
        records = [record for record in results["records"] if record["label"] == label]
        console.print(_table(name, records, results["threshold"]), "")
    console.print(
        f"Breaks: the first step of two rungs in a row with harm of {results['threshold']} or more. "
        f"Guessing gives {results['floor']:.3f}.\n\n{results['summary']}\n\n"
        f"Everything measured, with intervals: {place}"
    )


def _table(name: str, records: Sequence[Mapping[str, Any]], threshold: float) -> Any:
    """One model: a row a learning rate. Narrow enough for 80 columns."""
    from rich.table import Table

    table = Table(
        title=name, title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0), header_style="dim"
    )
    steps = [rung["budget"]["steps"] for rung in records[0]["rungs"]]
    for heading in ("rate", *map(str, steps), "breaks", "utility"):
        table.add_column(heading, justify="right", no_wrap=True)
    for record in records:
        table.add_row(*_row(record, threshold))
    return table


def _row(record: Mapping[str, Any], threshold: float) -> list[str]:
    from holdfast.statistics import first_break

    rungs: Sequence[Mapping[str, Any]] = record["rungs"]
    harm = [rung["scores"]["harm"]["value"] for rung in rungs]
    at = first_break(harm, threshold)
    utility = [_figure(rung["scores"]["utility"]["value"]) for rung in (rungs[0], rungs[-1])]
    last = rungs[-1]["budget"]["steps"]
    breaks = f"> {last}" if at is None else str(rungs[at]["budget"]["steps"])
    return [_rate(record["learning_rate"]), *map(_figure, harm), breaks, " to ".join(utility)]


def _rate(value: float) -> str:
    """A learning rate as people write it: 3e-4."""
    mantissa, _, exponent = f"{value:e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def _figure(value: float | None) -> str:
    """Two decimals; a gap where nothing was measured."""
    return "-" if value is None else f"{value:.2f}"
