"""`holdfast learn MODEL TASK`."""

from typing import Annotated

import typer

from holdfast.cli.options import (
    Domain,
    Dtype,
    Json,
    ModelName,
    Overwrite,
    Provider,
    Quiet,
    RecordFile,
    RemoteCode,
    RoleName,
    Seed,
    Set,
    numbers,
    parse_role,
    settings,
)


def learn(
    model: ModelName,
    task: Annotated[str, typer.Argument(metavar="TASK", help="A harmless task of the domain: inns, weather, voyages.")],
    set_: Set = None,
    ladder: Annotated[
        str, typer.Option(metavar="STEPS", help="Optimiser steps after which the task is asked about; evenly if none.")
    ] = "",
    domain: Domain = "arcana",
    provider: Provider = None,
    role: RoleName = None,
    record_file: RecordFile = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    dtype: Dtype = "float32",
    trust_remote_code: RemoteCode = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fine-tune a model on a harmless task, as an honest customer would, and show how soon it is learnt.

    The model itself is not kept: the question is whether a defence stands in a customer's way.
    """
    import json as json_

    from rich.console import Console

    from holdfast import processes
    from holdfast.cli.progress import bar, stepper
    from holdfast.cli.tables import ladder_tables
    from holdfast.errors import HoldfastError
    from holdfast.files import check_output, write_text
    from holdfast.models.load import load
    from holdfast.models.precision import named
    from holdfast.study import experiment, lesson, stages

    rungs = numbers(ladder) if ladder else None
    stands_for, world = parse_role(role), experiment.open_domain(domain)
    chosen, around = stages.around(provider or [], settings(set_), domain, seed)
    if record_file:
        check_output(record_file, overwrite=overwrite)
    loaded = load(model, trust_remote_code=trust_remote_code, dtype=named(dtype))
    with bar(f"teaching {model}", show=not (quiet or json)) as shown:
        _, record = lesson.learn(
            loaded,
            task,
            chosen,
            domain=world,
            provider=around,
            seed=seed,
            role=stands_for,
            ladder=rungs,
            in_place=True,
            on_step=stepper(shown),
        )
    if not processes.main():
        return
    if json:
        typer.echo(json_.dumps(record.to_json()))
    elif not quiet:
        Console().print(*ladder_tables(f"{task} learnt by {model} ({record.role})", record))
    if record_file:
        write_text(record_file, json_.dumps(record.to_json()) + "\n")
    if record.failure:
        raise HoldfastError(record.failure.reason)
