"""Work on a Ray cluster. The only file that imports ray.

On its node, a Ray worker does a piece of work as this machine would: in a process of a `Local` runner of its own. So
time and memory are limited, a log is kept and a crash is told in the same words as without Ray, and the same study
gives the same records. Ray chooses the node, gives the work its GPU, and tries it again where the node was lost.
"""

import contextlib
import functools
import logging
import os
import pickle
import secrets
import shutil
import sys
import tempfile
import time
import types
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final

from holdfast.errors import ConfigError, HoldfastError
from holdfast.records import Failure
from holdfast.study.runners import failures
from holdfast.study.runners.local import Local
from holdfast.study.runners.probe import probe
from holdfast.study.runners.runner import Ended, Report
from holdfast.study.runners.worker import Outcome

_STORE: Final = 100_000_000
"""Bytes of Ray's object store where it is started here; what goes through it is small."""
_LOOK: Final = 5.0


class Ray:
    """Does work on a Ray cluster: see `Runner`. It connects at once; a program that is connected already stays so.

    Its `progress` is 0 until a piece of work is done.

    Args:
        address: `HOST:PORT` of a cluster that this machine is a node of, `auto` for the one that runs here,
            `ray://HOST:PORT` for Ray's client. None takes the environment's RAY_ADDRESS, and where that is missing
            starts one of this machine alone, which ends with `close`.
        cpus: CPUs that a piece of work takes; it uses one thread.
        gpus: GPUs that one takes, or which share of one: with 0.25 a GPU is given to four.
        memory: bytes that one may hold. Ray puts no more on a node than fits; what holds more is ended.
        timeout: seconds that one may take, once it has begun; None allows any.
        retries: how often one is tried again whose node was lost.
        preload: modules that are imported once on each node and worker, as for `Local`.
        slots: how many are given to the cluster at a time; None as many as fit, now and when it grows. To be given
            where a cluster starts nodes only for work that waits.

    Raises:
        ConfigError: Ray is not installed, the cluster does not answer or refuses the token, or no node of it has
            as much as a piece of work takes.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        cpus: float = 1,
        gpus: float = 0,
        memory: int | None = None,
        timeout: float | None = None,
        retries: int = 3,
        preload: Sequence[str] = ("holdfast.study.experiment",),
        slots: int | None = None,
    ):
        self._needs = {"CPU": cpus, "GPU": gpus, "memory": memory or 0}
        self._limits = {"timeout": timeout, "memory": memory, "preload": tuple(preload)}
        self._retries = retries
        self._fixed = slots
        self._at_work: dict[Any, str] = {}
        self._ray = _ray()
        # Else Ray tries what is too large for every node again and again, for ever.
        os.environ.setdefault("RAY_task_oom_retries", str(retries))
        self._temporary: str | None = None
        self._connected = False
        self._connect(address)
        options: dict[str, Any] = {"num_cpus": cpus, "num_gpus": gpus, "max_retries": retries}
        options |= {"memory": memory} if memory else {}
        self._task = self._ray.remote(_do).options(
            **options, retry_exceptions=False, scheduling_strategy="SPREAD", name="holdfast"
        )
        self.slots = slots or self._fitting()
        """How many pieces of work it does at a time."""
        if not self.slots:
            self.close()
            needs = ", ".join(f"{amount:g} {name}" for name, amount in self._needs.items() if amount)
            raise ConfigError(f"no node of the Ray cluster has what a piece of work takes ({needs}); ask for less.")

    def start(self, key: str, function: Callable[..., None], *args: Any) -> None:
        """Have `function(*args, report)` done on the cluster: see `Runner`.

        Raises:
            Exception: whatever pickle says where the function or an argument cannot be pickled.
        """
        work = self._ray.cloudpickle.dumps((function, args))
        self._at_work[self._task.remote(work, **self._limits)] = key

    def wait(self, timeout: float) -> list[Ended]:
        """Those that ended, as soon as there are some: see `Runner`."""
        pending, done = list(self._at_work), list[Any]()
        if pending:
            self._ray.wait(pending, timeout=timeout)
            done, _ = self._ray.wait(pending, num_returns=len(pending), timeout=0)
        else:
            time.sleep(timeout)
        if self._fixed is None:
            self.slots = max(1, self._fitting())
        return [self._ended(one) for one in done]

    def progress(self) -> Mapping[str, float]:
        """0 for each piece at work: what it reports stays on its node."""
        return dict.fromkeys(self._at_work.values(), 0.0)

    def close(self) -> None:
        """End everything at once; a cluster that was there before goes on without this study."""
        for one in self._at_work:
            with contextlib.suppress(Exception):
                self._ray.cancel(one, force=True)
        self._at_work.clear()
        if self._connected:
            self._ray.shutdown()
            self._connected = False
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _connect(self, address: str | None) -> None:
        if self._ray.is_initialized():  # by whoever uses Holdfast in a program of theirs
            return
        address = address or os.environ.get("RAY_ADDRESS")
        if address:
            probe(address)
            self._init(address)
        else:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            # Else Ray writes one into the home directory, for whoever may read that.
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
            # A short path: the names of sockets below it may have about 100 characters.
            self._temporary = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
            here = {"include_dashboard": False, "object_store_memory": _STORE, "_temp_dir": self._temporary}
            self._init("local", **here)

    def _init(self, address: str, **more: Any) -> None:
        try:
            self._ray.init(address, logging_level=logging.ERROR, log_to_driver=False, **more)
        except Exception as error:
            self.close()
            raise ConfigError(f"Ray could not be used (address {address!r}): {error}") from error
        self._connected = True

    def _fitting(self) -> int:
        """How many pieces of work fit on all nodes."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        needs = {name: amount for name, amount in self._needs.items() if amount}
        return sum(
            min((int(node.get(name, 0.0) / amount + 1e-9) for name, amount in needs.items()), default=1)
            for node in nodes
        )

    def _ended(self, one: Any) -> Ended:
        key, exceptions = self._at_work.pop(one), self._ray.exceptions
        try:
            outcome: Outcome | HoldfastError = self._ray.get(one)
        except exceptions.OutOfMemoryError as error:
            reason = "out of memory: Ray ended the worker, as its node had too little left"
            return Ended(key=key, failure=Failure(reason=reason, log=str(error)[: failures.LOG]))  # its end is advice
        except exceptions.RayTaskError as error:
            *_, last = str(error).strip().splitlines() or [repr(error)]
            install = "install the same version of it, and the same plug-ins, on every node"
            what = f"a node of the Ray cluster cannot do Holdfast's work ({last}): {install}."
            return Ended(key=key, error=ConfigError(what))
        except exceptions.RayError as error:
            return Ended(key=key, failure=failures.of_loss(self._retries + 1, str(error)))
        if isinstance(outcome, HoldfastError):
            return Ended(key=key, error=outcome)
        return Ended(key=key, failure=outcome)


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise ConfigError(f"Ray is not installed ({error}): pip install 'holdfast[ray]'.") from error
    return ray


def _do(work: bytes, *, timeout: float | None, memory: int | None, preload: tuple[str, ...]) -> Outcome | HoldfastError:
    """What a Ray worker does: one piece of work, in a process of its own."""
    local = _local(timeout, memory, preload)
    with _nothing_to_import():
        local.start("work", _unpacked, work)
    while not (ended := local.wait(_LOOK)):
        pass
    return ended[0].error or ended[0].failure


@functools.cache
def _local(timeout: float | None, memory: int | None, preload: tuple[str, ...]) -> Local:
    return Local(1, timeout=timeout, memory=memory, preload=preload)


@contextlib.contextmanager
def _nothing_to_import() -> Generator[None]:
    """Else a process that is started imports the main script of the one that starts it: here Ray's."""
    script, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _unpacked(work: bytes, report: Report) -> None:
    function, args = pickle.loads(work)  # noqa: S301 - `start` made it
    function(*args, report)
