"""`holdfast index FOLDERS -o FILE.html`."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.options import Quiet, Set, settings


def index(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDERS", help="Folders of records, each a study.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.html", help="Where to write the page.")],
    set_: Set = None,
    quiet: Quiet = False,
) -> None:
    """Write one page over many studies: every hardened model in a table, and every cell in heat maps.

    The table is filtered and sorted in the browser; the page is one file and works offline. --set changes the terms of
    all verdicts.
    """
    from holdfast.cli.progress import bar, counter
    from holdfast.config import build
    from holdfast.files import check_output, write_text
    from holdfast.report.index.collect import collect
    from holdfast.report.index.page import page
    from holdfast.report.verdict.terms import Terms

    check_output(output, overwrite=True)
    with bar("index", show=not quiet) as progress:
        count = counter(progress, "index", show=not quiet)
        found = collect(folders, output, build(Terms, settings(set_)), told=lambda done: count(done, len(folders)))
    write_text(output, page(found))
    if not quiet:
        typer.echo(f"models: {len(found.rows)}, studies: {len(found.studies)}; written: {output}")
