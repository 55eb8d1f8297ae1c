"""`holdfast report DIR`."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import Json, Quiet, Set, settings


def report(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="A folder with records: a quickstart's, or of `holdfast attack -o`."),
    ] = None,
    show_text: Annotated[
        bool, typer.Option("--show-text", help="Show restricted text too: what a broken model gave away.")
    ] = False,
    set_: Set = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of report.json, and stop.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the verdict on every hardened model in a folder, from its records alone.

    It leaves report.html (one file, works offline), report.json and figures/*.png in the folder, and the
    verdict in the card of each hardened model found there. --set changes the terms, e.g. -s threshold=0.2.
    """
    import json as json_

    from holdfast.config import build as build_
    from holdfast.errors import ConfigError
    from holdfast.report import build
    from holdfast.report.verdict.terms import Terms

    if schema:
        typer.echo(json_.dumps(build.json_schema(), indent=1))
        return
    if directory is None:
        raise ConfigError("no folder was given; write for example: holdfast report holdfast-quickstart")
    made = build.build(directory, build_(Terms, settings(set_)), show_text=show_text)
    build.write(made, directory)
    if json:
        typer.echo(json_.dumps(build.to_json(made)))
    elif not quiet:
        from rich.console import Console

        from holdfast.cli.verdicts import show

        show(Console(), made, directory / build.PAGE)
