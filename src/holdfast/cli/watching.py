"""What a terminal shows while a study runs: how far it is, the time left, and what is at work."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from holdfast.cli.progress import tenths
from holdfast.cli.studies import in_words, percent

if TYPE_CHECKING:
    from holdfast.study.progress import Progress as Ran
    from holdfast.study.progress import Standing

_ROWS: Final = 8
"""Cells at work that are shown; more are counted."""
_UNKNOWN: Final = 3.0
"""Seconds that a cell is taken to need whose model is not on this machine."""


@contextmanager
def watching(name: str, *, show: bool, what: str = "study") -> Generator["Callable[[Ran], None]"]:
    """A bar with the time left over a table of what is at work; each tenth on a line where there is no terminal.

    Args:
        name: of what runs.
        show: whether anything is shown.
        what: what it is.
    """
    console = Console(stderr=True)
    weights: dict[str, float] = {}
    if not (show and console.is_terminal):
        tell = tenths(f"{what} {name}", show=show)
        yield lambda ran: tell(*(round(part) for part in _work(ran, weights)))
        return
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn()
    )
    task = bar.add_task(escape(f"{what} {name}"), total=None)
    with Live(console=console, transient=True, refresh_per_second=4) as live:
        yield lambda ran: live.update(_picture(ran, bar, task, weights))


def _picture(ran: "Ran", bar: Progress, task: TaskID, weights: dict[str, float]) -> Group:
    done, total = _work(ran, weights)
    bar.update(task, completed=done, total=total)
    running = [one for one in ran.cells.values() if one.state == "running"]
    table = Table("at work", "done", box=None)
    for one in running[:_ROWS]:
        table.add_row(escape(in_words(one.cell)), percent(one.share))
    if len(running) > _ROWS:
        table.add_row(f"and {len(running) - _ROWS} more", "")
    parts = [f"{ran.count('done')} of {len(ran.cells)} cells done"]
    if elsewhere := ran.count("elsewhere"):
        parts.append(f"{elsewhere} at work elsewhere")
    if failed := ran.count("failed"):
        parts.append(f"{failed} failed")
    return Group(bar, ", ".join(parts), table)


def _work(ran: "Ran", weights: dict[str, float]) -> tuple[float, float]:
    """What is done, and the whole of what was not there before: by estimated compute, in parts of a second."""
    from holdfast.study.estimate import seconds

    mine = {key: one for key, one in ran.cells.items() if not one.found}
    if new := [one.cell for key, one in mine.items() if key not in weights]:
        weights |= {key: need or _UNKNOWN for key, need in seconds(new, {}).items()}
    return sum(weights[key] * _share(one) for key, one in mine.items()), sum(weights[key] for key in mine)


def _share(one: "Standing") -> float:
    return 1.0 if one.state in {"done", "failed"} else one.share
