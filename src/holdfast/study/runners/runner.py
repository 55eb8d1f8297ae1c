"""What a runner is: something that does work elsewhere, and tells how each piece of it ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from holdfast.errors import HoldfastError
from holdfast.records import Failure

Report = Callable[[float], None]
"""Tells which share of a piece of work is done, from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How one piece of work ended: done, failed, or with an error that is the caller's to look at."""

    key: str
    failure: Failure | None = None
    """Why it did not finish: out of memory, timed out, lost, or an exception with the tail of its log."""
    error: HoldfastError | None = None
    """A `StoreError` that the function raised, or what keeps the runner from doing any work at all (a worker that
    does not come up, a node that lacks Holdfast): nothing to do with the work itself."""


class Runner(Protocol):
    """Does pieces of work, as many at a time as it has slots."""

    slots: int
    """How many pieces of work it does at a time. It may change with each `wait`, as a cluster does."""

    def start(self, key: str, function: Callable[..., None], *args: Any) -> None:
        """Have `function(*args, report)` done elsewhere.

        Args:
            key: of the piece of work; none that is at work has the same. At most `slots` are at work.
            function: what is to be done. It and its arguments can be pickled; what it raises need not.
            args: its arguments, after which it is given a `Report`.
        """
        ...

    def wait(self, timeout: float) -> list[Ended]:
        """Those that ended, as soon as there are some; none after `timeout` seconds."""
        ...

    def progress(self) -> Mapping[str, float]:
        """Which share of each piece at work is done."""
        ...

    def close(self) -> None:
        """End everything at once; what is at work is given up."""
        ...
