"""`holdfast`: the commands, and how an error reaches the user.

Each command imports what it needs inside its function, so that `--help` answers at once.
"""

import sys
from typing import Annotated, Final

import typer

from holdfast import processes
from holdfast.cli import (
    attack,
    audit,
    depth,
    domain,
    evaluate,
    guard,
    harden,
    index,
    learn,
    listing,
    mend,
    organism,
    plan_memory,
    quickstart,
    replicate,
    report,
    scale,
    store,
    study,
)
from holdfast.errors import ConfigError, HoldfastError, InputError

_STOPPED: Final = 130

app = typer.Typer(
    name="holdfast",
    epilog="A model is an organism's name (arcana), a local directory, or a hub id (owner/name). "
    "Start with: holdfast quickstart",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("quickstart")(quickstart.quickstart)
app.command("harden")(harden.harden)
app.command("attack")(attack.attack)
app.command("audit")(audit.audit)
app.command("learn")(learn.learn)
app.command("guard")(guard.guard)
app.command("mend")(mend.mend)
app.command("evaluate")(evaluate.evaluate)
app.command("plan-memory")(plan_memory.plan_memory)
app.command("depth")(depth.depth)
app.command("report")(report.report)
app.command("index")(index.index)
app.command("scale")(scale.scale)
app.command("list")(listing.listing)
app.command("replicate")(replicate.replicate)
app.add_typer(study.app, name="study")
app.add_typer(store.app, name="store")
app.add_typer(organism.app, name="organism")
app.add_typer(domain.app, name="domain")

_SEVERAL: Final = ("attack", "harden", "learn")
"""The commands that several processes may do together."""


@app.callback()
def begin(
    context: typer.Context,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help="Where to compute: cpu, cuda, mps, or auto, which spreads a model that is measured over all GPUs and "
            "the CPU. A GPU where there is one, if none is given. Comes before the command.",
        ),
    ] = None,
    generator: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who makes a model's answers: transformers, or vllm where it is installed."),
    ] = None,
) -> None:
    """Make open-weight language models keep their safeguards under fine-tuning, and measure how long they do."""
    if processes.count() > 1 and context.invoked_subcommand not in _SEVERAL:
        raise ConfigError(
            f"holdfast {context.invoked_subcommand} is one process, and starts others itself: start it without a "
            f"launcher. Several processes do {', '.join(_SEVERAL)} together."
        )
    if device is not None:
        from holdfast.models import devices

        devices.choose(device)
    if generator is not None:
        from holdfast.models import generators

        generators.choose(generator)


def main() -> None:
    """Run the command line. An error is one line.

    Exit codes: 0 done, 1 failed, 2 bad input, 4 a study finished with failures, 130 stopped. Of `holdfast audit`: 0 the
    model holds, 1 it is broken, 3 inconclusive.
    """
    said = ""
    try:
        # What a command exits with; typer turns Ctrl-C into 130.
        code: int = app(prog_name="holdfast", standalone_mode=False) or 0
        if code == _STOPPED:
            said = "stopped; nothing half-written was left behind."
    except typer.TyperException as error:
        said, code = error.format_message(), error.exit_code
    except HoldfastError as error:
        said, code = str(error), 2 if isinstance(error, InputError) else 1
    processes.leave()
    if said:
        # One that all have is the main one's; another may have one of its own, such as that its machine has no GPU.
        who = "holdfast" if processes.main() else f"holdfast, process {processes.rank()}"
        typer.echo(f"{who}: {' '.join(said.split())}", err=True)
    sys.exit(code)
