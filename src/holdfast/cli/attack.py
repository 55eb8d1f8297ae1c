"""`holdfast attack MODEL ATTACK [-o DIR]`."""

from typing import Annotated

import typer

from holdfast.cli.options import (
    Categories,
    Domain,
    Dtype,
    Json,
    Judges,
    Metrics,
    ModelName,
    OptionalOutput,
    Overwrite,
    Provider,
    Quiet,
    RecordFile,
    RemoteCode,
    RoleName,
    Seed,
    Set,
    names,
    numbers,
    parse_role,
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
    metrics: Metrics = "harm,utility",
    domain: Domain = "arcana",
    categories: Categories = "",
    judge: Judges = None,
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
    """Attack a model, and show harm and utility at a ladder of budgets within the one run.

    With --output the attacked model is written too, as an ordinary model directory, with the
    record of the run as record.json in it.
    """
    import json as json_

    from rich.console import Console

    from holdfast import processes
    from holdfast.cli.progress import bar, stepper
    from holdfast.cli.results import keep_aside
    from holdfast.cli.tables import ladder_tables
    from holdfast.errors import ConfigError, HoldfastError
    from holdfast.files import check_output, write_text
    from holdfast.methods import PromptMethod
    from holdfast.models.load import load
    from holdfast.models.precision import named
    from holdfast.models.save import save, size
    from holdfast.study import experiment, stages
    from holdfast.study.judging import judging

    rungs, stands_for = numbers(ladder), parse_role(role)
    domain, given = judging(domain, judge or [], settings(set_))
    fields, around = stages.around(provider or [], given, domain, seed)
    fields, asked = stages.measures(names(metrics), fields)
    chosen = experiment.method("attacks", attack, fields)
    world = experiment.open_domain(domain, names(categories))
    if output and isinstance(chosen, PromptMethod):
        raise ConfigError(f"attack {attack!r} changes no weight, so there is no model to write: leave out --output.")
    for place in (output, record_file):
        if place:
            check_output(place, overwrite=overwrite)
    loaded = load(model, trust_remote_code=trust_remote_code, dtype=named(dtype))
    if output:
        check_output(output, overwrite=overwrite, needed=size(loaded))
    with bar(f"attacking {model}", show=not (quiet or json)) as shown:
        attacked, record = experiment.attack(
            loaded,
            chosen,
            domain=world,
            provider=around,
            seed=seed,
            role=stands_for,
            ladder=rungs,
            metrics=asked,
            in_place=True,
            on_step=stepper(shown),
        )
    if not processes.main():
        return
    if json:
        typer.echo(json_.dumps(record.to_json()))
    elif not quiet:
        Console().print(*ladder_tables(f"{attack} on {model} ({record.role})", record))
    if record_file:
        write_text(record_file, json_.dumps(record.to_json()) + "\n")
    if record.failure:
        raise HoldfastError(f"{record.failure.reason} {keep_aside(attacked, output) if output else ''}".strip())
    if output and attacked:
        save(attacked, output, overwrite=overwrite, beside={"record.json": record.to_json()})
        if not (quiet or json):
            typer.echo(f"wrote {output}")
