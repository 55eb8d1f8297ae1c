"""`holdfast study`."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.given import File, ReportFolder, StoreAt, Tier, judged, opened, played, records, report_folder, there
from holdfast.cli.options import Json, Quiet, Set, settings
from holdfast.cli.running import Address, Gpus, RetryFailed, RunnerName, Workers

app = typer.Typer(
    help="Studies: models x defences x attacks x seeds, from a YAML file; resumed, cached, on one machine or many.",
    no_args_is_help=True,
)


@app.command()
def plan(
    file: File,
    tier: Tier = None,
    store: StoreAt = None,
    every: Annotated[bool, typer.Option("--cells", help="One row a cell, with its key.")] = False,
    json: Json = False,
) -> None:
    """Show a study's cells, which of them are there, and what the others will take. Runs nothing."""
    import json as json_

    from rich.console import Console

    from holdfast.cli.studies import plan_json, plan_table
    from holdfast.study.estimate import flops, seconds

    study, place = opened(file, tier, store)
    cells = played(study, place).cells
    done = there(cells, place)
    needs, times = {cell.key: flops(cell) for cell in cells}, seconds(cells, done)
    if json:
        typer.echo(json_.dumps(plan_json(cells, done, needs, times)))
        return
    Console().print(plan_table(study, cells, done, needs, times, every=every))


@app.command()
def run(
    file: File,
    tier: Tier = None,
    store: StoreAt = None,
    runner: RunnerName = "local",
    workers: Workers = 2,
    address: Address = None,
    gpus: Gpus = 0.0,
    retry_failed: RetryFailed = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Do every cell of a study that is not done. Stopped, it goes on where it was; run it twice, and both share it.

    Exit codes: 0 all done, 4 finished with failures, 2 bad input, 130 stopped.
    """
    import json as json_

    from rich.console import Console

    from holdfast.cli import running
    from holdfast.study.plan import rounds
    from holdfast.study.runners import chosen

    running.check_runner(runner, address, gpus)
    study, place = opened(file, tier, store)
    runs = chosen.runner(
        runner, workers=workers, address=address, gpus=gpus, timeout=study.timeout, memory=study.memory
    )
    show = not (quiet or json)
    told = running.run(study.name, rounds(study), place, runs, keep=study.keep, retry_failed=retry_failed, show=show)
    if json:
        typer.echo(json_.dumps(told))
    elif not quiet:
        Console().print(told["sentence"], highlight=False)
    running.end(told, json=json)


@app.command()
def status(file: File, tier: Tier = None, store: StoreAt = None, json: Json = False) -> None:
    """Show how far a study is, from any terminal: what is done, failed, at work and left."""
    import json as json_

    from rich.console import Console

    from holdfast.cli.studies import status_json, status_table
    from holdfast.study.store.claims import Claims

    study, place = opened(file, tier, store)
    cells = played(study, place).cells
    done = there(cells, place)
    live = Claims(place).live()
    if json:
        typer.echo(json_.dumps(status_json(cells, done, live)))
        return
    Console().print(status_table(study, cells, done, live))


@app.command()
def report(
    file: File,
    tier: Tier = None,
    store: StoreAt = None,
    output: ReportFolder = None,
    show_text: Annotated[bool, typer.Option("--show-text", help="Show restricted text too.")] = False,
    set_: Set = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the verdicts on a study's hardened models, and how they compare over seeds, from what is done so far.

    --set changes the terms, e.g. -s threshold=0.2.
    """
    import json as json_

    from holdfast.report import build

    study, place = opened(file, tier, store)
    far = played(study, place)
    folder = report_folder(output, place)
    made = judged(study, far, records(far, place), settings(set_), show_text=show_text)
    folder.mkdir(parents=True, exist_ok=True)
    build.write(made, folder)
    if json:
        typer.echo(json_.dumps(build.to_json(made)))
    elif not quiet:
        from rich.console import Console

        from holdfast.cli.verdicts import show

        show(Console(), made, folder / build.PAGE)


@app.command()
def table(
    file: File,
    tier: Tier = None,
    store: StoreAt = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="OUT.md", help="Markdown, with a drawing beside it; else on the screen."
        ),
    ] = None,
    set_: Set = None,
    quiet: Quiet = False,
) -> None:
    """Write one table that compares all defences of a study, as Markdown for a repository's docs.

    A row a defence, grouped by who can use it, from what is done so far: multiplier, harm, utility, tasks, cost.
    --set changes the terms, e.g. -s threshold=0.2.
    """
    from holdfast.cli.league import compare

    study, place = opened(file, tier, store)
    far = played(study, place)
    for line in compare(study, place, far, records(far, place), output, (file, tier), settings(set_)):
        if output is None or not quiet:
            typer.echo(line)


@app.command()
def export(
    file: File,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the tables.")],
    tier: Tier = None,
    store: StoreAt = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace tables that are there.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a study's results as tables, Parquet and CSV: cells (a row each) and scores (a row each, rung by rung)."""
    from holdfast.study.export import write

    study, place = opened(file, tier, store)
    far = played(study, place)
    written = write(study, place, records(far, place), output, overwrite=overwrite)
    if far.missing:
        typer.echo(f"holdfast: the study is not finished: {far.missing} cells are missing in the tables.", err=True)
    if not quiet:
        for path in written:
            typer.echo(f"wrote {path}")
