"""`holdfast replicate FILE`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.given import StoreAt
from holdfast.cli.options import Json, Judges, Quiet, names

if TYPE_CHECKING:
    from holdfast.report.replication.replicated import Replicated
    from holdfast.study.replication.design import Replication


def replicate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A replication as YAML: studies/repnoise_paper.yaml.")],
    tables: Annotated[
        str, typer.Option(metavar="NAMES", help="Which of its tables, with commas between; none means all.")
    ] = "",
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="Another model than the paper's.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Read data from DIR/DOMAIN, tasks from DIR/lm_eval, and not from the hub."),
    ] = None,
    scale: Annotated[
        float, typer.Option(metavar="SHARE", help="A share of samples, steps and questions, to see that all runs.")
    ] = 1.0,
    judge: Judges = None,
    store: StoreAt = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what there is to do, and run nothing.")] = False,
    runner: Annotated[str, typer.Option(help="Where cells are done: local or ray.")] = "local",
    workers: Annotated[int, typer.Option(min=1, help="Local: processes, of one thread each.")] = 1,
    address: Annotated[str | None, typer.Option(help="Ray: the cluster's address; none starts one here.")] = None,
    gpus: Annotated[float, typer.Option(min=0, help="Ray: GPUs a cell; a share such as 0.25 is one.")] = 0.0,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the tables of a paper, and write published and measured figures side by side.

    Stopped, it goes on where it was. Writes replication.html, replication.md and replication.json.

    Exit codes: 0 all done, 4 finished with failures, 2 bad input, 130 stopped.
    """
    from holdfast.cli.replicated import replicated
    from holdfast.cli.studies import FAILED, summary
    from holdfast.cli.watching import watching
    from holdfast.errors import ConfigError, UnknownName
    from holdfast.report.replication.pages import to_json
    from holdfast.study.played import played
    from holdfast.study.replication import changed, design
    from holdfast.study.replication.cells import rounds
    from holdfast.study.run import run
    from holdfast.study.runners import chosen
    from holdfast.study.store.store import Store

    if runner == "local" and (address or gpus):
        raise ConfigError("--address and --gpus are for a Ray cluster: add --runner ray, or leave them out.")
    whole = design.load(file)
    some = names(tables)
    for name in some:
        if name not in whole.tables:
            raise UnknownName("table", name, whole.tables)
    asked = changed.smaller(changed.from_disk(changed.on(whole, model), data), scale)
    asked = changed.judged(asked, judge or [])
    place = Store(store or f"holdfast-studies/{asked.name}")
    if plan:
        _told(asked, some)
        return
    runs = chosen.runner(runner, workers=workers, address=address, gpus=gpus, timeout=asked.timeout, memory=None)
    with watching(asked.name, show=not (quiet or json)) as watch:
        ended = run(rounds(asked, some), place, runs, retry_failed=retry_failed, watch=watch)
    changes = _changes(model, data, judge or [], scale)
    found = replicated(asked, played(rounds(asked, some), place).records, some, changes)
    if folder := place.local:
        _written(found, folder)
    if json:
        typer.echo(to_json(found), nl=False)
    elif not quiet:
        _shown(found, folder)
    told = summary(asked.name, place, ended)
    for one in told["failures"] if not json else []:
        typer.echo(f"holdfast: {one['cell']}: {one['reason']}", err=True)
    if told["failed"]:
        raise typer.Exit(FAILED)


def _changes(model: str | None, data: Path | None, judges: list[str], scale: float) -> list[str]:
    """What is otherwise than the file has it, in words."""
    told = [f"On {model}, not on the paper's model."] if model else []
    told += [f"Data and tasks were read from {data.name}, not from the hub."] if data else []
    told += [f"Harm was judged by {', '.join(judges)}, and not by the paper's judges."] if judges else []
    return [
        *told,
        *([f"With a share of {scale:g} of samples, steps and questions: figures mean little."] if scale < 1 else []),
    ]


def _written(found: "Replicated", folder: Path) -> None:
    from holdfast.files import write_text
    from holdfast.report.replication.pages import markdown, page, to_json

    for name, text in (("html", page(found)), ("md", markdown(found)), ("json", to_json(found))):
        write_text(folder / f"replication.{name}", text)


def _shown(found: "Replicated", folder: Path | None) -> None:
    from holdfast.report.replication.replicated import NEAR

    for table in found.tables:
        measured = len(table.pairs)
        near = (
            f"{table.near} of {measured} figures within {NEAR:g} of the published" if measured else "nothing measured"
        )
        apart = f", mean distance {table.apart:.2f}" if table.apart is not None else ""
        typer.echo(f"{table.title}: {near}{apart}")
    if found.missing:
        typer.echo(f"not finished: {found.missing} runs are missing")
    if folder:
        typer.echo(f"The whole report: {folder / 'replication.html'}")


def _told(replication: "Replication", tables: tuple[str, ...]) -> None:
    """What there is to do, table by table."""
    from holdfast.study.cells import ancestors
    from holdfast.study.replication.cells import asked

    cells = asked(replication, tables)
    for name in dict.fromkeys(one.table for one in cells):
        own = {one.cell.key: one.cell for one in cells if one.table == name}
        models = {made.key for cell in own.values() for made in ancestors(cell)}
        typer.echo(f"{replication.tables[name].title}: {len(own)} runs on {len(models)} hardened models and the base")
    whole = {one.cell.key: one.cell for one in cells}
    made = {model.key for cell in whole.values() for model in ancestors(cell)}
    typer.echo(f"In all {len(whole)} runs, {len(made)} models to harden, on {replication.model}.")
