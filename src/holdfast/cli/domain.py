"""`holdfast domain export`."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import Overwrite, Quiet

app = typer.Typer(help="The data of a domain.", no_args_is_help=True)


@app.callback()
def domain() -> None:
    """The data of a domain."""


@app.command()
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A domain's name, e.g. arcana.")],
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
