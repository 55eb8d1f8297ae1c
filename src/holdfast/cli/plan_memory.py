"""`holdfast plan-memory MODEL --defence DEFENCE`."""

from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.options import (
    Categories,
    Domain,
    Dtype,
    Json,
    ModelName,
    Quiet,
    RemoteCode,
    Seed,
    Set,
    names,
    settings,
)

if TYPE_CHECKING:
    from holdfast.study.footprint.estimate import Footprint


def plan_memory(
    model: ModelName,
    defence: Annotated[
        str | None, typer.Option(metavar="DEFENCE", help="To harden with it; `holdfast list defences` names them.")
    ] = None,
    attack: Annotated[
        str | None, typer.Option(metavar="ATTACK", help="To attack with it instead, without measuring on the way.")
    ] = None,
    set_: Set = None,
    domain: Domain = "arcana",
    categories: Categories = "",
    seed: Seed = 0,
    dtype: Dtype = "float32",
    trust_remote_code: RemoteCode = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell what a run will hold in memory and how long it will take, before it runs.

    A few steps are taken on a model of the same shape with few blocks and random weights, here, with the data and the
    settings of the run; all blocks are extrapolated from that. No weights are read.
    """
    import dataclasses
    import json as json_

    from rich.console import Console

    from holdfast.errors import ConfigError
    from holdfast.models.precision import named
    from holdfast.study.footprint.estimate import check_scratch, footprint
    from holdfast.study.footprint.probe import Asked
    from holdfast.study.footprint.smaller import Shape

    if defence and attack:
        raise ConfigError("--defence and --attack are one run each: give one of them.")
    asked = Asked(
        kind="attacks" if attack else "defences",
        name=attack or defence or "repnoise",
        settings=settings(set_),
        domain=domain,
        categories=names(categories),
        seed=seed,
        dtype=named(dtype),
    )
    _ = asked.built, asked.view
    shape = Shape(model, trust_remote_code=trust_remote_code)
    check_scratch(shape)
    said = Console(stderr=True, quiet=quiet or json)
    found = footprint(
        shape,
        asked,
        told=lambda blocks: said.print(f"measuring with {blocks} of {shape.blocks} blocks …", highlight=False),
    )
    if json:
        told = {**dataclasses.asdict(found), "peak": found.peak, "phase": found.phase, "seconds": found.seconds}
        typer.echo(json_.dumps(told))
    elif not quiet:
        for line in _lines(f"{asked.name} on {model}", found):
            typer.echo(line)


def _lines(what: str, found: "Footprint") -> list[str]:
    from holdfast.study.footprint.probe import WHEN

    parts = ", ".join(f"{name} {_gigabytes(size)}" for name, size in found.held.items() if size)
    steps = f"{found.steps} steps of {_time(found.step)}" if found.steps else _time(found.step)
    whole = found.probed == (found.blocks,)
    lines = [
        f"{what}: {found.parameters / 1e6:,.0f} M parameters in {found.blocks} blocks",
        f"memory  {_gigabytes(found.peak)} at most, {WHEN[found.phase]}; of it {parts}",
        f"time    {steps}, {_time(found.around)} for loading, warming up and writing: {_time(found.seconds)} in all",
        f"        Measured on this {found.device} "
        + ("whole." if whole else f"with {' and '.join(map(str, found.probed))} blocks, and extrapolated."),
    ]
    if found.peak > found.available:
        lines.append(
            f"        It does not fit: {_gigabytes(found.available)} are free here. Smaller batches at a time "
            "(training.accumulation), a LoRA (training.lora_rank) or what docs/scale.md has for larger models."
        )
    return lines


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
