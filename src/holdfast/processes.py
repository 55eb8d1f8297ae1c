"""The processes that one run is made of: which of them this is, and what they tell each other.

`torchrun` and `accelerate launch` start several and say so in their environment. All of them train; what is measured,
printed and written is the main one's affair, so that no two write one file.
"""

import os
from datetime import timedelta
from typing import Final, TypeVar

from holdfast.errors import ConfigError

T = TypeVar("T")

_PATIENCE: Final = timedelta(days=1)
"""How long a process waits for the others, while the main one measures; a launcher ends all of them when one dies."""


_OF_FSDP: Final = (
    ("fsdp_version", "1", "2", "FSDP's first version is not supported"),
    ("fsdp_auto_wrap_policy", "", "TRANSFORMER_BASED_WRAP", "blocks are split one by one, and gathered so"),
    ("fsdp_cpu_ram_efficient_loading", "false", "false", "a method may look at the weights before they are split"),
)
"""What has to be set to what, and why; and what accelerate makes of it where nothing is set."""


def count() -> int:
    """How many processes there are; 1 without a launcher."""
    # A scheduler may leave a WORLD_SIZE of its own behind; LOCAL_RANK is a launcher's.
    return int(os.environ.get("WORLD_SIZE", "1")) if "LOCAL_RANK" in os.environ else 1


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ.get("RANK", "0")) if count() > 1 else 0


def main() -> bool:
    """Whether this is the process that measures and writes."""
    return rank() == 0


def local() -> int:
    """The number of this process on its machine, from 0; that of its GPU, too."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def deepspeed() -> bool:
    """Whether DeepSpeed trains, by the environment that `accelerate launch` makes of its configuration."""
    return _told("ACCELERATE_USE_DEEPSPEED")


def fsdp() -> bool:
    """Whether FSDP2 trains, by the same.

    Raises:
        ConfigError: it is told what cannot be done here; the message names the line of accelerate's configuration.
    """
    if not _told("ACCELERATE_USE_FSDP"):
        return False
    for setting, default, wanted, why in _OF_FSDP:
        if os.environ.get(setting.upper(), default).lower() != wanted.lower():
            raise ConfigError(f"in accelerate's configuration, set {setting} to {wanted}: {why}.")
    return True


def placed() -> bool:
    """Whether it is FSDP2 or DeepSpeed that says where weights lie: they are loaded into the CPU's memory then."""
    return fsdp() or deepspeed()


def _told(variable: str) -> bool:
    return os.environ.get(variable, "false").lower() in {"1", "true", "yes"}


def join(kind: str) -> None:
    """Meet the other processes, where there are some. Nothing happens the second time.

    Args:
        kind: "cuda" where they compute on GPUs, each on the one of its own number; else "cpu".
    """
    if count() == 1 or joined():
        return
    import torch
    import torch.distributed as together

    if kind == "cuda":
        torch.cuda.set_device(local())
    # What is offloaded to the CPU, and what processes tell each other, goes by gloo.
    together.init_process_group("cuda:nccl,cpu:gloo" if kind == "cuda" else "gloo", timeout=_PATIENCE)


def joined() -> bool:
    """Whether this process has met others: not before something is trained."""
    if count() == 1:
        return False
    import torch.distributed as together

    return together.is_available() and together.is_initialized()


def leave() -> None:
    """Part from the other processes, where this one had met them."""
    if joined():
        import torch.distributed as together

        together.destroy_process_group()


def gathered(value: T) -> list[T]:
    """What every process has, in the order of their numbers. All of them have to ask."""
    if not joined():
        return [value]
    import torch.distributed as together

    found: list[T] = [value] * count()
    together.all_gather_object(found, value)
    return found


def from_main(value: T) -> T:
    """What the main process has, in every process that has met it. All of them have to ask."""
    if not joined():
        return value
    import torch.distributed as together

    told = [value]
    together.broadcast_object_list(told, src=0)
    return told[0]
