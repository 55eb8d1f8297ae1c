"""`holdfast harden MODEL DEFENCE -o DIR`."""

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


def harden(
    model: ModelName,
    output: Output,
    defence: Annotated[
        str, typer.Argument(metavar="DEFENCE", help="`holdfast list defences` names them.")
    ] = "repnoise",
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
    """Apply a defence to a model, and write the hardened model as an ordinary model directory."""
    import json as json_

    from holdfast import processes
    from holdfast.cli.progress import bar, stepper
    from holdfast.cli.results import keep_aside
    from holdfast.errors import Diverged, HoldfastError
    from holdfast.files import check_output
    from holdfast.models.load import load
    from holdfast.models.precision import named
    from holdfast.models.save import save, size
    from holdfast.study import experiment

    check_output(output, overwrite=overwrite)
    chosen = experiment.method("defences", defence, settings(set_))
    world = experiment.open_domain(domain, names(categories))
    loaded = load(model, trust_remote_code=trust_remote_code, dtype=named(dtype))
    check_output(output, overwrite=overwrite, needed=size(loaded))
    try:
        with bar(f"hardening {model}", show=not (quiet or json)) as shown:
            hardened = experiment.harden(loaded, chosen, domain=world, seed=seed, in_place=True, on_step=stepper(shown))
    except Diverged as error:
        raise HoldfastError(f"{error} {keep_aside(error.last_good, output)}") from error
    if not processes.main():
        return
    save(hardened, output, overwrite=overwrite)
    if json:
        typer.echo(json_.dumps({"output": str(output), **hardened.origin}))
    elif not quiet:
        typer.echo(f"wrote {output}")
