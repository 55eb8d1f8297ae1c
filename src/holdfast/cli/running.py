"""What commands share that run cells: the options that say where, and how it ends."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from holdfast.study.run import Keep, Rounds
    from holdfast.study.runners.runner import Runner
    from holdfast.study.store.store import Store

RunnerName = Annotated[str, typer.Option(help="Where cells are done: local or ray.")]
Workers = Annotated[int, typer.Option(min=1, help="Local: processes, of one thread each.")]
Address = Annotated[str | None, typer.Option(help="Ray: the cluster's address; none starts one here.")]
Gpus = Annotated[float, typer.Option(min=0, help="Ray: GPUs a cell; a share such as 0.25 is one.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")]


def check_runner(runner: str, address: str | None, gpus: float) -> None:
    """See that options of a Ray cluster are given for one."""
    from holdfast.errors import ConfigError

    if runner == "local" and (address or gpus):
        raise ConfigError("--address and --gpus are for a Ray cluster: add --runner ray, or leave them out.")


def run(
    name: str,
    rounds: "Rounds",
    store: "Store",
    runner: "Runner",
    *,
    retry_failed: bool,
    show: bool,
    keep: "Keep" = "hardened",
) -> dict[str, Any]:
    """Do all cells that are not done, while the terminal shows how far it is; how that ended."""
    from holdfast.cli.studies import summary
    from holdfast.cli.watching import watching
    from holdfast.study.run import run as run_

    with watching(name, show=show) as watch:
        ended = run_(rounds, store, runner, keep=keep, retry_failed=retry_failed, watch=watch)
    return summary(name, store, ended)


def end(told: dict[str, Any], *, json: bool) -> None:
    """Tell of each failure, unless what was printed is JSON, and leave with the exit code that stands for some."""
    from holdfast.cli.studies import FAILED

    for one in told["failures"] if not json else []:
        typer.echo(f"holdfast: {one['cell']}: {one['reason']}", err=True)
    if told["failed"]:
        raise typer.Exit(FAILED)
