"""One worker process: it does one piece of work at a time, and may be killed at any moment."""

import contextlib
import fcntl
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from multiprocessing import connection, reduction, util
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from holdfast.errors import StoreError
from holdfast.records import Failure
from holdfast.study.runners import failures

Outcome = Failure | StoreError | None
"""How a piece of work ended: not well, with an error that is not its own, or well."""
READY: Final = "ready"
"""What a worker says first."""
_TAIL: Final = 4 * failures.LOG
"""Bytes that are read from the end of a log; a character has at most four."""


class Worker:
    """A worker process, seen from the main one.

    Args:
        context: multiprocessing's, of the forkserver.
        scratch: where it puts temporary files; None leaves that to the system.
        number: from 0, unlike that of any other there is. Where there are GPUs it has one, in turn.
    """

    def __init__(self, context: Any, scratch: Path | None, number: int = 0):
        self.number = number
        self.ready = False
        """Whether it has come up."""
        self._share = context.RawValue("d", 0.0)
        # It has no name, so that nothing is left of it, and it can be read when the worker is no more.
        self._log = tempfile.TemporaryFile("wb+", buffering=0, dir=scratch)  # noqa: SIM115
        self.pipe: connection.Connection
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_serve, args=(theirs, self._share, scratch, util.get_temp_dir(), number)
        )
        self.process.start()
        theirs.close()
        with contextlib.suppress(OSError):  # one that died already is noticed when it is looked at
            reduction.send_handle(self.pipe, self._log.fileno(), self.process.pid)

    @property
    def share(self) -> float:
        """How much of its work is done, from 0 to 1."""
        return min(1.0, max(0.0, self._share.value))

    def give(self, work: bytes) -> bool:
        """Hand it a pickled `(function, args)`; False where it is there no more."""
        self._share.value = 0.0
        try:
            self.pipe.send_bytes(work)
        except OSError:
            return False
        return True

    def log(self) -> str:
        """The end of what its work has written so far."""
        return _tail(self._log.fileno())

    def kill(self) -> int | None:
        """End it, and all that it has started, at once; the exit code that multiprocessing tells of it."""
        if self.process.is_alive():
            assert self.process.pid
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
        self.process.join()
        self.pipe.close()
        self._log.close()
        return self.process.exitcode


def _serve(pipe: connection.Connection, share: Any, scratch: Path | None, litter: str, number: int) -> None:
    """What a worker does: piece after piece, until the main process ends, however that ends."""
    os.setpgid(0, 0)  # so that it can be ended together with all that its work has started
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which ends this one
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel, litter), daemon=True).start()
    _write_to(reduction.recv_handle(pipe))
    os.environ["OMP_NUM_THREADS"] = "1"  # for what is imported from here on
    _take_gpu(number)
    if scratch:
        os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "tqdm" in sys.modules:
        # Its own lock is a semaphore between processes, of which a worker that is killed would leave a warning.
        sys.modules["tqdm"].tqdm.set_lock(threading.RLock())
    pipe.send(READY)
    with contextlib.suppress(EOFError):
        while True:
            work = pipe.recv_bytes()
            os.ftruncate(1, 0)
            pipe.send(_do(work, lambda done: setattr(share, "value", done)))
    os._exit(0)


def _take_gpu(number: int) -> None:
    """Of several GPUs, see one alone."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    there = told.split(",") if told is not None else [str(gpu) for gpu in range(_gpus())]
    if len(there) > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = there[number % len(there)]


def _gpus() -> int:
    """How many there are, as the driver says: torch would remember them, and see all from then on."""
    return len(list(Path("/proc/driver/nvidia/gpus").glob("*")))


def _do(work: bytes, report: Callable[[float], None]) -> Outcome:
    """Do one piece of work."""
    try:
        function, args = pickle.loads(work)  # noqa: S301 - the main process made it
        function(*args, report)
    except StoreError as error:
        return failures.carried(error)
    except BaseException as error:
        return failures.of_error(error, _tail(1))
    return None


def _end_with(sentinel: int, litter: str) -> None:
    """End with the main process; where that was killed, what multiprocessing left of it is in the way."""
    connection.wait([sentinel])
    shutil.rmtree(litter, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _write_to(log: int) -> None:
    """Let all that is written to standard output and error go to a file, at once."""
    fcntl.fcntl(log, fcntl.F_SETFL, os.O_APPEND)  # after it is emptied, writing goes on from its start
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        for number in (1, 2)
    )


def _tail(log: int) -> str:
    size = os.fstat(log).st_size
    start = max(0, size - _TAIL)
    return os.pread(log, size - start, start).decode(errors="replace")
