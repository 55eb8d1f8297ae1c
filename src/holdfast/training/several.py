"""What cannot be trained in several processes, or split over them, and why: told before anything is."""

from typing import Any

from holdfast import processes
from holdfast.errors import ConfigError
from holdfast.methods import Guard, TrainerMethod
from holdfast.training.recipe import Recipe

_TOGETHER = "start it without a launcher, on one GPU."
_WHOLE = "train it by torchrun alone, with a whole copy of the model in each process (docs/scale.md)."


def check_alone() -> None:
    """Look at a method that does not train, before it begins: processes that share no steps would do it several times.

    Raises:
        ConfigError: a launcher has started several processes.
    """
    if processes.count() > 1:
        raise ConfigError(
            "this method does not train, so that there is nothing for several processes to share: "
            "start it without a launcher."
        )


def check(started: Any, recipe: Recipe, guard: Guard | None) -> None:
    """Look at a run before it begins.

    Args:
        started: the method, or what it made at its start.
        recipe: how it trains.
        guard: who watches over it.

    Raises:
        ConfigError: it cannot be done by the processes that a launcher has started.
    """
    if isinstance(started, TrainerMethod) and (processes.count() > 1 or processes.placed()):
        raise ConfigError(f"reinforcement and preferences train in one process here: {_TOGETHER}")
    if not processes.placed():
        return
    by = "DeepSpeed" if processes.deepspeed() else "FSDP2"
    if hasattr(started, "gradient"):
        raise ConfigError(
            f"this method makes gradients itself, most of them by moving weights and putting them back, and {by} "
            f"splits weights and gradients over processes: {_WHOLE}"
        )
    if hasattr(guard, "replace_step") or hasattr(guard, "before_step"):
        raise ConfigError(f"this guard keeps copies of weights or takes steps of its own, which {by} splits: {_WHOLE}")
    if recipe.quantised != "none":
        raise ConfigError(f"quantised {recipe.quantised}: {by} cannot split weights of 4 bits; {_WHOLE}")
    if processes.deepspeed() and recipe.precision == "bf16":
        raise ConfigError(
            "precision bf16: DeepSpeed holds weights in float32 beside those in bfloat16; set precision to mixed, "
            "which is that, or to fp32."
        )
