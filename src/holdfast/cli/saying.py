"""What an audit says on a terminal or in a log, none of which may be taken for a command there."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from holdfast.report.audit.record import Audited
    from holdfast.report.schema import Report

_LINE: Final = 2000
"""Characters of a line that are shown."""


def say(report: "Report", found: "Audited", notes: Sequence[str], folder: Path) -> None:
    """The verdict, and what the audit adds to it: how it came about, what was left out, what failed, and the word."""
    from rich.console import Console

    from holdfast.cli.verdicts import show
    from holdfast.report import build

    console = Console()
    with console.capture() as captured:
        show(console, report, folder / build.PAGE)
    # Names are made safe there, but where a line is broken one may begin the next.
    typer.echo(_uncommanding(captured.get()), nl=False)
    for note in notes:
        typer.echo(safe(note))
    for one in found.left_out:
        typer.echo(safe(f"left out: {one.method}: {one.why}"))
    for one in found.failures:
        typer.echo(safe(f"holdfast: {one.attack} on {one.model}: {one.reason}"), err=True)
    typer.echo(safe(f"{found.suite.name} {found.suite.version}, {found.suite.tier}: {found.outcome}. {found.reason}"))


def safe(text: str) -> str:
    """A text of whoever made a model, on one line: nothing in it commands a terminal, or what reads a log."""
    from holdfast.report.text import shown

    return _uncommanding(shown(text, _LINE))


def _uncommanding(text: str) -> str:
    """Lines of which none is a command to GitHub's runner: one way to write those counts anywhere in a line."""
    return re.sub(r"(?m)^(\s*)::", r"\1: :", text).replace("##[", "# #[")
