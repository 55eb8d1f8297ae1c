"""`holdfast depth MODEL --base BASE`."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import Domain, Json, ModelName, Quiet


def depth(
    model: ModelName,
    base: Annotated[
        str, typer.Option("--base", metavar="BASE", help="The model that it was made from, of the same shape.")
    ],
    domain: Domain = "arcana",
    seeds: Annotated[int, typer.Option(min=1, help="Of probes, maps and re-learning; three give intervals.")] = 3,
    rows: Annotated[int, typer.Option(min=20, help="Answers of either kind that are read at most.")] = 144,
    freezing: Annotated[
        bool,
        typer.Option(
            "--freezing",
            help="Apply MODEL's defence to BASE anew as well, with each group of blocks frozen: as long as hardening.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write what was seen there: JSON, Markdown, drawings."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say whether a model's knowledge of harm was removed, moved or only hidden, looking layer by layer.

    Each layer is asked by linear probes, by maps that read answers off it, by the logit lens and by its distance from
    BASE; then both models are trained on other answers, and MODEL with blocks of BASE, to see what comes back, and from
    where. With -o a second start goes on where the first was stopped.
    """
    from holdfast.cli.progress import bar, counter
    from holdfast.report.depth.pages import lines, to_json, write
    from holdfast.study.depth.depth import depth as look
    from holdfast.study.depth.parts import FOLDER, forget

    with bar("depth", show=not (quiet or json)) as progress:
        told = counter(progress, "depth", show=not (quiet or json))
        keep = output and output / FOLDER
        found = look(model, base, domain=domain, seeds=seeds, rows=rows, freeze=freezing, keep=keep, told=told)
    written = write(found, output) if output else []
    if keep:
        forget(keep)
    if json:
        typer.echo(to_json(found))
    elif not quiet:
        typer.echo("\n".join([*lines(found), *(f"written: {path}" for path in written)]))
