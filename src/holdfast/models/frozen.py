"""Copies of a network: one to work on, and one that stays as it was while a method changes the weights."""

import copy
from typing import Any, TypeVar

from holdfast.models import devices

N = TypeVar("N")


def copied(network: N) -> N:
    """A copy that computes with its own weights.

    TRL's trainers leave a `forward` on the network that is bound to it: a plain deep copy goes on computing with the
    weights of the original, whatever becomes of its own.
    """
    made: Any = copy.deepcopy(network)
    for module in made.modules():
        if not hasattr(module, "_hf_hook"):  # accelerate's moves a part to its device, and the part cannot do without
            vars(module).pop("forward", None)
    return made


def frozen(network: Any) -> Any:
    """A copy of a network that stays as it is, in evaluation mode and without gradients, where the network is trained.

    It is a whole one in every process, whatever becomes of the network's own weights.
    """
    kept = copied(network).eval()
    if not devices.spread(kept):
        kept = kept.to(devices.beside(network))
    kept.requires_grad_(False)
    kept.zero_grad(set_to_none=True)
    return kept
