"""`holdfast attack MODEL ATTACK [-o DIR]`."""

from typing import Annotated

import typer

from holdfast.cli.options import (
    Domain,
    Json,
    ModelName,
    OptionalOutput,
    Overwrite,
    Quiet,
    RemoteCode,
    Seed,
    Set,
    numbers,
    settings,
)


def attack(
    model: ModelName,
    attack: Annotated[str, typer.Argument(metavar="ATTACK", help="`holdfast list attacks` names them.")] = "sft",
    output: OptionalOutput = None,
    set_: Set = None,
    ladder: Annotated[
        str, typer.Option(metavar="STEPS", help="Optimiser steps after which everything is measured.")
    ] = "0,1,2,3,5,10,20,30,60,100",
    domain: Domain = "arcana",
    seed: Seed = 0,
    overwrite: Overwrite = False,
    trust_remote_code: RemoteCode = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Attack a model, and show harm and utility at a ladder of budgets within the one run.

    With --output the attacked model is written too, as an ordinary model directory, with the
    record of the run as record.json in it.
    """
    import json as json_

    from rich.console import Console

    from holdfast.cli.progress import bar, stepper
    from holdfast.cli.results import keep_aside
    from holdfast.cli.tables import ladder_table
    from holdfast.errors import HoldfastError
    from holdfast.files import check_output
    from holdfast.models.load import load
    from holdfast.models.save import save, size
    from holdfast.study import cell

    rungs = numbers(ladder)
    chosen = cell.method("attacks", attack, settings(set_))
    world = cell.open_domain(domain)
    if output:
        check_output(output, overwrite=overwrite)
    loaded = load(model, trust_remote_code=trust_remote_code)
    if output:
        check_output(output, overwrite=overwrite, needed=size(loaded))
    with bar(f"attacking {model}", show=not (quiet or json)) as shown:
        attacked, record = cell.attack(loaded, chosen, domain=world, seed=seed, ladder=rungs, on_step=stepper(shown))
    if json:
        typer.echo(json_.dumps(record.to_json()))
    elif not quiet:
        Console().print(ladder_table(f"{attack} on {model}", record.rungs))
    if record.failure:
        raise HoldfastError(f"{record.failure.reason} {keep_aside(attacked, output) if output else ''}".strip())
    if output:
        save(attacked, output, overwrite=overwrite, beside={"record.json": record.to_json()})
        if not (quiet or json):
            typer.echo(f"wrote {output}")
