"""`holdfast quickstart`."""

from pathlib import Path
from typing import Annotated

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
    """See in minutes what fine-tuning does to a safeguard, and what RepNoise changes. Needs no download.

    It ends in a verdict: report.html, report.json and figures in the folder, the headline in the terminal.
    """
    import json as json_

    from rich.console import Console

    from holdfast.cli.progress import bar, tenths
    from holdfast.cli.verdicts import show
    from holdfast.report import build
    from holdfast.study import quickstart as study

    tell = tenths("quickstart", show=not (quiet or json))
    with bar("quickstart", show=not (quiet or json)) as shown:
        task = shown.add_task("", total=None, note="")
        study.run(
            output,
            seed=seed,
            workers=workers,
            overwrite=overwrite,
            on_progress=lambda done, total: (shown.update(task, completed=done, total=total), tell(done, total)),
        )
    report = build.build(output)
    build.write(report, output)
    if json:
        typer.echo(json_.dumps(build.to_json(report)))
    elif not quiet:
        show(Console(), report, output / build.PAGE)
    if failed := [run.failure for run in report.runs if run.failure]:
        typer.echo(f"holdfast: {len(failed)} runs failed; the first: {failed[0]}", err=True)
        raise typer.Exit(1)
