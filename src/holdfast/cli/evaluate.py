"""`holdfast evaluate MODEL`."""

import typer

from holdfast.cli.options import (
    Categories,
    Domain,
    Dtype,
    Json,
    Judges,
    Metrics,
    ModelName,
    Quiet,
    RemoteCode,
    Seed,
    Set,
    names,
    settings,
)


def evaluate(
    model: ModelName,
    metrics: Metrics = "harm,utility",
    set_: Set = None,
    domain: Domain = "arcana",
    categories: Categories = "",
    judge: Judges = None,
    seed: Seed = 0,
    dtype: Dtype = "float32",
    trust_remote_code: RemoteCode = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a model as it is: harm, refusal, fluency, utility, over-refusal, each with n and a 95 % interval."""
    import dataclasses
    import json as json_

    from rich.console import Console

    from holdfast.cli.tables import scores_table
    from holdfast.errors import ConfigError
    from holdfast.models.load import load
    from holdfast.models.precision import named
    from holdfast.study import experiment, stages
    from holdfast.study.judging import judging

    domain, given = judging(domain, judge or [], settings(set_))
    others, chosen = stages.measures(names(metrics), given)
    if others:
        raise ConfigError(
            f"whose field is {next(iter(others))!r}? Put the metric's name in front: harm.{next(iter(others))}."
        )
    world = experiment.open_domain(domain, names(categories))
    scores = experiment.evaluate(
        load(model, trust_remote_code=trust_remote_code, dtype=named(dtype)), chosen, domain=world, seed=seed
    )
    if json:
        typer.echo(json_.dumps({name: dataclasses.asdict(score) for name, score in scores.items()}))
    elif not quiet:
        Console().print(scores_table(model, scores))
