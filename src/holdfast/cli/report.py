"""`holdfast report DIR`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.options import Json, Quiet, Set, settings

if TYPE_CHECKING:
    from holdfast.report.schema import Report


def report(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="A folder with records: a quickstart's, or of `holdfast attack -o`."),
    ] = None,
    show_text: Annotated[
        bool, typer.Option("--show-text", help="Show restricted text too: what a broken model gave away.")
    ] = False,
    set_: Set = None,
    diff: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A B", help="Compare the reports on two folders instead: what changed from A to B."),
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of report.json, and stop.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the verdict on every hardened model in a folder, from its records alone.

    It leaves report.html (one file, works offline), report.json and figures/*.png in the folder, and the
    verdict in the card of each hardened model found there. --set changes the terms, e.g. -s threshold=0.2. With --diff
    nothing is written.
    """
    import json as json_

    from holdfast.config import build as build_
    from holdfast.errors import ConfigError
    from holdfast.report import build
    from holdfast.report.verdict.terms import Terms

    if schema:
        typer.echo(json_.dumps(build.json_schema(), indent=1))
        return
    terms = build_(Terms, settings(set_))
    if diff is not None:
        if directory is not None:
            raise ConfigError(f"--diff A B compares two folders; what is {directory} for?")
        _compare(*(build.build(one, terms) for one in diff), json=json)
        return
    if directory is None:
        raise ConfigError("no folder was given; write for example: holdfast report holdfast-quickstart")
    made = build.build(directory, terms, show_text=show_text)
    build.write(made, directory)
    if json:
        typer.echo(json_.dumps(build.to_json(made)))
    elif not quiet:
        from rich.console import Console

        from holdfast.cli.verdicts import show

        show(Console(), made, directory / build.PAGE)


def _compare(first: "Report", second: "Report", *, json: bool) -> None:
    import dataclasses
    import json as json_

    from holdfast.report.diff import compared, text

    found = compared(first, second)
    typer.echo(json_.dumps(dataclasses.asdict(found), indent=1) if json else "\n".join(text(found)))
