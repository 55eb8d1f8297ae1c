"""Where a network computes: a GPU where there is one, unless somebody says otherwise."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import torch

from holdfast import processes
from holdfast.errors import ConfigError, UnknownName

VARIABLE: Final = "HOLDFAST_DEVICE"
"""The environment variable that chooses, for this process and those that it starts."""
SPREAD: Final = "auto"
"""Over every GPU, then the CPU's memory, then the disk, as accelerate's `device_map="auto"` has it."""
KNOWN: Final = ("cpu", "cuda", "mps", SPREAD)
_training: ContextVar["torch.device | None"] = ContextVar("_training", default=None)


def choose(name: str | None) -> None:
    """Compute there from now on; None leaves things as they are.

    Raises:
        UnknownName: there is no such kind of device.
        ConfigError: this machine has none of it.
    """
    if name is not None:
        _checked(name)
        os.environ[VARIABLE] = name


def chosen() -> str:
    """One of `KNOWN`: what was chosen, else "cuda" where there is a GPU and "cpu" where there is none.

    Raises:
        UnknownName, ConfigError: as for `choose`.
    """
    name = os.environ.get(VARIABLE)
    if name:
        return _checked(name)
    return "cuda" if torch.cuda.is_available() else "cpu"


def device() -> torch.device:
    """The device of this process: of several, each has the GPU of its own number.

    Raises:
        ConfigError: models are spread over devices, so that there is no one of them.
    """
    kind = chosen()
    if kind == SPREAD:
        raise ConfigError(
            f"{VARIABLE}={SPREAD} spreads a model over devices, and nothing can be trained there: choose "
            "cuda or cpu, and for a model that is too large for one GPU several processes (docs/scale.md)."
        )
    return torch.device(kind, processes.local()) if kind == "cuda" else torch.device(kind)


def home() -> torch.device:
    """Where weights lie once loaded: on the device, or where FSDP2 or DeepSpeed will take them from, the CPU."""
    return torch.device("cpu") if processes.placed() else device()


def drawing() -> list[int]:
    """The GPUs that this process draws random numbers on, by number: of several it is not to touch the others'."""
    if not torch.cuda.is_available() or chosen() == "cpu":
        return []
    return [*range(torch.cuda.device_count())] if chosen() == SPREAD else [processes.local()]


def spread(network: Any) -> bool:
    """Whether a network's parts lie on several devices."""
    return len(set((getattr(network, "hf_device_map", None) or {}).values())) > 1


@contextmanager
def training_on(device: torch.device) -> Generator[None]:
    """Within, whatever is computed beside the network that is trained is computed there: see `beside`."""
    before = _training.set(device)
    try:
        yield
    finally:
        _training.reset(before)


def training() -> torch.device | None:
    """Where a network is trained just now, if one is."""
    return _training.get()


def beside(network: Any) -> torch.device:
    """Where to compute what is put beside a network: where one is trained just now, else where this one lies.

    The two differ where weights wait in the CPU's memory: under FSDP2 and DeepSpeed, and while a copy of them in 4 bits
    is trained.
    """
    return training() or network.device


def nearer(network: Any) -> Any:
    """A network that waits in the CPU's memory, moved to the device if there is room enough; else as it is."""
    on = training()
    if on is None or on.type != "cuda" or network.device.type != "cpu":
        return network
    torch.cuda.empty_cache()  # what training has used and let go counts as free
    free, _ = torch.cuda.mem_get_info(on)
    needed = sum(weight.numel() * weight.element_size() for weight in network.parameters())
    return network.to(on) if 1.2 * needed < free else network


def _checked(name: str) -> str:
    if name not in KNOWN:
        if name.startswith("cuda:"):
            raise ConfigError(
                f"device {name}: say which GPU by CUDA_VISIBLE_DEVICES={name.removeprefix('cuda:')}, and choose cuda."
            )
        raise UnknownName("device", name, KNOWN)
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}.get(name, lambda: True)
    if not there():
        raise ConfigError(f"device {name}: torch {torch.__version__} sees none here; choose another, such as cpu.")
    return name
