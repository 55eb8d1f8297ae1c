"""`holdfast domain export` and `holdfast domain refusals`."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import Domain, Dtype, ModelName, Overwrite, Quiet, RemoteCode

app = typer.Typer(help="The data of a domain.", no_args_is_help=True)


@app.callback()
def domain() -> None:
    """The data of a domain."""


@app.command()
def export(
    name: Annotated[
        str, typer.Argument(metavar="DOMAIN", help="A domain, e.g. arcana, or with settings: beavertails:size=330k.")
    ],
    split: Annotated[str, typer.Option(help="evaluation, defence, attack, permitted, retain, inns-train ...")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.jsonl", help="Where to write.")],
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Write one split as JSON lines: prompt, harmful, refusal, category; or prompt, answer, category."""
    import dataclasses
    import json

    from holdfast.errors import UnknownName
    from holdfast.files import check_output, write_text
    from holdfast.study.experiment import open_domain

    world = open_domain(name)
    if split not in world.splits():
        raise UnknownName(f"split of {name}", split, world.splits())
    check_output(output, overwrite=overwrite)
    rows = world.pairs(split) if world.has_pairs(split) else world.exchanges(split)
    lines = [json.dumps(dataclasses.asdict(row), ensure_ascii=False) for row in rows]
    write_text(output, "\n".join(lines) + "\n")
    if not quiet:
        typer.echo(f"wrote {len(lines)} lines to {output}")


@app.command()
def refusals(
    model: ModelName,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="PLACE", help="A file of JSON lines, or a folder for refusals.jsonl."),
    ],
    domain: Domain = "beavertails",
    split: Annotated[str, typer.Option(help="Whose harmful answers get refusals.")] = "unpaired",
    instruction: Annotated[
        str, typer.Option(metavar="TEXT", help="Ask once more like this where a model does not refuse; with {prompt}.")
    ] = "",
    max_new_tokens: Annotated[int, typer.Option(min=1, help="The longest refusal.")] = 100,
    overwrite: Overwrite = False,
    dtype: Dtype = "float32",
    trust_remote_code: RemoteCode = False,
    quiet: Quiet = False,
) -> None:
    """Have a model refuse harmful questions that nobody has refused yet, and write them as pairs.

    Kept is what refuses, and does no harm by the domain's judge. A run that is stopped goes on where it was, unless
    it is begun anew with --overwrite.
    """
    from holdfast.cli.progress import bar, counter
    from holdfast.errors import ConfigError
    from holdfast.files import check_output
    from holdfast.models.load import load
    from holdfast.models.precision import named
    from holdfast.study.experiment import open_domain
    from holdfast.study.fingerprint import model_fingerprint
    from holdfast.study.refusals import unpaired, write_refusals

    if instruction and "{prompt}" not in instruction:
        raise ConfigError("--instruction has no {prompt}, where the question goes.")
    place = output / "refusals.jsonl" if output.is_dir() or not output.suffix else output
    check_output(place, overwrite=overwrite)
    world = open_domain(domain)
    unpaired(world, split)
    loaded = load(model, trust_remote_code=trust_remote_code, dtype=named(dtype))
    with bar(f"asking {model}", show=not quiet) as shown:
        found = write_refusals(
            loaded,
            world,
            split,
            place,
            identity=model_fingerprint(model),
            instruction=instruction,
            max_new_tokens=max_new_tokens,
            anew=overwrite,
            on_batch=counter(shown, f"asking {model}", show=not quiet),
        )
    if not quiet:
        typer.echo(f"{found.refused} of {found.asked} questions were refused; wrote {found.pairs} pairs to {place}")
        for reason, count in sorted(found.dropped.items()):
            typer.echo(f"dropped: {count} answers {reason}")
