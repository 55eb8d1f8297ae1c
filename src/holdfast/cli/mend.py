"""`holdfast mend MODEL DEFENCE --aligned BASE -o DIR`."""

from typing import Annotated

import typer

from holdfast.cli.options import (
    Categories,
    Domain,
    Dtype,
    Json,
    ModelName,
    Output,
    Overwrite,
    Quiet,
    RemoteCode,
    Seed,
    Set,
    names,
    settings,
)


def mend(
    model: ModelName,
    output: Output,
    aligned: Annotated[str, typer.Option(metavar="MODEL", help="The model as it was before it was fine-tuned.")],
    defence: Annotated[
        str,
        typer.Argument(metavar="DEFENCE", help="One that acts after a training, or several: antidote, antidote+resta."),
    ] = "antidote",
    set_: Set = None,
    domain: Domain = "arcana",
    categories: Categories = "",
    seed: Seed = 0,
    overwrite: Overwrite = False,
    dtype: Dtype = "float32",
    trust_remote_code: RemoteCode = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Mend a model that somebody has fine-tuned, and write the mended one as an ordinary model directory."""
    import json as json_

    from holdfast.files import check_output
    from holdfast.models.load import load
    from holdfast.models.precision import named
    from holdfast.models.save import save, size
    from holdfast.study import guarding, stages

    check_output(output, overwrite=overwrite)
    chosen = stages.given(defence, settings(set_), domain, names(categories), seed)
    mending = stages.of_stage("after", chosen)
    tuned, before = (load(name, trust_remote_code=trust_remote_code, dtype=named(dtype)) for name in (model, aligned))
    check_output(output, overwrite=overwrite, needed=size(tuned))
    mended = guarding.mended_by(tuned, before, mending)
    save(mended, output, overwrite=overwrite)
    if json:
        typer.echo(json_.dumps({"output": str(output), **mended.origin}))
    elif not quiet:
        typer.echo(f"wrote {output}")
