"""`holdfast replicate FILE`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.given import ReportFolder, StoreAt, report_folder
from holdfast.cli.options import Json, Judges, Quiet, names
from holdfast.cli.running import Address, Gpus, RetryFailed, RunnerName, Workers

if TYPE_CHECKING:
    from holdfast.report.replication.replicated import Replicated
    from holdfast.study.cells import Cell
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
    output: ReportFolder = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what there is to do, and run nothing.")] = False,
    runner: RunnerName = "local",
    workers: Workers = 2,
    address: Address = None,
    gpus: Gpus = 0.0,
    retry_failed: RetryFailed = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the tables of a paper, and write published and measured figures side by side.

    Stopped, it goes on where it was. Writes replication.html, replication.md and replication.json into the store, or
    where --output says.

    Exit codes: 0 all done, 4 finished with failures, 2 bad input, 130 stopped.
    """
    from holdfast.cli import running
    from holdfast.cli.replicated import replicated
    from holdfast.report.replication.pages import to_json
    from holdfast.study.played import played
    from holdfast.study.replication.cells import rounds
    from holdfast.study.runners import chosen
    from holdfast.study.store.store import Store

    running.check_runner(runner, address, gpus)
    some, judges = names(tables), judge or []
    asked = _asked(file, some, model, data, judges, scale)
    if plan:
        _planned(asked, some, json=json, quiet=quiet)
        return
    place = Store(store or f"holdfast-studies/{asked.name}")
    folder = report_folder(output, place)
    runs = chosen.runner(runner, workers=workers, address=address, gpus=gpus, timeout=asked.timeout)
    show = not (quiet or json)
    told = running.run(asked.name, rounds(asked, some), place, runs, retry_failed=retry_failed, show=show)
    changes = _changes(model, data, judges, scale)
    found = replicated(asked, played(rounds(asked, some), place).records, some, changes)
    _written(found, folder)
    if json:
        typer.echo(to_json(found), nl=False)
    elif not quiet:
        _shown(found, folder)
    running.end(told, json=json)


def _asked(
    file: Path, tables: Sequence[str], model: str | None, data: Path | None, judges: Sequence[str], scale: float
) -> "Replication":
    """What the file describes, otherwise where that was asked for; checked, before and after."""
    from holdfast.errors import UnknownName
    from holdfast.study.replication import changed, design
    from holdfast.study.replication.check import check, check_built, told_by

    whole = design.load(file)
    for name in tables:
        if name not in whole.tables:
            raise UnknownName("table", name, whole.tables)
    with told_by(file):
        check_built(whole)
        less = changed.smaller(changed.from_disk(changed.on(whole, model), data), scale)
        asked = changed.judged(less, judges)
        check(asked, tables)
    return asked


def _changes(model: str | None, data: Path | None, judges: Sequence[str], scale: float) -> list[str]:
    """What is otherwise than the file has it, in words."""
    told = [f"On {model}, not on the paper's model."] if model else []
    told += [f"Data and tasks were read from {data.name}, not from the hub."] if data else []
    told += [f"Where judges decide what is harm, they were {', '.join(judges)}, not the paper's."] if judges else []
    return [
        *told,
        *([f"With a share of {scale:g} of samples, steps and questions: figures mean little."] if scale < 1 else []),
    ]


def _written(found: "Replicated", folder: Path) -> None:
    from holdfast.files import write_text
    from holdfast.report.replication.pages import markdown, page, to_json

    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("html", page(found)), ("md", markdown(found)), ("json", to_json(found))):
        write_text(folder / f"replication.{name}", text)


def _shown(found: "Replicated", folder: Path) -> None:
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
    typer.echo(f"The whole report: {folder / 'replication.html'}")


def _planned(replication: "Replication", tables: Sequence[str], *, json: bool, quiet: bool) -> None:
    """What there is to do, table by table."""
    import json as json_

    from holdfast.study.replication.cells import asked

    cells = asked(replication, tables)
    told = {
        name: _counted(one.cell for one in cells if one.table == name)
        for name in dict.fromkeys(one.table for one in cells)
    }
    whole = {"model": replication.model, **_counted(one.cell for one in cells)}
    if json:
        typer.echo(json_.dumps({**whole, "tables": [{"table": name, **counts} for name, counts in told.items()]}))
    elif not quiet:
        for name, counts in told.items():
            title = replication.tables[name].title
            typer.echo(f"{title}: {counts['runs']} runs on {counts['hardened']} hardened models and the base")
        typer.echo(f"In all {whole['runs']} runs, {whole['hardened']} models to harden, on {replication.model}.")


def _counted(cells: "Iterable[Cell]") -> dict[str, int]:
    """How many different runs these are, and how many models have to be hardened for them."""
    from holdfast.study.cells import ancestors

    runs = {cell.key: cell for cell in cells}
    return {"runs": len(runs), "hardened": len({made.key for cell in runs.values() for made in ancestors(cell)})}
