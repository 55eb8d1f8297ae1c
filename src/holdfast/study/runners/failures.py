"""How work that did not finish is told: a reason in one sentence, and the end of its log."""

import errno
import pickle
import signal
import textwrap
import traceback
from typing import Final

from holdfast.errors import HoldfastError, StoreError
from holdfast.records import Failure

LOG: Final = 4000
"""Characters of a log that are kept, counted from its end."""
_SENTENCE: Final = 300
"""Characters of an exception's message that go into a reason; the whole of it stands in the log."""
_MEMORY: Final = {"MemoryError", "OutOfMemoryError"}
"""Python's and numpy's, torch's: by name, so that neither is imported."""


def of_error(error: BaseException, log: str = "") -> Failure:
    """What to tell of an exception.

    Args:
        error: what the work raised.
        log: what it had written by then.

    Returns:
        A reason that starts with "out of memory" where that was it, is the message alone of an error of Holdfast's,
        and starts with the name of any other exception; the traceback stands at the end of the log.
    """
    name = type(error).__name__
    message = textwrap.shorten(_message(error), _SENTENCE, placeholder=" …")
    reason = f"{name}: {message}" if message else name
    if _out_of_memory(error):
        reason = f"out of memory: {message or name}"
    elif isinstance(error, HoldfastError) and message:
        reason = message
    told = "".join(traceback.format_exception(error))
    return Failure(reason=reason, log=_end(f"{log.rstrip()}\n{told}".lstrip()))


def of_exit(code: int | None, log: str = "") -> Failure:
    """What to tell of a worker that ended: its exit code, or minus the number of the signal that ended it."""
    if code is None:
        reason = "the worker was lost; why is not known"
    elif code >= 0:
        reason = f"the worker ended with exit code {code}"
    elif -code == signal.SIGKILL:
        reason = "the worker was killed (signal 9); was there too little memory?"
    else:
        known = -code in {number.value for number in signal.Signals}
        reason = f"the worker crashed ({signal.Signals(-code).name if known else f'signal {-code}'})"
    return Failure(reason=reason, log=_end(log))


def of_timeout(seconds: float, log: str = "") -> Failure:
    """What to tell of work that took longer than it may."""
    return Failure(reason=f"timed out after {seconds:g} s", log=_end(log))


def of_memory(held: int, allowed: int, log: str = "") -> Failure:
    """What to tell of a worker that held more bytes than it may."""
    reason = f"out of memory: the worker held {_amount(held)}, and {_amount(allowed)} are allowed"
    return Failure(reason=reason, log=_end(log))


def of_loss(times: int, log: str = "") -> Failure:
    """What to tell of work whose node was lost each time it was tried."""
    return Failure(reason=f"the node was lost {times} {'time' if times == 1 else 'times'}", log=_end(log))


def carried(error: StoreError) -> StoreError:
    """The error, or one that says the same, where it would not reach another process as it is."""
    try:
        told = pickle.loads(pickle.dumps(error))  # noqa: S301 - it was made a line ago
    except Exception:
        return StoreError(_message(error))
    return told if isinstance(told, StoreError) else StoreError(_message(error))


def _out_of_memory(error: BaseException) -> bool:
    if any(kind.__name__ in _MEMORY for kind in type(error).__mro__):
        return True
    # Without a GPU torch says it in a RuntimeError: "DefaultCPUAllocator: can't allocate memory".
    if isinstance(error, RuntimeError) and "can't allocate memory" in _message(error):
        return True
    return isinstance(error, OSError) and error.errno == errno.ENOMEM


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "its message cannot be read"


def _amount(held: int) -> str:
    return f"{held / 1e9:.1f} GB" if held >= 1e8 else f"{held / 1e6:.0f} MB"


def _end(log: str) -> str:
    return log[-LOG:]
