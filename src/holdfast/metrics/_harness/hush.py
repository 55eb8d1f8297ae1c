"""What the harness prints and logs: kept, not shown."""

import io
import logging
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def hushed() -> Generator[list[str]]:
    """Nothing is printed, bars but on a terminal neither, and what the harness logs is kept."""
    log, kept = logging.getLogger("lm_eval"), _Kept()
    propagates = log.propagate
    log.addHandler(kept)
    log.propagate = False
    try:
        with redirect_stdout(io.StringIO()), nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO()):
            yield kept.lines
    finally:
        log.propagate = propagates
        log.removeHandler(kept)


def line(error: Exception) -> str:
    """What an error says; where it says nothing, which line of code raised it."""
    said = " ".join(str(error).split())[:300].rstrip(".")
    where = traceback.extract_tb(error.__traceback__)
    return said or f"{type(error).__name__}{f' at `{where[-1].line}`' if where else ''}"
