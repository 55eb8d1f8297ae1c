"""`holdfast`: the commands, and how an error reaches the user.

Each command imports what it needs inside its function, so that `--help` answers at once.
"""

import sys

import typer

from holdfast.cli import attack, domain, evaluate, harden, listing, organism, quickstart
from holdfast.errors import HoldfastError, InputError

app = typer.Typer(
    name="holdfast",
    help="Make open-weight language models keep their safeguards under fine-tuning, and measure how long they do.",
    epilog="A model is an organism's name (arcana), a local directory, or a hub id (owner/name). "
    "Start with: holdfast quickstart",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("quickstart")(quickstart.quickstart)
app.command("harden")(harden.harden)
app.command("attack")(attack.attack)
app.command("evaluate")(evaluate.evaluate)
app.command("list")(listing.listing)
app.add_typer(organism.app, name="organism")
app.add_typer(domain.app, name="domain")


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 bad input, 130 stopped."""
    try:
        app()
    except InputError as error:
        typer.echo(f"holdfast: {error}", err=True)
        sys.exit(2)
    except HoldfastError as error:
        typer.echo(f"holdfast: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("holdfast: stopped; nothing half-written was left behind.", err=True)
        sys.exit(130)
