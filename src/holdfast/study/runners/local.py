"""Work in processes of this machine, one thread each.

`concurrent.futures` would give up all work when one of its processes dies. Here a process that is killed fails its
own piece of work; another takes its place.
"""

import multiprocessing
import os
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import connection, forkserver, util
from pathlib import Path
from typing import Any, Final

import psutil

from holdfast.errors import ConfigError, HoldfastError, StoreError
from holdfast.records import Failure
from holdfast.study.runners import failures
from holdfast.study.runners.runner import Ended
from holdfast.study.runners.worker import READY, Outcome, Worker

_LOOK: Final = 0.5
"""Seconds between two looks at how much memory the workers hold."""


@dataclass(kw_only=True)
class _AtWork:
    worker: Worker
    until: float
    """When it has taken too long, on the monotonic clock."""


class Local:
    """Does work in processes of this machine: see `Runner`. Made for one thread of the main process.

    A process is started when it is first needed, lives on between pieces of work, and ends with the main process,
    however that ends. One whose work failed is replaced, as is one that has grown, so that no piece of work suffers
    from the one before it.

    Args:
        workers: how many pieces of work are done at a time.
        timeout: seconds that one may take; None allows any.
        memory: bytes that a process may have to itself, beside the preloaded libraries, which all share; None allows
            any. Looked at about twice a second, as long as somebody waits.
        preload: modules that are imported once, for all processes. What another part of the same main process
            preloaded earlier stays preloaded, and this is left out.
        scratch: where work puts its temporary files; None leaves that to the system.

    Raises:
        ConfigError: there is to be less than one worker, or no time, or no memory.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        timeout: float | None = None,
        memory: int | None = None,
        preload: Sequence[str] = ("holdfast.study.experiment",),
        scratch: Path | None = None,
    ):
        for name, value in {"workers": workers, "timeout": timeout, "memory": memory}.items():
            if value is not None and value <= 0:
                raise ConfigError(f"{name} is {value}, and must be more than 0.")
        self.slots = workers
        self._timeout = timeout
        self._memory = memory
        self._preload = list(preload)
        self._scratch = scratch
        self._context = multiprocessing.get_context("forkserver")
        self._all: list[Worker] = []
        self._at_work: dict[str, _AtWork] = {}
        # multiprocessing waits at its exit for every process; these would wait for work.
        util.Finalize(self, _kill, args=(self._all,), exitpriority=100)

    def start(self, key: str, function: Callable[..., None], *args: Any) -> None:
        """Have `function(*args, report)` done in a process: see `Runner`.

        Raises:
            Exception: whatever pickle says where the function or an argument cannot be pickled.
        """
        assert key not in self._at_work, f"{key} is at work already"
        assert len(self._at_work) < self.slots, "all workers are at work"
        work = pickle.dumps((function, args))
        busy = [one.worker for one in self._at_work.values()]
        for worker in [worker for worker in self._all if worker not in busy]:
            if self._fit(worker) and worker.give(work):
                break
            self._end(worker)
        else:
            worker = self._new()
            worker.give(work)
        until = time.monotonic() + (self._timeout or float("inf")) if worker.ready else float("inf")
        self._at_work[key] = _AtWork(worker=worker, until=until)

    def wait(self, timeout: float) -> list[Ended]:
        """Those that ended, as soon as there are some: see `Runner`."""
        end = time.monotonic() + timeout
        while True:
            ended = [one for key in list(self._at_work) if (one := self._look(key))]
            left = end - time.monotonic()
            if ended or left <= 0:
                return ended
            soonest = min((one.until for one in self._at_work.values()), default=end)
            pause = min(left, _LOOK if self._memory else left, max(0.0, soonest - time.monotonic()))
            workers = [one.worker for one in self._at_work.values()]
            connection.wait([each for worker in workers for each in (worker.pipe, worker.process.sentinel)], pause)

    def progress(self) -> Mapping[str, float]:
        """Which share of each piece at work is done."""
        return {key: one.worker.share for key, one in self._at_work.items()}

    def close(self) -> None:
        """End every process at once; what is at work is given up."""
        self._at_work.clear()
        _kill(self._all)

    def _new(self) -> Worker:
        self._context.set_forkserver_preload(self._preload)
        threads = os.environ.get("OMP_NUM_THREADS")
        os.environ["OMP_NUM_THREADS"] = "1"  # two threads on a busy box are many times slower than one
        try:
            forkserver.ensure_running()
        finally:
            if threads is None:
                del os.environ["OMP_NUM_THREADS"]
            else:
                os.environ["OMP_NUM_THREADS"] = threads
        taken = {worker.number for worker in self._all}
        worker = Worker(self._context, self._scratch, min(set(range(len(taken) + 1)) - taken))
        self._all.append(worker)
        return worker

    def _end(self, worker: Worker) -> int | None:
        self._all.remove(worker)
        return worker.kill()

    def _fit(self, worker: Worker) -> bool:
        """Whether a worker can take more work: it is there, and has not grown much."""
        if worker.pipe.poll() or not worker.process.is_alive():  # one that waits has nothing to say but its end
            return False
        return self._memory is None or _held(worker) <= self._memory / 2

    def _look(self, key: str) -> Ended | None:
        """How a piece of work ended, if it has."""
        one = self._at_work[key]
        worker = one.worker
        alive = worker.process.is_alive()
        try:
            while worker.pipe.poll():
                told = worker.pipe.recv()
                if told != READY:
                    return self._ended(key, told)
                worker.ready = True
                one.until = time.monotonic() + (self._timeout or float("inf"))  # its start is not the work's time
        except (EOFError, OSError):
            alive = False
        if not alive:
            return self._died(key)
        if time.monotonic() >= one.until:
            return self._ended(key, failures.of_timeout(self._timeout or 0.0, worker.log()))
        if self._memory and (held := _held(worker)) > self._memory:
            return self._ended(key, failures.of_memory(held, self._memory, worker.log()))
        return None

    def _died(self, key: str) -> Ended:
        worker = self._at_work[key].worker
        log = worker.log()
        worker.process.join(1)  # how it ended is known a moment after its pipe is closed
        code = worker.process.exitcode
        if worker.ready or (code is not None and code < 0):
            return self._ended(key, failures.of_exit(code, log))
        del self._at_work[key]
        self._end(worker)
        error = HoldfastError(
            f"a worker did not come up (exit code {code}); what it wrote to the terminal says why. A script that "
            'runs a study does so under `if __name__ == "__main__":`.'
        )
        return Ended(key=key, error=error)

    def _ended(self, key: str, outcome: Outcome) -> Ended:
        one = self._at_work.pop(key)
        if isinstance(outcome, Failure):
            self._end(one.worker)
            return Ended(key=key, failure=outcome)
        assert outcome is None or isinstance(outcome, StoreError)
        return Ended(key=key, error=outcome)


def _held(worker: Worker) -> int:
    """Bytes of memory that a worker has to itself: what was preloaded is shared by all."""
    try:
        return psutil.Process(worker.process.pid).memory_full_info().uss
    except psutil.NoSuchProcess:
        return 0


def _kill(workers: list[Worker]) -> None:
    while workers:
        workers.pop().kill()
