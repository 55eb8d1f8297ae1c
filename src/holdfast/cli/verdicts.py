"""Verdicts for a terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from holdfast.report.schema import Report, Verdict


def show(console: Any, report: "Report", page: Path) -> None:
    """Each verdict in short, and where the whole of it is."""
    for verdict in report.verdicts:
        _show(console, verdict)
    console.print(f"The whole report: {escape(str(page))}")


def _show(console: Any, verdict: "Verdict") -> None:
    from holdfast.report.text import shown
    from holdfast.report.wording import UNIT_NAMES, bounds, spent

    def safe(text: str) -> str:
        return escape(shown(text))

    console.print(f"[bold]{safe(verdict.model)}: {verdict.outcome}[/bold]\n\n[bold]{safe(verdict.headline)}[/bold]\n")
    table = Table("attacker's cost", "multiplied by", "undefended", "hardened", box=None, pad_edge=False)
    for found in verdict.multipliers:
        sides = [spent(side, found.unit) for side in (found.undefended, found.defended)]
        table.add_row(UNIT_NAMES[found.unit], *map(safe, (bounds(found), *sides)))
    console.print(table, "")
    table = Table("condition", "", "", box=None, pad_edge=False)
    for condition in verdict.conditions:
        table.add_row(condition.name, condition.status, safe(condition.sentence))
    for control in verdict.controls:
        table.add_row(f"{control.name} control", control.status, safe(control.sentence))
    console.print(table, "")
    for caveat in verdict.caveats:
        console.print(f"* {safe(caveat)}")
    console.print()
