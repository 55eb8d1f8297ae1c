"""A runner by name."""

from holdfast.errors import UnknownName
from holdfast.study.runners.runner import Runner

_GB = 1_000_000_000


def runner(
    name: str,
    *,
    workers: int = 2,
    address: str | None = None,
    gpus: float = 0.0,
    timeout: float | None = None,
    memory: float | None = None,
) -> Runner:
    """The runner that a name stands for; what the other one needs is left out.

    Args:
        name: `local` or `ray`.
        workers: processes of the local one.
        address: of a Ray cluster; None starts one here.
        gpus: a cell needs on a Ray cluster.
        timeout: seconds a cell may take.
        memory: GB a worker may use.

    Raises:
        UnknownName: there is no such runner.
        ConfigError: Ray is not installed, or cannot be reached.
    """
    limit = None if memory is None else int(memory * _GB)
    if name == "local":
        from holdfast.study.runners.local import Local

        return Local(workers, timeout=timeout, memory=limit)
    if name == "ray":
        from holdfast.study.runners.ray import Ray

        return Ray(address, gpus=gpus, timeout=timeout, memory=limit)
    raise UnknownName("runner", name, ["local", "ray"])
