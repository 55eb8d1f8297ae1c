"""What a long command shows while it works: a bar, the time left, and the loss terms."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from holdfast import processes

if TYPE_CHECKING:
    from holdfast.interfaces import Progress as Step


@contextmanager
def bar(what: str, *, show: bool) -> Generator[Progress]:
    """A progress bar on standard error, gone when the work is; none where that is no terminal.

    Of several processes the main one draws.
    """
    console = Console(stderr=True)
    with Progress(
        TextColumn(f"{what} {{task.description}}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        transient=True,
        disable=not (show and processes.main() and console.is_terminal),
    ) as progress:
        yield progress


def stepper(progress: Progress) -> "Callable[[Step, dict[str, float]], None]":
    """A callback for each training step."""
    task = progress.add_task("", total=None, note="")

    def on_step(step: "Step", terms: dict[str, float]) -> None:
        note = "  ".join(f"{name} {value:.3f}" for name, value in terms.items())
        progress.update(task, completed=step.step, total=step.total, note=note)

    return on_step


def tenths(what: str, *, show: bool) -> Callable[[int, int], None]:
    """Tells each tenth of the work on a line of its own, where standard error is no terminal for a bar."""
    console = Console(stderr=True)
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // max(1, total)
        if show and not console.is_terminal and tenth > told:
            told = tenth
            console.print(f"holdfast: {what}: {10 * tenth} % done", highlight=False)

    return tell


def counter(progress: Progress, what: str, *, show: bool) -> Callable[[int, int], None]:
    """A callback for how many things are done, first before any is: a bar, or where there is none lines for a log."""
    task, tell = progress.add_task("", total=None, note=""), tenths(what, show=show)
    calls: list[tuple[int, float]] = []

    def count(done: int, total: int) -> None:
        calls.append((done, time.monotonic()))
        progress.update(task, completed=done, total=total)
        if show and progress.disable and len(calls) == 2 and done < total:
            (before, started), (_, now) = calls
            left = (total - done) * (now - started) / max(1, done - before)
            about = f"{left / 60:.0f} min" if left > 90 else f"{left:.0f} s"
            told = f"holdfast: {what}: {done} of {total} done, about {about} left"
            Console(stderr=True).print(told, highlight=False)
        tell(done, total)

    return count
