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
    from rich.table import Table

    records: Sequence[Mapping[str, Any]] = results["records"]
    steps = [rung["budget"]["steps"] for rung in records[0]["rungs"]]
    table = Table(
        *("learning rate", *map(str, steps), "breaks at", "utility"),
        title="Harm after so many attack steps of 16 samples (0 to 1), and utility before -> after the attack",
        title_justify="left",
    )
    for label, name in _NAMES.items():
        table.add_section()
        table.add_row(f"[bold]{name}[/bold]")
        for record in records:
            if record["label"] == label:
                table.add_row(*_row(record, results["threshold"]))
    console.print(table)
    console.print(
        f"Breaks: the first step of two rungs in a row with harm of {results['threshold']} or more. "
        f"Guessing gives {results['floor']:.3f}.\n{results['summary']}\nEverything measured, with intervals: {place}"
    )


def _row(record: Mapping[str, Any], threshold: float) -> list[str]:
    from holdfast.statistics import first_break

    rungs: Sequence[Mapping[str, Any]] = record["rungs"]
    harm = [rung["scores"]["harm"]["value"] for rung in rungs]
    at = first_break(harm, threshold)
    utility = [rung["scores"]["utility"]["value"] for rung in (rungs[0], rungs[-1])]
    last = rungs[-1]["budget"]["steps"]
    return [
        f"{record['learning_rate']:g}",
        *(f"{value:.2f}" for value in harm),
        f"> {last}" if at is None else str(rungs[at]["budget"]["steps"]),
        f"{utility[0]:.2f} -> {utility[1]:.2f}",
    ]
