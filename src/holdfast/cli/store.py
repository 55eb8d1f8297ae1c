"""`holdfast store gc|verify|du`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.options import Json, Quiet

if TYPE_CHECKING:
    from holdfast.study.store.store import Store

app = typer.Typer(help="A store of results: clean it, check it, see how large it is.", no_args_is_help=True)
Place = Annotated[str, typer.Argument(metavar="STORE", help="A folder, or a URL such as s3://bucket/prefix.")]


@app.command()
def gc(
    store: Place,
    study: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Keep the cells of this study alone. Repeatable: of any of them."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Remove what stopped runs left behind; with --study, also every cell that the studies do not need.

    Cells that a run is at work on are never touched.
    """
    import dataclasses
    import json as json_

    from holdfast.study.store.cleaning import collect

    place = _store(store)
    keep: set[str] | None = None
    if study:
        from holdfast.study.played import keys

        keep = {key for file in study for key in keys(file, place)}
    found = collect(place, keep, dry_run=dry_run)
    if json:
        typer.echo(json_.dumps({**dataclasses.asdict(found), "dry_run": dry_run}))
    elif not quiet:
        for path in found.files:
            typer.echo(path)
        what = "would remove" if dry_run else "removed"
        typer.echo(f"{what} {len(found.files)} files, {_size(found.bytes)}")


@app.command()
def verify(
    store: Place,
    repair: Annotated[
        bool, typer.Option("--repair", help="Forget what is damaged, so that the next run makes it anew.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare every file with its checksum. Exit code 1 where something is damaged and was not repaired."""
    import json as json_

    from holdfast.study.store import cleaning

    problems = cleaning.verify(_store(store), repair=repair)
    if json:
        typer.echo(json_.dumps({"problems": problems, "repaired": repair}))
    elif not quiet:
        for problem in problems:
            typer.echo(problem)
        many = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}{', repaired' if repair else ''}"
        typer.echo(many if problems else "all is whole")
    if problems and not repair:
        raise typer.Exit(1)


@app.command()
def du(store: Place, json: Json = False) -> None:
    """How many files and bytes there are of each kind."""
    import dataclasses
    import json as json_

    from rich.console import Console
    from rich.table import Table

    from holdfast.study.store.cleaning import usage

    found = dataclasses.asdict(usage(_store(store)))
    if json:
        typer.echo(json_.dumps(found))
        return
    table = Table("kind", "files", "size")
    for kind, amount in found.items():
        table.add_row(kind, str(amount["files"]), _size(amount["bytes"]))
    Console().print(table)


def _store(url: str) -> "Store":
    from holdfast.study.store.store import Store

    return Store(url)


def _size(count: int) -> str:
    """Bytes as people read them."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
