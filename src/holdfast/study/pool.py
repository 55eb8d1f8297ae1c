"""Jobs in worker processes of one thread each, those first that others wait for."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from pathlib import Path
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.study.jobs import Job
from holdfast.study.origin import code_hash

OnProgress = Callable[[int, int], object]


def run(jobs: Sequence[Job], output: Path, *, workers: int, on_progress: OnProgress | None = None) -> None:
    """Do every job that is not done.

    Args:
        jobs: one that another's model comes from stands before it.
        output: the folder that results go to.
        workers: processes, one thread each.
        on_progress: is given the work done and the whole, about twice a second.
    """
    left = list(jobs)
    steps: Any = multiprocessing.get_context("forkserver").Array("i", len(jobs))
    with _pool(workers, steps) as pool:
        waiting: dict[Future[None], Job] = {}
        while left or waiting:
            unfinished = [*left, *waiting.values()]
            for job in [job for job in left if job.model not in unfinished]:
                left.remove(job)
                waiting[pool.submit(_work, jobs.index(job), job, str(output))] = job
            finished, _ = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in finished:
                job = waiting.pop(future)
                try:
                    future.result()
                except BrokenProcessPool:
                    what = f"{job.verb} {job.method}"
                    raise HoldfastError(f"a worker was killed at {what}; was there too little memory?") from None
            if on_progress:
                on_progress(sum(steps), sum(job.work for job in jobs))


@contextlib.contextmanager
def _pool(workers: int, steps: Any) -> Generator[ProcessPoolExecutor]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two threads on a busy box are many times slower than one
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["holdfast.study.cell"])
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(steps, code_hash()))
    try:
        yield pool
    except BaseException:
        # Ctrl-C: what is finished is on disk, and what is not is not worth waiting for.
        for process in list((pool._processes or {}).values()):
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_steps: Any = None


def _start(steps: Any, code: str) -> None:
    """Set up a worker: one thread, and an end when the main process ends, however it ends."""
    import torch

    global _steps
    _steps = steps
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the main process, which ends this one
    parent = multiprocessing.parent_process()
    assert parent is not None
    if code_hash() != code:
        raise HoldfastError("Holdfast's code was changed while it ran; run it again.")
    threading.Thread(target=lambda: (connection.wait([parent.sentinel]), os._exit(1)), daemon=True).start()


def _work(number: int, job: Job, output: str) -> None:
    """Do one job in a worker, and tell how far it is."""

    def on_step(progress: Any, _: Any) -> None:
        _steps[number] = job.work * progress.step // progress.total

    job.run(Path(output), on_step)
    _steps[number] = job.work
