"""`holdfast evaluate MODEL`."""

from typing import Annotated

import typer

from holdfast.cli.options import Categories, Domain, Json, ModelName, Quiet, RemoteCode, Seed, names


def evaluate(
    model: ModelName,
    metrics: Annotated[str, typer.Option(metavar="NAMES", help="`holdfast list metrics` names them.")] = "harm,utility",
    domain: Domain = "arcana",
    categories: Categories = "",
    seed: Seed = 0,
    trust_remote_code: RemoteCode = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a model as it is: harm, refusal, fluency, utility, over-refusal, each with n and a 95 % interval."""
    import dataclasses
    import json as json_

    from rich.console import Console

    from holdfast.cli.tables import scores_table
    from holdfast.models.load import load
    from holdfast.study import experiment

    chosen = [experiment.method("metrics", name) for name in names(metrics)]
    world = experiment.open_domain(domain, names(categories))
    scores = experiment.evaluate(load(model, trust_remote_code=trust_remote_code), chosen, domain=world, seed=seed)
    if json:
        typer.echo(json_.dumps({name: dataclasses.asdict(score) for name, score in scores.items()}))
    elif not quiet:
        Console().print(scores_table(model, scores))
